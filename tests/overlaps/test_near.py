"""Near copies of training rows are found, and generators that only learned are not accused of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid import Entries
from pytest_ganvalid.overlaps.chance import binomial_tail
from pytest_ganvalid.overlaps.findings import NearCopies
from pytest_ganvalid.overlaps.near import COLUMNS, near_copies

Columns = dict[str, Any]


def _events(rng: np.random.Generator, n: int, columns: int = 4) -> Columns:
    common = rng.normal(size=n)
    return {f"c{i}": common + rng.normal(size=n) for i in range(columns)}


def _found(seed: int, share: float, jitter: float, columns: int = 4, n: int = 4_000) -> NearCopies:
    rng = np.random.default_rng(seed)
    training, reference, generated = (_events(rng, rows, columns) for rows in (2_000, n, n))
    copies = round(share * n)
    rows = rng.integers(0, 2_000, copies)
    for name, values in generated.items():
        values[n - copies :] = training[name][rows] + jitter * rng.normal(size=copies)
    result = near_copies(generated, reference, training)
    assert result is not None
    return result


@pytest.mark.parametrize("jitter", [0.0, 0.003, 0.01])
def test_near_copies_are_found_and_counted(jitter: float) -> None:
    """Five in a hundred jittered training rows are found, and their share is within its limits."""
    result = _found(1, 0.05, jitter)
    assert result.shown
    assert result.hinted
    assert result.share_lower < result.share < result.share_upper
    assert result.share == pytest.approx(0.05, abs=0.01)
    assert result.share_lower < 0.05 < result.share_upper
    assert result.close > 10 * result.close_to_reference


def test_few_near_copies_are_a_hint() -> None:
    """One in a hundred is seen, and not shown to be more than tolerated."""
    result = _found(2, 0.01, 0.003)
    assert result.hinted
    assert not result.shown
    assert result.share == pytest.approx(0.01, abs=0.003)


@pytest.mark.parametrize("width", [0.05, 0.3, 1.0, 3.0])
def test_a_generator_of_its_own_is_not_accused(width: float) -> None:
    """Events that are too narrow are closer to training rows than the reference is, and to reference rows too."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        generated = {name: width * values for name, values in _events(rng, 4_000).items()}
        result = near_copies(generated, _events(rng, 4_000), _events(rng, 2_000))
        assert result is not None
        assert not result.shown
        assert not result.hinted


def test_a_smooth_generator_is_not_accused() -> None:
    """Kernels about the training rows are nearer to them, which is reported and decides nothing."""
    rng = np.random.default_rng(3)
    training = _events(rng, 2_000)
    rows = rng.integers(0, 2_000, 4_000)
    generated = {name: v[rows] + 0.3 * v.std() * rng.normal(size=4_000) for name, v in training.items()}
    result = near_copies(generated, _events(rng, 4_000), training)
    assert result is not None
    assert not result.shown
    assert result.nearer > 0.05


def test_limits_are_those_of_clopper_and_pearson() -> None:
    """The share and its limits follow from the rates, and the p-value is the worse of two."""
    result = _found(7, 0.03, 0.003)
    counts = (result.close, 4, result.close_to_reference)
    rate, true, own = (stats.binomtest(k, 4_000).proportion_ci(method="exact") for k in counts)
    chance = max(0.001, result.close_to_reference / 8_000)  # of half as many training rows as reference rows
    lowest, highest = max(true.low, own.low / 2), max(true.high, own.high / 2)
    assert result.chance == 4 / 4_000
    assert result.share == pytest.approx((result.close / 4_000 - chance) / (1 - chance))
    assert result.share_lower == pytest.approx((rate.low - highest) / (1 - highest))
    assert result.share_upper == pytest.approx((rate.high - lowest) / (1 - lowest))
    assert result.p_value == pytest.approx(
        max(binomial_tail(result.close, 4, 1.0), binomial_tail(result.close, result.close_to_reference, 0.5))
    )


def test_only_continuous_columns_count() -> None:
    """Discrete columns, text, entries and rows without a value are left out; without any there is nothing to say."""
    rng = np.random.default_rng(5)
    sides: list[Columns] = [_events(rng, 500, 8) for _ in range(3)]
    for side in sides:
        side["n"] = rng.poisson(3, 500)
        side["t"] = np.full(500, "a")
        side["j"] = Entries(rng.normal(size=500), np.ones(500, int))
        side["c0"] = np.where(rng.random(500) < 0.02, np.nan, side["c0"])
    result = near_copies(sides[0], sides[1], sides[2])
    assert result is not None
    assert result.columns == tuple(f"c{i}" for i in range(COLUMNS))
    assert 450 < result.of < 500
    discrete = [{name: side[name] for name in "ntj"} for side in sides]
    assert near_copies(discrete[0], discrete[1], discrete[2]) is None
    single = [{"c1": side["c1"]} for side in sides]
    assert near_copies(single[0], single[1], single[2]) is None
    few = [{name: side[name][:90] for name in ("c1", "c2")} for side in sides]
    assert near_copies(few[0], few[1], few[2]) is None
    assert near_copies({"a": few[0]["c1"]}, {"b": few[1]["c1"]}, {"c": few[2]["c1"]}) is None


def test_exact_copies_of_everything_have_an_end() -> None:
    """A reference that is the training itself, and a generator that is it too, are close everywhere, by chance."""
    rows = _events(np.random.default_rng(6), 300)
    result = near_copies(rows, rows, rows)
    assert result is not None
    assert (result.share, result.chance) == (0.0, 1.0)
    assert not result.shown

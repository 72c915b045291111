"""Rows that belong together are found in any order, and nothing else is taken for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid import Entries
from pytest_ganvalid.overlaps.pairs import IN_ORDER, LAGS, SHUFFLED, Table, crossings, signs, tables, undeclared_pairs

N = 2_000
Columns = dict[str, Any]


def _normal(rng: np.random.Generator, n: int = N, columns: int = 3) -> Columns:
    return {f"c{i}": rng.normal(size=n) for i in range(columns)}


def _simulated(rng: np.random.Generator, truth: Columns, resolution: float) -> Columns:
    """The same events once more, each column smeared."""
    return {name: values + resolution * rng.normal(size=values.size) for name, values in truth.items()}


@pytest.mark.parametrize("resolution", [0.005, 0.05, 0.2])
def test_pairs_in_order_are_found_in_one_column(resolution: float) -> None:
    """Two simulations of the same events, in the same order, are found by any column of theirs."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        truth = _normal(rng, columns=1)
        pairs = undeclared_pairs(_simulated(rng, truth, resolution), truth)
        assert pairs is not None
        assert (pairs.order, pairs.lag, pairs.columns) == ("in order", 0, ("c0",))
        assert pairs.z > 3 * IN_ORDER
        assert pairs.counted == pytest.approx(N / 3, abs=2)


def test_pairs_of_opposite_sign_are_found() -> None:
    """What rises on one side where it falls on the other is no independent sample either."""
    truth = _normal(np.random.default_rng(2), columns=1)
    pairs = undeclared_pairs({"c0": -truth["c0"]}, truth)
    assert pairs is not None
    assert pairs.z < -IN_ORDER


@pytest.mark.parametrize("lag", [-LAGS, -1, 3, LAGS])
def test_pairs_with_lost_rows_are_found(lag: int) -> None:
    """Rows that are missing at the beginning, or here and there, do not hide the pairs, and it is said how many are."""
    rng = np.random.default_rng(3)
    truth = _normal(rng, columns=1)
    other = _simulated(rng, truth, 0.05)
    cut, whole = (truth, other) if lag > 0 else (other, truth)
    cut = {name: values[abs(lag) :] for name, values in cut.items()}
    sides = (whole, cut) if lag > 0 else (cut, whole)
    pairs = undeclared_pairs(*sides)
    assert pairs is not None
    assert (pairs.order, pairs.lag) == ("in order", lag)
    some = np.delete(np.arange(N), [400, 900, 901, 1_400])
    pairs = undeclared_pairs({"c0": other["c0"][some]}, truth)
    assert pairs is not None
    assert pairs.lag in {0, -1, -3, -4}


def test_shuffled_pairs_are_found_in_two_columns() -> None:
    """Pairs in another order are found by their nearest neighbours, and not in a single column."""
    rng = np.random.default_rng(4)
    truth = _normal(rng, columns=2)
    order = rng.permutation(N)
    other = {name: values[order] for name, values in _simulated(rng, truth, 0.01).items()}
    pairs = undeclared_pairs(other, truth)
    assert pairs is not None
    assert (pairs.order, pairs.columns, pairs.counted) == ("shuffled", ("c0", "c1"), 2 * N)
    assert pairs.z > SHUFFLED
    assert pairs.crossed > pairs.expected == pytest.approx(N, abs=1)
    assert undeclared_pairs({"c0": other["c0"]}, truth) is None


def _sorted(rng: np.random.Generator) -> Columns:
    return {name: np.sort(values) for name, values in {**_normal(rng), "n": rng.poisson(20, N)}.items()}


def _runs(rng: np.random.Generator) -> Columns:
    run = np.arange(N) // 100
    numbers = {"run": run, "row": np.arange(N) % 10, "time": np.linspace(0, 1, N), "id": np.arange(N)}
    return {"x": rng.normal(size=N) + 3 * np.sin(run), "key": rng.permutation(N), **numbers}


def _processes(rng: np.random.Generator) -> Columns:
    first, skewed = np.arange(N) < N // 2, rng.lognormal(0, 2, N)
    flags = rng.random(N) < np.where(first, 0.03, 0.97)
    return {"x": np.where(first, skewed, -skewed), "y": rng.normal(size=N) + 9 * first, "flag": flags}


def _discrete(rng: np.random.Generator) -> Columns:
    return {"one": np.ones(N), "rare": rng.random(N) < 0.003, "n": rng.poisson(2, N), "k": rng.integers(0, 3, N)}


def _undefined(rng: np.random.Generator) -> Columns:
    lost = np.where(rng.random(N) < 0.5, np.nan, rng.normal(size=N))
    return {"nan": np.full(N, np.nan), "some": lost, "inf": np.where(rng.random(N) < 0.5, np.inf, -np.inf)}


def _drifts(rng: np.random.Generator) -> Columns:
    t = np.arange(N) / N
    return {"gain": np.exp(3 * t) * rng.exponential(size=N), "walk": np.cumsum(rng.normal(size=N)), "huge": t * 1e308}


@pytest.mark.parametrize("kind", [_normal, _sorted, _runs, _processes, _discrete, _undefined, _drifts])
def test_independent_rows_are_not_taken_for_pairs(kind: Callable[[np.random.Generator], Columns]) -> None:
    """Sorting, runs, the order of processes, counters, discrete and undefined values and drifts make no pairs."""
    rng = np.random.default_rng(5)
    for _ in range(10):
        assert undeclared_pairs(kind(rng), kind(rng)) is None


def test_other_distributions_are_not_taken_for_pairs() -> None:
    """A generator that is far off, or makes more events, is judged by its histograms."""
    rng = np.random.default_rng(6)
    for factor, n in ((0.1, N), (10, N), (1, 5 * N), (1, N // 10)):
        generated = {name: factor * values for name, values in _normal(rng, n).items()}
        assert undeclared_pairs(generated, _normal(rng)) is None


def test_what_holds_no_numbers_is_left_out() -> None:
    """Text and columns of one side do not count, of several entries the first does; without any there is nothing."""
    rng = np.random.default_rng(7)
    counts = rng.poisson(2, N)
    jets = Entries(rng.exponential(size=counts.sum()), counts)
    texts = {"t": rng.choice(np.array(["a", "b"]), N), "own": rng.normal(size=N)}
    assert undeclared_pairs(texts, {"t": texts["t"]}) is None
    pairs = undeclared_pairs({"j": jets, **texts}, {"j": jets, "t": texts["t"]})
    assert pairs is not None
    assert pairs.columns == ("j",)
    assert undeclared_pairs({"x": np.arange(2.0)}, {"x": np.arange(2.0)}) is None


def test_rows_are_compared_within_their_strata() -> None:
    """What only rises and falls with a condition that both sides share is no pair; what does within it is one."""
    rng = np.random.default_rng(8)
    energy = rng.choice([10.0, 50.0], N)
    sides = [{"x": energy + rng.normal(size=N)} for _ in range(2)]
    strata = [(np.flatnonzero(energy == e), np.flatnonzero(energy == e)) for e in (10.0, 50.0)]
    a, b = sides
    assert undeclared_pairs(a, b) is not None
    assert undeclared_pairs(a, b, strata) is None
    assert undeclared_pairs(_simulated(rng, sides[0], 0.1), sides[0], strata) is not None
    assert undeclared_pairs(a, b, [(np.arange(0), np.arange(0))]) is None


def test_signs_are_those_of_second_differences() -> None:
    """Even steps, but for rounding, and undefined values have no sign."""
    values = np.array([[0.0, 1, 3, 4, 4, 4, np.nan, 1, 1, 0]])
    assert signs(values).tolist() == [[1, -1, -1, 0, 0, 0, 0, -1]]
    for dtype in (np.float32, np.float64):
        steps = np.linspace(0.3, 0.7, 50, dtype=dtype)
        assert not signs(steps[None].astype(float)).any()


def test_a_table_is_that_of_the_signs() -> None:
    """Excess and variance are those of the hypergeometric distribution, and z² is n - 1 times φ²."""
    rng = np.random.default_rng(9)
    ours, theirs = (rng.choice(np.array([-1, 1, 0], np.int8), 90) for _ in range(2))
    table = Table.of(ours[None, None], theirs[None, None])
    some = (ours != 0) & (theirs != 0)
    a, b = ours[some] > 0, theirs[some] > 0
    law = stats.hypergeom(some.sum(), a.sum(), b.sum())
    assert table.triples.item() == some.sum()
    assert table.excess.item() == pytest.approx((a & b).sum() - law.mean())
    assert table.variance.item() == pytest.approx(law.var())
    assert table.z.item() == pytest.approx(np.corrcoef(a, b)[0, 1] * np.sqrt(some.sum() - 1))


def test_windows_are_of_240_rows() -> None:
    """Disjoint triples are counted in windows, all of them, whatever the lag; windows of two tables add up."""
    ours, theirs = (np.ones((2, rows), np.int8) for rows in (500, 700))
    assert tables(ours, theirs, 0).triples.tolist() == [[80, 80, 7]] * 2
    assert tables(ours, theirs, 20).triples.sum() == 2 * 160
    assert tables(ours, theirs, -20).triples.sum() == 2 * 167
    both = tables(ours, theirs, 0).beside(tables(ours, theirs, 0))
    assert both.triples.shape == (2, 6)
    assert both.total().triples.tolist() == [[334]] * 2
    assert not both.z.any()  # signs that are all alike tell nothing


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("decimals", [15, 0])
def test_neighbours_of_independent_rows_have_their_mean_and_variance(share: float, decimals: int) -> None:
    """In samples of one distribution, of any sizes and with ties, z has mean zero and variance one."""
    rng = np.random.default_rng(10)
    z = []
    for _ in range(150):
        sides = [rng.normal(size=(3, n)) for n in (round(400 * share), round(400 * (1 - share)))]
        count, mean, variance = crossings(*(np.round(side, decimals) for side in sides))
        z.append((count - mean) / variance**0.5)
    assert abs(np.mean(z)) < 0.33  # four standard errors
    assert 0.75 < np.std(z) < 1.25

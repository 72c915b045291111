"""The planner against the published table and against what it promises."""

from __future__ import annotations

from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.statistics.planning import allowed_excess, power, required_noncentrality

# Power of a perfect generator with 10 generated events per required one: ndf -> (n_ref/n_required -> power).
TABLE = {
    9: {0.1: 0.068, 0.25: 0.102, 0.5: 0.179, 1: 0.380, 2: 0.739},
    19: {0.1: 0.081, 0.25: 0.148, 0.5: 0.305, 1: 0.657, 2: 0.962},
    49: {0.1: 0.090, 0.25: 0.181, 0.5: 0.400, 1: 0.809, 2: 0.995},
    99: {0.1: 0.091, 0.25: 0.186, 0.5: 0.417, 1: 0.836, 2: 0.998},
}
FOR_90_PERCENT = {9: 2.91, 19: 1.60, 49: 1.21, 99: 1.14}


@pytest.mark.parametrize("ndf", TABLE)
def test_published_table(ndf: int) -> None:
    """The power of a perfect generator is that of the table, to all its digits."""
    excess = allowed_excess(ndf, 0.95, 1.0)
    for ratio, expected in TABLE[ndf].items():
        n_h = 10 * ratio / (10 + ratio)
        assert power(ndf, 2 * n_h * excess, 0.95) == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.parametrize(("ndf", "ratio"), FOR_90_PERCENT.items())
def test_reference_for_90_percent(ndf: int, ratio: float) -> None:
    """The planned reference per required event is that of the table."""
    plan = gv.plan(1_000_000, bins=ndf + 1)
    assert plan.n_reference / 1e6 == pytest.approx(ratio, abs=5.1e-3)
    assert plan.n_generated == 10_000_000


def test_compare_reports_the_planned_power() -> None:
    """Sizes from the planner give a comparison of at least the planned power."""
    plan = gv.plan(1_000, bins=10, power=0.8)
    counts = [[n // 10] * 10 for n in (plan.n_generated, plan.n_reference + 10)]
    assert gv.compare(*counts, n_required=1_000).power == pytest.approx(0.8, abs=5e-3)


def test_several_observables_take_more() -> None:
    """The power is that of all observables together, at least, whatever their correlation."""
    one, eight = gv.plan(10_000, bins=50), gv.plan(10_000, bins=50, observables=8)
    assert eight.n_reference > one.n_reference
    assert eight.power >= 0.9
    single = gv.plan(10_000, bins=50, power=1 - 0.1 / 8)
    assert eight.n_reference == single.n_reference


def test_smallest_plan_that_suffices() -> None:
    """One reference event fewer would miss the power."""
    plan = gv.plan(1_000, bins=20)
    assert plan.power >= 0.9
    excess = allowed_excess(19, 0.95, 1.0)
    n_h = 1 / (1 / plan.n_generated + 1 / (plan.n_reference - 1))
    assert power(19, 2 * n_h * excess / 1_000, 0.95) < 0.9


def test_power_rises_with_noncentrality() -> None:
    """More events never hurt, up to certainty."""
    values = [power(49, x, 0.95) for x in (0, 1, 10, 50, 200, 1e5, 1e9)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0.05)
    assert values[-1] == 1


def test_required_noncentrality_inverts_power() -> None:
    """The noncentrality found has the wanted power."""
    for ndf in (1, 49, 100_000):
        assert power(ndf, required_noncentrality(ndf, 0.9, 0.95), 0.95) == pytest.approx(0.9, abs=1e-8)


def test_table_is_printed() -> None:
    """The table has a line per power and names all settings."""
    text = gv.plan(100_000, bins=50, observables=8, power=0.93).table()
    lines = text.splitlines()
    assert lines[0].startswith(
        "n_required 100,000; 8 observables of 50 bins; 1,000,000 generated events; confidence 0.95"
    )
    assert [line.split()[0] for line in lines[2:]] == ["0.500", "0.800", "0.900", "0.930", "0.950", "0.990"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_required": 0}, "n_required=0 is out of range"),
        ({"bins": 1}, "bins=1 is too small; expected at least 2"),
        ({"bins": 2.0}, "bins=2.0 is a float; expected an integer"),
        ({"observables": 0}, "observables=0"),
        ({"power": 1.0}, "power=1.0"),
        ({"confidence": 0.3}, "confidence=0.3"),
        ({"max_bias": -1}, "max_bias=-1"),
        ({"generated_ratio": 0.5}, "raise generated_ratio"),
    ],
)
def test_impossible_plans(arguments: dict[str, Any], words: str) -> None:
    """Arguments out of range, and too few generated events for any reference, are refused with the remedy."""
    with pytest.raises(gv.GanvalidError, match=words):
        gv.plan(**{"n_required": 1_000, "bins": 50, **arguments})

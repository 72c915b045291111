"""The planner against the published table and against what it promises."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.histograms.layout import Arrangement
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.statistics.planning import events_needed, power_of_each, reference_partner
from pytest_ganvalid.statistics.power import histogram_tests, joint_power

FOR_90_PERCENT = {5: 6.849, 10: 3.010, 50: 3.010, 100: 3.010}  # bins -> reference events per required one


@pytest.mark.parametrize(("bins", "ratio"), FOR_90_PERCENT.items())
def test_reference_for_90_percent(bins: int, ratio: float) -> None:
    """The planned reference per required event is that of the table: from ten bins on it is the same."""
    plan = gv.plan(1_000_000, bins=bins)
    assert plan.n_reference / 1e6 == pytest.approx(ratio, abs=6e-4)
    assert plan.n_generated == 10_000_000


def test_what_is_tested_makes_the_price() -> None:
    """Without smooth components many bins take less, with a limit on the directional bias more; the table says so."""
    usual = gv.plan(1_000, bins=50)
    loose = gv.plan(1_000, bins=50, smooth=False)
    tight = gv.plan(1_000, bins=50, max_directional_bias=2.5)
    assert loose.n_reference < usual.n_reference < tight.n_reference
    assert "; without smooth components" in loose.table().splitlines()[0]
    assert "; max_directional_bias 2.5" in tight.table().splitlines()[0]
    for plan in (usual, loose, tight):
        assert gv.Plan.from_json(plan.to_json()) == plan


def test_compare_reports_the_planned_power() -> None:
    """Sizes from the planner give a comparison of at least the planned power."""
    for bins in (5, 10, 50):
        plan = gv.plan(2_000, bins=bins, power=0.8)
        counts = [gv.Counts([n // bins] * bins) for n in (plan.n_generated, plan.n_reference + bins)]
        assert gv.compare(*counts, n_required=2_000).power == pytest.approx(0.8, abs=5e-3)


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
    degrees, excesses = histogram_tests(19, Arrangement.LINE, 1.0, None)
    n_h = 1 / (1 / plan.n_generated + 1 / (plan.n_reference - 1))
    assert joint_power(degrees, tuple(2 * n_h * excess / 1_000 for excess in excesses), 0.05) < 0.9


def test_table_is_printed() -> None:
    """The table has a line per power and names all settings."""
    text = gv.plan(100_000, bins=50, observables=8, power=0.93).table()
    lines = text.splitlines()
    assert lines[0].startswith(
        "n_required 100,000; 8 observables of 50 bins; 1,000,000 generated events; confidence 0.95"
    )
    assert [line.split()[0] for line in lines[2:]] == ["0.500", "0.800", "0.900", "0.930", "0.950", "0.990"]


def test_estimators_take_about_eleven_times_n_required() -> None:
    """One number per sample takes 10.8 reference events per required event for 90 %, the published figure, or more."""
    plan = gv.plan(100_000, observables=0, estimators=1, generated_ratio=10_000)
    assert plan.n_reference / 100_000 == pytest.approx(10.82, abs=0.02)
    assert plan.least_ratio == pytest.approx((2 * 1.6448536) ** 2)
    assert plan.bins is None
    assert gv.plan(100_000, observables=0, estimators=1, generated_ratio=22).n_reference > 2_000_000


def test_too_few_generated_events_come_with_the_remedy() -> None:
    """The generated_ratio that is advised where the default cannot do gives the reference that is announced."""
    with pytest.raises(gv.InputError) as caught:
        gv.plan(100_000, bins=50, observables=8, estimators=2)
    found = re.search(
        r"above ([\d.]+): ([\d.]+), for example, takes ([\d,]+) generated and ([\d,]+) ref", str(caught.value)
    )
    assert found
    least, ratio = float(found[1]), float(found[2])
    plan = gv.plan(100_000, bins=50, observables=8, estimators=2, generated_ratio=ratio)
    assert (f"{plan.n_generated:,}", f"{plan.n_reference:,}") == (found[3], found[4])
    assert gv.plan(100_000, bins=50, observables=8, estimators=2, generated_ratio=1.001 * least).n_reference
    with pytest.raises(gv.InputError, match="raise that above"):
        gv.plan(100_000, bins=50, observables=8, estimators=2, generated_ratio=0.999 * least)


def test_classifiers_are_tested_on_half_of_the_events() -> None:
    """A classifier alone takes twice the events of a histogram of as many bins, on either side."""
    histogram = gv.plan(100_000, bins=50, generated_ratio=10)
    classifier = gv.plan(100_000, bins=50, observables=0, classifiers=1, generated_ratio=20)
    assert classifier.n_reference == pytest.approx(2 * histogram.n_reference, abs=2)
    assert classifier.power == pytest.approx(histogram.power, abs=1e-5)


@pytest.mark.parametrize("power", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("numbers", [(8, 2, 0), (8, 0, 1), (0, 3, 2), (3, 1, 1), (200, 1, 0)])
def test_mixed_plans_have_the_power_they_promise_and_no_more(numbers: tuple[int, int, int], power: float) -> None:
    """With all kinds together the failures of all add up to 1 - power, and no kind alone needs more events."""
    observables, estimators, classifiers = numbers
    counted: dict[str, Any] = {"observables": observables, "estimators": estimators, "classifiers": classifiers}

    def of(**changed: Any) -> gv.Plan:
        return gv.plan(10_000, bins=20, generated_ratio=100, power=power, **{**counted, **changed})

    plan = of()
    assert plan.power == pytest.approx(power, abs=2e-3)
    assert plan.power >= power - 1e-9
    for kind in ("estimators", "classifiers"):
        if counted[kind]:
            assert of(**{kind: counted[kind] - 1}).n_reference <= plan.n_reference
    assert gv.Plan.from_json(plan.to_json()) == plan


def test_planned_estimators_pass_as_often_as_planned() -> None:
    """Toys of two independent numbers with the planned sizes both pass with the planned power."""
    plan = gv.plan(200, observables=0, estimators=2, generated_ratio=30, power=0.8)
    rng, toys = np.random.default_rng(11), 600
    errors = plan.n_generated**-0.5, plan.n_reference**-0.5

    def passes() -> bool:
        sides = [Estimate(rng.normal(0, error), error, 1 / error**2) for error in errors]
        return compare_estimates(*sides, n_required=200).robust

    both = sum(passes() and passes() for _ in range(toys)) / toys
    assert both == pytest.approx(plan.power, abs=3 * math.sqrt(0.16 / toys) + 0.01)


def test_table_counts_what_is_tested() -> None:
    """The table counts histograms, estimators and classifiers and says what the latter cost."""
    text = gv.plan(100_000, bins=50, observables=8, estimators=2, classifiers=1, generated_ratio=30).table()
    lines = text.splitlines()
    assert "; 8 observables of 50 bins, 2 estimators, 1 classifier of 50 bins; 3,000,000 generated events" in lines[0]
    assert lines[-2].startswith("of these, 13.0 per required event even if any number were generated: estimators")
    assert lines[-1] == "classifiers are trained on one half of each sample and tested on the other"
    assert "estimators" not in gv.plan(100_000, bins=50, observables=8).table()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_required": 0}, "n_required=0 is out of range"),
        ({"bins": 1}, "bins=1 is too small; expected at least 2"),
        ({"bins": 2.0}, "bins=2.0 is a float; expected an integer"),
        ({"observables": 0}, "observables=0, estimators=0 and classifiers=0: a check of nothing demonstrates nothing"),
        ({"observables": -1}, "observables=-1 is too small"),
        ({"estimators": 0.5}, "estimators=0.5 is a float; expected an integer"),
        ({"bins": None}, "bins is missing.* or observables=0 to plan for estimators only"),
        (
            {"estimators": 1},
            "above 10.82: 21.6, for example, takes 21,600 generated and 21,689 reference events",
        ),
        ({"power": 1.0}, "power=1.0"),
        ({"confidence": 0.3}, "confidence=0.3"),
        ({"max_bias": -1}, "max_bias=-1"),
        ({"generated_ratio": 0.5}, "raise that above"),
    ],
)
def test_impossible_plans(arguments: dict[str, Any], words: str) -> None:
    """Arguments out of range, and too few generated events for any reference, are refused with the remedy."""
    with pytest.raises(gv.GanvalidError, match=words):
        gv.plan(**{"n_required": 1_000, "bins": 50, **arguments})


def test_partners_of_a_sample() -> None:
    """Two samples are worth n_g n_r / (n_g + n_r); a sample no larger than that has no partner."""
    assert reference_partner(100, 200) == 200
    assert reference_partner(100, math.inf) == 100
    assert reference_partner(100, 100) == math.inf
    assert reference_partner(100, 99) == math.inf
    assert reference_partner(100, math.nextafter(100, 200)) > 1e15


@pytest.mark.parametrize(
    ("n_generated", "needed"),
    [(math.inf, (100, math.inf)), (200.0, (200, 200)), (199.0, (100 / (1 - 0.2), 500)), (50.0, (125, 500))],
)
def test_the_generated_sample_is_kept_if_twice_the_reference_does(
    n_generated: float, needed: tuple[float, float]
) -> None:
    """The generated sample at hand is kept up to twice the least reference; else it is ten times n_required."""
    found = events_needed(lambda n: reference_partner(100, n), 50, n_generated)
    assert found == pytest.approx(needed)


def test_a_small_n_required_takes_ten_times_the_least_reference() -> None:
    """Where ten times n_required generated events do not do, ten times the least reference does."""
    assert events_needed(lambda n: reference_partner(100, n), 1, 5) == pytest.approx((1000 / 9, 1000))


@pytest.mark.parametrize("bins", [2, 3])
def test_the_least_numbers(bins: int) -> None:
    """Two bins, one event and the ends of power and ratio can be planned for."""
    plan = gv.plan(1, bins=bins, power=math.nextafter(0.05 + 1e-9, 1), generated_ratio=1e6)
    assert plan.bins == bins
    assert plan.n_generated == 1_000_000
    with pytest.raises(gv.InputError, match="bins=1 is too small; expected at least 2"):
        gv.plan(1, bins=1)
    with pytest.raises(gv.InputError, match=r"power=0.05 is out of range"):
        gv.plan(1, bins=bins, power=0.05)


def test_shares_of_the_failures() -> None:
    """Several observables share the failures out evenly."""
    assert power_of_each(0.9, 1) == pytest.approx(0.9)
    assert power_of_each(0.9, 4) == pytest.approx(0.975)


@pytest.mark.parametrize("numbers", [{"bins": 20}, {"observables": 0, "estimators": 1}, {"bins": 20, "estimators": 2}])
def test_looks_are_planned_at_their_level(numbers: dict[str, Any]) -> None:
    """Planned looks take a larger reference at the last, but less than if each had an equal share of the level."""
    # So tight a limit decides on the excess whatever the confidence.
    once, looks, shared = (
        gv.plan(10_000, max_bias=0.5, generated_ratio=1_000, **settings, **numbers)
        for settings in ({}, {"looks": 4}, {"confidence": 0.9875})
    )
    assert once.n_reference < looks.n_reference < shared.n_reference
    assert looks.looks == 4
    assert "; 4 looks" in looks.table()
    assert "looks" not in once.table()
    assert gv.Plan.from_json(looks.to_json()) == looks


@pytest.mark.parametrize("looks", [0, 21, 1.0])
def test_looks_that_cannot_be(looks: Any) -> None:
    """Looks are a whole number from 1 to 20."""
    with pytest.raises((gv.InputError, TypeError), match=f"looks={looks}"):
        gv.plan(10_000, bins=20, looks=looks)

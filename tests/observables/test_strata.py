"""Strata of a condition: each with its events and its share of n_required, none hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, InputTypeError, Sample, Verdict
from pytest_ganvalid.observables.strata import Condition, Stratum, condition_values

N = 16_000
RATES = "energy: rate per stratum"


def calorimeter(
    seed: int, *, n: int = N, wrong_at: float | None = None, energies: tuple[float, ...] = (10, 50)
) -> Sample:
    """Response to incident energies; 5 % off at one of them if wanted."""
    rng = np.random.default_rng(seed)
    energy = rng.choice(energies, n)
    response = rng.normal(1, 0.5 / np.sqrt(energy))
    response[energy == wrong_at] *= 1.05
    return Sample({"energy": energy, "response": response})


def validate(generated: Sample, reference: Sample, n_required: float = 400, **keywords: Any) -> gv.Report:
    """Compare the responses."""
    stated: dict[str, Any] = {"observables": "response", "by": "energy", "bins": 20}
    return gv.validate(generated, reference, n_required=n_required, **(stated | keywords))


# What the user says.


def test_nothing_is_divided_unless_asked_for() -> None:
    """No condition is none, and one that has been read stays what it is."""
    assert Condition.parsed(None) is None
    condition = Condition("e", 3)
    assert Condition.parsed(condition) is condition


@pytest.mark.parametrize(
    ("by", "expected", "chosen"),
    [
        ("e", Condition("e"), True),
        (("e", 3), Condition("e", 3), True),
        (["e", 3], Condition("e", 3), True),
        ({"e": 3}, Condition("e", 3), True),
        (("e", [1.0]), Condition("e", [1.0]), False),
        ({"e": (1.0, 2.0)}, Condition("e", (1.0, 2.0)), False),
        (("e", None), Condition("e"), True),
        (("e", np.int64(3)), Condition("e", 3), True),
    ],
)
def test_ways_to_say_it(by: object, expected: Condition, chosen: bool) -> None:  # noqa: FBT001
    """A name, a pair and a mapping of one name say the same; only edges are not chosen from the events."""
    condition = Condition.parsed(by)
    assert condition == expected
    assert condition is not None
    assert condition.chosen is chosen


@pytest.mark.parametrize(
    "by", [5, ("e", "x"), {"e": "x"}, ("e",), ("e", 1, 2), (1, 2), {}, {"e": 1, "x": 2}, [], {1: 2}]
)
def test_what_is_not_understood(by: object) -> None:
    """Anything else is an error that says what was expected."""
    with pytest.raises(InputTypeError, match=r"by=.* that is not understood; expected a column name, or a pair"):
        Condition.parsed(by)


def test_the_condition_of_an_event() -> None:
    """A condition is one finite number per event, of a column or of a reducing expression."""
    sample = Sample({"e": np.array([1, 2]), "jets": gv.Entries.of([[3.0, 1], [2]]), "bad": np.array([np.nan, 1.0])})
    assert condition_values(sample, "e", "reference").tolist() == [1, 2]
    assert Condition("sum(jets)").values(sample, "reference").tolist() == [4, 2]
    with pytest.raises(InputError, match="reference: the condition 'jets' has several entries per event; expected one"):
        condition_values(sample, "jets", "reference")
    with pytest.raises(InputError, match="reference: the condition 'bad' is NaN or infinite in 1 of 2 events; mend"):
        condition_values(sample, "bad", "reference")
    with pytest.raises(InputTypeError, match=r"column .e. has dtype <U1; expected real numbers"):
        condition_values(Sample({"e": np.array(["a"])}), "e", "reference")


# Shares.


def stratum(generated: int, reference: int, share_generated: float, share_reference: float) -> Stratum:
    """A bin of a condition."""
    return Stratum(
        label="e = 1",
        n_generated=generated,
        n_reference=reference,
        share_generated=share_generated,
        share_reference=share_reference,
    )


def test_names() -> None:
    """A stratum is named beside the observable, and the only one is not."""
    assert stratum(1, 1, 0.5, 0.5).name("x") == "x | e = 1"
    only = Stratum(label="", n_generated=3, n_reference=4)
    assert (only.name("x"), only.share, only.used) == ("x", 1.0, (1.0, 1.0))


@pytest.mark.parametrize(
    ("numbers", "share"),
    [
        ((20, 20, 0.2, 0.1), 0.1),  # within what chance does
        ((10_000, 10_000, 0.2, 0.1), 0.2),
        ((10_000, 10_000, 0.05, 0.1), 0.1),
        ((10_000, 10_000, 0.1, 0.1), 0.1),
    ],
)
def test_the_share_is_that_of_the_reference_unless_clearly_more_are_generated(
    numbers: tuple[int, int, float, float], share: float
) -> None:
    """A stratum that is rare in the reference does not excuse most of the events generated; chance changes nothing."""
    found = stratum(*numbers)
    assert found.share == share
    assert found.used == numbers[2:]


def test_five_standard_errors_are_clear() -> None:
    """The share of the generated sample counts from five standard errors of the difference on."""
    p, n = 0.1, 10_000
    noise = np.sqrt(p * (1 - p) * (p + p) / n)  # of the smaller share of both
    assert stratum(n, n, p + 4.5 * noise, p).share == p
    assert stratum(n, n, p + 5.5 * noise, p).share > p


@pytest.mark.parametrize(
    ("numbers", "got"),
    [
        ((0, 5, 0.0, 0.5), "0 generated and 5 reference events"),
        ((5, 0, 0.5, 0.0), "5 generated and 0 reference events"),
        ((5, 1_005, 0.5, -0.1), r"5 generated and 1,005 reference events \(-0.1 of the weight\)"),
        ((5, 5, 0.0, 0.5), r"\(0 of the weight\)"),
    ],
)
def test_a_stratum_of_one_side_is_refused(numbers: tuple[int, int, float, float], got: str) -> None:
    """A stratum without events on either side, or whose weights cancel, is an error that says what to do."""
    with pytest.raises(
        InputError, match=f"stratum e = 1 has .*{got}.*expected events on both sides: choose other bins"
    ):
        stratum(*numbers)


# Whole checks.


def test_a_stratum_that_is_rare_in_the_reference_excuses_nothing() -> None:
    """Where most generated events lie in a stratum, it answers for them, however rare it is in the reference."""
    generated = calorimeter(1, wrong_at=50, energies=(10, *[50] * 19))
    reference = calorimeter(2, energies=(*[10] * 19, 50))
    report = validate(generated, reference, 2_000)
    assert all(comparison.share > 0.9 for comparison in report.comparisons.values())
    assert RATES in report.comparisons
    assert report.verdict is Verdict.BIASED
    assert report.n_required == 2_000


def test_the_condition_is_compared_only_if_asked_for() -> None:
    """By default the column that divides the events is left out, and the report says so."""
    report = validate(calorimeter(1), calorimeter(2), observables=None)
    assert list(report.comparisons) == ["response | energy = 10", "response | energy = 50", RATES]
    assert report.skipped == {"energy": "divides the events into strata"}


def test_each_stratum_answers_for_its_share() -> None:
    """n_required is divided in proportion, every observable is compared in every stratum, and the report names both."""
    report = validate(calorimeter(1), calorimeter(2))
    assert list(report.comparisons) == ["response | energy = 10", "response | energy = 50", RATES]
    strata = {name: c for name, c in report.comparisons.items() if name != RATES}
    assert sum(c.n_required for c in strata.values()) == pytest.approx(400)
    assert report.n_required == 400
    assert report.robust
    assert report.provenance["strata"] == {name.partition(" | ")[2]: c.share for name, c in strata.items()}
    assert gv.Report.from_json(report.to_json()) == report


def test_a_generator_wrong_in_one_stratum_is_caught_there() -> None:
    """What is wrong at one energy is BIASED there and ROBUST elsewhere."""
    report = validate(calorimeter(1, wrong_at=50), calorimeter(2), 800)
    assert report.verdict is Verdict.BIASED
    assert report.comparisons["response | energy = 10"].verdict is Verdict.ROBUST
    assert report.comparisons["response | energy = 50"].verdict is Verdict.BIASED


def test_other_frequencies_of_the_condition_are_no_bias() -> None:
    """A conditional generator may be asked for other shares of the conditions than the reference has."""
    generated, reference = calorimeter(1, energies=(10, 50, 50, 50)), calorimeter(2)
    report = validate(generated, reference, by=Condition("energy", imposed=True))
    assert report.robust
    assert RATES not in report.comparisons
    assert "not compared: it is said to be imposed on the generated events" in report.notes[0]
    assert validate(generated, reference).comparisons[RATES].verdict is Verdict.BIASED


def test_advice_counts_events_of_the_whole_sample() -> None:
    """The events needed are those of the whole sample, of which a stratum gets its share."""
    whole, half = (
        next(iter(validate(calorimeter(1), calorimeter(2), by=by).comparisons.values())).n_reference_needed
        for by in (None, "energy")
    )
    assert half == pytest.approx(whole, rel=0.25)  # two strata must pass together, so a little more


@pytest.mark.parametrize(
    ("by", "error", "match"),
    [
        ("nothing", InputError, "generated: there is no column 'nothing'; there are"),
        (("energy", [30, 40]), InputError, r"stratum energy .* has 0 generated and"),
        (("energy", 1), InputError, "bins=1 compares nothing"),
        ("jets", InputError, "several entries per event"),
        ("bad", InputError, "is NaN or infinite in 1 of 4"),
    ],
)
def test_conditions_that_are_refused(by: object, error: type[gv.GanvalidError], match: str) -> None:
    """Unknown columns, one-sided strata and conditions without a value are errors that say what was expected."""
    columns = {
        "response": np.arange(4.0),
        "jets": gv.Entries.of([[1], [2], [], [3]]),
        "bad": np.array([1, 2, 3, np.nan]),
    }
    generated = Sample({"energy": np.array([20.0, 20, 50, 50]), **columns})
    reference = Sample({"energy": np.array([20.0, 35, 50, 50]), **columns})
    with pytest.raises(error, match=match):
        validate(generated, reference, by=by, bins=[1.0])

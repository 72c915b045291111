"""Strata of a condition: each with its events and its share of n_required, none hidden."""

from __future__ import annotations

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, InputTypeError, Sample, Verdict
from pytest_ganvalid.strata import strata

N = 40_000


def calorimeter(
    seed: int, *, n: int = N, wrong_at: float | None = None, energies: tuple[float, ...] = (10, 50)
) -> Sample:
    """Response to incident energies; 2 % off at one of them if wanted."""
    rng = np.random.default_rng(seed)
    energy = rng.choice(energies, n)
    response = rng.normal(1, 0.5 / np.sqrt(energy))
    response[energy == wrong_at] *= 1.05
    return Sample({"energy": energy, "response": response})


def test_without_a_condition_there_is_one_stratum() -> None:
    """Nothing is divided unless asked for."""
    sample = calorimeter(1)
    (only,) = strata(None, sample, sample)
    assert (only.label, only.share, len(only.generated)) == ("", 1.0, N)
    assert only.name("x") == "x"


def test_few_values_are_a_stratum_each() -> None:
    """A column of discrete energies is divided by value, and the shares are the reference's."""
    generated, reference = calorimeter(1), calorimeter(2, energies=(10, 10, 50))
    found = strata("energy", generated, reference)
    assert [stratum.label for stratum in found] == ["energy = 10", "energy = 50"]
    assert found[0].share == np.mean(reference["energy"] == 10)
    assert found[0].used == (np.mean(generated["energy"] == 10), found[0].share)
    assert set(found[1].generated["energy"]) == {50}


def test_shares_are_of_weight() -> None:
    """The share of a stratum is that of the reference's weight, not of its events."""
    reference = Sample({"e": np.array([1.0, 1, 1, 2])}, np.array([1.0, 1, 1, 3]))
    assert [stratum.share for stratum in strata("e", reference, reference)] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        (("x", [0.25, 0.75]), ["x < 0.25", "x in [0.25, 0.75)", "x >= 0.75"]),
        ({"x": [0.5]}, ["x < 0.5", "x >= 0.5"]),
        (("x", 2), ["x < 0.5", "x >= 0.5"]),
    ],
)
def test_bins_of_a_condition(by: object, labels: list[str]) -> None:
    """Edges cut the condition with what lies below and above, and a number cuts it at quantiles of the reference."""
    sample = Sample({"x": np.linspace(0, 1, 1001)})
    assert [stratum.label for stratum in strata(by, sample, sample)] == labels


def test_a_stratum_that_is_rare_in_the_reference_excuses_nothing() -> None:
    """Where most generated events lie in a stratum, it answers for them, however rare it is in the reference."""
    generated = calorimeter(1, wrong_at=50, energies=(10, *[50] * 19))
    reference = calorimeter(2, energies=(*[10] * 19, 50))
    found = strata("energy", generated, reference)
    assert all(stratum.share > 0.9 for stratum in found)
    report = gv.validate(generated, reference, n_required=2_000, observables="response", by="energy", bins=20)
    assert report.verdict is Verdict.BIASED
    assert report.n_required == 2_000


def test_the_condition_is_compared_only_if_asked_for() -> None:
    """By default the column that divides the events is left out, and the report says so."""
    report = gv.validate(calorimeter(1), calorimeter(2), n_required=500, by="energy", bins=20)
    assert list(report.comparisons) == ["response | energy = 10", "response | energy = 50"]
    assert report.provenance["skipped_columns"] == {"energy": "divides the events into strata"}


def test_a_continuous_condition_has_five_strata() -> None:
    """Without bins a continuous condition is cut into five equal parts of the reference."""
    sample = Sample({"x": np.random.default_rng(1).random(1000)})
    found = strata("x", sample, sample)
    assert [len(stratum.reference) for stratum in found] == [200] * 5


def test_each_stratum_answers_for_its_share() -> None:
    """n_required is divided in proportion, every observable is compared in every stratum, and the report names both."""
    report = gv.validate(calorimeter(1), calorimeter(2), n_required=1_000, observables="response", by="energy", bins=20)
    assert list(report.comparisons) == ["response | energy = 10", "response | energy = 50"]
    assert sum(c.n_required for c in report.comparisons.values()) == pytest.approx(1_000)
    assert report.n_required == 1_000
    assert report.robust
    assert report.provenance["strata"] == {name.partition(" | ")[2]: c.share for name, c in report.comparisons.items()}
    assert gv.Report.from_json(report.to_json()) == report


def test_a_generator_wrong_in_one_stratum_is_caught_there() -> None:
    """What is wrong at one energy is BIASED there and ROBUST elsewhere."""
    found = gv.validate(
        calorimeter(1, wrong_at=50), calorimeter(2), n_required=2_000, observables="response", by="energy", bins=20
    )
    assert found.verdict is Verdict.BIASED
    assert found.comparisons["response | energy = 10"].verdict is Verdict.ROBUST
    assert found.comparisons["response | energy = 50"].verdict is Verdict.BIASED


def test_other_frequencies_of_the_condition_are_no_bias() -> None:
    """A conditional generator may be asked for other shares of the conditions than the reference has."""
    generated = calorimeter(1, energies=(10, 50, 50, 50))
    assert gv.validate(generated, calorimeter(2), n_required=1_000, observables="response", by="energy", bins=20).robust


def test_advice_counts_events_of_the_whole_sample() -> None:
    """The events needed are those of the whole sample, of which a stratum gets its share."""
    sizes = [
        gv.validate(calorimeter(1), calorimeter(2), n_required=1_000, observables="response", by=by, bins=20)
        for by in (None, "energy")
    ]
    whole, half = (next(iter(report.comparisons.values())).n_reference_needed for report in sizes)
    assert half == pytest.approx(whole, rel=0.25)  # two strata must pass together, so a little more


@pytest.mark.parametrize(
    ("by", "error", "match"),
    [
        (5, InputTypeError, "by=5 is a int that is not understood; expected a column name"),
        (("energy", "response"), InputTypeError, "expected a column name, or a pair"),
        ("nothing", InputError, "there is no column 'nothing'; there are"),
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
        strata(by, generated, reference)

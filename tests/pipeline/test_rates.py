"""Rates of the bins of a condition: compared, unless the generated events show that it was imposed on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, Verdict
from pytest_ganvalid.observables import Condition
from pytest_ganvalid.pipeline.rates import _ODDS

Table = dict[str, Any]
NAME = "e: rate per stratum"
COMPARED, EXACT, MULTIPLES = None, "more closely than independent samples", "are multiples of"


def events(seed: int, energies: Any) -> Table:
    """A response at some energies, and weights."""
    rng = np.random.default_rng(seed)
    e = rng.permutation(np.asarray(energies, float))
    return {"x": rng.normal(size=e.size), "e": e, "w": rng.normal(1, 0.5, e.size)}


def drawn(seed: int, n: int, *shares: float) -> Table:
    """Events at energies 1, 2, ... drawn at random."""
    rng = np.random.default_rng(seed)
    return events(seed + 1_000, rng.choice(np.arange(1.0, len(shares) + 1), n, p=shares))


def validate(generated: object, reference: object, **keywords: Any) -> gv.Report:
    """Compare the responses."""
    stated: dict[str, Any] = {"n_required": 200, "observables": ["x"], "by": "e", "bins": 4}
    return gv.validate(generated, reference, **(stated | keywords))


def reason(report: gv.Report) -> str | None:
    """Why the rates were not compared; ``None`` if they were."""
    notes = [note for note in report.notes if "how often the bins of 'e' occur is not compared" in note]
    assert len(notes) == (NAME not in report.comparisons)
    return notes[0] if notes else None


REFERENCE = drawn(1, 6_000, 0.5, 0.3, 0.2)
CHOICES: dict[str, tuple[Table, str | None]] = {
    "drawn from the truth": (drawn(2, 6_000, 0.5, 0.3, 0.2), COMPARED),
    "drawn otherwise": (drawn(2, 6_000, 0.3, 0.3, 0.4), COMPARED),
    "the reference's": (events(3, REFERENCE["e"]), EXACT),
    "each of the reference's three times": (events(3, np.repeat(REFERENCE["e"], 3)), EXACT),
    "all but a few of the reference's": (events(3, REFERENCE["e"][:5_997]), EXACT),
    "as many at each": (events(3, np.repeat([1, 2, 3], 700)), MULTIPLES),
    "round numbers": (events(3, np.repeat([1, 2, 3], [3_000, 2_000, 200])), MULTIPLES),
    "no round numbers": (events(3, np.repeat([1, 2, 3], [3_001, 2_000, 200])), COMPARED),
}


@pytest.mark.parametrize("how", CHOICES)
@pytest.mark.parametrize("road", ["arrays", "filled"])
def test_what_was_imposed_is_not_compared(how: str, road: str) -> None:
    """Conditions of the reference, in equal or in round numbers, are seen to be imposed on every road, and noted."""
    expected = CHOICES[how][1]
    keywords: dict[str, Any] = {}
    generated: Any = CHOICES[how][0]
    reference: Any = REFERENCE
    if road == "filled":
        reference = gv.fill(REFERENCE, observables=["x"], by="e", bins=4)
        generated, keywords = gv.fill(generated, like=reference), {"observables": None, "by": None, "bins": 50}
    found = reason(validate(generated, reference, **keywords))
    assert (found is None) if expected is None else (found is not None and expected in found)


def test_a_generator_of_wrong_rates_is_caught() -> None:
    """Too many events in a stratum are BIASED where every distribution within is right, and a note tells the remedy."""
    report = validate(drawn(2, 6_000, 0.3, 0.3, 0.4), REFERENCE)
    assert [name for name, c in report.comparisons.items() if c.verdict is Verdict.BIASED] == [NAME]
    assert report.comparisons[NAME].share == 1
    assert any("say so: by=Condition('e', imposed=True)" in note for note in report.notes)
    fair = validate(drawn(2, 6_000, 0.5, 0.3, 0.2), REFERENCE, n_required=50)
    assert fair.robust
    assert not any("imposed" in note for note in fair.notes)


@pytest.mark.parametrize("road", ["arrays", "filled"])
def test_the_user_may_say_what_is_imposed(road: str) -> None:
    """A condition that is said to be imposed is not compared, and both sides must have been filled so."""
    by, generated = Condition("e", imposed=True), drawn(2, 6_000, 0.3, 0.3, 0.4)
    if road == "arrays":
        found = reason(validate(generated, REFERENCE, by=by))
    else:
        reference = gv.fill(REFERENCE, observables=["x"], by=by, bins=[0.0])
        reference = gv.Histograms.from_json(reference.to_json())
        found = reason(gv.validate(gv.fill(generated, like=reference), reference, n_required=200))
        other = gv.fill(generated, observables=["x"], by="e", bins=[0.0])
        with pytest.raises(InputError, match="imposed on the generated events by one of them only"):
            gv.validate(other, reference, n_required=200)
    assert found is not None
    assert "it is said to be imposed" in found


def test_weights_count() -> None:
    """Rates are those of the weights, with the errors of weighted sums, as a histogram of the condition has them."""
    sides = drawn(2, 6_000, 0.5, 0.3, 0.2), REFERENCE
    edges = [1.5, 2.5]
    rates = validate(*sides, weight="w", by=("e", edges)).comparisons[NAME]
    column = gv.validate(*sides, n_required=200, observables=["e"], weight="w", bins=edges).comparisons["e"]
    assert isinstance(rates, gv.Comparison)
    assert isinstance(column, gv.Comparison)
    assert rates.contents == column.contents
    assert rates.separation == column.separation


def test_one_bin_has_no_rate() -> None:
    """A condition with events in one bin only has no rates to compare, and nothing is said."""
    report = validate(events(1, np.full(900, 5.0)), events(2, np.full(800, 5.0)))
    assert list(report.comparisons) == ["x | e = 5"]
    assert not any("occur" in note for note in report.notes)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.7, 0.3), (0.4, 0.3, 0.3), (0.2,) * 5])
def test_chance_hardly_ever_looks_like_a_choice(shares: tuple[float, ...]) -> None:
    """Of independent samples of round sizes, hardly 1 in 100 has a common divisor that is taken for a choice."""
    rng = np.random.default_rng(7)
    for n in (12_000, 100_000, 720_720):
        numbers = rng.multinomial(n, shares, 40_000)
        common = np.gcd.reduce(numbers, axis=1).astype(float)
        assert np.mean(common ** (len(shares) - 1) >= _ODDS) < 0.012


def test_rates_of_clusters_are_not_compared() -> None:
    """Rows of one input share its condition, so that there are fewer independent ones: a note says so."""
    inputs = np.random.default_rng(4).choice([1.0, 2.0, 3.0], 200, p=[0.5, 0.3, 0.2])
    generated = events(5, np.repeat(inputs, 30))
    generated["id"] = np.argsort(np.argsort(generated["e"], kind="stable"), kind="stable") // 30
    assert NAME in validate(generated, REFERENCE).comparisons
    found = reason(validate(generated, REFERENCE, cluster="id"))
    assert found is not None
    assert found.endswith("rows are in clusters, so that the errors of those numbers are not known")

"""Every flaw does exactly what it says and nothing else, and is caught when it is large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.generators import Bootstrap, DropRegion, Shift, Shuffle, Smear
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.toys import CamelBack

TOY = CamelBack()


class _Weighted:
    """A source of weighted events with two columns."""

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw events."""
        rng = np.random.default_rng(seed)
        return Sample({"x": rng.normal(size=n), "y": rng.normal(size=n)}, rng.exponential(size=n), {"source": "mine"})


FLAWS: list[Any] = [Shift(_Weighted(), "x", 0.5), Smear(_Weighted(), "x", 0.5), DropRegion(_Weighted(), "x", 0.0, 1.0)]


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: type(flaw).__name__)
def test_reproducible(flaw: Any) -> None:
    """The same seed gives the same flawed events, another seed others; the flaw is told in the provenance."""
    first, again, other = (flaw.sample(1_000, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first["x"], again["x"])
    assert not np.array_equal(first["x"], other["x"])
    assert len(first) == 1_000
    assert list(first.columns) == ["x", "y"]
    assert first.weight.shape == (1_000,)
    assert first.provenance["source"] == "mine"
    assert "x" in first.provenance["flaw"]


def test_shift() -> None:
    """A shift adds the constant to one column and leaves everything else alone."""
    source, shifted = _Weighted().sample(100, seed=1), FLAWS[0].sample(100, seed=1)
    np.testing.assert_array_equal(shifted["x"], source["x"] + 0.5)
    np.testing.assert_array_equal(shifted["y"], source["y"])
    np.testing.assert_array_equal(shifted.weight, source.weight)


def test_smear() -> None:
    """Smearing adds independent normal noise of the stated variance to one column only."""
    source, smeared = _Weighted().sample(100_000, seed=1), FLAWS[1].sample(100_000, seed=1)
    noise = smeared["x"] - source["x"]
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.var() == pytest.approx(0.25, rel=0.02)
    assert np.mean(noise**4) == pytest.approx(3 * 0.5**4, rel=0.05)
    assert abs(np.corrcoef(noise, source["x"])[0, 1]) < 0.01
    assert smeared["x"].var() == pytest.approx(1.25, rel=0.02)
    np.testing.assert_array_equal(smeared["y"], source["y"])
    np.testing.assert_array_equal(smeared.weight, source.weight)


def test_smearing_twice() -> None:
    """The noises of two smearings, of one column or of two, are independent of each other."""
    source = _Weighted().sample(100_000, seed=1)
    twice = Smear(Smear(_Weighted(), "x", 0.3), "x", 0.4).sample(100_000, seed=1)
    assert (twice["x"] - source["x"]).var() == pytest.approx(0.25, rel=0.02)
    both = Smear(Shift(Smear(_Weighted(), "x", 0.3), "x", 0.0), "y", 0.3).sample(100_000, seed=1)
    assert abs(np.corrcoef(both["x"] - source["x"], both["y"] - source["y"])[0, 1]) < 0.01


@pytest.mark.parametrize(("low", "high"), [(-3.0, 1.0), (4.0, np.inf), (-np.inf, -4.0), (3.9, 4.1)])
def test_dropped_regions(low: float, high: float) -> None:
    """The region is empty, and all other bins keep their exact proportions."""
    edges = sorted({-6.0, -5.0, -4.0, -3.0, 0.0, 1.0, 3.9, 4.0, 4.1, 5.0, 6.0})
    p = TOY.bin_probabilities(edges)
    ends = np.array([-np.inf, *edges, np.inf])
    p[(ends[:-1] >= low) & (ends[1:] <= high)] = 0
    sample = DropRegion(TOY, "x", low, high).sample(100_000, seed=1)
    assert not np.any((sample["x"] >= low) & (sample["x"] < high))
    counts = np.histogram(sample["x"], ends)[0]
    expected = 100_000 * p / p.sum()
    assert np.all(counts[p == 0] == 0)
    pulls = (counts - expected)[p > 0] / np.sqrt(expected[p > 0])
    assert pulls @ pulls < 35  # 99.99 % for 10 degrees of freedom
    assert len(sample) == 100_000


def test_the_ends_of_a_region() -> None:
    """A region holds its lower end and not its upper end."""
    source = Bootstrap({"x": np.array([0.0, 1.0, 2.0])})
    assert set(DropRegion(source, "x", 0.0, 1.0).sample(200, seed=1)["x"]) == {1.0, 2.0}


class _Correlated:
    """A source of three columns, each with much to do with the others."""

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw events."""
        x = np.random.default_rng(seed).normal(size=n)
        return Sample({"x": x, "y": 2 * x, "z": x**3}, provenance={"source": "mine"})


@pytest.mark.parametrize("columns", [None, ("x", "y", "z"), ("x",), ("z", "y"), ()])
def test_shuffling(columns: tuple[str, ...] | None) -> None:
    """Every column keeps exactly its values, and those shuffled have nothing to do with any other."""
    source = _Correlated().sample(10_000, seed=1)
    shuffled = Shuffle(_Correlated(), columns).sample(10_000, seed=1)
    moved = set("xyz" if columns is None else columns)
    assert list(shuffled.columns) == ["x", "y", "z"]
    assert shuffled.provenance["source"] == "mine"
    assert "shuffled" in shuffled.provenance["flaw"]
    for name, values in shuffled.columns.items():
        np.testing.assert_array_equal(np.sort(values), np.sort(source[name]))
        assert np.array_equal(values, source[name]) == (name not in moved)
        for other in set("xyz") - {name}:
            correlation = np.corrcoef(values, shuffled[other])[0, 1]
            assert abs(correlation) < 0.05 if moved & {name, other} else correlation > 0.7


def test_shuffling_is_reproducible() -> None:
    """The same seed shuffles alike, another seed and a second shuffling do not."""
    first, again, other = (Shuffle(_Correlated()).sample(500, seed=seed)["x"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    twice = Shuffle(Shuffle(_Correlated())).sample(500, seed=1)["x"]
    assert np.corrcoef(np.argsort(np.argsort(first)), np.argsort(np.argsort(twice)))[0, 1] < 0.2


def test_a_shuffled_source_is_right_in_each_column_and_wrong_in_both() -> None:
    """Checks of single columns pass a shuffled source, and a check of the pair says BIASED."""
    generated = Shuffle(_Correlated()).sample(100_000, seed=1)
    reference = _Correlated().sample(40_000, seed=2)
    report = gv.validate(generated, reference, n_required=10_000, observables=["x", "y", "z", ("x", "z")])
    assert [c.verdict.value for c in report.comparisons.values()] == ["ROBUST"] * 3 + ["BIASED"]


def test_flaws_of_integers() -> None:
    """A shift of an integer column is not rounded."""
    source = Bootstrap({"n": np.array([1, 2, 3], dtype=np.uint8)})
    assert set(Shift(source, "n", -1.5).sample(200, seed=1)["n"]) == {-0.5, 0.5, 1.5}


@pytest.mark.parametrize(
    ("flaw", "shown"),
    [
        (TOY, "ROBUST"),
        (Shift(TOY, "x", 0.0), "ROBUST"),
        (Smear(TOY, "x", 0.0), "ROBUST"),
        (DropRegion(TOY, "x", 100.0, np.inf), "ROBUST"),
        (Shift(TOY, "x", 0.3), "BIASED"),
        (Shift(TOY, "x", -0.3), "BIASED"),
        (Smear(TOY, "x", 0.7), "BIASED"),
        (DropRegion(TOY, "x", 0.0, np.inf), "BIASED"),
        (DropRegion(TOY, "x", 5.0, np.inf), "BIASED"),
        (DropRegion(TOY, "x", 3.9, 4.1), "BIASED"),
    ],
    ids=repr,
)
def test_large_flaws_are_biased_and_none_is_robust(flaw: Any, shown: str) -> None:
    """A check says BIASED to every large flaw, and ROBUST to the unflawed source and to flaws of size zero."""
    generated, reference = flaw.sample(100_000, seed=1), TOY.sample(40_000, seed=2)
    assert gv.validate(generated, reference, n_required=10_000).verdict.value == shown


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: type(flaw).__name__)
@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n": 0, "seed": 1}, InputError, "n=0 is too small"),
        ({"n": 5, "seed": -1}, InputError, "seed=-1 is too small"),
        ({"n": 5, "seed": 0.5}, InputTypeError, "seed=0.5 is a float"),
    ],
)
def test_impossible_requests(flaw: Any, arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """A flaw refuses what any source refuses."""
    fields = {name: getattr(flaw, name) for name in type(flaw).__slots__ if name != "source"}
    with pytest.raises(error, match=text):
        type(flaw)(source=TOY, **fields).sample(**arguments)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Shift(TOY, "x", np.nan), InputError, "by is NaN"),
        (lambda: Shift(TOY, "x", "far"), InputTypeError, "by='far' is a str"),  # type: ignore[arg-type]
        (lambda: Smear(TOY, "x", -1.0), InputError, "width=-1.0 is out of range"),
        (lambda: Smear(TOY, "x", np.inf), InputError, "width=inf is out of range"),
        (lambda: DropRegion(TOY, "x", 1.0, 1.0), InputError, "region from 1 to 1 is empty; expected low < high"),
        (lambda: DropRegion(TOY, "x", 2.0, 1.0), InputError, "region from 2 to 1 is empty"),
        (lambda: DropRegion(TOY, "x", np.nan, 1.0), InputError, "low is NaN"),
        (lambda: Shift(TOY, "z", 1.0).sample(5, seed=1), InputError, r"no column 'z'; there are \['x'\]"),
        (lambda: Smear(TOY, "z", 1.0).sample(5, seed=1), InputError, "no column 'z'"),
        (lambda: DropRegion(TOY, "z", 0.0, 1.0).sample(5, seed=1), InputError, "no column 'z'"),
        (lambda: Shuffle(TOY, ("x", "z")).sample(5, seed=1), InputError, "no column 'z'"),
        (lambda: Shuffle(_Weighted()).sample(5, seed=1), InputError, "events are weighted: .*unweight them first"),
        (
            lambda: DropRegion(TOY, "x", -1e9, 1e9).sample(5, seed=1),
            InputError,
            "hardly any event outside .*narrow the region",
        ),
    ],
)
def test_impossible_flaws(make: Any, error: type[Exception], text: str) -> None:
    """Flaws without a size, columns that do not exist and sources without a remainder are refused."""
    with pytest.raises(error, match=text):
        make()


class _Counting:
    """A source of events at 0, that counts how often it was asked."""

    calls = 0

    def sample(self, n: int, *, seed: int) -> Sample:
        """Give events at 0."""
        self.calls += 1
        return Sample({"x": np.zeros(n)}, provenance={"source": str(seed)})


def test_a_region_with_everything_in_it_is_given_up() -> None:
    """A source without an event outside the region is asked for a hundred events, a hundred times and once more."""
    source = _Counting()
    with pytest.raises(InputError, match="hardly any event outside -1 <= x < 1; narrow the region"):
        DropRegion(source, "x", -1.0, 1.0).sample(5, seed=1)
    assert source.calls == 101

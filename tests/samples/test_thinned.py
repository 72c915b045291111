"""Copies are found in samples too long to be compared row by row, and independent ones raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.samples import Sample, thinning
from pytest_ganvalid.samples.fingerprint import Fingerprint, fingerprint, near
from pytest_ganvalid.samples.independence import check_independence
from pytest_ganvalid.samples.overlaps import Independence, Overlap
from pytest_ganvalid.samples.thinned import check_thinned

Table = dict[str, Any]
SIZE, N, CHUNK = 2_000, 20_000, 3_000
TOYS = 300


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few thousand rows be many."""
    monkeypatch.setattr(thinning, "SIZE", SIZE)


def _normal(rng: np.random.Generator, n: int) -> Table:
    x, y = rng.normal(size=(2, n))
    return {"x": x, "y": np.exp(x + y), "n": rng.poisson(3, n)}


def _single(rng: np.random.Generator, n: int) -> Table:
    return {name: values.astype(np.float32) for name, values in _normal(rng, n).items()}


def _counts(rng: np.random.Generator, n: int) -> Table:
    return {"a": rng.poisson(30, n), "b": rng.poisson(20, n), "c": rng.integers(0, 20, n)}


def _suppressed(rng: np.random.Generator, n: int) -> Table:
    return {f"cell{i}": rng.exponential(size=n) * (rng.random(n) < 0.3) for i in range(4)}


def _decimals(rng: np.random.Generator, n: int) -> Table:
    return {"x": np.round(rng.normal(size=n), 3), "y": np.round(rng.normal(size=n), 2)}


def _labelled(rng: np.random.Generator, n: int) -> Table:
    return {"x": rng.normal(size=n), "file": rng.integers(0, 4, n), "event": rng.integers(0, 2**40, n)}


KINDS: dict[str, Callable[[np.random.Generator, int], Table]] = {
    "floats": _normal,
    "single": _single,
    "counts": _counts,
    "zero suppression": _suppressed,
    "decimals": _decimals,
    "labelled": _labelled,
}


def _chunks(table: Table) -> list[Sample]:
    sample = Sample(table)
    return [sample.select(np.arange(i, min(i + CHUNK, len(sample)))) for i in range(0, len(sample), CHUNK)]


def _check(generated: Table, reference: Table, training: Table | Fingerprint | None = None) -> Independence:
    """Do what a check of streamed events does."""
    heads = [Sample({name: values[:1_000] for name, values in table.items()}) for table in (generated, reference)]
    how = thinning.thinning(
        heads[0], heads[1], max(len(generated["x" if "x" in generated else next(iter(generated))]), N)
    )
    assert how is not None
    kept = [reduce(add, [how.rows(chunk) for chunk in _chunks(table)]) for table in (generated, reference)]
    known = training if isinstance(training, Fingerprint | None) else Sample(training)
    close: dict[str, Any] = {}
    if isinstance(training, Fingerprint):
        for side, table in (("generated", generated), ("reference", reference)):
            spreads = [near(chunk, training) for chunk in _chunks(table)]
            close[side] = reduce(add, [one for one in spreads if one is not None])
    return check_thinned(kept[0], kept[1], known, close, how)


def _overlap(found: Independence, first: str, second: str) -> Overlap:
    (one,) = (overlap for overlap in found.overlaps if overlap.sides == (first, second))
    return one


def _copied(rng: np.random.Generator, into: Table, source: Table, rows: int) -> Table:
    """Replace some rows by rows of another table, in another order."""
    to = rng.permutation(len(next(iter(into.values()))))[:rows]
    taken = rng.permutation(len(next(iter(source.values()))))[:rows]
    found = {name: values.copy() for name, values in into.items()}
    for name, values in found.items():
        values[to] = source[name][taken]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_independent_samples_are_quiet(kind: str) -> None:
    """Of hundreds of independent triples none is said to share rows, as is to happen in one of some thousands."""
    rng = np.random.default_rng(sum(map(ord, kind)))
    toys = TOYS // len(KINDS) + 10
    alarms = 0
    for _ in range(toys):
        sizes = rng.integers(4_000, 9_000, 3)
        generated, reference, training = (KINDS[kind](rng, int(n)) for n in sizes)
        alarms += bool(_check(generated, reference, training).reasons())
    assert alarms == 0


@pytest.mark.parametrize("kind", ["floats", "zero suppression", "labelled", "single"])
@pytest.mark.parametrize("stored", ["as they are", "single", "other numbers of rows"])
def test_copies_are_found(kind: str, stored: str) -> None:
    """A hundredth of the rows copied is found, reordered, rounded, or under other numbers of events."""
    rng = np.random.default_rng(1)
    generated, reference = KINDS[kind](rng, N), KINDS[kind](rng, N)
    generated = _copied(rng, generated, reference, N // 50)
    if stored == "single":
        generated = {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in generated.items()}
    if stored == "other numbers of rows":
        generated["event"], reference["event"] = (rng.permutation(10 * N)[:N] for _ in range(2))
        generated["row"] = reference["row"] = np.arange(N)
    found = _overlap(_check(generated, reference), "generated", "reference")
    assert found.beyond_chance
    assert not found.exact
    assert found.of == N
    assert found.rows_lower <= N // 50 <= found.rows_upper
    assert found.rows_lower > 0


@pytest.mark.parametrize("share", [0.003, 0.03, 0.3, 1.0])
def test_scaled_numbers_are_within_their_limits(share: float) -> None:
    """The interval of the number of shared rows covers the truth as often as it says, and the estimate is unbiased."""
    covered, estimates = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        reference = _normal(rng, N)
        generated = _copied(rng, _normal(rng, N), reference, round(share * N))
        found = _overlap(_check(generated, reference), "generated", "reference")
        assert 0 <= found.rows_lower <= found.rows <= found.rows_upper <= N
        assert found.distinct <= found.rows
        covered += found.rows_lower <= round(share * N) <= found.rows_upper
        estimates.append(found.rows)
    assert covered >= 34  # of 40, at 95 %: fewer once in 1500
    error = np.std(estimates, ddof=1) / 40**0.5
    assert abs(np.mean(estimates) - share * N) <= 4 * error + 1


def test_repeated_rows_are_found_and_counted() -> None:
    """Rows that the reference holds twice are found, and their number is scaled to the whole."""
    rng = np.random.default_rng(2)
    half = _normal(rng, N // 2)
    reference = {name: np.concatenate([values, values]) for name, values in half.items()}
    found = _check(_normal(rng, N), reference)
    assert found.duplicated == ("reference",)
    assert abs(found.duplicates["reference"] - N // 2) < 0.15 * N
    assert any("1 in" in note for note in found.notes)


@pytest.mark.parametrize("side", ["reference", "generated"])
@pytest.mark.parametrize("way", ["rows", "fingerprint"])
def test_training_rows_are_found(side: str, way: str) -> None:
    """Training rows in a long sample are found, given all of them or their fingerprint, and their number is right."""
    rng = np.random.default_rng(3)
    generated, reference, training = (_normal(rng, n) for n in (2 * N, N, 5_000))
    if side == "reference":
        reference = _copied(rng, reference, training, 1_000)
    else:
        generated = _copied(rng, generated, training, 1_000)
    known = fingerprint(training) if way == "fingerprint" else training
    found = _check(generated, reference, known)
    one = _overlap(found, side, "training")
    assert one.beyond_chance
    assert one.of == (N if side == "reference" else 2 * N)
    assert 0.8 * one.rows_lower <= 1_000 <= 1.2 * one.rows_upper
    if way == "fingerprint":  # whose rows are all found, so that nothing is lost
        whole = _overlap(
            check_independence(Sample(generated), Sample(reference), fingerprint(training)), side, "training"
        )
        assert (one.rows, one.rows_lower, one.rows_upper) == (whole.rows, whole.rows_lower, whole.rows_upper)
    other = "generated" if side == "reference" else "reference"
    assert not _overlap(found, other, "training").beyond_chance
    assert not _overlap(found, "generated", "reference").beyond_chance


@pytest.mark.parametrize("way", ["rows", "fingerprint"])
def test_a_short_training_sample_in_long_ones(way: str) -> None:
    """Of a few training rows none may be among those chosen, which is said; a fingerprint holds them all."""
    rng = np.random.default_rng(4)
    training = _normal(rng, 40)
    generated, reference = _normal(rng, N), _copied(rng, _normal(rng, N), training, 40)
    found = _check(generated, reference, fingerprint(training) if way == "fingerprint" else training)
    if way == "fingerprint":
        assert _overlap(found, "reference", "training").beyond_chance
        assert _overlap(found, "reference", "training").rows == 40
    else:
        assert found.overlaps
        assert found.reasons() or any("training" in note for note in found.notes)


def test_short_samples_are_compared_in_full() -> None:
    """Where nothing had to be left out, all is as if the samples had been compared in memory."""
    rng = np.random.default_rng(5)
    generated, reference, training = (_normal(rng, n) for n in (1_500, 1_200, 300))
    reference = _copied(rng, reference, training, 5)
    how = thinning.thinning(Sample(generated), Sample(reference), 1_500)
    assert how is not None
    kept = [reduce(add, [how.rows(chunk) for chunk in _chunks(table)]) for table in (generated, reference)]
    found = check_thinned(kept[0], kept[1], Sample(training), {}, how)
    columns = ({name: table[name] for name in how.columns} for table in (generated, reference, training))
    ours, theirs, known = (Sample(table) for table in columns)
    assert found == check_independence(ours, theirs, known)
    assert found.reasons()


def test_too_few_values_are_said() -> None:
    """Samples of a single value cannot be thinned out, which is said and not an error."""
    table = {"x": np.zeros(N), "y": np.ones(N)}
    found = _check(table, table)
    assert not found.overlaps
    assert any("too few different values" in note for note in found.notes)


def test_results_survive_json() -> None:
    """A comparison of a sample of the rows is told and stored like any other."""
    rng = np.random.default_rng(6)
    reference = _normal(rng, N)
    found = _check(_copied(rng, _normal(rng, N), reference, 400), reference)
    assert Independence.from_json(found.to_json()) == found
    assert "from a part of them" in found.reasons()[0]

"""Shared rows are found, counted and shown; rows that are equal by chance raise no alarm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import LARGEST
from pytest_ganvalid.overlaps.findings import Independence, Overlap
from pytest_ganvalid.overlaps.fingerprint import SIZE, STORED, Fingerprint
from pytest_ganvalid.overlaps.judge import independence, rows_in_both, shared_rows
from pytest_ganvalid.overlaps.key import key_columns, key_of
from pytest_ganvalid.samples.entries import Entries, concatenated
from pytest_ganvalid.samples.sample import Sample

Table = dict[str, Any]
Kind = Callable[[np.random.Generator, int], Table]
PAIRS = [("reference", "training"), ("generated", "training"), ("generated", "reference")]


def normal(columns: int, dtype: Any = np.float64) -> Kind:
    """Independent columns of full resolution."""
    return lambda rng, n: {f"c{i}": rng.normal(size=n).astype(dtype) for i in range(columns)}


def lattice(points: float, columns: int = 1, step: float = 1.0) -> Kind:
    """Columns of so many equally likely values."""
    return lambda rng, n: {f"c{i}": np.floor(rng.random(n) * points) * step for i in range(columns)}


def decimals(digits: int, columns: int = 1) -> Kind:
    """Columns rounded to so many decimals."""
    return lambda rng, n: {f"c{i}": np.round(3 * rng.normal(size=n), digits) for i in range(columns)}


def standardised(mean: float) -> Kind:
    """Two counts of mean zero and variance one."""
    return lambda rng, n: {name: (rng.poisson(mean, n) - mean) / mean**0.5 for name in "xy"}


def suppressed(columns: int, share: float, shift: float = 0.0) -> Kind:
    """Columns with a spike at one value, and a continuum beside it."""
    return lambda rng, n: {
        f"c{i}": (rng.exponential(size=n) * (rng.random(n) > share) - shift) / 1.1 for i in range(columns)
    }


def failures(rng: np.random.Generator, n: int) -> Table:
    """Columns that all have one special value in a row or two, no longer a short number after a change of scale."""
    rows = rng.normal(size=(3, n))
    rows[:, rng.random(n) < 2 / n] = -999.0
    return dict(zip("abc", (rows - 0.31) / 1.7, strict=True))


def dependent(rng: np.random.Generator, n: int) -> Table:
    """Columns in single precision that are functions of each other."""
    x = rng.exponential(size=n).astype(np.float32)
    return {"pt": x, "log_pt": np.log(x), "pt2": x**2}


def dependent_suppressed(rng: np.random.Generator, n: int) -> Table:
    """Functions of each other in single precision, beside a finer column that is zero in most events."""
    x = rng.normal(size=n).astype(np.float32)
    return {"x": x, "exp": np.exp(x), "cell": rng.exponential(size=n) * (rng.random(n) < 0.4)}


def ratios(rng: np.random.Generator, n: int) -> Table:
    """Ratios of counts: neither on an even lattice nor short numbers."""
    return {name: rng.poisson(20, n) / (1 + rng.poisson(20, n)) for name in "xy"}


def logarithms(rng: np.random.Generator, n: int) -> Table:
    """Logarithms of counts: a lattice of uneven spacing."""
    return {name: np.log1p(rng.poisson(100, n)) for name in "xy"}


def mixed(rng: np.random.Generator, n: int) -> Table:
    """Two columns that are on a lattice in some events, and continuous in others."""
    x = rng.normal(size=(2, n))
    return dict(zip("xy", np.where(rng.random(n) < 0.4, 0.0137 * np.round(10 * x), x), strict=True))


def categories(rng: np.random.Generator, n: int) -> Table:
    """Labels, flags and heavy-tailed counts."""
    return {"a": rng.integers(0, 3, n), "b": rng.random(n) < 0.1, "z": rng.zipf(1.5, n).clip(max=10**6).astype(float)}


def jets(rng: np.random.Generator, n: int) -> Table:
    """Any number of entries per event, none in some, and a label."""
    counts = rng.poisson(2, n)
    return {"jet": Entries(rng.exponential(size=counts.sum()), counts), "energy": rng.integers(0, 2, n) * 10.0 + 10}


def hits(rng: np.random.Generator, n: int) -> Table:
    """Entries of few possible values."""
    counts = rng.poisson(1, n)
    return {"cell": Entries(rng.integers(0, 9, counts.sum()), counts)}


def numbered(rng: np.random.Generator, n: int) -> Table:
    """Events under random numbers, of random files, each sample with a flag and files of its own."""
    own = rng.integers(0, 10**9)
    return {
        **normal(2)(rng, n),
        "id": rng.permutation(10 * n)[:n],
        "uuid": rng.integers(0, 2**62, n),
        "file": own + rng.integers(0, 9, n),
        "flag": np.full(n, own),
    }


def numbered_counts(rng: np.random.Generator, n: int) -> Table:
    """Counts under random numbers, with a flag of each sample."""
    return {"n": rng.poisson(40, n), "id": rng.permutation(n), "flag": np.full(n, rng.integers(0, 10**9))}


QUIET: dict[str, Kind] = {
    **{f"lattice-{points:g}": lattice(points) for points in (10, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)},
    **{f"scaled-lattice-{points:g}": lattice(points, step=0.0137) for points in (1e3, 1e5, 1e6, 1e7, 1e8)},
    **{f"lattice-2d-{points:g}": lattice(points, 2) for points in (10, 100, 1e3, 1e4, 1e5)},
    **{f"scaled-lattice-2d-{points:g}": lattice(points, 2, step=0.0137) for points in (100, 1e3, 1e4)},
    **{f"decimals-{digits}": decimals(digits) for digits in range(1, 8)},
    **{f"decimals-2d-{digits}": decimals(digits, 2) for digits in (1, 2, 3, 4)},
    **{f"standardised-{mean:g}": standardised(mean) for mean in (30, 1e3, 1e5)},
    "poisson": lambda rng, n: {"n": rng.poisson(3, n)},
    "poisson-2d": lambda rng, n: {"n": rng.poisson(30, n), "m": rng.poisson(30, n)},
    "large-counts": lambda rng, n: {"n": rng.poisson(1e7, n)},
    "ratios": ratios,
    "logarithms": logarithms,
    "mixed": mixed,
    "single-precision": normal(1, np.float32),
    "single-precision-in-double": lambda rng, n: {"x": rng.exponential(size=n).astype(np.float32).astype(float)},
    "half-precision": normal(2, np.float16),
    "suppressed": suppressed(1, 0.3),
    "suppressed-2d": suppressed(2, 0.9),
    "suppressed-4d": suppressed(4, 0.5),
    "suppressed-scaled": suppressed(2, 0.9, 0.7),
    "hardly-anything-else": suppressed(1, 0.999),
    "clipped": lambda rng, n: {"x": np.log1p(rng.exponential(size=n).clip(max=np.log(n))), "y": rng.normal(size=n)},
    "failures": failures,
    "dependent": dependent,
    "dependent-suppressed": dependent_suppressed,
    "categories": categories,
    "missing": lambda rng, n: {
        "x": np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
        "y": rng.integers(0, 9, n),
    },
    "constant": lambda _, n: {"x": np.full(n, 0.1234567891), "y": np.zeros(n)},
    "continuous": normal(2),
    "jets": jets,
    "hits": hits,
    "numbered": numbered,
    "numbered-counts": numbered_counts,
    "times": lambda rng, n: {"t": 1.7e9 + rng.random(n) * 1e5},
}


def spiked(rng: np.random.Generator, table: Table, source: Table, rows: int) -> Table:
    """Replace some rows of a table by as many of another, at random places."""
    n, m = (len(next(iter(columns.values()))) for columns in (table, source))
    to, of = rng.permutation(n)[:rows], rng.permutation(m)[:rows]
    result = {name: values.copy() for name, values in table.items()}
    for name, values in result.items():
        values[to] = source[name][of]
    return result


def taken(table: Table, rows: Any) -> Table:
    """Take some rows of a table, entries too."""
    return {name: values[rows] for name, values in table.items()}


def stored_as(table: Table, dtype: Any) -> Table:
    """Store the floats of a table in another width, and read them in double precision."""

    def narrow(values: Any) -> Any:
        if isinstance(values, Entries):
            return Entries(narrow(values.values), values.counts)
        with np.errstate(over="ignore"):
            return values.astype(dtype).astype(float) if values.dtype.kind == "f" else values

    return {name: narrow(values) for name, values in table.items()}


def check(
    generated: Table,
    reference: Table,
    training: Table | None = None,
    *,
    stored: bool = False,
    size: int = SIZE,
    parts: int = 1,
) -> Independence:
    """Check two or three tables by a key of the reference, in so many parts, as they are or stored."""
    tables = [table for table in (generated, reference, training) if table is not None]
    names, _ = key_columns([Sample(reference), Sample(generated)], tuple(reference))
    key = key_of(reference, names)
    prints = []
    for table in tables:
        rows = np.arange(len(next(iter(table.values()))))
        few = [taken(table, some) for some in np.array_split(rows, parts)] if parts > 1 else [table]
        total = reduce(add, [Fingerprint.of(part, key, size) for part in few])
        prints.append(Fingerprint.from_json(total.to_json()) if stored else total)
    known = None if training is None else (prints[0], prints[1], prints[2])
    return independence(prints[0], prints[1], known)


def overlap(result: Independence, first: str, second: str) -> Overlap:
    """Find the overlap of two sides."""
    return next(one for one in result.overlaps if one.sides == (first, second))


def of_pair(a: Table, b: Table, *, stored: bool = False, size: int = SIZE, parts: int = 1) -> Overlap:
    """Compare a reference with a training."""
    return check(a, a, b, stored=stored, size=size, parts=parts).overlaps[0]


@pytest.mark.parametrize("kind", QUIET)
def test_equal_rows_by_chance_raise_no_alarm(kind: str) -> None:
    """Independent samples of any kind of data are independent, of any size and precision, also once stored."""
    rng = np.random.default_rng(list(QUIET).index(kind))
    for n, ratio in ((300, 10.0), (3_000, 0.1), (4_500, 1.0)):
        samples = [QUIET[kind](rng, size) for size in (round(n * ratio), n, round(n * min(ratio, 1)))]
        halves = [stored_as(table, np.float16) for table in samples]
        for (generated, reference, training), stored in ((samples, n == 300), (halves, n > 300)):
            result = check(generated, reference, training, stored=stored)
            assert result.reasons() == ()
            assert not result.duplicated


@pytest.mark.parametrize("kind", ["decimals-2d-3", "continuous", "suppressed-4d", "poisson-2d", "categories"])
def test_parts_of_independent_samples_raise_no_alarm(kind: str) -> None:
    """Where a sketch holds a small part of the rows, independent samples are independent all the same."""
    rng = np.random.default_rng(1)
    for size in (50, 500):
        generated, reference, training = (QUIET[kind](rng, n) for n in (3_000, 2_000, 1_000))
        result = check(generated, reference, training, size=size)
        assert result.reasons() == ()
        assert not any(one.exact for one in result.overlaps) or kind == "categories"


@pytest.mark.parametrize("rows", [30, 300, 30_000])
@pytest.mark.parametrize("columns", [1, 4])
def test_shared_rows_are_counted_and_shown(columns: int, rows: int) -> None:
    """A thousandth, a hundredth and all of many rows, permuted, are counted exactly, and the finest columns shown."""
    rng = np.random.default_rng(rows + columns)
    make = normal(columns)
    training = make(rng, 30_000)
    reference = spiked(rng, make(rng, 30_000), training, rows)
    result = check(make(rng, 1_000), reference, training)
    found = overlap(result, "reference", "training")
    assert found.beyond_chance
    assert found.rows == found.rows_lower == found.rows_upper == found.distinct == rows
    assert (found.exact, found.precision, found.of) == (True, "double", 30_000)
    assert found.expected_by_chance < 10
    assert found.columns == tuple(training)
    assert not result.independent
    assert len(found.examples) == 3
    for row in found.examples:
        assert 1 <= len(row) <= 3
        (place,) = np.flatnonzero(training[next(iter(row))] == row[next(iter(row))])
        assert all(training[name][place] == value for name, value in row.items())
    assert result.reasons()[0].startswith(f"{rows:,} of 30,000 reference rows are also in the training sample, where")


@pytest.mark.parametrize(("columns", "dtype"), [(1, "f8"), (2, "f8"), (4, "f8"), (2, "f4"), (4, "f4")])
@pytest.mark.parametrize("share", [0.002, 0.01, 1.0])
def test_shared_rows_of_small_samples_are_found(columns: int, dtype: str, share: float) -> None:
    """Ten of five thousand rows are enough, in single precision too if there are two columns."""
    rng = np.random.default_rng(columns)
    make = normal(columns, dtype)
    training = make(rng, 5_000)
    found = of_pair(spiked(rng, make(rng, 5_000), training, round(share * 5_000)), training)
    assert found.beyond_chance
    assert found.rows == round(share * 5_000)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_single_shared_row_is_found(pair: tuple[str, str]) -> None:
    """In four columns of full resolution one shared row is no coincidence, between any two of the samples."""
    rng = np.random.default_rng(10)
    tables = {side: normal(4)(rng, 5_000) for side in ("generated", "reference", "training")}
    tables[pair[0]] = spiked(rng, tables[pair[0]], tables[pair[1]], 1)
    result = check(tables["generated"], tables["reference"], tables["training"])
    assert [one.sides for one in result.overlaps] == PAIRS
    assert [one.sides for one in result.overlaps if one.beyond_chance] == [pair]
    (reason,) = result.reasons()
    assert reason.startswith(f"1 of 5,000 {pair[0]} rows are also in the {pair[1]} sample, where chance allows for")
    assert "for example (c" in reason


def test_a_single_shared_row_of_a_sparse_image_is_found() -> None:
    """One image of many cells, most of them empty, is recognised by those that are not."""
    rng = np.random.default_rng(24)
    make = suppressed(20, 0.3)
    training = make(rng, 3_000)
    assert of_pair(spiked(rng, make(rng, 3_000), training, 1), training).beyond_chance


STORED_AS: dict[str, Callable[[Table], Table]] = {
    "as they are": lambda table: table,
    "single": lambda table: stored_as(table, np.float32),
    "half": lambda table: stored_as(table, np.float16),
    "decimals": lambda table: {name: np.round(values, 4) for name, values in table.items()},
    "text": lambda table: {name: np.array([float(f"{v:.12g}") for v in values]) for name, values in table.items()},
    "last bit": lambda table: {name: np.nextafter(values, np.inf) for name, values in table.items()},
}
PRECISION = {"as they are": "double", "half": "half", "decimals": "half"}


@pytest.mark.parametrize("way", STORED_AS)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_copies_are_found_however_they_are_stored(way: str, share: float) -> None:
    """Copies are found as they are or rounded, in any order, any number of parts, from sketches and from files."""
    rng = np.random.default_rng(34)
    n = 7_000
    training = normal(2)(rng, n)
    copies = STORED_AS[way](training)
    reference = spiked(rng, normal(2)(rng, n), copies, round(share * n))
    whole = of_pair(reference, training)
    assert whole.beyond_chance or share < whole.seen_rounded_from
    if share < whole.seen_rounded_from and way in {"half", "decimals"}:
        return
    assert whole.precision == PRECISION.get(way, "single")
    assert (0.7 if way == "decimals" else 0.98) * share * n <= whole.rows <= share * n + 30
    again = of_pair(taken(reference, rng.permutation(n)), training, parts=3)
    assert (again.rows, again.distinct, again.precision) == (whole.rows, whole.distinct, whole.precision)
    for found in (
        of_pair(reference, training, stored=True),
        of_pair(taken(reference, rng.permutation(n)), training, stored=True, parts=7),
        of_pair(reference, training, size=STORED),
    ):
        if share >= max(found.seen_from, found.seen_rounded_from if way in {"half", "decimals"} else 0):
            assert found.beyond_chance
            assert found.precision == whole.precision
            assert not found.exact
            assert found.rows_lower - 50 <= whole.rows <= found.rows_upper + 50
    assert share == 0.01 or found.beyond_chance


@pytest.mark.parametrize("side", ["generated", "reference"])
@pytest.mark.parametrize("size", [300, STORED, SIZE])
@pytest.mark.parametrize("columns", [1, 3])
def test_what_is_said_of_the_sensitivity_is_true(side: str, size: int, columns: int) -> None:
    """Twice the share that is said to be seen is found in nearly all samples, and a tenth of it in hardly any."""
    n, first = 4_000, (side, "training" if side == "reference" else "reference")
    seen, unseen, toys = 0, 0, 8
    for seed in range(toys):
        rng = np.random.default_rng([seed, columns])
        make = normal(columns)
        a, b = make(rng, n), make(rng, n)
        key = key_of(b, tuple(b))
        known = Fingerprint.of(b, key, size)
        share = shared_rows(Fingerprint.of(a, key, size), known, first).seen_from
        assert share * min(size, n) >= 1
        for times in (2.0, 0.1):
            copied = spiked(rng, a, b, round(times * share * n))
            found = shared_rows(Fingerprint.of(copied, key, size), known, first).beyond_chance
            seen += found and times > 1
            unseen += not found and times < 1
    assert seen >= toys - 3
    assert unseen >= toys - 4


@pytest.mark.parametrize("size", [STORED, SIZE])
def test_what_is_said_of_rounded_copies_is_true(size: int) -> None:
    """Twice the share of rounded copies that is said to be seen is found, and a tenth of it mostly not."""
    seen, unseen, toys = 0, 0, 10
    for seed in range(toys):
        rng = np.random.default_rng(seed)
        a, b = normal(2)(rng, 6_000), normal(2)(rng, 6_000)
        key = key_of(b, tuple(b))
        known = Fingerprint.of(b, key, size)
        share = shared_rows(Fingerprint.of(a, key, size), known, ("reference", "training")).seen_rounded_from
        assert 0.0005 < share < 0.1
        for times in (2.0, 0.1):
            copied = spiked(rng, a, stored_as(b, np.float16), round(times * share * 6_000))
            found = shared_rows(Fingerprint.of(copied, key, size), known, ("reference", "training"))
            if times > 1:
                seen += found.beyond_chance
            else:
                unseen += not found.beyond_chance
    assert seen >= toys - 1
    assert unseen >= toys - 1


def test_what_cannot_be_seen_is_said() -> None:
    """Where chance repeats as many rows as there are, no share of copies is said to be seen, and it is noted."""
    rng = np.random.default_rng(40)
    few = {"n": rng.poisson(3, 2_000)}
    result = check({"n": rng.poisson(3, 2_000)}, few)
    assert math.isinf(result.overlaps[0].seen_from)
    assert result.notes == (
        "generated rows copied from the reference sample cannot be noticed in n: chance repeats as many",
    )
    fine = check(normal(2)(rng, 2_000), normal(2)(rng, 2_000))
    assert fine.overlaps[0].seen_from <= 0.001
    assert fine.notes == ()
    part = check(normal(2)(rng, 2_000), normal(2)(rng, 2_000), size=300)
    (note,) = part.notes
    assert "would be noticed from 0.33 % of the generated rows on" in note
    small = check(normal(2)(rng, 2_000), normal(2)(rng, 150))
    assert small.overlaps[0].seen_from <= 0.005
    key = key_of({"x": 1e9 + rng.random(2_000)}, ("x",))
    known = Fingerprint.of({"x": 1e9 + rng.random(2_000)}, key)
    double = shared_rows(known, known, ("reference", "training"))
    assert math.isinf(double.seen_rounded_from)  # rounded rows are no longer chosen alike


@pytest.mark.parametrize("stored", [False, True])
def test_memorised_rows_are_found(stored: bool) -> None:  # noqa: FBT001
    """A generator that returns its training rows, once or over and over, or among others, is found out."""
    rng = np.random.default_rng(11)
    training, reference = normal(2)(rng, 3_000), normal(2)(rng, 3_000)
    for rows in (rng.integers(0, 3_000, 20_000), rng.integers(0, 300, 20_000), rng.permutation(3_000)):
        result = check(taken(training, rows), reference, training, stored=stored)
        assert [one.sides for one in result.overlaps if one.beyond_chance] == [("generated", "training")]
        assert "the generator repeats events that it was trained on" in result.reasons()[0]
        assert overlap(result, "generated", "training").rows == rows.size
    generated = spiked(rng, normal(2)(rng, 20_000), training, 200)
    result = check(generated, reference, training, stored=stored)
    found = overlap(result, "generated", "training")
    assert found.beyond_chance
    assert found.rows_lower <= 200 <= found.rows_upper
    assert not result.independent


def test_a_generator_cannot_hide_behind_its_own_repetitions() -> None:
    """Rows that a generator repeats of its own do not raise the level of chance, and are its own affair."""
    rng = np.random.default_rng(12)
    training = normal(1)(rng, 5_000)
    own = np.repeat(rng.normal(size=10_000), 2)
    generated = {"c0": np.concatenate([own, training["c0"][:500]])}
    result = check(generated, normal(1)(rng, 5_000), training)
    assert overlap(result, "generated", "training").beyond_chance
    assert result.duplicated == ("generated",)
    assert result.duplicates == {"generated": 10_000, "reference": 0}
    assert result.distinct == {"generated": 10_500, "reference": 5_000}
    assert result.distinct_generated == 10_500
    assert "10,000 of 20,500 generated rows repeat another one, so that 10,500 are distinct" in result.notes[-1]
    assert len(result.reasons()) == 1


def test_a_wide_generator_does_not_seem_to_remember() -> None:
    """A generator of another, wider density of discrete data shares rare rows by chance."""
    rng = np.random.default_rng(13)

    def make(n: int, scale: float) -> Table:
        return {name: np.floor(scale * rng.exponential(size=n)) for name in "xy"}

    for n, scale in ((3_000, 45.0), (3_000, 80.0), (20_000, 45.0), (1_000, 15.0)):
        assert check(make(n, scale), make(n, 30.0), make(n, 30.0)).independent


@pytest.mark.parametrize(
    "kind", ["poisson", "lattice-1000", "lattice-10000", "decimals-2", "decimals-2d-2", "categories"]
)
def test_the_same_discrete_file_on_both_sides_is_found(kind: str) -> None:
    """A reference that is the training file, in another order, is found even if rows repeat in it legitimately."""
    rng = np.random.default_rng(14)
    training = QUIET[kind](rng, 5_000)
    found = of_pair(taken(training, rng.permutation(5_000)), training)
    assert found.beyond_chance
    assert found.rows == 5_000
    assert not of_pair(QUIET[kind](rng, 5_000), training).beyond_chance


def test_an_overlap_above_the_level_of_chance_is_found() -> None:
    """Among the rows that single precision repeats by chance, two hundredths that are shared stand out."""
    rng = np.random.default_rng(15)
    training, reference = lattice(1e6)(rng, 20_000), lattice(1e6)(rng, 20_000)
    quiet = of_pair(reference, training)
    assert not quiet.beyond_chance
    assert 100 < quiet.rows < quiet.expected_by_chance < 1_000
    assert quiet.examples == ()
    found = of_pair(spiked(rng, reference, training, 800), training)
    assert found.beyond_chance
    assert found.rows > 800 > found.expected_by_chance


@pytest.mark.parametrize("copies", [2, 3])
def test_an_oversampled_training_is_recognised(copies: int) -> None:
    """Training rows that were repeated to give them weight are found in the reference like others."""
    rng = np.random.default_rng(16)
    source = normal(2)(rng, 5_000)
    training = {name: np.repeat(values, copies) for name, values in source.items()}
    found = of_pair(spiked(rng, normal(2)(rng, 5_000), source, 50), training)
    assert found.beyond_chance
    assert (found.rows, found.distinct) == (50, 50)


@pytest.mark.parametrize("share", [0.03, 0.2, 1.0])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_part_of_the_rows_estimates_the_overlap(columns: int, share: float) -> None:
    """What a sketch says of the overlap covers the truth as often as its confidence promises, and is unbiased."""
    rng = np.random.default_rng(17)
    covered, estimates, n = 0, [], 3_000
    for _ in range(20):
        training = normal(columns)(rng, n)
        found = of_pair(spiked(rng, normal(columns)(rng, n), training, round(share * n)), training, size=600)
        assert found.beyond_chance
        assert not found.exact
        assert len(found.examples) == 3
        assert 0 < found.rows_lower <= found.rows <= found.rows_upper <= n
        assert found.distinct <= found.rows
        covered += found.rows_lower <= share * n <= found.rows_upper
        estimates.append(found.rows)
    assert covered >= 16  # of 19: fewer once in 400
    error = np.std(estimates, ddof=1) / 20**0.5
    assert abs(np.mean(estimates) - share * n) <= 4 * error + 1
    assert "95 % interval" in found.sentence()


def test_distinct_rows_are_estimated_too() -> None:
    """Rows that the first sample holds several times are counted as often, and are few different ones."""
    rng = np.random.default_rng(41)
    training = normal(2)(rng, 4_000)
    generated = {name: np.append(values[:400].repeat(5), rng.normal(size=2_000)) for name, values in training.items()}
    for size in (800, SIZE):
        found = overlap(check(generated, normal(2)(rng, 4_000), training, size=size), "generated", "training")
        assert found.rows == pytest.approx(2_000, rel=0.35 if size == 800 else 0)
        assert found.distinct == pytest.approx(400, rel=0.35 if size == 800 else 0)
        assert found.rows_lower < 2_000 < found.rows_upper or size == SIZE


def test_a_complete_sketch_is_exact() -> None:
    """Stored rows of a sample of few different rows say exactly what the rows would."""
    rng = np.random.default_rng(18)
    tables = [QUIET["poisson-2d"](rng, 1_500) for _ in range(3)]
    by_rows, stored = (check(tables[0], tables[1], tables[2], stored=way) for way in (False, True))
    assert by_rows.overlaps == stored.overlaps
    assert by_rows.duplicates == stored.duplicates
    assert all(one.exact for one in stored.overlaps)


@pytest.mark.parametrize("rows", [0, 40, 2_000])
def test_more_shared_rows_than_a_sketch_holds(rows: int) -> None:
    """Sketches of fifty rows of samples that share forty or two thousand say what they can see, and no more."""
    rng = np.random.default_rng(42)
    training = normal(2)(rng, 2_000)
    found = of_pair(spiked(rng, normal(2)(rng, 2_000), training, rows), training, size=50)
    assert found.rows_lower <= rows <= found.rows_upper
    assert found.beyond_chance == (found.rows > 0)
    assert found.seen_from == pytest.approx(1 / 50, rel=0.1)
    assert found.rows == 2_000 or rows < 2_000
    assert len(found.examples) == min(3, found.rows // 40)


@pytest.mark.parametrize(("of_a", "of_b"), [(50, SIZE), (SIZE, 50), (100, 1_000)])
def test_sketches_of_other_sizes_are_compared_as_far_as_both_reach(of_a: int, of_b: int) -> None:
    """The smaller of two sketches decides which rows are compared, and nothing is lost or counted twice."""
    rng = np.random.default_rng(43)
    a, b = normal(2)(rng, 2_000), normal(2)(rng, 3_000)
    key = key_of(b, tuple(b))
    sides = ("generated", "reference")
    for table, rows in ((a, 0), (spiked(rng, a, b, 2_000), 2_000)):
        found = shared_rows(Fingerprint.of(table, key, of_a), Fingerprint.of(b, key, of_b), sides)
        small = min(of_a, of_b)
        same = shared_rows(Fingerprint.of(table, key, small), Fingerprint.of(b, key, small), sides)
        assert (found.rows, found.of) == (rows, 2_000)
        assert found.distinct == pytest.approx(rows, rel=0.4)
        assert found.rows_lower >= 0.8 * same.rows_lower
        assert not found.exact


def test_an_empty_part_of_a_sample_says_nothing() -> None:
    """A sketch may reach so little far that nothing of the other sample is in it, which is no finding."""
    rng = np.random.default_rng(44)
    a, b = normal(2)(rng, 3), normal(2)(rng, 3_000)
    key = key_of(b, tuple(b))
    found = shared_rows(Fingerprint.of(a, key), Fingerprint.of(b, key, 2), ("generated", "reference"))
    assert (found.rows, found.rows_lower, found.rows_upper, found.beyond_chance) == (0, 0, 3, False)
    none = shared_rows(Fingerprint.of(a, key, 2, 0), Fingerprint.of(b, key, 2, 0), ("generated", "reference"))
    assert (none.rows, none.rows_upper, none.beyond_chance, none.exact) == (0, 3, False, False)
    assert math.isinf(none.seen_from)
    assert none.expected_by_chance == 3


@pytest.mark.parametrize("part", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("columns", [2, 4])
def test_a_file_read_twice_is_found(columns: int, part: float) -> None:
    """Rows that the reference has twice make the check fail, and are counted and shown."""
    rng = np.random.default_rng(19)
    once = normal(columns)(rng, 3_000)
    reference = {name: np.concatenate([values, values[: round(part * 3_000)]]) for name, values in once.items()}
    result = check(normal(columns)(rng, 3_000), reference)
    assert result.duplicates == {"generated": 0, "reference": round(part * 3_000)}
    assert result.duplicated == ("reference",)
    assert len(result.examples) == 3
    assert all(row[name] in once[name] for row in result.examples for name in row)
    (reason,) = result.reasons()
    assert "reference rows repeat another one, more than independent events would" in reason
    assert "was a file read twice?" in reason
    few = check(normal(columns)(rng, 3_000), reference, size=1_000)
    assert few.duplicates["reference"] == pytest.approx(round(part * 3_000), rel=0.2, abs=30)
    assert (few.duplicated == ("reference",)) or part == 0.01


def test_a_file_and_its_rounded_copy_are_found() -> None:
    """A file that was added to its copy in single or half precision is found, and its rows counted."""
    rng = np.random.default_rng(45)
    once = normal(2)(rng, 2_000)
    for dtype in (np.float32, np.float16):
        copy = stored_as(once, dtype)
        reference = {name: np.append(values, copy[name]) for name, values in once.items()}
        result = check(normal(2)(rng, 2_000), reference)
        assert result.duplicated == ("reference",)
        assert result.duplicates["reference"] == pytest.approx(2_000, abs=40)
        assert result.duplicates["generated"] == 0


@pytest.mark.parametrize("times", [2, 3, 5, 10])
def test_a_file_of_one_column_read_several_times_is_found(times: int) -> None:
    """Without any row that occurs once, rows are not independent, in a single column and on a fine lattice too."""
    rng = np.random.default_rng(20)
    for make in (normal(1), lattice(1e6), normal(1, np.float32)):
        reference = {"c0": np.tile(make(rng, 3_000)["c0"], times)}
        assert check(make(rng, 3_000), reference).duplicated == ("reference",)
        assert check(make(rng, 3_000), reference, stored=True).duplicated == ("reference",)


@settings(max_examples=6)
@given(st.data())
def test_order_and_types_do_not_matter(data: st.DataObject) -> None:
    """Permuted rows, reordered columns and other number types give the same result."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    tables = [{"x": rng.integers(0, 300, 400), "y": rng.integers(0, 120, 400)} for _ in range(3)]
    expected = check(tables[0], tables[1], tables[2])
    dtype = data.draw(st.sampled_from([np.int16, np.uint16, np.float64, np.int64]))
    other = []
    for table in tables:
        order = rng.permutation(400)
        other.append({"y": table["y"][order].astype(dtype), "x": table["x"][order].astype(float)})
    found = check(other[0], other[1], other[2])
    assert [(one.rows, one.distinct, one.beyond_chance) for one in found.overlaps] == [
        (one.rows, one.distinct, one.beyond_chance) for one in expected.overlaps
    ]
    assert found.duplicates == expected.duplicates


def test_rows_are_counted_as_by_hand() -> None:
    """Rows, distinct rows and repetitions are those of a count by hand; NaN equals NaN and 0 equals -0."""
    a = {"x": np.array([1.0, 1.0, np.nan, 0.0, 7.0]), "t": np.array(list("abcde"))}
    b = {"x": np.array([1.0, np.nan, -0.0, 9.0]), "t": np.array(list("abcd"))}
    result = check(a, b)
    (found,) = result.overlaps
    assert (found.sides, found.columns) == (("generated", "reference"), ("x",))
    assert (found.rows, found.distinct, found.of) == (4, 3, 5)
    assert found.expected_by_chance <= 5
    assert result.duplicates == {"generated": 1, "reference": 0}
    assert result.columns == ("x",)
    assert found.beyond_chance is False
    assert type(found.rows) is type(found.distinct) is int


@pytest.mark.parametrize("n", [1, 2, 5, 16, 40])
def test_few_rows(n: int) -> None:
    """Samples of few rows, and those of huge, tiny or infinite numbers, are checked like others."""
    rng = np.random.default_rng(n)
    for scale in (1.0, 1e307, 1e-308, np.inf, np.nan):
        tables = [{"x": scale * rng.normal(size=n), "y": scale * rng.normal(size=n)} for _ in range(3)]
        for stored in (False, True):
            assert check(tables[0], tables[1], tables[2], stored=stored).independent
            check(tables[0], tables[0], tables[0], stored=stored)
    if n >= 16:
        same = {"x": np.arange(n) + 0.1}
        assert not check(tables[0], same, same).independent


def test_special_rows_are_no_copies() -> None:
    """Rows that agree in special values, at the ends of a cut or in a spike are not taken for copies of events."""
    rng = np.random.default_rng(46)
    n = 1_500
    for special in (-999.0, -999.0 / 1.7, np.nan, 4.4444444444):
        tables = []
        for _ in range(2):
            table = {name: np.clip(rng.normal(size=n), -4.4444444444, 4.4444444444) for name in "xyz"}
            for values in table.values():
                values[:30] = special
            tables.append(table)
        found = of_pair(tables[0], tables[1])
        assert (found.rows, found.distinct) == (30, 1)
        assert not found.beyond_chance
        # Rare ones, of which there are too few to be common, are at an end or are short.
        rare = [{name: values[28:] for name, values in table.items()} for table in tables]
        assert not of_pair(rare[0], rare[1]).beyond_chance or special in {4.4444444444, -999.0 / 1.7}
        assert of_pair(spiked(rng, rare[0], taken(rare[1], np.arange(100, 1_000)), 2), rare[1]).beyond_chance


def test_short_numbers_need_more_than_a_hint() -> None:
    """Of one column, shared values of full resolution are beyond chance as soon as counting hints at it; others not."""
    rng = np.random.default_rng(52)
    short = (2 * np.arange(12) + 1) / 10
    for copies, beyond in ((rng.normal(size=12), True), (short, False)):
        tables = [{"x": np.append(rng.normal(size=2_000), copies)} for _ in range(2)]
        found = of_pair(tables[0], tables[1])
        assert found.rows == 12
        assert found.beyond_chance == beyond
    few = [{"x": np.append(rng.normal(size=2_000), short[:4] / 7)} for _ in range(2)]
    assert of_pair(few[0], few[1]).rows == 4
    assert not of_pair(few[0], few[1]).beyond_chance


@pytest.mark.parametrize("sides", [("reference", "training"), ("generated", "training")])
def test_what_was_known_of_more_rows_counts(sides: tuple[str, str]) -> None:
    """A few shared rows of discrete data are beyond chance if rows are known to agree hardly ever, and else not."""
    rng = np.random.default_rng(53)
    tables = [decimals(1, 8)(rng, 1_000) for _ in range(2)]
    key = key_of(tables[0], tuple(tables[0]))
    copied = spiked(rng, tables[1], tables[0], 10)
    for whole, beyond in ((1.0, False), (1e-9, True), (5e-6, False)):
        known = replace(key, whole=(whole,) * 3)
        prints = [Fingerprint.of(table, known) for table in (copied, tables[0], tables[1])]
        found = shared_rows(prints[0], prints[1], sides)
        assert (found.rows, found.beyond_chance) == (10, beyond)
        assert (found.seen_from <= 0.01) == beyond
        assert not shared_rows(prints[2], prints[1], sides).beyond_chance
    twice = {name: np.repeat(values[:10], 2) for name, values in tables[0].items()}
    both = {name: np.append(values[20:], twice[name]) for name, values in tables[1].items()}
    rare = Fingerprint.of(both, replace(key, whole=(1e-9,) * 3))
    of_all = Fingerprint.of(tables[0], rare.key)
    assert not shared_rows(rare, of_all, sides).beyond_chance  # no row that occurs once in both


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_parts_in_another_width_are_met(dtype: Any) -> None:
    """Rows of a sketch that holds but a part are found in a sample of another float width, in either direction."""
    rng = np.random.default_rng(47)
    training, other = normal(3)(rng, 4_000), normal(3)(rng, 4_000)
    narrow = {name: values.astype(dtype) for name, values in training.items()}
    for a, b in ((narrow, training), (training, narrow)):
        for rows in (400, 4_000):
            found = of_pair(spiked(rng, other, a, rows), b, size=1_000)
            assert found.beyond_chance
            assert not found.exact
            assert found.precision == ("half" if dtype is np.float16 else "single")
            assert found.rows_lower - 40 <= rows <= found.rows_upper + 40
        assert not of_pair(other, b, size=1_000).beyond_chance


def test_the_finest_precision_that_shows_the_copies_is_told() -> None:
    """If some rows were copied as they are, and most others rounded, the precision in which most agree is told."""
    rng = np.random.default_rng(48)
    training = normal(2)(rng, 3_000)
    rounded = stored_as(training, np.float32)
    few = {name: np.where(np.arange(3_000) < 100, training[name], values) for name, values in rounded.items()}
    most = {name: np.where(np.arange(3_000) < 2_900, training[name], values) for name, values in rounded.items()}
    found = [of_pair(reference, training) for reference in (few, most)]
    assert [(one.precision, one.rows) for one in found] == [("single", 3_000), ("double", 2_900)]


@pytest.mark.parametrize("n", [500, 5_000])
def test_the_same_conditions_are_no_shared_rows(n: int) -> None:
    """A generator, or a second simulation, of the same list of energies is independent if what is answered is."""
    rng = np.random.default_rng(33)
    energy = rng.uniform(1, 100, n)
    answers: tuple[Callable[[], Any], ...] = (
        lambda: np.round(1e9 + 1e7 * rng.normal(size=n)).astype(int),
        lambda: rng.normal(size=n),
    )
    for answer in answers:
        tables = [{"energy": energy, "answer": answer()} for _ in range(3)]
        result = check(tables[0], tables[1], tables[2])
        assert result.independent
        assert [one.columns for one in result.overlaps] == 3 * [("answer", "energy")]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("columns", [("jet", "energy"), ("jet",)])
def test_events_of_several_entries_are_compared(columns: tuple[str, ...], stored: bool) -> None:  # noqa: FBT001
    """Entries are part of a row: a training, half a generated sample and copies within the reference are found."""
    rng = np.random.default_rng(36)
    generated, reference, training = (
        {name: events[name] for name in columns} for events in (jets(rng, 3_000) for _ in "123")
    )
    result = check(generated, reference, training, stored=stored)
    assert result.independent
    assert result.columns == ("jet",)  # of which an energy is only a label
    leaked = check(generated, reference, taken(reference, rng.permutation(3_000)), stored=stored)
    assert overlap(leaked, "reference", "training").rows == 3_000
    assert ("jet = " in leaked.reasons()[0]) == (not stored)
    half = {name: concatenated([reference[name][:1_500], generated[name][:1_500]]) for name in columns}
    assert not check(half, reference, training, stored=stored).independent
    assert check(generated, taken(reference, np.arange(3_000) % 1_000), stored=stored).duplicated == ("reference",)


@pytest.mark.parametrize("stored", [False, True])
def test_findings_do_not_depend_on_the_order_of_events(stored: bool) -> None:  # noqa: FBT001
    """Permuted samples give the same result, to the rows that are shown."""
    rng = np.random.default_rng(38)
    reference, generated = jets(rng, 2_000), jets(rng, 2_000)
    key = key_of(reference, ("jet",))

    def judged(*tables: Table) -> Independence:
        prints = [Fingerprint.of(table, key, 500) for table in tables]
        g, r, t = [one.stored() for one in prints] if stored else prints
        return independence(g, r, (g, r, t))

    expected = judged(generated, reference, reference)
    orders = [rng.permutation(2_000) for _ in range(3)]
    again = judged(taken(generated, orders[0]), taken(reference, orders[1]), taken(reference, orders[2]))
    assert again == expected


def test_only_what_is_there_is_compared() -> None:
    """Without rows of a side, or of the training, the other samples are compared all the same."""
    rng = np.random.default_rng(49)
    tables = [normal(2)(rng, 500) for _ in range(3)]
    key = key_of(tables[1], ("c0", "c1"))
    g, r, t = (Fingerprint.of(table, key) for table in tables)
    assert [one.sides for one in independence(g, r).overlaps] == PAIRS[2:]
    assert [one.sides for one in independence(g, r, (g, r, t)).overlaps] == PAIRS
    assert [one.sides for one in independence(g, r, (None, r, t)).overlaps] == [PAIRS[0], PAIRS[2]]
    assert [one.sides for one in independence(g, r, (g, None, t)).overlaps] == PAIRS[1:]
    assert [one.sides for one in independence(g, r, (g, r, None)).overlaps] == PAIRS[2:]
    alone = independence(None, r, (None, r, t))
    assert [one.sides for one in alone.overlaps] == PAIRS[:1]
    assert (alone.duplicates, alone.columns) == ({"reference": 0}, ("c0", "c1"))
    nothing = independence(None, None)
    assert nothing == Independence(duplicates={})
    assert nothing.independent


# By `validate`: labels and numbers of events, which are no part of a row.


def found_in(report: gv.Report, first: str, second: str) -> dict[str, Any]:
    """Return what a report says of two sides."""
    return next(one for one in report.provenance["independence"]["overlaps"] if one["sides"] == [first, second])


@pytest.mark.parametrize("way", ["events", "fingerprint"])
@pytest.mark.parametrize("kind", ["id", "uuid", "float-id", "flag", "file", "row"])
def test_a_label_or_a_number_of_events_hides_nothing(kind: str, way: str) -> None:
    """A training that is the reference is found under other numbers and labels, of any type."""
    rng = np.random.default_rng(30)
    n = 2_000
    makers: dict[str, Callable[[int], Any]] = {
        "id": lambda _: rng.permutation(n),
        "uuid": lambda _: rng.integers(0, 2**62, n),
        "float-id": lambda _: rng.permutation(10 * n)[:n].astype(float),
        "flag": lambda side: np.full(n, side),
        "file": lambda side: 100 * side + rng.integers(0, 12, n),
        "row": lambda side: side * n + np.arange(n),
    }
    tables: list[Table] = [{**normal(2)(rng, n), kind: makers[kind](side)} for side in range(3)]
    copied = {**tables[1], kind: tables[2][kind]}

    def validated(generated: Table, reference: Table, training: Table) -> gv.Report:
        known = gv.fingerprint(training) if way == "fingerprint" else training
        return gv.validate(generated, reference, n_required=10, observables=["c0"], training=known)

    assert not any(one["rows"] for one in validated(*tables).provenance["independence"]["overlaps"])
    for sides, pair in (
        ((tables[0], tables[1], copied), ("reference", "training")),
        ((copied, tables[1], tables[2]), ("generated", "reference")),
    ):
        found = found_in(validated(*sides), *pair)
        assert found["beyond_chance"]
        assert found["rows"] == n
        assert kind not in found["columns"]


def test_a_file_under_new_numbers_is_one_file() -> None:
    """Events that were read twice and numbered anew are found."""
    rng = np.random.default_rng(31)
    once = normal(2)(rng, 2_000)
    twice = {**{name: np.tile(values, 2) for name, values in once.items()}, "id": rng.permutation(4_000)}
    generated = {**normal(2)(rng, 2_000), "id": rng.permutation(2_000)}
    report = gv.validate(generated, twice, n_required=10, observables=["c0"])
    assert report.provenance["independence"]["duplicates"]["reference"] == 2_000
    assert report.provenance["independence"]["duplicated"] == ["reference"]


def test_without_common_columns_the_training_cannot_be_compared() -> None:
    """If training and reference have no column in common, the error says what is missing, and how to make it."""
    rng = np.random.default_rng(39)
    x, y = rng.normal(size=(2, 200))
    with pytest.raises(InputError, match=r"\['x'\] and \['y'\]; expected the same columns, by the same names"):
        gv.validate({"x": x}, {"x": y}, n_required=10, training={"y": y})
    with pytest.raises(InputError, match=r"gv\.fingerprint\(events, columns=\['x'\], weight=\.\.\.\)"):
        gv.validate({"x": x}, {"x": y}, n_required=10, training=gv.fingerprint({"x": y, "w": x}))


def test_samples_are_left_alone() -> None:
    """Samples are not changed by a check, and what is not a column of numbers is not looked at."""
    x = np.array([-0.0, np.nan, 1.0])
    before = x.tobytes()
    columns: Table = {"x": x, "word": np.array(["a", "b", "c"])}
    assert check(columns, columns).columns == ("x",)
    assert x.tobytes() == before


def test_the_limit_of_a_whole_sample_is_the_largest() -> None:
    """A sketch that holds all rows says so, and one that is cut does not."""
    table = normal(2)(np.random.default_rng(51), 100)
    key = key_of(table, ("c0", "c1"))
    assert Fingerprint.of(table, key).consolidated.limit == LARGEST
    assert Fingerprint.of(table, key, 99).consolidated.limit < LARGEST


LAWS: dict[str, Callable[[np.random.Generator, int], dict[str, Any]]] = {
    "continuous": lambda rng, n: {"x": rng.normal(size=n), "y": rng.normal(size=n)},
    "rounded": lambda rng, n: {name: np.round(rng.normal(size=n), 2) for name in "xy"},
    "counts": lambda rng, n: {name: rng.poisson(5, n).astype(float) for name in "abc"},
    "heavy tails": lambda rng, n: {"k": rng.zipf(1.5, n).astype(float)},
    "resampled": lambda rng, n: {"x": np.sin(rng.integers(0, 3_000, n).astype(float))},
    "some memorised": lambda rng, n: {
        "x": np.where(rng.random(n) < 0.1, np.sin(rng.integers(0, 300, n).astype(float)), rng.normal(size=n))
    },
}


@pytest.mark.parametrize("law", LAWS)
def test_independent_parts_share_no_more_than_by_chance(law: str) -> None:
    """Parts of one law are never said to share events, whatever repeats by right, and whatever their sizes."""
    rng = np.random.default_rng(0)
    for sizes in ((1_000, 1_000), (20_000, 1_000), (1_000, 20_000), (9_000, 9_000)):
        tables = [LAWS[law](rng, n) for n in sizes]
        key = key_of(tables[0], sorted(tables[0]))
        assert rows_in_both(*(Fingerprint.of(table, key, STORED).stored() for table in tables)) is None


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_parts_that_overlap_are_seen(share: float) -> None:
    """Events that are in both parts are counted, from the stored sketches too."""
    rng = np.random.default_rng(1)
    first, second = (LAWS["continuous"](rng, 20_000) for _ in range(2))
    number = int(share * 20_000)
    both = {name: np.concatenate([first[name][:number], second[name][number:]]) for name in first}
    key = key_of(first, sorted(first))
    rows = rows_in_both(*(Fingerprint.of(table, key, STORED).stored() for table in (first, both)))
    assert rows is not None
    lower, estimate, upper = rows
    assert lower <= estimate <= upper
    assert 0.75 < estimate / number < 1.33

"""Shared rows are found, counted and shown; rows that are equal by chance raise no alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.fingerprint import Fingerprint, fingerprint
from pytest_ganvalid.samples.independence import check_independence
from pytest_ganvalid.samples.overlaps import Independence, Overlap

Table = dict[str, Any]
Kind = Callable[[np.random.Generator, int], Table]
Way = Literal["rows", "fingerprint"]
PAIRS = [("reference", "training"), ("generated", "training"), ("generated", "reference")]
WAYS: tuple[Way, ...] = ("rows", "fingerprint")


def normal(columns: int, dtype: Any = np.float64) -> Kind:
    """Independent columns of full resolution."""
    return lambda rng, n: {f"c{i}": rng.normal(size=n).astype(dtype) for i in range(columns)}


def lattice(points: float, columns: int = 1, step: float = 1.0) -> Kind:
    """Columns of so many equally likely values."""
    return lambda rng, n: {f"c{i}": np.floor(rng.random(n) * points) * step for i in range(columns)}


def decimals(digits: int, columns: int = 1) -> Kind:
    """Columns rounded to so many decimals."""
    return lambda rng, n: {f"c{i}": np.round(3 * rng.normal(size=n), digits) for i in range(columns)}


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
    **{f"decimals-{digits}": decimals(digits) for digits in range(1, 8)},
    **{f"decimals-2d-{digits}": decimals(digits, 2) for digits in (1, 2, 3, 4)},
    "poisson": lambda rng, n: {"n": rng.poisson(3, n)},
    "poisson-2d": lambda rng, n: {"n": rng.poisson(30, n), "m": rng.poisson(30, n)},
    "large-counts": lambda rng, n: {"n": rng.poisson(1e7, n)},
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


def check(generated: Table, reference: Table, training: Table | None, way: Way = "rows") -> Independence:
    """Check three tables, with the training itself or with its fingerprint."""
    known: Sample | Fingerprint | None = None
    if training is not None:
        known = Sample(training) if way == "rows" else fingerprint(training)
    return check_independence(Sample(generated), Sample(reference), known)


def overlap(result: Independence, first: str, second: str) -> Overlap:
    """Find the overlap of two sides."""
    return next(overlap for overlap in result.overlaps if overlap.sides == (first, second))


@pytest.mark.parametrize("kind", QUIET)
def test_equal_rows_by_chance_raise_no_alarm(kind: str) -> None:
    """Independent samples of any kind of data are independent, whatever their sizes, also by a fingerprint."""
    rng = np.random.default_rng(list(QUIET).index(kind))
    for n, ratio in ((1_000, 1.0), (1_000, 10.0), (3_000, 1.0), (10_000, 0.1), (30_000, 1.0)):
        samples = [QUIET[kind](rng, size) for size in (round(n * ratio), n, round(n * min(ratio, 1)))]
        for way in WAYS:
            result = check(samples[0], samples[1], samples[2], way)
            assert result.independent, result.reasons()
            assert not result.duplicated
            assert not result.reasons()


@pytest.mark.parametrize("rows", [1_000, 10_000, 1_000_000])
@pytest.mark.parametrize("columns", [1, 4])
def test_spiked_overlap_of_a_million_rows_is_found(columns: int, rows: int) -> None:
    """A thousandth, a hundredth and all of a million rows, permuted, are counted exactly and shown."""
    rng = np.random.default_rng(rows + columns)
    make = normal(columns)
    training = make(rng, 10**6)
    reference = spiked(rng, make(rng, 10**6), training, rows)
    result = check(make(rng, 100_000), reference, training)
    found = overlap(result, "reference", "training")
    assert found.beyond_chance
    assert found.rows == found.rows_lower == found.rows_upper == found.distinct == rows
    assert found.exact
    assert found.of == 10**6
    assert found.expected_by_chance < 10
    assert not result.independent
    assert len(found.examples) == 3
    for row in found.examples:
        places = np.flatnonzero(training["c0"] == row["c0"])
        assert places.size == 1
        assert all(training[name][places[0]] == value for name, value in row.items())
    assert result.reasons()[0].startswith(
        f"{rows:,} of 1,000,000 reference rows are also in the training sample, where"
    )


def test_a_million_independent_rows_share_none() -> None:
    """Independent samples of a million continuous rows share no row, by count and by fingerprint."""
    rng = np.random.default_rng(8)
    tables = [normal(2)(rng, 10**6) for _ in range(3)]
    for way in WAYS:
        result = check(tables[0], tables[1], tables[2], way)
        assert [found.sides for found in result.overlaps] == PAIRS
        assert [found.rows for found in result.overlaps] == [0, 0, 0]
        assert result.independent
        assert set(result.duplicates.values()) == {0}


@pytest.mark.parametrize(("columns", "dtype"), [(1, "f8"), (2, "f8"), (4, "f8"), (2, "f4"), (4, "f4")])
@pytest.mark.parametrize("share", [0.001, 0.01, 1.0])
def test_spiked_overlap_of_small_samples_is_found(columns: int, dtype: str, share: float) -> None:
    """Ten of ten thousand rows are enough, in single precision too if there are two columns."""
    rng = np.random.default_rng(columns)
    make = normal(columns, dtype)
    training = make(rng, 10_000)
    found = overlap(
        check(make(rng, 10_000), spiked(rng, make(rng, 10_000), training, round(share * 10_000)), training),
        "reference",
        "training",
    )
    assert found.beyond_chance
    assert found.rows == round(share * 10_000)


@pytest.mark.parametrize("narrow", ["reference", "training"])
@pytest.mark.parametrize("way", WAYS)
def test_a_side_stored_in_single_precision_is_found(narrow: str, way: Way) -> None:
    """Rows are recognised after one of the samples was stored in another width."""
    rng = np.random.default_rng(9)
    training = normal(3)(rng, 10_000)
    reference = spiked(rng, normal(3)(rng, 10_000), training, 500)
    short = {
        name: values.astype(np.float32) for name, values in (reference if narrow == "reference" else training).items()
    }
    pair = (short, training) if narrow == "reference" else (reference, short)
    found = overlap(check(normal(3)(rng, 1_000), *pair, way), "reference", "training")
    assert found.beyond_chance
    assert found.rows_lower <= 500 <= found.rows_upper
    assert overlap(check(normal(3)(rng, 1_000), normal(3)(rng, 10_000), short, way), "reference", "training").rows == 0


@pytest.mark.parametrize("pair", PAIRS)
def test_a_single_shared_row_is_found(pair: tuple[str, str]) -> None:
    """In four columns of full resolution one shared row is no coincidence, between any two of the samples."""
    rng = np.random.default_rng(10)
    tables = {side: normal(4)(rng, 20_000) for side in ("generated", "reference", "training")}
    tables[pair[0]] = spiked(rng, tables[pair[0]], tables[pair[1]], 1)
    result = check(tables["generated"], tables["reference"], tables["training"])
    assert [found.sides for found in result.overlaps if found.beyond_chance] == [pair]
    (reason,) = result.reasons()
    assert reason.startswith(f"1 of 20,000 {pair[0]} rows are also in the {pair[1]} sample, where chance allows for")
    assert "for example (c0 = " in reason


def test_a_single_shared_row_of_a_sparse_image_is_found() -> None:
    """One image of many cells, most of them empty, is recognised by those that are not, and a few cells are named."""
    rng = np.random.default_rng(24)
    make = suppressed(60, 0.7)
    training = make(rng, 5_000)
    result = check(make(rng, 5_000), spiked(rng, make(rng, 5_000), training, 1), training)
    assert [found.rows for found in result.overlaps] == [1, 0, 0]
    (reason,) = result.reasons()
    assert "and 54 more)" in reason
    assert len(result.overlaps[0].examples[0]) == 60


@pytest.mark.parametrize("way", WAYS)
def test_memorised_rows_are_found(way: Way) -> None:
    """A generator that returns its training rows, once or over and over, or among others, is found out."""
    rng = np.random.default_rng(11)
    training, reference = normal(2)(rng, 5_000), normal(2)(rng, 5_000)
    for rows in (rng.integers(0, 5_000, 50_000), rng.integers(0, 300, 50_000), rng.permutation(5_000)):
        generated = {name: values[rows] for name, values in training.items()}
        result = check(generated, reference, training, way)
        assert [found.sides for found in result.overlaps if found.beyond_chance] == [("generated", "training")]
        assert "the generator repeats events that it was trained on" in result.reasons()[0]
        assert overlap(result, "generated", "training").rows == rows.size
    generated = spiked(rng, normal(2)(rng, 50_000), training, 100)
    assert overlap(check(generated, reference, training), "generated", "training").rows == 100
    assert not check(generated, reference, training).independent


def test_a_generator_cannot_hide_behind_its_own_repetitions() -> None:
    """Rows that a generator repeats of its own do not raise the level of chance."""
    rng = np.random.default_rng(12)
    training = normal(1)(rng, 10_000)
    own = np.repeat(rng.normal(size=20_000), 2)
    generated = {"c0": np.concatenate([own, training["c0"][:1_000]])}
    result = check(generated, normal(1)(rng, 10_000), training)
    assert overlap(result, "generated", "training").beyond_chance
    assert "generated" in result.duplicated
    assert len(result.reasons()) == 1


def test_a_wide_generator_does_not_seem_to_remember() -> None:
    """A generator of another, wider density of discrete data shares rare rows by chance."""
    rng = np.random.default_rng(13)

    def make(n: int, scale: float) -> Table:
        return {name: np.floor(scale * rng.exponential(size=n)) for name in "xy"}

    for n, scale in ((10_000, 45.0), (10_000, 80.0), (100_000, 45.0), (3_000, 15.0)):
        assert check(make(n, scale), make(n, 30.0), make(n, 30.0)).independent


@pytest.mark.parametrize(
    "kind", ["poisson", "lattice-1000", "lattice-10000", "decimals-2", "decimals-2d-2", "categories"]
)
def test_the_same_discrete_file_on_both_sides_is_found(kind: str) -> None:
    """A reference that is the training file, in another order, is found even if rows repeat in it legitimately."""
    rng = np.random.default_rng(14)
    training = QUIET[kind](rng, 20_000)
    order = rng.permutation(20_000)
    reference = {name: values[order] for name, values in training.items()}
    found = overlap(check(QUIET[kind](rng, 20_000), reference, training), "reference", "training")
    assert found.beyond_chance
    assert found.rows == 20_000


def test_an_overlap_above_the_level_of_chance_is_found() -> None:
    """Among the rows that single precision repeats by chance, a hundredth that is shared stands out."""
    rng = np.random.default_rng(15)
    make = normal(1, np.float32)
    training, reference = make(rng, 200_000), make(rng, 200_000)
    quiet = overlap(check(make(rng, 200_000), reference, training), "reference", "training")
    assert not quiet.beyond_chance
    assert 100 < quiet.rows < quiet.expected_by_chance
    found = overlap(
        check(make(rng, 200_000), spiked(rng, reference, training, 2_000), training), "reference", "training"
    )
    assert found.beyond_chance
    assert found.rows > 2_000


@pytest.mark.parametrize("copies", [2, 3])
def test_an_oversampled_training_is_recognised(copies: int) -> None:
    """Training rows that were repeated to give them weight are found in the reference like others."""
    rng = np.random.default_rng(16)
    source = normal(2)(rng, 10_000)
    training = {name: np.repeat(values, copies) for name, values in source.items()}
    reference = spiked(rng, normal(2)(rng, 10_000), source, 50)
    found = overlap(check(normal(2)(rng, 100), reference, training), "reference", "training")
    assert found.beyond_chance
    assert (found.rows, found.distinct) == (50, 50)


@pytest.mark.parametrize("share", [0.03, 0.2, 1.0])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_fingerprint_estimates_the_overlap(columns: int, share: float) -> None:
    """What a fingerprint says of the overlap covers the truth as often as its confidence level promises."""
    rng = np.random.default_rng(17)
    covered = 0
    for _ in range(20):
        training = normal(columns)(rng, 20_000)
        reference = spiked(rng, normal(columns)(rng, 20_000), training, round(share * 20_000))
        found = overlap(check(normal(columns)(rng, 10), reference, training, "fingerprint"), "reference", "training")
        assert found.beyond_chance
        assert not found.exact
        assert len(found.examples) == 3
        assert found.rows_lower <= found.rows <= found.rows_upper
        covered += found.rows_lower <= share * 20_000 <= found.rows_upper
    assert covered >= 17
    assert "95 % interval" in found.sentence()


def test_a_complete_fingerprint_is_exact() -> None:
    """The fingerprint of a sample of few different rows says exactly what the rows would."""
    rng = np.random.default_rng(18)
    tables = [QUIET["poisson-2d"](rng, 1_500) for _ in range(3)]
    by_rows, by_fingerprint = (check(tables[0], tables[1], tables[2], way) for way in WAYS)
    assert by_rows.overlaps == by_fingerprint.overlaps
    assert all(found.exact for found in by_fingerprint.overlaps)


@pytest.mark.parametrize("part", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("columns", [2, 4])
def test_a_file_read_twice_is_found(columns: int, part: float) -> None:
    """Rows that the reference has twice make the check fail, and are counted and shown."""
    rng = np.random.default_rng(19)
    once = normal(columns)(rng, 10_000)
    reference = {name: np.concatenate([values, values[: round(part * 10_000)]]) for name, values in once.items()}
    result = check(normal(columns)(rng, 10_000), reference, None)
    assert result.duplicates == {"generated": 0, "reference": round(part * 10_000)}
    assert result.duplicated == ("reference",)
    assert len(result.examples) == 3
    (reason,) = result.reasons()
    assert "reference rows repeat another one, more than independent events would" in reason
    assert "was a file read twice?" in reason


@pytest.mark.parametrize("times", [2, 3, 5])
def test_a_file_of_one_column_read_several_times_is_found(times: int) -> None:
    """Without any row that occurs once, rows are not independent, in a single column and on a fine lattice too."""
    rng = np.random.default_rng(20)
    for make in (normal(1), lattice(1e6), normal(1, np.float32)):
        reference = {"c0": np.tile(make(rng, 10_000)["c0"], times)}
        assert check(make(rng, 10_000), reference, None).duplicated == ("reference",)


@settings(max_examples=25)
@given(st.data())
def test_order_and_types_do_not_matter(data: st.DataObject) -> None:
    """Permuted rows, reordered columns and other number types give the same result."""
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    tables = [{"x": rng.integers(0, 300, 400), "y": rng.integers(0, 3, 400)} for _ in range(3)]
    expected = check(tables[0], tables[1], tables[2])
    dtype = data.draw(st.sampled_from([np.int8, np.uint16, np.float64, np.int64]))
    other = []
    for table in tables:
        order = rng.permutation(400)
        other.append({"y": table["y"][order].astype(dtype), "x": table["x"][order].astype(float)})
    found = check(other[0], other[1], other[2])
    assert [(o.rows, o.distinct, o.beyond_chance) for o in found.overlaps] == [
        (o.rows, o.distinct, o.beyond_chance) for o in expected.overlaps
    ]
    assert found.duplicates == expected.duplicates


def test_rows_are_counted_as_by_hand() -> None:
    """Rows, distinct rows and repetitions are those of a count by hand; NaN equals NaN and 0 equals -0."""
    a = {"x": np.array([1.0, 1.0, np.nan, 0.0, 7.0]), "t": np.array(list("abcde"))}
    b = {"x": np.array([1.0, np.nan, -0.0, 9.0]), "t": np.array(list("abcd"))}
    result = check(a, b, None)
    (found,) = result.overlaps
    assert (found.sides, found.columns) == (("generated", "reference"), ("x",))
    assert (found.rows, found.distinct, found.of) == (4, 3, 5)
    assert found.expected_by_chance <= 5
    assert result.duplicates == {"generated": 1, "reference": 0}
    assert result.columns == ("x",)
    assert {str(row["x"]) for row in found.examples} == {"1.0", "nan", "0.0"}


def test_what_cannot_be_compared_is_said() -> None:
    """Without common columns the training cannot be checked; a generated sample without them is noted."""
    x, y = {"x": np.arange(50.0)}, {"y": np.arange(50.0)}
    for training in (Sample(y), fingerprint(y)):
        with pytest.raises(InputError, match=r"reference .*\['x'\].*expected the same columns"):
            check_independence(Sample(x), Sample(x), training)
        result = check_independence(Sample(x), Sample(y), training)
        assert [found.sides for found in result.overlaps] == [("reference", "training")]
        assert len(result.notes) == 2
        assert "generated rows repeat training rows was not checked" in result.notes[0]
    words = check_independence(Sample({"t": np.array(["a"])}), Sample({"t": np.array(["a"])}))
    assert words == Independence(overlaps=(), duplicates={}, notes=words.notes)
    assert words.independent


def test_half_precision_needs_the_rows() -> None:
    """A fingerprint cannot be rounded to half precision, but rows can."""
    rng = np.random.default_rng(21)
    training = normal(2)(rng, 1_000)
    half = {name: values.astype(np.float16) for name, values in training.items()}
    assert overlap(check(half, half, training), "reference", "training").rows == 1_000
    assert overlap(check(half, half, half, "fingerprint"), "reference", "training").rows == 1_000
    with pytest.raises(InputError, match="'c0' has 16 bits in the reference and 64 in the training"):
        check(half, half, training, "fingerprint")


@pytest.mark.parametrize("n", [1, 2, 5, 16, 40])
def test_few_rows(n: int) -> None:
    """Samples of few rows, and those of huge, tiny or infinite numbers, are checked like others."""
    rng = np.random.default_rng(n)
    for scale in (1.0, 1e308, 1e-308, np.inf, np.nan):
        with np.errstate(over="ignore", invalid="ignore"):
            tables = [{"x": scale * rng.normal(size=n), "y": scale * rng.normal(size=n)} for _ in range(3)]
        for way in WAYS:
            assert check(tables[0], tables[1], tables[2], way).independent
            check(tables[0], tables[0], tables[0], way)
    if n >= 16:
        same = {"x": np.arange(n) + 0.1}
        assert not check(tables[0], same, same).independent


def test_json_round_trip() -> None:
    """A result of any shape, with undefined values among the examples, survives JSON unchanged."""
    rng = np.random.default_rng(22)
    training = {**normal(2)(rng, 3_000), "n": rng.poisson(3, 3_000), "b": rng.random(3_000) < 0.5}
    training["m"] = np.where(training["b"], np.nan, -np.inf)
    twice = {name: np.tile(values, 2) for name, values in training.items()}
    for result in (check(training, twice, training), check(twice, training, training, "fingerprint")):
        assert result.reasons()
        assert Independence.from_json(result.to_json()) == result
        assert Independence.from_dict(json.loads(json.dumps(_json.encode(result)))) == result


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("overlaps", [5], "expected a JSON object"),
        ("overlaps", 5, "overlaps"),
        ("duplicates", {"reference": "3"}, "expected the number of rows of each side"),
        ("duplicates", [], "expected the number of rows of each side"),
        ("examples", [1], "expected an array of rows"),
        ("columns", "x", "expected an array of strings"),
        ("other", 1, "unknown"),
    ],
)
def test_results_of_another_shape_are_refused(name: str, value: object, text: str) -> None:
    """A JSON text that no check wrote is refused, with the field that is wrong."""
    data = json.loads(check({"x": np.arange(9.0)}, {"x": np.arange(9.0)}, None).to_json())
    with pytest.raises(InputError, match=text):
        Independence.from_json(json.dumps({**data, name: value}))
    data["overlaps"][0]["sides"] = ["a", "b"]
    with pytest.raises(InputError, match="expected two sides"):
        Independence.from_json(json.dumps(data))


def test_the_input_is_left_alone() -> None:
    """Samples are not changed by a check, and what is not a plain column of numbers is not looked at."""
    x = np.array([-0.0, np.nan, 1.0])
    before = x.tobytes()
    columns: Any = {"x": x, "jagged": object.__new__(_Jagged)}
    sample = object.__new__(Sample)
    object.__setattr__(sample, "columns", columns)
    object.__setattr__(sample, "weight", None)
    object.__setattr__(sample, "provenance", {})
    assert check_independence(sample, sample).columns == ("x",)
    assert x.tobytes() == before


class _Jagged:
    """A column that is not an array."""


def test_a_fingerprint_from_a_file_does_the_same(tmp_path: Any) -> None:
    """A fingerprint that was written and read gives the same result."""
    rng = np.random.default_rng(23)
    training = normal(2)(rng, 10_000)
    mark = fingerprint(training)
    (tmp_path / "training.json").write_text(mark.to_json(), encoding="utf-8")
    read = Fingerprint.from_json((tmp_path / "training.json").read_text(encoding="utf-8"))
    samples = Sample(normal(2)(rng, 1_000)), Sample(training)
    assert check_independence(*samples, read) == check_independence(*samples, mark)


def test_a_column_that_numbers_the_events_hides_nothing() -> None:
    """Event numbers, integers or floats, make up no row: the same events under other numbers are found."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 1_000))
    reference = Sample({"x": first, "event": np.arange(1_000)})
    training = Sample({"x": np.append(second, first[:20]), "event": np.arange(5_000.0, 6_020.0)})
    assert not check_independence(Sample({"x": rng.normal(size=1_000)}), reference, training).independent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["id", "uuid", "float-id", "flag", "file"])
def test_a_label_or_a_number_of_events_hides_nothing(kind: str, way: Way) -> None:
    """A training that is the reference is found under other numbers and labels, of any type."""
    rng = np.random.default_rng(30)
    n = 5_000
    makers: dict[str, Callable[[int], Any]] = {
        "id": lambda _: rng.permutation(n),
        "uuid": lambda _: rng.integers(0, 2**62, n),
        "float-id": lambda _: rng.permutation(10 * n)[:n].astype(float),
        "flag": lambda side: np.full(n, side),
        "file": lambda side: 100 * side + rng.integers(0, 12, n),
    }
    tables = [{**normal(2)(rng, n), kind: makers[kind](side)} for side in range(3)]
    assert check(tables[0], tables[1], tables[2], way).independent
    copied = {**tables[1], kind: tables[2][kind]}
    for first, second in (("reference", "training"), ("generated", "reference")):
        sides = (tables[0], tables[1], copied) if second == "training" else (copied, tables[1], tables[2])
        found = overlap(check(*sides, way), first, second)
        assert found.beyond_chance
        assert found.rows == n
        assert Overlap(**{name: getattr(found, name) for name in Overlap.__slots__}) == found


def test_what_was_left_out_is_said() -> None:
    """The sentence names the columns that rows differ in by construction, and a file under new numbers is one file."""
    rng = np.random.default_rng(31)
    once = normal(2)(rng, 4_000)
    tables = [{**once, "id": rng.permutation(4_000), "split": np.full(4_000, side)} for side in range(2)]
    (reason, *_) = check(normal(2)(rng, 4_000), tables[0], tables[1]).reasons()
    assert "4,000 of 4,000 reference rows (without 'id', 'split') are also in the training sample" in reason
    twice = {name: np.tile(values, 2) for name, values in once.items()}
    result = check(normal(2)(rng, 4_000), {**twice, "id": rng.permutation(8_000)}, None)
    assert result.duplicates["reference"] == 4_000
    assert result.duplicated == ("reference",)


def test_columns_that_tell_no_event_from_another_are_refused() -> None:
    """If only a flag or random numbers are shared with the training, the error says what is missing."""
    rng = np.random.default_rng(32)
    reference = {**normal(2)(rng, 1_000), "flag": np.ones(1_000), "id": rng.permutation(1_000)}
    renamed = {"a": reference["c0"], "flag": reference["flag"], "id": rng.permutation(1_000)}
    for training in (Sample(renamed), fingerprint(renamed, columns=["flag", "id"])):
        with pytest.raises(InputError, match=r"only \['flag', 'id'\] in common.*also has \['c0', 'c1'\]; expected"):
            check_independence(Sample(reference), Sample(reference), training)
    notes = check(renamed, reference, None).notes
    assert "whether generated rows repeat reference rows was not checked" in notes[0]
    flags = {"flag": np.ones(1_000), "n": rng.poisson(3, 1_000)}
    assert check(flags, {**flags, "n": rng.poisson(3, 1_000)}, {**flags, "n": rng.poisson(3, 1_000)}).independent


@pytest.mark.parametrize("n", [1_000, 20_000])
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
        assert [found.columns for found in result.overlaps] == 3 * [("answer", "energy")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "stored",
    [
        lambda x, _: x.astype(np.float32).astype(float),
        lambda x, _: np.array([float(f"{value:.12g}") for value in x]),
        lambda x, _: np.nextafter(x, np.inf),
        lambda x, other: np.where(np.arange(x.size) % 2, x * (1 + 1e-15), other),
    ],
    ids=["single", "csv", "last-bit", "half"],
)
def test_what_a_file_format_rounded_is_found(stored: Callable[[Any, Any], Any], way: Way) -> None:
    """Rows that differ in the last bits, as after a detour through another format, are shared in single precision."""
    rng = np.random.default_rng(34)
    reference, other = normal(2)(rng, 10_000), normal(2)(rng, 10_000)
    training = {name: stored(values, other[name]) for name, values in reference.items()}
    result = check(normal(2)(rng, 10_000), reference, training, way)
    found = overlap(result, "reference", "training")
    assert found.beyond_chance
    assert found.single
    assert found.rows_lower <= 10_000 if found.rows > 9_000 else found.rows_lower <= 5_000 <= found.rows_upper
    assert "reference rows (in single precision) are also in" in result.reasons()[0]
    assert Independence.from_json(result.to_json()) == result
    unseen = {name: stored(values, other[name]) for name, values in normal(2)(rng, 10_000).items()}
    assert check(unseen, reference, {name: values[::-1] for name, values in unseen.items()}, way).overlaps[0].rows == 0


def test_rows_that_single_precision_makes_equal_raise_no_alarm() -> None:
    """A million values of one column have thousands of equals in single precision, by chance."""
    rng = np.random.default_rng(35)
    tables = [normal(1)(rng, 10**6) for _ in range(3)]
    for way in WAYS:
        assert check(tables[0], tables[1], tables[2], way).independent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("columns", [("jet", "energy"), ("jet",)])
def test_events_of_several_entries_are_compared(columns: tuple[str, ...], way: Way) -> None:
    """Entries are part of a row: a training, half a generated sample and copies within the reference are found."""
    rng = np.random.default_rng(36)
    generated, reference, training = (
        {name: jets_[name] for name in columns} for jets_ in (jets(rng, 4_000) for _ in "123")
    )
    result = check(generated, reference, training, way)
    assert result.independent
    assert result.columns == tuple(sorted(columns))
    assert not result.notes
    order = rng.permutation(4_000)
    leaked = check(generated, reference, taken(reference, order), way)
    assert overlap(leaked, "reference", "training").rows == 4_000
    assert "jet = [" in leaked.reasons()[0]
    assert Independence.from_json(leaked.to_json()) == leaked
    half = {name: _joined(reference[name][:2_000], generated[name][:2_000]) for name in columns}
    assert not check(half, reference, training, way).independent
    assert check(generated, taken(reference, np.arange(4_000) % 1_000), None).duplicated == ("reference",)


def _joined(a: Any, b: Any) -> Any:
    if isinstance(a, Entries):
        return Entries(np.concatenate([a.values, b.values]), np.concatenate([a.counts, b.counts]))
    return np.concatenate([a, b])


def test_examples_of_entries_are_short() -> None:
    """Of many entries the first few are shown, as plain numbers."""
    rng = np.random.default_rng(37)
    sample = Sample({"jet": Entries.of(rng.normal(size=(100, 8)))})
    result = check_independence(sample, sample)
    (row, *_) = result.overlaps[0].examples
    assert [type(value) for value in row["jet"]] == [float, float, float, str]
    assert ", and 5 more])" in result.overlaps[0].sentence()


@pytest.mark.parametrize("way", WAYS)
def test_examples_do_not_depend_on_the_order_of_events(way: Way) -> None:
    """Permuted samples give the same result, to the rows that are shown."""
    rng = np.random.default_rng(38)
    reference, generated = jets(rng, 3_000), jets(rng, 3_000)
    expected = check(generated, reference, reference, way)
    orders = [rng.permutation(3_000) for _ in range(3)]
    assert check(taken(generated, orders[0]), taken(reference, orders[1]), taken(reference, orders[2]), way) == expected


def test_a_fingerprint_of_other_columns_says_how_to_make_one() -> None:
    """If the reference lacks a column of the fingerprint, the error says which call makes one without it."""
    rng = np.random.default_rng(39)
    x, y = rng.normal(size=(2, 100))
    with pytest.raises(InputError, match=r"gv\.fingerprint\(events, columns=\['x'\], weight=\.\.\.\)"):
        check({"x": x, "y": y}, {"x": x, "y": y}, {"x": y, "w": x}, "fingerprint")

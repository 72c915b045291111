"""A fingerprint holds what it takes to find the rows of a sample again, adds up, and is read as it was written."""

from __future__ import annotations

import base64
import json
from functools import reduce
from itertools import permutations
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.overlaps.digests import DOUBLE, HALF, LARGEST, PRECISIONS, SINGLE, row_digests, row_hashes
from pytest_ganvalid.overlaps.fingerprint import SIZE, STORED, Fingerprint, fingerprint, sketch_limit
from pytest_ganvalid.overlaps.key import Key, key_of
from pytest_ganvalid.samples.sample import Sample

Table = dict[str, Any]


def _rows(seed: int, n: int = 1_000) -> Table:
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=n), "y": rng.exponential(size=n)}


def _counts(seed: int, n: int = 1_000) -> Table:
    rng = np.random.default_rng(seed)
    return {"x": rng.poisson(20, n) / 7, "y": rng.poisson(3, n)}


def _part(table: Table, rows: Any) -> Table:
    return {name: values[rows] for name, values in table.items()}


def _key(table: Table) -> Key:
    return key_of(table, tuple(sorted(table)))


def _state(mark: Fingerprint) -> tuple[Any, ...]:
    """Everything there is in a fingerprint, as it is in memory."""
    (rows,) = mark.consolidated.pieces
    values = None if rows.values is None else [column.tolist() for column in rows.values.columns()]
    finer = [words.tolist() for words in rows.finer]
    return mark.key, mark.rows, mark.consolidated.limit, rows.digests.tolist(), finer, rows.counts.tolist(), values


@pytest.mark.parametrize("kind", [_rows, _counts])
@pytest.mark.parametrize("size", [50, 10_000])
@settings(max_examples=15)
@given(st.lists(st.integers(0, 700), max_size=6), st.randoms(use_true_random=False))
def test_parts_add_up_in_any_order(kind: Any, size: int, cuts: list[int], rng: Any) -> None:
    """However rows are cut into parts, and in whatever order and brackets those are added, the sum is that of all."""
    table = kind(3, 700)
    key = _key(table)
    whole = Fingerprint.of(table, key, size)
    pieces = np.split(np.random.default_rng(rng.randrange(99)).permutation(700), sorted(cuts))
    parts = [Fingerprint.of(_part(table, rows), key, size) for rows in pieces]
    while len(parts) > 1:
        rng.shuffle(parts)
        parts.append(parts.pop() + parts.pop())
    assert _state(parts[0]) == _state(whole)
    assert parts[0] == whole
    assert parts[0].to_json() == whole.to_json()


def test_sums_of_other_keys_do_not_depend_on_order() -> None:
    """Keys of other heads merge, and the rows are those of all, without values whose freshness both keys judge."""
    tables = [_rows(1), _counts(2), _rows(3, 300)]
    marks = [Fingerprint.of(table, _key(table), 200) for table in tables]
    marks[1] = Fingerprint.of(tables[1], marks[0].key.merged(marks[0].key), 200)
    marks[2] = Fingerprint.of(tables[2], _key(tables[2]), 200)
    sums = [(a + b) + c for a, b, c in permutations(marks)] + [a + (b + c) for a, b, c in permutations(marks)]
    assert len({total.to_json() for total in sums}) == 1
    assert len(set(sums)) == 1
    assert sums[0].rows == 2_300
    assert sums[0].key == marks[0].key.merged(marks[2].key)
    (rows,) = sums[0].consolidated.pieces
    assert rows.values is None
    assert rows.fresh is not None
    assert sums[0].examples(np.arange(3)) == ()


def test_many_parts_are_joined_on_the_way() -> None:
    """A sum holds neither many pieces nor many more rows than it keeps."""
    table = _rows(4, 3_000)
    key = _key(table)
    total = Fingerprint.of(_part(table, slice(0, 10)), key, 100)
    pieces, rows = [], []
    for start in range(10, 3_000, 10):
        total = total + Fingerprint.of(_part(table, slice(start, start + 10)), key, 100)
        pieces.append(len(total.pieces))
        rows.append(sum(piece.digests.size for piece in total.pieces))
    assert max(pieces) <= 64
    assert max(rows) <= 200
    assert min(rows[20:]) >= 100
    assert _state(total) == _state(Fingerprint.of(table, key, 100))


@pytest.mark.parametrize("kind", [_rows, _counts])
def test_the_rows_are_those_with_the_smallest_digests(kind: Any) -> None:
    """Kept are the distinct rows with the smallest digests, each with its number, up to a limit below the next one."""
    table = kind(5)
    key = _key(table)
    digests, counts = np.unique(row_digests(table, key.columns, key.bits), return_counts=True)
    for size in (1, 20, digests.size - 1, digests.size, digests.size + 1):
        mark = Fingerprint.of(table, key, size)
        found = mark.distinct(key.bits)
        few = min(size, digests.size)
        np.testing.assert_array_equal(found.keys, digests[:few])
        np.testing.assert_array_equal(found.counts, counts[:few])
        assert found.rows == 1_000
        assert found.limit == (LARGEST if size >= digests.size else int(digests[size]) - 1)
        cut = mark.distinct(key.bits, int(digests[few // 2]))
        np.testing.assert_array_equal(cut.keys, digests[: few // 2 + 1])
        assert cut.limit == digests[few // 2]


def test_rows_of_one_digest_are_kept_together() -> None:
    """Rows that differ only in a finer precision stay or go together, and are told apart in that precision."""
    x = np.repeat(_rows(6, 300)["x"], 3)
    x[1::3] *= 1 + 1e-9  # other doubles, but the same singles
    x[2::3] *= 1 + 2**-22  # other singles, but the same halves
    table = {"x": x, "y": np.ones(900)}
    key = Key(columns=("x", "y"), bits=HALF)
    mark = Fingerprint.of(table, key, 100)
    assert 90 < mark.distinct(DOUBLE).values.size <= 100
    sizes = [mark.distinct(bits).values.size for bits in PRECISIONS]
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[2] / sizes[0] == pytest.approx(3, rel=0.1)
    assert sizes[1] / sizes[0] == pytest.approx(2, rel=0.1)
    for bits in PRECISIONS:
        found = mark.distinct(bits)
        within = row_digests(table, ("x", "y"), HALF) <= mark.consolidated.limit
        assert found.counts.sum() == within.sum()
        assert found.values.size == np.unique(row_digests(table, ("x", "y"), bits)[within]).size


def test_a_limit_leaves_out_the_same_rows_from_the_beginning() -> None:
    """With a limit, only rows up to it are looked at, as if more had been thrown away later; hashes may be at hand."""
    table = _rows(7)
    key = _key(table)
    whole = Fingerprint.of(table, key, 50)
    limit = LARGEST // 5
    mark = Fingerprint.of(table, key, 50, limit)
    assert _state(mark) == _state(whole)
    hashes = row_hashes(table, key.columns, key.bits)
    assert _state(Fingerprint.of(table, key, 50, limit, hashes)) == _state(whole)
    few = Fingerprint.of(table, key, SIZE, limit)
    assert few.consolidated.limit == limit | 0xFFFFFFFF
    (rows,) = few.consolidated.pieces
    assert rows.digests.size == np.count_nonzero(row_digests(table, key.columns, key.bits) <= few.consolidated.limit)
    assert few.rows == 1_000
    assert (Fingerprint.of(table, key) + few).consolidated.limit == few.consolidated.limit
    assert (Fingerprint.of(table, key, 10) + few).size == 10


@pytest.mark.parametrize("rows", [2 * STORED, 10**6, 10**12])
def test_a_sketch_that_is_certainly_full(rows: int) -> None:
    """Of samples longer than a sketch, most rows are left out from the beginning, but hardly ever too many."""
    key = Key(columns=("x",), bits=HALF)
    kept = sketch_limit(rows, STORED, key) / LARGEST * rows
    assert STORED + 10 * STORED**0.5 < kept < 10 * STORED
    for number in (None, 1, STORED):
        assert sketch_limit(number, STORED, key) == LARGEST
    assert sketch_limit(rows, STORED, Key(columns=("x",), bits=HALF, tells=False)) == LARGEST


def test_how_rarely_rows_agree_is_limited_by_those_that_do() -> None:
    """The chance that two events agree is above what it is, and below a few times that, from rows or from a sketch."""
    table = _counts(8, 20_000)
    key = _key(table)
    mark = Fingerprint.of(table, key)
    rows = np.stack([table["x"], table["y"]], axis=1)
    chance = float(np.mean(np.all(rows[:10_000] == rows[10_000:], axis=1)))
    assert 0.9 * chance < mark.row_chance(DOUBLE) < 1.5 * chance
    few = Fingerprint.of(table, key, 100)
    assert 0.5 * chance < few.row_chance(DOUBLE) < 3 * chance
    stored = mark.stored()
    assert stored.key.whole == tuple(mark.row_chance(bits) for bits in PRECISIONS)
    cut = Fingerprint.of(_part(table, slice(0, 5)), stored.key)
    assert cut.row_chance(DOUBLE) == stored.key.whole[-1]  # is known from more rows than there are
    for size, expected in ((STORED, 0.5), (SIZE, 14 / (1_000 * 1_000 / 2))):  # what was stored knows it of more
        known = Key(columns=("x", "y"), bits=HALF, whole=(0.5, 0.5, 0.5))
        assert Fingerprint.of(_rows(8), known, size).row_chance(DOUBLE) == pytest.approx(expected, rel=0.1)
    nothing = Fingerprint.of(_rows(8), _key(_rows(8)))
    assert nothing.row_chance(DOUBLE) == pytest.approx(14 / (1_000 * 1_000 / 2), rel=0.1)  # of none, at 10⁻⁶
    double = Key(columns=("x", "y"), bits=DOUBLE, whole=(0.3, 0.2, 0.1))
    assert [Fingerprint.of(_rows(8), double).row_chance(bits) for bits in PRECISIONS[:2]] == [0.3, 0.2]


def test_values_and_freshness_go_with_the_rows() -> None:
    """Examples show the fine columns of the rows, as builtins; once stored, only how fresh they are is left."""
    table = _rows(9)
    table["x"][:5], table["y"][3:8] = np.nan, np.inf
    table["n"] = np.random.default_rng(9).poisson(3, 1_000)
    key = _key(table)
    mark = Fingerprint.of(table, key)
    every = np.arange(1_000)
    shown = mark.examples(every)
    assert {tuple(row) for row in shown} == {("x", "y")}
    assert {type(value) for row in shown for value in row.values()} == {float, str}
    assert sorted(str(row["x"]) for row in shown) == sorted(str(float(value)) for value in table["x"])
    assert sum(row["y"] == "inf" for row in shown) == 5
    fresh = mark.freshness(every)
    assert np.bincount(fresh, minlength=3).tolist()[:2] == [2, 3 + 3 + 4]  # the ends of both, too
    stored = mark.stored()
    assert stored.examples(every) == ()
    np.testing.assert_array_equal(stored.freshness(every), fresh)
    np.testing.assert_array_equal(stored.freshness(every[5:9]), fresh[5:9])


def test_the_least_freshness_counts() -> None:
    """A row is as fresh as in that of several keys that knows most of its values."""
    table = _rows(10, 400)
    wide, narrow = _key(table), _key(_part(table, np.abs(table["x"]) < 0.5))
    assert wide != narrow
    total = Fingerprint.of(table, wide) + Fingerprint.of(table, narrow)
    assert total.distinct().counts.tolist() == [2] * 400
    x = np.array([row["x"] for row in Fingerprint.of(table, wide).examples(np.arange(400))], float)
    known = (x > narrow.fine[0].low) & (x < narrow.fine[0].high)
    assert not total.freshness(np.flatnonzero(~known)).max() > 1
    assert total.freshness(np.flatnonzero(known)).max() == 2


def test_the_weight_is_not_part_of_a_row() -> None:
    """A weight column is left out, other columns if asked for, and the rest may come in any kind of table."""
    table = _rows(11)
    expected = fingerprint(table)
    assert fingerprint({**table, "w": np.random.default_rng(1).normal(size=1_000)}, weight="w") == expected
    assert fingerprint({**table, "t": np.array(["a"] * 1_000)}) == expected
    assert fingerprint({**table, "z": table["x"] ** 2}, columns=["y", "x", "x"]) == expected
    assert fingerprint(Sample(table)) == fingerprint([table]) == fingerprint(iter([table])) == expected
    assert (expected.columns, expected.rows, expected.size) == (("x", "y"), 1_000, STORED)
    order = np.random.default_rng(2).permutation(1_000)
    assert fingerprint(_part(table, order)).to_json() == expected.to_json()


def test_tables_are_chunks_of_one_sample() -> None:
    """Of several tables the first decides how rows are recognised, and the rows are those of all."""
    table = _rows(12, 6_000)
    parts = [_part(table, slice(start, start + 2_000)) for start in (0, 2_000, 4_000)]
    mark, whole = fingerprint(parts), fingerprint(table)
    assert mark.rows == 6_000
    assert mark.key.alone == _key(parts[0]).alone
    assert mark.distinct().values.tolist() == whole.distinct().values.tolist()
    assert fingerprint(tuple(parts)) == fingerprint(iter(parts)) == mark


def test_files_are_read_in_chunks(tmp_path: Path) -> None:
    """A file leaves the fingerprint of its events."""
    table = _rows(13, 500)
    np.savez(tmp_path / "training.npz", **table)
    assert fingerprint(str(tmp_path / "training.npz")) == fingerprint(table)
    assert fingerprint([tmp_path / "training.npz"]) == fingerprint(table)


def test_labels_and_numbers_of_events_are_left_out() -> None:
    """Columns that may differ between copies of an event are no part of a fingerprint unless named, or alone."""
    rng = np.random.default_rng(14)
    n = 2_000
    label, number, constant = rng.integers(0, 20, n), rng.permutation(n), np.full(n, 7)
    table = {**_rows(14, n), "label": label, "id": number, "one": constant, "row": np.arange(n)}
    mark = fingerprint(table)
    assert mark.columns == ("x", "y")
    assert Fingerprint.from_json(mark.to_json()).columns == ("x", "y")
    assert fingerprint(table, columns=["x", "id"]).columns == ("id", "x")
    assert fingerprint({"one": constant, "label": label, "id": number}).columns == ("label",)
    assert fingerprint({"one": constant}).columns == ("one",)


@pytest.mark.parametrize(
    ("events", "options", "error", "text"),
    [
        ([], {}, InputError, "training: there is no table of events"),
        (5, {}, InputTypeError, "training: a int is not a table of events"),
        ({"x": []}, {}, InputError, "training: .*no events"),
        ({"x": [1.0]}, {"columns": "x"}, InputTypeError, r"columns='x' is one name.*columns=\['x'\]"),
        ({"x": [1.0]}, {"columns": ["y"]}, InputError, "training: there is no column 'y'"),
        ({"x": [1.0], "t": ["a"]}, {"columns": ["x", "t"]}, InputError, r"training: columns \['t'\] do not hold"),
        ({"t": ["a"]}, {}, InputError, r"training: no column holds real numbers; there are \['t'\]"),
        ({"x": [1.0]}, {"columns": []}, InputError, "training: columns"),
        ([{"x": [1.0]}, {"y": [1.0]}], {}, InputError, r"training: the columns \['x'\] do not hold real numbers in a"),
        ([{"x": [1.0]}, {"x": ["a"]}], {}, InputError, r"the columns \['x'\] do not hold .* those of the first"),
    ],
)
def test_refusals(events: object, options: Table, error: type[Exception], text: str) -> None:
    """What has no rows of numbers has no fingerprint, and the error says what to do."""
    with pytest.raises(error, match=text):
        fingerprint(events, **options)


@pytest.mark.parametrize("kind", [_rows, _counts])
@pytest.mark.parametrize("rows", [1, 100, 9_000])
def test_what_is_written_is_read(kind: Any, rows: int) -> None:
    """A fingerprint survives JSON unchanged, complete or not, as text or bytes, and adds up after as before."""
    table, more = kind(15, rows), kind(16, 50)
    key = _key(table)
    mark = Fingerprint.of(table, key)
    read = Fingerprint.from_json(mark.to_json())
    assert read == mark
    assert read == Fingerprint.from_json(mark.to_json(indent=1).encode())
    assert _state(read) == _state(mark.stored())
    assert hash(read) == hash(mark.stored())
    assert read.size == STORED
    assert (read.consolidated.limit == LARGEST) == (rows < 9_000 or kind is _counts)
    assert read.distinct().values.tolist() == mark.stored().distinct().values.tolist()
    other = Fingerprint.of(more, read.key)
    assert read + other == mark.stored() + other
    assert read != other
    assert read != "x"


def test_a_fingerprint_is_small() -> None:
    """Whatever the number of rows, it takes some tens of kilobytes, and ten columns little more than one."""
    rng = np.random.default_rng(17)
    continuous = fingerprint({name: rng.normal(size=6_000) for name in "abcdefghij"})
    assert len(continuous.to_json()) < 100_000
    repeated = Fingerprint.of({"x": np.tile(rng.normal(size=4_500), 20)}, key_of({"x": rng.normal(size=99)}, ("x",)))
    for times in (1, 13):
        total = reduce(add, [repeated] * times)
        assert len(total.to_json()) < 150_000
        counts = Fingerprint.from_json(total.to_json()).distinct().counts
        assert set(counts.tolist()) == {20 * times}
        assert STORED - 20 < counts.size <= STORED


def _document(kind: Any = _rows, rows: int = 300) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(fingerprint(kind(1, rows)).to_json())
    return document


def _b64(values: Any, dtype: str = "<u8") -> str:
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all values of a document, those that hold others included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for name, item in inner for leaf in _leaves(item, (*path, name)))]


def _changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = _changed(document[path[0]], path[1:], value)
    return copy


def _read(document: Any) -> Fingerprint | str:
    """Return the fingerprint of a document, or why there is none."""
    try:
        return Fingerprint.from_json(json.dumps(document))
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("kind", [_rows, _counts])
def test_every_part_of_a_document_is_looked_at(kind: Any) -> None:
    """Whatever stands in the place of a part of a document is refused, with the place, or is a fingerprint again."""
    document = _document(kind, 40)
    hostile: list[Any] = [None, True, -1, 2**70, 1e308, "", "AAAA", "?", [], {}, [[]], [0.5] * 3, ["x"]]
    refused = 0
    for path in _leaves(document):
        places = {*path[:1], "the document", "finer"}  # of which there are as many as of digests
        for value in hostile:
            found = _read(_changed(document, path, value))
            if isinstance(found, str):
                refused += 1
                assert any(found.startswith(str(place)) for place in places)
            else:
                assert Fingerprint.from_json(found.to_json()) == found
                assert (found + found).rows == 2 * found.rows
    assert refused > 0.8 * len(_leaves(document)) * len(hostile)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("version",), 1, r"version: expected version 2: make it anew of the events, gv\.fingerprint\(events\)"),
        (("version",), 3, "version: expected version 2"),
        (("kind",), "report", "kind: expected one of 'fingerprint'; got \"report\""),
        (("other",), 1, r"unknown \['other'\]"),
        (("rows",), 0, "rows: expected an integer"),
        (("rows",), 2**62 + 1, "rows: expected an integer"),
        (("rows",), 299, "of 299 events"),
        (("rows",), 301, "of 301 events"),
        (("rows",), 300.0, "rows: expected an integer"),
        (("limit",), 2**64, "limit: expected an integer"),
        (("limit",), 5, "digests up to the limit"),
        (("digests",), "ä", "digests: expected base64"),
        (("digests",), "AAA", "digests: expected base64"),
        (("digests",), "AAAA", "digests: expected some numbers of 8 bytes in base64"),
        (("digests",), "A" * (12 * STORED + 4), "digests: expected at most 4096 rows"),
        (("digests",), "", r"finer\[0\]: expected 0 numbers of 4 bytes"),
        (("digests",), _b64(range(300)[::-1]), "ascending digests"),
        (("finer", 0), _b64([1], "<u4"), r"finer\[0\]: expected 300 numbers of 4 bytes in base64"),
        (("finer",), [], "finer: expected an array of 2"),
        (("counts",), _b64([1] * 299, "<u1"), "counts: expected 300 numbers of 1 bytes"),
        (("counts",), _b64([0] + [1] * 299, "<u1"), "of 300 events"),
        (("counts",), _b64([2**63] + [1] * 299), "of 300 events"),
        (("counts",), _b64([2] * 300, "<u1"), "of 300 events"),
        (("fresh",), "", "fresh: expected 300 numbers of 1 bytes"),
        (("key", "bits"), 12, "key.*got 12 bits"),
        (("key", "columns"), ["y", "x"], "key.*sorted and distinct"),
        (("key", "columns"), [], "key.*needs the names"),
        (("key", "columns"), ["x", "z"], "key.*fine columns among its own"),
        (("key", "columns", 0), 5, r"key\.columns\[0\]: expected a string"),
        (("key", "alone"), [0.1, 0.2], r"key.*a probability for each of"),
        (("key", "both", 1), 1.5, r"key.*a probability for each of"),
        (("key", "whole", 2), -0.5, r"key.*a probability for each of"),
        (("key", "tells"), 1, r"key\.tells: expected true or false"),
        (("key", "fine", 0, "name"), 1, r"key\.fine\[0\]\.name: expected a string"),
        (("key", "fine", 0, "low"), "1", r"key\.fine\[0\]\.low: expected a .*number"),
        (("key", "fine", 0, "common"), [None], r"key\.fine\[0\]\.common\[0\]: expected a .*number"),
    ],
)
def test_hostile_fingerprints_are_refused(path: tuple[Any, ...], value: Any, text: str) -> None:
    """A file that was tampered with, cut or written by another version is refused, with what is wrong and where."""
    document = _document()
    if path == ("other",):
        document["other"] = 0
    with pytest.raises(InputError, match=text):
        Fingerprint.from_json(json.dumps(_changed(document, path, value)))


def test_a_sketch_may_be_empty_only_if_it_was_cut() -> None:
    """Of a sample all of whose rows were left out nothing is kept, but there is no whole sample without rows."""
    document = {**_document(), "digests": "", "finer": ["", ""], "fresh": "", "rows": 1, "limit": 5}
    assert Fingerprint.from_json(json.dumps(document)).distinct().values.size == 0
    with pytest.raises(InputError, match="of 1 events or some of them"):
        Fingerprint.from_json(json.dumps({**document, "limit": LARGEST}))


def test_rows_that_stand_twice_are_refused() -> None:
    """Each row of a file stands once: equal digests must differ in a finer precision."""
    document = _document()
    digests = np.frombuffer(base64.b64decode(document["digests"]), "<u8").copy()
    digests[7] = digests[6]
    document["digests"] = _b64(digests)
    assert Fingerprint.from_json(json.dumps(document)).distinct(HALF).values.size == 299
    for place in (0, 1):
        words = np.frombuffer(base64.b64decode(document["finer"][place]), "<u4").copy()
        words[7] = words[6]
        document["finer"][place] = _b64(words, "<u4")
    with pytest.raises(InputError, match="each once"):
        Fingerprint.from_json(json.dumps(document))


@pytest.mark.parametrize(("most", "size"), [(255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32, 8)])
def test_counts_take_as_few_bytes_as_they_need(most: int, size: int) -> None:
    """Rows that occur as often as can be are read as they were written, in numbers of one to eight bytes."""
    document = _document()
    assert document["counts"] == ""  # all rows occur once
    document["counts"], document["rows"] = _b64([most] + [1] * 299), most + 299
    text = Fingerprint.from_json(json.dumps(document)).to_json()
    assert len(base64.b64decode(json.loads(text)["counts"])) == 300 * size
    read = Fingerprint.from_json(text)
    assert read.distinct().counts.tolist() == [most] + [1] * 299
    assert read.rows == most + 299


def test_texts_that_are_no_fingerprint() -> None:
    """What is not JSON, or not an object, is refused."""
    for text in ("", "{", "[]", "null", b"\xff"):
        with pytest.raises(InputError):
            Fingerprint.from_json(text)
    with pytest.raises(InputError, match=r"missing \['counts', 'digests'"):
        Fingerprint.from_json('{"kind": "fingerprint", "version": 2}')
    with pytest.raises(InputError, match="version 2: make it anew"):
        Fingerprint.from_json('{"kind": "fingerprint"}')


def test_stored_fingerprints_stay_readable() -> None:
    """A fingerprint that was stored by this version is what it was: the digests of its rows, and their number."""
    rows = {"x": np.array([0.0, 1.5, 1 / 3, 1 / 3]), "y": np.array([-1, 2, 3, 3])}
    document = json.loads(Fingerprint.of(rows, Key(columns=("x", "y"), bits=SINGLE)).to_json())
    assert document == {
        "kind": "fingerprint",
        "version": 2,
        "key": {
            "columns": ["x", "y"],
            "bits": 24,
            "fine": [],
            "alone": [1, 1, 1],
            "both": [1, 1, 1],
            "whole": document["key"]["whole"],
            "tells": True,
        },
        "rows": 4,
        "limit": LARGEST,
        "digests": _b64([0x7DAD0D118E7F16B3, 0xD3339FEB68512613, 0xD892E59697F23426]),
        "finer": [_b64([0x908027EF, 0x9EBCABE2, 0xA9BCDCDF], "<u4")],
        "counts": _b64([1, 1, 2], "<u1"),
        "fresh": _b64([0, 0, 0], "<u1"),
    }

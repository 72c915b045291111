"""Digests depend on the values of a row alone, and a fingerprint holds what it takes to find them again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.digests import distinct, first_rows, numeric_columns, row_digests, shared, width
from pytest_ganvalid.samples.fingerprint import SIZE, Fingerprint, Sketch, fingerprint

FLOATS = hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(width=64, allow_subnormal=False))
SMALL = hnp.arrays(np.int16, st.integers(1, 60), elements=st.integers(0, 9))
ROWS = {name: np.random.default_rng(1).normal(size=5_000) for name in "x"}


@given(FLOATS, st.data())
def test_digests_are_of_rows_and_not_of_tables(x: Any, data: st.DataObject) -> None:
    """Permuted, sliced and otherwise ordered rows have the same digests, which differ where the rows differ."""
    table = Sample({"x": x, "y": x[::-1]})
    digests = row_digests(table)
    order = np.array(data.draw(st.permutations(range(x.size))))
    np.testing.assert_array_equal(row_digests(table.select(order)), digests[order])
    np.testing.assert_array_equal(row_digests(Sample({"y": x[::-1], "x": x}), ["y", "x"]), digests)
    np.testing.assert_array_equal(row_digests(table.first(1)), digests[:1])
    rows = np.stack([x, x[::-1]], axis=1) + 0.0
    rows[np.isnan(rows)] = np.pi
    assert np.unique(digests).size == np.unique(rows, axis=0).shape[0]


def test_equal_numbers_have_equal_digests() -> None:
    """Zero has one sign, NaN one form, and a number one digest in whichever type holds it."""
    payload = np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    assert row_digests(Sample({"x": payload})) == row_digests(Sample({"x": np.array([-np.nan])}))
    values = np.array([-0.0, 1.0, 0.0])
    expected = row_digests(Sample({"x": values}))
    assert expected[0] == expected[2] != expected[1]
    for dtype in (bool, np.int8, np.uint64, np.float16, np.float32, np.longdouble, ">f8"):
        np.testing.assert_array_equal(row_digests(Sample({"x": values.astype(dtype)})), expected)


@pytest.mark.parametrize("bits", [16, 32])
def test_digests_can_be_rounded_to_a_narrower_float(bits: int) -> None:
    """The wide copy of a narrow sample has its digests once rounded, and only then."""
    narrow = Sample({"x": ROWS["x"].astype(f"f{bits // 8}"), "n": np.arange(5_000)})
    wide = Sample({"x": ROWS["x"], "n": np.arange(5_000)})
    np.testing.assert_array_equal(row_digests(wide, widths={"x": bits}), row_digests(narrow))
    assert not np.isin(row_digests(wide), row_digests(narrow)).any()
    with np.errstate(all="raise"):
        assert row_digests(Sample({"x": np.array([1e300, np.inf])}), widths={"x": bits}).tolist().count(0) == 0


def test_digests_do_not_change_with_the_version() -> None:
    """Stored fingerprints stay readable: the digests of some rows are what they were."""
    found = row_digests(Sample({"x": np.array([0.0, 1.5]), "y": np.array([-1, 2])}))
    assert found.tolist() == [0x62966C949A155913, 0x66348181807EBA59]


def test_chunks_do_not_show() -> None:
    """A sample of several chunks has the digests of its parts, and long strides are read right."""
    x = np.random.default_rng(2).normal(size=(100_000, 2))
    whole = row_digests(Sample({"x": x[:, 0], "y": x[:, 1]}))
    parts = [row_digests(Sample({"x": part[:, 0], "y": part[:, 1]})) for part in np.array_split(x, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert np.unique(whole).size == 100_000


def test_only_plain_numbers_make_a_row() -> None:
    """Words, objects and complex numbers are left out of a row, and refused when asked for."""
    table = Sample({"b": np.array([1.0]), "a": np.array([True]), "t": np.array(["w"]), "c": np.array([1j])})
    assert numeric_columns(table) == ("a", "b")
    assert [width(table, name) for name in "ab"] == [64, 64]
    with pytest.raises(InputError, match="the column 't' cannot be part of a row"):
        row_digests(table, ["a", "t"])
    with pytest.raises(InputError, match="no column 'z'"):
        row_digests(table, ["z"])
    with pytest.raises(InputError, match="no column holds real numbers"):
        row_digests(Sample({"t": np.array(["w"])}))


@given(SMALL, SMALL)
def test_counting(a: Any, b: Any) -> None:
    """Distinct rows, their numbers, the shared ones and where they first occur are those of a slow count."""
    digests = row_digests(Sample({"x": a}))
    first, second = distinct(digests), distinct(row_digests(Sample({"x": b})))
    assert (first.values.size, first.repeats) == (len(set(a.tolist())), a.size - len(set(a.tolist())))
    assert first.occurring(2) == sum(a.tolist().count(value) == 2 for value in set(a.tolist()))
    in_first, in_second = shared(first, second)
    np.testing.assert_array_equal(first.values[in_first], second.values[in_second])
    assert in_first.size == len(set(a.tolist()) & set(b.tolist()))
    wanted = first.values[::-1]
    rows = first_rows(digests, wanted)
    np.testing.assert_array_equal(digests[rows], wanted)
    assert all(a.tolist().index(a[row]) == row for row in rows)
    limit = int(first.values[0])
    assert first.up_to(limit).values.tolist() == [limit]


def _rows(seed: int, n: int = 3_000) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=n), "n": rng.poisson(60, n)}


@given(st.lists(st.integers(1, 200), min_size=1, max_size=8), st.booleans(), st.randoms(use_true_random=False))
def test_merged_is_the_same_as_whole(sizes: list[int], discrete: bool, rng: Any) -> None:  # noqa: FBT001
    """However rows are cut into parts, and in whichever order those are merged, the fingerprint is that of all."""
    sizes = [30 * size for size in sizes]
    table = {"n": np.random.default_rng(sum(sizes)).integers(0, 100 if discrete else 10**6, sum(sizes))}
    cuts = np.cumsum(sizes)[:-1]
    parts = [fingerprint({"n": part}) for part in np.split(table["n"], cuts)]
    rng.shuffle(parts)
    merged = parts[0]
    for part in parts[1:]:
        merged = part.merge(merged)
    assert merged == fingerprint(table)
    assert merged == fingerprint({"n": part} for part in np.split(table["n"], cuts))
    assert Fingerprint.from_json(merged.to_json()) == merged


def test_merging_is_associative() -> None:
    """Sums of fingerprints do not depend on brackets, also where one of them is complete and others are not."""
    a, b, c = (fingerprint(_rows(seed, n)) for seed, n in ((1, 5_000), (2, 100), (3, 3_000)))
    assert (a + b) + c == a + (b + c) == c + a + b
    assert (a + a).rows == 10_000
    assert set((a + a).wide.counts) == {2}


def test_the_weight_is_not_part_of_a_row() -> None:
    """A weight column is left out, other columns if asked for, and the rest may come in any kind of table."""
    table = _rows(1)
    expected = fingerprint(table)
    assert fingerprint({**table, "w": np.ones(3_000)}, weight="w") == expected
    assert fingerprint({**table, "t": np.array(["a"] * 3_000)}) == expected
    assert fingerprint({**table, "y": table["x"]}, columns=["x", "n"]) == expected
    assert fingerprint(Sample(table)) == fingerprint([table]) == expected
    assert (expected.columns, expected.widths, expected.rows) == (("n", "x"), (64, 64), 3_000)


def test_a_fingerprint_is_small() -> None:
    """Whatever the number of rows, it takes some tens of kilobytes, and ten columns no more than one."""
    rng = np.random.default_rng(3)
    continuous = fingerprint({name: rng.normal(size=100_000) for name in "abcdefghij"})
    repeated = fingerprint({"x": np.tile(rng.normal(size=20_000), 300)[: 300 * 20_000 - 7]})
    assert len(continuous.to_json()) < 40_000
    assert len(repeated.to_json()) < 50_000
    assert Fingerprint.from_json(repeated.to_json()) == repeated


@pytest.mark.parametrize(
    ("events", "options", "error", "text"),
    [
        ([], {}, InputError, "training: there is no table of events"),
        (5, {}, InputTypeError, "training: a int is not a table of events"),
        ({"x": []}, {}, InputError, "training: .*no events"),
        ({"x": [1.0]}, {"columns": "x"}, InputTypeError, r"columns='x' is one name.*columns=\['x'\]"),
        ({"x": [1.0]}, {"columns": ["y"]}, InputError, "no column 'y'"),
        ({"x": [1.0], "t": ["a"]}, {"columns": ["x", "t"]}, InputError, r"columns \['t'\] do not hold"),
        ({"t": ["a"]}, {}, InputError, r"training: columns \['t'\] do not hold real numbers"),
        ({"x": [1.0]}, {"columns": []}, InputError, "training: columns"),
        ([{"x": [1.0]}, {"y": [1.0]}], {}, InputError, r"columns \['x'\] and \['y'\] do not add up"),
    ],
)
def test_refusals(events: object, options: dict[str, Any], error: type[Exception], text: str) -> None:
    """What has no rows of numbers has no fingerprint, and the error says what to do."""
    with pytest.raises(error, match=text):
        fingerprint(events, **options)


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for name in path[:-1]:
            data = data[name]
        data[path[-1]] = to

    return change


def _b64(values: list[int], dtype: str = "<u8") -> str:
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_set("version", to=2), "expected JSON of kind 'fingerprint', version 1"),
        (_set("kind", to="report"), "got kind 'report'"),
        (_set("other", to=1), r"unknown \['other'\]"),
        (_set("rows", to=-1), "cannot hold"),
        (_set("rows", to=10), "a fingerprint of 10 rows cannot hold"),
        (_set("rows", to=2**70), "cannot hold"),
        (_set("rows", to=True), "expected int; got True"),
        (_set("rows", to="3000"), "expected int"),
        (_set("columns", to=["x", "n"]), "sorted and distinct"),
        (_set("columns", to=[]), "needs the names"),
        (_set("columns", to="nx"), "expected an array of strings"),
        (_set("widths", to=[64]), "16, 32 or 64 bits for each column"),
        (_set("widths", to=[64, 63]), "16, 32 or 64 bits for each column"),
        (_set("widths", to=[64, 64.0]), "expected an array of integers"),
        (_set("wide", to=None), "expected digests and counts"),
        (_set("wide", to={}), "expected digests and counts"),
        (_set("wide", "digests", to=5), "expected digests and counts"),
        (_set("wide", "digests", to="?"), "not base64"),
        (_set("wide", "digests", to="ä"), "not base64"),
        (_set("wide", "digests", to="A" * 30_000), "expected digests and counts of at most"),
        (_set("wide", "digests", to="AAAA"), "do not belong together"),
        (_set("wide", "digests", to=""), "not a sketch"),
        (_set("wide", "digests", to=_b64([2, 1])), "not a sketch"),
        (_set("wide", "digests", to=_b64([1, 1])), "not a sketch"),
        (_set("wide", "digests", to=_b64(list(range(SIZE + 1)))), "not a sketch"),
        (_set("wide", "digests", to=_b64([1, 2])), "cannot hold 2 of them"),
        (_set("wide", "counts", to=_b64([1] * 3, "<u1")), "do not belong together"),
        (_set("wide", "counts", to=_b64([0] * SIZE, "<u1")), "not a sketch"),
        (_set("wide", "counts", to=_b64([2**63] * SIZE)), "digests and counts of at most|not a sketch"),
    ],
)
def test_hostile_fingerprints_are_refused(change: Callable[[dict[str, Any]], None], text: str) -> None:
    """A file that was tampered with, cut or written by another version is refused, with what is wrong."""
    data = json.loads(fingerprint(_rows(1)).to_json())
    change(data)
    with pytest.raises(InputError, match=text):
        Fingerprint.from_json(json.dumps(data))


def test_texts_that_are_no_fingerprint() -> None:
    """What is not JSON, or not an object, is refused."""
    for text in ("", "{", "[]", "null", b"\xff"):
        with pytest.raises(InputError, match="JSON"):
            Fingerprint.from_json(text)


def test_a_sketch_is_checked() -> None:
    """A sketch made by hand must be one."""
    assert Sketch(digests=(1, 2), counts=(1, 1)).limit == 2**64 - 1
    for digests, counts in (((1,), ()), ((2**64,), (1,)), ((-1,), (1,)), ((), ())):
        with pytest.raises(InputError, match="not a sketch"):
            Sketch(digests=digests, counts=counts)


def test_labels_and_numbers_of_events_are_left_out() -> None:
    """Columns that may differ between copies of an event are no part of a fingerprint unless named, or alone."""
    rng = np.random.default_rng(4)
    n = 3_000
    label, number, constant = rng.integers(0, 20, n), rng.permutation(n), np.full(n, 7)
    counts = rng.poisson(100, n)
    table = {"x": rng.normal(size=n), "n": counts, "label": label, "id": number, "one": constant}
    mark = fingerprint(table)
    assert mark.columns == ("n", "x")
    assert Fingerprint.from_json(mark.to_json()).columns == ("n", "x")
    assert fingerprint(table, columns=["x", "id"]).columns == ("id", "x")
    assert fingerprint({"n": counts, "label": label, "id": number, "one": constant}).columns == ("label", "n")
    assert fingerprint({"one": constant}).columns == ("one",)
    parts = [Sample(table).select(rows) for rows in (label < 1, label >= 1)]
    assert fingerprint(parts) == mark


@given(st.lists(st.lists(st.floats(width=32), max_size=4), min_size=1, max_size=30), st.data())
def test_digests_of_entries(events: list[list[float]], data: st.DataObject) -> None:
    """Events have equal digests if they have the same entries in the same order, wherever they are in the table."""
    jagged = Entries.of([np.array(event, float) for event in events])
    digests = row_digests(Sample({"jet": jagged}))
    order = np.array(data.draw(st.permutations(range(len(events)))))
    np.testing.assert_array_equal(row_digests(Sample({"jet": jagged[order]})), digests[order])
    known = {tuple(np.nan_to_num(np.array(event) + 0.0, nan=np.pi).tolist()) for event in events}
    assert np.unique(digests).size == len(known)


def test_digests_of_entries_do_not_change_with_the_version() -> None:
    """Stored fingerprints of entries stay readable, and chunks do not show."""
    found = row_digests(Sample({"jet": Entries.of([[], [1.0], [1.0, 2.0]]), "x": np.zeros(3)}))
    assert found.tolist() == [0x90E780DBF50C44C8, 0x293823F5ED76555C, 0x6AA751C3214AB95F]
    rng = np.random.default_rng(5)
    counts = rng.poisson(1, 70_000)
    jagged = Entries(rng.normal(size=counts.sum()), counts)
    parts = [row_digests(Sample({"jet": jagged[rows]})) for rows in (slice(0, 100), slice(100, None))]
    np.testing.assert_array_equal(row_digests(Sample({"jet": jagged})), np.concatenate(parts))
    assert fingerprint({"jet": jagged}).columns == ("jet",)

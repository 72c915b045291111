"""Columns with several entries per event are read from any nested array, and follow their events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid import Entries, InputError, InputTypeError
from pytest_ganvalid.samples.entries import concatenated

NESTED = [[1.0, 2.0], [], [3.0]]


def _awkward() -> Any:
    return pytest.importorskip("awkward").Array(NESTED)


def _arrow() -> Any:
    return pytest.importorskip("pyarrow").chunked_array([NESTED[:1], NESTED[1:]])


@pytest.mark.parametrize(
    "make",
    [
        _awkward,
        _arrow,
        lambda: NESTED,
        lambda: [np.array(row) for row in NESTED],
        lambda: Entries(np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1])),
    ],
)
def test_nested_arrays_of_any_kind(make: Callable[[], Any]) -> None:
    """An awkward array, an arrow column of lists, lists and arrays all give the same entries."""
    entries = Entries.of(make())
    assert entries.values.tolist() == [1, 2, 3]
    assert entries.counts.tolist() == [2, 0, 1]
    assert entries.event.tolist() == [0, 0, 2]
    assert (len(entries), entries.shape) == (3, (3,))


def test_a_rectangular_array_has_as_many_entries_in_each_event() -> None:
    """The rows of a 2-D array are events, its columns entries."""
    entries = Entries.of(np.arange(6).reshape(3, 2))
    assert entries.values.tolist() == [0, 1, 2, 3, 4, 5]
    assert entries.counts.tolist() == [2, 2, 2]


@given(st.lists(st.lists(st.integers(-5, 5), max_size=4), max_size=8), st.data())
def test_choosing_events_chooses_their_entries(rows: list[list[int]], data: st.DataObject) -> None:
    """Masks, slices and positions pick the lists of the events they pick."""
    entries = Entries.of(rows)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), dtype=bool)
    positions = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5)) if rows else []
    for key in (mask, slice(1, None, 2), np.array(positions, dtype=int)):
        chosen = entries[key]
        expected = [rows[i] for i in np.arange(len(rows))[key]]
        assert chosen.counts.tolist() == [len(row) for row in expected]
        assert chosen.values.tolist() == [value for row in expected for value in row]


def test_a_function_of_the_entries_keeps_their_events() -> None:
    """Mapping changes the values and nothing else."""
    assert Entries.of(NESTED).map(np.square).values.tolist() == [1, 4, 9]
    assert Entries.of(NESTED).map(np.square).counts.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: Entries(np.ones(3), np.array([1, 1])), InputError, "add up to 2; expected 3"),
        (lambda: Entries(np.ones(1), np.array([2, -1])), InputError, "none negative"),
        (lambda: Entries(np.ones(2), np.array([1.0, 1.0])), InputTypeError, "counts has dtype float64"),
        (lambda: Entries(np.ones((2, 1)), np.array([1, 1])), InputError, "must be one-dimensional"),
        (lambda: Entries.of([1.0, 2.0]), InputError, "event 0 holds 1.0, not a list"),
        (lambda: Entries.of(5.0), InputTypeError, "a float has no entries per event; expected a jagged awkward"),
        (lambda: Entries.of(np.ones(3)), InputError, "not a list of numbers"),
        (lambda: Entries.of(pytest.importorskip("awkward").Array([1, 2])), InputError, "expected one list of numbers"),
        (lambda: Entries.of(pytest.importorskip("awkward").Array([[1, None]])), InputError, "missing entries"),
        (lambda: Entries.of(pytest.importorskip("pyarrow").array([[1], None])), InputError, "1 nulls"),
    ],
)
def test_what_is_not_nested_once_is_refused(
    make: Callable[[], Entries], error: type[gv.GanvalidError], match: str
) -> None:
    """Impossible counts, flat, missing and deeper arrays are errors that say what was expected."""
    with pytest.raises(error, match=match):
        make()


def test_a_jagged_column_by_accident_is_an_error_that_names_the_remedy() -> None:
    """Entries are only taken where they are asked for: the error says how."""
    with pytest.raises(InputError, match=r"Entries\.of"):
        gv.validate({"x": NESTED}, {"x": NESTED}, n_required=10)


def test_samples_select_entries_with_their_events() -> None:
    """Keeping some events of a sample keeps their entries and weights."""
    sample = gv.Sample({"jets": Entries.of(NESTED), "x": np.arange(3)}, np.array([1.0, 2.0, 3.0]))
    kept = sample.select(np.array([True, False, True]))
    assert kept["jets"].values.tolist() == [1, 2, 3]
    assert kept["jets"].counts.tolist() == [2, 1]
    assert sample.first(2)["jets"].counts.tolist() == [2, 0]


@pytest.mark.parametrize("kind", ["i1", "i8", "u1", "u4"])
def test_counts_are_integers_of_any_width(kind: str) -> None:
    """Signed and unsigned integers count entries; the counts are held as positions are."""
    entries = Entries(np.ones(3), np.array([1, 2], dtype=kind))
    assert entries.counts.dtype == np.intp
    assert entries.event.tolist() == [0, 1, 1]
    assert entries.shape == (2,)
    assert entries.dtype == np.float64
    assert len(entries) == 2


@pytest.mark.parametrize("counts", [np.array([[1], [1]]), np.array([True, True]), np.array([1.0, 1.0])])
def test_counts_that_are_none(counts: object) -> None:
    """Flags, floats and tables are no counts."""
    with pytest.raises((InputError, InputTypeError), match="counts"):
        Entries(np.ones(2), counts)  # type: ignore[arg-type]


def test_joining() -> None:
    """Columns of some events each are joined in order; one alone is itself; numbers and entries are not mixed."""
    one, other = Entries.of([[1], []]), Entries.of([[2, 3]])
    both = concatenated([one, other])
    assert isinstance(both, Entries)
    assert (both.values.tolist(), both.counts.tolist()) == ([1, 2, 3], [1, 0, 2])
    assert concatenated([one]) is one
    plain = concatenated([np.array([1]), np.array([2, 3])])
    assert isinstance(plain, np.ndarray)
    assert plain.tolist() == [1, 2, 3]
    mixtures: list[list[Any]] = [[one, np.array([1])], [np.array([1]), one]]
    for mixed in mixtures:
        with pytest.raises(InputError, match="some events have one number each, and others any number of entries"):
            concatenated(mixed)


def test_empty_lists_have_no_type() -> None:
    """The type of the entries is that of events that have some; without any it is a float's."""
    assert Entries.of([[], [1, 2], []]).dtype == np.array([1]).dtype
    assert Entries.of([[], []]).values.tolist() == []
    assert Entries.of([[], []]).dtype == np.float64
    assert Entries.of(np.zeros((3, 0))).counts.tolist() == [0, 0, 0]

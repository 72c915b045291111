"""Which rows are in one cluster, and events made of their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_ganvalid import Entries, InputError, InputTypeError, Sample
from pytest_ganvalid.samples.clusters import cluster_keys, clustered, nested


@pytest.mark.parametrize(
    "values",
    [
        np.array([3, 1, 3, -2]),
        np.array([3, 1, 3, -2], dtype=np.int16),
        np.array([3.0, 1.0, 3.0, -2.0]),
        np.array([3, 1, 3, -2], dtype=np.float32),
    ],
)
def test_numbers_are_the_same_in_any_type(values: Any) -> None:
    """Whole numbers have one key, as integers or floats of any width."""
    assert np.array_equal(cluster_keys(values, "id"), cluster_keys(np.array([3, 1, 3, -2]), "id"))


@pytest.mark.parametrize(
    "values",
    [
        np.array([2**60, 2**60 + 1, 2**60]),
        np.array([0.5, 0.25, 0.5]),
        np.array(["a", "b", "a"]),
        np.array(["a", "b", "a"], dtype=object),
        np.array([True, False, True]),
    ],
)
def test_equal_values_have_equal_keys_and_others_do_not(values: Any) -> None:
    """Whatever they are, the first and the last value are one cluster and the second is another."""
    keys = cluster_keys(values, "id")
    assert keys.dtype == np.uint64
    assert keys[0] == keys[2] != keys[1]


def test_text_is_the_same_however_it_is_stored() -> None:
    """Fixed-width text and objects have the same keys, so that the sides may differ in it."""
    fixed, objects = np.array(["run1", "run22"]), np.array(["run22", "run1"], dtype=object)
    assert np.array_equal(cluster_keys(fixed, "id"), cluster_keys(objects, "id")[::-1])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.array([1.0, np.nan]), InputError, "id is missing or NaN in 1 of 2 rows; give a row by itself"),
        (np.array(["a", None], dtype=object), InputError, "missing or NaN in 1 of 2 rows"),
        (np.array([1, "a"], dtype=object), InputTypeError, "expected integers, floats or text"),
        (np.array([1j, 2j]), InputTypeError, "expected integers, floats or text"),
        (Entries(np.arange(3), np.array([1, 2])), InputError, "any number of entries per row"),
    ],
)
def test_keys_that_say_nothing(values: Any, error: type[Exception], message: str) -> None:
    """Missing values, several for a row, and other kinds are refused."""
    with pytest.raises(error, match=message):
        cluster_keys(values, "id")


def test_the_column_is_taken_out_of_the_sample() -> None:
    """What says the clusters is no column any more, and goes with the events."""
    sample = clustered(Sample({"x": np.arange(4.0), "id": np.array([7, 8, 7, 9])}), "id", "generated")
    assert list(sample.columns) == ["x"]
    assert sample.cluster is not None
    assert sample.cluster.tolist() == [7, 8, 7, 9]
    assert sample.select(np.array([True, False, True, False])).cluster.tolist() == [7, 7]  # type: ignore[union-attr]
    assert sample.first(1).cluster.tolist() == [7]  # type: ignore[union-attr]
    assert clustered(sample, None, "generated") is sample
    with pytest.raises(InputError, match=r"generated: the sample has no column but 'id'"):
        clustered(Sample({"id": np.arange(3)}), "id", "generated")


def test_rows_become_the_entries_of_events() -> None:
    """Rows of one key are one event, in the order of their own, and what an event has once it keeps once."""
    rows = {"pt": np.arange(5.0), "event": np.array([2, 1, 2, 1, 2]), "run": np.array([8, 4, 8, 4, 8])}
    events = nested(rows, "event", {"run"}, "generated")
    assert isinstance(events["pt"], Entries)
    assert events["pt"].counts.tolist() == [2, 3]
    assert events["pt"].values.tolist() == [1, 3, 0, 2, 4]
    assert (events["event"].tolist(), events["run"].tolist()) == ([1, 2], [4, 8])  # type: ignore[union-attr]


def test_what_makes_no_events() -> None:
    """A number of the event that differs between its rows, and rows of several entries, are refused."""
    event = np.array([1, 1, 2])
    with pytest.raises(InputError, match=r"column 'w' differs between the rows of an event"):
        nested({"event": event, "w": np.array([1.0, 2.0, 1.0])}, "event", {"w"}, "generated")
    with pytest.raises(InputError, match=r"column 'x' has several entries in each row"):
        nested({"event": event, "x": Entries(np.arange(3.0), np.ones(3, dtype=int))}, "event", (), "generated")

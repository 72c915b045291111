"""Reducing expressions make one number of the entries of each event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputTypeError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.columns import FUNCTIONS, Reduction, inner_columns, parse


@given(st.lists(st.lists(st.integers(-100, 100), max_size=4), max_size=12))
def test_any_events(events: list[list[int]]) -> None:
    """Whichever events are empty, each event is reduced by itself: the first, the last, all of them."""
    entries = Entries(np.array([x for event in events for x in event], dtype=float), np.array([*map(len, events)], int))
    np.testing.assert_array_equal(Reduction("count", "x").of(entries), [len(event) for event in events])
    np.testing.assert_array_equal(Reduction("sum", "x").of(entries), [sum(event) for event in events])
    largest = [max(event, default=np.nan) for event in events]
    np.testing.assert_array_equal(Reduction("leading", "x").of(entries), largest)


@pytest.mark.parametrize("dtype", ["i2", "u1", "f4", "?"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_types(function: str, dtype: str) -> None:
    """Entries of any type of number give float64, and what the type cannot hold is not lost."""
    entries = Entries(np.array([1, 1, 1], dtype=dtype), np.array([3]))
    found = Reduction(function, "x").of(entries)
    assert found.dtype == np.float64
    if isinstance(found, Entries):
        assert found.values.tolist() == [1.0] * 3
        assert found.counts.tolist() == [3]
    else:
        assert found.tolist() == [1.0 if function == "leading" else 3.0]


def test_missing_entries() -> None:
    """An entry that is NaN makes its event NaN, and no other."""
    entries = Entries(np.array([1.0, np.nan, 5.0]), np.array([2, 1]))
    for function in ("leading", "sum"):
        np.testing.assert_array_equal(Reduction(function, "x").of(entries), [np.nan, 5.0])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_parsed(function: str) -> None:
    """An expression is read, whatever the column is called, and comes back as it was."""
    for column in ("x", "jets/pt", "Jet.PT", "a (b)", "sum(x)"):
        assert parse(f"{function}({column})") == Reduction(function, column)
        assert str(Reduction(function, column)) == f"{function}({column})"
    assert parse(f" {function}( x ) ") == Reduction(function, "x")


@pytest.mark.parametrize(
    "name", ["x", "mean(x)", "sum", "sum()", "sum( )", "my sum(x)", "sum(x) [GeV]", "sum(x)+sum(y)", ""]
)
def test_names(name: str) -> None:
    """The name of a column is not taken for an expression, even with parentheses in it."""
    assert parse(name) is None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_plain_columns(function: str) -> None:
    """A column with one value per event is refused, with what to write instead."""
    with pytest.raises(InputTypeError, match=rf"{function}\(x\) reduces several entries .*; give 'x' alone"):
        Reduction(function, "x").of(np.arange(3.0))


def test_text() -> None:
    """Entries that are no numbers are refused."""
    with pytest.raises(InputTypeError, match="column 'x' has dtype <U1; expected real numbers"):
        Reduction("sum", "x").of(Entries(np.array(["a"]), np.array([1])))


def test_functions() -> None:
    """There are four functions, and no other name is one."""
    assert FUNCTIONS == ("leading", "sum", "count", "entries")
    assert [parse(f"{name}(x)") for name in FUNCTIONS] == [Reduction(name, "x") for name in FUNCTIONS]
    assert parse("mean(x)") is None
    assert str(Reduction("sum", "pt")) == "sum(pt)"


def test_numbers_are_float64() -> None:
    """A sum of nothing is 0, the largest of nothing NaN, and the number of nothing 0, all of them float64."""
    none = Entries(np.zeros(0), np.array([0, 0]))
    found: dict[str, Any] = {name: Reduction(name, "x").of(none) for name in FUNCTIONS}
    assert found["sum"].tolist() == [0, 0]
    assert np.isnan(found["leading"]).all()
    assert found["count"].tolist() == [0, 0]
    assert found["entries"].counts.tolist() == [0, 0]
    assert {Reduction(name, "x").of(none).dtype for name in FUNCTIONS} == {np.dtype(np.float64)}


def test_the_column_that_a_name_stands_for() -> None:
    """A column of that very name comes first, then the one within an expression; any other name stands for itself."""
    assert inner_columns("sum(jet)", ["jet"]) == ("jet",)
    assert inner_columns("sum(jet)", ["jet", "sum(jet)"]) == ("sum(jet)",)
    assert inner_columns("sum(p)", ["p.1", "p.0", "q"]) == ("p.0", "p.1")
    assert inner_columns("sum(q)", ["p.0"]) == ("q",)
    assert inner_columns("mass", ["jet"]) == ("mass",)

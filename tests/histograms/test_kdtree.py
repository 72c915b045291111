"""The cells of a k-d tree hold the events that their words say."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms import kdtree as module
from pytest_ganvalid.histograms.kdtree import Cells, Cut
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells

NAN, INF = np.nan, np.inf
TREE = Cells(("x", "y"), Cut(0, 1.0, Cut(1, 0.5, None, None, 2), Cut(0, 3.0, None, Cut(1, -2.0, None, None, 2), 3), 5))
SHAPES = st.tuples(st.integers(2, 400), st.integers(1, 6), st.integers(2, 70), st.integers(0, 2**32))


def _fits(label: str, event: dict[str, float]) -> bool:
    """Whether an event fits the words of a cell."""
    other = re.findall(r"(\w) other than ([^\s,]+)", label)
    if other and all(event[name] == float(value) for name, value in other):
        return False
    for name, low, high, sign, edge in re.findall(r"(\w) (?:in \[(\S+), (\S+)\)|(<|>=|=) ([^\s,]+))", label):
        if sign == "=" and event[name] != float(edge):
            return False
        bottom, top = (low, high) if low else (edge, "inf") if sign in (">=", "=") else ("-inf", edge)
        if not float(bottom) <= event[name] < float(top):
            return False
    return True


@given(SHAPES)
def test_labels_say_what_a_cell_is(shape: tuple[int, int, int, int]) -> None:
    """Every event fits the words of one cell and of no other; integers are written exactly."""
    events, columns, bins, seed = shape
    values = list(np.random.default_rng(seed).integers(-99, 99, size=(columns, events)).astype(np.float64))
    try:
        cells = kdtree_cells(values, None, bins, "error", "abcdef"[:columns])
    except InputError:
        return
    labels = [cells.label(i, i) for i in range(cells.shape[0])]
    for row, cell in zip(zip(*values, strict=True), cells.index(values), strict=True):
        event = dict(zip(cells.names, row, strict=True))
        assert [i for i, label in enumerate(labels) if _fits(label, event)] == [cell]


def test_cells_of_a_hand_made_tree() -> None:
    """Events go below a cut or, from the cut on, above it, and cells are numbered from the left."""
    x, y = np.array([0.0, 0.0, 1.0, 2.9, 3.0, 3.0]), np.array([0.4, 0.5, 9.0, -9.0, -2.1, -2.0])
    assert TREE.shape == (5,)
    assert TREE.index([x, y]).tolist() == [0, 1, 2, 2, 3, 4]
    assert TREE.index([x[:0], y[:0]]).tolist() == []
    assert TREE.path().tolist() == [0, 1, 2, 3, 4]


@given(SHAPES, st.sampled_from([1 << 19, 40]), st.sampled_from(["overflow", "underflow", "separate"]))
def test_cells_of_many_events_are_those_of_few(shape: tuple[int, int, int, int], largest: int, nonfinite: str) -> None:
    """A table of the cells, of the whole tree or of parts of it, says what cutting the events says."""
    events, columns, bins, seed = shape
    rng = np.random.default_rng(seed)
    values = list(rng.integers(-9, 9, size=(columns, events)) / 4)
    cells = kdtree_cells([rng.normal(size=200) for _ in values], None, bins, nonfinite, "abcdef"[:columns])
    if isinstance(cells.root, Cut):  # on a cut, too
        values[cells.root.column][0] = cells.root.at
    values[0][-1] = rng.choice([NAN, INF, -INF])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MAX_ENTRIES", largest)
        module._cell_table.cache_clear()
        patch.setattr(module, "_TABLE_EVENTS", 1 << 60)
        expected = cells.index(values)
        patch.setattr(module, "_TABLE_EVENTS", 1)
        patch.setattr(module, "_BLOCK", 17)
        assert np.array_equal(cells.index(values), expected)
    module._cell_table.cache_clear()


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        (0, 0, "x < 1, y < 0.5"),
        (2, 2, "x in [1, 3)"),
        (4, 4, "x >= 3, y >= -2"),
        (0, 1, "x < 1"),
        (3, 4, "x >= 3"),
        (2, 4, "x >= 1"),
        (1, 2, "x < 1, y >= 0.5 to x in [1, 3)"),
        (2, 3, "x in [1, 3) to x >= 3, y < -2"),
        (0, 4, "all"),
    ],
)
def test_labels(first: int, last: int, label: str) -> None:
    """Merged cells that form a box are named as a box, others by both ends."""
    assert TREE.label(first, last) == label


def test_labels_of_events_that_are_not_finite() -> None:
    """Cells of NaN are named so, whether they come from an atom or from their own cell."""
    separate = Cells(TREE.names, TREE.root, "separate")
    assert separate.label(5, 5) == "NaN or infinite"
    assert separate.label(3, 5) == "x >= 3 or NaN or infinite"
    values = [np.where(np.arange(100) % 2, NAN, np.arange(100.0))]
    cells = kdtree_cells(values, None, 4, "overflow", ["a"])
    assert cells.label(cells.shape[0] - 1, cells.shape[0] - 1) == "a NaN or infinite"
    assert np.bincount(cells.index(values))[-1] == 50


def test_places_of_events_that_are_not_finite() -> None:
    """NaN and infinite values lie below or above all numbers of their column, or in a cell of their own."""
    bad = np.array([NAN, INF, -INF])
    zero = np.zeros(3)
    assert Cells(TREE.names, TREE.root, "underflow").index([bad, zero]).tolist() == [0, 0, 0]
    assert Cells(TREE.names, TREE.root, "overflow").index([bad, zero]).tolist() == [4, 4, 4]
    assert Cells(TREE.names, TREE.root, "overflow").index([zero, bad]).tolist() == [1, 1, 1]
    separate = Cells(TREE.names, TREE.root, "separate")
    assert separate.shape == (6,)
    assert separate.index([np.append(bad, 0.0), np.append(zero, NAN)]).tolist() == [5, 5, 5, 5]
    assert separate.index([zero, zero]).tolist() == [0, 0, 0]

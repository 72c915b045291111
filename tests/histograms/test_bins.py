"""Bins know their words, their neighbours, and which of them an event goes into."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs, Unlabelled, snake

AXIS = Axis((0.0, 1.0, 2.5))
SLABS = Slabs(Axis((0.0,)), (Axis((0.0, 1.0)), Axis((5.0,))))
HUGE = float(np.finfo(np.float64).max)


def _labels(axis: Axis) -> list[str]:
    return [axis.label(i, i) for i in range(axis.size)]


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (AXIS, ["< 0", "[0, 1)", "[1, 2.5)", ">= 2.5"]),
        (Axis((0.0, 1.0), underflow=False), ["[0, 1)", ">= 1"]),
        (Axis((0.0, 1.0), overflow=False), ["< 0", "[0, 1)"]),
        (Axis((0.0, 1.0, 2.0), underflow=False, overflow=False), ["[0, 1)", "[1, 2)"]),
        (Axis((3.0,)), ["< 3", ">= 3"]),
        (Axis((3.0,), nonfinite="separate"), ["< 3", ">= 3", "NaN or infinite"]),
        (Axis((0.0, 1.0), nonfinite="separate"), ["< 0", "[0, 1)", ">= 1", "NaN or infinite"]),
        (Axis(categories=("a", "b"), underflow=False), ["a", "b", "overflow"]),
        (Axis(categories=("a", "b"), underflow=False, overflow=False), ["a", "b"]),
        (Axis(categories=("3", "4")), ["underflow", "3", "4", "overflow"]),
    ],
)
def test_labels_of_single_bins(axis: Axis, labels: list[str]) -> None:
    """Every bin of every kind of axis has words of its own."""
    assert _labels(axis) == labels
    assert axis.size == len(labels)


@pytest.mark.parametrize(
    ("axis", "first", "last", "label"),
    [
        (AXIS, 0, 1, "< 1"),
        (AXIS, 0, 2, "< 2.5"),
        (AXIS, 1, 2, "[0, 2.5)"),
        (AXIS, 1, 3, ">= 0"),
        (AXIS, 2, 3, ">= 1"),
        (AXIS, 0, 3, "all"),
        (Axis((3.0,)), 0, 1, "all"),
        (Axis((0.0, 1.0), nonfinite="separate"), 1, 3, ">= 0 or NaN or infinite"),
        (Axis((0.0, 1.0), nonfinite="separate"), 2, 3, ">= 1 or NaN or infinite"),
        (Axis((0.0, 1.0), nonfinite="separate"), 0, 3, "all or NaN or infinite"),
        (Axis(categories=("a", "b", "c"), underflow=False), 0, 1, "a to b"),
        (Axis(categories=("a", "b", "c"), underflow=False), 1, 3, "b to overflow"),
    ],
)
def test_labels_of_merged_bins(axis: Axis, first: int, last: int, label: str) -> None:
    """Merged bins are named by their outer ends."""
    assert axis.label(first, last) == label


def test_labels_tell_close_edges_apart() -> None:
    """Edges that differ in the tenth digit only, or by one unit in the last place, get as many digits as it takes."""
    axis = Axis((1.0, 1.0000000001, 1.0000000002, 5.0))
    assert _labels(axis)[1:4] == ["[1, 1.0000000001)", "[1.0000000001, 1.0000000002)", "[1.0000000002, 5)"]
    atom = Axis((0.1, float(np.nextafter(0.1, 1)), 0.2))
    assert len(set(_labels(atom))) == 4
    assert _labels(Axis((123456.0, 123457.0, 123458.0)))[1] == "[123456, 123457)"


@pytest.mark.parametrize(
    ("kind", "arguments", "options", "labels"),
    [
        ("Regular", (2, 0, 1), {}, ["< 0", "[0, 0.5)", "[0.5, 1)", ">= 1"]),
        ("Regular", (2, 0, 1), {"underflow": False}, ["[0, 0.5)", "[0.5, 1)", ">= 1"]),
        ("Regular", (2, 0, 1), {"overflow": False}, ["< 0", "[0, 0.5)", "[0.5, 1)"]),
        ("Regular", (2, 0, 1), {"circular": True}, ["[0, 0.5)", "[0.5, 1)", ">= 1"]),
        ("Variable", ([0, 1, 3],), {}, ["< 0", "[0, 1)", "[1, 3)", ">= 3"]),
        ("Integer", (2, 4), {}, ["underflow", "2", "3", "overflow"]),
        ("Integer", (2, 4), {"circular": True}, ["2", "3"]),
        ("Boolean", (), {}, ["0", "1"]),
        ("StrCategory", (["ab", "b"],), {}, ["ab", "b", "overflow"]),
        ("StrCategory", (["ab", "b"],), {"growth": True}, ["ab", "b"]),
        ("IntCategory", ([5, 7],), {}, ["5", "7", "overflow"]),
    ],
)
def test_axes_of_histograms(kind: str, arguments: tuple[Any, ...], options: dict[str, bool], labels: list[str]) -> None:
    """Every kind of boost-histogram axis is read with exactly the flow bins it has."""
    bh: Any = pytest.importorskip("boost_histogram")
    axis = getattr(bh.axis, kind)(*arguments, **options)
    assert _labels(Axis.from_uhi(axis, bh.Histogram(axis).values(flow=True).size)) == labels


@settings(derandomize=True, deadline=None)
@given(
    edges=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8, unique=True).map(sorted),
    values=st.lists(st.floats(-2e9, 2e9), min_size=1, max_size=20),
)
def test_index_is_digitize(edges: list[float], values: list[float]) -> None:
    """Finite values go where numpy.digitize puts them: bin i is [edge i-1, edge i)."""
    np.testing.assert_array_equal(Axis(tuple(edges)).index(np.array(values)), np.digitize(values, edges))


@pytest.mark.parametrize(("nonfinite", "place"), [("underflow", 0), ("overflow", 3), ("separate", 4)])
def test_nonfinite_values(nonfinite: str, place: int) -> None:
    """NaN and both infinities go where the policy says, alone or among values of any size, without a warning."""
    axis = Axis((0.0, 1.0, 2.5), nonfinite=nonfinite)
    bad = [np.nan, np.inf, -np.inf]
    assert axis.index(np.array(bad)).tolist() == [place] * 3
    assert axis.index(np.array([0.5, *bad, HUGE, HUGE, -HUGE])).tolist() == [1, place, place, place, 3, 3, 0]
    assert axis.index(np.array([np.nan])).tolist() == [place]
    assert axis.index(np.array([])).tolist() == []


@pytest.mark.parametrize("shape", [(1,), (7,), (1, 5), (5, 1), (4, 6), (3, 3)])
def test_snakes_visit_every_bin_once(shape: tuple[int, ...]) -> None:
    """A path visits every bin once, and consecutive bins are neighbours."""
    for path in (snake(shape), Unlabelled(shape).path()):
        assert sorted(path) == list(range(int(np.prod(shape))))
        steps = np.abs(np.diff(np.stack(np.unravel_index(path, shape)), axis=1)).sum(axis=0)
        assert (steps == 1).all()


def test_paths_of_grids_and_slabs() -> None:
    """Grids are walked with their flow bins, slabs one forwards and the next backwards."""
    grid = Grid((AXIS, Axis((0.0,))))
    np.testing.assert_array_equal(grid.path(), snake((4, 2)))
    assert SLABS.path().tolist() == [0, 1, 2, 4, 3]
    three = Slabs(Axis((0.0, 1.0)), (Axis((0.0,)), Axis((0.0, 1.0)), Axis((0.0,))))
    assert three.path().tolist() == [0, 1, 4, 3, 2, 5, 6]


def test_grid_positions() -> None:
    """The flat position of an event is that of its row and column."""
    grid = Grid((AXIS, Axis((0.0,))))
    x, y = np.array([-1.0, 0.5, 9.0, 9.0]), np.array([-1.0, 1.0, -1.0, 1.0])
    assert grid.index([x, y]).tolist() == [0, 3, 6, 7]
    assert Grid((AXIS,)).index([x]).tolist() == [0, 1, 3, 3]


def test_grid_labels() -> None:
    """Merged cells of one row are a rectangle; a stretch of several rows is named by its ends."""
    grid = Grid((AXIS, Axis((0.0, 1.0))))
    assert grid.label(0, 0) == "< 0 x < 0"
    assert grid.label(3, 4) == "[0, 1) x < 1"
    assert grid.label(4, 3) == "[0, 1) x < 1"  # backwards, as on every other row of the path
    assert grid.label(1, 4) == "< 0 x [0, 1) to [0, 1) x [0, 1)"
    assert Grid((AXIS,)).label(1, 2) == "[0, 2.5)"


def test_positions_without_edges() -> None:
    """Bins of an array are named by their position."""
    assert Unlabelled((5,)).label(2, 2) == "bin 2"
    assert Unlabelled((5,)).label(2, 4) == "bins 2 to 4"
    assert Unlabelled((2, 3)).label(1, 5) == "bins (0, 1) to (1, 2)"


def test_slabs() -> None:
    """The cells of slabs are numbered slab by slab, each by its own axis."""
    assert SLABS.shape == (5,)
    assert SLABS.offsets.tolist() == [0, 3]
    x, y = np.array([-1.0, -1.0, -1.0, 1.0, 1.0]), np.array([-1.0, 0.5, 7.0, 4.0, 7.0])
    assert SLABS.index([x, y]).tolist() == [0, 1, 2, 3, 4]


def test_slab_labels() -> None:
    """A cell is named by its slab and its own cut; a stretch over slabs by its ends."""
    assert [SLABS.label(i, i) for i in range(5)] == [
        "< 0 x < 0",
        "< 0 x [0, 1)",
        "< 0 x >= 1",
        ">= 0 x < 5",
        ">= 0 x >= 5",
    ]
    assert SLABS.label(0, 1) == "< 0 x < 1"
    assert SLABS.label(4, 3) == ">= 0 x all"
    assert SLABS.label(2, 4) == "< 0 x >= 1 to >= 0 x >= 5"


def test_slabs_place_nonfinite_values_in_either_column() -> None:
    """NaN in x, in y or in both gets cells of its own when they are kept separate."""
    axis = Axis((0.0,), nonfinite="separate")
    slabs = Slabs(axis, (axis, axis, axis))
    nan = np.nan
    assert slabs.index([np.array([1.0, 1.0, nan, nan]), np.array([1.0, nan, 1.0, nan])]).tolist() == [4, 5, 7, 8]


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [
        (AXIS, AXIS, ""),
        (AXIS, Axis((0.0, 1.0 + 1e-13, 2.5)), ""),
        (AXIS, Axis((0.0, 1.0, 2.6)), "edge 2 is 2.5 and 2.6"),
        (Axis((0.0, 1e-9, 1.0)), Axis((0.0, 1.1e-9, 1.0)), "edge 1 is 1e-09 and 1.1e-09"),
        (Axis((0.0, np.inf)), Axis((0.0, np.inf)), ""),
        (Axis(categories=("a", "b")), Axis(categories=("a", "c")), "category 1 is 'b' and 'c'"),
        (Axis((0.0, 1.0), overflow=False), Axis((0.0, 1.0), underflow=False), "bin 0 is '< 0' and '[0, 1)'"),
    ],
)
def test_differences_of_axes(ours: Axis, theirs: Axis, text: str) -> None:
    """Two axes differ if any edge, category or flow bin does, rounding apart."""
    assert ours.difference(theirs) == text

"""How bins of every kind lie to each other."""

from __future__ import annotations

import numpy as np

from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs, Unlabelled, WithOutside
from pytest_ganvalid.histograms.kdtree import Cells, Cut, Guard
from pytest_ganvalid.histograms.layout import Arrangement, Layout

EDGES = Axis((0.0, 1.0, 2.0))  # four bins, those of flow included


def test_one_axis_is_a_line_and_an_angle_a_circle() -> None:
    """Bins of one axis lie in order, on a circle where the axis says so."""
    assert Grid((EDGES,)).layout().arrangement is Arrangement.LINE
    assert Unlabelled((4,)).layout().positions.tolist() == [[0], [1], [2], [3]]
    angle = Axis((0.0, 1.0, 2.0), underflow=False, overflow=False, circular=True)
    assert Grid((angle,)).layout().arrangement is Arrangement.CIRCLE


def test_categories_have_no_order() -> None:
    """A grid with an axis of categories has no smooth functions."""
    categories = Axis(categories=("e", "mu"), underflow=False, overflow=False)
    layout = Grid((categories, EDGES)).layout()
    assert layout.arrangement is Arrangement.NONE
    assert layout.positions.shape == (8, 0)
    assert layout.with_last().positions.shape == (9, 0)


def test_grids_and_slabs_have_two_positions() -> None:
    """The first is along x, the second along y; within its slab, where each slab is cut on its own."""
    assert Grid((EDGES, EDGES)).layout().positions[5].tolist() == [1, 1]
    slabs = Slabs(Axis((0.0,)), (Axis((0.0,)), Axis((0.0, 1.0))))
    layout = slabs.layout()
    assert layout.arrangement is Arrangement.SLABS
    assert layout.positions.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]]


def test_what_is_outside_a_selection_comes_last() -> None:
    """It is after all bins inside, along the first axis."""
    layout = WithOutside(Grid((EDGES, EDGES))).layout()
    assert layout.positions[-1].tolist() == [4, 0]
    assert len(layout.positions) == 17


def tree(depth: int) -> Cut | None:
    """A tree of 2^depth cells."""
    if not depth:
        return None
    return Cut(0, 0.0, tree(depth - 1), tree(depth - 1), 2**depth)


def test_a_tree_has_ten_parts() -> None:
    """The node with most cells is opened first, of equal ones the first, until there are ten."""
    root = tree(5)
    assert root is not None
    layout = Cells(("x",), root).layout()
    assert layout.arrangement is Arrangement.PARTS
    assert np.bincount(layout.positions[:, 0]).tolist() == [2, 2, 2, 2, *[4] * 6]


def test_small_trees_have_a_part_for_each_cell() -> None:
    """Also for the cell outside a guard, and for values that are not finite."""
    guard = Guard((0,), (1.0,), tree(1), 3)
    assert Cells(("x",), guard).layout().positions[:, 0].tolist() == [0, 1, 2]
    assert Cells(("x",), guard, "separate").layout().positions[:, 0].tolist() == [0, 1, 2, 3]


def test_merged_bins_lie_where_the_one_that_stands_for_them_does() -> None:
    """`at` picks positions."""
    assert Layout.line(5).at(np.array([1, 4])).positions.tolist() == [[1], [4]]

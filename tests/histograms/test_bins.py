"""Bins know their words, their neighbours, and which of them an event goes into."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.binning import axis_of_values
from pytest_ganvalid.histograms.bins import (
    Axis,
    Bins,
    Grid,
    Nominal,
    Slabs,
    Unlabelled,
    WithOutside,
    plain_axis,
    refuse_nonfinite,
    snake,
)

AXIS = Axis((0.0, 1.0, 2.5))
SLABS = Slabs(Axis((0.0,)), (Axis((0.0, 1.0)), Axis((5.0,))))
ABOVE_ZERO = 5e-324
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
        ("Regular", (2, 0, 1), {"circular": True}, ["[0, 0.5)", "[0.5, 1)", "NaN or infinite"]),
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


OUTSIDE = WithOutside(Grid((Axis((0.0, 1.0)), Axis((5.0,)))))


def test_outside() -> None:
    """The bin outside a selection is one more, the last of the path, and is named with what is merged into it."""
    assert OUTSIDE.shape == (7,)
    assert OUTSIDE.path().tolist() == [0, 1, 3, 2, 4, 5, 6]
    assert OUTSIDE.label(0, 0) == "< 0 x < 5"
    assert OUTSIDE.label(6, 6) == "outside the selection"
    assert OUTSIDE.label(5, 6) == ">= 1 x >= 5 or outside the selection"
    assert OUTSIDE.label(3, 6) == "[0, 1) x >= 5 to >= 1 x >= 5 or outside the selection"


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ((1,), [0]),
        ((4,), [0, 1, 2, 3]),
        ((1, 3), [0, 1, 2]),
        ((2, 3), [0, 1, 2, 5, 4, 3]),
        ((3, 2), [0, 1, 3, 2, 4, 5]),
        ((3, 1), [0, 1, 2]),
    ],
)
def test_paths(shape: tuple[int, ...], path: list[int]) -> None:
    """A path goes along rows, every other one backwards, so that consecutive bins are neighbours."""
    assert snake(shape).tolist() == path
    assert Unlabelled(shape).path().tolist() == path


def test_paths_of_slabs() -> None:
    """Of slabs with different numbers of cells, every other one is gone through backwards."""
    slabs = Slabs(Axis((0.0, 1.0)), (Axis((0.0, 1.0)), Axis((5.0,)), Axis((0.0, 1.0, 2.0))))
    assert slabs.path().tolist() == [0, 1, 2, 4, 3, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("bins", "plain"),
    [
        (Grid((Axis((0.0, 1.0)),)), True),
        (Grid((Axis((0.0, 1.0), nonfinite="separate"),)), True),
        (Grid((Axis((0.0, 1.0), underflow=False),)), False),
        (Grid((Axis((0.0, 1.0), overflow=False),)), False),
        (Grid((Axis((), ("a", "b")),)), False),
        (Grid((Axis((0.0,)), Axis((0.0,)))), False),
        (Unlabelled((3,)), False),
    ],
)
def test_plain_axes(bins: Bins, *, plain: bool) -> None:
    """Bins that are looked up by the edges of one axis alone have edges and both flow bins."""
    assert (plain_axis(bins) is not None) is plain


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, np.nan], "it has 1 NaN and 0 infinite values among 2 values; say where"),
        ([np.inf, -np.inf, 0.0], "it has 0 NaN and 2 infinite values among 3 values; say where"),
        ([], ""),
        ([1.0, 1e308, 1e308], ""),
    ],
)
def test_refused_values(values: list[float], text: str) -> None:
    """NaN and infinite values are counted, each by itself."""
    if text:
        with pytest.raises(InputError, match=f"^{text} they belong with nonfinite="):
            refuse_nonfinite(np.array(values))
    else:
        refuse_nonfinite(np.array(values))


@pytest.mark.parametrize(
    ("below", "above", "size", "flows"),
    [
        (True, True, 4, (True, True)),
        (True, False, 3, (True, False)),
        (False, True, 3, (False, True)),
        (False, False, 2, (False, False)),
    ],
)
def test_flow_bins_of_other_libraries(below: bool, above: bool, size: int, flows: tuple[bool, bool]) -> None:  # noqa: FBT001
    """One flow bin is below if the axis says so, else above; two are both."""

    class Other(list[Any]):
        """An axis of two bins."""

        traits = SimpleNamespace(underflow=below, overflow=above)

    axis = Axis.from_uhi(Other([(0.0, 1.0), (1.0, 3.0)]), size)
    assert axis.edges == (0.0, 1.0, 3.0)
    assert (axis.underflow, axis.overflow) == flows
    assert axis.size == size
    words = Axis.from_uhi(Other(["a", "bc"]), size)
    assert words.categories == ("a", "bc")
    assert words.edges == ()
    assert (words.underflow, words.overflow) == flows


def test_categories_in_words() -> None:
    """A category has its name, those below and above have words of their own."""
    axis = Axis((), ("a", "b"))
    assert [axis.label(i, i) for i in range(4)] == ["underflow", "a", "b", "overflow"]
    assert axis.label(1, 2) == "a to b"
    assert axis.label(0, 3) == "underflow to overflow"


@pytest.mark.parametrize(
    ("edges", "first", "last", "text"),
    [
        ((0.0, 1.0), 0, 2, "all"),
        ((0.0, 1.0), 0, 1, "< 1"),
        ((0.0, 1.0), 1, 2, ">= 0"),
        ((0.0, 1.0), 3, 3, "NaN or infinite"),
        ((0.0, 1.0), 2, 3, ">= 1 or NaN or infinite"),
        ((0.0, 1.0), 0, 3, "all or NaN or infinite"),
        ((0.0, ABOVE_ZERO, 1.0), 1, 1, "= 0"),
        ((0.0, ABOVE_ZERO, 1.0), 0, 1, "<= 0"),
        ((0.0, ABOVE_ZERO, 1.0), 2, 3, "> 0"),
        ((0.0, ABOVE_ZERO, 1.0), 2, 2, "(0, 1)"),
        ((-1.0, 0.0, ABOVE_ZERO), 1, 2, "[-1, 0]"),
        ((1.0, 1.00001, 2.0), 1, 1, "[1, 1.00001)"),
        ((123456.0, 123457.0), 1, 1, "[123456, 123457)"),
    ],
)
def test_ranges_in_words(edges: tuple[float, ...], first: int, last: int, text: str) -> None:
    """A range is told by its ends, a single value by itself, with as many digits as keep edges apart."""
    assert Axis(edges, nonfinite="separate").label(first, last) == text


def test_names_in_front() -> None:
    """The name of a column goes in front of a bound, and of a range with a word between."""
    axis = Axis((0.0, ABOVE_ZERO, 1.0), nonfinite="separate")
    found = [axis.label_of("x", i) for i in range(5)]
    assert found == ["x < 0", "x = 0", "x in (0, 1)", "x >= 1", "x in NaN or infinite"]


def test_bins_around_values_are_named_by_them() -> None:
    """A bin around a value is named by it, one between two by its edges, and merged ones by their outer edges."""
    axis = axis_of_values(np.array([-3.5, 10.0, 50.0]))
    assert [axis.label_of("e", i) for i in range(axis.size)] == [
        "e < -6.875",
        "e = -3.5",
        "e in [-0.125, 6.625)",
        "e = 10",
        "e in [20, 40)",
        "e = 50",
        "e >= 60",
    ]
    assert axis.label(1, 3) == "[-6.875, 20)"
    close = axis_of_values(np.array([1.0, 1.0000000001]))
    assert [close.label(i, i) for i in (1, 3)] == ["= 1", "= 1.0000000001"]
    only = axis_of_values(np.array([0.1]))
    assert only.index(np.array([0.1, np.float32(0.1), 0.2, 0.0])).tolist() == [1, 1, 2, 0]
    assert only.label(1, 1) == "= 0.1"


def test_a_selection_adds_an_open_bin() -> None:
    """What bins inside a selection were cut to hold stays, and the one outside is open."""
    inside = Grid((Axis((0.0,)),), Nominal((0.2, 0.3), (1, 1), ()))
    assert WithOutside(inside).nominal == Nominal((0.2, 0.3, 0.0), (1, 1), (2,))
    assert WithOutside(Grid((Axis((0.0,)),))).nominal is None


@given(st.sets(st.integers(-(10**9), 10**9), min_size=1, max_size=9))
def test_values_on_a_given_edge_are_on_it_in_single_precision(thousandths: set[int]) -> None:
    """A value that equals a given edge but for single precision is in the bin that begins there; others stay."""
    edges = [number / 1000 for number in sorted(thousandths)]
    axis = Axis.of_edges(tuple(edges), "error")
    assert axis.edges == tuple(edges)
    assert all(low < high for low, high in zip(axis.cuts, axis.cuts[1:], strict=False))
    exact = np.array(edges)
    widths = np.diff(np.concatenate([[-np.inf], exact, [np.inf]]))
    fine = np.minimum(widths[1:], widths[:-1]) > 2.0**-13 * np.abs(exact)  # that single precision resolves
    positions = np.arange(1, exact.size + 1)
    np.testing.assert_array_equal(axis.index(exact), positions)
    np.testing.assert_array_equal(axis.index(exact.astype(np.float32))[fine], positions[fine])
    np.testing.assert_array_equal(axis.index(np.nextafter(exact, np.inf)), positions)
    below = exact - 0.01 * np.minimum(np.minimum(widths[1:], widths[:-1]), np.abs(exact) + 1e-3)
    np.testing.assert_array_equal(axis.index(below), positions - 1)


def test_edges_that_single_precision_cannot_resolve() -> None:
    """Bins too narrow for single precision, and the bin of a single value, keep the values of double precision."""
    many = Axis.of_edges((1e9, 1e9 + 1, 1e9 + 2), "error")
    np.testing.assert_array_equal(
        many.index(np.array([1e9 - 0.01, 1e9, 1e9 + 0.99, 1e9 + 1, 1e9 + 2])), [0, 1, 1, 2, 3]
    )
    one = Axis.of_edges((0.7, float(np.nextafter(0.7, 1))), "error")
    np.testing.assert_array_equal(
        one.index(np.array([0.69, np.nextafter(0.7, 0), 0.7, np.nextafter(0.7, 1)])), [0, 0, 1, 2]
    )


def test_chosen_edges_are_what_values_are_compared_with() -> None:
    """Edges that were chosen lie between values, and are not moved."""
    axis = Axis((0.7, 0.8))
    assert axis.cuts == axis.edges
    np.testing.assert_array_equal(axis.index(np.array([np.nextafter(0.7, 0), 0.7])), [0, 1])


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20), st.sampled_from([0.0, -np.pi, 100.0]))
def test_circular_axes_wrap_values(values: list[float], low: float) -> None:
    """A value, and the same some periods on, are in one bin, which holds it as an angle."""
    edges = tuple((low + 2 * np.pi * np.arange(9) / 8).tolist())
    axis = Axis.of_edges(edges, "error", circular=True)
    assert (axis.size, axis.underflow) == (9, False)
    angles = np.array(values)
    index = axis.index(angles)
    offset = np.mod((angles - low) / (2 * np.pi) * 8, 8)
    clear = np.abs(offset - np.round(offset)) > 1e-6  # of edges
    np.testing.assert_array_equal(index[clear], np.floor(offset[clear]))
    assert set(index) <= set(range(8))
    for periods in (-3, 1, 2):
        np.testing.assert_array_equal(axis.index(angles + periods * 2 * np.pi)[clear], index[clear])
    np.testing.assert_array_equal(axis.index(np.array(edges)), [*range(8), 0])
    np.testing.assert_array_equal(axis.index(np.array(edges, dtype=np.float32)), [*range(8), 0])


def test_nonfinite_angles() -> None:
    """Values that are no angles are refused, or have a bin of their own, which is named; there is no underflow."""
    angles = np.array([0.5, np.nan, np.inf])
    for place in ("overflow", "separate"):
        axis = Axis.of_edges((0.0, 1.0, 2.0), place, circular=True)
        np.testing.assert_array_equal(axis.index(angles), [0, 2, 2])
        assert _labels(axis) == ["[0, 1)", "[1, 2)", "NaN or infinite"]
        assert axis.label(1, 2) == "[1, 2) or NaN or infinite"
    with pytest.raises(InputError, match="1 NaN"):
        Axis.of_edges((0.0, 1.0, 2.0), "error", circular=True).index(angles)
    with pytest.raises(InputError, match="no underflow for NaN"):
        Axis.of_edges((0.0, 1.0), "underflow", circular=True)
    with pytest.raises(InputError, match="one edge, and so no period"):
        Axis.of_edges((0.0,), "error", circular=True)

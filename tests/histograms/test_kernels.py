"""Compiled loops find what numpy finds, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms import compiled, exact, lookup, repeated
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs
from pytest_ganvalid.histograms.exact import Total, total_by_bin
from pytest_ganvalid.histograms.filling import Filled, filled
from pytest_ganvalid.histograms.kdtree import TOLERANCE, Cells, Cut, Guard, number_of_cells
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.histograms.lookup import BLOCK, Lookup
from pytest_ganvalid.histograms.repeated import Repeated
from pytest_ganvalid.overlaps.digests import PRECISIONS, row_hashes

pytest.importorskip("numba", reason="needs numba")

Array = NDArray[np.float64]
TINY, HUGE = float(np.nextafter(0.0, 1.0)), float(np.finfo(float).max)
RNG = np.random.default_rng(1)
X, Y, Z = RNG.normal(size=(3, 5_000))
ZEROS = np.where(X > 0.4, X, 0.0)
COARSE = np.round(Y * 4) / 4
LOOPS = compiled._loaded()

numbers = st.one_of(
    st.floats(),
    st.floats(-4, 4),
    st.sampled_from([0.0, -0.0, TINY, -TINY, HUGE, -HUGE, 1e300, math.inf, -math.inf, math.nan, 1.0, -1.0, 0.25]),
)
weights = st.one_of(
    st.floats(-1e100, 1e100),
    st.floats(-3, 3),
    st.integers(-5, 5).map(float),
    st.builds(math.ldexp, st.floats(-1, 1), st.integers(-330, 330)),
)
edge_lists = st.one_of(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(-50, 50).map(lambda i: i / 4), min_size=1, max_size=60, unique=True),
    st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20, unique=True),
)


@pytest.fixture(autouse=True)
def _few_are_enough() -> Iterator[None]:
    """Look up few values as many are, by compiled loops, and by several threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "_COMPILED_SIZE", 1)
        patch.setattr(lookup, "_PARALLEL_SIZE", 1)
        yield


def test_they_compile() -> None:
    """Where numba is installed, these tests are of compiled loops."""
    assert LOOPS is not None


@contextmanager
def _compiled(loops: Any) -> Iterator[None]:
    before, compiled._STATE.kernels = compiled._STATE.kernels, loops
    try:
        yield
    finally:
        compiled._STATE.kernels = before


def _same_bits(ours: Total | None, theirs: Total | None) -> None:
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        np.testing.assert_array_equal(ours.leading.view(np.int64), theirs.leading.view(np.int64))
        np.testing.assert_array_equal(ours.rest.view(np.int64), theirs.rest.view(np.int64))


def _fill(loops: Any, bins: Any, columns: Sequence[Any], weight: Any, workers: int) -> Filled | str:
    with _compiled(loops), np.errstate(over="ignore"):
        try:
            return filled(bins, columns, weight, workers=workers)
        except InputError as error:
            return str(error)


def _check(bins: Any, columns: Sequence[Any], weight: Any = None, workers: int = 1) -> None:
    """Fill by both roads: the same contents, or the same error."""
    ours, theirs = (_fill(loops, bins, columns, weight, workers) for loops in (LOOPS, None))
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    _same_bits(ours.sumw, theirs.sumw)
    _same_bits(ours.sumw2, theirs.sumw2)


@given(edge_lists, st.lists(numbers, max_size=60), st.sampled_from(["overflow", "underflow", "separate", "error"]))
@settings(max_examples=300)
def test_any_axis(listed: list[float], values: list[float], nonfinite: str) -> None:
    """Of any edges and any values, those on edges and those that are no numbers, the counts are the same."""
    edges = sorted({x + 0.0 for x in listed})
    with np.errstate(over="ignore"):
        near = [e for edge in edges for e in (edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf))]
    some = np.array([*values, *near])
    for axis in (Axis(tuple(edges), nonfinite=nonfinite), Axis(tuple(edges), nonfinite=nonfinite, given=True)):
        _check(Grid((axis,)), [some])
        _check(Grid((axis,)), [np.resize(some[np.isfinite(some)], 1_500)])
    if len(edges) > 1 and nonfinite == "overflow":
        _check(Grid((Axis.of_edges(tuple(edges), nonfinite, circular=True),)), [some])


@given(st.lists(st.tuples(numbers, weights, st.integers(0, 5)), min_size=1, max_size=40), st.integers(1, 3))
def test_any_weights(rows: list[tuple[float, float, int]], blocks: int) -> None:
    """Sums of any weights, of either sign, huge and small, have the same bits in all their parts."""
    values, weight, index = (np.array(column) for column in zip(*rows, strict=True))
    size = blocks * exact.BLOCK // 2 + 3
    for n in (values.size, size):
        with _compiled(LOOPS):
            ours = total_by_bin(np.resize(index, n), np.resize(weight, n), 6)
        _same_bits(ours, total_by_bin(np.resize(index, n), np.resize(weight, n), 6))
    _check(Grid((Axis((-1.0, 0.0, 0.25, 2.0)),)), [values], weight)


def test_no_values() -> None:
    """Of no values there is nothing, whoever adds it up."""
    for n in (0, 1):
        _check(Grid((Axis((-1.0, 1.0)),)), [X[:n]])
        _check(Grid((Axis((-1.0, 1.0)),)), [X[:n]], Y[:n])
        _check(KINDS["cells"][0], [X[:n], Y[:n], Z[:n]])
        _check(KINDS["slabs"][0], [X[:n], Y[:n]])


KINDS: dict[str, tuple[Any, int]] = {
    "axis": (bins_for(20, [X], None, "separate"), 1),
    "half zero": (bins_for(20, [ZEROS], None, "overflow"), 1),
    "grid": (Grid((Axis((-1.0, 0.0, 0.5), nonfinite="underflow"), Axis((-1.0, 0.25, 1.0)))), 2),
    "slabs": (bins_for(49, [X, Y], None, "separate"), 2),
    "slabs of atoms": (bins_for(30, [ZEROS, COARSE], None, "underflow"), 2),
    "slabs that refuse": (bins_for(30, [X, Y], None, "error"), 2),
    "cells": (kdtree_cells([X, Y, Z], None, 30, "separate", ("x", "y", "z")), 3),
    "cells of atoms": (kdtree_cells([np.ones(5_000), ZEROS, COARSE], None, 30, "overflow", ("x", "y", "z")), 3),
}


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.lists(st.tuples(numbers, numbers, numbers, weights), min_size=1, max_size=30), weighted=st.booleans())
@settings(max_examples=40)
def test_any_bins(kind: str, rows: list[tuple[float, float, float, float]], weighted: bool) -> None:  # noqa: FBT001
    """Bins of one and two columns and cells of trees have the same contents, wherever their values are."""
    bins, dimensions = KINDS[kind]
    *columns, weight = (np.array(column) for column in zip(*rows, strict=True))
    _check(bins, columns[:dimensions], weight if weighted else None)
    tidy = [np.resize(np.where(np.isfinite(column), column, 0.25), 1_100) for column in columns]
    _check(bins, tidy[:dimensions], np.resize(weight, 1_100) if weighted else None)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_values(kind: str, weighted: bool, workers: int) -> None:  # noqa: FBT001
    """Blocks of very many values have the same contents, by one thread and by two."""
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(3, 2 * BLOCK + 17))
    columns[1, ::2] = 0.0
    columns[0, BLOCK + 3] = KINDS[kind][1] == 3 or 0.1
    weight = rng.normal(1, 1, columns.shape[1]) * np.exp(9 * rng.normal(size=columns.shape[1])) if weighted else None
    _check(KINDS[kind][0], list(columns[: KINDS[kind][1]]), weight, workers)


nodes = st.recursive(
    st.none(),
    lambda below: st.one_of(
        st.builds(
            lambda column, at, a, b: Cut(column, at, a, b, number_of_cells(a) + number_of_cells(b)),
            st.integers(0, 2),
            numbers.filter(lambda at: not math.isnan(at)),
            below,
            below,
        ),
        st.builds(
            lambda columns, values, inside: Guard(tuple(columns), values, inside, 1 + number_of_cells(inside)),
            st.permutations(range(3)).map(lambda order: order[:2]),
            st.tuples(*[numbers.filter(lambda at: not math.isnan(at))] * 2),
            below,
        ),
    ),
    max_leaves=12,
)


@given(nodes.filter(lambda node: node is not None), st.lists(st.tuples(numbers, numbers, numbers), max_size=20))
@settings(max_examples=200)
def test_any_tree(root: Any, rows: list[tuple[float, float, float]]) -> None:
    """Events are in the same cells of any tree: at cuts, and at the ends of what a guard takes for its value."""
    at = {value for value in _values(root) if math.isfinite(value)}
    with np.errstate(over="ignore"):
        ends = [value + way * TOLERANCE * abs(value) for value in at for way in (-1, 0, 1)]
        near = [x for end in ends for x in (end, np.nextafter(end, -np.inf), np.nextafter(end, np.inf))]
    columns = [np.array([*(row[i] for row in rows), *near, -np.inf, np.inf, np.nan, 0.0, -0.0]) for i in range(3)]
    for nonfinite in ("overflow", "underflow", "separate"):
        cells = Cells(("x", "y", "z"), root, nonfinite)
        with np.errstate(all="ignore"):
            expected = cells.index(columns)
            with _compiled(LOOPS):
                np.testing.assert_array_equal(cells.index(columns), expected)


def _values(node: Any) -> list[float]:
    if node is None:
        return []
    if isinstance(node, Cut):
        return [node.at, *_values(node.below), *_values(node.above)]
    return [*node.values, *_values(node.inside)]


@given(st.lists(edge_lists, min_size=2, max_size=5), st.lists(numbers, max_size=40))
def test_any_slabs(rows: list[list[float]], values: list[float]) -> None:
    """Slabs with any edges each, more in one than in another, hold the same events, and those of a binary search."""
    axes = tuple(Axis(tuple(sorted({x + 0.0 for x in row}))) for row in rows)
    slabs = Slabs(Axis(tuple(np.arange(1.0, len(rows)).tolist())), axes)
    y = np.array([*values, *(edge for row in rows for edge in row)])
    x = np.arange(y.size) % len(rows) + 0.5
    _check(slabs, [x, y])
    slab, finite = np.arange(y.size) % len(rows), np.isfinite(y)
    found = slabs.index([x, y])
    for i, axis in enumerate(axes):
        here = (slab == i) & finite
        np.testing.assert_array_equal(
            found[here] - slabs.offsets[i], np.searchsorted(axis.edges, y[here], side="right")
        )


@given(st.lists(numbers, min_size=1, max_size=60), st.lists(st.integers(0, 4), min_size=1, max_size=9), st.booleans())
@settings(max_examples=200)
def test_any_common_values(values: list[float], times: list[int], weighted: bool) -> None:  # noqa: FBT001
    """Of a long chunk of any values, each some times, the same are listed, with the same numbers and sums."""
    column = np.repeat(values, np.resize(times, len(values)))
    with np.errstate(all="ignore"):
        column = np.concatenate([column, column * (1 + 2.0**-24)])  # equal in single precision, or nearly so
    weight = np.exp(np.linspace(-200, 200, column.size)) if weighted else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeated, "SIZE", 0)
        patch.setattr(Repeated, "cut", lambda some, _: some)
        expected = Repeated.of(column, weight)
        with _compiled(LOOPS):
            assert Repeated.of(column, weight).encoded() == expected.encoded()


@pytest.mark.parametrize("events", [40_000, 1 << 18, 3_000_000])
def test_common_values_of_many_events(events: int) -> None:
    """In small and large chunks of normal values, some of them rounded, the same are common."""
    column = np.random.default_rng(events).normal(size=events)
    column[::100] = np.round(column[::100], 1)
    for weight in (None, np.exp(6 * np.random.default_rng(1).normal(size=events))):
        expected = Repeated.of(column, weight)
        with _compiled(LOOPS):
            assert Repeated.of(column, weight).encoded() == expected.encoded()
        assert expected.values.size


@pytest.mark.parametrize("bits", PRECISIONS)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.longdouble, ">f8", np.int64, np.bool_])
@given(values=st.lists(numbers, min_size=1, max_size=60))
@settings(max_examples=40)
def test_hashes_of_any_rows(bits: int, kind: Any, values: list[float]) -> None:
    """Rows of any values, of any type and layout in memory, have the same hashes."""
    with np.errstate(all="ignore"):
        column = np.array(values)
        column.view(np.int64)[::3] |= np.isnan(column[::3]).astype(np.int64) * 3  # there are many kinds of NaN
        columns = {"x": column.astype(kind), "y": np.repeat(column.astype(kind), 2)[::2]}
        expected = row_hashes(columns, ("x", "y"), bits)
        with _compiled(LOOPS):
            np.testing.assert_array_equal(row_hashes(columns, ("x", "y"), bits), expected)


@pytest.mark.parametrize("kind", ["axis", "slabs", "cells"])
def test_values_of_any_kind(kind: str) -> None:
    """Other types of numbers and layouts in memory, and what may not be written to, are filled as their values are."""
    bins, dimensions = KINDS[kind]
    whole = np.repeat(RNG.normal(size=3_000) * 3, 2)
    locked = whole.copy()
    locked.flags.writeable = False
    shifted = np.frombuffer(b"x" + whole.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    assert not shifted.flags.aligned
    kinds: list[Any] = [locked, shifted, whole[::2], whole[::-1]]
    kinds += [whole.astype(dtype) for dtype in (np.float32, np.float16, np.int16, np.int64, np.uint8, ">f8", ">i4")]
    for values in kinds:
        _check(bins, [values] * dimensions)
        _check(bins, [values] * dimensions, values.astype(float))


def test_tables_are_compiled() -> None:
    """Edges of ordinary distributions have a table for compiled loops, so that the tests above are of those."""
    for edges in (
        np.linspace(-5, 5, 51),
        np.linspace(0, 100, 101),
        np.quantile(RNG.standard_cauchy(99_999), np.linspace(1e-3, 1 - 1e-3, 100)),
        np.exp(np.linspace(-60, 60, 57)),
        np.array([0.3]),
        np.array([0.0, TINY, 1.0]),
        np.array([0.0]),
    ):
        assert Lookup(edges)._compiled_table is not None
    nearly_equal = 1 + np.arange(12) * np.finfo(float).eps
    assert Lookup(np.array([*nearly_equal, 1e300]))._compiled_table is None

"""Filling is numpy's histogram with nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms import filling
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import Filled, fill, filled, filled_at
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.histograms.lookup import BLOCK

EDGES = (-1.0, -0.2, 0.3, 2.0)
FLOW = (-np.inf, *EDGES, np.inf)
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(2, 2_000))
WEIGHT = RNG.normal(1, 1, 2_000)


def test_counts_are_numpy_histogram() -> None:
    """Unweighted bin contents are numpy.histogram's with open ends, and are their own variances."""
    sums = fill(Grid((Axis(EDGES),)), [X], None)
    np.testing.assert_array_equal(sums.sumw, np.histogram(X, FLOW)[0])
    np.testing.assert_array_equal(sums.sumw2, sums.sumw)
    assert sums.total == X.size


def test_weights_are_numpy_histogram() -> None:
    """Weighted bin contents and variances are numpy.histogram's of the weights and their squares."""
    sums = fill(Grid((Axis(EDGES),)), [X], WEIGHT)
    np.testing.assert_allclose(sums.sumw, np.histogram(X, FLOW, weights=WEIGHT)[0], rtol=1e-12)
    np.testing.assert_allclose(sums.sumw2, np.histogram(X, FLOW, weights=WEIGHT**2)[0], rtol=1e-12)
    assert sums.n_effective == pytest.approx(WEIGHT.sum() ** 2 / (WEIGHT**2).sum())


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_pairs_are_numpy_histogram2d(weight: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> None:
    """Two axes give numpy.histogram2d with open ends, row by row."""
    grid = Grid((Axis(EDGES), Axis((0.0, 0.5))))
    expected = np.histogram2d(X, Y, [FLOW, (-np.inf, 0.0, 0.5, np.inf)], weights=weight)[0]
    np.testing.assert_allclose(fill(grid, [X, Y], weight).sumw, expected.ravel(), rtol=1e-12)


@pytest.mark.parametrize("columns", [[X], [X, Y]])
def test_order_of_events_is_irrelevant(columns: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> None:
    """A permutation of the events gives the same bins and the same contents."""
    order = np.random.default_rng(2).permutation(X.size)
    bins = bins_for(20, columns, WEIGHT, "error")
    shuffled = bins_for(20, [values[order] for values in columns], WEIGHT[order], "error")
    assert bins == shuffled
    ours, theirs = fill(bins, columns, WEIGHT), fill(bins, [values[order] for values in columns], WEIGHT[order])
    np.testing.assert_allclose(ours.sumw, theirs.sumw, rtol=1e-10)
    np.testing.assert_allclose(ours.sumw2, theirs.sumw2, rtol=1e-10)


def test_halves_add_up() -> None:
    """Histograms of the parts of a sample add up to that of the whole."""
    grid = Grid((Axis(EDGES),))
    whole, first, second = (fill(grid, [X[part]], WEIGHT[part]) for part in (slice(None), slice(700), slice(700, None)))
    np.testing.assert_allclose(first.sumw + second.sumw, whole.sumw, rtol=1e-12)
    np.testing.assert_allclose(first.sumw2 + second.sumw2, whole.sumw2, rtol=1e-12)


def test_nothing_is_dropped() -> None:
    """NaN and infinite values are in the histogram, in the bin that the policy names."""
    values = np.array([0.0, np.nan, np.inf, -np.inf, 5.0])
    for nonfinite, expected in (("underflow", [3, 0, 0, 1, 1]), ("separate", [0, 0, 0, 1, 1, 3])):
        grid = Grid((Axis((-3.0, -2.0, -1.0, 1.0), nonfinite=nonfinite),))
        assert fill(grid, [values], None).sumw.tolist() == expected


SMALL = 700
COUNTS = RNG.poisson(2, SMALL)  # entries of each event, none in some
ENTRIES = RNG.normal(size=(2, int(COUNTS.sum())))
SELECTED = RNG.random(SMALL) < 0.3
KINDS: dict[str, Any] = {
    "grid": Grid((Axis(EDGES),)),
    "grid of two": Grid((Axis(EDGES), Axis((0.0, 0.5)))),
    "slabs": bins_for(49, [X, Y], None, "error"),
    "cells": kdtree_cells([X, Y], None, 16, "error", ("x", "y")),
}


def _part(kind: str, chosen: slice, *, weighted: bool, entries: bool, selection: bool) -> Filled:
    """Fill some of the events, all of which are in the slice ``0:SMALL``."""
    selected = SELECTED[chosen] if selection else None
    kept = np.ones(SMALL, dtype=bool)[chosen] if selected is None else selected
    counts = COUNTS[chosen][kept] if entries else None
    if entries:
        stops = np.cumsum(COUNTS)
        first = int(stops[chosen.start - 1]) if chosen.start else 0
        last = int(stops[chosen.stop - 1]) if chosen.stop else 0
        inside = np.repeat(kept, COUNTS[chosen])
        both = [values[first:last][inside] for values in ENTRIES]
    else:
        both = [values[:SMALL][chosen][kept] for values in (X, Y)]
    columns = both[:1] if kind == "grid" else both
    weight = WEIGHT[:SMALL][chosen] if weighted else None
    return filled(KINDS[kind], columns, weight, counts=counts, selected=selected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("entries", [False, True])
@pytest.mark.parametrize("selection", [False, True])
@given(cuts=st.lists(st.integers(0, SMALL), max_size=6))
@settings(max_examples=15)
def test_any_parts_add_up(
    kind: str,
    weighted: bool,  # noqa: FBT001
    entries: bool,  # noqa: FBT001
    selection: bool,  # noqa: FBT001
    cuts: list[int],
) -> None:
    """However events are divided, into empty parts too, counts add up to the same integers, and weights to an ulp."""
    how = {"weighted": weighted, "entries": entries, "selection": selection}
    ends = [0, *sorted(cuts), SMALL]
    whole = _part(kind, slice(0, SMALL), **how)
    parts = reduce(add, (_part(kind, slice(a, b), **how) for a, b in pairwise(ends)))
    ours, theirs = parts.sums(), whole.sums()
    exact = 1 if weighted else 0
    np.testing.assert_array_max_ulp(ours.sumw, theirs.sumw, maxulp=exact)
    assert ours.bins == theirs.bins
    if not entries:
        np.testing.assert_array_max_ulp(ours.sumw2, theirs.sumw2, maxulp=exact)
        assert ours.products is None is theirs.products
        return
    # Products of the contents of an event are plain sums, which weights round.
    assert ours.products is not None
    assert theirs.products is not None
    np.testing.assert_allclose(ours.products, theirs.products, rtol=1e-13 if weighted else 0)
    np.testing.assert_allclose(ours.sumw2, theirs.sumw2, rtol=1e-13 if weighted else 0)
    assert ours.n_events == pytest.approx(theirs.n_events, rel=1e-15)


def _equal(ours: Filled, theirs: Filled) -> None:
    np.testing.assert_array_equal(ours.sumw.value, theirs.sumw.value)
    np.testing.assert_array_equal(ours.sums().sumw2, theirs.sums().sumw2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_threads_do_not_matter(kind: str, weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """One thread and several fill the same, to the last bit."""
    monkeypatch.setattr("pytest_ganvalid.histograms.lookup._PARALLEL_SIZE", 1)
    n = 3 * BLOCK + 17
    rng = np.random.default_rng(3)
    columns = list(rng.normal(size=(1 if kind == "grid" else 2, n)))
    weight = rng.normal(1, 1, n) if weighted else None
    alone = filled(KINDS[kind], columns, weight, workers=1)
    for workers in (2, 3, 8):
        _equal(filled(KINDS[kind], columns, weight, workers=workers), alone)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks(size: int) -> None:
    """Nothing is lost where one block of events ends and the next begins."""
    x = np.random.default_rng(4).normal(size=size)
    weight = np.random.default_rng(5).integers(-3, 9, size).astype(float)
    index = np.searchsorted(EDGES, x, side="right")
    grid = Grid((Axis(EDGES),))
    np.testing.assert_array_equal(filled(grid, [x], None).sumw.value, np.bincount(index, minlength=5))
    found = filled(grid, [x], weight)
    np.testing.assert_array_equal(found.sumw.value, np.bincount(index, weight, minlength=5))
    np.testing.assert_array_equal(found.sums().sumw2, np.bincount(index, weight**2, minlength=5))
    _equal(filled_at(grid, index, weight), found)
    np.testing.assert_array_equal(filled_at(grid, index, None).sumw.value, np.bincount(index, minlength=5))


@pytest.mark.parametrize("place", ["underflow", "overflow", "separate"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("row", [0, BLOCK - 1, BLOCK, 2 * BLOCK + 10])
def test_nonfinite_values_in_every_block(place: str, weighted: bool, row: int) -> None:  # noqa: FBT001
    """NaN and infinite values are found in whichever block they are, and placed as the axis says."""
    x = np.zeros(2 * BLOCK + 11)
    x[row] = np.nan
    x[row - 1] = np.inf
    x[row - 2] = -np.inf
    grid = Grid((Axis((-1.0, 1.0), nonfinite=place),))
    expected = {"underflow": [3, x.size - 3, 0], "overflow": [0, x.size - 3, 3], "separate": [0, x.size - 3, 0, 3]}
    weight = np.full(x.size, 2.0) if weighted else None
    found = filled(grid, [x], weight).sumw.value
    assert (found / (2 if weighted else 1)).tolist() == expected[place]
    with pytest.raises(InputError, match=r"1 NaN|infinite"):
        filled(Grid((Axis((-1.0, 1.0), nonfinite="error"),)), [x], weight)


def test_enormous_values_are_finite() -> None:
    """A block whose values add up to more than a float holds has no infinite value in it."""
    x = np.full(BLOCK + 5, 1.7e308)
    x[::2] = -1e3
    for place in ("error", "separate"):
        found = filled(Grid((Axis((-1.0, 1.0), nonfinite=place),)), [x], None).sumw.value
        assert found[:3].tolist() == [BLOCK // 2 + 3, 0, BLOCK // 2 + 2]
        assert not found[3:].any()


def test_events_of_no_entries() -> None:
    """Events that have no entry at all are still events, and their squares add up."""
    none = filled(Grid((Axis(EDGES),)), [np.empty(0)], None, counts=np.zeros(5, dtype=np.intp))
    some = filled(Grid((Axis(EDGES),)), [np.array([0.0, 0.1])], None, counts=np.array([2]))
    both = (none + some).sums()
    assert both.n_events == 6
    assert both.sumw.tolist() == [0, 0, 2, 0, 0]
    assert both.sumw2.tolist() == [0, 0, 4, 0, 0]


def test_one_entry_and_several_do_not_add_up() -> None:
    """A histogram of events is not added to one of entries, whose errors are others."""
    grid = Grid((Axis(EDGES),))
    several = filled(grid, [np.array([0.0, 0.1])], None, counts=np.array([2]))
    for a, b in ((several, filled(grid, [X], None)), (filled(grid, [X], WEIGHT), several)):
        with pytest.raises(InputError, match="any number of entries"):
            a + b


def test_weights_of_one_and_no_weights_add_up() -> None:
    """Events without weights add up with weighted ones as events of weight 1."""
    grid = Grid((Axis(EDGES),))
    for a, b in (
        (filled(grid, [X], None), filled(grid, [Y], WEIGHT)),
        (filled(grid, [X], np.ones(X.size)), filled(grid, [Y], WEIGHT)),
    ):
        for both in (a + b, b + a):
            expected = filled(grid, [np.concatenate([X, Y])], np.concatenate([np.ones(X.size), WEIGHT]))
            np.testing.assert_array_max_ulp(both.sums().sumw, expected.sums().sumw, maxulp=1)
            np.testing.assert_array_max_ulp(both.sums().sumw2, expected.sums().sumw2, maxulp=1)


def test_too_many_bins_of_entries() -> None:
    """The covariance of very many bins is refused before it takes the memory."""
    many = Grid((Axis(tuple(np.arange(filling._MAX_CORRELATED_BINS + 1.0).tolist())),))
    with pytest.raises(InputError, match="at most 5,000 bins"):
        filled(many, [np.zeros(2)], None, counts=np.array([1, 1]))


def _by_hand(columns: Sequence[Any], counts: Any, weight: Any, size: int) -> Any:
    contents = np.zeros((counts.size, size))
    np.add.at(contents, (np.repeat(np.arange(counts.size), counts), columns), np.repeat(weight, counts))
    return contents


@pytest.mark.parametrize("weighted", [False, True])
def test_covariance_of_entries(weighted: bool) -> None:  # noqa: FBT001
    """Products are those of the contents of each event, added up, and the effective events those of the weights."""
    grid = Grid((Axis(EDGES),))
    weight = WEIGHT[:SMALL] if weighted else np.ones(SMALL)
    found = filled(grid, [ENTRIES[0]], weight if weighted else None, counts=COUNTS).sums()
    contents = _by_hand(np.searchsorted(EDGES, ENTRIES[0], side="right"), COUNTS, weight, 5)
    assert found.products is not None
    np.testing.assert_allclose(found.products, contents.T @ contents, rtol=1e-12)
    np.testing.assert_allclose(found.sumw, contents.sum(0), rtol=1e-12)
    assert found.n_events == pytest.approx(weight.sum() ** 2 / (weight**2).sum())

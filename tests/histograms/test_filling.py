"""Filling is numpy's histogram with nothing left out."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill

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

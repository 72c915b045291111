"""Filling: from the values of an observable to bin sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Bins, Fillable, WithOutside
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_MOST_CORRELATED = 5_000  # bins: their covariance takes 200 MB


def fill(
    bins: Fillable,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    *,
    counts: IntArray | None = None,
    selected: NDArray[np.bool_] | None = None,
) -> BinSums:
    """Sum weights and squared weights per bin.

    Args:
        bins: Where the entries go; every entry goes into some bin.
        columns: One array of shape (entries,) per dimension, of the selected events.
        weight: Weights of all events, shape (events,), or ``None`` for unweighted ones.
        counts: Number of entries of each selected event; ``None`` for one each.
        selected: Which events have been selected, shape (events,); each of the others is an entry of one more bin.
            ``None`` for all.

    Raises:
        InputError: If events have several entries and the bins are too many for their covariance.
    """
    index = bins.index(columns)
    filled: Bins = bins
    if selected is not None:
        index, counts = _with_outside(index, int(np.prod(bins.shape)), counts, selected)
        filled = WithOutside(bins)
    if counts is not None:
        return _fill_correlated(filled, index, weight, counts)
    size = int(np.prod(filled.shape))
    if weight is None:
        contents: FloatArray = np.bincount(index, minlength=size).astype(np.float64)
        return BinSums(contents, contents, filled)
    sumw, sumw2 = (np.bincount(index, values, minlength=size) for values in (weight, weight**2))
    return BinSums(np.asarray(sumw, np.float64), np.asarray(sumw2, np.float64), filled)


def _with_outside(
    index: IntArray, outside: int, counts: IntArray | None, selected: NDArray[np.bool_]
) -> tuple[IntArray, IntArray | None]:
    """Give each event that is not selected one entry, in the bin ``outside``."""
    inside = selected
    if counts is not None:
        all_counts = np.ones(selected.size, dtype=np.intp)
        all_counts[selected] = counts
        counts, inside = all_counts, np.repeat(selected, all_counts)
    everywhere = np.full(inside.size, outside, dtype=np.intp)
    everywhere[inside] = index
    return everywhere, counts


def _fill_correlated(bins: Bins, index: IntArray, weight: FloatArray | None, counts: IntArray) -> BinSums:
    """Sum the products of the bin contents of each event: what the covariance by event is made of."""
    from scipy import sparse

    size = int(np.prod(bins.shape))
    if size > _MOST_CORRELATED:
        msg = f"entries of one event are correlated, which takes at most {_MOST_CORRELATED:,} bins; got {size:,}"
        raise InputError(msg)
    of_event = np.ones(counts.size) if weight is None else weight
    starts = np.concatenate([[0], np.cumsum(counts)])
    contents: Any = sparse.csr_matrix((np.repeat(of_event, counts), index, starts), shape=(counts.size, size))
    products = (contents.T @ contents).toarray()
    n_events = float(of_event.sum() ** 2 / (of_event @ of_event))
    sumw = np.bincount(index, np.repeat(of_event, counts), minlength=size)
    return BinSums(np.asarray(sumw, np.float64), products.diagonal(), bins, products, n_events)

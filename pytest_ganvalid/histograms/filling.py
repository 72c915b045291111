"""Filling: from the values of an observable to bin sums, at once or part by part.

Whatever parts the events come in, and in whatever order, unweighted contents are the same integers, and sums of weights
the same to the last bit or nearly so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Bins, Fillable, WithOutside, plain_axis
from pytest_ganvalid.histograms.clusters import ClusterSums, cluster_sums
from pytest_ganvalid.histograms.exact import Total, total_by_bin
from pytest_ganvalid.histograms.lookup import BLOCK, lookup, parallel_map, parts
from pytest_ganvalid.histograms.repeated import Repeated
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_MAX_CORRELATED_BINS = 5_000  # bins: their covariance takes 200 MB


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """A histogram of some of the events; those of different events add up.

    Attributes:
        bins: What the bins are.
        sumw: Sums of weights, shape (bins,).
        sumw2: Sums of squared weights, or of squared contents where events have several entries; ``None`` for
            unweighted events of one entry each, whose sums of squares are the sums.
        products: Where events have several entries, Σ h hᵀ over the events' contents h, shape (bins, bins).
        events: Where events have several entries, their Σw and Σw², shape (2,).
        repeated: The commonest values; ``None`` if they are not counted.
        clusters: Sums over clusters, where rows are in some.
    """

    bins: Bins
    sumw: Total
    sumw2: Total | None = None
    products: FloatArray | None = None
    events: Total | None = None
    repeated: Repeated | None = None
    clusters: ClusterSums | None = None

    def __add__(self, other: Filled) -> Filled:
        """Add the histogram of other events, filled into the same bins in the same way.

        Raises:
            InputError: If events have one entry each in one of them, and any number in the other.
        """
        if (self.products is None) != (other.products is None):
            msg = "some events have one entry each, and others any number of entries; expected either of all"
            raise InputError(msg)
        if (self.sumw2 is None) != (other.sumw2 is None):  # in one part all weights are missing, that is 1
            return self._with_squares() + other._with_squares()
        return replace(
            self,
            sumw=self.sumw + other.sumw,
            sumw2=_optional_sum(self.sumw2, other.sumw2),
            products=_optional_sum(self.products, other.products),
            events=_optional_sum(self.events, other.events),
            repeated=_optional_sum(self.repeated, other.repeated),
            clusters=_optional_sum(self.clusters, other.clusters),
        )

    def _with_squares(self) -> Filled:
        return self if self.sumw2 is not None else replace(self, sumw2=self.sumw)

    def sums(self) -> BinSums:
        """Return the bin sums, with those of clusters."""
        sums = self._sums()
        if self.clusters is None:
            return sums
        clusters = self.clusters
        return replace(sums, clusters=clusters.products, n_clusters=clusters.number, contents=clusters.contents)

    def _sums(self) -> BinSums:
        sumw = self.sumw.value
        if self.products is None or self.events is None:
            squares = sumw if self.sumw2 is None else self.sumw2.value
            return BinSums(sumw, squares, self.bins, repeated=self.repeated)
        total, square_total = self.events.value.tolist()
        n_events = total**2 / square_total if square_total else 0.0
        return BinSums(sumw, self.products.diagonal(), self.bins, self.products, n_events)


def _optional_sum(a: Any, b: Any) -> Any:  # noqa: ANN401 - both of one kind, or both None
    return None if a is None or b is None else a + b


def fill(
    bins: Fillable,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    *,
    counts: IntArray | None = None,
    selected: NDArray[np.bool_] | None = None,
    cluster: NDArray[np.uint64] | None = None,
) -> BinSums:
    """Sum weights and squared weights per bin; see `filled`."""
    return filled(bins, columns, weight, counts=counts, selected=selected, cluster=cluster).sums()


def filled(
    bins: Fillable,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    *,
    counts: IntArray | None = None,
    selected: NDArray[np.bool_] | None = None,
    workers: int | None = None,
    cluster: NDArray[np.uint64] | None = None,
) -> Filled:
    """Fill a histogram.

    Args:
        bins: Where the entries go; every entry goes into some bin.
        columns: One array of shape (entries,) per dimension, of the selected events.
        weight: Weights of all events, shape (events,), or ``None`` for unweighted ones.
        counts: Number of entries of each selected event; ``None`` for one each.
        selected: Which events have been selected, shape (events,); each of the others is an entry of one more bin.
            ``None`` for all.
        workers: Number of threads, if there are many entries; ``None`` for as many as there are processors.
        cluster: The cluster of each event, shape (events,): all events of one must be among these. ``None`` if they
            are independent.

    Raises:
        InputError: If events have several entries, or are in clusters, and the bins are too many for their covariance.
    """
    if cluster is not None:
        contents = filled(bins, columns, weight, counts=counts, selected=selected, workers=workers)
        index, size = _index(bins, columns), int(np.prod(bins.shape))
        if selected is not None:
            index, counts = _with_outside(index, size, counts, selected)
            size += 1
        return replace(contents, clusters=cluster_sums(cluster, weight, counts, index, size))
    if selected is None and counts is None:
        return reduce(add, parallel_map(partial(_filled_part, bins, columns, weight), columns[0].size, workers))
    index = _index(bins, columns)
    all_bins: Bins = bins
    if selected is not None:
        index, counts = _with_outside(index, int(np.prod(bins.shape)), counts, selected)
        all_bins = WithOutside(bins)
    if counts is not None:
        return _fill_correlated(all_bins, index, weight, counts)
    return filled_at(all_bins, index, weight)


def filled_at(bins: Bins, index: IntArray, weight: FloatArray | None) -> Filled:
    """Fill a histogram with entries whose bins are known.

    Args:
        bins: What the bins are.
        index: The bin of each entry, shape (entries,).
        weight: Their weights, or ``None``.
    """
    size = int(np.prod(bins.shape))
    blocks = parts(index.size, BLOCK)
    filled_blocks = (_filled_block(bins, index[b], None if weight is None else weight[b], size) for b in blocks)
    return reduce(add, filled_blocks, _empty(bins, weight))


def _filled_part(bins: Fillable, columns: Sequence[FloatArray], weight: FloatArray | None, part: slice) -> Filled:
    """Fill some of the events, of one entry each."""
    axis = plain_axis(bins) if weight is None else None
    if axis is not None and part.stop > part.start:
        return Filled(bins, Total.of(_counts(axis, columns[0][part])))
    size = int(np.prod(bins.shape))
    total = _empty(bins, weight)
    for block in parts(part.stop - part.start, BLOCK):
        rows = slice(part.start + block.start, part.start + block.stop)
        index = bins.index([values[rows] for values in columns])
        total = total + _filled_block(bins, index, None if weight is None else weight[rows], size)
    return total


def _empty(bins: Bins, weight: FloatArray | None) -> Filled:
    """Return the histogram of no events."""
    zero = Total.of(np.zeros(int(np.prod(bins.shape))))
    return Filled(bins, zero, None if weight is None else zero)


def _counts(axis: Any, values: FloatArray) -> NDArray[np.int64]:  # noqa: ANN401 - an Axis
    """Count the values in each bin of an axis with edges."""
    table = lookup(axis.cuts)
    total = np.zeros(axis.size, dtype=np.int64)
    for block in parts(values.size, BLOCK):
        part = values[block]
        counts = table.counts_if_finite(part)
        if counts is None:
            total += np.bincount(axis.index(part), minlength=axis.size)
        else:
            total[: table.size] += counts
    return total


def _index(bins: Fillable, columns: Sequence[FloatArray]) -> IntArray:
    """Return the bin of each entry, found block by block."""
    index = np.empty(columns[0].size, dtype=np.intp)
    for block in parts(index.size, BLOCK):
        index[block] = bins.index([values[block] for values in columns])
    return index


def _filled_block(bins: Bins, index: IntArray, weight: FloatArray | None, size: int) -> Filled:
    if weight is None:
        return Filled(bins, Total.of(np.bincount(index, minlength=size)))
    return Filled(bins, total_by_bin(index, weight, size), total_by_bin(index, weight**2, size))


def _with_outside(
    index: IntArray, outside: int, counts: IntArray | None, selected: NDArray[np.bool_]
) -> tuple[IntArray, IntArray | None]:
    """Give each event that is not selected one entry, in the bin ``outside``."""
    inside = selected
    if counts is not None:
        all_counts = np.ones(selected.size, dtype=np.intp)
        all_counts[selected] = counts
        counts, inside = all_counts, np.repeat(selected, all_counts)
    full_index = np.full(inside.size, outside, dtype=np.intp)
    full_index[inside] = index
    return full_index, counts


def _fill_correlated(bins: Bins, index: IntArray, weight: FloatArray | None, counts: IntArray) -> Filled:
    """Sum the products of the bin contents of each event, for the covariance by event."""
    from scipy import sparse

    size = int(np.prod(bins.shape))
    if size > _MAX_CORRELATED_BINS:
        msg = f"entries of one event are correlated, which takes at most {_MAX_CORRELATED_BINS:,} bins; got {size:,}"
        raise InputError(msg)
    event_weight = np.ones(counts.size) if weight is None else weight
    entry_weight = np.repeat(event_weight, counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    contents: Any = sparse.csr_matrix((entry_weight, index, starts), shape=(counts.size, size), copy=True)
    contents.sum_duplicates()  # or the product would take the square of the number of entries
    products = (contents.T @ contents).toarray()
    sumw = total_by_bin(index, entry_weight, size)
    return Filled(bins, sumw, Total.of(products.diagonal()), products, _weight_sums(event_weight))


def _weight_sums(weight: FloatArray) -> Total:
    """Return Σw and Σw²."""
    single_bin = np.zeros(weight.size, dtype=np.intp)
    sums = [total_by_bin(single_bin, weight**power, 1) for power in (1, 2)]
    return Total(*(np.concatenate([getattr(total, name) for total in sums]) for name in ("leading", "rest")))

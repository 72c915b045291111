"""Merging of sparse bins, so that every bin compared holds enough events for the statistics to be right.

Cells that were cut at quantiles of the reference are joined before anything is seen of their contents: by the share of
the reference that they were cut to hold, and the sizes of the samples. Their p is constant, so that merging by contents
would follow q alone, and average its downward fluctuations away.

Bins that were given are merged by their contents: by the pooled ones, which do not know how the samples differ. Where
the samples are shown to differ the fuller one decides, or a large generated sample would have holes of its own making
merged away. No bin is ever dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Nominal, Unlabelled
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_ROUNDING = 1e-9  # a bin that expects exactly the minimum is full
CELL_GENERATED, CELL_REFERENCE, CELL_REQUIRED = 20.0, 10.0, 5.0
"""Events of either sample, and of n_required, that a cell cut at quantiles expects."""
_TAIL = 10.0  # of n_required that the halves of the end cells expect
_TIES = 0.05  # by which cells of 20 reference events, of equal shares but for one event, differ
_SIGNIFICANCE = 5.0  # standard errors by which bins do not differ by chance


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Two histograms after merging.

    Attributes:
        generated: Sums per group.
        reference: Sums per group.
        populated: Number of bins, before merging, that hold any event.
        groups: First and last bin of each group along the path of neighbours, as flat positions; shape (groups, 2).
        sparse: Whether the bins are too few even so: fewer than two groups expect enough events.
        layout: How the groups lie: each like the bin in its middle.
        group_of: The group that each bin has been merged to, shape (bins,).
        order: The groups as they follow each other along the path, shape (groups,).
    """

    generated: BinSums
    reference: BinSums
    populated: int
    groups: IntArray
    sparse: bool
    layout: Layout
    group_of: IntArray
    order: IntArray


def merge_sparse_bins(
    generated: BinSums,
    reference: BinSums,
    min_expected: float,
    sizes: tuple[float, float] | None = None,
    n_required: float = np.inf,
) -> Merged:
    """Merge neighbouring bins until each expects enough events.

    Args:
        generated: Any bins.
        reference: The same bins; if they were cut at quantiles, those are known of them.
        min_expected: Least expected effective events, in the smaller sample, of a group of bins that were given.
        sizes: Effective sizes of both samples; by default (Σw)²/Σw².
        n_required: Number of true events to stand in for.

    Raises:
        InputError: If all events of both samples lie in one bin: there is nothing to compare.
    """
    populated = int((generated.populated | reference.populated).sum())
    if populated < 2:  # noqa: PLR2004
        msg = (
            f"all events of both samples lie in {populated} bin of {generated.sumw.size}: nothing is compared; "
            "use other bins"
        )
        raise InputError(msg)
    path = generated.bins.path()
    rank = np.argsort(path)
    n_g, n_r = sizes or (generated.n_effective, reference.n_effective)
    expected = _expected(generated, reference, (n_g, n_r))
    nominal = reference.bins.nominal
    if nominal is None:
        starts = _group_starts(expected[path], min_expected * (1 - _ROUNDING))
    else:
        path, starts = _joined_order(nominal, path, expected, min_expected * (1 - _ROUNDING), (n_g, n_r, n_required))
    q, p = generated.sumw[path] / generated.total, reference.sumw[path] / reference.total
    starts = starts[_group_starts(np.add.reduceat(q + p, starts), 0.0)]  # signed weights may leave nothing of one
    sparse = starts.size < 2  # noqa: PLR2004
    if sparse:
        starts = _two_halves(generated.sumw2[path] / generated.total**2 + reference.sumw2[path] / reference.total**2)
    if np.any(np.add.reduceat(q + p, starts) <= 0):
        msg = (
            f"the weights leave no two bins with a positive sum ({n_g:.4g} effective generated and {n_r:.4g} effective "
            "reference events); provide more events"
        )
        raise InputError(msg)
    ends = np.append(starts[1:], path.size) - 1
    group_of = np.empty(path.size, dtype=np.intp)
    group_of[path] = np.repeat(np.arange(starts.size), ends - starts + 1)
    return Merged(
        _group_sums(generated, path, starts),
        _group_sums(reference, path, starts),
        populated,
        np.stack([path[starts], path[ends]], axis=1),
        sparse,
        generated.bins.layout().at(path[(starts + ends) // 2]),
        group_of,
        np.argsort(rank[path[starts]]),
    )


def joined_cells(nominal: Nominal, n_generated: float, n_reference: float, n_required: float) -> IntArray:
    """Join neighbours of the cells that quantiles bound, without a look at contents.

    Every joined cell expects 20 effective events of the generated sample, 10 of the reference, which may be another one
    than the cells were cut from, and 5 of n_required; the halves of the end cells expect 10 of n_required.

    Args:
        nominal: What the cells were cut to hold, by their position along the path.
        n_generated: Effective size of the generated sample.
        n_reference: Effective size of the reference.
        n_required: Number of true events to stand in for.

    Returns:
        The first of each group, as positions among the cells that are not open; shape (groups,).
    """
    shares = np.delete(np.array(nominal.shares), np.array(nominal.open, dtype=np.intp))
    sizes = max(CELL_GENERATED / n_generated, CELL_REFERENCE / n_reference)
    minimum, tail_minimum = (max(sizes, events / n_required) * (1 - _TIES) for events in (CELL_REQUIRED, _TAIL))
    first, last = nominal.tails[0], shares.size - nominal.tails[1]
    starts = np.arange(shares.size, dtype=np.intp)
    below = _group_starts(shares[:first], tail_minimum) if first else starts[:0]
    above = _group_starts(shares[last:][::-1], tail_minimum) if nominal.tails[1] else starts[:0]
    above = np.sort(shares.size - np.append(above[1:], nominal.tails[1])) if above.size else above
    blocks = np.concatenate([below, starts[first:last], above])
    return blocks[_group_starts(np.add.reduceat(shares, blocks), minimum)]


def planned_bins(sums: BinSums, n_required: float) -> int:
    """Return the number of bins after merging in samples as large as n_required asks for.

    Args:
        sums: The reference, of any size.
        n_required: Number of true events to stand in for.
    """
    nominal, shares = sums.bins.nominal, sums.sumw / sums.total
    if nominal is None:
        return _group_starts(shares[sums.bins.path()] * n_required, CELL_REQUIRED * (1 - _ROUNDING)).size
    joined = joined_cells(_along(nominal, sums.bins.path()), np.inf, np.inf, n_required).size
    return joined + int(np.count_nonzero(shares[list(nominal.open)] * n_required >= CELL_REQUIRED))


def _along(nominal: Nominal, path: IntArray) -> Nominal:
    """Return what cells were cut to hold by their position along a path."""
    is_open = np.isin(path, nominal.open)
    shares = tuple(nominal.shares[i] for i in path.tolist())
    return replace(nominal, shares=shares, open=tuple(np.flatnonzero(is_open).tolist()))


def _joined_order(
    nominal: Nominal, path: IntArray, expected: FloatArray, minimum: float, sizes: tuple[float, float, float]
) -> tuple[IntArray, IntArray]:
    """Join cells by the shares they were cut to hold, and open ones by their contents.

    Args:
        nominal: What the cells were cut to hold.
        path: Their order.
        expected: Pooled effective events in each, by flat position.
        minimum: Events that are enough for an open cell.
        sizes: Of the generated sample, the reference, and n_required.

    Returns:
        The order of the cells with full open ones last, and the first of each group along it.
    """
    is_open = np.isin(path, nominal.open)
    ordinary, open_cells = np.flatnonzero(~is_open), np.flatnonzero(is_open)
    starts = joined_cells(_along(nominal, path), *sizes)
    group = np.zeros(path.size, dtype=np.intp)
    group[ordinary] = np.searchsorted(starts, np.arange(ordinary.size), side="right") - 1
    # An open cell that holds enough is a group of its own; any other joins the cell after, or else the one before.
    group[open_cells] = group[ordinary[np.minimum(np.searchsorted(ordinary, open_cells), ordinary.size - 1)]]
    next_group = starts.size
    for run in np.split(open_cells, np.flatnonzero(np.diff(open_cells) > 1) + 1) if open_cells.size else ():
        for part in np.split(run, _group_starts(expected[path[run]], minimum)[1:]):
            content = expected[path[part]].sum()
            if content >= minimum and content > 0:
                group[part] = next_group
                next_group += 1
    order = np.argsort(group, kind="stable")
    return path[order], np.flatnonzero(np.diff(group[order], prepend=-1))


def _expected(generated: BinSums, reference: BinSums, sizes: tuple[float, float]) -> FloatArray:
    """Return the effective events that each bin expects in the smaller sample, by the pooled contents.

    Those are (q/σ_g + p/σ_r)/(1/σ_g + 1/σ_r) with σ = 1/size. Where q and p differ by five of the standard errors that
    they have if they are equal, the larger one decides.
    """
    q, p = generated.sumw / generated.total, reference.sumw / reference.total
    n_g, n_r = sizes
    pooled = (q * n_g + p * n_r) / (n_g + n_r)
    variance = generated.sumw2 / generated.total**2 + reference.sumw2 / reference.total**2
    excess = np.maximum(variance - np.abs(q) / n_g - np.abs(p) / n_r, 0.0)  # by weights that are not all one
    significant = (np.minimum(q, p) >= 0) & ((q - p) ** 2 > _SIGNIFICANCE**2 * (pooled * (1 / n_g + 1 / n_r) + excess))
    return np.asarray(min(n_g, n_r) * np.where(significant, np.maximum(q, p), pooled))


def _group_starts(expected: FloatArray, minimum: float) -> IntArray:
    """Close a group as soon as it is full; what is left over at the end joins the last group."""

    def is_full(count: float) -> bool:
        return count >= minimum and count > 0

    if expected.min() >= minimum and expected.min() > 0:
        return np.arange(expected.size)
    groups: list[tuple[int, float]] = []
    start, count = 0, 0.0
    for i, content in enumerate(expected.tolist()):
        count += content
        if is_full(count):
            groups.append((start, count))
            start, count = i + 1, 0.0
    # Left-over weights may be negative, so that the group they join is no longer full and joins its neighbour.
    while groups and start < expected.size:
        start, content = groups.pop()
        count += content
        if is_full(count):
            groups.append((start, count))
            break
    return np.array([group[0] for group in groups] or [0], dtype=np.intp)


def _two_halves(mass: FloatArray) -> IntArray:
    """Cut where the two parts are most nearly equal, both populated."""
    cumulative = np.cumsum(mass)[:-1]
    balance = np.minimum(cumulative, mass.sum() - cumulative)
    return np.array([0, int(np.argmax(balance)) + 1], dtype=np.intp)


def _group_sums(sums: BinSums, path: IntArray, starts: IntArray) -> BinSums:
    sumw = np.add.reduceat(sums.sumw[path], starts)
    products, clusters = (_group_products(part, path, starts) for part in (sums.products, sums.clusters))
    sumw2 = np.add.reduceat(sums.sumw2[path], starts) if products is None else products.diagonal()
    bins = Unlabelled(sumw.shape)
    return BinSums(sumw, sumw2, bins, products, sums.n_events, clusters=clusters, n_clusters=sums.n_clusters)


def _group_products(products: FloatArray | None, path: IntArray, starts: IntArray) -> FloatArray | None:
    """Add up rows and columns of groups."""
    if products is None:
        return None
    rows = np.add.reduceat(products[np.ix_(path, path)], starts, axis=0)
    return np.asarray(np.add.reduceat(rows, starts, axis=1))

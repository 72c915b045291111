"""Merging of sparse bins, so that every bin compared holds enough events for the statistics to be right.

Decided on both samples alike, whatever their sizes: in the sum of events a large generated sample would decide
alone, and a hole of its own making would count as sparse and be merged away. No bin is ever dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_ROUNDING = 1e-9  # a bin that expects exactly the least is full


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Two histograms after merging.

    Attributes:
        generated: Sums per group.
        reference: Sums per group.
        populated: Number of bins, before merging, that hold any event.
        groups: First and last bin of each group along the path of neighbours, as flat positions; shape (groups, 2).
        sparse: Whether even so the bins are too few: fewer than two groups expect enough events.
        layout: How the groups lie: each like the bin in its middle.
    """

    generated: BinSums
    reference: BinSums
    populated: int
    groups: IntArray
    sparse: bool
    layout: Layout


def merge_sparse_bins(
    generated: BinSums, reference: BinSums, min_expected: float, sizes: tuple[float, float] | None = None
) -> Merged:
    """Merge neighbouring bins until each expects ``min_expected`` events in the smaller sample.

    Args:
        generated: Any bins.
        reference: The same bins.
        min_expected: Least expected effective events of a group in the smaller sample.
        sizes: Effective sizes of both samples; by default (Σw)²/Σw².

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
    q, p = generated.sumw[path] / generated.total, reference.sumw[path] / reference.total
    n_g, n_r = sizes or (generated.n_effective, reference.n_effective)
    starts = _group_starts(min(n_g, n_r) * (q + p) / 2, min_expected * (1 - _ROUNDING))
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
    return Merged(
        _sums(generated, path, starts),
        _sums(reference, path, starts),
        populated,
        np.stack([path[starts], path[ends]], axis=1),
        sparse,
        generated.bins.layout().at(path[(starts + ends) // 2]),
    )


def _group_starts(expected: FloatArray, least: float) -> IntArray:
    """Close a group as soon as it is full; what is left over at the end joins the last group."""

    def full(count: float) -> bool:
        return count >= least and count > 0

    if expected.min() >= least and expected.min() > 0:
        return np.arange(expected.size)
    groups: list[tuple[int, float]] = []
    start, count = 0, 0.0
    for i, more in enumerate(expected.tolist()):
        count += more
        if full(count):
            groups.append((start, count))
            start, count = i + 1, 0.0
    # Left-over weights may be negative, so that the group they join is no longer full and joins its neighbour.
    while groups and start < expected.size:
        start, more = groups.pop()
        count += more
        if full(count):
            groups.append((start, count))
            break
    return np.array([group[0] for group in groups] or [0], dtype=np.intp)


def _two_halves(mass: FloatArray) -> IntArray:
    """Cut where the two parts are most nearly equal, both populated."""
    before = np.cumsum(mass)[:-1]
    balance = np.minimum(before, mass.sum() - before)
    return np.array([0, int(np.argmax(balance)) + 1], dtype=np.intp)


def _sums(sums: BinSums, path: IntArray, starts: IntArray) -> BinSums:
    sumw = np.add.reduceat(sums.sumw[path], starts)
    if sums.products is None:
        return BinSums(sumw, np.add.reduceat(sums.sumw2[path], starts), Unlabelled(sumw.shape))
    rows = np.add.reduceat(sums.products[np.ix_(path, path)], starts, axis=0)
    products = np.add.reduceat(rows, starts, axis=1)
    return BinSums(sumw, products.diagonal(), Unlabelled(sumw.shape), products, sums.n_events)

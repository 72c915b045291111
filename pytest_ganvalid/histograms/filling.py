"""Filling: from the values of an observable to bin sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.bins import Grid, Slabs
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]


def fill(bins: Grid | Slabs, columns: Sequence[FloatArray], weight: FloatArray | None) -> BinSums:
    """Sum weights and squared weights per bin.

    Args:
        bins: Where the events go; every event goes into some bin.
        columns: One array of shape (events,) per dimension.
        weight: Shape (events,), or ``None`` for unweighted events.
    """
    index = bins.index(columns)
    size = int(np.prod(bins.shape))
    if weight is None:
        counts: FloatArray = np.bincount(index, minlength=size).astype(np.float64)
        return BinSums(counts, counts, bins)
    sumw, sumw2 = (np.bincount(index, values, minlength=size) for values in (weight, weight**2))
    return BinSums(np.asarray(sumw, np.float64), np.asarray(sumw2, np.float64), bins)

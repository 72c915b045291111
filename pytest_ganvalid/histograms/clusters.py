"""Clusters of rows in a histogram: what rows with a common cause put into the bins together.

Rows are independent only from one cluster to the next, so the covariance of the contents is Σ h hᵀ over the clusters'
contents h, as it is over events of several entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.exact import Total, total_by_bin

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
MAX_CELLS = 1_000
"""Bins of a histogram of clusters, whose covariance is full."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterContents:
    """What each cluster put into the bins.

    Attributes:
        keys: Keys of the clusters, the same on either side, increasing, shape (clusters,).
        rows: Number of rows of each, shape (clusters,).
        contents: Sparse matrix of sums of weights, shape (clusters, bins).
    """

    keys: NDArray[np.uint64]
    rows: IntArray
    contents: Any


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Sums over clusters; those of other clusters add up.

    Attributes:
        products: Σ h hᵀ over the clusters' contents h, shape (bins, bins).
        sizes: Σ m and Σ m² over the clusters' weights m, shape (2,).
        contents: Contents by cluster, where they are at hand: they are not written to files.
    """

    products: FloatArray
    sizes: Total
    contents: ClusterContents | None = None

    def __add__(self, other: ClusterSums) -> ClusterSums:
        """Add the sums of other clusters."""
        return ClusterSums(self.products + other.products, self.sizes + other.sizes)

    @property
    def number(self) -> float:
        """Effective number of clusters, (Σm)²/Σm²."""
        total, squares = self.sizes.value.tolist()
        return float(total**2 / squares) if squares else 0.0


def cluster_sums(
    keys: NDArray[np.uint64], weight: FloatArray | None, counts: IntArray | None, index: IntArray, size: int
) -> ClusterSums:
    """Sum what clusters put into bins.

    Args:
        keys: The cluster of each row, shape (rows,).
        weight: Of each row; ``None`` for 1.
        counts: Number of entries of each row; ``None`` for one each.
        index: The bin of each entry.
        size: Number of bins.

    Raises:
        InputError: If there are too many bins.
    """
    from scipy import sparse

    if size > MAX_CELLS:
        msg = (
            f"rows in clusters take the covariance of all bins, for {MAX_CELLS:,} bins at most; got {size:,}; "
            "choose fewer with bins="
        )
        raise InputError(msg)
    distinct, label, rows = np.unique(keys, return_inverse=True, return_counts=True)
    row_weight = np.ones(keys.size) if weight is None else weight
    labels, weights = (part if counts is None else np.repeat(part, counts) for part in (label, row_weight))
    contents: Any = sparse.coo_matrix((weights, (labels, index)), shape=(distinct.size, size)).tocsr()
    contents.sum_duplicates()
    sums: FloatArray = np.asarray(np.bincount(label, row_weight, minlength=distinct.size), dtype=np.float64)
    single_bin = np.zeros(distinct.size, dtype=np.intp)
    sizes = [total_by_bin(single_bin, sums**power, 1) for power in (1, 2)]
    return ClusterSums(
        (contents.T @ contents).toarray(),
        Total(*(np.concatenate([getattr(total, name) for total in sizes]) for name in ("leading", "rest"))),
        ClusterContents(distinct, rows, contents),
    )

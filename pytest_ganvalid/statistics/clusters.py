"""Rows with a common cause, on one side or across both: how the sides depend, and on how few clusters all rests.

With a cluster's bin contents h and their sum m on either side, e = (h^g - q m^g)/W_g and f = (h^r - p m^r)/W_r,

    C^g = Σ e eᵀ,   C^r = Σ f fᵀ,   X = Σ e fᵀ,   M = C^g + C^r - X - Xᵀ,

the sandwich covariance of K.-Y. Liang & S. Zeger, Biometrika 73 (1986) 13. The noise that is taken off T then rests on
N_eff = m1²/Σ z² clusters, z = (e - f)ᵀA(e - f). Fewer than twenty clusters do not determine it well enough. For pairs,
clusters of one row on each side, the share π of those whose rows are in different bins bounds the difference:
Σ |q - p| <= 2π, hence Δ <= 2π²/min(q + p), with π at its upper limit after C. Clopper & E. Pearson, Biometrika 26
(1934) 404.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.histograms.clusters import ClusterContents
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.separation import Fractions, Noise

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

MIN_CLUSTERS = 20.0
"""Effective clusters below which the noise of T is not known well enough."""
MAX_PER_CLUSTER = 4.0
"""n_supported per cluster across both sides: what the same inputs show says little of many more others."""


@dataclass(frozen=True)
class Clusters:
    """Bin contents of the clusters of both sides.

    Attributes:
        generated: Sparse, shape (clusters, bins); ``None`` if only their sums are known, or there are none.
        reference: Likewise; where both are known a row of both is one cluster.
        rows: Number of rows of each cluster on either side, shape (clusters, 2); of one side alone (clusters, 1).
        sizes: Effective numbers of clusters of either side, and of rows where there are none.
    """

    generated: Any
    reference: Any
    rows: IntArray
    sizes: tuple[float, float]

    @classmethod
    def of(cls, generated: BinSums, reference: BinSums) -> Clusters | None:
        """Bring the clusters of both sides together; ``None`` if there are none."""
        if generated.clusters is None and reference.clusters is None:
            return None
        sides = generated.contents, reference.contents
        sizes = tuple(side.n_clusters or side.n_events or side.n_effective for side in (generated, reference))
        if sides[0] is None or sides[1] is None:
            stored = next((side for side in sides if side is not None), None)
            rows = np.zeros((0, 1), dtype=np.intp) if stored is None else stored.rows[:, None]
            matrices = [None if side is None else side.contents for side in sides]
            return cls(matrices[0], matrices[1], rows, (sizes[0], sizes[1]))
        keys = np.union1d(sides[0].keys, sides[1].keys)
        contents = [_aligned(side, keys) for side in sides if side is not None]
        rows = np.stack([number for _, number in contents], axis=1)
        return cls(contents[0][0], contents[1][0], rows, (sizes[0], sizes[1]))

    @cached_property
    def across(self) -> bool:
        """Whether any cluster has rows on both sides."""
        return self.rows.shape[1] > 1 and bool(np.any(np.all(self.rows > 0, axis=1)))

    @property
    def number(self) -> int:
        """Number of clusters."""
        return len(self.rows)

    @cached_property
    def paired(self) -> bool:
        """Whether each cluster is one unweighted row of one entry on each side."""
        return (
            self.across
            and bool(np.all(self.rows == 1))
            and _are_single_entries(self.generated)
            and _are_single_entries(self.reference)
        )

    def merged(self, group: IntArray) -> Clusters:
        """Return the contents of merged bins.

        Args:
            group: What each bin is merged to, shape (bins,).
        """
        from scipy import sparse

        sums = sparse.csr_matrix((np.ones(group.size), (np.arange(group.size), group)))
        sides = [None if side is None else side @ sums for side in (self.generated, self.reference)]
        return Clusters(sides[0], sides[1], self.rows, self.sizes)

    def inside(self, keep: NDArray[np.bool_], share: float) -> Clusters:
        """Return the contents of some bins.

        Args:
            keep: Which bins, shape (bins,).
            share: Their share of the contents, and of the clusters where single ones are not known.
        """
        bins = np.flatnonzero(keep)
        sides = [None if side is None else side[:, bins] for side in (self.generated, self.reference)]
        return Clusters(sides[0], sides[1], self.rows, (self.sizes[0] * share, self.sizes[1] * share))

    def cross(self, q: FloatArray, p: FloatArray) -> FloatArray | None:
        """Return X, shape (bins, bins); ``None`` if no cluster is across both sides."""
        if not self.across:
            return None
        products = (self.generated.T @ self.reference).toarray()
        of_q, of_p = products.sum(axis=1), products.sum(axis=0)
        centred = products - np.outer(q, of_p) - np.outer(of_q, p) + products.sum() * np.outer(q, p)
        return np.asarray(centred / (self.generated.sum() * self.reference.sum()))

    def effective(self, noise: Noise) -> float:
        """Return N_eff; of sides whose single clusters are not known, as if all of their clusters were alike."""
        q, p = noise.generated.q, noise.reference.q
        a = 1 / (q + p)
        squares = 0.0
        sides = ((self.generated, noise.generated), (self.reference, noise.reference))
        stored = [(contents, side) for contents, side in sides if contents is not None]
        if len(stored) == len(sides):
            squares += float(np.sum(_discordance(stored[0], stored[1], a) ** 2))
        elif stored:
            squares += float(np.sum(_discordance(stored[0], None, a) ** 2))
        for (contents, side), size in zip(sides, self.sizes, strict=True):
            squares += 0.0 if contents is not None else float(a @ side.variance) ** 2 / size
        m1 = float(a @ noise.variance)
        return m1**2 / squares if squares > 0 else 0.0

    def discordant(self) -> int:
        """Return how many pairs are in different bins."""
        difference = self.generated / self.generated.data[0] - self.reference / self.reference.data[0]
        return int(np.count_nonzero(np.asarray(abs(difference).sum(axis=1)).ravel()))


def _aligned(side: ClusterContents, keys: NDArray[np.uint64]) -> tuple[Any, IntArray]:
    """Return contents and numbers of rows of the clusters ``keys``, which include those of the side."""
    from scipy import sparse

    positions = np.searchsorted(keys, side.keys)
    shape = keys.size, side.keys.size
    placement = sparse.csr_matrix((np.ones(positions.size), (positions, np.arange(positions.size))), shape=shape)
    rows = np.zeros(keys.size, dtype=np.intp)
    rows[positions] = side.rows
    return placement @ side.contents, rows


def _are_single_entries(contents: Any) -> bool:  # noqa: ANN401 - scipy's matrices have no types
    """Tell whether every cluster is one entry of the same weight."""
    return contents.nnz == contents.shape[0] and bool(np.all(contents.data == contents.data[0]))


def _discordance(first: tuple[Any, Fractions], second: tuple[Any, Fractions] | None, a: FloatArray) -> FloatArray:
    """Return z of each cluster, (e - f)ᵀA(e - f), or eᵀAe of one side alone.

    With s = h^g/W_g - h^r/W_r and t = q m^g/W_g - p m^r/W_r it is sᵀAs - 2 sᵀAt + tᵀAt.
    """
    contents, side = first
    scaled = contents / contents.sum()
    share, q = np.asarray(scaled.sum(axis=1)).ravel(), side.q
    difference, expected, offset = scaled, share * float(q @ (a * q)) * share, share * (scaled @ (a * q))
    if second is not None:
        second_scaled = second[0] / second[0].sum()
        p, second_share = second[1].q, np.asarray(second_scaled.sum(axis=1)).ravel()
        difference = scaled - second_scaled
        offset = share * (difference @ (a * q)) - second_share * (difference @ (a * p))
        expected = expected - 2 * share * second_share * float(q @ (a * p)) + second_share**2 * float(p @ (a * p))
    return np.asarray(np.maximum(difference.multiply(difference) @ a - 2 * offset + expected, 0.0))


@dataclass(frozen=True, slots=True)
class DiscordantPairs:
    """Few pairs whose rows are in different bins.

    Attributes:
        number: Number of such pairs.
        pairs: Number of all pairs.
        min_content: The smallest q + p of a bin.
    """

    number: int
    pairs: int
    min_content: float

    def upper_limit(self, alpha: float) -> float:
        """Return the upper limit of Δ, 2π²/min(q + p)."""
        return 2 * self._share(self.number, alpha) ** 2 / self.min_content

    def p_value(self, delta: float) -> float:
        """Return the probability of so few discordant pairs if Δ is that large."""
        share = min(math.sqrt(0.5 * delta * self.min_content), 1.0)
        return float(special.bdtr(self.number, self.pairs, share))

    def expected_limit(self, quantile: float, alpha: float) -> float:
        """Return the limit that other pairs of the same share of discordant ones have with this probability."""
        number, share = 0, self.number / self.pairs
        while number < self.pairs and special.bdtr(number, self.pairs, share) < quantile:
            number += 1
        return 2 * self._share(number, alpha) ** 2 / self.min_content

    def power(self, delta: float, alpha: float) -> float:
        """Return the probability that other pairs of the same share of discordant ones have a limit below Δ."""
        number = -1
        while number < self.pairs and 2 * self._share(number + 1, alpha) ** 2 / self.min_content <= delta:
            number += 1
        return 0.0 if number < 0 else float(special.bdtr(number, self.pairs, self.number / self.pairs))

    def _share(self, number: int, alpha: float) -> float:
        """Return the upper limit of the share of discordant pairs."""
        if number >= self.pairs:
            return 1.0
        return float(special.betaincinv(number + 1, self.pairs - number, 1 - alpha))

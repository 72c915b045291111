"""The camel back: two equal normal peaks, the standard one-dimensional toy of the amplification literature.

Source: arXiv:2008.06545, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.optimize import brentq

from pytest_ganvalid._arguments import check_fraction, check_number, check_positive, check_positive_integer
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Sample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CamelBack:
    """The mixture fraction N(means[0], widths[0]) + (1 - fraction) N(means[1], widths[1]), column ``x``.

    Attributes:
        means: Of the two peaks.
        widths: Standard deviations of the two peaks, positive.
        fraction: Share of the first peak, between 0 and 1.

    Raises:
        InputError: If a parameter is out of range.
    """

    means: tuple[float, float] = (-4.0, 4.0)
    widths: tuple[float, float] = (1.0, 1.0)
    fraction: float = 0.5

    def __post_init__(self) -> None:
        """Check the parameters."""
        for mean, width in zip(self.means, self.widths, strict=True):
            check_number("means", mean)
            check_positive("widths", width)
        check_fraction("fraction", self.fraction)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density at ``x``, any shape."""
        z = [(np.asarray(x) - mean) / width for mean, width in zip(self.means, self.widths, strict=True)]
        first, second = (
            np.exp(-0.5 * zi**2) / (width * np.sqrt(2 * np.pi)) for zi, width in zip(z, self.widths, strict=True)
        )
        return np.asarray(self.fraction * first + (1 - self.fraction) * second)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a value up to ``x``, any shape."""
        first, second = (
            special.ndtr((np.asarray(x) - mean) / width) for mean, width in zip(self.means, self.widths, strict=True)
        )
        return np.asarray(self.fraction * first + (1 - self.fraction) * second)

    def bin_probabilities(self, edges: Sequence[float]) -> FloatArray:
        """Return the exact probabilities of the bins between ``edges``, underflow and overflow included.

        Args:
            edges: Increasing, shape (edges,).

        Returns:
            Shape (edges + 1,), summing to 1.

        Raises:
            InputError: If the edges do not increase.
        """
        if np.isnan(edges).any() or not np.all(np.diff(edges) > 0):
            msg = f"edges={edges!r} do not increase; sort them and remove repeated ones"
            raise InputError(msg)
        return np.diff(np.concatenate([[0.0], self.cdf(edges), [1.0]]))

    def equiprobable_edges(self, bins: int) -> tuple[float, ...]:
        """Return the ``bins - 1`` edges of exactly equiprobable bins, at least 2."""
        check_positive_integer("bins", bins, least=2)
        reach = 40 * max(self.widths)
        low, high = min(self.means) - reach, max(self.means) + reach
        shares = np.arange(1, bins) / bins
        return tuple(float(brentq(lambda x, p=p: float(self.cdf(x)) - p, low, high, xtol=1e-13)) for p in shares)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events.

        Args:
            n: Number of events, at least 1.
            seed: Any non-negative integer; samples of different seeds are independent.
        """
        rng = np.random.default_rng(check_positive_integer("seed", seed, least=0))
        n = check_positive_integer("n", n)
        second = (rng.random(n) >= self.fraction).astype(np.intp)
        x = np.take(self.means, second) + np.take(self.widths, second) * rng.standard_normal(n)
        return Sample({"x": x}, provenance={"source": "CamelBack", "seed": int(seed)})

"""The camel back: two equal normal peaks, the standard one-dimensional toy of the amplification literature.

Source: arXiv:2008.06545, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import check_fraction, check_number, check_positive
from pytest_ganvalid.toys.law import Toy, Univariate

FloatArray = NDArray[np.float64]
_MAX_DEVIATION = 40.0  # standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class CamelBack(Toy, Univariate):
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
            scipy.special.ndtr((np.asarray(x) - mean) / width)
            for mean, width in zip(self.means, self.widths, strict=True)
        )
        return np.asarray(self.fraction * first + (1 - self.fraction) * second)

    def _reach(self) -> tuple[float, float]:
        reach = _MAX_DEVIATION * max(self.widths)
        return min(self.means) - reach, max(self.means) + reach

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        second = (draws[0] >= self.fraction).astype(np.intp)
        return {"x": np.take(self.means, second) + np.take(self.widths, second) * scipy.special.ndtri(draws[1])}

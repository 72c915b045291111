"""A reference that grows in planned looks: one level for all of them, so that stopping at the first pass costs nothing.

Pocock (1977, doi:10.1093/biomet/64.2.191): after look k of L, equally spaced, the estimate is a sum of k independent
standard normal numbers over sqrt(k); all looks have the critical value c at which any of them exceeds it with
probability α. The sums that have not exceeded it are followed by numerical integration (Armitage, McPherson & Rowe
1969, doi:10.2307/2343787).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.statistics.roots import brentq

FloatArray = NDArray[np.float64]
_NODES, _WIDTH = 12, 3.0  # of a Gauss-Legendre rule, for so many standard deviations of a step
_LOWEST = 8.0  # standard deviations of a sum, below which the density is negligible
_MIN_LEVEL = 1e-9  # level below which rounding matters, and the looks share it evenly (Bonferroni)


@functools.lru_cache(maxsize=64)
def pocock_level(alpha: float, looks: int) -> float:
    """Return the level of each of ``looks`` equally spaced looks that together err with probability ``alpha``.

    Args:
        alpha: Error probability of one one-sided test, above 0 and below 0.5.
        looks: Planned looks, at least 1.
    """
    if looks == 1 or alpha < _MIN_LEVEL:
        return alpha / looks
    # Each look alone exceeds c with less than alpha, and all together with at most the sum of theirs.
    lower, upper = special.ndtri(1 - alpha), -special.ndtri(alpha / looks)
    return float(special.ndtr(-brentq(lambda c: _exceeding(c, looks) - alpha, lower, upper, xtol=1e-9)))


def _exceeding(critical: float, looks: int) -> float:
    """Return the probability that at any look a sum of k standard normal numbers exceeds ``critical`` sqrt(k)."""
    sums, weights = _rule(critical, looks)
    density = weights * _normal(sums)
    for look in range(2, looks):
        next_sums, weights = _rule(critical * look**0.5, looks)
        density, sums = weights * (_normal(next_sums[:, None] - sums) @ density), next_sums
    return float(1 - density @ special.ndtr(critical * looks**0.5 - sums))


def _rule(upper: float, looks: int) -> tuple[FloatArray, FloatArray]:
    """Return positions and weights of an integral over sums up to ``upper``."""
    positions, weights = np.polynomial.legendre.leggauss(_NODES)
    lower = -_LOWEST * looks**0.5
    edges = np.linspace(lower, upper, int((upper - lower) / _WIDTH) + 2)
    halves = np.diff(edges)[:, None] / 2
    return ((edges[:-1] + edges[1:])[:, None] / 2 + halves * positions).ravel(), (halves * weights).ravel()


def _normal(values: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-(values**2) / 2) / np.sqrt(2 * np.pi))

"""Where the boundary of the verdict lies: generators whose true bias is a stated multiple of the largest allowed one.

The verdict tests all bins and the leading smooth components of the difference, each with its own Δ_d and allowed excess
E_d. Agreement fails where the first of them reaches n_required Δ_d = E_d, so that is the boundary.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from pytest_ganvalid import InputError
from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.statistics import noncentral
from pytest_ganvalid.statistics.power import histogram_tests, joint_power, required_scale
from pytest_ganvalid.statistics.smooth import smooth_basis
from pytest_ganvalid.toys.boundary import boundary_shape, triangular_discrimination

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
_SMALL = 1e-6  # a Δ that every shape of bias can have


def tests_of(bins: int) -> tuple[FloatArray, FloatArray]:
    """Return the degrees of freedom of each test along one axis, all bins the last, and its allowed excess E_d."""
    degrees, excesses = histogram_tests(bins - 1, Arrangement.LINE, 1.0, None)
    return np.array(degrees), np.array(excesses)


def true_deltas(q: FloatArray, p: FloatArray) -> FloatArray:
    """Return the true Δ_d of each test, in the order of `tests_of`."""
    components = [int(d) for d in tests_of(q.size)[0][:-1]]
    theta = smooth_basis(Layout.line(q.size), (q + p) / 2, max(components, default=0)).T @ (q - p)
    return np.array([*(theta[:d] @ theta[:d] / 2 for d in components), triangular_discrimination(q, p)])


def shares_of_allowed(q: FloatArray, p: FloatArray, n_required: float) -> FloatArray:
    """Return n_required Δ_d / E_d of each test."""
    return np.asarray(n_required * true_deltas(q, p) / tests_of(q.size)[1])


def required_for(n_h: float, bins: int, strength: float) -> float:
    """Return the n_required at which a perfect generator passes all tests with probability ``strength``.

    Args:
        n_h: n_g n_r / (n_g + n_r).
        bins: Number of bins.
        strength: The joint power.
    """
    degrees, excesses = tests_of(bins)
    scale = required_scale(tuple(degrees.tolist()), tuple((2 * excesses).tolist()), strength, ALPHA)
    return float(round(n_h / scale))


def power_of_one(degrees: float, excess: float, n_h_over_n_required: float) -> float:
    """Return the probability that a perfect generator passes one test alone."""
    return joint_power((degrees,), (2 * n_h_over_n_required * excess,), ALPHA)


def power_of_all(bins: int, n_h_over_n_required: float) -> float:
    """Return the probability that a perfect generator passes all tests."""
    degrees, excesses = tests_of(bins)
    return joint_power(tuple(degrees.tolist()), tuple((2 * n_h_over_n_required * excesses).tolist()), ALPHA)


def detection(bins: int, shares: FloatArray, n_h_over_n_required: float) -> float:
    """Return the probability of BIASED by the best single test, to leading order: the least that all have together.

    Args:
        bins: Number of bins.
        shares: n_required Δ_d / E_d of each test.
        n_h_over_n_required: Sizes of the samples.
    """
    found = 0.0
    for share, degrees, excess in zip(shares, *tests_of(bins), strict=True):
        allowed = 2 * n_h_over_n_required * excess
        critical = noncentral.ppf(1 - ALPHA / shares.size, degrees, allowed)
        found = max(found, noncentral.sf(critical, degrees, share * allowed))
    return found


def boundary(shape: str, p: FloatArray, n_required: float, excess: float = 1.0) -> FloatArray:
    """Return bin probabilities q at ``excess`` times the boundary: the largest n_required Δ_d / E_d is that.

    Args:
        shape: One of `SHAPES` of the package's toys, or of `PATTERNS`.
        p: Reference probabilities, shape (bins,).
        n_required: Number of true events to stand in for.
        excess: How far beyond the boundary.

    Raises:
        InputError: If no bias of this shape is as large.
    """
    pattern = _pattern(shape, p)

    def beyond(amplitude: float) -> float:
        return float(shares_of_allowed(p * (1 + amplitude * pattern), p, n_required).max()) - excess

    if beyond(1.0) < 0:
        msg = f"a {shape!r} bias in {p.size} bins never has {excess:g} times what {n_required:g} events allow"
        raise InputError(msg)
    q = p * (1 + brentq(beyond, 0.0, 1.0, xtol=1e-12, rtol=1e-10) * pattern)
    return np.asarray(q / q.sum())


def _pattern(shape: str, p: FloatArray) -> FloatArray:
    """Return m of q = p (1 + a m), which averages to zero under p and is -1 at least."""
    pattern = PATTERNS[shape](p.size) if shape in PATTERNS else boundary_shape(shape, p, _SMALL) / p - 1
    pattern = pattern - pattern @ p
    return np.asarray(pattern / -pattern.min())


def _ripples(periods: int) -> Callable[[int], FloatArray]:
    return lambda bins: np.cos(2 * np.pi * periods * (np.arange(bins) + 0.5) / bins)


def _fifth(bins: int) -> FloatArray:
    return np.where(np.arange(bins) < bins // 5, 1.0, 0.0)


def _rough_fifth(bins: int) -> FloatArray:
    return _fifth(bins) * np.where(np.arange(bins) % 2 == 0, 1.0, -1.0)


PATTERNS: dict[str, Callable[[int], FloatArray]] = {
    **{f"ripples_{periods}": _ripples(periods) for periods in (6, 10, 15, 20, 30)},
    "first_fifth": _fifth,
    "last_fifth": lambda bins: _fifth(bins)[::-1],
    "first_fifth_rough": _rough_fifth,
    "last_fifth_rough": lambda bins: _rough_fifth(bins)[::-1],
}
"""Further shapes of bias: periods along the axis, and in one fifth of it alike, or up and down in turn."""

"""With which probability is a perfect generator shown ROBUST?

Of the tests on one histogram, each with d degrees of freedom and allowed excess E_d, the smoothest components are part
of all bins. With n_h = n_g n_r / (n_g + n_r), T of a perfect generator goes as χ²_d and that of one on the boundary as
χ'²_d(λ_d), λ_d = 2 n_h E_d / n_required. CLs passes up to t_d, F_χ'²_d(λ_d)(t) = α F_χ²_d(t), and both tests together
with probability ∫_0^min(t_9, t_n) f_χ²_9(x) F_χ²_(n-9)(t_n - x) dx. Tests for ripples, between the two, take away
0.005 at most.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import special

from pytest_ganvalid.histograms.layout import Arrangement
from pytest_ganvalid.statistics import noncentral
from pytest_ganvalid.statistics.roots import brentq
from pytest_ganvalid.statistics.smooth import resolutions

_CRITICAL = 0.95
_CERTAIN_FROM = 1e6
_NEGLIGIBLE = 1e-14
_MIN_STEP = 1e-3  # degrees of freedom between two tests that see the same
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_POSITIONS = 0.5 * (_NODES + 1)


def chi2_critical(ndf: int) -> float:
    """Return the 0.95 quantile of the χ² distribution, whatever the confidence: more of it never allows more bias."""
    return float(special.chdtri(ndf, 1 - _CRITICAL))


def allowed_excess(ndf: int, max_bias: float) -> float:
    """Return E, the largest allowed n_required Δ.

    A χ² test at n_required is still expected to pass, and the rms bias is at most ``max_bias``.
    """
    return min(chi2_critical(ndf) - ndf, max_bias**2 * ndf / 2)


def excess_of_all(ndf: int, max_bias: float, max_directional_bias: float | None) -> float:
    """Return the n_required Δ of all bins up to which ROBUST may be said."""
    excess = allowed_excess(ndf, max_bias)
    return excess if max_directional_bias is None else min(excess, max_directional_bias**2 / 2)


@functools.lru_cache(maxsize=256)
def histogram_tests(
    ndf: int, arrangement: Arrangement, max_bias: float, max_directional_bias: float | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the degrees of freedom of each test of a histogram, and the excess up to which it is passed.

    Args:
        ndf: Bins - 1.
        arrangement: How the bins lie; `Arrangement.NONE` if only all of them are tested.
        max_bias: Limit on the rms bias in error bars.
        max_directional_bias: Limit on that of one number linear in the contents, if there is one.
    """
    components = resolutions(ndf, arrangement)
    excesses = [allowed_excess(d, max_bias) for d in components]
    return (*map(float, components), float(ndf)), (*excesses, excess_of_all(ndf, max_bias, max_directional_bias))


@functools.lru_cache(maxsize=1024)
def joint_power(degrees: tuple[float, ...], noncentralities: tuple[float, ...], alpha: float) -> float:
    """Return the probability that a perfect generator passes all tests.

    Args:
        degrees: Degrees of freedom of T in each test, the smoothest first.
        noncentralities: Noncentralities λ_d of a generator on the boundary.
        alpha: Error probability of the upper limits.
    """
    t_first, t_last = (_critical_t(degrees[i], noncentralities[i], alpha) for i in (0, -1))
    if len(degrees) == 1:
        return float(special.chdtr(degrees[0], t_last))
    rest = max(degrees[-1] - degrees[0], _MIN_STEP)
    end = min(t_first, t_last, float(special.chdtri(degrees[0], _NEGLIGIBLE)))
    if end <= 0:
        return 0.0
    t = end * _POSITIONS**2  # smooth at 0, whatever the power of t there
    half = 0.5 * degrees[0]
    density = 0.5 * np.exp(special.xlogy(half - 1, 0.5 * t) - 0.5 * t - special.gammaln(half))
    return float(end * (_WEIGHTS * _POSITIONS * density) @ special.chdtr(rest, t_last - t))


@functools.lru_cache(maxsize=256)
def required_scale(
    degrees: tuple[float, ...], noncentralities: tuple[float, ...], target: float, alpha: float
) -> float:
    """Return the factor to all noncentralities at which `joint_power` is ``target``."""

    def excess(factor: float) -> float:
        return joint_power(degrees, tuple(factor * size for size in noncentralities), alpha) - target

    upper = 1 / min(size / (5 + 5 * math.sqrt(d)) for d, size in zip(degrees, noncentralities, strict=True))
    while excess(upper) < 0:
        upper *= 2
    lower = upper / 2
    while excess(lower) > 0:
        upper, lower = lower, lower / 2
    return float(brentq(excess, lower, upper, xtol=1e-300, rtol=1e-9))


@functools.lru_cache(maxsize=4096)
def _critical_t(ndf: float, noncentrality: float, alpha: float) -> float:
    """Return t_d, the largest T at which CLs excludes the boundary; 0 if none does, ``inf`` if all do."""
    if noncentrality > max(_CERTAIN_FROM, 10 * ndf):
        return math.inf
    if -0.5 * noncentrality >= math.log(alpha):  # the ratio for T -> 0
        return 0.0

    def excess(log_t: float) -> float:
        t = math.exp(log_t)
        ratio = noncentral.log_cdf(t, ndf, noncentrality) - noncentral.log_cdf(t, ndf, 0.0)
        return ratio - math.log(alpha)

    upper = math.log(ndf + noncentrality)
    while excess(upper) < 0:
        upper += 1
    lower = upper - 1
    while excess(lower) > 0:
        upper, lower = lower, lower - 1
    return math.exp(float(brentq(excess, lower, upper, xtol=1e-13)))

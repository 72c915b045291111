"""The non-central χ² distribution with ndf + λ from 1 to 10¹².

scipy evaluates it by series whose length grows as sqrt(λ); beyond λ = 10⁶ the Lugannani-Rice
saddlepoint formula is used, whose relative error is below 10⁻⁹ within six standard deviations and falls as λ grows.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.statistics.roots import brentq

FloatArray = NDArray[np.float64]

_SADDLEPOINT_FROM = 1e6
_CENTRAL_UNTIL = 1e-100  # older scipy divides by zero at denormal numbers
_SMALL_TAIL = 1e-4
_SERIES_UNTIL = 0.1
_SERIES_TERMS = 15
_MIXTURE_UNTIL = 1e4
_LOG_BELOW = 1e-12  # where the series of scipy, which starts at the mean, loses its digits


def cdf(x: float, ndf: float, noncentrality: float) -> float:
    """Return P(X <= x).

    Args:
        x: Where; not negative.
        ndf: Degrees of freedom, positive, not necessarily an integer.
        noncentrality: λ >= 0.
    """
    if x <= 0:
        return 0.0
    if noncentrality > _SADDLEPOINT_FROM:
        return _saddlepoint(x, ndf, noncentrality, upper=False)
    return min(float(special.chndtr(x, ndf, noncentrality)), 1.0)


def log_cdf(x: float, ndf: float, noncentrality: float) -> float:
    """Return log P(X <= x), which does not underflow: of a copy with many bins P is below the smallest number."""
    if x <= 0:
        return -math.inf
    if (probability := cdf(x, ndf, noncentrality)) > _LOG_BELOW:
        return math.log(probability)
    if noncentrality > _MIXTURE_UNTIL:
        w, correction = _saddlepoint_terms(x, ndf, noncentrality)
        # The tail of the normal is at least 1 / (|w| + 1/|w|) of its density, and the correction is smaller.
        mills = math.exp(float(special.log_ndtr(w)) + 0.5 * w * w) * math.sqrt(2 * math.pi)
        return -0.5 * w * w - 0.5 * math.log(2 * math.pi) + math.log(mills - correction)
    # A Poisson mixture of central χ² with ndf + 2j degrees of freedom, its terms in logarithms.
    half = 0.5 * noncentrality
    j = np.arange(math.ceil(half + 10 * math.sqrt(half)) + 40.0)
    weight = special.xlogy(j, half) - half - special.gammaln(j + 1)
    return float(special.logsumexp(weight + log_gammainc(0.5 * ndf + j, 0.5 * x)))


def log_gammainc(shape: FloatArray, x: float) -> FloatArray:
    """Return log P(shape, x), P being the regularised lower incomplete gamma function, which does not underflow.

    P = xᵃ exp(-x) / Γ(a + 1) · M(1, a + 1, x) (DLMF 8.5.1).

    Args:
        shape: Positive, any shape of array.
        x: Positive.
    """
    p = special.gammainc(shape, x)
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    small = p < _CENTRAL_UNTIL
    if np.any(small):
        a = shape[small]
        series = np.log(special.hyp1f1(1.0, a + 1, x))
        log_p[small] = special.xlogy(a, x) - x - special.gammaln(a + 1) + series
    return np.asarray(log_p)


def sf(x: float, ndf: float, noncentrality: float) -> float:
    """Return P(X >= x), accurate in the far tail too; arguments as in `cdf`."""
    if x <= 0:
        return 1.0
    if noncentrality < _CENTRAL_UNTIL:
        return float(special.chdtrc(ndf, x))
    if noncentrality > _SADDLEPOINT_FROM:
        return _saddlepoint(x, ndf, noncentrality, upper=True)
    complement = 1.0 - float(special.chndtr(x, ndf, noncentrality))
    if complement > _SMALL_TAIL:
        return complement
    from scipy import stats  # which takes half a second, and is hardly ever needed

    # The complement loses all digits in the tail; scipy's own survival function does not, but is 20 times slower.
    return float(stats.ncx2.sf(x, ndf, noncentrality))


@functools.lru_cache(maxsize=256)
def ppf(probability: float, ndf: float, noncentrality: float) -> float:
    """Return the x with P(X <= x) = probability, for 0 < probability < 1; arguments as in `cdf`."""
    mean, width = ndf + noncentrality, math.sqrt(2 * ndf + 4 * noncentrality)
    guess = max(mean + float(special.ndtri(probability)) * width, 0.0)
    lower, upper = max(guess - 0.5 * width, 0.0), guess + 0.5 * width
    while cdf(lower, ndf, noncentrality) > probability:
        lower = max(lower - width, 0.0)
    while cdf(upper, ndf, noncentrality) < probability:
        upper += width
    return float(brentq(lambda x: cdf(x, ndf, noncentrality) - probability, lower, upper, xtol=1e-300, rtol=1e-15))


def _saddlepoint(x: float, ndf: float, noncentrality: float, *, upper: bool) -> float:
    """Lugannani & Rice (1980)."""
    w, correction = _saddlepoint_terms(x, ndf, noncentrality)
    density = math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)
    sign = 1.0 if upper else -1.0
    return float(special.ndtr(-sign * w)) + sign * density * correction


def _saddlepoint_terms(x: float, ndf: float, noncentrality: float) -> tuple[float, float]:
    """Return w and 1/u - 1/w of Lugannani & Rice; s = 1/(1 - 2t) solves λ s² + ndf s = x at the saddlepoint t.

    In e = s - 1 nothing cancels: w = e sqrt(b), u = e sqrt(a), and 1/u - 1/w is finite at the mean, where e = 0.
    """
    root = math.sqrt(ndf * ndf + 4 * noncentrality * x)
    e = 2 * (x - ndf - noncentrality) / (2 * noncentrality + ndf + root)
    h, g = _log_remainders(e, 2 * x / (ndf + root))
    a, b = noncentrality * (1 + e) + 0.5 * ndf, noncentrality + ndf * h
    return e * math.sqrt(b), -(noncentrality + ndf * g) / (math.sqrt(a * b) * (math.sqrt(a) + math.sqrt(b)))


def _log_remainders(e: float, s: float) -> tuple[float, float]:
    """Return h = (e - log(s)) / e² and g = (1/2 - h) / e, where s = 1 + e."""
    if abs(e) > _SERIES_UNTIL:
        h = (e - math.log(s)) / (e * e)
        return h, (0.5 - h) / e
    g = 0.0
    for k in range(_SERIES_TERMS + 2, 2, -1):
        g = 1 / k - e * g
    return 0.5 - e * g, g

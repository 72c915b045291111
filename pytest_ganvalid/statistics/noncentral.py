"""The non-central χ² distribution with ndf + λ from 1 to 10¹².

scipy evaluates it by series whose length grows as sqrt(λ); beyond λ = 10⁶ the Lugannani-Rice
saddlepoint formula is used, whose relative error is below 10⁻⁹ within six standard deviations and falls as λ grows.
"""

from __future__ import annotations

import functools
import math

from scipy import special
from scipy.optimize import brentq

_SADDLEPOINT_FROM = 1e6
_CENTRAL_UNTIL = 1e-100  # older scipy divides by zero at denormal numbers
_SMALL_TAIL = 1e-4
_SERIES_UNTIL = 0.1
_SERIES_TERMS = 15


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
    """Lugannani & Rice (1980); s = 1/(1 - 2t) solves λ s² + ndf s = x at the saddlepoint t.

    In e = s - 1 nothing cancels: w = e sqrt(b), u = e sqrt(a), and 1/u - 1/w is finite at the mean, where e = 0.
    """
    root = math.sqrt(ndf * ndf + 4 * noncentrality * x)
    e = 2 * (x - ndf - noncentrality) / (2 * noncentrality + ndf + root)
    h, g = _log_remainders(e, 2 * x / (ndf + root))
    a, b = noncentrality * (1 + e) + 0.5 * ndf, noncentrality + ndf * h
    w = e * math.sqrt(b)
    correction = -(noncentrality + ndf * g) / (math.sqrt(a * b) * (math.sqrt(a) + math.sqrt(b)))
    density = math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)
    sign = 1.0 if upper else -1.0
    return float(special.ndtr(-sign * w)) + sign * density * correction


def _log_remainders(e: float, s: float) -> tuple[float, float]:
    """Return h = (e - log(s)) / e² and g = (1/2 - h) / e, where s = 1 + e."""
    if abs(e) > _SERIES_UNTIL:
        h = (e - math.log(s)) / (e * e)
        return h, (0.5 - h) / e
    g = 0.0
    for k in range(_SERIES_TERMS + 2, 2, -1):
        g = 1 / k - e * g
    return 0.5 - e * g, g

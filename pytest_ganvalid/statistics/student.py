"""Student's t distribution with any number of degrees of freedom, infinitely many included."""

from __future__ import annotations

from scipy import special

_NORMAL = 1e10  # from here on t is normal to ten digits; not every scipy takes infinity


def cdf(x: float, dof: float) -> float:
    """Return P(T <= x).

    Args:
        x: Where.
        dof: Degrees of freedom, positive, not necessarily an integer; infinite for a normal distribution.
    """
    return float(special.stdtr(min(dof, _NORMAL), x))


def ppf(probability: float, dof: float) -> float:
    """Return x with P(T <= x) = ``probability``; ``dof`` as in `cdf`."""
    return float(special.stdtrit(min(dof, _NORMAL), probability))

"""Does one sample repeat a value that the other does not?

Each value is compared with the rest like a bin: its local bias (see `statistics.local`) is *shown* to exceed the limit
if it does at simultaneous confidence over all these values. Where a list of values may have missed events, the
samples are taken to differ by as little as they may.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.statistics.local import local_bias
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
_ROUNDING = 1e-12  # of a share


@dataclass(frozen=True, slots=True, eq=False)
class ValueShares:
    """The shares of a sample that some values have.

    Attributes:
        lower: Lower bounds of the shares of its weight, shape (values,).
        upper: Their upper bounds.
        least_squares: Squared weights over the squared sum of all weights, of the lower bounds.
        sigma: One over the effective number of events.
    """

    lower: FloatArray
    upper: FloatArray
    least_squares: FloatArray
    sigma: float

    def fractions(self, i: int, *, upper: bool) -> Fractions:
        """Return a value and the rest as a histogram of two bins."""
        q = float(np.clip(self.upper[i] if upper else self.lower[i], 0.0, 1.0))
        u = float(self.least_squares[i] + self.sigma * (self.upper[i] - self.lower[i]) * upper)
        u = min(u, self.sigma)
        return Fractions(np.array([q, 1 - q]), np.array([u, self.sigma - u]), self.sigma)


@dataclass(frozen=True, slots=True)
class RepeatedBias:
    """A value that is off.

    Attributes:
        position: Its position among the values.
        generated: Its share of the generated sample.
        reference: Its share of the reference.
        lower: Simultaneous lower confidence limit of its bias, in error bars of n_required events.
        p_value: p-value of the excess over the limit, corrected for the number of values (Bonferroni).
    """

    position: int
    generated: float
    reference: float
    lower: float
    p_value: float


def repeated_biases(
    generated: ValueShares, reference: ValueShares, n_required: float, limit: float, alpha: float
) -> tuple[RepeatedBias, ...]:
    """Return the values that are shown to be off by more than ``limit``, the worst first.

    Args:
        generated: The shares of some values.
        reference: The shares of the same values.
        n_required: Number of true events to stand in for.
        limit: Limit in error bars of n_required events; may be infinite.
        alpha: Error probability, over all values.
    """
    number = generated.lower.size
    # Weights of either sign may add up to a share below 0 or above 1, which no histogram has.
    bounds = [np.clip((side.lower, side.upper), 0.0, 1.0) for side in (generated, reference)]
    is_larger = bounds[0][0] > bounds[1][1] + _ROUNDING
    biases = []
    for i in np.flatnonzero(is_larger | (bounds[1][0] > bounds[0][1] + _ROUNDING)).tolist():
        gen, ref = generated.fractions(i, upper=not is_larger[i]), reference.fractions(i, upper=bool(is_larger[i]))
        local = local_bias(gen, ref, n_required, limit, alpha / number)
        p_value = min(1.0, number * local.p_value)
        if p_value < alpha:
            shares = float(generated.lower[i]), float(reference.lower[i])
            biases.append(RepeatedBias(i, *shares, float(local.lower[0]), p_value))
    return tuple(sorted(biases, key=lambda bias: -bias.lower))

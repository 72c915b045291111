"""Does one sample repeat a value that the other does not?

Each value is compared with the rest like a bin: its local bias (see `statistics.local`) is *shown* to exceed the limit
if it does at simultaneous confidence over all values looked at. Where a list of values may have missed events, the
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
    """How much of a sample has each of some values.

    Attributes:
        least: Share of its weight, at least, shape (values,).
        most: At most.
        least_squares: Squared weights over the squared sum of all weights, of the share that is certain.
        sigma: One over the effective number of events.
    """

    least: FloatArray
    most: FloatArray
    least_squares: FloatArray
    sigma: float

    def fractions(self, i: int, *, most: bool) -> Fractions:
        """Return a value and the rest as a histogram of two bins."""
        q = float(np.clip(self.most[i] if most else self.least[i], 0.0, 1.0))
        u = float(self.least_squares[i] + self.sigma * (self.most[i] - self.least[i]) * most)
        u = min(u, self.sigma)
        return Fractions(np.array([q, 1 - q]), np.array([u, self.sigma - u]), self.sigma)


@dataclass(frozen=True, slots=True)
class RepeatedBias:
    """A value that is off.

    Attributes:
        position: Among the values.
        generated: Its share of the generated sample.
        reference: Its share of the reference.
        lower: Simultaneous lower confidence limit of its bias, in error bars of n_required events.
        p_value: Of the excess over the limit, corrected for the number of values (Bonferroni).
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
        reference: Those of the same ones.
        n_required: Number of true events to stand in for.
        limit: In error bars of n_required events; may be infinite.
        alpha: Error probability, over all values.
    """
    number = generated.least.size
    # Weights of either sign may add up to a share below 0 or above 1, which is none of a histogram.
    bounds = [np.clip((side.least, side.most), 0.0, 1.0) for side in (generated, reference)]
    more = bounds[0][0] > bounds[1][1] + _ROUNDING
    shown = []
    for i in np.flatnonzero(more | (bounds[1][0] > bounds[0][1] + _ROUNDING)).tolist():
        ours, theirs = generated.fractions(i, most=not more[i]), reference.fractions(i, most=bool(more[i]))
        local = local_bias(ours, theirs, n_required, limit, alpha / number)
        p_value = min(1.0, number * local.p_value)
        if p_value < alpha:
            shares = float(generated.least[i]), float(reference.least[i])
            shown.append(RepeatedBias(i, *shares, float(local.lower[0]), p_value))
    return tuple(sorted(shown, key=lambda bias: -bias.lower))

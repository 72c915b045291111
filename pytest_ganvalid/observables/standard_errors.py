"""Standard errors of numbers made of weighted events, and the degrees of freedom of those errors.

What to use when: `by_influence` for a smooth function of averages, `proportion` for a share of the events,
`Ranked` for a quantile. Weights may be negative; their sum is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.results import Estimate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_ORDINARY = 1e30  # up to here, and down to its inverse, fourth powers neither overflow nor vanish
_GAP = 3  # the steps between the values around a quantile are this much more uneven than chance makes them
_MIN_EFFECTIVE = 5  # effective events: with fewer there are less than the ten degrees of freedom that a verdict takes


def by_influence(value: float, influence: FloatArray, weight: FloatArray, cluster: IntArray | None = None) -> Estimate:
    """Return an estimate with the standard error of its influence function.

    Args:
        value: The estimate.
        influence: Contribution of each event, of average zero, shape (events,).
        weight: Weight of each event; the sum is positive.
        cluster: Number of the cluster of each event, from 0; ``None`` for independent events.

    Raises:
        InputError: If all contributions are zero.
    """
    contributions = weight * influence / weight.sum()
    parts = (contributions if cluster is None else np.bincount(cluster, contributions)) ** 2
    variance = float(parts.sum())
    if influence.min() == influence.max() or not variance > 0:  # rounding may leave a little of equal values
        msg = "all events have the same value, so its error is not known and nothing can be demonstrated"
        raise InputError(msg)
    unit_variance = average(influence**2, weight)
    n_events = unit_variance / variance if unit_variance > 0 else effective(weight)
    spread = float((parts**2).sum()) / variance**2 - 1 / parts.size  # relative variance of the variance
    dof = 2 / spread if spread > 0 else math.inf
    # An event with nearly all of the weight makes the estimate, and then its apparent contribution is chance.
    n_effective = effective(weight if cluster is None else np.asarray(np.bincount(cluster, weight), dtype=np.float64))
    if n_effective < _MIN_EFFECTIVE:
        n_events = max(min(n_events, n_effective), 1.0)
    return Estimate(value, math.sqrt(variance), n_events, max(min(dof, 2 * n_effective), 1.0))


def proportion(passed: FloatArray, weight: FloatArray, cluster: IntArray | None = None) -> Estimate:
    """Estimate a share of events, with the variance at (k + 1) / (n + 2).

    At k / n it would vanish where none or all pass: such a sample would seem to know the share exactly.

    Args:
        passed: 0 or 1, shape (events,).
        weight: Weight of each event; the sum is positive.
        cluster: Number of the cluster of each event, from 0; ``None`` for independent events.
    """
    n_effective = effective(weight)
    events, mean_weight = n_effective + 2, weight.sum() / n_effective
    extended_passed, extended_weight = np.append(passed, [0.0, 1.0]), np.append(weight, [mean_weight, mean_weight])
    shrunk = min(max(average(extended_passed, extended_weight), 1 / events), 1 - 1 / events)
    extended_clusters = None if cluster is None else np.append(cluster, cluster.max() + np.array([1, 2]))
    estimate = by_influence(shrunk, extended_passed - shrunk, extended_weight, extended_clusters)
    # Two events that do not exist have made the error stable; they must not make it smaller.
    factor = events / n_effective
    n_events = max((estimate.n_events or events) / factor, 1.0)
    return Estimate(average(passed, weight), estimate.error * math.sqrt(factor), n_events, estimate.dof)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Events in the order of their values.

    Attributes:
        values: Increasing, shape (events,).
        weight: Likewise.
    """

    values: FloatArray
    weight: FloatArray

    def at(self, probability: float) -> float:
        """Return a quantile, half of each event's weight counting as below it.

        Negative weights make the cumulated weight cross a level more than once: first and last crossing are averaged.
        """
        below = (np.cumsum(self.weight) - self.weight / 2) / self.weight.sum()
        envelopes = (np.maximum.accumulate(below), np.minimum.accumulate(below[::-1])[::-1])
        return float(np.mean([np.interp(probability, curve, self.values) for curve in envelopes]))

    def between(self, low: float, high: float, value: float, n_events: float | None, dof: float = math.inf) -> Estimate:
        """Estimate ``value`` with the error that the quantiles at its standard errors have.

        The distance of two order statistics with k events between them has a relative variance of 1 / k, the squares
        of the k + 1 steps on the way add up to 2 / k of its own square. Where they exceed that by far there is a gap.
        The degrees of freedom are those of the probability at most.
        """
        lower, upper = self.at(low), self.at(high)
        inside = slice(*np.searchsorted(self.values, [lower, upper]))
        values, weight = self.values[inside], self.weight[inside]
        if np.unique(values).size <= values.size / 2 or lower >= upper:
            msg = (
                f"the values are discrete at {value:g}: {values.size} of them around it take {np.unique(values).size} "
                "different values, so the quantile has no meaningful error; compare an efficiency, such as that of a "
                "cut at this value, or the histogram"
            )
            raise InputError(msg)
        count = float(np.abs(weight).sum() ** 2 / (weight**2).sum())
        steps = np.diff(values, prepend=lower, append=upper)
        even_count = 2 * (upper - lower) ** 2 / float((steps**2).sum())
        effective_count = even_count if even_count < count / _GAP else count
        return Estimate(value, (upper - lower) / 2, n_events, max(min(effective_count / 2, dof), 1.0))


def average(values: FloatArray, weight: FloatArray) -> float:
    """Return the weighted mean."""
    return float((weight * values).sum() / weight.sum())


def effective(weight: FloatArray) -> float:
    """Return (Σw)²/Σw², the unweighted events whose sum has the same relative error."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def bessel(weight: FloatArray) -> float:
    """Return n / (n - 1), which makes a variance unbiased; without weights exactly.

    Raises:
        InputError: If there is no more than one effective event.
    """
    n_effective = effective(weight)
    if n_effective <= 1:
        msg = f"{n_effective:.3g} effective events do not determine an error; expected at least two"
        raise InputError(msg)
    return n_effective / (n_effective - 1)


def power_of_two(values: FloatArray) -> float:
    """Return a unit, exact to divide by, in which extraordinary numbers are of the order of one; 1 for others."""
    largest = float(np.abs(values).max())
    if largest == 0 or 1 / _ORDINARY <= largest <= _ORDINARY:
        return 1.0
    return math.ldexp(1.0, math.frexp(largest)[1] - 1)

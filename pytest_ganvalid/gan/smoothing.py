"""Smooth distributions of training events: as few parameters as the events demand, and no more events than there are.

A density is a step function on many cells, and its logarithm has a penalty on third differences: without events that
demand more it is a normal distribution (Silverman, Ann. Stat. 10 (1982) 795; Eilers & Marx, Stat. Sci. 11 (1996) 89).
The strength of the penalty is that with the least information criterion, 3 for each effective parameter instead of
Akaike's 2, which would keep some fluctuations (Bhansali & Downham, Biometrika 64 (1977) 547).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_STRENGTHS = 10.0 ** np.arange(10, -3, -1)
_ORDER, _CYCLIC_ORDER = 3, 2  # of the differences; on a circle, 2 suffices for the smoothest to be uniform
_NEWTON, _TOLERANCE, _MAX_STEP = 60, 1e-3, 3.0
_PRICE = 3.0  # of an effective parameter
_MAX_EXCESS = 20.0  # of the criterion over the best, beyond which less smoothing is not tried
_CELLS = 64, 512  # minimum and maximum
_CELLS_PER_ROOT = 2.5
_REFINEMENTS = 3
_TRACE = 1e-2  # events in all empty cells together, for clusters without any in between: far smaller than their errors


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A rising function of a column, in which its density is smoother.

    Attributes:
        forward: The function.
        inverse: Its inverse.
        log_slope: Logarithm of its derivative, at values of the column.
        base: The coordinate in which tails go on, if another one.
    """

    forward: Callable[[FloatArray], FloatArray]
    inverse: Callable[[FloatArray], FloatArray]
    log_slope: Callable[[FloatArray], FloatArray]
    base: Coordinate | None = None


IDENTITY = Coordinate(lambda x: x, lambda t: t, np.zeros_like)


def logarithm() -> Coordinate:
    """Return the logarithm, for positive columns."""
    return Coordinate(np.log, np.exp, lambda x: -np.log(x))


def inverse_hyperbolic_sine(centre: float, width: float) -> Coordinate:
    """Return a function that is linear around ``centre`` and logarithmic from some ``width`` on, for heavy tails."""
    return Coordinate(
        lambda x: np.arcsinh((x - centre) / width),
        lambda t: centre + width * np.sinh(t),
        lambda x: -0.5 * np.log1p(((x - centre) / width) ** 2) - np.log(width),
    )


@dataclass(frozen=True, slots=True)
class Smooth:
    """A smooth distribution of a coordinate.

    Attributes:
        coordinate: A function of the column.
        edges: Edges of the cells, in the coordinate, shape (cells + 1,).
        cumulative: The share of events below each edge, from 0 to 1.
        parameters: Effective number of parameters.
        criterion: The information criterion of the column's values; smaller is better.
    """

    coordinate: Coordinate
    edges: FloatArray
    cumulative: FloatArray
    parameters: float
    criterion: float

    @property
    def base(self) -> Coordinate:
        """The coordinate in which tails go on."""
        return self.coordinate.base or self.coordinate

    def quantile(self, levels: FloatArray) -> FloatArray:
        """Return the base coordinate below which a share of events is."""
        coordinates = np.interp(levels, self.cumulative, self.edges)
        return coordinates if self.coordinate.base is None else self.base.forward(self.coordinate.inverse(coordinates))


def smooth(
    values: FloatArray,
    weight: FloatArray,
    coordinates: tuple[Coordinate, ...],
    lower: float | None = None,
    upper: float | None = None,
) -> Smooth | None:
    """Estimate the distribution of events.

    Args:
        values: Shape (events,).
        weight: Shape (events,), of any sign; the sum is the effective number of events.
        coordinates: Coordinates, of which the one with the smallest criterion is taken.
        lower: Lower end of the distribution; ``None`` for the smallest value.
        upper: Upper end, likewise.

    Returns:
        The distribution; ``None`` if no coordinate tells the events apart.
    """
    ends = np.array([values.min() if lower is None else lower, values.max() if upper is None else upper])
    fits = [fit for c in coordinates if (fit := _fit(values, weight, c, ends)) is not None]
    if not fits:
        return None
    best = min(fits, key=lambda fit: fit.criterion)
    for _ in range(_REFINEMENTS):
        # Cells that follow the distribution so far: structures narrower than a cell are resolved.
        finer = _fit(values, weight, _refined(best), ends)
        if finer is None or finer.criterion + _PRICE * best.parameters >= best.criterion:
            break
        best = finer
    return best


def _fit(values: FloatArray, weight: FloatArray, coordinate: Coordinate, ends: FloatArray) -> Smooth | None:
    """Fit one coordinate."""
    with np.errstate(all="ignore"):  # NaN and infinities are refused below
        transformed, (low, high) = coordinate.forward(values), coordinate.forward(ends)
        slopes = coordinate.log_slope(values)
        counts, edges = None, None
        if np.isfinite([low, high]).all() and low < high and np.isfinite(slopes).all():
            edges = np.linspace(low, high, cells(weight.sum()) + 1)
    if edges is None or not (np.diff(edges) > 0).all():
        return None
    counts = np.histogram(transformed, edges, weights=weight)[0]
    # Where only cells far apart have events, their logarithms could fall without end in between.
    fit = expected_counts(counts, cyclic=False) or expected_counts(counts + _TRACE / counts.size, cyclic=False)
    if fit is None:
        return None
    expected, parameters, criterion = fit
    # From probabilities of cells to the density of the column's values, so that coordinates can be compared.
    criterion += 2 * weight.sum() * (np.log(edges[1] - edges[0]) + np.log(weight.sum())) - 2 * float(weight @ slopes)
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    return Smooth(coordinate, edges, cumulative / cumulative[-1], parameters, criterion)


def _refined(fit: Smooth) -> Coordinate:
    """Return the coordinate in which a distribution is uniform."""
    edges, cumulative, inner = fit.edges, fit.cumulative, fit.coordinate
    shares = np.diff(cumulative) / np.diff(edges)

    def log_slope(x: FloatArray) -> FloatArray:
        cell = np.clip(np.searchsorted(edges, inner.forward(x), side="right") - 1, 0, shares.size - 1)
        return np.log(shares[cell]) + inner.log_slope(x)

    return Coordinate(
        lambda x: np.interp(inner.forward(x), edges, cumulative),
        lambda t: inner.inverse(np.interp(t, cumulative, edges)),
        log_slope,
        inner.base or inner,
    )


def cells(events: float) -> int:
    """Return the number of cells for an effective number of events: as many as can be resolved."""
    return int(2 ** np.clip(np.rint(np.log2(_CELLS_PER_ROOT * np.sqrt(events))), *np.log2(_CELLS)))


def expected_counts(counts: FloatArray, *, cyclic: bool) -> tuple[FloatArray, float, float] | None:
    """Smooth the counts of cells, of which the last and the first are neighbours if ``cyclic``.

    Returns:
        The expected counts, the effective number of parameters, and the
        criterion; ``None`` if nothing converges.
    """
    total, size = counts.sum(), counts.size
    differences = np.eye(size)
    if cyclic:
        for _ in range(_CYCLIC_ORDER):
            differences = np.roll(differences, -1, axis=0) - differences
    else:
        differences = np.diff(differences, _ORDER, axis=0)
    roughness = differences.T @ differences
    logarithms = np.full(size, np.log(total / size))
    best: tuple[FloatArray, float, float] | None = None
    for strength in _STRENGTHS:
        start = _maximised(counts, logarithms, strength * roughness)
        if start is None:
            continue
        logarithms = start
        expected = np.exp(logarithms)
        parameters = float(np.trace(np.linalg.solve(strength * roughness + np.diag(expected), np.diag(expected))))
        criterion = 2 * float(expected.sum() - counts @ logarithms) + _PRICE * parameters
        if best is None or criterion < best[2]:
            best = expected, parameters, criterion
        elif criterion > best[2] + _MAX_EXCESS:
            break
    return best


def _maximised(counts: FloatArray, logarithms: FloatArray, penalty: FloatArray) -> FloatArray | None:
    """Maximise the penalised Poisson likelihood by Newton's method; ``None`` if that does not converge."""
    for _ in range(_NEWTON):
        expected = np.exp(logarithms)
        gradient = counts - expected - penalty @ logarithms
        try:
            step = np.linalg.solve(penalty + np.diag(expected), gradient)
        except np.linalg.LinAlgError:
            return None
        largest = np.abs(step).max()
        if not np.isfinite(largest):
            return None
        logarithms = logarithms + step * min(1.0, _MAX_STEP / max(largest, _TOLERANCE))
        if largest < _TOLERANCE:
            return logarithms
    return None

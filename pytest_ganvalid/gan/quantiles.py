"""A column's distribution as a table: values to scores that a network learns easily, and back.

One table serves continuous columns, counts, columns of few values, atoms (a third of the events at exactly 0) and
angles. It is learned from the training events alone.

- What is continuous is smoothed (`pytest_ganvalid.gan.smoothing`). Beyond the outermost training events, which have
  1/(2n) of the events beyond them, less if they are light, the coordinate that was chosen goes on linearly in the
  score, with the mean slope of the last hundredth of the events (at least of five): a normal tail of the column, of its
  logarithm, or of its inverse hyperbolic sine. Positive columns stay positive, and nothing passes a limit.
- A column of at most 32 values, each of at least five events on average, is generated with no other value. So is each
  value that has a hundredth of the events and ten times as many as values usually have; or ten events, and ten times as
  many as the values next to it usually have.
- Other columns of integers are counts: spread over slots of width 1, smoothed, and rounded.
- Fewer than 30 effective events are taken for normal, or lognormal where that is more symmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import smoothing
from pytest_ganvalid.gan.smoothing import IDENTITY, Coordinate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Limits = tuple[float | None, float | None]
_HALF = 0.5
_KNOTS, _TAIL_KNOTS = 256, 8
_MAX_SCORE = 8.0  # beyond which there is no event
_TAIL_SHARE, _TAIL_EVENTS = 0.01, 5
_SMOOTH_FROM = 30  # effective events; fewer are taken for normal
_FEW_VALUES, _EVENTS_PER_VALUE = 32, 5
_ATOM_SHARE, _ATOM_EVENTS, _ATOM_EXCESS = 0.01, 10, 10
_NEXT = 5  # values to either side, which are next to a value
_MIN_BEYOND = 1e-12  # of the 1/(2n) beyond the outermost events, however light they are
_EDGE_FRACTION = 8  # a limit within the span of the events over this number from them is an edge of the distribution
_MAX_FOLDS = 600.0  # logarithm of the smallest training value of a positive column over the smallest generated one
_WITHIN_PERIOD = 1e-6  # of the period, for angles in single precision
_CALIBRATED_BEYOND, _CALIBRATED_SLOPE = 5, 50  # events outside of the outermost level, and to the slope there


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """The transformation of one column to scores, and back.

    Between the knots of the table values are linear in the score. Two knots of the same value are the slot of an atom,
    a value that a share of the events has exactly; two of the same score are a gap in which nothing is generated.

    Attributes:
        name: Name of the column.
        network: The inputs of the network: ``"normal score"``, in which the training events are standard normal;
            ``"standardised"``, of too few events for that: the column or its logarithm to mean 0 and standard deviation
            1; or ``"circle"``, of a periodic column: a point of the plane in its direction, normal in both coordinates.
        integral: Whether the column holds counts; generated values are rounded.
        period: Period of a periodic column, otherwise ``None``.
        values: Values at the knots, none falling.
        levels: The share of events below each knot.
        scores: Scores of the network at the knots; turns on a circle.

    Raises:
        InputError: If the arguments are no such table.
    """

    KIND: ClassVar[str] = "quantiles"

    name: str
    network: Literal["normal score", "standardised", "circle"]
    integral: bool
    period: float | None
    values: tuple[float, ...]
    levels: tuple[float, ...]
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the table."""
        table = self.values, self.levels, self.scores
        rising = all((np.diff(numbers) >= 0).all() for numbers in table)
        if not np.isfinite(self.values).all():
            msg = f"column {self.name!r} spans more orders of magnitude than numbers have; take its logarithm"
            raise InputError(msg)
        if len(set(map(len, table))) > 1 or len(self.values) < 2 or not rising:  # noqa: PLR2004 - a line has two ends
            msg = (
                f"the table of column {self.name!r} has {len(self.values)} values, {len(self.levels)} levels and "
                f"{len(self.scores)} scores; expected as many of each, at least 2, and none falling"
            )
            raise InputError(msg)
        if (self.period is not None) != (self.network == "circle") or (self.period or 1.0) <= 0:
            msg = (
                f"column {self.name!r} has period {self.period} and is seen as {self.network!r}; expected a circle, "
                "and a positive period"
            )
            raise InputError(msg)

    @property
    def inputs(self) -> int:
        """Number of network inputs for one value of the column."""
        return 1 if self.period is None else 2

    def to_network(self, values: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        """Return the inputs of a network, shape (events, inputs).

        Args:
            values: Shape (events,).
            rng: Spreads counts and atoms over their slots, and points of a circle over the plane; without it they are
                in the middle, and at distance 1.

        Raises:
            InputError: If the column is periodic, and a value is outside its period.
        """
        knots, scores = np.array(self.values), np.array(self.scores)
        if self.period is not None:
            check_period(self.name, values, self.period, knots[0])
            angles = 2 * np.pi * np.interp(values, knots, scores)
            radii = np.ones(values.size) if rng is None else np.sqrt(-2 * np.log1p(-rng.random(values.size)))
            return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
        positions = np.full(values.size, _HALF) if rng is None else rng.random(values.size)
        inputs: FloatArray = np.interp(values + (positions - _HALF) if self.integral else values, knots, scores)
        slots = np.flatnonzero((np.diff(knots) == 0) & (np.diff(scores) > 0))
        if slots.size:
            slot = slots[np.minimum(np.searchsorted(knots[slots], values), slots.size - 1)]
            low, high = ndtr(scores[slot]), ndtr(scores[slot + 1])
            atoms = np.clip(ndtri(low + positions * (high - low)), scores[slot], scores[slot + 1])
            inputs = np.where(knots[slot] == values, atoms, inputs)
        return inputs[:, None]

    def calibrated(self, outputs: FloatArray) -> Quantiles:
        """Return the table at the scores that a network generates, so that each level has its share of them.

        Beyond the outermost five events the scores go on as those of a normal distribution.

        Args:
            outputs: The outputs of the network for the column, shape (events, inputs).
        """
        levels, size = np.array(self.levels), len(outputs)
        ordered = np.sort(outputs[:, 0] if self.period is None else turns(outputs))
        positions = (np.arange(size) + _HALF) / size
        scores = np.interp(levels, positions, ordered)
        if self.period is not None:
            scores[[0, -1]] = 0, 1
        else:
            outer = _CALIBRATED_BEYOND / size
            inner_score, outer_score = ndtri(_CALIBRATED_SLOPE / size), ndtri(outer)
            normal = normal_scores(levels)
            for end, sign in ((levels < outer, -1), (levels > 1 - outer, 1)):
                outer_value, inner_value = np.interp(
                    ndtr(-sign * np.array([outer_score, inner_score])), positions, ordered
                )
                slope = (outer_value - inner_value) / (sign * (inner_score - outer_score))
                scores[end] = outer_value + slope * (normal[end] + sign * outer_score)
        return replace(self, scores=tuple(np.maximum.accumulate(scores).tolist()))


def turns(points: FloatArray) -> FloatArray:
    """Return the direction of points in a plane, shape (events, 2), in turns from 0 to below 1."""
    directions: FloatArray = np.mod(np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi), 1.0)
    return directions


def circle(name: str, period: float, start: float, levels: FloatArray) -> Quantiles:
    """Return the table of a periodic column, from the shares of events below evenly spaced values."""
    shares = tuple(levels.tolist())
    values = tuple((start + period * np.linspace(0, 1, levels.size)).tolist())
    return Quantiles(
        name=name, network="circle", integral=False, period=period, values=values, levels=shares, scores=shares
    )


def periodic(name: str, values: FloatArray, weight: FloatArray, period: float, start: float) -> Quantiles:
    """Learn the table of a periodic column; the sum of weights is the effective number of events.

    Raises:
        InputError: If a value is outside the period.
    """
    check_period(name, values, period, start)
    smooth = None
    if weight.sum() >= _SMOOTH_FROM:
        shares = np.mod((values - start) / period, 1.0)
        counts = np.histogram(shares, smoothing.cells(weight.sum()), (0, 1), weights=weight)[0]
        smooth = smoothing.expected_counts(counts, cyclic=True)
    cumulative = np.concatenate([[0.0], np.cumsum([1.0] if smooth is None else smooth[0])])
    return circle(name, period, start, cumulative / cumulative[-1])


def check_period(name: str, values: FloatArray, period: float, start: float) -> None:
    """Refuse values outside of a period.

    Raises:
        InputError: If a value is outside.
    """
    slack = _WITHIN_PERIOD * period
    outside = (values < start - slack) | (values > start + period + slack)
    if outside.any():
        msg = (
            f"column {name!r} has a value of {values[outside][0]:g}; expected {start:g} to {start + period:g}, as its "
            f"period is {period:g}: bring the values into one period first, or state another one in periodic="
        )
        raise InputError(msg)


def quantile_table(
    name: str,
    values: FloatArray,
    weight: FloatArray,
    limits: Limits,
    normal: tuple[FloatArray, FloatArray],
    *,
    integral: bool,
) -> Quantiles:
    """Learn the table of a column.

    Args:
        name: Name of the column.
        values: Finite, not all equal, within the limits, shape (events,).
        weight: Weights of either sign, shape (events,); the sum is the effective number of events.
        limits: Limits that no generated value passes.
        normal: Scores and values of a normal column, for too few events to learn anything else.
        integral: Whether all values are integers.
    """
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    is_discrete = distinct.size <= min(_FEW_VALUES, values.size / _EVENTS_PER_VALUE)
    is_atom = np.full(distinct.size, fill_value=True) if is_discrete else _atoms(counts)
    if is_atom.any() and weight[~is_atom[index]].sum() < _SMOOTH_FROM:
        is_atom[:] = True  # the few others are too few to smooth
    rest = ~is_atom[index]
    integral = integral and bool(rest.any())
    network: Literal["normal score", "standardised"] = "normal score"
    levels, knots = np.empty(0), np.empty(0)
    if rest.any():
        smooth = _smooth(values[rest], weight[rest], limits, integral=integral)
        if smooth is None:
            network, smooth = "standardised", (ndtr(normal[0]), normal[1])
        levels, knots = smooth
        knots = _allowed(knots, float(values[rest].min()), _slot_limits(limits, integral=integral), integral=integral)
    shares = np.maximum(np.bincount(index, weight, distinct.size)[is_atom], 0.0)
    shares /= shares.sum() + max(float(weight[rest].sum()), 0.0)
    levels, knots = _with_atoms(levels, knots, distinct[is_atom], shares)
    return Quantiles(
        name=name,
        network=network,
        integral=integral,
        period=None,
        values=tuple(knots.tolist()),
        levels=tuple(levels.tolist()),
        scores=tuple(normal_scores(levels).tolist()),
    )


def normal_scores(levels: FloatArray) -> FloatArray:
    """Return the normal scores of some levels, none infinite."""
    scores: FloatArray = np.clip(ndtri(levels), -_MAX_SCORE, _MAX_SCORE)
    return scores


def _atoms(counts: IntArray) -> NDArray[Any]:
    """Return which values have a share of the events by themselves, from the number of events of each, in order."""
    many = np.asarray(counts) >= max(_ATOM_EVENTS, _ATOM_EXCESS * float(np.median(counts)))
    if not many.any():
        return many
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(counts, _NEXT, mode="reflect"), 2 * _NEXT + 1)
    excess = (counts >= _ATOM_SHARE * counts.sum()) | (counts >= _ATOM_EXCESS * np.median(windows, axis=1))
    return np.asarray(many & excess)


def _smooth(
    values: FloatArray, weight: FloatArray, limits: Limits, *, integral: bool
) -> tuple[FloatArray, FloatArray] | None:
    """Return levels and values of a continuous column, or of counts; ``None`` if there are too few events."""
    if weight.sum() < _SMOOTH_FROM:
        return None
    values, weight = values[weight != 0], weight[weight != 0]
    if integral:
        values = values + _slot_offsets(values)
    lower, upper = _edges(_slot_limits(limits, integral=integral), values)
    fit = smoothing.smooth(values, weight, _coordinates(values), lower, upper)
    if fit is None:
        return None
    events = float(weight.sum())
    outside = [
        0.0 if edge is not None else min(max(float(weight[values == end].sum()), _MIN_BEYOND), 1.0) / (2 * events)
        for edge, end in ((lower, values.min()), (upper, values.max()))
    ]
    scores, knots = _table(fit, events, outside)
    return ndtr(scores), knots


def _slot_limits(limits: Limits, *, integral: bool) -> Limits:
    """Return the limits of the smoothed values: those of the slots of counts."""
    lower, upper = limits
    if integral:  # a number half-way is rounded to the even one, which may be beyond the limit
        lower = None if lower is None else math.nextafter(math.ceil(lower) - _HALF, math.inf)
        upper = None if upper is None else math.nextafter(math.floor(upper) + _HALF, -math.inf)
    return lower, upper


def _allowed(knots: FloatArray, minimum: float, limits: Limits, *, integral: bool) -> FloatArray:
    """Keep values within limits, and those of positive columns positive."""
    if minimum > 0 and not integral:  # towards 0, never reaching it
        knots = np.where(knots < minimum, minimum * np.exp(np.clip(knots / minimum - 1, -_MAX_FOLDS, 0.0)), knots)
    elif minimum >= 0:
        knots = np.maximum(knots, math.nextafter(min(minimum, 1.0) - _HALF, math.inf) if integral else 0.0)
    lower, upper = limits
    knots = np.clip(knots, -math.inf if lower is None else lower, math.inf if upper is None else upper)
    return np.maximum.accumulate(knots)


def _slot_offsets(values: FloatArray) -> FloatArray:
    """Return the offset of each integer in its slot, those of equal integers evenly spread."""
    order = np.argsort(values, kind="stable")
    _, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    positions = np.empty(values.size)
    positions[order] = (np.arange(values.size) - np.repeat(first, counts) + _HALF) / np.repeat(counts, counts)
    return positions - _HALF


def _edges(limits: Limits, values: FloatArray) -> Limits:
    """Return the limits that the events come near: the edges of their distribution."""
    low, high = float(values.min()), float(values.max())
    distance = (high - low) / _EDGE_FRACTION
    lower, upper = limits
    return (
        lower if lower is not None and low - lower <= distance else None,
        upper if upper is not None and upper - high <= distance else None,
    )


def _coordinates(values: FloatArray) -> tuple[Coordinate, ...]:
    """Return the coordinates to choose from."""
    lower, centre, upper = np.quantile(values, [0.25, 0.5, 0.75])
    coordinates = [IDENTITY]
    if values.min() > 0:
        coordinates.append(smoothing.logarithm())
    if upper > lower:
        coordinates.append(smoothing.inverse_hyperbolic_sine(centre, (upper - lower) / 2))
    return tuple(coordinates)


def _table(fit: smoothing.Smooth, events: float, outside: list[float]) -> tuple[FloatArray, FloatArray]:
    """Return scores and values of a smooth distribution, with tails for the share of events outside of either end."""
    low, high = (float(end) for end in normal_scores(np.array([outside[0], 1 - outside[1]])))
    scores = np.linspace(low, high, _KNOTS)
    levels = (ndtr(scores) - outside[0]) / (1 - sum(outside))
    coordinates = fit.quantile(levels)
    tail_score = ndtri(min(max(_TAIL_SHARE, _TAIL_EVENTS / events), _HALF / 2))
    tails = np.linspace(_MAX_SCORE, 0, _TAIL_KNOTS, endpoint=False)
    if outside[0]:
        slope = (np.interp(tail_score, scores, coordinates) - coordinates[0]) / (tail_score - scores[0])
        extension = -tails[tails > -scores[0]]
        coordinates = np.concatenate([coordinates[0] + slope * (extension - scores[0]), coordinates])
        scores = np.concatenate([extension, scores])
    if outside[1]:
        slope = (coordinates[-1] - np.interp(-tail_score, scores, coordinates)) / (scores[-1] + tail_score)
        extension = tails[::-1][tails[::-1] > scores[-1]]
        coordinates = np.concatenate([coordinates, coordinates[-1] + slope * (extension - scores[-1])])
        scores = np.concatenate([scores, extension])
    return scores, fit.base.inverse(coordinates)


def _with_atoms(
    levels: FloatArray, knots: FloatArray, atoms: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Merge atoms with a continuum of the other events; either may be empty."""
    if not atoms.size:
        return levels, knots
    remainder = 1 - shares.sum() if levels.size else 0.0
    cumulative = np.concatenate([[0.0], np.cumsum(shares)])
    continuum = np.interp(atoms, knots, levels) * remainder if levels.size else np.zeros(atoms.size)
    low, high = cumulative[:-1] + continuum, cumulative[1:] + continuum
    if levels.size:
        index = np.searchsorted(atoms, knots)
        inner = ~np.isin(knots, atoms)
        all_levels = np.concatenate([(remainder * levels + cumulative[index])[inner], low, high])
        all_knots = np.concatenate([knots[inner], atoms, atoms])
    else:
        # From one atom the table leaps to the next.
        all_levels, all_knots = np.concatenate([low, high]), np.concatenate([atoms, atoms])
    order = np.lexsort((all_knots, all_levels))
    return np.clip(all_levels[order], 0.0, 1.0), all_knots[order]

"""Columns to numbers a network can learn, and back: learned from the training events alone.

Columns that are generated have tables, `pytest_ganvalid.gan.quantiles`; those that are given have a `Scale`, or a
circle if they are periodic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.quantiles import Limits, Quantiles, circle, learned, periodic
from pytest_ganvalid.overlaps.resolution import numeric_columns
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.tables import numeric

FloatArray = NDArray[np.float64]
Tensor = Any
_LARGEST = 700.0  # logarithm: beyond it there is no float
_HALF = 0.5  # of the slot of an integer
_LEAST = 1 / 16  # likewise, where the logarithm of 0 is kept away from
_ROUND = 2 * math.pi
_FULL_FROM, _GAPS = 100, 10  # events on a full circle, and mean gaps that the largest may have at the ends
_NORMAL = np.linspace(-8, 8, 65)  # scores of a normal column


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The way of one column to mean 0 and standard deviation 1, and back.

    Attributes:
        name: Of the column.
        logarithmic: Whether the logarithm is taken first. It is for a column of positive numbers, or of integers from 0
            on, that is more symmetric then; what is generated is positive, too.
        integral: Whether the column holds integers. They are spread evenly over their slots of width 1 for the
            training, or the critic would tell generated numbers by their fractions; what is generated is rounded.
        centre: Mean.
        width: Standard deviation, positive.
    """

    KIND: ClassVar[str] = "scale"

    name: str
    logarithmic: bool
    integral: bool
    centre: float
    width: float

    @property
    def inputs(self) -> int:
        """How many numbers of the network stand for one of the column."""
        return 1

    @classmethod
    def fit(cls, name: str, values: FloatArray, weight: FloatArray | None, least: float | None = None) -> Scale:
        """Learn from training events.

        Args:
            name: Of the column.
            values: Finite, shape (events,).
            weight: Shape (events,), or ``None``.
            least: Smallest value that there will be; ``None`` if that is the smallest of these.

        Raises:
            InputError: If the column is constant, or its spread is lost in rounding or too large.
        """
        if values.min() == values.max():
            msg = f"column {name!r} is {values[0]:g} in all {values.size:,} training events; leave out constant columns"
            raise InputError(msg)
        share = np.abs(np.ones(values.size) if weight is None else weight)
        integral = bool(np.all(values == np.rint(values)))
        least = float(values.min()) if least is None else least
        logarithmic, shown = False, values
        with np.errstate(over="ignore", invalid="ignore"):  # such columns are refused below
            if least >= 0 if integral else least > 0:
                logarithms = np.log(values + (_HALF if integral else 0.0))
                logarithmic = _skewness(logarithms, share) < _skewness(values, share)
                shown = logarithms if logarithmic else values
            centre, width = _moments(shown, share)
        if not 0 < width < np.inf or centre + width == centre:
            msg = (
                f"column {name!r} has mean {centre:g} and standard deviation {width:g}: too little to tell events "
                "apart, or too large; subtract its mean, or scale it"
            )
            raise InputError(msg)
        return cls(name=name, logarithmic=logarithmic, integral=integral, centre=centre, width=width)

    def to_network(self, values: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        """Return what a network sees, shape (events, 1); ``rng`` spreads integers over their slots.

        Raises:
            InputError: If a logarithm does not exist.
        """
        shown = values
        if rng is not None and self.integral:
            shown = values + rng.random(values.size) - _HALF
        if self.logarithmic:
            offset = _HALF if self.integral else 0.0
            if values.min() + offset <= 0:
                kind = "0 or more" if self.integral else "positive"
                msg = (
                    f"column {self.name!r} has a value of {values.min():g}; in training all were {kind}, and its "
                    f"logarithm is used: expected {kind} values"
                )
                raise InputError(msg)
            # The slot of 0 reaches down to where there is no logarithm.
            shown = np.log(np.maximum(shown + offset, _LEAST if self.integral else 0.0))
        return ((shown - self.centre) / self.width)[:, None]

    def from_network(self, values: FloatArray) -> FloatArray:
        """Return what `to_network` was given, before integers are rounded."""
        shown = values * self.width + self.centre
        if self.logarithmic:
            shown = np.exp(np.clip(shown, -_LARGEST, _LARGEST)) - (_HALF if self.integral else 0.0)
        return shown


Column = Scale | Quantiles


def fit(sample: Sample, names: Sequence[str], config: Config | None = None) -> tuple[Quantiles, ...]:
    """Learn the tables of columns to generate.

    Raises:
        InputError: If a column does not exist, is constant, holds NaN or infinite values, or has some outside of its
            period or limits.
        InputTypeError: If a column does not hold real numbers.
    """
    config = Config() if config is None else config
    tables = []
    for name in names:
        values = finite(sample, name, "training")
        scale = Scale.fit(name, values, sample.weight)  # which refuses what cannot be told apart
        weight = np.ones(values.size) if sample.weight is None else sample.weight
        weight = weight * (weight.sum() / (weight @ weight))  # to the effective number of events
        full = period_of(name, values, config)
        if full is not None:
            tables.append(periodic(name, values, weight, *full))
            continue
        limits = _limits(name, values, config)
        normal = _NORMAL, scale.from_network(_NORMAL)
        tables.append(learned(name, values, weight, limits, normal, integral=scale.integral))
    return tuple(tables)


def fit_conditions(sample: Sample, names: Sequence[str], everything: Sample, config: Config) -> tuple[Column, ...]:
    """Learn the scales of given columns; ``everything`` has held-out events as well, and must have a logarithm, too.

    Raises:
        InputError: If a column does not exist, is constant, holds NaN or infinite values, or has some outside of its
            period.
        InputTypeError: If a column does not hold real numbers.
    """
    columns = list[Column]()
    for name in names:
        values, every = finite(sample, name, "training"), finite(everything, name, "training")
        scale = Scale.fit(name, values, sample.weight, float(every.min()))
        full = period_of(name, every, config)
        columns.append(scale if full is None else circle(name, *full, np.array([0.0, 1.0])))
    return tuple(columns)


def period_of(name: str, values: FloatArray, config: Config) -> tuple[float, float] | None:
    """Return the period of a column and where it begins; ``None`` if it has none.

    An unstated one is recognised where at least 100 events fill -π to π or 0 to 2π up to ten times the mean gap.
    """
    low, high = float(values.min()), float(values.max())
    if name in config.periodic:
        period = config.periodic[name]
        return None if period is None else (period, 0.0 if low >= 0 else -period / 2)
    gap = _GAPS * _ROUND / values.size
    for start in (-math.pi, 0.0):
        beyond = 1e-6  # of angles in single precision
        within = start - beyond <= low <= start + gap and start + _ROUND - gap <= high <= start + _ROUND + beyond
        if values.size >= _FULL_FROM and within and np.unique(values[:_FULL_FROM]).size > _FULL_FROM // 2:
            return _ROUND, start
    return None


def _limits(name: str, values: FloatArray, config: Config) -> Limits:
    """Return the limits of a column.

    Raises:
        InputError: If a training event is beyond one.
    """
    lower, upper = config.limits.get(name, (None, None))
    low, high = float(values.min()), float(values.max())
    if (lower is not None and low < lower) or (upper is not None and high > upper):
        msg = (
            f"training: column {name!r} runs from {low:g} to {high:g}, beyond limits={lower, upper}; expected all "
            "events within: remove those that are not, or widen the limits"
        )
        raise InputError(msg)
    return lower, upper


def check_names(config: Config, names: Sequence[str], conditions: Sequence[str]) -> None:
    """Refuse settings of columns that they cannot be for: limits are of generated columns.

    Raises:
        InputError: If there is one.
    """
    for setting, able in (("periodic", [*names, *conditions]), ("limits", [*names])):
        unknown = sorted({*getattr(config, setting)} - {*able})
        if unknown:
            msg = f"{setting}= names {unknown}; expected some of {able}: correct the names, or leave them out"
            raise InputError(msg)


def inputs(columns: Sequence[Column]) -> int:
    """Return how many numbers of a network stand for some columns."""
    return sum(column.inputs for column in columns)


def to_network(
    columns: Sequence[Column], sample: Sample, side: str, rng: np.random.Generator | None = None
) -> FloatArray:
    """Return what networks see, shape (events, inputs), of a sample that error messages call ``side``.

    Raises:
        InputError: If a column does not exist, holds NaN or infinite values, is outside its period, or has no
            logarithm.
        InputTypeError: If a column does not hold real numbers.
    """
    seen = [column.to_network(finite(sample, column.name, side), rng) for column in columns]
    return np.concatenate(seen, axis=1) if seen else np.empty((len(sample), 0))


class FromNetwork:
    """The way back from what a network makes, on its device: all columns at once, as on a GPU operations take time."""

    def __init__(self, columns: Sequence[Quantiles], device: torch.device) -> None:
        """Put the tables on a device, as the lines between their knots."""
        most = max((len(column.values) for column in columns), default=1) + 1
        lines = np.empty((3, len(columns), most))  # knots, and of the line before each: value at 0, and slope
        for row, column in zip(lines.swapaxes(0, 1), columns, strict=True):
            row[:] = np.array([np.inf, column.values[-1], 0.0])[:, None]
            row[:, : len(column.values)] = _lines(column)
        self._knots, self._values, self._slopes = torch.from_numpy(lines).to(device)
        ends = torch.tensor([(c.values[0], c.values[-1]) for c in columns], dtype=torch.float64, device=device)
        self._least, self._most = ends.view(-1, 2, 1).unbind(1)
        self._starts = np.cumsum([0, *(column.inputs for column in columns)])[:-1].tolist()
        self._first = torch.tensor(self._starts, dtype=torch.int64, device=device)
        self._columns = columns

    def __call__(self, made: Tensor) -> Tensor:
        """Return columns as float64, shape (columns, events), from values of shape (events, inputs)."""
        rows = made.T.double()
        scores = rows.index_select(0, self._first)
        for number, column in enumerate(self._columns):
            if column.period is not None:
                along, across = rows[self._starts[number]], rows[self._starts[number] + 1]
                scores[number] = torch.atan2(across, along).div_(_ROUND).remainder_(1.0)
        line = torch.searchsorted(self._knots, scores, right=True)
        line.clamp_(max=self._knots.shape[1] - 1)
        values = torch.addcmul(self._values.gather(1, line), self._slopes.gather(1, line), scores)
        torch.clamp(values, self._least, self._most, out=values)
        for number, column in enumerate(self._columns):
            if column.integral:
                values[number].round_().add_(0.0)  # no negative zero
        return values


def _lines(column: Quantiles) -> FloatArray:
    """Return knots, and of the line before each its value at score 0 and its slope, shape (3, knots)."""
    scores, values = np.array(column.scores), np.array(column.values)
    steps = np.diff(scores)
    with np.errstate(all="ignore"):
        slopes = np.where(steps > 0, np.diff(values) / steps, 0.0)
    slopes = np.concatenate([[0.0], np.where(np.isfinite(slopes), slopes, 0.0)])
    origins = np.concatenate([values[:1], values[:-1]]) - slopes * np.concatenate([scores[:1], scores[:-1]])
    return np.stack([scores, origins, slopes])


def from_scales(scales: Sequence[Scale], values: Tensor) -> Tensor:
    """Return columns as float64, shape (columns, events), from values of shape (events, columns).

    It is the way back of generators of version 1 of the file format.
    """
    widths, centres = (
        torch.tensor(numbers, dtype=torch.float64, device=values.device)[:, None]
        for numbers in ([scale.width for scale in scales], [scale.centre for scale in scales])
    )
    # All columns at once: on a GPU, what takes the time is the number of operations.
    columns = values.T.double().mul_(widths).add_(centres)
    for column, scale in zip(columns, scales, strict=True):
        if scale.logarithmic:
            column.clamp_(-_LARGEST, _LARGEST).exp_().sub_(_HALF if scale.integral else 0.0)
        if scale.integral:
            column.round_().add_(0.0)  # no negative zero
    return columns


def finite(sample: Sample, name: str, side: str) -> FloatArray:
    """Return a column of finite numbers, one per event.

    Raises:
        InputError: If the column does not exist or holds anything else.
        InputTypeError: If the column does not hold real numbers.
    """
    if name not in sample.columns:
        msg = f"{side}: no column {name!r}; there are {sorted(sample.columns)}"
        raise InputError(msg)
    if isinstance(sample[name], Entries):
        msg = f"{side}: column {name!r} has several entries per event; expected one number per event"
        raise InputError(msg)
    values = numeric(sample[name], f"{side}: column {name!r}")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        msg = f"{side}: column {name!r} is NaN or infinite in {bad:,} of {values.size:,} events; remove them, knowingly"
        raise InputError(msg)
    return values


def column_names(sample: Sample, columns: Sequence[str] | None, conditions: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns to generate: those stated, or all numeric ones but the conditions.

    Raises:
        InputError: If there is no column, or one is named twice.
        InputTypeError: If names are no list of names.
    """
    for what, names in (("columns", columns), ("conditions", conditions)):
        if isinstance(names, str):
            msg = f"{what}={names!r} is one name; expected a list of names: {what}=[{names!r}]"
            raise InputTypeError(msg)
    if columns is None:
        numeric_names = numeric_columns(sample.columns)
        columns = [name for name in sample.columns if name in numeric_names and name not in conditions]
    names = [*columns, *conditions]
    if not columns or len(set(names)) < len(names):
        msg = (
            f"columns={list(columns)} and conditions={list(conditions)}; expected at least one column to generate, "
            "none of them twice, and none of them a condition"
        )
        raise InputError(msg)
    return tuple(columns)


def _moments(values: FloatArray, share: FloatArray) -> tuple[float, float]:
    """Return mean and standard deviation."""
    centre = float(np.average(values, weights=share))
    return centre, float(np.sqrt(np.average((values - centre) ** 2, weights=share)))


def _skewness(values: FloatArray, share: FloatArray) -> float:
    centre, width = _moments(values, share)
    pulls = (values - centre) / max(width, np.finfo(float).tiny)
    return abs(float(np.average(pulls**3, weights=share)))

"""Columns to numbers a network can learn, and back: learned from the training events alone.

Generated columns have tables, `pytest_ganvalid.gan.quantiles`; conditions have a `Scale`, or a circle if they are
periodic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError, absence, suggestion
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.quantiles import Limits, Quantiles, circle, periodic, quantile_table
from pytest_ganvalid.overlaps.resolution import numeric_columns
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.tables import numeric

FloatArray = NDArray[np.float64]
Tensor = Any
_MAX_LOGARITHM = 700.0  # above which there is no float
_HALF = 0.5  # of the slot of an integer
_MIN_SLOT = 1 / 16  # of the slot of 0, below which its logarithm is not taken
_TURN = 2 * math.pi
_FULL_FROM, _GAPS = 100, 10  # events on a full circle, and mean gaps that the largest may have at the ends
_MAX_PULL = 4.0  # of the numbers of events at both ends of a full circle
_CELLS, _MIN_RANGE = 8_192, 1e-9  # in which ends of lines are looked up, and what they span at least
_NORMAL = np.linspace(-8, 8, 65)  # scores of a normal column


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The transformation of one column to mean 0 and standard deviation 1, and back.

    Attributes:
        name: Name of the column.
        logarithmic: Whether the logarithm is taken first. It is for a column of positive numbers, or of integers from 0
            on, that is more symmetric then; generated values are positive, too.
        integral: Whether the column holds integers. They are spread evenly over their slots of width 1 for the
            training, or the critic would tell generated numbers by their fractions; generated values are rounded.
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
        """Number of network inputs for one value of the column."""
        return 1

    @classmethod
    def fit(cls, name: str, values: FloatArray, weight: FloatArray | None, minimum: float | None = None) -> Scale:
        """Learn from training events.

        Args:
            name: Name of the column.
            values: Finite, shape (events,).
            weight: Shape (events,), or ``None``.
            minimum: Smallest value of the column; ``None`` for that of ``values``.

        Raises:
            InputError: If the column is constant, or its spread is lost in rounding or too large.
        """
        if values.min() == values.max():
            msg = f"column {name!r} is {values[0]:g} in all {values.size:,} training events; leave out constant columns"
            raise InputError(msg)
        share = np.abs(np.ones(values.size) if weight is None else weight)
        integral = bool(np.all(values == np.rint(values)))
        minimum = float(values.min()) if minimum is None else minimum
        logarithmic, transformed = False, values
        with np.errstate(over="ignore", invalid="ignore"):  # such columns are refused below
            if minimum >= 0 if integral else minimum > 0:
                logarithms = np.log(values + (_HALF if integral else 0.0))
                logarithmic = _skewness(logarithms, share) < _skewness(values, share)
                transformed = logarithms if logarithmic else values
            centre, width = _moments(transformed, share)
        if not 0 < width < np.inf or centre + width == centre:
            msg = (
                f"column {name!r} runs from {values.min():g} to {values.max():g}, with a standard deviation of "
                f"{width:.3g}{' of its logarithm' if logarithmic else ''}: too little to tell events apart, or too "
                "large; subtract its mean, or scale it"
            )
            raise InputError(msg)
        return cls(name=name, logarithmic=logarithmic, integral=integral, centre=centre, width=width)

    def to_network(self, values: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        """Return the inputs of a network, shape (events, 1); ``rng`` spreads integers over their slots.

        Raises:
            InputError: If a logarithm does not exist.
        """
        scaled = values
        if rng is not None and self.integral:
            scaled = values + rng.random(values.size) - _HALF
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
            scaled = np.log(np.maximum(scaled + offset, _MIN_SLOT if self.integral else 0.0))
        return ((scaled - self.centre) / self.width)[:, None]

    def from_network(self, values: FloatArray) -> FloatArray:
        """Return the inverse of `to_network`, before integers are rounded."""
        unscaled = values * self.width + self.centre
        if self.logarithmic:
            unscaled = np.exp(np.clip(unscaled, -_MAX_LOGARITHM, _MAX_LOGARITHM)) - (_HALF if self.integral else 0.0)
        return unscaled


Column = Scale | Quantiles


def fit(
    sample: Sample, names: Sequence[str], config: Config | None = None, full_sample: Sample | None = None
) -> tuple[Quantiles, ...]:
    """Learn the tables of columns to generate; ``full_sample`` has the held-out events, too, if there are any.

    Raises:
        InputError: If a column does not exist, is constant, holds NaN or infinite values, or has some outside of its
            period or limits.
        InputTypeError: If a column does not hold real numbers.
    """
    config = Config() if config is None else config
    tables = []
    for name in names:
        values = finite(sample, name, "training")
        all_values = values if full_sample is None else finite(full_sample, name, "training")
        scale = Scale.fit(name, values, sample.weight)  # which refuses constant columns
        weight = np.ones(values.size) if sample.weight is None else sample.weight
        weight = weight * (weight.sum() / (weight @ weight))  # to the effective number of events
        period = period_of(name, all_values, config)
        if period is not None:
            tables.append(periodic(name, values, weight, *period))
            continue
        limits = _limits(name, all_values, config)
        normal = _NORMAL, scale.from_network(_NORMAL)
        tables.append(quantile_table(name, values, weight, limits, normal, integral=scale.integral))
    return tuple(tables)


def fit_conditions(sample: Sample, names: Sequence[str], full_sample: Sample, config: Config) -> tuple[Column, ...]:
    """Learn the scales of conditions; ``full_sample`` has the held-out events, too, and must have a logarithm.

    Raises:
        InputError: If a column does not exist, is constant, holds NaN or infinite values, or has some outside of its
            period.
        InputTypeError: If a column does not hold real numbers.
    """
    columns = list[Column]()
    for name in names:
        values, all_values = finite(sample, name, "training"), finite(full_sample, name, "training")
        scale = Scale.fit(name, values, sample.weight, float(all_values.min()))
        period = period_of(name, all_values, config)
        columns.append(scale if period is None else circle(name, *period, np.array([0.0, 1.0])))
    return tuple(columns)


def period_of(name: str, values: FloatArray, config: Config) -> tuple[float, float] | None:
    """Return the period of a column and where it begins; ``None`` if it has none.

    An unstated one is recognised where at least 100 events fill -π to π or 0 to 2π up to ten times the mean gap, about
    as many at either end, and no limits are stated.
    """
    low, high = float(values.min()), float(values.max())
    if name in config.periodic:
        period = config.periodic[name]
        return None if period is None else (period, 0.0 if low >= 0 else -period / 2)
    if name in config.limits:
        return None
    gap = _GAPS * _TURN / values.size
    for start in (-math.pi, 0.0):
        rounding = 1e-6  # of angles in single precision
        fills = start - rounding <= low <= start + gap and start + _TURN - gap <= high <= start + _TURN + rounding
        first, last = np.count_nonzero(values <= start + gap), np.count_nonzero(values >= start + _TURN - gap)
        joins = bool(abs(first - last) <= _MAX_PULL * math.sqrt(first + last))
        if values.size >= _FULL_FROM and fills and joins and np.unique(values[:_FULL_FROM]).size > _FULL_FROM // 2:
            return _TURN, start
    return None


def _limits(name: str, values: FloatArray, config: Config) -> Limits:
    """Return the limits of a column.

    Raises:
        InputError: If a training event is beyond a limit.
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
    """Refuse settings of unknown columns, and limits of conditions.

    Raises:
        InputError: If there is such a setting.
    """
    for setting, allowed in (("periodic", [*names, *conditions]), ("limits", [*names])):
        unknown = sorted({*getattr(config, setting)} - {*allowed})
        if unknown:
            guess = suggestion(unknown[0], allowed)
            msg = f"{setting}= names {unknown}{guess}; expected some of {allowed}: correct the names, or leave them out"
            raise InputError(msg)


def inputs(columns: Sequence[Column]) -> int:
    """Return the number of network inputs for some columns."""
    return sum(column.inputs for column in columns)


def to_network(
    columns: Sequence[Column], sample: Sample, side: str, rng: np.random.Generator | None = None
) -> FloatArray:
    """Return the inputs of networks, shape (events, inputs), for a sample that error messages call ``side``.

    Raises:
        InputError: If a column does not exist, holds NaN or infinite values, is outside its period, or has no
            logarithm.
        InputTypeError: If a column does not hold real numbers.
    """
    parts = [column.to_network(finite(sample, column.name, side), rng) for column in columns]
    return np.concatenate(parts, axis=1) if parts else np.empty((len(sample), 0))


class FromNetwork:
    """The columns from the outputs of a network, on its device: all at once, as on a GPU each operation takes time."""

    def __init__(self, columns: Sequence[Quantiles], device: torch.device) -> None:
        """Put the tables on a device, as the lines between their knots."""
        n_lines = max(len(column.values) for column in columns) + 1
        lines = np.empty((3, len(columns), n_lines))  # the end of each, its value at 0, and its slope
        for row, column in zip(lines.swapaxes(0, 1), columns, strict=True):
            row[:] = np.array([np.nan, column.values[-1], 0.0])[:, None]
            row[:, : len(column.values)] = _lines(column)
        ends, self._values, self._slopes = torch.from_numpy(lines).to(device)
        self._line = Places(ends)
        outermost = torch.tensor([(c.values[0], c.values[-1]) for c in columns], dtype=torch.float64, device=device)
        self._minimum, self._maximum = outermost.view(-1, 2, 1).unbind(1)
        self._starts = np.cumsum([0, *(column.inputs for column in columns)])[:-1].tolist()
        self._first = torch.tensor(self._starts, dtype=torch.int64, device=device)
        self._columns = columns

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return columns as float64, shape (columns, events), from the outputs, shape (inputs, events)."""
        rows = outputs.double()
        scores = rows if len(rows) == len(self._columns) else rows.index_select(0, self._first)
        for number, column in enumerate(self._columns):
            if column.period is not None:
                x, y = rows[self._starts[number]], rows[self._starts[number] + 1]
                scores[number] = torch.atan2(y, x).div_(_TURN).remainder_(1.0)
        line = self._line(scores)
        values = self._values.gather(1, line).addcmul_(self._slopes.gather(1, line), scores)
        values.clamp_(self._minimum, self._maximum)
        for number, column in enumerate(self._columns):
            if column.integral:
                values[number].round_().add_(0.0)  # no negative zero
        return values


class Places:
    """How many of a row of ends are not above a value: torch.searchsorted, in a fifth of its time on a CPU.

    Even cells between the outermost ends tell most of it, and a bisection without branches, which a processor cannot
    guess, the rest.
    """

    def __init__(self, ends: Tensor) -> None:
        """Count the ends below each cell; ``ends`` is of shape (rows, ends), none falling, filled up with NaN."""
        finite_ends = ends.isfinite()
        self._first, last = ends[:, :1], ends.where(finite_ends, ends[:, :1]).amax(dim=1, keepdim=True)
        self._per_unit = _CELLS / (last - self._first).clamp(min=_MIN_RANGE)
        cells = self._cells(ends)
        in_cell = torch.zeros((len(ends), _CELLS), dtype=torch.int64, device=ends.device)
        in_cell.scatter_add_(1, cells, finite_ends.long())
        self._below = in_cell.cumsum(dim=1) - in_cell
        n_steps = int(in_cell.max()).bit_length()
        self._ends = torch.nn.functional.pad(ends, (0, 2**n_steps), value=math.nan)
        self._steps = [2**step for step in reversed(range(n_steps))]

    def __call__(self, values: Tensor) -> Tensor:
        """Return the numbers, int64, shape (rows, values)."""
        place = self._below.gather(1, self._cells(values))
        for step in self._steps:
            place.add_(self._ends.gather(1, place + (step - 1)).le_(values).long(), alpha=step)
        return place

    def _cells(self, values: Tensor) -> Tensor:
        # Two operations: rounded once, as vectors may be, they would put an end and its value into two cells.
        cells = torch.sub(values, self._first).mul_(self._per_unit).clamp_(0, _CELLS - 1).long()
        return cells.clamp_(min=0)  # for NaN


def _lines(column: Quantiles) -> FloatArray:
    """Return knots, and of the line before each its value at score 0 and its slope, shape (3, knots)."""
    scores, values = np.array(column.scores), np.array(column.values)
    steps = np.diff(scores)
    with np.errstate(all="ignore"):
        slopes = np.where(steps > 0, np.diff(values) / steps, 0.0)
    slopes = np.concatenate([[0.0], np.where(np.isfinite(slopes), slopes, 0.0)])
    origins = np.concatenate([values[:1], values[:-1]]) - slopes * np.concatenate([scores[:1], scores[:-1]])
    return np.stack([scores, origins, slopes])


def from_scales(scales: Sequence[Scale], outputs: Tensor) -> Tensor:
    """Return columns as float64, shape (columns, events), from the outputs of a network, of that shape.

    For generators of version 1 of the file format.
    """
    widths, centres = (
        torch.tensor(numbers, dtype=torch.float64, device=outputs.device)[:, None]
        for numbers in ([scale.width for scale in scales], [scale.centre for scale in scales])
    )
    # All columns at once: on a GPU the time goes with the number of operations.
    columns = outputs.double().mul_(widths).add_(centres)
    for column, scale in zip(columns, scales, strict=True):
        if scale.logarithmic:
            column.clamp_(-_MAX_LOGARITHM, _MAX_LOGARITHM).exp_().sub_(_HALF if scale.integral else 0.0)
        if scale.integral:
            column.round_().add_(0.0)  # no negative zero
    return columns


def finite(sample: Sample, name: str, side: str) -> FloatArray:
    """Return a column of finite numbers, one per event.

    Raises:
        InputError: If the column does not exist, or does not hold one finite number per event.
        InputTypeError: If the column does not hold real numbers.
    """
    if name not in sample.columns:
        msg = f"{side}: {absence('column', name, sample.columns)}"
        raise InputError(msg)
    if isinstance(sample[name], Entries):
        msg = f"{side}: column {name!r} has several entries per event; expected one number per event"
        raise InputError(msg)
    values = numeric(sample[name], f"{side}: column {name!r}")
    invalid = int(np.count_nonzero(~np.isfinite(values)))
    if invalid:
        msg = (
            f"{side}: column {name!r} is NaN or infinite in {invalid:,} of {values.size:,} events; remove them, "
            "knowingly"
        )
        raise InputError(msg)
    return values


def column_names(sample: Sample, columns: Sequence[str] | None, conditions: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns to generate: those stated, or all numeric ones but the conditions.

    Raises:
        InputError: If there is no column, or a column is named twice.
        InputTypeError: If ``columns`` or ``conditions`` is no list of names.
    """
    for argument, names in (("columns", columns), ("conditions", conditions)):
        if isinstance(names, str):
            msg = f"{argument}={names!r} is one name; expected a list of names: {argument}=[{names!r}]"
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

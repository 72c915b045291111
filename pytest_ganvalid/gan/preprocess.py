"""Columns to numbers a network can learn, and back: invertible, and learned from the training events alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.overlaps.resolution import numeric_columns
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.tables import numeric

FloatArray = NDArray[np.float64]
Tensor = Any
_LARGEST = 700.0  # logarithm: beyond it there is no float
_HALF = 0.5  # of the slot of an integer
_LEAST = 1 / 16  # likewise, where the logarithm of 0 is kept away from


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

    name: str
    logarithmic: bool
    integral: bool
    centre: float
    width: float

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
        """Return what a network sees, shape (events,); ``rng`` spreads integers over their slots.

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
        return (shown - self.centre) / self.width


def fit(sample: Sample, names: Sequence[str], everything: Sample | None = None) -> tuple[Scale, ...]:
    """Learn the scales of some columns; ``everything`` has held-out events as well, and must have a logarithm, too.

    Raises:
        InputError: If a column does not exist, is constant, or holds NaN or infinite values.
        InputTypeError: If a column does not hold real numbers.
    """
    whole = sample if everything is None else everything
    return tuple(
        Scale.fit(name, finite(sample, name, "training"), sample.weight, finite(whole, name, "training").min())
        for name in names
    )


def to_network(
    scales: Sequence[Scale], sample: Sample, side: str, rng: np.random.Generator | None = None
) -> FloatArray:
    """Return what networks see, shape (events, columns), of a sample that error messages call ``side``.

    Raises:
        InputError: If a column does not exist, holds NaN or infinite values, or has no logarithm.
        InputTypeError: If a column does not hold real numbers.
    """
    columns = [scale.to_network(finite(sample, scale.name, side), rng) for scale in scales]
    return np.stack(columns, axis=1) if columns else np.empty((len(sample), 0))


def from_network(scales: Sequence[Scale], values: Tensor) -> Tensor:
    """Return columns as float64, shape (columns, events), from values of shape (events, columns)."""
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

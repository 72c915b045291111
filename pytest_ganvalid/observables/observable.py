"""Observables that are histogrammed: columns, functions of the events, selections, joint distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError, absence
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.columns import entries_of, parse
from pytest_ganvalid.samples.features import hint
from pytest_ganvalid.samples.tables import as_array, numeric

_RECOMPUTED = 1_000  # events for which a function is computed again
_TOLERANCE = 1e-5  # relative; single precision
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Function = Callable[[Sample], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """An observable of all events of a sample.

    Attributes:
        columns: One array of shape (entries,) per dimension, of the selected events.
        counts: Number of entries of each selected event; ``None`` for one each.
        selected: Which events are selected, shape (events,); ``None`` for all.
    """

    columns: tuple[FloatArray, ...]
    counts: IntArray | None = None
    selected: BoolArray | None = None

    def weight(self, weight: FloatArray | None) -> FloatArray | None:
        """Return the weight of each entry, given the weights of all events."""
        if weight is None:
            return None
        selected = weight if self.selected is None else weight[self.selected]
        return selected if self.counts is None else np.repeat(selected, self.counts)

    def multiplicity(self) -> Values:
        """Return the number of entries of each event, where there may be several."""
        counts = np.ones(self.columns[0].size) if self.counts is None else self.counts.astype(np.float64)
        return Values((counts,), None, self.selected)


@dataclass(frozen=True, slots=True)
class Observable:
    """What to fill a histogram with.

    Attributes:
        name: Its name in the report.
        columns: The columns it reads; empty if it is a function.
        function: Takes the sample (indexed by column name) and returns an array of shape (events,), or `Entries`.
        where: Which events are selected: a function of the sample that returns booleans of shape (events,), or the
            name of a column of booleans. ``None`` for all.
        tree: Whether equiprobable bins are the cells of a k-d tree.
    """

    name: str
    columns: tuple[str, ...] = ()
    function: Function | None = None
    where: Function | str | None = None
    tree: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether no function of the user's is called."""
        return self.function is None and not callable(self.where)

    def values(self, sample: Sample, side: str) -> Values:
        """Compute the observable.

        Raises:
            InputError: If a column is missing, or the result has another shape.
            InputTypeError: If the values are not real numbers.
        """
        subject = f"{side}: observable {self.name!r}"
        selected = None if self.where is None else truths(self.where, sample, f"{subject}: the selection")
        if self.function is None:
            columns = [column(sample, name, side) for name in self.columns]
        else:
            columns = [computed(self.function, sample, subject)]
        return _values(columns, selected, subject)


@dataclass(frozen=True, slots=True)
class Selection:
    """An observable of the events that pass a selection.

    The events outside form one more bin, so that the rate of the selection is compared too, and n_required stays
    that of the whole sample.

    Attributes:
        observable: A column name, a tuple of column names, a named function, or a pair (name, function).
        where: A function of the sample that returns booleans of shape (events,), or the name of a column of booleans.
        name: Its name in the report; by default made of the other two.
    """

    observable: object
    where: Function | str
    name: str | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without events."""
        check_name(self.name)
        if not (isinstance(self.where, str) or callable(self.where)):
            msg = f"where={self.where!r} selects nothing; expected a function of the sample, or a column of booleans"
            raise InputTypeError(msg)


@dataclass(frozen=True, slots=True)
class KDTree:
    """The joint distribution of several columns in the cells of a k-d tree, equiprobable in the reference.

    Attributes:
        columns: The columns; ``None`` for every one that both samples have, with one number per event.
        name: Its name in the report.
    """

    columns: tuple[str, ...] | None = None
    name: str = "kdtree"

    def __post_init__(self) -> None:
        """Check what can be checked without events."""
        check_name(self.name)


def column(sample: Sample, name: str, side: str) -> FloatArray | Entries:
    """Return a column of numbers, one per event or several.

    Args:
        sample: The events.
        name: Name of the column, or a reducing expression (see `samples.columns`).
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If there is no such column.
        InputTypeError: If the column does not hold real numbers.
    """
    subject = f"{side}: column {name!r}"
    if name in sample.columns:
        return _numbers(sample.columns[name], subject)
    reduction = parse(name)
    entries = None if reduction is None else entries_of(reduction, sample.columns)
    if reduction is None or entries is None:
        inner = name if reduction is None else reduction.column
        msg = f"{side}: {absence('column', inner, sample.columns, hint(name, sample.columns))}"
        raise InputError(msg)
    try:
        return _numbers(reduction.of(entries), subject)
    except (InputError, InputTypeError) as error:
        msg = f"{subject}: {error}"
        raise type(error)(msg) from None


def computed(function: Function, sample: Sample, subject: str) -> FloatArray | Entries:
    """Return the values of a function of the events, one number per event or several.

    Raises:
        InputError: If the result has another shape.
        InputTypeError: If the result does not hold real numbers.
    """
    values = _computed(function, sample, subject)
    rows = _subset(len(sample))
    _refuse_dependence(_flat(values[rows]), _flat(_computed(function, sample.select(rows), subject)), subject)
    return values


def _computed(function: Function, sample: Sample, subject: str) -> FloatArray | Entries:
    result = function(sample)
    values = _numbers(result if isinstance(result, Entries) else as_array(result, subject), subject)
    if values.shape != (len(sample),):
        msg = f"{subject} returned shape {values.shape}; expected one number per event, shape ({len(sample)},)"
        raise InputError(msg)
    return values


def truths(condition: Function | str, sample: Sample, subject: str) -> BoolArray:
    """Evaluate a condition event by event.

    Raises:
        InputError: If the condition has another shape, or the column does not exist.
        InputTypeError: If the condition is not of booleans.
    """
    passed = _truths(condition, sample, subject)
    if not isinstance(condition, str):
        rows = _subset(len(sample))
        _refuse_dependence(passed[rows], _truths(condition, sample.select(rows), subject), subject)
    return passed


def _truths(condition: Function | str, sample: Sample, subject: str) -> BoolArray:
    result = sample[condition] if isinstance(condition, str) else condition(sample)
    passed = np.asarray(result if isinstance(result, Entries) else as_array(result, subject))
    if passed.shape != (len(sample),):
        msg = f"{subject} has shape {passed.shape}; expected one truth value per event, shape ({len(sample)},)"
        raise InputError(msg)
    if passed.dtype != np.bool_:
        msg = f"{subject} has dtype {passed.dtype}; expected booleans, such as events['pt'] > 30"
        raise InputTypeError(msg)
    return passed


def _subset(n: int) -> IntArray:
    """Return the positions of every second event, or of as many as it takes to notice a difference."""
    return np.arange(0, n, max(2, n // _RECOMPUTED))


def _flat(values: FloatArray | Entries) -> FloatArray:
    return values.values if isinstance(values, Entries) else values


def _refuse_dependence(values: NDArray[Any], recomputed: NDArray[Any], subject: str) -> None:
    """Refuse values of events that differ among other events.

    A quantity relative to the mean or the largest value of its sample is the same for a generator that is off by that
    much: the bias would divide out.
    """
    size = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) if values.dtype != np.bool_ else 0.0
    agree = values.shape == recomputed.shape and np.allclose(
        values, recomputed, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True
    )
    if not agree:
        msg = (
            f"{subject} is not the same for an event among others; expected a function of each event alone, neither "
            "random nor relative to its sample (a mean, a median, a maximum)"
        )
        raise InputError(msg)


def check_name(name: object) -> None:
    """Refuse a name that is no text.

    Raises:
        InputTypeError: If the name is neither a str nor ``None``.
    """
    if not isinstance(name, str | None):
        msg = f"the name {name!r} of an observable is a {type(name).__name__}; expected a str"
        raise InputTypeError(msg)


def name_of(value: Function | str) -> str:
    """Return the name of a column, or of a function that has one.

    Raises:
        InputError: If the function has no name.
        InputTypeError: If the value is neither a str nor a function.
    """
    if isinstance(value, str):
        return value
    if not callable(value):
        msg = f"{value!r} is a {type(value).__name__}; expected the name of a column or a function of the sample"
        raise InputTypeError(msg)
    name = getattr(value, "__name__", "<lambda>")
    if name == "<lambda>":
        msg = "a function without a name cannot be reported; give it one: (name, function), or name=..."
        raise InputError(msg)
    return str(name)


def _numbers(values: Any, subject: str) -> FloatArray | Entries:  # noqa: ANN401 - an array or Entries
    if isinstance(values, Entries):
        return Entries(numeric(values.values, subject), values.counts)
    return numeric(values, subject)


def _values(columns: Sequence[FloatArray | Entries], selected: BoolArray | None, subject: str) -> Values:
    if selected is not None:
        columns = [values[selected] for values in columns]
    several = [values for values in columns if isinstance(values, Entries)]
    single = [values for values in columns if not isinstance(values, Entries)]
    if not several:
        return Values(tuple(single), None, selected)
    if single or any(not np.array_equal(values.counts, several[0].counts) for values in several):
        msg = (
            f"{subject} joins columns that differ in their number of entries per event; expected the same in every "
            "event"
        )
        raise InputError(msg)
    return Values(tuple(values.values for values in several), several[0].counts, selected)

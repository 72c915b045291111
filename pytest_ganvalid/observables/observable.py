"""A column, a pair of columns, or a function of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.tables import as_array, is_text, numeric

FloatArray = NDArray[np.float64]
_ACCEPTED = "a column name, a pair of column names, a named function of the sample, or a pair (name, function)"
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Observable:
    """What to compare.

    Attributes:
        name: Its name in the report.
        columns: The columns it reads; empty if it is a function.
        function: Takes the sample (indexed by column name) and returns an array of shape (events,).
    """

    name: str
    columns: tuple[str, ...] = ()
    function: Callable[[Sample], Any] | None = None

    def values(self, sample: Sample, side: str) -> tuple[FloatArray, ...]:
        """Compute the observable: one array of shape (events,) per dimension.

        Raises:
            InputError: If a column is missing or the function's result has another shape.
            InputTypeError: If the values are not real numbers.
        """
        if self.function is None:
            return tuple(_column(sample, name, side) for name in self.columns)
        what = f"{side}: observable {self.name!r}"
        values = numeric(as_array(self.function(sample), what), what)
        if values.shape != (len(sample),):
            msg = f"{what} returned shape {values.shape}; expected one number per event, shape ({len(sample)},)"
            raise InputError(msg)
        return (values,)


def resolve(spec: object, generated: Sample, reference: Sample) -> tuple[Observable, ...]:
    """Turn what the user asked for into observables.

    Args:
        spec: ``None`` for every numeric column that both samples have; one observable; a sequence of them;
            or a mapping of name -> observable.
        generated: The generated sample.
        reference: The reference sample.

    Raises:
        InputError: If there is no observable, or two have one name.
        InputTypeError: If one is of an unknown kind.
    """
    if spec is None:
        observables = _shared_columns(generated, reference)
    elif isinstance(spec, Mapping):
        observables = [_one(value, name) for name, value in spec.items()]
    elif isinstance(spec, str) or callable(spec):
        observables = [_one(spec)]
    elif isinstance(spec, Iterable):
        observables = [_one(value) for value in spec]
    else:
        msg = f"observables={spec!r} is a {type(spec).__name__}; expected a list, each {_ACCEPTED}"
        raise InputTypeError(msg)
    names = [observable.name for observable in observables]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"observables {repeated} are named twice; give each a name of its own: (name, function)"
        raise InputError(msg)
    if not observables:
        msg = "no observable to compare; a check of nothing demonstrates nothing"
        raise InputError(msg)
    return tuple(observables)


def skipped_columns(generated: Sample, reference: Sample) -> dict[str, str]:
    """Say which columns ``observables=None`` leaves out, and why."""
    skipped = {name: "only generated has it" for name in generated.columns if name not in reference.columns}
    skipped |= {name: "only reference has it" for name in reference.columns if name not in generated.columns}
    shared = (name for name in reference.columns if name not in skipped)
    texts = (name for name in shared if is_text(reference.columns[name]) and is_text(generated.columns[name]))
    return skipped | dict.fromkeys(texts, "not numeric")


def _shared_columns(generated: Sample, reference: Sample) -> list[Observable]:
    skipped = skipped_columns(generated, reference)
    names = [name for name in reference.columns if name not in skipped]
    if not names:
        msg = (
            "the samples share no numeric column: generated has "
            f"{sorted(generated.columns)}, reference has {sorted(reference.columns)}"
        )
        raise InputError(msg)
    return [Observable(name, (name,)) for name in names]


def _one(value: object, name: object = None) -> Observable:
    if not isinstance(name, str | None):
        msg = f"the name {name!r} of an observable is a {type(name).__name__}; expected a str"
        raise InputTypeError(msg)
    if isinstance(value, str):
        return Observable(name or value, (value,))
    if callable(value):
        return Observable(name or _name_of(value), function=value)
    if isinstance(value, tuple | list) and len(value) == _PAIR and isinstance(value[0], str):
        if callable(value[1]):
            return Observable(name or value[0], function=value[1])
        if isinstance(value[1], str):
            return Observable(name or ":".join(value), tuple(value))
    msg = f"observable {value!r} is not understood; expected {_ACCEPTED}"
    raise InputTypeError(msg)


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "<lambda>")
    if name == "<lambda>":
        msg = "a function without a name cannot be reported; give it one: (name, function)"
        raise InputError(msg)
    return str(name)


def _column(sample: Sample, name: str, side: str) -> FloatArray:
    if name not in sample.columns:
        msg = f"{side}: there is no column {name!r}; there are {sorted(sample.columns)}"
        raise InputError(msg)
    return numeric(sample.columns[name], f"{side}: column {name!r}")

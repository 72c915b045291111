"""From the specification of a user to observables, each with a name of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables.observable import KDTree, Observable, Selection, check_name, column, name_of
from pytest_ganvalid.observables.strata import rate_name
from pytest_ganvalid.overlaps.digests import is_numeric
from pytest_ganvalid.overlaps.key import HEAD
from pytest_ganvalid.overlaps.resolution import numbers_at_random, numbers_in_order
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.tables import is_text

_ACCEPTED = (
    "a column name, a tuple of column names, a named function of the sample, a pair (name, any of those), or one of "
    "pytest_ganvalid.observables"
)
_PAIR = 2
JOINT = "joint"
"""The name of the joint distribution of all columns, unless a column has it."""
ONLY_GENERATED = "only generated has it"
_TEXT, _NUMBERING = "not numeric", "numbers the events"


@runtime_checkable
class Estimating(Protocol):
    """An observable that is one number per sample."""

    @property
    def name(self) -> str:
        """Its name in the report."""
        ...

    def estimate(self, sample: Sample, side: str, seed: int) -> Any:  # noqa: ANN401
        """Estimate the number and its standard error."""
        ...


@runtime_checkable
class Scoring(Protocol):
    """An observable that is learned on one part of the events and computed for the others."""

    @property
    def name(self) -> str:
        """Its name in the report."""
        ...

    def names(self, generated: Sample, reference: Sample) -> tuple[str, ...]:
        """Return the columns it learns from."""
        ...

    def scores(self, generated: Sample, reference: Sample, seed: int) -> Any:  # noqa: ANN401
        """Train, and return the scores of the events that were not trained on."""
        ...


AnyObservable = Observable | Estimating | Scoring


@dataclass(frozen=True, slots=True)
class _Shared:
    """The columns that two samples share."""

    generated: Sample
    reference: Sample
    condition: str | None

    def names(self) -> list[str]:
        """List the columns of numbers."""
        skipped = skipped_columns(self.generated, self.reference, self.condition)
        names = [name for name in self.reference.columns if name in self.generated.columns and name not in skipped]
        if not names:
            msg = (
                "the samples share no numeric column: generated has "
                f"{sorted(self.generated.columns)}, reference has {sorted(self.reference.columns)}"
            )
            raise InputError(msg)
        return names


def resolve(
    spec: object, generated: Sample, reference: Sample, condition: str | None = None
) -> tuple[AnyObservable, ...]:
    """Turn the specification of a user into observables.

    Args:
        spec: ``None`` for every numeric column of the reference, and of two or more with one number per event their
            joint distribution; one observable; a sequence of them; or a mapping of name -> observable.
        generated: The generated sample.
        reference: The reference sample.
        condition: The column that divides the events into strata.

    Raises:
        InputError: If there is no observable, two have one name, one is the condition itself, or all columns are
            compared and the generated sample lacks one.
        InputTypeError: If an observable is of an unknown kind.
    """
    shared = _Shared(generated, reference, condition)
    if spec is None:
        observables = _all_columns(shared)
    elif isinstance(spec, Mapping):
        observables = [_observable(value, shared, name) for name, value in spec.items()]
    elif isinstance(spec, str) or callable(spec) or _is_observable(spec):
        observables = [_observable(spec, shared)]
    elif isinstance(spec, Iterable):
        observables = [_observable(value, shared) for value in spec]
    else:
        msg = f"observables={spec!r} is a {type(spec).__name__}; expected a list, each {_ACCEPTED}"
        raise InputTypeError(msg)
    for observable in observables:
        _refuse_condition(observable, condition)
    names = [observable.name for observable in observables]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"observables {repeated} are named twice; give each a name of its own: (name, function)"
        raise InputError(msg)
    if not observables:
        msg = "no observable to compare; a check of nothing demonstrates nothing"
        raise InputError(msg)
    return tuple(observables)


def skipped_columns(generated: Sample, reference: Sample, condition: str | None = None) -> dict[str, str]:
    """Return the columns that ``observables=None`` leaves out, and why.

    Columns of numbers that only the reference has are not among them; see `refuse_missing`. Columns that number the
    events are recognised in the reference alone, which decides on the bins, too: the generated events may come later.
    """
    gen, ref = generated.columns, reference.columns
    skipped = dict.fromkeys((name for name in gen if name not in ref), ONLY_GENERATED)
    texts = (name for name in ref if is_text(ref[name]) and (name not in gen or is_text(gen[name])))
    skipped |= dict.fromkeys(texts, _TEXT)
    if condition is not None:
        skipped |= {condition: "divides the events into strata"}
    candidates = [name for name in ref if name not in skipped]
    numbering = [name for name in candidates if no_observable(ref[name]) == _NUMBERING]
    # Where there are no other columns, numbers in order do not number the events: there is nothing else to number.
    return skipped | dict.fromkeys(numbering, _NUMBERING) if len(numbering) < len(candidates) else skipped


def no_observable(values: Any) -> str:  # noqa: ANN401 - an array or Entries
    """Say why a column of true events is compared only on request; empty if it is compared by default."""
    if is_text(values):
        return _TEXT
    return _NUMBERING if numbers_in_order(values) or (is_numeric(values) and numbers_at_random(values[:HEAD])) else ""


def refuse_missing(names: Iterable[str]) -> None:
    """Refuse a generated sample that lacks columns of the reference, where all columns are compared.

    Raises:
        InputError: If the generated sample lacks a column.
    """
    missing = sorted(names)
    if missing:
        msg = (
            f"the reference has columns that the generated sample lacks: {missing}; a distribution that was lost "
            "cannot be right: give the generated sample these columns, or state observables= to compare without them"
        )
        raise InputError(msg)


def _all_columns(shared: _Shared) -> list[AnyObservable]:
    """Return the numeric columns of the reference and, of two or more that vary, their joint distribution."""
    skipped = skipped_columns(shared.generated, shared.reference, shared.condition)
    names = shared.names()
    refuse_missing({*shared.reference.columns} - {*shared.generated.columns} - {*skipped})
    joined = tuple(name for name in _scalar_columns(shared) if _varies(shared.reference, name))
    columns: list[AnyObservable] = [Observable(name, (name,)) for name in names]
    return columns if len(joined) < _PAIR else [*columns, _tree(_joint_name(shared.reference), joined)]


def _varies(reference: Sample, name: str) -> bool:
    """Tell whether a column of one number per event has two values: no cell is cut along a constant column."""
    values = np.asarray(column(reference, name, "reference"))
    finite = values[np.isfinite(values)]
    return bool(finite.size and np.any(finite != finite[0]))


def _joint_name(reference: Sample) -> str:
    candidates = itertools.chain([JOINT], (f"{JOINT} {i}" for i in itertools.count(2)))
    return next(name for name in candidates if name not in reference.columns)


def _refuse_condition(observable: AnyObservable, condition: str | None) -> None:
    """Refuse an observable that is the condition itself.

    Raises:
        InputError: If the observable is the column that divides the events.
    """
    selected = isinstance(observable, Observable) and observable.where is not None
    columns = observable.columns if isinstance(observable, Observable) else (getattr(observable, "column", None),)
    if condition is not None and not selected and set(columns) == {condition}:
        msg = (
            f"observable {observable.name!r} is by={condition!r} itself, which hardly varies within its bins; leave it "
            f"out (how often each bin occurs is compared as {rate_name(condition)!r}), or compare it without by="
        )
        raise InputError(msg)


def _is_observable(value: object) -> bool:
    return isinstance(value, Selection | KDTree | Observable | Estimating | Scoring)


def _observable(value: object, shared: _Shared, name: str | None = None) -> AnyObservable:
    check_name(name)
    if isinstance(value, str):
        return Observable(name or value, (value,))
    if isinstance(value, type):
        msg = f"{value.__name__} is a class; make one of it: {value.__name__}(...)"
        raise InputTypeError(msg)
    if _is_observable(value):
        return _from_object(value, shared, name)
    if callable(value):
        return Observable(name or name_of(value), function=value)
    if isinstance(value, tuple | list) and len(value) >= _PAIR and isinstance(value[0], str):
        if all(isinstance(part, str) for part in value):
            make = _tree if len(value) > _PAIR else Observable
            return make(name or ":".join(value), tuple(value))
        if len(value) == _PAIR:
            return _observable(value[1], shared, name or value[0])
    msg = f"observable {value!r} is not understood; expected {_ACCEPTED}"
    raise InputTypeError(msg)


def _from_object(value: Any, shared: _Shared, name: str | None) -> AnyObservable:  # noqa: ANN401 - one of the public classes
    """Resolve an object of one of the public classes, under another name if one is given."""
    if isinstance(value, KDTree):
        columns = _scalar_columns(shared) if value.columns is None else _tree_columns(value.columns)
        return _tree(name or value.name, columns)
    if isinstance(value, Selection):
        inner = _observable(value.observable, shared)
        if not isinstance(inner, Observable) or inner.where is not None:
            msg = f"a selection of {value.observable!r} is not understood; expected a column, columns or a function"
            raise InputTypeError(msg)
        condition = value.where if isinstance(value.where, str) else getattr(value.where, "__name__", "")
        default = f"{inner.name} where {condition}" if condition not in ("", "<lambda>") else None
        label = name or value.name or default
        if label is None:
            msg = (
                f"the selection of {inner.name!r} cannot be named after a lambda; give it a name: Selection(..., name=)"
            )
            raise InputError(msg)
        return replace(inner, name=label, where=value.where)
    return replace(value, name=name) if name else value  # type: ignore[no-any-return]


def _tree_columns(columns: object) -> tuple[str, ...]:
    if isinstance(columns, tuple | list) and all(isinstance(column, str) for column in columns):
        return tuple(columns)
    msg = f"columns={columns!r} of a k-d tree; expected a tuple of column names"
    raise InputTypeError(msg)


def _tree(name: str, columns: tuple[str, ...]) -> Observable:
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated or not columns:
        problem = f"joins column {repeated[0]!r} with itself" if repeated else "is of no column"
        msg = f"observable {name!r} {problem}; expected columns that differ"
        raise InputError(msg)
    return Observable(name, columns, tree=True)


def _scalar_columns(shared: _Shared) -> tuple[str, ...]:
    """Columns with one number per event: a joint distribution needs them to match."""
    sides = (shared.generated.columns, shared.reference.columns)
    return tuple(name for name in shared.names() if not any(isinstance(side[name], Entries) for side in sides))

"""In-memory tables of any kind to a `Sample`, without importing the library they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.samples.sample import Sample

_ACCEPTED = (
    "a mapping of column -> 1-D array, a structured array, a pandas, polars or arrow table, an awkward record array, "
    "or a Sample"
)


def as_sample(events: object, side: str, weight: object = None) -> Sample:
    """Read events from any accepted kind of table.

    Args:
        events: The table.
        side: ``"generated"`` or ``"reference"``, for error messages.
        weight: A column name, an array of shape (events,), or ``None``.

    Raises:
        InputTypeError: If the table is of another kind.
        InputError: If there are no events, lengths differ, or a weight is not finite.
    """
    try:
        sample = events if isinstance(events, Sample) else Sample(dict(_columns(events)))
        return sample if weight is None else _weighted(sample, weight)
    except GanvalidError as error:
        raise type(error)(f"{side}: {error}") from None


def _columns(events: Any) -> Iterable[tuple[str, NDArray[Any]]]:  # noqa: ANN401
    for name, column in _named(events):
        if not isinstance(name, str):
            msg = f"the column name {name!r} is a {type(name).__name__}; expected a str"
            raise InputTypeError(msg)
        yield name, _array(name, column)


def _named(events: Any) -> Iterable[tuple[Any, Any]]:  # noqa: ANN401
    """Yield (name, column) of any kind of table; found by what it can do, as the libraries may not be installed."""
    if isinstance(events, Mapping):
        return events.items()
    if isinstance(events, np.ndarray) and events.dtype.names:
        return ((name, events[name]) for name in events.dtype.names)
    if type(events).__module__.startswith("awkward"):
        return ((name, events[name]) for name in events.fields)
    if hasattr(events, "column_names"):
        return ((name, events[name]) for name in events.column_names)
    if hasattr(events, "columns") and hasattr(events, "__getitem__"):
        return ((name, events[name]) for name in events.columns)
    hint = ""
    if isinstance(events, np.ndarray | list):
        hint = "; name the column: {'x': array}"
    elif isinstance(events, str) or hasattr(events, "__fspath__"):
        hint = "; files are not read: load the columns first, for example with uproot, h5py or pyarrow"
    msg = f"a {type(events).__name__} is not a table of events; expected {_ACCEPTED}{hint}"
    raise InputTypeError(msg)


def _array(name: str, column: Any) -> NDArray[Any]:  # noqa: ANN401
    """Convert a column; missing values become NaN, so that they are counted and not dropped."""
    if isinstance(column, np.ma.MaskedArray):
        return np.asarray(column.astype(np.float64).filled(np.nan) if column.mask.any() else column.data)
    try:
        if hasattr(column, "iloc") and getattr(column.dtype, "kind", "O") in "iuf":  # pandas, nullable types included
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan) if column.hasnans else column.to_numpy())
        return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)
    except (TypeError, ValueError) as error:
        msg = f"column {name!r} is not a one-dimensional array: {error}; reduce it to one number per event first"
        raise InputError(msg) from error


def numeric(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    """Return an array as float64.

    Raises:
        InputTypeError: If it does not hold real numbers.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        first = f" (its first element is a {type(values.flat[0]).__name__})" if values.dtype == object and values.size else ""
        msg = f"{what} has dtype {values.dtype}{first}; expected real numbers: convert it with .astype(float), or leave it out"
        raise InputTypeError(msg)
    return values.astype(np.float64, copy=False)


def is_text(values: NDArray[Any]) -> bool:
    """Tell whether a column holds words, dates or the like, which no histogram of numbers is wanted of."""
    if values.dtype == object:
        return all(isinstance(value, str) for value in values.flat)
    return values.dtype.kind in "USMmV"


def _weighted(sample: Sample, weight: object) -> Sample:
    if isinstance(weight, str):
        values = numeric(sample[weight], f"the weight column {weight!r}")
        columns = {name: column for name, column in sample.columns.items() if name != weight}
    else:
        values, columns = numeric(np.asarray(weight), "the weight"), dict(sample.columns)
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        msg = f"{bad} of {values.size} weights are NaN or infinite; remove those events from the sample, knowingly"
        raise InputError(msg)
    if not columns:
        msg = f"the sample has no column but the weight {weight!r}"
        raise InputError(msg)
    return Sample(columns, values, sample.provenance)

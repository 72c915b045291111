"""In-memory tables of any kind to a `Sample`, without importing the library they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._arguments import is_bare, unnamed
from pytest_ganvalid._units import stated_unit
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, absence
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.features import feature_names, nesting_reason
from pytest_ganvalid.samples.sample import Sample

_LARGEST_WEIGHT = 1e90  # weight: sums of squares over many events are still numbers
_NOT_OF_NUMPY = ("torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2")  # all of which single precision holds
_ACCEPTED = (
    "a mapping of column -> array, a structured array, a pandas, polars or arrow table, an awkward record array, "
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
        if isinstance(events, Sample) and events.cluster is not None:
            msg = "the clusters of a Sample are what was made of a column; leave it a column, and name it by cluster="
            raise InputError(msg)
        if isinstance(events, Sample):  # whoever made it, its columns may be of any kind
            sample = Sample(_columns(events.columns), provenance=events.provenance)
            weight = events.weight if weight is None else weight
        else:
            if type(events).__module__.startswith("polars") and hasattr(events, "collect"):  # a lazy frame
                events = events.collect()
            _check_indices(events, weight)
            sample = Sample(_columns(events))
        return sample if weight is None else _weighted(sample, weight, side)
    except GanvalidError as error:
        msg = f"{side}: {error}"
        raise type(error)(msg) from None


def _columns(events: Any) -> dict[str, Any]:  # noqa: ANN401
    columns: dict[str, Any] = {}
    names = _column_names(events)
    for name in names:
        if not isinstance(name, str):
            msg = f"the column name {name!r} is a {type(name).__name__}; expected a str"
            raise InputTypeError(msg)
        if names.count(name) > 1:
            msg = f"the table has {names.count(name)} columns named {name!r}; rename them"
            raise InputError(msg)
        parts = {key: _read_only_view(column) for key, column in _split_column(name, events[name]).items()}
        repeated = sorted(columns.keys() & parts.keys())
        if repeated:
            msg = f"two columns are named {repeated[0]!r}, one of them of an array {name!r} or like it; rename one"
            raise InputError(msg)
        columns |= parts
    return columns


def _split_column(name: str, column: Any) -> dict[str, NDArray[Any] | Entries]:  # noqa: ANN401
    """Return a column, or those of an array with two axes; see `samples.features`.

    Raises:
        InputError: If the column is nested more deeply, or holds lists as objects.
    """
    values = _entries(column, name)
    if values is None:
        values = as_array(column, f"column {name!r}")
    if isinstance(values, Entries):
        return {name: values}
    if values.ndim > 2:  # noqa: PLR2004
        msg = f"column {name!r} {nesting_reason(f'shape {values.shape}')}"
        raise InputError(msg)
    if values.ndim != 2:  # noqa: PLR2004
        first = next((value for value in values.flat if value is not None), None) if values.dtype == object else None
        if isinstance(first, list | tuple | np.ndarray):
            msg = (
                f"column {name!r} holds a {type(first).__name__} per event; flatten it to columns, "
                f"np.stack(table[{name!r}]) where all are of one length, or compare all entries alike: wrap it as "
                f"pytest_ganvalid.Entries.of(list(table[{name!r}]))"
            )
            raise InputError(msg)
        return {name: values}
    return dict(zip(feature_names(name, values.shape), values.T, strict=True))


def _entries(column: Any, name: str) -> NDArray[Any] | Entries | None:  # noqa: ANN401
    """Return a column of lists: as entries of events, or as an array if they are of a fixed size; ``None`` of numbers.

    Raises:
        InputError: If the column is nested more deeply.
    """
    if isinstance(column, Entries):
        return column
    kind: Any = getattr(column, "type", None) if hasattr(column, "to_pylist") else getattr(column, "dtype", None)
    if is_awkward(column):
        import awkward

        if column.fields or column.ndim > 2:  # noqa: PLR2004
            reason = (
                "is of records: give their fields as columns"
                if column.fields
                else nesting_reason(f"type {column.type}")
            )
            msg = f"column {name!r} {reason}"
            raise InputError(msg)
        jagged = column.ndim > 1 and not isinstance(column.type.content, awkward.types.RegularType)
        return Entries.of(column) if jagged else None
    if type(column).__module__.startswith("polars") and str(kind).startswith("List("):
        column = column.to_arrow()
        kind = column.type
    if not hasattr(column, "to_pylist") or not hasattr(kind, "value_type") or not hasattr(kind, "value_field"):
        return None
    if hasattr(kind.value_type, "value_field") or hasattr(kind.value_type, "fields"):
        msg = f"column {name!r} {nesting_reason(f'type {kind}')}"
        raise InputError(msg)
    if not hasattr(kind, "list_size"):
        return Entries.of(column)
    values = np.array(column.to_pylist())
    return values if values.dtype != object else None


def units_of(table: Any) -> dict[str, str]:  # noqa: ANN401 - any table in memory
    """Return column -> unit of an arrow table or an awkward array whose columns state it."""
    schema: Any = getattr(table, "schema", None)
    units = {}
    if is_awkward(table):
        units = {name: stated_unit(table[name].layout.parameters) for name in table.fields}
    elif hasattr(schema, "field") and hasattr(table, "column_names"):
        units = {name: stated_unit(schema.field(name).metadata) for name in table.column_names}
    return {name: unit for name, unit in units.items() if unit}


def is_awkward(value: object) -> bool:
    """Tell an array of awkward's, whatever behaviour its class adds."""
    return any(kind.__module__.startswith("awkward.") for kind in type(value).__mro__)


def _check_indices(events: Any, weight: object) -> None:  # noqa: ANN401
    """Refuse pandas objects whose indices contradict each other: rows are matched by their position.

    Raises:
        InputError: If two indices of one length differ.
    """
    columns = dict(events) if isinstance(events, Mapping) else {"the table": events}
    columns["the weight"] = weight
    indexed = {n: v.index for n, v in columns.items() if callable(getattr(getattr(v, "index", None), "equals", None))}
    if not indexed:
        return
    (first, expected), *others = indexed.items()
    for name, index in others:
        if len(index) == len(expected) and not index.equals(expected):
            msg = (
                f"{first} and {name} have different indices, and rows are matched by their position: which belong "
                "together cannot be known; align them (pandas.concat(..., axis=1, join='inner')), or say that the "
                "position counts with .to_numpy()"
            )
            raise InputError(msg)


def _read_only_view(column: NDArray[Any] | Entries) -> NDArray[Any] | Entries:
    """Return a view that a function of the events cannot write to: it would change what is compared after it."""
    view = (column.values if isinstance(column, Entries) else column).view()
    view.flags.writeable = False
    return Entries(view, column.counts) if isinstance(column, Entries) else view


def _column_names(events: Any) -> list[Any]:  # noqa: ANN401
    """List the column names of any kind of table, told by its methods, as the libraries may not be installed."""
    if isinstance(events, Mapping):
        return list(events.keys())
    if isinstance(events, np.ndarray) and events.dtype.names:
        return list(events.dtype.names)
    if is_awkward(events) and events.fields:
        return list(events.fields)
    if hasattr(events, "column_names"):
        return list(events.column_names)
    if (
        not hasattr(events, "collect")
        and not is_awkward(events)
        and hasattr(events, "columns")
        and hasattr(events, "__getitem__")
    ):
        return list(events.columns)
    msg = f"a {type(events).__name__} is not a table of events; expected {_ACCEPTED}{_hint(events)}"
    raise InputTypeError(msg)


def _hint(events: Any) -> str:  # noqa: ANN401
    """Guess what the user meant."""
    hints = {
        unnamed(events): is_bare(events),
        "compare histograms with gv.compare(generated, reference, n_required=...)": hasattr(events, "variances"),
        "a file is not read here: load it first, pytest_ganvalid.samples.files.read_events(name)": (
            isinstance(events, str) or hasattr(events, "__fspath__")
        ),
        "it is lazy: call .collect() first": hasattr(events, "collect"),
        "name the column: {'x': series}": hasattr(events, "to_numpy"),
        "it is a generator: call .sample(n, seed=...) first": callable(getattr(events, "sample", None)),
    }
    return next((f"; {hint}" for hint, fits in hints.items() if fits), "")


def as_array(column: Any, subject: str) -> NDArray[Any]:  # noqa: ANN401
    """Convert a column of any kind; missing numbers become NaN, so that they are counted and not dropped.

    Args:
        column: An array, a list, or a column of a table.
        subject: What it is, for error messages.

    Raises:
        InputError: If the column is not rectangular.
        InputTypeError: If the column is a histogram.
    """
    if hasattr(column, "variances"):
        msg = f"{subject} is a histogram; compare histograms one by one, generated with reference"
        raise InputTypeError(msg)
    try:
        if hasattr(column, "hasnans") and column.dtype.kind in "biuf" and column.hasnans:  # pandas, nullable types too
            column = column.to_numpy(dtype=np.float64, na_value=np.nan)
        elif hasattr(column, "detach"):  # torch, also on a GPU, with a gradient, or of a width that numpy lacks
            column = column.detach().cpu()
            column = (column.float() if str(column.dtype) in _NOT_OF_NUMPY else column).numpy()
        elif hasattr(column, "to_pylist"):  # arrow
            column = column.to_numpy(zero_copy_only=False)
        elif hasattr(column, "to_numpy"):
            column = column.to_numpy()
        if np.ma.is_masked(column):  # awkward's missing values too
            column = column.astype(np.float64).filled(np.nan)
        return _flags(np.asarray(column))
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        msg = (
            f"{subject} is not a one-dimensional array of numbers: {reason}; reduce it to one number per "
            "event first, or compare all entries: wrap the column as pytest_ganvalid.Entries.of(column)"
        )
        raise InputError(msg) from error


def _flags(values: NDArray[Any]) -> NDArray[Any]:
    """Return true and false, some of which are missing, as numbers; any other values as they are."""
    if values.dtype != object or values.ndim != 1 or not values.size:
        return values
    kinds = {type(value) for value in values if not _is_missing(value)}
    if not kinds or not kinds <= {bool, np.bool_}:
        return values
    return np.array([np.nan if _is_missing(value) else float(value) for value in values])


def numeric(values: NDArray[Any], subject: str) -> NDArray[np.float64]:
    """Return an array as float64.

    Raises:
        InputTypeError: If the array does not hold real numbers.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        kinds = sorted({type(value).__name__ for value in values.flat}) if values.dtype == object else []
        detail = f" ({', '.join(kinds)})" if kinds else ""
        msg = (
            f"{subject} has dtype {values.dtype}{detail}; expected real numbers: convert it with .astype(float), "
            "or leave it out"
        )
        raise InputTypeError(msg)
    return values.astype(np.float64, copy=False)


def is_text(values: NDArray[Any] | Entries) -> bool:
    """Tell whether a column holds words, dates or the like, and no numbers to make a histogram of."""
    if isinstance(values, Entries):
        return is_text(values.values)
    if values.dtype == object:
        present = [value for value in values.flat if not (value is None or _is_nan(value))]
        return bool(present) and all(isinstance(value, str) for value in present)
    return values.dtype.kind in "USMmV"


def _is_missing(value: object) -> bool:
    return value is None or _is_nan(value) or type(value).__name__ == "NAType"  # of pandas


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def check_weights(nonfinite: int, number: int, largest: float) -> None:
    """Refuse weights that cannot be used.

    Args:
        nonfinite: How many are NaN or infinite.
        number: How many there are.
        largest: The largest magnitude.

    Raises:
        InputError: If a weight is not finite, or the weights are too large or too small to be squared.
    """
    if nonfinite:
        msg = f"{nonfinite} of {number} weights are NaN or infinite; remove those events from the sample, knowingly"
        raise InputError(msg)
    if largest and not 1 / _LARGEST_WEIGHT < largest < _LARGEST_WEIGHT:
        msg = f"the weights reach {largest:.3g}, beyond what can be squared; scale them all by a constant"
        raise InputError(msg)


def weight_hint(weight: str, side: str) -> str:
    """Say how the weights of one sample alone are stated, as the end of a message that a side lacks their column."""
    pairs = {"generated": (None, weight), "reference": (weight, None)}
    return f"; if only the other sample is weighted, weight={pairs[side]!r}" if side in pairs else ""


def _weighted(sample: Sample, weight: object, side: str) -> Sample:
    if isinstance(weight, str):
        if weight not in sample.columns:
            msg = f"{absence('weight column', weight, sample.columns)}{weight_hint(weight, side)}"
            raise InputError(msg)
        if isinstance(sample[weight], Entries):
            msg = (
                f"the weight column {weight!r} holds a list of numbers per event; expected one: write a column of such"
            )
            raise InputError(msg)
        values = numeric(sample[weight], f"the weight column {weight!r}")
        columns = {name: column for name, column in sample.columns.items() if name != weight}
    else:
        values, columns = numeric(as_array(weight, "the weight"), "the weight"), dict(sample.columns)
    check_weights(int(np.count_nonzero(~np.isfinite(values))), values.size, float(np.abs(values).max(initial=0)))
    if not columns:
        msg = f"the sample has no column but the weight {weight!r}; give it one that is to be compared"
        raise InputError(msg)
    return Sample(columns, values, sample.provenance)

"""What the formats that pyarrow reads have in common: columns of a schema and of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._units import stated_unit
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.features import feature_names, nesting_reason
from pytest_ganvalid.samples.tables import as_array

Location = tuple[str, int | None]
"""Name of a field, and the position in its lists, where those are of a fixed size."""


def parted(schema: Any) -> tuple[dict[str, Location], dict[str, str]]:  # noqa: ANN401 - pyarrow has no types
    """Part the columns of a schema into those that can be read and, with a reason, those that cannot.

    Returns:
        Column -> its location in the file, and name -> reason. Lists of a fixed size are a column for each of their
        positions, see `samples.features`.

    Raises:
        InputError: If two columns have one name.
    """
    import pyarrow as pa

    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if repeated:
        msg = f"{schema.names.count(repeated[0])} columns are named {repeated[0]!r}; rename them"
        raise InputError(msg)
    reasons = {}
    for field in schema:
        kind = field.type.value_type if _is_list(field.type) else field.type
        flat = pa.types.is_primitive(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
        if not (flat or (text and kind is field.type)):
            reasons[field.name] = _reason(field.name, field.type, kind)
    columns: dict[str, Location] = {}
    for field in schema:
        if field.name in reasons:
            continue
        if not pa.types.is_fixed_size_list(field.type):
            columns[field.name] = field.name, None
            continue
        names = feature_names(field.name, (0, field.type.list_size))
        if set(names) & ({*columns, *schema.names} - {field.name}):
            reasons[field.name] = "is of lists, and a column is named like their places are; rename it"
        else:
            columns |= {name: (field.name, position) for position, name in enumerate(names)}
    return columns, reasons


def units_of(schema: Any, locations: Mapping[str, Location]) -> dict[str, str]:  # noqa: ANN401 - pyarrow has no types
    """Return column -> unit, of those whose field states it in its metadata."""
    units = {name: stated_unit(schema.field(field).metadata) for name, (field, _) in locations.items()}
    return {name: unit for name, unit in units.items() if unit}


def _reason(name: str, column_type: Any, kind: Any) -> str:  # noqa: ANN401
    """Say why a column cannot be read; of structs also how to flatten it."""
    import pyarrow as pa

    if _is_list(kind):
        return nesting_reason(f"type {column_type}")
    if not pa.types.is_struct(kind):
        return f"is of type {column_type}, neither a number nor a list of numbers per event; write its parts as columns"
    fields = [kind.field(i).name for i in range(kind.num_fields)]
    rest = f", ... {len(fields) - 3} more" if len(fields) > 3 else ""  # noqa: PLR2004
    content = f"of structs with the fields {', '.join(map(repr, fields[:3]))}{rest}"
    if kind is column_type:
        return f"is {content}: flatten it before it is written, as pyarrow's Table.flatten does, to a column for each"
    inner = fields[0] if fields else "field"
    return (
        f"holds a list {content}: flatten it before it is written, to a column of lists for each field, such as "
        f"{f'{name}_{inner}'!r} of the awkward array {f'{name}.{inner}'!r}"
    )


def _is_list(kind: Any) -> bool:  # noqa: ANN401
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def column(values: Any, name: str, position: int | None = None) -> NDArray[Any] | Entries:  # noqa: ANN401
    """Return a column of a batch: one number per event, or the entries of each; of lists of a fixed size, one position.

    Raises:
        InputError: If a list of a fixed size is missing.
        ValueError: If text in the column is damaged.
    """
    import pyarrow as pa

    if position is not None:
        from pyarrow import compute  # which takes a twentieth of a second

        if values.null_count:
            msg = f"column {name!r} has {values.null_count} nulls; expected lists without nulls"
            raise InputError(msg)
        values = compute.list_element(values, position)
    if _is_list(values.type):
        return Entries.of(values)
    kind = values.type
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and not values.null_count and len(values):
        dtype = np.dtype(kind.to_pandas_dtype())
        # to_numpy would do the same, and import pandas.
        return np.frombuffer(values.buffers()[1], dtype, len(values), values.offset * dtype.itemsize)
    if pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
    try:
        return as_array(values, f"column {name!r}")
    except pa.ArrowException as error:  # damaged text, for example, is an "unknown error"
        raise ValueError(str(error)) from error

"""Frozen dataclasses of builtins to JSON and back, exactly.

JSON has no infinity: an infinite float is written as ``null`` beside a flag ``"<field>_infinite": true``
(all quantities of this package that can be infinite are positive).
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pytest_ganvalid.errors import InputError

T = TypeVar("T")
Decoder = Callable[[Any], Any]
_FLAG = "_infinite"
_SCALARS: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,), "None": (type(None),)}


def encode(value: object) -> Any:  # noqa: ANN401 - JSON is untyped
    """Turn a value made of dataclasses, mappings, tuples and scalars into JSON types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _encode_items({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return _encode_items(value)
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def _encode_items(items: Mapping[str, object]) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for name, value in items.items():
        if isinstance(value, float) and math.isinf(value):
            encoded[name] = None
            encoded[name + _FLAG] = True
        else:
            encoded[name] = encode(value)
    return encoded


def decode(cls: type[T], data: Mapping[str, Any], decoders: Mapping[str, Decoder] | None = None) -> T:
    """Build the dataclass ``cls`` from what `encode` made of it.

    Args:
        cls: The dataclass.
        data: The JSON object.
        decoders: For each field that is not a scalar, the function that rebuilds it.

    Raises:
        InputError: If fields are missing, unknown, or of the wrong type.
    """
    if not isinstance(data, Mapping):
        msg = f"{cls.__name__}: expected a JSON object; got {data!r}"
        raise InputError(msg)
    names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    given = {name for name in data if not (name.endswith(_FLAG) and name.removesuffix(_FLAG) in names)}
    if given != names:
        msg = (
            f"{cls.__name__}: the JSON does not have the expected fields: "
            f"missing {sorted(names - given)}, unknown {sorted(given - names)}; "
            "was it written by another version of pytest-ganvalid?"
        )
        raise InputError(msg)
    values = {name: math.inf if data.get(name + _FLAG) is True else data[name] for name in names}
    for name, decoder in (decoders or {}).items():
        values[name] = _decoded(cls, name, values[name], decoder)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        _check_type(cls, field, values[field.name])
    return cls(**values)


def numbers(values: object) -> tuple[float, ...]:
    """Decode an array of numbers."""
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        msg = "expected an array of numbers"
        raise InputError(msg)
    return tuple(values)


def strings(values: object) -> tuple[str, ...]:
    """Decode an array of strings."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        msg = "expected an array of strings"
        raise InputError(msg)
    return tuple(values)


def plain(value: object) -> Any:  # noqa: ANN401
    """Turn anything into what JSON can hold and give back equal; what it cannot hold becomes its description."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return str(value)


def _decoded(cls: type, name: str, value: object, decoder: Decoder) -> Any:  # noqa: ANN401
    try:
        return decoder(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{cls.__name__}.{name}: {error}"
        raise InputError(msg) from error


def _check_type(cls: type, field: dataclasses.Field[Any], value: object) -> None:
    """Check the fields that are scalars, by the names of their types."""
    allowed = [_SCALARS[name] for name in str(field.type).split(" | ") if name in _SCALARS]
    if allowed and type(value) not in {kind for kinds in allowed for kind in kinds}:
        msg = f"{cls.__name__}.{field.name}: expected {field.type}; got {value!r}"
        raise InputError(msg)


def dumps(kind: str, version: int, value: object, indent: int | None = None) -> str:
    """Write ``value`` as a JSON text that says what it is."""
    return json.dumps({"kind": kind, "version": version, **encode(value)}, indent=indent, allow_nan=False)


def loads(kind: str, version: int, text: str | bytes) -> dict[str, Any]:
    """Read a JSON text written by `dumps`.

    Raises:
        InputError: If the text is not JSON, of another kind, or of another version.
    """
    try:
        data = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"not a JSON text: {error}"
        raise InputError(msg) from error
    found = (data.pop("kind", None), data.pop("version", None)) if isinstance(data, dict) else (None, None)
    if found != (kind, version):
        msg = f"expected JSON of kind {kind!r}, version {version}; got kind {found[0]!r}, version {found[1]!r}"
        raise InputError(msg)
    return dict(data)

"""The parameters of a dataclass of this package as options of the command line: their names, defaults and meanings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from inspect import getdoc
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

Kind = Any
"""A class, or whatever else a field is annotated with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that can be set.

    Attributes:
        name: Name of the field; ``outer.inner`` where a field is a dataclass itself.
        kind: Its type.
        default: As one would type it.
        meaning: Its meaning, from the description of the class.
    """

    name: str
    kind: Kind
    default: str
    meaning: str


def summary_of(kind: Kind) -> str:
    """Return the first line of the description of a class."""
    return _plain((getdoc(kind) or "").partition("\n")[0])


def parameters_of(kind: Kind) -> list[Parameter]:
    """Return the parameters of a dataclass, in order."""
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", getdoc(kind) or "", flags=re.MULTILINE)
    meanings = {name: _plain(" ".join(text.split())) for name, text in entries}
    types = get_type_hints(kind)
    parameters: list[Parameter] = []
    for field in fields(kind):
        name, field_type = field.name, types[field.name]
        if is_dataclass(field_type):
            parameters += [replace(inner, name=f"{name}.{inner.name}") for inner in parameters_of(field_type)]
        else:
            value = field.default if field.default_factory is MISSING else field.default_factory()
            default, meaning = _typed(value), meanings.get(name, "")
            parameters.append(Parameter(name=name, kind=field_type, default=default, meaning=meaning))
    return parameters


def _plain(text: str) -> str:
    """Remove the marks of code, which a terminal does not show."""
    return re.sub(r"``?\"?(.*?)\"?``?", r"\1", text).replace("None", "none")


def _typed(value: object) -> str:
    """Return a default as one would type it."""
    if isinstance(value, Mapping):
        pairs = ((key, item if isinstance(item, tuple) else (item,)) for key, item in value.items())
        return ",".join(":".join([key, *map(_typed, items)]) for key, items in pairs)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


def built(kind: Kind, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any dataclass
    """Return a dataclass with some of its parameters set, named as in `parameters_of`.

    Raises:
        InputError: If a value is out of range.
    """
    arguments = {name: value for name, value in values.items() if "." not in name}
    for field in fields(kind):
        prefix = f"{field.name}."
        inner = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
        if inner:
            default: Any = field.default
            arguments[field.name] = replace(default, **inner)
    return kind(**arguments)


def parsed(kind: Kind, text: str) -> Any:  # noqa: ANN401
    """Return the value of a parameter.

    Args:
        kind: Its type.
        text: As typed.

    Raises:
        ValueError: If the text is of another kind; the message says what was expected.
    """
    if _is(kind, Mapping):
        return _mapped(get_args(kind)[1], text)
    optional = isinstance(kind, UnionType)
    if optional:
        if text.lower() == "none":
            return None
        kind = get_args(kind)[0]
    several = get_args(kind)  # those of a tuple
    kinds, parts = (several, text.split(",") if text else []) if several else ((kind,), [text])
    expected = _SCALARS[kinds[0]][1]
    if kinds[1:] == (...,):
        kinds, expected = kinds[:1] * len(parts), f"{expected}, or several separated by commas"
    elif several:
        expected = f"{len(kinds)} numbers separated by commas"
    try:
        values = tuple(_SCALARS[kind][0](part.strip()) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, KeyError, ZeroDivisionError):
        raise ValueError(expected + (", or none" if optional else "")) from None
    return values if several else values[0]


def _is(kind: Kind, generic: type) -> bool:
    origin: Any = get_origin(kind)
    return origin is generic


def _mapped(kind: Kind, text: str) -> dict[str, Any]:
    """Read ``name:value`` or, of pairs, ``name:first:second``; several separated by commas.

    Raises:
        ValueError: If the text is no such mapping.
    """
    kinds = get_args(kind) if _is(kind, tuple) else (kind,)
    shape = ":".join(["name", *["number"] * len(kinds)])
    values: dict[str, Any] = {}
    for entry in text.split(",") if text else []:
        name, *parts = entry.rsplit(":", len(kinds))
        try:
            items = [parsed(kind, part.strip()) for kind, part in zip(kinds, parts, strict=True)]
        except ValueError:
            msg = f"{shape}, or several separated by commas; none for no number"
            raise ValueError(msg) from None
        values[name.strip()] = tuple(items) if len(kinds) > 1 else items[0]
    return values


def whole(text: str) -> int:
    """Read an integer, written as 10000, 10_000 or 1e4.

    Raises:
        ValueError: If the text is no integer.
    """
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def real(text: str) -> float:
    """Read a number or a fraction.

    Raises:
        ValueError: If the text is neither.
    """
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def _truth(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]


_SCALARS: dict[type, tuple[Callable[[str], Any], str]] = {
    int: (whole, "a whole number"),
    float: (real, "a number"),
    bool: (_truth, "true or false"),
    str: (str, "words"),
}

"""The JSON Schema of ``report.json``, and of the reports and comparisons in it, made from their classes.

Draft 2020-12 of json-schema.org. ``schema.json`` beside this module is the same, for those who have no Python.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pytest_ganvalid.report.document import KINDS, Check, Session
from pytest_ganvalid.results import VERSION

FILE = Path(__file__).with_name("schema.json")
"""The published file."""
Schema = dict[str, Any]
_FLAG = "_infinite"
_PLAIN: dict[Any, Schema | bool] = {
    Any: True,
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
}


def schema() -> Schema:
    """Return the schema of everything that ``ganvalid check -o`` and ``--ganvalid-report`` write."""
    documents = {Session.KIND: Session, **KINDS}
    definitions: Schema = {}
    for cls in documents.values():
        _define(cls, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pytest-ganvalid:report:{VERSION}",
        "title": f"Report of pytest-ganvalid, version {VERSION}",
        "description": (
            "A session of checks (report.json), or a report or comparison alone. A number that is infinite is null, "
            "and beside it the member of its name with _infinite is true."
        ),
        "oneOf": [_document(cls) for cls in documents.values()],
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the schema as the text that is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _document(cls: type) -> Schema:
    """Return the schema of a text of its own, which says its version."""
    return {"$ref": f"#/$defs/{cls.__name__}", "required": ["version"]}


def _of(hint: Any, definitions: Schema) -> Any:  # noqa: ANN401 - a schema, or true
    """Return the schema of a type; see `pytest_ganvalid._json.decode`."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = get_origin(hint)
    if origin is not None:
        return _GENERIC[origin](get_args(hint), definitions)
    if issubclass(hint, StrEnum):
        return {"enum": [str(member) for member in hint]}
    _define(hint, definitions)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _number(arguments: tuple[Any, ...], definitions: Schema) -> Schema:
    limits = {"minimum": arguments[1].minimum, "maximum": arguments[1].maximum}
    return {**_of(arguments[0], definitions), **{name: x for name, x in limits.items() if math.isfinite(x)}}


def _union(hints: tuple[Any, ...], definitions: Schema) -> Schema:
    return {"anyOf": [_of(hint, definitions) for hint in hints]}


def _mapping(hints: tuple[Any, ...], definitions: Schema) -> Schema:
    return {"type": "object", "additionalProperties": _of(hints[1], definitions)}


def _array(items: tuple[Any, ...], definitions: Schema) -> Schema:
    if items[1:] == (...,):
        return {"type": "array", "items": _of(items[0], definitions)}
    schemas = [_of(item, definitions) for item in items]
    return {"type": "array", "prefixItems": schemas, "items": False, "minItems": len(schemas)}


_GENERIC: dict[Any, Callable[[tuple[Any, ...], Schema], Schema]] = {
    Annotated: _number,
    Union: _union,
    types.UnionType: _union,
    dict: _mapping,
    Mapping: _mapping,
    tuple: _array,
    Sequence: lambda items, definitions: _array((*items, ...), definitions),
    Literal: lambda choices, _: {"enum": list(choices)},
}


def _define(cls: Any, definitions: Schema) -> None:  # noqa: ANN401 - a dataclass
    """Add the schema of the objects of a dataclass, and of what they hold."""
    if cls.__name__ in definitions:
        return
    definition: Schema = {"type": "object", "description": (inspect.getdoc(cls) or "").partition("\n")[0]}
    definitions[cls.__name__] = definition
    hints, descriptions = get_type_hints(cls, include_extras=True), dict(_field_descriptions(cls))
    properties: Schema = {}
    required, conditions = [], []
    for field in dataclasses.fields(cls):
        value = _result(definitions) if (cls, field.name) == (Check, "result") else _of(hints[field.name], definitions)
        words = {"description": descriptions[field.name]} if field.name in descriptions else {}
        if _may_be_infinite(hints[field.name]):
            flag = f"{field.name}{_FLAG}"
            properties |= {field.name: words or True, flag: {"const": True}}
            finite, infinite = ({"properties": {field.name: option}} for option in (value, {"type": "null"}))
            conditions.append(
                {"if": {"required": [flag]}, "then": {**infinite, "required": [field.name]}, "else": finite}
            )
        else:
            properties[field.name] = value if value is True else {**value, **words}
        if field.init and field.default is MISSING and field.default_factory is MISSING:
            required.append(field.name)
    if hasattr(cls, "KIND"):
        properties |= {"kind": {"const": cls.KIND}, "version": {"const": VERSION}}
        required.append("kind")
    if cls is Check:
        properties["kind"] = {"enum": list(KINDS), **properties["kind"]}
    definition |= {"properties": properties, "required": required, "additionalProperties": False}
    if conditions:
        definition["allOf"] = conditions


def _result(definitions: Schema) -> Schema:
    """Return the schema of the result of a check, a text of its own."""
    for cls in KINDS.values():
        _define(cls, definitions)
    return {"oneOf": [_document(cls) for cls in KINDS.values()]}


def _may_be_infinite(hint: Any) -> bool:  # noqa: ANN401
    """Tell whether a number, or one that may be missing, may be infinite too."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_may_be_infinite(argument) for argument in arguments)
    if origin is Annotated:
        return arguments[0] is float and math.isinf(arguments[1].maximum)
    return hint is float


def _field_descriptions(cls: type) -> Iterator[tuple[str, str]]:
    """Yield the names and descriptions of fields from the documentation of a class and those it inherits from."""
    for base in reversed(cls.__mro__):
        section = re.search(r"^Attributes:\n((?: .*\n?|\n)*)", inspect.cleandoc(base.__doc__ or ""), re.MULTILINE)
        if section:
            for entry in re.split(r"^ {4}(?=\w)", section[1], flags=re.MULTILINE)[1:]:
                name, _, words = entry.partition(":")
                yield name, " ".join(words.split())

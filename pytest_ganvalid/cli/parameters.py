"""The parameters of a dataclass of this package, read from its source: a help text must not import numpy or torch."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What can be set.

    Attributes:
        name: Of the field; ``outer.inner`` where a field is such a dataclass itself.
        annotation: The source text of its type.
        default: As one would type it.
        meaning: From the description of the class.
    """

    name: str
    annotation: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A dataclass.

    Attributes:
        summary: The first line of its description.
        parameters: Its fields.
    """

    summary: str
    parameters: tuple[Parameter, ...]


def described(module: str, name: str) -> Description:
    """Describe a dataclass.

    Args:
        module: File below the package, as in ``gan/config.py``.
        name: Of the class.
    """
    tree = ast.parse((_PACKAGE / module).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    text = ast.get_docstring(classes[name]) or ""
    return Description(summary=_plain(text.partition("\n")[0]), parameters=tuple(_parameters(classes, name)))


def _parameters(classes: Mapping[str, ast.ClassDef], name: str) -> list[Parameter]:
    meanings = _meanings(ast.get_docstring(classes[name]) or "")
    found: list[Parameter] = []
    for node in classes[name].body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
            continue
        field, annotation = node.target.id, ast.unparse(node.annotation)
        if annotation in classes:
            found += [replace(inner, name=f"{field}.{inner.name}") for inner in _parameters(classes, annotation)]
        else:
            default, meaning = _typed(node.value), meanings.get(field, "")
            found.append(Parameter(name=field, annotation=annotation, default=default, meaning=meaning))
    return found


def _meanings(text: str) -> dict[str, str]:
    """Return the entries of the section "Attributes" of a description."""
    section = re.search(r"^Attributes:\n((?: .*\n?|\n)*)", text, flags=re.MULTILINE)
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section[1] if section else "", flags=re.MULTILINE)
    return {name: _plain(" ".join(meaning.split())) for name, meaning in entries}


def _plain(text: str) -> str:
    """Take away the marks of code, which a terminal does not show."""
    return re.sub(r"``?\"?(.*?)\"?``?", r"\1", text).replace("None", "none")


def _typed(node: ast.expr) -> str:
    """Return a default as one would type it."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node).replace(" ", "")
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return "none" if value is None else str(value)


def built(kind: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any dataclass
    """Return a dataclass with some of its parameters set, named as in `described`.

    Raises:
        InputError: If a value is out of range.
    """
    given = {name: value for name, value in values.items() if "." not in name}
    for field in fields(kind):
        inner = {
            name.removeprefix(f"{field.name}."): value
            for name, value in values.items()
            if name.startswith(f"{field.name}.")
        }
        if inner:
            default: Any = field.default
            given[field.name] = replace(default, **inner)
    return kind(**given)


def parsed(annotation: str, text: str) -> Any:  # noqa: ANN401
    """Return the value of a parameter.

    Args:
        annotation: Its type.
        text: As typed.

    Raises:
        ValueError: If it is of another kind; the message is what was expected.
    """
    kind, *alternatives = annotation.split(" | ")
    if "None" in alternatives and text.lower() == "none":
        return None
    expected = ", or ".join([_expected(kind), *(["none"] if alternatives else [])])
    try:
        return _tuple(kind, text) if kind.startswith("tuple[") else _SCALARS[kind][0](text)
    except (ValueError, KeyError, ZeroDivisionError):
        raise ValueError(expected) from None


def _kinds(kind: str) -> list[str]:
    return kind.removeprefix("tuple[").removesuffix("]").split(", ")


def _expected(kind: str) -> str:
    first, *others = _kinds(kind)
    if not others:
        return _SCALARS[kind][1]
    if others == ["..."]:
        return f"{_SCALARS[first][1]}, or several separated by commas"
    return f"{1 + len(others)} numbers separated by commas"


def _tuple(kind: str, text: str) -> tuple[Any, ...]:
    kinds, parts = _kinds(kind), text.split(",") if text else []
    if kinds[-1] == "...":
        kinds = kinds[:1] * len(parts)
    return tuple(_SCALARS[kind][0](part.strip()) for kind, part in zip(kinds, parts, strict=True))


def whole(text: str) -> int:
    """Read an integer, written as 10000, 10_000 or 1e4.

    Raises:
        ValueError: If it is none.
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
        ValueError: If it is neither.
    """
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def _truth(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]


_SCALARS: dict[str, tuple[Callable[[str], Any], str]] = {
    "int": (whole, "a whole number"),
    "float": (real, "a number"),
    "bool": (_truth, "true or false"),
    "str": (str, "words"),
}

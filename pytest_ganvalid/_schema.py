"""JSON that is not trusted: read strictly, and looked at field by field, so that an error names the place.

Standard library only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from pytest_ganvalid.errors import InputError

_SHOWN = 60  # characters of a value
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value, and where in the text it is.

    Attributes:
        value: What JSON has made of it.
        path: As one would write it: ``recipe.histograms[3].bins``.
    """

    value: Any
    path: str = ""

    def refuse(self, expected: str) -> NoReturn:
        """Say what was expected here.

        Raises:
            InputError: Always.
        """
        got = json.dumps(self.value)
        shown = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."
        msg = f"{self.path or 'the document'}: expected {expected}; got {shown}"
        raise InputError(msg)

    def fields(self, *names: str) -> dict[str, Node]:
        """Return the members of an object that has exactly these.

        Raises:
            InputError: If it is none, or has others.
        """
        members = self.members()
        missing, unknown = sorted(set(names) - set(members)), sorted(set(members) - set(names))
        if missing or unknown:
            msg = (
                f"{self.path or 'the document'}: the fields are not those expected: missing {missing}, unknown "
                f"{unknown}; was it written by another version of pytest-ganvalid?"
            )
            raise InputError(msg)
        return members

    def members(self) -> dict[str, Node]:
        """Return the members of an object with any names.

        Raises:
            InputError: If it is none.
        """
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return {name: Node(value, self._inner(name)) for name, value in self.value.items()}

    def items(self, length: int | None = None) -> list[Node]:
        """Return the items of an array.

        Raises:
            InputError: If it is none, or of another length than this one, if any is given.
        """
        if not isinstance(self.value, list) or (length is not None and len(self.value) != length):
            self.refuse("an array" if length is None else f"an array of {length}")
        return [Node(value, f"{self.path}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a string.

        Raises:
            InputError: If it is none, or holds what is no character.
        """
        if not isinstance(self.value, str) or any("\ud800" <= char <= "\udfff" for char in self.value):
            self.refuse("a string")
        return str(self.value)

    def choice(self, *choices: str) -> str:
        """Return one of some strings.

        Raises:
            InputError: If it is none of them.
        """
        if not isinstance(self.value, str) or self.value not in choices:
            self.refuse(f"one of {', '.join(map(repr, choices))}")
        return str(self.value)

    def truth(self) -> bool:
        """Return a boolean.

        Raises:
            InputError: If it is none.
        """
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return bool(self.value)

    def whole(self, least: int, most: int) -> int:
        """Return an integer between limits.

        Raises:
            InputError: If it is none.
        """
        if type(self.value) is not int or not least <= self.value <= most:
            self.refuse(f"an integer from {least} to {most}")
        return int(self.value)

    def real(self, least: float = -math.inf, most: float = math.inf) -> float:
        """Return a finite number between limits.

        Raises:
            InputError: If it is none.
        """
        number = _as_float(self.value)
        if number is None or not least <= number <= most:
            limits = {f"of at least {least:g}": math.isfinite(least), f"of at most {most:g}": math.isfinite(most)}
            said = " and ".join(limit for limit, there in limits.items() if there)
            self.refuse(f"a finite number {said}".strip())
        return number

    def reals(self, length: int | None = None) -> list[float]:
        """Return an array of finite numbers.

        Raises:
            InputError: If it is none; the message names the item.
        """
        if isinstance(self.value, list) and len(self.value) == length and set(map(type, self.value)) <= {float}:
            return list(self.value)  # the usual case, without a node for each
        return [item.real() for item in self.items(length)]

    def absent(self) -> bool:
        """Tell whether it is null."""
        return self.value is None

    def _inner(self, name: str) -> str:
        if _WORD.fullmatch(name):
            return f"{self.path}.{name}" if self.path else name
        return f"{self.path}[{json.dumps(name)}]"


def parsed(text: str | bytes) -> Node:
    """Read a JSON text, without what JSON does not have and what would be lost: NaN, too large numbers, double names.

    Raises:
        InputError: If it is no such text; the message names the place.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        msg = f"not a JSON text: {error}; was it cut short?"
        raise InputError(msg) from error
    except InputError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"not a JSON text: {error}"
        raise InputError(msg) from error
    return Node(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"not a JSON text to rely on: an object has two members named {twice!r}"
        raise InputError(msg)
    return found


def _refuse_constant(word: str) -> NoReturn:
    msg = f"not a JSON text: it holds {word}, which is no number"
    raise InputError(msg)


def _float(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        msg = f"not a JSON text to rely on: the number {word[:_SHOWN]} is too large for a float"
        raise InputError(msg)
    return number


def _as_float(value: object) -> float | None:
    """Return a number as a float, if it is one and finite."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def nested(node: Node, shape: tuple[int, ...]) -> Iterator[Node]:
    """Yield the leaves of arrays in arrays of a shape.

    Raises:
        InputError: If they are of another shape.
    """
    if not shape:
        yield node
        return
    for item in node.items(shape[0]):
        yield from nested(item, shape[1:])

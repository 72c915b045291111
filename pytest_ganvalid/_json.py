"""Results, histograms and generators as JSON and back, exactly.

`dumps` writes frozen dataclasses of builtins, and `loads` reads them by their type hints. What is no dataclass is read
member by member from a `Node`, which knows its place in the text; every error names it. Standard library only.

JSON has no infinity: an infinite float is written as ``null`` beside a flag ``"<field>_infinite": true``
(all quantities of this package that can be infinite are positive).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from pytest_ganvalid.errors import GanvalidError, InputError

T = TypeVar("T")
_FLAG = "_infinite"
_MAX_LENGTH = 60  # characters of a value
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


# Writing.


def dumps(kind: str, version: int, value: object, indent: int | None = None) -> str:
    """Write ``value`` as a JSON text that says what it is."""
    return json.dumps({"kind": kind, "version": version, **encode(value)}, indent=indent, allow_nan=False)


def encode(value: object) -> Any:  # noqa: ANN401 - JSON is untyped
    """Turn a value made of dataclasses, mappings, tuples and scalars into JSON types.

    A dataclass with a ``KIND`` says so: it may be one of several in its place.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": value.KIND} if hasattr(value, "KIND") else {}
        return kind | _encode_items({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return _encode_items(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
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


def plain(value: object) -> Any:  # noqa: ANN401
    """Turn a value into JSON types that read back equal; other values become their description."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return str(value)


# Reading by type hints.


@dataclass(frozen=True, slots=True)
class Range:
    """Limits of a number that is read, both included: ``Annotated[float, Range(0, 1)]``."""

    minimum: float = -math.inf
    maximum: float = math.inf


def loads(cls: type[T], kind: str, version: int, text: str | bytes) -> T:
    """Read what `dumps` wrote of an object of the dataclass ``cls``.

    Raises:
        InputError: If the text is not JSON, of another kind or version, or not of such an object.
    """
    return decode_fields(cls, untagged(parsed(text), kind, version))


def untagged(node: Node, kind: str, version: int) -> Node:
    """Return an object without its members ``kind`` and ``version``.

    Raises:
        InputError: If the value is no object, or of another kind or version.
    """
    value = node.value if isinstance(node.value, dict) else {}
    got = value.get("kind"), value.get("version")
    if got != (kind, version) or type(got[1]) is not int:
        place = f"{node.path}: " if node.path else ""
        msg = f"{place}expected JSON of kind {kind!r}, version {version}; got kind {got[0]!r}, version {got[1]!r}"
        raise InputError(msg)
    return _without(node, "kind", "version")


def _without(node: Node, *names: str) -> Node:
    return Node({name: item for name, item in node.value.items() if name not in names}, node.path)


def decode(hint: Any, node: Node) -> Any:  # noqa: ANN401 - as typed as its hint
    """Read a value of a type.

    Args:
        hint: int, float, str, bool, None, Any, Literal, StrEnum, a dataclass; tuples, mappings and unions of these; a
            class that reads itself, by a class method ``from_node``. Of the dataclasses in a union, the member
            ``kind`` names one. A number may be annotated with its `Range`.
        node: The value.

    Raises:
        InputError: If the value is of another type; the message names the place.
    """
    if hint in _PLAIN:
        return _PLAIN[hint](node)
    if get_origin(hint) is not None:
        return _GENERIC[get_origin(hint)](get_args(hint), node)
    if issubclass(hint, StrEnum):
        return hint(node.choice(*hint))
    if hasattr(hint, "KIND"):
        return _decode_one_of((hint,), node)
    return hint.from_node(node) if hasattr(hint, "from_node") else decode_fields(hint, node)


def _decode_exactly(kind: type, expected: str, node: Node) -> Any:  # noqa: ANN401
    if type(node.value) is not kind:
        node.refuse(expected)
    return node.value


def _decode_number(arguments: tuple[Any, ...], node: Node) -> float:
    kind, limits = arguments
    return node.number(kind, limits.minimum, limits.maximum)


def _decode_mapping(hints: tuple[Any, ...], node: Node) -> dict[str, Any]:
    return {name: decode(hints[1], member) for name, member in node.members().items()}


def _decode_union(hints: tuple[Any, ...], node: Node) -> Any:  # noqa: ANN401
    if types.NoneType in hints and node.value is None:
        return None
    others = [hint for hint in hints if hint is not types.NoneType]
    return decode(others[0], node) if len(others) == 1 else _decode_one_of(others, node)


def _decode_one_of(classes: Iterable[Any], node: Node) -> Any:  # noqa: ANN401
    kinds = {cls.KIND: cls for cls in classes}
    kind = node.members().get("kind", Node(None, node.path_of("kind"))).choice(*kinds)
    return decode_fields(kinds[kind], _without(node, "kind"))


def _decode_tuple(hints: tuple[Any, ...], node: Node) -> tuple[Any, ...]:
    if hints[1:] != (...,):
        return tuple(decode(hint, item) for hint, item in zip(hints, node.items(len(hints)), strict=True))
    if hints[0] is float and isinstance(node.value, list) and set(map(type, node.value)) <= {float}:
        return tuple(node.value)  # the usual case, without a node for each
    return tuple(decode(hints[0], item) for item in node.items())


_PLAIN: dict[Any, Callable[[Node], Any]] = {
    Any: lambda node: node.value,
    int: lambda node: node.number(int),
    float: lambda node: node.number(float),
    str: lambda node: node.text(),
    bool: functools.partial(_decode_exactly, bool, "true or false"),
    types.NoneType: functools.partial(_decode_exactly, types.NoneType, "null"),
}
_GENERIC: dict[Any, Callable[[tuple[Any, ...], Node], Any]] = {
    Annotated: _decode_number,
    Union: _decode_union,
    types.UnionType: _decode_union,
    tuple: _decode_tuple,
    Sequence: lambda hints, node: _decode_tuple((*hints, ...), node),
    dict: _decode_mapping,
    Mapping: _decode_mapping,
    Literal: lambda choices, node: node.choice(*choices),
}


def decode_fields(cls: type[T], node: Node) -> T:
    """Read the fields of a dataclass; those that have a default, or follow from others, may be missing.

    Raises:
        InputError: If a field is missing or unknown, has an impossible value, or does not follow from the others.
    """
    dataclass_: Any = cls
    hints = _hints(dataclass_)
    members = _with_infinities(node.members(), hints)
    fields = dataclasses.fields(dataclass_)
    derived = {f.name for f in fields if not f.init}
    optional = derived | {f.name for f in fields if not (f.default is MISSING and f.default_factory is MISSING)}
    node.check_names(members, required=set(hints) - optional, optional=optional)
    values = {name: decode(hints[name], member) for name, member in members.items()}
    instance = node.made(cls, **{name: value for name, value in values.items() if name not in derived})
    for name in derived.intersection(values):
        if values[name] != getattr(instance, name):
            members[name].refuse(f"{getattr(instance, name)!r}, which follows from the other fields")
    return instance


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the types of the fields of a dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _with_infinities(members: dict[str, Node], hints: Mapping[str, Any]) -> dict[str, Node]:
    """Return the members with infinity in place of null, where a flag says so."""
    for name in hints:
        flag = members.pop(name + _FLAG, None) if name + _FLAG not in hints else None
        if flag is None:
            continue
        if flag.value is not True or name not in members or members[name].value is not None:
            flag.refuse(f"nothing, or true beside {name!r} that is null")
        members[name] = Node(math.inf, members[name].path)
    return members


# Reading member by member.


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value, and where in the text it is.

    Attributes:
        value: The value, in JSON types.
        path: Its path in the text, such as ``recipe.histograms[3].bins``.
    """

    value: Any
    path: str = ""

    def refuse(self, expected: str) -> NoReturn:
        """Raise an error that says what was expected.

        Raises:
            InputError: Always.
        """
        got = json.dumps(self.value)
        text = got if len(got) <= _MAX_LENGTH else f"{got[:_MAX_LENGTH]}..."
        msg = f"{self.path or 'the document'}: expected {expected}; got {text}"
        raise InputError(msg)

    def fields(self, *names: str) -> dict[str, Node]:
        """Return the members of an object that has exactly these.

        Raises:
            InputError: If the value is no object, or has other members.
        """
        members = self.members()
        self.check_names(members, required=names)
        return members

    def check_names(self, names: Iterable[str], required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Refuse names of members other than these.

        Raises:
            InputError: If a name is missing or unknown.
        """
        missing, unknown = sorted({*required} - {*names}), sorted({*names} - {*required, *optional})
        if missing or unknown:
            msg = (
                f"{self.path or 'the document'}: the fields are not those expected: missing {missing}, unknown "
                f"{unknown}; was it written by another version of pytest-ganvalid?"
            )
            raise InputError(msg)

    def members(self) -> dict[str, Node]:
        """Return the members of an object with any names.

        Raises:
            InputError: If the value is no object.
        """
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return {name: Node(value, self.path_of(name)) for name, value in self.value.items()}

    def items(self, length: int | None = None) -> list[Node]:
        """Return the items of an array.

        Raises:
            InputError: If the value is no array, or not of the given length.
        """
        if not isinstance(self.value, list) or (length is not None and len(self.value) != length):
            self.refuse("an array" if length is None else f"an array of {length}")
        return [Node(value, f"{self.path}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a string.

        Raises:
            InputError: If the value is no string, or holds a lone surrogate.
        """
        text = self.value
        if not isinstance(text, str) or (
            not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)  # what is long is ASCII
        ):
            self.refuse("a string")
        return str(text)

    def choice(self, *choices: str) -> str:
        """Return one of some strings.

        Raises:
            InputError: If the value is none of the choices.
        """
        if not isinstance(self.value, str) or self.value not in choices:
            self.refuse(f"one of {', '.join(repr(str(choice)) for choice in choices)}")
        return str(self.value)

    def whole(self, minimum: float = -math.inf, maximum: float = math.inf) -> int:
        """Return an integer between limits.

        Raises:
            InputError: If the value is no such integer.
        """
        if type(self.value) is not int or not minimum <= self.value <= maximum:
            bounded = math.isfinite(minimum) and math.isfinite(maximum)
            self.refuse(
                f"an integer from {minimum} to {maximum}" if bounded else f"an integer{_limits(minimum, maximum)}"
            )
        return int(self.value)

    def real(self, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """Return a finite number between limits.

        Raises:
            InputError: If the value is no such number.
        """
        number = _as_float(self.value)
        if number is None or not minimum <= number <= maximum:
            self.refuse(f"a finite number{_limits(minimum, maximum)}")
        return number

    def number(self, kind: type, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """Return a number as it was written: an integer stays one, and infinity is one where a float may be.

        Raises:
            InputError: If the value is no number of this kind in these limits.
        """
        if kind is int:
            return self.whole(minimum, maximum)
        if self.value != math.inf or maximum < math.inf:
            self.real(minimum, maximum)
        number: float = self.value
        return number

    def reals(self, length: int | None = None) -> list[float]:
        """Return an array of finite numbers.

        Raises:
            InputError: If the value is no such array; the message names the item.
        """
        if isinstance(self.value, list) and len(self.value) == length and set(map(type, self.value)) <= {float}:
            return list(self.value)  # the usual case, without a node for each
        return [item.real() for item in self.items(length)]

    def made(self, cls: Callable[..., T], **values: Any) -> T:  # noqa: ANN401
        """Return an instance of a class, made of values that were read here.

        Raises:
            InputError: If the class refuses the values.
        """
        try:
            return cls(**values)
        except GanvalidError as error:
            msg = f"{self.path}: {error}" if self.path else str(error)
            raise InputError(msg) from error

    def absent(self) -> bool:
        """Tell whether the value is null."""
        return self.value is None

    def path_of(self, name: str) -> str:
        """Return the path of a member."""
        if _WORD.fullmatch(name):
            return f"{self.path}.{name}" if self.path else name
        return f"{self.path}[{json.dumps(name)}]"


def parsed(text: str | bytes) -> Node:
    """Read a JSON text; NaN, numbers too large for a float and duplicate names are refused.

    Raises:
        InputError: If the text is no such JSON; the message names the place.
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
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        msg = f"not a JSON text to rely on: an object has two members named {duplicate!r}"
        raise InputError(msg)
    return members


def _refuse_constant(word: str) -> NoReturn:
    msg = f"not a JSON text: it holds {word}, which is no number"
    raise InputError(msg)


def _float(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        msg = f"not a JSON text to rely on: the number {word[:_MAX_LENGTH]} is too large for a float"
        raise InputError(msg)
    return number


def _limits(minimum: float, maximum: float) -> str:
    limits = {f"of at least {minimum:g}": math.isfinite(minimum), f"of at most {maximum:g}": math.isfinite(maximum)}
    return " and".join(f" {limit}" for limit, exists in limits.items() if exists)


def _as_float(value: object) -> float | None:
    """Return a value as a float if it is a finite number."""
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
        InputError: If the arrays are of another shape.
    """
    if not shape:
        yield node
        return
    for item in node.items(shape[0]):
        yield from nested(item, shape[1:])

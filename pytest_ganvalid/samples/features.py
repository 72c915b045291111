"""Arrays with more than one axis: one rule for all that events come in.

What lies at one place of the last axis is one quantity, and need not be distributed like what lies at another: the
values of an array ``p`` of shape (events, features) are therefore the columns ``p.0``, ``p.1``, ... They are entries of
events, all compared alike, only where their number differs from event to event, or where the user says that they are:
``Entries.of(p)``, or ``"entries(p)"`` for the name of an observable. Of more axes it cannot be known which is which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pytest_ganvalid.errors import InputError

MAX_COLUMNS = 100
"""Columns of one array that are compared unasked, at most."""
_ONE, _TWO = 1, 2  # axes
_NESTED = "is nested more deeply than (events, features)"
_FEATURE = re.compile(r"(?:(.*)\.)?(?:0|[1-9]\d*)", re.DOTALL)
_SEPARATOR = re.compile(r"[:,]")
_WORD, _OPERATOR = re.compile(r"[^\W\d]\w*"), re.compile(r"[(*/+-]")


def feature_names(name: str, shape: Sequence[int]) -> tuple[str, ...]:
    """Name the columns of an array.

    Args:
        name: Of the array; empty if it has none.
        shape: Events first, of one or two axes.

    Returns:
        The name itself for one value per event, and a name for each place of the second axis otherwise.
    """
    if len(shape) == _ONE or (name and shape[1] == 1):
        return (name,)
    return tuple(f"{name}.{i}" if name else str(i) for i in range(shape[1]))


def nesting_reason(shape: object) -> str:
    """Say why an array of more axes is no column, and what to do, as the end of a sentence.

    Args:
        shape: Its shape, or the type of a column.
    """
    return (
        f"{_NESTED} (it is of {shape}), and which of its values are alike cannot be known: flatten it to columns, an "
        "array of shape (events, features); or give each feature as an array of its own, (events, entries), and say "
        "that its entries are alike: Entries.of(array) in memory, the observable 'entries(name)' of a file"
    )


def is_nested(reason: str) -> bool:
    """Tell whether nesting is the reason why a column cannot be read."""
    return reason.startswith(_NESTED)


def features_of(name: str, columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that are features of an array, in order; none if there is no such array."""
    names = set(columns)
    number = 0
    while f"{name}.{number}" in names:
        number += 1
    return tuple(f"{name}.{i}" for i in range(number))


def hint(name: str, columns: Collection[str]) -> str:
    """Say what was meant by the name of an array, of several columns or of a function, as the end of a message."""
    if features := features_of(name, columns):
        return (
            f"; {name!r} is an array of {len(features)} columns: name any of {features[0]!r} to {features[-1]!r}, or "
            f"'entries({name})' to compare all of its values alike"
        )
    parts = tuple(part.strip() for part in _SEPARATOR.split(name))
    if len(parts) > 1 and all(part in columns for part in parts):
        return f"; for the joint distribution write {parts!r}"
    if _OPERATOR.search(name) and any(word in columns for word in _WORD.findall(name)):
        return f"; a function of the events is stated in Python, as a pair: ({name!r}, function)"
    return ""


def refuse_wide(names: Iterable[str]) -> None:
    """Refuse to compare, unasked, each of the very many columns of an array.

    Raises:
        InputError: If an array has more than `MAX_COLUMNS`.
    """
    arrays = Counter(match[1] or "" for name in names if (match := _FEATURE.fullmatch(name)))
    for array, number in arrays.items():
        if number > MAX_COLUMNS:
            dot = f"{array}." if array else ""
            alike = f", all of its values alike, 'entries({array})', or their sum, 'sum({array})'" if array else ""
            msg = (
                f"the array {array or 'without a name'!r} has {number:,} columns, and more than {MAX_COLUMNS} are not "
                f"compared one by one unasked: state observables=, such as ['{dot}0', '{dot}1']{alike}"
            )
            raise InputError(msg)

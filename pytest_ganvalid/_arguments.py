"""Validation of numbers given by users; standard library only."""

from __future__ import annotations

import functools
import math
import numbers
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ParamSpec, TypeVar

from pytest_ganvalid.errors import InputError, InputTypeError, expected_one_of

_TABLE = 2  # axes
P = ParamSpec("P")
T = TypeVar("T")

GONE = {
    "min_power": "upper limits are now by CLs, which a lucky fluctuation of too few events cannot pass: leave it out"
}
"""Removed keywords -> their replacement."""
_MAX_EVENTS = 1e18
_LARGEST = 1e6


def is_bare(value: object) -> bool:
    """Tell whether a value is numbers without a name, which may be events as well as contents of bins.

    These are arrays of any library and (nested) collections of numbers; not tables, histograms or names.
    """
    if isinstance(value, str | bytes | Mapping | numbers.Number) or hasattr(value, "variances"):
        return False
    if hasattr(value, "__array__"):
        names = getattr(getattr(value, "dtype", None), "names", None) or getattr(value, "fields", None)
        return not names and not hasattr(value, "columns") and not hasattr(value, "column_names")
    if not isinstance(value, Sequence | AbstractSet | array | memoryview):
        return False
    first = next(iter(value), 0.0)
    return first is None or isinstance(first, numbers.Number) or (first is not value and is_bare(first))


def unnamed(value: Any) -> str:  # noqa: ANN401 - whatever `is_bare`
    """Return the remedy for numbers without a name, by the meaning that their shape suggests.

    Args:
        value: An array or a collection of numbers; see `is_bare`.
    """
    shape = getattr(value, "shape", ())
    lengths = [len(part) for part in value] if isinstance(value, tuple) and all(map(is_bare, value)) else []
    if len(lengths) == _TABLE and lengths[1] == lengths[0] + 1:
        return "numpy.histogram's (counts, edges)? then compare gv.Counts(counts, edges=edges)"
    table = len(shape) == _TABLE
    columns = "columns: dict(zip(['mass', 'pt', ...], values.T))" if table else "column: {'x': values}"
    contents = "contents of bins? then compare gv.Counts(values)"
    if isinstance(value, tuple):
        contents += "; sums of weights and of their squares? then gv.Counts(values, variances)"
    return f"{f'shape {shape}: ' if table else ''}are these events? then name the {columns}; {contents}"


def check_number(name: str, value: object) -> float:
    """Return ``value`` as a builtin number.

    Raises:
        InputTypeError: If the value is not a real number (booleans are not).
        InputError: If the value is NaN.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        msg = f"{name}={value!r} is a {type(value).__name__}; expected a number"
        raise InputTypeError(msg)
    try:
        number = float(value)
    except OverflowError:
        msg = f"{name} is an integer of {len(str(value))} digits; expected a number that fits into a float"
        raise InputError(msg) from None
    if math.isnan(number):
        msg = f"{name} is NaN; expected a number"
        raise InputError(msg)
    return int(value) if isinstance(value, numbers.Integral) else number


def check_finite(name: str, value: object) -> float:
    """Return ``value`` if it is a finite number."""
    number = float(check_number(name, value))
    if math.isinf(number):
        msg = f"{name}={number} is infinite; expected a finite number"
        raise InputError(msg)
    return number


def check_event_count(name: str, value: object) -> float:
    """Return ``value`` if it is a number of events: 1 to 10¹⁸, not necessarily an integer."""
    number = check_number(name, value)
    if not 1 <= number <= _MAX_EVENTS:
        msg = f"{name}={value!r} is out of range; expected a finite number of events, 1 or more (and at most 1e18)"
        raise InputError(msg)
    return number


def check_positive(name: str, value: object, *, infinite: bool = False) -> float:
    """Return ``value`` if it is a positive number from 10⁻⁶ to 10⁶, or infinite where that is allowed."""
    number = check_number(name, value)
    if not (1 / _LARGEST <= number <= _LARGEST or (infinite and number == math.inf)):
        expected = f"a positive finite number (1e-6 to 1e6){' or inf' if infinite else ''}"
        msg = f"{name}={value!r} is out of range; expected {expected}"
        raise InputError(msg)
    return number


def check_not_negative(name: str, value: object) -> float:
    """Return ``value`` if it is a finite number and not negative."""
    number = check_number(name, value)
    if number < 0 or math.isinf(number):
        msg = f"{name}={value!r} is out of range; expected a finite number, 0 or more"
        raise InputError(msg)
    return number


def check_fraction(name: str, value: object, *, above: float = 0.0) -> float:
    """Return ``value`` if it lies between ``above`` and 1, both excluded."""
    number = check_number(name, value)
    if not above < number < 1:
        msg = f"{name}={value!r} is out of range; expected a number above {above:g} and below 1"
        raise InputError(msg)
    return number


def check_integer(name: str, value: object, *, minimum: int = 1) -> int:
    """Return ``value`` if it is an integer of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        msg = f"{name}={value!r} is a {type(value).__name__}; expected an integer"
        raise InputTypeError(msg)
    if value < minimum:
        msg = f"{name}={value!r} is too small; expected at least {minimum}"
        raise InputError(msg)
    return int(value)


def check_choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of some words."""
    if not isinstance(value, str) or value not in choices:
        msg = f"{name}={value!r} is unknown{expected_one_of(value, choices)}"
        raise InputError(msg)
    return value


def check_positive_number(name: str, value: object) -> float:
    """Return ``value`` if it is a positive finite number."""
    number = check_number(name, value)
    if not 0 < number < math.inf:
        msg = f"{name}={value!r} is out of range; expected a positive finite number"
        raise InputError(msg)
    return number


def refuse_gone(names: Iterable[str]) -> None:
    """Refuse keywords that were removed.

    Raises:
        InputTypeError: If a keyword was removed; the message names its replacement.
    """
    for name in names:
        if name in GONE:
            msg = f"{name} is gone: {GONE[name]}"
            raise InputTypeError(msg)


def without_gone(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function refuse keywords that were removed, naming their replacement."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        refuse_gone(kwargs)
        return function(*args, **kwargs)

    return wrapped

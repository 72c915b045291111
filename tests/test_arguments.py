"""Numbers from users: both ends of every range, and what is no number."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid import _arguments as arguments
from pytest_ganvalid.errors import InputError, InputTypeError

BELOW_ONE = math.nextafter(1.0, 0.0)
ABOVE_ZERO = 5e-324


def infinite(name: str, value: object) -> float:
    """`check_positive` where infinity is allowed."""
    return arguments.check_positive(name, value, infinite=True)


def share(name: str, value: object) -> float:
    """`check_fraction` above a quarter."""
    return arguments.check_fraction(name, value, above=0.25)


RANGES: list[tuple[Callable[[str, object], float], list[float], list[float]]] = [
    (arguments.check_event_count, [1, 1.5, 1e18], [0, BELOW_ONE, math.nextafter(1e18, math.inf), math.inf, -5]),
    (
        arguments.check_positive,
        [1e-6, 1, 1e6],
        [0, -1, math.nextafter(1e-6, 0), math.nextafter(1e6, math.inf), math.inf],
    ),
    (infinite, [1e-6, 1e6, math.inf], [0, math.nextafter(1e6, math.inf), -math.inf]),
    (arguments.check_not_negative, [0, ABOVE_ZERO, 1e308], [-ABOVE_ZERO, math.inf, -math.inf]),
    (arguments.check_fraction, [ABOVE_ZERO, 0.5, BELOW_ONE], [0, 1, -0.5, 2]),
    (share, [math.nextafter(0.25, 1), BELOW_ONE], [0.25, 1]),
    (arguments.check_positive_number, [ABOVE_ZERO, 1e308], [0, -ABOVE_ZERO, math.inf]),
    (arguments.check_number, [-math.inf, 0, math.inf], []),
]
INSIDE = [(check, value) for check, values, _ in RANGES for value in values]
OUTSIDE = [(check, value) for check, _, values in RANGES for value in values]
CHECKS = [check for check, _, _ in RANGES]


@pytest.mark.parametrize(("check", "value"), INSIDE)
def test_the_ends_of_a_range_are_in_it(check: Callable[[str, object], float], value: float) -> None:
    """A number in the range comes back, an integer as an integer."""
    assert check("n", value) == value
    assert type(check("n", value)) is type(value)


@pytest.mark.parametrize(("check", "value"), OUTSIDE)
def test_beyond_the_ends_is_refused(check: Callable[[str, object], float], value: float) -> None:
    """A number beyond the range is refused, with its name, itself and what was expected."""
    with pytest.raises(InputError, match=rf"^n={value!r} is out of range; expected a ".replace("+", r"\+")):
        check("n", value)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", ["1", True, None, 1j, [1.0]])
def test_what_is_no_number_is_refused(check: Callable[[str, object], float], value: Any) -> None:
    """Text, flags and complex numbers are of the wrong kind."""
    with pytest.raises(InputTypeError, match=f"is a {type(value).__name__}; expected a number"):
        check("n", value)


@pytest.mark.parametrize("check", CHECKS)
def test_nan_is_refused(check: Callable[[str, object], float]) -> None:
    """No comparison is true of NaN, so it is refused before any."""
    with pytest.raises(InputError, match="n is NaN; expected a number"):
        check("n", math.nan)


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.float32(2.5), 2.5), (np.int8(3), 3), (Fraction(1, 4), 0.25), (np.float64(2), 2.0), (7, 7)],
)
def test_numbers_of_any_kind_become_builtin(value: Any, plain: float) -> None:
    """Numpy's numbers and fractions become builtin ones."""
    assert arguments.check_number("n", value) == plain
    assert type(arguments.check_number("n", value)) is type(plain)


def test_an_integer_beyond_floats_is_refused() -> None:
    """A huge integer is told by its number of digits, not printed."""
    with pytest.raises(InputError, match=r"^n is an integer of 401 digits; expected a number that fits into a float$"):
        arguments.check_number("n", 10**400)


@pytest.mark.parametrize("value", [1, 5, np.int16(5), 10**30])
def test_integers(value: Any) -> None:
    """An integer of at least the minimum comes back as a builtin one."""
    assert arguments.check_integer("n", value) == value
    assert type(arguments.check_integer("n", value)) is int


@pytest.mark.parametrize(("value", "minimum"), [(0, 1), (-1, 0), (4, 5)])
def test_integers_below_the_minimum(value: int, minimum: int) -> None:
    """An integer below the minimum is refused; the minimum itself is not."""
    with pytest.raises(InputError, match=f"n={value} is too small; expected at least {minimum}"):
        arguments.check_integer("n", value, minimum=minimum)
    assert arguments.check_integer("n", minimum, minimum=minimum) == minimum


@pytest.mark.parametrize("value", ["medain", "Median", None, 3, ["mode"], math.nan])
def test_choices(value: Any) -> None:
    """A word that is none of some others is refused with all of them, and with the one that was meant."""
    words = {"median": 1, "mode": 2}
    assert arguments.check_choice("kind", "mode", words) == "mode"
    with pytest.raises(InputError, match=r"^kind=.* is unknown.*; expected one of median, mode$") as caught:
        arguments.check_choice("kind", value, words)
    assert ("did you mean 'median'?" in str(caught.value)) == (value in ("medain", "Median"))


@pytest.mark.parametrize("value", [1.0, True, "3", np.float64(2)])
def test_what_is_no_integer(value: Any) -> None:
    """A float is no integer, even a whole one, and neither is a flag."""
    with pytest.raises(InputTypeError, match=f"is a {type(value).__name__}; expected an integer"):
        arguments.check_integer("n", value)


def test_finite_numbers() -> None:
    """A number must be finite, of whatever type it is, and is a float then."""
    assert arguments.check_finite("x", np.int32(3)) == 3.0
    assert type(arguments.check_finite("x", 3)) is float
    for value in (math.inf, -math.inf):
        with pytest.raises(InputError, match=r"^x=-?inf is infinite; expected a finite number$"):
            arguments.check_finite("x", value)


def test_the_remedy_for_numbers_without_a_name_is_that_of_their_shape() -> None:
    """A table is given its shape and names for its columns, counts with edges the edges, anything else one name."""
    table = arguments.unnamed(np.ones((10, 2)))
    assert table.startswith("shape (10, 2): are these events? then name the columns: dict(zip(['mass', 'pt', ...], ")
    assert arguments.unnamed(np.histogram([1.0, 2.0])).endswith("then compare gv.Counts(counts, edges=edges)")
    for values in (np.ones(3), [1, 2], ([1, 2], [3, 4])):
        assert "name the column: {'x': values}; contents of bins?" in arguments.unnamed(values)

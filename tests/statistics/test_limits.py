"""The limits of a check: every end of every range."""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.statistics.limits import LIMITS, Limits

BELOW_ONE = math.nextafter(1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", math.nextafter(0.5, 1.0)),
        ("confidence", BELOW_ONE),
        ("max_bias", 1e-6),
        ("max_bias", 1e6),
        ("max_local_bias", 1e-6),
        ("max_local_bias", 1e6),
        ("max_local_bias", math.inf),
        ("min_expected", 0),
        ("min_expected", 1e300),
        ("min_power", 0),
        ("min_power", BELOW_ONE),
    ],
)
def test_the_ends_of_each_range_are_in_it(name: str, value: float) -> None:
    """The least and the largest value that is allowed is taken as it is."""
    assert getattr(Limits(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", 0.5),
        ("confidence", 1.0),
        ("max_bias", math.nextafter(1e-6, 0.0)),
        ("max_bias", math.nextafter(1e6, math.inf)),
        ("max_bias", math.inf),
        ("max_local_bias", 0.0),
        ("max_local_bias", math.nextafter(1e6, math.inf)),
        ("max_local_bias", -math.inf),
        ("min_expected", -5e-324),
        ("min_expected", math.inf),
        ("min_power", -5e-324),
        ("min_power", 1.0),
    ],
)
def test_what_is_just_beyond_is_refused(name: str, value: float) -> None:
    """A value just beyond the end of its range is refused by name."""
    with pytest.raises(InputError, match=f"{name}={value!r} "):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["confidence", "max_bias", "max_local_bias", "min_expected", "min_power"])
@pytest.mark.parametrize("value", [True, "1", None])
def test_what_is_no_number_is_refused(name: str, value: Any) -> None:
    """Every limit is a number, and a flag is none."""
    with pytest.raises(InputTypeError, match=f"{name}={value!r} is a {type(value).__name__}; expected a number"):
        Limits(**{name: value})


def test_limits_hold_plain_floats() -> None:
    """Whatever kind of number was given, a float is held, of the same value."""
    limits = Limits(confidence=np.float32(0.75), max_bias=np.int64(2), max_local_bias=3, min_power=0, min_expected=5)  # type: ignore[arg-type]
    values = [limits.confidence, limits.max_bias, limits.max_local_bias, limits.min_power, limits.min_expected]
    assert [type(value) for value in values] == [float] * 5
    assert values == [0.75, 2.0, 3.0, 0.0, 5.0]


def test_defaults_are_those_documented() -> None:
    """95 % confidence, one error bar, five in a bin, a power of 20 %, ten events in a bin."""
    assert Limits() == Limits(confidence=0.95, max_bias=1, max_local_bias=5, min_power=0.2, min_expected=10)
    assert Limits().alpha == pytest.approx(0.05, abs=1e-15)
    assert Limits(confidence=0.75).alpha == 0.25


@pytest.mark.parametrize("function", [gv.compare, gv.validate, gv.compare_estimates])
def test_every_function_has_the_same_defaults(function: Any) -> None:
    """The defaults of the public functions, and of the options, are those of the limits."""
    parameters = inspect.signature(function).parameters
    shared = [limit for limit in dataclasses.fields(Limits) if limit.name in parameters]
    assert {limit.name for limit in shared} >= {"confidence", "max_bias", "min_power"}
    assert all(parameters[limit.name].default == limit.default for limit in shared)
    assert all(f"(default: {limit.default:g})" in LIMITS[limit.name] for limit in shared)

"""The limits of a check: every end of every range."""

from __future__ import annotations

import dataclasses
import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.statistics.limits import LIMITS, Limits, level

BELOW_ONE = math.nextafter(1.0, 0.0)
NUMBERS = ("confidence", "max_bias", "max_local_bias", "max_directional_bias", "min_expected")


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
        ("max_directional_bias", 1e-6),
        ("max_directional_bias", 1e6),
        ("attempt", 1),
        ("attempt", 1_000_000),
        ("looks", 1),
        ("looks", 20),
    ],
)
def test_the_ends_of_each_range_are_in_it(name: str, value: Any) -> None:
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
        ("max_directional_bias", 0.0),
        ("max_directional_bias", math.inf),
        ("attempt", 0),
        ("attempt", 1_000_001),
        ("looks", 0),
        ("looks", 21),
    ],
)
def test_what_is_just_beyond_is_refused(name: str, value: Any) -> None:
    """A value just beyond the end of its range is refused by name."""
    with pytest.raises(InputError, match=f"{name}={value!r} "):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["confidence", "max_bias", "max_local_bias", "min_expected"])
@pytest.mark.parametrize("value", [True, "1", None])
def test_what_is_no_number_is_refused(name: str, value: Any) -> None:
    """Every limit is a number, and a flag is none."""
    with pytest.raises(InputTypeError, match=f"{name}={value!r} is a {type(value).__name__}; expected a number"):
        Limits(**{name: value})


def test_limits_hold_plain_floats() -> None:
    """Whatever kind of number was given, a float is held, of the same value."""
    limits = Limits(
        confidence=np.float32(0.75),  # type: ignore[arg-type]
        max_bias=np.int64(2),  # type: ignore[arg-type]
        max_local_bias=3,
        max_directional_bias=4,
        min_expected=5,
    )
    values = [getattr(limits, name) for name in NUMBERS]
    assert [type(value) for value in values] == [float] * 5
    assert values == [0.75, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("value", [1, "no", None])
def test_smooth_is_a_flag(value: Any) -> None:
    """Neither a number nor a word says whether smooth components are tested."""
    with pytest.raises(InputTypeError, match=f"smooth={value!r}; expected True or False"):
        Limits(smooth=value)


def test_defaults_are_those_documented() -> None:
    """95 % confidence, one error bar, five in a bin, ten events in a bin, smooth components, one attempt and look."""
    defaults = Limits(confidence=0.95, max_bias=1, max_local_bias=5, max_directional_bias=None, min_expected=10)
    assert Limits() == replace(defaults, smooth=True, attempt=1, looks=1)
    assert Limits().alpha == pytest.approx(0.05, abs=1e-15)
    assert Limits(confidence=0.75).alpha == 0.25


@pytest.mark.parametrize("function", [gv.compare, gv.validate, gv.compare_estimates])
def test_every_function_has_the_same_defaults(function: Any) -> None:
    """The defaults of the public functions, and of the options, are those of the limits."""
    parameters = inspect.signature(function).parameters
    shared = [limit for limit in dataclasses.fields(Limits) if limit.name in parameters]
    assert {limit.name for limit in shared} >= {"confidence", "max_bias"}
    assert all(parameters[limit.name].default == limit.default for limit in shared)
    defaults = {limit.name: limit.default for limit in shared}
    for name, default in defaults.items():
        word = f"{default:g}" if isinstance(default, float) else str(default).lower()
        assert f"(default: {word})" in LIMITS[name]


@pytest.mark.parametrize("function", [gv.compare, gv.validate, gv.compare_estimates])
def test_what_is_gone_says_what_replaced_it(function: Any) -> None:
    """min_power is refused with the reason why it is not needed any more."""
    with pytest.raises(InputTypeError, match="min_power is gone: upper limits are now by CLs"):
        function(None, None, n_required=1, min_power=0.2)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_attempts_and_looks_are_counted(value: Any) -> None:
    """An attempt and the looks are integers, and no other number will do."""
    for name in ("attempt", "looks"):
        with pytest.raises(InputTypeError, match=f"{name}={value!r} is a {type(value).__name__}; expected an integer"):
            Limits(**{name: value})


@pytest.mark.parametrize(("attempt", "parts"), [(1, 1), (2, 6), (3, 12), (10, 110)])
def test_each_attempt_has_a_level_of_its_own(attempt: int, parts: int) -> None:
    """Attempt j is made at 1/(j(j + 1)) of the level, from the second on, at one look or several."""
    for looks in (1, 3):
        first, this = (Limits(confidence=0.9, looks=looks, attempt=j) for j in (1, attempt))
        assert this.alpha == pytest.approx(first.alpha / parts, rel=1e-12)
        assert this.alpha == level(0.9, attempt, looks)
        assert this.alpha_nominal == pytest.approx(0.1)


def test_all_attempts_together_spend_one_and_a_half_times_the_level() -> None:
    """However many attempts are made, their levels add up to at most 1.5 of the first, and come close to it."""
    total = sum(level(0.95, attempt) for attempt in range(1, 10_000))
    assert 0.0749 < total < 0.075


def test_looks_share_the_level() -> None:
    """Three looks are at the level of Pocock, and one at the level itself."""
    assert Limits(looks=3).alpha == pytest.approx(0.02317501, abs=1e-8)
    assert Limits(looks=1).alpha == Limits().alpha_nominal

"""Roots are those of scipy, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from pytest_ganvalid.statistics.roots import brentq

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "cubic": lambda x: x**3 - 2,
    "steep": lambda x: math.expm1(8 * x - 3),
    "bent": lambda x: math.atan(x - 0.3) + 0.2 * abs(x - 0.3),
    "step": lambda x: 1.0 if x > 0.7 else -1e-3,
    "tiny": lambda x: 1e-160 * (x - 0.1) * (1 + x * x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(
    near=st.floats(-5, 0),
    far=st.floats(1.5, 9),
    flipped=st.booleans(),
    xtol=st.sampled_from([2e-12, 1e-300, 1e-3]),
    rtol=st.sampled_from([8.9e-16, 1e-9]),
)
def test_the_root_is_that_of_scipy(
    name: str, near: float, far: float, *, flipped: bool, xtol: float, rtol: float
) -> None:
    """Root and every point on the way are those of scipy's function, bit by bit."""
    ways: list[list[float]] = [[], []]

    def seen(way: list[float]) -> Callable[[float], float]:
        return lambda x: [way.append(x), FUNCTIONS[name](x)][1]  # type: ignore[func-returns-value, return-value]

    ends = (far, near) if flipped else (near, far)
    expected = optimize.brentq(seen(ways[0]), *ends, xtol=xtol, rtol=rtol)
    assert brentq(seen(ways[1]), *ends, xtol=xtol, rtol=rtol) == expected
    assert ways[0] == ways[1]


@pytest.mark.parametrize(("near", "far", "root"), [(0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)])
def test_an_end_may_be_the_root(near: float, far: float, root: float) -> None:
    """Where the function vanishes at an end, that is the root."""
    assert brentq(lambda x: x, near, far) == root


def test_one_sign_is_refused() -> None:
    """Without a change of sign there is no root to bracket."""
    with pytest.raises(ValueError, match="expected opposite signs"):
        brentq(lambda x: x * x + 1, -1, 2)


def test_what_is_undefined_is_refused() -> None:
    """NaN is no value of a function."""
    with pytest.raises(ValueError, match=r"undefined at 0\.5"):
        brentq(lambda x: math.nan if x == 0.5 else x - 0.25, 0, 0.5)


def test_a_root_that_is_not_reached_is_refused() -> None:
    """A hundred steps must be enough."""
    with pytest.raises(RuntimeError, match="no root within"):
        brentq(lambda x: math.copysign(1.0, x - 1e-200), -1e200, 3e200, xtol=1e-300)

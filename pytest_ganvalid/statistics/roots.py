"""The root of a function of one number between two points of opposite sign.

This is Brent's method, step by step as `scipy.optimize.brentq` takes it, whose import alone would make the first
verdict of a process come a third later: it brings linear algebra, Fourier transforms and spatial trees with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_RTOL = 4 * 2.0**-52
_MAX_STEPS = 100  # steps


def brentq(
    function: Callable[[float], float],
    near: float,
    far: float,
    *,
    xtol: float = 2e-12,
    rtol: float = _RTOL,
) -> float:
    """Return the root that Brent's method finds (R. P. Brent, Algorithms for Minimization Without Derivatives, 1973).

    Args:
        function: Continuous.
        near: An end of an interval that brackets the root.
        far: Its other end.
        xtol: Greatest absolute error of the root, positive.
        rtol: Greatest relative error that is added to that.

    Raises:
        ValueError: If the function has one sign at both ends, or is undefined somewhere.
        RuntimeError: If a hundred steps do not get as close to the root.
    """
    previous, x = float(near), float(far)
    f_previous, f = _value(function, previous), _value(function, x)
    if f_previous == 0:
        return previous
    if f == 0:
        return x
    if (f_previous < 0) == (f < 0):
        msg = f"the function is {f_previous} at {previous} and {f} at {x}; expected opposite signs"
        raise ValueError(msg)
    opposite = f_opposite = previous_step = step = 0.0
    for _ in range(_MAX_STEPS):
        if f_previous != 0 and f != 0 and (f_previous < 0) != (f < 0):
            opposite, f_opposite = previous, f_previous
            previous_step = step = x - previous
        if abs(f_opposite) < abs(f):
            previous, x, opposite = x, opposite, x
            f_previous, f, f_opposite = f, f_opposite, f
        tolerance = (xtol + rtol * abs(x)) / 2
        half = (opposite - x) / 2
        if f == 0 or abs(half) < tolerance:
            return x
        previous_step, step = _step(
            previous, x, opposite, (f_previous, f, f_opposite), (previous_step, step), tolerance
        )
        previous, f_previous = x, f
        x += step if abs(step) > tolerance else math.copysign(tolerance, half)
        f = _value(function, x)
    msg = f"no root within {xtol:g} after {_MAX_STEPS} steps; the last is {x}"
    raise RuntimeError(msg)


def _step(
    previous: float,
    x: float,
    opposite: float,
    values: tuple[float, float, float],
    steps: tuple[float, float],
    tolerance: float,
) -> tuple[float, float]:
    """Return previous and next step of the next iteration: interpolated, or half of the interval."""
    f_previous, f, f_opposite = values
    half = (opposite - x) / 2
    if abs(steps[0]) > tolerance and abs(f) < abs(f_previous):
        if previous == opposite:
            numerator, denominator = -f * (x - previous), f - f_previous
        else:
            slope_previous = (f_previous - f) / (previous - x)
            slope_opposite = (f_opposite - f) / (opposite - x)
            numerator = -f * (f_opposite * slope_opposite - f_previous * slope_previous)
            denominator = slope_opposite * slope_previous * (f_opposite - f_previous)
        step = numerator / denominator if denominator else math.inf
        if 2 * abs(step) < min(abs(steps[0]), 3 * abs(half) - tolerance):
            return steps[1], step
    return half, half


def _value(function: Callable[[float], float], x: float) -> float:
    value = float(function(x))
    if math.isnan(value):
        msg = f"the function is undefined at {x}"
        raise ValueError(msg)
    return value

"""The root of a function of one number between two points of opposite sign.

This is Brent's method, step by step as `scipy.optimize.brentq` takes it, whose import alone would make the first
verdict of a process come a third later: it brings linear algebra, Fourier transforms and spatial trees with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_RTOL = 4 * 2.0**-52
_MOST = 100  # steps


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
        RuntimeError: If a hundred steps do not get as close.
    """
    before, x = float(near), float(far)
    f_before, f = _value(function, before), _value(function, x)
    if f_before == 0:
        return before
    if f == 0:
        return x
    if (f_before < 0) == (f < 0):
        msg = f"the function is {f_before} at {before} and {f} at {x}; expected opposite signs"
        raise ValueError(msg)
    across = f_across = step_before = step = 0.0
    for _ in range(_MOST):
        if f_before != 0 and f != 0 and (f_before < 0) != (f < 0):
            across, f_across = before, f_before
            step_before = step = x - before
        if abs(f_across) < abs(f):
            before, x, across = x, across, x
            f_before, f, f_across = f, f_across, f
        least = (xtol + rtol * abs(x)) / 2
        half = (across - x) / 2
        if f == 0 or abs(half) < least:
            return x
        step_before, step = _step(before, x, across, (f_before, f, f_across), (step_before, step), least)
        before, f_before = x, f
        x += step if abs(step) > least else math.copysign(least, half)
        f = _value(function, x)
    msg = f"no root within {xtol:g} after {_MOST} steps; the last is {x}"
    raise RuntimeError(msg)


def _step(
    before: float,
    x: float,
    across: float,
    values: tuple[float, float, float],
    steps: tuple[float, float],
    least: float,
) -> tuple[float, float]:
    """Return what the next step is compared with and that step: interpolated, or half of the interval."""
    f_before, f, f_across = values
    half = (across - x) / 2
    if abs(steps[0]) > least and abs(f) < abs(f_before):
        if before == across:
            above, below = -f * (x - before), f - f_before
        else:
            slope_before = (f_before - f) / (before - x)
            slope_across = (f_across - f) / (across - x)
            above = -f * (f_across * slope_across - f_before * slope_before)
            below = slope_across * slope_before * (f_across - f_before)
        step = above / below if below else math.inf
        if 2 * abs(step) < min(abs(steps[0]), 3 * abs(half) - least):
            return steps[1], step
    return half, half


def _value(function: Callable[[float], float], x: float) -> float:
    value = float(function(x))
    if math.isnan(value):
        msg = f"the function is undefined at {x}"
        raise ValueError(msg)
    return value

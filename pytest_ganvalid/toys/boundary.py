"""Generators that are wrong by exactly a stated amount.

What to use when:

- `boundary_shape`: bin probabilities q whose triangular discrimination from p is exactly Δ, for one of `SHAPES`.
  With n_required Δ = E the test on all bins sits on the boundary between ROBUST and BIASED; a smooth bias is then
  beyond that of the smooth components.
- `local_shape`: bin probabilities q with exactly the stated local bias in chosen bins.
- `falling_spectrum`: a reference p, flat or falling.

Draw toys with ``rng.multinomial(n, q)``: the truth is what was asked for, to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import check_integer, check_not_negative, check_positive
from pytest_ganvalid.errors import InputError, suggestion

FloatArray = NDArray[np.float64]


def falling_spectrum(bins: int, drop: float = 30.0) -> FloatArray:
    """Return the probabilities of an exponentially falling spectrum in equal bins.

    Args:
        bins: Number of bins, at least 2.
        drop: First bin over last bin; 1 gives a flat spectrum.

    Raises:
        InputError: If an argument is out of range.
    """
    check_integer("bins", bins, minimum=2)
    check_positive("drop", drop)
    p = np.exp(np.linspace(0.0, -math.log(drop), bins))
    return np.asarray(p / p.sum())


def triangular_discrimination(q: ArrayLike, p: ArrayLike) -> float:
    """Return the true Δ = Σ (q - p)² / (q + p) of bin probabilities; q + p > 0 in every bin."""
    first, second = np.asarray(q, dtype=float), np.asarray(p, dtype=float)
    return float(np.sum((first - second) ** 2 / (first + second)))


def boundary_shape(shape: str, p: ArrayLike, delta: float) -> FloatArray:
    """Return bin probabilities q of the given shape of bias with Δ(q, p) = ``delta``.

    q = p (1 + a m), where the pattern m of the shape averages to zero under p and the amplitude a is solved for.
    Δ grows monotonically with a, up to where the first bin of q is empty.

    Args:
        shape: One of `SHAPES`.
        p: Reference probabilities, shape (bins,), all positive; normalised here.
        delta: The triangular discrimination wanted, 0 or more.

    Returns:
        Normalised probabilities, shape (bins,), all positive.

    Raises:
        InputError: If the shape is unknown, p is no spectrum, or the shape cannot be that different from p.
    """
    if shape not in _PATTERNS:
        msg = f"shape={shape!r} is unknown{suggestion(shape, SHAPES)}; expected one of {SHAPES}"
        raise InputError(msg)
    check_not_negative("delta", delta)
    reference = _probabilities(p)
    pattern = _PATTERNS[shape](reference.size)
    pattern = pattern - pattern @ reference
    largest = 1 / -float(pattern.min())

    def excess(amplitude: float) -> float:
        return triangular_discrimination(reference * (1 + amplitude * pattern), reference) - delta

    if excess(largest) <= 0:
        reach = excess(largest) + delta
        msg = f"delta={delta:g} is out of reach of a {shape!r} bias in {reference.size} bins; expected below {reach:g}"
        raise InputError(msg)
    amplitude = scipy.optimize.brentq(excess, 0.0, largest, xtol=1e-16 * largest, rtol=1e-15, maxiter=200)
    q = reference * (1 + amplitude * pattern)
    return np.asarray(q / q.sum())


def local_shape(p: ArrayLike, biases: ArrayLike, n_required: float) -> FloatArray:
    """Return bin probabilities q with stated local biases b = (q - p) sqrt(2 n_required / (q + p)).

    Args:
        p: Reference probabilities, shape (bins,), all positive; normalised here.
        biases: Bias of each bin in error bars of n_required events, shape (bins,). Bins with NaN share what is left
            in proportion to p; at least one must be NaN.
        n_required: Number of events whose error bars are the unit.

    Returns:
        Normalised probabilities, shape (bins,), all positive.

    Raises:
        InputError: If p is no spectrum, no bin is left to balance the others, or the biases leave a bin without events.
    """
    reference, b = _probabilities(p), np.asarray(biases, dtype=float)
    check_positive("n_required", n_required)
    free = np.isnan(b)
    if b.shape != reference.shape or not free.any():
        msg = f"biases has shape {b.shape} and {int(free.sum())} NaN; expected {reference.shape} and at least 1"
        raise InputError(msg)
    # (q - p)² = s (q + p) with s = b²/(2 n_required), solved for q on the side of the sign of b.
    s = b**2 / (2 * n_required)
    q = reference + s / 2 + np.sign(b) * np.sqrt(s**2 + 8 * s * reference) / 2
    q[free] = reference[free] * (1 - q[~free].sum()) / reference[free].sum()
    if q.min() <= 0:
        msg = f"these biases leave bin {int(q.argmin())} with probability {q.min():g}; lower them or raise n_required"
        raise InputError(msg)
    return np.asarray(q)


def _probabilities(p: ArrayLike) -> FloatArray:
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or values.size < 2 or not np.all(np.isfinite(values) & (values > 0)):  # noqa: PLR2004
        msg = f"p={values!r} is no spectrum; expected at least 2 positive numbers in one dimension"
        raise InputError(msg)
    return np.asarray(values / values.sum())


def _fifth(bins: int) -> int:
    return math.ceil(bins / 5)


def _alternating(bins: int) -> FloatArray:
    """Up and down in turn, in every bin."""
    return np.where(np.arange(bins) % 2 == 0, 1.0, -1.0)


def _one_bin(bins: int) -> FloatArray:
    """Too many events in the middle bin."""
    return np.where(np.arange(bins) == bins // 2, 1.0, 0.0)


def _hole(bins: int) -> FloatArray:
    """Too few events in the middle fifth."""
    start = (bins - _fifth(bins)) // 2
    inside = np.arange(bins) - start
    return np.where((inside >= 0) & (inside < _fifth(bins)), -1.0, 0.0)


def _smooth(bins: int) -> FloatArray:
    """One period of a sine."""
    return np.sin(2 * np.pi * (np.arange(bins) + 0.5) / bins)


def _tail_up(bins: int) -> FloatArray:
    """Ever more events too many in the upper fifth."""
    return np.maximum(np.arange(bins) - (bins - 1 - _fifth(bins)), 0) / _fifth(bins)


def _tail_down(bins: int) -> FloatArray:
    """Ever more events too few in the upper fifth."""
    return -_tail_up(bins)


_PATTERNS: dict[str, Callable[[int], FloatArray]] = {
    "spread": _alternating,
    "one_bin": _one_bin,
    "hole": _hole,
    "smooth": _smooth,
    "tail_up": _tail_up,
    "tail_down": _tail_down,
}
SHAPES = tuple(_PATTERNS)
"""How a bias can be distributed over the bins."""

"""How finely the values of a column are resolved, and so how rarely two independent ones agree.

Some columns say nothing of what happened in an event: labels of files or of the use that is made of them, and numbers
given to events in order or at random. The same event may be found under others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.overlaps.digests import Column, Numbers, is_numeric, is_plain, rounded
from pytest_ganvalid.samples.entries import Entries

_ULPS = 16  # floats may be lattices a little coarser than their width
_UNEVEN_STEPS = 4.0  # frequency of agreement on an uneven lattice over that on an even one
_MIN_DISTINCT = 16  # distinct values that a column needs to have a resolution
_DIGITS, _SINGLE_DIGITS = 6, 4  # maximum numbers of significant digits of a short number
_MIN_NUMBERED = 100  # events over which hardly any quantity rises from each to the next, or never repeats
_UNEVEN = 2.0  # Kolmogorov-Smirnov distance times √n, which evenly spread numbers exceed in 1 of 1500 cases


def numeric_columns(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the columns of numbers, sorted, but for those that number the events in order."""
    return tuple(sorted(n for n, values in columns.items() if is_numeric(values) and not numbers_in_order(values)))


def numbers_in_order(values: object) -> bool:
    """Tell whether a column holds integers that only ever rise, as event numbers do."""
    if not is_plain(values) or not isinstance(values, np.ndarray) or values.size < _MIN_NUMBERED:
        return False
    head = values[:_MIN_NUMBERED].astype(np.float64)
    if values.dtype.kind == "b" or not (np.all(head[1:] > head[:-1]) and np.array_equal(head, np.floor(head))):
        return False
    return bool(np.all(np.greater(values[1:], values[:-1])))


def numbers_at_random(values: Column) -> bool:
    """Tell whether a column holds integers all of which differ and that are evenly spread, as numbers at random are.

    A count that is as large and as fine has a peak or a tail.
    """
    if isinstance(values, Entries) or len(values) < _MIN_NUMBERED or values.dtype.kind == "b":
        return False
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        return False
    ordered = np.sort(values.astype(np.float64)) / 2  # so that differences are finite
    if not (np.isfinite(ordered).all() and (ordered[1:] > ordered[:-1]).all()):
        return False
    fractions = (ordered - ordered[0]) / (ordered[-1] - ordered[0])
    return bool(np.abs(fractions - np.linspace(0, 1, fractions.size)).max() * math.sqrt(fractions.size) < _UNEVEN)


def collision(column: Numbers, bits: int) -> float:
    """Estimate the probability that two independent values of a column agree, with some to spare.

    That is the mean over the values of the density there times the spacing of the values, of floats or of a lattice;
    or, for values that do repeat, the share of the pairs that agree.

    Args:
        column: The values, without common ones.
        bits: Precision in which they are compared.
    """
    values, counts = np.unique(rounded(column[np.isfinite(column)], bits), return_counts=True)
    reach = max(8, math.isqrt(values.size))
    if values.size < max(_MIN_DISTINCT, reach + 1):
        return 1.0
    # A sample that was stored in a narrower float has no more values than that.
    bits = next(b for b in (11, 24, 53) if b == bits or np.array_equal(rounded(values, b), values))
    ulps = np.maximum(2.0 ** (np.frexp(np.abs(values))[1] - bits), np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):
        density = reach / (values.size * (values[reach:] - values[:-reach]))
    spacing = np.maximum(_UNEVEN_STEPS * _lattice(values, ulps), _ULPS * ulps[reach:])
    repeats = (counts // counts.min()).astype(float)  # all rows may have been repeated, to give them weight
    share = _UNEVEN_STEPS * float(np.sum(repeats * (repeats - 1)) / (repeats.sum() * (repeats.sum() - 1)))
    return float(min(1.0, max(np.mean(spacing * density), share)))


def freedom(first: Numbers, second: Numbers) -> float:
    """Tell how far a column is free, given another: from 0 for a function of it to 1 for an independent one.

    Where the first hardly changes, a function of it hardly changes either: it is judged by the closest tenth of the
    neighbours in the first column, on a logarithmic scale of their distance in ranks of the second, so that a
    function of several branches is recognised too. Rows with a common value in either column do not count.
    """
    usable = ~(_is_common(first) | _is_common(second))
    first, second = first[usable], second[usable]
    if first.size < 4 * _MIN_DISTINCT:
        return 0.0
    ranks = np.searchsorted(np.sort(second), second)[np.argsort(first, kind="stable")]
    distance = float(np.quantile(np.abs(np.diff(ranks)), 0.1))
    return float(np.clip(math.log1p(distance) / math.log1p(0.05 * first.size), 0, 1))


def _is_common(column: Numbers) -> NDArray[np.bool_]:
    """Tell which values make up more than a hundredth of a column, or are undefined, as where nothing was measured."""
    ordered = np.sort(column)
    counts = np.searchsorted(ordered, column, side="right") - np.searchsorted(ordered, column)
    return np.asarray((counts > column.size // 100 + 1) | np.isnan(column))


def is_short(values: Numbers) -> NDArray[np.bool_]:
    """Tell which numbers have few digits, as special values have: 0, -999, 1e6; those that are not finite, too.

    Args:
        values: Any shape. Those that single precision holds have at most seven digits, and are short with four.
    """
    special = ~np.isfinite(values) | (values == 0)
    sizes = np.where(special, 1.0, np.abs(values))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        single = sizes.astype(np.float32)
        is_single = single.astype(np.float64) == sizes
        scale = 10.0 ** (np.where(is_single, _SINGLE_DIGITS, _DIGITS) - 1 - np.floor(np.log10(sizes)))
        nearest = np.rint(sizes * scale) / scale
        short = np.where(is_single, nearest.astype(np.float32) == single, np.abs(nearest - sizes) <= np.spacing(sizes))
    return np.asarray(special | short)


def _lattice(values: Numbers, ulps: Numbers) -> float:
    """Return the spacing of the lattice that values lie on, 0 if there is none: Euclid's algorithm on their gaps.

    Args:
        values: Distinct and ascending, of shape (values,).
        ulps: The errors of rounding, of the same shape.
    """
    with np.errstate(over="ignore"):
        gaps = np.diff(values)
    smallest = np.argsort(gaps, kind="stable")[:64]
    smallest = smallest[np.isfinite(gaps[smallest])]
    step, error = 0.0, 0.0
    for gap, ulp in zip(gaps[smallest].tolist(), ulps[1:][smallest].tolist(), strict=True):
        step, error = _common_step((gap, ulp), (step, error)) if step else (gap, ulp)
        if not error * (gap / step) < step / 8:  # as any gap would be a multiple of it
            return 0.0
    return step


def _common_step(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Return the greatest number of which two, known with errors, are multiples, and its error."""
    while b[0] > 3 * b[1]:
        a, b = b, (abs(math.remainder(a[0], b[0])), a[1] + a[0] / b[0] * b[1])
    return a

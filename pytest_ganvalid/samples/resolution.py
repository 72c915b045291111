"""How finely the values of a column are resolved, and so how rarely two independent ones agree.

Some columns say nothing of what happened in an event: labels of files or of the use that is made of them, and numbers
given to events at random. The same event may be found under others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.digests import WIDTHS, Digests, Numbers, places_of, rounded, words
from pytest_ganvalid.samples.entries import Entries

Column = NDArray[np.generic] | Entries

_ULPS = 16  # floats may be lattices a little coarser than their width
_LEAST = 16  # distinct values that a column needs to have a resolution
_DIGITS = {16: 16, 32: 4, 64: 6}  # significant digits of a short number
_LABELS, _GROUPS = 20, 500  # most distinct values of a label, and of groups of events, such as files
_PER_GROUP = 10  # events, on average, that have the same label, at least
_HEAD = 1000  # first events, which say of most columns what they are not
_NUMBERED = 100  # events, at least, among which numbers that repeat would show
_UNEVEN = 2.0  # Kolmogorov-Smirnov distance times √n, beyond which even numbers are in 1 of 1500


def is_label(values: Column) -> bool:
    """Tell whether a column has so few different values that it tells no event from the others."""
    return _groups(values, _LABELS, WIDTHS[-1]) is not None


def is_constant(values: Column) -> bool:
    """Tell whether all events have the same value; of a few events, that says nothing."""
    return _groups(values, 1, WIDTHS[-1]) is not None


def is_integral(values: Column) -> bool:
    """Tell whether a column holds one integer per event."""
    if isinstance(values, Entries):
        return False
    return all(np.array_equal(part, np.floor(part)) for part in (values[:_HEAD], values) if values.dtype.kind == "f")


def is_number_of_event(values: Column) -> bool:
    """Tell whether a column holds integers all of which differ and that are evenly spread, as numbers at random are.

    A count that is as large and as fine has a peak or a tail.
    """
    if isinstance(values, Entries) or len(values) < _NUMBERED or values.dtype.kind == "b":
        return False
    head = values[:_HEAD]
    if np.unique(head).size < head.size or not is_integral(values):
        return False
    ordered = np.sort(values.astype(np.float64)) / 2  # so that differences are finite
    if not (np.isfinite(ordered).all() and (ordered[1:] > ordered[:-1]).all()):
        return False
    places = (ordered - ordered[0]) / (ordered[-1] - ordered[0])
    return bool(np.abs(places - np.linspace(0, 1, places.size)).max() * math.sqrt(places.size) < _UNEVEN)


def disjoint_by_construction(a: Column, b: Column, bits: int) -> bool:
    """Tell whether a column of two samples has no value in common although it groups many events of one of them."""
    if np.isin(words(a[:_HEAD], bits), words(b[:_HEAD], bits)).any():
        return False
    for grouped, other in ((a, b), (b, a)):
        groups = _groups(grouped, _GROUPS, bits)
        if groups is not None:
            return not np.isin(words(other, bits), groups).any()
    return False


def _groups(values: Column, most: int, bits: int) -> Digests | None:
    """Return the distinct values of a column, or ``None`` if there are too many of them."""
    most = min(most, len(values) // _PER_GROUP)
    found = np.unique(words(values[:_HEAD], bits))
    for start in range(_HEAD, len(values), 32 * _HEAD):
        if found.size > most:
            break
        found = np.union1d(found, words(values[start : start + 32 * _HEAD], bits))
    return found if found.size <= most else None


def collision(column: Numbers, bits: int) -> float:
    """Estimate the probability that two independent values of a column agree, special values apart.

    That is the mean over the values of the density there times the spacing of the values, be it that of floats or
    of a lattice; or, for values that do repeat, what their repetitions say.
    """
    values, counts = np.unique(column[np.isfinite(column)], return_counts=True)
    reach = max(8, math.isqrt(values.size))
    if values.size < max(_LEAST, reach + 1):
        return 1.0
    least = counts.min()  # above 1 if all rows were repeated, to give them weight
    once, twice = np.count_nonzero(counts == least), np.count_nonzero(counts == 2 * least)
    bits = next(b for b in (16, 32, 64) if b == bits or np.array_equal(rounded(values, b), values))
    ulps = np.spacing(np.abs(values).astype(f"f{bits // 8}")).astype(float)
    with np.errstate(over="ignore"):
        density = reach / (values.size * (values[reach:] - values[:-reach]))
    spacing = np.maximum(_lattice(values, ulps), _ULPS * ulps[reach:])
    return float(min(1.0, max(np.mean(spacing * density), 2 * least * twice / (column.size * once))))


def freedom(first: Numbers, second: Numbers) -> float:
    """Tell how far a column is free, given another: from 0 for a function of it to 1 for an independent one.

    Where the first hardly changes, a function of it hardly changes either: it is judged by the closest tenth of the
    neighbours in the first column, on a logarithmic scale of their distance in ranks of the second, so that a
    function of several branches is recognised too. Rows with a common value in either column do not count.
    """
    either = ~(is_common(first) | is_common(second))
    first, second = first[either], second[either]
    if first.size < 4 * _LEAST:
        return 0.0
    ranks = np.searchsorted(np.sort(second), second)[np.argsort(first, kind="stable")]
    distance = float(np.quantile(np.abs(np.diff(ranks)), 0.1))
    return float(np.clip(math.log1p(distance) / math.log1p(0.05 * first.size), 0, 1))


def is_common(column: Numbers) -> NDArray[np.bool_]:
    """Tell which values make up more than a hundredth of a column, or are undefined, as where nothing was measured."""
    ordered = np.sort(column)
    counts = np.searchsorted(ordered, column, side="right") - np.searchsorted(ordered, column)
    return np.asarray((counts > column.size // 100 + 1) | np.isnan(column))


def is_short(value: float, bits: int) -> bool:
    """Tell whether a number has few digits, as special values have: 0, -999, 1e6."""
    if not math.isfinite(value):
        return True
    short = np.array([float(f"{value:.{_DIGITS[bits] - 1}e}")])
    return bool(rounded(short, bits)[0] == value)


def occurs(column: Numbers, wanted: Numbers, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which numbers occur in a column exactly so many times, and are not at one of its ends."""
    values = np.unique(wanted)
    found = column[places_of(column.view(np.uint64), values.view(np.uint64))]
    counts = np.bincount(np.searchsorted(values, found), minlength=values.size)
    inside = (wanted > np.fmin.reduce(column)) & (wanted < np.fmax.reduce(column))
    return np.asarray(inside & (counts[np.searchsorted(values, wanted)] == times))


def _lattice(values: Numbers, ulps: Numbers) -> float:
    """Return the spacing of the lattice that values lie on, 0 if none is found: Euclid's algorithm on their gaps.

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
        if not error < step / 8:
            return 0.0
    return step


def _common_step(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Return the greatest number of which two, known with errors, are multiples, and its error."""
    while b[0] > 3 * b[1]:
        a, b = b, (abs(math.remainder(a[0], b[0])), a[1] + a[0] / b[0] * b[1])
    return a

"""Rows of numbers to 64-bit digests, which are equal if, and but for one pair in 10¹⁹ only if, the rows are.

The digest of a row is a function of its values alone: neither of the other rows, nor of the order or the number
types of the columns. The values, as float64 with one zero and one NaN, are mixed in one after the other with the
finaliser of splitmix64 (Steele, Lea & Flood, OOPSLA 2014). It is a bijection, so that rows of one column never
collide. Of several entries per event, the sum of the digests of each with its place is mixed in, and their number.
Digests are stored in fingerprints: the function must not change without a new version of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample

LARGEST = 2**64 - 1
WIDTHS = (16, 32, 64)
Digests = NDArray[np.uint64]
Numbers = NDArray[np.float64]
_CHUNK = 1 << 15  # rows at a time: what is worked on stays in the processor's cache
_LEAST_NUMBERED = 100  # events, over which hardly any quantity rises from each to the next
_SEED = np.uint64(0x67616E76616C6964)
_STEP, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The distinct digests of a sample, or those of them up to a limit.

    As digests are spread evenly whatever the values are, those up to a limit are a fair sample of the distinct rows,
    and how often each occurs is known exactly.

    Attributes:
        values: The digests, ascending.
        counts: How many rows have each.
        rows: Number of rows of the whole sample.
        limit: Digests above it are left out.
    """

    values: Digests
    counts: NDArray[np.int64]
    rows: int
    limit: int = LARGEST

    def up_to(self, limit: int) -> Distinct:
        """Leave out the digests above a limit."""
        if limit >= self.limit:
            return self
        kept = int(np.searchsorted(self.values, np.uint64(limit), side="right"))
        return Distinct(self.values[:kept], self.counts[:kept], self.rows, limit)

    def occurring(self, times: int) -> int:
        """Count the distinct rows that occur exactly so many times."""
        return int(np.count_nonzero(self.counts == times))

    @property
    def repeats(self) -> int:
        """Number of rows that repeat another one."""
        return int(self.counts.sum()) - self.values.size


def is_plain(values: object) -> bool:
    """Tell whether a column is a one-dimensional array of real numbers."""
    return isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "biuf"


def is_numeric(values: object) -> bool:
    """Tell whether a column holds real numbers, one or several per event."""
    return is_plain(values.values if isinstance(values, Entries) else values)


def numeric_columns(sample: Sample) -> tuple[str, ...]:
    """Return the names of the columns that make up a row, sorted.

    A column that numbers the events, of integers that only ever rise, is left out: it says nothing of an event.
    """
    numeric = (name for name, values in sample.columns.items() if is_numeric(values) and not numbers_events(values))
    return tuple(sorted(numeric))


def numbers_events(values: Any) -> bool:  # noqa: ANN401 - a column of any kind
    """Tell whether a column holds integers that only ever rise, as event numbers do."""
    if not is_plain(values) or values.size < _LEAST_NUMBERED or values.dtype.kind == "b":
        return False
    numbers = values[:_LEAST_NUMBERED].astype(np.float64)
    if not (np.all(numbers[1:] > numbers[:-1]) and np.array_equal(numbers, np.floor(numbers))):
        return False
    return bool(np.all(np.greater(values[1:], values[:-1])))


def numbers_events_of(generated: Sample, reference: Sample, name: str) -> bool:
    """Tell whether a column numbers the events of both samples."""
    return numbers_events(generated.columns[name]) and numbers_events(reference.columns[name])


def width(sample: Sample, name: str) -> int:
    """Return the bits that hold a value of a column: 16, 32 or 64; integers and booleans are exact, which is 64."""
    dtype = sample.columns[name].dtype
    return min(8 * dtype.itemsize, 64) if dtype.kind == "f" else 64


def rounded(values: NDArray[np.generic], bits: int) -> Numbers:
    """Return values as float64, rounded to a narrower float; -0 becomes 0 and every NaN the same one."""
    numbers = values.astype(np.float64)
    if bits < WIDTHS[-1]:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = numbers.astype(f"f{bits // 8}").astype(np.float64)
    numbers += 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers


def leading(values: NDArray[np.generic] | Entries, bits: int) -> Numbers:
    """Return one number per event, `rounded`: of several entries the first, NaN if there is none."""
    if not isinstance(values, Entries):
        return rounded(values, bits)
    numbers = np.full(len(values), np.nan)
    some = values.counts > 0
    numbers[some] = rounded(values.values[(np.cumsum(values.counts) - values.counts)[some]], bits)
    return numbers


def words(values: NDArray[np.generic] | Entries, bits: int) -> Digests:
    """Return 64 bits per event, which are equal if, and hardly ever unless, the values are, once `rounded`."""
    if not isinstance(values, Entries):
        return rounded(values, bits).view(np.uint64)
    stops = np.cumsum(values.counts)
    result = np.empty(len(values), np.uint64)
    for start in range(0, len(values), _CHUNK):
        counts = values.counts[start : start + _CHUNK]
        first = stops[start] - values.counts[start]
        result[start : start + _CHUNK] = _entry_words(values.values[first : first + counts.sum()], counts, bits)
    return result


def _entry_words(values: NDArray[np.generic], counts: NDArray[np.intp], bits: int) -> Digests:
    """Digest the entries of events: sums, which are modulo 2⁶⁴, of the digests of each entry with its place."""
    digests = rounded(values, bits).view(np.uint64)
    mix(digests)
    stops = np.cumsum(counts)
    digests += (np.arange(values.size) - np.repeat(stops - counts, counts)).astype(np.uint64)
    mix(digests)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(digests, dtype=np.uint64)))
    return np.asarray(sums[stops] - sums[stops - counts] + counts.astype(np.uint64) * _STEP)


def row_digests(
    sample: Sample, columns: Sequence[str] | None = None, widths: Mapping[str, int] | None = None
) -> Digests:
    """Hash every row to 64 bits.

    Args:
        sample: The events; their weights are not part of the rows.
        columns: Which columns make up a row, in any order; all numeric ones if ``None``.
        widths: Column -> 16, 32 or 64, the bits of the float that its values are rounded to first: where one of two
            samples was stored in single precision, both must be rounded to it. No rounding if missing.

    Returns:
        Digests of shape (events,).

    Raises:
        InputError: If a column is missing or does not hold real numbers, or there is none.
    """
    names = numeric_columns(sample) if columns is None else tuple(sorted(set(columns)))
    for name in names:
        if not is_numeric(sample[name]):
            msg = f"the column {name!r} cannot be part of a row; expected real numbers: leave it out"
            raise InputError(msg)
    if not names:
        msg = f"no column holds real numbers; there are {sorted(sample.columns)}"
        raise InputError(msg)
    bits = {name: (widths or {}).get(name, WIDTHS[-1]) for name in names}
    digests = np.full(len(sample), _SEED)
    several = {name: words(sample[name], bits[name]) for name in names if isinstance(sample[name], Entries)}
    for start in range(0, len(sample), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        for name in names:
            digests[chunk] ^= several[name][chunk] if name in several else words(sample[name][chunk], bits[name])
            mix(digests[chunk])
    return digests


def mix(digests: Digests) -> None:
    """Apply the finaliser of splitmix64 in place; products are modulo 2⁶⁴."""
    digests += _STEP
    digests ^= digests >> np.uint64(30)
    digests *= _FIRST
    digests ^= digests >> np.uint64(27)
    digests *= _SECOND
    digests ^= digests >> np.uint64(31)


def distinct(digests: Digests, rows: int | None = None) -> Distinct:
    """Count how often each digest occurs.

    Args:
        digests: Digests of shape (events,), in any order.
        rows: Number of rows they stand for; as many as there are if ``None``.
    """
    ordered = np.sort(digests)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: ordered.size])
    counts = np.diff(starts, append=ordered.size).astype(np.int64)
    return Distinct(ordered[starts], counts, digests.size if rows is None else rows)


def shared(a: Distinct, b: Distinct) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the digests that two samples have in common: their positions in either, ascending."""
    both = np.sort(np.concatenate((a.values, b.values)))  # which takes less time than to look for each
    common = both[1:][both[1:] == both[:-1]]
    return np.searchsorted(a.values, common), np.searchsorted(b.values, common)


def places_of(words: Digests, wanted: Digests) -> NDArray[np.intp]:
    """Return the positions at which any of a few wanted words occur.

    Only words that share 16 bits of a hash with a wanted one are compared, which takes a tenth of the time.
    """
    table = np.zeros(1 << 16, bool)
    table[(wanted * _STEP) >> np.uint64(48)] = True
    likely = np.flatnonzero(table[(words * _STEP) >> np.uint64(48)])
    return likely[np.isin(words[likely], wanted)]


def first_rows(digests: Digests, wanted: Digests) -> NDArray[np.intp]:
    """Return for each wanted digest, all of which occur and differ, the position of the first row that has it."""
    rows = places_of(digests, wanted)
    found, first = np.unique(digests[rows], return_index=True)
    return rows[first][np.searchsorted(found, wanted)]

"""Rows of numbers to digests, which are equal if, and hardly ever unless, the rows are.

The digest of a row is a function of its values alone: neither of the other rows, nor of the order or the number types
of the columns. Values are compared in double, single and half precision, as files and programs round them; whatever is
equal in one is equal in the next. Several entries of an event are digested by a sum over each with its position.
Digests are stored in fingerprints: these functions must not change without a new version of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.compiled import kernels
from pytest_ganvalid.histograms.lookup import plain
from pytest_ganvalid.samples.entries import Entries

LARGEST = 2**64 - 1
HALF, SINGLE, DOUBLE = 11, 24, 53
PRECISIONS = (HALF, SINGLE, DOUBLE)
"""Significant bits of a number, the coarsest first."""
WORDS = {HALF: "half", SINGLE: "single", DOUBLE: "double"}
BLOCK = 1 << 15
"""Rows at a time, so that they stay in the processor's cache."""
SEED, FINER_SEED = np.uint32(0x67616E76), np.uint32(0x616C6964)
FIRST, SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
Digests = NDArray[np.uint64]
Words = NDArray[np.uint32]
Column = NDArray[Any] | Entries
Numbers = NDArray[np.float64]
_STEP, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_DROPPED = 13  # bits of the 23 of a float32 that half precision lacks
_HALF_STEP, _FULL_MASK = np.uint32(1 << (_DROPPED - 1)), np.uint32(0xFFFFFFFF)
_HALF_MASK = np.uint32(0xFFFFFFFF >> _DROPPED << _DROPPED)


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The distinct rows of a sample in some precision, or those of them that a sketch holds.

    Attributes:
        keys: Digest of each in the precision that rows are chosen by, ascending, of shape (rows,).
        values: Digest of each in the precision in which they are compared, as far as ``finer`` does not say it, of
            the same shape.
        counts: How many events are such a row.
        first: Position of each in the sketch.
        rows: Number of events of the whole sample.
        limit: Rows with a larger key are left out.
        finer: 32 bits of another digest in each finer precision, up to that in which they are compared.
    """

    keys: Digests
    values: Digests
    counts: NDArray[np.int64]
    first: NDArray[np.integer]
    rows: int
    limit: int
    finer: tuple[Words, ...] = ()

    def up_to(self, limit: int) -> Distinct:
        """Leave out rows with a larger key."""
        if limit >= self.limit:
            return self
        head = slice(int(np.searchsorted(self.keys, np.uint64(limit), side="right")))
        parts = (self.keys[head], self.values[head], self.counts[head], self.first[head])
        return Distinct(*parts, self.rows, limit, tuple(words[head] for words in self.finer))

    def mixed(self, rows: NDArray[np.intp]) -> Digests:
        """Return one digest of each of some rows, mixed from those in all precisions."""
        digests = self.values[rows]
        for words in self.finer:
            digests ^= words[rows].astype(np.uint64)
            mix(digests)
        return digests

    def occurring(self, times: int) -> int:
        """Count the distinct rows that occur exactly so many times."""
        return int(np.count_nonzero(self.counts == times))

    @property
    def repeats(self) -> int:
        """Number of events that repeat another one."""
        return int(self.counts.sum()) - self.values.size


def shared(a: Distinct, b: Distinct) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the rows that two samples have in common: their positions in either, in the order of their digests."""
    keys = np.concatenate((a.keys, b.keys))
    keys.sort(kind="stable")  # which merges two sorted runs
    common = np.unique(keys[1:][keys[1:] == keys[:-1]])
    rows_a, rows_b = _positions(a.keys, common), _positions(b.keys, common)
    _, at_a, at_b = np.intersect1d(a.mixed(rows_a), b.mixed(rows_b), assume_unique=True, return_indices=True)
    return rows_a[at_a], rows_b[at_b]


def _positions(keys: Digests, selection: Digests) -> NDArray[np.intp]:
    """Return the positions of selected keys among ascending keys, in their order."""
    first = np.searchsorted(keys, selection)
    counts = np.searchsorted(keys, selection, side="right") - first
    offsets = np.cumsum(counts) - counts
    return np.asarray(np.repeat(first - offsets, counts) + np.arange(counts.sum()))


def is_plain(values: object) -> bool:
    """Tell whether a column is a one-dimensional array of real numbers."""
    return isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "biuf"


def is_numeric(values: object) -> bool:
    """Tell whether a column holds real numbers, one or several per event."""
    return is_plain(values.values if isinstance(values, Entries) else values)


def rounded(values: NDArray[np.generic], bits: int) -> Numbers:
    """Return values as float64, rounded to so many significant bits; -0 becomes 0 and every NaN the same one."""
    if bits == DOUBLE:
        with np.errstate(invalid="ignore"):
            numbers = values.astype(np.float64)
            numbers += 0.0
        numbers[np.isnan(numbers)] = np.nan
        return numbers
    return _narrow(values, bits).view(np.float32).astype(np.float64)


def _narrow(values: NDArray[np.generic], bits: int) -> Words:
    """Return the bits of values in single precision, or of those rounded to half of it (away from zero at a tie)."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
        single += np.float32(0)  # one zero
        if np.isnan(np.add.reduce(single)):
            single[np.isnan(single)] = np.nan
    words = single.view(np.uint32)
    if bits == HALF:
        words += _HALF_STEP
        words &= _HALF_MASK
    return words


def _words(column: Column, rows: slice, bits: int) -> tuple[Words, ...]:
    """Return one or two 32-bit words per event that are equal if the values are, once rounded."""
    if isinstance(column, Entries):
        long = _entry_words(column[rows], bits)
    elif bits < DOUBLE:
        return (_narrow(column[rows], bits),)
    else:
        long = rounded(column[rows], bits).view(np.uint64)
    return long.astype(np.uint32), (long >> np.uint64(32)).astype(np.uint32)


def _entry_words(entries: Entries, bits: int) -> Digests:
    """Digest the entries of events: sums, which are modulo 2⁶⁴, of the digests of each entry with its place."""
    digests = rounded(entries.values, bits).view(np.uint64)
    mix(digests)
    stops = np.cumsum(entries.counts)
    digests += (np.arange(entries.values.size) - np.repeat(stops - entries.counts, entries.counts)).astype(np.uint64)
    mix(digests)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(digests, dtype=np.uint64)))
    return np.asarray(sums[stops] - sums[stops - entries.counts] + entries.counts.astype(np.uint64) * _STEP)


def mix(digests: Digests) -> None:
    """Apply the finaliser of splitmix64 (Steele, Lea & Flood, OOPSLA 2014) in place; products are modulo 2⁶⁴."""
    digests += _STEP
    digests ^= digests >> np.uint64(30)
    digests *= _MIX_1
    digests ^= digests >> np.uint64(27)
    digests *= _MIX_2
    digests ^= digests >> np.uint64(31)


def row_hashes(columns: Mapping[str, Column], names: Sequence[str], bits: int, seed: np.uint32 = SEED) -> Words:
    """Hash every row to 32 bits.

    Args:
        columns: The rows.
        names: The columns that make up a row, sorted.
        bits: Precision in which they are compared, one of `PRECISIONS`.
        seed: Seed of the hash; hashes of different seeds are independent.

    Returns:
        Shape (events,).
    """
    rows = len(columns[names[0]])
    hashes = np.full(rows, seed)
    for name in names:
        _mix_in(columns[name], bits, hashes)
    return hashes


def _mix_in(column: Column, bits: int, hashes: Words) -> None:
    """Mix the values of a column into the hashes of the rows."""
    loops = kernels()
    if loops is not None and not isinstance(column, Entries) and column.dtype in (np.float64, np.float32):
        if bits == DOUBLE:
            loops.mix_in(plain(column), FIRST, SECOND, hashes)
        else:
            increment, mask = (_HALF_STEP, _HALF_MASK) if bits == HALF else (0, _FULL_MASK)
            loops.mix_in_single(plain(column), increment, mask, FIRST, SECOND, hashes)
        return
    for block in blocks(hashes.size):
        part = hashes[block]
        for words in _words(column, block, bits):
            part ^= words
            part *= FIRST
            part ^= part >> np.uint32(16)
            part *= SECOND
            part ^= part >> np.uint32(15)


def row_digests(
    columns: Mapping[str, Column], names: Sequence[str], bits: int = DOUBLE, first: Words | None = None
) -> Digests:
    """Hash every row to 64 bits; the arguments are those of `row_hashes`, whose result ``first`` is, if at hand."""
    leading = row_hashes(columns, names, bits) if first is None else first
    return leading.astype(np.uint64) << np.uint64(32) | row_hashes(columns, names, bits, FINER_SEED).astype(np.uint64)


def distinct_count(digests: Digests) -> int:
    """Count the different digests; sorting takes a tenth of the time of a hash table."""
    ordered = np.sort(digests)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(digests.size, 1)


def blocks(rows: int) -> Iterator[slice]:
    """Yield slices that cover so many rows."""
    for start in range(0, rows, BLOCK):
        yield slice(start, min(start + BLOCK, rows))


def leading(column: Column) -> Numbers:
    """Return one number per event: of several entries the first, NaN if there is none."""
    if not isinstance(column, Entries):
        return rounded(column, DOUBLE)
    numbers = np.full(len(column), np.nan)
    filled = column.counts > 0
    numbers[filled] = rounded(column.values[(np.cumsum(column.counts) - column.counts)[filled]], DOUBLE)
    return numbers

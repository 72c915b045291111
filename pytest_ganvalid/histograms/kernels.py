"""Loops over events, compiled by numba when this module is imported; only `histograms.compiled` imports it.

They find what the functions of numpy beside them find, to the last bit, and do it in one go: values are read once, what
is worked on stays in the processor's nearest cache, and other threads run meanwhile. Indices are unsigned where they
can be, as numba lets negative ones count from the end, and makes sure of it every time.

numba loads what it compiled before unless this file has changed since: what is imported must not change without it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import register_jitable

from pytest_ganvalid.histograms.exact import BLOCK, adds_exactly, carry, rounding_number, two_sum
from pytest_ganvalid.histograms.repeated import HALF_STEP

Array = Any
Word = Any
_STEP = 512  # values at a time
_COPIES = 4  # of counts, so that consecutive values in one bin do not wait for each other
_MAGNITUDE = (1 << 63) - 1  # of a float: its bits but for the sign
_INFINITE = 0x7FF << 52  # the magnitude of infinity; those of NaN are larger
_MAX_LEVELS = 64  # that finite numbers are cut into at most, and so not those that come of others
_MAX_BITS = 31  # of the number of counters of values
_GOLDEN = np.uint32(0x9E3779B1)  # a product with it scatters numbers that are near each other
_UNSIGNED, _WORD = np.uint64, np.uint32

for function in (adds_exactly, carry, rounding_number, two_sum):
    register_jitable(function)
_compiled = partial(numba.njit, nogil=True, cache=True, error_model="numpy", boundscheck=False)
_INTEGERS, _FLOATS = (types.Array(kind, 1, "C", readonly=True) for kind in (types.int64, types.float64))
_TABLE = types.Array(types.float64, 2, "C", readonly=True)
_INTEGERS_OUT, _FLOATS_OUT, _WORDS_OUT = (
    types.Array(kind, 1, "C") for kind in (types.int64, types.float64, types.uint32)
)


@_compiled(types.int64(_FLOATS, types.int64, types.int64, types.int64, _INTEGERS, _TABLE, _INTEGERS_OUT, _INTEGERS_OUT))
def ranks(
    values: Array, shift: int, floor: int, center: int, lower: Array, inside: Array, index: Array, counts: Array
) -> int:
    """Find how many edges each value reaches, and store or count the numbers.

    Args:
        values: Shape (values,).
        shift: Of the cells; see `lookup.Bits`.
        floor: Likewise.
        center: Likewise.
        lower: How many edges are in lower cells, shape (cells,).
        inside: The first, second, ... edge in each cell, NaN where there is none, shape (edges in a cell, cells).
        index: For how many edges each value reaches, shape (values,); empty if that is not asked for.
        counts: To which the values in each bin are added, shape (bins,); empty if they are not to be counted.

    Returns:
        How many values are NaN or infinite.
    """
    last, first = lower.size - 1, inside[0]
    cells, reached = np.empty(_STEP, np.int64), np.empty(_STEP, np.int64)
    copies = np.zeros(_COPIES * counts.size, np.int64)
    n_nonfinite = 0
    for start in range(0, values.size, _STEP):
        part = values[start : start + _STEP]
        words = part.view(np.int64)
        for i in range(part.size):
            magnitude, sign = words[i] & _MAGNITUDE, words[i] >> 63
            n_nonfinite += magnitude >= _INFINITE
            cell = ((max(magnitude - floor, 0) >> shift ^ sign) - sign) + center
            cells[i] = min(max(cell, 0), last)
        for i in range(part.size):
            position = _UNSIGNED(cells[i])
            reached[i] = lower[position] + (part[i] >= first[position])
        for edges in inside[1:]:
            for i in range(part.size):
                reached[i] += part[i] >= edges[_UNSIGNED(cells[i])]
        if index.size:
            index[start : start + part.size] = reached[: part.size]
        if counts.size:
            for i in range(part.size):
                copies[_UNSIGNED(counts.size) * _UNSIGNED(i % _COPIES) + _UNSIGNED(reached[i])] += 1
    for i in range(copies.size):
        counts[i % counts.size] += copies[i]
    return n_nonfinite


@register_jitable
def _sum_up(bins: Array, values: Array, sums: Array) -> None:
    """Write the sums of plain floats, one after the other."""
    sums[:] = 0.0
    for i in range(bins.size):
        sums[_UNSIGNED(bins[i])] += values[i]


@register_jitable
def _add(addend: Array, addend_rest: Array, leading: Array, rest: Array) -> None:
    """Add sums; see `exact.Total`."""
    for i in range(leading.size):
        high, error = two_sum(leading[i], addend[i])
        leading[i], rest[i] = two_sum(high, error + rest[i] + addend_rest[i])


@_compiled(types.void(_INTEGERS, _FLOATS, _FLOATS_OUT, _FLOATS_OUT))
def total(index: Array, values: Array, leading: Array, rest: Array) -> None:
    """Sum numbers up in bins, by the same steps as `exact.total_by_bin`.

    Args:
        index: The bin of each number, shape (values,).
        values: Finite numbers, shape (values,).
        leading: To which the sums are added, shape (bins,).
        rest: What rounding takes away of them, shape (bins,).
    """
    remainders, parts, ends = np.empty(BLOCK), np.empty(BLOCK), np.empty(2)
    words = remainders.view(np.int64)
    sums, zeros = np.empty(leading.size), np.zeros(leading.size)
    block, block_rest = np.empty(leading.size), np.empty(leading.size)
    for start in range(0, values.size, BLOCK):
        n = min(BLOCK, values.size - start)
        bins = index[start : start + n]
        remainders[:n] = values[start : start + n]
        largest, smallest = 0, _INFINITE
        for i in range(n):
            largest = max(largest, words[i] & _MAGNITUDE)
            smallest = min(smallest, words[i] & _MAGNITUDE or _INFINITE)
        ends.view(np.int64)[:] = (largest, smallest)
        block[:] = 0.0
        block_rest[:] = 0.0
        for _ in range(_MAX_LEVELS):
            if ends[0] == 0.0 or adds_exactly(ends[0], ends[1], n):
                break
            number, largest = rounding_number(ends[0], n), 0
            for i in range(n):
                parts[i] = (remainders[i] + number) - number
                remainders[i] -= parts[i]
                largest = max(largest, words[i] & _MAGNITUDE)
            ends.view(np.int64)[0] = largest
            _sum_up(bins, parts, sums)
            _add(sums, zeros, block, block_rest)
        _sum_up(bins, remainders, sums)
        _add(sums, zeros, block, block_rest)
        _add(block, block_rest, leading, rest)


@_compiled(types.void(_FLOATS, _INTEGERS, _FLOATS, types.int64, _INTEGERS_OUT))
def ranks_in_rows(values: Array, row: Array, table: Array, width: int, index: Array) -> None:
    """Find how many edges of its row each value reaches, by halves.

    Args:
        values: Shape (values,).
        row: The row of each value, shape (values,).
        table: The rows of edges one after the other, each with NaN after the last edge, shape (rows * width,).
        width: Length of a row, a power of two, and more than it has edges.
        index: For the number of edges, shape (values,).
    """
    reached = np.empty(_STEP, np.uint64)
    for start in range(0, values.size, _STEP):
        part, rows = values[start : start + _STEP], row[start : start + _STEP]
        reached[:] = 0
        step = width // 2
        while step:
            for i in range(part.size):
                position = _UNSIGNED(rows[i] * width + step - 1) + reached[i]
                reached[i] += _UNSIGNED(step) * _UNSIGNED(part[i] >= table[position])
            step //= 2
        for i in range(part.size):
            index[start + i] = reached[i]


@_compiled(types.void(_TABLE, _INTEGERS, _TABLE, _INTEGERS, _INTEGERS, types.int64, _INTEGERS_OUT))
def leaves(
    columns: Array, column: Array, limits: Array, following: Array, leaf: Array, depth: int, index: Array
) -> None:
    """Find the leaf of a tree that each event is in.

    Args:
        columns: The events, shape (columns, events).
        column: The column that each node tests, shape (nodes,).
        limits: The smallest and the largest value within a node's limits, shape (2, nodes).
        following: For each node the next one of the events that are not within, and then of those that are, which is
            the node itself if it is a leaf; shape (2 * nodes,).
        leaf: The number of each leaf, shape (nodes,).
        depth: Number of steps to the furthest leaf.
        index: For the number of each event's leaf, shape (events,).
    """
    at = np.empty(_STEP, np.uint64)
    low, high = limits[0], limits[1]
    for start in range(0, index.size, _STEP):
        n = min(_STEP, index.size - start)
        at[:] = 0
        for _ in range(depth):
            for i in range(n):
                node = at[i]
                value = columns[_UNSIGNED(column[node]), _UNSIGNED(start + i)]
                is_inside = (value >= low[node]) & (value <= high[node])
                at[i] = following[_UNSIGNED(2) * node + _UNSIGNED(is_inside)]
        for i in range(n):
            index[start + i] = leaf[at[i]]


@_compiled(types.int64(_FLOATS, types.int64, _WORDS_OUT))
def may_occur(values: Array, minimum: int, positions: Array) -> int:
    """Find the values that may occur so many times: all that do, and few others; see `repeated.Repeated`.

    Equal values share a counter, of twice as many as there are values, and others may share it with them.

    Args:
        values: Shape (values,).
        minimum: Times, at most 255.
        positions: For the positions of these values, ascending, shape (values,).

    Returns:
        How many there are.
    """
    bits = 8
    while bits < _MAX_BITS and values.size > 1 << (bits - 1):
        bits += 1
    counters, shift, limit = np.zeros(1 << bits, np.uint8), _WORD(32 - bits), np.uint8(minimum)
    words = values.view(np.int64)
    for start in range(0, values.size, _STEP):
        part, slots = words[start : start + _STEP], positions[start : start + _STEP]
        for i in range(part.size):
            single = _WORD((part[i] + HALF_STEP) >> 29)  # of the bits that single precision has, the last 32
            slots[i] = _WORD(single * _GOLDEN) >> shift
        for i in range(part.size):
            count = counters[_UNSIGNED(slots[i])]
            counters[_UNSIGNED(slots[i])] = count + np.uint8(count < limit)
    number = 0
    for i in range(values.size):
        is_frequent = counters[_UNSIGNED(positions[i])] >= limit
        positions[_UNSIGNED(number)] = i
        number += is_frequent
    return number


@register_jitable
def _mixed(digest: Word, word: Word, first: Word, second: Word) -> Word:
    """Mix a word into a digest, both of 32 bits; see `overlaps.digests`."""
    mixed = _WORD(_WORD(digest ^ word) * first)
    mixed = _WORD(_WORD(mixed ^ (mixed >> _WORD(16))) * second)
    return _WORD(mixed ^ (mixed >> _WORD(15)))


@register_jitable
def _canonical(word: Word, sign: Word, infinite: Word, nan: Word) -> Word:
    """Replace the bits of -0 by those of 0, and those of any NaN by those of one."""
    word = word if word != sign else word ^ sign
    return word if word & ~sign <= infinite else nan


@_compiled(types.void(_FLOATS, types.uint32, types.uint32, _WORDS_OUT))
def mix_in(values: Array, first: Word, second: Word, digests: Array) -> None:
    """Mix the two words of each value into the digest of its row; see `overlaps.digests`.

    Args:
        values: Shape (rows,).
        first: Factor of the digests' first step.
        second: Of their second one.
        digests: Shape (rows,).
    """
    words = values.view(np.uint64)
    for i in range(values.size):
        word = _canonical(words[i], _UNSIGNED(1 << 63), _UNSIGNED(_INFINITE), _UNSIGNED(0x7FF8 << 48))
        digest = _mixed(digests[i], _WORD(word), first, second)
        digests[i] = _mixed(digest, _WORD(word >> _UNSIGNED(32)), first, second)


@_compiled(types.void(_FLOATS, types.uint32, types.uint32, types.uint32, types.uint32, _WORDS_OUT))
def mix_in_single(values: Array, half: Word, mask: Word, first: Word, second: Word, digests: Array) -> None:
    """Mix the word of each value in single precision, or a part of it, into the digest of its row.

    Args:
        values: Shape (rows,).
        half: Half of the last bit that is kept of a word, 0 if all bits are.
        mask: The bits of a word that are kept.
        first: As for `mix_in`.
        second: Likewise.
        digests: Likewise.
    """
    single = np.empty(_STEP, np.float32)
    words = single.view(np.uint32)
    for start in range(0, values.size, _STEP):
        part, digest = values[start : start + _STEP], digests[start : start + _STEP]
        for i in range(part.size):
            single[i] = part[i]
        for i in range(part.size):
            word = _canonical(words[i], _WORD(1 << 31), _WORD(0xFF << 23), _WORD(0x1FF << 22))
            digest[i] = _mixed(digest[i], _WORD(_WORD(word + half) & mask), first, second)

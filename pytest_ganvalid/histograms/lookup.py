"""Finding the bins of very many values: a table lookup instead of a binary search.

The range of the edges is divided into cells, so many that hardly any holds more than one edge. The cell of a value
says between which edges it lies, but for those inside the cell, to which it is compared. Only the steps from values to
cells are rounded, and all of them keep the order of the values: a value in a lower cell than an edge is below that
edge. So the result is that of the binary search, whatever the rounding.

The work is done in blocks that stay in the processor's cache, by functions of numpy that let other threads run; or by
compiled loops, where there are any and the values are many.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.compiled import kernels

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
T = TypeVar("T")

BLOCK = 1 << 17
"""Values at a time: enough to make a call of numpy cheap, few enough for the cache."""
_PARALLEL_SIZE = 1 << 21  # values, from which on several threads are worth their start
_CELLS = (256, 1024, 4096, 16384)  # tried in turn
_MAX_EDGES = 4  # in a cell; with more, a binary search is as good
_MAGIC = 1.5 * 2.0**52  # added to a number of ordinary size, it leaves the nearest integer in the last bits
_ZERO = int(np.array(_MAGIC).view(np.int64))
_BYTE = 256
_BITS = 63  # of the magnitude of a float
_MAX_INSIDE = 2  # edges in a cell of the quickest tables; with more, other cells are tried
_COMPILED_SIZE = 1 << 14  # values, from which on a table is made for compiled loops
_EMPTY = np.empty(0, dtype=np.int64)


@functools.lru_cache(maxsize=512)
def lookup(edges: tuple[float, ...]) -> Lookup:
    """Return the table for these edges: finite, strictly increasing, at least one."""
    return Lookup(np.array(edges))


class Lookup:
    """Bins between edges: bin i holds the values from edge i - 1 on and below edge i."""

    def __init__(self, edges: FloatArray) -> None:
        """Make the table.

        Args:
            edges: Finite, strictly increasing, at least one, shape (edges,).
        """
        self._edges = edges
        self._table = _best_table(edges)
        self.size = edges.size + 1

    def index(self, values: FloatArray) -> IntArray:
        """Return how many edges each value reaches; of NaN, any number of them.

        Args:
            values: Shape (values,).
        """
        if (loop := self._loop(values.size)) is not None:
            index = np.empty(values.size, dtype=np.int64)
            for part in parts(values.size, BLOCK):
                loop(plain(values[part]), index=index[part], counts=_EMPTY)
            return index
        values = np.asarray(values, dtype=np.float64)
        if self._table is None:
            return np.searchsorted(self._edges, values, side="right")
        bins = np.empty(values.size, dtype=np.intp)
        binner = _Binner(self._table, values.size)
        for part in parts(values.size, BLOCK):
            bins[part] = binner.bins(values[part])
        return bins

    def counts_if_finite(self, values: FloatArray) -> NDArray[np.int64] | None:
        """Count the values in each bin, shape (bins,); ``None`` if one may be NaN or infinite.

        Args:
            values: Shape (values,), a block of them at most.
        """
        if (loop := self._loop(values.size)) is not None:
            counts = np.zeros(self.size, dtype=np.int64)
            return None if loop(plain(values), index=_EMPTY, counts=counts) else counts
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(np.add.reduce(values))  # or else it may still be an overflow
        return self.counts(values) if finite else None

    def _loop(self, values: int) -> Callable[..., int] | None:
        """Return the compiled loop over so many values; ``None`` if they are few, or there is none for these edges."""
        loops = kernels()
        if loops is None or values < _COMPILED_SIZE or self._compiled_table is None:
            return None
        cut, lower, inside = self._compiled_table

        def loop(values: FloatArray, index: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
            n_nonfinite: int = loops.ranks(values, cut.shift, cut.floor, cut.center, lower, inside, index, counts)
            return n_nonfinite

        return loop

    @functools.cached_property
    def _compiled_table(self) -> tuple[Bits, NDArray[np.int64], FloatArray] | None:
        """The table that compiled loops take; ``None`` if there is none."""
        with np.errstate(all="ignore"):
            table = _cheapest(_tables(self._edges, _bit_cuts))
        if table is None or not isinstance(table.cut, Bits):
            return None
        return table.cut, table.lower.astype(np.int64), np.stack(table.inside)

    def counts(self, values: FloatArray) -> NDArray[np.int64]:
        """Count the values in each bin, all at once; shape (bins,).

        Args:
            values: Finite, shape (values,).
        """
        values = np.asarray(values, dtype=np.float64)
        if self._table is None:
            return np.bincount(np.searchsorted(self._edges, values, side="right"), minlength=self.size)
        total = np.zeros(self.size, dtype=np.int64)
        binner = _Binner(self._table, values.size)
        for part in parts(values.size, BLOCK):
            total += binner.counts(values[part], self.size)
        return total


@dataclass(frozen=True, slots=True)
class _Even:
    """Cells of one width.

    Attributes:
        scale: Cells per unit of the values.
        offset: Minus the first edge, in cells, plus `_MAGIC`.
    """

    scale: float
    offset: float

    def cells(self, values: FloatArray, scaled: FloatArray) -> IntArray:
        """Return the cell of each value, below 0 or very large beyond the edges.

        Args:
            values: Shape (values,).
            scaled: To work in, of the same shape.
        """
        cells = scaled.view(np.int64)
        np.multiply(values, self.scale, out=scaled)
        np.add(scaled, self.offset, out=scaled)
        np.maximum(scaled, 0.0, out=scaled)  # as integers, negative floats do not ascend
        return np.subtract(cells, _ZERO, out=cells)


@dataclass(frozen=True, slots=True)
class _Binary:
    """Cells of equal leading bits, which are nearly logarithmic; of edges above 0.

    As integers, floats above 0 ascend with their values, and those below 0 are below all others.

    Attributes:
        shift: Number of bits that are not leading, at least 1.
        first: Leading bits of the first edge.
    """

    shift: int
    first: int

    def cells(self, values: FloatArray, scaled: FloatArray) -> IntArray:
        """Return the cell of each value; see `_Even.cells`."""
        cells = scaled.view(np.int64)
        np.right_shift(values.view(np.int64), self.shift, out=cells)
        return np.subtract(cells, self.first, out=cells)


@dataclass(frozen=True, slots=True)
class Bits:
    """Cells of equal leading bits on either side of zero, and one about it: nearly logarithmic ones of both signs.

    Attributes:
        shift: Number of bits that are not leading, at least 1.
        floor: The magnitude, as an integer, from which on the cells are counted.
        center: The cell about zero.
    """

    shift: int
    floor: int
    center: int

    def cells(self, values: FloatArray, scaled: FloatArray) -> IntArray:
        """Return the cell of each value; see `_Even.cells`."""
        cells = scaled.view(np.int64)
        np.abs(values, out=scaled)
        np.subtract(cells, self.floor, out=cells)
        np.maximum(cells, 0, out=cells)
        np.right_shift(cells, self.shift, out=cells)
        np.negative(cells, out=cells, where=np.signbit(values))
        return np.add(cells, self.center, out=cells)


Cut = _Even | _Binary | Bits


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The edges in each cell.

    Attributes:
        lower: How many edges are in lower cells, shape (cells,), of an unsigned type as narrow as can be.
        inside: The first, second, ... edge in each cell, NaN where there is none, shape (cells,) each.
        cut: How values are assigned to cells.
    """

    lower: NDArray[Any]
    inside: tuple[FloatArray, ...]
    cut: Cut

    @property
    def cost(self) -> tuple[int, int]:
        """The cost of a search: more edges inside, more cells."""
        return len(self.inside), self.lower.size


class _Scratch:
    """Memory to work in."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.scaled, self.at = np.empty(size), np.empty(size)
        self.bins, self.above = np.empty(size, dtype=np.uint32), np.empty(size, dtype=bool)


class _ThreadScratch(threading.local):
    """The memory of a thread, for blocks of full size: new memory for each would take as long as the work."""

    def __init__(self) -> None:
        self.scratch = _Scratch(BLOCK)


_THREAD = _ThreadScratch()


class _Binner:
    """The search for the bins of blocks of values."""

    def __init__(self, table: _Table, values: int) -> None:
        self._table = table
        self._scratch = _Scratch(values) if values < BLOCK // 8 else _THREAD.scratch

    def bins(self, values: FloatArray) -> NDArray[Any]:
        """Return the bins of a block of values, of a table's type; the array is used again by the next call."""
        table, scratch, n = self._table, self._scratch, values.size
        with np.errstate(over="ignore", invalid="ignore"):
            cells = table.cut.cells(values, scratch.scaled[:n])
        bins = scratch.bins.view(table.lower.dtype)[:n]
        at, above = scratch.at[:n], scratch.above[:n]
        table.lower.take(cells, out=bins, mode="clip")
        for edges in table.inside:
            edges.take(cells, out=at, mode="clip")
            np.greater_equal(values, at, out=above)
            np.add(bins, above.view(np.uint8), out=bins)
        return bins

    def counts(self, values: FloatArray, size: int) -> NDArray[np.int64]:
        """Count the values of a block in so many bins; if a bin fits a byte, two at a time."""
        bins = self.bins(values)
        if bins.dtype != np.uint8:
            return np.bincount(self._as_index(bins), minlength=size)
        even = bins.size // 2 * 2
        pairs = np.bincount(self._as_index(bins[:even].view(np.uint16)), minlength=_BYTE * size)
        table = pairs[: _BYTE * size].reshape(size, _BYTE)
        counts: NDArray[np.int64] = table.sum(axis=1) + table[:, :size].sum(axis=0)
        if even < bins.size:
            counts[bins[-1]] += 1
        return counts

    def _as_index(self, bins: NDArray[Any]) -> IntArray:
        """Return bins in the type that numpy would make a copy of, in memory that is at hand."""
        index = self._scratch.at.view(np.intp)[: bins.size]
        np.copyto(index, bins)
        return index


def _best_table(edges: FloatArray) -> _Table | None:
    """Return the cheapest table with few edges in a cell; ``None`` if there is none."""
    with np.errstate(all="ignore"):
        table = _cheapest(_tables(edges, _cuts))
        if table is None or len(table.inside) > _MAX_INSIDE:
            table = _cheapest([*([] if table is None else [table]), *_tables(edges, _bit_cuts)])
    return table


def _tables(edges: FloatArray, cuts: Callable[[FloatArray, int], Iterator[Cut]]) -> list[_Table]:
    """Return a table for each way to cut the range of the edges, but for those with too many edges in a cell."""
    tables = (_table_of(edges, cut, cells) for cells in _CELLS for cut in cuts(edges, cells))
    return [table for table in tables if table is not None]


def _cheapest(tables: list[_Table]) -> _Table | None:
    return min(tables, key=lambda table: table.cost, default=None)


def _cuts(edges: FloatArray, cells: int) -> Iterator[Cut]:
    """Yield ways to cut the range of the edges into so many cells, the faster one first."""
    if edges[0] > 0:
        first, last = (int(word) for word in edges[[0, -1]].view(np.int64))
        shift = max((last - first).bit_length() - (cells.bit_length() - 1), 1)
        yield _Binary(shift, first >> shift)
    width = float(edges[-1] - edges[0])
    scale = (cells - 1) / width if width else 1.0
    offset = _MAGIC - float(edges[0]) * scale
    if 0 < scale < np.inf and _MAGIC / 1.4 < offset < _MAGIC * 1.2:  # or the last bits would not hold the cells
        yield _Even(scale, offset)


def _bit_cuts(edges: FloatArray, cells: int) -> Iterator[Cut]:
    """Yield ways to cut the edges' range by leading bits, down to its smallest magnitude or a share of its width."""
    magnitudes = np.abs(edges)
    words = magnitudes.view(np.int64)
    ends = [(int(words[i]), -1 if edges[i] < 0 else 1) for i in (0, -1)]
    smallest = magnitudes.min(where=magnitudes > 0, initial=np.inf)
    for lowest in {smallest, max(smallest, magnitudes.max() / cells)}:
        for shift in range(1, _BITS):
            floor = max(int(lowest.view(np.int64)) - (1 << shift), 0)
            first, last = (sign * (max(word - floor, 0) >> shift) for word, sign in ends)
            if last - first < cells:
                yield Bits(shift, floor, -first)
                break


def _table_of(edges: FloatArray, cut: Cut, cells: int) -> _Table | None:
    """Sort the edges into cells; ``None`` if there are too many in one."""
    edge_cells = np.clip(cut.cells(edges, np.empty(edges.size)), 0, cells - 1)
    counts = np.bincount(edge_cells, minlength=cells)
    if counts.max() > _MAX_EDGES:
        return None
    lower = np.concatenate([[0], np.cumsum(counts)[:-1]])
    inside = []
    for rank in range(int(counts.max())):
        has_edge = counts > rank
        at = np.full(cells, np.nan)  # which no value reaches, infinity neither
        at[has_edge] = edges[lower[has_edge] + rank]
        inside.append(at)
    kind = next(t for t in (np.uint8, np.uint16, np.uint32) if edges.size <= np.iinfo(t).max)
    return _Table(lower.astype(kind), tuple(inside), cut)


def plain(values: Any, kind: type = np.float64) -> Any:  # noqa: ANN401 - arrays
    """Return values as compiled loops take them, which is as they are if they lie in memory as plain numbers do."""
    return np.require(values, kind, ["C", "A"])


def parts(size: int, length: int) -> Iterator[slice]:
    """Yield consecutive slices of at most so many items, that together are all."""
    for start in range(0, size, length):
        yield slice(start, min(start + length, size))


def threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(function: Callable[[slice], T], size: int, workers: int | None = None) -> list[T]:
    """Apply a function to consecutive parts of so many items, in several threads if they are many.

    Args:
        function: Takes a slice.
        size: Number of items.
        workers: Number of threads; ``None`` for as many as there are processors.

    Returns:
        The results, in the order of the parts.
    """
    workers = threads() if workers is None else workers
    if workers < 2 or size < _PARALLEL_SIZE:  # noqa: PLR2004
        return [function(slice(0, size))]
    length = -(-size // (workers * 4))
    slices: Sequence[slice] = list(parts(size, -(-length // BLOCK) * BLOCK))
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, slices))

"""Cells of equal mass in any number of columns: the leaves of a k-d tree (Bentley, Commun. ACM 18 (1975) 509).

What to use when: up to two columns the bins of `histograms.binning`, for more columns these; a grid would leave most
of its cells empty. Without any training they see every correlation that moves events between the halves of its columns.
They do not see structure finer than a cell, or dependence of many columns at once: that is for a classifier to find.

With fewer levels than columns no cell is cut along all columns, and only pairs that some cell is cut along are looked
at. So other branches of the tree are cut along other columns, and the cells are shared out to the pairs of columns as
seats to parties (D'Hondt), by how strongly a pair is correlated in the reference. A correlation that only the generator
has is therefore seen by part of the cells only; a tree of fewer columns sees it better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Box = tuple[tuple[float, float], ...]
_ROUNDING = 1e-9  # of a share, summed up in another order
_LEAST = 0.5  # of a cell's share; what falls short of it (what is left beside an atom) is no cell of its own
_CHUNK = 65_536  # events at a time, so that the memory needed does not grow with the sample
_NOISE = 5.0  # standard errors; a correlation below is taken for none, so that fluctuations do not choose the cells
_FLOOR = 0.1  # strength of a pair without correlation: a generator may invent one
_DIGITS = 3  # of a strength; rounding errors do not choose the cells


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut through a box: events with a value below ``at`` on one side, all others on the other.

    Attributes:
        column: Position of the column that is cut.
        at: Where, in the column's unit.
        below: The next cut on the side below; ``None`` if that is a cell.
        above: Likewise on the other side.
        cells: Number of cells on both sides.
    """

    column: int
    at: float
    below: Cut | None
    above: Cut | None
    cells: int


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a k-d tree, numbered as in the tree, so that consecutive cells are mostly neighbours.

    Attributes:
        names: The columns' names.
        root: The first cut.
        nonfinite: Where NaN and infinite values go: ``"underflow"`` and ``"overflow"`` place them below or above all
            numbers of their column; ``"separate"`` gives events that have any a last cell of their own.
    """

    names: tuple[str, ...]
    root: Cut
    nonfinite: str = "overflow"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells."""
        return (self.root.cells + (self.nonfinite == "separate"),)

    def label(self, first: int, last: int) -> str:
        """Return the merged cells ``first`` to ``last`` in words: their box, or if they are none, both ends."""
        cells = self.root.cells
        if last == cells:
            return "NaN or infinite" if first == last else f"{self.label(first, last - 1)} or NaN or infinite"
        boxes = list(_boxes(self.root, ((-math.inf, math.inf),) * len(self.names)))
        hull = tuple(
            (min(low for low, _ in sides), max(high for _, high in sides))
            for sides in zip(*boxes[first : last + 1], strict=True)
        )
        if sum(_overlap(box, hull) for box in boxes) > last - first + 1:
            return f"{self.label(first, first)} to {self.label(last, last)}"
        words = [_words(name, low, high) for name, (low, high) in zip(self.names, hull, strict=True)]
        return ", ".join(word for word in words if word) or "all"

    def path(self) -> IntArray:
        """Return the cells in the order of the tree."""
        return np.arange(self.shape[0], dtype=np.intp)

    def index(self, columns: Sequence[NDArray[Any]]) -> IntArray:
        """Return the cell of each event.

        Args:
            columns: One array of shape (events,) per name.
        """
        columns, finite = _placed(columns, self.nonfinite)
        index = np.full(columns[0].size, self.root.cells, dtype=np.intp)
        _descend(self.root, columns, np.flatnonzero(finite), 0, index)
        return index


def kdtree_cells(
    columns: Sequence[NDArray[Any]],
    weight: FloatArray | None,
    bins: int,
    nonfinite: str,
    names: Sequence[str],
) -> Cells:
    """Cut the space of all columns into cells that hold equal shares of the reference's absolute weight.

    A box of m cells is cut into one of m // 2 cells and one of the rest, at the quantile where they hold their shares:
    cells of continuous, unweighted data differ by one event at most. Values that occur many times stay together, and
    the box is then cut beside them, as near to the quantile as can be, along a column where either side holds at
    least half a cell's share; where there is none, it remains one cell. The cells depend on neither the order of the
    events nor, but for rounding, on an increasing transformation of a column.

    Args:
        columns: The reference's columns, shape (events,) each.
        weight: Shape (events,), any sign, or ``None``.
        bins: Number of cells, at least 2; there are fewer where atoms do not leave as many.
        nonfinite: Where NaN and infinite values go (see `Cells`).
        names: One per column.

    Raises:
        InputError: If a column has no finite value, no event a weight, or no column can be cut.
    """
    columns, finite = _placed(columns, nonfinite)
    mass = None if weight is None else np.abs(weight)
    if not finite.all():
        columns, mass = [values[finite] for values in columns], None if mass is None else mass[finite]
    if not all(np.isfinite(values).any() for values in columns) or not (mass is None or mass.any()):
        msg = f"the reference has no events to choose cells from: {list(names)} need finite values and weights above 0"
        raise InputError(msg)
    everything = _Open(np.arange(columns[0].size), bins, (0,) * len(columns))
    root = _Grower(columns, mass).grow(everything)
    if root is None:
        msg = (
            f"the reference cannot be cut into cells along {list(names)}: all but a few events have the same value; "
            "compare each column by itself"
        )
        raise InputError(msg)
    return Cells(tuple(names), root, nonfinite)


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A box that is still to be cut.

    Attributes:
        rows: Its events' positions.
        cells: Into how many cells.
        cuts: How often each column has been cut on the way to it.
    """

    rows: IntArray
    cells: int
    cuts: tuple[int, ...]


class _Grower:
    """Grows a tree, and remembers along which pairs of columns its cells are cut."""

    def __init__(self, columns: Sequence[FloatArray], mass: FloatArray | None) -> None:
        self._columns, self._mass = columns, mass
        self._strength = _strengths(columns, mass)
        self._seen = np.zeros_like(self._strength)  # number of cells cut along both columns

    def grow(self, box: _Open) -> Cut | None:
        """Cut a box into its cells; ``None`` if it is one."""
        for column in self._preferred(box) if box.cells > 1 else ():
            values = self._columns[column][box.rows]
            found = _cut(values, None if self._mass is None else self._mass[box.rows], box.cells)
            if found:
                at, cells_below = found
                self._note(column, box)
                cuts = tuple(n + (i == column) for i, n in enumerate(box.cuts))
                is_below = values < at
                below = self.grow(_Open(box.rows[is_below], cells_below, cuts))
                above = self.grow(_Open(box.rows[~is_below], box.cells - cells_below, cuts))
                return Cut(column, at, below, above, _cells(below) + _cells(above))
        return None

    def _preferred(self, box: _Open) -> IntArray:
        """Order the columns: least cut so far first, then by the pairs they form with the columns cut already."""
        cuts = np.array(box.cuts)
        share = self._strength / (self._seen + box.cells)
        return np.lexsort((-self._strength.sum(axis=1), -share[:, cuts > 0].sum(axis=1), cuts))

    def _note(self, column: int, box: _Open) -> None:
        others = np.flatnonzero(box.cuts)
        self._seen[column, others] += box.cells
        self._seen[others, column] = self._seen[column, others]


def _cut(values: FloatArray, mass: FloatArray | None, cells: int) -> tuple[float, int] | None:
    """Find the cut that comes nearest to sharing out the cells evenly.

    Args:
        values: Shape (events,).
        mass: Shape (events,), not negative; ``None`` if all events count alike.
        cells: Of the box, at least 2.

    Returns:
        The cut and the number of cells below it; ``None`` if no cut leaves enough on either side.
    """
    if values.size < 2:  # noqa: PLR2004
        return None
    share = cells // 2 / cells
    value = _quantile(values, mass, share)
    total = float(values.size if mass is None else mass.sum())
    below, until = (_sum(mass, where) for where in (values < value, values <= value))
    if abs(below - total * share) <= abs(until - total * share) + total * _ROUNDING:
        at, left = value, below
    else:
        at, left = float(values[values > value].min(initial=math.inf)), until
    least = _LEAST * total / cells * (1 - _ROUNDING)
    if not 0 < least <= left <= total - least:
        return None
    return at, min(max(round(cells * left / total - _ROUNDING), 1), cells - 1)


def _quantile(values: FloatArray, mass: FloatArray | None, share: float) -> float:
    """Return the value below which lies the share of the mass, or nearly so."""
    if mass is None:
        rank = min(max(round(values.size * share), 1), values.size - 1)
        return float(np.partition(values, rank)[rank])
    order = np.argsort(values)
    until = np.cumsum(mass[order])
    rank = int(np.searchsorted(until, until[-1] * share * (1 + _ROUNDING)))
    return float(values[order[min(rank, values.size - 1)]])


def _sum(mass: FloatArray | None, where: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(where) if mass is None else mass[where].sum())


def _strengths(columns: Sequence[FloatArray], mass: FloatArray | None) -> FloatArray:
    """Return how strongly each pair of columns is correlated, shape (columns, columns), zero on the diagonal.

    The square of the correlation between the halves of the two columns (Blomqvist, Ann. Math. Stat. 21 (1950) 593):
    what a cut through both at their medians sees.
    """
    halves = [_cut(values, mass, 2) for values in columns]
    medians = [half[0] if half else math.inf for half in halves]
    both = np.zeros((len(columns), len(columns)))
    for start in range(0, columns[0].size, _CHUNK):
        part = slice(start, start + _CHUNK)
        above = np.array([values[part] >= at for values, at in zip(columns, medians, strict=True)], dtype=np.float64)
        both += (above if mass is None else above * mass[part]) @ above.T
    total, squares = (columns[0].size,) * 2 if mass is None else (float(mass.sum()), float(mass @ mass))
    share = np.diag(both) / total
    variance = np.outer(share * (1 - share), share * (1 - share))
    correlation = np.divide(
        (both / total - np.outer(share, share)) ** 2, variance, out=np.zeros_like(both), where=variance > 0
    )
    noise = _NOISE**2 * squares / total**2
    strength = _FLOOR + np.round(np.where(correlation > noise, correlation, 0), _DIGITS)
    np.fill_diagonal(strength, 0)
    return np.asarray(strength, dtype=np.float64)


def _cells(node: Cut | None) -> int:
    return 1 if node is None else node.cells


def _descend(node: Cut | None, columns: Sequence[FloatArray], rows: IntArray, first: int, index: IntArray) -> None:
    """Write the cell of the events at ``rows`` into ``index``; ``first`` is the number of the node's first cell."""
    if node is None:
        index[rows] = first
        return
    below = columns[node.column][rows] < node.at
    _descend(node.below, columns, rows[below], first, index)
    _descend(node.above, columns, rows[~below], first + _cells(node.below), index)


def _placed(columns: Sequence[NDArray[Any]], nonfinite: str) -> tuple[list[FloatArray], NDArray[np.bool_]]:
    """Return the columns with NaN and infinite values in their place, and which events the tree is for."""
    finite = [np.isfinite(values) for values in columns]
    if nonfinite == "separate":
        return list(columns), np.logical_and.reduce(finite)
    place = -math.inf if nonfinite == "underflow" else math.inf
    placed = [v if ok.all() else np.where(ok, v, place) for v, ok in zip(columns, finite, strict=True)]
    return placed, np.ones(columns[0].size, dtype=bool)


def _boxes(node: Cut | None, box: Box) -> Iterator[Box]:
    """Yield the box of each cell."""
    if node is None:
        yield box
        return
    low, high = box[node.column]
    before, after = box[: node.column], box[node.column + 1 :]
    yield from _boxes(node.below, (*before, (low, node.at), *after))
    yield from _boxes(node.above, (*before, (node.at, high), *after))


def _overlap(box: Box, other: Box) -> bool:
    return all(low < top and bottom < high for (low, high), (bottom, top) in zip(box, other, strict=True))


def _words(name: str, low: float, high: float) -> str:
    """Name one side of a box; empty if it is not cut."""
    if low == math.inf:
        return f"{name} NaN or infinite"
    edges = tuple(edge for edge in (low, high) if not math.isinf(edge))
    if not edges:
        return ""
    return Axis(edges).label_of(name, int(low > -math.inf))

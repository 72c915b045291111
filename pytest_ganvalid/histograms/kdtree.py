"""Cells of equal mass in any number of columns: the leaves of a k-d tree (Bentley, Commun. ACM 18 (1975) 509).

What to use when: up to two columns the bins of `histograms.binning`, for more columns these; a grid would leave most
of its cells empty. Without any training they see every correlation that moves events between the halves of its columns.
They do not see structure finer than a cell, or dependence of many columns at once: that is for a classifier to find.

Which columns are cut, and where, is chosen in `histograms.kdtree_growth`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid import _json
from pytest_ganvalid.histograms.bins import Axis, Nominal
from pytest_ganvalid.histograms.compiled import kernels
from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.histograms.lookup import lookup, parts, plain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Box = tuple[tuple[float, float], ...]
TOLERANCE = 5e-6
"""Relative distance within which values are one that was printed to six digits or stored in single precision."""
_PARTS = 10  # in which neighbouring cells are seen together
_EMPTY_LIMITS = (math.inf, -math.inf)  # of no value
_TABLE_EVENTS = 1 << 12  # events, from which on a table is worth its making
_MAX_ENTRIES = 1 << 19  # entries of a table, which stays in the processor's cache
_BLOCK = 1 << 15  # events at a time, likewise
_INFINITE = {math.inf: "inf", -math.inf: "-inf"}  # JSON has no such numbers


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
    below: Node | None
    above: Node | None
    cells: int


@dataclass(frozen=True, slots=True)
class Guard:
    """Columns that have one value each in a box; events with any other value are in a cell of their own, the first.

    Attributes:
        columns: Positions of the columns.
        values: Their values.
        inside: How the box with these values is cut; ``None`` if it is a cell.
        cells: Number of cells, the one outside included.
    """

    columns: tuple[int, ...]
    values: tuple[float, ...]
    inside: Node | None
    cells: int

    def is_inside(self, columns: Sequence[FloatArray]) -> NDArray[np.bool_]:
        """Return which events have these values, but for rounding; ``columns`` are those of the guard."""
        inside = np.ones(columns[0].size, dtype=bool)
        for values, value in zip(columns, self.values, strict=True):
            inside &= (values == value) if math.isinf(value) else np.abs(values - value) <= TOLERANCE * abs(value)
        return inside

    def box(self, box: Box) -> Box:
        """Return the part of a box that has these values."""
        sides = list(box)
        for column, value in zip(self.columns, self.values, strict=True):
            sides[column] = (value, math.nextafter(value, math.inf))
        return tuple(sides)


Node = Cut | Guard


@dataclass(frozen=True, slots=True)
class _Region:
    """Where a cell lies.

    Attributes:
        box: The box around it.
        hole: The guard whose values are not part of it; ``None`` if the cell is all of the box.
    """

    box: Box
    hole: Guard | None = None

    def meets(self, box: Box) -> bool:
        """Whether the cell and a box have a part in common."""
        if self.hole is None or not _overlap(self.box, box):
            return _overlap(self.box, box)
        return self.hole.box(box) != box

    def words(self, names: Sequence[str]) -> str:
        """Name the cell."""
        words = [_words(name, low, high) for name, (low, high) in zip(names, self.box, strict=True)]
        if self.hole is not None:
            other = zip(self.hole.columns, self.hole.values, strict=True)
            words.append(" or ".join(f"{names[column]} other than {_value(value)}" for column, value in other))
        return ", ".join(word for word in words if word) or "all"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a k-d tree, numbered as in the tree, so that consecutive cells are mostly neighbours.

    Attributes:
        names: The columns' names.
        root: The first cut, or the guard before it.
        nonfinite: Where NaN and infinite values go: ``"underflow"`` and ``"overflow"`` place them below or above all
            numbers of their column; ``"separate"`` gives events that have any a last cell of their own.
        nominal: What the cells were cut to hold; ``None`` if that is not known.
    """

    KEY: ClassVar[str] = "cells"

    names: tuple[str, ...]
    root: Node
    nonfinite: str = "overflow"
    nominal: Nominal | None = field(default=None, compare=False)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """None: cells are not cut along axes."""
        return ()

    def encoded(self) -> dict[str, Any] | None:
        """Return the cells as JSON types."""
        return _encoded(self.root)

    @classmethod
    def decoded(cls, node: _json.Node, columns: Sequence[str], nonfinite: str) -> Cells:
        """Read what `encoded` made; see `bins.Grid.decoded`."""
        root = _decoded(node, len(columns))
        if root is None:
            node.refuse("a cut through the columns")
        return cls(tuple(columns), root, nonfinite)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells."""
        return (self.root.cells + (self.nonfinite == "separate"),)

    def label(self, first: int, last: int) -> str:
        """Return the merged cells ``first`` to ``last`` in words: their box, or both ends if they form no box."""
        cells = self.root.cells
        if last == cells:
            return "NaN or infinite" if first == last else f"{self.label(first, last - 1)} or NaN or infinite"
        regions = list(_regions(self.root, ((-math.inf, math.inf),) * len(self.names)))
        if first == last:
            return regions[first].words(self.names)
        hull = _hull([region.box for region in regions[first : last + 1]])
        if sum(region.meets(hull) for region in regions) <= last - first + 1:
            return _Region(hull).words(self.names)
        if regions[first].hole is not None:
            return f"{self.label(first, first)}; or {self.label(first + 1, last)}"
        return f"{self.label(first, first)} to {self.label(last, last)}"

    def outside(self) -> tuple[int, ...]:
        """Return the cells of the events that guards set apart, and that of events with NaN if it is separate."""
        regions = _regions(self.root, ((-math.inf, math.inf),) * len(self.names))
        guarded = [i for i, region in enumerate(regions) if region.hole is not None]
        return (*guarded, *([self.root.cells] if self.nonfinite == "separate" else []))

    def path(self) -> IntArray:
        """Return the cells in the order of the tree."""
        return np.arange(self.shape[0], dtype=np.intp)

    def layout(self) -> Layout:
        """Return the part of space that each cell is in, of ten parts made by opening the largest one first."""
        parts: list[Node | None] = [self.root] + [None] * (self.nonfinite == "separate")
        while len(parts) < _PARTS and any(parts):
            largest = max(range(len(parts)), key=lambda i: number_of_cells(parts[i]))
            node = parts[largest]
            halves = (node.below, node.above) if isinstance(node, Cut) else (None, node.inside if node else None)
            parts[largest : largest + 1] = halves
        cells = [number_of_cells(node) for node in parts]
        return Layout(Arrangement.PARTS, np.repeat(np.arange(len(cells)), cells)[:, None])

    def index(self, columns: Sequence[NDArray[Any]]) -> IntArray:
        """Return the cell of each event.

        Args:
            columns: One array of shape (events,) per name.
        """
        columns, finite = tree_columns(columns, self.nonfinite)
        index = np.full(columns[0].size, self.root.cells, dtype=np.intp)
        if (loops := kernels()) is not None:
            loops.leaves(np.stack([plain(values) for values in columns]), *_node_arrays(self.root), index)
            index[~finite] = self.root.cells
            return index
        table = _cell_table(self.root) if finite.size >= _TABLE_EVENTS and finite.all() else None
        if table is not None:
            return table.index(columns)
        _descend(self.root, columns, np.flatnonzero(finite), 0, index)
        return index


def number_of_cells(node: Node | None) -> int:
    """Return the number of cells below a node; where there is none, one."""
    return 1 if node is None else node.cells


def _descend(node: Node | None, columns: Sequence[FloatArray], rows: IntArray, first: int, index: IntArray) -> None:
    """Write the cell of the events at ``rows`` into ``index``; ``first`` is the number of the node's first cell."""
    if node is None:
        index[rows] = first
        return
    table = _cell_table(node) if rows.size >= _TABLE_EVENTS else None
    if table is not None:
        index[rows] = first + table.index([values[rows] for values in columns])
        return
    if isinstance(node, Guard):
        inside = node.is_inside([columns[column][rows] for column in node.columns])
        index[rows[~inside]] = first
        _descend(node.inside, columns, rows[inside], first + 1, index)
        return
    below = columns[node.column][rows] < node.at
    _descend(node.below, columns, rows[below], first, index)
    _descend(node.above, columns, rows[~below], first + number_of_cells(node.below), index)


@functools.lru_cache(maxsize=64)
def _node_arrays(root: Node) -> tuple[IntArray, FloatArray, IntArray, IntArray, int]:
    """List the nodes of a tree: their columns, limits, next nodes and cells, and the depth; see `kernels.leaves`."""
    columns: list[int] = []
    limits: list[tuple[float, float]] = []
    following: list[tuple[int, int]] = []
    cells: list[int] = []

    def add_node(column: int, bounds: tuple[float, float], cell: int = 0) -> int:
        position = len(columns)
        columns.append(column)
        limits.append(bounds)
        following.append((position, position))
        cells.append(cell)
        return position

    def add_tree(node: Node | None, first: int) -> tuple[int, int]:
        """List a node and those below it; return its position, and the number of steps to the furthest leaf."""
        if node is None:
            return add_node(0, _EMPTY_LIMITS, first), 0
        if isinstance(node, Cut):
            high = math.nextafter(node.at, -math.inf)
            position = add_node(node.column, (-math.inf, high) if high < node.at else _EMPTY_LIMITS)
            below, steps_below = add_tree(node.below, first)
            above, steps_above = add_tree(node.above, first + number_of_cells(node.below))
            following[position] = above, below
            return position, 1 + max(steps_below, steps_above)
        positions = [add_node(c, _guard_limits(v)) for c, v in zip(node.columns, node.values, strict=True)]
        outside, _ = add_tree(None, first)
        inside, steps = add_tree(node.inside, first + 1)
        for position, successor in zip(positions, (*positions[1:], inside), strict=True):
            following[position] = outside, successor
        return positions[0], len(positions) + steps

    _, depth = add_tree(root, 0)
    successors, leaves = np.array(following, dtype=np.int64).ravel(), np.array(cells, dtype=np.int64)
    return np.array(columns, dtype=np.int64), np.array(limits).T.copy(), successors, leaves, depth


def _guard_limits(value: float) -> tuple[float, float]:
    """Return the smallest and the largest number that is a guard's value but for rounding; see `Guard.is_inside`."""
    if math.isinf(value):
        return value, value
    distance, ends = TOLERANCE * abs(value), []
    for direction in (-math.inf, math.inf):
        end = value + math.copysign(distance, direction)
        if abs(end - value) > distance:  # the sum was rounded outwards; a difference of such numbers is exact
            end = math.nextafter(end, value)
        elif abs(math.nextafter(end, direction) - value) <= distance:
            end = math.nextafter(end, direction)
        ends.append(end)
    return ends[0], ends[1]


@dataclass(frozen=True, slots=True, eq=False)
class _CellTable:
    """The cells below a node, by how many of the cuts of each column a value reaches.

    Attributes:
        cuts: Position of each column that is cut -> where, ascending.
        cells: The cell of each combination, of one dimension for each of those columns.
    """

    cuts: dict[int, tuple[float, ...]]
    cells: NDArray[Any]

    def index(self, columns: Sequence[FloatArray]) -> IntArray:
        """Return the cell of each event."""
        index = np.empty(columns[0].size, dtype=np.intp)
        for block in parts(index.size, _BLOCK):
            position = np.zeros(1, dtype=np.intp)
            for column, cuts in self.cuts.items():
                position = position * (len(cuts) + 1) + lookup(cuts).index(columns[column][block])
            index[block] = self.cells.ravel().take(position)
        return index


@functools.lru_cache(maxsize=256)
def _cell_table(root: Node) -> _CellTable | None:
    """Return the table of the cells below a node; ``None`` if there is a guard, or it would be too large."""
    nodes: list[Node] = [root]
    cut_values: dict[int, set[float]] = {}
    for node in nodes:
        if isinstance(node, Guard) or math.isinf(node.at):
            return None
        cut_values.setdefault(node.column, set()).add(node.at)
        nodes += filter(None, (node.below, node.above))
    cuts = {column: tuple(sorted(cut_values[column])) for column in sorted(cut_values)}
    shape = [len(values) + 1 for values in cuts.values()]
    if math.prod(shape) > _MAX_ENTRIES:
        return None
    cells = np.empty(shape, np.min_scalar_type(root.cells))
    axes = {column: axis for axis, column in enumerate(cuts)}

    def fill(node: Node | None, first: int, box: tuple[slice, ...]) -> None:
        if not isinstance(node, Cut):
            cells[box] = first
            return
        axis = axes[node.column]
        reached = cuts[node.column].index(node.at) + 1
        side, head, tail = box[axis], box[:axis], box[axis + 1 :]
        fill(node.below, first, (*head, slice(side.start, min(side.stop, reached)), *tail))
        fill(
            node.above,
            first + number_of_cells(node.below),
            (*head, slice(max(side.start, reached), side.stop), *tail),
        )

    fill(root, 0, tuple(slice(0, size) for size in shape))
    return _CellTable(cuts, cells)


def tree_columns(columns: Sequence[NDArray[Any]], nonfinite: str) -> tuple[list[FloatArray], NDArray[np.bool_]]:
    """Return the columns with an infinity for each NaN and infinite value, and the mask of the events in the tree."""
    finite = [np.isfinite(values) for values in columns]
    if nonfinite == "separate":
        return list(columns), np.logical_and.reduce(finite)
    substitute = -math.inf if nonfinite == "underflow" else math.inf
    ordered = [v if ok.all() else np.where(ok, v, substitute) for v, ok in zip(columns, finite, strict=True)]
    return ordered, np.ones(columns[0].size, dtype=bool)


def _regions(node: Node | None, box: Box) -> Iterator[_Region]:
    """Yield where each cell lies."""
    if node is None:
        yield _Region(box)
        return
    if isinstance(node, Guard):
        yield _Region(box, node)
        yield from _regions(node.inside, node.box(box))
        return
    low, high = box[node.column]
    head, tail = box[: node.column], box[node.column + 1 :]
    yield from _regions(node.below, (*head, (low, node.at), *tail))
    yield from _regions(node.above, (*head, (node.at, high), *tail))


def _hull(boxes: Sequence[Box]) -> Box:
    return tuple((min(low for low, _ in sides), max(high for _, high in sides)) for sides in zip(*boxes, strict=True))


def _overlap(box: Box, other: Box) -> bool:
    return all(low < top and bottom < high for (low, high), (bottom, top) in zip(box, other, strict=True))


def _words(name: str, low: float, high: float) -> str:
    """Name one side of a box; empty if it is not cut."""
    if low == math.inf or high == math.nextafter(-math.inf, 0):
        return f"{name} NaN or infinite"
    edges = tuple(edge for edge in (low, high) if not math.isinf(edge))
    if not edges:
        return ""
    return Axis(edges).label_of(name, int(low > -math.inf))


def _value(value: float) -> str:
    """Write the value of a guard."""
    if math.isinf(value):
        return "NaN or infinite"
    return Axis((value, math.nextafter(value, math.inf))).label(1, 1).removeprefix("= ")


def _encoded(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    if isinstance(node, Cut):
        at = _INFINITE.get(node.at, node.at)
        return {"column": node.column, "at": at, "below": _encoded(node.below), "above": _encoded(node.above)}
    values = [_INFINITE.get(value, value) for value in node.values]
    return {"columns": node.columns, "values": values, "inside": _encoded(node.inside)}


def _decoded(node: _json.Node, columns: int) -> Node | None:
    if node.absent():
        return None
    if "column" in node.members():
        fields = node.fields("column", "at", "below", "above")
        below, above = (_decoded(fields[side], columns) for side in ("below", "above"))
        column = fields["column"].whole(0, columns - 1)
        return Cut(column, _decoded_number(fields["at"]), below, above, number_of_cells(below) + number_of_cells(above))
    fields = node.fields("columns", "values", "inside")
    positions = tuple(item.whole(0, columns - 1) for item in fields["columns"].items())
    if not positions or len(set(positions)) != len(positions):
        fields["columns"].refuse("at least one column, each once")
    values = tuple(_decoded_number(item) for item in fields["values"].items(len(positions)))
    inside = _decoded(fields["inside"], columns)
    return Guard(positions, values, inside, 1 + number_of_cells(inside))


def _decoded_number(node: _json.Node) -> float:
    return next((number for number, word in _INFINITE.items() if node.value == word), None) or node.real()

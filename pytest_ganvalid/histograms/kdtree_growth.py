"""Cutting a reference into the cells of a k-d tree: which columns are cut, and where.

Quantiles of the reference say nothing of where it has no events. So where (nearly) all reference events of a box have
the same value of a column, events with any other value are set apart in one more cell of that box: an outside cell, in
which the reference has few events or none. There is no such cell beside a range of values: a leaf that is not cut along
a column also holds generated events outside the range that its reference events have. The same goes for an atom that
leaves more than a cell's share to other values, if none of many columns' cuts is along its column.

With fewer levels than columns no cell is cut along all columns, and only pairs that some cell is cut along are looked
at. So other branches of the tree are cut along other columns, and the cells are shared out to the pairs of columns as
seats to parties (D'Hondt), by how strongly a pair depends on each other in the reference: in its quarters, so that a
ring counts as well. A dependence that only the generator has is therefore seen by part of the cells only; a tree of
fewer columns sees it better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.kdtree import Cells, Cut, Guard, Node, number_of_cells, tree_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_ROUNDING = 1e-9  # of a share, summed up in another order
_MIN_SHARE = 0.5  # of a cell's share; a smaller rest, as beside an atom, is no cell of its own
_CHUNK = 65_536  # events at a time, so that the memory needed does not grow with the sample
_RARE = (1.0, 0.25)  # of a cell's share, of everything and of a box: most events that an outside cell may take
_EXCESS = 5.0  # standard errors; fewer other values by less than that are chance, and chance must not choose the cells
_MAJORITY = 0.6  # of the events by number; one with a large weight is no atom
_QUARTERS = (0.25, 0.5, 0.75)
_LEVELS = len(_QUARTERS) + 1
_PACK = 3  # columns whose quarters are counted together: faster than pair by pair
_NOISE = 45.0  # χ² of 9 degrees of freedom, p = 10⁻⁶; less is taken for none, so that chance does not choose the cells
_HIDDEN = 0.25  # of the dependence; if the halves show less of it (Gaussian ones a third or more), quarters are needed
_FLOOR = 0.1  # strength of a pair without dependence: a generator may invent one
_DIGITS = 3  # of a strength; rounding errors do not choose the cells


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
    least half a cell's share; where there is none, it remains one cell.

    Where all but at most a cell's share of all events have the same value of a column, or far more than elsewhere have
    it in a box, a guard keeps out other values. Its outside cell is one in addition: at most one for each box and each
    cell, fewer than twice as many as ``bins``; those that stay sparse are merged with the cell after.

    The cells depend on neither the order of the events nor, but for rounding, on an increasing transformation of a
    column.

    Args:
        columns: The reference's columns, shape (events,) each.
        weight: Shape (events,), any sign, or ``None``.
        bins: Number of cells, at least 2; fewer where atoms do not leave as many, and outside cells in addition.
        nonfinite: Where NaN and infinite values go (see `Cells`).
        names: One per column.

    Raises:
        InputError: If a column has no finite value, no event a weight, or no column can be cut.
    """
    columns, finite = tree_columns(columns, nonfinite)
    mass = None if weight is None else np.abs(weight)
    mask = finite if mass is None else finite & (mass > 0)
    if not mask.all():
        columns, mass = [values[mask] for values in columns], None if mass is None else mass[mask]
    if not all(np.isfinite(values).any() for values in columns):
        msg = f"the reference has no events to choose cells from: {list(names)} need finite values and weights above 0"
        raise InputError(msg)
    root_box = _OpenBox(tuple(columns), mass, bins, (0,) * len(columns), ())
    root = _Grower(columns, mass).grow(root_box)
    if root is None or (isinstance(root, Guard) and root.inside is None):
        msg = (
            f"the reference cannot be cut into cells along {list(names)}: all but a few events have the same value; "
            "compare each column by itself"
        )
        raise InputError(msg)
    return Cells(tuple(names), root, nonfinite)


@dataclass(frozen=True, slots=True, eq=False)
class _OpenBox:
    """A box that is still to be cut.

    Attributes:
        columns: Its events, shape (events,) each.
        mass: Their absolute weights, shape (events,); ``None`` if they have none.
        cells: Into how many cells.
        cuts: How often each column has been cut on the way to it.
        fixed: Columns that have one value.
    """

    columns: tuple[FloatArray, ...]
    mass: FloatArray | None
    cells: int
    cuts: tuple[int, ...]
    fixed: tuple[int, ...]

    def part(self, mask: NDArray[np.bool_], cells: int, cuts: tuple[int, ...]) -> _OpenBox:
        """Return a part of the box."""
        rows = np.flatnonzero(mask)
        mass = None if self.mass is None else self.mass.take(rows)
        return replace(self, columns=tuple(v.take(rows) for v in self.columns), mass=mass, cells=cells, cuts=cuts)


class _Grower:
    """Grows a tree, and remembers along which pairs of columns its cells are cut."""

    def __init__(self, columns: Sequence[FloatArray], mass: FloatArray | None) -> None:
        self._columns = columns
        self._strength, self._hidden = _strengths(columns, mass)
        self._required_cuts = 1 + self._hidden.any(axis=1)  # cuts, before it is the next column's turn
        self._rates: dict[tuple[int, float], float] = {}  # share of all events with another value
        self._pair_cells = np.zeros_like(self._strength)  # number of cells cut along both columns

    def grow(self, box: _OpenBox) -> Node | None:
        """Cut a box into its cells, after a guard where it needs one; ``None`` if the box is a cell."""
        atoms = self._atoms(box)
        if not atoms:
            return self._cut_box(box)
        guard = Guard(tuple(atoms), tuple(atoms.values()), None, 2)
        part = box.part(guard.is_inside([box.columns[column] for column in atoms]), box.cells, box.cuts)
        inside = self._cut_box(replace(part, fixed=box.fixed + guard.columns))
        return replace(guard, inside=inside, cells=1 + number_of_cells(inside))

    def _cut_box(self, box: _OpenBox) -> Cut | None:
        for column in self._column_order(box) if box.cells > 1 else ():
            values = box.columns[column]
            cut = _even_cut(values, box.mass, box.cells)
            if cut:
                at, cells_below = cut
                cuts = tuple(n + (i == column) for i, n in enumerate(box.cuts))
                self._count_pairs(column, np.array(cuts), box.cells)
                is_below = values < at
                below = self.grow(box.part(is_below, cells_below, cuts))
                above = self.grow(box.part(~is_below, box.cells - cells_below, cuts))
                return Cut(int(column), at, below, above, number_of_cells(below) + number_of_cells(above))
        return None

    def _atoms(self, box: _OpenBox) -> dict[int, float]:
        """Return the columns with one value for all but few events of a box, few even together: column -> value.

        Were columns chosen because other values happen to be few in a box, a right generator would have more of them.
        So there must be few of them everywhere, far fewer here than elsewhere, or none here: if that is by chance, a
        generator has no more there than are merged away.
        """
        mass, size = box.mass, box.columns[0].size
        rare = _RARE[any(box.cuts)]
        limit = rare * (size if mass is None else float(mass.sum())) / box.cells * (1 + _ROUNDING)
        outside, atoms = np.zeros(size, dtype=bool), {}
        for column in sorted(set(range(len(box.columns))) - set(box.fixed)):
            values = box.columns[column]
            value = _majority(values)
            if value is None:
                continue
            other = values != value
            is_sparse = not any(box.cuts) or self._is_rarer(column, value, other)
            if is_sparse and _mass(mass, outside | other) <= limit:
                outside |= other
                atoms[column] = value
        return atoms

    def _is_rarer(self, column: int, value: float, other: NDArray[np.bool_]) -> bool:
        """Whether a box has none, or far fewer events with another value than the whole has."""
        number = int(np.count_nonzero(other))
        if number and (column, value) not in self._rates:
            self._rates[column, value] = float(np.mean(self._columns[column] != value))
        expected = other.size * self._rates[column, value] if number else 0.0
        return number + _EXCESS * math.sqrt(expected) <= expected or not number

    def _column_order(self, box: _OpenBox) -> list[int]:
        """Order the columns: least cut so far first, then by the pairs they form with the columns cut already."""
        cuts = np.array(box.cuts)
        share = self._strength / (self._pair_cells + box.cells)
        order = np.lexsort((-self._strength.sum(axis=1), -share[:, cuts > 0].sum(axis=1), cuts // self._required_cuts))
        return [column for column in order.tolist() if column not in box.fixed]

    def _count_pairs(self, column: int, cuts: IntArray, cells: int) -> None:
        """Count the pairs that a cut completes; one whose halves show nothing takes two cuts along both."""
        completed = np.minimum(cuts, cuts[column]) >= 1 + self._hidden[column]
        completed[column] = False
        self._pair_cells[column, completed] += cells
        self._pair_cells[completed, column] = self._pair_cells[column, completed]


def _majority(values: FloatArray) -> float | None:
    """Return the value of most events; ``None`` if there is no such value, or only one event."""
    minimum = _MAJORITY * values.size
    # In any order, so many events with the same value have at least this number of neighbours among them.
    if values.size < 2 or np.count_nonzero(values[1:] == values[:-1]) < 2 * minimum - values.size - 1:  # noqa: PLR2004
        return None
    value = float(np.partition(values, values.size // 2)[values.size // 2])
    return value if np.count_nonzero(values == value) >= minimum else None


def _even_cut(values: FloatArray, mass: FloatArray | None, cells: int) -> tuple[float, int] | None:
    """Return the cut that comes nearest to sharing out the cells evenly.

    Args:
        values: Shape (events,).
        mass: Shape (events,), not negative; ``None`` if all events count alike.
        cells: Of the box, at least 2.

    Returns:
        The cut and the number of cells below it; ``None`` if no cut leaves enough on either side.
    """
    if values.size < 2:  # noqa: PLR2004
        return None
    at, mass_below = _splits(values, mass, (cells // 2 / cells,))[0]
    total = float(values.size if mass is None else mass.sum())
    min_mass = _MIN_SHARE * total / cells * (1 - _ROUNDING)
    if not 0 < min_mass <= mass_below <= total - min_mass:
        return None
    at = _midway(float(values[values < at].max()), at)
    return at, min(max(round(cells * mass_below / total - _ROUNDING), 1), cells - 1)


def _midway(below: float, above: float) -> float:
    """Return a cut between two values that are neighbours in a box, midway unless one is infinite."""
    if math.isinf(above):
        return above
    middle = below / 2 + above / 2
    return max(middle, math.nextafter(below, math.inf)) if middle < above else above


def _splits(values: FloatArray, mass: FloatArray | None, shares: Sequence[float]) -> list[tuple[float, float]]:
    """Return for each share the cut that comes nearest to having it below, and the mass that is below."""
    total = float(values.size if mass is None else mass.sum())
    splits = []
    for share, value in zip(shares, _quantiles(values, mass, shares), strict=True):
        below, through = (_mass(mass, mask) for mask in (values < value, values <= value))
        if abs(below - total * share) <= abs(through - total * share) + total * _ROUNDING:
            splits.append((value, below))
        else:
            splits.append((float(values[values > value].min(initial=math.inf)), through))
    return splits


def _quantiles(values: FloatArray, mass: FloatArray | None, shares: Sequence[float]) -> list[float]:
    """Return the values below which lie the shares of the mass, or nearly so."""
    last = values.size - 1
    if mass is None:
        ranks = [max(min(max(round(values.size * share), 1), last), 0) for share in shares]
        return [float(value) for value in np.partition(values, ranks)[ranks]]
    order = np.argsort(values)
    cumulative = np.cumsum(mass[order])
    positions = np.searchsorted(cumulative, cumulative[-1] * np.array(shares) * (1 + _ROUNDING))
    return [float(value) for value in values[order[np.minimum(positions, last)]]]


def _mass(mass: FloatArray | None, mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask) if mass is None else mass[mask].sum())


def _strengths(columns: Sequence[FloatArray], mass: FloatArray | None) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return how strongly each pair of columns depends on each other, and whether only their quarters show it.

    Both have shape (columns, columns). The strength is Cramér's V², χ²/n of the table of both columns' quarters as a
    share of the most it can be, zero on the diagonal. Halves alone (Blomqvist, Ann. Math. Stat. 21 (1950) 593) show
    nothing of a ring.
    """
    tables = _pair_tables(columns, mass)
    quarters = _phi2(tables)
    pairs = tables.reshape(len(columns), 2, 2, len(columns), 2, 2)
    halves = _phi2(pairs.sum(axis=(2, 5)))
    total, squares = (columns[0].size,) * 2 if mass is None else (float(mass.sum()), float(mass @ mass))
    dependent = quarters > _NOISE * squares / total**2
    strength = _FLOOR + np.round(np.where(dependent, quarters, 0) / (_LEVELS - 1), _DIGITS)
    np.fill_diagonal(strength, 0)
    np.fill_diagonal(dependent, val=False)
    return strength, dependent & (halves < _HIDDEN * quarters - _ROUNDING)


def _pair_tables(columns: Sequence[FloatArray], mass: FloatArray | None) -> FloatArray:
    """Share out the events to the quarters of each pair of columns, shape (columns, quarters, columns, quarters)."""
    edges = [[at for at, _ in _splits(values, mass, _QUARTERS)] for values in columns]
    groups = [range(first, min(first + _PACK, len(columns))) for first in range(0, len(columns), _PACK)]
    codes = _LEVELS**_PACK
    digits = np.arange(codes)[:, None] // _LEVELS ** np.arange(_PACK) % _LEVELS
    is_level = (digits[:, :, None] == np.arange(_LEVELS)).reshape(codes, -1).astype(np.float64)
    tables = np.zeros((len(groups), _PACK * _LEVELS) * 2)
    for start in range(0, columns[0].size, _CHUNK):
        part = slice(start, start + _CHUNK)
        code = [_quarters([columns[i][part] for i in group], [edges[i] for i in group]) for group in groups]
        for (i, a), (j, b) in itertools.combinations_with_replacement(enumerate(code), 2):
            counts = np.bincount(a * codes + b, None if mass is None else mass[part], minlength=codes**2)
            tables[i, :, j] += is_level.T @ counts.reshape(codes, codes) @ is_level
    size = len(columns) * _LEVELS
    table: FloatArray = tables.reshape((len(groups) * _PACK * _LEVELS,) * 2)[:size, :size]
    table = np.triu(table) + np.triu(table, 1).T  # of the blocks below the diagonal, none has been filled
    shares: FloatArray = table / float(np.trace(table[:_LEVELS, :_LEVELS]))
    return shares.reshape(len(columns), _LEVELS, len(columns), _LEVELS)


def _quarters(columns: Sequence[FloatArray], edges: Sequence[Sequence[float]]) -> IntArray:
    """Write the quarters of a few columns as the digits of one number."""
    code = np.zeros(columns[0].size, dtype=np.intp)
    for digit, (values, ats) in enumerate(zip(columns, edges, strict=True)):
        for at in ats:
            code += (values >= at) * _LEVELS**digit
    return code


def _phi2(tables: FloatArray) -> FloatArray:
    """Return χ²/n of the table of each pair; shape (columns, levels, columns, levels) -> (columns, columns)."""
    columns, levels = tables.shape[:2]
    share = np.diagonal(tables.reshape(columns * levels, -1)).reshape(columns, levels)
    expected = share[:, :, None, None] * share
    terms = np.divide((tables - expected) ** 2, expected, out=np.zeros_like(tables), where=expected > 0)
    return np.asarray(terms.sum(axis=(1, 3)), np.float64)

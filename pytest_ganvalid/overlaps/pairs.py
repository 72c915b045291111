"""Whether rows of two samples belong together although nobody said so: undeclared pairs.

Fast and full simulation of the same events, or a generator that was given the conditions of the reference, make rows
that share a cause. Their histograms fluctuate together, and what is subtracted for noise is then too much.

A rank correlation of rows would find pairs in any two sorted files. The sign of the second difference of three
consecutive values knows nothing of sorting, drifts, counters or the order of processes: in each of many short windows
its 2 × 2 table is that of independent signs, given its margins, and the windows are added up as strata are (Cochran,
Biometrics 10 (1954) 417; Mantel & Haenszel, JNCI 22 (1959) 719). Pairs in another order are found by nearest
neighbours in ranks, in the union of both samples (Schilling, JASA 81 (1986) 799; Henze, Ann. Stat. 16 (1988) 772).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.overlaps.digests import Column, Numbers, distinct_count, is_numeric, leading
from pytest_ganvalid.overlaps.findings import UndeclaredPairs
from pytest_ganvalid.overlaps.key import tells_events

IN_ORDER, SHIFTED, SHUFFLED = 6.0, 6.5, 6.0
"""Standard deviations beyond which rows belong together: of all rows in order, of rows in order that may be shifted
against one another, and of nearest neighbours."""
LAGS = 20
"""Maximum number of rows that are lost between one side and the other."""
WINDOW = 240
"""Rows of a window."""
COLUMNS = 4
"""Maximum number of columns in which nearest neighbours are found: those with most values."""
Strata = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
"""Rows of the generated and of the reference sample that can be compared with each other."""
Signs = NDArray[np.int8]
_TRIPLE = 3
_ROUNDING = 1e-6  # of the values, that a second difference must exceed: even steps, in single precision, have none
_MIN_TRIPLES, _MIN_EXPECTED = 30, 5.0  # triples, and of those expected in the rarest cell of the table
_MIN_ROWS = 50  # of either side, for neighbours
_MAX_CYCLE = 500  # rows after which labels and counters begin anew
_MIN_MOVING = 0.1  # share of nonzero second differences of a column that is no label or counter


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """2 × 2 tables of the signs of both sides, in each of some windows.

    Attributes:
        triples: Number of triples with a sign on both sides, shape (columns, windows), as of all others.
        excess: Number of triples with positive signs on both sides, less that of independent signs with these margins.
        variance: Variance of that number (hypergeometric).
        expected: Number of independent signs expected in the rarest cell.
    """

    triples: Numbers
    excess: Numbers
    variance: Numbers
    expected: Numbers

    @classmethod
    def of(cls, generated: Signs, reference: Signs) -> Table:
        """Count the signs of triples, shape (columns, windows, triples); 0 does not count."""
        counted = (generated != 0) & (reference != 0)
        first, second = counted & (generated > 0), counted & (reference > 0)
        n, a, b, n_both = (np.count_nonzero(mask, axis=-1) for mask in (counted, first, second, first & second))
        divisor = np.maximum(n, 1).astype(np.float64)
        variance = a * (n - a) * (b * (n - b)) / (divisor**2 * np.maximum(n - 1, 1))
        expected = np.minimum(a, n - a) * np.minimum(b, n - b) / divisor
        return cls(n.astype(np.float64), n_both - a * b / divisor, variance, expected)

    def total(self) -> Table:
        """Add up the windows; the shape is (columns, 1)."""
        sums = (part.sum(axis=1, keepdims=True) for part in (self.triples, self.excess, self.variance, self.expected))
        return Table(*sums)

    def beside(self, other: Table) -> Table:
        """Return the windows of both tables."""
        parts = ((getattr(self, name), getattr(other, name)) for name in ("triples", "excess", "variance", "expected"))
        return Table(*(np.concatenate(pair, axis=1) for pair in parts))

    @property
    def z(self) -> Numbers:
        """Standard deviations from independence; 0 where the triples are too few, or their signs too uneven."""
        sufficient = (self.triples >= _MIN_TRIPLES) & (self.expected >= _MIN_EXPECTED)
        return np.where(sufficient, self.excess / np.sqrt(np.where(sufficient, self.variance, 1.0)), 0.0)


def undeclared_pairs(
    generated: Mapping[str, Column], reference: Mapping[str, Column], strata: Strata | None = None
) -> UndeclaredPairs | None:
    """Look for rows of two samples that belong together.

    Args:
        generated: Name -> column: the first rows of the sample, in their order. Of several entries per event the
            first counts; columns that do not hold numbers are left out.
        reference: Likewise; columns that only one side has are left out.
        strata: Rows that are compared only among themselves; ``None`` if all are.

    Returns:
        The most significant finding; ``None`` if rows could be independent. One column that was sorted or shuffled
        hides all pairs, as do a few rows in a hundred that were lost, in one column.
    """
    sides = (generated, reference)
    names = [name for name in generated if all(is_numeric(side.get(name)) for side in sides)]
    if not names:
        return None
    rows = [len(side[names[0]]) for side in sides]
    strata = [(np.arange(rows[0]), np.arange(rows[1]))] if strata is None else strata
    moving = moving_columns(generated, reference)
    finding = in_order(*_stacked(generated, reference, moving), moving, strata) if moving else None
    telling = telling_columns(generated, reference)
    if finding is not None or len(telling) < 2:  # noqa: PLR2004
        return finding
    return neighbours(*_stacked(generated, reference, telling), telling, strata)


def _stacked(
    generated: Mapping[str, Column], reference: Mapping[str, Column], names: Sequence[str]
) -> tuple[Numbers, Numbers]:
    gen, ref = (np.stack([leading(side[name]) for name in names]) for side in (generated, reference))
    return gen, ref


def moving_columns(generated: Mapping[str, Column], reference: Mapping[str, Column]) -> list[str]:
    """Choose the columns of numbers that rows in order are compared in: no labels and no counters, on either side."""
    sides = (generated, reference)
    return [n for n in generated if all(is_numeric(side.get(n)) and _moves(leading(side[n])) for side in sides)]


def _moves(values: Numbers) -> bool:
    """Tell whether a column is anything but a label or a counter, which hardly ever change, do so evenly, or cycle."""
    changes = signs(values[None])
    if np.count_nonzero(changes) <= _MIN_MOVING * changes.size:
        return False
    periods = np.flatnonzero(values[1 : min(_MAX_CYCLE, values.size // 2) + 1] == values[0]) + 1
    return not any(np.array_equal(values[period:], values[:-period]) for period in periods.tolist())


def telling_columns(generated: Mapping[str, Column], reference: Mapping[str, Column]) -> list[str]:
    """Choose the columns that nearest neighbours are found in: those with most values.

    Labels and counters are the same on both sides by right, as are times; so what only rises or falls does not count.
    """
    values = {}
    for name in generated:
        sides = [side.get(name) for side in (generated, reference)]
        if all(tells_events(side) for side in sides):
            numbers = [leading(side) for side in sides if side is not None]
            if not any(_is_monotonic(side) for side in numbers):
                values[name] = min(distinct_count(side.view(np.uint64)) for side in numbers)
    return sorted(sorted(values), key=lambda name: -values[name])[:COLUMNS]


def _is_monotonic(values: Numbers) -> bool:
    with np.errstate(invalid="ignore"):
        steps = np.diff(values)
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def signs(values: Numbers) -> Signs:
    """Return the sign of the second difference of rows i, i + 1 and i + 2.

    Args:
        values: Shape (columns, rows).

    Returns:
        Shape (columns, rows - 2); 0 where the step changes by rounding at most, or a value is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        second = (values[:, 2:] - values[:, 1:-1]) - (values[:, 1:-1] - values[:, :-2])
        size = np.abs(values)
        threshold = _ROUNDING * np.maximum(np.maximum(size[:, 2:], size[:, 1:-1]), size[:, :-2])
        return (second > threshold).astype(np.int8) - (second < -threshold).astype(np.int8)


def tables(generated: Signs, reference: Signs, lag: int) -> Table:
    """Compare the signs of disjoint triples, in windows.

    Args:
        generated: As of `signs`.
        reference: Likewise.
        lag: How many rows further on the generated sample is.
    """
    start = max(0, -lag)
    rows = min(generated.shape[1] - lag, reference.shape[1])
    triples = [
        signs_[:, first:last:_TRIPLE]
        for signs_, first, last in ((generated, start + lag, max(rows + lag, 0)), (reference, start, max(rows, 0)))
    ]
    length = WINDOW // _TRIPLE
    missing = -triples[0].shape[1] % length
    windows = (np.pad(side, ((0, 0), (0, missing))).reshape(len(side), -1, length) for side in triples)
    return Table.of(*windows)


def in_order(generated: Numbers, reference: Numbers, names: list[str], strata: Strata) -> UndeclaredPairs | None:
    """Look for pairs of rows in the same order, some of which may have been lost.

    Args:
        generated: Shape (columns, rows).
        reference: Likewise.
        names: Names of the columns.
        strata: Rows that are compared only among themselves.
    """
    sides = [(signs(generated[:, gen]), signs(reference[:, ref])) for gen, ref in strata]
    sides = [(gen, ref) for gen, ref in sides if min(gen.shape[1], ref.shape[1]) >= _MIN_TRIPLES]
    if not sides:
        return None
    best: tuple[float, UndeclaredPairs] | None = None
    for lag in sorted(range(-LAGS, LAGS + 1), key=abs):
        windows = tables(*sides[0], lag)
        for gen, ref in sides[1:]:
            windows = windows.beside(tables(gen, ref, lag))
        total = windows.total()
        for table, threshold in ((total, SHIFTED if lag else IN_ORDER), (windows, SHIFTED)):
            z = table.z
            column, window = divmod(int(np.argmax(np.abs(z))), z.shape[1])
            deviation = float(abs(z[column, window]))
            if deviation > threshold and (best is None or deviation > best[0]):
                finding = UndeclaredPairs(
                    columns=(names[column],),
                    z=float(z[column, window]),
                    order="in order" if table is total else "in part",
                    lag=lag,
                    counted=int(table.triples[column, window]),
                )
                best = deviation, finding
    return None if best is None else best[1]


def neighbours(generated: Numbers, reference: Numbers, names: Sequence[str], strata: Strata) -> UndeclaredPairs | None:
    """Look for pairs of rows in any order, in two columns or more: rows whose nearest is of the other side.

    Args:
        generated: Shape (columns, rows).
        reference: Likewise.
        names: Names of the columns.
        strata: Rows that are compared only among themselves.
    """
    crossed, expected, variance, rows = 0, 0.0, 0.0, 0
    for gen, ref in strata:
        if min(gen.size, ref.size) >= _MIN_ROWS:
            counts = crossings(generated[:, gen], reference[:, ref])
            crossed, expected, variance = crossed + counts[0], expected + counts[1], variance + counts[2]
            rows += gen.size + ref.size
    z = (crossed - expected) / np.sqrt(variance) if variance > 0 else 0.0
    if z <= SHUFFLED:
        return None
    columns = tuple(sorted(names))
    return UndeclaredPairs(
        columns=columns, z=float(z), order="shuffled", counted=rows, crossed=crossed, expected=float(expected)
    )


def crossings(generated: Numbers, reference: Numbers) -> tuple[int, float, float]:
    """Count the rows whose nearest neighbour in ranks is of the other sample.

    Equal values are ranked at random, with a fixed seed, so that ties are broken alike on both sides.

    Args:
        generated: Shape (columns, rows).
        reference: Likewise.

    Returns:
        Their number; its mean for samples of one distribution, which no other distributions exceed; and its variance
        over all ways to divide the rows, given the neighbour of each.
    """
    from scipy.spatial import cKDTree  # which takes a tenth of a second

    sizes = generated.shape[1], reference.shape[1]
    n = sum(sizes)
    ranks = np.empty((n, len(generated)))
    rng = np.random.default_rng(0)
    for i, column in enumerate(np.concatenate((generated, reference), axis=1)):
        ranks[np.lexsort((rng.random(n), column)), i] = np.arange(n)
    nearest = cKDTree(ranks).query(ranks, k=2)[1][:, 1]
    side = np.arange(n) < sizes[0]
    return int(np.count_nonzero(side != side[nearest])), *_moments(nearest, *sizes)


def _moments(nearest: NDArray[np.intp], first: int, second: int) -> tuple[float, float]:
    """Return mean and variance of the number of rows with a neighbour of the other side, over all ways to divide them.

    Two rows and their neighbours are the same two rows, or three with one in common, or four.
    """
    n = first + second
    popular = np.bincount(nearest, minlength=n)
    mutual = int(np.count_nonzero(nearest[nearest] == np.arange(n)))
    same = n + mutual
    three = int(np.sum(popular * (popular - 1))) + 2 * (n - mutual)
    p = 2 * first * second / (n * (n - 1))
    four = p * 2 * (first - 1) * (second - 1) / ((n - 2) * (n - 3))
    return n * p, same * p + three * p / 2 + (n**2 - same - three) * four - (n * p) ** 2

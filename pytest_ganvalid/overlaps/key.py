"""What makes up a row when samples are searched for rows that they share: columns that tell events apart.

The search chooses its columns by itself, whatever is compared: those that are read anyway, and others if those do not
tell events apart. Labels and numbers of events are no part of a row, as the same event may be found under others.

Equal rows are no proof of a shared origin: discrete data repeat themselves. Chance is judged by counting (`chance`)
and, where rows hardly ever repeat, so that doubletons are too few to limit chance, by the resolution of the columns:
two independent rows agree no more often than their columns do. That must not be trusted too far: columns may be
functions of one another, or hold rare special values. So at most two columns count, each as far as it does not follow
from a finer one, and only values that are not short numbers such as 0 or -999, are not common, and are not at an end of
their column, where values are cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import (
    DOUBLE,
    HALF,
    PRECISIONS,
    WORDS,
    Column,
    Numbers,
    distinct_count,
    is_numeric,
    is_plain,
    leading,
    row_digests,
)
from pytest_ganvalid.overlaps.resolution import collision, freedom, is_short, numbers_at_random, numbers_in_order
from pytest_ganvalid.samples.sample import Sample

HEAD = 20_000
"""Number of rows that decide which columns tell events apart."""
_GROUPS, _PER_GROUP = 500, 10  # maximum number of values of a column of labels, and mean number of events of each
_DISTINCT = 0.999  # share of distinct rows where columns tell events apart
_KEY_DISTINCT = 0.3  # likewise for the precision of a key, as some rows may occur several times once rounded
_RESOLUTION_ROWS = 2_500  # rows that determine the resolution of a column
_CANDIDATES, _FINE = 8, 3  # maximum numbers of columns whose resolution is determined, and that count
_FREE = 0.5  # half way from a function to independence
_COARSER = 1e4  # times as likely to agree as the second finest, above which a column does not count
_MIN_COMMON, _MAX_COMMON = 4, 16  # occurrences of a common value, and number of them that a key has


@dataclass(frozen=True, slots=True, kw_only=True)
class FineColumn:
    """A column of full resolution.

    Attributes:
        name: The column.
        low: Its smallest value; beyond it nothing is known, and values may be cut off there.
        high: Its largest value, likewise.
        common: Values that occur again and again.
    """

    name: str
    low: float
    high: float
    common: tuple[float, ...] = ()

    def is_fresh(self, values: Numbers) -> NDArray[np.bool_]:
        """Tell which values are of full resolution, and not special ones; shape (events,)."""
        return (values > self.low) & (values < self.high) & ~is_short(values) & ~np.isin(values, self.common)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """How rows are recognised.

    Attributes:
        columns: What makes up a row, sorted.
        bits: The precision by which rows are chosen for a sketch, the coarsest that tells most of them apart.
        fine: Those columns whose resolution says how rarely two rows agree; may be none.
        alone: For each of `PRECISIONS`, the probability that two independent events agree in one fresh value.
        both: Likewise in two fresh values.
        whole: Likewise in all columns, fresh or not: an upper limit from the rows that agree.
        tells: Whether equal rows are more than equal labels: the columns tell events apart.
    """

    columns: tuple[str, ...]
    bits: int
    fine: tuple[FineColumn, ...] = ()
    alone: tuple[float, ...] = (1.0,) * len(PRECISIONS)
    both: tuple[float, ...] = (1.0,) * len(PRECISIONS)
    whole: tuple[float, ...] = (1.0,) * len(PRECISIONS)
    tells: bool = True

    def __post_init__(self) -> None:
        """Check that the parts belong together.

        Raises:
            InputError: If the columns are none, not sorted or not distinct, or a number is out of range.
        """
        if not self.columns or list(self.columns) != sorted(set(self.columns)):
            msg = f"a key needs the names of its columns, sorted and distinct; got {self.columns!r}"
            raise InputError(msg)
        if self.bits not in PRECISIONS or not {fine.name for fine in self.fine} <= set(self.columns):
            msg = f"a key has a precision of {PRECISIONS} bits and fine columns among its own; got {self.bits} bits"
            raise InputError(msg)
        probabilities = (self.alone, self.both, self.whole)
        if any(len(chances) != len(PRECISIONS) or not all(0 <= p <= 1 for p in chances) for chances in probabilities):
            msg = f"a key has a probability for each of {PRECISIONS} bits; got {probabilities}"
            raise InputError(msg)

    @property
    def precisions(self) -> tuple[int, ...]:
        """The precisions in which rows can be compared, the finest first."""
        return tuple(bits for bits in reversed(PRECISIONS) if bits >= self.bits)

    def same_rows(self, other: Key) -> bool:
        """Tell whether digests by another key can be compared with those by this one."""
        return (self.columns, self.bits) == (other.columns, other.bits)

    def merged(self, other: Key) -> Key:
        """Return how rows of both samples are recognised; it is the same in whichever order keys are merged.

        Raises:
            InputError: If their rows cannot be compared.
        """
        if not self.same_rows(other):
            rows = [f"{list(key.columns)} in {WORDS[key.bits]} precision" for key in (self, other)]
            msg = (
                f"rows are recognised by {rows[0]} and by {rows[1]}; expected the same columns: fill all like the first"
            )
            raise InputError(msg)
        pairs = [(first, second) for first in self.fine for second in other.fine if first.name == second.name]
        fine = [
            FineColumn(
                name=first.name,
                low=min(first.low, second.low),
                high=max(first.high, second.high),
                common=tuple(sorted({*first.common, *second.common})),
            )
            for first, second in pairs
        ]
        return Key(
            columns=self.columns,
            bits=self.bits,
            fine=tuple(sorted(fine, key=lambda column: column.name)),
            alone=tuple(map(max, self.alone, other.alone)),
            both=tuple(map(max, self.both, other.both)),
            whole=tuple(map(max, self.whole, other.whole)),
            tells=self.tells and other.tells,
        )

    def fresh(self, values: Sequence[Numbers]) -> NDArray[np.uint8]:
        """Count the fresh values of each row.

        Args:
            values: Values of each of the fine columns, shape (rows,); at least one.
        """
        fresh = [column.is_fresh(numbers) for column, numbers in zip(self.fine, values, strict=True)]
        return np.asarray(np.sum(fresh, axis=0, dtype=np.uint8))


def key_columns(
    samples: Sequence[Sample], read: Sequence[str], *, sparing: bool = False
) -> tuple[tuple[str, ...], bool]:
    """Choose what makes up a row of some samples.

    Args:
        samples: The first events of each, true ones first.
        read: Columns that are read anyway.
        sparing: Whether two of these are enough if they are of full resolution: samples that are not at hand may lack
            others. Rows that were rounded need more to be recognised.

    Returns:
        Names of columns of numbers that all samples have, those that are read anyway and others if they are needed to
        tell events apart even in half precision; and whether they are enough. Empty if there are no such columns.
    """
    common = [n for n in samples[0].columns if all(n in s.columns and is_numeric(s.columns[n]) for s in samples)]
    heads = [_head(sample.columns, common) for sample in samples]
    unnumbered = [name for name in common if not any(numbers_in_order(head[name]) for head in heads)] or common
    telling = [
        name for name in unnumbered if not any(_groups(head[name]) or numbers_at_random(head[name]) for head in heads)
    ]
    varying = [
        name
        for name in unnumbered
        if not any(_is_constant(head[name]) or numbers_at_random(head[name]) for head in heads)
    ]
    events = heads[0]
    distinct = {name: _distinct_values(events[name]) for name in common}
    ranked = sorted(
        telling or varying or unnumbered, key=lambda name: (not is_plain(events[name]), -distinct[name], name)
    )
    chosen = [name for name in ranked if name in read]
    others = [name for name in ranked if name not in read]

    def is_enough() -> bool:
        fine = sum(distinct[name] >= _DISTINCT * len(events[name]) for name in chosen)
        return (sparing and fine >= 2) or (bool(chosen) and _distinct_share(events, chosen, HALF) >= _DISTINCT)  # noqa: PLR2004

    while others and not is_enough():
        chosen.append(others.pop(0))
    return tuple(sorted(chosen)), is_enough()


def key_of(columns: Mapping[str, Column], names: Sequence[str]) -> Key:
    """Say how rows of these columns are recognised.

    Args:
        columns: True events, from all over the sample.
        names: The columns that make up a row.
    """
    columns = _head(columns, names)
    shares = {bits: _distinct_share(columns, names, bits) for bits in PRECISIONS}
    bits = next(b for b in PRECISIONS if shares[b] >= _KEY_DISTINCT * shares[DOUBLE])
    ranked = sorted(names, key=lambda name: (-_distinct_values(columns[name]), name))[:_CANDIDATES]
    values = {name: leading(column) for name, column in _head(columns, ranked, _RESOLUTION_ROWS).items()}
    candidates = list(values)
    common = {name: _common(values[name]) for name in candidates}
    rare = {name: values[name][~np.isin(values[name], common[name])] for name in candidates}
    chances = {name: collision(rare[name], DOUBLE) for name in candidates}
    ranked = sorted((name for name in candidates if chances[name] < 1), key=lambda name: (chances[name], name))
    fine, free = ranked[:1], dict.fromkeys(ranked[:1], 1.0)
    for name in ranked[1:]:
        free[name] = min(freedom(values[other], values[name]) for other in fine)
        second = chances[fine[1]] if len(fine) > 1 else 1.0
        if free[name] >= _FREE and len(fine) < _FINE and chances[name] <= _COARSER * second:
            fine.append(name)
    all_rare = {name: leading(columns[name]) for name in fine}  # to see rare repetitions, too
    all_rare = {name: column[~np.isin(column, common[name])] for name, column in all_rare.items()}
    probabilities = [sorted((collision(all_rare[n], b) ** free[n] for n in fine), reverse=True) for b in PRECISIONS]
    return Key(
        columns=tuple(sorted(names)),
        bits=bits,
        fine=tuple(
            FineColumn(
                name=name,
                low=float(values[name][np.isfinite(values[name])].min()),
                high=float(values[name][np.isfinite(values[name])].max()),
                common=common[name],
            )
            for name in sorted(fine)
        ),
        alone=tuple(chances[0] if chances else 1.0 for chances in probabilities),
        both=tuple(chances[0] * chances[1] if len(chances) > 1 else 1.0 for chances in probabilities),
        tells=shares[DOUBLE] >= _KEY_DISTINCT,
    )


def _common(values: Numbers) -> tuple[float, ...]:
    """Return the values that occur again and again, the commonest first, `_MAX_COMMON` at most."""
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:_MAX_COMMON]
    return tuple(numbers[frequent[counts[frequent] >= _MIN_COMMON]].tolist())


def tells_events(column: object) -> bool:
    """Tell whether a column by itself describes an event, and not only its group or its number."""
    if not is_numeric(column) or numbers_in_order(column):
        return False
    return not (_groups(column) or numbers_at_random(column))  # type: ignore[arg-type]


def _head(columns: Mapping[str, Column], names: Sequence[str], rows: int = HEAD) -> dict[str, Column]:
    """Return rows from all over a sample, about as many as ``rows`` at most."""
    return {name: columns[name][:: -(-len(columns[name]) // rows)] for name in names}


def _groups(column: Column) -> bool:
    """Tell whether a column has so few values that each stands for a group of events, as labels do."""
    return _distinct_values(column) <= min(_GROUPS, len(column) // _PER_GROUP)


def _is_constant(column: Column) -> bool:
    """Tell whether all events have the same value; of a few events, that says nothing."""
    return len(column) >= _PER_GROUP and _distinct_values(column) == 1


def _distinct_values(column: Column) -> int:
    return distinct_count(row_digests({"": column}, ("",), DOUBLE))


def _distinct_share(columns: Mapping[str, Column], names: Sequence[str], bits: int) -> float:
    """Return the share of the rows that differ from those before, in some precision."""
    digests = row_digests(columns, tuple(sorted(names)), bits)
    return distinct_count(digests) / digests.size

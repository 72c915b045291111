"""Whether reference, training and generated samples are independent: which rows they share, and whether by chance.

Equal rows are no proof of a shared origin: discrete data repeat themselves. Chance is judged by counting
(`coincidence`) and, where rows hardly ever repeat, so that doubletons are too few to limit chance, by the resolution
of the columns (`resolution`): two independent rows agree no more often than their columns do. That must not be trusted
too far: columns may be functions of one another, or hold rare special values. So at most two columns count, the second
as far as it does not follow from the first, and only values that occur in no other row, are not short numbers such as
0 or -999, and are not at an end of their column, where values are cut off.

The same event may be found under another number or label, or rounded by a file format. Rows are therefore compared in
all columns, without those that only number or label the events, and in single precision; the three share the
probability of a false alarm. Columns are not compared one by one: independent samples may have been made from
the same list of conditions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.coincidence import ALPHA, p_convexity, p_counting, poisson_tail, poisson_upper
from pytest_ganvalid.samples.digests import (
    LARGEST,
    WIDTHS,
    Digests,
    Distinct,
    Numbers,
    distinct,
    first_rows,
    leading,
    numeric_columns,
    row_digests,
    shared,
    width,
)
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.samples.overlaps import Independence, Overlap, Row
from pytest_ganvalid.samples.resolution import (
    collision,
    disjoint_by_construction,
    freedom,
    is_constant,
    is_label,
    is_number_of_event,
    is_short,
    occurs,
)
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.spread import Spread

Side = Literal["reference", "training", "generated"]

_HINT = 1e-3  # counting must at least hint at what the resolution of a single column claims
_OTHERS = 0.2  # of the probability of a false alarm, for comparisons but the first, which find copies of whole files
_CONFIDENCE = 0.95  # of the limits that are reported
_SHOWN = 3  # rows
_LOOKED_AT = 64  # shared rows whose values are looked at
_LOOKED_INTO = 16  # columns of them
_SELDOM = 3  # a row that occurs more often is no full-resolution row
_ROWS = 100_000  # first rows, of which the resolution is found
_FINEST = 8  # columns among which the second one is sought
_HALF, _SINGLE = 16, 32  # bits of half and single precision


def check_independence(
    generated: Sample,
    reference: Sample,
    training: Sample | Fingerprint | None = None,
    near: Mapping[str, Spread] | None = None,
) -> Independence:
    """Find the rows that the samples of a check share.

    The rows are compared in the numeric columns that both samples have, of one or of several entries per event; a
    column that one of them holds in single precision is rounded to it on both sides. Columns of other kinds are
    ignored, and those that number the events.

    Args:
        generated: Generated events.
        reference: True events.
        training: The true events that the generator was trained on, or their fingerprint; ``None`` if unknown.
        near: Where the samples are but some of the rows, side -> those rows of the whole that may be in a fingerprint.

    Raises:
        InputError: If the reference cannot be compared with the training, for want of common columns.
    """
    g, r = _Table("generated", generated), _Table("reference", reference)
    close = {side: _Table.near(side, spread) if spread.kept else None for side, spread in (near or {}).items()}
    pairs, notes = _pairs(g, r, training, close)
    tables = (g, r, *(b for _, b in pairs if isinstance(b, _Table)))
    held = {table.side: table for table in tables if numeric_columns(table.sample)}
    repeated = {side: _repeated(table) for side, table in held.items()}
    return Independence(
        overlaps=tuple(_compared(a, b, r) for a, b in pairs),
        duplicates={side: table.own().repeats for side, table in held.items()},
        duplicated=tuple(side for side, examples in repeated.items() if examples is not None),
        columns=r.own_columns(),
        examples=repeated.get("reference") or (),
        notes=notes,
    )


def _pairs(
    g: _Table, r: _Table, training: Sample | Fingerprint | None, near: Mapping[str, _Table | None]
) -> tuple[list[tuple[_Table, _Table | Fingerprint]], tuple[str, ...]]:
    """List what is to be compared with what, and what cannot be, in sentences.

    Raises:
        InputError: If the reference cannot be compared with the training.
    """
    pairs: list[tuple[_Table, _Table | Fingerprint]] = []
    notes = []
    if training is not None:
        other = training if isinstance(training, Fingerprint) else _Table("training", training)
        for whole in (r, g):
            table = near.get(whole.side, whole)
            if table is None:
                notes.append(f"no {whole.side} row is near the fingerprint of the training: none repeats a row of it")
                continue
            missing = _missing(table, other)
            if missing is None:
                pairs.append((table, other))
            elif whole is r:
                msg = f"{missing}; expected the same columns, by the same names: whether they share rows must be known"
                raise InputError(msg)
            else:
                notes.append(f"whether generated rows repeat training rows was not checked: {missing}")
    missing = _missing(g, r)
    if missing is None:
        pairs.append((g, r))
    else:
        notes.append(f"whether generated rows repeat reference rows was not checked: {missing}")
    return pairs, tuple(notes)


class _Table:
    """A sample whose digests are kept for the next comparison."""

    def __init__(self, side: Side, sample: Sample, rows: int | None = None, limit: int = LARGEST) -> None:
        self.side = side
        self.sample = sample
        self.limit = limit
        self._rows = len(sample) if rows is None else rows
        self._digests: dict[tuple[tuple[str, int], ...], Digests] = {}
        self._distinct: dict[tuple[tuple[str, int], ...], Distinct] = {}
        self._numbers: dict[str, bool] = {}

    @classmethod
    def near(cls, side: Any, spread: Spread) -> _Table:  # noqa: ANN401 - a side
        """Take the rows of a long sample that have small digests for it."""
        return cls(side, Sample(spread.columns), spread.total, spread.limit)

    def widths(self, columns: Sequence[str]) -> dict[str, int]:
        """Return the bits that the values of columns are held in."""
        return {name: width(self.sample, name) for name in columns}

    def digests(self, widths: Mapping[str, int]) -> Digests:
        """Return the digests of all rows, at these widths."""
        key = self._key(widths)
        if key not in self._digests:
            self._digests[key] = row_digests(self.sample, tuple(widths), dict(key))
        return self._digests[key]

    def distinct(self, widths: Mapping[str, int]) -> Distinct:
        """Return the distinct digests, at these widths."""
        key = self._key(widths)
        if key not in self._distinct:
            self._distinct[key] = distinct(self.digests(widths), self._rows).up_to(self.limit)
        return self._distinct[key]

    def numbers(self, name: str) -> bool:
        """Tell whether a column only gives events a number, at random."""
        if name not in self._numbers:
            self._numbers[name] = is_number_of_event(self.sample[name])
        return self._numbers[name]

    def tells(self, name: str) -> bool:
        """Tell whether a column can tell events apart."""
        return not (is_label(self.sample[name]) or self.numbers(name))

    def is_float(self, name: str) -> bool:
        """Tell whether a column is not of integers."""
        return bool(self.sample[name].dtype.kind == "f")

    def own_columns(self) -> tuple[str, ...]:
        """Return the columns that make up a row, but for numbers of events, under which one event may be read twice."""
        names = numeric_columns(self.sample)
        return tuple(name for name in names if not self.numbers(name)) or names

    def own(self) -> Distinct:
        """Return the distinct digests of the rows as they are."""
        return self.distinct(self.widths(self.own_columns()))

    def values(self, rows: NDArray[np.intp] | slice, widths: Mapping[str, int]) -> Numbers:
        """Return rows as numbers of shape (rows, columns), rounded to these widths."""
        return np.stack([leading(self.sample[name][rows], bits) for name, bits in widths.items()], axis=1)

    def _key(self, widths: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
        return tuple((name, 64 if bits >= width(self.sample, name) else bits) for name, bits in sorted(widths.items()))


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Distinct rows that occur where they should not: in two samples, or again in one.

    Attributes:
        digests: Of those that are looked at, of shape (found,), those that occur least first.
        holders: The samples that hold them, with the number of rows that each sample has of them.
        pairs: Number of pairs of distinct rows that might have coincided.
        seldom: Which of them occur seldom enough to be of full resolution, of shape (found,).
        widths: Columns and their widths.
        true: A sample of true events, whose resolution is that of all.
    """

    digests: Digests
    holders: tuple[tuple[_Table, NDArray[np.int64]], ...]
    pairs: float
    seldom: NDArray[np.bool_]
    widths: Mapping[str, int]
    true: _Table

    def rows(self) -> tuple[Numbers, tuple[Row, ...]]:
        """Return the values, of shape (found, columns), and up to three rows; NaN for unequal rows of one digest."""
        first = [table.values(_positions(table, self), self.widths) for table, _ in self.holders]
        same = np.all([np.all((other == first[0]) | (np.isnan(other) & np.isnan(first[0])), 1) for other in first], 0)
        table = self.holders[0][0]
        shown = _positions(table, self)[same][:_SHOWN]  # in the order of digests, whatever that of the events
        examples = tuple({name: _example(table.sample[name], row) for name in self.widths} for row in shown)
        return np.where(same[:, None], first[0], np.nan), examples


def _positions(table: _Table, found: _Found) -> NDArray[np.intp]:
    return first_rows(table.digests(found.widths), found.digests)


def _common(a: _Table, b: _Table) -> tuple[str, ...]:
    return tuple(sorted(set(numeric_columns(a.sample)) & set(numeric_columns(b.sample))))


def _compared(a: _Table, b: _Table | Fingerprint, reference: _Table) -> Overlap:
    """Compare a sample with another, of true events, in several ways; return what finds most beyond chance, if any.

    Single precision is not needed where rows are shared as they are, and would count others that are so by chance.
    """
    ways = _ways_by_fingerprint(a, b) if isinstance(b, Fingerprint) else _ways(a, b)
    overlaps: list[Overlap] = []
    for widths in ways:
        single = any(bits < ways[0][name] for name, bits in widths.items())
        if single and any(overlap.beyond_chance for overlap in overlaps):
            break
        alpha = ALPHA if len(ways) == 1 else ALPHA * (1 - _OTHERS) if not overlaps else ALPHA * _OTHERS / 2
        overlap = _compared_in(a, b, widths, reference, alpha)
        common = b.columns if isinstance(b, Fingerprint) else _common(a, b)
        left_out = tuple(name for name in common if name not in widths)
        overlaps.append(replace(overlap, left_out=left_out, single=single))
    return max(overlaps, key=lambda overlap: (overlap.beyond_chance, overlap.beyond_chance * overlap.rows))


def _compared_in(
    a: _Table, b: _Table | Fingerprint, widths: Mapping[str, int], reference: _Table, alpha: float
) -> Overlap:
    """Compare a sample with another in these columns at these widths."""
    if isinstance(b, Fingerprint):
        sketch = _sketched(b, widths).up_to(a.limit)
        return _overlap(a, "training", a.distinct(widths).up_to(sketch.limit), sketch, widths, None, reference, alpha)
    return _overlap(a, b.side, a.distinct(widths), b.distinct(widths), widths, b, b, alpha)


def _ways(a: _Table, b: _Table) -> list[dict[str, int]]:
    """List the columns to compare and their widths: all, those in which one event cannot differ, those in single.

    Numbers of events are in none of them, if there are others: drawn without repetition, they make chance seem small.
    """
    common = _common(a, b)
    named = tuple(name for name in common if not (a.numbers(name) or b.numbers(name))) or common
    widths = {name: min(width(a.sample, name), width(b.sample, name)) for name in named}
    same = {name: bits for name, bits in widths.items() if not _may_differ(a, b, name, bits)} or widths
    floats = [name for name in same if a.is_float(name) or b.is_float(name)]
    ways = [widths, same, {**same, **{name: min(same[name], _SINGLE) for name in floats}}]
    return [way for place, way in enumerate(ways) if way not in ways[:place]]


def _may_differ(a: _Table, b: _Table, name: str, bits: int) -> bool:
    """Tell whether a column may differ between two copies of one event, as it says which sample it is in.

    A generator may give the same answer for all of the conditions that it was given, and repeats nothing.
    """
    constant = a.side == "reference" and (is_constant(a.sample[name]) or is_constant(b.sample[name]))
    return constant or disjoint_by_construction(a.sample[name], b.sample[name], bits)


def _ways_by_fingerprint(a: _Table, b: Fingerprint) -> list[dict[str, int]]:
    """List the widths that a sample can be compared in with a fingerprint: as they are, if the same, and single."""
    wide = [dict.fromkeys(b.columns, WIDTHS[-1])] if tuple(a.widths(b.columns).values()) == b.widths else []
    narrow = [dict.fromkeys(b.columns, _SINGLE)] if not wide or max(b.widths) > _SINGLE else []
    return wide + narrow


def _sketched(training: Fingerprint, widths: Mapping[str, int]) -> Distinct:
    sketch = training.wide if min(widths.values()) > _SINGLE else training.narrow
    return sketch.distinct(training.rows)


def _missing(a: _Table, b: _Table | Fingerprint) -> str | None:
    """Say why two samples cannot be compared, if so."""
    there = list(numeric_columns(a.sample))
    if isinstance(b, _Table):
        common = _common(a, b)
        if not common:
            return (
                f"{a.side} and {b.side} have no numeric column in common: {there} and {list(numeric_columns(b.sample))}"
            )
        tells = any(a.tells(name) and b.tells(name) for name in common)
        return None if tells else _untold(a, b.side, common)
    absent = sorted(set(b.columns) - set(there))
    if absent:
        common = tuple(name for name in b.columns if name in there)
        return (
            f"the {a.side} has no numeric columns {absent}, of which the fingerprint of the training was made beside "
            f"others; it has {there}: make it anew of those of both, "
            f"gv.fingerprint(events, columns={list(common or there)}, weight=...)"
        )
    untold = None if any(a.tells(name) for name in b.columns) else _untold(a, "training", b.columns)
    if untold is not None:
        return untold
    for (name, held), bits in zip(a.widths(b.columns).items(), b.widths, strict=True):
        if held != bits and _HALF in {held, bits}:
            return (
                f"the column {name!r} has {held} bits in the {a.side} and {bits} in the training, whose fingerprint "
                "cannot be rounded to half precision"
            )
    return None


def _untold(a: _Table, side: str, common: Sequence[str]) -> str | None:
    """Say that the columns in common tell no event from another, if columns that do are missing on the other side."""
    lost = [name for name in numeric_columns(a.sample) if name not in common and a.tells(name)]
    if not lost:
        return None
    return (
        f"{a.side} and {side} have only {list(common)} in common, labels or numbers of events that do not tell what "
        f"happened in one; the {a.side} also has {lost}"
    )


def _overlap(
    a: _Table,
    side: str,
    in_a: Distinct,
    in_b: Distinct,
    widths: Mapping[str, int],
    b: _Table | None,
    true: _Table,
    alpha: float,
) -> Overlap:
    """Compare the distinct rows of two samples, or those up to the limit of a sketch.

    Args:
        a: The first sample.
        side: What the second one is.
        in_a: Distinct rows of the first.
        in_b: Distinct rows of the second.
        widths: Columns and the widths that they were rounded to.
        b: The second sample, if at hand.
        true: A sample of true events.
        alpha: Probability of a false alarm.
    """
    from_a, from_b = shared(in_a, in_b)
    p_value, hint = p_counting(in_a, in_b, from_a, from_b, exchangeable=a.side != "generated")
    expected = expected_rows(in_a, in_b)
    scale = LARGEST / max(in_b.limit, 1)
    examples: tuple[Row, ...] = ()
    if from_a.size:
        least = np.argsort(in_a.counts[from_a] + in_b.counts[from_b], kind="stable")[:_LOOKED_AT]
        at_a, at_b = from_a[least], from_b[least]
        holders = ((a, in_a.counts[at_a]), *(() if b is None else ((b, in_b.counts[at_b]),)))
        pairs = scale * in_a.values.size * in_b.values.size
        found = _Found(in_a.values[at_a], holders, pairs, in_b.counts[at_b] <= _SELDOM, widths, true)
        values, examples = found.rows()
        if p_value >= alpha:
            p_value, mean = _with_resolution(found, values, p_value, hint)
            expected = min(expected, scale * mean)
    rows = int(in_a.counts[from_a].sum())
    exact = in_b.limit == LARGEST
    lower, estimate, upper = (rows,) * 3 if exact else scaled_rows(in_a, rows)
    return Overlap(
        sides=(a.side, side),
        columns=tuple(widths),
        rows=estimate,
        rows_lower=lower,
        rows_upper=upper,
        distinct=from_a.size if exact else min(round(scale * from_a.size), estimate),
        of=in_a.rows,
        expected_by_chance=float(min(expected, in_a.rows)),
        beyond_chance=bool(p_value < alpha),
        exact=exact,
        examples=examples,
    )


def scaled_rows(in_a: Distinct, rows: int) -> tuple[int, int, int]:
    """Scale the shared rows found among those up to the limit of a sketch to the whole sample.

    Clopper-Pearson limits of the share. Equal rows are looked at together or not at all, so what counts is their
    effective number, (Σ c)² / Σ c² for rows that occur c times.
    """
    held = float(in_a.counts.sum())
    if not held:
        return 0, 0, in_a.rows
    effective = held**2 / float((in_a.counts.astype(float) ** 2).sum())
    share, tail = rows / held, (1 - _CONFIDENCE) / 2
    hits, misses = share * effective, (1 - share) * effective
    lower = float(special.betaincinv(hits, misses + 1, tail)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses else 1.0
    estimate = round(share * in_a.rows)
    return (
        min(max(math.floor(lower * in_a.rows), rows), estimate),
        estimate,
        max(math.ceil(min(upper, 1.0) * in_a.rows), estimate),
    )


def expected_rows(in_a: Distinct, in_b: Distinct) -> float:
    """Limit the rows of one sample that chance repeats from another: Good's estimate of the mass that was seen."""
    held = int(in_b.counts.sum())
    if not held:
        return float(in_a.rows)
    once, twice = in_b.occurring(1), in_b.occurring(2)
    return in_a.rows * (held - once + 2 * (poisson_upper(twice, 1 - _CONFIDENCE) - twice)) / held


def _repeated(table: _Table) -> tuple[Row, ...] | None:
    """Return examples of the rows that a sample repeats, if more than independent events would; else ``None``."""
    whole, widths = table.own(), table.widths(table.own_columns())
    again = np.flatnonzero(whole.counts > 1)
    if not again.size:
        return None
    p_value = p_convexity(whole.counts)
    least = again[np.argsort(whole.counts[again], kind="stable")[:_LOOKED_AT]]
    counts = whole.counts[least]
    pairs = 0.5 * whole.values.size**2
    found = _Found(whole.values[least], ((table, counts),), pairs, counts <= _SELDOM, widths, table)
    values, examples = found.rows()
    if p_value >= ALPHA:
        p_value, _ = _with_resolution(found, values, p_value, p_value)
    return examples if p_value < ALPHA else None


def _with_resolution(found: _Found, values: Numbers, p_value: float, hint: float) -> tuple[float, float]:
    """Judge chance by the resolution of the columns too.

    Args:
        found: The rows.
        values: Their values, of shape (found, columns).
        p_value: What counting says.
        hint: What it hints at; without a hint, the resolution of a single column is not enough.

    Returns:
        The smaller p-value, and how many such rows chance makes, infinite if the resolution does not tell.
    """
    fresh = _fresh(found, values) & found.seldom[:, None]
    often = fresh.sum(0)
    if not often.any():
        return p_value, math.inf
    names = [name for name, number in zip(found.widths, often, strict=True) if 2 * number >= often.max()]
    columns = {name: leading(found.true.sample[name][:_ROWS], found.widths[name]) for name in names}
    chances = {name: collision(column, found.widths[name]) for name, column in columns.items()}
    finest, *others = sorted(names, key=chances.__getitem__)[:_FINEST]
    if chances[finest] == 1:  # nor do columns of fewer values than it takes to say more
        return p_value, math.inf
    at = list(found.widths).index
    claims = [(found.pairs * chances[finest], fresh[:, at(finest)])] if hint < _HINT else []
    for name in others:
        free = freedom(columns[finest], columns[name])
        if free >= 0.5:  # noqa: PLR2004 - half way from a function to independence
            mean = found.pairs * chances[finest] * chances[name] ** free
            claims.append((mean, fresh[:, at(finest)] & fresh[:, at(name)]))
    tests = [(poisson_tail(int(rows.sum()), mean), mean) for mean, rows in claims]
    return min([(p_value, math.inf), *tests])


def _fresh(found: _Found, values: Numbers) -> NDArray[np.bool_]:
    """Tell which values occur in no other row and are not special, of shape (found, columns).

    Special are short numbers, and the least and the greatest of a column: rare values where a column is cut off,
    or that stand for a failure, are not known to be special after a change of scale but are still at an end.
    """
    holders = list(found.holders)
    if all(found.true is not table for table, _ in holders):
        holders.append((found.true, np.zeros(len(values), np.int64)))
    bits = list(found.widths.values())
    fresh = np.array([[not is_short(value, bits[place]) for place, value in enumerate(row)] for row in values])
    looked_at = np.argsort(-fresh.sum(0), kind="stable")[:_LOOKED_INTO]
    for place, name in enumerate(found.widths):
        for table, rows in holders if place in looked_at else ():
            fresh[:, place] &= occurs(leading(table.sample[name], bits[place]), values[:, place], rows)
    fresh[:, np.setdiff1d(np.arange(len(bits)), looked_at)] = False
    return fresh


def _example(column: Any, row: np.intp) -> Any:  # noqa: ANN401
    """Return a value of a column, or the first few of an event as a list, as JSON can hold."""
    if not isinstance(column, Entries):
        return _builtin(column[row])
    (number,) = column.counts[[row]].tolist()
    start = int(column.counts[:row].sum())
    shown = [_builtin(value) for value in column.values[start : start + min(number, _SHOWN)]]
    return [*shown, f"and {number - _SHOWN} more"] if number > _SHOWN else shown


def _builtin(value: Any) -> Any:  # noqa: ANN401
    """Turn a numpy scalar into what JSON can hold."""
    number = value.item() if value.dtype.itemsize <= 8 else float(value)  # noqa: PLR2004 - longdouble is wider
    return number if isinstance(number, bool | int) or math.isfinite(number) else str(number)

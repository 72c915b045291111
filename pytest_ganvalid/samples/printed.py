"""Whether samples are independent of which only the fingerprints are known: judged by counting.

The smallest digests of both, up to the smaller of their limits, are all distinct rows of both that have them; so what
is asked of two samples can be asked of these (`coincidence`). By that alone it takes about 80 shared rows among those
held, some 5 % of a long sample, to say that they are no chance. A single number that was found when the events were
read, how rarely two rows agree (`row_chance_of`), lowers that to 5 rows, some 0.5 % of samples of 100,000 rows or more
with two columns of floats; values that repeat, as special ones do, make it less sensitive in longer samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.coincidence import (
    ALPHA,
    binomial_tail,
    p_convexity,
    p_counting,
    poisson_tail,
    poisson_upper,
)
from pytest_ganvalid.samples.digests import (
    LARGEST,
    Distinct,
    Numbers,
    distinct,
    leading,
    row_digests,
    shared,
    width,
)
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.samples.independence import expected_rows, scaled_rows
from pytest_ganvalid.samples.overlaps import Independence, Overlap
from pytest_ganvalid.samples.resolution import collision, freedom
from pytest_ganvalid.samples.sample import Sample

_HALF, _SINGLE = 16, 32  # bits
_ROWS = 100_000  # first rows, of which it is found how rarely two agree
_RARE = 1e-6  # probability with which a limit of that is too low
_LEAST = 1e-30  # such a limit, at least
_SELDOM = 3  # a value that occurs more often is not of full resolution
_FINEST = 8  # columns among which the second one is sought
_REFUTED = 1e-3  # probability of as many agreeing rows, below which the resolution of the columns is not all
_HINT = 0.05  # of the probability of as many shared rows by counting alone
_HITS = 5  # shared rows, at least, that are said to be no chance by the resolution
_OTHERS = (
    0.2  # of the probability of a false alarm, for the comparison in single precision after that of rows as they are
)


def check_fingerprints(
    generated: Fingerprint,
    reference: Fingerprint,
    training: Fingerprint | None = None,
    *,
    row_chance: float = 1.0,
) -> Independence:
    """Find the rows that the samples of a check share.

    Args:
        generated: The fingerprint of the generated events.
        reference: That of true events.
        training: That of the true events that the generator was trained on; ``None`` if unknown.
        row_chance: The larger of what `row_chance_of` says of the first two; 1 if unknown.

    Raises:
        InputError: If the reference cannot be compared with the training, for want of the same columns.
    """
    if training is not None and training.columns != reference.columns:
        msg = (
            f"the training is known by {list(training.columns)}, and the reference by {list(reference.columns)}; make "
            f"the fingerprint anew: gv.fingerprint(events, columns={list(reference.columns)})"
        )
        raise InputError(msg)
    overlaps, notes = [], []
    for sides, a, b in _pairs(generated, reference, training):
        found = _compared(sides, a, b, row_chance) if a.columns == b.columns else None
        if found is None:
            notes.append(f"whether {sides[0]} rows repeat {sides[1]} rows was not checked: they are stored differently")
        else:
            overlaps.append(found)
    own = {side: _repeats(one) for side, one in (("generated", generated), ("reference", reference))}
    return Independence(
        overlaps=tuple(overlaps),
        duplicates={side: round(rows.repeats * (LARGEST / rows.limit)) for side, (rows, _) in own.items()},
        duplicated=tuple(side for side, (_, beyond_chance) in own.items() if beyond_chance),
        columns=reference.columns,
        notes=tuple(notes),
    )


def _repeats(one: Fingerprint) -> tuple[Distinct, bool]:
    """Return the rows of a sample, in single precision if only so they repeat beyond chance; and whether they do.

    A file may have been added to another one after it was stored in single precision.
    """
    wide, narrow = (sketch.distinct(one.rows) for sketch in (one.wide, one.narrow))
    if p_convexity(wide.counts) < ALPHA * (1 - _OTHERS):
        return wide, True
    return (narrow, True) if p_convexity(narrow.counts) < ALPHA * _OTHERS else (wide, False)


def row_chance_of(sample: Sample, columns: Sequence[str]) -> float:
    """Limit the probability that two independent rows agree, in single precision and so in double, too.

    Pairs of rows that do agree limit it, for data of any kind. Where values hardly ever repeat, the resolution of the
    columns says more, of at most two, the second as far as it does not follow from the first; what there is of special
    values, or of coarse ones, would repeat.

    Args:
        sample: Some rows, of which the first ones count.
        columns: What makes up a row.

    Returns:
        A number above 0 and at most 1.
    """
    few = sample.first(min(len(sample), _ROWS))
    widths = {name: min(width(few, name), _SINGLE) for name in columns}
    counts = distinct(row_digests(few, tuple(columns), widths)).counts.astype(float)
    agreeing = round(float((counts * (counts - 1)).sum()) / 2)
    pairs = max(len(few) * (len(few) - 1) / 2, 1.0)
    limit = min(1.0, poisson_upper(agreeing, _RARE) / pairs)
    values = {name: leading(few[name], bits) for name, bits in widths.items()}
    fine = {name: column for name, column in values.items() if not _repeating(column)}
    chances = {name: collision(column, widths[name]) for name, column in fine.items()}
    names = sorted((name for name, chance in chances.items() if chance < 1), key=chances.__getitem__)[:_FINEST]
    claims = []
    for name in names[1:]:
        free = freedom(fine[names[0]], fine[name])
        if free >= 0.5:  # noqa: PLR2004 - half way from a function to independence
            claims.append(chances[names[0]] * chances[name] ** free)
    held = [claim for claim in claims if poisson_tail(agreeing, pairs * claim) > _REFUTED]
    return float(max(min([limit, *held]), _LEAST))


def _repeating(column: Numbers) -> bool:
    """Tell whether a column has values that occur often, or are undefined, as special ones do."""
    _, counts = np.unique(column, return_counts=True)
    return bool(counts.max() > _SELDOM or np.isnan(column).any())


def _p_agreeing(
    in_a: Distinct, in_b: Distinct, from_a: NDArray[np.intp], from_b: NDArray[np.intp], row_chance: float
) -> tuple[float, float]:
    """Limit the probability that as many rows agree that occur once in both, and return how many chance makes.

    Pairs of rows up to the limit are as many as the product of their numbers, and agree more often than any two by
    the inverse of the share of the digests that are up to it, as only pairs on the same side of it can agree. Counting
    must at least hint at the same: a few rows of either sample that occur twice are a sign of others, unseen before,
    that agree more often.
    """
    once_a, once_b = in_a.occurring(1), in_b.occurring(1)
    hits = int(np.count_nonzero((in_a.counts[from_a] == 1) & (in_b.counts[from_b] == 1)))
    mean = once_a * once_b * row_chance * (LARGEST / max(in_a.limit, 1))
    ratio, twice = in_a.rows / in_b.rows, in_a.occurring(2) + in_b.occurring(2)
    hinted = hits >= _HITS and binomial_tail(hits, twice, 2 * ratio / (1 + ratio**2)) < _HINT
    return (poisson_tail(hits, mean) if hinted else 1.0), mean


def _pairs(
    generated: Fingerprint, reference: Fingerprint, training: Fingerprint | None
) -> Iterator[tuple[tuple[str, str], Fingerprint, Fingerprint]]:
    if training is not None:
        yield ("reference", "training"), reference, training
        yield ("generated", "training"), generated, training
    yield ("generated", "reference"), generated, reference


def _compared(sides: tuple[str, str], a: Fingerprint, b: Fingerprint, row_chance: float) -> Overlap | None:
    """Compare the rows as they are and in single precision; ``None`` if neither tells equal rows."""
    same, held = a.widths == b.widths, {*a.widths, *b.widths}
    if not same and _HALF in held:
        return None
    if not same:
        return _overlap(sides, a, b, ALPHA, row_chance, single=True)
    if max(held) <= _SINGLE:
        return _overlap(sides, a, b, ALPHA, row_chance, single=False)
    as_they_are = _overlap(sides, a, b, ALPHA * (1 - _OTHERS), row_chance, single=False)
    rounded = _overlap(sides, a, b, ALPHA * _OTHERS, row_chance, single=True)
    return rounded if rounded.beyond_chance and not as_they_are.beyond_chance else as_they_are


def _overlap(
    sides: tuple[str, str], a: Fingerprint, b: Fingerprint, alpha: float, row_chance: float, *, single: bool
) -> Overlap:
    in_a, in_b = ((one.narrow if single else one.wide).distinct(one.rows) for one in (a, b))
    limit = min(in_a.limit, in_b.limit)
    in_a, in_b = in_a.up_to(limit), in_b.up_to(limit)
    from_a, from_b = shared(in_a, in_b)
    p_value, _ = p_counting(in_a, in_b, from_a, from_b, exchangeable=sides[0] != "generated")
    expected = float(expected_rows(in_a, in_b))
    if p_value >= alpha:
        again, mean = _p_agreeing(in_a, in_b, from_a, from_b, row_chance)
        if again < alpha:
            p_value, expected = again, min(expected, LARGEST / limit * mean)
    rows, exact = int(in_a.counts[from_a].sum()), limit == LARGEST
    lower, estimate, upper = (rows,) * 3 if exact else scaled_rows(in_a, rows)
    return Overlap(
        sides=sides,
        columns=a.columns,
        rows=estimate,
        rows_lower=lower,
        rows_upper=upper,
        distinct=from_a.size if exact else min(round(LARGEST / limit * from_a.size), estimate),
        of=in_a.rows,
        expected_by_chance=min(expected, in_a.rows),
        beyond_chance=bool(p_value < alpha),
        exact=exact,
        single=single,
    )

"""Whether reference, training and generated samples are independent: which rows they share, and whether by chance.

Rows are compared as they are, in single and in half precision: a file format or a program may have rounded them. The
three share the probability of a false alarm. `key` and `chance` describe how chance is judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.overlaps.chance import (
    ALPHA,
    TAIL,
    binomial_tail,
    expected_rows,
    p_convexity,
    p_counting,
    poisson_tail,
    scaled_rows,
)
from pytest_ganvalid.overlaps.digests import DOUBLE, LARGEST, PRECISIONS, WORDS, Distinct, shared
from pytest_ganvalid.overlaps.findings import Independence, Overlap, Row
from pytest_ganvalid.overlaps.fingerprint import STORED, Fingerprint

PARTS_ALPHA = 1e-12
"""Probability, at most, with which two independent parts of one sample are said to share events."""
_ROUNDED_SHARE = 0.1  # of the probability of a false alarm, for each comparison of rounded rows
_HINT = 1e-3  # p-value of counting below which the resolution of a single column counts as evidence
_MAX_OCCURRENCES = 3  # a row that occurs more often is no full-resolution row
_MAX_EXAMPLES = 3  # rows
_BLIND, _BLIND_ROUNDED = 0.005, 0.05  # shares of copies, and of rounded ones, above which the sensitivity is reported
_UNROUNDED_SHARE = 0.9  # share of the rows equal once rounded that must be equal as they are


def independence(
    generated: Fingerprint | None,
    reference: Fingerprint | None,
    training: tuple[Fingerprint | None, Fingerprint | None, Fingerprint | None] | None = None,
) -> Independence:
    """Find the rows that the samples of a check share.

    Args:
        generated: The generated rows; ``None`` if they cannot be compared with the reference.
        reference: The reference rows, by the same key; likewise.
        training: The generated, reference and training rows, by a key of the training; ``None`` for a sample without
            all of its columns, or if there is no training.
    """
    overlaps: list[Overlap] = []
    if training is not None:
        generated_rows, reference_rows, training_rows = training
        if training_rows is not None:
            pairs = (("reference", reference_rows), ("generated", generated_rows))
            overlaps += [
                shared_rows(rows, training_rows, (side, "training")) for side, rows in pairs if rows is not None
            ]
    if generated is not None and reference is not None:
        overlaps.append(shared_rows(generated, reference, ("generated", "reference")))
    sides: dict[str, Fingerprint | None] = {"generated": generated, "reference": reference}
    repeats = {side: _repeats(rows) for side, rows in sides.items() if rows is not None}
    findings = Independence(
        overlaps=tuple(overlaps),
        duplicates={side: number for side, (number, _, _) in repeats.items()},
        duplicated=tuple(side for side, (_, beyond_chance, _) in repeats.items() if beyond_chance),
        distinct={side: rows.rows - repeats[side][0] for side, rows in sides.items() if rows is not None},
        columns=() if reference is None else reference.columns,
        examples=repeats["reference"][2] if "reference" in repeats else (),
        notes=tuple(overlap.sensitivity() for overlap in overlaps if _is_blind(overlap)),
    )
    return replace(findings, notes=(*findings.notes, *filter(None, [findings.repeats()])))


def rows_in_both(a: Fingerprint, b: Fingerprint) -> tuple[int, int, int] | None:
    """Return how many events of one part of a sample are also in another part, if independent parts share fewer.

    Both parts are of one law, so that how often either repeats its own rows says what chance allows for (see
    `chance.p_counting`), whatever that law is: discrete columns, and generators that repeat some of their events, too.
    Resolution is no argument here. Thousands of parts are millions of pairs, hence the small `PARTS_ALPHA`.

    Returns:
        Lower limit, estimate and upper limit (95 %); ``None`` if chance may have made them.
    """
    limit, bits = min(a.consolidated.limit, b.consolidated.limit), a.key.precisions[0]
    in_a, in_b = a.distinct(bits, limit), b.distinct(bits, limit)
    from_a, from_b = shared(in_a, in_b)
    if not from_a.size or p_counting(in_a, in_b, from_a, from_b, exchangeable=True)[0] >= PARTS_ALPHA:
        return None
    rows = int(in_a.counts[from_a].sum())
    return (rows,) * 3 if in_b.limit == LARGEST else scaled_rows(in_a, rows)


def _is_blind(overlap: Overlap) -> bool:
    """Tell whether copies could go unseen, so that it must be said which."""
    return not overlap.exact or overlap.seen_from > _BLIND or overlap.seen_rounded_from > _BLIND_ROUNDED


def shared_rows(a: Fingerprint, b: Fingerprint, sides: tuple[str, str]) -> Overlap:
    """Compare the rows of a sample with those of another, of true events, by the same key.

    Args:
        a: The first sample.
        b: The second sample.
        sides: Names of both samples.

    Returns:
        The overlap in the precision with the largest excess over chance, if any has one.
    """
    overlaps, limit = [], min(a.consolidated.limit, b.consolidated.limit)
    levels = _levels(a)
    for bits, alpha in levels.items():
        overlaps.append(_overlap(a, b, a.distinct(bits, limit), b.distinct(bits, limit), bits, sides, alpha))
    significant = [overlap for overlap in overlaps if overlap.beyond_chance]
    largest = max(significant, key=_excess, default=overlaps[0])
    best = next(
        (overlap for overlap in significant if _excess(overlap) >= _UNROUNDED_SHARE * _excess(largest)), largest
    )
    shares = {bits: overlap.seen_from for bits, overlap in zip(levels, overlaps, strict=True)}
    half = shares[min(levels)] if min(levels) == min(PRECISIONS) else math.inf
    return replace(best, seen_from=min(shares.values()), seen_rounded_from=half)


def _excess(overlap: Overlap) -> float:
    """Return how many rows more are shared than chance allows for."""
    return overlap.rows - overlap.expected_by_chance


def _levels(rows: Fingerprint) -> dict[int, float]:
    """Return the precisions in which rows are compared, the finest first, with their shares of a false alarm."""
    finest, *others = rows.key.precisions
    return {finest: ALPHA * (1 - _ROUNDED_SHARE * len(others)), **dict.fromkeys(others, ALPHA * _ROUNDED_SHARE)}


def _overlap(
    a: Fingerprint,
    b: Fingerprint,
    in_a: Distinct,
    in_b: Distinct,
    bits: int,
    sides: tuple[str, str],
    alpha: float,
) -> Overlap:
    """Compare distinct rows in one precision."""
    from_a, from_b = shared(in_a, in_b)
    exchangeable = sides[0] != "generated"
    p_value, hint = p_counting(in_a, in_b, from_a, from_b, exchangeable=exchangeable)
    scale = LARGEST / max(in_b.limit, 1)
    pairs = scale * in_a.values.size * in_b.values.size
    expected, means = expected_rows(in_a, in_b), _means(pairs, bits, a, b)
    # A stored sketch knows from more rows than it holds how rarely two agree.
    coincidences = (
        pairs
        * min(side.row_chance(bits) for side in ((a, b) if exchangeable else (b,)))
        * (1 if exchangeable else TAIL)
    )
    if from_a.size and p_value >= alpha:
        singles = np.count_nonzero((in_a.counts[from_a] == 1) & (in_b.counts[from_b] == 1))
        p_value = min(p_value, poisson_tail(int(singles), coincidences))
    if from_a.size and p_value >= alpha:
        fresh = np.minimum(a.freshness(in_a.first[from_a]), b.freshness(in_b.first[from_b]))
        p_value, mean = _by_resolution(fresh[in_b.counts[from_b] <= _MAX_OCCURRENCES], means, p_value, hint)
        expected = min(expected, scale * mean)
    rows, exact = int(in_a.counts[from_a].sum()), in_b.limit == LARGEST
    lower, estimate, upper = (rows,) * 3 if exact else scaled_rows(in_a, rows)
    rarest = np.argsort(in_a.counts[from_a] + in_b.counts[from_b], kind="stable")[:_MAX_EXAMPLES]
    beyond_chance = bool(p_value < alpha)
    return Overlap(
        sides=sides,
        columns=a.columns,
        precision=WORDS[bits],
        rows=estimate,
        rows_lower=lower,
        rows_upper=upper,
        distinct=from_a.size if exact else min(round(scale * from_a.size), estimate),
        of=in_a.rows,
        expected_by_chance=float(min(expected, in_a.rows)),
        beyond_chance=beyond_chance,
        exact=exact,
        seen_from=_min_copies(b, in_a, in_b, (coincidences, means[1]), alpha, exchangeable=exchangeable)
        / max(int(in_a.counts.sum()), 1),
        seen_rounded_from=math.inf,
        examples=a.examples(in_a.first[from_a[rarest]]) if beyond_chance else (),
    )


def _means(pairs: float, bits: int, a: Fingerprint, b: Fingerprint) -> tuple[float, float]:
    """Return how many rows chance makes agree at most, by one fresh value and by two."""
    index = PRECISIONS.index(bits)
    one_value, two_values = (
        max(getattr(side.key, name)[index] for side in (a, b) if side.key.fine or not a.key.fine)
        for name in ("alone", "both")
    )
    return pairs * one_value, pairs * two_values


def _by_resolution(
    fresh: NDArray[np.uint8], means: tuple[float, float], p_value: float, hint: float
) -> tuple[float, float]:
    """Judge chance by the resolution of the columns too.

    Args:
        fresh: How many fresh values each of the shared rows has.
        means: As of `_means`.
        p_value: What counting says.
        hint: What it hints at; without a hint, the resolution of a single column is not enough.

    Returns:
        The smaller p-value, and how many such rows chance makes, infinite if the resolution does not tell.
    """
    claims = [(poisson_tail(int(np.count_nonzero(fresh >= 2)), means[1]), means[1])]  # noqa: PLR2004
    if hint < _HINT:
        claims.append((poisson_tail(int(np.count_nonzero(fresh >= 1)), means[0]), means[0]))
    return min([(p_value, math.inf), *claims])


def _min_copies(
    b: Fingerprint,
    in_a: Distinct,
    in_b: Distinct,
    means: tuple[float, float],
    alpha: float,
    *,
    exchangeable: bool,
) -> float:
    """Return the smallest number of copies of rows of the second sample that is detected; infinite if there is none.

    Args:
        b: The second sample.
        in_a: Distinct rows of the first.
        in_b: Likewise of the second.
        means: How many rows chance makes agree, and how many by two fresh values.
        alpha: Probability of a false alarm.
        exchangeable: See `chance.p_counting`.
    """
    total = int(in_b.counts.sum())
    if not total:
        return math.inf
    doubles, odds = in_b.occurring(2), 2 * in_a.rows / in_b.rows * (1 if exchangeable else TAIL)
    counts = in_b.counts[:STORED]  # of a fair sample of the rows
    fresh = (b.freshness(in_b.first[:STORED]) >= 2) & (counts <= _MAX_OCCURRENCES)  # noqa: PLR2004
    single_share, resolved_share = in_b.occurring(1) / total, float(counts[fresh].sum() / counts.sum())

    def is_seen(copies: int) -> bool:
        singles = round(copies * single_share)
        p_value = binomial_tail(singles, doubles, odds) * (4 if exchangeable else 1)
        return (
            min(p_value, poisson_tail(singles, means[0]), poisson_tail(round(copies * resolved_share), means[1]))
            < alpha
        )

    return float(_smallest(is_seen, total)) if is_seen(total) else math.inf


def _smallest(holds: Callable[[int], bool], upper: int) -> int:
    """Return the smallest positive number, ``upper`` at most, for which a monotone condition holds."""
    lower = 1
    while lower < upper:
        middle = (lower + upper) // 2
        lower, upper = (lower, middle) if holds(middle) else (middle + 1, upper)
    return lower


def _repeats(sketch: Fingerprint) -> tuple[int, bool, tuple[Row, ...]]:
    """Return how many rows repeat another one, whether that is more than independent events would, and which.

    A file may have been added to another one after it was stored in single precision.
    """
    counts: Mapping[int, Distinct] = {bits: sketch.distinct(bits) for bits in sketch.key.precisions}
    for bits, alpha in _levels(sketch).items():
        rows = counts[bits]
        repeated = np.flatnonzero(rows.counts > 1)
        if not repeated.size:
            continue
        p_value = p_convexity(rows.counts)
        if p_value >= alpha:
            pairs = 0.5 * rows.values.size**2 * (LARGEST / max(rows.limit, 1))
            rare = repeated[rows.counts[repeated] <= _MAX_OCCURRENCES]
            p_value, _ = _by_resolution(
                sketch.freshness(rows.first[rare]), _means(pairs, bits, sketch, sketch), p_value, p_value
            )
        if p_value < alpha:
            rarest = repeated[np.argsort(rows.counts[repeated], kind="stable")[:_MAX_EXAMPLES]]
            return _scaled(rows), True, sketch.examples(rows.first[rarest])
    return _scaled(counts[DOUBLE]), False, ()


def _scaled(rows: Distinct) -> int:
    return round(rows.repeats * (LARGEST / max(rows.limit, 1)))

"""What chance allows two independent samples to share, found by counting how often rows of each repeat.

By counting: if rows are drawn independently, Σ (np) e^{-np} (1 - e^{-tnp}) ≤ 2t Σ (np)² e^{-np} / 2, the sums running
over the possible rows, of probability p: of the rows that occur once in a sample of n, those that also occur in
another, t times as large, are at most 2t times as many as those that occur twice (Good & Toulmin, Biometrika 1956).
Given both numbers together, the first is then binomial at most. This holds for data of any kind.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.overlaps.digests import LARGEST, Distinct

ALPHA = 1e-4
"""Probability, at most, with which independent samples are said to share rows."""
CONFIDENCE = 0.95
"""Of the limits that are reported."""
TAIL = 4.0
"""Times the true density that a generator may have at rare rows without being said to repeat them."""
_FREQUENT = 1000
_PARTS = 4  # shares of a test on the number of rows that occur k times: two limits and two tails
_SPARE = 3  # rows that the test for a common divisor leaves out, as the divisor is chosen from the data


def p_counting(
    in_a: Distinct, in_b: Distinct, from_a: NDArray[np.intp], from_b: NDArray[np.intp], *, exchangeable: bool
) -> tuple[float, float]:
    """Limit the probability that chance alone makes two samples share as many rows.

    Args:
        in_a: Distinct rows of the first sample.
        in_b: Distinct rows of the second, of true events, which sets what chance allows.
        from_a: Positions of the shared rows in the first.
        from_b: Positions of the shared rows in the second.
        exchangeable: Whether the first are true events too, so that both set what chance allows. A generator has
            another density, and could raise the level of chance by repeating its own rows.

    Returns:
        That limit; and the smallest p-value of its several tests, uncorrected, which is only a hint.
    """
    counts_a, counts_b = in_a.counts[from_a], in_b.counts[from_b]
    ratio = in_a.rows / in_b.rows
    hits = int(np.count_nonzero(counts_b == 1))
    hint = binomial_tail(hits, in_b.occurring(2), 2 * ratio)
    if not exchangeable:
        return binomial_tail(hits, in_b.occurring(2), 2 * ratio * TAIL), hint
    doubles = in_a.occurring(2) + in_b.occurring(2) - int((counts_a == 2).sum() + (counts_b == 2).sum())  # noqa: PLR2004
    singles = int(np.count_nonzero((counts_a == 1) & (counts_b == 1)))
    p_values = (
        hint,
        binomial_tail(int(np.count_nonzero(counts_a == 1)), in_a.occurring(2), 2 / ratio),
        binomial_tail(singles, doubles, 2 * ratio / (1 + ratio**2)),
        _p_identical(in_a, in_b, from_a.size, counts_a, counts_b),
    )
    return min(1.0, len(p_values) * min(p_values)), min(p_values)


def _p_identical(
    in_a: Distinct, in_b: Distinct, common: int, counts_a: NDArray[np.int64], counts_b: NDArray[np.int64]
) -> float:
    """Return the probability that two halves of a sample have each row equally often: Π C(2c, c) / C(2n, n)."""
    identical = common == in_a.values.size == in_b.values.size and np.array_equal(counts_a, counts_b)
    return p_repetition(counts_a) if identical and in_b.limit == LARGEST else 1.0


def p_repetition(counts: NDArray[np.integer], share: float = 1.0) -> float:
    """Return the probability, at most, that other independent rows occur just as often: Π C(2c, c) / C(2n, n).

    Args:
        counts: How often each distinct row occurs.
        share: Share of the sample; the probability is that of a part with this share of the events of each row.
    """
    number = np.bincount(np.minimum(counts, _FREQUENT))  # most rows occur a few times, if not once
    frequent = counts[counts >= _FREQUENT]
    n = np.concatenate([np.arange(number.size - (frequent.size > 0)), frequent, [counts.sum()]]) * share
    times = np.concatenate([number[: number.size - (frequent.size > 0)], np.ones(frequent.size), [-1.0]])
    terms = times * (special.gammaln(2 * n + 1) - 2 * special.gammaln(n + 1))
    return math.exp(min(float(terms.sum()), 0.0))


def p_convexity(counts: NDArray[np.int64]) -> float:
    """Limit the probability that independent rows repeat themselves so irregularly.

    Whatever the probabilities p of the rows, k! times the expected number of rows that occur k times is
    Σ (np)^k e^{-np}, of which no term exceeds the geometric mean of its neighbours (Cauchy and Schwarz), nor their
    arithmetic mean, to which it is compared given all three numbers together. Each row read twice, or ten times, leaves
    no rows that occur once, or nine times. Rows that occur a thousand times or more do not count.

    Where rows occur so often that no number does so twice, all are multiples of one number if each was read so often;
    an independent row is with a probability of a half at most.
    """
    occurring = np.bincount(np.minimum(counts, _FREQUENT))
    present = np.flatnonzero(occurring[: _FREQUENT - 1])
    occurring = np.pad(occurring, (0, 2))
    worst = 1.0
    for k in present[present > 1].tolist():
        share = _PARTS * k**2  # of the probability of a false alarm: the sum over all k is below 1
        number, neighbours = int(occurring[k]), [int(occurring[i]) for i in (k - 1, k + 1)]
        below, above = (poisson_upper(count, ALPHA / share) for count in neighbours)
        bound = math.sqrt((k + 1) / k)
        tails = (
            poisson_tail(number, bound * math.sqrt(below * above)),
            binomial_tail(number, sum(neighbours), bound / 2),
        )
        worst = min(worst, share * min(tails))
    if counts.size and np.gcd.reduce(counts) > 1:
        worst = min(worst, 2.0 ** (_SPARE - counts.size))
    return worst


def binomial_tail(hits: int, others: int, odds: float) -> float:
    """Return the probability of ``hits`` or more among ``hits`` + ``others``, given their odds."""
    return float(special.betainc(hits, others + 1, odds / (1 + odds))) if hits else 1.0


def poisson_upper(count: int, alpha: float) -> float:
    """Return the upper confidence limit of the mean of a Poisson number (Garwood 1936)."""
    return float(special.gammaincinv(count + 1, 1 - alpha))


def poisson_tail(count: int, mean: float) -> float:
    """Return the probability that a Poisson number is ``count`` or more."""
    return float(special.gammainc(count, mean)) if count else 1.0


def expected_rows(in_a: Distinct, in_b: Distinct) -> float:
    """Limit the rows of one sample that chance repeats from another: Good's estimate of the mass that was seen."""
    events = int(in_b.counts.sum())
    if not events:
        return float(in_a.rows)
    singles, doubles = in_b.occurring(1), in_b.occurring(2)
    return in_a.rows * (events - singles + 2 * (poisson_upper(doubles, 1 - CONFIDENCE) - doubles)) / events


def scaled_rows(in_a: Distinct, rows: int) -> tuple[int, int, int]:
    """Scale the shared rows among those up to the limit of a sketch to the whole sample.

    Clopper-Pearson limits of the share. A sketch takes equal rows together or not at all, so their effective number
    counts, (Σ c)² / Σ c² for rows that occur c times.

    Returns:
        Lower limit, estimate and upper limit.
    """
    events = float(in_a.counts.sum())
    if not events:
        return 0, 0, in_a.rows
    effective = events**2 / float((in_a.counts.astype(float) ** 2).sum())
    share, tail = rows / events, (1 - CONFIDENCE) / 2
    hits, misses = share * effective, (1 - share) * effective
    lower = float(special.betaincinv(hits, misses + 1, tail)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses else 1.0
    estimate = round(share * in_a.rows)
    return (
        min(max(math.floor(lower * in_a.rows), rows), estimate),
        estimate,
        max(math.ceil(min(upper, 1.0) * in_a.rows), estimate),
    )

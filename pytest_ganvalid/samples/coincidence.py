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

from pytest_ganvalid.samples.digests import LARGEST, Distinct

ALPHA = 1e-4
"""Probability, at most, with which independent samples are said to share rows."""
_TAIL = 4.0  # times the true density that a generator may have at rare rows without being said to repeat them


def p_counting(
    in_a: Distinct, in_b: Distinct, from_a: NDArray[np.intp], from_b: NDArray[np.intp], *, exchangeable: bool
) -> tuple[float, float]:
    """Limit the probability that chance alone makes two samples share as many rows.

    Args:
        in_a: Distinct rows of the first sample.
        in_b: Distinct rows of the second, of true events, which sets what chance allows.
        from_a: Positions of the shared ones in the first.
        from_b: Positions of the shared ones in the second.
        exchangeable: Whether the first are true events too, so that chance is known from both. A generator has
            another density, and could raise the level of chance by repeating its own rows.

    Returns:
        That limit; and the smallest p-value of its several tests as it is, which is only a hint.
    """
    counts_a, counts_b = in_a.counts[from_a], in_b.counts[from_b]
    ratio = in_a.rows / in_b.rows
    hits = int(np.count_nonzero(counts_b == 1))
    hint = binomial_tail(hits, in_b.occurring(2), 2 * ratio)
    if not exchangeable:
        return binomial_tail(hits, in_b.occurring(2), 2 * ratio * _TAIL), hint
    alone = in_a.occurring(2) + in_b.occurring(2) - int((counts_a == 2).sum() + (counts_b == 2).sum())  # noqa: PLR2004
    both = int(np.count_nonzero((counts_a == 1) & (counts_b == 1)))
    p_values = (
        hint,
        binomial_tail(int(np.count_nonzero(counts_a == 1)), in_a.occurring(2), 2 / ratio),
        binomial_tail(both, alone, 2 * ratio / (1 + ratio**2)),
        _p_identical(in_a, in_b, from_a.size, counts_a, counts_b),
    )
    return min(1.0, len(p_values) * min(p_values)), min(p_values)


def _p_identical(
    in_a: Distinct, in_b: Distinct, common: int, counts_a: NDArray[np.int64], counts_b: NDArray[np.int64]
) -> float:
    """Return the probability that two halves of a sample have each row equally often: Π C(2c, c) / C(2n, n)."""
    same = common == in_a.values.size == in_b.values.size and np.array_equal(counts_a, counts_b)
    if not same or in_b.limit != LARGEST:
        return 1.0
    return p_again(counts_a, in_a.rows)


def p_again(counts: NDArray[np.int64], rows: int) -> float:
    """Return the probability, at most, that other independent rows occur just as often: Π C(2c, c) / C(2n, n).

    Args:
        counts: How often each distinct row occurs.
        rows: Their sum.
    """
    n = np.append(counts, -rows).astype(float)
    terms = np.sign(n) * (special.gammaln(2 * np.abs(n) + 1) - 2 * special.gammaln(np.abs(n) + 1))
    return math.exp(min(float(terms.sum()), 0.0))


def p_convexity(counts: NDArray[np.int64], most: int = 6) -> float:
    """Limit the probability that independent rows repeat themselves so irregularly.

    Whatever the probabilities p of the rows, k! times the expected number of rows that occur k times is
    Σ (np)^k e^{-np}, of which no term exceeds the geometric mean of its neighbours (Cauchy and Schwarz). Each row read
    twice leaves no rows that occur once.
    """
    occurring = np.bincount(np.minimum(counts, most + 2), minlength=most + 3).tolist()
    alpha = ALPHA / (3 * most)
    worst = 1.0
    for k in range(2, most + 1):
        below, above = (poisson_upper(occurring[i], alpha) for i in (k - 1, k + 1))
        worst = min(worst, poisson_tail(occurring[k], math.sqrt((k + 1) / k * below * above)))
    return min(1.0, 3 * most * worst)


def binomial_tail(hits: int, others: int, odds: float) -> float:
    """Return the probability of at least so many hits among all, given their odds."""
    return float(special.betainc(hits, others + 1, odds / (1 + odds))) if hits else 1.0


def poisson_upper(count: int, alpha: float) -> float:
    """Return the upper confidence limit of the mean of a Poisson number (Garwood 1936)."""
    return float(special.gammaincinv(count + 1, 1 - alpha))


def poisson_tail(count: int, mean: float) -> float:
    """Return the probability of at least so many."""
    return float(special.gammainc(count, mean)) if count else 1.0

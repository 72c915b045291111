"""Chance is limited by counting: limits hold for independent rows of any kind, and are no wider than they need be."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid.overlaps.chance import (
    ALPHA,
    TAIL,
    binomial_tail,
    expected_rows,
    p_convexity,
    p_counting,
    p_repetition,
    poisson_tail,
    poisson_upper,
    scaled_rows,
)
from pytest_ganvalid.overlaps.digests import LARGEST, Distinct, shared


def _distinct(values: Any, limit: int = LARGEST, rows: int | None = None) -> Distinct:
    numbers, first, counts = np.unique(np.asarray(values, np.uint64), return_index=True, return_counts=True)
    return Distinct(numbers, numbers, counts, first, len(values) if rows is None else rows, limit)


def _p(a: Any, b: Any, *, exchangeable: bool = True, limit: int = LARGEST) -> tuple[float, float]:
    in_a, in_b = _distinct(a, limit), _distinct(b, limit)
    return p_counting(in_a, in_b, *shared(in_a, in_b), exchangeable=exchangeable)


def test_tails_and_limits_are_those_of_the_distributions() -> None:
    """The probability of at least so many, and the upper limit of a mean, agree with scipy's."""
    for hits, others, odds in ((1, 0, 2.0), (3, 5, 0.5), (20, 1, 4.0), (2, 100, 0.01)):
        expected = stats.binom.sf(hits - 1, hits + others, odds / (1 + odds))
        assert binomial_tail(hits, others, odds) == pytest.approx(expected)
    assert binomial_tail(0, 5, 2.0) == 1
    for count, mean in ((1, 0.01), (5, 2.0), (100, 60.0), (3, 1e-9)):
        assert poisson_tail(count, mean) == pytest.approx(stats.poisson.sf(count - 1, mean))
    assert poisson_tail(0, 0.0) == 1
    assert poisson_tail(1, 0.0) == 0
    for count in (0, 1, 7, 1000):
        assert stats.poisson.cdf(count, poisson_upper(count, 0.05)) == pytest.approx(0.05)


def test_equal_halves_are_as_rare_as_a_count_by_hand() -> None:
    """The probability that a half of some rows has each as often as the other is that over all halves."""
    for rows in ([0, 0, 1, 1], [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2, 2, 2]):
        halves = [sorted(half) for half in combinations(rows, len(rows) // 2)]
        again = sum(half == sorted(rows[::2]) for half in halves) / len(halves)
        assert p_repetition(np.unique(rows, return_counts=True)[1] // 2) == pytest.approx(again)
    assert p_repetition(np.ones(100, int)) < 1e-20
    assert p_repetition(np.array([10**9])) == 1
    assert p_repetition(np.ones(10**5, int)) == 0


@pytest.mark.parametrize("points", [10, 300, 3_000, 100_000])
@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_independent_rows_are_not_beyond_chance(points: int, ratio: float) -> None:
    """Among independent samples the p-value is hardly ever small, of true events and of generated ones."""
    rng = np.random.default_rng(points)
    n, toys = 1_000, 60
    p_values = []
    for _ in range(toys):
        a, b = (np.floor(points * rng.random(size) ** 2) for size in (round(n * ratio), n))
        p_values.append(_p(a, b)[0])
        assert _p(a, b, exchangeable=False)[0] >= _p(a, b, exchangeable=False)[1]
    assert np.count_nonzero(np.array(p_values) < 0.02) <= 6  # of 1.2 at most: more once in 2000
    assert min(p_values) > ALPHA


def test_copies_are_beyond_chance() -> None:
    """Copied rows make the p-value small where rows hardly repeat, for true and for generated ones."""
    rng = np.random.default_rng(1)
    b = rng.integers(0, 2**40, 1_000)
    for copies, small in ((0, 1.0), (5, 0.15), (40, ALPHA), (1_000, 1e-50)):
        a = np.append(rng.integers(0, 2**40, 1_000 - copies), rng.permutation(b)[:copies])
        for exchangeable in (True, False):
            p_value, hint = _p(a, b, exchangeable=exchangeable)
            assert hint <= p_value
            assert (p_value <= 1) if copies == 0 else (hint < small or exchangeable is False)
    assert _p(a, b)[0] < ALPHA
    assert _p(a, b, exchangeable=False)[0] < ALPHA


def test_hits_are_compared_with_doubletons() -> None:
    """Rows that occur once in the second sample and also in the first are at most twice as many as its doubletons."""
    b = [*range(100), *range(1000, 1030), *range(1000, 1030)]
    a = [*range(40), *range(2_000, 2_120)]
    p_value, hint = _p(a, b, exchangeable=False)
    assert hint == pytest.approx(binomial_tail(40, 30, 2.0))
    assert p_value == pytest.approx(binomial_tail(40, 30, 2.0 * TAIL))
    few = [*range(40), *range(2_000, 2_040)]  # half as many events: half as many hits by chance
    assert _p(few, b, exchangeable=False)[1] == pytest.approx(binomial_tail(40, 30, 1.0))


def test_true_samples_are_compared_both_ways() -> None:
    """Of true events, repetitions in either sample limit chance, alone and together, with the price of four tests."""
    twice = [*range(500, 530), *range(500, 530)]
    a, b = [*range(40), *range(100, 130)], [*range(40), *twice]
    size = len(a) / len(b)
    tests = [
        binomial_tail(40, 30, 2 * size),
        binomial_tail(40, 0, 2 / size),
        binomial_tail(40, 30, 2 * size / (1 + size**2)),
    ]
    for one, other in ((a, b), (b, a)):
        p_value, hint = _p(one, other)
        assert p_value == pytest.approx(4 * min(tests))
    assert hint == pytest.approx(binomial_tail(40, 0, 2 / size))


def test_doubletons_that_are_shared_are_no_limit() -> None:
    """Rows that occur once in both samples are compared with those that occur twice in one and not in the other."""
    common = [*range(40), *np.repeat(range(100, 110), 2)]
    a, b = ([*common, *np.repeat(range(own, own + 15), 2)] for own in (200, 300))
    p_value, hint = _p(a, b)
    assert hint == pytest.approx(binomial_tail(40, 15 + 15, 1.0))
    assert hint < binomial_tail(40, 25, 2.0)
    assert p_value == pytest.approx(min(1.0, 4 * hint))
    in_a = _distinct(common)
    p_value = p_counting(in_a, in_a, *shared(in_a, in_a), exchangeable=True)[0]
    by_hand = min(binomial_tail(40, 10, 2.0), binomial_tail(40, 0, 1.0), p_repetition(in_a.counts))
    assert p_value == pytest.approx(4 * by_hand)


def test_equal_multisets_are_found_if_complete() -> None:
    """Discrete data that are equal row by row are no two samples, if all of them were looked at."""
    rng = np.random.default_rng(2)
    values = rng.integers(0, 12, 2_000)
    p_value, hint = _p(values, rng.permutation(values))
    assert hint < p_value < ALPHA
    assert _p(values, values, limit=LARGEST - 1)[0] == 1
    other = np.append(values[1:], 11 - values[0])
    assert _p(values, other)[0] == 1
    assert _p(values, np.append(values, 13))[0] == 1
    assert _p(values, values, exchangeable=False)[0] == 1


def test_p_values_stay_probabilities() -> None:
    """Nothing shared, nothing repeated, and a single row give a probability of 1 at most."""
    for a, b in (([1], [2]), ([1], [1]), ([1, 2, 3], [4]), ([1, 1], [1])):
        for exchangeable in (True, False):
            p_value, hint = _p(a, b, exchangeable=exchangeable)
            assert 0 < hint <= 1
            assert 0 < p_value <= 1


@pytest.mark.parametrize("points", [30, 1_000, 10**4, 10**5, 10**9])
def test_independent_rows_repeat_regularly(points: int) -> None:
    """The numbers of rows that occur once, twice and so on are never too irregular in independent samples."""
    rng = np.random.default_rng(points)
    for n in (300, 3_000):
        for power in (1, 2, 5):
            counts = np.unique(np.floor(points * rng.random(n) ** power), return_counts=True)[1]
            assert p_convexity(counts) > ALPHA


def test_irregular_repetitions_are_found() -> None:
    """Rows that were all read twice, or three times, leave gaps that independent rows have not."""
    rng = np.random.default_rng(3)
    for times in (2, 3, 5):
        counts = times * np.unique(rng.integers(0, 2_000, 3_000), return_counts=True)[1]
        assert p_convexity(counts) < ALPHA
    assert p_convexity(np.full(1_000, 2)) < 1e-100
    assert p_convexity(np.full(1_000, 6)) < 1e-100
    assert p_convexity(np.full(1_000, 10)) < 1e-100
    assert p_convexity(np.append(np.full(20_000, 1), np.full(20, 10))) < ALPHA < p_convexity(np.full(4, 10))
    assert p_convexity(np.full(5, 2_000)) == pytest.approx(2.0**-2)  # by multiples alone
    assert p_convexity(np.append(np.full(10_000, 1), np.full(40, 2))) == 1
    assert p_convexity(np.array([2])) == 1
    assert p_convexity(np.empty(0, np.int64)) == 1


def test_rows_are_compared_with_those_that_occur_once_more_and_once_less() -> None:
    """Of rows that occur twice there are at most as many as the limits of their neighbours, or their mean, allow."""
    ones, threes = 1_000, 100
    bound = math.sqrt(1.5 * poisson_upper(ones, ALPHA / 16) * poisson_upper(threes, ALPHA / 16))
    counts = np.repeat([1, 2, 3], [ones, round(1.3 * bound), threes])
    assert p_convexity(counts) == pytest.approx(16 * poisson_tail(round(1.3 * bound), bound))
    few = np.repeat([9, 10, 11, 100_000], [3, 25, 4, 1])
    assert p_convexity(few) == pytest.approx(400 * binomial_tail(25, 7, math.sqrt(1.1) / 2))


def test_discrete_rows_that_were_all_read_twice_are_found() -> None:
    """Where each row occurs so often that no number does so twice, all being even tells, and nothing else does."""
    counts = np.random.default_rng(4).poisson(5_000, 40)
    assert p_convexity(counts) == 1
    assert p_convexity(2 * counts) == pytest.approx(2.0 ** (3 - 40))
    assert p_convexity(np.append(2 * counts, 9_999)) == 1


def test_expected_rows_limit_what_chance_repeats() -> None:
    """The number of rows that independent samples share on average is limited as often as is said, and closely."""
    rng = np.random.default_rng(4)
    for points in (100, 3_000, 10**5):
        mean = 1_000 * (1 - (1 - 1 / points) ** 3_000)
        a = _distinct(rng.integers(0, points, 1_000))
        limits = np.array([expected_rows(a, _distinct(rng.integers(0, points, 3_000))) for _ in range(40)])
        assert np.count_nonzero(limits >= 0.999 * mean) >= 34  # of 38: fewer once in 1000
        assert np.mean(limits) < 1.5 * mean
    one = _distinct(np.arange(100))
    assert expected_rows(one, one) == pytest.approx(2 * poisson_upper(0, 0.05))
    twice = _distinct(np.repeat(np.arange(50), 2))
    upper = poisson_upper(50, 0.05)
    assert expected_rows(_distinct(np.arange(10)), twice) == pytest.approx(10 * (100 + 2 * (upper - 50)) / 100)
    assert expected_rows(one, _distinct([], rows=7)) == 100


def test_scaled_rows_cover_the_truth() -> None:
    """Limits of the number of shared rows, from a part of them, hold as often as they promise."""
    rng = np.random.default_rng(5)
    for share in (0.003, 0.3, 0.98):
        covered = 0
        for _ in range(200):
            few = int(np.count_nonzero(rng.random(500) < share))
            lower, estimate, upper = scaled_rows(_distinct(np.arange(500), rows=20_000), few)
            assert lower <= estimate <= upper
            assert estimate == few * 40
            covered += lower <= share * 20_000 <= upper
        assert covered >= 180  # of 190 at least: fewer once in 10⁴


def test_scaled_rows_at_their_ends() -> None:
    """No row at all, all rows, and repeated ones have limits of their own."""
    held = _distinct(np.arange(500), rows=20_000)
    lower, estimate, upper = scaled_rows(held, 0)
    assert (lower, estimate) == (0, 0)
    assert upper == pytest.approx(20_000 * (1 - 0.025 ** (1 / 500)), abs=1)
    lower, estimate, upper = scaled_rows(held, 500)
    assert (estimate, upper) == (20_000, 20_000)
    assert lower == pytest.approx(20_000 * 0.025 ** (1 / 500), abs=1)
    assert scaled_rows(_distinct([], rows=70), 0) == (0, 0, 70)
    lower, estimate, upper = scaled_rows(_distinct(np.arange(500)), 100)
    assert (lower, estimate) == (100, 100)  # no fewer than there are
    assert upper == pytest.approx(121, abs=3)
    lower, estimate, upper = scaled_rows(_distinct(np.repeat(np.arange(50), 10), rows=20_000), 100)
    few = scaled_rows(_distinct(np.arange(50), rows=20_000), 10)
    assert (lower, estimate, upper) == few  # ten equal rows count like one

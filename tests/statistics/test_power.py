"""The power of a perfect generator, against toys of the distribution and a published table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid.histograms.layout import Arrangement
from pytest_ganvalid.statistics.power import (
    allowed_excess,
    chi2_critical,
    excess_of_all,
    histogram_tests,
    joint_power,
    required_scale,
)
from pytest_ganvalid.statistics.separation import Separation

# Ten generated events per required one: bins -> reference events per required one -> power.
TABLE = {
    5: {1: 0.0, 1.5: 0.0, 2: 0.043, 3: 0.409, 4: 0.651},
    10: {1: 0.051, 1.5: 0.390, 2: 0.662, 3: 0.899, 4: 0.968},
    50: {1: 0.047, 1.5: 0.385, 2: 0.661, 3: 0.899, 4: 0.968},
    100: {1: 0.046, 1.5: 0.386, 2: 0.661, 3: 0.899, 4: 0.968},
}
FOR_90_PERCENT = {5: 6.849, 10: 3.010, 50: 3.010, 100: 3.010}


def histogram(bins: int, n_h: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Degrees of freedom and noncentralities of the tests on a histogram, n_h in units of n_required."""
    degrees, excesses = histogram_tests(bins - 1, Arrangement.LINE, 1.0, None)
    return degrees, tuple(2 * n_h * excess for excess in excesses)


@pytest.mark.parametrize("bins", TABLE)
def test_the_table(bins: int) -> None:
    """The power is that of the table, to all its digits."""
    for ratio, expected in TABLE[bins].items():
        assert joint_power(*histogram(bins, 10 * ratio / (10 + ratio)), 0.05) == pytest.approx(expected, abs=7e-4)


@pytest.mark.parametrize("bins", FOR_90_PERCENT)
def test_the_reference_for_90_percent(bins: int) -> None:
    """The wanted size is that of the table."""
    n_h = required_scale(*histogram(bins, 1.0), 0.9, 0.05)
    assert 1 / (1 / n_h - 0.1) == pytest.approx(FOR_90_PERCENT[bins], abs=6e-4)


@pytest.mark.parametrize("n_h", [1.2, 2.0])
def test_power_is_that_of_toys_of_both_tests(n_h: float) -> None:
    """Of χ² variables, the smooth one part of the other, as many pass CLs in both tests as is computed."""
    (nine, all_bins), sizes = histogram(50, n_h)
    rng = np.random.default_rng(1)
    smooth = rng.chisquare(nine, 4000)
    both = smooth + rng.chisquare(all_bins - nine, 4000)
    passed = [
        all(
            Separation(t=t, m1=d, m2=d, v=0.0).log_ratio(size) <= math.log(0.05)
            for t, d, size in ((x, nine, sizes[0]), (y, all_bins, sizes[1]))
        )
        for x, y in zip(smooth.tolist(), both.tolist(), strict=True)
    ]
    expected = joint_power((nine, all_bins), sizes, 0.05)
    assert np.mean(passed) == pytest.approx(expected, abs=3 * (expected * (1 - expected) / 4000) ** 0.5)


def test_no_power_where_nothing_can_be_excluded() -> None:
    """Where even T = 0 does not exclude the boundary, exp(-λ/2) >= α, no generator can pass."""
    least = -2 * math.log(0.05)
    assert joint_power((4.0,), (least * 0.999,), 0.05) == 0
    assert joint_power((4.0,), (least * 1.01,), 0.05) > 0
    assert joint_power((4.0,), (1e9,), 0.05) == 1


def test_the_critical_value_does_not_move_with_the_confidence() -> None:
    """It is the 0.95 quantile of χ², and what is allowed never exceeds max_bias."""
    assert chi2_critical(49) == pytest.approx(stats.chi2.ppf(0.95, 49))
    assert allowed_excess(9, 1.0) == 4.5
    assert allowed_excess(49, 1.0) == pytest.approx(stats.chi2.ppf(0.95, 49) - 49)
    assert allowed_excess(49, 0.5) == pytest.approx(49 / 8)


def test_a_directional_limit_asks_more_of_all_bins_only() -> None:
    """n_required Δ of all bins is at most half of its square."""
    assert excess_of_all(49, 1.0, 4.0) == 8.0
    assert excess_of_all(49, 1.0, 40.0) == excess_of_all(49, 1.0, None)
    degrees, excesses = histogram_tests(49, Arrangement.LINE, 1.0, 4.0)
    assert (degrees, excesses) == ((9.0, 49.0), (4.5, 8.0))


def test_required_scale_inverts_the_power() -> None:
    """At the factor returned the power is what was wanted, of one test and of two, from 1 % to 99.9 %."""
    for bins in (5, 50, 400):
        degrees, sizes = histogram(bins, 1.0)
        for target in (0.01, 0.5, 0.999):
            factor = required_scale(degrees, sizes, target, 0.05)
            assert joint_power(degrees, tuple(factor * size for size in sizes), 0.05) == pytest.approx(target, abs=1e-7)


def test_few_effective_degrees_of_freedom() -> None:
    """Where a test of less than two degrees of freedom can never be passed the power is 0, and is no NaN."""
    assert joint_power((1.9, 7.9), (5.0, 41.0), 0.05) == 0.0
    assert 0 < joint_power((1.9, 7.9), (12.0, 41.0), 0.05) < 1
    assert required_scale((1.87, 7.92), (8.67, 41.2), 0.84, 0.05) > 0

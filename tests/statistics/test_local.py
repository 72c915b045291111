"""The bias of single bins: shown only where it is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid.statistics.local import LocalBias, local_bias
from pytest_ganvalid.statistics.separation import Fractions


def biases(generated: object, reference: object, n_required: float, limit: float = 5.0) -> LocalBias:
    """Local biases of two arrays of counts at 95 % confidence."""
    sides = [np.asarray(counts, dtype=float) for counts in (generated, reference)]
    one, other = (Fractions.from_sums(counts, counts) for counts in sides)
    return local_bias(one, other, n_required, limit, 0.05)


def test_unit_is_the_error_bar_of_n_required_events() -> None:
    """The bias is the difference over the error bar of the mean content of n_required events."""
    found = biases([1100, 8900], [1000, 9000], n_required=10_000)
    expected = 10_000 * (0.11 - 0.10) / math.sqrt(10_000 * (0.11 + 0.10) / 2)
    assert found.bias[0] == pytest.approx(expected)
    assert found.bias[1] == pytest.approx(-100 / math.sqrt(8950))


def test_lower_limit_is_below_the_estimate_and_not_negative() -> None:
    """What is shown is never more than what is seen."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        found = biases(rng.poisson(50, 20) + 1, rng.poisson(80, 20) + 1, n_required=1000)
        assert np.all(found.lower >= 0)
        assert np.all(found.lower <= np.abs(found.bias))
        assert 0 <= found.p_value <= 1


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("expected", "ratio"), [(20, 0.1), (20, 1), (200, 1), (200, 10), (2000, 1)])
def test_bias_at_the_limit_is_rarely_called_beyond(sign: int, expected: int, ratio: float) -> None:
    """A bin that is off by exactly the limit is shown to exceed it in at most 5 % of the toys, excess or deficit."""
    rng = np.random.default_rng(expected)
    p, n_reference = np.full(20, 0.05), 20 * expected
    n_generated = int(ratio * n_reference)
    # q = p (1 + d): choose n_required so that the first bin sits at the limit for d = ±0.5.
    d = 0.5 * sign
    n_required = 25 * (2 + d) / (2 * d * d * p[0])
    q = p.copy()
    q[0] *= 1 + d
    q[1:] *= (1 - q[0]) / q[1:].sum()
    toys = 1500
    fired = sum(
        biases(rng.multinomial(n_generated, q), rng.multinomial(n_reference, p), n_required).p_value < 0.05
        for _ in range(toys)
    )
    assert fired / toys <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / toys)


def test_bias_far_beyond_the_limit_is_shown() -> None:
    """A dropped bin is shown, with a p-value to match."""
    reference = np.full(50, 10_000)
    generated = reference.copy()
    generated[7] = 0
    found = biases(generated, reference, n_required=100_000)
    assert int(np.argmax(found.lower)) == 7
    assert found.lower[7] > 30
    assert found.p_value < 1e-20


def test_infinite_limit_switches_the_criterion_off() -> None:
    """Without a limit nothing exceeds it."""
    assert biases([1000, 0], [10, 990], n_required=1e6, limit=math.inf).p_value == 1


def test_empty_bins_have_an_error_too() -> None:
    """No warning and no certainty where a sample of a few events leaves a bin empty."""
    found = biases([3, 0], [0, 2], n_required=10)
    assert np.all(np.isfinite(found.bias))
    assert found.p_value > 0.05


def test_limits_of_the_magnitudes_are_those_of_the_formula() -> None:
    """With many events the lower limit is the estimate less the simultaneous quantile of its error."""
    q, p, n = np.array([3.0, 2.0, 5.0]) / 10, np.array([2.5, 2.5, 5.0]) / 10, 1e6
    found = biases(n * q, 4 * n * p, n_required=1_000, limit=0.5)
    unit = np.sqrt((q + p) / 2_000)
    slack = np.minimum(0.5 * unit, np.abs(q - p))
    least = np.maximum(q * (1 - q), (p - slack) * (1 - p + slack)) / n
    other = np.maximum(p * (1 - p), (q - slack) * (1 - q + slack)) / (4 * n)
    error = np.sqrt(least + other)
    expected = np.maximum(np.abs(q - p) - stats.norm.ppf(1 - 0.05 / 3) * error, 0) / unit
    np.testing.assert_allclose(found.lower, expected, rtol=1e-12)
    excess = (np.abs(q - p) - 0.5 * unit) / error
    assert found.p_value == pytest.approx(3 * stats.norm.sf(excess.max()), rel=1e-9)


@pytest.mark.parametrize("bins", [2, 5, 100])
def test_p_values_are_corrected_for_the_number_of_bins(bins: int) -> None:
    """A bias of exactly the limit has a p-value of half the number of bins, at most 1; far below it is 1."""
    generated, reference = np.full(bins, 1e6), np.full(bins, 1e6)
    generated[0] *= 1.01
    at = abs(biases(generated, reference, n_required=1_000).bias).max()
    assert biases(generated, reference, n_required=1_000, limit=at).p_value == pytest.approx(min(1, bins / 2))
    assert biases(generated, reference, n_required=1_000, limit=10 * at).p_value == 1


def test_an_empty_bin_is_as_uncertain_as_one_event() -> None:
    """Where both the bin and what it may hold are nothing, the error is that of one event."""
    found = biases([100, 0], [100, 0.0001], n_required=100, limit=0.001)
    error = math.hypot(1 / 100, 1 / 100.0001)
    unit = math.sqrt(found.bias[1] and 0.0001 / 100.0001 / 200)
    assert found.lower[1] == 0
    assert found.p_value == pytest.approx(
        min(1, 2 * stats.norm.sf((0.0001 / 100.0001 - 0.001 * unit) / error)), rel=1e-3
    )

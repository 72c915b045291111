"""The bias of single bins: shown only where it is there."""

from __future__ import annotations

import math

import numpy as np
import pytest

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

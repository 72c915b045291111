"""Standard errors are those of the textbooks for events without weights, and know how well they are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.observables.standard_errors import (
    Ranked,
    average,
    bessel,
    by_influence,
    effective,
    power_of_two,
    proportion,
)


def test_a_mean_has_the_textbook_error() -> None:
    """Without weights the error of a mean is s / sqrt(n), and as well known as n events make it; weights scale out."""
    x = np.random.default_rng(1).normal(size=1_000)
    for weight in (np.ones(1_000), np.full(1_000, 7.0)):
        mean = average(x, weight)
        found = by_influence(mean, math.sqrt(bessel(weight)) * (x - mean), weight)
        assert found.value == pytest.approx(x.mean())
        assert found.error == pytest.approx(x.std(ddof=1) / math.sqrt(1_000))
        assert found.n_events == pytest.approx(1_000)
        assert found.dof == pytest.approx(1_000, rel=0.15)


@pytest.mark.parametrize("passing", [0, 1, 500, 1_000])
def test_a_proportion_has_an_error_at_its_ends_too(passing: int) -> None:
    """The error is the binomial one at (k + 1) / (n + 2), which does not vanish where none or all pass."""
    found = proportion((np.arange(1_000) < passing).astype(float), np.ones(1_000))
    p = (passing + 1) / 1_002
    assert found.value == passing / 1_000
    assert found.error == pytest.approx(math.sqrt(p * (1 - p) / 1_000))
    assert found.dof < 3 if passing in {0, 1_000} else found.dof > 1


def test_quantiles_of_ranked_events() -> None:
    """Half of each event's weight counts as below it; where negative weights make that reach a level twice, the
    quantile is between the two places.
    """
    values = np.arange(5.0)
    assert [Ranked(values, np.ones(5)).at(p) for p in (0.0, 0.1, 0.5, 0.6, 1.0)] == [0, 0, 2, 2.5, 4]
    assert Ranked(values, np.array([1.0, 1.0, 6.0, 1.0, 1.0])).at(0.5) == 2
    assert Ranked(values, np.array([1.0, 3.0, -2.0, 1.0, 1.0])).at(0.7) == pytest.approx((1.6 + 3.3) / 2)


def test_the_error_of_a_quantile() -> None:
    """It is half the distance of the quantiles at the standard errors; in a gap it has next to no degrees of freedom,
    and among equal values none is given.
    """
    even = Ranked(np.linspace(0, 1, 1_001), np.ones(1_001))
    found = even.between(0.45, 0.55, 0.5, 1_001)
    assert found.error == pytest.approx(0.05, rel=0.01)
    assert found.dof == pytest.approx(50, rel=0.05)
    gap = Ranked(np.concatenate([np.linspace(0, 1, 500), np.linspace(9, 10, 500)]), np.ones(1_000))
    assert gap.between(0.45, 0.55, 1.0, 1_000).dof < 2
    with pytest.raises(InputError, match="the values are discrete at 1"):
        Ranked(np.repeat([0.0, 1.0, 2.0], 100), np.ones(300)).between(0.4, 0.6, 1.0, 300)


def test_effective_events() -> None:
    """Weights that differ are worth fewer events, and signs fewer still; one event determines no error."""
    assert effective(np.full(8, 3.0)) == pytest.approx(8)
    assert effective(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective(np.array([1.0, 1.0, 1.0, -1.0])) == pytest.approx(1)
    assert bessel(np.ones(5)) == pytest.approx(5 / 4)
    with pytest.raises(InputError, match="1 effective events do not determine an error"):
        bessel(np.ones(1))


def test_equal_events_have_no_error() -> None:
    """Where all events contribute the same there is no error, whatever rounding leaves."""
    with pytest.raises(InputError, match="all events have the same value"):
        by_influence(0.1, np.full(3, 0.1) - 0.1, np.full(3, 0.3))


@given(st.floats(1e-300, 1e300), st.lists(st.floats(-1, 1), min_size=1, max_size=4))
def test_units_are_exact(scale: float, values: list[float]) -> None:
    """Dividing by the unit and multiplying again changes nothing, and leaves numbers of ordinary size."""
    numbers = scale * np.array([1.0, *values])
    unit = power_of_two(numbers)
    assert 1e-30 <= np.abs(numbers / unit).max() <= 1e30
    large = numbers[np.abs(numbers / unit) > 1e-300]
    np.testing.assert_array_equal(large / unit * unit, large)
    assert math.frexp(unit)[0] == 0.5


def test_clusters_are_what_is_independent() -> None:
    """Ten equal values count as one in the error and its degrees of freedom, and the error of one event stays."""
    rng = np.random.default_rng(9)
    x, passed, cluster = rng.normal(size=200), rng.random(200) < 0.3, np.repeat(np.arange(200), 10)
    one = by_influence(0.0, x - x.mean(), np.ones(200))
    ten = by_influence(0.0, (x - x.mean())[cluster], np.ones(2_000), cluster)
    assert (ten.error, ten.n_events, ten.dof) == pytest.approx((one.error, one.n_events, one.dof))
    share = proportion(passed[cluster].astype(float), np.ones(2_000), cluster)
    alone = proportion(passed.astype(float), np.ones(200))
    assert share.value == alone.value
    assert share.error == pytest.approx(alone.error, rel=0.02)
    assert share.dof < 1.2 * alone.dof
    own = proportion(passed.astype(float), np.ones(200), np.arange(200))
    assert (own.error, own.n_events, own.dof) == pytest.approx((alone.error, alone.n_events, alone.dof))

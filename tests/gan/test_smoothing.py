"""Smooth distributions keep what the events show, and nothing that they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pytest_ganvalid.gan import smoothing
from pytest_ganvalid.gan.smoothing import IDENTITY, Coordinate, inverse_hyperbolic_sine, logarithm

Array = NDArray[np.float64]
N = 2_000


def _worth(distribution: Any, n: int, *coordinates: Coordinate, bins: int = 20) -> float:
    """Return n_equivalent / n of smoothed events in equiprobable bins, of the mean separation over five samples."""
    edges, separations = distribution.ppf(np.arange(1, bins) / bins), []
    for seed in range(5):
        x = distribution.rvs(n, random_state=np.random.default_rng(seed))
        fit = smoothing.smooth(x, np.ones(n), coordinates or (IDENTITY,))
        assert fit is not None
        below = np.interp(fit.coordinate.forward(edges), fit.edges, fit.cumulative)
        shares = np.diff([0, *below, 1])
        separations.append(np.sum((shares - 1 / bins) ** 2 / (shares + 1 / bins)))
    return float((bins - 1) / (2 * np.mean(separations)) / n)


@pytest.mark.parametrize(
    "distribution",
    [stats.norm(), stats.uniform(), stats.expon(), stats.gamma(2), stats.arcsine()],
    ids=lambda law: law.dist.name,
)
def test_worth_more_than_the_events(distribution: Any) -> None:
    """A smooth distribution is worth more than the events it was learned from: fluctuations are not kept."""
    assert _worth(distribution, N) > 1


def test_heavy_tails_take_another_coordinate() -> None:
    """Where cells of equal width would lose the peak, a coordinate is chosen that does not."""
    cauchy = stats.cauchy()
    assert _worth(cauchy, N, IDENTITY, inverse_hyperbolic_sine(0.0, 1.0)) > 1
    x = cauchy.rvs(N, random_state=np.random.default_rng(1))
    one, both = (
        smoothing.smooth(x, np.ones(N), coordinates)
        for coordinates in ((inverse_hyperbolic_sine(0.0, 1.0),), (IDENTITY, inverse_hyperbolic_sine(0.0, 1.0)))
    )
    assert one is not None
    assert both is not None
    assert both.criterion == one.criterion


def test_narrow_peaks_are_resolved() -> None:
    """Half of the events in a peak far narrower than a cell keep its width."""
    rng = np.random.default_rng(1)
    x = np.where(np.arange(N) % 2, 1e-5 * rng.normal(size=N), rng.normal(size=N))
    fit = smoothing.smooth(x, np.ones(N), (IDENTITY,))
    assert fit is not None
    low, high = fit.quantile(np.array([0.3, 0.7]))
    assert high - low == pytest.approx(np.subtract(*np.quantile(x, [0.7, 0.3])), rel=0.5)


@pytest.mark.parametrize("cyclic", [False, True])
def test_fluctuations_are_smoothed(cyclic: bool) -> None:  # noqa: FBT001
    """Events without structure leave few parameters, and a peak leaves more."""
    rng = np.random.default_rng(1)
    flat = rng.multinomial(N, np.full(64, 1 / 64)).astype(float)
    peak = flat + np.where(np.arange(64) == 20, 300.0, 0.0)
    for counts, least, most in ((flat, 0.9, 6), (peak, 8, 64)):
        fit = smoothing.expected_counts(counts, cyclic=cyclic)
        assert fit is not None
        assert fit[0].sum() == pytest.approx(counts.sum(), rel=1e-3)
        assert least < fit[1] < most


def test_circles_have_no_ends() -> None:
    """On a circle it does not matter where the cells begin."""
    counts = np.random.default_rng(1).poisson(50 + 40 * np.cos(2 * np.pi * np.arange(64) / 64)).astype(float)
    straight, turned = (smoothing.expected_counts(np.roll(counts, turn), cyclic=True) for turn in (0, 17))
    assert straight is not None
    assert turned is not None
    np.testing.assert_allclose(np.roll(straight[0], 17), turned[0], rtol=1e-5)


@given(st.lists(st.integers(0, 300), min_size=64, max_size=64), st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_counts(counts: list[int], cyclic: bool) -> None:  # noqa: FBT001
    """Whatever the counts, the expected ones are positive and as many, or there are none."""
    fit = smoothing.expected_counts(np.array(counts) + 0.5, cyclic=cyclic)
    if fit is not None:
        assert (fit[0] >= 0).all()
        assert fit[0].sum() == pytest.approx(sum(counts) + 32, rel=1e-2)


def test_negative_weights_are_subtracted() -> None:
    """Events of negative weight take away what others of as much weight add."""
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=6_000), rng.normal(4, 0.5, 2_000), rng.normal(4, 0.5, 2_000)])
    weight = np.repeat([1.0, 1.0, -1.0], [6_000, 2_000, 2_000])
    fit = smoothing.smooth(x, weight, (IDENTITY,))
    assert fit is not None
    np.testing.assert_allclose(fit.quantile(np.array([0.1, 0.5, 0.9])), stats.norm.ppf([0.1, 0.5, 0.9]), atol=0.1)


def test_what_cannot_be_told_apart() -> None:
    """A coordinate that is no number, or has no room for cells, is not taken."""
    x = np.linspace(-1, 1, 100)
    assert smoothing.smooth(x, np.ones(100), (logarithm(),)) is None
    assert smoothing.smooth(1e16 + 2 * np.round(x), np.ones(100), (IDENTITY,)) is None


def test_more_events_more_cells() -> None:
    """The number of cells grows with the number of events, within limits."""
    numbers = [smoothing.cells(events) for events in (1, 3_000, 10_000, 10**9)]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (64, 512)

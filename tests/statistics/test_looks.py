"""The level of planned looks at a growing reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_ganvalid.statistics.looks import pocock_level


@pytest.mark.parametrize(("looks", "critical"), [(2, 1.875), (3, 1.992), (4, 2.067), (5, 2.122), (10, 2.270)])
def test_published_constants(looks: int, critical: float) -> None:
    """The critical values are those of Jennison & Turnbull, Group Sequential Methods (2000), table 2.1, α = 0.1."""
    # Theirs are two-sided at twice the level, which for these is the same to the digits given.
    assert -stats.norm.ppf(pocock_level(0.05, looks)) == pytest.approx(critical, abs=6e-4)


@pytest.mark.parametrize(("looks", "level"), [(2, 0.0304), (3, 0.0232), (4, 0.0193), (5, 0.0169)])
def test_levels_at_five_per_cent(looks: int, level: float) -> None:
    """Two to five looks at 0.05 together are at these levels each."""
    assert round(pocock_level(0.05, looks), 4) == level


@pytest.mark.parametrize(("alpha", "looks"), [(0.05, 2), (0.05, 4), (0.3, 3), (0.001, 3)])
def test_all_looks_together_err_as_often_as_one(alpha: float, looks: int) -> None:
    """The distribution function of all looks' estimates gives back the level of them together."""
    shares = np.arange(1, looks + 1)
    covariance = np.sqrt(np.minimum.outer(shares, shares) / np.maximum.outer(shares, shares))
    critical = -stats.norm.ppf(pocock_level(alpha, looks))
    none = stats.multivariate_normal(np.zeros(looks), covariance, seed=1).cdf(np.full(looks, critical))
    assert 1 - none == pytest.approx(alpha, abs=2e-5)


@given(st.floats(1e-15, 0.499), st.integers(2, 8))
def test_levels_lie_between_sharing_and_not_counting(alpha: float, looks: int) -> None:
    """A look is no stricter than an equal share of the level, and stricter than all of it; more looks are stricter."""
    level = pocock_level(alpha, looks)
    assert alpha / looks * (1 - 1e-9) <= level < alpha
    assert level < pocock_level(alpha, looks - 1)
    assert math.isfinite(level)


def test_one_look_costs_nothing() -> None:
    """Where the reference does not grow, the level is as it is."""
    assert pocock_level(0.05, 1) == 0.05

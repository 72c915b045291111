"""Student's t distribution, from one degree of freedom to infinitely many."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from pytest_ganvalid.statistics import student


@pytest.mark.parametrize("x", [-40.0, -1.0, 0.0, 0.3, 2.5])
def test_one_and_two_degrees_of_freedom(x: float) -> None:
    """With one it is Cauchy's distribution, with two it is elementary too."""
    assert student.cdf(x, 1) == pytest.approx(0.5 + math.atan(x) / math.pi, rel=1e-12)
    assert student.cdf(x, 2) == pytest.approx(0.5 * (1 + x / math.sqrt(2 + x * x)), rel=1e-9)


@pytest.mark.parametrize("dof", [1e10, 1e12, 1e300, math.inf])
@pytest.mark.parametrize("probability", [1e-6, 0.05, 0.5, 0.95])
def test_many_degrees_of_freedom_are_normal(dof: float, probability: float) -> None:
    """From 10¹⁰ on, infinity included, it is the normal distribution."""
    x = float(stats.norm.ppf(probability))
    assert student.ppf(probability, dof) == pytest.approx(x, rel=1e-8, abs=1e-12)
    assert student.cdf(x, dof) == pytest.approx(probability, rel=1e-8)


def test_a_million_degrees_of_freedom_are_not_normal_yet() -> None:
    """Below that its own tails are kept."""
    assert student.ppf(0.95, 1e6) == pytest.approx(stats.t.ppf(0.95, 1e6), rel=1e-10)
    assert student.ppf(0.95, 1e6) > 1.6448536269514722 * (1 + 5e-7)


@pytest.mark.parametrize("dof", [1, 2.5, 30, 1e6, math.inf])
@pytest.mark.parametrize("probability", [1e-4, 0.05, 0.3, 0.95])
def test_quantiles_are_the_inverse(dof: float, probability: float) -> None:
    """The probability of a quantile is the one it was asked for, and quantiles are symmetric about 0."""
    x = student.ppf(probability, dof)
    assert student.cdf(x, dof) == pytest.approx(probability, rel=1e-7)  # SciPy 1.11 inverts to about eight digits
    assert student.ppf(1 - probability, dof) == pytest.approx(-x, rel=1e-9)
    assert isinstance(x, float)


def test_few_degrees_of_freedom() -> None:
    """With few, not necessarily a whole number of them, it is scipy's."""
    assert student.ppf(0.95, 4.5) == pytest.approx(stats.t.ppf(0.95, 4.5))

"""Integrals by nodes and by tables are those of closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_ganvalid.toys.quadrature import nodes, tabulate


def test_nodes_integrate_a_peak() -> None:
    """A rule whose panels are as wide as a Cauchy peak integrates it to 1e-12."""
    x, weights = nodes(-20.0, 30.0, panel=2.0)
    expected = np.arctan(30.0) + np.arctan(20.0)
    assert weights @ (1 / (1 + x**2)) == pytest.approx(expected, abs=1e-12)
    assert weights.sum() == pytest.approx(50, abs=1e-12)


@pytest.mark.parametrize("rate", [1e-3, 1.0, 40.0])
def test_a_table_is_the_distribution(rate: float) -> None:
    """A tabulated exponential has its norm, distribution function and inverse, down to its tail."""
    low, high = 1.0, 3.0
    table = tabulate(lambda x: np.exp(-rate * x), low, high)
    whole = np.exp(-rate * low) - np.exp(-rate * high)
    assert table.norm == pytest.approx(whole / rate, rel=1e-12)
    x = np.linspace(low, high, 501)
    expected = (np.exp(-rate * low) - np.exp(-rate * x)) / whole
    np.testing.assert_allclose(table.cdf(x), expected, atol=1e-14)
    shares = np.linspace(0, 0.999, 400)
    np.testing.assert_allclose(table.inverse(shares), low - np.log1p(-shares * whole * np.exp(rate)) / rate, rtol=1e-12)
    assert table.cdf([0.0, 9.0]).tolist() == pytest.approx([0, 1], abs=1e-15)


def test_panels_follow_the_density() -> None:
    """A narrow peak is found, and gets the panels."""
    table = tabulate(lambda x: 1 / (1e-6 + (x - 0.3) ** 2), 0.0, 1.0)
    assert table.norm == pytest.approx(1e3 * (np.arctan(700) + np.arctan(300)), rel=1e-12)
    assert np.median(table.edges) == pytest.approx(0.3, abs=0.01)
    assert table.cdf(table.inverse(np.array([0.25, 0.5, 0.75]))) == pytest.approx([0.25, 0.5, 0.75], abs=1e-13)

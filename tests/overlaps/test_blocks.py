"""Blocks of rows that differ are noted, whatever made them differ, and those of independent rows hardly ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from pytest_ganvalid import Entries
from pytest_ganvalid.overlaps.blocks import BLOCKS, uneven_blocks


def test_rows_in_order_are_noted() -> None:
    """A sorted column and a chain are named, with the side and the size of the blocks."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=4_000)
    chain = np.zeros(4_000)
    for i in range(1, 4_000):
        chain[i] = 0.9 * chain[i - 1] + rng.normal()
    for name, column in (("sorted", np.sort(x)), ("chain", chain)):
        note = uneven_blocks({"x": x, name: column}, "reference")
        assert note is not None
        assert note.startswith(f"reference rows depend on their order, most in {name!r} (blocks of 40 rows: χ²/ndf = ")


def test_independent_rows_are_not_noted() -> None:
    """Continuous, discrete, constant, undefined and jagged columns of independent rows make no note."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        counts = rng.poisson(2, 2_000)
        columns: dict[str, Any] = {
            "x": rng.pareto(1, 2_000),
            "n": rng.poisson(0.1, 2_000),
            "one": np.ones(2_000),
            "nan": np.where(rng.random(2_000) < 0.5, np.nan, 1.0),
            "j": Entries(rng.normal(size=counts.sum()), counts),
            "t": np.full(2_000, "a"),
        }
        assert uneven_blocks(columns, "generated") is None


def test_few_rows_are_not_looked_at() -> None:
    """Blocks of fewer than twenty rows tell nothing, nor does text."""
    assert uneven_blocks({"x": np.arange(20.0 * BLOCKS - 1)}, "generated") is None
    assert uneven_blocks({"x": np.arange(20.0 * BLOCKS)}, "generated") is not None
    assert uneven_blocks({"t": np.full(9_000, "a")}, "generated") is None


def test_the_statistic_is_that_of_kruskal_and_wallis() -> None:
    """The χ² of the note is scipy's but for a factor (n - 1) / n, ties included."""
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(size=2_000) + np.linspace(0, 1, 2_000), 1)
    expected = stats.kruskal(*values.reshape(BLOCKS, -1)).statistic
    assert special.chdtrc(BLOCKS - 1, expected) < 1e-6
    note = uneven_blocks({"x": values}, "generated")
    assert note is not None
    assert float(note.split("χ²/ndf = ")[1].split(")")[0]) == pytest.approx(expected / (BLOCKS - 1), rel=0.005)

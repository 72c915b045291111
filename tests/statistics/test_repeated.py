"""A value that one sample repeats is shown where it is off, and nothing else is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.statistics.repeated import ValueShares, repeated_biases


def shares(counts: Any, events: int, undercount: int = 0) -> ValueShares:
    """Shares of unweighted events."""
    least = np.asarray(counts, dtype=float) / events
    return ValueShares(least, least + undercount / events, least / events, 1 / events)


def test_a_value_of_one_side_is_shown() -> None:
    """A value that only one of the samples repeats is found on whichever side it is, the worst first."""
    ours, theirs = np.array([327, 50, 0]), np.array([0, 50, 900])
    found = repeated_biases(shares(ours, 100_000), shares(theirs, 100_000), 10_000, 5.0, 0.05)
    assert [bias.position for bias in found] == [2, 0]
    assert [(bias.generated, bias.reference) for bias in found] == [(0, 0.009), (0.00327, 0)]
    assert all(bias.lower > 5 and bias.p_value < 0.05 for bias in found)


@pytest.mark.parametrize(("n_required", "number"), [(10_000, 1), (1_000, 0)])
def test_what_n_required_events_do_not_resolve_is_not_shown(n_required: float, number: int) -> None:
    """The same value is off by fewer error bars of fewer events."""
    sides = shares(np.array([327]), 100_000), shares(np.array([0]), 100_000)
    assert len(repeated_biases(*sides, n_required, 5.0, 0.05)) == number
    assert repeated_biases(*sides, n_required, math.inf, 0.05) == ()


@pytest.mark.parametrize(("undercount", "number"), [(0, 1), (300, 0)])
def test_what_a_list_may_have_missed_counts_for_agreement(undercount: int, number: int) -> None:
    """Where the other list may have missed as many events, nothing is shown."""
    ours, theirs = shares(np.array([327]), 100_000), shares(np.array([0]), 100_000, undercount)
    assert len(repeated_biases(ours, theirs, 10_000, 5.0, 0.05)) == number
    assert len(repeated_biases(theirs, ours, 10_000, 5.0, 0.05)) == number


def test_equal_shares_are_silent() -> None:
    """Discrete samples of one distribution differ by chance only: nothing is shown in 60 toys, nor at a low limit."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(64))
    shown = 0
    for _ in range(60):
        ours, theirs = (shares(rng.multinomial(n, p), n) for n in (20_000, 5_000))
        assert repeated_biases(ours, theirs, 20_000, 5.0, 0.05) == ()
        shown += bool(repeated_biases(ours, theirs, 20_000, 0.0, 0.05))
    assert shown <= 0.05 * 60 + 3 * math.sqrt(0.05 * 60)

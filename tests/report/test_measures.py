"""The test that decides, and its numbers beside the limit."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.measures import decides, decision, decisive, limit_of, measures, shown_bias
from pytest_ganvalid.report.text import explain

PLACE = np.arange(20)
FLAT, NOISE = np.full(20, 3_000), 9 * ((37 * PLACE) % 23 - 11)


def compared(slope: int, size: int = 1, n_required: float = 4_000, **limits: Any) -> gv.Comparison:
    """A histogram that is tilted, against a flat one."""
    edges = range(21)
    tilted = gv.Counts(size * (FLAT + slope * (2 * PLACE - 19)) + NOISE, edges=edges)
    return gv.compare(tilted, gv.Counts(size * FLAT, edges=edges), n_required=n_required, name="x", **limits)


def test_a_smooth_bias_is_decided_by_the_components() -> None:
    """A tilt that all bins allow is BIASED by its components, and what is told of it are their numbers."""
    c = compared(20, size=10, n_required=2_000)
    assert c.verdict == "BIASED"
    assert c.chi2_required.upper < c.chi2_critical
    all_bins, nine = measures(c)
    assert decisive(c) == nine
    assert all_bins.upper_ratio < 1 < nine.lower_ratio
    assert decision(c).endswith("> 1.5 in 9 components")


@pytest.mark.parametrize("slope", [0, 10, 40])
@pytest.mark.parametrize("n_required", [200, 2_000, 8_000, 100_000])
def test_the_verdict_follows_from_the_limits(slope: int, n_required: float) -> None:
    """BIASED is what a lower limit beyond the allowed makes, ROBUST what upper limits within it, in every test."""
    c = compared(slope, n_required=n_required)
    assert (c.verdict == "BIASED") == (shown_bias(c) > 1)
    assert (c.verdict == "ROBUST") == all(test.upper_ratio <= 1 for test in measures(c))
    assert decides(c) == any(test.upper_ratio > 1 for test in measures(c)) or c.robust


def test_reasons_and_terminal_have_the_same_numbers() -> None:
    """The lower end, the upper end and the limit of a reason are those of the line that the terminal shows."""
    cases = compared(40), compared(10)
    assert [c.verdict for c in cases] == ["BIASED", "UNPROVEN"]
    for c in cases:
        test = decisive(c)
        numbers = [float(number) for number in re.findall(r"[\d.]+\d", c.reasons[0].partition("χ²_req/ndf")[2])]
        shown = [f"{end:.4g}" for end in (test.interval.lower, test.interval.upper, limit_of(c, test))]
        expected = shown if c.verdict == "UNPROVEN" else [shown[0], shown[2]]
        assert [f"{number:.4g}" for number in numbers[: len(expected)]] == expected
        assert decision(c) in explain(c)


def test_an_rms_bias_is_chi2_in_another_unit() -> None:
    """A χ²/ndf of 1 + b²/2 stands for an rms bias of b error bars; of all bins it is that of the comparison."""
    c = compared(13)
    all_bins, _ = measures(c)
    assert all_bins.rms_of(1.5) == 1
    assert all_bins.rms_of(0.9) == 0
    assert all_bins.rms_bias.upper == pytest.approx(c.rms_bias.upper)
    assert all_bins.rms_bias.estimate == pytest.approx(c.rms_bias.estimate)


def test_a_directional_limit_is_that_of_robust_alone() -> None:
    """max_directional_bias lowers the limit that is told of what is not BIASED."""
    c = compared(0, n_required=2_000, max_directional_bias=0.5)
    assert c.verdict == "UNPROVEN"
    assert limit_of(c, decisive(c)) == pytest.approx(1 + 0.5**2 / 2 / 19)
    assert limit_of(replace(c, verdict=gv.Verdict.BIASED), measures(c)[0]) == 1.5


def test_what_no_test_decides_has_no_decision() -> None:
    """A single bin, a verdict that was withdrawn and samples that are too small leave nothing to write."""
    spike = np.where(PLACE == 3, 3_000, 0) + 10 * FLAT
    single = gv.compare(gv.Counts(spike + NOISE), gv.Counts(10 * FLAT), n_required=2_000, max_local_bias=0.3)
    assert single.verdict == "BIASED"
    few = gv.compare(gv.Counts([3, 2, 0]), gv.Counts([1, 2, 1]), n_required=3_000)
    for c in (single, compared(0).withdrawn("they are copies"), few):
        assert not decides(c)
        assert decision(c) == ""


def test_numbers_are_decided_by_their_bias() -> None:
    """Of two numbers the bias decides, in error bars of n_required events."""
    c = gv.compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000)
    assert decision(c).startswith("bias 4.28 [")
    assert math.isclose(decisive(c).lower_ratio, c.bias.lower)

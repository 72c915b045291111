"""Numbers in sentences are honest."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.results import Estimate, Verdict, at_most
from pytest_ganvalid.statistics.reasons import TOO_GOOD, count, measured, percent, rounded, too_good


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.95, "95 %"), (0.99999, "above 99.99 %"), (1.0, "100 %"), (0.0285, "2.85 %"), (1e-9, "1e-07 %"), (0.0, "0 %")],
)
def test_probability_is_not_rounded_to_certainty(fraction: float, text: str) -> None:
    """A probability below one is never printed as 100 %."""
    assert percent(fraction) == text


@pytest.mark.parametrize(("number", "text"), [(1_234_567, "1,234,567"), (math.inf, "∞"), (2.6, "3")])
def test_counts_are_readable(number: float, text: str) -> None:
    """Numbers of events are grouped by thousands, and infinity is a sign."""
    assert count(number) == text


@pytest.mark.parametrize(("number", "text"), [(2.99, "2"), (1_234.9, "1,234"), (0.0, "0"), (math.inf, "∞")])
def test_what_must_not_be_exceeded_is_never_rounded_up(number: float, text: str) -> None:
    """A supported number of events is rounded down."""
    assert at_most(number) == text


@pytest.mark.parametrize(("number", "text"), [(1.23456, "1.23"), (0.00012344, "0.000123"), (math.inf, "∞")])
def test_numbers_have_three_digits(number: float, text: str) -> None:
    """Other numbers have three digits, unless told otherwise."""
    assert rounded(number) == text
    assert rounded(1.23456, 2) == "1.2"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (91.18765, 0.0123, "91.188 ± 0.012"),
        (5.0, 1.0, "5.0 ± 1.0"),
        (50.4, 10.0, "50 ± 10"),
        (50.4, 9.99, "50.4 ± 10.0"),
        (500.0, 100.0, "500 ± 1e+02"),
        (99_999_999.0, 1.0, "99999999.0 ± 1.0"),
        (1e8, 1.0, "1e+08 ± 1"),
        (-1e8, 1.0, "-1e+08 ± 1"),
        (1e-8, 1e-7, "0.00000001 ± 0.00000010"),
        (1e-8, 1e-8, "1e-08 ± 1e-08"),
    ],
)
def test_a_number_has_as_many_digits_as_its_error(value: float, error: float, text: str) -> None:
    """Both are written to the second digit of the error, or with powers of ten where that is too long."""
    assert measured(Estimate(value, error, 10)) == text


RNG = np.random.default_rng(1)
FLAT = np.full(20, 0.05)
TILTED = FLAT * (1 + 0.1 * np.repeat([1, -1], 10))
PAIR = gv.Counts(RNG.multinomial(200_000, TILTED)), gv.Counts(RNG.multinomial(200_000, FLAT))


def words(n_required: float, pair: Any = PAIR, **limits: Any) -> tuple[Verdict, list[str], gv.Comparison]:
    """The verdict on two histograms, its reasons and all numbers."""
    found = gv.compare(*pair, n_required=n_required, **limits)
    return found.verdict, list(found.reasons), found


def limits_of(c: gv.Comparison, test: int, end: str) -> str:
    """χ²_req/ndf and rms bias of one of the tests, at a limit of Δ."""
    resolution = c.tests[test]
    ndf = resolution.components or c.ndf
    n_delta = 2 * c.n_required * getattr(resolution.separation, end)
    side = {"upper": "most", "lower": "least"}[end]
    return (
        f"χ²_req/ndf is at {side} {1 + n_delta / ndf:.4g} (limit 1.5) and the rms bias at {side} "
        f"{math.sqrt(2 * n_delta / ndf):.3g} error bars (limit 1)"
    )


def test_robust() -> None:
    """What is demonstrated is told with the upper limits of every test, and the directional bias."""
    verdict, (reason,), c = words(100)
    assert verdict is Verdict.ROBUST
    assert reason == (
        f"agreement at n_required 100 is demonstrated at 95 % confidence: in all bins {limits_of(c, 0, 'upper')}; in "
        f"the 9 smoothest components {limits_of(c, 1, 'upper')}; no number linear in the bin contents is off by more "
        f"than {c.directional_bias.upper:.3g} error bars"
    )


def test_biased() -> None:
    """A disagreement is told in the test that shows it most, in words if it has any, with what is supported."""
    verdict, (reason, advice), c = words(100_000, max_local_bias=math.inf)
    assert verdict is Verdict.BIASED
    found = re.fullmatch(
        r"a disagreement is demonstrated at 95 % confidence: in the 9 smoothest components χ²_req/ndf is at least "
        r"([\d.]+) \(limit 1.5\) and the rms bias at least [\d.]+ error bars \(limit 1\) of 100,000 events: "
        r"shifted down by ([\d.]+) error bars.*",
        reason,
    )
    assert found
    shown = 1 + (c.tests[1].lower_corrected or 0.0) ** 2 / 18
    assert shown < 1 + 2 * c.n_required * c.tests[1].separation.lower / 9  # at α/2
    assert float(found[1]) == pytest.approx(shown, rel=5e-4)
    assert float(found[2]) == pytest.approx(-c.shape[0][1], abs=0.05)
    assert advice == (
        "more events cannot help: improve the generator (look at the worst bins), or lower n_required to what it "
        f"supports, {at_most(c.n_supported)} at most"
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (lambda x: x, "shifted up"),
        (lambda x: -x, "shifted down"),
        (lambda x: x**2, "too wide"),
        (lambda x: -(x**2), "too narrow"),
        (lambda x: 5 * x**3 - 0.75 * x, "skewed up"),
        (lambda x: 14 * x**4 - 3 * x**2, "too heavy in the tails"),
    ],
)
def test_the_shape_of_a_difference_is_put_into_words(pattern: Callable[[Any], Any], text: str) -> None:
    """Location, scale, skewness and kurtosis in ranks, up or down."""
    x = (np.arange(50) + 0.5) / 50 - 0.5
    change = pattern(x) - np.mean(pattern(x))
    generated = np.round(100_000 * (1 + 0.2 * change / np.abs(change).max()))
    verdict, reasons, _ = words(20_000, (gv.Counts(generated), gv.Counts(RNG.poisson(100_000, 50))))
    assert verdict is Verdict.BIASED
    assert f": {text} by " in reasons[0]


def test_a_small_n_required_asks_nothing() -> None:
    """Where samples without a common bin would pass, that is said, with the least n_required that asks something."""
    verdict, (reason,), _ = words(2, (PAIR[0], PAIR[1]))
    assert verdict is Verdict.UNPROVEN
    assert reason.startswith("n_required 2 asks nothing: in 20 bins even samples without a bin in common")
    assert "state more than 4 or use fewer bins" in reason


def test_a_directional_limit_that_is_exceeded() -> None:
    """Where that limit alone stands in the way, the directional bias is told beside it."""
    _, _, c = words(100)
    limit = 0.9 * c.directional_bias.upper
    verdict, reasons, _ = words(100, max_directional_bias=limit)
    assert verdict is Verdict.UNPROVEN
    assert (
        f"a number linear in the bin contents may be off by {c.directional_bias.upper:.3g} error bars of 100 events "
        f"(limit {limit:g})"
    ) in reasons


def test_a_single_bin() -> None:
    """Where only single bins are off they are told, and no supported number is promised."""
    hole = np.full(50, 20_000)
    hole[7] = 16_000
    pair = gv.Counts(RNG.poisson(hole)), gv.Counts(RNG.poisson(20_000, 50))
    verdict, reasons, c = words(40_000, pair, max_bias=1000, max_local_bias=4)
    assert verdict is Verdict.BIASED
    assert reasons == [
        f"bin 7 is off by at least {c.worst_bins[0].lower:.3g} error bars of 40,000 events (limit 4)",
        "more events cannot help: improve the generator (look at the worst bins)",
    ]


@pytest.mark.parametrize(("n", "sizes"), [(3, "6 generated and 6"), (9, "18 generated and 18")])
def test_too_few_events(n: int, sizes: str) -> None:
    """Samples for which there are no two bins are told so."""
    verdict, (reason,), _ = words(1, (gv.Counts([n, n]), gv.Counts([n + 1, n - 1])))
    assert verdict is Verdict.UNPROVEN
    assert reason == (
        f"too few events for two bins: {sizes} reference events (effective); a bin needs 10 events of the smaller "
        "sample, one that was cut at quantiles 20 generated ones, 10 of the reference and 5 of n_required 1"
    )


def test_too_good() -> None:
    """Samples that agree better than chance are asked whether they share events."""
    verdict, (reason,), c = words(100, (PAIR[1], PAIR[1]))
    assert verdict is Verdict.UNPROVEN
    assert reason.startswith("agreement too good for independent samples (p = 7e-44, below 0.001): do they share")
    assert reason.endswith("(it would be ROBUST if that did not matter)")
    assert (c.n_supported, c.n_equivalent.lower) == (0, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_too_good_is_decided_on_all_together(p_values: list[float]) -> None:
    """It is the Cauchy combination of the p-values, none counted above 0.9."""
    capped = np.clip(p_values, 1e-300, 0.9)
    mean = float(np.mean(1 / np.tan(np.pi * capped)))
    together = 0.5 - math.atan(mean) / math.pi if mean < 1e10 else 1 / (math.pi * mean)
    assume(abs(together / TOO_GOOD - 1) > 1e-6)
    assert bool(too_good(p_values)) == (together < TOO_GOOD)


def test_a_biased_histogram_hides_no_copy() -> None:
    """One p-value of 1 beside a small one leaves the small one in force, and nothing is said of no histograms."""
    assert too_good([1e-9, 1.0])
    assert not too_good([0.3, 1.0])
    assert not too_good([])


def test_undecided() -> None:
    """In between both limits are told, the p-value of agreement if it is small, and what the data support."""
    verdict, reasons, c = words(1_000)
    assert verdict is Verdict.UNPROVEN
    lower, upper = (c.tests[1].lower_corrected or 0.0) ** 2 / 2, 2_000 * c.tests[1].separation.upper
    assert reasons[0] == (
        f"the data decide neither way: in the 9 smoothest components χ²_req/ndf lies between {1 + lower / 9:.4g} and "
        f"{1 + upper / 9:.4g} (limit 1.5), the rms bias between {math.sqrt(2 * lower / 9):.3g} and "
        f"{math.sqrt(2 * upper / 9):.3g} error bars (limit 1)"
    )
    assert reasons[1].startswith("the samples seem to differ (p = ")
    assert reasons[1].endswith(f"the generator is worth {count(c.n_equivalent.estimate)} events")
    assert reasons[2] == (
        f"a perfect generator would pass with probability {percent(c.power)}: this one is worse, or unlucky; these "
        f"data support n_required {at_most(c.n_supported)}"
    )
    assert len(reasons) == 3


def test_more_events_are_needed() -> None:
    """Where a perfect generator would hardly pass, the events that it takes are told."""
    pair = gv.Counts(RNG.multinomial(2_000, FLAT)), gv.Counts(RNG.multinomial(3_000, FLAT))
    verdict, reasons, c = words(5_000, pair)
    assert verdict is Verdict.UNPROVEN
    assert reasons[-1] == (
        f"it takes {count(c.n_reference_needed)} reference events and {count(c.n_generated_needed)} generated events "
        "(have 3,000 and 2,000) for a perfect generator to pass with probability 90 %"
    )

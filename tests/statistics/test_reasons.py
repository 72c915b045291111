"""Numbers in sentences are honest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.results import Estimate, Verdict
from pytest_ganvalid.statistics.reasons import at_most, count, measured, percent, rounded


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


def test_robust() -> None:
    """What is demonstrated is told with the upper limits, and nothing else."""
    verdict, (reason,), c = words(100)
    assert verdict is Verdict.ROBUST
    assert reason == (
        f"agreement at n_required 100 is demonstrated at 95 % confidence: χ²_req/ndf is at most "
        f"{c.chi2_required.upper / 19:.4g} (critical {c.chi2_critical / 19:.4g}) and the rms bias at most "
        f"{c.rms_bias.upper:.3g} error bars (limit 1)"
    )


def test_biased() -> None:
    """A disagreement is told with the lower limits, and with the number of events that is supported."""
    verdict, (reason, advice), c = words(100_000, max_local_bias=math.inf)
    assert verdict is Verdict.BIASED
    assert reason == (
        f"a disagreement is demonstrated at 95 % confidence: χ²_req/ndf is at least "
        f"{c.chi2_required.lower / 19:.4g} (critical {c.chi2_critical / 19:.4g}) and the rms bias at least "
        f"{c.rms_bias.lower:.3g} error bars of 100,000 events (limit 1)"
    )
    assert advice == (
        "more events cannot help: improve the generator (look at the worst bins), or lower n_required to what it "
        f"supports, {at_most(c.n_supported)} at most"
    )


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


@pytest.mark.parametrize(("n", "sizes"), [(3, "6 effective generated and 6"), (9, "18 effective generated and 18")])
def test_too_few_events(n: int, sizes: str) -> None:
    """Samples for which there are no two bins are told so."""
    verdict, (reason,), _ = words(1, (gv.Counts([n, n]), gv.Counts([n + 1, n - 1])))
    assert verdict is Verdict.UNPROVEN
    assert reason == (
        f"too few events: with {sizes} effective reference events there are no two bins that expect 10 events each in "
        "the smaller sample"
    )


def test_too_good() -> None:
    """Samples that agree better than chance are asked whether they share events."""
    verdict, (reason,), c = words(1, (PAIR[1], PAIR[1]))
    assert verdict is Verdict.UNPROVEN
    assert reason.startswith(f"agreement too good for independent samples (χ² {c.chi2:.4g} for 19 degrees of freedom")
    assert "lower-tail probability below 0.0001): do they share events" in reason


def test_undecided() -> None:
    """In between both limits are told, the p-value of agreement if it is small, and what the data support."""
    verdict, reasons, c = words(1_900)
    assert verdict is Verdict.UNPROVEN
    assert reasons[0] == (
        f"the data decide neither way: χ²_req/ndf lies between {c.chi2_required.lower / 19:.4g} and "
        f"{c.chi2_required.upper / 19:.4g} (critical {c.chi2_critical / 19:.4g}), the rms bias between "
        f"{c.rms_bias.lower:.3g} and {c.rms_bias.upper:.3g} error bars (limit 1)"
    )
    assert reasons[1].startswith("the samples seem to differ (p = ")
    assert reasons[1].endswith(f"the generator is worth {count(c.n_equivalent.estimate)} events")
    assert reasons[2] == (
        f"a perfect generator would pass with probability {percent(c.power)}: this one is worse, or unlucky; these "
        f"data support n_required {at_most(c.n_supported)}"
    )
    assert len(reasons) == 3


def test_more_events_are_needed() -> None:
    """Where a perfect generator would hardly pass, the events that it takes are told, and the least power."""
    pair = gv.Counts(RNG.multinomial(2_000, FLAT)), gv.Counts(RNG.multinomial(3_000, FLAT))
    verdict, reasons, c = words(5_000, pair)
    assert verdict is Verdict.UNPROVEN
    assert reasons[-2] == (
        f"with these sample sizes a perfect generator would pass with probability {percent(c.power)} only "
        "(min_power 20 %)"
    )
    assert reasons[-1] == (
        f"it takes {count(c.n_reference_needed)} reference events and {count(c.n_generated_needed)} generated events "
        "(have 3,000 and 2,000) for a perfect generator to pass with probability 90 %"
    )
    assert "min_power" not in " ".join(words(5_000, pair, min_power=c.power)[1])

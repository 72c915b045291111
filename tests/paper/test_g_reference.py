"""Section 2.2, the claim on validation: robustness at n_required is not shown without as many true events.

A perfect generator is compared with ever larger references. The share of toys in which it is shown ROBUST is held
against the power that the planner promises, as a function of reference events per required one: nothing below one half,
and 90 % at three.

The premise is that agreement is to be *shown*. It is broken by the usual rule that a generator passes where a χ² test
finds no difference: then a small reference suffices, for a perfect generator and for a biased one alike.

Contents of bins are drawn from their multinomial distribution, which is that of events drawn independently.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.toys.boundary import boundary_shape

CLAIM = "robustness at n_required is not shown without validation against a comparable number of true events"
SECTION = "2.2"

Array = NDArray[np.float64]
Passes = Callable[[gv.Counts, gv.Counts], bool]

BINS = 20
FLAT = np.full(BINS, 1 / BINS)
N_REQUIRED = 4_000
N_GENERATED = 10 * N_REQUIRED
TOYS = 100
EXCESS = 4.5
"""Largest n_required Δ that is allowed in the nine smooth components, half their number."""
FEW = 0.25
"""Reference events per required one that are not comparable with it."""


def robust(generated: gv.Counts, reference: gv.Counts) -> bool:
    """Agreement at n_required is shown."""
    return gv.compare(generated, reference, n_required=N_REQUIRED).robust


def undisturbed(generated: gv.Counts, reference: gv.Counts) -> bool:
    """No disagreement is found, at the level 0.05."""
    return gv.chi2_test(generated, reference, method="gagunashvili").p_value > 0.05


def promised(ratio: float) -> float:
    """Return the power for so many reference events per required one, from the contents that are expected."""
    expected = [gv.Counts(FLAT * n) for n in (N_GENERATED, ratio * N_REQUIRED)]
    return gv.compare(*expected, n_required=N_REQUIRED).power


def passed(passes: Passes, ratio: float, law: Array, toys: int) -> tuple[float, float]:
    """Return the share of toys that pass with so many reference events per required one, and its error."""
    rng = np.random.default_rng([7, round(100 * ratio)])
    generated = rng.multinomial(N_GENERATED, law, size=toys)
    reference = rng.multinomial(round(ratio * N_REQUIRED), FLAT, size=toys)
    number = sum(passes(gv.Counts(g), gv.Counts(r)) for g, r in zip(generated, reference, strict=True))
    return number / toys, _binomial(number / toys, toys)


def takes_as_many(share: float, error: float) -> bool:
    """Tell whether what passes with few reference events is no more than the errors of a test at the level 0.05."""
    return share - 4 * error <= 0.05


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
def test_the_power_is_the_promised_one(ratio: float, size: int, measured: Callable[..., None]) -> None:
    """A perfect generator is ROBUST as often as promised, which rises from 0 to 1 about one to four true events."""
    share, _ = passed(robust, ratio, FLAT, TOYS * size)
    power = promised(ratio)
    error = _binomial(power, TOYS * size)
    measured(f"share ROBUST, perfect generator, {ratio:g} true events per required one", share, error, f"{power:.3f}")
    assert abs(share - power) < 4 * error + 0.01  # the power is of the first order
    if ratio <= 1:
        assert power < 0.06


@pytest.mark.parametrize("power", [0.5, 0.9])
def test_the_plan_asks_for_more_true_events_than_required(
    power: float, size: int, measured: Callable[..., None]
) -> None:
    """With what the plan asks for the power is as planned, and training and validation cost more than is gained."""
    plan = gv.plan(N_REQUIRED, bins=BINS, power=power)
    ratio = plan.n_reference / N_REQUIRED
    share, error = passed(robust, ratio, FLAT, TOYS * size)
    measured(f"share ROBUST, perfect generator, planned for {power:g}", share, error, f"{power:g}")
    measured(f"required events per true one of validation, planned for {power:g}", 1 / ratio, 0.0, "below 1: no gain")
    assert abs(share - power) < 4 * error + 0.01
    assert ratio > 1
    endless = gv.plan(N_REQUIRED, bins=BINS, power=power, generated_ratio=10_000)
    assert endless.n_reference > N_REQUIRED


def test_few_true_events_show_nothing(size: int, measured: Callable[..., None]) -> None:
    """With a quarter of the required events for validation a perfect generator is not shown to be ROBUST."""
    share, error = passed(robust, FEW, FLAT, TOYS * size)
    measured("share ROBUST, perfect generator, 1/4 true event per required one", share, error, "0")
    assert promised(FEW) == 0
    assert takes_as_many(share, error)


def test_nor_do_they_pass_what_is_biased(size: int, measured: Callable[..., None]) -> None:
    """A generator just beyond what is allowed is ROBUST in 0.05 of the toys at most, whatever the reference."""
    law = boundary_shape("smooth", FLAT, EXCESS / N_REQUIRED)
    for ratio in (1.0, 4.0):
        share, error = passed(robust, ratio, law, TOYS * size)
        measured(f"share ROBUST, biased generator, {ratio:g} true events per required one", share, error, "<= 0.05")
        assert takes_as_many(share, error)


def test_unless_nothing_need_be_shown(size: int, measured: Callable[..., None]) -> None:
    """If it is enough that no difference is found, few true events let everything pass: perfect, and biased as well."""
    premise = "agreement need not be shown: p-value above 0.05"
    share, error = passed(undisturbed, FEW, FLAT, TOYS * size)
    measured("share passed, perfect generator, 1/4 true event", share, error, "0.95", broken_by=premise)
    assert abs(share - 0.95) < 4 * error
    assert not takes_as_many(share, error)
    law = boundary_shape("smooth", FLAT, 2 * EXCESS / N_REQUIRED)
    share, error = passed(undisturbed, FEW, law, TOYS * size)
    measured(
        "share passed, generator of twice the allowed Δ, 1/4 true event", share, error, "<= 0.05", broken_by=premise
    )
    assert not takes_as_many(share, error)


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

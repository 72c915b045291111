"""The decision itself, case by case."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import special

from pytest_ganvalid.histograms.counts import Counts
from pytest_ganvalid.histograms.sums import as_bin_sums
from pytest_ganvalid.results import Verdict
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.planning import boundary_noncentrality, power, power_of_each, reference_needed
from pytest_ganvalid.statistics.robustness import TOO_GOOD, Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions


def assessment(generated: ArrayLike, reference: ArrayLike, n_required: float, *, sparse: bool = False) -> Assessment:
    """Assess two arrays of counts with the default limits."""
    sums = as_bin_sums(Counts(generated), "generated"), as_bin_sums(Counts(reference), "reference")
    one, other = (Fractions.from_sums(s.sumw, s.sumw2) for s in sums)
    return assess(one, other, n_required, Limits(), chi2_test(*sums), sparse=sparse)


GOOD = [10_100, 9_900, 10_050, 9_950, 10_000], [20_000, 20_100, 19_900, 20_050, 19_950]


def test_boundary_is_where_the_expected_chi2_is_critical_or_the_rms_bias_one() -> None:
    """E is the smaller of the critical excess of χ² and half of ndf."""
    few, many = assessment(*GOOD, 100), assessment([1000] * 50, [1010] * 49 + [900], 100)
    assert few.allowed == pytest.approx(few.ndf / 2)
    assert many.allowed == pytest.approx(many.critical - many.ndf)
    assert few.boundary == few.allowed / 100


def test_verdicts_in_order_as_n_required_grows() -> None:
    """One pair of histograms that differ a little is first ROBUST, then UNPROVEN, then BIASED."""
    rng = np.random.default_rng(1)
    flat = np.full(50, 0.02)
    tilted = flat * (1 + 0.02 * np.repeat([1, -1], 25))
    pair = rng.multinomial(1_000_000, tilted), rng.multinomial(1_000_000, flat)
    verdicts = [assessment(*pair, n).verdict() for n in (10_000, 86_000, 150_000, 1_000_000)]
    assert verdicts == [Verdict.ROBUST, Verdict.UNPROVEN, Verdict.BIASED, Verdict.BIASED]


def test_sparse_is_never_decided() -> None:
    """Samples too small for two bins are UNPROVEN, however well or badly they agree."""
    assert assessment(*GOOD, 100).verdict() is Verdict.ROBUST
    assert assessment(*GOOD, 100, sparse=True).verdict() is Verdict.UNPROVEN
    assert assessment([1000, 10], [10, 1000], 1000, sparse=True).verdict() is Verdict.UNPROVEN


def test_too_good_fires_on_shared_events_only() -> None:
    """Independent samples are almost never called too good; samples that share half of their events always are."""
    rng = np.random.default_rng(2)
    flat = np.full(50, 0.02)
    toys = 1000
    independent = sum(
        assessment(rng.multinomial(10_000, flat), rng.multinomial(20_000, flat), 100).too_good for _ in range(toys)
    )
    assert independent / toys <= TOO_GOOD + 3 * (TOO_GOOD / toys) ** 0.5 + 1 / toys
    for _ in range(50):
        shared = rng.multinomial(30_000, flat)
        pair = shared + rng.multinomial(10_000, flat), shared + rng.multinomial(10_000, flat)
        assert assessment(*pair, 100).too_good


def test_p_values_and_limits_decide_alike() -> None:
    """The p-value of the boundary is at most alpha exactly where the limit lies beyond it."""
    rng = np.random.default_rng(3)
    flat = np.full(20, 0.05)
    for n_required in np.geomspace(100, 1e6, 40):
        tilted = flat * (1 + 0.05 * np.repeat([1, -1], 10))
        found = assessment(rng.multinomial(50_000, tilted), rng.multinomial(50_000, flat), n_required)
        assert (found.upper <= found.boundary) == (found.p_robust <= 0.05 + 1e-12)
        assert (found.lower > found.boundary) == (found.separation.upper_tail(found.boundary) < 0.05 - 1e-12)


def test_events_needed_reach_the_power() -> None:
    """With the events that the advice names a perfect generator would pass with 90 % probability."""
    few = assessment([200] * 50, [210] * 50, 20_000)
    n_reference, n_generated = few.events_needed()
    generated, reference = ([round(n / 50)] * 50 for n in (n_generated, n_reference))
    assert assessment(generated, reference, 20_000).power == pytest.approx(0.9, abs=0.005)


def test_generated_sample_at_hand_is_kept_where_it_suffices() -> None:
    """The advice asks for more generated events only where the reference would have to be absurdly large."""
    assert assessment([20_000] * 50, [200] * 50, 20_000).events_needed()[1] == 1_000_000
    assert assessment([200] * 50, [20_000] * 50, 20_000).events_needed()[1] == 200_000


def decided(verdict: Verdict, **changes: Any) -> None:
    """An assessment that is ROBUST, with some of its numbers changed, has this verdict."""
    a = assessment(*GOOD, 100)
    assert a.verdict() is Verdict.ROBUST
    assert replace(a, **changes).verdict() is verdict


def test_every_limit_is_within_itself() -> None:
    """An upper limit of exactly the allowed is ROBUST, a lower one of exactly it not BIASED, and power is enough."""
    a = assessment(*GOOD, 100)
    edge = a.allowed / 100
    assert 100 * edge == a.allowed
    decided(Verdict.ROBUST, upper=edge)
    decided(Verdict.UNPROVEN, upper=math.nextafter(edge, 1))
    decided(Verdict.UNPROVEN, lower=edge, upper=1.0)
    decided(Verdict.BIASED, lower=math.nextafter(edge, 1), upper=1.0)
    decided(Verdict.ROBUST, limits=Limits(min_power=min(a.power, math.nextafter(1.0, 0))))
    alpha = a.limits.alpha
    decided(Verdict.ROBUST, local=replace(a.local, p_value=alpha))
    decided(Verdict.BIASED, local=replace(a.local, p_value=math.nextafter(alpha, 0)))


def test_what_is_not_admissible_is_undecided() -> None:
    """Neither a bias nor agreement is shown by samples that are too small or too alike."""
    a = assessment(*GOOD, 100)
    decided(Verdict.UNPROVEN, sparse=True)
    decided(Verdict.UNPROVEN, sparse=True, lower=1.0, upper=1.0)
    decided(Verdict.UNPROVEN, chi2=replace(a.chi2, chi2=0.0), lower=1.0, upper=1.0)
    quantile = float(special.chdtri(4, 1 - TOO_GOOD))
    assert not replace(a, chi2=replace(a.chi2, chi2=quantile * 1.001)).too_good
    assert replace(a, chi2=replace(a.chi2, chi2=quantile * 0.999)).too_good


def test_correlated_entries_have_fewer_degrees_of_freedom() -> None:
    """Where entries of an event make bins correlated, power is that of the degrees of freedom of T."""
    a = assessment(*GOOD, 20_000)
    assert a.free == 1
    correlated = replace(a, correlated=True, separation=replace(a.separation, m1=2.0, m2=2.0))
    assert correlated.free == 2 / 4
    noncentrality = boundary_noncentrality(20_000, a.allowed, a.n_generated, a.n_reference)
    assert correlated.power == power(2, noncentrality / 2, 0.95)
    assert correlated.power != a.power


def test_shares_of_samples_ask_for_whole_ones() -> None:
    """Of a stratum or a half the advice is for the whole samples."""
    whole = assessment([200] * 50, [210] * 50, 20_000)
    part = replace(whole, used=(0.5, 0.25))
    reference, generated = whole.events_needed()
    assert part.events_needed() == pytest.approx((4 * reference, 2 * generated), rel=1e-4)
    several = replace(whole, observables=10).events_needed()
    assert several[0] > reference
    limits = (0.95, 1.0)
    expected = reference_needed(20_000, 49, power_of_each(0.9, 10), several[1], limits)
    assert several[0] == math.ceil(expected)


@pytest.mark.parametrize("per_event", [1.0, 3.0])
def test_entries_of_an_event_are_worth_more(per_event: float) -> None:
    """Limits of Δ are per event, so is the boundary, and sizes are numbers of events."""
    sums = as_bin_sums(Counts(GOOD[0]), "generated"), as_bin_sums(Counts(GOOD[1]), "reference")
    one, other = (Fractions.from_sums(s.sumw, s.sumw2) for s in sums)
    a = assess(one, other, 100, Limits(), chi2_test(*sums), per_event=per_event)
    assert a.n_generated == pytest.approx(50_000 / per_event)
    assert a.n_reference == pytest.approx(100_000 / per_event)
    assert a.upper == pytest.approx(a.separation.upper_limit(a.limits.alpha) * per_event)
    assert a.lower == a.separation.lower_limit(a.limits.alpha) * per_event
    assert a.boundary == pytest.approx(a.allowed / (100 * per_event))
    assert a.local.bias[0] == pytest.approx((0.202 - 0.2) * math.sqrt(2 * 100 * per_event / 0.402))
    assert not a.correlated

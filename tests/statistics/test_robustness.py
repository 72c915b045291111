"""The decision itself, case by case."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import Verdict
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.planning import power_of_each, reference_partner
from pytest_ganvalid.statistics.power import joint_power, required_scale
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
FIFTY, HUNDRED = np.arange(50), np.arange(100)
FIVE = [812, 1630, 2421, 1577, 1560]
FALLING = [1547, 1331, 1185, 1077, 969, 828, 709, 639, 552, 514, 422, 378, 349, 297, 270, 238, 220, 194, 144, 137]
WAVY, FLAT = 25 * ((37 * FIFTY % 23) - 11), 4000 + 14 * ((29 * FIFTY % 19) - 9)


def sums_of(contents: object) -> BinSums:
    """Counts, or a pair of sums of weights and of their squares."""
    sumw, sumw2 = contents if isinstance(contents, tuple) else (contents, contents)
    return BinSums(np.asarray(sumw, dtype=float), np.asarray(sumw2, dtype=float), Unlabelled((len(sumw),)))


def assessment(generated: object, reference: object, n_required: float, **keywords: Any) -> Assessment:
    """Assess two histograms along one axis, with the default limits."""
    sums = sums_of(generated), sums_of(reference)
    one, other = (Fractions.from_sums(s.sumw, s.sumw2) for s in sums)
    limits = keywords.pop("limits", Limits())
    layout = keywords.pop("layout", Layout.line(one.q.size))
    return assess(one, other, n_required, limits, chi2_test(*sums), layout, **keywords)


EXAMPLES = {
    "A": (([105, 212, 287, 214, 182], FIVE, 500), 0.005462333, None, 366.144, "UNPROVEN"),
    "C": (
        (
            [9830, 10120, 9911, 10230, 9950, 10045, 9870, 10111, 9960, 9973],
            [20110, 19820, 20240, 19790, 20005, 20120, 19850, 20065, 19930, 20070],
            5000,
        ),
        1.873635e-04,
        None,
        24017.5,
        "ROBUST",
    ),
    "D": ((([88, 190, 250, 180, 150], [130, 260, 350, 240, 210]), FIVE, 300), 0.008090309, None, 247.209, "UNPROVEN"),
    "1": ((20000 + 20 * (2 * FIFTY - 49) + WAVY, FLAT, 20000), 5.623863e-04, 5.110674e-4, 8805.10, "BIASED"),
    "2": ((20000 + WAVY, FLAT, 20000), 1.132715e-4, 4.133766e-5, 108859.6, "ROBUST"),
    "3": (
        (
            [
                *(3094, 2623, 2355, 2120, 1863, 1601, 1417, 1361, 1162, 986),
                *(856, 787, 686, 632, 560, 499, 405, 364, 316, 313),
            ],
            FALLING,
            3000,
        ),
        6.92224e-4,
        7.102288e-4,
        6335.99,
        "ROBUST",
    ),
    "4": (
        (
            (
                [
                    *(1565, 1377, 1184.36, 1075.08, 970.2, 879.87, 705.6, 723.85, 541.16, 502.74),
                    *(449.29, 415.14, 304.2, 308.56, 270.08, 257.24, 241.82, 194.22, 159.72, 120),
                ],
                [
                    *(1565, 1487.16, 1373.86, 1333.1, 1280.66, 1223.02, 1037.23, 1121.97, 882.09, 859.69),
                    *(804.23, 776.31, 593.19, 626.38, 569.87, 560.78, 546.51, 454.47, 386.52, 300),
                ],
            ),
            FALLING,
            2500,
        ),
        1.259734e-3,
        8.433482e-4,
        5335.87,
        "ROBUST",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_examples(name: str) -> None:
    """Upper limits, the supported number and the verdict of worked examples, to all digits given."""
    histograms, all_bins, nine, supported, verdict = EXAMPLES[name]
    a = assessment(*histograms)
    assert a.all_bins.upper == pytest.approx(all_bins, rel=1e-6)
    assert [test.upper for test in a.tests[1:]] == pytest.approx([] if nine is None else [nine], rel=1e-6)
    assert a.n_supported == pytest.approx(supported, rel=2e-6)
    assert a.verdict() is Verdict(verdict)


def test_the_shape_of_a_tilt() -> None:
    """Example 1 is shifted up by 3.9 error bars; its location, scale, skewness and kurtosis have these errors."""
    histograms, *_ = EXAMPLES["1"]
    shape = assessment(*histograms).shape
    assert [name for name, _, _ in shape] == ["location", "scale", "skewness", "kurtosis"]
    assert [b for _, b, _ in shape] == pytest.approx([3.935272, 0.1816802, -0.3554116, -0.0086631], rel=2e-6)
    assert [e for _, _, e in shape] == pytest.approx([0.3464967, 0.3465525, 0.3466756, 0.3464633], rel=1e-6)


def test_what_a_perfect_generator_gets() -> None:
    """Power and expected numbers of example 3 are those of the formula."""
    histograms, *_ = EXAMPLES["3"]
    a = assessment(*histograms)
    assert a.power == pytest.approx(0.9515, abs=5e-5)
    assert a.expected_n_supported == pytest.approx((3848.8, 5535.8, 7502.7), abs=0.06)


def test_cells_cut_at_the_references_quantiles() -> None:
    """Example 5: the noise of the reference sits in the edges, which another term accounts for."""
    generated, reference = 400 + 9 * ((37 * FIFTY % 23) - 11), np.full(50, 40)
    cut, given = (assessment(generated, reference, 500, cut_share=share) for share in (1.0, 0.0))
    assert cut.all_bins.separation.nu == pytest.approx(46.5197, abs=5e-5)
    assert cut.all_bins.upper == pytest.approx(0.005610793, rel=1e-6)
    assert given.all_bins.upper == pytest.approx(0.005355868, rel=1e-6)
    assert cut.tests[1].upper == given.tests[1].upper == pytest.approx(0.002632091, rel=1e-6)
    assert (cut.n_supported, cut.power) == pytest.approx((1709.67, 0.9946), rel=5e-5)
    assert cut.verdict() is Verdict.ROBUST
    half = assessment(generated, reference, 500, cut_share=0.5).all_bins.separation.m1
    assert half == pytest.approx((cut.all_bins.separation.m1 + given.all_bins.separation.m1) / 2)


def test_ripples_are_seen_by_36_components() -> None:
    """Example 6: ten periods in 100 bins are ROBUST in all bins and in nine components, and not in 36."""
    generated = np.round(2000 + 240 * np.cos(20 * np.pi * (HUNDRED + 0.5) / 100))
    reference = 800 + 6 * ((29 * HUNDRED % 19) - 9)
    a = assessment(generated, reference, 4500)
    assert [test.n_supported() for test in a.tests] == pytest.approx([5154.99, 10577.7, 3255.46], rel=2e-6)
    ripples = a.tests[2]
    assert ripples.separation.t == pytest.approx(0.004265435, rel=1e-6)
    assert 4500 * ripples.lower_corrected == pytest.approx(14.363, abs=5e-4)
    assert ripples.allowed == pytest.approx(14.998, abs=5e-4)
    assert a.verdict() is Verdict.UNPROVEN
    assert assessment(generated, reference, 4500, limits=Limits(smooth=False)).verdict() is Verdict.ROBUST


GOOD = [10_100, 9_900, 10_050, 9_950, 10_000], [20_000, 20_100, 19_900, 20_050, 19_950]


def test_boundary_is_where_the_expected_chi2_is_critical_or_the_rms_bias_one() -> None:
    """E is the smaller of the critical excess of χ² and half of ndf, whatever the confidence."""
    few, many = assessment(*GOOD, 100), assessment([1000] * 50, [1010] * 49 + [900], 100)
    assert few.all_bins.allowed == few.ndf / 2
    assert many.all_bins.allowed == pytest.approx(many.critical - many.ndf)
    sure = assessment([1000] * 50, [1010] * 49 + [900], 100, limits=Limits(confidence=0.999))
    assert sure.all_bins.allowed == many.all_bins.allowed


def test_verdicts_in_order_as_n_required_grows() -> None:
    """One pair of histograms that differ a little is first ROBUST, then UNPROVEN, then BIASED."""
    rng = np.random.default_rng(1)
    flat = np.full(50, 0.02)
    tilted = flat * (1 + 0.02 * np.repeat([1, -1], 25))
    pair = rng.multinomial(1_000_000, tilted), rng.multinomial(1_000_000, flat)
    verdicts = [assessment(*pair, n).verdict() for n in (8_000, 24_000, 60_000, 1_000_000)]
    assert verdicts == [Verdict.ROBUST, Verdict.UNPROVEN, Verdict.BIASED, Verdict.BIASED]


def test_fine_bins_do_not_dilute_a_bias() -> None:
    """A mean 4.2 standard errors off at n_required is never ROBUST, in 50, 200 or 500 bins."""
    rng, n_required = np.random.default_rng(2), 20_000
    for bins in (50, 200, 500):
        x = (np.arange(bins) + 0.5) / bins - 0.5
        q = (1 + 12**0.5 * 4.2 / n_required**0.5 * x) / bins
        for _ in range(20):
            pair = rng.multinomial(16 * n_required, q), rng.multinomial(16 * n_required, np.full(bins, 1 / bins))
            assert assessment(*pair, n_required).verdict() is not Verdict.ROBUST


def test_bins_without_order_have_one_test() -> None:
    """Of categories only all bins are tested, and there is no shape."""
    a = assessment([1000] * 50, [1010] * 49 + [900], 100, layout=Layout.none(50))
    assert (len(a.tests), a.shape, a.arrangement) == (1, (), Arrangement.NONE)


def test_sparse_is_never_decided() -> None:
    """Samples too small for two bins are UNPROVEN, however well or badly they agree."""
    assert assessment(*GOOD, 100).verdict() is Verdict.ROBUST
    assert assessment(*GOOD, 100, sparse=True).verdict() is Verdict.UNPROVEN
    assert assessment([1000, 10], [10, 1000], 1000, sparse=True).verdict() is Verdict.UNPROVEN


def test_nothing_is_shown_where_nothing_could_be_biased() -> None:
    """Where 2 n_required <= E samples without a common bin would pass: UNPROVEN, one event more is decided."""
    disjoint = [100] * 25 + [0] * 25, [0] * 25 + [100] * 25
    least = assessment(*disjoint, 8).all_bins.allowed / 2
    assert least > 8
    assert assessment(*disjoint, 8).verdict() is Verdict.UNPROVEN
    assert assessment(*disjoint, 8).vacuous
    assert assessment(*disjoint, math.ceil(least)).verdict() is Verdict.BIASED


def test_p_values_and_limits_decide_alike() -> None:
    """p_robust is at most alpha exactly where all limits are within what is allowed, and p_biased likewise."""
    rng = np.random.default_rng(3)
    flat = np.full(20, 0.05)
    seen = set()
    for n_required in np.geomspace(100, 1e6, 40):
        tilted = flat * (1 + 0.05 * np.repeat([1, -1], 10))
        found = assessment(rng.multinomial(50_000, tilted), rng.multinomial(50_000, flat), n_required)
        assert (not found.open()) == (found.p_robust <= 0.05 * (1 + 1e-9))
        biased = bool(found.failing()) or found.local.p_value < 0.05
        assert biased == (found.p_biased < 0.05 * (1 - 1e-9))
        seen.add(found.verdict())
    assert len(seen) == 3


def test_a_bias_in_one_of_several_tests_is_shown_at_its_share_of_alpha() -> None:
    """The lower limit that makes BIASED is at α/m, the one that is shown at α."""
    tilted = assessment(*EXAMPLES["1"][0])
    for test in tilted.tests:
        assert test.lower_corrected == test.separation.lower_limit(tilted.limits.alpha / 2)
        assert test.lower == test.separation.lower_limit(tilted.limits.alpha)
    single = assessment(*GOOD, 100).all_bins
    assert single.lower_corrected == single.lower


def test_a_directional_limit_is_a_further_condition_of_robust() -> None:
    """It turns ROBUST into UNPROVEN where sqrt(2 n Δ_up) exceeds it, and nothing into BIASED."""
    histograms = EXAMPLES["2"][0]
    upper = math.sqrt(2 * 20_000 * assessment(*histograms).all_bins.upper)
    for limit, verdict in ((upper * 1.001, Verdict.ROBUST), (upper * 0.999, Verdict.UNPROVEN)):
        a = assessment(*histograms, limits=Limits(max_directional_bias=limit))
        assert a.verdict() is verdict
        assert (a.p_robust <= 0.05) == (verdict is Verdict.ROBUST)
    assert a.power < assessment(*histograms).power
    tight = Limits(max_directional_bias=1e-3)
    assert assessment(*histograms, limits=tight).verdict() is Verdict.UNPROVEN


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


def test_every_limit_is_within_itself() -> None:
    """An upper limit of exactly the allowed is ROBUST, a lower one of exactly it not BIASED; so is a local p-value."""
    a = assessment(*GOOD, 100)
    edge = a.all_bins.allowed / 100
    assert 100 * edge == a.all_bins.allowed

    def decided(verdict: Verdict, lower: float = 0.0, upper: float = 0.0, **changes: Any) -> None:
        test = replace(a.all_bins)
        test.__dict__.update(lower=lower, upper=upper, shown=lower)
        assert replace(a, tests=(test,), **changes).verdict() is verdict

    decided(Verdict.ROBUST, upper=edge)
    decided(Verdict.UNPROVEN, upper=math.nextafter(edge, 1))
    decided(Verdict.UNPROVEN, lower=edge, upper=1.0)
    decided(Verdict.BIASED, lower=math.nextafter(edge, 1), upper=1.0)
    alpha = a.limits.alpha
    decided(Verdict.ROBUST, local=replace(a.local, p_value=alpha))
    decided(Verdict.BIASED, local=replace(a.local, p_value=math.nextafter(alpha, 0)))
    decided(Verdict.UNPROVEN, lower=1.0, upper=1.0, sparse=True)


def test_correlated_entries_have_fewer_degrees_of_freedom() -> None:
    """Where entries of an event make bins correlated, power is that of the measured moments of T."""
    a = assessment(*GOOD, 20_000)
    moments = replace(a.all_bins.separation, m1=2e-5, m2=2e-10)
    correlated = replace(a, correlated=True, tests=(replace(a.all_bins, separation=moments),))
    expected = joint_power((2.0,), (2.0 * a.all_bins.allowed / (20_000 * 2e-5),), 0.05)
    assert correlated.power == pytest.approx(expected, rel=1e-12)
    assert 0 < correlated.power != a.power
    independent = replace(a, correlated=True)
    assert independent.power == pytest.approx(a.power, rel=1e-2)
    assert independent.expected_n_supported == pytest.approx(a.expected_n_supported, rel=1e-2)


def test_shares_of_samples_ask_for_whole_ones() -> None:
    """Of a stratum or a half the advice is for the whole samples."""
    whole = assessment([200] * 50, [210] * 50, 20_000)
    part = replace(whole, used=(0.5, 0.25))
    reference, generated = whole.events_needed()
    assert part.events_needed() == pytest.approx((4 * reference, 2 * generated), rel=1e-4)
    several = replace(whole, observables=10).events_needed()
    assert several[0] > reference
    degrees, sizes, _ = whole._expected
    n_h = 20_000 * required_scale(degrees, sizes, power_of_each(0.9, 10), 0.05)
    assert several[0] == math.ceil(reference_partner(n_h, several[1]))


def test_entries_of_an_event_are_worth_more() -> None:
    """Limits of Δ are per event, in each test by itself, and sizes are numbers of events."""
    plain, several = (assessment(*EXAMPLES["2"][0], events=events) for events in (None, 100_000.0))
    for one, three in zip(plain.tests, several.tests, strict=True):
        assert three.per_event == pytest.approx(200_000 / 100_000, rel=0.02)
        assert three.upper == one.upper * three.per_event
        assert three.lower == one.lower * three.per_event
    assert several.n_reference == pytest.approx(100_000)
    assert several.local.bias[0] == pytest.approx(plain.local.bias[0] * math.sqrt(several.all_bins.per_event))

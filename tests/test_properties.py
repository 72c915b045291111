"""Properties that hold for every input."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.strategies import histogram_pairs, samples, weighted_histograms

Pair = tuple[gv.Counts, gv.Counts]
ORDER = {gv.Verdict.ROBUST: 2, gv.Verdict.UNPROVEN: 1, gv.Verdict.BIASED: 0}
POPULATED = histogram_pairs(st.integers(2, 30), min_count=20, max_count=5_000)
ANY = histogram_pairs(st.integers(2, 30), max_count=200)


def numbers(found: gv.Comparison) -> list[float]:
    """The numbers that do not depend on the order of bins."""
    intervals = (found.separation, found.chi2_required, found.n_equivalent, found.rms_bias)
    plain = [found.n_generated, found.n_reference, found.chi2, found.p_value, found.n_supported, found.power]
    return plain + [number for i in intervals for number in (i.lower, i.estimate, i.upper)]


@given(ANY, st.floats(20, 1e9), st.floats(1, 1e3))
def test_verdict_never_improves_with_n_required(pair: Pair, n_required: float, factor: float) -> None:
    """Asking for more events never turns a verdict into a better one, where so few could be BIASED at all."""
    less, more = (gv.compare(*pair, n_required=n) for n in (n_required, n_required * factor))
    assert ORDER[more.verdict] <= ORDER[less.verdict]


def test_what_is_allowed_does_not_depend_on_the_confidence() -> None:
    """The critical χ² is the same at a confidence of 0.6 and of 0.999."""
    pair = gv.Counts([50, 60]), gv.Counts([55, 40])
    one, other = (gv.compare(*pair, n_required=10, confidence=c) for c in (0.6, 0.999))
    assert one.chi2_critical == other.chi2_critical
    assert one.n_supported > other.n_supported > 0


@given(ANY, st.floats(0.7, 0.999), st.floats(0.7, 0.999))
def test_interval_grows_with_confidence(pair: Pair, one: float, other: float) -> None:
    """A higher confidence gives a wider interval."""
    narrow, wide = (gv.compare(*pair, n_required=100, confidence=c).separation for c in sorted((one, other)))
    assert wide.lower <= narrow.lower * (1 + 1e-9)
    assert wide.upper >= narrow.upper * (1 - 1e-9)


@given(POPULATED, st.randoms(use_true_random=False), st.floats(1, 1e7))
def test_order_of_bins_does_not_matter(pair: Pair, random: Random, n_required: float) -> None:
    """Exchanging the order of populated bins changes nothing in all bins; smooth components go by their order."""
    order = list(range(pair[0].values.size))
    random.shuffle(order)
    straight = gv.compare(*pair, n_required=n_required, smooth=False)
    shuffled = gv.compare(*(gv.Counts(counts.values[order]) for counts in pair), n_required=n_required, smooth=False)
    assert shuffled.verdict is straight.verdict
    np.testing.assert_allclose(numbers(shuffled), numbers(straight), rtol=1e-6, atol=1e-12)


@given(weighted_histograms(12), weighted_histograms(12), st.floats(-30, 30), st.floats(1, 1e6))
def test_scale_of_weights_does_not_matter(one: gv.Counts, other: gv.Counts, power: float, n_required: float) -> None:
    """Multiplying all weights of a sample by a constant changes nothing."""
    assume(one.values.sum() > 0 and other.values.sum() > 0)
    assert one.variances is not None
    scale = 10.0**power
    plain = gv.compare(one, other, n_required=n_required)
    scaled = gv.compare(gv.Counts(scale * one.values, scale**2 * one.variances), other, n_required=n_required)
    assert scaled.verdict is plain.verdict
    np.testing.assert_allclose(numbers(scaled), numbers(plain), rtol=1e-6, atol=1e-12)


@given(ANY, st.floats(1, 1e7))
def test_exchanging_the_samples_changes_no_number_of_agreement(pair: Pair, n_required: float) -> None:
    """T and everything that measures agreement is symmetric in the two samples."""
    one, other = gv.compare(*pair, n_required=n_required), gv.compare(*pair[::-1], n_required=n_required)
    assert one.bins == other.bins
    np.testing.assert_allclose(
        [one.separation.estimate, one.separation.upper, one.power],
        [other.separation.estimate, other.separation.upper, other.power],
        rtol=1e-6,
        atol=1e-12,
    )


@settings(max_examples=30)
@given(samples(("x", "y")), samples(("x", "y")), st.integers(0, 2**32 - 1))
def test_order_of_events_does_not_matter(one: gv.Sample, other: gv.Sample, seed: int) -> None:
    """Permuting the events of either sample changes nothing, but for what is said of their order."""
    rng = np.random.default_rng(seed)
    observables = ["x", ("x", "y")]
    straight = gv.validate(one, other, n_required=50, observables=observables, bins=10)
    shuffled = gv.validate(
        one.select(rng.permutation(len(one))),
        other.select(rng.permutation(len(other))),
        n_required=50,
        observables=observables,
        bins=10,
    )
    if not (straight.shared or shuffled.shared):  # pairs are rows in order, and a few may look like some
        assert shuffled.comparisons == straight.comparisons


@settings(max_examples=30)
@given(samples(("x",)), samples(("x",)), st.integers(0, 2**32 - 1))
def test_order_of_weighted_events_does_not_matter(one: gv.Sample, other: gv.Sample, seed: int) -> None:
    """Permuting weighted events changes numbers by the rounding of their sums at most, and no verdict."""
    rng = np.random.default_rng(seed)
    weighted = gv.Sample(one.columns, rng.lognormal(sigma=0.5, size=len(one)))
    straight = gv.validate(weighted, other, n_required=50, bins=10).histograms["x"]
    shuffled = gv.validate(weighted.select(rng.permutation(len(one))), other, n_required=50, bins=10).histograms["x"]
    assert shuffled.verdict is straight.verdict
    np.testing.assert_allclose(numbers(shuffled), numbers(straight), rtol=1e-8, atol=1e-12)


@given(ANY, st.floats(1, 1e12), st.sampled_from([None, 17]))
def test_comparison_survives_json(pair: Pair, n_required: float, n_train: int | None) -> None:
    """A comparison read back from its JSON text equals the original, infinities included."""
    found = gv.compare(
        *pair, n_required=n_required, n_train=n_train, max_local_bias=math.inf, name="χ² of the jet's pₜ"
    )
    assert gv.Comparison.from_json(found.to_json()) == found


@settings(max_examples=30)
@given(samples(("x", "y")), samples(("x", "y")))
def test_report_survives_json(one: gv.Sample, other: gv.Sample) -> None:
    """A report read back from its JSON text equals the original."""
    report = gv.validate(one, other, n_required=50)
    assert gv.Report.from_json(report.to_json(indent=1)) == report


@given(ANY, st.floats(1, 1e12))
def test_numbers_are_ordered_and_finite(pair: Pair, n_required: float) -> None:
    """Every interval is ordered, every probability is one, and only n_equivalent and n_supported may be infinite."""
    found = gv.compare(*pair, n_required=n_required)
    for interval in (found.separation, found.chi2_required, found.n_equivalent, found.rms_bias):
        assert interval.lower <= interval.estimate <= interval.upper
    for interval in (found.separation, found.chi2_required, found.rms_bias):
        assert math.isfinite(interval.upper)
    for probability in (found.p_value, found.power, found.p_robust, found.p_biased):
        assert 0 <= probability <= 1
    assert found.ndf == found.bins - 1 > 0


@given(ANY, st.floats(1, 1e9))
def test_p_values_agree_with_the_limits(pair: Pair, n_required: float) -> None:
    """ROBUST implies p_robust <= alpha, and BIASED is p_biased < alpha, but where no verdict is allowed."""
    found = gv.compare(*pair, n_required=n_required)
    alpha = 1 - found.confidence
    if found.robust:
        assert found.p_robust <= alpha * (1 + 1e-6)
    if found.verdict is gv.Verdict.BIASED:
        assert found.p_biased <= alpha * (1 + 1e-6)

"""A frozen result holds the numbers that decided, in their units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.comparisons import constant_comparison, histogram_comparison, shown_regions
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.results import Comparison
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.regions import Regional, Run
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

RNG = np.random.default_rng(4)
FLAT = np.full(12, 1 / 12)
FLAT[3], FLAT[4] = 1e-5, 1 / 6 - 1e-5
PAIR = RNG.multinomial(20_000, FLAT), RNG.multinomial(50_000, FLAT)


def assembled(
    n_required: float = 1_000, pair: tuple[NDArray[np.int64], NDArray[np.int64]] = PAIR, events: float | None = None
) -> tuple[Assessment, Comparison]:
    """What decides on two histograms, and the result that is made of it."""
    sums = as_bin_sums(gv.Counts(pair[0]), "generated"), as_bin_sums(gv.Counts(pair[1]), "reference")
    merged = merge_sparse_bins(sums[0], sums[1], 10)
    one, other = (Fractions.from_sums(s.sumw, s.sumw2) for s in (merged.generated, merged.reference))
    chi2 = chi2_test(merged.generated, merged.reference)
    limits = Limits(confidence=0.9, max_bias=1.5, max_local_bias=4.1, min_expected=11, max_directional_bias=7)
    a = assess(one, other, n_required, limits, chi2, merged.layout, events=events)
    return a, histogram_comparison(a, merged, sums[0], 77, "mass", share=0.25)


def test_numbers_that_are_passed_on() -> None:
    """Sizes, limits, p-values and the name are those of the assessment."""
    a, c = assembled()
    assert (c.name, c.n_train, c.share, c.n_required) == ("mass", 77, 0.25, 1_000)
    assert (c.n_generated, c.n_reference) == pytest.approx((20_000, 50_000))
    assert (c.confidence, c.max_bias, c.max_local_bias, c.min_expected) == (0.9, 1.5, 4.1, 11)
    assert (c.max_directional_bias, c.smooth) == (7, True)
    assert c.shape == a.shape
    assert c.p_agreement == a.all_bins.separation.agreement
    most, median, least = a.expected_n_supported
    expected = c.expected_n_supported
    assert (expected.lower, expected.estimate, expected.upper) == (most, median, least)
    assert most < median < least
    assert (c.chi2, c.p_value, c.chi2_critical) == (a.chi2.chi2, a.chi2.p_value, a.critical)
    assert (c.power, c.p_robust, c.p_biased, c.verdict) == (a.power, a.p_robust, a.p_biased, a.verdict())
    assert (c.n_reference_needed, c.n_generated_needed) == a.events_needed()


def test_bins_are_counted() -> None:
    """Sparse bins that were merged are told from those that are compared; empty ones are not counted."""
    _, c = assembled()
    assert PAIR[0][3] + PAIR[1][3] > 0
    assert (c.bins, c.merged_bins, c.ndf) == (11, 1, 10)
    _, c = assembled(pair=(np.delete(PAIR[0], 3), np.delete(PAIR[1], 3)))
    assert (c.bins, c.merged_bins, c.ndf) == (11, 0, 10)
    _, c = assembled(pair=(np.insert(np.delete(PAIR[0], 3), 3, 0), np.insert(np.delete(PAIR[1], 3), 3, 0)))
    assert (c.bins, c.merged_bins) == (11, 0)


@pytest.mark.parametrize("events", [None, 20_000.0])
def test_intervals_are_one_interval_in_several_units(events: float | None) -> None:
    """Separation, χ², rms and directional bias are functions of the limits of Δ, of all bins and of each test."""
    a, c = assembled(events=events)
    for end in ("lower", "estimate", "upper"):
        delta = getattr(a.all_bins, end)
        assert getattr(c.separation, end) == pytest.approx(delta / (2 * a.all_bins.per_event))
        assert getattr(c.chi2_required, end) == pytest.approx(10 + 1_000 * delta)
        assert getattr(c.rms_bias, end) == pytest.approx(math.sqrt(2 * 1_000 * delta / 10))
        assert getattr(c.directional_bias, end) == pytest.approx(math.sqrt(2 * 1_000 * delta))
        for shown, test in zip(c.tests, a.tests, strict=True):
            assert getattr(shown.separation, end) == pytest.approx(getattr(test, end) / (2 * test.per_event))
            assert getattr(shown.directional_bias, end) == pytest.approx(math.sqrt(2_000 * getattr(test, end)))
            assert shown.lower_corrected == pytest.approx(math.sqrt(2_000 * test.lower_corrected))
    assert [test.components for test in c.tests] == [None, 9]
    assert c.tests[0].separation == c.separation


def test_the_smallest_number_of_all_tests_counts() -> None:
    """Equivalent and supported events are those of the test that finds least, each end by itself."""
    a, c = assembled()
    for end, other in (("lower", "upper"), ("estimate", "estimate"), ("upper", "lower")):
        deltas = [(test.ndf, getattr(test, other)) for test in a.tests]
        expected = min(ndf / 2 / delta if delta > 0 else math.inf for ndf, delta in deltas)
        assert getattr(c.n_equivalent, end) == pytest.approx(expected)
    assert c.n_supported == min(test.n_supported for test in c.tests) == a.n_supported


def test_nothing_is_supported_by_what_is_not_admissible() -> None:
    """Where nothing could be biased nothing is supported, and a difference of nothing is worth infinitely many."""
    _, c = assembled(n_required=1, pair=(PAIR[0], PAIR[0]))
    assert c.n_supported == 0
    assert c.n_equivalent.upper == math.inf
    assert 0 < assembled(n_required=100, pair=(PAIR[0], PAIR[0]))[1].n_supported < math.inf


def test_the_estimate_lies_in_its_interval() -> None:
    """An estimate below 0 is brought to the lower limit."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, c = assembled(pair=(rng.multinomial(20_000, FLAT), rng.multinomial(20_000, FLAT)))
        assert 0 <= c.separation.lower <= c.separation.estimate <= c.separation.upper


def test_worst_bins() -> None:
    """The five bins of the largest bias of either sign come first, with their places before merging."""
    shares = FLAT.copy()
    shares[[1, 8, 10]] *= [0.6, 1.3, 0.8]
    a, c = assembled(pair=(RNG.multinomial(20_000, shares / shares.sum()), PAIR[1]))
    assert [bias.index for bias in c.worst_bins][:3] == [1, 8, 10]
    assert c.worst_bin == 1
    assert len(c.worst_bins) == 5
    sizes = [abs(bias.bias) for bias in c.worst_bins]
    assert sizes == sorted(sizes, reverse=True)
    assert c.worst_bins[0].bias < 0 < c.worst_bins[1].bias
    assert [bias.bias for bias in c.worst_bins] == [
        float(a.local.bias[i - (i > 3)]) for i in (b.index for b in c.worst_bins)
    ]
    assert [bias.lower for bias in c.worst_bins] == [
        float(a.local.lower[i - (i > 3)]) for i in (b.index for b in c.worst_bins)
    ]
    assert c.worst_bins[0].label == "bin 1"


def test_merged_bins_are_named_by_both_ends() -> None:
    """A bin that sparse neighbours were merged into is named by all of them, and counted by the first."""
    shares = FLAT.copy()
    shares[4] *= 0.7
    _, c = assembled(pair=(RNG.multinomial(20_000, shares / shares.sum()), PAIR[1]))
    assert c.worst_bins[0].label == "bins 3 to 4"
    assert c.worst_bin == 3


def test_contents_are_shares_with_errors() -> None:
    """Contents add up to one on either side, and their errors are those of counts."""
    a, c = assembled()
    contents = c.contents
    merged = np.array([np.delete(side, 3) for side in PAIR])
    merged[:, 3] += [side[3] for side in PAIR]
    np.testing.assert_allclose(contents.generated, merged[0] / 20_000)
    np.testing.assert_allclose(contents.reference, merged[1] / 50_000)
    np.testing.assert_allclose(contents.generated_errors, np.sqrt(merged[0]) / 20_000)
    np.testing.assert_allclose(contents.reference_errors, np.sqrt(merged[1]) / 50_000)
    np.testing.assert_array_equal(contents.bias, a.local.bias)


def test_errors_of_entries_are_those_of_events() -> None:
    """Where events have several entries, the error of a share is that of the covariance by event."""
    rng = np.random.default_rng(2)
    lists = [rng.normal(size=rng.integers(1, 4)) for _ in range(2_000)]
    events = {"jets": gv.Entries.of(lists[:1_000])}, {"jets": gv.Entries.of(lists[1_000:])}
    c = gv.validate(*events, n_required=10, bins={"jets": [0.0]}).histograms["jets"]
    ratios = []
    for side in (lists[:1_000], lists[1_000:]):
        h = np.array([[(row < 0).sum(), (row >= 0).sum()] for row in side], dtype=float)
        q = h.sum(axis=0) / h.sum()
        ratios.append(np.sqrt(((h - q * h.sum(axis=1, keepdims=True)) ** 2).sum(axis=0)) / h.sum())
    np.testing.assert_allclose(c.contents.generated_errors, ratios[0])
    np.testing.assert_allclose(c.contents.reference_errors, ratios[1])


def test_a_constant_observable_demonstrates_nothing() -> None:
    """Of a score that is the same for all events nothing is known, and the result can be written, read and told."""
    gen, ref = (as_bin_sums(gv.Counts([0, n, 0]), "side") for n in (90, 30))
    limits = Limits(confidence=0.9, max_bias=1.5, max_local_bias=4, min_expected=11)
    c = constant_comparison((gen, ref), 1_000, limits, 77, "score", share=0.25)
    assert c.verdict is gv.Verdict.UNPROVEN
    assert (c.n_supported, c.n_equivalent.lower, c.power, c.p_robust, c.p_biased) == (0, 0, 0, 1, 1)
    assert (c.n_generated, c.n_reference, c.n_required, c.n_train, c.share) == (90, 30, 1_000, 77, 0.25)
    assert (c.separation.lower, c.separation.upper) == (0, 1)
    assert c.rms_bias.upper**2 == pytest.approx(2 * c.n_required * 2 * c.separation.upper / c.ndf)
    assert c.chi2_required.upper == c.ndf + c.n_required * 2 * c.separation.upper
    assert (c.confidence, c.max_bias, c.max_local_bias, c.min_expected, c.smooth) == (0.9, 1.5, 4, 11, True)
    assert Comparison.from_json(c.to_json()) == c
    assert "it cannot see any bias" in " ".join(gv.explain(c).split())


@pytest.mark.parametrize("factor", [1000.0, 1e-3])
def test_another_unit_is_asked_about(factor: float) -> None:
    """Values a thousand times too large or too small ask about units, whatever their signs; a bias does not."""
    rng = np.random.default_rng(1)
    sides = [{"pt": rng.exponential(30, 20_000), "px": rng.normal(0, 20, 20_000)} for _ in range(2)]
    scaled = {name: factor * values for name, values in sides[0].items()}
    question = "are both in one unit (MeV, GeV: a factor of 1000)?"
    for comparison in gv.validate(scaled, sides[1], n_required=2_000, observables=["pt", "px"]).comparisons.values():
        assert question in comparison.reasons[0]
    biased = {name: 1.3 * values for name, values in sides[0].items()}
    report = gv.validate(biased, sides[1], n_required=2_000, observables=["pt", "px"])
    assert report.verdict == "BIASED"
    assert question not in " ".join(report.reasons)


@pytest.mark.parametrize("period", [2 * np.pi, 360])
def test_another_range_of_an_angle_is_asked_about(period: float) -> None:
    """Angles from 0 on against angles around 0 ask about their range, either way round; other biases do not."""
    rng = np.random.default_rng(1)
    generated, reference = (period / (2 * np.pi) * rng.vonmises(0.3, 0.5, 20_000) for _ in range(2))
    pairs = {
        True: [(generated % period, reference), (generated, reference % period)],
        False: [(1.2 * generated, reference), (np.abs(generated), reference), (generated + period / 9, reference)],
    }
    for expected, sides in pairs.items():
        for phi, true in sides:
            c = gv.validate({"phi": phi}, {"phi": true}, n_required=1_000).comparisons["phi"]
            assert c.verdict == "BIASED"
            assert ("angles of another range?" in c.reasons[0]) is expected


def test_units_are_of_axes() -> None:
    """A unit is stated of what is compared; of anything else, or if it is no text, it is refused."""
    rng = np.random.default_rng(1)
    sides = [{"m": rng.normal(size=2_000), "n": rng.normal(size=2_000)} for _ in range(2)]
    report = gv.validate(*sides, n_required=100, observables=["m", ("m", "n")], units={"m": "GeV"})
    units = {name: [(axis.label, axis.unit) for axis in c.axes] for name, c in report.histograms.items()}
    assert units["m"] == [("m", "GeV")]
    assert {*units["m:n"]} == {("m", "GeV"), ("n", "")}
    with pytest.raises(
        gv.InputError, match=r"names 'pt', which is no axis of what is compared; there are \['m', 'n'\]"
    ):
        gv.validate(*sides, n_required=100, units={"pt": "GeV"})
    wrong: Any
    for wrong in ({"m": 3}, ["m"], "GeV"):
        with pytest.raises(gv.InputTypeError, match="expected a mapping of column -> unit"):
            gv.validate(*sides, n_required=100, observables=["m"], units=wrong)


def test_contents_hold_what_was_filled() -> None:
    """Fractions and errors times the totals are the sums, and each bin as given knows where it went."""
    counts = np.array([1, 40, 50, 3, 60, 1])
    c = gv.compare(gv.Counts(counts), gv.Counts(2 * counts), n_required=20, min_expected=10)
    merged = np.array(c.contents.merged)
    for fractions, errors, given, total in (
        (c.contents.generated, c.contents.generated_errors, counts, c.contents.totals[0]),
        (c.contents.reference, c.contents.reference_errors, 2 * counts, c.contents.totals[1]),
    ):
        sums = np.bincount(merged, given)
        np.testing.assert_allclose(np.array(fractions) * total, sums)
        np.testing.assert_allclose((np.array(errors) * total) ** 2, sums)


def test_regions_are_named_by_what_they_hold() -> None:
    """Regions of an axis go by their edges, of whole slabs by the first column, of others by both ends."""
    line = as_bin_sums(gv.Counts(np.full(10, 100), edges=np.arange(11.0)), "side")
    square = Grid((Axis((0.0, 1.0, 2.0), title="x"), Axis((0.0, 1.0), title="y")))
    pair = BinSums(np.full(12, 100.0), np.full(12, 100.0), square)
    for sums, first, last, label in (
        (line, 0, 4, "[0, 5)"),
        (line, 2, 4, "[2, 5)"),
        (line, 5, 9, "[5, 10)"),
        (pair, 0, 5, "< 1"),
        (pair, 3, 8, "[0, 2)"),
        (pair, 1, 2, "< 0 x >= 0"),
        (pair, 1, 5, "< 0 x [0, 1) to [0, 1) x < 0"),
    ):
        merged = merge_sparse_bins(sums, sums, 10)
        regional = Regional(Run(first, last, 0.01), (0.4, 0.5), 10.0, 20.0, gv.Verdict.ROBUST)
        (region,) = shown_regions([regional], merged, sums.bins)
        assert region.label == label
        assert (region.first, region.last, region.share, region.generated_share) == (first, last, 0.5, 0.4)
        assert (region.n_required, region.n_equivalent, region.robust) == (10, 20, True)


def test_a_repeated_value_leaves_no_regions() -> None:
    """Where one sample is shown to repeat a value, which bins do not see, no region is called ROBUST by its bins."""
    rng = np.random.default_rng(1)
    reference, generated = rng.exponential(30, 40_000), rng.exponential(30, 100_000)
    generated[generated > 80] += 10 * rng.random()
    bent = gv.validate({"pt": generated}, {"pt": reference}, n_required=5_000).comparisons["pt"]
    generated[:3_000] = 7.25
    repeated = gv.validate({"pt": generated}, {"pt": reference}, n_required=5_000).comparisons["pt"]
    assert isinstance(bent, Comparison)
    assert bent.regions
    assert isinstance(repeated, Comparison)
    assert "7.25 is the value of" in repeated.reasons[0]
    assert repeated.regions == ()

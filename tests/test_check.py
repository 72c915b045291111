"""The plain functions: worked examples, both directions, bad input."""

from __future__ import annotations

import copy
import math
import pickle
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
from scipy.stats import norm

import pytest_ganvalid as gv
from pytest_ganvalid._options import Settings
from pytest_ganvalid.gate import Gate
from pytest_ganvalid.generators import Bootstrap, DropRegion, Shift, Smear, Source
from pytest_ganvalid.report.text import explain
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.statistics.regions import Map
from pytest_ganvalid.toys import CamelBack

GENERATED = gv.Counts([105, 212, 287, 214, 182])
REFERENCE = gv.Counts([812, 1630, 2421, 1577, 1560])
TRUTH = CamelBack()


def test_worked_example_unproven() -> None:
    """The first worked example of the statistics is reproduced to six digits."""
    found = gv.compare(GENERATED, REFERENCE, n_required=500)
    assert found.verdict is gv.Verdict.UNPROVEN
    assert found.separation.lower == 0
    assert 2 * found.separation.upper == pytest.approx(0.005462333, rel=1e-7)
    assert found.n_supported == pytest.approx(366.144, rel=1e-6)
    assert found.power == pytest.approx(0.09855, abs=5e-6)


def test_worked_example_robust() -> None:
    """The second worked example of the statistics is reproduced to the digits given."""
    generated = gv.Counts([9830, 10120, 9911, 10230, 9950, 10045, 9870, 10111, 9960, 9973])
    reference = gv.Counts([20110, 19820, 20240, 19790, 20005, 20120, 19850, 20065, 19930, 20070])
    found = gv.compare(generated, reference, n_required=5000)
    assert found.verdict is gv.Verdict.ROBUST
    separation = (found.separation.lower, found.separation.estimate, found.separation.upper)
    assert separation == pytest.approx((1.6623e-06, 3.2781e-05, 9.36817e-05), rel=2e-5)
    chi2 = (found.chi2_required.lower, found.chi2_required.estimate, found.chi2_required.upper)
    assert chi2 == pytest.approx((9.017, 9.328, 9.937), rel=5e-5)
    assert found.n_supported == pytest.approx(24017.5, rel=1e-6)
    assert found.directional_bias.upper == pytest.approx(1.3688, abs=5e-5)
    assert found.n_equivalent.upper == pytest.approx(1.3535e6, rel=3e-5)


def test_worked_example_weighted() -> None:
    """The third worked example, with a weighted generated sample, is reproduced to the digits given."""
    weighted = gv.Counts([88, 190, 250, 180, 150], [130, 260, 350, 240, 210])
    found = gv.compare(weighted, REFERENCE, n_required=300)
    assert found.verdict is gv.Verdict.UNPROVEN
    assert found.power == pytest.approx(0.1786, abs=5e-5)
    assert found.n_generated == pytest.approx(618.63, rel=1e-5)
    assert found.n_supported == pytest.approx(247.209, rel=2e-6)


def test_numbers_are_consistent() -> None:
    """The published numbers follow from one another as documented."""
    found = gv.compare(GENERATED, REFERENCE, n_required=500, n_train=100)
    delta = 2 * found.separation.upper
    assert found.bins == found.ndf + 1 == 5
    assert found.chi2_required.upper == pytest.approx(found.ndf + 500 * delta)
    assert found.rms_bias.upper == pytest.approx(math.sqrt(2 * 500 * delta / found.ndf))
    assert found.n_equivalent.lower == pytest.approx(found.ndf / (2 * delta))
    assert found.n_systematic == 100
    assert found.worst_bin == found.worst_bins[0].index
    assert abs(found.worst_bins[0].bias) == max(map(abs, found.contents.bias))
    assert sum(found.contents.generated) == pytest.approx(1)


def test_n_supported_is_where_the_verdict_turns() -> None:
    """The largest supported n_required is ROBUST by the interval, and a little more is not."""
    counts = (
        gv.Counts([10_100, 9_900, 10_050, 9_950, 10_000]),
        gv.Counts([20_000, 20_100, 19_900, 20_050, 19_950]),
    )
    supported = gv.compare(*counts, n_required=100).n_supported
    assert gv.compare(*counts, n_required=0.999 * supported).verdict is gv.Verdict.ROBUST
    assert gv.compare(*counts, n_required=1.001 * supported).verdict is gv.Verdict.UNPROVEN


def test_no_luck_passes_a_reference_that_is_far_too_small() -> None:
    """Agreement by a downward fluctuation does not pass: CLs asks of T what it asks of a perfect generator's."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        generated, reference = (gv.Counts(rng.multinomial(n, [0.1] * 10)) for n in (100_000, 200))
        found = gv.compare(generated, reference, n_required=1_000)
        assert found.power == 0
        assert found.verdict is not gv.Verdict.ROBUST


def test_agreement_is_too_good_on_all_roads() -> None:
    """Copies are UNPROVEN by one comparison, and one of them takes all others of a report along, BIASED ones too."""
    rng = np.random.default_rng(5)
    copied = gv.Counts(rng.multinomial(20_000, [0.1] * 10))
    good = gv.compare(copied, copied, n_required=1_000, name="copied")
    biased = gv.compare(gv.Counts([9_000] + [1_000] * 9), copied, n_required=1_000, name="biased")
    assert (good.verdict, biased.verdict) == ("UNPROVEN", "BIASED")
    report = gv.combine({"copied": good, "biased": biased})
    assert [c.verdict for c in report.comparisons.values()] == ["UNPROVEN", "UNPROVEN"]
    assert "it would be BIASED if that did not matter" in report.comparisons["biased"].reasons[0]
    assert all("agreement too good for independent samples" in reason for reason in report.reasons)
    few = gv.compare(gv.Counts([5, 5]), gv.Counts([5, 5]), n_required=1_000, name="few")
    withdrawn = gv.combine({"copied": good, "few": few}).comparisons["few"]
    assert few.verdict == "UNPROVEN"
    assert "if that did not matter" not in withdrawn.reasons[0]


def test_local_bias_is_biased_though_the_sum_is_small() -> None:
    """A single bin shown to be off by more than five error bars is BIASED even where the sum over bins is allowed."""
    rng = np.random.default_rng(0)
    reference = np.full(1000, 1e6)
    generated = reference.copy()
    generated[500] *= 1.05  # 7 error bars of 20 000 000 events in one of 1000 bins
    counts = gv.Counts(rng.poisson(generated)), gv.Counts(rng.poisson(reference))
    found = gv.compare(*counts, n_required=20_000_000)
    assert found.verdict is gv.Verdict.BIASED
    assert found.worst_bin == 500
    assert found.worst_bins[0].lower > 5
    assert found.reasons[0].startswith("bin 500 is off by at least")
    assert gv.compare(*counts, n_required=20_000_000, max_local_bias=math.inf).verdict is gv.Verdict.ROBUST


def test_identical_histograms_are_too_good() -> None:
    """A sample compared with itself, or with a scaled copy, is never ROBUST."""
    counts = np.random.default_rng(0).poisson(1000, size=50)
    for same in (gv.Counts(counts), gv.Counts(3 * counts, 9 * counts)):
        found = gv.compare(same, gv.Counts(counts), n_required=100)
        assert found.verdict is gv.Verdict.UNPROVEN
        assert "too good" in found.reasons[0]


def test_sample_that_contains_the_reference_is_too_good() -> None:
    """A generator that resamples the reference agrees better than independent samples can."""
    reference = TRUTH.sample(20_000, seed=1)
    generated = Bootstrap(reference).sample(100_000, seed=2)
    report = gv.validate(generated, reference, n_required=1_000)
    assert report.verdict is gv.Verdict.UNPROVEN
    assert "are also in the reference sample" in report.reasons[0]
    edges = np.linspace(-8, 8, 30)
    counts = [gv.Counts(np.histogram(sample["x"], edges)[0], edges=edges) for sample in (generated, reference)]
    assert any("too good" in reason for reason in gv.compare(*counts, n_required=1_000).reasons)


def test_too_few_events_decide_nothing() -> None:
    """With fewer than two bins of ten expected events the verdict is UNPROVEN, whatever the contents."""
    for pair in (([6, 4], [3, 7]), ([10, 0], [0, 9]), ([1, 1], [1000, 1000])):
        found = gv.compare(*map(gv.Counts, pair), n_required=10)
        assert found.verdict is gv.Verdict.UNPROVEN
        assert "too few events" in found.reasons[0]


def test_verdict_is_symmetric_in_the_bins_merged() -> None:
    """Sparse bins are merged, the number is reported, and no event is lost."""
    generated, reference = [1000, 500, 9, 3, 1], [1100, 480, 8, 4, 0]
    found = gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=100)
    assert (found.bins, found.merged_bins) == (3, 2)
    assert found.worst_bins[-1].label
    assert found.n_generated == pytest.approx(sum(generated))


def test_every_flaw_is_found() -> None:
    """Each flawed generator is BIASED, and its perfect source is ROBUST with the same sizes."""
    reference = TRUTH.sample(100_000, seed=1)
    flaws: list[Source] = [Shift(TRUTH, "x", 0.1), Smear(TRUTH, "x", 0.5), DropRegion(TRUTH, "x", 4.0, 4.2)]
    for source in flaws:
        assert gv.validate(source.sample(200_000, seed=2), reference, n_required=20_000).verdict is gv.Verdict.BIASED
    assert gv.validate(TRUTH.sample(200_000, seed=2), reference, n_required=20_000).verdict is gv.Verdict.ROBUST


def test_resampling_is_worth_its_training_sample() -> None:
    """n_equivalent of a bootstrap agrees with n_train, over many training samples."""
    edges = TRUTH.equiprobable_edges(20)
    reference = gv.fill(TRUTH.sample(400_000, seed=0), bins=edges)
    worth = []
    for seed in range(40):
        generated = Bootstrap(TRUTH.sample(1_000, seed=100 + seed)).sample(50_000, seed=seed)
        comparison = gv.validate(generated, reference, n_required=10_000).comparisons["x"]
        assert comparison.verdict is gv.Verdict.BIASED
        worth.append(1 / comparison.n_equivalent.estimate)
    # 1/n_equivalent is n_train⁻¹ χ²/ndf of the training sample: relative spread sqrt(2/19), known mean.
    assert np.mean(worth) * 1_000 == pytest.approx(1, abs=4 * math.sqrt(2 / 19 / 40))


def test_several_observables_and_pairs() -> None:
    """Columns, pairs and functions are all compared, each under its own name."""
    rng = np.random.default_rng(1)
    generated, reference = ({"x": rng.normal(size=50_000), "y": rng.normal(size=50_000)} for _ in range(2))
    report = gv.validate(
        generated,
        reference,
        n_required=5_000,
        observables=["x", ("x", "y"), ("r2", lambda s: s["x"] ** 2 + s["y"] ** 2)],
    )
    assert list(report.comparisons) == ["x", "x:y", "r2"]
    assert report.robust
    assert report.histograms["x:y"].bins > 40


def test_pair_sees_a_correlation_that_marginals_miss() -> None:
    """A wrong correlation with exact marginals is BIASED in the pair and ROBUST in each column."""
    rng = np.random.default_rng(5)
    covariance = [[1, 0.2], [0.2, 1]]
    generated = dict(zip("xy", rng.multivariate_normal([0, 0], covariance, 100_000).T, strict=True))
    reference = {name: rng.normal(size=100_000) for name in "xy"}
    assert gv.validate(generated, reference, n_required=20_000, observables=["x", "y"]).robust
    assert gv.validate(generated, reference, n_required=20_000, observables=[("x", "y")]).verdict is gv.Verdict.BIASED


@pytest.mark.parametrize("n_generated", [2_000, 10_000, 100_000])
def test_generator_cannot_have_its_holes_merged_away(n_generated: int) -> None:
    """A comb that fills every other bin twice over is BIASED however many events are generated."""
    rng = np.random.default_rng(1)
    comb = np.tile([2.0, 0.0], 25) / 50
    counts = gv.Counts(rng.multinomial(n_generated, comb)), gv.Counts(rng.multinomial(1_207, np.full(50, 0.02)))
    found = gv.compare(*counts, n_required=1_000)
    assert found.merged_bins < 12  # those where few reference events happened to fall
    assert found.verdict is gv.Verdict.BIASED


@pytest.mark.parametrize("n_generated", [10_000, 100_000])
def test_integers_are_not_mistaken_for_their_neighbourhood(n_generated: int) -> None:
    """A generator that forgets to round is BIASED, and the bins that say so are named as what they are."""
    rng = np.random.default_rng(1)
    generated = {"tracks": rng.poisson(6, n_generated) + rng.random(n_generated)}
    report = gv.validate(generated, {"tracks": rng.poisson(6, 1_207)}, n_required=1_000)
    assert report.verdict is gv.Verdict.BIASED
    labels = {bias.label for bias in report.histograms["tracks"].worst_bins}
    assert labels & {"[1.5, 2.5)", "[2.5, 3.5)", "[8.5, 9.5)"}


def test_weights_are_honoured() -> None:
    """A weighted sample that represents the truth is ROBUST, and the same events without weights are BIASED."""
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, size=200_000)
    generated = {"x": x, "w": 1 + x / 2}
    u = rng.random(200_000)
    reference = {"x": np.sqrt(1 + 8 * u) - 2, "w": np.ones(200_000)}  # density (1 + x/2)/2 by its inverse
    assert gv.validate(generated, reference, n_required=20_000, weight="w").robust
    plain = gv.validate(generated, reference, n_required=20_000, observables=["x"])
    assert plain.verdict is gv.Verdict.BIASED
    one_sided = gv.validate(generated, {"x": reference["x"]}, n_required=20_000, weight=("w", None))
    assert one_sided.robust


def test_difference_beyond_the_edges_counts() -> None:
    """Events outside the user's edges are compared too: a spurious tail is found."""
    rng = np.random.default_rng(3)
    reference = {"x": rng.uniform(size=50_000)}
    generated = {"x": np.where(rng.random(50_000) < 0.02, 7.0, rng.uniform(size=50_000))}
    report = gv.validate(generated, reference, n_required=10_000, bins=np.linspace(0, 1, 11))
    assert report.verdict is gv.Verdict.BIASED
    assert report.histograms["x"].worst_bins[0].label == ">= 1"


def test_nonfinite_values_are_refused_and_counted() -> None:
    """NaN and infinite values are an error that counts them, and a bin where the user says which."""
    x = np.random.default_rng(0).normal(size=20_000)
    broken = np.where(np.arange(20_000) < 400, np.nan, x)
    broken[400:410] = np.inf
    clean = {"x": np.random.default_rng(1).normal(size=20_000)}
    with pytest.raises(gv.InputError, match=r"observable 'x' has 400 NaN and 10 infinite values among 20,000 values"):
        gv.validate({"x": broken}, clean, n_required=100)
    with pytest.raises(gv.InputError, match="reference: observable 'x' has 400 NaN"):
        gv.validate(clean, {"x": broken}, n_required=100)
    for place in ("underflow", "overflow", "separate"):
        assert gv.validate({"x": broken}, clean, n_required=10_000, nonfinite=place).verdict is gv.Verdict.BIASED
    with pytest.raises(gv.InputError, match="nonfinite='drop' is unknown"):
        gv.validate(clean, clean, n_required=100, nonfinite="drop")


def test_settings_by_observable() -> None:
    """Bins and the place of NaN may be given observable by observable, and a misspelt name is refused."""
    rng = np.random.default_rng(1)
    one, two = ({"x": rng.normal(size=5_000), "y": rng.normal(size=5_000)} for _ in range(2))
    report = gv.validate(one, two, n_required=100, bins={"x": 10, "y": [-1, 0, 1]}, nonfinite={"y": "separate"})
    assert {name: c.bins for name, c in report.histograms.items()} == {"x": 10, "y": 4, "joint": 16}
    with pytest.raises(gv.InputError, match=r"bins= names \['z'\], which are no observables"):
        gv.validate(one, two, n_required=100, bins={"z": 10})


def test_holm_corrects_the_naming_of_biased() -> None:
    """Among many observables a mild excess in one is not called BIASED, and an overwhelming one is."""
    rng = np.random.default_rng(11)
    flat = np.full(20, 0.05)
    clean = {
        str(i): gv.compare(
            gv.Counts(rng.multinomial(20_000, flat)), gv.Counts(rng.multinomial(20_000, flat)), n_required=2_000
        )
        for i in range(20)
    }
    for tilt in np.linspace(0.02, 0.2, 60):
        tilted = flat * (1 + tilt * np.repeat([1, -1], 10))
        mild = gv.compare(
            gv.Counts(rng.multinomial(20_000, tilted)), gv.Counts(rng.multinomial(20_000, flat)), n_required=2_000
        )
        if 0.01 < mild.p_biased < 0.04:
            break
    assert mild.verdict is gv.Verdict.BIASED
    report = gv.combine({**clean, "mild": mild})
    assert report.comparisons["mild"].verdict is gv.Verdict.UNPROVEN
    assert "Holm" in report.comparisons["mild"].reasons[0]
    gross = gv.compare(
        gv.Counts(rng.multinomial(20_000, flat * np.repeat([1.5, 0.5], 10))), gv.Counts([1000] * 20), n_required=2_000
    )
    assert gv.combine({**clean, "gross": gross}).comparisons["gross"].verdict is gv.Verdict.BIASED


def test_report_is_robust_only_if_all_are() -> None:
    """One observable that is not ROBUST makes the report not ROBUST, and the reasons name it."""
    good = gv.compare(gv.Counts([5000, 5050, 4950]), gv.Counts([4980, 5030, 5100]), n_required=1_000)
    small = gv.compare(gv.Counts([50, 40, 45]), gv.Counts([49, 50, 41]), n_required=1_000)
    assert gv.combine({"good": good}).robust
    report = gv.combine({"good": good, "small": small})
    assert report.verdict is gv.Verdict.UNPROVEN
    assert all(reason.startswith("small: ") for reason in report.reasons)
    with pytest.raises(gv.InputError, match="no comparison"):
        gv.combine({})


def test_comparisons_of_different_questions_are_not_combined() -> None:
    """Comparisons at different n_required or confidence have no common verdict."""
    counts = gv.Counts([5000, 5050, 4950]), gv.Counts([4980, 5030, 5100])
    one, other = (gv.compare(*counts, n_required=n) for n in (1_000, 10))
    with pytest.raises(gv.InputError, match="answer different questions"):
        gv.combine({"one": one, "other": other})


def test_missing_extra_inside_an_observable_is_told_as_it_is() -> None:
    """An observable that needs a package says so, unchanged."""

    def needy(_: gv.Sample) -> float:
        feature, package, extra = "needy", "nosuchpackage", "gan"
        raise gv.MissingExtraError(feature, package, extra)

    with pytest.raises(gv.MissingExtraError, match="nosuchpackage"):
        gv.validate({"x": [1.0, 2.0]}, {"x": [1.0, 2.0]}, n_required=10, observables=[needy])


def test_provenance_says_what_was_compared() -> None:
    """The report carries sizes, versions and what was left out."""
    one = {"x": np.arange(100.0), "only": np.arange(100.0), "name": np.array(["a"] * 100)}
    two = {"x": np.arange(100.0) + 0.5, "name": np.array(["a"] * 100)}
    report = gv.validate(one, two, n_required=10)
    provenance = report.provenance
    assert provenance["generated_events"] == provenance["reference_events"] == 100
    assert report.skipped == {"only": "only generated has it", "name": "not numeric"}


@pytest.mark.parametrize("bad", [0, -1, 0.5, 1e-320, math.nan, math.inf, 10**400])
def test_impossible_n_required(bad: float) -> None:
    """n_required must be a finite number of at least one event."""
    with pytest.raises(gv.InputError, match="n_required"):
        gv.compare(GENERATED, REFERENCE, n_required=bad)
    with pytest.raises(gv.InputError, match="n_required"):
        gv.validate({"x": [1.0, 2.0]}, {"x": [1.0, 2.0]}, n_required=bad)


@pytest.mark.parametrize("function", [gv.compare, gv.chi2_test])
@pytest.mark.parametrize(
    "bare",
    [[105, 212], [[105, 212], [1, 2]], (105, 212), np.array([105, 212]), np.ones((2, 2)), (np.ones(2), np.ones(2))],
)
def test_contents_without_a_name_are_refused(function: Any, bare: object) -> None:
    """Contents that do not say what they are are refused on either side, with both remedies."""
    limits = {"n_required": 10} if function is gv.compare else {}
    words = r".*are these events\? .*({'x': values}|values\.T\)\)); contents of bins\? .*gv\.Counts\(values\)"
    for sides, side in (((bare, REFERENCE), "generated"), ((GENERATED, bare), "reference")):
        with pytest.raises(gv.InputTypeError, match=f"^{side}: {words}"):
            function(*sides, **limits)


def test_contents_beside_events_are_refused() -> None:
    """Contents on one side and events on the other are no pair, and the error says which side is the wrong one."""
    events = {"x": np.arange(10.0)}
    with pytest.raises(gv.InputTypeError, match=r"^reference: a dict is not a histogram; .*compared with validate"):
        gv.compare(GENERATED, events, n_required=10)
    with pytest.raises(
        gv.InputTypeError, match=r"^generated: a Counts is not a table .*compare histograms with gv\.compare"
    ):
        gv.validate(GENERATED, events, n_required=10)


def test_missing_n_required() -> None:
    """There is no default for what an analysis needs."""
    with pytest.raises(TypeError, match="n_required"):
        gv.compare(GENERATED, REFERENCE)  # type: ignore[call-arg]
    with pytest.raises(gv.InputTypeError, match="n_required=None is a NoneType; expected a number"):
        gv.compare(GENERATED, REFERENCE, n_required=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"confidence": 1}, "confidence=1 is out of range"),
        ({"confidence": 0.5}, "above 0.5 and below 1"),
        ({"max_bias": 0}, "max_bias=0 is out of range"),
        ({"max_local_bias": -1}, "max_local_bias=-1"),
        ({"max_directional_bias": 0}, "max_directional_bias=0"),
        ({"smooth": 1}, "smooth=1; expected True or False"),
        ({"min_power": 0.2}, "min_power is gone"),
        ({"min_expected": -1}, "0 or more"),
        ({"n_train": 0}, "n_train=0"),
    ],
)
def test_impossible_limits(limits: dict[str, Any], words: str) -> None:
    """Every limit out of range is refused with its range."""
    with pytest.raises(gv.GanvalidError, match=words):
        gv.compare(GENERATED, REFERENCE, n_required=10, **limits)


def test_weight_must_be_a_name_or_a_pair() -> None:
    """A single array of weights is ambiguous and refused."""
    with pytest.raises(gv.InputTypeError, match="expected a column name or a pair"):
        gv.validate({"x": [1.0]}, {"x": [1.0]}, n_required=1, weight=np.ones(1))


def test_constant_column_compares_nothing() -> None:
    """A column that is the same constant on both sides is an error that names it; different constants are BIASED."""
    five, seven = {"x": np.full(10_000, 5.0)}, {"x": np.full(10_000, 7.0)}
    with pytest.raises(gv.InputError, match="observable 'x': all events of both samples lie in 1 bin"):
        gv.validate(five, {"x": np.full(20_000, 5.0)}, n_required=100, observables=["x"])
    with pytest.raises(gv.InputError, match="every column has one value, the same on both sides: there is nothing to"):
        gv.validate(five, {"x": np.full(20_000, 5.0)}, n_required=100)
    assert gv.validate(seven, five, n_required=100).verdict is gv.Verdict.BIASED


def test_few_generated_events_are_told() -> None:
    """ROBUST that rests on the generated events being independent draws is told with the remedy, and no other."""
    few, many = ({"x": np.random.default_rng(n).normal(size=n)} for n in (20_000, 80_000))
    report = gv.validate(few, many, n_required=1_000)
    assert report.robust
    told = "in x most of the noise is that of the generated sample, which has fewer effective events than the reference"
    assert any(note.startswith(told) and note.endswith("generate more") for note in report.notes)
    assert not any("most of the noise" in note for note in gv.validate(many, few, n_required=1_000).notes)


def _copies(distinct: int, times: int) -> dict[str, Any]:
    return {"x": np.tile(np.random.default_rng(distinct).normal(size=distinct), times)}


def test_repeated_rows_are_the_first_reason() -> None:
    """Rows that a generator repeats are named before the advice to improve it, and not where they did no harm."""
    reference = {"x": np.random.default_rng(1).normal(size=60_000)}
    biased = gv.validate(_copies(3_000, 20), reference, n_required=6_000)
    assert biased.verdict is gv.Verdict.BIASED
    assert "57,000 of 60,000 generated rows repeat another one, so that 3,000 are distinct" in biased.reasons[0]
    assert "improve the generator" in biased.reasons[-1]
    words = explain(biased)
    assert words.index("repeats its own rows") < words.index("improve x")
    assert words.count("repeats its own rows") == 1
    robust = gv.validate(_copies(3_000, 20), reference, n_required=500)
    assert robust.robust
    assert not any("repeats its own" in reason for reason in robust.reasons)
    assert any("repeats its own" in note for note in robust.notes)


def test_copies_do_not_show_more_than_the_distinct_rows() -> None:
    """Copies that would be ROBUST are UNPROVEN from an n_required above the distinct rows on, with both reasons."""
    rng = np.random.default_rng(1)
    reference = {"x": rng.normal(size=400_000)}
    even = norm.ppf((np.arange(2_250) + rng.uniform(size=2_250)) / 2_250)
    calm = {"x": np.tile(np.concatenate([even, rng.normal(size=750)]), 20)}  # a quarter of the noise, so ROBUST
    below, above = (gv.validate(calm, reference, n_required=n_required) for n_required in (2_900, 3_100))
    assert below.robust
    assert above.verdict is gv.Verdict.UNPROVEN
    assert above.reasons[0].startswith("the generator repeats its own rows")
    assert above.reasons[1] == (
        "x: n_required 3,100 cannot be shown by copies of 3,000 distinct generated rows, however many there are"
    )


@pytest.mark.parametrize("entries", [([0.5], [1.5]), ([0.5, 1.5], [0.5, 1.5]), ([0.5, 0.7], [1.5, 2.5])])
@pytest.mark.parametrize("events", [1, 300])
def test_events_of_several_entries_that_are_all_alike(entries: tuple[list[float], list[float]], events: int) -> None:
    """Where no event differs from another of its sample, errors cannot be estimated, and the check is refused."""
    sides = [{"x": Entries.of(np.tile(values, (events, 1)))} for values in entries]
    with pytest.raises(
        gv.InputError, match="the events of either sample fill the bins all alike, so that their errors"
    ):
        gv.validate(*sides, n_required=100, observables=["x"])


VALUES = np.random.default_rng(5).normal(size=900)
BARE: dict[str, Any] = {
    "array": VALUES,
    "900 integers": np.arange(900) + 5,
    "list of integers": [3, 4, 5],
    "list of numbers": VALUES.tolist(),
    "list of numpy numbers": list(VALUES[:5]),
    "two dimensions": VALUES.reshape(30, 30),
    "masked": np.ma.masked_array(VALUES),
    "objects": np.array([VALUES, VALUES], dtype=object),
    "pair of arrays": (VALUES, VALUES),
    "pair of lists": ([1.0, 2.0], [3.0, 4.0]),
    "list of arrays": [VALUES, VALUES],
    "nested lists": [[1, 2], [3, 4]],
    "deeper": [[[1.0]]],
    "empty": [],
    "missing": [None, 1.0],
    "range": range(5, 905),
    "set": {1.0, 2.0},
    "memory": memoryview(VALUES.tobytes()).cast("d"),
    "what numpy.histogram returns": np.histogram(VALUES),
}
OF_LIBRARIES: dict[str, Any] = {
    "pandas": lambda library: [library.Series(VALUES), library.Index(VALUES)],
    "polars": lambda library: [library.Series("x", VALUES)],
    "torch": lambda library: [library.tensor(VALUES), [library.tensor(1.0)], (library.tensor(VALUES),) * 2],
    "pyarrow": lambda library: [library.array(VALUES), library.chunked_array([VALUES])],
    "awkward": lambda library: [library.Array(VALUES), library.Array([[1.0, 2.0], [3.0]])],
    "dask.array": lambda library: [library.from_array(VALUES)],
}


def _gate() -> Gate:
    """What a marked test gets as its fixture."""
    marks = [pytest.mark.ganvalid(n_required=10).mark]
    item: Any = SimpleNamespace(listchain=lambda: [SimpleNamespace(own_markers=marks)], nodeid="test_a.py::test_it")
    return Gate(item, Settings(), None)


def _refuse_without_a_name(bare: Any) -> None:
    """Check that numbers without a name are refused in the words that ask what they are, wherever they are handed."""
    named = {"x": VALUES}
    words = (
        r"are these events\? .*(\{'x': values\}|values\.T\)\)); contents .*gv\.Counts\(values\)|"
        r"numpy\.histogram's \(counts, edges\)\? then compare gv\.Counts\(counts, edges=edges\)"
    )
    with pytest.raises(gv.InputTypeError, match=words):
        gv.fill(bare)
    for other in (bare, named, gv.Counts([3, 4])):
        for sides in ((bare, other), (other, bare)):
            for function in (
                lambda a, b: gv.compare(a, b, n_required=10),
                lambda a, b: gv.validate(a, b, n_required=10),
                gv.chi2_test,
                _gate().check,
                _gate().compare,
            ):
                with pytest.raises(gv.InputTypeError, match=words):
                    function(*sides)


@pytest.mark.parametrize("kind", BARE)
def test_events_are_not_contents(kind: str) -> None:
    """Numbers that may be events or contents are taken for neither, on either side, whatever the other one is."""
    _refuse_without_a_name(BARE[kind])


@pytest.mark.parametrize("library", OF_LIBRARIES)
def test_events_of_libraries_are_not_contents(library: str) -> None:
    """Nor are series, tensors and arrays of other libraries."""
    for bare in OF_LIBRARIES[library](pytest.importorskip(library)):
        _refuse_without_a_name(bare)


def test_regions_only_where_they_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regions are tested once, when they are asked about; a ROBUST whole has none unless it is asked for them."""
    rng = np.random.default_rng(1)
    means = np.full(40, 25_000.0)
    right, reference = gv.Counts(rng.poisson(means)), gv.Counts(rng.poisson(means / 5))
    means[5:7] = 40_000, 10_000
    wrong = gv.Counts(rng.poisson(means))
    fine = gv.compare(right, reference, n_required=20_000)
    assert fine.robust
    assert fine.regions == ()
    found = gv.compare(wrong, reference, n_required=20_000)
    assert len(found.regions) > 3
    tests = mock.create_autospec(Map.regions_of, side_effect=Map.regions_of)
    monkeypatch.setattr(Map, "regions_of", tests)
    lazy = gv.compare(wrong, reference, n_required=20_000)
    assert tests.call_count == 0
    assert lazy == found
    assert lazy.robust_region is not None
    assert pickle.loads(pickle.dumps(lazy)) == copy.deepcopy(lazy) == gv.Comparison.from_json(lazy.to_json()) == lazy  # noqa: S301 - our own
    assert tests.call_count == 1


def test_needs_do_not_depend_on_how_few_events_there_are() -> None:
    """However few generated events there are, it takes as many as the plan says: those of the bins that they fill."""
    rng = np.random.default_rng(1)
    reference = {"x": rng.normal(size=30_000)}
    plan = gv.plan(2_000, reference=reference)
    for n in (5, 100, 2_000):
        c = gv.validate({"x": rng.normal(size=n)}, reference, n_required=2_000).comparisons["x"]
        assert (c.n_reference_needed, c.n_generated_needed) == pytest.approx(
            (plan.n_reference, plan.n_generated), rel=0.01
        )

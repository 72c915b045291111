"""The verdict on an analysis, as a user asks for it: what comes back, whether it is true, what is refused."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.analyses import analysis
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables import Mean, Selection
from pytest_ganvalid.report.text import as_report, explain
from pytest_ganvalid.results import AnalysisComparison, EstimateComparison, Report, Verdict
from pytest_ganvalid.statistics.template_fit import root_of
from pytest_ganvalid.statistics.uncertainty import bin_uncertainties
from pytest_ganvalid.toys import analyses
from pytest_ganvalid.toys.analyses import Analysis
from pytest_ganvalid.workspaces import Workspace

pyhf: Any = pytest.importorskip("pyhf")
FloatArray = NDArray[np.float64]
TOYS = {"counting": analyses.counting(), "bump": analyses.bump(), "two channels": analyses.two_channels()}
QUICK = {**TOYS, "bump": analyses.bump(8)}
SETTINGS = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
EDGES = [0.0, 1.0, math.inf]


def given(histograms: dict[str, gv.Counts]) -> object:
    """What a user hands over: of one channel its histogram."""
    return histograms if len(histograms) > 1 else next(iter(histograms.values()))


def judged(toy: Analysis, generated: FloatArray, reference: FloatArray, **keywords: Any) -> AnalysisComparison:
    """Judge contents."""
    sides = (given(toy.histograms(contents)) for contents in (generated, reference))
    return analysis(toy.workspace, *sides, **{"sample": toy.sample, "toys": 0, **keywords})


def drawn(toy: Analysis, events: int, seed: int, strength: float = 0.0) -> FloatArray:
    """Contents of events of a law that is distorted."""
    return np.random.default_rng(seed).multinomial(events, toy.distorted(strength)).astype(np.float64)


def exact(toy: Analysis, strength: float = 0.0, events: float = 1e12) -> FloatArray:
    """Contents without noise."""
    return np.round(events * toy.distorted(strength))


def test_numbers_of_a_counting_analysis() -> None:
    """With one bin the fitted strength, its errors and its uncertainty are those of the textbook."""
    toy = TOYS["counting"]
    c = judged(toy, np.array([30_400.0, 69_600]), np.array([60_000.0, 140_000]), n_train=4_000)
    q, p = 0.304, 0.3
    assert c.generated.value == pytest.approx(p / q, rel=1e-6)
    assert c.generated.error == pytest.approx(p / q * math.sqrt((1 - q) / q / 100_000), rel=1e-3)
    assert c.reference.value == 1
    assert c.reference.error == pytest.approx(math.sqrt((1 - p) / p / 200_000), rel=2e-2)  # as it is fitted with q
    assert c.n_required == pytest.approx(4_000 / p)
    assert c.required_error == pytest.approx(math.hypot(math.sqrt(5_000), 0.03 * 1_000) / 4_000, rel=1e-3)
    assert c.generated.n_events == pytest.approx(100_000)
    reach = 1.6448536 * math.hypot(c.generated.error, c.reference.error)
    assert c.bias.upper * c.required_error == pytest.approx(abs(c.difference) + reach)
    assert c.n_equivalent.lower == pytest.approx((1 - p) / p / (abs(c.difference) + reach) ** 2, rel=5e-2)
    assert c.n_supported == pytest.approx(c.n_required / c.bias.upper**2)
    assert c.n_inherited == c.n_systematic == min(4_000, c.n_equivalent.lower)
    template = math.sqrt((1 - q) / q / 100_000)
    inherited = math.sqrt((1 - q) / q / c.n_inherited)
    for uncertainty, errors in ((c.uncertainty_ignored, (template,)), (c.uncertainty_kept, (template, inherited))):
        assert uncertainty == pytest.approx(p / q * math.hypot(c.required_error, *errors), rel=5e-3)


@pytest.mark.parametrize("name", QUICK)
def test_errors_are_the_spread_of_toys(name: str) -> None:
    """Over toys of both samples the bias of a perfect generator scatters around zero as is stated."""
    toy = QUICK[name]
    toys = 20
    found = [judged(toy, drawn(toy, 60_000, 2 * i), drawn(toy, 40_000, 2 * i + 1)) for i in range(toys)]
    pulls = [c.difference / math.hypot(c.generated.error, c.reference.error) for c in found]
    assert abs(float(np.mean(pulls))) < 3.5 / math.sqrt(toys)
    assert float(np.std(pulls)) == pytest.approx(1, abs=3.5 / math.sqrt(2 * toys))


@pytest.mark.parametrize("side", [1, -1])
def test_a_generator_on_the_boundary_is_misjudged_as_rarely_as_promised(side: int) -> None:
    """With a bias of exactly max_bias, ROBUST and BIASED come in 5 % of the toys each, and not never."""
    toy, limit, toys = TOYS["counting"], 0.5, 40
    unit = judged(toy, exact(toy), exact(toy, events=0.9e12)).required_error
    q = toy.law[0] / (1 + side * limit * unit)  # fitted with q, the strength is p / q
    found = []
    for seed in range(toys):
        rng = np.random.default_rng([9, seed, side + 1])
        generated = rng.multinomial(1_000_000, [q, 1 - q]).astype(np.float64)
        found.append(judged(toy, generated, drawn(toy, 400_000, seed), max_bias=limit).verdict)
    for wrong in (Verdict.ROBUST, Verdict.BIASED):
        assert found.count(wrong) / toys <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / toys)
    assert found.count(Verdict.UNPROVEN) < toys


@pytest.mark.parametrize("name", QUICK)
def test_intervals_cover_where_the_inherited_error_is_kept(name: str) -> None:
    """Kept, the error makes intervals hold the true value as often as they say; ignored, far less often."""
    toy = QUICK[name]
    n_train, toys = 5_000, 300
    c = judged(toy, exact(toy, events=20 * n_train), exact(toy), n_sys=n_train, toys=toys)
    assert [one.level for one in c.coverage] == pytest.approx([0.6827, 0.95], abs=1e-4)
    for one in c.coverage:
        error = math.sqrt(one.level * (1 - one.level) / toys)
        assert one.kept == pytest.approx(one.level, abs=3.5 * error)
        assert one.ignored < one.level - 3.5 * error
    assert c.uncertainty_ignored < c.uncertainty_kept
    well_trained = judged(toy, exact(toy, events=20 * n_train), exact(toy), n_sys=1e9)
    assert well_trained.uncertainty_kept == pytest.approx(c.uncertainty_ignored, rel=1e-3)


def test_uncertainties_are_those_of_pyhf() -> None:
    """The workspace with the generated template and its errors as correlated shapes has that uncertainty in pyhf."""
    toy = TOYS["bump"]
    generated = drawn(toy, 50_000, 5)
    c = judged(toy, generated, exact(toy), n_sys=8_000)
    space = Workspace.read(toy.workspace)
    samples = space.samples(toy.sample)
    contents = c.n_required * generated / generated.sum()
    covariance = sum(bin_uncertainties(gv.Counts(contents, contents), n).inherited_covariance() for n in (5e4, 8e3))
    template = {"mass": contents[:-1]}
    spec = space.with_template(samples, template)
    for k, variation in enumerate(root_of(np.asarray(covariance)[:-1, :-1]).T):
        sides = {"hi_data": (contents[:-1] + variation).tolist(), "lo_data": (contents[:-1] - variation).tolist()}
        modifier = {"name": f"inherited {k}", "type": "histosys", "data": sides}
        spec["channels"][0]["samples"][1]["modifiers"].append(modifier)
    model = pyhf.Model(spec, poi_name="mu", modifier_settings=SETTINGS, validate=False)
    asimov = np.array(toy.workspace["observations"][0]["data"])
    data = [*asimov, *model.config.auxdata]
    best = np.array(pyhf.infer.mle.fit(data, model))
    curvature = np.empty((best.size, best.size))
    step = 1e-3
    moves = step * np.eye(best.size)

    def value(theta: FloatArray) -> float:
        return -float(np.asarray(model.logpdf(theta, data)).item())

    for i, a in enumerate(moves):
        for j, b in enumerate(moves):
            corners = value(best + a + b) - value(best + a - b) - value(best - a + b) + value(best - a - b)
            curvature[i, j] = corners / (4 * step**2)
    mu = model.config.poi_index
    assert c.uncertainty_kept == pytest.approx(math.sqrt(np.linalg.inv(curvature)[mu, mu]), rel=0.02)
    assert best[mu] == pytest.approx(c.generated.value, abs=0.3 * c.required_error)


def test_the_three_verdicts() -> None:
    """A good generator with enough events is ROBUST, a distorted one BIASED, and few events decide nothing."""
    toy = TOYS["bump"]
    good = judged(toy, drawn(toy, 300_000, 1), drawn(toy, 200_000, 2), n_train=10_000)
    assert good.verdict is Verdict.ROBUST
    assert "the bias is at most" in good.reasons[0]
    assert "times the uncertainty of mu (limit 1)" in good.reasons[0]
    bad = judged(toy, drawn(toy, 300_000, 3, 0.1), drawn(toy, 200_000, 4))
    assert bad.verdict is Verdict.BIASED
    assert bad.bias.lower > 1
    assert bad.n_supported < bad.n_required
    few = judged(toy, drawn(toy, 3_000, 5), drawn(toy, 2_000, 6))
    assert few.verdict is Verdict.UNPROVEN
    needed = few.n_reference_needed, few.n_generated_needed
    assert f"it takes {needed[0]:,} reference events and {needed[1]:,} generated events" in " ".join(few.reasons)
    enough = judged(toy, exact(toy, events=needed[1]), exact(toy, events=needed[0]))
    assert enough.power == pytest.approx(0.9, abs=0.03)
    same = judged(toy, drawn(toy, 2_000, 6), drawn(toy, 2_000, 6))
    assert same.verdict is Verdict.UNPROVEN
    assert "too good" in same.reasons[0] or "identical" in same.reasons[0]


def test_a_higher_luminosity_asks_for_more() -> None:
    """n_required states the luminosity: at a hundred times that of the workspace a bias is many more uncertainties."""
    toy = TOYS["two channels"]
    sides = drawn(toy, 300_000, 1, 0.02), drawn(toy, 200_000, 2)
    once = judged(toy, *sides)
    more = judged(toy, *sides, n_required=100 * once.n_required)
    assert more.n_required == 100 * once.n_required
    assert more.required_error < once.required_error
    assert more.bias.estimate > once.bias.estimate
    assert judged(toy, *sides, n_required=once.n_required).bias.upper == pytest.approx(once.bias.upper)


def test_the_value_of_the_parameter_may_be_stated() -> None:
    """Asimov data may have another strength of the signal than that of the workspace."""
    toy = TOYS["bump"]
    c = judged(toy, drawn(toy, 300_000, 1), drawn(toy, 200_000, 2), poi_value=0.0)
    assert c.reference.value == 0
    assert abs(c.difference) < 5 * math.hypot(c.generated.error, c.reference.error)
    with pytest.raises(InputError, match="poi_value=inf is infinite"):
        judged(toy, drawn(toy, 300, 1), drawn(toy, 200, 2), poi_value=math.inf)


def test_weights_count_by_their_errors() -> None:
    """Weighted contents have the error of their squared weights: half of the effective events, 1.41 times the error."""
    toy = TOYS["two channels"]
    contents = exact(toy, 0.01, 100_000)
    weighted = {
        name: gv.Counts(part.values, 2 * part.values, edges=part.edges)
        for name, part in toy.histograms(contents).items()
    }
    reference = given(toy.histograms(exact(toy)))
    plain = analysis(toy.workspace, given(toy.histograms(contents)), reference, sample=toy.sample, toys=0)
    heavy = analysis(toy.workspace, weighted, reference, sample=toy.sample, toys=0)
    assert heavy.generated.error == pytest.approx(math.sqrt(2) * plain.generated.error)
    assert heavy.generated.n_events == pytest.approx(plain.n_generated / 2)
    assert heavy.difference == pytest.approx(plain.difference)


def test_an_empty_bin_is_not_known_exactly() -> None:
    """A bin that only the reference fills has the error of one generated event, instead of none."""
    toy = analyses.bump(5)
    contents = exact(toy, events=2_000)
    contents[2] = 0
    c = judged(toy, contents, exact(toy))
    contents[2] = 1
    assert c.generated.error == pytest.approx(judged(toy, contents, exact(toy)).generated.error, rel=0.1)


def test_errors_that_a_few_events_carry_prove_nothing() -> None:
    """Where a handful of heavy events make the template, their error has few degrees of freedom."""
    toy = analyses.bump(5)
    contents = exact(toy, events=40)
    squares = contents.copy()
    squares[2] = 0.9 * contents[2] ** 2  # about one event, at the peak
    side = gv.Counts(contents, squares, edges=[0, 1, 2, 3, 4, 5, math.inf])
    c = analysis(toy.workspace, side, given(toy.histograms(exact(toy))), sample=toy.sample, toys=0)
    assert c.generated.dof < 10
    assert c.verdict is not Verdict.ROBUST


def events(seed: int, number: int = 40_000, shift: float = 0.0) -> dict[str, FloatArray]:
    """Events of a falling spectrum, with a column that says which channel they are in."""
    rng = np.random.default_rng(seed)
    return {"mass": 90 + shift + rng.exponential(30, number), "lepton": rng.random(number)}


def contents_of(sample: dict[str, FloatArray], edges: FloatArray) -> gv.Counts:
    """Bin the events, overflow and underflow included."""
    ends = [-math.inf, *edges, math.inf]
    return gv.Counts(np.histogram(sample["mass"], ends)[0], edges=ends)


def test_events_and_histograms_are_one() -> None:
    """Events that are binned here are judged like those that come as histograms with flow bins."""
    toy = TOYS["bump"]
    edges = np.linspace(100, 160, 21)
    sides = events(1, 200_000), events(2, 100_000)
    stated: dict[str, Any] = {"sample": toy.sample, "toys": 0, "n_train": 3_000}
    binned = analysis(toy.workspace, *sides, observable="mass", bins=edges, **stated)
    filled = analysis(toy.workspace, *(contents_of(side, edges) for side in sides), **stated)
    for field in ("difference", "required_error", "n_supported", "n_required", "uncertainty_kept", "n_generated"):
        assert getattr(binned, field) == pytest.approx(getattr(filled, field), rel=1e-3)
    function = analysis(toy.workspace, *sides, observable=("m", lambda e: e["mass"]), bins=edges, **stated)
    assert function.difference == pytest.approx(binned.difference)
    histograms = [gv.fill(side, observables=["mass"], bins=edges) for side in sides]
    stored = analysis(toy.workspace, *histograms, observable="mass", **stated)
    assert stored.difference == pytest.approx(binned.difference)


def test_channels_are_selections_of_the_same_events() -> None:
    """Two selections of the events are two channels; what neither selects is outside of both."""
    toy = TOYS["two channels"]
    first = Selection("mass", lambda e: e["lepton"] < 0.6, name="first")
    second = Selection("mass", lambda e: (e["lepton"] > 0.6) & (e["lepton"] < 0.9), name="second")
    edges = {"signal region": np.linspace(100, 160, 7), "control region": np.linspace(100, 140, 5)}
    sides = events(1, 100_000), events(2, 60_000)
    observable = {"signal region": first, "control region": second}
    c = analysis(toy.workspace, *sides, sample=toy.sample, observable=observable, bins=edges, toys=0)

    def part(sample: dict[str, FloatArray], low: float, high: float, ends: FloatArray) -> gv.Counts:
        inside = (sample["lepton"] > low) & (sample["lepton"] < high)
        return contents_of({"mass": sample["mass"][inside]}, ends)

    def channels(sample: dict[str, FloatArray]) -> dict[str, gv.Counts]:
        region = part(sample, -1, 0.6, edges["signal region"])
        others = int((sample["lepton"] >= 0.9).sum())
        values = region.values.copy()
        values[-1] += others
        control = part(sample, 0.6, 0.9, edges["control region"])
        return {"signal region": gv.Counts(values, edges=region.edges), "control region": control}

    filled = analysis(toy.workspace, channels(sides[0]), channels(sides[1]), sample=toy.sample, toys=0)
    assert c.difference == pytest.approx(filled.difference)
    assert c.bias.upper == pytest.approx(filled.bias.upper)
    assert c.samples == {"signal region": "background", "control region": "background"}
    everything = Selection("mass", lambda e: e["lepton"] >= 0, name="first")
    overlapping = {
        "signal region": everything,
        "control region": Selection("mass", lambda e: e["lepton"] >= 0, name="second"),
    }
    with pytest.raises(InputError, match="events are in several channels"):
        analysis(toy.workspace, *sides, sample=toy.sample, observable=overlapping, bins=edges, toys=0)


def test_shared_events_demonstrate_nothing() -> None:
    """Generated events among the reference leave the verdict UNPROVEN, and the reason says so."""
    toy = TOYS["bump"]
    reference = events(2, 100_000)
    copied = {name: np.concatenate([values[:5_000], events(1, 200_000)[name]]) for name, values in reference.items()}
    c = analysis(
        toy.workspace, copied, reference, sample=toy.sample, observable="mass", bins=np.linspace(100, 160, 21), toys=0
    )
    assert c.verdict is Verdict.UNPROVEN
    assert "generated" in c.reasons[0]
    assert c.n_supported == 0


def test_another_binning_is_noticed() -> None:
    """A template that looks quite unlike that of the workspace is remarked upon."""
    toy = TOYS["bump"]
    turned = np.append(exact(toy, events=1e5)[:-1][::-1], 20_000)
    assert "do the bins and selections match?" in judged(toy, turned, 1.1 * turned // 1).reasons[-1]
    assert "do the bins" not in " ".join(judged(toy, drawn(toy, 3_000, 1), drawn(toy, 3_000, 2)).reasons)


def test_result_is_of_builtins_and_survives_json() -> None:
    """A result read back from its JSON text equals the original, alone and in a report."""
    toy = TOYS["two channels"]
    c = judged(toy, drawn(toy, 30_000, 1), drawn(toy, 20_000, 2), n_train=2_000, toys=50, seed=3, name="limits")
    assert AnalysisComparison.from_json(c.to_json()) == c
    kinds = {type(leaf) for leaf in [*dataclasses.asdict(c).values(), *dataclasses.asdict(c.coverage[0]).values()]}
    assert kinds <= {str, int, float, tuple, dict, type(None), Verdict}
    report = as_report(c)
    assert Report.from_json(report.to_json()) == report
    assert report.estimates == {"limits": c}
    with pytest.raises(InputError, match="expected JSON of kind 'estimate', version 2; got kind 'analysis'"):
        EstimateComparison.from_json(c.to_json())
    again = judged(toy, drawn(toy, 30_000, 1), drawn(toy, 20_000, 2), n_train=2_000, toys=50, seed=3, name="limits")
    other = judged(toy, drawn(toy, 30_000, 1), drawn(toy, 20_000, 2), n_train=2_000, toys=50, seed=4, name="limits")
    assert again == c
    assert other.coverage != c.coverage


def test_text_tells_all_numbers() -> None:
    """The text has fitted values, the uncertainty with and without the inherited error, bias and coverage."""
    toy = TOYS["counting"]
    c = judged(toy, np.array([304_000.0, 696_000]), np.array([60_000.0, 140_000]), n_train=4_000, toys=200)
    text = " ".join(explain(c, details=True).split())
    for words in (
        "analysis: UNPROVEN",
        "generated mu = 0.98",
        "reference mu = 1.00",
        "uncertainty 0.0192 at the luminosity of 13,333 events; with generated templates 0.0",
        "times this uncertainty (limit 1)",
        "of the 68.27 % intervals (",
        "without) the inherited error; 200 toys",
        "times the uncertainty of mu (limit 1)",
        "with the error that the template inherits from",
    ):
        assert words in text
    assert explain(c).startswith("UNPROVEN: 1 of 1 observable at n_required 13,333; supported ")


def test_the_page_and_the_plot_tell_the_unit() -> None:
    """In the HTML report and in its plot the bias is in uncertainties of the parameter, not in error bars of events."""
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    from pytest_ganvalid.report.document import Session
    from pytest_ganvalid.report.html import render
    from pytest_ganvalid.report.plots import draw

    toy = TOYS["counting"]
    c = judged(toy, drawn(toy, 10_000, 1), drawn(toy, 10_000, 2))
    page = render(Session.from_json(c.to_json()))
    assert f"uncertainty of mu {c.required_error:.3g}, the unit of the bias" in page
    assert "error bar of" not in page
    (axes,) = draw("analysis", c).axes
    assert axes.get_xlabel().startswith("generated - reference, in uncertainties of mu, 0.0192; shaded")


SPECTRUM = np.linspace(100, 160, 21)
GOOD: dict[str, Any] = {"sample": "background", "toys": 0}


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (
            {"sample": "ttbar"},
            r"the workspace: there is no sample 'ttbar'; there are \['background', 'signal'\]",
        ),
        ({"channel": "SR"}, r"the workspace: there is no channel 'SR'; there are \['mass'\]"),
        ({"poi": "slope"}, "'slope' is not free: it has a constraint of its own; expected one of"),
        ({"poi": "nu"}, "the model has no parameter 'nu'"),
        ({"measurement": "other"}, "the workspace: there is no measurement 'other'"),
        ({"n_required": 0}, "n_required=0 is out of range"),
        ({"n_sys": 0}, "n_sys=0 is out of range"),
        ({"toys": -1}, "toys=-1 is too small"),
        ({"toys": 1.5}, "toys=1.5 is a float; expected an integer"),
        ({"max_bias": 0}, "max_bias=0 is out of range"),
        ({"weight": "w"}, r"weight have a meaning for events only; state observable="),
        ({"observable": "mass", "bins": SPECTRUM[1:]}, "bins of channel 'mass': 19 bins; the workspace has 20"),
        (
            {"observable": {"other": "mass"}, "bins": SPECTRUM},
            r"observable is stated for \['other'\]; expected one for",
        ),
    ],
)
def test_bad_settings(keywords: dict[str, Any], words: str) -> None:
    """What the workspace lacks, or no verdict can be based on, is an error that names it."""
    toy = TOYS["bump"]
    side = given(toy.histograms(exact(toy, events=1e5)))
    with pytest.raises((InputError, InputTypeError), match=words):
        analysis(toy.workspace, side, side, **{**GOOD, **keywords})


@pytest.mark.parametrize(
    ("generated", "words"),
    [
        (
            gv.Counts(np.ones(19)),
            r"generated: channel 'mass' has 20 bins in the workspace, the histogram 19 \(flow bins",
        ),
        (gv.Counts(np.ones(20), edges=range(21)), "different bin"),
        ({"mass": np.ones(100)}, "generated: these look like events; state what the channel histograms"),
        ({"other": gv.Counts(np.ones(20))}, r"generated is stated for \['other'\]; expected one for each channel"),
        (np.ones(20), "numbers without a name"),
        (3, "a int is not a histogram"),
    ],
)
def test_bad_samples(generated: object, words: str) -> None:
    """Samples that do not fit the channel are an error that says which, and what would fit."""
    reference = gv.Counts(np.full(20, 10), edges=np.linspace(100, 160, 21))
    if isinstance(generated, gv.Counts) and generated.values.size == 19:
        reference = gv.Counts(np.full(19, 10))
    with pytest.raises((InputError, InputTypeError), match=words):
        analysis(TOYS["bump"].workspace, generated, reference, **GOOD)


def test_what_does_not_depend_on_the_template() -> None:
    """One bin without events outside, and a sample that matters to nothing, are errors that say what to give."""
    toy = TOYS["counting"]
    with pytest.raises(InputError, match=r"does not depend on how the sample's events are distributed: .*flow bins"):
        analysis(toy.workspace, gv.Counts([300]), gv.Counts([310]), sample=toy.sample, toys=0)
    with pytest.raises(InputError, match="no events in the bins"):
        analysis(
            toy.workspace, gv.Counts([0, 5], edges=EDGES), gv.Counts([5, 5], edges=EDGES), **GOOD | {"sample": "signal"}
        )
    empty: dict[str, Any] = copy.deepcopy(dict(toy.workspace))
    empty["channels"][0]["samples"][0]["data"] = [0.0]
    with pytest.raises(InputError, match="the workspace expects 0 events of the sample"):
        analysis(empty, gv.Counts([4, 5], edges=EDGES), gv.Counts([5, 5], edges=EDGES), sample="signal", toys=0)


def test_a_number_is_no_histogram() -> None:
    """An estimator in the place of what a channel histograms is refused."""
    toy = TOYS["bump"]
    sides = events(1, 1_000), events(2, 1_000)
    with pytest.raises((InputError, InputTypeError), match=r"one number per sample|bins names"):
        analysis(toy.workspace, *sides, observable=Mean("mass"), bins=SPECTRUM, **GOOD)

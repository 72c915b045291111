"""The systematics that an analysis keeps: bin by bin, as histograms, and as modifiers that pyhf validates and fits."""

from __future__ import annotations

import copy
import csv
import io
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.report.systematics import Systematics

EDGES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
CONTENTS = np.array([400, 2100, 2900, 2400, 1500, 700])
COMPARISON = gv.compare(
    gv.Counts(CONTENTS, edges=EDGES),
    gv.Counts([90, 900, 1500, 1600, 900, 500], edges=EDGES),
    n_required=2_000,
    n_train=500,
    name="mass",
)


def events(seed: int, n: int = 3_000) -> dict[str, NDArray[np.float64]]:
    """Events of one column."""
    return {"x": np.random.default_rng(seed).exponential(size=n)}


def workspace(*samples: list[float], data: list[float] | None = None) -> dict[str, Any]:
    """A pyhf workspace of a channel ``SR`` with a signal and backgrounds."""
    signal = [0.0, 0.0, 60.0, 90.0, 30.0, 0.0]
    background = [
        {"name": f"background{i}", "data": sample, "modifiers": []} for i, sample in enumerate(samples, start=1)
    ]
    mu = {"name": "mu", "type": "normfactor", "data": None}
    channel = {"name": "SR", "samples": [{"name": "signal", "data": signal, "modifiers": [mu]}, *background]}
    return {
        "channels": [channel],
        "observations": [{"name": "SR", "data": data or np.sum(samples, axis=0).tolist()}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def covariance_of(modifiers: list[dict[str, Any]], contents: NDArray[np.float64]) -> NDArray[np.float64]:
    """The covariance that independent variations make."""
    steps = [np.array(modifier["data"]["hi_data"]) - contents for modifier in modifiers]
    return np.asarray(np.sum([np.outer(step, step) for step in steps], axis=0))


def test_the_errors_are_those_of_n_sys_events() -> None:
    """The relative inherited error of each bin is that of n_systematic true events, with the total known or not."""
    kept = gv.systematics(COMPARISON)
    assert COMPARISON.verdict == "BIASED"
    assert (kept.n_sys, kept.verdict, kept.observable) == (COMPARISON.n_systematic, "BIASED", "mass")
    assert kept.n_sys < 500
    shares = CONTENTS / CONTENTS.sum()
    relative = [each.relative_inherited or 0.0 for each in kept.bins]
    np.testing.assert_allclose(relative, np.sqrt((1 - shares) / shares / kept.n_sys))
    rate_too = [each.relative_inherited or 0.0 for each in gv.systematics(COMPARISON, normalised=False).bins]
    np.testing.assert_allclose(rate_too, np.sqrt(1 / shares / kept.n_sys))
    np.testing.assert_allclose([each.statistical for each in kept.bins], np.sqrt(CONTENTS))
    np.testing.assert_allclose(
        [each.total for each in kept.bins], [math.hypot(e.statistical, e.inherited) for e in kept.bins]
    )


def test_what_was_compared_needs_no_histogram() -> None:
    """A comparison that was read from its text gives the errors of the histogram that it was made of."""
    stored = gv.Comparison.from_json(COMPARISON.to_json())
    given_too = gv.systematics(COMPARISON, gv.Counts(CONTENTS, edges=EDGES))
    np.testing.assert_allclose(gv.systematics(stored).contents, given_too.contents, rtol=1e-12)
    assert [each.label for each in gv.systematics(stored).bins] == [each.label for each in given_too.bins]
    assert [(each.lower, each.upper) for each in given_too.bins] == list(pairwise(EDGES))


def test_a_report_names_its_observables() -> None:
    """Of a report with several histograms one is to be named; of one, none."""
    report = gv.combine({"mass": COMPARISON, "pt": COMPARISON})
    assert gv.systematics(report, observable="pt") == gv.systematics(COMPARISON)
    assert gv.systematics(gv.combine({"mass": COMPARISON})) == gv.systematics(COMPARISON)
    with pytest.raises(gv.InputError, match="name one by observable=, one of 'mass', 'pt'"):
        gv.systematics(report)
    with pytest.raises(gv.InputError, match="there is no histogram 'eta'"):
        gv.systematics(report, observable="eta")


def test_nothing_known_is_an_error() -> None:
    """A comparison of samples that share events states no error, and says why."""
    withdrawn = COMPARISON.withdrawn("the samples share events")
    with pytest.raises(gv.InputError, match=r"nothing is known of n_equivalent in 'mass'.*the samples share events"):
        gv.systematics(withdrawn)


def test_merged_and_open_bins_have_their_edges() -> None:
    """Bins that were joined have the outer edges, flow bins are open, and the labels are those of the worst bins."""
    report = gv.validate(
        events(1), events(2), n_required=500, n_train=90, observables=["x"], bins={"x": [0, 1, 2, 3, 4, 6, 8, 10]}
    )
    kept = gv.systematics(report)
    assert [(each.lower, each.upper) for each in kept.bins] == [(None, 1), (1, 2), (2, 3), (3, 4), (4, None)]
    comparison = report.histograms["x"]
    assert {each.label for each in comparison.worst_bins} <= {each.label for each in kept.bins}
    assert kept.contents.sum() == pytest.approx(3_000)


def test_bins_without_one_axis_have_names() -> None:
    """Pairs of columns and categories are told by labels or numbers, and no edge is made up."""
    sample, other = ({**events(seed), "y": events(seed + 9)["x"]} for seed in (1, 2))
    report = gv.validate(sample, other, n_required=500, observables=[("x", "y")], bins=16)
    kept = gv.systematics(report)
    assert {(each.lower, each.upper) for each in kept.bins} == {(None, None)}
    assert len({each.label for each in kept.bins}) == len(kept.bins) == report.histograms["x:y"].bins


@pytest.mark.parametrize("normalised", [True, False])
def test_texts_come_back(*, normalised: bool) -> None:
    """JSON restores an equal object, and the table has a row for each bin with the same numbers."""
    counts = gv.Counts([0, *CONTENTS, 1])
    kept = gv.systematics(COMPARISON, counts, normalised=normalised)
    assert Systematics.from_json(kept.to_json()) == kept
    rows = list(csv.DictReader(io.StringIO(kept.to_csv())))
    assert len(rows) == 8
    assert rows[0]["relative_inherited"] == rows[0]["lower"] == ""
    assert rows[0]["unresolved"] == "true"
    assert [float(row["relative_total"]) for row in rows[1:]] == [each.relative_total for each in kept.bins[1:]]


def test_impossible_texts_are_refused() -> None:
    """A text without bins, or with no events to go by, is an error."""
    kept = gv.systematics(COMPARISON)
    for odd in (
        kept.to_json().replace(f'"n_sys": {kept.n_sys}', '"n_sys": 0'),
        '{"kind": "systematics", "version": 2}',
    ):
        with pytest.raises(gv.InputError):
            Systematics.from_json(odd)


def test_a_histogram_has_the_total_variance() -> None:
    """The histogram of hist has the contents, the edges with flow bins where there are any, and both errors."""
    hist = pytest.importorskip("hist")
    kept = gv.systematics(COMPARISON)
    made = kept.to_hist()
    np.testing.assert_allclose(made.axes[0].edges, EDGES)
    np.testing.assert_allclose(made.values(flow=True), CONTENTS)
    np.testing.assert_allclose(made.variances(), gv.bin_uncertainties(gv.Counts(CONTENTS), COMPARISON).total ** 2)
    two = hist.Hist.new.Reg(3, 0, 6, name="mass").Reg(2, -1, 1).Double()
    two.fill(np.random.default_rng(1).uniform(-1, 7, 999), np.random.default_rng(2).uniform(-1.1, 1.1, 999))
    errors = gv.systematics(COMPARISON, two)
    like = errors.to_hist(like=two)
    np.testing.assert_array_equal(like.values(flow=True), two.values(flow=True))
    expected = gv.bin_uncertainties(two, COMPARISON)
    np.testing.assert_allclose(like.variances(flow=True), (expected.total**2).reshape(expected.shape))
    assert errors.to_hist().axes[0].size == 20
    with pytest.raises(gv.InputError, match="like has 20 bins, flow bins included, and these errors 6"):
        kept.to_hist(like=two)


def test_open_bins_become_flow_bins() -> None:
    """What is below the first and above the last edge is in the flow bins of the histogram."""
    pytest.importorskip("hist")
    report = gv.validate(events(1), events(2), n_required=500, n_train=90, observables=["x"], bins={"x": [1, 2, 3, 4]})
    made = gv.systematics(report).to_hist()
    np.testing.assert_allclose(made.axes[0].edges, [1, 2, 3, 4])
    x = events(1)["x"]
    np.testing.assert_allclose(made.values(flow=True)[[0, -1]], [(x < 1).sum(), (x >= 4).sum()])


@given(
    contents=st.lists(st.floats(1, 1e6), min_size=2, max_size=12),
    outside=st.floats(0, 1e6),
    n_sys=st.floats(1e-3, 1e9),
    normalised=st.booleans(),
)
def test_modifiers_make_the_covariance(
    contents: list[float], outside: float, n_sys: float, *, normalised: bool
) -> None:
    """The variations add up to the covariance of the inherited errors, with what is outside in the total."""
    h, total = np.array(contents), sum(contents) + outside
    made = gv.inherited_modifiers(h, n_sys, outside=outside, normalised=normalised)
    resolved = h * n_sys >= total
    if not resolved.all():
        assert all(min(*each["data"]["hi_data"], *each["data"]["lo_data"]) >= 0 for each in made)
        return
    expected = (total * np.diag(h) - normalised * np.outer(h, h)) / n_sys
    np.testing.assert_allclose(covariance_of(made, h), expected, atol=1e-9 * expected.max())
    assert len({each["name"] for each in made}) == len(made) <= h.size
    for each in made:
        np.testing.assert_allclose(np.add(each["data"]["hi_data"], each["data"]["lo_data"]), 2 * h, rtol=1e-9)


def test_contents_of_one_event() -> None:
    """Contents whose errors are as large as they are not taken for errors."""
    made = gv.inherited_modifiers([1.0, 1.000001, 1.000002], 3, normalised=False)
    assert len(made) == 3


def test_the_total_is_fixed_or_not() -> None:
    """With the total known the variations move events between bins; events of the channel may leave it."""
    h = np.array([10.0, 30, 60])
    for made, fixed in ((gv.inherited_modifiers(h, 50), True), (gv.inherited_modifiers(h, 50, outside=100), False)):
        variance = sum(sum(np.subtract(each["data"]["hi_data"], h)) ** 2 for each in made)
        assert variance == pytest.approx(0 if fixed else 200**2 * 0.5 * 0.5 / 50, abs=1e-9)


def test_no_error_no_modifier() -> None:
    """A perfect generator leaves none, and an impossible content outside is refused."""
    assert gv.inherited_modifiers([1.0, 2.0], math.inf) == []
    with pytest.raises(gv.InputError, match=r"outside=-1.0 is out of range"):
        gv.inherited_modifiers([1.0, 2.0], 10, outside=-1.0)


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
def test_pyhf_validates_the_patch() -> None:
    """The patch is one by pyhf's schema, and the patched workspace is valid, with the errors as its own."""
    pyhf: Any = pytest.importorskip("pyhf")
    jsonpatch: Any = pytest.importorskip("jsonpatch")
    kept = gv.systematics(COMPARISON)
    given_ = workspace((CONTENTS * 2.0).tolist())
    before = copy.deepcopy(given_)
    patch = kept.patch(given_, channel="SR", sample="background1")
    assert given_ == before
    pyhf.schema.validate(patch, "jsonpatch.json")
    model = pyhf.Workspace(jsonpatch.apply_patch(given_, patch)).model()
    names = [name for name in model.config.par_order if name.startswith("ganvalid_mass_")]
    assert len(names) == CONTENTS.size - 1
    nominal = np.array(model.config.suggested_init())
    nominal[model.config.poi_index] = 0.0
    shift = np.zeros((len(names), CONTENTS.size))
    for row, name in enumerate(names):
        up = nominal.copy()
        up[model.config.par_slice(name)] = 1.0
        shift[row] = model.expected_actualdata(up) - model.expected_actualdata(nominal)
    expected = gv.bin_uncertainties(gv.Counts(CONTENTS * 2), COMPARISON).inherited_covariance()
    np.testing.assert_allclose(shift.T @ shift, expected, atol=1e-9 * expected.max())


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
def test_pyhf_fits_the_errors() -> None:
    """The error of a fitted signal is that of generalised least squares, the total known or not."""
    pyhf: Any = pytest.importorskip("pyhf")
    jsonpatch: Any = pytest.importorskip("jsonpatch")
    background = CONTENTS * 10.0
    given_ = workspace(background.tolist())
    signal = np.array(given_["channels"][0]["samples"][0]["data"])

    def error(spec: dict[str, Any], mu: float) -> float:
        """How far the signal is off for the likelihood ratio to rise by one, from its rise at ``mu``."""
        fitted = pyhf.Workspace(spec)
        model, data = fitted.model(), fitted.data(fitted.model())
        bounds = model.config.suggested_bounds()
        bounds[model.config.poi_index] = (-200, 200)
        options = {"par_bounds": bounds, "return_fitted_val": True}
        best = float(pyhf.infer.mle.fit(data, model, **options)[1])
        rise = float(pyhf.infer.mle.fixed_poi_fit(mu, data, model, **options)[1]) - best
        return mu / math.sqrt(rise)

    def expected(covariance: NDArray[np.float64]) -> float:
        return float(1 / math.sqrt(signal @ np.linalg.solve(covariance, signal)))

    statistical = np.diag(background)
    assert error(given_, 1.0) == pytest.approx(expected(statistical), rel=0.03)
    for normalised, growth in ((True, 1.2), (False, 5.0)):
        kept = gv.systematics(COMPARISON, normalised=normalised)
        patched = jsonpatch.apply_patch(given_, kept.patch(given_, channel="SR", sample="background1"))
        errors = gv.bin_uncertainties(gv.Counts(background), COMPARISON, normalised=normalised)
        least_squares = expected(statistical + errors.inherited_covariance())
        assert error(patched, least_squares / 2) == pytest.approx(least_squares, rel=0.03)
        assert least_squares > growth * expected(statistical)


def test_flow_bins_are_outside_of_the_channel() -> None:
    """A channel has no flow bins: what the histogram holds there counts in the total, and the channel is a part."""
    edges = [-math.inf, 1, 2, 3, math.inf]
    kept = gv.systematics(COMPARISON, gv.Counts([100, 200, 300, 400], edges=edges))
    given_ = workspace([400.0, 600.0])
    patch = kept.patch(given_, channel=0, sample="background1")
    modifiers = [operation["value"] for operation in patch if operation["op"] == "add"]
    expected = gv.inherited_modifiers([400.0, 600.0], kept.n_sys, name="ganvalid_mass", outside=1_000.0)
    assert modifiers == expected
    assert len(modifiers) == 2
    with pytest.raises(gv.InputError, match="the sample has 3 bins, and the histogram 2 of 4 without flow bins"):
        kept.patch(workspace([1.0, 2.0, 3.0]), sample="background1")


def test_a_patch_finds_its_sample() -> None:
    """Names and positions lead to a sample, the patch tests the names, and what is not there is an error."""
    kept, given_ = gv.systematics(COMPARISON), workspace(CONTENTS.tolist(), CONTENTS.tolist())
    patch = kept.patch(given_, channel="SR", sample="background2")
    assert patch[:2] == [
        {"op": "test", "path": "/channels/0/name", "value": "SR"},
        {"op": "test", "path": "/channels/0/samples/2/name", "value": "background2"},
    ]
    assert patch == kept.patch(given_, sample=2)
    assert {operation["path"] for operation in patch[2:]} == {"/channels/0/samples/2/modifiers/-"}
    with pytest.raises(gv.InputError, match="the workspace has no channel 'CR'; expected one of 'SR'"):
        kept.patch(given_, channel="CR")
    with pytest.raises(gv.InputError, match="channel 'SR' has no sample 3; expected one of 'signal', 'background1'"):
        kept.patch(given_, sample=3)
    with pytest.raises(gv.InputError, match="channel='SR': without a workspace expected its position"):
        kept.patch(channel="SR")
    for odd in (None, [], ["a"], "12"):
        with pytest.raises(gv.InputError, match=r"the data of sample .odd. are .*; expected a list of numbers"):
            kept.patch({"channels": [{"samples": [{"name": "odd", "data": odd}]}]})
    given_["channels"][0]["samples"][2]["modifiers"] = [patch[2]["value"]]
    with pytest.raises(gv.InputError, match="has the modifier 'ganvalid_mass_0' already"):
        kept.patch(given_, sample=2)
    assert kept.patch(channel=0, sample=1) == kept.patch(workspace(CONTENTS.tolist()), sample=1)[2:]

"""Plots show what was compared, for any number of bins and any name, and leave matplotlib as it was."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.report import plots
from pytest_ganvalid.report.measures import decision
from pytest_ganvalid.results import RATES, Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

matplotlib = pytest.importorskip("matplotlib")

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _comparison(bins: int, *, n_required: float = 10_000, shift: float = 0.0) -> gv.Comparison:
    rng = np.random.default_rng(bins)
    spectrum = 1_000 * np.exp(-3 * np.arange(bins) / bins)
    return gv.compare(
        gv.Counts(rng.poisson(spectrum * (1 + shift))), gv.Counts(rng.poisson(spectrum)), n_required=n_required
    )


def _labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def _settings() -> dict[str, object]:
    keys = set(matplotlib.rcParams) - {"backend"}  # asking for the backend would choose one, and import pyplot
    return {key: matplotlib.rcParams[key] for key in keys}


@pytest.mark.parametrize("bins", [2, 50, 200, 201, 5_000])
def test_any_number_of_bins_renders(bins: int) -> None:
    """A plot is a PNG file, drawn without a warning, be there 2 bins or thousands."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.png("mass", _comparison(bins)).startswith(SIGNATURE)


@pytest.mark.parametrize(
    "name", ["", "$x^$", "<script>", "x" * 300, "two\nlines", "質量 \N{SNOWMAN}", "\0", "lone \ud800", r"\frac{a}{"]
)
def test_any_name_renders(name: str) -> None:
    """No name is understood as a formula, breaks the layout or warns, whether of an observable or of a bin."""
    comparison = _comparison(2)
    worst = replace(comparison.worst_bins[0], label=name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = plots.png(name, replace(comparison, worst_bins=(worst,)))
    assert picture.startswith(SIGNATURE)


def _of_events(observable: object, *, bins: object = 20, **keywords: Any) -> gv.Comparison:
    """Compare what is observed of events with masses, jets, directions and categories."""
    sides = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        pt = rng.exponential(20, 20_000) ** 1.5
        sides.append(
            {
                "mass": rng.normal(91, 3, 20_000),
                "pt": pt,
                "n_jets": rng.poisson(1.2, 20_000),
                "eta": rng.normal(size=20_000) + pt / 500,
                "iso": np.where(rng.random(20_000) < 0.3, 0.0, rng.exponential(1, 20_000)),
            }
        )
    report = gv.validate(*sides, n_required=1_000, observables=[observable], bins=bins, **keywords)
    return gv.Report.from_json(report.to_json()).histograms[next(iter(report.comparisons))]


def _density(figure: Figure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and edges of the filled reference."""
    drawn: Any = figure.axes[0].patches[0]
    stairs = drawn.get_data()
    return np.asarray(stairs.values), np.asarray(stairs.edges)


def test_densities_are_drawn_over_edges_with_units() -> None:
    """A histogram is a density over the edges of its bins, which holds the events between them, in stated units.

    Bins that have one end only are as wide as a twentieth of the others, and have no density.
    """
    c = _of_events("mass", bins=[86.0, 90.0, 91.0, 97.0], units={"mass": "GeV"})
    figure = plots.draw("mass", c)
    values, edges = _density(figure)
    np.testing.assert_allclose(edges, [85.45, 86, 90, 91, 97, 97.55])
    np.testing.assert_allclose((values * np.diff(edges))[1:-1], c.contents.reference[1:-1])
    assert np.isnan(values[[0, -1]]).all()
    shares = [side[i] for i in (0, -1) for side in (c.contents.reference, c.contents.generated)]
    drawn = [text.get_text() for text in figure.axes[0].texts if text.get_rotation()]
    assert drawn == [f"{100 * share:.3g} %" for share in shares]
    assert plots.OPEN in _labels(figure.axes[0])
    assert figure.axes[0].get_ylabel() == "1/N dN/d(mass) [1/GeV]"
    assert figure.axes[2].get_xlabel().startswith(f"mass [GeV]  ({c.bins} bins")


def test_whole_numbers_are_drawn_around_themselves() -> None:
    """The bin of a whole number reaches from half below to half above, also at an end that joins an open bin."""
    figure = plots.draw("n_jets", _of_events("n_jets"))
    _, edges = _density(figure)
    assert edges[0] == -0.5
    assert np.all(np.mod(edges - 0.5, 1) == 0)


def test_falling_spectra_are_on_a_logarithmic_axis() -> None:
    """A positive column over decades has a logarithmic axis below, on which open bins have a place."""
    figure = plots.draw("pt", _of_events("pt"))
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
    _, edges = _density(figure)
    assert edges[0] > 0
    assert plots.draw("mass", _of_events("mass")).axes[0].get_xscale() == "linear"


def test_a_single_value_has_no_density() -> None:
    """How many events have a single value, or none of the values that are binned, is written and not drawn."""
    for c, words in (
        (_of_events("iso"), " at 0"),
        (_of_events(Selection("mass", lambda events: events["pt"] > 20, "hard")), " outside the selection"),
    ):
        figure = plots.draw("x", c)
        values, _ = _density(figure)
        (position,) = set(np.flatnonzero(np.isnan(values))) - set(plots.Scale.of(c).open)
        share = 100 * c.contents.reference[int(position)]
        (text,) = [text.get_text() for text in figure.axes[0].texts if not text.get_rotation()]
        assert text.startswith(f"{share:.3g} % and ")
        assert text.endswith(f"{words} ")


def test_every_bin_is_drawn_where_it_is() -> None:
    """Contents of bins that no quantiles bound, beyond a value that is repeated at an end, are drawn in their place."""
    sides = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        x = rng.exponential(1, 20_000)
        sides.append({"x": np.where(x < 0.3, 0.0, np.where(x > 2, 2.0, x)) - (rng.random(20_000) < 0.05)})
    c = gv.validate(*sides, n_required=1_000, observables=["x"], bins=20).histograms["x"]
    scale = plots.Scale.of(c)
    filled, _ = np.histogram(sides[1]["x"], [-np.inf, *scale.edges[1:-1], np.inf])
    drawn = plots.Bins.to_draw(c).reference
    np.testing.assert_allclose(drawn, filled / 20_000)


def test_categories_are_named() -> None:
    """The bins of categories have their names below them."""
    hist = pytest.importorskip("hist")
    sides = [hist.Hist.new.StrCat(["ee", "mumu"], label="channel").Double() for _ in range(2)]
    for side in sides:
        side.fill(["ee"] * 900 + ["mumu"] * 1_100)
    bottom = plots.draw("channel", gv.compare(sides[0], sides[1], n_required=50)).axes[2]
    assert [label.get_text() for label in bottom.get_xticklabels()][:2] == ["ee", "mumu"]
    assert bottom.get_xlabel() == "channel"


@pytest.mark.parametrize("bins", [49, ([0.0, 20.0, 100.0], [-1.0, 0.0, 1.0])])
def test_pairs_are_a_map(bins: object) -> None:
    """A pair of columns is a map of its cells, which cover the plane once, with marginals of all events."""
    c = _of_events(("pt", "eta"), bins=bins, units={"pt": "GeV"})
    cells = plots.map_of(c)
    assert cells is not None
    left, right, bottom, top = cells.corners
    area = (right.max() - left.min()) * (top.max() - bottom.min())
    assert np.sum((right - left) * (top - bottom)) == pytest.approx(area)
    assert sum(cells.reference) == pytest.approx(1)
    figure = plots.draw("pt:eta", c)
    assert figure.axes[0].get_xlabel().startswith("pt [GeV]  (")
    assert figure.axes[0].get_ylabel() == "eta"
    for axes, closed in zip(figure.axes[1:3], cells.closed, strict=True):
        drawn: Any = axes.patches[0]
        stairs = drawn.get_data()
        assert (stairs.edges[0], stairs.edges[-1]) == closed
        shares = [float(text.get_text()) / 100 for text in axes.texts]  # of both samples, below and above
        assert np.sum(stairs.values * np.diff(stairs.edges)) + shares[0] + shares[2] == pytest.approx(1, abs=2e-3)


def test_a_correlated_pair_has_marginals_of_all_edges() -> None:
    """Where the slabs of a pair have few edges in common, the marginal goes from the first to the last of any."""
    rng = np.random.default_rng(1)
    sides = []
    for _ in range(2):
        x = rng.normal(size=20_000)
        sides.append({"x": x, "y": x + 0.05 * rng.normal(size=20_000)})
    report = gv.validate(*sides, n_required=1_000, observables=[("x", "y")], bins=49)
    c = report.histograms["x:y"]
    cells = plots.map_of(c)
    assert cells is not None
    rows = c.axes[1:]
    assert max(row.edges[0] for row in rows) > min(row.edges[-1] for row in rows)
    assert cells.closed[1] == (min(row.edges[0] for row in rows), max(row.edges[-1] for row in rows))
    assert cells.open_rim
    assert plots.png("x:y", c).startswith(SIGNATURE)


def test_regions_are_marked() -> None:
    """The largest ROBUST region has a green strip from its first to its last edge, and the BIASED ones red ones."""
    rng = np.random.default_rng(1)
    edges = np.linspace(0, 100, 51)
    wrong = np.full(50, 10_000.0)
    wrong[40:42] *= [1.5, 0.5]
    sides = [gv.Counts(rng.poisson(mean), edges=edges) for mean in (wrong, np.full(50, 2_000.0))]
    c = gv.compare(*sides, n_required=10_000, name="pt", units={"pt": "GeV"})
    assert c.robust_region is not None
    bottom = plots.draw("pt", c).axes[2]
    patches: list[Any] = list(bottom.patches)
    strips = [patch for patch in patches if 0 < patch.get_bbox().height < 0.1]
    assert strips[-1].get_x() == pytest.approx(0)
    high = strips[-1].get_x() + strips[-1].get_width()
    assert c.robust_region.label == f"[0, {high:g})"
    assert high <= 80
    assert len(strips) == 1 + len(c.biased_regions) >= 2
    assert {"BIASED by itself", f"ROBUST: [0, {high:g}) GeV"} <= set(_labels(bottom))
    unmarked = plots.draw("pt", replace(c, regions=())).axes[2]
    assert not any(word in label for label in _labels(unmarked) for word in ("ROBUST", "BIASED"))


def test_regions_of_a_map_have_edges() -> None:
    """On the map of a pair the cells of the largest ROBUST region are drawn a second time, with green edges."""
    c = _of_events(("pt", "eta"), bins=49)
    region = Region(
        label="< 20",
        first=0,
        last=13,
        share=0.3,
        generated_share=0.3,
        n_required=300,
        n_equivalent=500,
        verdict=gv.Verdict.ROBUST,
    )
    marked, plain = (plots.draw("pt:eta", replace(c, regions=some)).axes[0] for some in ((region,), ()))
    assert len(marked.collections) == len(plain.collections) + 1
    assert len(marked.collections[1].get_paths()) == 14
    assert "ROBUST by itself" in _labels(marked)


def test_a_title_gives_the_reason_where_no_test_decides() -> None:
    """Of what cannot be decided the title has the head of the first reason, in two lines."""
    c = gv.compare(gv.Counts([3, 2, 0]), gv.Counts([1, 2, 1]), n_required=3_000)
    _, *lines = plots.draw("m", replace(c, reasons=("word " * 60,))).get_suptitle().split("\n")
    assert [line.split()[0] for line in lines] == ["word", "word"]
    assert lines[1].endswith(" …")


def test_panels_are_as_wide_whatever_their_legends_and_names() -> None:
    """Neither a long legend nor a long name of a column narrows the panels, and all of it is on the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    rng = np.random.default_rng(1)
    edges, wrong = np.linspace(0, 100, 51), np.full(50, 10_000.0)
    wrong[40:42] *= [1.9, 0.3]
    name = "reconstructed_dimuon_invariant_mass_of_the_leading_pair"
    sides = [gv.Counts(rng.poisson(mean), edges=edges) for mean in (wrong, np.full(50, 2_000.0))]
    c = gv.compare(*sides, n_required=10_000, name=name, units={name: "GeV"})
    figure = plots.draw(name, c)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.bbox.size
    assert len(_labels(figure.axes[2])) == 5
    for axes in figure.axes:
        assert axes.get_position().width > 0.75
        legend = axes.get_legend()
        assert legend is not None
        for part in (legend, axes.xaxis.label, axes.yaxis.label):
            box = part.get_window_extent(canvas.get_renderer())
            assert 0 <= box.x0 <= box.x1 <= width
            assert 0 <= box.y0 <= box.y1 <= height
    top = figure.axes[0]
    assert top.yaxis.label.get_window_extent().height <= top.get_window_extent().height


def test_open_bins_at_quantiles_are_no_spikes() -> None:
    """Where bins were cut at quantiles, those at the ends have no density, be they joined to a neighbour or not."""
    c = _of_events("mass", bins=50, units={"mass": "GeV"})
    scale = plots.Scale.of(c)
    assert scale.open == (0, c.bins - 1)
    values, _ = _density(plots.draw("mass", c))
    assert np.isnan(values[[0, -1]]).all()
    assert values[1] < values[3]
    assert values[-2] < values[-4]


def test_narrow_bins_of_a_logarithmic_axis_are_no_points() -> None:
    """On a logarithmic axis a bin that is narrow beside the whole range has its width, and its density."""
    c = _of_events("pt", bins=50)
    scale = plots.Scale.of(c)
    assert scale.logarithmic
    assert scale.open == (0, c.bins - 1)
    assert np.diff(scale.edges).min() < 2e-4 * np.ptp(scale.edges)
    assert np.flatnonzero(np.isnan(plots.Bins.to_draw(c).widths)).tolist() == [0, c.bins - 1]


def test_a_regular_bin_keeps_its_density_beside_an_empty_open_one() -> None:
    """An empty underflow that is joined to the first of regular bins takes no density from it."""
    c = _of_events("pt", bins=np.linspace(0, 200, 21))
    assert plots.Scale.of(c).open == (c.bins - 1,)
    values, edges = _density(plots.draw("pt", c))
    assert edges[0] == 0
    assert values[0] == pytest.approx(c.contents.reference[0] / (edges[1] - edges[0]))


def test_strata_are_named() -> None:
    """The bins of a rate per stratum have the names of the strata below them, however many these are."""
    rng = np.random.default_rng(3)
    sides = [{"x": rng.normal(size=8_000), "eta": rng.normal(size=8_000)} for _ in range(2)]
    for by, names in (("eta", None), (("eta", [0.0]), ["< 0", ">= 0"])):
        report = gv.validate(*sides, n_required=500, observables=["x"], by=by)
        c = report.histograms[f"eta{RATES}"]
        bottom = plots.draw(c.name, c).axes[2]
        strata = [key.removeprefix("x | eta ").removeprefix("in ") for key in report.comparisons if "|" in key]
        assert [label.get_text() for label in bottom.get_xticklabels()] == strata
        assert names in (None, strata)
        assert bottom.get_xlabel() == "eta"


def test_cells_of_a_tree_are_numbered() -> None:
    """The cells of a k-d tree are drawn by their number, and the label says of what they are cells."""
    figure = plots.draw("tree", _of_events(KDTree(("pt", "eta", "mass"))))
    assert figure.axes[2].get_xlabel() == "bin number (20 bins, cells of pt, eta, mass)"


def test_negative_contents_render() -> None:
    """Weights may make contents negative and spread them over orders of magnitude: all are drawn."""
    sums = gv.Counts([50_000.0, 500.0, 50.0, -20.0], [50_000.0, 500.0, 50.0, 200.0])
    truth = gv.Counts([50_000, 500, 50, 200])
    axes = plots.draw("pt", gv.compare(sums, truth, n_required=1_000)).axes[0]
    assert axes.get_yscale() == "symlog"
    assert axes.get_ylim()[0] < 0


def test_orders_of_magnitude_make_the_axis_logarithmic() -> None:
    """A falling spectrum is drawn on a logarithmic axis, a flat one is not, and no content is cut off."""
    falling = np.array([100_000, 10_000, 1_000, 100])
    flat = np.array([1_000, 1_010, 990, 1_000])
    steep = plots.draw("pt", gv.compare(gv.Counts(falling), gv.Counts(falling + 30), n_required=100)).axes[0]
    assert steep.get_yscale() == "log"
    assert steep.get_ylim()[0] < 100 / falling.sum()
    assert (
        plots.draw("eta", gv.compare(gv.Counts(flat), gv.Counts(flat + 3), n_required=100)).axes[0].get_yscale()
        == "linear"
    )


def test_only_few_bins_have_markers() -> None:
    """Up to 200 bins every bin has a marker; beyond, markers would hide the histogram."""
    for bins, marker in ((200, "o"), (201, "None")):
        axes = plots.draw("mass", _comparison(bins)).axes[0]
        assert {line.get_marker() for line in axes.lines if line.get_marker() != "None"} == ({marker} - {"None"})


def test_title_and_worst_bin_say_what_was_found() -> None:
    """The title names observable, verdict and n_required; the worst bin is labelled."""
    comparison = _comparison(50)
    figure = plots.draw("mass", comparison)
    first, second = figure.get_suptitle().split("\n")
    assert first == f"mass: {comparison.verdict} at n_required 10,000"
    assert second == decision(comparison) != ""
    labels = _labels(figure.axes[2])
    assert any(label.startswith(f"worst: {comparison.worst_bins[0].label}, ") for label in labels)


def test_limit_is_drawn_where_it_is_in_view() -> None:
    """Lines at the limit on one bin appear if biases come near it, and only then."""
    near, far = _comparison(50, n_required=10_000_000), _comparison(50, n_required=100)
    for comparison, seen in ((near, True), (far, False), (replace(near, max_local_bias=float("inf")), False)):
        assert ("limit" in _labels(plots.draw("m", comparison).axes[2])) is seen


def test_thinning_keeps_the_extremes() -> None:
    """Of 20,000 bins few are drawn, the worst and the fullest among them, and the title says so."""
    comparison = _comparison(20_000)
    bins = plots.Bins.to_draw(comparison)
    assert bins.positions.size <= plots.MAX_DRAWN
    for drawn, given in ((bins.bias, comparison.contents.bias), (bins.generated, comparison.contents.generated)):
        assert drawn.min() == min(given)
        assert drawn.max() == max(given)
    assert f"drawn: {bins.positions.size:,} of {comparison.bins:,} bins" in plots.draw("m", comparison).get_suptitle()


def test_every_run_keeps_its_own_extremes() -> None:
    """Thinning loses no local extreme: each run of neighbours gives its least and its largest value."""
    values = np.random.default_rng(0).normal(size=1_003)
    at = plots.extremes([values], 10)
    borders = np.linspace(0, values.size, 11).astype(int)
    for start, stop in pairwise(borders):
        inside = values[at[(at >= start) & (at < stop)]]
        assert inside.min() == values[start:stop].min()
        assert inside.max() == values[start:stop].max()


def test_error_bars_of_the_bias() -> None:
    """The error of a local bias is that of q - p in error bars of n_required events."""
    bins = plots.Bins.to_draw(gv.compare(gv.Counts([4_000, 6_000]), gv.Counts([5_000, 5_000]), n_required=1_000))
    sigma = np.hypot(np.sqrt(4_000) / 10_000, np.sqrt(5_000) / 10_000)
    assert bins.bias_errors[0] == pytest.approx(sigma * np.sqrt(2 * 1_000 / 0.9))


@pytest.mark.parametrize("generated", [91.2034, 91.25, 91.15, 1e6])
def test_two_numbers_render(generated: float) -> None:
    """The picture of two numbers has both with their errors and the limits, on the side of the bias, all in view."""
    c = compare_estimates((generated, 0.0025, 1e6), (91.2021, 0.0026, 1e6), n_required=50_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.png("$peak^", c).startswith(SIGNATURE)
    figure = plots.draw("peak", c)
    (axes,) = figure.axes
    assert figure.get_suptitle() == f"peak: {c.verdict} at n_required 50,000\n{decision(c)}"
    assert "91.2021 ± 0.0026" in [text.get_text() for text in axes.texts]
    at = c.difference / c.required_error
    left, right = axes.get_xlim()
    assert left < -c.max_bias < c.max_bias < right
    assert left < at < right
    drawn = [np.asarray(line.get_xdata()) for line in axes.lines]
    limits = np.sign(at) * np.array([c.bias.lower, c.bias.upper])
    assert any(x.shape == (2,) and np.allclose(x, limits) for x in drawn)


def test_style_of_the_user_neither_leaks_in_nor_changes() -> None:
    """The picture is the same under any matplotlib settings, which are afterwards as before."""
    comparison = _comparison(2)
    plain = plots.png("mass", comparison)
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "figure.dpi": 20, "axes.facecolor": "red"}):
        before = _settings()
        assert plots.png("mass", comparison) == plain
        assert _settings() == before


def test_pyplot_is_never_imported() -> None:
    """Drawing needs no pyplot, whose figures and backend belong to the tests."""
    code = (
        "import sys, pytest_ganvalid as gv; from pytest_ganvalid.report import plots; "
        "plots.png('m', gv.compare(gv.Counts([900, 1100]), gv.Counts([1000, 1000]), n_required=10)); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the error names the feature, the package and the command."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        MissingExtraError, match=r"a plot needs .*'matplotlib'.*pip install \"pytest-ganvalid\[report\]\""
    ):
        plots.png("mass", _comparison(2))

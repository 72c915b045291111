"""Figure 1: its numbers are the curves of what was measured, and its pictures show all of them."""

from __future__ import annotations

import csv
import math
import sys
import warnings
from dataclasses import replace
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import figure as figures
from pytest_ganvalid.report.figure import CURVES, PICTURES, Point, UncertaintyFigure, figure_of

COUNTS = {"good": [9700, 20300, 30000], "bad": [11500, 19000, 29500]}
COMPARISONS = {
    name: gv.compare(gv.Counts(counts), gv.Counts([9800, 20000, 30200]), n_required=5_000, n_train=900, name=name)
    for name, counts in COUNTS.items()
}
REPORT = gv.combine(COMPARISONS)
POINTS = (
    Point(kind="simulated", components=None, n_events=2_000.0, uncertainty=0.04, error=0.003, samples=10),
    Point(kind="generated", components=None, n_events=2_000.0, uncertainty=0.09, error=0.004, samples=10),
    Point(kind="generated", components=9, n_events=2_000.0, uncertainty=0.07, error=0.004, samples=10),
)
SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF-"}


def labels(figure: UncertaintyFigure) -> list[str]:
    """What the legend says."""
    return [text.get_text() for text in figures.draw(figure).legends[0].get_texts()]


def test_numbers_are_the_curves() -> None:
    """A figure holds `uncertainty_curves` of the weakest observable, in an average bin; n_required is a point."""
    figure = figure_of(REPORT, systematic=0.01)
    worst = COMPARISONS["bad"]
    curves = gv.uncertainty_curves(figure.n_events, n_equivalent=worst, systematic=0.01, probability=1 / 3)
    for name in CURVES:
        assert getattr(figure, name) == pytest.approx(getattr(curves, name).tolist())
    assert (figure.title, figure.n_equivalent, figure.probability) == ("bad", worst.n_equivalent, 1 / 3)
    assert (figure.n_train, figure.n_star, figure.n_required) == (900, 900, 5_000)
    assert {900.0, 5_000.0} <= set(figure.n_events)
    assert figure.at_required("statistical") == pytest.approx(math.sqrt(3 / 5_000))
    assert figure.n_events[0] <= worst.n_equivalent.lower / 10
    assert figure.n_events[-1] >= 10 * 5_000


def test_an_observable_can_be_chosen() -> None:
    """Any comparison of a report can be drawn; an unknown one is refused with those that there are."""
    assert figure_of(REPORT, observable="good").n_equivalent == COMPARISONS["good"].n_equivalent
    assert figure_of(COMPARISONS["good"], n_required=70_000, title="a title").title == "a title"
    with pytest.raises(gv.InputError, match=r"no observable 'pt'; there are \['bad', 'good'\]"):
        figure_of(REPORT, observable="pt")


def test_the_test_that_limits_is_named() -> None:
    """Where nine smooth components are what a generator is worth least in, the figure says so."""
    tilted = [10_000 + 60 * i for i in range(-20, 20)]
    comparison = gv.compare(gv.Counts(tilted), gv.Counts([10_000] * 40), n_required=5_000)
    assert figure_of(comparison).components == 9
    assert figure_of(REPORT).components is None


def test_numbers_survive() -> None:
    """JSON gives an equal figure back, the infinite end of an interval too, and CSV every number of every curve."""
    endless = replace(COMPARISONS["bad"], n_equivalent=gv.Interval(lower=500, estimate=math.inf, upper=math.inf))
    for result in (REPORT, endless):
        figure = figure_of(result, points=POINTS)
        assert UncertaintyFigure.from_json(figure.to_json()) == figure
        header, *rows = csv.reader(figure.to_csv().splitlines())
        assert tuple(header) == CURVES
        assert [tuple(map(float, column)) for column in zip(*rows, strict=True)] == [getattr(figure, n) for n in CURVES]
    with pytest.raises(gv.InputError, match="the curves do not fit together"):
        replace(figure, statistical=figure.statistical[1:])


def test_one_number_per_sample_is_drawn_too() -> None:
    """An estimate has no bins: its uncertainty is relative to that of one event."""
    pair = gv.Estimate(1.0, 0.01, n_events=10_000), gv.Estimate(1.02, 0.01, n_events=10_000)
    figure = figure_of(compare_estimates(*pair, n_required=500, name="mean"))
    assert figure.probability == 1
    assert figure.components is None


@pytest.mark.parametrize("suffix", PICTURES)
def test_pictures_are_files_of_their_kind(suffix: str) -> None:
    """PNG, SVG and PDF are drawn without a warning, and whatever style is set makes no difference."""
    matplotlib: Any = pytest.importorskip("matplotlib")
    figure = figure_of(REPORT, systematic=0.01, points=POINTS, title="質量 $x^$ <b>\N{SNOWMAN}" * 9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = figures.picture(figure, suffix)
    assert picture.startswith(SIGNATURES[suffix])
    if suffix == ".svg":
        with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9}):
            assert figures.picture(figure, suffix) == picture


def test_a_picture_shows_all_that_is_known() -> None:
    """Curves, band, star, n_required and points have a line in the legend each, on two logarithmic axes with units."""
    pytest.importorskip("matplotlib")
    figure = figure_of(REPORT, systematic=0.01, points=POINTS)
    assert set(labels(figure)) == {
        "true simulation, total",
        "true simulation, systematic",
        "statistical, of either kind",
        f"limits of n_equivalent, {figure.n_equivalent.lower:,.0f} to {figure.n_equivalent.upper:,.0f}",
        "generated, total",
        "generated, systematic",
        "inherited from n_train = 900",
        "simulated, against the truth: all bins",
        "generated, against the truth: all bins",
        "generated, against the truth: 9 components",
    }
    axes = figures.draw(figure).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "number of events N, simulated or generated"
    assert axes.get_ylabel() == "relative uncertainty of a bin with 1/3 of the events"
    assert any("n_required 5,000" in text.get_text() for text in axes.texts)
    low, high = axes.get_ylim()
    assert low < min(figure.simulation_total)
    assert high > max(figure.generated_most)


def test_what_is_not_known_is_not_drawn() -> None:
    """Without a systematic uncertainty, n_train and an upper limit, their lines are missing, and nothing fails."""
    pytest.importorskip("matplotlib")
    endless = replace(
        COMPARISONS["bad"],
        n_train=None,
        n_equivalent_nominal=None,
        n_equivalent=gv.Interval(lower=500, estimate=math.inf, upper=math.inf),
    )
    shown = labels(figure_of(endless))
    assert "limits of n_equivalent, 500 to ∞" in shown
    assert not any("systematic" in line or "inherited" in line for line in shown)


@pytest.mark.parametrize("n_required", [5_000, 500_000])
def test_uncertainties_are_in_percent(n_required: int) -> None:
    """However many decades the axis has, all its labels are percentages, and there are several."""
    pytest.importorskip("matplotlib")
    picture = figures.draw(figure_of(COMPARISONS["good"], n_required=n_required))
    picture.draw_without_rendering()
    texts = {label.get_text() for label in picture.axes[0].get_yticklabels(which="both")} - {""}
    assert len(texts) >= 3
    assert all(text.endswith(" %") for text in texts)


def test_series_differ_without_colour() -> None:
    """In print without colours, every line has a style or a width of its own, and every series of points a shape."""
    pytest.importorskip("matplotlib")
    axes = figures.draw(figure_of(REPORT, systematic=0.01, points=POINTS)).axes[0]
    drawn: list[Any] = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    styles = [(line.get_linestyle(), line.get_linewidth(), line.get_ydata()[0]) for line in drawn]
    assert len(set(styles)) == len(styles)
    series: list[Any] = list(axes.containers)
    shapes = [container.lines[0].get_marker() for container in series]
    assert len(set(shapes)) == len(shapes) == 3


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib there are numbers, and a picture says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    figure = figure_of(REPORT)
    assert figure.to_csv()
    with pytest.raises(MissingExtraError, match=r"pytest-ganvalid\[report\]"):
        figures.picture(figure, ".png")

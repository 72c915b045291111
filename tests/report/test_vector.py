"""SVG plots show what they are of, in any size and of anything called anything."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import vector
from pytest_ganvalid.report.figure import figure_of
from pytest_ganvalid.results import Axis, Region

NUMBER = compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000)
CLASSES = {"line", "fill", "band", "axis", "generated", "reference", "limit", "worst", "worse", "ink", "star", "cell"}
CLASSES |= {"thin", "thick", "thumb", "plot", "strip", "robust", "biased", "within"}
CLASSES |= {"hatch", "paper", "share", "beyond", "halo", "ring", "key"}


def _comparison(bins: int = 20, *, seed: int = 1, axis: Axis | None = None) -> gv.Comparison:
    rng = np.random.default_rng(seed)
    counts = [gv.Counts(rng.poisson(200, bins), edges=list(range(bins + 1))) for _ in range(2)]
    comparison = gv.compare(*counts, n_required=bins * 20, n_train=500)
    return comparison if axis is None else replace(comparison, axes=(axis,))


def _pair() -> gv.Comparison:
    sides = [np.random.default_rng(seed).normal(size=(5_000, 2)) for seed in (1, 2)]
    events = [{"x": side[:, 0], "y": side[:, 1]} for side in sides]
    (comparison,) = gv.validate(*events, n_required=500, observables=[("x", "y")]).histograms.values()
    return comparison


def _drawn(svg: str) -> list[ET.Element]:
    """The parts of a picture; checks that it is well-formed, of known classes and in its box."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert (root.attrib["role"], bool(root.attrib["aria-label"])) == ("img", True)
    for part in root.iter():
        assert set(part.get("class", "").split()) <= CLASSES
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert -5 <= float(part.get(name, 0)) <= most + 5
        for number in re.findall(r"-?[\d.]+|nan|inf", part.get("d", "")):
            assert math.isfinite(float(number))
            assert -10 <= float(number) <= max(width, height) + 10
    return list(root)


def _words(parts: list[ET.Element]) -> list[str]:
    """All texts of a picture."""
    return [part.text or "" for part in parts if part.tag == "text"]


def _steps(parts: list[ET.Element], kind: str) -> int:
    """Number of bins that are drawn as steps, in all panels."""
    return sum(part.get("d", "").count("H") for part in parts if part.get("class") == kind)


def test_every_bin_is_drawn() -> None:
    """Contents, ratio and local bias have a step for each bin, and the index has too."""
    comparison = _comparison(20)
    parts = _drawn(vector.plot("x", comparison))
    assert _steps(parts, "line generated") == 3 * comparison.bins
    assert _steps(parts, "fill reference") == comparison.bins
    assert _steps(_drawn(vector.thumbnail("x", comparison)), "fill generated") == comparison.bins


@pytest.mark.parametrize("bins", [vector.MAX_BINS, vector.MAX_BINS + 1, 5_000])
def test_many_bins_stay_small(bins: int) -> None:
    """Of very many bins the extremes are drawn, the worst among them, and the picture does not grow."""
    comparison = _comparison(bins)
    svg = vector.plot("x", comparison)
    _drawn(svg)
    assert len(svg) < 100_000
    small = _drawn(vector.thumbnail("x", comparison))
    assert _steps(small, "fill generated") <= 120


def test_the_worst_bin_is_where_it_is() -> None:
    """The circle is around the bin of the largest local bias, and the picture says which it is."""
    content = [1_000.0] * 10
    generated = [*content[:7], 1_300.0, *content[8:]]
    edges = list(range(11))
    comparison = gv.compare(gv.Counts(generated, edges=edges), gv.Counts(content, edges=edges), n_required=2_000)
    parts = _drawn(vector.plot("x", comparison))
    circle, key = [part for part in parts if part.get("class") == "worst"]
    axis = vector.Axis(0, 10, 62, 470)
    assert float(circle.attrib["cx"]) == pytest.approx(axis(7.5), abs=0.1)
    assert comparison.worst_bins[0].label in vector.describe("x", comparison)
    assert float(key.attrib["cy"]) > 400  # in the legend
    assert f"worst: {comparison.worst_bins[0].label}, {comparison.worst_bins[0].bias:+.3g}" in _words(parts)


def test_a_pair_is_a_map() -> None:
    """A pair of columns is a map with a rectangle per cell, the worst cell opaque, and the signs in two classes."""
    comparison = _pair()
    parts = _drawn(vector.plot("x:y", comparison))
    cells = [part for part in parts if "cell" in part.get("class", "") and float(part.attrib["y"]) < 350]
    assert len(cells) == len(comparison.contents.bias)
    assert {part.get("class") for part in cells} == {"cell generated", "cell worse"}
    worst = int(np.argmax(np.abs(comparison.contents.bias)))
    assert "fill-opacity" not in cells[worst].attrib or float(cells[worst].attrib["fill-opacity"]) > 0.5


def test_a_number_is_drawn() -> None:
    """Of one number both estimates are told and drawn in error bars of n_required events, the reference at zero."""
    parts = _drawn(vector.plot("peak", NUMBER))
    words = [part.text for part in parts if part.text]
    assert {"91.2500 ± 0.0025", "91.2021 ± 0.0025"} <= set(words)
    circles = [float(part.attrib["cx"]) for part in parts if part.get("class") in {"ink", "generated"}]
    assert circles[0] < circles[1]
    _drawn(vector.thumbnail("peak", NUMBER))


def test_figure_1_has_a_star_at_n_train() -> None:
    """The star lies at n_train on the statistical uncertainty, and the words give its numbers."""
    figure = figure_of(_comparison())
    parts = _drawn(vector.figure1(figure))
    stars = [part.attrib["d"] for part in parts if part.get("class") == "star"]
    x = vector.Axis(figure.n_events[0], figure.n_events[-1], 62, 470, logarithmic=True)
    top = re.match(r"M([\d.]+),", stars[0])
    assert top is not None
    assert float(top[1]) == pytest.approx(x(500), abs=0.2)
    assert "n_train = 500" in vector.describe_figure1(figure)


@given(st.text(max_size=60))
def test_names_are_escaped(name: str) -> None:
    """Whatever an observable or its axis is called, the picture is well-formed and holds no part that it names."""
    comparison = _comparison(5)
    axis = Axis(label=name, unit=name, edges=tuple(float(i) for i in range(6)))
    plain = [part.tag for part in _drawn(vector.plot("x", comparison))]
    named = replace(comparison, axes=(axis,), worst_bins=(replace(comparison.worst_bins[0], label=name),))
    assert [part.tag for part in _drawn(vector.plot(name, named))] == plain
    _drawn(vector.thumbnail(name, named))


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.booleans())
def test_ticks_are_in_view(low: float, width: float, logarithmic: bool) -> None:  # noqa: FBT001
    """Ticks are few, increasing, round and on the axis."""
    if logarithmic:
        low = abs(low) + 1e-6
    high = low + width
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        return
    axis = vector.Axis(low, high, 0.0, 100.0, logarithmic)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(-1 <= axis(tick) <= 101 for tick in ticks)


@pytest.mark.parametrize(
    "axis",
    [
        Axis(label="category", values=tuple("abcdefghijklmnopqrst")),
        Axis(label="pt", unit="GeV", edges=tuple(10.0 ** (i / 4) for i in range(21))),
        Axis(label="x", edges=tuple(float(i) for i in range(19)), underflow=True, overflow=True),
    ],
    ids=["categories", "logarithmic", "open"],
)
def test_all_axes_are_drawn(axis: Axis) -> None:
    """Categories, widths that grow and open bins are drawn, with the title below."""
    parts = _drawn(vector.plot("x", _comparison(20, axis=axis)))
    assert any((part.text or "").startswith(axis.title) for part in parts)


def test_an_empty_side_is_drawn() -> None:
    """Bins that only one sample has, and contents below zero, leave no gap in the picture's numbers."""
    rng = np.random.default_rng(4)
    values = rng.normal(5, 40, 12)
    comparison = gv.compare(gv.Counts(values, np.full(12, 9.0)), gv.Counts(np.full(12, 50.0)), n_required=50)
    _drawn(vector.plot("x", comparison))
    _drawn(vector.thumbnail("x", comparison))


def test_ratios_out_of_view_are_marked() -> None:
    """A ratio beyond the panel has a triangle at its bin that points there, and the legend says what it is."""
    content = np.full(20, 10_000.0)
    generated = content.copy()
    generated[[3, 12]] *= 1.9, 0.2
    edges = list(range(21))
    comparison = gv.compare(gv.Counts(generated, edges=edges), gv.Counts(content, edges=edges), n_required=2_000)
    parts = _drawn(vector.plot("x", comparison))
    marks = [part.attrib["d"] for part in parts if part.get("class") == "beyond"]
    numbers = [[float(number) for number in re.findall(r"[\d.]+", mark)] for mark in marks]
    x = vector.Axis(0, 20, 62, 470)
    up, down, _ = numbers
    assert [mark[3] for mark in (up, down)] == pytest.approx([x(3.5), x(12.5)], abs=0.1)
    assert up[4] < up[1] < down[1] < down[4]  # tips
    assert "out of view" in _words(parts)
    assert "out of view" not in _words(_drawn(vector.plot("x", _comparison(20))))


def test_regions_have_a_legend() -> None:
    """The strips of regions are told in a legend of their colours, and those that are not there are not."""
    region = Region(
        label="[0, 12)",
        first=0,
        last=11,
        share=0.6,
        generated_share=0.6,
        n_required=240,
        n_equivalent=500,
        verdict=gv.Verdict.ROBUST,
    )
    biased = replace(region, label="[12, 20)", first=12, last=19, verdict=gv.Verdict.BIASED)
    for regions, texts in (((region, biased), {"ROBUST: [0, 12)", "BIASED by itself"}), ((), set())):
        parts = _drawn(vector.plot("x", replace(_comparison(20), regions=regions)))
        assert {text for text in _words(parts) if "ROBUST" in text or "BIASED" in text} == texts
        keys = {part.get("class", "").split()[1] for part in parts if part.get("class", "").startswith("key")}
        assert keys == {region.verdict.lower() for region in regions}


def test_open_bins_have_no_height() -> None:
    """A bin with one end only is hatched, and has the shares of both samples instead of a density."""
    axis = Axis(label="x", edges=tuple(float(i) for i in range(19)), underflow=True, overflow=True)
    comparison = _comparison(20, axis=axis)
    parts = _drawn(vector.plot("x", comparison))
    assert _steps(parts, "fill reference") == 18
    assert [part.get("class") for part in parts].count("line hatch") == 3
    contents = comparison.contents
    shares = [side[i] for i in (0, -1) for side in (contents.reference, contents.generated)]
    upright = [part.text for part in parts if part.get("class", "").startswith("share")]
    assert upright == [f"{100 * share:.3g} %" for share in shares]


def test_long_names_of_bins_stand_in_two_rows() -> None:
    """Names that are too long for one row are whole in two."""
    names = tuple(f"a rather long name {i}" for i in range(4))
    parts = _drawn(vector.plot("x", _comparison(4, axis=Axis(label="x", values=names))))
    heights = {part.text: part.attrib["y"] for part in parts if part.text in names}
    assert set(heights) == set(names)
    assert len(set(heights.values())) == 2

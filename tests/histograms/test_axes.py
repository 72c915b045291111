"""Axes of results: what is binned, in which unit, and every bin in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.axes import result_axes
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs, Unlabelled, WithOutside
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells

EDGES = (0.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        (Axis(EDGES), ()),
        (Axis(EDGES, underflow=False), ()),
        (Axis(EDGES, nonfinite="separate"), ("NaN or infinite",)),
        (Axis(categories=("a", "b"), underflow=False), ("a", "b", "overflow")),
    ],
)
def test_every_bin_has_a_place(axis: Axis, names: tuple[str, ...]) -> None:
    """Bins below, between and above the edges and those with names are as many as the axis has."""
    (shown,) = result_axes(Grid((axis,)), ("x",))
    assert (shown.label, shown.unit, shown.edges, shown.values) == ("x", "", axis.edges, names)
    between = max(len(shown.edges) - 1, 0)
    assert between + shown.underflow + shown.overflow + len(shown.values) == axis.size


@pytest.mark.parametrize(
    ("title", "label", "unit"),
    [("m(mumu) [GeV]", "m(mumu)", "GeV"), ("pt", "pt", ""), ("[GeV]", "[GeV]", ""), ("", "column [mm]", "")],
)
def test_units_stand_in_brackets(title: str, label: str, unit: str) -> None:
    """A unit is what stands in brackets after a label; an axis without a title is called by its column."""
    (axis,) = result_axes(Grid((Axis(EDGES, title=title),)), ("column [mm]",))
    if not title:
        label, unit = "column", "mm"
    assert (axis.label, axis.unit) == (label, unit)
    assert axis.title == (f"{label} [{unit}]" if unit else label)


def test_bins_of_several_columns() -> None:
    """A grid has its axes, slabs one more for each slab, a tree its columns, and a selection one bin more."""
    x, y = Axis((0.0,)), Axis(EDGES)
    assert [axis.label for axis in result_axes(Grid((x, y)), ("a", "b"))] == ["a", "b"]
    assert [axis.label for axis in result_axes(Slabs(x, (y, x)), ("a", "b"))] == ["a", "b", "b"]
    assert result_axes(WithOutside(Grid((y,))), ("a",))[0].values == ("outside the selection",)
    assert len(result_axes(WithOutside(Grid((x, y))), ("a", "b"))) == 2
    assert result_axes(Unlabelled((4,)), ("a",))[0].edges == ()
    columns = np.random.default_rng(1).normal(size=(2, 500))
    cells = kdtree_cells(list(columns), None, 4, "error", ("a", "b"))
    assert [(axis.label, axis.edges) for axis in result_axes(cells, ("a", "b"))] == [("a", ()), ("b", ())]


def test_titles_of_other_programs(tmp_path: Path) -> None:
    """Labels of hist, metadata of boost-histogram and titles of ROOT say what is binned; hist's numbers do not."""
    hist = pytest.importorskip("hist")
    boost = pytest.importorskip("boost_histogram")
    uproot = pytest.importorskip("uproot")

    def label(histogram: Any) -> tuple[str, str]:
        comparison = gv.compare(histogram, histogram, n_required=10, name="given")
        return comparison.axes[0].label, comparison.axes[0].unit

    filled = hist.Hist.new.Reg(3, 0, 3, label="mass [GeV]").Double().fill([0.5] * 99 + [1.5] * 99)
    assert label(filled) == ("mass", "GeV")
    with uproot.recreate(tmp_path / "h.root") as file:
        file["h"] = hist.Hist.new.Reg(3, 0, 3, label="pt [MeV]").Double().fill([0.5] * 99 + [1.5] * 99)
    with uproot.open(tmp_path / "h.root") as file:
        assert label(file["h"]) == ("pt", "MeV")
    assert label(hist.Hist.new.Reg(3, 0, 3).Double().fill([0.5] * 99 + [1.5] * 99)) == ("given", "")
    plain = boost.Histogram(boost.axis.Regular(3, 0, 3, metadata="eta"))
    assert label(plain.fill([0.5] * 99 + [1.5] * 99)) == ("eta", "")

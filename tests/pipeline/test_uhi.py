"""What is written is read by others, with the same contents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.pipeline.plan import Content
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.pipeline.uhi import stored

Make = Callable[..., dict[str, Any]]


def described(whole: Histograms) -> dict[str, Any]:
    """The histograms as other programs see them."""
    document: dict[str, Any] = json.loads(whole.to_json())["histograms"]
    return document


@pytest.mark.parametrize("weight", [None, "w"])
def test_others_read_the_same_contents(events: Make, keywords: dict[str, Any], weight: str | None) -> None:
    """Hist reads the same contents and variances from every histogram, and their sums."""
    hist: Any = pytest.importorskip("hist")
    uhi: Any = pytest.importorskip("uhi.io.json")
    serialization: Any = pytest.importorskip("boost_histogram.serialization")
    whole = gv.fill(events(1, 240), weight=weight, **keywords)
    named = described(whole)
    assert list(named) == list(whole.contents)
    for name, data in named.items():
        read = hist.Hist(serialization.from_uhi(json.loads(json.dumps(data), object_hook=uhi.object_hook)))
        sums = whole.contents[name].sums()
        assert read.values(flow=True).size == sums.sumw.size
        np.testing.assert_array_equal(read.values(flow=True).ravel(), sums.sumw)
        np.testing.assert_allclose(read.variances(flow=True).ravel(), sums.sumw2, rtol=1e-15)


@pytest.mark.parametrize("weight", [None, "w"])
def test_the_schema_is_kept(events: Make, keywords: dict[str, Any], weight: str | None) -> None:
    """Every histogram is valid by the schema of UHI."""
    pytest.importorskip("fastjsonschema")
    schema: Any = pytest.importorskip("uhi.schema")
    named = described(gv.fill(events(1, 240), weight=weight, **keywords))
    schema.validate(named)
    for data in named.values():
        schema.validate_histogram(data)


def test_plain_bins_keep_their_edges(events: Make) -> None:
    """An axis with edges is one for others too, with underflow and overflow; what has no word is numbered."""
    whole = gv.fill(
        events(1, 240),
        observables=["x", Selection("y", "ok"), ("x", "y"), "hole", KDTree(("x", "y"))],
        bins={"x": [-1, 0, 1], "y where ok": [0, 1], "x:y": ([0, 1], [0]), "hole": [0, 1], "kdtree": 4},
        nonfinite={"hole": "separate"},
    )
    named = described(whole)
    assert named["x"]["axes"] == [
        {"type": "variable", "edges": [-1.0, 0.0, 1.0], "underflow": True, "overflow": True, "circular": False}
    ]
    for name, bins in (("y where ok", 4), ("hole", 4), ("kdtree", 4)):
        assert named[name]["axes"] == [{"type": "category_int", "categories": list(range(bins)), "flow": False}]
    assert [axis["type"] for axis in named["x:y"]["axes"]] == ["variable", "category_int"]
    assert named["x:y"]["axes"][1]["categories"] == [0, 1]


def test_counts_are_integers_and_others_have_variances(events: Make) -> None:
    """Counts are stored as integers, in their shape; weighted events and those of several entries with variances."""
    plain = gv.fill(events(1, 240), observables=["x", ("x", "y"), "jet"], bins={"x": [0], "x:y": ([0, 1], [0])})
    named = described(plain)
    assert named["x"]["storage"] == {"type": "int", "values": plain.contents["x"].sumw.value.astype(int).tolist()}
    assert np.shape(named["x:y"]["storage"]["values"]) == (4 - 1, 2)
    assert sum(map(sum, named["x:y"]["storage"]["values"])) == 240
    assert all(type(count) is int for count in named["x"]["storage"]["values"])
    assert named["jet"]["storage"]["type"] == "weighted"
    assert named["jet"]["storage"]["variances"] == pytest.approx(plain.contents["jet"].sums().sumw2.tolist())
    assert {name: one["uhi_schema"] for name, one in named.items()} == dict.fromkeys(plain.contents, 1)
    assert {name: one["metadata"] for name, one in named.items()} == {name: {"label": name} for name in plain.contents}
    weighted = described(gv.fill(events(1, 240), observables=["x"], weight="w", bins=[0]))["x"]["storage"]
    assert sorted(weighted) == ["type", "values", "variances"]


GRID = Content.of(Grid((Axis((0.0,)),)), 0, selected=False, correlated=False)
SEVERAL = Content.of(Grid((Axis((0.0,)),)), 0, selected=False, correlated=True)


def document(kind: str, **storage: Any) -> dict[str, Any]:
    """A histogram of one edge."""
    axes = [{"type": "category_int", "categories": [0, 1], "flow": False}]
    return {"uhi_schema": 1, "metadata": {"label": "x"}, "axes": axes, "storage": {"type": kind, **storage}}


def test_what_is_read_is_what_was_written() -> None:
    """Counts come back as one array, and weights as two, within what they can be."""
    (counts,) = stored(Node(document("int", values=[0, 2**53])), GRID, "x", weighted=False)
    assert counts.tolist() == [0, 2**53]
    values, variances = stored(
        Node(document("weighted", values=[-1e110, 1e110], variances=[0.0, 1e200])), GRID, "x", weighted=True
    )
    assert (values.tolist(), variances.tolist()) == ([-1e110, 1e110], [0.0, 1e200])
    values, _ = stored(
        Node(document("weighted", values=[0.0, 7.0], variances=[0.0, 9.0])), SEVERAL, "x", weighted=False
    )
    assert values.tolist() == [0, 7]


@pytest.mark.parametrize(
    ("storage", "content", "weighted", "match"),
    [
        ({"kind": "int", "values": [-1, 0]}, GRID, False, r"values\[0\]: expected an integer from 0"),
        ({"kind": "int", "values": [0, 2**53 + 1]}, GRID, False, r"values\[1\]: expected an integer from 0"),
        ({"kind": "int", "values": [0]}, GRID, False, "values: expected an array of 2"),
        ({"kind": "weighted", "values": [0]}, GRID, False, "expected one of 'int'"),
        ({"kind": "int", "values": [0, 0], "variances": [0, 0]}, GRID, True, "expected one of 'weighted'"),
        ({"kind": "weighted", "values": [0.5, 0], "variances": [0, 0]}, SEVERAL, False, "whole numbers, as events"),
        ({"kind": "weighted", "values": [-1, 0], "variances": [0, 0]}, SEVERAL, False, r"values\[0\]: expected a fin"),
        ({"kind": "weighted", "values": [2e110, 0], "variances": [0, 0]}, GRID, True, r"values\[0\]: expected a fin"),
        ({"kind": "weighted", "values": [0, 0], "variances": [0, -1]}, GRID, True, r"variances\[1\]: expected a fin"),
        ({"kind": "weighted", "values": [0, 0], "variances": [0, 2e200]}, GRID, True, r"variances\[1\]: expected a f"),
    ],
)
def test_contents_beyond_their_range(storage: dict[str, Any], content: Content, weighted: bool, match: str) -> None:  # noqa: FBT001
    """Contents that no histogram can have are refused, by their place."""
    with pytest.raises(InputError, match=match):
        stored(Node(document(**storage)), content, "x", weighted=weighted)

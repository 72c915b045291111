"""The columns that an observable reads are found without reading the events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.observables import Efficiency, Estimator, KDTree, Mean, Quantile, Selection, StandardDeviation
from pytest_ganvalid.observables.needed import needed_columns
from pytest_ganvalid.observables.requested import resolve
from pytest_ganvalid.samples import Entries, Sample

RNG = np.random.default_rng(1)
N = 50


def _sample() -> Sample:
    x, y, z = RNG.normal(size=(3, N))
    counts = RNG.poisson(2, N)
    return Sample(
        {"x": x, "y": y, "z": z, "jet": Entries(RNG.normal(size=int(counts.sum())), counts), "ok": x > 0},
        np.ones(N),
    )


ALL = {"x", "y", "z", "jet", "ok"}


def total(events: Any) -> Any:
    """Add two columns."""
    return events["x"] + events["y"]


def _needed(spec: Any, sample: Sample | None = None) -> set[str]:
    sample = _sample() if sample is None else sample
    (observable,) = resolve([spec], sample, sample)
    return set(needed_columns(observable, sample, sample))


@pytest.mark.parametrize(
    ("spec", "columns"),
    [
        ("x", {"x"}),
        (("x", "z"), {"x", "z"}),
        ("jet", {"jet"}),
        ("leading(jet)", {"jet"}),
        ("count(jet)", {"jet"}),
        (("count(jet)", "x"), {"jet", "x"}),
        (total, {"x", "y"}),
        (("named", total), {"x", "y"}),
        (KDTree(("x", "y", "z")), {"x", "y", "z"}),
        (KDTree(), {"x", "y", "z", "ok"}),
        (Selection("z", "ok"), {"z", "ok"}),
        (Selection(total, lambda events: events["z"] > 0, name="s"), {"x", "y", "z"}),
        (Mean("x"), {"x"}),
        (Mean("leading(jet)"), {"jet"}),
        (StandardDeviation("sum(jet)"), {"jet"}),
        (Quantile(total, 0.5), {"x", "y"}),
        (Efficiency("ok"), {"ok"}),
        (Efficiency(lambda events: events["y"] > 0, name="e"), {"y"}),
        (Estimator("anything", lambda events: float(np.mean(events["x"]))), ALL),
    ],
)
def test_needed(spec: Any, columns: set[str]) -> None:
    """Each kind of observable needs the columns that it is made of, and no other."""
    assert _needed(spec) == columns


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "get": (lambda e: e.columns.get("x"), {"x"}),
    "columns": (lambda e: e.columns["y"], {"y"}),
    "in": (lambda e: e["x"] if "x" in e.columns else e["y"], {"x"}),
    "length": (lambda e: np.zeros(len(e)) + e["x"], {"x"}),
    "shape": (lambda e: np.zeros(e["y"].shape), {"y"}),
    "loop": (lambda e: sum(e[name] for name in e.columns if name in "xyz"), ALL),
    "values": (lambda e: list(e.columns.values())[0], ALL),  # noqa: RUF015
    "last value": (lambda e: [*e.columns.values()][2], ALL),
    "items": (lambda e: dict(e.columns.items())["x"], ALL),
    "keys": (lambda e: e[max(e.columns.keys())], ALL),
    "unpacked": (lambda e: {**e.columns}["z"], ALL),
    "copied": (lambda e: dict(e.columns)["z"], ALL),
    "copy": (lambda e: e.columns.copy()["z"], ALL),
    "merged": (lambda e: (e.columns | {"w": 1})["z"], ALL),
    "merged from the other side": (lambda e: ({"w": 1} | e.columns)["z"], ALL),
    "first events": (lambda e: np.resize(e.first(5)["x"], len(e)), ALL),
    "selected": (lambda e: np.resize(e.select(np.arange(5))["x"], len(e)), ALL),
    "weight": (lambda e: e["x"] * e.weight, {"x"}),
    "entries": (lambda e: e["jet"].map(np.abs), {"jet"}),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions(kind: str) -> None:
    """A function is caught in whichever way it gets at the columns: what it may read is read."""
    function, columns = FUNCTIONS[kind]
    assert _needed((kind, function)) == columns


def test_the_probe_changes_nothing() -> None:
    """A function gets the values that it will get later, and cannot change them for others."""
    sample = _sample()
    before = dict(sample.columns)
    seen: list[Any] = []

    def function(events: Any) -> Any:
        seen.append(events["x"])
        return events["x"]

    _needed(("f", function), sample)
    np.testing.assert_array_equal(seen[0], sample["x"])
    assert dict(sample.columns) == before

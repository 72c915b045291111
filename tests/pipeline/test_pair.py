"""A pair knows what its bins were chosen from, and which values only one of its sides repeats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import Verdict
from pytest_ganvalid.observables import (
    KDTree,
)
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.summary import Histograms

Table = dict[str, Any]
Make = Callable[..., Table]


def test_pairs_say_what_their_bins_were_chosen_from(events: Make, tmp_path: Path) -> None:
    """Bins cut at quantiles of the reference say so on every road, with the share of it; given ones do not."""
    ours, theirs, more = ({name: events(seed, n)[name] for name in "xyn"} for seed, n in ((1, 500), (2, 600), (3, 200)))
    request = Request.parsed(observables=["x", ("x", "y"), KDTree(("x", "y", "n"))], bins={"x": [0.0, 1.0]})
    files = []
    for name, table in (("g", ours), ("r", theirs)):
        np.savez(tmp_path / f"{name}.npz", **table)
        files.append(str(tmp_path / f"{name}.npz"))
    whole = gv.fill(theirs, observables=request.observables, bins=request.bins)
    gen, nothing = gv.fill(ours, like=whole), (None, None)
    expected = {"x": 0.0, "x:y": 1.0, "kdtree": 1.0}
    roads: list[tuple[Any, Any]] = [(ours, theirs), (files[0], files[1]), (files[0], theirs)]
    for one, other in roads:
        pairs = paired(one, other, request, nothing, None).pairs
        assert {pair.name: pair.chosen for pair in pairs} == expected
    halves = [gv.fill({n: v[s] for n, v in theirs.items()}, like=whole) for s in (slice(0, 99), slice(99, None))]
    for reference, share in ((whole, 1.0), (halves[0] + halves[1], 1.0), (whole + gv.fill(more, like=whole), 0.75)):
        for stored in (reference, Histograms.from_json(reference.to_json())):
            pairs = paired(gen, stored, Request.parsed(), nothing, None).pairs
            assert {pair.name: pair.chosen for pair in pairs} == {
                name: chosen * share for name, chosen in expected.items()
            }


@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_one_side_repeats_is_named(side: int, tmp_path: Path) -> None:
    """327 of 100,000 events at one value, where the others are continuous, are BIASED on every road, in words."""
    rng = np.random.default_rng(side)
    tables: list[Table] = [{"x": rng.exponential(size=100_000), "y": rng.normal(size=100_000)} for _ in range(2)]
    tables[side]["x"][rng.choice(100_000, 327, replace=False)] = 0.05
    files = []
    for name, table in zip("gr", tables, strict=True):
        np.savez(tmp_path / f"{name}.npz", **table)
        files.append(str(tmp_path / f"{name}.npz"))
    whole = gv.fill(tables[1], observables=["x"])
    like = gv.Histograms.from_json(gv.fill(tables[0], like=whole).to_json())
    roads: list[tuple[Any, Any]] = [(tables[0], tables[1]), (files[0], files[1]), (like, whole)]
    for ours, theirs in roads:
        found = gv.validate(ours, theirs, n_required=10_000, observables=["x"]).histograms["x"]
        assert found.verdict is Verdict.BIASED
        shares = ["0.327 %", "0 %"][:: 1 - 2 * side]
        assert found.reasons[0].startswith(f"0.05 is the value of {shares[0]} of the generated and of {shares[1]} of")
        assert found.p_biased < 1e-3
        assert gv.validate(ours, theirs, n_required=1_000, observables=["x"]).verdict is Verdict.ROBUST


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, n: rng.exponential(size=n),
        lambda rng, n: rng.poisson(30, n),
        lambda rng, n: rng.poisson(3_000, n),
        lambda rng, n: np.round(rng.exponential(size=n), 3),
        lambda rng, n: np.where(rng.random(n) < 0.3, 0.1, rng.exponential(size=n)),
    ],
    ids=["continuous", "few integers", "many integers", "rounded", "atom"],
)
def test_values_that_both_sides_repeat_are_silent(make: Any) -> None:
    """A right generator is ROBUST whatever its values are, in single precision on either side too."""
    rng = np.random.default_rng(5)
    ours, theirs = ({"x": make(rng, 40_000), "y": rng.normal(size=40_000)} for _ in range(2))
    for dtype in (np.float64, np.float32):
        report = gv.validate({**ours, "x": ours["x"].astype(dtype)}, theirs, n_required=3_000, observables=["x"])
        assert report.verdict is Verdict.ROBUST

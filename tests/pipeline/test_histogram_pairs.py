"""Histograms that are filled already are paired as the events in them would be, and refused where they cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, InputTypeError
from pytest_ganvalid.observables import (
    KDTree,
)
from pytest_ganvalid.pipeline.histogram_pairs import NOT_LOOKED_FOR
from pytest_ganvalid.pipeline.summary import Histograms, added
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]


@pytest.mark.parametrize("weight", [None, "w"])
def test_the_verdict_is_that_on_all_events(events: Make, keywords: dict[str, Any], weight: str | None) -> None:
    """Histograms filled in parts, through JSON, give the comparisons that the events themselves give."""
    ours, theirs = events(4, 600), events(5, 600)
    reference = Histograms.from_json(gv.fill(theirs, weight=weight, **keywords).to_json())
    parts = [("", gv.fill({name: column[i::3] for name, column in ours.items()}, like=reference)) for i in range(3)]
    generated = Histograms.from_json(added(parts).to_json())
    report = gv.validate(generated, reference, n_required=50)
    expected = gv.validate(ours, theirs, n_required=50, weight=weight, **keywords)
    assert report.verdict is expected.verdict
    assert report.notes[0] == NOT_LOOKED_FOR
    assert NOT_LOOKED_FOR not in expected.notes
    if weight is None:
        assert report.comparisons == expected.comparisons
    for name, one in report.comparisons.items():
        other = expected.comparisons[name]
        assert isinstance(one, gv.Comparison)
        assert isinstance(other, gv.Comparison)
        assert (one.bins, one.verdict) == (other.bins, other.verdict)
        assert one.chi2 == pytest.approx(other.chi2, rel=1e-9)
    mixed = gv.validate(ours, reference, n_required=50, weight=(weight, None))
    assert mixed.comparisons == gv.validate(gv.fill(ours, like=reference), reference, n_required=50).comparisons
    flipped = gv.validate(generated, theirs, n_required=50, weight=(None, weight))
    assert flipped.comparisons == report.comparisons


def filled(events: Make, *seeds: int, n: int = 240, **keywords: Any) -> list[Histograms]:
    """Fill samples, all like the first."""
    first = gv.fill(events(seeds[0], n), **keywords)
    return [first, *(gv.fill(events(seed, n), like=first) for seed in seeds[1:])]


def test_sides_that_share_events_are_refused(events: Make) -> None:
    """Events of the reference are no generated ones; nor may the generated events have chosen the bins."""
    reference, generated, third = filled(events, 1, 2, 3, observables=["x"])
    with pytest.raises(InputError, match=r"^memory of the generated and memory of the reference hold the same 240 eve"):
        gv.validate(generated + third, reference + third, n_required=10)
    with pytest.raises(InputError, match=r"the bins were chosen from the generated events \(memory\), which must not"):
        gv.validate(reference, generated, n_required=10)
    with pytest.raises(InputError, match=r"were filled in different ways: 'x': .*ganvalid fill GENERATED --like"):
        gv.validate(gv.fill(events(4, 240), observables=["x"], bins=[0.0]), reference, n_required=10)


def test_bins_of_unknown_events_are_noted(events: Make) -> None:
    """A note says that bins were chosen from events of neither side, unless they were given."""
    first, *sides = filled(events, 1, 2, 3, observables=["x"])
    notes = gv.validate(*sides, n_required=10).notes
    assert any(f"chosen from events of neither side (content {first.origins[0].id[:12]})" in note for note in notes)
    for generated, reference in ((sides[0], first), (sides[0], sides[1] + first)):
        notes = gv.validate(generated, reference, n_required=10).notes
        assert not any("neither side" in note for note in notes)


def test_some_histograms_can_be_chosen(events: Make) -> None:
    """Names choose among the histograms; anything else, or another name, is refused."""
    reference, generated = filled(events, 1, 2, observables=["x", "y"], bins=5)
    report = gv.validate(generated, reference, n_required=10, observables=["y"])
    assert list(report.comparisons) == ["y"]
    assert report.skipped == {"x": "not asked for"}
    assert list(gv.validate(generated, reference, n_required=10, observables="x").comparisons) == ["x"]
    both = gv.validate(generated, reference, n_required=10, observables={"y", "x"})
    assert list(both.comparisons) == ["x", "y"]
    assert both.skipped == {}
    with pytest.raises(InputError, match=r"there is no histogram 'z'; there are \['x', 'y'\]"):
        gv.validate(generated, reference, n_required=10, observables=["z", "x"])
    for wrong in ([np.mean], KDTree(), 3, [("x", np.mean)], [()]):
        with pytest.raises(InputTypeError, match="only names can be chosen"):
            gv.validate(generated, reference, n_required=10, observables=wrong)
    with pytest.raises(InputError, match="no observable to compare"):
        gv.validate(generated, reference, n_required=10, observables=[])


def test_what_is_filled_is_asked_for_as_it_was(events: Make) -> None:
    """The observables and the weight that histograms were filled by ask for them, as they would of events."""
    observables = ["y", ("x", "y")]
    reference, generated = filled(events, 1, 2, observables=observables, bins=5, weight="w")
    stored = gv.validate(generated, reference, n_required=10, observables=observables, weight="w")
    assert list(stored.comparisons) == ["y", "x:y"]
    stored, chosen = (
        gv.validate(sample, reference, n_required=10, observables=[["x", "y"]], weight="w")
        for sample in (generated, events(2, 240))
    )
    assert chosen.comparisons == stored.comparisons
    assert list(chosen.comparisons) == ["x:y"]
    with pytest.raises(InputError, match=r"there is no histogram 'y:x'.*; there are \['x:y', 'y'\]"):
        gv.validate(generated, reference, n_required=10, observables=[("y", "x")])
    with pytest.raises(InputError, match=r"^weight can only be chosen when histograms are filled"):
        gv.validate(generated, reference, n_required=10, weight=("w", "x"))


@pytest.mark.parametrize(
    "stated",
    [
        {"bins": 5},
        {"bins": np.array([0.0, 1.0])},
        {"by": "e"},
        {"seed": 1},
        {"nonfinite": "overflow"},
        {"weight": "w"},
        {"weight": (None, "w")},
        {"memory": 2**25},
        {"client": object()},
    ],
    ids=lambda stated: next(iter(stated)),
)
def test_what_can_only_be_said_of_events_is_refused(events: Make, stated: dict[str, Any]) -> None:
    """Keywords that say how to fill have no meaning for what is filled; memory has, where the other side is events."""
    reference, generated = filled(events, 1, 2, observables=["x"])
    match = f"^{next(iter(stated))} can only be chosen when histograms are filled, and these are"
    with pytest.raises(InputError, match=match):
        gv.validate(generated, reference, n_required=10, **stated)
    if "memory" in stated:
        assert gv.validate(events(2, 240), reference, n_required=10, **stated).comparisons
    elif "client" not in stated:
        with pytest.raises(InputError, match=match):
            gv.validate(events(2, 240), reference, n_required=10, **stated)


def test_where_events_come_from_is_told(events: Make, streamed: Stream) -> None:
    """The report names the sources of both sides, and of histograms how many there are."""
    reference, *generated = filled(events, 1, 2, 3, observables=["x"])
    provenance = gv.validate(added([("", one) for one in generated]), reference, n_required=10).provenance
    assert provenance["generated"] == {"source": "memory, memory", "files": 2}
    assert provenance["reference"] == {"source": "memory", "files": 1}
    assert (provenance["generated_events"], provenance["reference_events"]) == (480, 240)
    provenance = gv.validate(streamed(events(1, 240)), events(2, 240), n_required=10, observables=["x"]).provenance
    assert provenance["generated"] == {"source": "3 parts"}


def test_stored_angles_are_read_by_others(tmp_path: Path) -> None:
    """What stands in a stored histogram on a circular axis for other programs is a circular histogram for them."""
    bh: Any = pytest.importorskip("boost_histogram")
    axis = bh.axis.Regular(8, 0, 2 * np.pi, circular=True)
    angles = {"phi": np.random.default_rng(1).uniform(-4, 9, 5_000)}
    summary = gv.fill(angles, bins={"phi": axis})
    path = tmp_path / "others.json"
    path.write_text(json.dumps(json.loads(summary.to_json())["histograms"]), encoding="utf-8")
    filled = bh.Histogram(axis).fill(angles["phi"])
    assert gv.validate(path, summary, n_required=1).histograms["phi"].chi2 == 0
    np.testing.assert_array_equal(summary.contents["phi"].sums().sumw, filled.values(flow=True))

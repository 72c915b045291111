"""What takes the rows of both sides is looked for alike on every road that holds them, and a finding proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.pipeline import searches
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import summarise_reference
from pytest_ganvalid.pipeline.histogram_pairs import NOT_LOOKED_FOR
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.pipeline.searches import pairs_in, searched
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
N = 3_000
NAMES = ["x", "y", "u", "v"]
ASK: dict[str, Any] = {"n_required": 30, "observables": NAMES, "bins": 8}


def events(seed: int, n: int = N) -> Table:
    """Four columns and a weight."""
    rng = np.random.default_rng(seed)
    x, u, v = rng.normal(size=(3, n))
    return {"x": x, "y": x + rng.exponential(size=n), "u": u, "v": u + v, "w": rng.normal(1, 0.3, n)}


def smeared(table: Table, seed: int = 9) -> Table:
    """The same events with a resolution of 2 %; the weights stay."""
    rng = np.random.default_rng(seed)
    return {name: v if name == "w" else v + 0.02 * rng.normal(size=v.size) for name, v in table.items()}


def taken(table: Table, rows: Any) -> Table:
    """Some of the rows."""
    return {name: values[rows] for name, values in table.items()}


@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_pairs_are_found_alike_on_every_road(order: str, streamed: Callable[..., Source], tmp_path: Path) -> None:
    """Arrays, files, parts, Dask and a mixture say the same; stored histograms say that it was not looked for."""
    dask = pytest.importorskip("dask")
    da: Any = pytest.importorskip("dask.array")
    reference = events(1)
    rows = np.arange(N) if order == "in order" else np.random.default_rng(2).permutation(N)
    generated = taken(smeared(reference), rows)
    files = []
    for side, table in (("g", generated), ("r", reference)):
        files.append([str(tmp_path / f"{side}{i}.npz") for i in range(2)])
        for name, some in zip(files[-1], (slice(700), slice(700, None)), strict=True):
            np.savez(name, **taken(table, some))
    lazy = [{name: da.from_array(v, chunks=900) for name, v in table.items()} for table in (generated, reference)]
    with dask.config.set(scheduler="synchronous"):
        reports = [
            gv.validate(*sides, **ASK)
            for sides in (
                (generated, reference),
                (files[0], files[1]),
                (streamed(generated, 4, seekable=False), streamed(reference, 3)),
                (generated, files[1]),
                (lazy[0], lazy[1]),
            )
        ]
    found = [report.provenance["independence"]["pairs"] for report in reports]
    assert found[0]["order"] == order
    assert found == [found[0]] * len(reports)
    assert {report.verdict for report in reports} == {"UNPROVEN"}
    assert all("belong together" in report.shared[0] for report in reports)
    assert all('cluster="event_id"' in report.reasons[0] for report in reports)
    whole = gv.fill(reference, observables=NAMES, bins=8)
    stored = gv.validate(gv.fill(generated, like=whole), whole, n_required=30)
    assert stored.shared == ()
    assert NOT_LOOKED_FOR in stored.notes
    assert "undeclared pairs" in NOT_LOOKED_FOR


def test_independent_events_have_no_finding() -> None:
    """Independent samples are as before, with common weights in a common order too."""
    generated, reference = events(3, 12 * N), events(1)
    report = gv.validate(generated, reference, **ASK)
    assert (report.verdict, report.shared, report.notes) == ("ROBUST", (), ())
    assert report.provenance["independence"]["pairs"] is None
    assert report.provenance["independence"]["near"] is None
    generated["w"][:N] = reference["w"]
    assert gv.validate(generated, reference, weight="w", **ASK).shared == ()


def test_pairs_within_a_condition_are_found() -> None:
    """Conditions that both sides share make no pairs where they divide the events; what else they share does."""
    rng = np.random.default_rng(4)
    energy = rng.choice([10.0, 50.0], N)
    sides = [{"energy": energy, "y": energy + rng.normal(size=N)} for _ in range(2)]
    ask: dict[str, Any] = {"n_required": 20, "observables": ["y"], "bins": 4}
    report = gv.validate(sides[0], sides[1], **ask)
    assert "belong together" in report.shared[0]
    assert "compare in bins of a condition that both share" in report.shared[0]
    assert gv.validate(sides[0], sides[1], by="energy", **ask).shared == ()
    again = dict(sides[0], y=sides[0]["y"] + 0.1 * rng.normal(size=N))
    assert gv.validate(again, sides[0], by="energy", **ask).shared != ()


def _searched(generated: Table, reference: Table, **keywords: Any) -> Independence:
    sides = Side.opened(generated, "generated"), Side.opened(reference, "reference")
    runner = Threads()
    draft = Draft.of(sides, Request(observables=NAMES), runner)
    _, summary = summarise_reference(draft, runner)
    return searched(Independence(duplicates={}), draft, lambda: pairs_in(draft, summary.plan), None, runner, **keywords)


def test_declared_pairs_are_not_looked_for() -> None:
    """Where it was said which rows belong together there is nothing to find."""
    reference = events(1)
    generated = smeared(reference)
    assert _searched(generated, reference).pairs is not None
    assert _searched(generated, reference, declared=True).pairs is None


def test_copies_are_not_taken_for_pairs() -> None:
    """Rows that were copied are shared rows, and nothing that a user could declare."""
    reference = events(1)
    report = gv.validate(taken(reference, slice(None)), reference, **ASK)
    assert len(report.shared) == 1
    assert "are also in the reference sample" in report.shared[0]


def jittered(training: Table, share: float, n: int = N) -> Table:
    """Generated events, a share of which are training events with a jitter of 0.005 σ."""
    rng, generated = np.random.default_rng(6), events(5, n)
    copies = round(share * n)
    for name, values in generated.items():
        values[:copies] = training[name][:copies] + 0.005 * rng.normal(size=copies)
    return taken(generated, rng.permutation(n))


def test_near_copies_are_found_alike_on_every_road(streamed: Callable[..., Source]) -> None:
    """A generator that jitters its training is UNPROVEN, however the events are handed over; few copies are noted."""
    training, reference = events(7), events(1)
    generated = jittered(training, 0.1)
    reports = [
        gv.validate(generated, reference, training=training, **ASK),
        gv.validate(streamed(generated), streamed(reference, 5), training=streamed(training, seekable=False), **ASK),
    ]
    found = [report.provenance["independence"]["near"] for report in reports]
    assert found[0]["share"] == pytest.approx(0.1, abs=0.02)
    assert found[0] == found[1]
    assert {report.verdict for report in reports} == {"UNPROVEN"}
    assert all("are near copies of training rows" in report.shared[0] for report in reports)
    few = gv.validate(jittered(training, 0.01), reference, training=training, **ASK)
    assert few.shared == ()
    assert "are near copies of training rows" in few.notes[-1]
    good = gv.validate(events(5, 4 * N), reference, training=training, **ASK)
    assert (good.verdict, good.notes) == ("ROBUST", ())


def test_what_was_not_looked_for_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint, a single column, and training rows beyond a number are said not to have been searched."""
    training, reference, generated = events(7), events(1), events(5, 4 * N)
    report = gv.validate(generated, reference, training=gv.fingerprint(training, columns=NAMES), **ASK)
    assert "a fingerprint does not hold the rows" in report.notes[-1]
    single = [{"x": table["x"]} for table in (generated, reference, training)]
    report = gv.validate(single[0], single[1], training=single[2], n_required=30, bins=8)
    assert "takes two continuous columns" in report.notes[-1]
    monkeypatch.setattr(searches, "TRAINED", 2_000)
    report = gv.validate(generated, reference, training=training, **ASK)
    assert report.notes[-1] == "near copies were looked for of the first 2,000 training rows only"


def test_rows_that_depend_on_their_order_are_noted() -> None:
    """A sorted sample is as good as another, and its order is noted, of the side that has it."""
    generated, reference = events(5, 4 * N), events(1)
    report = gv.validate(taken(generated, np.argsort(generated["x"])), reference, **ASK)
    assert report.verdict == "ROBUST"
    assert [note.partition(",")[0] for note in report.notes] == ["generated rows depend on their order"]


def test_a_generator_that_repeats_itself_is_noted_on_every_road() -> None:
    """How many generated rows are distinct is known, of stored histograms too."""
    once, reference = events(5, 2 * N), events(1)
    generated = taken(once, np.random.default_rng(8).permutation(np.tile(np.arange(2 * N), 10)))
    whole = gv.fill(reference, observables=NAMES, bins=8)
    for report in (
        gv.validate(generated, reference, **ASK),
        gv.validate(gv.fill(generated, like=whole), whole, n_required=30),
    ):
        search = report.provenance["independence"]
        assert search["duplicated"] == ["generated"]
        assert search["distinct"]["generated"] == pytest.approx(2 * N, rel=0.05)
        assert any("the generator repeats its own rows" in note for note in report.notes)


def test_a_cluster_is_one_row() -> None:
    """Many rows of one input are no finding if they are declared: neither near copies nor rows in an order."""
    reference, training = events(1), events(2)
    generated = events(3)
    for i in range(30):  # an input of each hundred rows, one of which is by chance as a row of the training
        for name in ("x", "y", "u", "v"):
            at = training[name][0] if i == 5 else generated[name][100 * i]
            generated[name][100 * i : 100 * (i + 1)] = at + 1e-5 * events(4, 100)[name]
    generated["id"] = np.arange(N) // 100
    plain = gv.validate(generated, reference, training=training, **ASK)
    declared = gv.validate(generated, reference, training=training, cluster="id", **ASK)
    for report, seen in ((plain, True), (declared, False)):
        assert any("generated rows depend on their order" in note for note in report.notes) is seen
        assert bool(report.shared) is seen

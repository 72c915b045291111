"""Events that are read part by part are all filled, in bins as good as those of the whole, and never are all there."""

from __future__ import annotations

import threading
import tracemalloc
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms import repeated
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.histograms.filling import fill as fill_bins
from pytest_ganvalid.observables import Classifier, KDTree, Mean, Selection
from pytest_ganvalid.overlaps.fingerprint import STORED
from pytest_ganvalid.pipeline import fill as module
from pytest_ganvalid.pipeline import preview
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import summarise_reference, summarise_sides
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.sources import FilePart, MemoryPart, Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]


@pytest.fixture(autouse=True)
def _small(small_chunks: None) -> None:
    """Read in small chunks."""


def rows_of(table: Table, rows: Any) -> Table:
    """Some of the events."""
    return {name: values[rows] for name, values in table.items()}


def both(
    generated: object, reference: object, *, runner: Threads | None = None, weight: str | None = None, **keywords: Any
) -> tuple[Draft, Histograms, Histograms]:
    """Fill both sides, as a check does."""
    runner = Threads(workers=2) if runner is None else runner
    sides = Side.opened(generated, "generated", weight), Side.opened(reference, "reference", weight)
    draft = Draft.of(sides, Request.parsed(**keywords), runner)
    draft, generated_summary, reference_summary, _ = summarise_sides(draft, runner, lambda _: None)
    return draft, generated_summary, reference_summary


def shares(filled: Filled) -> Any:
    """Share of the events in each bin."""
    return filled.sumw.value / filled.sumw.value.sum()


# All events, in bins that are chosen well.


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("weight", [None, "w"])
def test_long_samples_are_filled_exactly(events: Make, streamed: Stream, weight: str | None) -> None:
    """Of samples too long to be looked at, all events are in the bins that are filled, on both sides."""
    tables = events(1, 2_600), events(2, 3_100)
    observables = ["x", ("x", "y"), KDTree(("x", "y", "n")), Selection("y", "ok"), "jet"]
    draft, *summaries = both(*map(streamed, tables), observables=observables, weight=weight)
    assert len(draft.previews[1].sample) <= 1_000
    names = ["x", "x:y", "kdtree", "y where ok", "jet", f"jet{MULTIPLICITY}"]
    for summary, table in zip(summaries, tables, strict=True):
        assert list(summary.contents) == names
        assert summary.n_events == len(table["x"])
        w = table["w"] if weight else None
        for name, content in summary.contents.items():
            bins: Any = content.bins
            if name == "y where ok":
                expected = fill_bins(bins.inside, [table["y"][table["ok"]].astype(float)], w, selected=table["ok"])
            elif name.startswith("jet"):
                counts = table["jet"].counts
                values = table["jet"].values if name == "jet" else counts.astype(float)
                expected = fill_bins(bins, [values], w, counts=counts if name == "jet" else None)
            else:
                columns = {"x": "x", "x:y": "xy", "kdtree": "xyn"}[name]
                expected = fill_bins(bins, [table[column].astype(float) for column in columns], w)
            sums = content.sums()
            np.testing.assert_array_max_ulp(sums.sumw, expected.sumw, maxulp=1 if weight else 0)
            np.testing.assert_allclose(sums.sumw2, expected.sumw2, rtol=1e-13 if weight else 0)


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("observable", ["x", ("x", "y"), KDTree(("x", "y", "n")), Selection("x", "ok")])
@pytest.mark.parametrize("parts", [30, 2])
def test_ordered_events_have_good_bins(events: Make, streamed: Stream, observable: Any, parts: int) -> None:
    """Events ordered by a column, the first of which are unlike the others, give bins as good as shuffled ones."""
    table = {name: values for name, values in events(3, 6_000).items() if name in {"x", "y", "n", "ok"}}
    ordered = streamed(rows_of(table, np.argsort(table["x"])), parts)
    generated = events(1, 500)
    found, usual = (
        shares(next(iter(both(generated, source, observables=[observable], bins=10)[2].contents.values())))
        for source in (ordered, streamed(table))
    )
    if isinstance(observable, Selection):
        found, usual = found[:-1], usual[:-1]
    assert found.size >= 0.8 * usual.size
    assert found.max() / found.mean() < max(1.5, 1.2 * usual.max() / usual.mean())


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("kind", ["alternating", "first in each part", "in memory"])
def test_weights_of_one_sign_are_not_all_that_is_looked_at(streamed: Stream, kind: str) -> None:
    """Where most weights cancel, bins are as good as if all events had been looked at, wherever which weights are."""
    rng = np.random.default_rng(1)
    rows, parts = 12_000, 3
    negative = np.arange(rows) % 2 == 0
    if kind == "first in each part":
        ends = (rows * np.linspace(0, 1, parts + 1) ** 1.5).astype(int)
        negative = np.concatenate([np.arange(last - first) < 300 for first, last in pairwise(ends.tolist())])
    table = {
        "x": np.where(negative, rng.uniform(0, 0.1, rows), rng.normal(size=rows)),
        "w": np.where(negative, -0.02, 1),
    }
    reference: Any = table if kind == "in memory" else streamed(table, parts)
    generated = {"x": rng.normal(size=500), "w": np.ones(500)}
    _, _, summary = both(generated, reference, observables=["x"], bins=10, weight="w")
    found = shares(summary.contents["x"])
    assert found.size >= 8
    assert found.max() < 0.2


class Counting:
    """Counts the rows that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the chunks of parts in memory."""
        self.rows = 0
        original = MemoryPart.chunks

        def chunks(part: MemoryPart, columns: Sequence[str], chunk: int) -> Iterator[Any]:
            for rows in original(part, columns, chunk):
                self.rows += len(rows["x"])
                yield rows

        monkeypatch.setattr(MemoryPart, "chunks", chunks)


@pytest.mark.usefixtures("small_previews")
def test_shuffled_events_are_read_once(events: Make, streamed: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events whose first ones are like the others are read once; or else once to draw some, and once more."""
    table = {"x": events(3, 12_000)["x"]}
    counted = Counting(monkeypatch)
    draft, _, summary = both({"x": events(1, 300)["x"]}, streamed(table), observables=["x"], bins=10)
    assert not draft.previews[1].drawn
    assert 12_000 <= counted.rows < 12_000 + 2_500
    assert summary.plan.bins_from == (summary.origins[0].id,)
    counted.rows = 0
    draft, *_ = both({"x": events(1, 300)["x"]}, streamed({"x": np.sort(table["x"])}), observables=["x"], bins=10)
    assert draft.previews[1].drawn
    assert 36_000 <= counted.rows < 36_000 + 2_500
    counted.rows = 0
    both({"x": events(1, 300)["x"]}, streamed({"x": np.sort(table["x"])}), observables=["x"], bins=[0.0, 1.0])
    assert counted.rows < 12_000 + 2_500  # bins that are given are what they are


@pytest.mark.parametrize("weight", [None, "w"])
def test_a_file_that_is_looked_at_whole_is_read_once(tmp_path: Path, events: Make, weight: str | None) -> None:
    """A reference of which all rows were looked at is filled from those, like one in memory, and not read again."""
    table = {"x": events(3, 1_000)["x"], "w": np.linspace(0.5, 2, 1_000)}
    for name, rows in (("a", slice(0, 333)), ("b", slice(333, None))):
        np.savez(tmp_path / f"{name}.npz", **rows_of(table, rows))
    files = [str(tmp_path / f"{name}.npz") for name in "ab"]
    sides = Side.opened(table, "generated", weight), Side.opened(files, "reference", weight)
    draft = Draft.of(sides, Request.parsed(observables=["x"]), Threads(workers=2))
    for file in files:
        Path(file).unlink()
    _, summary = summarise_reference(draft, Threads(workers=2))
    _, _, expected = both(table, table, observables=["x"], weight=weight)
    assert sorted(origin.source for origin in summary.origins) == ["a.npz", "b.npz"]
    assert summary.n_events == 1_000
    assert np.array_equal(summary.contents["x"].sumw.value, expected.contents["x"].sumw.value)


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("by", ["e", ("e", [15.0, 30.0]), ("x", 4)])
@pytest.mark.parametrize("parts", [30, 2])
def test_strata_of_ordered_events(events: Make, streamed: Stream, by: Any, parts: int) -> None:
    """Events ordered by the condition have the strata that shuffled ones have, each with bins of its own."""
    table = {name: values for name, values in events(3, 6_000).items() if name in {"x", "y", "e"}}
    table["y"] = (table["y"] + table["e"]).astype(np.float32)
    column = by if isinstance(by, str) else by[0]
    order = np.argsort(table[column], kind="stable")
    generated = events(1, 500)
    sources = streamed(rows_of(table, order), parts), streamed(table)
    found, usual = (both(generated, one, observables=["y"], by=by, bins=10)[2] for one in sources)
    assert np.count_nonzero(found.events) == np.count_nonzero(usual.events) == {"e": 3, "x": 4}[column]
    if by != ("x", 4):
        np.testing.assert_array_equal(found.events, usual.events)
    for filled in found.contents.values():
        if filled.sumw.value.any():
            assert np.abs(shares(filled) * shares(filled).size - 1).max() < 0.8


@pytest.mark.parametrize("bins", [8, [-1.0, 0.0, 1.0]])
@pytest.mark.usefixtures("small_previews")
def test_strata_of_rows_that_were_not_looked_at(events: Make, streamed: Stream, bins: Any) -> None:
    """A value of the condition that only late rows have is a stratum, whatever the bins are."""
    tables = []
    for seed, n in ((1, 2_600), (2, 3_100)):
        late = rows_of({name: events(seed, n)[name] for name in ("x", "e")}, slice(None))
        late["e"][-300:-150], late["e"][-150:] = 15.0, 17.0
        tables.append(streamed(late, 1))
    report = gv.validate(*tables, n_required=200, observables=["x"], by="e", bins=bins, min_expected=1)
    assert {"x | e = 15", "x | e = 17"} <= set(report.comparisons)


@pytest.mark.usefixtures("small_previews")
def test_selections_of_rows_that_were_not_looked_at(events: Make, streamed: Stream) -> None:
    """A selection that none of the looked-at rows passes is binned from rows drawn out of all."""
    table = {"x": events(2, 3_100)["x"], "ok": np.arange(3_100) >= 2_500}
    draft, _, summary = both(table, streamed(table, 1), observables=[Selection("x", "ok")])
    assert draft.previews[1].drawn
    assert summary.contents["x where ok"].sumw.value.size > 8
    nobody = {"x": table["x"], "ok": np.zeros(3_100, dtype=bool)}
    with pytest.raises(InputError, match="observable 'x where ok': no event of the reference is selected"):
        both(table, streamed(nobody, 1), observables=[Selection("x", "ok")])


def test_bins_are_chosen_from_the_reference(events: Make) -> None:
    """Numbers of bins, or none, say which events chose them; edges of observables and of the condition do not."""
    for by, chosen in ((None, False), (("y", [1.0]), False), (("y", 2), True), ("e", True)):
        summary = gv.fill(events(1, 300), observables=["x"], bins=[0.0, 1.0], by=by)
        assert summary.plan.bins_from == ((summary.origins[0].id,) if chosen else ())
    assert gv.fill(events(1, 300), observables=["x"]).plan.bins_from
    assert gv.fill(events(1, 300), observables=["jet"], bins=[1.0]).plan.bins_from  # those of the number of entries


# Sources of any kind.


def test_no_events(tmp_path: Path, events: Make, streamed: Stream) -> None:
    """Sources without events are refused by name; an empty file among others changes nothing."""
    x = {"x": events(1, 300)["x"]}
    np.savez(tmp_path / "full.npz", x=x["x"])
    np.savez(tmp_path / "empty.npz", x=np.empty(0))
    full, empty = str(tmp_path / "full.npz"), str(tmp_path / "empty.npz")
    with pytest.raises(InputError, match=r"^generated: .*empty\.npz: there are no events"):
        both(empty, full)
    with pytest.raises(InputError, match=r"empty\.npz: there are no events"):
        gv.fill(empty)
    like = gv.fill(x)
    assert gv.fill([empty, full]) == gv.fill(full)
    nothing = streamed({"x": np.empty(0)}, 2)
    for model in (None, like):
        with pytest.raises(InputError, match=r"^(the sample: )?2 parts holds no events$"):
            gv.fill(nothing, like=model)


@pytest.mark.parametrize("lengths", [(0, 0, 500), (300, 0, 300), (0, 600)])
def test_files_of_unknown_length(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """Files whose length only reading tells may be empty, the first one too, on either side."""
    names: dict[int, list[str]] = {}
    tables = {}
    for seed in (1, 2):
        x = np.round(np.random.default_rng(seed).normal(size=sum(lengths)), 12)
        tables[seed] = {"x": x, "y": 2 * x}
        names[seed] = []
        for i, some in enumerate(np.split(x, np.cumsum(lengths)[:-1])):
            path = tmp_path / f"{seed}-{i}.csv"
            path.write_text("x,y\n" + "".join(f"{v!r},{v * 2!r}\n" for v in some.tolist()), encoding="utf-8")
            names[seed].append(str(path))
    for observables in (None, ["x", ("x", "y")]):
        keywords: dict[str, Any] = {"n_required": 50, "observables": observables}
        ours, theirs = gv.validate(names[1], names[2], **keywords), gv.validate(tables[1], tables[2], **keywords)
        assert ours.comparisons == theirs.comparisons
        assert ours.reasons == theirs.reasons


@pytest.mark.usefixtures("small_previews")
def test_ordered_events_of_unknown_number(streamed: Stream, events: Make) -> None:
    """Bins of long sources whose length only reading tells are chosen from all over them."""
    x = np.sort(np.random.default_rng(3).normal(size=8_000))
    draft, _, summary = both({"x": events(1, 300)["x"]}, streamed({"x": x}, 8, seekable=False), bins=10)
    assert draft.previews[1].drawn
    assert 400 < len(draft.previews[1].sample) <= 1_000
    assert summary.n_events == 8_000
    nominal = summary.plan.histograms[0].bins.nominal
    assert nominal is not None
    assert np.abs(shares(summary.contents["x"]) / nominal.shares - 1).max() < 0.5
    assert summary.plan.bins_share == len(draft.previews[1].sample) / 8_000
    assert summary.chosen == summary.plan.bins_share


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("rows", [700, 3_099, 5_000])
def test_a_file_that_changes_after_the_preview(
    tmp_path: Path, events: Make, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """A file that becomes shorter or longer after the look at it is an error."""
    x = events(2, 3_100)["x"]
    np.savez(tmp_path / "a.npz", x=x)
    original = module.summarise

    def late(*arguments: Any) -> Any:
        np.savez(tmp_path / "a.npz", x=np.resize(x, rows))
        return original(*arguments)

    monkeypatch.setattr(module, "summarise", late)
    with pytest.raises(InputError, match=r"a\.npz.*changed"):
        both({"x": x}, str(tmp_path / "a.npz"), observables=["x"])


# Memory, threads and interruption.


class _Watched(np.ndarray[Any, Any]):
    """An array that can be watched."""


@pytest.mark.usefixtures("small_previews")
@pytest.mark.parametrize("ordered", [False, True])
def test_few_chunks_are_in_memory(
    streamed: Stream,
    monkeypatch: pytest.MonkeyPatch,
    ordered: bool,  # noqa: FBT001
) -> None:
    """The rows in memory are those that are looked at and a few chunks for each thread, however many there are."""
    held: list[tuple[weakref.ref[Any], int]] = []
    most, lock = [0], threading.Lock()
    original = MemoryPart.chunks

    def watched(self: MemoryPart, *arguments: Any) -> Iterator[Any]:
        for rows in original(self, *arguments):
            copies = {name: np.array(values).view(_Watched) for name, values in rows.items()}
            with lock:
                held[:] = [(one, size) for one, size in held if one() is not None]
                held.append((weakref.ref(copies["x"]), len(copies["x"])))
                most[0] = max(most[0], sum(size for _, size in held))
            yield copies
            del copies, rows

    monkeypatch.setattr(MemoryPart, "chunks", watched)
    peaks = []
    for n in (3_000, 12_000):
        x = np.random.default_rng(1).normal(size=n)
        source = streamed({"x": np.sort(x) if ordered else x}, 4)
        most[0] = 0
        _, *summaries = both(source, source, observables=["x"], bins=20, memory=2**20)
        assert [summary.n_events for summary in summaries] == [n, n]
        peaks.append(most[0])
    assert max(peaks) <= 1_000 + 2 * 3 * 150


@pytest.mark.usefixtures("small_previews")
def test_memory_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as many events take no more memory, in the pass in which bins are chosen anew neither."""
    monkeypatch.setattr(preview, "CHUNKS", (1_000, 1_000))
    monkeypatch.setattr(module, "SIZE", 1_000)
    monkeypatch.setattr(repeated, "SIZE", 1_000)
    monkeypatch.setattr(module, "_MIN_ROWS", 1_000)
    peaks = []
    for n in (20_000, 80_000):
        path = str(tmp_path / f"{n}.npz")
        np.savez(path, x=np.sort(np.random.default_rng(6).normal(size=n)))
        source = Side.opened(path, "").source
        whole = Source(source.names, [FilePart(source.parts[0].piece, 0, n, n, n)])
        tracemalloc.start()
        draft, _, summary = both({"x": np.arange(9.0)}, whole, observables=["x"], bins=10, memory=2**20)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert draft.previews[1].drawn
        assert summary.n_events == n
    assert peaks[1] < peaks[0] + 8 * 60_000 / 2  # half of what the column takes


def test_sketches_fit_into_memory(events: Make, streamed: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows are kept in a sketch, the larger they are, but never too few; of more rows the same ones."""
    monkeypatch.setattr(module, "_MIN_ROWS", 64)
    table = {name: events(1, 1_000)[name] for name in ("x", "y")}
    sizes = {}
    for size in (10, 300, 3_000):
        monkeypatch.setattr(module, "SIZE", size)
        summary = both({"x": np.arange(9.0), "y": np.arange(9.0)}, streamed(table), bins=[0.0])[2]
        assert summary.fingerprint is not None
        sizes[size] = summary.fingerprint.distinct().keys.size
        assert summary.fingerprint.rows == 1_000
    assert sizes == {10: 10, 300: 300, 3_000: 1_000}
    wide = {"x": table["x"], "hits": Entries(np.ones(500 * 1_000), np.full(1_000, 500))}
    few = {"x": table["x"][:9], "hits": wide["hits"][:9]}
    monkeypatch.setattr(module, "SIZE", 3_000)
    summary = both(few, streamed(wide), observables=["x"], memory=2**20)[2]
    assert summary.fingerprint is not None
    assert summary.fingerprint.size == 3_000  # the entries are not read
    summary = both(few, streamed(wide), observables=["hits"], bins=[0.0], memory=2**20)[2]
    assert summary.fingerprint is not None
    assert summary.fingerprint.size == 64


def threads_left() -> list[str]:
    """Names of the threads of pools."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_errors_stop_everything(tmp_path: Path) -> None:
    """A damaged file among many is named, the others are left, and no thread is."""
    before = threads_left()
    names = [str(tmp_path / f"{i}.npz") for i in range(10)]
    for i, name in enumerate(names):
        np.savez(name, x=np.random.default_rng(i).normal(size=90))
    data = bytearray(Path(names[6]).read_bytes())
    data[200:700] = bytes(500)
    Path(names[6]).write_bytes(data)
    np.savez(names[8], x=np.full(90, np.nan))
    with pytest.raises(InputError, match=r"[68]\.npz: .*(rows 0 to 89: reference: observable 'x' has 90 NaN)?"):
        both(names[:5], names[5:])
    with pytest.raises(InputError, match=r"8\.npz: rows 0 to 89: generated: observable 'x' has 90 NaN"):
        both(names[7:], names[:5])
    assert threads_left() == before


@pytest.mark.parametrize("at", [1, 7, 30])
def test_interruption(events: Make, streamed: Stream, at: int) -> None:
    """Whoever interrupts the reading is obeyed at once, and no thread is left."""
    told: list[int] = []

    def tick(rows: int) -> None:
        told.append(rows)
        if len(told) == at:
            raise KeyboardInterrupt

    before = threads_left()
    with pytest.raises(KeyboardInterrupt):
        both(
            *(streamed({"x": events(seed, 2_600)["x"]}) for seed in (1, 2)),
            observables=["x"],
            bins=20,
            runner=Threads(tick, 2),
        )
    assert len(told) <= at + 2
    assert threads_left() == before


def test_ticks_are_all_events(events: Make, streamed: Stream) -> None:
    """What progress is told adds up to the events of both sides."""
    told: list[int] = []
    sources = [streamed({"x": events(seed, n)["x"]}) for seed, n in ((1, 2_600), (2, 3_100))]
    both(*sources, observables=["x"], bins=20, runner=Threads(told.append, 2))
    assert sum(told) == 2_600 + 3_100


# The function that is public.


def test_like_says_all(events: Make) -> None:
    """With ``like`` nothing else is said of what to fill, and it must be histograms."""
    like = gv.fill(events(1, 200), observables=["x"])
    for stated in ({"bins": 5}, {"bins": np.array([0.0, 1.0])}, {"by": "e"}, {"nonfinite": "overflow"}):
        with pytest.raises(InputError, match="leave out observables, by, bins and nonfinite"):
            gv.fill(events(2, 200), like=like, **stated)
    with pytest.raises(InputTypeError, match="like is a int"):
        gv.fill(events(2, 200), like=5)
    with pytest.raises(InputError, match=r"^memory: there is no column 'x'; there are"):
        gv.fill({"y": np.arange(5.0)}, like=like)


def test_weights_like_and_unlike(events: Make) -> None:
    """The weight is that of ``like`` unless another, or none, is asked for."""
    table = events(2, 200)
    like = gv.fill(events(1, 200), observables=["x"], weight="w")
    weights: list[tuple[Any, str | None]] = [(None, "w"), ("e", "e"), (False, None)]
    for weight, expected in weights:
        summary = gv.fill(table, like=like, weight=weight)
        assert summary.plan.weight == expected
        total = 200 if expected is None else table[expected].sum()
        assert summary.weights.value.tolist() == pytest.approx([total])
    with pytest.raises(InputError, match=r"^the sample: there is no weight column 'w'; there are \['x'\]$"):
        gv.fill({"x": np.arange(5.0)}, like=like)
    with pytest.raises(InputError, match=r"^the sample: there is no weight column 'q'; there are \['x'\]$"):
        gv.fill({"x": np.arange(5.0)}, like=like, weight="q")
    for weight in (3, True):
        with pytest.raises(
            InputTypeError, match=r"weight is a (int|bool); expected the name of a column, None, or False"
        ):
            gv.fill(table, weight=weight)


def test_weights_of_a_sample(events: Make) -> None:
    """A sample has weights of its own, which are used unless others are named."""
    own = gv.Sample({"x": np.arange(300.0), "v": np.full(300, 3.0)}, np.linspace(1, 2, 300))
    summary = gv.fill(own, observables=["x"])
    assert summary.plan.weight == ""
    assert summary.weights.value.tolist() == pytest.approx([450])
    assert Histograms.from_json(summary.to_json()) == summary
    assert gv.fill(own, observables=["x"], weight="v").weights.value.tolist() == [900]
    assert gv.fill(own, observables=["x"], weight=False).plan.weight is None
    with pytest.raises(InputError, match=r"^memory: the weights to be like are those of a Sample"):
        gv.fill({"x": np.arange(5.0)}, like=summary)
    assert gv.fill({"x": np.arange(5.0)}, like=summary, weight=False).plan.weight is None
    named = gv.fill(events(1, 200), observables=["x"], weight="w")
    assert gv.fill(own, like=named).plan.weight == ""


def test_a_column_named_weight_is_no_weight(events: Make) -> None:
    """Only a `Sample` has weights of its own; a data frame may have a column of that name."""
    pandas: Any = pytest.importorskip("pandas")
    table = events(2, 200)
    frame = pandas.DataFrame({"x": table["x"], "weight": table["w"]})
    first = events(1, 200)
    like = gv.fill({"x": first["x"], "weight": first["w"]}, observables=["x"], weight="weight")
    report = gv.validate(frame, like, n_required=10)
    assert report.comparisons == gv.validate(gv.fill(frame, like=like, weight=False), like, n_required=10).comparisons
    weighted = gv.validate(gv.Sample({"x": table["x"]}, table["w"]), like, n_required=10)
    assert weighted.comparisons == gv.validate(gv.fill(frame, like=like), like, n_required=10).comparisons
    assert weighted.comparisons != report.comparisons


def square(sample: Any) -> Any:
    """A function of the events."""
    return sample["x"] ** 2


@pytest.mark.parametrize("observable", [square, Selection("x", square, name="s"), Mean("x"), Classifier()])
def test_only_columns_can_be_filled(events: Make, observable: Any) -> None:
    """Functions, estimators and classifiers cannot be written to a file, and the error says what can."""
    with pytest.raises(InputError, match=r"^memory: .*not made of columns alone.*expected column names"):
        gv.fill(events(1, 200), observables=[observable])


def test_errors_name_the_source(tmp_path: Path) -> None:
    """What is wrong with events names the file and the rows, and no side, as there is none."""
    name = str(tmp_path / "a.npz")
    np.savez(name, x=np.array([1.0, 2.0, np.nan, 4.0]))
    like = gv.fill({"x": np.arange(9.0)})
    with pytest.raises(InputError, match=r"a\.npz: rows 0 to 3: the sample: observable 'x' has 1 NaN"):
        gv.fill(name, like=like)
    for keywords, message in (
        ({"observables": ["q"]}, r"^a\.npz: there is no column 'q'"),
        ({"weight": "q"}, r"there is no weight column 'q'; there are \['x'\]$"),
        ({"by": "q"}, r"^a\.npz: there is no column 'q'"),
        ({}, r"a\.npz: rows 0 to 3: (reference: |the sample: )?observable 'x' has 1 NaN"),
        ({"bins": 1, "nonfinite": "overflow"}, r"^a\.npz: observable 'x': bins=1 compares nothing"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            gv.fill(name, **keywords)
        assert "generated" not in str(caught.value)


def test_a_client_is_for_files(events: Make) -> None:
    """A client that would have nothing to do is refused."""
    with pytest.raises(InputError, match="client= is for files and Dask collections; the sample is in memory"):
        gv.fill(events(1, 200), observables=["x"], client=object())
    like = gv.fill(events(1, 200), observables=["x"])
    with pytest.raises(InputError, match="client= is for files and Dask collections; the sample is in memory"):
        gv.fill(events(2, 200), like=like, client=object())


def test_what_is_filled_is_small() -> None:
    """Histograms of many events hold a bounded number of rows, the same however the events come."""
    rng = np.random.default_rng(1)
    table = {"x": rng.normal(size=20_000), "y": rng.normal(size=20_000)}
    whole = gv.fill(table, bins=5)
    assert whole.fingerprint is not None
    assert whole.fingerprint.rows == 20_000
    assert whole.fingerprint.distinct().keys.size == STORED
    assert len(whole.to_json()) < 150_000
    again = gv.fill({name: values[::-1] for name, values in table.items()}, like=whole)
    assert again.fingerprint == whole.fingerprint


def test_events_without_the_columns_of_the_key(events: Make) -> None:
    """Events that lack a column by which the others are recognised, or have text in it, are filled without a sketch."""
    table = {name: events(1, 300)[name] for name in "xy"}
    like = gv.fill(table, observables=["x"], bins=[0.0])
    assert like.fingerprint is not None
    assert like.fingerprint.columns == ("x", "y")
    for other in ({}, {"y": np.array(["a"] * 200)}):
        summary = gv.fill({"x": events(2, 200)["x"], **other}, like=like)
        assert summary.fingerprint is None
        assert summary.n_events == 200
    whole = gv.fill({"x": events(2, 200)["x"], "y": np.ones(200)}, like=like)
    assert whole.fingerprint is not None


def test_every_file_is_an_origin(events: Make, tmp_path: Path) -> None:
    """Reading the files of a pattern names each of them, without its folder, and how many events it had."""
    for seed in (1, 2):
        np.savez(tmp_path / f"{seed}.npz", x=events(seed, 100 * seed)["x"])
    origins = gv.fill(tmp_path / "*.npz").origins
    assert [(origin.source, origin.events) for origin in origins] == [("1.npz", 100), ("2.npz", 200)]


def test_a_source_that_has_lost_its_events(events: Make) -> None:
    """A source that had events when it was looked at, and has none when it is filled, is refused."""
    like = gv.fill({"x": events(1, 90)["x"]}, bins=[0.0])
    side = Side(Source(("x",), [MemoryPart({"x": np.empty(0)})]), "generated")
    with pytest.raises(InputError, match=r"^generated: there are no events; check what wrote the sample$"):
        module.summarise(side, like.plan, ("x",), Request(), Threads(workers=1), (None, None), row=8.0)

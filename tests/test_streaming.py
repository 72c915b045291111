"""Events that are read part by part are judged as if they were in memory, and never are all of them there."""

from __future__ import annotations

import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import streaming
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.observables import (
    Classifier,
    Efficiency,
    Estimator,
    KDTree,
    Mean,
    Quantile,
    Selection,
    StandardDeviation,
)
from pytest_ganvalid.questions import MULTIPLICITY
from pytest_ganvalid.runners import Threads
from pytest_ganvalid.samples import Entries, Sample, sources, spread, thinning
from pytest_ganvalid.samples.device import DevicePart, device_source
from pytest_ganvalid.samples.opening import source_of
from pytest_ganvalid.samples.pieces import Piece
from pytest_ganvalid.streaming import Streamed, stream
from pytest_ganvalid.wishes import Wish

pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")

Table = dict[str, Any]
N_GENERATED, N_REFERENCE = 2_600, 3_100
REQUIRED = 200


def _events(seed: int, n: int, shift: float = 0.0) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, n)
    counts = rng.poisson(2, n)
    return {
        "x": x,
        "y": (x + rng.exponential(size=n)).astype(np.float32),
        "n": rng.poisson(3, n),
        "e": rng.choice([10.0, 20.0, 50.0], n),
        "ok": rng.random(n) < 0.4,
        "w": rng.normal(1, 0.5, n),
        "jet": Entries(rng.exponential(size=int(counts.sum())), counts),
        "hole": np.where(rng.random(n) < 0.1, rng.choice([np.nan, np.inf, -np.inf], n), rng.normal(size=n)),
    }


GENERATED, REFERENCE = _events(1, N_GENERATED), _events(2, N_REFERENCE)


def _arrow(table: Table) -> Any:
    """Make an arrow table, entries being lists."""
    columns = {}
    for name, values in table.items():
        if isinstance(values, Entries):
            offsets = np.concatenate([[0], np.cumsum(values.counts)])
            columns[name] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values.values))
        else:
            columns[name] = pa.array(values)
    return pa.table(columns)


def _rows(table: Table, rows: Any) -> Table:
    return {name: values[rows] for name, values in table.items()}


def _write(path: Path, table: Table, group: int = 200) -> str:
    pq.write_table(_arrow(table), path, row_group_size=group)
    return str(path)


def _files(folder: Path, name: str, table: Table, number: int = 3) -> list[str]:
    """Divide events among files of different lengths."""
    n = len(next(iter(table.values())))
    cuts = (n * np.linspace(0, 1, number + 1) ** 1.5).astype(int)
    parts = [slice(a, b) for a, b in pairwise(cuts.tolist())]
    return [_write(folder / f"{name}{i}.parquet", _rows(table, part)) for i, part in enumerate(parts)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred rows make several parts, and several chunks of each."""
    monkeypatch.setattr(sources, "_LEAST", 500)
    monkeypatch.setattr(streaming, "_CHUNKS", (64, 150))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """Write both samples to several files each."""
    folder = tmp_path_factory.mktemp("events")
    return _files(folder, "gen", GENERATED), _files(folder, "ref", REFERENCE)


def sum_of_columns(events: Any) -> Any:
    """Add two columns."""
    return events["x"] + events["y"]


def hard(events: Any) -> Any:
    """Scale the entries."""
    return events["jet"].map(lambda values: 2 * values)


def positive(events: Any) -> Any:
    """Select events."""
    return events["x"] > 0


class Linear:
    """A classifier that is quick to train."""

    def fit(self, events: Any, labels: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        """Learn where one class is."""
        self.direction = events[labels == 1].mean(axis=0) - events[labels == 0].mean(axis=0)

    def decision_function(self, events: Any) -> Any:
        """Project."""
        return events @ self.direction


PLAIN = ["x", "y", "n", "ok", ("x", "y"), ("s", sum_of_columns)]
ASKED: dict[str, dict[str, Any]] = {
    "all columns": {"nonfinite": {"hole": "separate"}},
    "columns": {"observables": PLAIN},
    "one column": {"observables": "x"},
    "tree": {"observables": [KDTree(("x", "y", "n")), ("x", "e", "n", "ok")]},
    "tree of all": {"observables": KDTree(), "nonfinite": "overflow"},
    "functions": {"observables": [sum_of_columns, ("f", lambda events: events["x"] ** 3), hard]},
    "function of the weight": {
        "observables": [("f", lambda events: events["x"] * np.sign(events.weight))],
        "weight": "w",
    },
    "selections": {"observables": [Selection("x", "ok"), Selection(("x", "y"), positive), Selection("n", positive)]},
    "entries": {
        "observables": ["jet", "leading(jet)", "count(jet)", Selection("jet", "ok"), Selection("jet", positive)],
        "nonfinite": {"leading(jet)": "underflow"},
    },
    "estimators": {
        "observables": [
            Mean("x"),
            StandardDeviation("y"),
            Quantile("x", 0.3),
            Efficiency("ok"),
            Mean("count(jet)"),
            "x",
        ]
    },
    "any estimator": {"observables": [Estimator("third", lambda events: float(np.mean(events["x"] ** 3)))]},
    "classifier": {"observables": [Classifier(("x", "y"), Linear()), "x"], "seed": 3},
    "order": {"observables": [Mean("x"), "y", Quantile("x", 0.5), "x"]},
    "mapping": {"observables": {"a": "x", "b": ("x", "n"), "c": Mean("y")}},
    "weights": {"observables": [*PLAIN, KDTree(("x", "y", "n"))], "weight": "w"},
    "weights of one side": {"observables": PLAIN, "weight": ("w", None)},
    "weights of all columns": {"nonfinite": "overflow", "weight": (None, "w")},
    "bins": {"observables": ["x", "y", "n"], "bins": {"x": 7, "y": [-1.0, 0.0, 2.0]}},
    "pair of edges": {"observables": [("x", "y")], "bins": ([-1.0, 1.0], [0.0, 2.0])},
    "strata": {"observables": ["x", "jet", Mean("y"), ("x", "n")], "by": "e", "bins": 8},
    "strata of quantiles": {"observables": ["y"], "by": ("x", 3), "bins": 8},
    "strata of edges": {"observables": ["y"], "by": ("x", [-0.5, 0.5]), "bins": 8, "weight": "w"},
    "strata of entries": {"observables": ["x"], "by": ("count(jet)", [2.0]), "bins": 8},
    "strata of all": {"by": "e", "bins": 5, "nonfinite": "underflow", "weight": "w"},
    **{
        f"nonfinite {place}": {"observables": ["hole", ("hole", "x"), KDTree(("hole", "x", "y"))], "nonfinite": place}
        for place in ("underflow", "overflow", "separate")
    },
}


def _validate(generated: Any, reference: Any, **asked: Any) -> gv.Report:
    return gv.validate(generated, reference, n_required=REQUIRED, min_power=0, **asked)


def _same(ours: gv.Report, theirs: gv.Report, *, approximate: Sequence[str] = ()) -> None:
    """Check that two reports make the same comparisons, of entries with weights but for rounding."""
    assert list(ours.comparisons) == list(theirs.comparisons)
    for name, comparison in ours.comparisons.items():
        if any(name.startswith(one) for one in approximate):
            assert comparison.verdict == theirs.comparisons[name].verdict
            assert comparison.n_equivalent.lower == pytest.approx(theirs.comparisons[name].n_equivalent.lower, rel=1e-9)
        else:
            assert comparison == theirs.comparisons[name], name
    assert (ours.verdict, ours.reasons, ours.shared) == (theirs.verdict, theirs.reasons, theirs.shared)
    keys = ["generated_events", "reference_events", "skipped_columns", "strata"]
    # Only the columns that are read can be compared row by row.
    for key in [*keys, "independence"] if ours.provenance["skipped_columns"] else keys:
        assert ours.provenance.get(key) == theirs.provenance.get(key)


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning:numpy.ma")
def test_files_are_as_arrays(kind: str, files: tuple[list[str], list[str]]) -> None:
    """Files give the comparisons of arrays, to the last bit, for every kind of observable and of setting."""
    asked = ASKED[kind]
    weighted = ["jet"] if "weight" in asked else []
    _same(_validate(*files, **asked), _validate(GENERATED, REFERENCE, **asked), approximate=weighted)


@pytest.mark.parametrize("kind", ["all columns", "weights", "strata", "entries", "estimators"])
@pytest.mark.parametrize("side", ["generated", "reference"])
def test_files_and_arrays_mix(kind: str, side: str, files: tuple[list[str], list[str]]) -> None:
    """Either side may be in memory."""
    asked = ASKED[kind]
    mixed = (files[0], REFERENCE) if side == "generated" else (GENERATED, files[1])
    _same(_validate(*mixed, **asked), _validate(GENERATED, REFERENCE, **asked))


def test_arrays_of_weights_in_memory(files: tuple[list[str], list[str]]) -> None:
    """The side in memory may have an array of weights, or weights of a sample, and the file the name of a column."""
    plain = {name: GENERATED[name] for name in "xy"}
    both = {name: REFERENCE[name] for name in ("x", "y", "w")}
    asked = ["x", "y", KDTree(("x", "y"))]
    expected = _validate(plain, both, weight=(GENERATED["w"], "w"), observables=asked)
    for generated, weight in ((plain, GENERATED["w"]), (Sample(plain, GENERATED["w"]), None)):
        found = _validate(generated, files[1], weight=(weight, "w"), observables=asked)
        assert found.comparisons == expected.comparisons
    with pytest.raises(InputTypeError, match="weight is a ndarray; of events that are not in memory"):
        _validate(files[0], files[1], weight=(GENERATED["w"], "w"))


@pytest.mark.parametrize("memory", [2**20, 2**24])
@pytest.mark.parametrize("pattern", [False, True])
def test_memory_and_names_do_not_matter(
    files: tuple[list[str], list[str]],
    memory: int,
    pattern: bool,  # noqa: FBT001
) -> None:
    """A pattern is as good as a list, and how much memory there is changes nothing."""
    names = [str(Path(one[0]).parent / f"{kind}*.parquet") for one, kind in zip(files, ("gen", "ref"), strict=True)]
    given = names if pattern else files
    asked = ASKED["columns"]
    _same(_validate(*given, memory=memory, **asked), _validate(GENERATED, REFERENCE, **asked))


def test_training_is_found_in_files(files: tuple[list[str], list[str]]) -> None:
    """Training rows in a file leave the check unproven, whether the training is known by its rows or a fingerprint."""
    columns = ("x", "y", "n")
    training = {name: np.concatenate([_events(5, 200)[name], REFERENCE[name][:60]]) for name in columns}
    for known in (training, gv.fingerprint(training)):
        ours = _validate(*files, training=known, observables=["x"])
        theirs = _validate(
            {name: GENERATED[name] for name in columns},
            {name: REFERENCE[name] for name in columns},
            training=known,
            observables=["x"],
        )
        assert ours.verdict is gv.Verdict.UNPROVEN
        assert "60 of" in ours.reasons[0]
        assert (ours.shared, ours.reasons) == (theirs.shared, theirs.reasons)


def _stream(generated: Any, reference: Any, **asked: Any) -> Streamed:
    sides = source_of(generated, "generated"), source_of(reference, "reference")
    return stream(sides, _wish(**asked), Threads())


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a thousand events be too many to look at all."""
    for module in (spread, streaming):
        monkeypatch.setattr(module, "SIZE", 1_000)
    monkeypatch.setattr(spread, "SOME", 400)
    monkeypatch.setattr(thinning, "SIZE", 1_000)


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("weight", [None, "w"])
def test_long_samples_are_filled_exactly(files: tuple[list[str], list[str]], weight: str | None) -> None:
    """Of samples too long to be looked at, all events are in the bins that are reported."""
    asked = ["x", ("x", "y"), KDTree(("x", "y", "n")), Selection("y", "ok"), "jet"]
    found = _stream(*files, observables=asked, weights=(weight, weight))
    assert found.looked_at["bins_from_rows"] < 1_001
    assert [one.name for one in found.questions] == ["x", "x:y", "kdtree", "y where ok", "jet", f"jet{MULTIPLICITY}"]
    for question in found.questions:
        for sums, table in ((question.generated, GENERATED), (question.reference, REFERENCE)):
            w = table["w"] if weight else None
            bins: Any = sums.bins  # type: ignore[union-attr]
            if question.name == "y where ok":
                expected = fill(bins.inside, [table["y"][table["ok"]].astype(float)], w, selected=table["ok"])
            elif question.name.startswith("jet"):
                counts = table["jet"].counts
                several = question.name == "jet"
                values = table["jet"].values if several else counts.astype(float)
                expected = fill(bins, [values], w, counts=counts if several else None)
            else:
                names = {"x": "x", "x:y": "xy", "kdtree": "xyn"}[question.name]
                expected = fill(bins, [table[name].astype(float) for name in names], w)
            np.testing.assert_array_max_ulp(sums.sumw, expected.sumw, maxulp=1 if weight else 0)  # type: ignore[union-attr]
            np.testing.assert_allclose(sums.sumw2, expected.sumw2, rtol=1e-13 if weight else 0)  # type: ignore[union-attr]


def _shares(question: Any) -> Any:
    return question.reference.sumw / question.reference.sumw.sum()


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("observable", ["x", ("x", "y"), KDTree(("x", "y", "n")), Selection("x", "ok")])
@pytest.mark.parametrize("groups", [200, 20_000])
def test_sorted_files(tmp_path: Path, observable: Any, groups: int) -> None:
    """Files sorted by a column, whose first events are unlike the others, give bins as good as shuffled ones."""
    big = _events(3, 12_000)
    order = np.argsort(big["x"])
    kept = {name: big[name] for name in ("x", "y", "n", "ok")}
    names = [_write(tmp_path / "sorted.parquet", _rows(kept, order), group=groups)]
    shuffled = _files(tmp_path, "shuffled", kept)
    found, as_usual = (
        _stream(GENERATED, one, observables=[observable], bins=10).questions[0] for one in (names, shuffled)
    )
    assert found.reference.n_effective == 12_000  # type: ignore[union-attr]
    inside, usual = (
        _shares(one)[:-1] if isinstance(observable, Selection) else _shares(one) for one in (found, as_usual)
    )
    assert inside.size >= 0.8 * usual.size
    assert inside.max() / inside.mean() < max(1.5, 1.2 * usual.max() / usual.mean())


@pytest.mark.usefixtures("_few")
def test_shuffled_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No second pass is made over files whose first events are like the others."""
    big = {"x": _events(3, 12_000)["x"]}
    read: list[int] = []
    original = Piece.chunks

    def spy(self: Piece, *arguments: Any) -> Iterator[Any]:
        for rows in original(self, *arguments):
            read.append(len(rows["x"]))
            yield rows

    monkeypatch.setattr(Piece, "chunks", spy)
    found = _stream(GENERATED, _files(tmp_path, "shuffled", big), observables=["x"], bins=10)
    assert not found.looked_at["drawn"]
    assert sum(read) < 12_000 + 2_500
    read.clear()
    path = _write(tmp_path / "sorted.parquet", {"x": np.sort(big["x"])}, group=20_000)
    found = _stream(GENERATED, path, observables=["x"], bins=10)
    assert found.looked_at["drawn"]
    assert 36_000 <= sum(read) < 36_000 + 2_500


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("by", ["e", ("e", [15.0, 30.0]), ("x", 4)])
@pytest.mark.parametrize("groups", [200, 20_000])
def test_strata_of_sorted_files(tmp_path: Path, by: Any, groups: int) -> None:
    """Files sorted by the condition have the strata that shuffled ones have, each with bins of its own."""
    big = {name: values for name, values in _events(3, 12_000).items() if name in {"x", "y", "e"}}
    column = by if isinstance(by, str) else by[0]
    order = np.argsort(big[column], kind="stable")
    big["y"] = (big["y"] + big["e"]).astype(np.float32)
    generated = {**GENERATED, "y": (GENERATED["y"] + GENERATED["e"]).astype(np.float32)}
    names = [_write(tmp_path / "sorted.parquet", _rows(big, order), groups), _files(tmp_path, "shuffled", big)]
    found, usual = (_stream(generated, name, observables=["y"], by=by, bins=10) for name in names)
    assert len(found.shares) == len(usual.shares) == {"e": 3, "x": 4}[column]
    if by != ("x", 4):
        assert [(one.label, one.n_reference) for one in found.shares] == [
            (s.label, s.n_reference) for s in usual.shares
        ]
    for question in found.questions:
        assert np.abs(_shares(question) / _shares(question).mean() - 1).max() < 0.8


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({"observables": ["x"]}, {"x"}),
        ({"observables": [("x", "n")], "weight": "w"}, {"x", "n", "w"}),
        ({"observables": [sum_of_columns], "by": "e"}, {"x", "y", "e"}),
        ({"observables": [Selection("x", "ok"), Mean("n")]}, {"x", "ok", "n"}),
        ({"observables": ["leading(jet)"], "nonfinite": "overflow"}, {"jet"}),
        ({"observables": ["x"], "training": {"y": np.arange(9.0)}}, {"x", "y"}),
    ],
)
def test_only_needed_columns_are_read(
    files: tuple[list[str], list[str]], monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], columns: set[str]
) -> None:
    """But for the first few events, no column is read that nothing is made of."""
    read: list[set[str]] = []
    original = Piece.chunks

    def spy(self: Piece, reader: Any, names: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Any]:
        if chunk != min(streaming._FIRST, streaming._CHUNKS[1]) or stop - start > streaming._FIRST:
            read.append(set(names))
        yield from original(self, reader, names, start, stop, chunk)

    monkeypatch.setattr(streaming, "_FIRST", 97)
    monkeypatch.setattr(Piece, "chunks", spy)
    _validate(*files, **asked)
    assert read
    assert all(names == columns for names in read)


class _Watched(np.ndarray[Any, Any]):
    """An array that can be watched."""


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("ordered", [False, True])
def test_few_chunks_are_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ordered: bool) -> None:  # noqa: FBT001
    """The rows in memory are those that are looked at and a few chunks for each thread, however many there are."""
    held: list[tuple[weakref.ref[Any], int]] = []
    most, lock = [0], threading.Lock()
    original = Piece.chunks

    def spy(self: Piece, *arguments: Any) -> Iterator[Any]:
        for rows in original(self, *arguments):
            watched = {name: np.array(values).view(_Watched) for name, values in rows.items()}
            with lock:
                held[:] = [(one, size) for one, size in held if one() is not None]
                held.append((weakref.ref(watched["x"]), len(watched["x"])))
                most[0] = max(most[0], sum(size for _, size in held))
            yield watched
            del watched, rows

    monkeypatch.setattr(Piece, "chunks", spy)
    peaks = []
    for n in (6_000, 24_000):
        table = _events_xy(n)
        table = _rows(table, np.argsort(table["x"])) if ordered else table
        names = [_write(tmp_path / f"{side}{n}.parquet", table, group=n // 4) for side in "ab"]
        sides = source_of(names[0], "generated"), source_of(names[1], "reference")
        wish = _wish(observables=["x", "y"], bins=20, memory=2**20)
        most[0] = 0
        found = stream(sides, wish, Threads(workers=2))
        assert found.found[0].total == found.found[1].total == n
        peaks.append(most[0])
    assert max(peaks) <= 1_000 + 2 * 3 * 150


def _wish(**asked: Any) -> Wish:
    defaults = {
        "observables": None,
        "weights": (None, None),
        "by": None,
        "bins": 50,
        "nonfinite": "error",
        "seed": 0,
        "memory": 2**29,
    }
    return Wish(**(defaults | asked))


def _events_xy(n: int) -> Table:
    return {name: values for name, values in _events(6, n).items() if name in {"x", "y"}}


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("ordered", [False, True])
def test_memory_does_not_grow(
    tmp_path: Path,
    ordered: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four times as many events take no more memory, in the pass in which bins are chosen anew neither."""
    monkeypatch.setattr(streaming, "_CHUNKS", (500, 1_000))
    peaks = []
    for n in (30_000, 120_000):
        table = _events_xy(n)
        order = np.argsort(table["x"]) if ordered else np.arange(n)
        paths = [str(tmp_path / f"{side}{n}.npz") for side in "ab"]
        for path, rows in zip(paths, (order, order[::-1]), strict=True):
            np.savez(path, **_rows(table, rows))
        sides = source_of(paths[0], "generated"), source_of(paths[1], "reference")
        parts = [sources.FilePart(side.parts[0].piece, 0, n, n, n) for side in sides]
        sides = tuple(replace(side, parts=[part]) for side, part in zip(sides, parts, strict=True))  # type: ignore[assignment]
        tracemalloc.start()
        found = stream(sides, _wish(observables=["x", "y", ("x", "y")], bins=10, memory=2**20), Threads(workers=2))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.looked_at["drawn"] is ordered
        assert found.found[0].total == n
    assert peaks[1] < 1.3 * peaks[0] + 2e5
    assert peaks[1] < 12 * 120_000  # what the columns take


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["generated", "reference"])
@pytest.mark.parametrize(
    "observable", ["x", ("x", "y"), KDTree(("x", "y", "n")), ("s", sum_of_columns), Selection("x", "n2")]
)
def test_nonfinite_values_are_placed(tmp_path: Path, value: float, where: str, observable: Any) -> None:
    """NaN and infinite values are refused, and the file, the rows and the observable are named."""
    tables = [dict(GENERATED), dict(REFERENCE)]
    bad = 0 if where == "generated" else 1
    tables[bad]["x"] = tables[bad]["x"].copy()
    tables[bad]["x"][2_100] = value
    for table in tables:
        table["n2"] = np.ones(len(table["x"]), dtype=bool)
        del table["jet"], table["hole"]
    names = [_files(tmp_path, name, table) for name, table in zip(("gen", "ref"), tables, strict=True)]
    with pytest.raises(InputError) as caught:
        _validate(*names, observables=[observable])
    said = str(caught.value)
    name = {"x": "x", ("x", "y"): "x:y"}.get(observable if isinstance(observable, tuple | str) else "", "")
    assert f"{where}: observable" in said
    assert name in said
    assert ("1 NaN and 0 infinite" if np.isnan(value) else "0 NaN and 1 infinite") in said
    file, rest = said.split(": rows ", maxsplit=1)
    rows = rest.split(":", maxsplit=1)[0]
    first, last = (int(row.replace(",", "")) for row in rows.split(" to "))
    whole = [Path(one) for one in names[bad]]
    sizes = [pq.read_metadata(one).num_rows for one in whole]
    start = sum(sizes[: [str(one) for one in whole].index(file)])
    assert first <= 2_100 - start <= last
    assert last - first < 200


@pytest.mark.parametrize("side", [0, 1])
def test_a_column_that_a_file_lacks(tmp_path: Path, side: int) -> None:
    """A column that is asked for and missing in one of many files is an error that names that file."""
    tables = [_rows(GENERATED, slice(0, 500)), _rows(REFERENCE, slice(0, 500))]
    names = [_files(tmp_path, name, table, 2) for name, table in zip(("gen", "ref"), tables, strict=True)]
    without = {name: values for name, values in tables[side].items() if name not in {"y", "ok"}}
    names[side].append(_write(tmp_path / "without.parquet", without))
    sides = ("generated", "reference")
    for observables in (["y"], [("x", "y")], [Selection("x", "ok")], [Mean("y")], [sum_of_columns]):
        with pytest.raises((InputError, InputTypeError), match=r"without\.parquet") as caught:
            _validate(*names, observables=observables)
        assert sides[side] in str(caught.value)
    with pytest.raises(InputError, match=r"without\.parquet"):
        _validate(*names, observables=["x"], weight=("y", None) if side == 0 else (None, "y"))
    with pytest.raises(InputError, match=r"without\.parquet"):
        _validate(*names, observables=["x"], by="y")
    with pytest.raises(InputError, match=r"(ok|y)' is not in .*without\.parquet; name the observables"):
        _validate(*names, nonfinite="overflow")


@pytest.mark.parametrize("side", [0, 1])
def test_a_column_that_one_side_cannot_be_read_of(tmp_path: Path, side: int) -> None:
    """A column that one side has and of the other cannot be read is not left out unasked."""
    tables = [_arrow(_rows(table, slice(0, 500))) for table in (GENERATED, REFERENCE)]
    nested = pa.array([[[1.0]]] * 500)
    tables[side] = tables[side].set_column(tables[side].schema.get_field_index("y"), "y", nested)
    names = [str(tmp_path / f"{name}.parquet") for name in ("gen", "ref")]
    for name, table in zip(names, tables, strict=True):
        pq.write_table(table, name)
    with pytest.raises(InputError, match=r"column 'y' is of type list<.*name the observables"):
        _validate(*names)
    assert _validate(*names, observables=["x"]).comparisons


@pytest.mark.parametrize("bins", [8, [-1.0, 0.0, 1.0]])
def test_strata_of_rows_that_were_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bins: Any) -> None:
    """A value of the condition that only late rows have is a stratum, whatever the bins are."""
    monkeypatch.setattr(streaming, "SIZE", 1_000)
    monkeypatch.setattr(spread, "SOME", 500)
    tables = []
    for table in (GENERATED, REFERENCE):
        late = {name: table[name].copy() for name in ("x", "e")}
        late["e"][-300:-150], late["e"][-150:] = 15.0, 17.0
        tables.append(late)
    names = [_write(tmp_path / f"{name}.parquet", table, 2_000) for name, table in zip("gr", tables, strict=True)]
    found = _validate(*names, observables=["x"], by="e", bins=bins, min_expected=1)
    assert {"x | e = 15", "x | e = 17"} <= set(found.comparisons)


def test_selections_of_rows_that_were_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A selection that none of the looked-at rows passes is binned from rows drawn out of all."""
    monkeypatch.setattr(streaming, "SIZE", 1_000)
    monkeypatch.setattr(spread, "SOME", 500)
    tables = []
    for table in (GENERATED, REFERENCE):
        late = {"x": table["x"], "ok": np.arange(len(table["x"])) >= len(table["x"]) - 600}
        tables.append(late)
    names = [_write(tmp_path / f"{name}.parquet", table, 5_000) for name, table in zip("gr", tables, strict=True)]
    found = _validate(*names, observables=[Selection("x", "ok")])
    assert found.provenance["streamed"]["drawn"]
    assert found.histograms["x where ok"].bins > 10


def test_columns_without_a_name(tmp_path: Path) -> None:
    """A column without a name is not taken for weights: it is left out, and said to be."""
    names = []
    for name, table in (("gen", GENERATED), ("ref", REFERENCE)):
        columns = pa.table([pa.array(table["x"]), pa.array(np.exp(table["x"]))], names=["x", ""])
        pq.write_table(columns, tmp_path / f"{name}.parquet")
        names.append(str(tmp_path / f"{name}.parquet"))
    found = _validate(*names)
    assert found.comparisons["x"].n_generated == pytest.approx(N_GENERATED)
    assert "no name" in found.provenance["skipped_columns"][""]
    with pytest.raises(InputError, match="a column has no name"):
        _validate({"x": GENERATED["x"], "": GENERATED["w"]}, names[1])


def test_weights_that_cancel(tmp_path: Path) -> None:
    """Weights without a positive sum are an error on either side, in strata or not, and no warning."""
    table = {"x": REFERENCE["x"], "e": REFERENCE["e"], "w": np.where(np.arange(N_REFERENCE) % 2, 1.0, -1.0)}
    name = _write(tmp_path / "cancel.parquet", table)
    good = {**table, "w": np.ones(N_REFERENCE)}
    for sides in ((name, good), (good, name)):
        for by in (None, "e"):
            with pytest.raises(InputError, match=r"total weight|expected events on both sides"):
                _validate(*sides, observables=["x"], weight="w", by=by, bins=[0.0, 1.0])


def test_rows_of_many_entries_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows are read and kept at a time, the larger they are."""
    wide = {"x": REFERENCE["x"], "hits": Entries(np.ones(500 * N_REFERENCE), np.full(N_REFERENCE, 500))}
    chunks: list[int] = []
    read = sources.MemoryPart.chunks

    def spied(part: Any, columns: Any, chunk: int) -> Any:
        chunks.append(chunk)
        return read(part, columns, chunk)

    monkeypatch.setattr(sources.MemoryPart, "chunks", spied)
    monkeypatch.setattr(streaming, "_CHUNKS", (64, 100_000))
    _stream(wide, {**wide, "x": GENERATED["x"][:2_000].repeat(2)[:N_REFERENCE]}, memory=2**24)
    assert max(chunks[2:]) * 500 * 8 < 2**24
    assert thinning.row_bytes({"x": np.ones(3), "hits": Entries(np.ones(30), np.full(3, 10))}) == 8 + 80 + 8


OTHER = {
    "text": np.array(["a", "b"] * 250),
    "entries": Entries(np.ones(1_000), np.full(500, 2)),
    "missing numbers": pa.array([None, 1.5] * 250),
}


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("observable", ["x", ("x", "y"), Selection("x", "ok"), ("twice", lambda events: events["x"])])
def test_a_column_of_another_type(tmp_path: Path, kind: str, side: int, observable: Any) -> None:
    """A column that is of another type in a later file is an error that names that file."""
    tables = [_rows(GENERATED, slice(0, 500)), _rows(REFERENCE, slice(0, 500))]
    names = [_files(tmp_path, name, table, 1) for name, table in zip(("gen", "ref"), tables, strict=True)]
    names[side].append(_write(tmp_path / "other.parquet", tables[side] | {"x": OTHER[kind]}))
    with pytest.raises((InputError, InputTypeError), match=r"other\.parquet"):
        _validate(*names, observables=[observable])


def test_entries_in_the_first_file_only(tmp_path: Path) -> None:
    """A column of several entries per event is one in all files, or the file is named."""
    one = {"x": GENERATED["x"][:300], "jet": GENERATED["jet"][:300]}
    first = _write(tmp_path / "first.parquet", one)
    second = _write(tmp_path / "second.parquet", one | {"jet": np.ones(300)})
    for names in ((first, [first, second]), ([first, second], first)):
        with pytest.raises(InputError, match=r"second\.parquet.*'jet' holds numbers here"):
            _validate(*names, observables=["jet"])


@pytest.mark.parametrize("plain", ["generated", "reference"])
def test_entries_on_one_side(tmp_path: Path, plain: str) -> None:
    """A column of one number per event on one side and several on the other is compared as in memory."""
    tables = [{"jet": GENERATED["jet"][:900]}, {"jet": REFERENCE["jet"][:900]}]
    tables[0 if plain == "generated" else 1] = {"jet": np.random.default_rng(1).exponential(size=900)}
    names = [_files(tmp_path, name, table) for name, table in zip(("gen", "ref"), tables, strict=True)]
    ours, theirs = _validate(*names, observables=["jet"]), _validate(*tables, observables=["jet"])
    assert list(theirs.comparisons) == ["jet", f"jet{MULTIPLICITY}"]
    assert ours.comparisons == theirs.comparisons


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize("rows", [700, 3_099, 5_000])
def test_a_file_that_changes_between_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """A file that becomes shorter or longer after the look at it is an error."""
    table = {"x": REFERENCE["x"]}
    path = _write(tmp_path / "a.parquet", table, group=10_000)
    original = streaming._filled

    def late(*arguments: Any) -> Any:
        _write(tmp_path / "a.parquet", {"x": np.resize(REFERENCE["x"], rows)}, group=10_000)
        return original(*arguments)

    monkeypatch.setattr(streaming, "_filled", late)
    with pytest.raises(InputError, match=r"a\.parquet.*changed"):
        _validate({"x": GENERATED["x"]}, path, observables=["x"])


@pytest.mark.parametrize(
    "observable",
    [Mean("x"), Classifier(("x", "y"), Linear()), Estimator("m", lambda events: float(events["x"].mean()))],
)
def test_all_events_at_once_need_memory(files: tuple[list[str], list[str]], observable: Any) -> None:
    """An observable that needs all events is refused if they do not fit, and is compared if they do."""
    with pytest.raises(InputError, match=r"needs all events at once.*GB, more than memory=2e\+05 bytes"):
        _stream(*files, observables=[observable, "x"], memory=2e5, nonfinite={})
    assert len(_stream(*files, observables=[observable, "x"], memory=2e7, nonfinite={}).questions) == 2


def test_no_events(tmp_path: Path) -> None:
    """Files without events are refused by the side's name; one among others changes nothing."""
    x = {"x": GENERATED["x"]}
    full, empty = _write(tmp_path / "full.parquet", x), _write(tmp_path / "empty.parquet", {"x": np.empty(0)})
    with pytest.raises(InputError, match=r"generated: .*empty\.parquet: there are no events"):
        _validate(empty, full)
    ours = _validate([empty, full], {"x": REFERENCE["x"]})
    assert ours.comparisons == _validate(x, {"x": REFERENCE["x"]}).comparisons


@pytest.mark.parametrize("lengths", [(0, 0, 500), (300, 0, 300), (0, 600)])
def test_files_of_unknown_length(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """Files whose length only reading tells may be empty, the first one too, on either side."""
    names: dict[str, list[str]] = {}
    for side, seed in (("gen", 1), ("ref", 2)):
        x, start = np.round(np.random.default_rng(seed).normal(size=sum(lengths)), 12), 0
        names[side] = []
        for i, n in enumerate(lengths):
            path = tmp_path / f"{side}{i}.csv"
            path.write_text("x,y\n" + "".join(f"{v!r},{v * 2!r}\n" for v in x[start : start + n].tolist()))
            names[side].append(str(path))
            start += n
    tables = [
        {"x": x, "y": 2 * x}
        for x in (np.round(np.random.default_rng(seed).normal(size=sum(lengths)), 12) for seed in (1, 2))
    ]
    for asked in ({}, {"observables": ["x", ("x", "y")]}):
        _same(_validate(names["gen"], names["ref"], **asked), _validate(*tables, **asked))


@pytest.mark.usefixtures("_few")
def test_many_files_of_unknown_length(tmp_path: Path) -> None:
    """Bins of long files whose length only reading tells are chosen from all over them."""
    x = np.sort(np.random.default_rng(3).normal(size=8_000))
    names = []
    for i, part in enumerate(np.split(x, 8)):
        (tmp_path / f"{i}.csv").write_text("x\n" + "\n".join(map(repr, part.tolist())) + "\n")
        names.append(str(tmp_path / f"{i}.csv"))
    found = _stream({"x": GENERATED["x"]}, names, observables=["x"], bins=10)
    assert found.looked_at == {"bins_from_rows": found.looked_at["bins_from_rows"], "drawn": True}
    assert 400 < found.looked_at["bins_from_rows"] <= 1_000
    assert found.found[1].total == 8_000
    assert np.abs(_shares(found.questions[0]) * 10 - 1).max() < 0.5


def test_errors_stop_everything(tmp_path: Path) -> None:
    """A damaged file among many is named, the others are left, and no thread is."""
    before = _threads()
    names = [_write(tmp_path / f"{i}.parquet", _rows(_events_xy(900), slice(i * 90, i * 90 + 90))) for i in range(10)]
    data = bytearray(Path(names[6]).read_bytes())
    data[200:900] = bytes(700)
    Path(names[6]).write_bytes(data)
    with pytest.raises(InputError, match=r"6\.parquet: from row 0 on: cannot be read as Parquet|6\.parquet"):
        _validate(names[:5], names[5:])
    assert _threads() == before


@pytest.mark.parametrize("at", [1, 7, 30])
def test_interruption(files: tuple[list[str], list[str]], at: int) -> None:
    """Whoever interrupts the reading is obeyed at once, and no thread is left."""
    told: list[int] = []

    def tick(rows: int) -> None:
        told.append(rows)
        if len(told) == at:
            raise KeyboardInterrupt

    sides = source_of(files[0], "generated"), source_of(files[1], "reference")
    wish = Wish(observables=["x"], weights=(None, None), by=None, bins=20, nonfinite="error", seed=0, memory=2**20)
    before = _threads()
    with pytest.raises(KeyboardInterrupt):
        stream(sides, wish, Threads(tick, 2))
    assert len(told) <= at + 2
    assert _threads() == before


def test_ticks_are_all_events(files: tuple[list[str], list[str]]) -> None:
    """What progress is told adds up to the events of both sides."""
    told: list[int] = []
    sides = source_of(files[0], "generated"), source_of(files[1], "reference")
    wish = Wish(observables=["x"], weights=(None, None), by=None, bins=20, nonfinite="error", seed=0, memory=2**20)
    stream(sides, wish, Threads(told.append))
    assert sum(told) == N_GENERATED + N_REFERENCE


GATE = """
    import pytest

    @pytest.mark.ganvalid(n_required=100, observables=["x", ("x", "y")], min_power=0)
    def test_good(ganvalid):
        report = ganvalid.check("gen*.parquet", "ref*.parquet")
        assert report.provenance["generated_events"] == 2600

    @pytest.mark.ganvalid(n_required=100, observables=["x"], min_power=0)
    def test_bad(ganvalid):
        ganvalid.check("bad.parquet", "ref*.parquet")

    @pytest.mark.ganvalid(n_required=100)
    def test_missing(ganvalid):
        ganvalid.check("none.parquet", "ref*.parquet")
"""


def test_gate(pytester: pytest.Pytester) -> None:
    """A marked test hands over the names of files; a bad generator fails it, and so does a file that is not there."""
    _files(pytester.path, "gen", _rows(GENERATED, slice(None)))
    _files(pytester.path, "ref", REFERENCE)
    _write(pytester.path / "bad.parquet", _events(9, 2_000, shift=1.0))
    pytester.makepyfile(GATE)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*BIASED*"])
    result.stdout.fnmatch_lines(["*generated: none.parquet: there is no such file*"])
    assert "reading" not in result.stderr.str()


def _tensors(table: Table, names: Sequence[str]) -> Any:
    torch: Any = pytest.importorskip("torch")
    return device_source({name: torch.from_numpy(np.array(table[name])) for name in names})


DEVICE: dict[str, dict[str, Any]] = {
    "columns": {"observables": ["x", "y", "n"]},
    "all columns": {},
    "pairs": {"observables": [("x", "y"), ("n", "x")], "bins": 25},
    "weights": {"observables": ["x", ("x", "y")], "weight": ("w", None)},
    "edges": {"observables": [("x", "y")], "bins": ([-1.0, 1.0], [0.0])},
}


@pytest.mark.parametrize("kind", DEVICE)
def test_tensors_stay_on_their_device(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors give the comparisons of arrays, and once they have been looked at none becomes an array."""
    names = ("x", "y", "n", "w") if "weight" in DEVICE[kind] else ("x", "y", "n")
    tables = [{name: table[name] for name in names} for table in (GENERATED, REFERENCE)]
    theirs = _validate(*tables, **DEVICE[kind])
    original = streaming._filled

    def filling(job: Any, source: Any, runner: Any) -> Any:
        if isinstance(source.parts[0], DevicePart):
            assert job.fits_a_device
            with monkeypatch.context() as patch:
                patch.setattr(DevicePart, "chunks", _fail)
                return original(job, source, runner)
        return original(job, source, runner)

    monkeypatch.setattr(streaming, "_filled", filling)
    ours = _validate(_tensors(GENERATED, names), tables[1], **DEVICE[kind])
    assert ours.comparisons == theirs.comparisons
    assert ours.shared == theirs.shared
    weightless = {key: value for key, value in DEVICE[kind].items() if key != "weight"}
    both = _validate(_tensors(GENERATED, names), _tensors(REFERENCE, names), **weightless)
    assert both.comparisons == _validate(*tables, **weightless).comparisons


def _fail(*_: object) -> None:
    msg = "events leave the device"
    raise AssertionError(msg)


@pytest.mark.parametrize("kind", ["functions", "selections", "tree", "estimators", "strata of quantiles"])
def test_tensors_of_any_observable(kind: str) -> None:
    """What cannot be filled on a device is filled elsewhere, and is the same."""
    names = ("x", "y", "n", "e", "ok")
    asked = dict(ASKED[kind])
    asked["observables"] = [one for one in asked["observables"] if one is not hard and "jet" not in str(one)]
    tables = [{name: table[name] for name in names} for table in (GENERATED, REFERENCE)]
    ours = _validate(_tensors(GENERATED, names), tables[1], **asked)
    assert ours.comparisons == _validate(*tables, **asked).comparisons


def test_tensors_with_nonfinite_values() -> None:
    """NaN on a device is refused with the name of the observable, or placed as in memory."""
    tables = [{"x": table["x"], "hole": table["hole"]} for table in (GENERATED, REFERENCE)]
    with pytest.raises(InputError, match=r"events 0 to .*: generated: observable 'hole'.* NaN"):
        _validate(_tensors(GENERATED, ("x", "hole")), {**tables[1], "hole": tables[1]["x"]}, observables=["hole"])
    for place in ("underflow", "overflow", "separate"):
        ours = _validate(_tensors(GENERATED, ("x", "hole")), tables[1], observables=["hole", "x"], nonfinite=place)
        assert ours.comparisons == _validate(*tables, observables=["hole", "x"], nonfinite=place).comparisons


def test_tensors_with_bad_weights() -> None:
    """Weights on a device are checked as those of arrays are."""
    table = {"x": GENERATED["x"], "w": GENERATED["w"].copy()}
    table["w"][2_000] = np.nan
    for generated in (table, _tensors(table, ("x", "w"))):
        with pytest.raises(InputError, match=r"1 of .* weights are NaN"):
            _validate(generated, {"x": REFERENCE["x"]}, observables=["x"], weight=("w", None))


def test_copies_are_found_on_a_device() -> None:
    """Rows that tensors share with the reference are found."""
    copied = {"x": GENERATED["x"].copy(), "y": GENERATED["y"].copy()}
    for name, values in copied.items():
        values[:50] = REFERENCE[name][100:150]
    found = _validate(_tensors(copied, ("x", "y")), {name: REFERENCE[name] for name in "xy"})
    assert "50 of 2,600 generated rows" in found.reasons[0]
    assert found.verdict is gv.Verdict.UNPROVEN


def test_nothing_is_printed(files: tuple[list[str], list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written to the terminal by a check that is no pytest run."""
    _validate(*files, observables=["x"])
    assert capfd.readouterr() == ("", "")
    assert "pyarrow" in sys.modules

"""One road: the same events give the same answer, however they are handed over."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid import Entries, Report
from pytest_ganvalid.errors import GanvalidError
from pytest_ganvalid.observables import Condition, KDTree, Selection
from pytest_ganvalid.pipeline.summary import added

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")
dask = pytest.importorskip("dask")

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handed:
    """Two samples, and what is asked of them.

    Attributes:
        generated: In parts.
        reference: Likewise.
        keywords: Those of `pytest_ganvalid.validate`.
    """

    generated: Sequence[Table] = field(repr=False)
    reference: Sequence[Table] = field(repr=False)
    keywords: Mapping[str, Any]


def rows(table: Table) -> int:
    """Number of events."""
    return len(next(iter(table.values())))


def joined(parts: Sequence[Table]) -> Table:
    """All events in one table."""
    table: Table = {}
    for name, first in parts[0].items():
        columns = [part[name] for part in parts]
        if isinstance(first, Entries):
            table[name] = Entries(
                np.concatenate([c.values for c in columns]), np.concatenate([c.counts for c in columns])
            )
        else:
            table[name] = np.concatenate(columns)
    return table


def cut(table: Table, stops: Sequence[int]) -> list[Table]:
    """Consecutive parts of a table."""
    starts = [0, *stops]
    return [
        {name: values[a:b] for name, values in table.items()}
        for a, b in zip(starts, [*stops, rows(table)], strict=True)
        if b > a
    ]


def arrow(table: Table) -> Any:
    """An arrow table."""
    columns = {}
    for name, values in table.items():
        if isinstance(values, Entries):
            offsets = np.concatenate([[0], np.cumsum(values.counts)]).astype(np.int32)
            columns[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.values))
        else:
            columns[name] = pa.array(values)
    return pa.table(columns)


def in_files(parts: Sequence[Table], folder: Path, stem: str, suffix: str) -> list[str]:
    """Write each part to a file."""
    names = []
    for i, part in enumerate(parts):
        path = folder / f"{stem}{i}{suffix}"
        if suffix == ".npz":
            np.savez(path, **part)
        elif suffix == ".parquet":
            parquet.write_table(arrow(part), path)
        elif suffix == ".feather":
            feather.write_feather(arrow(part), path)
        else:
            names_, columns = list(part), list(part.values())
            lines = [",".join(names_), *(",".join(str(c[i].item()) for c in columns) for i in range(rows(part)))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        names.append(str(path))
    return names


def in_dask(parts: Sequence[Table]) -> dict[str, Any]:
    """A mapping of Dask arrays, a chunk for each part."""
    da: Any = pytest.importorskip("dask.array")
    return {name: da.concatenate([da.from_array(part[name], chunks=-1) for part in parts]) for name in parts[0]}


def outcome(generated: object, reference: object, keywords: Mapping[str, Any]) -> tuple[str, Any]:
    """The whole report but for where the events come from, or the error but for the place where it was met."""
    try:
        report = gv.validate(generated, reference, **keywords)
    except GanvalidError as error:
        return type(error).__name__, words(error)
    content = json.loads(report.to_json())
    for side in ("generated", "reference"):
        del content["provenance"][side]
    return "Report", content


def words(error: GanvalidError) -> str:
    """What is wrong, wherever it was met: of a chunk it is said how many values are, in the first such observable."""
    return re.sub(r"'[^']*'|[\d,]+", "#", error.message).removeprefix("reference: ").removeprefix("generated: ")


def decided(report: Report) -> dict[str, Any]:
    """What histograms without rows must agree on: all numbers, and which rows are shared."""
    content = json.loads(report.to_json())
    search = content["provenance"]["independence"]
    shared = {tuple(overlap["sides"]): overlap["beyond_chance"] for overlap in search["overlaps"]}
    comparisons = {name: dict(c, reasons=None) for name, c in content["comparisons"].items()}
    return {
        "verdict": content["verdict"],
        "comparisons": comparisons,
        "skipped": content["skipped"],
        "rates": [note for note in content["notes"] if "occur" in note],
        "shared": shared,
        "duplicated": search["duplicated"],
    }


def alike(a: Any, b: Any) -> bool:
    """Whether two documents are equal, but for how sums of weighted entries are rounded."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(value, b[name]) for name, value in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-9)))


def table(rng: np.random.Generator, n: int, kinds: Sequence[str], shift: float) -> Table:
    """Events with columns of some kinds."""
    makers: dict[str, Any] = {
        "x": lambda: rng.normal(shift, 1, n),
        "y": lambda: np.round(rng.exponential(20, n), 1),
        "f": lambda: rng.normal(size=n).astype(np.float32),
        "k": lambda: rng.integers(0, 3, n),
        "n": lambda: rng.poisson(3, n).astype(float),
        "b": lambda: rng.random(n) < 0.5,
        "w": lambda: np.where(rng.random(n) < 0.1, -1.0, 1.0) * rng.lognormal(0, 0.3, n),
        "t": lambda: rng.choice(np.array(["a", "bc"]), n),
        "nan": lambda: np.where(rng.random(n) < 0.02, rng.choice([np.nan, np.inf], n), rng.normal(size=n)),
        "j": lambda: _jagged(rng, n),
        "one": lambda: np.full(n, 3.0),
        "id": lambda: np.arange(n),
        "mine": lambda: rng.normal(size=n),
    }
    return {kind: makers[kind]() for kind in kinds}


def _jagged(rng: np.random.Generator, n: int) -> Entries:
    counts = rng.poisson(2, n)
    return Entries(rng.exponential(1, counts.sum()), counts)


OBSERVABLES: dict[str, tuple[str, Any]] = {
    "a column": ("x", "x"),
    "coarse": ("y", "y"),
    "integers": ("n", "n"),
    "single precision": ("f", "f"),
    "a pair": ("xy", ("x", "y")),
    "a tree": ("xyf", KDTree(("x", "y", "f"), name="tree")),
    "a selection": ("xb", Selection("x", where="b")),
    "entries": ("j", "j"),
    "reduced entries": ("j", "leading(j)"),
    "undefined": ("nan", "nan"),
}


@st.composite
def handed(draw: st.DrawFn) -> Handed:
    """Two samples of any columns, in parts of any sizes, with any settings."""
    names = draw(st.lists(st.sampled_from(sorted(OBSERVABLES)), min_size=1, max_size=3, unique=True))
    needed = {
        letter
        for name in names
        if name not in ("undefined", "entries", "reduced entries")
        for letter in OBSERVABLES[name][0]
    }
    needed |= {OBSERVABLES[name][0] for name in names if name in ("undefined", "entries", "reduced entries")}
    everything = draw(st.booleans())
    extra = draw(st.sets(st.sampled_from(["x", "f", "k", "t", "one", "id"])))
    by = draw(st.sampled_from([None, "k", {"x": [0.0]}, ("x", 2), Condition("k", imposed=True)]))
    weighted = draw(st.booleans())
    kinds = needed | extra | ({"w"} if weighted else set())
    kinds |= set() if by is None else {"k"} if by == "k" or isinstance(by, Condition) else {"x"}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sides = []
    for shift in (0.0, draw(st.sampled_from([0.0, 0.3]))):
        n = draw(st.integers(150, 400))
        whole = table(rng, n, sorted(kinds), shift)
        stops = draw(st.lists(st.integers(1, n - 1), max_size=4, unique=True))
        sides.append(draw(st.permutations(cut(whole, sorted(stops)))))
    reference, generated = sides
    if everything:
        generated = [{**part, **table(rng, rows(part), ["mine"], 0.0)} for part in generated]
        lost = draw(st.sampled_from([None, None, None, *sorted(kinds - {"w"})]))
        if lost is not None and len(kinds) > 1 and "nan" not in kinds:  # of two faults either may be met first
            generated = [{name: values for name, values in part.items() if name != lost} for part in generated]
    copied = draw(st.sampled_from([0, 0, 3, 40]))
    if copied:
        source, target = reference[0], generated[-1]
        m = min(copied, rows(source), rows(target))
        head = {name: (source if name in source else target)[name][:m] for name in target}
        whole = joined([head, {name: values[m:] for name, values in target.items()}])
        generated = [*generated[:-1], whole]
    keywords: dict[str, Any] = {
        "n_required": draw(st.sampled_from([5, 30])),
        "observables": None if everything else [OBSERVABLES[name][1] for name in names],
        "bins": draw(st.sampled_from([4, 7])),
        "weight": "w" if weighted else None,
        "by": by,
        "nonfinite": draw(st.sampled_from(["error", "underflow", "overflow", "separate"])),
    }
    return Handed(generated, reference, keywords)


@given(handed())
@settings(max_examples=8, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
def test_the_same_events_give_the_same_report(events: Handed) -> None:
    """Arrays, files of three formats, Dask and a mixture give one report, or errors equal in type and words."""
    keywords = events.keywords
    expected = outcome(joined(events.generated), joined(events.reference), keywords)
    plain = not any(
        isinstance(v, Entries) for part in (events.generated[0], events.reference[0]) for v in part.values()
    )
    with tempfile.TemporaryDirectory() as name, dask.config.set(scheduler="synchronous"):
        folder = Path(name)
        suffixes = [".parquet", ".feather", *([".npz"] if plain else [])]
        for suffix in suffixes:
            sides = [
                in_files(parts, folder, stem, suffix)
                for parts, stem in ((events.generated, "g"), (events.reference, "r"))
            ]
            assert alike(outcome(sides[0], sides[1], keywords), expected), suffix
        assert alike(outcome(sides[0], joined(events.reference), keywords), expected), "a mixture"
        if plain:
            sides_ = [in_dask(parts) for parts in (events.generated, events.reference)]
            assert alike(outcome(sides_[0], sides_[1], keywords), expected), "Dask"


@given(handed(), st.randoms(use_true_random=False))
@settings(max_examples=8, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
def test_stored_histograms_give_the_same_decision(events: Handed, order: Any) -> None:
    """Parts that are filled, stored and merged in any order give the numbers and the shared rows of the events."""
    keywords = dict(events.keywords)
    n_required, weight = keywords.pop("n_required"), keywords.pop("weight")
    expected = outcome(joined(events.generated), joined(events.reference), events.keywords)
    if expected[0] != "Report":
        with pytest.raises(GanvalidError) as caught:
            stored(events, weight, keywords, n_required)
        assert (type(caught.value).__name__, words(caught.value)) == expected
        return
    merged = stored(events, weight, keywords, n_required, order)
    whole = gv.validate(joined(events.generated), joined(events.reference), **events.keywords)
    assert alike(decided(merged), decided(whole))


def stored(
    events: Handed, weight: str | None, keywords: Mapping[str, Any], n_required: float, order: Any = None
) -> Report:
    """The report on histograms of parts, merged in some order."""
    whole = gv.fill(joined(events.reference), weight=weight, **keywords)
    sides = []
    for parts in (events.generated, events.reference):
        texts = [gv.fill(part, like=whole).to_json() for part in parts]
        if order is not None:
            order.shuffle(texts)
        sides.append(added(("", gv.Histograms.from_json(text)) for text in texts))
    return gv.validate(sides[0], sides[1], n_required=n_required)


FAULTS: dict[str, Any] = {
    "as they are": lambda values: values,
    "in single precision": lambda values: values.astype(np.float32) if values.dtype.kind == "f" else values,
    "in half precision": lambda values: values.astype(np.float16) if values.dtype.kind == "f" else values,
    "to four decimals": lambda values: np.round(values, 4) if values.dtype.kind == "f" else values,
}


def sample(n: int, seed: int) -> Table:
    """Events of two fine columns, a coarse one, a count and a label."""
    rng = np.random.default_rng(seed)
    return {
        "pt": np.round(rng.exponential(20, n), 1),
        "njets": rng.poisson(3, n).astype(float),
        "eta": rng.normal(0, 1, n),
        "phi": rng.uniform(-3, 3, n),
        "label": np.full(n, seed),
    }


def planted(share: float, how: str, n: int = 20_000) -> tuple[Table, Table]:
    """A reference, and generated events of which a share are copies of its events, rounded and shuffled."""
    reference, generated = sample(n, 1), sample(n, 2)
    copies, order = round(share * n), np.random.default_rng(3).permutation(n)
    for name in ("pt", "njets", "eta", "phi"):
        values = generated[name]
        values[:copies] = reference[name][:copies]
        generated[name] = FAULTS[how](values)[order]
    return generated, reference


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize(("share", "observables"), [(0.01, ["pt", "njets"]), (0.5, ["njets"])], ids=str)
def test_copies_are_found_on_every_road(share: float, how: str, observables: list[str], tmp_path: Path) -> None:
    """Copied events leave the check UNPROVEN, whatever is compared, and in however many parts they come."""
    generated, reference = planted(share, how)
    ask: dict[str, Any] = {"n_required": 50, "observables": observables, "bins": 10}
    stops = [1_000, 1_100, 15_000]
    files = [in_files(cut(t, stops), tmp_path, stem, ".npz") for t, stem in ((generated, "g"), (reference, "r"))]
    whole = gv.fill(files[1], observables=observables, bins=10)
    parts = [gv.Histograms.from_json(gv.fill(part, like=whole).to_json()) for part in cut(generated, stops)[::-1]]
    reports = [
        gv.validate(generated, reference, **ask),
        gv.validate(files[0], files[1], **ask),
        gv.validate(generated, files[1], **ask),
        gv.validate(added(("", part) for part in parts), whole, n_required=50),
        gv.validate(generated, whole, n_required=50),
    ]
    if share == 0.01 and how in ("in half precision", "to four decimals"):
        # A stored sketch holds a fifth of these rows: that it may not see so few rounded copies is said.
        seen = [report.provenance["independence"]["overlaps"][0]["seen_rounded_from"] for report in reports[3:]]
        assert min(seen) > 0.005
        assert all("rounded copies" in " ".join(report.notes) for report in reports[3:])
        reports = reports[:3]
    assert [report.verdict for report in reports] == ["UNPROVEN"] * len(reports)
    assert all("are also in the reference sample" in report.shared[0] for report in reports)


@pytest.mark.parametrize("how", FAULTS)
def test_no_copies_are_found_where_there_are_none(how: str, tmp_path: Path) -> None:
    """Without copies every road is ROBUST, however the generated events were rounded."""
    generated, reference = planted(0, how)
    files = [in_files(cut(t, [3_000]), tmp_path, stem, ".npz") for t, stem in ((generated, "g"), (reference, "r"))]
    whole = gv.fill(files[1], observables=["njets"], bins=10)
    reports = [
        gv.validate(generated, reference, n_required=500, observables=["njets"], bins=10),
        gv.validate(files[0], files[1], n_required=500, observables=["njets"], bins=10),
        gv.validate(gv.fill(generated, like=whole), whole, n_required=500),
    ]
    assert [report.verdict for report in reports] == ["ROBUST"] * 3


def test_long_samples_are_searched_in_a_sketch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With more rows than a sketch holds, and more shared rows than it shows, every road finds the copies."""
    from pytest_ganvalid.overlaps import fingerprint
    from pytest_ganvalid.pipeline import fill, preview, summary

    for module in (fingerprint, summary, fill):
        monkeypatch.setattr(module, "SIZE", 700)
    monkeypatch.setattr(fingerprint, "STORED", 500)
    monkeypatch.setattr(preview, "CHUNKS", (64, 512))
    generated, reference = planted(0.2, "in single precision")
    files = [in_files(cut(t, [3_000]), tmp_path, stem, ".npz") for t, stem in ((generated, "g"), (reference, "r"))]
    ask: dict[str, Any] = {"n_required": 50, "observables": ["njets"], "bins": 10}
    whole = gv.fill(reference, observables=["njets"], bins=10)
    reports = [
        gv.validate(generated, reference, **ask),
        gv.validate(files[0], files[1], **ask),
        gv.validate(gv.fill(files[0], like=whole), whole, n_required=50),
    ]
    overlaps = [report.provenance["independence"]["overlaps"][0] for report in reports]
    assert [report.verdict for report in reports] == ["UNPROVEN"] * 3
    assert overlaps[0] == overlaps[1]
    assert not any(overlap["exact"] for overlap in overlaps)
    assert all(overlap["rows_lower"] <= 4_000 <= overlap["rows_upper"] for overlap in overlaps)


def test_a_reference_that_was_read_twice_is_found_on_every_road(tmp_path: Path) -> None:
    """Rows that the reference has twice, as they are or in single precision, leave the check UNPROVEN everywhere."""
    for how in ("as they are", "in single precision"):
        generated, reference = sample(6_000, 2), sample(3_000, 1)
        twice = {name: np.concatenate([values, FAULTS[how](values)]) for name, values in reference.items()}
        (name,) = in_files([twice], tmp_path, "r", ".npz")
        whole = gv.fill(name, observables=["njets"], bins=10)
        reports = [
            gv.validate(generated, twice, n_required=50, observables=["njets"], bins=10),
            gv.validate(generated, name, n_required=50, observables=["njets"], bins=10),
            gv.validate(gv.fill(generated, like=whole), whole, n_required=50),
        ]
        assert [report.verdict for report in reports] == ["UNPROVEN"] * 3
        assert all("reference rows repeat another one" in report.shared[0] for report in reports)


@pytest.mark.parametrize("lacking", [(), ("label",), ("pt", "label"), ("eta", "label")], ids=str)
def test_a_reference_from_the_training_is_found_on_every_road(lacking: tuple[str, ...], tmp_path: Path) -> None:
    """A reference that holds training events leaves the check UNPROVEN, also if the training has fewer columns."""
    generated, reference = sample(6_000, 2), sample(6_000, 1)
    training = {n: np.concatenate([v[:300], sample(5_000, 7)[n]]) for n, v in reference.items() if n not in lacking}
    files = [in_files([t], tmp_path, stem, ".npz") for t, stem in ((generated, "g"), (reference, "r"), (training, "t"))]
    whole = gv.fill(reference, observables=["njets"], bins=10)
    ask: dict[str, Any] = {"n_required": 50, "observables": ["njets"], "bins": 10}
    reports = [
        gv.validate(generated, reference, training=training, **ask),
        gv.validate(files[0], files[1], training=files[2], **ask),
        gv.validate(generated, files[1], training=gv.fingerprint(training), **ask),
        gv.validate(gv.fill(generated, like=whole), whole, n_required=50, training=training),
        gv.validate(gv.fill(generated, like=whole), whole, n_required=50, training=files[2]),
    ]
    assert [report.verdict for report in reports] == ["UNPROVEN"] * 5
    assert all("training" in report.shared[0] for report in reports)


def test_a_reference_without_training_events_is_independent_on_every_road() -> None:
    """Training events that are not in the reference leave a good generator ROBUST, and n_train is counted."""
    generated, reference, training = sample(6_000, 2), sample(6_000, 1), sample(5_000, 7)
    whole = gv.fill(reference, observables=["njets"], bins=10)
    reports = [
        gv.validate(generated, reference, n_required=50, observables=["njets"], bins=10, training=training),
        gv.validate(gv.fill(generated, like=whole), whole, n_required=50, training=training),
    ]
    assert [report.verdict for report in reports] == ["ROBUST"] * 2
    assert {comparison.n_train for report in reports for comparison in report.comparisons.values()} == {5_000}


def test_a_generated_sample_without_the_columns_that_tell_events_apart_proves_nothing() -> None:
    """Copies without the columns that tell events apart cannot be seen, and so the check is UNPROVEN, with a remedy."""
    generated, reference = planted(0.5, "as they are")
    counts = {"njets": generated["njets"]}
    whole = gv.fill(reference, observables=["njets"], bins=10)
    reports = [
        gv.validate(counts, reference, n_required=50, observables=["njets"], bins=10),
        gv.validate(gv.fill(counts, like=whole), whole, n_required=50),
        gv.validate(counts, whole, n_required=50),
    ]
    assert [report.verdict for report in reports] == ["UNPROVEN"] * 3
    assert all("cannot be known" in report.shared[0] for report in reports)
    alone = gv.validate(counts, {"njets": reference["njets"]}, n_required=50, bins=10)
    assert "['njets'] do not tell events apart" in " ".join(alone.notes)


def complaints(generated: Table, reference: Table, folder: Path, **keywords: Any) -> set[tuple[str, Any]]:
    """What arrays, files, Dask and stored histograms make of a request that no verdict can be based on."""
    files = [in_files([t], folder, stem, ".npz") for t, stem in ((generated, "g"), (reference, "r"))]
    lazy = [in_dask([t]) for t in (generated, reference)]
    with dask.config.set(scheduler="synchronous"):
        sides = [(generated, reference), (files[0], files[1]), (lazy[0], lazy[1]), (files[0], reference)]
        return {outcome(ours, theirs, keywords) for ours, theirs in sides}


def test_an_unknown_weight_has_one_message(tmp_path: Path) -> None:
    """A column of weights that is not there is the same error on every road."""
    generated, reference = sample(500, 2), sample(500, 1)
    (complaint,) = complaints(generated, reference, tmp_path, n_required=5, weight="w")
    assert complaint[0] == "InputError"
    with pytest.raises(
        gv.InputError, match=r"there is no weight column 'w'; there are .*if only the other sample is weighted, weight="
    ):
        gv.validate(generated, reference, n_required=5, weight="w")
    with pytest.raises(gv.InputError, match="there is no weight column 'w'; there are"):
        gv.fill(generated, weight="w")


@pytest.mark.parametrize("side", [0, 1])
def test_weights_that_cancel_in_a_stratum_have_one_message(side: int, tmp_path: Path) -> None:
    """A stratum whose weights add up to nothing is the same error on every road, of stored histograms too."""
    sides = [sample(400, 2), sample(400, 1)]
    for i, table_ in enumerate(sides):
        table_["energy"] = np.repeat([10.0, 50.0], 200)
        table_["w"] = np.where((np.arange(400) < 200) & (i == side), np.tile([1.0, -1.0], 200), 1.0)
    ask: dict[str, Any] = {"observables": ["eta"], "weight": "w", "by": "energy", "bins": 4}
    (complaint,) = complaints(sides[0], sides[1], tmp_path, n_required=5, **ask)
    assert complaint[0] == "InputError"
    message = r"stratum energy = 10 has 200 generated and 200 reference events \(0 of the weight\)"
    with pytest.raises(gv.InputError, match=message):
        gv.validate(sides[0], sides[1], n_required=5, **ask)
    whole = gv.fill(sides[1], **ask)
    with pytest.raises(gv.InputError, match=message):
        gv.validate(gv.fill(sides[0], like=whole), whole, n_required=5)


def test_a_function_relative_to_its_sample_has_one_message(tmp_path: Path) -> None:
    """A function that is relative to its sample is the same error on every road, and no warning."""
    generated, reference = sample(500, 2), sample(500, 1)
    relative = [("pull", lambda events: (events["eta"] - events["eta"].mean()) / events["eta"].std(ddof=1))]
    (complaint,) = complaints(generated, reference, tmp_path, n_required=5, observables=relative)
    assert complaint[0] == "InputError"
    with pytest.raises(gv.InputError, match="is not the same for an event among others"):
        gv.validate(generated, reference, n_required=5, observables=relative)


@pytest.mark.parametrize("by", [{"energy": [0.0, 2.0, 4.0]}, ("energy", [0.0, 2.0, 4.0]), ["energy", [0.0, 2.0, 4.0]]])
def test_a_condition_may_be_given_in_any_form(by: object) -> None:
    """Edges of a condition are edges, whether in a mapping, a tuple or a list: they were not chosen from the events."""
    sides = [sample(600, 2), sample(600, 1)]
    for table_ in sides:
        table_["energy"] = np.tile([1.0, 3.0], 300)
    edges: list[float] = [-1.0, 0.0, 1.0]
    stored_ = [gv.fill(table_, observables=["eta"], by=by, bins=edges) for table_ in sides]
    report = gv.validate(stored_[0], stored_[1], n_required=5)
    assert list(report.comparisons) == ["eta | energy in [0, 2)", "eta | energy in [2, 4)"]
    whole = gv.validate(sides[0], sides[1], n_required=5, observables=["eta"], by=by, bins=edges)
    assert decided(report)["comparisons"] == decided(whole)["comparisons"]

"""What chunks of events leave adds up to what all of them leave, and what cannot be filled is refused by its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.pipeline import fill
from pytest_ganvalid.pipeline import summary as module
from pytest_ganvalid.pipeline.summary import Histograms, added
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.device import DevicePart, device_source
from pytest_ganvalid.samples.sources import Part, Source

Table = dict[str, Any]
Make = Callable[..., Table]
PartOf = Callable[[Table, str], Part]
Stream = Callable[..., Source]
N = 240


def rows_of(table: Table, rows: Any) -> Table:
    """Some of the events."""
    return {name: column[rows] for name, column in table.items()}


def total(parts: Sequence[Histograms]) -> Histograms:
    """Add up in order."""
    return added([("", part) for part in parts])


def grouped(parts: Sequence[Histograms], draw: Callable[[int], int]) -> Histograms:
    """Add up in any grouping."""
    left = list(parts)
    while len(left) > 1:
        first = left.pop(draw(len(left)))
        left.append(first + left.pop(draw(len(left))))
    return left[0]


def assert_same_rows(found: Histograms, whole: Histograms) -> None:
    """The same sketch of the same events; how rarely rows agree is known the less, the smaller the parts."""
    ours, theirs = found.fingerprint, whole.fingerprint
    assert ours is not None
    assert theirs is not None
    assert (ours.rows, ours.columns) == (theirs.rows, theirs.columns)
    mine, its = ours.distinct(), theirs.distinct()
    np.testing.assert_array_equal(mine.keys, its.keys)
    np.testing.assert_array_equal(mine.counts, its.counts)
    assert mine.limit == its.limit
    assert all(a >= b for a, b in zip(ours.key.whole, theirs.key.whole, strict=True))


def assert_same_contents(found: Histograms, whole: Histograms, *, weighted: bool = False) -> None:
    """The same histograms: to the last bit, or weighted ones nearly so."""
    np.testing.assert_array_equal(found.events, whole.events)
    np.testing.assert_allclose(found.weights.value, whole.weights.value, rtol=1e-14 if weighted else 0)
    assert_same_rows(found, whole)
    assert not found.plan.difference(whole.plan)
    assert found.plan.bins_from == whole.plan.bins_from
    assert list(found.contents) == list(whole.contents)
    for name, filled in found.contents.items():
        expected = whole.contents[name]
        ours, theirs = filled.sums(), expected.sums()
        scale = np.abs(theirs.sumw).max() + theirs.sumw2.max()
        tolerance = 1e-15 * scale if weighted else 0.0
        np.testing.assert_allclose(filled.sumw.value, expected.sumw.value, rtol=0, atol=tolerance)
        np.testing.assert_allclose(ours.sumw2, theirs.sumw2, rtol=1e-14 if weighted else 0, atol=0)
        if theirs.products is not None:
            assert ours.products is not None
            many = 1e-14 * theirs.products.max() if weighted else 0
            np.testing.assert_allclose(ours.products, theirs.products, rtol=0, atol=many)
            assert ours.n_events == pytest.approx(theirs.n_events, rel=1e-14 if weighted else 0)


@settings(max_examples=6)
@given(data=st.data())
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_parts_add_up(
    events: Make,
    keywords: dict[str, Any],
    weighted: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    """Any split of the events, added in any order and grouping, gives what all events at once give."""
    table = events(data.draw(st.integers(0, 10_000)), N)
    whole = gv.fill(table, weight="w" if weighted else None, **keywords)
    number = data.draw(st.integers(1, 5))
    owner = np.random.default_rng(data.draw(st.integers(0, 10_000))).permutation(np.arange(N) % number)
    parts = [gv.fill(rows_of(table, owner == i), like=whole) for i in range(number)]
    found = grouped(parts, lambda n: data.draw(st.integers(0, n - 1)))
    assert list(found.origins) == sorted(origin for part in parts for origin in part.origins)
    assert_same_contents(found, whole, weighted=weighted)
    assert total(parts[::-1]).fingerprint == total(parts).fingerprint == found.fingerprint


def test_an_observable_that_no_event_of_a_stratum_has(events: Make) -> None:
    """A bin of the condition without events has empty histograms, of the bins that its plan says."""
    table = events(1, N)
    like = gv.fill(table, observables=["x", "jet"], by=("e", [15.0]), bins=3)
    few = gv.fill(rows_of(table, table["e"] < 15), like=like)
    assert few.events.tolist() == [few.n_events, 0]
    for name, filled in few.contents.items():
        expected = like.contents[name]
        assert filled.sumw.value.shape == expected.sumw.value.shape
        assert (filled.products is None) == (expected.products is None)
        if name.endswith(">= 15"):
            assert not filled.sumw.value.any()
    rest = gv.fill(rows_of(table, table["e"] >= 15), like=like)
    assert_same_contents(few + rest, like)


def test_sources_in_words(events: Make) -> None:
    """Up to three origins are named, and the others counted."""
    like = gv.fill({"x": events(1, 50)["x"]}, bins=[0.0])
    assert like.source == "memory"
    many = [replace(like, origins=tuple(replace(like.origins[0], source=name) for name in "abcde"[:n])) for n in (3, 5)]
    assert [one.source for one in many] == ["a, b, c", "a, b, c and 2 more"]


def test_entries_and_numbers_of_one_column(events: Make) -> None:
    """A column of one number per event adds to one of several; the other way round is refused."""
    several = gv.fill(events(1, 240), observables=["jet"], bins=5)
    rng = np.random.default_rng(0)
    one = gv.fill({"jet": rng.exponential(size=50)}, like=several)
    sums = (several + one).contents["jet"].sums()
    assert sums.products is not None
    assert sums.sumw.sum() == several.contents["jet"].sumw.value.sum() + 50
    assert sums.n_events == 290
    np.testing.assert_array_equal(one.contents["jet"].sums().products, np.diag(one.contents["jet"].sumw.value))
    weighted = gv.fill({"jet": rng.exponential(size=50), "v": np.full(50, 2.0)}, like=several, weight="v")
    own = weighted.contents["jet"].sums()
    np.testing.assert_array_equal(own.products, np.diag(own.sumw2))
    assert own.n_events == pytest.approx(50)
    plain = gv.fill({"jet": rng.exponential(size=50)}, bins=[1.0, 2.0])
    with pytest.raises(InputError, match="memory: observable 'jet': it has several entries per event here"):
        gv.fill(events(1, 240), like=plain)


@pytest.mark.usefixtures("small_chunks")
def test_chunks_of_a_source_are_one_origin(events: Make, streamed: Stream) -> None:
    """In however many chunks a source is read, its events are one origin."""
    table = events(1, 800)
    like = gv.fill(table, observables=["x"], bins=[0.0])
    (origin,) = gv.fill(streamed(table), like=like).origins
    assert (origin.source, origin.id, origin.events) == ("3 parts", like.origins[0].id, 800)


# Only what was filled alike adds up.

OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "edges": ({"bins": [0.0, 1.5]}, r"'x': edge 1 is 1\.0 and 1\.5"),
    "number of edges": ({"bins": [0.0, 1.0, 2.0]}, "'x': 2 and 3 edges"),
    "observables": ({"observables": ["y"]}, r"only the first have \['x'\], and only the second \['y'\]"),
    "columns": ({"observables": [("x", "y")], "bins": 4}, r"only the second \['x:y'\]"),
    "another column": ({"observables": {"x": "y"}}, "'x': columns x and y"),
    "selection": ({"observables": {"x": Selection("x", "ok")}}, "'x': selection None and ok"),
    "nonfinite": ({"nonfinite": "overflow"}, "'x': nonfinite error and overflow"),
    "condition": ({"by": "e"}, "divided by nothing and by e"),
    "weight": ({"weight": "w"}, "unweighted and weighted by 'w'; fill all with the same weight"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_plans_do_not_add_up(events: Make, case: str) -> None:
    """Histograms filled in another way are refused, and the error says where they differ and which they are."""
    stated, reason = OTHERS[case]
    one = gv.fill(events(1, N), observables=["x"], bins=[0.0, 1.0])
    other = gv.fill(events(2, N), **{"observables": ["x"], "bins": [0.0, 1.0], **stated})
    with pytest.raises(InputError, match=f"^histograms of memory and memory do not add up: .*{reason}"):
        one + other
    with pytest.raises(InputError, match=r"^histograms of a\.json and b\.json do not add up: "):
        added([("a.json", one), ("b.json", other)])
    if case != "weight":
        with pytest.raises(InputError, match=f"generated and reference histograms were filled in different.*{reason}"):
            gv.validate(one, other, n_required=10)


def test_own_weights_do_not_add_up_with_a_column(events: Make) -> None:
    """Weights of a sample are another kind of weight than a column."""
    table = {"x": events(1, N)["x"], "w": events(1, N)["w"]}
    own = gv.fill(gv.Sample({"x": table["x"]}, table["w"]), bins=[0.0])
    column = gv.fill({"x": events(2, N)["x"], "w": table["w"]}, weight="w", bins=[0.0])
    with pytest.raises(InputError, match="weighted by the weights of a Sample and weighted by 'w'"):
        own + column


def test_bins_of_their_own_do_not_add_up(events: Make) -> None:
    """Histograms that each chose its own quantiles do not add up; those with the same edges given do."""
    for wanted in (KDTree(("x", "y")), "x", ("x", "y")):
        one, other = (gv.fill(events(seed, N), observables=[wanted], bins=9) for seed in (1, 2))
        with pytest.raises(InputError, match="fill all parts like the first: ganvalid fill EVENTS --like"):
            one + other
    one, other = (gv.fill(events(seed, N), observables=["x"], bins=[0.0, 1.0]) for seed in (1, 2))
    assert (one + other).n_events == 2 * N
    assert gv.validate(one, other, n_required=10).verdict


def test_rows_that_are_recognised_otherwise_do_not_add_up(events: Make) -> None:
    """Sketches of other columns cannot be merged, and one that is missing leaves that of the others."""
    one = gv.fill({"x": events(1, N)["x"], "y": events(1, N)["y"]}, observables=["x"], bins=[0.0])
    other = gv.fill({"x": events(2, N)["x"]}, observables=["x"], bins=[0.0])
    with pytest.raises(InputError, match=r"rows are recognised by \['x', 'y'\] \(\d+ bits\) and by \['x'\] \(\d+ bits"):
        one + other
    assert one.fingerprint is not None
    without = gv.fill({"x": events(3, N)["x"]}, like=one)
    assert without.fingerprint is None


def test_the_worst_resolution_counts(events: Make) -> None:
    """How rarely rows agree is known of each file, and of several the worst counts."""
    table = {name: events(1, N)[name].astype(float) for name in "xy"}
    whole = gv.fill(table, bins=[0.0])
    other = gv.fill({name: np.round(column, 1) for name, column in table.items()}, like=whole)
    chances = []
    for one in (whole, other, whole + other, other + whole, Histograms.from_json(whole.to_json())):
        assert one.fingerprint is not None
        chances.append(one.fingerprint.key.whole[-1])
    assert 0 < chances[0] < chances[1] <= 1
    assert chances[2] == chances[3] == chances[1]
    assert chances[4] == chances[0]


def test_nothing_to_add() -> None:
    """No histograms add up to nothing."""
    with pytest.raises(InputError, match="there are no histograms to add"):
        added([])


def test_bins_chosen_by_several(events: Make) -> None:
    """Sums know all events that chose their bins."""
    one = gv.fill(events(1, N), observables=["x"], bins=[0.0])
    parts = [
        gv.fill(events(seed, N), like=replace(one, plan=replace(one.plan, bins_from=(name,))))
        for seed, name in ((2, "b"), (3, "a"), (4, "b"))
    ]
    assert total(parts).plan.bins_from == ("a", "b")


# What cannot be filled is refused, by its place.


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("observable", "name"),
    [
        ("x", "x"),
        (("x", "y"), "x:y"),
        (KDTree(("x", "y", "n")), "kdtree"),
        (("s", lambda events: events["x"] + events["y"]), "s"),
        (Selection("x", "all"), "x where all"),
    ],
)
def test_nonfinite_values_are_placed(
    events: Make, streamed: Stream, value: float, side: int, observable: Any, name: str
) -> None:
    """NaN and infinite values are refused, and the events, the side and the observable are named."""
    tables = [{key: events(seed, 800)[key] for key in ("x", "y", "n")} for seed in (1, 2)]
    for table in tables:
        table["all"] = np.ones(800, dtype=bool)
    tables[side]["x"][700] = value
    with pytest.raises(InputError) as caught:
        gv.validate(*map(streamed, tables), n_required=50, observables=[observable])
    words = str(caught.value)
    assert f"{('generated', 'reference')[side]}: observable {name!r} has " in words
    assert ("1 NaN and 0 infinite" if np.isnan(value) else "0 NaN and 1 infinite") in words
    first, last = (
        int(row.replace(",", "")) for row in words.split("events ")[1].split(":", maxsplit=1)[0].split(" to ")
    )
    assert first <= 700 <= last
    assert last - first < 150


def test_values_whose_sum_overflows_are_finite() -> None:
    """Numbers that are finite are filled, though their sum is not."""
    table = {"x": np.array([1e308, 1e308, -1e308, 1.0])}
    assert gv.fill(table, bins=[0.0]).contents["x"].sumw.value.tolist() == [1, 3]


OTHER = {
    "text": np.array(["a", "b"] * 250),
    "entries": Entries(np.ones(1_000), np.full(500, 2)),
    "missing numbers": np.array([None, 1.5] * 250, dtype=object),
}


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("observable", ["x", ("x", "y"), Selection("x", "ok"), ("twice", lambda events: events["x"])])
def test_a_column_of_another_type(
    events: Make,
    file_part: PartOf,
    kind: str,
    side: int,
    observable: Any,
) -> None:
    """A column that is of another type in a later file is an error that names that file."""
    sides: list[Any] = []
    for seed in (1, 2):
        table = {name: events(seed, 500)[name] for name in ("x", "y", "ok")}
        parts = [file_part(table, "first.npz")]
        if seed == side + 1:
            parts.append(file_part(table | {"x": OTHER[kind]}, "other.npz"))
        sides.append(Source(tuple(table), parts))
    with pytest.raises((InputError, InputTypeError), match=r"other\.npz"):
        gv.validate(*sides, n_required=50, observables=[observable])


def test_entries_in_the_first_file_only(events: Make, file_part: PartOf) -> None:
    """A column of several entries per event is one in all files, or the file is named."""
    one = {"x": events(1, 300)["x"], "jet": events(1, 300)["jet"]}
    first = Source(("x", "jet"), [file_part(one, "first.npz")])
    both = Source(("x", "jet"), [file_part(one, "first.npz"), file_part(one | {"jet": np.ones(300)}, "second.npz")])
    for sides in ((first, both), (both, first)):
        with pytest.raises(InputError, match=r"second\.npz.*'jet'.*(holds numbers|has one per event) here"):
            gv.validate(*sides, n_required=50, observables=["jet"])


# What is done with tensors, where they are.


def tensors(table: Table, names: Sequence[str]) -> Any:
    """The columns as tensors, on a device."""
    torch: Any = pytest.importorskip("torch")
    return device_source({name: torch.from_numpy(np.array(table[name])) for name in names})


DEVICE: dict[str, dict[str, Any]] = {
    "columns": {"observables": ["x", "y", "n"]},
    "one column": {"observables": ["n"], "bins": 5},
    "pairs": {"observables": [("x", "y"), ("n", "x")], "bins": 25},
    "weights": {"observables": ["x", ("x", "y")], "weight": ("w", None)},
    "edges": {"observables": [("x", "y")], "bins": ([-1.0, 1.0], [0.0])},
}


def validate(*sides: Any, **keywords: Any) -> gv.Report:
    """Compare at few events."""
    return gv.validate(*sides, n_required=50, **keywords)


@pytest.mark.parametrize("kind", DEVICE)
def test_tensors_stay_on_their_device(events: Make, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors give the comparisons of arrays, and once they have been looked at none becomes an array."""
    names = ("x", "y", "n", "w") if "weight" in DEVICE[kind] else ("x", "y", "n")
    tables = [{name: events(seed, 600)[name] for name in names} for seed in (1, 2)]
    theirs = validate(*tables, **DEVICE[kind])
    original, chunks, inside = module.fill_part, DevicePart.chunks, threading.local()

    def filling(task: Any, number: int, part: Any, tick: Any) -> Any:
        if isinstance(part, DevicePart):
            assert task.fits_a_device
            inside.now = True
        try:
            return original(task, number, part, tick)
        finally:
            inside.now = False

    def read(part: DevicePart, *arguments: Any) -> Any:
        assert not getattr(inside, "now", False), "events leave the device"
        return chunks(part, *arguments)

    monkeypatch.setattr(fill, "fill_part", filling)
    monkeypatch.setattr(DevicePart, "chunks", read)
    ours = validate(tensors(tables[0], names), tables[1], **DEVICE[kind])
    assert ours.comparisons == theirs.comparisons
    assert ours.shared == theirs.shared
    weightless = {key: value for key, value in DEVICE[kind].items() if key != "weight"}
    both = validate(tensors(tables[0], names), tensors(tables[1], names), **weightless)
    assert both.comparisons == validate(*tables, **weightless).comparisons
    assert both.provenance["independence"] == validate(*tables, **weightless).provenance["independence"]


@pytest.mark.parametrize(
    "keywords",
    [
        {"observables": [("s", lambda events: events["x"] + events["y"])]},
        {"observables": [Selection("x", "ok")]},
        {"observables": [KDTree(("x", "y"))]},
        {"observables": ["x"], "by": ("y", [0.5]), "bins": 5},
        {"observables": ["x", gv.observables.Mean("y")]},
    ],
    ids=["function", "selection", "tree", "strata", "estimator"],
)
def test_tensors_of_any_observable(events: Make, keywords: dict[str, Any]) -> None:
    """What cannot be filled on a device is filled elsewhere, and is the same."""
    names = ("x", "y", "ok")
    tables = [{name: events(seed, 600)[name] for name in names} for seed in (1, 2)]
    ours = validate(tensors(tables[0], names), tables[1], **keywords)
    assert ours.comparisons == validate(*tables, **keywords).comparisons


def test_tensors_are_filled_into_files(events: Make) -> None:
    """Histograms of tensors are those of arrays, and so is what is known of their origin."""
    table = {name: events(1, 300)[name] for name in ("x", "y", "w")}
    for weight in (None, "w"):
        like = gv.fill(table, weight=weight, observables=["x", ("x", "y")], bins=6)
        ours = gv.fill(tensors(table, ("x", "y", "w")), like=like)
        assert_same_contents(ours, like, weighted=weight is not None)
        assert [origin.id for origin in ours.origins] == [origin.id for origin in like.origins]


def test_tensors_with_nonfinite_values(events: Make) -> None:
    """NaN on a device is refused with the name of the observable, or placed as in memory."""
    tables = [{name: events(seed, 600)[name] for name in ("x", "hole")} for seed in (1, 2)]
    with pytest.raises(InputError, match=r"generated: observable 'hole'.* NaN"):
        validate(tensors(tables[0], ("x", "hole")), {**tables[1], "hole": tables[1]["x"]}, observables=["hole"])
    for place in ("underflow", "overflow", "separate"):
        ours = validate(tensors(tables[0], ("x", "hole")), tables[1], observables=["hole", "x"], nonfinite=place)
        assert ours.comparisons == validate(*tables, observables=["hole", "x"], nonfinite=place).comparisons


def test_tensors_with_bad_weights(events: Make) -> None:
    """Weights on a device are checked as those of arrays are."""
    for bad in (np.nan, 1e200):
        table = {"x": events(1, 600)["x"], "w": events(1, 600)["w"].copy()}
        table["w"][200] = bad
        messages = []
        for generated in (table, tensors(table, ("x", "w"))):
            with pytest.raises(GanvalidError, match="weight") as caught:
                validate(generated, {"x": events(2, 600)["x"]}, observables=["x"], weight=("w", None))
            messages.append(caught.value.message)
        assert messages[0].split("generated: ")[-1] == messages[1].split("generated: ")[-1]


def test_copies_are_found_on_a_device(events: Make) -> None:
    """Rows that tensors share with the reference are found."""
    reference = {name: events(2, 600)[name] for name in "xy"}
    copied = {name: np.concatenate([reference[name][100:150], events(1, 550)[name]]) for name in "xy"}
    report = validate(tensors(copied, ("x", "y")), reference)
    assert "50 of 600 generated rows" in report.reasons[0]
    assert report.verdict is gv.Verdict.UNPROVEN

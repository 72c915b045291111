"""Partial histograms: parts add up to the whole, in small files that are not trusted."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.partial import Histograms, filling, total
from pytest_ganvalid.samples.printed import check_fingerprints, row_chance_of

N = 240
OBSERVABLES: tuple[Any, ...] = (
    "x",
    ("x", "y"),
    KDTree(("x", "y", "z")),
    Selection("x", "passed"),
    Selection("jets", "passed"),
    "jets",
    "sum(jets)",
)
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"observables": OBSERVABLES, "bins": 6},
    "strata": {"observables": OBSERVABLES, "bins": 4, "by": "kind"},
    "separate": {"observables": ["hole", ("hole", "x"), KDTree(("hole", "y"))], "bins": 4, "nonfinite": "separate"},
    "edges": {
        "observables": ["x", ("x", "y"), "hole"],
        "bins": {"x": [-1.0, 0.0, 1.0], "x:y": ([0.0], [0.0, 1.0]), "hole": [0.5]},
        "nonfinite": {"hole": "underflow"},
    },
}


def events(seed: int, n: int = N) -> dict[str, Any]:
    """Events with all kinds of columns."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, n)
    return {
        "x": rng.normal(size=n),
        "y": rng.normal(size=n),
        "z": rng.exponential(size=n),
        "w": rng.normal(1, 0.5, size=n),
        "hole": np.where(rng.uniform(size=n) < 0.1, np.nan, rng.normal(size=n)),
        "kind": rng.integers(0, 2, n).astype(float),
        "passed": rng.uniform(size=n) > 0.4,
        "jets": gv.Entries(rng.exponential(size=int(counts.sum())), counts),
    }


def chosen(table: dict[str, Any], rows: Any) -> dict[str, Any]:
    """Some of the events."""
    return {name: column[rows] for name, column in table.items()}


def grouped(parts: Sequence[Histograms], draw: Callable[[int], int]) -> Histograms:
    """Add up in any grouping."""
    left = list(parts)
    while len(left) > 1:
        first = left.pop(draw(len(left)))
        second = left.pop(draw(len(left)))
        left.append(first + second)
    return left[0]


@pytest.fixture(scope="module", params=RECIPES)
def recipe(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What to fill."""
    return RECIPES[request.param]


def assert_same_contents(found: Histograms, whole: Histograms, *, weighted: bool) -> None:
    """The same histograms: to the last bit, or weighted ones nearly so."""
    assert found.events == whole.events
    assert found.fingerprint == whole.fingerprint
    assert found.recipe == whole.recipe
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


@settings(max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_parts_add_up(recipe: dict[str, Any], weighted: bool, data: st.DataObject) -> None:  # noqa: FBT001
    """Any split of the events, merged in any order and grouping, gives what all events at once give."""
    table = events(data.draw(st.integers(0, 10_000)))
    weight = "w" if weighted else None
    whole = gv.fill(table, weight=weight, **recipe)
    number = data.draw(st.integers(1, 5))
    owner = np.random.default_rng(data.draw(st.integers(0, 10_000))).permutation(np.arange(N) % number)
    parts = [gv.fill(chosen(table, owner == i), like=whole) for i in range(number)]
    found = grouped(parts, lambda n: data.draw(st.integers(0, n - 1)))
    assert sorted(found.parts) == sorted(part for one in parts for part in one.parts)
    assert_same_contents(found, whole, weighted=weighted)
    assert total(parts[::-1]).fingerprint == whole.fingerprint


@pytest.mark.parametrize("weight", [None, "w"])
def test_json_round_trip(recipe: dict[str, Any], weight: str | None) -> None:
    """What is read is equal to what was written, and is written as the same text; no infinity or NaN is in it."""
    whole = gv.fill(events(1), weight=weight, **recipe)
    text = whole.to_json()
    restored = Histograms.from_json(text)
    assert restored == whole
    assert restored.to_json() == text
    assert hash(restored) == hash(whole)
    assert restored != gv.fill(events(2), weight=weight, **recipe)
    assert not {"NaN", "Infinity"} & set(text.replace(",", " ").replace("]", " ").split())
    assert Histograms.from_json(whole.to_json(indent=2).encode()) == whole


def test_infinite_cuts_survive() -> None:
    """The cuts of a tree beside infinite values, placed below or above all numbers, are written as words."""
    table = events(3)
    table["hole"] = np.where(np.arange(N) % 3 == 0, np.inf, table["x"])
    for place in ("overflow", "underflow"):
        whole = gv.fill(table, observables=[KDTree(("hole", "y"))], bins=6, nonfinite=place)
        assert '"inf"' in whole.to_json() or '"-inf"' in whole.to_json()
        assert Histograms.from_json(whole.to_json()) == whole


@pytest.mark.parametrize("weight", [None, "w"])
def test_verdict_is_that_on_all_events(recipe: dict[str, Any], weight: str | None) -> None:
    """Histograms filled in parts, through JSON, give the comparisons that the events themselves give."""
    ours, theirs = events(4, 600), events(5, 600)
    reference = Histograms.from_json(gv.fill(theirs, weight=weight, **recipe).to_json())
    parts = [gv.fill(chosen(ours, slice(i, None, 3)), like=reference) for i in range(3)]
    generated = Histograms.from_json(total(parts).to_json())
    found = gv.validate(generated, reference, n_required=50)
    expected = gv.validate(ours, theirs, n_required=50, weight=weight, **recipe)
    assert found.verdict is expected.verdict
    if weight is None:
        assert found.comparisons == expected.comparisons
    for name, one in found.comparisons.items():
        other = expected.comparisons[name]
        assert isinstance(one, gv.Comparison)
        assert isinstance(other, gv.Comparison)
        assert (one.bins, one.verdict) == (other.bins, other.verdict)
        assert one.chi2 == pytest.approx(other.chi2, rel=1e-9)
    mixed = gv.validate(ours, reference, n_required=50, weight=(weight, None))
    assert mixed.comparisons == gv.validate(gv.fill(ours, like=reference), reference, n_required=50).comparisons


@pytest.mark.parametrize("by", [None, "kind"])
def test_files_in_one_piece(tmp_path: Path, by: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files filled one by one give the verdict on the same files read at once, to the last bit."""
    monkeypatch.chdir(tmp_path)
    for seed in range(4):
        np.savez(f"events{seed}.npz", **{name: events(seed, 500)[name] for name in ("x", "y", "kind")})
    wanted: dict[str, Any] = {"observables": ["x", ("x", "y")], "bins": 9, "by": by}
    whole = gv.fill("events[01].npz", **wanted)
    Path("ref.json").write_text(whole.to_json(), encoding="utf-8")
    assert [part.source for part in whole.parts] == ["events0.npz", "events1.npz"]
    for seed in (2, 3):
        part = gv.fill(f"events{seed}.npz", like="ref.json")
        Path(f"part{seed}.json").write_text(part.to_json(), encoding="utf-8")
    found = gv.validate("part*.json", "ref.json", n_required=100)
    expected = gv.validate("events[23].npz", "events[01].npz", n_required=100, **wanted)
    assert found.comparisons == expected.comparisons
    assert found.verdict is expected.verdict
    assert found.provenance["generated_events"] == 1000
    again = gv.validate("events[23].npz", "ref.json", n_required=100)
    assert again.comparisons == expected.comparisons
    listed = gv.validate(["part3.json", "part2.json"], whole, n_required=100)
    assert listed.comparisons == expected.comparisons


def test_a_cluster_fills_the_same() -> None:
    """A Dask collection, or files read by workers, give the histograms and the id of a part that a table gives."""
    frames: Any = pytest.importorskip("dask.dataframe")
    pandas: Any = pytest.importorskip("pandas")
    dask: Any = pytest.importorskip("dask")
    table = {name: events(6)[name] for name in ("x", "y", "kind")}
    whole = gv.fill(table, observables=["x", ("x", "y")], by="kind", bins=4)
    with dask.config.set(scheduler="synchronous"):
        found = gv.fill(frames.from_pandas(pandas.DataFrame(table), npartitions=3), like=whole)
    assert_same_contents(found, whole, weighted=False)
    assert [part.id for part in found.parts] == [part.id for part in whole.parts]
    with pytest.raises(gv.InputError, match="client= is for files and Dask collections"):
        gv.fill(table, client=object())


def test_a_part_is_known_by_its_events() -> None:
    """The id of a part is that of its events, whatever their order, and another for other events."""
    table = events(6)
    whole = gv.fill(table, observables=["x", "jets"])
    shuffled = gv.fill(chosen(table, np.random.default_rng(0).permutation(N)), like=whole)
    assert shuffled.parts == whole.parts
    assert gv.fill(events(7), like=whole).parts[0].id != whole.parts[0].id


def test_the_same_part_twice_is_refused(tmp_path: Path) -> None:
    """A part is added once, under whatever names; the error gives both."""
    columns = {name: events(8)[name] for name in ("x", "y")}
    for name in ("one.npz", "two.npz"):
        np.savez(tmp_path / name, **columns)
    one = gv.fill(tmp_path / "one.npz", observables=["x"])
    two = gv.fill(tmp_path / "two.npz", like=one)
    other = gv.fill(chosen(columns, slice(0, 100)), like=one)
    with pytest.raises(gv.InputError, match=r"one\.npz and two\.npz hold the same 240 events"):
        (one + other) + two
    for like in (one, None):
        with pytest.raises(
            gv.InputError, match=r"one\.npz and two\.npz hold the same 240 events.*leave one of them out"
        ):
            gv.fill([tmp_path / "one.npz", tmp_path / "two.npz"], like=like)


def test_the_same_file_is_recognised_in_whatever_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one call that hold the same events are refused however far apart they are."""
    monkeypatch.setattr(filling, "_FILES", 1)
    for i, seed in enumerate((1, 2, 1)):
        np.savez(tmp_path / f"{i}.npz", x=events(seed)["x"])
    assert gv.fill([tmp_path / "0.npz", tmp_path / "1.npz"]).n_events == 2 * N
    with pytest.raises(gv.InputError, match=r"0\.npz and 2\.npz hold the same 240 events"):
        gv.fill([tmp_path / f"{i}.npz" for i in range(3)])


def test_a_part_is_known_in_whatever_precision() -> None:
    """Events stored in single precision are the same part as in double, and repeat them where they are merged."""
    table = {name: events(6)[name] for name in ("x", "y")}
    whole = gv.fill(table)
    single = gv.fill({name: column.astype(np.float32) for name, column in table.items()}, like=whole)
    assert single.parts == whole.parts
    with pytest.raises(gv.InputError, match="hold the same 240 events"):
        whole + single
    with pytest.raises(gv.InputError, match="hold the same 240 events"):
        gv.validate(single, whole, n_required=10)
    more = {name: np.append(column, 0.5).astype(np.float32) for name, column in table.items()}
    report = gv.validate(events(7), whole + gv.fill(more, like=whole), n_required=10)
    assert "reference rows repeat another one" in report.reasons[0]


def test_parts_that_look_alike_by_chance_add_up(tmp_path: Path) -> None:
    """Events of few distinct values may be the same by chance; they add up, unless the name of the file is the same."""
    for name in ("one.npz", "two.npz"):
        np.savez(tmp_path / name, passed=np.arange(100) % 2)
    one = gv.fill(tmp_path / "one.npz", observables=["passed"])
    two = gv.fill(tmp_path / "two.npz", like=one)
    assert one.parts[0].id == two.parts[0].id
    assert one.parts[0].chance > 0.05
    assert (one + two).n_events == 200
    with pytest.raises(gv.InputError, match="hold the same 100 events"):
        one + one


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "edges": ({"bins": [0.0, 1.5]}, r"'x': edge 1 is 1\.0 and 1\.5"),
    "number of edges": ({"bins": [0.0, 1.0, 2.0]}, "'x': 2 and 3 edges"),
    "observables": ({"observables": ["y"]}, r"only the first have \['x'\], and only the second \['y'\]"),
    "columns": ({"observables": [("x", "y")], "bins": 4}, r"only the second \['x:y'\]"),
    "another column": ({"observables": {"x": "y"}}, "'x': columns x and y"),
    "selection": ({"observables": {"x": Selection("x", "passed")}}, "'x': selection None and passed"),
    "nonfinite": ({"nonfinite": "overflow"}, "'x': nonfinite error and overflow"),
    "condition": ({"by": "kind"}, "divided by nothing and by kind"),
    "weight": ({"weight": "w"}, "unweighted and weighted by 'w'"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_recipes_do_not_add_up(case: str) -> None:
    """Histograms filled in another way are refused, and the error says where they differ."""
    given, reason = OTHERS[case]
    one = gv.fill(events(1), observables=["x"], bins=[0.0, 1.0])
    other = gv.fill(events(2), **{"observables": ["x"], "bins": [0.0, 1.0], **given})
    with pytest.raises(gv.InputError, match=reason):
        one + other
    if case != "weight":
        with pytest.raises(gv.InputError, match=reason):
            gv.validate(one, other, n_required=10)


def test_bins_of_their_own_do_not_add_up() -> None:
    """Histograms that each chose its own quantiles do not add up; those with the same edges given do."""
    for wanted in (KDTree(("x", "y")), "x", ("x", "y")):
        one, other = (gv.fill(events(seed), observables=[wanted], bins=9) for seed in (1, 2))
        with pytest.raises(gv.InputError, match="fill all parts like the first"):
            one + other
    one, other = (gv.fill(events(seed), observables=["x"], bins=[0.0, 1.0]) for seed in (1, 2))
    assert (one + other).n_events == 2 * N
    assert gv.validate(one, other, n_required=10).verdict


def test_strata_that_differ_are_named() -> None:
    """Other bins of the condition are refused."""
    one, other = (gv.fill(events(1), observables=["x"], by=("z", edges)) for edges in ([1.0], [2.0]))
    with pytest.raises(gv.InputError, match=r"the bins of the condition 'z': edge 0 is 1\.0 and 2\.0"):
        one + other


def test_sides_that_share_a_part_are_refused() -> None:
    """A part of the reference is no generated event; nor may the generated events have chosen the bins."""
    reference = gv.fill(events(1), observables=["x"])
    generated = gv.fill(events(2), like=reference)
    third = gv.fill(events(3), like=reference)
    with pytest.raises(gv.InputError, match="hold the same 240 events"):
        gv.validate(generated + third, reference + third, n_required=10)
    with pytest.raises(gv.InputError, match="the bins were chosen from the generated events"):
        gv.validate(reference, generated, n_required=10)


def test_shared_rows_leave_it_unproven() -> None:
    """Generated events that repeat reference events are found in the fingerprints, whatever else they are among."""
    n = 20_000
    rng = np.random.default_rng(0)
    theirs = {"x": rng.normal(size=n), "y": rng.normal(size=n)}
    ours = {name: np.concatenate([rng.normal(size=n - 2000), column[:2000]]) for name, column in theirs.items()}
    reference = gv.fill(theirs, bins=20)
    report = gv.validate(gv.fill(ours, like=reference), reference, n_required=100)
    assert report.verdict is gv.Verdict.UNPROVEN
    assert len(report.shared) == 1
    assert "generated rows are also in the reference sample" in report.shared[0]
    single = {name: column.astype(np.float32) for name, column in ours.items()}
    report = gv.validate(gv.fill(single, like=reference), reference, n_required=100)
    assert "in single precision" in report.shared[0]
    fresh = {name: rng.normal(size=n) for name in theirs}
    assert gv.validate(gv.fill(fresh, like=reference), reference, n_required=100).robust
    assert not gv.validate(fresh, reference, n_required=100).shared


def copied(make: Callable[[np.random.Generator, int], dict[str, Any]], n: int, copies: int) -> gv.Report:
    """Compare generated events, some of which are reference events, with those, all of them filled."""
    rng = np.random.default_rng(5)
    ours, theirs = make(rng, n), make(rng, n)
    for name, column in theirs.items():
        ours[name][:copies] = column[:copies]
    filled = [gv.fill(side, bins=[0.0, 1.0]) for side in (ours, theirs)]
    return gv.validate(*filled, n_required=100)


def test_few_shared_rows_are_found() -> None:
    """Copies of 1 in 200 of many events with two columns of floats are more than the resolution allows for."""

    def floats(rng: np.random.Generator, n: int) -> dict[str, Any]:
        return {"x": rng.normal(size=n), "y": rng.exponential(size=n)}

    report = copied(floats, 100_000, 500)
    assert "generated rows are also in the reference sample" in report.shared[0]
    assert not copied(floats, 100_000, 0).shared


def lattice(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Integers."""
    return {name: rng.integers(0, 2000, n).astype(float) for name in "xy"}


def decimals(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Numbers of two decimals."""
    return {"x": np.round(rng.normal(size=n), 2), "y": np.round(rng.exponential(size=n), 2)}


def single(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Single precision."""
    return {name: rng.normal(size=n).astype(np.float32) for name in "xy"}


def special(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Events half of which have a special value, and beside it an integer."""
    missing = rng.uniform(size=n) < 0.5
    return {
        "x": np.where(missing, -999.0, rng.normal(size=n)),
        "y": np.where(missing, rng.integers(0, n, n), rng.normal(size=n)),
    }


def function(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """A column, and a function of it."""
    x = rng.normal(size=n).astype(np.float32)
    return {"x": x, "y": np.sin(3 * x)}


def rare(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Events one in twenty of which are some of a thousand, that look like any others."""
    some, k = rng.uniform(size=n) < 0.05, rng.integers(0, 1000, n)
    columns = {"x": np.sqrt(2 + k), "y": np.cbrt(1 + k)}
    return {name: np.where(some, column, rng.normal(size=n)) for name, column in columns.items()}


@pytest.mark.parametrize("make", [lattice, decimals, single, special, function, rare], ids=lambda make: make.__name__)
def test_rows_shared_by_chance_are_no_copies(make: Callable[[np.random.Generator, int], dict[str, Any]]) -> None:
    """Independent samples whose rows agree by chance are not said to share any, be values coarse, special or tied."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, b = (gv.Sample(make(rng, 5000)) for _ in range(2))
        printed_a, printed_b = (gv.fingerprint(side, columns=["x", "y"]) for side in (a, b))
        row_chance = max(row_chance_of(side, ("x", "y")) for side in (a, b))
        assert check_fingerprints(printed_a, printed_b, row_chance=row_chance).independent


def test_row_chance_of_sums_is_the_largest() -> None:
    """How rarely rows agree is known of each file, and of several the worst counts."""
    fine, coarse = ({"x": f(events(1)["x"]), "y": f(events(1)["y"])} for f in (np.copy, lambda x: np.round(x, 1)))
    whole = gv.fill(fine, bins=[0.0])
    other = gv.fill(coarse, like=whole)
    assert 0 < whole.row_chance < other.row_chance <= 1
    assert (whole + other).row_chance == (other + whole).row_chance == other.row_chance
    assert Histograms.from_json(whole.to_json()).row_chance == whole.row_chance


def test_bins_of_unknown_events_are_noted() -> None:
    """A note says that bins were chosen from events of neither side, unless they were given."""
    first = gv.fill(events(1), observables=["x"])
    sides = [gv.fill(events(seed), like=first) for seed in (2, 3)]
    notes = gv.validate(*sides, n_required=10).provenance["independence"]["notes"]
    assert any(f"chosen from events of neither side (content {first.parts[0].id[:12]})" in note for note in notes)
    assert not gv.validate(sides[0], first, n_required=10).provenance["independence"]["notes"]
    assert not gv.validate(sides[0], sides[1] + first, n_required=10).provenance["independence"]["notes"]


def test_given_bins_are_not_chosen() -> None:
    """Edges of observables and of the condition say nothing of the events; numbers of bins, or none, do."""
    for by, choice in ((None, False), (("z", [1.0]), False), (("z", 2), True), ("kind", True)):
        found = gv.fill(events(1), observables=["x"], bins=[0.0, 1.0], by=by)
        assert bool(found.recipe.bins_from) is choice


def test_edges_may_be_an_array() -> None:
    """Edges in an array are as much said of filled histograms as those in a list, and refused."""
    like = gv.fill(events(1), observables=["x"], bins=np.array([0.0, 1.0]))
    with pytest.raises(gv.InputError, match="leave out observables, by, bins and nonfinite"):
        gv.fill(events(2), like=like, bins=np.array([0.0, 1.0]))
    with pytest.raises(gv.InputError, match="bins can only be chosen when histograms are filled"):
        gv.validate(events(2), like, n_required=10, bins=np.array([0.0, 1.0]))


def test_a_column_named_weight_is_no_weight() -> None:
    """Only a `Sample` has weights of its own; a data frame may have a column of that name."""
    pandas: Any = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": events(2)["x"], "weight": events(2)["w"]})
    like = gv.fill({**events(1), "weight": events(1)["w"]}, observables=["x"], weight="weight")
    found = gv.validate(frame, like, n_required=10)
    assert found.comparisons == gv.validate(gv.fill(frame, like=like, weight=False), like, n_required=10).comparisons
    own = gv.Sample({"x": events(2)["x"]}, events(2)["w"])
    weighted = gv.validate(own, like, n_required=10)
    assert weighted.comparisons == gv.validate(gv.fill(own, like=like), like, n_required=10).comparisons
    assert weighted.comparisons != found.comparisons


def test_repeated_reference_rows_leave_it_unproven() -> None:
    """A reference that was read twice under another number of events is noticed."""
    rng = np.random.default_rng(1)
    column = rng.normal(size=3000)
    reference = gv.fill({"x": np.concatenate([column, column])})
    report = gv.validate({"x": rng.normal(size=3000)}, reference, n_required=100)
    assert report.verdict is gv.Verdict.UNPROVEN
    assert "was a file read twice?" in report.reasons[0]


def test_training_events_are_looked_for() -> None:
    """Training events among the generated or the reference are found, given as events or as a fingerprint."""
    rng = np.random.default_rng(2)
    training, theirs = ({"x": rng.normal(size=4000)} for _ in range(2))
    reference = gv.fill(theirs)
    copied = gv.fill({"x": np.concatenate([training["x"][:2000], rng.normal(size=2000)])}, like=reference)
    for known in (training, gv.fingerprint(training)):
        report = gv.validate(copied, reference, n_required=100, training=known)
        assert "generated rows are also in the training sample" in report.reasons[0]
    fresh = gv.fill({"x": rng.normal(size=4000)}, like=reference)
    assert gv.validate(fresh, reference, n_required=100, training=training).robust
    with pytest.raises(gv.InputError, match="make the fingerprint anew"):
        gv.validate(fresh, reference, n_required=100, training=gv.fingerprint({"y": training["x"]}))


def test_some_observables_can_be_chosen() -> None:
    """Names choose among the histograms; anything else, or another name, is refused."""
    reference = gv.fill(events(1), observables=["x", "y"], bins=5)
    generated = gv.fill(events(2), like=reference)
    report = gv.validate(generated, reference, n_required=10, observables=["y"])
    assert list(report.comparisons) == ["y"]
    assert report.provenance["skipped_columns"] == {"x": "not asked for"}
    assert list(gv.validate(generated, reference, n_required=10, observables="x").comparisons) == ["x"]
    with pytest.raises(gv.InputError, match="there is no histogram 'z'"):
        gv.validate(generated, reference, n_required=10, observables=["z"])
    with pytest.raises(gv.InputTypeError, match="only names can be chosen"):
        gv.validate(generated, reference, n_required=10, observables=[np.mean])
    with pytest.raises(gv.InputError, match="no observable to compare"):
        gv.validate(generated, reference, n_required=10, observables=[])


@pytest.mark.parametrize(
    "said",
    [{"bins": 5}, {"by": "kind"}, {"seed": 1}, {"nonfinite": "overflow"}, {"weight": "w"}, {"memory": 2**25}],
    ids=lambda said: next(iter(said)),
)
def test_what_can_only_be_said_of_events_is_refused(said: dict[str, Any]) -> None:
    """Keywords that say how to fill have no meaning for what is filled."""
    reference = gv.fill(events(1), observables=["x"])
    with pytest.raises(gv.InputError, match=f"{next(iter(said))} can only be chosen when histograms are filled"):
        gv.validate(gv.fill(events(2), like=reference), reference, n_required=10, **said)


def square(sample: Any) -> Any:
    """A function of the events."""
    return sample["x"] ** 2


@pytest.mark.parametrize(
    "observable", [square, Selection("x", square, name="s"), gv.observables.Mean("x"), gv.observables.Classifier()]
)
def test_only_columns_can_be_filled(observable: Any) -> None:
    """Functions, estimators and classifiers cannot be written to a file, and the error says what can."""
    with pytest.raises(gv.InputError, match=r"not made of columns alone.*expected column names"):
        gv.fill(events(1), observables=[observable])


def test_like_says_all() -> None:
    """With ``like`` nothing else is said of what to fill, and it must be histograms."""
    like = gv.fill(events(1), observables=["x"])
    with pytest.raises(gv.InputError, match="leave out observables, by, bins and nonfinite"):
        gv.fill(events(2), like=like, bins=5)
    with pytest.raises(gv.InputTypeError, match="like is a int"):
        gv.fill(events(2), like=5)
    with pytest.raises(gv.InputError, match="there is no column 'x'"):
        gv.fill({"y": np.arange(5.0)}, like=like)


def test_weights_like_and_unlike() -> None:
    """The weight is that of ``like`` unless another, or none, is asked for."""
    like = gv.fill(events(1), observables=["x"], weight="w")
    assert gv.fill(events(2), like=like).recipe.weight == "w"
    assert gv.fill(events(2), like=like, weight="z").recipe.weight == "z"
    assert gv.fill(events(2), like=like, weight=False).recipe.weight is None
    with pytest.raises(gv.InputError, match=r"there is no weight column 'w'.*weight=False"):
        gv.fill({"x": np.arange(5.0)}, like=like)
    with pytest.raises(gv.InputTypeError, match="weight is a int"):
        gv.fill(events(2), weight=3)
    own = gv.Sample({"x": np.arange(300.0)}, np.linspace(1, 2, 300))
    assert gv.fill(own).recipe.weight == ""
    assert Histograms.from_json(gv.fill(own).to_json()) == gv.fill(own)
    with pytest.raises(gv.InputError, match="the weights to be like are those of a Sample"):
        gv.fill({"x": np.arange(5.0)}, like=gv.fill(own))


def test_entries_and_numbers_of_one_column() -> None:
    """A column of one number per event adds to one of several; the other way round is refused."""
    several = gv.fill(events(1), observables=["jets"], bins=5)
    rng = np.random.default_rng(0)
    one = gv.fill({"jets": rng.exponential(size=50)}, like=several)
    sums = (several + one).contents["jets"].sums()
    assert sums.products is not None
    assert sums.sumw.sum() == several.contents["jets"].sumw.value.sum() + 50
    assert sums.n_events == N + 50
    plain = gv.fill({"jets": rng.exponential(size=50)}, bins=[1.0, 2.0])
    with pytest.raises(gv.InputError, match="has several entries per event here"):
        gv.fill(events(1), like=plain)


def test_errors_name_the_file(tmp_path: Path) -> None:
    """What is wrong with events names the file and the rows."""
    np.savez(tmp_path / "a.npz", x=np.array([1.0, 2.0, np.nan, 4.0]))
    like = gv.fill({"x": np.arange(9.0)})
    with pytest.raises(gv.InputError, match=r"a\.npz: rows 0 to 3: the sample: observable 'x' has 1 NaN"):
        gv.fill(tmp_path / "a.npz", like=like)
    with pytest.raises(gv.InputError, match=r"a\.npz: there is no column 'q'"):
        gv.fill(tmp_path / "a.npz", observables=["q"])


# What is read is not trusted.


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    """Documents with everything in them."""
    made = []
    for name, weight in (("plain", None), ("separate", "w"), ("strata", "w")):
        given = dict(RECIPES[name])
        given["observables"] = list(given["observables"])[:6]
        made.append(json.loads(gv.fill(events(1, 60), weight=weight, **{**given, "bins": 3}).to_json()))
    return made


@pytest.fixture(scope="module")
def document(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The simplest of them."""
    return documents[0]


def test_cut_short(document: dict[str, Any], tmp_path: Path) -> None:
    """A file cut short anywhere is refused, by name and place."""
    text, path = json.dumps(document), tmp_path / "cut.json"
    like = tmp_path / "whole.json"
    like.write_text(text, encoding="utf-8")
    for stop in sorted({0, 1, 2, *range(3, len(text), len(text) // 97), len(text) - 1}):
        path.write_text(text[:stop], encoding="utf-8")
        with pytest.raises(gv.InputError, match=r"cut\.json: (not a JSON text|the file is empty)"):
            gv.validate(path, like, n_required=10)


WRONG: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "kind": (("kind",), "report", r"kind: expected a document of kind 'histograms'"),
    "version": (("version",), 2, r"version: expected version 1; read others"),
    "version as text": (("version",), "1", "version: expected version 1"),
    "parts": (("parts",), [], "the parts have 0 events"),
    "source": (("parts", 0, "source"), 3, r"parts\[0\]\.source: expected a string; got 3"),
    "id": (("parts", 0, "id"), None, r"parts\[0\]\.id: expected a string; got null"),
    "events": (("parts", 0, "events"), 61, "the parts have 61 events, the strata 60"),
    "events as float": (("parts", 0, "events"), 60.0, r"parts\[0\]\.events: expected an integer"),
    "events as truth": (("parts", 0, "events"), True, r"parts\[0\]\.events: expected an integer"),
    "chance": (("parts", 0, "chance"), 1.5, r"parts\[0\]\.chance: expected a probability"),
    "weight": (("recipe", "weight"), "w", r"histograms\.x\.storage: the fields"),
    "stratum": (("recipe", "observables", 0, "stratum"), 1, r"observables\[0\]\.stratum: expected an integer"),
    "columns": (("recipe", "observables", 0, "columns"), [], r"observables\[0\]\.columns: expected at least one"),
    "name": (("recipe", "observables", 0, "name"), "x:y", "recipe: two histograms are named 'x:y'"),
    "nonfinite": (("recipe", "observables", 0, "nonfinite"), "away", r"nonfinite: expected one of 'error'"),
    "edges": (("recipe", "observables", 0, "bins", "edges", 0), [1, 0], "expected at least one edge, increasing"),
    "edge": (("recipe", "observables", 0, "bins", "edges", 0, 0), "a", r"edges\[0\]\[0\]: expected a finite number"),
    "bins": (("recipe", "observables", 0, "bins"), {}, r"observables\[0\]\.bins: the fields.*missing \['edges'\]"),
    "cell": (("recipe", "observables", 2, "bins", "cells", "column"), 7, r"cells\.column: expected an integer from 0"),
    "no cell": (("recipe", "observables", 2, "bins", "cells"), None, r"cells: expected a cut through the columns"),
    "axes": (("histograms", "x", "axes", 0, "edges", 0), -99.0, r"histograms\.x\.axes: expected the bins that"),
    "count": (("histograms", "x", "storage", "values", 0), -1, r"storage\.values\[0\]: expected an integer from 0"),
    "counts": (("histograms", "x", "storage", "values", 0), 59, r"histograms\.x: expected 60 events in all"),
    "length": (("histograms", "x", "storage", "values"), [60], r"storage\.values: expected an array of"),
    "schema": (("histograms", "x", "uhi_schema"), 2, r"histograms\.x\.uhi_schema: expected an integer from 1 to 1"),
    "storage": (("histograms", "x", "storage", "type"), "double", r"storage\.type: expected one of 'int'"),
    "name of a histogram": (("histograms", 'o"k'), {}, r"histograms: the fields.*unknown \['o\"k'\]"),
    "rest": (("beyond", "jets", "values", 0), 5.0, r"beyond\.jets: expected no more than what rounding"),
    "products": (("beyond", "jets", "products"), [1], r"beyond\.jets\.products: expected an array of"),
    "diagonal": (("beyond", "jets", "products", 0), 1e6, r"beyond\.jets\.products: expected the sums of squares"),
    "of counts": (("beyond", "x"), {}, r"beyond\.x: expected null, as these are counts"),
    "strata": (("strata", "events"), [30, 30], r"strata\.events: expected an array of 1"),
    "weights": (("strata", "weights", "leading"), [59.0], r"histograms\.x: expected the weight of its stratum in all"),
    "weight of nothing": (
        ("strata", "weights", "rest"),
        [1.0],
        r"strata\.weights: expected no more than what rounding",
    ),
    "fingerprint": (("fingerprint", "rows"), 59, "fingerprint: a fingerprint of 59 rows cannot hold 60"),
    "digests": (("fingerprint", "wide", "digests"), "?", "fingerprint: .*not base64"),
    "row_chance": (("row_chance",), 1.5, "row_chance: expected a"),
    "no row_chance": (("row_chance",), 0.0, "row_chance: expected a probability above 0"),
    "row_chance as text": (("row_chance",), "1", "row_chance: expected a"),
    "more": (("extra",), 1, r"the document: the fields are not those expected: missing \[\], unknown \['extra'\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_fields(case: str, document: dict[str, Any]) -> None:
    """A field of the wrong type, range or number is refused, and the error names it."""
    path, value, reason = WRONG[case]
    changed: Any = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(gv.InputError, match=reason):
        Histograms.from_json(json.dumps(changed))


@pytest.mark.parametrize(
    "name", ["kind", "version", "parts", "recipe", "strata", "histograms", "beyond", "fingerprint", "row_chance"]
)
def test_missing_fields(name: str, document: dict[str, Any]) -> None:
    """A document without one of its members is refused, and the error names it."""
    left = {key: value for key, value in document.items() if key != name}
    with pytest.raises(gv.InputError, match=name):
        Histograms.from_json(json.dumps(left))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"version": 1', '"version": 1, "version": 1', "two members named 'version'"),
        ('"chance": ', '"chance": NaN, "c": ', "NaN, which is no number"),
        ('"chance": ', '"chance": -Infinity, "c": ', "-Infinity, which is no number"),
        ('"chance": ', '"chance": 1e999, "c": ', "1e999 is too large"),
        ('"version": 1', f'"version": {"1" * 6000}', "not a JSON text"),
        ('"version": 1', f'"version": {"1" * 400}', "expected version 1"),
        ('"version": 1', f'"version": {"[" * 100_000}', "not a JSON text"),
        ('"version": 1', '"version": \udc00', "not a JSON text"),
    ],
)
def test_hostile_texts(old: str, new: str, reason: str, document: dict[str, Any]) -> None:
    """Double names, NaN, numbers without end and deep nesting are refused with an error of one kind."""
    text = json.dumps(document)
    assert old in text
    with pytest.raises(gv.InputError, match=reason):
        Histograms.from_json(text.replace(old, new, 1).encode("utf-8", errors="surrogatepass"))


def test_a_deep_tree_is_refused(document: dict[str, Any]) -> None:
    """A tree so deep that it could not be descended is refused."""
    changed = copy.deepcopy(document)
    branch: Any = None
    for _ in range(400):
        branch = {"column": 0, "at": 0.0, "below": branch, "above": None}
    changed["recipe"]["observables"][2]["bins"]["cells"] = branch
    with pytest.raises(gv.InputError):
        Histograms.from_json(json.dumps(changed))


SCRAPS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53, 2**64, -(2**70), 0.5, 1e308, -1e-308, 5e-324, "", "inf", "x", "\x00", [], {}, [[]], [1.0]]),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


def changed_at(value: Any, place: tuple[Any, ...], what: str, scrap: Any) -> Any:
    """A document with one place replaced, deleted, or with something put beside it."""
    if not place:
        return scrap
    copied = copy.copy(value)
    key = place[0]
    if len(place) > 1:
        copied[key] = changed_at(value[key], place[1:], what, scrap)
    elif what == "delete":
        del copied[key]
    elif what == "insert" and isinstance(copied, list):
        copied.insert(key, scrap)
    else:
        copied["more" if what == "insert" else key] = scrap
    return copied


@settings(max_examples=150)
@given(data=st.data())
def test_any_change_is_noticed_or_harmless(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    """A document changed anywhere is refused with an error that says why, or is read and written as it is."""
    changed: Any = data.draw(st.sampled_from(documents))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(changed)))
        what = data.draw(st.sampled_from(["replace", "delete", "insert"]))
        changed = changed_at(changed, place, what, data.draw(SCRAPS))
    with contextlib.suppress(gv.InputError):
        found = Histograms.from_json(json.dumps(changed))
        assert Histograms.from_json(found.to_json()) == found


@settings(max_examples=100)
@given(text=st.one_of(st.text(), st.binary()))
def test_no_text_breaks_the_reader(text: str | bytes) -> None:
    """Whatever is read, the error is of one kind."""
    with pytest.raises(gv.InputError):
        Histograms.from_json(text)


# What is written is read by others.


def uhi_of(whole: Histograms) -> dict[str, Any]:
    """The histograms as other programs see them."""
    found: dict[str, Any] = json.loads(whole.to_json())["histograms"]
    return found


@pytest.mark.parametrize("weight", [None, "w"])
def test_others_read_the_same_contents(recipe: dict[str, Any], weight: str | None) -> None:
    """Every histogram is valid by the schema of UHI, and hist reads the same contents and variances from it."""
    pytest.importorskip("fastjsonschema")
    hist: Any = pytest.importorskip("hist")
    schema: Any = pytest.importorskip("uhi.schema")
    uhi: Any = pytest.importorskip("uhi.io.json")
    serialization: Any = pytest.importorskip("boost_histogram.serialization")
    whole = gv.fill(events(1), weight=weight, **recipe)
    named = uhi_of(whole)
    schema.validate(named)
    assert list(named) == list(whole.contents)
    for name, data in named.items():
        schema.validate_histogram(data)
        read = hist.Hist(serialization.from_uhi(json.loads(json.dumps(data), object_hook=uhi.object_hook)))
        sums = whole.contents[name].sums()
        assert read.values(flow=True).size == sums.sumw.size
        np.testing.assert_array_equal(read.values(flow=True).ravel(), sums.sumw)
        np.testing.assert_allclose(read.variances(flow=True).ravel(), sums.sumw2, rtol=1e-15)


def test_plain_bins_keep_their_edges() -> None:
    """An axis with edges is one for others too, with underflow and overflow; what has no word is numbered."""
    whole = gv.fill(
        events(1),
        observables=["x", Selection("y", "passed"), ("x", "y")],
        bins={"x": [-1, 0, 1], "y where passed": [0, 1], "x:y": ([0, 1], [0])},
    )
    named = uhi_of(whole)
    assert named["x"]["axes"] == [
        {"type": "variable", "edges": [-1.0, 0.0, 1.0], "underflow": True, "overflow": True, "circular": False}
    ]
    assert named["y where passed"]["axes"] == [{"type": "category_int", "categories": [0, 1, 2, 3], "flow": False}]
    assert [axis["type"] for axis in named["x:y"]["axes"]] == ["variable", "category_int"]


def test_histograms_of_parts_hold_builtins() -> None:
    """Parts and numbers of events are builtins, which any JSON library can write."""
    whole = gv.fill(events(1), observables=["x"])
    (part,) = whole.parts
    assert [type(value) for value in (part.source, part.id, part.events, part.chance)] == [str, str, int, float]
    assert all(type(number) is int for number in whole.events)
    assert math.isfinite(part.chance)
    assert replace(part, source="b") > replace(part, source="a")


def test_nothing_to_add() -> None:
    """No histograms add up to nothing."""
    with pytest.raises(gv.InputError, match="there are no histograms to add"):
        total([])

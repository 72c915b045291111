"""After a look at both sides it is known which columns are read, in which bins they are filled, and what tells rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Grid
from pytest_ganvalid.observables import Classifier, KDTree, Mean, Selection
from pytest_ganvalid.pipeline import draft as module
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.request import Request, Side, open_training
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.sources import MemoryPart, Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]


def draft(generated: object, reference: object, *, weight: Any = None, training: Any = None, **keywords: Any) -> Draft:
    """Look at both sides."""
    weights = weight if isinstance(weight, tuple) else (weight, weight)
    sides = tuple(
        Side.opened(events, name, w)
        for events, name, w in zip((generated, reference), ("generated", "reference"), weights, strict=True)
    )
    return Draft.of((sides[0], sides[1]), Request.parsed(**keywords), Threads(workers=1), open_training(training))


def planned(reference: Table, **keywords: Any) -> FillPlan:
    """Choose bins of a table."""
    return draft(reference, reference, **keywords).plan(Threads())


# Columns.


def sum_of_columns(events: Any) -> Any:
    """Add two columns."""
    return events["x"] + events["y"]


COLUMNS: list[tuple[dict[str, Any], set[str]]] = [
    ({"observables": ["x"]}, {"x"}),
    ({"observables": [("x", "n")], "weight": "w"}, {"x", "n", "w"}),
    ({"observables": [sum_of_columns], "by": "e"}, {"x", "y", "e"}),
    ({"observables": [Selection("x", "ok"), Mean("n")]}, {"x", "ok", "n"}),
    ({"observables": ["leading(jet)"], "nonfinite": "overflow"}, {"jet"}),
    ({"observables": ["leading(jet)"], "by": ("count(jet)", [2.0]), "nonfinite": "overflow"}, {"jet"}),
    ({"observables": ["x"], "training": {"y": np.arange(9.0)}}, {"x", "y"}),
    ({"observables": ["x"], "training": {"x": np.arange(9.0), "y": np.arange(9.0)}}, {"x"}),
    ({"nonfinite": "overflow"}, {"x", "y", "n", "e", "ok", "w", "jet", "hole"}),
]


@pytest.mark.parametrize(("keywords", "columns"), COLUMNS)
def test_only_needed_columns_are_read(
    events: Make, streamed: Stream, monkeypatch: pytest.MonkeyPatch, keywords: dict[str, Any], columns: set[str]
) -> None:
    """But for the first few events, no column is read that nothing is made of."""
    read: list[tuple[int, set[str]]] = []
    original = MemoryPart.chunks

    def chunks(part: MemoryPart, names: Sequence[str], chunk: int) -> Iterator[Any]:
        read.append((part.rows, set(names)))
        return original(part, names, chunk)

    monkeypatch.setattr(MemoryPart, "chunks", chunks)
    monkeypatch.setattr(module, "HEAD", 20)
    sources = [streamed(events(seed, 600)) for seed in (1, 2)]
    found = draft(*sources, **keywords)
    assert [set(some) for some in found.columns] == [columns, columns]
    assert found.columns[0] == tuple(name for name in events(1, 1) if name in columns)  # in their order
    read.clear()
    gv.validate(*sources, n_required=50, **keywords)
    assert all(names <= columns for rows, names in read if rows > 128)
    assert any(rows > 128 for rows, _ in read)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory, events: Make) -> tuple[list[str], list[str]]:
    """Write both samples to two files each, and to a third one that lacks two columns."""
    folder = tmp_path_factory.mktemp("uneven")
    sides: list[list[str]] = []
    for seed, name in enumerate(("gen", "ref")):
        table = {key: events(seed, 300)[key] for key in ("x", "y", "n", "ok", "w")}
        sides.append([str(folder / f"{name}{i}.npz") for i in range(2)])
        for path in sides[-1]:
            np.savez(path, **{key: values[:150] for key, values in table.items()})
        np.savez(folder / f"{name}-without.npz", **{key: table[key] for key in ("x", "n", "w")})
    return sides[0], sides[1]


@pytest.mark.parametrize("side", [0, 1])
def test_a_column_that_a_file_lacks(uneven: tuple[list[str], list[str]], side: int) -> None:
    """A column that is asked for and missing in one of many files is an error that names side and file."""
    sides = [list(names) for names in uneven]
    name = ("gen", "ref")[side]
    sides[side].append(str(Path(sides[side][0]).parent / f"{name}-without.npz"))
    for observables in (["y"], [("x", "y")], [Selection("x", "ok")], [Mean("y")], [sum_of_columns]):
        with pytest.raises((InputError, InputTypeError), match=rf"{name}-without\.npz") as caught:
            draft(*sides, observables=observables)
        assert ("generated", "reference")[side] in str(caught.value)
    with pytest.raises(InputError, match=rf"the weight column 'y' is not in .*{name}-without\.npz"):
        draft(*sides, observables=["x"], weight=("y", None) if side == 0 else (None, "y"))
    with pytest.raises(InputError, match=rf"column 'y' is not in .*{name}-without\.npz"):
        draft(*sides, observables=["x"], by="y")
    with pytest.raises(InputError, match=rf"column '(ok|y)' is not in .*{name}-without\.npz; name the observables"):
        draft(*sides)
    assert draft(*sides, observables=["x"]).skipped() is None


@pytest.mark.parametrize("side", [0, 1])
def test_a_column_that_one_side_cannot_be_read_of(events: Make, streamed: Stream, side: int) -> None:
    """A column that one side has and of the other cannot be read is not left out unasked, nor given up in silence."""
    tables = [{name: events(seed, 300)[name] for name in ("x", "y")} for seed in (1, 2)]
    sources = [streamed(table) for table in tables]
    rest = streamed({"x": tables[side]["x"]})
    sources[side] = Source(rest.names, rest.parts, refused={"y": "is a list of lists"})
    name = ("generated", "reference")[side]
    with pytest.raises(InputError, match=f"^{name}: column 'y' is a list of lists; name the observables to compare"):
        draft(*sources)
    with pytest.raises(InputError, match=f"^{name}: column 'y' is a list of lists$"):
        draft(*sources, observables=["y"])
    assert draft(*sources, observables=["x"]).columns == (("x",), ("x",))
    sources[1 - side] = streamed({"x": tables[0]["x"]})
    found = draft(*sources)
    generated, reference = found.plan(Threads()).like(found.full_sides[0]).skipped, found.skipped()
    assert (generated, reference)[side] == {"y": "cannot be read: it is a list of lists"}


def test_columns_of_one_side_only(events: Make) -> None:
    """What is left out unasked is named with its side's reason, and numbers that only the reference has are refused."""
    table = {name: events(1, 300)[name] for name in ("x", "y", "e")}
    text = np.array(["a"] * 300)
    numbers, more = np.arange(300), {"t": text, "event": np.arange(300)}
    found = draft(
        {**table, "a": text, **more},
        {**table, "b": text, "id": numbers, "w": table["x"], **more},
        weight=(None, "w"),
        by="e",
    )
    reference = {
        "b": "not numeric",
        "e": "divides the events into strata",
        "event": "numbers the events",
        "id": "numbers the events",
        "t": "not numeric",
    }
    assert found.plan(Threads()).skipped == reference
    assert found.plan(Threads()).like(found.full_sides[0]).skipped == {"a": "", **reference}
    assert draft(table, table, observables=["x"]).plan(Threads()).skipped is None
    weighted = draft({**table, "w": table["x"]}, {**table, "w": table["x"]}, weight=("w", None))
    assert weighted.skipped() == {"w": "holds the weights of the generated events"}
    with pytest.raises(InputError, match=r"that the generated sample lacks: \['b', 'c'\];.*or state observables="):
        draft(table, {**table, "c": table["x"], "b": table["x"], **more})


def test_the_joint_distribution_is_binned_by_itself(events: Make) -> None:
    """Edges are of single columns, NaN goes where it does in the columns, and what cannot be cut is left out."""
    table = {name: events(1, 900)[name] for name in ("x", "n", "hole", "w")}
    pair = {"x": table["x"], "w": table.pop("w")}
    edges = {"x": [0.0], "n": [2.0], "hole": [0.0]}
    for place in ("underflow", "separate"):
        stated = planned(table, observables=KDTree(("x", "n", "hole"), name="joint"), bins=50, nonfinite=place)
        assert planned(table, bins=edges, nonfinite=place).histograms[-1] == stated.histograms[0]
    assert planned(table, bins=edges, nonfinite={"hole": "underflow"}).histograms[-1].nonfinite == "underflow"
    several = {"hole": "underflow", "x": "overflow"}
    assert planned(table, bins=8, nonfinite=several).histograms[-1].nonfinite == "separate"
    assert planned(pair, bins=[0.0]).histograms[-1].bins.shape == (45,)  # 900 events
    assert planned(pair, bins={"joint": 7}).histograms[-1].bins.shape == (7,)
    rare = {name: np.where(np.arange(900) == place, 1.0, 0.0) for place, name in enumerate("ab")}
    plan = planned(rare)
    assert plan.observables == ("a", "b")
    assert plan.skipped is not None
    assert "the reference cannot be cut into cells along ['a', 'b']" in plan.skipped["joint"]
    with pytest.raises(InputError, match="cannot be cut into cells"):
        planned(rare, observables=KDTree())
    with pytest.raises(InputError, match="bins=1 compares nothing"):
        planned(table, nonfinite="overflow", bins={"joint": 1})


def test_columns_without_a_name(events: Make) -> None:
    """A column without a name is not taken for weights, nor for anything else."""
    with pytest.raises(InputError, match="generated: a column has no name; give it one"):
        draft({"x": events(1, 9)["x"], "": events(1, 9)["w"]}, {"x": events(2, 9)["x"]})


def test_samples_without_a_common_column(events: Make) -> None:
    """Samples that share no column, or nothing but the weight, cannot be compared."""
    x, w = events(1, 90)["x"], events(1, 90)["w"]
    with pytest.raises(InputError, match=r"the samples share no column: generated has \['x'\], reference \['y'\]"):
        draft({"x": x}, {"y": x})
    with pytest.raises(InputError, match=r"the samples share no column: generated has \['w', 'x'\], reference \['w',"):
        draft({"x": x, "w": w}, {"y": x, "w": w}, weight="w")


def test_settings_of_what_is_not_compared(events: Make) -> None:
    """Bins of an observable that there is none of are refused."""
    with pytest.raises(InputError, match=r"bins= names \['z'\], which are no observables here; there are \["):
        draft({"x": events(1, 90)["x"]}, {"x": events(2, 90)["x"]}, bins={"z": 5})


# Bins.


def edges(plan: FillPlan, name: str) -> tuple[float, ...]:
    """Edges of a histogram of one column."""
    (bins,) = (histogram.bins for histogram in plan.histograms if histogram.name == name)
    assert isinstance(bins, Grid)
    return bins.axes[0].edges


def test_bins_are_quantiles_of_the_reference() -> None:
    """A number of bins is equiprobable in the reference, of its finite values, by weight, and the outer are halved."""
    x = np.arange(1.0, 101.0)
    table = {"x": x, "v": np.where(x > 50, 3.0, 1.0)}
    assert edges(planned(table, observables=["x"], bins=2), "x") == (25.5, 50.5, 75.5)
    assert edges(planned(table, observables=["x"], bins=2, weight="v"), "x") == (50.5, 67.5)
    spoilt = {**table, "x": np.where(x < 11, np.nan, x)}
    found = planned(spoilt, observables=["x"], bins=2)  # it is refused where all events are filled
    assert edges(found, "x") == (33.5, 55.5, 78.5)
    assert edges(planned(spoilt, observables=["x"], bins=2, nonfinite="overflow"), "x") == (33.5, 55.5, 78.5)
    assert edges(planned(table, observables=["x"], bins=[3.0, 5.0]), "x") == (3.0, 5.0)


def test_bins_that_cannot_be_chosen(events: Make) -> None:
    """An observable that cannot be binned is named, with its stratum."""
    table = events(1, 90)
    for keywords, match in (
        ({"observables": ["x"], "bins": 1}, r"^observable 'x': bins=1 compares nothing"),
        ({"observables": ["x"], "bins": 1, "by": ("y", [0.0])}, r"^observable 'x | y < 0': bins=1 compares nothing"),
        (
            {"observables": [Selection("x", lambda some: some["x"] > 99, name="s")]},
            "^observable 's': no event of the reference is selected or has an entry; there is nothing to choose bins",
        ),
    ):
        with pytest.raises(InputError, match=re.escape(match[1:]) if "|" in match else match):
            draft(table, table, **keywords).plan(Threads())


def labels(by: object, values: Any) -> list[str]:
    """The bins of a condition, in words."""
    plan = planned({"e": values, "x": np.arange(float(len(values)))}, observables=["x"], by=by, bins=[0.0])
    assert plan.condition is not None
    name, axis = plan.condition
    assert [histogram.name for histogram in plan.histograms] == [
        f"x | {axis.label_of(name, i)}" for i in range(axis.size)
    ]
    assert [histogram.stratum for histogram in plan.histograms] == list(range(axis.size))
    return [axis.label_of(name, int(i)) for i in np.unique(axis.index(np.asarray(values, dtype=float)))]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (("e", [0.25, 0.75]), ["e < 0.25", "e in [0.25, 0.75)", "e >= 0.75"]),
        ({"e": [0.5]}, ["e < 0.5", "e >= 0.5"]),
        (("e", 2), ["e < 0.5005", "e >= 0.5005"]),
        (["e", 2], ["e < 0.5005", "e >= 0.5005"]),
        (("leading(e)", 2), None),
    ],
)
def test_bins_of_a_condition(by: Any, expected: list[str] | None) -> None:
    """Edges cut the condition with what lies below and above, and a number cuts it at quantiles of the reference."""
    if expected is None:
        with pytest.raises(InputTypeError, match=r"leading.e. reduces several entries per event"):
            labels(by, np.linspace(0, 1, 101))
    else:
        assert labels(by, np.linspace(0, 1, 1001)) == expected


def test_few_values_are_a_stratum_each() -> None:
    """A condition of up to twenty values is divided by value, of more into five equal parts."""
    assert labels("e", np.repeat([10.0, 50.0, -3.5], 9)) == ["e = -3.5", "e = 10", "e = 50"]
    assert labels("e", np.tile(np.arange(20), 5)) == [f"e = {i}" for i in range(20)]
    assert len(labels("e", np.tile(np.arange(21), 5))) == 5
    plan = planned({"e": np.random.default_rng(1).random(1_000), "x": np.ones(1_000)}, by="e", bins=[0.0])
    assert plan.strata == 5


def test_bins_of_each_stratum() -> None:
    """Each stratum has quantiles of its own, and one without any of the events that were looked at those of all."""
    n = 1_000
    table = {"e": np.repeat([1.0, 2.0], [n, n + 10]), "x": np.concatenate([np.arange(n), 5_000.0 + np.arange(n + 10)])}
    plan = planned(table, observables=["x"], by=("e", [1.5, 3.0]), bins=2)
    middles = [np.median(edges(plan, histogram.name)) for histogram in plan.histograms]
    assert middles == pytest.approx([500, 5_505, 5_005], abs=5)


def test_the_number_of_entries_is_binned_where_either_side_has_several(events: Make) -> None:
    """If events have several entries on either side, their number is binned, too, and on which side is known."""
    several, one = events(1, 90)["jet"], np.ones(90)
    for generated, reference, expected in ((several, one, True), (one, several, True), (one, one, False)):
        (histogram,) = draft({"j": generated}, {"j": reference}, bins=[1.0]).plan(Threads()).histograms
        assert (histogram.numbers is not None) is expected
        assert histogram.several == {"generated": generated is several, "reference": reference is several}


# Rows.


def test_the_key_is_of_what_both_have(events: Make) -> None:
    """Rows are recognised by columns that are read, others of both sides if those do not tell, and never the weight."""
    table = {name: events(1, 5_000)[name] for name in ("x", "y", "n", "e", "w")}
    found = draft(table, {**table, "x": table["x"] + 1}, observables=["n"], weight="w")
    assert found.key is not None
    assert found.key.columns == ("x", "y")
    assert found.key.tells
    assert set(found.key.columns) <= set(found.columns[0])
    text = {"t": np.array(["a", "b"] * 20), "ok": np.array([True, False] * 20)}
    assert draft({**text}, {**text}, observables=[Mean("ok")]).key is not None


def test_the_key_of_one_sample_is_sparing() -> None:
    """Of two columns of full resolution no third is wanted where the other sample is not known, which may lack it."""
    rng = np.random.default_rng(1)
    table, other = ({name: rng.uniform(1, 1.01, 3_000) for name in "abc"} for _ in range(2))  # alike, when rounded
    source = Side.opened(table, "generated").source
    sides = Side(source, "generated"), Side(source, "reference")
    alone = Draft.of(sides, Request.parsed(observables=["a", "b"]), Threads(workers=1))
    both = draft(table, other, observables=["a", "b"])
    assert alone.key is not None
    assert both.key is not None
    assert alone.key.columns == ("a", "b")
    assert both.key.columns == ("a", "b", "c")


def test_columns_that_are_lost_are_named(events: Make) -> None:
    """What would tell events apart, but is on one side only, is named where the common columns do not."""
    table = events(1, 5_000)
    coarse = {name: table[name] for name in ("n", "e")}
    other = {name: events(2, 5_000)[name] for name in ("n", "e")}
    assert draft({**coarse, "x": table["x"]}, other).lost == ("x",)
    numbered = {**other, "y": table["y"], "number": np.arange(5_000)}
    assert draft(coarse, numbered, observables=["n", "e"]).lost == ("y",)
    assert draft(coarse, {**other, "v": table["w"]}, weight=(None, "v")).lost == ()
    assert draft(coarse, other).lost == ()
    fine = {**other, "x": events(2, 5_000)["x"]}
    assert draft({**coarse, "x": table["x"]}, {**fine, "y": table["y"]}, observables=["x", "n"]).lost == ()


def test_the_key_of_the_training(events: Make) -> None:
    """The training is recognised by the columns of both sides, or else by what it shares with the reference."""
    table, other, third = ({name: events(seed, 3_000)[name] for name in ("x", "y", "n")} for seed in (1, 2, 3))
    found = draft(table, other, training=third)
    assert found.training_key is found.key
    assert found.key is not None
    found = draft({"x": table["x"]}, other, observables=["x"], training={"y": third["y"], "n": third["n"]})
    assert found.training_key is not None
    assert "y" in found.training_key.columns
    assert set(found.training_key.columns) <= {"y", "n"}
    assert set(found.training_key.columns) <= set(found.columns[1])
    assert draft(table, other).training_key is None
    fingerprint = gv.fingerprint(third, columns=["x", "y"])
    assert draft(table, other, training=fingerprint).training_key == fingerprint.key
    with pytest.raises(InputError, match="reference and training have no numeric column in common"):
        draft(table, other, training={"z": third["x"]})
    with pytest.raises(InputError, match=r"the reference has no numeric columns \['z'\].*columns=\['x'\]"):
        draft(table, other, training=gv.fingerprint({"x": third["x"], "z": third["y"]}, columns=["x", "z"]))
    with pytest.raises(InputError, match=r"the reference has no numeric columns \['z'\].*columns=\['x', 'y', 'n'\]"):
        draft(table, other, training=gv.fingerprint({"z": third["y"]}))
    with pytest.raises(InputError, match=r"the reference has no numeric columns \['y'\]"):
        draft(table, {**other, "y": np.array(["a"] * 3_000)}, observables=["x"], training=fingerprint)


def test_what_is_learned_is_not_binned(events: Make) -> None:
    """Of the observables only those of single events are filled, in the order that was asked for."""
    table = {name: events(1, 300)[name] for name in ("x", "y")}
    found = draft(table, table, observables=[Mean("x"), "y", Classifier(), KDTree(), "x"], bins=4)
    assert [observable.name for observable in found.binned] == ["y", "kdtree", "x"]
    assert found.plan(Threads()).observables == ("y", "kdtree", "x")
    assert [found.is_numbered(observable) for observable in found.binned] == [True] * 3
    assert draft(Sample(table), table, bins=[1.0]).is_numbered(found.binned[0]) is False


def test_arrays_that_are_nested_too_deeply_are_named_at_once(tmp_path: Path) -> None:
    """Without named observables, all arrays of too many axes are named by one error, with a list that would do."""
    rng = np.random.default_rng(1)
    files = []
    for name in ("g", "r"):
        files.append(str(tmp_path / f"{name}.npz"))
        np.savez(files[-1], x=rng.normal(size=500), hits=rng.normal(size=(500, 2, 2)), jets=np.zeros((500, 1, 2)))
    with pytest.raises(InputError, match=r"column 'hits' is nested .*; so is 'jets'\. To compare without: .*\['x'\]"):
        gv.validate(files[0], files[1], n_required=20)
    assert list(gv.validate(files[0], files[1], n_required=20, observables=["x"]).comparisons) == ["x"]

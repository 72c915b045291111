"""Trees of both kinds are read by rows, and what is no number or list of numbers is refused."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import root

uproot: Any = pytest.importorskip("uproot")
ak: Any = pytest.importorskip("awkward")

COUNTS = np.array([0, 2, 1, 0, 3, 1, 0, 0, 4, 1, 0, 2])
SPECIAL = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308], COUNTS.size)


def _columns() -> dict[str, Any]:
    number = np.arange(COUNTS.size)
    return {
        "x": SPECIAL,
        "a-b": number.astype(np.float32),
        "a": number.astype(np.int64),
        "b": number.astype(np.uint8),
        "flag": number % 2 == 0,
        "jets": Entries(np.arange(float(COUNTS.sum())), COUNTS),
    }


def _branches(columns: dict[str, Any], rows: slice = slice(None)) -> dict[str, Any]:
    cut = {name: values[rows] for name, values in columns.items()}
    return {name: ak.unflatten(v.values, v.counts) if isinstance(v, Entries) else v for name, v in cut.items()}


def _write_tree(path: Path, name: str = "tree") -> dict[str, Any]:
    """Write three clusters, and return the columns."""
    columns = {**_columns(), "cells": np.arange(36.0).reshape(12, 3)}
    with uproot.recreate(path) as file:
        types = {name: values.dtype for name, values in columns.items()}
        tree = file.mktree(name, {**types, "jets": "var * float64", "cells": ("f8", (3,))})
        for first in (0, 4, 8):
            branches = _branches(columns, slice(first, first + 4))
            tree.extend(branches)
    jets = columns["jets"]
    order = ["x", "a-b", "a", "b", "flag", "njets", "jets", "cells"]
    columns["njets"] = jets.counts.astype(np.int32)
    return {name: columns[name] for name in order}


def _write_ntuple(path: Path, name: str = "tree") -> dict[str, Any]:
    """Write three clusters, and return the columns."""
    columns = {name: values for name, values in _columns().items() if name != "a-b"}
    jets = columns["jets"]
    with uproot.recreate(path) as file:
        arrays = ak.Array(
            {
                **_branches(columns),
                "hits": ak.unflatten(ak.zip({"t": jets.values, "q": jets.values.astype("i4")}), jets.counts),
                "met": ak.zip({"pt": columns["x"], "phi": columns["a"]}),
                "name": ["a"] * 12,
                "nested": [[[1.0]]] * 12,
            }
        )
        ntuple = file.mkrntuple(name, arrays[:4])
        ntuple.extend(arrays[4:8])
        ntuple.extend(arrays[8:])
    hits = {"hits.t": jets, "hits.q": Entries(jets.values.astype("i4"), jets.counts)}
    return {**columns, **hits, "met.pt": columns["x"], "met.phi": columns["a"]}


WRITES = pytest.mark.parametrize("write", [_write_tree, _write_ntuple])


@WRITES
def test_any_rows(tmp_path: Path, write: Any, checks: Any) -> None:
    """Numbers, jagged and fixed arrays come back exactly, in whatever chunks, from any cluster."""
    path = tmp_path / "events.root"
    checks.any_rows(path, write(path), least=3)


@WRITES
def test_damage(tmp_path: Path, write: Any, checks: Any) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    path = tmp_path / "events.root"
    write(path)
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


@WRITES
def test_changed_bytes(tmp_path: Path, write: Any, checks: Any) -> None:
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    path = tmp_path / "events.root"
    write(path)
    content = path.read_bytes()
    for position in range(0, len(content), 1 + len(content) // 60):
        checks.changed(path, content, position, 0x15)


def test_refused(tmp_path: Path, checks: Any) -> None:
    """Text and lists of lists are refused with what to do."""
    path = tmp_path / "events.root"
    _write_ntuple(path)
    for name, reason in {
        "name": "is of type string, neither a number nor .*; write its",
        "nested": r"is nested more deeply than .* type var \* var \* float64",
    }.items():
        with pytest.raises(InputError, match=rf"column '{name}' {reason}"):
            checks.read(path, [name])


def test_names_of_trees(tmp_path: Path, checks: Any) -> None:
    """The only tree is found wherever it is; of several, one must be named, and can be in any of the usual ways."""
    path = tmp_path / "events.root"
    expected = _write_tree(path, "folder/tree")
    checks.same(checks.read(path), expected)
    for name in ("folder/tree", "/folder/tree", "folder/tree;1"):
        checks.same(checks.read(f"{path}:{name}"), expected)
    with uproot.update(path) as file:
        file.mktree("other", {"x": "f8"})
        file["text"] = "hello"
    with pytest.raises(
        InputError, match=r"there are several trees in it: name one of \['folder/tree', 'other'\] after"
    ):
        checks.read(path)
    for name in ("folder", "text", "tree"):
        with pytest.raises(InputError, match=rf"there is no tree '{name}'.*; there are \['folder/tree', 'other'\]"):
            checks.read(f"{path}:{name}")
    with uproot.recreate(path) as file:
        file["text"] = "hello"
    with pytest.raises(InputError, match="there is no tree in it"):
        checks.read(path)


def test_cycles(tmp_path: Path, checks: Any) -> None:
    """An older cycle of a tree is not another tree."""
    path = tmp_path / "events.root"
    with uproot.recreate(path) as file:
        for n in (3, 5):
            file.mktree("tree", {"x": "f8"}).extend({"x": np.arange(float(n))})
    assert len(checks.read(path)["x"]) == 5
    assert len(checks.read(f"{path}:tree;1")["x"]) == 3


def test_no_rows(tmp_path: Path, checks: Any) -> None:
    """A tree without rows has none."""
    path = tmp_path / "events.root"
    with uproot.recreate(path) as file:
        file.mktree("tree", {"x": "f8", "j": "var * float64"})
    assert checks.read(path) == {}
    with uproot.recreate(path) as file:
        file.mkrntuple("tree", ak.Array({"x": np.array([])}))
    assert checks.read(path) == {}


def test_short_names() -> None:
    """A branch is called by the last part of its path where that is unique."""
    assert root._leaf_names(["jet/pt", "jet/eta", "met/pt", "x"]) == ["jet/pt", "eta", "met/pt", "x"]


def test_uproot_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checks: Any) -> None:
    """Without uproot the package is named."""
    path = tmp_path / "events.root"
    _write_tree(path)
    monkeypatch.setitem(sys.modules, "uproot", None)
    with pytest.raises(MissingExtraError, match=r"a ROOT file needs the package 'uproot', .*pytest-ganvalid\[hep\]"):
        checks.read(path)


@pytest.mark.parametrize("kind", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"])
def test_every_kind_of_number(tmp_path: Path, checks: Any, kind: str) -> None:
    """Flags, integers and floats of every width come back in their own type, also as lists."""
    path, x = tmp_path / "events.root", np.array([0, 1, 1]).astype(kind)
    with uproot.recreate(path) as file:
        file.mktree("tree", {"x": x.dtype, "j": f"var * {x.dtype}"}).extend(
            {"x": x, "j": ak.unflatten(x, np.array([1, 0, 2]))}
        )
    found = checks.read(path, ["x", "j"])
    checks.same(found, {"x": x, "j": Entries(x, np.array([1, 0, 2]))})
    assert found["j"].dtype == x.dtype


@pytest.mark.parametrize("kind", ["TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple"])
def test_every_kind_of_tree(kind: str) -> None:
    """Each class of ROOT that is a table of events is found, and no histogram or folder is."""
    classes = {"h": "TH1D", "folder": "TDirectory", "folder/t": kind, "text": "TObjString"}
    assert root._tree_name(classes, "") == "folder/t"
    for name in ("folder/t", "/folder/t/", "folder/t;3"):
        assert root._tree_name(classes, name) == name.strip("/")


@pytest.mark.parametrize(
    ("starts", "rows", "kept"),
    [
        ([0, 5, 10], 15, [0, 5, 10]),
        ([0, 5, 10], 10, [0, 5]),
        ([0], 0, [0]),
        ([], 0, [0]),
        (range(4096), 5000, list(range(4096))),
        (range(4097), 5000, list(range(0, 4097, 2))),
    ],
)
def test_starts(starts: Any, rows: int, kept: list[int]) -> None:
    """Starts that are rows are kept, but no more than 4,096 of them."""
    assert list(root._row_starts(starts, rows)) == kept


def test_a_file_that_is_shorter_than_it_says(tmp_path: Path) -> None:
    """A byte too few is damage; a byte too many, and a file elsewhere, is not looked at."""
    path = tmp_path / "events.root"
    path.write_bytes(bytes(100))
    root._check_end(str(path), 100)
    root._check_end(str(path), 99)
    root._check_end("root://host//events.root", 101)
    with pytest.raises(ValueError, match=r"^it says that it has 101 bytes, and has 100$"):
        root._check_end(str(path), 101)


def test_two_branches_of_one_name(tmp_path: Path, checks: Any) -> None:
    """A name that two branches have is refused as ambiguous, and the other branches are read."""
    path = tmp_path / "events.root"
    x = np.arange(10.0)
    with uproot.recreate(path, compression=None) as file:
        file.mktree("t", {"pt_a": "f8", "pt_b": "f8", "z": "f8"}).extend({"pt_a": x, "pt_b": -x, "z": x + 1})
    path.write_bytes(path.read_bytes().replace(b"pt_b", b"pt_a"))
    checks.same(checks.read(path), {"z": x + 1})
    with pytest.raises(InputError, match=r"column 'pt_a' is the name of 2 branches, and which is meant cannot be told"):
        checks.read(path, ["pt_a"])


@pytest.mark.parametrize("known", [True, False], ids=["what uproot says", "an error of another kind"])
def test_a_branch_without_a_type(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch, *, known: bool) -> None:
    """A branch that uproot cannot type, such as references of Delphes, is refused, and the file is not."""
    path = tmp_path / "events.root"
    x = np.arange(10.0)
    with uproot.recreate(path) as file:
        file.mktree("Delphes", {"Jet.PT": "f8", "Particles": "f8"}).extend({"Jet.PT": x, "Particles": x})
    identify = uproot.interpretation.identify
    usual = identify.interpretation_of

    def interpretation(branch: Any, *arguments: Any) -> Any:
        if branch.name == "Particles":
            msg = "no interpretation"
            if known:
                raise identify.UnknownInterpretation(msg, branch.file.file_path, branch.object_path)
            raise NotImplementedError(msg)
        return usual(branch, *arguments)

    monkeypatch.setattr(identify, "interpretation_of", interpretation)
    checks.same(checks.read(path), {"Jet.PT": x})
    with pytest.raises(InputError, match=r"column 'Particles' is of type (TBranch|unknown), neither a number"):
        checks.read(path, ["Particles"])


def test_drawn_trees(tmp_path: Path) -> None:
    """Checks on drawn trees of any layout end with a report, or with an error of the package that says what to do."""
    trees = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "trees.py"))
    outcomes = [trees["check"](tmp_path, seed, most=2) for seed in range(30)]
    assert [(seed, outcome) for seed, outcome in enumerate(outcomes) if outcome.wrong] == []
    assert {"ROBUST", "UNPROVEN", "InputError"} <= {outcome.kind for outcome in outcomes}


def test_dots_in_names_of_fields(tmp_path: Path, checks: Any) -> None:
    """A dot in the name of a field of an RNTuple is not taken for a field within a field."""
    path, x = tmp_path / "events.root", np.arange(4.0)
    lists = ak.unflatten(x, [0, 3, 0, 1])
    with uproot.recreate(path) as file:
        file.mkrntuple("t", {"Jet.PT": ak.Array(x), "a.b": ak.zip({"c.d": lists})})
    checks.same(checks.read(path), {"Jet.PT": x, "a.b.c.d": Entries.of(lists)})
    with uproot.recreate(path) as file:
        file.mkrntuple("t", {"a.b": ak.Array(x), "a": ak.zip({"b": x}), "c": ak.Array(x)})
    with pytest.raises(InputError, match=r"column 'a\.b' is the name of 2 fields"):
        checks.read(path, ["a.b"])
    checks.same(checks.read(path), {"c": x})


def test_layout_of_delphes(tmp_path: Path, checks: Any) -> None:
    """Objects that are written as a branch for each member, with a counter, come back as lists of one length."""
    path = tmp_path / "events.root"
    numbers = np.arange(COUNTS.sum(), dtype=np.float32)
    jets = {name: ak.unflatten(numbers + i, COUNTS) for i, name in enumerate(("PT", "Eta", "Phi"))}
    with uproot.recreate(path) as file:
        tree = file.mktree(
            "Delphes",
            {"Event.Weight": "f4", "Jet": "var * {PT: float32, Eta: float32, Phi: float32}"},
            field_name="{}.{}".format,
            counter_name="{}_size".format,
        )
        tree.extend({"Event.Weight": np.ones(COUNTS.size, np.float32), "Jet": ak.zip(jets)})
    expected: dict[str, Any] = {"Event.Weight": np.ones(COUNTS.size, np.float32), "Jet_size": COUNTS.astype(np.int32)}
    expected |= {f"Jet.{name}": Entries.of(values) for name, values in jets.items()}
    checks.any_rows(path, expected)


@pytest.mark.parametrize("broken", ["fails when it reads", "fails when it is asked", "is of an unknown class"])
def test_interpretations_that_uproot_lacks(
    tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A branch whose interpretation fails, in whatever way, is refused alone or blamed on the file."""
    path, x = tmp_path / "events.root", np.arange(10.0)
    with uproot.recreate(path) as file:
        file.mktree("t", {"x": "f8", "p": "f8"}).extend({"x": x, "p": x})
    branch, msg = uproot.behaviors.TBranch.TBranch, "cannot be deserialised"
    usual = branch.interpretation.fget

    class Unknown:
        """Has nothing of an interpretation."""

    class Failing(uproot.interpretation.numerical.AsDtype):  # type: ignore[misc]
        """Looks like numbers until it is read."""

        def basket_array(self, *_: Any, **__: Any) -> Any:
            raise uproot.deserialization.DeserializationError(msg, None, None, {}, "here")

    def interpretation(self: Any) -> Any:
        if self.name != "p":
            return usual(self)
        if broken == "fails when it is asked":
            raise AttributeError(msg)
        return Unknown() if broken == "is of an unknown class" else Failing(">f8")

    monkeypatch.setattr(branch, "interpretation", property(interpretation))
    checks.same(checks.read(path, ["x"]), {"x": x})
    reason = "from row 0 on: cannot be read as ROOT" if broken == "fails when it reads" else "column 'p' is of type"
    with pytest.raises(InputError, match=reason):
        checks.read(path, ["p"])


@pytest.mark.parametrize("make", ["mktree", "mkrntuple"])
def test_damage_ends_no_process(tmp_path: Path, make: str, checks: Any) -> None:
    """Wherever bytes are changed, a file is read or refused, and no signal ends the process."""
    path = tmp_path / "events.root"
    with uproot.recreate(path) as file:
        getattr(file, make)("t", {"j": ak.unflatten(np.arange(float(COUNTS.sum())), COUNTS)})
    checks.survives(path)

"""Units are read wherever data state them, and reach the axes of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid._units import split_title, stated_unit
from pytest_ganvalid.samples.tables import units_of

TABLE = {"mass": np.linspace(60, 120, 400), "eta": np.linspace(-2, 2, 400) ** 3}


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("m(mumu) [GeV]", ("m(mumu)", "GeV")),
        ("pt", ("pt", "")),
        ("Muon_pt[nMuon]", ("Muon_pt[nMuon]", "")),
        ("[GeV]", ("[GeV]", "")),
        ("a [b] [1/GeV] ", ("a [b]", "1/GeV")),
    ],
)
def test_titles(title: str, parts: tuple[str, str]) -> None:
    """What stands in brackets at the end, after a space, is the unit."""
    assert split_title(title) == parts


@pytest.mark.parametrize(
    ("metadata", "unit"),
    [
        ({"unit": "GeV"}, "GeV"),
        ({b"units": b" mm "}, "mm"),
        ({"unit": 3, "units": "s"}, "s"),
        ({"unit": "\x1b[2J"}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_metadata(metadata: dict[Any, Any] | None, unit: str) -> None:
    """A unit is text under unit or units that can be printed."""
    assert stated_unit(metadata) == unit


def arrow_table() -> Any:
    """The table with a unit in the metadata of a field."""
    pa = pytest.importorskip("pyarrow")
    fields = [pa.field("mass", pa.float64(), metadata={"unit": "GeV"}), pa.field("eta", pa.float64())]
    return pa.table([pa.array(values) for values in TABLE.values()], schema=pa.schema(fields))


def written(form: str, folder: Path) -> Any:
    """The events in memory or in a file of some form, with the unit of one column."""
    path = folder / f"events.{form}"
    if form == "parquet":
        pytest.importorskip("pyarrow.parquet").write_table(arrow_table(), path)
    elif form == "feather":
        pytest.importorskip("pyarrow.feather").write_feather(arrow_table(), path)
    elif form == "h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            for name, values in TABLE.items():
                file[name] = values
            file["mass"].attrs["units"] = "GeV"
    elif form == "arrow":
        return arrow_table()
    else:
        ak = pytest.importorskip("awkward")
        return ak.zip({"mass": ak.with_parameter(TABLE["mass"], "unit", "GeV"), "eta": ak.Array(TABLE["eta"])})
    return str(path)


@pytest.mark.parametrize("form", ["parquet", "feather", "h5", "arrow", "awkward"])
def test_units_reach_the_axes(form: str, tmp_path: Path) -> None:
    """What a file or a table says is the unit of the axis; what the user says goes over it."""
    events = written(form, tmp_path)
    other = {name: values[::-1] + 0.001 for name, values in TABLE.items()}
    stored = gv.Histograms.from_json(gv.fill(events, observables=["mass", "eta"]).to_json())
    for stated, unit in ((None, "GeV"), ({"mass": "TeV"}, "TeV")):
        whole = gv.validate(other, events, n_required=20, observables=["mass", "eta"], units=stated)
        for report in (whole, gv.validate(other, stored, n_required=20, units=stated)):
            assert [c.axes[0].unit for c in report.histograms.values()] == [unit, ""]


def test_units_of_records_with_a_behaviour() -> None:
    """An awkward array states its units whatever class its behaviour has made of it."""
    ak = pytest.importorskip("awkward")
    momentum = type("Momentum", (ak.Array,), {})
    column = ak.with_parameter(TABLE["mass"], "unit", "GeV")
    events = ak.zip({"mass": column}, with_name="Momentum", behavior={("*", "Momentum"): momentum})
    assert type(events) is momentum
    assert units_of(events) == {"mass": "GeV"}


def test_titles_of_branches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit in the title of a branch is that of its column."""
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(tmp_path / "events.root") as file:
        file.mktree("tree", {name: values.dtype for name, values in TABLE.items()}).extend(TABLE)
    titles = {"mass": "invariant mass [GeV]", "eta": "eta[n]"}
    monkeypatch.setattr(uproot.TBranch, "title", property(lambda branch: titles[branch.name]))
    from pytest_ganvalid.samples.sources import file_source

    assert dict(file_source(str(tmp_path / "events.root")).units) == {"mass": "GeV"}


def test_other_tables_state_none() -> None:
    """A mapping states no units."""
    assert units_of(TABLE) == {}

"""Each layout that a library writes is read as the library reads it; the table of the documentation says the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries

N = 12
NUMBER = np.arange(N)
FLOATS = np.resize([0.1, np.nan, -np.inf, 5e-324, 1e308, -0.0], N)
COUNTS = NUMBER % 4
LISTS = [np.arange(float(count)) + i for i, count in enumerate(COUNTS)]
TABLE = re.compile(r"^\| (\w[^|]*) \| ([^|]+) \| (numbers|lists|text|refused) \|$", re.MULTILINE)
DOCS = Path(__file__).parents[3] / "docs" / "files.md"


@dataclass(frozen=True)
class Layout:
    """What a library writes into a file.

    Attributes:
        suffix: Of the file.
        write: Writes it, and returns what the library itself reads of it, as columns.
        result: What becomes of it: numbers, lists, text, or that it is refused.
        module: What has to be installed.
    """

    suffix: str
    write: Callable[[Path], dict[str, Any]]
    result: str
    module: str = "numpy"


def _lists(rows: Any) -> Entries:
    """Return what a library reads as lists, by way of Python."""
    rows = [np.asarray(row) for row in rows]
    return Entries(np.concatenate(rows), np.array([len(row) for row in rows]))


def _tree(branches: Callable[[Any], dict[str, Any]], *, ntuple: bool = False) -> Callable[[Path], dict[str, Any]]:
    """Write a tree with uproot, and read it branch by branch."""

    def write(path: Path) -> dict[str, Any]:
        import awkward
        import uproot

        with uproot.recreate(path) as file:
            if ntuple:
                file.mkrntuple("t", branches(awkward))
            else:
                named = {"field_name": "{}.{}".format, "counter_name": "{}_size".format}
                tree = file.mktree(
                    "t", {k: awkward.Array(v).type.content for k, v in branches(awkward).items()}, **named
                )
                tree.extend(branches(awkward))
        with uproot.open(path) as file:
            rows = file["t"].arrays()
        found: dict[str, Any] = {}
        for name in rows.fields:
            for inner in rows[name].fields or [""]:
                values = rows[name][inner] if inner else rows[name]
                column = f"{name}.{inner}" if inner else name
                found[column] = _lists(values.to_list()) if values.ndim > 1 else np.asarray(values)
        return found

    return write


def _arrow(columns: Callable[[Any], dict[str, Any]], kind: str) -> Callable[[Path], dict[str, Any]]:
    """Write a table with pyarrow, and read it column by column."""

    def write(path: Path) -> dict[str, Any]:
        import pyarrow as pa
        from pyarrow import feather, parquet

        table = pa.table(columns(pa))
        if kind == "parquet":
            parquet.write_table(table, path, row_group_size=5)
            rows = parquet.read_table(path)
        elif kind == "stream":
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table)
            with pa.OSFile(str(path)) as file:
                rows = pa.ipc.open_stream(file).read_all()
        else:
            feather.write_feather(table, path, compression=kind, chunksize=5)
            rows = feather.read_table(path)
        return {name: _plain(rows[name].to_pylist()) for name in rows.column_names}

    return write


def _plain(values: list[Any]) -> Any:
    """Return what pyarrow reads as an array or as lists; nothing is NaN."""
    if isinstance(values[0], list):
        return _lists(values)
    return np.array([np.nan if value is None else value for value in values], float if None in values else None)


def _hdf5(datasets: Callable[[Any], None]) -> Callable[[Path], dict[str, Any]]:
    """Write datasets with h5py, and read them one by one."""

    def write(path: Path) -> dict[str, Any]:
        import h5py

        with h5py.File(path, "w") as file:
            datasets(file)
        found: dict[str, Any] = {}
        with h5py.File(path) as file:
            for name in file:
                if isinstance(file[name], h5py.Group) or not file[name].shape:
                    continue
                text, rows = h5py.check_string_dtype(file[name].dtype), file[name][:]
                parts = {field: rows[field] for field in rows.dtype.names} if rows.dtype.names else {name: rows}
                for column, values in parts.items():
                    found[column] = _lists(values) if values.dtype == object and not text else values
                if text:
                    found[name] = file[name].asstr()[:].astype(str)
        return found

    return write


def _vlen(file: Any) -> None:
    import h5py

    data = file.create_dataset("x", (N,), dtype=h5py.vlen_dtype(np.float64))
    for i, row in enumerate(LISTS):
        data[i] = row


def _numpy(path: Path) -> dict[str, Any]:
    """Write an archive, or a structured array."""
    if path.suffix == ".npz":
        np.savez_compressed(path, x=FLOATS, n=NUMBER)
        with np.load(path) as archive:
            return dict(archive)
    rows = np.zeros(N, dtype=[("x", ">f8"), ("n", "i4")])
    rows["x"], rows["n"] = FLOATS, NUMBER
    np.save(path, rows)
    return {name: np.load(path)[name] for name in rows.dtype.names or ()}


def _csv(path: Path) -> dict[str, Any]:
    """Write text with all digits."""
    np.savetxt(path, np.stack([FLOATS, NUMBER], axis=1), "%.17g", delimiter=",", header="x,n")
    x, n = np.loadtxt(path, delimiter=",", unpack=True)
    return {"x": x, "n": n}


def _hepmc(version: str) -> Callable[[Path], dict[str, Any]]:
    """Write events with pyhepmc, and read them particle by particle."""

    def write(path: Path) -> dict[str, Any]:
        import pyhepmc

        with pyhepmc.open(path, "w", format=version) as file:
            for i in range(5):
                event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
                vertex = pyhepmc.GenVertex()
                vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 7, 7), 2212, 4))
                for j in range(i + 1):
                    vertex.add_particle_out(pyhepmc.GenParticle((3.0 + j, 4, -1.5, 13), 22, 1 + j % 2))
                event.add_vertex(vertex)
                event.weights = [0.5 + i]
                file.write(event)
        found: dict[str, list[Any]] = {name: [] for name in ("weight", "pt", "eta", "phi", "e", "pdg_id")}
        with pyhepmc.open(path) as file:
            for event in file:
                final = [particle for particle in event.particles if particle.status == 1]
                found["weight"].append(event.weights[0])
                found["pdg_id"].append([particle.pid for particle in final])
                found["e"].append([particle.momentum.e for particle in final])
                for name in ("pt", "eta", "phi"):
                    found[name].append([getattr(particle.momentum, name)() for particle in final])
        return {name: np.array(v) if name == "weight" else _lists(v) for name, v in found.items()}

    return write


def _safetensors(path: Path) -> dict[str, Any]:
    """Write tensors."""
    from safetensors.numpy import load_file, save_file

    save_file({"x": FLOATS, "n": NUMBER}, path)
    return dict(load_file(path))


def _text(file: Any) -> None:
    file["x"] = [f"é{i}" for i in range(N)]


def _compound(file: Any) -> None:
    file["hits"] = np.array([(x, n) for x, n in zip(FLOATS, NUMBER, strict=True)], dtype=[("x", "f8"), ("n", "i4")])


LAYOUTS = {
    ("ROOT", "TTree: branches of numbers"): Layout(
        ".root", _tree(lambda _: {"x": FLOATS, "n": NUMBER, "flag": NUMBER % 2 == 0}), "numbers", "uproot"
    ),
    ("ROOT", "TTree: jagged branches with a counter"): Layout(
        ".root", _tree(lambda ak: {"x": ak.Array(LISTS)}), "lists", "uproot"
    ),
    ("ROOT", "TTree: members of objects, as Delphes' `Jet.PT`"): Layout(
        ".root", _tree(lambda ak: {"Jet": ak.zip({"PT": LISTS, "Eta": LISTS})}), "lists", "uproot"
    ),
    ("ROOT", "RNTuple: fields of numbers"): Layout(
        ".root", _tree(lambda ak: {"x": ak.Array(FLOATS), "Jet.N": ak.Array(NUMBER)}, ntuple=True), "numbers", "uproot"
    ),
    ("ROOT", "RNTuple: lists of records"): Layout(
        ".root", _tree(lambda ak: {"jet": ak.zip({"pt": LISTS, "eta": LISTS})}, ntuple=True), "lists", "uproot"
    ),
    ("ROOT", "RNTuple: text"): Layout(
        ".root", _tree(lambda ak: {"x": ak.Array(["a"] * N)}, ntuple=True), "refused", "uproot"
    ),
    ("Parquet", "numbers and flags"): Layout(
        ".parquet", _arrow(lambda _: {"x": FLOATS, "n": NUMBER, "flag": NUMBER > 3}, "parquet"), "numbers", "pyarrow"
    ),
    ("Parquet", "numbers with nulls, which are NaN"): Layout(
        ".parquet", _arrow(lambda pa: {"x": pa.array([None, 1.5] * 6)}, "parquet"), "numbers", "pyarrow"
    ),
    ("Parquet", "lists"): Layout(".parquet", _arrow(lambda pa: {"x": pa.array(LISTS)}, "parquet"), "lists", "pyarrow"),
    ("Parquet", "text, also as a dictionary"): Layout(
        ".parquet",
        _arrow(
            lambda pa: {"x": pa.array(["é", "b"] * 6), "d": pa.array(["a", "b"] * 6).dictionary_encode()}, "parquet"
        ),
        "text",
        "pyarrow",
    ),
    ("Parquet", "structs"): Layout(
        ".parquet", _arrow(lambda pa: {"x": pa.array([{"pt": 1.0}] * N)}, "parquet"), "refused", "pyarrow"
    ),
    ("Feather", "numbers, with lz4"): Layout(
        ".feather", _arrow(lambda _: {"x": FLOATS, "n": NUMBER}, "lz4"), "numbers", "pyarrow"
    ),
    ("Feather", "lists, with zstd"): Layout(
        ".feather", _arrow(lambda pa: {"x": pa.array(LISTS)}, "zstd"), "lists", "pyarrow"
    ),
    ("Feather", "stream of Arrow"): Layout(".arrow", _arrow(lambda _: {"x": FLOATS}, "stream"), "numbers", "pyarrow"),
    ("HDF5", "contiguous datasets"): Layout(
        ".h5", _hdf5(lambda file: file.update({"x": FLOATS, "n": NUMBER})), "numbers", "h5py"
    ),
    ("HDF5", "chunks with gzip, shuffled"): Layout(
        ".h5",
        _hdf5(lambda file: file.create_dataset("x", data=FLOATS, chunks=5, compression="gzip", shuffle=True)),
        "numbers",
        "h5py",
    ),
    ("HDF5", "compound datasets"): Layout(".h5", _hdf5(_compound), "numbers", "h5py"),
    ("HDF5", "lists of variable length"): Layout(".h5", _hdf5(_vlen), "lists", "h5py"),
    ("HDF5", "text"): Layout(".h5", _hdf5(_text), "text", "h5py"),
    ("HDF5", "a single number"): Layout(".h5", _hdf5(lambda file: file.update({"x": 3.0})), "refused", "h5py"),
    ("numpy", "compressed archive"): Layout(".npz", _numpy, "numbers"),
    ("numpy", "structured array, of either byte order"): Layout(".npy", _numpy, "numbers"),
    ("CSV", "numbers, with all digits"): Layout(".csv", _csv, "numbers"),
    ("HepMC", "version 3"): Layout(".hepmc3", _hepmc("HepMC3"), "lists", "pyhepmc"),
    ("HepMC", "version 2"): Layout(".hepmc", _hepmc("HepMC2"), "lists", "pyhepmc"),
    ("safetensors", "tensors"): Layout(".safetensors", _safetensors, "numbers", "safetensors"),
}


@pytest.mark.parametrize("name", LAYOUTS, ids=": ".join)
def test_as_the_library_reads_it(tmp_path: Path, checks: Any, name: tuple[str, str]) -> None:
    """What the library reads is read, value by value, or the file is refused with what to do."""
    layout = LAYOUTS[name]
    pytest.importorskip(layout.module)
    path = tmp_path / f"events{layout.suffix}"
    expected = layout.write(path)
    if layout.result == "refused":
        with pytest.raises(InputError, match=r"column 'x' .*(: flatten it|; write its parts|expected \(events,\))"):
            checks.read(path)
        return
    found = checks.read(path, list(expected))
    for column, values in expected.items():
        ours, theirs = found[column], values
        assert isinstance(ours, Entries) == isinstance(theirs, Entries)
        if isinstance(theirs, Entries):
            np.testing.assert_array_equal(ours.counts, theirs.counts)
            ours, theirs = ours.values, theirs.values
        if name[0] == "HepMC":  # which has functions of its own for pt, eta and phi
            np.testing.assert_allclose(ours, theirs, rtol=1e-14)
        else:
            np.testing.assert_array_equal(ours, theirs)
    kinds = {
        "lists" if isinstance(v, Entries) else "text" if v.dtype.kind in "UOT" else "numbers" for v in found.values()
    }
    assert layout.result in kinds


def test_the_table_of_the_documentation() -> None:
    """Every layout is in the table with its result, and no other."""
    table = {(form, layout): result for form, layout, result in TABLE.findall(DOCS.read_text(encoding="utf-8"))}
    assert table == {name: layout.result for name, layout in LAYOUTS.items()}

"""Datasets of a group are columns, and showers of the calorimeter challenge are summed by layer."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import hdf5

h5py: Any = pytest.importorskip("h5py")

SPECIAL = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308], 20)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file in which there are starts at every fifth row."""
    monkeypatch.setattr(hdf5, "STEP", 5)
    return tmp_path / "events.h5"


def _write(path: Path, group: str = "/", **options: Any) -> dict[str, Any]:
    """Write datasets of several types, and return the columns."""
    number = np.arange(20)
    lists = [[1.0, 2.0, 3.0][: i % 4] for i in range(20)]
    with h5py.File(path, "a") as file:
        into = file.require_group(group)
        plain = {
            "a": SPECIAL,
            "b": number.astype(">i4"),
            "c": number.astype(np.float16),
            "d": number % 2 == 0,
            "e": number.reshape(20, 1),
            "f": np.arange(60.0).reshape(20, 3),
            "g": np.arange(40, dtype="f4").reshape(20, 2),
            "h": np.char.add("a", number.astype(str)).astype("S"),
        }
        for name, values in plain.items():
            into.create_dataset(name, data=values, **options)
        into["i"] = [f"é{i}" for i in range(20)]
        into["j"] = np.array([np.array(one) for one in lists], dtype=h5py.vlen_dtype("f8"))
    columns: dict[str, Any] = {**plain, "e": number, "h": plain["h"].astype(str)}
    return {**columns, "i": np.array([f"é{i}" for i in range(20)]), "j": Entries.of(lists)}


@pytest.mark.parametrize("options", [{}, {"chunks": True}, {"compression": "gzip", "maxshape": None}])
def test_any_rows(path: Path, checks: Any, options: dict[str, Any]) -> None:
    """Datasets of several types come back exactly, in whatever chunks, however they are stored."""
    checks.any_rows(path, _write(path, **options), least=1 if options else 4)


def test_starts(path: Path, checks: Any) -> None:
    """Reading starts where the chunks of the file do."""
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(20.0), chunks=(3,))
        file.create_dataset("m", data=np.arange(40.0).reshape(20, 2), chunks=(3, 1), compression="gzip")
    with closing(hdf5.open_file(str(path), "")) as reader:
        assert list(reader.starts) == [0, 6, 12, 18]
    expected = {"m": np.arange(40.0).reshape(20, 2), "x": np.arange(20.0)}
    checks.any_rows(path, expected, least=4)


def test_groups(path: Path, checks: Any) -> None:
    """A group or a dataset is chosen by its path; the only one need not be."""
    expected = _write(path, "run/events")
    for name in (path, f"{path}:run/events", f"{path}:/run/events", f"{path}:/run/events/"):
        checks.same(checks.read(name), expected)
    checks.same(checks.read(f"{path}:run/events/a"), {"a": expected["a"]})
    _write(path, "run/other")
    with pytest.raises(
        InputError, match=r"there are only groups in it: name one of \['events', 'other'\] after a colon"
    ):
        checks.read(path)
    with pytest.raises(InputError, match=r"there is no group 'walk'; there are \['run'\]"):
        checks.read(f"{path}:walk")
    with h5py.File(path, "a") as file:
        file["x"] = np.arange(3)
    assert list(checks.read(path)) == ["x"]
    with pytest.raises(InputError, match="column 'run' is a group: name it after a colon"):
        checks.read(path, ["run"])


def test_fields(path: Path, checks: Any) -> None:
    """The fields of a compound dataset are columns, called as shortly as is unique."""
    table = np.zeros(20, dtype=[("x", "f8"), ("n", "i4"), ("v", "f4", (2,)), ("name", "S2")])
    table["x"], table["n"], table["name"] = SPECIAL, np.arange(20), b"ab"
    with h5py.File(path, "w") as file:
        file["events"], file["n"] = table, np.arange(20.0)
    columns = {"x": SPECIAL, "events.n": table["n"], "v": table["v"], "name": table["name"].astype(str)}
    checks.any_rows(path, {**columns, "n": np.arange(20.0)}, least=4)
    checks.same(checks.read(f"{path}:events", ["n"]), {"n": table["n"]})


def test_refused(path: Path, checks: Any) -> None:
    """What is no column is refused with the reason, and the others can be read."""
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3.0)
        file["z"] = np.zeros(3, complex)
        file["one"] = 3.0
        file["cube"] = np.zeros((3, 2, 2))
        file["nothing"] = h5py.Empty("f8")
        file["link"] = h5py.SoftLink("/gone")
        file["reference"] = np.array([file["x"].ref] * 3, dtype=h5py.ref_dtype)
    assert list(checks.read(path)) == ["x"]
    for name, reason in {
        "z": "has dtype complex128 .*; expected real numbers",
        "cube": r"is nested more deeply than \(events, features\) .* 'entries\(name\)' of a file",
        "one": r"has the shape \(\)",
        "nothing": "has nothing in it",
        "link": "has nothing in it",
        "reference": "holds objects",
    }.items():
        with pytest.raises(InputError, match=rf"events\.h5: column '{name}' {reason}"):
            checks.read(path, [name])


def test_pandas(path: Path, checks: Any) -> None:
    """What pandas wrote is refused, with how to write it."""
    with h5py.File(path, "w") as file:
        file["df/axis0"] = np.arange(3)
        file["df"].attrs["pandas_type"] = "frame"
    with pytest.raises(InputError, match=r"pandas wrote it .*; write it with pandas\.DataFrame\.to_parquet"):
        checks.read(path)


def test_several_lengths(path: Path, checks: Any) -> None:
    """Datasets of several lengths cannot be read together, but those of one length can."""
    with h5py.File(path, "w") as file:
        file["x"], file["edges"] = np.arange(5.0), np.arange(4.0)
    with pytest.raises(InputError, match=r"columns must be of one length; 'edges' has 4 rows and 'x' has 5"):
        checks.read(path)
    assert len(checks.read(path, ["x"])["x"]) == 5


def test_no_rows(path: Path, checks: Any) -> None:
    """Datasets without rows have none, and a file without datasets is refused."""
    with h5py.File(path, "w") as file:
        file["x"], file["m"] = np.zeros(0), np.zeros((0, 3))
    assert checks.read(path) == {}
    with h5py.File(path, "w"):
        pass
    with pytest.raises(InputError, match=r"events\.h5: there are no columns in it"):
        checks.read(path)


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "fletcher32": True}])
def test_damage(path: Path, checks: Any, options: dict[str, Any]) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    _write(path, **options)
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


def test_changed_bytes(path: Path, checks: Any) -> None:
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(20.0), chunks=(5,), compression="gzip")
        file["n"] = np.arange(20)
    content = path.read_bytes()
    for position in range(0, len(content), 89):
        checks.changed(path, content, position, 0x15)


def test_h5py_is_not_installed(path: Path, monkeypatch: pytest.MonkeyPatch, checks: Any) -> None:
    """Without h5py the package is named."""
    _write(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"an HDF5 file needs the package 'h5py', .*pytest-ganvalid\[hep\]"):
        checks.read(path)


@pytest.mark.parametrize("chunks", [None, (3,)])
def test_values_that_were_never_written(tmp_path: Path, checks: Any, chunks: Any) -> None:
    """What HDF5 would fill up with a value of its own is refused with how much it is, and the rest is read."""
    path = tmp_path / "events.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(9.0)
        data = file.create_dataset("y", (9,), "f8", chunks=chunks, fillvalue=5.0)
        if chunks:
            data[:4] = 1.0
        file.create_dataset("whole", data=np.arange(9.0), chunks=(4,), compression="gzip")
    checks.same(checks.read(path), {"whole": np.arange(9.0), "x": np.arange(9.0)})
    what = r"has 1 of 3 chunks that were never written" if chunks else "was never written"
    with pytest.raises(InputError, match=rf"column 'y' {what}, and would read as .*5\.0\)?: write"):
        checks.read(path, ["y"])


def test_external_storage(tmp_path: Path, checks: Any) -> None:
    """A dataset whose values lie in other files is refused with their names."""
    path = tmp_path / "events.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(9.0)
        file.create_dataset("y", (9,), "f8", external=[(str(tmp_path / "y.raw"), 0, 72)])
    assert list(checks.read(path)) == ["x"]
    with pytest.raises(InputError, match=r"column 'y' lies in other files, \['.*y\.raw'\], which are not looked into"):
        checks.read(path, ["y"])


def test_virtual_datasets(tmp_path: Path, checks: Any) -> None:
    """A dataset of rows of other files is read if all are there, and refused with what is missing if not."""
    path = tmp_path / "events.h5"
    layout = h5py.VirtualLayout((6,), "f8")
    for number in range(2):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["x"] = np.arange(3.0) + 3 * number
        layout[3 * number : 3 * number + 3] = h5py.VirtualSource(f"{number}.h5", "x", (3,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout, fillvalue=-1)
        file["y"] = np.arange(6.0)
    assert checks.read(path)["x"].tolist() == list(range(6))
    for number, (content, reason) in enumerate(
        [
            ({"z": np.arange(3.0)}, "there is no such dataset"),
            ({"x": np.arange(2.0)}, r"that has the shape \(2,\) where 3 values are expected"),
            (None, "there is no such file"),
        ]
    ):
        (tmp_path / "1.h5").unlink()
        if content is not None:
            with h5py.File(tmp_path / "1.h5", "w") as file:
                for name, values in content.items():
                    file[name] = values
        assert list(checks.read(path)) == ["y"], number
        with pytest.raises(InputError, match=rf"'x' has rows that should be those of 'x' of '1\.h5', and {reason}"):
            checks.read(path, ["x"])
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:3] = h5py.VirtualSource("0.h5", "x", (3,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout, fillvalue=-1)
    with pytest.raises(InputError, match="has 3 values without a source, which would read as"):
        checks.read(path, ["x"])


def test_damage_ends_no_process(path: Path, checks: Any) -> None:
    """Wherever bytes are changed, a file is read or refused, and no signal ends the process."""
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(20.0), chunks=(5,), compression="gzip", fletcher32=True)
        file["n"] = np.arange(20)
        lists = file.create_dataset("lists", (20,), dtype=h5py.vlen_dtype(np.float64))
        for i in range(20):
            lists[i] = np.arange(i % 4)
    checks.survives(path)

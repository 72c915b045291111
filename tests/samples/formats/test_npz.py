"""Archives of numpy are read by rows, compressed or not, and nothing in them is unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import _arrays, npz

SAVES = pytest.mark.parametrize("save", [np.savez, np.savez_compressed])


def _events(n: int = 30) -> dict[str, Any]:
    number = np.arange(n)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308])
    return {
        "x": np.resize(special, n),
        "i": number,
        "f": number.astype(np.float32),
        "h": number.astype(">f2"),
        "flag": number % 2 == 0,
        "m": np.arange(3.0 * n).reshape(n, 3),
        "text": np.char.add("a", number.astype(str)),
    }


@SAVES
def test_any_rows(tmp_path: Path, save: Any, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of several types come back exactly, in whatever chunks, and from any start where none is compressed."""
    monkeypatch.setattr(npz, "STEP", 4)
    path = tmp_path / "events.npz"
    save(path, **_events())
    checks.any_rows(path, _events(), least=8 if save is np.savez else 1)


def test_by_columns(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array in Fortran's order is read by rows; compressed, which would take all of it, it is refused."""
    monkeypatch.setattr(npz, "STEP", 4)
    path = tmp_path / "events.npz"
    array = np.asfortranarray(np.arange(60.0).reshape(20, 3))
    np.savez(path, x=array)
    checks.any_rows(path, {"x": array}, least=5)
    np.savez_compressed(path, x=array)
    with pytest.raises(InputError, match=r"column 'x' is compressed column by column; .* numpy\.ascontiguousarray"):
        checks.read(path)


@SAVES
def test_large_rows(tmp_path: Path, save: Any, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are large come in fewer at a time than a chunk has."""
    monkeypatch.setattr(_arrays, "LARGEST", 100)
    save(tmp_path / "events.npz", **_events())
    checks.same(checks.read(tmp_path / "events.npz"), _events())


@SAVES
def test_damage(tmp_path: Path, save: Any, checks: Any) -> None:
    """An archive that was cut short anywhere, or is something else, is refused."""
    path = tmp_path / "events.npz"
    save(path, **_events())
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


@SAVES
def test_checksum(tmp_path: Path, save: Any, checks: Any) -> None:
    """A value that has changed is noticed when an archive is read from the first row to the last."""
    path = tmp_path / "events.npz"
    save(path, x=np.zeros(1000))
    content = bytearray(path.read_bytes())
    content[300 if save is np.savez else 60] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"events\.npz: .*cannot be read as \.npz"):
        checks.read(path)


@given(position=st.integers(0, 10_000), value=st.integers(1, 255), compressed=st.booleans())
@settings(max_examples=60)
def test_changed_bytes(
    tmp_path_factory: pytest.TempPathFactory, checks: Any, position: int, value: int, *, compressed: bool
) -> None:
    """Wherever a byte is changed, the archive is read or refused, and nothing else happens."""
    path = tmp_path_factory.mktemp("changed") / "events.npz"
    (np.savez_compressed if compressed else np.savez)(path, **_events(5))
    checks.changed(path, path.read_bytes(), position, value)


def test_no_rows(tmp_path: Path, checks: Any) -> None:
    """An archive of columns without rows has none."""
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "events.npz", x=np.array([]), m=np.zeros((0, 3)))
        assert checks.read(tmp_path / "events.npz") == {}


def test_no_columns(tmp_path: Path, checks: Any) -> None:
    """What is no column is refused with the reason, and the others can be read."""
    path = tmp_path / "events.npz"
    others: dict[str, Any] = {
        "one": np.float64(3),
        "cube": np.zeros((5, 2, 2)),
        "z": np.zeros(5, complex),
        "void": np.zeros((5, 0)),
    }
    np.savez(path, x=np.arange(5.0), **others)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "hello")
    assert list(checks.read(path)) == ["x"]
    for name, reason in {
        "one": r"has the shape \(\); expected \(events,\) or \(events, features\)",
        "cube": r"is nested more deeply than \(events, features\) \(it is of shape \(5, 2, 2\)\)",
        "z": "has dtype complex128 .* expected real numbers",
        "void": "has .* no value per event; leave it out",
        "notes.txt": "is not one of numpy's arrays",
    }.items():
        with pytest.raises(InputError, match=rf"events\.npz: column '{name}' {reason}"):
            checks.read(path, [name])


def test_several_lengths(tmp_path: Path, checks: Any) -> None:
    """Columns of several lengths cannot be read together, but those of one length can."""
    path = tmp_path / "events.npz"
    np.savez(path, x=np.arange(5.0), edges=np.arange(4), y=np.arange(5.0))
    with pytest.raises(
        InputError, match=r"events\.npz: columns must be of one length; 'x' has 5 rows and 'edges' has 4"
    ):
        checks.read(path)
    assert list(checks.read(path, ["x", "y"])) == ["x", "y"]


def test_empty_archive(tmp_path: Path, checks: Any) -> None:
    """An archive without columns is refused."""
    np.savez(tmp_path / "events.npz")
    with pytest.raises(InputError, match=r"events\.npz: there are no columns in it"):
        checks.read(tmp_path / "events.npz")


def test_repeated_names(tmp_path: Path, checks: Any) -> None:
    """An archive with two columns of one name is refused."""
    path = tmp_path / "events.npz"
    np.savez(path, x=np.arange(5.0))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("x.npy", archive.read("x.npy"))
    with pytest.raises(InputError, match="2 columns are named 'x'; rename them"):
        checks.read(path)


def test_objects(tmp_path: Path, checks: Any) -> None:
    """Objects are never unpickled, not even beside columns that are read."""
    path = tmp_path / "events.npz"
    bombs: Any = np.array([checks.Bomb(tmp_path / "exploded")] * 3, dtype=object)
    np.savez(path, x=np.arange(3.0), bombs=bombs)
    assert list(checks.read(path)) == ["x"]
    with pytest.raises(InputError, match="column 'bombs' holds objects"):
        checks.read(path, ["bombs"])
    assert list(tmp_path.iterdir()) == [path]


def test_inside(tmp_path: Path, checks: Any) -> None:
    """There is nothing to be named inside."""
    np.savez(tmp_path / "events.npz", x=np.arange(3.0))
    with pytest.raises(InputError, match=r"\.npz holds one table and nothing named 'x'; leave out"):
        checks.read(f"{tmp_path / 'events.npz'}:x")

"""Tensors are read by rows, and nothing but tensors is unpickled."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples.formats import tensors

SUFFIXES = pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
SPECIAL = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308], 20)


def _columns() -> dict[str, Any]:
    number = np.arange(20)
    return {
        "f": number.astype(np.float32),
        "flag": number % 2 == 0,
        "h": number.astype(np.float16),
        "i": number,
        "m": np.arange(60.0).reshape(20, 3),
        "u": number.astype(np.uint8),
        "x": SPECIAL,
    }


def _save(path: Path, columns: dict[str, Any]) -> None:
    if path.suffix == ".safetensors":
        safetensors: Any = pytest.importorskip("safetensors.numpy")
        safetensors.save_file(columns, path)
        return
    torch: Any = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(np.asarray(values)) for name, values in columns.items()}, path)


@SUFFIXES
def test_any_rows(tmp_path: Path, checks: Any, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors of several types come back exactly, in whatever chunks, from any row."""
    monkeypatch.setattr(tensors, "STEP", 4)
    path = tmp_path / f"events{suffix}"
    _save(path, _columns())
    checks.any_rows(path, _columns(), least=5)


@SUFFIXES
def test_damage(tmp_path: Path, checks: Any, suffix: str) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    path = tmp_path / f"events{suffix}"
    _save(path, _columns())
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


@SUFFIXES
def test_changed_bytes(tmp_path: Path, checks: Any, suffix: str) -> None:
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    path = tmp_path / f"events{suffix}"
    _save(path, {"x": np.arange(5.0), "m": np.zeros((5, 2))})
    content = path.read_bytes()
    for position in range(0, len(content), 23):
        checks.changed(path, content, position, 0x15)


@SUFFIXES
def test_no_rows(tmp_path: Path, checks: Any, suffix: str) -> None:
    """Tensors without rows have none, and a file without tensors is refused."""
    path = tmp_path / f"events{suffix}"
    _save(path, {"x": np.zeros(0), "m": np.zeros((0, 3))})
    assert checks.read(path) == {}
    _save(path, {})
    with pytest.raises(InputError, match=r"there are no columns in it"):
        checks.read(path)


@SUFFIXES
def test_refused(tmp_path: Path, checks: Any, suffix: str) -> None:
    """Tensors that are no columns are refused with the reason."""
    path = tmp_path / f"events{suffix}"
    _save(path, {"x": np.arange(3.0), "one": np.array(1.0), "cube": np.zeros((3, 2, 2))})
    assert list(checks.read(path)) == ["x"]
    for name, reason in {"one": "has the shape .* reshape it", "cube": "is nested more deeply"}.items():
        with pytest.raises(InputError, match=rf"column '{name}' {reason}"):
            checks.read(path, [name])


def test_single_tensors(tmp_path: Path, checks: Any) -> None:
    """A tensor alone is a table by position, or one column."""
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / "events.pt"
    torch.save(torch.arange(12.0).reshape(4, 3), path)
    checks.any_rows(path, {str(i): np.arange(12, dtype=np.float32).reshape(4, 3)[:, i] for i in range(3)})
    torch.save(torch.arange(4), path)
    checks.any_rows(path, {"values": np.arange(4)})
    torch.save(torch.zeros(4, 3, 2), path)
    with pytest.raises(InputError, match=r"column 'values' is nested .* shape \(4, 3, 2\)"):
        checks.read(path)


def test_widths_that_numpy_lacks(tmp_path: Path, checks: Any) -> None:
    """Tensors of torch's own types are read as numbers where torch is there, and refused with what to do otherwise."""
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / "events.pt"
    values = torch.tensor([1.0, 2.5], dtype=torch.bfloat16)
    torch.save({"x": values, "s": torch.eye(2).to_sparse(), "z": values + 1j}, path)
    checks.same(checks.read(path), {"x": np.array([1.0, 2.5], np.float32)})
    with pytest.raises(InputError, match=r"column 's' cannot be an array .*; convert it to a dense one"):
        checks.read(path, ["s"])
    safetensors: Any = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"x": values, "y": values.float()}, tmp_path / "events.safetensors")
    with pytest.raises(InputError, match="column 'x' has dtype BF16, which numpy lacks; convert it to float32"):
        checks.read(tmp_path / "events.safetensors", ["x"])


@pytest.mark.parametrize("old", [False, True])
def test_gradients_and_old_files(tmp_path: Path, checks: Any, *, old: bool) -> None:
    """Parameters, and files of old versions, are read like other tensors."""
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / "events.pt"
    torch.save({"x": torch.nn.Parameter(torch.arange(4.0))}, path, _use_new_zipfile_serialization=not old)
    checks.same(checks.read(path), {"x": np.arange(4, dtype=np.float32)})


def test_what_else_is_saved(tmp_path: Path, checks: Any) -> None:
    """What is beside the tensors is refused, and so is a file of something else."""
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / "events.pt"
    torch.save({"x": torch.arange(4.0), "epoch": 3, "model": {"w": torch.zeros(2)}}, path)
    assert list(checks.read(path)) == ["x"]
    with pytest.raises(InputError, match="column 'model' is a dict; leave it out"):
        checks.read(path, ["model"])
    torch.save([1, 2], path)
    with pytest.raises(InputError, match=r"it holds a list; expected tensors by name: torch\.save"):
        checks.read(path)


@pytest.mark.parametrize("old", [False, True])
def test_objects(tmp_path: Path, checks: Any, *, old: bool) -> None:
    """Objects are never unpickled."""
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / "events.pt"
    bomb = checks.Bomb(tmp_path / "exploded")
    torch.save({"x": torch.arange(4.0), "b": bomb}, path, _use_new_zipfile_serialization=not old)
    with pytest.raises(
        InputError, match="it holds objects, which are never unpickled, or is damaged; save the columns"
    ):
        checks.read(path)
    path.write_bytes(pickle.dumps(bomb))
    with pytest.raises(InputError, match=r"events\.pt: "):
        checks.read(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("suffix", "package"), [(".pt", "torch"), (".safetensors", "safetensors")])
def test_packages_that_are_not_installed(
    tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str
) -> None:
    """Without the package it is named."""
    path = tmp_path / f"events{suffix}"
    _save(path, _columns())
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"a file of tensors needs the package '{package}', .*\[gan\]"):
        checks.read(path)


@SUFFIXES
@pytest.mark.parametrize("kind", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
def test_every_kind_of_number(tmp_path: Path, checks: Any, suffix: str, kind: str) -> None:
    """Flags, integers and floats of every width come back in their own type."""
    columns = {"x": np.array([0, 1, 1, 0, 1]).astype(kind)}
    _save(tmp_path / f"events{suffix}", columns)
    checks.same(checks.read(tmp_path / f"events{suffix}"), columns)


def test_notes_are_no_tensors(tmp_path: Path, checks: Any) -> None:
    """What safetensors keeps beside the tensors is no column, and tensors come in the order of their names."""
    safetensors: Any = pytest.importorskip("safetensors.numpy")
    columns = {"b": np.arange(3.0), "a": np.arange(3)}
    safetensors.save_file(columns, tmp_path / "events.safetensors", metadata={"made": "here"})
    assert list(checks.read(tmp_path / "events.safetensors")) == ["a", "b"]


@SUFFIXES
def test_nothing_is_inside(tmp_path: Path, checks: Any, suffix: str) -> None:
    """A file of tensors is one table."""
    path = tmp_path / f"events{suffix}"
    _save(path, {"x": np.arange(3.0)})
    with pytest.raises(InputError, match="a file of tensors holds one table and nothing named 'x'"):
        checks.read(f"{path}:x")


def test_single_tensors_that_cannot_be_read(tmp_path: Path, checks: Any) -> None:
    """A sparse tensor alone is refused with what to do, and names of columns are words."""
    torch: Any = pytest.importorskip("torch")
    torch.save(torch.eye(2).to_sparse(), tmp_path / "sparse.pt")
    with pytest.raises(InputError, match=r"the tensor cannot be an array .*; convert it to a dense one of float32"):
        checks.read(tmp_path / "sparse.pt")
    torch.save({3: torch.arange(2), "cube": torch.zeros(2, 2, 2)}, tmp_path / "numbered.pt")
    checks.same(checks.read(tmp_path / "numbered.pt"), {"3": np.arange(2)})

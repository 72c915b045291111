"""Arrow's files are read by batches, its streams from the beginning."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import Entries

pa: Any = pytest.importorskip("pyarrow")
feather: Any = pytest.importorskip("pyarrow.feather")

SPECIAL = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308], 20)
KINDS = pytest.mark.parametrize("kind", ["uncompressed", "lz4", "stream"])


def _columns(n: int = 20) -> dict[str, Any]:
    number = np.arange(n)
    lists = Entries.of([[1.0, 2.0, 3.0][: i % 4] for i in range(n)])
    columns = {"x": SPECIAL, "n": number, "f": number.astype(np.float32), "flag": number % 2 == 0, "lists": lists}
    return {
        **columns,
        "text": np.char.add("a", number.astype(str)),
        "fixed": np.arange(40.0).reshape(20, 2),
    }


def _write(path: Path, kind: str, rows: int = 20) -> None:
    """Write batches of six rows."""
    columns = _columns()
    lists = np.split(columns["lists"].values, np.cumsum(columns["lists"].counts)[:-1])
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(columns["fixed"].ravel()), 2)
    table = pa.table({**columns, "lists": pa.array(lists), "fixed": fixed, "z": pa.array([[[1]]] * 20)}).slice(0, rows)
    if kind != "stream":
        feather.write_feather(table, path, compression=kind, chunksize=6)
        return
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=6)


@KINDS
def test_any_rows(tmp_path: Path, checks: Any, kind: str) -> None:
    """Columns of several types come back exactly, in whatever chunks, from any batch of a file."""
    path = tmp_path / "events.feather"
    _write(path, kind)
    checks.any_rows(path, _columns(), least=1 if kind == "stream" else 4)
    with pytest.raises(InputError, match=r"column 'z' is nested more deeply .* type list"):
        checks.read(path, ["z"])


@KINDS
def test_damage(tmp_path: Path, checks: Any, kind: str) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    path = tmp_path / "events.arrow"
    _write(path, kind)
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


@KINDS
def test_changed_bytes(tmp_path: Path, checks: Any, kind: str) -> None:
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    path = tmp_path / "events.arrow"
    _write(path, kind)
    content = path.read_bytes()
    for position in range(0, len(content), 41):
        checks.changed(path, content, position, 0x15)


@KINDS
def test_no_rows(tmp_path: Path, checks: Any, kind: str) -> None:
    """A table without rows has none."""
    path = tmp_path / "events.arrow"
    _write(path, kind, rows=0)
    assert checks.read(path) == {}


def test_version_1(tmp_path: Path, checks: Any) -> None:
    """The first version of Feather is refused, with how to write the second."""
    path = tmp_path / "events.feather"
    path.write_bytes(b"FEA1" + b"\0" * 100)
    with pytest.raises(InputError, match=r"it is Feather of version 1; write it anew with pyarrow\.feather"):
        checks.read(path)


def test_pyarrow_is_not_installed(tmp_path: Path, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the package is named."""
    path = tmp_path / "events.feather"
    _write(path, "lz4")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"an Arrow file needs the package 'pyarrow'"):
        checks.read(path)


@KINDS
def test_damage_ends_no_process(tmp_path: Path, kind: str, checks: Any) -> None:
    """Wherever bytes are changed, a file is read or refused, and no signal ends the process."""
    path = tmp_path / "events.arrow"
    _write(path, kind)
    checks.survives(path)

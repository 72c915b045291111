"""Parquet files are read by row groups, and written as one per chunk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, InputTypeError, MissingExtraError
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.files import read_events, write_events
from pytest_ganvalid.samples.formats import parquet as form

pa: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

SPECIAL = np.resize([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308], 20)
SMALL = pytest.mark.parametrize("small", [True, False], ids=["small groups", "large groups"])


def _events() -> Sample:
    number = np.arange(30)
    return Sample({"x": np.sqrt(number), "n": number, "f": number.astype(np.float32), "flag": number % 2 == 0})


def _columns(n: int = 20) -> dict[str, Any]:
    number = np.arange(n)
    lists = Entries.of([[1.0, 2.0, 3.0][: i % 4] for i in range(n)])
    columns = {"x": SPECIAL, "n": number, "f": number.astype(np.float32), "flag": number % 2 == 0, "lists": lists}
    return {**columns, "text": np.char.add("a", number.astype(str))}


def _write(path: Path, rows: int = 20) -> None:
    """Write row groups of six rows, one of them empty."""
    columns = _columns()
    lists = np.split(columns["lists"].values, np.cumsum(columns["lists"].counts)[:-1])
    table = pa.table({**columns, "lists": pa.array(lists), "z": pa.array([[[1]]] * 20)}).slice(0, rows)
    with parquet.ParquetWriter(path, table.schema) as writer:
        for start in range(0, max(rows, 1), 6):
            writer.write_table(table.slice(start, 6))
            writer.write_table(table.slice(0, 0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "events.parquet"


@SMALL
def test_any_rows(path: Path, checks: Any, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """Columns of several types come back exactly, in whatever chunks, from any row group, large or small."""
    if not small:
        monkeypatch.setattr(form, "_SMALL", 0)
    _write(path)
    checks.any_rows(path, _columns(), least=4)
    with pytest.raises(InputError, match=r"column 'z' is nested more deeply .* type list"):
        checks.read(path, ["z"])


def test_starts(path: Path) -> None:
    """Reading may begin at each row group that has rows."""
    _write(path)
    reader = form.open_file(str(path), "")
    assert list(reader.starts) == [0, 6, 12, 18]
    assert reader.rows == 20
    reader.close()
    _write(path, rows=0)
    reader = form.open_file(str(path), "")
    assert list(reader.starts) == [0]
    assert reader.rows == 0
    reader.close()


def test_the_first_rows_take_no_row_group(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read the first rows of a row group, it is not read at once; to read all of them, it is."""
    _write(path)
    whole: list[int] = []
    original = parquet.ParquetFile.read_row_group

    def counted(self: Any, group: int, *arguments: Any, **options: Any) -> Any:
        whole.append(group)
        return original(self, group, *arguments, **options)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counted)
    reader = form.open_file(str(path), "")
    assert [len(rows["n"]) for rows in reader.read(["n"], 0, 4, 4)] == [4]
    assert not whole
    assert sum(len(rows["n"]) for rows in reader.read(["n"], 6, 18, 4)) == 12
    assert len(whole) == 2
    reader.close()


def test_no_rows(path: Path, checks: Any) -> None:
    """A table without rows has none."""
    _write(path, rows=0)
    assert checks.read(path) == {}


def test_damage(path: Path, checks: Any) -> None:
    """A file that was cut short anywhere, or is something else, is refused."""
    _write(path)
    checks.missing_column(path)
    checks.cut_short(path)
    checks.garbage(path)


def test_nothing_is_inside(path: Path, checks: Any) -> None:
    """There is one table in a file, and it has no name."""
    _write(path)
    with pytest.raises(InputError, match="Parquet holds one table and nothing named 'tree'"):
        checks.read(f"{path}:tree")


def test_a_row_group_per_chunk(path: Path) -> None:
    """What is written in chunks can be read from each of them."""
    write_events(path, [_events().first(n) for n in (3, 30, 1)])
    reader = form.open_file(str(path), "")
    assert list(reader.starts) == [0, 3, 33]
    reader.close()


def test_pyarrow_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the package is named, and no file is left behind."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "events.parquet"
    with pytest.raises(MissingExtraError, match="a Parquet file needs the package 'pyarrow'"):
        write_events(path, [_events()])
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match="a Parquet file needs the package 'pyarrow'"):
        read_events(path)


def test_tables_of_others(tmp_path: Path) -> None:
    """Text and missing numbers of a Parquet file are told as text and as NaN; nested columns are refused."""
    path = tmp_path / "events.parquet"
    parquet.write_table(pa.table({"s": ["a", "b", "c"], "x": [1.0, None, 3.0]}), path)
    found = read_events(path)
    assert found["s"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found["x"], [1, np.nan, 3])
    parquet.write_table(pa.table({"x": pa.array([], type=pa.float64())}), path)
    with pytest.raises(
        (InputError, InputTypeError),
        match=r"events\.parquet: the sample has no events",
    ):
        read_events(path)


@pytest.mark.parametrize("rows", [100, 20_000])
def test_checksums_of_pages(tmp_path: Path, checks: Any, rows: int) -> None:
    """Where pages have checksums, a value that has changed is refused and not read."""
    path = tmp_path / "events.parquet"
    table = pa.table({"x": np.random.default_rng(1).normal(size=rows)})
    parquet.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    assert len(checks.read(path)["x"]) == rows
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x40
    path.write_bytes(content)
    for chunk in (7, 1 << 18):
        with pytest.raises(InputError, match=r"events\.parquet: from row 0 on: cannot be read as Parquet"):
            checks.read(path, chunk=chunk)


def test_nothing_but_structs(tmp_path: Path, checks: Any) -> None:
    """A file of structs only is refused with the column and how to flatten it."""
    path = tmp_path / "events.parquet"
    parquet.write_table(pa.table({"jet": [{"pt": 1.0, "eta": 0.2}] * 10}), path)
    with pytest.raises(InputError, match=r"column 'jet' is of structs with the fields 'pt', 'eta': flatten it before"):
        checks.read(path)


def test_damage_ends_no_process(path: Path, checks: Any) -> None:
    """Wherever bytes are changed, a file is read or refused, and no signal ends the process."""
    _write(path)
    checks.survives(path)

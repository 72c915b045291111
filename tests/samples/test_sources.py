"""Files become parts that are read on their own, each row once, and what is wrong with one is said of that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import sources
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import FilePart, MemoryPart, Source, file_source, memory_source

pq: Any = pytest.importorskip("pyarrow.parquet")
pa: Any = pytest.importorskip("pyarrow")


def _parquet(path: Path, rows: int, first: int = 0, group: int = 100, **more: NDArray[Any]) -> str:
    columns = {"row": np.arange(first, first + rows), "x": np.random.default_rng(first).normal(size=rows)} | more
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return str(path)


def _rows(parts: Any, chunk: int = 70) -> list[int]:
    return [int(row) for part in parts for rows in part.chunks(("row",), chunk) for row in rows["row"]]


@pytest.fixture
def _fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred rows make up several parts."""
    monkeypatch.setattr(sources, "_MIN_ROWS", 150)


@pytest.mark.usefixtures("_fine")
def test_parts_are_all_rows_once(tmp_path: Path) -> None:
    """The parts of several files, some of them empty, are all rows in their order, each once."""
    sizes = (1_000, 0, 30, 399, 100)
    starts = np.cumsum([0, *sizes])
    names = [_parquet(tmp_path / f"{i}.parquet", n, int(starts[i])) for i, n in enumerate(sizes)]
    source = file_source(names)
    assert source.seekable
    assert len(source.parts) > 6
    assert [part.rows for part in source.parts] == [len(_rows([part])) for part in source.parts]
    assert _rows(source.parts) == list(range(sum(sizes)))
    assert source.provenance == {"source": "5 files: 0.parquet to 4.parquet", "files_without_events": ["1.parquet"]}
    assert file_source(names[0]).provenance == {"source": "0.parquet"}


@pytest.mark.usefixtures("_fine")
def test_heads_and_places(tmp_path: Path) -> None:
    """The head of a part is its first rows, and the place of a row is that in the file."""
    source = file_source(_parquet(tmp_path / "a.parquet", 1_000))
    part = source.parts[1]
    assert _rows([part.head(7)]) == list(range(part.start, part.start + 7))
    assert part.head(7).rows == 7
    assert part.head(10**9).rows == part.rows
    assert part.place(3, 9) == f"{tmp_path / 'a.parquet'}: rows {part.start + 3:,} to {part.start + 9:,}"


def test_parts_are_neither_many_nor_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many small groups of rows is cut into a bounded number of parts."""
    monkeypatch.setattr(sources, "_MIN_ROWS", 10)
    source = file_source(_parquet(tmp_path / "a.parquet", 4_000, group=3))
    assert 32 <= len(source.parts) <= 64
    assert _rows(source.parts) == list(range(4_000))
    monkeypatch.setattr(sources, "_MIN_ROWS", 1_000)
    assert len(file_source(str(tmp_path / "a.parquet")).parts) == 4


def test_columns_of_all_files(tmp_path: Path) -> None:
    """Columns that a file lacks cannot be read, and the first such file is named."""
    a = _parquet(tmp_path / "a.parquet", 10, y=np.arange(10.0), z=np.arange(10.0))
    b = _parquet(tmp_path / "b.parquet", 10, z=np.arange(10.0))
    c = _parquet(tmp_path / "c.parquet", 10, w=np.arange(10.0))
    source = file_source([a, b, c])
    assert source.names == ("row", "x")
    assert source.refused == {"y": f"is not in {b}", "z": f"is not in {c}", "w": f"is not in {a}"}


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_length_that_only_reading_tells(tmp_path: Path, text: str) -> None:
    """Files whose length is not known are parts that cannot be looked into, and may turn out to have no rows."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "b.csv").write_text(text or "a,b\n5,6\n")
    source = file_source([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
    assert not source.seekable
    assert [part.rows for part in source.parts] == [None, None]
    read = [rows["a"].tolist() for part in source.parts for rows in part.chunks(("a",), 1)]
    assert read == [[1], [3]] + ([[5]] if not text else [])


def test_no_events(tmp_path: Path) -> None:
    """Files without any events are no source."""
    with pytest.raises(InputError, match=r"a\.parquet: there are no events"):
        file_source(_parquet(tmp_path / "a.parquet", 0))


@pytest.mark.parametrize("rows", [99, 90, 1, 0, 101, 300])
@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_a_file_that_changes_is_an_error(tmp_path: Path, rows: int, suffix: str) -> None:
    """A file that has become shorter or longer since it was looked into is refused by name, head or whole."""
    path = tmp_path / f"a.{suffix}"

    def write(n: int) -> str:
        if suffix == "parquet":
            return _parquet(path, n, group=40)
        np.savez(path, row=np.arange(n), x=np.zeros(n))
        return str(path)

    source = file_source(write(100))
    write(rows)
    for part in (source.parts[0], source.parts[0].head(5)):
        with pytest.raises(InputError, match=rf"a\.{suffix}.*changed"):
            _rows([part])


def test_a_part_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    """A part that has fewer rows than expected is an error that says where, although the file is as long as it was."""
    (piece,) = {part.piece for part in file_source(_parquet(tmp_path / "a.parquet", 100)).parts}
    with pytest.raises(InputError, match=r"a\.parquet: 100 rows from row 0 on; expected 120"):
        _rows([FilePart(piece, 0, 200, 120, 100)])


def test_a_file_that_goes_is_an_error(tmp_path: Path) -> None:
    """A file that is gone by the time it is read is named."""
    source = file_source(_parquet(tmp_path / "a.parquet", 100))
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(InputError, match=r"a\.parquet: there is no such file"):
        _rows(source.parts)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """One bad file among many is named before anything is read."""
    good = [_parquet(tmp_path / f"{i}.parquet", 10) for i in range(20)]
    (tmp_path / "7.parquet").write_bytes(b"PAR1 this is no such file PAR1")
    with pytest.raises(InputError, match=r"7\.parquet: .*cannot be read as Parquet"):
        file_source(good)


def test_events_in_memory() -> None:
    """A sample is a source of one part; its columns are views, and places are numbers of events."""
    x = np.arange(10.0)
    source = memory_source(Sample({"x": x}, provenance={"source": "here"}))
    (part,) = source.parts
    chunks = list(part.chunks(("x",), 6))
    assert [len(chunk["x"]) for chunk in chunks] == [6, 4]
    assert np.shares_memory(chunks[0]["x"], x)
    assert source.provenance == {"source": "here"}
    assert part.place(6, 9) == "events 6 to 9"
    assert source.columns is not None
    assert source.columns["x"] is part.columns["x"]
    assert (source.rows, source.name) == (10, "here")
    assert MemoryPart({"x": x}, 10, "partition 3: ").head(4).place(0, 3) == "partition 3: events 10 to 13"


def test_weights_in_memory() -> None:
    """The weight of a sample is a column without a name, which no other column may be."""
    source = memory_source(Sample({"x": np.arange(3.0)}, np.array([1.0, 2.0, 3.0])))
    assert source.names == ("x", "")
    (rows,) = source.parts[0].chunks(["", "x"], 9)
    assert rows[""].tolist() == [1, 2, 3]
    with pytest.raises(InputError, match=r"^a column has no name; give it one$"):
        memory_source(Sample({"": np.arange(3.0)}))


def test_heads_in_memory() -> None:
    """The head of a sample has so many events, or all."""
    (part,) = memory_source(Sample({"x": np.arange(5.0)})).parts
    assert [sum(len(rows["x"]) for rows in part.head(n).chunks(["x"], 2)) for n in (1, 5, 9)] == [1, 5, 5]
    assert [part.head(n).rows for n in (1, 5, 9)] == [1, 5, 5]


def test_narrowing() -> None:
    """A source that can leave columns out is asked to; any other is itself."""
    plain = Source(("x", "y"), [])
    assert plain.keeping(["x"]) is plain
    narrow = Source(("x", "y"), [], narrowed=lambda columns: Source(tuple(columns), []))
    assert narrow.keeping(["y"]).names == ("y",)


def _grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"7\n")


def _rewritten(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b"1", b"2"))


@pytest.mark.parametrize("change", [_grown, _rewritten])
@pytest.mark.parametrize("when", ["before", "meanwhile", "after"])
def test_a_file_that_is_written_to(tmp_path: Path, change: Any, when: str) -> None:
    """A file that grows or is written anew is named, whether that is before, while or just after its rows are read."""
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "1\n" * 100)
    (part,) = file_source(path).parts
    if when == "before":
        change(path)

    def read() -> None:
        for number, _ in enumerate(part.chunks(["x"], 60)):
            if (number, when) in {(0, "meanwhile"), (1, "after")}:
                change(path)

    with pytest.raises(InputError, match=r"a\.csv: it changed while it was read \(202 bytes then, 20[24] now\)"):
        read()


def test_a_file_that_stays_is_read_again(tmp_path: Path) -> None:
    """Reading a file twice is no change of it."""
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "1\n" * 100)
    (part,) = file_source(path).parts
    for _ in range(2):
        assert sum(len(rows["x"]) for rows in part.chunks(["x"], 60)) == 100

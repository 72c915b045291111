"""Events come back from files as they were written, and a damaged file is an error and no events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.files import check_suffix, read_events, write_events

SUFFIXES = [".npz", ".parquet"]


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Name a file of each kind that can be written here."""
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"events{request.param}"


def _events(n: int = 30, start: int = 0) -> Sample:
    number = np.arange(start, start + n)
    return Sample({"x": np.sqrt(number), "n": number, "f": number.astype(np.float32), "flag": number % 2 == 0})


def _assert_same(found: Sample, expected: Sample) -> None:
    assert list(found.columns) == list(expected.columns)
    for name in expected.columns:
        np.testing.assert_array_equal(found[name], expected[name], strict=True)


@pytest.mark.parametrize("chunks", [[30], [1, 29], [10, 10, 10]])
def test_round_trip(path: Path, chunks: list[int]) -> None:
    """Columns of several types come back exactly, in however many chunks they were written."""
    starts = np.cumsum([0, *chunks])
    parts = (_events(n, start) for n, start in zip(chunks, starts[:-1].tolist(), strict=True))
    assert write_events(path, parts) == 30
    found = read_events(path)
    _assert_same(found, _events())
    assert found.provenance == {"source": path.name}
    assert list(path.parent.iterdir()) == [path]


def test_extreme_numbers(path: Path) -> None:
    """Numbers that are no numbers, signs of zero and the smallest floats come back to the last bit."""
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308])
    write_events(path, [Sample({"x": x})])
    np.testing.assert_array_equal(read_events(path)["x"].view(np.int64), x.view(np.int64))


def test_views_and_byte_orders(path: Path) -> None:
    """Columns that are every other row of something, or a number repeated, are written as what they show."""
    x = np.arange(20.0)[::-2]
    write_events(path, [Sample({"x": x, "c": np.broadcast_to(2.5, 10)})])
    found = read_events(path)
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["c"], 2.5)


def test_some_columns(path: Path) -> None:
    """Only the columns asked for are read."""
    write_events(path, [_events()])
    found = read_events(path, ["x", "flag"])
    _assert_same(found, Sample({name: _events()[name] for name in ("x", "flag")}))


def test_missing_columns(path: Path) -> None:
    """A column that is not there is refused with those that are, and so is none at all."""
    write_events(path, [_events()])
    with pytest.raises(InputError, match=rf"{path.name}: there is no column 'z'; there are \['f', 'flag', 'n', 'x'\]"):
        read_events(path, ["x", "z"])
    with pytest.raises(InputError, match=f"{path.name}: no column is asked for; a sample needs at least one column"):
        read_events(path, [])


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_truncated(path: Path, share: float) -> None:
    """A file that was cut short anywhere is refused."""
    write_events(path, [_events(), _events()])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=rf"{path.name}: cannot be read as .*cut short, or is something else"):
        read_events(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_flipped_bits(path: Path, compressed: bool) -> None:  # noqa: FBT001
    """Wherever a byte is changed, the file is read or refused, and nothing else happens."""
    if compressed and path.suffix == ".npz":
        np.savez_compressed(path, **_events().columns)
    else:
        write_events(path, [_events()])
    content = path.read_bytes()
    refused = 0
    for position in range(0, len(content), 5):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read_events(path)
        except InputError as error:
            refused += str(error).startswith(f"{path}: ")
    assert refused > len(content) / 50


def test_something_else(path: Path) -> None:
    """A file that is of no kind its name says is refused."""
    path.write_text("hello, this is no such thing", encoding="utf-8")
    with pytest.raises(InputError, match=f"{path.name}: cannot be read as"):
        read_events(path)


def test_missing_files(path: Path) -> None:
    """A file that does not exist, or is a folder, or empty, is refused."""
    path.mkdir()
    (path / f"empty{path.suffix}").touch()
    for name, message in {
        "": "this is a folder",
        path.name: "there is no such file; check",
        "empty": "is empty",
    }.items():
        with pytest.raises(InputError, match=rf"{path.suffix}: .*{message}"):
            read_events(path / (f"empty{path.suffix}" if name == "empty" else name))


@pytest.mark.parametrize("name", ["events.csv", "events", "events.npy", ".npz", "events.NPZ"])
def test_unknown_suffixes(tmp_path: Path, name: str) -> None:
    """A suffix of a kind that is not written is refused before anything is."""
    for use in (check_suffix, lambda path: write_events(path, [_events()])):
        with pytest.raises(InputError, match=r"the suffix '.*' is not known.*; expected one of \.npz, \.parquet"):
            use(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    check_suffix("events.npz")


def test_no_folder(tmp_path: Path) -> None:
    """The folder of a file to be written must exist."""
    with pytest.raises(InputError, match=r"there is no folder .*; make it first"):
        write_events(tmp_path / "folder" / "events.npz", [_events()])


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interrupted_writing(path: Path, old: bool, error: type[BaseException]) -> None:  # noqa: FBT001
    """What ends in the middle of writing leaves the old file, if there was one, and nothing beside it."""

    def chunks() -> Iterator[Sample]:
        yield _events()
        raise error

    if old:
        write_events(path, [_events(7)])
    with pytest.raises(error):
        write_events(path, chunks())
    assert list(path.parent.iterdir()) == ([path] if old else [])
    if old:
        _assert_same(read_events(path), _events(7))


def test_no_chunks(path: Path) -> None:
    """No events make no file."""
    with pytest.raises(InputError, match=f"{path.name}: there are no events to write"):
        write_events(path, [])
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "other",
    [
        Sample({"x": np.arange(3.0)}),
        Sample({"x": np.arange(3.0), "n": np.arange(3), "z": np.arange(3)}),
        Sample({"x": np.arange(3.0), "n": np.arange(3) + 0.5}),
        Sample({"x": np.arange(3.0), "n": np.array(["a", "b", "c"])}),
    ],
)
def test_chunks_that_differ(path: Path, other: Sample) -> None:
    """Chunks of other columns, or of another type, are refused: nothing is dropped or rounded in silence."""
    first = Sample({"x": np.arange(3.0), "n": np.arange(3)})
    with pytest.raises(InputError, match=f"{path.name}: a chunk has the columns .* give all chunks the same"):
        write_events(path, [first, other])
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "sample",
    [
        Sample({"x": np.arange(3.0)}, np.ones(3)),
        Sample({"x": Entries(np.arange(3.0), np.array([1, 2]))}),
    ],
)
def test_what_has_no_place(path: Path, sample: Sample) -> None:
    """Weights, and several entries per event, are refused and not dropped."""
    with pytest.raises(InputError, match="weights and columns with several entries per event cannot be written"):
        write_events(path, [sample])


def test_archives_of_numpy(tmp_path: Path) -> None:
    """Archives that numpy wrote are read, and numpy reads those written here."""
    path = tmp_path / "events.npz"
    for save in (np.savez, np.savez_compressed):
        save(path, x=np.arange(5.0), name=np.array(["a", "bc", "d", "e", "f"]))
        found = read_events(path)
        assert found["name"].tolist() == ["a", "bc", "d", "e", "f"]
    write_events(path, [_events()])
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == list(_events().columns)


def test_single_arrays(tmp_path: Path) -> None:
    """A single array under the name of an archive is refused, with how to write one."""
    path = tmp_path / "events.npz"
    with path.open("wb") as file:
        np.save(file, np.arange(5.0))
    with pytest.raises(InputError, match=r"events\.npz: it is a single array, .*numpy\.savez\(file, x=array\)"):
        read_events(path)


def test_columns_of_several_lengths(tmp_path: Path) -> None:
    """Arrays that are no columns of one table are refused, and one of two axes is a column for each feature."""
    path = tmp_path / "events.npz"
    np.savez(path, x=np.arange(5.0), y=np.arange(4))
    with pytest.raises(InputError, match=r"events\.npz: columns must be of one length; 'x' has 5 rows and 'y' has 4"):
        read_events(path)
    np.savez(path, x=np.float64(3))
    with pytest.raises(InputError, match=r"events\.npz: column 'x' has the shape \(\)"):
        read_events(path)
    np.savez(path, x=np.zeros((3, 2)))
    assert list(read_events(path).columns) == ["x.0", "x.1"]


def test_objects_are_not_loaded(tmp_path: Path) -> None:
    """Objects are neither unpickled nor written."""

    class Bomb:
        """Runs a command when unpickled."""

        def __reduce__(self) -> tuple[Any, ...]:
            """Make a folder."""
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "events.npz"
    bombs: Any = np.array([Bomb()], dtype=object)
    np.savez(path, x=bombs)
    with pytest.raises(InputError, match=r"events\.npz: column 'x' holds objects, which are never unpickled"):
        read_events(path)
    path.unlink()
    with pytest.raises(InputError, match="column 'x' holds objects"):
        write_events(path, [Sample({"x": np.array(["a", None], dtype=object)})])
    assert list(tmp_path.iterdir()) == []

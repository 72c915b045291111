"""A name, a pattern or a list of them stands for files, each of which is read once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, InputTypeError, MissingExtraError
from pytest_ganvalid.samples import pieces
from pytest_ganvalid.samples.pieces import READ_FORMATS, Piece, names_files, pieces_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make three files, in the folder that one is in."""
    for name in ("run1.npz", "run2.npz", "other.npz"):
        np.savez(tmp_path / name, x=np.arange(3.0))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("suffix", "form"), READ_FORMATS.items())
def test_suffixes(suffix: str, form: str) -> None:
    """The suffix says how a file is read, and what follows a colon what of it."""
    assert pieces_of(f"a/b{suffix}") == (Piece(f"a/b{suffix}", "", form),)
    assert pieces_of(f"a/b{suffix}:c/d") == (Piece(f"a/b{suffix}", "c/d", form),)
    assert pieces_of(Path(f"b{suffix}")) == (Piece(f"b{suffix}", "", form),)
    assert [str(piece) for piece in pieces_of([f"b{suffix}", f"c{suffix}:d"])] == [f"b{suffix}", f"c{suffix}:d"]


def test_formats_exist() -> None:
    """For every suffix there is a module with what a format has."""
    for form in set(READ_FORMATS.values()):
        module = pieces.format_of(form)
        assert isinstance(module.KIND, str)
        assert all(issubclass(error, Exception) for error in module.DAMAGE)
        assert callable(module.open_file)


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("csv:events.txt", Piece("events.txt", "", "csv")),
        ("root:events", Piece("events", "", "root")),
        ("root:events:tree", Piece("events", "tree", "root")),
        ("hdf5:events.npz", Piece("events.npz", "", "hdf5")),
        ("hdf5:events.dat:a/b", Piece("events.dat", "a/b", "hdf5")),
        ("root://host//path/file.root", Piece("root://host//path/file.root", "", "root")),
        ("root://host//path/file.root:tree", Piece("root://host//path/file.root", "tree", "root")),
        ("root://host:1094//path/file.root:a/tree", Piece("root://host:1094//path/file.root", "a/tree", "root")),
        ("https://host/file.root:tree", Piece("https://host/file.root", "tree", "root")),
        ("root:https://host/file", Piece("https://host/file", "", "root")),
        ("root:https://host/file:tree", Piece("https://host/file", "tree", "root")),
    ],
)
def test_formats_in_front_and_addresses(name: str, piece: Piece) -> None:
    """A format in front is taken whatever the suffix is, and an address is left as it is."""
    assert pieces_of(name) == (piece,)


def test_queries_are_no_patterns() -> None:
    """A question mark in an address begins a query, and no address is asked for what it does not name."""
    assert pieces_of("root:https://host/f?a=1") == (Piece("https://host/f?a=1", "", "root"),)


def test_patterns(folder: Path) -> None:
    """A pattern stands for the files that match it, in order; what follows a colon is that of each."""
    assert [piece.path for piece in pieces_of("run*.npz")] == ["run1.npz", "run2.npz"]
    assert [piece.path for piece in pieces_of(f"{folder}/run?.npz")] == [f"{folder}/run1.npz", f"{folder}/run2.npz"]
    (folder / "deep" / "down").mkdir(parents=True)
    (folder / "run1.npz").rename(folder / "deep" / "down" / "run1.npz")
    assert [piece.path for piece in pieces_of("**/run*.npz")] == ["deep/down/run1.npz", "run2.npz"]
    (folder / "deep" / "down" / "run1.npz").rename(folder / "run1.npz")
    assert {str(piece) for piece in pieces_of("run[12].npz:x")} == {"run1.npz:x", "run2.npz:x"}
    assert [piece.form for piece in pieces_of("csv:run*")] == ["csv", "csv"]
    with pytest.raises(InputError, match=r"walk\*\.npz: the pattern matches no file; check it"):
        pieces_of("walk*.npz")


def test_names_that_look_like_patterns(folder: Path) -> None:
    """A file that exists is meant by its name, even if that looks like a pattern."""
    (folder / "run[1].npz").write_bytes((folder / "run1.npz").read_bytes())
    assert [piece.path for piece in pieces_of("run[1].npz")] == ["run[1].npz"]


def test_home(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A tilde is the home of the user."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert pieces_of("~/run1.npz")[0].path == os.path.join(str(folder), "run1.npz")  # noqa: PTH118
    assert len(pieces_of("~/run*.npz")) == 2


@pytest.mark.usefixtures("folder")
def test_lists() -> None:
    """A list is read in its order."""
    assert [piece.path for piece in pieces_of(["run2.npz", Path("run1.npz")])] == ["run2.npz", "run1.npz"]
    assert [piece.path for piece in pieces_of(("other.npz", "run*.npz"))] == ["other.npz", "run1.npz", "run2.npz"]
    assert len(pieces_of(["run1.npz:a", "run1.npz:b"])) == 2


@pytest.mark.parametrize("second", ["run1.npz", "./run1.npz", "run*.npz", "../{folder}/run1.npz", "link.npz"])
def test_duplicates(folder: Path, second: str) -> None:
    """A file that is named twice, by whatever names, is refused: its events would count twice."""
    (folder / "link.npz").symlink_to(folder / "run1.npz")
    with pytest.raises(InputError, match=r"\.npz: named twice; every event must be read once"):
        pieces_of(["run1.npz", second.format(folder=folder.name)])


def test_repeated_addresses() -> None:
    """An address that is named twice is refused, and two trees of one file are not."""
    with pytest.raises(InputError, match=r"root://host//f\.root:t: named twice"):
        pieces_of(["root://host//f.root:t"] * 2)
    assert len(pieces_of(["root://host//f.root:t", "root://host//f.root:u"])) == 2


@pytest.mark.parametrize("events", [None, 3, [], (), {}, ["a.npz", 3], np.zeros(3), b"a.npz"])
def test_what_names_no_files(events: Any) -> None:
    """What is no name, or not all names, is refused."""
    assert not names_files(events)
    with pytest.raises(InputTypeError, match="names no files; expected a file name, a glob, or a list of them"):
        pieces_of(events)


@pytest.mark.parametrize("name", ["events.pkl", "events.pickle", "a/events.joblib", "events.dill"])
def test_pickles(tmp_path: Path, name: str) -> None:
    """A pickle is refused by its name, and nothing is opened."""
    with pytest.raises(InputError, match=rf"{name}: a pickle is a program and not data: it is not read; write"):
        pieces_of(tmp_path / name)


@pytest.mark.parametrize("name", ["events.dat", "events", "events.root.bak", ".npz.old", "events.NPZ"])
def test_unknown_suffixes(name: str) -> None:
    """A suffix that is not known is refused with those that are, and with the formats to put in front."""
    message = (
        rf"{name}: the suffix '.*' is not known.*; expected one of \.root, .* or one of csv, .* in front: csv:events"
    )
    with pytest.raises(InputError, match=message):
        pieces_of(name)


def test_folders(tmp_path: Path) -> None:
    """A folder is refused with a pattern for what is in it, whatever it is called."""
    with pytest.raises(InputError, match="this is a folder; expected a file, or a pattern such as folder/"):
        pieces_of(tmp_path)
    (tmp_path / "events.npz").mkdir()
    (piece,) = pieces_of(tmp_path / "events.npz")
    with pytest.raises(InputError, match=r"events\.npz: this is a folder"), piece.opened():
        pass


def test_missing_and_empty_files(tmp_path: Path) -> None:
    """A file that is not there, or has nothing in it, is refused before its package is looked for."""
    (tmp_path / "empty.root").touch()
    for name, message in {
        "none.root": "there is no such file; check the name",
        "empty.root": "the file is empty",
    }.items():
        (piece,) = pieces_of(tmp_path / name)
        with pytest.raises(InputError, match=rf"{name}: {message}"), piece.opened():
            pass


def test_blame(folder: Path) -> None:
    """What goes wrong is told with the file, and with the row from which on it does."""
    path = folder / "run1.npz"
    np.savez(path, x=np.arange(100_000.0))
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    (piece,) = pieces_of(path)
    with piece.opened() as reader:
        chunks = piece.chunks(reader, ["x"], 0, 100_000, 30_000)
        assert [len(next(chunks)["x"]) for _ in range(3)] == [30_000] * 3
        with pytest.raises(
            InputError, match=r"run1\.npz: from row 90,000 on: cannot be read as \.npz .*; it is damaged"
        ):
            list(chunks)


SUFFIXES = {
    "root": [".root"],
    "parquet": [".parquet", ".pq"],
    "feather": [".feather", ".arrow"],
    "hdf5": [".h5", ".hdf5"],
    "npz": [".npz"],
    "npy": [".npy"],
    "csv": [".csv", ".csv.gz"],
    "hepmc": [".hepmc", ".hepmc3", ".hepmc.gz", ".hepmc3.gz", ".hepmc.xz", ".hepmc3.xz"],
    "lhe": [".lhe", ".lhe.gz"],
    "tensors": [".pt", ".pth", ".safetensors"],
}


@pytest.mark.parametrize("form", SUFFIXES)
def test_every_format_has_its_suffixes(form: str) -> None:
    """Each suffix that the documentation names is read in its format, and each format may stand in front of a name."""
    for suffix in SUFFIXES[form]:
        assert pieces_of(f"a{suffix}") == (Piece(f"a{suffix}", "", form),)
    assert pieces_of(f"{form}:a.b") == (Piece("a.b", "", form),)
    assert set(READ_FORMATS) == {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}


def test_no_more_than_the_suffix_is_taken_off(tmp_path: Path) -> None:
    """A suffix inside a name or a folder is none, and a letter of a drive is no name of a file."""
    assert pieces_of("csv:C:events") == (Piece("C:events", "", "csv"),)
    assert pieces_of("csv:ab:events") == (Piece("ab", "events", "csv"),)
    assert str(Piece("a", "", "npz")) == "a"
    with pytest.raises(InputError, match="matches no file"):
        pieces_of(f"{tmp_path}/*.npz")


def test_pieces_are_in_order() -> None:
    """Pieces are sorted by file, and by what is inside of one."""
    ordered = [Piece("a", "x", "root"), Piece("a", "y", "root"), Piece("b", "a", "npz")]
    assert sorted([ordered[1], ordered[2], ordered[0]]) == ordered


class _Reader:
    """Reads three rows of one column, and then fails."""

    names = ("x",)
    refused = {"y": "is bad"}  # noqa: RUF012 - never changed

    def __init__(self, error: Exception) -> None:
        """Choose the error."""
        self.error = error

    def read(self, *_: object) -> Any:
        """Yield the rows, and fail."""
        yield {"x": np.arange(3)}
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            ValueError("bad  \n bytes"),
            InputError,
            r"^a\.parquet: from row 8 on: cannot be read as Parquet \(bad bytes\)",
        ),
        (ValueError(), InputError, r"cannot be read as Parquet \(ValueError\); it is damaged"),
        (ValueError("x" * 999), InputError, r"\(x{300}\); it is damaged"),
        (OSError("gone"), InputError, r"from row 8 on: cannot be read as Parquet \(gone\)"),
        (InputError("wrong"), InputError, "^a.parquet: wrong$"),
        (InputTypeError("kind"), InputTypeError, "^a.parquet: kind$"),
        (MissingExtraError("a", "b", "c"), MissingExtraError, "^a needs the package 'b'"),
        (MemoryError("too much"), MemoryError, "^too much$"),
        (KeyError("bug"), KeyError, "bug"),
    ],
)
def test_what_is_blamed_on_a_file(error: Exception, kind: type[Exception], text: str) -> None:
    """Damage is told with file and row, an error of the package with the file, and anything else as it is."""
    reader: Any = _Reader(error)
    chunks = Piece("a.parquet", "", "parquet").chunks(reader, ["x"], 5, 99, 3)
    assert len(next(chunks)["x"]) == 3
    with pytest.raises(kind, match=text):
        next(chunks)


def test_columns_that_cannot_be_read() -> None:
    """A column is refused with its reason, or with those that there are."""
    reader: Any = _Reader(ValueError())
    piece = Piece("a.root", "t", "root")
    piece.check_columns(reader, ["x"])
    with pytest.raises(InputError, match=r"^a.root:t: column 'y' is bad$"):
        piece.check_columns(reader, ["x", "y"])
    with pytest.raises(InputError, match=r"^a.root:t: there is no column 'z'; there are \['x'\]$"):
        piece.check_columns(reader, ["z"])

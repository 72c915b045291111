"""Files at an address are read like those on a disk; what is missing for it is named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, MissingExtraError
from pytest_ganvalid.samples import addresses
from pytest_ganvalid.samples.files import read_events
from pytest_ganvalid.samples.pieces import pieces_of
from pytest_ganvalid.samples.sources import file_source

fsspec: Any = pytest.importorskip("fsspec")
X = np.arange(7.0)


@pytest.fixture
def memory() -> Iterator[Any]:
    """Return an empty file system in memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def _tree(path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(path) as file:
        file.mktree("t", {"x": "f8"}).extend({"x": X})


def _parquet(path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"x": X}), path)


def _feather(path: Path) -> None:
    pa, feather = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.feather")
    feather.write_feather(pa.table({"x": X}), path)


def _hdf5(path: Path) -> None:
    with pytest.importorskip("h5py").File(path, "w") as file:
        file["x"] = X


def _npy(path: Path) -> None:
    np.save(path, X.view([("x", "f8")]))


def _csv(path: Path) -> None:
    np.savetxt(path, X, header="x")


def _safetensors(path: Path) -> None:
    pytest.importorskip("safetensors.numpy").save_file({"x": X}, path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.root": _tree,
    "a.parquet": _parquet,
    "a.feather": _feather,
    "a.h5": _hdf5,
    "a.npz": lambda path: np.savez(path, x=X),
    "a.npy": _npy,
    "a.csv": _csv,
    "a.csv.gz": _csv,
    "a.safetensors": _safetensors,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(tmp_path: Path, memory: Any, name: str) -> None:
    """A file of every format comes back from an address, by its name and by a pattern, and as a source."""
    WRITERS[name](tmp_path / name)
    memory.pipe_file(f"/run/{name}", (tmp_path / name).read_bytes())
    for address in (f"memory://run/{name}", f"memory://run/*{name[1:]}"):
        np.testing.assert_array_equal(read_events(address)["x"], X)
        source = file_source(address)
        found = [rows["x"] for part in source.parts for rows in part.chunks(["x"], 3)]
        np.testing.assert_array_equal(np.concatenate(found), X)


def test_patterns(memory: Any) -> None:
    """A pattern stands for what it matches, in order; a name that exists is no pattern; nothing is an error."""
    for name in ("/d/b1.npz", "/d/b2.npz", "/d/c[1].npz"):
        memory.pipe_file(name, b"x")
    assert [piece.path for piece in pieces_of("memory://d/b*.npz")] == ["memory:///d/b1.npz", "memory:///d/b2.npz"]
    assert [piece.path for piece in pieces_of("memory://d/c[1].npz")] == ["memory://d/c[1].npz"]
    with pytest.raises(InputError, match=r"memory://d/z\*\.npz: the pattern matches no file at this address; check it"):
        pieces_of("memory://d/z*.npz")
    with pytest.raises(InputError, match="named twice"):
        pieces_of(["memory://d/b1.npz", "memory://d/b*.npz"])


def test_a_file_that_is_not_there(memory: Any) -> None:  # noqa: ARG001
    """An address of nothing is refused, whatever reads it."""
    for name in ("none.npz", "none.root", "none.parquet"):
        with pytest.raises(InputError, match=f"memory://{name}: there is no such file at this address; check it"):
            read_events(f"memory://{name}")


def test_a_file_that_changes(tmp_path: Path, memory: Any) -> None:
    """A changed file is copied anew by the next check, and is an error within one."""
    address = "memory://a.csv"
    for first in (0, 10):
        memory.pipe_file("/a.csv", f"x\n{first}\n".encode())
        assert read_events(address)["x"].tolist() == [first]
        copy = addresses.copied(address)
        assert addresses.copied(address) == copy
    (part,) = file_source(address).parts
    memory.pipe_file("/a.csv", b"x\n3\n4\n")
    with pytest.raises(InputError, match=r"memory://a\.csv: it changed while it was read"):
        list(part.chunks(["x"], 10))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://bucket/a.parquet", r"addresses with s3:// cannot be read \(.*s3fs.*\); install what fsspec needs"),
        ("root://host//a.root", r"addresses with root:// cannot be read \(.*\); install fsspec-xrootd"),
        ("none://host/a*.csv", r"addresses with none:// cannot be read \(.*\); install what fsspec needs"),
    ],
)
def test_what_is_not_installed(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of a protocol the error says what to install."""

    def nothing(protocol: str, *_: Any, **__: Any) -> Any:
        msg = f"Install {protocol}fs to access it"
        raise ImportError(msg)

    monkeypatch.setattr(fsspec.core, "get_filesystem_class", nothing)
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda url: nothing(url.partition(":")[0]))
    with pytest.raises(InputError, match=f"^{address.partition('*')[0]}.*{message}"):
        read_events(address)


def test_fsspec_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fsspec itself, that is named."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"a file at an address needs the package 'fsspec'"):
        read_events("memory://a.csv")


def test_files_are_written(memory: Any) -> None:
    """A file is written to an address, in a folder that need not be there, and what cannot be written is said."""
    addresses.written("memory://a/b/c.json", b"{}")
    assert memory.cat_file("/a/b/c.json") == b"{}"
    with pytest.raises(InputError, match="nothing can be written to this address"):
        addresses.written("data://x", b"{}")

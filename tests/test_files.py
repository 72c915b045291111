"""A file is there as a whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pytest_ganvalid._files import named, write_whole, written_whole


def test_writing(tmp_path: Path) -> None:
    """Content arrives, replaces what was there, and folders are made."""
    path = tmp_path / "a" / "b" / "file.txt"
    for content in (b"one", b"", b"two"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_interruption(tmp_path: Path, old: bytes | None, error: type[BaseException]) -> None:
    """Whatever ends the writing, the old file stays and nothing lies beside it."""
    path = tmp_path / "file.txt"
    if old is not None:
        path.write_bytes(old)

    def write_half() -> None:
        with written_whole(path) as beside:
            beside.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([] if old is None else [old])


def test_nothing_written(tmp_path: Path) -> None:
    """Writing nothing is an error, and leaves what was there."""
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), written_whole(path):
        pass
    assert path.read_bytes() == b"old"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be brought to the disk does not take the name."""
    path = tmp_path / "file.txt"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_the_old_file_is_there_until_the_end(tmp_path: Path) -> None:
    """Until all is written, readers see the old content; the file beside is hidden and has the same suffix."""
    path = tmp_path / "file.npz"
    write_whole(path, b"old")
    with written_whole(path) as beside:
        beside.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert (beside.parent, beside.suffix, beside.name[0]) == (tmp_path, ".npz", ".")
    assert path.read_bytes() == b"new"


def test_several_writers(tmp_path: Path) -> None:
    """Two that write the same file do not write into each other; the last one wins."""
    path = tmp_path / "file.txt"
    with written_whole(path) as first, written_whole(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
        assert first != second
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """A folder is not replaced, nor a file used as one."""
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path, b"")
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file" / "below", b"")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_told_with_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system says without a name is told with the file's, and what to do."""
    path = tmp_path / "report.json"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="free some space") as caught:
        write_whole(path, b"new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_device_is_told_with_the_name() -> None:
    """A device that is full is named."""
    with (
        pytest.raises(OSError, match="free some space") as caught,
        named("/dev/full"),
        Path("/dev/full").open("w") as f,
    ):
        f.write("a")
    assert caught.value.filename == "/dev/full"


def test_errors_of_other_files_stay(tmp_path: Path) -> None:
    """An error of reading another file is not said to be one of the file that is written."""
    other = tmp_path / "other"
    with pytest.raises(FileNotFoundError) as caught, written_whole(tmp_path / "file"):
        other.read_bytes()
    assert caught.value.filename == str(other)

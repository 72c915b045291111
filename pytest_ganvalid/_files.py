"""Atomic writing of files; standard library only."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)
_REMEDY = "free some space there, or choose another folder; nothing of this is left"


@contextmanager
def named(path: str | os.PathLike[str], other: str | os.PathLike[str] = "") -> Iterator[None]:
    """Let errors of writing in the block name the file, and a remedy for a full disk.

    The operating system does not know the name any more when a disk is full.

    Args:
        path: The file, as the user knows it.
        other: The temporary file that is written instead.

    Raises:
        OSError: As it was raised; with the name if the disk is full, or that of ``other`` was told.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        if error.errno is None or not (full or (other and error.filename == os.fspath(other))):
            raise
        reason = error.strerror or os.strerror(error.errno)
        raise OSError(error.errno, f"{reason}; {_REMEDY}" if full else reason, os.fspath(path)) from error


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a temporary file, which takes the name ``path`` when all went well.

    A process killed at any moment, or a full disk, leaves what was there before. The folder is made if need be.

    Raises:
        OSError: If the file cannot be written; the error names ``path``.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: a writer may depend on it.
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp{target.suffix}")
    try:
        with named(target, temporary):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole.

    Raises:
        OSError: If the file cannot be written; an existing file is left as it was.
    """
    with written_whole(path) as temporary:
        temporary.write_bytes(content)

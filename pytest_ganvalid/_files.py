"""Writing files so that nobody ever sees a part of one; standard library only."""

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
    """Let errors of writing in the block say which file it was, and of a full disk what to do.

    The operating system does not know the name any more when a disk is full.

    Args:
        path: The file, as the user knows it.
        other: What stands in for it while it is written.

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
    """Give the path of a file beside ``path`` to write to, which takes its name when all went well.

    A process killed at any moment, or a full disk, leaves what was there before. The folder is made if need be.

    Raises:
        OSError: If it cannot be written; it names ``path``.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: what writes it may go by that.
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp{target.suffix}")
    try:
        with named(target, beside):
            yield beside
            with beside.open("rb+") as file:
                os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole.

    Raises:
        OSError: If it cannot be written; the file that was there before, if any, is left as it was.
    """
    with written_whole(path) as beside:
        beside.write_bytes(content)

"""Writing files so that nobody ever sees a part of one; standard library only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a file beside ``path`` to write to, which takes its name when all went well.

    A process killed at any moment, or a full disk, leaves what was there before. The folder is made if need be.

    Raises:
        OSError: If it cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: what writes it may go by that.
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp{target.suffix}")
    try:
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

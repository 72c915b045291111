"""The number of this process, started by ``torchrun`` or alone, and its output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from pytest_ganvalid._torchrun import is_launched
from pytest_ganvalid.errors import printable


def process() -> int:
    """Return the number of this process; 0 is the one that writes and prints."""
    return int(os.environ["RANK"]) if is_launched() else 0


def say(*lines: str) -> None:
    """Print lines from the first of all processes; a closed pipe is no error.

    A pipe may be closed, as by ``head``, and so may stdout: files and exit status do not depend on it.

    Raises:
        OSError: If stdout is a file that cannot be written to.
    """
    if process() == 0:
        _write(sys.stdout, lines)


def complain(*lines: str) -> None:
    """Print lines to stderr, if anybody reads it."""
    with suppress(OSError):
        _write(sys.stderr, lines)


def _write(stream: TextIO | None, lines: Iterable[str]) -> None:
    if stream is None:  # closed before Python started
        return
    try:
        stream.write("".join(f"{printable(line)}\n" for line in lines))
        stream.flush()
    except BrokenPipeError:
        forget(stream)
    except OSError as error:
        forget(stream)
        raise OSError(error.errno, error.strerror, stream.name) from error


def forget(stream: TextIO) -> None:
    """Discard what is still to be written to a stream, as Python would fail on it at exit."""
    with suppress(OSError, ValueError):  # it is no file
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)


def bar_wanted(*, quiet: bool) -> bool:
    """Tell whether to show a progress bar: there is someone to see it, and tqdm to draw it."""
    from importlib.util import find_spec

    return not quiet and sys.stderr is not None and sys.stderr.isatty() and find_spec("tqdm") is not None

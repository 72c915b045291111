"""Files of histograms: finding, reading and adding them up."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.pipeline.summary import Histograms, added

SUFFIX = ".json"
_MAX_BYTES = 1 << 30


def names_json(value: object) -> bool:
    """Tell whether something is the name of a JSON file, a pattern of such names, or a list of them."""
    names = [value] if isinstance(value, str | os.PathLike) else value
    return (
        isinstance(names, list | tuple)
        and bool(names)
        and all(isinstance(name, str | os.PathLike) and os.fspath(name).endswith(SUFFIX) for name in names)
    )


def expanded(names: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """List the files that names and patterns stand for, in order.

    Raises:
        InputError: If a pattern matches none.
    """
    files = []
    for name in names:
        path = Path(name).expanduser()
        if glob.has_magic(str(path)) and not path.exists():
            matched = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - a path cannot be absolute there
            if not matched:
                msg = f"{name}: the pattern matches no file; check it, and the folder you are in"
                raise InputError(msg)
            files += [Path(match) for match in matched]
        else:
            files.append(path)
    return files


def text_of(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a JSON file.

    Raises:
        InputError: If the file cannot be read, is empty, or too large.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        content = b"" if size > _MAX_BYTES else file.read_bytes()
    except OSError as error:
        msg = f"{file}: {error.strerror or error}; check the name, and the folder you are in"
        raise InputError(msg) from error
    if not content:
        problem = (
            "the file is empty (0 bytes); was it written to the end?" if not size else f"{size:,} bytes are too many"
        )
        msg = f"{file}: {problem}"
        raise InputError(msg)
    return content


def read_histograms(path: str | os.PathLike[str]) -> Histograms:
    """Read a file of histograms.

    Raises:
        InputError: If it is no file of histograms; the message names the file and the place.
    """
    content = text_of(path)
    try:
        return Histograms.from_json(content)
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def in_order(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return names of files in an order that does not depend on that given.

    Raises:
        InputError: If two names are of one file.
    """
    files = sorted(map(Path, paths), key=os.path.realpath)
    for file, following in itertools.pairwise(files):
        if os.path.realpath(file) == os.path.realpath(following):
            msg = f"{file}: named twice; every event must be counted once"
            raise InputError(msg)
    return files


def add_up(files: Iterable[str | os.PathLike[str]]) -> Histograms:
    """Read files of histograms, one at a time, and add them up.

    Raises:
        InputError: If a file cannot be read, or does not fit the others; the message names it.
    """
    return added((str(file), read_histograms(file)) for file in files)

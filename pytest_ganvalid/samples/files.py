"""Events in files: one module per format, chosen by the suffix of the name.

Every format has a reader, ``read(path, columns)``, and a writer, an object with ``append(sample)`` and ``finish()``
that is made from the path and holds no more than the chunk it is given.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pytest_ganvalid._files import written_whole
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample

FORMATS = {".npz": "npz", ".parquet": "parquet"}


class Writer(Protocol):
    """Writes a file chunk by chunk."""

    def append(self, chunk: Sample) -> None:
        """Write some more events, of the same columns."""
        ...

    def finish(self) -> None:
        """Make the file complete."""
        ...

    def close(self) -> None:
        """Let go of everything, complete or not."""
        ...


def read_events(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> Sample:
    """Read events from a file.

    Args:
        path: Its suffix says what it is: ``.npz`` with one array per column, or ``.parquet`` (extra ``hep``, or any
            other pyarrow).
        columns: Those to read; ``None`` for all.

    Raises:
        InputError: If the file does not exist, is of no known kind, damaged or without events, or lacks a column.
        MissingExtraError: If the package that reads this kind is not installed.
    """
    file = Path(path)
    form = _format(file)
    if not file.is_file():
        msg = f"{file}: there is no such file; check the name, and the folder you are in"
        raise InputError(msg)
    try:
        found = form.read(file, columns)
        return Sample(found, provenance={"source": file.name})
    except InputError as error:
        msg = f"{file}: {error}"
        raise InputError(msg) from None


def write_events(path: str | os.PathLike[str], chunks: Iterable[Sample]) -> int:
    """Write events to a file, one chunk in memory at a time; an interrupted call leaves no file behind.

    Args:
        path: Its suffix says what it is to be, as in `read_events`.
        chunks: Unweighted events, all of the same columns.

    Returns:
        The number of events.

    Raises:
        InputError: If the suffix is unknown, the folder does not exist, there is no chunk, or a chunk is weighted or
            has columns of other names or types than the first.
        MissingExtraError: If the package that writes this kind is not installed.
        OSError: If it cannot be written.
    """
    file = Path(path)
    form = _format(file)
    if not file.parent.is_dir():
        msg = f"{file}: there is no folder {str(file.parent)!r}; make it first"
        raise InputError(msg)
    events, layout = 0, None
    with written_whole(file) as beside:
        writer: Writer = form.Writer(beside)
        try:
            for chunk in chunks:
                layout = _checked(file, chunk, layout)
                writer.append(chunk)
                events += len(chunk)
            if not events:
                msg = f"{file}: there are no events to write"
                raise InputError(msg)
            writer.finish()
        finally:
            writer.close()
    return events


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse the name of a file that could be neither read nor written, before any work is done for it.

    Raises:
        InputError: If its suffix is unknown.
    """
    if Path(path).suffix not in FORMATS:
        msg = f"{path}: the suffix {Path(path).suffix!r} is not known; expected one of {', '.join(FORMATS)}"
        raise InputError(msg)


def _checked(file: Path, chunk: Sample, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the names and types of the columns of a chunk, which must be those of the chunk before.

    Raises:
        InputError: If they are not, or there are weights or several entries per event.
    """
    entries = any(isinstance(values, Entries) for values in chunk.columns.values())
    if chunk.weight is not None or entries:
        msg = f"{file}: weights and columns with several entries per event cannot be written; make them plain columns"
        raise InputError(msg)
    layout = {name: values.dtype for name, values in chunk.columns.items()}
    if before is not None and layout != before:
        msg = f"{file}: a chunk has the columns {layout}; the one before had {before}: give all chunks the same"
        raise InputError(msg)
    return layout


def _format(file: Path) -> Any:  # noqa: ANN401 - a module
    check_suffix(file)
    return importlib.import_module(f"pytest_ganvalid.samples.{FORMATS[file.suffix]}")

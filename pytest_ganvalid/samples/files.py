"""Events in files: read whole, and written chunk by chunk; the suffix of the name says in which format."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_ganvalid._files import written_whole
from pytest_ganvalid.errors import InputError, suggestion
from pytest_ganvalid.samples.entries import Entries, concatenated
from pytest_ganvalid.samples.formats import Columns, Writer
from pytest_ganvalid.samples.pieces import Piece, State, pieces_of
from pytest_ganvalid.samples.sample import Sample

WRITE_FORMATS = {".npz": "npz", ".parquet": "parquet"}
"""Suffix -> module, of the formats that are written."""
_CHUNK = 1 << 18  # rows


def read_events(events: object, columns: Sequence[str] | None = None) -> Sample:
    """Read events from files into memory.

    Args:
        events: The name of a file, a pattern, or a list of names; see `samples.pieces`.
        columns: Those to read; ``None`` for all.

    Raises:
        InputError: If a file does not exist, is of no known kind, damaged, or lacks a column; or there are no events.
        MissingExtraError: If the package that reads a file is not installed.
    """
    pieces = pieces_of(events)
    states = [piece.state for piece in pieces]
    names = ", ".join(map(str, pieces))
    if columns is not None and not columns:
        msg = f"{names}: no column is asked for; a sample needs at least one column"
        raise InputError(msg)
    parts = [part for piece, state in zip(pieces, states, strict=True) for part in _read(piece, columns, state)]
    if not parts:
        msg = f"{names}: the sample has no events"
        raise InputError(msg)
    try:
        return Sample(_joined(parts), provenance={"source": ", ".join(Path(str(piece)).name for piece in pieces)})
    except InputError as error:
        msg = f"{names}: {error}"
        raise InputError(msg) from None


def _read(piece: Piece, columns: Sequence[str] | None, state: State) -> list[Columns]:
    with piece.opened(state) as reader:
        names = reader.names if columns is None else tuple(columns)
        return list(piece.chunks(reader, names, 0, sys.maxsize, _CHUNK)) if names else []


def _joined(parts: Sequence[Columns]) -> Columns:
    """Join the rows of parts.

    Raises:
        InputError: If a part lacks a column.
    """
    names = dict.fromkeys(name for part in parts for name in part)
    missing = next((name for part in parts for name in names if name not in part), None)
    if missing is not None:
        msg = f"column {missing!r} is in some of the files only; name the columns to read"
        raise InputError(msg)
    return {name: concatenated([part[name] for part in parts]) for name in names}


def write_events(path: str | os.PathLike[str], chunks: Iterable[Sample]) -> int:
    """Write events to a file, one chunk in memory at a time; an interrupted call leaves no file behind.

    Args:
        path: Its suffix says what it is to be, ``.npz`` or ``.parquet``.
        chunks: Unweighted events, all of the same columns.

    Returns:
        The number of events.

    Raises:
        InputError: If the suffix is unknown, the folder does not exist, there is no chunk, or a chunk is weighted or
            has columns of other names or types than the first.
        MissingExtraError: If the package that writes this kind is not installed.
        OSError: If the file cannot be written.
    """
    file = Path(path)
    check_suffix(file)
    form: Any = importlib.import_module(f"pytest_ganvalid.samples.formats.{WRITE_FORMATS[file.suffix]}")
    if not file.parent.is_dir():
        msg = f"{file}: there is no folder {str(file.parent)!r}; make it first"
        raise InputError(msg)
    events, layout = 0, None
    with written_whole(file) as temporary:
        writer: Writer = form.Writer(temporary)
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
        InputError: If the suffix is unknown.
    """
    if Path(path).suffix not in WRITE_FORMATS:
        suffix, guess = Path(path).suffix, suggestion(Path(path).suffix, WRITE_FORMATS)
        msg = f"{path}: the suffix {suffix!r} is not known{guess}; expected one of {', '.join(WRITE_FORMATS)}"
        raise InputError(msg)


def _checked(file: Path, chunk: Sample, previous: dict[str, Any] | None) -> dict[str, Any]:
    """Return the names and types of the columns of a chunk, which must be those of the chunk before.

    Raises:
        InputError: If the columns differ, or there are weights or several entries per event.
    """
    entries = any(isinstance(values, Entries) for values in chunk.columns.values())
    if chunk.weight is not None or entries:
        msg = f"{file}: weights and columns with several entries per event cannot be written; make them plain columns"
        raise InputError(msg)
    layout = {name: values.dtype for name, values in chunk.columns.items()}
    if previous is not None and layout != previous:
        msg = f"{file}: a chunk has the columns {layout}; the one before had {previous}: give all chunks the same"
        raise InputError(msg)
    return layout

"""Events that are read part by part: from files, from memory, or from a cluster.

A `Source` is a list of parts, each of which can be read on its own, in another thread or on another machine, a chunk at
a time. Which columns are read is said at the time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.pieces import Piece, State, pieces_of
from pytest_ganvalid.samples.sample import Sample

_OPEN_FILES = 16  # files at a time: the time it takes is mostly that of waiting
_MAX_PARTS = 64  # at most, of a file
_MIN_ROWS = 1 << 20  # rows of a part, if the file has as many


class Part(Protocol):
    """Some of the events of a source."""

    @property
    def rows(self) -> int | None:
        """How many; ``None`` if only reading can tell."""
        ...

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield them, at most so many rows at a time.

        Raises:
            InputError: If the events cannot be read; the message names the place.
        """
        ...

    def head(self, rows: int) -> Part:
        """Return the part of its first rows."""
        ...


@dataclass(frozen=True, slots=True)
class FilePart:
    """Consecutive rows of a file.

    Attributes:
        piece: The file.
        start: First row.
        stop: Row to stop before; beyond the end it is the end.
        rows: How many these are; ``None`` if not known.
        file_rows: Number of rows of the file; ``None`` if not known.
        state: What the file was like when it was looked at first; see `Piece.state`.
    """

    piece: Piece
    start: int = 0
    stop: int = sys.maxsize
    rows: int | None = None
    file_rows: int | None = None
    state: State = None

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield rows; see `Part`."""
        with self.piece.opened(self.state) as reader:
            if reader.rows != self.file_rows:
                msg = (
                    f"{self.piece}: it had {self.file_rows} rows when it was opened first and has {reader.rows}: "
                    "it changed"
                )
                raise InputError(msg)
            row = self.start
            for rows in self.piece.chunks(reader, columns, self.start, self.stop, chunk):
                row += len(next(iter(rows.values())))
                yield rows
                del rows
        if self.rows is not None and row - self.start != self.rows:
            count = row - self.start
            msg = f"{self.piece}: {count:,} rows from row {self.start:,} on; expected {self.rows:,}: it changed"
            raise InputError(msg)

    def head(self, rows: int) -> FilePart:
        """Return the part of its first rows."""
        count = None if self.rows is None else min(rows, self.rows)
        return FilePart(self.piece, self.start, min(self.stop, self.start + rows), count, self.file_rows, self.state)

    @property
    def origin(self) -> str:
        """The file."""
        return str(self.piece)

    def place(self, first: int, last: int) -> str:
        """Say where rows of it are."""
        return f"{self.piece}: rows {self.start + first:,} to {self.start + last:,}"


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """Consecutive events in memory.

    Attributes:
        columns: The events.
        first: Number of the first of them in their sample.
        prefix: What is said before their numbers in an error message.
    """

    columns: Columns
    first: int = 0
    prefix: str = ""

    @property
    def rows(self) -> int:
        """How many."""
        return len(next(iter(self.columns.values())))

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield events; see `Part`."""
        for start in range(0, self.rows, chunk):
            yield {name: _sliced(self.columns[name], start, start + chunk) for name in columns}

    def head(self, rows: int) -> MemoryPart:
        """Return the part of its first events."""
        columns = {name: _sliced(values, 0, rows) for name, values in self.columns.items()}
        return MemoryPart(columns, self.first, self.prefix)

    def place(self, first: int, last: int) -> str:
        """Say where events of it are; nothing if they are all there are."""
        if not self.prefix and first == self.first == 0 and last == self.rows - 1 < _MIN_ROWS - 1:
            return ""
        return f"{self.prefix}events {self.first + first:,} to {self.first + last:,}"


def _sliced(values: Any, start: int, stop: int) -> Any:  # noqa: ANN401 - an array or Entries
    """Return some rows of a column; all of them without a copy."""
    return values if start == 0 and stop >= len(values) else values[start:stop]


OWN_WEIGHT = ""
"""The column that holds the weights of a sample in memory, as a source; no other may be without a name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Events in parts.

    Attributes:
        names: Columns that can be read.
        parts: All events, each in one part.
        refused: Other columns -> why they cannot be read.
        seekable: Whether the first rows of a part can be read without the others, and all know how many they have.
        lazy: Whether only workers of Dask can read them.
        provenance: What is known of their origin.
        uneven: Columns that only some of the files have.
        narrowed: Makes the same source of some columns only, where that saves reading the others.
        columns: All events, where they are in memory.
        unrequested: Columns that are not compared unless they are named -> why.
        infinite: Columns that may be infinite or undefined by their definition.
        units: Column -> its unit, where the data state it.
    """

    names: tuple[str, ...]
    parts: Sequence[Any]
    refused: Mapping[str, str] = field(default_factory=dict)
    seekable: bool = True
    lazy: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)
    uneven: frozenset[str] = frozenset()
    narrowed: Callable[[Sequence[str]], Source] | None = None
    columns: Columns | None = None
    unrequested: Mapping[str, str] = field(default_factory=dict)
    infinite: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)

    def keeping(self, columns: Sequence[str]) -> Source:
        """Return the source of which no more than some columns are going to be read."""
        return self if self.narrowed is None else self.narrowed(columns)

    @property
    def rows(self) -> int | None:
        """Number of events; ``None`` if only reading can tell."""
        rows = [part.rows for part in self.parts]
        return None if None in rows else sum(rows)

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.provenance.get("source", "memory"))


def file_source(names: object) -> Source:
    """Look into files, without reading any events.

    Args:
        names: The name of a file, a pattern, or a list of them (see `samples.pieces`).

    Raises:
        InputError: If there are no such files, a file cannot be opened, or no file has any events.
        MissingExtraError: If the package that reads a file is not installed.
    """
    pieces = pieces_of(names)
    with ThreadPoolExecutor(min(_OPEN_FILES, len(pieces))) as pool:
        headers = list(pool.map(_header, pieces))
    names, reasons, uneven = _common_columns(pieces, headers)
    parts = [part for _, _, file_parts, _ in headers for part in file_parts]
    if not parts:
        msg = f"{', '.join(map(str, pieces[:3]))}: there are no events; check what wrote the file"
        raise InputError(msg)
    seekable = all(part.rows is not None for part in parts)
    files = [os.path.basename(str(piece)) for piece in pieces]  # noqa: PTH119 - an address is no path
    source = files[0] if len(files) == 1 else f"{len(files):,} files: {files[0]} to {files[-1]}"
    empty = [file for file, (_, _, file_parts, _) in zip(files, headers, strict=True) if not file_parts]
    origin = {"source": source} | ({"files_without_events": empty} if empty else {})
    properties: dict[str, Any] = {
        "unrequested": {
            name: reason for *_, traits in headers for name, reason in traits.unrequested.items() if name in names
        },
        "infinite": frozenset(name for *_, traits in headers for name in traits.infinite),
        "units": {
            name: unit for *_, traits in reversed(headers) for name, unit in traits.units.items() if name in names
        },
    }
    return Source(names, parts, reasons, seekable, provenance=origin, uneven=uneven, **properties)


def _common_columns(
    pieces: Sequence[Piece], headers: Sequence[Any]
) -> tuple[tuple[str, ...], dict[str, str], frozenset[str]]:
    """Return the columns that all files have, why others cannot be read, and which of those some files have."""
    reasons: dict[str, str] = {}
    all_names = {name for names, *_ in headers for name in names}
    for piece, (names, unreadable, *_) in zip(pieces, headers, strict=True):
        reasons |= {name: reason for name, reason in unreadable.items() if name not in reasons}
        reasons |= dict.fromkeys(all_names.difference(names, reasons), f"is not in {piece}")
    names = tuple(name for name in headers[0][0] if name and name not in reasons)
    uneven = frozenset(all_names.intersection(reasons))
    return names, reasons | ({"": "has no name: give it one"} if "" in all_names else {}), uneven


def memory_source(sample: Sample) -> Source:
    """Take events in memory for a source; their weight becomes a column of no name.

    Raises:
        InputError: If a column has no name.
    """
    columns = dict(sample.columns)
    if "" in columns:
        msg = "a column has no name; give it one"
        raise InputError(msg)
    if sample.weight is not None:
        columns[OWN_WEIGHT] = sample.weight
    parts = [
        MemoryPart({name: _sliced(values, start, start + _MIN_ROWS) for name, values in columns.items()}, start)
        for start in range(0, len(sample), _MIN_ROWS)
    ]
    return Source(tuple(columns), parts, provenance=sample.provenance, columns=columns)


class _Traits(NamedTuple):
    """Traits of columns that a reader may state; see `formats.Reader`."""

    unrequested: Mapping[str, str]
    infinite: Collection[str]
    units: Mapping[str, str]


def _header(piece: Piece) -> tuple[tuple[str, ...], Mapping[str, str], list[FilePart], _Traits]:
    state = piece.state
    with piece.opened(state) as reader:
        traits = _Traits(
            getattr(reader, "unrequested", {}), getattr(reader, "infinite", ()), getattr(reader, "units", {})
        )
        if reader.rows is None:
            return reader.names, reader.refused, [FilePart(piece, state=state)], traits
        starts = _part_starts(reader.starts, reader.rows) if reader.rows else []
        stops = [*starts[1:], reader.rows]
        rows = reader.rows
        parts = [
            FilePart(piece, start, stop, stop - start, rows, state) for start, stop in zip(starts, stops, strict=False)
        ]
        return reader.names, reader.refused, parts, traits


def _part_starts(starts: Sequence[int], rows: int) -> list[int]:
    """Select starts of parts that are neither many nor small."""
    spacing = max(_MIN_ROWS, rows // _MAX_PARTS)
    selected = [0]
    for start in starts:
        if start - selected[-1] >= spacing and start < rows:
            selected.append(start)
    return selected

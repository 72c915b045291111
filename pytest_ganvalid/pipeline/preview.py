"""Some rows of a source, before all of it is read: to see what its columns hold, and to choose bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import LARGEST, is_numeric, is_plain, mix
from pytest_ganvalid.pipeline.request import Side
from pytest_ganvalid.pipeline.run import Runner, Threads, Tick
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.entries import concatenated
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.sources import FilePart, MemoryPart
from pytest_ganvalid.samples.tables import is_text

SIZE = 1 << 20
"""Rows of a preview, at most, if those are all there are."""
SUBSAMPLE_SIZE = 1 << 18
"""Rows of a preview of more than those: enough to choose bins, whose contents are then off by 1 in 70 at 50 bins."""
CHUNKS = (1 << 6, 1 << 18)
"""Rows at a time, at least and at most."""
COPIES = 6
"""Of a chunk, in each thread: as read, decoded, selected, and arrays to work in."""
FIRST = 128
"""Rows that show what a column holds, and how large rows are."""
_MIN_ROWS = 1 << 13  # rows to choose bins from, however large they are
_MAX_PARTS = 256  # of a source, at most, that are looked into
_MAX_PIECES = 64  # of a subsample, from which on they are joined
_SPARE = 4  # times its fair share of a subsample, that a part may have of it
_MARGIN = 0.95  # of the rows that are wanted, so that hardly ever more are drawn


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """Some rows of a source, from all over it.

    Attributes:
        sample: The rows.
        complete: Whether the sample is all rows of the source.
        drawn: Whether each row of the source was equally likely to be in the sample.
        row: Bytes of one.
        total: Number of rows of the source; ``None`` if it is not known.
        parts: The parts of the source, where all their rows were read and are at hand.
    """

    sample: Sample
    complete: bool
    drawn: bool
    row: float
    total: int | None
    parts: tuple[ReadPart, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReadPart(MemoryPart):
    """Rows of a part of a file that were read before, so that they need not be read again.

    Attributes:
        part: The part of the file that they are in.
    """

    part: FilePart = field(kw_only=True)

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield rows; see `sources.Part`.

        Raises:
            InputError: If the file is no longer what it was.
        """
        self.part.piece.check_unchanged(self.part.state)
        return MemoryPart.chunks(self, columns, chunk)

    @property
    def origin(self) -> str:
        """The file."""
        return self.part.origin

    def place(self, first: int, last: int) -> str:
        """Say where rows of it are."""
        return self.part.place(self.first + first, self.first + last)


def head(side: Side, columns: Sequence[str], rows: int, runner: Runner) -> Columns:
    """Read the first rows of a source.

    Raises:
        InputError: If the source has no rows.
    """
    if side.source.columns is not None:
        return {name: side.source.columns[name][:rows] for name in columns}
    total: _Chunks | None = None
    for part in side.source.parts:
        missing = rows - (0 if total is None else total.rows)
        chunks = runner.total(_read_part, _Reading(tuple(columns), 0, missing), [part.head(missing)])
        total = chunks if total is None else total if chunks is None else total + chunks
        if total is not None and total.rows >= rows:
            break
    if total is None:
        msg = f"{side.name}: {side.source.name} holds no events"
        raise InputError(msg)
    return total.joined()


def has_numbers(side: Side, columns: Sequence[str], runner: Runner) -> bool:
    """Tell whether a source has some columns, and the first rows numbers in them."""
    if not set(columns) <= set(side.source.names):
        return False
    return all(map(is_numeric, head(side, columns, FIRST, runner).values()))


def load(side: Side, columns: Sequence[str], row: float, memory: float, runner: Runner) -> Sample:
    """Read all rows of a source."""
    return side.sample(gathered(side, columns, row, memory, runner))


def gathered(side: Side, columns: Sequence[str], row: float, memory: float, runner: Runner) -> Columns:
    """Read some columns of all rows of a source."""
    if side.source.columns is not None:
        return {name: side.source.columns[name] for name in columns}
    task = _Reading(tuple(columns), 0, chunk_rows(row, memory, runner.workers))
    chunks: _Chunks | None = runner.total(_read_part, task, side.source.parts)
    if chunks is None:
        msg = f"{side.name}: {side.source.name} holds no events"
        raise InputError(msg)
    return chunks.joined()


def preview(side: Side, columns: Sequence[str], row: float, memory: float, runner: Runner) -> Preview:
    """Read some rows from all over a source, or all of one that is not too large."""
    source = side.source
    if source.columns is not None:
        sample = load(side, columns, row, memory, runner)
        complete = len(sample) <= SIZE
        subsample = sample if complete else sample.select(_stratified_positions(len(sample), SUBSAMPLE_SIZE))
        return Preview(subsample, complete=complete, drawn=False, row=row, total=source.rows)
    if not source.seekable:
        return drawn(side, columns, row, memory, runner)
    task = _Reading(tuple(columns), 0, chunk_rows(row, memory, runner.workers))
    parts = _heads(source.parts, preview_size(row, memory))
    rows = runner.total(_read_part, task, parts).joined()
    sample = side.sample(rows)
    complete = len(sample) == source.rows
    read = _read_parts(source.parts, rows, task.chunk) if complete and isinstance(runner, Threads) else None
    return Preview(sample, complete=complete, drawn=False, row=row, total=source.rows, parts=read)


def _stratified_positions(rows: int, size: int) -> NDArray[np.intp]:
    """Return the positions of so many of very many rows, one somewhere in each of as many equal pieces.

    Were they evenly spaced, they might all be of one kind, such as those of negative weight, every other one.
    """
    first = np.arange(size + 1) * rows // size
    return np.random.default_rng(0).integers(first[:-1], first[1:])


def drawn(side: Side, columns: Sequence[str], row: float, memory: float, runner: Runner) -> Preview:
    """Read all rows of a source, and draw some of them.

    Raises:
        InputError: If the source has no rows.
    """
    source, size = side.source, preview_size(row, memory)
    rows = source.rows if source.seekable and source.rows is not None else 0
    limit = int(LARGEST * _MARGIN * size / rows) if rows > size else LARGEST
    chunk = chunk_rows(row, memory, runner.workers)
    subsample = runner.total(_draw_part, _Reading(tuple(columns), size, chunk, limit, len(source.parts)), source.parts)
    if subsample is None:
        msg = f"{side.name}: {source.name} holds no events"
        raise InputError(msg)
    sample = side.sample(subsample.columns)
    return Preview(sample, complete=len(sample) == subsample.total, drawn=True, row=row, total=subsample.total)


def chunk_rows(row: float, memory: float, workers: int) -> int:
    """Return how many rows fit into memory at a time.

    Args:
        row: Bytes of one.
        memory: Bytes.
        workers: Threads, each of which has a chunk.
    """
    smallest, largest = CHUNKS
    return int(min(max(memory / (workers * COPIES * row), smallest), largest))


def row_bytes(columns: Columns) -> float:
    """Return the bytes that a row takes, on average."""
    rows = len(next(iter(columns.values())))
    sizes = (v.values.nbytes + v.counts.nbytes if isinstance(v, Entries) else v.nbytes for v in columns.values())
    return max(sum(sizes) / rows, 1.0)


def preview_size(row: float, memory: float) -> int:
    """Return how many rows a preview has at most, if those are all there are."""
    return int(min(SIZE, max(memory / (COPIES * row), _MIN_ROWS)))


def _heads(parts: Sequence[Any], size: int) -> list[Any]:
    """Return the first rows of parts from all over a source, in proportion to their size.

    All of them whole if there are not more rows than ``size``, or else about `SUBSAMPLE_SIZE` rows.
    """
    total = sum(part.rows for part in parts)
    if total <= size:
        return list(parts)
    size = min(size, SUBSAMPLE_SIZE)
    chosen = parts if len(parts) <= _MAX_PARTS else [parts[i * len(parts) // _MAX_PARTS] for i in range(_MAX_PARTS)]
    rows = sum(part.rows for part in chosen)
    return [part.head(max(1, min(part.rows, size * part.rows // rows))) for part in chosen]


def _read_parts(parts: Sequence[Any], rows: Columns, chunk: int) -> tuple[ReadPart, ...] | None:
    """Cut the rows of files into the chunks that reading them would give; ``None`` if they are not of files."""
    read, start = [], 0
    for part in parts:
        if not isinstance(part, FilePart) or part.rows is None:
            return None
        for first in range(0, part.rows, chunk):
            selection = slice(start + first, start + min(first + chunk, part.rows))
            read.append(ReadPart({name: values[selection] for name, values in rows.items()}, first, part=part))
        start += part.rows
    return tuple(read)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Which rows and columns of each part are read."""

    columns: tuple[str, ...]
    size: int
    chunk: int
    limit: int = LARGEST
    parts: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Chunks:
    """Rows of some parts, and where those of each chunk begin."""

    chunks: tuple[Columns, ...]
    locations: tuple[str, ...]

    def __add__(self, other: _Chunks) -> _Chunks:
        return _Chunks(self.chunks + other.chunks, self.locations + other.locations)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(len(next(iter(rows.values()))) for rows in self.chunks)

    def joined(self) -> Columns:
        """Join the rows.

        Raises:
            InputError: If a column is of different kinds in different chunks.
        """
        for name, first in self.chunks[0].items():
            for rows, location in zip(self.chunks, self.locations, strict=True):
                kind, expected = _kind(rows[name]), _kind(first)
                if kind != expected:
                    msg = f"{location}: column {name!r} holds {kind} here, and {expected} in the first events"
                    raise InputError(msg)
        return joined(self.chunks)


def joined(chunks: Sequence[Columns]) -> Columns:
    """Join rows of the same columns."""
    return {name: concatenated([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _kind(values: NDArray[Any] | Entries) -> str:
    """Say what a column holds."""
    if isinstance(values, Entries):
        return f"any number of {_kind(values.values)} per event"
    return "numbers" if is_plain(values) else "text" if is_text(values) else f"values of dtype {values.dtype}"


def _read_part(task: _Reading, number: int, part: Any, tick: Tick) -> _Chunks | None:  # noqa: ANN401, ARG001
    """Read a part; work for a `run.Runner`."""
    chunks, locations, row = [], [], 0
    for rows in part.chunks(task.columns, task.chunk):
        size = len(next(iter(rows.values())))
        chunks.append(rows)
        locations.append(part.place(row, row + size - 1))
        row += size
        tick(0)
    return _Chunks(tuple(chunks), tuple(locations)) if chunks else None


@dataclass(frozen=True, slots=True, eq=False)
class Subsample:
    """Rows drawn from some parts of a source by a random number that each has; those of other parts add up.

    Attributes:
        total: Number of rows that the subsample is drawn from.
        size: Rows to keep, at most.
        pieces: The rows kept: columns, and their numbers of shape (rows,).
        limit: Rows with numbers up to it are kept.
    """

    total: int
    size: int
    pieces: tuple[tuple[Columns, NDArray[np.uint64]], ...]
    limit: int = LARGEST

    @property
    def n_rows(self) -> int:
        """Number of rows kept."""
        return sum(numbers.size for _, numbers in self.pieces)

    @property
    def columns(self) -> Columns:
        """The rows kept."""
        return joined([columns for columns, _ in self.pieces])

    def __add__(self, other: Subsample) -> Subsample:
        """Add rows of other parts."""
        limit = min(self.limit, other.limit)
        pieces = self.truncated(limit).pieces + other.truncated(limit).pieces
        if len(pieces) > _MAX_PIECES:
            pieces = ((joined([columns for columns, _ in pieces]), np.concatenate([numbers for _, numbers in pieces])),)
        return Subsample(self.total + other.total, self.size, pieces, limit).bounded()

    def truncated(self, limit: int) -> Subsample:
        """Keep the rows with numbers up to a limit."""
        if limit >= self.limit:
            return self
        pieces = []
        for columns, numbers in self.pieces:
            mask = numbers <= np.uint64(limit)
            chosen: Columns = {name: values[mask] for name, values in columns.items()}
            pieces.append((chosen, numbers[mask]))
        return Subsample(self.total, self.size, tuple(pieces), limit)

    def bounded(self) -> Subsample:
        """Lower the limit until the rows are not too many."""
        limit = self.limit
        if self.n_rows > self.size:
            numbers = np.concatenate([numbers for _, numbers in self.pieces])
            while np.count_nonzero(numbers <= np.uint64(limit)) > self.size:
                limit //= 2
        return self.truncated(limit)


def _draw_part(task: _Reading, number: int, part: Any, tick: Tick) -> Subsample | None:  # noqa: ANN401
    """Draw rows of a part, which are numbered by their place, at random; work for a `run.Runner`."""
    # So few rows of each of many parts that all of them together are not too many to be sent around.
    size = min(task.size, max(_SPARE * task.size // task.parts, _MIN_ROWS))
    total: Subsample | None = None
    first = 0
    for rows in part.chunks(task.columns, task.chunk):
        length = len(next(iter(rows.values())))
        numbers = np.arange(first, first + length, dtype=np.uint64) + (np.uint64(number) << np.uint64(40))
        mix(numbers)
        chunk = Subsample(length, size, ((rows, numbers),)).bounded().truncated(task.limit)
        total = chunk if total is None else total + chunk
        first += length
        tick(length)
    return None if total is None else replace(total, size=task.size)

"""File formats: one module each, over the same protocol.

A module has ``KIND``, what it is called in an error message; ``DAMAGE``, the exceptions that a damaged file makes its
library raise; and ``open_file(path, inside)``, which returns a `Reader`. One that can be written has a ``Writer`` too.
`samples.pieces.READ_FORMATS` has the module of each suffix, `samples.files.WRITE_FORMATS` those that are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample

Columns = dict[str, NDArray[Any] | Entries]


class Reader(Protocol):
    """The rows of one file, or of one tree or group in it.

    Attributes:
        names: Columns that can be read, in the order of the file.
        refused: Other columns -> why they cannot be read and what to do about it, as the end of a sentence.
        rows: Number of rows; ``None`` if only reading to the end can tell.
        starts: Rows at which reading may begin without reading what is before, ascending; the first is 0. A file that
            can only be read from its beginning has no other.

    A reader may have more: ``unrequested``, columns that are not compared unless they are named -> why; ``infinite``,
    columns that may be infinite or undefined by their definition; and ``units``, column -> unit.
    """

    names: tuple[str, ...]
    refused: Mapping[str, str]
    rows: int | None
    starts: Sequence[int]

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows in order, never many more than a chunk in memory.

        Args:
            columns: Which, some of ``names``, at least one; no other is read from the disk if the format allows that.
            start: First row, one of ``starts``.
            stop: Row to stop before; beyond the end it is the end.
            chunk: Rows at a time, at most.

        Raises:
            InputError: If something is wrong with the rows; any of ``DAMAGE`` if the file is damaged.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Writer(Protocol):
    """Writes a file chunk by chunk, holding no more than the chunk that it is given."""

    def append(self, chunk: Sample) -> None:
        """Write some more events, of the same columns."""
        ...

    def finish(self) -> None:
        """Make the file complete."""
        ...

    def close(self) -> None:
        """Let go of everything, complete or not."""
        ...


class Format(Protocol):
    """What a module of this folder has."""

    KIND: str
    DAMAGE: tuple[type[Exception], ...]

    def open_file(self, path: str, inside: str) -> Reader:
        """Open a file.

        Args:
            path: Of a file that exists, or an address where the library understands such.
            inside: What is wanted of it: a tree, a group; empty for the only one.

        Raises:
            InputError: If the file has no such tree or group, or several and none is named.
            MissingExtraError: If the package that reads this format is not installed.
        """
        ...


def refuse_inside(kind: str, inside: str) -> None:
    """Refuse to look for something inside a file that is one table.

    Raises:
        InputError: If ``inside`` names something.
    """
    if inside:
        msg = f"{kind} holds one table and nothing named {inside!r}; leave out what follows the colon"
        raise InputError(msg)

"""What the formats that hold arrays have in common: which arrays are columns, and reading their rows in steps."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.features import feature_names, nesting_reason
from pytest_ganvalid.samples.formats import Columns

STEP = 1 << 16  # rows between two starts, where any row could be one
LARGEST = 1 << 25  # bytes that are read at a time, however many rows a chunk has: a row may hold thousands of voxels
VALUES = "values"
"""Name of the only column of an array that has no names."""
_STARTS = 4096  # at most
_NUMBERS, _TEXT = "biuf", "USMm"
_ONE, _TWO = 1, 2  # axes
_UTF8_NAMES = (3, 0)
_PARSER = threading.Lock()  # Python 3.11 may lose count of how deep it is in a literal that it reads in several threads

Blocks = Generator[NDArray[Any], None, None]
Span = tuple[int, int] | None
"""First position along the second axis, and the one after the last; ``None`` for all."""


class Array(Protocol):
    """An array in a file, whose rows can be read in order.

    Attributes:
        dtype: Of its values.
        shape: Events first.
    """

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...

    def blocks(self, start: int, stop: int, step: int, span: Span) -> Blocks:
        """Yield the rows ``start`` to ``stop``, which is not beyond the end, ``step`` at a time.

        Of the second axis, if there is one, only ``span`` is yielded, `cut` from the row where a part of it cannot be
        read alone.
        """
        ...


def cut(rows: NDArray[Any], span: Span) -> NDArray[Any]:
    """Return a part of the second axis."""
    return rows if span is None else rows[:, slice(*span)]


@dataclass(frozen=True, slots=True)
class Part:
    """A column as a part of an array.

    Attributes:
        array: Name of the array.
        of: Makes the column from the rows.
        span: The positions along the second axis that it is made from.
    """

    array: str
    of: Callable[[NDArray[Any]], NDArray[Any] | Entries] = lambda rows: rows
    span: Span = None


class Table:
    """A `formats.Reader` of arrays.

    Arrays of different lengths may lie in one file: then ``rows`` is ``None``, and only arrays of one length can be
    read together.
    """

    def __init__(
        self, arrays: Mapping[str, Array], parts: Mapping[str, Part], reasons: Mapping[str, str], step: int | None
    ) -> None:
        """Take the arrays that columns are made of.

        Args:
            arrays: By name.
            parts: By the name of the column.
            reasons: Other columns; see `formats.Reader`.
            step: Rows between two starts; ``None`` if reading may only begin at the first row.

        Raises:
            InputError: If no column can be read.
        """
        check_readable(parts, reasons)
        self._arrays, self._parts = dict(arrays), dict(parts)
        self.names: tuple[str, ...] = tuple(parts)
        self.refused: Mapping[str, str] = dict(reasons)
        lengths = {arrays[part.array].shape[0] for part in parts.values()}
        self.rows: int | None = lengths.pop() if len(lengths) == 1 else None
        self.starts: Sequence[int] = starts_of(self.rows, step)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        parts = {name: self._parts[name] for name in columns}
        spans = {
            array: _hull([part.span for part in parts.values() if part.array == array])
            for array in dict.fromkeys(part.array for part in parts.values())
        }
        arrays = {name: self._arrays[name] for name in spans}
        end = min(stop, _common_length({name: self._arrays[part.array].shape[0] for name, part in parts.items()}))
        step = step_of(chunk, sum(row_bytes(array.dtype, array.shape) for array in arrays.values()))
        with allocating(), ExitStack() as stack:
            streams = [
                stack.enter_context(closing(array.blocks(start, end, step, spans[name])))
                for name, array in arrays.items()
            ]
            for blocks in zip(*streams, strict=True):
                rows = dict(zip(arrays, blocks, strict=True))
                yield {name: _column(part, rows[part.array], spans[part.array]) for name, part in parts.items()}

    def close(self) -> None:
        """Do nothing: files are open only while they are read."""


def _hull(spans: Sequence[Span]) -> Span:
    """Return the smallest span that contains all of several."""
    bounds = [span for span in spans if span is not None]
    if len(bounds) < len(spans):
        return None
    return min(first for first, _ in bounds), max(last for _, last in bounds)


def _column(part: Part, rows: NDArray[Any], span: Span) -> NDArray[Any] | Entries:
    """Make a column, in this machine's byte order: one value per event, or the entries of each."""
    if part.span is not None:
        first = span[0] if span else 0
        rows = cut(rows, (part.span[0] - first, part.span[1] - first))
    values = part.of(rows)
    if isinstance(values, Entries):
        return values
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def refusal(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str | None:
    """Say why an array is no column, as the end of a sentence; ``None`` if it is one."""
    if dtype.hasobject:
        return "holds objects, which are never unpickled; convert it to numbers or text"
    if not shape:
        return "has the shape (); expected (events,) or (events, features): reshape it"
    if len(shape) > _TWO:
        return nesting_reason(f"shape {shape}")
    if dtype.kind not in (_NUMBERS + _TEXT if len(shape) == _ONE else _NUMBERS):
        return f"has dtype {dtype} and the shape {shape}; expected real numbers: write its parts as columns"
    if not row_bytes(dtype, shape):
        return f"has dtype {dtype} and the shape {shape}, and so no value per event; leave it out"
    return None


def parts_of(array: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[dict[str, Part], dict[str, str]]:
    """Name the columns of an array that is a table by itself.

    Those of a structured array are named after its fields; those of an array of shape (events, columns) ``"0"``,
    ``"1"``, ... after their position; and the one of an array of shape (events,) is called ``"values"``.

    Returns:
        Name -> column, and name -> why it cannot be read.
    """
    if dtype.names and len(shape) == _ONE:
        fields = {name: dtype.fields[name][0] for name in dtype.names}  # type: ignore[index]
        reasons = {name: refusal(field.base, (*shape, *field.shape)) for name, field in fields.items()}
        parts = [
            features(name, array, (*shape, *field.shape), lambda rows, name=name: rows[name])  # type: ignore[misc]
            for name, field in fields.items()
            if not reasons[name]
        ]
        return merged(parts, {name: reason for name, reason in reasons.items() if reason})
    reason = refusal(dtype, shape)
    if reason:
        return {}, {VALUES: reason}
    return features(VALUES if len(shape) == _ONE else "", array, shape), {}


def features(
    name: str, array: str, shape: tuple[int, ...], of: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> dict[str, Part]:
    """Return the columns of an array of one or two axes; see `samples.features`.

    Args:
        name: What its columns are named after.
        array: Name of the array in the file.
        shape: Of the array, or of what is made of it.
        of: Makes it from the rows, if it is but a part of them.
    """
    names = feature_names(name, shape)
    if len(shape) == _ONE:
        return {name: Part(array) if of is None else Part(array, of)}
    if of is None:
        return {column: Part(array, lambda rows: rows[:, 0], (i, i + 1)) for i, column in enumerate(names)}
    return {column: Part(array, lambda rows, i=i: of(rows)[:, i]) for i, column in enumerate(names)}  # type: ignore[misc]


def merged(columns: Iterable[Mapping[str, Part]], reasons: Mapping[str, str]) -> tuple[dict[str, Part], dict[str, str]]:
    """Join the columns of several arrays; two columns of one name are refused."""
    parts: dict[str, Part] = {}
    all_reasons = dict(reasons)
    for array_parts in columns:
        repeated = parts.keys() & array_parts.keys()
        all_reasons |= dict.fromkeys(repeated, "is the name of two columns, one of them of an array; rename one")
        parts |= array_parts
    return {name: part for name, part in parts.items() if name not in all_reasons}, all_reasons


@contextmanager
def allocating() -> Iterator[None]:
    """Turn a lack of memory into damage: a few rows need little, but a damaged file may claim anything.

    Raises:
        ValueError: If the memory does not suffice.
    """
    try:
        yield
    except MemoryError as error:
        msg = f"it would need more memory than there is: {error}"
        raise ValueError(msg) from error


def check_readable(names: Collection[str], reasons: Mapping[str, str]) -> None:
    """Refuse a file of which no column can be read.

    Raises:
        InputError: If there are no ``names``; the message gives the reason for the first column.
    """
    if names:
        return
    name, reason = next(iter(reasons.items()), ("", ""))
    msg = f"column {name!r} {reason}" if reasons else "there are no columns in it; was it written to the end?"
    raise InputError(msg)


def _common_length(lengths: Mapping[str, int]) -> int:
    """Return the number of rows of columns that are read together.

    Raises:
        InputError: If the columns differ in length.
    """
    (first, rows), *others = lengths.items()
    for name, length in others:
        if length != rows:
            msg = (
                f"columns must be of one length; {first!r} has {rows} rows and {name!r} has {length}: name the columns "
                "that belong together"
            )
            raise InputError(msg)
    return rows


def starts_of(rows: int | None, step: int | None) -> Sequence[int]:
    """List the starts, at a distance of ``step`` rows or a multiple of it, beginning with the first row."""
    if not rows or not step:
        return (0,)
    return range(0, rows, step * math.ceil(rows / step / _STARTS))


def row_bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Return the size of a row."""
    return dtype.itemsize * math.prod(shape[1:])


def step_of(chunk: int, size: int) -> int:
    """Return how many rows to read at a time: a chunk, or fewer if they are large."""
    return max(1, min(chunk, LARGEST // max(size, 1)))


def steps(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield where each step begins and ends."""
    for first in range(start, stop, step):
        yield first, min(first + step, stop)


def header_of(file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Read numpy's header of an array, up to where its values begin.

    Returns:
        Kind of the values, shape, and whether the values of a column, and not those of a row, lie next to each other.

    Raises:
        ValueError: If the header cannot be understood.
    """
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        with _PARSER:
            shape, fortran, dtype = read_header(file)
    except Exception as error:  # a header is a Python literal, and can be wrong in as many ways
        msg = f"its header cannot be understood: {error}"
        raise ValueError(msg) from error
    if min(shape, default=0) < 0:
        msg = f"the header has the shape {shape}"
        raise ValueError(msg)
    if version >= _UTF8_NAMES and dtype.names:  # all that this version adds, but numpy has no public function for it
        dtype.names = tuple(name.encode("latin-1").decode("utf-8") for name in dtype.names)
    return dtype, shape, fortran and len(shape) == _TWO


def check_size(dtype: np.dtype[Any], shape: tuple[int, ...], size: int) -> None:
    """Refuse an array that is not as long as its header says.

    Raises:
        ValueError: If the array is shorter or longer.
    """
    expected = dtype.itemsize * math.prod(shape)
    if size != expected and not dtype.hasobject:
        msg = f"the header promises {expected} bytes of values, and there are {size}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array whose values lie in a file as they lie in memory.

    Attributes:
        path: Of the file.
        offset: Byte where the values begin.
        dtype: Of the values.
        shape: Of the array.
        fortran: Whether the values of a column, and not those of a row, lie next to each other.
    """

    path: str
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False

    def blocks(self, start: int, stop: int, step: int, span: Span) -> Blocks:
        """Yield rows; see `Array`."""
        with Path(self.path).open("rb", buffering=0) as file:
            for first, last in steps(start, stop, step):
                yield (
                    self._by_columns(file, first, last, span)
                    if self.fortran
                    else self._by_rows(file, first, last, span)
                )

    def _by_rows(self, file: IO[bytes], first: int, last: int, span: Span) -> NDArray[Any]:
        width = math.prod(self.shape[1:])
        values = self._values(file, first * width, (last - first) * width)
        return cut(values.reshape(last - first, *self.shape[1:]), span)

    def _by_columns(self, file: IO[bytes], first: int, last: int, span: Span) -> NDArray[Any]:
        rows, width = self.shape
        columns = range(*(span or (0, width)))
        return np.stack([self._values(file, i * rows + first, last - first) for i in columns], axis=1)

    def _values(self, file: IO[bytes], position: int, count: int) -> NDArray[Any]:
        """Read values that lie next to each other.

        Raises:
            ValueError: If the file has become shorter.
        """
        file.seek(self.offset + position * self.dtype.itemsize)
        values = np.fromfile(file, self.dtype, count)
        if values.size != count:
            msg = f"it ends after {values.size} of {count} values"
            raise ValueError(msg)
        return values

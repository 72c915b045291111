"""Text tables: a line with the names, then one line per event; also compressed with gzip.

Commas, semicolons, tabs or blanks part the fields, whichever fits the first two lines; a ``#`` may stand in front of
the names. Numbers are read as ``float64``, an empty field as NaN, and the words ``True`` and ``False`` (or ``true`` and
``false``) of a column as 1 and 0. A column is one of text if none of its first fields is a number, and not all are
these words; a number further down is then an error. A last line without a line break is refused: only so can it be
told whether it was cut short.

The standard library and numpy suffice: some million fields a second are read where all are numbers, and a third of that
where there are empty fields or text.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import Columns, refuse_inside
from pytest_ganvalid.samples.formats._arrays import LARGEST, check_readable, step_of

KIND = "CSV"
DAMAGE = (ValueError, EOFError, zlib.error, csv.Error)
_MARKS = (",", ";", "\t")
"""What parts the fields; the empty string stands for any number of blanks."""
_HEAD = 1000  # lines from which to tell numbers from text
_STARTS = "0123456789+-."  # of numbers that are not NaN
_MAX_LINE = 1 << 20  # characters of a line
_WORDS = {"True": 1.0, "true": 1.0, "False": 0.0, "false": 0.0}
_SPACE = 8  # bytes that are needed for one of a line


def open_file(path: str, inside: str) -> Csv:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    return Csv(path)


class Csv:
    """A text table."""

    def __init__(self, path: str) -> None:
        """Read the names and look at the first rows.

        Raises:
            InputError: If the first line holds no names, or one twice.
        """
        self._path = path
        with _opened(path) as file:
            lines = _lines(file)
            header = next(lines, "").removeprefix("#")
            first = [line for line in _batch(lines, _HEAD) if line.strip()]
        _check_line_break(header, 1)
        delimiter = _delimiter(header, first[:1])
        names = [name.strip() for name in _fields(header, delimiter)]
        _check_names(names)
        self._layout = _Layout(delimiter, tuple(names), _text_columns(first, delimiter, len(names)))
        self._length = max((len(line) for line in first), default=1)
        self.names = tuple(name for name in names if name)
        self.refused: Mapping[str, str] = {"": "has no name; name it in the first line"} if "" in names else {}
        self.rows: int | None = None
        self.starts: Sequence[int] = (0,)
        check_readable(self.names, self.refused)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        remaining, step, number = stop - start, step_of(chunk, _SPACE * self._length), 1
        with _opened(self._path) as file:
            source = _lines(file)
            _check_line_break(next(source, ""), 1)
            while remaining > 0 and (lines := _batch(source, min(step, remaining))):
                _check_line_break(lines[-1], number + len(lines))
                rows = self._layout.parsed(lines, number + 1, columns)
                number += len(lines)
                count = len(next(iter(rows.values())))
                remaining -= count
                if count:
                    yield rows

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a line: the delimiter of the fields, their names, and the positions of text."""

    delimiter: str
    names: tuple[str, ...]
    text: frozenset[int]

    def parsed(self, lines: Sequence[str], first: int, columns: Sequence[str]) -> Columns:
        """Read lines.

        Args:
            lines: Lines, of which blank ones are no rows.
            first: Number of the first.
            columns: Names of the columns to read.

        Raises:
            InputError: If a line has more or fewer fields, or a field of a column of numbers is none.
        """
        positions = [self.names.index(name) for name in columns]
        values = self._numbers(lines, positions)
        return dict(zip(columns, self._fields(lines, first, positions) if values is None else values, strict=True))

    def _numbers(self, lines: Sequence[str], positions: list[int]) -> list[NDArray[Any]] | None:
        """Read lines that hold nothing but numbers; ``None`` for others."""
        commas = {len(self.names) - 1}
        if self.delimiter and {line.count(self.delimiter) for line in lines} != commas:
            return None
        if not self.text.isdisjoint(positions) or not all(map(str.strip, lines)):
            return None
        chosen = positions if self.delimiter else None  # all are read where there is nothing to be counted
        try:
            table = np.loadtxt(lines, delimiter=self.delimiter or None, usecols=chosen, ndmin=2, comments=None)
        except ValueError:
            return None
        if chosen is None and table.shape[1] != len(self.names):
            return None
        return [table[:, i].copy() for i in (range(len(positions)) if chosen else positions)]

    def _fields(self, lines: Sequence[str], first: int, positions: list[int]) -> list[NDArray[Any]]:
        """Read lines field by field.

        Raises:
            InputError: If a line has more or fewer fields, a field of a column of numbers is none, or one of text is a
                number.
        """
        numbers = [first + i for i, line in enumerate(lines) if line.strip()]
        if len(self.names) == 1 and len(numbers) < len(lines):
            blank = next(first + i for i, line in enumerate(lines) if not line.strip())
            msg = f"line {blank} is blank; write nan if the number is missing, or take the line out"
            raise InputError(msg)
        rows = _rows([line for line in lines if line.strip()], numbers, self.delimiter)
        for row, number in zip(rows, numbers, strict=True):
            if len(row) != len(self.names):
                msg = f"line {number} has {len(row)} fields; expected {len(self.names)}, as in the first line"
                raise InputError(msg)
        return [
            _as_text([row[i] for row in rows], numbers, self.names[i])
            if i in self.text
            else _as_numbers([row[i] for row in rows], numbers, self.names[i])
            for i in positions
        ]


def _opened(path: str) -> TextIO:
    if path.endswith(".gz"):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
    return Path(path).open(encoding="utf-8-sig")


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file.

    Raises:
        InputError: If a line is too long to be held in memory: the file is no text table then.
    """
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            msg = f"line {number} has more than {_MAX_LINE:,} characters; expected a line for each event: break it up"
            raise InputError(msg)
        yield line


def _batch(lines: Iterator[str], limit: int) -> list[str]:
    """Take at most ``limit`` lines, and fewer where they are long."""
    batch: list[str] = []
    size = 0
    for line in islice(lines, limit):
        batch.append(line)
        size += len(line)
        if size >= LARGEST:
            break
    return batch


def _check_line_break(line: str, number: int) -> None:
    """Refuse a line without a line break.

    Raises:
        InputError: If the line has none.
    """
    if not line.endswith("\n"):
        msg = (
            f"line {number}, the last, does not end with a line break, so that the file may have been cut short; add "
            "one if it is whole"
        )
        raise InputError(msg)


def _check_names(names: Sequence[str]) -> None:
    """Refuse a first line that holds numbers, or a name twice.

    Raises:
        InputError: If the first line does.
    """
    if all(_is_number(name) for name in names):
        msg = f"the first line holds {' '.join(names[:5])!r}; expected the names of the columns: put them there"
        raise InputError(msg)
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        msg = f"{names.count(repeated[0])} columns are named {repeated[0]!r}; rename them"
        raise InputError(msg)


def _delimiter(header: str, first: Sequence[str]) -> str:
    """Return the delimiter of the names.

    Args:
        header: The line with the names.
        first: The first row, if there is one.
    """
    counts = {mark: len(_fields(header, mark)) for mark in _MARKS if mark in header}
    fitting = {mark: count for mark, count in counts.items() if all(len(_fields(row, mark)) == count for row in first)}
    candidates = fitting or counts
    if candidates:
        return max(candidates, key=candidates.__getitem__)
    return "" if len(header.split()) > 1 else _MARKS[0]


def _fields(line: str, delimiter: str) -> list[str]:
    """Split a line into fields; none if it cannot be split."""
    try:
        return next(iter(_rows([line], [0], delimiter)), [])
    except InputError:
        return []


def _rows(lines: Sequence[str], numbers: Sequence[int], delimiter: str) -> list[list[str]]:
    """Split lines into fields.

    Raises:
        InputError: If a quotation mark is left open.
    """
    if not delimiter:
        return [line.split() for line in lines]
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if reader.line_num != len(rows):
                break
    except csv.Error as error:
        msg = f"line {numbers[len(rows)]}: {error}"
        raise InputError(msg) from None
    if len(rows) != len(lines):
        msg = f"line {numbers[len(rows) - 1]}: a quoted field goes on in the next line; write it in one"
        raise InputError(msg)
    return rows


def _text_columns(lines: Sequence[str], delimiter: str, columns: int) -> frozenset[int]:
    """Return the positions of columns of which some fields are filled, and none with a number."""
    rows = [row for row in (_fields(line, delimiter) for line in lines if line.endswith("\n")) if len(row) == columns]
    filled = [[row[i] for row in rows if row[i].strip()] for i in range(columns)]
    return frozenset(i for i, fields in enumerate(filled) if _are_text(fields))


def _are_text(fields: Sequence[str]) -> bool:
    words = [field.strip() in _WORDS for field in fields]
    numbers = (_is_number(field) for field, word in zip(fields, words, strict=True) if not word)
    return bool(fields) and not all(words) and not any(numbers)


def _as_numbers(fields: Sequence[str], numbers: Sequence[int], name: str) -> NDArray[np.float64]:
    """Convert fields.

    Raises:
        InputError: If a field is no number.
    """
    try:
        return np.fromiter(map(_number, fields), np.float64, len(fields))
    except ValueError:
        row = next(i for i, field in enumerate(fields) if not _is_number(field) and field.strip())
        msg = (
            f"line {numbers[row]}, column {name!r}: {fields[row]!r} is not a number; leave the field empty if it "
            "is missing"
        )
        raise InputError(msg) from None


def _as_text(fields: Sequence[str], numbers: Sequence[int], name: str) -> NDArray[np.str_]:
    """Keep fields as they are.

    Raises:
        InputError: If a field is a number: the column may be one of numbers that are missing in the first rows.
    """
    for field, number in zip(fields, numbers, strict=True):
        start = field.lstrip()[:1]
        if start and start in _STARTS and _is_number(field):
            msg = (
                f"line {number}, column {name!r}: {field!r} is a number, but the first {_HEAD} lines have none in this "
                "column, which was taken for text; leave fields empty where a number is missing, or write no numbers "
                "in a column of text"
            )
            raise InputError(msg)
    return np.array(fields, dtype=np.str_)


def _number(field: str) -> float:
    """Return the number in a field, NaN for an empty one.

    Raises:
        ValueError: If the field is no number.
    """
    if not field or field.isspace():
        return math.nan
    if (word := _WORDS.get(field.strip())) is not None:
        return word
    if "_" in field or not field.isascii():  # a number to Python, but to nobody else
        raise ValueError(field)
    return float(field)


def _is_number(field: str) -> bool:
    try:
        _number(field)
    except ValueError:
        return False
    return bool(field.strip())

"""Feather (version 2) and Arrow's files and streams, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import Columns, refuse_inside
from pytest_ganvalid.samples.formats._arrays import allocating, check_readable, steps
from pytest_ganvalid.samples.formats._arrow import column, parted, units_of

KIND = "Arrow"
DAMAGE = (Exception,)  # damaged text, for example, is an "unknown error" to pyarrow
_FILE, _VERSION_1 = b"ARROW1", b"FEA1"
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of a stream


def open_file(path: str, inside: str) -> Feather:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    with allocating():
        return Feather(path)


class Feather:
    """A file whose batches of rows can be read one by one, or a stream, which must be read from its beginning."""

    def __init__(self, path: str) -> None:
        """Read the schema, and where the batches begin.

        Raises:
            InputError: If the file is of version 1, or no column can be read.
            ValueError: If the file is a stream without an end.
            MissingExtraError: If pyarrow is not installed.
        """
        self._pyarrow, self._ipc = (
            imported(name, feature="an Arrow file", extra="hep") for name in ("pyarrow", "pyarrow.ipc")
        )
        self._path = path
        self._stream = _is_stream(path)
        with self._pyarrow.OSFile(path) as source, self._opened(source) as batches:
            schema = batches.schema
            self._locations, self.refused = parted(schema)
            self.units = units_of(schema, self._locations)
            self.names = tuple(self._locations)
            check_readable(self.names, self.refused)
        self._fields = {name: schema.get_field_index(location[0]) for name, location in self._locations.items()}
        self.rows: int | None = None
        self.starts: Sequence[int] = (0,)
        if not self._stream:
            sizes = self._sizes()
            self.rows = sum(sizes)
            self._firsts = [0, *accumulate(sizes)][:-1]
            self.starts = [first for first, size in zip(self._firsts, sizes, strict=True) if size] or (0,)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        remaining = stop - start
        fields = sorted({self._fields[name] for name in columns})
        with allocating(), self._pyarrow.OSFile(self._path) as source, self._opened(source, fields) as batches:
            for batch in self._batches(batches, start):
                batch.validate(full=True)  # a list that ends beyond the memory would end this process
                for first, last in steps(0, min(remaining, batch.num_rows), chunk):
                    rows = batch.slice(first, last - first)
                    yield {
                        name: column(rows[field], name, position)
                        for name, (field, position) in ((name, self._locations[name]) for name in columns)
                    }
                remaining -= batch.num_rows
                if remaining <= 0:
                    return

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _opened(self, source: Any, fields: Sequence[int] = ()) -> Any:  # noqa: ANN401 - pyarrow has no types
        options = self._ipc.IpcReadOptions(included_fields=list(fields), use_threads=False)
        return (self._ipc.open_stream if self._stream else self._ipc.open_file)(source, options=options)

    def _batches(self, batches: Any, start: int) -> Iterator[Any]:  # noqa: ANN401
        if self._stream:
            yield from batches
            return
        for number, first in enumerate(self._firsts):
            if first >= start:
                yield batches.get_batch(number)

    def _sizes(self) -> list[int]:
        """Return the number of rows of each batch, which takes reading a column: the narrowest."""
        with self._pyarrow.OSFile(self._path) as source, self._opened(source) as batches:
            narrowest = min(self._fields.values(), key=lambda i: _bit_width(batches.schema.field(i).type))
        with self._pyarrow.OSFile(self._path) as source, self._opened(source, [narrowest]) as batches:
            return [batches.get_batch(i).num_rows for i in range(batches.num_record_batches)]


def _bit_width(kind: Any) -> int:  # noqa: ANN401
    """Return the width of a type; that of text and lists is unknown, and large."""
    try:
        return int(kind.bit_width)
    except ValueError:
        return 1 << 30


def _is_stream(path: str) -> bool:
    """Tell a stream from a file.

    Raises:
        InputError: If the file is of version 1.
        ValueError: If the file is a stream without an end, which pyarrow would take for a shorter one.
    """
    with Path(path).open("rb") as file:
        head = file.read(len(_FILE))
        if head == _FILE:
            return False
        if head.startswith(_VERSION_1):
            msg = "it is Feather of version 1; write it anew with pyarrow.feather.write_feather"
            raise InputError(msg)
        file.seek(max(0, file.seek(0, 2) - len(_END)))
        if file.read() != _END:
            msg = "it has no end"
            raise ValueError(msg)
    return True

"""Apache Parquet, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid.samples.formats import Columns, refuse_inside
from pytest_ganvalid.samples.formats._arrays import check_readable
from pytest_ganvalid.samples.formats._arrow import column, parted, units_of
from pytest_ganvalid.samples.sample import Sample

KIND = "Parquet"
DAMAGE = (ValueError, NotImplementedError)  # pyarrow's own errors are of these kinds, or OSError
_SMALL = 1 << 26  # bytes of a row group, up to which it is read at once, which is fastest
_BUFFER = 1 << 18  # bytes of a column that are read at a time


def open_file(path: str, inside: str) -> Parquet:
    """Open a file; see `formats.Format`."""
    return Parquet(path, inside)


class Parquet:
    """A Parquet file, whose row groups can be read one by one."""

    def __init__(self, path: str, inside: str) -> None:
        """Read the footer.

        Raises:
            InputError: If ``inside`` names something, or no column can be read.
            MissingExtraError: If pyarrow is not installed.
        """
        refuse_inside(KIND, inside)
        _, parquet = _pyarrow()
        # Or all of a row group would be read from the file before the first rows of it are decoded.
        self._file = parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
        metadata = self._file.metadata
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        sizes = [group.num_rows for group in groups]
        self._small = all(group.total_byte_size <= _SMALL for group in groups)
        self.rows: int | None = metadata.num_rows
        self.starts = [0, *accumulate(size for size in sizes if size)][:-1] or [0]
        self._groups = [i for i, size in enumerate(sizes) if size]
        self._locations, self.refused = parted(self._file.schema_arrow)
        self.units = units_of(self._file.schema_arrow, self._locations)
        self.names = tuple(self._locations)
        check_readable(self.names, self.refused)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        groups = [
            group for group, first in zip(self._groups, self.starts, strict=False) if start <= first < max(stop, 1)
        ]
        remaining = stop - start
        fields = list(dict.fromkeys(self._locations[name][0] for name in columns))
        is_complete = remaining >= sum(self._file.metadata.row_group(group).num_rows for group in groups)
        for batch in self._batches(groups, fields, min(chunk, max(remaining, 1)), at_once=self._small and is_complete):
            rows = batch.slice(0, remaining)
            remaining -= rows.num_rows
            if rows.num_rows:
                yield {
                    name: column(rows[field], name, position)
                    for name, (field, position) in ((name, self._locations[name]) for name in columns)
                }
            del batch, rows  # or they would take memory while the next row group is read
            if remaining <= 0:
                return

    def _batches(self, groups: Sequence[int], columns: list[str], rows: int, *, at_once: bool) -> Iterator[Any]:
        """Yield record batches of so many rows at most."""
        if not at_once:
            yield from self._file.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)
            return
        pyarrow, _ = _pyarrow()
        for group in groups:
            # Column by column: as read from the file, before it is decoded, there is one at a time.
            parts = [self._file.read_row_group(group, [name], use_threads=False).column(0) for name in columns]
            batches = pyarrow.table(parts, names=columns).to_batches(rows)
            del parts
            while batches:
                yield batches.pop(0)

    def close(self) -> None:
        """Close the file, and give back the memory that it took."""
        self._file.close()
        _pyarrow()[0].default_memory_pool().release_unused()


class Writer:
    """Writes one row group per chunk."""

    def __init__(self, path: Path) -> None:
        """Start without columns.

        Args:
            path: Of the file.

        Raises:
            MissingExtraError: If pyarrow is not installed.
        """
        self._pyarrow, self._parquet = _pyarrow()
        self._path = path
        self._writer: Any = None

    def append(self, chunk: Sample) -> None:
        """Write some more events."""
        table = self._pyarrow.table(dict(chunk.columns))
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def finish(self) -> None:
        """Write the footer."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def _pyarrow() -> tuple[Any, Any]:
    pyarrow, parquet = (
        imported(name, feature="a Parquet file", extra="hep") for name in ("pyarrow", "pyarrow.parquet")
    )
    return pyarrow, parquet

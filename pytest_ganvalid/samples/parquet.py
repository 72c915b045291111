"""Apache Parquet, through pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.tables import as_array


def read(path: Path, columns: Sequence[str] | None) -> dict[str, Any]:
    """Read columns.

    Raises:
        InputError: If the file is damaged or lacks a column.
        MissingExtraError: If pyarrow is not installed.
    """
    pyarrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            there = file.schema_arrow.names
            missing = sorted(set(columns or ()) - set(there))
            table: Any = file.read(columns if columns is None else list(columns)) if not missing else None
    except (OSError, ValueError, pyarrow.ArrowException) as error:  # ValueError: names that are no UTF-8
        msg = f"cannot be read as Parquet ({error}); it is damaged, or was cut short, or is something else"
        raise InputError(msg) from error
    if missing:
        msg = f"no column {missing[0]!r}; there are {sorted(there)}"
        raise InputError(msg)
    return {name: as_array(table[name], f"column {name!r}") for name in table.column_names}


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

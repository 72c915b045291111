"""numpy's ``.npz``: a zip archive with one array per column."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.sample import Sample


def read(path: Path, columns: Sequence[str] | None) -> dict[str, NDArray[Any]]:
    """Read columns; nothing is unpickled.

    Raises:
        InputError: If the file is damaged, holds objects, or lacks a column.
    """
    try:
        with path.open("rb") as file:  # numpy leaves it open if it is damaged
            archive = np.load(file, allow_pickle=False)
            names = _names(archive, columns)
            with archive:
                return {name: archive[name] for name in names}
    except InputError:
        raise
    # A damaged archive may also look encrypted (RuntimeError), or compressed in a way that does not exist (likewise).
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        msg = f"cannot be read as .npz ({error}); it is damaged, or was cut short, or is something else"
        raise InputError(msg) from error


def _names(archive: Any, columns: Sequence[str] | None) -> list[str]:  # noqa: ANN401 - whatever numpy loaded
    """Return the names of the columns to read.

    Raises:
        InputError: If the file is no archive, or lacks a column.
    """
    if not isinstance(archive, np.lib.npyio.NpzFile):
        msg = "it is a single array, not an archive of columns; write it with numpy.savez(file, x=array)"
        raise InputError(msg)
    missing = sorted(set(columns or ()) - set(archive.files))
    if missing:
        msg = f"no column {missing[0]!r}; there are {sorted(archive.files)}"
        raise InputError(msg)
    return list(archive.files if columns is None else columns)


class Writer:
    """Writes each column to a file of its own and packs them in the end: an archive has one open member at a time."""

    def __init__(self, path: Path) -> None:
        """Start without columns.

        Args:
            path: Of the archive; the columns wait in the same folder.
        """
        self._path = path
        self._folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=".ganvalid-")
        self._columns: dict[str, tuple[IO[bytes], np.dtype[Any]]] = {}
        self._events = 0

    def append(self, chunk: Sample) -> None:
        """Write some more events.

        Raises:
            InputError: If a column holds objects, which only a pickle could.
        """
        if not self._columns:
            for number, (name, values) in enumerate(chunk.columns.items()):
                if values.dtype.hasobject:
                    msg = f"column {name!r} holds objects (dtype {values.dtype}); expected numbers or text: convert it"
                    raise InputError(msg)
                file: IO[bytes] = (Path(self._folder.name) / str(number)).open("wb+")
                self._columns[name] = file, values.dtype
        for name, (file, dtype) in self._columns.items():
            file.write(np.ascontiguousarray(chunk[name], dtype=dtype).data)
        self._events += len(chunk)

    def finish(self) -> None:
        """Pack the columns."""
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED) as archive:
            for name, (file, dtype) in self._columns.items():
                kind = np.lib.format.dtype_to_descr(dtype)
                header = {"descr": kind, "fortran_order": False, "shape": (self._events,)}
                file.seek(0)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array_header_1_0(member, header)
                    shutil.copyfileobj(file, member, 1 << 20)

    def close(self) -> None:
        """Remove the columns."""
        for file, _ in self._columns.values():
            file.close()
        self._folder.cleanup()

"""numpy's ``.npy``: one array.

The columns of a structured array are named after its fields; those of an array of shape (events, columns) ``"0"``,
``"1"``, ... after their position; and the one of an array of shape (events,) is called ``"values"``.
"""

from __future__ import annotations

from pathlib import Path

from pytest_ganvalid.samples.formats import Reader, refuse_inside
from pytest_ganvalid.samples.formats._arrays import STEP, StoredArray, Table, check_size, header_of, parts_of

KIND = ".npy"
DAMAGE: tuple[type[Exception], ...] = (ValueError,)
_ARRAY = ""


def open_file(path: str, inside: str) -> Reader:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    with Path(path).open("rb") as file:
        dtype, shape, fortran = header_of(file)
        offset = file.tell()
        check_size(dtype, shape, file.seek(0, 2) - offset)
    parts, reasons = parts_of(_ARRAY, dtype, shape)
    return Table({_ARRAY: StoredArray(path, offset, dtype, shape, fortran)}, parts, reasons, STEP)

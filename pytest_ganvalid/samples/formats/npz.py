"""numpy's ``.npz``: a zip archive with one array per column."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import Reader, refuse_inside
from pytest_ganvalid.samples.formats._arrays import (
    STEP,
    Blocks,
    Span,
    StoredArray,
    Table,
    check_size,
    cut,
    features,
    header_of,
    merged,
    refusal,
    steps,
)
from pytest_ganvalid.samples.sample import Sample

KIND = ".npz"
# A damaged archive may also look encrypted (RuntimeError), or compressed in a way that does not exist (likewise).
DAMAGE = (ValueError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error)
_LOCAL = struct.Struct("<4s22xHH")  # zip's header in front of a member: signature, ..., lengths of name and of extras
_SIGNATURE = b"PK\x03\x04"


def open_file(path: str, inside: str) -> Reader:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    _check_archive(path)
    with Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
        members = [_member(path, file, archive, info) for info in archive.infolist()]
    names = [member.name for member in members]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        msg = f"{names.count(repeated)} columns are named {repeated!r}; rename them"
        raise InputError(msg)
    arrays = {member.name: member for member in members if not member.reason}
    step = STEP if all(member.seekable for member in arrays.values()) else None
    reasons = {member.name: member.reason for member in members if member.reason}
    columns = (features(name, name, member.shape) for name, member in arrays.items())
    return Table(arrays, *merged(columns, reasons), step)


@dataclass(frozen=True, slots=True)
class Member:
    """An array in an archive.

    Attributes:
        name: Of the column.
        member: What it is called in the archive.
        stored: Where its values lie, if they are not compressed; otherwise where they would.
        seekable: Whether the values are not compressed, so that reading can begin at any row.
        reason: Why it is no column; empty if it is one.
    """

    name: str
    member: str
    stored: StoredArray
    seekable: bool
    reason: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of the values."""
        return self.stored.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.stored.shape

    def blocks(self, start: int, stop: int, step: int, span: Span) -> Blocks:
        """Yield rows; see `_arrays.Array`."""
        if start or self.stored.fortran:
            yield from self.stored.blocks(start, stop, step, span)
            return
        with zipfile.ZipFile(self.stored.path) as archive, archive.open(self.member) as file:
            header_of(file)
            for first, last in steps(start, stop, step):
                yield cut(self._rows(file, last - first), span)
            if stop >= self.shape[0] and file.read(1):  # only now is the checksum compared
                msg = f"column {self.name!r} goes on after its last row"
                raise ValueError(msg)

    def _rows(self, file: IO[bytes], count: int) -> Any:  # noqa: ANN401 - an array
        size = count * self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        data = file.read(size)
        if len(data) != size:
            msg = f"column {self.name!r} ends in the middle"
            raise EOFError(msg)
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])


def _member(path: str, file: IO[bytes], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    """Read the headers of a member.

    Raises:
        ValueError: If the member is not as long as its headers say; or one of the exceptions of a damaged archive.
    """
    name = info.filename.removesuffix(".npy")
    if name == info.filename:
        empty = StoredArray(path, 0, np.dtype("V1"), (0,))
        return Member(name, name, empty, seekable=False, reason="is not one of numpy's arrays; leave it out")
    with archive.open(info) as stream:
        dtype, shape, fortran = header_of(stream)
        length = stream.tell()
    check_size(dtype, shape, info.file_size - length)
    seekable = info.compress_type == zipfile.ZIP_STORED
    reason = refusal(dtype, shape)
    if fortran and not seekable and not reason:
        reason = "is compressed column by column; write it with numpy.ascontiguousarray"
    offset = _data_offset(file, info) + length
    return Member(name, info.filename, StoredArray(path, offset, dtype, shape, fortran), seekable, reason or "")


def _data_offset(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Return the byte where a member begins.

    Raises:
        ValueError: If no member begins where the archive says.
    """
    file.seek(info.header_offset)
    signature, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
    if signature != _SIGNATURE:
        msg = f"{info.filename!r} does not begin where it should"
        raise ValueError(msg)
    return info.header_offset + _LOCAL.size + int(name) + int(extra)


def _check_archive(path: str) -> None:
    """Refuse a single array.

    Raises:
        InputError: If the file is one.
    """
    with Path(path).open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            msg = (
                "it is a single array, not an archive of columns; write it with numpy.savez(file, x=array), or name "
                "the file .npy"
            )
            raise InputError(msg)


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
            InputError: If a column holds objects, which only a pickle could hold.
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
            with suppress(OSError):  # a full disk has been reported before, and the columns are not needed any more
                file.close()
        self._folder.cleanup()

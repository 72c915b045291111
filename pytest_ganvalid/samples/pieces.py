"""Files of events: what a name, a glob or a list of them stands for, and reading it piece by piece.

``"events.parquet"``, ``"events.root:tree"``, ``"run*.h5:group"``, or a list of such. The suffix says what a file is;
any other name takes the format in front, as in ``"root://host//path/file:tree"`` or ``"csv:events.txt"``.
"""

from __future__ import annotations

import glob
import importlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, absence, placed, suggestion
from pytest_ganvalid.samples import addresses
from pytest_ganvalid.samples.formats import Columns, Format, Reader

READ_FORMATS = {
    ".root": "root",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".npz": "npz",
    ".npy": "npy",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".hepmc": "hepmc",
    ".hepmc3": "hepmc",
    ".hepmc.gz": "hepmc",
    ".hepmc3.gz": "hepmc",
    ".hepmc.xz": "hepmc",
    ".hepmc3.xz": "hepmc",
    ".lhe": "lhe",
    ".lhe.gz": "lhe",
    ".pt": "tensors",
    ".pth": "tensors",
    ".safetensors": "tensors",
}
State = tuple[int, int, int] | None
_REMOTE_FORMATS = frozenset({"root"})  # formats whose library reads addresses by itself
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill")
_SUFFIXES = "|".join(map(re.escape, sorted(READ_FORMATS, key=len, reverse=True)))
_SUFFIX = re.compile(rf"^(?P<path>.*?(?P<suffix>{_SUFFIXES}))(?::(?P<inside>.*))?$", re.DOTALL)
_FORMAT_PREFIX = re.compile(
    rf"^(?P<form>{'|'.join(sorted(set(READ_FORMATS.values())))}):(?!//)(?P<rest>.+)$", re.DOTALL
)


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One file, or one tree or group in it.

    Attributes:
        path: Of the file.
        inside: The tree or group; empty for the only one.
        form: The module of `formats` that reads it.
    """

    path: str
    inside: str
    form: str

    def __str__(self) -> str:
        """Return the name as one would type it."""
        return f"{self.path}:{self.inside}" if self.inside else self.path

    @property
    def state(self) -> State:
        """Size, time of the last change and inode of the file, or what an address tells; ``None`` if there is none."""
        if addresses.is_address(self.path):
            return None if self.form in _REMOTE_FORMATS else addresses.state_of(self.path)
        try:
            status = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ino

    @contextmanager
    def opened(self, state: State = None) -> Iterator[Reader]:
        """Open it for reading.

        Args:
            state: What the file was like when it was looked at first; ``None`` if this is the first time.

        Raises:
            InputError: If the file cannot be read, or changes between the first look and the end of reading; the
                message names it.
            MissingExtraError: If the package that reads the file is not installed.
        """
        form = format_of(self.form)
        initial = self.state if state is None else state
        self.check_unchanged(initial)
        try:
            with self.blamed(form):
                _check_file(self.path)
                in_place = self.form in _REMOTE_FORMATS or not addresses.is_address(self.path)
                reader = form.open_file(self.path if in_place else addresses.copied(self.path), self.inside)
            try:
                yield reader
            finally:
                with suppress(Exception):  # an error before this one matters more
                    reader.close()
        except Exception:
            self.check_unchanged(initial)  # if someone writes to the file, that is the reason
            raise
        self.check_unchanged(initial)

    def check_unchanged(self, initial: State) -> None:
        """Refuse a file that is not what it was.

        Raises:
            InputError: If the size, the time of the last change or the inode of the file differs; that a file is gone
                is said where it is opened.
        """
        current = self.state
        if initial is None or current is None or current == initial:
            return
        sizes = f"{initial[0]:,} bytes then, {current[0]:,} now"
        msg = f"{self}: it changed while it was read ({sizes}); check it again once nothing writes to it any more"
        raise InputError(msg)

    def chunks(self, reader: Reader, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows chunk by chunk; see `formats.Reader`.

        Raises:
            InputError: If the file is damaged or its columns have changed; the message names it and the row.
        """
        self.check_columns(reader, columns)
        form, row = format_of(self.form), start
        blocks = reader.read(columns, start, stop, chunk)
        while True:
            with self.blamed(form, row):
                rows = next(blocks, None)
            if rows is None:
                return
            row += len(next(iter(rows.values())))
            yield rows
            del rows

    def check_columns(self, reader: Reader, columns: Sequence[str]) -> None:
        """Refuse columns that are not there or cannot be read.

        Raises:
            InputError: If a column is not there or cannot be read; the message names it.
        """
        for name in columns:
            if name not in reader.names:
                reason = reader.refused.get(name)
                problem = f"column {name!r} {reason}" if reason else absence("column", name, reader.names)
                msg = f"{self}: {problem}"
                raise InputError(msg)

    @contextmanager
    def blamed(self, form: Format, row: int | None = None) -> Iterator[None]:
        """Turn what goes wrong inside into an error that names the piece, and the row."""
        damage: tuple[type[Exception], ...] = (OSError, *form.DAMAGE)
        place = f"{self}" if row is None else f"{self}: from row {row:,} on"
        try:
            yield
        except GanvalidError as error:
            if isinstance(error, ImportError):
                raise
            msg = f"{self}: {error}"
            raise type(error)(msg) from None
        except MemoryError:
            raise
        except damage as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            causes = "it is damaged, or was cut short, or is something else"
            msg = f"{place}: cannot be read as {form.KIND} ({reason}); {causes}"
            raise InputError(msg) from error


def format_of(form: str) -> Format:
    """Return the module that reads a format."""
    module: Any = importlib.import_module(f"pytest_ganvalid.samples.formats.{form}")
    return module  # type: ignore[no-any-return]


def names_files(events: object) -> bool:
    """Tell whether something is the name of a file, or a list of such."""
    if isinstance(events, str | os.PathLike):
        return True
    return isinstance(events, list | tuple) and bool(events) and all(isinstance(e, str | os.PathLike) for e in events)


def pieces_of(events: object) -> tuple[Piece, ...]:
    """List the files that a name, a glob or a list of them stands for, in order, each once.

    Raises:
        InputError: If a glob matches nothing, a suffix is unknown, or a file is named twice.
        InputTypeError: If ``events`` is anything else.
    """
    if not names_files(events):
        msg = f"a {type(events).__name__} names no files; expected a file name, a glob, or a list of them"
        raise InputTypeError(msg)
    names: Any = events if isinstance(events, list | tuple) else [events]
    pieces = [piece for name in names for piece in _expanded(os.fspath(name))]
    keys: set[tuple[str, str]] = set()
    for piece in pieces:
        remote = addresses.is_address(piece.path)
        key = (addresses.canonical(piece.path) if remote else os.path.realpath(piece.path), piece.inside)
        if key in keys:
            msg = f"{piece}: named twice; every event must be read once"
            raise InputError(msg)
        keys.add(key)
    return tuple(pieces)


def _expanded(name: str) -> list[Piece]:
    form, rest = None, name
    if match := _FORMAT_PREFIX.match(name):
        form, rest = match["form"], match["rest"]
    path, inside, suffix = _split(rest, form)
    form = form or READ_FORMATS.get(suffix)
    if form is None:
        msg = f"{name}: {_suffix_problem(rest)}"
        raise InputError(msg)
    if addresses.is_address(path):
        with placed(name):
            return [Piece(file, inside, form) for file in addresses.expanded(path)]
    if glob.has_magic(path) and not os.path.exists(path):  # noqa: PTH110 - a glob is no path
        files = sorted(glob.glob(os.path.expanduser(path), recursive=True))  # noqa: PTH111, PTH207
        if not files:
            msg = f"{name}: the pattern matches no file; check it, and the folder you are in"
            raise InputError(msg)
        return [Piece(file, inside, form) for file in files]
    return [Piece(os.path.expanduser(path), inside, form)]  # noqa: PTH111


def _split(name: str, form: str | None) -> tuple[str, str, str]:
    """Split a name into file, tree or group, and suffix."""
    if match := _SUFFIX.match(name):
        return match["path"], match["inside"] or "", match["suffix"]
    head, colon, tail = name.rpartition(":")
    if form and colon and len(head) > 1 and not tail.startswith("//"):
        return head, tail, ""
    return name, "", ""


def _suffix_problem(name: str) -> str:
    suffix = "".join(Path(name).suffixes[-1:])
    if suffix in _PICKLES:
        return "a pickle is a program and not data: it is not read; write the columns with numpy.savez or as Parquet"
    if os.path.isdir(name):  # noqa: PTH112
        return "this is a folder; expected a file, or a pattern such as folder/*.parquet"
    suffixes = ", ".join(READ_FORMATS)
    forms = ", ".join(sorted(set(READ_FORMATS.values())))
    guess = suggestion(suffix, READ_FORMATS)
    return (
        f"the suffix {suffix!r} is not known{guess}; expected one of {suffixes}, or one of {forms} in front: "
        "csv:events.txt"
    )


def _check_file(path: str) -> None:
    """Refuse what is no file.

    Raises:
        InputError: If the file does not exist, is a folder, or is empty.
    """
    if addresses.is_address(path):
        addresses.check_address(path)
        return
    if os.path.isdir(path):  # noqa: PTH112
        msg = f"this is a folder; expected a file, or a pattern such as {os.path.join(path, '*')}"  # noqa: PTH118
        raise InputError(msg)
    if not os.path.isfile(path):  # noqa: PTH113
        msg = "there is no such file; check the name, and the folder you are in"
        raise InputError(msg)
    if not os.path.getsize(path):  # noqa: PTH202
        msg = "the file is empty (0 bytes); was it written to the end?"
        raise InputError(msg)

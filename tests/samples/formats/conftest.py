"""What holds for the files of every format."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.entries import concatenated
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.pieces import pieces_of

Read = Callable[..., Columns]
MUTATIONS = 200
_SURVIVES = f"""
import sys
from pathlib import Path

import numpy as np

from pytest_ganvalid import InputError
from pytest_ganvalid.samples.files import read_events

path, rng = Path(sys.argv[1]), np.random.default_rng(5)
content, refused = path.read_bytes(), 0
for number in range({MUTATIONS}):
    damaged = bytearray(content)
    damaged[rng.integers(len(content))] ^= int(rng.integers(1, 256))
    path.write_bytes(damaged)
    print("mutation", number, file=sys.stderr, flush=True)
    try:
        read_events(str(path))
    except InputError:
        refused += 1
print({MUTATIONS} - refused, refused)
"""


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        """Choose the folder."""
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        """Make it."""
        return os.mkdir, (str(self._folder),)


class Checks:
    """What holds for the files of every format."""

    Bomb = Bomb

    @staticmethod
    def read(
        name: object,
        columns: Sequence[str] | None = None,
        start: int = 0,
        stop: int = sys.maxsize,
        chunk: int = 1 << 18,
    ) -> Columns:
        """Read a file and join the chunks; no columns if there are no rows."""
        (piece,) = pieces_of(name)
        with piece.opened() as reader:
            wanted = reader.names if columns is None else columns
            parts = list(piece.chunks(reader, wanted, start, stop, chunk))
        assert all(0 < len(values) <= chunk for part in parts for values in part.values())
        assert all(list(part) == list(wanted) for part in parts)
        return {name: concatenated([part[name] for part in parts]) for name in (parts[0] if parts else ())}

    @staticmethod
    def columns(expected: Columns) -> Columns:
        """Name a column for each place of the second axis of arrays that have one."""
        columns: Columns = {}
        for name, values in expected.items():
            two = isinstance(values, np.ndarray) and values.ndim > 1
            columns |= {f"{name}.{i}": v for i, v in enumerate(np.asarray(values).T)} if two else {name: values}
        return columns

    @classmethod
    def same(cls, found: Columns, expected: Columns) -> None:
        """Compare columns to the last bit, apart from byte order and the length of text."""
        expected = cls.columns(expected)
        assert list(found) == list(expected)
        for name, values in expected.items():
            one, two = found[name], values
            if isinstance(two, Entries):
                assert isinstance(one, Entries)
                np.testing.assert_array_equal(one.counts, two.counts)
                one, two = one.values, two.values
            assert isinstance(one, np.ndarray)
            assert one.dtype.isnative
            if two.dtype.kind in "biuf":
                assert one.dtype == two.dtype.newbyteorder("=")
            np.testing.assert_array_equal(one, two)

    @classmethod
    def any_rows(cls, name: object, expected: Columns, least: int = 1) -> None:
        """Whatever the chunk, and wherever reading starts and stops, the rows are the same."""
        expected = cls.columns(expected)
        (piece,) = pieces_of(name)
        with piece.opened() as reader:
            starts, rows = list(reader.starts), reader.rows
            assert tuple(reader.names) == tuple(expected)
        events = len(next(iter(expected.values())))
        assert rows in {None, events}
        assert starts[0] == 0
        assert starts == sorted(set(starts))
        assert len(starts) >= least
        for chunk in (1, 3, 7, events, 10 * events):
            for start in {starts[0], starts[len(starts) // 2], starts[-1]}:
                for stop in {start + 1, start + 5, events, sys.maxsize}:
                    found = cls.read(name, start=start, stop=stop, chunk=chunk)
                    cls.same(found, {column: values[start:stop] for column, values in expected.items()})
        some = list(expected)[::-2]
        cls.same(cls.read(name, some), {column: expected[column] for column in some})

    @classmethod
    def cut_short(cls, path: Path, shares: Sequence[float] = (0.0, 0.01, 0.2, 0.5, 0.8, 0.95, 0.999)) -> None:
        """A file that was cut short anywhere is refused, and the message names it."""
        content = path.read_bytes()
        for share in shares:
            path.write_bytes(content[: min(int(share * len(content)), len(content) - 1)])
            with pytest.raises(InputError) as caught:
                cls.read(path)
            assert str(caught.value).startswith(f"{path}: ")

    @classmethod
    def garbage(cls, path: Path) -> None:
        """A file of something else is refused, and the message names it."""
        for content in (b"hello, this is no such thing", bytes(range(256)) * 20, b"\0" * 1000, b"\x80\x04N."):
            path.write_bytes(content)
            with pytest.raises(InputError) as caught:
                cls.read(path)
            assert str(caught.value).startswith(f"{path}: ")

    @classmethod
    def missing_column(cls, name: object) -> None:
        """A column that is not there is refused with those that are."""
        with pytest.raises(InputError, match=r"no column 'zzz'; there are \["):
            cls.read(name, ["zzz"])

    @classmethod
    def changed(cls, path: Path, content: bytes, position: int, value: int) -> None:
        """With a byte changed, the file is read or refused, and nothing else happens."""
        damaged = bytearray(content)
        damaged[position % len(content)] ^= value
        path.write_bytes(damaged)
        try:
            cls.read(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017 - it need not be refused

    @staticmethod
    def survives(path: Path) -> None:
        """Wherever bytes of a file are changed, it is read or refused, and no signal ends the process."""
        done = subprocess.run(
            [sys.executable, "-c", _SURVIVES, str(path)], capture_output=True, check=False, timeout=100
        )
        assert done.returncode == 0, done.stderr[-2000:].decode(errors="replace")
        read, refused = map(int, done.stdout.split()[-2:])  # HepMC prints what it finds
        assert read + refused == MUTATIONS
        assert refused


@pytest.fixture(scope="session")
def checks() -> type[Checks]:
    """Return what is to be checked of any format."""
    return Checks

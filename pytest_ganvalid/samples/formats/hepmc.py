"""HepMC's ASCII files of versions 3 and 2, through pyhepmc; also compressed with gzip or xz.

Per event: ``weight``, the first one (1 if there is none); ``weight_NAME``, the others that have a name;
``event_number``; and ``n_particles``, the number of final-state particles (status 1). Per final-state particle:
``pdg_id``, ``px``, ``py``, ``pz``, ``e``, ``pt``, ``mass`` in GeV, ``eta`` and ``phi``.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import zlib
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import IO, Any

import numpy as np

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import refuse_inside
from pytest_ganvalid.samples.formats._particles import DERIVED, FINAL, STORED, EventByEvent

KIND = "HepMC"
DAMAGE = (ValueError, RuntimeError, EOFError, zlib.error, lzma.LZMAError, AssertionError)
_WEIGHT = "is a weight of the events, which is applied where weight= names it"
_EVENT = ("weight", "event_number", "n_particles")
_STORED = {"pdg_id": "pid", "px": "px", "py": "py", "pz": "pz", "e": "e", "mass": "generated_mass"}
_VERSIONS = {
    b"HepMC::Asciiv3": ("HepMC3", b"HepMC::Asciiv3-END_EVENT_LISTING"),
    b"HepMC::IO_GenEvent": ("HepMC2", b"HepMC::IO_GenEvent-END_EVENT_LISTING"),
}
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
_MEV = 1e-3  # GeV
_HEAD = 256  # bytes that the version is looked for in
_BLOCK = 1 << 20  # bytes


def open_file(path: str, inside: str) -> HepMC:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    return HepMC(path)


class HepMC(EventByEvent):
    """A file of generated events."""

    def __init__(self, path: str) -> None:
        """Read the first event, which knows the names of the weights.

        Raises:
            ValueError: If the file is of another kind.
            MissingExtraError: If pyhepmc is not installed.
        """
        self._pyhepmc = imported("pyhepmc", feature="a HepMC file", extra="hepmc")
        self._path = path
        with closing(self._events()) as events:
            first = next(events, None)
        weights = [] if first is None else _weight_names(first)
        self._weights = {f"weight_{name}": i for i, name in enumerate(weights) if i and name}
        self.names = (*_EVENT, *self._weights, *STORED, *DERIVED)
        self.unrequested = {"event_number": "numbers the events"} | dict.fromkeys(("weight", *self._weights), _WEIGHT)
        self.infinite = frozenset({"eta"})  # along the beam

    def _append(self, columns: dict[str, list[Any]], event: Any, row: int) -> int:  # noqa: ANN401
        """Add an event to the values of columns, and return how many bytes that took."""
        particles = event.numpy.particles
        final = particles.status == FINAL
        unit = _MEV if event.momentum_unit == self._pyhepmc.Units.MEV else 1.0
        size = 0
        for name, values in columns.items():
            if name in _STORED:
                stored = getattr(particles, _STORED[name])[final]
                values.append(stored * unit if stored.dtype.kind == "f" else stored.copy())
                size += values[-1].nbytes
            elif name == "n_particles":
                values.append(np.count_nonzero(final))
            elif name == "event_number":
                values.append(event.event_number)
            else:
                values.append(self._weight(event.weights, name, row))
        return size

    def _weight(self, weights: Sequence[float], name: str, row: int) -> float:
        """Return a weight of an event.

        Raises:
            InputError: If the event has no such weight.
        """
        position = self._weights.get(name, 0)
        if not position and not len(weights):
            return 1.0
        if position >= len(weights):
            msg = f"event {row} has {len(weights)} weights, and so no {name!r}; the first event has it"
            raise InputError(msg)
        return float(weights[position])

    def _events(self) -> Generator[Any, None, None]:
        """Yield the events.

        Raises:
            ValueError: If the file is of another kind, an event in it cannot be read, or its end is missing.
        """
        opener = next((o for suffix, o in _OPENERS.items() if self._path.endswith(suffix)), open)
        with opener(self._path, "rb") as file:
            head = file.read(_HEAD)
            version = next((version for mark, version in _VERSIONS.items() if mark in head), None)
            if version is None:
                msg = "it does not begin like an ASCII file of version 2 or 3"
                raise ValueError(msg)
            file.seek(0)
            stream = _CountingFile(_Version2(file) if version[0] == "HepMC2" else file)
            count = 0
            with self._pyhepmc.open(stream, format=version[0]) as events:
                for event in events:
                    count += 1
                    yield event
            stream.check(count, version[1])


class _Version2:
    """A file of version 2 without the lines that end the process in HepMC3's reader.

    The process ends where an event has other vertices than it says, or a vertex other particles; and where a vertex
    that nothing comes into has a weight, or is said to be that of the signal, of which no column is made. Lines are
    ``E number interactions scale alpha_qcd alpha_qed process signal_vertex vertices ...``, ``V barcode id x y z ctau
    orphans outgoing weights ...``, and ``P ...`` for each particle.
    """

    _WEIGHTS = re.compile(rb"^(V(?:[ \t]+[^ \t\r\n]+){8})[ \t]+[^ \t\r\n][^\r\n]*", re.MULTILINE)
    _SIGNAL = re.compile(rb"^(E(?:[ \t]+[^ \t\r\n]+){6})[ \t]+[^ \t\r\n]+", re.MULTILINE)
    _PARTS = re.compile(rb"^(?:E(?:[ \t]+\S+){7}[ \t]+(\d+)|V(?:[ \t]+\S+){6}[ \t]+(\d+)[ \t]+(\d+)|P)\s", re.MULTILINE)
    _UNKNOWN_LINE = re.compile(rb"^(?![EVP][ \t]|[NUHCF][ \t]|HepMC::|\s*$)[^\r\n]*", re.MULTILINE)

    def __init__(self, file: IO[bytes]) -> None:
        """Begin where the file is."""
        self._file = file
        self._lines = self._rest = b""
        self._vertices = self._particles = 0  # that are still to come in this event, and of this vertex

    def read(self, size: int) -> bytes:
        """Read some bytes.

        Raises:
            ValueError: If a line is longer than any of an event, or vertices or particles differ from their numbers.
        """
        while not self._lines:
            block = self._file.read(_BLOCK)
            text = self._rest + block
            end = text.rfind(b"\n") + 1 if block else len(text)
            if len(text) - end > 2 * _BLOCK:
                msg = f"a line of it has more than {2 * _BLOCK:,} bytes"
                raise ValueError(msg)
            lines, self._rest = text[:end], text[end:]
            self._count(lines)
            self._lines = self._SIGNAL.sub(rb"\1 0", self._WEIGHTS.sub(rb"\1 0", lines))
            if not block:
                break
        data, self._lines = self._lines[:size], self._lines[size:]
        return data

    def _count(self, lines: bytes) -> None:
        """Compare vertices and particles with the numbers of them.

        Raises:
            ValueError: If vertices or particles are more or fewer, or a line is none of an event.
        """
        line = self._UNKNOWN_LINE.search(lines)
        if line:
            msg = f"a line of it is none of an event: {line.group()[:40]!r}"
            raise ValueError(msg)
        for part in self._PARTS.finditer(lines):
            kind = part.group()[:1]
            if kind == b"P":
                self._particles -= 1
                mismatch = self._particles < 0
            else:
                mismatch = self._particles != 0
                if kind == b"V":
                    self._vertices -= 1
                    self._particles = int(part.group(2)) + int(part.group(3))
                    mismatch |= self._vertices < 0
                else:
                    mismatch |= self._vertices != 0
                    self._vertices = int(part.group(1))
            if mismatch:
                msg = "an event has other vertices than it says, or a vertex other particles"
                raise ValueError(msg)


class _CountingFile(io.BufferedIOBase):
    """A file that counts the events and keeps the end of what is read: HepMC does not tell an error from the end."""

    def __init__(self, file: IO[bytes] | _Version2) -> None:
        """Begin where the file is."""
        self._file = file
        self._events = 0
        self._tail = b"\n"
        self._error = ""  # pyhepmc takes an error for the end

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes."""
        try:
            data = b"" if self._error else self._file.read(_BLOCK if size is None or size < 0 else size)
        except ValueError as error:
            data, self._error = b"", str(error)
        self._events += (self._tail[-2:] + data).count(b"\nE ")
        self._tail = (self._tail + data)[-_HEAD:]
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Read some bytes."""
        return self.read(size)

    def check(self, count: int, mark: bytes) -> None:
        """Refuse a file that does not end as it should, or in which an event was not understood.

        Args:
            count: Number of events that were read.
            mark: What the file ends with.

        Raises:
            ValueError: If the file does not end so, or an event was not understood.
        """
        while self.read(_BLOCK):
            pass
        if self._error:
            raise ValueError(self._error)
        if not self._tail.rstrip().endswith(mark):
            msg = f"it does not end with {mark.decode()}"
            raise ValueError(msg)
        if count != self._events:
            msg = f"event {count} of {self._events} cannot be read, or has no particles"
            raise ValueError(msg)


def _weight_names(event: Any) -> list[str]:  # noqa: ANN401
    try:
        return list(event.weight_names)
    except RuntimeError:  # there are none
        return []

"""Les Houches event files, through pylhe; also compressed with gzip.

Per event: ``weight``, that of the event (XWGTUP); ``weight_NAME``, those of ``<rwgt>`` or ``<weights>``; and
``n_particles``, the number of outgoing particles (status 1). Per outgoing particle: ``pdg_id``, ``px``, ``py``, ``pz``,
``e``, ``pt``, ``mass`` in GeV, ``eta`` and ``phi``.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Generator
from contextlib import closing
from typing import IO, Any

import numpy as np

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import refuse_inside
from pytest_ganvalid.samples.formats._particles import DERIVED, FINAL, STORED, EventByEvent

KIND = "LHE"
DAMAGE = (Exception,)  # pylhe takes the text of an event at its word, and fails in as many ways as there are texts
_EVENT = ("weight", "n_particles")
_ATTRIBUTES = {"pdg_id": "id", "px": "px", "py": "py", "pz": "pz", "e": "e", "mass": "m"}
_BLOCK = 1 << 16  # bytes
_TAIL = 256  # bytes


def open_file(path: str, inside: str) -> Lhe:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    return Lhe(path)


class Lhe(EventByEvent):
    """A file of the events of a matrix-element generator."""

    def __init__(self, path: str) -> None:
        """Read the first event, which knows the names of the weights.

        Raises:
            ValueError: If the file is of another kind.
            MissingExtraError: If pylhe is not installed.
        """
        self._pylhe = imported("pylhe", feature="an LHE file", extra="lhe")
        self._path = path
        with closing(self._events()) as events:
            first = next(events, None)
        self._weights = {} if first is None else {f"weight_{name}": name for name in first.weights}
        self.names = (*_EVENT, *self._weights, *STORED, *DERIVED)

    def _append(self, columns: dict[str, list[Any]], event: Any, row: int) -> int:  # noqa: ANN401 - of pylhe
        """Add an event to the values of columns, and return how many bytes that took."""
        final = [particle for particle in event.particles if particle.status == FINAL]
        size = 0
        for name, values in columns.items():
            if name in _ATTRIBUTES:
                kind = np.int32 if name == "pdg_id" else np.float64
                values.append(np.array([getattr(particle, _ATTRIBUTES[name]) for particle in final], dtype=kind))
                size += values[-1].nbytes
            elif name == "n_particles":
                values.append(len(final))
            else:
                values.append(event.eventinfo.weight if name == "weight" else self._weight(event, name, row))
        return size

    def _weight(self, event: Any, name: str, row: int) -> float:  # noqa: ANN401
        """Return a named weight of an event.

        Raises:
            InputError: If the event has no such weight.
        """
        weight = event.weights.get(self._weights[name])
        if weight is None:
            msg = f"event {row} has no {name!r}, which the first event has; write it for all, or leave that column out"
            raise InputError(msg)
        return float(weight)

    def _events(self) -> Generator[Any, None, None]:
        """Yield the events.

        Raises:
            ValueError: If an event cannot be read or has other particles than it says, or the end is missing.
        """
        count = 0
        opener: Any = gzip.open if self._path.endswith(".gz") else open
        with opener(self._path, "rb") as file:
            stream = _CountingFile(file)
            for event in self._pylhe.LHEFile.frombuffer(stream).events:
                if event.eventinfo.nparticles != len(event.particles):
                    msg = f"event {count} has {len(event.particles)} particles and says {event.eventinfo.nparticles}"
                    raise ValueError(msg)
                count += 1
                yield event
            stream.check(count)


class _CountingFile(io.BufferedIOBase):
    """A file that counts the events and keeps its end: pylhe ends with a warning where it cannot go on."""

    _BEGIN = b"</init>"  # before it the cards of generators may have anything in them
    _EVENT = re.compile(rb"<event[\s/>]")
    _END = re.compile(rb"</LesHouchesEvents\s*>\s*(?:<!--(?:(?!--).)*-->\s*)*\Z", re.DOTALL)

    def __init__(self, file: IO[bytes]) -> None:
        """Begin where the file is."""
        self._file = file
        self._begun = False
        self._events = 0
        self._rest = self._tail = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes."""
        data = self._file.read(_BLOCK if size is None or size < 0 else size)
        self._tail = (self._tail + data)[-_TAIL:]
        text = self._rest + data
        if not self._begun and self._BEGIN in text:
            self._begun, text = True, text.partition(self._BEGIN)[2]
        if self._begun:
            self._events += len(self._EVENT.findall(text))
        self._rest = text[-len(self._BEGIN) + 1 :]  # shorter by one than the longest text that is searched for
        return data

    def check(self, count: int) -> None:
        """Refuse a file that does not end as it should, or in which an event was not understood.

        Args:
            count: Number of events that were read.

        Raises:
            ValueError: If the file does not end so, or an event was not understood.
        """
        while self.read(_BLOCK):
            pass
        if not self._END.search(self._tail):
            msg = "it does not end with </LesHouchesEvents>"
            raise ValueError(msg)
        if count != self._events:
            msg = f"event {count} of {self._events} cannot be read"
            raise ValueError(msg)

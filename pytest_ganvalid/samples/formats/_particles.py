"""What the formats of generated events have in common: columns of the final-state particles of each event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.formats._arrays import LARGEST

STORED = ("pdg_id", "px", "py", "pz", "e", "mass")
"""Columns of particles that the files have."""
DERIVED = {"pt": ("px", "py"), "eta": ("px", "py", "pz"), "phi": ("px", "py")}
"""Derived columns of particles -> the stored columns that they are derived from."""
FINAL = 1
"""Status of a particle of the final state."""


class EventByEvent(ABC):
    """A file that is read event by event, from its beginning; see `formats.Reader`.

    Attributes:
        names: Columns that can be read.
        refused: None: other contents of the file are left out.
        rows: ``None``: only reading to the end can tell.
        starts: The beginning.
    """

    names: tuple[str, ...]
    refused: Mapping[str, str] = MappingProxyType({})
    rows: int | None = None
    starts: Sequence[int] = (0,)

    def read(self, columns: Sequence[str], start: int, stop: int, chunk: int) -> Iterator[Columns]:
        """Yield rows; see `formats.Reader`."""
        parts = stored_columns(columns)
        values: dict[str, list[Any]] = {name: [] for name in parts}
        size = events = 0
        with closing(self._events()) as source:
            for number, event in enumerate(islice(source, stop - start)):
                size += self._append(values, event, number)
                events += 1
                if events >= chunk or size >= LARGEST:
                    yield {name: column(values, name) for name in columns}
                    values, size, events = {name: [] for name in parts}, 0, 0
        if events:
            yield {name: column(values, name) for name in columns}

    def close(self) -> None:  # noqa: B027 - there is nothing to do, and nothing to add
        """Do nothing: the file is open only while it is read."""

    @abstractmethod
    def _events(self) -> Generator[Any, None, None]:
        """Yield the events."""

    @abstractmethod
    def _append(self, columns: dict[str, list[Any]], event: Any, row: int) -> int:  # noqa: ANN401 - of any library
        """Add an event to the values of columns, and return how many bytes that took."""


def stored_columns(columns: Sequence[str]) -> set[str]:
    """Return the stored columns that some columns are made from."""
    return {part for name in columns for part in DERIVED.get(name, (name,))}


def column(values: Mapping[str, Sequence[Any]], name: str) -> NDArray[Any] | Entries:
    """Return a column of events: one value for each, or the values of the particles of each.

    Args:
        values: Column of `stored_columns` -> a number, or an array, for each event.
        name: Of the column.
    """
    if name not in STORED and name not in DERIVED:
        return np.array(values[name])
    parts = values[DERIVED[name][0] if name in DERIVED else name]
    counts = np.array([len(part) for part in parts], dtype=np.intp)
    stored = [np.concatenate(values[part]) for part in DERIVED.get(name, (name,))]
    return Entries(_derived(name, stored) if name in DERIVED else stored[0], counts)


def _derived(name: str, momentum: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return transverse momentum, azimuth or pseudorapidity, which is infinite along the beam."""
    x, y = momentum[:2]
    if name == "phi":
        return np.arctan2(y, x)
    pt = np.hypot(x, y)
    if name == "pt":
        return pt
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.arcsinh(momentum[2] / pt)

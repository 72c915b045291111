"""A bounded sample of the rows of a source, drawn by a number that each row has.

If rows are numbered by their place, the sample is one from all over the source, and bins can be chosen from it. If they
are numbered by their values, equal rows of two sources are both in their samples or in neither, and copies are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.digests import LARGEST, mix
from pytest_ganvalid.samples.entries import concatenated
from pytest_ganvalid.samples.formats import Columns

SIZE = 1 << 20
"""Rows of a sample, at most."""
SOME = 1 << 18
"""Rows of a sample of more than those: enough to choose bins, whose contents are then off by 1 in 70 at 50 bins."""
_HELD = 64  # parts of a sample, from which on they are joined
_PARTS = 256  # of a source, at most, that are looked into


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A sample of the rows of some parts of a source; those of other parts add up.

    Attributes:
        total: Number of rows that it stands for.
        size: Rows to keep, at most.
        parts: Those kept, in parts: columns, and numbers of shape (rows,).
        limit: Rows with numbers up to it are kept.
    """

    total: int
    size: int
    parts: tuple[tuple[Columns, NDArray[np.uint64]], ...]
    limit: int = LARGEST

    @classmethod
    def of(
        cls, columns: Columns, keys: NDArray[np.uint64], size: int, total: int | None = None, limit: int = LARGEST
    ) -> Spread:
        """Start from some rows.

        Args:
            columns: The rows.
            keys: Their numbers, evenly spread over 64 bits, shape (rows,).
            size: Rows to keep, at most.
            total: How many rows they stand for, if others have been left out.
            limit: Those with larger numbers have been left out.
        """
        return cls(keys.size if total is None else total, size, ((columns, keys),), limit).bounded()

    @property
    def kept(self) -> int:
        """Number of rows kept."""
        return sum(keys.size for _, keys in self.parts)

    @property
    def columns(self) -> Columns:
        """The rows kept."""
        return joined([columns for columns, _ in self.parts])

    def __add__(self, other: Spread) -> Spread:
        """Add a sample of other rows."""
        limit = min(self.limit, other.limit)
        parts = self.thinned(limit).parts + other.thinned(limit).parts
        if len(parts) > _HELD:
            parts = ((joined([columns for columns, _ in parts]), np.concatenate([keys for _, keys in parts])),)
        return Spread(self.total + other.total, self.size, parts, limit).bounded()

    def thinned(self, limit: int) -> Spread:
        """Keep the rows with numbers up to a limit."""
        if limit >= self.limit:
            return self
        parts = []
        for columns, keys in self.parts:
            kept = keys <= np.uint64(limit) if limit else np.zeros(keys.size, dtype=bool)
            chosen: Columns = {name: values[kept] for name, values in columns.items()}
            parts.append((chosen, keys[kept]))
        return Spread(self.total, self.size, tuple(parts), limit)

    def bounded(self) -> Spread:
        """Lower the limit until the rows are not too many."""
        limit = self.limit
        if self.kept > self.size:
            keys = np.concatenate([keys for _, keys in self.parts])
            while limit and np.count_nonzero(keys <= np.uint64(limit)) > self.size:
                limit //= 2
        return self.thinned(limit)


def spread_part(
    part: Any,  # noqa: ANN401
    number: int,
    columns: Sequence[str],
    size: int,
    chunk: int,
    limit: int = LARGEST,
    tick: Callable[[int], None] = lambda _: None,
) -> Spread | None:
    """Read a part to its end and sample its rows; ``None`` if it has none.

    Args:
        part: A `sources.Part`.
        number: Its number.
        columns: Which to read.
        size: Rows to keep, at most.
        chunk: Rows to read at a time.
        limit: Rows whose numbers are larger are left out, so that parts of a long source do not keep so many each.
        tick: Is told the number of rows of each chunk.
    """
    found: Spread | None = None
    first = 0
    for rows in part.chunks(columns, chunk):
        keys = _by_place(number, first, len(next(iter(rows.values()))))
        one = Spread.of(rows, keys, size).thinned(limit)
        found = one if found is None else found + one
        first += keys.size
        tick(keys.size)
    return found


def _by_place(part: int, first: int, rows: int) -> NDArray[np.uint64]:
    """Number rows by their place, at random."""
    keys = np.arange(first, first + rows, dtype=np.uint64) + (np.uint64(part) << np.uint64(40))
    mix(keys)
    return keys


def heads(parts: Sequence[Any], size: int) -> list[Any]:
    """Return the first rows of parts from all over a source, in proportion to their size.

    Args:
        parts: Those of a seekable source.
        size: Rows in all, about.

    Returns:
        Parts; all of them whole if there are not more rows than ``size``, or else about `SOME` rows.
    """
    total = sum(part.rows for part in parts)
    if total <= size:
        return list(parts)
    size = min(size, SOME)
    chosen = parts if len(parts) <= _PARTS else [parts[i * len(parts) // _PARTS] for i in range(_PARTS)]
    among = sum(part.rows for part in chosen)
    return [part.head(max(1, min(part.rows, size * part.rows // among))) for part in chosen]


def joined(chunks: Sequence[Columns]) -> Columns:
    """Join rows of the same columns."""
    return {name: concatenated([chunk[name] for chunk in chunks]) for name in chunks[0]}

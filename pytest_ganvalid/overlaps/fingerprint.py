"""The rows of a sample in kilobytes: enough to find them in another sample.

The rows with the smallest digests, with the number of times each occurs, are a fair sample of the distinct rows: the
bottom-k sketch (Bar-Yossef et al., RANDOM 2002; Beyer et al., SIGMOD 2007). Any other sample thins out to the same
rows, by keeping those with digests up to the largest of the sketch, so that any question about two whole samples can
be answered from these. Sketches add up exactly. While events are read a sketch is large; it is cut when it is stored.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError, InputTypeError, placed
from pytest_ganvalid.overlaps.chance import poisson_upper
from pytest_ganvalid.overlaps.digests import (
    DOUBLE,
    LARGEST,
    PRECISIONS,
    Column,
    Digests,
    Distinct,
    Words,
    is_numeric,
    leading,
    row_digests,
    row_hashes,
)
from pytest_ganvalid.overlaps.key import Key, key_columns, key_of
from pytest_ganvalid.samples.pieces import names_files
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import file_source
from pytest_ganvalid.samples.tables import as_sample

SIZE = 1 << 20
"""Maximum number of rows of a sketch while events are read."""
STORED = 4096
"""Maximum number of rows of a stored sketch."""
_KIND, _VERSION = "fingerprint", 2
_MAX_EVENTS = 2**62
_PIECES = 64  # of a sketch, above which they are joined
_START = 1.5  # rows kept at first over those stored, so that the last of these is always among them
_CHUNK = 1 << 18  # rows of a file at a time
_RARE = 1e-6  # probability with which a limit of how rarely rows agree is too low


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Values of the fine columns of some rows, in the order in which they were read: few of them are ever looked at.

    Attributes:
        blocks: Arrays of values, one for each fine column, of the events of each chunk, one chunk after the other.
        at: Positions of the rows in all of them.
    """

    blocks: tuple[tuple[NDArray[np.float64], ...], ...]
    at: NDArray[np.uint32]

    @classmethod
    def joined(cls, parts: Sequence[_Values], rows: NDArray[np.intp]) -> _Values:
        """Join values, and select rows of them; what a column held is copied if some of it is not needed."""
        sizes = np.cumsum([0, *(part.events for part in parts)])
        at = np.concatenate([part.at + np.uint32(size) for part, size in zip(parts, sizes, strict=False)])
        values = cls(tuple(block for part in parts for block in part.blocks), at.take(rows))
        return values if rows.size == sizes[-1] else cls.of(values.columns())

    @classmethod
    def of(cls, columns: tuple[NDArray[np.float64], ...]) -> _Values:
        """Return the values of all events of a chunk."""
        return cls((columns,), np.arange(columns[0].size, dtype=np.uint32))

    @property
    def events(self) -> int:
        """Number of events in all chunks."""
        return sum(block[0].size for block in self.blocks)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> _Values:
        return replace(self, at=self.at[rows])

    def columns(self) -> tuple[NDArray[np.float64], ...]:
        """Return the values of each column, shape (rows,)."""
        arrays = self.blocks[0] if len(self.blocks) == 1 else map(np.concatenate, zip(*self.blocks, strict=True))
        return tuple(array.take(self.at) for array in arrays)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Distinct rows.

    Attributes:
        digests: Digests in the precision of the key.
        finer: 32 bits of another digest in each finer precision.
        counts: Number of events with such a row.
        values: Values of the fine columns; ``None`` where rows come from a file, or there is no fine column.
        fresh: Number of fresh values of each row, where ``values`` is ``None``.
    """

    digests: Digests
    finer: tuple[Words, ...]
    counts: NDArray[np.int64]
    values: _Values | None
    fresh: NDArray[np.uint8] | None

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> _Rows:
        def select(array: Any) -> Any:  # noqa: ANN401 - of any type
            return array[rows] if isinstance(rows, slice) else array.take(rows, axis=0)  # a quarter of the time

        return _Rows(
            select(self.digests),
            tuple(map(select, self.finer)),
            select(self.counts),
            None if self.values is None else self.values[rows],
            None if self.fresh is None else select(self.fresh),
        )

    def up_to(self, limit: int) -> _Rows:
        """Leave out rows with larger digests."""
        if limit == LARGEST or not self.digests.size or int(self.digests.max()) <= limit:
            return self
        return self[np.flatnonzero(self.digests <= np.uint64(limit))]

    def distinct(self, finer: int, rows: int, limit: int, positions: NDArray[np.uint32]) -> Distinct:
        """Return the rows that differ in the precision of the key or in a finer one; all rows are in order.

        Args:
            finer: Number of finer precisions to compare.
            rows: Number of events of the whole sample.
            limit: Rows with larger digests were left out.
            positions: The numbers from 0 on, one for each row.
        """
        starts = _starts(self.digests, self.finer[:finer])
        unique = self if starts.size == self.digests.size else self.without_values[starts]
        return Distinct(
            keys=unique.digests,
            values=unique.digests,
            counts=self.counts if unique is self else np.add.reduceat(self.counts, starts),
            first=positions if unique is self else positions[starts],
            rows=rows,
            limit=limit,
            finer=unique.finer[:finer],
        )

    @property
    def without_values(self) -> _Rows:
        """The same without their values."""
        return replace(self, values=None, fresh=None)

    def freshness(self, key: Key) -> NDArray[np.uint8]:
        """Return how many values of each row are fresh."""
        if self.fresh is None and self.values is not None:
            return key.fresh(self.values.columns())
        return np.asarray(self.fresh)

    def stored(self, key: Key) -> _Rows:
        """Leave the values out."""
        return replace(self, values=None, fresh=self.freshness(key))

    @classmethod
    def joined(cls, pieces: Sequence[_Rows], key: Key, size: int, limit: int) -> tuple[_Rows, int]:
        """Join rows, each once and in order, adding up how often they occur.

        Args:
            pieces: The rows to join, at least one piece.
            key: How they are recognised.
            size: Rows to keep, at most: those with the smallest digests.
            limit: Rows with larger digests were left out.

        Returns:
            The rows, and the limit of their digests.
        """
        values = [piece.values for piece in pieces if piece.values is not None]
        if len(values) < len(pieces):
            values, pieces = [], [piece.stored(key) for piece in pieces]
        # One array after the other: all of them twice would be the most memory that a check takes.
        digests = np.concatenate([piece.digests for piece in pieces])
        finer = tuple(np.concatenate(words) for words in zip(*(piece.finer for piece in pieces), strict=True))
        order = _order(digests, finer)
        digests, finer = digests.take(order), tuple(words.take(order) for words in finer)
        starts = _starts(digests, finer)
        if starts.size > size:
            limit = int(digests[starts[size]]) - 1
            order = order[: np.searchsorted(digests, np.uint64(limit), side="right")]
            starts = starts[: np.searchsorted(starts, order.size)]
        digests, finer, first = digests.take(starts), tuple(words.take(starts) for words in finer), order.take(starts)
        counts, fresh = (_concatenated([getattr(piece, name) for piece in pieces]) for name in ("counts", "fresh"))
        if first.size < order.size:
            counts = np.add.reduceat(counts.take(order), starts)
            fresh = None if fresh is None else np.minimum.reduceat(fresh.take(order), starts)
        else:
            counts = _unit_counts(first.size) if _are_unit_counts(counts) else counts.take(first)
            fresh = None if fresh is None else fresh.take(first)
        return cls(digests, finer, counts, _Values.joined(values, first) if values else None, fresh), limit


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Some rows of a sample, the same of any other, by which its events are recognised.

    A trained generator carries that of its training sample, so that a reference can be shown to be another.

    Attributes:
        key: How rows are recognised.
        rows: Number of events of the sample.
        size: Rows to keep, at most.
        limit: Rows with larger digests are left out.
        pieces: The rows that are kept.
    """

    key: Key
    rows: int
    size: int
    limit: int
    pieces: tuple[_Rows, ...]

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Column],
        key: Key,
        size: int = SIZE,
        limit: int = LARGEST,
        hashes: Words | None = None,
    ) -> Fingerprint:
        """Start from some events.

        Args:
            columns: The events, with all columns of the key.
            key: How rows are recognised.
            size: Rows to keep, at most.
            limit: Rows with larger digests are left out from the beginning.
            hashes: The hashes of the rows (`digests.row_hashes` in the precision of the key), if at hand.
        """
        hashes = row_hashes(columns, key.columns, key.bits) if hashes is None else hashes
        rows, columns = hashes.size, {name: columns[name] for name in key.columns}
        if limit < LARGEST:
            selected = np.flatnonzero(hashes <= np.uint32(limit >> 32))
            hashes, columns = hashes[selected], {name: column[selected] for name, column in columns.items()}
        return cls.of_selection(columns, key, rows, size, limit, hashes)

    @classmethod
    def of_selection(
        cls, columns: Mapping[str, Column], key: Key, rows: int, size: int, limit: int, hashes: Words
    ) -> Fingerprint:
        """Start from a selection of ``rows`` events: those whose hashes are up to that of the limit."""
        values = tuple(leading(columns[fine.name]) for fine in key.fine)
        piece = _Rows(
            row_digests(columns, key.columns, key.bits, hashes),
            tuple(row_hashes(columns, key.columns, bits) for bits in reversed(key.precisions[:-1])),
            _unit_counts(hashes.size),
            _Values.of(values) if values else None,
            None if values else np.zeros(hashes.size, np.uint8),
        )
        return cls(key, rows, size, limit | 0xFFFFFFFF, (piece,)).bounded()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that make up a row, sorted."""
        return self.key.columns

    @cached_property
    def consolidated(self) -> Fingerprint:
        """The same in one piece, the rows in order and no more of them than `size`."""
        if not self.pieces:
            return self
        rows, limit = _Rows.joined([piece.up_to(self.limit) for piece in self.pieces], self.key, self.size, self.limit)
        joined = Fingerprint(self.key, self.rows, self.size, limit, (rows,))
        vars(joined)["consolidated"] = joined  # its rows are in order already
        return joined

    def distinct(self, bits: int = DOUBLE, limit: int = LARGEST) -> Distinct:
        """Return the distinct rows of the sketch.

        Args:
            bits: The precision in which they are compared, at least that of the key.
            limit: Rows with larger digests are left out, too.
        """
        finer = sum(self.key.bits < precision <= bits for precision in PRECISIONS)
        sketch = self.consolidated
        cache = sketch._distinct  # noqa: SLF001 - of the same class
        if finer not in cache:
            cache[finer] = sketch.pieces[0].distinct(finer, self.rows, sketch.limit, sketch._positions)  # noqa: SLF001
        return cache[finer].up_to(limit)

    @cached_property
    def _positions(self) -> NDArray[np.uint32]:
        return np.arange(self.pieces[0].digests.size, dtype=np.uint32)

    @cached_property
    def _distinct(self) -> dict[int, Distinct]:
        return {}

    def row_chance(self, bits: int) -> float:
        """Return an upper limit of the probability that two independent events agree in some precision."""
        chance = self.key.whole[PRECISIONS.index(bits)]
        if bits < self.key.bits or (self.size <= STORED and chance < 1):  # what was stored knows it from more rows
            return chance
        counts = self.distinct(bits).counts
        pairs, repeated = max(float(counts.sum()) * self.rows / 2, 1.0), counts[counts > 1].astype(float)
        return min(chance, poisson_upper(round(float((repeated * (repeated - 1)).sum()) / 2), _RARE) / pairs, 1.0)

    def freshness(self, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return how many values of full resolution some of the rows have, given their positions."""
        return self.consolidated.pieces[0][rows].freshness(self.key)

    def examples(self, rows: NDArray[np.integer]) -> tuple[dict[str, float | str], ...]:
        """Return the values of some rows in the fine columns, given their positions; empty for rows from a file."""
        values = self.consolidated.pieces[0][rows].values
        if values is None:
            return ()
        names = [column.name for column in self.key.fine]
        return tuple(
            {name: value if math.isfinite(value) else str(value) for name, value in zip(names, row, strict=True)}
            for row in zip(*(column.tolist() for column in values.columns()), strict=True)
        )

    def __add__(self, other: Fingerprint) -> Fingerprint:
        """Return the fingerprint of two samples together; it is the same in whichever order parts are added.

        Raises:
            InputError: If their rows are recognised in different ways.
        """
        key, pieces = self.key, self.pieces + other.pieces
        if key is not other.key and key != other.key:
            key = key.merged(other.key)
            pieces = tuple(piece.stored(sketch.key) for sketch in (self, other) for piece in sketch.pieces)
        size, limit = min(self.size, other.size), min(self.limit, other.limit)
        return Fingerprint(key, self.rows + other.rows, size, limit, pieces).bounded()

    merge = __add__

    def bounded(self) -> Fingerprint:
        """Join the pieces once they are many, or their rows too many."""
        rows = sum(piece.digests.size for piece in self.pieces)
        return self.consolidated if len(self.pieces) > _PIECES or rows > 2 * self.size else self

    def stored(self) -> Fingerprint:
        """Return the fingerprint that is written to a file, of `STORED` rows at most."""
        key = replace(self.key, whole=tuple(map(self.row_chance, PRECISIONS)))
        sketch = replace(self.consolidated, key=key, size=min(self.size, STORED)).consolidated
        return replace(sketch, pieces=tuple(piece.stored(key) for piece in sketch.pieces))

    def __eq__(self, other: object) -> bool:
        """Tell whether both would be stored alike."""
        return isinstance(other, Fingerprint) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """Return a number that equal fingerprints share."""
        return hash((self.key, self.rows))

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text of some tens of kilobytes; `from_json` restores an equal object."""
        stored = self.stored()
        (rows,) = stored.pieces
        max_count = int(rows.counts.max(initial=1))
        size = next(size for size in (1, 2, 4, 8) if max_count < 256**size)
        content = {
            "key": stored.key,
            "rows": self.rows,
            "limit": stored.limit,
            "digests": _packed(rows.digests, "<u8"),
            "finer": [_packed(words, "<u4") for words in rows.finer],
            "counts": "" if max_count == 1 else _packed(rows.counts, f"<u{size}"),
            "fresh": _packed(rows.freshness(self.key), "<u1"),
        }
        return _json.dumps(_KIND, _VERSION, content, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Fingerprint:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not a fingerprint of this version.
        """
        return cls.from_node(_json.parsed(text))

    @classmethod
    def from_node(cls, node: _json.Node) -> Fingerprint:
        """Read what `to_json` wrote, as a part of another text; see `from_json`."""
        return _restored(node)


def sketch_limit(rows: int | None, size: int, key: Key) -> int:
    """Return a limit of digests up to which a sketch is certainly full; `LARGEST` for an unknown number of rows."""
    if rows is None or rows <= _START * size or not key.tells:
        return LARGEST
    return int(LARGEST * (_START * size / rows))


def fingerprint(events: object, columns: Sequence[str] | None = None, weight: str | None = None) -> Fingerprint:
    """Make the fingerprint of a training sample.

    Args:
        events: Any table of events, or an iterator, list or tuple of tables: the chunks of a sample that is too
            large to hold; or names of files. Only the fingerprint so far and one chunk are in memory.
        columns: Names of the columns that make up a row. If ``None``, all numeric ones but the weight and, where
            others are left that tell events apart, labels and numbers of events; of several tables, the first decides.
        weight: Name of the column of weights, which are not part of a row.

    Returns:
        The fingerprint of these columns, which does not depend on the order of the rows.

    Raises:
        InputError: If there are no events, a column is missing or not numeric, or chunks have other columns.
        InputTypeError: If ``events`` is not a table of events, or ``columns`` is not a list of names.
    """
    if isinstance(columns, str):
        msg = f"columns={columns!r} is one name; expected a list of names: columns=[{columns!r}]"
        raise InputTypeError(msg)
    if names_files(events):
        events = _chunks(events)
    tables: Iterable[object] = events if isinstance(events, Iterator | list | tuple) else [events]
    total: Fingerprint | None = None
    for table in tables:
        sample = as_sample(table, "training", weight)
        with placed("training"):
            key = _key(sample, columns) if total is None else total.key
            missing = [n for n in key.columns if n not in sample.columns or not is_numeric(sample.columns[n])]
            if missing:
                msg = f"the columns {missing} do not hold real numbers in a later table; expected those of the first"
                raise InputError(msg)
        part = Fingerprint.of(sample.columns, key, STORED)
        total = part if total is None else total + part
    if total is None:
        msg = "training: there is no table of events; expected at least one"
        raise InputError(msg)
    return total.stored()


def _key(sample: Sample, columns: Sequence[str] | None) -> Key:
    if columns is None:
        names, _ = key_columns([sample], tuple(sample.columns))
        if not names:
            msg = f"no column holds real numbers; there are {sorted(sample.columns)}"
            raise InputError(msg)
        return key_of(sample.columns, names)
    non_numeric = [name for name in columns if not is_numeric(sample[name])]
    if non_numeric or not columns:
        msg = f"columns {non_numeric} do not hold real numbers; leave them out of columns=[...]"
        raise InputError(msg)
    return key_of(sample.columns, sorted(set(columns)))


def _chunks(names: object) -> Iterator[Mapping[str, Column]]:
    source = file_source(names)
    for part in source.parts:
        yield from part.chunks(source.names, _CHUNK)


def _unit_counts(rows: int) -> NDArray[np.int64]:
    """Return the counts of rows that occur once each, which take no memory."""
    return np.broadcast_to(np.ones(1, np.int64), rows)


def _are_unit_counts(counts: NDArray[np.int64]) -> bool:
    """Tell whether counts are those of `_unit_counts`."""
    return counts.strides == (0,)


def _concatenated(arrays: Sequence[Any]) -> Any:  # noqa: ANN401 - all of them, or none
    if all(array is not None and _are_unit_counts(array) for array in arrays):
        return _unit_counts(sum(array.size for array in arrays))
    return None if any(array is None for array in arrays) else np.concatenate(arrays)


def _order(digests: Digests, finer: Sequence[Words]) -> NDArray[np.intp]:
    """Return the order by digests; only the few that are equal, or nearly so, are compared in full.

    Numbers of the leading bits of a digest and its place are sorted, which takes a quarter of the time of `argsort`.
    """
    bits = np.uint64(max(digests.size - 1, 1).bit_length())
    packed = digests >> bits << bits
    packed |= np.arange(digests.size, dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.intp)
    packed >>= bits
    equal = packed[1:] == packed[:-1]
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    if tied.size:
        rows = order[tied]
        keys: list[NDArray[Any]] = [*(words[rows] for words in reversed(finer)), digests[rows]]
        order[tied] = rows[np.lexsort(keys)]
    return order


def _starts(digests: Digests, finer: Sequence[Words]) -> NDArray[np.intp]:
    """Return where rows in order begin to differ."""
    differ = np.ones(digests.size, dtype=bool)
    differ[1:] = digests[1:] != digests[:-1]
    for words in finer:
        differ[1:] |= words[1:] != words[:-1]
    return np.flatnonzero(differ)


def _packed(numbers: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(numbers.astype(dtype).tobytes()).decode()


def _restored(document: _json.Node) -> Fingerprint:
    members = document.members()
    version = members["version"].value if "version" in members else None
    if "kind" in members and members["kind"].value == _KIND and version != _VERSION:
        members.get("version", document).refuse(
            f"version {_VERSION}: make it anew of the events, gv.fingerprint(events), as others cannot be compared"
        )
    fields = document.fields("kind", "version", "key", "rows", "limit", "digests", "finer", "counts", "fresh")
    fields["kind"].choice(_KIND)
    key: Key = _json.decode(Key, fields["key"])
    rows, limit = fields["rows"].whole(1, _MAX_EVENTS), fields["limit"].whole(0, LARGEST)
    digests = _unpacked(fields["digests"], "<u8")
    finer = tuple(_unpacked(n, "<u4", digests.size) for n in fields["finer"].items(len(key.precisions) - 1))
    fresh = _unpacked(fields["fresh"], "<u1", digests.size)
    counts = np.ones(digests.size, np.int64)
    if fields["counts"].value != "":
        size = len(_bytes(fields["counts"])) // max(digests.size, 1)
        counts = _unpacked(fields["counts"], f"<u{size}" if size in {1, 2, 4, 8} else "<u1", digests.size)
    distinct = _Rows(digests, finer, counts.astype(np.int64), None, fresh)
    total = int(counts.astype(np.uint64).sum()) if digests.size else 0
    if (
        np.any(digests[1:] < digests[:-1])
        or _starts(digests, finer).size != digests.size
        or (digests.size and int(digests[-1]) > limit)
        or np.any(distinct.counts < 1)
        or total > rows
        or (limit == LARGEST and total != rows)
    ):
        document.refuse(f"ascending digests up to the limit, each once, of {rows} events or some of them")
    return Fingerprint(key, rows, STORED, limit, (distinct,))


def _bytes(node: _json.Node) -> bytes:
    text = node.text()
    if len(text) > 12 * STORED:
        node.refuse(f"at most {STORED} rows in base64")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        node.refuse("base64")


def _unpacked(node: _json.Node, dtype: str, length: int | None = None) -> NDArray[Any]:
    content, size = _bytes(node), np.dtype(dtype).itemsize
    if len(content) % size or (length is not None and len(content) != size * length):
        node.refuse(f"{'some' if length is None else length} numbers of {size} bytes in base64")
    return np.frombuffer(content, dtype)

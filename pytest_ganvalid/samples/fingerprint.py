"""A training sample in kilobytes: enough to find its rows in another sample.

The smallest digests of the distinct rows, with the number of times each occurs, are a fair sample of the distinct
rows: the bottom-k sketch (Bar-Yossef et al., RANDOM 2002; Beyer et al., SIGMOD 2007). Any other sample thins out to the
same rows, by keeping those with digests up to the largest of the sketch, so that all that is asked of two whole
samples can be asked of these. Sketches add up exactly.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.digests import (
    LARGEST,
    WIDTHS,
    Digests,
    Distinct,
    distinct,
    is_numeric,
    numeric_columns,
    row_digests,
    width,
)
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.pieces import names_files
from pytest_ganvalid.samples.resolution import is_constant, is_integral, is_label, is_number_of_event
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import file_source
from pytest_ganvalid.samples.spread import Spread
from pytest_ganvalid.samples.tables import as_sample

SIZE = 1792
"""Most digests in a sketch; two sketches of 8 bytes per digest are 38 kB of base64."""
SIZE_NEAR = 1 << 19
"""Most rows that are kept to look for those of a fingerprint."""
_KIND, _VERSION = "fingerprint", 1
_MOST_ROWS = 2**62
_SOME = 8  # times the size of a sketch
_CHUNK = 1 << 18  # rows of a file at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """The smallest digests of the distinct rows of a sample.

    Attributes:
        digests: At most `SIZE` of them, ascending.
        counts: How many rows have each.
    """

    digests: tuple[int, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the order and the range.

        Raises:
            InputError: If this is not a sketch.
        """
        ordered = all(a < b for a, b in zip(self.digests, self.digests[1:], strict=False))
        if (
            not 0 < len(self.digests) <= SIZE
            or not ordered
            or not 0 <= self.digests[0] <= self.digests[-1] <= LARGEST
            or len(self.counts) != len(self.digests)
            or not 1 <= min(self.counts) <= max(self.counts) <= _MOST_ROWS
        ):
            msg = f"not a sketch: expected 1 to {SIZE} ascending 64-bit digests, and as many counts of at least 1"
            raise InputError(msg)

    @property
    def limit(self) -> int:
        """The digest up to which all distinct rows are held."""
        return LARGEST if len(self.digests) < SIZE else self.digests[-1]

    def distinct(self, rows: int) -> Distinct:
        """Return the digests as arrays.

        Args:
            rows: Number of rows of the sample.
        """
        return Distinct(np.array(self.digests, np.uint64), np.array(self.counts, np.int64), rows, self.limit)

    def merge(self, other: Sketch) -> Sketch:
        """Return the sketch of the two samples together."""
        both = np.array(self.digests + other.digests, np.uint64)
        values, places = np.unique(both, return_inverse=True)
        counts = np.zeros(values.size, np.int64)
        np.add.at(counts, places, np.array(self.counts + other.counts, np.int64))
        return _smallest(Distinct(values, counts, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a trained generator carries of its training sample, so that a reference can be shown to be another.

    Attributes:
        columns: Names of the columns that make up a row, sorted.
        widths: For each, the bits that a value was stored in: 16, 32 or 64.
        rows: Number of rows.
        wide: Sketch of the rows as they are.
        narrow: Sketch of the rows rounded to single precision, for samples that are stored in it.
    """

    columns: tuple[str, ...]
    widths: tuple[int, ...]
    rows: int
    wide: Sketch
    narrow: Sketch

    def __post_init__(self) -> None:
        """Check that the parts belong together.

        Raises:
            InputError: If they do not.
        """
        if not self.columns or list(self.columns) != sorted(set(self.columns)):
            msg = f"a fingerprint needs the names of its columns, sorted and distinct; got {self.columns!r}"
            raise InputError(msg)
        if len(self.widths) != len(self.columns) or not set(self.widths) <= set(WIDTHS):
            msg = f"a fingerprint needs a width of 16, 32 or 64 bits for each column; got {self.widths!r}"
            raise InputError(msg)
        for sketch in (self.wide, self.narrow):
            held = sum(sketch.counts)
            if held > self.rows or (sketch.limit == LARGEST and held != self.rows) or self.rows > _MOST_ROWS:
                msg = f"a fingerprint of {self.rows} rows cannot hold {held} of them"
                raise InputError(msg)

    def merge(self, other: Fingerprint) -> Fingerprint:
        """Return the fingerprint of the two samples together; it is the same in whichever order parts are merged.

        Raises:
            InputError: If they are of other columns.
        """
        if self.columns != other.columns:
            msg = (
                f"fingerprints of the columns {list(self.columns)} and {list(other.columns)} do not add up; "
                "expected the same columns: name them with columns=[...]"
            )
            raise InputError(msg)
        return Fingerprint(
            columns=self.columns,
            widths=tuple(max(pair) for pair in zip(self.widths, other.widths, strict=True)),
            rows=self.rows + other.rows,
            wide=self.wide.merge(other.wide),
            narrow=self.narrow.merge(other.narrow),
        )

    def __add__(self, other: Fingerprint) -> Fingerprint:
        """Merge two fingerprints."""
        return self.merge(other)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text of some tens of kilobytes; `from_json` restores an equal object."""
        held = {
            "columns": self.columns,
            "widths": self.widths,
            "rows": self.rows,
            "wide": _packed(self.wide),
            "narrow": _packed(self.narrow),
        }
        return _json.dumps(_KIND, _VERSION, held, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Fingerprint:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not a fingerprint of this version.
        """
        decoders = {"columns": _json.strings, "widths": _widths, "wide": _unpacked, "narrow": _unpacked}
        return _json.decode(cls, _json.loads(_KIND, _VERSION, text), decoders)


def fingerprint(events: object, columns: Sequence[str] | None = None, weight: str | None = None) -> Fingerprint:
    """Make the fingerprint of a training sample.

    Args:
        events: Any table of events, or an iterator, list or tuple of tables: the chunks of a sample that is too
            large to hold; or names of files. Only the fingerprint so far and one chunk are in memory.
        columns: Names of the columns that make up a row. If ``None``, all numeric ones but the weight and, where
            others are left that tell events apart, labels of up to 20 values and random numbers of events; of several
            tables, the first one decides.
        weight: Name of the column of weights, which are not part of a row.

    Returns:
        The fingerprint of these columns, the same for any order and chunks of the rows.

    Raises:
        InputError: If there are no events, a column is missing or not numeric, or chunks have other columns.
        InputTypeError: If it is not a table of events, or ``columns`` is not a list of names.
    """
    if isinstance(columns, str):
        msg = f"columns={columns!r} is one name; expected a list of names: columns=[{columns!r}]"
        raise InputTypeError(msg)
    if names_files(events):
        events = _chunks(events)
    tables: Iterable[object] = events if isinstance(events, Iterator | list | tuple) else [events]
    total: Fingerprint | None = None
    all_of: tuple[str, ...] = ()
    for table in tables:
        sample = as_sample(table, "training", weight)
        numeric = tuple(sorted(name for name, values in sample.columns.items() if is_numeric(values)))
        names = columns if total is None or columns is not None or numeric != all_of else total.columns
        part, all_of = _of_sample(sample, names), numeric
        total = part if total is None else total.merge(part)
    if total is None:
        msg = "training: there is no table of events; expected at least one"
        raise InputError(msg)
    return total


def _chunks(names: object) -> Iterator[Columns]:
    source = file_source(names)
    for part in source.parts:
        yield from part.chunks(source.names, _CHUNK)


def _of_sample(sample: Sample, columns: Sequence[str] | None) -> Fingerprint:
    names = _telling(sample) if columns is None else tuple(sorted(set(columns)))
    if not names or not all(is_numeric(sample[name]) for name in names):
        wrong = [name for name in names or sample.columns if not is_numeric(sample[name])]
        msg = f"training: columns {wrong} do not hold real numbers; leave them out with columns=[...]"
        raise InputError(msg)
    return Fingerprint(
        columns=names,
        widths=tuple(width(sample, name) for name in names),
        rows=len(sample),
        wide=_sketch(row_digests(sample, names)),
        narrow=_sketch(row_digests(sample, names, dict.fromkeys(names, 32))),
    )


def near(sample: Sample, training: Fingerprint) -> Spread | None:
    """Keep the rows that may be in a fingerprint: those with digests up to the largest in it.

    Args:
        sample: Some events.
        training: The fingerprint.

    Returns:
        Those rows, few enough to be kept in memory whatever the number of events; ``None`` if a column is missing.
    """
    if any(name not in sample.columns or not is_numeric(sample[name]) for name in training.columns):
        return None
    narrow = row_digests(sample, training.columns, dict.fromkeys(training.columns, 32))
    wide = row_digests(sample, training.columns)
    kept = np.flatnonzero((wide <= np.uint64(training.wide.limit)) | (narrow <= np.uint64(training.narrow.limit)))
    columns: Columns = {name: sample[name][kept] for name in training.columns}
    limit = max(training.wide.limit, training.narrow.limit)
    return Spread.of(columns, np.minimum(wide, narrow)[kept], SIZE_NEAR, len(sample), limit)


def _telling(sample: Sample) -> tuple[str, ...]:
    """Leave out the columns that may differ between two copies of an event, if others tell events apart.

    A label says which sample it was, and a random number not even that. Counts alone repeat too often to spare a label.
    """
    names = numeric_columns(sample)
    own = tuple(name for name in names if not (is_constant(sample[name]) or is_number_of_event(sample[name]))) or names
    telling = tuple(name for name in own if not is_label(sample[name]))
    return own if all(is_integral(sample[name]) for name in telling) else telling


def _sketch(digests: Digests) -> Sketch:
    """Return the sketch of rows; of many, only those are sorted that are small enough to be in it."""
    if digests.size > _SOME * SIZE:
        few = distinct(digests[digests <= np.uint64(_SOME * SIZE * LARGEST // (2 * digests.size))])
        if few.values.size >= SIZE:
            return _smallest(few)
    return _smallest(distinct(digests))


def _smallest(rows: Distinct) -> Sketch:
    digests: Digests = rows.values[:SIZE]
    return Sketch(digests=tuple(digests.tolist()), counts=tuple(rows.counts[:SIZE].tolist()))


def _packed(sketch: Sketch) -> dict[str, str]:
    """Write the numbers as base64 of little-endian bytes; counts in as few as they need, none if all are 1."""
    most = max(sketch.counts)
    size = next(size for size in (1, 2, 4, 8) if most < 256**size)
    counts = b"" if most == 1 else np.array(sketch.counts, f"<u{size}").tobytes()
    digests = np.array(sketch.digests, "<u8").tobytes()
    return {name: base64.b64encode(data).decode() for name, data in (("digests", digests), ("counts", counts))}


def _unpacked(data: Any) -> Sketch:  # noqa: ANN401 - JSON is untyped
    if not isinstance(data, dict) or set(data) != {"digests", "counts"} or not all(map(_is_short, data.values())):
        msg = f"expected digests and counts of at most {SIZE} rows, in base64"
        raise InputError(msg)
    try:
        digests, counts = (base64.b64decode(data[name], validate=True) for name in ("digests", "counts"))
    except (binascii.Error, ValueError) as error:
        msg = f"not base64: {error}"
        raise InputError(msg) from None
    number = len(digests) // 8
    size = len(counts) // number if number else 0
    if len(digests) != 8 * number or len(counts) != size * number or size not in {0, 1, 2, 4, 8}:
        msg = f"{len(digests)} bytes of digests and {len(counts)} of counts do not belong together"
        raise InputError(msg)
    numbers = np.frombuffer(counts, f"<u{size}").tolist() if size else [1] * number
    return Sketch(digests=tuple(np.frombuffer(digests, "<u8").tolist()), counts=tuple(numbers))


def _is_short(text: object) -> bool:
    return isinstance(text, str) and len(text) <= 12 * SIZE


def _widths(values: object) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        msg = "expected an array of integers"
        raise InputError(msg)
    return tuple(values)

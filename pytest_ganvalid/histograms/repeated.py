"""The commonest values of a column that are repeated, in a list that adds up.

A value that one sample repeats and the other does not (a default, a clipped tail, a rounded number) may hide among the
others in its bin. So a list of 64 values travels with a histogram, each with the number of its events, and the largest
number of events that any value may have beyond what the list says.

Lists add up as those of Misra and Gries do (Agarwal et al., ACM Trans. Database Syst. 38 (2013) 26): what is cut off
has no more events than the first value that is, which is added to the greatest undercount. While events are read lists
are long, so that of up to 32,768 distinct values all numbers are exact, in whatever parts and order the events come;
the list is cut at the end. With more, numbers depend on the parts, and are right within the undercount. Values in the
first 24 bits, single precision, are one; ties are cut off together, so that no order of values decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node
from pytest_ganvalid.histograms.compiled import kernels
from pytest_ganvalid.histograms.exact import Total, total_by_bin
from pytest_ganvalid.histograms.lookup import plain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
STORED = 64
"""Values in a list that is stored."""
SIZE = 1 << 15
"""Values in a list while events are read."""
HALF_STEP, LEADING = 1 << 28, ~((1 << 29) - 1)
"""To round the bits of a double to those that single precision has."""
NORMAL = float(np.finfo(np.float64).tiny)
"""Smallest magnitude that has them all."""
_MIN_COUNT = 4  # events of a value in a chunk of many
_ROUNDING = 1e-6  # relative
_LARGEST_SUM = 1e200  # sum of weights, or of their squares, that is read


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """The commonest values of some events; those of different events add up.

    Attributes:
        values: Ascending, shape (values,).
        counts: Events of each, at least, shape (values,).
        events: Number of all events.
        undercount: The most events by which any number is too small, the 0 of a value that is not listed included.
        sumw: Sums of weights of the counted events; ``None`` for unweighted ones.
        sumw2: Sums of their squares.
    """

    values: FloatArray
    counts: IntArray
    events: int
    undercount: int = 0
    sumw: Total | None = None
    sumw2: Total | None = None

    @classmethod
    def of(cls, values: FloatArray, weight: FloatArray | None) -> Repeated:
        """Count the values of some events; of NaN and infinite ones none.

        Args:
            values: Shape (events,).
            weight: Shape (events,), or ``None``.
        """
        events, minimum = values.size, minimum_count(values.size)
        candidates = _candidates(values) if minimum > 1 else np.arange(events)
        candidates = candidates[np.isfinite(values[candidates])]
        single = _in_single(values[candidates])
        if weight is None:
            distinct, counts = np.unique(single, return_counts=True)
            common, sums = counts >= minimum, []
        else:
            distinct, index, counts = np.unique(single, return_inverse=True, return_counts=True)
            common = counts >= minimum
            # Of the common values only: the other candidates depend on the search.
            position, weight = (np.cumsum(common) - 1)[index], weight[candidates]
            position, weight = position[common[index]], weight[common[index]]
            sums = [total_by_bin(position, weight**power, int(common.sum())) for power in (1, 2)]
        return cls(distinct[common], counts[common].astype(np.int64), events, minimum - 1, *sums).cut(SIZE)

    @classmethod
    def none(cls, *, weighted: bool) -> Repeated:
        """Return the list of no events."""
        empty = cls(np.zeros(0), np.zeros(0, np.int64), 0)
        return empty.with_weights() if weighted else empty

    def __add__(self, other: Repeated) -> Repeated:
        """Add the values of other events."""
        values = np.union1d(self.values, other.values)
        positions = [np.searchsorted(values, side.values) for side in (self, other)]
        counts = np.zeros(values.size, np.int64)
        for position, side in zip(positions, (self, other), strict=True):
            counts[position] += side.counts
        sums: list[Total | None] = [None, None]
        if self.sumw is not None or other.sumw is not None:
            sides = [side.with_weights() for side in (self, other)]
            sums = [
                _scattered(getattr(sides[0], name), positions[0], values.size)
                + _scattered(getattr(sides[1], name), positions[1], values.size)
                for name in ("sumw", "sumw2")
            ]
        events, undercount = self.events + other.events, self.undercount + other.undercount
        return Repeated(values, counts, events, undercount, *sums).cut(SIZE)

    def with_weights(self) -> Repeated:
        """Return the same with weights, which are 1 if there were none."""
        if self.sumw is not None:
            return self
        ones = Total.of(self.counts)
        return replace(self, sumw=ones, sumw2=ones)

    def cut(self, size: int) -> Repeated:
        """Keep at most so many values; those as common as the first that is cut off are cut off, too."""
        if self.values.size <= size:
            return self
        threshold = int(np.partition(self.counts, -size - 1)[-size - 1])
        return replace(self, undercount=self.undercount + threshold).only(self.counts > threshold)

    def stored(self) -> Repeated:
        """Return the list that travels: at most 64 values, each of at least two events."""
        repeated = self.cut(STORED)
        is_single = repeated.counts < 2  # noqa: PLR2004
        return replace(repeated, undercount=repeated.undercount + 1).only(~is_single) if is_single.any() else repeated

    def only(self, mask: NDArray[np.bool_]) -> Repeated:
        """Keep some of the values."""
        sums = [None if t is None else Total(t.leading[mask], t.rest[mask]) for t in (self.sumw, self.sumw2)]
        return Repeated(self.values[mask], self.counts[mask], self.events, self.undercount, *sums)

    def encoded(self) -> dict[str, object]:
        """Return the list as JSON types."""
        sums = {
            name: None if t is None else {"leading": t.leading.tolist(), "rest": t.rest.tolist()}
            for name, t in (("sumw", self.sumw), ("sumw2", self.sumw2))
        }
        return {
            "values": self.values.tolist(),
            "counts": self.counts.tolist(),
            "events": self.events,
            "undercount": self.undercount,
            **sums,
        }

    @classmethod
    def decoded(cls, node: Node, events: int, *, weighted: bool) -> Repeated:
        """Read what `encoded` made of so many events at most.

        Raises:
            InputError: If the node holds anything else; the message names the place.
        """
        fields = node.fields("values", "counts", "events", "undercount", "sumw", "sumw2")
        events = fields["events"].whole(0, events)
        values = np.array(fields["values"].reals(len(fields["values"].items())), dtype=np.float64)
        counts = np.array([item.whole(1, events) for item in fields["counts"].items(values.size)], dtype=np.int64)
        if values.size > STORED or np.any(np.diff(values) <= 0):
            fields["values"].refuse(f"at most {STORED} values, ascending")
        if counts.sum() > events:
            fields["counts"].refuse(f"at most {events} events in all")
        sums: list[Total | None] = [None, None]
        for i, name in enumerate(("sumw", "sumw2")):
            if weighted:
                parts = fields[name].fields("leading", "rest")
                arrays = [np.array(parts[p].reals(values.size), dtype=np.float64) for p in ("leading", "rest")]
                sums[i] = Total(*arrays)
                if np.any(np.abs(arrays[0]) > _LARGEST_SUM):
                    fields[name].refuse(f"sums of at most {_LARGEST_SUM:g}")
                if np.any(np.abs(arrays[1]) > np.abs(arrays[0]) * 2.0**-52 + 2.0**-1022):
                    fields[name].refuse("no more than what rounding has taken away of the sums")
            elif not fields[name].absent():
                fields[name].refuse("null, as events have no weights")
        sumw, sumw2 = sums
        if sumw is not None and sumw2 is not None and np.any(sumw.value**2 > counts * sumw2.value * (1 + _ROUNDING)):
            fields["sumw2"].refuse("squares as large as those of so many events with such sums are at least")
        return cls(values, counts, events, fields["undercount"].whole(0, events), sumw, sumw2)


def _in_single(values: FloatArray) -> FloatArray:
    """Round to the 24 bits of single precision, whatever the exponent."""
    values = np.ascontiguousarray(values, dtype=np.float64) + 0.0  # -0 becomes 0
    single = ((values.view(np.int64) + HALF_STEP) & LEADING).view(np.float64)
    return np.where((np.abs(values) < NORMAL) | ~np.isfinite(single), values, single)


def minimum_count(events: int) -> int:
    """Return the smallest number of events of a value that is listed, of so many at a time."""
    return _MIN_COUNT if events > SIZE else 1


def _candidates(values: FloatArray) -> NDArray[np.integer]:
    """Return the positions of the values that may have enough events: those, and few others.

    Of the bits that single precision has, the 32 last say which values are not equal; sorting these takes numpy less
    time than any other way to find those that occur often.
    """
    if (loops := kernels()) is not None:
        positions = np.empty(values.size, dtype=np.uint32)
        return positions[: loops.may_occur(plain(values), _MIN_COUNT, positions)]
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64) + HALF_STEP
    bits >>= 29
    short = bits.astype(np.uint32)
    ordered = np.sort(short)
    common = ordered[_MIN_COUNT - 1 :][ordered[_MIN_COUNT - 1 :] == ordered[: 1 - _MIN_COUNT]]
    if not common.size:
        return np.zeros(0, dtype=np.intp)
    is_common = np.zeros(1 << 16, dtype=bool)
    is_common[common.astype(np.uint16)] = True
    return np.flatnonzero(is_common[short.astype(np.uint16)])


def _scattered(total: Total, position: NDArray[np.intp], size: int) -> Total:
    parts = []
    for part in (total.leading, total.rest):
        array = np.zeros(size)
        array[position] = part
        parts.append(array)
    return Total(*parts)

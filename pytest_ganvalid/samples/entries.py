"""Several numbers per event: jets, hits, constituents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError

_ACCEPTED = (
    "a jagged awkward array, an arrow column of lists, a list of 1-D arrays, or a 2-D array of shape (events, entries)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A column with any number of entries per event.

    The entries of one event are correlated. A histogram of them is therefore given the errors of events, not of
    entries, and n_required counts events.

    Attributes:
        values: The entries of all events, one event after the other, shape (entries,).
        counts: Number of entries of each event, shape (events,); it may be 0.

    Raises:
        InputError: If the counts are negative or do not add up to the number of values.
        InputTypeError: If the counts are not integers.
    """

    values: NDArray[Any]
    counts: NDArray[np.intp]

    def __post_init__(self) -> None:
        """Check that values and counts belong together."""
        values, counts = np.asarray(self.values), np.asarray(self.counts)
        if values.ndim != 1 or counts.ndim != 1:
            msg = f"values and counts must be one-dimensional; got shapes {values.shape} and {counts.shape}"
            raise InputError(msg)
        if counts.dtype.kind not in "iu":
            msg = f"counts has dtype {counts.dtype}; expected integers, the number of entries of each event"
            raise InputTypeError(msg)
        if (counts.size and counts.min() < 0) or counts.sum() != values.size:
            msg = (
                f"the counts add up to {counts.sum()}; expected {values.size}, the number of values, and none negative"
            )
            raise InputError(msg)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "counts", counts.astype(np.intp))

    @classmethod
    def of(cls, jagged: Any) -> Entries:  # noqa: ANN401 - any kind of nested array
        """Read a nested array of any kind.

        Args:
            jagged: A jagged awkward array, an arrow column of lists, a list of 1-D arrays, or a 2-D array of shape
                (events, entries).

        Raises:
            InputError: If the array is not nested exactly once.
            InputTypeError: If the array is of another kind.
        """
        if isinstance(jagged, Entries):
            return jagged
        if isinstance(jagged, np.ndarray) and jagged.ndim == 2:  # noqa: PLR2004
            return cls(jagged.ravel(), np.full(jagged.shape[0], jagged.shape[1], dtype=np.intp))
        if any(kind.__module__.startswith("awkward.") for kind in type(jagged).__mro__):
            return cls._of_awkward(jagged)
        if hasattr(jagged, "to_pylist"):
            return cls._of_arrow(jagged)
        if not isinstance(jagged, list | tuple | np.ndarray):
            msg = f"a {type(jagged).__name__} has no entries per event; expected {_ACCEPTED}"
            raise InputTypeError(msg)
        arrays = [np.asarray(row) for row in jagged]
        position = next((i for i, array in enumerate(arrays) if array.ndim != 1), None)
        if position is not None:
            msg = f"event {position} holds {jagged[position]!r}, not a list of numbers; expected {_ACCEPTED}"
            raise InputError(msg)
        filled = [array for array in arrays if array.size]  # an empty list has no dtype of its own
        values = np.concatenate(filled) if filled else np.empty(0)
        return cls(values, np.array([array.size for array in arrays], dtype=np.intp))

    @classmethod
    def _of_awkward(cls, jagged: Any) -> Entries:  # noqa: ANN401
        import awkward

        if jagged.ndim != 2 or jagged.fields:  # noqa: PLR2004
            msg = (
                f"the awkward array has type {jagged.type}; expected one list of numbers per event: choose a field, "
                "or flatten the inner lists"
            )
            raise InputError(msg)
        values = awkward.to_numpy(awkward.flatten(jagged, axis=1))
        counts = awkward.to_numpy(awkward.num(jagged, axis=1))
        if np.ma.is_masked(values) or np.ma.is_masked(counts):
            msg = "the awkward array has missing entries or events; fill or drop them first"
            raise InputError(msg)
        return cls(np.asarray(values), np.asarray(counts))

    @classmethod
    def _of_arrow(cls, jagged: Any) -> Entries:  # noqa: ANN401
        import pyarrow as pa
        from pyarrow import compute

        nested = pa.types.is_list(jagged.type) or pa.types.is_large_list(jagged.type)
        if not nested or jagged.null_count:
            msg = f"the arrow column has type {jagged.type} and {jagged.null_count} nulls; expected lists without nulls"
            raise InputError(msg)
        values = compute.list_flatten(jagged)
        lengths = compute.list_value_length(jagged)
        return cls(values.to_numpy(zero_copy_only=False), lengths.to_numpy(zero_copy_only=False))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the column: one item per event."""
        return (self.counts.size,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of the values."""
        return self.values.dtype

    @property
    def event(self) -> NDArray[np.intp]:
        """Position of the event that each entry belongs to, shape (entries,)."""
        return np.repeat(np.arange(self.counts.size, dtype=np.intp), self.counts)

    def __len__(self) -> int:
        """Return the number of events."""
        return int(self.counts.size)

    def __getitem__(self, rows: Any) -> Entries:  # noqa: ANN401 - anything that indexes an array
        """Return the entries of some events (a mask, a slice or positions)."""
        chosen = np.arange(self.counts.size)[rows]
        counts, starts = self.counts[chosen], (np.cumsum(self.counts) - self.counts)[chosen]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return Entries(self.values[np.repeat(starts, counts) + offsets], counts)

    def map(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Entries:
        """Return the entries with a function applied to the array of all values."""
        return Entries(np.asarray(function(self.values)), self.counts)


def concatenated(columns: Sequence[NDArray[Any] | Entries]) -> NDArray[Any] | Entries:
    """Join columns of some events each, arrays or entries, to one of all."""
    if len(columns) == 1:
        return columns[0]
    several = [column for column in columns if isinstance(column, Entries)]
    if several and len(several) < len(columns):
        msg = "some events have one number each, and others any number of entries; expected either of all"
        raise InputError(msg)
    if not several:
        return np.concatenate([np.asarray(column) for column in columns])
    return Entries(np.concatenate([e.values for e in several]), np.concatenate([e.counts for e in several]))

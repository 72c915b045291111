"""The one form in which the package handles events."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, absence


@dataclass(frozen=True, slots=True, eq=False)
class Sample(Mapping[str, Any]):
    """Events as columns: a mapping of name -> column, whose length is the number of events, as that of a data frame.

    Attributes:
        columns: Name -> array of shape (events,), or `Entries` for a column with several numbers per event.
        weight: Event weights of shape (events,), any sign; ``None`` for unweighted events.
        provenance: What is known of their origin.
        cluster: Key of the cluster that each event is in, shape (events,); ``None`` for independent events.

    Raises:
        InputError: If there are no columns or events, or lengths differ.
    """

    columns: Mapping[str, Any]
    weight: NDArray[np.float64] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    cluster: NDArray[np.uint64] | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        if not self.columns:
            msg = "a sample needs at least one column; got none"
            raise InputError(msg)
        lengths = {name: np.shape(values) for name, values in self.columns.items()}
        if self.weight is not None:
            lengths["the weight"] = np.shape(self.weight)
        if self.cluster is not None:
            lengths["the cluster"] = np.shape(self.cluster)
        shapes = set(lengths.values())
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            msg = f"columns must be one-dimensional and of one length; got shapes {lengths}"
            raise InputError(msg)
        if not len(self):
            msg = "the sample has no events"
            raise InputError(msg)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[str]:
        """Return the names of the columns, one after the other."""
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a column."""
        return name in self.columns

    def keys(self) -> KeysView[str]:
        """Return the names of the columns."""
        return self.columns.keys()

    def values(self) -> ValuesView[Any]:
        """Return the columns."""
        return self.columns.values()

    def items(self) -> ItemsView[str, Any]:
        """Return the columns with their names."""
        return self.columns.items()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - an array or Entries
        """Return a column, or ``default`` if there is none of this name."""
        return self.columns.get(name, default)

    # A sample is equal to itself only: the comparison of two arrays is an array.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - an array or Entries
        """Return a column.

        Raises:
            InputError: If there is no such column.
        """
        if name not in self.columns:
            raise InputError(absence("column", name, self.columns))
        return self.columns[name]

    def first(self, n: int) -> Sample:
        """Keep the first ``n`` events.

        Raises:
            InputError: If the sample has fewer.
        """
        if not 0 < n <= len(self):
            msg = f"cannot take the first {n} of {len(self)} events; expected 1 to {len(self)}"
            raise InputError(msg)
        return self.select(slice(n))

    def select(self, rows: NDArray[Any] | slice) -> Sample:
        """Keep some events (a mask, positions or a slice)."""
        weight = None if self.weight is None else self.weight[rows]
        cluster = None if self.cluster is None else self.cluster[rows]
        return Sample({name: values[rows] for name, values in self.columns.items()}, weight, self.provenance, cluster)

"""Expressions of entries: those of a column with several entries per event, or the values of an array in each event.

``leading(x)`` is the largest entry of an event, in whatever order the entries are, and NaN if there is none; ``sum(x)``
the sum of the entries, 0 if there are none; and ``count(x)`` the number of entries. ``entries(x)`` are the entries
themselves: of an array, whose columns are ``x.0``, ``x.1``, ..., all of its values, as if they were alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputTypeError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.features import features_of
from pytest_ganvalid.samples.tables import numeric

FUNCTIONS = ("leading", "sum", "count", "entries")
_CALL = re.compile(rf"({'|'.join(FUNCTIONS)})\((.+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reduction:
    """A function of the entries of each event.

    Attributes:
        function: One of `FUNCTIONS`.
        column: The column with the entries, or the array.
    """

    function: str
    column: str

    def __str__(self) -> str:
        """Return the expression."""
        return f"{self.function}({self.column})"

    def of(self, entries: Entries | NDArray[np.generic]) -> NDArray[np.float64] | Entries:
        """Reduce the entries of each event to one number.

        Args:
            entries: The column.

        Returns:
            Shape (events,), or entries of numbers. An entry that is NaN makes the number NaN.

        Raises:
            InputTypeError: If the column has one value per event, or the entries are no numbers.
        """
        if not isinstance(entries, Entries):
            msg = (
                f"{self} reduces several entries per event to one number, and {self.column!r} has one already; "
                f"give {self.column!r} alone"
            )
            raise InputTypeError(msg)
        if self.function == "count":
            return entries.counts.astype(np.float64)
        values = numeric(entries.values, f"column {self.column!r}")
        if self.function == "entries":
            return Entries(values, entries.counts)
        if self.function == "sum":
            return _reduced(np.add.reduceat, values, entries.counts, 0.0)
        return _reduced(np.maximum.reduceat, values, entries.counts, np.nan)


def parse(expression: str) -> Reduction | None:
    """Read an expression; ``None`` for the name of a column, which may have parentheses in it too."""
    match = _CALL.fullmatch(expression.strip())
    if match is None or not _is_balanced(match[2]) or not match[2].strip():
        return None
    return Reduction(match[1], match[2].strip())


def inner_columns(name: str, columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that a name stands for: itself, or those of an expression such as ``leading(pt)``."""
    reduction = None if name in columns else parse(name)
    if reduction is None:
        return (name,)
    inner = reduction.column
    return (inner,) if inner in columns else features_of(inner, columns) or (inner,)


def entries_of(reduction: Reduction, columns: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an array or Entries
    """Return the entries to reduce: a column, or the values of an array; ``None`` if there is neither."""
    if reduction.column in columns:
        return columns[reduction.column]
    features = features_of(reduction.column, columns)
    return Entries.of(np.stack([columns[name] for name in features], axis=1)) if features else None


def _is_balanced(text: str) -> bool:
    """Tell whether each parenthesis in a text has its partner in it: those of ``x) + sum(y`` have not."""
    depths = list(accumulate((character == "(") - (character == ")") for character in text))
    return min(depths) >= 0 and depths[-1] == 0


def _reduced(
    reduceat: Callable[[NDArray[np.float64], NDArray[np.intp]], NDArray[np.float64]],
    values: NDArray[np.float64],
    counts: NDArray[np.intp],
    empty: float,
) -> NDArray[np.float64]:
    """Reduce the values of each event that has any; for one without, ``reduceat`` would take those of the next."""
    reduced = np.full(counts.size, empty)
    filled = counts > 0
    if filled.any():
        reduced[filled] = reduceat(values, (np.cumsum(counts) - counts)[filled])
    return reduced

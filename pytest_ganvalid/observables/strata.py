"""Strata: the bins of a condition, such as the incident energy, in each of which a conditional generator is checked.

The distributions *within* a stratum are compared, and how often each stratum occurs, unless the condition was imposed:
then the user has chosen its rate.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables.observable import column
from pytest_ganvalid.results import RATES
from pytest_ganvalid.samples import Entries, Sample

_ACCEPTED = "a column name, or a pair (column name, bins), bins being a number or edges, or a Condition"
_PAIR = 2
_EXCESS_ERRORS = 5.0  # standard errors by which the generated share of a stratum is clearly larger


@dataclass(frozen=True, slots=True)
class Condition:
    """A column in whose bins all observables are compared.

    Attributes:
        column: Its name, or a reducing expression.
        bins: A number of bins or edges; ``None`` for one bin for each value, if they are few.
        imposed: Whether the user has chosen its values for the generated events, so that how often they occur says
            nothing about the generator. Where they are in the same numbers as in the reference, or in multiples of one
            number, that is recognised and need not be declared.
    """

    column: str
    bins: Any = None
    imposed: bool = False

    @classmethod
    def parsed(cls, by: object) -> Condition | None:
        """Read the specification of a user; ``None`` if nothing divides the events.

        Args:
            by: ``None``; a column name; or a pair (column name, bins), or a mapping {column name: bins}, with a number
                of equiprobable bins or edges.

        Raises:
            InputTypeError: If ``by`` is of another kind.
        """
        if by is None or isinstance(by, Condition):
            return by
        if isinstance(by, str):
            return cls(by)
        pair = next(iter(by.items())) if isinstance(by, Mapping) and len(by) == 1 else by
        if (
            isinstance(pair, tuple | list)
            and len(pair) == _PAIR
            and [isinstance(p, str) for p in pair] == [True, False]
        ):
            return cls(pair[0], pair[1])
        msg = f"by={by!r} is a {type(by).__name__} that is not understood; expected {_ACCEPTED}"
        raise InputTypeError(msg)

    @property
    def chosen(self) -> bool:
        """Whether its bins are chosen from the events."""
        return self.bins is None or isinstance(self.bins, numbers.Integral)

    def values(self, sample: Sample, side: str) -> NDArray[np.float64]:
        """Return the condition of each event.

        Raises:
            InputError: If there is no such column, or it does not hold one finite number per event.
            InputTypeError: If the column does not hold real numbers.
        """
        return condition_values(sample, self.column, side)


def rate_name(condition: str) -> str:
    """Name the comparison of how often each bin of a condition occurs."""
    return f"{condition}{RATES}"


def condition_values(sample: Sample, name: str, side: str) -> NDArray[np.float64]:
    """Return a condition of each event; see `Condition.values`."""
    values = column(sample, name, side)
    if isinstance(values, Entries):
        msg = f"{side}: the condition {name!r} has several entries per event; expected one number per event"
        raise InputError(msg)
    invalid = int(np.count_nonzero(~np.isfinite(values)))
    if invalid:
        msg = (
            f"{side}: the condition {name!r} is NaN or infinite in {invalid:,} of {values.size:,} events; mend the "
            "sample"
        )
        raise InputError(msg)
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """How much of either sample is in one bin of the condition.

    Attributes:
        label: The bin in words; empty if there is no condition.
        n_generated: Number of generated events in it.
        n_reference: Number of reference events in it.
        share_generated: Its share of the generated sample.
        share_reference: Its share of the reference.
    """

    label: str
    n_generated: int
    n_reference: int
    share_generated: float = 1.0
    share_reference: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a bin without events on either side.

        Raises:
            InputError: If a side has none, or the weights of a side cancel.
        """
        share = min(self.share_generated, self.share_reference)
        if not self.n_generated or not self.n_reference or share <= 0:
            msg = (
                f"stratum {self.label} has {self.n_generated:,} generated and {self.n_reference:,} reference events "
                f"({share:.3g} of the weight); expected events on both sides: choose other bins for by=, or generate "
                "at the same conditions"
            )
            raise InputError(msg)

    @property
    def share(self) -> float:
        """Its share of n_required: that of the reference, or of the generated sample where it is clearly larger.

        A stratum that is rare in the reference must not excuse most of the events generated.
        """
        p = self.share_reference
        noise = math.sqrt(p * (1 - p) * (p / self.n_reference + self.share_generated / self.n_generated))
        return max(p, self.share_generated) if self.share_generated > p + _EXCESS_ERRORS * noise else p

    @property
    def used(self) -> tuple[float, float]:
        """Its shares of the generated and of the reference sample."""
        return self.share_generated, self.share_reference

    def name(self, observable: str) -> str:
        """Name an observable in this stratum."""
        return f"{observable} | {self.label}" if self.label else observable

"""Strata: the bins of a condition, such as the incident energy, in each of which a conditional generator is checked.

What is compared are the distributions *within* a stratum. How often the conditions themselves occur is up to whoever
asks the generator for events, and is not compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.binning import axis_for
from pytest_ganvalid.histograms.bins import Axis
from pytest_ganvalid.histograms.exact import total_by_bin
from pytest_ganvalid.observables.observable import column
from pytest_ganvalid.samples import Entries, Sample

FloatArray = NDArray[np.float64]
_MOST_VALUES = 20  # a column of no more distinct values has a stratum for each
_DEFAULT = 5  # equiprobable strata of any other column
_ACCEPTED = "a column name, or a pair (column name, bins), bins being a number or edges"
_PAIR = 2
_CLEARLY = 5.0  # standard errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
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
            InputError: If there are none, or their weights cancel.
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
        return max(p, self.share_generated) if self.share_generated > p + _CLEARLY * noise else p

    @property
    def used(self) -> tuple[float, float]:
        """Its shares of the generated and of the reference sample."""
        return self.share_generated, self.share_reference

    def name(self, observable: str) -> str:
        """Name an observable in this stratum."""
        return f"{observable} | {self.label}" if self.label else observable


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum(Shares):
    """The events of one bin of the condition.

    Attributes:
        generated: The generated events in it.
        reference: The reference events in it.
    """

    generated: Sample
    reference: Sample


def strata(by: object, generated: Sample, reference: Sample) -> tuple[Stratum, ...]:
    """Divide both samples into the bins of a condition.

    Args:
        by: ``None`` for one stratum of all events; a column name; or a pair (column name, bins), or a mapping
            {column name: bins}, with a number of equiprobable bins or edges. By default each value of a column with
            at most 20 distinct values is a stratum, and any other column has 5 equiprobable ones.
        generated: The generated sample.
        reference: The reference sample, whose quantiles the bins are made of.

    Raises:
        InputError: If a stratum has no events on one side, or the column does not exist.
        InputTypeError: If ``by`` is of another kind.
    """
    if by is None:
        whole = {"n_generated": len(generated), "n_reference": len(reference)}
        return (Stratum(label="", generated=generated, reference=reference, **whole),)
    name, axis = condition_axis(by, reference)
    ours_in, theirs_in = (
        axis.index(condition_values(sample, name, side))
        for sample, side in ((generated, "generated"), (reference, "reference"))
    )
    shares = [_shares(sample, index, axis.size) for sample, index in ((generated, ours_in), (reference, theirs_in))]
    found = []
    for i in range(axis.size):
        in_generated, in_reference = ours_in == i, theirs_in == i
        if in_generated.any() or in_reference.any():
            share = Shares(
                label=axis.label_of(name, i),
                n_generated=int(in_generated.sum()),
                n_reference=int(in_reference.sum()),
                share_generated=float(shares[0][i]),
                share_reference=float(shares[1][i]),
            )
            inside = generated.select(in_generated), reference.select(in_reference)
            found.append(Stratum(generated=inside[0], reference=inside[1], **asdict(share)))
    return tuple(found)


def condition_axis(by: object, reference: Sample) -> tuple[str, Axis]:
    """Return the column that divides the events, and the bins in which it does.

    Args:
        by: As for `strata`; not ``None``.
        reference: The reference sample.

    Raises:
        InputError: If the column does not exist or cannot be binned.
        InputTypeError: If ``by`` is of another kind.
    """
    name, spec = _condition(by)
    return name, _axis(spec, condition_values(reference, name, "reference"), reference.weight)


def _shares(sample: Sample, index: NDArray[np.intp], size: int) -> FloatArray:
    """Return the share of the weight, or of the events if they have none, in each bin."""
    weight = np.ones(index.size) if sample.weight is None else sample.weight
    sums = total_by_bin(index, weight, size).value
    return np.asarray(sums / sums.sum())


def condition_of(by: object) -> str | None:
    """Return the column that divides the events; ``None`` if nothing does.

    Raises:
        InputTypeError: If ``by`` is not understood.
    """
    return None if by is None else _condition(by)[0]


def _condition(by: object) -> tuple[str, Any]:
    """Return the column and what its bins are; ``None`` if that is not said."""
    if isinstance(by, Mapping) and len(by) == 1:
        by = next(iter(by.items()))
    if isinstance(by, str):
        return by, None
    if isinstance(by, tuple | list) and len(by) == _PAIR and isinstance(by[0], str) and not isinstance(by[1], str):
        return by[0], by[1]
    msg = f"by={by!r} is a {type(by).__name__} that is not understood; expected {_ACCEPTED}"
    raise InputTypeError(msg)


def condition_values(sample: Sample, name: str, side: str) -> FloatArray:
    """Return the condition of each event.

    Raises:
        InputError: If there is no such column, or it is not one finite number per event.
        InputTypeError: If it does not hold real numbers.
    """
    values = column(sample, name, side)
    if isinstance(values, Entries):
        msg = f"{side}: the condition {name!r} has several entries per event; expected one number per event"
        raise InputError(msg)
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        msg = f"{side}: the condition {name!r} is NaN or infinite in {bad:,} of {values.size:,} events; mend the sample"
        raise InputError(msg)
    return values


def _axis(spec: Any, values: FloatArray, weight: FloatArray | None) -> Axis:  # noqa: ANN401
    if spec is None:
        distinct = np.unique(values)
        if distinct.size <= _MOST_VALUES:
            return Axis(_around(distinct))
        spec = _DEFAULT
    return axis_for(spec, values, weight, "overflow")


def _around(values: FloatArray) -> tuple[float, ...]:
    """Return edges that give each value a bin of its own."""
    return tuple(edge for value in values.tolist() for edge in (value, math.nextafter(value, math.inf)))

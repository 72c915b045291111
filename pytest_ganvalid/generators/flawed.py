"""Deliberately flawed generators: each wraps a source of events and spoils them in one known way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer, check_not_negative, check_number
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.tables import numeric


class Source(Protocol):
    """Anything events can be drawn from: a toy simulator or a generator."""

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events."""
        ...


@dataclass(frozen=True, slots=True)
class Shift:
    """Adds a constant to one column.

    Attributes:
        source: Where the events come from.
        column: The column that is off.
        by: What is added, in the column's unit.
    """

    source: Source
    column: str
    by: float

    def __post_init__(self) -> None:
        """Check the size of the shift."""
        check_number("by", self.by)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events."""
        events = self.source.sample(n, seed=seed)
        flaw = {"flaw": f"{self.column} shifted by {self.by:g}"}
        return _with_column(events, self.column, _column(events, self.column) + self.by, flaw)


@dataclass(frozen=True, slots=True)
class Smear:
    """Adds normal noise to one column: a resolution that is too bad.

    Attributes:
        source: Where the events come from.
        column: The column that is smeared.
        width: Standard deviation of the noise, in the column's unit.
    """

    source: Source
    column: str
    width: float

    def __post_init__(self) -> None:
        """Check the size of the noise."""
        check_not_negative("width", self.width)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events."""
        events = self.source.sample(n, seed=seed)
        # A stream of its own: the noise must not be correlated with the source's use of the same seed, nor with
        # that of another smearing beneath this one.
        noise = np.random.default_rng([seed, 1, _depth(self)]).standard_normal(len(events))
        values = _column(events, self.column) + self.width * noise
        return _with_column(events, self.column, values, {"flaw": f"{self.column} smeared by {self.width:g}"})


@dataclass(frozen=True, slots=True)
class DropRegion:
    """Never produces events where low <= column < high: a dropped mode, or with high = inf a cut tail.

    Attributes:
        source: Where the events come from.
        column: The column that has the hole.
        low: Lower end of the region.
        high: Upper end of the region.
    """

    source: Source
    column: str
    low: float
    high: float

    def __post_init__(self) -> None:
        """Check the region."""
        if check_number("low", self.low) >= check_number("high", self.high):
            msg = f"the region from {self.low:g} to {self.high:g} is empty; expected low < high"
            raise InputError(msg)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events outside the region.

        Raises:
            InputError: If the source has (almost) no events outside.
        """
        check_integer("n", n)
        parts: list[Sample] = []
        batches = np.random.default_rng([check_integer("seed", seed, minimum=0), 2])
        missing, tries = n, 0
        while missing > 0:
            events = self.source.sample(max(missing, 100), seed=int(batches.integers(2**31)))
            values = _column(events, self.column)
            outside = np.flatnonzero((values < self.low) | (values >= self.high))[:missing]
            missing, tries = missing - outside.size, tries + 1
            parts.append(events.select(outside)) if outside.size else self._refuse_emptiness(tries)
        flaw = {"flaw": f"no {self.column} from {self.low:g} to {self.high:g}", "seed": int(seed)}
        return _joined(parts, flaw)

    def _refuse_emptiness(self, tries: int) -> None:
        if tries > 100:  # noqa: PLR2004 - at least 10 000 events, none of them outside
            region = f"{self.low:g} <= {self.column} < {self.high:g}"
            msg = f"the source has hardly any event outside {region}; narrow the region"
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class Shuffle:
    """Permutes columns among the events: each has the very same values, and nothing to do with the others any more.

    Attributes:
        source: Where the events come from; they must be unweighted.
        columns: The columns that are permuted, each by itself; ``None`` for all.
    """

    source: Source
    columns: tuple[str, ...] | None = None

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` events.

        Raises:
            InputError: If a column does not exist, or the events are weighted.
        """
        events = self.source.sample(n, seed=seed)
        if events.weight is not None:
            msg = "the source's events are weighted: shuffling would change every distribution; unweight them first"
            raise InputError(msg)
        rng = np.random.default_rng([seed, 4, _depth(self)])
        names = tuple(events.columns) if self.columns is None else self.columns
        shuffled = {name: rng.permutation(events[name]) for name in names}
        flaw = {"flaw": f"{', '.join(names)} shuffled"}
        return Sample({**events.columns, **shuffled}, None, {**events.provenance, **flaw})


def _depth(source: object) -> int:
    """Count the flaws that are stacked."""
    return 1 + _depth(source.source) if isinstance(source, Shift | Smear | DropRegion | Shuffle) else 0


def _column(events: Sample, name: str) -> NDArray[np.float64]:
    return numeric(events[name], f"column {name!r}")


def _with_column(events: Sample, name: str, values: NDArray[np.float64], flaw: Mapping[str, Any]) -> Sample:
    return Sample({**events.columns, name: values}, events.weight, {**events.provenance, **flaw})


def _joined(parts: list[Sample], flaw: Mapping[str, Any]) -> Sample:
    weights = [part.weight for part in parts if part.weight is not None]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns}
    return Sample(columns, np.concatenate(weights) if weights else None, {**parts[0].provenance, **flaw})

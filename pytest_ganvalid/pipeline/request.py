"""What is asked of events: every keyword that says how they are filled, read once, with all defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ganvalid._arguments import check_positive_integer, check_positive_number
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables.strata import Condition
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.samples.opening import open_source
from pytest_ganvalid.samples.sources import OWN_WEIGHT, Source

DEFAULT_BINS = 50
DEFAULT_MEMORY = 2**29
"""Bytes that events from files may take at a time."""
NONFINITE = ("error", "underflow", "overflow", "separate")
_LEAST_MEMORY = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user said of how events are filled; see `pytest_ganvalid.validate`.

    Attributes:
        observables: What to compare; ``None`` for every numeric column.
        condition: What divides the events.
        bins: One specification, or a mapping of observable -> specification.
        nonfinite: Where NaN and infinite values go; likewise.
        seed: Of whatever must be random.
        memory: Bytes that events may take at a time.
        client: A Dask client that does the work; ``None`` for threads.

    Raises:
        InputError: If a number is out of range, or ``nonfinite`` is unknown.
        InputTypeError: If an argument is of a kind that is not understood.
    """

    observables: object = None
    condition: Condition | None = None
    bins: Any = DEFAULT_BINS
    nonfinite: Any = "error"
    seed: int = 0
    memory: float = DEFAULT_MEMORY
    client: Any = None

    @classmethod
    def parsed(cls, *, by: object = None, **keywords: Any) -> Request:  # noqa: ANN401 - those of the class
        """Read the keywords of `pytest_ganvalid.validate` and `pytest_ganvalid.fill`."""
        return cls(condition=Condition.parsed(by), **keywords)

    def __post_init__(self) -> None:
        """Check what can be checked without events."""
        check_positive_integer("seed", self.seed, least=0)
        if check_positive_number("memory", self.memory) < _LEAST_MEMORY:
            msg = f"memory={self.memory!r} is too little; expected bytes, at least {_LEAST_MEMORY:,}"
            raise InputError(msg)
        for place in self.nonfinite.values() if isinstance(self.nonfinite, Mapping) else [self.nonfinite]:
            if place not in NONFINITE:
                msg = f"nonfinite={place!r} is unknown; expected one of {NONFINITE}"
                raise InputError(msg)

    @property
    def stated(self) -> tuple[str, ...]:
        """Names of the keywords that were given other values than their defaults."""
        usual = {
            "observables": self.observables is None,
            "by": self.condition is None,
            "bins": isinstance(self.bins, int) and self.bins == DEFAULT_BINS,  # edges may be an array
            "nonfinite": isinstance(self.nonfinite, str) and self.nonfinite == "error",
            "seed": self.seed == 0,
            "memory": self.memory == DEFAULT_MEMORY,
            "client": self.client is None,
        }
        return tuple(name for name, default in usual.items() if not default)

    def check_names(self, observables: Iterable[str]) -> None:
        """Refuse settings for what is not compared.

        Raises:
            InputError: If a setting names another observable.
        """
        names = set(observables)
        for what, setting in (("bins", self.bins), ("nonfinite", self.nonfinite)):
            unknown = [name for name in setting if name not in names] if isinstance(setting, Mapping) else []
            if unknown:
                msg = f"{what} names {unknown}, which are not observables of this check; there are {sorted(names)}"
                raise InputError(msg)

    def bins_of(self, name: str) -> Any:  # noqa: ANN401 - whatever bins may be
        """Return the bins of an observable."""
        return self.bins.get(name, DEFAULT_BINS) if isinstance(self.bins, Mapping) else self.bins

    def nonfinite_of(self, name: str) -> str:
        """Return where an observable's NaN and infinite values go."""
        return str(self.nonfinite.get(name, "error") if isinstance(self.nonfinite, Mapping) else self.nonfinite)


@dataclass(frozen=True, slots=True)
class Side:
    """Events of a side, and their weights.

    Attributes:
        source: The events.
        name: ``"generated"``, ``"reference"``, ``"training"``, or what else they are called in messages.
        weight: The column of weights; empty for those that a `Sample` has of its own, ``None`` for unweighted events.
    """

    source: Source
    name: str
    weight: str | None = None

    @classmethod
    def opened(cls, events: object, name: str, weight: object = None, *, pair: bool = True) -> Side:
        """Open events.

        Args:
            events: See `samples.opening.open_source`.
            name: What they are.
            weight: The name of a column, an array of a table in memory, or ``None``; ``False`` for no weights even if
                a sample has some of its own.
            pair: Whether there is another side, which may have other weights.

        Raises:
            InputError: If they cannot be read, or lack the column of weights.
            InputTypeError: If they are of another kind.
        """
        plain = weight is None or weight is False or isinstance(weight, str)
        source = open_source(events, name, None if plain else weight)
        if isinstance(weight, str):
            if weight not in source.names or not weight:
                reason = source.refused.get(weight)
                there = f"there is no weight column {weight!r}; there are {sorted(filter(None, source.names))}"
                hint = "; if only one sample is weighted, give a pair: weight=(generated_weight, reference_weight), "
                msg = f"{name}: {f'the weight column {weight!r} {reason}' if reason else there}"
                raise InputError(f"{msg}{hint}None for the other" if pair and not reason else msg)
            return cls(source, name, weight)
        return cls(source, name, OWN_WEIGHT if OWN_WEIGHT in source.names and weight is not False else None)


def weight_pair(weight: object) -> tuple[object, object]:
    """Return the weights of the generated and of the reference events: one column name serves both samples.

    Raises:
        InputTypeError: If the weight is neither a name nor a pair.
    """
    if weight is None or isinstance(weight, str):
        return weight, weight
    if isinstance(weight, tuple | list) and len(weight) == 2:  # noqa: PLR2004
        return weight[0], weight[1]
    msg = f"weight is a {type(weight).__name__}; expected a column name or a pair (generated_weight, reference_weight)"
    raise InputTypeError(msg)


def open_training(training: object) -> Side | Fingerprint | None:
    """Open the training events; a fingerprint stays what it is."""
    if training is None or isinstance(training, Fingerprint):
        return training
    return Side.opened(training, "training", weight=False)

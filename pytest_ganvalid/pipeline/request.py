"""What is asked of events: every keyword that says how they are filled, read once, with all defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ganvalid._arguments import check_choice, check_integer, check_positive_number
from pytest_ganvalid.errors import InputError, InputTypeError, absence, suggestion
from pytest_ganvalid.observables.strata import Condition
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.clusters import clustered
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.opening import open_source
from pytest_ganvalid.samples.sources import OWN_WEIGHT, Source
from pytest_ganvalid.samples.tables import weight_hint

DEFAULT_BINS = 50
DEFAULT_MEMORY = 2**29
"""Bytes that events from files may take at a time."""
CLUSTER_OF = ("repeats", "entries")
"""Roles of the rows of a cluster."""
NONFINITE = ("error", "underflow", "overflow", "separate")
_MIN_MEMORY = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The user's settings of how events are filled; see `pytest_ganvalid.validate`.

    Attributes:
        observables: What to compare; ``None`` for every numeric column.
        condition: The condition that divides the events.
        bins: One specification, or a mapping of observable -> specification.
        nonfinite: Where NaN and infinite values go; likewise.
        seed: Seed of everything that is random.
        memory: Bytes that events may take at a time.
        client: A Dask client that does the work; ``None`` for threads.
        cluster: The columns of the generated and of the reference events whose equal values are one cluster; one name
            for both, or whichever has it. With clusters across both sides their dependence is known, and need not be
            looked for.
        cluster_of: ``"repeats"``: the rows of a cluster are events with a common cause; ``"entries"``: they are entries
            of one event.

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
    cluster: tuple[str | None, str | None] | str | None = None
    cluster_of: str = "repeats"

    @classmethod
    def parsed(cls, *, by: object = None, **keywords: Any) -> Request:  # noqa: ANN401 - those of the class
        """Read the keywords of `pytest_ganvalid.validate` and `pytest_ganvalid.fill`."""
        return cls(condition=Condition.parsed(by), **keywords)

    def __post_init__(self) -> None:
        """Check what can be checked without events."""
        check_integer("seed", self.seed, minimum=0)
        if check_positive_number("memory", self.memory) < _MIN_MEMORY:
            msg = f"memory={self.memory!r} is too little; expected bytes, at least {_MIN_MEMORY:,}"
            raise InputError(msg)
        check_choice("cluster_of", self.cluster_of, CLUSTER_OF)
        object.__setattr__(self, "cluster", _cluster_columns(self.cluster))
        for destination in self.nonfinite.values() if isinstance(self.nonfinite, Mapping) else [self.nonfinite]:
            check_choice("nonfinite", destination, NONFINITE)

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
            "cluster": self.cluster is None,
            "cluster_of": self.cluster_of == CLUSTER_OF[0],
        }
        return tuple(name for name, default in usual.items() if not default)

    def check_names(self, observables: Iterable[str]) -> None:
        """Refuse settings for what is not compared.

        Raises:
            InputError: If a setting names another observable.
        """
        names = set(observables)
        for keyword, setting in (("bins", self.bins), ("nonfinite", self.nonfinite)):
            unknown = [name for name in setting if name not in names] if isinstance(setting, Mapping) else []
            if unknown:
                guess = suggestion(unknown[0], names)
                msg = f"{keyword}= names {unknown}{guess}, which are no observables here; there are {sorted(names)}"
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
        cluster: The column whose equal values are one cluster; ``None`` for independent events.
    """

    source: Source
    name: str
    weight: str | None = None
    cluster: str | None = None

    def sample(self, columns: Columns) -> Sample:
        """Make a sample of some events.

        Raises:
            InputError: If the column of weights or of clusters is missing.
            InputTypeError: If that column is of another kind.
        """
        return clustered(as_sample(columns, self.name, self.weight), self.cluster, self.name)

    @classmethod
    def opened(cls, events: object, name: str, weight: object = None, *, pair: bool = True) -> Side:
        """Open events.

        Args:
            events: See `samples.opening.open_source`.
            name: Name of the side.
            weight: The name of a column, an array of a table in memory, or ``None``; ``False`` for no weights even if
                a sample has some of its own.
            pair: Whether there is another side, which may have other weights.

        Raises:
            InputError: If the events cannot be read, or lack the column of weights.
            InputTypeError: If the events are of another kind.
        """
        plain = weight is None or weight is False or isinstance(weight, str)
        source = open_source(events, name, None if plain else weight)
        if isinstance(weight, str):
            if weight not in source.names or not weight:
                reason = source.refused.get(weight)
                hint = weight_hint(weight, name) if pair else ""
                problem = f"{absence('weight column', weight, source.names)}{hint}"
                msg = f"{name}: {f'the weight column {weight!r} {reason}' if reason else problem}"
                raise InputError(msg)
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


def _cluster_columns(cluster: object) -> Any:  # noqa: ANN401 - a name, a pair, or None
    """Return the columns of clusters.

    Raises:
        InputTypeError: If ``cluster`` is neither a name nor a pair.
    """
    if cluster is None or (isinstance(cluster, str) and cluster):
        return cluster
    if isinstance(cluster, tuple | list) and len(cluster) == 2 and all(_is_name(name) for name in cluster):  # noqa: PLR2004
        return None if tuple(cluster) == (None, None) else tuple(cluster)
    msg = (
        f"cluster={cluster!r} is a {type(cluster).__name__}; expected the name of a column, or a pair of names "
        "(generated, reference), None for a side without clusters"
    )
    raise InputTypeError(msg)


def _is_name(value: object) -> bool:
    return value is None or (isinstance(value, str) and bool(value))


def with_clusters(sides: Sequence[Side], cluster: Any) -> tuple[Side, ...]:  # noqa: ANN401 - that of a request
    """Return the sides with their columns of clusters.

    Args:
        sides: The generated and the reference events, or one of them.
        cluster: A name, or a pair of names or ``None``.

    Raises:
        InputError: If no side has the column, or a side lacks the column that is named for it.
    """
    if cluster is None:
        return tuple(sides)
    if isinstance(cluster, str):
        names = [cluster if cluster in side.source.names else None for side in sides]
        if not any(names):
            names = [cluster, *names[1:]]  # whose absence is refused
    else:
        names = [cluster[side.name == "reference"] for side in sides]
    for side, name in zip(sides, names, strict=True):
        if name is not None and (name not in side.source.names or name == side.weight):
            reason = side.source.refused.get(name)
            problem = absence("cluster column", name, side.source.names)
            msg = f"{side.name}: {f'the cluster column {name!r} {reason}' if reason else problem}"
            raise InputError(msg)
    return tuple(replace(side, cluster=name) for side, name in zip(sides, names, strict=True))


def open_training(training: object) -> Side | Fingerprint | None:
    """Open the training events; a fingerprint is returned as it is."""
    if training is None or isinstance(training, Fingerprint):
        return training
    return Side.opened(training, "training", weight=False)

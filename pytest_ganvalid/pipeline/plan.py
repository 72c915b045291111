"""The plan of a filling: observables, strata and bins. Histograms by the same plan add up and are compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_ganvalid.errors import InputError, absence
from pytest_ganvalid.histograms.bins import Axis, Bins, Fillable, Grid, WithOutside
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.requested import refuse_missing
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.pipeline.request import Side
from pytest_ganvalid.samples.columns import inner_columns

MULTIPLICITY = ": entries per event"
"""Suffix to the name of an observable, for the number of its entries."""
CLUSTER = "says which rows are one cluster"
"""Reason for which a column is left out."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram to fill with the events of one stratum.

    Attributes:
        name: The observable, and the stratum if there is one.
        stratum: Position of the bin of the condition.
        observable: What is computed for each event.
        bins: The bins of the observable.
        nonfinite: Where NaN and infinite values go; ``"error"`` if they are refused.
        numbers: Bins of the number of entries per event; ``None`` if every event has one.
        several: Side -> whether its events may have several entries, where that is known.
    """

    name: str
    stratum: int
    observable: Observable
    bins: Fillable
    nonfinite: str
    numbers: Fillable | None = None
    several: Mapping[str, bool] = field(default_factory=dict, compare=False)

    def contents(self) -> Iterator[tuple[str, Content]]:
        """Yield the name and the content; for several entries per event those of their number, too."""
        selected = self.observable.where is not None
        several, single = self.numbers is not None, isinstance(self.bins, Grid) and len(self.bins.axes) == 1
        yield (
            self.name,
            Content.of(self.bins, self.stratum, selected=selected, correlated=several, repeats=single and not several),
        )
        if self.numbers is not None:
            yield self.name + MULTIPLICITY, Content.of(self.numbers, self.stratum, selected=selected, correlated=False)

    def labels_of(self, content: str) -> tuple[str, ...]:
        """Return the names of the quantities that are binned in a content, one for each dimension."""
        columns = self.observable.columns or (self.observable.name,)
        return columns if content == self.name else (":".join(columns) + MULTIPLICITY,)

    def difference(self, other: Histogram) -> str:
        """Describe the difference from another histogram of the same name; empty if there is none."""
        for quantity, first, second in (
            ("columns", self.observable.columns, other.observable.columns),
            ("selection", self.observable.where, other.observable.where),
            ("nonfinite", self.nonfinite, other.nonfinite),
        ):
            if first != second:
                words = (":".join(value) if isinstance(value, tuple) else str(value) for value in (first, second))
                return f"{quantity} {' and '.join(words)}"
        if (self.numbers is None) != (other.numbers is None):
            return "events have one entry each, and several"
        difference = _bins_differ(self.bins, other.bins)
        if self.numbers is not None and other.numbers is not None and not difference:
            difference = _bins_differ(self.numbers, other.numbers)
        return difference


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a histogram.

    Attributes:
        inside: The bins that events are filled into.
        bins: Those bins, and one more for events that are not selected, where there is a selection.
        stratum: Position of the bin of the condition.
        correlated: Whether events have several entries.
        repeats: Whether the commonest values are listed: of columns by themselves, one entry per event.
    """

    inside: Fillable
    bins: Bins
    stratum: int
    correlated: bool
    repeats: bool = False

    @classmethod
    def of(cls, inside: Fillable, stratum: int, *, selected: bool, correlated: bool, repeats: bool = False) -> Content:
        """Describe a histogram; see the attributes."""
        return cls(inside, WithOutside(inside) if selected else inside, stratum, correlated, repeats)

    @property
    def size(self) -> int:
        """Number of bins."""
        return math.prod(self.bins.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillPlan:
    """How events are filled: what must be the same for histograms to add up, or to be compared.

    Attributes:
        weight: The column of weights; empty for those that a `Sample` has of its own, ``None`` for unweighted events.
        condition: The column that divides the events, and its bins; ``None`` if nothing does.
        histograms: The histograms, stratum by stratum.
        key: How rows are recognised; ``None`` if no column holds numbers.
        bins_from: Ids of the origins that bins were chosen from; empty if all bins were given.
        imposed: Whether the user says that the condition was imposed on the generated events.
        skipped: Where all columns are filled, the others -> reason, which is empty where the other side states it;
            ``None`` if the observables were stated.
        bins_share: Share of the events of these origins that the bins were chosen from.
        cluster: The column whose equal values are one cluster of events; ``None`` for independent events.
        units: Column -> its unit, where the events state it.
    """

    weight: str | None
    condition: tuple[str, Axis] | None
    histograms: tuple[Histogram, ...]
    key: Key | None
    bins_from: tuple[str, ...] = ()
    imposed: bool = False
    skipped: Mapping[str, str] | None = field(default=None, compare=False)
    bins_share: float = 1.0
    cluster: str | None = None
    units: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def strata(self) -> int:
        """Number of bins of the condition."""
        return 1 if self.condition is None else self.condition[1].size

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of what is compared, whatever the stratum."""
        return tuple(dict.fromkeys(histogram.observable.name for histogram in self.histograms))

    def contents(self) -> dict[str, Content]:
        """Return what is filled, by name."""
        return {name: content for histogram in self.histograms for name, content in histogram.contents()}

    def check_storable(self) -> None:
        """Refuse a plan that cannot be written to a file, or is of no use.

        Raises:
            InputError: If there is no histogram, two have one name, or an observable is not made of columns.
        """
        for histogram in self.histograms:
            check_storable(histogram.observable)
        names = [name for histogram in self.histograms for name, _ in histogram.contents()]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if not names or duplicates:
            problem = f"two histograms are named {duplicates[0]!r}" if duplicates else "there is no histogram"
            msg = f"{problem}; expected at least one, each with a name of its own"
            raise InputError(msg)

    def read_columns(self, available: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of a source that are filled, in its order, but for the weight.

        Args:
            available: Columns of the source.

        Raises:
            InputError: If a column is missing.
        """
        names = {name for histogram in self.histograms for name in histogram.observable.columns}
        names |= {h.observable.where for h in self.histograms if isinstance(h.observable.where, str)}
        conditions = set() if self.condition is None else {self.condition[0]}
        inner = {inner for name in names | conditions for inner in inner_columns(name, available)}
        missing = sorted(inner.difference(available))
        if self.skipped is not None and not conditions.intersection(missing):
            refuse_missing(missing)
        if missing:
            raise InputError(absence("column", missing[0], available))
        return tuple(name for name in available if name in inner)

    def like(self, side: Side) -> FillPlan:
        """Return the plan that fills other events alike, with their columns that are left out."""
        if self.skipped is None:
            return replace(self, weight=side.weight, cluster=side.cluster)
        read: set[str | None] = {name for histogram in self.histograms for name in histogram.observable.columns}
        read |= {self.weight, side.weight, "", None if self.condition is None else self.condition[0]}
        others = {name: "" for name in side.source.names if name not in read}
        others |= {name: unreadable(reason) for name, reason in side.source.refused.items()}
        others |= {} if side.cluster is None else {side.cluster: CLUSTER}
        skipped = dict(sorted((others | {**self.skipped}).items()))
        return replace(self, weight=side.weight, cluster=side.cluster, skipped=skipped)

    def difference(self, other: FillPlan) -> str:
        """Describe the difference from another plan, but for the weight; empty if there is none."""
        (column, axis), (other_column, other_axis) = (plan.condition or (None, None) for plan in (self, other))
        if self.imposed != other.imposed:
            return "the condition is imposed on the generated events by one of them only"
        if column != other_column:
            return f"the events are divided by {column or 'nothing'} and by {other_column or 'nothing'}"
        if axis is not None and other_axis is not None and (text := _axes_differ(axis, other_axis)):
            return f"the bins of the condition {column!r}: {text}"
        first, second = ({h.name: h for h in plan.histograms} for plan in (self, other))
        exclusive = [sorted(set(a) - set(b)) for a, b in ((first, second), (second, first))]
        if any(exclusive):
            return f"only the first have {exclusive[0]}, and only the second {exclusive[1]}"
        differences = ((name, histogram.difference(second[name])) for name, histogram in first.items())
        return next((f"{name!r}: {difference}" for name, difference in differences if difference), "")


def unreadable(reason: str) -> str:
    """Say that a column is left out for a reason that its source gives."""
    return f"cannot be read: it {reason}"


def check_storable(observable: object) -> None:
    """Refuse an observable that a file cannot describe.

    Raises:
        InputError: If the observable is not made of columns alone.
    """
    storable = isinstance(observable, Observable) and observable.columns and observable.function is None
    if not storable or callable(getattr(observable, "where", None)):
        name = getattr(observable, "name", observable)
        msg = (
            f"observable {name!r} is not made of columns alone, and cannot be filled part by part into files; expected "
            "column names, tuples of them, leading(x), sum(x), count(x), KDTree, or a Selection by a column of "
            "booleans: write what it computes to the events as a column"
        )
        raise InputError(msg)


def _bins_differ(a: Fillable, b: Fillable) -> str:
    if a == b:
        return ""
    if type(a) is not type(b) or len(a.axes) != len(b.axes):
        return f"bins of another kind, of shape {a.shape} and {b.shape}"
    axes = (_axes_differ(x, y) for x, y in zip(a.axes, b.axes, strict=True))
    return next((difference for difference in axes if difference), f"other cells, {a.shape[0]} and {b.shape[0]}")


def _axes_differ(a: Axis, b: Axis) -> str:
    if a.circular != b.circular:
        return "one of them is circular"
    if len(a.edges) != len(b.edges):
        return f"{len(a.edges)} and {len(b.edges)} edges"
    edges = enumerate(zip(a.edges, b.edges, strict=True))
    return next((f"edge {i} is {x!r} and {y!r}" for i, (x, y) in edges if x != y), "")

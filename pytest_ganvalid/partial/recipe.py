"""How histograms are filled: what must be the same for them to add up, or to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis, Bins, Fillable, Grid, Slabs, WithOutside
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.questions import MULTIPLICITY
from pytest_ganvalid.samples.columns import parse
from pytest_ganvalid.streaming import Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is filled, and how.

    Attributes:
        weight: The column of weights; empty for those that a `Sample` has of its own, ``None`` for unweighted events.
        condition: The column that divides the events, and its bins; ``None`` if nothing does.
        histograms: What is filled, stratum by stratum.
        bins_from: Ids of the parts that bins were chosen from; empty if all bins were given.
    """

    weight: str | None
    condition: tuple[str, Axis] | None
    histograms: tuple[Histogram, ...]
    bins_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be written to a file, or is of no use.

        Raises:
            InputError: If there is no histogram, two have one name, or one is not of columns.
        """
        names = [name for name, _ in self.contents()]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if not names or repeated:
            what = f"two histograms are named {repeated[0]!r}" if repeated else "there is no histogram"
            msg = f"{what}; expected at least one, each with a name of its own"
            raise InputError(msg)
        for histogram in self.histograms:
            check_observable(histogram.observable)

    @property
    def strata(self) -> int:
        """Number of bins of the condition."""
        return 1 if self.condition is None else self.condition[1].size

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of what is compared, whatever the stratum."""
        return tuple(dict.fromkeys(histogram.observable.name for histogram in self.histograms))

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read, but for the weight; reducing expressions as they are."""
        read = {name for histogram in self.histograms for name in histogram.observable.columns}
        read |= {h.observable.where for h in self.histograms if isinstance(h.observable.where, str)}
        return frozenset(read if self.condition is None else read | {self.condition[0]})

    def contents(self) -> Iterator[tuple[str, Content]]:
        """Yield what is filled, with its name; of several entries per event their number, too."""
        for histogram in self.histograms:
            inside = histogram.bins
            selected = histogram.observable.where is not None
            bins: Bins = WithOutside(inside) if selected else inside
            correlated = histogram.numbers is not None
            yield histogram.name, Content(inside, bins, histogram.stratum, correlated=correlated)
            if histogram.numbers is not None:
                bins = WithOutside(histogram.numbers) if selected else histogram.numbers
                name = histogram.name + MULTIPLICITY
                yield name, Content(histogram.numbers, bins, histogram.stratum, correlated=False)

    def difference(self, other: Recipe) -> str:
        """Say where another recipe, but for the weight, is not the same; empty if it is."""
        (ours, our_axis), (theirs, their_axis) = (one.condition or (None, None) for one in (self, other))
        if ours != theirs:
            return f"the events are divided by {ours or 'nothing'} and by {theirs or 'nothing'}"
        if our_axis is not None and their_axis is not None and (found := _axes_differ(our_axis, their_axis)):
            return f"the bins of the condition {ours!r}: {found}"
        mine, its = ({h.name: h for h in recipe.histograms} for recipe in (self, other))
        alone = [sorted(set(a) - set(b)) for a, b in ((mine, its), (its, mine))]
        if any(alone):
            return f"only the first have {alone[0]}, and only the second {alone[1]}"
        where = ((name, _differ(histogram, its[name])) for name, histogram in mine.items())
        return next((f"{name!r}: {what}" for name, what in where if what), "")


@dataclass(frozen=True, slots=True)
class Content:
    """What a histogram holds.

    Attributes:
        inside: The bins that events are filled into.
        bins: Those, and one more for events that are not selected, where there is a selection.
        stratum: Position of the bin of the condition.
        correlated: Whether events have several entries.
    """

    inside: Fillable
    bins: Bins
    stratum: int
    correlated: bool


def check_observable(observable: object) -> None:
    """Refuse what a file cannot say.

    Raises:
        InputError: If it is not made of columns alone.
    """
    named = isinstance(observable, Observable) and observable.columns and observable.function is None
    if not named or callable(getattr(observable, "where", None)):
        name = getattr(observable, "name", observable)
        msg = (
            f"observable {name!r} is not made of columns alone, and cannot be filled part by part into files; expected "
            "column names, tuples of them, leading(x), sum(x), count(x), KDTree, or a Selection by a column of "
            "booleans: write what it computes to the events as a column"
        )
        raise InputError(msg)


def read_columns(recipe: Recipe, there: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a source that are read, in its order, but for the weight.

    Args:
        recipe: How histograms are filled.
        there: Columns of the source.

    Raises:
        InputError: If one is missing.
    """
    wanted = set()
    for name in recipe.columns:
        reduction = None if name in there else parse(name)
        wanted.add(name if reduction is None else reduction.column)
    missing = sorted(wanted - set(there))
    if missing:
        msg = f"there is no column {missing[0]!r}; there are {sorted(filter(None, there))}"
        raise InputError(msg)
    return tuple(name for name in there if name in wanted)


def _differ(a: Histogram, b: Histogram) -> str:
    """Say in what two histograms of one name differ."""
    for what, ours, theirs in (
        ("columns", a.observable.columns, b.observable.columns),
        ("selection", a.observable.where, b.observable.where),
        ("nonfinite", a.nonfinite, b.nonfinite),
    ):
        if ours != theirs:
            return f"{what} {_words(ours)} and {_words(theirs)}"
    if (a.numbers is None) != (b.numbers is None):
        return "events have one entry each, and several"
    found = _bins_differ(a.bins, b.bins)
    if a.numbers is not None and b.numbers is not None and not found:
        found = _bins_differ(a.numbers, b.numbers)
    return found


def _words(value: object) -> str:
    return ":".join(value) if isinstance(value, tuple) else str(value)


def _bins_differ(a: Bins, b: Bins) -> str:
    if a == b:
        return ""
    ours, theirs = (_axes(bins) for bins in (a, b))
    if type(a) is not type(b) or len(ours) != len(theirs):
        return f"bins of another kind, of shape {a.shape} and {b.shape}"
    found = (_axes_differ(x, y) for x, y in zip(ours, theirs, strict=True))
    return next((what for what in found if what), f"other cells, {a.shape[0]} and {b.shape[0]}")


def _axes(bins: Bins) -> tuple[Axis, ...]:
    if isinstance(bins, Slabs):
        return (bins.x, *bins.y)
    return bins.axes if isinstance(bins, Grid) else ()


def _axes_differ(a: Axis, b: Axis) -> str:
    if len(a.edges) != len(b.edges):
        return f"{len(a.edges)} and {len(b.edges)} edges"
    edges = enumerate(zip(a.edges, b.edges, strict=True))
    return next((f"edge {i} is {x!r} and {y!r}" for i, (x, y) in edges if x != y), "")

"""The draft of a comparison, before anything is filled: which columns are read, and which bins are chosen.

Bins are chosen from a bounded part of the reference, from all over it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, absence, placed
from pytest_ganvalid.histograms.binning import axis_for, axis_of_values, bins_for, cells_for
from pytest_ganvalid.histograms.bins import Axis, Fillable
from pytest_ganvalid.observables.needed import needed_columns
from pytest_ganvalid.observables.observable import Observable, Values
from pytest_ganvalid.observables.requested import (
    ONLY_GENERATED,
    AnyObservable,
    no_observable,
    refuse_missing,
    resolve,
    skipped_columns,
)
from pytest_ganvalid.observables.strata import Condition, condition_values
from pytest_ganvalid.overlaps.digests import is_numeric
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.key import HEAD, Key, key_columns, key_of, tells_events
from pytest_ganvalid.pipeline.plan import CLUSTER, FillPlan, Histogram, unreadable
from pytest_ganvalid.pipeline.preview import FIRST, Preview, drawn, has_numbers, head, preview, row_bytes
from pytest_ganvalid.pipeline.request import DEFAULT_BINS, Request, Side
from pytest_ganvalid.pipeline.run import MANY, Runner
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.columns import inner_columns
from pytest_ganvalid.samples.features import hint, is_nested, refuse_wide
from pytest_ganvalid.samples.formats import Columns

FloatArray = NDArray[np.float64]
Sides = tuple[Side, Side]
_MAX_VALUES = 20  # a condition of no more distinct values has a stratum for each
_N_STRATA = 5  # equiprobable strata of any other condition


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What is to be filled and compared, after a preview of both sides.

    Attributes:
        sides: The generated and the reference events.
        request: The settings of the user.
        columns: Columns to read of either side.
        heads: The first rows of either side.
        previews: Some rows of either side.
        observables: What is compared.
        key: How rows are recognised; ``None`` if the sides have no column of numbers in common.
        training_key: Likewise for rows of the training; ``None`` if there is no training.
        full_sides: The sides with all their columns.
        reference_only: Columns of the reference only, that ``observables=None`` leaves out -> reason.
        lost: Columns of one side only that tell events apart, where those of both do not.
    """

    sides: Sides
    request: Request
    columns: tuple[tuple[str, ...], tuple[str, ...]]
    heads: tuple[Columns, Columns]
    previews: tuple[Preview, Preview]
    observables: tuple[AnyObservable, ...]
    key: Key | None
    training_key: Key | None
    full_sides: Sides
    reference_only: Mapping[str, str]
    lost: tuple[str, ...] = ()

    @classmethod
    def of(cls, sides: Sides, request: Request, runner: Runner, training: Side | Fingerprint | None = None) -> Draft:
        """Draft the comparison of two sides.

        Raises:
            InputError: If columns are missing or cannot be read, or there are no events.
            InputTypeError: If an observable is of an unknown kind.
        """
        needed = _observable_columns(sides, request, runner)
        reference_only = _only_reference(sides, request, runner)
        names, training_names = _key_names(sides, needed, training, runner)
        columns = _columns(sides, needed | {*names, *training_names}, request)
        heads = [head(side, chosen, HEAD, runner) for side, chosen in zip(sides, columns, strict=True)]
        rows, full_sides = [row_bytes(first) for first in heads], sides
        narrow = [replace(side, source=side.source.keeping(c)) for side, c in zip(sides, columns, strict=True)]
        sides = narrow[0], narrow[1]
        generated = sides[0].sample(heads[0])
        reference = preview(sides[1], columns[1], rows[1], request.memory, runner)
        source = sides[0].source
        previews = (
            Preview(generated, len(generated) == source.rows, False, rows[0], source.rows),  # noqa: FBT003
            reference,
        )
        condition = None if request.condition is None else request.condition.column
        samples = [generated, reference.sample]
        if request.observables is None and (unrequested := _unrequested(full_sides)):
            samples = [_without(sample, unrequested) for sample in samples]
        observables = resolve(request.observables, samples[0], samples[1], condition)
        request.check_names(observable.name for observable in observables)
        truth = reference.sample.columns
        key: Key | None = key_of(truth, names) if names else None
        training_key = key if training_names == names else key_of(truth, training_names) if training_names else None
        if isinstance(training, Fingerprint):
            training_key = training.key
        lost = () if key is not None and key.tells else _lost(full_sides, runner)
        return cls(
            sides,
            request,
            columns,
            (heads[0], heads[1]),
            previews,
            observables,
            key,
            training_key,
            full_sides,
            reference_only,
            lost,
        )

    def redrawn(self, runner: Runner) -> Draft:
        """Draw the rows that bins are chosen from out of all of the reference."""
        preview_ = drawn(self.sides[1], self.columns[1], self.previews[1].row, self.request.memory, runner)
        return replace(self, previews=(self.previews[0], preview_))

    @property
    def binned(self) -> tuple[Observable, ...]:
        """The observables that are histogrammed event by event."""
        return tuple(observable for observable in self.observables if isinstance(observable, Observable))

    @property
    def is_plain(self) -> bool:
        """Whether all histograms are of columns; functions of the user's are not called at the same time."""
        return all(observable.is_plain for observable in self.binned)

    def plan(self, runner: Runner) -> FillPlan:
        """Choose all bins; the runner takes the observables side by side.

        Raises:
            InputError: If the reference cannot be binned; the message names the observable.
        """
        generated, reference = (preview_.sample for preview_ in self.previews)
        condition = _axis_of(self.request.condition, reference)
        index = None
        if condition is not None:
            index = condition[1].index(condition_values(reference, condition[0], "reference"))
        histograms, skipped = [], self.skipped()
        for stratum in range(1 if condition is None else condition[1].size):
            inside = None if index is None else index == stratum
            # A stratum without rows in the preview is binned like the whole sample.
            sample = reference if inside is None or not inside.any() else reference.select(inside)
            label = "" if condition is None else f" | {condition[1].label_of(condition[0], stratum)}"
            longest_first = sorted(self.binned, key=lambda observable: -len(observable.columns))
            choose = partial(self._histogram_or_error, label, stratum, sample, generated)
            results = runner.each(choose, longest_first, at_once=self.is_plain and len(sample) >= MANY)
            by_name = {o.name: result for o, result in zip(longest_first, results, strict=True)}
            for observable in self.binned:
                result = by_name[observable.name]
                if isinstance(result, Histogram):
                    histograms.append(result)
                    continue
                explicit = isinstance(self.request.bins, Mapping) and observable.name in self.request.bins
                if not isinstance(result, InputError) or skipped is None or not observable.tree or explicit:
                    raise result
                skipped[observable.name + label] = result.message  # its columns are compared one by one
        side = self.sides[1]
        return FillPlan(
            weight=side.weight,
            condition=condition,
            histograms=tuple(histograms),
            key=self.key,
            imposed=self.request.condition is not None and self.request.condition.imposed,
            skipped=None if skipped is None else dict(sorted(skipped.items())),
            cluster=side.cluster,
            units={name: unit for name, unit in side.source.units.items() if name in self.columns[1]},
        )

    def _histogram_or_error(
        self, label: str, stratum: int, reference: Sample, generated: Sample, observable: Observable
    ) -> Histogram | Exception:
        """Return an error instead of raising it: errors are told of in the order of the observables."""
        try:
            with placed(f"observable {observable.name + label!r}"):
                return self._histogram(observable, label, stratum, reference, generated)
        except Exception as error:  # noqa: BLE001 - of a user's function, too
            return error

    def _histogram(
        self, observable: Observable, label: str, stratum: int, reference: Sample, generated: Sample
    ) -> Histogram:
        nonfinite, spec = self._nonfinite(observable), self._spec(observable)
        first_events = generated.first(min(FIRST, len(generated)))
        values = observable.values(reference, "reference")
        weight = values.weight(reference.weight)
        finite = np.all([np.isfinite(column) for column in values.columns], axis=0)
        # Values that must be finite and are not are refused when all events are filled, where their place is known.
        finite_values = (
            values if nonfinite != "error" or finite.all() else Values(tuple(c[finite] for c in values.columns))
        )
        if finite_values is not values:
            weight = None if weight is None else weight[finite]
        outside = _outside(values, reference.weight)
        events = {"n_effective": _effective_events(values, reference.weight), "outside": outside}
        bins = _bins(observable, spec, finite_values, weight, nonfinite, events)
        several = {
            "generated": observable.values(first_events, "generated").counts is not None,
            "reference": values.counts is not None,
        }
        numbers = None
        if any(several.values()):
            counts = values.multiplicity()
            counts_weight = counts.weight(reference.weight)
            numbers = bins_for(DEFAULT_BINS, counts.columns, counts_weight, "overflow", outside=outside)
        return Histogram(observable.name + label, stratum, observable, bins, nonfinite, numbers, several)

    def _nonfinite(self, observable: Observable) -> str:
        """Return where NaN and infinite values go; for all columns together, where those of the columns go."""
        nonfinite = self.request.nonfinite_of(observable.name)
        if self.request.observables is not None or nonfinite != "error":
            return nonfinite
        if not observable.tree:
            unbounded = {name for side in self.full_sides for name in side.source.infinite}
            infinite = "nonfinite" not in self.request.stated and unbounded.intersection(observable.columns)
            return "separate" if infinite else nonfinite
        destinations = {self.request.nonfinite_of(name) for name in observable.columns} - {"error"}
        return "error" if not destinations else destinations.pop() if len(destinations) == 1 else "separate"

    def _spec(self, observable: Observable) -> Any:  # noqa: ANN401 - whatever bins may be
        """Return the requested bins; edges are for single columns, and not for all of them together."""
        spec = self.request.bins_of(observable.name)
        unstated = self.request.observables is None and observable.tree and not isinstance(self.request.bins, Mapping)
        return DEFAULT_BINS if unstated and not isinstance(spec, Integral) else spec

    def is_numbered(self, observable: Observable) -> bool:
        """Tell whether the bins of an observable are chosen from the reference."""
        return isinstance(self._spec(observable), Integral)

    def chooses_bins(self, plan: FillPlan) -> bool:
        """Tell whether any bins of a plan were chosen from the reference."""
        condition = self.request.condition
        several = any(histogram.numbers is not None for histogram in plan.histograms)
        return several or any(map(self.is_numbered, self.binned)) or (condition is not None and condition.chosen)

    def skipped(self) -> dict[str, str] | None:
        """Return column -> reason of those ``observables=None`` leaves out; ``None`` if observables are stated."""
        if self.request.observables is not None:
            return None
        condition = None if self.request.condition is None else self.request.condition.column
        skipped = skipped_columns(self.previews[0].sample, self.previews[1].sample, condition)
        skipped = {name: reason for name, reason in skipped.items() if reason != ONLY_GENERATED}
        skipped |= self.reference_only
        reference, weight = self.full_sides[1], self.full_sides[0].weight
        if weight and weight != reference.weight and weight in reference.source.names:
            skipped[weight] = "holds the weights of the generated events"
        unrequested = {
            name: reason for name, reason in _unrequested(self.full_sides).items() if name in reference.source.names
        }
        skipped |= {name: reason for name, reason in unrequested.items() if name != reference.weight}
        skipped |= {side.cluster: CLUSTER for side in self.full_sides if side.cluster in reference.source.names}
        return skipped | {name: unreadable(reason) for name, reason in reference.source.refused.items()}


def _observable_columns(sides: Sides, request: Request, runner: Runner) -> set[str]:  # noqa: C901 - a case for each way to ask
    """Return the columns that the observables are made of."""
    clusters, weights = {side.cluster for side in sides}, {side.weight for side in sides}
    common = {n for n in sides[1].source.names if n and n in sides[0].source.names and n not in clusters}
    if request.condition is not None:
        for side in sides:
            for name in inner_columns(request.condition.column, side.source.names):
                check_column(side, name)
    if request.observables is None:
        _refuse_uneven(sides)
        columns = common - weights - _unrequested(sides).keys()
        refuse_wide(columns)
    else:
        samples = [side.sample(head(side, side.source.names, FIRST, runner)) for side in sides]
        condition = None if request.condition is None else request.condition.column
        try:
            observables = resolve(request.observables, samples[0], samples[1], condition)
            columns = {
                name for observable in observables for name in needed_columns(observable, samples[0], samples[1])
            }
        except InputError as error:
            msg = f"{error}{_refusals(sides, str(error))}"
            raise InputError(msg) from None
        _refuse_clusters(observables, sides)
        for side, sample in zip(sides, samples, strict=True):
            for name in sorted(columns.intersection(side.source.refused)):
                check_column(side, name)
            for name in (name for o in observables if isinstance(o, Observable) for name in o.columns):
                for inner in inner_columns(name, sample.columns):
                    check_column(side, inner)
    if not common - weights and not columns - weights:
        names = [sorted(filter(None, side.source.names)) for side in sides]
        msg = (
            f"the samples share no column: generated has {names[0]}, reference {names[1]}; name alike what is to be "
            "compared"
        )
        raise InputError(msg)
    return columns


def _unrequested(sides: Sides) -> dict[str, str]:
    """Return the columns that either side leaves out unless they are named -> reason."""
    return {name: reason for side in sides for name, reason in side.source.unrequested.items()}


def _without(sample: Sample, names: Collection[str]) -> Sample:
    """Return a sample without some columns."""
    return replace(sample, columns={name: values for name, values in sample.columns.items() if name not in names})


def _only_reference(sides: Sides, request: Request, runner: Runner) -> dict[str, str]:
    """Say which columns of the reference only are left out where all are compared.

    Raises:
        InputError: If other columns are missing from the generated sample: it has lost them.
    """
    if request.observables is not None:
        return {}
    other, side = sides
    excluded = {*other.source.names, side.weight, side.cluster, "", *_unrequested(sides)}
    names = [name for name in side.source.names if name not in excluded]
    skipped = {}
    if names:
        first = head(side, names, HEAD, runner)
        skipped = {name: reason for name in names if (reason := no_observable(first[name]))}
    refuse_missing(set(names) - set(skipped))
    return skipped


def _key_names(
    sides: Sides, needed: set[str], training: Side | Fingerprint | None, runner: Runner
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose the columns that rows are recognised by, and those that rows of the training are recognised by.

    Raises:
        InputError: If the reference lacks columns that rows of the training are recognised by.
    """
    names = _distinguishing((sides[1], sides[0]), needed, runner)
    if training is None:
        return names, ()
    if isinstance(training, Fingerprint):
        first = head(sides[1], sides[1].source.names, FIRST, runner)
        missing = [name for name in training.columns if name not in first or not is_numeric(first[name])]
        if missing:
            numbers = [name for name, values in first.items() if name and is_numeric(values)]
            common = [name for name in training.columns if name in numbers]
            msg = (
                f"the reference has no numeric columns {missing}, of which the fingerprint of the training was made "
                f"beside others; it has {numbers}: make it anew of those of both, "
                f"gv.fingerprint(events, columns={common or numbers}, weight=...)"
            )
            raise InputError(msg)
        return names, training.columns
    if names and has_numbers(training, names, runner):
        return names, names
    common_names = _distinguishing((sides[1], training), needed, runner)
    if not common_names:
        raise no_common_columns(sides[1].source.names, training.source.names)
    return names, common_names


def no_common_columns(reference: Sequence[str], training: Sequence[str]) -> InputError:
    """Return the error that the reference cannot be compared with the training."""
    return InputError(
        f"reference and training have no numeric column in common: {sorted(filter(None, reference))} and "
        f"{sorted(filter(None, training))}; expected the same columns, by the same names: whether they share rows must "
        "be known"
    )


def _lost(sides: Sides, runner: Runner) -> tuple[str, ...]:
    """Return columns of one side only that tell its events apart."""
    lost = []
    for side, other in (sides, sides[::-1]):
        auxiliary = {side.weight, side.cluster}
        exclusive = [name for name in side.source.names if name and name not in {*auxiliary, *other.source.names}]
        lost += [name for name in exclusive if tells_events(head(side, [name], HEAD, runner)[name])]
    return tuple(lost)


def _distinguishing(sides: Sequence[Side], needed: set[str], runner: Runner) -> tuple[str, ...]:
    """Choose columns that tell the events of some sides apart; columns that are not needed otherwise come last."""
    weights = {name for side in sides for name in (side.weight, side.cluster)}
    common = [n for n in sides[0].source.names if n and all(n in s.source.names for s in sides) and n not in weights]
    read = [name for name in common if name in needed]
    names: tuple[str, ...] = ()
    sparing = sides[0].source is sides[1].source  # of one sample, and what others have is not known
    for candidates in (read, common):
        if candidates and (candidates is read or len(common) > len(read)):
            samples = [Sample(head(side, candidates, HEAD, runner)) for side in sides]
            names, distinct = key_columns(samples, read, sparing=sparing)
            if distinct:
                break
    return names


def _columns(sides: Sides, needed: set[str], request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the columns that are read of either side, in the order of the source."""
    chosen = []
    for side in sides:
        names = {*needed, side.weight, side.cluster}
        if request.condition is not None:
            names.update(inner_columns(request.condition.column, side.source.names))
        chosen.append(tuple(name for name in side.source.names if name in names))
    return chosen[0], chosen[1]


def _refuse_uneven(sides: Sides) -> None:
    """Refuse to omit columns that only some files have, only one side can be read of, or that are nested too deep.

    Raises:
        InputError: If there are such columns.
    """
    deep = {name: reason for side in sides for name, reason in side.source.refused.items() if is_nested(reason)}
    if deep:
        others = [n for n in sides[1].source.names if n and n in sides[0].source.names and n not in _unrequested(sides)]
        first, *rest = deep.items()
        addition = (
            f"; so {'is' if len(rest) == 1 else 'are'} {', '.join(repr(name) for name, _ in rest)}" if rest else ""
        )
        msg = f"column {first[0]!r} {first[1]}{addition}. To compare without: observables={others}"
        raise InputError(msg)
    for side, other in (sides, sides[::-1]):
        for name, reason in side.source.refused.items():
            if name in side.source.uneven or name in other.source.names:
                msg = f"{side.name}: column {name!r} {reason}; name the observables to compare, or mend the files"
                raise InputError(msg)


def _refuse_clusters(observables: Sequence[AnyObservable], sides: Sides) -> None:
    """Refuse to compare the column of clusters.

    Raises:
        InputError: If an observable is made of that column.
    """
    clusters = {side.cluster for side in sides}
    for observable in observables:
        columns = observable.columns if isinstance(observable, Observable) else ()
        if name := next((name for name in columns if name in clusters), None):
            msg = f"observable {observable.name!r}: {name!r} says which rows are one cluster, and is not compared"
            raise InputError(msg)


def _refusals(sides: Sides, error: str) -> str:
    """Say why columns that an error names cannot be read."""
    return "".join(
        f"; {side.name}: column {name!r} {reason}"
        for side in sides
        for name, reason in side.source.refused.items()
        if repr(name) in error
    )


def check_column(side: Side, name: str) -> None:
    """Refuse a column that a side does not have.

    Raises:
        InputError: If the column is missing or cannot be read.
    """
    if name not in side.source.names:
        reason = side.source.refused.get(name)
        names = side.source.names
        problem = f"column {name!r} {reason}" if reason else absence("column", name, names, hint(name, names))
        msg = f"{side.name}: {problem}"
        raise InputError(msg)


def _axis_of(condition: Condition | None, reference: Sample) -> tuple[str, Axis] | None:
    """Return the column that divides the events, and the bins in which it does."""
    if condition is None:
        return None
    values, bins = condition.values(reference, "reference"), condition.bins
    if bins is None:
        distinct = np.unique(values)
        if distinct.size <= _MAX_VALUES:  # a bin for each value
            return condition.column, axis_of_values(distinct)
    return condition.column, axis_for(_N_STRATA if bins is None else bins, values, reference.weight, "overflow")


def _effective_events(values: Values, weight: FloatArray | None) -> float | None:
    """Return the effective number of events that have entries, as those of an event may fall together.

    ``None`` if every event has one entry.
    """
    if values.counts is None:
        return None
    sums = values.counts.astype(np.float64)
    if weight is not None:
        sums *= weight if values.selected is None else weight[values.selected]
    squares = float(sums @ sums)
    return float(sums.sum()) ** 2 / squares if squares > 0 else 0.0


def _outside(values: Values, weight: FloatArray | None) -> float:
    """Return the absolute weight of the events outside a selection."""
    if values.selected is None:
        return 0.0
    outside = ~values.selected
    return float(np.count_nonzero(outside)) if weight is None else float(np.abs(weight[outside]).sum())


def _bins(
    observable: Observable,
    spec: object,
    values: Values,
    weight: FloatArray | None,
    nonfinite: str,
    events: Mapping[str, Any],
) -> Fillable:
    """Return the bins of an observable for the user's specification.

    Raises:
        InputError: If there are no values, or the values cannot be binned in this way.
        InputTypeError: If the specification is of another kind.
    """
    if not all(column.size for column in values.columns):
        msg = (
            "no event of the reference is selected or has an entry; there is nothing to choose bins from: give edges, "
            "or another observable"
        )
        raise InputError(msg)
    if observable.tree:
        return cells_for(spec, values.columns, weight, nonfinite, observable.columns, **events)
    return bins_for(spec, values.columns, weight, nonfinite, **events)

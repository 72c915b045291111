"""The questions of a check: one for each observable in each stratum, answered from two histograms or two numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.binning import bins_for, cells_for
from pytest_ganvalid.histograms.bins import Fillable, refuse_nonfinite
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.observables.observable import Observable, Values
from pytest_ganvalid.observables.resolve import Estimating, Scoring, Wanted
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.strata import Stratum

FloatArray = NDArray[np.float64]

DEFAULT_BINS = 50
MULTIPLICITY = ": entries per event"
"""What is put after the name of an observable to name the number of its entries."""
NONFINITE = ("error", "underflow", "overflow", "separate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Do these two agree?

    Attributes:
        name: The observable, and the stratum if there is one.
        generated: Histogram or number of the generated sample.
        reference: Likewise of the reference.
        share: Of n_required: the stratum's.
        used: Shares of the generated and of the reference events that these were made of.
        how: How it was found, if that took more than filling a histogram.
    """

    name: str
    generated: BinSums | Estimate
    reference: BinSums | Estimate
    share: float = 1.0
    used: tuple[float, float] = (1.0, 1.0)
    how: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user said about how to look.

    Attributes:
        observables: What to compare.
        bins: One specification, or a mapping of observable -> specification.
        nonfinite: Where NaN and infinite values go; likewise.
        seed: Of whatever must be random.

    Raises:
        InputError: If a setting is made for an observable that is not compared, or is unknown.
    """

    observables: Sequence[Wanted]
    bins: object
    nonfinite: object
    seed: int

    def __post_init__(self) -> None:
        """Check the names and the words."""
        names = {observable.name for observable in self.observables}
        for what, setting in (("bins", self.bins), ("nonfinite", self.nonfinite)):
            unknown = [name for name in setting if name not in names] if isinstance(setting, Mapping) else []
            if unknown:
                msg = f"{what} names {unknown}, which are not observables of this check; there are {sorted(names)}"
                raise InputError(msg)
        places = self.nonfinite.values() if isinstance(self.nonfinite, Mapping) else [self.nonfinite]
        for place in places:
            if place not in NONFINITE:
                msg = f"nonfinite={place!r} is unknown; expected one of {NONFINITE}"
                raise InputError(msg)

    def bins_of(self, name: str) -> object:
        """Return the bins of an observable."""
        return self.bins.get(name, DEFAULT_BINS) if isinstance(self.bins, Mapping) else self.bins

    def nonfinite_of(self, name: str) -> str:
        """Return where an observable's NaN and infinite values go."""
        return str(self.nonfinite.get(name, "error") if isinstance(self.nonfinite, Mapping) else self.nonfinite)


def questions(strata: Sequence[Stratum], asked: Asked) -> Iterator[Question]:
    """Yield the questions, observable by observable in each stratum.

    Raises:
        InputError: If an observable cannot be compared; the message names it.
        InputTypeError: Likewise, if it is not made of numbers.
    """
    for stratum in strata:
        for observable in asked.observables:
            try:
                yield from _about(observable, stratum, asked)
            except (InputError, InputTypeError) as error:
                msg = f"observable {stratum.name(observable.name)!r}: {error}"
                raise type(error)(msg) from None


def _about(observable: Wanted, stratum: Stratum, asked: Asked) -> Iterator[Question]:
    name = stratum.name(observable.name)
    if isinstance(observable, Observable):
        for suffix, generated, reference in _histograms(observable, stratum, asked):
            yield Question(
                name=name + suffix, generated=generated, reference=reference, share=stratum.share, used=stratum.used
            )
    elif isinstance(observable, Estimating):
        generated, reference = (
            observable.estimate(sample, side, asked.seed)
            for sample, side in ((stratum.generated, "generated"), (stratum.reference, "reference"))
        )
        yield Question(name=name, generated=generated, reference=reference, share=stratum.share, used=stratum.used)
    else:
        yield _about_scores(observable, stratum, asked)


def _about_scores(observable: Scoring, stratum: Stratum, asked: Asked) -> Question:
    if asked.nonfinite_of(observable.name) == "error":
        for sample, side in ((stratum.generated, "generated"), (stratum.reference, "reference")):
            for name in observable.names(stratum.generated, stratum.reference):
                _refuse_nonfinite(Observable(name, (name,)).values(sample, side), f"{side}: column {name!r}")
    scores = observable.scores(stratum.generated, stratum.reference, asked.seed)
    spec = asked.bins_of(observable.name)
    bins = bins_for(spec, (scores.reference,), scores.reference_weight, "error")
    return Question(
        name=stratum.name(observable.name),
        generated=fill(bins, (scores.generated,), scores.generated_weight),
        reference=fill(bins, (scores.reference,), scores.reference_weight),
        share=stratum.share,
        used=(
            stratum.share_generated * scores.generated.size / len(stratum.generated),
            stratum.share_reference * scores.reference.size / len(stratum.reference),
        ),
        how=scores.provenance,
    )


def _histograms(observable: Observable, stratum: Stratum, asked: Asked) -> Iterator[tuple[str, BinSums, BinSums]]:
    """Yield the histograms of an observable; of one with several entries per event that of their number too."""
    place = asked.nonfinite_of(observable.name)
    ours = observable.values(stratum.generated, "generated")
    theirs = observable.values(stratum.reference, "reference")
    if place == "error":
        _refuse_nonfinite(ours, "generated")
        _refuse_nonfinite(theirs, "reference")
    spec = asked.bins_of(observable.name)
    bins = chosen_bins(observable, spec, theirs, stratum.reference.weight, place)
    yield "", *_filled(bins, ours, theirs, stratum)
    if not (ours.counts is None and theirs.counts is None) and not _same_number(ours, theirs):
        # A generator that makes twice as many jets, all of the right kind, is wrong too.
        ours, theirs = ours.multiplicity(), theirs.multiplicity()
        bins = multiplicity_bins(theirs, stratum.reference.weight)
        yield MULTIPLICITY, *_filled(bins, ours, theirs, stratum)


def chosen_bins(
    observable: Observable, spec: object, values: Values, weight: FloatArray | None, nonfinite: str
) -> Fillable:
    """Turn what the user asked for into bins of an observable.

    Args:
        observable: What is binned.
        spec: A number of bins, edges, or the like.
        values: The observable of some reference events.
        weight: The weights of those events, shape (events,), or ``None``.
        nonfinite: Where NaN and infinite values go.

    Raises:
        InputError: If the values are none, or cannot be binned in this way.
        InputTypeError: If the specification is of another kind.
    """
    weight = values.weight(weight)
    if not all(column.size for column in values.columns):
        msg = "no event of the reference is selected or has an entry; there is nothing to choose bins from"
        raise InputError(msg)
    if observable.tree:
        return cells_for(spec, values.columns, weight, nonfinite, observable.columns)
    return bins_for(spec, values.columns, weight, nonfinite)


def multiplicity_bins(numbers: Values, weight: FloatArray | None) -> Fillable:
    """Return bins of the number of entries per event.

    Args:
        numbers: That of some reference events, as of `Values.multiplicity`.
        weight: As for `chosen_bins`.
    """
    return bins_for(DEFAULT_BINS, numbers.columns, numbers.weight(weight), "overflow")


def _filled(bins: Fillable, ours: Values, theirs: Values, stratum: Stratum) -> tuple[BinSums, BinSums]:
    gen = fill(bins, ours.columns, stratum.generated.weight, counts=ours.counts, selected=ours.selected)
    ref = fill(bins, theirs.columns, stratum.reference.weight, counts=theirs.counts, selected=theirs.selected)
    return as_bin_sums(gen, "generated"), as_bin_sums(ref, "reference")


def _same_number(ours: Values, theirs: Values) -> bool:
    """Whether every event of both samples has one and the same number of entries."""
    counts = [values.counts for values in (ours, theirs) if values.counts is not None]
    return np.unique(np.concatenate(counts)).size == 1


def _refuse_nonfinite(values: Values, side: str) -> None:
    for column in values.columns:
        refuse_nonfinite(column, side)

"""Two sides that are filled: their strata, their pairs, what is left out, and the rows that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_ganvalid.errors import InputError, placed
from pytest_ganvalid.histograms.kdtree import TOLERANCE
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.observables.requested import JOINT, ONLY_GENERATED
from pytest_ganvalid.observables.strata import Stratum
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.judge import independence
from pytest_ganvalid.pipeline.clusters import PAIRED_NOTE, repeats_are_declared
from pytest_ganvalid.pipeline.pair import SIDES, Pair
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.rates import Rates
from pytest_ganvalid.pipeline.summary import Histograms

WEIGHT = "weight"
"""In the name of a column, it may be one of weights."""


def strata_of(plan: FillPlan, generated: Histograms, reference: Histograms) -> dict[int, Stratum]:
    """Return the strata that have events, by position.

    Raises:
        InputError: If the weights of a side add up to nothing, or a stratum is empty on one side.
    """
    if plan.condition is None:
        return {0: Stratum(label="", n_generated=generated.n_events, n_reference=reference.n_events)}
    name, axis = plan.condition
    shares = []
    for side, summary in zip(SIDES, (generated, reference), strict=True):
        weights = summary.weights.value
        if not weights.sum() > 0:
            msg = f"{side}: the total weight is {weights.sum():g}; expected a positive sum of weights"
            raise InputError(msg)
        shares.append(weights / weights.sum())
    return {
        i: Stratum(
            label=axis.label_of(name, i),
            n_generated=int(generated.events[i]),
            n_reference=int(reference.events[i]),
            share_generated=float(shares[0][i]),
            share_reference=float(shares[1][i]),
        )
        for i in range(axis.size)
        if generated.events[i] or reference.events[i]
    }


def pairs_of(
    plan: FillPlan,
    position: int,
    stratum: Stratum,
    generated: Histograms,
    reference: Histograms,
    skipped: dict[str, str],
) -> Iterator[Pair]:
    """Yield the pairs of histograms of a stratum; of all columns, note as skipped those of one value on both sides.

    Raises:
        InputError: If their contents admit no verdict; the message names the observable.
    """
    chosen = reference.chosen
    for histogram in plan.histograms:
        for name, _ in histogram.contents() if histogram.stratum == position else ():
            with placed(f"observable {name!r}"):
                sides = [
                    as_bin_sums(summary.contents[name].sums(), side)
                    for summary, side in zip((generated, reference), SIDES, strict=True)
                ]
            outside = histogram.observable.where is not None
            if name != histogram.name and _is_one_number(sides, outside=outside):
                continue
            if plan.skipped is not None and name == histogram.name and (reason := _constant(sides)):
                skipped[name] = reason
                continue
            yield Pair(
                name=name,
                generated=sides[0],
                reference=sides[1],
                share=stratum.share,
                used=stratum.used,
                chosen=0.0 if sides[1].bins.nominal is None else chosen,
                labels=histogram.labels_of(name),
            )


def _is_one_number(sides: Sequence[BinSums], *, outside: bool) -> bool:
    """Tell whether all events have one number of entries, but for those outside a selection, in the last bin."""
    populated = np.any([side.populated for side in sides], axis=0)
    return int(np.count_nonzero(populated[:-1] if outside else populated)) < 2  # noqa: PLR2004


def _constant(sides: Sequence[BinSums]) -> str:
    """Say that a column has one value on both sides, equal but for rounding; empty if it varies.

    Of parts that were filled apart a list may lack single events: those are in the bin of the value, or the column
    varies.
    Entries have no list: they have one value if the reference has one, and all entries are in its bin.
    """
    populated = np.flatnonzero(np.any([side.populated for side in sides], axis=0))
    if populated.size != 1:
        return ""
    lists = [side.repeated for side in sides if side.repeated is not None]
    if not lists:
        bins, position = sides[1].bins, int(populated[0])
        concentrated = bins.nominal is not None and bins.nominal.shares[position] == 1.0
        return f"all entries of both sides are in one bin, {bins.label(position, position)}" if concentrated else ""
    if len(lists) < len(sides) or any(repeated.counts.size != 1 for repeated in lists):
        return ""
    if any(int(repeated.counts[0]) + repeated.undercount < repeated.events for repeated in lists):
        return ""
    first, second = (float(repeated.values[0]) for repeated in lists)
    return (
        "has one value, the same on both sides"
        if abs(first - second) <= TOLERANCE * max(abs(first), abs(second))
        else ""
    )


def with_rates(pairs: Sequence[Pair], rates: Rates | None) -> tuple[Pair, ...]:
    """Return what is compared, the rates of the strata last.

    Raises:
        InputError: If there is no pair.
    """
    if not pairs:
        msg = (
            "every column has one value, the same on both sides: there is nothing to compare; give samples with a "
            "column that varies"
        )
        raise InputError(msg)
    if rates is None or rates.sides is None:
        return tuple(pairs)
    return (*pairs, Pair(name=rates.name, generated=rates.sides[0], reference=rates.sides[1], labels=(rates.column,)))


def remedies_of(rates: Rates | None) -> dict[str, str]:
    """Say what to know of the rates of the strata if they are not ROBUST."""
    return {} if rates is None or rates.sides is None else {rates.name: rates.note}


def skipped_of(generated: FillPlan, reference: FillPlan) -> dict[str, str]:
    """Say which columns are left out because all are compared, and why: none if the observables were stated."""
    if generated.skipped is None or reference.skipped is None:
        return {}
    others = {name: reason for name, reason in generated.skipped.items() if name not in reference.skipped}
    return {name: reason or ONLY_GENERATED for name, reason in (dict(reference.skipped) | others).items()}


def notes_of(plan: FillPlan, rates: Rates | None) -> tuple[str, ...]:
    """Say under what name the joint distribution of all columns is, if a column has its own, and why rates are not.

    Where all columns are compared, one that is called a weight is one of them: weights that nobody named are not
    applied.
    """
    histograms = plan.histograms if plan.skipped is not None else ()
    joint = {h.observable.name for h in histograms if h.observable.tree}
    notes = [
        f"the joint distribution of all columns is named {name!r}, as a column is named {JOINT!r}"
        for name in sorted(joint - {JOINT})
    ]
    names = [h.observable.name for h in histograms if h.numbers is None and WEIGHT in h.observable.name.lower()]
    if names and plan.weight is None:
        notes.append(f"{names[0]} is compared as an observable; if it is a weight, apply it: weight={names[0]!r}")
    return (*notes, *([rates.note] if rates is not None and rates.sides is None else []))


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """The training events.

    Attributes:
        events: Number of training events; ``None`` if not known.
        rows: Generated, reference and training rows by one key; ``None`` for a side that lacks a column of the key.
        obstacles: Why training rows cannot be compared with the reference, in sentences.
    """

    events: int | None
    rows: tuple[Fingerprint | None, Fingerprint | None, Fingerprint] | None
    obstacles: tuple[str, ...] = ()


def independence_of(
    gen: Histograms, ref: Histograms, training: Training | None, lost: Sequence[str], *, declared: bool
) -> Independence:
    """Find the rows that the samples share, and say what stands in the way of that.

    Args:
        gen: The generated events.
        ref: The reference.
        training: The training rows, if known.
        lost: Columns of one side only that tell events apart, where those of both do not.
        declared: Whether clusters have rows on both sides.
    """
    generated, reference = gen.fingerprint, ref.fingerprint
    obstacles = list(() if training is None else training.obstacles)
    notes = []
    unknown = "whether generated rows repeat reference rows cannot be known"
    if declared:
        notes.append(PAIRED_NOTE)
        generated = None
    elif generated is None or reference is None or not generated.key.same_rows(reference.key):
        if reference is None:
            notes.append(f"{unknown}: no column of numbers is on both sides")
        elif generated is None:
            obstacles.append(
                f"{unknown}: reference rows are recognised by {list(reference.columns)}, and the generated ones are "
                "not; give them those columns, or hand over the events of the reference instead of histograms of them"
            )
        else:
            obstacles.append(
                f"{unknown}: reference rows are recognised by {list(reference.columns)}, and generated ones by "
                f"{list(generated.columns)}; fill the generated events like the reference"
            )
        generated, reference = None, None
    elif not reference.key.tells and lost:
        obstacles.append(
            f"{unknown}: {list(reference.columns)} do not tell events apart, and {list(lost)}, which would, are on one "
            "side only; give both sides those columns"
        )
    elif not reference.key.tells:
        notes.append(f"{list(reference.columns)} do not tell events apart: {unknown}, but for many copies")
    rows = None if training is None else training.rows
    search = independence(generated, reference, rows)
    if rows is not None and rows[0] is None:
        notes.append("whether generated rows repeat training rows cannot be known: they lack columns of the training")
    clustered = {side for side, summary in zip(SIDES, (gen, ref), strict=True) if repeats_are_declared(summary)}
    duplicated = tuple(side for side in search.duplicated if side not in clustered)
    return replace(search, duplicated=duplicated, notes=(*notes, *search.notes), obstacles=tuple(obstacles))

"""Two sides to pairs of histograms or numbers, one for each observable and stratum, and the rows that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from pytest_ganvalid.attempts import SampleDigest, histogram_digest
from pytest_ganvalid.errors import InputError, InputTypeError, absence, placed
from pytest_ganvalid.histograms.counts import refuse_bare
from pytest_ganvalid.histograms.kdtree import TOLERANCE
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.observables.resampling import share_clusters
from pytest_ganvalid.observables.resolve import JOINT, ONLY_GENERATED
from pytest_ganvalid.observables.strata import Stratum
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.judge import independence
from pytest_ganvalid.pipeline.clusters import (
    PAIRED_NOTE,
    are_paired,
    clusters_in_words,
    nested_sides,
    repeats_are_declared,
)
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import (
    check_client,
    fill_like,
    runner_for,
    summarise_sides,
)
from pytest_ganvalid.pipeline.foreign import (
    EMPTY,
    UNKNOWN,
    Foreign,
    converted,
    effective_events,
    filled_already,
    matched,
    not_compared,
)
from pytest_ganvalid.pipeline.joint import NOT_LOOKED_FOR, Controls, Joint
from pytest_ganvalid.pipeline.origins import common_origin
from pytest_ganvalid.pipeline.plan import MULTIPLICITY, FillPlan
from pytest_ganvalid.pipeline.rates import Rates
from pytest_ganvalid.pipeline.request import Request, Side, open_training, with_clusters
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.pipeline.searches import pairs_in, searched
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.pipeline.training import Training, stored_training_rows, training_rows
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.statistics.equivalence import Difference

_SIDES = ("generated", "reference")
_MAX_LISTED = 3
_WEIGHT = "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is compared: do these two agree?

    Attributes:
        name: The observable, and the stratum if there is one.
        generated: Histogram or number of the generated sample.
        reference: Likewise of the reference.
        share: Of n_required: the stratum's.
        used: Shares of the generated and of the reference events that these were made of.
        difference: Of two numbers, the standard error of their difference and its degrees of freedom, and how many
            clusters there are, where some have rows on both sides.
        provenance: How the pair was made, if that took more than filling a histogram.
        controls: Of what is learned: from n_required, the share of it, to the positive controls.
        chosen: Share of the reference events that the bins were chosen from; 0 if the bins were given.
        labels: Names of what is binned, one for each dimension; empty if they are those of the histogram.
    """

    name: str
    generated: BinSums | Estimate
    reference: BinSums | Estimate
    share: float = 1.0
    used: tuple[float, float] = (1.0, 1.0)
    difference: Difference | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    controls: Callable[[float], Controls] | None = None
    chosen: float = 0.0
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What two sides come down to.

    Attributes:
        pairs: What is compared.
        strata: The strata; one without a name if there is no condition.
        independence: Which rows the sides share.
        events: Number of generated and of reference events.
        origins: What is known of where they come from.
        skipped: Columns or histograms that are not compared -> reason.
        training: Number of training events, if known.
        bin_provenance: How bins were chosen, if from a part of the reference.
        notes: What was not looked for, in sentences.
        digests: What tells the generated and the reference sample from others.
        remedies: Comparison -> what to know of it if it is not ROBUST.
        units: Column -> its unit, where the data say so.
    """

    pairs: tuple[Pair, ...]
    strata: tuple[Stratum, ...]
    independence: Independence
    events: tuple[int, int]
    origins: tuple[Mapping[str, Any], Mapping[str, Any]]
    skipped: Mapping[str, str]
    training: int | None = None
    bin_provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digests: tuple[SampleDigest, SampleDigest]
    remedies: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def paired(
    generated: object, reference: object, request: Request, weights: tuple[object, object], training: object
) -> Paired:
    """Fill what is not filled yet, and pair the two sides.

    Args:
        generated: As for `pytest_ganvalid.validate`.
        reference: Likewise.
        request: The settings of the comparison.
        weights: The name of a column, an array, or ``None``, of either side.
        training: The training events, or their fingerprint; ``None`` if unknown.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    for value, name in zip((generated, reference), _SIDES, strict=True):
        refuse_bare(value, name)
    gen, ref = (filled_already(value, name) for value, name in zip((generated, reference), _SIDES, strict=True))
    events = open_training(training)
    if gen is None and ref is None:
        sides = with_clusters(
            [
                Side.opened(value, name, weight)
                for value, name, weight in zip((generated, reference), _SIDES, weights, strict=True)
            ],
            request.cluster,
        )
        sources = (*sides, events) if isinstance(events, Side) else sides
        check_client(request, *sources)
        with runner_for(request, *sources) as runner:
            if request.cluster_of == "entries":
                sides = nested_sides(sides, request, runner)
            return _of_events((sides[0], sides[1]), request, events, runner)
    _refuse_settings(request, weights, (gen, ref))
    if isinstance(gen, Histograms) and ref is None:
        opened, *_ = with_clusters([Side.opened(reference, _SIDES[1], weights[1])], request.cluster)
        ref = fill_like(opened, gen, request)
    elif isinstance(ref, Histograms) and gen is None:
        opened, *_ = with_clusters([Side.opened(generated, _SIDES[0], weights[0])], request.cluster)
        gen = fill_like(opened, ref, request)
    if isinstance(gen, Histograms) and isinstance(ref, Histograms):
        return _of_histograms(gen, ref, request, events)
    if gen is None or ref is None:
        side = _SIDES[gen is None]
        msg = f"{side} is histograms of another program, and the other side events; fill both into the same bins"
        raise InputError(msg)
    return _of_foreign(Foreign.of(gen), Foreign.of(ref), request, events)


def _of_events(
    sides: tuple[Side, Side], request: Request, training: Side | Fingerprint | None, runner: Runner
) -> Paired:
    draft = Draft.of(sides, request, runner, training)
    draft, generated, reference, pairs_of_rows = summarise_sides(draft, runner, partial(pairs_in, draft))
    strata = _strata(reference.plan, generated, reference)
    joint = Joint.of(draft, reference.plan, (generated, reference), runner)
    pairs: dict[str, Pair] = {}
    skipped = _skipped(generated.plan, reference.plan)
    for position, stratum in strata.items():
        for pair in _pairs(reference.plan, position, stratum, generated, reference, skipped):
            pairs[pair.name] = pair
        for name, fields in () if joint is None else joint.pairs(position, stratum):
            used = {"used": stratum.used} | fields
            pairs[stratum.name(name)] = Pair(name=stratum.name(name), share=stratum.share, **used)
    order = [stratum.name(observable.name) for stratum in strata.values() for observable in draft.observables]
    names = [name for plain in order for name in (plain, plain + MULTIPLICITY) if name in pairs]
    trained_on = training_rows(training, draft, generated, reference, runner)
    declared = are_paired(generated, reference) or (joint is not None and share_clusters(*joint.samples))
    search = _independence(generated, reference, trained_on, draft.lost, declared=declared)
    preview = draft.previews[1]
    rates = Rates.of(generated, reference)
    return Paired(
        pairs=_all_pairs([pairs[name] for name in names], rates),
        strata=tuple(strata.values()),
        independence=searched(search, draft, pairs_of_rows, training, runner, declared=declared),
        events=(generated.n_events, reference.n_events),
        origins=(sides[0].source.provenance, sides[1].source.provenance),
        digests=(generated.sample_digest(), reference.sample_digest()),
        skipped=skipped,
        notes=(
            *_notes(reference.plan, rates),
            *_unapplied_weights(draft),
            *clusters_in_words(generated, reference),
            *_half_precision(sides),
        ),
        remedies=_remedies(rates),
        training=None if trained_on is None else trained_on.events,
        units=reference.plan.units,
        bin_provenance={} if preview.complete else {"bins_from_rows": len(preview.sample), "drawn": preview.drawn},
    )


def _of_histograms(gen: Histograms, ref: Histograms, request: Request, training: Side | Fingerprint | None) -> Paired:
    _check_comparable(gen, ref)
    names = _selected(ref.plan.observables, request.observables)
    histograms = tuple(histogram for histogram in ref.plan.histograms if histogram.observable.name in names)
    plan = replace(ref.plan, histograms=histograms)
    strata = _strata(plan, gen, ref)
    skipped = _skipped(gen.plan, ref.plan)
    pairs = [
        pair for position, stratum in strata.items() for pair in _pairs(plan, position, stratum, gen, ref, skipped)
    ]
    rates = Rates.of(gen, ref)
    trained_on = stored_training_rows(training, gen, ref, request)
    search = _independence(gen, ref, trained_on, (), declared=are_paired(gen, ref))
    return Paired(
        pairs=_all_pairs(pairs, rates),
        strata=tuple(strata.values()),
        independence=replace(search, notes=(*search.notes, *_origin_of_bins(gen, ref))),
        events=(gen.n_events, ref.n_events),
        origins=({"source": gen.source, "files": len(gen.origins)}, {"source": ref.source, "files": len(ref.origins)}),
        digests=(gen.sample_digest(), ref.sample_digest()),
        skipped=skipped | {name: "not asked for" for name in ref.plan.observables if name not in names},
        training=None if trained_on is None else trained_on.events or None,
        units=ref.plan.units,
        notes=(*_notes(plan, rates), NOT_LOOKED_FOR, *clusters_in_words(gen, ref)),
        remedies=_remedies(rates),
    )


def _of_foreign(gen: Foreign, ref: Foreign, request: Request, training: Side | Fingerprint | None) -> Paired:
    if training is not None:
        msg = "training= takes events; what histograms of another program were filled with is not known: leave it out"
        raise InputError(msg)
    selection = _observable_names(request.observables)
    matches = matched(gen, ref, selection)
    names = _selected(tuple(matches), request.observables)
    skipped = not_compared(gen.others, ref.others)
    skipped |= {
        name: "not asked for" for name in sorted({*gen.sums, *ref.sums}) if selection is not None and name not in names
    }
    pairs = {}
    for name in names:
        with placed(f"observable {name!r}"):
            generated, reference = (side.sums[key] for side, key in zip((gen, ref), matches[name], strict=True))
            sides = converted(generated, reference, name, (gen.source, ref.source), requested=selection is not None)
        if sides is None:
            skipped[name] = EMPTY
        else:
            pairs[name] = Pair(name=name, generated=sides[0], reference=sides[1])
    contents = [{name: getattr(pair, side) for name, pair in pairs.items()} for side in _SIDES]
    if not pairs:
        msg = f"the histograms {list(names)[:10]} hold no events on either side: there is nothing to compare"
        raise InputError(msg)
    return Paired(
        pairs=tuple(pairs.values()),
        strata=(),
        independence=Independence(duplicates={}, notes=(UNKNOWN,)),
        events=(effective_events(contents[0].values()), effective_events(contents[1].values())),
        origins=({"source": gen.source}, {"source": ref.source}),
        digests=(histogram_digest(contents[0].items()), histogram_digest(contents[1].items())),
        skipped=skipped,
        notes=(NOT_LOOKED_FOR,),
    )


def _refuse_settings(
    request: Request, weights: tuple[object, object], sides: tuple[Histograms | Foreign | None, ...]
) -> None:
    """Refuse settings of events to histograms that are filled already, unless these were filled with them.

    Raises:
        InputError: If any such setting is stated.
    """
    filled = [side is not None for side in sides]
    settings = [name for name in request.stated if name in {"bins", "by", "seed", "nonfinite"}]
    if any(side is not None and not _is_filled_by(side, weight) for side, weight in zip(sides, weights, strict=True)):
        settings.append("weight")
    if any(filled) and request.cluster_of == "entries":
        settings.append("cluster_of")
    if all(filled):
        settings += ["cluster"] if request.cluster is not None else []
        settings += [name for name in request.stated if name in {"memory", "client"}]
    if settings:
        msg = (
            f"{', '.join(settings)} can only be chosen when histograms are filled, and these are; leave it out, or "
            "fill them anew"
        )
        raise InputError(msg)


def _is_filled_by(side: Histograms | Foreign, weight: object) -> bool:
    """Tell whether histograms were filled with a weight; true if no weight is stated."""
    same_weight = isinstance(weight, str) and isinstance(side, Histograms) and weight == side.plan.weight
    return weight is None or same_weight


def _check_comparable(gen: Histograms, ref: Histograms) -> None:
    """Refuse sides that share events, are of other observables, or of bins that the generated events have chosen.

    Raises:
        InputError: If the sides share events, differ in observables, or the generated events chose bins.
    """
    shared = common_origin(gen.origins, ref.origins)
    if shared is not None:
        generated, reference = shared
        msg = (
            f"{generated.source} of the generated and {reference.source} of the reference hold the same "
            f"{generated.events:,} events (content {generated.id[:12]}); expected independent samples"
        )
        raise InputError(msg)
    difference = gen.plan.difference(ref.plan)
    if difference:
        msg = (
            f"generated and reference histograms were filled in different ways: {difference}; fill the reference, and "
            "the generated events like it: ganvalid fill GENERATED --like REFERENCE.json"
        )
        raise InputError(msg)
    chosen_from = {*gen.plan.bins_from, *ref.plan.bins_from}
    source = next((origin for origin in gen.origins if origin.id in chosen_from), None)
    if source is not None:
        msg = (
            f"the bins were chosen from the generated events ({source.source}), which must not choose where they are "
            "looked at; fill the reference first, and the generated events like it"
        )
        raise InputError(msg)


def _origin_of_bins(gen: Histograms, ref: Histograms) -> tuple[str, ...]:
    """Say if the events that the bins were chosen from are on neither side."""
    chosen_from = {*gen.plan.bins_from, *ref.plan.bins_from}
    if not chosen_from or ref.chosen:
        return ()
    ids = sorted(chosen_from)
    contents = ", ".join(content[:12] for content in ids[:_MAX_LISTED]) + (", ..." if len(ids) > _MAX_LISTED else "")
    return (f"the bins were chosen from events of neither side (content {contents}), which must be true simulation",)


def _selected(names: Sequence[str], observables: object) -> tuple[str, ...]:
    """Return the observables to compare, of those that were filled.

    Raises:
        InputError: If an observable was not filled, or none is requested.
        InputTypeError: If the request is not by names.
    """
    if observables is None:
        return tuple(names)
    selection = _observable_names(observables)
    if selection is None:
        msg = (
            f"observables={observables!r}: of histograms that are filled only names can be chosen; there are "
            f"{list(names)}"
        )
        raise InputTypeError(msg)
    missing = sorted(set(selection) - set(names))
    if missing or not selection:
        msg = absence("histogram", missing[0], names) if missing else "no observable to compare"
        raise InputError(msg)
    return tuple(name for name in names if name in selection)


def _observable_names(observables: object) -> tuple[str, ...] | None:
    """Return the names of observables that are requested by name or by columns; ``None`` if they are something else."""
    values = [observables] if isinstance(observables, str) else observables
    if not isinstance(values, list | tuple | set | frozenset):
        return None
    parts = [(value,) if isinstance(value, str) else value for value in values]
    valid = (isinstance(part, list | tuple) and part and all(isinstance(name, str) for name in part) for part in parts)
    return tuple(":".join(part) for part in parts) if all(valid) else None


def _strata(plan: FillPlan, generated: Histograms, reference: Histograms) -> dict[int, Stratum]:
    """Return the strata that have events, by position.

    Raises:
        InputError: If the weights of a side add up to nothing, or a stratum is empty on one side.
    """
    if plan.condition is None:
        return {0: Stratum(label="", n_generated=generated.n_events, n_reference=reference.n_events)}
    name, axis = plan.condition
    shares = []
    for side, summary in zip(_SIDES, (generated, reference), strict=True):
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


def _skipped(generated: FillPlan, reference: FillPlan) -> dict[str, str]:
    """Say which columns are left out because all are compared, and why: none if the observables were stated."""
    if generated.skipped is None or reference.skipped is None:
        return {}
    others = {name: reason for name, reason in generated.skipped.items() if name not in reference.skipped}
    return {name: reason or ONLY_GENERATED for name, reason in (dict(reference.skipped) | others).items()}


def _all_pairs(pairs: Sequence[Pair], rates: Rates | None) -> tuple[Pair, ...]:
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


def _half_precision(sides: Sequence[Side]) -> list[str]:
    """Say which side's values are in a format of few digits."""
    return [
        f"the {side.name} values are of {side.source.provenance['half_precision']}, that is of two or three decimal "
        "digits: they are quantised, and rows may be equal by that"
        for side in sides
        if "half_precision" in side.source.provenance
    ]


def _notes(plan: FillPlan, rates: Rates | None) -> tuple[str, ...]:
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
    names = [h.observable.name for h in histograms if h.numbers is None and _WEIGHT in h.observable.name.lower()]
    if names and plan.weight is None:
        notes.append(f"{names[0]} is compared as an observable; if it is a weight, apply it: weight={names[0]!r}")
    return (*notes, *([rates.note] if rates is not None and rates.sides is None else []))


def _unapplied_weights(draft: Draft) -> list[str]:
    """Name a column that is called a weight and, where observables are stated, is neither applied nor compared."""
    if draft.request.observables is None:
        return []
    compared = {column for observable in draft.observables for column in getattr(observable, "columns", None) or ()}
    unapplied = [
        [name for name in side.source.names if side.weight is None and _WEIGHT in name.lower() and name not in compared]
        for side in draft.full_sides
    ]
    name = next((name for names in unapplied for name in names), None)
    if name is None:
        return []
    owners = [side.name for side, names in zip(draft.full_sides, unapplied, strict=True) if name in names]
    weight: object = name if len(owners) > 1 else tuple(name if side.name in owners else None for side in draft.sides)
    return [
        f"{name} is a column of the {' and '.join(owners)} events and is not applied; if it is a weight, apply it: "
        f"weight={weight!r}"
    ]


def _remedies(rates: Rates | None) -> dict[str, str]:
    return {} if rates is None or rates.sides is None else {rates.name: rates.note}


def _pairs(
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
                    for summary, side in zip((generated, reference), _SIDES, strict=True)
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


def _is_one_number(sides: Sequence[BinSums], *, outside: bool) -> bool:
    """Tell whether all events have one number of entries, but for those outside a selection, in the last bin."""
    populated = np.any([side.populated for side in sides], axis=0)
    return int(np.count_nonzero(populated[:-1] if outside else populated)) < 2  # noqa: PLR2004


def _independence(
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
    clustered = {side for side, summary in zip(_SIDES, (gen, ref), strict=True) if repeats_are_declared(summary)}
    duplicated = tuple(side for side in search.duplicated if side not in clustered)
    return replace(search, duplicated=duplicated, notes=(*notes, *search.notes), obstacles=tuple(obstacles))

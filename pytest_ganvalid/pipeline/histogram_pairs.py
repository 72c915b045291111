"""Histograms on both sides, which are filled already: paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_ganvalid.attempts import histogram_digest
from pytest_ganvalid.errors import InputError, InputTypeError, absence, placed
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.pipeline.clusters import are_paired, clusters_in_words
from pytest_ganvalid.pipeline.filled import (
    independence_of,
    notes_of,
    pairs_of,
    remedies_of,
    skipped_of,
    strata_of,
    with_rates,
)
from pytest_ganvalid.pipeline.foreign import EMPTY, UNKNOWN, Foreign, converted, effective_events, matched, not_compared
from pytest_ganvalid.pipeline.origins import common_origin
from pytest_ganvalid.pipeline.pair import SIDES, Pair, Paired
from pytest_ganvalid.pipeline.rates import Rates
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.summary import Histograms

NOT_LOOKED_FOR = (
    "nothing that takes the events of both sides was looked for, such as undeclared pairs of rows and near copies of "
    "training rows: a histogram does not hold them"
)
_MAX_LISTED = 3


def of_histograms(gen: Histograms, ref: Histograms, request: Request, training: Side | Fingerprint | None) -> Paired:
    """Pair what this package has filled; see `pairing.paired`."""
    _check_comparable(gen, ref)
    names = _selected(ref.plan.observables, request.observables)
    histograms = tuple(histogram for histogram in ref.plan.histograms if histogram.observable.name in names)
    plan = replace(ref.plan, histograms=histograms)
    strata = strata_of(plan, gen, ref)
    skipped = skipped_of(gen.plan, ref.plan)
    pairs = [
        pair for position, stratum in strata.items() for pair in pairs_of(plan, position, stratum, gen, ref, skipped)
    ]
    rates = Rates.of(gen, ref)
    trained_on = None
    if training is not None:
        from pytest_ganvalid.pipeline.training import stored_training_rows

        trained_on = stored_training_rows(training, gen, ref, request)
    search = independence_of(gen, ref, trained_on, (), declared=are_paired(gen, ref))
    return Paired(
        pairs=with_rates(pairs, rates),
        strata=tuple(strata.values()),
        independence=replace(search, notes=(*search.notes, *_origin_of_bins(gen, ref))),
        events=(gen.n_events, ref.n_events),
        origins=({"source": gen.source, "files": len(gen.origins)}, {"source": ref.source, "files": len(ref.origins)}),
        digests=(gen.sample_digest(), ref.sample_digest()),
        skipped=skipped | {name: "not asked for" for name in ref.plan.observables if name not in names},
        training=None if trained_on is None else trained_on.events or None,
        units=ref.plan.units,
        notes=(*notes_of(plan, rates), NOT_LOOKED_FOR, *clusters_in_words(gen, ref)),
        remedies=remedies_of(rates),
    )


def of_foreign(gen: Foreign, ref: Foreign, request: Request, training: Side | Fingerprint | None) -> Paired:
    """Pair what another program has filled; see `pairing.paired`."""
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
    contents = [{name: getattr(pair, side) for name, pair in pairs.items()} for side in SIDES]
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

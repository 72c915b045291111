"""Events on both sides: filled, and paired."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pytest_ganvalid.observables.resampling import share_clusters
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.pipeline.clusters import are_paired, clusters_in_words
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.fill import check_client, runner_for, summarise_sides
from pytest_ganvalid.pipeline.filled import (
    WEIGHT,
    independence_of,
    notes_of,
    pairs_of,
    remedies_of,
    skipped_of,
    strata_of,
    with_rates,
)
from pytest_ganvalid.pipeline.joint import Joint
from pytest_ganvalid.pipeline.nesting import nested_sides
from pytest_ganvalid.pipeline.pair import SIDES, Pair, Paired
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.rates import Rates
from pytest_ganvalid.pipeline.request import Request, Side, with_clusters
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.pipeline.searches import pairs_in, searched
from pytest_ganvalid.pipeline.training import training_rows


def of_events(
    generated: object,
    reference: object,
    request: Request,
    weights: tuple[object, object],
    training: Side | Fingerprint | None,
) -> Paired:
    """Fill the events of both sides, and pair them; see `pairing.paired`."""
    opened = [
        Side.opened(value, name, weight)
        for value, name, weight in zip((generated, reference), SIDES, weights, strict=True)
    ]
    sides = with_clusters(opened, request.cluster)
    sources = (*sides, training) if isinstance(training, Side) else sides
    check_client(request, *sources)
    with runner_for(request, *sources) as runner:
        if request.cluster_of == "entries":
            sides = nested_sides(sides, request, runner)
        return _paired((sides[0], sides[1]), request, training, runner)


def _paired(sides: tuple[Side, Side], request: Request, training: Side | Fingerprint | None, runner: Runner) -> Paired:
    draft = Draft.of(sides, request, runner, training)
    draft, generated, reference, undeclared = summarise_sides(draft, runner, partial(pairs_in, draft))
    strata = strata_of(reference.plan, generated, reference)
    joint = Joint.of(draft, reference.plan, (generated, reference), runner)
    pairs: dict[str, Pair] = {}
    skipped = skipped_of(generated.plan, reference.plan)
    for position, stratum in strata.items():
        for pair in pairs_of(reference.plan, position, stratum, generated, reference, skipped):
            pairs[pair.name] = pair
        for name, fields in () if joint is None else joint.pairs(position, stratum):
            used = {"used": stratum.used} | fields
            pairs[stratum.name(name)] = Pair(name=stratum.name(name), share=stratum.share, **used)
    order = [stratum.name(observable.name) for stratum in strata.values() for observable in draft.observables]
    names = [name for plain in order for name in (plain, plain + MULTIPLICITY) if name in pairs]
    trained_on = training_rows(training, draft, generated, reference, runner)
    declared = are_paired(generated, reference) or (joint is not None and share_clusters(*joint.samples))
    search = independence_of(generated, reference, trained_on, draft.lost, declared=declared)
    preview = draft.previews[1]
    rates = Rates.of(generated, reference)
    return Paired(
        pairs=with_rates([pairs[name] for name in names], rates),
        strata=tuple(strata.values()),
        independence=searched(search, draft, undeclared, training, runner, declared=declared),
        events=(generated.n_events, reference.n_events),
        origins=(sides[0].source.provenance, sides[1].source.provenance),
        digests=(generated.sample_digest(), reference.sample_digest()),
        skipped=skipped,
        notes=(
            *notes_of(reference.plan, rates),
            *_unapplied_weights(draft),
            *clusters_in_words(generated, reference),
            *_half_precision(sides),
        ),
        remedies=remedies_of(rates),
        training=None if trained_on is None else trained_on.events,
        units=reference.plan.units,
        bin_provenance={} if preview.complete else {"bins_from_rows": len(preview.sample), "drawn": preview.drawn},
    )


def _unapplied_weights(draft: Draft) -> list[str]:
    """Name a column that is called a weight and, where observables are stated, is neither applied nor compared."""
    if draft.request.observables is None:
        return []
    compared = {column for observable in draft.observables for column in getattr(observable, "columns", None) or ()}
    unapplied = [
        [name for name in side.source.names if side.weight is None and WEIGHT in name.lower() and name not in compared]
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


def _half_precision(sides: Sequence[Side]) -> list[str]:
    """Say which side's values are in a format of few digits."""
    return [
        f"the {side.name} values are of {side.source.provenance['half_precision']}, that is of two or three decimal "
        "digits: they are quantised, and rows may be equal by that"
        for side in sides
        if "half_precision" in side.source.provenance
    ]

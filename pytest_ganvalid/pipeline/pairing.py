"""Two sides of any kind to what is compared: pairs of histograms or numbers, one for each observable and stratum."""

from __future__ import annotations

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.counts import refuse_bare
from pytest_ganvalid.pipeline.foreign import Foreign, filled_already
from pytest_ganvalid.pipeline.histogram_pairs import of_foreign, of_histograms
from pytest_ganvalid.pipeline.pair import SIDES, Paired
from pytest_ganvalid.pipeline.request import Request, Side, open_training, with_clusters
from pytest_ganvalid.pipeline.summary import Histograms


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
    for value, name in zip((generated, reference), SIDES, strict=True):
        refuse_bare(value, name)
    gen, ref = (filled_already(value, name) for value, name in zip((generated, reference), SIDES, strict=True))
    events = open_training(training)
    if gen is None and ref is None:
        from pytest_ganvalid.pipeline.event_pairs import of_events

        return of_events(generated, reference, request, weights, events)
    _refuse_settings(request, weights, (gen, ref))
    if isinstance(gen, Histograms) and ref is None:
        ref = _filled_like(gen, reference, SIDES[1], weights[1], request)
    elif isinstance(ref, Histograms) and gen is None:
        gen = _filled_like(ref, generated, SIDES[0], weights[0], request)
    if isinstance(gen, Histograms) and isinstance(ref, Histograms):
        return of_histograms(gen, ref, request, events)
    if gen is None or ref is None:
        side = SIDES[gen is None]
        msg = f"{side} is histograms of another program, and the other side events; fill both into the same bins"
        raise InputError(msg)
    return of_foreign(Foreign.of(gen), Foreign.of(ref), request, events)


def _filled_like(like: Histograms, events: object, side: str, weight: object, request: Request) -> Histograms:
    """Fill the events of one side like the histograms of the other."""
    from pytest_ganvalid.pipeline.fill import fill_like

    opened, *_ = with_clusters([Side.opened(events, side, weight)], request.cluster)
    return fill_like(opened, like, request)


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

"""From two samples of any kind, in memory or not, to the questions that a verdict answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_ganvalid._arguments import check_positive_number
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.observables.resolve import resolve, skipped_columns
from pytest_ganvalid.progress import shown
from pytest_ganvalid.questions import Asked, Question, questions
from pytest_ganvalid.runners import Cluster, Runner, Threads
from pytest_ganvalid.samples import as_sample
from pytest_ganvalid.samples.independence import check_independence
from pytest_ganvalid.samples.opening import is_streamed, source_of
from pytest_ganvalid.samples.overlaps import Independence
from pytest_ganvalid.samples.sources import OWN_WEIGHT, Events
from pytest_ganvalid.samples.thinned import check_thinned
from pytest_ganvalid.strata import Shares, condition_of, strata
from pytest_ganvalid.streaming import Streamed, stream
from pytest_ganvalid.wishes import Wish

DEFAULT_MEMORY = 2**29
"""Bytes that events from files may take at a time."""
_LEAST_MEMORY = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What two samples of events come down to.

    Attributes:
        questions: The histograms and numbers that are compared.
        shares: The strata; one without a name if there is no condition.
        independence: Which rows the samples share.
        events: Number of generated and of reference events.
        origins: What is known of where they come from.
        skipped: Columns that are not compared -> why.
        how: How it was found, if that took more than filling histograms.
    """

    questions: tuple[Question, ...]
    shares: tuple[Shares, ...]
    independence: Independence
    events: tuple[int, int]
    origins: tuple[Mapping[str, Any], Mapping[str, Any]]
    skipped: Mapping[str, str]
    how: Mapping[str, Any] = field(default_factory=dict)


def prepared(generated: object, reference: object, wish: Wish, client: object = None) -> Prepared:
    """Fill the histograms of two samples, and look for rows that they share.

    Args:
        generated: As for `pytest_ganvalid.validate`.
        reference: Likewise.
        wish: What is asked.
        client: A Dask client that does the work of reading; ``None`` for threads.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    if not (is_streamed(generated) or is_streamed(reference)):
        if client is not None:
            msg = "client= is for files and Dask collections; the samples are in memory: leave it out"
            raise InputError(msg)
        return _in_memory(generated, reference, wish)
    sides = (
        source_of(generated, "generated", wish.weights[0]),
        source_of(reference, "reference", wish.weights[1]),
    )
    names = [_weight_name(source, weight) for source, weight in zip(sides, wish.weights, strict=True)]
    wish = replace(wish, weights=(names[0], names[1]))
    if client is not None or any(side.lazy for side in sides):
        return _streamed(sides, wish, Cluster(client))
    with shown(sides) as tick:
        return _streamed(sides, wish, Threads(tick))


def check_memory(memory: object) -> float:
    """Return a number of bytes.

    Raises:
        InputError: If it is too small to read anything.
        InputTypeError: If it is no number.
    """
    number = check_positive_number("memory", memory)
    if number < _LEAST_MEMORY:
        msg = f"memory={memory!r} is too little; expected bytes, at least {_LEAST_MEMORY:,}"
        raise InputError(msg)
    return number


def _weight_name(source: Events, weight: object) -> str | None:
    """Return the column that holds the weights."""
    if OWN_WEIGHT in source.names:
        return OWN_WEIGHT
    if weight is not None and not isinstance(weight, str):
        msg = f"weight is a {type(weight).__name__}; of events that are not in memory it must be the name of a column"
        raise InputTypeError(msg)
    return weight


def _in_memory(generated: object, reference: object, wish: Wish) -> Prepared:
    gen = as_sample(generated, "generated", wish.weights[0])
    ref = as_sample(reference, "reference", wish.weights[1])
    condition = condition_of(wish.by)
    observables = resolve(wish.observables, gen, ref, condition)
    asked = Asked(observables=observables, bins=wish.bins, nonfinite=wish.nonfinite, seed=wish.seed)
    divided = strata(wish.by, gen, ref)
    return Prepared(
        questions=tuple(questions(divided, asked)),
        shares=divided,
        independence=check_independence(gen, ref, wish.training),
        events=(len(gen), len(ref)),
        origins=(gen.provenance, ref.provenance),
        skipped=skipped_columns(gen, ref, condition) if wish.observables is None else {},
    )


def _streamed(sides: tuple[Events, Events], wish: Wish, runner: Runner) -> Prepared:
    found = stream(sides, wish, runner)
    return Prepared(
        questions=found.questions,
        shares=found.shares,
        independence=_independence(found, wish),
        events=(found.found[0].total, found.found[1].total),
        origins=(sides[0].provenance, sides[1].provenance),
        skipped=found.skipped,
        how={"streamed": dict(found.looked_at)},
    )


def _independence(found: Streamed, wish: Wish) -> Independence:
    generated, reference = (one.rows for one in found.found)
    if found.thinning is None or generated is None or reference is None:
        note = "whether generated rows repeat reference rows was not checked: they have no column of numbers in common"
        return Independence(overlaps=(), duplicates={}, notes=(note,))
    near = {"generated": found.found[0].near, "reference": found.found[1].near}
    return check_thinned(generated, reference, wish.training, near, found.thinning)

"""Filling histograms of some events, in bins chosen from them or like others."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.partial.histograms import Histograms, Part, check_new, of_found
from pytest_ganvalid.partial.reading import read_histograms
from pytest_ganvalid.partial.recipe import Recipe, check_observable, read_columns
from pytest_ganvalid.preparing import DEFAULT_MEMORY, check_memory
from pytest_ganvalid.progress import shown
from pytest_ganvalid.questions import DEFAULT_BINS
from pytest_ganvalid.runners import Cluster, Runner, Threads, Tick
from pytest_ganvalid.samples import as_sample
from pytest_ganvalid.samples.digests import is_numeric
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.samples.opening import is_streamed, source_of
from pytest_ganvalid.samples.pieces import names_files
from pytest_ganvalid.samples.printed import row_chance_of
from pytest_ganvalid.samples.sources import OWN_WEIGHT, Events, file_source
from pytest_ganvalid.samples.spread import joined
from pytest_ganvalid.streaming import Found, Job, Plan, chunk_rows, fill_part, unlike
from pytest_ganvalid.wishes import Wish

_SIDE = "the sample"
_FIRST = 100_000  # rows, of which it is found how rarely two are equal
_FILES = 256  # at a time: each has a fingerprint of its own
_OF_PLANS = ("generated: ", "reference: ")  # a plan is for two sides; here they are one


def fill(
    events: object,
    *,
    observables: object = None,
    like: object = None,
    weight: object = None,
    by: object = None,
    bins: object = DEFAULT_BINS,
    nonfinite: str | Mapping[str, str] = "error",
    memory: float = DEFAULT_MEMORY,
    client: object = None,
) -> Histograms:
    """Fill histograms of some events, which add up with those of others, and which `validate` takes instead of events.

    Args:
        events: As for `pytest_ganvalid.validate`: files, a table in memory, or a Dask collection.
        observables: Names of columns, reducing expressions such as ``leading(pt)``, tuples of those (their joint
            distribution), a `KDTree`, or a `Selection` by a column of booleans; not functions, which no file can hold.
            ``None`` means every numeric column.
        like: Histograms, or the name of a file of them, whose observables, strata and bins are used.
        weight: The name of a column; ``None`` for that of ``like``, or unweighted events; ``False`` for unweighted
            events whatever ``like`` is.
        by: As for `validate`.
        bins: Likewise; quantiles are those of these events, which must therefore be reference events.
        nonfinite: Likewise.
        memory: Bytes that events from files may take at a time, in all.
        client: A ``dask.distributed.Client`` whose workers read the files.

    Raises:
        InputError: If the events cannot be read or filled; the message names the file and the place.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    if client is not None and not is_streamed(events):
        msg = "client= is for files and Dask collections; the sample is in memory: leave it out"
        raise InputError(msg)
    model = None if like is None else _model(like)
    usual = isinstance(bins, int) and bins == DEFAULT_BINS  # edges may be an array
    if model is not None and not (observables is None and by is None and usual and nonfinite == "error"):
        msg = "like= says which observables, strata and bins to fill; leave out observables, by, bins and nonfinite"
        raise InputError(msg)
    memory = check_memory(memory)
    source = _source(events)
    stated = _weight(weight, source, model)
    wish = Wish(
        observables=observables,
        weights=(stated, stated),
        by=by,
        bins=bins,
        nonfinite=nonfinite,
        seed=0,
        memory=memory,
    )
    with _runner(source, client) as runner:
        if model is not None:
            return _filled_like(source, model, stated, memory, runner)
        return _filled_anew(source, wish, runner, whole=not is_streamed(events))


def _model(like: object) -> Histograms:
    if isinstance(like, Histograms):
        return like
    if isinstance(like, str | os.PathLike):
        return read_histograms(like)
    msg = f"like is a {type(like).__name__}; expected Histograms, or the name of a file of them"
    raise InputTypeError(msg)


def _source(events: object) -> Events:
    return file_source(events) if names_files(events) else source_of(events, _SIDE)


def _weight(weight: object, source: Events, like: Histograms | None) -> str | None:
    """Return the column of weights.

    Raises:
        InputError: If it is not there.
        InputTypeError: If it is no name.
    """
    if not isinstance(weight, str | None) and weight is not False:
        msg = f"weight is a {type(weight).__name__}; expected the name of a column, None, or False for no weights"
        raise InputTypeError(msg)
    if weight is None and OWN_WEIGHT in source.names:
        return OWN_WEIGHT
    if weight is None and like is not None:
        weight = like.recipe.weight
    if not isinstance(weight, str) or weight in source.names:
        return weight or None
    what = f"there is no weight column {weight!r}" if weight else "the weights to be like are those of a Sample"
    msg = (
        f"{source.provenance.get('source', _SIDE)}: {what}; there are {sorted(filter(None, source.names))}; name one "
        "with weight=, or say weight=False for unweighted events"
    )
    raise InputError(msg)


@contextmanager
def _runner(source: Events, client: object) -> Iterator[Runner]:
    if client is not None or source.lazy:
        yield Cluster(client)
        return
    with shown((source,)) as tick:
        yield Threads(tick)


def _filled_like(source: Events, like: Histograms, weight: str | None, memory: float, runner: Runner) -> Histograms:
    recipe = replace(like.recipe, weight=weight)
    with _said_of(source):
        columns = read_columns(recipe, source.names)
    read = columns if weight is None or weight in columns else (*columns, weight)
    job = Job(
        _SIDE,
        read,
        weight,
        recipe.condition,
        recipe.histograms,
        None,
        None,
        chunk_rows(len(read), memory, runner.workers),
        like.fingerprint.columns,
    )
    counted = _counted(job, source, runner)
    return of_found(counted.found, recipe, counted.parts, counted.printed, counted.row_chance)


def _filled_anew(source: Events, wish: Wish, runner: Runner, *, whole: bool) -> Histograms:
    with _said_of(source):
        plan = Plan.of((source, source), wish, runner)
        for observable in plan.asked.observables:
            check_observable(observable)
        if whole:
            sample = as_sample(source.parts[0].sample, _SIDE, wish.weights[1])
            looked = replace(plan.looked[1], sample=sample, rows=len(sample), drawn=False)
            plan = replace(plan, looked=(plan.looked[0], looked))
        job = _job(plan, runner)
    counted = _counted(job, source, runner)
    if plan.looked[1].rows < counted.found.total and unlike(plan, job, counted.found):
        plan = plan.redrawn(runner)
        job = _job(plan, runner)
        counted = _counted(job, source, runner)
    recipe = Recipe(
        weight=wish.weights[1],
        condition=job.condition,
        histograms=job.histograms,
        bins_from=tuple(sorted({part.id for part in counted.parts})) if _chosen(plan, job) else (),
    )
    row_chance = max(counted.row_chance, row_chance_of(plan.looked[1].sample, job.printed))
    return of_found(counted.found, recipe, counted.parts, counted.printed, row_chance)


def _job(plan: Plan, runner: Runner) -> Job:
    job = plan.jobs(runner.workers)[1]
    columns = plan.looked[1].sample.columns
    printed = tuple(sorted(name for name in job.columns if name in columns and is_numeric(columns[name])))
    return replace(job, side=_SIDE, thinning=None, printed=printed)


def _chosen(plan: Plan, job: Job) -> bool:
    """Tell whether any bins were chosen from the events."""
    given = [plan.asked.bins_of(observable.name) for observable in plan.asked.observables]
    numbered = any(isinstance(bins, numbers.Integral) for bins in given)
    several = any(histogram.numbers is not None for histogram in job.histograms)
    return numbered or several or _is_choice(plan.wish.by)


def _is_choice(by: object) -> bool:
    """Tell whether the bins of a condition are found from its values: a number of them is given, or nothing."""
    if not isinstance(by, tuple | list):
        return by is not None
    return len(by) < 2 or by[1] is None or isinstance(by[1], numbers.Integral)  # noqa: PLR2004 - name and bins


@contextmanager
def _said_of(source: Events) -> Iterator[None]:
    """Let errors name the source."""
    try:
        yield
    except (InputError, InputTypeError) as error:
        said = str(error)
        for side in _OF_PLANS:
            said = said.removeprefix(side)
        name = str(source.provenance.get("source", _SIDE))
        msg = said if said.startswith(name) else f"{name}: {said}"
        raise type(error)(msg) from None


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """What a pass over some files leaves; that of others adds up.

    Attributes:
        found: Histograms of all.
        printed: File -> fingerprint of its events.
        row_chance: Probability, at most, that two independent rows of the first part are equal; 0 without it.
    """

    found: Found
    printed: Mapping[str, Fingerprint]
    row_chance: float

    def __add__(self, other: _Files) -> _Files:
        printed = dict(self.printed)
        for name, one in other.printed.items():
            printed[name] = printed[name].merge(one) if name in printed else one
        return _Files(self.found + other.found, printed, max(self.row_chance, other.row_chance))


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What a pass over all events leaves.

    Attributes:
        found: Histograms.
        parts: The files.
        printed: The fingerprint of all events.
        row_chance: Probability, at most, that two independent events are equal.
    """

    found: Found
    parts: tuple[Part, ...]
    printed: Fingerprint
    row_chance: float

    def __add__(self, other: _Counted) -> _Counted:
        return _Counted(
            self.found + other.found,
            self.parts + other.parts,
            self.printed.merge(other.printed),
            max(self.row_chance, other.row_chance),
        )


def _counted(job: Job, source: Events, runner: Runner) -> _Counted:
    """Fill all events, and recognise those of each file.

    Raises:
        InputError: If there are no events, or two files hold the same.
    """
    total: _Counted | None = None
    known: dict[str, list[tuple[Part, str]]] = {}
    for some in _batches(source.parts):
        files = runner.total(_fill_files, job, some)
        if files is not None:
            one = _recognised(files, source)
            for part in one.parts:
                check_new(part, "", known.setdefault(part.id, []))
            total = one if total is None else total + one
    if total is None:
        msg = f"{source.provenance.get('source', _SIDE)}: there are no events"
        raise InputError(msg)
    return total


def _fill_files(job: Job, number: int, part: Any, tick: Tick) -> _Files | None:  # noqa: ANN401
    """Fill a part; a piece of work for a `runners.Runner`."""
    found = fill_part(job, number, part, tick)
    if found is None or found.printed is None:
        return None
    row_chance = 0.0 if number else _row_chance(job, part)
    return _Files(replace(found, printed=None), {_file_of(part): found.printed}, row_chance)


def _row_chance(job: Job, part: Any) -> float:  # noqa: ANN401
    """Limit the probability that two rows are equal, by the first ones of a part."""
    rows = min(job.chunk, _FIRST)
    chunks = list(part.head(rows).chunks(job.columns, rows))
    return row_chance_of(job.sample(joined(chunks)), job.printed)


def _recognised(files: _Files, source: Events) -> _Counted:
    memory = str(source.provenance.get("source", "memory"))
    parts = tuple(Part.of(Path(name).name if name else memory, printed) for name, printed in files.printed.items())
    first, *others = files.printed.values()
    for other in others:
        first = first.merge(other)
    return _Counted(files.found, parts, first, files.row_chance or 1.0)


def _file_of(part: Any) -> str:  # noqa: ANN401
    piece = getattr(part, "piece", None)
    return "" if piece is None else str(piece)


def _batches(parts: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the parts of so many files at a time, each file whole."""
    start, seen = 0, {_file_of(parts[0])}
    for i, part in enumerate(parts):
        name = _file_of(part)
        if name not in seen and len(seen) == _FILES:
            yield parts[start:i]
            start, seen = i, set()
        seen.add(name)
    yield parts[start:]

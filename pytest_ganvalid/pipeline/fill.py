"""Filling: from events of any kind to `Histograms`, in bins chosen from them or like others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, placed
from pytest_ganvalid.histograms import compiled
from pytest_ganvalid.overlaps.digests import LARGEST
from pytest_ganvalid.overlaps.fingerprint import SIZE, sketch_limit
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.files import read_histograms
from pytest_ganvalid.pipeline.pair import SIDES
from pytest_ganvalid.pipeline.plan import FillPlan, check_storable
from pytest_ganvalid.pipeline.preview import (
    COPIES,
    FIRST,
    ReadPart,
    chunk_rows,
    gathered,
    has_numbers,
    head,
    preview_size,
    row_bytes,
)
from pytest_ganvalid.pipeline.progress import progress_bar
from pytest_ganvalid.pipeline.request import DEFAULT_BINS, DEFAULT_MEMORY, Request, Side, with_clusters
from pytest_ganvalid.pipeline.run import MANY, Cluster, Result, Runner, Threads
from pytest_ganvalid.pipeline.summary import FillTask, Histograms, closed, fill_part, joined
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.sources import FilePart, MemoryPart

_SIDE = "the sample"
_MAX_DIFFERENCE = 0.5  # between a preview and the whole, in a bin's share, before bins are chosen anew
_MIN_ROWS = 1 << 12  # of a sketch, however large they are


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
    cluster: str | None = None,
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
        cluster: The name of a column whose equal values say which rows have a common cause, so that they are no
            independent events. All rows of a cluster must be among these events, which are read into memory.

    Raises:
        InputError: If the events cannot be read or filled; the message names the file and the place.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    model = None if like is None else _model(like)
    request = Request.parsed(
        observables=observables,
        by=by,
        bins=bins,
        nonfinite=nonfinite,
        memory=memory,
        client=client,
        cluster=cluster,
    )
    if not isinstance(cluster, str | None):
        msg = f"cluster is a {type(cluster).__name__}; expected the name of a column, or None"
        raise InputTypeError(msg)
    if not isinstance(weight, str | None) and weight is not False:
        msg = f"weight is a {type(weight).__name__}; expected the name of a column, None, or False for no weights"
        raise InputTypeError(msg)
    if model is None:
        return _fill_anew(events, request, weight)
    if {"observables", "by", "bins", "nonfinite"} & set(request.stated):
        msg = "like= says which observables, strata and bins to fill; leave out observables, by, bins and nonfinite"
        raise InputError(msg)
    side, *_ = with_clusters([_weighted_like(events, model, weight)], cluster)
    return fill_like(side, model, request).stored()


def _weighted_like(events: object, model: Histograms, weight: object) -> Side:
    """Open events with the weights that are named, or with those of ``model``.

    Raises:
        InputError: If the events lack the column of weights.
    """
    side = Side.opened(events, _SIDE, weight, pair=False)
    if weight is not None or side.weight is not None or model.plan.weight is None:
        return side
    if not model.plan.weight:
        msg = (
            f"{side.source.name}: the weights to be like are those of a Sample; name a column of weights with weight=, "
            "or say weight=False for unweighted events"
        )
        raise InputError(msg)
    return Side.opened(side.source, _SIDE, model.plan.weight, pair=False)


def _model(like: object) -> Histograms:
    if isinstance(like, Histograms):
        return like
    if isinstance(like, str | os.PathLike):
        return read_histograms(like)
    msg = f"like is a {type(like).__name__}; expected Histograms, or the name of a file of them"
    raise InputTypeError(msg)


def fill_like(side: Side, like: Histograms, request: Request) -> Histograms:
    """Fill events into the bins of other histograms.

    Args:
        side: The events.
        like: The histograms.
        request: Memory and client.

    Raises:
        InputError: If the events cannot be read, or lack a column.
    """
    check_client(request, side)
    plan = like.plan.like(side)
    with runner_for(request, side) as runner:
        with placed(_name(side)):
            read = plan.read_columns(side.source.names)
        key = plan.key if plan.key is not None and has_numbers(side, plan.key.columns, runner) else None
        names = {*read, *(() if key is None else key.columns), side.weight, side.cluster}
        columns = tuple(column for column in side.source.names if column in names)
        side = replace(side, source=side.source.keeping(columns))
        return summarise(side, plan, columns, request, runner, (key, None))


def _name(side: Side) -> str:
    """Return the name of events in messages: their side, or their source where there is none."""
    return side.source.name if side.name == _SIDE else side.name


def _fill_anew(events: object, request: Request, weight: object) -> Histograms:
    side, *_ = with_clusters([Side.opened(events, _SIDE, weight, pair=False)], request.cluster)
    check_client(request, side)
    with _without_sides(side), runner_for(request, side) as runner:
        # A draft has two sides; here both are the sample.
        sides = replace(side, name=SIDES[0]), replace(side, name=SIDES[1])
        draft = Draft.of(sides, request, runner)
        for observable in draft.observables:
            check_storable(observable)
        _, summary = summarise_reference(draft, runner)
    return summary.stored()


def check_client(request: Request, *sides: Side) -> None:
    """Refuse a Dask client for events that are in memory.

    Raises:
        InputError: If there is a client, and all events are in memory.
    """
    if request.client is not None and all(side.source.columns is not None for side in sides):
        subject = "the sample is" if len(sides) == 1 else "the samples are"
        msg = f"client= is for files and Dask collections; {subject} in memory: leave it out"
        raise InputError(msg)


@contextmanager
def runner_for(request: Request, *sides: Side) -> Iterator[Runner]:
    """Yield the runner: threads, with a progress bar on a terminal, or a Dask cluster."""
    sources = [side.source for side in sides]
    if request.client is not None or any(source.lazy for source in sources):
        yield Cluster(request.client)
        return
    with progress_bar(sources) as tick:
        yield Threads(tick)


@contextmanager
def _without_sides(side: Side) -> Iterator[None]:
    """Let errors name the source instead of a side."""
    try:
        yield
    except GanvalidError as error:
        error.places = tuple(location for location in error.places if location not in SIDES)
        for name in SIDES:
            error.args = (error.message.removeprefix(f"{name}: "),)
        with placed(side.source.name):
            raise


def summarise_sides(
    draft: Draft, runner: Runner, search: Callable[[FillPlan], Result]
) -> tuple[Draft, Histograms, Histograms, Callable[[], Result]]:
    """Choose bins from the reference and fill both sides; see `summarise_reference`.

    Args:
        draft: The draft.
        runner: What does the work.
        search: What else may be asked for once there is a plan.

    Returns:
        The draft that the bins were chosen by, the histograms of the generated and of the reference events, and what
        returns the result of the search, which is made at the same time if that helps.
    """
    generated_side = draft.full_sides[0]
    if not _is_done_at_once(draft):
        draft, reference = summarise_reference(draft, runner)
        generated = _summary_of(draft, 0, reference.plan.like(generated_side), runner)
        return draft, generated, reference, partial(search, reference.plan)
    plan = draft.plan(runner)
    tasks: list[Callable[[], Any]] = [
        partial(_summary_of, draft, 1, plan, runner),
        partial(_summary_of, draft, 0, plan.like(generated_side), runner),
        partial(search, plan),
    ]
    reference, generated, result = runner.each(lambda task: task(), tasks, at_once=True)
    reference = _with_origin_of_bins(draft, reference)
    return draft, replace(generated, plan=reference.plan.like(generated_side)), reference, lambda: result


def summarise_reference(draft: Draft, runner: Runner) -> tuple[Draft, Histograms]:
    """Choose bins from the reference and fill it, in bins chosen anew should those turn out to be badly chosen.

    Returns:
        The draft that the bins were chosen by, and the histograms of the reference, with their plan.
    """
    final = _is_final(draft)
    try:
        plan = draft.plan(runner)
    except InputError:  # few events are selected, and none of them may have been looked at
        if final:
            raise
        draft, final = draft.redrawn(runner), True
        plan = draft.plan(runner)
    summary = _summary_of(draft, 1, plan, runner)
    if not final and _is_unrepresentative(draft, summary):
        draft = draft.redrawn(runner)
        summary = _summary_of(draft, 1, draft.plan(runner), runner)
    return draft, _with_origin_of_bins(draft, summary)


def _is_final(draft: Draft) -> bool:
    """Tell whether the rows that bins are chosen from are all there are, or drawn from all."""
    return draft.previews[1].complete or draft.previews[1].drawn


def _is_done_at_once(draft: Draft) -> bool:
    """Tell whether both sides are filled at the same time: where neither keeps all processors at work.

    So all rows of both must be few enough to be looked at together, in files or in memory. Functions of the user's are
    called in turns, whether they make observables or events.
    """
    if not (_is_final(draft) and draft.is_plain and len(draft.previews[1].sample) >= MANY):
        return False
    size = 0.0
    for side, preview in zip(draft.sides, draft.previews, strict=True):
        if not all(isinstance(part, FilePart | MemoryPart) for part in side.source.parts):
            return False
        rows = preview.total
        if rows is None or rows > preview_size(preview.row, draft.request.memory):
            return False
        size += rows * preview.row
    return COPIES * size <= draft.request.memory


def _with_origin_of_bins(draft: Draft, summary: Histograms) -> Histograms:
    """Note in the plan of the reference which of its events the bins were chosen from, if any."""
    if not draft.chooses_bins(summary.plan):
        return summary
    ids = tuple(sorted({origin.id for origin in summary.origins}))
    share = len(draft.previews[1].sample) / summary.n_events
    return replace(summary, plan=replace(summary.plan, bins_from=ids, bins_share=share))


def _summary_of(draft: Draft, position: int, plan: FillPlan, runner: Runner) -> Histograms:
    side, columns = draft.sides[position], draft.columns[position]
    training_key = draft.training_key if draft.training_key != draft.key else None
    if training_key is not None and not set(training_key.columns) <= set(columns):
        training_key = None
    preview, other = draft.previews[position], draft.sides[1 - position]
    other_values = 0 if other.source is side.source else (other.source.rows or 0) * len(draft.columns[1 - position])
    keys = draft.key, training_key
    return summarise(side, plan, columns, draft.request, runner, keys, preview.row, preview.parts, other_values)


def summarise(
    side: Side,
    plan: FillPlan,
    columns: tuple[str, ...],
    request: Request,
    runner: Runner,
    keys: tuple[Key | None, Key | None],
    row: float | None = None,
    read: Sequence[ReadPart] | None = None,
    other_values: int = 0,
) -> Histograms:
    """Fill all events of a side.

    Args:
        side: The events.
        plan: How they are filled.
        columns: Columns to read.
        request: How much memory the events may take.
        runner: What does the work.
        keys: How rows are recognised; see `FillTask`.
        row: Bytes of a row, if known.
        read: All rows, if they have been read.
        other_values: Number of values of the other side, if known.

    Raises:
        InputError: If there are no events, or the events cannot be read or filled.
    """
    row = row_bytes(head(side, columns, FIRST, runner)) if row is None else row
    size = int(min(SIZE, max(request.memory / (COPIES * row), _MIN_ROWS)))
    limits = [LARGEST if key is None else sketch_limit(side.source.rows, size, key) for key in keys]
    task = FillTask(
        plan=plan,
        side=side.name,
        columns=columns,
        chunk=chunk_rows(row, request.memory, runner.workers),
        keys=keys,
        limits=(limits[0], limits[1]),
        size=size,
    )
    parts: Sequence[Any] = side.source.parts if read is None else read
    if side.source.rows is not None and isinstance(runner, Threads) and not any(map(task.stays_on_device, parts)):
        compiled.expect(side.source.rows * len(columns) + other_values)
    if plan.cluster is not None:
        rows = all_rows(side, columns, row, request.memory, runner)
        part = MemoryPart(rows)
        parts, task = [part], replace(task, chunk=part.rows)
    total = runner.total(fill_part, task, parts, joined)
    if total is None:
        msg = f"{_name(side)}: there are no events; check what wrote the sample"
        raise InputError(msg)
    with placed(_name(side)):
        return closed(total, side.source.name)


def all_rows(side: Side, columns: Sequence[str], row: float, memory: float, runner: Runner) -> Columns:
    """Read all rows of a side at once, as clusters require.

    Raises:
        InputError: If the rows do not fit into memory.
    """
    if side.source.columns is not None:
        return gathered(side, columns, row, memory, runner)
    rows: Columns | None = None
    number = side.source.rows
    if number is None:
        rows = gathered(side, columns, row, memory, runner)
        number = len(next(iter(rows.values())))
    need = COPIES * row * number
    if need > memory:
        msg = (
            f"{_name(side)}: the rows of a cluster may be anywhere, so all must be in memory at once, which takes "
            f"about {need / 1e9:.3g} GB, more than memory={memory:.3g} bytes; allow for more, fill parts of whole "
            "clusters by fill(cluster=...) and add them, or store a cluster as one event of several entries"
        )
        raise InputError(msg)
    return gathered(side, columns, row, memory, runner) if rows is None else rows


def _is_unrepresentative(draft: Draft, summary: Histograms) -> bool:
    """Tell whether the rows that bins were chosen from differ from the whole, so that bins may be badly chosen."""
    names = {observable.name for observable in draft.binned if draft.is_numbered(observable)}
    chosen = tuple(histogram for histogram in summary.plan.histograms if histogram.observable.name in names)
    side = draft.sides[1]
    plan = replace(summary.plan, histograms=chosen, cluster=None)
    task = FillTask(plan=plan, side=side.name, columns=(), chunk=0)
    sample = draft.previews[1].sample
    columns: dict[str, Any] = dict(sample.columns)
    if side.weight is not None and sample.weight is not None:
        columns[side.weight] = sample.weight
    preview = task.summary(columns, "")
    if np.any(summary.events[preview.events == 0]):
        return True  # none of a stratum's events was looked at
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [(preview.events, summary.events)]
    pairs += [(content.sumw.value, summary.contents[name].sumw.value) for name, content in preview.contents.items()]
    for part, total in pairs:
        if not total.sum() > 0:
            continue  # there is no verdict, as is said later
        if not part.sum() > 0 or np.abs(part / part.sum() - total / total.sum()).max() > _MAX_DIFFERENCE / part.size:
            return True
    return False

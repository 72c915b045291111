"""The check of events that are read part by part: never more than a few chunks of them in memory.

Bins are chosen from a bounded sample of the reference, from all over it; then one pass over all events of either side
fills every histogram, and keeps the few rows that are compared with those of the other side. The contents of the bins
are exact. Should the sample turn out not to be like the whole reference, bins are chosen anew, from rows drawn in a
pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Fillable, Grid, Unlabelled, refuse_nonfinite
from pytest_ganvalid.histograms.device import can_fill, filled_on_device
from pytest_ganvalid.histograms.exact import Total
from pytest_ganvalid.histograms.filling import Filled, filled, filled_at
from pytest_ganvalid.histograms.kdtree import Cells
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.observables.needed import needed_columns
from pytest_ganvalid.observables.observable import Observable, Values, inner_column
from pytest_ganvalid.observables.resolve import Wanted, resolve, skipped_columns
from pytest_ganvalid.questions import (
    MULTIPLICITY,
    Asked,
    Question,
    chosen_bins,
    multiplicity_bins,
    questions,
)
from pytest_ganvalid.runners import Runner, Tick
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.columns import parse
from pytest_ganvalid.samples.device import DevicePart
from pytest_ganvalid.samples.digests import LARGEST, is_plain
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.fingerprint import Fingerprint, fingerprint, near
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.sources import Events
from pytest_ganvalid.samples.spread import SIZE, Spread, heads, joined, spread_part
from pytest_ganvalid.samples.tables import check_weights, is_text
from pytest_ganvalid.samples.thinning import Thinning, row_bytes, thinning
from pytest_ganvalid.strata import Shares, condition_axis, condition_of, condition_values, strata
from pytest_ganvalid.wishes import Wish

FloatArray = NDArray[np.float64]
Sides = tuple[Events, Events]
_SIDES = ("generated", "reference")
_CHUNKS = (1 << 6, 1 << 18)  # rows, at least and at most
_LEAST_LOOKED = 1 << 13  # rows to choose bins from, however large they are
_COPIES = 6  # of a chunk, in each thread: as read, decoded, selected, and arrays to work in
_FIRST = 128  # rows, of which is found which columns a function reads, and how large rows are
_SPARE = 4  # times its fair share of a sample, that a part may have of it
_ALL = Unlabelled((1,))
_MARGIN = 0.95  # of the rows that are wanted, so that hardly ever more are drawn
_UNLIKE = 0.5  # of a bin's share, that a sample and the whole may differ in before bins are chosen anew


@dataclass(frozen=True, slots=True)
class Histogram:
    """What is filled, of the events of one stratum.

    Attributes:
        name: The observable, and the stratum if there is one.
        stratum: Position of the bin of the condition.
        observable: What is computed for each event.
        bins: Where it goes.
        nonfinite: Where NaN and infinite values go; ``"error"`` if they are refused.
        numbers: Bins of the number of entries per event; ``None`` if every event has one.
        several: Side -> whether its events have any number of entries, where that is known.
    """

    name: str
    stratum: int
    observable: Observable
    bins: Fillable
    nonfinite: str
    numbers: Fillable | None = None
    several: Mapping[str, bool] = field(default_factory=dict, compare=False)

    def filled(self, sample: Sample, side: str) -> dict[str, Filled]:
        """Fill some events; name -> histogram.

        Raises:
            InputError: If the observable cannot be computed, or NaN and infinite values are refused and there are any.
        """
        values = self.observable.values(sample, side)
        if self.several.get(side, several := values.counts is not None) != several:
            here, first = ("any number of entries", "one") if several else ("one", "any number of entries")
            msg = f"{side}: observable {self.name!r} has {here} per event here, and {first} in the first events"
            raise InputError(msg)
        parts = [(self.name, values, self.bins)]
        if self.numbers is not None:
            parts.append((self.name + MULTIPLICITY, values.multiplicity(), self.numbers))
        try:
            if isinstance(self.bins, Cells):  # other bins refuse what is not finite by themselves
                self._refuse_nonfinite(values, side)
            return {
                name: filled(bins, v.columns, sample.weight, counts=v.counts, selected=v.selected, workers=1)
                for name, v, bins in parts
            }
        except InputError:
            self._refuse_nonfinite(values, side)  # which says of how many
            raise

    def filled_on_device(self, tensors: Mapping[str, Any], weight: Any, side: str) -> Filled:  # noqa: ANN401
        """Fill some events where they are; see `Job.fits_a_device`.

        Raises:
            InputError: If NaN and infinite values are refused and there are any.
        """
        columns = [tensors[name] for name in self.observable.columns]
        try:
            return filled_on_device(self.bins, columns, weight)  # type: ignore[arg-type]
        except InputError as error:
            msg = f"{side}: observable {self.name!r}: {error}"
            raise InputError(msg) from None

    def _refuse_nonfinite(self, values: Values, side: str) -> None:
        for column in values.columns if self.nonfinite == "error" else ():
            refuse_nonfinite(column, f"{side}: observable {self.name!r}")


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with every event of one side.

    Attributes:
        side: Which.
        columns: That are read.
        weight: Which of them is the weight, if any.
        condition: The column that divides the events, and its bins.
        histograms: What is filled.
        thinning: Which rows are kept.
        training: Fingerprint, near which rows are kept, too.
        chunk: Rows at a time.
        printed: The columns that a fingerprint is made of; none if none is wanted.
    """

    side: str
    columns: tuple[str, ...]
    weight: str | None
    condition: tuple[str, Axis] | None
    histograms: tuple[Histogram, ...]
    thinning: Thinning | None
    training: Fingerprint | None
    chunk: int
    printed: tuple[str, ...] = ()

    def sample(self, rows: Columns) -> Sample:
        """Make a sample of a chunk."""
        return as_sample(rows, self.side, self.weight)

    def of(self, sample: Sample) -> Found:
        """Fill some events into all histograms."""
        index = None
        if self.condition is not None:
            values = condition_values(sample, self.condition[0], self.side)
            index = self.condition[1].index(values)
        histograms: dict[str, Filled] = {}
        for stratum in sorted({histogram.stratum for histogram in self.histograms}):
            part = sample if index is None else _selected(sample, index == stratum)
            for histogram in self.histograms if part is not None else ():
                if part is not None and histogram.stratum == stratum:
                    histograms |= histogram.filled(part, self.side)
        return Found(
            events=self._counted(index, len(sample), None),
            weights=self._counted(index, len(sample), sample.weight),
            histograms=histograms,
            rows=None if self.thinning is None else self.thinning.rows(sample),
            near=None if self.training is None else near(sample, self.training),
            printed=fingerprint(sample, self.printed) if self.printed else None,
        )

    @property
    def fits_a_device(self) -> bool:
        """Whether all that is done with an event can be done on a GPU: columns, in bins with edges, and no strata."""
        plain = (
            all(part is None for part in (one.observable.function, one.observable.where, one.numbers))
            and can_fill(one.bins)
            for one in self.histograms
        )
        return self.condition is None and self.training is None and not self.printed and all(plain)

    def of_tensors(self, tensors: Mapping[str, Any]) -> Found:
        """Fill some events into all histograms, where they are; see `fits_a_device`."""
        weight = None if self.weight is None else tensors[self.weight].double()
        if weight is not None:
            bad = weight.numel() - int(weight.isfinite().sum())
            check_weights(bad, weight.numel(), float(weight.abs().max()))
        size = Total.of(np.array([len(next(iter(tensors.values())))]))
        return Found(
            events=Filled(_ALL, size),
            weights=Filled(_ALL, size),
            histograms={one.name: one.filled_on_device(tensors, weight, self.side) for one in self.histograms},
            rows=None if self.thinning is None else self.thinning.rows_on_device(tensors),
        )

    def _counted(self, index: NDArray[np.intp] | None, events: int, weight: FloatArray | None) -> Filled:
        """Count events, or sum up their weights, in the bins of the condition."""
        if self.condition is not None and index is not None:
            return filled_at(Grid((self.condition[1],)), index, weight)
        if weight is None:
            return Filled(_ALL, Total.of(np.array([events])))
        return filled_at(_ALL, np.zeros(events, dtype=np.intp), weight)


def _selected(sample: Sample, inside: NDArray[np.bool_]) -> Sample | None:
    return sample.select(inside) if inside.any() else None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the pass over some events leaves; that of others adds up.

    Attributes:
        events: Number of events in each bin of the condition.
        weights: Their weight.
        histograms: Name -> histogram.
        rows: Those kept for comparison with the other side.
        near: Those that may be among the training events.
        printed: The fingerprint of the events.
    """

    events: Filled
    weights: Filled
    histograms: Mapping[str, Filled]
    rows: Spread | None = None
    near: Spread | None = None
    printed: Fingerprint | None = None

    def __add__(self, other: Found) -> Found:
        """Add what is left of other events."""
        names = [*self.histograms, *(name for name in other.histograms if name not in self.histograms)]
        return Found(
            self.events + other.events,
            self.weights + other.weights,
            {name: _sum(self.histograms.get(name), other.histograms.get(name)) for name in names},
            _sum(self.rows, other.rows),
            _sum(self.near, other.near),
            _sum(self.printed, other.printed),
        )

    @property
    def total(self) -> int:
        """Number of events."""
        return int(self.events.sumw.value.sum())


def _sum(a: Any, b: Any) -> Any:  # noqa: ANN401
    return b if a is None else a if b is None else a + b


def fill_part(job: Job, number: int, part: Any, tick: Tick) -> Found | None:  # noqa: ANN401, ARG001
    """Fill a part; a piece of work for a `runners.Runner`."""
    total: Found | None = None
    row = 0
    stays = isinstance(part, DevicePart) and job.fits_a_device
    for rows in part.tensors(job.columns) if stays else part.chunks(job.columns, job.chunk):
        size = len(next(iter(rows.values())))
        if size:
            try:
                total = _sum(total, job.of_tensors(rows) if stays else job.of(job.sample(rows)))
            except (InputError, InputTypeError) as error:
                msg = f"{part.place(row, row + size - 1)}: {error}"
                raise type(error)(msg) from None
        row += size
        tick(size)
    return total


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at the rows of a source: which are read to choose bins."""

    columns: tuple[str, ...]
    size: int
    chunk: int
    limit: int = LARGEST
    parts: int = 1


def _look_part(look: _Look, number: int, part: Any, tick: Tick) -> Spread | None:  # noqa: ANN401
    """Sample a part; a piece of work for a `runners.Runner`."""
    # So few rows of each of many parts that all of them together are not too many to be sent around.
    size = min(look.size, max(_SPARE * look.size // look.parts, _LEAST_LOOKED))
    found = spread_part(part, number, look.columns, size, look.chunk, look.limit, tick)
    return None if found is None else replace(found, size=look.size)


def _read_part(look: _Look, number: int, part: Any, tick: Tick) -> _Rows | None:  # noqa: ANN401, ARG001
    """Read a part; a piece of work for a `runners.Runner`."""
    chunks = []
    for rows in part.chunks(look.columns, look.chunk):
        chunks.append(rows)
        tick(0)
    return _Rows(tuple(chunks), (part.place(0, 0),) * len(chunks)) if chunks else None


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of some parts, and where those of each chunk begin."""

    chunks: tuple[Columns, ...]
    places: tuple[str, ...]

    def __add__(self, other: _Rows) -> _Rows:
        return _Rows(self.chunks + other.chunks, self.places + other.places)

    def joined(self) -> Columns:
        """Join the rows.

        Raises:
            InputError: If a column is of one kind in some, and of another in others; the message names the place.
        """
        for name, first in self.chunks[0].items():
            for rows, place in zip(self.chunks, self.places, strict=True):
                kind, expected = _kind(rows[name]), _kind(first)
                if kind != expected:
                    msg = f"{place}: column {name!r} holds {kind} here, and {expected} in the first events"
                    raise InputError(msg)
        return joined(self.chunks)


def _kind(values: NDArray[Any] | Entries) -> str:
    """Say what a column holds."""
    if isinstance(values, Entries):
        return f"any number of {_kind(values.values)} per event"
    return "numbers" if is_plain(values) else "text" if is_text(values) else f"values of dtype {values.dtype}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What a check of streamed events has found.

    Attributes:
        questions: The histograms and numbers that are compared.
        shares: The strata; one without a name if there is no condition.
        found: What the pass over either side has left.
        skipped: Columns that are not compared -> why.
        looked_at: How bins were chosen, for the report.
        thinning: How rows were chosen to be compared; ``None`` if the sides have no column of numbers in common.
    """

    questions: tuple[Question, ...]
    shares: tuple[Shares, ...]
    found: tuple[Found, Found]
    skipped: Mapping[str, str]
    looked_at: Mapping[str, Any]
    thinning: Thinning | None


def stream(sides: Sides, wish: Wish, runner: Runner) -> Streamed:
    """Look, choose bins, fill and ask.

    Args:
        sides: The generated and the reference events.
        wish: What is asked.
        runner: Who does the work.

    Raises:
        InputError: If the events admit no verdict or cannot be read; the message names the file and the place.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    plan = Plan.of(sides, wish, runner)
    try:
        jobs = plan.jobs(runner.workers)
    except InputError:  # few events are selected, and none of them may have been looked at
        if plan.looked[1].drawn or plan.complete:
            raise
        plan = plan.redrawn(runner)
        jobs = plan.jobs(runner.workers)
    reference = _filled(jobs[1], plan.sides[1], runner)
    if plan.looked[1].rows < reference.total and not plan.looked[1].drawn and unlike(plan, jobs[1], reference):
        plan = plan.redrawn(runner)
        jobs = plan.jobs(runner.workers)
        reference = _filled(jobs[1], plan.sides[1], runner)
    found = (_filled(jobs[0], plan.sides[0], runner), reference)
    shares = shares_of(plan.axis, found)
    asked = [*questions_of(jobs[0].histograms, shares, found), *_loaded_questions(plan, found, runner)]
    return Streamed(
        questions=tuple(_in_order(asked, plan, shares)),
        shares=tuple(shares.values()),
        found=found,
        skipped=_skipped(sides, plan, wish),
        looked_at={"bins_from_rows": plan.looked[1].rows, "drawn": plan.looked[1].drawn},
        thinning=jobs[0].thinning,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Some rows of a source, from all over it.

    Attributes:
        sample: The rows.
        rows: How many.
        drawn: Whether each row of the source was as likely to be among them.
        row: Bytes of one.
        total: Number of rows of the source; 0 if not known.
    """

    sample: Sample
    rows: int
    drawn: bool
    row: float
    total: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is to be done, once the sources have been looked at.

    Attributes:
        sides: The sources.
        wish: What the user said.
        columns: Those to read of either.
        looked: Some rows of either.
        asked: The observables, and how to look at them.
        condition: The column that divides the events; ``None`` if nothing does.
    """

    sides: Sides
    wish: Wish
    columns: tuple[tuple[str, ...], tuple[str, ...]]
    looked: tuple[Looked, Looked]
    asked: Asked
    condition: str | None

    @classmethod
    def of(cls, sides: Sides, wish: Wish, runner: Runner) -> Plan:
        """Look at both sides."""
        condition = condition_of(wish.by)
        columns = _columns(sides, wish, condition, runner)
        sides = sides[0].keeping(columns[0]), sides[1].keeping(columns[1])
        generated, reference = (
            _looked(source, names, wish, runner, side)
            for side, (source, names) in enumerate(zip(sides, columns, strict=True))
        )
        observables = resolve(wish.observables, generated.sample, reference.sample, condition)
        asked = Asked(observables=observables, bins=wish.bins, nonfinite=wish.nonfinite, seed=wish.seed)
        return cls(sides, wish, columns, (generated, reference), asked, condition)

    def redrawn(self, runner: Runner) -> Plan:
        """Draw the rows that bins are chosen from out of all of the reference."""
        row = self.looked[1].row
        return replace(self, looked=(self.looked[0], _drawn(self.sides[1], self.columns[1], self.wish, runner, row)))

    @property
    def complete(self) -> bool:
        """Whether all rows of the reference have been looked at."""
        return self.looked[1].rows == sum(part.rows or 0 for part in self.sides[1].parts)

    @property
    def axis(self) -> tuple[str, Axis] | None:
        """The condition and its bins."""
        return None if self.wish.by is None else condition_axis(self.wish.by, self.looked[1].sample)

    def jobs(self, workers: int) -> tuple[Job, Job]:
        """Say what is done with the events of either side, by so many workers that share the memory."""
        generated, reference = (looked.sample for looked in self.looked)
        axis = self.axis
        histograms = tuple(_histograms(self.asked, axis, generated, reference))
        largest = max(sum(part.rows or 0 for part in side.parts) for side in self.sides)
        known = self.wish.training
        rows = thinning(
            generated,
            reference,
            max(largest, self.looked[1].total, 1),
            known.columns if isinstance(known, Sample) else None,
            self.wish.memory / _COPIES,
        )
        training = known if isinstance(known, Fingerprint) else None
        made = [
            Job(
                side,
                columns,
                weight,
                axis,
                histograms,
                rows,
                training,
                chunk_rows(looked.row, self.wish.memory, workers),
            )
            for side, columns, weight, looked in zip(_SIDES, self.columns, self.wish.weights, self.looked, strict=True)
        ]
        return made[0], made[1]


def chunk_rows(row: float, memory: float, workers: int) -> int:
    """Return how many rows fit into memory at a time.

    Args:
        row: Bytes of one.
        memory: Bytes.
        workers: Threads, each of which has a chunk.
    """
    least, most = _CHUNKS
    return int(min(max(memory / (workers * _COPIES * row), least), most))


def _columns(
    sides: Sides, wish: Wish, condition: str | None, runner: Runner
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List the columns that are read of either side, in the order of the source."""
    for source, weight, side in zip(sides, wish.weights, _SIDES, strict=True):
        _check_name(source, weight, side)
        _check_name(source, _inner(condition, source), side)
    common = [name for name in sides[1].names if name and name in sides[0].names]
    wanted = set(common)
    if wish.observables is None:
        _refuse_uneven(sides)
    else:
        first = [_first(source, source.names, _FIRST, side, runner) for source, side in zip(sides, _SIDES, strict=True)]
        samples = [as_sample(*given) for given in zip(first, _SIDES, wish.weights, strict=True)]
        try:
            observables = resolve(wish.observables, samples[0], samples[1], condition)
            wanted = {name for one in observables for name in needed_columns(one, samples[0], samples[1])}
        except InputError as error:
            msg = f"{error}{_refused_in(sides, str(error))}"
            raise InputError(msg) from None
        for source, side in zip(sides, _SIDES, strict=True):
            for name in sorted(wanted.intersection(source.refused)):
                _check_name(source, name, side)
        for source, sample, side in zip(sides, samples, _SIDES, strict=True):
            for name in (name for one in observables if isinstance(one, Observable) for name in one.columns):
                _check_name(source, inner_column(sample, name), side)
    if wish.training is not None:
        known = wish.training.columns if isinstance(wish.training, Fingerprint) else tuple(wish.training.columns)
        wanted |= {name for name in known if name in common}
    chosen = [
        wanted.union(name for name in (weight, _inner(condition, source)) if name is not None)
        for source, weight in zip(sides, wish.weights, strict=True)
    ]
    generated, reference = (
        tuple(name for name in source.names if name in names) for source, names in zip(sides, chosen, strict=True)
    )
    if not generated or not reference:
        msg = f"the samples share no column: generated has {sorted(sides[0].names)}, reference {sorted(sides[1].names)}"
        raise InputError(msg)
    return generated, reference


def _refuse_uneven(sides: Sides) -> None:
    """Refuse to leave out, unasked, columns that some files have or one side can be read of.

    Raises:
        InputError: If there are any.
    """
    for source, other, side in zip(sides, sides[::-1], _SIDES, strict=True):
        for name, reason in source.refused.items():
            if name in source.uneven or name in other.names:
                msg = f"{side}: column {name!r} {reason}; name the observables to compare, or mend the files"
                raise InputError(msg)


def _refused_in(sides: Sides, error: str) -> str:
    """Say why columns that an error names cannot be read."""
    why = [
        f"; {side}: column {name!r} {reason}"
        for source, side in zip(sides, _SIDES, strict=True)
        for name, reason in source.refused.items()
        if repr(name) in error
    ]
    return "".join(why)


def _inner(condition: str | None, source: Events) -> str | None:
    """Return the column that a condition is made of."""
    reduction = None if condition is None or condition in source.names else parse(condition)
    return condition if reduction is None else reduction.column


def _check_name(source: Events, name: str | None, side: str) -> None:
    if name is not None and name not in source.names:
        reason = source.refused.get(name)
        said = (
            f"column {name!r} {reason}" if reason else f"there is no column {name!r}; there are {sorted(source.names)}"
        )
        msg = f"{side}: {said}"
        raise InputError(msg)


def _first(source: Events, columns: Sequence[str], rows: int, side: str, runner: Runner) -> Columns:
    """Read the first rows of a source, those of the first part that has any.

    Raises:
        InputError: If none has.
    """
    look = _Look(tuple(columns), rows, min(rows, _CHUNKS[1]))
    for part in source.parts:
        found = runner.total(_read_part, look, [part.head(rows)])
        if found is not None:
            return found.joined()  # type: ignore[no-any-return]
    msg = f"{side}: {source.provenance.get('source', 'it')} holds no events"
    raise InputError(msg)


def _looked(source: Events, columns: tuple[str, ...], wish: Wish, runner: Runner, side: int) -> Looked:
    """Read some rows from all over a source, or all of one that is not too large."""
    row = row_bytes(_first(source, columns, _FIRST, _SIDES[side], runner))
    if not source.seekable and _SIDES[side] == "reference":
        return _drawn(source, columns, wish, runner, row)
    size = _size((_CHUNKS[1], SIZE)[side], row, wish)
    if not source.seekable:
        return _sampled(_first(source, columns, size, _SIDES[side], runner), wish, side, row)
    look = _Look(columns, size, chunk_rows(row, wish.memory, runner.workers))
    found = runner.total(_read_part, look, heads(source.parts, size))
    return _sampled(found.joined(), wish, side, row)


def _drawn(source: Events, columns: tuple[str, ...], wish: Wish, runner: Runner, row: float) -> Looked:
    """Read all rows of the reference, and draw some of them."""
    size = _size(SIZE, row, wish)
    known = sum(part.rows for part in source.parts) if source.seekable else 0
    limit = int(LARGEST * _MARGIN * size / known) if known > size else LARGEST
    look = _Look(columns, size, chunk_rows(row, wish.memory, runner.workers), limit, len(source.parts))
    found = runner.total(_look_part, look, source.parts)
    if found is None:
        msg = f"reference: {source.provenance.get('source', 'it')} holds no events"
        raise InputError(msg)
    return replace(_sampled(found.columns, wish, 1, row), drawn=True, total=found.total)


def _size(most: int, row: float, wish: Wish) -> int:
    return int(min(most, max(wish.memory / (_COPIES * row), _LEAST_LOOKED)))


def _sampled(rows: Columns, wish: Wish, side: int, row: float) -> Looked:
    sample = as_sample(rows, _SIDES[side], wish.weights[side])
    return Looked(sample, len(sample), drawn=False, row=row)


def _histograms(
    asked: Asked, condition: tuple[str, Axis] | None, generated: Sample, reference: Sample
) -> Iterator[Histogram]:
    """Choose the bins of every observable, in every stratum."""
    index = None if condition is None else condition[1].index(condition_values(reference, condition[0], "reference"))
    for stratum in [0] if condition is None else range(condition[1].size):
        inside = None if index is None else index == stratum
        # A stratum without any of the looked-at rows is binned like the whole.
        here = reference if inside is None or not inside.any() else reference.select(inside)
        for observable in asked.observables:
            if isinstance(observable, Observable):
                name = (
                    observable.name
                    if condition is None
                    else f"{observable.name} | {condition[1].label_of(condition[0], stratum)}"
                )
                try:
                    several = observable.values(generated.first(1), "generated").counts is not None
                    yield _histogram(observable, name, stratum, here, asked, several=several)
                except (InputError, InputTypeError) as error:
                    msg = f"observable {name!r}: {error}"
                    raise type(error)(msg) from None


def _histogram(
    observable: Observable, name: str, stratum: int, reference: Sample, asked: Asked, *, several: bool
) -> Histogram:
    place = asked.nonfinite_of(observable.name)
    values = observable.values(reference, "reference")
    finite = np.all([np.isfinite(column) for column in values.columns], axis=0)
    if place == "error" and not finite.all():  # which the pass over all events refuses, and says where they are
        weight = values.weight(reference.weight)
        some = Values(tuple(column[finite] for column in values.columns))
        bins = chosen_bins(
            observable, asked.bins_of(observable.name), some, None if weight is None else weight[finite], place
        )
    else:
        bins = chosen_bins(observable, asked.bins_of(observable.name), values, reference.weight, place)
    sides = {"generated": several, "reference": values.counts is not None}
    numbers = multiplicity_bins(values.multiplicity(), reference.weight) if any(sides.values()) else None
    return Histogram(name, stratum, observable, bins, place, numbers, sides)


def _filled(job: Job, source: Events, runner: Runner) -> Found:
    found = runner.total(fill_part, job, source.parts)
    if found is None:
        msg = f"{job.side}: there are no events"
        raise InputError(msg)
    return found  # type: ignore[no-any-return]


def unlike(plan: Plan, job: Job, reference: Found) -> bool:
    """Tell whether the rows that bins were chosen from are not like the whole, so that bins may be badly chosen.

    Args:
        plan: Which rows those are.
        job: What was done with the reference, in those bins.
        reference: What that has left.
    """
    chosen = [one for one in job.histograms if isinstance(plan.asked.bins_of(one.observable.name), Integral)]
    looked = replace(job, histograms=tuple(chosen), thinning=None, training=None, printed=()).of(plan.looked[1].sample)
    pairs = [(few, reference.histograms[name]) for name, few in looked.histograms.items()]
    if any(one.name in reference.histograms and one.name not in looked.histograms for one in chosen):
        return True  # none of a stratum's events was looked at
    if np.any(reference.events.sumw.value[looked.events.sumw.value == 0]):
        return True
    for few, whole in [(looked.events, reference.events), *pairs]:
        sums = [one.sumw.value for one in (few, whole)]
        if not (sums[0].sum() > 0 and sums[1].sum() > 0):
            continue  # which admits no verdict, as is said later
        shares = [one / one.sum() for one in sums]
        if np.abs(shares[0] - shares[1]).max() > _UNLIKE / shares[0].size:
            return True
    return False


def shares_of(axis: tuple[str, Axis] | None, found: tuple[Found, Found]) -> dict[int, Shares]:
    """Return the strata that have events, by position, given the condition and its bins."""
    if axis is None:
        generated, reference = (one.total for one in found)
        return {0: Shares(label="", n_generated=generated, n_reference=reference)}
    events = [one.events.sumw.value for one in found]
    sums = [one.weights.sumw.value for one in found]
    for side, total in zip(_SIDES, sums, strict=True):
        if not total.sum() > 0:
            msg = f"{side}: the total weight is {total.sum():g}; expected a positive sum of weights"
            raise InputError(msg)
    weights = [total / total.sum() for total in sums]
    return {
        i: Shares(
            label=axis[1].label_of(axis[0], i),
            n_generated=int(events[0][i]),
            n_reference=int(events[1][i]),
            share_generated=float(weights[0][i]),
            share_reference=float(weights[1][i]),
        )
        for i in range(axis[1].size)
        if events[0][i] or events[1][i]
    }


def questions_of(
    histograms: Sequence[Histogram], shares: Mapping[int, Shares], found: tuple[Found, Found]
) -> Iterator[Question]:
    """Yield what is asked of both sides' histograms, in those strata.

    Raises:
        InputError: If their contents admit no verdict; the message names the observable.
    """
    for histogram in histograms:
        if histogram.stratum not in shares:
            continue
        stratum = shares[histogram.stratum]
        for name in (histogram.name, histogram.name + MULTIPLICITY):
            sides = [one.histograms[name].sums() for one in found if name in one.histograms]
            same = name != histogram.name and _one_number(sides, outside=histogram.observable.where is not None)
            if len(sides) == len(found) and not same:
                try:
                    generated, reference = (as_bin_sums(one, side) for one, side in zip(sides, _SIDES, strict=True))
                except InputError as error:
                    msg = f"observable {name!r}: {error}"
                    raise InputError(msg) from None
                yield Question(
                    name=name, generated=generated, reference=reference, share=stratum.share, used=stratum.used
                )


def _one_number(sides: Sequence[BinSums], *, outside: bool) -> bool:
    """Tell whether all events have one number of entries, but for those outside a selection, in the last bin."""
    populated = np.any([one.populated for one in sides], axis=0) if sides else np.zeros(1, dtype=bool)
    return int(np.count_nonzero(populated[:-1] if outside else populated)) < 2  # noqa: PLR2004


def _loaded_questions(plan: Plan, found: tuple[Found, Found], runner: Runner) -> Iterator[Question]:
    """Ask what takes all events at once, which must fit into memory."""
    whole = tuple(one for one in plan.asked.observables if not isinstance(one, Observable))
    if not whole:
        return
    size = sum(one.total * looked.row for one, looked in zip(found, plan.looked, strict=True))
    if size * _COPIES > plan.wish.memory:
        msg = (
            f"observable {whole[0].name!r} needs all events at once, which with what is made of them takes about "
            f"{size * _COPIES / 1e9:.3g} GB, more than memory={plan.wish.memory:.3g} bytes; allow for more, give "
            "fewer events, or compare a column or a function of the events"
        )
        raise InputError(msg)
    samples = []
    for source, columns, weight, side, looked in zip(
        plan.sides, plan.columns, plan.wish.weights, _SIDES, plan.looked, strict=True
    ):
        look = _Look(columns, 0, chunk_rows(looked.row, plan.wish.memory, runner.workers))
        samples.append(as_sample(runner.total(_read_part, look, source.parts).joined(), side, weight))
    asked = replace(
        plan.asked, observables=whole, bins=_own(plan.asked.bins, whole), nonfinite=_own(plan.asked.nonfinite, whole)
    )
    yield from questions(strata(plan.axis, samples[0], samples[1]), asked)


def _own(setting: object, observables: Iterable[Wanted]) -> object:
    """Leave out what is set for other observables."""
    names = {observable.name for observable in observables}
    return {n: s for n, s in setting.items() if n in names} if isinstance(setting, Mapping) else setting


def _in_order(asked: Sequence[Question], plan: Plan, shares: Mapping[int, Shares]) -> list[Question]:
    """Put the questions in the order of strata, and of observables in each."""
    names = [stratum.name(one.name) for stratum in shares.values() for one in plan.asked.observables]
    order = {name: place for place, name in enumerate(names)}
    return sorted(asked, key=lambda question: order[question.name.removesuffix(MULTIPLICITY)])


def _skipped(sides: Sides, plan: Plan, wish: Wish) -> dict[str, str]:
    """Say which columns ``observables=None`` leaves out, and why."""
    if wish.observables is not None:
        return {}
    skipped = skipped_columns(plan.looked[0].sample, plan.looked[1].sample, plan.condition)
    for source, other, side in ((sides[0], sides[1], "generated"), (sides[1], sides[0], "reference")):
        own = (name for name in source.names if name not in other.names and name not in other.refused)
        skipped |= dict.fromkeys(own, f"only {side} has it")
        skipped |= {name: f"cannot be read: it {reason}" for name, reason in source.refused.items()}
    return skipped

"""The summary of some events: histograms of them, and how to recognise them. Summaries of different events add up.

A chunk of events gives a `Histograms`; those of all chunks of a side are added up, and so are those that were filled
elsewhere, in any number of jobs. Two of them, of the generated events and of the reference, are all it takes to decide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid import _json
from pytest_ganvalid.attempts import SampleDigest, histogram_digest
from pytest_ganvalid.errors import InputError, placed
from pytest_ganvalid.histograms import compiled
from pytest_ganvalid.histograms.bins import Grid, refuse_nonfinite
from pytest_ganvalid.histograms.clusters import ClusterSums
from pytest_ganvalid.histograms.device import can_fill, filled_on_device, repeated_on_device
from pytest_ganvalid.histograms.exact import Total
from pytest_ganvalid.histograms.filling import Filled, filled, filled_at
from pytest_ganvalid.histograms.repeated import Repeated
from pytest_ganvalid.observables.strata import condition_values
from pytest_ganvalid.overlaps.digests import DOUBLE, LARGEST, row_hashes
from pytest_ganvalid.overlaps.fingerprint import SIZE, Fingerprint
from pytest_ganvalid.overlaps.judge import rows_in_both
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.pipeline.origins import MOST_EVENTS, Origin, OriginList, Tally, chosen_share
from pytest_ganvalid.pipeline.plan import MULTIPLICITY, Content, FillPlan, Histogram
from pytest_ganvalid.pipeline.run import Tick
from pytest_ganvalid.pipeline.store import (
    encoded_contents,
    encoded_plan,
    encoded_repeated,
    encoded_total,
    restored_contents,
    restored_plan,
    restored_repeated,
    restored_total,
)
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.clusters import clustered
from pytest_ganvalid.samples.device import DevicePart
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.tables import check_weights

KIND, VERSION = "histograms", 2
_MAX_LISTED = 3
_TOLERANCE = 1e-6  # relative


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histograms:
    """Histograms of some events, in some tens of kilobytes: all that a verdict is made of.

    Attributes:
        origins: Which events, in order.
        plan: What is filled, and how.
        events: Number of events in each bin of the condition, shape (strata,).
        weights: Their weight, shape (strata,).
        squares: The sums of their squared weights, shape (strata,).
        contents: Name -> histogram.
        fingerprint: By which the events are recognised; ``None`` if no column holds numbers.
        training_fingerprint: By which the events are recognised in the training, if that takes other columns; not
            stored.
        tallies: File -> events of it that were read so far.
        whole: All events, once they have been read from whatever files; is not stored.
    """

    origins: tuple[Origin, ...]
    plan: FillPlan
    events: NDArray[np.int64]
    weights: Total
    squares: Total
    contents: Mapping[str, Filled]
    fingerprint: Fingerprint | None
    training_fingerprint: Fingerprint | None = None
    tallies: Mapping[str, Tally] | None = None
    whole: Tally | None = None

    def __eq__(self, other: object) -> bool:
        """Tell whether all is the same, to the last bit."""
        return isinstance(other, Histograms) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """Return a number that equal histograms share."""
        return hash((self.origins, self.n_events))

    def __add__(self, other: Histograms) -> Histograms:
        """Add the histograms of other events.

        Raises:
            InputError: If the histograms were filled in different ways, or share an origin.
        """
        return added([("", self), ("", other)])

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.events.sum())

    @property
    def chosen(self) -> float:
        """Share of the events that the bins were chosen from, as far as they were chosen from any."""
        key = None if self.fingerprint is None else self.fingerprint.key
        return self.plan.bins_share * chosen_share(self.origins, self.plan.bins_from, key)

    @property
    def source(self) -> str:
        """Where the events come from, in words."""
        names = ", ".join(origin.source for origin in self.origins[:_MAX_LISTED])
        return names if len(self.origins) <= _MAX_LISTED else f"{names} and {len(self.origins) - _MAX_LISTED:,} more"

    def sample_digest(self) -> SampleDigest:
        """Tell these events from others, in whatever order and from whatever source they were read.

        Of histograms that were stored the files are known, and the digest of several is that of theirs. Weights count
        by their sums and those of their squares.
        """
        key, tally = None if self.fingerprint is None else self.fingerprint.key, self.whole
        parts = tuple(sorted({origin.id for origin in self.origins}))
        words = [*parts] if tally is None else [tally.id(key)]
        if self.plan.weight is not None:
            sums = [content.sums() for _, content in sorted(self.contents.items())]
            words += [f"{total:.12g}" for s in sums for total in (s.sumw.sum(), s.sumw2.sum())]
        if key is None:  # no row is recognised
            words.append(histogram_digest((name, content.sums()) for name, content in self.contents.items()).digest)
        return SampleDigest(
            digest=words[0] if len(words) == 1 else hashlib.sha256(" ".join(words).encode()).hexdigest()[:32],
            parts=() if key is None else parts,
            sums=None if key is None or tally is None else (tally.events, tally.sum, tally.squares),
        )

    def stored(self) -> Histograms:
        """Return what is written to a file."""
        prints = None if self.fingerprint is None else self.fingerprint.stored()
        contents = {
            name: f if f.repeated is None else replace(f, repeated=f.repeated.stored())
            for name, f in self.contents.items()
        }
        return replace(self, contents=contents, fingerprint=prints, training_fingerprint=None, whole=None)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object.

        Its member ``histograms`` holds them as other programs read them, by the UHI schema.
        """
        stored = self.stored()
        weighted = stored.plan.weight is not None
        document = {
            "origins": stored.origins,
            "plan": encoded_plan(stored.plan),
            "strata": {
                "events": stored.events.tolist(),
                "weights": encoded_total(stored.weights),
                "squares": encoded_total(stored.squares),
            },
            **encoded_contents(stored.plan.contents(), stored.contents, weighted=weighted),
            "repeated": encoded_repeated(stored.plan.contents(), stored.contents),
            "fingerprint": None if stored.fingerprint is None else json.loads(stored.fingerprint.to_json()),
        }
        return _json.dumps(KIND, VERSION, document, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Histograms:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not that of histograms of this version; the message names the field.
        """
        return cls.from_node(_json.parsed(text))

    @classmethod
    def from_node(cls, document: _json.Node) -> Histograms:
        """Read the document that `to_json` wrote; see `from_json`."""
        try:
            with np.errstate(all="ignore"):  # numbers that are too large are refused where they are used
                return _restored(document)
        except RecursionError:
            msg = "the JSON is nested too deep to be histograms"
            raise InputError(msg) from None


def added(parts: Iterable[tuple[str, Histograms]]) -> Histograms:
    """Add up the histograms of different events, in whatever number.

    Args:
        parts: Name of a file, for messages, and its histograms; the name is empty if there is no file.

    Raises:
        InputError: If there is no part, parts were filled in different ways, or two share an origin.
    """
    total: Histograms | None = None
    first = ""
    origins = OriginList()
    for name, part in parts:
        if total is None:
            first = name or part.source
        else:
            _check_addable(total, part, f"{first} and {name or part.source}")
        origins.extend(part.origins, name)
        if total is not None:
            _refuse_overlap(total, part, name or part.source)
        total = part if total is None else joined(total, part)
    if total is None:
        msg = "there are no histograms to add"
        raise InputError(msg)
    return replace(total, origins=origins.sorted())


def _check_addable(a: Histograms, b: Histograms, names: str) -> None:
    if a.plan.weight != b.plan.weight:
        first, second = (_weight_in_words(side.plan.weight) for side in (a, b))
        msg = f"histograms of {names} do not add up: {first} and {second}; fill all with the same weight"
        raise InputError(msg)
    if a.plan.cluster != b.plan.cluster:
        first, second = (f"by {side.plan.cluster!r}" if side.plan.cluster else "by nothing" for side in (a, b))
        msg = f"histograms of {names} do not add up: clustered {first} and {second}; fill all with the same cluster"
        raise InputError(msg)
    difference = a.plan.difference(b.plan)
    keys = [None if side.fingerprint is None else side.fingerprint.key for side in (a, b)]
    if not difference and keys[0] is not None and keys[1] is not None and not keys[0].same_rows(keys[1]):
        first, second = (f"{list(key.columns)} ({key.bits} bits)" for key in keys if key is not None)
        difference = f"rows are recognised by {first} and by {second}"
    if difference:
        msg = (
            f"histograms of {names} do not add up: {difference}; fill all parts like the first: "
            "ganvalid fill EVENTS --like FIRST.json"
        )
        raise InputError(msg)


def _refuse_overlap(total: Histograms, part: Histograms, name: str) -> None:
    """Refuse a part that shares events with those before it, as far as their fingerprints tell.

    Raises:
        InputError: If the part shares more rows than independent parts do.
    """
    fingerprint, previous = part.fingerprint, total.fingerprint
    rows = None if fingerprint is None or previous is None else rows_in_both(fingerprint, previous)
    if rows is not None:
        lower, estimate, upper = rows
        how_many = f"{estimate:,}" if lower == upper else f"about {estimate:,} (95 % interval {lower:,} to {upper:,})"
        msg = (
            f"{name}: {how_many} of its {part.n_events:,} events are also in what it is added to ({total.source}), "
            "more than independent parts share; expected every event once: fill parts anew that share none"
        )
        raise InputError(msg)


def _weight_in_words(weight: str | None) -> str:
    if weight is None:
        return "unweighted"
    return f"weighted by {weight!r}" if weight else "weighted by the weights of a Sample"


def joined(a: Histograms, b: Histograms) -> Histograms:
    """Add the histograms of other events that were filled by the same plan."""
    plan = a.plan
    if a.plan.bins_from != b.plan.bins_from:
        ids = tuple(sorted({*a.plan.bins_from, *b.plan.bins_from}))
        plan = replace(plan, bins_from=ids, bins_share=min(a.plan.bins_share, b.plan.bins_share))
    if a.plan.skipped != b.plan.skipped:
        plan = replace(plan, skipped=_skipped_by_either(a.plan, b.plan))
    contents = dict(a.contents)
    for name, content in b.contents.items():
        with placed(f"observable {name!r}"):
            contents[name] = contents[name] + content if name in contents else content
    tallies = {**(a.tallies or {}), **{n: _sum((a.tallies or {}).get(n), t) for n, t in (b.tallies or {}).items()}}
    return Histograms(
        origins=a.origins,
        plan=plan,
        events=a.events + b.events,
        weights=a.weights + b.weights,
        squares=a.squares + b.squares,
        contents=contents,
        fingerprint=_sum(a.fingerprint, b.fingerprint),
        training_fingerprint=_sum(a.training_fingerprint, b.training_fingerprint),
        tallies=tallies or None,
    )


def _skipped_by_either(a: FillPlan, b: FillPlan) -> dict[str, str] | None:
    if a.skipped is None or b.skipped is None:
        return None
    return {name: max(a.skipped.get(name, ""), b.skipped.get(name, "")) for name in sorted({*a.skipped, *b.skipped})}


def _sum(a: Any, b: Any) -> Any:  # noqa: ANN401 - what adds up, or None
    return b if a is None else a if b is None else a + b


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTask:
    """How every chunk of events of one side is filled.

    Attributes:
        plan: What is filled, and how; its weight is that of this side.
        side: ``"generated"`` or ``"reference"``.
        columns: Columns that are read.
        chunk: Rows at a time.
        keys: How rows are recognised: for the other side and, if that takes other columns, for the training; ``None``
            where no rows are looked for.
        limits: Digests up to which rows are kept, for either.
        size: Rows to keep, at most, for either.
    """

    plan: FillPlan
    side: str
    columns: tuple[str, ...]
    chunk: int
    keys: tuple[Key | None, Key | None] = (None, None)
    limits: tuple[int, int] = (LARGEST, LARGEST)
    size: int = SIZE

    def summary(self, rows: Columns, origin: str) -> Histograms:
        """Fill some events into all histograms.

        Raises:
            InputError: If an observable cannot be computed or filled.
            InputTypeError: If a column does not hold numbers.
        """
        sample = clustered(as_sample(rows, self.side, self.plan.weight), self.plan.cluster, self.side)
        compiled.spend(len(sample) * len(rows))
        index = None
        if self.plan.condition is not None:
            name, axis = self.plan.condition
            index = axis.index(condition_values(sample, name, self.side))
        contents: dict[str, Filled] = {}
        for stratum in sorted({histogram.stratum for histogram in self.plan.histograms}):
            inside = None if index is None else index == stratum
            if inside is None or inside.any():
                selected = sample if inside is None else sample.select(inside)
                for histogram in self.plan.histograms:
                    if histogram.stratum == stratum:
                        contents |= self._filled(histogram, selected)
        prints: list[Fingerprint | None] = []
        tally = Tally(len(sample))
        for position, (key, limit) in enumerate(zip(self.keys, self.limits, strict=True)):
            hashes = None if key is None else row_hashes(rows, key.columns, key.bits)
            prints.append(None if key is None else Fingerprint.of(rows, key, self.size, limit, hashes))
            if hashes is not None and not position:
                tally = Tally.of(hashes)
        where = np.zeros(len(sample), dtype=np.intp) if index is None else index
        events = np.bincount(where, minlength=self.plan.strata).astype(np.int64)
        weights = squares = Total.of(events)
        if sample.weight is not None:
            bins = Grid(() if self.plan.condition is None else (self.plan.condition[1],))
            sums = filled_at(bins, where, sample.weight)
            weights, squares = sums.sumw, sums.sumw if sums.sumw2 is None else sums.sumw2
        return Histograms(
            origins=(),
            plan=self.plan,
            events=events,
            weights=weights,
            squares=squares,
            contents=contents,
            fingerprint=prints[0],
            training_fingerprint=prints[1],
            tallies={origin: tally},
        )

    def _filled(self, histogram: Histogram, sample: Sample) -> dict[str, Filled]:
        values = histogram.observable.values(sample, self.side)
        several = values.counts is not None
        if histogram.several.get(self.side, several) != several:
            actual, expected = ("any number of entries", "one") if several else ("one", "any number of entries")
            msg = (
                f"{self.side}: observable {histogram.name!r} has {actual} per event here, and {expected} in the first "
                "events"
            )
            raise InputError(msg)
        if histogram.nonfinite == "error":
            for column in values.columns:
                with np.errstate(over="ignore", invalid="ignore"):
                    finite = np.isfinite(np.add.reduce(column))  # or else it may still be an overflow
                if not finite:
                    self._refuse_nonfinite(histogram, column, sample)
        parts = [(histogram.name, values, histogram.bins)]
        if histogram.numbers is not None:
            parts.append((histogram.name + MULTIPLICITY, values.multiplicity(), histogram.numbers))
        contents = {
            name: filled(
                bins,
                v.columns,
                sample.weight,
                counts=v.counts,
                selected=v.selected,
                workers=1,
                cluster=sample.cluster,
            )
            for name, v, bins in parts
        }
        if values.counts is None and len(values.columns) == 1 and not histogram.observable.tree:
            repeated = Repeated.of(values.columns[0], values.weight(sample.weight))
            contents[histogram.name] = replace(contents[histogram.name], repeated=repeated)
        return contents

    def _refuse_nonfinite(self, histogram: Histogram, values: NDArray[np.float64], sample: Sample) -> None:
        """Refuse NaN and infinite values, and name all observables that have some among these events.

        Raises:
            InputError: If any value is not finite.
        """
        try:
            refuse_nonfinite(values, f"{self.side}: observable {histogram.name!r}")
        except InputError as error:
            implicit = self.plan.skipped is not None
            affected: list[str] = []
            usable: list[str] = []
            for other in self.plan.histograms:
                if other.stratum == histogram.stratum and not (implicit and other.observable.tree):
                    columns = other.observable.values(sample, self.side).columns
                    if other.nonfinite == "error" and not all(np.isfinite(column).all() for column in columns):
                        affected.append(other.observable.name)
                    elif all(np.any(column != column[:1]) for column in columns):  # of one value nothing is compared
                        usable.append(other.observable.name)
            msg, remedies = error.message, []
            if len(affected) > 1:
                msg += (
                    f". Others that have some: {affected[1:] if affected[0] == histogram.observable.name else affected}"
                )
                remedies.append(f"nonfinite={dict.fromkeys(affected, 'separate')}")
            if implicit and usable:
                remedies.append(f"observables={usable}")
            msg += f"; to go on: {' or '.join(remedies)}" if remedies else ""
            raise InputError(msg) from None

    @property
    def fits_a_device(self) -> bool:
        """Whether all that is done with an event can be done on a GPU: columns, in bins with edges, and no strata."""
        plain = (
            all(part is None for part in (h.observable.function, h.observable.where, h.numbers)) and can_fill(h.bins)
            for h in self.plan.histograms
        )
        return self.plan.condition is None and self.plan.cluster is None and self.keys[1] is None and all(plain)

    def stays_on_device(self, part: object) -> bool:
        """Tell whether a part is filled where it is, on a GPU."""
        return isinstance(part, DevicePart) and self.fits_a_device

    def summary_on_device(self, tensors: Mapping[str, Any], origin: str) -> Histograms:
        """Fill some events into all histograms where they are; see `fits_a_device`."""
        from pytest_ganvalid.overlaps.device import select_on_device

        weight = None if self.plan.weight is None else tensors[self.plan.weight].double()
        if weight is not None:
            n_nonfinite = weight.numel() - int(weight.isfinite().sum())
            check_weights(n_nonfinite, weight.numel(), float(weight.abs().max()))
        contents = {}
        for histogram in self.plan.histograms:
            columns = [tensors[name] for name in histogram.observable.columns]
            with placed(f"{self.side}: observable {histogram.name!r}"):
                content = filled_on_device(histogram.bins, columns, weight)  # type: ignore[arg-type]
            if len(columns) == 1:
                content = replace(content, repeated=repeated_on_device(columns[0], weight))
            contents[histogram.name] = content
        rows = len(next(iter(tensors.values())))
        prints, tally = None, Tally(rows)
        if self.keys[0] is not None:
            subset = select_on_device(tensors, self.keys[0], self.limits[0])
            prints = Fingerprint.of_selection(
                subset.columns, self.keys[0], rows, self.size, self.limits[0], subset.hashes
            )
            tally = Tally(rows, subset.sum, subset.squares)
        events = np.array([rows], dtype=np.int64)
        totals = [Total.of(events)] * 2
        if weight is not None:
            first = next(iter(contents.values()))  # every event is in some bin
            sums = (first.sumw, first.sumw if first.sumw2 is None else first.sumw2)
            totals = [Total(*(np.array([part.sum()]) for part in (s.leading, s.rest))) for s in sums]
        return Histograms(
            origins=(),
            plan=self.plan,
            events=events,
            weights=totals[0],
            squares=totals[1],
            contents=contents,
            fingerprint=prints,
            tallies={origin: tally},
        )


def fill_part(task: FillTask, number: int, part: Any, tick: Tick) -> Histograms | None:  # noqa: ANN401, ARG001
    """Fill a part; work for a `run.Runner`, whose results are added up by `joined`."""
    total: Histograms | None = None
    row = 0
    origin = getattr(part, "origin", "")
    stays = task.stays_on_device(part)
    for rows in part.tensors(task.columns) if stays else part.chunks(task.columns, task.chunk):
        size = len(next(iter(rows.values())))
        if size:
            with placed(part.place(row, row + size - 1)):
                chunk = task.summary_on_device(rows, origin) if stays else task.summary(rows, origin)
                total = chunk if total is None else joined(total, chunk)
        del rows  # or they would be there while more is read
        row += size
        tick(size)
    return total


def closed(total: Histograms, name: str) -> Histograms:
    """End the reading of a source: name its files, and fill what no event was in with nothing.

    Args:
        total: The sum of the histograms of all its parts.
        name: What the source is called, if it is no file.

    Raises:
        InputError: If two files hold the same events, or events have several entries where the plan knows of one.
    """
    prints = None if total.fingerprint is None else total.fingerprint.consolidated
    counts = np.zeros(0, np.int64) if prints is None else prints.distinct(DOUBLE).counts
    key = None if prints is None else prints.key
    origins, combined = OriginList(), Tally(0)
    for file, tally in (total.tallies or {}).items():
        combined += tally
        origins.extend([tally.origin(file.rpartition("/")[2] if file else name, key, counts)])
    contents = {}
    for content_name, content in total.plan.contents().items():
        got = total.contents.get(content_name)
        with placed(f"observable {content_name!r}"):
            histogram = _empty(content, total.plan) if got is None else _with_covariance(got, content)
        repeated = (
            (histogram.repeated or Repeated.none(weighted=histogram.sumw2 is not None)) if content.repeats else None
        )
        contents[content_name] = replace(histogram, repeated=None if repeated is None else repeated.stored())
    return replace(total, origins=origins.sorted(), contents=contents, fingerprint=prints, tallies=None, whole=combined)


def _empty(content: Content, plan: FillPlan) -> Filled:
    none, pair = Total.of(np.zeros(content.size)), Total.of(np.zeros(2))
    products = np.zeros((content.size, content.size))
    clusters = None if plan.cluster is None else ClusterSums(products, pair)
    if content.correlated:
        return Filled(content.bins, none, none, products, pair, clusters=clusters)
    return Filled(content.bins, none, None if plan.weight is None else none, clusters=clusters)


def _with_covariance(got: Filled, content: Content) -> Filled:
    """Give events of one entry each the covariance that those of several have.

    Raises:
        InputError: If events have several entries where the plan expects one.
    """
    if (got.products is not None) == content.correlated:
        return got
    if not content.correlated:
        msg = (
            "it has several entries per event here, and one in the events that the bins were chosen from; expected the "
            "same of all"
        )
        raise InputError(msg)
    squares = got.sumw if got.sumw2 is None else got.sumw2
    sums = [Total(*(np.array([part.sum()]) for part in (total.leading, total.rest))) for total in (got.sumw, squares)]
    events = Total(*(np.concatenate([getattr(total, part) for total in sums]) for part in ("leading", "rest")))
    return replace(got, sumw2=squares, products=np.diag(squares.value), events=events)


def _restored(document: _json.Node) -> Histograms:
    members = document.members()
    version = members["version"].value if "version" in members else None
    if "kind" not in members or members["kind"].value != KIND:
        members.get("kind", document).refuse(f"a document of kind {KIND!r}, as 'ganvalid fill' writes")
    if type(version) is not int or version != VERSION:
        members.get("version", document).refuse(
            f"version {VERSION}; fill anew what another version wrote: ganvalid fill EVENTS -o FILE.json"
        )
    names = ("kind", "version", "origins", "plan", "strata", "histograms", "beyond", "fingerprint")
    fields = document.members()
    document.check_names(fields, names, optional=("repeated",))
    prints: Fingerprint | None = _json.decode(Fingerprint | None, fields["fingerprint"])
    plan = restored_plan(fields["plan"], None if prints is None else prints.key)
    strata = fields["strata"].fields("events", "weights", "squares")
    origins: tuple[Origin, ...] = _json.decode(tuple[Origin, ...], fields["origins"])
    events = np.array([node.whole(0, MOST_EVENTS) for node in strata["events"].items(plan.strata)], dtype=np.int64)
    weights, squares = (restored_total(strata[name], plan.strata) for name in ("weights", "squares"))
    rows = int(events.sum()) if prints is None else prints.rows
    if not sum(origin.events for origin in origins) == events.sum() == rows or not origins:
        document.refuse(f"the same number of events in origins, strata and fingerprint, at least 1, not {events.sum()}")
    if list(origins) != sorted(set(origins)):
        fields["origins"].refuse("origins in order, each once")
    if plan.weight is None and not all(np.array_equal(total.value, events) for total in (weights, squares)):
        fields["strata"].refuse("weights that are the numbers of events, which have none")
    if np.any(weights.value**2 > events * squares.value * (1 + _TOLERANCE)):
        strata["squares"].refuse("squares as large as those of so many events with such sums are at least")
    contents = restored_contents(fields["histograms"], fields["beyond"], plan, events, weights)
    if "repeated" in fields:
        contents |= restored_repeated(fields["repeated"], plan, contents, events)
    return Histograms(
        origins=origins,
        plan=plan,
        events=events,
        weights=weights,
        squares=squares,
        contents=contents,
        fingerprint=prints,
    )

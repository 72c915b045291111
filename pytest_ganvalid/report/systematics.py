"""The systematics that an analysis keeps of a generated histogram, in the formats that analyses read.

A generator that is not shown to be robust leaves the relative errors of n_sys events (end of section 2.2 of
arXiv:2002.06307). `systematics` computes them bin by bin; they are written as CSV, as JSON, as a histogram with the
total variance, and as modifiers of a pyhf workspace.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid import results
from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError, suggestion
from pytest_ganvalid.histograms.axes import result_axes
from pytest_ganvalid.histograms.bins import Axis, Grid, Unlabelled
from pytest_ganvalid.histograms.counts import Counts
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.report.stored import comparison_in
from pytest_ganvalid.results import Amount, Comparison, Document, Judgement, Probability, Report, Verdict
from pytest_ganvalid.statistics.uncertainty import Uncertainties, bin_uncertainties

FloatArray = NDArray[np.float64]
_TOLERANCE = 1e-12
_MIN_EVENTS = 1e-6  # of n_systematic, below which nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class BinSystematic:
    """The errors of one bin.

    Attributes:
        label: The bin in words, such as ``[80, 85)`` or ``underflow``.
        lower: Its lower edge; ``None`` if it is open there, or has no edges.
        upper: Its upper edge, likewise.
        content: Sum of weights of the generated sample.
        statistical: Statistical error of the generated sample, in the unit of the content.
        inherited: Error of n_sys events, likewise; where they would be less than one, that of one.
        total: Both in quadrature.
        relative_statistical: Over the content; ``None`` where that is zero or negative.
        relative_inherited: Likewise.
        relative_total: Likewise.
        unresolved: Whether n_sys events would be less than one in this bin on average.
    """

    label: str
    lower: float | None
    upper: float | None
    content: float
    statistical: Amount
    inherited: Amount
    total: Amount
    relative_statistical: Amount | None
    relative_inherited: Amount | None
    relative_total: Amount | None
    unresolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Systematics(Document):
    """What an analysis keeps of one generated histogram.

    Attributes:
        observable: What is binned.
        verdict: That of the comparison, at n_required.
        n_required: Number of true events the generated sample was to stand in for.
        n_train: Number of events the generator was trained on, if known.
        n_sys: Number of true events whose relative errors are kept: min(n_train, lower limit of n_equivalent).
        confidence: Confidence level of that limit.
        normalised: Whether the total is known from elsewhere, so that only the shape is uncertain.
        bins: The errors, bin by bin, flow bins included.
        axes: The axes of the bins, before merging.
    """

    KIND: ClassVar[str] = "systematics"

    observable: str
    verdict: Verdict
    n_required: Amount
    n_train: Amount | None
    n_sys: Amount
    confidence: Probability
    normalised: bool
    bins: tuple[BinSystematic, ...]
    axes: tuple[results.Axis, ...] = ()

    def __post_init__(self) -> None:
        """Refuse bins that no histogram can have.

        Raises:
            InputError: If there is no bin, or the number of events is not positive.
        """
        if not self.bins or self.n_sys < _MIN_EVENTS or not sum(max(b.content, 0.0) for b in self.bins) > 0:
            msg = f"{len(self.bins)} bins and n_sys={self.n_sys!r}; expected bins with contents, and a positive number"
            raise InputError(msg)

    @property
    def contents(self) -> FloatArray:
        """Sums of weights, shape (bins,)."""
        return np.array([b.content for b in self.bins])

    def to_csv(self) -> str:
        """Write a table, one row per bin; a cell without a number is empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        columns = [field.name for field in fields(BinSystematic)]
        writer.writerow(columns)
        writer.writerows([_cell(getattr(b, name)) for name in columns] for b in self.bins)
        return file.getvalue()

    def to_hist(self, like: Any = None) -> Any:  # noqa: ANN401 - hist has no types here
        """Return a ``hist.Hist`` of the contents, whose variances are those of both errors together.

        Args:
            like: A ``hist.Hist`` whose axes to take, such as that whose errors these are. ``None`` for an axis of the
                edges, where what is below the first and above the last are flow bins; bins that do not lie along one
                axis are categories, by their labels.

        Raises:
            InputError: If ``like`` has another number of bins.
            MissingExtraError: If hist is not installed.
        """
        hist = imported("hist", feature="a histogram with the total variance", extra="hep")
        axes = self._hist_axes(hist.axis) if like is None else like.axes
        histogram = hist.Hist(*axes, storage=hist.storage.Weight())
        view = histogram.view(flow=True)
        if view.size != len(self.bins):
            msg = f"like has {view.size} bins, flow bins included, and these errors {len(self.bins)}; expected as many"
            raise InputError(msg)
        view.value = self.contents.reshape(view.shape)
        view.variance = np.array([b.total**2 for b in self.bins]).reshape(view.shape)
        return histogram

    def to_uhi(self) -> str:
        """Write the histogram of `to_hist` as JSON by the schema of UHI (scikit-hep/uhi), which hist and others read.

        Raises:
            MissingExtraError: If hist is not installed.
        """
        serialization = imported("boost_histogram.serialization", feature="a histogram by UHI's schema", extra="hep")
        return json.dumps(serialization.to_uhi(self.to_hist()), default=np.ndarray.tolist, allow_nan=False)

    def _hist_axes(self, kinds: Any) -> list[Any]:  # noqa: ANN401
        """Return the axis of these bins, of one of the kinds of hist."""
        edges = _edges(self.bins)
        title = self.axes[0].title if len(self.axes) == 1 else self.observable
        if edges is None:
            return [kinds.StrCategory(_distinct([b.label for b in self.bins]), label=title, flow=False)]
        below, above = self.bins[0].lower is None, self.bins[-1].upper is None
        return [kinds.Variable(edges, label=title, underflow=below, overflow=above)]

    def patch(
        self, workspace: Mapping[str, Any] | None = None, *, channel: str | int = 0, sample: str | int = 0
    ) -> list[dict[str, Any]]:
        """Return a JSON patch (RFC 6902) that adds the inherited errors to a sample of a pyhf workspace.

        The modifiers are those of `inherited_modifiers`, of the contents that the sample has in the workspace. What
        the histogram holds beyond the bins of the channel (its flow bins) counts in the total.

        Args:
            workspace: The workspace to patch. ``None`` for one whose sample holds exactly this histogram; channel and
                sample are positions then.
            channel: Name or position of the channel.
            sample: Name or position of the sample in it.

        Raises:
            InputError: If there is no such sample, the sample has other bins or has these modifiers already, or n_sys
                is so few that no bin has a content.
        """
        if workspace is None:
            return self._blind_patch(channel, sample)
        position, channel_entry = _entry(workspace, "channels", channel, "the workspace")
        index, entry = _entry(channel_entry, "samples", sample, f"channel {channel_entry.get('name')!r}")
        data = _yields(entry)
        modifiers = inherited_modifiers(
            data, self.n_sys, name=self._prefix, outside=self._outside(data), normalised=self.normalised
        )
        existing = {modifier.get("name") for modifier in _members(entry, "modifiers")}
        duplicates = [modifier["name"] for modifier in modifiers if modifier["name"] in existing]
        if duplicates:
            msg = f"sample {entry.get('name')!r} has the modifier {duplicates[0]!r} already; apply the patch once"
            raise InputError(msg)
        sample_path = f"/channels/{position}/samples/{index}"
        names = {f"/channels/{position}/name": channel_entry.get("name"), f"{sample_path}/name": entry.get("name")}
        tests = [{"op": "test", "path": path, "value": name} for path, name in names.items()]
        return [*tests, *_added(sample_path, modifiers)]

    def _blind_patch(self, channel: str | int, sample: str | int) -> list[dict[str, Any]]:
        for kind, position in (("channel", channel), ("sample", sample)):
            if not isinstance(position, int) or position < 0:
                msg = f"{kind}={position!r}: without a workspace expected its position, 0 for the first; or give one"
                raise InputError(msg)
        modifiers = inherited_modifiers(self.contents, self.n_sys, name=self._prefix, normalised=self.normalised)
        return _added(f"/channels/{channel}/samples/{sample}", modifiers)

    @property
    def _prefix(self) -> str:
        return f"ganvalid_{self.observable}" if self.observable else "ganvalid"

    def _outside(self, data: FloatArray) -> float:
        """Return the content of the histogram beyond the bins of a channel, in the channel's unit.

        Raises:
            InputError: If the channel has other bins.
        """
        contents = np.maximum(self.contents, 0.0)
        inner = np.array([b.lower is not None and b.upper is not None for b in self.bins])  # no flow bins
        if data.size == contents.size:
            return 0.0
        if data.size != inner.sum() or not contents[inner].sum() > 0:
            msg = (
                f"the sample has {data.size} bins, and the histogram {inner.sum()} of {contents.size} without flow "
                "bins; give the histogram with the bins of the channel: systematics(comparison, histogram)"
            )
            raise InputError(msg)
        return float(np.maximum(data, 0).sum() * contents[~inner].sum() / contents[inner].sum())


def systematics(
    comparison: Judgement | Report,
    histogram: object = None,
    *,
    observable: str | None = None,
    normalised: bool = True,
) -> Systematics:
    """Compute the errors of n_sys events, bin by bin, that an analysis keeps of a generated histogram.

    Args:
        comparison: A comparison, as checked or as read from ``report.json``, or the report that has it.
        histogram: Generated contents, of any kind and with any bins that `bin_uncertainties` takes; ``None`` for those
            that were compared, as they were merged.
        observable: Which comparison of a report; ``None`` for the only one.
        normalised: Whether the total is known from elsewhere; see `bin_uncertainties`.

    Raises:
        InputError: If there is no such comparison, the comparison demonstrates nothing (as where samples share
            events), or the histogram is impossible.
        InputTypeError: If the histogram is of a kind that is not understood.

    Source:
        arXiv:2002.06307, end of section 2.2.
    """
    c = comparison_in(comparison, observable)
    n_sys = _events_of(c)
    sums = _generated_sums(c) if histogram is None else as_bin_sums(histogram, "generated")
    labels, ranges, axes = _comparison_bins(c) if histogram is None else _histogram_bins(sums, c.name)
    errors = bin_uncertainties(sums, n_sys, normalised=normalised)
    return Systematics(
        observable=c.name,
        verdict=c.verdict,
        n_required=c.n_required,
        n_train=c.n_train,
        n_sys=n_sys,
        confidence=c.confidence,
        normalised=errors.normalised,
        bins=tuple(_bin(errors, i, labels[i], ranges[i]) for i in range(len(labels))),
        axes=axes,
    )


def inherited_modifiers(
    contents: ArrayLike,
    n_sys: float,
    *,
    name: str = "ganvalid",
    outside: float = 0.0,
    normalised: bool = True,
) -> list[dict[str, Any]]:
    """Return the errors that n_sys events leave as modifiers of a pyhf sample: correlated shapes, ``histosys``.

    The eigenvectors of the covariance of the inherited errors, scaled by the roots of the eigenvalues, are independent
    one-σ variations v; each is a modifier with contents ± v, of which none is below zero. Of bins that n_sys events
    would fill with one or more on average the covariance is kept exactly.

    Args:
        contents: Nominal yields of the sample, shape (bins,).
        n_sys: Number of true events whose relative errors are kept; of all events, in the channel or not. May be
            infinite: there are no modifiers then.
        name: How their names begin; modifiers of one name are one nuisance parameter in all samples and channels.
        outside: What the sample holds beyond these bins, in the unit of the contents.
        normalised: Whether the total, with what is outside, is known from elsewhere.

    Returns:
        Modifiers, the largest variation first, at most one per bin.

    Raises:
        InputError: If contents or numbers are impossible.
    """
    nominal = np.asarray(contents, dtype=float)
    if not (math.isfinite(outside) and outside >= 0):
        msg = f"outside={outside!r} is out of range; expected a content, 0 or more"
        raise InputError(msg)
    yields = np.append(nominal, outside)
    sums = Counts(yields, yields**2 + np.abs(yields))  # whose variances do not matter
    covariance = bin_uncertainties(sums, n_sys, normalised=normalised).inherited_covariance()[:-1, :-1]
    values, vectors = np.linalg.eigh(covariance)
    floor, negligible = np.minimum(nominal, 0.0), 4 * nominal.size * np.finfo(float).eps * values[-1]
    modifiers: list[dict[str, Any]] = []
    for value, vector in zip(values[::-1], vectors.T[::-1], strict=True):
        if value <= max(negligible, 0.0):
            break
        step = math.sqrt(value) * vector * np.sign(vector[np.abs(vector).argmax()])
        shapes = {"hi_data": nominal + step, "lo_data": nominal - step}
        data = {side: np.maximum(shape, floor).tolist() for side, shape in shapes.items()}
        modifiers.append({"name": f"{name}_{len(modifiers)}", "type": "histosys", "data": data})
    return modifiers


def _events_of(c: Judgement) -> float:
    """Return n_sys.

    Raises:
        InputError: If the comparison demonstrates nothing.
    """
    if c.n_systematic < _MIN_EVENTS:
        msg = f"nothing is known of n_equivalent in {c.name!r}, so no error can be stated: {' '.join(c.reasons)}"
        raise InputError(msg)
    return c.n_systematic


def _generated_sums(c: Comparison) -> BinSums:
    """Return the generated histogram that was compared."""
    total = c.contents.totals[0]
    contents = np.array(c.contents.generated) * total
    counts = np.rint(contents)  # which fractions of the total are but for rounding, without weights
    contents = np.where(np.abs(contents - counts) < _TOLERANCE * np.abs(counts), counts, contents)
    return BinSums(contents, (np.array(c.contents.generated_errors) * total) ** 2, Unlabelled(contents.shape))


_Range = tuple[float | None, float | None]
_NamedBins = tuple[list[str], list[_Range], tuple[results.Axis, ...]]


def _comparison_bins(c: Comparison) -> _NamedBins:
    """Return labels, ranges and axes of the bins of a comparison."""
    size = len(c.contents.generated)
    merged = np.array(c.contents.merged or range(size))
    grid = Grid(tuple(map(_axis, c.axes))) if c.axes else None
    if grid is None or math.prod(grid.shape) != merged.size or (len(c.axes) > 1 and size < merged.size):
        return [f"bin {i}" for i in range(size)], [(None, None)] * size, c.axes
    members = [np.flatnonzero(merged == i) for i in range(size)]
    ends = [(int(indices[0]), int(indices[-1])) for indices in members]
    ranges = [_range(c.axes[0], *end) if len(c.axes) == 1 else (None, None) for end in ends]
    return [grid.label(*end) for end in ends], ranges, c.axes


def _histogram_bins(sums: BinSums, name: str) -> _NamedBins:
    """Return labels, ranges and axes of the bins of a histogram."""
    size = sums.sumw.size
    labels = [sums.bins.label(i, i) for i in range(size)]
    axes = result_axes(sums.bins, [name] * len(sums.bins.shape))
    ranges: list[_Range] = [_range(axes[0], i, i) for i in range(size)] if len(axes) == 1 else [(None, None)] * size
    return labels, ranges, axes


def _axis(axis: results.Axis) -> Axis:
    """Return an axis of a result as one that names its bins."""
    if not axis.edges:
        return Axis((), axis.values, underflow=False, overflow=False)
    separate = "separate" if axis.values else "overflow"
    return Axis(axis.edges, (), axis.underflow, axis.overflow, separate)


def _range(axis: results.Axis, first: int, last: int) -> _Range:
    """Return the edges around the bins ``first`` to ``last`` of an axis; ``None`` where it is open or has no edges."""
    low, high, inner = first - axis.underflow, last + 1 - axis.underflow, len(axis.edges) - 1
    if high > inner + axis.overflow:
        return None, None
    return (axis.edges[low] if low >= 0 else None), (axis.edges[high] if high <= inner else None)


def _bin(errors: Uncertainties, i: int, label: str, ends: _Range) -> BinSystematic:
    content, statistical, inherited, total = (
        float(getattr(errors, name)[i]) for name in ("contents", "statistical", "inherited", "total")
    )
    return BinSystematic(
        label=label,
        lower=ends[0],
        upper=ends[1],
        content=content,
        statistical=statistical,
        inherited=inherited,
        total=total,
        relative_statistical=statistical / content if content > 0 else None,
        relative_inherited=inherited / content if content > 0 else None,
        relative_total=total / content if content > 0 else None,
        unresolved=bool(errors.unresolved[i]),
    )


def _edges(bins: Sequence[BinSystematic]) -> list[float] | None:
    """Return the edges of bins that follow each other, the outermost of which may be open; ``None`` if others are."""
    borders = [a.upper for a, b in pairwise(bins) if a.upper == b.lower]
    ends = [bins[0].lower, *borders, bins[-1].upper]
    edges = [edge for edge in ends if edge is not None]
    complete = len(borders) == len(bins) - 1 and None not in borders and len(edges) > 1
    return edges if complete else None


def _distinct(labels: Sequence[str]) -> list[str]:
    """Number labels that occur more than once: a category has a name of its own."""
    return list(labels) if len(set(labels)) == len(labels) else [f"{i}: {label}" for i, label in enumerate(labels)]


def _cell(value: object) -> object:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def _entry(document: Mapping[str, Any], kind: str, key: str | int, owner: str) -> tuple[int, Mapping[str, Any]]:
    """Return the position and the member of a list of a workspace, by its name or position.

    Raises:
        InputError: If there is no such member.
    """
    entries = _members(document, kind)
    names = [entry.get("name") for entry in entries]
    position = names.index(str(key)) if str(key) in names else key
    if not isinstance(position, int) or not 0 <= position < len(entries):
        guess, expected = suggestion(key, filter(None, names)), ", ".join(map(repr, names))
        msg = f"{owner} has no {kind.removesuffix('s')} {key!r}{guess}; expected one of {expected}"
        raise InputError(msg)
    return position, entries[position]


def _members(document: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list in a workspace."""
    members = document.get(kind)
    return [member for member in members if isinstance(member, Mapping)] if isinstance(members, list) else []


def _yields(sample: Mapping[str, Any]) -> FloatArray:
    """Return the nominal yields of a sample.

    Raises:
        InputError: If the yields are no numbers.
    """
    data = sample.get("data")
    if not (isinstance(data, list) and data and all(isinstance(value, int | float) for value in data)):
        msg = f"the data of sample {sample.get('name')!r} are {data!r}; expected a list of numbers"
        raise InputError(msg)
    return np.array(data, dtype=float)


def _added(path: str, modifiers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"op": "add", "path": f"{path}/modifiers/-", "value": dict(modifier)} for modifier in modifiers]

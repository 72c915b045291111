"""The verdict on an analysis: the bias of its fitted parameter, from a workspace and two samples to a frozen result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid._arguments import check_event_count, check_finite, check_integer
from pytest_ganvalid.attempts import SampleDigest, Trial, counted, generator_digest, histogram_digest
from pytest_ganvalid.comparisons import estimate_comparison
from pytest_ganvalid.errors import InputError, InputTypeError, absence, placed
from pytest_ganvalid.histograms.bins import Bins, Grid, Unlabelled, WithOutside
from pytest_ganvalid.histograms.counts import Counts
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins, is_uhi
from pytest_ganvalid.pipeline.foreign import histogram_from
from pytest_ganvalid.pipeline.pair import SIDES, Paired
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.request import DEFAULT_BINS, Request, weight_pair
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.results import AnalysisComparison, Comparison, Coverage, Estimate, EstimateComparison
from pytest_ganvalid.statistics.equivalence import equivalence
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.reasons import count, percent
from pytest_ganvalid.statistics.separation import Fractions
from pytest_ganvalid.statistics.template_fit import Data, Fits, expected, fit, no_error, root_of
from pytest_ganvalid.statistics.uncertainty import bin_uncertainties
from pytest_ganvalid.workspaces import Model, Workspace

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LEVELS = (math.erf(math.sqrt(0.5)), 0.95)
"""Confidence levels of the intervals whose coverage is measured."""
_STEP = 0.01  # of the derivatives with respect to contents, in units of their Poisson error
_MISMATCH = 0.1  # share of a template that may be in other bins than in the workspace before it is mentioned
_MAX_EVENTS = 10**15  # events of a multinomial


def analysis(
    workspace: object,
    generated: object,
    reference: object,
    *,
    sample: str | Mapping[str, str],
    channel: str | Sequence[str] | None = None,
    observable: object = None,
    bins: object = None,
    weight: object = None,
    training: object = None,
    n_required: float | None = None,
    n_train: float | None = None,
    n_sys: float | Comparison | None = None,
    measurement: str | None = None,
    poi: str | None = None,
    poi_value: float | None = None,
    confidence: float = 0.95,
    max_bias: float = 1.0,
    attempt: int = 1,
    looks: int = 1,
    toys: int = 1_000,
    seed: int = 0,
    generator: object = None,
    name: str = "",
) -> AnalysisComparison:
    """Find the bias of an analysis whose template of one sample is generated, in units of the analysis' uncertainty.

    The data that the reference expects (Asimov data) are fitted with the template from generated events, everything
    else being as in the workspace. Two one-sided tests (Schuirmann 1987): the parameter of interest must be shown to be
    off by at most ``max_bias`` of the uncertainty that it has with reference templates. The statistical errors of both
    templates are carried through the fit to first order.

    The fraction q of all events of a sample that is in a bin, outside those of the workspace too, becomes the content
    n_required q: what a selection lets pass is part of the template. The workspace's own contents of the sample say
    only how many events that is: n_required times the fraction of the reference in all its bins.

    Args:
        workspace: A `pyhf.Workspace`, the dictionary that it is made of, or the name of its JSON file. Interpolations
            are those of pyhf's command line (code4, code4p). A ``staterror`` of the sample is replaced by the error of
            the generated events; its other variations are kept relative to the template.
        generated: Events (anything that `validate` takes) if ``observable`` is stated; else a histogram (anything that
            `compare` takes) with the bins of the channel, and events outside them in flow bins; for several channels
            a mapping of channel -> histogram, each event being in one of them.
        reference: Likewise, from true simulation that the generator was not trained on.
        sample: The name of the sample in the workspace, or a mapping of channel -> name.
        channel: The channel or channels that it is in; ``None`` for all that have it.
        observable: Of events: what the channel histograms (a column name, a function, a `Selection`), or a mapping of
            channel -> that, in selections that no event passes twice. Of `Histograms`: the names of those.
        bins: Of events: increasing edges, one more than the channel has bins, or a mapping of channel -> edges.
        weight: Of events: the name of a column, or a pair (generated, reference) of arrays, names or ``None``.
        training: The training events, or their `Fingerprint`, as for `validate`.
        n_required: Number of true events, in all channels and outside, that the sample stands for, which states the
            luminosity: all contents of the workspace are scaled to it. ``None`` for that of the workspace.
        n_train: Number of events the generator was trained on, if known.
        n_sys: Number of true events whose error bars the template inherits, or the `Comparison` that has it as
            ``n_systematic``; ``None`` for min(n_train, lower limit of n_equivalent) of this comparison.
        measurement: Of the workspace; ``None`` for the first.
        poi: The parameter of interest; ``None`` for that of the measurement.
        poi_value: Its value in the Asimov data; ``None`` for where its fits begin.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the bias in units of the uncertainty of the parameter.
        attempt: Which try this is, with fresh generated events against the same reference (see `validate`).
        looks: Planned looks at a reference that grows in equal steps.
        toys: Number of toys for the coverage; 0 for none.
        seed: Of the toys.
        generator: What generated the events, as for `validate`; it is kept in a ledger of attempts.
        name: What the analysis is called in a report.

    Returns:
        The verdict with all numbers behind it.

    Raises:
        InputError: If the data, the workspace or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
        MissingExtraError: If pyhf is not installed.
    """
    limits = Limits(confidence=confidence, max_bias=max_bias, attempt=attempt, looks=looks)
    toys = check_integer("toys", toys, minimum=0)
    seed = check_integer("seed", seed, minimum=0)
    n_required, n_train = (
        None if value is None else check_event_count(label, value)
        for label, value in (("n_required", n_required), ("n_train", n_train))
    )
    digest = generator_digest(generator)
    space = Workspace.read(workspace, measurement, poi)
    samples = space.samples(sample, channel)
    sizes = {channel_name: contents.size for channel_name, contents in space.contents(samples).items()}
    if observable is None:
        sides = _from_histograms((generated, reference), sizes, {"bins": bins, "weight": weight, "training": training})
    else:
        request = _request(observable, bins, sizes)
        pairs = paired(generated, reference, request, weight_pair(weight), training)
        sides = _from_events(pairs, observable, sizes)
    study = _Study.of(
        space, samples, sides, n_required, None if poi_value is None else check_finite("poi_value", poi_value)
    )
    limits = counted(
        limits,
        lambda: Trial(
            observables=(name or study.words,),
            n_required=study.n_required,
            limits=limits,
            generated=sides.digests[0],
            reference=sides.digests[1],
            generator=digest,
        ),
    )
    n_training = sides.training if n_train is None else n_train
    judged = study.judged(limits, n_training, name)
    inherited = judged.n_systematic if n_sys is None else n_sys
    comparison = study.completed(judged, inherited, toys, seed)
    if sides.shared:
        return replace(comparison.withdrawn(sides.shared[0]), reasons=sides.shared)
    return comparison.withdrawn(sides.repeats) if sides.repeats and comparison.robust else comparison


# The samples.


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both samples in the bins of all channels, and in one more for the events outside.

    Attributes:
        generated: Fractions of the events, shape (bins + 1,).
        reference: Likewise.
        digests: What tells the samples from others.
        training: Number of training events, if known.
        shared: Which rows the samples share and may not, in sentences.
        repeats: Whether generated rows repeat each other beyond chance, in words.
    """

    generated: Fractions
    reference: Fractions
    digests: tuple[SampleDigest, SampleDigest]
    training: int | None = None
    shared: tuple[str, ...] = ()
    repeats: str = ""


def _request(observable: object, bins: object, sizes: Mapping[str, int]) -> Request:
    """Ask for the histograms of all channels."""
    observables = _by_channel("observable", observable, sizes)
    if bins is None:
        # The observables are names of histograms that are filled.
        return Request.parsed(observables=list(observables.values()), bins=DEFAULT_BINS)
    edges = _by_channel("bins", bins, sizes)
    for channel, channel_edges in edges.items():
        size = np.size(channel_edges) - 1  # type: ignore[arg-type]
        if size != sizes[channel]:
            msg = f"bins of channel {channel!r}: {size} bins; the workspace has {sizes[channel]}"
            raise InputError(msg)
    return Request.parsed(observables=observables, bins=edges)


def _by_channel(name: str, value: object, sizes: Mapping[str, int]) -> dict[str, object]:
    """Return a quantity for each channel; a single value is that of the only channel."""
    if not isinstance(value, Mapping):
        if len(sizes) > 1:
            msg = (
                f"{name} is stated once, and there are channels {list(sizes)}; expected a mapping of channel -> {name}"
            )
            raise InputError(msg)
        return dict.fromkeys(sizes, value)
    if set(value) != set(sizes):
        msg = f"{name} is stated for {sorted(map(str, value))}; expected one for each channel, {sorted(sizes)}"
        raise InputError(msg)
    return {channel: value[channel] for channel in sizes}


def _from_events(pairs: Paired, observable: object, sizes: Mapping[str, int]) -> _Sides:
    """Combine the channels of two samples, each channel filled with all events."""
    by_name = {pair.name: pair for pair in pairs.pairs}
    observables = _by_channel("observable", observable, sizes)
    filled = {channel: by_name.get(channel) or by_name.get(str(observables[channel])) for channel in sizes}
    missing = [channel for channel, pair in filled.items() if pair is None]
    if missing:
        msg = f"channel {missing[0]!r}: {absence('histogram', observables[missing[0]], by_name)}"
        raise InputError(msg)
    sides = []
    for side in SIDES:
        histograms = {channel: getattr(pair, side) for channel, pair in filled.items()}
        for channel, sums in histograms.items():
            if not isinstance(sums, BinSums):
                msg = (
                    f"observable of channel {channel!r} is one number per sample; expected what a histogram is made of"
                )
                raise InputTypeError(msg)
        sides.append(_bin_fractions(histograms, sizes, side, whole=True))
    return _Sides(
        sides[0],
        sides[1],
        pairs.digests,
        pairs.training,
        tuple(pairs.independence.reasons()),
        pairs.independence.repeats(),
    )


def _from_histograms(
    values: tuple[object, object], sizes: Mapping[str, int], for_events: Mapping[str, object]
) -> _Sides:
    """Combine the channels of two samples, each event being in one channel."""
    settings = [argument for argument, value in for_events.items() if value is not None]
    if settings:
        msg = f"{', '.join(settings)} have a meaning for events only; state observable= as well, or leave them out"
        raise InputError(msg)
    sides = []
    for value, side in zip(values, SIDES, strict=True):
        parts = list(value.values()) if isinstance(value, Mapping) and not is_uhi(value) else []
        if not all(isinstance(part, Counts | BinSums) or is_uhi(part) for part in parts):
            msg = f"{side}: these look like events; state what the channel histograms: observable=..., bins=edges"
            raise InputTypeError(msg)
        if isinstance(value, Histograms):
            msg = f"{side}: state which of its histograms is that of the channel: observable=its name"
            raise InputError(msg)
        channels = _by_channel(side, value, sizes)
        sides.append({channel: as_bin_sums(histogram_from(part, side), side) for channel, part in channels.items()})
    for channel in sizes:
        if math.prod(sides[0][channel].bins.shape) > 1 or math.prod(sides[1][channel].bins.shape) > 1:
            with placed(f"channel {channel!r}"):
                check_same_bins(sides[0][channel], sides[1][channel])
    digests = [histogram_digest(side.items()) for side in sides]
    cells = [_bin_fractions(side, sizes, name, whole=False) for side, name in zip(sides, SIDES, strict=True)]
    return _Sides(cells[0], cells[1], (digests[0], digests[1]))


def _bin_fractions(histograms: Mapping[str, BinSums], sizes: Mapping[str, int], side: str, *, whole: bool) -> Fractions:
    """Return the fractions of a sample in the bins of all channels, and outside.

    Args:
        histograms: Channel -> histogram.
        sizes: Channel -> number of its bins in the workspace.
        side: ``"generated"`` or ``"reference"``, for error messages.
        whole: Whether each histogram holds all events, or those of its channel alone.

    Raises:
        InputError: If the numbers of bins differ, channels overlap, or their bins are empty.
    """
    inside = {channel: _inside(sums.bins) for channel, sums in histograms.items()}
    for channel, mask in inside.items():
        if int(mask.sum()) != sizes[channel]:
            msg = (
                f"{side}: channel {channel!r} has {sizes[channel]} bins in the workspace, the histogram "
                f"{int(mask.sum())} (flow bins not counted); give it the binning of the workspace"
            )
            raise InputError(msg)
    parts = list(histograms.values())
    if len(parts) == 1 and parts[0].covariances is not None:
        return _correlated_fractions(parts[0], next(iter(inside.values())))
    if any(part.covariances is not None for part in parts):
        msg = f"{side}: several entries per event, or clusters, in several channels; compare the channels one by one"
        raise InputError(msg)
    sumw, sumw2 = (
        np.concatenate([getattr(sums, name)[inside[channel]] for channel, sums in histograms.items()])
        for name in ("sumw", "sumw2")
    )
    totals = [(float(part.sumw.sum()), float(part.sumw2.sum())) for part in parts]
    total, total2 = totals[0] if whole else (sum(w for w, _ in totals), sum(w for _, w in totals))
    rest, rest2 = total - sumw.sum(), total2 - sumw2.sum()
    if rest2 < -1e-9 * total2:
        msg = f"{side}: events are in several channels; expected selections that no event passes twice"
        raise InputError(msg)
    if rest2 <= 1e-9 * total2:  # what rounding leaves
        rest = rest2 = 0.0
    if not sumw.sum() > 0:
        msg = f"{side}: no events in the bins of {list(sizes)}; are the edges those of the workspace?"
        raise InputError(msg)
    return Fractions.from_sums(np.append(sumw, rest), np.append(sumw2, rest2))


def _correlated_fractions(sums: BinSums, inside: BoolArray) -> Fractions:
    """Return the fractions in the bins of a channel and outside, where entries are not independent."""
    order = np.concatenate([np.flatnonzero(inside), np.flatnonzero(~inside)])
    cells = np.minimum(np.arange(order.size), int(inside.sum()))
    to_cell = np.zeros((int(inside.sum()) + 1, order.size))
    to_cell[cells, order] = 1
    covariances = np.asarray(sums.covariances)
    return Fractions.from_sums(to_cell @ sums.sumw, to_cell @ sums.sumw2, to_cell @ covariances @ to_cell.T)


def _inside(bins: Bins) -> BoolArray:
    """Return which bins are no flow bins, shape (bins,)."""
    if isinstance(bins, WithOutside):
        return np.append(_inside(bins.inside), False)
    if not isinstance(bins, Grid):
        return np.ones(math.prod(bins.shape), dtype=bool)
    masks = []
    for axis in bins.axes:
        mask = np.ones(axis.size, dtype=bool)
        first = int(axis.underflow)
        mask[:first] = False
        mask[first + (len(axis.categories) or len(axis.edges) - 1) :] = False
        masks.append(mask)
    flat: BoolArray = masks[0] if len(masks) == 1 else np.outer(*masks).ravel()
    return flat


# The fit.


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """The Asimov data of the reference, and what is fitted to them.

    Attributes:
        sides: Both samples.
        samples: Channel -> sample.
        poi: Name of the parameter of interest.
        n_required: Number of true events that the sample stands for.
        model: The model with the template of the reference.
        data: The Asimov data of that model.
        unit: Uncertainty of the parameter of interest.
        remark: A remark on the workspace; may be empty.
    """

    sides: _Sides
    samples: Mapping[str, str]
    poi: str
    n_required: float
    model: Model
    data: Data
    unit: float
    remark: str

    @classmethod
    def of(
        cls,
        space: Workspace,
        samples: Mapping[str, str],
        sides: _Sides,
        n_required: float | None,
        poi_value: float | None,
    ) -> _Study:
        contents = space.contents(samples)
        nominal = np.concatenate(list(contents.values()))
        shape = sides.reference.q[:-1]
        if not nominal.sum() > 0:
            msg = f"the workspace expects {nominal.sum():g} events of the sample; expected a positive number"
            raise InputError(msg)
        n_nominal = float(nominal.sum() / shape.sum())
        events = n_nominal if n_required is None else n_required
        ends = np.cumsum([part.size for part in contents.values()])[:-1]
        template = dict(zip(contents, np.split(events * shape, ends), strict=True))
        model = space.model(samples, template, events / n_nominal, poi_value)
        start = model.likelihood.start[None]
        zeros = np.zeros((1, model.size))
        asimov = Data(
            expected(model.likelihood, start, zeros),
            model.likelihood.constraints.expected(start),
            zeros,
            no_error(model.size),
        )
        variance = _variance(fit(model.likelihood, asimov), model)
        if not 0 < variance < math.inf:
            msg = f"the data do not determine {space.poi!r}; does any sample depend on it?"
            raise InputError(msg)
        mismatch = float(np.abs(nominal / nominal.sum() - shape / shape.sum()).sum() / 2)
        noise = float(np.sqrt(np.maximum(sides.reference.variance[:-1], 0)).sum() / shape.sum())
        remark = (
            f"{percent(round(mismatch, 3))} of the sample are in other bins in the workspace than in the reference: "
            "do the bins and selections match?"
            if mismatch > _MISMATCH + noise
            else ""
        )
        return cls(sides, samples, space.poi, events, model, asimov, math.sqrt(variance), remark)

    @property
    def words(self) -> str:
        """What is compared."""
        return f"{self.poi} with generated {', '.join(dict.fromkeys(self.samples.values()))}"

    def judged(self, limits: Limits, n_train: float | None, name: str) -> EstimateComparison:
        """Decide on the bias."""
        generated, reference = self._estimates()
        unit_events = (reference.n_events or 1.0) * (reference.error / self.unit) ** 2
        decided = replace(
            equivalence(generated, reference, self.n_required, limits, required_error=self.unit),
            unit=f"times the uncertainty of {self.poi}",
            unit_events=unit_events,
        )
        return estimate_comparison(decided, n_train, name)

    def _shifted(self, template: FloatArray) -> FloatArray:
        """Return shifts of the template of the reference in the bins of all channels, shape (fits, bins)."""
        shift = np.zeros((template.shape[0], self.model.size))
        shift[:, self.model.bins] = template - self.n_required * self.sides.reference.q[:-1]
        return shift

    def _estimates(self) -> tuple[Estimate, Estimate]:
        """Return the parameter as fitted with either template, with the error that the template gives it."""
        model, data = self.model, self.data
        likelihood, poi = model.likelihood, model.poi
        template = self.n_required * self.sides.generated.q[None, :-1]
        shift = self._shifted(template)
        factors = likelihood.rates(likelihood.start[None])[1][0, model.bins]
        mean = data.contents[0, model.bins]
        step = _STEP * np.minimum(np.sqrt(mean), mean) / np.maximum(np.abs(factors), 1.0)
        steps = np.zeros((2 * step.size, model.size))
        steps[np.arange(step.size), model.bins], steps[np.arange(step.size) + step.size, model.bins] = step, -step
        fitted = fit(likelihood, Data(data.contents, data.measured, shift, data.root))
        of_template = fit(likelihood, Data(data.contents, data.measured, shift + steps, data.root))
        all_factors = np.zeros(model.size)
        all_factors[model.bins] = factors
        of_data = fit(likelihood, Data(data.contents + steps * all_factors, data.measured, shift, data.root))
        values = [float(fitted.theta[0, poi]), float(likelihood.start[poi])]
        sides = (self.sides.generated, self.sides.reference)
        errors = []
        for fits, fractions, other in zip((of_template, of_data), sides, reversed(sides), strict=True):
            up, down = np.split(fits.theta[:, poi], 2)
            errors.append(_propagated(self.n_required * (up - down) / (2 * step), fractions, other))
        if not all(error > 0 for error, _, _ in errors):
            msg = (
                f"{self.poi!r} does not depend on how the sample's events are distributed: there is one bin and no "
                "event outside it, or nothing but their number matters; give the events outside too (flow bins, a "
                "Selection), or let the sample be one that matters"
            )
            raise InputError(msg)
        return tuple(Estimate(value, *rest) for value, rest in zip(values, errors, strict=True))  # type: ignore[return-value]

    def completed(
        self, judged: EstimateComparison, inherited: float | Comparison, toys: int, seed: int
    ) -> AnalysisComparison:
        """Add what the inherited error does to the uncertainty and its coverage."""
        statistical = self.n_required**2 * _with_empty(self.sides.generated, self.sides.reference)[:-1, :-1]
        contents = self.n_required * self.sides.generated.q
        uncertainties = bin_uncertainties(_sums(contents), inherited)
        n_inherited, inherited_covariance = uncertainties.n_sys, uncertainties.inherited_covariance()[:-1, :-1]
        shift = self._shifted(contents[None, :-1])
        uncertainty_kept, uncertainty_ignored = (
            math.sqrt(_variance(self._fits(self.data, shift, covariance[None]), self.model))
            for covariance in (statistical + inherited_covariance, statistical)
        )
        coverage = self._coverage(n_inherited, toys, np.random.default_rng(seed)) if toys else ()
        intervals = ", ".join(
            f"intervals of {percent(round(interval.level, 4))} hold the true value in {percent(interval.kept)} and "
            f"{percent(interval.ignored)} of {toys:,} toys"
            for interval in coverage
        )
        uncertainty = (
            f"the uncertainty of {self.poi} is {uncertainty_kept:.3g} with the error that the template inherits from "
            f"{count(n_inherited)} events, and {uncertainty_ignored:.3g} without{f': {intervals}' if intervals else ''}"
        )
        remarks = [self.remark] if self.remark else []
        values: dict[str, Any] = {field.name: getattr(judged, field.name) for field in fields(judged)}
        return AnalysisComparison(
            **{**values, "reasons": (*judged.reasons, uncertainty, *remarks)},
            parameter=self.poi,
            samples=dict(self.samples),
            uncertainty_kept=uncertainty_kept,
            uncertainty_ignored=uncertainty_ignored,
            n_inherited=n_inherited,
            coverage=coverage,
            toys=toys,
            seed=seed,
        )

    def _fits(
        self, data: Data, shift: FloatArray, covariance: FloatArray, poi: float | None = None, *, toys: bool = False
    ) -> Fits:
        """Fit with errors of the template, the parameter of interest free or fixed.

        Args:
            data: Contents and auxiliary measurements.
            shift: Of the template, shape (fits, bins).
            covariance: Of its errors, shape (fits, bins of the template, bins of the template).
            poi: Value that the parameter of interest is fixed to; ``None`` if it is free.
            toys: Whether some fits may fail.
        """
        root = np.zeros((covariance.shape[0], self.model.size, covariance.shape[1]))
        root[:, self.model.bins] = root_of(covariance)
        likelihood = self.model.likelihood
        conditional = likelihood if poi is None else likelihood.fixed(self.model.poi, poi)
        return fit(conditional, Data(data.contents, data.measured, shift, root), allow_failures=toys)

    def _coverage(self, n_inherited: float, toys: int, rng: np.random.Generator) -> tuple[Coverage, ...]:
        """Measure coverage: every toy has a generator of its own, trained on n_inherited events of the reference's law.

        Intervals are those of the profile likelihood ratio; they hold the true value if it is likely enough.
        """
        law = np.maximum(self.sides.reference.q, 0.0)
        trained_on, generated = (
            int(min(max(round(n), 1), _MAX_EVENTS)) if n < math.inf else _MAX_EVENTS
            for n in (n_inherited, self.sides.generated.n_effective)
        )
        laws = rng.multinomial(trained_on, law / law.sum(), toys) / trained_on
        contents = self.n_required * rng.multinomial(generated, laws) / generated
        likelihood, start = self.model.likelihood, self.model.likelihood.start
        data = Data(
            rng.poisson(self.data.contents, (toys, self.model.size)).astype(np.float64),
            likelihood.constraints.drawn(start, toys, rng),
            self.data.shift,
            self.data.root,
        )
        shift = self._shifted(contents[:, :-1])
        statistical = _covariances(contents, generated)
        ratios = []
        for covariance in (statistical + _covariances(contents, n_inherited), statistical):
            best, fixed = (
                self._fits(data, shift, covariance, poi, toys=True).minus_log
                for poi in (None, float(start[self.model.poi]))
            )
            ratios.append(2 * (fixed - best))
        return tuple(
            Coverage(
                level=level,
                kept=float((ratios[0] <= special.chdtri(1, 1 - level)).mean()),
                ignored=float((ratios[1] <= special.chdtri(1, 1 - level)).mean()),
            )
            for level in LEVELS
        )


def _variance(fits: Fits, model: Model) -> float:
    return float(fits.covariance[0, model.poi, model.poi])


def _sums(contents: FloatArray) -> BinSums:
    return BinSums(contents, np.abs(contents), Unlabelled(contents.shape))


def _covariances(contents: FloatArray, events: float) -> FloatArray:
    """Return the covariances of the bins of many toys, without the events outside, shape (toys, bins, bins)."""
    return np.array([bin_uncertainties(_sums(toy), events).inherited_covariance()[:-1, :-1] for toy in contents])


def _empty_cells(sample: Fractions, other: Fractions) -> BoolArray:
    """Return the cells in which a sample has no event and the other one has."""
    return (sample.u <= 0) & (other.u > 0)


def _with_empty(sample: Fractions, other: Fractions) -> FloatArray:
    """Return the covariance of fractions, an empty cell that the other sample fills having the error of one event."""
    covariance = sample.covariance()
    covariance[np.diag_indices_from(covariance)] += np.where(_empty_cells(sample, other), sample.sigma**2, 0.0)
    return covariance


def _propagated(slope: FloatArray, sample: Fractions, other: Fractions) -> tuple[float, float, float]:
    """Carry the errors of fractions through to a number: its error, unweighted events with that, and its dof.

    Args:
        slope: Derivative of the number with respect to each fraction, shape (bins,); 0 outside.
        sample: The fractions, shape (bins + 1,).
        other: The fractions of the other sample.
    """
    slope = np.append(slope, 0.0)
    variance = (
        float(sample.quadratic_form(slope)) + float((slope**2)[_empty_cells(sample, other)].sum()) * sample.sigma**2
    )
    centred = slope - float(sample.q @ slope)
    one_event = float((np.maximum(sample.q, 0) * centred**2).sum())
    if not variance > 1e-20 * float(np.max(slope**2, initial=0.0)) or not one_event > 0:
        return 0.0, 1.0, 1.0
    filled = sample.u > 0
    u, q = sample.u[filled], sample.q[filled]
    fourth = float((u**2 * np.minimum(u / np.maximum(q**2, np.finfo(float).tiny), 1.0) * centred[filled] ** 4).sum())
    spread = fourth / variance**2 - sample.sigma
    dof = 2 / spread if spread > 0 else math.inf
    n_effective = sample.n_effective
    return math.sqrt(variance), max(one_event / variance, 1.0), max(min(dof, 2 * n_effective), 1.0)

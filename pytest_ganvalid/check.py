"""The check, written once: events -> observables -> histograms -> statistics -> results.

Usable without pytest; the plugin calls nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
import scipy

from pytest_ganvalid import _json
from pytest_ganvalid._arguments import check_event_count, without_gone
from pytest_ganvalid._json import plain
from pytest_ganvalid.attempts import Trial, counted, generator_digest, histogram_digest
from pytest_ganvalid.comparisons import (
    axes_in_units,
    constant_comparison,
    estimate_comparison,
    histogram_comparison,
    shown_regions,
    with_repeated,
)
from pytest_ganvalid.errors import InputError, placed
from pytest_ganvalid.estimates import as_estimate
from pytest_ganvalid.histograms.counts import refuse_bare
from pytest_ganvalid.histograms.merging import Merged, merge_sparse_bins, planned_bins
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins
from pytest_ganvalid.observables.control import SHIFT
from pytest_ganvalid.pipeline.foreign import histogram_from
from pytest_ganvalid.pipeline.pair import Pair, Paired
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.request import DEFAULT_BINS, DEFAULT_MEMORY, Request, weight_pair
from pytest_ganvalid.results import (
    Chi2Result,
    Comparison,
    EstimateComparison,
    Region,
    Regions,
    Report,
    Verdict,
    worst_verdict,
)
from pytest_ganvalid.sensitivity import Finding, Sensitivity
from pytest_ganvalid.statistics import chi2 as chi2_module
from pytest_ganvalid.statistics.clusters import MIN_CLUSTERS, Clusters
from pytest_ganvalid.statistics.equivalence import equivalence
from pytest_ganvalid.statistics.limits import LIMITS, Limits, level
from pytest_ganvalid.statistics.reasons import count, too_good
from pytest_ganvalid.statistics.regions import Map
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

AnyComparison = Comparison | EstimateComparison
Judged = TypeVar("Judged", Comparison, EstimateComparison, AnyComparison)
_TOLERANCE = 1e-9
_NOISE_RATIO = 1.1  # times as many events, from which on one sample clearly has less noise
_SHARED = "the samples are not independent, or may not be"


@without_gone
def compare(
    generated: object,
    reference: object,
    *,
    n_required: float,
    n_train: float | None = None,
    confidence: float = 0.95,
    max_bias: float = 1.0,
    max_local_bias: float = 5.0,
    max_directional_bias: float | None = None,
    min_expected: float = 10,
    smooth: bool = True,
    attempt: int = 1,
    looks: int = 1,
    name: str = "",
    units: Mapping[str, str] | None = None,
    regions: bool = False,
) -> Comparison:
    """Compare a generated with a reference histogram at the error bars of n_required events.

    Args:
        generated: A histogram with the UHI protocol (hist, boost-histogram, uproot); contents of bins, as `Counts`;
            or the name of a file that holds a histogram: ``"file.root:name"``, or JSON by the schema of UHI. Flow bins
            are used where it has them.
        reference: Likewise, with the same bins, from true simulation that the generator was not trained on.
        n_required: Number of true events the generated sample is to stand in for.
        n_train: Number of events the generator was trained on, if known.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        max_directional_bias: Limit on the bias of any number that is linear in the bin contents, in the same unit.
        min_expected: Least expected effective events per bin in the smaller sample; sparser neighbours are merged.
        smooth: Whether the smooth components of a difference are tested, too: without them fine bins dilute a bias.
        attempt: Which try this is, with fresh generated events against the same reference; attempt j >= 2 is made at
            1/(j(j + 1)) of the level 1 - confidence, with the limits shown.
        looks: Planned looks at a reference that grows in equal steps, which share that level (Pocock 1977).
        name: Name of the observable.
        units: Label of an axis -> its unit, such as ``{"mass": "GeV"}``, for plots. Without, it is what stands in
            brackets at the end of the label: ``mass [GeV]``.
        regions: Whether to look at regions even where the whole is ROBUST, and at those inside of ROBUST ones.

    Returns:
        The verdict with all numbers behind it.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    limits = Limits(
        confidence=confidence,
        max_bias=max_bias,
        max_local_bias=max_local_bias,
        max_directional_bias=max_directional_bias,
        min_expected=min_expected,
        smooth=smooth,
        attempt=attempt,
        looks=looks,
    )
    n_required = check_event_count("n_required", n_required)
    if n_train is not None:
        n_train = check_event_count("n_train", n_train)
    sides = (("generated", generated), ("reference", reference))
    for side, histogram in sides:
        refuse_bare(histogram, side)
    gen, ref = (as_bin_sums(histogram_from(histogram, side), side) for side, histogram in sides)
    limits = counted(
        limits,
        lambda: Trial(
            observables=(name,),
            n_required=n_required,
            limits=limits,
            generated=histogram_digest([("", gen)]),
            reference=histogram_digest([("", ref)]),
        ),
    )
    context = _Context(n_required=n_required, n_train=n_train, limits=limits, regions=regions)
    comparison = context.compare(gen, ref, Pair(name=name, generated=gen, reference=ref))
    comparison = replace(comparison, axes=axes_in_units({"": comparison}, units)[""])
    reason = too_good([comparison.p_agreement])
    return _not_independent(comparison, reason) if reason else comparison


@without_gone
def validate(
    generated: object,
    reference: object,
    *,
    n_required: float,
    observables: object = None,
    n_train: float | None = None,
    training: object = None,
    weight: object = None,
    by: object = None,
    bins: object = DEFAULT_BINS,
    seed: int = 0,
    nonfinite: str | Mapping[str, str] = "error",
    confidence: float = 0.95,
    max_bias: float = 1.0,
    max_local_bias: float = 5.0,
    max_directional_bias: float | None = None,
    min_expected: float = 10,
    smooth: bool = True,
    attempt: int = 1,
    looks: int = 1,
    generator: object = None,
    memory: float = DEFAULT_MEMORY,
    client: object = None,
    cluster: object = None,
    cluster_of: str = "repeats",
    units: Mapping[str, str] | None = None,
) -> Report:
    """Compare generated with reference events, observable by observable.

    Args:
        generated: A mapping of column -> 1-D array (or `Entries`, where events have several numbers), a structured
            array, a pandas, polars or arrow table, an awkward record array, or a `Sample`; the name of a file, a
            pattern or a list of them, such as ``"run*.root:tree"``, which are read in chunks; or a Dask collection.
            Or histograms that are filled already: those of `pytest_ganvalid.fill`, or the name of a JSON file of them;
            and, for both sides, ROOT files of TH1 and TH2, or JSON by the schema of UHI.
        reference: Likewise, from true simulation that the generator was not trained on. Events are filled like the
            histograms of the other side.
        n_required: Number of true events the generated sample is to stand in for.
        observables: Column names, tuples of column names (their joint distribution), functions of the sample (indexed
            by column name) that have a name, the classes of `pytest_ganvalid.observables`, pairs (name, any of
            those), or a mapping of name -> any of those. ``None`` means every numeric column of the reference and, of
            two or more with one number per event, their joint distribution: a `KDTree` named ``joint``. What is left
            out is in the report's ``skipped``. Of histograms that are filled: names; ``None`` means all.
        n_train: Number of events the generator was trained on, if known.
        training: The training events, of any kind that ``generated`` may be, or their `Fingerprint`. Reference
            events among them, or generated events that repeat them, leave the check UNPROVEN.
        weight: The name of a column, or a pair (generated, reference) of arrays, names or ``None``.
        by: A condition in the bins of which every observable is compared, each with its share of n_required: a column
            name, or a pair (column name, bins). How often its bins occur is compared too, unless the condition was
            imposed on the generated events: see `pytest_ganvalid.observables.Condition`, which ``by`` may also be.
        bins: A number of equiprobable bins (their edges are quantiles of the reference), increasing edges, an axis
            of a histogram, for a pair of columns a pair of edges, or a mapping of observable -> any of those. Bins are
            [edge, next edge); underflow and overflow are always compared.
        seed: Of all that is random: the split and the training of a classifier, and a bootstrap.
        nonfinite: Where NaN and infinite values go: ``"error"`` refuses them, ``"underflow"`` or ``"overflow"`` names
            a bin, ``"separate"`` gives them a bin of their own. A mapping of observable -> one of these is accepted.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        max_directional_bias: Limit on the bias of any number that is linear in the bin contents, in the same unit.
        min_expected: Least expected effective events per bin in the smaller sample; sparser neighbours are merged.
        smooth: Whether the smooth components of a difference are tested, too: without them fine bins dilute a bias.
        attempt: Which try this is, with fresh generated events against the same reference; attempt j >= 2 is made at
            1/(j(j + 1)) of the level 1 - confidence, with the limits shown.
        looks: Planned looks at a reference that grows in equal steps, which share that level (Pocock 1977).
        generator: What generated the events: the file of a trained generator, a generator of `pytest_ganvalid.gan`, or
            a digest in hexadecimal. It is kept in the report, and in a ledger of attempts.
        memory: Bytes that events from files may take at a time, in all.
        client: A ``dask.distributed.Client`` whose workers read the files, which they must see by the same names.
        cluster: The name of a column, which is not compared: rows with equal values are no independent events. If one
            side has it they are clusters of that sample; if both have, equal values on both are one cluster, as of
            pairs of fast and full simulation of the same truth events. Or a pair of names (generated, reference),
            ``None`` for a side without. All rows are read into memory.
        cluster_of: ``"repeats"``: the rows of a cluster are events with a common cause, and n_required counts
            independent true events, each simulated once. ``"entries"``: the rows of a cluster are the entries of one
            event, as in `Entries`, and n_required counts such events.
        units: Column -> its unit, such as ``{"mass": "GeV"}``, for plots. Without, it is the one that histograms or
            columns of files bring along.

    Returns:
        ROBUST only if every observable is (an intersection-union test: no correction is needed); BIASED if any is,
        after Holm's correction for their number; UNPROVEN otherwise, and whenever samples share events that they may
        not share. What is learned, such as the score of a classifier, is ROBUST only if its positive control sees a
        bias of 6 error bars of n_required events in each column, of up to ten, that it learns from.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    limits = Limits(
        confidence=confidence,
        max_bias=max_bias,
        max_local_bias=max_local_bias,
        max_directional_bias=max_directional_bias,
        min_expected=min_expected,
        smooth=smooth,
        attempt=attempt,
        looks=looks,
    )
    n_required = check_event_count("n_required", n_required)
    made_by = generator_digest(generator)
    request = Request.parsed(
        observables=observables,
        by=by,
        bins=bins,
        seed=seed,
        nonfinite=nonfinite,
        memory=memory,
        client=client,
        cluster=cluster,
        cluster_of=cluster_of,
    )
    if n_train is not None:
        n_train = check_event_count("n_train", n_train)
    sides = paired(generated, reference, request, weight_pair(weight), training)
    _refuse_repeated([pair.name for pair in sides.pairs])
    limits = counted(
        limits,
        lambda: Trial(
            observables=tuple(pair.name for pair in sides.pairs),
            n_required=n_required,
            limits=limits,
            generated=sides.digests[0],
            reference=sides.digests[1],
            generator=made_by,
        ),
    )
    context = _Context(
        n_required=n_required,
        n_train=sides.training if n_train is None else n_train,
        limits=limits,
        observables=len(sides.pairs),
    )
    comparisons = {pair.name: context.answer(pair) for pair in sides.pairs}
    shared = sides.independence.reasons()
    controls: dict[str, Sensitivity] = {}
    if shared:
        comparisons = {name: _not_independent(c, _SHARED) for name, c in comparisons.items()}
    elif not too_good([c.p_agreement for c in comparisons.values() if isinstance(c, Comparison)]):
        comparisons, controls = context.controlled(sides.pairs, comparisons)
    repeats = sides.independence.repeats() if request.cluster is None else ""
    if repeats and not shared and n_required > (distinct := sides.independence.distinct["generated"]):
        reason = (
            f"n_required {count(n_required)} cannot be shown by copies of {count(distinct)} distinct generated rows, "
            "however many there are"
        )
        comparisons = {name: c.withdrawn(reason) if c.robust else c for name, c in comparisons.items()}
    remedies = [remedy for name, remedy in sides.remedies.items() if not comparisons[name].robust]
    histograms = {name: c for name, c in comparisons.items() if isinstance(c, Comparison)}
    axes = axes_in_units(histograms, units, sides.units)
    comparisons |= {name: replace(c, axes=axes[name]) for name, c in histograms.items()}
    report = replace(
        combine(comparisons, provenance=_provenance(sides, request, made_by, controls)),
        n_required=n_required,  # exactly
        notes=(*sides.notes, *remedies, *_noisy(comparisons), *sides.independence.notes),
        skipped=dict(sides.skipped),
    )
    if shared:
        return replace(report, reasons=shared, shared=shared)
    # The cause first: a generator that repeats its rows need not be improved in its law.
    return replace(report, reasons=(repeats, *report.reasons)) if repeats and not report.robust else report


def chi2_test(generated: object, reference: object, *, method: str = "profile") -> Chi2Result:
    """Test with a classical χ² whether two histograms come from one distribution.

    Args:
        generated: As for `compare`.
        reference: As for `compare`.
        method: ``"profile"`` minimises over the relative normalisation and keeps its nominal size for weighted
            samples; ``"gagunashvili"`` is what ROOT's ``TH1::Chi2Test`` computes (arXiv:physics/0605123). Both take the
            variances that were observed; where one sample has few events per bin and the other many the former rejects
            too often: in 0.09 of cases at the level 0.05 with 20 events per bin against 20,000, the latter in 0.046.

    Raises:
        InputError: If the method is unknown, or fewer than two bins are populated.
        InputTypeError: If a histogram is of a kind that is not understood.
    """
    for side, histogram in (("generated", generated), ("reference", reference)):
        refuse_bare(histogram, side)
    gen, ref = as_bin_sums(generated, "generated"), as_bin_sums(reference, "reference")
    check_same_bins(gen, ref)
    return chi2_module.chi2_test(gen, ref, method=method)


def combine(
    comparisons: Mapping[str, Comparison | EstimateComparison], provenance: Mapping[str, Any] | None = None
) -> Report:
    """Reach one verdict on several comparisons at the same n_required.

    ROBUST if all are: an intersection-union test, each at its own level (Berger 1982). Which are called BIASED is
    corrected for their number by Holm's method. All are UNPROVEN if together they agree better than independent samples
    can.

    Raises:
        InputError: If there is no comparison, or the comparisons differ in n_required (that of the whole check, of
            which a stratum has its share) or a limit.
    """
    if not comparisons:
        msg = "no comparison to combine; a check of nothing demonstrates nothing"
        raise InputError(msg)
    judged = tuple(comparisons.values())
    totals = sorted({c.n_required / c.share for c in judged})
    if totals[-1] > totals[0] * (1 + _TOLERANCE):
        msg = f"the comparisons answer different questions: n_required is {totals}; compare all with one n_required"
        raise InputError(msg)
    for name in LIMITS:
        limits = sorted({getattr(comparison, name) for comparison in judged if hasattr(comparison, name)})
        if len(limits) > 1:
            msg = f"the comparisons answer different questions: {name} is {limits}; compare all with one {name}"
            raise InputError(msg)
    suspect = too_good([c.p_agreement for c in judged if isinstance(c, Comparison)])
    if suspect:
        comparisons = {name: _not_independent(c, suspect) for name, c in comparisons.items()}
    corrected = _holm(comparisons)
    worst = worst_verdict(c.verdict for c in corrected.values())
    reasons = tuple(f"{name}: {reason}" for name, c in corrected.items() if c.verdict is worst for reason in c.reasons)
    n_required = next((c.n_required for c in judged if c.share == 1), totals[0])
    return Report(
        verdict=worst, reasons=reasons, n_required=n_required, comparisons=corrected, provenance=dict(provenance or {})
    )


def _holm(comparisons: Mapping[str, AnyComparison]) -> dict[str, AnyComparison]:
    """Withdraw BIASED where it does not survive Holm's step-down correction."""
    ranked = sorted(comparisons, key=lambda name: comparisons[name].p_biased)
    corrected, rejecting = dict(comparisons), True
    for rank, name in enumerate(ranked):
        comparison = comparisons[name]
        remaining = len(ranked) - rank
        alpha = level(comparison.confidence, comparison.attempt, comparison.looks)
        rejecting = rejecting and comparison.p_biased * remaining < alpha
        if comparison.verdict is Verdict.BIASED and not rejecting:
            reason = (
                f"BIASED by itself (p = {comparison.p_biased:.3g}), but not after Holm's correction for "
                f"{len(ranked)} observables"
            )
            corrected[name] = replace(comparison, verdict=Verdict.UNPROVEN, reasons=(reason,))
    return corrected


def _noisy(comparisons: Mapping[str, AnyComparison]) -> list[str]:
    """Name the observables whose agreement rests on independent generated events, which have most of the noise.

    Events that are drawn too evenly, as from stratified latents, have less noise than is subtracted.
    """
    names = [
        name
        for name, c in comparisons.items()
        if isinstance(c, Comparison) and c.robust and c.n_generated * _NOISE_RATIO < c.n_reference
    ]
    if not names:
        return []
    return [
        f"in {', '.join(names)} most of the noise is that of the generated sample, which has fewer effective events "
        "than the reference: the verdict rests on its events being independent draws; generate more"
    ]


def withheld(report: Report, reason: str) -> Report:
    """Withdraw ROBUST for a reason other than the samples."""
    if not report.robust:
        return report
    comparisons = {name: c.withdrawn(reason) for name, c in report.comparisons.items()}
    return replace(report, verdict=Verdict.UNPROVEN, reasons=(reason,), comparisons=comparisons)


def _not_independent(comparison: Judged, reason: str) -> Judged:
    """Withdraw a verdict on samples that are not independent, or may not be."""
    decided = comparison.verdict is not Verdict.UNPROVEN
    return comparison.withdrawn(
        f"{reason} (it would be {comparison.verdict} if that did not matter)" if decided else reason
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Settings that all comparisons of a check share."""

    n_required: float
    n_train: float | None
    limits: Limits
    observables: int = 1
    regions: bool = False

    def answer(self, pair: Pair) -> Comparison | EstimateComparison:
        """Decide on one pair.

        Raises:
            InputError: If the data admit no verdict; the message names the observable.
            InputTypeError: If an estimate is of a kind that is not understood.
        """
        with placed(f"observable {pair.name!r}"):
            if isinstance(pair.generated, BinSums) and isinstance(pair.reference, BinSums):
                return self.compare(pair.generated, pair.reference, pair)
            assessment = equivalence(
                as_estimate(pair.generated, "generated"),
                as_estimate(pair.reference, "reference"),
                self.n_required * pair.share,
                self.limits,
                observables=self.observables,
                used=pair.used,
                joint=pair.difference,
            )
            return estimate_comparison(assessment, self.n_train, pair.name, pair.share)

    def compare(self, generated: BinSums, reference: BinSums, pair: Pair) -> Comparison:
        """Decide on two histograms."""
        check_same_bins(generated, reference)
        n_required = self.n_required * pair.share
        if pair.controls is not None and _is_constant(generated, reference):
            sides = (generated, reference)
            return constant_comparison(sides, n_required, self.limits, self.n_train, pair.name, pair.share)
        merged, assessment = self._assess(generated, reference, pair)
        comparison = histogram_comparison(
            assessment, merged, generated, self.n_train, pair.name, pair.share, pair.labels
        )
        # A range of a learned score is no region to use the generator in.
        if pair.controls is None and (self.regions or not comparison.robust):
            regions = self._regions(merged, assessment, (generated, reference), pair.chosen)
            comparison = replace(comparison, regions=regions)
        if generated.repeated is None or reference.repeated is None or assessment.n_clusters < MIN_CLUSTERS:
            return comparison
        return with_repeated(comparison, generated, reference)

    def controlled(
        self, pairs: Sequence[Pair], comparisons: Mapping[str, AnyComparison]
    ) -> tuple[dict[str, AnyComparison], dict[str, Sensitivity]]:
        """Withdraw ROBUST from learned observables whose positive control fails; return the controls' findings too."""
        controlled, sensitivities = dict(comparisons), {}
        for pair in pairs:
            comparison = comparisons[pair.name]
            if pair.controls is None or not isinstance(comparison, Comparison) or not comparison.robust:
                continue
            with placed(f"observable {pair.name!r}"):
                controls = pair.controls(comparison.n_required)
                findings = tuple(
                    Finding.of(
                        control.column,
                        None
                        if _is_constant(control.generated, control.reference)
                        else self._assess(control.generated, control.reference, pair)[1],
                    )
                    for control in controls.comparisons
                )
            sensitivities[pair.name] = Sensitivity(
                findings=findings,
                columns=len(controls.columns),
                shift=SHIFT,
                events=controls.events,
                scale=controls.scale,
            )
            controlled[pair.name] = sensitivities[pair.name].applied(comparison)
        return controlled, sensitivities

    def _assess(self, generated: BinSums, reference: BinSums, pair: Pair) -> tuple[Merged, Assessment]:
        gen, ref = _fractions(generated), _fractions(reference)
        contents = gen.q + ref.q
        sizes = gen.effective_size(contents), ref.effective_size(contents)
        required, per_event = self.n_required * pair.share, 1.0
        if reference.n_events is not None:
            per_event = (_events(reference) or ref).effective_size(contents) / reference.n_events
        merged = merge_sparse_bins(generated, reference, self.limits.min_expected, sizes, required * per_event)
        clusters = Clusters.of(generated, reference)
        clusters = None if clusters is None else clusters.merged(merged.group_of)
        gen, ref = _fractions(merged.generated), _fractions(merged.reference)
        _check_errors(gen, ref)
        cross = None if clusters is None else clusters.cross(gen.q, ref.q)
        assessment = assess(
            gen,
            ref,
            required,
            self.limits,
            chi2_module.chi2_test(merged.generated, merged.reference, cross=cross),
            merged.layout,
            sparse=merged.sparse,
            observables=self.observables,
            events=merged.reference.n_events,
            cut_share=pair.chosen,
            used=pair.used,
            clusters=clusters,
            single=_events(merged.reference),
            planned_ndf=planned_bins(reference, required) - 1,
        )
        return merged, assessment

    def _regions(
        self, merged: Merged, assessment: Assessment, sides: tuple[BinSums, BinSums], cut_share: float
    ) -> Sequence[Region]:
        clusters = Clusters.of(*sides)
        regional = Map(
            merged.generated,
            merged.reference,
            merged.layout,
            merged.order,
            assessment.n_required,
            self.limits,
            cut_share,
            None if clusters is None else clusters.merged(merged.group_of),
        )

        def tested() -> tuple[Region, ...]:
            return shown_regions(regional.regions_of(assessment, everywhere=self.regions), merged, sides[0].bins)

        return Regions(tested) if regional.is_divisible else ()


def _is_constant(generated: BinSums, reference: BinSums) -> bool:
    """Tell whether all events lie in one bin."""
    return int(np.count_nonzero(generated.populated | reference.populated)) == 1


def _fractions(sums: BinSums) -> Fractions:
    return Fractions.from_sums(sums.sumw, sums.sumw2, sums.covariances)


def _events(sums: BinSums) -> Fractions | None:
    """Return the fractions with the covariance of independent events of several entries that are in clusters."""
    clustered = sums.products is not None and sums.clusters is not None
    return Fractions.from_sums(sums.sumw, sums.sumw2, sums.products) if clustered else None


def _check_errors(generated: Fractions, reference: Fractions) -> None:
    """Refuse samples whose events of several entries are all alike: their errors would be estimated as 0.

    Raises:
        InputError: If all events of either sample fill the bins alike, as a single event does.
    """
    sides = [side for side in (generated, reference) if side.joint is not None]
    alike = [float(side.variance.sum()) <= _TOLERANCE * side.sigma * float(side.q @ side.q) for side in sides]
    if len(sides) == 2 and all(alike):  # noqa: PLR2004
        msg = (
            "the events of either sample fill the bins all alike, so that their errors cannot be estimated; give more "
            "events, or compare another observable"
        )
        raise InputError(msg)


@cache
def _versions() -> dict[str, str]:
    return {"pytest_ganvalid": version("pytest-ganvalid"), "numpy": np.__version__, "scipy": scipy.__version__}


def _provenance(
    sides: Paired, request: Request, generator: str | None, controls: Mapping[str, Sensitivity]
) -> dict[str, Any]:
    shares = {stratum.label: stratum.share for stratum in sides.strata if stratum.label}
    learned = {pair.name: plain(pair.provenance) for pair in sides.pairs if pair.provenance}
    for name, sensitivity in controls.items():
        learned[name] = {**learned.get(name, {}), "control": sensitivity.record()}
    clusters = {} if request.cluster is None else {"cluster": request.cluster, "cluster_of": request.cluster_of}
    optional = {
        "strata": shares,
        "learned": learned,
        "bins": dict(sides.bin_provenance),
        "generator": generator,
        "clusters": plain(clusters),
    }
    return {
        **_versions(),
        "generated_events": sides.events[0],
        "reference_events": sides.events[1],
        "generated": plain(sides.origins[0]),
        "reference": plain(sides.origins[1]),
        "digests": {"generated": sides.digests[0].digest, "reference": sides.digests[1].digest},
        "seed": request.seed,
        "independence": _json.encode(sides.independence),
        **{name: value for name, value in optional.items() if value},
    }


def _refuse_repeated(names: Sequence[str]) -> None:
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        msg = f"two comparisons are named {duplicates[0]!r}; give the observables other names: (name, observable)"
        raise InputError(msg)

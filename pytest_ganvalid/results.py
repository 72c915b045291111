"""What a check returns: frozen, builtins only, JSON both ways.

Every number is a plain ``int`` or ``float``, so that results can cross a process boundary, be compared
with ``==`` and be written to JSON without loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from html import escape
from typing import Annotated, Any, ClassVar, Self

from pytest_ganvalid import _json
from pytest_ganvalid._arguments import (
    check_event_count,
    check_finite,
    check_fraction,
    check_integer,
    check_not_negative,
    check_number,
    check_positive_number,
)
from pytest_ganvalid.errors import InputError, InputTypeError, printable

Ordinal = Annotated[int, _json.Range(1, 1e30)]
Probability = Annotated[float, _json.Range(-1e-9, 1 + 1e-9)]  # tails of approximations may be rounded beyond
Amount = Annotated[float, _json.Range(0)]
Count = Annotated[int, _json.Range(0, 1e30)]
VERSION = 2
"""Of the texts that results are written as."""
RATES = ": rate per stratum"
"""What follows the name of a condition in that of the comparison of how often each of its bins occurs."""
_MAX_COST, _LARGEST_ERROR = 1e30, 1e6
_TITLES = "n_supported", "n_equivalent, at least"

__all__ = [
    "AnalysisComparison",
    "Axis",
    "BinBias",
    "BinContents",
    "Chain",
    "Chi2Result",
    "Comparison",
    "Costs",
    "Coverage",
    "Estimate",
    "EstimateComparison",
    "Interval",
    "Judgement",
    "Plan",
    "Price",
    "Region",
    "Report",
    "Resolution",
    "Stage",
    "Verdict",
]


class Verdict(StrEnum):
    """The three verdicts; only ``ROBUST`` passes."""

    ROBUST = "ROBUST"
    """Agreement at the error bars of n_required is demonstrated."""
    BIASED = "BIASED"
    """A disagreement larger than those error bars is demonstrated."""
    UNPROVEN = "UNPROVEN"
    """The data decide neither."""


class Document:
    """What is a JSON text of its own, which says its kind."""

    __slots__ = ()
    KIND: ClassVar[str]

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        return _json.dumps(self.KIND, VERSION, self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not of this kind and version, or a value of it cannot be.
        """
        return _json.loads(cls, cls.KIND, VERSION, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval with its point estimate, ``lower <= estimate <= upper``; ``inf`` is allowed."""

    lower: float
    estimate: float
    upper: float

    def __contains__(self, value: float) -> bool:
        """Tell whether ``value`` lies in the closed interval."""
        return self.lower <= value <= self.upper


@dataclass(frozen=True, slots=True, kw_only=True)
class BinBias:
    """The local bias of one bin, in error bars of n_required events.

    Attributes:
        index: Position among the bins as given (flow bins included where the histogram has them);
            of merged bins, the first.
        label: The bin in words, such as ``[80, 85)`` or ``underflow``.
        bias: (q - p) sqrt(2 n_required / (q + p)).
        lower: Simultaneous lower confidence limit of its magnitude; 0 if none is shown.
    """

    index: Count
    label: str
    bias: float
    lower: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of the bins that were given or chosen, before merging.

    The bins along it are one below the edges if there is ``underflow``, those between edges, one above if there is
    ``overflow``, and one for each of ``values``, in this order.

    Attributes:
        label: What is binned.
        unit: That of the edges, such as ``"GeV"``; empty if it is not known.
        edges: Increasing; empty for categories, for the cells of a tree and where only contents are known.
        values: Names of the bins without edges: categories, NaN, what is outside a selection.
        underflow: Whether there is a bin below the first edge.
        overflow: Whether there is a bin from the last edge on.
    """

    label: str
    unit: str = ""
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    underflow: bool = False
    overflow: bool = False

    @property
    def title(self) -> str:
        """The label with the unit."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class BinContents:
    """The normalised histograms that were compared, after merging; with the axes what a plot needs.

    Attributes:
        generated: Fractions of the generated sample.
        generated_errors: Their standard errors.
        reference: Fractions of the reference sample.
        reference_errors: Their standard errors.
        bias: Local bias in error bars of n_required events.
        totals: Sums of weights of the generated and of the reference sample: a fraction times its sample's is what the
            histogram held, and an error times it the root of the sum of squared weights.
        merged: For each bin as given, flow bins included and the last axis first, the position above of the bin that it
            was joined to; empty if every bin is as given.
        path: The positions of the bins as neighbours follow each other, where that is not their own order: values apart
            from others stand last, and so do cells that hold them.
    """

    generated: tuple[float, ...]
    generated_errors: tuple[float, ...]
    reference: tuple[float, ...]
    reference_errors: tuple[float, ...]
    bias: tuple[float, ...]
    totals: tuple[float, float] = (1.0, 1.0)
    merged: tuple[int, ...] = ()
    path: tuple[int, ...] = ()


class Regions(Sequence["Region"]):
    """The regions of a comparison, tested on first access: that takes as long as many comparisons."""

    def __init__(self, tested: Callable[[], tuple[Region, ...]]) -> None:
        """Keep the function that tests the regions; it is called once."""
        self._tested: Callable[[], tuple[Region, ...]] | None = tested
        self._regions: tuple[Region, ...] = ()

    @property
    def _all(self) -> tuple[Region, ...]:
        if self._tested is not None:
            self._regions, self._tested = self._tested(), None
        return self._regions

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self._all)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - a region, or several
        """Return one or several regions, as of a tuple."""
        return self._all[index]

    def __eq__(self, other: object) -> bool:
        """Tell whether another sequence has the same regions."""
        return isinstance(other, Regions | tuple) and self._all == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the tuple of regions."""
        return hash(self._all)

    def __repr__(self) -> str:
        """Write the regions as a tuple."""
        return repr(self._all)

    def __reduce__(self) -> tuple[type, tuple[tuple[Region, ...]]]:
        """Leave the tuple to other processes and to copies."""
        return tuple, (self._all,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The verdict on neighbouring bins, on contents normalised inside: as if an analysis had selected them.

    With the stated confidence none of the regions of a comparison is called ROBUST falsely; as seldom is one called
    BIASED. What is inside is compared, not how many events there are: see ``generated_share``.

    Attributes:
        label: The region in words, such as ``[20, 80)`` or ``< 80``; of several columns with their names.
        first: Position of its first bin among those compared, along the path of neighbours.
        last: That of its last.
        share: Share of the reference that is inside.
        generated_share: Share of the generated sample.
        n_required: The same share of n_required, which the generated events inside have to stand in for.
        n_equivalent: Lower limit of the true events inside that the generator is worth there; it holds for all regions
            together. 0 where the samples are too few to say.
        verdict: ROBUST, BIASED or UNPROVEN.
    """

    label: str
    first: Count
    last: Count
    share: float
    generated_share: float
    n_required: Amount
    n_equivalent: Amount
    verdict: Verdict

    @property
    def robust(self) -> bool:
        """Whether agreement inside is demonstrated."""
        return self.verdict is Verdict.ROBUST


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number that was measured on a sample, with its error bar.

    Attributes:
        value: The number, in whatever unit.
        error: Its standard error, in the same unit; positive.
        n_events: Effective number of events: as many unweighted true events would have this error; ``None`` if not
            known.
        dof: Degrees of freedom of the error itself, 2 / (relative variance of error²): groups - 1 of a jackknife,
            replicas - 1 of a bootstrap; infinite if the error is known exactly.

    Raises:
        InputError: If a number is NaN or infinite, the error is not positive, or there is less than one event or degree
            of freedom.
        InputTypeError: If a value is not a number.
    """

    value: float
    error: float
    n_events: float | None = None
    dof: float = math.inf

    def __post_init__(self) -> None:
        """Check every number, and hold it as a builtin float whatever kind of number was given."""
        object.__setattr__(self, "value", check_finite("value", self.value))
        object.__setattr__(self, "error", check_finite("error", self.error))
        if self.error <= 0:
            msg = (
                f"error={self.error!r}; expected a positive standard error: a number without one demonstrates nothing "
                "(bootstrap or jackknife the analysis to find it)"
            )
            raise InputError(msg)
        if self.n_events is not None:
            object.__setattr__(self, "n_events", float(check_event_count("n_events", self.n_events)))
        object.__setattr__(self, "dof", float(check_number("dof", self.dof)))
        if self.dof < 1:
            msg = f"dof={self.dof!r}; expected at least one degree of freedom, or inf if the error is known exactly"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Judgement(Document):
    """What a comparison of anything ends in: of two histograms (`Comparison`) or two numbers (`EstimateComparison`).

    Attributes:
        name: The observable.
        verdict: ROBUST, BIASED or UNPROVEN.
        reasons: Why, in sentences.
        n_required: Number of true events the generated sample is to stand in for.
        n_train: Number of events the generator was trained on, if known.
        n_generated: Effective number of generated events.
        n_reference: Effective number of reference events.
        n_equivalent: Number of true events the generator is worth: their error bars are as large as its bias.
        n_supported: Largest n_required at which these data demonstrate agreement; 0 if the samples are too few or not
            independent, or a learned observable is blind, and demonstrate nothing.
        power: Probability that a perfect generator is shown ROBUST with these sample sizes.
        n_reference_needed: Reference events with which a perfect generator would pass with 90 % probability, in all
            observables of the check together, if ``n_generated_needed`` events are generated.
        n_generated_needed: Generated events that go with ``n_reference_needed``.
        p_robust: p-value of the boundary against agreement; ROBUST needs at most 1 - confidence. Of histograms it is
            relative to that of perfect agreement (CLs), and the largest of all tests.
        p_biased: p-value of the boundary against disagreement.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the (rms) bias in error bars of n_required events.
        share: Fraction of the check's n_required that this stratum of the events has to stand in for; 1 if the check
            is not stratified.
        attempt: Which try this is, with fresh generated events against the same reference; the limits shown, and both
            verdicts, are at the level of this attempt (see `pytest_ganvalid.statistics.limits.level`).
        looks: Planned looks at a growing reference, which share the level.
        n_equivalent_nominal: Lower limit of n_equivalent at the confidence of a first and only attempt, which is what
            an analysis keeps; ``None`` if it is that of ``n_equivalent``.
    """

    name: str
    verdict: Verdict
    reasons: tuple[str, ...]
    n_required: Amount
    n_train: Amount | None
    n_generated: Amount
    n_reference: Amount
    n_equivalent: Interval
    n_supported: Amount
    power: Probability
    n_reference_needed: Amount
    n_generated_needed: Amount
    p_robust: Probability
    p_biased: Probability
    confidence: Probability
    max_bias: Amount
    share: Amount = 1.0
    attempt: Ordinal = 1
    looks: Ordinal = 1
    n_equivalent_nominal: Amount | None = None

    def __repr__(self) -> str:
        """Say the verdict in a line; `to_json` has all numbers."""
        return (
            f"{type(self).__name__}({self.name!r}: {self.verdict} at n_required {at_most(self.n_required)}, "
            f"n_supported {at_most(self.n_supported)})"
        )

    @property
    def robust(self) -> bool:
        """Whether agreement at n_required is demonstrated."""
        return self.verdict is Verdict.ROBUST

    def withdrawn(self, reason: str) -> Self:
        """Take back the verdict, whatever it is: UNPROVEN for this reason, and nothing is supported or known."""
        return replace(
            self,
            verdict=Verdict.UNPROVEN,
            reasons=(reason,),
            n_supported=0.0,
            n_equivalent=replace(self.n_equivalent, lower=0.0),
            n_equivalent_nominal=0.0,
        )

    @property
    def n_systematic(self) -> float:
        """Events whose relative error bars an analysis must keep as a systematic uncertainty.

        min(n_train, lower limit of n_equivalent), the end of section 2.2 of arXiv:2002.06307; the limit is at the
        stated confidence, whatever attempt this is. Of a stratum they are events in it, and so is its share of n_train.
        """
        n_equivalent = self.n_equivalent.lower if self.n_equivalent_nominal is None else self.n_equivalent_nominal
        return n_equivalent if self.n_train is None else min(self.n_train * self.share, n_equivalent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One of the tests of a histogram: on all bins, or on the leading smooth components of the difference.

    Attributes:
        components: Number of smooth components; ``None`` for all bins.
        separation: Δ/2, Δ being the triangular discrimination of this test, freed of its noise floor. The upper limit
            is by CLs, here as everywhere.
        directional_bias: sqrt(2 n_required Δ): no number that is linear in what is tested is off by more than so many
            of its standard errors at n_required, taken under (q + p)/2.
        n_supported: Largest n_required at which this test shows agreement.
        lower_corrected: Lower limit of ``directional_bias`` that makes BIASED: of m tests each is allowed α/m. ``None``
            in files written before there was one.
    """

    components: Count | None
    separation: Interval
    directional_bias: Interval
    n_supported: Amount
    lower_corrected: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison(Judgement):
    """One generated histogram against one reference histogram; what is not listed here is a `Judgement`'s.

    Effective events are (Σw)²/Σw². n_equivalent is the smallest d/(2Δ) of the tests, n_supported the smallest E/Δ_up (a
    single bin may still be shown to be off). p_biased tests the bias in all tests, and the local one.

    Attributes:
        tests: All bins, and the smooth components of the difference; ROBUST takes all of them.
        shape: Of one ordered axis (name, bias, standard error), in error bars of n_required events: location, scale,
            skewness and kurtosis, the first smooth components of the difference in ranks.
        directional_bias: That of all bins (see `Resolution`).
        expected_n_supported: The n_supported that a perfect generator exceeds with these samples with probability
            84 % (lower), 50 % (estimate) and 16 % (upper).
        p_agreement: Probability with which independent samples of one distribution agree at least as well,
            P(T' <= T | 0).
        bins: Number of bins compared, after merging.
        merged_bins: Number of populated bins that merging took away.
        ndf: bins - 1.
        chi2: Classical χ² of the two samples as they are.
        p_value: Its upper-tail probability under perfect agreement.
        separation: Separation power Δ/2, Δ being the triangular discrimination, freed of its noise floor.
        chi2_required: χ² expected between n_required generated and n_required true events, ndf + n_required Δ.
        chi2_critical: 0.95 quantile of χ² with ndf degrees of freedom, whatever the confidence.
        rms_bias: Root-mean-square bias in error bars of n_required events.
        worst_bin: Position of the bin with the largest local bias (see `BinBias.index`).
        worst_bins: The bins with the largest local bias, worst first.
        contents: The histograms that were compared.
        axes: The axes of their bins. Of a pair of columns that is cut into slabs, the axis that is cut first, then for
            each bin of it the one that it is cut along.
        max_local_bias: Limit on the bias of a single bin.
        max_directional_bias: Limit on ``directional_bias``; ``None`` if there is none.
        min_expected: Least expected effective events in a bin of the smaller sample.
        smooth: Whether the smooth components were tested.
        regions: Where the whole is not ROBUST, the verdict on the regions that were looked at, by their first bin and
            the larger before the smaller. Regions inside a ROBUST one are not looked at, unless that was asked for.
            Empty where the whole is ROBUST, where no region could be shown to be, the samples being too few, and where
            bins have no order.
    """

    KIND: ClassVar[str] = "comparison"

    tests: tuple[Resolution, ...]
    shape: tuple[tuple[str, float, float], ...]
    directional_bias: Interval
    expected_n_supported: Interval
    p_agreement: Probability
    bins: Count
    merged_bins: Count
    ndf: Count
    chi2: Amount
    p_value: Probability
    separation: Interval
    chi2_required: Interval
    chi2_critical: Amount
    rms_bias: Interval
    worst_bin: Count
    worst_bins: tuple[BinBias, ...]
    contents: BinContents
    max_local_bias: Amount
    max_directional_bias: Amount | None
    min_expected: Amount
    smooth: bool
    axes: tuple[Axis, ...] = ()
    regions: Sequence[Region] = ()

    @property
    def robust_region(self) -> Region | None:
        """The largest of the regions that are ROBUST; ``None`` if there is none."""
        return max((region for region in self.regions if region.robust), key=lambda r: r.share, default=None)

    @property
    def biased_regions(self) -> tuple[Region, ...]:
        """The regions that are BIASED and have none of these inside."""
        biased = [region for region in self.regions if region.verdict is Verdict.BIASED]
        inside = [(r, o) for r in biased for o in biased if o is not r and r.first <= o.first and o.last <= r.last]
        return tuple(region for region in biased if not any(region is outer for outer, _ in inside))

    @property
    def weakest_region(self) -> Region | None:
        """The region with the least n_equivalent per required event: where to look first, BIASED or not."""
        return min(self.regions, key=lambda r: r.n_equivalent / max(r.n_required, 1.0), default=None)

    def inside(self, region: Region) -> tuple[int, ...]:
        """Return the positions of the bins of a region in ``contents``."""
        return (self.contents.path or tuple(range(len(self.contents.bias))))[region.first : region.last + 1]

    def withdrawn(self, reason: str) -> Self:
        """Take back the verdict, and that on all regions."""
        return replace(Judgement.withdrawn(self, reason), regions=())


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EstimateComparison(Judgement):
    """One number of the generated sample against that of the reference; what is not listed here is a `Judgement`'s.

    n_equivalent is n_required / bias², n_supported n_required (max_bias / upper limit of the bias)².

    Attributes:
        generated: The estimate from generated events.
        reference: The estimate from reference events.
        required_error: The standard error that n_required unweighted true events would have.
        difference: Generated minus reference, in the unit of the estimates.
        bias: Magnitude of the difference, in units of ``required_error``.
    """

    KIND: ClassVar[str] = "estimate"

    generated: Estimate
    reference: Estimate
    required_error: Amount
    difference: float
    bias: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often the confidence interval of a fitted parameter holds the true value, in toys.

    Attributes:
        level: Its nominal confidence level.
        kept: Share of the toys in which it does where the inherited error is kept.
        ignored: Likewise where it is not.
    """

    level: Probability
    kept: Probability
    ignored: Probability


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisComparison(EstimateComparison):
    """The parameter of interest of an analysis, fitted with generated and with reference templates.

    Both are fits to the data that the reference expects (Asimov data). What is not listed here is an
    `EstimateComparison`'s, of which some have a meaning of their own: ``required_error`` is the uncertainty of the
    parameter with reference templates that have no error, at the luminosity at which the sample stands for n_required
    events; ``bias`` is in units of that; n_equivalent are the true events whose templates leave an error as large as
    the bias; n_supported is the luminosity, in events of the sample, up to which agreement is shown, if the uncertainty
    fell with the root of it (it falls less, so that more may be supported).

    Attributes:
        parameter: The parameter of interest.
        samples: Channel -> the sample whose template is generated.
        uncertainty_kept: Uncertainty of the parameter where the statistical error of the generated template and the
            inherited one are kept.
        uncertainty_ignored: Likewise without the inherited error.
        n_inherited: True events whose error bars the generated template inherits, as far as is known.
        coverage: Of intervals by the profile likelihood ratio; empty if there were no toys.
        toys: How many there were.
        seed: Of the toys.
    """

    KIND: ClassVar[str] = "analysis"

    parameter: str
    samples: Mapping[str, str]
    uncertainty_kept: Amount
    uncertainty_ignored: Amount
    n_inherited: Amount
    coverage: tuple[Coverage, ...]
    toys: Count
    seed: Count


def at_most(number: float) -> str:
    """Format a number of events that must not be exceeded, so never rounded up."""
    return "∞" if math.isinf(number) else f"{math.floor(number):,}"


def _escaped(text: str) -> str:
    return escape("\n".join(map(printable, text.split("\n"))))


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return BIASED if any is, else UNPROVEN if any is, else ROBUST."""
    present = set(verdicts)
    return next(v for v in (Verdict.BIASED, Verdict.UNPROVEN, Verdict.ROBUST) if v in present)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Document):
    """The comparisons of all observables of two samples, and the verdict on them together.

    Attributes:
        verdict: ROBUST only if every observable is; BIASED if any is, after Holm's correction.
        reasons: Why, in sentences.
        n_required: Number of true events the generated sample is to stand in for.
        comparisons: Name of the observable -> its comparison, of histograms, of one number or of an analysis.
        provenance: What was compared, and with which settings and versions.
        shared: Which events the samples share that they may not share, in sentences; nothing is demonstrated then.
        notes: What was not looked for, and the like, in sentences.
        skipped: Name of a column or histogram that is not compared -> why.
        n_supported: Largest n_required of the whole check at which its data demonstrate agreement: the smallest
            n_supported / share of the comparisons.
        weakest: The name of the comparison that has it; the first of several.
    """

    KIND: ClassVar[str] = "report"

    verdict: Verdict
    reasons: tuple[str, ...]
    n_required: Amount
    comparisons: Mapping[str, Comparison | EstimateComparison | AnalysisComparison]
    provenance: dict[str, Any] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    n_supported: Amount = field(init=False)
    weakest: str = field(init=False)

    def __post_init__(self) -> None:
        """Find the weakest comparison, and refuse a verdict that does not follow from all of them.

        Raises:
            InputError: If the verdict does not follow, or there is no comparison.
        """
        if not self.comparisons:
            msg = "a report without a comparison demonstrates nothing"
            raise InputError(msg)
        expected = worst_verdict(comparison.verdict for comparison in self.comparisons.values())
        if self.verdict is not expected:
            msg = f"the verdict {self.verdict} does not follow from the comparisons, which make it {expected}"
            raise InputError(msg)
        if self.shared and self.verdict is not Verdict.UNPROVEN:
            msg = f"the verdict {self.verdict} does not follow from samples that share events; expected UNPROVEN"
            raise InputError(msg)
        supported = {name: c.n_supported / c.share if c.share else math.inf for name, c in self.comparisons.items()}
        weakest = min(supported, key=supported.__getitem__)
        object.__setattr__(self, "weakest", weakest)
        object.__setattr__(self, "n_supported", supported[weakest])

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote, or the ``report.json`` of a session with a single check, which is a report.

        Raises:
            InputError: If the text is neither, or a value of it cannot be.
        """
        node = _json.parsed(text)
        if isinstance(node.value, dict) and node.value.get("kind") == "session":
            checks = node.members().get("checks", _json.Node([], "checks")).items()
            if len(checks) != 1:
                msg = f"this is a session of {len(checks)} checks, and not one report; take the result of one of them"
                raise InputError(msg)
            node = checks[0].members().get("result", _json.Node(None, "checks[0].result"))
        return _json.decode_fields(cls, _json.untagged(node, cls.KIND, VERSION))

    def __repr__(self) -> str:
        """Say the verdict in a line; `to_json` has all numbers."""
        number = len(self.comparisons)
        return (
            f"Report({self.verdict} at n_required {at_most(self.n_required)}, n_supported {at_most(self.n_supported)} "
            f"({self.weakest!r}), {number} observable{'s' * (number != 1)})"
        )

    def _repr_html_(self) -> str:
        """Say the verdict and a line for each observable, for a notebook; names are escaped."""
        titles = "".join(f'<th scope="col">{title}</th>' for title in ("observable", "verdict", *_TITLES))
        rows = (
            f'<tr><th scope="row">{_escaped(name)}</th><td>{c.verdict}</td>'
            f"{''.join(f'<td>{at_most(value)}</td>' for value in (c.n_supported, c.n_equivalent.lower))}</tr>"
            for name, c in self.comparisons.items()
        )
        notes = "".join(f"<p>{_escaped(sentence)}</p>" for sentence in (*self.shared, *self.notes))
        return (
            f"<p><strong>{self.verdict}</strong> at n_required {at_most(self.n_required)}; n_supported "
            f"{at_most(self.n_supported)} ({_escaped(self.weakest)})</p>{notes}<table><thead><tr>{titles}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table>"
        )

    @property
    def robust(self) -> bool:
        """Whether agreement at n_required is demonstrated in every observable."""
        return self.verdict is Verdict.ROBUST

    @property
    def histograms(self) -> dict[str, Comparison]:
        """The comparisons of histograms among all."""
        return {name: c for name, c in self.comparisons.items() if isinstance(c, Comparison)}

    @property
    def estimates(self) -> dict[str, EstimateComparison]:
        """The comparisons of one number per sample among all."""
        return {name: c for name, c in self.comparisons.items() if isinstance(c, EstimateComparison)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What events cost, in any one unit: seconds of a processor, money, energy.

    Attributes:
        true: Of one event of the true simulation; positive.
        generated: Of one generated event.
        training: Of training the generator, once, the training events not included.
        n_train: Number of events the generator is trained on.
        uses: Number of releases or analyses that each take n_required fresh events.
        unit: The unit, in words.

    Raises:
        InputError: If a number is out of range.
        InputTypeError: If a value is not a number.
    """

    true: Amount
    generated: Amount
    n_train: Amount
    training: Amount = 0.0
    uses: Ordinal = 1
    unit: str = ""

    def __post_init__(self) -> None:
        """Check every number, and hold it as a builtin whatever kind of number was given."""
        object.__setattr__(self, "true", float(check_positive_number("true", self.true)))
        for name in ("generated", "training"):
            object.__setattr__(self, name, float(check_not_negative(name, getattr(self, name))))
        for name, minimum in (("true", 1 / _MAX_COST), ("generated", 0.0), ("training", 0.0)):
            if not minimum <= getattr(self, name) <= _MAX_COST:
                msg = f"{name}={getattr(self, name)!r} is out of range; choose a unit in which it is 1e-30 to 1e30"
                raise InputError(msg)
        object.__setattr__(self, "n_train", check_event_count("n_train", self.n_train))
        object.__setattr__(self, "uses", int(check_event_count("uses", check_integer("uses", self.uses))))
        if not isinstance(self.unit, str):
            msg = f"unit={self.unit!r} is a {type(self.unit).__name__}; expected a word, such as 'CPU h'"
            raise InputTypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What it costs to reach n_required, in the unit of ``costs``, with all that the verdict needs.

    Attributes:
        costs: What events cost.
        simulation: True simulation of ``costs.uses`` times n_required events.
        training_set: True events to train the generator on.
        training: Training it.
        reference: True events of the validation.
        generated: Generated events: those of the validation, which may be used, and the others that the uses take.
        generator: The last four together.
        speed_up: ``simulation`` over ``generator``; below 1 true simulation is the cheaper way.
        speed_up_per_event: Cost of a true event over that of a generated one, which ``speed_up`` tends to with many
            uses.
        break_even: Number of uses from which the generator is the cheaper way; ``None`` if there is none.
        ladder: (uses, simulation, generator, speed_up) for powers of ten.
    """

    costs: Costs
    simulation: Amount
    training_set: Amount
    training: Amount
    reference: Amount
    generated: Amount
    generator: Amount
    speed_up: Amount
    speed_up_per_event: Amount
    break_even: Ordinal | None
    ladder: tuple[tuple[int, float, float, float], ...]

    def table(self) -> str:
        """Return the price as text."""
        uses = self.costs.uses
        times = f"{uses:,} uses, each of n_required fresh events" if uses > 1 else "one use"
        parts = {
            "true simulation": self.simulation,
            "by the generator": self.generator,
            "  training set": self.training_set,
            "  training": self.training,
            "  reference of the validation": self.reference,
            "  generated events": self.generated,
        }
        lines = [f"price of {times}{f', in {self.costs.unit}' if self.costs.unit else ''}"]
        lines += [f"  {name:30}{_amount(value):>14}" for name, value in parts.items()]
        lines.append(f"{'uses':>8}  {'true simulation':>18}  {'by the generator':>18}  {'speed-up':>10}")
        lines += [f"{n:8,}  {_amount(a):>18}  {_amount(b):>18}  {_amount(s):>10}" for n, a, b, s in self.ladder]
        return "\n".join([*lines, self._sentence()])

    def _sentence(self) -> str:
        """Say from how many uses on it pays."""
        per_event = f"{_amount(self.speed_up_per_event)} per event"
        if self.break_even is None:
            return f"it never pays: the speed-up is {per_event}"
        if self.break_even == 1:
            return f"it pays: the speed-up is {_amount(self.speed_up)}, and would be {per_event} with no validation"
        return (
            f"the speed-up is below one for fewer than {self.break_even:,} uses, though it is {per_event}; a use is "
            "another n_required events that would be simulated anew. Each stands by itself: all of them together are "
            "still worth no more than n_required true events"
        )


def _amount(value: float) -> str:
    """Format a cost or a ratio to four digits."""
    return "∞" if math.isinf(value) else f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a simulation chain, judged by its share of the total uncertainty.

    Attributes:
        name: What the stage is taken to be worth, in words.
        n_events: As many events its errors are those of.
        probability: Probability of the bin or selection whose content is uncertain.
        error: Its relative uncertainty, 1/sqrt(n_events probability).
        others: Source -> relative uncertainty of the other stages.
        total: All in quadrature.
        share: Share of the stage in the variance, error²/total².
        max_share: Largest share of a stage that is no bottleneck.
        bottleneck: Whether ``share`` exceeds that.
        n_needed: Number of events the stage must be worth to be no bottleneck; infinite if there are no other errors.
    """

    name: str
    n_events: Amount
    probability: Probability
    error: Amount
    others: Mapping[str, float]
    total: Amount
    share: Probability
    max_share: Probability
    bottleneck: bool
    n_needed: Amount

    def sentence(self) -> str:
        """Say what follows."""
        verb = "is a bottleneck" if self.bottleneck else "is no bottleneck"
        head = f"{self.name}, the generated stage {verb}: "
        if math.isinf(self.n_needed):
            return f"{head}no other stage has an error"
        return (
            f"{head}{self.error:.3g} of a total error of {self.total:.3g}, {self.share:.1%} of the variance (limit "
            f"{self.max_share:.0%}, which takes a stage worth {_amount(math.ceil(self.n_needed))} events)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The errors of the other stages of a simulation chain, beside which a generated stage is judged.

    A generator may replace a stage that is not a bottleneck on the overall uncertainty (arXiv:2002.06307, section 3).

    Attributes:
        others: Source -> its relative uncertainty on the content of the bin or selection that matters; they are taken
            for independent.
        probability: Probability of an event to fall there, above 0 and at most 1: that of a rare fake, if fakes are why
            events are needed.
        max_share: Share of the variance from which a stage is a bottleneck, between 0 and 1. With 0.1 a stage that is
            none makes the total uncertainty larger by at most 5.4 %.

    Raises:
        InputError: If a number is out of range.
        InputTypeError: If a value is not a number.
    """

    others: Mapping[str, float]
    probability: Probability = 1.0
    max_share: Probability = 0.1

    def __post_init__(self) -> None:
        """Check every number, and hold it as a builtin float."""
        if not isinstance(self.others, Mapping):
            msg = f"others={self.others!r}; expected a mapping of sources to relative uncertainties: {{'shower': 0.01}}"
            raise InputTypeError(msg)
        others = {str(name): float(check_not_negative(f"others[{name!r}]", e)) for name, e in self.others.items()}
        if any(error > _LARGEST_ERROR for error in others.values()):
            msg = f"others={others!r}; expected relative uncertainties, 0 to {_LARGEST_ERROR:g}"
            raise InputError(msg)
        probability = float(check_number("probability", self.probability))
        if not 0 < probability <= 1:
            msg = f"probability={self.probability!r} is out of range; expected a number above 0, at most 1"
            raise InputError(msg)
        object.__setattr__(self, "others", others)
        object.__setattr__(self, "probability", probability)
        object.__setattr__(self, "max_share", float(check_fraction("max_share", self.max_share)))

    def stage(self, n_events: object, name: str = "") -> Stage:
        """Judge a stage whose errors are those of so many events.

        Args:
            n_events: A number of events, 1 or more, or the comparison of the generated stage, whose ``n_systematic``
                they are.
            name: What this is, in words; made of ``n_events`` if empty.

        Raises:
            InputError: If the number is out of range.
            InputTypeError: If the argument is no number.
        """
        n = n_events.n_systematic if isinstance(n_events, Judgement) else n_events
        n = math.inf if n == math.inf else float(check_event_count("n_events", n))
        error, elsewhere = (n * self.probability) ** -0.5, math.hypot(*self.others.values())
        total = math.hypot(error, elsewhere)
        share = (error / total) ** 2 if error else 0.0
        needed = self.max_share / (1 - self.max_share) * elsewhere**2 * self.probability
        return Stage(
            name=name or f"with the errors of {_amount(n)} events",
            n_events=n,
            probability=self.probability,
            error=error,
            others=self.others,
            total=total,
            share=share,
            max_share=self.max_share,
            bottleneck=share > self.max_share,
            n_needed=1 / needed if needed else math.inf,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Document):
    """Sample sizes with which a perfect generator would be shown ROBUST.

    Attributes:
        n_required: Number of true events the generated sample is to stand in for.
        n_reference: Reference events to simulate.
        n_generated: Events to generate.
        power: Probability that all of the check comes out ROBUST, at least.
        bins: Bins per observable and per classifier; ``None`` if there are only estimators.
        observables: Number of histograms.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the (rms) bias in error bars of n_required events.
        max_directional_bias: Limit on that of any number linear in the bin contents; ``None`` if there is none.
        smooth: Whether the smooth components of a difference are tested.
        rows: (power, n_reference, n_reference / n_required) for a ladder of powers.
        estimators: Number of observables that are one number per sample.
        classifiers: Number of classifiers, trained on one half of each sample and tested on the other.
        least_ratio: Reference events per required event that it takes even if any number is generated.
        looks: Planned looks at a growing reference; the sizes are those of the last.
        bins_of: Observable -> bins that it has, if they were named; ``bins`` is the smallest of them.
        dearest: The observable that sets the price, and n_h = n_g n_r / (n_g + n_r) per required event that it takes by
            itself, if others take clearly less.
        price: What that costs, if it was said what events cost.
        stages: The generated events as a stage of a chain, if the errors of the others were said: unvalidated, if
            n_train is known, and as good as n_required true events.
    """

    KIND: ClassVar[str] = "plan"

    n_required: Amount
    n_reference: Count
    n_generated: Count
    power: Probability
    bins: Count | None
    observables: Count
    confidence: Probability
    max_bias: Amount
    max_directional_bias: Amount | None
    smooth: bool
    rows: tuple[tuple[float, int, float], ...]
    estimators: Count
    classifiers: Count
    least_ratio: Amount
    looks: Ordinal = 1
    bins_of: Mapping[str, int] = field(default_factory=dict)
    dearest: tuple[str, float] | None = None
    price: Price | None = None
    stages: tuple[Stage, ...] = ()

    def table(self) -> str:
        """Return the planning table as text, a line per power, and the price."""
        head = (
            f"n_required {self.n_required:,.0f}; {self._tests()}; "
            f"{self.n_generated:,} generated events; confidence {self.confidence:g}; max_bias {self.max_bias:g}"
            f"{f'; {self.looks} looks' if self.looks > 1 else ''}"
        )
        if self.max_directional_bias is not None:
            head += f"; max_directional_bias {self.max_directional_bias:g}"
        if not self.smooth:
            head += "; without smooth components"
        lines = [head, f"{'power':>8}  {'reference events':>18}  {'per required event':>18}"]
        lines += [f"{power:8.3f}  {count:18,}  {ratio:18.3f}" for power, count, ratio in self.rows]
        lines += self._notes()
        if self.price is not None:
            lines.append(self.price.table())
        return "\n".join(lines + [stage.sentence() for stage in self.stages])

    def _tests(self) -> str:
        """Return the numbers of tests in words."""
        counts = {
            "observable": (self.observables, f" of {self._bins()} bins"),
            "estimator": (self.estimators, ""),
            "classifier": (self.classifiers, f" of {max(self.bins_of.values(), default=self.bins)} bins"),
        }
        parts = [f"{number} {noun}{'s' * (number != 1)}{detail}" for noun, (number, detail) in counts.items() if number]
        return ", ".join(parts)

    def _bins(self) -> str:
        maximum = max(self.bins_of.values(), default=self.bins)
        return str(self.bins) if maximum == self.bins else f"{self.bins} to {maximum}"

    def _notes(self) -> list[str]:
        """Say what sets the price, and what estimators and classifiers cost."""
        notes = []
        if self.dearest is not None:
            name, price = self.dearest
            other = next((n for n in self.bins_of if n != name), name)
            notes.append(
                f"{name} sets the price: with {self.bins_of[name]} bins it takes {1.1 * price:.1f} reference events "
                f"per required one, if ten are generated for each; leave it out, or compare {name}:{other} jointly"
            )
        if self.estimators:
            notes.append(
                f"of these, {self.least_ratio:.1f} per required event even if any number were generated: estimators "
                "are one number each, shown to be within its error bar by two one-sided tests"
            )
        if self.classifiers:
            notes.append("classifiers are trained on one half of each sample and tested on the other")
        return notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chi2Result:
    """A classical χ² test of two histograms.

    Attributes:
        chi2: The statistic.
        ndf: Degrees of freedom: populated bins - 1.
        p_value: Upper-tail probability of the statistic.
        residuals: Normalised residual of each bin as given; 0 in bins empty on both sides.
    """

    chi2: float
    ndf: int
    p_value: float
    residuals: tuple[float, ...]

"""What a check returns: frozen, builtins only, JSON both ways.

Every number is a plain ``int`` or ``float``, so that results can cross a process boundary, be compared
with ``==`` and be written to JSON without loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError

__all__ = ["BinBias", "BinContents", "Chi2Result", "Comparison", "Interval", "Plan", "Report", "Verdict"]


class Verdict(StrEnum):
    """The three verdicts; only ``ROBUST`` passes."""

    ROBUST = "ROBUST"
    """Agreement at the error bars of n_required is demonstrated."""
    BIASED = "BIASED"
    """A disagreement larger than those error bars is demonstrated."""
    UNPROVEN = "UNPROVEN"
    """The data decide neither."""


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

    index: int
    label: str
    bias: float
    lower: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BinContents:
    """The normalised histograms that were compared, after merging; what a plot needs.

    Attributes:
        generated: Fractions of the generated sample.
        generated_errors: Their standard errors.
        reference: Fractions of the reference sample.
        reference_errors: Their standard errors.
        bias: Local bias in error bars of n_required events.
    """

    generated: tuple[float, ...]
    generated_errors: tuple[float, ...]
    reference: tuple[float, ...]
    reference_errors: tuple[float, ...]
    bias: tuple[float, ...]


def _interval(data: dict[str, Any]) -> Interval:
    return _json.decode(Interval, data)


def _bin_biases(rows: list[dict[str, Any]]) -> tuple[BinBias, ...]:
    return tuple(_json.decode(BinBias, row) for row in rows)


def _bin_contents(data: dict[str, Any]) -> BinContents:
    return _json.decode(BinContents, data, dict.fromkeys(BinContents.__dataclass_fields__, _json.numbers))


_COMPARISON_DECODERS: dict[str, _json.Decoder] = {
    "verdict": Verdict,
    "reasons": _json.strings,
    "chi2_required": _interval,
    "separation": _interval,
    "n_equivalent": _interval,
    "rms_bias": _interval,
    "worst_bins": _bin_biases,
    "contents": _bin_contents,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One generated histogram against one reference histogram.

    Attributes:
        name: The observable.
        verdict: ROBUST, BIASED or UNPROVEN.
        reasons: Why, in sentences.
        n_required: Number of true events the generated sample is to stand in for.
        n_train: Number of events the generator was trained on, if known.
        n_generated: Effective number of generated events, (Σw)²/Σw².
        n_reference: Effective number of reference events.
        bins: Number of bins compared, after merging.
        merged_bins: Number of populated bins that merging took away.
        ndf: bins - 1.
        chi2: Classical χ² of the two samples as they are.
        p_value: Its upper-tail probability under perfect agreement.
        separation: Separation power Δ/2, Δ being the triangular discrimination, freed of its noise floor.
        chi2_required: χ² expected between n_required generated and n_required true events, ndf + n_required Δ.
        chi2_critical: Quantile of χ² with ndf degrees of freedom at the confidence level.
        rms_bias: Root-mean-square bias in error bars of n_required events.
        n_equivalent: Number of true events the generator is worth, ndf / (2Δ).
        n_supported: Largest n_required whose limit on Δ these data meet, E/Δ_up (a single bin may still be shown to be
            off); 0 if the samples are too few or not independent, and demonstrate nothing.
        power: Probability that a perfect generator is shown ROBUST with these sample sizes.
        n_reference_needed: Reference events with which a perfect generator would pass with 90 % probability, in all
            observables of the check together, if ``n_generated_needed`` events are generated.
        n_generated_needed: Generated events that go with ``n_reference_needed``.
        p_robust: p-value of the boundary n_required Δ = E against agreement; ROBUST needs at most 1 - confidence.
        p_biased: p-value of the boundary against disagreement, local or global.
        worst_bin: Position of the bin with the largest local bias (see `BinBias.index`).
        worst_bins: The bins with the largest local bias, worst first.
        contents: The histograms that were compared.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias.
        max_local_bias: Limit on the bias of a single bin.
        min_power: Least power with which ROBUST may be said.
        min_expected: Least expected effective events in a bin of the smaller sample.
    """

    name: str
    verdict: Verdict
    reasons: tuple[str, ...]
    n_required: float
    n_train: float | None
    n_generated: float
    n_reference: float
    bins: int
    merged_bins: int
    ndf: int
    chi2: float
    p_value: float
    separation: Interval
    chi2_required: Interval
    chi2_critical: float
    rms_bias: Interval
    n_equivalent: Interval
    n_supported: float
    power: float
    n_reference_needed: float
    n_generated_needed: float
    p_robust: float
    p_biased: float
    worst_bin: int
    worst_bins: tuple[BinBias, ...]
    contents: BinContents
    confidence: float
    max_bias: float
    max_local_bias: float
    min_power: float
    min_expected: float

    @property
    def robust(self) -> bool:
        """Whether agreement at n_required is demonstrated."""
        return self.verdict is Verdict.ROBUST

    @property
    def n_systematic(self) -> float:
        """Events whose relative error bars an analysis must keep as a systematic uncertainty.

        min(n_train, lower limit of n_equivalent), the end of section 2.2 of arXiv:2002.06307.
        """
        known = self.n_equivalent.lower
        return known if self.n_train is None else min(self.n_train, known)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        return _json.dumps("comparison", 1, self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Comparison:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not a comparison of this version.
        """
        return cls._from_dict(_json.loads("comparison", 1, text))

    @classmethod
    def _from_dict(cls, data: dict[str, Any]) -> Comparison:
        return _json.decode(cls, data, _COMPARISON_DECODERS)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return BIASED if any is, else UNPROVEN if any is, else ROBUST."""
    found = set(verdicts)
    return next(v for v in (Verdict.BIASED, Verdict.UNPROVEN, Verdict.ROBUST) if v in found)


def _comparisons(data: dict[str, dict[str, Any]]) -> dict[str, Comparison]:
    return {name: Comparison._from_dict(value) for name, value in data.items()}  # noqa: SLF001 - same module


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The comparisons of all observables of two samples, and the verdict on them together.

    Attributes:
        verdict: ROBUST only if every observable is; BIASED if any is, after Holm's correction.
        reasons: Why, in sentences.
        n_required: Number of true events the generated sample is to stand in for.
        comparisons: Name of the observable -> its comparison.
        provenance: What was compared, and with which settings and versions.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    n_required: float
    comparisons: dict[str, Comparison]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a verdict that does not follow from the comparisons.

        Raises:
            InputError: If it does not, or there are none.
        """
        if not self.comparisons:
            msg = "a report without a comparison demonstrates nothing"
            raise InputError(msg)
        expected = worst_verdict(comparison.verdict for comparison in self.comparisons.values())
        if self.verdict is not expected:
            msg = f"the verdict {self.verdict} does not follow from the comparisons, which make it {expected}"
            raise InputError(msg)

    @property
    def robust(self) -> bool:
        """Whether agreement at n_required is demonstrated in every observable."""
        return self.verdict is Verdict.ROBUST

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        return _json.dumps("report", 1, self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not a report of this version.
        """
        data = _json.loads("report", 1, text)
        return _json.decode(cls, data, {"verdict": Verdict, "reasons": _json.strings, "comparisons": _comparisons})


def _plan_row(row: object) -> tuple[float, int, float]:
    power, n_reference, ratio = _json.numbers(row)
    return power, int(n_reference), ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sample sizes with which a perfect generator would be shown ROBUST.

    Attributes:
        n_required: Number of true events the generated sample is to stand in for.
        n_reference: Reference events to simulate.
        n_generated: Events to generate.
        power: Probability that all observables come out ROBUST, at least.
        bins: Bins per observable.
        observables: Number of observables.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias in error bars of n_required events.
        rows: (power, n_reference, n_reference / n_required) for a ladder of powers.
    """

    n_required: float
    n_reference: int
    n_generated: int
    power: float
    bins: int
    observables: int
    confidence: float
    max_bias: float
    rows: tuple[tuple[float, int, float], ...]

    def table(self) -> str:
        """Return the planning table as text, a line per power."""
        noun = "observable" if self.observables == 1 else "observables"
        head = (
            f"n_required {self.n_required:,.0f}; {self.observables} {noun} of {self.bins} bins; "
            f"{self.n_generated:,} generated events; confidence {self.confidence:g}; max_bias {self.max_bias:g}"
        )
        lines = [head, f"{'power':>8}  {'reference events':>18}  {'per required event':>18}"]
        lines += [f"{power:8.3f}  {count:18,}  {ratio:18.3f}" for power, count, ratio in self.rows]
        return "\n".join(lines)

    def to_json(self, indent: int | None = None) -> str:
        """Write as a JSON text; `from_json` restores an equal object."""
        return _json.dumps("plan", 1, self, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is not a plan of this version.
        """
        data = _json.loads("plan", 1, text)
        return _json.decode(cls, data, {"rows": lambda rows: tuple(_plan_row(row) for row in rows)})


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

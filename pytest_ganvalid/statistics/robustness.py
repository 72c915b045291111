"""Does the difference between two histograms fit within the error bars of n_required events?

With E = min(χ²_{ndf; confidence} - ndf, max_bias² ndf / 2) and Δ the triangular discrimination:

- ROBUST if n_required Δ_up <= E and the power is at least min_power;
- BIASED if n_required Δ_lo > E, or a single bin is shown to be off by more than max_local_bias;
- UNPROVEN otherwise, and whenever agreement is too good or the bins are too few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from scipy import special

from pytest_ganvalid.results import Chi2Result, Verdict
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.local import LocalBias, local_bias
from pytest_ganvalid.statistics.planning import (
    allowed_excess,
    boundary_noncentrality,
    chi2_critical,
    events_needed,
    power,
    power_of_each,
    reference_needed,
)
from pytest_ganvalid.statistics.separation import Fractions, Separation, separation

TOO_GOOD = 1e-4
"""Lower-tail probability of the classical χ² below which two samples are not independent."""
WANTED_POWER = 0.9
"""Probability to pass that advice on sample sizes aims at."""


@dataclass(frozen=True)
class Assessment:
    """All that decides a verdict.

    Attributes:
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        n_generated: Effective generated events. Where events have several entries, the reference events whose
            entries have the same errors.
        n_reference: Effective reference events.
        ndf: Bins - 1.
        chi2: The classical test.
        separation: T and its moments.
        lower: Lower confidence limit of Δ times ``per_event``.
        upper: Upper confidence limit of Δ times ``per_event``.
        local: Biases of the single bins.
        sparse: Whether the samples are too small for two bins of min_expected events.
        observables: How many must pass together; only the advice depends on it.
        per_event: Independent entries that an event is worth; 1 if each event has one entry.
        used: Shares of the generated and of the reference events that are compared, of a stratum or of the tested
            part of a split; only the advice depends on them.
        correlated: Whether events have several entries, so that bins are more correlated than by their sum.
    """

    n_required: float
    limits: Limits
    n_generated: float
    n_reference: float
    ndf: int
    chi2: Chi2Result
    separation: Separation
    lower: float
    upper: float
    local: LocalBias
    sparse: bool
    observables: int
    per_event: float
    used: tuple[float, float]
    correlated: bool

    @cached_property
    def allowed(self) -> float:
        """E, the largest allowed n_required Δ."""
        return allowed_excess(self.ndf, self.limits.confidence, self.limits.max_bias)

    @cached_property
    def critical(self) -> float:
        """The critical value of χ²_req."""
        return chi2_critical(self.ndf, self.limits.confidence)

    @property
    def boundary(self) -> float:
        """The Δ that separates ROBUST from BIASED."""
        return self.allowed / (self.n_required * self.per_event)

    @cached_property
    def power(self) -> float:
        """Probability that a perfect generator is shown ROBUST with these sample sizes."""
        noncentrality = boundary_noncentrality(self.n_required, self.allowed, self.n_generated, self.n_reference)
        free = self.free
        return power(self.ndf * free, noncentrality * free, self.limits.confidence)

    @property
    def free(self) -> float:
        """Degrees of freedom of T over ndf where entries of an event make bins correlated; else 1, as planned."""
        return self.separation.nu / self.ndf if self.correlated else 1.0

    @cached_property
    def p_robust(self) -> float:
        """p-value of the boundary against agreement."""
        return self.separation.lower_tail(self.boundary)

    @cached_property
    def p_biased(self) -> float:
        """p-value of the boundary against disagreement, local or global."""
        return min(self.separation.upper_tail(self.boundary), self.local.p_value)

    @cached_property
    def too_good(self) -> bool:
        """Whether the samples agree better than independent samples can."""
        return float(special.chdtr(self.chi2.ndf, self.chi2.chi2)) < TOO_GOOD

    @property
    def admissible(self) -> bool:
        """Whether these samples can demonstrate anything: enough events, and independent ones."""
        return not (self.sparse or self.too_good)

    def verdict(self) -> Verdict:
        """Decide."""
        if not self.admissible:
            return Verdict.UNPROVEN
        if self.n_required * self.lower > self.allowed or self.local.p_value < self.limits.alpha:
            return Verdict.BIASED
        if self.n_required * self.upper <= self.allowed and self.power >= self.limits.min_power:
            return Verdict.ROBUST
        return Verdict.UNPROVEN

    def events_needed(self) -> tuple[float, float]:
        """Return (reference, generated) events of the whole samples with which a perfect generator passes with 90 %.

        All observables together: the probability to fail is shared out evenly, as by the planner.
        """
        limits = (self.limits.confidence, self.limits.max_bias)
        each = power_of_each(WANTED_POWER, self.observables)

        def reference_for(n_generated: float) -> float:
            return reference_needed(self.n_required, self.ndf, each, n_generated, limits, self.free)

        needed, n_generated = events_needed(reference_for, self.n_required, self.n_generated)
        return math.ceil(needed / self.used[1]), math.ceil(n_generated / self.used[0])


def assess(
    generated: Fractions,
    reference: Fractions,
    n_required: float,
    limits: Limits,
    chi2: Chi2Result,
    *,
    sparse: bool = False,
    observables: int = 1,
    per_event: float = 1.0,
    used: tuple[float, float] = (1.0, 1.0),
) -> Assessment:
    """Compute all that decides a verdict.

    Args:
        generated: Shape (bins,), at least two bins, q + p > 0 in each.
        reference: The same bins.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        chi2: The classical test of the same bins.
        sparse: Whether the samples are too small for two bins of min_expected events.
        observables: How many must pass together.
        per_event: Independent entries that an event is worth; 1 if each event has one entry.
        used: Shares of the generated and of the reference events that are compared.
    """
    contents = generated.q + reference.q
    result = separation(generated, reference)
    return Assessment(
        n_required=n_required,
        limits=limits,
        n_generated=generated.effective_size(contents) / per_event,
        n_reference=reference.effective_size(contents) / per_event,
        ndf=generated.q.size - 1,
        chi2=chi2,
        separation=result,
        lower=result.lower_limit(limits.alpha) * per_event,
        upper=result.upper_limit(limits.alpha) * per_event,
        local=local_bias(generated, reference, n_required * per_event, limits.max_local_bias, limits.alpha),
        sparse=sparse,
        observables=observables,
        per_event=per_event,
        used=used,
        correlated=generated.joint is not None or reference.joint is not None,
    )

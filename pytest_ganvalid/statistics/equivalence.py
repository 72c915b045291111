"""Do two numbers agree within the error bar of n_required events? Two one-sided tests.

In units of that error bar, d = |θ_g - θ_r| / σ_req, its standard error S, and t a quantile at the confidence level:

- ROBUST if d + t S <= max_bias and the power is at least min_power (Schuirmann 1987, doi:10.1007/BF01068419);
- BIASED if d is too large for any true bias up to max_bias, of either sign;
- UNPROVEN otherwise, and whenever the two numbers are one and the same.

Errors are estimated too, and from few jackknife groups or bootstrap replicas they are uncertain. If σ_req is scaled
from the reference's error with ν degrees of freedom, d / S follows a non-central t distribution, for which the normal
approximation of Abramowitz and Stegun, 26.7.10, is used: S² has an additional d²/(2ν), and d shrinks by 1 - 1/(4ν).
With very many events it would otherwise be the noise of σ_req alone that decides. What is left of the uncertainty of
the errors makes t a quantile of Student's distribution, after Welch (1947) and Satterthwaite (1946).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from scipy.optimize import brentq

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.results import Estimate, Interval, Verdict
from pytest_ganvalid.statistics import student
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.planning import (
    equivalence_power,
    equivalence_width,
    events_needed,
    power_of_each,
    reference_partner,
)
from pytest_ganvalid.statistics.robustness import WANTED_POWER


@dataclass(frozen=True)
class Equivalence:
    """All that decides a verdict on two estimates; biases and errors in units of the error bar of n_required events.

    Attributes:
        n_required: Number of true events to stand in for.
        limits: What counts as agreement; those of single bins do not matter.
        generated: The estimate from generated events.
        reference: The estimate from reference events.
        required_error: The standard error of n_required unweighted true events, in the unit of the estimates.
        scaled: Whether that was scaled from the error of the reference; otherwise it is known exactly.
        observables: How many must pass together; only the advice depends on it.
        used: Shares of the generated and of the reference events that are compared; only the advice depends on them.
    """

    n_required: float
    limits: Limits
    generated: Estimate
    reference: Estimate
    required_error: float
    scaled: bool
    observables: int
    used: tuple[float, float]

    @property
    def difference(self) -> float:
        """Generated minus reference."""
        return self.generated.value - self.reference.value

    @property
    def blur(self) -> float:
        """Relative variance of ``required_error``."""
        return 1 / (2 * self.reference.dof) if self.scaled else 0.0

    @property
    def distance(self) -> float:
        """The bias as measured."""
        return abs(self.difference) / self.required_error

    @property
    def centre(self) -> float:
        """The bias, freed of what dividing by an uncertain error adds to it on average."""
        return (1 - self.blur / 2) * self.distance

    @property
    def width(self) -> float:
        """Standard error of the difference."""
        return math.hypot(self.generated.error, self.reference.error) / self.required_error

    @property
    def spread(self) -> float:
        """Standard error of the bias: that of the difference and that of its unit."""
        return math.hypot(self.width, math.sqrt(self.blur) * self.distance)

    @cached_property
    def dof(self) -> float:
        """Degrees of freedom of `width`.

        A unit scaled from the reference has its noise in common with the reference's error, which cancels; that of the
        generated sample's error does not.
        """
        total = math.hypot(self.generated.error, self.reference.error)
        ours, theirs = (self.generated.error / total) ** 4, (self.reference.error / total) ** 4
        variance = ours / self.generated.dof + (ours if self.scaled else theirs) / self.reference.dof
        return 1 / variance if variance > 0 else math.inf

    def p_agreement(self, bias: float) -> float:
        """p-value of a true bias of ``bias`` or more, of either sign: the larger of the two tests'."""
        return student.cdf((self.centre - bias) / self.spread, self.dof)

    def p_disagreement(self, bias: float) -> float:
        """p-value of a true bias of at most ``bias``; an estimate may be off to either side."""
        same, other = ((side * bias - self.centre) / self.spread for side in (1, -1))
        return student.cdf(same, self.dof) + student.cdf(other, self.dof)

    @cached_property
    def upper(self) -> float:
        """Upper confidence limit of the bias: the least that `p_agreement` excludes."""
        return self.centre + student.ppf(self.limits.confidence, self.dof) * self.spread

    @cached_property
    def lower(self) -> float:
        """Lower confidence limit of the bias: the largest that `p_disagreement` excludes, or 0."""
        if self.p_disagreement(0.0) >= self.limits.alpha:
            return 0.0
        return float(brentq(lambda bias: self.p_disagreement(bias) - self.limits.alpha, 0.0, self.centre))

    @property
    def bias(self) -> Interval:
        """The bias with its limits."""
        return Interval(lower=self.lower, estimate=self.centre, upper=self.upper)

    @property
    def p_robust(self) -> float:
        """p-value of the boundary against agreement."""
        return self.p_agreement(self.limits.max_bias)

    @property
    def p_biased(self) -> float:
        """p-value of the boundary against disagreement."""
        return self.p_disagreement(self.limits.max_bias)

    @cached_property
    def power(self) -> float:
        """Probability that a perfect generator is shown ROBUST with these errors."""
        return equivalence_power(self.width, self.limits.confidence, self.limits.max_bias, self.dof, self.blur)

    @property
    def admissible(self) -> bool:
        """Whether these are two numbers: equal in value and error they are one sample's."""
        return (self.generated.value, self.generated.error) != (self.reference.value, self.reference.error)

    @property
    def n_supported(self) -> float:
        """Largest n_required that is demonstrated; 0 if none."""
        return self.n_required * (self.limits.max_bias / self.upper) ** 2 if self.admissible else 0.0

    def verdict(self) -> Verdict:
        """Decide."""
        if not self.admissible:
            return Verdict.UNPROVEN
        if self.p_biased < self.limits.alpha:
            return Verdict.BIASED
        if self.upper <= self.limits.max_bias and self.power >= self.limits.min_power:
            return Verdict.ROBUST
        return Verdict.UNPROVEN

    def _worth(self, side: Estimate) -> float:
        """Unweighted true events that have the same error."""
        return self.n_required * (self.required_error / side.error) ** 2

    @property
    def n_generated(self) -> float:
        """Effective generated events."""
        return self.generated.n_events or self._worth(self.generated)

    @property
    def n_reference(self) -> float:
        """Effective reference events."""
        return self.reference.n_events or self._worth(self.reference)

    def events_needed(self) -> tuple[float, float]:
        """Return (reference, generated) events of the whole samples with which a perfect generator passes with 90 %.

        All observables together: the probability to fail is shared out evenly, as by the planner.
        """
        each = power_of_each(WANTED_POWER, self.observables)
        width = equivalence_width(each, self.limits.confidence, self.limits.max_bias, self.dof, self.blur)
        size, worth = self.n_required / width**2, self._worth(self.generated)
        needed, generated = events_needed(lambda n: reference_partner(size, n), self.n_required, worth)
        per_true_reference = self.n_reference / self._worth(self.reference)
        return (
            math.ceil(needed * per_true_reference / self.used[1]),
            math.ceil(generated * (self.n_generated / worth) / self.used[0]),
        )


def equivalence(
    generated: Estimate,
    reference: Estimate,
    n_required: float,
    limits: Limits,
    *,
    required_error: float | None = None,
    observables: int = 1,
    used: tuple[float, float] = (1.0, 1.0),
) -> Equivalence:
    """Compute all that decides a verdict on two estimates of one number.

    Args:
        generated: From generated events.
        reference: From true events; their number is needed unless ``required_error`` is given.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        required_error: The standard error of n_required true events; ``None`` scales that of the reference with the
            number of its events.
        observables: How many must pass together.
        used: Shares of the generated and of the reference events that are compared.

    Raises:
        InputError: If neither ``required_error`` nor the number of reference events is known, or the numbers are too
            far apart for arithmetic.
    """
    scaled = required_error is None
    if required_error is None:
        if reference.n_events is None:
            msg = (
                "the reference has no n_events, so the error bar of n_required events is not known; give the effective "
                "number of its events, (value, error, n_events), or required_error"
            )
            raise InputError(msg)
        required_error = reference.error * math.sqrt(reference.n_events / n_required)
    found = Equivalence(n_required, limits, generated, reference, required_error, scaled, observables, used)
    if not (0 < found.width < math.inf and found.distance < math.inf):
        msg = (
            f"{generated.value:g} ± {generated.error:g} and {reference.value:g} ± {reference.error:g} cannot be "
            "compared in floating point; choose another unit"
        )
        raise InputError(msg)
    return found

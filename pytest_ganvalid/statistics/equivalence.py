"""Do two numbers agree within the error bar of n_required events? Two one-sided tests.

In units of that error bar, d = |θ_g - θ_r| / σ_req, its standard error S, and t a quantile at the confidence level:

- ROBUST if d + t S <= max_bias (Schuirmann 1987, doi:10.1007/BF01068419);
- BIASED if d is too large for any true bias up to max_bias, of either sign;
- UNPROVEN otherwise, and whenever the two numbers are one and the same.

ROBUST also takes errors that can be relied on. Few degrees of freedom mean that a few events carry the error, as an
outlier does, which then excuses any difference; and the errors that one event would have, error sqrt(n_events), must
be those of one distribution to within a factor of two, or at least to within what their degrees of freedom allow. Too
large errors demonstrate no disagreement, so that BIASED stands.

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

from scipy import special

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
from pytest_ganvalid.statistics.robustness import TARGET_POWER
from pytest_ganvalid.statistics.roots import brentq

MIN_DOF = 10.0
"""Degrees of freedom of an error below which it demonstrates no agreement."""
MAX_ERROR_RATIO = 2.0
"""Ratio of the errors of one event of either sample up to which they are not questioned."""
_ERROR_RATIO_ALPHA = 1e-4
_TOO_CLOSE = 1.2533e-4  # standard errors: chance brings two numbers closer in one of 10,000 cases
_SHARE_TOLERANCE = 0.05
_MAX_DOF = 1e10  # degrees of freedom; not every scipy takes infinity
_MAX_RANGE = 1e15  # ratio of errors; the events that they are worth go with its square
_MAX_DISTANCE = 1e100


@dataclass(frozen=True, slots=True)
class Difference:
    """The error of the difference of two estimates that depend on each other.

    Attributes:
        error: Standard error of the difference.
        dof: Degrees of freedom of ``error``.
        max_n_required: The largest n_required that the clusters of both sides admit.
    """

    error: float
    dof: float
    max_n_required: float


@dataclass(frozen=True)
class Equivalence:
    """All that decides a verdict on two estimates; biases and errors in units of the error bar of n_required events.

    Attributes:
        n_required: Number of true events to stand in for.
        limits: What counts as agreement; those of single bins do not matter.
        generated: The estimate from generated events.
        reference: The estimate from reference events.
        required_error: The standard error of n_required unweighted true events, in the unit of the estimates.
        scaled: Whether ``required_error`` was scaled from the error of the reference; otherwise it is known exactly.
        observables: Number of observables that must pass together; only the advice depends on it.
        used: Shares of the generated and of the reference events that are compared; only the advice depends on them.
        joint: The error of the difference, where the samples are not independent.
        unit: What ``required_error`` is in words, if it is not the standard error of n_required events.
        unit_events: The true events that have it as their standard error; ``None`` for n_required.
    """

    n_required: float
    limits: Limits
    generated: Estimate
    reference: Estimate
    required_error: float
    scaled: bool
    observables: int
    used: tuple[float, float]
    joint: Difference | None = None
    unit: str = ""
    unit_events: float | None = None

    @property
    def events(self) -> float:
        """True events whose standard error is ``required_error``."""
        return self.n_required if self.unit_events is None else self.unit_events

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
        if self.joint is not None:
            return self.joint.error / self.required_error
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
        if self.joint is not None:
            return self.joint.dof
        total = math.hypot(self.generated.error, self.reference.error)
        gen, ref = (self.generated.error / total) ** 4, (self.reference.error / total) ** 4
        variance = gen / self.generated.dof + (gen if self.scaled else ref) / self.reference.dof
        return 1 / variance if variance > 0 else math.inf

    def p_agreement(self, bias: float) -> float:
        """p-value of a true bias of ``bias`` or more, of either sign: the larger of the two tests'."""
        return student.cdf((self.centre - bias) / self.spread, self.dof)

    def p_disagreement(self, bias: float) -> float:
        """p-value of a true bias of at most ``bias``; an estimate may be off to either side."""
        z_same, z_opposite = ((side * bias - self.centre) / self.spread for side in (1, -1))
        return student.cdf(z_same, self.dof) + student.cdf(z_opposite, self.dof)

    @cached_property
    def upper(self) -> float:
        """Upper confidence limit of the bias: the least that `p_agreement` excludes."""
        return self._upper_at(self.limits.alpha)

    @property
    def upper_nominal(self) -> float:
        """The upper confidence limit that a first and only attempt would have."""
        return self._upper_at(self.limits.alpha_nominal)

    def _upper_at(self, alpha: float) -> float:
        return self.centre + student.ppf(1 - alpha, self.dof) * self.spread

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
        if self.n_required > self.max_n_required:
            return 0.0
        return equivalence_power(self.width, 1 - self.limits.alpha, self.limits.max_bias, self.dof, self.blur)

    @property
    def identical(self) -> bool:
        """Whether both estimates are one number: equal in value and error they are those of one sample."""
        return (self.generated.value, self.generated.error) == (self.reference.value, self.reference.error)

    @property
    def too_close(self) -> bool:
        """Whether the numbers are closer than independent ones ever are; shares of events may be equal by chance."""
        if self.difference == 0 and _is_share(self.generated) and _is_share(self.reference):
            return False
        return self.width * _TOO_CLOSE >= self.distance

    @property
    def uncertain(self) -> tuple[str, ...]:
        """The sides on which a few events carry the error."""
        sides = {"generated": self.generated, "reference": self.reference}
        return tuple(side for side, estimate in sides.items() if estimate.dof < MIN_DOF)

    @cached_property
    def error_ratio(self) -> float:
        """Ratio of the errors of one event, generated over reference, if chance does not explain it; else 1.

        Estimates without a number of events are not questioned.
        """
        if self.generated.n_events is None or self.reference.n_events is None:
            return 1.0
        gen, ref = (e.error * math.sqrt(e.n_events or 1) for e in (self.generated, self.reference))
        larger, smaller = sorted([(gen, self.generated.dof), (ref, self.reference.dof)], reverse=True)
        ratio = larger[0] / smaller[0]
        p_value = 2 * float(special.fdtrc(min(larger[1], _MAX_DOF), min(smaller[1], _MAX_DOF), ratio**2))
        return gen / ref if ratio > MAX_ERROR_RATIO and p_value < _ERROR_RATIO_ALPHA else 1.0

    @property
    def admissible(self) -> bool:
        """Whether two numbers, with errors that can be relied on, could demonstrate agreement."""
        return not (self.identical or self.too_close or self.uncertain or self.error_ratio != 1)

    @property
    def n_supported(self) -> float:
        """Largest n_required that is demonstrated; 0 if none."""
        supported = self.n_required * (self.limits.max_bias / self.upper) ** 2 if self.admissible else 0.0
        return min(supported, self.max_n_required)

    @property
    def max_n_required(self) -> float:
        """The largest n_required that clusters across both sides admit."""
        return math.inf if self.joint is None else self.joint.max_n_required

    def verdict(self) -> Verdict:
        """Decide."""
        if self.identical or self.too_close:
            return Verdict.UNPROVEN
        if self.p_biased < self.limits.alpha:
            return Verdict.BIASED
        if self.admissible and self.upper <= self.limits.max_bias and self.n_required <= self.max_n_required:
            return Verdict.ROBUST
        return Verdict.UNPROVEN

    def _equivalent_events(self, side: Estimate) -> float:
        """Unweighted true events that have the same error."""
        return self.events * (self.required_error / side.error) ** 2

    @property
    def n_generated(self) -> float:
        """Effective generated events."""
        return self.generated.n_events or self._equivalent_events(self.generated)

    @property
    def n_reference(self) -> float:
        """Effective reference events."""
        return self.reference.n_events or self._equivalent_events(self.reference)

    def events_needed(self) -> tuple[float, float]:
        """Return (reference, generated) events of the whole samples with which a perfect generator passes with 90 %.

        All observables together: the probability to fail is shared out evenly, as by the planner.
        """
        power = power_of_each(TARGET_POWER, self.observables)
        width = equivalence_width(power, 1 - self.limits.alpha, self.limits.max_bias, self.dof, self.blur)
        if self.joint is not None:
            factor = max((self.width / width) ** 2, self.n_required / self.max_n_required)
            sizes = self.n_reference * factor / self.used[1], self.n_generated * factor / self.used[0]
            return math.ceil(sizes[0]), math.ceil(sizes[1])
        size, equivalent = self.events / width**2, self._equivalent_events(self.generated)
        reference, generated = events_needed(lambda n: reference_partner(size, n), self.events, equivalent)
        per_true_reference = self.n_reference / self._equivalent_events(self.reference)
        return (
            math.ceil(reference * per_true_reference / self.used[1]),
            math.ceil(generated * (self.n_generated / equivalent) / self.used[0]),
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
    joint: Difference | None = None,
) -> Equivalence:
    """Compute all that decides a verdict on two estimates of one number.

    Args:
        generated: From generated events.
        reference: From true events; their number is needed unless ``required_error`` is given.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        required_error: The standard error of n_required true events; ``None`` scales that of the reference with the
            number of its events.
        observables: Number of observables that must pass together.
        used: Shares of the generated and of the reference events that are compared.
        joint: The error of the difference of both estimates; ``None`` if the samples are independent.

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
    _check_range(generated, reference, required_error)
    return Equivalence(n_required, limits, generated, reference, required_error, scaled, observables, used, joint)


def _check_range(generated: Estimate, reference: Estimate, required_error: float) -> None:
    """Check that arithmetic can handle the numbers."""
    errors = sorted([generated.error, reference.error, required_error])
    pair = f"{generated.value:g} ± {generated.error:g} and {reference.value:g} ± {reference.error:g}"
    # In products: ratios of the smallest numbers there are would overflow.
    if errors[0] * _MAX_RANGE < errors[-1]:
        msg = (
            f"{pair} cannot be compared: the errors, and that of n_required events ({required_error:g}), differ by "
            f"more than a factor of {_MAX_RANGE:g}; is one of them mistaken?"
        )
        raise InputError(msg)
    distance = abs(generated.value - reference.value)
    if math.isinf(math.hypot(*errors)) or not distance < math.inf or distance > errors[0] * _MAX_DISTANCE:
        msg = f"{pair} cannot be compared in floating point; choose another unit, or mend the errors"
        raise InputError(msg)


def _is_share(estimate: Estimate) -> bool:
    """Tell whether an estimate has the error of a share of events, as of an efficiency."""
    if estimate.n_events is None or not 0 <= estimate.value <= 1:
        return False
    share = (estimate.value * estimate.n_events + 1) / (estimate.n_events + 2)
    return abs(estimate.error * estimate.error * estimate.n_events / (share * (1 - share)) - 1) < _SHARE_TOLERANCE

"""How many events it takes to demonstrate agreement."""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import special
from scipy.optimize import brentq

from pytest_ganvalid._arguments import check_event_count, check_fraction, check_positive, check_positive_integer
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.results import Plan
from pytest_ganvalid.statistics import noncentral

_LADDER = (0.5, 0.8, 0.9, 0.95, 0.99)
_CERTAIN_FROM = 1e6


def chi2_critical(ndf: int, confidence: float) -> float:
    """Return the quantile of the χ² distribution with ``ndf`` degrees of freedom."""
    return float(special.chdtri(ndf, 1 - confidence))


def allowed_excess(ndf: int, confidence: float, max_bias: float) -> float:
    """Return E, the largest allowed n_required Δ.

    A χ² test at n_required is still expected to pass, and the rms bias is at most ``max_bias``.

    Raises:
        InputError: If the critical value is below the mean of χ², as for one degree of freedom up to confidence 0.683.
    """
    excess = chi2_critical(ndf, confidence) - ndf
    if excess <= 0:
        msg = (
            f"at confidence={confidence:g} the critical χ² of {ndf} degrees of freedom is below its mean, so no bias "
            "could be allowed; raise the confidence (0.7 is enough for any number of bins)"
        )
        raise InputError(msg)
    return min(excess, max_bias**2 * ndf / 2)


def boundary_noncentrality(n_required: float, excess: float, n_generated: float, n_reference: float) -> float:
    """Return 2 n_h E / n_required, n_h = n_g n_r / (n_g + n_r): of a χ² test of a generator on the boundary."""
    n_h = n_generated * n_reference / (n_generated + n_reference)
    return 2 * n_h * excess / n_required


def power_of_each(joint: float, observables: int) -> float:
    """Return the power of each observable that makes all pass with probability ``joint``, however correlated."""
    return 1 - (1 - joint) / observables


def power(ndf: int, noncentrality: float, confidence: float) -> float:
    """Return the probability that a perfect generator is shown ROBUST.

    Args:
        ndf: Bins - 1.
        noncentrality: Of a generator on the boundary (see `boundary_noncentrality`).
        confidence: Confidence level of the upper limit.
    """
    if noncentrality > max(_CERTAIN_FROM, 10 * ndf):
        return 1.0
    return float(special.chdtr(ndf, noncentral.ppf(1 - confidence, ndf, noncentrality)))


@functools.lru_cache(maxsize=256)
def required_noncentrality(ndf: int, target: float, confidence: float) -> float:
    """Return the noncentrality at which `power` reaches ``target``."""
    upper = 10 + 10 * math.sqrt(ndf)
    while power(ndf, upper, confidence) < target:
        upper *= 2
    return float(brentq(lambda x: power(ndf, x, confidence) - target, 0.0, upper, rtol=1e-10))


def reference_needed(
    n_required: float, ndf: int, target: float, n_generated: float, limits: tuple[float, float]
) -> float:
    """Return the reference events with which a perfect generator reaches the power ``target``.

    Args:
        n_required: Number of true events to stand in for.
        ndf: Bins - 1.
        target: The power, of one observable.
        n_generated: Effective generated events; may be infinite.
        limits: (confidence, max_bias).

    Returns:
        The number of events; ``inf`` if no reference suffices with this few generated events.
    """
    confidence, max_bias = limits
    excess = allowed_excess(ndf, confidence, max_bias)
    n_h = required_noncentrality(ndf, target, confidence) * n_required / (2 * excess)
    return n_h / (1 - n_h / n_generated) if n_generated > n_h else math.inf


def plan(
    n_required: float,
    *,
    bins: int,
    observables: int = 1,
    generated_ratio: float = 10,
    power: float = 0.9,
    confidence: float = 0.95,
    max_bias: float = 1.0,
) -> Plan:
    """Plan the sizes of the reference and generated samples.

    With several observables the power is that of all of them together, whatever their correlation: the
    probability to fail is shared out evenly (Bonferroni).

    Args:
        n_required: Number of true events the generated sample is to stand in for.
        bins: Bins per observable, at least 2.
        observables: Number of observables that must all be ROBUST.
        generated_ratio: Generated events per required event.
        power: Wanted probability that a perfect generator is shown ROBUST, between 0 and 1.
        confidence: Confidence level of each one-sided limit, between 0.5 and 1.
        max_bias: Limit on the rms bias in error bars of n_required events.

    Returns:
        The sample sizes and a table of alternatives.

    Raises:
        InputError: If an argument is out of range, or no reference reaches the power with so few generated events.
    """
    n_required = check_event_count("n_required", n_required)
    bins = check_positive_integer("bins", bins, least=2)
    observables = check_positive_integer("observables", observables)
    generated_ratio = check_positive("generated_ratio", generated_ratio)
    max_bias = float(check_positive("max_bias", max_bias))
    confidence = float(check_fraction("confidence", confidence, least=0.5))
    # Below 1 - confidence even a generator on the boundary passes, and no size can be wanted.
    power = float(check_fraction("power", power, least=1 - confidence))
    n_generated = math.ceil(generated_ratio * n_required)
    ndf, limits = bins - 1, (confidence, max_bias)

    def sizes(target: float) -> float:
        return reference_needed(n_required, ndf, power_of_each(target, observables), n_generated, limits)

    n_reference = sizes(power)
    if math.isinf(n_reference):
        msg = (
            f"no reference is large enough for power {power:g} with {n_generated:,} generated events "
            f"(generated_ratio={generated_ratio:g}); raise generated_ratio"
        )
        raise InputError(msg)
    reached = _joint_power(n_required, ndf, observables, n_generated, math.ceil(n_reference), limits)
    ladder = sorted({*_LADDER, power})
    rows = tuple((p, math.ceil(n), math.ceil(n) / n_required) for p in ladder if math.isfinite(n := sizes(p)))
    return Plan(
        n_required=n_required,
        n_reference=math.ceil(n_reference),
        n_generated=n_generated,
        power=reached,
        bins=bins,
        observables=observables,
        confidence=confidence,
        max_bias=max_bias,
        rows=rows,
    )


def _joint_power(
    n_required: float, ndf: int, observables: int, n_generated: float, n_reference: float, limits: tuple[float, float]
) -> float:
    """Lower bound of the probability that all observables are shown ROBUST."""
    confidence, max_bias = limits
    excess = allowed_excess(ndf, confidence, max_bias)
    noncentrality = boundary_noncentrality(n_required, excess, n_generated, n_reference)
    return float(np.clip(1 - observables * (1 - power(ndf, noncentrality, confidence)), 0.0, 1.0))

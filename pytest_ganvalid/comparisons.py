"""From the statistics of one pair, of histograms or of numbers, to its frozen result."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.merging import Merged
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import BinBias, BinContents, Comparison, EstimateComparison, Interval
from pytest_ganvalid.statistics import reasons
from pytest_ganvalid.statistics.equivalence import Equivalence
from pytest_ganvalid.statistics.robustness import Assessment
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
_WORST = 5


def histogram_comparison(
    a: Assessment, merged: Merged, given: BinSums, n_train: float | None, name: str, share: float = 1.0
) -> Comparison:
    """Put together what a user gets to see.

    Args:
        a: All that decides.
        merged: The histograms as compared.
        given: Either histogram as given.
        n_train: Number of events the generator was trained on, if known.
        name: Name of the observable.
        share: Fraction of the check's n_required that is ``a.n_required``.
    """
    worst = _worst_bins(a, merged, given)
    delta = _interval(a)
    ndf, limits = a.ndf, a.limits
    n_reference_needed, n_generated_needed = a.events_needed()
    return Comparison(
        name=name,
        verdict=a.verdict(),
        reasons=reasons.reasons(a, worst),
        n_required=a.n_required,
        n_train=n_train,
        n_generated=a.n_generated,
        n_reference=a.n_reference,
        bins=ndf + 1,
        merged_bins=max(merged.populated - ndf - 1, 0),
        ndf=ndf,
        chi2=a.chi2.chi2,
        p_value=a.chi2.p_value,
        separation=_map(delta, lambda d: d / (2 * a.per_event)),
        chi2_required=_map(delta, lambda d: ndf + a.n_required * d),
        chi2_critical=a.critical,
        rms_bias=_map(delta, lambda d: math.sqrt(2 * a.n_required * d / ndf)),
        n_equivalent=Interval(
            lower=_ratio(ndf / 2, delta.upper),
            estimate=_ratio(ndf / 2, delta.estimate),
            upper=_ratio(ndf / 2, delta.lower),
        ),
        n_supported=_ratio(a.allowed, delta.upper) if a.admissible else 0.0,
        power=a.power,
        n_reference_needed=n_reference_needed,
        n_generated_needed=n_generated_needed,
        p_robust=a.p_robust,
        p_biased=a.p_biased,
        worst_bin=worst[0].index,
        worst_bins=worst,
        contents=_contents(a, merged),
        confidence=limits.confidence,
        max_bias=limits.max_bias,
        max_local_bias=limits.max_local_bias,
        min_power=limits.min_power,
        min_expected=limits.min_expected,
        share=share,
    )


def estimate_comparison(e: Equivalence, n_train: float | None, name: str, share: float = 1.0) -> EstimateComparison:
    """Put together what a user gets to see.

    Args:
        e: All that decides.
        n_train: Number of events the generator was trained on, if known.
        name: Name of the observable.
        share: Fraction of the check's n_required that these estimates have to stand in for.
    """
    bias = e.bias
    n_reference_needed, n_generated_needed = e.events_needed()
    return EstimateComparison(
        name=name,
        verdict=e.verdict(),
        reasons=reasons.estimate_reasons(e),
        n_required=e.n_required,
        n_train=n_train,
        n_generated=e.n_generated,
        n_reference=e.n_reference,
        generated=e.generated,
        reference=e.reference,
        required_error=e.required_error,
        difference=e.difference,
        bias=bias,
        n_equivalent=Interval(
            lower=_worth(e.n_required, bias.upper),
            estimate=_worth(e.n_required, bias.estimate),
            upper=_worth(e.n_required, bias.lower),
        ),
        n_supported=e.n_supported,
        power=e.power,
        n_reference_needed=n_reference_needed,
        n_generated_needed=n_generated_needed,
        p_robust=e.p_robust,
        p_biased=e.p_biased,
        confidence=e.limits.confidence,
        max_bias=e.limits.max_bias,
        min_power=e.limits.min_power,
        share=share,
    )


def _interval(a: Assessment) -> Interval:
    """The interval of Δ per event; the estimate, which may be negative, is brought into it."""
    estimate = a.separation.estimate * a.per_event
    return Interval(lower=a.lower, estimate=min(max(estimate, a.lower), a.upper), upper=a.upper)


def _map(interval: Interval, function: Callable[[float], float]) -> Interval:
    return Interval(
        lower=function(interval.lower), estimate=function(interval.estimate), upper=function(interval.upper)
    )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.inf


def _worst_bins(a: Assessment, merged: Merged, given: BinSums) -> tuple[BinBias, ...]:
    order = np.argsort(-np.abs(a.local.bias), kind="stable")[:_WORST]
    return tuple(
        BinBias(
            index=int(merged.groups[i].min()),
            label=given.bins.label(int(merged.groups[i, 0]), int(merged.groups[i, 1])),
            bias=float(a.local.bias[i]),
            lower=float(a.local.lower[i]),
        )
        for i in order
    )


def _contents(a: Assessment, merged: Merged) -> BinContents:
    generated, reference = merged.generated, merged.reference
    return BinContents(
        generated=_floats(generated.sumw / generated.total),
        generated_errors=_floats(_errors(generated)),
        reference=_floats(reference.sumw / reference.total),
        reference_errors=_floats(_errors(reference)),
        bias=_floats(a.local.bias),
    )


def _errors(sums: BinSums) -> FloatArray:
    """Standard errors of the fractions: of independent entries those of their sums, which physicists plot."""
    if sums.products is None:
        return np.sqrt(sums.sumw2) / sums.total
    return np.sqrt(Fractions.from_sums(sums.sumw, sums.sumw2, sums.products).variance)


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _worth(n_required: float, bias: float) -> float:
    """Return the events whose error bars are as large as a bias, given in error bars of n_required events."""
    return n_required / bias / bias if bias > 0 else math.inf

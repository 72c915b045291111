"""Why a verdict is what it is, and what would change it, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_ganvalid.histograms.merging import CELL_GENERATED, CELL_REFERENCE, CELL_REQUIRED
from pytest_ganvalid.results import BinBias, Estimate, Verdict, at_most
from pytest_ganvalid.statistics.clusters import MAX_PER_CLUSTER, MIN_CLUSTERS
from pytest_ganvalid.statistics.equivalence import MIN_DOF, Equivalence
from pytest_ganvalid.statistics.robustness import TARGET_POWER, Assessment, Resolution

TOO_GOOD = 1e-3
"""Probability, of all histograms together, below which two samples are not independent."""
DEMONSTRATED = "a disagreement is demonstrated"
"""How the sentence begins that names the test; sentences before it give a likely cause."""
TOO_FEW = "too few"
"""How the reasons that more events remove begin, where no n_required is supported."""
_MIN_P, _MAX_P = 1e-300, 0.9
_MAX_DECIMALS = 8
_LARGEST = 1e8
_ROUNDED_FROM = 1000  # events, above which fractions are not shown
_MIN_SIGNIFICANCE = 3.0  # standard errors above which a component is put into words
_WORDS = {
    "location": ("shifted up", "shifted down"),
    "scale": ("too wide", "too narrow"),
    "skewness": ("skewed up", "skewed down"),
    "kurtosis": ("too heavy in the tails", "too light in the tails"),
}


def count(number: float) -> str:
    """Format a number of events."""
    return "∞" if math.isinf(number) else f"{number:,.0f}"


def rounded(number: float, digits: int = 3) -> str:
    """Format a number to a few digits."""
    return "∞" if math.isinf(number) else f"{number:.{digits}g}"


def percent(fraction: float) -> str:
    """Format a probability without rounding it to certainty."""
    text = f"{100 * fraction:.4g}"
    return "above 99.99 %" if text == "100" and fraction < 1 else f"{text} %"


def measured(estimate: Estimate) -> str:
    """Format a number with its standard error, both to the second digit of the error."""
    decimals = 1 - math.floor(math.log10(estimate.error))
    if 0 <= decimals <= _MAX_DECIMALS and abs(estimate.value) < _LARGEST:
        return f"{estimate.value:.{decimals}f} ± {estimate.error:.{decimals}f}"
    return f"{estimate.value:.8g} ± {estimate.error:.2g}"


def in_words(shape: Sequence[tuple[str, float, float]]) -> list[str]:
    """Describe the significant smooth components of a difference.

    Args:
        shape: Name, bias and standard error of the first smooth components, in error bars of n_required events.
    """
    return [
        f"{_WORDS[name][bias < 0]} by {abs(bias):.1f} error bars"
        for name, bias, error in shape
        if abs(bias) > _MIN_SIGNIFICANCE * error
    ]


def reasons(assessment: Assessment, worst: tuple[BinBias, ...]) -> tuple[str, ...]:
    """Explain the verdict of an assessment."""
    verdict = assessment.verdict()
    if verdict is Verdict.ROBUST:
        return (_robust(assessment),)
    if verdict is Verdict.BIASED:
        return (*_biased(assessment, worst), _improve(assessment))
    return _unproven(assessment)


def too_good(p_agreement: Sequence[float]) -> str:
    """Return a reason if histograms together agree better than independent samples can, else an empty string.

    Combined are min(p, 0.9) by the Cauchy combination test (Liu & Xie, JASA 115 (2020) 393), which allows for
    correlation; without the cap one biased histogram, p ≈ 1, would hide every copy.

    Args:
        p_agreement: P(T' <= T | 0) of every histogram.
    """
    if not p_agreement:
        return ""
    capped = [min(max(p, _MIN_P), _MAX_P) for p in p_agreement]
    mean = math.fsum(1 / math.tan(math.pi * p) for p in capped) / len(capped)
    p_value = math.atan2(1, mean) / math.pi
    if p_value >= TOO_GOOD:
        return ""
    return (
        f"agreement too good for independent samples (p = {p_value:.1g}, below {TOO_GOOD:g}): do they share events? "
        "compare with a reference that neither the generator nor its training has seen"
    )


def _robust(a: Assessment) -> str:
    statements = "; ".join(f"in {_name(test)} {_size_clause(a, test, test.upper, 'most')}" for test in a.tests)
    return (
        f"agreement at n_required {count(a.n_required)} is demonstrated at {percent(1 - a.limits.alpha)} confidence"
        f"{_discordant_clause(a)}: {statements}; no number linear in the bin contents is off by more than "
        f"{_directional(a):.3g} error bars"
    )


def _biased(a: Assessment, worst: tuple[BinBias, ...]) -> tuple[str, ...]:
    words = in_words(a.shape)
    shape = f": {', '.join(words)}" if words else ""
    lines = [
        f"{DEMONSTRATED} at {percent(1 - a.limits.alpha)} confidence: in {_name(test)} "
        f"{_size_clause(a, test, test.lower_corrected, 'least')} of {count(a.n_required)} events{shape}"
        for test in a.failing()[:1]
    ]
    if a.local.p_value < a.limits.alpha:
        unit = f"error bars of {count(a.n_required)} events (limit {a.limits.max_local_bias:g})"
        biases = [bias for bias in worst if bias.lower > a.limits.max_local_bias]
        lines += [f"{bias.label} is off by at least {bias.lower:.3g} {unit}" for bias in biases] or [
            f"a bin other than those of the largest estimates is off by at least {a.local.lower.max():.3g} {unit}"
        ]
    return tuple(lines)


def _improve(a: Assessment) -> str:
    advice = "more events cannot help: improve the generator (look at the worst bins)"
    if not a.failing():  # only single bins are off, for which no supported number is known
        return advice
    return f"{advice}, or lower n_required to what it supports, {at_most(a.n_supported)} at most"


def _unproven(a: Assessment) -> tuple[str, ...]:
    if a.sparse:
        return (
            f"{TOO_FEW} events for two bins: {_effective(a.n_generated)} generated and {_effective(a.n_reference)} "
            f"reference events (effective); a bin needs {a.limits.min_expected:g} events of the smaller sample, one "
            f"that was cut at quantiles {CELL_GENERATED:g} generated ones, {CELL_REFERENCE:g} of the reference and "
            f"{CELL_REQUIRED:g} of n_required {count(a.n_required)}",
        )
    if a.vacuous:
        bound = at_most(max(test.allowed for test in a.tests) / 2)
        return (
            f"n_required {count(a.n_required)} asks nothing: in {a.ndf + 1} bins even samples without a bin in common "
            f"would agree within the error bars of so few events; state more than {bound} or use fewer bins",
        )
    if a.unknown_noise:
        return (_few_clusters(a),)
    p_value = 1.0 if a.discordant_pairs is not None else min(test.separation.upper_tail(0) for test in a.tests)
    worst = max(a.tests, key=lambda test: test.estimate / test.ndf)
    lines = [
        *_too_few_inputs(a),
        *(
            f"the data decide neither way{_discordant_clause(a)}: in {_name(test)} χ²_req/ndf lies between "
            f"{_chi2_per_ndf(a, test, test.lower_corrected)} and {_chi2_per_ndf(a, test, test.upper)} (limit "
            f"{_chi2_per_ndf(a, test, limit)}), the rms bias between {_rms(a, test, test.lower_corrected)} and "
            f"{_rms(a, test, test.upper)} error bars (limit {_rms(a, test, limit)})"
            for test in a.open()[:1]
            for limit in (test.demanded / a.n_required,)
        ),
        *_too_directional(a),
        *_difference(a, min(1.0, len(a.tests) * p_value), worst.ndf / 2, worst.estimate),
    ]
    return (*lines, _advice(a, a.n_supported))


def _effective(number: float) -> str:
    return count(number) if number >= _ROUNDED_FROM else f"{number:.4g}"


def _discordant_clause(a: Assessment) -> str:
    """Return a clause on the discordant pairs where their share limits the difference, else an empty string."""
    pairs = a.discordant_pairs
    return "" if pairs is None else f" by {pairs.number:,} of {pairs.pairs:,} pairs being in different bins"


def _few_clusters(a: Assessment) -> str:
    return (
        f"{TOO_FEW} clusters: the noise of the difference rests on {a.n_clusters:.3g} of them (at least "
        f"{MIN_CLUSTERS:g} are needed for it to be known): add clusters, not rows to those that there are"
    )


def _too_few_inputs(a: Assessment) -> list[str]:
    """Return a reason if the clusters across both sides do not admit so large an n_required."""
    if a.n_required <= a.max_n_required:
        return []
    return [
        f"{a.clusters:,} clusters across both sides support n_required {at_most(a.max_n_required)} at most, "
        f"{MAX_PER_CLUSTER:g} for each, however well they agree: simulate more of them on both sides"
    ]


def _too_directional(a: Assessment) -> list[str]:
    """Return a reason if only the limit on the directional bias prevents ROBUST."""
    limit, test = a.limits.max_directional_bias, a.all_bins
    if limit is None or test not in a.open() or a.n_required * test.upper > test.allowed:
        return []
    return [
        f"a number linear in the bin contents may be off by {_directional(a):.3g} error bars of "
        f"{count(a.n_required)} events (limit {limit:g})"
    ]


def _directional(a: Assessment) -> float:
    return math.sqrt(2 * a.n_required * a.all_bins.upper)


def _name(test: Resolution) -> str:
    return "all bins" if test.components is None else f"the {test.components} smoothest components"


def _size_clause(a: Assessment, test: Resolution, delta: float, side: str) -> str:
    """Say how large χ²_req and the bias are, at most or at least, beside the limit, which is one in both units."""
    limit = (test.demanded if side == "most" else test.allowed) / a.n_required
    return (
        f"χ²_req/ndf is at {side} {_chi2_per_ndf(a, test, delta)} (limit {_chi2_per_ndf(a, test, limit)}) and the rms "
        f"bias at {side} {_rms(a, test, delta)} error bars (limit {_rms(a, test, limit)})"
    )


def _difference(a: Assessment | Equivalence, p_agreement: float, events: float, excess: float) -> list[str]:
    """Say what the generator is worth, events / excess, if perfect agreement is excluded."""
    if p_agreement >= a.limits.alpha:
        return []
    return [
        f"the samples seem to differ (p = {p_agreement:.2g} for perfect agreement): at the best estimate the "
        f"generator is worth {count(events / excess)} events"
    ]


def _advice(a: Assessment | Equivalence, n_supported: float) -> str:
    n_reference, n_generated = a.events_needed()
    have_generated, have_reference = (n / used for n, used in zip((a.n_generated, a.n_reference), a.used, strict=True))
    # Rounded like the numbers needed, or the sample at hand would be too small for itself.
    if n_reference <= math.ceil(have_reference) and n_generated <= math.ceil(have_generated):
        return (
            f"a perfect generator would pass with probability {percent(a.power)}: this one is worse, or unlucky; "
            f"these data support n_required {at_most(n_supported)}"
        )
    scope = f" all {a.observables} observables" if a.observables > 1 else ""
    generated = f" and {count(n_generated)} generated events" if n_generated > math.ceil(have_generated) else ""
    return (
        f"it takes {count(n_reference)} reference events{generated} (have {count(have_reference)} and "
        f"{count(have_generated)}) for a perfect generator to pass{scope} with probability {percent(TARGET_POWER)}"
    )


def _chi2_per_ndf(a: Assessment, test: Resolution, delta: float) -> str:
    return f"{1 + a.n_required * delta / test.ndf:.4g}"


def _rms(a: Assessment, test: Resolution, delta: float) -> str:
    return f"{math.sqrt(2 * a.n_required * delta / test.ndf):.3g}"


def estimate_reasons(e: Equivalence) -> tuple[str, ...]:
    """Explain the verdict on two estimates of one number."""
    verdict, unit = e.verdict(), e.unit or f"error bars of {count(e.n_required)} events"
    unit += f" (limit {e.limits.max_bias:g})"
    if verdict is Verdict.ROBUST:
        return (
            f"agreement at n_required {count(e.n_required)} is demonstrated at {percent(1 - e.limits.alpha)} "
            f"confidence: the bias is at most {e.upper:.3g} {unit}",
        )
    if verdict is Verdict.BIASED:
        lower = f", or lower n_required to what it supports, {at_most(e.n_supported)} at most" if e.admissible else ""
        return (
            f"{DEMONSTRATED} at {percent(1 - e.limits.alpha)} confidence: the bias is at least {e.lower:.3g} {unit}",
            f"more events cannot help: improve the generator{lower}",
        )
    if not e.admissible:
        return _inadmissible(e)
    if e.n_required > e.max_n_required:
        return (
            f"the clusters across both sides support n_required {at_most(e.max_n_required)} at most, "
            f"{MAX_PER_CLUSTER:g} for each, however well they agree: simulate more of them on both sides",
        )
    return (
        f"the data decide neither way: the bias lies between {e.lower:.3g} and {e.upper:.3g} {unit}",
        *_difference(e, e.p_disagreement(0), e.events, e.centre**2),
        _advice(e, e.n_supported),
    )


def _inadmissible(e: Equivalence) -> tuple[str, ...]:
    """Say why two estimates demonstrate no agreement, however close they are."""
    if e.identical:
        return (
            "the two estimates are identical in value and error, as those of one sample are: do they share events? "
            "compare with a reference that neither the generator nor its training has seen",
        )
    if e.too_close:
        return (
            f"agreement too good for independent samples: the estimates differ by {abs(e.difference):.2g}, less than "
            "chance leaves in one of 10,000 cases; do they share events, or were they rounded? compare with a "
            "reference that neither the generator nor its training has seen, and give numbers in full",
        )
    lines = []
    for side in e.uncertain:
        dof = (e.generated if side == "generated" else e.reference).dof
        lines.append(
            f"the error of the {side} estimate is carried by about {max(dof / 2, 1):.0f} of its events, or as "
            f"uncertain as if it were ({dof:.3g} degrees of freedom, at least {MIN_DOF:g} are needed): use a "
            "quantile, an efficiency or a histogram, or more events (and more than 10 groups of a jackknife or "
            "replicas of a bootstrap)"
        )
    if e.error_ratio != 1:
        lines.append(
            f"the error of one generated event, error * sqrt(n_events), is {e.error_ratio:.3g} times that of one "
            f"reference event, so the error bar of {count(e.n_required)} events is in doubt: is an error or a number "
            "of effective events mistaken, or do outliers make one of them? if not, the generator is wrong in more "
            "than this number"
        )
    return tuple(lines)

"""How many events it takes to demonstrate agreement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_ganvalid._arguments import check_event_count, check_fraction, check_integer, check_positive
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.layout import Arrangement
from pytest_ganvalid.results import Chain, Costs, Plan
from pytest_ganvalid.statistics import student
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.power import histogram_tests, joint_power, required_scale
from pytest_ganvalid.statistics.price import price_of, stages_of
from pytest_ganvalid.statistics.roots import brentq

TESTED_SHARE = 0.5
"""Share of each sample that a classifier is tested on; on the rest it is trained."""
_LADDER = (0.5, 0.8, 0.9, 0.95, 0.99)
_PRICE_RATIO = 1.1  # of the dearest observable over the cheapest, from which on it is named


def power_of_each(joint: float, observables: int) -> float:
    """Return the power of each observable that makes all pass with probability ``joint``, however correlated."""
    return 1 - (1 - joint) / observables


def reference_partner(n_h: float, n_generated: float) -> float:
    """Return the reference that gives n_h = n_g n_r / (n_g + n_r); ``inf`` if none does."""
    return n_h / (1 - n_h / n_generated) if n_generated > n_h else math.inf


def equivalence_power(
    width: float, confidence: float, max_bias: float, dof: float = math.inf, blur: float = 0
) -> float:
    """Return the probability that two one-sided tests show a perfect generator's number to be ROBUST.

    Args:
        width: Standard error of the difference, in error bars of n_required events.
        confidence: Confidence level of each test.
        max_bias: Limit on the bias, in error bars of n_required events.
        dof: Degrees of freedom of ``width``.
        blur: Relative variance of the error bar of n_required events, if that is estimated.
    """
    quantile = student.ppf(confidence, dof)
    margin = (max_bias - quantile * width) * (max_bias + quantile * width)
    if margin <= 0:
        return 0.0
    shrinkage = 1 - blur / 2
    # The largest bias x that passes solves shrunk x + reach sqrt(width² + blur x²) = max_bias.
    root = math.sqrt((quantile * shrinkage * width) ** 2 + quantile**2 * blur * margin)
    return max(2 * student.cdf(margin / (max_bias * shrinkage + root) / width, dof) - 1, 0.0)


def equivalence_width(
    target: float, confidence: float, max_bias: float, dof: float = math.inf, blur: float = 0
) -> float:
    """Return the standard error at which `equivalence_power` reaches ``target``.

    It is max_bias / (z_confidence + z_(1 + target)/2) if all errors are known exactly (``dof`` infinite, ``blur`` 0).
    """
    quantile, expected = student.ppf(confidence, dof), student.ppf((1 + target) / 2, dof)
    return max_bias / ((1 - blur / 2) * expected + quantile * math.sqrt(1 + blur * expected**2))


def events_needed(
    reference_for: Callable[[float], float], n_required: float, n_generated: float
) -> tuple[float, float]:
    """Return sizes (reference, generated) for an advice.

    The generated sample at hand is kept if some reference goes with it that is not absurdly larger.

    Args:
        reference_for: From generated events, maybe infinite, to the reference events they need, maybe infinite.
        n_required: Number of true events to stand in for.
        n_generated: Generated events at hand.
    """
    minimum = reference_for(math.inf)
    # Ten times the minimum always leaves a reference of at most 10/9 of it.
    for generated in (n_generated, max(n_generated, 10 * n_required), 10 * minimum):
        if (reference := reference_for(generated)) <= 2 * minimum:
            break
    return reference, generated


@dataclass(frozen=True, slots=True)
class _Study:
    """What a check tests, all of it at n_h = n_g n_r / (n_g + n_r), the size that counts.

    Attributes:
        n_required: Number of true events to stand in for.
        histograms: (bins - 1, share of each sample that it is made of) -> number of histograms.
        estimators: Number of observables that are one number per sample.
        limits: What counts as agreement, and at which level; those of single bins do not matter.
    """

    n_required: float
    histograms: Mapping[tuple[int, float], int]
    estimators: int
    limits: Limits

    @property
    def total(self) -> int:
        """Number of tests that must all pass."""
        return sum(self.histograms.values()) + self.estimators

    def power(self, n_h: float) -> float:
        """Lower bound of the probability that all are shown ROBUST, however correlated (Bonferroni)."""
        failures = 0.0
        if self.estimators:
            width = math.sqrt(self.n_required / n_h)
            failures += self.estimators * (1 - equivalence_power(width, 1 - self.limits.alpha, self.limits.max_bias))
        for (ndf, share), number in self.histograms.items():
            degrees, sizes = self._tests(ndf)
            noncentralities = tuple(size * share * n_h / self.n_required for size in sizes)
            failures += number * (1 - joint_power(degrees, noncentralities, self.limits.alpha))
        return max(1 - failures, 0.0)

    def _tests(self, ndf: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Degrees of freedom of the tests of a histogram, and their noncentralities for n_h = n_required."""
        limits = self.limits
        arrangement = Arrangement.LINE if limits.smooth else Arrangement.NONE
        degrees, excesses = histogram_tests(ndf, arrangement, limits.max_bias, limits.max_directional_bias)
        return degrees, tuple(2 * excess for excess in excesses)

    def single_size(self, ndf: int, share: float, target: float) -> float:
        """Return the n_h with which a histogram by itself passes with probability ``target``."""
        return self.n_required * required_scale(*self._tests(ndf), target, self.limits.alpha) / share

    def size(self, target: float) -> float:
        """Return the n_h with which all pass with probability ``target``."""
        single_power = power_of_each(target, self.total)
        sizes = [self.single_size(ndf, share, single_power) for ndf, share in self.histograms]
        if self.estimators:
            width = equivalence_width(single_power, 1 - self.limits.alpha, self.limits.max_bias)
            sizes.append(self.n_required / width**2)
        # Sharing the failures out evenly suffices; kinds that hardly ever fail leave more of them to the others.
        largest = max(sizes)
        if len(sizes) == 1:
            return largest
        return float(brentq(lambda n_h: self.power(n_h) - target, largest * 1e-3, largest * 1.001, rtol=1e-10))


def plan(
    n_required: float,
    *,
    bins: int | Mapping[str, int] | None = None,
    observables: int | None = None,
    estimators: int = 0,
    classifiers: int = 0,
    generated_ratio: float = 10,
    power: float = 0.9,
    confidence: float = 0.95,
    max_bias: float = 1.0,
    max_directional_bias: float | None = None,
    smooth: bool = True,
    looks: int = 1,
    costs: Costs | None = None,
    chain: Chain | None = None,
) -> Plan:
    """Plan the sizes of the reference and generated samples.

    The power is that of everything together, whatever the correlations: no more than 1 - power may be lost in all
    (Bonferroni). An estimator (one number per sample) takes about 11 reference events per required event for a power
    of 90 %, and more than 11 generated ones (Schuirmann 1987: two one-sided tests), where a histogram takes 3, of ten
    bins or more; of fewer bins more.

    Args:
        n_required: Number of true events the generated sample is to stand in for.
        bins: Bins per observable and classifier, at least 2; not needed if there are only estimators. Or a mapping of
            observable -> bins; those of a classifier are then as many as those of the observable that has most.
        observables: Number of histograms that must all be ROBUST; ``None`` for one, or for those of the mapping.
        estimators: Number of observables that are one number per sample.
        classifiers: Number of classifiers, trained on one half of each sample and tested on the other.
        generated_ratio: Generated events per required event.
        power: AnyObservable probability that a perfect generator is shown ROBUST, between 0 and 1.
        confidence: Confidence level of each one-sided limit, between 0.5 and 1.
        max_bias: Limit on the (rms) bias in error bars of n_required events.
        max_directional_bias: Limit on that of any number linear in the bin contents; ``None`` for none.
        smooth: Whether the smooth components of a difference are tested, too.
        looks: Planned looks at a reference that grows in equal steps to the planned size; all have one, stricter level
            (Pocock 1977), and the power is that of the last.
        costs: What events cost; ``None`` for a plan without a price.
        chain: Errors of the other stages, if it is one stage of a chain that is generated.

    Returns:
        The sample sizes and a table of alternatives.

    Raises:
        InputError: If an argument is out of range, nothing is tested, or no reference reaches the power with so few
            generated events.
        InputTypeError: If ``costs`` or ``chain`` is of another kind.
    """
    n_required = check_event_count("n_required", n_required)
    generated_ratio = check_positive("generated_ratio", generated_ratio)
    limits = Limits(
        confidence=confidence,
        max_bias=max_bias,
        max_directional_bias=max_directional_bias,
        smooth=smooth,
        looks=looks,
    )
    # Below the level even a generator on the boundary passes, and no size can be wanted.
    power = float(check_fraction("power", power, above=limits.alpha))
    study, bins_of, classifiers = _study(n_required, bins, (observables, estimators, classifiers), limits)
    n_generated = math.ceil(generated_ratio * n_required)
    n_reference = reference_partner(study.size(power), n_generated)
    if math.isinf(n_reference):
        raise InputError(_too_few_generated(study, n_generated, generated_ratio, power))
    sizes = {p: reference_partner(study.size(p), n_generated) for p in sorted({*_LADDER, power})}
    n_reference = math.ceil(n_reference)
    return Plan(
        n_required=n_required,
        n_reference=n_reference,
        n_generated=n_generated,
        power=study.power(n_generated * n_reference / (n_generated + n_reference)),
        bins=min((ndf + 1 for ndf, _ in study.histograms), default=None),
        observables=sum(study.histograms.values()) - classifiers,
        confidence=limits.confidence,
        max_bias=limits.max_bias,
        max_directional_bias=limits.max_directional_bias,
        smooth=limits.smooth,
        looks=limits.looks,
        rows=tuple((p, math.ceil(n), math.ceil(n) / n_required) for p, n in sizes.items() if math.isfinite(n)),
        estimators=study.estimators,
        classifiers=classifiers,
        least_ratio=study.size(power) / n_required,
        bins_of=bins_of,
        dearest=_dearest(study, bins_of, power),
        price=price_of(costs, n_required, n_reference, n_generated),
        stages=stages_of(chain, costs, n_required),
    )


def _study(
    n_required: float,
    bins: int | Mapping[str, int] | None,
    numbers: tuple[int | None, int, int],
    limits: Limits,
) -> tuple[_Study, dict[str, int], int]:
    """Check how much is tested, and with how many bins; return the bins by name, and the number of classifiers."""
    n_histograms = numbers[0] if numbers[0] is not None else (len(bins) if isinstance(bins, Mapping) else 1)
    names = ("observables", "estimators", "classifiers")
    pairs = zip(names, (n_histograms, *numbers[1:]), strict=True)
    observables, estimators, classifiers = (check_integer(name, n, minimum=0) for name, n in pairs)
    if not observables + estimators + classifiers:
        msg = (
            "observables=0, estimators=0 and classifiers=0: a check of nothing demonstrates nothing; expected at least "
            "one of them to be 1 or more"
        )
        raise InputError(msg)
    if bins is None and observables + classifiers:
        msg = "bins is missing: how many bins has a histogram? Give bins, or observables=0 to plan for estimators only"
        raise InputError(msg)
    if isinstance(bins, Mapping):
        if observables != len(bins):
            msg = f"observables={observables}, and bins names {len(bins)}; leave observables out"
            raise InputError(msg)
        bin_counts = [check_integer(f"bins[{name!r}]", number, minimum=2) for name, number in bins.items()]
    else:
        bin_counts = [] if bins is None else [check_integer("bins", bins, minimum=2)] * observables
    histograms = Counter((number - 1, 1.0) for number in bin_counts)
    if classifiers:
        max_bins = max(bin_counts, default=0) or check_integer("bins", bins, minimum=2)
        histograms[max_bins - 1, TESTED_SHARE] += classifiers
    bins_of = dict(zip(bins, bin_counts, strict=True)) if isinstance(bins, Mapping) else {}
    return _Study(n_required, histograms, estimators, limits), bins_of, classifiers


def _dearest(study: _Study, bins_of: Mapping[str, int], power: float) -> tuple[str, float] | None:
    """Return the observable that sets the price, if one does, and its own size per required event."""
    prices = {name: study.single_size(number - 1, 1.0, power) / study.n_required for name, number in bins_of.items()}
    if not prices:
        return None
    name = max(prices, key=prices.__getitem__)
    return (name, prices[name]) if prices[name] > _PRICE_RATIO * min(prices.values()) else None


def _too_few_generated(study: _Study, n_generated: int, generated_ratio: float, power: float) -> str:
    """Say which generated_ratio is the least, and one that is sensible."""
    n_h = study.size(power)
    ratio = float(f"{2 * n_h / study.n_required:.3g}")
    generated = math.ceil(ratio * study.n_required)
    reference = math.ceil(reference_partner(n_h, generated))
    return (
        f"no reference is large enough for power {power:g} with {n_generated:,} generated events "
        f"(generated_ratio={generated_ratio:g}); raise that above {n_h / study.n_required:.4g}: {ratio:g}, "
        f"for example, takes {generated:,} generated and {reference:,} reference events"
    )

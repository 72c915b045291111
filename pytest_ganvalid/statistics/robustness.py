"""Does the difference between two histograms fit within the error bars of n_required events?

It is asked of all bins, and of the smooth components of the difference (`statistics.smooth`), each test with its own
triangular discrimination Δ and degrees of freedom. With E = min(χ²_{ndf; 0.95} - ndf, max_bias² ndf / 2):

- ROBUST if n_required Δ_up <= E in all tests (intersection-union: no correction), Δ_up the upper limit by CLs;
- BIASED if n_required Δ_lo > E in one of m, Δ_lo at α/m, or a bin is shown to be off by more than max_local_bias;
- UNPROVEN otherwise, and whenever bins or clusters are too few, or n_required is so small that nothing could be BIASED.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.results import Chi2Result, Verdict
from pytest_ganvalid.statistics.clusters import MAX_PER_CLUSTER, MIN_CLUSTERS, Clusters, DiscordantPairs
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.local import LocalBias, local_bias
from pytest_ganvalid.statistics.planning import events_needed, power_of_each, reference_partner
from pytest_ganvalid.statistics.power import (
    allowed_excess,
    chi2_critical,
    excess_of_all,
    histogram_tests,
    joint_power,
    required_scale,
)
from pytest_ganvalid.statistics.separation import Fractions, Noise, Separation, separation
from pytest_ganvalid.statistics.smooth import SHAPE, Components, resolutions, smooth_basis

FloatArray = NDArray[np.float64]

TARGET_POWER = 0.9
"""Probability to pass that advice on sample sizes aims at."""
_LARGEST_DELTA = 2.0
_QUANTILES = (0.84, 0.50, 0.16)


@dataclass(frozen=True)
class Resolution:
    """One test: its Δ, and the allowed one. All Δ are per event, of one entry or of several.

    Attributes:
        components: Number of smooth components that are tested; ``None`` for all bins.
        ndf: Degrees of freedom: bins - 1, or components.
        separation: T and its moments.
        per_event: Independent entries that an event is worth in this test; 1 if each event has one entry.
        allowed: E, the largest allowed n_required Δ.
        demanded: The largest n_required Δ that is ROBUST: less than E if max_directional_bias is stricter.
        alpha: Error probability of each limit.
        tests: Number of tests that may find a bias.
        discordant_pairs: The discordant pairs, where the noise of T rests on too few clusters and their share limits
            Δ instead.
    """

    components: int | None
    ndf: int
    separation: Separation
    per_event: float
    allowed: float
    demanded: float
    alpha: float
    tests: int
    discordant_pairs: DiscordantPairs | None = None

    @cached_property
    def upper(self) -> float:
        """Upper limit of Δ, by CLs."""
        return self._limit(self.alpha)

    def upper_at(self, alpha: float) -> float:
        """Upper limit of Δ at another level."""
        return self.upper if alpha == self.alpha else self._limit(alpha)

    def _limit(self, alpha: float) -> float:
        if self.discordant_pairs is not None:
            return self.discordant_pairs.upper_limit(alpha) * self.per_event
        return self.separation.cls_limit(alpha) * self.per_event

    @cached_property
    def lower(self) -> float:
        """Lower limit of Δ."""
        return 0.0 if self.discordant_pairs is not None else self.separation.lower_limit(self.alpha) * self.per_event

    @property
    def estimate(self) -> float:
        """Estimate of Δ, freed of noise, within the limits."""
        return min(max(self.separation.estimate * self.per_event, self.lower), self.upper)

    @cached_property
    def lower_corrected(self) -> float:
        """Lower limit of Δ that makes BIASED: of several tests each is allowed its share of α."""
        if self.tests == 1 or self.discordant_pairs is not None:
            return self.lower
        return self.separation.lower_limit(self.alpha / self.tests) * self.per_event

    def n_supported(self) -> float:
        """Largest n_required at which this test shows agreement."""
        return self.demanded / self.upper if self.upper > 0 else math.inf

    def p_robust(self, n_required: float) -> float:
        """p-value of the boundary against agreement, over that of agreement itself."""
        if self.discordant_pairs is not None:
            return self.discordant_pairs.p_value(self.demanded / (n_required * self.per_event))
        return math.exp(self.separation.log_ratio(self.demanded / (n_required * self.per_event)))

    def p_biased(self, n_required: float) -> float:
        """p-value of the boundary against disagreement."""
        if self.discordant_pairs is not None:
            return 1.0
        return self.separation.upper_tail(self.allowed / (n_required * self.per_event))


@dataclass(frozen=True)
class Assessment:
    """All that decides a verdict.

    Attributes:
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        n_generated: Effective generated events. Where events have several entries, the reference events whose
            entries have the same errors.
        n_reference: Effective reference events.
        chi2: The classical test.
        tests: All bins, and then the smooth components, the fewest first.
        shape: The first smooth components along one axis: name, size and standard error in error bars of n_required
            events.
        local: Biases of the single bins.
        sparse: Whether the samples are too small for two bins of min_expected events.
        observables: Number of observables that must pass together; only the advice depends on it.
        used: Shares of the generated and of the reference events that are compared, of a stratum or of the tested
            part of a split; only the advice depends on them.
        correlated: Whether events have several entries, or rows are in clusters, so that bins are more correlated than
            by their sum.
        planned_ndf: Bins - 1 in samples as large as n_required asks for.
        planned_arrangement: How those bins lie; that of no order if only all bins are to be tested.
        clusters: Number of all clusters if any has rows on both sides; else 0.
        n_clusters: Effective number of clusters that the noise of T rests on; infinite for independent events.
    """

    n_required: float
    limits: Limits
    n_generated: float
    n_reference: float
    chi2: Chi2Result
    tests: tuple[Resolution, ...]
    shape: tuple[tuple[str, float, float], ...]
    local: LocalBias
    sparse: bool
    observables: int
    used: tuple[float, float]
    correlated: bool
    planned_ndf: int
    planned_arrangement: Arrangement
    clusters: int = 0
    n_clusters: float = math.inf

    @property
    def all_bins(self) -> Resolution:
        """The test on all bins."""
        return self.tests[0]

    @property
    def ndf(self) -> int:
        """Bins - 1."""
        return self.all_bins.ndf

    @cached_property
    def critical(self) -> float:
        """The critical value of χ²_req of all bins."""
        return chi2_critical(self.ndf)

    @property
    def arrangement(self) -> Arrangement:
        """How the bins lie; that of no order if only all bins are tested."""
        return Arrangement.NONE if self.sparse else self.planned_arrangement

    @property
    def _n_h(self) -> float:
        return self.n_generated * self.n_reference / (self.n_generated + self.n_reference)

    @cached_property
    def _expected(self) -> tuple[tuple[float, ...], tuple[float, ...], float]:
        """Degrees of freedom and noncentralities of all tests, smoothest first, and the n_required they belong to.

        Those of independent entries are for n_h events, and depend on the bins alone; those of several entries per
        event are measured.
        """
        if not self.correlated:
            return *self._noncentralities(self.ndf, self.arrangement), self._n_h
        tests = (*self.tests[1:], self.tests[0])
        noise = [test.separation for test in tests]
        sizes = (
            s.nu * test.demanded / (self.n_required * test.per_event * s.m1)
            for s, test in zip(noise, tests, strict=True)
        )
        return tuple(s.nu for s in noise), tuple(sizes), self.n_required

    def _noncentralities(self, ndf: int, arrangement: Arrangement) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return degrees of freedom and noncentralities of all tests of independent entries, smoothest first."""
        degrees, excesses = histogram_tests(ndf, arrangement, self.limits.max_bias, self.limits.max_directional_bias)
        return degrees, tuple(2 * excess for excess in excesses)

    @property
    def discordant_pairs(self) -> DiscordantPairs | None:
        """The discordant pairs, where they are too few for their noise to be known."""
        return self.all_bins.discordant_pairs

    @property
    def unknown_noise(self) -> bool:
        """Whether too few clusters make the noise, and they are no pairs."""
        return self.discordant_pairs is None and self.n_clusters < MIN_CLUSTERS

    @property
    def max_n_required(self) -> float:
        """The largest n_required that the clusters across both sides admit."""
        return MAX_PER_CLUSTER * self.clusters if self.clusters else math.inf

    @property
    def p_agreement(self) -> float:
        """Probability that independent samples agree at least as well; 1 where the noise is not known."""
        return 1.0 if self.discordant_pairs is not None or self.unknown_noise else self.all_bins.separation.agreement

    @cached_property
    def power(self) -> float:
        """Probability that a perfect generator is shown ROBUST with these sample sizes."""
        if self.unknown_noise or self.n_required > self.max_n_required:
            return 0.0
        if self.discordant_pairs is not None:
            excesses = (test.demanded / (self.n_required * test.per_event) for test in self.tests)
            return self.discordant_pairs.power(min(excesses), self.limits.alpha)
        degrees, sizes, n = self._expected
        return joint_power(degrees, tuple(size * n / self.n_required for size in sizes), self.limits.alpha)

    @cached_property
    def expected_n_supported(self) -> tuple[float, float, float]:
        """The n_required at which a perfect generator has power 0.84, 0.50 and 0.16 with these sample sizes."""
        if self.unknown_noise:
            return 0.0, 0.0, 0.0
        if self.discordant_pairs is not None:
            smallest = min(test.demanded / test.per_event for test in self.tests)
            supported = [
                smallest / self.discordant_pairs.expected_limit(quantile, self.limits.alpha) for quantile in _QUANTILES
            ]
        else:
            degrees, sizes, n = self._expected
            supported = [n / required_scale(degrees, sizes, quantile, self.limits.alpha) for quantile in _QUANTILES]
        return (
            min(supported[0], self.max_n_required),
            min(supported[1], self.max_n_required),
            min(supported[2], self.max_n_required),
        )

    @cached_property
    def p_robust(self) -> float:
        """p-value of the boundary against agreement, the largest of all tests."""
        return max(test.p_robust(self.n_required) for test in self.tests)

    @cached_property
    def p_biased(self) -> float:
        """p-value of the boundary against disagreement, at any resolution or local."""
        smallest = min(test.p_biased(self.n_required) for test in self.tests)
        return min(1.0, len(self.tests) * smallest, self.local.p_value)

    @property
    def vacuous(self) -> bool:
        """Whether no generator could be BIASED: Δ is 2 at most."""
        return _LARGEST_DELTA * self.n_required <= max(test.allowed for test in self.tests)

    @property
    def admissible(self) -> bool:
        """Whether these samples can demonstrate anything."""
        return not (self.sparse or self.vacuous or self.unknown_noise)

    @property
    def n_supported(self) -> float:
        """Largest n_required at which agreement is shown in all tests."""
        return min(self.max_n_required, *(test.n_supported() for test in self.tests)) if self.admissible else 0.0

    def failing(self) -> tuple[Resolution, ...]:
        """Return the tests in which a bias is shown, the plainest first."""
        tests = [test for test in self.tests if self.n_required * test.lower_corrected > test.allowed]
        return tuple(sorted(tests, key=lambda test: test.allowed / test.lower_corrected))

    def open(self) -> tuple[Resolution, ...]:
        """Return the tests in which agreement is not shown, the farthest from it first."""
        tests = [test for test in self.tests if self.n_required * test.upper > test.demanded]
        return tuple(sorted(tests, key=lambda test: test.n_supported()))

    def verdict(self) -> Verdict:
        """Decide."""
        if not self.admissible:
            return Verdict.UNPROVEN
        if self.failing() or self.local.p_value < self.limits.alpha:
            return Verdict.BIASED
        return Verdict.UNPROVEN if self.open() or self.n_required > self.max_n_required else Verdict.ROBUST

    def events_needed(self) -> tuple[float, float]:
        """Return (reference, generated) events of the whole samples with which a perfect generator passes with 90 %.

        All observables together: the probability to fail is shared out evenly, as by the planner.
        """
        if self.discordant_pairs is not None or self.unknown_noise:
            # In samples of these sizes the noise of T is known.
            return self._enlarged(max(MIN_CLUSTERS / max(self.n_clusters, 1.0), self.n_required / self.max_n_required))
        degrees, sizes, n = self._expected
        power = power_of_each(TARGET_POWER, self.observables)
        if self.clusters:
            factor = required_scale(degrees, sizes, power, self.limits.alpha) * self.n_required / n
            return self._enlarged(max(factor, self.n_required / self.max_n_required))
        if not self.correlated:
            degrees, sizes = self._noncentralities(self.planned_ndf, self.planned_arrangement)
        # n_h grows as the noncentralities do; those of `_expected` are of n_required = n with the n_h at hand.
        n_h = self._n_h * required_scale(degrees, sizes, power, self.limits.alpha) * self.n_required / n
        n_reference, n_generated = events_needed(lambda n: reference_partner(n_h, n), self.n_required, self.n_generated)
        return math.ceil(n_reference / self.used[1]), math.ceil(n_generated / self.used[0])

    def _enlarged(self, factor: float) -> tuple[float, float]:
        """Return the events of the whole samples where both grow by a factor, as clusters across both do."""
        sizes = self.n_reference * factor / self.used[1], self.n_generated * factor / self.used[0]
        return math.ceil(sizes[0]), math.ceil(sizes[1])


def assess(
    generated: Fractions,
    reference: Fractions,
    n_required: float,
    limits: Limits,
    chi2: Chi2Result,
    layout: Layout,
    *,
    sparse: bool = False,
    observables: int = 1,
    events: float | None = None,
    cut_share: float = 0.0,
    used: tuple[float, float] = (1.0, 1.0),
    clusters: Clusters | None = None,
    single: Fractions | None = None,
    planned_ndf: int = 0,
) -> Assessment:
    """Compute all that decides a verdict.

    Args:
        generated: Shape (bins,), at least two bins, q + p > 0 in each.
        reference: The same bins.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        chi2: The classical test of the same bins.
        layout: How the bins lie.
        sparse: Whether the samples are too small for two bins of min_expected events.
        observables: Number of observables that must pass together.
        events: Effective number of the reference's events where they have several entries; else ``None``.
        cut_share: Share of the reference events at whose quantiles the bins were cut; 0 for given bins.
        used: Shares of the generated and of the reference events that are compared.
        clusters: The clusters of rows, of which the two have the covariance; ``None`` for independent ones.
        single: The reference with the covariance of independent events, where they have several entries and are in
            clusters.
        planned_ndf: Bins - 1 in samples as large as n_required asks for, if fewer events left fewer.
    """
    contents = generated.q + reference.q
    cross = None if clusters is None else clusters.cross(generated.q, reference.q)
    ndf = generated.q.size - 1
    planned_arrangement = layout.arrangement if limits.smooth else Arrangement.NONE
    arrangement = Arrangement.NONE if sparse else planned_arrangement
    numbers = resolutions(ndf, arrangement)
    all_bins = separation(generated, reference, cut_share if cross is None else 0.0, cross)
    per_event = 1.0 if events is None else (single or reference).effective_size(contents) / events
    n_clusters, discordant = math.inf, None
    if clusters is not None:
        n_clusters = clusters.effective(Noise(generated, reference, cross))
        if n_clusters < MIN_CLUSTERS and clusters.paired:
            discordant = DiscordantPairs(clusters.discordant(), clusters.number, float(contents.min()))
    shared: dict[str, Any] = {"alpha": limits.alpha, "tests": len(numbers) + 1, "discordant_pairs": discordant}
    demanded = excess_of_all(ndf, limits.max_bias, limits.max_directional_bias)
    allowed = allowed_excess(ndf, limits.max_bias)
    tests = [Resolution(None, ndf, all_bins, per_event, allowed, demanded, **shared)]
    shape: tuple[tuple[str, float, float], ...] = ()
    is_line = layout.arrangement is Arrangement.LINE and ndf >= len(SHAPE)
    if numbers or is_line:
        basis = smooth_basis(layout, contents / 2, max(*numbers, min(len(SHAPE), ndf), 0))
        components = Components.of(generated, reference, basis, cross=cross, events=single)
        for number in numbers:
            leading = components.leading(number)
            size = leading.theta.size
            leading_per_event = 1.0 if events is None else size / float(np.trace(leading.reference_noise)) / events
            excess = allowed_excess(size, limits.max_bias)
            tests.append(Resolution(size, size, leading.separation, leading_per_event, excess, excess, **shared))
        if is_line:
            shape = _shape(components.leading(len(SHAPE)), n_required * tests[-1].per_event)
    local = local_bias(generated, reference, n_required * per_event, limits.max_local_bias, limits.alpha, cross=cross)
    if discordant is not None or n_clusters < MIN_CLUSTERS:
        local = LocalBias(local.bias, np.zeros_like(local.bias), 1.0)
    return Assessment(
        n_required=n_required,
        limits=limits,
        n_generated=generated.effective_size(contents) / per_event,
        n_reference=reference.effective_size(contents) / per_event,
        chi2=chi2,
        tests=tuple(tests),
        shape=shape,
        local=local,
        sparse=sparse,
        observables=observables,
        used=used,
        planned_ndf=max(ndf, planned_ndf),
        planned_arrangement=planned_arrangement,
        correlated=generated.joint is not None or reference.joint is not None,
        clusters=0 if clusters is None or cross is None else clusters.number,
        n_clusters=n_clusters,
    )


def _shape(components: Components, entries: float) -> tuple[tuple[str, float, float], ...]:
    sizes = math.sqrt(entries) * components.theta
    errors = np.sqrt(entries * np.maximum(components.noise.diagonal(), 0.0))
    return tuple(zip(SHAPE, sizes.tolist(), errors.tolist(), strict=True))

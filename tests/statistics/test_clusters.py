"""Rows in clusters, on one side or across both: the noise, the verdict, and what few clusters can show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.clusters import Clusters, DiscordantPairs
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions, Noise, separation
from pytest_ganvalid.statistics.smooth import Components, smooth_basis

FloatArray = NDArray[np.float64]
Rows = tuple[NDArray[Any], NDArray[Any]]
"""Values and clusters."""
K = 6


def grid(bins: int) -> Grid:
    """Bins [0, 1), [1, 2), ..."""
    return Grid((Axis(tuple(np.arange(1.0, bins).tolist())),))


def sums(rows: Rows, bins: int = K, weight: FloatArray | None = None) -> BinSums:
    """Fill values with their clusters."""
    return fill(grid(bins), (rows[0],), weight, cluster=rows[1].astype(np.uint64))


def contents(rows: Rows, keys: NDArray[np.int64]) -> FloatArray:
    """Contents of each cluster, the slow way, shape (clusters, bins)."""
    return np.array([np.bincount(rows[0][rows[1] == key].astype(int), minlength=K) for key in keys], dtype=float)


def overlapping(seed: int) -> tuple[Rows, Rows]:
    """Clusters of several rows, some on both sides and some on one."""
    rng = np.random.default_rng(seed)
    sides = []
    cause = rng.integers(0, K, 300)
    for first in (0, 60):
        keys = rng.integers(first, first + 240, 500)
        values = np.where(rng.random(500) < 0.6, cause[keys], rng.integers(0, K, 500))
        sides.append((values + 0.5, keys))
    return sides[0], sides[1]


def noise_of(generated: BinSums, reference: BinSums) -> tuple[Noise, Clusters]:
    """The noise of a pair."""
    clusters = Clusters.of(generated, reference)
    assert clusters is not None
    ours, theirs = (Fractions.from_sums(s.sumw, s.sumw2, s.clusters) for s in (generated, reference))
    return Noise(ours, theirs, clusters.cross(ours.q, theirs.q)), clusters


def assessment(generated: BinSums, reference: BinSums, n_required: float) -> Assessment:
    """Assess bins as they are."""
    noise, clusters = noise_of(generated, reference)
    chi2 = chi2_test(generated, reference, cross=noise.cross)
    layout = Layout.line(generated.sumw.size)
    return assess(noise.generated, noise.reference, n_required, Limits(), chi2, layout, clusters=clusters)


def test_bins_taken_out_are_clusters_of_their_own() -> None:
    """The covariance of some bins is that of the rows inside, filled by themselves with the same clusters."""
    rows = overlapping(3)
    filled = [sums(side) for side in rows]
    clusters = Clusters.of(*filled)
    assert clusters is not None
    keep = np.arange(K) < 4
    inside = clusters.inside(keep, 0.6)
    alone = [sums((values[values < 4], keys[values < 4]), 4) for values, keys in rows]
    noise, expected = noise_of(alone[0], alone[1])
    assert inside.sizes == pytest.approx([0.6 * size for size in clusters.sizes])
    assert noise.cross is not None
    assert inside.cross(noise.generated.q, noise.reference.q) == pytest.approx(noise.cross)
    assert inside.effective(noise) == pytest.approx(expected.effective(noise))
    for ours, theirs in zip(filled, alone, strict=True):
        assert theirs.clusters == pytest.approx(ours.select(keep).clusters)


def test_the_noise_is_that_of_the_formula() -> None:
    """M, V, S and tr(AMAM) are sums over clusters of e - f, and of a e + b f."""
    rows = overlapping(1)
    noise, clusters = noise_of(*map(sums, rows))
    keys = np.unique(np.concatenate([rows[0][1], rows[1][1]]))
    q, p = noise.generated.q, noise.reference.q
    h = [contents(side, keys) for side in rows]
    e, f = ((c - np.outer(c.sum(axis=1), share)) / c.sum() for c, share in zip(h, (q, p), strict=True))
    m = (e - f).T @ (e - f)
    np.testing.assert_allclose(noise.covariance(), m, atol=1e-16)
    np.testing.assert_allclose(noise.variance, m.diagonal(), atol=1e-16)
    a, b = np.random.default_rng(2).normal(size=(2, K))
    assert noise.along(a, b) == pytest.approx(np.sum((e @ a + f @ b) ** 2))
    found = separation(noise.generated, noise.reference, cross=noise.cross)
    am = m / (q + p)
    assert (found.m1, found.m2) == pytest.approx((np.trace(am), np.sum(am * am.T)))
    rho = (q - p) / (q + p)
    assert found.v == pytest.approx(np.sum((e @ (rho * (2 - rho)) - f @ (rho * (2 + rho))) ** 2))
    z = ((e - f) ** 2) @ (1 / (q + p))
    assert clusters.effective(noise) == pytest.approx(np.trace(am) ** 2 / np.sum(z**2))
    basis = smooth_basis(Layout.line(K), (q + p) / 2, K - 1)
    components = Components.of(noise.generated, noise.reference, basis, cross=noise.cross)
    np.testing.assert_allclose(components.noise, basis.T @ m @ basis, atol=1e-13)


def test_one_row_each_is_independent() -> None:
    """Clusters of one row on one side are as independent rows, in all that decides."""
    rng = np.random.default_rng(3)
    values: list[Any] = [rng.integers(0, 20, n) + 0.5 for n in (3000, 2000)]
    alone = [sums((v, np.arange(v.size) + 10_000 * i), 20) for i, v in enumerate(values)]
    plain = [fill(grid(20), (v,), None) for v in values]
    one, other = gv.compare(*alone, n_required=300), gv.compare(*plain, n_required=300)
    assert one.n_supported == pytest.approx(other.n_supported, rel=1e-9)
    assert one.p_biased == pytest.approx(other.p_biased, rel=1e-9)
    assert one.power == pytest.approx(other.power, abs=0.02)
    assert one.verdict is other.verdict
    assert one.n_generated == pytest.approx(3000, rel=0.01)


def test_a_side_without_clusters_may_be_filled_without() -> None:
    """Clusters of one side need no keys of the other."""
    rows = overlapping(4)
    with_keys = gv.compare(sums(rows[0]), sums((rows[1][0], np.arange(500) + 1000)), n_required=20)
    without = gv.compare(sums(rows[0]), fill(grid(K), (rows[1][0],), None), n_required=20)
    assert with_keys.n_supported == pytest.approx(without.n_supported, rel=1e-9)


def pair_sums(seed: int, n: int, noise: float, bias: float = 0.0, bins: int = 50) -> tuple[BinSums, BinSums]:
    """Pairs: the same truth, each side with noise of its own, in parts of a standard deviation."""
    rng = np.random.default_rng(seed)
    truth, keys = rng.normal(size=n), np.arange(n)
    edges = stats.norm.ppf(np.arange(1, bins) / bins)
    ours, theirs = (truth + noise * rng.normal(size=n) + shift for shift in (bias, 0.0))
    both = [np.searchsorted(edges, values) + 0.5 for values in (ours, theirs)]
    return sums((both[0], keys), bins), sums((both[1], keys), bins)


def test_pairs_show_what_independent_samples_cannot() -> None:
    """As many pairs of 1 % resolution as n_required pass, and taken for independent they agree too well."""
    passed, close = 0, 0
    for seed in range(20):
        generated, reference = pair_sums(seed, 2000, 0.01)
        passed += gv.compare(generated, reference, n_required=2000).robust
        plain = [BinSums(s.sumw, s.sumw2, s.bins) for s in (generated, reference)]
        close += gv.compare(*plain, n_required=2000).p_agreement < 1e-3
    assert passed >= 18
    assert close == 20


def test_a_bias_of_pairs_is_seen() -> None:
    """A shift by five standard errors at n_required is BIASED by as many pairs; half an error bar is not."""
    large, small = (pair_sums(5, 2000, 0.01, shift / math.sqrt(2000)) for shift in (5.0, 0.5))
    assert gv.compare(*large, n_required=2000).verdict is gv.Verdict.BIASED
    assert gv.compare(*small, n_required=2000).verdict is gv.Verdict.ROBUST


def test_false_rates_of_pairs() -> None:
    """On the boundary of all bins pairs of 2 % resolution are ROBUST, and BIASED, in about 5 % at most."""
    n, bins, toys = 1500, 50, 60
    allowed = stats.chi2.ppf(0.95, bins - 1) - (bins - 1)
    a = math.sqrt(2 * allowed / n)  # q = p (1 ± a): Δ = a²/2 to first order
    steps = np.where(np.arange(bins) % 2 == 0, 1 + a, 1 - a) / bins
    edges = np.cumsum(steps)[:-1]
    tally = np.zeros(2)
    for seed in range(toys):
        rng = np.random.default_rng([seed, 7])
        truth, keys = rng.normal(size=n), np.arange(n)
        ranks = [stats.norm.cdf((truth + 0.02 * rng.normal(size=n)) / math.hypot(1, 0.02)) for _ in range(2)]
        ours = np.searchsorted(edges, ranks[0]) + 0.5
        theirs = np.floor(ranks[1] * bins) + 0.5
        verdict = gv.compare(sums((ours, keys), bins), sums((theirs, keys), bins), n_required=n).verdict
        tally += [verdict is gv.Verdict.ROBUST, verdict is gv.Verdict.BIASED]
    assert np.all(tally / toys < 0.05 + 3 * math.sqrt(0.05 * 0.95 / toys))


def test_no_discordant_pair_is_no_proof_of_everything() -> None:
    """Equal rows limit the difference by the Clopper-Pearson limit of none, and n_supported by four times the pairs."""
    n = 400
    generated, reference = pair_sums(8, n, 0.0, bins=5)
    a = assessment(generated, reference, 100)
    share = 1 - 0.05 ** (1 / n)
    least = float((generated.sumw / n + reference.sumw / n).min())
    assert a.discordant_pairs == DiscordantPairs(0, n, least)
    for test in a.tests:
        assert test.upper == pytest.approx(2 * share**2 / least, rel=1e-9)
        assert (test.lower, test.lower_corrected, test.p_biased(100)) == (0.0, 0.0, 1.0)
    assert a.n_supported == min(4 * n, a.all_bins.demanded / a.all_bins.upper)
    assert (a.verdict(), a.power, a.p_agreement) == (gv.Verdict.ROBUST, 1.0, 1.0)
    beyond = assessment(generated, reference, 4 * n + 1)
    assert (beyond.verdict(), beyond.power) == (gv.Verdict.UNPROVEN, 0.0)
    comparison = gv.compare(generated, reference, n_required=4 * n + 1)
    assert "400 clusters across both sides support n_required 1,600 at most" in comparison.reasons[0]


def test_few_discordant_pairs_are_never_biased() -> None:
    """Six pairs that all moved from one bin to another look like a bias, and are too few to show it."""
    n = 1000
    reference = pair_sums(9, n, 0.0, bins=5)[1]
    keys = np.arange(n)
    values = np.repeat(np.arange(5), reference.sumw.astype(int)) + 0.5
    ours = values.copy()
    ours[:6] = 4.5
    generated, reference = sums((ours, keys), 5), sums((values, keys), 5)
    a = assessment(generated, reference, 1e6)
    assert a.discordant_pairs is not None
    assert (a.discordant_pairs.number, a.discordant_pairs.pairs) == (6, n)
    share = stats.beta.ppf(0.95, 7, n - 6)
    assert a.all_bins.upper == pytest.approx(2 * share**2 / a.discordant_pairs.min_content)
    assert a.verdict() is gv.Verdict.UNPROVEN
    assert a.all_bins.p_robust(1e6) == pytest.approx(
        stats.binom.cdf(6, n, math.sqrt(a.all_bins.demanded / 1e6 * a.discordant_pairs.min_content / 2))
    )
    small = assessment(generated, reference, 1000)
    assert "by 6 of 1,000 pairs being in different bins" in gv.compare(generated, reference, n_required=1000).reasons[0]
    assert small.verdict() is gv.Verdict.ROBUST
    most, median, least = small.expected_n_supported
    assert most <= median <= least <= 4 * n


def test_what_other_pairs_would_get() -> None:
    """Power and quantiles of few discordant pairs are those of binomial numbers of them."""
    few = DiscordantPairs(5, 500, 0.2)
    limits = [DiscordantPairs(k, 500, 0.2).upper_limit(0.05) for k in range(30)]
    assert few.power(limits[7], 0.05) == pytest.approx(stats.binom.cdf(7, 500, 0.01))
    assert few.power(limits[0] / 2, 0.05) == 0.0
    assert few.expected_limit(0.5, 0.05) == limits[int(stats.binom.ppf(0.5, 500, 0.01))]
    assert few.p_value(few.upper_limit(0.05)) == pytest.approx(0.05)
    assert DiscordantPairs(3, 3, 0.5).upper_limit(0.05) == pytest.approx(2 / 0.5)


def test_few_clusters_that_are_no_pairs_are_unproven() -> None:
    """Noise that rests on ten clusters of a side is not known; the reason says how many there are and what helps."""
    rng = np.random.default_rng(10)
    keys = np.arange(2000) % 10
    values = (rng.integers(0, K, 10)[keys] + rng.integers(0, 2, 2000)) % K + 0.5
    independent: Any = rng.integers(0, K, 2000) + 0.5
    comparison = gv.compare(sums((values, keys)), fill(grid(K), (independent,), None), n_required=50)
    assert comparison.verdict is gv.Verdict.UNPROVEN
    assert (comparison.n_supported, comparison.power) == (0.0, 0.0)
    assert "too few clusters" in comparison.reasons[0]
    assert "(at least 20 are needed" in comparison.reasons[0]


def test_one_truth_event_simulated_ten_times() -> None:
    """Of folds with a perfect response some per cent at most are BIASED, fewer than of rows taken for independent."""
    biased, ignored = 0, 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 11])
        truth, other = rng.normal(size=(2, 300))
        keys = np.repeat(np.arange(300), 10)
        edges = stats.norm.ppf(np.arange(1, 20) / 20)
        ours = np.searchsorted(edges, (truth[keys] + 0.02 * rng.normal(size=3000)) / math.hypot(1, 0.02)) + 0.5
        theirs = fill(grid(20), (np.searchsorted(edges, other) + 0.5,), None)
        biased += gv.compare(sums((ours, keys), 20), theirs, n_required=300).verdict is gv.Verdict.BIASED
        plain = fill(grid(20), (ours,), None)
        ignored += gv.compare(plain, theirs, n_required=300).verdict is gv.Verdict.BIASED
    assert biased / 60 <= 0.085 + 2 * math.sqrt(0.085 * 0.915 / 60)
    assert ignored > biased


def test_the_classical_chi2_of_pairs() -> None:
    """χ² of pairs has mean ndf, and is nothing where no pair differs."""
    found = []
    for seed in range(60):
        generated, reference = pair_sums(seed, 3000, 0.05, bins=10)
        noise, _ = noise_of(generated, reference)
        found.append(chi2_test(generated, reference, cross=noise.cross))
    assert np.mean([result.chi2 for result in found]) == pytest.approx(9, abs=1.7)
    generated, reference = pair_sums(1, 300, 0.0, bins=10)
    noise, _ = noise_of(generated, reference)
    result = chi2_test(generated, reference, cross=noise.cross)
    assert (result.chi2, result.ndf, result.p_value) == (0.0, 0, 1.0)


def test_more_pairs_are_asked_for_on_both_sides() -> None:
    """The advice to pairs is a larger number of both, in the same proportion."""
    generated, reference = pair_sums(12, 1000, 0.3)
    comparison = gv.compare(generated, reference, n_required=1000)
    assert not comparison.robust
    assert comparison.n_reference_needed == pytest.approx(comparison.n_generated_needed, rel=0.05)
    assert comparison.n_reference_needed > 1000

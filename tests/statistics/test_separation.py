"""The triangular discrimination, its moments and its confidence limits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid import Comparison, Counts, Verdict, compare
from pytest_ganvalid.statistics.separation import Fractions, Separation, _noise_per_content, _second_order, separation
from pytest_ganvalid.toys.boundary import boundary_shape, triangular_discrimination

FloatArray = NDArray[np.float64]
Pair = tuple[FloatArray, FloatArray]
IntArray = NDArray[np.intp]

_KINDS = ("counts", "lognormal", "one heavy bin", "signed")
_ALPHAS = (0.001, 0.05, 0.32, 0.499)

_REFERENCE_1 = [812, 1630, 2421, 1577, 1560]
_ROW_1 = ([105, 212, 287, 214, 182], _REFERENCE_1, 500)
_ROW_2 = (
    [9830, 10120, 9911, 10230, 9950, 10045, 9870, 10111, 9960, 9973],
    [20110, 19820, 20240, 19790, 20005, 20120, 19850, 20065, 19930, 20070],
    5000,
)
_WEIGHTED = (np.array([88, 190, 250, 180, 150.0]), np.array([130, 260, 350, 240, 210.0]))


def _fractions(sums: object) -> Fractions:
    sumw, sumw2 = sums if isinstance(sums, tuple) else (sums, sums)
    return Fractions.from_sums(np.asarray(sumw, dtype=float), np.asarray(sumw2, dtype=float))


def _digits(value: float, expected: float, digits: int) -> bool:
    """Whether ``value`` rounds to ``expected`` at this number of significant digits."""
    return float(f"{value:.{digits - 1}e}") == expected


def test_first_worked_example() -> None:
    """Row 1 of the worked examples: every printed digit of T, its moments, the limits and the power."""
    generated, reference, n_required = _ROW_1
    one = separation(_fractions(generated), _fractions(reference))
    assert _digits(one.t, 0.0017780186, 8)
    assert _digits(one.m1, 0.0022568745, 8)
    assert _digits(one.m2, 1.273832e-06, 7)
    assert _digits(one.v, 3.996171e-06, 7)
    assert _digits(one.nu, 3.9985511, 8)
    assert one.lower_limit(0.05) == 0
    assert _digits(one.upper_limit(0.05), 0.0041598176, 8)
    assert _digits(one.cls_limit(0.05), 0.005462333, 7)
    result = compare(Counts(generated), Counts(reference), n_required=n_required)
    assert _digits(result.n_supported, 366.144, 6)
    assert _digits(result.power, 0.09855, 4)
    assert result.verdict is Verdict.UNPROVEN


def test_second_worked_example() -> None:
    """Row 2 of the worked examples: every printed digit of the intervals, and the verdict ROBUST."""
    generated, reference, n_required = _ROW_2
    one = separation(_fractions(generated), _fractions(reference))
    assert _digits(one.t, 1.3306097e-04, 8)
    assert _digits(one.m1, 6.7498933e-05, 8)
    result = compare(Counts(generated), Counts(reference), n_required=n_required)
    assert _digits(one.upper_limit(0.05), 1.85813e-04, 6)
    half = result.separation
    assert _digits(half.lower, 1.6623e-06, 5)
    assert _digits(half.estimate, 3.2781e-05, 5)
    assert _digits(half.upper, 9.36817e-05, 6)
    chi2 = result.chi2_required
    assert [round(x, 3) for x in (chi2.lower, chi2.estimate, chi2.upper)] == [9.017, 9.328, 9.937]
    assert round(result.directional_bias.upper, 4) == 1.3688
    assert _digits(result.n_supported, 24017.5, 6)
    assert _digits(result.n_equivalent.upper, 1.3535e6, 5)
    assert result.verdict is Verdict.ROBUST


def test_weighted_worked_example() -> None:
    """Row 3 of the worked examples: every printed digit of the effective size, m1 and n_supported."""
    generated = _fractions(_WEIGHTED)
    assert _digits(generated.n_effective, 618.63, 5)
    assert _digits(separation(generated, _fractions(_REFERENCE_1)).m1, 0.0035101249, 8)
    result = compare(Counts(*_WEIGHTED), Counts(_REFERENCE_1), n_required=300)
    assert _digits(result.n_supported, 247.209, 6)
    assert result.verdict is Verdict.UNPROVEN


def _first_order(generated: Fractions, reference: Fractions) -> float:
    return float(np.sum((generated.variance + reference.variance) / (generated.q + reference.q)))


def test_the_corrections_are_absent_from_the_worked_examples() -> None:
    """Where the second order is negligible m1 is tr(AM) to the last digit, and no bin counts as quiet."""
    for generated, reference in (_ROW_1[:2], _ROW_2[:2], (_WEIGHTED, _REFERENCE_1)):
        pair = _fractions(generated), _fractions(reference)
        one = separation(*pair)
        assert one.m1 == pytest.approx(_first_order(*pair), rel=1e-14)
        assert one.quiet == 1


@pytest.mark.parametrize("shape", ["perfect", "tail_up", "tail_down"])
@pytest.mark.parametrize("sizes", [(600, 12_000), (12_000, 600), (3_000, 3_000)])
def test_the_estimate_is_free_of_bias_to_second_order(shape: str, sizes: tuple[int, int]) -> None:
    """With ten events per bin of the smaller sample T - m1 averages to Δ within what counts as negligible."""
    p = np.full(60, 1 / 60)
    q = p if shape == "perfect" else boundary_shape(shape, p, 0.02)
    rng, toys = np.random.default_rng(9), 1000
    pairs = zip(rng.multinomial(sizes[0], q, toys), rng.multinomial(sizes[1], p, toys), strict=True)
    found = [separation(_fractions(g), _fractions(r)) for g, r in pairs]
    spread = np.std([one.t for one in found])
    error = np.mean([one.estimate for one in found]) - triangular_discrimination(q, p)
    assert abs(error) < (0.05 + 3 / math.sqrt(toys) + 0.04) * spread


def test_only_bins_of_unlike_weights_are_quiet() -> None:
    """A bias in bins of small weights is less noisy than the average, one in bins of large weights is not."""
    weight = np.where(np.arange(40) < 20, 0.1, 1.0)
    for lifted, quiet in ((slice(0, 20), True), (slice(20, 40), False)):
        counts = np.full(40, 400.0)
        counts[lifted] *= np.where(np.arange(20) % 2, 1.2, 0.8)
        one = separation(_fractions((counts * weight, counts * weight**2)), _fractions((400 * weight, 400 * weight**2)))
        assert (one.quiet < 1) is quiet
        assert separation(_fractions(counts), _fractions(np.full(40, 400.0))).quiet == 1


def test_noise_per_content_follows_weights_that_depend_on_the_bin_only() -> None:
    """It is one over n for counts and the same in all bins for signed weights, but follows importance weights."""
    rng = np.random.default_rng(11)
    content, events = np.full(200, 1 / 200), rng.poisson(10, 200).astype(float)
    assert _noise_per_content(_fractions(events), content) == pytest.approx(1 / events.sum())
    plus, minus = rng.poisson(35, 200), rng.poisson(15, 200)
    signed = _fractions((plus - minus, plus + minus))
    assert _noise_per_content(signed, content) == pytest.approx(signed.sigma)
    weight, events = np.geomspace(0.3, 3, 200), 10 * events
    weighted = _fractions((events * weight, events * weight**2))
    found, true = _noise_per_content(weighted, weighted.q), weight / (events @ weight)
    assert np.all(np.abs(found - true) <= 0.5 * np.abs(weighted.sigma - true) + 1e-9)


def _weights(rng: np.random.Generator, kind: str, events: int, bins: IntArray) -> FloatArray:
    if kind == "lognormal":
        return rng.lognormal(0, rng.uniform(0.2, 1.5), events)
    if kind == "one heavy bin":
        return np.where(bins == 0, rng.uniform(3, 100), 1.0)
    if kind == "signed":
        return np.where(rng.random(events) < 0.15, -1.0, 1.0)
    return np.ones(events)


def _sums(rng: np.random.Generator, kind: str, p: FloatArray) -> Pair:
    events = int(10 ** rng.uniform(2, 4))
    bins = rng.choice(p.size, events, p=p)
    weights = _weights(rng, kind, events, bins)
    sumw, sumw2 = (np.bincount(bins, values, p.size).astype(float) for values in (weights, weights**2))
    return sumw, sumw2


def _histograms(seed: int, kind: str) -> tuple[Fractions, Fractions]:
    """Two random histograms, equal or not in truth, without empty or negative pooled bins."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(int(rng.integers(2, 30)), 3.0))
    q = p * np.exp(rng.choice([0, 0.1, 1]) * rng.normal(size=p.size))
    generated = _fractions(_sums(rng, kind, q / q.sum()))
    reference = _fractions(_sums(rng, rng.choice(["counts", kind]), p))
    keep = generated.q + reference.q > 0
    if keep.sum() < 2:
        return _histograms(seed + 10_000, kind)
    return _selected(generated, keep), _selected(reference, keep)


def _selected(one: Fractions, keep: NDArray[np.bool_]) -> Fractions:
    total = one.q[keep].sum()
    return _fractions((one.q[keep] / total, one.u[keep] / total**2))


def _covariance(one: Fractions) -> FloatArray:
    q, u = one.q, one.u
    return np.asarray(np.diag(u) - np.outer(q, u) - np.outer(u, q) + u.sum() * np.outer(q, q))


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(25))
def test_sums_over_bins_equal_the_matrix_formulas(kind: str, seed: int) -> None:
    """The O(bins) sums give what explicit bins x bins matrices give: tr(AM), tr(AMAM), of m1 and m2, and V."""
    generated, reference = _histograms(seed, kind)
    one = separation(generated, reference)
    q, p = generated.q, reference.q
    c_g, c_r = _covariance(generated), _covariance(reference)
    am = (c_g + c_r) / (q + p)[:, None]
    rho = (q - p) / (q + p)
    a, b = rho * (2 - rho), -rho * (2 + rho)
    m1, m2 = float(np.trace(am)), float(np.trace(am @ am))
    more = _second_order(generated, reference, m1, m2)
    assert one.t == pytest.approx(np.sum((q - p) ** 2 / (q + p)), rel=1e-12)
    assert one.m1 == pytest.approx(m1 * more, rel=1e-10)
    assert one.m2 == pytest.approx(m2 * more**2, rel=1e-10)
    assert one.v == pytest.approx(a @ c_g @ a + b @ c_r @ b, rel=1e-9)
    assert one.w == pytest.approx(max(one.v / one.t, 4 * one.m1 / one.nu))


@pytest.mark.parametrize("kind", _KINDS)
def test_covariance_of_fractions_is_the_spread_of_toys(kind: str) -> None:
    """The variance of each normalised content, and that of a linear combination, is what many samples show."""
    rng = np.random.default_rng(5)
    p, direction = np.array([0.1, 0.3, 0.2, 0.4]), np.array([1.0, -2.0, 0.5, 3.0])
    bins = rng.choice(4, (3000, 1000), p=p)
    weights = {
        "counts": np.ones(bins.shape),
        "lognormal": rng.lognormal(0, 0.7, bins.shape),
        "one heavy bin": np.where(bins == 0, 3.0, 1.0),
        "signed": np.where(rng.random(bins.shape) < 0.15, -1.0, 1.0),
    }[kind]
    sumw = np.stack([(weights * (bins == i)).sum(axis=1) for i in range(4)], axis=1)
    sumw2 = np.stack([(weights**2 * (bins == i)).sum(axis=1) for i in range(4)], axis=1)
    samples = [_fractions(pair) for pair in zip(sumw, sumw2, strict=True)]
    q = np.array([sample.q for sample in samples])
    expected = np.mean([sample.variance for sample in samples], axis=0)
    assert q.var(axis=0) == pytest.approx(expected, rel=0.12)
    form = np.mean([sample.quadratic_form(direction) for sample in samples])
    assert (q @ direction).var() == pytest.approx(form, rel=0.12)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(40))
def test_limits_satisfy_their_equations(kind: str, seed: int) -> None:
    """At each limit the tail is α; a limit is 0 only where the tail at Δ = 0 is already past α."""
    one = separation(*_histograms(seed, kind))
    for alpha in _ALPHAS:
        lower, upper = one.lower_limit(alpha), one.upper_limit(alpha)
        assert 0 <= lower <= upper
        if upper > 0:
            assert one.lower_tail(upper) == pytest.approx(alpha, rel=1e-8)
        else:
            assert one.lower_tail(0) <= alpha
        if lower > 0:
            assert one.upper_tail(lower) == pytest.approx(alpha, rel=1e-8)
        else:
            assert one.upper_tail(0) >= alpha


def _grid(one: Separation) -> FloatArray:
    """A dense grid of Δ from 0 to far beyond the limits, with the ends of the gamma branch and of its first part."""
    scale = abs(one.estimate) + one.m1 + 10 * math.sqrt(2 * one.m2) + 10 * one.w
    end = one._gamma_until
    points = [
        np.linspace(0, one.m1, 60),
        np.geomspace(1e-6 * scale, 20 * scale, 150),
        end * (1 + np.linspace(-0.1, 0.1, 41)),
    ]
    return np.unique(np.concatenate(points).clip(min=0))


def _falls(values: list[float]) -> bool:
    """Whether each is at most the smallest before it, but for scipy's rounding."""
    smallest = np.minimum.accumulate(values)
    return bool(np.all(np.asarray(values)[1:] <= smallest[:-1] * (1 + 1e-7) + 1e-12))


def _assert_monotone(one: Separation) -> None:
    grid = _grid(one).tolist()
    assert _falls([one.lower_tail(delta) for delta in grid])
    assert _falls([-one.upper_tail(delta) + 1 for delta in grid])


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(30))
def test_tails_are_monotone_in_delta(kind: str, seed: int) -> None:
    """The lower tail falls and the upper tail rises with Δ, from 0 to far beyond the limits."""
    _assert_monotone(separation(*_histograms(seed, kind)))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    nu=st.floats(1, 1e4),
    excess=st.floats(0, 1),
    t=st.floats(-3, 3),
    m1=st.sampled_from([1e-11, 1e-3, 1.0]),
)
def test_tails_are_monotone_whatever_the_moments(nu: float, excess: float, t: float, m1: float) -> None:
    """Monotone too for the largest V that bins of positive content admit, where the model is mostly a gamma."""
    floor = 4 * m1 / nu
    w = floor * (1 + excess * max(2.25 * math.sqrt(nu) - 1, 0))
    t = m1 * 10**t
    _assert_monotone(Separation(t, m1, m1**2 / nu, w * t))


_HEAVY = Separation(t=1e-5, m1=1e-3, m2=1e-3**2 / 60, v=1e-5 * 10 * 4 * 1e-3 / 60)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(nu=st.floats(1, 1e4), quiet=st.floats(0, 1), t=st.floats(-3, 3))
def test_tails_are_monotone_where_a_bias_sits_in_quiet_bins(nu: float, quiet: float, t: float) -> None:
    """Monotone too where only a share of Δ makes noise; the limits then solve their equations and are ordered."""
    one = Separation(10**t, 1.0, 1 / nu, 0.0, quiet)
    _assert_monotone(one)
    lower, upper = one.lower_limit(0.05), one.upper_limit(0.05)
    assert 0 <= lower <= upper
    assert upper == 0 or one.lower_tail(upper) == pytest.approx(0.05, rel=1e-6)
    assert lower == 0 or one.upper_tail(lower) == pytest.approx(0.05, rel=1e-6)


def test_the_gamma_model_alone_is_not_monotone() -> None:
    """What the monotone tail mends: with heavy weights the gamma model's own lower tail rises near Δ = 0."""
    turning = _HEAVY.m1 - 4 * _HEAVY.m2 / _HEAVY.w
    assert 0 < turning < _HEAVY._gamma_until
    plain = [_HEAVY._gamma(delta, _HEAVY._shape(delta)) for delta in np.linspace(0, turning, 20)]
    assert plain[0] < max(plain)
    _assert_monotone(_HEAVY)


def test_the_monotone_tail_is_never_below_the_model() -> None:
    """The lower tail is at least the model's wherever it is below one half, so the upper limit is conservative."""
    for nu, excess, t in itertools.product((1, 4, 60, 1e3), (1.0, 1.2, 2.0), (0.01, 0.3, 1, 3, 30)):
        w = 4 / nu * min(excess * max(1.0, nu**0.25), 2.25 * math.sqrt(nu))
        one = Separation(t, 1.0, 1 / nu, w * t)
        for delta in _grid(one).tolist():
            gamma = delta <= one._gamma_until
            model = one._gamma(delta, one._shape(delta)) if gamma else 1 - one.upper_tail(delta)
            assert one.lower_tail(delta) >= min(model, 0.5) - 1e-9


def _decisions_agree(result: Comparison, alpha: float) -> bool:
    """Whether p-values and limits say the same, but for a tie in the last digits."""
    excess = min(result.chi2_critical - result.ndf, result.max_bias**2 * result.ndf / 2)
    boundary = excess / result.n_required
    upper, lower = 2 * result.separation.upper, 2 * result.separation.lower
    robust = (upper <= boundary) == (result.p_robust <= alpha) or math.isclose(upper, boundary, rel_tol=1e-8)
    biased = lower <= boundary or result.p_biased < alpha or math.isclose(lower, boundary, rel_tol=1e-8)
    return robust and biased


@pytest.mark.parametrize("kind", _KINDS)
def test_p_values_decide_as_the_limits_do(kind: str) -> None:
    """Δ_up <= E/n_required exactly if p_robust <= α, and Δ_lo > E/n_required exactly if its p-value is below α."""
    for seed, n_required in itertools.product(range(20), (10, 300, 10_000, 10**6)):
        generated, reference = _histograms(seed, kind)
        pair = Counts(generated.q, generated.u), Counts(reference.q, reference.u)
        result = compare(*pair, n_required=n_required, min_expected=0, max_local_bias=math.inf, smooth=False)
        assert _decisions_agree(result, 0.05)
        one = separation(generated, reference)
        boundary = min(result.chi2_critical - result.ndf, result.ndf / 2) / n_required
        assert (one.lower_limit(0.05) > boundary) == (one.upper_tail(boundary) < 0.05)


def test_p_values_decide_as_the_limits_do_around_them() -> None:
    """Just below and just above each limit the p-values fall on the right sides of α, in the gamma model too."""
    for t in (1e-6, 1e-5, 3e-4, 1e-3, 3e-3, 0.02, 0.5):
        one = Separation(t, _HEAVY.m1, _HEAVY.m2, _HEAVY.w * t)
        for alpha in _ALPHAS:
            lower, upper = one.lower_limit(alpha), one.upper_limit(alpha)
            assert one.lower_tail(upper * (1 + 1e-6)) <= alpha
            assert upper == 0 or one.lower_tail(upper * (1 - 1e-6)) > alpha
            assert one.upper_tail(lower * (1 + 1e-6)) >= alpha
            assert lower == 0 or one.upper_tail(lower * (1 - 1e-6)) < alpha


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30])
def test_the_scale_of_weights_does_not_matter(kind: str, factor: float) -> None:
    """Scaling all weights of one sample changes nothing."""
    generated, reference = _histograms(3, kind)
    scaled = _fractions((generated.q * factor, generated.u * factor**2))
    one, other = separation(generated, reference), separation(scaled, reference)
    assert (other.t, other.m1, other.m2, other.v) == pytest.approx((one.t, one.m1, one.m2, one.v), rel=1e-9)


def test_exchanging_the_samples_changes_nothing() -> None:
    """Δ, its moments and its limits are symmetric in generated and reference."""
    for seed, kind in itertools.product(range(5), _KINDS):
        generated, reference = _histograms(seed, kind)
        one, other = separation(generated, reference), separation(reference, generated)
        assert (other.t, other.m1, other.m2, other.v) == pytest.approx((one.t, one.m1, one.m2, one.v), rel=1e-10)
        assert other.quiet == pytest.approx(one.quiet)


def test_identical_samples_give_no_difference() -> None:
    """T is 0 when the contents are proportional, and so is the lower limit."""
    one = separation(_fractions([10, 20, 30]), _fractions([100, 200, 300]))
    assert one.t == pytest.approx(0, abs=1e-30)
    assert (one.lower_limit(0.05), one.upper_limit(0.05)) == (0, 0)


def test_rounding_is_no_difference() -> None:
    """Contents that are equal but for rounding are as those that are equal; one event more is seen."""
    contents = np.random.default_rng(3).uniform(20, 200, 12)
    same, scaled, other = (Fractions.from_sums(c, c) for c in (contents, 10 * contents, contents + np.eye(12)[0]))
    scaled = Fractions(scaled.q * (1 + 2e-15), same.u, same.sigma)
    assert np.array_equal(scaled.minus(same), np.zeros(12))
    assert separation(scaled, same).t == separation(same, same).t == 0
    assert np.all(other.minus(same) != 0)


def test_disjoint_samples_are_as_different_as_can_be() -> None:
    """Two samples without a common bin have T = 2, whether or not the covariance can be estimated."""
    for generated, reference in (([500, 0], [0, 500]), ([250, 250, 0, 0], [0, 0, 250, 250])):
        one = separation(_fractions(generated), _fractions(reference))
        assert one.t == 2
        assert one.lower_tail(1.0) == pytest.approx(1)
        assert one.upper_tail(1.0) == pytest.approx(0, abs=1e-9)
        assert 1.75 < one.lower_limit(0.05) <= 2 <= one.upper_limit(0.05) < 2.25

"""`compare` over its whole numerical range: 10 to 10¹² events, 2 to 10⁵ bins, agreement to 10⁻¹⁰ to none at all."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid import Comparison, Counts, InputError, Interval, Verdict, compare

FloatArray = NDArray[np.float64]

_EVENTS = (10, 1e3, 1e5, 1e8, 1e12)
_BINS = (2, 3, 50, 1000)
_REQUIRED = (1, 1e4, 1e8, 1e12)
_MAY_BE_INFINITE = {"n_equivalent", "n_supported"}
_REFUSALS = ("nothing is compared", "no events", "expected a positive sum of weights", "provide more events")


def _counts(rng: np.random.Generator, events: float, p: FloatArray) -> Counts:
    """Poisson counts of this mean; rounded normal ones where the mean is beyond numpy's Poisson generator."""
    mean = events * p
    normal = np.round(mean + np.sqrt(mean) * rng.normal(size=p.size))
    return Counts(np.where(mean < 1e9, rng.poisson(np.minimum(mean, 1e9)), normal))


def _numbers(value: object, name: str = "") -> list[tuple[str, float]]:
    """All numbers in a result, with the field of the comparison that they belong to."""
    if isinstance(value, float | int):
        return [(name, float(value))]
    if is_dataclass(value):
        parts = [(name or field.name, getattr(value, field.name)) for field in fields(value)]
    else:
        parts = [(name, item) for item in value] if isinstance(value, tuple) else []
    return [number for part, item in parts for number in _numbers(item, part)]


def _check(result: Comparison) -> None:
    """Every number is finite or a documented infinity, every interval ordered, every probability one."""
    for name, number in _numbers(result):
        assert math.isfinite(number) or (name in _MAY_BE_INFINITE and number == math.inf), (name, number)
    for name in ("separation", "chi2_required", "rms_bias", "n_equivalent"):
        interval = getattr(result, name)
        assert isinstance(interval, Interval)
        assert 0 <= interval.lower <= interval.estimate <= interval.upper, name
    for name in ("p_value", "p_robust", "p_biased", "power"):
        assert 0 <= getattr(result, name) <= 1, name
    assert result.reasons


def _uneven(bins: int) -> FloatArray:
    p = 1 + np.arange(bins) / bins
    return np.asarray(p / p.sum())


def _assert_compared_or_refused(
    generated: Counts, reference: Counts, n_required: float, confidence: float = 0.95
) -> None:
    """Compare and check; only data that leave nothing to compare may be refused, in words."""
    try:
        result = compare(generated, reference, n_required=n_required, confidence=confidence)
    except InputError as error:
        words = str(error)
    else:
        return _check(result)
    assert any(reason in words for reason in _REFUSALS), words
    return None


@pytest.mark.parametrize("events", _EVENTS)
@pytest.mark.parametrize("bins", _BINS)
@pytest.mark.parametrize("n_required", _REQUIRED)
def test_agreeing_samples(events: float, bins: int, n_required: float) -> None:
    """Samples of one distribution, equal in size or not, give a sane result at every size and n_required."""
    rng = np.random.default_rng(int(bins + events))
    p = _uneven(bins)
    for ratio in (1, 10, 1e-3):
        _assert_compared_or_refused(_counts(rng, events, p), _counts(rng, max(10, events * ratio), p), n_required)


@pytest.mark.parametrize("events", _EVENTS)
@pytest.mark.parametrize("bins", _BINS)
@pytest.mark.parametrize("n_required", _REQUIRED)
def test_disjoint_samples(events: float, bins: int, n_required: float) -> None:
    """Samples without a common bin, of non-centralities up to 10¹², give a sane result, and BIASED if large."""
    rng = np.random.default_rng(int(bins + events))
    p = _uneven(bins)
    half = np.arange(bins) < bins / 2
    generated = _counts(rng, events, np.where(half, p, 0) / p[half].sum())
    reference = _counts(rng, events, np.where(half, 0, p) / p[~half].sum())
    result = compare(generated, reference, n_required=n_required)
    _check(result)
    # Two bins at n_required = 1 allow Δ up to 1/2; with more the error bars of a single event allow any Δ.
    if events >= 1e5 and n_required >= 1e4:
        assert result.verdict is Verdict.BIASED


@pytest.mark.parametrize("size", [1e-10, 1e-7, 1e-4, 1e-2])
def test_tiny_disagreement_is_resolved(size: float) -> None:
    """With 10¹² events any Δ from 10⁻¹⁰ up is measured: it lies in its interval, and not far from the estimate."""
    p = _uneven(50)
    shape = np.where(np.arange(50) % 2, 1.0, -1.0)
    q = p * (1 + math.sqrt(2 * size) * shape)
    rng = np.random.default_rng(4)
    q /= q.sum()
    result = compare(_counts(rng, 1e12, q), _counts(rng, 1e12, p), n_required=1e8)
    _check(result)
    delta = float(np.sum((q - p) ** 2 / (q + p)))
    assert delta == pytest.approx(size, rel=0.05)
    assert 2 * result.separation.lower <= delta <= 2 * result.separation.upper
    assert result.separation.estimate == pytest.approx(delta / 2, rel=0.2)
    assert result.verdict is (Verdict.ROBUST if size <= 1e-7 else Verdict.BIASED)


@pytest.mark.parametrize("shift", [0.01, 0.1])
def test_a_hundred_thousand_bins(shift: float) -> None:
    """10⁵ bins, nearly agreeing and biased, give a sane result of the right verdict."""
    rng = np.random.default_rng(1)
    bins = 100_000
    lift = np.where(np.arange(bins) % 2, shift, -shift)
    result = compare(Counts(rng.poisson(200 * (1 + lift))), Counts(rng.poisson(200 * np.ones(bins))), n_required=1e6)
    _check(result)
    assert result.bins == bins
    assert result.verdict is (Verdict.BIASED if shift >= 0.1 else Verdict.ROBUST)


@pytest.mark.parametrize("factor", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("n_required", _REQUIRED)
def test_weights_of_any_scale(factor: float, n_required: float) -> None:
    """Weights of 10⁻³⁰ or 10³⁰ on either side, or on both, give the result of weights of 1."""
    generated, reference = np.array([130, 260, 350, 240, 210.0]), np.array([812, 1630, 2421, 1577, 1560.0])
    plain = compare(Counts(generated, generated), Counts(reference, reference), n_required=n_required)
    scaled = Counts(generated * factor, generated * factor**2)
    for other in (Counts(reference, reference), Counts(reference / factor, reference / factor**2)):
        result = compare(scaled, other, n_required=n_required)
        _check(result)
        assert result.verdict is plain.verdict
        assert result.separation.upper == pytest.approx(plain.separation.upper, rel=1e-9)
        assert result.chi2 == pytest.approx(plain.chi2, rel=1e-6)


@pytest.mark.parametrize("bins", [2, 5, 50])
@pytest.mark.parametrize("n_required", _REQUIRED)
def test_one_bin_holds_all_but_a_trace(bins: int, n_required: float) -> None:
    """One bin with 1 - 10⁻¹⁰ of all events leaves finite numbers, agreeing or not."""
    p = np.full(bins, 1e-10 / (bins - 1))
    p[0] = 1 - 1e-10
    rng = np.random.default_rng(bins)
    for other in (p, np.append(p[0] - 1e-9, p[1:] + 1e-9 / (bins - 1)), np.roll(p, 1)):
        _check(compare(_counts(rng, 1e12, p), _counts(rng, 1e12, other), n_required=n_required))


def test_one_weight_outweighs_all_others() -> None:
    """A single event with a weight of 10⁶ leaves a finite, wide interval and no verdict but UNPROVEN."""
    counts = np.full(20, 1000.0)
    sumw, sumw2 = counts.copy(), counts.copy()
    sumw[7] += 1e6
    sumw2[7] += 1e12
    result = compare(Counts(sumw, sumw2), Counts(counts), n_required=1000)
    _check(result)
    assert result.verdict is Verdict.UNPROVEN


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    bins=st.integers(2, 40),
    sizes=st.tuples(st.floats(1, 7), st.floats(1, 7)),
    n_required=st.floats(0, 12),
    negative=st.floats(0, 0.4),
)
def test_signed_weights(seed: int, bins: int, sizes: tuple[float, float], n_required: float, negative: float) -> None:
    """Weights of both signs give a sane result, or a refusal in words when they leave no positive sums."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(bins, 2.0))
    pair = []
    for size in sizes:
        plus, minus = rng.poisson(10**size * p * (1 - negative)), rng.poisson(10**size * p * negative)
        pair.append(Counts(plus - minus, plus + minus))
    _assert_compared_or_refused(pair[0], pair[1], 10**n_required)


@settings(max_examples=70, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    bins=st.integers(2, 60),
    events=st.tuples(st.floats(1, 12), st.floats(1, 12)),
    n_required=st.floats(0, 12),
    bias=st.floats(-6, 1),
    confidence=st.sampled_from([0.7, 0.95, 0.999999]),
)
def test_anything_in_the_range(
    seed: int, bins: int, events: tuple[float, float], n_required: float, bias: float, confidence: float
) -> None:
    """Any sizes, spectra, biases and confidences in the range give a sane result."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(bins, 0.5)) + 1e-12
    q = p * np.exp(10**bias * rng.normal(size=bins))
    pair = [_counts(rng, 10**size, x / x.sum()) for size, x in zip(events, (q, p), strict=True)]
    _assert_compared_or_refused(pair[0], pair[1], 10**n_required, confidence)

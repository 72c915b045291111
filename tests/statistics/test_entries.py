"""With several entries per event, errors, sizes and the classical χ² are those of events."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.separation import Fractions, separation

FloatArray = NDArray[np.float64]
BINS = Grid((Axis((1.0, 2.0, 3.0, 4.0)),))
A = np.array([0.3, -1.0, 2.0, 0.5, 1.5])


def filled(counts: NDArray[np.intp], values: FloatArray, weight: FloatArray | None = None) -> BinSums:
    """Five bins of entries that belong to events."""
    return fill(BINS, (values,), weight, counts=counts)


def events(n: int, seed: int, *, common: bool = True) -> tuple[NDArray[np.intp], FloatArray]:
    """Events of 0 to 5 entries that prefer a bin, or do not."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 6, n)
    bins = np.repeat(rng.integers(0, 5, n), counts)
    free = rng.integers(0, 5, counts.sum())
    return counts, np.where(rng.random(counts.sum()) < 0.6 * common, bins, free) + 0.5


def contents(counts: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """Bin contents of each event, shape (events, 5), the slow way."""
    rows = np.split(values, np.cumsum(counts)[:-1])
    return np.array([np.bincount(row.astype(int), minlength=5) for row in rows], dtype=float)


def fractions(sums: BinSums) -> Fractions:
    """Normalised sums."""
    return Fractions.from_sums(sums.sumw, sums.sumw2, sums.products)


def test_sums_are_those_of_the_contents_of_events() -> None:
    """Sums, squared sums and products agree with those of the events' contents, with weights and without."""
    counts, values = events(200, 1)
    h = contents(counts, values)
    for weight in (None, np.random.default_rng(2).normal(1, 0.5, 200)):
        weighted = h if weight is None else h * weight[:, None]
        sums = filled(counts, values, weight)
        np.testing.assert_allclose(sums.sumw, weighted.sum(axis=0))
        assert sums.products is not None
        np.testing.assert_allclose(sums.products, weighted.T @ weighted)
        np.testing.assert_allclose(sums.sumw2, (weighted**2).sum(axis=0))


def test_the_covariance_is_that_of_the_formula() -> None:
    """C = Σ (h - q m)(h - q m)ᵀ / W², its diagonal and its quadratic form."""
    counts, values = events(300, 3)
    h = contents(counts, values)
    sample = fractions(filled(counts, values))
    total = h.sum()
    centred = h - np.outer(h.sum(axis=1), h.sum(axis=0) / total)
    expected = centred.T @ centred / total**2
    np.testing.assert_allclose(sample.covariance(), expected, atol=1e-15)
    np.testing.assert_allclose(sample.variance, expected.diagonal(), atol=1e-15)
    assert sample.quadratic_form(A) == pytest.approx(A @ expected @ A)


def test_the_covariance_is_the_spread_of_the_fractions() -> None:
    """Over many samples the fractions scatter as one sample's covariance says."""
    drawn = np.array([fractions(filled(*events(400, seed))).q for seed in range(600)])
    stated = fractions(filled(*events(200_000, 7))).covariance() * 200_000 / 400
    np.testing.assert_allclose(drawn.std(axis=0) ** 2, stated.diagonal(), rtol=0.2)


def test_one_entry_per_event_is_multinomial() -> None:
    """With one entry in each event everything is what it is for independent events."""
    values = np.random.default_rng(5).integers(0, 5, 500).astype(np.float64) + 0.5
    together, apart = filled(np.ones(500, dtype=np.intp), values), fill(BINS, (values,), None)
    ours, theirs = fractions(together), fractions(apart)
    np.testing.assert_allclose(ours.covariance(), theirs.covariance(), atol=1e-15)
    assert ours.quadratic_form(A) == pytest.approx(theirs.quadratic_form(A))
    assert ours.effective_size(2 * ours.q) == pytest.approx(500)
    other = fractions(fill(BINS, (np.random.default_rng(6).integers(0, 5, 700).astype(np.float64) + 0.5,), None))
    one, two = separation(ours, other), separation(theirs, other)
    assert (one.t, one.m1, one.m2, one.v) == pytest.approx((two.t, two.m1, two.m2, two.v))


def test_the_effective_size_counts_what_is_independent() -> None:
    """Entries that fall together count once, independent ones each."""
    n, each = 20_000, 4
    of_event = np.random.default_rng(8).integers(0, 5, n) + 0.5
    counts = np.full(n, each)
    equal = fractions(filled(counts, np.repeat(of_event, each)))
    free = fractions(filled(counts, np.random.default_rng(9).integers(0, 5, n * each).astype(np.float64) + 0.5))
    assert equal.effective_size(2 * equal.q) == pytest.approx(n)
    assert free.effective_size(2 * free.q) == pytest.approx(n * each, rel=0.02)


def test_merging_adds_up_the_contents_of_events() -> None:
    """Merged bins have the sums and products that filling into wider bins gives."""
    (n_g, g), (n_r, r) = events(60, 10), events(80, 11)
    merged = merge_sparse_bins(filled(n_g, g), filled(n_r, r), 30.0, (60.0, 80.0))
    assert merged.generated.sumw.size < 5
    edges = tuple(float(first) for first in merged.groups[1:, 0])
    wider = fill(Grid((Axis(edges),)), (g,), None, counts=n_g)
    assert merged.generated.products is not None
    assert wider.products is not None
    np.testing.assert_allclose(merged.generated.products, wider.products)
    np.testing.assert_allclose(merged.generated.sumw2, wider.sumw2)


def test_chi2_of_correlated_bins_has_its_nominal_distribution() -> None:
    """Between samples of one simulator χ² has mean ndf and rejects as often as it says; taken apart it would not."""
    pairs = [(events(1_500, 2 * i), events(1_000, 2 * i + 1)) for i in range(400)]
    found = [chi2_test(filled(*one), filled(*other)) for one, other in pairs]
    assert {result.ndf for result in found} == {4}
    assert np.mean([result.chi2 for result in found]) == pytest.approx(4, abs=0.5)
    assert np.mean([result.p_value < 0.05 for result in found]) == pytest.approx(0.05, abs=0.035)
    apart = [chi2_test(*(fill(BINS, (values,), None) for _, values in pair)) for pair in pairs]
    assert np.mean([result.p_value < 0.05 for result in apart]) > 0.2


def test_bins_that_always_go_together_are_one_degree_of_freedom() -> None:
    """Where each event fills two bins alike, χ² counts the directions that can vary."""
    rng = np.random.default_rng(12)
    halves = [rng.integers(0, 2, n) for n in (400, 500)]
    samples = [filled(np.full(h.size, 2), np.stack([h, h + 2], axis=1).ravel() + 0.5) for h in halves]
    result = chi2_test(*samples)
    assert result.ndf == 1
    counts = [np.bincount(h, minlength=2).astype(float) for h in halves]
    expected = chi2_test(*(BinSums(c, c, Grid((Axis((1.0,)),))) for c in counts))
    assert result.chi2 == pytest.approx(expected.chi2, rel=0.02)


@pytest.mark.parametrize("n", [1, 300])
def test_the_effective_size_of_events_that_are_alike(n: int) -> None:
    """Events that fill the bins alike have no errors by which to count them, and count as events."""
    alike = fractions(filled(np.full(n, 2), np.tile([0.5, 3.5], n)))
    assert alike.effective_size(2 * alike.q) == pytest.approx(n)

"""The classical χ² test against scipy, ROOT's own example, and its nominal size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import pytest_ganvalid as gv

RNG = np.random.default_rng
# The unweighted and the weighted histogram of ROOT's tutorial chi2test.C.
ROOT_COUNTS = np.array([0, 1, 0, 1, 1, 6, 7, 2, 22, 30, 27, 20, 13, 9, 9, 13, 19, 11, 9, 0])
ROOT_WEIGHTS = np.fromstring(
    "2.20173025 3.30143857 2.5892849 2.99990201 4.92877054 8.33036995 6.95084763 15.206357 23.9236012 44.3848114 "
    "49.4465599 25.1868858 16.3129692 13.0289612 16.7857609 22.9914703 30.5279255 12.5252123 16.4104557 "
    "7.86067867",
    sep=" ",
)
ROOT_ERRORS = np.fromstring(
    "0.38974303 0.536510944 0.529702604 0.642001867 0.969341516 1.47611344 1.69797957 3.28577447 5.40784931 9.10106468 "
    "9.73541737 5.55019951 3.57914758 2.77877331 3.23697519 4.3608489 5.77172089 3.38666105 2.98861837 "
    "1.58402085",
    sep=" ",
)


@pytest.mark.parametrize("seed", range(5))
def test_unweighted_is_pearsons(seed: int) -> None:
    """For two unweighted histograms χ², ndf and p are those of the contingency table, empty bins left out."""
    rng = RNG(seed)
    one, other = rng.poisson(5, 30), rng.poisson(rng.uniform(2, 40, 30))
    one[:3] = other[:3] = 0
    found = gv.chi2_test(gv.Counts(one), gv.Counts(other), method="gagunashvili")
    table = np.array([one, other])[:, one + other > 0]
    expected = stats.chi2_contingency(table, correction=False)
    assert found.chi2 == pytest.approx(expected.statistic, rel=1e-12)
    assert found.ndf == expected.dof
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.residuals[:3] == (0, 0, 0)


def test_profile_equals_pearsons_for_samples_of_one_size_that_agree() -> None:
    """With equal totals and large counts the profile χ² approaches Pearson's from below."""
    rng = RNG(1)
    one, other = (gv.Counts(rng.multinomial(1_000_000, [0.05] * 20)) for _ in range(2))
    profile, pearson = gv.chi2_test(one, other), gv.chi2_test(one, other, method="gagunashvili")
    assert profile.chi2 <= pearson.chi2
    assert profile.chi2 == pytest.approx(pearson.chi2, rel=1e-3)


def test_profile_is_a_minimum() -> None:
    """No relative normalisation gives a smaller χ² than the reported one."""
    rng = RNG(2)
    g, vg = rng.uniform(5, 10, 12), rng.uniform(1, 3, 12)
    r, vr = rng.uniform(50, 100, 12), rng.uniform(10, 30, 12)
    found = gv.chi2_test(gv.Counts(g, vg), gv.Counts(r, vr))
    scan = [np.sum((g - c * r) ** 2 / (vg + c**2 * vr)) for c in np.geomspace(0.02, 0.5, 4001)]
    assert found.chi2 <= min(scan)
    assert found.chi2 == pytest.approx(min(scan), rel=1e-5)
    assert sum(pull**2 for pull in found.residuals) == pytest.approx(found.chi2)


def test_roots_unweighted_weighted_example() -> None:
    """Maximum-likelihood bin probabilities make both equations of the paper hold, and p is that of ROOT's example."""
    found = gv.chi2_test(gv.Counts(ROOT_COUNTS), gv.Counts(ROOT_WEIGHTS, ROOT_ERRORS**2), method="gagunashvili")
    assert found.ndf == 19
    total_n, total_w, s2 = ROOT_COUNTS.sum(), ROOT_WEIGHTS.sum(), ROOT_ERRORS**2
    b = total_w * ROOT_WEIGHTS - total_n * s2
    p = (b + np.sqrt(b**2 + 4 * total_w**2 * s2 * ROOT_COUNTS)) / (2 * total_w**2)
    chi2 = np.sum((ROOT_COUNTS - total_n * p) ** 2 / (total_n * p) + (ROOT_WEIGHTS - total_w * p) ** 2 / s2)
    assert found.chi2 == pytest.approx(chi2, rel=1e-12)
    assert np.abs(found.residuals).max() < 3.5
    # The likelihood equation n/p + (w - Wp) W/s² - N = 0 of each bin, without which p is no maximum.
    filled = ROOT_COUNTS > 0
    score = ROOT_COUNTS[filled] / p[filled] + (ROOT_WEIGHTS - total_w * p)[filled] * total_w / s2[filled] - total_n
    np.testing.assert_allclose(score / total_n, 0, atol=1e-9)


def test_order_of_the_samples_changes_signs_only() -> None:
    """Exchanging the samples keeps χ² and turns the residuals round, for every combination of weights."""
    counts, turned = gv.Counts(ROOT_COUNTS), gv.Counts(ROOT_COUNTS[::-1])
    weighted = gv.Counts(ROOT_WEIGHTS, ROOT_ERRORS**2)
    other = gv.Counts(ROOT_WEIGHTS[::-1], ROOT_ERRORS[::-1] ** 2)
    for method in ("profile", "gagunashvili"):
        for pair in ((counts, weighted), (weighted, other), (counts, turned)):
            one, two = gv.chi2_test(*pair, method=method), gv.chi2_test(*pair[::-1], method=method)
            assert one.chi2 == pytest.approx(two.chi2, rel=1e-9)
            np.testing.assert_allclose(one.residuals, np.negative(two.residuals), rtol=1e-5, atol=1e-7)


def test_weighted_form_with_a_common_weight_is_pearsons_in_the_limit() -> None:
    """The weighted/weighted form does not depend on the scale of the weights."""
    one = gv.chi2_test(
        gv.Counts(ROOT_WEIGHTS, ROOT_ERRORS**2),
        gv.Counts(ROOT_WEIGHTS[::-1], ROOT_ERRORS[::-1] ** 2),
        method="gagunashvili",
    )
    two = gv.chi2_test(
        gv.Counts(1e6 * ROOT_WEIGHTS, 1e12 * ROOT_ERRORS**2),
        gv.Counts(ROOT_WEIGHTS[::-1], ROOT_ERRORS[::-1] ** 2),
        method="gagunashvili",
    )
    assert one.chi2 == pytest.approx(two.chi2, rel=1e-12)


def _weighted(rng: np.random.Generator, n: int, heavy: float) -> gv.Counts:
    """A flat weighted histogram of 10 bins, one of which holds weights of size ``heavy``, represented rightly."""
    weights = np.where(np.arange(10) == 9, heavy, 1.0)
    counts = rng.poisson(n / weights).astype(np.float64)
    return gv.Counts(counts * weights, counts * weights**2)


def test_size_of_the_profile_test_is_nominal() -> None:
    """On toys of one distribution 5 % of the p-values lie below 5 %, weighted or not, also with weights of 100."""
    rng = RNG(4)
    toys = 2_000
    for heavy in (1.0, 100.0):
        pairs = [(_weighted(rng, 20_000, heavy), _weighted(rng, 4_000, 1.0)) for _ in range(toys)]
        profile = np.mean([gv.chi2_test(*pair).p_value < 0.05 for pair in pairs])
        assert abs(profile - 0.05) < 4 * np.sqrt(0.05 * 0.95 / toys)


def test_disjoint_histograms_disagree() -> None:
    """Histograms without a common bin give the largest χ² there is, without a warning."""
    for method in ("profile", "gagunashvili"):
        found = gv.chi2_test(gv.Counts([100, 200, 0, 0]), gv.Counts([0, 0, 300, 50]), method=method)
        assert found.p_value < 1e-50
        assert np.isfinite(found.chi2)


def test_equal_histograms_agree_exactly() -> None:
    """Proportional histograms have χ² zero."""
    assert gv.chi2_test(gv.Counts([1, 2, 3]), gv.Counts([10, 20, 30])).chi2 == pytest.approx(0, abs=1e-20)


def test_weighted_bin_without_entries_is_a_disagreement() -> None:
    """Counts where the weighted sample has nothing add to χ², as they do in ROOT."""
    found = gv.chi2_test(
        gv.Counts([50, 50, 40]),
        gv.Counts(np.array([60.0, 55.0, 0.0]), np.array([66.0, 60.0, 0.0])),
        method="gagunashvili",
    )
    assert found.p_value < 1e-6


def test_refusals() -> None:
    """An unknown method and a single populated bin are refused."""
    with pytest.raises(gv.InputError, match=r"method='pearson' is unknown; expected one of profile, gagunashvili"):
        gv.chi2_test(gv.Counts([1, 2]), gv.Counts([3, 4]), method="pearson")
    with pytest.raises(gv.InputError, match="at least two populated bins; got 1 of 3"):
        gv.chi2_test(gv.Counts([0, 5, 0]), gv.Counts([0, 6, 0]))


@pytest.mark.parametrize("method", ["profile", "gagunashvili"])
def test_two_populated_bins_are_enough(method: str) -> None:
    """Two bins that are populated on either side can be tested, among any number of empty ones."""
    found = gv.chi2_test(gv.Counts([0, 5, 0, 7, 0]), gv.Counts([0, 9, 0, 4, 0]), method=method)
    assert found.ndf == 1
    assert [bool(r) for r in found.residuals] == [False, True, False, True, False]
    assert gv.chi2_test(gv.Counts([5, 0, 0]), gv.Counts([0, 5, 0]), method=method).ndf == 1


@pytest.mark.parametrize("scale", [1e-40, 1e40])
def test_totals_may_differ_by_any_factor(scale: float) -> None:
    """The profile test and the weighted one do not depend on the scale of either sample's weights."""
    one, other = gv.Counts([5.0, 7.0, 9.0], [6.0, 9.0, 12.0]), gv.Counts([4.0, 9.0, 8.0], [5.0, 10.0, 11.0])
    scaled = gv.Counts(scale * np.array([4.0, 9.0, 8.0]), scale**2 * np.array([5.0, 10.0, 11.0]))
    for method in ("profile", "gagunashvili"):
        plain = gv.chi2_test(one, other, method=method)
        found = gv.chi2_test(one, scaled, method=method)
        assert found.chi2 == pytest.approx(plain.chi2, rel=1e-9)
        np.testing.assert_allclose(found.residuals, plain.residuals, rtol=1e-6)


def test_a_bin_whose_content_the_weights_do_not_determine() -> None:
    """A bin without counts whose weights are as large as their noise has a pull in units of that noise."""
    found = gv.chi2_test(gv.Counts([0, 10, 10]), gv.Counts([2.0, 4.0, 4.0], [1.0, 8.0, 8.0]), method="gagunashvili")
    assert found.residuals[0] == pytest.approx(-2)
    assert np.isfinite(found.residuals).all()


def test_residuals_of_counts_and_weights_are_of_unit_size() -> None:
    """Where samples agree the residuals of the mixed form have a variance of one, less what the total fixes."""
    rng, bins, toys = RNG(8), 20, 400
    flat = np.full(bins, 1 / bins)
    squares = 0.0
    for _ in range(toys):
        counts = rng.multinomial(20_000, flat)
        index, weight = rng.integers(0, bins, 15_000), rng.choice([0.5, 2.0], 15_000)
        sums = gv.Counts(*(np.bincount(index, w, minlength=bins) for w in (weight, weight**2)))
        squares += float(np.sum(np.square(gv.chi2_test(gv.Counts(counts), sums, method="gagunashvili").residuals)))
    assert squares / (toys * bins) == pytest.approx(1, abs=0.04)

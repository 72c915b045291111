"""The non-central χ² tails against two independent evaluations with 36 digits: a series and a contour integral."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import mpmath  # type: ignore[import-untyped]
import pytest
from mpmath import mp, mpf

from pytest_ganvalid.statistics import noncentral

_NDFS = (1, 1.5, 4, 49, 1e3, 1e5)
_SWITCH = 1e6
_BEYOND_SWITCH = math.nextafter(_SWITCH, math.inf)
_NONCENTRALITIES = (0, 1e-6, 1, 30, 1e3, _SWITCH, _BEYOND_SWITCH, 1e7, 1e8, 1e10)
_SIGMAS = (-6, -3, -1.6, 0, 1.6, 3, 6)
_SERIES_UNTIL = 1e3
_SMALLEST = 1e-12

Tails = tuple[mpf, mpf]


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with mp.workdps(36):
        yield


def _by_series(x: float, ndf: float, noncentrality: float) -> Tails:
    """(P(X <= x), P(X >= x)) as the Poisson mixture of central χ² distributions, the smaller tail summed."""
    upper = x > ndf + noncentrality
    mu, y = mpf(noncentrality) / 2, mpf(x) / 2
    reach = 14 * math.sqrt(noncentrality / 2) + 40
    first, last = max(0, int(noncentrality / 2 - reach)), int(noncentrality / 2 + reach)
    a = mpf(ndf) / 2 + first
    central = mpmath.gammainc(a, y, mp.inf, regularized=True) if upper else mpmath.gammainc(a, 0, y, regularized=True)
    step = mpmath.exp(a * mpmath.log(y) - y - mpmath.loggamma(a + 1))
    weight = mpmath.exp(-mu) * mu**first / mpmath.factorial(first)
    total = mpf(0)
    for j in range(first, last + 1):
        total += weight * central
        central += step if upper else -step
        step *= y / (a + 1)
        a += 1
        weight *= mu / (j + 1)
    return (1 - total, total) if upper else (total, 1 - total)


def _by_contour(x: float, ndf: float, noncentrality: float) -> Tails:
    """Likewise by inverting the moment generating function along a vertical line through the saddlepoint.

    The integrand is analytic, so the trapezoidal rule converges faster than any power of its step.
    """
    nu, lam, x_ = mpf(ndf), mpf(noncentrality), mpf(x)
    s = 2 * x_ / (nu + mpmath.sqrt(nu * nu + 4 * lam * x_))
    centre = (s - 1) / (2 * s)
    width = 1 / mpmath.sqrt(2 * nu * s**2 + 4 * lam * s**3)
    upper = centre >= 0
    if abs(centre) < width:  # keep away from the pole at 0
        centre = width / 2 if upper else -width / 2

    def integrand(y: mpf) -> mpf:
        t = mpmath.mpc(centre, y)
        return mpmath.exp(lam * t / (1 - 2 * t) - nu / 2 * mpmath.log(1 - 2 * t) - t * x_) / t

    terms = [integrand(mpf(0)).real / 2]
    while abs(terms[-1]) > abs(terms[0]) * mpf(10) ** -20:
        terms.append(integrand(len(terms) * width / 12).real)
    tail = abs(mpmath.fsum(terms)) * width / 12 / mp.pi
    return (1 - tail, tail) if upper else (tail, 1 - tail)


def _reference(x: float, ndf: float, noncentrality: float) -> Tails:
    return (_by_series if noncentrality < _SERIES_UNTIL else _by_contour)(x, ndf, noncentrality)


def _points(ndf: float, noncentrality: float) -> list[float]:
    width = math.sqrt(2 * ndf + 4 * noncentrality)
    return [x for z in _SIGMAS if (x := ndf + noncentrality + z * width) > 0]


def _error(x: float, ndf: float, noncentrality: float) -> float:
    """Largest relative error of the two tails, where they are not tiny."""
    lower, upper = _reference(x, ndf, noncentrality)
    got = ((noncentral.cdf(x, ndf, noncentrality), lower), (noncentral.sf(x, ndf, noncentrality), upper))
    return max(float(abs(value / true - 1)) for value, true in got if true > _SMALLEST)


@pytest.mark.parametrize("ndf", _NDFS)
@pytest.mark.parametrize("noncentrality", _NONCENTRALITIES)
def test_both_tails_are_relatively_accurate(ndf: float, noncentrality: float) -> None:
    """Both tails agree with 36-digit arithmetic to 1e-6 of themselves, out to six standard deviations."""
    errors = [_error(x, ndf, noncentrality) for x in _points(ndf, noncentrality)]
    # scipy's own series decides up to the switch (older versions stop it early); beyond it the formula is ours.
    assert max(errors) < (1e-6 if noncentrality <= _SWITCH else 1e-9)


@pytest.mark.parametrize("ndf", _NDFS)
def test_the_two_references_agree(ndf: float) -> None:
    """The series and the contour integral, which share no formula, agree to 16 digits where both are quick."""
    for x in _points(ndf, _SERIES_UNTIL):
        for one, other in zip(_by_series(x, ndf, _SERIES_UNTIL), _by_contour(x, ndf, _SERIES_UNTIL), strict=True):
            assert abs(one / other - 1) < mpf(10) ** -16


@pytest.mark.parametrize("noncentrality", [_BEYOND_SWITCH, 1e8, 1e10, 1e12])
@pytest.mark.parametrize("sign", [-1, 1])
def test_nothing_cancels_near_the_mean(noncentrality: float, sign: int) -> None:
    """The saddlepoint formula, 0/0 at the mean in its textbook form, is as accurate there as anywhere."""
    for ndf, distance in itertools.product((1.5, 1e5), (0, 1e-7, 9.9e-5, 1.01e-4, 1e-3, 0.1)):
        x = ndf + noncentrality + sign * distance * math.sqrt(2 * ndf + 4 * noncentrality)
        assert _error(x, ndf, noncentrality) < 1e-9


@pytest.mark.parametrize("sign", [-1, 1])
def test_far_from_the_mean_the_formula_still_holds(sign: int) -> None:
    """Thirty standard deviations out, where the tail is below 1e-190, it is right to 1e-8."""
    x = 49 + _BEYOND_SWITCH + sign * 30 * math.sqrt(2 * 49 + 4 * _BEYOND_SWITCH)
    true = min(_by_contour(x, 49, _BEYOND_SWITCH))
    got = (noncentral.sf if sign > 0 else noncentral.cdf)(x, 49, _BEYOND_SWITCH)
    assert abs(got / true - 1) < 1e-8


@pytest.mark.parametrize("ndf", _NDFS)
def test_the_switch_of_formulas_is_not_felt(ndf: float) -> None:
    """From one representable non-centrality to the next, across the switch, the tails move by less than 1e-6."""
    for x in _points(ndf, _SWITCH):
        for tail in (noncentral.cdf, noncentral.sf):
            assert tail(x, ndf, _BEYOND_SWITCH) == pytest.approx(tail(x, ndf, _SWITCH), rel=1e-6)


@pytest.mark.parametrize("probability", [1e-9, 0.001, 0.05, 0.5, 0.95, 0.999])
def test_ppf_inverts_cdf(probability: float) -> None:
    """The quantile of a probability has that probability below it."""
    for ndf, noncentrality in itertools.product(_NDFS, _NONCENTRALITIES):
        x = noncentral.ppf(probability, ndf, noncentrality)
        assert noncentral.cdf(x, ndf, noncentrality) == pytest.approx(probability, rel=1e-8)


def test_ppf_of_chi2_is_the_textbook_value() -> None:
    """Without non-centrality the quantiles are those of the tables of χ²."""
    assert noncentral.ppf(0.95, 1, 0) == pytest.approx(3.841458820694124)
    assert noncentral.ppf(0.05, 10, 0) == pytest.approx(3.940299136119013)


@pytest.mark.parametrize("x", [-1.0, 0.0])
def test_nothing_lies_below_zero(x: float) -> None:
    """At and below zero the lower tail is 0 and the upper 1."""
    assert (noncentral.cdf(x, 4, 1e7), noncentral.sf(x, 4, 1e7)) == (0.0, 1.0)


@pytest.mark.parametrize("noncentrality", [0, 30, _SWITCH, _BEYOND_SWITCH, 1e12])
@pytest.mark.parametrize(("tail", "at_once"), [(noncentral.cdf, (0.0, 1.0)), (noncentral.sf, (1.0, 0.0))])
def test_absurdly_far_the_tails_are_0_and_1(
    noncentrality: float, tail: Callable[[float, float, float], float], at_once: tuple[float, float]
) -> None:
    """Far outside the distribution the tails are 0 and 1, not NaN and not an exception."""
    got = (tail(1e-300, 49, noncentrality), tail(1e20, 49, noncentrality))
    assert got == pytest.approx(at_once, abs=1e-8)


def test_tails_are_monotone_along_a_dense_line() -> None:
    """Along x the lower tail rises and the upper falls, on both sides of the switch."""
    for noncentrality in (_SWITCH, _BEYOND_SWITCH, 1e9):
        width = 2 * math.sqrt(noncentrality)
        xs = [noncentrality + 49 + width * (i / 50 - 5) for i in range(501)]
        lower = [noncentral.cdf(x, 49, noncentrality) for x in xs]
        upper = [noncentral.sf(x, 49, noncentrality) for x in xs]
        assert lower == sorted(lower)
        assert upper == sorted(upper, reverse=True)


@pytest.mark.parametrize(
    ("x", "ndf", "noncentrality"),
    [(5.0, 9, 100.0), (1e-3, 9, 3.0), (1.0, 49, 500.0), (300.0, 2000, 50.0), (10.0, 4999, 900.0), (40.0, 49, 80.0)],
)
def test_the_logarithm_of_the_lower_tail_does_not_underflow(x: float, ndf: float, noncentrality: float) -> None:
    """It is that of 36-digit arithmetic to 1e-9, also where the tail is 1e-6000."""
    mu, half = mpf(noncentrality) / 2, mpf(x) / 2
    weights = (mpmath.exp(-mu) * mu**j / mpmath.factorial(j) for j in range(300))
    true = mpmath.log(
        mpmath.fsum(
            weight * mpmath.gammainc(mpf(ndf) / 2 + j, 0, half, regularized=True) for j, weight in enumerate(weights)
        )
    )
    assert abs(noncentral.log_cdf(x, ndf, noncentrality) - true) < 1e-9 * max(1, -true)


@pytest.mark.parametrize("noncentrality", [9.99e3, 1.001e4, 1e6, 1e9])
def test_the_logarithm_far_below_a_large_mean(noncentrality: float) -> None:
    """Ten to sixty standard deviations below the mean it is right to 1e-4 of the tail, by either formula."""
    for sigmas in (10, 30, 45):
        x = 49 + noncentrality - sigmas * math.sqrt(2 * 49 + 4 * noncentrality)
        true = mpmath.log(_by_contour(x, 49, noncentrality)[0])
        assert abs(noncentral.log_cdf(x, 49, noncentrality) - true) < 1e-4


def test_the_logarithm_has_no_step_where_formulas_change() -> None:
    """It rises along x through all of its formulas."""
    for ndf, noncentrality in ((9, 60.0), (49, 2e4)):
        mean = ndf + noncentrality
        logs = [noncentral.log_cdf(mean * i / 300, ndf, noncentrality) for i in range(1, 301)]
        assert logs == sorted(logs)
        assert noncentral.log_cdf(0.0, ndf, noncentrality) == -math.inf

"""Two one-sided tests: the formula, its limits, and what makes it honest where errors are poorly known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.results import Estimate, Verdict
from pytest_ganvalid.statistics.equivalence import Equivalence, equivalence
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.planning import equivalence_power, equivalence_width

Z = 1.6448536269514722


def found(
    difference: float, error: float = 0.2, *, dof: float = math.inf, required_error: float | None = 1.0, **keywords: Any
) -> Equivalence:
    """Two estimates whose difference has the given error, by default in error bars of n_required = 100 events."""
    one = error / math.sqrt(2)
    generated, reference = Estimate(difference, one, None, dof), Estimate(0.0, one * (1 + 1e-12), 1_000, dof)
    return equivalence(generated, reference, 100, Limits(**keywords), required_error=required_error)


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (0.001, Verdict.ROBUST),
        (0.67, Verdict.ROBUST),
        (-0.67, Verdict.ROBUST),
        (0.68, Verdict.UNPROVEN),
        (-1.32, Verdict.UNPROVEN),
        (1.34, Verdict.BIASED),
        (-1.34, Verdict.BIASED),
    ],
)
def test_verdict_follows_the_formula(difference: float, verdict: Verdict) -> None:
    """ROBUST up to max_bias - z S = 0.671, BIASED beyond max_bias + z S = 1.329, whatever the sign."""
    assert found(difference).verdict() is verdict


@given(st.floats(-3, 3), st.floats(0.01, 5), st.floats(4, 1e6), st.booleans())
def test_limits_and_p_values_say_the_same(difference: float, error: float, dof: float, known: bool) -> None:  # noqa: FBT001
    """A limit is below or above max_bias exactly where the p-value of that boundary is below 1 - confidence."""
    e = found(difference, error, dof=dof, required_error=1.0 if known else None)
    assert 0 <= e.lower <= e.centre <= e.upper
    assert e.centre <= e.distance
    if abs(e.p_robust - 0.05) > 1e-9:
        assert (e.upper < 1) == (e.p_robust < 0.05)
    if abs(e.p_biased - 0.05) > 1e-9:
        assert (e.lower > 1) == (e.p_biased < 0.05)
    assert e.p_agreement(e.upper) == pytest.approx(0.05)
    if e.lower > 0:
        assert e.p_disagreement(e.lower) == pytest.approx(0.05)


def test_supported_events_are_demonstrated_and_no_more() -> None:
    """At n_supported the verdict is ROBUST, and just above it is not."""
    generated, reference = Estimate(0.1, 0.02, 1_000, 30), Estimate(0.08, 0.021, 1_000, 40)

    def at(n_required: float) -> Equivalence:
        return equivalence(generated, reference, n_required, Limits())

    supported = at(50).n_supported
    assert supported == pytest.approx(at(5).n_supported)
    assert at(0.999 * supported).verdict() is Verdict.ROBUST
    assert at(1.001 * supported).verdict() is not Verdict.ROBUST


def test_lower_limit_counts_both_signs() -> None:
    """Where errors are much larger than the band, a perfect generator is BIASED in 5 % of toys, not in 10 %."""
    rng = np.random.default_rng(1)
    biased = [found(10 * d, 10).verdict() is Verdict.BIASED for d in rng.normal(size=2_000)]
    assert np.mean(biased) == pytest.approx(0.05, abs=0.015)


def test_poorly_known_errors_demonstrate_less() -> None:
    """Fewer degrees of freedom raise the upper and lower the lower limit, which are the plain ones for known errors."""
    upper = [found(0.3, dof=dof).upper for dof in (math.inf, 100, 10, 3)]
    assert upper == sorted(upper)
    assert upper[0] == pytest.approx(0.3 + 0.2 * Z)
    lower = [found(2.0, dof=dof).lower for dof in (math.inf, 100, 10, 3)]
    assert lower == sorted(lower, reverse=True)
    assert lower[0] == pytest.approx(2 - 0.2 * Z)


def _estimate(rng: np.random.Generator, bias: float, n_events: int, dof: float) -> Estimate:
    """A number with unit spread per event, and with an error that was measured with ``dof`` degrees of freedom."""
    error = math.sqrt(rng.chisquare(dof) / dof / n_events)
    return Estimate(rng.normal(bias, 1 / math.sqrt(n_events)), error, n_events, dof)


@pytest.mark.parametrize(
    ("generated", "reference"),
    [
        ((2_200, 19), (2_200, 19)),
        ((10_000, 19), (10_000, 19)),
        ((100_000, 9), (100_000, 9)),
        ((100_000, 10), (100_000, 10)),
        ((1_200, 10), (20_000, 1e9)),
        ((1_200, 4), (20_000, 1e9)),
        ((20_000, 1e9), (1_200, 4)),
        ((300, 49), (200, 49)),
    ],
)
def test_errors_from_few_replicas_mislead_no_more_often(
    generated: tuple[int, float], reference: tuple[int, float]
) -> None:
    """With a bias of exactly max_bias, false ROBUST and BIASED stay at 5 % whatever the errors are known from."""
    rng, toys, n_required = np.random.default_rng(2), 1_500, 100
    verdicts = [
        equivalence(
            _estimate(rng, 1 / math.sqrt(n_required), *generated),
            _estimate(rng, 0.0, *reference),
            n_required,
            Limits(),
        ).verdict()
        for _ in range(toys)
    ]
    for wrong in (Verdict.ROBUST, Verdict.BIASED):
        assert verdicts.count(wrong) / toys <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / toys)


def test_power_allows_for_errors_from_few_replicas() -> None:
    """The power averaged over toys with ten degrees of freedom is the rate of ROBUST of a perfect generator."""
    rng, toys = np.random.default_rng(4), 1_500
    results = [
        equivalence(_estimate(rng, 0, 2_500, 10), _estimate(rng, 0, 2_500, 10), 100, Limits()) for _ in range(toys)
    ]
    rate = sum(e.verdict() is Verdict.ROBUST for e in results) / toys
    assert rate == pytest.approx(sum(e.power for e in results) / toys, abs=0.04)


def test_degrees_of_freedom_are_those_of_welch_and_satterthwaite() -> None:
    """Equal errors add their degrees of freedom; a negligible error has no say, nor has one shared with the unit."""
    limits = Limits()
    assert found(0, dof=19).dof == pytest.approx(38)
    assert math.isinf(found(0).dof)
    sides = Estimate(0, 1e-9, None, 3), Estimate(0, 1.0, 10, 50)
    assert equivalence(*sides, 5, limits, required_error=1.0).dof == pytest.approx(50)
    assert equivalence(*sides, 5, limits).dof > 1e9


@pytest.mark.parametrize("dof", [10.0, math.inf])
@pytest.mark.parametrize("target", [0.5, 0.9])
def test_width_inverts_power(dof: float, target: float) -> None:
    """The standard error found has the wanted power, and with known errors it is max_bias / (z + z')."""
    for blur in (0.0, 0.01):
        width = equivalence_width(target, 0.95, 1.5, dof, blur)
        assert equivalence_power(width, 0.95, 1.5, dof, blur) == pytest.approx(target)
    assert equivalence_width(0.9, 0.95, 1.0) == pytest.approx(1 / (2 * Z))


def test_power_is_the_rate_of_robust() -> None:
    """A perfect generator is shown ROBUST as often as the power says."""
    rng, e = np.random.default_rng(3), found(0, 0.4)
    rate = np.mean([found(d, 0.4).verdict() is Verdict.ROBUST for d in rng.normal(0, 0.4, 3_000)])
    assert e.power == pytest.approx(2 * stats.norm.cdf(1 / 0.4 - Z) - 1)
    assert rate == pytest.approx(e.power, abs=0.03)


def test_advice_gives_the_power_it_promises() -> None:
    """With the events that are asked for a perfect generator passes with 90 %; those at hand are kept if they do."""
    limits = Limits()

    def of(n_generated: float, n_reference: float) -> Equivalence:
        errors = 1 / math.sqrt(n_generated), 1 / math.sqrt(n_reference)
        return equivalence(Estimate(0, errors[0], n_generated), Estimate(0.001, errors[1], n_reference), 100, limits)

    for n_generated in (50, 1_000, 50_000):
        n_reference, generated = of(n_generated, 100).events_needed()
        assert of(generated, n_reference).power == pytest.approx(0.9, abs=1e-3)
    assert of(50_000, 100).events_needed() == (1_107, 50_000)


def test_power_that_is_too_small_decides_against_luck() -> None:
    """However close the two numbers, samples that a perfect generator hardly ever passes demonstrate nothing."""
    lucky = found(1e-6, 0.6)
    assert lucky.upper < 1
    assert lucky.power < 0.2
    assert lucky.verdict() is Verdict.UNPROVEN


def test_one_sample_twice_demonstrates_nothing() -> None:
    """Equal in value and error, the two numbers are taken for one sample's."""
    same = Estimate(0.5, 0.01, 10_000)
    e = equivalence(same, same, 100, Limits())
    assert e.verdict() is Verdict.UNPROVEN
    assert e.n_supported == 0


@pytest.mark.parametrize("sides", [(10, 9.9), (9.9, 10), (2, 50)])
def test_errors_that_few_events_carry_demonstrate_no_agreement(sides: tuple[float, float]) -> None:
    """With fewer than ten degrees of freedom on either side nothing is ROBUST, while BIASED stands."""
    limits = Limits()

    def at(difference: float, dofs: tuple[float, float]) -> Equivalence:
        return equivalence(
            Estimate(difference, 0.01, 1e6, dofs[0]), Estimate(0, 0.011, 1e6, dofs[1]), 100, limits, required_error=1.0
        )

    assert at(0.1, (10, 10)).verdict() is Verdict.ROBUST
    assert at(0.1, sides).verdict() is Verdict.UNPROVEN
    assert at(0.1, sides).n_supported == 0
    assert at(5.0, sides).verdict() is Verdict.BIASED


@pytest.mark.parametrize(
    ("error", "dof", "verdict"),
    [
        (1.9, math.inf, Verdict.ROBUST),
        (2.1, math.inf, Verdict.UNPROVEN),
        (1 / 2.1, math.inf, Verdict.UNPROVEN),
        (2.1, 20, Verdict.ROBUST),  # by chance in one of 1,000 cases
        (4.0, 20, Verdict.UNPROVEN),
    ],
)
def test_errors_of_one_event_must_be_alike(error: float, dof: float, verdict: Verdict) -> None:
    """Where one event of either sample has another error, beyond chance and a factor of two, no agreement is shown."""
    sides = Estimate(0.0001, 1e-3 * error, 1e6, dof), Estimate(0.0, 1e-3, 1e6, dof)
    assert equivalence(*sides, 1_000, Limits()).verdict() is verdict
    if error > 1:  # a disagreement is one all the same
        assert equivalence(Estimate(9, 1e-3 * error, 1e6, dof), sides[1], 1_000, Limits()).verdict() is Verdict.BIASED
    unknown = Estimate(0.0001, 1e-3 * error, None, dof)
    assert equivalence(unknown, sides[1], 1_000, Limits()).verdict() is Verdict.ROBUST


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_closer_than_chance_demonstrate_nothing(sign: int) -> None:
    """Numbers of continuous data that agree to 10⁻⁴ of their error share events; shares of events agree by chance."""
    error = 0.01 * math.hypot(1, 1.01)
    for difference, verdict in ((0.0, "UNPROVEN"), (1.2e-4, "UNPROVEN"), (1.3e-4, "ROBUST")):
        pair = Estimate(3 + sign * difference * error, 0.01, 10_000), Estimate(3, 0.0101, 10_000)
        assert equivalence(*pair, 100, Limits()).verdict() == verdict
    shares = [Estimate(0.3, math.sqrt(0.21 / n), n) for n in (10_000, 20_000)]
    assert equivalence(shares[0], shares[1], 100, Limits()).verdict() is Verdict.ROBUST
    assert equivalence(shares[0], shares[0], 100, Limits()).verdict() is Verdict.UNPROVEN


@pytest.mark.parametrize(
    ("generated", "reference", "words"),
    [
        (Estimate(1, 1e-320, 10), Estimate(1, 0.1, 10), "differ by more than a factor of 1e\\+15; is one of them mist"),
        (Estimate(1, 1e-300, 10), Estimate(1, 0.1, 10), "differ by more than a factor of 1e\\+15"),
        (Estimate(1, 0.1, 10), Estimate(1, 1e-300, 10), "differ by more than a factor of 1e\\+15"),
        (Estimate(1e308, 1e300, 5), Estimate(-1e308, 1e300, 5), "cannot be compared in floating point"),
        (Estimate(1e200, 1, 5), Estimate(1, 1, 5), "cannot be compared in floating point"),
        (Estimate(0, 1, 5), Estimate(0.1, 1), "the reference has no n_events"),
        (Estimate(1e308, 1, 5), Estimate(-1e308, 1, 5), "cannot be compared in floating point; choose another unit"),
        (Estimate(1, 1e-320, 5), Estimate(0, 1e-320, 5), "cannot be compared in floating point"),
    ],
)
def test_impossible_estimates_are_refused(generated: Estimate, reference: Estimate, words: str) -> None:
    """Without the error bar of n_required events, or beyond arithmetic, there is no verdict."""
    with pytest.raises(InputError, match=words):
        equivalence(generated, reference, 100, Limits())


@pytest.mark.parametrize(("dof", "sides"), [(10.0, ()), (math.nextafter(10.0, 0.0), ("generated", "reference"))])
def test_ten_degrees_of_freedom_are_enough(dof: float, sides: tuple[str, ...]) -> None:
    """An error with exactly ten degrees of freedom can be relied on, one with less cannot."""
    e = found(0.1, dof=dof)
    assert e.uncertain == sides
    assert e.admissible is (not sides)
    assert (e.n_supported > 0) is (not sides)


def _limited(upper: float) -> Equivalence:
    """Estimates, at a limit that is ``upper`` times their upper confidence limit."""
    return found(0.3, max_bias=upper * found(0.3).upper)


def test_the_limit_itself_is_within_it() -> None:
    """A bias whose upper limit is max_bias is ROBUST; one beyond is not."""
    assert _limited(1.0).verdict() is Verdict.ROBUST
    assert _limited(1 - 1e-9).verdict() is Verdict.UNPROVEN
    assert _limited(1.0).n_supported == 100


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_equal_shares_are_no_copies(value: float) -> None:
    """Two efficiencies may be equal by chance, at both ends of their range too; other numbers may not."""

    def share(n: float, factor: float = 1.0) -> Estimate:
        p = (value * n + 1) / (n + 2)
        return Estimate(value, factor * math.sqrt(p * (1 - p) / n), n)

    assert not equivalence(share(1_000), share(2_000), 10, Limits()).too_close
    assert equivalence(share(1_000, 1.2), share(2_000), 10, Limits()).too_close
    assert equivalence(share(1_000), share(2_000, 1.2), 10, Limits()).too_close
    one, other = (Estimate(2 + value, share(n).error, n) for n in (1_000, 2_000))
    assert equivalence(one, other, 10, Limits()).too_close


def test_what_is_too_close() -> None:
    """Numbers are too close within 1.2533e-4 of their errors, which chance does in one of 10,000 cases."""
    assert 2 * stats.norm.cdf(1.2533e-4) - 1 == pytest.approx(1e-4, rel=1e-3)
    assert found(1.2532e-4 * 0.2).too_close
    assert not found(1.2534e-4 * 0.2).too_close


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_errors_too_far_apart(scale: float) -> None:
    """Errors up to a factor of 10¹⁵ apart can be compared, whatever the unit."""
    near, far = (Estimate(scale, scale * factor, 10) for factor in (0.99e-15, 1.01e-15))
    large = Estimate(2 * scale, scale, 10)
    with pytest.raises(InputError, match=r"differ by more than a factor of 1e[+]15"):
        equivalence(near, large, 10, Limits())
    assert equivalence(Estimate(scale, 1.01e-15 * scale, 10), large, 10, Limits()).verdict() is not None
    assert far.error > near.error


def test_the_interval_is_that_of_the_limits() -> None:
    """The bias has its two limits, and the unit's noise is that of the reference's degrees of freedom."""
    e = found(0.7, dof=30, required_error=None)
    assert (e.bias.lower, e.bias.estimate, e.bias.upper) == (e.lower, e.centre, e.upper)
    assert e.blur == 1 / 60
    assert found(0.7, dof=30).blur == 0


@pytest.mark.parametrize(("p_value", "unlike"), [(0.99e-4, True), (1.01e-4, False)])
def test_errors_that_chance_makes_unlike(p_value: float, *, unlike: bool) -> None:
    """Errors of one event are unlike if chance makes them so in less than one of 10,000 cases."""
    ratio = math.sqrt(stats.f.isf(p_value / 2, 20, 20))
    assert ratio > 2
    sides = Estimate(0.1, ratio * 1e-3, 1e6, 20), Estimate(0, 1e-3, 1e6, 20)
    assert (equivalence(*sides, 1_000, Limits()).error_ratio == pytest.approx(ratio)) is unlike
    assert (equivalence(*sides[::-1], 1_000, Limits()).error_ratio == pytest.approx(1 / ratio)) is unlike


def test_shares_of_samples_ask_for_whole_ones() -> None:
    """Of a part of either sample the advice is for the whole samples."""
    pair = Estimate(0.1, 0.2, 1_000), Estimate(0, 0.21, 900)
    whole, part = (equivalence(*pair, 500, Limits(), used=used).events_needed() for used in ((1.0, 1.0), (0.5, 0.25)))
    assert part == pytest.approx((4 * whole[0], 2 * whole[1]), rel=1e-3)


def test_refusals_name_the_generated_estimate_first() -> None:
    """What cannot be compared is told in the order in which it was given."""
    with pytest.raises(InputError, match=r"^1 ± 1e-300 and 2 ± 0.1 cannot be compared"):
        equivalence(Estimate(1, 1e-300, 10), Estimate(2, 0.1, 10), 100, Limits())


@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9])
def test_what_lies_outside_is_no_share(value: float) -> None:
    """Equal numbers below 0 or above 1 are not shares of events, whatever their errors."""

    def share(n: float) -> Estimate:
        p = (value * n + 1) / (n + 2)
        return Estimate(value, math.sqrt(p * (1 - p) / n), n)

    assert equivalence(share(50), share(99), 10, Limits()).too_close

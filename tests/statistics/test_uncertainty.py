"""The systematics that remain: what is stated is what an ensemble of generators shows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap
from pytest_ganvalid.statistics.separation import Fractions
from pytest_ganvalid.statistics.uncertainty import (
    Uncertainties,
    bin_uncertainties,
    smallest_equivalent,
    uncertainty_curves,
)
from pytest_ganvalid.toys import CamelBack
from pytest_ganvalid.toys.boundary import boundary_shape, falling_spectrum

N_TRAIN, N_EVENTS, GENERATORS = 400, 5_000, 4_000
SPECTRUM = falling_spectrum(8)
FARTHEST = 4.5  # standard deviations, of the largest of up to 36 numbers


def ensemble(seed: int, *, n_train: int = N_TRAIN, rate: bool = False) -> NDArray[np.float64]:
    """Contents of many generated samples, each of a bootstrap generator with training events of its own."""
    rng = np.random.default_rng(seed)
    training = rng.multinomial(n_train, SPECTRUM, size=GENERATORS)
    if rate:
        training = rng.poisson(n_train * SPECTRUM, size=(GENERATORS, SPECTRUM.size))
    return np.asarray(rng.poisson(N_EVENTS / n_train * training), dtype=np.float64)


def expected(*, normalised: bool = True, n_sys: float = N_TRAIN) -> Uncertainties:
    """What is stated for the expectation of those samples."""
    contents = N_EVENTS * SPECTRUM
    return bin_uncertainties(gv.Counts(contents, contents), n_sys, normalised=normalised)


def deviation(contents: NDArray[np.float64], stated: NDArray[np.float64]) -> float:
    """Largest difference of a sample covariance from the stated one, in its standard errors (of normal contents)."""
    variance = np.diag(stated)
    error = np.sqrt((np.outer(variance, variance) + stated**2) / (len(contents) - 1))
    return float(np.max(np.abs(np.cov(contents.T) - stated) / error))


@pytest.mark.parametrize("normalised", [True, False])
def test_covariance_is_that_of_an_ensemble_of_generators(normalised: bool) -> None:  # noqa: FBT001
    """Spread and correlation of the contents over many bootstrap generators are the stated ones, bin by bin."""
    stated = expected(normalised=normalised)
    contents = ensemble(1, rate=not normalised)
    assert deviation(contents, stated.total_covariance()) < FARTHEST
    assert np.diag(stated.total_covariance()) == pytest.approx(stated.total**2)


def test_ensemble_would_show_a_wrong_statement() -> None:
    """The same ensemble contradicts errors without the inherited part, a tenth too small, or without correlation."""
    stated, contents = expected().total_covariance(), ensemble(1)
    assert deviation(contents, expected(n_sys=math.inf).total_covariance()) > 10 * FARTHEST
    assert deviation(contents, 0.9**2 * stated) > FARTHEST
    assert deviation(contents, expected(normalised=False).total_covariance()) > FARTHEST


def test_each_sample_states_its_own_errors() -> None:
    """With the errors that each sample states itself, its χ² to the truth averages to the number of bins."""
    n_train, truth, chi2 = 10_000, N_EVENTS * SPECTRUM, []
    for contents in ensemble(2, n_train=n_train)[:1000]:
        difference = contents - truth
        chi2.append(
            difference @ np.linalg.solve(bin_uncertainties(gv.Counts(contents), n_train).total_covariance(), difference)
        )
    # Error bars from few events are too small where there were too few: a χ² so weighted is too large by about 2/N.
    bias = 2 * np.sum(1 / (n_train * SPECTRUM) + 1 / truth)
    assert np.mean(chi2) == pytest.approx(SPECTRUM.size + bias, abs=FARTHEST * math.sqrt(2 * SPECTRUM.size / 1000))


def test_spread_of_real_generators() -> None:
    """Bootstrap generators of camel-back events spread as stated for an average bin."""
    toy, bins, n_train = CamelBack(), 20, 1_000
    edges = toy.equiprobable_edges(bins)
    contents = np.array(
        [
            np.bincount(
                np.searchsorted(edges, Bootstrap(toy.sample(n_train, seed=seed)).sample(20_000, seed=seed)["x"])
            )
            for seed in range(150)
        ]
    )
    stated = bin_uncertainties(gv.Counts([20_000 // bins] * bins), n_train)
    # The relative error of a variance from 150 generators is sqrt(2/149); bins are all but independent.
    error = math.sqrt(2 / 149 / bins)
    assert np.mean(contents.var(axis=0, ddof=1) / stated.total**2) == pytest.approx(1, abs=FARTHEST * error)


def test_inherited_part_is_multinomial() -> None:
    """The inherited covariance is that of the fractions of n_sys unweighted events, and rows sum to zero."""
    counts = np.array([100.0, 300, 50, 600])
    found = bin_uncertainties(gv.Counts(counts), counts.sum())
    sample = Fractions.from_sums(counts, counts)
    assert found.inherited**2 == pytest.approx(counts.sum() ** 2 * sample.variance)
    assert found.inherited_covariance().sum(axis=0) == pytest.approx(0, abs=1e-9)
    a = np.array([1.0, -2, 0.5, 3])
    assert a @ found.inherited_covariance() @ a == pytest.approx(counts.sum() ** 2 * sample.quadratic_form(a))


def test_error_bars_of_the_paper() -> None:
    """With the rate inherited too, relative errors are those of a dataset of n_sys events, whatever was generated."""
    for scale in (1, 100):
        found = bin_uncertainties(gv.Counts([scale * 250, scale * 750]), 400, normalised=False)
        assert found.relative_inherited == pytest.approx([1 / math.sqrt(100), 1 / math.sqrt(300)])
        assert np.count_nonzero(found.inherited_covariance()) == 2


def test_errors_scale_with_the_normalisation() -> None:
    """Scaling all weights scales all errors and leaves the relative ones."""
    sums = np.array([[88.0, 190, 250], [130, 260, 350]])
    one, ten = (bin_uncertainties(gv.Counts(s * sums[0], s**2 * sums[1]), 100) for s in (1.0, 10.0))
    assert ten.total == pytest.approx(10 * one.total)
    assert ten.relative_total == pytest.approx(one.relative_total)
    assert ten.fractions == pytest.approx(one.fractions)
    assert one.statistical**2 == pytest.approx(sums[1])
    assert one.total**2 == pytest.approx(one.statistical**2 + one.inherited**2)


def test_more_events_help_only_the_statistical_part() -> None:
    """Generating a hundred times as many events leaves the relative inherited error as it was."""
    few, many = (bin_uncertainties(gv.Counts([n, 3 * n]), 50) for n in (1_000, 100_000))
    assert many.relative_statistical == pytest.approx(0.1 * few.relative_statistical)
    assert many.relative_inherited == pytest.approx(few.relative_inherited)


def test_an_empty_bin_is_not_certain() -> None:
    """Where n_sys events would be less than one on average, the inherited error is that of one event."""
    found = bin_uncertainties(gv.Counts([0, 5, 395, 600]), 100)
    assert found.unresolved.tolist() == [True, True, False, False]
    assert found.inherited[:2] == pytest.approx([10, 10])
    assert found.relative_inherited[0] == math.inf
    assert found.inherited_covariance().sum(axis=1)[2:] == pytest.approx(0, abs=1e-9)
    assert np.linalg.eigvalsh(found.inherited_covariance()).min() > -1e-9


def test_a_generator_with_a_hole_covers_the_hole() -> None:
    """What n_sys training events happened to miss lies within a few of the errors stated for the empty bins."""
    rng = np.random.default_rng(3)
    spectrum = np.array([1e-3] * 50 + [0.95])
    for training in rng.multinomial(400, spectrum, size=20):
        found = bin_uncertainties(gv.Counts(25 * training), 400)
        missed = training[:-1] == 0
        assert missed.any()
        assert np.all((10_000 * spectrum)[:-1][missed] <= found.inherited[:-1][missed])


def test_negative_contents_count_as_empty() -> None:
    """Signed weights leave a covariance without negative variances, and the errors of the other bins in place."""
    signed = bin_uncertainties(gv.Counts([-5.0, 40, 60], [30.0, 50, 80]), 1_000)
    assert signed.unresolved.tolist() == [True, False, False]
    assert signed.inherited[1:] == pytest.approx(bin_uncertainties(gv.Counts([0, 40, 60]), 1_000).inherited[1:])
    assert signed.relative_inherited[0] == pytest.approx(0.1 / 5)
    assert np.linalg.eigvalsh(signed.inherited_covariance()).min() > -1e-9


def test_nothing_is_inherited_from_infinitely_many_events() -> None:
    """A perfect generator leaves the statistical error alone, in empty bins too."""
    found = bin_uncertainties(gv.Counts([0, 40, 60]), math.inf)
    assert found.inherited.tolist() == [0, 0, 0]
    assert not found.unresolved.any()
    assert found.total.tolist() == found.statistical.tolist()
    assert not found.inherited_covariance().any()


def test_a_comparison_knows_its_events() -> None:
    """A comparison stands for min(n_train, lower limit of n_equivalent) events."""
    generated, reference = gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020])
    for n_train in (None, 50):
        comparison = gv.compare(generated, reference, n_required=500, n_train=n_train)
        assert bin_uncertainties(generated, comparison).n_sys == comparison.n_systematic
    assert comparison.n_systematic == 50


def test_events_of_a_comparison_cover_a_measured_bias() -> None:
    """With n_systematic of a comparison, the rms bias is at most one inherited error in about 95 % of the cases."""
    rng, toys = np.random.default_rng(6), 200
    spoiled = boundary_shape("smooth", SPECTRUM, 0.002)
    covered, covered_by_upper = 0, 0
    for _ in range(toys):
        generated, reference = (gv.Counts(rng.multinomial(20_000, q)) for q in (spoiled, SPECTRUM))
        comparison = gv.compare(generated, reference, n_required=5_000)
        found = bin_uncertainties(generated, comparison, normalised=False)
        chi2 = float(np.sum((20_000 * (spoiled - SPECTRUM) / found.inherited) ** 2))
        covered += chi2 <= comparison.ndf
        covered_by_upper += chi2 * comparison.n_equivalent.upper / found.n_sys <= comparison.ndf
    assert covered / toys == pytest.approx(0.95, abs=FARTHEST * math.sqrt(0.05 * 0.95 / toys))
    assert covered_by_upper < 0.2 * toys


def test_dimensions_are_flattened_and_remembered() -> None:
    """A 2-D histogram gives flat arrays, which its shape unfolds."""
    counts = np.arange(1, 7).reshape(2, 3)
    found = bin_uncertainties(gv.Counts(counts), 10)
    assert found.shape == (2, 3)
    assert found.contents.reshape(found.shape).tolist() == counts.tolist()
    assert found.total_covariance().shape == (6, 6)


def test_results_and_input_do_not_change() -> None:
    """The arrays of a result are read-only, and those it was computed from are not touched."""
    contents = np.array([10.0, 20])
    found = bin_uncertainties(gv.Counts(contents, contents), 10)
    contents[0] = 99
    assert found.contents.tolist() == [10, 20]
    with pytest.raises(ValueError, match="read-only"):
        found.inherited[0] = 0


N = np.geomspace(10, 1e12, 50)


def test_generated_curve_flattens_at_the_star() -> None:
    """As in figure 1, the generated total tends to the total of n_train simulated events, not to the simulation's."""
    curves = uncertainty_curves(N, n_train=1_000, systematic=0.01)
    assert curves.generated_total[-1] == pytest.approx(curves.star, rel=1e-6)
    assert curves.simulation_total[-1] == pytest.approx(0.01, rel=1e-6)
    at_star = uncertainty_curves(1_000, n_train=1_000, systematic=0.01)
    assert at_star.simulation_total == pytest.approx(curves.star)
    assert at_star.generated_total == pytest.approx(math.sqrt(2 / 1_000 + 0.01**2))
    assert np.all(curves.generated_systematic == curves.star)
    assert np.all(curves.generated_total > curves.simulation_total)


def test_curves_add_in_quadrature() -> None:
    """Statistical and systematic parts make the totals, and the statistical part is 1/sqrt(N p)."""
    curves = uncertainty_curves(N, n_train=1_000, systematic=0.05, probability=0.25)
    assert curves.statistical == pytest.approx(2 / np.sqrt(N))
    assert curves.simulation_total**2 == pytest.approx(curves.statistical**2 + 0.05**2)
    assert curves.generated_total**2 == pytest.approx(curves.statistical**2 + 4 / 1_000 + 0.05**2)


def test_curve_of_a_measured_generator() -> None:
    """With n_equivalent the total is sqrt(1/N + 1/n_equivalent); a perfect generator has the simulation's curve."""
    assert uncertainty_curves(N, n_equivalent=500).generated_total == pytest.approx(np.sqrt(1 / N + 1 / 500))
    perfect = uncertainty_curves(N, n_equivalent=math.inf, systematic=0.02)
    assert perfect.generated_total == pytest.approx(perfect.simulation_total)


def test_an_interval_gives_a_band() -> None:
    """A measured n_equivalent gives the curves of its estimate and of both limits, and n_train keeps the star."""
    worth = gv.Interval(lower=200, estimate=500, upper=math.inf)
    curves = uncertainty_curves(N, n_equivalent=worth, n_train=1_000, systematic=0.01)
    for column, n in (("total", 500), ("most", 200), ("least", math.inf)):
        expected = uncertainty_curves(N, n_equivalent=n, systematic=0.01).generated_total
        assert getattr(curves, f"generated_{column}") == pytest.approx(expected)
    assert curves.n_equivalent == worth
    assert curves.n_star == 1_000
    assert curves.star == pytest.approx(math.hypot(1 / math.sqrt(1_000), 0.01))
    assert uncertainty_curves(N, n_equivalent=worth).n_star == 500
    plain = uncertainty_curves(N, n_equivalent=500)
    assert plain.n_equivalent is None
    assert plain.generated_least.tolist() == plain.generated_total.tolist() == plain.generated_most.tolist()


def test_a_report_counts_by_its_worst_observable() -> None:
    """Of a report, the observable with the smallest lower limit gives band and name, and n_train the star."""
    counts = {"good": [1000, 2050, 2950], "bad": [1150, 1900, 2950]}
    comparisons = {
        name: gv.compare(gv.Counts(values), gv.Counts([980, 2000, 3020]), n_required=500, n_train=90, name=name)
        for name, values in counts.items()
    }
    report = gv.combine(comparisons)
    name, worth = smallest_equivalent(report)
    assert name == "bad"
    assert worth == comparisons["bad"].n_equivalent
    curves = uncertainty_curves(N, n_equivalent=report)
    assert curves.n_equivalent == worth
    assert curves.n_star == 90
    assert (
        curves.generated_most.tolist() == uncertainty_curves(N, n_equivalent=comparisons["bad"]).generated_most.tolist()
    )
    assert uncertainty_curves(N, n_equivalent=report, n_train=70).n_star == 70


def test_a_stratum_counts_as_a_part() -> None:
    """What half of the events is worth counts twice for the whole; a later attempt keeps the limit of a first one."""
    comparison = gv.compare(gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=500)
    half = replace(comparison, share=0.5)
    assert smallest_equivalent(half)[1].lower == 2 * comparison.n_equivalent.lower
    later = replace(comparison, n_equivalent_nominal=1.5 * comparison.n_equivalent.lower)
    assert smallest_equivalent(later)[1].lower == 1.5 * comparison.n_equivalent.lower


def test_what_was_withdrawn_gives_no_curve() -> None:
    """Where nothing is known of n_equivalent there is no curve, and the reason is told."""
    comparison = gv.compare(gv.Counts([1000, 2100]), gv.Counts([980, 2000]), n_required=500, name="mass")
    with pytest.raises(gv.InputError, match="nothing is known of n_equivalent in 'mass': they share events"):
        uncertainty_curves(N, n_equivalent=comparison.withdrawn("they share events"))


def test_curves_are_those_of_a_bin() -> None:
    """The curve at N is the relative error of a bin of N events, the rate inherited too."""
    found = bin_uncertainties(gv.Counts([2_000, 6_000]), 100, normalised=False)
    curves = uncertainty_curves(8_000, n_train=100, probability=0.25)
    assert found.relative_total[0] == pytest.approx(float(curves.generated_total))
    assert found.relative_statistical[0] == pytest.approx(float(curves.statistical))


def test_generated_curve_is_that_of_an_ensemble() -> None:
    """Bootstrap generators spread about the truth by what the curve says, at any number of generated events."""
    rng = np.random.default_rng(5)
    events = np.array([50, 200, 1_000, 20_000])
    training = rng.poisson(200 * 0.25, size=GENERATORS)
    generated = rng.poisson(np.multiply.outer(events / 200, training))
    spread = generated.std(axis=1, ddof=1) / (events * 0.25)
    stated = uncertainty_curves(events, n_train=200, probability=0.25).generated_total
    assert spread == pytest.approx(stated, rel=FARTHEST / math.sqrt(2 * GENERATORS))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"generated": "mass"}, "generated: a str is not a histogram"),
        ({"generated": [5, 5]}, "generated: a list of numbers without a name; are these events"),
        ({"generated": gv.Counts([0, 0])}, "no events"),
        ({"n_sys": 0}, "n_sys=0 is out of range"),
        ({"n_sys": -1.0}, "expected a positive number of events"),
        ({"n_sys": math.nan}, "n_sys is NaN"),
        ({"n_sys": "many"}, "n_sys='many' is a str; expected a number"),
    ],
)
def test_impossible_bins_are_refused(arguments: dict[str, Any], words: str) -> None:
    """What is no histogram or no number of events is refused."""
    with pytest.raises(gv.GanvalidError, match=words):
        bin_uncertainties(**{"generated": gv.Counts([1, 2]), "n_sys": 10, **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "expected exactly one of them"),
        ({"n_train": 10, "n_equivalent": 10}, "expected exactly one of them"),
        ({"n_train": 0}, "n_train=0 is out of range"),
        ({"n_equivalent": -1}, "n_equivalent=-1 is out of range"),
        ({"n_equivalent": gv.Interval(lower=0, estimate=1, upper=2)}, r"n_equivalent\.lower=0 is out of range"),
        ({"n_equivalent": gv.Interval(lower=3, estimate=1, upper=2)}, "expected lower <= estimate <= upper"),
        ({"n_equivalent": gv.Interval(lower=1, estimate=1, upper=2), "n_train": 0}, "n_train=0 is out of range"),
        ({"n_train": 10, "n_events": [10, 0]}, "n_events holds 0"),
        ({"n_train": 10, "n_events": [math.inf]}, "n_events holds inf"),
        ({"n_train": 10, "n_events": ["a"]}, "n_events has dtype <U1"),
        ({"n_train": 10, "systematic": -0.1}, "systematic=-0.1"),
        ({"n_train": 10, "probability": 0}, "probability=0 is out of range"),
        ({"n_train": 10, "probability": 1.5}, "probability=1.5 is out of range"),
    ],
)
def test_impossible_curves_are_refused(arguments: dict[str, Any], words: str) -> None:
    """Numbers out of range, and neither or both of n_train and n_equivalent, are refused."""
    with pytest.raises(gv.GanvalidError, match=words):
        uncertainty_curves(**{"n_events": [100], **arguments})


@pytest.mark.parametrize(("n_sys", "unresolved"), [(10.0, [False, False]), (math.nextafter(10.0, 0), [True, False])])
def test_one_event_resolves_a_bin(n_sys: float, unresolved: list[bool]) -> None:
    """A bin in which n_sys events would be exactly one on average is resolved, one with less is not."""
    found = bin_uncertainties(gv.Counts([1, 9]), n_sys)
    assert found.unresolved.tolist() == unresolved
    assert found.n_sys == n_sys


@pytest.mark.parametrize("n", [1e-6, 1.0, math.inf])
def test_the_ends_of_the_numbers_of_events(n: float) -> None:
    """A generator may be worth a millionth of an event, or infinitely many; curves begin at one event."""
    assert bin_uncertainties(gv.Counts([5, 5]), n).n_sys == n
    curves = uncertainty_curves([1.0], n_equivalent=n, probability=1.0, systematic=0.0)
    assert curves.n_star == n
    assert curves.star == pytest.approx(1 / math.sqrt(n), rel=1e-12)
    with pytest.raises(gv.InputError, match="out of range"):
        bin_uncertainties(gv.Counts([5, 5]), math.nextafter(1e-6, 0))
    with pytest.raises(gv.InputError, match="probability=0 is out of range"):
        uncertainty_curves([1.0], n_equivalent=n, probability=0)

"""Minimum-bias collisions follow their law, and pileup from a finite library costs what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import MinimumBias, Pileup

REFERENCE = {
    "collisions": [7.44483892443689, 43.94278595455089, 29.36447882944914],
    "pileup": [29.30422196035157, 24.785027878763376, 40.02763225651351],
}
LAWS = [MinimumBias(), MinimumBias(mean_multiplicity=1.5, shape=0.7, mean_pt=1.0)]


@pytest.mark.parametrize("toy", LAWS)
def test_the_multiplicity_is_negative_binomial(toy: MinimumBias) -> None:
    """Multiplicities come with the probabilities of a negative binomial without its zero."""
    n = np.arange(1, 9)
    law = stats.nbinom(toy.shape, 1 / (1 + toy.mean_multiplicity / toy.shape))
    expected = law.pmf(n) / (1 - law.pmf(0))
    np.testing.assert_allclose(toy.multiplicity_pmf(n), expected, rtol=1e-12)
    assert toy.multiplicity_pmf([0, -1, 1.5]).tolist() == [0, 0, 0]
    found = np.histogram(toy.sample(50_000, seed=1)["multiplicity"], [*(n - 0.5), np.inf])[0]
    expected = 50_000 * np.array([*expected[:-1], 1 - expected[:-1].sum()])
    assert stats.chi2(7).sf(np.sum((found - expected) ** 2 / expected)) > 1e-3


@pytest.mark.parametrize("toy", LAWS)
def test_sums_are_mixtures_of_gamma_distributions(toy: MinimumBias) -> None:
    """Bin probabilities of the sum are those of gamma distributions of shape 2 N, weighted by the multiplicity's."""
    edges, n = np.array([0.0, 0.5, 3.0, 20.0, 60.0]), np.arange(1, 2_000)
    cdf = [float(toy.multiplicity_pmf(n) @ stats.gamma(2 * n, scale=toy.mean_pt / 2).cdf(edge)) for edge in edges]
    np.testing.assert_allclose(toy.bin_probabilities(edges.tolist()), np.diff([0, *cdf, 1]), atol=1e-12)


@pytest.mark.parametrize("toy", LAWS)
def test_moments_of_a_collision(toy: MinimumBias) -> None:
    """Means of the columns and of their squares are exact."""
    n = np.arange(1, 5_000)
    p = toy.multiplicity_pmf(n)
    assert toy.moments()["multiplicity"] == pytest.approx((p @ n, p @ n**2), rel=1e-11)
    sums = (p @ (n * toy.mean_pt), p @ ((n**2 + n / 2) * toy.mean_pt**2))
    assert toy.moments()["sum_pt"] == pytest.approx(sums, rel=1e-11)


@pytest.mark.parametrize("name", ["multiplicity", "sum_pt"])
def test_moments_of_pileup(name: str) -> None:
    """A sample has mean and variance of its library's compound distribution, and a large library those of the law."""
    toy, n = Pileup(mean=6.0), 40_000
    values = toy.sample(n, seed=1)[name]
    mean, variance = toy.library_moments()[name]
    assert np.mean(values) == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    assert np.var(values) == pytest.approx(variance, rel=0.06)
    assert toy.library_moments()[name] == pytest.approx(toy.moments()[name], rel=0.02)


def test_collisions_are_poisson() -> None:
    """The number of collisions per event is Poisson; an event without any is empty."""
    events = Pileup(mean=0.5, library_size=10).sample(20_000, seed=1)
    found = np.bincount(events["collisions"].astype(int), minlength=4)
    expected = 20_000 * stats.poisson(0.5).pmf([0, 1, 2])
    assert stats.chi2(3).sf(np.sum((found[:3] - expected) ** 2 / expected)) > 1e-3
    assert np.all((events["sum_pt"] == 0) == (events["collisions"] == 0))
    assert Pileup(mean=0.001).sample(1, seed=0)["collisions"].tolist() == [0]


def test_a_library_of_one() -> None:
    """With a single collision in the library, each event is a multiple of it."""
    toy = Pileup(mean=3.0, library_size=1)
    events, library = toy.sample(100, seed=1), toy.library()
    np.testing.assert_allclose(events["sum_pt"], events["collisions"] * library["sum_pt"][0])


def test_what_a_finite_library_costs() -> None:
    """Over libraries, the mean that samples converge to scatters by μ sd / sqrt(size), as one of `worth` events."""
    toys = [Pileup(mean=10.0, library_size=400, library_seed=seed) for seed in range(300)]
    means = [toy.library_moments()["sum_pt"][0] for toy in toys]
    mean, variance = toys[0].moments()["sum_pt"]
    assert np.mean(means) == pytest.approx(mean, rel=0.02)
    assert np.std(means) == pytest.approx(np.sqrt(variance / toys[0].worth()), rel=4 / np.sqrt(600))


def test_a_small_library_is_caught() -> None:
    """The gate accepts pileup from a library worth many required events, and not from one worth few of them."""
    verdicts = []
    for size in (100_000, 300):
        generated = Pileup(mean=5.0, library_size=size, library_seed=1).sample(40_000, seed=1)["sum_pt"]
        reference = Pileup(mean=5.0, library_seed=2).sample(40_000, seed=2)["sum_pt"]
        edges = [-np.inf, *np.quantile(reference, np.arange(1, 20) / 20), np.inf]
        counts = [gv.Counts(np.histogram(values, edges)[0]) for values in (generated, reference)]
        verdicts.append(gv.compare(*counts, n_required=4_000).verdict)
    assert verdicts == ["ROBUST", "BIASED"]


def test_the_provenance_names_the_library() -> None:
    """A sample says which library it was overlaid from."""
    found = Pileup(library_size=10, library_seed=3).sample(5, seed=4).provenance
    assert found["source"] == "Pileup"
    assert found["seed"] == 4
    assert found["parameters"] == {
        "collisions": {"mean_multiplicity": 30.0, "shape": 1.5, "mean_pt": 0.6},
        "mean": 40.0,
        "library_size": 10,
        "library_seed": 3,
    }


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    collisions = MinimumBias().sample(3, seed=2026)
    assert collisions["multiplicity"].tolist() == [18, 73, 44]
    np.testing.assert_allclose(collisions["sum_pt"], REFERENCE["collisions"], rtol=1e-12)
    pileup = Pileup(mean=3.0, library_size=100).sample(3, seed=2026)
    assert pileup["collisions"].tolist() == [4, 1, 6]
    np.testing.assert_allclose(pileup["sum_pt"], REFERENCE["pileup"], rtol=1e-12)


@pytest.mark.parametrize(
    ("toy", "parameters", "error", "text"),
    [
        (MinimumBias, {"mean_multiplicity": 0.0}, InputError, "mean_multiplicity=0.0 is out of range; expected 0.1 to"),
        (MinimumBias, {"shape": np.nan}, InputError, "shape is NaN"),
        (MinimumBias, {"mean_pt": -1.0}, InputError, "mean_pt=-1.0 is out of range"),
        (Pileup, {"mean": 0.0}, InputError, "mean=0.0 is out of range; expected 0.001 to 1000"),
        (Pileup, {"library_size": 0}, InputError, "library_size=0 is too small"),
        (Pileup, {"library_size": 1.5}, InputTypeError, "library_size=1.5 is a float"),
        (Pileup, {"library_seed": -1}, InputError, "library_seed=-1 is too small"),
    ],
)
def test_impossible_parameters(toy: Any, parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Means, shapes and sizes must be possible."""
    with pytest.raises(error, match=text):
        toy(**parameters)

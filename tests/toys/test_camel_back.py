"""The camel back is what it states: density, distribution, bin probabilities and samples agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import CamelBack

TOYS = [
    CamelBack(),
    CamelBack(means=(-1.0, 5.0), widths=(0.5, 2.0), fraction=0.2),
    CamelBack(means=(3.0, 3.0), widths=(1.0, 1e-3), fraction=0.9),
]


@pytest.mark.parametrize("toy", TOYS)
def test_the_density_is_the_slope_of_the_distribution(toy: CamelBack) -> None:
    """The density integrates to the distribution, and to one."""
    for low, high in ((-6.0, -3.0), (-1.0, 1.0), (4.0, 7.0)):
        area, _ = integrate.quad(lambda x: float(toy.pdf(x)), low, high, points=[3.0], epsabs=1e-12, limit=200)
        assert area == pytest.approx(float(toy.cdf(high) - toy.cdf(low)), abs=1e-9)
    assert toy.cdf([-np.inf, np.inf]).tolist() == [0, 1]


def test_the_density_is_two_normal_peaks() -> None:
    """Density and distribution are scipy's, at scalars, integers and arrays of any shape."""
    toy = TOYS[1]
    first, second = stats.norm(-1, 0.5), stats.norm(5, 2)
    x = np.linspace(-5, 12, 12).reshape(3, 4)
    np.testing.assert_allclose(toy.pdf(x), 0.2 * first.pdf(x) + 0.8 * second.pdf(x), rtol=1e-13)
    np.testing.assert_allclose(toy.cdf(x), 0.2 * first.cdf(x) + 0.8 * second.cdf(x), rtol=1e-13)
    assert float(toy.pdf(3)) == pytest.approx(0.2 * first.pdf(3) + 0.8 * second.pdf(3))


@pytest.mark.parametrize("toy", TOYS)
def test_samples_follow_the_bin_probabilities(toy: CamelBack) -> None:
    """The χ² of toys against the exact bin probabilities is distributed as it should, flow bins included."""
    edges = toy.equiprobable_edges(15)
    expected = 2_000 * toy.bin_probabilities(edges)
    ends = [-np.inf, *edges, np.inf]
    chi2 = [
        np.sum((np.histogram(toy.sample(2_000, seed=seed)["x"], ends)[0] - expected) ** 2 / expected)
        for seed in range(300)
    ]
    p = special.chdtrc(14, chi2)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(chi2) == pytest.approx(14, abs=3 * np.sqrt(28 / 300))


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("bins", [2, 3, 10, 100])
def test_equiprobable_edges(toy: CamelBack, bins: int) -> None:
    """Equiprobable bins have exactly equal probabilities."""
    edges = toy.equiprobable_edges(bins)
    assert len(edges) == bins - 1
    np.testing.assert_allclose(toy.bin_probabilities(edges), 1 / bins, atol=1e-9)


def test_bin_probabilities() -> None:
    """Probabilities include both flow bins, sum to one, and need no edge at all."""
    assert TOYS[0].bin_probabilities([0.0]) == pytest.approx([0.5, 0.5])
    assert TOYS[0].bin_probabilities([]).tolist() == [1]
    assert TOYS[1].bin_probabilities([-2.0, 0.0, 9.0]).sum() == pytest.approx(1, abs=1e-15)


def test_reproducible() -> None:
    """The same seed gives the same events, another seed others; the provenance says which."""
    first, again, other = (TOYS[0].sample(1_000, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first["x"], again["x"])
    assert abs(np.corrcoef(first["x"], other["x"])[0, 1]) < 0.1
    assert first.provenance["source"] == "CamelBack"
    assert first.provenance["seed"] == 0
    np.testing.assert_array_equal(TOYS[0].sample(10, seed=0)["x"], first["x"][:10])
    assert first.weight is None


def test_the_fraction_is_that_of_the_first_peak() -> None:
    """The share of events in the first peak is the fraction."""
    toy = CamelBack(means=(-100.0, 100.0), fraction=0.2)
    assert (toy.sample(100_000, seed=1)["x"] < 0).mean() == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"fraction": 0.0}, InputError, "fraction=0.0 is out of range"),
        ({"fraction": 1}, InputError, "fraction=1 is out of range"),
        ({"widths": (1.0, 0.0)}, InputError, "widths=0.0 is out of range"),
        ({"widths": (1.0, -1.0)}, InputError, "widths=-1.0 is out of range"),
        ({"means": (0.0, np.nan)}, InputError, "means is NaN"),
        ({"means": ("a", 1.0)}, InputTypeError, "means='a' is a str"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Shares and widths must be possible."""
    with pytest.raises(error, match=text):
        CamelBack(**parameters)

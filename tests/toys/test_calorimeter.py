"""The calorimeter responds to an energy as stated, fakes included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import Calorimeter

REFERENCE = {
    "energy": [116.52318584466107, 226.14846685834968, 368.0434333559444],
    "response": [5.6877314756730994, 1.04732099927146, 0.9671269773453932],
    "at 50 GeV": [0.8377043685350434, 1.005312511957002, 1.0834659553847428],
}


def test_the_resolution_has_three_terms() -> None:
    """Stochastic, noise and constant term add in quadrature."""
    toy = Calorimeter(stochastic=0.5, noise=1.0, constant=0.03)
    expected = [np.sqrt(0.25 / 25 + 1 / 625 + 0.0009), np.sqrt(0.25 / 400 + 1 / 160_000 + 0.0009)]
    np.testing.assert_allclose(toy.resolution([25.0, 400.0]), expected, rtol=1e-14)


def test_the_response_at_one_energy() -> None:
    """The response at one energy is a normal and an exponential in the proportion of the fake rate."""
    given = Calorimeter(fake_rate=0.1, fake_scale=2.0).at(25.0)
    normal, fake = stats.norm(1, Calorimeter().resolution(25.0)), stats.expon(3.0, 2.0)
    x = np.array([-1.0, 0.8, 1.0, 2.9, 3.5, 30.0])
    np.testing.assert_allclose(given.pdf(x), 0.9 * normal.pdf(x) + 0.1 * fake.pdf(x), rtol=1e-12)
    np.testing.assert_allclose(given.cdf(x), 0.9 * normal.cdf(x) + 0.1 * fake.cdf(x), atol=1e-14)


def test_bins_over_all_energies() -> None:
    """Bin probabilities over all energies are the mean over the logarithm of the energy, to 1e-9."""
    toy, edges = (
        Calorimeter(stochastic=1.2, constant=0.0, energy_range=(1.0, 5_000.0)),
        [0.2, 0.9, 0.99, 1.0, 1.01, 4.0],
    )
    low, high = np.log(toy.energy_range)

    def mean(edge: float) -> float:
        area, _ = integrate.quad(
            lambda t: float(toy.at(float(np.exp(t))).cdf(edge)), low, high, epsabs=1e-12, limit=200
        )
        return float(area / (high - low))

    np.testing.assert_allclose(toy.bin_probabilities(edges), np.diff([0, *map(mean, edges), 1]), atol=1e-11)


def test_the_joint_density() -> None:
    """The joint density is that of the energy times that of the response given the energy, and integrates to it."""
    toy = Calorimeter()
    events = toy.sample(20, seed=1)
    expected = [float(toy.at(e).pdf(r)) / (e * np.log(100)) for e, r in zip(*events.columns.values(), strict=True)]
    np.testing.assert_allclose(toy.density(events), expected, rtol=1e-12)
    area, _ = integrate.quad(lambda e: float(toy.density({"energy": e, "response": 1.1})), 20, 2_000, epsabs=1e-12)
    assert area == pytest.approx(float(toy.pdf(1.1)), abs=1e-9)
    assert toy.density({"energy": [19.0, 2_001.0], "response": [1.0, 1.0]}).tolist() == [0, 0]


def test_energies_are_log_uniform() -> None:
    """The logarithm of the incident energy is uniform in the range."""
    energy = Calorimeter().sample(20_000, seed=1)["energy"]
    assert stats.kstest(np.log(energy / 20) / np.log(100), "uniform").pvalue > 0.01


@pytest.mark.parametrize("rate", [1e-2, 1e-4])
def test_fakes_come_at_the_stated_rate(rate: float) -> None:
    """Responses beyond the start of the fakes come at the fake rate, in samples and in the stated probability."""
    toy, n = Calorimeter(fake_rate=rate, fake_start=6.0), 400_000
    found = np.count_nonzero(toy.sample(n, seed=1)["response"] > 6.0)
    assert found == pytest.approx(n * rate, abs=4 * np.sqrt(n * rate))
    assert toy.bin_probabilities([6.0])[1] == pytest.approx(rate, rel=1e-9)


def test_a_generator_without_fakes_is_caught() -> None:
    """A generator that never learnt of rare fakes is found out in the bin where they are."""
    right, wrong = Calorimeter(fake_rate=2e-3), Calorimeter(fake_rate=0.0)
    edges = [-np.inf, 0.8, 0.9, 1.0, 1.1, 1.2, 3.0, np.inf]
    generated, reference = (
        gv.Counts(np.histogram(toy.sample(200_000, seed=seed)["response"], edges)[0])
        for seed, toy in ((1, wrong), (2, right))
    )
    assert gv.compare(generated, reference, n_required=40_000).verdict == "BIASED"


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    events = Calorimeter(fake_rate=0.5).sample(3, seed=2026)
    np.testing.assert_allclose(events["energy"], REFERENCE["energy"], rtol=1e-12)
    np.testing.assert_allclose(events["response"], REFERENCE["response"], rtol=1e-12)
    given = Calorimeter().at(50.0).sample(3, seed=2026)
    assert given["energy"].tolist() == [50, 50, 50]
    np.testing.assert_allclose(given["response"], REFERENCE["at 50 GeV"], rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"stochastic": -0.1}, InputError, "stochastic=-0.1 is out of range"),
        ({"stochastic": 0, "noise": 0, "constant": 0}, InputError, "a perfect resolution; expected at least one above"),
        ({"energy_range": (0.0, 10.0)}, InputError, "expected 0 < low < high"),
        ({"energy_range": (1.0, np.inf)}, InputError, "expected 0 < low < high"),
        ({"fake_rate": 1.0}, InputError, "fake_rate=1.0 is out of range; expected a share"),
        ({"fake_rate": None}, InputTypeError, "fake_rate=None is a NoneType"),
        ({"fake_start": 0.0}, InputError, "fake_start=0.0 is out of range"),
        ({"fake_scale": -1.0}, InputError, "fake_scale=-1.0 is out of range"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Terms of the resolution, energies and shares must be possible."""
    with pytest.raises(error, match=text):
        Calorimeter(**parameters)


def test_impossible_energy() -> None:
    """An incident energy must be positive."""
    with pytest.raises(InputError, match=r"energy=0.0 is out of range"):
        Calorimeter().at(0.0)

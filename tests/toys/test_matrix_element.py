"""The matrix element is that of e+ e- -> mu+ mu- at Born level, in its known limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import MatrixElement

REFERENCE = {
    "cos_theta": [0.3331240939684973, 0.9464603822100935, 0.8047137770227236],
    "phi": [-3.013160538452781, 0.16764685768794402, 2.2211189796581605],
}
PICOBARN = 0.3893793721e9


def test_far_below_the_z_it_is_quantum_electrodynamics() -> None:
    """At 1 GeV the cross section is 4 π α² / 3 s, 86.8 nb, without asymmetry."""
    toy = MatrixElement(energy=1.0, alpha=1 / 137.036)
    assert toy.cross_section == pytest.approx(86_850, abs=10)
    assert toy.asymmetry == pytest.approx(0, abs=1e-3)


def test_at_the_peak_it_is_the_z() -> None:
    """At the mass of the Z the cross section is 12 π Γ_l² / M² Γ² and the photon's: there is no interference."""
    toy = MatrixElement(energy=91.188)
    w = toy.sin2_theta
    partial = toy.alpha * toy.z_mass * ((0.5 - w) ** 2 + w**2) / (6 * w * (1 - w))
    assert partial == pytest.approx(0.084, abs=0.001)
    z = 12 * np.pi * (partial / (toy.z_mass * toy.z_width)) ** 2 * PICOBARN
    photon = 4 * np.pi * toy.alpha**2 / (3 * toy.energy**2) * PICOBARN
    assert toy.cross_section == pytest.approx(z + photon, rel=1e-12)
    coupling = ((0.5 - w) ** 2 - w**2) / ((0.5 - w) ** 2 + w**2)
    assert toy.asymmetry == pytest.approx(0.75 * coupling**2, abs=1e-3)


def test_interference_changes_sign_at_the_z() -> None:
    """The forward-backward asymmetry is negative below the Z and positive above."""
    assert MatrixElement(energy=80.0).asymmetry < -0.5
    assert MatrixElement(energy=110.0).asymmetry > 0.5


@pytest.mark.parametrize("energy", [10.0, 80.0, 91.188, 110.0, 500.0])
def test_the_asymmetry_is_forward_minus_backward(energy: float) -> None:
    """Forward less backward probability is the asymmetry, and bins are integrals of the density to 1e-9."""
    toy = MatrixElement(energy=energy)
    backward, forward = toy.bin_probabilities([0.0])
    assert forward - backward == pytest.approx(toy.asymmetry, abs=1e-12)
    edges = [-1.0, -0.3, 0.9, 1.0]
    areas = [integrate.quad(lambda c: float(toy.pdf(c)), *ends)[0] for ends in pairwise(edges)]
    np.testing.assert_allclose(toy.bin_probabilities(edges), [0, *areas, 0], atol=1e-12)


@pytest.mark.parametrize("energy", [1.0, 80.0, 110.0, 200.0])
def test_events_invert_the_distribution(energy: float) -> None:
    """The solution of the cubic equation inverts the distribution function to rounding, from end to end."""
    toy, share = MatrixElement(energy=energy), np.linspace(0, 1, 1_001)
    np.testing.assert_allclose(toy.cdf(toy._inverse(share)), share, atol=1e-14)


def test_the_matrix_element_can_be_queried() -> None:
    """The differential cross section at any event is the density times the cross section, and integrates to it."""
    toy = MatrixElement()
    events = toy.sample(5, seed=1)
    np.testing.assert_allclose(toy.differential_cross_section(events), toy.cross_section * toy.density(events))
    c, weights = np.polynomial.legendre.leggauss(5)
    queried = toy.differential_cross_section({"cos_theta": c, "phi": np.zeros(5)})
    assert weights @ queried * 2 * np.pi == pytest.approx(toy.cross_section, rel=1e-12)
    assert toy.density({"cos_theta": [1.1, 0.0], "phi": [0.0, 4.0]}).tolist() == [0, 0]


def test_weights_turn_one_energy_into_another() -> None:
    """Events of one energy, weighted by the ratio of densities, have the asymmetry of another."""
    made, wanted = MatrixElement(energy=120.0), MatrixElement(energy=95.0)
    events = made.sample(50_000, seed=1)
    weight = wanted.density(events) / made.density(events)
    sign = np.sign(events["cos_theta"])
    assert np.mean(weight) == pytest.approx(1, abs=0.02)
    assert np.mean(weight * sign) == pytest.approx(wanted.asymmetry, abs=4 * np.std(weight) / np.sqrt(50_000))


def test_the_azimuth_is_uniform() -> None:
    """The azimuth is uniform and independent of the polar angle."""
    events = MatrixElement().sample(20_000, seed=1)
    assert stats.kstest(events["phi"], "uniform", args=(-np.pi, 2 * np.pi)).pvalue > 0.01
    assert abs(np.corrcoef(events["phi"], events["cos_theta"])[0, 1]) < 0.03


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    events = MatrixElement().sample(3, seed=2026)
    np.testing.assert_allclose(events["cos_theta"], REFERENCE["cos_theta"], rtol=1e-12)
    np.testing.assert_allclose(events["phi"], REFERENCE["phi"], rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"energy": 0.0}, InputError, "energy=0.0 is out of range"),
        ({"z_mass": -91.0}, InputError, "z_mass=-91.0 is out of range"),
        ({"z_width": "wide"}, InputTypeError, "z_width='wide' is a str"),
        ({"sin2_theta": 0.0}, InputError, "sin2_theta=0.0 is out of range; expected 0.01 to 0.99"),
        ({"alpha": 137.0}, InputError, "alpha=137.0 is out of range"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Energies and couplings must be possible."""
    with pytest.raises(error, match=text):
        MatrixElement(**parameters)

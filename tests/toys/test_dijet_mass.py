"""The dijet-mass spectrum is the experiments' function with a bump of the stated yield."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import DijetMass

REFERENCE = [2583.7819231451713, 1723.565051569855, 2111.145665588135, 2660.951328238633]
EDGES = (1_500.0, 1_600.0, 2_000.0, 2_900.0, 3_050.0, 5_000.0, 7_999.0, 8_000.0)


def background(mass: float) -> float:
    """The function of the experiments, as it is written."""
    x = mass / 13_000
    return float(1e6 * (1 - x) ** 10 / x ** (5 + 0.1 * np.log(x)))


def test_the_background_is_the_experiments_function() -> None:
    """Bin probabilities of the background are integrals of the formula, to 1e-9."""
    whole = integrate.quad(background, 1_500, 8_000, epsrel=1e-13)[0]
    found = DijetMass(signal_fraction=0.0).bin_probabilities(EDGES)
    for (low, high), probability in zip(pairwise(EDGES), found[1:-1], strict=True):
        area = integrate.quad(background, low, high, epsrel=1e-13)[0]
        assert probability == pytest.approx(area / whole, abs=1e-12)
    assert found[0] == pytest.approx(0, abs=1e-15)
    assert found[-1] == pytest.approx(0, abs=1e-15)


def test_the_spectrum_falls() -> None:
    """The default spectrum falls by seven orders of magnitude over its range."""
    low, high = DijetMass(signal_fraction=0.0).pdf([1_500.0, 8_000.0])
    assert 1e7 < low / high < 1e8


@pytest.mark.parametrize("tail", [None, (1.5, 3.0)])
def test_the_bump_is_added(tail: tuple[float, float] | None) -> None:
    """With a signal fraction f the probabilities are (1 - f) background + f peak, the peak normalised in the range."""
    pure, mixed = DijetMass(signal_fraction=0.0), DijetMass(signal_fraction=0.2, tail=tail)
    peak = stats.norm(3_000, 100) if tail is None else stats.crystalball(1.5, 3.0, 3_000, 100)
    signal = np.diff(peak.cdf(EDGES)) / np.diff(peak.cdf([1_500.0, 8_000.0]))
    expected = 0.8 * pure.bin_probabilities(EDGES)[1:-1] + 0.2 * signal
    np.testing.assert_allclose(mixed.bin_probabilities(EDGES)[1:-1], expected, atol=1e-12)


def test_the_yield_is_as_stated() -> None:
    """The number of events that a signal adds in its window is the number of events times the signal fraction."""
    n, fraction = 100_000, 0.03
    mass = DijetMass(signal_fraction=fraction).sample(n, seed=1)["mass"]
    expected = DijetMass(signal_fraction=0.0).bin_probabilities([2_600.0, 3_400.0])[1] * n * (1 - fraction)
    found = np.count_nonzero((mass > 2_600) & (mass < 3_400)) - expected
    assert found == pytest.approx(n * fraction, abs=4 * np.sqrt(expected + n * fraction))


def test_events_are_in_the_range() -> None:
    """No event is outside of the range, where the density is zero."""
    toy = DijetMass(signal_fraction=0.9, signal_mass=1_510.0)
    mass = toy.sample(10_000, seed=1)["mass"]
    assert 1_500 <= mass.min() < mass.max() <= 8_000
    assert toy.pdf([1_499.0, 8_001.0, np.inf]).tolist() == [0, 0, 0]


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    toy = DijetMass(signal_fraction=0.5, tail=(1.5, 3.0))
    np.testing.assert_allclose(toy.sample(4, seed=2026)["mass"], REFERENCE, rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"energy": -1.0}, InputError, "energy=-1.0 is out of range"),
        ({"mass_range": (1_000.0, 13_000.0)}, InputError, "expected 0 < low < high < 13000"),
        ({"mass_range": (2_000.0, 1_000.0)}, InputError, "expected 0 < low < high"),
        ({"slope": (1.0, np.nan, 0.0)}, InputError, "slope is NaN"),
        ({"slope": (0.0, 300.0, 0.0)}, InputError, r"factor of e\^502 within .* expected less than e\^200"),
        ({"slope": (0.0, np.inf, 0.0)}, InputError, "slope=inf is out of range"),
        ({"signal_fraction": 1.0}, InputError, "signal_fraction=1.0 is out of range; expected a share"),
        ({"signal_mass": 100.0}, InputError, "signal_mass=100.0 is out of range; expected 1500 to 8000"),
        ({"signal_width": 0.0}, InputError, "signal_width=0.0 is out of range"),
        ({"tail": (0.0, 2.0)}, InputError, "tail=0.0 is out of range"),
        ({"tail": (1.0, 1.0)}, InputError, "falls too slowly; expected a power above 1"),
        ({"tail": (1.0, "a")}, InputTypeError, "tail='a' is a str"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Ranges, powers, shares and widths must be possible."""
    with pytest.raises(error, match=text):
        DijetMass(**parameters)

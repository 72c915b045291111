"""The Z line shape is a Breit-Wigner of running width with a normal resolution, and its mass can be measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, special

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import ZLineShape

REFERENCE = [87.62602589056182, 96.10876947738448, 94.07876025759819]
TOYS = [
    ZLineShape(),
    ZLineShape(mass=80.0, width=0.09, resolution=7.0),
    ZLineShape(mass=100.0, width=10.0, resolution=0.11, mass_range=(50.0, 130.0)),
]


def breit_wigner(toy: ZLineShape, mass: float) -> float:
    """The density in the true mass, as it is written in the PDG review, not normalised."""
    s = mass**2
    return 2 * mass / ((s - toy.mass**2) ** 2 + (s * toy.width / toy.mass) ** 2)


@pytest.mark.parametrize("toy", TOYS)
def test_bin_probabilities_are_those_of_the_convolution(toy: ZLineShape) -> None:
    """Bin probabilities are the Breit-Wigner's integral with the normal distribution, to 1e-9."""
    low, high = toy.mass_range

    def integral(x: float) -> float:
        points = sorted({min(max(p, low), high) for c in (toy.mass, x) for w in (-5, -1, 0, 1, 5) for p in
                         (c + w * toy.width, c + w * toy.resolution)})  # fmt: skip
        return float(
            integrate.quad(
                lambda m: breit_wigner(toy, m) * special.ndtr((x - m) / toy.resolution),
                low, high, points=points, epsabs=0, epsrel=1e-12, limit=500,
            )[0]
        )  # fmt: skip

    edges = [toy.mass - 20.0, toy.mass - 1, toy.mass, toy.mass + 3.0, 121.0]
    cdf = np.array([integral(x) for x in edges]) / integral(1e4)
    np.testing.assert_allclose(toy.bin_probabilities(edges), np.diff([0, *cdf, 1]), atol=1e-11)


def test_the_mass_is_that_of_the_running_width() -> None:
    """Without much noise the peak is at the mass in s, 34 MeV above the mass of the same curve with a fixed width."""
    toy = ZLineShape(resolution=0.0912)
    centre, _ = toy._peak()
    assert toy.mass - np.sqrt(centre) == pytest.approx(0.0341, abs=1e-4)


@pytest.mark.parametrize("mass", [91.188, 91.5])
def test_a_fit_recovers_the_mass(mass: float) -> None:
    """The maximum-likelihood fit of the mass finds it within its error bars."""
    events = ZLineShape(mass=mass).sample(5_000, seed=1)["mass"]

    def cost(parameter: float) -> float:
        return -2 * float(np.log(ZLineShape(mass=parameter).pdf(events)).sum())

    fit = optimize.minimize_scalar(cost, bounds=(90.0, 93.0), method="bounded", options={"xatol": 1e-4})
    step = 0.05
    error = step * np.sqrt(2 / (cost(fit.x + step) + cost(fit.x - step) - 2 * fit.fun))
    assert error == pytest.approx(0.04, abs=0.01)
    assert abs(fit.x - mass) < 3 * error


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    np.testing.assert_allclose(ZLineShape().sample(3, seed=2026)["mass"], REFERENCE, rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"mass": 0.5}, InputError, "mass=0.5 is out of range; expected 1 to 10000"),
        ({"mass": "Z"}, InputTypeError, "mass='Z' is a str"),
        ({"width": 0.01}, InputError, "width=0.01 is out of range; expected 0.091188 to 9.1188"),
        ({"resolution": 20.0}, InputError, "resolution=20.0 is out of range"),
        ({"resolution": np.nan}, InputError, "resolution is NaN"),
        ({"mass_range": (120.0, 60.0)}, InputError, "expected 0 < low < high"),
        ({"mass_range": (60.0, np.inf)}, InputError, "expected 0 < low < high < 9118.8"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Mass, width, resolution and range must be possible."""
    with pytest.raises(error, match=text):
        ZLineShape(**parameters)

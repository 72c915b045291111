"""Ring and spherical shell are isotropic with the stated radius."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.toys import Ring, SphericalShell

REFERENCE = {
    "ring": [-2.991158333512644, 2.331404777307361, 3.9570822870008486],
    "shell": [1.371549120212786, -0.03387391218238895, 1.647039035652513],
}


def test_the_radius_is_a_folded_normal() -> None:
    """Density and distribution of the radius are scipy's folded normal."""
    toy, expected = Ring(radius=3.0, width=2.0), stats.foldnorm(1.5, scale=2.0)
    r = np.linspace(-1, 12, 14).reshape(2, 7)
    np.testing.assert_allclose(toy.pdf(r), expected.pdf(r), rtol=1e-12)
    np.testing.assert_allclose(toy.cdf(r), expected.cdf(r), atol=1e-14)


def test_the_density_of_the_ring_integrates_to_one() -> None:
    """The density in the plane integrates to one, in Cartesian coordinates."""
    axis = np.linspace(-9, 9, 601)[:-1] + 0.015
    x, y = np.meshgrid(axis, axis)
    density = Ring().density({"x": x.ravel(), "y": y.ravel()})
    assert density.sum() * 0.03**2 == pytest.approx(1, abs=1e-5)


def test_the_density_of_the_shell() -> None:
    """The density in five dimensions is that of the radius over the surface 8/3 π² r⁴."""
    toy = SphericalShell()
    events = toy.sample(50, seed=1)
    r = toy.radii(events)
    np.testing.assert_allclose(toy.density(events), toy.pdf(r) / (8 / 3 * np.pi**2 * r**4), rtol=1e-12)
    assert toy.density({name: [0.0] for name in toy.columns}).tolist() == [np.inf]


@pytest.mark.parametrize("toy", [Ring(), SphericalShell(), SphericalShell(dimension=3)])
def test_directions_are_uniform(toy: Ring | SphericalShell) -> None:
    """No direction is special: components have mean 0, are uncorrelated, and share the squared radius."""
    n, dimension = 50_000, len(toy.columns)
    events = toy.sample(n, seed=2)
    direction = np.array([events[name] for name in toy.columns]) / toy.radii(events)
    assert np.all(np.abs(direction.mean(axis=1)) < 4 / np.sqrt(n * dimension))
    np.testing.assert_allclose(direction @ direction.T / n, np.eye(dimension) / dimension, atol=4 / np.sqrt(n) / 2)


def test_the_ring_is_the_shell_in_two_dimensions() -> None:
    """Ring and two-dimensional shell are the same toy under two names."""
    ring, shell = Ring().sample(10, seed=3), SphericalShell(dimension=2).sample(10, seed=3)
    np.testing.assert_array_equal(ring["x"], shell["x1"])
    np.testing.assert_array_equal(ring["y"], shell["x2"])


def test_reference_values() -> None:
    """The events of a seed are known numbers."""
    ring, shell = Ring().sample(3, seed=2026), SphericalShell().sample(3, seed=2026)
    np.testing.assert_allclose(ring["x"], REFERENCE["ring"], rtol=1e-12)
    np.testing.assert_allclose(shell["x5"], REFERENCE["shell"], rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"radius": -1.0}, InputError, "radius=-1.0 is out of range"),
        ({"width": 0.0}, InputError, "width=0.0 is out of range"),
        ({"width": np.nan}, InputError, "width is NaN"),
        ({"dimension": 1}, InputError, "dimension=1 is too small; expected at least 2"),
        ({"dimension": 2.5}, InputTypeError, "dimension=2.5 is a float"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], error: type[Exception], text: str) -> None:
    """Radius, width and dimension must be possible."""
    with pytest.raises(error, match=text):
        SphericalShell(**parameters)
    if "dimension" not in parameters:
        with pytest.raises(error, match=text):
            Ring(**parameters)

"""The response of a calorimeter given the incident energy, with rare fakes: a conditional generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from pytest_ganvalid._arguments import check_not_negative, check_positive
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.toys.law import (
    Events,
    FloatArray,
    Toy,
    Univariate,
    check_interval,
    check_share,
    column,
    mixture,
)
from pytest_ganvalid.toys.quadrature import nodes

_NORM = 1 / math.sqrt(2 * math.pi)
_PANEL = 0.1  # of the logarithm of the energy: the resolution changes by 10 % at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Calorimeter(Toy, Univariate):
    """Measured over incident energy, columns ``energy`` in GeV and ``response``.

    The incident energy is log-uniform in ``energy_range``. The response to it is normal with mean 1 and the relative
    resolution (PDG review, "Calorimeters")

        σ² = stochastic² / E + noise² / E² + constant²,

    not cut off at 0. With probability ``fake_rate`` it is not the particle that is measured but a fake: a response of
    fake_start + fake_scale t, t exponential with mean 1, at any energy.

    ``pdf``, ``cdf``, ``bin_probabilities`` and ``equiprobable_edges`` are those of the response over all energies, an
    integral over the logarithm of the energy with an error below 1e-11; those at one energy are exact, see ``at``.

    Attributes:
        stochastic: Square root of GeV, 0 or more.
        noise: GeV, 0 or more.
        constant: 0 or more. The resolution must not vanish.
        energy_range: Limits of the incident energy, GeV.
        fake_rate: Share of fakes, 0 or more and below 1.
        fake_start: Least response of a fake.
        fake_scale: Mean excess over it, positive.

    Raises:
        InputError: If a parameter is out of range.
    """

    stochastic: float = 0.5
    noise: float = 1.0
    constant: float = 0.03
    energy_range: tuple[float, float] = (20.0, 2_000.0)
    fake_rate: float = 1e-4
    fake_start: float = 3.0
    fake_scale: float = 1.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("stochastic", "noise", "constant"):
            check_not_negative(name, getattr(self, name))
        if self.stochastic == self.noise == self.constant == 0:
            msg = "stochastic, noise and constant are all 0, a perfect resolution; expected at least one above 0"
            raise InputError(msg)
        check_interval("energy_range", self.energy_range)
        check_share("fake_rate", self.fake_rate)
        check_positive("fake_start", self.fake_start)
        check_positive("fake_scale", self.fake_scale)

    def at(self, energy: float) -> ResponseAt:
        """Return the distribution of the response to particles of one ``energy``, GeV."""
        return ResponseAt(self, energy)

    def resolution(self, energy: ArrayLike) -> FloatArray:
        """Return the relative resolution at ``energy``, GeV, any shape."""
        e = np.asarray(energy, dtype=float)
        return np.asarray(np.sqrt(self.stochastic**2 / e + (self.noise / e) ** 2 + self.constant**2))

    def density(self, events: Events | Mapping[str, ArrayLike]) -> FloatArray:
        """Return the joint probability density at events with the columns ``energy`` and ``response``, per GeV."""
        (low, high), energy = self.energy_range, column(events, "energy")
        inside = (energy >= low) & (energy <= high)
        energy = np.where(inside, energy, low)
        conditional = _pdf(self, column(events, "response"), self.resolution(energy))
        return np.where(inside, conditional / (energy * math.log(high / low)), 0.0)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density of the response over all energies at ``x``, any shape."""
        energy, weights = self._energies()
        return mixture(lambda r: _pdf(self, r, self.resolution(energy)), x, weights)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a response up to ``x`` over all energies, any shape."""
        energy, weights = self._energies()
        return mixture(lambda r: _cdf(self, r, self.resolution(energy)), x, weights)

    def _energies(self) -> tuple[FloatArray, FloatArray]:
        """Return incident energies and their weights, which sum to 1: the rule of integration."""
        low, high = (math.log(limit) for limit in self.energy_range)
        logarithm, weights = nodes(low, high, panel=_PANEL)
        return np.exp(logarithm), weights / (high - low)

    def _reach(self) -> tuple[float, float]:
        reach = 40 * float(self.resolution(self.energy_range[0]))
        return 1 - reach, max(1 + reach, self.fake_start + 40 * self.fake_scale)

    def _draws(self) -> int:
        return 3

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        low, high = (math.log(limit) for limit in self.energy_range)
        energy = np.exp(low + (high - low) * draws[0])
        return {"energy": energy, "response": _responses(self, self.resolution(energy), draws[1:])}


@dataclass(frozen=True, slots=True)
class ResponseAt(Toy, Univariate):
    """The response of a calorimeter to particles of one energy; columns as there.

    Attributes:
        calorimeter: Whose response.
        energy: Incident energy, GeV; it may lie outside of the calorimeter's ``energy_range``.

    Raises:
        InputError: If the energy is out of range.
    """

    calorimeter: Calorimeter
    energy: float

    def __post_init__(self) -> None:
        """Check the energy."""
        check_positive("energy", self.energy)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density of the response at ``x``, any shape."""
        return _pdf(self.calorimeter, np.asarray(x, dtype=float), self._resolution())

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a response up to ``x``, any shape."""
        return _cdf(self.calorimeter, np.asarray(x, dtype=float), self._resolution())

    def _resolution(self) -> float:
        return float(self.calorimeter.resolution(self.energy))

    def _reach(self) -> tuple[float, float]:
        toy, reach = self.calorimeter, 40 * self._resolution()
        return 1 - reach, max(1 + reach, toy.fake_start + 40 * toy.fake_scale)

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        energy = np.full(draws.shape[1], float(self.energy))
        return {"energy": energy, "response": _responses(self.calorimeter, self._resolution(), draws)}


def _pdf(toy: Calorimeter, response: FloatArray, resolution: FloatArray | float) -> FloatArray:
    normal = np.exp(-0.5 * ((response - 1) / resolution) ** 2) * (_NORM / resolution)
    excess = (response - toy.fake_start) / toy.fake_scale
    fake = np.where(excess < 0, 0.0, np.exp(-np.maximum(excess, 0.0)) / toy.fake_scale)
    return np.asarray((1 - toy.fake_rate) * normal + toy.fake_rate * fake)


def _cdf(toy: Calorimeter, response: FloatArray, resolution: FloatArray | float) -> FloatArray:
    fake = -np.expm1(-np.maximum(response - toy.fake_start, 0.0) / toy.fake_scale)
    return np.asarray((1 - toy.fake_rate) * scipy.special.ndtr((response - 1) / resolution) + toy.fake_rate * fake)


def _responses(toy: Calorimeter, resolution: FloatArray | float, draws: FloatArray) -> FloatArray:
    """Return responses made of draws of shape (2, events): whether it is a fake, and how large."""
    normal = 1 + resolution * scipy.special.ndtri(draws[1])
    fake = toy.fake_start - toy.fake_scale * np.log1p(-draws[1])
    return np.asarray(np.where(draws[0] < toy.fake_rate, fake, normal))

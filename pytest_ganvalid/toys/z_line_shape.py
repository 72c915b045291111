"""The line shape of Z -> mu+ mu- with a detector's resolution: the measurement of a mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from pytest_ganvalid.toys.law import FloatArray, Toy, Univariate, check_between, check_interval, mixture
from pytest_ganvalid.toys.quadrature import nodes

_NORM = 1 / np.sqrt(2 * np.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZLineShape(Toy, Univariate):
    """A relativistic Breit-Wigner with running width, convolved with a normal resolution; column ``mass`` in GeV.

    The square s of the true mass has the density 1 / ((s - M²)² + s² Γ² / M²) within ``mass_range``: the resonance of
    the PDG review ("Resonances"; "Z boson": mass and width are those of the running width) under a parton luminosity
    that falls as 1 / s and cancels the numerator. Photon exchange and radiation are left out. Since

        (s - M²)² + s² γ² = (1 + γ²) ((s - M² / (1 + γ²))² + (M² γ / (1 + γ²))²),    γ = Γ / M,

    s has a Cauchy distribution, and events are drawn by inverting it. The same curve written with a fixed width has its
    mass at M / sqrt(1 + γ²), 34 MeV lower. The measured mass is the true one plus normal noise; it may be outside of
    ``mass_range``.

    Its truth is an integral over the true mass, with an error below 1e-11.

    Attributes:
        mass: M, GeV, 1 to 10 000.
        width: Γ, GeV; from 0.001 M to 0.1 M.
        resolution: Standard deviation of the noise, GeV; from 0.001 M to 0.1 M.
        mass_range: Limits of the true mass, GeV.

    Raises:
        InputError: If a parameter is out of range.
    """

    mass: float = 91.188
    width: float = 2.4955
    resolution: float = 1.5
    mass_range: tuple[float, float] = (60.0, 120.0)

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_between("mass", self.mass, 1, 10_000)
        check_between("width", self.width, 0.001 * self.mass, 0.1 * self.mass)
        check_between("resolution", self.resolution, 0.001 * self.mass, 0.1 * self.mass)
        check_interval("mass_range", self.mass_range, limit=100 * self.mass)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density at measured masses ``x``, GeV, any shape; per GeV."""
        masses, weights = self._true_masses()
        factors = weights * (_NORM / self.resolution)
        return mixture(lambda m: np.asarray(np.exp(-0.5 * ((m - masses) / self.resolution) ** 2)), x, factors)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a measured mass up to ``x``, GeV, any shape."""
        masses, weights = self._true_masses()
        return mixture(lambda m: scipy.special.ndtr((m - masses) / self.resolution), x, weights)

    def _true_masses(self) -> tuple[FloatArray, FloatArray]:
        """Return true masses and their weights, which sum to 1: the rule of integration."""
        centre, half_width = self._peak()
        # The density's poles are about Γ / 2 off the axis, and the resolution must be resolved, too.
        masses, weights = nodes(*self.mass_range, panel=min(self.width, 2 * self.resolution))
        low, high = self._angles()
        z = (masses**2 - centre) / half_width
        return masses, weights * 2 * masses / (half_width * (1 + z**2) * (high - low))

    def _peak(self) -> tuple[float, float]:
        """Return centre and half width of the Cauchy distribution of s, GeV²."""
        ratio = (self.width / self.mass) ** 2
        return self.mass**2 / (1 + ratio), self.mass * self.width / (1 + ratio)

    def _angles(self) -> tuple[float, float]:
        centre, half_width = self._peak()
        low, high = (float(np.arctan((limit**2 - centre) / half_width)) for limit in self.mass_range)
        return low, high

    def _reach(self) -> tuple[float, float]:
        low, high = self.mass_range
        return low - 40 * self.resolution, high + 40 * self.resolution

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        (centre, half_width), (low, high) = self._peak(), self._angles()
        mass = np.sqrt(centre + half_width * np.tan(low + (high - low) * draws[0]))
        return {"mass": mass + self.resolution * scipy.special.ndtri(draws[1])}

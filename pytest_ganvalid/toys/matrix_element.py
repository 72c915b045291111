"""A matrix element that can be queried: e+ e- -> mu+ mu- through photon and Z."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_ganvalid._arguments import check_fraction, check_positive
from pytest_ganvalid.toys.law import Events, FloatArray, Toy, Univariate, check_between, column

_PICOBARN = 3.893_793_721e8  # (ħc)² in pb GeV²


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixElement(Toy, Univariate):
    """The Born cross section of e+ e- -> mu+ mu- with unpolarised beams, columns ``cos_theta`` and ``phi``.

    θ is the angle between e- and mu-, φ the azimuth in radians from -π to π; masses of the leptons are neglected. With
    the helicity amplitudes A_ij = 1 + g_i g_j s / (s - M² + i M Γ), i and j = L or R, g_L = (s_w² - 1/2) / (s_w c_w)
    and g_R = s_w / c_w (PDG review, "Cross-section formulae for specific processes" and "Electroweak model"),

        dσ/dcosθ = π α² / (8 s) [(|A_LL|² + |A_RR|²) (1 + cosθ)² + (|A_LR|² + |A_RL|²) (1 - cosθ)²]
                 = σ [3/8 (1 + cos²θ) + A_FB cosθ].

    ``pdf``, ``cdf``, ``bin_probabilities`` and ``equiprobable_edges`` are those of cosθ, in closed form; events are
    drawn by solving the cubic equation cdf = u.

    Attributes:
        energy: Centre-of-mass energy √s, GeV.
        z_mass: M, GeV.
        z_width: Γ (fixed), GeV.
        sin2_theta: s_w², the sine squared of the weak mixing angle, 0.01 to 0.99.
        alpha: The electromagnetic coupling, between 0 and 1.

    Raises:
        InputError: If a parameter is out of range.
    """

    energy: float = 200.0
    z_mass: float = 91.188
    z_width: float = 2.4955
    sin2_theta: float = 0.2315
    alpha: float = 1 / 128

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("energy", "z_mass", "z_width"):
            check_positive(name, getattr(self, name))
        check_between("sin2_theta", self.sin2_theta, 0.01, 0.99)
        check_fraction("alpha", self.alpha)

    @property
    def cross_section(self) -> float:
        """The total cross section σ, pb."""
        equal, opposite = self._helicities()
        return _PICOBARN * math.pi * (self.alpha / self.energy) ** 2 / 3 * (equal + opposite)

    @property
    def asymmetry(self) -> float:
        """The forward-backward asymmetry A_FB, between -3/4 and 3/4."""
        equal, opposite = self._helicities()
        return 0.75 * (equal - opposite) / (equal + opposite)

    def differential_cross_section(self, events: Events | Mapping[str, ArrayLike]) -> FloatArray:
        """Return d²σ / dcosθ dφ at events with the columns ``cos_theta`` and ``phi``, pb: the matrix element."""
        return self.cross_section * self.density(events)

    def density(self, events: Events | Mapping[str, ArrayLike]) -> FloatArray:
        """Return the probability density per cosθ and φ at events with the columns ``cos_theta`` and ``phi``."""
        inside = np.abs(column(events, "phi")) <= np.pi
        return np.where(inside, self.pdf(column(events, "cos_theta")) / (2 * np.pi), 0.0)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density of cosθ at ``x``, any shape."""
        cosine = np.asarray(x, dtype=float)
        c = np.clip(cosine, -1.0, 1.0)
        return np.where(c == cosine, 0.375 * (1 + c**2) + self.asymmetry * c, 0.0)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of cosθ up to ``x``, any shape."""
        c = np.clip(np.asarray(x, dtype=float), -1.0, 1.0)
        return np.asarray((c**3 + 3 * c + 4) / 8 + self.asymmetry / 2 * (c**2 - 1))

    def _helicities(self) -> tuple[float, float]:
        """Return |A_LL|² + |A_RR|² and |A_LR|² + |A_RL|²."""
        s, mass_squared = self.energy**2, self.z_mass**2
        propagator = s / complex(s - mass_squared, self.z_mass * self.z_width)
        unit = math.sqrt(self.sin2_theta * (1 - self.sin2_theta))
        left, right = (self.sin2_theta - 0.5) / unit, self.sin2_theta / unit
        equal = abs(1 + left**2 * propagator) ** 2 + abs(1 + right**2 * propagator) ** 2
        return equal, 2 * abs(1 + left * right * propagator) ** 2

    def _reach(self) -> tuple[float, float]:
        return -1.0, 1.0

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        return {"cos_theta": self._inverse(draws[0]), "phi": np.pi * (2 * draws[1] - 1)}

    def _inverse(self, share: FloatArray) -> FloatArray:
        """Solve c³ + 4 A c² + 3 c + 4 - 4 A - 8 share = 0, which is monotonic, by the hyperbolic form of Cardano's."""
        shift = 4 * self.asymmetry / 3
        p = 3 - 3 * shift**2  # positive, as |A| < 3/4: no helicity dominates altogether
        q = 2 * shift**3 - 3 * shift + 4 - 3 * shift - 8 * share
        size = 2 * math.sqrt(p / 3)
        c = -size * np.sinh(np.arcsinh(3 * q / (p * size)) / 3) - shift
        return np.clip(c, -1.0, 1.0)

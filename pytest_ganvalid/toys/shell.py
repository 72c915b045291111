"""Ring and spherical shell: the multi-dimensional toys of the amplification literature.

Source: arXiv:2008.06545, sections 3 and 4.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from pytest_ganvalid._arguments import check_integer, check_not_negative, check_positive
from pytest_ganvalid.toys.law import Events, FloatArray, Toy, Univariate, column

_NORM = 1 / math.sqrt(2 * math.pi)


class _Isotropic(Toy, Univariate):
    """Uniform directions times the absolute value of a normal radius."""

    __slots__ = ()

    radius: float
    width: float

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the Cartesian coordinates."""

    def density(self, events: Events | Mapping[str, ArrayLike]) -> FloatArray:
        """Return the probability density at events with the toy's columns, per unit of volume.

        It grows like 1 / radius^(dimension - 1) at the origin, and is infinite there.
        """
        dimension, radii = len(self.columns), self.radii(events)
        # Surface of the unit sphere, 2 π^(d/2) / Γ(d/2), by its logarithm: Γ overflows from 343 dimensions on.
        surface = math.exp(math.log(2) + dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2))
        with np.errstate(divide="ignore"):
            return np.asarray(self.pdf(radii) / (surface * radii ** (dimension - 1)))

    def radii(self, events: Events | Mapping[str, ArrayLike]) -> FloatArray:
        """Return the distances from the origin of events with the toy's columns."""
        return np.asarray(np.sqrt(np.sum([column(events, name) ** 2 for name in self.columns], axis=0)))

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density of the radius at ``x``, any shape."""
        r = np.asarray(x, dtype=float)
        peaks = [np.exp(-0.5 * ((r - mean) / self.width) ** 2) for mean in (self.radius, -self.radius)]
        return np.where(r < 0, 0.0, _NORM / self.width * (peaks[0] + peaks[1]))

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a radius up to ``x``, any shape."""
        r = np.maximum(np.asarray(x, dtype=float), 0.0)
        low, high = (-r - self.radius) / self.width, (r - self.radius) / self.width
        return np.asarray(scipy.special.ndtr(high) - scipy.special.ndtr(low))

    def _reach(self) -> tuple[float, float]:
        return 0.0, self.radius + 40 * self.width

    def _draws(self) -> int:
        return len(self.columns) + 1

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        normal = scipy.special.ndtri(draws)
        direction = normal[1:] / np.sqrt(np.sum(normal[1:] ** 2, axis=0))
        radii = np.abs(self.radius + self.width * normal[0])
        return dict(zip(self.columns, radii * direction, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring(_Isotropic):
    """A ring in the plane, columns ``x`` and ``y``.

    The angle is uniform; the radius is the absolute value of a normal number, N(radius, width) + N(-radius, width) on
    the positive axis. ``pdf``, ``cdf``, ``bin_probabilities`` and ``equiprobable_edges`` are the radius's, which
    ``radii`` takes from events; ``density`` is that in the plane.

    Attributes:
        radius: Mean before the absolute value is taken, 0 or more.
        width: Its standard deviation, positive.

    Raises:
        InputError: If a parameter is out of range.
    """

    radius: float = 4.0
    width: float = 1.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_not_negative("radius", self.radius)
        check_positive("width", self.width)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return ("x", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class SphericalShell(_Isotropic):
    """A spherical shell, columns ``x1``, ``x2`` and so on.

    The direction is uniform on the sphere, and the radius is that of `Ring`, as are the meanings of the methods.

    Attributes:
        radius: Mean before the absolute value is taken, 0 or more.
        width: Its standard deviation, positive.
        dimension: Number of coordinates, at least 2.

    Raises:
        InputError: If a parameter is out of range.
    """

    radius: float = 4.0
    width: float = 1.0
    dimension: int = 5

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_not_negative("radius", self.radius)
        check_positive("width", self.width)
        check_integer("dimension", self.dimension, minimum=2)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(f"x{axis}" for axis in range(1, self.dimension + 1))

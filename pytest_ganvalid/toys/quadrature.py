"""Integrals of smooth densities, to rounding.

What to use when:

- `nodes`: a fixed rule of Gauss and Legendre, for an integral over a parameter that makes a mixture.
- `tabulate`: distribution function and its inverse of a density that can be evaluated but not integrated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss, legint, legval, legvander
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_ORDER = 16
_Z, _W = leggauss(_ORDER)
_TO_COEFFICIENTS = np.asarray((np.arange(_ORDER) + 0.5)[:, None] * legvander(_Z, _ORDER - 1).T * _W, dtype=np.float64)
_TOLERANCE = 1e-13  # the last coefficients over the largest one: what the series leaves out is no larger
_MAX_HALVINGS = 14  # a density's rounding errors must not be halved for ever
_CONVERGENCE = 1e-13  # step of a search, in half panels; the next one would be its square
_MAX_STEPS = 60
_BLOCK = 10_000  # points whose coefficients fit into a processor's cache: three times as fast


def nodes(low: float, high: float, panel: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the 16-point rule in equal panels no wider than ``panel``, each of shape (nodes,).

    The error is a factor of about (d + sqrt(d² + 1))⁻³² if the integrand's nearest pole is d half panels off the axis.
    """
    edges = np.linspace(low, high, math.ceil((high - low) / panel) + 1)
    x, half = _points(edges)
    return x.ravel(), (half[:, None] * _W).ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Tabulated:
    """A normalised distribution as a Legendre series in each of many panels.

    Attributes:
        norm: Integral of the density it was made of.
        edges: Of the panels, shape (panels + 1,).
        density: Coefficients, shape (16, panels), per half panel.
        integral: Coefficients of the integral from the lower edge of the panel, shape (17, panels).
        cumulative: Distribution function at the edges, shape (panels + 1,).
    """

    norm: float
    edges: FloatArray
    density: FloatArray
    integral: FloatArray
    cumulative: FloatArray

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the distribution function at ``x``, any shape."""
        points = np.asarray(x, dtype=float)
        return _in_blocks(self._cdf, points.ravel()).reshape(points.shape)

    def inverse(self, share: FloatArray) -> FloatArray:
        """Return where the distribution function is ``share``, between 0 and 1, shape (points,)."""
        return _in_blocks(self._inverse, share)

    def _cdf(self, x: FloatArray) -> FloatArray:
        inside = np.clip(x, self.edges[0], self.edges[-1])
        panel = self._panel(self.edges, inside)
        low, high = self.edges[panel], self.edges[panel + 1]
        z = (2 * inside - low - high) / (high - low)
        return np.asarray(self.cumulative[panel] + legval(z, self.integral[:, panel], tensor=False))

    def _inverse(self, share: FloatArray) -> FloatArray:
        panel = self._panel(self.cumulative, share)
        target = share - self.cumulative[panel]
        z = 2 * target / (self.cumulative[panel + 1] - self.cumulative[panel]) - 1
        z = _solve(target, z, self.integral[:, panel], self.density[:, panel])
        low, high = self.edges[panel], self.edges[panel + 1]
        return np.asarray(low + (high - low) * (z + 1) / 2)

    def _panel(self, edges: FloatArray, x: FloatArray) -> NDArray[np.intp]:
        return np.clip(np.searchsorted(edges, x, side="right") - 1, 0, edges.size - 2)


def tabulate(density: Callable[[FloatArray], FloatArray], low: float, high: float) -> Tabulated:
    """Integrate a density that is positive and analytic from ``low`` to ``high``.

    Panels are halved until the series of 16 terms represents the density to a relative 1e-13 in each, or as well as
    the density can be computed.
    """
    edges = np.array([low, high])
    rough = np.array([True])
    for _ in range(_MAX_HALVINGS):
        middles = (edges[:-1] + edges[1:]) / 2
        edges = np.sort(np.concatenate([edges, middles[rough]]))
        x, half = _points(edges)
        coefficients: FloatArray = _TO_COEFFICIENTS @ (density(x) * half[:, None]).T
        size = np.abs(coefficients)
        rough = size[-2:].max(axis=0) > _TOLERANCE * size.max(axis=0)
        if not rough.any():
            break
    integral = np.asarray(legint(coefficients, lbnd=-1, axis=0), dtype=np.float64)
    cumulative: FloatArray = np.concatenate([np.zeros(1), np.cumsum(2 * coefficients[0])])
    norm = float(cumulative[-1])
    return Tabulated(norm, edges, coefficients / norm, integral / norm, cumulative / norm)


def _in_blocks(function: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    return np.concatenate([function(block) for block in np.array_split(x, x.size // _BLOCK + 1)])


def _points(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the nodes of each panel, shape (panels, 16), and the panels' half widths."""
    half = np.diff(edges) / 2
    return (edges[:-1] + half)[:, None] + half[:, None] * _Z, half


def _solve(target: FloatArray, z: FloatArray, integral: FloatArray, density: FloatArray) -> FloatArray:
    """Solve integral(z) = target for z between -1 and 1 by Newton's method, bisecting where that leads outside."""
    low, high = np.full_like(z, -1.0), np.full_like(z, 1.0)
    for _ in range(_MAX_STEPS):
        excess = legval(z, integral, tensor=False) - target
        low, high = np.where(excess < 0, z, low), np.where(excess < 0, high, z)
        newton = z - excess / legval(z, density, tensor=False)
        last, z = z, np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        if np.all(np.abs(z - last) < _CONVERGENCE):
            break
    return z

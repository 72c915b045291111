"""The smooth components of a difference: the same question at any resolution.

A test on all of k bins allows n_required Δ to grow like sqrt(k), so that fine bins dilute a smooth bias. Neyman's
smooth components (J. Neyman, Skand. Aktuarietidskr. 20 (1937) 149; Rayner, Thas & Best, Smooth Tests of Goodness of
Fit) do not: with s = (q + p)/2 and functions φ_a of the ranks, orthonormal under s and to 1,

    θ_a = Σ φ_a (q - p),   T = ½ Σ θ_a²,   S = ΦᵀMΦ,   m1 = ½ tr S,   m2 = ¼ tr S²,   V = θᵀSθ.

M is the covariance of q - p, C^g + C^r for independent samples. With as many components as bins less one T is the
triangular discrimination of all bins.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.statistics.separation import Fractions, Noise, Separation

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

LEADING = 9
"""Components of the smoothest test."""
RIPPLES = (36, 144)
"""Components of the tests for ripples, along one ordered axis."""
SHAPE = ("location", "scale", "skewness", "kurtosis")
"""What the first four components along one ordered axis are, in ranks."""
_HARMONICS = 4
_DEGREES = {1: LEADING, 2: 3, 3: 2}  # axes -> total degree of polynomials, nine of them but for few cells
_DEPENDENT = 1e-9


def resolutions(ndf: int, layout: Arrangement) -> tuple[int, ...]:
    """Return the number of components of each smooth test of a histogram; empty for a histogram of few bins.

    Args:
        ndf: Bins - 1.
        layout: How the bins lie.
    """
    if layout is Arrangement.NONE or ndf <= LEADING:
        return ()
    ripples = RIPPLES if layout is Arrangement.LINE else ()
    return (2 * _HARMONICS if layout is Arrangement.CIRCLE else LEADING, *(d for d in ripples if ndf >= 2 * d))


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The leading smooth components of the difference of two histograms.

    Attributes:
        theta: Their sizes, shape (components,).
        noise: Their covariance S, shape (components, components).
        reference_noise: The part of S that is the reference's, its events being independent.
    """

    theta: FloatArray
    noise: FloatArray
    reference_noise: FloatArray

    @classmethod
    def of(
        cls,
        generated: Fractions,
        reference: Fractions,
        basis: FloatArray,
        *,
        cross: FloatArray | None = None,
        events: Fractions | None = None,
    ) -> Components:
        """Project two histograms.

        Args:
            generated: Shape (bins,).
            reference: The same bins.
            basis: Φ, shape (bins, components); see `smooth_basis`.
            cross: The covariance of both, shape (bins, bins); ``None`` for independent samples.
            events: The reference with the covariance of independent events, where its own differs.
        """
        noise = Noise(generated, reference, cross).quadratic_form(basis)
        reference_noise = (reference if events is None else events).quadratic_form(basis)
        return cls(basis.T @ generated.minus(reference), noise, reference_noise)

    def leading(self, number: int) -> Components:
        """Return the first components."""
        leading = slice(number)
        return Components(self.theta[leading], self.noise[leading, leading], self.reference_noise[leading, leading])

    @property
    def separation(self) -> Separation:
        """T of these components, and its moments."""
        return Separation(
            t=0.5 * float(self.theta @ self.theta),
            m1=0.5 * float(np.trace(self.noise)),
            m2=0.25 * float(np.sum(self.noise**2)),
            v=float(self.theta @ self.noise @ self.theta),
        )


def smooth_basis(layout: Layout, content: FloatArray, number: int) -> FloatArray:
    """Return Φ, functions of the bins that are orthonormal under their contents and to 1, the smoothest first.

    Args:
        layout: How the bins lie; not `Arrangement.NONE`.
        content: s = (q + p)/2, shape (bins,), positive.
        number: Number of functions along a line; any other layout determines it.

    Returns:
        Shape (bins, functions).
    """
    if layout.arrangement is Arrangement.LINE:
        return _polynomials(2 * _mid_ranks(content, layout.positions[:, 0]) - 1, content, number)
    if layout.arrangement is Arrangement.PARTS:
        parts = np.unique(layout.positions[:, 0], return_inverse=True)[1]
        functions = np.eye(parts.max() + 1)[parts].T
    elif layout.arrangement is Arrangement.CIRCLE:
        angle = 2 * np.pi * _mid_ranks(content, layout.positions[:, 0])
        functions = np.stack([f(a * angle) for a in range(1, _HARMONICS + 1) for f in (np.cos, np.sin)])
    else:
        functions = _tensor_polynomials(layout, content)
    return _orthonormal(functions, content)


def _mid_ranks(content: FloatArray, position: IntArray) -> FloatArray:
    """Return u of each bin: the content at lower positions, and half of that at its own."""
    totals = np.bincount(position, weights=content)
    return np.asarray((np.cumsum(totals) - 0.5 * totals)[position])


def _polynomials(x: FloatArray, content: FloatArray, degree: int) -> FloatArray:
    """Return the orthonormal polynomials of degree 1 to ``degree`` in x, leading coefficients positive.

    The next comes from the last times x, made orthogonal to all before it, twice: a recurrence of three terms loses
    orthogonality by degree 144, and powers of x much sooner.
    """
    basis = np.empty((degree + 1, x.size))
    basis[0] = 1 / np.sqrt(content.sum())
    for a in range(1, degree + 1):
        basis[a] = _orthogonal(x * basis[a - 1], basis[:a], content)
        basis[a] /= np.sqrt(content @ basis[a] ** 2)
    return basis[1:].T


def _orthonormal(functions: FloatArray, content: FloatArray) -> FloatArray:
    """Make functions orthonormal, one after the other (Gram-Schmidt), without those that depend on others."""
    basis = np.full((1, content.size), 1 / np.sqrt(content.sum()))
    for function in functions:
        size = np.sqrt(content @ function**2)
        rest = _orthogonal(function, basis, content)
        norm = np.sqrt(content @ rest**2)
        if norm > _DEPENDENT * max(size, 1.0):
            basis = np.concatenate([basis, rest[None] / norm])
    return basis[1:].T


def _orthogonal(function: FloatArray, basis: FloatArray, content: FloatArray) -> FloatArray:
    for _ in range(2):
        function = function - (basis @ (content * function)) @ basis
    return function


def _tensor_polynomials(layout: Layout, content: FloatArray) -> FloatArray:
    """Return products of Legendre polynomials of the ranks along all axes, by total degree.

    Within slabs the ranks along the second axis are those inside the slab (conditional ones).
    """
    positions = layout.positions
    ranks = [_mid_ranks(content, positions[:, axis]) for axis in range(positions.shape[1])]
    if layout.arrangement is Arrangement.SLABS:
        slab, position = positions.T
        for i in np.unique(slab):
            inside = slab == i
            ranks[1][inside] = _mid_ranks(content[inside], position[inside]) / content[inside].sum()
    degree = _DEGREES[len(ranks)]
    legendre = [np.polynomial.legendre.legvander(2 * u - 1, degree).T for u in ranks]
    powers = [p for p in itertools.product(range(degree + 1), repeat=len(ranks)) if 0 < sum(p) <= degree]
    powers.sort(key=lambda p: (sum(p), tuple(-power for power in p)))
    return np.stack([np.prod([axis[a] for axis, a in zip(legendre, p, strict=True)], axis=0) for p in powers])

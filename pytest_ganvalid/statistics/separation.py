"""How different are two histograms: the triangular discrimination Δ and its confidence interval.

Δ = Σ (q - p)² / (q + p) over normalised bin contents q (generated) and p (reference), 0 <= Δ <= 2.
Δ/2 is the separation power <S²> quoted by calorimeter-simulation papers. The plug-in estimate T is
biased upward by noise; its null moments m1 and m2 and its variance under disagreement V are
computed from the covariance of each sample, so the interval holds for weighted samples too.

All sums are O(bins): the covariance of a sample is a diagonal plus rank two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import brentq

from pytest_ganvalid.statistics import noncentral

FloatArray = NDArray[np.float64]

# S in L = B S Bᵀ, the non-diagonal part of C^g + C^r with B = (q, u_g, p, u_r), but for σ on the diagonal.
_CROSS = np.array([[0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, -1], [0, 0, -1, 0]], dtype=float)


@dataclass(frozen=True, slots=True)
class Fractions:
    """A normalised histogram with the covariance of its estimate.

    C = diag(u) - q uᵀ - u qᵀ + σ q qᵀ, the multinomial covariance when unweighted.

    Attributes:
        q: Bin contents over their sum, shape (bins,).
        u: Sums of squared weights over the squared sum of weights, shape (bins,).
        sigma: Sum of u: one over the effective number of events.
    """

    q: FloatArray
    u: FloatArray
    sigma: float

    @classmethod
    def from_sums(cls, sumw: FloatArray, sumw2: FloatArray) -> Fractions:
        """Normalise bin sums of weights and of squared weights; the total weight must be positive."""
        total = float(sumw.sum())
        u = sumw2 / total**2
        return cls(sumw / total, u, float(u.sum()))

    @property
    def n_effective(self) -> float:
        """Effective number of events, (Σw)²/Σw²."""
        return 1 / self.sigma

    @property
    def variance(self) -> FloatArray:
        """Diagonal of the covariance, shape (bins,)."""
        return self.u * (1 - self.q) ** 2 + self.q**2 * (self.sigma - self.u)

    def quadratic_form(self, a: FloatArray) -> float:
        """Return aᵀ C a for a vector of shape (bins,)."""
        return float(self.u @ (a - a @ self.q) ** 2)


@dataclass(frozen=True, slots=True)
class Separation:
    """The plug-in triangular discrimination T and the moments of its distribution.

    Attributes:
        t: T = Σ (q - p)² / (q + p).
        m1: Mean of T under perfect agreement.
        m2: Half the variance of T under perfect agreement.
        v: Variance of T that disagreement adds, evaluated at the observed contents.
    """

    t: float
    m1: float
    m2: float
    v: float

    @property
    def estimate(self) -> float:
        """The estimate of Δ freed of the noise floor, T - m1; may be negative."""
        return self.t - self.m1

    @property
    def nu(self) -> float:
        """Effective degrees of freedom of T, m1²/m2."""
        return self.m1**2 / self.m2

    @property
    def w(self) -> float:
        """Growth of the variance of T per unit of Δ."""
        floor = 4 * self.m2 / self.m1
        return max(self.v / self.t, floor) if self.t > 0 else floor

    def lower_tail(self, delta: float) -> float:
        """Return P(T' <= T) if the true triangular discrimination is ``delta``."""
        return self._tail(delta, upper=False)

    def upper_tail(self, delta: float) -> float:
        """Return P(T' >= T) if the true triangular discrimination is ``delta``."""
        return self._tail(delta, upper=True)

    def _tail(self, delta: float, *, upper: bool) -> float:
        """T is modelled as c χ'²_ν(λ) of mean m1 + delta and variance 2 m2 + w delta."""
        mean, variance = self.m1 + delta, 2 * self.m2 + self.w * delta
        discriminant = delta * (delta + 2 * self.m1 - 0.5 * self.nu * self.w)  # mean² - ν variance / 2
        if discriminant < 0:  # more spread than any non-central χ² with ν degrees of freedom: a gamma
            tail = special.gammaincc if upper else special.gammainc
            return float(tail(mean**2 / variance, self.t * mean / variance))
        root = math.sqrt(discriminant)
        c = 0.5 * variance / (mean + root)
        return (noncentral.sf if upper else noncentral.cdf)(self.t / c, self.nu, root / c)

    def upper_limit(self, alpha: float) -> float:
        """Return the Δ that T falls below with probability ``alpha``; 0 if T is that low under agreement."""
        start = self._turning_point
        if self.lower_tail(start) < alpha:
            # Only below the turning point can T still be as low as this.
            return self._solve(lambda d: self.lower_tail(d) - alpha, 0.0, start) if self.lower_tail(0) >= alpha else 0.0
        return self._solve(lambda d: self.lower_tail(d) - alpha, start, self._beyond(self.lower_tail, alpha, start))

    def lower_limit(self, alpha: float) -> float:
        """Return the Δ that T exceeds with probability ``alpha``; 0 if T exceeds it under agreement."""
        if self.t <= self.m1 or self.upper_tail(0) >= alpha:
            return 0.0
        return self._solve(lambda d: self.upper_tail(d) - alpha, 0.0, self.estimate)

    @property
    def _turning_point(self) -> float:
        """Where the shape of the gamma model is smallest; beyond it the lower tail falls monotonically."""
        gamma_until = 0.5 * self.nu * self.w - 2 * self.m1
        return max(self.m1 - 4 * self.m2 / self.w, 0.0) if gamma_until > 0 else 0.0

    def _beyond(self, tail: Callable[[float], float], alpha: float, start: float) -> float:
        """Return a Δ above ``start`` where ``tail`` is below ``alpha``."""
        guess = max(start, self.estimate, 0.0)
        step = 2 * math.sqrt(2 * self.m2 + self.w * guess) + self.w
        upper = guess + step
        while tail(upper) >= alpha:
            step *= 2
            upper += step
        return upper

    @staticmethod
    def _solve(excess: Callable[[float], float], lower: float, upper: float) -> float:
        return float(brentq(excess, lower, upper, xtol=1e-12 * upper, rtol=1e-11))


def separation(generated: Fractions, reference: Fractions) -> Separation:
    """Compute T, m1, m2 and V of two normalised histograms.

    Args:
        generated: Shape (bins,), q + p > 0 in every bin.
        reference: The same bins.
    """
    q, p = generated.q, reference.q
    a = 1 / (q + p)
    rho = (q - p) * a
    d = generated.u + reference.u
    t = float(rho @ (q - p))
    m1 = float(a @ (generated.variance + reference.variance))
    v = generated.quadratic_form(rho * (2 - rho)) + reference.quadratic_form(-rho * (2 + rho))
    return Separation(t, m1, _half_null_variance(generated, reference, a, d), v)


def _half_null_variance(generated: Fractions, reference: Fractions, a: FloatArray, d: FloatArray) -> float:
    """tr(AMAM) with M = D + B S Bᵀ, D = diag(d), by traces of 4x4 matrices."""
    b = np.stack([generated.q, generated.u, reference.q, reference.u])
    s = _CROSS + np.diag([generated.sigma, 0.0, reference.sigma, 0.0])
    ad = a * d
    cross = (b * (ad * a)) @ b.T
    low_rank = s @ ((b * a) @ b.T)
    return float(ad @ ad + 2 * np.sum(s * cross) + np.sum(low_rank * low_rank.T))

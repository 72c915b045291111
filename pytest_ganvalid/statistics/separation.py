"""How different are two histograms: the triangular discrimination Δ and its confidence interval.

Δ = Σ (q - p)² / (q + p) over normalised bin contents q (generated) and p (reference), 0 <= Δ <= 2.
Δ/2 is the separation power <S²> quoted by calorimeter-simulation papers. The plug-in estimate T is
biased upward by noise; its null moments m1 and m2 and its variance under disagreement V are
computed from the covariance of each sample, so the interval holds for weighted samples too.

All sums are O(bins): the covariance of a sample is a diagonal plus rank two.
"""

from __future__ import annotations

import functools
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


@dataclass(frozen=True)
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

    @functools.cached_property
    def nu(self) -> float:
        """Effective degrees of freedom of T, m1²/m2."""
        return self.m1**2 / self.m2

    @functools.cached_property
    def w(self) -> float:
        """Growth of the variance of T per unit of Δ."""
        floor = 4 * self.m2 / self.m1
        return max(self.v / self.t, floor) if self.t > 0 else floor

    def lower_tail(self, delta: float) -> float:
        """Return P(T' <= T) if the true triangular discrimination is ``delta``; it never rises with ``delta``."""
        if self._noiseless:
            return float(delta <= self.t)
        end = self._gamma_until
        if delta <= end:
            # Of the shapes from here on the smallest, which gives the most: else the tail would rise at first.
            return self._gamma(delta, self._shape(max(delta, self.m1 - 4 * self.m2 / self.w)))
        tail = self._noncentral(noncentral.cdf, delta)
        return min(tail, self._gamma(end, 0.5 * self.nu)) if end > 0 else tail

    def upper_tail(self, delta: float) -> float:
        """Return P(T' >= T) if the true triangular discrimination is ``delta``; it never falls with ``delta``.

        With signed weights that leave bins of negative content, tails above 0.2 may fall by up to 0.01.
        """
        if self._noiseless:
            return float(delta >= self.t)
        end = self._gamma_until
        inside = min(delta, end)
        # The least shape at w = 9 sqrt(m2), never seen exceeded by positive contents; a smaller one lets the tail fall.
        least = (4.5 * math.sqrt(self.nu) - 1) / 10.125
        tail = self._gamma(inside, max(self._shape(inside), least), upper=True)
        if end > 0:
            tail = max(tail, self._gamma(0.0, 0.5 * self.nu, upper=True))
        return max(tail, self._noncentral(noncentral.sf, delta)) if delta > end else tail

    def upper_limit(self, alpha: float) -> float:
        """Return the Δ that T falls below with probability ``alpha``; 0 if T is that low under agreement."""
        return 0.0 if self.lower_tail(0.0) <= alpha else self._crossing(self.lower_tail, alpha)

    def lower_limit(self, alpha: float) -> float:
        """Return the Δ that T exceeds with probability ``alpha``; 0 if T exceeds it under agreement."""
        return 0.0 if self.upper_tail(0.0) >= alpha else self._crossing(self.upper_tail, alpha)

    # T is modelled as c χ'²_ν(λ) of mean m1 + Δ and variance 2 m2 + w Δ; where that is more spread than any
    # non-central χ² with ν degrees of freedom, as a gamma.

    @functools.cached_property
    def _noiseless(self) -> bool:
        """Whether each sample fills one bin only: no spread can be estimated."""
        return self.m1 <= 0 or self.m2 <= 0

    @functools.cached_property
    def _gamma_until(self) -> float:
        return max(0.5 * self.nu * self.w - 2 * self.m1, 0.0)

    def _moments(self, delta: float) -> tuple[float, float]:
        return self.m1 + delta, 2 * self.m2 + self.w * delta

    def _shape(self, delta: float) -> float:
        mean, variance = self._moments(delta)
        return mean**2 / variance

    def _gamma(self, delta: float, shape: float, *, upper: bool = False) -> float:
        mean, variance = self._moments(delta)
        tail = special.gammaincc if upper else special.gammainc
        return float(tail(shape, self.t * mean / variance))

    def _noncentral(self, tail: Callable[[float, float, float], float], delta: float) -> float:
        mean, variance = self._moments(delta)
        root = math.sqrt(max(delta * (delta + 2 * self.m1 - 0.5 * self.nu * self.w), 0.0))
        c = 0.5 * variance / (mean + root)
        return tail(self.t / c, self.nu, root / c)

    def _crossing(self, tail: Callable[[float], float], alpha: float) -> float:
        """Return the Δ at which ``tail``, monotone and not so at 0, reaches ``alpha``."""
        if self._noiseless:
            return self.t
        at_zero = tail(0.0) > alpha
        near = far = max(self.estimate, 0.0)
        step = 2 * math.sqrt(self._moments(near)[1])
        beyond = (tail(near) > alpha) != at_zero
        while ((tail(far) > alpha) != at_zero) == beyond:
            near, far = far, max(far - step, 0.0) if beyond else far + step
            step *= 2
        return float(brentq(lambda delta: tail(delta) - alpha, near, far, xtol=1e-300, rtol=1e-15))


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

"""How different are two histograms: the triangular discrimination Δ and its confidence interval.

Δ = Σ (q - p)² / (q + p) over normalised bin contents q (generated) and p (reference), 0 <= Δ <= 2.
Δ/2 is the separation power <S²> quoted by calorimeter-simulation papers. The plug-in estimate T is
biased upward by noise; its null moments m1 and m2 and its variance under disagreement V are
computed from the covariance of each sample, so the interval holds for weighted samples too.

All sums are O(bins), the covariance of a sample being a diagonal plus rank two; but O(bins³) at most where events have
several entries or rows are in clusters, whose covariance is full.

Two corrections hold the error rates where events are few, sizes unequal or weights depend on the bin: m1 and m2 to
second order in the errors of q and p (`_second_order`), and less noise where the bins that differ are less noisy than
the average (`_quietness`). Both are exactly absent where they would be smaller than chance. Where the bins are cells
cut at quantiles of the reference itself, its contents are fixed and its noise sits in the edges: another term takes the
place of the first (`_cut_at_quantiles`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.statistics import noncentral
from pytest_ganvalid.statistics.roots import brentq

FloatArray = NDArray[np.float64]

# S in L = B S Bᵀ, the non-diagonal part of C^g + C^r with B = (q, u_g, p, u_r), but for σ on the diagonal.
_CROSS = np.array([[0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, -1], [0, 0, -1, 0]], dtype=float)
_NEGLIGIBLE = 0.05  # standard deviations of T: a shift of m1 that changes an error rate of 0.05 by 0.005
_CHANCE = 3.0  # over ν: by how much less noise may be chance; measured by toys
_VARIANCES = 3.0  # by which ρ² must exceed its noise before its own terms count
_PRIOR = 0.2  # of the expected content: keeps u/q finite in empty bins
_ROUNDING = 16 * float(np.finfo(np.float64).eps)  # relative: of two sums of many bins
_MIN_NOISE = 1e-12  # of the noise of an event, below which events are alike


@dataclass(frozen=True, slots=True)
class Fractions:
    """A normalised histogram with the covariance of its estimate.

    C = diag(u) - q uᵀ - u qᵀ + σ q qᵀ, the multinomial covariance when unweighted.

    Attributes:
        q: Bin contents over their sum, shape (bins,).
        u: Sums of squared weights over the squared sum of weights, shape (bins,).
        sigma: Sum of u: one over the effective number of events.
        joint: Where events have several entries, or rows are in clusters, Σ h hᵀ over their bin contents h, over the
            squared sum of weights, shape (bins, bins): it stands in for diag(u), and u is the sum of its rows.
            ``None`` for independent entries.
    """

    q: FloatArray
    u: FloatArray
    sigma: float
    joint: FloatArray | None = None

    @classmethod
    def from_sums(cls, sumw: FloatArray, sumw2: FloatArray, products: FloatArray | None = None) -> Fractions:
        """Normalise bin sums; the total weight must be positive.

        Args:
            sumw: Sums of weights, shape (bins,).
            sumw2: Sums of squared weights, shape (bins,).
            products: Where events have several entries, or rows are in clusters, Σ h hᵀ over their bin contents, shape
                (bins, bins).
        """
        total = float(sumw.sum())
        joint = None if products is None else products / total**2
        u = sumw2 / total**2 if joint is None else joint.sum(axis=1)
        return cls(sumw / total, u, float(u.sum()), joint)

    @property
    def n_effective(self) -> float:
        """Effective number of events, (Σw)²/Σw²."""
        return 1 / self.sigma

    @property
    def variance(self) -> FloatArray:
        """Diagonal of the covariance, shape (bins,)."""
        if self.joint is not None:
            return np.asarray(self.joint.diagonal() - 2 * self.q * self.u + self.q**2 * self.sigma)
        return self.u * (1 - self.q) ** 2 + self.q**2 * (self.sigma - self.u)

    def minus(self, other: Fractions) -> FloatArray:
        """Return q - p, shape (bins,); what rounding may make of equal contents is no difference."""
        difference = self.q - other.q
        rounding = _ROUNDING * np.maximum(np.abs(self.q), np.abs(other.q))
        return np.where(np.abs(difference) <= rounding, 0.0, difference)

    def effective_size(self, contents: FloatArray) -> float:
        """Return the number of independent entries with the same errors.

        (Σw)²/Σw² for one entry per event; with several, ndf / (2 tr(AC)), A = diag(1/contents), which is the number
        of entries where they are independent and the number of events where those of an event fall together. Where that
        is undefined, as all events fill the bins alike, it is the number of events.

        Args:
            contents: q + p of both samples, shape (bins,); bins where it is not positive are left out.
        """
        if self.joint is None:
            return self.n_effective
        filled = contents > 0
        trace = float(np.sum(self.variance[filled] / contents[filled]))
        constant = trace <= _MIN_NOISE * self.sigma
        return self.n_effective if constant else float((filled.sum() - 1) / (2 * trace))

    def quadratic_form(self, a: FloatArray) -> FloatArray:
        """Return aᵀ C a.

        Args:
            a: Shape (bins,), which gives a number, or (bins, components), which gives their matrix.
        """
        centred = a - self.q @ a
        noise = (self.u * centred.T).T if self.joint is None else self.joint @ centred
        return np.asarray(centred.T @ noise)

    def covariance(self) -> FloatArray:
        """Return C in full, shape (bins, bins)."""
        joint = np.diag(self.u) if self.joint is None else self.joint
        cross = np.outer(self.q, self.u)
        return joint - cross - cross.T + self.sigma * np.outer(self.q, self.q)


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The noise of the difference q - p of two histograms, M = C^g + C^r - X - Xᵀ.

    Independent samples have no X, and then everything takes O(bins).

    Attributes:
        generated: One histogram.
        reference: The other, of the same bins.
        cross: X, the covariance of q with p where rows of both sides are one cluster, shape (bins, bins); ``None`` for
            independent samples.
    """

    generated: Fractions
    reference: Fractions
    cross: FloatArray | None = None

    @property
    def variance(self) -> FloatArray:
        """Diagonal of M, shape (bins,)."""
        independent = self.generated.variance + self.reference.variance
        return independent if self.cross is None else np.maximum(independent - 2 * self.cross.diagonal(), 0.0)

    @property
    def correlated(self) -> bool:
        """Whether the covariance of a side is full, or there is one between the sides."""
        return any(part is not None for part in (self.generated.joint, self.reference.joint, self.cross))

    def quadratic_form(self, basis: FloatArray) -> FloatArray:
        """Return ΦᵀMΦ, shape (components, components), for Φ of shape (bins, components)."""
        independent = self.generated.quadratic_form(basis) + self.reference.quadratic_form(basis)
        if self.cross is None:
            return independent
        shared = basis.T @ self.cross @ basis
        return np.asarray(independent - shared - shared.T)

    def along(self, a: FloatArray, b: FloatArray) -> float:
        """Return the variance of aᵀq + bᵀp."""
        independent = float(self.generated.quadratic_form(a) + self.reference.quadratic_form(b))
        return independent if self.cross is None else independent + 2 * float(a @ self.cross @ b)

    def covariance(self) -> FloatArray:
        """Return M in full, shape (bins, bins)."""
        independent = self.generated.covariance() + self.reference.covariance()
        return independent if self.cross is None else independent - self.cross - self.cross.T

    def half_null_variance(self, a: FloatArray) -> float:
        """Return tr(AMAM), A = diag(a); of independent entries M = D + B S Bᵀ, by traces of 4x4 matrices."""
        generated, reference = self.generated, self.reference
        if self.correlated:
            am = a[:, None] * self.covariance()
            return float(np.sum(am * am.T))
        b = np.stack([generated.q, generated.u, reference.q, reference.u])
        s = _CROSS + np.diag([generated.sigma, 0.0, reference.sigma, 0.0])
        ad = a * (generated.u + reference.u)
        cross = (b * (ad * a)) @ b.T
        low_rank = s @ ((b * a) @ b.T)
        return float(ad @ ad + 2 * np.sum(s * cross) + np.sum(low_rank * low_rank.T))


@dataclass(frozen=True)
class Separation:
    """The plug-in triangular discrimination T and the moments of its distribution.

    Attributes:
        t: T = Σ (q - p)² / (q + p).
        m1: Mean of T under perfect agreement.
        m2: Half the variance of T under perfect agreement.
        v: Variance of T that disagreement adds, evaluated at the observed contents.
        quiet: Noise of the bins that differ in units of the average; 1 unless it is clearly below.
        lattice: T of contents that differ by half an event of the smaller sample: equal counts say no more.
    """

    t: float
    m1: float
    m2: float
    v: float
    quiet: float = 1.0
    lattice: float = 0.0

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
        """Growth of the variance of T per unit of Δ, where `quiet` is 1."""
        floor = 4 * self.m2 / self.m1
        return max(self.v / self.t, floor) if self.t > 0 else floor

    def lower_tail(self, delta: float) -> float:
        """Return P(T' <= T) if the true triangular discrimination is ``delta``; it never rises with ``delta``."""
        if self._noiseless:
            return float(delta <= self.t)
        if self.quiet < 1:
            return noncentral.cdf(*self._shifted(delta))
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
        if self.quiet < 1:
            return noncentral.sf(*self._shifted(delta))
        end = self._gamma_until
        inside = min(delta, end)
        # The smallest shape at w = 9 sqrt(m2), which no positive contents exceeded; a smaller one lets the tail fall.
        min_shape = (4.5 * math.sqrt(self.nu) - 1) / 10.125
        tail = self._gamma(inside, max(self._shape(inside), min_shape), upper=True)
        if end > 0:
            tail = max(tail, self._gamma(0.0, 0.5 * self.nu, upper=True))
        return max(tail, self._noncentral(noncentral.sf, delta)) if delta > end else tail

    def upper_limit(self, alpha: float) -> float:
        """Return the Δ that T falls below with probability ``alpha``; 0 if T is that low under agreement."""
        return 0.0 if self.lower_tail(0.0) <= alpha else self._crossing(self.lower_tail, alpha)

    def log_lower_tail(self, delta: float) -> float:
        """Return the logarithm of `lower_tail`, which does not underflow."""
        if self._noiseless:
            return 0.0 if delta <= self.t else -math.inf
        if self.quiet < 1:
            return noncentral.log_cdf(*self._shifted(delta))
        end = self._gamma_until
        if delta <= end:
            return self._log_gamma(delta, self._shape(max(delta, self.m1 - 4 * self.m2 / self.w)))
        tail = self._noncentral(noncentral.log_cdf, delta)
        return min(tail, self._log_gamma(end, 0.5 * self.nu)) if end > 0 else tail

    @functools.cached_property
    def log_agreement(self) -> float:
        """Logarithm of P(T' <= T) under perfect agreement."""
        if self._noiseless:
            return 0.0
        return noncentral.log_cdf(self.t * self.m1 / self.m2, self.nu, 0.0)

    @property
    def agreement(self) -> float:
        """P(T' <= T) under perfect agreement: small where the samples agree better than independent ones can.

        Counts are integers, so that in few bins T = 0 is not rare: T stands for all that is less than half an event
        away.
        """
        if self._noiseless:
            return 1.0
        return math.exp(noncentral.log_cdf((self.t + self.lattice) * self.m1 / self.m2, self.nu, 0.0))

    def log_ratio(self, delta: float) -> float:
        """Return log of P(T' <= T | Δ) / P(T' <= T | 0), at most 0: what CLs compares with α."""
        if self.t <= 0:  # the limit for T -> 0
            return -0.5 * delta * self.m1 / self.m2
        return min(self.log_lower_tail(delta) - self.log_agreement, 0.0)

    def cls_limit(self, alpha: float) -> float:
        """Return the upper limit of Δ by CLs (A. Read, J. Phys. G 28 (2002) 2693): P(T' <= T | Δ) = α P(T' <= T | 0).

        Unlike `upper_limit` it is positive however low T is: a lucky fluctuation demonstrates nothing.
        """
        if self._noiseless:
            return self.t
        log_alpha = math.log(alpha)
        near, far = 0.0, max(self.upper_limit(alpha), 2 * math.log(1 / alpha) * self.m2 / self.m1)
        while self.log_ratio(far) > log_alpha:
            near, far = far, 1.5 * far
        return float(brentq(lambda delta: self.log_ratio(delta) - log_alpha, near, far, xtol=1e-300, rtol=1e-12))

    def lower_limit(self, alpha: float) -> float:
        """Return the Δ that T exceeds with probability ``alpha``; 0 if T exceeds it under agreement."""
        return 0.0 if self.upper_tail(0.0) >= alpha else self._crossing(self.upper_tail, alpha)

    # T is modelled as c χ'²_ν(λ) of mean m1 + Δ and variance 2 m2 + w Δ; where that is more spread than any
    # non-central χ² with ν degrees of freedom, as a gamma. Where the bins that differ are quiet, w is less than
    # 4 m2/m1, the least of any such χ'²: then only the share `quiet` of Δ makes noise, and the rest shifts T.

    @functools.cached_property
    def _noiseless(self) -> bool:
        """Whether each sample fills one bin only: no spread can be estimated."""
        return self.m1 <= 0 or self.m2 <= 0

    @functools.cached_property
    def _gamma_until(self) -> float:
        return max(0.5 * self.nu * self.w - 2 * self.m1, 0.0)

    def _shifted(self, delta: float) -> tuple[float, float, float]:
        c = self.m2 / self.m1
        return (self.t - (1 - self.quiet) * delta) / c, self.nu, self.quiet * delta / c

    def _moments(self, delta: float) -> tuple[float, float]:
        return self.m1 + delta, 2 * self.m2 + self.w * delta

    def _shape(self, delta: float) -> float:
        mean, variance = self._moments(delta)
        return mean**2 / variance

    def _gamma(self, delta: float, shape: float, *, upper: bool = False) -> float:
        mean, variance = self._moments(delta)
        tail = special.gammaincc if upper else special.gammainc
        return float(tail(shape, self.t * mean / variance))

    def _log_gamma(self, delta: float, shape: float) -> float:
        mean, variance = self._moments(delta)
        return float(noncentral.log_gammainc(np.array([shape]), self.t * mean / variance)[0])

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
        is_beyond = (tail(near) > alpha) != at_zero
        while ((tail(far) > alpha) != at_zero) == is_beyond:
            near, far = far, max(far - step, 0.0) if is_beyond else far + step
            step *= 2
        return float(brentq(lambda delta: tail(delta) - alpha, near, far, xtol=1e-300, rtol=1e-15))


def separation(
    generated: Fractions, reference: Fractions, cut_share: float = 0.0, cross: FloatArray | None = None
) -> Separation:
    """Compute T, m1, m2 and V of two normalised histograms, m1 and m2 to second order.

    Where rows of both sides are one cluster, to first order: the second is that of independent samples.

    Args:
        generated: Shape (bins,), q + p > 0 in every bin.
        reference: The same bins.
        cut_share: Share of the reference events at whose quantiles the bins were cut; 0 for given bins.
        cross: The covariance of q with p, shape (bins, bins); ``None`` for independent samples.
    """
    a = 1 / (generated.q + reference.q)
    difference = generated.minus(reference)
    rho = difference * a
    t = float(rho @ difference)
    noise = Noise(generated, reference, cross)
    variance = noise.variance
    m1 = float(a @ variance)
    m2 = noise.half_null_variance(a)
    v = noise.along(rho * (2 - rho), -rho * (2 + rho))
    lattice = 0.25 * max(generated.sigma, reference.sigma) ** 2 * float(a.sum())
    if m1 <= 0 or m2 <= 0 or t <= 0 or cross is not None:
        return Separation(t, m1, m2, v, lattice=lattice)
    quiet = _quietness(float(rho**2 @ variance) / t, m1, m2)
    if cut_share:
        shift = cut_share * _cut_at_quantiles(generated, reference)
        return Separation(t, max(m1 + shift, 0.5 * m1), m2, v, quiet, lattice)
    factor = _second_order(generated, reference, m1, m2)
    return Separation(t, m1 * factor, m2 * factor**2, v, quiet, lattice)


def _cut_at_quantiles(generated: Fractions, reference: Fractions) -> float:
    """Return the second-order shift of m1 in cells cut at the reference's quantiles: Σ (u_g² - 2 u_r²)/s³ / 4.

    There p is fixed, and what fluctuates is the true content between the edges.
    """
    u_g, u_r = ((f.u if f.joint is None else f.variance) for f in (generated, reference))
    return 0.25 * float(np.sum((u_g**2 - 2 * u_r**2) / (0.5 * (generated.q + reference.q)) ** 3))


def _quietness(noise: float, m1: float, m2: float) -> float:
    """Return the noise of the bins that differ in units of the average one, 1 unless it is clearly below.

    Per bin it is the variance of q - p over q + p. Weighted by the bin's share of T its average is ``noise``; weighted
    by itself, as in the spread of T under agreement, m2/m1. Where a bias sits in bins of small weights the first is the
    smaller one. Clearly means by more than a share 3/ν: with few degrees of freedom chance alone makes it small.
    """
    threshold = 1 - _CHANCE * m2 / m1**2
    return min(noise * m1 / m2 / threshold, 1.0) if threshold > 0 else 1.0


def _second_order(generated: Fractions, reference: Fractions, m1: float, m2: float) -> float:
    """Return the factor by which noise raises T, over tr(AM).

    The second derivatives of (q - p)²/(q + p) are 2(1 ∓ ρ)²/(q + p), not 2/(q + p) as in tr(AM). With variances κ_g q
    and κ_r p this gives E[T] - Δ - tr(AM) = B = Σ ρ (κ_r - κ_g) - ρ²/2 (κ_g + κ_r) - ρ³/2 (κ_r - κ_g).

    Where ρ = 0 the first term at the observed contents averages to Σ (κ_g - κ_r)²/(2 (q + p)): exactly what third and
    fourth derivatives leave in E[T] - E[tr(AM)]. The others would only add noise, and are taken from ρ² less three of
    its variances, (κ_g + κ_r)/(2 (q + p)): they matter where a sample has holes, ρ = ±1. Finally B is soft-thresholded:
    what is negligible beside the spread of T is left alone.
    """
    content = 0.5 * (generated.q + reference.q)
    rho = np.minimum(np.maximum(0.5 * (generated.q - reference.q) / content, -1.0), 1.0)
    kappa_g, kappa_r = _noise_per_content(generated, content), _noise_per_content(reference, content)
    total, difference = kappa_g + kappa_r, kappa_r - kappa_g
    significant = np.maximum(rho**2 - 0.25 * _VARIANCES * total / content, 0.0)
    shift = float(np.sum(rho * difference - 0.5 * significant * (total + rho * difference)))
    excess = max(abs(shift) - _NEGLIGIBLE * math.sqrt(2 * m2), 0.0)
    return max(1 + math.copysign(excess, shift) / m1, 0.5)


def _noise_per_content(sample: Fractions, content: FloatArray) -> FloatArray:
    """Estimate κ, the variance of each bin per content, shape (bins,): one over n for unweighted events.

    A bin's own u/q also fluctuates together with q, which would bias B where weights have both signs. So it is shrunk
    to the average by the positive-part rule of James & Stein (1961): to nothing, unless the bins differ by more than
    twice the variance of u/q, κ/q, which they do where weights depend on the bin. The spread that decides is taken
    relative to the mean of the bin's own and the pooled content, so that bins of hardly any content do not rule it.
    """
    u = sample.u if sample.joint is None else sample.joint.diagonal()
    average, own_content = float(u.sum()), np.abs(sample.q)
    excess = u / average - own_content
    relative = 2 * excess / (own_content + content)
    spread, noise = float(relative @ relative), average * float(np.sum(1 / content))
    share = 1 - 2 * noise / spread if spread > 2 * noise else 0.0
    return np.asarray(average * (1 + share * excess / (own_content + _PRIOR * content)))

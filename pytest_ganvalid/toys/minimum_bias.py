"""Minimum-bias collisions, and pileup that is overlaid from a finite library of them: resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from pytest_ganvalid._arguments import check_integer, check_positive
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.toys.law import FloatArray, Toy, Univariate, check_between, mixture, provenance, uniforms

_INFINITY = 1e300  # where the density is zero, and its logarithm is not inf - inf
_TAIL_PROBABILITY = 1e-15  # probability of the multiplicities beyond the table


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumBias(Toy, Univariate):
    """Single collisions with at least one charged particle, columns ``multiplicity`` and ``sum_pt`` in GeV.

    The multiplicity is negative binomial, as measured by UA5 (Phys. Lett. B 160 (1985) 193) and since, without the
    collisions that have none. Transverse momenta are independent with the density pt exp(-pt / T) / T², T half their
    mean, so that the sum over N particles has a gamma distribution of shape 2 N.

    ``pdf``, ``cdf``, ``bin_probabilities`` and ``equiprobable_edges`` are those of the sum of transverse momenta;
    ``multiplicity_pmf`` has the other column.

    Attributes:
        mean_multiplicity: Mean of the negative binomial, 0.1 to 300; that of the collisions kept is a little larger.
        shape: k of the negative binomial, 0.1 to 1000: its variance is mean + mean² / k.
        mean_pt: Mean transverse momentum of a particle, GeV.

    Raises:
        InputError: If a parameter is out of range.
    """

    mean_multiplicity: float = 30.0
    shape: float = 1.5
    mean_pt: float = 0.6

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_between("mean_multiplicity", self.mean_multiplicity, 0.1, 300)
        check_between("shape", self.shape, 0.1, 1_000)
        check_positive("mean_pt", self.mean_pt)

    def multiplicity_pmf(self, multiplicity: ArrayLike) -> FloatArray:
        """Return the probability of a multiplicity, any shape; 0 for less than 1 and for what is not an integer."""
        n = np.asarray(multiplicity)
        law = self._untruncated()
        return np.where(n >= 1, law.pmf(n) / law.sf(0), 0.0)

    def moments(self) -> dict[str, tuple[float, float]]:
        """Return the exact means of each column and of its square: name -> (E[x], E[x²])."""
        m, acceptance = self.mean_multiplicity, float(self._untruncated().sf(0))
        n, n_squared = m / acceptance, (m + m**2 / self.shape + m**2) / acceptance
        # Given N, the sum has mean N p and variance N p² / 2, p the mean of a transverse momentum.
        return {
            "multiplicity": (n, n_squared),
            "sum_pt": (n * self.mean_pt, (n_squared + n / 2) * self.mean_pt**2),
        }

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density of the sum at ``x``, GeV, any shape; per GeV."""
        probabilities, _ = _multiplicities(self)
        scale, shapes = self.mean_pt / 2, np.linspace(2, 2 * probabilities.size, probabilities.size)

        def gamma(total: FloatArray) -> FloatArray:
            y = np.clip(total / scale, 0.0, _INFINITY)
            return np.asarray(np.exp(scipy.special.xlogy(shapes - 1, y) - y - scipy.special.gammaln(shapes)))

        return mixture(gamma, x, probabilities) / scale

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a sum up to ``x``, GeV, any shape."""
        probabilities, _ = _multiplicities(self)
        scale, shapes = self.mean_pt / 2, np.linspace(2, 2 * probabilities.size, probabilities.size)
        return mixture(lambda total: scipy.special.gammainc(shapes, np.maximum(total / scale, 0.0)), x, probabilities)

    def _untruncated(self) -> Any:  # noqa: ANN401 - a frozen distribution of scipy
        return scipy.stats.nbinom(self.shape, self.shape / (self.shape + self.mean_multiplicity))

    def _reach(self) -> tuple[float, float]:
        maximum = _multiplicities(self)[0].size
        return 0.0, self.mean_pt * (maximum + 40 * math.sqrt(maximum))

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        n = 1.0 + np.searchsorted(_multiplicities(self)[1], draws[0], side="right")
        return {"multiplicity": n, "sum_pt": self.mean_pt / 2 * scipy.special.gammaincinv(2 * n, draws[1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pileup:
    """Pileup made by resampling a library of minimum-bias collisions, columns of the library's names.

    Each event is the sum over a Poisson number of collisions, drawn with replacement from one library of
    ``library_size`` collisions. With an endless library its truth is the compound Poisson distribution, of mean
    μ E[x] and variance μ E[x²]: see ``moments``.

    A finite library costs what a finite training sample costs: all events share its fluctuations. The mean of a column
    is off by μ sd[x] / sqrt(library_size), as an error that no number of overlaid events reduces, and ``worth`` is the
    number of events with independent collisions that know the mean as well: of the order of library_size / μ.

    Attributes:
        collisions: The law of the collisions in the library.
        mean: μ, the mean number of collisions per event, 0.001 to 1000.
        library_size: Number of collisions in the library.
        library_seed: Seed of the library.

    Raises:
        InputError: If a parameter is out of range.
    """

    collisions: MinimumBias = MinimumBias()
    mean: float = 40.0
    library_size: int = 100_000
    library_seed: int = 0

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_between("mean", self.mean, 0.001, 1_000)
        check_integer("library_size", self.library_size)
        check_integer("library_seed", self.library_seed, minimum=0)

    def library(self) -> Sample:
        """Return the collisions that are overlaid."""
        return self.collisions.sample(self.library_size, seed=self.library_seed)

    def moments(self) -> dict[str, tuple[float, float]]:
        """Return the exact mean and variance of each column with an endless library: name -> (mean, variance)."""
        moments = self.collisions.moments()
        return {name: (self.mean * first, self.mean * second) for name, (first, second) in moments.items()}

    def library_moments(self) -> dict[str, tuple[float, float]]:
        """Return the exact mean and variance of each column with this library: what samples converge to."""
        library = self.library()
        return {
            name: (self.mean * float(np.mean(values)), self.mean * float(np.mean(values**2)))
            for name, values in library.columns.items()
        }

    def worth(self, name: str = "sum_pt") -> float:
        """Return the number of events with independent collisions whose mean is as uncertain as the library makes it.

        That is library_size E[x²] / (μ Var[x]).

        Args:
            name: The column.
        """
        first, second = self.collisions.moments()[name]
        return self.library_size * second / (self.mean * (second - first**2))

    def sample(self, n: int, *, seed: int) -> Sample:
        """Overlay ``n`` events.

        Args:
            n: Number of events, at least 1.
            seed: Any non-negative integer; samples of different seeds are independent given the library.

        Returns:
            The columns of the library and ``collisions``, the number of collisions; float64 of shape (n,). The first
            events of a longer sample are those of a shorter one.

        Raises:
            InputError: If an argument is out of range.
        """
        numbers = np.arange(scipy.stats.poisson(self.mean).isf(_TAIL_PROBABILITY) + 1)
        counts = np.searchsorted(
            scipy.special.pdtr(numbers, self.mean), uniforms(n, 1, seed, stream=1)[0], side="right"
        )
        total = int(counts.sum())
        # An empty stream has no events, and is never looked at.
        picks = (uniforms(max(total, 1), 1, seed, stream=2)[0][:total] * self.library_size).astype(np.intp)
        event = np.repeat(np.arange(n), counts)
        columns = {
            name: np.bincount(event, weights=values[picks], minlength=n)
            for name, values in self.library().columns.items()
        }
        return Sample({"collisions": counts.astype(float), **columns}, provenance=provenance(self, seed))


@lru_cache(maxsize=64)
def _multiplicities(toy: MinimumBias) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of multiplicities from 1 on, as far as they matter, and their cumulative sums."""
    maximum = int(toy._untruncated().isf(_TAIL_PROBABILITY))  # noqa: SLF001 - of the class above
    probabilities = toy.multiplicity_pmf(np.arange(1, maximum + 1))
    return probabilities, np.cumsum(probabilities)[:-1]

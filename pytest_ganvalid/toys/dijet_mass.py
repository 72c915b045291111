"""A falling dijet-mass spectrum with a resonance: the search for a signal.

The background is the function that the experiments fit, dσ/dm = p0 (1 - x)^p1 / x^(p2 + p3 ln x) with x = m / √s
(CDF, arXiv:0812.4036; CMS, arXiv:1806.00843).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from pytest_ganvalid._arguments import check_number, check_positive
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.toys.law import FloatArray, Toy, Univariate, check_between, check_interval, check_share
from pytest_ganvalid.toys.quadrature import Tabulated, tabulate

_MAX_CHANGE = 200  # the logarithm's, so that nothing overflows


@dataclass(frozen=True, slots=True, kw_only=True)
class DijetMass(Toy, Univariate):
    """Background and signal within ``mass_range``, column ``mass`` in GeV.

    The density is (1 - signal_fraction) times the background's plus signal_fraction times the signal's, each normalised
    within the range. The number of signal events among n is binomial with mean n signal_fraction.

    Attributes:
        energy: Centre-of-mass energy √s, GeV.
        mass_range: Limits of the spectrum, GeV; below ``energy``.
        slope: p1, p2, p3 of the background; it must change by less than e^200 within the range.
        signal_fraction: Share of signal events, 0 or more and below 1.
        signal_mass: Peak of the resonance, GeV, within the range.
        signal_width: Standard deviation of its normal core, GeV: resolution and natural width together.
        tail: Where the tail of a Crystal Ball starts, in widths below the peak, and its power, above 1; ``None`` for a
            normal peak.

    Raises:
        InputError: If a parameter is out of range.
    """

    energy: float = 13_000.0
    mass_range: tuple[float, float] = (1_500.0, 8_000.0)
    slope: tuple[float, float, float] = (10.0, 5.0, 0.1)
    signal_fraction: float = 0.01
    signal_mass: float = 3_000.0
    signal_width: float = 100.0
    tail: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_positive("energy", self.energy)
        check_interval("mass_range", self.mass_range, limit=self.energy)
        for power in self.slope:
            check_between("slope", power, -1e6, 1e6)
        change = np.ptp(self._logarithm(np.geomspace(*self.mass_range, 200)))
        if not change < _MAX_CHANGE:
            msg = (
                f"slope={self.slope!r} changes the spectrum by a factor of e^{change:.0f} within {self.mass_range!r} "
                f"GeV; expected less than e^{_MAX_CHANGE}, by smaller powers or a narrower range"
            )
            raise InputError(msg)
        check_share("signal_fraction", self.signal_fraction)
        check_between("signal_mass", self.signal_mass, *self.mass_range)
        check_positive("signal_width", self.signal_width)
        if self.tail is not None:
            start, power = self.tail
            check_positive("tail", start)
            if not check_number("tail", power) > 1:
                msg = f"tail={self.tail!r} falls too slowly; expected a power above 1, as the second number"
                raise InputError(msg)

    def pdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability density at masses ``x``, GeV, any shape; per GeV."""
        (low, high), mass = self.mass_range, np.asarray(x, dtype=float)
        inside = (mass >= low) & (mass <= high)
        mass = np.where(inside, mass, low)
        _, share = self._signal_share()
        background = self._shape(mass) / _background(self).norm
        signal = self._signal().pdf(mass) / share
        total = (1 - self.signal_fraction) * background + self.signal_fraction * signal
        return np.where(inside, total, 0.0)

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability of a mass up to ``x``, GeV, any shape."""
        mass = np.clip(np.asarray(x, dtype=float), *self.mass_range)
        below, share = self._signal_share()
        signal = (self._signal().cdf(mass) - below) / share
        return (1 - self.signal_fraction) * _background(self).cdf(mass) + self.signal_fraction * np.asarray(signal)

    def _shape(self, mass: FloatArray) -> FloatArray:
        """Return the background's density over its value at the lower limit of the range."""
        return np.asarray(np.exp(self._logarithm(mass) - self._logarithm(np.asarray(self.mass_range[0]))))

    def _logarithm(self, mass: FloatArray) -> FloatArray:
        p1, p2, p3 = self.slope
        x = mass / self.energy
        return np.asarray(p1 * np.log1p(-x) - (p2 + p3 * np.log(x)) * np.log(x))

    def _signal(self) -> Any:  # noqa: ANN401 - a frozen distribution of scipy
        if self.tail is None:
            return scipy.stats.norm(self.signal_mass, self.signal_width)
        return scipy.stats.crystalball(*self.tail, self.signal_mass, self.signal_width)

    def _signal_share(self) -> tuple[float, float]:
        """Return the shares of the whole peak that are below and within the range."""
        below, up_to = (float(share) for share in self._signal().cdf(self.mass_range))
        return below, up_to - below

    def _reach(self) -> tuple[float, float]:
        return self.mass_range

    def _draws(self) -> int:
        return 2

    def _events(self, draws: FloatArray) -> dict[str, FloatArray]:
        is_signal = draws[0] < self.signal_fraction
        below, share = self._signal_share()
        mass = np.empty(is_signal.size)
        mass[is_signal] = self._signal().ppf(below + share * draws[1][is_signal])
        mass[~is_signal] = _background(self).inverse(draws[1][~is_signal])
        return {"mass": np.clip(mass, *self.mass_range)}


@lru_cache(maxsize=64)
def _background(toy: DijetMass) -> Tabulated:
    return tabulate(toy._shape, *toy.mass_range)  # noqa: SLF001 - of the class above

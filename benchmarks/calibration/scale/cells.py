"""The cells of the study at scale, spread over all factors at once, and the truth of each.

A full product of the factors would have more than a million cells. Each factor's levels are shuffled over the
cells instead, every level as often as any other (a Latin hypercube), so that each pair of levels meets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.cells import Setup, boundary_attempt, growing
from pytest_ganvalid.toys.boundary import SHAPES, falling_spectrum

FloatArray = NDArray[np.float64]

CELLS = 350
BINS = (5, 10, 20, 50, 100, 200, 500, 1000)
RATIOS = (0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0)
SPECTRA = ("flat", "falling", "peaked")
LEAST = (5.0, 10.0, 20.0, 50.0, 200.0, 1000.0, 10_000.0)
STRENGTHS = (0.3, 0.6, 0.9)
# Half of the cells and of the edges are the plain ones.
WEIGHTS = ("none",) * 4 + ("signed 10 %", "signed 30 %", "log-normal", "importance")
EDGES = ("fixed", "fixed", "reference", "pooled")
MOST_QUANTILES = 200
"""More bins than this have fixed edges: their events are drawn one fine bin at a time."""
DROP = 30.0
DESIGN_SEED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleCell:
    """One combination of levels.

    Attributes:
        bins: Number of bins.
        ratio: n_g / n_r, effective.
        spectrum: Of the reference; falling and peaked ones reach over a factor of 30.
        shape: Of the bias.
        least: Effective events that the rarest bin of either truth expects in the smaller sample, at least.
        weights: Of the events of both samples.
        edges: Fixed, or equiprobable in each toy's reference or in both of its samples.
        strength: Power aimed at for a perfect generator; fixes n_h / n_required.
    """

    bins: int
    ratio: float
    spectrum: str
    shape: str
    least: float
    weights: str
    edges: str
    strength: float

    @property
    def min_expected(self) -> float:
        """As `compare` is asked; below the rarest bin's expectation, so that chance does not merge it away."""
        return min(10.0, self.least / 2)

    @property
    def where(self) -> str:
        """The cell in words."""
        return (
            f"{self.bins} bins, n_g/n_r {self.ratio:g}, {self.spectrum}, {self.shape}, rarest bin {self.least:g}, "
            f"weights {self.weights}, edges {self.edges}, power {self.strength:g}"
        )


def design(cells: int = CELLS, seed: int = DESIGN_SEED) -> list[ScaleCell]:
    """Spread the cells over the levels of all factors."""
    rng = np.random.default_rng(seed)
    factors = {
        "bins": BINS,
        "ratio": RATIOS,
        "spectrum": SPECTRA,
        "shape": SHAPES,
        "least": LEAST,
        "weights": WEIGHTS,
        "edges": EDGES,
        "strength": STRENGTHS,
    }
    levels = {name: [of[i % len(of)] for i in rng.permutation(cells)] for name, of in factors.items()}
    return [_possible({name: of[i] for name, of in levels.items()}) for i in range(cells)]


def _possible(levels: dict[str, object]) -> ScaleCell:
    """Equiprobable bins are flat, whatever the spectrum was, and not too many."""
    if levels["edges"] != "fixed" and levels["bins"] > MOST_QUANTILES:  # type: ignore[operator]
        levels = {**levels, "edges": "fixed"}
    if levels["edges"] != "fixed":
        levels = {**levels, "spectrum": "flat"}
    return ScaleCell(**levels)  # type: ignore[arg-type]


def spectrum(name: str, bins: int) -> FloatArray:
    """Return the reference's probabilities."""
    if name == "peaked":
        position = (np.arange(bins) + 0.5) / bins
        p = 1 / DROP + np.exp(-0.5 * ((position - 0.5) / 0.1) ** 2)
        return np.asarray(p / p.sum())
    return falling_spectrum(bins, DROP if name == "falling" else 1.0)


def scale_setup(cell: ScaleCell) -> Setup:
    """Put the first of the tests exactly on its boundary, with samples as small as the rarest bin allows."""
    p = spectrum(cell.spectrum, cell.bins)
    attempt = boundary_attempt(p, cell.shape, cell.ratio, cell.strength, min_expected=cell.min_expected)
    sparsest = min(1.0, *(importance_events(p, p) / p)) if cell.weights == "importance" else 1.0
    return growing(cell.least / (p.min() * sparsest), attempt, cell.least / sparsest)


def importance_proposal(p: FloatArray) -> FloatArray:
    """Return what importance-weighted events are drawn from: flat for a spectrum, falling for a flat one."""
    return falling_spectrum(p.size, DROP if np.ptp(p) == 0 else 1.0)


def importance_events(truth: FloatArray, p: FloatArray) -> FloatArray:
    """Return the events that each bin expects per effective event of the sample, if weighted from the proposal to p."""
    weights = p / importance_proposal(p)
    return np.asarray(truth / weights * (truth @ weights))

"""Drawing the toys of a cell: events of all kinds of weights, in fixed bins or in bins chosen anew in each toy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.calibration.cells import Setup
from benchmarks.calibration.scale.cells import ScaleCell, importance_events, importance_proposal

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Sums = tuple[FloatArray, FloatArray]

LOGNORMAL_SIGMA = 0.5
CLASSES = 8
FINE = 12
"""Fine bins per bin, from whose borders equiprobable edges are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy:
    """Two histograms, and the true probabilities of their bins.

    Attributes:
        generated: Sums of weights and of squared weights, shape (bins,) each.
        reference: Likewise.
        q: True probabilities of the generator, shape (bins,).
        p: True probabilities of the simulator, shape (bins,).
    """

    generated: Sums
    reference: Sums
    q: FloatArray
    p: FloatArray


def draw(cell: ScaleCell, setup: Setup, rng: np.random.Generator, toys: int) -> list[Toy]:
    """Draw toys of a cell."""
    q, p = setup.q, setup.p
    if cell.edges != "fixed":
        q, p = (np.repeat(x / FINE, FINE) for x in (q, p))
    generated = _sample(cell.weights, rng, q, p, setup.n_generated, toys)
    reference = _sample(cell.weights, rng, p, p, setup.n_reference, toys)
    drawn = [
        Toy(generated=(g, vg), reference=(r, vr), q=q, p=p) for g, vg, r, vr in zip(*generated, *reference, strict=True)
    ]
    return drawn if cell.edges == "fixed" else [_binned(toy, cell.bins, cell.edges) for toy in drawn]


def _sample(kind: str, rng: np.random.Generator, truth: FloatArray, p: FloatArray, n: int, toys: int) -> Sums:
    """Draw histograms of ``n`` effective events, shape (toys, bins)."""
    if kind.startswith("signed"):
        return _signed(rng, truth, n, toys, float(kind.split()[1]) / 100)
    if kind == "log-normal":
        return _lognormal(rng, truth, n, toys)
    if kind == "importance":
        return _importance(rng, truth, p, n, toys)
    counts = rng.multinomial(n, truth, size=toys).astype(float)
    return counts, counts


def _signed(rng: np.random.Generator, truth: FloatArray, n: int, toys: int, negative: float) -> Sums:
    """Weights of +1 and -1, whatever the bin."""
    events = round(n / (1 - 2 * negative) ** 2)
    both = np.concatenate([(1 - negative) * truth, negative * truth])
    plus, minus = np.split(rng.multinomial(events, both, size=toys).astype(float), 2, axis=1)
    return plus - minus, plus + minus


def _lognormal(rng: np.random.Generator, truth: FloatArray, n: int, toys: int) -> Sums:
    """Weights at the midpoints of classes of equal probability: as wide as a log-normal, but drawn as counts."""
    weights = np.exp(LOGNORMAL_SIGMA * special.ndtri((np.arange(CLASSES) + 0.5) / CLASSES))
    events = round(n * np.mean(weights**2) / np.mean(weights) ** 2)
    drawn = rng.multinomial(rng.multinomial(events, truth, size=toys), np.full(CLASSES, 1 / CLASSES)).astype(float)
    return drawn @ weights, drawn @ weights**2


def _importance(rng: np.random.Generator, truth: FloatArray, p: FloatArray, n: int, toys: int) -> Sums:
    """Weights that depend on the bin alone: flat events made a spectrum, or falling ones made a flat one."""
    weights = p / importance_proposal(p)
    expected = n * importance_events(truth, p)
    drawn = rng.multinomial(round(expected.sum()), expected / expected.sum(), size=toys)
    return drawn * weights, drawn * weights**2


def _binned(toy: Toy, bins: int, edges: str) -> Toy:
    """Fill the fine bins into equiprobable ones of the reference, or of both samples, each normalised."""
    mass = np.abs(toy.reference[0]) / toy.reference[0].sum()
    if edges == "pooled":
        mass = mass + np.abs(toy.generated[0]) / toy.generated[0].sum()
    total = np.cumsum(mass)
    inner = 1 + np.searchsorted(total, total[-1] * np.arange(1, bins) / bins)
    starts = np.unique(np.append(0, inner[inner < total.size]))
    q, p, g, vg, r, vr = (np.add.reduceat(x, starts) for x in (toy.q, toy.p, *toy.generated, *toy.reference))
    return Toy(generated=(g, vg), reference=(r, vr), q=q, p=p)

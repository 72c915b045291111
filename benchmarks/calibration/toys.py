"""Drawing the toys of a cell and asking `pytest_ganvalid.compare` for a verdict on each."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.calibration.cells import CONFIDENCE, SETUPS, Cell, Setup
from pytest_ganvalid import Counts, Verdict, compare
from pytest_ganvalid.statistics.robustness import TOO_GOOD

FloatArray = NDArray[np.float64]
Sums = tuple[FloatArray, FloatArray]

NEGATIVE = 0.1
LOGNORMAL_SIGMA = 0.5
_EVENTS_AT_ONCE = 2_000_000


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many toys had which outcome."""

    robust: int = 0
    biased: int = 0
    covered: int = 0
    too_good: int = 0
    merged: int = 0
    local: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table: a cell, its sizes and its measured rates."""

    study: str
    bins: int
    ratio: float
    shape: str
    drop: float
    weights: str
    strength: float
    excess: float
    least: float
    n_generated: int
    n_reference: int
    n_required: float
    n_h_over_n_required: float
    rarest_bin: float
    delta: float
    toys: int
    robust: float
    robust_error: float
    biased: float
    biased_error: float
    predicted: float
    coverage: float
    coverage_error: float
    local: float
    local_error: float
    too_good: int
    merged_bins: float

    @property
    def where(self) -> str:
        """The cell in words."""
        spectrum = "flat" if self.drop == 1 else "falling"
        weights = "" if self.weights == "none" else f", {self.weights} weights"
        shape = "" if self.shape == "none" else f", {self.shape}"
        return (
            f"{self.bins} bins, n_g/n_r {self.ratio:g}{shape}, {spectrum}{weights}, "
            f"n_h/n_required {self.n_h_over_n_required:.2f}, rarest bin {self.rarest_bin:.0f}"
        )


def counts(rng: np.random.Generator, fractions: FloatArray, n: int, toys: int) -> Sums:
    """Draw unweighted histograms, shape (toys, bins)."""
    drawn = rng.multinomial(n, fractions, size=toys).astype(float)
    return drawn, drawn


def lognormal(rng: np.random.Generator, fractions: FloatArray, n: int, toys: int) -> Sums:
    """Draw events with log-normal weights that do not depend on the bin."""
    events = round(n * math.exp(LOGNORMAL_SIGMA**2))
    blocks = max(1, -(-events * toys // _EVENTS_AT_ONCE))
    parts = [_lognormal_block(rng, fractions, events, len(block)) for block in np.array_split(np.arange(toys), blocks)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _lognormal_block(rng: np.random.Generator, fractions: FloatArray, events: int, toys: int) -> Sums:
    drawn = rng.multinomial(events, fractions, size=toys)
    weights = rng.lognormal(sigma=LOGNORMAL_SIGMA, size=events * toys)
    index = np.repeat(np.arange(drawn.size), drawn.ravel())
    sumw, sumw2 = (np.bincount(index, weights=w, minlength=drawn.size) for w in (weights, weights**2))
    return np.asarray(sumw.reshape(drawn.shape), float), np.asarray(sumw2.reshape(drawn.shape), float)


def signed(rng: np.random.Generator, fractions: FloatArray, n: int, toys: int) -> Sums:
    """Draw events of weight +1 and, one in ten, -1."""
    events = round(n / (1 - 2 * NEGATIVE) ** 2)
    both = np.concatenate([(1 - NEGATIVE) * fractions, NEGATIVE * fractions])
    plus, minus = np.split(rng.multinomial(events, both, size=toys).astype(float), 2, axis=1)
    return plus - minus, plus + minus


def importance(rng: np.random.Generator, fractions: FloatArray, n: int, toys: int) -> Sums:
    """Draw events evenly over the bins and weight them to the spectrum."""
    weights = fractions * fractions.size
    events = round(n * np.mean(weights**2))
    drawn = rng.multinomial(events, np.full(fractions.size, 1 / fractions.size), size=toys)
    return drawn * weights, drawn * weights**2


DRAW = {"none": counts, "log-normal": lognormal, "signed": signed, "importance": importance}


def measure(cell: Cell, toys: int, seed: int) -> Row:
    """Draw the toys of a cell and ask for a verdict on each."""
    setup = SETUPS[cell.study](cell)
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(repr(cell).encode())]))
    generated = DRAW[cell.weights](rng, setup.q, setup.n_generated, toys)
    reference = DRAW[cell.weights](rng, setup.p, setup.n_reference, toys)
    tally, delta = Tally(), setup.delta
    for g, vg, r, vr in zip(*generated, *reference, strict=True):
        pair = (Counts(g, vg), Counts(r, vr)) if cell.weights != "none" else (Counts(g), Counts(r))
        _count(tally, setup, delta, pair)
    return _row(cell, setup, tally, toys)


def _count(tally: Tally, setup: Setup, delta: float, pair: tuple[Counts, Counts]) -> None:
    result = compare(
        *pair,
        n_required=setup.n_required,
        confidence=CONFIDENCE,
        max_local_bias=setup.max_local_bias,
        min_expected=setup.min_expected,
    )
    interval = result.separation
    tally.robust += result.verdict is Verdict.ROBUST
    tally.biased += result.verdict is Verdict.BIASED
    # A perfect generator's interval starts at exactly 0; otherwise equality has probability 0.
    tally.covered += 2 * interval.lower <= delta <= 2 * interval.upper
    tally.too_good += bool(special.chdtr(result.ndf, result.chi2) < TOO_GOOD)
    tally.merged += result.merged_bins
    tally.local += any(bin_.lower > result.max_local_bias for bin_ in result.worst_bins)


def _row(cell: Cell, setup: Setup, tally: Tally, toys: int) -> Row:
    (robust, robust_error), (biased, biased_error), (coverage, coverage_error), (local, local_error) = (
        rate(n, toys) for n in (tally.robust, tally.biased, tally.covered, tally.local)
    )
    return Row(
        **{f.name: getattr(cell, f.name) for f in fields(Cell) if f.name != "ratio"},
        ratio=setup.n_generated / setup.n_reference if math.isnan(cell.ratio) else cell.ratio,
        n_generated=setup.n_generated,
        n_reference=setup.n_reference,
        n_required=setup.n_required,
        n_h_over_n_required=setup.n_h / setup.n_required,
        rarest_bin=float(min(setup.p.min(), setup.q.min())) * min(setup.n_generated, setup.n_reference),
        delta=setup.delta,
        toys=toys,
        robust=robust,
        robust_error=robust_error,
        biased=biased,
        biased_error=biased_error,
        predicted=setup.predicted,
        coverage=coverage,
        coverage_error=coverage_error,
        local=local,
        local_error=local_error,
        too_good=tally.too_good,
        merged_bins=tally.merged / toys,
    )


def rate(successes: int, toys: int) -> tuple[float, float]:
    """Return a rate and its binomial error, which is not zero even if the rate is."""
    smoothed = (successes + 1) / (toys + 2)
    return successes / toys, math.sqrt(smoothed * (1 - smoothed) / toys)

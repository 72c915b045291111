"""Drawing the toys of a cell and asking `pytest_ganvalid.compare` for a verdict on each."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import quantiles
from benchmarks.calibration.cells import EXPONENT, SETUPS, Cell, Setup
from benchmarks.calibration.truth import ALPHA, CONFIDENCE
from pytest_ganvalid import Comparison, Counts, Verdict, compare
from pytest_ganvalid.statistics.reasons import too_good
from pytest_ganvalid.statistics.separation import Fractions, separation

FloatArray = NDArray[np.float64]
Sums = tuple[FloatArray, FloatArray]

NEGATIVE = 0.1
LOGNORMAL_SIGMA = 0.5
_EVENTS_AT_ONCE = 2_000_000
_STEPS = 8  # in which a heavy weight grows within a bin
_QUANTILE_SHARE = 0.25  # of the toys, which are slow where events are binned; half of that for the most cells
_MANY_CELLS = 500


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many toys had which outcome; covered is the true Δ of all bins, by the plain limits and as shown."""

    robust: int = 0
    biased: int = 0
    covered: int = 0
    shown: int = 0
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
    degrees: int
    coverage: float
    coverage_error: float
    shown_coverage: float
    shown_coverage_error: float
    local: float
    local_error: float
    too_good: int
    merged_bins: float

    @property
    def where(self) -> str:
        """The cell in words."""
        spectrum = "flat" if self.drop == 1 else "falling" if self.drop > 1 else "rising"
        weights = "" if self.weights == "none" else f", {self.weights} weights"
        shape = "" if self.shape == "none" else f", {self.shape}"
        shape += f" (d = {self.degrees})" if self.degrees else ""
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


def exponential(rng: np.random.Generator, fractions: FloatArray, n: int, toys: int) -> Sums:
    """Draw events evenly along the axis x from 0 to 1, but for a bias, and weight them by exp(3x)."""
    x = (np.arange(fractions.size * _STEPS) + 0.5) / (fractions.size * _STEPS)
    weights = np.exp(EXPONENT * x)
    within = weights.reshape(-1, _STEPS)
    mass = (fractions[:, None] * within / within.sum(axis=1, keepdims=True)).ravel()
    proposal = mass / weights
    events = round(n * proposal.sum() * (mass @ weights))
    drawn = rng.multinomial(events, proposal / proposal.sum(), size=toys)
    sumw, sumw2 = (np.sum((drawn * w).reshape(toys, -1, _STEPS), axis=2) for w in (weights, weights**2))
    return sumw, sumw2


DRAW = {
    "none": counts,
    "log-normal": lognormal,
    "signed": signed,
    "importance": importance,
    "exponential": exponential,
}


def measure(cell: Cell, toys: int, seed: int) -> Row:
    """Draw the toys of a cell and ask for a verdict on each."""
    setup = SETUPS[cell.study](cell)
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(repr(cell).encode())]))
    if setup.events is not None:
        toys = max(round(_QUANTILE_SHARE * toys / (2 if cell.bins > _MANY_CELLS else 1)), 1)
    tally, delta = Tally(), setup.delta
    for comparison in _comparisons(cell, setup, toys, rng):
        _count(tally, delta, comparison, plain=setup.events is None)
    return _row(cell, setup, tally, toys)


def _comparisons(cell: Cell, setup: Setup, toys: int, rng: np.random.Generator) -> Iterator[Comparison]:
    if setup.events is not None:
        n = setup.n_generated, setup.n_reference
        for _ in range(toys):
            yield from quantiles.judged(setup.events, *n, setup.n_required, rng).histograms.values()
        return
    generated = DRAW[cell.weights](rng, setup.q, setup.n_generated, toys)
    reference = DRAW[cell.weights](rng, setup.p, setup.n_reference, toys)
    for g, vg, r, vr in zip(*generated, *reference, strict=True):
        yield compare(
            *((Counts(g, vg), Counts(r, vr)) if cell.weights != "none" else (Counts(g), Counts(r))),
            n_required=setup.n_required,
            confidence=CONFIDENCE,
            max_local_bias=setup.max_local_bias,
            min_expected=setup.min_expected,
        )


def _count(tally: Tally, delta: float, result: Comparison, *, plain: bool) -> None:
    interval = result.separation
    tally.robust += result.verdict is Verdict.ROBUST
    tally.biased += result.verdict is Verdict.BIASED
    # A perfect generator's interval starts at exactly 0; otherwise equality has probability 0.
    tally.shown += 2 * interval.lower <= delta <= 2 * interval.upper
    tally.covered += plain and _covered(result, delta)
    tally.too_good += bool(too_good([result.p_agreement]))
    tally.merged += result.merged_bins
    tally.local += any(bin_.lower > result.max_local_bias for bin_ in result.worst_bins)


def _covered(result: Comparison, delta: float) -> bool:
    """Tell whether Δ lies between the plain limits: those tails at Δ that are below α are beyond a limit."""
    contents = result.contents
    one = separation(
        _fractions(contents.generated, contents.generated_errors),
        _fractions(contents.reference, contents.reference_errors),
    )
    return one.upper_tail(delta) >= ALPHA and (delta == 0 or one.lower_tail(delta) > ALPHA)


def _fractions(contents: tuple[float, ...], errors: tuple[float, ...]) -> Fractions:
    u = np.array(errors) ** 2
    return Fractions(np.array(contents), u, float(u.sum()))


def _row(cell: Cell, setup: Setup, tally: Tally, toys: int) -> Row:
    (robust, robust_error), (biased, biased_error), (shown, shown_error), (local, local_error) = (
        rate(n, toys) for n in (tally.robust, tally.biased, tally.shown, tally.local)
    )
    coverage, coverage_error = rate(tally.covered, toys) if setup.events is None else (math.nan, math.nan)
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
        degrees=setup.degrees,
        coverage=coverage,
        coverage_error=coverage_error,
        shown_coverage=shown,
        shown_coverage_error=shown_error,
        local=local,
        local_error=local_error,
        too_good=tally.too_good,
        merged_bins=tally.merged / toys,
    )


def rate(successes: int, toys: int) -> tuple[float, float]:
    """Return a rate and its binomial error, which is not zero even if the rate is."""
    smoothed = (successes + 1) / (toys + 2)
    return successes / toys, math.sqrt(smoothed * (1 - smoothed) / toys)

"""Judging each toy of a cell as `pytest_ganvalid.compare` does, and by the published formulas beside it.

These are the steps of `compare` without what does not depend on Δ: the same merging, smooth components and
`separation`, whose tails at the boundary decide as its limits do (a test of the package), at a third of the time.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.cells import Setup
from benchmarks.calibration.scale.cells import ScaleCell, scale_setup
from benchmarks.calibration.scale.draws import Toy, draw
from benchmarks.calibration.scale.published import published
from benchmarks.calibration.toys import rate
from benchmarks.calibration.truth import ALPHA, tests_of, true_deltas
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.separation import Fractions, Separation, separation
from pytest_ganvalid.statistics.smooth import Components, smooth_basis

FloatArray = NDArray[np.float64]

SUSPICIOUS = 0.06
"""A cell with a rate above this may miss the target, and is measured with more toys to tell that from chance."""
MORE = 4
MANY_BINS, SHARE_OF_MANY = 200, 0.2
"""Cells of more bins take longer, and have this share of the toys."""
_BINS_AT_ONCE = 500_000


@dataclass(slots=True)
class Tally:
    """How many toys had which outcome, by the package and by the published formulas."""

    toys: int = 0
    robust: int = 0
    biased: int = 0
    covered: int = 0
    published_robust: int = 0
    published_biased: int = 0
    published_covered: int = 0
    bins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRow:
    """One row of the table: a cell, its sizes and its measured rates."""

    bins: int
    ratio: float
    spectrum: str
    shape: str
    least: float
    weights: str
    edges: str
    strength: float
    n_generated: int
    n_reference: int
    toys: int
    compared_bins: float
    published_robust: float
    published_biased: float
    published_coverage: float
    robust: float
    robust_error: float
    biased: float
    biased_error: float
    coverage: float
    coverage_error: float
    where: str = field(repr=False)


def measure_cell(cell: ScaleCell, toys: int, seed: int) -> ScaleRow:
    """Measure a cell, and a suspicious one with more toys; all of them count."""
    setup = scale_setup(cell)
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(repr(cell).encode())]))
    tally = Tally()
    toys = round(toys * (SHARE_OF_MANY if cell.bins > MANY_BINS else 1))
    _tally(tally, cell, setup, rng, toys)
    if max(tally.robust, tally.biased) > SUSPICIOUS * toys:
        _tally(tally, cell, setup, rng, MORE * toys)
    return _row(cell, setup, tally)


def _tally(tally: Tally, cell: ScaleCell, setup: Setup, rng: np.random.Generator, toys: int) -> None:
    blocks = math.ceil(toys * setup.p.size / _BINS_AT_ONCE)
    for block in np.array_split(np.arange(toys), blocks):
        for toy in draw(cell, setup, rng, block.size):
            _count(tally, toy, cell)


def _count(tally: Tally, toy: Toy, cell: ScaleCell) -> None:
    """Judge the bins that are compared, whichever they are in this toy, at their own true Δ."""
    shape = Unlabelled(toy.q.shape)
    merged = merge_sparse_bins(BinSums(*toy.generated, shape), BinSums(*toy.reference, shape), cell.min_expected)
    starts = merged.groups[:, 0]
    deltas = true_deltas(np.add.reduceat(toy.q, starts), np.add.reduceat(toy.p, starts))
    degrees, excesses = tests_of(starts.size)
    on_boundary = excesses * (deltas / excesses).max()
    generated, reference = (Fractions.from_sums(s.sumw, s.sumw2) for s in (merged.generated, merged.reference))
    smooth = _smooth(generated, reference, [int(d) for d in degrees[:-1]])
    one = separation(generated, reference, float(cell.edges == "reference"))
    other = published(generated, reference)
    # With n_required at which the first test is on its boundary the limits exceed it where these tails do.
    robust, biased = _judged([*smooth, one], on_boundary)
    published_robust, published_biased = _judged([*smooth, other], on_boundary)
    tally.toys += 1
    tally.bins += starts.size
    tally.robust += robust
    tally.biased += biased
    tally.covered += _covers(one, deltas[-1])
    tally.published_robust += published_robust
    tally.published_biased += published_biased
    tally.published_covered += _covers(other, deltas[-1])


def _smooth(generated: Fractions, reference: Fractions, numbers: list[int]) -> list[Separation]:
    if not numbers:
        return []
    basis = smooth_basis(Layout.line(generated.q.size), (generated.q + reference.q) / 2, max(numbers))
    components = Components.of(generated, reference, basis)
    return [components.leading(number).separation for number in numbers]


def _judged(tests: list[Separation], allowed: FloatArray) -> tuple[bool, bool]:
    """Return whether ROBUST and whether BIASED, where Δ may be as large as this in each test."""
    pairs = list(zip(tests, allowed.tolist(), strict=True))
    robust = all(test.log_ratio(delta) <= math.log(ALPHA) for test, delta in pairs)
    return robust, any(test.upper_tail(delta) < ALPHA / len(pairs) for test, delta in pairs)


def _covers(one: Separation, delta: float) -> bool:
    """Tell whether Δ lies between the plain limits."""
    return one.lower_tail(delta) > ALPHA and one.upper_tail(delta) >= ALPHA


def _row(cell: ScaleCell, setup: Setup, tally: Tally) -> ScaleRow:
    (robust, robust_error), (biased, biased_error), (coverage, coverage_error) = (
        rate(n, tally.toys) for n in (tally.robust, tally.biased, tally.covered)
    )
    return ScaleRow(
        **{f.name: getattr(cell, f.name) for f in fields(ScaleCell)},
        n_generated=setup.n_generated,
        n_reference=setup.n_reference,
        toys=tally.toys,
        compared_bins=tally.bins / tally.toys,
        published_robust=tally.published_robust / tally.toys,
        published_biased=tally.published_biased / tally.toys,
        published_coverage=tally.published_covered / tally.toys,
        robust=robust,
        robust_error=robust_error,
        biased=biased,
        biased_error=biased_error,
        coverage=coverage,
        coverage_error=coverage_error,
        where=cell.where,
    )

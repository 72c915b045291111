"""The studies: their cells, and the truth of each cell.

- boundary: the first of the tests exactly at n_required Δ_d = E_d, so that ROBUST and BIASED are both false;
- weights: likewise with weighted events;
- heavy: likewise with importance weights exp(3x), and the bias where they are light or heavy;
- fine: likewise in 200 bins;
- ripples: likewise with biases of many periods;
- quantiles: likewise in cells cut at the reference's quantiles, by `validate` on events (`quantiles`);
- merging: likewise, with sparse bins that get merged;
- perfect: q = p; power against `plan`, false BIASED, agreement that is "too good";
- discrete: q = p in two and three bins, where equal counts are not rare;
- fires: four times as far, where BIASED is due;
- local: one bin, or all but two, exactly at the limit of the local criterion.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import quantiles
from benchmarks.calibration.truth import (
    ALPHA,
    CONFIDENCE,
    boundary,
    detection,
    power_of_all,
    power_of_one,
    required_for,
    shares_of_allowed,
    tests_of,
)
from pytest_ganvalid import InputError, plan
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.power import allowed_excess
from pytest_ganvalid.toys.boundary import SHAPES, falling_spectrum, local_shape, triangular_discrimination

FloatArray = NDArray[np.float64]

BINS = (5, 20, 100)
RATIOS = (0.1, 1.0, 10.0)
DROPS = (1.0, 30.0)
LITTLE_DATA, MUCH_DATA = 0.3, 0.9
FEW, MANY = 20.0, 100.0
LOCAL_LIMIT = 5.0
FINE_BINS = 200
EXPONENT = 3.0
"""Of the heavy importance weights exp(3x), x from 0 to 1: the spectrum rises by that much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one row of the table is about.

    Attributes:
        study: One of `STUDIES`.
        bins: Number of bins.
        ratio: n_g / n_r.
        shape: Of the bias.
        drop: First over last bin of the reference; 1 is flat, less rises.
        weights: Of the events.
        strength: Joint power of all tests aimed at for a perfect generator; fixes n_h / n_required.
        excess: Largest n_required Δ_d / E_d.
        least: Expected effective events of the rarest bin, in the smaller sample.
    """

    study: str
    bins: int
    ratio: float = 1.0
    shape: str = "none"
    drop: float = 1.0
    weights: str = "none"
    strength: float = MUCH_DATA
    excess: float = 1.0
    least: float = FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The truth of a cell, and how to ask for a verdict on it; sizes are effective numbers of events.

    Attributes:
        q: Of the generator, shape (bins,).
        p: Of the reference, shape (bins,).
        n_generated: Effective events.
        n_reference: Effective events.
        n_required: Number of true events to stand in for.
        predicted: On the boundary the largest rate of false ROBUST, α times the power of the test that is there; of a
            perfect generator the power; of one that is far too wrong the least rate of BIASED.
        degrees: Degrees of freedom of the test that is nearest its boundary; 0 if there is no bias.
        events: The densities that are drawn from, where bins are cut at quantiles; q and p are about those of the bins.
        max_local_bias: Limit that is asked for.
        min_expected: Likewise.
    """

    q: FloatArray
    p: FloatArray
    n_generated: int
    n_reference: int
    n_required: float
    predicted: float = math.nan
    degrees: int = 0
    events: quantiles.Truth | None = None
    max_local_bias: float = LOCAL_LIMIT
    min_expected: float = 10.0

    @property
    def delta(self) -> float:
        """The true triangular discrimination."""
        return self.events.delta if self.events else triangular_discrimination(self.q, self.p)

    @property
    def n_h(self) -> float:
        """Half the harmonic mean of the sample sizes."""
        return self.n_generated * self.n_reference / (self.n_generated + self.n_reference)


def boundary_cells() -> Iterator[Cell]:
    """Bins x ratios x shapes x flat and falling, with much data and with little; little data only with few events."""
    for bins, ratio, shape, drop in itertools.product(BINS, RATIOS, SHAPES, DROPS):
        cell = Cell(study="boundary", bins=bins, ratio=ratio, shape=shape, drop=drop)
        yield cell
        yield replace(cell, strength=LITTLE_DATA)
        yield replace(cell, least=MANY)


def weighted_cells() -> Iterator[Cell]:
    """Three kinds of weights x three shapes."""
    kinds, shapes = ("log-normal", "signed", "importance"), ("spread", "one_bin", "smooth")
    for weights, bins, ratio, shape in itertools.product(kinds, BINS, RATIOS, shapes):
        drop = 30.0 if weights == "importance" else 1.0
        yield Cell(study="weights", bins=bins, ratio=ratio, shape=shape, drop=drop, weights=weights)


def heavy_cells() -> Iterator[Cell]:
    """Importance weights that grow by a factor of 20 along the axis."""
    fifths = [f"{end}_fifth{kind}" for end in ("first", "last") for kind in ("", "_rough")]
    for bins, ratio, shape in itertools.product((20, 50), RATIOS, (*fifths, "smooth")):
        yield Cell(study="heavy", bins=bins, ratio=ratio, shape=shape, drop=math.exp(-EXPONENT), weights="exponential")


def fine_cells() -> Iterator[Cell]:
    """So many bins that noise to second order adds up."""
    for ratio, shape in itertools.product(RATIOS, ("spread", "one_bin", "hole", "smooth")):
        yield Cell(study="fine", bins=FINE_BINS, ratio=ratio, shape=shape)


def ripple_cells() -> Iterator[Cell]:
    """Biases that nine components are too smooth for."""
    for bins, periods in itertools.product((100, 200, 300), (6, 15, 30)):
        yield Cell(study="ripples", bins=bins, shape=f"ripples_{periods}")


def quantile_cells() -> Iterator[Cell]:
    """Few reference events in each cell, ten times as many generated ones."""
    for kind, bins, shape in itertools.product(quantiles.COLUMNS, (50, 200, 1000), ("smooth", "ripples")):
        yield Cell(
            study="quantiles", bins=bins, ratio=10.0, shape=f"{kind} {shape}", strength=0.7, least=quantiles.PER_CELL
        )


def merging_cells() -> Iterator[Cell]:
    """A spectrum that falls so steeply that its tail is merged."""
    for bins, ratio, shape in itertools.product((20, 100), RATIOS, ("spread", "smooth", "hole", "tail_up")):
        for study in ("merging", "merging-given"):
            yield Cell(study=study, bins=bins, ratio=ratio, shape=shape, drop=300.0, strength=0.7, least=1.0)


def perfect_cells() -> Iterator[Cell]:
    """Sizes as `plan` says for a power (10 n_required generated), and fixed ratios of the sample sizes."""
    for bins, drop, strength in itertools.product(BINS, DROPS, (0.5, 0.8, 0.9, 0.95)):
        for study, ratio in (("perfect-plan", math.nan), ("perfect", 1.0), ("perfect", 10.0)):
            cell = Cell(study=study, bins=bins, drop=drop, strength=strength, ratio=ratio)
            yield cell
            yield replace(cell, least=MANY)


def discrete_cells() -> Iterator[Cell]:
    """Two and three bins of equal-size samples."""
    for bins, least in itertools.product((2, 3), (50.0, 500.0, 5000.0)):
        yield Cell(study="discrete", bins=bins, least=least)


def firing_cells() -> Iterator[Cell]:
    """Four times the allowed disagreement."""
    for bins, ratio, shape in itertools.product(BINS, RATIOS, SHAPES):
        yield Cell(study="fires", bins=bins, ratio=ratio, shape=shape, strength=LITTLE_DATA, excess=4.0)


def local_cells() -> Iterator[Cell]:
    """One bin at the limit, up or down, and all but two bins, as few events as the rarest bin may have."""
    for bins, ratio, shape, least in itertools.product(
        BINS, RATIOS, ("one_up", "one_down", "nearly_all"), (10.0, 30.0, 100.0)
    ):
        yield Cell(study="local", bins=bins, ratio=ratio, shape=shape, least=least)


def sizes(n_small: float, ratio: float) -> tuple[int, int]:
    """Return (n_generated, n_reference), the smaller being ``n_small``."""
    n_g, n_r = (n_small, n_small / ratio) if ratio <= 1 else (n_small * ratio, n_small)
    return round(n_g), round(n_r)


def growing(n_small: float, attempt: Callable[[float], Setup], least: float) -> Setup:
    """Enlarge the samples until the bias exists and the rarest bin of either truth expects ``least`` events."""
    while True:
        try:
            setup = attempt(n_small)
        except InputError:
            n_small *= 1.05
            continue
        rarest = min(setup.p.min(), setup.q.min()) * min(setup.n_generated, setup.n_reference)
        if rarest >= least * (1 - 1e-9):
            return setup
        n_small *= max(1.05, min(math.sqrt(least / max(rarest, 1e-300)), 1.5))


def boundary_attempt(
    p: FloatArray, shape: str, ratio: float, strength: float, *, excess: float = 1.0, min_expected: float = 10.0
) -> Callable[[float], Setup]:
    """Return what places q at ``excess`` times the boundary, given the size of the smaller sample."""

    def attempt(n_small: float) -> Setup:
        n = sizes(n_small, ratio)
        n_required = required_for(half_mean(*n), p.size, strength)
        setup = on_boundary(boundary(shape, p, n_required, excess), p, n, n_required)
        return replace(setup, min_expected=min_expected)

    return attempt


def half_mean(n_g: float, n_r: float) -> float:
    """Return half the harmonic mean of the sample sizes."""
    return n_g * n_r / (n_g + n_r)


def on_boundary(q: FloatArray, p: FloatArray, n: tuple[int, int], n_required: float) -> Setup:
    """Describe a generator there. A single bin may rightly exceed the local limit, so there is none."""
    degrees, excesses = tests_of(p.size)
    first = int(shares_of_allowed(q, p, n_required).argmax())
    return Setup(
        q=q,
        p=p,
        n_generated=n[0],
        n_reference=n[1],
        n_required=n_required,
        predicted=ALPHA * power_of_one(degrees[first], excesses[first], half_mean(*n) / n_required),
        degrees=round(degrees[first]),
        max_local_bias=math.inf,
    )


def boundary_setup(cell: Cell) -> Setup:
    """Place q on the boundary, with samples as small as the rarest bin allows."""
    p = falling_spectrum(cell.bins, cell.drop)
    attempt = boundary_attempt(p, cell.shape, cell.ratio, cell.strength, excess=cell.excess)
    return growing(cell.least / p.min(), attempt, cell.least)


def quantile_setup(cell: Cell) -> Setup:
    """Place densities on the boundary in the cells that references of this size lead to."""
    n = sizes(cell.least * cell.bins, cell.ratio)
    n_required = required_for(half_mean(*n), cell.bins, cell.strength)
    kind, _, shape = cell.shape.partition(" ")
    truth = quantiles.at_boundary(kind, shape, cell.bins, n_required)
    degrees = truth.degrees[int(np.argmax(truth.shares))]
    even = np.full(cell.bins, 1 / cell.bins)
    return Setup(
        q=even,
        p=even,
        n_generated=n[0],
        n_reference=n[1],
        n_required=n_required,
        predicted=ALPHA * power_of_one(float(degrees), allowed_excess(degrees, 1.0), half_mean(*n) / n_required),
        degrees=degrees,
        events=truth,
        max_local_bias=math.inf,
    )


def firing_setup(cell: Cell) -> Setup:
    """As on the boundary, with the probability that the best of the tests sees the excess, to leading order."""
    setup = boundary_setup(cell)
    shares = shares_of_allowed(setup.q, setup.p, setup.n_required)
    return replace(setup, predicted=detection(cell.bins, shares, setup.n_h / setup.n_required))


def merging_setup(cell: Cell) -> Setup:
    """Put the bins that merging is expected to leave on the boundary; within them the bias is uniform."""
    p = falling_spectrum(cell.bins, cell.drop)
    n = sizes(cell.least / p.min(), cell.ratio)
    starts, group = _expected_merging(p, *n)
    n_required = required_for(half_mean(*n), starts.size, cell.strength)
    coarse = np.add.reduceat(p, starts)
    q = boundary(cell.shape, coarse, n_required)
    return replace(on_boundary(q, coarse, n, n_required), q=p * (q / coarse)[group], p=p)


def merging_given_setup(cell: Cell) -> Setup:
    """Put the bins as given on the boundary, although merging blurs them."""
    setup = merging_setup(cell)
    n = setup.n_generated, setup.n_reference
    return on_boundary(boundary(cell.shape, setup.p, setup.n_required), setup.p, n, setup.n_required)


def _expected_merging(p: FloatArray, n_g: int, n_r: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    shape = Unlabelled(p.shape)
    groups = merge_sparse_bins(BinSums(n_g * p, n_g * p, shape), BinSums(n_r * p, n_r * p, shape), 10.0).groups
    starts = groups[:, 0]
    return starts, np.repeat(np.arange(starts.size), np.diff(np.append(starts, p.size)))


def perfect_setup(cell: Cell) -> Setup:
    """Let q = p; the prediction is the power that a `Comparison` states."""
    p = falling_spectrum(cell.bins, cell.drop)
    n_g, n_r = sizes(cell.least / p.min(), cell.ratio)
    n_h = half_mean(n_g, n_r)
    n_required = required_for(n_h, cell.bins, cell.strength)
    predicted = power_of_all(cell.bins, n_h / n_required)
    return Setup(q=p, p=p, n_generated=n_g, n_reference=n_r, n_required=n_required, predicted=predicted)


def plan_setup(cell: Cell) -> Setup:
    """Let q = p, with the sizes that `plan` asks for."""
    p = falling_spectrum(cell.bins, cell.drop)

    def attempt(n_required: float) -> Setup:
        it = plan(round(n_required), bins=cell.bins, power=cell.strength, confidence=CONFIDENCE)
        return Setup(
            q=p,
            p=p,
            n_generated=it.n_generated,
            n_reference=it.n_reference,
            n_required=it.n_required,
            predicted=it.power,
        )

    return growing(0.2 * cell.least / p.min(), attempt, cell.least)


def local_setup(cell: Cell) -> Setup:
    """Put bins exactly at the limit of the local criterion; as few events as asked for, hence no merging."""
    p = falling_spectrum(cell.bins, 1.0)

    def attempt(n_small: float) -> Setup:
        n_g, n_r = sizes(n_small, cell.ratio)
        q = local_shape(p, _local_biases(cell, p, n_small), n_small)
        return Setup(q=q, p=p, n_generated=n_g, n_reference=n_r, n_required=n_small, min_expected=0.0)

    return growing(cell.least / p.min(), attempt, cell.least)


def _local_biases(cell: Cell, p: FloatArray, n_required: float) -> FloatArray:
    biases = np.full(cell.bins, np.nan)
    if cell.shape != "nearly_all":
        biases[cell.bins // 2] = LOCAL_LIMIT if cell.shape == "one_up" else -LOCAL_LIMIT
        return biases
    # Signs are chosen so that the surplus stays small: the two free bins must not be biased beyond the limit.
    s, surplus = LOCAL_LIMIT**2 / (2 * n_required), 0.0
    for i in range(cell.bins - 2):
        sign = -1.0 if surplus > 0 else 1.0
        biases[i] = sign * LOCAL_LIMIT
        surplus += s / 2 + sign * math.sqrt(s * s + 8 * s * p[i]) / 2
    return biases


STUDIES: dict[str, tuple[Callable[[], Iterator[Cell]], dict[str, Callable[[Cell], Setup]]]] = {
    "boundary": (boundary_cells, {"boundary": boundary_setup}),
    "weights": (weighted_cells, {"weights": boundary_setup}),
    "heavy": (heavy_cells, {"heavy": boundary_setup}),
    "fine": (fine_cells, {"fine": boundary_setup}),
    "ripples": (ripple_cells, {"ripples": boundary_setup}),
    "quantiles": (quantile_cells, {"quantiles": quantile_setup}),
    "merging": (merging_cells, {"merging": merging_setup, "merging-given": merging_given_setup}),
    "perfect": (perfect_cells, {"perfect": perfect_setup, "perfect-plan": plan_setup}),
    "discrete": (discrete_cells, {"discrete": perfect_setup}),
    "fires": (firing_cells, {"fires": firing_setup}),
    "local": (local_cells, {"local": local_setup}),
}
SETUPS = {name: setup for _, setups in STUDIES.values() for name, setup in setups.items()}

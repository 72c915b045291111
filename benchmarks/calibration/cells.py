"""The studies: their cells, and the truth of each cell.

- boundary: n_required Δ = E exactly, where the false ROBUST and the false BIASED rate are both nominally 0.05;
- weights: likewise with weighted events;
- merging: likewise, with sparse bins that get merged;
- perfect: q = p; power against `plan`, false BIASED, agreement that is "too good";
- discrete: q = p in two and three bins, where equal counts are not rare;
- fires: n_required Δ = 4 E, where BIASED is due;
- local: one bin, or all but two, exactly at the limit of the local criterion.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid import InputError, plan
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics import noncentral
from pytest_ganvalid.statistics.planning import allowed_excess, power, required_noncentrality
from pytest_ganvalid.toys.boundary import (
    SHAPES,
    boundary_shape,
    falling_spectrum,
    local_shape,
    triangular_discrimination,
)

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
BINS = (5, 20, 100)
RATIOS = (0.1, 1.0, 10.0)
DROPS = (1.0, 30.0)
LITTLE_DATA, MUCH_DATA = 0.3, 0.9
FEW, MANY = 20.0, 100.0
LOCAL_LIMIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one row of the table is about.

    Attributes:
        study: One of `STUDIES`.
        bins: Number of bins.
        ratio: n_g / n_r.
        shape: Of the bias.
        drop: First over last bin of the reference; 1 is flat.
        weights: Of the events.
        strength: Power aimed at for a perfect generator; fixes n_h / n_required.
        excess: n_required Δ / E.
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
    """The truth of a cell, and how to ask for a verdict on it; sizes are effective numbers of events."""

    q: FloatArray
    p: FloatArray
    n_generated: int
    n_reference: int
    n_required: float
    predicted: float = math.nan
    max_local_bias: float = LOCAL_LIMIT
    min_expected: float = 10.0

    @property
    def delta(self) -> float:
        """The true triangular discrimination."""
        return triangular_discrimination(self.q, self.p)

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
            setup = None
        if setup and min(setup.p.min(), setup.q.min()) * min(setup.n_generated, setup.n_reference) >= least * (
            1 - 1e-9
        ):
            return setup
        n_small *= 1.05


def required_for(n_g: int, n_r: int, ndf: int, strength: float) -> float:
    """Return the n_required at which a perfect generator would pass with probability ``strength``."""
    n_h = n_g * n_r / (n_g + n_r)
    return float(
        round(2 * n_h * allowed_excess(ndf, CONFIDENCE, 1.0) / required_noncentrality(ndf, strength, CONFIDENCE))
    )


def boundary_attempt(
    p: FloatArray, shape: str, ratio: float, strength: float, *, excess: float = 1.0, min_expected: float = 10.0
) -> Callable[[float], Setup]:
    """Return what places q at n_required Δ = excess E, given the size of the smaller sample."""
    ndf = p.size - 1
    allowed = allowed_excess(ndf, CONFIDENCE, 1.0)

    def attempt(n_small: float) -> Setup:
        n_g, n_r = sizes(n_small, ratio)
        n_required = required_for(n_g, n_r, ndf, strength)
        return Setup(
            q=boundary_shape(shape, p, excess * allowed / n_required),
            p=p,
            n_generated=n_g,
            n_reference=n_r,
            n_required=n_required,
            max_local_bias=math.inf,
            min_expected=min_expected,
        )

    return attempt


def boundary_setup(cell: Cell) -> Setup:
    """Place q at n_required Δ = excess E. A single bin may rightly exceed the local limit, so there is none."""
    p = falling_spectrum(cell.bins, cell.drop)
    attempt = boundary_attempt(p, cell.shape, cell.ratio, cell.strength, excess=cell.excess)
    return growing(cell.least / p.min(), attempt, cell.least)


def firing_setup(cell: Cell) -> Setup:
    """As on the boundary, with the probability that the excess is seen, to leading order."""
    setup = boundary_setup(cell)
    ndf, at_boundary = cell.bins - 1, required_noncentrality(cell.bins - 1, cell.strength, CONFIDENCE)
    critical = noncentral.ppf(1 - ALPHA, ndf, at_boundary)
    return replace(setup, predicted=noncentral.sf(critical, ndf, cell.excess * at_boundary))


def merging_setup(cell: Cell) -> Setup:
    """Put the bins that merging is expected to leave on the boundary; within them the bias is uniform."""
    p = falling_spectrum(cell.bins, cell.drop)
    n_g, n_r = sizes(cell.least / p.min(), cell.ratio)
    starts, group = _expected_merging(p, n_g, n_r)
    ndf = starts.size - 1
    n_required = required_for(n_g, n_r, ndf, cell.strength)
    coarse = np.add.reduceat(p, starts)
    factor = boundary_shape(cell.shape, coarse, allowed_excess(ndf, CONFIDENCE, 1.0) / n_required) / coarse
    return Setup(
        q=p * factor[group],
        p=p,
        n_generated=n_g,
        n_reference=n_r,
        n_required=n_required,
        max_local_bias=math.inf,
    )


def merging_given_setup(cell: Cell) -> Setup:
    """Put the bins as given on the boundary, although merging blurs them."""
    setup = merging_setup(cell)
    delta = allowed_excess(cell.bins - 1, CONFIDENCE, 1.0) / setup.n_required
    return replace(setup, q=boundary_shape(cell.shape, setup.p, delta))


def _expected_merging(p: FloatArray, n_g: int, n_r: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    shape = Unlabelled(p.shape)
    groups = merge_sparse_bins(BinSums(n_g * p, n_g * p, shape), BinSums(n_r * p, n_r * p, shape), 10.0).groups
    starts = groups[:, 0]
    return starts, np.repeat(np.arange(starts.size), np.diff(np.append(starts, p.size)))


def perfect_setup(cell: Cell) -> Setup:
    """Let q = p; the prediction is the power that a `Comparison` states."""
    p, ndf = falling_spectrum(cell.bins, cell.drop), cell.bins - 1
    n_g, n_r = sizes(cell.least / p.min(), cell.ratio)
    n_required = required_for(n_g, n_r, ndf, cell.strength)
    noncentrality = 2 * n_g * n_r / (n_g + n_r) * allowed_excess(ndf, CONFIDENCE, 1.0) / n_required
    predicted = power(ndf, noncentrality, CONFIDENCE)
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
    "merging": (merging_cells, {"merging": merging_setup, "merging-given": merging_given_setup}),
    "perfect": (perfect_cells, {"perfect": perfect_setup, "perfect-plan": plan_setup}),
    "discrete": (discrete_cells, {"discrete": perfect_setup}),
    "fires": (firing_cells, {"fires": firing_setup}),
    "local": (local_cells, {"local": local_setup}),
}
SETUPS = {name: setup for _, setups in STUDIES.values() for name, setup in setups.items()}

"""Cells cut at the reference's quantiles, by the public functions alone: events, and what is true of their cells.

Columns are uniform in truth. Which cells a reference of this size leads to is the package's affair, so the true Δ is
measured: large samples are filled into the cells of a few references, and compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.statistics.power import allowed_excess

FloatArray = NDArray[np.float64]
Events = dict[str, FloatArray]

PER_CELL = 20
"""Reference events."""
COLUMNS = {"column": ("x",), "pair": ("x", "y"), "tree": ("x", "y", "z")}
"""What is cut -> its columns; of three a k-d tree."""
_LARGE = 400_000
_REFERENCES = 3
_SEED = 20_002


@dataclass(frozen=True, slots=True)
class Truth:
    """A generator of density 1 + a m, and its true distance from uniformity in cells of the package.

    Attributes:
        kind: One of `COLUMNS`.
        shape: ``"smooth"`` or ``"ripples"``, those too short for the smooth components.
        cells: How many are asked for.
        amplitude: a.
        shares: n_required Δ_d / E_d of each test, all bins the first.
        degrees: Degrees of freedom of each test.
        delta: Δ of all bins.
    """

    kind: str
    shape: str
    cells: int
    amplitude: float
    shares: tuple[float, ...] = ()
    degrees: tuple[int, ...] = ()
    delta: float = math.nan

    def pattern(self, events: Events) -> FloatArray:
        """Return m, from -1 to 1, of each event; it averages to zero."""
        x, y = events["x"], events.get("y")
        if self.shape == "smooth":
            return np.sin(2 * np.pi * x) if y is None else (2 * x - 1) * (2 * y - 1)
        wave = _wave(self.cells / 5 if y is None else self.cells ** (1 / len(events)) / 4)
        return wave(x) if y is None else wave(x) * wave(y)

    def generated(self, n: int, rng: np.random.Generator) -> Events:
        """Draw events of the generator, by rejection."""
        some = uniform(self.kind, round(n * (1 + self.amplitude) * 1.1) + 1000, rng)
        density = 1 + self.amplitude * self.pattern(some)
        kept = np.flatnonzero(rng.random(density.size) * (1 + self.amplitude) < density)[:n]
        return {name: values[kept] for name, values in some.items()}


def _wave(periods: float) -> Callable[[FloatArray], FloatArray]:
    frequency = 2 * np.pi * max(round(periods), 1)
    return lambda x: np.sin(frequency * x)


def uniform(kind: str, n: int, rng: np.random.Generator) -> Events:
    """Draw events of the simulator."""
    return {name: rng.random(n) for name in COLUMNS[kind]}


def observable(kind: str) -> object:
    """Return what is compared."""
    return COLUMNS[kind] if len(COLUMNS[kind]) > 1 else "x"


def at_boundary(kind: str, shape: str, cells: int, n_required: float) -> Truth:
    """Return the generator whose largest n_required Δ_d / E_d is one.

    Raises:
        InputError: If there is none: its density would be negative.
    """
    rng = np.random.default_rng([_SEED, cells, *map(ord, kind + shape)])
    truth = Truth(kind, shape, cells, 0.5)
    for references in (1, _REFERENCES):  # Δ goes as a² but for higher orders
        found = [_measured(truth, n_required, rng) for _ in range(references)]
        shares = np.mean([comparison[0] for comparison in found], axis=0)
        scale = 1 / shares.max()
        amplitude = truth.amplitude * math.sqrt(scale)
        if amplitude > 1:
            msg = f"a {shape!r} bias in {cells} cells of a {kind} is never as large as {n_required:g} events allow"
            raise gv.InputError(msg)
        delta = scale * float(np.mean([comparison[2] for comparison in found]))
        truth = Truth(kind, shape, cells, amplitude, tuple((scale * shares).tolist()), found[0][1], delta)
    return truth


def _measured(truth: Truth, n_required: float, rng: np.random.Generator) -> tuple[FloatArray, tuple[int, ...], float]:
    """Return n_required Δ_d / E_d and d of each test in the cells of one reference, and Δ of all bins."""
    cut = gv.fill(
        uniform(truth.kind, PER_CELL * truth.cells, rng), observables=[observable(truth.kind)], bins=truth.cells
    )
    biased, true = (uniform(truth.kind, _LARGE, rng) for _ in range(2))
    biased["density"] = 1 + truth.amplitude * truth.pattern(biased)
    filled = gv.fill(biased, like=cut, weight="density"), gv.fill(true, like=cut)
    report = gv.validate(*filled, n_required=n_required, max_local_bias=math.inf)
    comparison = next(iter(report.histograms.values()))
    degrees = tuple(comparison.ndf if test.components is None else test.components for test in comparison.tests)
    deltas = np.array([2 * test.separation.estimate for test in comparison.tests])
    allowed = np.array([allowed_excess(d, 1.0) for d in degrees])
    return n_required * deltas / allowed, degrees, float(deltas[0])


def judged(truth: Truth, n_generated: int, n_reference: int, n_required: float, rng: np.random.Generator) -> gv.Report:
    """Draw a toy and ask for a verdict."""
    return gv.validate(
        truth.generated(n_generated, rng),
        uniform(truth.kind, n_reference, rng),
        n_required=n_required,
        observables=[observable(truth.kind)],
        bins=truth.cells,
        max_local_bias=math.inf,
    )

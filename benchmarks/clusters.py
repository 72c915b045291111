"""Measure the error rates of the verdict where rows are in clusters, and of ignoring that.

    python benchmarks/clusters.py --toys 400

writes benchmarks/clusters.md. Values are ranks in 50 bins of equal shares; the generator's are moved so that in one of
the tests on them, all bins or nine smooth components, n_required Δ is exactly what is allowed, and in none it is more.
Rows of a cluster have a latent input in common: with it and noise of their own their ranks are uniform, as if alone.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import brentq

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.statistics.power import allowed_excess
from pytest_ganvalid.statistics.smooth import LEADING, smooth_basis
from pytest_ganvalid.toys.boundary import boundary_shape, triangular_discrimination

FloatArray = NDArray[np.float64]
Keys = NDArray[np.uint64]
Sides = tuple[tuple[FloatArray, Keys], tuple[FloatArray, Keys]]

BINS = 50
ALPHA = 0.05
HIGH, MORE = 0.065, 4
FLAT = np.full(BINS, 1 / BINS)
AXIS = Grid((Axis(tuple(np.linspace(0, 1, BINS + 1)[1:-1].tolist())),))


def normal_ranks(latent: FloatArray, share: float, rng: np.random.Generator) -> FloatArray:
    """Return uniform ranks that have a share of their variance, as normal numbers, from a latent input."""
    own = rng.standard_normal(latent.size)
    return np.asarray(special.ndtr(math.sqrt(share) * latent + math.sqrt(1 - share) * own))


@dataclass(frozen=True)
class Cell:
    """A way in which rows depend on each other.

    Attributes:
        what: In words.
        draw: Returns the ranks and the clusters of the rows of both sides.
        n_required: True events to stand in for.
    """

    what: str
    draw: Callable[[np.random.Generator], Sides]
    n_required: float


def pairs(number: int, resolution: float) -> Callable[[np.random.Generator], Sides]:
    """Pairs whose two rows differ by noise of this size in standard deviations of the column."""

    def draw(rng: np.random.Generator) -> Sides:
        latent, keys = rng.standard_normal(number), np.arange(number, dtype=np.uint64)
        share = 1 / (1 + resolution**2)
        return (normal_ranks(latent, share, rng), keys), (normal_ranks(latent, share, rng), keys)

    return draw


def folds(number: int, times: int, resolution: float, *, across: bool) -> Callable[[np.random.Generator], Sides]:
    """Inputs that are simulated so many times by the generator, and once each, the same or others, by the reference."""

    def draw(rng: np.random.Generator) -> Sides:
        latent, keys = rng.standard_normal(number), np.arange(number, dtype=np.uint64)
        share = 1 / (1 + resolution**2)
        others = latent if across else rng.standard_normal(number)
        ours = normal_ranks(np.repeat(latent, times), share, rng), np.repeat(keys, times)
        return ours, (normal_ranks(others, share, rng), keys if across else keys + np.uint64(number))

    return draw


def blocks(rows: int, number: int, share: float, reference: int) -> Callable[[np.random.Generator], Sides]:
    """Generated rows in so many blocks with an offset in common, against independent ones."""

    def draw(rng: np.random.Generator) -> Sides:
        block = np.arange(rows, dtype=np.uint64) % np.uint64(number)
        latent = rng.standard_normal(number)[block.astype(np.intp)]
        own = np.arange(reference, dtype=np.uint64) + np.uint64(rows)
        return (normal_ranks(latent, share, rng), block), (rng.random(reference), own)

    return draw


CELLS = (
    *(Cell(f"2000 pairs, {100 * r:g} %", pairs(2000, r), n) for r, n in ((0.005, 2000), (0.01, 2000), (0.02, 2000))),
    Cell("2000 pairs, 5 %", pairs(2000, 0.05), 1400),
    Cell("2000 pairs, 20 %", pairs(2000, 0.2), 800),
    Cell("10000 pairs, 1 %", pairs(10_000, 0.01), 10_000),
    Cell("1000 inputs, x10 and others", folds(1000, 10, 0.05, across=False), 200),
    Cell("1000 inputs, x100 and others", folds(1000, 100, 0.05, across=False), 200),
    Cell("1000 inputs, x10 and once", folds(1000, 10, 0.05, across=True), 1000),
    Cell("1000 inputs, x100 and once", folds(1000, 100, 0.05, across=True), 1000),
    *(
        Cell(f"5000 rows in {number} blocks", blocks(5000, number, 0.02, 5000), n)
        for number, n in ((10, 200), (30, 200), (100, 600), (1000, 1000))
    ),
)


def excesses(q: FloatArray, n_required: float) -> float:
    """Return the largest n_required Δ in units of what is allowed, of both tests."""
    theta = (q - FLAT) @ smooth_basis(Layout.line(BINS), (q + FLAT) / 2, LEADING)
    deltas = {BINS - 1: triangular_discrimination(q, FLAT), LEADING: 0.5 * float(theta @ theta)}
    return max(n_required * delta / allowed_excess(ndf, 1.0) for ndf, delta in deltas.items())


def boundary(shape: str, n_required: float) -> FloatArray:
    """Return the generator's bin contents on the boundary."""
    delta = brentq(lambda d: excesses(boundary_shape(shape, FLAT, d), n_required) - 1, 1e-9, 0.25, xtol=1e-12)
    return boundary_shape(shape, FLAT, delta)


def moved(ranks: FloatArray, q: FloatArray) -> FloatArray:
    """Return values of which each bin has the share q, in the order of the ranks."""
    edges = np.concatenate([[0.0], np.cumsum(q)])
    return np.asarray(np.interp(ranks, edges / edges[-1], np.linspace(0, 1, BINS + 1)))


def compared(sides: Sides, q: FloatArray, n_required: float, *, clusters: bool) -> gv.Comparison:
    """Compare two sides, with or without their clusters."""
    sums: list[BinSums] = [
        fill(AXIS, (values,), None, cluster=keys if clusters else None)
        for values, keys in ((moved(sides[0][0], q), sides[0][1]), sides[1])
    ]
    return gv.compare(sums[0], sums[1], n_required=n_required)


def rates(cell: Cell, q: FloatArray, toys: int, seed: int, *, clusters: bool = True) -> FloatArray:
    """Return how often the verdict is ROBUST and BIASED, whatever Holm's correction, and too good."""
    rng = np.random.default_rng(seed)
    tally = np.zeros(3)
    for _ in range(toys):
        c = compared(cell.draw(rng), q, cell.n_required, clusters=clusters)
        verdict = c.verdict if c.p_agreement > 1e-3 else "too good"
        tally += [verdict == gv.Verdict.ROBUST, verdict == gv.Verdict.BIASED, verdict == "too good"]
    return tally / toys


def measured(cell: Cell, toys: int, seed: int) -> FloatArray:
    """Return ROBUST and BIASED on the boundary by each shape and of a perfect generator, and what ignoring does."""
    shapes = [boundary(shape, cell.n_required) for shape in ("smooth", "spread")]
    wrong = [rates(cell, q, toys, seed + i) for i, q in enumerate(shapes)]
    good = rates(cell, FLAT, toys, seed + 2)
    ignored = [rates(cell, q, toys // 4, seed, clusters=False) for q in (shapes[0], FLAT)]
    columns = (wrong[0][0], wrong[1][0], wrong[0][1], wrong[1][1], *good[:2], ignored[0][0], *ignored[1][1:])
    return np.array(columns)


def repeated(cell: Cell, found: FloatArray, toys: int, seed: int) -> list[str]:
    """Measure rates of ROBUST again that are high, with other toys and more of them, and return them in words."""
    lines = []
    for rate, shape in zip(found, ("smooth", "spread"), strict=False):
        if rate > HIGH:
            again = rates(cell, boundary(shape, cell.n_required), MORE * toys, seed)[0]
            lines.append(f"- {cell.what}, {shape}: {rate:.3f}, and {again:.3f} of {MORE * toys} others")
    return lines


def main() -> None:
    """Measure all cells and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=400)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/clusters.md"))
    args = parser.parse_args()
    lines = [
        "| rows | n_required | ROBUST: smooth | spread | BIASED: smooth | spread | perfect: ROBUST | BIASED | "
        "ignored: ROBUST | perfect: BIASED | too good |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    table, high = [], []
    for number, cell in enumerate(CELLS):
        table.append(measured(cell, args.toys, 10 * number))
        high += repeated(cell, table[-1], args.toys, 10 * number + 5)
        lines.append(f"| {cell.what} | {cell.n_required:g} | {' | '.join(f'{value:.3f}' for value in table[-1])} |")
        print(lines[-1], flush=True)
    worst, mean = np.max(table, axis=0), np.mean(table, axis=0)
    head = [
        "# Rows in clusters",
        "",
        f"Written by `python benchmarks/clusters.py --toys {args.toys}`; a quarter as many for what is *ignored*.",
        f"Binomial errors of a rate of 0.05 are {math.sqrt(ALPHA * (1 - ALPHA) / args.toys):.3f}.",
        "",
        "The generator is on the boundary of what is allowed at n_required, by a smooth bias (of nine components) or",
        "one of bins in turn (of all 50), or perfect. Pairs: the resolution is the noise of each row in standard",
        "deviations of the column. Inputs: each is simulated so many times by the generator, and by the reference",
        "others, or the same once (clusters across both sides). Blocks: 2 % of the variance of the generated rows is",
        "an offset that those of a block have in common, against 5000 independent reference rows. *Ignored*: the same",
        "rows taken for independent, of a generator on the boundary by a smooth bias and of a perfect one.",
        "",
        f"On the boundary ROBUST at most {worst[:2].max():.3f} (mean {mean[:2].mean():.3f}) and BIASED at most "
        f"{worst[2:4].max():.3f}; a perfect",
        f"generator is BIASED at most in {worst[5]:.3f}.",
        "",
    ]
    if high:
        lines += [
            "",
            f"Rates of ROBUST above {HIGH:g} were measured again, with {MORE} times as many other toys:",
            "",
            *high,
        ]
    args.output.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

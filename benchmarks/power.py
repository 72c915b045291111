"""Whether a perfect generator passes as often as `pytest_ganvalid.plan` says, on events and through `validate`.

    python benchmarks/power.py --toys 400

writes benchmarks/power.md. Columns are uniform and independent; of the sizes that a plan asks for, a toy draws a
reference and a perfect generated sample.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import pytest_ganvalid as gv
from pytest_ganvalid.observables import KDTree

N_REQUIRED = 1_000
PRICES = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Reference events per required one, with ten generated ones."""


@dataclass(frozen=True)
class Case:
    """What is planned and checked.

    Attributes:
        what: In words.
        columns: Number of them.
        observables: Made of the names of the columns.
        bins: Bins, or cells, of each observable.
        power: Planned.
        n_reference: Events, or 0 for as many as the plan asks for.
    """

    what: str
    columns: int
    observables: Callable[[list[str]], list[Any]]
    bins: int
    power: float = 0.9
    n_reference: int = 0

    def sizes(self, observables: int) -> tuple[int, int]:
        """Return the sizes of the generated sample and the reference."""
        plan = gv.plan(N_REQUIRED, bins=self.bins, observables=observables, power=self.power)
        return plan.n_generated, self.n_reference or plan.n_reference


def columns(names: list[str]) -> list[Any]:
    """Compare column by column."""
    return list(names)


def jointly(names: list[str]) -> list[Any]:
    """Compare all columns in one grid."""
    return [tuple(names)]


def tree(names: list[str]) -> list[Any]:
    """Compare all columns in the cells of a k-d tree."""
    return [KDTree(tuple(names))]


PLANNED = [
    *(Case(f"one column, {k} bins", 1, columns, k, power) for k in (10, 50, 200) for power in (0.5, 0.9)),
    *(Case(f"a pair, {k} cells", 2, jointly, k, power) for k in (50, 200) for power in (0.5, 0.9)),
    *(Case(f"three columns in a grid, {k} cells", 3, jointly, k, power) for k in (64, 216) for power in (0.5, 0.9)),
    *(Case(f"three columns in a k-d tree, {k} cells", 3, tree, k, power) for k in (50, 200) for power in (0.5, 0.9)),
    Case("eight columns, 50 bins", 8, columns, 50, 0.9),
]
PRICED = [
    Case(f"{k} bins, {ratio:g} reference events per required one", 1, columns, k, math.nan, round(ratio * N_REQUIRED))
    for k in (5, 10, 50, 100)
    for ratio in PRICES
]


def measured(case: Case, toys: int) -> tuple[float, float, int, int]:
    """Return the planned power, how often a perfect generator was ROBUST, and the sizes of the samples.

    Where sizes are given the plan is that of `Comparison.power` on contents as they are expected.
    """
    names = [f"x{i}" for i in range(case.columns)]
    observables = case.observables(names)
    planned = case.power
    if case.n_reference:
        n_generated, n_reference = 10 * N_REQUIRED, case.n_reference
        flat = [gv.Counts(np.full(case.bins, n / case.bins)) for n in (n_generated, n_reference)]
        planned = gv.compare(flat[0], flat[1], n_required=N_REQUIRED).power
    else:
        n_generated, n_reference = case.sizes(len(observables))
    bins = np.linspace(0, 1, case.bins + 1) if case.n_reference else case.bins
    rng, robust = np.random.default_rng([20, case.bins, case.columns, n_reference]), 0
    for _ in range(toys):
        sides = [dict(zip(names, rng.random((case.columns, n)), strict=True)) for n in (n_generated, n_reference)]
        report = gv.validate(sides[0], sides[1], n_required=N_REQUIRED, observables=observables, bins=bins)
        robust += report.robust
    return planned, robust / toys, n_generated, n_reference


def table(cases: list[Case], toys: int, processes: int) -> Iterator[str]:
    """Yield a line for each case."""
    yield "| what | generated | reference | planned | measured | difference |\n|---|---|---|---|---|---|"
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for case, found in zip(cases, pool.map(partial(measured, toys=toys), cases), strict=True):
            planned, share, *sizes = found
            smooth = (share * toys + 0.5) / (toys + 1)
            error = math.sqrt(smooth * (1 - smooth) / toys)
            numbers = f"{planned:.3f} | {share:.3f} ± {error:.3f} | {share - planned:+.3f}"
            print(case.what, numbers, file=sys.stderr, flush=True)
            yield f"| {case.what} | {sizes[0]:,} | {sizes[1]:,} | {numbers} |"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--toys", type=int, default=400, help="per case (default %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="default %(default)s")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/power.md"), help="default %(default)s")
    args = parser.parse_args()
    lines = [
        "# Power of a perfect generator, planned and measured",
        "",
        f"Written by `python benchmarks/power.py --toys {args.toys}`: n_required = {N_REQUIRED:,}, one call of "
        "`validate` on events per toy. Errors are binomial.",
        "",
        "## Of the sizes that a plan asks for",
        "",
        *table(PLANNED, args.toys, args.processes),
        "",
        "For several observables the plan shares the failures out among them, whatever the correlations, so that "
        "the power is at least what is planned.",
        "",
        "## The price table",
        "",
        "Bins of equal width are given, as those that are chosen have halved tails.",
        "",
        *table(PRICED, args.toys, args.processes),
    ]
    args.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

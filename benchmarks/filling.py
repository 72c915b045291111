"""How fast histograms are filled from memory, against numpy and boost-histogram, and what sums of weights lose.

python benchmarks/filling.py --output benchmarks/filling.md
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pytest_ganvalid.histograms import compiled, kernels
from pytest_ganvalid.histograms.binning import bins_for, equiprobable_edges
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.histograms.lookup import parallel_map, threads

BINS = 50
GIGA = 1e9
SHAPES: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "normal": lambda rng, n: rng.normal(91.2, 2.5, n),
    "exponential": lambda rng, n: rng.exponential(20, n),
    "log-normal, width 2": lambda rng, n: np.exp(rng.normal(0, 2, n)),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "integers, Poisson of mean 8": lambda rng, n: rng.poisson(8, n).astype(float),
    "zero in half of the events": lambda rng, n: rng.exponential(20, n) * (rng.random(n) < 0.5),
}
WEIGHTS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "normal(1, 1)": lambda rng, n: rng.normal(1, 1, n),
    "log-normal, 30 % negative": lambda rng, n: np.exp(rng.normal(size=n)) * np.where(rng.random(n) < 0.3, -1, 1),
    "log-normal, width 3, cancelling": lambda rng, n: (
        np.exp(rng.normal(0, 3, n)) * np.where(rng.random(n) < 0.5, -1, 1)
    ),
}


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=float, default=1e8)
    parser.add_argument("--weights", type=float, default=1e7)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = [
        "# Filling histograms from memory",
        "",
        f"`python {' '.join(sys.argv)}`; all times of a row are taken in turns in one run, and the median of "
        f"{arguments.repeats} is given. Load of the machine before: {os.getloadavg()[0]:.1f}.",
        "",
        f"{processor()}, {threads()} processors, all used by this package; the others use one unless it says so. "
        f"Python {platform.python_version()}, numpy {version('numpy')}, boost-histogram {version('boost-histogram')}, "
        f"numba {version('numba')}. *Compiled* is with the extra `fast`, *plain* without. {price()}",
        "",
        *speed(int(arguments.values), arguments.repeats),
        "",
        *other_bins(int(arguments.weights), arguments.repeats),
        "",
        *precision(int(arguments.weights), arguments.repeats),
    ]
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def price() -> str:
    """Say what it takes to import the compiled loops, and to compile them."""
    code = """
import time, numpy, pytest_ganvalid.histograms.filling
start = time.process_time()
import numba
there = time.process_time()
import pytest_ganvalid.histograms.kernels
print(there - start, time.process_time() - there)
"""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        run = partial(subprocess.run, [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True)
        (_, first), *again = ([float(word) for word in run().stdout.split()] for _ in range(4))
    numba, loops = (statistics.median(times) for times in zip(*again, strict=True))
    return (
        f"Once per process, {numba:.1f} s of a processor to import numba and {loops:.1f} s to load the loops; once per "
        f"installation, {first:.0f} s to compile them."
    )


def filled(loops: Any, *arguments: Any) -> Any:  # noqa: ANN401 - a module or None, and what `fill` takes
    """Fill with compiled loops, or without."""
    compiled._STATE.kernels = loops  # noqa: SLF001 - no user would have both
    return fill(*arguments)


def speed(n: int, repeats: int) -> list[str]:
    """Return the table of speeds."""
    import boost_histogram as bh

    lines = [
        f"## {BINS} equiprobable bins from {n:,} float64 values",
        "",
        "numpy.histogram and a variable axis of boost-histogram get the same edges. Rates: millions of values a "
        "second; ratios: of the compiled rate to that on their left. The bandwidth is that of summing the values up "
        "with as many threads.",
        "",
        "| distribution | compiled | plain | ratio | numpy.histogram | ratio | boost-histogram | ratio "
        "| the same, all threads | ratio | GB/s | of the read bandwidth |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, draw in SHAPES.items():
        values = draw(np.random.default_rng(1), n)
        edges = equiprobable_edges(values[: 1 << 20], None, BINS)
        closed = np.array([-np.inf, *edges, np.inf])
        axis = bh.axis.Variable(edges)
        ways: list[Callable[[], Any]] = [
            *(partial(filled, loops, Grid((Axis(edges),)), (values,), None) for loops in (kernels, None)),
            partial(np.histogram, values, closed),
            partial(boosted, axis, values, 1),
            partial(boosted, axis, values, threads()),
            partial(read_all, values),
        ]
        first, second, third = (way() for way in ways[:3])
        assert np.array_equal(first.sumw, second.sumw)
        assert np.array_equal(first.sumw, third[0])
        ours, *others, read = in_turns(ways, repeats)
        compared = " | ".join(f"{n / other / 1e6:,.0f} | **{other / ours:.1f}**" for other in others)
        lines.append(f"| {name} | {n / ours / 1e6:,.0f} | {compared} | {8 * n / ours / GIGA:.1f} | {read / ours:.2f} |")
    return lines


def other_bins(n: int, repeats: int) -> list[str]:
    """Return the table of bins of several columns."""
    lines = [
        f"## {BINS} bins of several columns from {n:,} events",
        "",
        "Rates: millions of events a second.",
        "",
        "| bins | weights | compiled | plain | ratio |",
        "|---|---|---|---|---|",
    ]
    rng = np.random.default_rng(3)
    columns = list(rng.normal(size=(4, n)))
    columns[1] += 0.5 * columns[0]
    weight, few = rng.normal(1, 1, n), [column[: 1 << 18] for column in columns]
    even = np.linspace(-2, 2, 6)
    kinds: dict[str, tuple[Any, int]] = {
        "two columns, a grid of 7 by 7": (bins_for((even, even), few[:2], None, "error"), 2),
        "two columns, equiprobable": (bins_for(BINS, few[:2], None, "error"), 2),
        "four columns, k-d tree": (kdtree_cells(few, None, BINS, "error", "abcd"), 4),
    }
    for name, (bins, dimensions) in kinds.items():
        for weighted in (False, True):
            event = bins, columns[:dimensions], weight if weighted else None
            ways: list[Callable[[], Any]] = [partial(filled, loops, *event) for loops in (kernels, None)]
            first, second = (way() for way in ways)
            assert np.array_equal(first.sumw, second.sumw)
            assert np.array_equal(first.sumw2, second.sumw2)
            ours, plain = in_turns(ways, repeats)
            words = "normal(1, 1)" if weighted else "none"
            lines.append(
                f"| {name} | {words} | {n / ours / 1e6:,.0f} | {n / plain / 1e6:,.0f} | **{plain / ours:.1f}** |"
            )
    return lines


def boosted(axis: Any, values: Any, workers: int) -> Any:  # noqa: ANN401 - boost-histogram has no types
    """Fill a histogram of boost-histogram."""
    import boost_histogram as bh

    return bh.Histogram(axis, storage=bh.storage.Int64()).fill(values, threads=workers)


def read_all(values: Any) -> list[float]:  # noqa: ANN401 - an array
    """Read values as fast as they can be."""
    return parallel_map(lambda part: float(np.add.reduce(values[part])), values.size)


def in_turns(ways: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median time of each, taken in turns."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats):
        for way, found in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def precision(n: int, repeats: int) -> list[str]:
    """Return the table of errors."""
    lines = [
        f"## Sums of {n:,} weights and of their squares in {BINS} bins",
        "",
        "The largest relative error of a bin's sum against exact arithmetic (`math.fsum`), and that of "
        "`numpy.bincount`, which adds one after the other. Rates: millions of weights a second, the bins found and "
        "both sums made; numpy's with `searchsorted` and two `bincount`.",
        "",
        "| weights | Σ\\|w\\| / \\|Σw\\| of the worst bin | error of Σw | of Σw² | numpy's of Σw | compiled | plain "
        "| ratio | numpy | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, draw in WEIGHTS.items():
        rng = np.random.default_rng(2)
        values, weight = rng.normal(size=n), draw(rng, n)
        axis = Axis(equiprobable_edges(values[: 1 << 20], None, BINS))
        grid = Grid((axis,))
        index = axis.index(values)
        ways: list[Callable[[], Any]] = [
            *(partial(filled, loops, grid, (values,), weight) for loops in (kernels, None)),
            partial(plain_sums, values, weight, axis),
        ]
        found, second = ways[0](), ways[1]()
        assert np.array_equal(found.sumw, second.sumw)
        assert np.array_equal(found.sumw2, second.sumw2)
        plain = np.bincount(index, weight, minlength=axis.size)
        parts = [weight[index == i] for i in range(axis.size)]
        sums = np.array([math.fsum(part) for part in parts])
        squares = np.array([math.fsum(part**2) for part in parts])
        cancellation = max(math.fsum(np.abs(part)) / abs(total) for part, total in zip(parts, sums, strict=True))
        ours, *others = in_turns(ways, repeats)
        compared = " | ".join(f"{n / other / 1e6:,.0f} | **{other / ours:.1f}**" for other in others)
        lines.append(
            f"| {name} | {cancellation:.3g} | {worst(found.sumw, sums):.1g} | {worst(found.sumw2, squares):.1g} "
            f"| {worst(plain, sums):.1g} | {n / ours / 1e6:,.0f} | {compared} |"
        )
    return lines


def plain_sums(values: Any, weight: Any, axis: Axis) -> Any:  # noqa: ANN401 - arrays
    """Sum weights and their squares up with numpy alone."""
    index = np.searchsorted(axis.edges, values, side="right")
    return np.bincount(index, weight), np.bincount(index, weight**2)


def worst(found: Any, exact: Any) -> float:  # noqa: ANN401 - arrays
    """Return the largest relative error."""
    return float(np.max(np.abs(found - exact) / np.abs(exact)))


if __name__ == "__main__":
    main()

"""How fast histograms are filled from memory, against numpy and boost-histogram, and what sums of weights lose.

python benchmarks/filling.py --output benchmarks/filling.md
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pytest_ganvalid.histograms.binning import equiprobable_edges
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.lookup import shared_out, threads

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
        "`python benchmarks/filling.py`; all times of a row are taken in turns in one run, and the median of "
        f"{arguments.repeats} is given.",
        "",
        *speed(int(arguments.values), arguments.repeats),
        "",
        *precision(int(arguments.weights)),
    ]
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def speed(n: int, repeats: int) -> list[str]:
    """Return the table of speeds."""
    import boost_histogram as bh

    lines = [
        f"## {BINS} equiprobable bins from {n:,} float64 values",
        "",
        f"{threads()} processors, all used by this package; numpy.histogram ({version('numpy')}) and a variable axis "
        f"of boost-histogram ({version('boost-histogram')}) get the same edges, and use one unless it says otherwise. "
        "The bandwidth is that of summing the values up with as many threads. Rates: millions of values a second.",
        "",
        "| distribution | this package | numpy.histogram | ratio | boost-histogram | ratio | the same, all threads "
        "| ratio | GB/s | of the read bandwidth |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, draw in SHAPES.items():
        values = draw(np.random.default_rng(1), n)
        edges = equiprobable_edges(values[: 1 << 20], None, BINS)
        closed = np.array([-np.inf, *edges, np.inf])
        grid = Grid((Axis(edges),))
        axis = bh.axis.Variable(edges)
        ways: list[Callable[[], Any]] = [
            partial(fill, grid, (values,), None),
            partial(np.histogram, values, closed),
            partial(boosted, axis, values, 1),
            partial(boosted, axis, values, threads()),
            partial(read_all, values),
        ]
        assert np.array_equal(ways[0]().sumw, ways[1]()[0])
        ours, numpy, boost, several, read = in_turns(ways, repeats)
        rate = n / ours / 1e6
        lines.append(
            f"| {name} | {rate:,.0f} | {n / numpy / 1e6:,.0f} | **{numpy / ours:.1f}** | {n / boost / 1e6:,.0f} "
            f"| **{boost / ours:.1f}** | {n / several / 1e6:,.0f} | {several / ours:.1f} | {8 * n / ours / GIGA:.1f} "
            f"| {read / ours:.2f} |"
        )
    return lines


def boosted(axis: Any, values: Any, workers: int) -> Any:  # noqa: ANN401 - boost-histogram has no types
    """Fill a histogram of boost-histogram."""
    import boost_histogram as bh

    return bh.Histogram(axis, storage=bh.storage.Int64()).fill(values, threads=workers)


def read_all(values: Any) -> list[float]:  # noqa: ANN401 - an array
    """Read values as fast as they can be."""
    return shared_out(lambda part: float(np.add.reduce(values[part])), values.size)


def in_turns(ways: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median time of each, taken in turns."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats):
        for way, found in zip(ways, times, strict=True):
            start = time.perf_counter()
            way()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def precision(n: int) -> list[str]:
    """Return the table of errors."""
    lines = [
        f"## Sums of {n:,} weights in {BINS} bins",
        "",
        "The largest relative error of a bin's sum against exact arithmetic (`math.fsum`), and that of "
        "`numpy.bincount`, which adds one after the other.",
        "",
        "| weights | Σ\\|w\\| / \\|Σw\\| of the worst bin | error of Σw | of Σw² | numpy's of Σw | time, numpy's = 1 |",
        "|---|---|---|---|---|---|",
    ]
    for name, draw in WEIGHTS.items():
        rng = np.random.default_rng(2)
        values, weight = rng.normal(size=n), draw(rng, n)
        axis = Axis(equiprobable_edges(values[: 1 << 20], None, BINS))
        grid = Grid((axis,))
        index = axis.index(values)
        found = fill(grid, (values,), weight)
        plain = np.bincount(index, weight, minlength=axis.size)
        parts = [weight[index == i] for i in range(axis.size)]
        sums = np.array([math.fsum(part) for part in parts])
        squares = np.array([math.fsum(part**2) for part in parts])
        cancellation = max(math.fsum(np.abs(part)) / abs(total) for part, total in zip(parts, sums, strict=True))
        ours, numpy = in_turns(
            [
                partial(fill, grid, (values,), weight),
                partial(plain_sums, values, weight, axis),
            ],
            3,
        )
        lines.append(
            f"| {name} | {cancellation:.3g} | {worst(found.sumw, sums):.1g} | {worst(found.sumw2, squares):.1g} "
            f"| {worst(plain, sums):.1g} | {ours / numpy:.2f} |"
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

"""What the searches of rows find, what they take for a finding by mistake, and how long they take.

python benchmarks/searches.py --output benchmarks/searches.md
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.overlaps.blocks import uneven_blocks
from pytest_ganvalid.overlaps.chance import ALPHA, p_convexity
from pytest_ganvalid.overlaps.findings import NearCopies
from pytest_ganvalid.overlaps.near import near_copies
from pytest_ganvalid.overlaps.pairs import (
    IN_ORDER,
    LAGS,
    SHIFTED,
    SHUFFLED,
    crossings,
    moving_columns,
    signs,
    tables,
    telling_columns,
    undeclared_pairs,
)

Array = NDArray[np.float64]
Sample = dict[str, Array]
ROWS = 2_000
LOST = (0.001, 0.005, 0.01, 0.03)
_FEWER = 20  # times as few toys of what takes longer


def normal(rng: np.random.Generator, n: int, columns: int = 4) -> Sample:
    """Independent normal columns."""
    return {f"c{i}": rng.normal(size=n) for i in range(columns)}


def correlated(rng: np.random.Generator, n: int, columns: int = 4) -> Sample:
    """Columns that share half of their variance."""
    common = rng.normal(size=n)
    return {f"c{i}": common + rng.normal(size=n) for i in range(columns)}


def in_sorted_files(rng: np.random.Generator, n: int) -> Sample:
    """All columns sorted, of several shapes."""
    columns: dict[str, NDArray[Any]] = {
        "a": rng.normal(size=n),
        "b": rng.exponential(size=n),
        "c": rng.poisson(5, n),
        "d": rng.pareto(1, n),
    }
    return {name: np.sort(values.astype(float)) for name, values in columns.items()}


def sorted_by_one(rng: np.random.Generator, n: int) -> Sample:
    """Correlated columns, sorted by the first."""
    sample = correlated(rng, n)
    order = np.argsort(sample["c0"])
    return {name: values[order] for name, values in sample.items()}


def concatenated(rng: np.random.Generator, n: int) -> Sample:
    """Runs of 100 rows, each with an offset and numbers of its own, the same on both sides."""
    run = np.arange(n) // 100
    offset = 3 * np.sin(run * 1.7)
    return {
        "x": rng.normal(size=n) + offset,
        "y": rng.exponential(size=n) + offset,
        "run": run * 1.0,
        "row": np.arange(n) % 10 * 1.0,
        "time": 0.1 * np.arange(n),
        "number": rng.permutation(n) * 1.0,
    }


def integers(rng: np.random.Generator, n: int) -> Sample:
    """Counts and flags."""
    means = {"few": 0.1, "some": 3, "many": 1e4}
    counts: Sample = {name: rng.poisson(mean, n).astype(np.float64) for name, mean in means.items()}
    return counts | {"flag": (rng.random(n) < 0.5).astype(np.float64)}


def constants(rng: np.random.Generator, n: int) -> Sample:
    """Columns that hardly change, or are undefined."""
    return {
        "one": np.ones(n),
        "rare": (rng.random(n) < 0.003) * 1.0,
        "nan": np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
        "spike": rng.exponential(size=n) * (rng.random(n) < 0.1),
    }


def in_process_order(rng: np.random.Generator, n: int) -> Sample:
    """Two processes after each other, skewed to the right and to the left, in the same order on both sides."""
    first = np.arange(n) < n // 2
    skewed = rng.lognormal(0, 2, n)
    return {
        "x": np.where(first, skewed, 100 - skewed),
        "flag": (rng.random(n) < np.where(first, 0.03, 0.97)) * 1.0,
        "width": rng.normal(size=n) * np.where(first, 1, 1e3),
        "y": rng.normal(size=n) + 10 * first,
    }


def drifting(rng: np.random.Generator, n: int) -> Sample:
    """Drifts and slow oscillations, the same on both sides."""
    t = np.arange(n, dtype=np.float64) / n
    columns: Sample = {
        "line": 5 * t + rng.normal(size=n),
        "wave": 5 * np.sin(20 * t) + rng.normal(size=n),
        "gain": np.exp(3 * t) * rng.exponential(size=n),
        "chain": np.cumsum(rng.normal(size=n)),
    }
    return columns


KINDS: dict[str, Callable[..., Sample]] = {
    "four normal columns": normal,
    "four correlated columns": correlated,
    "sorted, column by column": in_sorted_files,
    "sorted by one column": sorted_by_one,
    "concatenated runs, their numbers and times": concatenated,
    "counts and flags": integers,
    "constants, rare values, undefined ones": constants,
    "in the order of processes of opposite skewness": in_process_order,
    "drifts, oscillations, random walks": drifting,
}


def matrix(sample: Sample) -> Array:
    """The columns of a sample, shape (columns, rows)."""
    return np.stack(list(sample.values()))


def moving(a: Sample, b: Sample) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The signs of the columns that rows in order are compared in."""
    names = moving_columns(a, b)
    return signs(matrix({name: a[name] for name in names})), signs(matrix({name: b[name] for name in names}))


def false_alarms(toys: int) -> Iterator[str]:
    """Largest |z| of independent samples of each kind."""
    yield (
        "| independent samples of 2,000 rows | column tests | σ of z | largest abs. z in order | shifted, whole | "
        "windows | neighbours, σ of z | largest z | found |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    totals = [0, 0.0, 0.0, 0.0, 0.0, 0]
    for name, kind in KINDS.items():
        rng = np.random.default_rng(len(name))
        whole, shifted, windows, near, found = [], 0.0, 0.0, [], 0
        for _ in range(toys):
            ours, theirs = moving(kind(rng, ROWS), kind(rng, ROWS))
            whole.extend(tables(ours, theirs, 0).total().z[:, 0].tolist())
        for _ in range(max(toys // _FEWER, 2)):
            a, b = kind(rng, ROWS), kind(rng, ROWS)
            ours, theirs = moving(a, b)
            for lag in range(-LAGS, LAGS + 1):
                table = tables(ours, theirs, lag)
                shifted = max(shifted, float(np.abs(table.total().z).max()) if lag else 0.0)
                windows = max(windows, float(np.abs(table.z).max()))
            names = telling_columns(a, b)
            if len(names) > 1:
                crossed, expected, variance = crossings(*(matrix({n: side[n] for n in names}) for side in (a, b)))
                near.append((crossed - expected) / variance**0.5)
            found += undeclared_pairs(a, b) is not None
        z, near = np.array(whole), near or [0.0]
        z, columns = z[z != 0], z.size
        largest = float(np.abs(z).max(initial=0))
        yield (
            f"| {name} | {columns:,} | {z.std():.3f} | {largest:.2f} | {shifted:.2f} | {windows:.2f} | "
            f"{np.std(near):.3f} | {np.max(near):.2f} | {found} of {max(toys // _FEWER, 2)} |"
        )
        totals = [
            totals[0] + columns,
            max(totals[1], largest),
            max(totals[2], shifted),
            max(totals[3], windows),
            max(totals[4], float(np.max(near))),
            totals[5] + found,
        ]
    normal_ = -special.ndtri(0.5 / totals[0])
    yield ""
    yield (
        f"Of all: {totals[0]:,} column tests in order, largest |z| {totals[1]:.2f} (of as many normal deviates "
        f"{normal_:.2f}); shifted {totals[2]:.2f}, in windows {totals[3]:.2f}, neighbours {totals[4]:.2f}; "
        f"{totals[5]} found. By the normal distribution |z| > {IN_ORDER:g} has a probability of "
        f"{2 * special.ndtr(-IN_ORDER):.1e} a column, |z| > {SHIFTED:g} in one of {2 * LAGS} lags and of "
        f"{(2 * LAGS + 1) * 83:,} windows (20,000 rows) "
        f"{2 * special.ndtr(-SHIFTED) * (2 * LAGS + (2 * LAGS + 1) * 83):.1e} "
        f"a column, z > {SHUFFLED:g} of neighbours {special.ndtr(-SHUFFLED):.1e} a check."
    )


def pairs_in_order(toys: int) -> Iterator[str]:
    """Share of pairs in order that are found."""
    yield "| pairs in the same order, one column, 2,000 rows: resolution | found | smallest z |"
    yield "|---|---|---|"
    for resolution in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0):
        rng = np.random.default_rng(1)
        found, least = 0, np.inf
        for _ in range(toys):
            x = rng.normal(size=ROWS)
            y = x + resolution * rng.normal(size=ROWS)
            z = float(tables(signs(x[None]), signs(y[None]), 0).total().z[0, 0])
            found, least = found + (z > IN_ORDER), min(least, z)
        yield f"| {100 * resolution:g} % of σ | {found} of {toys} | {least:.1f} |"


def pairs_in_part(toys: int) -> Iterator[str]:
    """Share of pairs with lost rows, and of shuffled ones, that are found."""
    yield (
        "| resolution 5 %, 20,000 rows; columns | 0.1 % of rows lost | 0.5 % | 1 % | 3 % | shuffled | "
        "a fifth of the pairs, shuffled |"
    )
    yield "|---|---|---|---|---|---|---|"
    for columns in (1, 2, 4):
        cells = []
        for lost, shuffled, paired in (
            (0.001, 0, 1),
            (0.005, 0, 1),
            (0.01, 0, 1),
            (0.03, 0, 1),
            (0, 1, 1),
            (0, 1, 0.2),
        ):
            rng = np.random.default_rng(2)
            found = 0
            for _ in range(toys):
                x = normal(rng, 20_000, columns)
                some = np.flatnonzero(rng.random(20_000) >= lost)
                order = rng.permutation(some) if shuffled else some
                alone = rng.random(20_000) >= paired
                y = {name: np.where(alone, rng.normal(size=20_000), v) for name, v in x.items()}
                y = {name: (v + 0.05 * rng.normal(size=20_000))[order] for name, v in y.items()}
                found += undeclared_pairs(y, x) is not None
            cells.append(f"{found} of {toys}")
        yield f"| {columns} | {' | '.join(cells)} |"


def repeats(toys: int) -> Iterator[str]:
    """Rows that repeat beyond chance, and those that repeat by right."""
    yield "| rows of one side | found |"
    yield "|---|---|"

    def counts(values: NDArray[Any]) -> NDArray[np.int64]:
        return np.unique(values, return_counts=True)[1]

    def repeated(times: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return times * counts(rng.integers(0, 10**5, 20_000))

    def share(name: str, make: Callable[[np.random.Generator], Any], number: int = toys) -> str:
        rng = np.random.default_rng(3)
        found = sum(p_convexity(make(rng)) < ALPHA for _ in range(number))
        return f"| {name} | {found:,} of {number:,} |"

    for times in (2, 3, 5, 7, 10, 50):
        yield share(f"20,000 values on 10⁵ points, each row {times} times", partial(repeated, times))
    yield share(
        "20,000 continuous values, 20 of them ten times",
        lambda _: np.append(np.ones(20_000, np.int64), np.full(20, 10)),
    )
    yield share("a table of 30 values, read twice", lambda rng: 2 * rng.poisson(700, 30))

    def by_right(rng: np.random.Generator) -> NDArray[np.int64]:
        points, rows, power = 10 ** rng.uniform(0.5, 6), int(10 ** rng.uniform(1, 4)), rng.choice([1, 2, 5, 10])
        return counts(np.floor(points * rng.random(rows) ** power))

    yield share("discrete values by right: 10 to 10⁴ rows, 3 to 10⁶ points, even and peaked", by_right, 40 * toys)


def near(toys: int) -> Iterator[str]:
    """Near copies that are found, and generators that make none."""
    yield (
        "| 5,000 training, 20,000 reference and generated rows; jitter in σ | 2 columns, 1 % of copies | 4 | 6 | "
        "2 columns, 5 % of copies | 4 | 6 |"
    )
    yield "|---|---|---|---|---|---|---|"
    for jitter in (0.001, 0.01, 0.03, 0.1):
        cells = []
        for share in (0.01, 0.05):
            for columns in (2, 4, 6):
                some = [_jittered(seed, columns, jitter, share) for seed in range(toys)]
                shown, hinted = (sum(getattr(s, what) for s in some) for what in ("shown", "hinted"))
                estimate = np.mean([s.share for s in some])
                cells.append(f"{100 * estimate:.2f} %, seen {hinted}, UNPROVEN {shown} of {toys}")
        yield f"| {jitter:g} | {' | '.join(cells)} |"
    yield ""
    yield "| generators that copy nothing, 4 columns | seen | UNPROVEN | largest share | nearer to the training |"
    yield "|---|---|---|---|---|"
    makers: dict[str, Callable[[np.random.Generator, Sample, int], Sample]] = {
        "perfect": lambda rng, _, n: correlated(rng, n),
        "twice too narrow": lambda rng, _, n: {name: v / 2 for name, v in correlated(rng, n).items()},
        "ten times too narrow": lambda rng, _, n: {name: v / 10 for name, v in correlated(rng, n).items()},
        "a normal distribution fitted to the training": _fitted,
        "a kernel density estimate, bandwidth 0.3 σ": lambda rng, t, n: _kernels(rng, t, n, 0.3),
        "a kernel density estimate, bandwidth 0.1 σ": lambda rng, t, n: _kernels(rng, t, n, 0.1),
    }
    for name, make in makers.items():
        some = []
        for seed in range(toys):
            rng = np.random.default_rng(seed)
            training = correlated(rng, 5_000)
            some.append(_near(make(rng, training, 20_000), correlated(rng, 20_000), training))
        hinted, shown = (sum(getattr(s, what) for s in some) for what in ("hinted", "shown"))
        yield (
            f"| {name} | {hinted} of {toys} | {shown} of {toys} | {100 * max(s.share for s in some):.2f} % | "
            f"{100 * np.mean([s.nearer for s in some]):.1f} % |"
        )


def _jittered(seed: int, columns: int, jitter: float, share: float) -> NearCopies:
    rng = np.random.default_rng(seed)
    training, reference, generated = (correlated(rng, n, columns) for n in (5_000, 20_000, 20_000))
    copies = round(share * 20_000)
    rows = rng.integers(0, 5_000, copies)
    for name, values in generated.items():
        sigma = float(training[name].std())
        values[-copies:] = training[name][rows] + jitter * sigma * rng.normal(size=copies)
    return _near(generated, reference, training)


def _near(*sides: Sample) -> NearCopies:
    result = near_copies(*sides)
    if result is None:
        msg = "there are too few rows"
        raise RuntimeError(msg)
    return result


def _fitted(rng: np.random.Generator, training: Sample, n: int) -> Sample:
    rows = matrix(training)
    drawn = rng.multivariate_normal(rows.mean(axis=1), np.cov(rows), n)
    return dict(zip(training, drawn.T, strict=True))


def _kernels(rng: np.random.Generator, training: Sample, n: int, bandwidth: float) -> Sample:
    rows = rng.integers(0, len(next(iter(training.values()))), n)
    return {name: v[rows] + bandwidth * v.std() * rng.normal(size=n) for name, v in training.items()}


def times() -> Iterator[str]:
    """Seconds of each search."""
    yield "| search, 4 columns | 20,000 rows a side | 100,000 rows a side |"
    yield "|---|---|---|"
    searches: dict[str, Callable[..., Any]] = {
        "pairs in order and in part": lambda a, b, _: [
            tables(signs(matrix(a)), signs(matrix(b)), lag).z for lag in range(-LAGS, LAGS + 1)
        ],
        "nearest neighbours": lambda a, b, _: crossings(matrix(a), matrix(b)),
        "all of undeclared pairs": lambda a, b, _: undeclared_pairs(a, b),
        "near copies, as many training rows": near_copies,
        "near copies, 100,000 training rows": lambda a, b, _: near_copies(
            a, b, normal(np.random.default_rng(9), 10**5)
        ),
        "blocks, one side": lambda a, _, __: uneven_blocks(a, "generated"),
    }
    rng = np.random.default_rng(4)
    sizes = {n: [normal(rng, n) for _ in range(3)] for n in (20_000, 100_000)}
    for name, search in searches.items():
        took = [timeit.timeit(partial(search, *some), timer=process_time, number=1) for some in sizes.values()]
        yield f"| {name} | {took[0]:.2f} s | {took[1]:.2f} s |"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1_000, help="of each kind, of those that are quick")
    parser.add_argument("--output", type=Path, help="file to write; standard output if it is not given")
    options = parser.parse_args()
    toys = options.toys
    lines = ["# Searches of rows", "", "`python benchmarks/searches.py --output benchmarks/searches.md`"]
    for title, rows in (
        ("Pairs in the same order", pairs_in_order(toys)),
        ("Pairs with lost rows, and shuffled ones", pairs_in_part(max(toys // 100, 2))),
        ("Independent samples", false_alarms(toys)),
        ("Rows that repeat", repeats(max(toys // 10, 2))),
        ("Near copies", near(max(toys // 200, 2))),
        ("Seconds, on one core", times()),
    ):
        lines += ["", f"## {title}", "", *rows]
    text = "\n".join(lines) + "\n"
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

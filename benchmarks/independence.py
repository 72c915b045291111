"""What the check of independence finds, what it takes for an overlap by mistake, and how long it takes.

python benchmarks/independence.py --output benchmarks/independence.md
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pytest_ganvalid.overlaps.digests import row_digests
from pytest_ganvalid.overlaps.findings import Independence
from pytest_ganvalid.overlaps.fingerprint import STORED, Fingerprint
from pytest_ganvalid.overlaps.judge import independence, shared_rows
from pytest_ganvalid.overlaps.key import Key, key_columns, key_of
from pytest_ganvalid.samples import Sample

Table = dict[str, Any]
Kind = Callable[[np.random.Generator, int], Table]
SHAPES = ((1, "f8"), (2, "f8"), (4, "f8"), (1, "f4"), (2, "f4"), (4, "f4"))
RATIOS = (0.1, 0.3, 1.0, 3.0, 10.0)


def normal(columns: int, dtype: str) -> Kind:
    """Independent columns of full resolution."""
    return lambda rng, n: {f"c{i}": rng.normal(size=n).astype(dtype) for i in range(columns)}


def lattice(points: float, columns: int, step: float = 1.0, offset: float = 0.0) -> Kind:
    """Columns of so many equally likely values."""
    return lambda rng, n: {f"c{i}": np.floor(rng.random(n) * points) * step + offset for i in range(columns)}


def bell(points: float, dtype: str) -> Kind:
    """Normal values on a lattice of so many points in ten standard deviations."""
    return lambda rng, n: {"x": (np.round(rng.normal(size=n) * points / 10) * 12.345 / points).astype(dtype)}


def logarithms(scale: float, columns: int) -> Kind:
    """Logarithms of exponential counts: a lattice of uneven spacing."""
    return lambda rng, n: {f"c{i}": np.log1p(np.floor(rng.exponential(size=n) * scale)) for i in range(columns)}


def decimals(digits: int, columns: int, dtype: str = "f8") -> Kind:
    """Columns rounded to so many decimals."""
    return lambda rng, n: {f"c{i}": np.round(3 * rng.normal(size=n), digits).astype(dtype) for i in range(columns)}


def suppressed(columns: int, share: float, shift: float = 0.0, dtype: str = "f8") -> Kind:
    """Columns with a spike and a continuum beside it."""
    return lambda rng, n: {
        f"c{i}": ((rng.exponential(size=n) * (rng.random(n) > share) - shift) / 1.1).astype(dtype)
        for i in range(columns)
    }


def failures(rng: np.random.Generator, n: int) -> Table:
    """Four columns that all hold a special value in about one row."""
    rows = rng.normal(size=(4, n))
    rows[:, rng.random(n) < 1 / n] = -999.0
    return dict(zip("abcd", (rows - 0.31) / 1.7, strict=True))


def dependent(rng: np.random.Generator, n: int) -> Table:
    """Three columns in single precision that are functions of each other."""
    x = rng.exponential(size=n).astype(np.float32)
    return {"pt": x, "log_pt": np.log(x), "pt2": x**2}


def dependent_beside(rng: np.random.Generator, n: int) -> Table:
    """Two functions of each other in single precision, beside a finer column that is zero in most events."""
    x = rng.normal(size=n).astype(np.float32)
    return {"x": x, "exp": np.exp(x), "cell": rng.exponential(size=n) * (rng.random(n) < 0.4)}


def clipped(rng: np.random.Generator, n: int) -> Table:
    """A column that is cut off where about one row is beyond."""
    return {"x": np.log1p(rng.exponential(size=n).clip(max=np.log(n)))}


def categories(rng: np.random.Generator, n: int) -> Table:
    """Labels, flags and heavy-tailed counts."""
    return {"a": rng.integers(0, 3, n), "b": rng.random(n) < 0.1, "z": rng.zipf(1.5, n).clip(max=10**6)}


def counts(mean: float, columns: int) -> Kind:
    """Poisson counts."""
    return lambda rng, n: {f"n{i}": rng.poisson(mean, n) for i in range(columns)}


def standardised(mean: float, columns: int, dtype: str = "f8") -> Kind:
    """Poisson counts of mean zero and variance one."""
    return lambda rng, n: {f"n{i}": ((rng.poisson(mean, n) - mean) / mean**0.5).astype(dtype) for i in range(columns)}


def ratios(mean: float, columns: int) -> Kind:
    """Ratios of Poisson counts."""
    return lambda rng, n: {f"n{i}": rng.poisson(mean, n) / (1 + rng.poisson(mean, n)) for i in range(columns)}


def mixed(rng: np.random.Generator, n: int) -> Table:
    """Two columns that are on a lattice in some events, and continuous in others."""
    x, y, coarse = rng.normal(size=(3, n))
    steps = 0.0137 * np.round(10 * np.array([x, y]))
    return dict(zip("xy", np.where(coarse > 0.5, steps, np.array([x, y])), strict=True))


LATTICES = (1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
KINDS: dict[str, list[Kind]] = {
    "one column of integers, 10 to 10⁹ of them": [lattice(points, 1) for points in LATTICES],
    "two columns of integers, 10 to 10⁵ each": [lattice(points, 2) for points in LATTICES[:5]],
    "one scaled and shifted lattice, 10³ to 10⁹ points": [lattice(points, 1, 0.0137, 0.3) for points in LATTICES[2:]],
    "normal values on a lattice, 10³ to 10⁹ points": [bell(points, "f8") for points in LATTICES[2:]],
    "the same in single precision": [bell(points, "f4") for points in LATTICES[2:]],
    "logarithms of counts up to 10³ to 10⁹, one column": [logarithms(scale, 1) for scale in LATTICES[2:]],
    "logarithms of counts up to 10³ to 10⁵, two columns": [logarithms(scale, 2) for scale in LATTICES[2:5]],
    "rounded to 1 to 8 decimals, one column": [decimals(digits, 1) for digits in range(1, 9)],
    "rounded to 1 to 4 decimals, two columns": [decimals(digits, 2) for digits in range(1, 5)],
    "rounded to 1 to 6 decimals, single precision": [decimals(digits, 1, "f4") for digits in range(1, 7)],
    "single precision, one column": [normal(1, "f4")],
    "half precision, two columns": [normal(2, "f2")],
    "single precision, functions of each other": [dependent],
    "the same beside a zero-suppressed column": [dependent_beside],
    "zero-suppressed, 1 to 4 columns": [suppressed(columns, share) for columns in (1, 2, 4) for share in (0.3, 0.9)],
    "zero-suppressed and standardised": [suppressed(4, 0.5, 0.7), suppressed(2, 0.999, 0.7, "f4")],
    "cut off where one row is beyond": [clipped],
    "one failed row, standardised": [failures],
    "Poisson counts, 1 to 4 columns": [counts(3, 1), counts(1e6, 1), counts(30, 2), counts(5, 4)],
    "standardised counts, two columns": [
        *(standardised(mean, 2) for mean in (30, 1e3, 1e5)),
        *(standardised(mean, 2, "f2") for mean in (30, 1e3)),
    ],
    "ratios of counts, two columns": [ratios(mean, 2) for mean in (5, 20, 100)],
    "rounded to 1 to 3 decimals, half precision, two columns": [decimals(digits, 2, "f2") for digits in (1, 2, 3)],
    "a lattice in some events, two columns": [mixed],
    "categories, flags and heavy-tailed counts": [categories],
    "continuous, 1 to 4 columns": [normal(columns, "f8") for columns in (1, 2, 4)],
}


def spiked(rng: np.random.Generator, table: Table, source: Table, rows: int) -> Table:
    """Replace some rows of a table by as many of another, at random places."""
    n = len(next(iter(table.values())))
    to, of = rng.permutation(n)[:rows], rng.permutation(n)[:rows]
    result = {name: values.copy() for name, values in table.items()}
    for name, values in result.items():
        values[to] = source[name][of]
    return result


def seconds(call: Callable[[], object]) -> float:
    """Return the least time of three calls."""
    return min(timeit.repeat(call, number=1, repeat=3))


def key(reference: Table, other: Table) -> Key:
    """Choose how rows are recognised, as a check does."""
    names, _ = key_columns([Sample(reference), Sample(other)], tuple(reference))
    return key_of(reference, names)


def checked(tables: tuple[Table, Table, Table], *, stored: bool) -> Independence:
    """Check generated, reference and training rows, or what is stored of them."""
    how = key(tables[1], tables[0])
    prints = [Fingerprint.of(table, how) for table in tables]
    g, r, t = (one.stored() for one in prints) if stored else prints
    return independence(g, r, (g, r, t))


def speed(events: int) -> Iterator[str]:
    """Measure the time of each step."""
    rng = np.random.default_rng(1)
    yield "| columns | rows digested per s | fingerprint (s) | check of three samples (s) | of stored ones (s) |"
    yield "|---|---|---|---|---|"
    for columns in (1, 4, 16):
        tables = tuple(normal(columns, "f8")(rng, events) for _ in range(3))
        how = key(tables[1], tables[0])
        prints = [Fingerprint.of(table, how) for table in tables]
        stored = [one.stored() for one in prints]
        steps: list[Callable[[], object]] = [
            lambda how=how, table=tables[0]: row_digests(table, how.columns),  # type: ignore[misc]
            lambda how=how, table=tables[0]: Fingerprint.of(table, how).consolidated,  # type: ignore[misc]
            lambda a=prints: independence(a[0], a[1], (a[0], a[1], a[2])),  # type: ignore[misc]
            lambda a=stored: independence(a[0], a[1], (a[0], a[1], a[2])),  # type: ignore[misc]
        ]
        digests, making, rows, few = map(seconds, steps)
        yield f"| {columns} | {events / digests:.2g} | {making:.2f} | {rows:.2f} | {few:.3f} |"


def spikes(events: int, trials: int) -> Iterator[str]:
    """Measure how often an overlap is found, and how large it is said to be."""
    yield "| columns | shared | by rows | rows counted | stored | rows estimated (95 % interval), last trial |"
    yield "|---|---|---|---|---|---|"
    rng = np.random.default_rng(2)
    for columns, dtype in SHAPES:
        make = normal(columns, dtype)
        for share in (0.0, 0.001, 0.01, 1.0):
            alarms = np.zeros(2, int)
            for _ in range(trials):
                training = make(rng, events)
                reference = spiked(rng, make(rng, events), training, round(share * events))
                how = key(reference, training)
                prints = [Fingerprint.of(table, how) for table in (reference, training)]
                overlaps = [
                    shared_rows(a, b, ("reference", "training")) for a, b in (prints, [one.stored() for one in prints])
                ]
                alarms += [overlap.beyond_chance for overlap in overlaps]
            exact, estimate = overlaps
            yield (
                f"| {columns} × {dtype} | {100 * share:g} % | {alarms[0]} of {trials} | {exact.rows:,} | "
                f"{alarms[1]} of {trials} | {estimate.rows:,} ({estimate.rows_lower:,} to {estimate.rows_upper:,}) |"
            )


def false_alarms(toys: int) -> Iterator[str]:
    """Count the alarms on independent samples of every kind."""
    yield "| data | checks of two samples | overlaps beyond chance | checks of a sample | rows duplicated |"
    yield "|---|---|---|---|---|"
    total = np.zeros(4, int)
    for number, (name, kinds) in enumerate(KINDS.items()):
        rng = np.random.default_rng([3, number])
        alarms = sum(alarm(rng, kinds[toy % len(kinds)], stored=toy % 3 == 0) for toy in range(toys))
        total += alarms
        yield f"| {name} | " + " | ".join(f"{count:,}" for count in np.asarray(alarms)) + " |"
    yield "| all | " + " | ".join(f"{count:,}" for count in total) + " |"


def alarm(rng: np.random.Generator, kind: Kind, *, stored: bool) -> np.ndarray[Any, Any]:
    """Check independent samples, of 300 to 30,000 events and sizes that differ by a factor of up to ten."""
    n = round(10 ** rng.uniform(2.5, 4.5))
    sizes = [n, *(round(n * min(rng.choice(RATIOS), 30_000 / n)) for _ in range(2))]
    rng.shuffle(sizes)
    result = checked((kind(rng, sizes[0]), kind(rng, sizes[1]), kind(rng, sizes[2])), stored=stored)
    beyond = sum(overlap.beyond_chance for overlap in result.overlaps)
    return np.array([len(result.overlaps), beyond, len(result.duplicates), len(result.duplicated)])


def lines(events: int, trials: int, toys: int) -> Iterator[str]:
    """Write the report."""
    yield "# Independence of samples\n"
    yield f"`python benchmarks/independence.py --events {events} --trials {trials} --toys {toys}`; seeds are fixed.\n"
    yield "## Time\n"
    yield f"Samples of {events:,} rows of double precision; the least of three, on a shared machine of two cores.\n"
    yield from speed(events)
    yield "\n## Overlap between reference and training\n"
    yield (
        f"{events:,} rows each, permuted; a stored fingerprint keeps {STORED:,} of them. In single precision (f4) one "
        "column repeats itself by chance.\n"
    )
    yield from spikes(events, trials)
    yield "\n## False alarms\n"
    yield f"Three independent samples, {toys} times for each kind of data, a third of them by stored fingerprints.\n"
    yield from false_alarms(toys)


def main() -> None:
    """Print the report, and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--toys", type=int, default=1_000)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    text = []
    for line in lines(arguments.events, arguments.trials, arguments.toys):
        print(line, flush=True)
        text.append(line)
    arguments.output.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What the reference generator is worth, in n_equivalent / n_train against exact truth, beside the baselines.

python benchmarks/gan_quality.py --processes 6 --device cuda     # trains, and adds to benchmarks/gan_quality.csv
python benchmarks/gan_quality.py --report > benchmarks/gan_quality.md

The settings are the defaults. They were chosen on other distributions, see docs/gan.md.
"""

from __future__ import annotations

import argparse
import csv
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

import pytest_ganvalid as gv
from pytest_ganvalid.gan import preprocess
from pytest_ganvalid.generators import Bootstrap, CamelBackFit, GaussianKDE, HistogramSampler

Array = NDArray[np.float64]
HERE = Path(__file__).parent
TOYS: dict[str, Any] = {
    "camel back": gv.toys.CamelBack(),
    "ring": gv.toys.Ring(),
    "shell": gv.toys.SphericalShell(),
}
BASELINES: dict[str, Any] = {
    "fit": CamelBackFit,
    "KDE (Scott)": GaussianKDE,
    "histogram (50 bins)": HistogramSampler,
    "bootstrap": Bootstrap,
}
SIZES = (100, 1_000, 10_000)
BINS = (20, 50)
SEEDS, GATE_SEEDS = 5, 20
GATE_SIZE, GATE_FACTORS = 1_000, (0.5, 1, 10, 100)
EVENTS = 2_000_000
FITS, TABLES = 1_000, 100
FIELDS = ("toy", "generator", "n_train", "seed", "bins", "n_equivalent", "seconds", "machine")
GATE_FIELDS = ("n_train", "seed", "factor", "n_equivalent", "verdict", "n_supported", "n_reference")


def number(toy: Any, sample: gv.Sample) -> Array:  # noqa: ANN401
    """The one number per event whose truth is exact: x, or the radius."""
    return np.asarray(sample["x"] if isinstance(toy, gv.toys.CamelBack) else toy.radii(sample), dtype=float)


def training_sample(toy: Any, n: int, seed: int) -> gv.Sample:  # noqa: ANN401
    """The training events of a seed."""
    return toy.sample(n, seed=10_000 + seed)  # type: ignore[no-any-return]


def separation(shares: Array, truth: Array, events: float) -> float:
    """Δ between shares and truth, freed of the noise of the events that the shares were counted with."""
    delta = float(np.sum((shares - truth) ** 2 / (shares + truth)))
    return max(delta - (len(truth) - 1) / (2 * events), 1e-12)


def worth(source: Any, toy: Any) -> dict[int, float]:  # noqa: ANN401
    """n_equivalent of a generator for each number of bins."""
    values = None if isinstance(source, CamelBackFit) else number(toy, source.sample(EVENTS, seed=1))
    worths = {}
    for bins in BINS:
        edges, truth = toy.equiprobable_edges(bins), np.full(bins, 1 / bins)
        if values is None:
            delta = separation(source.model.bin_probabilities(edges), truth, np.inf)
        else:
            counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins)
            delta = separation(counts / EVENTS, truth, EVENTS)
        worths[bins] = (bins - 1) / (2 * delta)
    return worths


def machine(device: str) -> str:
    """Name the machine."""
    if device == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    return f"{platform.processor() or platform.machine()} CPU"


def trained(name: str, n: int, seed: int, device: str, threads: int) -> tuple[list[Any], list[Any]]:
    """Train one generator, and measure what it is worth and what the gate says of it."""
    import torch

    torch.set_num_threads(threads)
    toy = TOYS[name]
    start = time.perf_counter()
    generator = gv.gan.train(training_sample(toy, n, seed), seed=seed, device=device)
    seconds = time.perf_counter() - start
    where = machine(device)
    values = worth(generator, toy)
    rows = [(name, "GAN", n, seed, bins, value, round(seconds, 1), where) for bins, value in values.items()]
    gate = list(verdicts(generator, seed, values[20])) if name == "camel back" and n == GATE_SIZE else []
    return (rows if seed < SEEDS else []), gate


def verdicts(generator: gv.gan.Generator, seed: int, exact: float) -> Iterator[tuple[Any, ...]]:
    """What the gate says at growing n_required, with a reference planned for 90 % power."""
    toy = TOYS["camel back"]
    for factor in GATE_FACTORS:
        n_required = round(factor * GATE_SIZE)
        plan = gv.plan(n_required, bins=20, power=0.9)
        report = gv.validate(
            generator.sample(plan.n_generated, seed=100),
            toy.sample(plan.n_reference, seed=20_000 + seed),
            n_required=n_required,
            n_train=GATE_SIZE,
            training=generator.fingerprint,
            bins={"x": list(toy.equiprobable_edges(20))},
        )
        comparison = report.comparisons["x"]
        yield GATE_SIZE, seed, factor, exact, str(report.verdict), comparison.n_supported, plan.n_reference


def baselines() -> Iterator[tuple[Any, ...]]:
    """The rows of the baselines."""
    for name, toy in TOYS.items():
        for kind, make in BASELINES.items():
            if kind == "fit" and name != "camel back":
                continue
            for n in SIZES:
                for seed in range(SEEDS):
                    start = time.perf_counter()
                    made = make(training_sample(toy, n, seed))
                    seconds = round(time.perf_counter() - start, 3)
                    for bins, value in worth(made, toy).items():
                        yield name, kind, n, seed, bins, value, seconds, "CPU"


def append(path: Path, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Add rows to a table."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(fields)
        writer.writerows(rows)


def measure(arguments: argparse.Namespace) -> None:
    """Train everything."""
    jobs = [("camel back", GATE_SIZE, seed) for seed in range(GATE_SEEDS)]
    jobs += [(name, n, seed) for n in SIZES for name in TOYS for seed in range(SEEDS)]
    jobs = [job for job in dict.fromkeys(jobs) if arguments.only in {None, job[0]}]
    folder = Path(arguments.out)
    if arguments.baselines:
        append(folder / "gan_quality.csv", FIELDS, list(baselines()))
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        running = {pool.submit(trained, *job, arguments.device, arguments.threads): job for job in jobs}
        for done in as_completed(running):
            rows, gate = done.result()
            append(folder / "gan_quality.csv", FIELDS, rows)
            append(folder / "gan_gate.csv", GATE_FIELDS, gate)
            print(
                running[done], [f"{row[4]}: {row[5] / row[2]:.2f}" for row in rows], rows[:1] and rows[0][6], flush=True
            )


def quality_tables(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """One table per toy."""
    cells: dict[tuple[str, str, int, int], list[float]] = defaultdict(list)
    for row in rows:
        key = row["toy"], row["generator"], int(row["n_train"]), int(row["bins"])
        cells[key].append(float(row["n_equivalent"]) / int(row["n_train"]))
    for name in TOYS:
        yield f"\n## {name[0].upper()}{name[1:]}\n"
        yield "| generator | " + " | ".join(f"{n:,} events, {bins} bins" for n in SIZES for bins in BINS) + " |"
        yield "|---|" + "---|" * (len(SIZES) * len(BINS))
        for kind in ("GAN", *BASELINES):
            ratios = [cells.get((name, kind, n, bins), []) for n in SIZES for bins in BINS]
            if any(ratios):
                yield f"| {kind} | " + " | ".join(map(cell, ratios)) + " |"


def cell(values: Sequence[float]) -> str:
    """Median, and smallest to largest."""
    if not values:
        return "not measured"
    few = "" if len(values) == SEEDS else f", {len(values)} samples"
    return f"{statistics.median(values):.3g} ({min(values):.2g} to {max(values):.2g}{few})"


def fit_line() -> str:
    """The fit over many training samples, as what is known of it is its mean Δ."""
    toy, ratios = TOYS["camel back"], []
    fits = [CamelBackFit(training_sample(toy, GATE_SIZE, seed)).model for seed in range(FITS)]
    for bins in BINS:
        edges, truth = toy.equiprobable_edges(bins), np.full(bins, 1 / bins)
        deltas = [separation(model.bin_probabilities(edges), truth, np.inf) for model in fits]
        ratios.append((bins - 1) / (2 * statistics.fmean(deltas)) / GATE_SIZE)
    error = (2 / 5 / FITS) ** 0.5  # five parameters, each with a squared pull
    return (
        f"The fit to the camel back, from the mean Δ over {FITS} training samples of {GATE_SIZE:,} events: "
        f"{ratios[0]:.2f} ± {error * ratios[0]:.2f} in 20 bins and {ratios[1]:.2f} ± {error * ratios[1]:.2f} in 50, "
        "where 4.39 and 10.38 are expected; the median over samples is higher, as the largest Δ make the mean."
    )


def table_line() -> str:
    """The table of the camel back alone, to which the generator is calibrated, over many training samples."""
    toy, ratios = TOYS["camel back"], []
    for n in SIZES[1:]:
        samples = [training_sample(toy, n, seed) for seed in range(TABLES)]
        tables = [preprocess.fit(gv.Sample({"x": sample["x"]}), ["x"])[0] for sample in samples]
        for bins in BINS:
            edges, truth = toy.equiprobable_edges(bins), np.full(bins, 1 / bins)
            below = [ndtr(np.interp(edges, table.values, table.scores)) for table in tables]
            deltas = [separation(np.diff(shares, prepend=0, append=1), truth, np.inf) for shares in below]
            ratio = (bins - 1) / (2 * statistics.fmean(deltas)) / n
            error = ratio * statistics.stdev(deltas) / statistics.fmean(deltas) / TABLES**0.5
            ratios.append(f"{ratio:.2f} ± {error:.2f}")
    small, large = (f"{size:,}" for size in SIZES[1:])
    return (
        f"The table of the camel back alone, which the generator's events follow, likewise over {TABLES} samples: of "
        f"{small} events {ratios[0]} in 20 bins and {ratios[1]} in 50, of {large} events {ratios[2]} and {ratios[3]}."
    )


def gate_table(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """What the gate said."""
    yield (
        "| n_required / n_train | reference events | generators worth n_required | ROBUST (worth it) | UNPROVEN | "
        "BIASED (worth it) |"
    )
    yield "|---|---|---|---|---|---|"
    for factor in GATE_FACTORS:
        here = [row for row in rows if float(row["factor"]) == factor]
        worthy = [row for row in here if float(row["n_equivalent"]) >= factor * GATE_SIZE]
        counts = {verdict: [row for row in here if row["verdict"] == verdict] for verdict in gv.Verdict}
        robust, unproven, biased = (counts[gv.Verdict(name)] for name in ("ROBUST", "UNPROVEN", "BIASED"))
        yield (
            f"| {factor:g} | {int(here[0]['n_reference']):,} | {len(worthy)} of {len(here)} | {len(robust)} "
            f"({sum(row in worthy for row in robust)}) | {len(unproven)} | {len(biased)} "
            f"({sum(row in worthy for row in biased)}) |"
        )


def report() -> None:
    """Print the page."""
    rows = list(csv.DictReader((HERE / "gan_quality.csv").open(encoding="utf-8")))
    gate = list(csv.DictReader((HERE / "gan_gate.csv").open(encoding="utf-8")))
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["generator"] == "GAN":
            times[row["machine"]].append(float(row["seconds"]))
    print("# What the reference generator is worth\n")
    print(
        "n_equivalent / n_train against exact truth in equiprobable bins of x, or of the radius: the median over "
        f"{SEEDS} training samples, and the smallest and largest. {EVENTS:,} events were generated for each. "
        "`python benchmarks/gan_quality.py`.\n"
    )
    for name, seconds in times.items():
        print(f"Trained on: {name}, {statistics.median(seconds):.0f} s (median), {max(seconds):.0f} s (longest).")
    print("The CPU's times are of one thread beside other work.")
    print("\n".join(quality_tables(rows)))
    print(f"\n{fit_line()}\n\n{table_line()}")
    print("\n## The gate on trained generators\n")
    print(
        f"Camel back, n_train = {GATE_SIZE:,}, {GATE_SEEDS} training samples and seeds, 20 bins, ten generated events "
        "per required one, a reference planned for 90 % power. A generator is worth n_required if its exact "
        "n_equivalent is at least that; how many of a verdict are is in brackets.\n"
    )
    print("\n".join(gate_table(gate)))


def main() -> None:
    """Measure or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=sorted(TOYS), default=None)
    parser.add_argument("--no-baselines", dest="baselines", action="store_false")
    parser.add_argument("--out", default=str(HERE))
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    if arguments.report:
        report()
    else:
        measure(arguments)


if __name__ == "__main__":
    main()

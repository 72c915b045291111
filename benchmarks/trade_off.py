"""Accuracy against speed of all generators of the package, on the camel back: n_equivalent, and events per second.

OMP_NUM_THREADS=1 python -m benchmarks.trade_off --measure     # writes benchmarks/trade_off.csv; about 15 minutes
python -m benchmarks.trade_off                                 # table and picture, from that file

n_equivalent is that of `gv.validate`: the least of all tests of a histogram, by a reference that the generators have
not seen. Speeds are events per second of one processor's time.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import NullFormatter

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, CamelBackFit, GaussianKDE, HistogramSampler
from pytest_ganvalid.results import Comparison

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "pictures" / "trade_off.svg"
TABLE = HERE / "trade_off.csv"
N_TRAIN, EVENTS, BINS = 10_000, 2_000_000, 50
TOY = gv.toys.CamelBack()
BASELINES: dict[str, Callable[[gv.Sample], Any]] = {
    "bootstrap": Bootstrap,
    "histogram (50 bins)": HistogramSampler,
    "KDE (Scott)": GaussianKDE,
    "five-parameter fit": CamelBackFit,
}
SEEDS, REPEATS = 5, 5
FIELDS = ("generator", "seed", "n_lower", "n_equivalent", "n_upper", "n_all_bins", "events_per_second", "training")
MARKERS = ("o", "s", "^", "D", "X", "P")
COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#222222")  # of Okabe and Ito, for all eyes


def made(folder: Path) -> Iterator[tuple[str, int, Any, float]]:
    """Each generator: its name, training sample, itself, and the seconds its training took."""
    for name, make in BASELINES.items():
        for seed in range(SEEDS):
            start = time.process_time()
            yield name, seed, make(TOY.sample(N_TRAIN, seed=10_000 + seed)), time.process_time() - start
    for seed in range(SEEDS):
        yield "GAN", seed, *gan(folder, seed)
    for seed in range(SEEDS):
        yield "the simulator itself", seed, TOY, 0.0


def gan(folder: Path, seed: int) -> tuple[Any, float]:
    """The GAN of a training sample, with the default settings; trained unless that was done before."""
    file, seconds = folder / f"gan-{seed}.safetensors", folder / f"gan-{seed}.seconds"
    if not file.exists():
        start = time.process_time()
        gv.gan.train(TOY.sample(N_TRAIN, seed=10_000 + seed), seed=seed, device="cpu").save(file)
        seconds.write_text(str(time.process_time() - start), encoding="utf-8")
    return gv.gan.Generator.load(file, device="cpu"), float(seconds.read_text(encoding="utf-8"))


def rows(folder: Path) -> Iterator[tuple[Any, ...]]:
    """Measure every generator."""
    reference = gv.fill(TOY.sample(EVENTS, seed=1), bins={"x": list(TOY.equiprobable_edges(BINS))}, observables=["x"])
    for name, seed, generator, training in made(folder):
        events, seconds = generator.sample(EVENTS, seed=2 + seed), []
        for _ in range(REPEATS):
            start = time.process_time()
            generator.sample(EVENTS, seed=2 + seed)
            seconds.append(time.process_time() - start)
        rate = EVENTS / min(seconds)
        comparison = gv.validate(events, reference, n_required=10 * N_TRAIN, n_train=N_TRAIN).comparisons["x"]
        assert isinstance(comparison, Comparison)
        worth, all_bins = comparison.n_equivalent, comparison.tests[0].separation.estimate
        in_bins = comparison.ndf / (4 * all_bins) if all_bins else float("inf")
        row = (name, seed, worth.lower, worth.estimate, worth.upper, in_bins, round(rate), round(training, 3))
        print(*row, flush=True)
        yield row


def median(found: list[dict[str, str]], column: str) -> float:
    """Median over training samples."""
    return statistics.median(float(row[column]) for row in found)


def span(found: list[dict[str, str]], column: str) -> str:
    """Median, and smallest to largest, in events."""
    values = [float(row[column]) for row in found]
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def grouped() -> dict[str, list[dict[str, str]]]:
    """Name of a generator -> its rows."""
    groups: dict[str, list[dict[str, str]]] = {}
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            groups.setdefault(row["generator"], []).append(row)
    return groups


def page() -> str:
    """The table."""
    lines = [
        "# Accuracy against speed\n",
        "`python -m benchmarks.trade_off`: all generators of the package on the camel back, trained on "
        f"{N_TRAIN:,} events, each on several training samples. n_equivalent is that of `gv.validate` with "
        f"{EVENTS:,} generated and as many reference events in {BINS} bins: the least of all tests, and that of all "
        "bins alone. Median over training samples, and smallest to largest. Speeds are events per second of one "
        f"processor's time, into numpy arrays, the best of {REPEATS}: the machine had other work too. The time of "
        "training is processor time as well, its events not included.\n",
        "| generator | training samples | n_equivalent | in all bins alone | n_equivalent / n_train | events per "
        "second | training (s) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in grouped().items():
        many = name == "the simulator itself"
        worth = f"at least {min(float(row['n_lower']) for row in found):,.0f}" if many else span(found, "n_equivalent")
        in_bins = "" if many else span(found, "n_all_bins")
        ratio = "" if many else f"{median(found, 'n_equivalent') / N_TRAIN:.2f}"
        speed, training = median(found, "events_per_second"), median(found, "training")
        lines.append(
            f"| {name} | {len(found)} | {worth} | {in_bins} | {ratio} | {speed / 1e6:.2g} million | "
            f"{'' if many else f'{training:.2g}' if training < 100 else f'{training:.0f}'} |"
        )
    lines.append(
        f"\n![n_equivalent against events per second](../docs/pictures/{PICTURE.name})\n\n"
        "What is known beforehand makes a generator worth more than its training sample, or less: the fit knows the "
        "form of the density; the KDE takes one width for both peaks from the distance between them, which is far too "
        "much. The GAN is worth three to seven times n_train in the content of bins, and one and a half times n_train "
        "in the smooth components (moments, tails); n_equivalent is the least. The toy's simulator is two uniform "
        "numbers per event, so here no generator saves anything: speed counts where a true event costs more, and "
        "[docs/price.md](../docs/price.md) says from where on.\n"
    )
    return "\n".join(lines)


def draw() -> None:
    """The same as a picture."""
    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "ganvalid", "font.size": 10}
    figure, axes = plt.subplots(figsize=(7, 4.4), layout="constrained")
    axes.axhline(N_TRAIN, color="0.4", lw=1, ls="--", zorder=1)
    axes.annotate(
        f"n_train {N_TRAIN:,}",
        (0.3, N_TRAIN),
        (0, 3),
        xycoords=("axes fraction", "data"),
        ha="center",
        textcoords="offset points",
        fontsize=9,
    )
    for (name, found), marker, colour in zip(grouped().items(), MARKERS, COLOURS, strict=True):
        speed = median(found, "events_per_second")
        speeds = [float(row["events_per_second"]) for row in found]
        sideways = [[speed - min(speeds)], [max(speeds) - speed]]
        style: dict[str, Any] = {"fmt": marker, "ms": 7, "color": colour, "capsize": 3, "label": name}
        if name == "the simulator itself":
            limit = min(float(row["n_lower"]) for row in found)
            axes.errorbar([speed], [limit], yerr=[[0.0], [limit]], xerr=sideways, lolims=True, **style)
            continue
        worth = [float(row["n_equivalent"]) for row in found]
        middle = statistics.median(worth)
        bars: list[list[float]] = [[middle - min(worth)], [max(worth) - middle]]
        axes.errorbar([speed], [middle], yerr=bars, xerr=sideways, **style)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="events per second of processor time",
        ylabel="n_equivalent (true events a sample is worth)",
    )
    axes.set_xlim(1e6, 1e8)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", color="0.9", lw=0.6)
    axes.set_axisbelow(True)
    figure.legend(
        loc="outside right upper",
        frameon=False,
        fontsize=9,
        title="median, and all training\nsamples (sideways: noise\nof the machine); arrow:\nlower limit",
        title_fontsize=9,
    )
    figure.savefig(PICTURE, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Measure if that is asked for, then write table and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("out"), help="where trained GANs are kept")
    arguments = parser.parse_args()
    if arguments.measure:
        arguments.folder.mkdir(exist_ok=True)
        found = list(rows(arguments.folder))
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([FIELDS, *found])
    (HERE / "trade_off.md").write_text(page(), encoding="utf-8")
    draw()


if __name__ == "__main__":
    main()

"""What the reference generator is worth on simulated Z -> mu mu events, beside the baselines and a normalizing flow.

OMP_NUM_THREADS=1 python benchmarks/gan_pythia.py --seeds 0 1    # adds what is missing to benchmarks/gan_pythia.csv
python benchmarks/gan_pythia.py --report > benchmarks/gan_pythia.md

Several processes may work on seeds of their own. The simulated events are kept in --events between calls.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, GaussianKDE, HistogramSampler
from pytest_ganvalid.observables import Classifier, KDTree

HERE = Path(__file__).parent
TABLE = HERE / "gan_pythia.csv"
COLUMNS = ("mass", "pt", "rapidity", "phi")
PAIRS = (("mass", "pt"), ("pt", "rapidity"))
GAN = "GAN"
TREE, CLASSIFIER = "all four, k-d tree", "classifier"
MARGINALS, SHOWN = list(COLUMNS), [*COLUMNS, *(" × ".join(pair) for pair in PAIRS), TREE, CLASSIFIER]
N_TRAIN, N_REFERENCE, N_GENERATED, BINS = 10_000, 1_000_000, 500_000, 50
CHUNK = 20_000  # simulated events, each of its own seed
FIELDS = ("generator", "seed", "observable", "n_equivalent", "seconds")


def simulated(folder: Path, name: str, seeds: Sequence[int], rows: slice) -> gv.Sample:
    """Simulate some rows of chunks of their own seeds, or read those that were simulated before."""
    path = folder / f"zmumu_{name}.npz"
    if not path.exists():
        parts = [gv.toys.PythiaZ().sample(CHUNK, seed=seed) for seed in seeds]
        columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts])[rows] for name in COLUMNS}
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **columns)
    with np.load(path) as stored:
        return gv.Sample({column: stored[column] for column in COLUMNS})


def training_events(folder: Path, seed: int) -> gv.Sample:
    """Return the training events of a seed, half of a chunk."""
    first = seed % 2 * N_TRAIN
    return simulated(folder, f"training_{seed}_{N_TRAIN}", [1_000 + seed // 2], slice(first, first + N_TRAIN))


def reference_events(folder: Path) -> gv.Sample:
    """Return the reference."""
    half = N_REFERENCE // CHUNK // 2
    seeds = [first + part for first in (2_000, 3_000) for part in range(half)]
    return simulated(folder, f"reference_{N_REFERENCE}", seeds, slice(None))


class Flow:
    """A neural spline flow (Durkan et al., arXiv:1906.04032) by zuko, about as large as the GAN's generator.

    It sees standardised columns, pt by its logarithm, and is trained by maximum likelihood for as much CPU time as the
    GAN; how many steps that is follows from the time of the first fifty. The learning rate falls along a cosine.
    """

    def __init__(self, events: gv.Sample, seed: int, seconds: float) -> None:
        """Train."""
        import torch
        import zuko

        torch.manual_seed(seed)
        shown = self._shown({name: np.asarray(events[name]) for name in COLUMNS})
        self._centre, self._width = shown.mean(axis=0), shown.std(axis=0)
        data = torch.from_numpy((shown - self._centre) / self._width).float()
        self._flow = zuko.flows.NSF(len(COLUMNS), transforms=2, bins=8, hidden_features=(48, 48))
        optimiser = torch.optim.Adam(self._flow.parameters(), lr=1e-3)
        start, steps, step = time.process_time(), math.inf, 0
        while step < steps:
            if step == 50:
                steps = max(51, int(50 * seconds / (time.process_time() - start)))
            if step > 50:
                optimiser.param_groups[0]["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
            batch = data[torch.randint(len(data), (1_000,))]
            loss = -self._flow().log_prob(batch).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
        self.parameters = sum(parameter.numel() for parameter in self._flow.parameters())

    @staticmethod
    def _shown(columns: dict[str, Any]) -> Any:  # noqa: ANN401
        return np.stack([np.log(columns[name]) if name == "pt" else columns[name] for name in COLUMNS], axis=1)

    def sample(self, n: int, *, seed: int) -> gv.Sample:
        """Generate events."""
        import torch

        torch.manual_seed(seed)
        with torch.no_grad():
            made = torch.cat([self._flow().sample((50_000,)) for _ in range(-(-n // 50_000))])[:n].double().numpy()
        rows = (made * self._width + self._centre).T
        return gv.Sample({name: np.exp(row) if name == "pt" else row for name, row in zip(COLUMNS, rows, strict=True)})


def worths(generated: gv.Sample, reference: gv.Sample) -> dict[str, float]:
    """n_equivalent of all bins by observable."""
    names: list[Any] = [*COLUMNS, *PAIRS, KDTree(COLUMNS), Classifier(COLUMNS)]
    report = gv.validate(generated, reference, n_required=N_TRAIN, observables=names, bins=BINS)
    values = {}
    comparisons: list[Any] = list(report.comparisons.values())
    for name, comparison in zip(SHOWN, comparisons, strict=True):
        (everything,) = (test for test in comparison.tests if test.components is None)
        # The separation is Δ/2.
        values[name] = (comparison.bins - 1) / (4 * max(everything.separation.estimate, 1e-9))
    return values


def seconds_of_gan(table: Path, seed: int) -> float:
    """CPU time of the GAN of a seed, or of any if that is not known."""
    times = {row["seed"]: float(row["seconds"]) for row in rows_of(table) if row["generator"] == GAN}
    if not times:
        msg = "the flow is given the time of the GAN; measure that first"
        raise SystemExit(msg)
    return times.get(str(seed), statistics.median(times.values()))


def generators(training: gv.Sample, seed: int, table: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is to be measured, by name, and how to make it; the flow takes the GAN's time."""
    yield GAN, lambda: gv.gan.train(training, seed=seed, device="cpu")
    yield "flow", lambda: Flow(training, seed, seconds_of_gan(table, seed))
    yield "bootstrap", lambda: Bootstrap(training)
    yield "KDE (Scott)", lambda: GaussianKDE(training)
    yield "histogram (50 bins)", lambda: HistogramSampler(training)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read the table."""
    return list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []


def measure(seeds: Sequence[int], only: Sequence[str], events: Path, table: Path) -> None:
    """Make and measure what is not in the table."""
    reference = reference_events(events)
    for seed in seeds:
        training = training_events(events, seed)
        for name, make in generators(training, seed, table):
            done = any((row["generator"], row["seed"]) == (name, str(seed)) for row in rows_of(table))
            if done or (only and name not in only):
                continue
            start = time.process_time()
            made = make()
            seconds = round(time.process_time() - start, 1)
            values = worths(made.sample(N_GENERATED, seed=1), reference)
            new = not table.exists()
            with table.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerows([FIELDS] if new else [])
                writer.writerows((name, seed, shown, f"{value:.1f}", seconds) for shown, value in values.items())
            print(name, seed, seconds, {k: round(v / N_TRAIN, 2) for k, v in values.items()}, flush=True)


def report(table: Path) -> None:
    """Print the page."""
    cells, seconds = defaultdict[tuple[str, str], list[float]](list), defaultdict[str, dict[str, float]](dict)
    for row in rows_of(table):
        cells[row["generator"], row["observable"]].append(float(row["n_equivalent"]) / N_TRAIN)
        seconds[row["generator"]][row["seed"]] = float(row["seconds"])
    print("# The reference generator on simulated events\n")
    print(
        f"Z → μμ of Pythia 8 (`gv.toys.PythiaZ`), {N_TRAIN:,} training events; {N_GENERATED:,} generated events "
        f"against a reference of {N_REFERENCE:,}. n_equivalent / n_train of all {BINS} bins: the geometric "
        "mean over training samples, and smallest and largest. Default settings. `python benchmarks/gan_pythia.py`.\n"
    )
    print("| generator | samples | CPU s | " + " | ".join([*SHOWN, "marginals"]) + " |")
    print("|---|" + "---|" * (len(SHOWN) + 3))
    for name in seconds:
        shown = [cell(cells[name, observable]) for observable in SHOWN]
        marginals = statistics.geometric_mean([value for column in MARGINALS for value in cells[name, column]])
        times = statistics.median(seconds[name].values())
        print(f"| {name} | {len(seconds[name])} | {times:.0f} | {' | '.join(shown)} | {marginals:.2f} |")
    print(
        "\nThe GAN without tables saw columns to mean 0 and standard deviation 1, as it did up to commit 2b9920a; it "
        "is compared by today's tests."
    )


def cell(values: Sequence[float]) -> str:
    """Geometric mean, and smallest to largest."""
    return f"{statistics.geometric_mean(values):.3g} ({min(values):.2g} to {max(values):.2g})"


def main() -> None:
    """Measure or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(5)))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--events", type=Path, default=HERE / "events")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    if arguments.report:
        report(arguments.table)
    else:
        measure(arguments.seeds, arguments.only, arguments.events, arguments.table)


if __name__ == "__main__":
    main()

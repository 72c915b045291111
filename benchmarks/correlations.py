"""Which checks see a wrong correlation when every marginal is right, and how long they take.

    python benchmarks/correlations.py

writes benchmarks/correlations.md. For each case many toys are drawn, and the verdicts counted of all one-dimensional
checks together, of the cells of a k-d tree, and of a classifier's score, each with 50 bins.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Shuffle, Source
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.observables import KDTree
from pytest_ganvalid.observables.classifier import Classifier
from pytest_ganvalid.samples import Sample

Verdicts = dict[str, Counter[str]]
CELLS = 50
N_REQUIRED, N_REFERENCE, N_GENERATED = 1_000, 6_000, 30_000
HEAD = (
    "| reference | generator | 1-D: ROBUST / BIASED | k-d tree: ROBUST / BIASED | classifier: ROBUST / BIASED |\n"
    "|---|---|---|---|---|"
)

REMARK = (
    "Six levels of cuts cannot go through ten columns. The tree gives most of its cells to pairs that are correlated "
    "in the reference; a correlation that only the generator has is looked at by what is left for its pair."
)


@dataclass(frozen=True)
class Normal:
    """Standard normal columns x0, x1, ...; each is correlated with the one before by ``links``.

    Attributes:
        links: Correlation of column i + 1 with column i.
    """

    links: tuple[float, ...]

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw events."""
        values = np.random.default_rng([seed, 6]).standard_normal((len(self.links) + 1, n))
        for i, rho in enumerate(self.links):
            values[i + 1] = rho * values[i] + (1 - rho**2) ** 0.5 * values[i + 1]
        return _sample(values)


@dataclass(frozen=True)
class Ring:
    """Two columns without linear correlation: a circle of radius 1, smeared by 0.2."""

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw events."""
        rng = np.random.default_rng([seed, 7])
        angle, radius = rng.uniform(0, 2 * np.pi, n), rng.normal(1, 0.2, n)
        return _sample(np.stack([radius * np.cos(angle), radius * np.sin(angle)]))


CHAIN = Normal((0.6,) * 9)
CASES: list[tuple[str, str, Source, Source]] = [
    ("2 columns, ρ = 0.6", "the same", Normal((0.6,)), Normal((0.6,))),
    ("2 columns, ρ = 0.6", "shuffled", Normal((0.6,)), Shuffle(Normal((0.6,)))),
    ("2 columns, ρ = 0.6", "ρ = 0.3", Normal((0.6,)), Normal((0.3,))),
    ("2 columns, a ring", "shuffled", Ring(), Shuffle(Ring())),
    ("10 columns, a chain of ρ = 0.6", "the same", CHAIN, CHAIN),
    ("10 columns, a chain of ρ = 0.6", "shuffled", CHAIN, Shuffle(CHAIN)),
    ("10 columns, a chain of ρ = 0.6", "one of nine links lost", CHAIN, Normal((*(0.6,) * 4, 0.0, *(0.6,) * 4))),
    ("10 columns, one pair with ρ = 0.6", "that pair shuffled", Normal((*(0.0,) * 8, 0.6)), Normal((0.0,) * 9)),
    ("10 columns, independent", "one pair with ρ = 0.6", Normal((0.0,) * 9), Normal((*(0.0,) * 8, 0.6))),
]


def main() -> None:
    """Measure everything and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--toys", type=int, default=100, help="per case (default %(default)s)")
    parser.add_argument("--trainings", type=int, default=50, help="toys with a classifier (default %(default)s)")
    parser.add_argument("--events", type=int, default=1_000_000, help="of the times (default %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/correlations.md"), help="default %(default)s")
    args = parser.parse_args()
    rows = []
    for number, case in enumerate(CASES):
        rows.append(row(number, case, args.toys, args.trainings))
        print(rows[-1], file=sys.stderr, flush=True)
    command = f"python benchmarks/correlations.py --toys {args.toys} --trainings {args.trainings}"
    tables = [HEAD, *rows, "", REMARK, "", *calibration(3 * args.toys), *times(args.events)]
    text = "\n".join([*introduction(args.toys, args.trainings), *tables, f"\n`{command}`\n"])
    args.output.write_text(text, encoding="utf-8")


def introduction(toys: int, trainings: int) -> list[str]:
    """Say what the tables hold."""
    whole, half = power(1), power(2)
    return [
        "# Wrong correlations behind right marginals",
        "",
        f"n_required = {N_REQUIRED:,}, {N_REFERENCE:,} reference and {N_GENERATED:,} generated events, {CELLS} bins or "
        f"cells; the classifier (boosting) tests half of the events of either side. With these numbers a perfect "
        f"generator is ROBUST with probability {whole:.3f}, for the classifier {half:.3f}, and should be BIASED in at "
        f"most 5 %. Shares of {toys} toys, of {trainings} for the classifier; 1-D is ROBUST if all columns are and "
        "BIASED if any is.",
        "",
    ]


def power(parts: int) -> float:
    """Return the power of a perfect generator with one of ``parts`` equal parts of the events."""
    flat = [gv.Counts(np.full(CELLS, n // parts // CELLS)) for n in (N_GENERATED, N_REFERENCE)]
    return gv.compare(flat[0], flat[1], n_required=N_REQUIRED).power


def row(number: int, case: tuple[str, str, Source, Source], toys: int, trainings: int) -> str:
    """Count the verdicts of one case."""
    verdicts: Verdicts = {"one": Counter(), "tree": Counter(), "classifier": Counter()}
    for toy in range(toys):
        generated = case[3].sample(N_GENERATED, seed=100_000 * number + 2 * toy)
        reference = case[2].sample(N_REFERENCE, seed=100_000 * number + 2 * toy + 1)
        names = list(reference.columns)
        report = gv.validate(generated, reference, n_required=N_REQUIRED, observables=names, bins=CELLS)
        verdicts["one"][report.verdict.value] += 1
        verdicts["tree"][tree_comparison(generated, reference, N_REQUIRED).verdict.value] += 1
        if toy < trainings:
            verdicts["classifier"][classifier_verdict(generated, reference, toy)] += 1
    shares = [f"{c['ROBUST'] / c.total():.2f} / {c['BIASED'] / c.total():.2f}" for c in verdicts.values()]
    return f"| {case[0]} | {case[1]} | {' | '.join(shares)} |"


def tree_comparison(generated: Sample, reference: Sample, n_required: float) -> gv.Comparison:
    """Compare the cells of a k-d tree."""
    report = gv.validate(generated, reference, n_required=n_required, observables=[KDTree()], bins=CELLS)
    return next(iter(report.histograms.values()))


def classifier_verdict(generated: Sample, reference: Sample, seed: int) -> str:
    """Compare the scores of a classifier."""
    report = gv.validate(generated, reference, n_required=N_REQUIRED, observables=[Classifier()], bins=CELLS, seed=seed)
    return report.verdict.value


def times(events: int) -> Iterator[str]:
    """Measure the time for many events of ten columns."""
    generated, reference = CHAIN.sample(events, seed=1), CHAIN.sample(events, seed=2)
    values, weight = columns(reference), np.random.default_rng(3).exponential(size=events)
    names = tuple(reference.columns)
    cells = kdtree_cells(values, None, 64, "error", names)
    yield f"## Processor time for {events:,} events of 10 columns\n"
    yield "All of it on one core.\n"
    yield "| step | seconds |\n|---|---|"
    yield f"| k-d tree, 64 cells | {seconds(lambda: kdtree_cells(values, None, 64, 'error', names)):.2f} |"
    yield f"| likewise, weighted events | {seconds(lambda: kdtree_cells(values, weight, 64, 'error', names)):.2f} |"
    yield f"| filling the 64 cells | {seconds(lambda: fill(cells, values, None)):.2f} |"
    for model in ("boosting", "mlp"):
        spent = seconds(partial(Classifier(model=model).scores, generated, reference, 0))
        yield f"| classifier, {model}: training with half of either sample, scoring the others | {spent:.0f} |"


def calibration(toys: int) -> Iterator[str]:
    """Count the verdicts on the same simulator where a perfect generator does not always pass."""
    n_required = N_REFERENCE / 2
    yield f"## The k-d tree on the same simulator, n_required = {n_required:,.0f}\n"
    yield f"Cells are chosen by the reference; what is expected is for cells chosen before. {toys} toys each.\n"
    yield "| simulator | ROBUST | expected | BIASED | χ²/ndf | p < 0.05 |\n|---|---|---|---|---|---|"
    for what, _, source, _ in (CASES[0], CASES[4], CASES[8]):
        rates = []
        for toy in range(toys):
            generated = source.sample(N_GENERATED, seed=9_000_000 + 2 * toy)
            reference = source.sample(N_REFERENCE, seed=9_000_001 + 2 * toy)
            c = tree_comparison(generated, reference, n_required)
            rates.append((c.robust, c.power, c.verdict == "BIASED", c.chi2 / c.ndf, c.p_value < 0.05))
        robust, expected, biased, chi2, small = np.mean(rates, axis=0)
        yield f"| {what} | {robust:.3f} | {expected:.3f} | {biased:.3f} | {chi2:.3f} | {small:.3f} |"
    yield ""


def columns(sample: Sample) -> list[NDArray[np.float64]]:
    """List the columns."""
    return list(sample.columns.values())


def seconds(call: Callable[[], Any]) -> float:
    """Processor time of a call; other processes of a shared machine do not count."""
    start = time.process_time()
    call()
    return time.process_time() - start


def _sample(values: NDArray[np.float64]) -> Sample:
    return Sample({f"x{i}": column for i, column in enumerate(values)})


if __name__ == "__main__":
    main()

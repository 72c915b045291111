"""How often a history of releases raises an alarm, where the generator is perfect in all of them and where one is off.

python benchmarks/history.py > benchmarks/history.md
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.report.history import RATE, history_of
from pytest_ganvalid.report.text import Result

RELEASES, OBSERVABLES, BINS = 20, 3, 20
N_REQUIRED, N_GENERATED, N_REFERENCE = 2_000, 10_000, 20_000
SHIFTS = (0.0, 0.05, 0.1, 0.15)  # slope of the last release in its first observable, from end to end
SEED = 23


def counts(rng: np.random.Generator, n: int, slope: float = 0.0) -> gv.Counts:
    """Draw a histogram of a flat truth, or one with a slope."""
    shares: NDArray[np.float64] = 1 + slope * np.linspace(-1, 1, BINS)
    return gv.Counts(rng.multinomial(n, shares / shares.sum()), edges=np.arange(BINS + 1.0))


def releases(rng: np.random.Generator, slope: float, observables: int) -> dict[str, dict[str, Result]]:
    """Simulate reports of releases that are compared with one reference."""
    references = [counts(rng, N_REFERENCE) for _ in range(observables)]
    reports: dict[str, dict[str, Result]] = {}
    for release in range(RELEASES):
        comparisons = {}
        for name, reference in enumerate(references):
            off = slope if release == RELEASES - 1 and name == 0 else 0.0
            comparisons[str(name)] = gv.compare(counts(rng, N_GENERATED, off), reference, n_required=N_REQUIRED)
        reports[f"{release:02}"] = {"": gv.combine(comparisons)}
    return reports


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=200)
    most = parser.parse_args().toys
    print("# Histories of releases\n")
    error = (RATE * (1 - RATE) / most) ** 0.5
    print(f"`python benchmarks/history.py --toys {most}`: {RELEASES} releases, observables of {BINS} bins,")
    print(
        f"{N_GENERATED:,} generated events each, against one reference of {N_REFERENCE:,}; n_required {N_REQUIRED:,}."
    )
    print(
        "All are perfect but the last, which has a slope in its first observable. The stated rate of a false alarm is"
    )
    print(f"{RATE} for a whole history (binomial error {error:.3f} with {most} of them).\n")
    print(
        "| slope | observables | histories | alarm elsewhere | alarm at the slope | verdict there | ROBUST releases |"
    )
    print("|---|---|---|---|---|---|---|")
    for row, slope in enumerate(SHIFTS):
        print(line(np.random.default_rng([SEED, row]), slope, most if slope == 0 else most // 4), flush=True)
    print(line(np.random.default_rng([SEED, len(SHIFTS)]), 0.0, 2 * most, observables=1))
    print("\nWith no slope, an alarm in either column is a false one.")


def line(rng: np.random.Generator, slope: float, toys: int, observables: int = OBSERVABLES) -> str:
    """Simulate histories with a slope, and tell what came of them."""
    elsewhere = there = robust = 0
    verdicts: Counter[str] = Counter()
    last = f"{RELEASES - 1:02}"
    for _ in range(toys):
        reports = releases(rng, slope, observables)
        history = history_of(reports)
        places = [(alarm.release, alarm.observable) for alarm in history.alarms]
        there += (last, "0") in places
        elsewhere += any(place != (last, "0") for place in places)
        entry = history.of("0")[-1]
        verdicts[str(entry.verdict) if entry else ""] += 1
        robust += sum(result[""].robust for result in reports.values())
    shown = ", ".join(f"{verdict} {number / toys:.2f}" for verdict, number in sorted(verdicts.items()))
    rates = f"{elsewhere / toys:.3f} | {there / toys:.3f} | {shown} | {robust / toys / RELEASES:.3f}"
    return f"| {slope:g} | {observables} | {toys} | {rates} |"


if __name__ == "__main__":
    main()

"""Time of one `pytest_ganvalid.compare`, beside scipy's contingency test of the same histograms in the same run.

python benchmarks/compare_speed.py > benchmarks/compare_speed.md
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable

import numpy as np
from scipy import stats

import pytest_ganvalid as gv

REPEATS = 7


def microseconds(call: Callable[[], object]) -> float:
    """Median time of a call over several repeats that take about 0.2 s each."""
    timer = timeit.Timer(call)
    number, _ = timer.autorange()
    return 1e6 * statistics.median(timer.repeat(REPEATS, number)) / number


def row(bins: int, n_required: int) -> str:
    """Measure one number of bins."""
    rng = np.random.default_rng(bins)
    flat = np.full(bins, 1 / bins)
    generated, reference = rng.multinomial(2000 * bins, flat), rng.multinomial(2000 * bins, flat)
    pair = gv.Counts(generated), gv.Counts(reference)
    found = gv.compare(*pair, n_required=n_required)
    ours = microseconds(lambda: gv.compare(*pair, n_required=n_required))
    table = np.array([generated, reference])
    scipys = microseconds(lambda: stats.chi2_contingency(table, correction=False))
    return f"| {bins:,} | {found.verdict} | {ours:,.0f} | {scipys:,.0f} | {ours / scipys:.1f} |"


def main() -> None:
    """Print the table."""
    print("# Time of one comparison\n")
    print(
        "`python benchmarks/compare_speed.py`, median of seven repeats on one core of a shared two-core machine; 2000"
    )
    print("events per bin on either side. The ratio is taken in one run and carries over to other machines.\n")
    print("| bins | verdict | compare (µs) | scipy.stats.chi2_contingency (µs) | ratio |")
    print("|---|---|---|---|---|")
    for bins in (5, 50, 500, 5_000, 100_000):
        print(row(bins, 500 * bins))


if __name__ == "__main__":
    main()

"""Why the sizes of this example are what they are: the probability of every outcome, by toys.

The bins are equiprobable, so the toys are multinomial with equal probabilities whatever the physics.

    python examples/pythia_z/sizes.py --toys 3000
    GANVALID_EXAMPLES=small python examples/pythia_z/sizes.py --toys 3000
"""

from __future__ import annotations

import argparse
import os

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv

SMALL = os.environ.get("GANVALID_EXAMPLES") == "small"
N_REQUIRED, N_SIMULATED, N_SHORT, BINS = (2_000, 20_000, 3_000, 12) if SMALL else (12_000, 120_000, 3_600, 24)
N_TRAIN, OBSERVABLES = N_REQUIRED // 10, 3


def counts(rng: np.random.Generator, n: int, shares: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Draw a histogram of ``n`` events, shape (BINS,)."""
    return rng.multinomial(n, np.full(BINS, 1 / BINS) if shares is None else shares)


def report(rng: np.random.Generator, kind: str) -> gv.Report:
    """Simulate one check of independent observables."""
    comparisons = {}
    for name in range(OBSERVABLES):
        if kind == "biased":
            generated = counts(rng, 10 * N_REQUIRED, counts(rng, N_TRAIN) / N_TRAIN)
            pair = generated, counts(rng, N_SHORT)
        else:
            n_reference = N_SIMULATED if kind == "robust" else N_REQUIRED // 10
            pair = counts(rng, N_SIMULATED), counts(rng, n_reference)
        comparisons[str(name)] = gv.compare(*map(gv.Counts, pair), n_required=N_REQUIRED, confidence=0.99)
    return gv.combine(comparisons)


def as_expected(kind: str, result: gv.Report) -> bool:
    """Tell whether the example's assertions hold."""
    worth = [c.n_equivalent.estimate / N_TRAIN for c in result.comparisons.values()]
    if kind == "biased" and not all(1 / 5 < n < 4 for n in worth):
        return False
    return result.verdict == kind.upper()


def main() -> None:
    """Print the fraction of toys in which each outcome of the example comes out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=1000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    for kind in ("robust", "biased", "unproven"):
        good = sum(as_expected(kind, report(rng, kind)) for _ in range(arguments.toys))
        print(f"{kind:9} as expected in {good} of {arguments.toys} toys ({good / arguments.toys:.4f})")


if __name__ == "__main__":
    main()

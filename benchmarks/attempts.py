"""How often a generator on the boundary is called ROBUST, over attempts and over looks at a growing reference.

python benchmarks/attempts.py > benchmarks/attempts.md
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.statistics.limits import level

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]
N_REQUIRED, N_REFERENCE, N_GENERATED = 2_000, 8_000, 20_000
TRIES = (1, 5, 20, 100)
LOOKS = 3
NEAR = 0.1  # share of all samples, those closest to their reference, that are judged: no other can be ROBUST at 0.05
SEED = 20


def boundary(bins: int) -> FloatArray:
    """Return shares of a generator, in bins in which the truth is flat, that is as wrong as it may be."""
    perfect = judged(np.full(bins, 1_000), np.full(bins, 1_000))
    delta = min(perfect.chi2_critical - perfect.ndf, perfect.ndf / 2) / N_REQUIRED
    # With q = p (1 ± s) in turn Δ is 2 s²/(4 - s²).
    size = (4 * delta / (2 + delta)) ** 0.5
    return np.asarray((1 + size * np.where(np.arange(bins) % 2, 1, -1)) / bins)


def judged(generated: Counts, reference: Counts, *, attempt: int = 1, looks: int = 1) -> gv.Comparison:
    """Compare contents of bins."""
    return gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=N_REQUIRED, attempt=attempt, looks=looks)


def near(generated: Counts, reference: Counts) -> Iterator[list[int]]:
    """Yield positions (toy, sample) of what is close to its reference; arrays of shape (toys, samples, bins)."""
    q, p = (counts / counts.sum(axis=-1, keepdims=True) for counts in (generated, reference))
    statistic = ((q - p) ** 2 / (q + p)).sum(axis=-1)
    yield from np.argwhere(statistic <= np.quantile(statistic, NEAR, axis=0)).tolist()


def passed_tries(bins: int, toys: int) -> NDArray[np.bool_]:
    """Return whether each try is ROBUST at 0.05, and at the level of its attempt; shape (2, toys, tries)."""
    rng = np.random.default_rng([SEED, bins])
    reference = rng.multinomial(N_REFERENCE, np.full(bins, 1 / bins), size=(toys, 1))
    generated = rng.multinomial(N_GENERATED, boundary(bins), size=(toys, TRIES[-1]))
    passed = np.zeros((2, *generated.shape[:2]), dtype=bool)
    for toy, number in near(generated, reference):
        found = judged(generated[toy, number], reference[toy, 0], attempt=number + 1)
        passed[:, toy, number] = found.p_robust <= level(0.95), found.robust
    return passed


def passed_looks(bins: int, toys: int, shares: FloatArray) -> NDArray[np.bool_]:
    """Return whether each look is ROBUST at 0.05, and at the level of three looks; shape (2, toys, looks)."""
    rng = np.random.default_rng([SEED, bins, 1])
    steps = rng.multinomial(N_REFERENCE // LOOKS, np.full(bins, 1 / bins), size=(toys, LOOKS))
    reference = np.cumsum(steps, axis=1)
    generated = np.broadcast_to(rng.multinomial(N_GENERATED, shares, size=(toys, 1)), reference.shape)
    passed = np.zeros((2, toys, LOOKS), dtype=bool)
    perfect = np.ptp(shares) == 0
    positions = np.ndindex(toys, LOOKS) if perfect else near(generated, reference)
    for toy, look in positions:
        found = judged(generated[toy, look], reference[toy, look], looks=LOOKS)
        passed[:, toy, look] = found.p_robust <= level(0.95), found.robust
    return passed


def rate(passed: NDArray[np.bool_]) -> str:
    """Format a share of toys."""
    return f"{passed.mean():.3f}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=400, help="references, in every row")
    toys = parser.parse_args().toys
    error = (0.05 * 0.95 / toys) ** 0.5
    print(
        f"""# Attempts and looks

`python benchmarks/attempts.py --toys {toys}`: n_required {N_REQUIRED:,}, {N_REFERENCE:,} reference and
{N_GENERATED:,} generated events, confidence 0.95; the generator is exactly on the boundary, where ROBUST is false.
Each rate is from {toys} references (binomial error {error:.3f} at 0.05).

## Fresh generated events until they pass

The share of references against which one of so many tries is ROBUST, each at 0.05 or at the level of its attempt,
0.05/(j(j + 1)) from the second on, which over any number of them allows 0.075.

| bins | level | {" | ".join(f"{number} tries" if number > 1 else "1 try" for number in TRIES)} |
|---|---|{"---|" * len(TRIES)}"""
    )
    for bins in (10, 50):
        for name, passed in zip(("0.05 each", "of the attempt"), passed_tries(bins, toys), strict=True):
            rates = [rate(passed[:, :number].any(axis=1)) for number in TRIES]
            print(f"| {bins} | {name} | {' | '.join(rates)} |")
    sizes, shared = ", ".join(f"{N_REFERENCE // LOOKS * (i + 1):,}" for i in range(LOOKS)), level(0.95, looks=LOOKS)
    print(
        f"""
## A reference that grows in {LOOKS} looks

Looks at {sizes} reference events, until one is ROBUST: each at 0.05, or at {shared:.4f},
which together allow 0.05; and what a perfect generator gets by it, beside the last look alone at 0.05.

| bins | false ROBUST, 0.05 each | false ROBUST, shared | ROBUST if perfect, shared | last look alone |
|---|---|---|---|---|"""
    )
    for bins in (10, 50):
        wrong = passed_looks(bins, 5 * toys, boundary(bins))
        right = passed_looks(bins, toys, np.full(bins, 1 / bins))
        looks = [wrong[0].any(axis=1), wrong[1].any(axis=1), right[1].any(axis=1), right[0, :, -1]]
        print(f"| {bins} | {' | '.join(map(rate, looks))} |")
    print(f"\nThe false rates of this table are from {5 * toys:,} references.")


if __name__ == "__main__":
    main()

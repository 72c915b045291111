"""Does the verdict depend on the number of bins? Measured by giving the same samples in fine and in coarse bins.

    python -m benchmarks.rebinning

from the root of the repository writes benchmarks/rebinning.md. ROBUST in fine bins and BIASED in coarse ones is a
contradiction; ROBUST in coarse bins and BIASED in fine ones is what a coarse histogram cannot see.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv
from benchmarks.calibration.truth import ALPHA, shares_of_allowed

FloatArray = NDArray[np.float64]

SEED = 20_206
BINS = (20, 30, 40, 50, 70, 80, 100, 150, 200, 250, 300, 400, 500)
FACTORS = (2, 5)
MIN_BINS = 10
EXCESSES = 0.25, 4.0
"""The bias in units of the largest allowed one, log-uniform between these."""
SHIFT = 4.2
"""Standard errors of the mean of n_required events."""
SHIFT_BINS = (50, 200, 500)
SHIFT_REQUIRED = 5_000
SHIFT_AIM = 0.01
_RATIOS = (1.0, 3.0, 10.0)


def quantiles(cells: int) -> FloatArray:
    """Return the middles of cells of equal probability of a standard normal distribution, shape (cells,)."""
    return np.asarray(special.ndtri((np.arange(cells) + 0.5) / cells))


def shifted(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Move everything, either way."""
    return np.asarray(rng.choice([-1, 1]) * x)


def width(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Make it wider or narrower."""
    return np.asarray(rng.choice([-1, 1]) * (x**2 - 1))


def tail(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add to, or take from, the last two to twenty per cent, ever more."""
    ends, start = (np.arange(x.size) + 1) / x.size, 1 - rng.uniform(0.02, 0.2)
    return np.asarray(rng.choice([-1, 1]) * np.maximum(ends - start, 0))


def ripples(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Ripple it, with 2 to 40 periods of more than two bins."""
    u, periods = (np.arange(x.size) + 0.5) / x.size, rng.integers(2, min(x.size // 2, 41))
    return np.asarray(np.cos(2 * np.pi * (periods * u + rng.random())))


def hole(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Take from one to ten per cent of it, anywhere."""
    edges, size = np.arange(x.size + 1) / x.size, rng.uniform(0.01, 0.1)
    start = rng.uniform(0, 1 - size)
    return -np.diff(np.clip(edges, start, start + size))


FLAWS: dict[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "shift": shifted,
    "width": width,
    "tail": tail,
    "ripples": ripples,
    "hole": hole,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two samples in fine bins, and in coarser ones of the same events.

    Attributes:
        flaw: Of the generator.
        bins: Number of fine bins.
        fine: Verdict in those.
        coarse: Number of coarse bins -> verdict.
    """

    flaw: str
    bins: int
    fine: gv.Verdict
    coarse: dict[int, gv.Verdict]

    @property
    def contradicts(self) -> bool:
        """Whether agreement in fine bins is disagreement in coarse ones."""
        return self.fine is gv.Verdict.ROBUST and gv.Verdict.BIASED in self.coarse.values()

    @property
    def hidden(self) -> bool:
        """Whether disagreement in fine bins is agreement in coarse ones."""
        return self.fine is gv.Verdict.BIASED and gv.Verdict.ROBUST in self.coarse.values()


def random_pair(rng: np.random.Generator) -> Pair:
    """Draw a flaw, its size, the bins and the sizes of the samples, and judge one toy of it in fine and coarse bins."""
    flaw, bins = str(rng.choice(list(FLAWS))), int(rng.choice(BINS))
    p = np.full(bins, 1 / bins)
    pattern = FLAWS[flaw](quantiles(bins), rng)
    pattern = pattern - pattern @ p
    pattern /= -pattern.min()
    # n_required follows from the bias, so that any amplitude will do.
    q = p * (1 + rng.uniform(0.05, 0.5) * pattern)
    n_required = EXCESSES[0] * (EXCESSES[1] / EXCESSES[0]) ** rng.random() / shares_of_allowed(q, p, 1.0).max()
    n_reference, ratio = n_required * rng.uniform(2, 8), rng.choice(_RATIOS)
    sizes = round(ratio * n_reference), round(n_reference)
    g, r = rng.multinomial(sizes[0], q), rng.multinomial(sizes[1], p)
    coarse = {bins // f: verdict(g, r, n_required, f) for f in FACTORS if bins % f == 0 and bins // f >= MIN_BINS}
    return Pair(flaw, bins, verdict(g, r, n_required), coarse)


def verdict(
    generated: NDArray[np.int64], reference: NDArray[np.int64], n_required: float, factor: int = 1
) -> gv.Verdict:
    """Judge samples with so many neighbouring bins in one."""
    sides = (gv.Counts(counts.reshape(-1, factor).sum(axis=1)) for counts in (generated, reference))
    return gv.compare(*sides, n_required=n_required).verdict


def shift_verdicts(bins: int, toys: int, rng: np.random.Generator) -> Counter[gv.Verdict]:
    """Judge a generator whose mean is `SHIFT` standard errors off, with 4 n_required reference events."""
    edges = special.ndtri(np.arange(bins + 1) / bins)
    q = np.diff(special.ndtr(edges - SHIFT / math.sqrt(SHIFT_REQUIRED)))
    n_reference = 4 * SHIFT_REQUIRED
    g = rng.multinomial(10 * n_reference, q, size=toys)
    r = rng.multinomial(n_reference, np.full(bins, 1 / bins), size=toys)
    return Counter(verdict(*pair, SHIFT_REQUIRED) for pair in zip(g, r, strict=True))


def report(pairs: list[Pair], shifts: dict[int, Counter[gv.Verdict]], command: str) -> Iterator[str]:
    """Yield the lines of the page."""
    contradictions, hidden = sum(pair.contradicts for pair in pairs), sum(pair.hidden for pair in pairs)
    worst = max(shifts.values(), key=lambda c: c[gv.Verdict.ROBUST])
    rate = worst[gv.Verdict.ROBUST] / worst.total()
    missed = [f"contradictions above {ALPHA:g}"] * (contradictions > ALPHA * len(pairs))
    missed += [f"a shift ROBUST in more than {SHIFT_AIM:g}"] * (rate > SHIFT_AIM)
    yield from ("# Fine and coarse bins", "")
    yield f"Aims missed: {', '.join(missed) if missed else 'none'}."
    yield ""
    yield (
        f"- ROBUST in fine bins and BIASED in coarse ones: {contradictions} of {len(pairs)} random pairs, "
        f"{contradictions / len(pairs):.4f}; the aim is at most {ALPHA:g}"
    )
    yield (
        f"- BIASED in fine bins and ROBUST in coarse ones: {hidden} of {len(pairs)}, {hidden / len(pairs):.4f}; no "
        "contradiction: what a coarse histogram cannot see"
    )
    yield (
        f"- a mean that is {SHIFT:g} standard errors of n_required events off: ROBUST in at most {rate:.4f} of "
        f"{worst.total():,} toys; the aim is at most {SHIFT_AIM:g}"
    )
    yield ""
    yield (
        f"Written by `{command}`. A random pair is one toy of a flat spectrum in {BINS[0]} to {BINS[-1]} bins and a "
        f"generator with a flaw of random size, {EXCESSES[0]:g} to {EXCESSES[1]:g} times the largest allowed one, with "
        "2 to 8 reference events per required one and 1, 3 or 10 times as many generated ones; the coarse bins are 2 "
        f"or 5 neighbours in one, where that leaves {MIN_BINS} or more."
    )
    yield from ("", "| flaw | pairs | ROBUST | UNPROVEN | BIASED | contradictions | seen in fine bins only |")
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for flaw in FLAWS:
        of = [pair for pair in pairs if pair.flaw == flaw]
        fine = Counter(pair.fine for pair in of)
        counts = [*(fine[v] for v in (gv.Verdict.ROBUST, gv.Verdict.UNPROVEN, gv.Verdict.BIASED))]
        cells = [len(of), *counts, sum(pair.contradicts for pair in of), sum(pair.hidden for pair in of)]
        yield f"| {flaw} | {' | '.join(map(str, cells))} |"
    yield ""
    yield (
        f"The shift: normal events in bins of equal probability, n_required {SHIFT_REQUIRED:,}, four times as many "
        "reference events and forty times as many generated ones."
    )
    yield from ("", "| bins | toys | ROBUST | UNPROVEN | BIASED |", "| --- | --- | --- | --- | --- |")
    for bins, verdicts in shifts.items():
        rates = (verdicts[v] / verdicts.total() for v in (gv.Verdict.ROBUST, gv.Verdict.UNPROVEN, gv.Verdict.BIASED))
        yield f"| {bins} | {verdicts.total():,} | {' | '.join(f'{r:.4f}' for r in rates)} |"


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=300, help="random pairs (default %(default)s)")
    parser.add_argument("--toys", type=int, default=1000, help="of the shift, for each number of bins (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/rebinning.md"), help="default %(default)s")
    args = parser.parse_args()
    pairs = [random_pair(np.random.default_rng([SEED, number])) for number in range(args.pairs)]
    shifts = {bins: shift_verdicts(bins, args.toys, np.random.default_rng([SEED, bins, 1])) for bins in SHIFT_BINS}
    command = f"python -m benchmarks.rebinning --pairs {args.pairs} --toys {args.toys}"
    args.output.write_text("\n".join(report(pairs, shifts, command)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

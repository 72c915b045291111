"""How well the regions of a comparison find a defect in 1 % of phase space, and how often a region is false.

python -m benchmarks.regions     # writes benchmarks/regions.md; some five minutes
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from pytest_ganvalid import Counts, Verdict, compare
from pytest_ganvalid.histograms.layout import Layout
from pytest_ganvalid.histograms.sums import as_bin_sums
from pytest_ganvalid.results import Comparison
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.power import allowed_excess, required_scale
from pytest_ganvalid.statistics.regions import MAX_SCALES, MIN_BINS, Map, Regional, Run
from pytest_ganvalid.statistics.smooth import resolutions, smooth_basis

FloatArray = NDArray[np.float64]
ALPHA, DEFECT = 0.05, 0.01
MORE_GENERATED = 10


class Overlapping(Map):
    """The runs, none of which grows."""

    def _grown(self, seeds: list[Regional]) -> list[Regional]:  # noqa: ARG002
        return []


class Tree(Overlapping):
    """The runs of a binary tree alone, all at the same level."""

    def __post_init__(self) -> None:
        """Leave out the runs that overlap two of the tree."""
        tree = [{place: run for place, run in some.items() if place % 2 == 0} for some in self.scales]
        number = sum(len(some) for some in tree)
        self.__dict__["scales"] = [
            {place: replace(run, alpha=ALPHA / number) for place, run in some.items()} for some in tree
        ]


def excess(q: FloatArray, n_required: float, run: Run) -> float:
    """The largest n_required Δ / E of the tests of a run, of known contents q against flat ones: 1 is allowed."""
    inside = slice(run.first, run.last + 1)
    own, flat = q[inside] / q[inside].sum(), np.full(run.last - run.first + 1, 1 / (run.last - run.first + 1))
    n, ndf = n_required * own.size / q.size, own.size - 1
    ratios = [n * float(np.sum((own - flat) ** 2 / (own + flat))) / allowed_excess(ndf, 1.0)]
    layout = Layout.line(own.size)
    numbers = resolutions(ndf, layout.arrangement)
    if numbers:
        theta = smooth_basis(layout, (own + flat) / 2, max(numbers)).T @ (own - flat)
        ratios += [n * 0.5 * float(theta[:d] @ theta[:d]) / allowed_excess(d, 1.0) for d in numbers]
    return float(max(ratios))


def with_defect(bins: int, first: int, size: int, delta: float, rng: np.random.Generator) -> FloatArray:
    """Flat contents, but for bins that are too full or too empty, half of them each, in random order.

    Args:
        bins: Number of bins.
        first: The first that is off.
        size: How many are.
        delta: Δ of their contents, normalised.
        rng: Of the order.
    """
    shift = math.sqrt(4 * delta / (2 + delta))  # Δ = 2e²/(4 - e²) for contents 1 ± e
    q = np.full(bins, 1 / bins)
    q[first : first + size] *= 1 + shift * rng.permutation(np.resize([1, -1], size))
    return q


def draw(kind: type[Map], q: FloatArray, n_required: float, n_h: float, rng: np.random.Generator) -> Map:
    """Draw samples of a generator of contents q and of a flat reference, of the size n_g n_r/(n_g + n_r) = n_h."""
    n_r = n_h * (MORE_GENERATED + 1) / MORE_GENERATED
    sizes = (round(MORE_GENERATED * n_r), q), (round(n_r), np.full(q.size, 1 / q.size))
    sides = [as_bin_sums(Counts(rng.multinomial(n, shares)), "toy") for n, shares in sizes]
    return kind(sides[0], sides[1], Layout.line(q.size), np.arange(q.size), n_required, Limits())


def level(scale: int, bins: int) -> float:
    """The level of a run of a scale."""
    scales = min(MAX_SCALES, int(math.log2(bins / MIN_BINS)))
    return float(ALPHA / scales / (2 ** (scale + 1) - 1))


def to_be_robust(ndf: int, alpha: float) -> float:
    """The n_h per required event with which a perfect generator is ROBUST in a region in 90 %."""
    return required_scale((float(ndf),), (2 * allowed_excess(ndf, 1.0),), 0.9, alpha)


def to_be_biased(ndf: int, alpha: float, times: float) -> float:
    """The n_h per required event with which a bias of so many times E is shown in a region in 90 %."""

    def missing(ratio: float) -> float:
        size = 2 * ratio * allowed_excess(ndf, 1.0)
        return float(stats.ncx2.sf(stats.ncx2.isf(alpha, ndf, size), ndf, times * size)) - 0.9

    return float(optimize.brentq(missing, 0.1, 1_000))


def rate(outcomes: Sequence[bool]) -> str:
    """A share with its standard error."""
    share = float(np.mean(outcomes))
    return f"{share:.3f} ± {math.sqrt(max(share * (1 - share), 1 / len(outcomes)) / len(outcomes)):.3f}"


def small_defect(ratio: float, toys: int, seed: int) -> list[str]:
    """A defect of 10 in 1,000 bins with n_required Δ twice its E: is it found wherever it is?"""
    bins, size, n_required = 1_000, 10, 20_000.0
    rng = np.random.default_rng(seed)
    shown, pointed, whole, false_biased, false_robust = [], [], [], [], []
    for _ in range(toys):
        first = int(rng.integers(0, bins - size + 1))
        delta = 2 * allowed_excess(size - 1, 1.0) / (n_required * DEFECT)
        q = with_defect(bins, first, size, delta, rng)
        drawn = draw(Overlapping, q, n_required, ratio * n_required, rng)
        whole.append(drawn.test(Run(0, bins - 1, ALPHA)).robust)
        found = drawn.regions(everywhere=True)
        near = [r.run.first < first + size and r.run.last >= first and r.shares[1] < 2 * DEFECT for r in found]
        biased = [r.verdict is Verdict.BIASED for r in found]
        shown.append(any(a and b for a, b in zip(near, biased, strict=True)))
        worst = min(range(len(found)), key=lambda i: found[i].worth / found[i].n_required)
        pointed.append(near[worst])
        off = [excess(q, n_required, r.run) for r in found]
        false_biased.append(any(b and e <= 1 for b, e in zip(biased, off, strict=True)))
        false_robust.append(any(r.robust and e > 1 for r, e in zip(found, off, strict=True)))
    return [f"{ratio:.1f}", *map(rate, (whole, pointed, shown, false_robust, false_biased))]


def large_defect(kind: type[Map], toys: int, seed: int) -> list[str]:
    """A defect of 2 in 200 bins with n_required Δ twice the E of the whole: how much is left to use?"""
    bins, size, n_required = 200, 2, 20_000.0
    rng = np.random.default_rng(seed)
    used, near, clean, false = [], [], [], []
    for _ in range(toys):
        first = int(rng.integers(0, bins - size + 1))
        delta = 2 * allowed_excess(bins - 1, 1.0) / (n_required * DEFECT)
        q = with_defect(bins, first, size, delta, rng)
        drawn = draw(kind, q, n_required, to_be_robust(9, level(1, bins)) * n_required, rng)
        found = drawn.regions()
        best = max((r for r in found if r.robust), key=lambda r: r.shares[1], default=None)
        used.append(best.shares[1] / (max(first, bins - first - size) / bins) if best else 0.0)
        clean.append(best is not None and (best.run.last < first or best.run.first >= first + size))
        smallest = min((r for r in found if r.verdict is Verdict.BIASED), key=lambda r: r.shares[1], default=None)
        near.append(
            smallest is not None
            and smallest.run.first < first + size
            and smallest.run.last >= first
            and smallest.run.last - smallest.run.first < 10 * size
        )
        false.append(any(r.robust and excess(q, n_required, r.run) > 1 for r in found))
    return [f"{np.mean(used):.2f}", rate(clean), rate(near), rate(false)]


def on_the_boundary(ratio: float, size: float, toys: int, seed: int) -> list[str]:
    """Ripples in all 200 bins, with which a run of some size has n_required Δ = E, and larger ones exceed it."""
    bins, n_required = 200, 20_000.0
    rng = np.random.default_rng(seed)
    inside = round(bins * size)
    delta = 1.02 * allowed_excess(inside - 1, 1.0) / (n_required * size)
    false = []
    for _ in range(toys):
        q = with_defect(bins, 0, bins, delta, rng)
        q /= q.sum()
        found = draw(Map, q, n_required, ratio * n_required, rng).regions()
        false.append(any(r.robust and excess(q, n_required, r.run) > 1 for r in found))
    return [f"{ratio:.0f}", f"{size:g}", rate(false)]


def cost(bins: int, kind: str) -> list[str]:
    """Time of a comparison and its regions, as a multiple of that of one which is ROBUST."""
    rng = np.random.default_rng(bins)
    flat, n_required = np.full(bins, 1 / bins), 200.0 * bins
    off = flat.copy()
    if kind == "in one place":
        off[bins // 3 : bins // 3 + 2] *= [1.6, 0.4]
    elif kind == "everywhere":
        off *= 1 + 0.3 * np.linspace(-1, 1, bins)
    reference = Counts(rng.multinomial(round(1_000 * bins), flat))
    generated = [Counts(rng.multinomial(round(10_000 * bins), shares)) for shares in (flat, off)]
    base, found = (_seconds(partial(compare, side, reference, n_required=n_required)) for side in generated)
    return [f"{bins:,}", kind, found[1].verdict, str(len(found[1].regions)), f"{found[0] / base[0]:.1f}"]


def _seconds(call: Callable[[], Comparison]) -> tuple[float, Comparison]:
    found = call()
    times = []
    for _ in range(7):
        start = time.process_time()
        len(call().regions)  # by which they are tested
        times.append(time.process_time() - start)
    return float(np.median(times)), found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def main() -> None:
    """Write the page."""
    ndf, smallest = 7, level(7, 1_000)
    ratios = [to_be_robust(ndf, smallest), to_be_biased(ndf, smallest, 2.0)]
    lines = ["# Regions\n", "`python -m benchmarks.regions`; ten generated events per reference event.\n"]
    lines.append(
        "## A defect in 1 % of phase space that is twice its E\n\nTen of 1,000 bins, at a random place, have "
        "n_required Δ = 2 E inside, which is far below the E of larger regions: the whole is ROBUST, and rightly. All "
        "runs are tested here, inside ROBUST ones too. n_h per required event is chosen for 90 % in a run of 8 bins at "
        "its level: first for a perfect generator to be ROBUST there, then for a bias of twice E to be shown.\n"
    )
    head = [
        "n_h / n_required",
        "whole ROBUST",
        "lowest n_equivalent / n_required is there",
        "BIASED there, within 2 %",
        "a ROBUST region is false",
        "a BIASED region is false",
    ]
    lines += table(head, [small_defect(ratio, 50, i) for i, ratio in enumerate(ratios)])
    print("\n".join(lines), flush=True)
    lines.append(
        "\n## A defect in 1 % of phase space for which the whole is BIASED\n\nTwo of 200 bins, at a random place, such "
        "that n_required Δ = 2 E of the whole. Sizes for 90 % in a half. What may be used is the largest ROBUST "
        "region, in units of the larger side of the defect.\n"
    )
    kinds = {
        "binary tree, one level": Tree,
        "half-overlapping runs, levels by scale": Overlapping,
        "and the largest grow": Map,
    }
    head = [
        "runs",
        "used",
        "ROBUST region clear of the defect",
        "smallest BIASED region is there, within 10 %",
        "false",
    ]
    lines += table(head, [[name, *large_defect(kind, 150, 7)] for name, kind in kinds.items()])
    print("\n".join(lines[-6:]), flush=True)
    lines.append(
        "\n## On the boundary\n\nRipples in all of 200 bins: regions of the size given have n_required Δ = 1.02 E, "
        "larger ones more. A ROBUST region that exceeds its E in any test is false; in how many toys is there one?\n"
    )
    cases = [(3.0, 0.5), (10.0, 0.5), (10.0, 0.25), (30.0, 0.5)]
    rows = [on_the_boundary(ratio, size, 300, 11 + i) for i, (ratio, size) in enumerate(cases)]
    lines += table(["n_h / n_required", "size", "false"], rows)
    print("\n".join(lines[-6:]), flush=True)
    lines.append(
        "\n## Cost\n\nTime of `compare` and its regions where it is not ROBUST, over that of one that is. They are "
        "tested when they are asked about: whoever does not ask does not pay.\n"
    )
    rows = [cost(bins, kind) for bins in (50, 200, 1_000) for kind in ("in one place", "everywhere")]
    lines += table(["bins", "bias", "verdict", "regions looked at", "times"], rows)
    (Path(__file__).parent / "regions.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-8:]))


if __name__ == "__main__":
    main()

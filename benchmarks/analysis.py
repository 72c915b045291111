"""What `pytest_ganvalid.analysis` says of three analyses whose truth is known: coverage, error rates and power.

python benchmarks/analysis.py > benchmarks/analysis.md
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

import pytest_ganvalid as gv
from pytest_ganvalid.results import AnalysisComparison
from pytest_ganvalid.toys import analyses
from pytest_ganvalid.toys.analyses import Analysis

EXACT = 1e12
"""Events of what stands for the law itself."""
RATIOS = (0.3, 1.0, 3.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class Case:
    """An analysis, and the sizes at which it is tried.

    Attributes:
        name: What it is.
        analysis: The analysis.
        n_train: Events a generator is trained on.
        n_generated: Generated events, for verdicts.
        n_reference: Reference events, for verdicts.
        max_bias: Limit, for verdicts.
    """

    name: str
    analysis: Analysis
    n_train: int
    n_generated: int
    n_reference: int
    max_bias: float


CASES = (
    Case("counting", analyses.counting(), 5_000, 1_000_000, 400_000, 0.5),
    Case("bump", analyses.bump(), 10_000, 500_000, 150_000, 1.0),
    Case("two channels", analyses.two_channels(), 5_000, 300_000, 60_000, 1.0),
)


def exact(case: Case, strength: float = 0.0, events: float = EXACT) -> dict[str, gv.Counts]:
    """Return what so many events of a distorted law are expected to be."""
    contents = np.round(events * case.analysis.distorted(strength))
    return case.analysis.histograms(contents)


def judged(
    case: Case, generated: dict[str, gv.Counts], reference: dict[str, gv.Counts], toys: int = 0
) -> AnalysisComparison:
    """Judge a generator of which the number of training events is known."""
    return gv.analysis(
        case.analysis.workspace,
        _only(generated),
        _only(reference),
        sample=case.analysis.sample,
        n_train=case.n_train,
        n_sys=case.n_train,
        max_bias=case.max_bias,
        toys=toys,
    )


def _only(histograms: dict[str, gv.Counts]) -> object:
    return histograms if len(histograms) > 1 else next(iter(histograms.values()))


def boundary(case: Case, side: int) -> float:
    """Return how strongly the law is to be distorted for a bias of exactly max_bias, up (1) or down (-1)."""
    truth = exact(case, events=0.99 * EXACT)  # other numbers than the generator's: equal ones would be one sample

    def excess(strength: float) -> float:
        found = judged(case, exact(case, strength), truth)
        return side * found.difference / found.required_error - case.max_bias

    sign = math.copysign(1.0, excess(0.01) - excess(-0.01))
    return float(brentq(excess, 0.0, 0.9 * sign, xtol=1e-6))


def rates(case: Case, strength: float, toys: int, first_seed: int = 0) -> dict[str, float]:
    """Return the shares of verdicts over toys, and the power that they state on average."""
    found = []
    for seed in range(first_seed, first_seed + toys):
        generated = case.analysis.drawn(case.n_generated, 2 * seed, case.analysis.distorted(strength))
        found.append(judged(case, generated, case.analysis.drawn(case.n_reference, 2 * seed + 1)))
    shares = {str(verdict): sum(c.verdict is verdict for c in found) / toys for verdict in gv.Verdict}
    pulls = [c.difference / math.hypot(c.generated.error, c.reference.error) for c in found]
    errors = [math.hypot(c.generated.error, c.reference.error) for c in found]
    spread = float(np.std([c.difference for c in found]) / np.mean(errors))
    return {
        **shares,
        "power": float(np.mean([c.power for c in found])),
        "pull": float(np.mean(pulls)),
        "spread": spread,
    }


def coverage(case: Case, ratio: float, toys: int) -> AnalysisComparison:
    """Measure coverage with n_train events of training and ratio times as many generated ones."""
    return judged(case, exact(case, events=ratio * case.n_train), exact(case), toys)


def coverage_table(cases: Iterable[Case], toys: int) -> None:
    """Print coverage by the number of generated events."""
    titles = ("analysis", "n_train", "n_generated/n_train", "σ kept", "σ ignored")
    print("| " + " | ".join((*titles, "68.3 % kept", "ignored", "95 % kept", "ignored")) + " |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in cases:
        for ratio in RATIOS:
            c = coverage(case, ratio, toys)
            unit = c.required_error
            sizes = f"{c.uncertainty_kept / unit:.3f} | {c.uncertainty_ignored / unit:.3f}"
            shares = " | ".join(f"{100 * one.kept:.1f} | {100 * one.ignored:.1f}" for one in c.coverage)
            print(f"| {case.name} | {case.n_train:,} | {ratio:g} | {sizes} | {shares} |")


def verdict_table(cases: Iterable[Case], toys: int) -> None:
    """Print error rates on both boundaries, and what becomes of a perfect generator."""
    titles = ("analysis", "n_g, n_r, n_required", "max_bias", "σ(μ)", "false ROBUST +", "−", "false BIASED +", "−")
    print("| " + " | ".join((*titles, "ROBUST if perfect", "predicted", "spread/error")) + " |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for case in cases:
        up, down = (rates(case, boundary(case, side), toys) for side in (1, -1))
        perfect = rates(case, 0.0, toys)
        one = judged(case, exact(case), exact(case, events=0.99 * EXACT))
        wrong = " | ".join(f"{side[v]:.3f}" for v in (gv.Verdict.ROBUST, gv.Verdict.BIASED) for side in (up, down))
        print(
            f"| {case.name} | {case.n_generated:,}, {case.n_reference:,}, {one.n_required:,.0f} | {case.max_bias:g} | "
            f"{one.required_error:.3f} | {wrong} | {perfect[gv.Verdict.ROBUST]:.3f} | {perfect['power']:.3f} | "
            f"{perfect['spread']:.3f} |"
        )


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toys", type=int, default=500, help="for verdicts")
    parser.add_argument("--coverage-toys", type=int, default=4_000)
    options = parser.parse_args()
    toys, coverage_toys = options.toys, options.coverage_toys
    print("# The verdict on an analysis\n")
    print(
        f"`python benchmarks/analysis.py --toys {toys} --coverage-toys {coverage_toys}`: three analyses of "
        "`pytest_ganvalid.toys.analyses`,\nfitted with pyhf models. σ(μ) is the uncertainty of the parameter of "
        "interest at the luminosity of the workspace, with exact templates.\n"
    )
    print("## Coverage\n")
    print(
        "Each toy trains a generator on n_train events (it learns their histogram), generates events, and fits data of "
        "the\nlaw; intervals are by the profile likelihood ratio. Kept: the template has the error of its events and "
        "that of\nn_train events; ignored: that of its events alone, as any simulated sample has. Uncertainties in "
        f"units of σ(μ).\n{coverage_toys:,} toys each: binomial error {100 * math.sqrt(0.22 / coverage_toys):.1f} % at "
        "68 %.\n"
    )
    coverage_table(CASES, coverage_toys)
    print("\n## Verdicts\n")
    print(
        "The bias of the generator is exactly max_bias, up (+) or down (−): both verdicts are then wrong, each in at "
        f"most\n0.05 of the {toys:,} toys (binomial error {math.sqrt(0.05 * 0.95 / toys):.4f}). Spread/error: the "
        "standard deviation of the fitted\nbias of a perfect generator over toys, by the error that is stated for it.\n"
    )
    verdict_table(CASES, toys)


if __name__ == "__main__":
    main()

"""This package's verdict against the classical tests of two samples, on the same toys.

python -m pip install dcor hyppo
python -m benchmarks.peers > benchmarks/peers.md
"""

from __future__ import annotations

import functools
import textwrap
import time
import timeit
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

import dcor
import numpy as np
from hyppo.ksample import MMD
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

import pytest_ganvalid as gv
from benchmarks.calibration.truth import ALPHA, required_for, shares_of_allowed
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.toys import CamelBack
from pytest_ganvalid.toys.boundary import triangular_discrimination

FloatArray = NDArray[np.float64]
Test = Callable[[FloatArray, FloatArray], float]

SEED = 200206307
BINS = 50
CELLS = 200_000
OURS = "**pytest-ganvalid**"
EVENTS, TOYS, NULL_TOYS = 5_000, 500, 2_000
NO_BIAS = 1e12
"""An n_required at which no bias is allowed, so that any difference is one."""
FIXED_REQUIRED, SIZES = 1_000, (250, 1_000, 4_000, 16_000)
EVENTS_2D, CELLS_2D, NULL_TOYS_2D, SLOW_TOYS = 600, 49, 1_000, 200
POWER = 0.6
NOT_OFFERED = "not offered"
VERDICTS = ("ROBUST", "UNPROVEN", "BIASED")
GRADES = {"harmless, a quarter": 0.25, "on the boundary": 1.0, "too wrong, four times": 4.0}


# ---------------------------------------------------------------------------------------------------------- the toys


class Source(Protocol):
    """Anything that draws events."""

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``n`` events, shape (n, columns)."""
        ...


@dataclass(frozen=True)
class Tabulated:
    """A one-dimensional density, constant in each of many narrow cells.

    Attributes:
        edges: Of the cells, shape (cells + 1,).
        cumulative: Probability below each edge, from 0 to 1.
    """

    edges: FloatArray
    cumulative: FloatArray

    @classmethod
    def from_masses(cls, edges: FloatArray, masses: FloatArray) -> Tabulated:
        """Normalise the contents of the cells."""
        cumulative = np.concatenate([[0.0], np.cumsum(masses)])
        return cls(edges, cumulative / cumulative[-1])

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``n`` events, shape (n, 1)."""
        return np.interp(rng.random(n), self.cumulative, self.edges)[:, None]

    def fractions(self, truth: Tabulated) -> FloatArray:
        """Return the probabilities of the bins in which ``truth`` has equal ones."""
        return np.diff(np.interp(np.linspace(0, 1, BINS + 1), truth.cumulative, self.cumulative))


@dataclass(frozen=True)
class Correlated:
    """Two standard normal columns.

    Attributes:
        correlation: Between them.
        shift: Of the first.
    """

    correlation: float = 0.0
    shift: float = 0.0

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``n`` events, shape (n, 2)."""
        x, z = rng.standard_normal((2, n))
        y = self.correlation * x + np.sqrt(1 - self.correlation**2) * z
        return np.stack([x + self.shift, y], axis=1)


@dataclass(frozen=True)
class Base:
    """A true distribution.

    Attributes:
        name: What it is called.
        cdf: Probability below x.
        low: Where the cells begin; nothing to speak of lies below.
        high: Where they end.
    """

    name: str
    cdf: Callable[[FloatArray], FloatArray]
    low: float
    high: float

    @property
    def edges(self) -> FloatArray:
        """Edges of the cells."""
        return np.linspace(self.low, self.high, CELLS + 1)


BASES = (
    Base("normal", stats.norm().cdf, -8, 8),
    Base("two peaks", CamelBack().cdf, -12, 12),
    Base("Landau-like", stats.moyal().cdf, -5, 60),
)


def _ratio(base: Base, ratio: Callable[[FloatArray], NDArray[Any]]) -> FloatArray:
    """Masses of the cells if the density is off by a factor that depends on the true quantile u."""
    cumulative = base.cdf(base.edges)
    return np.asarray(np.diff(cumulative) * ratio((cumulative[1:] + cumulative[:-1]) / 2))


# Flaw -> (masses of the cells at an amplitude, the largest amplitude). The hole is two bins wide and the peak has a
# standard deviation of 0.3 bins; neither is aligned with the bins.
FLAWS: dict[str, tuple[Callable[[Base, float], FloatArray], float]] = {
    "shift": (lambda base, a: np.diff(base.cdf(base.edges - a)), 1.0),
    "width": (lambda base, a: np.diff(base.cdf(base.edges / (1 + a))), 1.0),
    "tail excess": (lambda base, a: _ratio(base, lambda u: 1 + a * np.maximum(u - 0.9, 0)), 100.0),
    "narrow hole": (lambda base, a: _ratio(base, lambda u: 1 - a * (np.abs(u - 0.63) < 0.02)), 1.0),
    "narrow peak": (lambda base, a: _ratio(base, lambda u: 1 + a * np.exp(-0.5 * ((u - 0.317) / 0.006) ** 2)), 20.0),
    "modulation": (lambda base, a: _ratio(base, lambda u: 1 + a * np.sin(6 * np.pi * u)), 1.0),
}


def truth(base: Base) -> Tabulated:
    """The true simulator."""
    return Tabulated.from_masses(base.edges, np.diff(base.cdf(base.edges)))


def spoiled(base: Base, flaw: str, size: float, measure: Callable[[FloatArray, FloatArray], float]) -> Tabulated:
    """A generator with that flaw, of such an amplitude that its measure in 50 equiprobable bins is ``size``."""
    masses, largest = FLAWS[flaw]
    true = truth(base)

    def excess(amplitude: float) -> float:
        q = Tabulated.from_masses(base.edges, masses(base, amplitude)).fractions(true)
        return measure(q, true.fractions(true)) - size

    return Tabulated.from_masses(base.edges, masses(base, brentq(excess, 0.0, largest, xtol=1e-6)))


# --------------------------------------------------------------------------------------------------------- the tests


def largest_share(q: FloatArray, p: FloatArray, n_required: float) -> float:
    """The largest n_required Δ_d over what is allowed, of the tests of this package: above 1 BIASED is due."""
    return float(shares_of_allowed(q, p, n_required).max())


def filled(generated: FloatArray, reference: FloatArray) -> list[BinSums]:
    """Both samples in the bins that this package uses by default."""
    bins = bins_for(BINS, tuple(reference.T), None, "error")
    return [fill(bins, tuple(sample.T), None) for sample in (generated, reference)]


def counts(generated: FloatArray, reference: FloatArray) -> FloatArray:
    """Their contents, shape (2, bins)."""
    return np.stack([sums.sumw for sums in filled(generated, reference)])


def chi2(generated: FloatArray, reference: FloatArray) -> float:
    """Minus the p-value of the classical χ²."""
    return -float(stats.chi2_contingency(counts(generated, reference), correction=False).pvalue)


def ks(generated: FloatArray, reference: FloatArray) -> float:
    """Minus the p-value of Kolmogorov and Smirnov; with two columns the smaller of the marginals', doubled."""
    p_values = [stats.ks_2samp(a, b, method="asymp").pvalue for a, b in zip(generated.T, reference.T, strict=True)]
    return -float(min(p_values)) * len(p_values)


def energy(generated: FloatArray, reference: FloatArray) -> float:
    """Energy distance in one dimension."""
    return float(stats.energy_distance(generated[:, 0], reference[:, 0]))


def energy_2d(generated: FloatArray, reference: FloatArray) -> float:
    """Energy distance in any dimension."""
    return float(dcor.energy_distance(generated, reference))


def mmd(generated: FloatArray, reference: FloatArray) -> float:
    """Maximum mean discrepancy with a Gaussian kernel of the median distance."""
    return float(MMD().statistic(generated, reference))


PEERS: dict[str, Test] = {
    "χ², same bins (scipy)": chi2,
    "Kolmogorov-Smirnov (scipy)": ks,
    "energy distance (scipy)": energy,
}
PEERS_2D: dict[str, Test] = {
    "χ², same cells (scipy)": chi2,
    "Kolmogorov-Smirnov of the marginals (scipy)": ks,
    "energy distance (dcor)": energy_2d,
}
SLOW_PEERS_2D: dict[str, Test] = {"MMD, Gaussian kernel (hyppo)": mmd}


def ours(generated: FloatArray, reference: FloatArray, n_required: float) -> gv.Comparison:
    """This package's comparison of the histograms that the χ² sees too."""
    return gv.compare(*filled(generated, reference), n_required=n_required)


def difference(generated: FloatArray, reference: FloatArray) -> float:
    """Minus the p-value of BIASED where no bias is allowed; of two columns each is looked at too, as by default."""
    columns = generated.shape[1]
    looked_at = [slice(None)] if columns == 1 else [slice(None), *(slice(i, i + 1) for i in range(columns))]
    return -min(ours(generated[:, some], reference[:, some], NO_BIAS).p_biased for some in looked_at) * len(looked_at)


def ours_from_events(generated: FloatArray, reference: FloatArray, n_required: float) -> object:
    """The same from events on, as a user has it: columns, bins, comparison, report."""
    names = ("x", "y")[: generated.shape[1]]
    samples = [dict(zip(names, sample.T, strict=True)) for sample in (generated, reference)]
    observable = names if len(names) > 1 else "x"
    return gv.validate(samples[0], samples[1], observables=[observable], n_required=n_required, bins=BINS)


# ------------------------------------------------------------------------------------------------------ measurements


@dataclass
class Outcome:
    """What many toys gave.

    Attributes:
        scores: Test -> a number per toy, larger for samples that differ more.
        verdicts: How often this package said which.
    """

    scores: dict[str, list[float]] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def toys(self) -> int:
        """Number of toys that this package has judged."""
        return self.verdicts.total()

    def rejected(self, test: str, threshold: float) -> tuple[int, int]:
        """Return how many of how many toys a test calls different."""
        scores = self.scores[test]
        return sum(score > threshold for score in scores), len(scores)

    def threshold(self, test: str) -> float:
        """Return the score that a share ALPHA of these toys exceeds."""
        return float(np.quantile(self.scores[test], 1 - ALPHA))


@dataclass(frozen=True)
class Setting:
    """What all toys of a table have in common.

    Attributes:
        tests: The peers.
        events: In each of the two samples.
        n_required: What this package is asked for.
    """

    tests: Mapping[str, Test]
    events: int
    n_required: float

    def run(self, generator: Source, simulator: Source, toys: int, seed: Sequence[int]) -> Outcome:
        """Let every test judge the same toys."""
        outcome = Outcome({name: [] for name in (*self.tests, OURS)})
        for toy in range(toys):
            rng = np.random.default_rng([SEED, *seed, toy])
            generated, reference = generator.sample(self.events, rng), simulator.sample(self.events, rng)
            for name, test in self.tests.items():
                outcome.scores[name].append(test(generated, reference))
            comparison = ours(generated, reference, self.n_required)
            outcome.scores[OURS].append(difference(generated, reference))
            outcome.verdicts[comparison.verdict.value] += 1
        return outcome


def planned_required(events: int, bins: int) -> float:
    """The n_required at which a perfect generator is to be shown ROBUST in 90 % of the cases."""
    return required_for(events / 2, bins, 0.9)


def delta_of_power(events: int) -> float:
    """The Δ that a χ² test of two samples of this size finds with probability POWER."""
    critical = stats.chi2.isf(ALPHA, BINS - 1)
    noncentrality = brentq(lambda x: stats.ncx2.sf(critical, BINS - 1, x) - POWER, 1e-3, 1e3)
    return float(noncentrality / events)


def milliseconds(test: Callable[[], object]) -> float:
    """Median processor time of a call."""
    timer = timeit.Timer(test, timer=time.process_time)  # the machine is shared
    timer.timeit(1)
    number = 1 + int(0.1 / max(timer.timeit(1), 1e-6))
    return 1e3 * float(np.median(timer.repeat(5, number))) / number


def times(tests: Mapping[str, Test], events: int, columns: int, n_required: float) -> dict[str, float]:
    """Time of every test on one pair of samples."""
    generated, reference = np.random.default_rng(SEED).standard_normal((2, events, columns))
    others = {name: milliseconds(functools.partial(test, generated, reference)) for name, test in tests.items()}
    return {**others, OURS: milliseconds(lambda: ours_from_events(generated, reference, n_required))}


# ------------------------------------------------------------------------------------------------------- the tables


def share(hits: int, toys: int) -> str:
    """A rate with its binomial error, which is not zero even where nothing or everything was hit."""
    smooth = (hits + 0.5) / (toys + 1)
    return f"{hits / toys:.3f} ± {np.sqrt(smooth * (1 - smooth) / toys):.3f}"


def line(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def paragraph(text: str) -> None:
    """A paragraph in lines of bounded length."""
    print(textwrap.fill(text, 150, break_long_words=False, break_on_hyphens=False) + "\n")


def head(*cells: str) -> None:
    """The first two rows of a table."""
    print(line(*cells))
    print(line(*("---" for _ in cells)))


@dataclass(frozen=True)
class Study:
    """Toys without a flaw that set the thresholds, and toys with each flaw.

    Attributes:
        null: Sets the thresholds.
        flaws: Flaw -> its toys; "none" are further toys without one.
    """

    null: Outcome
    flaws: dict[str, Outcome]

    def rejected(self, test: str, flaw: str) -> tuple[int, int]:
        """Return how many of how many toys a test calls different, at equal false-alarm rate."""
        return self.flaws[flaw].rejected(test, self.null.threshold(test))


def pooled(studies: Sequence[Study], test: str, flaw: str) -> tuple[int, int]:
    """Add up the toys of several studies."""
    counts = [study.rejected(test, flaw) for study in studies]
    return sum(hits for hits, _ in counts), sum(toys for _, toys in counts)


def verdict_share(studies: Sequence[Study], flaw: str, verdict: str) -> str:
    """How often this package gave a verdict."""
    outcomes = [study.flaws[flaw] for study in studies]
    return share(sum(o.verdicts[verdict] for o in outcomes), sum(o.toys for o in outcomes))


def power_table(studies: Sequence[Study], seconds: Mapping[str, float]) -> None:
    """The one table: power, time, and what none of the peers has."""
    flaws = [flaw for flaw in studies[0].flaws if flaw != "none"]
    head("test", "no flaw", *flaws, "time (ms)", "demonstrates agreement of a perfect generator")
    for test in seconds:
        demonstrated = verdict_share(studies, "none", "ROBUST") if test == OURS else NOT_OFFERED
        rates = [share(*pooled(studies, test, flaw)) for flaw in ("none", *flaws)]
        print(line(test, *rates, f"{seconds[test]:,.2f}", demonstrated))
    print()


def winners(studies: Sequence[Study], tests: Sequence[str]) -> None:
    """Per flaw, which tests are stronger or weaker than this package by more than three standard errors."""
    for flaw in studies[0].flaws:
        if flaw == "none":
            continue
        mine, toys = pooled(studies, OURS, flaw)
        words: dict[str, list[str]] = {"stronger": [], "weaker": [], "equal within errors": []}
        for test in (t for t in tests if t != OURS):
            theirs, their_toys = pooled(studies, test, flaw)
            difference = theirs / their_toys - mine / toys
            spread = np.sqrt(0.25 / toys + 0.25 / their_toys)
            kind = "equal within errors" if abs(difference) < 3 * spread else "stronger"
            words["weaker" if kind == "stronger" and difference < 0 else kind].append(test)
        print(f"- {flaw}: " + "; ".join(f"{kind}: {', '.join(names)}" for kind, names in words.items() if names) + ".")
    print()


def one_dimension() -> list[Study]:
    """Question 1, with one column."""
    setting = Setting(PEERS, EVENTS, planned_required(EVENTS, BINS))
    delta, studies = delta_of_power(EVENTS), []
    for number, base in enumerate(BASES):
        true = truth(base)
        generators = {"none": true, **{f: spoiled(base, f, delta, triangular_discrimination) for f in FLAWS}}
        null = setting.run(true, true, NULL_TOYS, (1, number, 0))
        flaws = {
            flaw: setting.run(generator, true, TOYS, (1, number, i))
            for i, (flaw, generator) in enumerate(generators.items(), start=1)
        }
        studies.append(Study(null, flaws))
    return studies


def two_dimensions() -> tuple[Study, Study]:
    """Question 1, with two columns: all tests but the slow ones, and those with fewer toys."""
    n_required = planned_required(EVENTS_2D, CELLS_2D)
    generators = {"none": Correlated(), "correlation 0.25": Correlated(0.25), "shift 0.15": Correlated(0, 0.15)}

    def study(tests: Mapping[str, Test], null_toys: int, toys: int) -> Study:
        setting = Setting(tests, EVENTS_2D, n_required)
        null = setting.run(Correlated(), Correlated(), null_toys, (2, 0))
        flaws = {name: setting.run(g, Correlated(), toys, (2, i)) for i, (name, g) in enumerate(generators.items(), 1)}
        return Study(null, flaws)

    return study(PEERS_2D, NULL_TOYS_2D, TOYS), study(SLOW_PEERS_2D, SLOW_TOYS, SLOW_TOYS)


def print_one_dimension() -> None:
    """Power in one dimension."""
    n_required = planned_required(EVENTS, BINS)
    print("## Is there a difference? One column\n")
    paragraph(
        f"{EVENTS:,} generated and {EVENTS:,} reference events. Null hypothesis: both samples have the same "
        f"distribution. The threshold of each test is set with {NULL_TOYS:,} toys per true distribution to the same "
        f'false-alarm rate of {ALPHA:.0%}; the column "no flaw" is the rate in further toys, to which the thresholds '
        f"add an error of {np.sqrt(ALPHA * (1 - ALPHA) / NULL_TOYS / len(BASES)):.3f}. Each flaw has the amplitude at "
        f"which the true Δ in {BINS} equiprobable bins gives a χ² test a power of {POWER:g}: a column tells which "
        "tests see that flaw better than a χ² does. The statistic of this package is p_biased where no bias is allowed "
        f"(n_required = {NO_BIAS:g}); its verdicts are at n_required = {n_required:,.0f}, where a perfect generator is "
        "planned to pass in 90 % of the cases. Rates are "
        f"pooled over {len(BASES)} true distributions ({', '.join(base.name for base in BASES)}), {TOYS} toys each."
    )
    studies = one_dimension()
    power_table(studies, times(PEERS, EVENTS, 1, n_required))
    paragraph(
        "With samples of equal size Δ of all bins is estimated by χ²/N; the smooth components of the difference, which "
        "this package tests too, see what is spread over many bins better than a χ² does, and each bin is tested "
        "alone. Against this package the others are, by three standard errors:"
    )
    winners(studies, list(PEERS))
    paragraph("Pooling hides how much the distances depend on the spectrum: see the table by true distribution below.")
    print_verdicts(studies, n_required)
    print("### By true distribution\n")
    head("true distribution", "test", "no flaw", *FLAWS)
    for base, study in zip(BASES, studies, strict=True):
        for test in (*PEERS, OURS):
            print(line(base.name, test, *(share(*study.rejected(test, flaw)) for flaw in study.flaws)))
    print()


def print_verdicts(studies: Sequence[Study], n_required: float) -> None:
    """What this package says of the toys with which its statistic was compared."""
    print(f"### The verdicts on these toys at n_required = {n_required:,.0f}\n")
    head("flaw", "of what is allowed", *VERDICTS)
    for flaw in studies[0].flaws:
        print(line(flaw, _allowed(flaw, n_required), *(verdict_share(studies, flaw, v) for v in VERDICTS)))
    print()
    paragraph(
        "Of what is allowed: the largest n_required Δ over its limit, of all bins and of the smooth components, over "
        "the three true distributions. Below 1 BIASED would be wrong: a test that fires there fires at a generator "
        "that is good enough for the purpose. Above 1 ROBUST would be."
    )


def _allowed(flaw: str, n_required: float) -> str:
    if flaw == "none":
        return "0"
    shares = []
    for base in BASES:
        true, generator = truth(base), spoiled(base, flaw, delta_of_power(EVENTS), triangular_discrimination)
        shares.append(largest_share(generator.fractions(true), true.fractions(true), n_required))
    return f"{min(shares):.2f} to {max(shares):.2f}"


def print_two_dimensions() -> None:
    """Power in two dimensions."""
    n_required = planned_required(EVENTS_2D, CELLS_2D)
    print("## Is there a difference? Two columns\n")
    paragraph(
        f"{EVENTS_2D} generated and {EVENTS_2D} reference events, two standard normal columns, uncorrelated in truth; "
        f"this package and χ² look at the pair, in {CELLS_2D} equiprobable cells, this package at either column as "
        f"well; its verdict is that on the pair, at n_required = {n_required:,.0f}. "
        "Neighbouring cells that expect fewer than 10 events are merged by this package, but not by χ². "
        f"Thresholds from {NULL_TOYS_2D:,} toys, rates from {TOYS}; MMD, being slow, {SLOW_TOYS} and {SLOW_TOYS}, "
        f"so that its threshold adds {np.sqrt(ALPHA * (1 - ALPHA) / SLOW_TOYS):.3f} to the error at 0.05."
    )
    fast, slow = two_dimensions()
    seconds = times({**PEERS_2D, **SLOW_PEERS_2D}, EVENTS_2D, 2, n_required)
    flaws = [flaw.replace("none", "no flaw") for flaw in fast.flaws]
    head("test", *flaws, "time (ms)", "demonstrates agreement of a perfect generator")
    for test in seconds:
        study = slow if test in SLOW_PEERS_2D else fast
        rates = [share(*study.rejected(test, flaw)) for flaw in study.flaws]
        demonstrated = verdict_share([fast], "none", "ROBUST") if test == OURS else NOT_OFFERED
        print(line(test, *rates, f"{seconds[test]:,.2f}", demonstrated))
    print("\nAgainst this package, by three standard errors:\n")
    winners([fast], list(PEERS_2D))
    print("And MMD, both on its fewer toys:\n")
    winners([slow], list(SLOW_PEERS_2D))


def graded(base: Base) -> dict[str, Tabulated]:
    """Generators from perfect to four times too wrong for FIXED_REQUIRED events, by two flaws."""
    measure = functools.partial(largest_share, n_required=FIXED_REQUIRED)
    cases = {"perfect": truth(base)}
    for flaw in ("shift", "modulation"):
        for name, factor in GRADES.items():
            cases[f"{name}, {flaw}"] = spoiled(base, flaw, factor, measure)
    return cases


def purpose_rows(base: Base, events: int) -> dict[str, list[str]]:
    """Question 2 at one sample size: generator -> rates of rejection, of BIASED and of ROBUST."""
    null = Setting({"energy": energy}, events, FIXED_REQUIRED).run(truth(base), truth(base), NULL_TOYS, (4, events))
    setting, thresholds = Setting(PEERS, events, FIXED_REQUIRED), dict.fromkeys(PEERS, -ALPHA)
    thresholds["energy distance (scipy)"] = null.threshold("energy")
    rows = {}
    for number, (name, generator) in enumerate(graded(base).items()):
        outcome = setting.run(generator, truth(base), TOYS, (3, events, number))
        peers = [share(*outcome.rejected(test, threshold)) for test, threshold in thresholds.items()]
        rows[name] = [*peers, *(share(outcome.verdicts[verdict], outcome.toys) for verdict in ("BIASED", "ROBUST"))]
    return rows


def print_purpose() -> None:
    """Is the generator good enough for n_required events."""
    base = BASES[2]
    print("## Is the generator good enough?\n")
    paragraph(
        f"n_required = {FIXED_REQUIRED:,}, {BINS} bins, {base.name} spectrum, {TOYS} toys per row; shift and "
        "modulation have the amplitude that gives so many times the largest n_required Δ that is allowed, in the first "
        "of the tests of this package. On the boundary ROBUST and BIASED are both false, nominally in at most 0.05 "
        "each; below it ROBUST is right and BIASED wrong, above it the reverse. The peers reject at p < 0.05 (energy "
        "distance: at a threshold from "
        f"{NULL_TOYS:,} toys without a flaw, which adds an error of {np.sqrt(ALPHA * (1 - ALPHA) / NULL_TOYS):.3f} at "
        "0.05). Agreement none of them demonstrates: to reject "
        f"nothing is no proof, and says least where the samples are smallest. With {SIZES[0]} events this package "
        "merges bins, so that its boundary is not quite the one of the row."
    )
    names = [test.split(" (")[0] for test in PEERS]
    ours_too = ("BIASED", f"ROBUST (peers: {NOT_OFFERED})")
    head("events each", "generator", *(f"{name} rejects" for name in names), *ours_too)
    tables = {events: purpose_rows(base, events) for events in SIZES}
    for events, rows in tables.items():
        for name, rates in rows.items():
            print(line(f"{events:,}", name, *rates))
    print()
    fewest, most = (
        tables[SIZES[0]]["too wrong, four times, modulation"],
        tables[SIZES[-1]]["harmless, a quarter, modulation"],
    )
    paragraph(
        f"With {SIZES[-1]:,} events χ² rejects {most[0]} of the generators with a harmless modulation, of which this "
        f"package calls {most[-2]} BIASED and {most[-1]} ROBUST. With {SIZES[0]} events χ² rejects {fewest[0]} of "
        "those that are four times too wrong; this package calls "
        f"{fewest[-2]} of them BIASED, {fewest[-1]} ROBUST, and the rest UNPROVEN."
    )


def print_times() -> None:
    """Time of a call as the samples grow."""
    print("## Time of one call (ms)\n")
    sizes = (1_000, 10_000, 100_000)
    head("test", *(f"{size:,} events each" for size in sizes))
    columns = [times(PEERS, size, 1, size / 4) for size in sizes]
    for test in columns[0]:
        print(line(test, *(f"{column[test]:,.2f}" for column in columns)))
    print()
    paragraph(
        "From events to the answer, one column; the time of this package is that of `validate`, which includes reading "
        "the columns, choosing the bins, the verdict with its reasons and the provenance. The distances have no "
        "p-value yet: a permutation test multiplies their time by the number of permutations."
    )


def main() -> None:
    """Print the page."""
    start = time.process_time()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "dcor", "hyppo"))
    print("# Against peers on the same toys\n")
    paragraph(
        f"Written by `python -m benchmarks.peers` with {packages}. Every test judges the same toys; errors are "
        "binomial, one standard deviation. Times are medians of processor time in the same run, on one core; "
        "their ratios carry over."
    )
    print_one_dimension()
    print_two_dimensions()
    print_purpose()
    print_times()
    print(f"The whole page took {(time.process_time() - start) / 60:.0f} minutes of one core.")


if __name__ == "__main__":
    main()

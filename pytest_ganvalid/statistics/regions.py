"""Where may a generator be used that is not ROBUST as a whole? The verdict by region, with simultaneous error rates.

A region is a run of neighbouring bins. Its test is the verdict's own, on contents normalised inside, at its share of
n_required: as if an analysis had selected it. Where both samples are what they are everywhere, the power of that does
not depend on the share, since n_required shrinks with the sample; from ten bins on it does not depend on the bins.

Which runs: at each scale l = 1, 2, ..., L those of 2^-l of all, half overlapping, 2^(l+1) - 1 of them. A binary tree
alone loses what lies across a cut: both sides of it are BIASED then. Of such multiscale sets a few runs approximate
every interval (G. Rivera & G. Walther, Scand. J. Stat. 40 (2013) 752), and giving each scale the same part of α (the
block criterion: K. Rufibach & G. Walther, J. Comput. Graph. Stat. 19 (2010) 175), α/L/(2^(l+1) - 1) to each run, keeps
large regions from paying for the many small ones.

With probability 1 - α none of these tests goes wrong, by Bonferroni's inequality, whatever the dependence and whichever
of them are left out: runs inside a ROBUST one, and sixteenths where no half, quarter or eighth is ROBUST. The largest
ROBUST runs are then let grow, by steps of 1/32 or a slab on either side, as long as what has grown is ROBUST: a fixed
sequence of hypotheses is tested at one level without correction until the first that is not rejected (P. Westfall & A.
Krishen, J. Stat. Plan. Inference 99 (2001) 25), at half the level of the run for each side. A union of ROBUST regions
is not ROBUST by that: how events are shared among them has not been tested. Of a k-d tree the regions are its branches;
these neither overlap nor grow, since cells on both sides of a cut need not be neighbours.

The share of n_required is that of the reference inside. It is known as well as that, but what is inside is independent
of how much of it there is: the statement is exact for the number of events that it names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import Verdict
from pytest_ganvalid.statistics import chi2 as chi2_module
from pytest_ganvalid.statistics.clusters import Clusters
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

MIN_BINS = 5
"""Bins in a region; fewer would ask for more than 4.5 reference events per required one."""
MAX_SCALES = 7
"""Halvings: the smallest regions are 1/128 of all."""
_STEPS = 32
_SLABBED = (Arrangement.PRODUCT, Arrangement.SLABS, Arrangement.PARTS)  # whose runs end where a slab does, if near
_FRUITLESS_SCALES = 3  # scales without a ROBUST run, after which smaller ones are not tested
_MIN_LEVEL = 1e-12  # at which 1 - α is known to four digits; only the ten-thousandth attempt is made at less
_NOISELESS = 1e-9  # of the noise of unlike events, below which a side has none
_HOPE = 2.0  # by which a region may need fewer events than the whole, its weights being more even


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring bins, and the level at which they are tested.

    Attributes:
        first: Position of the first along the path of neighbours.
        last: That of the last.
        alpha: Error probability of each limit.
    """

    first: int
    last: int
    alpha: float

    def contains(self, other: Run) -> bool:
        """Tell whether another run lies inside this one, or equals it."""
        return self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True, eq=False)
class Regional:
    """A run that has been tested.

    Attributes:
        run: Which bins, by their places along the path, and at which level.
        shares: Shares of the generated and of the reference sample inside.
        n_required: The part of n_required that the reference has inside.
        worth: Lower limit of n_equivalent inside, at the level of the run; 0 where nothing can be demonstrated.
        verdict: The verdict inside.
    """

    run: Run
    shares: tuple[float, float]
    n_required: float
    worth: float
    verdict: Verdict

    @property
    def robust(self) -> bool:
        """Whether agreement inside is demonstrated."""
        return self.verdict is Verdict.ROBUST


@dataclass(frozen=True, eq=False)
class Map:
    """The two histograms whose regions are tested.

    Attributes:
        generated: The generated histogram, as compared.
        reference: The same bins.
        layout: How the bins lie.
        order: Their positions along the path of neighbours, shape (bins,).
        n_required: Number of true events that the whole has to stand in for.
        limits: What counts as agreement; the level is shared out.
        cut_share: Share of the reference events at whose quantiles the bins were cut; 0 for given bins.
        clusters: The clusters of rows; ``None`` for independent ones.
    """

    generated: BinSums
    reference: BinSums
    layout: Layout
    order: IntArray
    n_required: float
    limits: Limits
    cut_share: float = 0.0
    clusters: Clusters | None = None

    @property
    def is_divisible(self) -> bool:
        """Whether there are bins enough for two regions, in some order."""
        return self.layout.arrangement is not Arrangement.NONE and self.order.size >= 2 * MIN_BINS

    def regions_of(self, assessment: Assessment, *, everywhere: bool = False) -> tuple[Regional, ...]:
        """Test the regions if the whole is not ROBUST, and any of them could be shown to be ROBUST or BIASED.

        Args:
            assessment: What decides on all bins together.
            everywhere: Whether to test them even if the whole is ROBUST, and those inside ROBUST ones.
        """
        verdict = assessment.verdict()
        undecidable = assessment.discordant_pairs is not None or assessment.n_required > assessment.max_n_required
        if (
            undecidable
            or not self.is_divisible
            or not assessment.admissible
            or (verdict is Verdict.ROBUST and not everywhere)
        ):
            return ()
        levels = [run.alpha for scale in self.scales for run in scale.values()]
        if not levels or min(levels) < _MIN_LEVEL:
            return ()
        fruitless = verdict is Verdict.UNPROVEN and hopeless(assessment, max(levels))
        return () if fruitless else self.regions(everywhere=everywhere)

    def regions(self, *, everywhere: bool = False) -> tuple[Regional, ...]:
        """Test the runs from the largest down, and let the largest that are ROBUST grow.

        Args:
            everywhere: Whether runs inside a ROBUST one are tested, too.

        Returns:
            All that were tested, by their first bin and, of those with the same, the longest first; of what has grown
            only the largest. Nothing where bins have no order, or are fewer than two regions would take.
        """
        tested: dict[tuple[int, int], Regional] = {}
        for scale, scale_runs in enumerate(self.scales):
            if scale >= _FRUITLESS_SCALES and not everywhere and not any(region.robust for region in tested.values()):
                break
            for position, run in scale_runs.items():
                parents = [tested[scale - 1, parent] for parent in _parents(position) if (scale - 1, parent) in tested]
                open_parents = bool(parents) and not any(region.robust for region in parents)
                if everywhere or not scale or open_parents:
                    tested[scale, position] = self.test(run)
        largest = min((scale for (scale, _), region in tested.items() if region.robust), default=0)
        seeds = [region for (scale, _), region in tested.items() if scale == largest and region.robust]
        regions = [*tested.values(), *self._grown(seeds)]
        return tuple(sorted(regions, key=lambda region: (region.run.first, -region.run.last)))

    def _steps(self) -> list[int]:
        """Return where regions may grow to: every 1/32 of all, or where there are slabs, their first cells."""
        layout = self.layout.at(self.order)
        if layout.arrangement in _SLABBED:
            return [0, *(np.flatnonzero(np.diff(layout.positions[:, 0])) + 1).tolist(), self.order.size]
        borders = _borders(self.pooled, layout, np.linspace(0, 1, _STEPS + 1))
        return [int(border) for border in np.unique(borders)]

    @property
    def pooled(self) -> FloatArray:
        """The contents (q + p)/2 along the path: they know nothing of the difference."""
        q, p = (side.sumw / side.total for side in (self.generated, self.reference))
        return np.asarray(0.5 * (q + p)[self.order])

    @cached_property
    def scales(self) -> list[dict[int, Run]]:
        """The runs of each scale; see `runs`."""
        return runs(self.pooled, self.layout.at(self.order), self.limits.alpha)

    def test(self, run: Run) -> Regional:
        """Test a run by the verdict's own tests."""
        inside = np.zeros(self.order.size, dtype=bool)
        inside[self.order[run.first : run.last + 1]] = True
        sides = self.generated.select(inside), self.reference.select(inside)
        shares = sides[0].total / self.generated.total, sides[1].total / self.reference.total
        n_required = self.n_required * max(shares[1], 0.0)
        if min(shares) <= 0 or n_required < 1:
            return Regional(run, shares, n_required, 0.0, Verdict.UNPROVEN)
        a = self._assessed(sides, inside, n_required, run.alpha)
        if a is None:
            return Regional(run, shares, n_required, 0.0, Verdict.UNPROVEN)
        # Where events have several entries Δ is per event of the whole: so is d/(2Δ).
        scale = 1.0 if self.reference.n_events is None else shares[1]
        supported = (test.ndf / 2 / test.upper if test.upper > 0 else math.inf for test in a.tests)
        worth = min(supported) * scale if a.admissible else 0.0
        return Regional(run, shares, n_required, worth, _verdict(a))

    def _assessed(
        self, sides: tuple[BinSums, BinSums], inside: NDArray[np.bool_], n_required: float, alpha: float
    ) -> Assessment | None:
        """Assess the bins inside; ``None`` where events of several entries fill them all alike."""
        gen, ref = (Fractions.from_sums(side.sumw, side.sumw2, side.covariances) for side in sides)
        if all(_is_noiseless(side) for side in (gen, ref)):
            return None
        events = self.reference.n_events
        clusters = (
            None if self.clusters is None else self.clusters.inside(inside, sides[1].total / self.reference.total)
        )
        cross = None if clusters is None else clusters.cross(gen.q, ref.q)
        single = sides[1].products if sides[1].clusters is not None else None
        return assess(
            gen,
            ref,
            n_required if events is None else self.n_required,
            replace(self.limits, confidence=1 - alpha, attempt=1, looks=1),
            chi2_module.chi2_test(*sides, cross=cross),
            _inside(self.layout.at(np.flatnonzero(inside))),
            events=events,
            cut_share=self.cut_share,
            clusters=clusters,
            single=None if single is None else Fractions.from_sums(sides[1].sumw, sides[1].sumw2, single),
        )

    def _grown(self, seeds: list[Regional]) -> list[Regional]:
        """Let ROBUST runs of one size grow to either side, those at an end first; return the largest that results."""
        if self.layout.arrangement is Arrangement.PARTS:
            return []
        bins = self.order.size
        borders = self._steps()
        grown: list[Regional] = []
        for seed in sorted(seeds, key=lambda region: region.run.first > 0 and region.run.last < bins - 1):
            run = seed.run
            if any(region.run.contains(run) for region in grown):
                continue
            above = [(run.first, border - 1) for border in borders if border > run.last + 1]
            below = [(border, run.last) for border in reversed(borders) if border < run.first]
            level = run.alpha / 2 if above and below else run.alpha
            for ends in (above, below):
                steps = (self.test(Run(first, last, level)) for first, last in ends if last - first < bins - 1)
                robust = list(takewhile(lambda region: region.robust, steps))
                grown += robust[-1:]
        return sorted(grown, key=lambda region: -region.shares[1])[:1]


def _is_noiseless(side: Fractions) -> bool:
    """Tell whether the errors of a side would be estimated as 0, as of a single event of several entries."""
    return side.joint is not None and float(side.variance.sum()) <= _NOISELESS * side.sigma * float(side.q @ side.q)


def _verdict(a: Assessment) -> Verdict:
    """Decide by the p-value against disagreement, which takes a tenth of the time of its limits and says the same."""
    if not a.admissible:
        return Verdict.UNPROVEN
    if a.p_biased < a.limits.alpha:
        return Verdict.BIASED
    return Verdict.UNPROVEN if a.open() else Verdict.ROBUST


def _parents(position: int) -> set[int]:
    """Return the positions, at the next larger scale, of the runs that contain the run at a position."""
    return {position // 2, (position - 1) // 2}


def runs(content: FloatArray, layout: Layout, alpha: float) -> list[dict[int, Run]]:
    """Return the runs of each scale, largest first: place along the path -> run.

    Args:
        content: s = (q + p)/2, shape (bins,), positive, along the path of neighbours.
        layout: How the bins lie, in this order.
        alpha: Error probability of all together.

    Returns:
        The run at place j of scale l is from j/2^(l+1) to (j+2)/2^(l+1) of all (see `_borders`). Those of fewer than
        `MIN_BINS` bins are not among them; of the cells of a tree only those at even j are, the branches: across its
        cuts cells are no neighbours. There is no scale where bins have no order.
    """
    if layout.arrangement is Arrangement.NONE:
        return []
    scales = 0
    while scales < MAX_SCALES and content.size >= MIN_BINS * 2 ** (scales + 1):
        scales += 1
    by_scale = []
    stride = 2 if layout.arrangement is Arrangement.PARTS else 1
    for scale in range(1, scales + 1):
        borders = _borders(content, layout, np.linspace(0, 1, 2 ** (scale + 1) + 1)).tolist()
        positions = range(0, 2 ** (scale + 1) - 1, stride)
        level = alpha / scales / len(positions)
        candidates = {j: Run(borders[j], borders[j + 2] - 1, level) for j in positions}
        by_scale.append({j: run for j, run in candidates.items() if run.last - run.first + 1 >= MIN_BINS})
    return by_scale


def hopeless(a: Assessment, level: float) -> bool:
    """Tell whether no region could be ROBUST however well the samples agree, these being too few.

    Args:
        a: What decides on the whole.
        level: Error probability of each limit in the largest regions.
    """
    ratios = (0.5 * test.demanded * test.separation.m1 / test.separation.m2 / test.per_event for test in a.tests)
    return a.n_required * math.log(1 / level) > _HOPE * min(ratios)


def _borders(content: FloatArray, layout: Layout, fractions: FloatArray) -> IntArray:
    """Return the bins nearest to fractions of the whole, or the first bin of a slab where that is as near.

    The whole is half contents and half number of bins: cells of equal contents are divided evenly, and of a falling
    spectrum in equal bins neither the peak nor the tail is left with too few bins.
    """
    cumulative = np.concatenate([[0.0], np.cumsum(content / content.sum() + 1 / content.size)])
    cumulative /= cumulative[-1]
    nearest = _nearest(cumulative, fractions)
    if layout.arrangement in _SLABBED:
        slabs = np.concatenate([[0], np.flatnonzero(np.diff(layout.positions[:, 0])) + 1, [content.size]])
        first = slabs[_nearest(cumulative[slabs], fractions)]
        close = np.abs(cumulative[first] - fractions) <= 0.5 / (fractions.size - 1)
        nearest = np.where(close, first, nearest)
    return nearest


def _nearest(values: FloatArray, targets: FloatArray) -> IntArray:
    """Return the position of the value nearest to each target; values increase."""
    following = np.clip(np.searchsorted(values, targets), 1, values.size - 1)
    return np.where(targets - values[following - 1] <= values[following] - targets, following - 1, following)


def _inside(layout: Layout) -> Layout:
    """Return the layout of a selection of bins: a line for those of a circle or of one slab, none for one part."""
    kind, positions = layout.arrangement, layout.positions
    if kind is Arrangement.CIRCLE:
        return Layout(Arrangement.LINE, positions)
    if kind in _SLABBED and np.all(positions[:, 0] == positions[0, 0]):
        return Layout.none(len(positions)) if kind is Arrangement.PARTS else Layout(Arrangement.LINE, positions[:, 1:2])
    return layout

"""Regions by themselves: where a generator may be used that is not ROBUST as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.histograms.bins import Unlabelled
from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.results import Verdict
from pytest_ganvalid.statistics.chi2 import chi2_test
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.power import allowed_excess
from pytest_ganvalid.statistics.regions import MAX_SCALES, MIN_BINS, Map, Regional, Run, hopeless, runs
from pytest_ganvalid.statistics.robustness import Assessment, assess
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
ALPHA = 0.05
N_REQUIRED = 4_000


def map_of(generated: object, reference: object, n_required: float = N_REQUIRED, **keywords: object) -> Map:
    """Two histograms along one axis, with the default limits."""
    sides = [as_bin_sums(gv.Counts(np.asarray(side)), "toy") for side in (generated, reference)]
    bins = sides[0].sumw.size
    defaults: dict[str, object] = {"layout": Layout.line(bins), "order": np.arange(bins), "limits": Limits()}
    return Map(sides[0], sides[1], n_required=n_required, **(defaults | keywords))  # type: ignore[arg-type]


def toy(shares: FloatArray, seed: int, *, per_required: float = 10, n_required: float = N_REQUIRED) -> Map:
    """Samples of a generator of such contents and of a flat reference."""
    rng = np.random.default_rng(seed)
    flat = np.full(shares.size, 1 / shares.size)
    sizes = round(10 * per_required * n_required), round(per_required * n_required)
    return map_of(rng.multinomial(sizes[0], shares), rng.multinomial(sizes[1], flat), n_required)


def whole(some: Map) -> Assessment:
    """What decides on all bins."""
    ours, theirs = (Fractions.from_sums(side.sumw, side.sumw2) for side in (some.generated, some.reference))
    chi2 = chi2_test(some.generated, some.reference)
    return assess(ours, theirs, some.n_required, some.limits, chi2, some.layout)


def with_defect(bins: int = 50, at: int = 15, size: float = 0.6) -> FloatArray:
    """Flat contents but for two bins, of which one has what the other lacks."""
    shares = np.full(bins, 1 / bins)
    shares[at : at + 2] *= [1 + size, 1 - size]
    return shares


def overlaps(region: Regional, first: int, last: int) -> bool:
    """Tell whether a region has any of some bins."""
    return region.run.first <= last and region.run.last >= first


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=400), st.floats(1e-6, 0.5))
def test_levels_add_up_to_that_of_all(contents: list[float], alpha: float) -> None:
    """Whatever the contents, the levels of all runs together are at most α, and each has bins enough, in order."""
    scales = runs(np.array(contents), Layout.line(len(contents)), alpha)
    some = [run for scale in scales for run in scale.values()]
    assert sum(run.alpha for run in some) <= alpha * (1 + 1e-12)
    assert all(0 <= run.first <= run.last - MIN_BINS + 1 and run.last < len(contents) for run in some)
    assert bool(some) or len(contents) < 2 * MIN_BINS or np.ptp(contents) > 0
    assert len(scales) <= MAX_SCALES


@given(st.integers(10, 1_000))
def test_runs_of_even_cells_are_half_overlapping_halvings(bins: int) -> None:
    """Of cells of equal contents the runs of scale l are 2^-l of all, but for rounding, and cover all of them twice."""
    for scale, some in enumerate(runs(np.ones(bins), Layout.line(bins), ALPHA), start=1):
        sizes = [run.last - run.first + 1 for run in some.values()]
        assert all(abs(size - bins / 2**scale) <= 1.01 for size in sizes)
        firsts = [run.first for run in some.values()]
        assert firsts == sorted(firsts)
        covered = np.zeros(bins, dtype=int)
        for run in some.values():
            covered[run.first : run.last + 1] += 1
        if len(some) == 2 ** (scale + 1) - 1:
            assert covered.min() >= 1
            assert covered.max() <= 2


def test_runs_of_slabs_end_where_slabs_do() -> None:
    """The halves of seven slabs of seven cells are of whole slabs; cells in parts of no order have no runs."""
    layout = Layout(Arrangement.SLABS, np.stack(np.unravel_index(np.arange(49), (7, 7)), axis=1))
    halves = runs(np.ones(49), layout, ALPHA)[0].values()
    assert all(run.first % 7 == 0 and run.last % 7 == 6 for run in halves)
    assert runs(np.ones(49), Layout.none(49), ALPHA) == []


def test_regions_of_a_tree_are_its_branches() -> None:
    """Of cells in parts the runs do not overlap, end where parts do, share α by number, and do not grow."""
    layout = Layout(Arrangement.PARTS, np.repeat(np.arange(4), 10)[:, None])
    halves, quarters, *_ = runs(np.ones(40), layout, ALPHA)
    assert [(run.first, run.last, run.alpha) for run in halves.values()] == [(0, 19, ALPHA / 6), (20, 39, ALPHA / 6)]
    assert [(run.first, run.last) for run in quarters.values()] == [(0, 9), (10, 19), (20, 29), (30, 39)]
    found = replace(toy(with_defect(40, 31), 2, per_required=40), layout=layout).regions()
    assert {(r.run.first, r.run.last) for r in found if r.robust} >= {(0, 19), (20, 29)}
    assert all(r.run.first // 20 == r.run.last // 20 for r in found)


def test_a_region_is_what_its_selection_would_be() -> None:
    """The verdict and n_equivalent of a run are those of its contents as samples of their own, at its level."""
    some = toy(with_defect(), 1)
    for first, last in ((0, 12), (10, 24), (17, 49)):
        found = some.test(Run(first, last, 0.01))
        inside = slice(first, last + 1)
        sides = [gv.Counts(side.sumw[inside]) for side in (some.generated, some.reference)]
        alone = gv.compare(*sides, n_required=found.n_required, confidence=0.99)
        assert found.verdict is alone.verdict
        assert found.worth == pytest.approx(alone.n_equivalent.lower, rel=1e-9)
        assert found.n_required == pytest.approx(N_REQUIRED * some.reference.sumw[inside].sum() / some.reference.total)


def test_a_defect_is_found_and_the_rest_may_be_used() -> None:
    """With a defect in two of fifty bins the smallest BIASED regions are there, and the largest ROBUST one is not."""
    largest = []
    for seed in range(5):
        some = toy(with_defect(at=15), seed)
        found = some.regions_of(whole(some))
        biased = [region for region in found if region.verdict is Verdict.BIASED]
        assert biased
        assert all(overlaps(region, 15, 16) for region in biased)
        robust = [region for region in found if region.robust]
        assert not any(region.run.first <= 15 and region.run.last >= 16 for region in robust)
        largest.append(max(region.shares[1] for region in robust))
    assert np.median(largest) > 0.6  # 0.66 are beyond the defect; halves alone reach 0.5


def test_a_bias_everywhere_leaves_nothing_to_use() -> None:
    """Ripples that exceed E in every half and quarter by far leave no large region ROBUST."""
    shares = np.full(100, 0.01) * (1 + 0.35 * np.resize([1, -1], 100))
    found = toy(shares, 3).regions()
    assert not [region for region in found if region.robust and region.shares[1] > 0.2]
    assert [region for region in found if region.verdict is Verdict.BIASED]


def test_false_regions_are_rare() -> None:
    """With halves on the boundary, and larger regions beyond it, hardly any toy has a ROBUST region of that size."""
    bins, half = 60, 30
    delta = 1.1 * allowed_excess(half - 1, 1.0) / (N_REQUIRED / 2)
    shift = np.sqrt(4 * delta / (2 + delta))
    shares = np.full(bins, 1 / bins) * (1 + shift * np.resize([1, -1], bins))
    false = sum(
        any(region.robust and region.run.last - region.run.first >= half - 1 for region in toy(shares, seed).regions())
        for seed in range(30)
    )
    assert false <= 5  # of 30, at 0.05 exceeded once in three hundred


def test_what_is_inside_a_robust_region_is_left_out() -> None:
    """No run inside a ROBUST one is looked into, unless that is asked for; and what grew holds what it grew from."""
    some = toy(with_defect(), 2)
    found = some.regions()
    every = some.regions(everywhere=True)
    assert len(every) > len(found)
    tested = {run for scale in some.scales for run in scale.values()}
    robust = [region.run for region in found if region.robust and region.run in tested]
    for region in found:
        if region.run in tested:
            assert not any(run.contains(region.run) and run != region.run for run in robust)
    (grown,) = [region.run for region in found if region.run not in tested]
    assert any(grown.contains(run) for run in robust)
    assert [(r.run.first, -r.run.last) for r in found] == sorted((r.run.first, -r.run.last) for r in found)


def test_nothing_is_tested_where_nothing_could_come_of_it() -> None:
    """A whole that is ROBUST, few events, few bins and bins without order have no regions."""
    good = toy(np.full(50, 0.02), 1)
    assert whole(good).verdict() is Verdict.ROBUST
    assert good.regions_of(whole(good)) == ()
    few = toy(np.full(50, 0.02), 1, per_required=0.3)
    assert hopeless(whole(few), ALPHA / 9)
    assert few.regions_of(whole(few)) == ()
    assert not any(region.robust for region in few.regions())
    narrow = toy(with_defect(8, 3), 1)
    assert narrow.regions_of(whole(narrow)) == narrow.regions() == ()
    bad = toy(with_defect(), 1)
    assert bad.regions_of(whole(bad))
    assert replace(bad, layout=Layout.none(50)).regions_of(whole(bad)) == ()


def test_hope_is_given_up_only_where_there_is_none() -> None:
    """With as many events as just give hope the best possible agreement of a half is ROBUST; with too few it is not."""
    contents = np.full(50, 1_000)
    for n_required in (3_000, 10_000, 20_000, 100_000):
        some = map_of(contents, contents, n_required)
        if hopeless(whole(some), ALPHA / 9):
            assert not any(region.robust for region in some.regions(everywhere=True))
        else:
            assert n_required < 100_000


def test_a_region_without_generated_events_is_unproven() -> None:
    """Where one side has nothing, nothing can be normalised: UNPROVEN, worth nothing."""
    generated = np.full(40, 500)
    generated[:20] = 0
    found = map_of(generated, np.full(40, 500)).test(Run(0, 19, 0.01))
    assert (found.verdict, found.worth, found.shares[0]) == (Verdict.UNPROVEN, 0.0, 0.0)


def test_entries_keep_the_covariance_of_their_events() -> None:
    """Of events with three entries each, all in one bin, a region is worth a third of what entries alone claim."""
    some = toy(np.full(40, 0.025), 5)
    sides = [
        BinSums(3 * side.sumw, 9 * side.sumw, side.bins, np.diag(9 * side.sumw), side.total)
        for side in (some.generated, some.reference)
    ]
    entries = replace(some, generated=sides[0], reference=sides[1])
    run = Run(0, 19, 0.01)
    assert entries.test(run).worth == pytest.approx(some.test(run).worth, rel=0.02)
    assert entries.test(run).verdict is some.test(run).verdict


def test_events_that_are_all_alike_inside_show_nothing() -> None:
    """Where every event fills the bins of a region alike its noise is not known, and the region is UNPROVEN."""
    sums = 100.0 * np.ones(20)
    side = BinSums(sums, sums, Unlabelled((20,)), np.full((20, 20), 100.0), 100.0)
    alike = Map(side, side, Layout.line(20), np.arange(20), 50, Limits()).test(Run(0, 9, 0.01))
    assert (alike.verdict, alike.worth) == (Verdict.UNPROVEN, 0.0)


def test_the_millionth_attempt_has_no_regions() -> None:
    """At levels so small that 1 - α does not hold them nothing is tested."""
    bad = toy(with_defect(), 1)
    assert replace(bad, limits=Limits(attempt=1_000_000)).regions_of(whole(bad)) == ()


@settings(max_examples=10)
@given(st.permutations(range(12)))
def test_the_order_of_storage_does_not_matter(order: list[int]) -> None:
    """Bins stored in another order, their path being known, have the same regions."""
    generated, reference = np.arange(300, 420, 10), np.full(12, 360)
    some = map_of(generated, reference, 500)
    places = np.array(order)
    other = map_of(
        generated[places],
        reference[places],
        500,
        layout=Layout(Arrangement.LINE, places[:, None]),
        order=np.argsort(places),
    )
    for ours, theirs in zip(some.regions(), other.regions(), strict=True):
        assert ours.run == theirs.run
        assert ours.worth == pytest.approx(theirs.worth)
        assert ours.verdict is theirs.verdict

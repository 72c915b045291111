"""Merging makes every bin fit for the statistics, symmetrically, and loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis, Grid, Nominal, Unlabelled, WithOutside
from pytest_ganvalid.histograms.merging import Merged, joined_cells, merge_sparse_bins, planned_bins
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums

Array = NDArray[np.float64]


def _sums(values: ArrayLike, variances: ArrayLike | None = None) -> BinSums:
    return as_bin_sums(gv.Counts(values, variances), "generated")


def _counts(seed: int, bins: int = 60, events: int = 2_000) -> tuple[BinSums, BinSums]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(bins, 0.3))
    return _sums(rng.multinomial(events, p)), _sums(rng.multinomial(3 * events, p))


def _signed(seed: int, bins: int = 40, events: int = 3_000) -> tuple[BinSums, BinSums]:
    """Fill both sides with events of which about a third weigh -1, more of them towards the end."""
    rng = np.random.default_rng(seed)

    def one() -> BinSums:
        index = np.minimum(rng.exponential(bins / 6, events).astype(int), bins - 1)
        weight = np.where(rng.random(events) < 0.3 + 0.2 * index / bins, -1.0, 1.0)
        return _sums(np.bincount(index, weight, minlength=bins), np.bincount(index, weight**2, minlength=bins))

    return one(), one()


def _expected(merged: Merged) -> Array:
    n_g, n_r = merged.generated.n_effective, merged.reference.n_effective
    q, p = merged.generated.sumw / merged.generated.total, merged.reference.sumw / merged.reference.total
    return np.asarray(min(n_g, n_r) * (n_g * q + n_r * p) / (n_g + n_r))


@pytest.mark.parametrize("make", [_counts, _signed])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("least", [0.5, 10, 100])
def test_every_group_is_full_and_nothing_is_lost(make: Any, seed: int, least: float) -> None:
    """Every group expects enough events, has a positive pooled weight, and the groups add up to the whole."""
    generated, reference = make(seed)
    merged = merge_sparse_bins(generated, reference, least)
    assert not merged.sparse
    assert (_expected(merged) >= least * (1 - 1e-9)).all()
    for after, before in ((merged.generated, generated), (merged.reference, reference)):
        assert after.total == pytest.approx(before.total, rel=1e-12)
        assert after.sumw2.sum() == pytest.approx(before.sumw2.sum(), rel=1e-12)
    assert (merged.generated.sumw / generated.total + merged.reference.sumw / reference.total > 0).all()
    assert merged.groups[0, 0] == 0
    assert merged.groups[-1, 1] == generated.sumw.size - 1
    np.testing.assert_array_equal(merged.groups[1:, 0], merged.groups[:-1, 1] + 1)


@pytest.mark.parametrize("make", [_counts, _signed])
@pytest.mark.parametrize("seed", range(5))
def test_groups_are_symmetric_and_scale_free(make: Any, seed: int) -> None:
    """Neither swapping the samples nor scaling the weights of one of them changes the groups."""
    generated, reference = make(seed)
    groups = merge_sparse_bins(generated, reference, 10).groups
    np.testing.assert_array_equal(merge_sparse_bins(reference, generated, 10).groups, groups)
    for factor in (1e-6, 3.7, 1e6):
        scaled = _sums(factor * generated.sumw, factor**2 * generated.sumw2)
        np.testing.assert_array_equal(merge_sparse_bins(scaled, reference, 10).groups, groups)


@settings(derandomize=True, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=30),
    least=st.floats(0, 50),
)
def test_merging_of_any_counts(counts: list[tuple[int, int]], least: float) -> None:
    """Any two histograms of counts are merged into full groups or called sparse, and keep their totals."""
    first, second = np.array(counts, dtype=float).T
    if not first.sum() or not second.sum() or ((first + second) > 0).sum() < 2:
        return
    merged = merge_sparse_bins(_sums(first), _sums(second), least)
    assert merged.generated.total == first.sum()
    assert merged.reference.total == second.sum()
    assert merged.generated.sumw.size >= 2
    assert ((merged.generated.sumw + merged.reference.sumw) > 0).all()
    if not merged.sparse:  # the larger of both contents counts where they are shown to differ
        q, p = merged.generated.sumw / first.sum(), merged.reference.sumw / second.sum()
        assert (min(first.sum(), second.sum()) * (q + p) >= least * (1 - 1e-8)).all()


def _chosen(shares: list[float], tails: tuple[int, int] = (0, 0), open_cells: tuple[int, ...] = ()) -> Grid:
    """Bins of one axis that were cut to hold such shares of a reference."""
    axis = Axis(tuple(float(i) for i in range(len(shares) - 1)))
    return Grid((axis,), Nominal(tuple(shares), tails, open_cells))


def _filled(bins: Grid, counts: Any) -> BinSums:
    counts = np.asarray(counts, dtype=float)
    return BinSums(counts, counts, bins)


@pytest.mark.parametrize(
    ("n_generated", "n_required", "cells"),
    [
        (1e6, 1e6, 54),
        (1e6, 2_000, 54),  # 10 events in 1/200
        (1e6, 1_900, 54),  # within what ties do
        (1e6, 1_500, 52),
        (1e6, 1_000, 52),
        (1e6, 400, 50),
        (1e6, 250, 50),
        (1e6, 200, 25),
        (1e6, 100, 16),
        (1e6, 10, 2),
        (1e6, 9, 1),
        (4_000, 1e6, 54),
        (1_000, 1e6, 50),
        (500, 1e6, 25),
        (30, 1e6, 1),
    ],
)
def test_cells_are_joined_by_sizes_alone(n_generated: float, n_required: float, cells: int) -> None:
    """Cells of a reference are joined until generated events and n_required suffice, halved tails sooner."""
    end = [1 / 200, 1 / 200, 1 / 100]
    shares = [*end, *[1 / 50] * 48, *end[::-1]]
    starts = joined_cells(Nominal(tuple(shares), (3, 3)), n_generated, 1e6, n_required)
    assert starts.size == cells
    groups = np.add.reduceat(shares, starts)
    if cells > 1:
        assert (n_generated * groups >= 20 * 0.95).all()
        assert (n_required * groups >= 5 * 0.95).all()
    np.testing.assert_allclose(groups[:2], groups[::-1][:2] if cells > 25 else groups[:2])


@settings(derandomize=True, deadline=None)
@given(data=st.data(), bins=st.integers(2, 30), seed=st.integers(0, 2**16))
def test_joining_never_sees_contents(data: Any, bins: int, seed: int) -> None:
    """Whatever both samples hold in cells that were cut at quantiles, the groups are those of the sizes."""
    low = data.draw(st.integers(0, bins // 2))
    high = data.draw(st.integers(0, bins - low))
    shares = tuple(np.random.default_rng(seed).dirichlet(np.full(bins, 3.0)).tolist())
    grid, expected = _chosen(list(shares), (low, high)), joined_cells(Nominal(shares, (low, high)), 9e3, 5e3, 300)
    groups = []
    for k in range(2):
        rng = np.random.default_rng([seed, k])
        g, r = (rng.multinomial(n, rng.dirichlet(np.full(bins, 5.0))) + 1 for n in (9_000, 5_000))
        merged = merge_sparse_bins(_filled(grid, g), _filled(grid, r), 10, (9_000.0, 5_000.0), 300)
        assert merged.sparse == (expected.size < 2)
        groups.append(merged.groups.tolist() if not merged.sparse else None)
    assert groups[0] == groups[1]


def test_open_cells_are_merged_by_contents() -> None:
    """A cell that no quantile bounds is on its own if the samples fill it, and else joins the one after or before."""
    grid = _chosen([0.0, 0.5, 0.5, 0.0], open_cells=(0, 3))
    reference = _filled(grid, [0, 500, 500, 0])
    for counts, groups in (
        ([0, 500, 500, 0], [[0, 1], [2, 3]]),
        ([9, 500, 491, 0], [[0, 1], [2, 3]]),
        ([100, 500, 400, 0], [[1, 1], [2, 3], [0, 0]]),
        ([0, 450, 450, 100], [[0, 1], [2, 2], [3, 3]]),
        ([100, 400, 400, 100], [[1, 1], [2, 2], [0, 0], [3, 3]]),
    ):
        merged = merge_sparse_bins(_filled(grid, counts), reference, 10, None, 1_000)
        assert merged.groups.tolist() == groups
        assert merged.generated.total == 1_000
        assert np.array_equal(np.bincount(merged.group_of, counts), merged.generated.sumw)


def test_an_open_cell_within_a_group_is_taken_out() -> None:
    """Cells on both sides of a full open one may be joined all the same; nothing is lost."""
    grid = _chosen([0.25, 0.25, 0.0, 0.25, 0.25], open_cells=(2,))
    merged = merge_sparse_bins(_filled(grid, [10, 10, 20, 10, 10]), _filled(grid, [15, 15, 0, 15, 15]), 5, None, 100)
    assert merged.groups.tolist() == [[0, 1], [3, 4], [2, 2]]
    assert merged.group_of.tolist() == [0, 0, 2, 1, 1]
    assert merged.generated.sumw.tolist() == [20, 20, 20]


def test_events_outside_a_selection_are_an_open_cell() -> None:
    """The bin outside a selection is not joined with cells of quantiles unless it is nearly empty."""
    inside = _chosen([0.1, 0.1])
    for outside, groups in ((800, [[0, 0], [1, 1], [2, 2]]), (5, [[0, 0], [1, 2]])):
        counts = np.array([100.0, 100.0, outside])
        sums = BinSums(counts, counts, WithOutside(inside))
        assert merge_sparse_bins(sums, sums, 10, None, 1_000).groups.tolist() == groups


@pytest.mark.parametrize("bins", [50, 200])
@pytest.mark.parametrize("per_bin", [10, 20])
def test_holes_of_a_large_sample_stay_visible(bins: int, per_bin: int) -> None:
    """Every other bin empty is BIASED with ten times as many generated events, and those bins are not merged away."""
    rng = np.random.default_rng([bins, per_bin])
    n = bins * per_bin
    comb = np.tile([2.0, 0.0], bins // 2) / bins
    for _ in range(20):
        counts = rng.multinomial(10 * n, comb), rng.multinomial(n, np.full(bins, 1 / bins))
        assert gv.compare(*map(gv.Counts, counts), n_required=n).verdict is gv.Verdict.BIASED


def test_groups_of_given_bins_follow_neither_sample() -> None:
    """Merging of bins that do not differ follows the pooled contents, which the larger sample decides."""
    rng = np.random.default_rng(3)
    p = np.full(200, 1 / 200)
    alone, kept = [], []
    for _ in range(20):
        generated, reference = rng.multinomial(24_000, p), rng.multinomial(2_400, p)
        starts = merge_sparse_bins(_sums(generated), _sums(reference), 10).groups[:, 0]
        single = np.diff(np.append(starts, 200)) == 1
        alone.append(single.mean())
        kept += (reference[starts[single]] - 12).tolist()
    assert np.mean(alone) > 0.8
    assert abs(np.mean(kept)) < 4 * np.std(kept) / len(kept) ** 0.5 + 0.1  # by (q + p)/2 it is 0.6


def test_full_bins_are_left_alone() -> None:
    """Bins that expect exactly the least are full, whatever the rounding of their shares."""
    for bins in range(2, 40):
        merged = merge_sparse_bins(_sums([10] * bins), _sums([10] * bins), 10)
        assert merged.groups[:, 0].tolist() == list(range(bins))


def test_too_few_events_are_sparse() -> None:
    """With too few events for two bins, the two halves are still compared but flagged, and never ROBUST."""
    generated, reference = [4, 1, 0, 5], [4, 3, 2, 1]
    merged = merge_sparse_bins(_sums(generated), _sums(reference), 10)
    assert merged.sparse
    assert merged.generated.sumw.size == 2
    assert (merged.generated.total, merged.reference.total) == (10, 10)
    found = gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=1)
    assert found.verdict is gv.Verdict.UNPROVEN
    assert "too few events" in found.reasons[0]


def test_a_huge_reference_does_not_help_a_tiny_sample() -> None:
    """What counts is the smaller sample: three generated events never pass."""
    found = gv.compare(gv.Counts([2, 1, 0]), gv.Counts([500_000, 300_000, 200_000]), n_required=1)
    assert found.verdict is gv.Verdict.UNPROVEN


@pytest.mark.parametrize("bins", [3, 50])
def test_one_populated_bin_is_refused(bins: int) -> None:
    """All events of both samples in one bin compare nothing."""
    counts = [0] * bins
    counts[1] = 1000
    with pytest.raises(InputError, match=f"lie in 1 bin of {bins}: nothing is compared"):
        merge_sparse_bins(_sums(counts), _sums(counts), 10)


def test_leftovers_join_the_last_group() -> None:
    """Sparse, empty and negative bins at the end are kept in the last group."""
    generated = _sums([50.0, 50.0, 3.0, -2.0, 0.0], [50.0, 50.0, 3.0, 2.0, 0.0])
    merged = merge_sparse_bins(generated, generated, 10)
    assert merged.groups.tolist() == [[0, 0], [1, 4]]
    assert merged.generated.sumw.tolist() == [50, 51]


def test_negative_leftovers_eat_their_way_back() -> None:
    """A negative end that empties the last group takes in the one before, until the sum is positive."""
    generated = _sums([100.0, 30.0, 20.0, -45.0], [100.0, 30.0, 20.0, 45.0])
    merged = merge_sparse_bins(generated, generated, 1)
    assert merged.groups.tolist() == [[0, 0], [1, 3]]
    assert merged.generated.sumw.tolist() == [100, 5]


def test_no_two_positive_bins_are_refused() -> None:
    """Signed weights that leave no two bins with a positive sum are refused."""
    sums = _sums([-10.0, 20.0, -5.0], [10.0, 20.0, 5.0])
    with pytest.raises(InputError, match="no two bins with a positive sum"):
        merge_sparse_bins(sums, sums, 10)


def test_two_dimensional_groups_are_neighbours() -> None:
    """On a grid, groups run along the snake, so that what is merged lies together."""
    generated = np.zeros((2, 3), dtype=int)
    generated[0, 0] = generated[0, 2] = generated[1, 2] = generated[1, 0] = 50
    merged = merge_sparse_bins(_sums(generated), _sums(generated), 60)
    assert merged.groups.tolist() == [[0, 2], [5, 3]]


def _groups(counts: list[int], least: float) -> list[list[int]]:
    """Groups of bins that hold so many events in either sample."""
    found: list[list[int]] = merge_sparse_bins(_sums(counts), _sums(counts), least).groups.tolist()
    return found


@pytest.mark.parametrize(
    ("counts", "least", "groups"),
    [
        ([5, 5, 5], 0, [[0, 0], [1, 1], [2, 2]]),
        ([0, 5, 5], 0, [[0, 1], [2, 2]]),
        ([5, 0, 5], 0, [[0, 0], [1, 2]]),
        ([5, 5, 0], 0, [[0, 0], [1, 2]]),
        ([0, 5, 0, 0, 5, 0], 0, [[0, 1], [2, 5]]),
        ([5, 5, 5], 5, [[0, 0], [1, 1], [2, 2]]),
        ([5, 0, 5], 5, [[0, 0], [1, 2]]),
        ([5, 4, 1, 5], 5, [[0, 0], [1, 2], [3, 3]]),
        ([5, 4, 1, 5], 5.001, [[0, 1], [2, 3]]),
        ([5, 4, 1, 5], 6, [[0, 1], [2, 3]]),
        ([4, 6, 0, 0], 10, [[0, 0], [1, 3]]),
        ([10, 4], 5, [[0, 0], [1, 1]]),
    ],
)
def test_least_crossed_with_empty_bins(counts: list[int], least: float, groups: list[list[int]]) -> None:
    """A bin with exactly the least is full; an empty one never is, even if the least is 0, and joins its neighbour."""
    assert _groups(counts, least) == groups


@pytest.mark.parametrize("least", [1e300, 1e18])
def test_a_least_beyond_all_events_leaves_two_halves(least: float) -> None:
    """Where no bin can be full the histogram is cut in halves, both populated, and called sparse."""
    for counts, groups in (
        ([1, 2, 3, 4], [[0, 2], [3, 3]]),
        ([0, 0, 1, 1], [[0, 2], [3, 3]]),
        ([1, 1, 0, 0], [[0, 0], [1, 3]]),
        ([9, 0, 0, 1], [[0, 0], [1, 3]]),
        ([1, 0, 0, 9], [[0, 0], [1, 3]]),
    ):
        merged = merge_sparse_bins(_sums(counts), _sums(counts), least)
        assert merged.sparse
        assert merged.groups.tolist() == groups


@pytest.mark.parametrize(("n", "sparse"), [(10, False), (9, True)])
def test_two_full_bins_are_enough(n: int, *, sparse: bool) -> None:
    """Two bins of exactly the least are not sparse, with one event less they are."""
    assert merge_sparse_bins(_sums([10, 10]), _sums([n, n]), 10).sparse is sparse


def test_sizes_stand_in_for_effective_events() -> None:
    """Where the effective sizes are given, those decide how much a bin expects."""
    counts = _sums([10, 10, 10, 10])
    assert merge_sparse_bins(counts, counts, 10, (40, 400)).groups[:, 0].tolist() == [0, 1, 2, 3]
    assert merge_sparse_bins(counts, counts, 10, (400, 20)).groups[:, 0].tolist() == [0, 2]


def test_populated_bins_are_counted_on_either_side() -> None:
    """A bin counts as populated if either sample has an event in it, also one whose weights cancel."""
    first = _sums([5.0, 0.0, 0.0, 20.0], [5.0, 0.0, 4.0, 20.0])
    second = _sums([5.0, 7.0, 0.0, 20.0], [5.0, 7.0, 0.0, 20.0])
    assert merge_sparse_bins(first, second, 0).populated == 4


def test_covariances_are_merged_on_both_sides() -> None:
    """Where events have several entries, the products of a group are the sums over its bins of either index."""
    rng = np.random.default_rng(5)
    contents = rng.poisson(0.4, (200, 6)).astype(float)
    bins = _sums([1] * 6).bins
    sums = BinSums(contents.sum(0), (contents**2).sum(0), bins, contents.T @ contents, 200.0)
    merged = merge_sparse_bins(sums, sums, 120, (200, 200)).generated
    groups = merge_sparse_bins(sums, sums, 120, (200, 200)).groups
    together = np.array([contents[:, a : b + 1].sum(1) for a, b in groups.tolist()])
    assert merged.products is not None
    np.testing.assert_allclose(merged.products, together @ together.T)
    np.testing.assert_allclose(merged.sumw2, (together**2).sum(1))
    assert merged.n_events == 200


def test_many_bins() -> None:
    """A hundred thousand bins are merged into full groups."""
    rng = np.random.default_rng(1)
    generated, reference = (_sums(rng.poisson(3, 100_000)) for _ in range(2))
    merged = merge_sparse_bins(generated, reference, 10)
    assert merged.generated.sumw.size < 50_000
    assert (_expected(merged) >= 10 * (1 - 1e-9)).all()


@pytest.mark.parametrize("factor", [1e-6, 1e-2, 1e2, 1e6])
def test_halves_do_not_depend_on_the_scale_of_weights(factor: float) -> None:
    """Where samples are too small the cut is the same whatever the scale of either sample's weights."""
    generated, reference = _sums([5, 1, 1, 1]), _sums([1, 1, 1, 4])
    groups = merge_sparse_bins(generated, reference, 100).groups.tolist()
    for a, b in ((generated, reference), (reference, generated)):
        scaled = _sums(factor * a.sumw, factor**2 * a.sumw2)
        assert merge_sparse_bins(scaled, b, 100).groups.tolist() == groups


def test_planned_bins_do_not_depend_on_the_sample() -> None:
    """How many bins a large sample has follows from n_required and the shares, not from how many events are at hand."""
    shares = np.array([0.5, 0.3, 0.15, 0.04, 0.01])
    sums = [BinSums(n * shares, n * shares, Unlabelled((5,))) for n in (100, 10_000)]
    assert [planned_bins(side, 1_000) for side in sums] == [5, 5]
    assert [planned_bins(side, 100) for side in sums] == [4, 4]
    assert [planned_bins(side, 8) for side in sums] == [1, 1]

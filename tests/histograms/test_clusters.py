"""Sums over clusters are those of what each cluster put into the bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid import InputError
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.clusters import MAX_CELLS
from pytest_ganvalid.histograms.filling import fill, filled
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums

FloatArray = NDArray[np.float64]
BINS = Grid((Axis((1.0, 2.0, 3.0, 4.0)),))


def drawn(seed: int, n: int = 60) -> tuple[Any, NDArray[np.uint64], FloatArray]:
    """Values in five bins, their clusters, and weights of both signs."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 5, n) + 0.5, rng.integers(0, 12, n).astype(np.uint64), rng.normal(1, 1, n)


def by_hand(values: FloatArray, keys: NDArray[np.uint64], weight: FloatArray) -> FloatArray:
    """Contents of each cluster, shape (clusters, 5)."""
    some = [np.bincount(values[keys == k].astype(int), weight[keys == k], minlength=5) for k in np.unique(keys)]
    return np.array(some)


@given(st.integers(0, 10_000), st.booleans())
def test_sums_over_clusters(seed: int, weighted: bool) -> None:  # noqa: FBT001
    """Products, sizes and contents agree with those of the definition, and ordinary contents are as without."""
    values, keys, weight = drawn(seed)
    some = weight if weighted else None
    h = by_hand(values, keys, weight if weighted else np.ones(values.size))
    got = filled(BINS, (values,), some, cluster=keys)
    assert got.clusters is not None
    np.testing.assert_allclose(got.clusters.products, h.T @ h, atol=1e-12)
    np.testing.assert_allclose(got.clusters.sizes.value, [h.sum(), (h.sum(axis=1) ** 2).sum()])
    contents = got.clusters.contents
    assert contents is not None
    assert contents.keys.tolist() == np.unique(keys).tolist()
    np.testing.assert_allclose(contents.contents.toarray(), h, atol=1e-12)
    assert contents.rows.sum() == values.size
    plain = fill(BINS, (values,), some)
    sums = got.sums()
    assert np.array_equal(sums.sumw, plain.sumw)
    assert np.array_equal(sums.sumw2, plain.sumw2)
    assert sums.n_clusters == pytest.approx(h.sum() ** 2 / (h.sum(axis=1) ** 2).sum())
    assert not sums.unweighted


def test_other_clusters_add_up() -> None:
    """Sums of parts that hold whole clusters are those of all, without the contents of each."""
    values, keys, weight = drawn(1)
    whole = filled(BINS, (values,), weight, cluster=keys)
    parts: Any = [filled(BINS, (values[some],), weight[some], cluster=keys[some]) for some in (keys < 5, keys >= 5)]
    total = parts[0] + parts[1]
    np.testing.assert_allclose(total.clusters.products, whole.clusters.products)  # type: ignore[union-attr]
    np.testing.assert_allclose(total.clusters.sizes.value, whole.clusters.sizes.value)  # type: ignore[union-attr]
    assert total.clusters.contents is None


def test_entries_and_selections_in_clusters() -> None:
    """A cluster's entries are those of its events, and an event outside a selection is one in the last bin."""
    counts, selected = np.array([2, 0, 1]), np.array([True, True, False, True])
    sums = fill(
        BINS,
        (np.array([0.5, 1.5, 1.5]),),
        None,
        counts=counts,
        selected=selected,
        cluster=np.array([1, 1, 2, 2], dtype=np.uint64),
    )
    h = np.array([[1.0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1]])
    assert sums.clusters is not None
    assert np.array_equal(sums.clusters, h.T @ h)
    assert sums.products is not None
    assert not np.array_equal(sums.products, sums.clusters)
    assert sums.n_events == pytest.approx(4)


def test_merging_and_selecting_bins() -> None:
    """Merged and selected bins have the products that filling into such bins gives."""
    (a, ka, _), (b, kb, _) = drawn(2), drawn(3, 80)
    sides = fill(BINS, (a,), None, cluster=ka), fill(BINS, (b,), None, cluster=kb)
    merged = merge_sparse_bins(*sides, 15.0)
    assert 1 < merged.generated.sumw.size < 5
    group = merged.group_of
    h = by_hand(a, ka, np.ones(a.size))
    wide = np.stack([h[:, group == i].sum(axis=1) for i in range(group.max() + 1)], axis=1)
    assert merged.generated.clusters is not None
    np.testing.assert_allclose(merged.generated.clusters, wide.T @ wide)
    keep = np.array([True, False, True, True, False])
    chosen: BinSums = sides[0].select(keep)
    assert chosen.clusters is not None
    np.testing.assert_allclose(chosen.clusters, (h.T @ h)[np.ix_(keep, keep)])


def test_too_many_cells() -> None:
    """The covariance of more than a thousand cells is refused, with what to do."""
    bins = Grid((Axis(tuple(np.arange(float(MAX_CELLS + 1)).tolist())),))
    with pytest.raises(InputError, match=r"for 1,000 bins at most; got 1,002; choose fewer with bins="):
        filled(bins, (np.arange(3.0),), None, cluster=np.arange(3, dtype=np.uint64))

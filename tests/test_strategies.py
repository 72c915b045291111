"""What the strategies generate is what they promise, at both ends."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid import Counts, strategies
from pytest_ganvalid.errors import MissingExtraError

FEW = settings(max_examples=30)


def _squares(weighted: Counts) -> NDArray[np.float64]:
    """The sums of squared weights, which there are."""
    assert weighted.variances is not None
    return weighted.variances


@FEW
@given(st.data(), st.integers(2, 6), st.integers(0, 3), st.integers(3, 9))
def test_counts(data: st.DataObject, bins: int, least: int, largest: int) -> None:
    """Histograms have so many bins, counts between the bounds, and two of them populated."""
    counts = data.draw(strategies.histograms(bins, min_count=least, max_count=largest))
    found = counts.values
    assert counts.variances is None
    assert found.shape == (bins,)
    assert (least <= found).all()
    assert (found <= largest).all()
    assert (found > 0).sum() >= 2


@FEW
@given(strategies.histogram_pairs(st.integers(2, 5), min_count=1, max_count=2))
def test_pairs(pair: tuple[Counts, Counts]) -> None:
    """Both of a pair have the same bins, and keep to the bounds."""
    one, other = (counts.values for counts in pair)
    assert one.shape == other.shape
    assert 2 <= one.size <= 5
    assert {1, 2}.issuperset(one) and {1, 2}.issuperset(other)  # noqa: PT018


def test_the_ends_are_reached() -> None:
    """Empty bins, the bounds, and pairs that differ come up."""
    one = find(strategies.histograms(3, max_count=7), lambda h: h.values.max() == 7 and h.values.min() == 0)
    assert one.values.size == 3
    pair = find(strategies.histogram_pairs(2, max_count=9), lambda p: bool(p[0].values[0] != p[1].values[0]))
    assert pair[0].values.size == 2


@FEW
@given(strategies.histograms(), strategies.histogram_pairs())
def test_defaults(single: Counts, pair: tuple[Counts, Counts]) -> None:
    """By default there are ten bins of up to 10,000 events."""
    for counts in (single, *pair):
        assert counts.values.shape == (10,)
        assert counts.values.max() <= 10_000


@FEW
@given(strategies.weighted_histograms(4, min_events=3, max_events=5))
def test_weights(weighted: Counts) -> None:
    """Sums of squares are positive, and by Cauchy and Schwarz no less than the squared sums over the largest number."""
    sumw, sumw2 = weighted.values, _squares(weighted)
    assert sumw.shape == sumw2.shape == (4,)
    assert (sumw2 > 0).all()
    assert (sumw**2 <= sumw2 * 5 * (1 + 1e-12)).all()


def test_kinds_of_weights() -> None:
    """Unit weights, weights that differ and negative ones all come up; of unit weights there are as many as events."""
    one = strategies.weighted_histograms(2, min_events=4, max_events=4)
    unit = find(one, lambda h: bool((h.values == _squares(h)).all()))
    assert unit.values.tolist() == [4, 4]
    uneven = find(one, lambda h: not float(_squares(h)[0]).is_integer())
    assert (uneven.values != _squares(uneven)).any()
    negative = find(one, lambda h: bool(_squares(h).tolist() == [4, 4] and h.values.min() < 4))
    assert negative.values.min() == 2


@FEW
@given(strategies.samples(("a", "b"), min_events=2, max_events=3))
def test_samples(sample: gv.Sample) -> None:
    """Samples have the columns that are named, and as many events as the bounds allow."""
    assert list(sample.columns) == ["a", "b"]
    assert len(sample) in {2, 3}
    assert (sample["a"] != sample["b"]).all()


@FEW
@given(strategies.samples())
def test_samples_without_arguments(sample: gv.Sample) -> None:
    """By default there are 100 to 2000 events of one column."""
    assert list(sample.columns) == ["x"]
    assert 100 <= len(sample) <= 2000


def test_hypothesis_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Hypothesis the module says what it needs."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "pytest_ganvalid.strategies")
    with pytest.raises(MissingExtraError, match=r"pytest_ganvalid\.strategies needs the package 'hypothesis'.*\[hypo"):
        importlib.import_module("pytest_ganvalid.strategies")

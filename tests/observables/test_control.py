"""A control sample holds a bias of the stated size in one column, and nothing else is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.observables.control import SHIFT, ControlSamples, normal_scores, tilt
from pytest_ganvalid.samples import Entries, Sample

Array = NDArray[np.float64]


def normal(n: int, seed: int, weight: Array | None = None) -> Sample:
    """Two standard normal columns."""
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    return Sample({"x": x, "y": y}, weight)


def discrimination(tilted: Array, weight: Array) -> float:
    """Δ of events with other weights from the same events."""
    p, q = weight / weight.sum(), weight * tilted / (weight * tilted).sum()
    return float(np.sum((q - p) ** 2 / (q + p)))


def test_the_bias_is_of_the_stated_size() -> None:
    """Of a normal column ε is 6/sqrt(n_required): the mean shifts by 6 error bars, the other column does not."""
    samples = ControlSamples.of(normal(60_000, 1), normal(20_000, 2), ("x", "y"), 0)
    biased = samples.biased("x", 10_000)
    assert biased.weight is not None
    slope = np.polyfit(biased["x"], np.log(biased.weight), 1)[0]
    assert slope == pytest.approx(0.06, rel=0.02)
    mean = {name: np.average(biased[name], weights=biased.weight) - biased[name].mean() for name in ("x", "y")}
    assert mean["x"] * 100 == pytest.approx(SHIFT, rel=0.03)
    assert abs(mean["y"]) * 100 < 1
    delta = discrimination(biased.weight, np.ones(len(biased)))
    assert 10_000 * delta == pytest.approx(SHIFT**2 / 2, rel=1e-4)


@given(
    st.lists(st.integers(-3, 3), min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1),
    st.data(),
    st.floats(1e-4, 1e-2),
)
def test_ties_and_weights_do_not_change_the_size(values: list[int], data: st.DataObject, delta: float) -> None:
    """However discrete a column is and however its events are weighted, Δ is what was asked for."""
    weights = st.lists(st.floats(0.1, 10), min_size=len(values), max_size=len(values))
    weight = np.array(data.draw(weights))
    scores = normal_scores(np.array(values), weight)
    assume(delta < 0.99 * discrimination(tilt(scores, weight, 1.99), weight))
    assert discrimination(tilt(scores, weight, delta), weight) == pytest.approx(delta, rel=1e-3)


def test_clusters_are_kept_whole() -> None:
    """No cluster is in both parts, whatever the order of the rows, and a single one cannot be divided."""
    n = 3_000
    keys = np.random.default_rng(3).integers(0, 200, n).astype(np.uint64)
    sample = replace(normal(n, 4), cluster=keys)
    samples = ControlSamples.of(sample, normal(1_000, 5), ("x", "y"), 0)
    biased, kept = samples.generated.cluster, samples.reference.cluster
    assert biased is not None
    assert kept is not None
    assert not np.intersect1d(biased, kept).size
    assert len(samples.generated) + len(samples.reference) == n
    assert 0.97 < samples.scale <= 1
    assert samples.biased("x", 1_000).cluster is biased
    turned = ControlSamples.of(sample.select(np.arange(n)[::-1]), normal(1_000, 5), ("x", "y"), 0)
    assert np.array_equal(turned.reference["x"], samples.reference["x"])
    with pytest.raises(InputError, match=r"generated has 1 clusters; a control divides them"):
        ControlSamples.of(replace(sample, cluster=np.zeros(n, np.uint64)), sample, ("x", "y"), 0)


def test_a_size_that_no_bias_reaches() -> None:
    """Where Δ cannot be as large as wanted, the bias is the largest tried, and finite."""
    tilted = tilt(np.array([-1.0, 0.0, 1.0]), np.ones(3), 1.99)
    assert np.all(np.isfinite(tilted))
    assert discrimination(tilted, np.ones(3)) == pytest.approx(1 / 3 * (3 - 1) ** 2 / (3 + 1) + 2 / 3, rel=1e-3)


def test_normal_scores() -> None:
    """Scores are quantiles of mid-ranks by weight: equal values share one, and NaN comes last."""
    values = np.array([np.nan, 2.0, 1.0, 2.0, np.nan, 3.0])
    scores = normal_scores(values, np.array([1.0, 1, 2, 1, 0, 5]))
    expected = {1.0: 0.1, 2.0: 0.3, 3.0: 0.65}
    for value, rank in expected.items():
        np.testing.assert_allclose(scores[values == value], ndtri(rank))
    np.testing.assert_allclose(scores[np.isnan(values)], ndtri(0.95))
    np.testing.assert_array_equal(normal_scores(np.ones(3), np.ones(3)), 0)
    flags = normal_scores(np.array([True, False, False, False]), np.ones(4))
    np.testing.assert_allclose(flags, ndtri([0.875, 0.375, 0.375, 0.375]))


def test_no_event_is_on_both_sides() -> None:
    """As many generated events as the reference has take its place, the others are biased, and none is lost."""
    generated = normal(1_000, 1)
    samples = ControlSamples.of(generated, normal(300, 2), ("x", "y"), 0)
    assert (len(samples.generated), len(samples.reference), samples.scale) == (700, 300, 1.0)
    assert samples.columns == ("x", "y")
    assert sorted([*samples.generated["x"], *samples.reference["x"]]) == sorted(generated["x"])
    assert samples.reference.weight is None


@pytest.mark.parametrize(("events", "size", "scale"), [(600, 300, 1.0), (450, 225, 0.75), (301, 150, 0.5)])
def test_few_generated_events(events: int, size: int, scale: float) -> None:
    """With fewer than twice as many generated as reference events both parts are scaled down, and it is said."""
    samples = ControlSamples.of(normal(events, 1), normal(300, 2), ("x",), 0)
    assert len(samples.reference) == size
    assert len(samples.generated) == events - size
    assert samples.scale == pytest.approx(scale)


def test_weights() -> None:
    """Generated weights multiply, with their signs, and what takes the reference's place has its effective size."""
    rng = np.random.default_rng(3)
    weight = rng.choice([-1.0, 3.0], size=5_000, p=[0.2, 0.8])
    reference = normal(1_000, 2, rng.exponential(size=1_000))
    samples = ControlSamples.of(normal(5_000, 1, weight), reference, ("x", "y"), 0)

    def effective(sample: Sample) -> float:
        assert sample.weight is not None
        return float(sample.weight.sum() ** 2 / (sample.weight**2).sum())

    assert effective(samples.reference) == pytest.approx(effective(reference), rel=0.1)
    biased = samples.biased("x", 2_000)
    assert biased.weight is not None
    assert samples.generated.weight is not None
    ratio = biased.weight / samples.generated.weight
    assert np.all(ratio > 0)
    assert discrimination(ratio, np.abs(samples.generated.weight)) * 2_000 == pytest.approx(18, rel=1e-4)


def test_the_order_of_events_does_not_matter() -> None:
    """The same events in another order are divided alike; another seed divides them in another way."""
    generated, reference = normal(200, 1), normal(50, 2)
    turned = generated.select(np.random.default_rng(3).permutation(200))
    first, again = (ControlSamples.of(sample, reference, ("x", "y"), 4) for sample in (generated, turned))
    np.testing.assert_array_equal(first.reference["x"], again.reference["x"])
    other = ControlSamples.of(generated, reference, ("x", "y"), 5)
    assert not np.array_equal(first.reference["x"], other.reference["x"])


def test_columns_that_cannot_be_biased() -> None:
    """A column of one value, of NaN alone or of several numbers per event has no control."""
    n = 20
    columns = {
        "one": np.ones(n),
        "nan": np.full(n, np.nan),
        "several": Entries(np.arange(2.0 * n), np.full(n, 2)),
        "flag": np.arange(n) % 2 > 0,
    }
    sample = Sample(columns)
    assert ControlSamples.of(sample, sample.first(5), tuple(columns), 0).columns == ("flag",)


def test_a_single_event_cannot_be_divided() -> None:
    """One generated event is refused in words."""
    with pytest.raises(InputError, match="generated has 1 events; a control divides them, and takes at least 2"):
        ControlSamples.of(normal(1, 1), normal(5, 2), ("x",), 0)

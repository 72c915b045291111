"""Resampled errors depend on seed and events alone, and their degrees of freedom on how many events carry them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.observables.estimators import Estimator, Mean
from pytest_ganvalid.observables.resampling import (
    Draws,
    bootstrap_dof,
    bootstrap_samples,
    cluster_numbers,
    difference_error,
    jackknife_dof,
    jackknife_samples,
    share_clusters,
    unweighted_sample,
)
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.samples import Entries, Sample


def weighted_mean(sample: Sample) -> float:
    """Stand in for a fit."""
    return float(np.average(sample["x"], weights=sample.weight))


def sample_of(x: Any, weight: Any = None) -> Sample:
    """One column."""
    return Sample({"x": np.asarray(x)}, weight)


def of(estimator: Mean | Estimator, x: Any, weight: Any = None, seed: int = 0) -> Estimate:
    """Estimate on one column."""
    return estimator.estimate(sample_of(x, weight), "reference", seed)


def test_resampling_is_reproducible() -> None:
    """One seed gives one error, another seed another, also of the jackknife's groups; no global state is used."""
    x = np.random.default_rng(9).normal(size=300)
    bootstrap, jackknife = Estimator("fit", weighted_mean), Estimator("fit", weighted_mean, "jackknife")
    state = str(np.random.get_state())  # noqa: NPY002 - to see that it is left alone
    assert of(bootstrap, x, seed=1) == of(bootstrap, x, seed=1)
    assert of(bootstrap, x, seed=1).error != of(bootstrap, x, seed=2).error
    assert of(bootstrap, x, seed=1).error != bootstrap.estimate(sample_of(x), "generated", 1).error
    assert of(jackknife, x, seed=1) == of(jackknife, x, seed=1)
    assert of(jackknife, x, seed=1).error == pytest.approx(of(jackknife, x, seed=2).error, rel=0.5)
    assert str(np.random.get_state()) == state  # noqa: NPY002
    assert (of(bootstrap, x).dof, of(jackknife, x).dof) == (399, 49)


@pytest.mark.parametrize("errors", ["bootstrap", "jackknife"])
@pytest.mark.parametrize("weighted", [False, True])
def test_resampling_does_not_depend_on_the_order_of_events(errors: str, weighted: bool) -> None:  # noqa: FBT001
    """Shuffled, sorted or periodic events have the same error, that of the mean."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=5_000) + np.tile(np.arange(50.0), 100)
    weight = rng.lognormal(0, 0.3, x.size) if weighted else None
    fit = Estimator("fit", weighted_mean, errors)
    found = of(fit, x, weight)
    for order in (rng.permutation(x.size), np.argsort(x)):
        again = of(fit, x[order], None if weight is None else weight[order])
        for field in ("value", "error", "n_events", "dof"):
            assert getattr(again, field) == pytest.approx(getattr(found, field)), field
    assert found.error == pytest.approx(of(Mean("x"), x, weight).error, rel=0.35)


def test_few_distinct_rows_are_not_sorted_into_groups() -> None:
    """Equal events next to each other would make all groups alike, and the error of a jackknife vanish."""
    x = np.random.default_rng(12).integers(0, 3, 6_000).astype(float)
    jackknife = of(Estimator("fit", weighted_mean, "jackknife"), x)
    assert jackknife.error == pytest.approx(of(Mean("x"), x).error, rel=0.35)


def test_samples_without_columns_of_numbers_are_resampled_too() -> None:
    """Events that cannot be told apart by numbers are drawn in the order they come in."""
    jets = Sample({"x": Entries.of([[float(n)] * 2 for n in range(200)])})
    fit = Estimator("fit", lambda sample: sample["x"].values.mean(), "jackknife", groups=20)
    assert fit.estimate(jets, "reference").error == pytest.approx(200 / math.sqrt(12 * 200), rel=0.6)


@pytest.mark.parametrize("name", ["bootstrap", "jackknife"])
def test_ordinary_samples_keep_the_degrees_of_freedom_of_resampling(name: str) -> None:
    """No event and no group of ordinary or moderately skewed data is taken for one that carries the error."""
    rng = np.random.default_rng(14)
    settings: dict[str, Any] = {"replicas": 20} if name == "bootstrap" else {"groups": 20}
    estimator = Estimator("fit", weighted_mean, name, **settings)
    assert {of(estimator, rng.normal(size=400), seed=seed).dof for seed in range(150)} == {19}
    assert {of(estimator, rng.exponential(size=400), seed=seed).dof for seed in range(150)} == {19}


def test_draws_come_again() -> None:
    """The rows of a bootstrap are the same whenever they are asked for, as many as events, and any of them."""
    draws = Draws(events=50, replicas=30, seed=4)
    first, again = list(draws), list(draws)
    np.testing.assert_array_equal(first, again)
    assert np.shape(first) == (30, 50)
    assert [int(np.min(first)), int(np.max(first))] == [0, 49]
    assert not np.array_equal(first, list(Draws(events=50, replicas=30, seed=5)))


def test_one_event_that_carries_the_error_is_found() -> None:
    """Of results that follow one event, the degrees of freedom are about two; of those that follow all, all."""
    draws, x = Draws(events=400, replicas=100, seed=1), np.random.default_rng(2).normal(size=400)
    assert bootstrap_dof(np.array([x[rows].mean() for rows in draws]), draws) == 99
    x[7] = 1e6
    assert bootstrap_dof(np.array([x[rows].mean() for rows in draws]), draws) == pytest.approx(2, abs=0.1)
    groups = np.random.default_rng(3).normal(size=50)
    assert jackknife_dof(groups) == 49
    groups[3] = 1e6
    assert jackknife_dof(groups) == pytest.approx(2, abs=0.2)


def test_groups_of_a_jackknife() -> None:
    """Every event is left out once, and there must be two for each group."""
    rng = np.random.default_rng(5)
    left = [set(range(23)) - set(part["x"]) for part in jackknife_samples(sample_of(np.arange(23)), 5, "it", rng)]
    assert sorted(event for events in left for event in events) == list(range(23))
    assert {len(events) for events in left} == {4, 5}
    with pytest.raises(InputError, match="it: 9 events do not make 5 groups of two or more"):
        list(jackknife_samples(sample_of(np.arange(9)), 5, "it", rng))


def test_events_drawn_by_weight_weigh_alike() -> None:
    """Events are drawn as often as their weights say, none without weight, and then have weight 1."""
    weight = np.array([0.0, 1.0, 3.0])
    drawn = unweighted_sample(sample_of([0.0, 1.0, 2.0], weight), weight, 10_000, np.random.default_rng(6))
    assert drawn.weight is not None
    assert (len(drawn), set(drawn.weight.tolist()), drawn["x"].min()) == (10_000, {1.0}, 1.0)
    assert np.mean(drawn["x"] == 2.0) == pytest.approx(0.75, abs=0.02)


def clustered(clusters: int, each: int) -> Sample:
    """Events of which each cluster has one value, in another order."""
    keys = np.random.default_rng(7).permutation(np.repeat(np.arange(clusters), each))
    return Sample({"x": keys.astype(float)}, cluster=keys.astype(np.uint64))


def test_clusters_are_drawn_and_left_out_whole() -> None:
    """A bootstrap draws as many clusters as there are, each with all of its events, and a jackknife leaves them out."""
    sample = clustered(12, 3)
    numbers = cluster_numbers(sample)
    assert numbers is not None
    assert cluster_numbers(sample_of(np.arange(3))) is None
    for some in bootstrap_samples(sample, numbers, Draws(events=12, replicas=5, seed=1)):
        counts = np.unique(some["x"], return_counts=True)[1]
        assert len(some) == 36
        assert set(counts % 3) == {0}
    rng = np.random.default_rng(2)
    left = [set(range(12)) - set(part["x"]) for part in jackknife_samples(sample, 6, "it", rng)]
    assert sorted(key for keys in left for key in keys) == list(range(12))
    with pytest.raises(InputError, match="it: 12 clusters do not make 13 groups"):
        list(jackknife_samples(sample, 13, "it", rng))


def test_the_error_of_a_difference() -> None:
    """Of pairs it is that of their differences, and not of both sides apart."""
    rng = np.random.default_rng(8)
    truth, keys = rng.normal(size=2_000), np.arange(2_000, dtype=np.uint64)
    one, other = (Sample({"x": truth + 0.1 * rng.normal(size=2_000)}, cluster=keys) for _ in range(2))

    def mean(sample: Sample, side: str) -> float:
        assert side in ("generated", "reference")
        return float(np.mean(sample["x"]))

    assert share_clusters(one, other)
    assert not share_clusters(one, Sample(other.columns))
    assert not share_clusters(one, Sample(other.columns, cluster=keys + np.uint64(2_000)))
    error, dof = difference_error(mean, one, other, "mean", 3)
    assert error == pytest.approx(np.std(one["x"] - other["x"]) / np.sqrt(2_000), rel=0.3)
    assert dof == 49
    with pytest.raises(InputError, match=r"mean: the difference is 0 whichever clusters are left out"):
        difference_error(mean, one, one, "mean", 3)
    with pytest.raises(InputError, match=r"mean: 20 clusters are too few for the error of a difference"):
        difference_error(mean, one.first(20), other.first(20), "mean", 3)

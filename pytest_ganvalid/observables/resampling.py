"""Samples that are drawn from a sample, and the degrees of freedom of the error that they give a number.

Bootstrap: events drawn with replacement. Jackknife: the events without one of some groups, for smooth functions only.
Of events in clusters it is clusters that are drawn and left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import row_digests
from pytest_ganvalid.overlaps.resolution import numeric_columns
from pytest_ganvalid.samples import Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_GROUPS = 50  # of clusters
_CHANCE = 1e-6  # probability with which an event seems by chance to carry some of a bootstrap's error


def in_order(sample: Sample) -> Sample:
    """Put the events into an order of their own, so that nothing drawn depends on the one they came in."""
    names = numeric_columns(sample.columns)
    if not names:
        return sample
    digests = row_digests(sample.columns, names)
    keys = [digests] if sample.weight is None else [sample.weight, digests]
    return sample.select(np.lexsort(keys))


@dataclass(frozen=True, slots=True)
class Draws:
    """The rows of every sample of a bootstrap, the same ones in every iteration.

    Attributes:
        events: Number of events to draw, and to draw from.
        replicas: Number of samples.
        seed: Seed of the draws.
    """

    events: int
    replicas: int
    seed: int

    def __iter__(self) -> Iterator[IntArray]:
        """Draw the samples one after the other."""
        rng = np.random.default_rng(self.seed)
        for _ in range(self.replicas):
            yield rng.integers(0, self.events, self.events)


def bootstrap_dof(results: FloatArray, draws: Draws) -> float:
    """Return the degrees of freedom of a bootstrap's variance: less than replicas - 1 if a few events carry it.

    The squared correlation of the results with how often an event was drawn is the share of the variance that it
    carries; only shares beyond chance count.
    """
    pulls = (results - results.mean()) / (results.std() * math.sqrt(results.size))
    sums, squares, covariance = (np.zeros(draws.events) for _ in range(3))
    for pull, rows in zip(pulls, draws, strict=True):
        times = np.bincount(rows, minlength=draws.events)
        sums += times
        squares += times**2
        covariance += pull * times
    scatter = squares - sums**2 / results.size
    shares = np.divide(covariance**2, scatter, out=np.zeros(draws.events), where=scatter > 0)
    chance = special.stdtrit(results.size - 2, _CHANCE / 2 / draws.events) ** 2
    concentration = float((shares[shares > chance / (chance + results.size - 2)] ** 2).sum())
    return min(results.size - 1, max(2 / concentration, 1.0)) if concentration > 0 else results.size - 1


def jackknife_samples(sample: Sample, groups: int, subject: str, rng: np.random.Generator) -> Iterator[Sample]:
    """Yield the sample without one group of events after the other.

    Args:
        sample: The events.
        groups: Number of groups.
        subject: The number, for the error message.
        rng: Draws the groups.

    Raises:
        InputError: If there are fewer than two events for each group.
    """
    cluster = cluster_numbers(sample)
    size, unit = (len(sample), "events") if cluster is None else (int(cluster.max()) + 1, "clusters")
    if size < (2 * groups if cluster is None else groups):
        msg = f"{subject}: {size} {unit} do not make {groups} groups of two or more; choose fewer groups"
        raise InputError(msg)
    # At random: every n-th event would be alike where data repeat themselves, and neighbours where they are sorted.
    group = rng.permutation(size) % groups
    if cluster is not None:
        group = group[cluster]
    for left_out in range(groups):
        yield sample.select(group != left_out)


def jackknife_dof(results: FloatArray) -> float:
    """Return the degrees of freedom of a jackknife's variance: less than groups - 1 if a few groups carry it."""
    squares = (results - results.mean()) ** 2
    kurtosis = results.size * float((squares**2).sum() / squares.sum() ** 2)
    # Normal results exceed these in one of 10,000 cases at most; the kurtosis cannot exceed their number.
    if kurtosis <= min(11, 0.8 * results.size):
        return results.size - 1
    return min(results.size - 1, max(2 * results.size / (kurtosis - 1), 1.0))


def unweighted_sample(sample: Sample, weight: FloatArray, events: int, rng: np.random.Generator) -> Sample:
    """Draw events by their weights, which then are 1."""
    draw = sample.select(rng.choice(len(sample), events, p=weight / weight.sum()))
    return Sample(draw.columns, np.ones(events), draw.provenance)


def cluster_numbers(sample: Sample) -> IntArray | None:
    """Return the number of each event's cluster, from 0; ``None`` if events are independent."""
    if sample.cluster is None:
        return None
    return np.unique(sample.cluster, return_inverse=True)[1]


def bootstrap_samples(sample: Sample, cluster: IntArray | None, draws: Draws) -> Iterator[Sample]:
    """Yield the samples of a bootstrap: of events, or of clusters of events."""
    if cluster is None:
        yield from map(sample.select, draws)
        return
    order = np.argsort(cluster, kind="stable")
    counts = np.bincount(cluster)
    starts = np.cumsum(counts) - counts
    for clusters in draws:
        sizes = counts[clusters]
        offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        yield sample.select(order[np.repeat(starts[clusters], sizes) + offsets])


def share_clusters(generated: Sample, reference: Sample) -> bool:
    """Tell whether any cluster has events on both sides."""
    if generated.cluster is None or reference.cluster is None:
        return False
    return bool(np.intersect1d(generated.cluster, reference.cluster).size)


def difference_error(
    value: Callable[[Sample, str], float], generated: Sample, reference: Sample, subject: str, seed: int
) -> tuple[float, float]:
    """Return the standard error of the difference of a number of both sides, and its degrees of freedom.

    By a jackknife over groups of the clusters of both.

    Args:
        value: Returns the number of a sample and its side.
        generated: Events in clusters.
        reference: Likewise; equal keys are one cluster.
        subject: The number, for the error message.
        seed: Seed of the groups.

    Raises:
        InputError: If there are too few clusters, or no difference varies.
    """
    keys = np.union1d(generated.cluster, reference.cluster)  # type: ignore[arg-type]
    if keys.size < _GROUPS:
        msg = f"{subject}: {keys.size} clusters are too few for the error of a difference; expected at least {_GROUPS}"
        raise InputError(msg)
    group = np.random.default_rng([seed, *subject.encode()]).permutation(keys.size) % _GROUPS
    sides = [
        (sample, group[np.searchsorted(keys, sample.cluster)], side)  # type: ignore[arg-type]
        for sample, side in ((generated, "generated"), (reference, "reference"))
    ]
    results = []
    for left_out in range(_GROUPS):
        gen, ref = (value(sample.select(groups != left_out), side) for sample, groups, side in sides)
        results.append(gen - ref)
    differences = np.array(results)
    if differences.min() == differences.max():
        msg = (
            f"{subject}: the difference is {differences[0]:g} whichever clusters are left out, so its error is not "
            "known and nothing can be demonstrated"
        )
        raise InputError(msg)
    return float(differences.std()) * math.sqrt(_GROUPS - 1), jackknife_dof(differences)

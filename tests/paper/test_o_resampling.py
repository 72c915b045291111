"""Section 3, on uses that need no additional sensitivity: a generator in place of a bootstrap or a jackknife.

What is estimated is the variance of a number that an analysis makes of n events: a mean, a standard deviation, a lower
quartile. Replicas of n events from a generator that was trained on these n events give it as well as replicas of a
bootstrap do, over many samples compared with the scatter of the number itself; a jackknife does for what is smooth.

The premise is that the generated events are not used as more events. It is broken by the error that 10 n of them would
have if they were events: its square is an eleventh of their true variance. That the generator is as wide as its
training sample is a premise, too: one that is too narrow gives too small an error. And a jackknife that leaves one
event out takes a smooth number: for a quartile its variance is twice too large in the mean (χ²_2/2 squared, Efron
1982).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv

CLAIM = "a generator may take the place of a bootstrap or a jackknife, where no additional sensitivity is wanted"
SECTION = "3"

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Of samples of shape (samples, events), shape (samples,)."""

TOY = gv.toys.CamelBack()
N = 400
SAMPLES = 60
REPLICAS = 100
TRUE_SAMPLES = 8_000
MORE = 10


def mean(x: Array) -> Array:
    """The mean."""
    return np.asarray(x.mean(axis=1))


def spread(x: Array) -> Array:
    """The standard deviation."""
    return np.asarray(x.std(axis=1, ddof=1))


def quartile(x: Array) -> Array:
    """The lower quartile, which is in the midst of a peak."""
    at = x.shape[1] // 4
    return np.asarray(np.partition(x, at, axis=1)[:, at])


STATISTICS: dict[str, Statistic] = {"mean": mean, "standard deviation": spread, "quartile": quartile}


class Narrow:
    """A generator that has lost the wings of its training sample: the tenth that is farthest from the peaks."""

    def __init__(self, training: dict[str, Array]) -> None:
        """Keep what is near."""
        x = training["x"]
        distance = np.abs(np.abs(x) - 4.0)
        self._near = gv.generators.Bootstrap({"x": x[distance <= np.quantile(distance, 0.9)]})

    def sample(self, n: int, *, seed: int) -> gv.Sample:
        """Draw ``n`` events."""
        return self._near.sample(n, seed=seed)


GENERATORS: dict[str, Callable[[dict[str, Array]], gv.generators.Source]] = {
    "bootstrap": gv.generators.Bootstrap,
    "fit": gv.generators.CamelBackFit,
    "kernel density": lambda events: gv.generators.GaussianKDE(events, bandwidth=0.02),
    "too narrow": Narrow,
}
HONEST = [name for name in GENERATORS if name != "too narrow"]


@cache
def samples(number: int, seed: int) -> Array:
    """Draw samples, shape (samples, events)."""
    return np.asarray(TOY.sample(number * N, seed=seed)["x"].reshape(number, N))


@cache
def true_variance(name: str) -> float:
    """Return the variance of a number over many true samples."""
    return float(STATISTICS[name](samples(TRUE_SAMPLES, 15)).var())


@cache
def by_replicas(generator: str, number: int) -> dict[str, Array]:
    """Return the variance of each number over replicas of as many events, from a generator for each sample."""
    variances = []
    for seed, sample in enumerate(samples(number, 150)):
        drawn = GENERATORS[generator]({"x": sample}).sample(REPLICAS * N, seed=seed)["x"].reshape(REPLICAS, N)
        variances.append([statistic(drawn).var(ddof=1) for statistic in STATISTICS.values()])
    return dict(zip(STATISTICS, np.array(variances).T, strict=True))


def by_jackknife(x: Array, statistic: Statistic) -> Array:
    """Return the variance that leaving out one event at a time gives, of each sample."""
    others = ~np.eye(N, dtype=bool)
    return np.array([(N - 1) * statistic(np.broadcast_to(row, (N, N))[others].reshape(N, N - 1)).var() for row in x])


def relative(variances: Array, name: str) -> tuple[float, float]:
    """Return the mean variance over the true one, and its error."""
    value = float(variances.mean()) / true_variance(name)
    error = float(variances.std()) / float(variances.mean()) / math.sqrt(variances.size)
    return value, value * math.hypot(error, math.sqrt(2 / TRUE_SAMPLES))


def estimates_the_variance(value: float, error: float) -> bool:
    """Tell whether a variance is right in the mean, to 5 %."""
    return abs(value - 1) < 0.05 + 4 * error


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("generator", HONEST)
def test_generated_replicas(generator: str, name: str, size: int, measured: Callable[..., None]) -> None:
    """The variance over replicas from a generator is that of the number, as that over a bootstrap is."""
    value, error = relative(by_replicas(generator, SAMPLES * size)[name], name)
    measured(f"variance over replicas / true one, {name}: {generator}", value, error, "1 to 5 %")
    assert error < 0.06
    assert estimates_the_variance(value, error)


@pytest.mark.parametrize("name", ["mean", "standard deviation"])
def test_a_jackknife(name: str, size: int, measured: Callable[..., None]) -> None:
    """A jackknife gives the same variances of what is smooth."""
    value, error = relative(by_jackknife(samples(SAMPLES * size, 150), STATISTICS[name]), name)
    measured(f"variance over replicas / true one, {name}: jackknife", value, error, "1 to 5 %")
    assert error < 0.06
    assert estimates_the_variance(value, error)


def test_a_jackknife_of_what_is_not_smooth(size: int, measured: Callable[..., None]) -> None:
    """A jackknife of a quartile is twice too large in the mean, where replicas from a generator are right."""
    value, error = relative(by_jackknife(samples(1_000 * size, 151), quartile), "quartile")
    measured(
        "variance over replicas / true one, quartile: jackknife", value, error, "2", broken_by="the number is smooth"
    )
    assert abs(value - 2) < 4 * error
    assert not estimates_the_variance(value, error)


def test_a_generator_that_is_too_narrow(size: int, measured: Callable[..., None]) -> None:
    """Replicas from a generator that lost the wings of the peaks give too small an error."""
    name = "standard deviation"
    value, error = relative(by_replicas("too narrow", SAMPLES * size)[name], name)
    measured(
        f"variance over replicas / true one, {name}: too narrow a generator",
        value,
        error,
        "below 1",
        broken_by="the generator is as wide as its training sample",
    )
    assert value < 1
    assert not estimates_the_variance(value, error)


@pytest.mark.parametrize("name", STATISTICS)
def test_generated_events_as_more_events(name: str, size: int, measured: Callable[..., None]) -> None:
    """Of 10 n generated events the true variance of a number is 1.1 times that of n events, and seems to be a tenth."""
    premise, statistic = "generated events give no additional sensitivity", STATISTICS[name]
    x = samples(6 * SAMPLES * size, 152)
    drawn = np.array([gv.generators.Bootstrap({"x": row}).sample(MORE * N, seed=i)["x"] for i, row in enumerate(x)])
    value = float(np.var(statistic(drawn))) / true_variance(name)
    error = value * math.hypot(math.sqrt(2 / len(x)), math.sqrt(2 / TRUE_SAMPLES))
    measured(f"true variance with 10 n generated events / with n events, {name}", value, error, "1.1")
    assert abs(value - (1 + 1 / MORE)) < 4 * error
    # The variance over replicas of 10 n generated events is what they would have if they were events.
    replicas = drawn[: SAMPLES * size].reshape(-1, MORE, N)
    value, error = relative(np.array([statistic(row).var(ddof=1) / MORE for row in replicas]), name)
    measured(f"variance as of 10 n events / true one of n events, {name}", value, error, "0.1", broken_by=premise)
    assert abs(value - 1 / MORE) < 4 * error + 0.005
    assert not estimates_the_variance(value, error)

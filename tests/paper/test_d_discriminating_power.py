"""Claim d (sections 2 and 2.1): events generated in addition do not improve what an analysis can discriminate.

Presence of a signal: the yield of a bump over a background that is taken from simulation. Value of a parameter: the
mass of the Z, from a distribution taken from simulation. One premise is that the training sample does not suffice for
either, broken by having few data; the other that the additional events come from a generator, broken by the true
simulator. An analysis that believes its generated statistics covers as 1/n_generated + 1/n_train says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv

CLAIM = "Discriminating power is not improved by generated events, and who believes them undercovers."
SECTION = "2, 2.1"

Array = NDArray[Any]
N_TRAIN, N_DATA, SIGNAL = 1_000_000, 10_000_000, 1.5e-4
RATIOS = (1, 10, 100)
"""n_generated over n_train."""
NOMINAL = float(special.erf(0.5**0.5))
QUANTILE = float(special.ndtri(0.95))


def share(outcomes: Array) -> tuple[float, float]:
    """Share of outcomes and its binomial error."""
    value = float(np.mean(outcomes))
    return value, (value * (1 - value) / len(outcomes)) ** 0.5


def spread(offsets: Array, expected: float) -> tuple[float, float]:
    """Root mean square of estimates' offsets over the expected one, and its error."""
    value = float(np.sqrt(np.mean(offsets**2))) / expected
    return value, value / (2 * len(offsets)) ** 0.5


def improves(power: tuple[float, float], before: tuple[float, float]) -> bool:
    """Whether one power is shown to exceed another."""
    return power[0] - before[0] > 4 * float(np.hypot(power[1], before[1]))


def covers(coverage: tuple[float, float], stated: float) -> bool:
    """Whether a coverage is the stated one."""
    return abs(coverage[0] - stated) < 4 * coverage[1]


def coverage_at(ratio: float) -> float:
    """Coverage of ±1 error bar that is too small by the root of 1 + ratio."""
    return float(special.erf((2 * (1 + ratio)) ** -0.5))


def powers(bump: Any, backgrounds: dict[str, tuple[Array, Array]]) -> dict[str, tuple[float, float]]:
    """Power to see the signal at a false-alarm rate of 5 %, with each pair of background samples.

    Without and with a signal in the data: the same number of toys of either. The threshold is set by the toys without.
    """
    found = {}
    for name, (without, among) in backgrounds.items():
        rng = np.random.default_rng(3)
        yields = [
            bump.offsets(rng.multinomial(N_DATA, bump.probabilities + fraction * bump.slopes, size=len(background)))
            - bump.offsets(background)
            for fraction, background in ((0.0, without), (SIGNAL, among))
        ]
        value, error = share(yields[1] > np.quantile(yields[0], 0.95))
        # The threshold is known to the error of a quantile; to first order it moves the power by as much.
        density = np.exp(-0.5 * (special.ndtri(1 - value) ** 2 - QUANTILE**2))
        found[name] = value, float(np.hypot(error, density * (0.05 * 0.95 / len(without)) ** 0.5))
    return found


def test_presence_of_a_signal(
    size: int, bootstrap: Callable[..., Any], bump: Any, measured: Callable[..., None]
) -> None:
    """With training and generated events the power is that of the training events alone; with true ones it is more."""
    toys = 10_000 * size
    pairs: dict[str, tuple[Array, Array]] = {}
    trained = [bootstrap(seed, bump.probabilities, N_TRAIN, 100 * N_TRAIN, toys) for seed in (1, 2)]
    pairs["training"] = trained[0][0], trained[1][0]
    pairs["generated"] = trained[0][1], trained[1][1]
    pairs["pooled"] = trained[0][0] + trained[0][1], trained[1][0] + trained[1][1]
    rng = np.random.default_rng(4)
    true = rng.multinomial(100 * N_TRAIN, bump.probabilities, size=(2, toys))
    pairs["true"] = true[0] + pairs["training"][0], true[1] + pairs["training"][1]
    found = powers(bump, pairs)

    def expected(n: float) -> float:
        # The signal itself adds to the variance of the data, by a percent of the total.
        error = float(np.hypot(bump.error(N_DATA), bump.error(n)))
        return float(special.ndtr(SIGNAL / error - QUANTILE))

    what = "power to see a bump at 5 % false alarms"
    measured(f"{what}, n_train true events", *found["training"], f"{expected(N_TRAIN):.3f}")
    measured(f"{what}, 100 n_train generated", *found["generated"], f"{expected(N_TRAIN):.3f}")
    measured(f"{what}, both together", *found["pooled"], f"{expected(N_TRAIN):.3f}")
    measured(
        f"{what}, both together",
        *found["true"],
        f"{expected(101 * N_TRAIN):.3f}",
        broken_by="the events come from the true simulator",
    )
    for name, n in (("training", 1), ("generated", 1), ("pooled", 1), ("true", 101)):
        assert abs(found[name][0] - expected(n * N_TRAIN)) < 4 * found[name][1] + 0.005
    for name in ("generated", "pooled"):
        assert not improves(found[name], found["training"])
    assert improves(found["true"], found["training"])


def test_value_of_a_parameter(
    size: int, bootstrap: Callable[..., Any], z_mass: Any, measured: Callable[..., None]
) -> None:
    """The error of the mass of the Z falls no further than that of the training events; with true events it does."""
    toys = 10_000 * size
    known = z_mass.error(N_TRAIN)
    rng = np.random.default_rng(5)
    for ratio in RATIOS:
        training, generated = bootstrap(ratio, z_mass.probabilities, N_TRAIN, ratio * N_TRAIN, toys)
        true = rng.multinomial(ratio * N_TRAIN, z_mass.probabilities, size=toys)
        alone, added, more = (
            spread(z_mass.offsets(contents), known) for contents in (training, training + generated, training + true)
        )
        what = f"error of the Z mass with {ratio} n_train events in addition, over that of n_train"
        # Pooled with its training sample a generated sample has the variance 1/n_train + n_generated/(sum of both)².
        expected = (1 + ratio / (1 + ratio) ** 2) ** 0.5
        measured(what, *added, f"{expected:.3f}: not below 1")
        measured(what, *more, f"{(1 + ratio) ** -0.5:.3f}", broken_by="the events come from the true simulator")
        assert abs(added[0] - expected) < 4 * added[1]
        assert abs(more[0] - (1 + ratio) ** -0.5) < 4 * more[1]
        assert not improves((-added[0], added[1]), (-alone[0], alone[1]))
        assert improves((-more[0], more[1]), (-alone[0], alone[1]))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("name", ["z_mass", "bump"])
def test_coverage_of_believed_statistics(
    ratio: int,
    name: str,
    size: int,
    bootstrap: Callable[..., Any],
    request: pytest.FixtureRequest,
    measured: Callable[..., None],
) -> None:
    """Error bars of n_generated events cover as 1/n_generated + 1/n_train says; of true events, with 68.3 %."""
    parameter = request.getfixturevalue(name)
    toys, n = 10_000 * size, ratio * N_TRAIN
    generated = bootstrap(10 + ratio, parameter.probabilities, N_TRAIN, n, toys)[1]
    true = np.random.default_rng([6, ratio]).multinomial(n, parameter.probabilities, size=toys)
    stated = parameter.error(n)
    found, intact = (share(np.abs(parameter.offsets(contents)) < stated) for contents in (generated, true))
    about = "the Z mass" if name == "z_mass" else "a bump's yield"
    what = f"coverage of the 68.3 % interval of {about} at n_generated = {ratio} n_train"
    measured(what, *found, f"{coverage_at(ratio):.3f}")
    if ratio == RATIOS[-1]:
        measured(what, *intact, "0.683", broken_by="the events come from the true simulator")
    assert covers(found, coverage_at(ratio))
    assert not covers(found, NOMINAL)
    assert covers(intact, NOMINAL)


@pytest.mark.parametrize("n_data", [10 * N_TRAIN, N_TRAIN // 1_000])
def test_coverage_with_data(
    n_data: int, size: int, bootstrap: Callable[..., Any], z_mass: Any, measured: Callable[..., None]
) -> None:
    """With the data's own error in quadrature believed statistics undercover, unless the training sample suffices."""
    toys, ratio, suffices = 10_000 * size, 100, n_data < N_TRAIN
    rng = np.random.default_rng([7, n_data])
    training, generated = bootstrap(n_data, z_mass.probabilities, N_TRAIN, ratio * N_TRAIN, toys)
    data = z_mass.offsets(rng.multinomial(n_data, z_mass.probabilities, size=toys))
    true = z_mass.offsets(rng.multinomial((ratio + 1) * N_TRAIN, z_mass.probabilities, size=toys))
    stated = float(np.hypot(z_mass.error(n_data), z_mass.error((ratio + 1) * N_TRAIN)))
    found = share(np.abs(data - z_mass.offsets(training + generated)) < stated)
    intact = share(np.abs(data - true) < stated)
    variance = 1 / n_data + (1 + ratio / (1 + ratio) ** 2) / N_TRAIN
    believed = 1 / n_data + 1 / ((ratio + 1) * N_TRAIN)
    expected = float(special.erf((believed / variance / 2) ** 0.5))
    what = "coverage for the Z mass from data with training and 100 n_train generated events pooled"
    number = "n_train/1,000" if suffices else "10 n_train"
    measured(
        f"{what}, {number} of data",
        *found,
        f"{expected:.3f}",
        broken_by="the training sample suffices by itself" if suffices else "",
    )
    if not suffices:
        measured(f"{what}, {number} of data", *intact, "0.683", broken_by="the events come from the true simulator")
    assert covers(found, expected)
    assert covers(found, NOMINAL) == suffices
    assert covers(intact, NOMINAL)


def test_trained_gan(gans: Callable[..., Any], measured: Callable[..., None]) -> None:
    """The place of the peaks in a GAN's 100,000 events is off by many of the error bars that so many events suggest."""
    bins, step, n = 20, 0.01, 100_000
    toy = gv.toys.CamelBack()
    edges = toy.equiprobable_edges(bins)
    low, high = (
        gv.toys.CamelBack(means=(-4 + offset, 4 + offset)).bin_probabilities(edges) for offset in (-step, step)
    )
    slopes = (high - low) / (2 * step)
    weights = slopes / np.sum(slopes**2)
    error = (np.sum(slopes**2 * bins) * n) ** -0.5

    def pulls(samples: list[gv.Sample]) -> tuple[float, float]:
        contents = np.array(
            [np.bincount(np.searchsorted(edges, x["x"], side="right"), minlength=bins) for x in samples]
        )
        return float(np.mean((contents @ weights / n / error) ** 2)), float((2 / len(samples)) ** 0.5)

    found = pulls([gan.sample(n, seed=place) for place, gan in enumerate(gans())])
    intact = pulls([toy.sample(n, seed=place) for place in range(len(gans()))])
    what = "mean squared pull of the place of the peaks in 100,000 events of a GAN of 100"
    measured(what, found[0], found[0] * found[1], "of the order of 1,000")
    measured(what, *intact, "1", broken_by="the events come from the true simulator")
    assert not covers(found, 1)
    assert found[0] > 1
    assert covers(intact, 1)

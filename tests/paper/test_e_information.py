"""Claim e (section 2.1): the training sample bounds the information in generated events, by data processing.

Of one bin everything is computed exactly, by summing over all training samples there could be. Of the mass of the Z and
the yield of a bump, Fisher information is estimated from ensembles at two values of the parameter. The premise is that
only the training events depend on the parameter; the true simulator breaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, GaussianKDE, HistogramSampler

CLAIM = "Generated events hold no more information about a parameter than the training events did."
SECTION = "2.1"

Array = NDArray[Any]
N_TRAIN = 1_000_000
EXACT = 30
"""Training events where all samples are summed over."""


def training_law(share: float) -> Array:
    """Probability of each number of training events in a bin of this share, shape (numbers,)."""
    return np.asarray(stats.binom.pmf(np.arange(EXACT + 1), EXACT, share))


def response(n: int) -> Array:
    """Probability of each number among n generated events given that of the training sample, shape (given, numbers)."""
    given = np.arange(EXACT + 1)[:, None] / EXACT
    return np.asarray(stats.binom.pmf(np.arange(n + 1), n, given))


def fisher(law: Array, slope: Array) -> float:
    """Fisher information of a discrete observation, from its law and the law's derivative."""
    return float(np.sum(slope[law > 0] ** 2 / law[law > 0]))


def mutual(one: Array, other: Array) -> float:
    """Information, in bits, that an observation carries on which of two equally probable laws it follows."""
    mean = (one + other) / 2
    return float(sum(special.rel_entr(law, mean).sum() for law in (one, other)) / (2 * np.log(2)))


def exceeds(information: tuple[float, float], bound: float) -> bool:
    """Whether information, with its error, is shown to exceed a bound."""
    return information[0] - bound > 4 * information[1] + 1e-9 * bound


@pytest.mark.parametrize("n", [1, 10, 100, 1_000])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_exactly(n: int, share: float, measured: Callable[..., None]) -> None:
    """Summed over all samples, neither Fisher nor mutual information grows from training to generated events."""
    numbers, law = np.arange(EXACT + 1), training_law(share)
    slope = law * (numbers / share - (EXACT - numbers) / (1 - share))
    before, after = fisher(law, slope), fisher(law @ response(n), slope @ response(n))
    together = fisher((law[:, None] * response(n)).ravel(), (slope[:, None] * response(n)).ravel())
    # The number in the bin among n true events is binomial, with this information.
    true = n / (share * (1 - share))
    assert before == pytest.approx(EXACT / (share * (1 - share)))
    assert together == pytest.approx(before)
    assert not exceeds((after, 0), before)
    assert exceeds((true, 0), before) == (n > EXACT)
    other = training_law(2 * share / (1 + share))
    bits = mutual(law, other), mutual(law @ response(n), other @ response(n))
    assert not exceeds((bits[1], 0), bits[0])
    if n == 1_000 and share == 0.2:
        what = "Fisher information about the share of a bin in 1,000 generated events over that in their 30 of training"
        measured(what, after / before, 0, "at most 1")
        measured(what, true / before, 0, "33.3", broken_by="the events come from the true simulator")
        measured(what.replace("generated events", "generated and training events"), together / before, 0, "1")
        measured(
            "the same of the mutual information with which of two shares is true", bits[1] / bits[0], 0, "at most 1"
        )


def estimated(low: Array, high: Array, distance: float) -> tuple[float, float]:
    """Fisher information of observations at two values of a parameter by their best linear combination, and its error.

    The combination is learned from one half of the toys, as the difference of means over the covariance, and applied to
    the other: what is found is a lower limit of the linear information, which is all there is of many events.

    Args:
        low: Observations at the lower value, shape (toys, numbers).
        high: Likewise at the upper value.
        distance: Of the two values.
    """
    half = len(low) // 2
    covariance = np.cov(low[:half].T) + np.cov(high[:half].T)
    weights = np.linalg.pinv(np.atleast_2d(covariance), hermitian=True) @ np.atleast_1d(
        high[:half].mean(axis=0) - low[:half].mean(axis=0)
    )
    one, other = low[half:] @ weights, high[half:] @ weights
    variance = (one.var(ddof=1) + other.var(ddof=1)) / 2
    shift = float(other.mean() - one.mean())
    value = shift**2 / variance / distance**2
    number = len(one)
    return value, value * float((8 * variance / number / shift**2 + 1 / number) ** 0.5)


def shares(contents: Array) -> Array:
    """Contents over their sum, without the last bin, which follows from the others."""
    return np.asarray((contents / contents.sum(axis=-1, keepdims=True))[..., :-1])


@pytest.mark.parametrize("name", ["z_mass", "bump"])
def test_in_histograms(
    name: str,
    size: int,
    bootstrap: Callable[..., Any],
    request: pytest.FixtureRequest,
    measured: Callable[..., None],
) -> None:
    """Estimated from ensembles, 1/(1/n_generated + 1/n_train) events' worth is left, and true ones hold all of it."""
    parameter = request.getfixturevalue(name)
    toys, ratio = 10_000 * size, 10
    step = parameter.error(N_TRAIN)  # to either side: at it two training samples are two standard errors apart
    observed: dict[str, list[Array]] = {}
    for sign in (-1, 1):
        rng = np.random.default_rng([1, sign + 1])
        truth = parameter.probabilities + sign * step * parameter.slopes
        training, generated = bootstrap(2 + sign, truth, N_TRAIN, ratio * N_TRAIN, toys)
        fitted = parameter.probabilities + parameter.offsets(training)[:, None] * parameter.slopes
        drawn = {
            "training": training,
            "generated": generated,
            "fitted": rng.multinomial(ratio * N_TRAIN, np.maximum(fitted, 0)),
            "true": rng.multinomial(ratio * N_TRAIN, truth, size=toys),
        }
        for kind, contents in drawn.items():
            observed.setdefault(kind, []).append(shares(contents))
        observed.setdefault("both", []).append(np.hstack([shares(training), shares(generated)]))
    before = parameter.information * N_TRAIN
    found = {kind: estimated(values[0], values[1], 2 * step) for kind, values in observed.items()}
    found = {kind: (value / before, error / before) for kind, (value, error) in found.items()}
    about = "the Z mass" if name == "z_mass" else "a bump's yield"
    left = 1 / (1 + 1 / ratio)
    expected = {"training": 1.0, "generated": left, "both": 1.0, "fitted": left, "true": ratio}
    for kind, text in (
        ("training", "n_train training events"),
        ("generated", "10 n_train generated events"),
        ("both", "training and generated events"),
        ("fitted", "10 n_train events of a fit of the true law"),
        ("true", "10 n_train events"),
    ):
        measured(
            f"information about {about} in {text}, over that in n_train",
            *found[kind],
            f"{expected[kind]:.3f}",
            broken_by="the events come from the true simulator" if kind == "true" else "",
        )
        # Learned from half of the toys, the combination of so many numbers is not quite the best one.
        loss = observed[kind][0].shape[1] / toys * 3
        assert -4 * found[kind][1] - loss * expected[kind] < found[kind][0] - expected[kind] < 4 * found[kind][1]
    assert not any(exceeds(found[kind], 1) for kind in ("generated", "both", "fitted"))
    assert exceeds(found["true"], 1)


@pytest.mark.parametrize("make", [Bootstrap, HistogramSampler, GaussianKDE, None])
def test_of_generators(make: Any, size: int, z_mass: Any, measured: Callable[..., None]) -> None:
    """What is left in 5,000 events that a generator made of 500 does not exceed what was in these; true ones do."""
    n_train, n, toys = 500, 5_000, 300 * size
    step = z_mass.error(n_train)
    truth = gv.toys.ZLineShape()
    edges = truth.equiprobable_edges(20)
    offsets = []
    for sign in (-1, 1):
        toy = gv.toys.ZLineShape(mass=truth.mass + sign * step)
        contents = []
        for seed in range(sign + 1, 3 * toys, 3):
            events = make(toy.sample(n_train, seed=seed)) if make else toy
            cells = np.searchsorted(edges, events.sample(n, seed=seed)["mass"], side="right")
            contents.append(np.bincount(cells, minlength=20))
        offsets.append(z_mass.offsets(np.array(contents))[:, None])
    before = z_mass.information * n_train
    value, error = estimated(offsets[0], offsets[1], 2 * step)
    found = value / before, error / before
    left = 1 / (1 + n_train / n)
    source = f" of a {make.__name__}" if make else ""
    measured(
        f"information about the Z mass in 10 n_train events{source}, over that in n_train",
        *found,
        f"at most {left:.3f}" if make else "10",
        broken_by="" if make else "the events come from the true simulator",
    )
    assert exceeds(found, left) == (make is None)
    assert make or abs(found[0] - n / n_train) < 4 * found[1]

"""Claim c (section 2): statistical errors of the training sample come back as systematic errors of the generated one.

Systematic means: common to all samples of one trained generator. Samples of generators that were trained on other
events do not share them, nor do samples of the true simulator; either breaks the premise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, GaussianKDE, HistogramSampler

CLAIM = "Statistical errors of the training sample come back as systematic errors of the generated sample."
SECTION = "2"

Array = NDArray[Any]
TOY, BINS = gv.toys.CamelBack(), 10
EDGES, TRUTH = TOY.equiprobable_edges(BINS), np.full(BINS, 1 / BINS)


def filled(events: gv.Sample) -> Array:
    """Bin contents."""
    return np.bincount(np.searchsorted(EDGES, events["x"], side="right"), minlength=BINS)


def errors(contents: Array) -> Array:
    """Errors of the bins' shares over the roots of their probabilities."""
    return np.asarray((contents / contents.sum(axis=-1, keepdims=True) - TRUTH) / TRUTH**0.5)


def product(one: Array, other: Array) -> tuple[float, float]:
    """Mean over the degrees of freedom of two samples' errors multiplied, and its standard error over the pairs.

    It is 1/N, in the mean, for a sample of N true events with itself.
    """
    values = (one * other).sum(axis=-1) / (BINS - 1)
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def inherited(one: Array, other: Array, n_train: int) -> tuple[float, float]:
    """What two samples have in common, in units of the training sample's squared error 1/n_train."""
    value, error = product(one, other)
    return value * n_train, error * n_train


def correlation(one: Array, other: Array) -> float:
    """Mean correlation of two samples' errors over the bins."""
    return float(np.mean([np.corrcoef(pair)[0, 1] for pair in zip(one, other, strict=True)]))


def systematic(common: tuple[float, float], expected: float = 1.0) -> bool:
    """Whether the common error is the expected one, that of the training sample if nothing else is said."""
    return abs(common[0] - expected) < 4 * common[1]


def test_spread_and_common_part(size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]) -> None:
    """Over many trainings the spread is 1/n_train + 1/n_generated, and 1/n_train of it is common to all samples."""
    n_train, n_generated, trainings = 1_000, 10_000, 2_000 * size
    training, first = bootstrap(1, TRUTH, n_train, n_generated, trainings)
    second = np.random.default_rng(2).multinomial(n_generated, training / n_train)
    one, other = errors(first), errors(second)
    spread, common, anew = inherited(one, one, n_train), inherited(one, other, n_train), np.roll(other, 1, axis=0)
    own = inherited(one, errors(training), n_train)
    retrained = inherited(one, anew, n_train)
    measured("spread over trainings of 10 n_train generated events, in units of 1/n_train", *spread, "1.1")
    measured("of it common to a generated sample and its training sample", *own, "1")
    what = "of it common to two samples of one generator"
    measured(what, *common, "1")
    measured(what, *retrained, "0", broken_by="each generator has training events of its own")
    true = errors(np.random.default_rng(3).multinomial(n_generated, TRUTH, size=(2, trainings)))
    independent = inherited(true[0], true[1], n_train)
    measured(what, *independent, "0", broken_by="the events come from the true simulator")
    assert systematic(spread, 1 + n_train / n_generated - 1 / n_generated)
    assert systematic(common)
    assert systematic(own)
    for broken in (retrained, independent):
        assert not systematic(broken)
        assert systematic(broken, 0)


@pytest.mark.parametrize("generated", [100, 1_000, 10_000])
def test_spread_of_each_bin(size: int, bootstrap: Callable[..., Any], generated: int) -> None:
    """Contents of unequal bins have the stated covariance, whatever the number of generated events."""
    truth = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    trainings, n_train = 2_000 * size, 1_000
    contents = bootstrap(generated, truth, n_train, generated, trainings)[1]
    expectation = gv.Counts(generated * truth, generated * truth * (1 - truth))
    stated = gv.bin_uncertainties(expectation, n_train).total ** 2
    # The stated sum of both is too large by the part 1/(n_train + n_generated).
    stated *= 1 - 1 / (n_train + generated)
    pulls = (contents.var(axis=0, ddof=1) / stated - 1) / (2 / trainings) ** 0.5
    assert np.all(np.abs(pulls) < 4.5)
    statistical = (contents.var(axis=0, ddof=1) / (generated * truth * (1 - truth)) - 1) / (2 / trainings) ** 0.5
    assert generated < n_train or np.all(statistical > 4.5)


@pytest.mark.parametrize("make", [Bootstrap, HistogramSampler, GaussianKDE])
def test_two_samples_of_one_generator_differ_by_their_statistics_only(
    make: Any, size: int, measured: Callable[..., None]
) -> None:
    """Two samples of any generator differ as true ones do, two of generators with other training events by more."""
    n_train, n_generated, trainings = 200, 5_000, 50 * size
    contents = np.array(
        [
            [filled(generator.sample(n_generated, seed=2 * seed + sample)) for sample in (0, 1)]
            for seed, generator in enumerate(make(TOY.sample(n_train, seed=seed)) for seed in range(trainings))
        ]
    )
    one, other = errors(contents[:, 0]), errors(contents[:, 1])
    same, different = one - other, one - np.roll(other, 1, axis=0)
    within, across = (inherited(pair, pair, n_generated // 2) for pair in (same, different))
    what = f"squared difference of two samples of a {make.__name__}, in units of 2/n_generated"
    measured(what, *within, "1")
    measured(what, *across, "far above 1", broken_by=f"each {make.__name__} has training events of its own")
    assert systematic(within)
    assert not systematic(across)
    assert across[0] > 1


def test_trained_gan(gans: Callable[..., Any], size: int, measured: Callable[..., None]) -> None:
    """So it is with GANs; and one trained again on the same events repeats more of its errors than one on others."""
    n_generated, number = 20_000, len(gans())

    def sampled(seed: int, sample: int) -> Array:
        return errors(
            np.array(
                [filled(gan.sample(n_generated, seed=number * sample + place)) for place, gan in enumerate(gans(seed))]
            )
        )

    first, again, retrained = sampled(1, 0), sampled(1, 1), sampled(2, 2)
    difference = first - again
    within = product(difference, difference)[0] * n_generated / 2
    # Of few samples the spread is no measure of the error: this is a χ² of number (bins - 1) degrees of freedom.
    spread = (2 / (BINS - 1) / number) ** 0.5
    what = "squared difference of two samples of a GAN of 100 events, in units of 2/n_generated"
    measured(what, within, spread, "1")
    across = product(first - np.roll(again, 1, axis=0), first - np.roll(again, 1, axis=0))
    measured(
        what,
        across[0] * n_generated / 2,
        across[1] * n_generated / 2,
        "far above 1",
        broken_by="each GAN has training events of its own",
    )
    # Of unrelated errors in so many bins the correlation varies by the root of 1/(bins - 1).
    unrelated = (number * (BINS - 1)) ** -0.5
    both, apart = correlation(first, retrained), correlation(first, np.roll(retrained, 1, axis=0))
    what = "correlation of a GAN's errors with those of another training on the same events"
    measured(what, both, unrelated, "above 0")
    measured(what, apart, unrelated, "0, and their common bias", broken_by="each GAN has training events of its own")
    assert systematic((within, spread))
    assert not systematic((across[0] * n_generated / 2, spread))
    assert both > apart
    assert size == 1 or not systematic((both, unrelated), 0)  # three GANs are too few to show it

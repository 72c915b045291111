"""Claim a (section 2 and figure 1): the error of a generated sample flattens at that of n_equivalent true events.

The premise is that the generator learns from its training events only. It is broken twice: by the true simulator, whose
error never flattens, and by a fit that is told the law of the events but for five numbers, which flattens, but lower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, CamelBackFit, GaussianKDE, HistogramSampler

CLAIM = "A larger generated sample does not beat the training sample: its error flattens."
SECTION = "2, figure 1"

Array = NDArray[Any]
TOY, BINS = gv.toys.CamelBack(), 20
EDGES, TRUTH = TOY.equiprobable_edges(BINS), np.full(BINS, 1 / BINS)
N_TRAIN = 10_000
SIZES = np.array([10_000, 100_000, 1_000_000, 10_000_000])
KNOWN = 4.32951  # sum of the fit's relative variances in 20 bins, times n_train: see `CamelBackFit`


def filled(events: gv.Sample, parts: int = 1) -> Array:
    """Bin contents of a sample cut into equal parts, shape (parts, bins)."""
    cells = np.searchsorted(EDGES, events["x"], side="right").reshape(parts, -1)
    return np.stack([np.bincount(part, minlength=BINS) for part in cells])


def squared_errors(contents: Array) -> Array:
    """Mean squared relative error of the bins, over that of one event: about 1/N for N true events.

    It is 2 Δ/(bins - 1), Δ the triangular discrimination, by which n_equivalent is defined.
    """
    shares = contents / contents.sum(axis=-1, keepdims=True)
    return np.asarray(2 * ((shares - TRUTH) ** 2 / (shares + TRUTH)).sum(axis=-1) / (BINS - 1))


def mean(values: Array) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def on_curve(errors: Array, curve: Array) -> bool:
    """Whether all squared errors (mean, standard error), shape (sizes, 2), are on a curve of figure 1."""
    return bool(np.all(np.abs(errors[:, 0] - curve**2) < 4 * errors[:, 1]))


def test_error_flattens_at_the_training_sample(
    size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]
) -> None:
    """A generator that agrees with its training sample follows the blue curve, and the true simulator the green one."""
    curves = gv.uncertainty_curves(SIZES, n_train=N_TRAIN)
    generated, true = [], []
    for n in SIZES:
        generated.append(mean(squared_errors(bootstrap(n, TRUTH, N_TRAIN, n, 1_000 * size)[1])))
        contents = np.random.default_rng([1, n]).multinomial(n, TRUTH, size=1_000 * size)
        true.append(mean(squared_errors(contents)))
    for errors, statement, broken_by in (
        (generated, "1.001: no better than the training sample", ""),
        (true, "0.001: as many true events", "the events come from the true simulator"),
    ):
        value, error = np.array(errors[-1]) * N_TRAIN
        measured(
            "squared error of 1,000 n_train events over that of n_train", value, error, statement, broken_by=broken_by
        )
    assert on_curve(np.array(generated), curves.generated_total)
    assert on_curve(np.array(true), curves.statistical)
    assert not on_curve(np.array(true), curves.generated_total)
    assert not on_curve(np.array(generated), curves.statistical)


def check_generator(generator: Any, name: str, events: int, measured: Callable[..., None]) -> None:
    """Hold the error of a generator's events against the curve of what it is worth, by an independent sample."""
    whole = 10**9
    n_equivalent = gv.compare(
        gv.Counts(filled(generator.sample(events, seed=1))[0]),
        gv.Counts(np.full(BINS, whole // BINS)),
        n_required=1_000,
        smooth=False,
    ).n_equivalent
    sizes = np.array([500, 2_000, 10_000])
    errors = np.array([mean(squared_errors(filled(generator.sample(events, seed=2), events // int(n)))) for n in sizes])
    # The limits are those of 90 %: 1.645 standard errors to either side.
    known = (1 / n_equivalent.lower - 1 / n_equivalent.upper) / (2 * 1.645)
    errors[:, 1] = np.hypot(errors[:, 1], known)
    curves = gv.uncertainty_curves(sizes, n_equivalent=n_equivalent.estimate)
    measured(
        f"squared error of {sizes[-1]:,} events of a {name} over what its n_equivalent says",
        *errors[-1] / curves.generated_total[-1] ** 2,
        "1",
    )
    measured(
        f"n_equivalent/n_train of that {name.split(maxsplit=1)[0]}",
        n_equivalent.estimate / generator.n_train,
        known * n_equivalent.estimate**2 / generator.n_train,
        "finite",
    )
    assert on_curve(errors, curves.generated_total)
    assert not on_curve(errors, curves.statistical)


@pytest.mark.parametrize("make", [Bootstrap, HistogramSampler, GaussianKDE, CamelBackFit])
def test_generators_flatten_at_what_they_are_worth(make: Any, size: int, measured: Callable[..., None]) -> None:
    """Events of any generator are on the curve of its n_equivalent, and not on that of true events."""
    check_generator(make(TOY.sample(500, seed=3)), f"{make.__name__} of 500 events", 200_000 * size, measured)


def test_trained_gan_flattens(gans: Callable[..., Any], size: int, measured: Callable[..., None]) -> None:
    """So are those of a trained GAN."""
    check_generator(gans()[0], "GAN of 100 events", 400_000 * size, measured)


def test_knowledge_beyond_the_training_sample_lowers_the_plateau(size: int, measured: Callable[..., None]) -> None:
    """A fit of the true law flattens as well, at as many training samples as its five numbers leave."""
    n_train, fits = 1_000, 100 * size
    values = []
    for seed in range(fits):
        shares = CamelBackFit(TOY.sample(n_train, seed=seed)).model.bin_probabilities(EDGES)
        values.append(squared_errors(shares) * n_train)
    value, error = mean(np.array(values))
    measured(
        "the plateau in units of the training sample's",
        value,
        error,
        f"{KNOWN / (BINS - 1):.3f}",
        broken_by="the generator is told the law but for five numbers",
    )
    # The expectation holds to first order in 1/n_train: the next one is of the order of 5/n_train of it.
    assert abs(value - KNOWN / (BINS - 1)) < 4 * error + 5 / n_train
    assert value + 4 * error < 1

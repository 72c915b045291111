"""Claim b (section 2): 1,000 events and 9,000 drawn from what was fitted to them are no substitute for 10,000.

The premise is that the 9,000 come from the fit or the histogram; it is broken by drawing them from the true simulator.
Both directions of the second half of the claim are here, too: by eye, that is by how rough the histogram is, the fitted
sample cannot be told from 10,000 true events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.generators import CamelBackFit

CLAIM = "1,000 events and 9,000 drawn from a fit to them are no substitute for 10,000, smooth as they look."
SECTION = "2"

Array = NDArray[Any]
TOY, BINS = gv.toys.CamelBack(), 20
EDGES, TRUTH = TOY.equiprobable_edges(BINS), np.full(BINS, 1 / BINS)
NARROW = np.linspace(-7, 7, 100).tolist()
NARROW_TRUTH = TOY.bin_probabilities(NARROW)
"""For the eye: a curve has no structure within these."""
N_TRAIN, N_REQUIRED = 1_000, 10_000
ADDED = 1 - N_TRAIN / N_REQUIRED
"""Share of the added events."""
KNOWN = 4.32951 / (BINS - 1)
"""Squared error of the fit in 20 bins over that of its training sample, to first order: see `CamelBackFit`."""


def filled(events: gv.Sample, edges: Sequence[float] = EDGES) -> Array:
    """Bin contents."""
    return np.bincount(np.searchsorted(edges, events["x"], side="right"), minlength=len(edges) + 1)


def squared_error(contents: Array, n: int = N_REQUIRED) -> tuple[float, float]:
    """Mean squared error of samples' contents over that of ``n`` true events, and its error; shape (toys, bins)."""
    shares = contents / contents.sum(axis=-1, keepdims=True)
    values = n * ((shares - TRUTH) ** 2 / TRUTH).sum(axis=-1) / (BINS - 1)
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def roughness(contents: Array) -> tuple[float, float]:
    """Mean squared second difference of narrow bins over that of as many true events, and its error."""
    size, p = contents.sum(axis=-1), NARROW_TRUTH
    expected = size * (p[:-2] + 4 * p[1:-1] + p[2:]).sum() + size**2 * np.sum(np.diff(p, 2) ** 2)
    values = (np.diff(contents, 2, axis=-1) ** 2).sum(axis=-1) / expected
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def share(outcomes: list[bool]) -> tuple[float, float]:
    """Share of outcomes and its error, by the rule of succession: that of none or all is not zero."""
    number = len(outcomes)
    expected = (sum(outcomes) + 1) / (number + 2)
    return float(np.mean(outcomes)), (expected * (1 - expected) / (number + 3)) ** 0.5


def stands_in(error: tuple[float, float]) -> bool:
    """Whether a squared error is that of as many true events."""
    return abs(error[0] - 1) < 4 * error[1]


def augmented_by_fits(samples: int, edges: Sequence[float]) -> Array:
    """Contents of 1,000 events and 9,000 that follow the curve fitted to them."""
    rng = np.random.default_rng(2)
    contents = []
    for seed in range(samples):
        training = TOY.sample(N_TRAIN, seed=seed)
        curve = CamelBackFit(training).model.bin_probabilities(edges)
        contents.append(filled(training, edges) + rng.multinomial(N_REQUIRED - N_TRAIN, curve))
    return np.array(contents)


def test_binned(size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]) -> None:
    """Drawn from the histogram of the 1,000, the sample has ten times the squared error; drawn from the truth, not."""
    training, added = bootstrap(1, TRUTH, N_TRAIN, N_REQUIRED - N_TRAIN, 1_000 * size)
    error = squared_error(training + added)
    expected = N_REQUIRED * (1 / N_TRAIN + ADDED**2 * (1 - 1 / N_TRAIN) / (N_REQUIRED - N_TRAIN))
    what = "squared error over that of 10,000 true events"
    measured(f"{what}, binned", *error, f"{expected:.2f}")
    true = squared_error(
        training + np.random.default_rng(3).multinomial(N_REQUIRED - N_TRAIN, TRUTH, size=len(training))
    )
    measured(f"{what}, binned", *true, "1", broken_by="the 9,000 come from the true simulator")
    assert abs(error[0] - expected) < 4 * error[1]
    assert not stands_in(error)
    assert stands_in(true)


def test_fitted(size: int, measured: Callable[..., None]) -> None:
    """Drawn from the fitted curve it has three times the squared error of true events."""
    error = squared_error(augmented_by_fits(200 * size, EDGES))
    # The fit is an efficient estimate, so its covariance with the training sample's contents is its own variance.
    expected = N_REQUIRED * (
        ((1 - ADDED) ** 2 + (ADDED**2 + 2 * ADDED * (1 - ADDED)) * KNOWN) / N_TRAIN + ADDED**2 / (N_REQUIRED - N_TRAIN)
    )
    measured("squared error over that of 10,000 true events, fitted", *error, f"{expected:.2f}")
    assert abs(error[0] - expected) < 4 * error[1] + 0.05  # the expectation is of first order
    assert not stands_in(error)


def test_looks(size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]) -> None:
    """By eye the fitted sample is as smooth as 10,000 true events, and what is drawn from a fine histogram is not."""
    training, added = bootstrap(5, NARROW_TRUTH, N_TRAIN, N_REQUIRED - N_TRAIN, 100 * size)
    true = roughness(np.random.default_rng(6).multinomial(N_REQUIRED, NARROW_TRUTH, size=100 * size))
    fitted, binned = roughness(augmented_by_fits(100 * size, NARROW)), roughness(training + added)
    what = "roughness over that of 10,000 true events, fitted"
    measured(what, *fitted, "1: as smooth")
    measured(what, *true, "1", broken_by="the events come from the true simulator")
    measured(what, *binned, "10.9", broken_by="no curve is fitted, but a fine histogram")
    assert stands_in(fitted)
    assert stands_in(true)
    assert not stands_in(binned)


def test_only_error_bars_tell(size: int, measured: Callable[..., None]) -> None:
    """The gate at n_required = 10,000 passes the true simulator and no fit; at a hundredth of it, most fits."""
    plan = gv.plan(N_REQUIRED, bins=BINS, power=0.9)
    rng = np.random.default_rng(4)
    passed: dict[str, list[bool]] = {"true": [], "fit": [], "fit, 100": []}
    for seed in range(20 * size):
        curve = CamelBackFit(TOY.sample(N_TRAIN, seed=seed)).model.bin_probabilities(EDGES)
        reference = gv.Counts(rng.multinomial(plan.n_reference, TRUTH))
        fitted = gv.Counts(rng.multinomial(plan.n_generated, curve))
        true = gv.Counts(rng.multinomial(plan.n_generated, TRUTH))
        passed["true"].append(gv.compare(true, reference, n_required=N_REQUIRED).robust)
        passed["fit"].append(gv.compare(fitted, reference, n_required=N_REQUIRED).robust)
        passed["fit, 100"].append(gv.compare(fitted, reference, n_required=N_REQUIRED / 100).robust)
    rates = {name: share(values) for name, values in passed.items()}
    what = "share of fits to 1,000 events that are ROBUST at 10,000"
    measured(what, *rates["fit"], "small")
    measured(what, *rates["fit, 100"], "near 1", broken_by="the analysis needs 100 events, and the training suffices")
    measured(what, *rates["true"], f"{plan.power:.2f}", broken_by="the events come from the true simulator")
    binomial = (plan.power * (1 - plan.power) / (20 * size)) ** 0.5
    assert abs(rates["true"][0] - plan.power) < 4 * binomial
    assert rates["fit"][0] + 4 * binomial < plan.power
    assert rates["fit, 100"][0] > 0.5


def test_trained_gan(gans: Callable[..., Any], measured: Callable[..., None]) -> None:
    """9,900 events of a GAN that was trained on 100 are no substitute for as many true ones either."""
    n = 9_900
    error = squared_error(np.array([filled(gan.sample(n, seed=place)) for place, gan in enumerate(gans())]), n)
    measured("squared error over that of 9,900 true events, GANs of 100 events", *error, "100 if worth their training")
    true = squared_error(np.array([filled(TOY.sample(n, seed=seed)) for seed in range(len(gans()))]), n)
    # Of few samples the spread is no measure of the error: the χ² of true events is known to vary by 2/(bins - 1).
    spread = (2 / (BINS - 1) / len(gans())) ** 0.5
    assert not stands_in((error[0], spread))
    assert stands_in((true[0], spread))

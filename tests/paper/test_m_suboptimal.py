"""Section 3, the second caveat: a suboptimal analysis can gain, and its gain is to be believed once it is validated.

The generator is a fit: it knows that the law has two normal peaks, five parameters, where the analysis counts events in
bins and knows nothing. In k bins it is worth (k - 1)/T_k training samples, which theory says. The premise is that the
analysis is suboptimal, and generators that add nothing to the events, and analyses that leave nothing out, break it: a
bootstrap is worth its training sample, and an analysis that fits the five parameters itself gets no better by any
number of generated events.

Validated against true events at 4 n_train, the fit is ROBUST in single bins; there the premise is that the law is the
one that was assumed. A law with slightly longer tails breaks it. The goodness of fit to the training sample is hardly
worse, so it is the validation that tells the two apart; without it an analysis keeps the error bars of n_train events.

Contents of bins are drawn from their multinomial distribution, given what a fit to events has found: as of events drawn
independently from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv

CLAIM = "a suboptimal analysis can gain from a generator, and has to validate it to be believed"
SECTION = "3"

Array = NDArray[np.float64]

TOY = gv.toys.CamelBack()
TAIL = gv.toys.CamelBack(widths=(1.9, 1.9))
TAIL_SHARE = 0.1
WORTH = {20: 4.388, 50: 10.380, 100: 20.375}
"""Bins -> what the fit is worth in them per training event, from the information on its parameters."""
BINS = 100
N_TRAIN = 5_000
TRAININGS = 50
REQUIRED = 4 * N_TRAIN
SAMPLES = 40
"""Generated and reference events per required event."""


def truth(*, tails: bool, bins: int = BINS) -> Array:
    """Return the probabilities of equiprobable bins of the assumed law, under it or under that with longer tails."""
    edges = TOY.equiprobable_edges(bins)
    p = TOY.bin_probabilities(edges)
    return (1 - TAIL_SHARE) * p + TAIL_SHARE * TAIL.bin_probabilities(edges) if tails else p


def training(n: int, seed: int, *, tails: bool) -> Array:
    """Draw training events."""
    x = np.asarray(TOY.sample(n, seed=seed)["x"])
    if tails:
        longer = np.random.default_rng([13, seed]).random(n) < TAIL_SHARE
        x = np.where(longer, TAIL.sample(n, seed=10_000 + seed)["x"], x)
    return x


@cache
def fits(trainings: int, *, tails: bool) -> list[tuple[Array, gv.toys.CamelBack]]:
    """Return training samples and the laws that were fitted to them."""
    samples = [training(N_TRAIN, seed, tails=tails) for seed in range(trainings)]
    return [(x, gv.generators.CamelBackFit({"x": x}).model) for x in samples]


def worth(generated: Array, p: Array) -> tuple[float, float]:
    """Return the worth per training event of generators with bin probabilities of shape (trainings, bins)."""
    delta = ((generated - p) ** 2 / (generated + p)).sum(axis=1)
    value = (p.size - 1) / (2 * float(delta.mean())) / N_TRAIN
    return value, value * float(delta.std() / delta.mean()) / math.sqrt(delta.size)


def contents(x: Array, bins: int = BINS) -> Array:
    """Count events in the bins."""
    return np.histogram(x, [-np.inf, *TOY.equiprobable_edges(bins), np.inf])[0].astype(float)


def validated(generated: Array, p: Array, seed: int, *, smooth: bool = False) -> gv.Comparison:
    """Compare with true events at 4 n_train; only single bins count for the analysis unless ``smooth``."""
    rng = np.random.default_rng([130, seed])
    sides = [gv.Counts(rng.multinomial(SAMPLES * REQUIRED, law)) for law in (generated, p)]
    return gv.compare(*sides, n_required=REQUIRED, n_train=N_TRAIN, smooth=smooth)


def gains(value: float, error: float) -> bool:
    """Tell whether generated events are worth more than the training sample."""
    return value - 4 * error > 1


def is_believed(robust: float, error: float) -> bool:
    """Tell whether most trainings are shown to be ROBUST."""
    return robust - 4 * error > 0.5


@pytest.mark.parametrize("bins", WORTH)
def test_counting_gains(bins: int, size: int, measured: Callable[..., None]) -> None:
    """An analysis in bins gains what theory says: more, the less it assumes."""
    edges = TOY.equiprobable_edges(bins)
    generated = np.array([model.bin_probabilities(edges) for _, model in fits(TRAININGS * size, tails=False)])
    value, error = worth(generated, truth(tails=False, bins=bins))
    measured(f"n_equivalent / n_train of the fit, {bins} bins", value, error, f"{WORTH[bins]:.2f}")
    assert abs(value - WORTH[bins]) < 4 * error
    assert gains(value, error)


def test_nothing_is_gained_from_a_generator_that_adds_nothing(size: int, measured: Callable[..., None]) -> None:
    """The same analysis gains nothing from a bootstrap, which assumes nothing either."""
    generated = np.array([contents(x) / N_TRAIN for x, _ in fits(TRAININGS * size, tails=False)])
    value, error = worth(generated, truth(tails=False))
    measured(
        f"n_equivalent / n_train of a bootstrap, {BINS} bins",
        value,
        error,
        "1",
        broken_by="the generator knows more than the analysis",
    )
    assert abs(value - 1) < 4 * error + 0.01  # Δ has Σ (q - p)²/(q + p), of second order in the 50 events of a bin
    assert not gains(value, error)


def test_nothing_is_gained_by_an_optimal_analysis(size: int, measured: Callable[..., None]) -> None:
    """A fit of the five parameters to ten times as many generated events is no better than that to the training."""
    squares = []
    for seed in range(TRAININGS * size):
        fit = gv.generators.CamelBackFit(TOY.sample(500, seed=seed))
        again = gv.generators.CamelBackFit(fit.sample(5_000, seed=seed))
        squares.append([(model.means[1] - TOY.means[1]) ** 2 for model in (fit.model, again.model)])
    trained, generated = np.array(squares).T
    value = float(trained.sum() / generated.sum())
    error = float(np.std(trained - value * generated)) / math.sqrt(trained.size) / float(generated.mean())
    measured(
        "n_equivalent / n_train for the mean of a peak, fitted again",
        value,
        error,
        "0.909",
        broken_by="the analysis is suboptimal",
    )
    assert abs(value - 1 / 1.1) < 4 * error
    assert not gains(value, error)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_validated_gain(smooth: bool, size: int, measured: Callable[..., None]) -> None:  # noqa: FBT001
    """The fit is ROBUST at 4 n_train in single bins; the smooth components see what a better analysis would."""
    p, edges = truth(tails=False), TOY.equiprobable_edges(BINS)
    models = [model for _, model in fits(TRAININGS * size, tails=False)]
    share = np.mean([validated(m.bin_probabilities(edges), p, i, smooth=smooth).robust for i, m in enumerate(models)])
    robust, error = float(share), _binomial(float(share), len(models))
    resolution = "with smooth components" if smooth else "single bins"
    measured(
        f"share ROBUST at 4 n_train: fit of the right law, {resolution}",
        robust,
        error,
        "below 0.5" if smooth else "above 0.5",
        broken_by="the analysis is suboptimal" if smooth else "",
    )
    assert is_believed(robust, error) != smooth


def test_a_bootstrap_is_found_out(size: int, measured: Callable[..., None]) -> None:
    """The validation refuses a generator that adds nothing, at the same n_required."""
    p = truth(tails=False)
    samples = [x for x, _ in fits(TRAININGS * size, tails=False)]
    verdicts = [validated(contents(x) / N_TRAIN, p, i).verdict for i, x in enumerate(samples)]
    robust = verdicts.count(gv.Verdict.ROBUST) / len(verdicts)
    measured(
        "share ROBUST at 4 n_train: bootstrap, single bins",
        robust,
        _binomial(robust, len(verdicts)),
        "0",
        broken_by="the generator knows more than the analysis",
    )
    assert set(verdicts) == {gv.Verdict.BIASED}


def test_it_takes_the_validation_to_tell(size: int, measured: Callable[..., None]) -> None:
    """A law that was assumed wrongly fits its training sample almost as well, and only true events tell."""
    edges, fitting, robust = TOY.equiprobable_edges(BINS), {}, {}
    for tails, law in ((False, "right law"), (True, "wrong law")):
        found = [(x, model.bin_probabilities(edges)) for x, model in fits(TRAININGS * size, tails=tails)]
        chi2 = np.array([((contents(x) - N_TRAIN * q) ** 2 / (N_TRAIN * q)).sum() for x, q in found])
        fitting[law] = float(np.mean(special.chdtrc(BINS - 6, chi2) > 0.05))
        p = truth(tails=tails)
        robust[law] = float(np.mean([validated(q, p, i).robust for i, (_, q) in enumerate(found)]))
        for what, share, expected in (
            ("fit its training sample, p > 0.05", fitting, "above 0.4, right or wrong"),
            ("ROBUST at 4 n_train, single bins", robust, "below 0.2" if tails else "above 0.5"),
        ):
            measured(
                f"share {what}: {law}",
                share[law],
                _binomial(share[law], len(found)),
                expected,
                broken_by="the assumed law is right" if tails else "",
            )
    errors = {law: _binomial(share, TRAININGS * size) for law, share in robust.items()}
    assert is_believed(robust["right law"], errors["right law"])
    assert not is_believed(robust["wrong law"], errors["wrong law"])
    assert robust["wrong law"] < 0.2
    assert min(fitting.values()) > 0.4


def test_what_is_reported(size: int, measured: Callable[..., None]) -> None:
    """Without validation an analysis keeps the errors of n_train events; with it, those of what was shown."""
    p, edges = truth(tails=False), TOY.equiprobable_edges(BINS)
    ratios = []
    for i, (_, model) in enumerate(fits(TRAININGS * size, tails=False)):
        q = model.bin_probabilities(edges)
        comparison = validated(q, p, i)
        assert comparison.n_systematic == N_TRAIN
        generated = np.round(SAMPLES * REQUIRED * q)
        kept, shown = (gv.bin_uncertainties(gv.Counts(generated), n) for n in (N_TRAIN, comparison.n_equivalent.lower))
        np.testing.assert_allclose(kept.inherited**2, generated * (generated.sum() - generated) / N_TRAIN)
        ratios.append(float(np.mean(shown.inherited / kept.inherited)))
    value, error = float(np.mean(ratios)), float(np.std(ratios)) / math.sqrt(len(ratios))
    measured("error inherited with validation over that without", value, error, "below 1/2")
    assert value + 4 * error < 0.5


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

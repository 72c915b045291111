"""Section 2.2, what an adequate measure of robustness is: one that gets stricter as n_required grows.

Strictness is measured: of a generator that is off by a wave of relative amplitude a, the amplitude up to which a
measure accepts it goes as n_required to some power. Error bars shrink as n_required^-½, and so must the accepted
amplitude; the verdict's does. What a plot shows, a ratio within 5 %, the distances of Wasserstein, Fréchet and
Kolmogorov up to a fixed value, and a p-value from samples of a fixed size have the power 0.

The premise is that n_required does not enter the measure, and it is broken from both sides: pulls in error bars of
n_required events and a p-value from samples that grow with n_required are measures, and a verdict for the same
n_required throughout is none.

Samples are multinomial contents of equal bins: those of events drawn independently. Distances take an event to be at
the centre of its bin.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv

CLAIM = "a measure of robustness that does not get stricter as n_required grows is not adequate"
SECTION = "2.2"

Array = NDArray[np.float64]
Accepts = Callable[[Array, Array, float], bool]
"""Takes contents of generated and reference bins, and n_required."""

BINS = 20
CENTRES = (np.arange(BINS) + 0.5) / BINS
SMALLEST, LARGEST = 2e-4, 0.5  # amplitudes
REQUIRED = 16_000 * 4.0 ** np.arange(4)
PLOTTED = 2_000
STEPS = 48


def mean_pull(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001 - all are called alike
    """Bins of a plot agree within 1.2 error bars in the mean."""
    q, p = generated / generated.sum(), reference / reference.sum()
    pulls = (q - p) / np.sqrt(q / generated.sum() + p / reference.sum())
    return float(np.abs(pulls).mean()) < 1.2


def required_pull(generated: Array, reference: Array, n_required: float) -> bool:
    """Bins agree within 1.2 error bars of n_required events in the mean."""
    q, p = generated / generated.sum(), reference / reference.sum()
    return float(np.abs((q - p) / np.sqrt((q + p) / n_required)).mean()) < 1.2


def ratio(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The ratio plot is within 5 % of 1 in the mean."""
    return float(np.abs(generated / generated.sum() / (reference / reference.sum()) - 1).mean()) < 0.05


def wasserstein(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The area between the distribution functions is below 1 % of the range."""
    return float(np.abs(_difference(generated, reference)).mean()) < 0.01


def frechet(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The Fréchet distance of normals with the moments of the samples, as in the FID, is below (1 % of the range)²."""
    (mean_g, sd_g), (mean_r, sd_r) = (_moments(contents) for contents in (generated, reference))
    return (mean_g - mean_r) ** 2 + (sd_g - sd_r) ** 2 < 1e-4


def kolmogorov(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The distribution functions are nowhere apart by more than 0.02."""
    return float(np.abs(_difference(generated, reference)).max()) < 0.02


def kolmogorov_p(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The p-value of Kolmogorov and Smirnov is above 0.05."""
    distance = float(np.abs(_difference(generated, reference)).max())
    size = generated.sum() * reference.sum() / (generated.sum() + reference.sum())
    return float(special.kolmogorov(distance * math.sqrt(size))) > 0.05


def verdict(generated: Array, reference: Array, n_required: float) -> bool:
    """The verdict is ROBUST."""
    return gv.compare(gv.Counts(generated), gv.Counts(reference), n_required=n_required).robust


def verdict_for_few(generated: Array, reference: Array, n_required: float) -> bool:  # noqa: ARG001
    """The verdict is ROBUST for the smallest number of events, whatever is required."""
    return verdict(generated, reference, float(REQUIRED[0]))


# Name -> the measure, and whether the samples that it is given grow with n_required.
LENIENT: dict[str, tuple[Accepts, bool]] = {
    "mean pull of a plot of 2,000 events": (mean_pull, False),
    "ratio within 5 %": (ratio, True),
    "Wasserstein distance": (wasserstein, True),
    "Fréchet distance": (frechet, True),
    "Kolmogorov distance": (kolmogorov, True),
    "Kolmogorov p-value of 2,000 events": (kolmogorov_p, False),
}
STRICT: dict[str, tuple[Accepts, bool]] = {
    "pull in error bars of n_required": (required_pull, True),
    "Kolmogorov p-value of growing samples": (kolmogorov_p, True),
}


def _difference(generated: Array, reference: Array) -> Array:
    return np.asarray(np.cumsum(generated / generated.sum() - reference / reference.sum()))


def _moments(contents: Array) -> tuple[float, float]:
    q = contents / contents.sum()
    mean = float(q @ CENTRES)
    return mean, math.sqrt(float(q @ (CENTRES - mean) ** 2))


def wave(amplitude: Array) -> Array:
    """Return bin probabilities, shape (amplitudes, bins)."""
    return np.asarray((1 + amplitude[:, None] * np.sin(2 * np.pi * CENTRES)) / BINS)


def accepted_amplitude(accepts: Accepts, *, grows: bool, n_required: float, steps: int) -> tuple[float, float]:
    """Return ln a up to which a measure accepts, and its error, from one toy at each of equidistant ln a.

    It is the mean of the distribution whose tail is the probability of acceptance (Spearman and Kärber); the error is
    from successive differences, and not below that of one step.
    """
    low, high = math.log(SMALLEST), math.log(LARGEST)
    step = (high - low) / steps
    amplitudes = np.exp(low + step * (np.arange(steps) + 0.5))
    rng = np.random.default_rng([6, int(n_required), steps])
    sizes = (40 * int(n_required), 8 * int(n_required)) if grows else (PLOTTED, PLOTTED)
    generated = rng.multinomial(sizes[0], wave(amplitudes)).astype(float)
    reference = rng.multinomial(sizes[1], wave(np.zeros(steps))).astype(float)
    accepted = np.array([accepts(g, r, n_required) for g, r in zip(generated, reference, strict=True)], dtype=float)
    return low + step * float(accepted.sum()), step * math.sqrt(max(0.5 * float((np.diff(accepted) ** 2).sum()), 0.5))


def strictness(accepts: Accepts, *, grows: bool, size: int) -> tuple[float, float]:
    """Return the power of n_required with which the accepted amplitude goes, and its error."""
    points = np.array([accepted_amplitude(accepts, grows=grows, n_required=n, steps=STEPS * size) for n in REQUIRED])
    x = np.log(REQUIRED) - np.log(REQUIRED).mean()
    return float(x @ points[:, 0] / (x @ x)), float(np.sqrt(x**2 @ points[:, 1] ** 2) / (x @ x))


def gets_stricter(power: float, error: float) -> bool:
    """Tell whether the accepted amplitude goes as the error bars of n_required events."""
    return abs(power + 0.5) < 4 * error


def test_the_verdict_gets_stricter(size: int, measured: Callable[..., None]) -> None:
    """The amplitude that the verdict accepts goes as n_required^-1/2, as error bars do."""
    power, error = strictness(verdict, grows=True, size=size)
    measured("power of n_required in the accepted amplitude: verdict", power, error, "-1/2")
    assert error < 0.05
    assert gets_stricter(power, error)


@pytest.mark.parametrize("name", LENIENT)
def test_what_does_not_know_n_required_does_not(name: str, size: int, measured: Callable[..., None]) -> None:
    """Visual agreement, fixed distances and p-values of samples of a fixed size always accept the same amplitude."""
    accepts, grows = LENIENT[name]
    power, error = strictness(accepts, grows=grows, size=size)
    measured(f"power of n_required in the accepted amplitude: {name}", power, error, "0")
    assert abs(power) < 4 * error
    assert not gets_stricter(power, error)


@pytest.mark.parametrize("name", STRICT)
def test_with_n_required_in_it_a_measure_gets_stricter(name: str, size: int, measured: Callable[..., None]) -> None:
    """The same pulls and p-values get stricter once they are in error bars of n_required, or of samples that grow."""
    accepts, grows = STRICT[name]
    power, error = strictness(accepts, grows=grows, size=size)
    measured(
        f"power of n_required in the accepted amplitude: {name}",
        power,
        error,
        "-1/2",
        broken_by="n_required enters the measure",
    )
    assert gets_stricter(power, error)


def test_a_verdict_for_few_events_does_not(size: int, measured: Callable[..., None]) -> None:
    """A verdict for one n_required says nothing of larger ones: it goes on accepting what it accepted."""
    power, error = strictness(verdict_for_few, grows=True, size=size)
    measured(
        "power of n_required in the accepted amplitude: verdict for 16,000 events",
        power,
        error,
        "0, more with less noise",
        broken_by="n_required is the same throughout",
    )
    assert power > -4 * error
    assert not gets_stricter(power, error)


def test_what_looks_right_need_not_be(size: int, measured: Callable[..., None]) -> None:
    """A wave of 3 % passes every lenient measure on the same samples; the verdict is ROBUST, then BIASED."""
    toys = 20 * size
    rng = np.random.default_rng(60)
    drawn = [rng.multinomial(n, wave(np.full(toys, a))) for n, a in ((10_000_000, 0.03), (2_000_000, 0.0))]
    plotted = [rng.multinomial(PLOTTED, wave(np.full(toys, a))) for a in (0.03, 0.0)]
    for name, (accepts, grows) in LENIENT.items():
        pairs = zip(*(drawn if grows else plotted), strict=True)
        accepted = [accepts(g.astype(float), r.astype(float), math.nan) for g, r in pairs]
        share = float(np.mean(accepted))
        assert share >= 0.7, name
        measured(f"share accepted of a 3 % wave, at any n_required: {name}", share, _binomial(share, toys), "0.9 to 1")
    for n_required, expected in ((2_000, gv.Verdict.ROBUST), (200_000, gv.Verdict.BIASED)):
        verdicts = [
            gv.compare(gv.Counts(g), gv.Counts(r), n_required=n_required).verdict for g, r in zip(*drawn, strict=True)
        ]
        share = verdicts.count(expected) / toys
        measured(f"share {expected} of a 3 % wave at n_required {n_required:,}", share, _binomial(share, toys), "1")
        assert share == 1


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

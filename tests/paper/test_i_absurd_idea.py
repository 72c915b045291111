"""Claim i (section 2.2, last paragraph): a generator of today's data is no experiment of tomorrow.

Today's data are n_today events; the generator that learnt from them makes 20 times as many, the data of "tomorrow". The
mass of the Z in them is today's once more, and a claimed discovery is today's fluctuation. The premise, that the
generator has seen nothing but today's data, is broken by taking the data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap, HistogramSampler

CLAIM = "A generator trained on today's data gains nothing as tomorrow's experiment."
SECTION = "2.2, last paragraph"

Array = NDArray[Any]
N_TODAY, RATIO = 1_000_000, 20


def spread(offsets: Array, expected: float) -> tuple[float, float]:
    """Root mean square of estimates' offsets over the expected one, and its error."""
    value = float(np.sqrt(np.mean(offsets**2))) / expected
    return value, value / (2 * len(offsets)) ** 0.5


def share(outcomes: Array) -> tuple[float, float]:
    """Share of outcomes and its error, by the rule of succession: that of none is not zero."""
    number, value = len(outcomes), float(np.mean(outcomes))
    expected = (value * number + 1) / (number + 2)
    return value, (expected * (1 - expected) / (number + 3)) ** 0.5


def gains(error: tuple[float, float]) -> bool:
    """Whether an error, in units of today's, is shown to be smaller than today's."""
    return error[0] + 4 * error[1] < 1


def test_mass(size: int, bootstrap: Callable[..., Any], z_mass: Any, measured: Callable[..., None]) -> None:
    """The mass from generated data has today's error, and is today's result again; from data it is 4.5 times better."""
    toys = 5_000 * size
    today, generated = bootstrap(1, z_mass.probabilities, N_TODAY, RATIO * N_TODAY, toys)
    data = np.random.default_rng(2).multinomial(RATIO * N_TODAY, z_mass.probabilities, size=toys)
    before, after, true = (z_mass.offsets(contents) for contents in (today, generated, data))
    known = z_mass.error(N_TODAY)
    found, intact = spread(after, known), spread(true, known)
    what = "error of the Z mass in 20 times as many events of tomorrow, over today's"
    expected = (1 + 1 / RATIO) ** 0.5, RATIO**-0.5
    measured(what, *found, f"{expected[0]:.3f}")
    measured(what, *intact, f"{expected[1]:.3f}", broken_by="the experiment is made")
    what = "correlation of that mass with today's"
    relations = [float(np.corrcoef(before, later)[0, 1]) for later in (after, true)]
    limit = 1 / expected[0]
    deviations = [(1 - limit**2) / toys**0.5, toys**-0.5]
    measured(what, relations[0], deviations[0], f"{limit:.3f}")
    measured(what, relations[1], deviations[1], "0", broken_by="the experiment is made")
    assert abs(found[0] - expected[0]) < 4 * found[1]
    assert abs(intact[0] - expected[1]) < 4 * intact[1]
    assert gains(intact)
    assert not gains(found)
    assert abs(relations[0] - limit) < 4 * deviations[0]
    assert abs(relations[1]) < 4 * deviations[1]


@pytest.mark.parametrize("threshold", [3, 5])
def test_discoveries_of_nothing(
    threshold: int, size: int, bootstrap: Callable[..., Any], bump: Any, measured: Callable[..., None]
) -> None:
    """Without any signal one generated experiment in seven claims five sigma; of real ones none does."""
    toys = 5_000 * size
    generated = bootstrap(3, bump.probabilities, N_TODAY, RATIO * N_TODAY, toys)[1]
    data = np.random.default_rng(4).multinomial(RATIO * N_TODAY, bump.probabilities, size=toys)
    claimed, real = (
        share(bump.offsets(contents) / bump.error(RATIO * N_TODAY) > threshold) for contents in (generated, data)
    )
    expected = float(special.ndtr(-threshold / (1 + RATIO) ** 0.5))
    nominal = float(special.ndtr(-threshold))
    what = f"share of experiments without a signal that claim {threshold} sigma"
    measured(what, *claimed, f"{expected:.3f}")
    measured(what, *real, f"{nominal:.2g}", broken_by="the experiment is made")
    assert abs(claimed[0] - expected) < 4 * claimed[1]
    assert abs(real[0] - nominal) < 4 * real[1]
    assert claimed[0] - nominal > 4 * claimed[1]


def test_discoveries_of_something(
    size: int, bootstrap: Callable[..., Any], bump: Any, measured: Callable[..., None]
) -> None:
    """At an honest threshold a signal is discovered in generated data as often as today; in real ones, always."""
    toys = 5_000 * size
    fraction = 2 * bump.error(N_TODAY)
    shares = [bump.probabilities, bump.probabilities + fraction * bump.slopes]
    today, generated = zip(
        *(bootstrap(5 + place, truth, N_TODAY, RATIO * N_TODAY, toys) for place, truth in enumerate(shares)),
        strict=True,
    )
    rng = np.random.default_rng(7)
    data = [rng.multinomial(RATIO * N_TODAY, truth, size=toys) for truth in shares]
    power = {}
    for name, (without, among) in {"today": today, "generated": generated, "data": data}.items():
        power[name] = share(bump.offsets(among) > np.quantile(bump.offsets(without), special.ndtr(2)))
    # The quantile of 2.3 % false alarms is known to a standard error of sqrt(p (1 - p)/toys)/density, which moves a
    # power of one half by its density there.
    error = float(np.hypot(power["today"][1], np.exp(2) * (0.0228 / toys) ** 0.5))
    what = "power at 2 sigma for a signal of 2 sigma of today's data"
    measured(what, power["today"][0], error, "0.50 (today's own data)")
    measured(what, power["generated"][0], error, "at most 0.50")
    measured(what, power["data"][0], power["data"][1], "1", broken_by="the experiment is made")
    assert abs(power["today"][0] - 0.5) < 4 * error
    assert power["generated"][0] - power["today"][0] < 4 * 2**0.5 * error
    assert power["data"][0] - power["today"][0] > 4 * 2**0.5 * error


@pytest.mark.parametrize("make", [Bootstrap, HistogramSampler, None])
def test_generators_of_events(make: Any, size: int, z_mass: Any, measured: Callable[..., None]) -> None:
    """No generator of 500 events gives a better mass in 10,000 than these; 10,000 of the experiment do."""
    n_today, toys = 500, 300 * size
    toy = gv.toys.ZLineShape()
    edges = toy.equiprobable_edges(20)
    contents = []
    for seed in range(toys):
        today = toy.sample(n_today, seed=seed)
        tomorrow = (make(today) if make else toy).sample(RATIO * n_today, seed=toys + seed)
        contents.append(
            [np.bincount(np.searchsorted(edges, x["mass"], side="right"), minlength=20) for x in (today, tomorrow)]
        )
    before, after = z_mass.offsets(np.array(contents)).T
    value = float(np.sqrt(np.mean(after**2) / np.mean(before**2)))
    # Of two correlated roots of mean squares over so many toys.
    error = value * float((1 - np.corrcoef(before, after)[0, 1] ** 2) ** 0.5 / toys**0.5)
    expected = (1 + 1 / RATIO) ** 0.5 if make else RATIO**-0.5
    source = f" of a {make.__name__} of 500" if make else ""
    measured(
        f"error of the Z mass in 10,000 events{source}, over today's of 500",
        value,
        error,
        f"{expected:.3f}",
        broken_by="" if make else "the experiment is made",
    )
    assert gains((value, error)) == (make is None)
    # The bins of a histogram are not those of the analysis: what it blurs within them comes on top.
    assert -4 * error < value - expected < 4 * error + (0.1 if make is HistogramSampler else 0)

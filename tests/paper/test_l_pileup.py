"""Section 3, the first caveat's example of pileup: a library of collisions, resampled, will do up to some n_required.

Pileup is overlaid from a finite library; its mean is worth a number of events with collisions of their own that
`Pileup.worth` states. Over many libraries the gate is ROBUST as often as follows from n_required over that worth, and
the n_required up to which it vouches for a library is no more than what that library bears. So resampling is sufficient
for some uses: of few events, or where a broad hard process is measured on top of which the pileup is a detail. The
premise of the limit is that the library is finite, and it is broken by collisions drawn anew for every event: these are
ROBUST where the library is not. The premise of sufficiency is that few events are required, broken at 16 times the
worth.

Means of samples are drawn as normal, about the exact mean that a library gives; samples are large enough for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import pytest_ganvalid as gv

CLAIM = "pileup resampled from a library suffices for some uses, and the gate says for which n_required"
SECTION = "3"

Array = NDArray[np.float64]

MEAN = 10.0
LIBRARY = 1_000
LIBRARIES = 300
TOY = gv.toys.Pileup(mean=MEAN, library_size=LIBRARY)
SAMPLES = 100
"""Generated and reference events per required event."""
REACH = 1 - 1.644_854 * math.sqrt(2 / SAMPLES)
"""Of the bias that is seen, in error bars at n_required, up to which it is shown to be below 1."""
BROAD = 100.0
"""Variance of the sum of transverse momenta of the hard process, over that of the pileup."""


@dataclass(frozen=True)
class Outcome:
    """What the gate says of many libraries.

    Attributes:
        robust: Share that is ROBUST.
        error: Its binomial error.
        overstated: Share of which n_supported is larger than the number of events at which the true bias is one error
            bar.
    """

    robust: float
    error: float
    overstated: float


@cache
def library_means(libraries: int) -> Array:
    """Return the mean of the pileup from each of many libraries, GeV, shape (libraries,)."""
    toys = (gv.toys.Pileup(mean=MEAN, library_size=LIBRARY, library_seed=seed) for seed in range(libraries))
    return np.array([toy.library_moments()["sum_pt"][0] for toy in toys])


def gate(means: Array, required: float, *, hard: float = 0.0) -> Outcome:
    """Ask the gate about the mean of pileup and hard process for so many required events.

    Args:
        means: That the generated pileup of each library has, GeV.
        required: Events.
        hard: Variance of the hard process, over that of the pileup.
    """
    truth, variance = TOY.moments()["sum_pt"]
    n, rng = SAMPLES * required, np.random.default_rng([12, round(required)])
    error = math.sqrt((1 + hard) * variance / n)
    generated, reference = (rng.normal(centre, error) for centre in (means, np.full_like(means, truth)))
    found = [
        gv.compare_estimates(gv.Estimate(g, error, n), gv.Estimate(r, error, n), n_required=required)
        for g, r in zip(generated.tolist(), reference.tolist(), strict=True)
    ]
    with np.errstate(divide="ignore"):
        borne = (1 + hard) * variance / (means - truth) ** 2
    robust = float(np.mean([comparison.robust for comparison in found]))
    overstated = float(np.mean([c.n_supported > limit for c, limit in zip(found, borne, strict=True)]))
    return Outcome(robust, _binomial(robust, means.size), overstated)


def expected(per_worth: float) -> float:
    """Return how often the gate is ROBUST at so many required events per event that the library is worth."""
    return float(special.erf(REACH / math.sqrt(2 * (per_worth + 2 / SAMPLES))))


def suffices(outcome: Outcome) -> bool:
    """Tell whether most libraries are shown to be ROBUST."""
    return outcome.robust - 4 * outcome.error > 0.5


def test_a_library_is_worth_what_is_stated(size: int, measured: Callable[..., None]) -> None:
    """The variance of the mean over libraries is that of so many events with collisions of their own."""
    means = library_means(LIBRARIES * size)
    truth, variance = TOY.moments()["sum_pt"]
    squares = (means - truth) ** 2
    worth = variance / float(squares.mean())
    error = worth * math.sqrt(2 / squares.size)
    measured(
        "events a library is worth / size of the library times μ",
        worth * MEAN / LIBRARY,
        error * MEAN / LIBRARY,
        f"{TOY.worth() * MEAN / LIBRARY:.3f}",
    )
    assert abs(worth - TOY.worth()) < 4 * error


@pytest.mark.parametrize("per_worth", [1 / 16, 1 / 4, 1.0, 4.0, 16.0])
def test_the_gate_says_for_which_n_required(per_worth: float, size: int, measured: Callable[..., None]) -> None:
    """ROBUST comes as often as n_required over the worth says, and never vouches for more than the library bears."""
    outcome = gate(library_means(LIBRARIES * size), per_worth * TOY.worth())
    probability = expected(per_worth)
    measured(f"share ROBUST at n_required / worth = {per_worth:g}", outcome.robust, outcome.error, f"{probability:.3f}")
    error = _binomial(outcome.overstated, LIBRARIES * size)
    measured(
        f"share of n_supported overstated, n_required / worth = {per_worth:g}", outcome.overstated, error, "<= 0.05"
    )
    assert abs(outcome.robust - probability) < 4 * _binomial(probability, LIBRARIES * size) + 0.01
    assert outcome.overstated - 4 * error <= 0.05
    if per_worth != 1:  # where about half of the libraries are ROBUST
        assert suffices(outcome) == (per_worth < 1)


def test_it_suffices_under_a_broad_hard_process(size: int, measured: Callable[..., None]) -> None:
    """Where the pileup adds a hundredth of the variance it may be resampled 16 times as often as it is worth."""
    outcome = gate(library_means(LIBRARIES * size), 16 * TOY.worth(), hard=BROAD)
    probability = expected(16 / (1 + BROAD))
    measured(
        "share ROBUST at n_required / worth = 16, under a broad hard process",
        outcome.robust,
        outcome.error,
        f"{probability:.3f}",
    )
    assert abs(outcome.robust - probability) < 4 * _binomial(probability, LIBRARIES * size) + 0.01
    assert suffices(outcome)


def test_collisions_drawn_anew_have_no_limit(size: int, measured: Callable[..., None]) -> None:
    """With collisions of its own in every event the same check is ROBUST at 16 times what the library was worth."""
    truth, _ = TOY.moments()["sum_pt"]
    outcome = gate(np.full(LIBRARIES * size, truth), 16 * TOY.worth())
    measured(
        "share ROBUST at n_required / worth = 16, collisions drawn anew",
        outcome.robust,
        outcome.error,
        "1",
        broken_by="the library is finite",
    )
    assert suffices(outcome)


def test_on_events(size: int, measured: Callable[..., None]) -> None:
    """Histograms of events from small libraries are ROBUST for few required events, and BIASED for many."""
    reference = gv.toys.Pileup(mean=5.0, library_size=200_000, library_seed=1).sample(200_000, seed=1)["sum_pt"]
    edges = [-np.inf, *np.quantile(reference, np.arange(1, 10) / 10), np.inf]
    truth = gv.Counts(np.histogram(reference, edges)[0])
    number = 12 * size
    verdicts: dict[float, list[gv.Verdict]] = {1 / 16: [], 256: []}
    for seed in range(2, 2 + number):
        toy = gv.toys.Pileup(mean=5.0, library_size=1_000, library_seed=seed)
        generated = gv.Counts(np.histogram(toy.sample(60_000, seed=seed)["sum_pt"], edges)[0])
        for ratio, found in verdicts.items():
            found.append(gv.compare(generated, truth, n_required=ratio * toy.worth()).verdict)
    robust, biased = verdicts[1 / 16].count(gv.Verdict.ROBUST) / number, verdicts[256].count(gv.Verdict.BIASED) / number
    measured("share ROBUST on events, n_required / worth = 1/16", robust, _binomial(robust, number), "above 0.8")
    measured("share BIASED on events, n_required / worth = 256", biased, _binomial(biased, number), "above 0.25")
    assert robust > 0.8
    assert biased > 0.25


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

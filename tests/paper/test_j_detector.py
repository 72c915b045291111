"""Section 3, the first caveat's example of a detector: a generated response will do where it is no bottleneck.

The generator is the response of a calorimeter given the energy: it resamples the showers of its training sample, slice
by slice of the incident energy, and the energies are those of true events. An analysis of the spectrum of measured
energies hardly feels it: 4 n_train events of it are ROBUST. The premise is that the response is not what the analysis
resolves; an analysis of the response itself breaks it. Rare fakes are the exception that the paper names: their rate
and shape are those of the training sample, and BIASED at 4 n_train. The premise there is that fakes are why more events
are needed; where n_train / 16 are enough it is broken, and the same generator is ROBUST.

Trainings are multinomial contents of cells, 40 slices of energy times 0.01 of the response, which is as good as drawing
events: showers are independent. A response is taken to be at the centre of its cell, in truth and training alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv

CLAIM = "a generated detector response will do where it is not the bottleneck, and not where rare fakes are"
SECTION = "3"

Array = NDArray[np.float64]

TOY = gv.toys.Calorimeter(energy_range=(100.0, 10_000.0), fake_rate=1e-3)
SLICES = 40
N_TRAIN = 400_000
TRAININGS = 60
MORE = 4
"""Required events per training event."""

LOW, HIGH = np.log(TOY.energy_range)
SLICE = (HIGH - LOW) / SLICES
MIDDLES = LOW + SLICE * (np.arange(SLICES) + 0.5)
EDGES = np.array([*np.linspace(0.4, 1.6, 121), 3.0, 3.5, 4.0, 5.0])
CENTRES = np.array([EDGES[0], *(EDGES[1:] + EDGES[:-1]) / 2, EDGES[-1] + 1])
TRUTH = np.array([TOY.at(energy).bin_probabilities(EDGES.tolist()) for energy in np.exp(MIDDLES)])
"""Probabilities of the cells of the response in each slice, shape (slices, cells)."""


def measured_energy() -> Array:
    """Return the chance that a shower of each slice and cell is in each of 10 bins of E times response, equal in log E.

    Energies are log-uniform within their slice. Shape (slices, cells, bins).
    """
    edges = LOW + (HIGH - LOW) * np.arange(1, 10) / 10
    start = (MIDDLES - SLICE / 2)[:, None, None] + np.log(CENTRES)[:, None]
    below = np.clip((edges - start) / SLICE, 0, 1)
    return np.diff(below, axis=2, prepend=0.0, append=1.0)


def in_response(edges: list[float]) -> Array:
    """Return the same for bins of the response."""
    bins = np.searchsorted(edges, CENTRES, side="right")
    return np.broadcast_to(np.eye(len(edges) + 1)[bins], (SLICES, CENTRES.size, len(edges) + 1))


ANALYSES = {
    "measured energy": measured_energy(),
    "response": in_response([0.92, 0.95, 0.97, 0.985, 1.0, 1.015, 1.03, 1.05, 1.08]),
    "fakes": in_response([3.0, 3.5, 4.0, 5.0]),
}


@dataclass(frozen=True)
class Trained:
    """An analysis of many trained generators.

    Attributes:
        truth: Its bin probabilities, shape (bins,).
        generated: Those of each generator, shape (trainings, bins).
        worth: Expected worth in true events per training event, from the covariance of the training sample.
    """

    truth: Array
    generated: Array
    worth: float

    @property
    def measured_worth(self) -> tuple[float, float]:
        """The worth from the mean triangular discrimination, and its error."""
        delta = ((self.generated - self.truth) ** 2 / (self.generated + self.truth)).sum(axis=1)
        worth = (self.truth.size - 1) / (2 * float(delta.mean()) * N_TRAIN)
        return worth, worth * float(delta.std() / delta.mean()) / math.sqrt(delta.size)

    def shares(self, per_training_event: float) -> tuple[float, float, float]:
        """Return the shares of ROBUST and BIASED at so many required events per training event, and an error."""
        rng = np.random.default_rng([10, self.truth.size, round(100 * per_training_event)])
        required = round(per_training_event * N_TRAIN)
        verdicts = [
            gv.compare(
                gv.Counts(rng.multinomial(20 * required, q)),
                gv.Counts(rng.multinomial(10 * required, self.truth)),
                n_required=required,
            ).verdict
            for q in self.generated
        ]
        robust, biased = (verdicts.count(v) / len(verdicts) for v in (gv.Verdict.ROBUST, gv.Verdict.BIASED))
        return robust, biased, _binomial(robust, len(verdicts))


def trained(analysis: str, size: int) -> Trained:
    """Train on as many showers in each slice."""
    rng = np.random.default_rng(100)
    bins, each = ANALYSES[analysis], N_TRAIN // SLICES
    truth = np.einsum("sc,scb->b", TRUTH, bins) / SLICES
    generated = np.array(
        [np.einsum("sc,scb->b", rng.multinomial(each, TRUTH) / each, bins) / SLICES for _ in range(TRAININGS * size)]
    )
    mean = np.einsum("sc,scb->sb", TRUTH, bins)
    variance = (np.einsum("sc,scb->sb", TRUTH, bins**2) - mean**2).mean(axis=0)
    return Trained(truth, generated, (truth.size - 1) / float((variance / truth).sum()))


def will_do(robust: float, error: float) -> bool:
    """Tell whether most trainings are shown to be ROBUST."""
    return robust - 4 * error > 0.5


@pytest.mark.parametrize("analysis", ANALYSES)
def test_what_the_training_sample_is_worth(analysis: str, size: int, measured: Callable[..., None]) -> None:
    """A generator is worth n_train events for its own response and for fakes, and many times that for a spectrum."""
    found = trained(analysis, size)
    worth, error = found.measured_worth
    measured(f"n_equivalent / n_train: {analysis}", worth, error, f"{found.worth:.3g}")
    assert abs(worth - found.worth) < 4 * error
    assert (found.worth > 20) == (analysis == "measured energy")


def test_it_will_do_for_a_spectrum(size: int, measured: Callable[..., None]) -> None:
    """The spectrum of measured energies is ROBUST for four times as many events as the response was learnt from."""
    robust, _, error = trained("measured energy", size).shares(MORE)
    measured(f"share ROBUST at {MORE} n_train: measured energy", robust, error, "above 0.5")
    assert will_do(robust, error)


def test_unless_the_response_is_the_bottleneck(size: int, measured: Callable[..., None]) -> None:
    """The same generator is BIASED at the same n_required if the response itself is what is analysed."""
    robust, biased, error = trained("response", size).shares(MORE)
    measured(
        f"share ROBUST at {MORE} n_train: response", robust, error, "0", broken_by="the response is the bottleneck"
    )
    assert not will_do(robust, error)
    assert biased > 0.8


def test_it_will_not_do_for_rare_fakes(size: int, measured: Callable[..., None]) -> None:
    """Rare fakes are BIASED where four times n_train are required, though one event in a thousand is one."""
    robust, biased, error = trained("fakes", size).shares(MORE)
    measured(f"share ROBUST at {MORE} n_train: fakes", robust, error, "0 to 0.09")
    assert not will_do(robust, error)
    assert biased > 0.5


def test_unless_they_are_not_why_more_are_needed(size: int, measured: Callable[..., None]) -> None:
    """Where far fewer events are required than the generator was trained on, fakes are ROBUST, too."""
    robust, _, error = trained("fakes", size).shares(1 / 16)
    measured(
        "share ROBUST at n_train / 16: fakes",
        robust,
        error,
        "above 0.5",
        broken_by="fakes are not the reason for more events",
    )
    assert will_do(robust, error)


def test_on_events() -> None:
    """Event by event and through the whole check: the spectrum is ROBUST, the response is not."""
    training, reference = TOY.sample(5_000, seed=1), TOY.sample(200_000, seed=2)
    energy = TOY.sample(400_000, seed=3)["energy"]
    rng = np.random.default_rng(4)
    slices = [np.clip((np.log(e) - LOW) / SLICE, 0, SLICES - 1).astype(int) for e in (training["energy"], energy)]
    response = np.empty_like(energy)
    for number in range(SLICES):
        here = slices[1] == number
        response[here] = rng.choice(training["response"][slices[0] == number], size=int(here.sum()))
    sides = [
        {"measured": np.log(e * np.maximum(r, 0.1)), "response": r}
        for e, r in ((energy, response), (reference["energy"], reference["response"]))
    ]
    bins = {"measured": np.linspace(LOW, HIGH, 11), "response": 10}
    report = gv.validate(*sides, n_required=20_000, observables=["measured", "response"], bins=bins)
    assert report.comparisons["measured"].robust
    assert report.comparisons["response"].verdict is gv.Verdict.BIASED


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

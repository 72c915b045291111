"""What the experiments on the paper's claims share: how large they are, and the table of what was measured.

The quick form runs with the suite; ``GANVALID_PAPER=large`` takes ten times as many toys. ``benchmarks/paper.py`` runs
them and writes the table of the docs.

Where a generator's events are only ever counted in bins, the experiments draw the contents of the bins from multinomial
distributions instead of drawing events and counting them: the contents have the same distribution.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv

Array = NDArray[Any]
Measured = Callable[..., None]
GAN_EVENTS = 100


@pytest.fixture(scope="session")
def size() -> int:
    """By what number of toys and trainings are multiplied."""
    return 10 if os.environ.get("GANVALID_PAPER") == "large" else 1


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Note a number for the table: ``measured(what, value, error, expected, broken_by=...)``.

    Claim and section are the test module's ``CLAIM`` (one sentence) and ``SECTION``. ``expected`` is in words ("1", "at
    most 0.05", "0.683"); ``broken_by`` names the premise without which another number comes out (empty if the row is
    that of the intact claim and the broken one follows).
    """
    table = os.environ.get("GANVALID_PAPER_TABLE")

    def note(what: str, value: float, error: float, expected: str, *, broken_by: str = "") -> None:
        if not table:
            return
        row = {
            "module": request.path.stem,
            "claim": request.module.CLAIM,
            "section": request.module.SECTION,
            "what": what,
            "value": float(value),
            "error": float(error),
            "expected": expected,
            "broken_by": broken_by,
        }
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return note


@pytest.fixture(scope="session")
def bootstrap() -> Callable[..., tuple[Array, Array]]:
    """Bin contents of training samples, and of samples that a bootstrap generator makes of each.

    ``bootstrap(seed, probabilities, n_train, n_generated, trainings)``; both arrays have the shape (trainings, bins).
    The generator draws training events with replacement: contents of its bins are multinomial with the shares of the
    training sample, which it agrees with in every distribution, as the paper assumes of a perfect training.
    """

    def contents(
        seed: int, probabilities: Array, n_train: int, n_generated: int, trainings: int
    ) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        training = rng.multinomial(n_train, probabilities, size=trainings)
        return training, rng.multinomial(n_generated, training / n_train)

    return contents


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a distribution, and its efficient estimate from bin contents close to the truth.

    Attributes:
        probabilities: Of the bins, at the true value; shape (bins,).
        slopes: Their derivatives by the parameter; shape (bins,).
    """

    probabilities: Array
    slopes: Array

    @property
    def information(self) -> float:
        """Fisher information of one event about the parameter, Σ slopes²/probabilities."""
        return float(np.sum(self.slopes**2 / self.probabilities))

    def error(self, n: float) -> float:
        """Standard error from ``n`` true events: the bound of Cramér and Rao, which `offsets` reaches."""
        return float((n * self.information) ** -0.5)

    def offsets(self, contents: Array) -> Array:
        """Estimate minus true value, by one step of Fisher's scoring from there; contents of shape (..., bins)."""
        shares = contents / contents.sum(axis=-1, keepdims=True)
        return np.asarray(shares @ (self.slopes / self.probabilities) / self.information)


@pytest.fixture(scope="session")
def z_mass() -> Parameter:
    """The mass of the Z, GeV, from 20 bins that are equiprobable at its true value."""
    step, truth = 0.02, gv.toys.ZLineShape()
    edges = truth.equiprobable_edges(20)
    low, high = (gv.toys.ZLineShape(mass=truth.mass + sign * step).bin_probabilities(edges) for sign in (-1, 1))
    return Parameter(truth.bin_probabilities(edges), (high - low) / (2 * step))


@pytest.fixture(scope="session")
def bump() -> Parameter:
    """The share of signal in a dijet-mass spectrum without any, from bins of 100 GeV."""
    edges = np.arange(1_600.0, 4_001.0, 100.0).tolist()
    without = gv.toys.DijetMass(signal_fraction=0.0).bin_probabilities(edges)
    share = 0.01
    return Parameter(without, (gv.toys.DijetMass(signal_fraction=share).bin_probabilities(edges) - without) / share)


@pytest.fixture(scope="session")
def gans(size: int) -> Callable[..., list[gv.gan.Generator]]:
    """Trained GANs of the camel back: ``gans(seed)``, one for each of some training samples of 100 events.

    Another seed trains others on the same samples.
    """
    torch: Any = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    small = gv.gan.Config(width=48, critic_width=48, batch=GAN_EVENTS, latent=4)
    quick = replace(small, steps=200, averaging=0.96, learning_rate=8e-3)
    better = replace(small, steps=1_000, averaging=0.99, learning_rate=3e-3)

    @cache
    def trained(seed: int = 1) -> list[gv.gan.Generator]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # small networks are slower on several, and machines are shared
        try:
            return [
                gv.gan.train(
                    gv.toys.CamelBack().sample(GAN_EVENTS, seed=1_000 + sample),
                    config=quick if size == 1 else better,
                    seed=seed,
                )
                for sample in range(3 if size == 1 else 10)
            ]
        finally:
            torch.set_num_threads(threads)

    return trained

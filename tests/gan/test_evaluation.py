"""The energy distance is that of the samples, and a critic that has collapsed is told from one that has learned."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid import toys
from pytest_ganvalid.errors import InputError, TrainingWarning
from pytest_ganvalid.gan import Config, train
from pytest_ganvalid.gan.evaluation import Collapse, EnergyDistance
from pytest_ganvalid.gan.model import Perceptron, generator_sizes

Array = NDArray[np.float64]
CPU = torch.device("cpu")
CONFIG = Config(width=4, depth=2, members=1, latent=2)


def _network(config: Config, conditions: int = 0) -> Any:
    """Make a generator of one column, whose weights are as they were drawn."""
    return Perceptron(config.members, generator_sizes(config, 1, conditions), torch.Generator().manual_seed(1))


class _Fixed:
    """A generator that was trained to perfection: its events are those it is made of."""

    def __init__(self, events: Array) -> None:
        """Keep the events, shape (events, columns)."""
        self._events = torch.from_numpy(events).float()

    def __call__(self, inputs: Any) -> Any:
        """Return the events, whatever the latent numbers."""
        return self._events[: inputs.shape[1]][None]


def _distances(a: Array, b: Array) -> Array:
    return np.asarray(np.sqrt(((a[:, None] - b) ** 2).sum(axis=-1)))


@pytest.mark.parametrize("members", [1, 3])
def test_the_distance_is_that_of_the_samples(members: int) -> None:
    """It is the energy distance of generated events, with their conditions and weights, from training events."""
    config = Config(width=4, depth=2, members=members, latent=2)
    network = _network(config, conditions=1)
    rng = np.random.default_rng(1)
    inputs, others = rng.normal(size=(30, 2)), rng.normal(size=(20, 1))
    weight, weight_of_others = rng.uniform(0.5, 2, 30), rng.uniform(0.5, 2, 20)
    distance = EnergyDistance(inputs, weight, others, weight_of_others, config, CPU)
    with torch.no_grad():
        made = network(distance._inputs).transpose(0, 1).reshape(-1, 1)[:20].numpy()
    ours = np.column_stack([made, others])
    share, ours_share = weight / weight.sum(), weight_of_others / weight_of_others.sum()
    expected = 2 * ours_share @ _distances(ours, inputs) @ share - share @ _distances(inputs, inputs) @ share
    expected -= ours_share @ _distances(ours, ours) @ ours_share
    assert distance(network) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_samples(weighted: bool) -> None:  # noqa: FBT001
    """What it says of equal samples is the mean distance of samples of one distribution, weighted or not."""
    rng, found, told = np.random.default_rng(2), [], []
    for _ in range(150):
        x, y = rng.normal(size=(100, 2)), rng.normal(size=(60, 2))
        weight = rng.exponential(size=100) if weighted else None
        distance = EnergyDistance(x, weight, np.empty((60, 0)), None, CONFIG, CPU)
        found.append(distance(_Fixed(y)))
        told.append(distance.equal_samples)
    assert np.mean(told) == pytest.approx(np.mean(found), abs=4 * np.std(found) / math.sqrt(150))
    # In two dimensions the mean distance of two normal events is √π.
    assert np.mean(told) == pytest.approx(math.sqrt(math.pi) * ((2 if weighted else 1) / 100 + 1 / 60), rel=0.05)


def test_other_distributions_are_farther() -> None:
    """Events that are shifted or all in one place are many times farther away than equal samples."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 1))
    distance = EnergyDistance(x, None, np.empty((500, 0)), None, CONFIG, CPU)
    for wrong in (x + 0.5, np.zeros((500, 1))):
        assert distance(_Fixed(wrong)) > 20 * distance.equal_samples


def test_one_event_is_enough() -> None:
    """A single event to compare with has a distance, and none to expect of equal samples."""
    distance = EnergyDistance(np.ones((1, 1)), None, np.empty((1, 0)), None, CONFIG, CPU)
    assert math.isfinite(distance(_network(CONFIG)))
    assert distance.equal_samples == 0


@pytest.mark.parametrize("weight", [np.zeros(20), np.linspace(-2, 1, 20)])
def test_weights_of_no_sum(weight: Array) -> None:
    """Held-out events whose weights do not add up to anything are refused."""
    with pytest.raises(InputError, match=r"the weights of 20 held-out events sum to .*; hold out more, or none"):
        EnergyDistance(np.ones((20, 1)), weight, np.empty((20, 0)), None, CONFIG, CPU)


def _messages(config: Config, loss: float, distance: float) -> list[str]:
    """What is said in a training in which nothing changes, 200 reports of it."""
    collapse, steps = Collapse(config), range(config.length // 200, config.length + 1, config.length // 200)
    values = {"critic_loss": loss, "energy_distance": distance, "equal_samples": 0.002}
    return [message for step in steps if (message := collapse.message(step, values))]


@pytest.mark.parametrize(
    ("objective", "constant"), [("relativistic", math.log(2)), ("hinge", 2.0), ("wgan-gp", 0.0)], ids=str
)
def test_both_signs_are_needed(objective: str, constant: float) -> None:
    """A critic as good as a constant has collapsed while events are far from alike, and else has done its work."""
    config = Config(objective=objective, steps=6_000)
    assert _messages(config, constant + 1e-3, 0.021)
    assert not _messages(config, constant + 1e-3, 0.019)
    assert not _messages(config, constant - 1e-3, 0.021)


def test_the_beginning_is_left_aside() -> None:
    """Random weights, whose slopes are penalised, are no collapse, nor is any training of less than 200 steps."""
    first = _messages(Config(steps=2_000), 1.0, 0.5)[0]
    assert first.startswith("step 590: the critic has collapsed: its loss, 1, is no less than 0.693")
    assert "250 times that of equal samples; lower learning_rate" in first
    assert not _messages(Config(steps=200), 1.0, 0.5)


def test_no_distance_no_collapse() -> None:
    """Where there is no energy distance, nothing is said of the critic."""
    collapse = Collapse(Config(steps=1_000))
    assert not any(collapse.message(step, {"critic_loss": 1.0}) for step in range(5, 1_001, 5))


SMALL: dict[str, Any] = {"width": 32, "critic_width": 32, "batch": 100, "steps": 300, "averaging": 0.99}


@pytest.mark.filterwarnings("ignore:steps=.* is below the:UserWarning")
@pytest.mark.parametrize(
    ("toy", "too_large"),
    [(toys.CamelBack, 0.4), (toys.SphericalShell, 0.2)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_training_that_collapses_says_so(toy: Callable[[], Any], too_large: float) -> None:
    """A learning rate far too large makes the critic collapse, which is said once; by the usual one nothing is said."""
    events = toy().sample(500, seed=1)
    with pytest.warns(TrainingWarning, match="the critic has collapsed") as told:
        train(events, config=Config(**SMALL, learning_rate=too_large), device="cpu")
    assert len([warning for warning in told if "collapsed" in str(warning.message)]) == 1
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*collapsed")
        train(events, config=Config(**SMALL), device="cpu")

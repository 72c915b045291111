"""Early stopping goes by the energy distance to held-out events, and keeps the best weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import Config
from pytest_ganvalid.gan.model import Perceptron, generator_sizes
from pytest_ganvalid.gan.stopping import Stopping

Array = NDArray[np.float64]


def _network(config: Config, conditions: int = 0) -> Any:
    """Make a generator of one column, whose weights are as they were drawn."""
    return Perceptron(config.members, generator_sizes(config, 1, conditions), torch.Generator().manual_seed(1))


def test_stopping_takes_the_best() -> None:
    """Training stops once nothing has improved for as long as patience lasts, and the best weights are kept."""
    config = Config(width=4, depth=2, members=2, latent=2, patience=3)
    network = _network(config)
    stopping = Stopping(np.random.default_rng(1).normal(size=(50, 1)), None, 1, config, network)
    stopping.evaluate(network)
    best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    distance = stopping.distance
    with torch.no_grad():
        network.biases[-1].add_(100.0)
    for waited in range(3):
        assert not stopping.is_over, waited
        stopping.evaluate(network)
    assert stopping.is_over
    assert stopping.distance > distance + 100
    assert all(torch.equal(tensor, best[name]) for name, tensor in stopping.best.items())


def test_the_distance_is_that_of_the_samples() -> None:
    """The measure of stopping is the energy distance of generated and held-out events, weights included."""
    config = Config(width=4, depth=2, members=1, latent=2)
    network = _network(config, conditions=1)
    rng = np.random.default_rng(1)
    inputs, weight = rng.normal(size=(30, 2)), rng.uniform(0.5, 2, 30)
    stopping = Stopping(inputs, weight, 1, config, network)
    stopping.evaluate(network)
    with torch.no_grad():
        ours = np.column_stack([network(stopping._inputs)[0].numpy(), inputs[:, 1:]])
    share = weight / weight.sum()

    def distances(a: Array, b: Array) -> Array:
        return np.asarray(np.sqrt(((a[:, None] - b) ** 2).sum(axis=-1)))

    expected = 2 * (distances(ours, inputs) @ share).mean() - distances(ours, ours).mean()
    expected -= share @ distances(inputs, inputs) @ share
    assert stopping.distance == pytest.approx(expected, abs=1e-4)


def test_the_state_travels() -> None:
    """A state that was written and read has the same best weights, and as little patience left."""
    config = Config(width=4, depth=1, latent=2, patience=2)
    network, inputs = _network(config), np.random.default_rng(1).normal(size=(20, 1))
    first, second = (Stopping(inputs, None, 1, config, network) for _ in range(2))
    for _ in range(2):  # no better the second time
        first.evaluate(network)
    with torch.no_grad():
        network.biases[-1].add_(1.0)
    second.load(first.tensors())
    assert (second.distance, second.is_over) == (first.distance, False)
    assert all(torch.equal(tensor, first.best[name]) for name, tensor in second.best.items())
    second.evaluate(network)
    assert second.is_over


@pytest.mark.parametrize("weight", [np.zeros(20), np.linspace(-2, 1, 20)])
def test_weights_of_no_sum(weight: Array) -> None:
    """Held-out events whose weights do not add up to anything are refused."""
    config = Config(width=4, depth=1, latent=2)
    with pytest.raises(InputError, match=r"the weights of 20 held-out events sum to .*; hold out more, or none"):
        Stopping(np.ones((20, 1)), weight, 1, config, _network(config))

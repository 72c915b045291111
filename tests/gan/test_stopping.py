"""Early stopping goes by the distances it is given, and keeps the best weights."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan.model import Perceptron
from pytest_ganvalid.gan.stopping import Stopping


def _network() -> Any:
    """Make a generator of one column, whose weights are as they were drawn."""
    return Perceptron(2, (2, 4, 1), torch.Generator().manual_seed(1))


def _move(network: Any) -> None:
    with torch.no_grad():
        network.biases[-1].add_(1.0)


def test_stopping_takes_the_best() -> None:
    """Training stops once nothing has improved for as long as patience lasts, and the best weights are kept."""
    network = _network()
    stopping = Stopping(3, network)
    stopping.update(2.0, network)
    _move(network)
    stopping.update(1.0, network)
    best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for waited in range(3):
        _move(network)
        assert not stopping.is_over, waited
        stopping.update(1.0, network)
    assert stopping.is_over
    assert all(torch.equal(tensor, best[name]) for name, tensor in stopping.best.items())


def test_patience_begins_anew_when_extended() -> None:
    """A training that was over waits as long again when it is extended, for a distance less than the least so far."""
    network = _network()
    stopping = Stopping(2, network)
    for distance in (1.0, 2.0, 2.0):
        stopping.update(distance, network)
    best = {name: tensor.clone() for name, tensor in stopping.best.items()}
    assert stopping.is_over
    stopping.extend()
    _move(network)
    for _ in range(2):
        assert not stopping.is_over
        stopping.update(1.5, network)
    assert stopping.is_over
    assert all(torch.equal(tensor, best[name]) for name, tensor in stopping.best.items())


def test_the_state_travels() -> None:
    """A state that was written and read has the same best weights, and as little patience left."""
    network = _network()
    first, second = (Stopping(2, network) for _ in range(2))
    for _ in range(2):  # no better the second time
        first.update(1.0, network)
    _move(network)
    second.load(first.tensors())
    assert not second.is_over
    assert all(torch.equal(tensor, first.best[name]) for name, tensor in second.best.items())
    second.update(1.0, network)
    assert second.is_over

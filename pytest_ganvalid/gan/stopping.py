"""Early stopping by the distance of generated events from held-out training events alone."""

from __future__ import annotations

import math
from typing import Any

import torch

from pytest_ganvalid.gan.model import Perceptron

Tensor = Any


class Stopping:
    """Keeps the best weights, and tells when there were no better ones for long.

    Attributes:
        best: The weights with the smallest distance.
    """

    def __init__(self, patience: int, network: Perceptron) -> None:
        """Begin with the weights of a network; ``patience`` is the number of distances to wait for a smaller one."""
        self._patience = patience
        self.best = _weights(network)
        self._best_distance, self._waited = math.inf, 0

    @property
    def is_over(self) -> bool:
        """Whether the last ``patience`` distances were no improvement."""
        return self._waited >= self._patience

    def update(self, distance: float, network: Perceptron) -> None:
        """Record the distance of a network."""
        if distance < self._best_distance:
            self._best_distance, self._waited, self.best = distance, 0, _weights(network)
        else:
            self._waited += 1

    def extend(self) -> None:
        """Restore the full patience."""
        self._waited = 0

    def tensors(self) -> dict[str, Tensor]:
        """Return the state, for a checkpoint."""
        state = torch.tensor([self._best_distance, self._waited], dtype=torch.float64)
        return {"stopping": state} | {f"best.{name}": tensor for name, tensor in self.best.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over a state.

        Raises:
            KeyError: If the tensors hold no such state.
        """
        self._best_distance, waited = tensors["stopping"].tolist()
        self._waited = int(waited)
        self.best = {name: tensors[f"best.{name}"].to(tensor.device) for name, tensor in self.best.items()}


def _weights(network: Perceptron) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}

"""Early stopping: by how far generated events are from held-out training events, and by nothing else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.model import Perceptron
from pytest_ganvalid.gan.numbers import key, latents

Tensor = Any
FloatArray = NDArray[np.float64]
_MOST = 2_000  # held-out events in use: the distances of all pairs are computed
_SEED = 0


class Stopping:
    """Keeps the best weights, and says when there were no better ones for long.

    The measure is the energy distance, 2 E|X-Y| - E|X-X'| - E|Y-Y'| (Székely & Rizzo, J. Stat. Plan. Inference 143,
    2013), of scaled columns and conditions together. The generated events are under the conditions of the held-out ones
    and always of the same latent numbers, so that it changes with the weights alone.

    Attributes:
        best: The weights with the least distance.
        distance: The last one.
    """

    def __init__(
        self, inputs: FloatArray, weight: FloatArray | None, columns: int, config: Config, network: Perceptron
    ) -> None:
        """Keep the held-out events, shape (events, inputs), of which the first ``columns`` are no conditions.

        Raises:
            InputError: If the sum of the weights is not positive.
        """
        device, rows = network.weights[0].device, min(len(inputs), _MOST)
        weight = np.ones(rows) if weight is None else weight[:rows]
        if not weight.sum() > 0:
            msg = f"the weights of {rows:,} held-out events sum to {weight.sum():g}; hold out more, or none"
            raise InputError(msg)
        self._events = torch.from_numpy(inputs[:rows]).float().to(device)
        self._shares = torch.from_numpy(weight / weight.sum()).float().to(device)
        numbers = torch.arange(config.members * rows * config.latent, device=device)
        drawn = latents(key(_SEED, 2), numbers).view(config.members, rows, config.latent)
        self._conditions = self._events[:, columns:].expand(config.members, -1, -1)
        self._inputs = torch.cat([drawn, self._conditions], dim=-1)
        self._patience = config.patience
        self.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.distance, self._least, self._waited = math.inf, math.inf, 0

    @property
    def is_over(self) -> bool:
        """Whether there was no improvement for as long as patience lasts."""
        return self._waited >= self._patience

    @torch.no_grad()
    def evaluate(self, network: Perceptron) -> None:
        """Compare the network with the held-out events."""
        made = torch.cat([network(self._inputs), self._conditions], dim=-1)
        events, shares = self._events, self._shares
        across = (torch.cdist(made, events.expand_as(made)) @ shares).mean()
        # A member's events against those of its own, and of the others: one sample of all.
        sample = made.transpose(0, 1).reshape(-1, made.shape[-1])[: len(events)]
        within = torch.cdist(sample, sample).mean() + shares @ torch.cdist(events, events) @ shares
        self.distance = float(2 * across - within)
        if self.distance < self._least:
            self._least, self._waited = self.distance, 0
            self.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        else:
            self._waited += 1

    def tensors(self) -> dict[str, Tensor]:
        """Return the state, for a checkpoint."""
        state = torch.tensor([self.distance, self._least, self._waited], dtype=torch.float64)
        return {"stopping": state} | {f"best.{name}": tensor for name, tensor in self.best.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over a state.

        Raises:
            KeyError: If the state is not there.
        """
        self.distance, self._least, waited = tensors["stopping"].tolist()
        self._waited = int(waited)
        self.best = {name: tensors[f"best.{name}"].to(tensor.device) for name, tensor in self.best.items()}

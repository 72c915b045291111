"""Early stopping: by how far generated events are from held-out training events, and by nothing else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.networks import Perceptron
from pytest_ganvalid.gan.numbers import key, latents

Tensor = Any
FloatArray = NDArray[np.float64]
_MOST = 2_000  # held-out events that are looked at: the distances of all pairs are computed
_SEED = 0


class Stopping:
    """Remembers the best weights, and says when there were no better ones for long.

    The measure is the energy distance, 2 E|X-Y| - E|X-X'| - E|Y-Y'| (Székely & Rizzo, J. Stat. Plan. Inference 143,
    2013), of scaled columns and conditions together. The generated events are under the conditions of the held-out ones
    and always of the same latent numbers, so that it changes with the weights alone.
    """

    def __init__(
        self, inputs: FloatArray, weight: FloatArray | None, columns: int, config: Config, network: Perceptron
    ) -> None:
        """Keep the held-out events.

        Args:
            inputs: Columns, then conditions, shape (events, inputs).
            weight: Shape (events,), or ``None``.
            columns: How many inputs are columns.
            config: Whose patience counts.
            network: The average generator, as it starts.
        """
        device, rows = network.weights[0].device, min(len(inputs), _MOST)
        self._events = torch.from_numpy(inputs[:rows]).float().to(device)
        shares = np.full(rows, 1 / rows) if weight is None else _shares(weight[:rows])
        self._shares = torch.from_numpy(shares).float().to(device)
        numbers = torch.arange(config.members * rows * config.latent, device=device)
        drawn = latents(key(_SEED, 2), numbers).view(config.members, rows, config.latent)
        self._conditions = self._events[:, columns:].expand(config.members, -1, -1)
        self._inputs = torch.cat([drawn, self._conditions], dim=-1)
        self._patience = config.patience
        self.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.distance, self._least, self._waited = math.inf, math.inf, 0

    @property
    def is_over(self) -> bool:
        """Whether there was no improvement for longer than patience lasts."""
        return self._waited >= self._patience

    @torch.no_grad()
    def look(self, network: Perceptron) -> None:
        """Compare the network with the held-out events."""
        made = torch.cat([network(self._inputs), self._conditions], dim=-1)
        ours, theirs, shares = made, self._events, self._shares
        across = (torch.cdist(ours, theirs.expand_as(ours)) @ shares).mean()
        # A member's events against those of its own, and of the others: one sample of all.
        flat = ours.transpose(0, 1).reshape(-1, ours.shape[-1])[: len(theirs)]
        within = torch.cdist(flat, flat).mean() + shares @ torch.cdist(theirs, theirs) @ shares
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
            KeyError: If it is not there.
        """
        distance, least, waited = tensors["stopping"].tolist()
        self.distance, self._least, self._waited = distance, least, int(waited)
        self.best = {name: tensors[f"best.{name}"].to(held.device) for name, held in self.best.items()}


def _shares(weight: FloatArray) -> FloatArray:
    if not weight.sum() > 0:
        msg = f"the weights of {weight.size:,} held-out events sum to {weight.sum():g}; hold out more, or none"
        raise InputError(msg)
    return np.asarray(weight / weight.sum())

"""What a training is followed by: how near generated events are, and whether the critic still tells them apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.model import OBJECTIVES, Perceptron
from pytest_ganvalid.gan.numbers import key, latents

Tensor = Any
FloatArray = NDArray[np.float64]
MOST = 1_000
"""Events of either side in use: the distances of all pairs are computed."""
_SEED, _LATENTS = 0, 2
_FAR = 10.0  # times the energy distance of equal samples
_WINDOW = 20  # reports
_FROM, _SETTLED = 0.2, 200  # share of the steps, and steps, that random initial weights are left


class EnergyDistance:
    """The energy distance of generated events from training events, 2 E|X-Y| - E|X-X'| - E|Y-Y'|.

    Székely & Rizzo, J. Stat. Plan. Inference 143 (2013). The distances are those of scaled columns and conditions
    together, without a unit: 1 is a standard deviation of a column. The generated events are always of the same latent
    numbers, and under the conditions of training events other than those they are compared with, so that it changes
    with the weights of the network alone.

    Attributes:
        equal_samples: Its mean for generated events that are distributed as the training events are, from which nothing
            tells them: E|X-X'| (1/n + 1/m) for n training and m generated events, with the sums of the squares of the
            shares in place of 1/n and 1/m where there are weights.
    """

    def __init__(
        self,
        inputs: FloatArray,
        weight: FloatArray | None,
        others: FloatArray,
        weight_of_others: FloatArray | None,
        config: Config,
        device: torch.device,
    ) -> None:
        """Keep at most `MOST` training events, shape (events, inputs), and as many conditions.

        Args:
            inputs: What generated events are compared with.
            weight: Of these events.
            others: Conditions of other training events, shape (events, conditions), one for each generated event.
            weight_of_others: Of those, if there are any conditions.
            config: Settings of the training.
            device: Where the network is.

        Raises:
            InputError: If the sum of the weights is not positive.
        """
        inputs, others = inputs[:MOST], others[:MOST]
        self._events, self._conditions = (torch.from_numpy(part).float().to(device) for part in (inputs, others))
        self._shares = _shares(len(inputs), weight).to(device)
        self._generated_shares = _shares(len(others), weight_of_others if others.shape[1] else None).to(device)
        groups = -(-len(others) // config.members)
        positions = torch.arange(config.members * groups, device=device).view(config.members, groups)
        drawn = latents(key(_SEED, _LATENTS), positions, config.latent)
        self._inputs = torch.cat([drawn, self._conditions[positions % len(others)]], dim=-1)
        distances = torch.cdist(self._events, self._events)
        self._within = float(self._shares @ distances @ self._shares)
        absolute = self._shares.abs() / self._shares.abs().sum()
        apart = float(absolute @ distances @ absolute) / max(1 - float(absolute.square().sum()), 1e-9)
        squares = sum(float(shares.square().sum()) for shares in (self._shares, self._generated_shares))
        self.equal_samples = apart * squares

    @torch.no_grad()
    def __call__(self, network: Perceptron) -> float:
        """Return the distance of the events of a network, from all of its members in turn."""
        conditions, shares = self._conditions, self._generated_shares
        made = network(self._inputs).transpose(0, 1).flatten(0, 1)[: len(conditions)]
        made = torch.cat([made, conditions], dim=-1)
        across = shares @ torch.cdist(made, self._events) @ self._shares
        within = shares @ torch.cdist(made, made) @ shares
        return float(2 * across - within) - self._within


def _shares(events: int, weight: FloatArray | None) -> Tensor:
    values = np.ones(events) if weight is None else weight[:events]
    if not values.sum() > 0:
        msg = f"the weights of {events:,} held-out events sum to {values.sum():g}; hold out more, or none"
        raise InputError(msg)
    return torch.from_numpy(values / values.sum()).float()


class Collapse:
    """Tells when the critic has collapsed: it judges no better than a constant would, and events are far from alike.

    A critic whose losses are those of a constant is what training aims at, if generated events are as good as training
    events. It has collapsed if it says nothing while the energy distance is more than ten times that of equal samples.
    Losses are averaged over the last 20 reports, a tenth of a training; those of the first fifth of the steps, and of
    the first 200 steps, are left aside.
    """

    def __init__(self, config: Config) -> None:
        """Find the loss of a constant critic, which has no slope to be penalised."""
        nothing, one = torch.zeros(1), torch.ones(1)
        self._constant = float(OBJECTIVES[config.objective].critic(nothing, nothing, one))
        self._length = config.length
        self._losses: deque[float] = deque(maxlen=_WINDOW)

    def message(self, step: int, values: Mapping[str, float]) -> str | None:
        """Take note of what a step has to tell, and return what is wrong, if anything is."""
        if step < max(_FROM * self._length, _SETTLED):
            return None
        self._losses.append(values["critic_loss"])
        loss = sum(self._losses) / len(self._losses)
        distance, equal = (values.get(name, 0.0) for name in ("energy_distance", "equal_samples"))
        if len(self._losses) < _WINDOW or loss < self._constant or not equal or distance <= _FAR * equal:
            return None
        return (
            f"step {step:,}: the critic has collapsed: its loss, {loss:.3g}, is no less than {self._constant:.3g}, "
            f"that of one that calls all events alike, at an energy distance of {distance:.2g}, {distance / equal:.0f} "
            "times that of equal samples; lower learning_rate, or choose another penalty, and start again"
        )

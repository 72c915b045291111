"""The monitoring of a training: the distance of generated events, and whether the critic still tells them apart."""

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
MAX_EVENTS = 1_000
"""Events of either side in use: the distances of all pairs are computed."""
_SEED, _LATENTS = 0, 2
_MAX_DISTANCE_RATIO = 10.0  # to the energy distance of equal samples
_WINDOW = 20  # reports
_START_SHARE, _START_STEPS = 0.2, 200  # share of the steps, and steps, before a collapse is judged


class EnergyDistance:
    """The energy distance of generated events from training events, 2 E|X-Y| - E|X-X'| - E|Y-Y'|.

    Székely & Rizzo, J. Stat. Plan. Inference 143 (2013). The distances are those of scaled columns and conditions
    together, without a unit: 1 is a standard deviation of a column. The generated events are always of the same latent
    numbers, and under the conditions of training events other than those they are compared with, so that it changes
    with the weights of the network alone.

    Attributes:
        equal_samples: Its mean for generated events of the same distribution as the training events: E|X-X'| (1/n +
            1/m) for n training and m generated events, with the sums of the squares of the shares in place of 1/n and
            1/m where there are weights.
    """

    def __init__(
        self,
        inputs: FloatArray,
        weight: FloatArray | None,
        conditions: FloatArray,
        conditions_weight: FloatArray | None,
        config: Config,
        device: torch.device,
    ) -> None:
        """Keep at most `MAX_EVENTS` training events, shape (events, inputs), and as many conditions.

        Args:
            inputs: Training events to compare generated events with.
            weight: Weights of these events.
            conditions: Conditions of other training events, shape (events, conditions), one for each generated event.
            conditions_weight: Weights of the other events, if there are any conditions.
            config: Settings of the training.
            device: Device of the network.

        Raises:
            InputError: If the sum of the weights is not positive.
        """
        inputs, conditions = inputs[:MAX_EVENTS], conditions[:MAX_EVENTS]
        self._events, self._conditions = (torch.from_numpy(part).float().to(device) for part in (inputs, conditions))
        self._shares = _shares(len(inputs), weight).to(device)
        self._generated_shares = _shares(len(conditions), conditions_weight if conditions.shape[1] else None).to(device)
        groups = -(-len(conditions) // config.members)
        positions = torch.arange(config.members * groups, device=device).view(config.members, groups)
        latent = latents(key(_SEED, _LATENTS), positions, config.latent)
        self._inputs = torch.cat([latent, self._conditions[positions % len(conditions)]], dim=-1)
        distances = torch.cdist(self._events, self._events)
        self._event_distance = float(self._shares @ distances @ self._shares)
        absolute = self._shares.abs() / self._shares.abs().sum()
        mean_distance = float(absolute @ distances @ absolute) / max(1 - float(absolute.square().sum()), 1e-9)
        squares = sum(float(shares.square().sum()) for shares in (self._shares, self._generated_shares))
        self.equal_samples = mean_distance * squares

    @torch.no_grad()
    def __call__(self, network: Perceptron) -> float:
        """Return the distance of the events of a network, from all of its members in turn."""
        conditions, shares = self._conditions, self._generated_shares
        generated = network(self._inputs).transpose(0, 1).flatten(0, 1)[: len(conditions)]
        generated = torch.cat([generated, conditions], dim=-1)
        cross_distance = shares @ torch.cdist(generated, self._events) @ self._shares
        generated_distance = shares @ torch.cdist(generated, generated) @ shares
        return float(2 * cross_distance - generated_distance) - self._event_distance


def _shares(events: int, weight: FloatArray | None) -> Tensor:
    values = np.ones(events) if weight is None else weight[:events]
    if not values.sum() > 0:
        msg = f"the weights of {events:,} held-out events sum to {values.sum():g}; hold out more, or none"
        raise InputError(msg)
    return torch.from_numpy(values / values.sum()).float()


class Collapse:
    """Tells when the critic has collapsed: its loss is no better than a constant's, and events are far from alike.

    A critic whose losses are those of a constant is what training aims at, if generated events are as good as training
    events. It has collapsed if it says nothing while the energy distance is more than ten times that of equal samples.
    Losses are averaged over the last 20 reports, a tenth of a training; those of the first fifth of the steps, and of
    the first 200 steps, are left aside.
    """

    def __init__(self, config: Config) -> None:
        """Find the loss of a constant critic, which has no slope to be penalised."""
        zero, one = torch.zeros(1), torch.ones(1)
        self._constant = float(OBJECTIVES[config.objective].critic(zero, zero, one))
        self._length = config.length
        self._losses: deque[float] = deque(maxlen=_WINDOW)

    def message(self, step: int, values: Mapping[str, float]) -> str | None:
        """Record the values of a step, and return a warning if the critic has collapsed."""
        if step < max(_START_SHARE * self._length, _START_STEPS):
            return None
        self._losses.append(values["critic_loss"])
        loss = sum(self._losses) / len(self._losses)
        distance, equal = (values.get(name, 0.0) for name in ("energy_distance", "equal_samples"))
        if len(self._losses) < _WINDOW or loss < self._constant or not equal or distance <= _MAX_DISTANCE_RATIO * equal:
            return None
        return (
            f"step {step:,}: the critic has collapsed: its loss, {loss:.3g}, is no less than {self._constant:.3g}, "
            f"that of one that calls all events alike, at an energy distance of {distance:.2g}, {distance / equal:.0f} "
            "times that of equal samples; lower learning_rate, or choose another penalty, and start again"
        )

"""Events from a trained network: the same for a seed, whatever the chunks in which they are asked for.

Event number i is a function of the seed and of i alone. It is computed in a block with fixed limits, because matrix
products of other shapes are rounded differently. Events come in groups with one of each member, in turns that the
number of the group chooses.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch

from pytest_ganvalid.gan.networks import Perceptron
from pytest_ganvalid.gan.numbers import chosen, key, latents

Tensor = Any
BLOCKS = {"cpu": 4_096, "cuda": 65_536, "fused": 1_048_576}
"""Events in a block, for each way to compute one; with several members, rounded to as many of each."""


class Sampler:
    """Computes blocks of events, scaled as the network has them."""

    def __init__(self, network: Perceptron, latent: int, seed: int, *, exact: bool = True) -> None:
        """Take a network.

        Args:
            network: On the device that is to compute.
            latent: Its inputs that are latent; conditions follow.
            seed: Non-negative.
            exact: Whether a GPU's matrix products are of float32 numbers, and not of tf32 ones.
        """
        self._network, self._latent, self._exact = network, latent, exact
        first = network.weights[0]
        self._device = first.device
        self._members = int(first.shape[0])
        self.conditions = int(first.shape[1]) - latent
        self._keys = key(seed, 0), key(seed, 1)
        fused = self._fused()
        self._groups = -(-BLOCKS["fused" if fused else self._device.type] // self._members)
        self.block = self._groups * self._members
        """Events in a block."""
        self._compute: Callable[[int, Tensor], Tensor] = fused or self._layered

    @torch.no_grad()
    def events(self, block: int, conditions: Tensor) -> Tensor:
        """Return a block of events, float32, shape (events, columns).

        Args:
            block: Its number, from 0.
            conditions: Scaled, float32, shape (events, conditions), on the device.
        """
        with torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext():
            return self._compute(block * self._groups, conditions)

    def _layered(self, start: int, conditions: Tensor) -> Tensor:
        """Compute a block layer by layer; ``start`` is the number of its first group."""
        groups = torch.arange(start, start + self._groups, device=self._device)
        members = torch.arange(self._members, device=self._device)
        turns = chosen(self._keys[1], groups, self._members)
        rows = (groups - start) * self._members + (members[:, None] - turns).remainder(self._members)
        numbers = (start * self._members + rows)[..., None] * self._latent
        drawn = latents(self._keys[0], numbers + torch.arange(self._latent, device=self._device))
        made = self._network(torch.cat([drawn, conditions[rows]], dim=-1))
        out = torch.empty((self.block, made.shape[-1]), dtype=made.dtype, device=self._device)
        out[rows] = made
        return out

    def _fused(self) -> Callable[[int, Tensor], Tensor] | None:
        """Return the computation by one kernel where there is a GPU and its compiler, and it fits."""
        if self._device.type != "cuda":
            return None
        try:
            from pytest_ganvalid.gan.kernel import WIDEST, FusedGenerator
        except ImportError:
            return None
        weights, biases = list(self._network.weights), list(self._network.biases)
        if max(size for weight in weights for size in weight.shape[1:]) > WIDEST:
            return None
        network = FusedGenerator(weights, biases, self._latent, exact=self._exact)
        try:
            with torch.cuda.device(self._device):
                network(0, 1, self._keys, torch.zeros((self._members, self.conditions), device=self._device))
        except Exception as error:  # noqa: BLE001 - no compiler, an old card, too little memory on chip
            msg = (
                f"events are generated layer by layer, some times more slowly: the kernel cannot be used here ({error})"
            )
            warnings.warn(msg, RuntimeWarning, stacklevel=2)
            return None
        return lambda start, conditions: network(start, self._groups, self._keys, conditions)


def blocks(sampler: Sampler, n: int, conditions: Callable[[int, int], Tensor]) -> Iterator[Tensor]:
    """Yield the first ``n`` events block by block.

    Args:
        sampler: Computes them.
        n: How many.
        conditions: Gives those of the events from one number to another, scaled, shape (events, conditions).
    """
    for number, start in enumerate(range(0, n, sampler.block)):
        stop = min(start + sampler.block, n)
        given = torch.nn.functional.pad(conditions(start, stop), (0, 0, 0, sampler.block - (stop - start)))
        yield sampler.events(number, given)[: stop - start]

"""Random numbers by position alone: any machine gives event number i of a seed the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

Tensor = Any
_STREAM = 5
# SplitMix64 (Steele, Lea & Flood, OOPSLA 2014), as signed numbers: torch multiplies modulo 2⁶⁴ all the same.
_GOLDEN, _FIRST, _SECOND = (
    constant - 2**64 for constant in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_BITS = 24


def key(seed: int, *purpose: int) -> int:
    """Return the start of a seed's numbers for one purpose.

    Args:
        seed: Any non-negative integer.
        purpose: Numbers of the purpose; those of different purposes are independent.

    Returns:
        A signed 64-bit integer.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(_STREAM, *purpose))
    return int(sequence.generate_state(1, np.uint64).astype(np.int64)[0])


def torch_rng(seed: int, *purpose: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return one of torch's own sources, whose numbers differ from device to device; arguments as for `key`."""
    # On a CPU they use 32 bits of a seed, and no more are given to others.
    return torch.Generator(device).manual_seed(key(seed, *purpose) % 2**32)


def bits(start: int, positions: Tensor) -> Tensor:
    """Return 64 random bits for each position: SplitMix64, a generator that can be entered anywhere.

    Args:
        start: The `key` of a seed.
        positions: int64, any shape, not negative.
    """
    return _mixed(_state(start, positions))


def latents(start: int, events: Tensor, dimensions: int) -> Tensor:
    """Return numbers uniform between -1 and 1 as float32, the same on any device.

    Each half of 64 random bits makes a number, of its upper 24 bits: what a float32 holds.

    Args:
        start: The `key` of a seed.
        events: Positions of events: int64, any shape, not negative.
        dimensions: Numbers for each event.

    Returns:
        Shape (*shape of events, dimensions).
    """
    words = -(-dimensions // 2)
    steps = torch.arange(words, device=events.device) * _GOLDEN
    halves = _mixed(_state(start, events * words)[..., None] + steps).view(torch.int32)[..., :dimensions]
    numbers = halves.bitwise_right_shift_(32 - _BITS).to(torch.float32)
    middle = torch.full((), 2.0**-_BITS, device=events.device)  # of the interval that a number stands for
    return torch.add(middle, numbers, alpha=2.0 ** (1 - _BITS), out=numbers)


def choices(start: int, positions: Tensor, number: int) -> Tensor:
    """Return an integer from 0 to below ``number`` for each position; arguments as for `bits`."""
    return (_shifted(bits(start, positions), 32) * number) >> 32


def _state(start: int, positions: Tensor) -> Tensor:
    """Return the state of SplitMix64 at each position; every step adds the same constant to it."""
    return (positions * _GOLDEN).add_((start + _GOLDEN + 2**63) % 2**64 - 2**63)


def _mixed(z: Tensor) -> Tensor:
    """Replace each state by its number of SplitMix64, and return them."""
    z.bitwise_xor_(_shifted(z, 30)).mul_(_FIRST)
    z.bitwise_xor_(_shifted(z, 27)).mul_(_SECOND)
    return z.bitwise_xor_(_shifted(z, 31))


def _shifted(z: Tensor, shift: int) -> Tensor:
    """Shift to the right, filling up with zeros."""
    return (z >> shift).bitwise_and_((1 << (64 - shift)) - 1)

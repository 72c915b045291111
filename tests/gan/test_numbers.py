"""Random numbers are those of SplitMix64, found by position alone, and even where they are meant to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan import numbers
from pytest_ganvalid.gan.numbers import bits, chosen, even_latents, even_positions, key, latents

WORD = 2**64


def _splitmix(state: int) -> int:
    """SplitMix64 as published: the number after a state."""
    z = (state + 0x9E3779B97F4A7C15) % WORD
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def _dice(seed: int = 1) -> Any:
    return torch.Generator().manual_seed(seed)


def test_known_number() -> None:
    """The first numbers after the state 1234567 are the published ones."""
    found = bits(1234567, torch.arange(3))
    assert [int(number) % WORD for number in found] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1))
@example(-(2**63), 0)
@example(2**63 - 1, 2**63 - 1)
@example(-(2**63) + 7046029254386353130, 0)  # the sum with the constant is next to the end of a word
def test_numbers_by_position(start: int, position: int) -> None:
    """The number at a position is the one that a generator finds after as many steps."""
    state = start + position * 0x9E3779B97F4A7C15
    assert int(bits(start, torch.tensor([position]))[0]) % WORD == _splitmix(state)
    high = _splitmix(state) >> 40
    assert float(latents(start, torch.tensor([position]))[0]) == pytest.approx((high + 0.5) / 2**23 - 1, abs=2**-24)
    assert int(chosen(start, torch.tensor([position]), 7)[0]) == (_splitmix(state) >> 32) % 7


def test_positions_stay_as_they_are() -> None:
    """The positions are not written to, and their shape and chunks do not matter."""
    positions = torch.arange(600)
    whole = latents(5, positions)
    torch.testing.assert_close(positions, torch.arange(600))
    assert torch.equal(latents(5, positions.view(20, 30)).flatten(), whole)
    parts = [latents(5, part) for part in positions.split([1, 99, 500])]
    assert torch.equal(torch.cat(parts), whole)


def test_latents_are_uniform() -> None:
    """Latent numbers lie between -1 and 1, evenly, and do not correlate with their neighbours."""
    values = latents(key(3), torch.arange(200_000)).double().numpy()
    assert values.min() > -1
    assert values.max() < 1
    assert stats.kstest(values, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    for lag in (1, 2, 4, 32):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 5 / np.sqrt(200_000)


def test_latents_at_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bits 0 and all 1 are next to -1 and 1, and not beyond."""
    monkeypatch.setattr(numbers, "bits", lambda _, positions: positions)
    ends = latents(0, torch.tensor([0, -1]))
    assert ends.dtype == torch.float32
    assert -1 < float(ends[0]) < -0.999_999
    assert 0.999_999 < float(ends[1]) <= 1  # the half that is added is rounded up


@pytest.mark.parametrize("choices", [1, 2, 3, 10])
def test_choices_are_uniform(choices: int) -> None:
    """Every choice is as frequent as the others."""
    found = chosen(key(4), torch.arange(50_000), choices).numpy()
    counts = np.bincount(found)
    assert len(counts) == choices
    assert choices == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_keys_differ() -> None:
    """Seeds and purposes start at places of their own, of 64 bits with a sign."""
    keys = {key(seed, purpose) for seed in (0, 1, 2, 2**80) for purpose in range(3)}
    assert len(keys) == 12
    assert all(-(2**63) <= start < 2**63 for start in keys)
    assert key(5, 1) == key(5, 1)


@pytest.mark.parametrize("events", [1, 2, 64, 200])
def test_even_latents_fill_slots(events: int) -> None:
    """In every dimension of every member, each slot between -1 and 1 has one number."""
    found = even_latents((3, events, 4), _dice()).double()
    slots = torch.floor((found + 1) / 2 * events).sort(dim=1).values
    assert torch.equal(slots, torch.arange(float(events)).double()[None, :, None].expand(3, events, 4))


def test_even_latents_are_in_random_order() -> None:
    """Dimensions and members are independent of each other, and so are neighbours."""
    found = even_latents((2, 5_000, 2), _dice()).double()
    rows = found.permute(0, 2, 1).reshape(4, 5_000).numpy()
    assert np.abs(np.corrcoef(rows) - np.eye(4)).max() < 5 / np.sqrt(5_000)
    assert abs(np.corrcoef(rows[0, :-1], rows[0, 1:])[0, 1]) < 5 / np.sqrt(5_000)
    assert not torch.equal(found, even_latents((2, 5_000, 2), _dice(2)).double())


def test_even_latents_are_even_within_slots() -> None:
    """Where in its slot a number lies is uniform."""
    found = (even_latents((1, 20_000, 1), _dice()).double().flatten().numpy() + 1) / 2 * 20_000
    assert stats.kstest(even_positions(1, 20_000, _dice()).flatten().numpy() * 20_000 % 1, "uniform").pvalue > 1e-3
    assert np.histogram(found % 1, 4)[0] == pytest.approx([5_000] * 4, rel=0.06)


@pytest.mark.parametrize("events", [1, 3, 100])
def test_even_positions_fill_slots(events: int) -> None:
    """Each slot between 0 and 1 has one number, of every member, in an order of its own."""
    found = even_positions(5, events, _dice())
    assert (found.dtype, found.shape) == (torch.float64, (5, events))
    slots = torch.floor(found * events)
    assert torch.equal(slots.sort(dim=1).values, torch.arange(float(events)).double().expand(5, events))
    assert events < 100 or not torch.equal(slots[0], slots[1])

"""Random numbers are those of SplitMix64, words by position alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan import numbers
from pytest_ganvalid.gan.numbers import bits, choices, key, latents, torch_rng

WORD = 2**64


def _splitmix(state: int) -> int:
    """SplitMix64 as published: the number after a state."""
    z = (state + 0x9E3779B97F4A7C15) % WORD
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def test_known_number() -> None:
    """The first numbers after the state 1234567 are the published ones."""
    words = bits(1234567, torch.arange(3))
    assert [int(number) % WORD for number in words] == [
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
    assert int(choices(start, torch.tensor([position]), 7)[0]) == ((_splitmix(state) >> 32) * 7) >> 32


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**50), st.integers(1, 5))
def test_latents_by_position(start: int, event: int, dimensions: int) -> None:
    """An event's numbers are the upper bits of the halves of its share of the words, the lower half first."""
    words = -(-dimensions // 2)
    numbers = [int(word) % WORD for word in bits(start, torch.arange(event * words, (event + 1) * words))]
    halves = [half for word in numbers for half in (word % 2**32, word >> 32)][:dimensions]
    signed = [half - 2**32 if half >= 2**31 else half for half in halves]
    expected = [((half >> 8) + 0.5) / 2**23 for half in signed]
    assert latents(start, torch.tensor([event]), dimensions)[0].tolist() == expected


def test_positions_stay_as_they_are() -> None:
    """The positions are not written to, and their shape and chunks do not matter."""
    positions = torch.arange(600)
    whole = latents(5, positions, 3)
    torch.testing.assert_close(positions, torch.arange(600))
    assert torch.equal(latents(5, positions.view(20, 30), 3).flatten(0, 1), whole)
    parts = [latents(5, part, 3) for part in positions.split([1, 99, 500])]
    assert torch.equal(torch.cat(parts), whole)


def test_latents_are_uniform() -> None:
    """Latent numbers lie between -1 and 1, evenly, and do not correlate with their neighbours or other dimensions."""
    values = latents(key(3), torch.arange(50_000), 4).double().flatten().numpy()
    assert values.min() > -1
    assert values.max() < 1
    assert stats.kstest(values, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    for lag in (1, 2, 3, 4, 8, 32):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 5 / np.sqrt(200_000)


def test_latents_at_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least and the greatest halves are next to -1 and 1, and not beyond."""
    for half, end in ((2**31 - 1, 1.0), (-(2**31), -1.0)):
        monkeypatch.setattr(numbers, "_mixed", lambda z, half=half: torch.full_like(z, half))
        number = latents(0, torch.tensor([0]), 1)
        assert number.dtype == torch.float32
        assert 0 < 1 - float(number) / end < 1e-6


@pytest.mark.parametrize("number", [1, 2, 3, 10])
def test_choices_are_uniform(number: int) -> None:
    """Every choice is as frequent as the others."""
    counts = np.bincount(choices(key(4), torch.arange(50_000), number).numpy())
    assert len(counts) == number
    assert number == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_keys_differ() -> None:
    """Seeds and purposes start at places of their own, of 64 bits with a sign."""
    keys = {key(seed, purpose) for seed in (0, 1, 2, 2**80) for purpose in range(3)}
    assert len(keys) == 12
    assert all(-(2**63) <= start < 2**63 for start in keys)
    assert key(5, 1) == key(5, 1)


def test_sources_of_torch() -> None:
    """A source of torch's own numbers is that of a seed and a purpose alone."""
    first, again, other, another = (
        torch.rand(5, generator=torch_rng(seed, purpose)) for seed, purpose in ((1, 2), (1, 2), (1, 3), (2**80, 2))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, another)

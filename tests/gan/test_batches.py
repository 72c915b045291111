"""Batches hold the training events in the right proportions, and fluctuate less than random ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan.batches import TrainingEvents, _by_neighbours, even_latents, even_positions

Array = NDArray[np.float64]
CPU = torch.device("cpu")


def _dice(seed: int = 1) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("weight", [None, np.ones(60), np.full(60, 0.1)])
def test_a_batch_of_everything(weight: Array | None) -> None:
    """A batch as large as the training sample has every event once, each counting 1, in an order of its own."""
    inputs = np.arange(60.0)[:, None]
    events = TrainingEvents.of(inputs, weight, 60, CPU)
    drawn, factors = events.draw(3, 60, _dice())
    assert drawn.shape == (3, 60, 1)
    assert torch.equal(factors, torch.ones(3, 60))
    if weight is None:
        for member in drawn[..., 0]:
            assert sorted(member.tolist()) == inputs[:, 0].tolist()
            assert member.tolist() != inputs[:, 0].tolist()
    else:  # shares of equal weights are equal to rounding only
        np.testing.assert_allclose(drawn[..., 0].sort(dim=1).values, np.tile(inputs[:, 0], (3, 1)), atol=1)


@pytest.mark.parametrize("signed", [False, True])
def test_weights(signed: bool) -> None:  # noqa: FBT001
    """Events are drawn as often as their absolute weights say, and what they count restores the weighted mean."""
    rng = np.random.default_rng(1)
    inputs, weight = rng.normal(size=(40, 2)), rng.exponential(size=40)
    if signed:
        weight[:10] *= -1
    weight[20] = 0
    events = TrainingEvents.of(inputs, weight, 10, CPU)
    drawn, factors = (tensor.double().numpy() for tensor in events.draw(4_000, 10, _dice()))
    drawn, factors = drawn.reshape(-1, 2), factors.reshape(-1)
    share = np.abs(weight) / np.abs(weight).sum()
    which = np.abs(drawn[:, None, 0] - inputs[:, 0]).argmin(axis=1)
    counts = np.bincount(which, minlength=40)
    assert counts[20] == 0
    assert np.abs(counts - len(drawn) * share).max() < 5 * np.sqrt(len(drawn) * share.max())
    np.testing.assert_allclose(factors, np.sign(weight)[which] * np.abs(weight).sum() / weight.sum(), rtol=1e-6)
    expected = np.average(inputs, axis=0, weights=weight)
    np.testing.assert_allclose((factors[:, None] * drawn).mean(axis=0), expected, atol=0.05)
    assert factors.mean() == pytest.approx(1, abs=0.05)


def test_events_keep_their_factors() -> None:
    """Ordering the events moves what they count along with them."""
    rng = np.random.default_rng(2)
    inputs, weight = rng.normal(size=(100, 2)), rng.choice([-1.0, 2.0], 100)
    events = TrainingEvents.of(inputs, weight, 5, CPU)
    sign = dict(zip(inputs[:, 0].astype(np.float32).tolist(), np.sign(weight).tolist(), strict=True))
    for value, factor in zip(events.inputs[:, 0].tolist(), events.factors.tolist(), strict=True):
        assert np.sign(factor) == sign[value]


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("most", [1, 7, 1_000])
def test_neighbours_are_a_permutation(columns: int, most: int) -> None:
    """Ordering neither loses nor repeats events, of which some are equal."""
    inputs = np.random.default_rng(3).integers(0, 9, (333, columns)).astype(float)
    assert sorted(_by_neighbours(inputs, np.arange(333), most).tolist()) == list(range(333))


@pytest.mark.parametrize("columns", [1, 2])
def test_batches_fluctuate_little(columns: int) -> None:
    """The mean of a batch is many times closer to that of the sample than a random batch's is."""
    inputs = np.random.default_rng(4).normal(size=(4_000, columns))
    events = TrainingEvents.of(inputs, None, 100, CPU)
    means = events.draw(300, 100, _dice())[0].double().mean(dim=1).numpy()
    random = inputs.std(axis=0) / np.sqrt(100)
    assert (means.std(axis=0) < (0.2 if columns == 1 else 0.5) * random).all()
    np.testing.assert_allclose(means.mean(axis=0), inputs.mean(axis=0), atol=0.01)


def test_batches_larger_than_the_sample() -> None:
    """A batch may have more events than the sample, which then come several times."""
    events = TrainingEvents.of(np.arange(7.0)[:, None], None, 70, CPU)
    counts = np.bincount(events.draw(1, 70, _dice())[0].flatten().long().numpy())
    assert counts.tolist() == [10] * 7


@pytest.mark.parametrize("events", [1, 2, 64, 200])
def test_even_latents_fill_slots(events: int) -> None:
    """In every dimension of every member, each slot between -1 and 1 has one number."""
    values = even_latents((3, events, 4), _dice()).double()
    slots = torch.floor((values + 1) / 2 * events).sort(dim=1).values
    assert torch.equal(slots, torch.arange(float(events)).double()[None, :, None].expand(3, events, 4))


def test_even_latents_are_in_random_order() -> None:
    """Dimensions and members are independent of each other, and so are neighbours."""
    values = even_latents((2, 5_000, 2), _dice()).double()
    rows = values.permute(0, 2, 1).reshape(4, 5_000).numpy()
    assert np.abs(np.corrcoef(rows) - np.eye(4)).max() < 5 / np.sqrt(5_000)
    assert abs(np.corrcoef(rows[0, :-1], rows[0, 1:])[0, 1]) < 5 / np.sqrt(5_000)
    assert not torch.equal(values, even_latents((2, 5_000, 2), _dice(2)).double())


def test_even_latents_are_even_within_slots() -> None:
    """Where in its slot a number lies is uniform."""
    values = (even_latents((1, 20_000, 1), _dice()).double().flatten().numpy() + 1) / 2 * 20_000
    assert stats.kstest(even_positions(1, 20_000, _dice()).flatten().numpy() * 20_000 % 1, "uniform").pvalue > 1e-3
    assert np.histogram(values % 1, 4)[0] == pytest.approx([5_000] * 4, rel=0.06)


@pytest.mark.parametrize("events", [1, 3, 100])
def test_even_positions_fill_slots(events: int) -> None:
    """Each slot between 0 and 1 has one number, of every member, in an order of its own."""
    values = even_positions(5, events, _dice())
    assert (values.dtype, values.shape) == (torch.float64, (5, events))
    slots = torch.floor(values * events)
    assert torch.equal(slots.sort(dim=1).values, torch.arange(float(events)).double().expand(5, events))
    assert events < 100 or not torch.equal(slots[0], slots[1])

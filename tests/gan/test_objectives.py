"""Losses and penalties are the published formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan import config
from pytest_ganvalid.gan.objectives import OBJECTIVES

Array = NDArray[np.float64]
RNG = np.random.default_rng(1)
REAL, FAKE = RNG.normal(size=(2, 3, 50)) * 2
WEIGHT = RNG.normal(1, 1, size=(3, 50))
NAMES = ["relativistic", "hinge", "wgan-gp"]


def _softplus(x: Array) -> Array:
    return np.asarray(np.log1p(np.exp(x)))


FORMULAS: dict[str, tuple[Array, Array]] = {
    "relativistic": (WEIGHT * _softplus(FAKE - REAL), WEIGHT * _softplus(REAL - FAKE)),
    "hinge": (WEIGHT * np.maximum(0, 1 - REAL) + np.maximum(0, 1 + FAKE), -FAKE),
    "wgan-gp": (FAKE - WEIGHT * REAL, -FAKE),
}


def _tensors(*arrays: Array) -> list[Any]:
    return [torch.from_numpy(array) for array in arrays]


def test_all_objectives() -> None:
    """The objectives that a config knows are those that there are."""
    assert tuple(OBJECTIVES) == config.OBJECTIVES == tuple(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_losses(name: str) -> None:
    """Losses are computed pair by pair as published."""
    critic, generator = FORMULAS[name]
    objective = OBJECTIVES[name]
    np.testing.assert_allclose(objective.critic(*_tensors(REAL, FAKE, WEIGHT)), critic)
    np.testing.assert_allclose(objective.generator(*_tensors(REAL, FAKE, WEIGHT)), generator)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_linear(name: str) -> None:
    """An event of weight a + b is one of weight a and one of weight b, whatever the signs."""
    objective = OBJECTIVES[name]
    real, fake, weight = _tensors(REAL, FAKE, WEIGHT)
    for loss in (objective.critic, objective.generator):
        none, half, full = (loss(real, fake, share * weight) for share in (0.0, 0.5, 1.0))
        torch.testing.assert_close(half - none, full - half)


@pytest.mark.parametrize("name", NAMES)
def test_separating_is_rewarded(name: str) -> None:
    """The critic's loss falls where real values rise, and the generator's where generated ones do."""
    objective = OBJECTIVES[name]
    real, fake = (torch.zeros(1, 20, dtype=torch.float64, requires_grad=True) for _ in range(2))
    objective.critic(real, fake, torch.ones(1, 20)).sum().backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    fake.grad = None
    objective.generator(real, fake, torch.ones(1, 20)).sum().backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("name", ["relativistic", "hinge"])
def test_slopes_of_events_are_penalised(name: str) -> None:
    """Half the mean squared slopes at real and at generated events add up, for each member."""
    objective = OBJECTIVES[name]
    real, fake = torch.zeros(3, 10, 2), torch.ones(3, 10, 2)
    points = objective.penalised(real, fake, torch.Generator())
    assert torch.equal(points, torch.cat([real, fake], dim=1))
    slope = RNG.normal(size=(3, 20, 2))
    squares = (slope**2).sum(axis=-1)
    expected = 0.5 * squares[:, :10].mean(axis=1) + 0.5 * squares[:, 10:].mean(axis=1)
    np.testing.assert_allclose(objective.penalty(torch.from_numpy(slope)), expected)


def test_slopes_between_events_are_held_below_1() -> None:
    """For wgan-gp, the points lie between real and generated events of a pair, uniformly."""
    objective = OBJECTIVES["wgan-gp"]
    real, fake = torch.from_numpy(RNG.normal(size=(2, 3, 2_000, 2)))
    points = objective.penalised(real, fake, torch.Generator().manual_seed(1))
    share = (points - fake) / (real - fake)
    torch.testing.assert_close(share[..., 0], share[..., 1])
    assert 0 <= float(share.min()) < float(share.max()) <= 1
    assert float(share.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(share.std()) == pytest.approx(12**-0.5, abs=0.02)
    slope = RNG.normal(size=(3, 20, 2))
    expected = (np.maximum(np.sqrt((slope**2).sum(axis=-1)) - 1, 0) ** 2).mean(axis=1)
    np.testing.assert_allclose(objective.penalty(torch.from_numpy(slope)), expected, rtol=1e-6)


def test_no_slope_is_no_trouble() -> None:
    """The penalty of a critic that is flat has a finite gradient."""
    for objective in OBJECTIVES.values():
        slope = torch.zeros(1, 5, 2, requires_grad=True)
        objective.penalty(slope).sum().backward()
        assert torch.isfinite(slope.grad).all()

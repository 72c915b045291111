"""Networks side by side are as good as alone, written-out gradients are gradients, and losses are those published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan import config, model
from pytest_ganvalid.gan.model import OBJECTIVES, Critic, MemberByMember, Perceptron

Array = NDArray[np.float64]
RNG = np.random.default_rng(1)
REAL, FAKE = RNG.normal(size=(2, 3, 50)) * 2
WEIGHT = RNG.normal(1, 1, size=(3, 50))
NAMES = ["relativistic", "hinge", "wgan-gp"]
SIZES = [(3, 8, 6, 1), (5, 7, 1), (3, 8, 8, 8, 1)]


def _softplus(x: Array) -> Array:
    return np.asarray(np.log1p(np.exp(x)))


FORMULAS: dict[str, tuple[Array, Array]] = {
    "relativistic": (WEIGHT * _softplus(FAKE - REAL), WEIGHT * _softplus(REAL - FAKE)),
    "hinge": (WEIGHT * np.maximum(0, 1 - REAL) + np.maximum(0, 1 + FAKE), -FAKE),
    "wgan-gp": (FAKE - WEIGHT * REAL, -FAKE),
}


def _tensors(*arrays: Array) -> list[Any]:
    return [torch.from_numpy(array) for array in arrays]


def _critic(sizes: tuple[int, ...], members: int = 2) -> Any:
    critic = Critic(members, sizes, torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        for number, bias in enumerate(critic.biases):
            bias.copy_(torch.randn(bias.shape, generator=torch.Generator().manual_seed(number)))
    return critic


def _points(inputs: int, events: int = 40, members: int = 2) -> Any:
    dice = torch.Generator().manual_seed(2)
    return torch.randn(members, events, inputs, generator=dice, dtype=torch.float64)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_gradient(sizes: tuple[int, ...], columns: int) -> None:
    """Values are those of the network, and gradients those of differentiation, for the leading inputs only."""
    critic, x = _critic(sizes), _points(sizes[0]).requires_grad_()
    values, gradient = critic.with_gradient(x, columns)
    plain = critic(x)[..., 0]
    (expected,) = torch.autograd.grad(plain.sum(), x)
    torch.testing.assert_close(values, plain)
    torch.testing.assert_close(gradient, expected[..., :columns])


@pytest.mark.parametrize("objective", ["relativistic", "hinge", "wgan-gp"])
def test_gradient_of_the_penalty(objective: str) -> None:
    """What the penalty does to the weights is what differentiating twice says."""
    critic, x = _critic((3, 8, 6, 1)), _points(3)
    penalty = OBJECTIVES[objective].penalty
    penalty(critic.with_gradient(x, 2)[1]).sum().backward()
    gradients = [parameter.grad for parameter in critic.parameters()]
    critic.zero_grad(set_to_none=True)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty(slope[..., :2]).sum().backward()
    assert any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients)
    for parameter, gradient in zip(critic.parameters(), gradients, strict=True):
        expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(torch.zeros_like(parameter) if gradient is None else gradient, expected)


def test_gradient_of_the_values() -> None:
    """The values that come with the gradient are differentiated as those of the network."""
    critic, x = _critic((3, 8, 6, 1)), _points(3)
    critic.with_gradient(x, 3)[0].square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in critic.parameters()]
    critic.zero_grad()
    critic(x).square().sum().backward()
    for parameter, gradient in zip(critic.parameters(), gradients, strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_members_are_independent() -> None:
    """Changing the weights of a member changes its output and no other's."""
    network = Perceptron(3, (2, 8, 8, 2), torch.Generator().manual_seed(1))
    x = _points(2, members=3).float()
    before = network(x)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter[1] += 1
    after = network(x)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[2], after[2])
    assert not torch.equal(before[1], after[1])


def test_members_are_as_alone() -> None:
    """A member's output is that of a network of its weights alone."""
    network = Perceptron(3, (2, 8, 8, 2), torch.Generator().manual_seed(1)).double()
    x = _points(2, members=3)
    alone = x[1]
    for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        alone = alone @ weight[1] + bias[1]
        alone = torch.where(alone > 0, alone, 0.2 * alone) if number < 2 else alone
    torch.testing.assert_close(network(x)[1], alone)


def test_member_by_member_under_another_default() -> None:
    """What the default type of torch is does not matter."""
    network = Perceptron(1, (4, 8, 2), torch.Generator()).requires_grad_(requires_grad=False)
    x = torch.ones(1, 5, 4)
    torch.set_default_dtype(torch.float64)
    try:
        assert MemberByMember(network)(x).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("members", [1, 3])
def test_member_by_member_is_as_side_by_side(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Member by member, some events at a time, the outputs are those of the batched products, but for rounding."""
    monkeypatch.setattr(model, "_EVENTS_AT_A_TIME", 8)
    network = Perceptron(members, (4, 8, 8, 2), torch.Generator()).requires_grad_(requires_grad=False)
    x = torch.from_numpy(RNG.normal(size=(members, 20, 4))).float()
    outputs = MemberByMember(network)(x)
    assert outputs.shape == (2, members * 20)
    torch.testing.assert_close(outputs, network.by_output(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(outputs.view(2, members, 20).permute(1, 2, 0), network(x), rtol=1e-5, atol=1e-5)


def test_initial_weights() -> None:
    """Weights are drawn from the given dice, biases are 0, and signals keep their size from layer to layer."""
    networks = [Perceptron(2, (50, 200, 200, 3), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    first, again, other = (network.weights[0] for network in networks)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not any(bool(bias.abs().any()) for bias in networks[0].biases)
    output = networks[0](torch.randn(2, 500, 50, generator=torch.Generator().manual_seed(3)))
    assert 0.5 < float(output.detach().std()) < 2


def test_inputs_stay_as_they_are() -> None:
    """Computing in place writes to no input."""
    critic, x = _critic((3, 8, 6, 1)), _points(3)
    before = x.clone()
    critic(x)
    critic.with_gradient(x, 2)
    assert torch.equal(x, before)


def test_only_the_last_layer_starts_smaller() -> None:
    """Initial weights have He's spread in every hidden layer, also where the output is as wide as they are."""
    network = Perceptron(1, (64, 64, 64, 64), torch.Generator().manual_seed(1))
    spreads = [float(weight.detach().std()) * 8 for weight in network.weights]
    assert spreads == pytest.approx([2**0.5, 2**0.5, 1], rel=0.05)


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

"""Networks side by side are as good as alone, and the critic's written-out gradient is the gradient."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.gan.networks import Critic, Perceptron
from pytest_ganvalid.gan.objectives import OBJECTIVES

SIZES = [(3, 8, 6, 1), (5, 7, 1), (3, 8, 8, 8, 1)]


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
    found = [parameter.grad for parameter in critic.parameters()]
    critic.zero_grad(set_to_none=True)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty(slope[..., :2]).sum().backward()
    assert any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in found)
    for parameter, gradient in zip(critic.parameters(), found, strict=True):
        expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(torch.zeros_like(parameter) if gradient is None else gradient, expected)


def test_gradient_of_the_values() -> None:
    """The values that come with the gradient are differentiated as those of the network."""
    critic, x = _critic((3, 8, 6, 1)), _points(3)
    critic.with_gradient(x, 3)[0].square().sum().backward()
    found = [parameter.grad.clone() for parameter in critic.parameters()]
    critic.zero_grad()
    critic(x).square().sum().backward()
    for parameter, gradient in zip(critic.parameters(), found, strict=True):
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

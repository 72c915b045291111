"""Generator and critic, plain multilayer perceptrons, and their losses.

The members of an ensemble are independent networks that are computed side by side in the same batched matrix products:
a small ensemble fills a GPU which one small network leaves idle.

Objectives, and when to use them:

- ``"relativistic"``, the default: real events are compared with generated ones in pairs, so that no mode can be dropped
  at a profit, and slopes are penalised on both (R1 and R2), which makes the training converge. Huang et al.,
  arXiv:2501.05441.
- ``"hinge"``: critic margins, with the same penalties. Lim & Ye, arXiv:1705.02894; Miyato et al., arXiv:1802.05957.
- ``"wgan-gp"``: the Wasserstein distance, slopes above 1 penalised between real and generated events. Gulrajani et
  al., arXiv:1704.00028, in its one-sided form (also Petzka et al., arXiv:1709.08894): the two-sided one keeps a critic
  of one column from ever turning its slope round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu, softplus

from pytest_ganvalid.gan.config import Config

Tensor = Any
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
_SLOPE = 0.2  # of the leaky rectifier
_EVENTS_AT_A_TIME = 4_096  # whose layers a core's cache holds


class Perceptron(nn.Module):
    """Layers with leaky rectifiers between them; He's initial weights (arXiv:1502.01852).

    Kinks can be as sharp as the data ask for. Smooth activations were tried: they do worse at equal cost, as they
    leave the fine structure of a distribution to be learned last.
    """

    def __init__(self, members: int, sizes: tuple[int, ...], rng: torch.Generator) -> None:
        """Draw the initial weights.

        Args:
            members: Number of independent networks.
            sizes: Width of the input, of each hidden layer, and of the output.
            rng: Source of the weights, on the CPU, so that every device starts alike.
        """
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for number, (n_in, n_out) in enumerate(pairwise(sizes), start=2):
            gain = math.sqrt((1 if number == len(sizes) else 2) / n_in)
            weight = gain * torch.randn(members, n_in, n_out, generator=rng)
            # The weights of an output lie next to each other: with few outputs, a product on a CPU takes half the time.
            self.weights.append(weight.mT.contiguous().mT if number == len(sizes) else weight)
            self.biases.append(torch.zeros(members, 1, n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, shape (members, events, outputs), for inputs of shape (members, events, inputs)."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = leaky_relu(torch.baddbmm(bias, x, weight), _SLOPE, inplace=True)
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])

    def by_output(self, x: Tensor) -> Tensor:
        """Return the output of all members in turn, shape (outputs, members × events)."""
        return self(x).flatten(0, 1).T


class MemberByMember:
    """`Perceptron.by_output` on a CPU, without a gradient.

    Products member by member are faster there than side by side, the last one is when transposed, and all are where
    layers stay in a core's cache, written over each other: new memory can take as long as the products.
    """

    def __init__(self, network: Perceptron) -> None:
        """Look at the layers of each member."""
        layers = [*zip(network.weights, network.biases, strict=True)]
        self._hidden = [[(w[i : i + 1], b[i : i + 1]) for w, b in layers[:-1]] for i in range(len(layers[0][0]))]
        self._last = [(w.mT, b.mT) for w, b in zip(*(p.split(1) for p in layers[-1]), strict=True)]
        width = max(weight.shape[-1] for weight, _ in layers[:-1])
        self._room = layers[0][0].new_empty(2, 1, _EVENTS_AT_A_TIME, width).unbind()

    def __call__(self, x: Tensor) -> Tensor:
        """Return the output of all members in turn, shape (outputs, members × events)."""
        outputs = []
        for values, hidden, (weight, bias) in zip(x.split(1), self._hidden, self._last, strict=True):
            for part in values.split(_EVENTS_AT_A_TIME, dim=1):
                layer, room = part, [memory[:, : part.shape[1]] for memory in self._room]
                for number, (w, b) in enumerate(hidden):
                    layer = leaky_relu(torch.baddbmm(b, layer, w, out=room[number % 2]), _SLOPE, inplace=True)
                outputs.append(torch.baddbmm(bias, weight, layer.mT))
        return torch.cat(outputs, dim=-1)[0]


class Critic(Perceptron):
    """A function of an event, and its gradient.

    The gradient is written out instead of being left to differentiation: the penalty on it then needs no second
    derivative of the graph, which costs half as much and can be captured.
    """

    def with_gradient(self, x: Tensor, columns: int) -> tuple[Tensor, Tensor]:
        """Return values, shape (members, events), and their gradients with respect to the first ``columns`` inputs.

        Inputs are of shape (members, events, inputs), gradients of shape (members, events, columns): nothing is to be
        learned from the slope along conditions, which follow.
        """
        slopes = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.baddbmm(bias, x, weight)
            # 1 above 0 and _SLOPE below; torch.where takes ten times as long on a CPU.
            slopes.append(x.detach().sign().mul_((1 - _SLOPE) / 2).add_((1 + _SLOPE) / 2))
            x = leaky_relu(x, _SLOPE, inplace=True)
        values = torch.baddbmm(self.biases[-1], x, self.weights[-1])
        gradient = self.weights[-1].mT
        for weight, slope in zip(list(self.weights)[-2::-1], slopes[::-1], strict=True):
            gradient = (gradient * slope) @ weight.mT
        return values[..., 0], gradient[..., :columns]


def generator_sizes(config: Config, columns: int, conditions: int) -> tuple[int, ...]:
    """Return the widths of a generator's layers: latent numbers and conditions in, columns out."""
    return (config.latent + conditions, *[config.width] * config.depth, columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The losses of critic and generator, and the points at which the critic's slope is penalised.

    Attributes:
        critic: The critic's loss of each pair of a training and a generated event, from the critic's values of either
            and from the factor of the training event (1 for all, unless weights are negative); all of shape (members,
            events).
        generator: The generator's loss, likewise.
        in_pairs: Whether the generator's loss depends on training events.
        between: Whether slopes above 1 are penalised between real and generated events, instead of all slopes at both.
    """

    critic: Loss
    generator: Loss
    in_pairs: bool = False
    between: bool = False

    def penalised(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """Return the points at which the slope is penalised; all of shape (members, events, inputs)."""
        if not self.between:
            return torch.cat([real, fake], dim=1)
        share = torch.rand((*real.shape[:2], 1), generator=rng, device=real.device, dtype=real.dtype)
        return fake + share * (real - fake)

    def penalty(self, gradient: Tensor) -> Tensor:
        """Return the penalty, one number per member, for gradients of shape (members, points, columns)."""
        squares = gradient.square().sum(dim=-1)
        if not self.between:  # means over real and over generated events, each halved, added up
            return squares.mean(dim=-1)
        return relu(squares.add(1e-12).sqrt() - 1).square().mean(dim=-1)


OBJECTIVES = {
    "relativistic": Objective(
        critic=lambda real, fake, weight: weight * softplus(fake - real),
        generator=lambda real, fake, weight: weight * softplus(real - fake),
        in_pairs=True,
    ),
    "hinge": Objective(
        critic=lambda real, fake, weight: weight * relu(1 - real) + relu(1 + fake),
        generator=lambda _real, fake, _weight: -fake,
    ),
    "wgan-gp": Objective(
        critic=lambda real, fake, weight: fake - weight * real,
        generator=lambda _real, fake, _weight: -fake,
        between=True,
    ),
}


def critic_loss(
    config: Config, critic: Critic, real: Tensor, fake: Tensor, weight: Tensor, columns: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the loss of the critics, summed over members, and the mean penalty in it.

    Training and generated events are of shape (members, events, inputs), the first ``columns`` of which are no
    conditions; ``weight`` is the factor of each training event, shape (members, events).
    """
    objective = OBJECTIVES[config.objective]
    values, slope = critic.with_gradient(objective.penalised(real, fake, rng), columns)
    if objective.between:  # elsewhere the slopes are those of the events, and their values come along
        values = critic(torch.cat([real, fake], dim=1))[..., 0]
    real_values, fake_values = values.chunk(2, dim=1)
    penalty = objective.penalty(slope).sum()
    # A sum over members: each gets the gradient of its own loss.
    loss = objective.critic(real_values, fake_values, weight).mean(dim=1).sum()
    return loss + config.slope_penalty * penalty, penalty.detach() / len(real)


def generator_loss(config: Config, critic: Critic, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
    """Return the loss of the generators, summed over members; arguments as for the critic's loss."""
    objective = OBJECTIVES[config.objective]
    fake_values = critic(fake)[..., 0]
    real_values = torch.zeros_like(fake_values)
    if objective.in_pairs:
        with torch.no_grad():
            real_values = critic(real)[..., 0]
    return objective.generator(real_values, fake_values, weight).mean(dim=1).sum()

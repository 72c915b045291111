"""Generator and critic: plain multilayer perceptrons, several independent members of an ensemble side by side.

All members are computed in the same batched matrix products, so that a small ensemble fills a GPU which one small
network leaves idle.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import leaky_relu

SLOPE = 0.2
"""Of the leaky rectifier."""
Tensor = Any


class Perceptron(nn.Module):
    """Layers with leaky rectifiers between them; He's initial weights (arXiv:1502.01852).

    Kinks can be as sharp as the data ask for. Smooth activations were tried: they do worse at equal cost, as they
    leave the fine structure of a distribution to be learned last.
    """

    def __init__(self, members: int, sizes: tuple[int, ...], dice: torch.Generator) -> None:
        """Draw the initial weights.

        Args:
            members: Number of independent networks.
            sizes: Width of the input, of each hidden layer, and of the output.
            dice: Source of the weights, on the CPU, so that every device starts alike.
        """
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for number, (n_in, n_out) in enumerate(pairwise(sizes), start=2):
            gain = math.sqrt((1 if number == len(sizes) else 2) / n_in)
            self.weights.append(gain * torch.randn(members, n_in, n_out, generator=dice))
            self.biases.append(torch.zeros(members, 1, n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, shape (members, events, outputs), for inputs of shape (members, events, inputs)."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = leaky_relu(torch.baddbmm(bias, x, weight), SLOPE, inplace=True)
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])


class Critic(Perceptron):
    """A function of an event, and its gradient.

    The gradient is written out instead of being left to differentiation: the penalty on it then needs no second
    derivative of the graph, which costs half as much and can be captured and compiled.
    """

    def with_gradient(self, x: Tensor, columns: int) -> tuple[Tensor, Tensor]:
        """Return the values and their gradients with respect to the first ``columns`` inputs.

        Args:
            x: Shape (members, events, inputs).
            columns: How many inputs are of the event; conditions follow.

        Returns:
            Shapes (members, events) and (members, events, columns).
        """
        slopes = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.baddbmm(bias, x, weight)
            slopes.append(torch.where(x.detach() > 0, 1.0, SLOPE).to(x.dtype))
            x = leaky_relu(x, SLOPE, inplace=True)
        values = torch.baddbmm(self.biases[-1], x, self.weights[-1])
        gradient = self.weights[-1].mT
        for weight, slope in zip(list(self.weights)[-2::-1], slopes[::-1], strict=True):
            gradient = (gradient * slope) @ weight.mT
        return values[..., 0], gradient[..., :columns]

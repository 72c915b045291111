"""What critic and generator minimise, and what keeps the critic's slope in bounds.

What to use when:

- ``"relativistic"``, the default: real events are compared with generated ones in pairs, so that no mode can be dropped
  at a profit, and slopes are penalised on both (R1 and R2), which makes the training converge. Huang et al.,
  arXiv:2501.05441.
- ``"hinge"``: critic margins, with the same penalties. Lim & Ye, arXiv:1705.02894; Miyato et al., arXiv:1802.05957.
- ``"wgan-gp"``: the Wasserstein distance, slopes above 1 penalised between real and generated events. Gulrajani et
  al., arXiv:1704.00028, in its one-sided form (also Petzka et al., arXiv:1709.08894): the two-sided one keeps a critic
  of one column from ever turning its slope round.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch.nn.functional import relu, softplus

Tensor = Any


class Objective(ABC):
    """The losses, given the critic's values; all tensors are of shape (members, events)."""

    at_events = True
    """Whether the slope is penalised at the events themselves."""
    in_pairs = False
    """Whether the generator's loss depends on training events."""

    @abstractmethod
    def critic(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the critic's loss of each pair.

        Args:
            real: Values of training events.
            fake: Values of generated events.
            weight: What the training events count; 1 for all, unless weights are negative.
        """

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the generator's loss of each pair; arguments as for the critic's."""

    def penalised(self, real: Tensor, fake: Tensor, dice: torch.Generator) -> Tensor:  # noqa: ARG002 - wgan-gp's
        """Return the points at which the slope is penalised, shape (members, points, inputs).

        Args:
            real: Training events, shape (members, events, inputs).
            fake: Generated events, likewise.
            dice: Source of random numbers.
        """
        return torch.cat([real, fake], dim=1)

    def penalty(self, gradient: Tensor) -> Tensor:
        """Return the penalty, one number per member.

        Args:
            gradient: Of the critic, shape (members, points, columns).
        """
        # Means over real and over generated events, each halved, added up.
        return gradient.square().sum(dim=-1).mean(dim=-1)


class Relativistic(Objective):
    """The logistic loss of the difference in a pair."""

    in_pairs = True

    def critic(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the critic's loss of each pair."""
        return weight * softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the generator's loss of each pair."""
        return weight * softplus(real - fake)


class Hinge(Objective):
    """Margins of 1 on either side."""

    def critic(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the critic's loss of each pair."""
        return weight * relu(1 - real) + relu(1 + fake)

    def generator(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:  # noqa: ARG002 - the relativistic one's
        """Return the generator's loss of each pair."""
        return -fake


class WassersteinGP(Objective):
    """The Wasserstein distance between real and generated events."""

    at_events = False

    def critic(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
        """Return the critic's loss of each pair."""
        return fake - weight * real

    def generator(self, real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:  # noqa: ARG002 - the relativistic one's
        """Return the generator's loss of each pair."""
        return -fake

    def penalised(self, real: Tensor, fake: Tensor, dice: torch.Generator) -> Tensor:
        """Return points between real and generated events."""
        share = torch.rand((*real.shape[:2], 1), generator=dice, device=real.device, dtype=real.dtype)
        return fake + share * (real - fake)

    def penalty(self, gradient: Tensor) -> Tensor:
        """Return the mean square of what the slope exceeds 1 by."""
        return relu(gradient.square().sum(dim=-1).add(1e-12).sqrt() - 1).square().mean(dim=-1)


OBJECTIVES = {"relativistic": Relativistic(), "hinge": Hinge(), "wgan-gp": WassersteinGP()}

"""One training step of all members, captured once and replayed on a GPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from pytest_ganvalid.gan.batches import TrainingEvents
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.devices import World
from pytest_ganvalid.gan.networks import Critic, Perceptron
from pytest_ganvalid.gan.numbers import even_latents, torch_seed
from pytest_ganvalid.gan.objectives import OBJECTIVES, Objective

Tensor = Any
_BETAS = (0.0, 0.99)  # momentum makes adversaries circle each other
_WARM_UP = 0.05  # of the steps
_BEFORE_CAPTURE = 3  # steps in which libraries choose their kernels
_RAMP = 10  # steps: an average over fewer steps than have been made


class CriticLoss(nn.Module):
    """What the critic minimises; a module, so that its gradients can be shared between processes."""

    def __init__(self, critic: Critic, objective: Objective, strength: float, columns: int) -> None:
        """Keep the critic.

        Args:
            critic: Whose loss.
            objective: Which.
            strength: Of the penalty on the slope.
            columns: Inputs that are of the event; conditions follow.
        """
        super().__init__()
        self.critic, self.objective, self.strength, self.columns = critic, objective, strength, columns

    def forward(self, real: Tensor, fake: Tensor, weight: Tensor, dice: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the loss and the penalty in it, the means over members; shapes as for the objective."""
        points = self.objective.penalised(real, fake, dice)
        if self.objective.at_events:  # their values come along
            values, slope = self.critic.with_gradient(points, self.columns)
            of_real, of_fake = values.chunk(2, dim=1)
        else:
            of_real, of_fake = self.critic(torch.cat([real, fake], dim=1))[..., 0].chunk(2, dim=1)
            _, slope = self.critic.with_gradient(points, self.columns)
        penalty = self.objective.penalty(slope).sum()
        # A sum over members: each has the gradient that it would have alone.
        loss = self.objective.critic(of_real, of_fake, weight).mean(dim=1).sum()
        return loss + self.strength * penalty, penalty.detach() / len(real)


class GeneratorLoss(nn.Module):
    """What the generator minimises."""

    def __init__(self, generator: Perceptron, critic: Critic, objective: Objective) -> None:
        """Keep the networks; arguments as for the critic's loss."""
        super().__init__()
        self.generator, self.objective = generator, objective
        self._critic = (critic,)  # not a part of this module: its weights stay as they are

    def forward(self, latents: Tensor, real: Tensor, conditions: Tensor, weight: Tensor) -> Tensor:
        """Return the loss, summed over members; shapes as for the objective."""
        fake = torch.cat([self.generator(torch.cat([latents, conditions], dim=-1)), conditions], dim=-1)
        of_fake = self._critic[0](fake)[..., 0]
        of_real = torch.zeros_like(of_fake)
        if self.objective.in_pairs:
            with torch.no_grad():
                of_real = self._critic[0](real)[..., 0]
        return self.objective.generator(of_real, of_fake, weight).mean(dim=1).sum()


class Adversaries:
    """Generators and critics in training, and the running average of the generators."""

    def __init__(self, config: Config, events: TrainingEvents, columns: int, seed: int, world: World) -> None:
        """Draw the initial weights.

        Args:
            config: Settings.
            events: The training events, on the device.
            columns: Inputs that are of the event; conditions follow.
            seed: Of the initial weights and of all that is random in the training.
            world: Device, and the processes that share the work.
        """
        self._config, self._events, self._columns, self._world = config, events, columns, world
        inputs = events.inputs.shape[1]
        start = torch.Generator().manual_seed(torch_seed(seed, 3))
        hidden = [config.width] * config.depth, [config.critic_width] * config.depth
        sizes = (config.latent + inputs - columns, *hidden[0], columns), (inputs, *hidden[1], 1)
        self.generator = Perceptron(config.members, sizes[0], start).to(world.device)
        self.critic = Critic(config.members, sizes[1], start).to(world.device)
        self.average = Perceptron(config.members, sizes[0], start).to(world.device).requires_grad_(False)  # noqa: FBT003
        self.average.load_state_dict(self.generator.state_dict())
        self.dice = torch.Generator(world.device).manual_seed(torch_seed(seed, 4, world.rank))
        self.step = torch.zeros((), dtype=torch.int64, device=world.device)
        self.losses = torch.zeros(3, device=world.device)
        """Means over members of the last step: critic's loss, generator's loss, penalty."""
        objective = OBJECTIVES[config.objective]
        self._critic_loss = world.shared(CriticLoss(self.critic, objective, config.slope_penalty, columns))
        self._generator_loss = world.shared(GeneratorLoss(self.generator, self.critic, objective))
        self._optimisers = [self._adam(network) for network in (self.critic, self.generator)]
        self._graph: Any = None
        self._warmed = 0

    def advance(self, steps: int) -> None:
        """Make some steps; on a GPU this returns before they are done."""
        with self._world.matrix_products():
            if self._world.captures:
                for _ in range(steps - self._before_capture(steps)):
                    self._graph.replay()
            else:
                for _ in range(steps):
                    self._one_step()

    def tensors(self) -> dict[str, Tensor]:
        """Return all that the next step depends on, by name; the tensors are those in use."""
        state = {"step": self.step}
        for name, network in (("generator", self.generator), ("critic", self.critic), ("average", self.average)):
            state |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimiser in zip(("critic", "generator"), self._optimisers, strict=True):
            for number, moments in enumerate(self._moments(optimiser)):
                state |= {f"adam.{name}.{number}.{key}": value for key, value in moments.items()}
        return state

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what `tensors` returned.

        Raises:
            KeyError: If a tensor is missing.
            RuntimeError: If one has another shape.
        """
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                if tensor.shape != state[name].shape:
                    msg = f"{name} has shape {tuple(state[name].shape)}; expected {tuple(tensor.shape)}"
                    raise RuntimeError(msg)
                tensor.copy_(state[name])

    def _one_step(self) -> None:
        self.step += 1
        rate = self._config.learning_rate * _schedule(self.step / self._config.length)
        with self._autocast():
            real, weight, fake = self._batch()
            loss, penalty = self._critic_loss(real, fake, weight, self.dice)
        self._descend(0, loss, rate)
        with self._autocast(), _frozen(self.critic):
            real, weight, latents = self._draw()
            generator_loss = self._generator_loss(latents, real, real[..., self._columns :], weight)
        self._descend(1, generator_loss, rate)
        self._update_average()
        with torch.no_grad():
            members = self._config.members
            self.losses.copy_(torch.stack([loss / members, generator_loss / members, penalty]))

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return training events, what they count, and latent numbers."""
        events = self._config.batch // self._world.size
        real, weight = self._events.draw(self._config.members, events, self.dice)
        return real, weight, even_latents((self._config.members, events, self._config.latent), self.dice)

    @torch.no_grad()
    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return training events, what they count, and as many generated events under the same conditions."""
        real, weight, latents = self._draw()
        conditions = real[..., self._columns :]
        fake = self.generator(torch.cat([latents, conditions], dim=-1))
        return real, weight, torch.cat([fake, conditions], dim=-1)

    def _descend(self, which: int, loss: Tensor, rate: Tensor) -> None:
        optimiser = self._optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimiser.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].copy_(rate)
            else:
                group["lr"] = float(rate)
        optimiser.step()

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = torch.clamp((self.step + 1) / (self.step + _RAMP), max=self._config.averaging)
        for average, weight in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            average.lerp_(weight, 1 - keep)

    def _adam(self, network: nn.Module) -> torch.optim.Optimizer:
        # On a GPU a number would be frozen into the graph, and would have to be waited for.
        on_gpu = self._world.device_type == "cuda"
        rate: Any = torch.zeros((), device=self._world.device) if on_gpu else 0.0
        return torch.optim.Adam(network.parameters(), lr=rate, betas=_BETAS, fused=True, capturable=on_gpu)

    def _moments(self, optimiser: torch.optim.Optimizer) -> list[dict[str, Tensor]]:
        """Return the state of each parameter, made if there was no step yet."""
        moments = []
        for group in optimiser.param_groups:
            for weight in group["params"]:
                state = optimiser.state[weight]
                if not state:
                    state["step"] = torch.zeros((), dtype=torch.float32, device=weight.device)
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(weight), torch.zeros_like(weight)
                moments.append(state)
        return moments

    def _autocast(self) -> Any:  # noqa: ANN401 - a context
        if self._world.precision == "bfloat16":
            return torch.autocast(self._world.device_type, dtype=torch.bfloat16, cache_enabled=False)
        return nullcontext()

    def _before_capture(self, most: int) -> int:
        """Capture a step unless that has been done, and return how many steps were made on the way."""
        if self._graph is not None:
            return 0
        made = min(most, _BEFORE_CAPTURE - self._warmed)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(made):
                self._one_step()
        torch.cuda.current_stream().wait_stream(side)
        self._warmed += made
        if self._warmed == _BEFORE_CAPTURE:
            self._graph = torch.cuda.CUDAGraph()
            self._graph.register_generator_state(self.dice)
            with torch.cuda.graph(self._graph):
                self._one_step()
        return made


def _schedule(progress: Tensor) -> Tensor:
    """Return the learning rate as a share of its highest: a linear rise, then a cosine down to 0."""
    return torch.clamp(progress / _WARM_UP, max=1.0) * 0.5 * (1 + torch.cos(math.pi * progress))


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Spare the gradients of a network that is only looked through."""
    network.requires_grad_(False)  # noqa: FBT003
    try:
        yield
    finally:
        network.requires_grad_(True)  # noqa: FBT003

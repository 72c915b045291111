"""Speed of the reference trainer and of its generators, beside plain eager loops of the same networks in the same run.

python benchmarks/gan_speed.py --device cuda
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

import pytest_ganvalid as gv
from pytest_ganvalid.gan.batches import TrainingEvents
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.devices import as_device, world
from pytest_ganvalid.gan.trainer import Trainer

Tensor = Any
REPEATS, TURNS = 3, 15
N_TRAIN = 10_000
FLOAT = 4  # bytes
BLOCK = {"cpu": 8_192, "cuda": 1_048_576}


def seconds(call: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """Median time of a call, the device's work included."""
    times = []
    for _ in range(repeats):
        wait(device)
        start = time.perf_counter()
        call()
        wait(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def side_by_side(
    ours: Callable[[], object], other: Callable[[], object], device: torch.device
) -> tuple[float, float, float]:
    """Median times of two calls in turns, and the median of their ratio: others may use the machine meanwhile."""
    times = [tuple(seconds(call, device, repeats=1) for call in (ours, other)) for _ in range(TURNS)]
    first, second = (statistics.median(column) for column in zip(*times, strict=True))
    return first, second, statistics.median(b / a for a, b in times)


def wait(device: torch.device) -> None:
    """Let the device finish."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def perceptron(n_in: int, width: int, depth: int, n_out: int) -> nn.Sequential:
    """The same network as the trainer's, written plainly."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(n_in, width), nn.LeakyReLU(0.2)]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def weights_of(*sizes: int) -> int:
    """Number of weights of a perceptron, biases aside."""
    return sum(a * b for a, b in pairwise(sizes))


class EagerLoop:
    """The plain training of one member: random batches, penalties by differentiating twice, an average, no tricks."""

    def __init__(self, config: Config, events: Tensor, device: torch.device) -> None:
        """Set up networks and optimisers."""
        columns = events.shape[1]
        self.config, self.events, self.device = config, events, device
        self.generator = perceptron(config.latent, config.width, config.depth, columns).to(device)
        self.critic = perceptron(columns, config.critic_width, config.depth, 1).to(device)
        self.average = perceptron(config.latent, config.width, config.depth, columns).to(device)
        self.optimisers = [
            torch.optim.Adam(n.parameters(), lr=config.learning_rate, betas=(0.0, 0.99))
            for n in (self.critic, self.generator)
        ]

    def batch(self) -> tuple[Tensor, Tensor]:
        """Training events and latent numbers."""
        rows = torch.randint(len(self.events), (self.config.batch,), device=self.device)
        return self.events[rows], torch.rand(self.config.batch, self.config.latent, device=self.device) * 2 - 1

    def steps(self, number: int) -> None:
        """Make some steps."""
        for _ in range(number):
            self.step()

    def step(self) -> None:
        """One step of critic and generator."""
        real, z = self.batch()
        fake = self.generator(z).detach()
        penalty, values = 0.0, []
        for points in (real, fake):
            points = points.requires_grad_()  # noqa: PLW2901
            values.append(self.critic(points))
            (slope,) = torch.autograd.grad(values[-1].sum(), points, create_graph=True)
            penalty = penalty + 0.5 * self.config.slope_penalty * slope.square().sum(1).mean()
        loss = nn.functional.softplus(values[1] - values[0]).mean() + penalty
        self.optimisers[0].zero_grad()
        loss.backward()
        self.optimisers[0].step()
        real, z = self.batch()
        loss = nn.functional.softplus(self.critic(real) - self.critic(self.generator(z))).mean()
        self.optimisers[1].zero_grad()
        loss.backward()
        self.optimisers[1].step()
        with torch.no_grad():
            for average, weight in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                average.lerp_(weight, 1 - self.config.averaging)


def step_work(config: Config, columns: int) -> tuple[float, float]:
    """Operations, and bytes that must move, of one step of all members: networks, moments and batch once each."""
    generator = weights_of(config.latent, *[config.width] * config.depth, columns)
    critic = weights_of(columns, *[config.critic_width] * config.depth, 1)
    # Critic: generate, then values and slopes of both halves with their derivatives. Generator: forward, through the
    # critic, and back.
    operations = 2 * config.batch * (4 * generator + 15 * critic)
    moved = FLOAT * (10 * generator + 8 * critic + 2 * config.batch * columns)
    return config.members * operations, config.members * moved


def limits(device: torch.device) -> tuple[float, float]:
    """Operations per second of a large float32 matrix product (tf32 where the trainer uses it), bytes/s of a copy."""
    size = 8192 if device.type == "cuda" else 2048
    a = torch.randn(size, size, device=device)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = device.type == "cuda"
    rate = 2 * size**3 / seconds(lambda: a @ a, device)
    torch.backends.cuda.matmul.allow_tf32 = before
    source = torch.randn(2**28 if device.type == "cuda" else 2**25, device=device)
    target = torch.empty_like(source)
    return rate, 2 * FLOAT * source.numel() / seconds(lambda: target.copy_(source), device)


def training_rows(device: torch.device, steps: int) -> list[str]:
    """Steps per second of the trainer and of the eager loop."""
    operations, bandwidth = limits(device)
    rows = [
        f"Measured limits: {operations / 1e12:.3g} × 10¹² operations/s in a large matrix product, "
        f"{bandwidth / 1e9:.4g} GB/s in a copy, bytes read and written.",
        "",
        "| columns | batch | width | members | precision | steps/s | eager loop, one member | ratio | member-steps, "
        "ratio | 10⁶ operations a step | floor (µs) | share of it reached |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    precisions = ("float32", "tf32", "bfloat16") if device.type == "cuda" else ("float32",)
    for columns, batch, width, members, kinds in (
        (1, 1000, 64, 1, precisions),
        (1, 1000, 64, 8, precisions[:2]),
        (5, 1000, 64, 1, precisions[1:2] or precisions),
        (5, 4000, 256, 1, precisions),
        (5, 4000, 256, 8, precisions[1:] or precisions),
    ):
        if device.type == "cpu" and width * members > 512:
            continue
        few = max(4, steps // (1 if width == 64 else 4))
        for precision in kinds:
            settings: dict[str, Any] = {"batch": batch, "width": width, "critic_width": width, "members": members}
            config = Config(precision=precision, steps=10**6, **settings)
            inputs = np.random.default_rng(1).standard_normal((N_TRAIN, columns))
            place = world(str(device), precision)
            events = TrainingEvents.of(inputs, None, batch, place.device)
            ours = Trainer(config, events, columns, 0, place)
            ours.advance(10)
            loop = EagerLoop(config, events.inputs, device)
            loop.steps(3)
            own, plain, ratio = side_by_side(partial(ours.advance, few), partial(loop.steps, few), device)
            ours_per_second, eager = few / own, few / plain
            work, moved = step_work(config, columns)
            floor = max(work / operations, moved / bandwidth)
            rows.append(
                f"| {columns} | {batch:,} | {width} | {members} | {precision} | {ours_per_second:,.0f} | "
                f"{eager:,.0f} | {ratio:.2f} | {ratio * members:.1f} | {work / 1e6:,.0f} | {1e6 * floor:.1f} | "
                f"{ours_per_second * floor:.3f} |"
            )
    return rows


def sampling_rows(device: torch.device, blocks: int) -> list[str]:
    """Events per second of a generator and of the eager loop."""
    operations, bandwidth = limits(device)
    rows = [
        "| columns | width | members | where to | events/s | eager loop | ratio | 10³ operations an event | "
        "floor (10⁹ events/s) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for columns, width, members in ((1, 64, 1), (1, 64, 2), (5, 64, 1), (5, 128, 1)):
        config = Config(width=width, members=members, steps=4, batch=100)
        training = {f"x{i}": np.random.default_rng(i).standard_normal(1000) for i in range(columns)}
        generator = gv.gan.train(training, config=config, device=str(device))
        plain = perceptron(config.latent, width, config.depth, columns).to(device)
        block = BLOCK[device.type]
        n = block * blocks

        def ours_on_device(made: gv.gan.Generator = generator, count: int = n) -> None:
            (part,) = made.source(count, seed=1).parts
            for _ in part.tensors(made.columns):
                pass

        def ours_to_host(made: gv.gan.Generator = generator, count: int = n) -> None:
            for _ in made.stream(count, seed=1):
                pass

        @torch.no_grad()
        def eager(*, to_host: bool, net: nn.Module = plain, size: int = block, inputs: int = config.latent) -> None:
            for _ in range(blocks):
                made = (net(torch.rand(size, inputs, device=device) * 2 - 1).double() * 3.0 + 1.0).T.contiguous()
                if to_host:
                    made.cpu().numpy()

        work = 2 * weights_of(config.latent, *[width] * config.depth, columns)
        for place, call, other in (
            ("the device", ours_on_device, partial(eager, to_host=False)),
            ("numpy arrays", ours_to_host, partial(eager, to_host=True)),
        ):
            call()
            other()
            own, plain_time, ratio = side_by_side(call, other, device)
            rate, plainly = n / own, n / plain_time
            floor = min(operations / work, bandwidth / (2 * FLOAT * columns))
            rows.append(
                f"| {columns} | {width} | {members} | {place} | {rate:.3g} | {plainly:.3g} | {ratio:.2f} | "
                f"{work / 1e3:.1f} | {floor / 1e9:.2g} |"
            )
    return rows


def same_events(device: torch.device) -> float:
    """Largest difference between the events of this device and of a CPU, in standard deviations of the column."""
    toy, config = gv.toys.Calorimeter(), Config(members=3, steps=50)
    trained = gv.gan.train(toy.sample(2_000, seed=1), conditions=["energy"], config=config, device="cpu")
    given = toy.sample(300_000, seed=2)
    here = gv.gan.Generator(trained.record, trained._network)  # noqa: SLF001
    on_cpu = here.sample(len(given), seed=5, conditions=given)["response"]
    there = gv.gan.Generator(trained.record, trained._network.to(device))  # noqa: SLF001
    return float(np.abs(there.sample(len(given), seed=5, conditions=given)["response"] - on_cpu).max() / on_cpu.std())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the CPU")
    arguments = parser.parse_args()
    device = as_device(arguments.device)
    torch.set_num_threads(arguments.threads)
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    steps = arguments.steps or (400 if device.type == "cuda" else 20)
    print(f"# Speed of the reference trainer: {name}, torch {torch.__version__}\n")
    print("\n".join(training_rows(device, steps)), flush=True)
    print("\n## Generated events\n")
    print("\n".join(sampling_rows(device, 32 if device.type == "cuda" else 8)), flush=True)
    if device.type == "cuda":
        print(f"\nLargest difference between these events and a CPU's: {same_events(device):.1e} of the spread.")


if __name__ == "__main__":
    main()

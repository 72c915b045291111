"""Training, from the events to the generator: read it from `train` downwards."""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid.errors import InputError, InputTypeError, TrainingError, TrainingWarning
from pytest_ganvalid.gan import artefacts, checkpoints, preprocess
from pytest_ganvalid.gan.artefacts import TrainingRecord
from pytest_ganvalid.gan.batches import TrainingEvents, even_latents
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.devices import Replayed, World, matrix_products, world
from pytest_ganvalid.gan.evaluation import MAX_EVENTS, Collapse, EnergyDistance
from pytest_ganvalid.gan.model import Critic, Perceptron, critic_loss, generator_loss, generator_sizes
from pytest_ganvalid.gan.numbers import torch_rng
from pytest_ganvalid.gan.progress import Progress
from pytest_ganvalid.gan.sample import Generator, network_of
from pytest_ganvalid.gan.stopping import Stopping
from pytest_ganvalid.overlaps.fingerprint import fingerprint
from pytest_ganvalid.samples import Sample, as_sample

Tensor = Any
Path_ = str | os.PathLike[str]
FloatArray = NDArray[np.float64]
_REPORTS, _EVALUATIONS = 200, 50  # per training
_MAX_LOSS = 1e9  # beyond which weights have diverged, even if they are still finite
_WEIGHTS, _BATCHES, _SPREAD, _SPLIT, _COMPARISON = 3, 4, 6, 7, 8  # streams of random numbers
_BETAS = (0.0, 0.99)  # momentum makes adversaries circle each other
_WARM_UP = 0.05  # of the steps
_RAMP = 10  # steps: an average over fewer steps than have been made


def train(
    events: object,
    *,
    columns: Sequence[str] | None = None,
    conditions: Sequence[str] = (),
    weight: object = None,
    config: Config | None = None,
    seed: int = 0,
    device: str = "auto",
    checkpoint: Path_ | None = None,
    checkpoint_every: int = 500,
    log: Path_ | None = None,
    progress: bool = False,
) -> Generator:
    """Train a generator.

    Started by ``torchrun``, several processes share each batch, a GPU each, and all of them return the same generator.

    Args:
        events: The training events: any table that `pytest_ganvalid.validate` reads.
        columns: Names of the columns to generate; ``None`` for all numeric ones but the conditions.
        conditions: Names of columns that the generator is to be given instead.
        weight: A column name, an array of shape (events,), or ``None``. Weights may be negative; their sum may not.
        config: Settings; ``None`` for the defaults.
        seed: Seed of all random numbers. On a CPU, with the same number of threads and version of torch, a seed gives
            the same weights to the last bit.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        checkpoint: A file. If it exists, the training goes on from it, and must be of the same events and settings; on
            a CPU the result is, to the last bit, that of a training that was never interrupted. ``steps`` alone may be
            others, to train for longer: the learning rate then goes on along the cosine of the new number.
        checkpoint_every: Steps from one checkpoint to the next.
        log: A file of JSON lines, at least 200 (or one for every step) in a training: the `EnergyDistance
            <pytest_ganvalid.gan.evaluation.EnergyDistance>` of generated events from held-out ones (from training
            events if none are held out), its mean for equal samples, losses, learning rate, events per second, and
            seconds so far and left. It begins anew unless the training goes on from a checkpoint.
        progress: Whether to show a bar on stderr with the steps, the time left and the energy distance.

    Returns:
        The generator, on the device it was trained on.

    Raises:
        InputError: If the events cannot be learned from: fewer than two, a constant column, NaN or infinite values, no
            column, no sum of weights; if a setting is out of range; or if the checkpoint is of another training.
        TrainingError: If the losses are no numbers any more.
        OSError: If a file cannot be written.

    Warns:
        TrainingWarning: If there are fewer steps than by default, or the critic has collapsed.
    """
    config = Config() if config is None else config
    if not isinstance(config, Config):
        msg = f"config={config!r} is a {type(config).__name__}; expected a Config: Config(steps=1000)"
        raise InputTypeError(msg)
    if log is not None and checkpoint is not None and Path(log).absolute() == Path(checkpoint).absolute():
        msg = f"log and checkpoint are the same file {str(log)!r}; expected two"
        raise InputError(msg)
    seed = check_integer("seed", seed, minimum=0)
    save_interval = check_integer("checkpoint_every", checkpoint_every)
    sample = as_sample(events, "training", weight)
    config, default_length = config.for_events(len(sample)), replace(config, steps=None).for_events(len(sample)).length
    names = preprocess.column_names(sample, columns, conditions)
    process = world(device, config.precision)
    run = _prepare(sample, names, tuple(conditions), config, seed, process)
    if checkpoint is not None and process.broadcast(Path(checkpoint).exists()):
        run.resume(checkpoint)
    if config.length < default_length and process.leads:
        msg = (
            f"steps={config.length:,} is below the {default_length:,} that {len(sample):,} training events take by "
            "default: the generator may be worth much less than it could be"
        )
        warnings.warn(msg, TrainingWarning, stacklevel=2)
    evaluation = max(1, config.length // _EVALUATIONS)
    intervals = [max(1, config.length // _REPORTS)]
    intervals += [evaluation] if config.validation else []
    intervals += [save_interval] if checkpoint is not None else []
    report = Progress(
        config,
        run.step,
        log if process.leads else None,
        shown=progress and process.leads,
        compared_with="held-out events" if config.validation else "training events",
    )
    collapse: Collapse | None = Collapse(config)
    with closing(report):
        while run.step < config.length and not run.stopped:
            # On to the next step with a report, an evaluation or a checkpoint.
            step = min(config.length, *(interval * (run.step // interval + 1) for interval in intervals))
            run.advance(step)
            values = run.values()
            report.update(step, values)
            if collapse is not None and (message := collapse.message(step, values)):
                collapse = None  # one warning is enough
                if process.leads:
                    warnings.warn(message, TrainingWarning, stacklevel=2)
            if step % evaluation == 0:
                run.decide(values)
            if checkpoint is not None and (step % save_interval == 0 or step == config.length or run.stopped):
                run.save(checkpoint)
    return run.generator()


def _prepare(
    sample: Sample, names: Sequence[str], conditions: Sequence[str], config: Config, seed: int, process: World
) -> _Run:
    """Hold events out, learn the columns' tables, and set up networks and events on the device."""
    size = len(sample)
    if size < 2:  # noqa: PLR2004 - a spread takes two
        msg = f"training: {size} event; expected at least 2, and a hundred to learn anything"
        raise InputError(msg)
    if config.batch % process.size:
        msg = f"batch={config.batch} cannot be shared by {process.size} processes; choose a multiple of {process.size}"
        raise InputError(msg)
    n_held_out = round(config.validation * size)
    if config.validation and not 0 < n_held_out < size - 1:
        msg = (
            f"validation={config.validation:g} of {size:,} training events holds out {n_held_out:,}; expected at "
            "least 1, and 2 that remain: choose another share, or 0"
        )
        raise InputError(msg)
    order = np.random.default_rng([seed, _SPLIT]).permutation(size) if n_held_out else np.arange(size)
    training, held_out = sample.select(order[n_held_out:]), sample.select(order[:n_held_out]) if n_held_out else None
    for part in (sample, training, held_out):
        if part is not None and part.weight is not None and not part.weight.sum() > 0:
            msg = f"training: the sum of weights is {part.weight.sum():g}; expected a positive sum"
            raise InputError(msg)
    preprocess.check_names(config, names, conditions)
    scales = preprocess.fit(training, names, config, sample)
    condition_scales = preprocess.fit_conditions(training, conditions, sample, config)
    generated = preprocess.inputs(scales)
    rng = np.random.default_rng([seed, _SPREAD])

    def inputs(part: Sample) -> FloatArray:
        parts = (
            preprocess.to_network(scales, part, "training", rng),
            preprocess.to_network(condition_scales, part, "training"),
        )
        return np.concatenate(parts, axis=1)

    events = TrainingEvents.of(inputs(training), training.weight, config.batch, process.device)
    trainer = Trainer(config, events, generated, seed, process)
    comparison, condition_events = _comparison_samples(training, held_out, seed, halved=bool(conditions))
    distance = None
    if held_out is not None or all(
        part.weight is None or part.weight.sum() > 0 for part in (comparison, condition_events)
    ):
        condition_inputs = preprocess.to_network(condition_scales, condition_events, "training")
        distance = EnergyDistance(
            inputs(comparison), comparison.weight, condition_inputs, condition_events.weight, config, process.device
        )
    stopping = Stopping(config.patience, trainer.average) if held_out is not None else None
    columns = (*names, *conditions)
    record = TrainingRecord(
        config=config,
        columns=scales,
        conditions=condition_scales,
        n_train=size,
        fingerprint=fingerprint(Sample({name: sample[name] for name in columns}), columns=columns),
        seed=seed,
        steps=0,
        **artefacts.versions(),
    )
    return _Run(record, trainer, distance, stopping, process)


def _comparison_samples(training: Sample, held_out: Sample | None, seed: int, *, halved: bool) -> tuple[Sample, Sample]:
    """Choose events to compare generated ones with, held-out ones if there are any, and as many for the conditions.

    ``halved`` tells whether there are conditions, for which no event may be in both parts.
    """
    rows = np.random.default_rng([seed, _COMPARISON]).permutation(len(training))
    if held_out is not None:
        return held_out, training.select(rows[: len(held_out)])
    n = min(MAX_EVENTS, len(rows) // 2 if halved else len(rows))
    return training.select(rows[:n]), training.select(rows[-n:])


@dataclass(slots=True)
class _Run:
    """A training under way: its steps, its reports, and its checkpoints."""

    record: TrainingRecord
    trainer: Trainer
    distance: EnergyDistance | None
    stopping: Stopping | None
    process: World
    step: int = 0
    stopped: bool = False

    def advance(self, step: int) -> None:
        """Go on to a step."""
        self.trainer.advance(step - self.step)
        self.step = step

    def values(self) -> dict[str, float]:
        """Return the values to report, by name.

        Raises:
            TrainingError: If the training has diverged.
        """
        # This waits for the device. All processes see the same numbers, and end together if they must.
        *losses, rate = torch.stack(self.process.gather(self.trainer.readings)).mean(dim=0).tolist()
        if not np.all(np.abs(losses) < _MAX_LOSS):
            msg = (
                f"the training diverged before step {self.step:,} (losses {losses}); lower learning_rate, or raise "
                "penalty, or look for outliers among the training events"
            )
            raise TrainingError(msg)
        values = dict(zip(("critic_loss", "generator_loss", "penalty"), losses, strict=True)) | {"learning_rate": rate}
        if self.distance is None:
            return values
        distances = {
            "energy_distance": self.distance(self.trainer.average),
            "equal_samples": self.distance.equal_samples,
        }
        return distances | values

    def decide(self, values: dict[str, float]) -> None:
        """Decide whether to stop early, by the distance from held-out training events if there are any."""
        if self.stopping is not None:
            self.stopping.update(values["energy_distance"], self.trainer.average)
            self.stopped = self.process.broadcast(self.stopping.is_over)

    def save(self, path: Path_) -> None:
        """Write a checkpoint."""
        tensors = self.trainer.tensors() | {checkpoints.DIGEST: self.trainer.events.digest}
        for rank, state in enumerate(self.process.gather(self.trainer.rng.get_state())):
            tensors[f"dice.{rank}"] = state
        if self.stopping is not None:
            tensors |= self.stopping.tensors()
        if self.process.leads:
            artefacts.write(path, artefacts.CHECKPOINT, replace(self.record, steps=self.step), tensors)

    def resume(self, path: Path_) -> None:
        """Take over the state of a checkpoint.

        Raises:
            InputError: If the checkpoint is of another training.
        """
        record, tensors = checkpoints.read(path, self.record, self.trainer.events.digest)
        try:
            self.trainer.load(tensors)
            if self.stopping is not None:
                self.stopping.load(tensors)
            if f"dice.{self.process.size}" in tensors:
                msg = "it was written by more processes"
                raise KeyError(msg)  # noqa: TRY301 - reported below, as all that does not fit
            self.trainer.rng.set_state(tensors[f"dice.{self.process.rank}"].cpu())
        except (KeyError, RuntimeError, TypeError) as error:
            msg = (
                f"{path}: the training cannot go on from here ({error}); it takes the device and the number of "
                "processes it was started with: delete the file to start again"
            )
            raise InputError(msg) from error
        self.step = record.steps
        if self.stopping is not None:
            if self.record.config.length > record.config.length:
                self.stopping.extend()
            self.stopped = self.process.broadcast(self.stopping.is_over)

    def generator(self) -> Generator:
        """Return the generator: the average of the last steps, or the best one."""
        record = replace(self.record, steps=self.step)
        network = network_of(record).to(self.process.device)
        network.load_state_dict(self.trainer.average.state_dict() if self.stopping is None else self.stopping.best)
        return Generator(record, network).calibrated()


class Trainer:
    """Generators and critics, step by step, and the running average of the generators.

    Attributes:
        generator: All members of the generator.
        critic: Likewise, of the critic.
        average: The exponential average of the generator's weights.
        readings: Critic's loss, generator's loss and penalty of the last step, each the mean over members, and the
            learning rate.
        events: The training events.
        rng: Source of all random numbers of a step.
    """

    def __init__(self, config: Config, events: TrainingEvents, columns: int, seed: int, process: World) -> None:
        """Draw the initial weights; the first ``columns`` inputs are generated, the others are conditions."""
        self.events = events
        self._config, self._columns, self._process = config, columns, process
        device, inputs = process.device, events.inputs.shape[1]
        weights = torch_rng(seed, _WEIGHTS)
        sizes = generator_sizes(config, columns, inputs - columns)
        self.generator = Perceptron(config.members, sizes, weights).to(device)
        sizes = (inputs, *[config.critic_width] * config.depth, 1)
        self.critic = Critic(config.members, sizes, weights).to(device)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)  # noqa: FBT003
        self._optimisers = {"critic": _adam(self.critic, device), "generator": _adam(self.generator, device)}
        self.rng = torch_rng(seed, _BATCHES, process.rank, device=device)
        self.readings = torch.zeros(4, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        # Processes that wait for each other cannot be captured.
        self._advance = Replayed(self._one_step, device, self.rng) if process.size == 1 else self._one_step

    def advance(self, steps: int) -> None:
        """Make steps; on a GPU this returns before they are done."""
        with matrix_products(self._process.device, self._process.precision):
            for _ in range(steps):
                self._advance()

    def _one_step(self) -> None:
        config, members = self._config, self._config.members
        # The learning rate: a linear rise, then a cosine down to 0.
        self._step += 1
        progress = self._step / config.length
        rise = torch.clamp(progress / _WARM_UP, max=1.0)
        rate = config.learning_rate * (rise * 0.5 * (1 + torch.cos(math.pi * progress)))
        # The critic: tell training events from generated ones.
        with self._autocast():
            real, weight, latents = self._batch()
            with torch.no_grad():
                fake = self._generate(latents, real)
            loss, penalty = critic_loss(config, self.critic, real, fake, weight, self._columns, self.rng)
        self._descend("critic", loss, rate)
        # The generator: generate events that the critic takes for training events.
        with self._autocast():
            real, weight, latents = self._batch()
            gen_loss = generator_loss(config, self.critic, real, self._generate(latents, real), weight)
        self._descend("generator", gen_loss, rate)
        # The average of the generator's weights, and the readings of the step.
        with torch.no_grad():
            decay = torch.clamp((self._step + 1) / (self._step + _RAMP), max=config.averaging)
            for average, parameter in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                average.lerp_(parameter, 1 - decay)
            self.readings.copy_(torch.stack([loss / members, gen_loss / members, penalty, rate]))

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return training events, their factors, and latent numbers: the share of this process, for each member."""
        members, size = self._config.members, self._config.batch // self._process.size
        real, weight = self.events.draw(members, size, self.rng)
        return real, weight, even_latents((members, size, self._config.latent), self.rng)

    def _generate(self, latents: Tensor, real: Tensor) -> Tensor:
        """Return generated events under the conditions of training events."""
        conditions = real[..., self._columns :]
        return torch.cat([self.generator(torch.cat([latents, conditions], dim=-1)), conditions], dim=-1)

    def _descend(self, name: str, loss: Tensor, rate: Tensor) -> None:
        optimiser = self._optimisers[name]
        (group,) = optimiser.param_groups
        optimiser.zero_grad(set_to_none=True)
        loss.backward(inputs=group["params"])  # not those of the other network
        for parameter in group["params"]:
            self._process.average(parameter.grad)
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].copy_(rate)
        else:
            group["lr"] = float(rate)
        optimiser.step()

    def _autocast(self) -> Any:  # noqa: ANN401 - a context
        enabled = self._process.precision == "bfloat16"
        return torch.autocast(self._process.device.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=False)

    def tensors(self) -> dict[str, Tensor]:
        """Return the state of the training but its random numbers, by name; the tensors are those in use."""
        state = {"step": self._step}
        for name, network in (("generator", self.generator), ("critic", self.critic), ("average", self.average)):
            state |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimiser in self._optimisers.items():
            for number, parameter in enumerate(optimiser.param_groups[0]["params"]):
                moments = optimiser.state[parameter]
                state |= {f"adam.{name}.{number}.{key}": value for key, value in moments.items()}
        return state

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the state that `tensors` returned.

        Raises:
            KeyError: If a tensor is missing.
            RuntimeError: If a tensor has another shape.
        """
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                if tensor.shape != state[name].shape:
                    msg = f"{name} has shape {tuple(state[name].shape)}; expected {tuple(tensor.shape)}"
                    raise RuntimeError(msg)
                tensor.copy_(state[name])


def _adam(network: torch.nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """Return the optimiser of a network, with its state already made: a checkpoint may be loaded into it."""
    on_gpu = device.type == "cuda"  # where a number would be frozen into the graph, and would have to be waited for
    rate: Any = torch.zeros((), device=device) if on_gpu else 0.0
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, betas=_BETAS, fused=True, capturable=on_gpu)
    for parameter in network.parameters():
        optimiser.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimiser

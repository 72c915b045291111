"""Training, from the events to the generator: read it from `train` downwards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_positive_integer
from pytest_ganvalid.errors import InputError, InputTypeError, TrainingError
from pytest_ganvalid.gan import artefacts, preprocessing
from pytest_ganvalid.gan.adversaries import Adversaries
from pytest_ganvalid.gan.artefacts import TrainingRecord
from pytest_ganvalid.gan.batches import TrainingEvents
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.devices import World, world
from pytest_ganvalid.gan.generator import Generator, network_of
from pytest_ganvalid.gan.progress import Progress
from pytest_ganvalid.gan.stopping import Stopping
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.digests import numeric_columns
from pytest_ganvalid.samples.fingerprint import fingerprint

Tensor = Any
Path_ = str | os.PathLike[str]
FloatArray = NDArray[np.float64]
_REPORTS = 200  # per training
_LARGEST_LOSS = 1e9  # beyond it weights have run away, even where they are numbers still
_EVALUATIONS = 50  # likewise
_SPREADING, _SPLITTING = 6, 7  # streams of random numbers


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
        seed: Of all that is random. On a CPU, with the same number of threads and version of torch, a seed gives the
            same weights to the last bit.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        checkpoint: A file. If it exists, the training goes on from it, and must be of the same events and settings; on
            a CPU the result is, to the last bit, that of a training that was never interrupted.
        checkpoint_every: Steps from one checkpoint to the next.
        log: A file of JSON lines, one for each time that the training looks up, at least 200 times (or every step):
            losses, events per second, time left. It begins anew unless the training goes on from a checkpoint.
        progress: Whether to show a bar on stderr with losses, events per second and time left.

    Returns:
        The generator, on the device it was trained on.

    Raises:
        InputError: If the events cannot be learned from: fewer than two, a constant column, NaN or infinite values, no
            column, no sum of weights; if a setting is out of range; or if the checkpoint is of another training.
        TrainingError: If the losses are no numbers any more.
        OSError: If a file cannot be written.
    """
    config = Config() if config is None else config
    if not isinstance(config, Config):
        msg = f"config={config!r} is a {type(config).__name__}; expected a Config: Config(steps=1000)"
        raise InputTypeError(msg)
    if log is not None and checkpoint is not None and Path(log).absolute() == Path(checkpoint).absolute():
        msg = f"log and checkpoint are the same file {str(log)!r}; expected two"
        raise InputError(msg)
    seed = check_positive_integer("seed", seed, least=0)
    every = check_positive_integer("checkpoint_every", checkpoint_every)
    sample = as_sample(events, "training", weight)
    config = config.for_events(len(sample))
    names = _column_names(sample, columns, conditions)
    _check_weights(sample)
    with world(device, config.precision) as place:
        _check_shares(config, place)
        run = _prepared(sample, names, tuple(conditions), config, seed, place)
        start = run.resumed(checkpoint) if checkpoint is not None and place.agreed(Path(checkpoint).exists()) else 0
        with Progress(config, start, log if place.leads else None, shown=progress and place.leads) as told:
            stops = _stops(start, config, every if checkpoint is not None else None)
            for step in () if place.agreed(run.is_over) else stops:
                run.advance_to(step)
                run.report(told)
                done = run.decide(step)
                if checkpoint is not None and (step % every == 0 or step == config.length or done):
                    run.save(checkpoint)
                if done:
                    break
        return run.generator()


@dataclass(slots=True)
class _Run:
    """A training under way."""

    record: TrainingRecord
    adversaries: Adversaries
    stopping: Stopping | None
    place: World
    digest: Tensor
    step: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it was stopped early, possibly before it was resumed."""
        return self.stopping is not None and self.stopping.is_over

    def advance_to(self, step: int) -> None:
        self.adversaries.advance(step - self.step)
        self.step = step

    def report(self, told: Progress) -> None:
        """Show where the training is.

        Raises:
            TrainingError: If it has diverged.
        """
        # This waits for the device. All processes see the same numbers, and end together if they must.
        losses = torch.stack(self.place.gathered(self.adversaries.losses)).mean(dim=0).tolist()
        if not np.all(np.abs(losses) < _LARGEST_LOSS):
            msg = (
                f"the training diverged before step {self.step:,} (losses {losses}); lower learning_rate, or raise "
                "penalty, or look for outliers among the training events"
            )
            raise TrainingError(msg)
        told.update(self.step, losses, self.stopping)

    def decide(self, step: int) -> bool:
        """Return whether to stop early, having looked at held-out training events if it is time to."""
        if self.stopping is not None and step % _interval(self.record.config) == 0:
            self.stopping.look(self.adversaries.average)
        return self.place.agreed(self.is_over)

    def save(self, path: Path_) -> None:
        tensors = self.adversaries.tensors() | {"events": self.digest}
        for rank, state in enumerate(self.place.gathered(self.adversaries.dice.get_state())):
            tensors[f"dice.{rank}"] = state
        if self.stopping is not None:
            tensors |= self.stopping.tensors()
        if self.place.leads:
            artefacts.write(path, artefacts.CHECKPOINT, replace(self.record, steps=self.step), tensors)

    def resumed(self, path: Path_) -> int:
        """Take over the state of a checkpoint and return its step.

        Raises:
            InputError: If it is of another training.
        """
        record, tensors = artefacts.read(path, artefacts.CHECKPOINT)
        self._check_same(path, record)
        if not torch.equal(tensors.get("events", self.digest[:0]), self.digest):
            msg = f"{path} is of a training with other weights or another order of events; delete it to start again"
            raise InputError(msg)
        try:
            self.adversaries.load(tensors)
            if self.stopping is not None:
                self.stopping.load(tensors)
            if f"dice.{self.place.size}" in tensors:
                msg = "it was written by more processes"
                raise KeyError(msg)  # noqa: TRY301 - told below, as all that does not fit
            self.adversaries.dice.set_state(tensors[f"dice.{self.place.rank}"].cpu())
        except (KeyError, RuntimeError, TypeError) as error:
            msg = (
                f"{path}: the training cannot go on from here ({error}); it takes the device and the number of "
                "processes it was started with: delete the file to start again"
            )
            raise InputError(msg) from error
        self.step = record.steps
        return record.steps

    def _check_same(self, path: Path_, found: TrainingRecord) -> None:
        here = self.record
        settings = [
            (field.name, getattr(found.config, field.name), getattr(here.config, field.name))
            for field in fields(Config)
        ]
        parts = [("seed", found.seed, here.seed), ("n_train", found.n_train, here.n_train)]
        for name, before, now in [*settings, *parts]:
            if before != now:
                msg = f"{path} is of a training with {name}={before!r}; now it is {now!r}: delete it to start again"
                raise InputError(msg)
        if (found.columns, found.conditions, found.fingerprint) != (here.columns, here.conditions, here.fingerprint):
            msg = f"{path} is of a training with other events or columns; delete it to start again"
            raise InputError(msg)

    def generator(self) -> Generator:
        average = self.adversaries.average
        tensors = average.state_dict() if self.stopping is None else self.stopping.best
        record = replace(self.record, steps=self.step)
        network = network_of(record).to(self.place.device)
        network.load_state_dict(tensors)
        return Generator(record, network)


def _prepared(
    sample: Sample, names: Sequence[str], conditions: Sequence[str], config: Config, seed: int, place: World
) -> _Run:
    """Learn the scales, and set up networks and events on the device."""
    used = (*names, *conditions)
    rng = np.random.default_rng([seed, _SPLITTING])
    held = round(config.validation * len(sample))
    if config.validation and not 0 < held < len(sample) - 1:
        msg = (
            f"validation={config.validation:g} of {len(sample):,} training events holds out {held:,}; expected at "
            "least 1, and 2 that remain: choose another share, or 0"
        )
        raise InputError(msg)
    order = rng.permutation(len(sample)) if held else np.arange(len(sample))
    trained, validation = sample.select(order[held:]), sample.select(order[:held]) if held else None
    for part in filter(None, (trained, validation)):
        _check_weights(part)
    columns, given = (preprocessing.learned(trained, some, sample) for some in (names, conditions))
    spread = np.random.default_rng([seed, _SPREADING])
    inputs = _inputs(columns, given, trained, spread)
    events = TrainingEvents.of(inputs, trained.weight, config.batch, place.device)
    adversaries = Adversaries(config, events, len(names), seed, place)
    stopping = None
    if validation is not None:
        held_out = _inputs(columns, given, validation, spread)
        stopping = Stopping(held_out, validation.weight, len(names), config, adversaries.average)
    record = TrainingRecord(
        config=config,
        columns=columns,
        conditions=given,
        n_train=len(sample),
        fingerprint=fingerprint(Sample({name: sample[name] for name in used}), columns=used),
        seed=seed,
        steps=0,
        **artefacts.versions(),
    )
    return _Run(record, adversaries, stopping, place, _digest(inputs, trained.weight))


def _inputs(
    columns: Sequence[preprocessing.Scale],
    conditions: Sequence[preprocessing.Scale],
    sample: Sample,
    rng: np.random.Generator,
) -> FloatArray:
    """Return what the networks see: columns, then conditions."""
    parts = (
        preprocessing.to_network(columns, sample, "training", rng),
        preprocessing.to_network(conditions, sample, "training"),
    )
    return np.concatenate(parts, axis=1)


def _stops(start: int, config: Config, every: int | None) -> Iterator[int]:
    """Yield the steps after ``start`` at which there is something to do, the last one included."""
    intervals = [max(1, config.length // _REPORTS)]
    intervals += [_interval(config)] if config.validation else []
    intervals += [every] if every is not None else []
    step = start
    while step < config.length:
        step = min([config.length, *(interval * (step // interval + 1) for interval in intervals)])
        yield step


def _interval(config: Config) -> int:
    return max(1, config.length // _EVALUATIONS)


def _column_names(sample: Sample, columns: Sequence[str] | None, conditions: Sequence[str]) -> tuple[str, ...]:
    for what, names in (("columns", columns), ("conditions", conditions)):
        if isinstance(names, str):
            msg = f"{what}={names!r} is one name; expected a list of names: {what}=[{names!r}]"
            raise InputTypeError(msg)
    if columns is None:
        columns = [name for name in sample.columns if name in numeric_columns(sample) and name not in conditions]
    both = sorted(set(columns) & set(conditions))
    if both or not columns or len(set(columns)) < len(columns) or len(set(conditions)) < len(conditions):
        msg = (
            f"columns={list(columns)} and conditions={list(conditions)}; expected at least one column to generate, "
            "none of them twice, and none of them a condition"
        )
        raise InputError(msg)
    if len(sample) < 2:  # noqa: PLR2004 - a spread takes two
        msg = f"training: {len(sample)} event; expected at least 2, and a hundred to learn anything"
        raise InputError(msg)
    return tuple(columns)


def _check_weights(sample: Sample) -> None:
    if sample.weight is not None and not sample.weight.sum() > 0:
        msg = f"training: the sum of weights is {sample.weight.sum():g}; expected a positive sum"
        raise InputError(msg)


def _check_shares(config: Config, place: World) -> None:
    if config.batch % place.size:
        msg = f"batch={config.batch} cannot be shared by {place.size} processes; choose a multiple of {place.size}"
        raise InputError(msg)


def _digest(inputs: FloatArray, weight: FloatArray | None) -> Tensor:
    """Return what tells these training events from others: in another order they are dealt out differently."""
    parts = [inputs] if weight is None else [inputs, weight]
    found = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).digest()
    return torch.tensor(list(found), dtype=torch.uint8)

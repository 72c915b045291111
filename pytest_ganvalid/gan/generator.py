"""A trained generator: its events, and its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from pytest_ganvalid._arguments import check_positive_integer
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import artefacts
from pytest_ganvalid.gan.artefacts import TrainingRecord
from pytest_ganvalid.gan.devices import as_device
from pytest_ganvalid.gan.networks import Perceptron
from pytest_ganvalid.gan.preprocessing import finite, from_network, to_network
from pytest_ganvalid.gan.sampling import Sampler, blocks
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.device import DevicePart
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.samples.sources import Events

Tensor = Any
CHUNK = 262_144
_DEEPEST = 10_000  # layers


class Generator:
    """Generates events like those it was trained on.

    Event number i of a seed is always the same: a longer sample begins with a shorter one, whatever the chunks, and a
    GPU gives the events of a CPU to the rounding of its matrix products: a few parts in 10⁶ of a column's spread at the
    precision ``"float32"``, and at most some percent of it at tf32.

    Attributes:
        record: Settings, scales, number and fingerprint of the training events, and versions of the code.
    """

    def __init__(self, record: TrainingRecord, network: Perceptron) -> None:
        """Take over a trained network, on the device that is to generate; see `train` and `load`."""
        self.record = record
        self._network = network.eval().requires_grad_(False)  # noqa: FBT003

    @property
    def n_train(self) -> int:
        """Number of training events: what its events can be worth, unless shown otherwise."""
        return self.record.n_train

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the training events; give it to `pytest_ganvalid.validate` as ``training``."""
        return self.record.fingerprint

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are generated."""
        return tuple(scale.name for scale in self.record.columns)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the columns that must be given."""
        return tuple(scale.name for scale in self.record.conditions)

    def sample(self, n: int, *, seed: int, conditions: object = None, chunk: int = CHUNK) -> Sample:
        """Generate ``n`` unweighted events.

        Args:
            n: Number of events, at least 1.
            seed: Non-negative integer; samples of different seeds are independent given the generator.
            conditions: Of a conditional generator: a table of ``n`` rows with its `conditions`, or one number for each
                of them, as in ``{"energy": 50.0}``.
            chunk: Events computed at a time; the result does not depend on it.

        Returns:
            The generated columns, and those of the conditions, float64 of shape (n,).

        Raises:
            InputError: If an argument is out of range, or the conditions are missing, too many or too few.
        """
        parts = list(self.stream(n, seed=seed, conditions=conditions, chunk=chunk))
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns}
        return Sample(columns, provenance=parts[0].provenance)

    def stream(self, n: int, *, seed: int, conditions: object = None, chunk: int = CHUNK) -> Iterator[Sample]:
        """Generate as `sample` does, in constant memory.

        Args:
            n: As for `sample`.
            seed: As for `sample`.
            conditions: As for `sample`.
            chunk: Events per sample; the last may be shorter.

        Yields:
            Samples that make up that of `sample`.

        Raises:
            InputError: As `sample` does, before the first chunk.
        """
        n, chunk = check_positive_integer("n", n), check_positive_integer("chunk", chunk)
        seed = check_positive_integer("seed", seed, least=0)
        return self._stream(n, seed, self._given(conditions, n), chunk)

    def source(self, n: int, *, seed: int, conditions: object = None) -> Events:
        """Let `pytest_ganvalid.validate` generate: on a GPU, histograms are filled there, and no event leaves it.

        Args:
            n: As for `sample`.
            seed: As for `sample`; the events are the same.
            conditions: As for `sample`.

        Returns:
            What ``validate`` and ``check`` take for generated events.

        Raises:
            InputError: As `sample` does.
        """
        n, seed = check_positive_integer("n", n), check_positive_integer("seed", seed, least=0)
        given = self._given(conditions, n)
        origin = {"source": "gan.Generator", "n_train": self.n_train, "seed": seed, **artefacts.versions()}
        part = DevicePart(partial(self._tensors, seed, given), n)
        return Events((*self.columns, *self.conditions), [part], provenance=origin)

    def _tensors(self, seed: int, given: dict[str, Any], n: int) -> Iterator[dict[str, Tensor]]:
        """Yield the first ``n`` events as tensors on the device."""
        done = 0
        for block in self._blocks(n, seed, given):
            size = block.shape[1]
            columns = dict(zip(self.columns, block, strict=True))
            for name, values in given.items():
                columns[name] = torch.from_numpy(np.array(values[done : done + size])).to(block.device)
            yield columns
            done += size

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a file, beside its place and renamed.

        Raises:
            OSError: If it cannot be written.
        """
        artefacts.write(path, artefacts.GENERATOR, self.record, self._network.state_dict())

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str = "auto") -> Generator:
        """Read what `save` wrote; nothing is unpickled.

        Args:
            path: Of the file.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

        Raises:
            InputError: If there is no such device or file, or it was cut short, or is of another kind or version.
        """
        record, tensors = artefacts.read(path, artefacts.GENERATOR)
        # Before a network is made, which a record of nonsense could let take all memory.
        found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if found != _shapes(record):
            msg = f"{path}: the weights do not fit the record (shapes {found}); the file is damaged"
            raise InputError(msg)
        network = network_of(record)
        network.load_state_dict(tensors)
        return cls(record, network.to(as_device(device)))

    def _given(self, conditions: object, n: int) -> dict[str, Any]:
        """Return the columns of the conditions, shape (n,)."""
        if not self.conditions:
            if conditions is not None:
                msg = "conditions were given, but the generator was trained without any; leave them out"
                raise InputError(msg)
            return {}
        if conditions is None:
            msg = (
                f"the generator was trained given {list(self.conditions)}; give them: conditions= a table of {n:,} "
                "rows, or one number for each"
            )
            raise InputError(msg)
        if isinstance(conditions, Mapping):
            # A number becomes a view that repeats it: no memory, however many events.
            conditions = {
                name: np.broadcast_to(values, n) if np.ndim(values) == 0 else values
                for name, values in conditions.items()
            }
        table = as_sample(conditions, "conditions")
        if table.weight is not None:
            msg = "conditions: the rows are weighted, and generated events are not; give their columns alone"
            raise InputError(msg)
        if len(table) != n:
            msg = f"conditions: {len(table):,} rows for n={n:,} events; expected a row for each"
            raise InputError(msg)
        return {name: _condition(table, name) for name in self.conditions}

    def _stream(self, n: int, seed: int, given: dict[str, Any], chunk: int) -> Iterator[Sample]:
        origin = {"source": "gan.Generator", "n_train": self.n_train, "seed": seed, **artefacts.versions()}
        names = self.columns
        held: list[Tensor] = []
        ready, done = 0, 0
        for block in self._blocks(n, seed, given):
            held.append(block)
            ready += block.shape[1]
            while ready >= chunk or (ready and done + ready == n):
                whole = torch.cat(held, dim=1) if len(held) > 1 else held[0]
                size = min(chunk, ready)
                # Off the device chunk by chunk: the memory of large arrays is slow to come by.
                columns = dict(zip(names, whole[:, :size].cpu().numpy(), strict=True))
                columns |= {name: np.array(values[done : done + size]) for name, values in given.items()}
                yield Sample(columns, provenance=origin)
                held, ready, done = [whole[:, size:]] if ready > size else [], ready - size, done + size

    def _blocks(self, n: int, seed: int, given: dict[str, Any]) -> Iterator[Tensor]:
        """Yield the generated columns as tensors of shape (columns, events) on the device."""
        config = self.record.config
        sampler = Sampler(self._network, config.latent, seed, exact=config.precision == "float32")
        for events in blocks(sampler, n, self._scaled(given)):
            yield from_network(self.record.columns, events)

    def _scaled(self, given: dict[str, Any]) -> Callable[[int, int], Tensor]:
        device = self._network.weights[0].device

        def conditions(start: int, stop: int) -> Tensor:
            if not given:
                return torch.empty((stop - start, 0), device=device)
            rows = Sample({name: values[start:stop] for name, values in given.items()})
            return torch.from_numpy(to_network(self.record.conditions, rows, "conditions")).float().to(device)

        return conditions


def _condition(table: Sample, name: str) -> Any:  # noqa: ANN401 - an array
    """Return a condition of each event; one number that is repeated stays a view."""
    column = table.columns.get(name)
    if isinstance(column, np.ndarray) and column.strides == (0,):
        return np.broadcast_to(finite(table.first(1), name, "conditions"), len(table))
    return finite(table, name, "conditions")


def network_of(record: TrainingRecord) -> Perceptron:
    """Return a network of the shape that a record states, its weights yet to be loaded."""
    return Perceptron(record.config.members, _sizes(record), torch.Generator().manual_seed(0))


def _sizes(record: TrainingRecord) -> tuple[int, ...]:
    config = record.config
    return (config.latent + len(record.conditions), *[config.width] * config.depth, len(record.columns))


def _shapes(record: TrainingRecord) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor that a record's file must have."""
    if record.config.depth > _DEEPEST:
        return {}
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (n_in, n_out) in enumerate(pairwise(_sizes(record))):
        shapes[f"weights.{number}"] = record.config.members, n_in, n_out
        shapes[f"biases.{number}"] = record.config.members, 1, n_out
    return shapes

"""A trained generator: its events, and its file.

Event number i of a seed is a function of the seed and of i alone, whatever the chunks. It is computed in a block with
fixed limits, because matrix products of other shapes are rounded differently. Events come in groups with one of each
member, in turns that the number of the group chooses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import artefacts
from pytest_ganvalid.gan.artefacts import TrainingRecord
from pytest_ganvalid.gan.devices import as_device, matrix_products
from pytest_ganvalid.gan.model import MemberByMember, Perceptron, generator_sizes
from pytest_ganvalid.gan.numbers import choices, key, latents
from pytest_ganvalid.gan.preprocess import FromNetwork, Scale, finite, from_scales, inputs
from pytest_ganvalid.gan.quantiles import Quantiles
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.device import DevicePart
from pytest_ganvalid.samples.sources import Source

Tensor = Any
FloatArray = NDArray[np.float64]
CHUNK = 262_144
_CALIBRATION, _MIN_CALIBRATION, _MAX_CALIBRATION = 64, 2**14, 2**20  # events: per training event, and in all
_CALIBRATION_SEEDS = 2**64  # which seeds of samples do not reach
BLOCKS = {"cpu": 16_384, "cuda": 262_144}
"""Events in a block, rounded up to as many of each member: enough for the work to outlast its launches."""


class Generator:
    """Generates events like those it was trained on.

    Event number i of a seed is always the same: a longer sample begins with a shorter one, whatever the chunks, and a
    GPU gives the events of a CPU to the rounding of float32 matrix products.

    Attributes:
        record: Settings, tables of columns, number and fingerprint of the training events, and versions of the code.
    """

    def __init__(self, record: TrainingRecord, network: Perceptron) -> None:
        """Take over a trained network, on the device that is to generate; see `train` and `load`."""
        self.record = record
        self._network = network.eval().requires_grad_(False)  # noqa: FBT003
        tables = [column for column in record.columns if isinstance(column, Quantiles)]
        scales = [column for column in record.columns if isinstance(column, Scale)]
        # A file has either, by its version.
        self._from_network = (
            partial(from_scales, scales) if scales else FromNetwork(tables, self._network.weights[0].device)
        )

    def calibrated(self) -> Generator:
        """Return a generator each of whose columns has the distribution of its table.

        The network's scores are compared with those of the tables, over many generated events; the dependence between
        columns stays the network's. A generator with conditions stays as it is: the distribution of its columns over
        all conditions does not determine that under any one of them.
        """
        if self.conditions:
            return self
        n = min(max(_CALIBRATION * self.n_train, _MIN_CALIBRATION), _MAX_CALIBRATION)
        outputs = [block for block, _ in self._outputs(_CALIBRATION_SEEDS + self.record.seed, [], n)]
        scores = torch.cat(outputs, dim=1).T.double().cpu().numpy()
        columns, start = [], 0
        for column in self.record.columns:
            part = scores[:, start : start + column.inputs]
            columns.append(column.calibrated(part) if isinstance(column, Quantiles) else column)
            start += column.inputs
        return Generator(replace(self.record, columns=tuple(columns)), self._network)

    @property
    def n_train(self) -> int:
        """Number of training events, which its events can be worth unless shown otherwise."""
        return self.record.n_train

    @property
    def fingerprint(self) -> Fingerprint:
        """Fingerprint of the training events; give it to `pytest_ganvalid.validate` as ``training``."""
        if self.record.fingerprint is None:
            msg = (
                "the fingerprint that was stored with this generator is of an older version, and cannot be compared; "
                "make it anew of the training events: gv.fingerprint(events)"
            )
            raise InputError(msg)
        return self.record.fingerprint

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are generated."""
        return tuple(scale.name for scale in self.record.columns)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the columns that must be given."""
        return tuple(scale.name for scale in self.record.conditions)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a file, beside its place and renamed.

        Raises:
            OSError: If the file cannot be written.
        """
        artefacts.write(path, artefacts.GENERATOR, self.record, self._network.state_dict())

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str = "auto") -> Generator:
        """Read what `save` wrote; nothing is unpickled.

        Args:
            path: The file.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

        Raises:
            InputError: If there is no such device or file, or it was cut short, or is of another kind or version.
        """
        record, tensors = artefacts.read(path, artefacts.GENERATOR)
        # Checked before a network is made: that of a damaged record could take all memory.
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if len(shapes) != 2 * (record.config.depth + 1) or shapes != _shapes(record):
            msg = f"{path}: the weights do not fit the record (shapes {shapes}); the file is damaged"
            raise InputError(msg)
        if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            msg = f"{path}: some weights are NaN or infinite; the file is damaged, or its training came to nothing"
            raise InputError(msg)
        network = network_of(record)
        network.load_state_dict(tensors)
        return cls(record, network.to(as_device(device)))

    def sample(self, n: int, *, seed: int, conditions: object = None, chunk: int = CHUNK) -> Sample:
        """Generate ``n`` unweighted events.

        Args:
            n: Number of events, at least 1.
            seed: Non-negative integer; samples of different seeds are independent given the generator.
            conditions: For a conditional generator: a table of ``n`` rows with its `conditions`, or one number for
                each of them, as in ``{"energy": 50.0}``.
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
        n, chunk = check_integer("n", n), check_integer("chunk", chunk)
        seed = check_integer("seed", seed, minimum=0)
        return self._chunks(n, seed, self._condition_values(conditions, n), chunk)

    def source(self, n: int, *, seed: int, conditions: object = None) -> Source:
        """Let `pytest_ganvalid.validate` generate: on a GPU, histograms are filled there, and no event leaves it.

        Args:
            n: As for `sample`.
            seed: As for `sample`; the events are the same.
            conditions: As for `sample`.

        Returns:
            A source of generated events for ``validate`` and ``check``.

        Raises:
            InputError: As `sample` does.
        """
        n, seed = check_integer("n", n), check_integer("seed", seed, minimum=0)
        part = DevicePart(partial(self._tensors, seed, self._condition_values(conditions, n)), n)
        return Source((*self.columns, *self.conditions), [part], provenance=self._provenance(seed))

    def _condition_values(self, conditions: object, n: int) -> list[FloatArray]:
        """Return the conditions of each event, an array of shape (n,) for each."""
        if not self.conditions:
            if conditions is not None:
                msg = "conditions were given, but the generator was trained without any; leave them out"
                raise InputError(msg)
            return []
        if conditions is None:
            msg = (
                f"the generator was trained given {list(self.conditions)}; give them: conditions= a table of {n:,} "
                "rows, or one number for each"
            )
            raise InputError(msg)
        if isinstance(conditions, Mapping) and not isinstance(conditions, Sample):
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
        return [_condition(table, name) for name in self.conditions]

    def _provenance(self, seed: int) -> dict[str, Any]:
        return {"source": "gan.Generator", "n_train": self.n_train, "seed": seed, **artefacts.versions()}

    def _chunks(self, n: int, seed: int, condition_values: list[FloatArray], chunk: int) -> Iterator[Sample]:
        names, provenance = (*self.columns, *self.conditions), self._provenance(seed)
        pending: list[Tensor] = []
        ready, remaining = 0, n
        for block in self._blocks(seed, condition_values, n):
            pending.append(block)
            ready += block.shape[1]
            while remaining and ready >= min(chunk, remaining):
                rows = torch.cat(pending, dim=1) if len(pending) > 1 else pending[0]
                # Off the device chunk by chunk: the memory of large arrays is slow to come by.
                columns = dict(zip(names, rows[:, :chunk].cpu().numpy(), strict=True))
                yield Sample(columns, provenance=provenance)
                pending = [rows[:, chunk:]]
                ready, remaining = pending[0].shape[1], max(0, remaining - chunk)

    def _tensors(self, seed: int, condition_values: list[FloatArray], n: int) -> Iterator[dict[str, Tensor]]:
        """Yield the first ``n`` events by name, on the device."""
        for block in self._blocks(seed, condition_values, n):
            yield dict(zip((*self.columns, *self.conditions), block, strict=True))

    def _blocks(self, seed: int, condition_values: list[FloatArray], n: int) -> Iterator[Tensor]:
        """Yield the first ``n`` events on the device: columns and conditions, float64, shape (columns, events)."""
        for outputs, conditions in self._outputs(seed, condition_values, n):
            columns = self._from_network(outputs)
            if condition_values:
                columns = torch.cat([columns, torch.from_numpy(conditions).to(columns.device)])
            yield columns

    def _outputs(self, seed: int, condition_values: list[FloatArray], n: int) -> Iterator[tuple[Tensor, FloatArray]]:
        """Yield the outputs of the network, shape (inputs, events), and the conditions, shape (conditions, events)."""
        record, network = self.record, self._network
        device, n_members = network.weights[0].device, record.config.members
        latent_key, turn_key = key(seed, 0), key(seed, 1)
        n_groups = -(-BLOCKS[device.type] // n_members)
        size = n_groups * n_members
        groups, members = (torch.arange(number, device=device) for number in (n_groups, n_members))
        places = (members[:, None] - members).remainder(n_members)  # of each member in a group, by its turn
        scaled = torch.zeros((size, inputs(record.conditions)), device=device)
        output = MemberByMember(network) if device.type == "cpu" else network.by_output
        for start in range(0, n, size):
            stop = min(start + size, n)
            conditions = np.reshape([values[start:stop] for values in condition_values], (-1, stop - start))
            # All groups of the block, even for fewer events: member by member, the rows of its events in it.
            rows = groups[None]
            if n_members > 1:
                turns = choices(turn_key, start // n_members + groups, n_members)
                rows = groups * n_members + places.index_select(1, turns)
            network_inputs = latents(latent_key, start + rows, record.config.latent)
            if condition_values:
                scales = zip(record.conditions, conditions, strict=True)
                encoded = np.concatenate([scale.to_network(values) for scale, values in scales], axis=1)
                scaled[: stop - start] = torch.from_numpy(encoded)
                network_inputs = torch.cat([network_inputs, scaled[rows]], dim=-1)
            with matrix_products(device, "float32"):
                outputs = output(network_inputs)
            if n_members > 1:
                outputs = torch.empty_like(outputs).index_copy_(1, rows.flatten(), outputs)
            yield outputs[:, : stop - start], conditions


def _condition(table: Sample, name: str) -> FloatArray:
    """Return a condition of each event; one number that is repeated stays a view."""
    column = table.columns.get(name)
    if isinstance(column, np.ndarray) and column.strides == (0,):
        return np.broadcast_to(finite(table.first(1), name, "conditions"), len(table))
    return finite(table, name, "conditions")


def network_of(record: TrainingRecord) -> Perceptron:
    """Return a network of the shape that a record states, its weights yet to be loaded."""
    sizes = generator_sizes(record.config, inputs(record.columns), inputs(record.conditions))
    return Perceptron(record.config.members, sizes, torch.Generator())


def _shapes(record: TrainingRecord) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor that a record's file must have."""
    members, shapes = record.config.members, dict[str, tuple[int, ...]]()
    sizes = generator_sizes(record.config, inputs(record.columns), inputs(record.conditions))
    for number, (n_in, n_out) in enumerate(pairwise(sizes)):
        shapes |= {f"weights.{number}": (members, n_in, n_out), f"biases.{number}": (members, 1, n_out)}
    return shapes

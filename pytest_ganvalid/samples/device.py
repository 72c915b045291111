"""Torch tensors on a GPU, or made there by a generator, as sources: what can be done there is done there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.features import feature_names
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.sources import Source
from pytest_ganvalid.samples.tables import as_array

Tensor = Any
Tensors = dict[str, Tensor]
_CHUNK = 1 << 22  # events at a time; a GPU is idle half of the time with fewer


@dataclass(frozen=True, slots=True)
class DevicePart:
    """Source as tensors of shape (events,) on one device.

    Attributes:
        make: Yields the first so many of them, name -> tensor.
        rows: How many.
    """

    make: Callable[[int], Iterator[Tensors]]
    rows: int

    def tensors(self, columns: Sequence[str]) -> Iterator[Tensors]:
        """Yield chunks of some columns, on the device."""
        for rows in self.make(self.rows):
            yield {name: rows[name] for name in columns}

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield events as arrays; see `sources.Part`."""
        for rows in self.tensors(columns):
            size = len(next(iter(rows.values())))
            for start in range(0, size, chunk):
                yield {name: as_array(v[start : start + chunk], f"column {name!r}") for name, v in rows.items()}

    def head(self, rows: int) -> DevicePart:
        """Return the part of its first events."""
        return DevicePart(self.make, min(rows, self.rows))

    def place(self, first: int, last: int) -> str:
        """Say where events of it are."""
        return f"events {first:,} to {last:,}"


def on_gpu(events: object) -> bool:
    """Tell whether something is a mapping of tensors on a GPU."""
    return (
        isinstance(events, Mapping)
        and bool(events)
        and all(getattr(getattr(values, "device", None), "type", "") == "cuda" for values in events.values())
        and all(hasattr(values, "detach") for values in events.values())
    )


def device_source(events: Mapping[str, Tensor]) -> Source:
    """Take tensors for a source.

    Args:
        events: Name -> tensor of shape (events,) or (events, features), all on one device.

    Raises:
        InputError: If shapes or devices differ, or there are no events.
    """
    events = {
        column: values[:, i] if values.ndim == 2 else values  # noqa: PLR2004
        for name, values in events.items()
        for i, column in enumerate(feature_names(name, tuple(values.shape)) if values.ndim == 2 else (name,))  # noqa: PLR2004
    }
    shapes = {name: tuple(values.shape) for name, values in events.items()}
    devices = {str(values.device) for values in events.values()}
    if len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 1 or len(devices) > 1:
        msg = f"columns must be tensors of shape (events,) on one device; got {shapes} on {sorted(devices)}"
        raise InputError(msg)
    (rows,) = next(iter(shapes.values()))
    if not rows:
        msg = "the sample has no events"
        raise InputError(msg)
    tensors = {name: values.detach() for name, values in events.items()}

    def make(first: int) -> Iterator[Tensors]:
        for start in range(0, first, _CHUNK):
            yield {name: values[start : min(start + _CHUNK, first)] for name, values in tensors.items()}

    return Source(tuple(events), [DevicePart(make, rows)], provenance={"source": f"tensors on {devices.pop()}"})

"""From whatever a user hands over to a source of events."""

from __future__ import annotations

from dataclasses import replace

from pytest_ganvalid.errors import InputTypeError, placed
from pytest_ganvalid.samples.device import device_source, on_gpu
from pytest_ganvalid.samples.lazy import is_lazy, lazy_source
from pytest_ganvalid.samples.pieces import names_files
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import Source, file_source, memory_source
from pytest_ganvalid.samples.tables import as_sample, units_of


def open_source(events: object, side: str, weight: object = None) -> Source:
    """Open events of any kind.

    Args:
        events: File names, a Dask collection, tensors on a GPU, a source, or a table (see `samples.tables.as_sample`).
        side: What they are, for error messages.
        weight: An array of weights of shape (events,), of a table only; ``None`` if there is none.

    Raises:
        InputError: If the events cannot be read, or there are none.
        InputTypeError: If the events are of another kind, or not in memory and weights are given.
    """
    with placed(side):
        source = _streamed(events)
        if source is None:
            return replace(memory_source(as_sample(events, side, weight)), units=units_of(events))
        if weight is not None:
            msg = (
                f"weight is a {type(weight).__name__}; of events that are not in memory it must be the name of a column"
            )
            raise InputTypeError(msg)
        return source


def _streamed(events: object) -> Source | None:
    """Open events that are read part by part; ``None`` if they are in memory."""
    if isinstance(events, Source):
        return events
    if isinstance(events, Sample):  # with weights, which its columns alone would leave out
        return None
    if is_lazy(events):
        return lazy_source(events)
    if names_files(events):
        return file_source(events)
    return device_source(events) if on_gpu(events) else None  # type: ignore[arg-type]

"""From whatever a user hands over to a source of events."""

from __future__ import annotations

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.device import device_source, on_gpu
from pytest_ganvalid.samples.lazy import is_lazy, lazy_source
from pytest_ganvalid.samples.pieces import names_files
from pytest_ganvalid.samples.sources import Events, file_source, memory_source
from pytest_ganvalid.samples.tables import as_sample


def is_streamed(events: object) -> bool:
    """Tell whether events are read part by part."""
    return isinstance(events, Events) or names_files(events) or is_lazy(events) or on_gpu(events)


def source_of(events: object, side: str, weight: object = None) -> Events:
    """Open events of any kind.

    Args:
        events: File names, a Dask collection, tensors on a GPU, a source, or a table (see `samples.tables.as_sample`).
        side: ``"generated"`` or ``"reference"``, for error messages.
        weight: A column name, an array or ``None``, of a table.

    Raises:
        InputError: If they cannot be read, or there are none.
        InputTypeError: If they are of another kind.
    """
    try:
        if isinstance(events, Events):
            return events
        if is_lazy(events):
            return lazy_source(events)
        if names_files(events):
            return file_source(events)
        if on_gpu(events):
            return device_source(events)  # type: ignore[arg-type]
    except (InputError, InputTypeError) as error:
        msg = f"{side}: {error}"
        raise type(error)(msg) from None
    return memory_source(as_sample(events, side, weight))

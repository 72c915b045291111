"""Dask collections as sources: dataframes, and mappings of names to arrays; each partition is a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_ganvalid._arguments import unnamed
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.sources import MemoryPart, Source
from pytest_ganvalid.samples.tables import as_array, as_sample


@dataclass(frozen=True, slots=True)
class LazyPart:
    """A partition, which only workers of Dask ever hold.

    Attributes:
        delayed: Computes it.
        rows: Unknown.
    """

    delayed: Any
    rows: None = None

    def head(self, rows: int) -> LazyPart:
        """Return the part of its first rows."""
        from dask.delayed import delayed

        return LazyPart(delayed(_first, pure=False)(self.delayed, rows))


def _first(table: Any, rows: int) -> Any:  # noqa: ANN401 - a dataframe or a dict of arrays
    return {name: as_array(table[name], f"column {name!r}")[:rows] for name in table}


def materialised(table: Any, number: int) -> MemoryPart | None:  # noqa: ANN401 - a dataframe or a dict of arrays
    """Make a part of a partition that has been computed; ``None`` if it is empty.

    Raises:
        InputError: If its columns are not of one length, or cannot be read.
    """
    names = list(table)
    if not names or not len(table[names[0]]):
        return None
    sample = as_sample(table, f"partition {number}")
    return MemoryPart(dict(sample.columns), prefix=f"partition {number}: ")


def is_lazy(events: object) -> bool:
    """Tell whether something is a Dask collection that holds columns."""
    if isinstance(events, Mapping):
        return bool(events) and any(_is_collection(values) for values in events.values())
    return _is_collection(events)


def _is_collection(value: object) -> bool:
    kind = type(value)  # a delayed value itself says that it has whatever it is asked for
    return hasattr(kind, "__dask_graph__") and hasattr(kind, "to_delayed")


def lazy_source(events: Any) -> Source:  # noqa: ANN401
    """Take a Dask collection for a source; nothing is computed.

    Args:
        events: A dataframe, or a mapping of name -> one-dimensional array.

    Raises:
        InputTypeError: If the collection has no names for its columns.
        InputError: If arrays differ in shape.
    """
    if isinstance(events, Mapping):
        return _of_arrays(events)
    if not hasattr(events, "columns"):
        msg = f"a Dask array without a name; {unnamed(events)}"
        raise InputTypeError(msg)
    names = [str(name) for name in events.columns]
    if "" in names:
        msg = "a column has no name; give it one"
        raise InputError(msg)
    return _of_frame(events, names)


def _of_frame(events: Any, columns: Sequence[str]) -> Source:  # noqa: ANN401
    parts = [LazyPart(partition) for partition in events[list(columns)].to_delayed()]
    return Source(
        tuple(columns),
        parts,
        seekable=False,
        lazy=True,
        provenance=_origin(parts),
        narrowed=partial(_of_frame, events),
    )


def _of_arrays(events: Mapping[str, Any]) -> Source:
    from dask.delayed import delayed

    plain = sorted(name for name, values in events.items() if not _is_collection(values))
    shapes = {name: values.shape for name, values in events.items() if name not in plain}
    if plain or any(len(shape) != 1 for shape in shapes.values()):
        msg = (
            f"columns must all be one-dimensional Dask arrays; got shapes {shapes}, and no Dask arrays in {plain}: of "
            "shape (events, features), give each feature as a column, {'p.0': p[:, 0], ...}"
        )
        raise InputError(msg)
    first = next(iter(events.values()))
    blocks = []
    for name, values in events.items():
        if values.numblocks != first.numblocks or repr(values.chunks) != repr(first.chunks):
            msg = f"columns must be chunked alike; {name!r} has chunks {values.chunks} where another has {first.chunks}"
            raise InputError(msg)
        blocks.append(values.to_delayed().ravel())
    parts = [LazyPart(delayed(dict)(list(zip(events, row, strict=True)))) for row in zip(*blocks, strict=True)]
    return Source(
        tuple(events),
        parts,
        seekable=False,
        lazy=True,
        provenance=_origin(parts),
        narrowed=lambda columns: _of_arrays({name: events[name] for name in columns}),
    )


def _origin(parts: list[LazyPart]) -> dict[str, str]:
    return {"source": f"a Dask collection of {len(parts):,} partitions"}

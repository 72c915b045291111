"""Events of a generator of any kind as a source: made a chunk at a time, and never held."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import Source
from pytest_ganvalid.samples.tables import as_array, as_sample

CHUNK = 1 << 16
"""Events that a function is asked for at a time."""
_HALF = ("torch.bfloat16", "torch.float16", "float16", "bfloat16")
_TWO = 2  # axes
_SUBJECT = "the stream"
_ACCEPTED = (
    "a function f(n, seed) that returns n events, an iterable of chunks, or torch's TensorDataset or DataLoader; a "
    "chunk is a table, or an array or tensor of shape (events, columns)"
)


def stream(
    function: object, n: int | None = None, seed: int | None = None, columns: Sequence[str] | None = None
) -> Source:
    """Let a generator of your own make events while they are checked, a chunk at a time.

    Args:
        function: A function ``f(n, seed)`` that returns n events: a table, or an array or tensor of shape
            (n, columns). It is asked for 65,536 events at a time; chunk i gets a seed that is derived from
            ``(seed, i)``, so that the events are a function of ``seed`` alone, and ``f`` must not keep any
            state. Or an iterable of
            chunks, a ``TensorDataset`` or a ``DataLoader``.
        n: Number of events; of an iterable ``None`` for all that it has.
        seed: An integer of at least 0; of an iterable ``None``.
        columns: Names of the columns of arrays and tensors; ``None`` for ``"0"``, ``"1"``, ...

    Returns:
        What `validate`, `fill` and the fixture take for events. They are made anew in each pass over them, by one
        thread, and no more than a chunk of them is held.

    Raises:
        InputError: If n or seed is out of range or missing, or the first chunk has no events or other columns.
        InputTypeError: If ``function`` is none of these, or a chunk is no table.
    """
    size = None if n is None else check_integer("n", n)
    if columns is not None and (isinstance(columns, str) or not all(isinstance(name, str) for name in columns)):
        msg = f"columns={columns!r}; expected a list of names, one for each column"
        raise InputTypeError(msg)
    names = None if columns is None else tuple(columns)
    tensors = getattr(function, "tensors", None)
    producer: _Producer
    if isinstance(tensors, tuple):
        producer = _Iterable(_Tensors(tensors))
    elif callable(function) and not hasattr(function, "__iter__"):
        if size is None or seed is None:
            msg = "a function needs to be told how many events, and by which seed: gv.stream(f, n, seed)"
            raise InputError(msg)
        producer = _Function(function, size, check_integer("seed", seed, minimum=0))
    elif isinstance(function, Iterable) and not isinstance(function, str | bytes | np.ndarray):
        producer = _Iterator(iter(function)) if isinstance(function, Iterator) else _Iterable(function)
    else:
        msg = f"a {type(function).__name__} is no stream of events; expected {_ACCEPTED}"
        raise InputTypeError(msg)
    part = StreamPart(producer, names, size)
    first = part.first()
    dtypes = {str(getattr(values, "dtype", "")).removeprefix("torch.") for values in _arrays(first)}
    half = sorted(dtypes.intersection(kind.removeprefix("torch.") for kind in _HALF))
    content = "events" if size is None else f"{size:,} events"
    origin = {"source": f"a stream of {content}"} | ({} if seed is None else {"seed": seed})
    table = part.table(first, 0)
    return Source(
        tuple(table),
        [part],
        seekable=size is not None,
        provenance=origin | ({"half_precision": ", ".join(half)} if half else {}),
    )


class _Producer:
    """A producer of chunks of any kind."""

    def begin(self) -> Iterator[Any]:
        """Begin a pass over all chunks."""
        raise NotImplementedError

    def peek(self, rows: int) -> Iterator[Any]:  # noqa: ARG002 - a pass can begin as often as is needed
        """Return the first chunks, at least so many rows, as far as there are any, without beginning a pass."""
        return self.begin()


@dataclass(frozen=True, slots=True)
class _Function(_Producer):
    """A function f(n, seed)."""

    function: Callable[[int, int], Any]
    n: int
    seed: int

    def begin(self) -> Iterator[Any]:
        """Call it for each chunk, the last of which may be smaller.

        Raises:
            InputError: If the function returns another number of events.
        """
        for number, start in enumerate(range(0, self.n, CHUNK)):
            state = np.random.SeedSequence([self.seed, number]).generate_state(1, np.uint64)
            size = min(CHUNK, self.n - start)
            events = self.function(size, int(state[0] >> np.uint64(1)))
            if (count := _length(events)) != size:
                msg = f"{_SUBJECT}: the function returned {count} events where {size} were asked for"
                raise InputError(msg)
            yield events
            del events


@dataclass(frozen=True, slots=True)
class _Iterable(_Producer):
    """An iterable that begins anew whenever it is iterated over."""

    iterable: Iterable[Any]

    def begin(self) -> Iterator[Any]:
        """Iterate over it."""
        return iter(self.iterable)


class _Iterator(_Producer):
    """An iterator: it allows one pass, for which the chunks of a preview are kept."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator
        self._buffer: list[Any] = []
        self._begun = False

    def begin(self) -> Iterator[Any]:
        """Iterate over it.

        Raises:
            InputError: If a pass was begun before.
        """
        self._check()
        self._begun = True
        while self._buffer:
            yield self._buffer.pop(0)
        yield from self._iterator

    def peek(self, rows: int) -> Iterator[Any]:
        """Look at the first chunks, and keep them."""
        self._check()
        while sum(map(_length, self._buffer)) < rows and (chunk := next(self._iterator, None)) is not None:
            self._buffer.append(chunk)
        return iter(list(self._buffer))

    def _check(self) -> None:
        if self._begun:
            msg = (
                f"{_SUBJECT}: an iterator can be read once, and its events are needed again (a reference is "
                "read to choose bins and to be filled); give a function: gv.stream(f, n, seed), where f(n, seed) "
                "returns n events"
            )
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class _Tensors:
    """Tensors of equal length, such as those of a ``TensorDataset``."""

    tensors: tuple[Any, ...]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self.tensors[0]), CHUNK):
            yield tuple(tensor[start : start + CHUNK] for tensor in self.tensors)


@dataclass(frozen=True, slots=True)
class StreamPart:
    """The events of a stream, or its first so many.

    Attributes:
        producer: The producer of its chunks.
        names: Names of the columns of arrays.
        rows: How many events; ``None`` for all there are.
        complete: Whether the part is all of the stream, and not its head.
    """

    producer: _Producer
    names: tuple[str, ...] | None
    rows: int | None
    complete: bool = True

    def first(self) -> Any:  # noqa: ANN401 - a chunk of any kind
        """Return the first chunk.

        Raises:
            InputError: If the stream has no events.
        """
        first = next(self.producer.peek(1), None)
        if first is None:
            msg = f"{_SUBJECT} has no events"
            raise InputError(msg)
        return first

    def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Columns]:
        """Yield events; see `sources.Part`.

        Raises:
            InputError: If the stream has fewer events than promised, or a chunk lacks a column.
        """
        remaining = self.rows
        raw_chunks = self.producer.begin() if self.complete else self.producer.peek(remaining or 0)
        for number in itertools.count():
            raw = next(raw_chunks, None)
            if raw is None or remaining == 0:
                break
            table = self.table(raw, number)
            del raw
            missing = [name for name in columns if name not in table]
            if missing:
                msg = f"{_SUBJECT}: chunk {number} has no column {missing[0]!r}; the first has it"
                raise InputError(msg)
            size = len(table[columns[0]]) if remaining is None else min(remaining, len(table[columns[0]]))
            for start in range(0, size, chunk):
                yield {name: table[name][start : min(start + chunk, size)] for name in columns}
            remaining = None if remaining is None else remaining - size
            del table
            if remaining == 0:
                break
        if remaining and self.complete:
            msg = f"{_SUBJECT} ended {remaining:,} events before the {self.rows:,} that it was said to have"
            raise InputError(msg)

    def table(self, raw: Any, number: int) -> Columns:  # noqa: ANN401
        """Return the columns of a chunk.

        Raises:
            InputError: If the columns do not match the names, or the chunk has weights.
            InputTypeError: If the chunk is no table.
        """
        subject = f"{_SUBJECT}: chunk {number}"
        if isinstance(raw, Sample) and raw.weight is not None:
            msg = f"{subject} is a Sample with weights; give them as a column, and name it by weight="
            raise InputError(msg)
        if not _is_array(raw) and not isinstance(raw, tuple | list):
            return dict(as_sample(raw, subject).columns)
        parts = [as_array(part, subject) for part in _arrays(raw)]
        if any(part.ndim > _TWO or not part.ndim for part in parts) or len({len(part) for part in parts}) > 1:
            msg = f"{subject} has arrays of shapes {[part.shape for part in parts]}; expected (events, columns)"
            raise InputError(msg)
        features = [column for part in parts for column in (part.T if part.ndim == _TWO else [part])]
        names = self.names or tuple(map(str, range(len(features))))
        if len(names) != len(features) or len(set(names)) < len(names):
            msg = (
                f"{subject} has {len(features)} columns, and columns={list(names)}; expected a name of its own for each"
            )
            raise InputError(msg)
        return dict(as_sample(dict(zip(names, features, strict=True)), subject).columns)

    def head(self, rows: int) -> StreamPart:
        """Return the part of its first events."""
        rows = rows if self.rows is None else min(rows, self.rows)
        return StreamPart(self.producer, self.names, rows, rows == self.rows and self.complete)

    def place(self, first: int, last: int) -> str:
        """Say where events of it are."""
        return f"events {first:,} to {last:,} of {_SUBJECT}"


def _is_array(raw: object) -> bool:
    """Tell an array or a tensor without names for its columns."""
    plain = isinstance(raw, np.ndarray) and raw.dtype.names is None
    return plain or (hasattr(raw, "detach") and hasattr(raw, "shape"))


def _arrays(raw: Any) -> list[Any]:  # noqa: ANN401
    """Return the arrays that a chunk is made of."""
    if isinstance(raw, tuple | list):
        return list(raw)
    if _is_array(raw):
        return [raw]
    try:
        return [raw[name] for name in raw]
    except Exception:  # noqa: BLE001 - what is no table is refused where it is read as one
        return []


def _length(raw: Any) -> int:  # noqa: ANN401
    """Return the number of events of a chunk."""
    arrays = _arrays(raw) if isinstance(raw, tuple | list | dict | Sample) else [raw]
    first = arrays[0] if arrays else ()
    return int(first.shape[0]) if hasattr(first, "shape") and not isinstance(first, Entries) else len(first)

"""Which columns an observable reads: all that need to be read from a file."""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from typing import Any

from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.requested import AnyObservable, Scoring
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.columns import inner_columns


class _RecordingColumns(dict[str, Any]):
    """Columns that record which of them are read."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.accessed: set[str] = set()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        self.accessed.add(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        for name in super().__iter__():
            self.accessed.add(name)
            yield name

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return a column, if there is one."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be this very function

    def keys(self) -> Any:  # noqa: ANN401
        """Return the names, after which any column may be read."""
        self.accessed.update(super().keys())
        return super().keys()

    def items(self) -> Any:  # noqa: ANN401
        """Return names and columns, likewise."""
        self.accessed.update(super().keys())
        return super().items()

    def values(self) -> Any:  # noqa: ANN401
        """Return the columns; taking more than the first, which gives the number of events, reads them all."""
        return _RecordingValues(self)

    def copy(self) -> dict[str, Any]:
        """Return names and columns."""
        return dict(self.items())

    def __or__(self, other: Any) -> Any:  # noqa: ANN401
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:  # noqa: ANN401
        return other | self.copy()


class _RecordingValues(ValuesView[Any]):
    """The columns, recorded as read once the second one is asked for."""

    def __iter__(self) -> Iterator[Any]:
        recorded: Any = self._mapping  # type: ignore[attr-defined]
        for index, value in enumerate(dict.values(recorded)):
            yield value
            if not index:
                recorded.keys()


def needed_columns(observable: AnyObservable, generated: Sample, reference: Sample) -> frozenset[str]:
    """Return the names of the columns that an observable reads.

    A function is called with a few events, to see which columns it reads; it must read the same ones whatever the
    events are. An estimator may do anything with them: it gets all numbers.

    Args:
        observable: An observable of any kind.
        generated: A few generated events, with all columns.
        reference: Likewise, reference events.
    """
    if isinstance(observable, Observable):
        functions = [observable.function, observable.where]
        names = {inner for name in observable.columns for inner in inner_columns(name, generated.columns)}
    elif isinstance(observable, Scoring):
        return frozenset(observable.names(generated, reference))
    else:
        functions = [getattr(observable, part, None) for part in ("column", "condition")]
        if not any(functions):
            return frozenset(name for name in reference.columns if name in generated.columns)
        names = set()
    names |= {c for source in functions if isinstance(source, str) for c in inner_columns(source, generated.columns)}
    return frozenset(names.union(*(_accessed_columns(source, generated) for source in functions if callable(source))))


def _accessed_columns(function: Any, sample: Sample) -> set[str]:  # noqa: ANN401
    columns = _RecordingColumns(dict(sample.columns))
    recording = Sample(columns, sample.weight, sample.provenance)
    columns.accessed.clear()  # the checks of a sample read columns, too
    function(recording)
    return columns.accessed

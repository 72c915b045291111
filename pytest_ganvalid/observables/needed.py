"""Which columns an observable reads: all that need to be read from a file."""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from typing import Any

from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.observables.resolve import Scoring, Wanted
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.columns import inner_columns


class _Recorded(dict[str, Any]):
    """Columns that note which of them are looked at."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        self.seen.add(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        for name in super().__iter__():
            self.seen.add(name)
            yield name

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return a column, if there is one."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be this very function

    def keys(self) -> Any:  # noqa: ANN401
        """Return the names: whoever asks for them may read any."""
        self.seen.update(super().keys())
        return super().keys()

    def items(self) -> Any:  # noqa: ANN401
        """Return names and columns, likewise."""
        self.seen.update(super().keys())
        return super().items()

    def values(self) -> Any:  # noqa: ANN401
        """Return the columns; whoever takes more than the first, which says how many events there are, may read any."""
        return _All(self)

    def copy(self) -> dict[str, Any]:
        """Return names and columns."""
        return dict(self.items())

    def __or__(self, other: Any) -> Any:  # noqa: ANN401
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:  # noqa: ANN401
        return other | self.copy()


class _All(ValuesView[Any]):
    """The columns, noted once the second one is looked for."""

    def __iter__(self) -> Iterator[Any]:
        recorded: Any = self._mapping  # type: ignore[attr-defined]
        for place, value in enumerate(dict.values(recorded)):
            yield value
            if not place:
                recorded.keys()


def needed_columns(observable: Wanted, generated: Sample, reference: Sample) -> frozenset[str]:
    """Return the names of the columns that an observable reads.

    A function is called with a few events, to see which columns it looks at; it must look at the same ones whatever the
    events are. An estimator may do anything with them: it gets all numbers.

    Args:
        observable: Any.
        generated: A few generated events, with all columns.
        reference: Likewise, reference events.
    """
    if isinstance(observable, Observable):
        functions = [observable.function, observable.where]
        named = {inner for name in observable.columns for inner in inner_columns(name, generated.columns)}
    elif isinstance(observable, Scoring):
        return frozenset(observable.names(generated, reference))
    else:
        functions = [getattr(observable, part, None) for part in ("column", "condition")]
        if not any(functions):
            return frozenset(name for name in reference.columns if name in generated.columns)
        named = set()
    named |= {c for one in functions if isinstance(one, str) for c in inner_columns(one, generated.columns)}
    return frozenset(named.union(*(_looked_at(one, generated) for one in functions if callable(one))))


def _looked_at(function: Any, sample: Sample) -> set[str]:  # noqa: ANN401
    columns = _Recorded(dict(sample.columns))
    recording = Sample(columns, sample.weight, sample.provenance)
    columns.seen.clear()  # of those that the shapes were checked of
    function(recording)
    return columns.seen

"""Whatever is handed over becomes a source of the same events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.opening import open_source
from pytest_ganvalid.samples.sources import OWN_WEIGHT, Source, file_source, memory_source

X = np.arange(6.0)


def values(source: Source, column: str = "x") -> list[float]:
    """All values of a column."""
    return [float(x) for part in source.parts for rows in part.chunks([column], 4) for x in np.asarray(rows[column])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of events."""
    np.savez(tmp_path / "events.npz", x=X)
    return tmp_path / "events.npz"


def test_every_kind_gives_the_same_events(path: Path) -> None:
    """A table, a sample, a file by name, path, list or pattern, and a source give the same events."""
    kinds: list[Any] = [{"x": X}, Sample({"x": X}), str(path), path, [str(path)], str(path.parent / "*.npz")]
    for events in [*kinds, memory_source(Sample({"x": X})), file_source(path)]:
        source = open_source(events, "generated")
        assert source.names == ("x",)
        assert values(source) == X.tolist()


def test_a_source_is_itself() -> None:
    """A source is taken as it is."""
    source = memory_source(Sample({"x": X}))
    assert open_source(source, "generated") is source


def test_lazy_collections() -> None:
    """A collection of Dask is a source, and read part by part."""
    dask: Any = pytest.importorskip("dask.dataframe")
    pandas: Any = pytest.importorskip("pandas")
    events = dask.from_pandas(pandas.DataFrame({"x": X}), npartitions=2)
    assert open_source(events, "generated").lazy


def test_what_is_in_memory(path: Path) -> None:
    """Of tables all events are at hand; files are read part by part."""
    for events in (path, str(path), [path], (str(path), path.with_name("*.npz"))[:1]):
        assert open_source(events, "generated").columns is None
    for table in ({"x": X}, Sample({"x": X})):
        source = open_source(table, "generated")
        assert source.columns is not None
        assert source.columns["x"] is source.parts[0].columns["x"]


def test_weights_of_tables(path: Path) -> None:
    """An array of weights comes as a column without a name, of a table only."""
    source = open_source({"x": X, "w": X + 1}, "generated", X + 1)
    assert source.names == ("x", "w", OWN_WEIGHT)
    assert values(source, OWN_WEIGHT) == (X + 1).tolist()
    with pytest.raises(InputTypeError, match=r"^generated: weight is a ndarray; .* must be the name of a column"):
        open_source(path, "generated", X)


@pytest.mark.parametrize("side", ["generated", "reference"])
def test_errors_name_the_side(side: str, tmp_path: Path) -> None:
    """Whatever cannot be opened is told with the side that it was handed over for."""
    for events in (tmp_path / "no.npz", "events.txt", {"x": X[:0]}, {}):
        with pytest.raises(InputError, match=f"^{side}: "):
            open_source(events, side)
    for wrong in (5, None, X):
        with pytest.raises(InputTypeError, match=f"^{side}: a .* is not a table of events"):
            open_source(wrong, side)

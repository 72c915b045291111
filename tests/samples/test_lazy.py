"""Dask collections are sources whose partitions nobody has computed yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("dask")

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.lazy import is_lazy, lazy_source, materialised
from pytest_ganvalid.samples.opening import open_source
from pytest_ganvalid.samples.sources import MemoryPart

dask: Any = pytest.importorskip("dask")
da: Any = pytest.importorskip("dask.array")

X = np.arange(10.0)


def _computed(source: Any) -> list[Any]:
    tables = [part.delayed.compute(scheduler="sync") for part in source.parts]
    return [materialised(table, number) for number, table in enumerate(tables)]


def test_arrays() -> None:
    """A mapping of arrays has a part for each block, nothing of which is computed."""
    source = lazy_source({"x": da.from_array(X, chunks=4), "y": da.from_array(-X, chunks=4)})
    assert (source.names, source.lazy, source.seekable) == (("x", "y"), True, False)
    assert [part.rows for part in source.parts] == [None] * 3
    parts = _computed(source)
    assert [part.rows for part in parts] == [4, 4, 2]
    assert [row for part in parts for rows in part.chunks(("y",), 3) for row in rows["y"].tolist()] == (-X).tolist()
    assert source.provenance == {"source": "a Dask collection of 3 partitions"}
    assert parts[1].place(0, 3) == "partition 1: events 0 to 3"


@pytest.mark.parametrize("index", [None, "float", "text", "reversed"])
def test_dataframes(index: str | None) -> None:
    """A dataframe has a part for each partition; the head of one is its first rows, whatever its index."""
    dd: Any = pytest.importorskip("dask.dataframe")
    pd: Any = pytest.importorskip("pandas")
    indices = {None: None, "float": X / 10, "text": list("abcdefghij"), "reversed": np.arange(10)[::-1]}
    frame = pd.DataFrame({"x": X, "n": np.arange(10)}, index=indices[index])
    source = lazy_source(dd.from_pandas(frame, npartitions=3, sort=False))
    assert source.names == ("x", "n")
    assert [row for part in _computed(source) for row in part.columns["x"].tolist()] == X.tolist()
    head = materialised(source.parts[0].head(2).delayed.compute(scheduler="sync"), 0)
    assert head is not None
    assert np.asarray(head.columns["x"]).tolist() == [0, 1]
    whole = materialised(source.parts[0].head(100).delayed.compute(scheduler="sync"), 0)
    assert whole is not None
    assert whole.rows == _computed(source)[0].rows


def test_empty_partitions() -> None:
    """A partition without events, or without columns, is none."""
    assert materialised({"x": np.empty(0)}, 0) is None
    assert materialised({}, 0) is None
    assert isinstance(materialised({"x": X}, 0), MemoryPart)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"x": X, "y": X[:3]}, "partition 5: columns must be one-dimensional and of one length"),
        ({"x": X.reshape(5, 2, 1)}, "partition 5: column 'x' is nested more deeply"),
        ({"x": X, "y": np.empty(0)}, "partition 5: columns must be one-dimensional and of one length"),
    ],
)
def test_odd_partitions(table: Any, text: str) -> None:
    """A partition that is no table is named."""
    with pytest.raises(InputError, match=text):
        materialised(table, 5)


def test_what_is_lazy() -> None:
    """Collections are lazy, and what is in memory, or a name, is not."""
    array = da.from_array(X, chunks=4)
    assert is_lazy(array)
    assert is_lazy({"x": array})
    assert is_lazy({"x": X, "y": array})
    assert not any(is_lazy(one) for one in (X, {"x": X}, {}, "x.parquet", dask.delayed(X)))


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (da.from_array(X, chunks=4), "a Dask array without a name"),
        ({"x": da.from_array(X, chunks=4), "y": da.from_array(X, chunks=5)}, r"chunked alike; 'y' has chunks"),
        ({"x": da.from_array(X, chunks=5), "y": da.from_array(np.arange(9), chunks=5)}, "chunked alike"),
        ({"x": da.from_array(X.reshape(5, 2), chunks=2)}, "one-dimensional Dask arrays"),
        ({"x": da.from_array(X, chunks=5), "y": X}, r"no Dask arrays in \['y'\]"),
    ],
)
def test_refusals(events: Any, text: str) -> None:
    """Collections that cannot be read as columns are refused, and the side is named."""
    with pytest.raises((InputError, InputTypeError), match=f"generated: .*{text}"):
        open_source(events, "generated")


def test_blocks_of_unknown_length() -> None:
    """Arrays that a selection has left of unknown length are taken block by block."""
    array = da.from_array(X, chunks=4)
    source = lazy_source({"x": array[array > 5], "y": (2 * array)[array > 5]})
    parts = _computed(source)
    assert parts[0] is None
    assert [part.columns["y"].tolist() for part in parts[1:]] == [[12, 14], [16, 18]]


def test_other_kinds_are_read_at_once() -> None:
    """What is in memory becomes a source of one part, and what is no table is refused."""
    assert len(open_source({"x": X}, "reference").parts) == 1
    with pytest.raises(InputTypeError, match="reference: a int is not a table"):
        open_source(5, "reference")

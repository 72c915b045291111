"""Events as columns of one length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries, Sample

X = np.arange(5.0)


def sample(weight: Any = None) -> Sample:
    """Five events with a number and some entries each."""
    return Sample({"x": X, "e": Entries.of([[1], [], [2, 3], [4], [5, 6]])}, weight, {"source": "here"})


def test_columns_by_name() -> None:
    """A column is found by its name; another is refused with those that there are."""
    assert len(sample()) == 5
    assert sample()["x"] is X
    with pytest.raises(InputError, match=r"^there is no column 'z'; there are \['e', 'x'\]$"):
        sample()["z"]


def test_a_mapping_of_columns() -> None:
    """Whatever takes a mapping finds the columns, by every way; the length is the number of events."""
    whole = sample()
    assert isinstance(whole, Mapping)
    assert list(whole) == list(whole.keys()) == list(dict(whole)) == list({**whole}) == ["x", "e"]
    assert all(values is whole.columns[name] for name, values in whole.items())
    assert [len(view) for view in (whole.keys(), whole.values(), whole.items())] == [2, 2, 2]
    assert ("x" in whole, "z" in whole) == (True, False)
    assert whole.get("x") is X
    assert (whole.get("z"), whole.get("z", 1)) == (None, 1)
    assert whole == whole  # noqa: PLR0124 - without asking arrays
    assert whole != sample()
    assert len({whole, whole}) == 1


@pytest.mark.parametrize(
    ("columns", "weight", "message"),
    [
        ({}, None, "a sample needs at least one column; got none"),
        ({"x": X, "y": X[:4]}, None, "columns must be one-dimensional and of one length; got shapes .*'y': (4,)"),
        ({"x": X}, X[:4], "of one length; got shapes .*'the weight': (4,)"),
        ({"x": X.reshape(5, 1)}, None, "columns must be one-dimensional"),
        ({"x": np.float64(1)}, None, "columns must be one-dimensional"),
        ({"x": X[:0]}, None, "the sample has no events"),
    ],
)
def test_what_is_no_sample(columns: dict[str, Any], weight: Any, message: str) -> None:
    """No columns, no events, or columns that do not belong together are refused."""
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        Sample(columns, weight)


@pytest.mark.parametrize("weight", [None, X + 1])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_the_first_events(weight: Any, n: int) -> None:
    """The first events keep their entries, weights and origin."""
    first = sample(weight).first(n)
    assert len(first) == n
    assert first["x"].tolist() == X[:n].tolist()
    assert first["e"].counts.tolist() == [1, 0, 2, 1, 2][:n]
    assert (None if first.weight is None else first.weight.tolist()) == (
        None if weight is None else weight[:n].tolist()
    )
    assert first.provenance == {"source": "here"}


@pytest.mark.parametrize("n", [-1, 0, 6])
def test_more_events_than_there_are(n: int) -> None:
    """Less than one event, or more than there are, are refused."""
    with pytest.raises(InputError, match=rf"^cannot take the first {n} of 5 events; expected 1 to 5$"):
        sample().first(n)


@pytest.mark.parametrize("weight", [None, X + 1])
@pytest.mark.parametrize("rows", [np.array([4, 0, 2]), X % 2 == 0])
def test_some_events(weight: Any, rows: Any) -> None:
    """Events are chosen by position or by a mask, with their entries, weights and origin."""
    some = sample(weight).select(rows)
    assert some["x"].tolist() == X[rows].tolist()
    assert some["e"].counts.tolist() == np.array([1, 0, 2, 1, 2])[rows].tolist()
    assert (None if some.weight is None else some.weight.tolist()) == (
        None if weight is None else weight[rows].tolist()
    )
    assert some.provenance == {"source": "here"}


def test_clusters_go_with_their_events() -> None:
    """Events keep their clusters wherever they are chosen, and there is one for each."""
    keys = np.array([7, 7, 8, 9, 9], dtype=np.uint64)
    whole = Sample({"x": X}, cluster=keys)
    for some, rows in ((whole.first(3), slice(3)), (whole.select(X > 2), X > 2)):
        assert some.cluster is not None
        assert some.cluster.tolist() == keys[rows].tolist()
    with pytest.raises(InputError, match="of one length"):
        Sample({"x": X}, cluster=keys[:2])

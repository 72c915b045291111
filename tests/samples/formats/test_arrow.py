"""Which columns of a schema can be read, and that each kind comes back as it is."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats._arrow import column, parted

pa: Any = pytest.importorskip("pyarrow")

READ = {
    "int": pa.int64(),
    "unsigned": pa.uint8(),
    "half": pa.float16(),
    "single": pa.float32(),
    "flag": pa.bool_(),
    "decimal": pa.decimal128(9, 2),
    "date": pa.timestamp("us"),
    "text": pa.string(),
    "long text": pa.large_string(),
    "words": pa.dictionary(pa.int32(), pa.string()),
    "list": pa.list_(pa.float64()),
    "long list": pa.large_list(pa.int32()),
    "flags": pa.list_(pa.bool_()),
    "decimals": pa.list_(pa.decimal128(9, 2)),
}
REFUSED = {
    "nested": pa.list_(pa.list_(pa.float64())),
    "texts": pa.list_(pa.string()),
    "long texts": pa.list_(pa.large_string()),
    "many words": pa.list_(pa.dictionary(pa.int32(), pa.string())),
    "bytes": pa.binary(),
}


@pytest.mark.parametrize("name", READ)
def test_kinds_that_can_be_read(name: str) -> None:
    """Numbers, flags, decimals, text, and lists of numbers per event are columns."""
    assert parted(pa.schema([(name, READ[name])])) == ({name: (name, None)}, {})


@pytest.mark.parametrize("name", REFUSED)
def test_kinds_that_cannot(name: str) -> None:
    """What is nested deeper, and lists of text, are refused by type, and others beside them can be read."""
    names, refused = parted(pa.schema([("x", pa.float64()), (name, REFUSED[name]), ("y", pa.int8())]))
    assert list(names) == ["x", "y"]
    assert list(refused) == [name]
    wrong = f"is of type {REFUSED[name]}, neither a number nor a list of numbers per event"
    assert refused[name].startswith("is nested more deeply than (events, features)" if name == "nested" else wrong)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (pa.struct([("pt", pa.float64())]), r"^is of structs with the fields 'pt': flatten it .* Table\.flatten does"),
        (
            pa.struct([(name, pa.int8()) for name in "abcde"]),
            r"^is of structs with the fields 'a', 'b', 'c', \.\.\. 2 more: flatten it",
        ),
        (
            pa.list_(pa.struct([("pt", pa.float64()), ("eta", pa.float64())])),
            r"^holds a list of structs with the fields 'pt', 'eta': flatten it .* such as 'jet_pt' of .* 'jet\.pt'$",
        ),
        (pa.struct([]), "^is of structs with the fields : flatten it"),
    ],
)
def test_structs(kind: Any, reason: str) -> None:
    """A column of structs is refused with its fields and how to flatten it."""
    names, refused = parted(pa.schema([("x", pa.float64()), ("jet", kind)]))
    assert list(names) == ["x"]
    assert re.search(reason, refused["jet"])


def test_two_columns_of_one_name() -> None:
    """A name that stands for several columns stands for none."""
    with pytest.raises(InputError, match=r"^3 columns are named 'x'; rename them$"):
        parted(pa.schema([("x", pa.int8()), ("y", pa.int8()), ("x", pa.int8()), ("x", pa.int16())]))


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize(("first", "rows"), [(0, 9), (2, 5), (8, 1), (3, 0)])
def test_numbers_keep_their_type(kind: str, first: int, rows: int) -> None:
    """Any slice of a column of numbers comes back in its own type, to the last bit."""
    values = (np.arange(9) * 3 + 1).astype(kind)
    found = column(pa.array(values).slice(first, rows), "x")
    assert isinstance(found, np.ndarray)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values[first : first + rows])


def test_missing_numbers_are_nan() -> None:
    """A missing number, also an integer, becomes NaN, and is counted."""
    for kind in (pa.float32(), pa.int64()):
        np.testing.assert_array_equal(column(pa.array([1, None, 3], type=kind), "x"), [1, np.nan, 3])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, False, True]), [True, False, True]),
        (pa.array(["a", "bc", ""]), ["a", "bc", ""]),
        (
            pa.array([Decimal(1), Decimal("2.5"), None], type=pa.decimal128(9, 2)),
            [1.0, 2.5, pytest.approx(math.nan, nan_ok=True)],
        ),
    ],
)
def test_other_kinds(values: Any, expected: list[Any]) -> None:
    """Flags, text and decimals come back as what they say."""
    found: Any = column(values, "x")
    assert found.tolist() == expected


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float64())])
def test_lists_are_entries(kind: Any) -> None:
    """Lists of any length are the entries of their events, in a slice too."""
    found = column(pa.array([[9.0], [1, 2], [], [3]], type=kind).slice(1), "x")
    assert isinstance(found, Entries)
    assert found.counts.tolist() == [2, 0, 1]
    assert found.values.tolist() == [1, 2, 3]


def test_lists_of_a_fixed_size_are_columns() -> None:
    """Lists of a fixed size are a column for each place, unless one of another name is in the way; none may miss."""
    kind = pa.list_(pa.int32(), 2)
    names, refused = parted(pa.schema([("x", kind), ("y", pa.int8())]))
    assert names == {"x.0": ("x", 0), "x.1": ("x", 1), "y": ("y", None)}
    assert not refused
    values = pa.array([[9, 9], [1, 2], [3, 4]], type=kind).slice(1)
    assert [np.asarray(column(values, "x.1", place)).tolist() for place in (0, 1)] == [[1, 3], [2, 4]]
    names, refused = parted(pa.schema([("x", kind), ("x.1", pa.int8())]))
    assert list(names) == ["x.1"]
    assert "rename it" in refused["x"]
    with pytest.raises(InputError, match=r"column 'x\.1' has 1 nulls; expected lists without nulls"):
        column(pa.array([[9, 9], None], type=kind), "x.1", 1)

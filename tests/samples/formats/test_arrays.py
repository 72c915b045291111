"""Which arrays are columns, and reading any rows and columns of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import _arrays as arrays


@pytest.mark.parametrize("kind", ["?", "i1", "i8", "u2", "f2", "f8", ">f4", "U3", "S3", "M8[s]", "m8[s]"])
def test_columns(kind: str) -> None:
    """Numbers of any kind, flags, text and times, one per event, are a column."""
    assert arrays.refusal(np.dtype(kind), (5,)) is None


@pytest.mark.parametrize("kind", ["?", "i4", "u2", "f8"])
def test_columns_of_features(kind: str) -> None:
    """Numbers may be several per event."""
    assert arrays.refusal(np.dtype(kind), (5, 3)) is None


@pytest.mark.parametrize(
    ("kind", "shape", "reason"),
    [
        ("O", (5,), "holds objects, which are never unpickled"),
        ("f8", (), "has the shape (); expected (events,) or (events, features)"),
        ("f8", (5, 2, 2), "is nested more deeply than (events, features) (it is of shape (5, 2, 2))"),
        ("c16", (5,), "has dtype complex128 and the shape (5,); expected real numbers"),
        ("V8", (5,), "has dtype |V8 and the shape (5,); expected real numbers"),
        ("U3", (5, 2), "has dtype <U3 and the shape (5, 2); expected real numbers"),
        ("S3", (5, 2), "has dtype |S3"),
        ("M8[s]", (5, 2), "has dtype datetime64[s]"),
        ("m8[s]", (5, 2), "has dtype timedelta64[s]"),
        ("f8", (5, 0), "and so no value per event; leave it out"),
        ("S0", (5,), "and so no value per event; leave it out"),
    ],
)
def test_what_is_no_column(kind: str, shape: tuple[int, ...], reason: str) -> None:
    """What is no column is refused with the reason."""
    assert reason in (arrays.refusal(np.dtype(kind), shape) or "")


def test_names_of_columns() -> None:
    """The columns of an array are its fields, its only value, or their positions."""
    fields = np.dtype([("a", "f8"), ("b", "i4", (2,)), ("c", "c8")])
    parts, refused = arrays.parts_of("t", fields, (5,))
    assert list(parts) == ["a", "b.0", "b.1"]
    assert list(refused) == ["c"]
    rows = np.zeros(3, fields)
    rows["a"] = [1, 2, 3]
    assert np.asarray(parts["a"].of(rows)).tolist() == [1, 2, 3]
    assert list(arrays.parts_of("t", np.dtype("f8"), (5,))[0]) == ["values"]
    parts, refused = arrays.parts_of("t", np.dtype("f8"), (5, 3))
    assert [(name, part.span) for name, part in parts.items()] == [("0", (0, 1)), ("1", (1, 2)), ("2", (2, 3))]
    assert not refused
    parts, refused = arrays.parts_of("t", np.dtype("c8"), (5,))
    assert not parts
    assert list(refused) == ["values"]


def _stored(path: Path, values: Any, *, fortran: bool = False) -> arrays.StoredArray:
    """Write the values of an array, after seven bytes of something else."""
    path.write_bytes(b"1234567" + values.tobytes("F" if fortran else "C") + b"rest")
    return arrays.StoredArray(str(path), 7, values.dtype, values.shape, fortran)


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("within", [None, (0, 1), (1, 3), (0, 4), (3, 4)])
@pytest.mark.parametrize(("start", "stop", "step"), [(0, 10, 3), (2, 9, 7), (4, 5, 1), (0, 10, 100), (3, 3, 2)])
def test_any_rows_of_any_columns(
    tmp_path: Path,
    fortran: bool,  # noqa: FBT001
    within: tuple[int, int] | None,
    start: int,
    stop: int,
    step: int,
) -> None:
    """Any rows, in steps of any size, of neighbouring columns are those of the array, however it is stored."""
    values = np.arange(40, dtype=">i4").reshape(10, 4)
    stored = _stored(tmp_path / "file", values, fortran=fortran)
    found = list(stored.blocks(start, stop, step, within))
    assert [len(block) for block in found] == [min(step, stop - i) for i in range(start, stop, step)]
    expected = values[start:stop, slice(*(within or (0, 4)))]
    np.testing.assert_array_equal(np.concatenate([expected[:0], *found]), expected)


def test_a_file_that_has_become_shorter(tmp_path: Path) -> None:
    """Reading beyond the end is told as damage, with how much there is."""
    stored = _stored(tmp_path / "file", np.arange(10.0))
    (tmp_path / "file").write_bytes(b"1234567" + bytes(8 * 9 + 3))
    assert len(next(stored.blocks(0, 9, 9, None))) == 9
    with pytest.raises(ValueError, match="it ends after 4 of 5 values"):
        list(stored.blocks(0, 10, 5, None))


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    """Of columns that lie apart in one array the rows between them are read once, and each is its own."""
    values = np.arange(40.0).reshape(10, 4)
    parts, _ = arrays.parts_of("t", values.dtype, values.shape)
    whole = arrays.Part("t", Entries.of)
    table = arrays.Table({"t": _stored(tmp_path / "file", values)}, {**parts, "all": whole}, {"z": "is bad"}, step=4)
    assert table.rows == 10
    assert list(table.starts) == [0, 4, 8]
    assert table.refused == {"z": "is bad"}
    for names in (["3", "1"], ["2"], ["1", "all"]):
        blocks: list[Any] = list(table.read(names, 4, 99, 4))
        assert [list(block) for block in blocks] == [names] * 2
        for name in names:
            found = [block[name].values if name == "all" else block[name] for block in blocks]
            np.testing.assert_array_equal(
                np.concatenate(found), values[4:].ravel() if name == "all" else values[4:, int(name)]
            )
    (block,) = table.read(["all"], 8, 99, 99)
    assert isinstance(block["all"], Entries)
    assert block["all"].counts.tolist() == [4, 4]


def test_arrays_of_several_lengths(tmp_path: Path) -> None:
    """They can be read apart, and not together."""
    stored = {name: _stored(tmp_path / name, np.arange(n)) for name, n in (("a", 3), ("b", 4), ("c", 3))}
    table = arrays.Table(stored, {name: arrays.Part(name) for name in stored}, {}, step=2)
    assert table.rows is None
    assert list(table.starts) == [0]
    assert [len(rows["b"]) for rows in table.read(["b"], 0, 9, 3)] == [3, 1]
    assert [len(rows["c"]) for rows in table.read(["c", "a"], 0, 9, 5)] == [3]
    with pytest.raises(InputError, match="of one length; 'a' has 3 rows and 'b' has 4: name the columns"):
        list(table.read(["a", "b"], 0, 9, 3))


def test_nothing_to_read() -> None:
    """A file without a column is refused, with the reason for the first, if there is one."""
    arrays.check_readable(["x"], {"y": "is bad"})
    with pytest.raises(InputError, match=r"^column 'y' is bad$"):
        arrays.check_readable([], {"y": "is bad", "z": "is worse"})
    with pytest.raises(InputError, match=r"^there are no columns in it; was it written to the end"):
        arrays.check_readable([], {})


@pytest.mark.parametrize(
    ("rows", "step", "starts"),
    [
        (10, 4, [0, 4, 8]),
        (8, 4, [0, 4]),
        (3, 4, [0]),
        (0, 4, [0]),
        (None, 4, [0]),
        (10, None, [0]),
        (4096 * 4, 4, list(range(0, 4096 * 4, 4))),
        (4096 * 4 + 1, 4, list(range(0, 4096 * 4 + 1, 8))),
    ],
)
def test_starts(rows: int | None, step: int | None, starts: list[int]) -> None:
    """Reading begins at every so many rows, and at no more than 4,096 of them."""
    assert list(arrays.starts_of(rows, step)) == starts


@pytest.mark.parametrize(
    ("chunk", "size", "step"),
    [(10, 8, 10), (1 << 25, 1, 1 << 25), ((1 << 25) + 1, 1, 1 << 25), (10, 1 << 24, 2), (10, 1 << 26, 1), (10, 0, 10)],
)
def test_large_rows_are_read_a_few_at_a_time(chunk: int, size: int, step: int) -> None:
    """No more than 32 MB are read at a time, but for a single row."""
    assert arrays.step_of(chunk, size) == step


PLAIN = [np.arange(6.0), np.asfortranarray(np.arange(6).reshape(3, 2))]


@pytest.mark.parametrize(
    ("values", "version"),
    [
        *((values, version) for values in PLAIN for version in ((1, 0), (2, 0), (3, 0))),
        (np.zeros(2, [("é", "f8"), ("x", "i4")]), (3, 0)),  # of which older versions have no names
    ],
)
@pytest.mark.filterwarnings("ignore:Stored array in format")
def test_headers_of_numpy(values: Any, version: tuple[int, int]) -> None:
    """The header of any version says what numpy wrote, and where its values begin."""
    file = io.BytesIO()
    np.lib.format.write_array(file, values, version)
    file.seek(0)
    dtype, shape, fortran = arrays.header_of(file)
    assert (dtype, shape, fortran) == (values.dtype, values.shape, values.ndim == 2)
    arrays.check_size(dtype, shape, len(file.getvalue()) - file.tell())
    for size in (values.nbytes - 1, values.nbytes + 1):
        with pytest.raises(ValueError, match=f"promises {values.nbytes} bytes of values, and there are {size}"):
            arrays.check_size(dtype, shape, size)


@pytest.mark.parametrize("text", ["{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "nonsense", "{}"])
def test_headers_that_are_damaged(text: str) -> None:
    """A header that makes no sense is damage, and no other error."""
    file = io.BytesIO(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    with pytest.raises(ValueError, match="header"):
        arrays.header_of(file)


def test_too_little_memory_is_damage() -> None:
    """A damaged file may claim any size."""
    with pytest.raises(ValueError, match="more memory than there is"), arrays.allocating():
        raise MemoryError


def test_neighbouring_parts_of_one_array(tmp_path: Path) -> None:
    """Each of several parts of one array has its own columns and no other, whatever is read for the others."""
    values = np.arange(60.0).reshape(10, 6)
    spans = {"a": (1, 3), "b": (3, 4), "c": (2, 6), "d": (0, 6)}
    parts = {name: arrays.Part("t", lambda rows: rows.sum(axis=1), span) for name, span in spans.items()}
    table = arrays.Table({"t": _stored(tmp_path / "file", values)}, parts, {}, step=None)
    for names in (["a", "b"], ["b", "c"], ["a", "c"], ["c", "d"], ["b"]):
        (rows,) = table.read(names, 0, 99, 99)
        for name in names:
            np.testing.assert_array_equal(rows[name], values[:, slice(*spans[name])].sum(axis=1))

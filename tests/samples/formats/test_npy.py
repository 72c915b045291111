"""Arrays of numpy's are tables: by field, by position, or of one column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import npy

SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, 1.0, 2.0, 3.0])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file, any second row of which is a start."""
    monkeypatch.setattr(npy, "STEP", 2)
    return tmp_path / "events.npy"


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2", "i8", "u2", "?", "U3"])
def test_one_column(path: Path, checks: Any, dtype: str) -> None:
    """An array of one axis is the column "values", of whatever type."""
    array = SPECIAL.astype(dtype) if dtype in {"f8", ">f8"} else np.arange(9).astype(dtype)
    np.save(path, array)
    checks.any_rows(path, {"values": array}, least=5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_by_position(path: Path, checks: Any, order: Any) -> None:
    """The columns of an array of two axes are called by their position, however it lies in the file."""
    array = np.array(np.arange(36.0).reshape(9, 4), order=order)
    array[:, 1] = SPECIAL
    np.save(path, array)
    checks.any_rows(path, {str(i): array[:, i] for i in range(4)}, least=5)
    checks.same(checks.read(path, ["1", "2"]), {"1": array[:, 1], "2": array[:, 2]})


def test_by_field(path: Path, checks: Any) -> None:
    """The columns of a structured array are its fields; one with several numbers is as many columns."""
    array = np.zeros(9, dtype=[("x", "f8"), ("n", ">i4"), ("v", "f4", (3,)), ("π", "f4"), ("o", [("a", "f4")])])
    array["x"], array["n"], array["v"] = SPECIAL, np.arange(9), np.arange(27).reshape(9, 3)
    with pytest.warns(UserWarning, match="format 3.0"):
        np.save(path, array)
    expected = {"x": array["x"], "n": array["n"], "v": array["v"], "π": array["π"]}
    checks.any_rows(path, expected, least=5)
    with pytest.raises(InputError, match=r"events\.npy: column 'o' has dtype .* write its parts as columns"):
        checks.read(path, ["o"])


@pytest.mark.parametrize("shape", [(), (4, 2, 2), (4, 0)])
def test_other_shapes(path: Path, checks: Any, shape: tuple[int, ...]) -> None:
    """An array that is no table is refused."""
    np.save(path, np.zeros(shape))
    with pytest.raises(InputError, match=r"events\.npy: column 'values' (has .*the|is nested .*) shape \("):
        checks.read(path)


def test_no_rows(path: Path, checks: Any) -> None:
    """An array without rows has none."""
    for array in (np.array([]), np.zeros((0, 3)), np.zeros(0, dtype=[("x", "f8")])):
        np.save(path, array)
        assert checks.read(path) == {}


def test_damage(path: Path, checks: Any) -> None:
    """An array that was cut short anywhere, or is something else, is refused, and so is one that goes on."""
    np.save(path, SPECIAL)
    checks.missing_column(path)
    content = path.read_bytes()
    checks.cut_short(path)
    path.write_bytes(content + b"\0" * 8)
    with pytest.raises(InputError, match="the header promises 72 bytes of values, and there are 80"):
        checks.read(path)
    checks.garbage(path)


@given(position=st.integers(0, 10_000), value=st.integers(1, 255), fields=st.booleans())
@settings(max_examples=60)
def test_changed_bytes(
    tmp_path_factory: pytest.TempPathFactory, checks: Any, position: int, value: int, *, fields: bool
) -> None:
    """Wherever a byte is changed, the array is read or refused, and nothing else happens."""
    path = tmp_path_factory.mktemp("changed") / "events.npy"
    np.save(path, np.zeros(3, dtype=[("x", "f8"), ("v", "f4", (3,))]) if fields else np.zeros((3, 2)))
    checks.changed(path, path.read_bytes(), position, value)


def test_objects(path: Path, checks: Any) -> None:
    """Objects are never unpickled."""
    bombs: Any = np.array([checks.Bomb(path.parent / "exploded")] * 3, dtype=object)
    np.save(path, bombs)
    with pytest.raises(InputError, match=r"events\.npy: column 'values' holds objects"):
        checks.read(path)
    assert list(path.parent.iterdir()) == [path]

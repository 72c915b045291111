"""A device keeps the same rows of tensors as numpy does of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.overlaps.device import select_on_device
from pytest_ganvalid.overlaps.digests import LARGEST, PRECISIONS, row_hashes
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.key import FineColumn, Key

torch: Any = pytest.importorskip("torch")
N = 3_000
RNG = np.random.default_rng(1)
X = RNG.normal(size=N)
X[::3], X[1::1_000], X[2::1_000] = 0.0, -0.0, np.nan
X[5], X[6], X[7], X[8] = np.inf, -np.inf, 1e300, -1e-300
TABLES: dict[str, dict[str, Any]] = {
    "double": {"x": X, "n": RNG.poisson(3, N)},
    "single": {"x": np.float32(X.clip(-1e30, 1e30)), "n": X > 0},
    "half": {"x": np.float16(X.clip(-6e4, 6e4)), "n": RNG.integers(-(2**40), 2**40, N)},
    "integers": {"x": np.int32(RNG.integers(-9, 9, N)), "n": RNG.integers(0, 255, N).astype(np.uint8)},
    "payloads": {"x": (np.uint64(0x7FF8000000000000) | np.arange(N, dtype=np.uint64)).view(np.float64), "n": X},
}


def _key(columns: tuple[str, ...], bits: int) -> Key:
    return Key(columns=columns, bits=bits, fine=(FineColumn(name="x", low=-9.0, high=9.0),))


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("bits", PRECISIONS)
@pytest.mark.parametrize("columns", [("x",), ("n", "x")])
def test_tensors_are_chosen_alike(kind: str, bits: int, columns: tuple[str, ...]) -> None:
    """In every precision and of every type of numbers, the hashes, their sums and the rows are those of arrays."""
    table = TABLES[kind]
    tensors = {name: torch.from_numpy(values) for name, values in table.items()}
    hashes = row_hashes(table, columns, bits)
    for limit in (LARGEST, LARGEST // 3, int(hashes[0]) << 32, LARGEST // 1_000, 0):
        kept = select_on_device(tensors, _key(columns, bits), limit)
        where = np.flatnonzero(hashes <= limit >> 32)
        assert kept.hashes.dtype == np.uint32
        np.testing.assert_array_equal(kept.hashes, hashes[where])
        for name in columns:
            np.testing.assert_array_equal(kept.columns[name], table[name][where])
        exact = [int(one) for one in hashes]
        assert kept.sum == sum(exact) % 2**64
        assert kept.squares == sum(one**2 for one in exact) % 2**64


@pytest.mark.parametrize("bits", PRECISIONS)
@pytest.mark.parametrize("limit", [LARGEST, LARGEST // 10])
def test_fingerprints_are_the_same(bits: int, limit: int) -> None:
    """The fingerprint of the rows that a device keeps is that of the arrays."""
    table = TABLES["double"]
    key = _key(("n", "x"), bits)
    kept = select_on_device({name: torch.from_numpy(values) for name, values in table.items()}, key, limit)
    ours = Fingerprint.of_selection(kept.columns, key, N, 100, limit, kept.hashes)
    theirs = Fingerprint.of(table, key, 100, limit)
    assert ours == theirs
    assert ours.rows == N
    assert (ours.consolidated.limit, ours.size) == (theirs.consolidated.limit, theirs.size)
    first, second = (mark.consolidated.pieces[0].values for mark in (ours, theirs))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.columns(), second.columns())


def test_tensors_are_left_alone() -> None:
    """Choosing rows changes neither zeros nor undefined values of what it is given."""
    for dtype in (torch.float64, torch.float32):
        values = torch.tensor([-0.0, float("nan"), 1.0], dtype=dtype)
        before = values.numpy().tobytes()
        for bits in PRECISIONS:
            select_on_device({"x": values}, _key(("x",), bits), LARGEST)
        assert values.numpy().tobytes() == before


def test_tensors_that_numpy_lacks() -> None:
    """Rows of a width that numpy has no type for leave the device as numbers that it has."""
    kept = select_on_device({"x": torch.tensor([1.0, 2.5], dtype=torch.bfloat16)}, _key(("x",), 11), LARGEST)
    assert np.asarray(kept.columns["x"]).tolist() == [1, 2.5]
    np.testing.assert_array_equal(kept.hashes, row_hashes({"x": np.array([1, 2.5])}, ("x",), 11))

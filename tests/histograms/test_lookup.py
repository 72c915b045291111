"""A table lookup finds the bins that a binary search finds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid.histograms import lookup as module
from pytest_ganvalid.histograms.lookup import BLOCK, Lookup, lookup, parallel_map, parts

Array = NDArray[np.float64]
TINY, HUGE = float(np.nextafter(0.0, 1.0)), float(np.finfo(float).max)
RNG = np.random.default_rng(1)

finite = st.floats(allow_nan=False, allow_infinity=False)
edge_lists = st.one_of(
    st.lists(finite, min_size=1, max_size=40, unique=True),
    st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=40, unique=True),
    st.lists(st.floats(-1e-307, 1e-307), min_size=1, max_size=20, unique=True),
    st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=60, unique=True),
    # Runs of adjacent floats, as bins of a single value have.
    st.builds(
        lambda start, n: [float(x) for x in _run(start, n)],
        st.sampled_from([1.0, -1.0, 0.0, 1e-300, -1e300, TINY, 1e16, 0.1]),
        st.integers(1, 12),
    ),
)


def _run(start: float, n: int) -> list[float]:
    found = [start]
    for _ in range(n):
        found.append(float(np.nextafter(found[-1], np.inf)))
    return found


def _near(edges: Array) -> Array:
    """Return all that lies at an edge or beside it, and what lies far out."""
    with np.errstate(over="ignore"):
        out = [edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf), (edges[1:] / 2 + edges[:-1] / 2)]
    return np.concatenate([*out, [0.0, -0.0, TINY, -TINY, 1e300, -1e300, HUGE, -HUGE, 1.0, -1.0]])


def _check(edges: Array, values: Array) -> None:
    expected = np.searchsorted(edges, values, side="right")
    found = Lookup(edges)
    np.testing.assert_array_equal(found.index(values), expected)
    np.testing.assert_array_equal(found.counts(values), np.bincount(expected, minlength=edges.size + 1))
    assert found.size == edges.size + 1


@given(edge_lists, st.lists(finite, max_size=60))
@settings(max_examples=300)
def test_any_edges_and_values(listed: list[float], values: list[float]) -> None:
    """Whatever the edges and the values are, bins and counts are those of numpy's binary search."""
    edges = np.array(sorted({x + 0.0 for x in listed}))
    some = np.concatenate([np.array(values, dtype=float), _near(edges)])
    some = some[np.isfinite(some)]
    _check(edges, some)
    repeated = np.resize(some, module.BLOCK // 8 + 3)  # beyond what is worked on in memory of its own
    _check(edges, repeated)


KINDS = {
    "quantiles of a normal": np.unique(np.quantile(RNG.normal(size=9_999), np.linspace(0.001, 0.999, 49))),
    "heavy tails": np.unique(np.quantile(RNG.standard_cauchy(99_999), np.linspace(1e-4, 1 - 1e-4, 300))),
    "a lognormal of many decades": np.exp(np.linspace(-600, 600, 57)),
    "one edge": np.array([0.3]),
    "one huge edge": np.array([-7e15]),
    "255 edges": np.linspace(-2, 2, 255),
    "256 edges": np.linspace(-2, 2, 256),
    "257 edges": np.linspace(-2, 2, 257),
    "2000 edges": np.linspace(-2, 2, 2_000),
    "70000 edges": np.linspace(-2, 2, 70_000),
    "integers": np.arange(40.0),
    "beside zero suppression": np.unique([0.0, TINY, *np.geomspace(1e-3, 1e3, 48)]),
    "adjacent": np.array(_run(1.0, 30)),
    "adjacent and far": np.array([*_run(-1e-5, 3), *_run(1.0, 3), 1e12]),
    "subnormal": np.array([0.0, TINY, 3 * TINY, 1e-310]),
    "enormous": np.array([-1e308, -1.0, 1e308]),
    "negative": -np.geomspace(1e-300, 1e300, 64)[::-1],
    "a cluster far from zero": 1e9 + np.linspace(0, 1e-3, 50),
}


@pytest.mark.parametrize("size", [0, 1, 2, BLOCK // 8 - 1, BLOCK // 8, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])
@pytest.mark.parametrize("kind", ["quantiles of a normal", "255 edges", "257 edges"])
def test_block_boundaries(kind: str, size: int) -> None:
    """Nothing is lost or found twice where one block of values ends and the next begins."""
    _check(KINDS[kind], RNG.normal(size=size))


@pytest.mark.parametrize("kind", KINDS)
def test_many_values(kind: str) -> None:
    """Many values of every size, those at the edges among them, are in the bins of a binary search."""
    edges = KINDS[kind]
    normal = RNG.normal(size=BLOCK // 2)
    near = _near(edges)
    between = RNG.choice(edges, 30_000) * (1 + RNG.normal(size=30_000) * 1e-3)
    values = np.concatenate([normal, normal**9, np.exp(40 * normal), -np.exp(40 * normal), between, near])
    _check(edges, RNG.permutation(values[np.isfinite(values)]))


@pytest.mark.parametrize("kind", ["one edge", "255 edges", "a lognormal of many decades", "heavy tails"])
def test_infinite_values(kind: str) -> None:
    """Infinite values are below or above all edges, and NaN is in one of the bins."""
    found = Lookup(KINDS[kind])
    assert found.index(np.array([-np.inf, np.inf])).tolist() == [0, found.size - 1]
    nans = np.array([np.nan, -np.nan])
    assert np.all((found.index(nans) >= 0) & (found.index(nans) < found.size))


@pytest.mark.parametrize("kind", ["255 edges", "257 edges", "integers", "heavy tails", "a lognormal of many decades"])
def test_values_of_any_kind(kind: str) -> None:
    """Other number types and layouts in memory are found as their values are."""
    edges = KINDS[kind]
    whole = RNG.normal(size=40_000) * 20
    kinds: list[Any] = [whole[::2], whole[::-1], whole.astype(np.float32), whole.astype(np.int16), whole.astype(">f8")]
    for values in kinds:
        expected = np.searchsorted(edges, values.astype(float), side="right")
        np.testing.assert_array_equal(Lookup(edges).index(values), expected)
        np.testing.assert_array_equal(Lookup(edges).counts(values), np.bincount(expected, minlength=edges.size + 1))


def test_values_are_left_alone() -> None:
    """Values that may not be written to are read, and others are not changed."""
    values = RNG.normal(size=BLOCK)
    before = values.copy()
    values.flags.writeable = False
    lookup((0.0, 1.0)).counts(values)
    lookup((0.5, 1.0, 1.5)).index(values)
    np.testing.assert_array_equal(values, before)


def test_tables_are_used() -> None:
    """Ordinary edges are looked up, so that the tests above are of tables; hopeless ones are searched for."""
    assert Lookup(KINDS["quantiles of a normal"])._table is not None
    assert Lookup(KINDS["a lognormal of many decades"])._table is not None
    assert Lookup(KINDS["255 edges"])._table is not None
    assert Lookup(KINDS["heavy tails"])._table is not None
    assert Lookup(np.array([*KINDS["adjacent"], 1e300]))._table is None


def test_several_threads() -> None:
    """Threads that look values up in several tables at once do not write into each other's memory."""
    tables = [lookup(tuple(np.linspace(-2, 2, n).tolist())) for n in (3, 50, 254, 300)]
    jobs = [(tables[i % 4], np.random.default_rng(i).normal(size=BLOCK + i)) for i in range(24)]
    expected = [np.searchsorted(table._edges, values, side="right") for table, values in jobs]
    at_once = threading.Barrier(4)

    def work(number: int) -> bool:
        at_once.wait()
        table, values = jobs[number]
        same = np.array_equal(table.index(values), expected[number])
        return same and np.array_equal(table.counts(values), np.bincount(expected[number], minlength=table.size))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(24)))


@given(st.integers(0, 1_000), st.integers(1, 300))
def test_parts(size: int, most: int) -> None:
    """Parts are consecutive, not too long, and together all there is."""
    found = list(parts(size, most))
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(size))
    assert all(0 < part.stop - part.start <= most for part in found)


@pytest.mark.parametrize("workers", [1, 2, 3, 8, None])
@pytest.mark.parametrize(
    "size", [0, 1, module._PARALLEL_SIZE - 1, module._PARALLEL_SIZE, module._PARALLEL_SIZE + 12_345]
)
def test_work_is_shared_out(size: int, workers: int | None) -> None:
    """Each item is in one part, the results are in the order of the parts, and few items are not shared out."""
    found = parallel_map(lambda part: (part.start, part.stop), size, workers)
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == size
    if size >= module._PARALLEL_SIZE and workers is not None and workers > 1:
        assert len(found) >= workers
    else:
        assert len(found) == 1 or workers is None

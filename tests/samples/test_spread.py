"""A bounded sample of rows is a fair one, and the same however the rows come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples import spread as module
from pytest_ganvalid.samples.digests import LARGEST
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.sources import MemoryPart, memory_source
from pytest_ganvalid.samples.spread import Spread, heads, joined, spread_part


def _part(first: int, rows: int) -> MemoryPart:
    return MemoryPart(Sample({"row": np.arange(first, first + rows)}), rows)


def _drawn(sizes: Sequence[int], size: int, chunk: int = 1_000) -> Spread:
    """Draw from parts of such sizes, whose rows are numbered through."""
    starts = np.cumsum([0, *sizes])
    found = [
        spread_part(_part(int(first), n), number, ["row"], size, chunk)
        for number, (first, n) in enumerate(zip(starts, sizes, strict=False))
    ]
    return reduce(add, [one for one in found if one is not None])


def test_few_rows_are_all_kept_in_order() -> None:
    """A source that is not too large is kept as it is."""
    found = _drawn([30, 1, 69], 100, chunk=7)
    assert (found.total, found.kept, found.limit) == (100, 100, LARGEST)
    np.testing.assert_array_equal(found.columns["row"], np.arange(100))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(1, 500), st.integers(1, 200))
@settings(max_examples=50)
def test_chunks_do_not_matter(sizes: list[int], size: int, chunk: int) -> None:
    """The sample is bounded, knows what it stands for, and does not depend on chunks or on how parts are grouped."""
    found = _drawn(sizes, size, chunk)
    again = _drawn(sizes, size, 10_000)
    assert found.kept <= size
    assert found.total == sum(sizes)
    assert found.limit == again.limit
    np.testing.assert_array_equal(found.columns["row"], again.columns["row"])
    starts = np.cumsum([0, *sizes])
    singly = [
        spread_part(_part(int(s), n), i, ["row"], size, 50) for i, (s, n) in enumerate(zip(starts, sizes, strict=False))
    ]
    parts = [one for one in singly if one is not None]
    half = len(parts) // 2
    groups = [reduce(add, some) for some in (parts[:half], parts[half:]) if some]
    grouped = reduce(add, groups)
    np.testing.assert_array_equal(grouped.columns["row"], found.columns["row"])
    assert (grouped.limit, grouped.total) == (found.limit, found.total)


def test_a_long_source_leaves_enough() -> None:
    """Of many more rows than are kept, about half of the bound or more are."""
    for total in (10_001, 33_000, 100_000):
        assert 4_500 < _drawn([total // 4] * 4, 10_000).kept <= 10_000


def test_sample_is_fair() -> None:
    """Every block of rows has its share of the sample, in each part of the source and along the whole."""
    sizes = [40_000, 5_000, 100_000, 55_000]
    rows = _drawn(sizes, 20_000)
    numbers: Any = rows.columns["row"]
    counts = np.bincount(numbers // 2_000, minlength=100)
    p = rows.kept / rows.total
    chi2 = float(((counts - rows.kept / 100) ** 2 / (rows.kept / 100 * (1 - p))).sum())
    assert 1e-4 < stats.chi2.sf(chi2, 99) < 1 - 1e-4
    gaps = np.diff(numbers)
    expected = p * (1 - p) ** np.arange(30)
    seen = np.bincount(gaps - 1, minlength=30)[:30]
    assert stats.chi2.sf(float(((seen - gaps.size * expected) ** 2 / (gaps.size * expected)).sum()), 29) > 1e-4


def test_parts_are_drawn_independently() -> None:
    """Rows of one place in two parts are not kept together more often than by chance."""
    found = _drawn([20_000] * 2, 10_000)
    numbers: Any = found.columns["row"]
    first, second = numbers[numbers < 20_000], numbers[numbers >= 20_000] - 20_000
    both = np.intersect1d(first, second).size
    mean = first.size * (found.kept - first.size) / 20_000
    assert abs(both - mean) < 5 * mean**0.5


def test_limit_from_the_start() -> None:
    """Rows that would be left out in the end can be left out at once, and the sample is the same."""
    whole = _drawn([5_000] * 6, 8_000)
    parts = [spread_part(_part(5_000 * i, 5_000), i, ["row"], 8_000, 900, whole.limit) for i in range(6)]
    assert all(one is not None and one.kept < 2_000 for one in parts)
    early = reduce(add, [one for one in parts if one is not None])
    np.testing.assert_array_equal(early.columns["row"], whole.columns["row"])
    assert (early.total, early.limit) == (whole.total, whole.limit)


@pytest.mark.parametrize("key", [0, 1, LARGEST])
def test_rows_of_one_number(key: int) -> None:
    """Rows that cannot be told apart by their numbers are dropped rather than kept beyond the bound."""
    keys = np.full(1_000, key, dtype=np.uint64)
    one = Spread.of({"x": np.arange(1_000.0)}, keys, 1_500)
    assert one.kept == 1_000
    both = one + one
    assert both.kept == 0
    assert both.total == 2_000
    assert (both + one).kept == 0


def test_thinning_out() -> None:
    """A lower limit keeps exactly the rows up to it, a higher one changes nothing."""
    keys = np.arange(10, dtype=np.uint64)
    found = Spread.of({"x": np.arange(10.0)}, keys, 100, total=50, limit=20)
    assert found.thinned(4).columns["x"].tolist() == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    assert found.thinned(4).total == 50
    assert found.thinned(30) is found
    assert (found + found.thinned(4)).kept == 10


@dataclass
class _Counted:
    """A part that only says how many rows it has."""

    rows: int
    number: int = 0

    def head(self, rows: int) -> _Counted:
        return _Counted(rows, self.number)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=400), st.integers(1, 20_000))
@settings(max_examples=60)
def test_heads(sizes: list[int], size: int) -> None:
    """The first rows are taken of parts from all over a source, in proportion, and all of a small one."""
    parts = [_Counted(rows, number) for number, rows in enumerate(sizes)]
    found = heads(parts, size)
    if sum(sizes) <= size:
        assert found == parts
        return
    assert len(found) == min(len(parts), 256)
    assert all(a.number < b.number for a, b in pairwise(found))
    assert sum(one.rows for one in found) <= size + len(found)
    share = size / sum(parts[one.number].rows for one in found)
    assert all(1 <= one.rows <= parts[one.number].rows for one in found)
    assert all(abs(one.rows - share * parts[one.number].rows) <= 1 for one in found)


def test_heads_of_a_long_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a source with more rows than are wanted, no more are looked at than it takes to choose bins."""
    monkeypatch.setattr(module, "SOME", 50)
    assert sum(part.rows for part in heads([_Counted(1_000)] * 3, 500)) == 48


def test_joining() -> None:
    """Rows are joined in their order, entries with their events."""
    jets = [Entries(np.array([1.0, 2.0]), np.array([2, 0])), Entries(np.array([3.0]), np.array([1]))]
    found: Any = joined([{"x": np.array([1, 2]), "jet": jets[0]}, {"x": np.array([3.5]), "jet": jets[1]}])
    assert found["x"].tolist() == [1, 2, 3.5]
    assert found["jet"].values.tolist() == [1, 2, 3]
    assert found["jet"].counts.tolist() == [2, 0, 1]


def test_no_rows() -> None:
    """A part without rows leaves nothing."""

    class Empty:
        def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Any]:  # noqa: ARG002
            return iter(())

    assert spread_part(Empty(), 0, ["x"], 10, 10) is None


def test_memory_source_is_one_part() -> None:
    """Events in memory come in chunks of the size asked for, and their weight as a column without a name."""
    source = memory_source(Sample({"x": np.arange(10.0)}, np.ones(10)))
    assert source.names == ("x", "")
    (part,) = source.parts
    sizes = [len(chunk[""]) for chunk in part.chunks(("x", ""), 4)]
    assert sizes == [4, 4, 2]
    assert part.head(3).rows == 3
    assert [len(chunk["x"]) for chunk in part.head(5).chunks(("x",), 3)] == [3, 2]

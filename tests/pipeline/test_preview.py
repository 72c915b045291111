"""Some rows of a source are from all over it, a fair sample where they are drawn, and the same however they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import LARGEST
from pytest_ganvalid.pipeline import preview as module
from pytest_ganvalid.pipeline.preview import Subsample, chunk_rows, drawn, head, joined, load, preview, row_bytes
from pytest_ganvalid.pipeline.request import Side
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.sources import MemoryPart, Source

THREADS = Threads(workers=2)


def numbered(rows: int) -> dict[str, Any]:
    """Rows that are numbered through."""
    return {"row": np.arange(rows), "x": np.ones(rows)}


def part(first: int, rows: int) -> MemoryPart:
    """Consecutive rows."""
    return MemoryPart({"row": np.arange(first, first + rows)}, first)


def draw(sizes: Sequence[int], size: int, chunk: int = 1_000, limit: int = LARGEST) -> list[Subsample]:
    """Draw from parts of such sizes, whose rows are numbered through."""
    starts = np.cumsum([0, *sizes]).tolist()
    task = module._Reading(("row",), size, chunk, limit)
    some = [
        module._draw_part(task, number, part(first, rows), lambda _: None)
        for number, (first, rows) in enumerate(zip(starts, sizes, strict=False))
    ]
    return [one for one in some if one is not None]


def test_few_rows_are_all_kept_in_order() -> None:
    """A source that is not too large is kept as it is."""
    total = reduce(add, draw([30, 1, 69], 100, chunk=7))
    assert (total.total, total.n_rows, total.limit) == (100, 100, LARGEST)
    np.testing.assert_array_equal(total.columns["row"], np.arange(100))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(1, 500), st.integers(1, 200))
@settings(max_examples=40)
def test_chunks_and_groups_do_not_matter(sizes: list[int], size: int, chunk: int) -> None:
    """The sample is bounded, knows what it stands for, and does not depend on chunks or on how parts are grouped."""
    some = draw(sizes, size, chunk)
    total, again = reduce(add, some), reduce(add, draw(sizes, size, 10_000))
    assert total.n_rows <= size
    assert total.total == sum(sizes)
    assert total.limit == again.limit
    np.testing.assert_array_equal(total.columns["row"], again.columns["row"])
    half = len(some) // 2
    grouped = reduce(add, [reduce(add, group) for group in (some[:half], some[half:]) if group])
    np.testing.assert_array_equal(grouped.columns["row"], total.columns["row"])
    assert (grouped.limit, grouped.total) == (total.limit, total.total)


def test_a_long_source_leaves_enough() -> None:
    """Of many more rows than are kept, about half of the bound or more are."""
    for total in (10_001, 33_000, 100_000):
        assert 4_500 < reduce(add, draw([total // 4] * 4, 10_000)).n_rows <= 10_000


def test_a_part_has_no_more_than_it_may() -> None:
    """Of one among many parts fewer rows are sent around than of one among few, and the sum keeps as many as it may."""
    task = module._Reading(("row",), 1 << 20, 1 << 18, LARGEST, parts=1_000)
    one = module._draw_part(task, 0, part(0, 40_000), lambda _: None)
    assert one is not None
    assert 4_000 < one.n_rows <= 8_192
    assert one.size == 1 << 20


def test_the_sample_is_fair() -> None:
    """Every block of rows has its share of the sample, in each part of the source and along the whole."""
    rows = reduce(add, draw([40_000, 5_000, 100_000, 55_000], 20_000))
    numbers: Any = rows.columns["row"]
    counts = np.bincount(numbers // 2_000, minlength=100)
    p = rows.n_rows / rows.total
    chi2 = float(((counts - rows.n_rows / 100) ** 2 / (rows.n_rows / 100 * (1 - p))).sum())
    assert 1e-4 < stats.chi2.sf(chi2, 99) < 1 - 1e-4
    gaps = np.diff(numbers)
    expected = p * (1 - p) ** np.arange(30)
    seen = np.bincount(gaps - 1, minlength=30)[:30]
    assert stats.chi2.sf(float(((seen - gaps.size * expected) ** 2 / (gaps.size * expected)).sum()), 29) > 1e-4


def test_parts_are_drawn_independently() -> None:
    """Rows of one place in two parts are not kept together more often than by chance."""
    total = reduce(add, draw([20_000] * 2, 10_000))
    numbers: Any = total.columns["row"]
    first, second = numbers[numbers < 20_000], numbers[numbers >= 20_000] - 20_000
    both = np.intersect1d(first, second).size
    mean = first.size * (total.n_rows - first.size) / 20_000
    assert abs(both - mean) < 5 * mean**0.5


def test_a_limit_from_the_start() -> None:
    """Rows that would be left out in the end can be left out at once, and the sample is the same."""
    whole = reduce(add, draw([5_000] * 6, 8_000))
    some = draw([5_000] * 6, 8_000, 900, whole.limit)
    assert all(one.n_rows < 2_000 for one in some)
    early = reduce(add, some)
    np.testing.assert_array_equal(early.columns["row"], whole.columns["row"])
    assert (early.total, early.limit) == (whole.total, whole.limit)


@pytest.mark.parametrize("number", [1, LARGEST])
def test_rows_of_one_number(number: int) -> None:
    """Rows that cannot be told apart by their numbers are dropped rather than kept beyond the bound."""
    numbers = np.full(1_000, number, dtype=np.uint64)
    one = Subsample(1_000, 1_500, (({"x": np.arange(1_000.0)}, numbers),)).bounded()
    assert one.n_rows == 1_000
    both = one + one
    assert both.n_rows == 0
    assert both.total == 2_000
    assert (both + one).n_rows == 0


def test_thinning_out() -> None:
    """A lower limit keeps exactly the rows up to it, a higher one changes nothing."""
    numbers = np.arange(10, dtype=np.uint64)
    some = Subsample(50, 100, (({"x": np.arange(10.0)}, numbers),), 20)
    thinned: Any = some.truncated(4)
    assert thinned.columns["x"].tolist() == [0, 1, 2, 3, 4]
    assert thinned.total == 50
    assert some.truncated(30) is some
    assert (some + some.truncated(4)).n_rows == 10


def test_many_pieces_are_joined() -> None:
    """The pieces of a sample do not grow in number with those of the source."""
    total = reduce(add, draw([3] * 200, 1_000))
    assert len(total.pieces) <= 65
    assert len(reduce(add, draw([3] * 5, 1_000)).pieces) == 5  # as it takes time
    np.testing.assert_array_equal(total.columns["row"], np.arange(600))


@dataclass
class Counted:
    """A part that only says how many rows it has."""

    rows: int
    number: int = 0

    def head(self, rows: int) -> Counted:
        """Return the first rows."""
        return Counted(rows, self.number)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=400), st.integers(1, 20_000))
@settings(max_examples=40)
def test_heads(sizes: list[int], size: int) -> None:
    """The first rows are taken of parts from all over a source, in proportion, and all of a small one."""
    parts = [Counted(rows, number) for number, rows in enumerate(sizes)]
    chosen = module._heads(parts, size)
    if sum(sizes) <= size:
        assert chosen == parts
        return
    assert len(chosen) == min(len(parts), 256)
    assert all(a.number < b.number for a, b in pairwise(chosen))
    assert sum(one.rows for one in chosen) <= size + len(chosen)
    share = size / sum(parts[one.number].rows for one in chosen)
    assert all(1 <= one.rows <= parts[one.number].rows for one in chosen)
    assert all(abs(one.rows - share * parts[one.number].rows) <= 1 for one in chosen)


def test_heads_of_a_long_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a source with more rows than are wanted, no more are looked at than it takes to choose bins."""
    monkeypatch.setattr(module, "SUBSAMPLE_SIZE", 50)
    assert sum(one.rows for one in module._heads([Counted(1_000)] * 3, 500)) == 48
    assert sum(one.rows for one in module._heads([Counted(1_000)] * 3, 20)) == 18


def test_joining() -> None:
    """Rows are joined in their order, entries with their events."""
    jets = [Entries(np.array([1.0, 2.0]), np.array([2, 0])), Entries(np.array([3.0]), np.array([1]))]
    rows: Any = joined([{"x": np.array([1, 2]), "jet": jets[0]}, {"x": np.array([3.5]), "jet": jets[1]}])
    assert rows["x"].tolist() == [1, 2, 3.5]
    assert rows["jet"].values.tolist() == [1, 2, 3]
    assert rows["jet"].counts.tolist() == [2, 0, 1]


KINDS: dict[str, Any] = {
    "numbers": np.ones(3),
    "text": np.array(["a", "b", "c"]),
    "any number of numbers per event": Entries(np.ones(3), np.array([1, 0, 2])),
    "values of dtype complex128": np.ones(3, dtype=complex),
}


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("later", KINDS)
def test_a_column_is_of_one_kind(first: str, later: str) -> None:
    """A column that changes its kind from part to part is an error that names the part."""
    parts = [MemoryPart({"x": KINDS[first]}), MemoryPart({"x": KINDS[later]}, 3)]
    side = Side(Source(("x",), parts), "reference")
    if first == later:
        total = module._Chunks(({"x": KINDS[first]}, {"x": KINDS[later]}), ("", "")).joined()
        assert len(total["x"]) == 6
        return
    expected = f"events 3 to 5: column 'x' holds {later} here, and {first} in the first events"
    with pytest.raises(InputError) as caught:
        load(side, ("x",), 8, 2**29, THREADS)
    assert str(caught.value) == expected


def test_the_first_rows_are_of_as_many_parts_as_it_takes(streamed: Callable[..., Source]) -> None:
    """Parts without rows are passed over, no more is read than wanted, and a source without any is refused by name."""
    empty = MemoryPart({name: values[:0] for name, values in numbered(1).items()})
    some = Side(Source(("row",), [empty, part(5, 4), empty, part(9, 4)]), "reference")
    np.testing.assert_array_equal(head(some, ("row",), 6, THREADS)["row"], [5, 6, 7, 8, 9, 10])
    for rows in (1, 70, 500):
        first = head(Side(streamed(numbered(90)), "reference"), ("row",), rows, THREADS)
        assert list(first) == ["row"]
        np.testing.assert_array_equal(first["row"], np.arange(min(rows, 90)))
    for read in (lambda side: head(side, ("row",), 3, THREADS), lambda side: drawn(side, ("row",), 8, 1e9, THREADS)):
        with pytest.raises(InputError, match=r"^reference: memory holds no events$"):
            read(Side(Source(("row",), [empty, empty]), "reference"))


@pytest.mark.usefixtures("small_previews")
def test_previews(streamed: Callable[..., Source], monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sources are looked at whole, heads of long ones, every so many rows in memory; others are drawn."""
    small = preview(Side(streamed(numbered(900)), "reference"), ("row",), 8, 1e9, THREADS)
    assert (small.complete, small.drawn, small.row, small.total) == (True, False, 8, 900)
    assert small.sample["row"].tolist() == list(range(900))
    long = preview(Side(streamed(numbered(4_000)), "reference"), ("row",), 8, 1e9, THREADS)
    assert (long.complete, long.drawn, long.total) == (False, False, 4_000)
    assert 390 <= len(long.sample) <= 400
    assert long.sample["row"].max() > 2_000
    for rows in (900, 4_000):
        unknown = preview(Side(streamed(numbered(rows), seekable=False), "r"), ("row",), 8, 1e9, THREADS)
        assert (unknown.complete, unknown.drawn, unknown.total) == (rows == 900, True, rows)
        assert 400 <= len(unknown.sample) <= 1_000
    in_memory = [preview(Side.opened(numbered(n), "reference"), ("row",), 8, 1e9, THREADS) for n in (1_000, 4_001)]
    assert [(some.complete, some.drawn, some.total) for some in in_memory] == [
        (True, False, 1_000),
        (False, False, 4_001),
    ]
    assert in_memory[0].sample["row"].tolist() == [*range(1_000)]
    pieces = np.searchsorted(np.arange(1, 400) * 4_001 // 400, in_memory[1].sample["row"], side="right")
    assert pieces.tolist() == [*range(400)]
    monkeypatch.setattr(module, "SIZE", 1 << 20)
    monkeypatch.setattr(module, "SUBSAMPLE_SIZE", 1 << 18)
    few = preview(Side(streamed(numbered(40_000)), "reference"), ("row",), 1_000, 6 * 1_000 * 9_000, THREADS)
    assert 8_900 < len(few.sample) <= 9_000  # what fits into memory
    fewer = preview(Side(streamed(numbered(40_000)), "reference"), ("row",), 1e6, 1e6, THREADS)
    assert len(fewer.sample) == pytest.approx(1 << 13, abs=3)  # but never too few


@pytest.mark.usefixtures("small_previews")
def test_rows_of_a_known_number_are_drawn_with_a_limit(streamed: Callable[..., Source]) -> None:
    """Where the number of rows is known, about as many are drawn as may be, and all parts have their share."""
    long = drawn(Side(streamed(numbered(20_000), 4), "reference"), ("row",), 8, 1e9, THREADS)
    assert (long.complete, long.drawn, long.total) == (False, True, 20_000)
    assert 850 < len(long.sample) <= 1_000
    counts = np.histogram(long.sample["row"], bins=4, range=(0, 20_000))[0]
    assert counts.min() > 180


def test_weights_come_along(streamed: Callable[..., Source]) -> None:
    """A sample that is read has the weights of its side."""
    table = {"x": np.arange(30.0), "w": np.arange(30.0) + 1}
    side = Side(streamed(table), "generated", "w")
    for sample in (load(side, ("x", "w"), 16, 1e9, THREADS), preview(side, ("x", "w"), 16, 1e9, THREADS).sample):
        assert sample.weight is not None
        np.testing.assert_array_equal(sample.weight, table["w"])
        assert "w" not in sample.columns
    inside = Side.opened(Sample({"x": np.arange(3.0)}, np.ones(3)), "generated")
    assert load(inside, ("x", ""), 16, 1e9, THREADS).weight is not None


def test_rows_of_many_entries_fit_into_memory() -> None:
    """Fewer rows are read at a time, the larger they are and the more threads share the memory, within limits."""
    jets: dict[str, Any] = {"x": np.ones(3), "hits": Entries(np.ones(30), np.full(3, 10))}
    assert row_bytes(jets) == 8 + 80 + 8
    memory = 1e8
    rows = chunk_rows(1_000, memory, 2)
    assert rows * 1_000 * 2 * module.COPIES == pytest.approx(memory, rel=1e-3)
    assert chunk_rows(1_000, memory, 4) == pytest.approx(rows / 2, abs=1)
    assert (chunk_rows(1e9, memory, 1), chunk_rows(1e-9, memory, 1)) == module.CHUNKS


def test_no_rows() -> None:
    """A part without rows leaves nothing."""

    class Empty:
        def chunks(self, columns: Sequence[str], chunk: int) -> Iterator[Any]:  # noqa: ARG002
            return iter(())

    assert module._draw_part(module._Reading(("x",), 10, 10), 0, Empty(), lambda _: None) is None

"""The commonest values are counted in any number of parts, within what a list says it may have missed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms import repeated as module
from pytest_ganvalid.histograms.repeated import STORED, Repeated

Array = NDArray[np.float64]


def as_dict(some: Repeated) -> dict[float, int]:
    """Value -> number."""
    return dict(zip(some.values.tolist(), some.counts.tolist(), strict=True))


@settings(derandomize=True, deadline=None)
@given(
    values=st.lists(st.integers(-40, 40).map(lambda i: i / 4), min_size=1, max_size=300),
    stops=st.lists(st.integers(0, 300), max_size=4),
    size=st.integers(1, 50),
)
def test_numbers_are_right_within_the_undercount(values: list[float], stops: list[int], size: int) -> None:
    """Whatever parts lists are of, and however short they are cut, no number is too large or misses more than said."""
    column = np.array(values)
    total = Repeated.none(weighted=False)
    for part in np.split(column, sorted(min(stop, column.size) for stop in stops)):
        total = (total + Repeated.of(part, None)).cut(size)
    assert total.values.size <= size
    assert total.events == column.size
    listed = as_dict(total)
    for value, number in zip(*np.unique(column, return_counts=True), strict=True):
        assert listed.get(float(value), 0) <= number <= listed.get(float(value), 0) + total.undercount
    assert total.undercount <= column.size


SPECIAL = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, 1.797e308, np.inf, -np.inf, np.nan, -1.5])


@settings(derandomize=True, deadline=None)
@given(values=st.lists(SPECIAL | st.integers(0, 9).map(lambda i: 1 + i * 2.0**-24) | st.floats(), min_size=9))
def test_common_values_of_a_long_chunk_are_those_of_a_slow_count(values: list[float]) -> None:
    """Of so many values that only common ones are listed, those that four events have are, with all of their events."""
    column = np.array(values * 3)
    single = module._in_single(column[np.isfinite(column)])
    distinct, counts = np.unique(single, return_counts=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SIZE", 8)
        some = Repeated.of(column, None)
        patch.setattr(module, "SIZE", 1 << 15)
        expected = dict(zip(distinct[counts >= 4].tolist(), counts[counts >= 4].tolist(), strict=True))
    assert some.undercount >= 3
    assert as_dict(some).items() <= expected.items()
    if len(expected) <= 8:
        assert as_dict(some) == expected


def test_lists_do_not_depend_on_the_parts_while_they_are_long() -> None:
    """With fewer distinct values than a list has room for, parts in any order give the same exact sums."""
    rng = np.random.default_rng(1)
    values, weight = rng.integers(0, 500, 5_000) / 8, rng.normal(size=5_000)
    whole = Repeated.of(values, weight)
    order = rng.permutation(5_000)
    parts = Repeated.none(weighted=True)
    for part in np.array_split(order, 7):
        parts = Repeated.of(values[part], weight[part]) + parts
    assert parts.encoded() == whole.encoded()
    assert whole.undercount == 0
    assert whole.cut(STORED).values.size <= STORED


def test_ties_are_cut_off_together() -> None:
    """Which of equally common values are listed does not depend on their order: none is."""
    some = Repeated.of(np.repeat(np.arange(5.0), [3, 2, 2, 2, 1]), None).cut(2)
    assert as_dict(some) == {0.0: 3}
    assert some.undercount == 2


def test_what_is_stored_is_repeated() -> None:
    """Values of a single event are left out of a list that is stored, which is said once."""
    some = Repeated.of(np.array([1.0, 1.0, 2.0, 3.0]), None).stored()
    assert (as_dict(some), some.undercount, some.events) == ({1.0: 2}, 1, 4)
    assert some.stored().encoded() == some.encoded()
    assert Repeated.of(np.array([1.0, 1.0]), None).stored().undercount == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_a_spike_among_very_many_values_is_found(weighted: bool) -> None:  # noqa: FBT001
    """327 equal values among 200,000 that are all different are listed, alone, with their weights."""
    rng = np.random.default_rng(2)
    values = rng.exponential(size=200_000)
    values[rng.choice(values.size, 327, replace=False)] = 0.05
    weight = rng.random(values.size) if weighted else None
    some = Repeated.of(values, weight)
    listed = as_dict(some.cut(STORED))
    assert listed == {float(np.float32(0.05)): 327}
    assert some.cut(STORED).undercount <= 20
    if weight is not None:
        assert some.cut(STORED).with_weights().sumw is not None
        place = np.flatnonzero(some.values == np.float32(0.05))
        assert some.sumw is not None
        assert some.sumw.value[place] == pytest.approx(weight[values == 0.05].sum())


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(allow_subnormal=True, width=32), max_size=50))
def test_single_precision_changes_nothing(values: list[float]) -> None:
    """Numbers that single precision holds stay what they are, NaN and infinity are left out, and -0 is 0."""
    column: Array = np.array(values, dtype=np.float64)
    single: Array = np.array(np.array(values, dtype=np.float32), dtype=np.float64)
    listed = as_dict(Repeated.of(column, None))
    assert listed == as_dict(Repeated.of(single, None))
    assert sorted(listed) == sorted({float(v) + 0.0 for v in values if np.isfinite(v)})


@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e300, -1e-300, 5e-324, float(np.finfo(np.float64).max)])
def test_a_number_and_its_rounding_are_one(value: float) -> None:
    """A double is counted as what it is in 24 bits, at any magnitude, and hardly moved."""
    mantissa, exponent = np.frexp(value)
    rounded = float(np.ldexp(np.round(mantissa * 2**24) / 2**24, exponent)) if abs(value) < 1e308 else value
    some = Repeated.of(np.array([value, rounded if abs(value) > 1e-307 else value]), None)
    assert some.counts.tolist() == [2]
    assert some.values[0] == pytest.approx(value, rel=2**-24)


def test_unweighted_parts_count_as_weights_of_one() -> None:
    """A part without weights adds up with one that has some."""
    total = Repeated.of(np.array([1.0, 1.0]), None) + Repeated.of(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert total.sumw is not None
    assert total.sumw2 is not None
    assert (total.sumw.value.tolist(), total.sumw2.value.tolist()) == ([5, 4], [11, 16])


@pytest.mark.parametrize("weighted", [False, True])
def test_json_there_and_back(weighted: bool) -> None:  # noqa: FBT001
    """A stored list is read as it was written."""
    rng = np.random.default_rng(3)
    weight = rng.normal(size=900) if weighted else None
    some = Repeated.of(0.1 * rng.integers(0, 90, 900).astype(np.float64), weight).cut(STORED)
    text = json.dumps(some.encoded())
    assert Repeated.decoded(Node(json.loads(text)), 900, weighted=weighted).encoded() == some.encoded()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": [2.0, 1.0]}, "at most 64 values, ascending"),
        ({"values": [float(i) for i in range(65)], "counts": [1] * 65}, "at most 64 values, ascending"),
        ({"counts": [0, 1]}, "an integer from 1"),
        ({"counts": [3, 2]}, "at most 4 events in all"),
        ({"counts": [1]}, "an array of 2"),
        ({"events": 5}, "an integer from 0 to 4"),
        ({"undercount": 5}, "an integer from 0 to 4"),
        ({"sumw": {"leading": [1.0, 2.0], "rest": [0.0, 0.0]}}, "null, as events have no weights"),
    ],
)
def test_impossible_lists_are_refused(change: dict[str, Any], match: str) -> None:
    """A list that no events leave is refused by the place."""
    document = Repeated.of(np.array([1.0, 1.0, 2.0, 2.0]), None).encoded() | change
    with pytest.raises(InputError, match=match):
        Repeated.decoded(Node(document), 4, weighted=False)


@pytest.mark.parametrize(
    ("sums", "match"),
    [
        ({"sumw2": {"leading": [0.1], "rest": [0.0]}}, "squares as large as"),
        ({"sumw": {"leading": [2.0], "rest": [0.5]}}, "no more than what rounding"),
        ({"sumw": None}, "an object"),
    ],
)
def test_impossible_weights_are_refused(sums: dict[str, Any], match: str) -> None:
    """Sums that no weights have are refused."""
    document = Repeated.of(np.array([1.0, 1.0]), np.ones(2)).encoded() | sums
    with pytest.raises(InputError, match=match):
        Repeated.decoded(Node(document), 2, weighted=True)


def test_long_chunks_miss_rare_values_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more events than a list is long, values of fewer than four events are left out, and that is said."""
    monkeypatch.setattr(module, "SIZE", 100)
    some = Repeated.of(np.repeat(np.arange(60.0), np.arange(60) % 6), None)
    assert set(some.counts.tolist()) == {4, 5}
    assert some.undercount == 3

"""Digests depend on the values of a row alone, in each precision, and stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_ganvalid.overlaps.digests import (
    BLOCK,
    DOUBLE,
    HALF,
    LARGEST,
    PRECISIONS,
    SINGLE,
    Distinct,
    blocks,
    is_numeric,
    is_plain,
    leading,
    mix,
    rounded,
    row_digests,
    row_hashes,
    shared,
)
from pytest_ganvalid.samples.entries import Entries

FLOATS = hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(width=64, allow_subnormal=False))
SMALL = hnp.arrays(np.uint64, st.integers(0, 60), elements=st.integers(0, 9))
NORMAL = np.random.default_rng(1).normal(size=5_000)


@pytest.mark.parametrize("bits", PRECISIONS)
@settings(max_examples=40)
@given(FLOATS, st.data())
def test_digests_are_of_rows_and_not_of_tables(bits: int, x: Any, data: st.DataObject) -> None:
    """Permuted, sliced and otherwise ordered rows have the same digests, which differ where the rows differ."""
    x = np.where(np.abs(x) < 1e-37, 0.0, x)  # what single precision has no normal number for
    table = {"x": x, "y": x[::-1]}
    digests = row_digests(table, ("x", "y"), bits)
    order = np.array(data.draw(st.permutations(range(x.size))))
    moved = {name: values[order] for name, values in table.items()}
    np.testing.assert_array_equal(row_digests(moved, ("x", "y"), bits), digests[order])
    np.testing.assert_array_equal(row_digests({"y": x[::-1], "x": x}, ("x", "y"), bits), digests)
    np.testing.assert_array_equal(row_digests({"x": x[:1], "y": x[-1:]}, ("x", "y"), bits), digests[:1])
    numbers = np.stack([rounded(x, bits), rounded(x[::-1], bits)], axis=1)
    numbers[np.isnan(numbers)] = np.pi
    assert np.unique(digests).size == np.unique(numbers, axis=0).shape[0]


def test_columns_are_not_exchanged() -> None:
    """A row is not the same with the values of two columns exchanged, nor without one of them."""
    table = {"x": NORMAL, "y": np.exp(NORMAL), "c": np.zeros(5_000)}
    every = [row_digests(table, names) for names in (("x",), ("y",), ("x", "y"), ("y", "x"), ("c", "x"))]
    assert np.unique(np.concatenate(every)).size == 5_000 * 5


def test_equal_numbers_have_equal_digests() -> None:
    """Zero has one sign, NaN one form, and a number one digest in whichever type holds it."""
    payload = np.array([0x7FF8000000000001, 0xFFF0000000000001], np.uint64).view(np.float64)
    values = np.array([-0.0, 1.0, 0.0])
    for bits in PRECISIONS:
        assert set(row_digests({"x": payload}, ("x",), bits)) == set(
            row_digests({"x": np.full(1, -np.nan)}, ("x",), bits)
        )
        expected = row_digests({"x": values}, ("x",), bits)
        assert expected[0] == expected[2] != expected[1]
        for dtype in (bool, np.int8, np.uint64, np.float16, np.float32, np.longdouble, ">f8"):
            np.testing.assert_array_equal(row_digests({"x": values.astype(dtype)}, ("x",), bits), expected)


def test_what_is_rounded_has_the_digests_of_its_precision() -> None:
    """Copies in a narrower float agree once rounded to its precision or a coarser one, and hardly before."""
    copies: dict[int, Any] = {SINGLE: NORMAL.astype(np.float32), HALF: NORMAL.astype(np.float16)}
    for width, copy in copies.items():
        for bits in PRECISIONS:
            equal = row_digests({"x": copy}, ("x",), bits) == row_digests({"x": NORMAL}, ("x",), bits)
            # Ties of half precision go elsewhere in IEEE 754, one in 2¹³ of those in single precision.
            assert np.mean(equal) > 0.998 if bits <= width else np.mean(equal) < 0.002


@given(FLOATS)
def test_rounding_is_to_the_nearest(x: Any) -> None:
    """What is rounded is within half a unit in the last place of so many bits, and is left as it is a second time."""
    x = x[np.abs(x) < 1e30]
    x = x[(x == 0) | (np.abs(x) > 1e-30)]
    for bits in PRECISIONS:
        found = rounded(x, bits)
        assert found.dtype == np.float64
        with np.errstate(divide="ignore"):
            unit = 2.0 ** (np.floor(np.log2(np.abs(x))) + 1 - bits)
        assert np.all(np.abs(found - x) <= np.where(x == 0, 0, 0.5001 * unit))
        np.testing.assert_array_equal(rounded(found, bits), found)
    np.testing.assert_array_equal(rounded(x, DOUBLE), x)
    np.testing.assert_array_equal(rounded(x, SINGLE), x.astype(np.float32))


def test_ties_are_rounded_away_from_zero() -> None:
    """Half way between two numbers of half precision, the larger one is taken, of either sign."""
    ties = np.array([1 + 2**-11, 1 + 3 * 2**-11, -1 - 2**-11])
    np.testing.assert_array_equal(rounded(ties, HALF), [1 + 2**-10, 1 + 2**-9, -1 - 2**-10])
    just_below = np.nextafter(ties.astype(np.float32), np.float32(0))
    np.testing.assert_array_equal(rounded(just_below, HALF), [1, 1 + 2**-10, -1])


def test_numbers_that_a_precision_lacks() -> None:
    """What is too large for single precision becomes infinite without a warning, and undefined values stay so."""
    with np.errstate(all="raise"):
        found = rounded(np.array([1e300, -1e300, np.inf, np.nan, -np.nan]), SINGLE)
        half = rounded(np.array([1e300, np.nan]), HALF)
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(half, [np.inf, np.nan])
    assert len(set(found[3:].view(np.uint64).tolist())) == 1


def test_input_is_left_alone() -> None:
    """Digests do not change what they are of: neither its zeros nor its undefined values."""
    x = np.array([-0.0, np.nan, 1.0])
    for values in (x, x.astype(np.float32)):
        before = values.tobytes()
        for bits in PRECISIONS:
            row_digests({"x": values}, ("x",), bits)
            rounded(values, bits)
        assert values.tobytes() == before


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (DOUBLE, [0x9EBCABE290AE967C, 0x908027EF320996A8, 0xA9BCDCDF85CE1972]),
        (SINGLE, [0xD3339FEB68512613, 0x7DAD0D118E7F16B3, 0xD892E59697F23426]),
        (HALF, [0xD3339FEB68512613, 0x7DAD0D118E7F16B3, 0xCCCABE78B62FBC82]),
    ],
)
def test_digests_do_not_change_with_the_version(bits: int, expected: list[int]) -> None:
    """Stored fingerprints stay readable: the digests of some rows are what they were."""
    rows = {"x": np.array([0.0, 1.5, 1 / 3]), "y": np.array([-1, 2, 3])}
    assert row_digests(rows, ("x", "y"), bits).tolist() == expected
    hashes = row_hashes(rows, ("x", "y"), bits)
    assert hashes.tolist() == [digest >> 32 for digest in expected]
    assert row_digests(rows, ("x", "y"), bits, hashes).tolist() == expected
    assert row_digests(rows, ("x", "y"), bits, hashes + np.uint32(1))[0] == expected[0] + 2**32


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (DOUBLE, [0xDF7D68B0179952E1, 0xF6B243A910FFAF38, 0xFBC2AF34B929C65E, 0x96811F8E74F39808]),
        (SINGLE, [0xE7FD068FAA8BD3E6, 0x6F3DBB78DCA36AD9, 0xF9BE6C5D8C83F321, 0x7176D852ABA3CAA1]),
        (HALF, [0xE7FD068FAA8BD3E6, 0x6F3DBB78DCA36AD9, 0xF9BE6C5D8C83F321, 0x4A29198FFC2821CD]),
    ],
)
def test_digests_of_entries_do_not_change_with_the_version(bits: int, expected: list[int]) -> None:
    """Stored fingerprints of events with several entries, or none, stay readable."""
    rows: dict[str, Any] = {"jet": Entries.of([[], [1.0], [1.0, 2.0], [1 / 3]]), "x": np.zeros(4)}
    assert row_digests(rows, ("jet", "x"), bits).tolist() == expected


def test_digests_are_mixed_as_published() -> None:
    """The finaliser is that of splitmix64: its first numbers from seeds 0, 1 and 2⁶⁴ - 1."""
    digests = np.array([0, 1, LARGEST], np.uint64)
    mix(digests)
    assert digests.tolist() == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1, 0xE4D971771B652C20]


@pytest.mark.parametrize("rows", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_do_not_show(rows: int) -> None:
    """A sample of several blocks has the digests of its parts, read in strides or not, each row in one block."""
    x = np.random.default_rng(2).normal(size=(rows, 2))
    whole = row_digests({"x": x[:, 0], "y": x[:, 1]}, ("x", "y"))
    parts = [row_digests({"x": part[:, 0], "y": part[:, 1]}, ("x", "y")) for part in np.array_split(x, 7) if part.size]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert np.unique(whole).size == rows
    slices = list(blocks(rows))
    np.testing.assert_array_equal(np.concatenate([np.arange(rows)[block] for block in slices]), np.arange(rows))
    assert slices[-1].stop == rows


def test_blocks_of_entries_do_not_show() -> None:
    """Events with any number of entries have the digests of their parts."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(1, 70_000)
    jagged = Entries(rng.normal(size=counts.sum()), counts)
    parts = [row_digests({"jet": jagged[rows]}, ("jet",)) for rows in (slice(0, 100), slice(100, None))]
    np.testing.assert_array_equal(row_digests({"jet": jagged}, ("jet",)), np.concatenate(parts))


@settings(max_examples=40)
@given(st.lists(st.lists(st.floats(width=32), max_size=4), min_size=1, max_size=30), st.data())
def test_digests_of_entries(events: list[list[float]], data: st.DataObject) -> None:
    """Events have equal digests if they have the same entries in the same order, wherever they are in the table."""
    jagged = Entries.of([np.array(event, float) for event in events])
    digests = row_digests({"jet": jagged}, ("jet",))
    order = np.array(data.draw(st.permutations(range(len(events)))))
    np.testing.assert_array_equal(row_digests({"jet": jagged[order]}, ("jet",)), digests[order])
    rows = {tuple(np.nan_to_num(np.array(event) + 0.0, nan=np.pi).tolist()) for event in events}
    assert np.unique(digests).size == len(rows)


@pytest.mark.parametrize("values", [np.arange(20_000.0), NORMAL, np.arange(2_000.0) / 16])
def test_digests_are_spread_evenly(values: Any) -> None:
    """Whatever the values, all bits of digests are as often 0 as 1, and rows chosen by digests are a fair share."""
    for bits in PRECISIONS:
        digests = np.unique(row_digests({"x": values}, ("x",), bits))
        ones = digests[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
        assert np.abs(ones.mean(0) - 0.5).max() < 5 * 0.5 / digests.size**0.5
        assert np.abs(digests / LARGEST - np.linspace(0, 1, digests.size)).max() < 2.5 / digests.size**0.5


def test_what_is_numeric() -> None:
    """Real numbers, one or several per event, make up rows; words, objects and complex numbers do not."""
    numbers = [np.array(values) for values in ([1.0], [True], [1], np.ones(1, np.uint8), np.ones(1, np.float16))]
    assert all(is_plain(values) and is_numeric(values) for values in numbers)
    others: list[object] = [np.array(["w"]), np.array([1j]), np.array([object()]), np.ones((2, 2)), [1.0], None]
    assert not any(is_plain(values) or is_numeric(values) for values in others)
    several = Entries.of([[1.0], [2.0, 3.0]])
    assert is_numeric(several)
    assert not is_plain(several)
    assert not is_numeric(Entries(np.array(["a"]), np.array([1])))


def test_one_number_stands_for_several() -> None:
    """Of several entries the first one stands for the event, and none is undefined; a number is itself, in double."""
    several = Entries.of([[], [1.5, 2.0], [], [3.0], []])
    np.testing.assert_array_equal(leading(several), [np.nan, 1.5, np.nan, 3.0, np.nan])
    found = leading(np.array([1, 2], np.int8))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1, 2])
    np.testing.assert_array_equal(np.signbit(leading(np.array([-0.0]))), [False])


def _distinct(values: Any, keys: Any = None) -> Distinct:
    """Count values, in the order of their keys, which are the values themselves if none are given."""
    numbers, first, counts = np.unique(values, return_index=True, return_counts=True)
    of_each = numbers if keys is None else keys[first]
    order = np.argsort(of_each, kind="stable")
    return Distinct(of_each[order], numbers[order], counts[order], first[order], len(values), LARGEST)


@given(SMALL, SMALL)
def test_shared_rows_are_those_of_a_slow_count(a: Any, b: Any) -> None:
    """Distinct rows, repeated ones and those in common are those of a count by hand, whatever they are chosen by."""
    for coarse in (np.uint64(1), np.uint64(3)):
        first, second = _distinct(a, a // coarse), _distinct(b, b // coarse)
        assert first.repeats == a.size - len(set(a.tolist()))
        assert first.occurring(2) == sum(a.tolist().count(value) == 2 for value in set(a.tolist()))
        in_first, in_second = shared(first, second)
        np.testing.assert_array_equal(first.values[in_first], second.values[in_second])
        assert first.values[in_first].tolist() == sorted(set(a.tolist()) & set(b.tolist()))

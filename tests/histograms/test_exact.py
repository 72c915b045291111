"""Sums of weights are those of exact arithmetic, in whatever parts they are summed up."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid.histograms.exact import Total, adds_exactly, leading_part, total_by_bin

Array = NDArray[np.float64]
RNG = np.random.default_rng(1)
N = 60_000


def _cancelling(rng: np.random.Generator) -> Array:
    """Weights of both signs that all but cancel."""
    half = rng.normal(1, 0.3, N // 2)
    return rng.permutation(np.concatenate([half, -half * (1 + 1e-9 * rng.normal(size=half.size))]))


WEIGHTS = {
    "positive": RNG.exponential(size=N),
    "next to leading order": RNG.choice([1.0, -1.0], N, p=[0.6, 0.4]) * RNG.exponential(size=N),
    "as many of either sign": RNG.normal(size=N),
    "cancelling": _cancelling(RNG),
    "many magnitudes": RNG.choice([1.0, -1.0], N) * 10.0 ** RNG.uniform(-8, 8, N),
    "positive, many magnitudes": 10.0 ** RNG.uniform(-25, 25, N),
    "cross sections": RNG.exponential(size=N) * 1e-38,
    "tiny": RNG.normal(size=N) * 1e-89,
    "huge": RNG.normal(size=N) * 1e89,
    "one": np.ones(N),
    "zero": np.zeros(N),
    "mostly zero": RNG.normal(size=N) * (RNG.random(N) < 1e-3),
}


def _values(index: NDArray[np.intp], weights: Array, size: int, chunk: int) -> Array:
    parts = [total_by_bin(index[i : i + chunk], weights[i : i + chunk], size) for i in range(0, weights.size, chunk)]
    return reduce(add, parts).value


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("chunk", [N, 7_919, 64])
def test_sums_are_exact(kind: str, chunk: int) -> None:
    """The relative error of each sum is below 10⁻¹⁵, however much cancels, and whatever is in the other bins."""
    weights = WEIGHTS[kind]
    index = np.arange(N) % 7
    found = _values(index, weights, 7, chunk)
    for i in range(7):
        exact = math.fsum(weights[index == i])
        assert abs(found[i] - exact) <= 1e-15 * abs(exact), (i, found[i], exact)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_order_and_chunks_do_not_matter(kind: str) -> None:
    """The sums are the same to the last bit in any order and in chunks of any size."""
    weights = WEIGHTS[kind]
    index = np.random.default_rng(2).integers(0, 5, N)
    whole = _values(index, weights, 5, N)
    for seed, chunk in enumerate((N, 10_000, 999, 100)):
        order = np.random.default_rng(seed).permutation(N)
        found = _values(index[order], weights[order], 5, chunk)
        np.testing.assert_array_max_ulp(found, whole, maxulp=0 if chunk > 100 else 1)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_other_bins_do_not_matter(scale: float) -> None:
    """A bin of small weights is summed up as exactly beside one of large weights as alone."""
    small = RNG.normal(size=N)
    weights = np.concatenate([small, scale * RNG.exponential(size=N)])
    index = np.repeat([0, 1], N)
    exact = math.fsum(small)
    assert abs(total_by_bin(index, weights, 2).value[0] - exact) <= 1e-15 * abs(exact)


@given(
    st.lists(st.floats(-1e80, 1e80, allow_subnormal=False).filter(lambda x: not x or abs(x) > 1e-80), min_size=1),
    st.integers(1, 9),
)
@settings(max_examples=300)
def test_any_few_weights(listed: list[float], chunk: int) -> None:
    """Sums of any numbers are off by 10⁻³⁰ of the largest, plus the rounding of the result."""
    weights = np.array(listed)
    exact = sum(map(Fraction, listed), Fraction(0))
    found = Fraction(float(_values(np.zeros(weights.size, dtype=np.intp), weights, 1, chunk)[0]))
    largest = Fraction(float(np.abs(weights).max()))
    assert abs(found - exact) <= abs(exact) * Fraction(2) ** -53 + largest * weights.size * Fraction(10) ** -30


@pytest.mark.parametrize("size", [1, 2, 3, 1023, 1024, 1025, (1 << 15) - 1, 1 << 15, (1 << 15) + 1, 1 << 17, 1 << 20])
def test_number_of_weights(size: int) -> None:
    """Any number of weights is summed up exactly, whether their number is a power of two or not."""
    weights = np.random.default_rng(size).exponential(size=size)
    exact = math.fsum(weights)
    found = total_by_bin(np.zeros(size, dtype=np.intp), weights, 1).value[0]
    assert abs(found - exact) <= 1e-15 * exact


@pytest.mark.parametrize("small", [5e-324, 1e-310, 1e-300, 1e-150])
def test_weights_next_to_nothing(small: float) -> None:
    """Weights that are nothing beside the others, down to the smallest float, do no harm."""
    weights = np.array([1.0, small, 3.0, -small, 0.1])
    for some in (weights, weights * small, np.array([small, 0.0, small])):
        exact = math.fsum(some)
        found = total_by_bin(np.zeros(some.size, dtype=np.intp), some, 1).value[0]
        assert abs(found - exact) <= 1e-15 * exact


def test_no_weights() -> None:
    """Of no numbers at all the sums are 0."""
    none = total_by_bin(np.zeros(0, dtype=np.intp), np.zeros(0), 3)
    assert none.value.tolist() == [0, 0, 0]


reals = st.floats(-1e60, 1e60, allow_subnormal=False).filter(lambda x: not x or abs(x) > 1e-60)


@given(st.lists(reals, min_size=3, max_size=3), st.lists(reals, min_size=3, max_size=3))
@settings(max_examples=300)
def test_totals_are_associative(leading: list[float], small: list[float]) -> None:
    """Totals add up to the same in any grouping and order, to 10⁻³⁰ of their magnitudes."""
    a, b, c = (
        Total.of(np.array([x])) + Total.of(np.array([x * 1e-17 + y * 1e-30]))
        for x, y in zip(leading, small, strict=True)
    )
    exact = sum((Fraction(float(t.leading[0])) + Fraction(float(t.rest[0])) for t in (a, b, c)), Fraction(0))
    size = sum(abs(Fraction(float(t.leading[0]))) for t in (a, b, c))
    for total in ((a + b) + c, a + (b + c), (c + a) + b, c + b + a):
        found = Fraction(float(total.leading[0])) + Fraction(float(total.rest[0]))
        assert abs(found - exact) <= size * Fraction(10) ** -30


def test_integers_are_exact() -> None:
    """Counts far beyond what a float holds in part sums still come out as if added in integers."""
    totals = [Total.of(np.array([n])) for n in (2**53 - 1, 1, 2**53 - 1, 2**60, 3)]
    assert reduce(add, totals).value[0] == float(2 * 2**53 - 1 + 2**60 + 3)
    assert reduce(add, totals).leading[0] + 0.0 == reduce(add, totals[::-1]).leading[0]


def _fraction(total: Total) -> list[Fraction]:
    """What a total holds, exactly."""
    return [Fraction(a) + Fraction(b) for a, b in zip(total.leading.tolist(), total.rest.tolist(), strict=True)]


BINADE = np.random.default_rng(3).uniform(1, 2, 1 << 12) * (1 + 2.0**-52)
WORST = {
    "one binade": BINADE,
    "one binade, all but 2": np.full(1 << 12, math.nextafter(2.0, 0.0)),
    "just below and just above a power": np.resize([math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0)], 1 << 12),
    "mixed signs of one binade": BINADE * np.resize([1, -1], 1 << 12),
    "one large, many small": np.concatenate([[2.0**60], BINADE[1:] * 2.0**-53]),
    "one large of the other sign": np.concatenate([[-(2.0**60)], BINADE[1:]]),
    "every binade of a float": np.resize(2.0 ** np.arange(-60.0, 60.0) * (1 + 2.0**-52), 1 << 12),
    "of either sign, every binade": np.resize([1, -1, 1], 1 << 12) * np.resize(BINADE[:97] ** 80, 1 << 12),
    "all equal": np.full(1 << 12, 0.1),
}


@pytest.mark.parametrize("kind", WORST)
@pytest.mark.parametrize("number", [1 << 12, (1 << 12) - 1, (1 << 11) + 1, 1 << 5, 3, 2, 1])
def test_one_bin_at_its_worst(kind: str, number: int) -> None:
    """In one bin, with a power of two of weights or one more or less, the error is 10⁻³⁰ of the largest at most."""
    weights = WORST[kind][:number]
    (found,) = _fraction(total_by_bin(np.zeros(number, dtype=np.intp), weights, 1))
    exact = sum(map(Fraction, weights.tolist()), Fraction(0))
    assert abs(found - exact) <= Fraction(float(np.abs(weights).max())) * Fraction(10) ** -30


@pytest.mark.parametrize("kind", WORST)
@pytest.mark.parametrize("parts", [1, 2, 7, 64])
def test_parts_of_any_sizes_give_the_same_to_the_last_bit(kind: str, parts: int) -> None:
    """Filled in parts of random sizes, empty ones too, the value of a bin is that of filling at once."""
    weights, rng = WORST[kind], np.random.default_rng(parts)
    index = np.arange(weights.size) % 3
    cuts = np.sort(rng.integers(0, weights.size + 1, parts)).tolist()
    pieces = [slice(a, b) for a, b in pairwise([0, *cuts, weights.size])]
    found = reduce(add, [total_by_bin(index[piece], weights[piece], 3) for piece in pieces]).value
    np.testing.assert_array_equal(found, total_by_bin(index, weights, 3).value)
    assert found.tolist() == [math.fsum(weights[index == i]) for i in range(3)]


@pytest.mark.parametrize("exponent", [0, 100, -100])
def test_adding_exactly_is_decided_by_the_carry(exponent: int) -> None:
    """Floats of 53 bits add up without rounding only if their sum leaves the last of them its place, whatever 2 to."""
    scale = 2.0**exponent
    assert adds_exactly(scale, scale, 1)
    assert not adds_exactly(scale, scale, 2)
    assert adds_exactly(scale, 2 * scale, 2)
    assert not adds_exactly(scale, 2 * scale, 3)
    assert adds_exactly(scale, 4 * scale, 4)
    assert not adds_exactly(scale, 4 * scale, 5)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 1023, 1024, 1025])
@pytest.mark.parametrize("largest", [1.0, 1.5, math.nextafter(2.0, 0.0), 1e-30, 1e30])
def test_leading_parts_add_up_without_rounding(number: int, largest: float) -> None:
    """The sum of so many leading parts, all as large as can be, is a float, and what they leave is small."""
    values = np.array([largest, -largest, largest * (1 - 2.0**-50), largest / 3])
    part = leading_part(values, largest, number)
    for x, p in zip(values.tolist(), part.tolist(), strict=True):
        exact = number * Fraction(p)
        assert Fraction(float(exact)) == exact
        assert abs(Fraction(x) - Fraction(p)) <= Fraction(largest) * (2 * number) * Fraction(2) ** -51
    assert (part != 0).any()


@pytest.mark.parametrize("scale", [2.0**-300, 2.0**-60, 1.0, 2.0**60])
@pytest.mark.parametrize("zeros", [1, 1 << 11])
def test_zeros_do_no_harm(scale: float, zeros: int) -> None:
    """A zero among weights of one sign is not taken for the least of them."""
    weights = scale * BINADE
    weights[:zeros] = 0.0
    (found,) = _fraction(total_by_bin(np.zeros(weights.size, dtype=np.intp), weights, 1))
    exact = sum(map(Fraction, weights.tolist()), Fraction(0))
    assert abs(found - exact) <= Fraction(2 * scale) * Fraction(10) ** -30


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 8, 9, 64])
def test_leading_parts_of_different_numbers_add_up(sign: int, number: int) -> None:
    """However many different numbers just below a power of two there are, their leading parts have a sum in floats."""
    values = sign * (2.0 - np.arange(1, number + 1) * 2.0**-52)
    exact = sum(map(Fraction, leading_part(values, float(np.abs(values).max()), number).tolist()), Fraction(0))
    assert Fraction(float(exact)) == exact

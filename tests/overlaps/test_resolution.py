"""How rarely independent values of a column agree is told, and what only numbers the events is told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.overlaps.digests import DOUBLE, HALF, SINGLE, rounded
from pytest_ganvalid.overlaps.resolution import (
    collision,
    freedom,
    is_short,
    numbers_at_random,
    numbers_in_order,
    numeric_columns,
)
from pytest_ganvalid.samples.entries import Entries

N = 5_000
RNG = np.random.default_rng(1)
NORMAL, UNIFORM, OTHER = RNG.normal(size=N), RNG.random(N), RNG.normal(size=N)

# Name -> column, and the probability that two of its values agree.
LATTICES: dict[str, tuple[Any, float]] = {
    "uniform": (np.floor(UNIFORM * 1e6), 1e-6),
    "fine": (np.floor(UNIFORM * 1e9), 1e-9),
    "scaled": (np.floor(UNIFORM * 1e6) * 0.0137 + 0.3, 1e-6),
    "scaled and fine": (np.floor(UNIFORM * 1e8) * 0.0137 + 0.3, 1e-8),
    "normal": (np.round(NORMAL * 1e5), 0.2821e-5),
    "coarse": (np.round(NORMAL * 100) * 0.0137 + 0.3, 2.821e-3),
    "logarithms": (np.log1p(np.floor(RNG.exponential(size=N) * 1e3)), 0.5e-3),
    "coarse in single": ((np.round(NORMAL * 100) * 0.0137 + 0.3).astype(np.float32).astype(float), 2.821e-3),
}


@pytest.mark.parametrize("kind", LATTICES)
def test_values_on_a_lattice_agree_as_often_as_said(kind: str) -> None:
    """The probability that two values of a lattice agree is not underestimated, and by little overestimated."""
    column, chance = LATTICES[kind]
    assert chance < collision(column, DOUBLE) < 8 * chance


def test_floats_agree_by_their_width() -> None:
    """Values of full resolution agree as often as their float is wide, with a factor of 16 to spare."""
    ulps = {SINGLE: 2.0**-23, HALF: 2.0**-10}
    for bits, ulp in ulps.items():
        assert collision(1 + UNIFORM, bits) == pytest.approx(16 * ulp, rel=0.1)
        assert collision(256 * (1 + UNIFORM), bits) == pytest.approx(16 * ulp, rel=0.1)
    assert 16 * 2.0**-52 <= collision(1 + UNIFORM, DOUBLE) < 1e-9  # few values may seem to be on a fine lattice
    half = rounded(1 + UNIFORM, HALF)
    assert 0 < np.mean(half[:-1] == half[1:]) < 16 * ulps[HALF]


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, SINGLE), (np.float16, HALF)])
def test_a_narrow_sample_is_no_finer_in_a_wider_float(dtype: Any, bits: int) -> None:
    """What was stored in a narrower float agrees as often in double precision as in its own."""
    narrow = (1 + UNIFORM).astype(dtype).astype(float)
    assert collision(narrow, DOUBLE) == collision(narrow, bits) > 0.9 * collision(1 + UNIFORM, bits)


def test_repetitions_tell_the_resolution_of_any_lattice() -> None:
    """Where neither floats nor an even lattice say it, the pairs of values that agree do, whatever the density."""
    rng = np.random.default_rng(2)
    ratios = rng.poisson(20, 20_000) / (1 + rng.poisson(20, 20_000))
    chance = np.mean(ratios[:10_000] == ratios[10_000:])
    assert chance < collision(ratios, DOUBLE) < 8 * chance
    mixed = np.where(UNIFORM < 0.5, NORMAL, np.round(OTHER * 10) * 0.0137)  # a lattice in half of the events
    assert 0.25 * 0.02821 < collision(mixed, DOUBLE) < 8 * 0.25 * 0.02821


@pytest.mark.parametrize("copies", [2, 3])
def test_rows_that_were_repeated_are_no_lattice(copies: int) -> None:
    """Events that were all repeated, to give them weight, are resolved like the events."""
    assert collision(np.repeat(NORMAL, copies), DOUBLE) == pytest.approx(collision(NORMAL, DOUBLE))


def test_what_has_no_resolution() -> None:
    """Few different values, or none that are finite, do not say how often they agree: always, for all that is known."""
    for column in (np.arange(15.0), np.tile(np.arange(15.0), 99), np.full(N, np.nan), np.empty(0), np.full(N, 0.3)):
        assert collision(column, DOUBLE) == 1
    assert collision(NORMAL[:16], DOUBLE) < 1e-6
    holes = np.where(UNIFORM < 0.5, np.nan, NORMAL)
    assert collision(holes, DOUBLE) == collision(holes[UNIFORM >= 0.5], DOUBLE) < 1e-9
    for scale in (1e307, 1e-308, 5e-324):
        assert 0 <= collision(NORMAL * scale, DOUBLE) <= 1


def test_freedom() -> None:
    """A function of a column is not free given it, of one branch or two; an independent one is."""
    assert freedom(NORMAL, OTHER) > 0.8
    for function in (np.exp(NORMAL), -(NORMAL**3), NORMAL, np.exp(NORMAL).astype(np.float32).astype(float)):
        assert freedom(NORMAL, function) < 0.15
    assert freedom(NORMAL, NORMAL**2) < 0.2
    assert freedom(NORMAL**2, NORMAL) < 0.3  # of two branches
    smeared = [freedom(NORMAL, NORMAL + width * OTHER) for width in (1e-6, 1e-3, 0.1, 1, 100)]
    assert smeared == sorted(smeared)
    assert smeared[0] < 0.15
    assert 0.4 < smeared[3] < 1
    assert smeared[4] > 0.8


def test_common_values_free_no_column() -> None:
    """Rows with a value that many share do not count: of a spike nothing follows, and nothing does of few rows."""
    spike = np.where(UNIFORM < 0.9, 0.0, NORMAL)
    assert freedom(spike, np.exp(spike)) < 0.25
    assert freedom(np.exp(spike), spike) < 0.25
    assert freedom(spike, np.where(UNIFORM < 0.9, np.nan, OTHER)) > 0.6
    assert freedom(np.zeros(N), OTHER) == 0
    assert freedom(NORMAL[:63], OTHER[:63]) == 0
    assert freedom(NORMAL[:64], OTHER[:64]) > 0
    assert freedom(np.full(N, np.nan), OTHER) == 0


def test_short_numbers() -> None:
    """Special values have few digits: up to six, or four of those that single precision holds."""
    short = [0.0, -0.0, 1.0, -1.0, -999.0, 1e6, 1e-5, 0.1, 1.23456e15, 1.23456e-7, -9999.0, 2.5e30, np.inf, np.nan]
    assert is_short(np.array(short)).all()
    long = [1 / 3, np.pi, 1.234567, -1234567.0, 12345.0, 0.12345678, 1e-5 + 1e-12]
    assert not is_short(np.array(long)).any()
    single = np.array([0.1, -999.9, 1e-5, 2.5e30, 1234.0, 1e30]).astype(np.float32).astype(float)
    assert is_short(single).all()
    assert not is_short(np.array([1 / 3, np.pi, 12345.0, 1.2345]).astype(np.float32).astype(float)).any()
    assert is_short(np.array([[1.0, np.pi], [np.e, 2.0]])).tolist() == [[True, False], [False, True]]
    assert is_short(np.array([1e308, 5e-324, 1e-300])).tolist() == [True, False, True]
    assert is_short(NORMAL).mean() < 0.001


def test_numbers_in_order() -> None:
    """Integers that only ever rise number the events, in any type; a hundred of them at least, to be sure."""
    order = np.cumsum(RNG.integers(1, 9, 200))
    assert all(numbers_in_order(values) for values in (order, order.astype(float), order.astype(np.uint64)))
    swapped = order.copy()
    swapped[[150, 151]] = swapped[[151, 150]]
    early = order.copy()
    early[[50, 51]] = early[[51, 50]]
    equal = order.copy()
    equal[151] = equal[150]
    no_integers = np.sort(UNIFORM[:200])
    others = [swapped, early, equal, no_integers, order[:99], order[::-1], order > 0, np.zeros(200), list(order)]
    assert [numbers_in_order(values) for values in others] == [False] * len(others)
    assert numbers_in_order(order[:100])
    assert not numbers_in_order(Entries(order, np.ones(200, int)))


def test_numbers_at_random() -> None:
    """Integers all of which differ and that are evenly spread are numbers; counts with a peak are none."""
    numbers = {
        "permutation": RNG.permutation(N),
        "sparse": RNG.permutation(10 * N)[:N],
        "large": RNG.integers(-(2**62), 2**62, N),
        "floats": RNG.permutation(10 * N)[:N].astype(float),
        "few": RNG.permutation(100),
    }
    assert all(numbers_at_random(values) for values in numbers.values())
    others: dict[str, Any] = {
        "counts": RNG.poisson(1e12, N),
        "repeated": np.append(RNG.permutation(N), 7),
        "reals": UNIFORM,
        "too few": RNG.permutation(99),
        "booleans": UNIFORM < 0.5,
        "infinite": np.append(RNG.permutation(N).astype(float), np.inf),
        "entries": Entries(RNG.permutation(N), np.ones(N, int)),
    }
    assert [name for name, values in others.items() if numbers_at_random(values)] == []


def test_numbers_at_random_are_evenly_spread() -> None:
    """Numbers are as even as random ones are: three times the usual departure from that is no chance."""
    even = np.linspace(0, 1, N)
    for departure, expected in ((1.5, True), (3.0, False)):
        uneven = even + departure / N**0.5 * np.sin(np.pi * even)
        assert numbers_at_random(RNG.permutation(np.round(1e9 * uneven))) == expected


def test_numeric_columns() -> None:
    """Columns of numbers are named in order, without those that number the events and those of other kinds."""
    columns: dict[str, Any] = {
        "z": NORMAL,
        "event": np.arange(N),
        "jet": Entries(NORMAL, np.ones(N, int)),
        "word": np.full(N, "a"),
        "a": UNIFORM < 0.5,
        "complex": NORMAL * 1j,
    }
    assert numeric_columns(columns) == ("a", "jet", "z")

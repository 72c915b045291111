"""Rows are recognised by columns that tell events apart, and keys say how rarely independent ones agree."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.overlaps.digests import DOUBLE, HALF, PRECISIONS, SINGLE
from pytest_ganvalid.overlaps.key import HEAD, FineColumn, Key, key_columns, key_of, tells_events
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample

N = 2_000
Table = dict[str, Any]


def _events(seed: int, n: int = N) -> Table:
    """One column of full resolution, others that tell less, and some that say nothing of what happened."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=n),
        "energy": rng.exponential(size=n) * (rng.random(n) < 0.3),
        "n": rng.poisson(3, n),
        "file": np.repeat([1, 2, 3, 4], n // 4),
        "event": rng.permutation(10 * n)[:n],
        "row": np.arange(n),
        "c": np.full(n, 1.5),
        "word": np.full(n, "a"),
    }


def _chosen(read: tuple[str, ...], left_out: tuple[str, ...] = ()) -> tuple[tuple[str, ...], bool]:
    tables = [{name: v for name, v in _events(seed).items() if name not in left_out} for seed in (1, 2)]
    return key_columns([Sample(table) for table in tables], read)


def test_columns_that_are_read_are_enough() -> None:
    """What is read anyway comes first, and others only where it does not tell events apart; labels never do."""
    rng = np.random.default_rng(13)
    tables = [{**_events(seed), "y": rng.normal(size=N), "z": rng.normal(size=N)} for seed in (1, 2)]
    samples = [Sample(table) for table in tables]
    assert key_columns(samples, ("y", "z")) == (("y", "z"), True)
    assert key_columns(samples, ("z", "x")) == (("x", "z"), True)
    assert key_columns(samples, ("energy", "z", "file", "n", "event", "c")) == (("energy", "x", "z"), True)
    assert key_columns(samples, ()) == (("x", "y"), True)
    assert key_columns(samples, tuple(tables[0])) == (("energy", "x", "y", "z"), True)
    assert _chosen(()) == (("energy", "x"), False)  # without y and z


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (("x",), ("energy",)),
        (("x", "energy"), ("file", "n")),  # for want of anything else
        (("x", "energy", "n"), ("file",)),
        (("x", "energy", "n", "file"), ("c", "event")),
        (("x", "energy", "n", "file", "event"), ("c",)),
        (("x", "energy", "n", "file", "event", "c", "row"), ()),
    ],
)
def test_keys_of_poor_columns(left_out: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Where nothing tells most events apart, what tells something is taken, and it is said that it does not."""
    assert _chosen((), left_out) == (expected, False)


def test_numbers_alone() -> None:
    """Numbers of events make up rows only if there is nothing else."""
    rng = np.random.default_rng(14)
    tables: list[Table] = [{"row": np.arange(N), "x": rng.normal(size=N)} for _ in "12"]
    assert key_columns([Sample(table) for table in tables], ("row",))[0] == ("x",)
    assert key_columns([Sample({"row": table["row"]}) for table in tables], ())[0] == ("row",)


def test_counts_tell_events_apart_together() -> None:
    """Columns none of which tells most rows apart do it together, as few as it takes, without a label among them."""
    rng = np.random.default_rng(3)
    tables = [{name: rng.poisson(900, 1_000) for name in "abcd"} for _ in "12"]
    for table in tables:
        table["file"] = np.arange(1_000) % 4
    names, tells = key_columns([Sample(table) for table in tables], ())
    assert tells
    assert len(names) == 3
    assert set(names) < set("abcd")
    assert key_columns([Sample(table) for table in tables], ("d", "file"))[0][-1] == "d"


def test_two_columns_of_full_resolution_are_enough_to_be_sparing() -> None:
    """For samples that are not at hand no more columns are asked for than two in which all events differ."""
    rng = np.random.default_rng(17)
    table: Table = {name: 100 + rng.normal(size=N) for name in "abc"}  # which half precision tells apart badly
    table["n"] = rng.poisson(900, N)
    sample = Sample(table)
    assert key_columns([sample], ("a", "b"))[0] == ("a", "b", "c")
    assert key_columns([sample], ("a", "b"), sparing=True) == (("a", "b"), True)
    assert key_columns([sample], ("a",), sparing=True) == (("a", "b"), True)


def test_a_column_of_one_side_alone_is_no_part() -> None:
    """What one sample lacks, or numbers in order or at random, or holds as another kind, makes up no row."""
    rng = np.random.default_rng(4)
    first: Table = {name: rng.normal(size=N) for name in "abcde"}
    second: Table = {name: rng.normal(size=N) for name in "acde"}
    second["c"], second["d"], second["e"] = np.full(N, "word"), np.arange(N), rng.permutation(N)
    for one, other in ((first, second), (second, first)):
        assert key_columns([Sample(one), Sample(other)], ()) == (("a",), False)


def test_events_of_several_entries_are_told_apart() -> None:
    """Entries are taken where plain columns do not tell events apart, and are enough by themselves."""
    rng = np.random.default_rng(5)
    counts = 1 + rng.poisson(3, N)
    jets = Entries(rng.exponential(size=int(counts.sum())), counts)
    table: Table = {"jet": jets, "n": rng.poisson(3, N)}
    assert key_columns([Sample(table)], ())[0] == ("jet",)
    assert key_columns([Sample({**table, "x": rng.normal(size=N), "y": rng.normal(size=N)})], ())[0] == ("x", "y")
    key = key_of(table, ("jet",))
    assert [column.name for column in key.fine] == ["jet"]
    assert key.tells


@pytest.mark.parametrize(
    ("columns", "bits"), [(("a", "b"), HALF), (("a",), SINGLE), (("fine",), DOUBLE), (("n",), HALF), (("b", "n"), HALF)]
)
def test_rows_are_chosen_in_the_coarsest_precision_that_tells_them_apart(columns: tuple[str, ...], bits: int) -> None:
    """A sketch is of rounded rows if those differ, so that rounded copies are found in it."""
    rng = np.random.default_rng(6)
    table = {
        "a": 1e3 + rng.normal(size=N),
        "b": rng.exponential(size=N),
        "fine": 1e9 + rng.random(N),
        "n": rng.poisson(9, N),
    }
    key = key_of(table, columns)
    assert (key.columns, key.bits) == (columns, bits)
    assert key.precisions == tuple(b for b in (DOUBLE, SINGLE, HALF) if b >= bits)
    assert key.tells == (columns != ("n",))


def test_a_third_of_the_rows_is_enough_to_choose_by() -> None:
    """Rounded rows may repeat themselves: two in five different ones are enough, and one in eight are not."""
    u = np.random.default_rng(15).random(N)
    assert key_of({"x": 1 + u}, ("x",)).bits == HALF  # 1024 values
    assert key_of({"x": 1 + u / 4}, ("x",)).bits == SINGLE  # 256


def test_few_rows_are_looked_at() -> None:
    """The key of a long sample is that of rows from all over it."""
    rng = np.random.default_rng(7)
    table = {"x": rng.normal(size=3 * HEAD), "y": np.sort(rng.normal(size=3 * HEAD))}
    assert key_of(table, ("x", "y")) == key_of({name: values[::3] for name, values in table.items()}, ("x", "y"))
    more = {name: values[: 2 * HEAD + 1] for name, values in table.items()}
    assert key_of(more, ("x", "y")) == key_of({name: values[::3] for name, values in more.items()}, ("x", "y"))
    late = np.where(np.arange(3 * HEAD) < HEAD, 0.0, rng.normal(size=3 * HEAD))  # told apart after the first
    assert key_columns([Sample({"x": table["x"], "late": late})], ("late",))[0] == ("late", "x")


def test_fine_columns_are_free_of_each_other() -> None:
    """Columns whose resolution counts are at most three, and neither functions of the finest nor much coarser."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=N)
    table: Table = {"x": x, "log": np.exp(x), "square": x**2, "y": rng.normal(size=N), "n": rng.poisson(30, N)}
    key = key_of(table, sorted(table))
    names = [column.name for column in key.fine]
    assert len(names) == 2
    assert "y" in names
    assert key.both[-1] < key.alone[-1] ** 1.8
    many = {name: rng.normal(size=N) for name in "abcdefgh"}
    assert len(key_of(many, tuple(many)).fine) == 3
    coarse = {"a": rng.normal(size=N), "b": rng.normal(size=N), "c": np.round(rng.normal(size=N), 2)}
    assert [column.name for column in key_of(coarse, tuple(coarse)).fine] == ["a", "b"]
    alone = key_of({"x": x}, ("x",))
    assert [column.name for column in alone.fine] == ["x"]
    assert alone.both == (1, 1, 1)
    none = key_of({"n": np.arange(N) % 9}, ("n",))
    assert (none.fine, none.alone, none.both, none.whole) == ((), (1, 1, 1), (1, 1, 1), (1, 1, 1))


def test_a_third_column_counts_if_it_is_about_as_fine_as_the_second() -> None:
    """The finest column may be far finer than the others, which limit how often rows agree."""
    rng = np.random.default_rng(18)
    table: Table = {
        "x": rng.normal(size=N),
        "y": rng.normal(size=N).astype(np.float32),
        "z": np.floor(1e4 * rng.random(N)) / 7,
    }
    assert [column.name for column in key_of(table, ("x", "y", "z")).fine] == ["x", "y", "z"]
    table["y"] = rng.normal(size=N)
    assert [column.name for column in key_of(table, ("x", "y", "z")).fine] == ["x", "y"]


def test_a_column_counts_as_far_as_it_is_free() -> None:
    """A column that mostly follows from a finer one agrees with another value of its own more often."""
    rng = np.random.default_rng(16)
    x, other = rng.normal(size=(2, N))
    free, bound = key_of({"x": x, "y": other}, ("x", "y")), key_of({"x": x, "y": x + other}, ("x", "y"))
    assert len(free.fine) == len(bound.fine) == 2
    assert bound.both[-1] > 5 * free.both[-1]
    assert bound.alone[-1] < 1e-6


def test_chances_are_those_of_the_coarser_columns() -> None:
    """Of several fine columns, the one or the two that agree most often limit how often rows agree."""
    rng = np.random.default_rng(9)
    fine, coarse = rng.normal(size=N), rng.normal(size=N).astype(np.float32).astype(float)
    one, both = key_of({"x": fine}, ("x",)), key_of({"x": fine, "y": coarse}, ("x", "y"))
    assert both.alone[-1] > 100 * one.alone[-1]
    for place in range(3):
        assert both.both[place] < both.alone[place]
    assert both.both[-1] < 1e-10 * both.alone[-1]
    assert list(both.alone) == sorted(both.alone, reverse=True)  # the coarser the precision, the more often


def test_special_values_are_not_fresh() -> None:
    """Short numbers, common values, undefined ones and the ends of a column say nothing of how rarely rows agree."""
    rng = np.random.default_rng(10)
    x = np.clip(rng.normal(size=N), -1.9, 1.9) / 1.7
    x[:100], x[200:206], x[206] = -999.0 / 1.7, 0.31 / 1.7, np.nan
    key = key_of({"x": x, "y": rng.normal(size=N)}, ("x", "y"))
    column = key.fine[0]
    assert (column.name, column.low, column.high) == ("x", -999.0 / 1.7, 1.9 / 1.7)
    assert set(column.common) == {-999.0 / 1.7, 0.31 / 1.7, -1.9 / 1.7, 1.9 / 1.7}
    special = [
        0.0,
        -999.0,
        -999.0 / 1.7,
        0.31 / 1.7,
        1.9 / 1.7,
        -1.9 / 1.7,
        7.77777777,
        -1e30 / 3,
        np.nan,
        np.inf,
        0.25,
    ]
    assert not column.is_fresh(np.array(special)).any()
    assert column.is_fresh(x[300:]).mean() > 0.9
    y = 1 / 3
    values = np.array([[x[300], 0.0, 0.0, x[301]], [y, y, -999.0, 1.0]])
    assert key.fresh([*values]).tolist() == [2, 1, 0, 1]
    assert key.fresh([*values]).dtype == np.uint8


def test_common_values_are_those_that_occur_again_and_again() -> None:
    """At most sixteen values are kept, which occur four times or more often, and the commonest of them."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=N)
    for number in range(30):
        x[50 * number : 50 * number + number + 1] = np.pi + number
    (column,) = key_of({"x": x}, ("x",)).fine
    assert set(column.common) == {np.pi + number for number in range(14, 30)}
    few = rng.normal(size=N)
    few[:3], few[3:7] = np.pi, np.e
    (column,) = key_of({"x": few}, ("x",)).fine
    assert column.common == (np.e,)


def _key(**changes: Any) -> Key:
    fine = (FineColumn(name="x", low=-1.5, high=2.5, common=(0.7,)),)
    return Key(**{"columns": ("n", "x"), "bits": HALF, "fine": fine, "alone": (0.1, 0.01, 0.001), **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"columns": ()}, r"needs the names of its columns, sorted and distinct; got \(\)"),
        ({"columns": ("x", "n")}, "sorted and distinct"),
        ({"columns": ("x", "x")}, "sorted and distinct"),
        ({"bits": 12}, "got 12 bits"),
        ({"columns": ("n", "y")}, "fine columns among its own"),
        ({"alone": (0.1, 0.2)}, r"a probability for each of \(11, 24, 53\) bits"),
        ({"both": (0.1, 0.2, 1.5)}, "a probability for each"),
        ({"whole": (-0.1, 0.2, 0.5)}, "a probability for each"),
        ({"whole": (np.nan, 0.2, 0.5)}, "a probability for each"),
    ],
)
def test_keys_that_are_none(changes: Table, text: str) -> None:
    """A key needs distinct columns in order, a precision that there is, and probabilities."""
    with pytest.raises(InputError, match=text):
        _key(**changes)


def test_keys_merge_to_what_holds_of_both() -> None:
    """Merged keys do not depend on the order: fine in both, wider ends, all common values, the larger chances."""
    column = FineColumn(name="x", low=-3.5, high=1.5, common=(0.9, 0.7))
    keys = [
        _key(),
        _key(fine=(column, FineColumn(name="n", low=0, high=1)), alone=(0.05, 0.02, 0.002)),
        _key(fine=(column,), both=(0.1, 0.1, 0.1), whole=(0.5, 0.5, 0.5), tells=False),
    ]
    merged = {one.merged(two).merged(three) for one, two, three in permutations(keys)}
    merged |= {one.merged(two.merged(three)) for one, two, three in permutations(keys)}
    (key,) = merged
    assert key.fine == (FineColumn(name="x", low=-3.5, high=2.5, common=(0.7, 0.9)),)
    assert (key.alone, key.both, key.whole, key.tells) == ((0.1, 0.02, 0.002), (1, 1, 1), (1, 1, 1), False)
    both = keys[1].merged(keys[1])
    assert [one.name for one in both.fine] == ["n", "x"]
    assert both.tells


def test_keys_of_other_rows_do_not_merge() -> None:
    """Rows by other columns, or in another precision, cannot be compared, and the error says what to do."""
    for other in (_key(columns=("m", "x")), _key(bits=SINGLE)):
        assert not _key().same_rows(other)
        with pytest.raises(InputError, match=r"\['n', 'x'\] in half precision and by .*: fill all like the first"):
            _key().merged(other)
    assert _key().same_rows(_key(fine=(), tells=False))
    assert set(PRECISIONS) == {HALF, SINGLE, DOUBLE}


def test_what_tells_events() -> None:
    """A column tells what happened in an event, unless it numbers or groups events or holds no numbers."""
    rng = np.random.default_rng(12)
    assert tells_events(rng.normal(size=N))
    assert tells_events(rng.poisson(1e6, N))
    assert tells_events(rng.poisson(1e4, N))
    assert tells_events(np.arange(9.0))  # of a few events nothing is known
    others: list[Any] = [np.arange(N), rng.permutation(N), rng.poisson(3, N), np.full(N, "a"), np.ones(N), None]
    assert not any(tells_events(values) for values in others)
    groups = np.arange(500).repeat(20) / 7
    assert not tells_events(groups)
    assert tells_events(np.append(groups, 1e3 / 7))  # more than are given to groups
    assert not tells_events(np.arange(200).repeat(10) / 7)
    assert tells_events(np.arange(201).repeat(10)[:-1] / 7)  # fewer events of each

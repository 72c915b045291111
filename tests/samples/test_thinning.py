"""The rows that are kept of two long samples are the same of either, and a fair share."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples import thinning as module
from pytest_ganvalid.samples.digests import LARGEST
from pytest_ganvalid.samples.spread import Spread
from pytest_ganvalid.samples.thinning import Thinning, thinning

N = 20_000
Table = dict[str, Any]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few thousand rows be many."""
    monkeypatch.setattr(module, "SIZE", 2_000)


def _events(seed: int, n: int = N) -> Table:
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=n),
        "energy": rng.exponential(size=n) * (rng.random(n) < 0.3),
        "n": rng.poisson(3, n),
        "file": np.repeat([1, 2, 3, 4], n // 4),
        "event": rng.permutation(10 * n)[:n],
        "row": np.arange(n),
        "c": np.full(n, 1.5),
    }


def _how(generated: Table, reference: Table, rows: int = N) -> Thinning:
    found = thinning(Sample(generated), Sample(reference), rows)
    assert found is not None
    return found


def _kept(how: Thinning, table: Table, chunk: int = 10**9) -> Spread:
    sample = Sample(table)
    parts = [sample.select(np.arange(i, min(i + chunk, len(sample)))) for i in range(0, len(sample), chunk)]
    return reduce(add, [how.rows(part) for part in parts])


def test_the_key_tells_events_apart() -> None:
    """Rows are chosen by the best resolved column, not by labels, constants or numbers of events."""
    how = _how(_events(1), _events(2))
    assert how.key == ("x",)
    assert how.widths == (32,)
    assert how.columns == ("c", "energy", "event", "file", "n", "x")  # numbers that only rise are no part of a row
    assert how.share == pytest.approx(2_000 / N)


@pytest.mark.parametrize(
    ("left_out", "key"),
    [
        (("x",), ("energy",)),  # which tells apart all rows that anything does
        (("x", "energy"), ("event",)),  # for want of anything else
        (("x", "energy", "event"), ("c", "file", "n")),
    ],
)
def test_keys_of_poor_columns(left_out: tuple[str, ...], key: tuple[str, ...]) -> None:
    """Where no column tells most rows apart, all of those that tell something choose the rows together."""
    tables = [{name: v for name, v in _events(seed).items() if name not in left_out} for seed in (1, 2)]
    assert _how(tables[0], tables[1]).key == key


def test_several_keys() -> None:
    """Counts none of which tells most rows apart do it together, without a label among them."""
    tables = [{name: np.random.default_rng([seed, ord(name)]).poisson(30, N) for name in "ab"} for seed in (1, 2)]
    for table in tables:
        table["file"] = np.arange(N) % 4
    assert set(_how(tables[0], tables[1]).key) == {"a", "b"}


def test_chosen_rows_are_those_of_both() -> None:
    """A row that both samples have is kept of both or of neither."""
    a, b = _events(1), _events(2)
    for name in a:
        b[name][: N // 2] = a[name][: N // 2][::-1]
    how = _how(a, b)
    ours, theirs = (_kept(how, table) for table in (a, b))
    limit = min(ours.limit, theirs.limit)
    first, second = (np.asarray(one.thinned(limit).columns["x"]) for one in (ours, theirs))
    in_both = np.isin(first, a["x"][: N // 2])
    assert in_both.sum() > 300
    assert set(first[in_both]) == set(second[np.isin(second, a["x"][: N // 2])])


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rounding_does_not_matter(dtype: Any) -> None:
    """A copy in a narrower type is chosen like the original."""
    a = _events(1)
    b = {name: values.astype(dtype) if name in {"x", "energy"} else values for name, values in _events(1).items()}
    how = _how(a, b)
    assert how.widths == (8 * np.dtype(dtype).itemsize,)
    ours, theirs = _kept(how, a), _kept(how, b)
    assert ours.limit == theirs.limit
    np.testing.assert_array_equal(np.asarray(ours.columns["x"]).astype(dtype), theirs.columns["x"])


def test_zeros_are_one_number() -> None:
    """Zero with a minus is chosen like zero, as digests do."""
    how = Thinning(("x",), ("x",), (32,), 1.0)
    keys = how.rows(Sample({"x": np.array([0.0, -0.0])})).parts[0][1]
    assert keys[0] == keys[1]


@given(st.integers(1, 5_000))
@settings(max_examples=20)
def test_chunks_do_not_matter(chunk: int) -> None:
    """The rows that are kept do not depend on the chunks that they come in."""
    table = _events(3, 4_000)
    how = _how(table, table, 4_000)
    whole, parts = _kept(how, table), _kept(how, table, chunk)
    np.testing.assert_array_equal(whole.columns["x"], parts.columns["x"])
    assert (whole.total, whole.limit) == (parts.total, parts.limit) == (4_000, whole.limit)
    assert whole.kept <= 2_000


def test_share_is_fair() -> None:
    """The rows that are kept have the values of all: their number, and the distribution of each column."""
    table = _events(4, 200_000)
    how = _how(table, table, 200_000)
    kept = _kept(how, table)
    share = (kept.limit + 1) / (LARGEST + 1)
    assert abs(kept.kept - share * 200_000) < 4 * (share * 200_000) ** 0.5
    for name in ("x", "n", "energy"):
        assert stats.ks_2samp(np.asarray(kept.columns[name]), table[name]).pvalue > 1e-3


def test_nothing_is_left_out_of_short_samples() -> None:
    """All rows of samples that are not too long are kept, in their order."""
    table = _events(5, 1_900)
    how = _how(table, table, 1_900)
    kept = _kept(how, table, 100)
    assert (how.share, kept.kept, kept.limit) == (1, 1_900, LARGEST)
    np.testing.assert_array_equal(kept.columns["x"], table["x"])


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, np.nan, np.inf, -999.0])
@pytest.mark.parametrize("share", [0.02, 0.6, 1.0])
def test_one_value_does_not_fill_the_memory(value: float, share: float) -> None:
    """A column that has one value in most or all rows leaves no more rows than the bound, and comes to an end."""
    rng = np.random.default_rng(6)
    table = {"x": np.where(rng.random(N) < share, value, rng.normal(size=N))}
    how = _how(table, table)
    kept = _kept(how, table, 1_000)
    assert kept.kept <= 2_000
    assert kept.total == N


def test_unknown_lengths() -> None:
    """Of a sample whose length is not known before, no more rows are kept either."""
    table = _events(7)
    how = _how(table, table, 1)
    kept = _kept(how, table, 500)
    assert how.share == 1
    assert 500 < kept.kept <= 2_000
    assert kept.total == N
    np.testing.assert_array_equal(kept.columns["x"], _kept(how, table).columns["x"])


def test_events_of_several_entries() -> None:
    """Rows with any number of entries are chosen by all of them."""
    rng = np.random.default_rng(8)
    counts = rng.poisson(3, N)
    table = {"jet": Entries(rng.exponential(size=int(counts.sum())), counts)}
    how = _how(table, table)
    kept = _kept(how, table, 999)
    assert how.key == ("jet",)
    assert 800 < kept.kept <= 2_000
    whole: Any = _kept(how, table).columns["jet"]
    found: Any = kept.columns["jet"]
    np.testing.assert_array_equal(found.counts, whole.counts)
    np.testing.assert_array_equal(found.values, whole.values)


def test_no_common_column() -> None:
    """Samples without a column of numbers in common cannot be compared row by row."""
    assert thinning(Sample({"x": np.arange(3.0)}), Sample({"y": np.arange(3.0)}), 10) is None
    words = Sample({"x": np.array(["a", "b"])})
    assert thinning(words, words, 10) is None


def test_tensors_are_chosen_alike() -> None:
    """A device keeps the same rows, of tensors of any type, as numpy of arrays."""
    torch: Any = pytest.importorskip("torch")
    rng = np.random.default_rng(9)
    x = rng.normal(size=N)
    x[::3] = 0.0
    x[1::1_000] = -0.0
    tables: list[Table] = [
        {"x": x, "n": rng.poisson(3, N)},
        {"x": x.astype(np.float32), "n": rng.integers(0, 2**40, N)},
        {"x": (x * 9).astype(np.int32), "n": rng.random(N) < 0.5},
    ]
    for table in tables:
        for key in (("x",), ("n", "x")):
            for bits in (16, 32):
                how = Thinning(("n", "x"), key, (bits,) * len(key), 0.1)
                exact = {
                    name: v.astype(np.float16) if bits == 16 and v.dtype.kind == "f" else v for name, v in table.items()
                }
                ours = how.rows_on_device({name: torch.from_numpy(values) for name, values in exact.items()})
                theirs = how.rows(Sample(exact))
                assert (ours.total, ours.limit) == (theirs.total, theirs.limit)
                for name in ("x", "n"):
                    np.testing.assert_array_equal(ours.columns[name], theirs.columns[name])


def test_tensors_that_numpy_lacks() -> None:
    """Rows of a width that numpy has no type for leave the device in double precision."""
    torch: Any = pytest.importorskip("torch")
    how = Thinning(("x",), ("x",), (32,), 1.0)
    found = how.rows_on_device({"x": torch.tensor([1.0, 2.5], dtype=torch.bfloat16)})
    assert np.asarray(found.columns["x"]).tolist() == [1, 2.5]

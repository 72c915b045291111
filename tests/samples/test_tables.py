"""Every kind of table holds the same numbers, and nothing is dropped or guessed on the way in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples import Entries, Sample, as_sample
from pytest_ganvalid.samples.tables import as_array, check_weights, is_text, numeric

X, N = np.array([0.5, -1.25, 3.0]), np.array([4, 0, 7])


def _structured() -> Any:
    table = np.zeros(3, dtype=[("x", "f8"), ("n", "i4")])
    table["x"], table["n"] = X, N
    return table


def _pandas() -> Any:
    return pytest.importorskip("pandas").DataFrame({"x": X, "n": N}, index=[7, 7, 1])


def _pandas_nullable() -> Any:
    return _pandas().convert_dtypes()


def _polars() -> Any:
    return pytest.importorskip("polars").DataFrame({"x": X, "n": N})


def _arrow() -> Any:
    return pytest.importorskip("pyarrow").table({"x": X, "n": N})


def _arrow_chunks() -> Any:
    library: Any = pytest.importorskip("pyarrow")
    return library.concat_tables([_arrow().slice(0, 1), _arrow().slice(1)])


def _arrow_batch() -> Any:
    return pytest.importorskip("pyarrow").record_batch({"x": X, "n": N})


def _awkward() -> Any:
    return pytest.importorskip("awkward").Array([{"x": x, "n": n} for x, n in zip(X.tolist(), N.tolist(), strict=True)])


def _ttree(folder: Path) -> Any:
    uproot: Any = pytest.importorskip("uproot")
    with uproot.recreate(folder / "t.root") as file:
        file["t"] = {"x": X, "n": N}
    return uproot.open(folder / "t.root")["t"].arrays(library="np")


TABLES: dict[str, Callable[[], Any]] = {
    "dict": lambda: {"x": X, "n": N},
    "lists": lambda: {"x": X.tolist(), "n": N.tolist()},
    "sample": lambda: Sample({"x": X, "n": N}),
    "masked": lambda: {"x": np.ma.array(X), "n": np.ma.array(N, mask=[False, False, False])},
    "structured": _structured,
    "recarray": lambda: _structured().view(np.recarray),
    "pandas": _pandas,
    "pandas-nullable": _pandas_nullable,
    "polars": _polars,
    "arrow": _arrow,
    "arrow-chunks": _arrow_chunks,
    "arrow-batch": _arrow_batch,
    "awkward": _awkward,
    "dict-of-pandas": lambda: dict(_pandas().items()),
    "dict-of-polars": lambda: _polars().to_dict(),
    "dict-of-awkward": lambda: {name: _awkward()[name] for name in ("x", "n")},
}


@pytest.mark.parametrize("kind", TABLES)
def test_the_same_numbers_from_any_table(kind: str) -> None:
    """Whatever holds the columns, their names, order, values and kind of number are the same."""
    sample = as_sample(TABLES[kind](), "generated")
    assert list(sample.columns) == ["x", "n"]
    np.testing.assert_array_equal(sample["x"], X)
    np.testing.assert_array_equal(sample["n"], N)
    assert (sample["x"].dtype.kind, sample["n"].dtype.kind) == ("f", "i")
    assert all(type(column) is np.ndarray for column in sample.columns.values())
    assert len(sample) == 3
    assert sample.weight is None


def test_root_trees(tmp_path: Path) -> None:
    """The arrays that uproot reads from a tree are a mapping of columns."""
    np.testing.assert_array_equal(as_sample(_ttree(tmp_path), "generated")["x"], X)


def _arrow_missing() -> Any:
    return pytest.importorskip("pyarrow").table({"a": [1, None, 3]})


MISSING: dict[str, Callable[[], Any]] = {
    "masked": lambda: {"a": np.ma.array([1, 99, 3], mask=[False, True, False])},
    "masked-in-a-sample": lambda: Sample({"a": np.ma.array([1.0, 99.0, 3.0], mask=[False, True, False])}),
    "masked-structured": lambda: np.ma.array([(1,), (99,), (3,)], mask=[False, True, False], dtype=[("a", int)]),
    "pandas": lambda: pytest.importorskip("pandas").DataFrame({"a": [1, None, 3]}),
    "pandas-Int64": lambda: pytest.importorskip("pandas").DataFrame({"a": [1, None, 3]}, dtype="Int64"),
    "pandas-arrow": lambda: _arrow_missing().to_pandas(types_mapper=pytest.importorskip("pandas").ArrowDtype),
    "polars": lambda: pytest.importorskip("polars").DataFrame({"a": [1, None, 3]}),
    "arrow": _arrow_missing,
    "arrow-batch": lambda: pytest.importorskip("pyarrow").record_batch({"a": [1, None, 3]}),
    "awkward": lambda: pytest.importorskip("awkward").Array([{"a": 1}, {"a": None}, {"a": 3}]),
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_become_nan(kind: str) -> None:
    """A masked or missing number is NaN: neither dropped nor whatever lies under the mask."""
    np.testing.assert_array_equal(as_sample(MISSING[kind](), "generated")["a"], [1, np.nan, 3])


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_counted(kind: str) -> None:
    """A check of a column with a missing value is refused, with the count, unless it is said where it belongs."""
    reference = {"a": np.arange(3.0)}
    with pytest.raises(InputError, match=r"generated: .* has 1 NaN and 0 infinite values among 3 values"):
        gv.validate(MISSING[kind](), reference, n_required=1)


def test_truth_values_are_numbers() -> None:
    """True and false are 1 and 0 in any kind of column, also of objects, and missing ones NaN, which is counted."""
    pandas: Any = pytest.importorskip("pandas")
    flags = [True, None, False]
    columns = [pandas.array(flags, dtype="boolean"), np.array(flags, dtype=object)]
    columns += [pytest.importorskip("polars").Series(flags), pytest.importorskip("pyarrow").array(flags)]
    for column in columns:
        np.testing.assert_array_equal(as_sample({"a": column}, "generated")["a"], [1, np.nan, 0])
    table = pandas.DataFrame({"a": columns[0]})
    with pytest.raises(InputError, match=r"observable 'a' has 1 NaN and 0 infinite values among 3 values"):
        gv.validate(table, table, n_required=1)
    rng = np.random.default_rng(1)
    whole = [{"a": (rng.random(2_000) < 0.3).astype(object)} for _ in range(2)]
    assert gv.validate(whole[0], whole[1], n_required=100).robust


def test_indices_that_contradict_each_other_are_refused() -> None:
    """Series of different indices, among the columns or as a weight, are refused: rows are matched by position."""
    pandas: Any = pytest.importorskip("pandas")
    x = pandas.Series([1.0, 2.0, 3.0])
    moved = pandas.Series([1.0, 2.0, 3.0], index=[2, 0, 1])
    for table, weight in (({"x": x, "y": moved}, None), (pandas.DataFrame({"x": x}), moved), ({"x": x}, moved)):
        with pytest.raises(InputError, match=r"have different indices, .* align them .*\.to_numpy\(\)"):
            as_sample(table, "generated", weight)
    assert len(as_sample({"x": x, "y": moved.to_numpy()}, "generated", x)) == 3
    assert len(as_sample(pandas.DataFrame({"x": moved}), "generated", moved)) == 3


def test_awkward_records_of_any_class() -> None:
    """Records whose behaviour makes them arrays of another class are a table like any other."""
    awkward: Any = pytest.importorskip("awkward")
    name = "WithABehaviour"
    awkward.behavior["*", name] = type(name, (awkward.Array,), {"columns": ["wrong"]})
    try:
        events = awkward.zip({"pt": X, "eta": X + 1}, with_name=name)
        assert type(events).__module__ != awkward.Array.__module__
        sample = as_sample(events, "generated")
    finally:
        del awkward.behavior["*", name]
    np.testing.assert_array_equal(sample["pt"], X)
    np.testing.assert_array_equal(sample["eta"], X + 1)


def test_text_is_skipped_and_said() -> None:
    """Columns of words, with missing ones too, and of dates are skipped, and the report says so."""
    pandas: Any = pytest.importorskip("pandas")
    rng = np.random.default_rng(1)

    def table() -> Any:
        words = pandas.Series(["e", "mu", None] * 1_000, dtype=object)
        times = pandas.date_range("2020-01-01", periods=3_000)
        return pandas.DataFrame({"x": rng.normal(size=3_000), "w": words, "s": words.astype("str"), "t": times})

    report = gv.validate(table(), table(), n_required=100)
    assert list(report.comparisons) == ["x"]
    assert dict(report.skipped) == {"w": "not numeric", "s": "not numeric", "t": "not numeric"}


def test_numbers_in_an_object_column_are_not_skipped() -> None:
    """Numbers that hide in a column of objects are refused aloud, not left out of the check."""
    pandas: Any = pytest.importorskip("pandas")
    for values in ([1.0, 2.0, 3.0], [1.0, "2", 3.0], [1.0, None, 2.0]):
        table = pandas.DataFrame({"x": X, "o": pandas.Series(values, dtype=object)})
        with pytest.raises(InputTypeError, match=r"column 'o' has dtype object \(.*float.*\); expected real numbers"):
            gv.validate(table, table, n_required=1)


def test_categories_of_numbers_are_numbers() -> None:
    """A categorical column is compared by its categories, not by their codes."""
    pandas: Any = pytest.importorskip("pandas")
    table = pandas.DataFrame({"q": pandas.Categorical([5, -7, 5])})
    assert as_sample(table, "generated")["q"].tolist() == [5, -7, 5]


@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_repeated_column_names(library: str) -> None:
    """Two columns of one name are refused: either could be meant."""
    module: Any = pytest.importorskip(library)
    table = (
        module.DataFrame(np.ones((2, 2)), columns=["a", "a"])
        if library == "pandas"
        else module.table([[1.0], [2.0]], names=["a", "a"])
    )
    with pytest.raises(InputError, match="reference: the table has 2 columns named 'a'; rename them"):
        as_sample(table, "reference")


def test_column_names_are_words() -> None:
    """A column whose name is a number is refused."""
    pandas: Any = pytest.importorskip("pandas")
    for table in (pandas.DataFrame(np.ones((2, 2))), {0: X}):
        with pytest.raises(InputTypeError, match="the column name 0 is a int; expected a str"):
            as_sample(table, "generated")


def test_jagged_columns() -> None:
    """A list of lists is refused, with what to do about it."""
    with pytest.raises(InputError, match=r"generated: column 'x' is not a one-dimensional.*one number per event"):
        as_sample({"x": [[1], [2, 3]]}, "generated")


def test_lazy_tables() -> None:
    """A lazy frame of polars is computed; what else is lazy is refused with the call that makes it a table."""
    polars: Any = pytest.importorskip("polars")
    assert as_sample(polars.LazyFrame({"x": [1.0]}), "generated")["x"].tolist() == [1.0]
    with pytest.raises(InputTypeError, match=r"it is lazy: call \.collect\(\) first"):
        as_sample(type("Lazy", (), {"collect": None})(), "generated")


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        (None, InputTypeError, "a NoneType is not a table of events; expected a mapping"),
        (5, InputTypeError, "a int is not a table"),
        (
            X,
            InputTypeError,
            r"a ndarray is not a table of events.*name the column: {'x': values}.*gv\.Counts\(values\)",
        ),
        (np.ones((3, 2)), InputTypeError, "name the column"),
        ([1.0, 2.0], InputTypeError, "name the column"),
        (([1.0, 2.0], [1.0, 2.0]), InputTypeError, "name the column"),
        ("events.root", InputTypeError, r"a str is not a table of events.*a file is not read here: load it first"),
        (Path("events.h5"), InputTypeError, "a file is not read here"),
        ({}, InputError, "needs at least one column"),
        ({"x": []}, InputError, "the sample has no events"),
        (np.zeros(0, dtype=[("x", "f8")]), InputError, "the sample has no events"),
        ({"x": X, "y": [1.0]}, InputError, r"of one length; got shapes {'x': \(3,\), 'y': \(1,\)}"),
        ({"x": np.ones((3, 2, 1))}, InputError, r"nested more deeply .*\(3, 2, 1\)"),
        ({"x": 5.0}, InputError, r"must be one-dimensional .*{'x': \(\)}"),
        (np.zeros(3, dtype=[("x", "f8", (2, 2))]), InputError, "nested more deeply"),
        (
            {"x": np.ma.array(["a", "b"], mask=[False, True])},
            InputError,
            "column 'x' is not a one-dimensional array of num",
        ),
    ],
)
def test_refusals(table: object, error: type[Exception], text: str) -> None:
    """What is no table of events is refused, naming the side and the remedy."""
    with pytest.raises(error, match=f"^generated: .*{text}"):
        as_sample(table, "generated")


def test_empty_tables() -> None:
    """A table without rows or columns is refused, whichever library it comes from."""
    pandas: Any = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="no events"):
        as_sample(pandas.DataFrame({"x": []}), "generated")
    with pytest.raises(InputError, match="at least one column"):
        as_sample(pandas.DataFrame(), "generated")


def test_weights_by_name() -> None:
    """A named weight column is taken out of the observables and made real."""
    sample = as_sample({"x": X, "w": np.array([1, 200, 3], dtype=np.uint8)}, "generated", "w")
    assert list(sample.columns) == ["x"]
    assert sample.weight is not None
    assert sample.weight.tolist() == [1, 200, 3]
    assert sample.weight.dtype == np.dtype(float)


@pytest.mark.parametrize("kind", TABLES)
def test_weights_beside_any_table(kind: str) -> None:
    """An array of weights goes with every kind of table and leaves its columns alone."""
    sample = as_sample(TABLES[kind](), "generated", [1.0, -2.0, 0.5])
    assert list(sample.columns) == ["x", "n"]
    np.testing.assert_array_equal(sample.weight, [1, -2, 0.5])


def test_weights_of_any_library() -> None:
    """Weights may be a column of pandas, polars or arrow."""
    pandas: Any = pytest.importorskip("pandas")
    for weight in (_polars()["x"], _arrow()["x"], pandas.Series(X, index=[5, 6, 7]), pandas.Series(X, dtype="Float64")):
        np.testing.assert_array_equal(as_sample({"x": X}, "generated", weight).weight, X)


@pytest.mark.parametrize(
    ("weight", "error", "text"),
    [
        ("v", InputError, r"no weight column 'v'; there are \['n', 'x'\]"),
        ([1.0, 2.0], InputError, r"'the weight': \(2,\)"),
        (1.0, InputError, r"'the weight': \(\)"),
        ([[1.0], [2.0], [3.0]], InputError, r"'the weight': \(3, 1\)"),
        ([1.0, np.nan, np.inf], InputError, "2 of 3 weights are NaN or infinite"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), InputError, "1 of 3 weights are NaN"),
        (["a", "b", "c"], InputTypeError, "the weight has dtype <U1"),
        ([1.0, None, 2.0], InputTypeError, r"the weight has dtype object \(NoneType, float\)"),
        ([1.0, 1j, 2.0], InputTypeError, "the weight has dtype complex128"),
        ([1e200] * 3, InputError, r"the weights reach 1e\+200.*scale them all by a constant"),
        ([1e-200] * 3, InputError, "scale them all by a constant"),
    ],
)
def test_impossible_weights(weight: object, error: type[Exception], text: str) -> None:
    """Weights that are missing, undefined or of another length are refused, on whichever side they are."""
    with pytest.raises(error, match=f"^reference: .*{text}"):
        gv.validate({"x": X, "n": N}, {"x": X, "n": N}, n_required=1, weight=(None, weight))


def test_a_weight_needs_a_column() -> None:
    """A table of nothing but weights has nothing to compare."""
    with pytest.raises(InputError, match="no column but the weight 'w'"):
        as_sample({"w": X}, "generated", "w")


@pytest.mark.parametrize("weight", [5, X, [X], (X, X, X), {"w": X}])
def test_weights_come_as_a_name_or_a_pair(weight: object) -> None:
    """One array cannot weight two samples."""
    with pytest.raises(
        InputTypeError, match=r"expected a column name or a pair \(generated_weight, reference_weight\)"
    ):
        gv.validate({"x": X}, {"x": X}, n_required=1, weight=weight)


def test_weights_on_one_side() -> None:
    """Weights of one sample only, as an array or a column, are used on that side."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 20_000))
    weight = rng.exponential(size=20_000)
    report = gv.validate({"x": x}, {"x": y}, n_required=500, weight=(weight, None))
    column = gv.validate({"x": x, "w": weight}, {"x": y}, n_required=500, weight=("w", None))
    effective = weight.sum() ** 2 / (weight**2).sum()
    for found in (report, column):
        assert found.comparisons["x"].n_generated == pytest.approx(effective)
        assert found.comparisons["x"].n_reference == pytest.approx(20_000)
        assert found.verdict is gv.Verdict.ROBUST


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float16])
def test_small_weight_types_do_not_overflow(dtype: type) -> None:
    """Squares of weights that a small integer or float cannot hold are right, in a table and in a sample."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 5_000))
    weight = rng.integers(16, 250, 5_000)
    effective = weight.sum() ** 2 / (weight.astype(float) ** 2).sum()
    spoilt: Any = weight.astype(dtype)
    for generated in (Sample({"x": x}, spoilt), as_sample({"x": x}, "generated", spoilt)):
        found = gv.validate(generated, {"x": y}, n_required=100).comparisons["x"]
        assert found.n_generated == pytest.approx(effective)


def test_a_sample_is_checked_like_any_table() -> None:
    """A sample made by hand with an undefined weight is refused, and its weight and provenance are kept."""
    weight = np.array([1.0, np.nan, 1.0])
    with pytest.raises(InputError, match="1 of 3 weights are NaN"):
        as_sample(Sample({"x": X}, weight), "generated")
    kept = as_sample(Sample({"x": X}, np.array([1.0, 2.0, 3.0]), {"source": "toy"}), "generated")
    assert kept.weight is not None
    assert kept.weight.tolist() == [1, 2, 3]
    assert kept.provenance == {"source": "toy"}


@pytest.mark.parametrize("kind", TABLES)
def test_input_is_not_mutated(kind: str) -> None:
    """A whole check leaves the table of the caller as it was."""
    table = TABLES[kind]()
    before = {name: np.array(as_sample(copy.deepcopy(table), "generated")[name]) for name in ("x", "n")}
    gv.validate(table, {"x": X + 1, "n": N}, n_required=1, min_expected=1, weight=([1.0, 2.0, 1.0], None))
    for name, values in before.items():
        np.testing.assert_array_equal(as_sample(table, "generated")[name], values)


def test_the_order_of_columns_is_irrelevant() -> None:
    """Columns are matched by name, whatever their order in either table."""
    rng = np.random.default_rng(4)
    low, high = rng.normal(0, 1, (2, 5_000)), rng.normal(5, 1, (2, 5_000))
    report = gv.validate({"a": low[0], "b": high[0]}, {"b": high[1], "a": low[1]}, n_required=100)
    assert report.verdict is gv.Verdict.ROBUST
    swapped = gv.validate({"b": low[0], "a": high[0]}, {"b": high[1], "a": low[1]}, n_required=100)
    assert swapped.verdict is gv.Verdict.BIASED


def test_aliases_demonstrate_nothing() -> None:
    """A sample compared with itself, a view, a copy, a permutation or a repetition of itself is never ROBUST."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=5_000)
    for generated in (x, x[:], x.copy(), rng.permutation(x), np.tile(x, 10), x.astype(np.float32).astype(float)):
        for weight in (None, (np.full(generated.size, 0.1), None)):
            report = gv.validate({"x": generated}, {"x": x}, n_required=500, weight=weight)
            assert report.verdict is gv.Verdict.UNPROVEN


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, np.int8, np.uint64])
def test_number_types_are_compared_by_value(dtype: type) -> None:
    """A column of another type is compared by value, without wrapping around."""
    rng = np.random.default_rng(6)
    n = rng.integers(0, 100, (2, 20_000))
    generated = {"n": n[0].astype(dtype)}
    assert gv.validate(generated, {"n": n[1]}, n_required=1_000).verdict is gv.Verdict.ROBUST
    assert gv.validate(generated, {"n": -n[1]}, n_required=1_000).verdict is gv.Verdict.BIASED


def test_samples() -> None:
    """A sample gives its columns by name, its first events, and any selection, with their weights."""
    sample = Sample({"x": X}, np.array([1.0, 2.0, 3.0]), {"source": "toy"})
    with pytest.raises(InputError, match=r"no column 'y'; there are \['x'\]"):
        sample["y"]
    first, chosen = sample.first(2), sample.select(X > 0)
    assert (first["x"].tolist(), chosen["x"].tolist()) == ([0.5, -1.25], [0.5, 3.0])
    assert first.weight is not None
    assert chosen.weight is not None
    assert (first.weight.tolist(), chosen.weight.tolist()) == ([1, 2], [1, 3])
    assert first.provenance == chosen.provenance == {"source": "toy"}
    assert Sample({"x": X}).first(1).weight is None
    for n in (0, -1, 4):
        with pytest.raises(InputError, match=f"cannot take the first {n} of 3 events; expected 1 to 3"):
            sample.first(n)
    with pytest.raises(InputError, match="the sample has no events"):
        sample.select(X > 100)


def test_numeric() -> None:
    """Booleans, integers and floats become float64; float64 is not copied; the rest is refused by its type."""
    assert numeric(X, "x") is X
    assert numeric(np.array([True, False]), "x").tolist() == [1, 0]
    for values, kind in ((np.array(["a"]), "<U1"), (np.array([1j]), "complex128"), (np.array([None]), "object")):
        with pytest.raises(InputTypeError, match=f"the thing has dtype {kind}"):
            numeric(values, "the thing")


def test_text() -> None:
    """Words and dates are text; numbers in any guise, and a column of nothing, are not."""
    texts = (
        np.array(["a"]),
        np.array([b"a"]),
        np.array(["a", None], dtype=object),
        np.array(["2020"], "datetime64[D]"),
    )
    assert all(is_text(values) for values in texts)
    others = (X, np.array([1.0, "a"], dtype=object), np.array([None, None]), np.array([1j]), np.array([True]))
    assert not any(is_text(values) for values in others)


def test_torch_tensors_are_columns() -> None:
    """Tensors are read as they come out of a generator: with a gradient, of half precision, or of integers."""
    torch: Any = pytest.importorskip("torch")
    x = torch.arange(5.0, requires_grad=True)
    columns = {"x": x, "half": x.bfloat16(), "n": torch.arange(5), "flag": torch.arange(5) > 2}
    sample = as_sample(columns, "generated", torch.ones(5, requires_grad=True))
    for name in ("x", "half", "n"):
        np.testing.assert_array_equal(sample[name], np.arange(5))
    assert sample["flag"].sum() == 2
    assert sample.weight is not None
    assert sample.weight.sum() == 5
    assert list(as_sample({"x": torch.ones(2, 2)}, "generated").columns) == ["x.0", "x.1"]


@pytest.mark.parametrize("kind", ["?", "i1", "i8", "u1", "u8", "f2", "f4", ">f8"])
def test_every_kind_of_number_is_numeric(kind: str) -> None:
    """Flags, integers and floats of any width become float64 of the same value, and are no text."""
    values = np.array([0, 1], dtype=kind)
    assert numeric(values, "x").dtype == np.float64
    assert numeric(values, "x").tolist() == [0, 1]
    assert not is_text(values)


@pytest.mark.parametrize("kind", ["U2", "S2", "M8[s]", "m8[s]", "V2"])
def test_every_kind_of_text_is_text(kind: str) -> None:
    """Words, bytes, dates, durations and records are text, as entries too, and no numbers."""
    values = np.zeros(2, dtype=kind)
    assert is_text(values)
    assert is_text(Entries(values, np.array([2])))
    with pytest.raises(
        InputTypeError, match=f"^x has dtype {np.dtype(kind)!s}".replace("[", r"\[").replace("|", r"\|")
    ):
        numeric(values, "x")


def test_types_that_numpy_lacks() -> None:
    """Each narrow float of torch is read in single precision, which holds it exactly."""
    torch: Any = pytest.importorskip("torch")
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        found = as_array(torch.tensor([0.5, -2.0]).to(getattr(torch, name)), "x")
        assert found.dtype == np.float32
        assert found.tolist() == [0.5, -2]


@pytest.mark.parametrize(
    ("largest", "refused"),
    [(0.0, False), (1e-90, True), (1.01e-90, False), (1.0, False), (0.99e90, False), (1e90, True)],
)
def test_weights_that_can_be_squared(largest: float, *, refused: bool) -> None:
    """Weights between 10⁻⁹⁰ and 10⁹⁰, or all 0, can be squared and added up."""
    if refused:
        with pytest.raises(InputError, match=r"the weights reach .*, beyond what can be squared; scale them all"):
            check_weights(0, 5, largest)
    else:
        check_weights(0, 5, largest)
    with pytest.raises(InputError, match=r"^2 of 5 weights are NaN or infinite"):
        check_weights(2, 5, largest)


def test_columns_cannot_be_written_to() -> None:
    """What is compared is a view that nobody can write to, of entries too; the array itself can be written to still."""
    x, entries = X.copy(), Entries.of([[1.0], [2.0, 3.0], []])
    sample = as_sample({"x": x, "e": entries}, "generated")
    for values in (sample["x"], sample["e"].values):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 5
    x[0] = 7
    assert sample["x"][0] == 7
    assert sample["e"].counts.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("thing", "hint"),
    [
        (type("Lazy", (), {"collect": lambda _: None}), r"; it is lazy: call \.collect\(\) first$"),
        (type("Series", (), {"to_numpy": lambda _: None}), r"; name the column: {'x': series}$"),
        (
            type("Histogram", (), {"variances": lambda _: None}),
            r"; compare histograms with gv\.compare\(generated, reference, n_required=\.\.\.\)$",
        ),
        (type("Maker", (), {"sample": lambda _: None}), r"; it is a generator: call \.sample\(n, seed=\.\.\.\) first$"),
        (type("Thing", (), {}), "or a Sample$"),
    ],
)
def test_hints(thing: type, hint: str) -> None:
    """What is no table is refused with what was probably meant."""
    with pytest.raises(InputTypeError, match=hint):
        as_sample(thing(), "generated")


@pytest.mark.parametrize(
    ("side", "pair"), [("generated", "(None, 'w')"), ("reference", "('w', None)"), ("partition 3", "")]
)
def test_a_pair_of_weights_is_for_two_sides(side: str, pair: str) -> None:
    """Only where there are two sides is a pair of weights the remedy: none for the side that lacks the column."""
    with pytest.raises(InputError, match=r"no weight column 'w'; there are \['x'\]") as caught:
        as_sample({"x": X}, side, "w")
    assert str(caught.value).partition("; if only the other sample is weighted, weight=")[2] == pair

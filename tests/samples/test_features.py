"""Arrays with more than one axis: columns by feature, entries where they are said to be, and nothing in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import Entries
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.features import (
    MAX_COLUMNS,
    feature_names,
    features_of,
    hint,
    is_nested,
    nesting_reason,
    refuse_wide,
)


def momenta(seed: int, n: int = 4_000) -> np.ndarray[Any, Any]:
    """Three components with distributions of their own, shape (n, 3)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.exponential(20, n), rng.normal(size=n), rng.uniform(-3, 3, n)], axis=1)


def written(path: Path, array: Any) -> str:
    """Write an array named ``p`` to a file of the format that the suffix says."""
    if path.suffix == ".h5":
        h5py: Any = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file["p"] = array
    elif path.suffix == ".npz":
        np.savez(path, p=array)
    elif path.suffix == ".pt":
        torch: Any = pytest.importorskip("torch")
        torch.save({"p": torch.from_numpy(np.ascontiguousarray(array))}, path)
    elif path.suffix == ".safetensors":
        safetensors: Any = pytest.importorskip("safetensors.numpy")
        safetensors.save_file({"p": np.ascontiguousarray(array)}, path)
    elif path.suffix == ".root":
        uproot: Any = pytest.importorskip("uproot")
        with uproot.recreate(path) as file:
            file.mktree("tree", {"p": (array.dtype, array.shape[1:])}).extend({"p": array})
    else:
        pa: Any = pytest.importorskip("pyarrow")
        parquet: Any = pytest.importorskip("pyarrow.parquet")
        kind = pa.list_(pa.float64(), array.shape[-1])
        kind = kind if array.ndim == 2 else pa.list_(kind, array.shape[1])
        parquet.write_table(pa.table({"p": pa.array(array.tolist(), type=kind)}), path)
    return str(path)


def in_memory(kind: str, array: Any) -> Any:
    """A table in memory with an array as its column ``p``."""
    if kind == "dict":
        return {"p": array}
    if kind == "structured":
        table = np.zeros(len(array), dtype=[("p", array.dtype, array.shape[1:])])
        table["p"] = array
        return table
    if kind == "tensor":
        return {"p": pytest.importorskip("torch").from_numpy(np.ascontiguousarray(array))}
    if kind == "polars":
        polars: Any = pytest.importorskip("polars")
        return polars.DataFrame({"p": polars.Series("p", np.ascontiguousarray(array))})
    if kind == "awkward":
        return pytest.importorskip("awkward").Array({"p": array})
    pa: Any = pytest.importorskip("pyarrow")
    return pa.table({"p": pa.array(array.tolist(), type=pa.list_(pa.float64(), array.shape[1]))})


FILES = pytest.mark.parametrize("suffix", [".h5", ".npz", ".pt", ".safetensors", ".root", ".parquet"])
TABLES = pytest.mark.parametrize("kind", ["dict", "structured", "tensor", "polars", "awkward", "arrow"])
SWAPPED = [1, 0, 2]


def test_names() -> None:
    """An axis of one place adds no number to the name of a column, and more are numbered from 0."""
    assert feature_names("p", (9,)) == ("p",)
    assert feature_names("p", (9, 1)) == ("p",)
    assert feature_names("p", (9, 3)) == ("p.0", "p.1", "p.2")
    assert feature_names("", (9, 2)) == ("0", "1")
    assert features_of("p", ["p.1", "p.0", "p.3", "q.0"]) == ("p.0", "p.1")
    assert features_of("x", ["x"]) == ()
    assert hint("x", ["x", "y"]) == ""
    assert hint("p", ["p.0", "p.1"]) == (
        "; 'p' is an array of 2 columns: name any of 'p.0' to 'p.1', or 'entries(p)' to compare all of its values alike"
    )


def test_names_of_what_is_made_of_columns_have_a_hint() -> None:
    """Columns that are joined in a name, and functions of one, come with the form that is understood."""
    columns = ["mass", "pt"]
    assert hint("mass:pt", columns) == hint("mass, pt", columns) == "; for the joint distribution write ('mass', 'pt')"
    assert hint("log(pt)", columns).endswith("as a pair: ('log(pt)', function)")
    assert hint("log(p)", columns) == hint("mass:p", columns) == hint("pt2", columns) == ""
    with pytest.raises(InputError, match=r"no column 'mass:pt'; there are .*; for the joint distribution write"):
        gv.validate(*[{"mass": [1.0], "pt": [2.0]}] * 2, n_required=1, observables=["mass:pt"])


@FILES
def test_exchanged_features_of_a_file_are_seen(suffix: str, tmp_path: Path) -> None:
    """A generator that exchanges two features of an array is BIASED in both of them, in every format."""
    good, wrong, true = (
        written(tmp_path / f"{name}{suffix}", array)
        for name, array in (("g", momenta(1)), ("w", momenta(2)[:, SWAPPED]), ("r", momenta(3)))
    )
    assert gv.validate(good, true, n_required=300).robust
    report = gv.validate(wrong, true, n_required=300)
    verdicts = {name: str(comparison.verdict) for name, comparison in report.comparisons.items()}
    assert verdicts == {"p.0": "BIASED", "p.1": "BIASED", "p.2": "ROBUST", "joint": "BIASED"}


@TABLES
def test_exchanged_features_of_a_table_are_seen(kind: str) -> None:
    """So is one whose events are in memory."""
    true = in_memory(kind, momenta(3))
    assert gv.validate(in_memory(kind, momenta(1)), true, n_required=300).robust
    report = gv.validate(in_memory(kind, momenta(2)[:, SWAPPED]), true, n_required=300)
    assert [str(report.comparisons[f"p.{i}"].verdict) for i in range(3)] == ["BIASED", "BIASED", "ROBUST"]


@FILES
def test_entries_of_a_file_where_they_are_said_to_be(suffix: str, tmp_path: Path) -> None:
    """Values are compared alike, reduced or not, where the user says so, as the same entries in memory are."""
    arrays = [momenta(seed, 500) for seed in (1, 2)]
    files = [written(tmp_path / f"{i}{suffix}", array) for i, array in enumerate(arrays)]
    tables = [{"p": Entries.of(array)} for array in arrays]
    for expression, plain in (("entries(p)", "p"), ("sum(p)", "sum(p)"), ("leading(p)", "leading(p)")):
        report = gv.validate(files[0], files[1], n_required=50, observables=[expression], bins=5)
        expected = gv.validate(tables[0], tables[1], n_required=50, observables={expression: plain}, bins=5)
        ours, theirs = report.comparisons[expression], expected.comparisons[expression]
        assert isinstance(ours, gv.Comparison)
        assert isinstance(theirs, gv.Comparison)
        assert ours.separation == theirs.separation
    with pytest.raises(
        InputError, match=r"no column 'p'; there are \['p.0', .*name any of 'p.0' to 'p.2', or 'entries"
    ):
        gv.validate(files[0], files[1], n_required=50, observables=["p"])


@FILES
def test_more_axes_of_a_file_are_refused(suffix: str, tmp_path: Path) -> None:
    """Particles by feature are refused with both remedies, whatever is compared."""
    files = [
        written(tmp_path / f"{i}{suffix}", np.random.default_rng(i).normal(size=(50, 4, 3)).astype(np.float64))
        for i in (1, 2)
    ]
    for observables in (None, ["p.0"], ["entries(p)"]):
        with pytest.raises(
            InputError, match=r"nested more deeply than \(events, features\).*flatten .*Entries\.of\(arr"
        ):
            gv.validate(files[0], files[1], n_required=5, observables=observables)


def test_more_axes_in_memory_are_refused() -> None:
    """So are they in memory."""
    cube = np.random.default_rng(1).normal(size=(50, 4, 3))
    tables: list[Any] = [{"p": cube}, in_memory("structured", cube), in_memory("awkward", cube)]
    for table in tables:
        with pytest.raises(InputError, match=r"column 'p' is nested more deeply .*flatten .*Entries\.of\(array\)"):
            gv.validate(table, table, n_required=5)


def test_jagged_columns_in_memory_are_entries() -> None:
    """Lists of awkward, arrow and polars are entries of their events, as in files; of pandas only if said so."""
    lists = [[1.0, 2.0], [], [3.0]] * 20
    tables = [
        pytest.importorskip("awkward").Array({"jet": lists}),
        pytest.importorskip("pyarrow").table({"jet": lists}),
    ]
    tables.append(pytest.importorskip("polars").DataFrame({"jet": lists}))
    for table in tables:
        (column,) = gv.samples.as_sample(table, "generated").columns.values()
        assert isinstance(column, Entries)
        assert column.counts.tolist() == [2, 0, 1] * 20
    frame = pytest.importorskip("pandas").DataFrame({"jet": lists})
    with pytest.raises(InputError, match=r"'jet' holds a list per event; flatten it .*Entries\.of\(list\(tab"):
        gv.validate(frame, frame, n_required=5)


def test_very_many_columns_are_not_compared_unasked() -> None:
    """An array of more columns than anybody reads is an error that says how to state what is compared."""
    voxels = np.random.default_rng(1).exponential(size=(300, MAX_COLUMNS + 1))
    other = np.random.default_rng(2).exponential(size=(300, MAX_COLUMNS + 1))
    with pytest.raises(
        InputError, match=r"'voxels' has 101 columns, .* state observables=, such as \['voxels.0', .*'sum"
    ):
        gv.validate({"voxels": voxels}, {"voxels": other}, n_required=5)
    report = gv.validate({"voxels": voxels}, {"voxels": other}, n_required=5, observables=["voxels.7", "sum(voxels)"])
    assert list(report.comparisons) == ["voxels.7", "sum(voxels)"]
    refuse_wide(f"x.{i}" for i in range(MAX_COLUMNS))
    refuse_wide(f"x{i}" for i in range(2 * MAX_COLUMNS))
    with pytest.raises(InputError, match=r"array 'without a name' has 101 columns"):
        refuse_wide(str(i) for i in range(MAX_COLUMNS + 1))


def test_two_columns_of_one_name() -> None:
    """A column that is called like a feature of an array beside it is refused."""
    with pytest.raises(InputError, match=r"two columns are named 'p\.1'"):
        gv.validate({"p": momenta(1, 9), "p.1": np.ones(9)}, {"p": momenta(2, 9)}, n_required=5)


def test_reasons_are_told_apart() -> None:
    """Why an array of more axes is no column is told from other reasons."""
    assert is_nested(nesting_reason("shape (3, 2, 1)"))
    assert not is_nested("has nothing in it; leave it out")

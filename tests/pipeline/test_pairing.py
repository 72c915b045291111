"""Two sides come down to the same pairs, whatever they are handed over as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import InputError, Sample
from pytest_ganvalid.observables import (
    Classifier,
    Efficiency,
    Estimator,
    KDTree,
    Mean,
    Quantile,
    Selection,
    StandardDeviation,
)
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]
Both = tuple[Table, Table]


def sum_of_columns(events: Any) -> Any:
    """Add two columns."""
    return events["x"] + events["y"]


def doubled(events: Any) -> Any:
    """Scale the entries."""
    return events["jet"].map(lambda values: 2 * values)


def positive(events: Any) -> Any:
    """Select events."""
    return events["x"] > 0


class Linear:
    """A classifier that is quick to train."""

    def fit(self, events: Any, labels: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        """Learn where one class is."""
        self.direction = events[labels == 1].mean(axis=0) - events[labels == 0].mean(axis=0)

    def decision_function(self, events: Any) -> Any:
        """Project."""
        return events @ self.direction


PLAIN = ["x", "y", "n", "ok", ("x", "y"), ("s", sum_of_columns)]
ASKED: dict[str, dict[str, Any]] = {
    "all columns": {"nonfinite": {"hole": "separate"}},
    "columns": {"observables": PLAIN},
    "one column": {"observables": "x"},
    "tree": {"observables": [KDTree(("x", "y", "n")), ("x", "e", "n", "ok")]},
    "tree of all": {"observables": KDTree(), "nonfinite": "overflow"},
    "functions": {"observables": [sum_of_columns, ("f", lambda events: events["x"] ** 3), doubled]},
    "function of the weight": {
        "observables": [("f", lambda events: events["x"] * np.sign(events.weight))],
        "weight": "w",
    },
    "selections": {"observables": [Selection("x", "ok"), Selection(("x", "y"), positive), Selection("n", positive)]},
    "entries": {
        "observables": ["jet", "leading(jet)", "count(jet)", Selection("jet", "ok"), Selection("jet", positive)],
        "nonfinite": {"leading(jet)": "underflow"},
    },
    "estimators": {
        "observables": [
            Mean("x"),
            StandardDeviation("y"),
            Quantile("x", 0.3),
            Efficiency("ok"),
            Mean("count(jet)"),
            "x",
        ]
    },
    "any estimator": {"observables": [Estimator("third", lambda events: float(np.mean(events["x"] ** 3)))]},
    "classifier": {"observables": [Classifier(("x", "y"), Linear()), "x"], "seed": 3},
    "order": {"observables": [Mean("x"), "y", Quantile("x", 0.5), "x"]},
    "mapping": {"observables": {"a": "x", "b": ("x", "n"), "c": Mean("y")}},
    "weights": {"observables": [*PLAIN, KDTree(("x", "y", "n"))], "weight": "w"},
    "weights of one side": {"observables": PLAIN, "weight": ("w", None)},
    "weights of all columns": {"nonfinite": "overflow", "weight": (None, "w")},
    "bins": {"observables": ["x", "y", "n"], "bins": {"x": 7, "y": [-1.0, 0.0, 2.0]}},
    "pair of edges": {"observables": [("x", "y")], "bins": ([-1.0, 1.0], [0.0, 2.0])},
    "strata": {"observables": ["x", "jet", Mean("y"), ("x", "n")], "by": "e", "bins": 8},
    "strata of quantiles": {"observables": ["y"], "by": ("x", 3), "bins": 8},
    "strata of edges": {"observables": ["y"], "by": ("x", [-0.5, 0.5]), "bins": 8, "weight": "w"},
    "strata of entries": {"observables": ["x"], "by": ("count(jet)", [2.0]), "bins": 8},
    "strata of all": {"by": "e", "bins": 5, "nonfinite": "underflow", "weight": "w"},
    **{
        f"nonfinite {place}": {"observables": ["hole", ("hole", "x"), KDTree(("hole", "x", "y"))], "nonfinite": place}
        for place in ("underflow", "overflow", "separate")
    },
}
MIXED = ("columns", "weights", "strata", "entries", "estimators")


def validate(generated: Any, reference: Any, **keywords: Any) -> gv.Report:
    """Compare at few events."""
    return gv.validate(generated, reference, n_required=30, **keywords)


def assert_same(ours: gv.Report, theirs: gv.Report, *, approximate: Sequence[str] = ()) -> None:
    """The same comparisons, of entries with weights but for rounding, and the same knowledge of shared rows."""
    assert list(ours.comparisons) == list(theirs.comparisons)
    for name, comparison in ours.comparisons.items():
        if any(name.startswith(one) for one in approximate):
            assert comparison.verdict == theirs.comparisons[name].verdict
            assert comparison.n_equivalent.lower == pytest.approx(theirs.comparisons[name].n_equivalent.lower, rel=1e-9)
        else:
            assert comparison == theirs.comparisons[name], name
    assert (ours.verdict, ours.reasons, ours.shared) == (theirs.verdict, theirs.reasons, theirs.shared)
    assert ours.notes == theirs.notes
    for key in ("generated_events", "reference_events", "strata", "independence", "learned"):
        assert ours.provenance.get(key) == theirs.provenance.get(key), key


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("kind", ASKED)
def test_parts_are_as_arrays(samples: Both, streamed: Stream, kind: str) -> None:
    """Events in parts give the report of arrays, to the last bit, for every kind of observable and of setting."""
    keywords = ASKED[kind]
    weighted = ["jet"] if "weight" in keywords else []
    expected = validate(*samples, **keywords)
    assert_same(validate(*map(streamed, samples), **keywords), expected, approximate=weighted)
    if kind in MIXED:
        for mixed in ((samples[0], streamed(samples[1])), (streamed(samples[0]), samples[1])):
            assert_same(validate(*mixed, **keywords), expected, approximate=weighted)


def test_arrays_of_weights_in_memory(samples: Both, streamed: Stream) -> None:
    """The side in memory may have an array of weights, or weights of a sample, and the other the name of a column."""
    plain = {name: samples[0][name] for name in "xy"}
    both = {name: samples[1][name] for name in ("x", "y", "w")}
    observables = ["x", "y", KDTree(("x", "y"))]
    expected = validate(plain, both, weight=(samples[0]["w"], "w"), observables=observables)
    for generated, weight in ((plain, samples[0]["w"]), (Sample(plain, samples[0]["w"]), None)):
        report = validate(generated, streamed(both), weight=(weight, "w"), observables=observables)
        assert report.comparisons == expected.comparisons


@pytest.mark.parametrize("memory", [2**20, 2**24])
@pytest.mark.parametrize("pattern", [False, True])
def test_memory_and_names_do_not_matter(
    samples: Both,
    tmp_path: Path,
    memory: int,
    pattern: bool,  # noqa: FBT001
) -> None:
    """A pattern is as good as a list of files, and how much memory there is changes nothing."""
    columns = ("x", "y", "n", "ok")
    given: list[Any] = []
    for table, name in zip(samples, ("gen", "ref"), strict=True):
        paths = [str(tmp_path / f"{name}{i}.npz") for i in range(2)]
        for path, rows in zip(paths, (slice(0, 300), slice(300, None)), strict=True):
            np.savez(path, **{column: table[column][rows] for column in columns})
        given.append(str(tmp_path / f"{name}*.npz") if pattern else paths)
    expected = validate(*({name: table[name] for name in columns} for table in samples), **ASKED["columns"])
    assert_same(validate(*given, memory=memory, **ASKED["columns"]), expected)


@pytest.mark.parametrize("plain", [0, 1])
def test_entries_on_one_side(samples: Both, streamed: Stream, plain: int) -> None:
    """A column of one number per event on one side and several on the other is compared, in whatever parts."""
    tables = [{"jet": table["jet"]} for table in samples]
    tables[plain] = {"jet": np.random.default_rng(1).exponential(size=900)}
    ours, theirs = (validate(*sides, observables=["jet"]) for sides in (map(streamed, tables), tables))
    assert list(theirs.comparisons) == ["jet", f"jet{MULTIPLICITY}"]
    assert ours.comparisons == theirs.comparisons


def test_how_bins_were_chosen_is_told(samples: Both, streamed: Stream, small_previews: None) -> None:  # noqa: ARG001
    """The report says from how many rows bins were chosen, if not from all."""
    long = {"x": np.concatenate([samples[1]["x"]] * 3) + np.arange(1_800) * 1e-6}
    request = Request.parsed(observables=["x"], bins=4)
    assert paired(samples[0], streamed(samples[1]), request, (None, None), None).bin_provenance == {}
    how = paired(samples[0], streamed(long), request, (None, None), None).bin_provenance
    assert how["drawn"] is False
    assert 380 <= how["bins_from_rows"] <= 400
    assert validate(samples[0], streamed(long), observables=["x"], bins=4).provenance["bins"] == dict(how)
    assert paired(samples[0], long, request, (None, None), None).bin_provenance == {
        "bins_from_rows": 400,
        "drawn": False,
    }


def test_the_order_is_that_asked_for(samples: Both) -> None:
    """Comparisons come stratum by stratum in the order of the observables, learned or not, numbers after entries."""
    observables = [Mean("x"), "jet", KDTree(("x", "y")), Quantile("x", 0.5, name="median"), "x"]
    report = validate(*samples, observables=observables, by=("e", [15.0]), bins=4)
    names = ["mean(x) | {}", "jet | {}", f"jet | {{}}{MULTIPLICITY}", "kdtree | {}", "median | {}", "x | {}"]
    expected = [name.format(label) for label in ("e < 15", "e >= 15") for name in names]
    assert list(report.comparisons) == [*expected, "e: rate per stratum"]


GATE = """
    import pytest

    @pytest.mark.ganvalid(n_required=50, observables=["x", ("x", "y")])
    def test_good(ganvalid):
        report = ganvalid.check("gen*.npz", "ref*.npz")
        assert report.provenance["generated_events"] == 500

    @pytest.mark.ganvalid(n_required=50, observables=["x"])
    def test_bad(ganvalid):
        ganvalid.check("bad.npz", "ref*.npz")

    @pytest.mark.ganvalid(n_required=50)
    def test_missing(ganvalid):
        ganvalid.check("none.npz", "ref*.npz")
"""


def test_gate(pytester: pytest.Pytester, samples: Both) -> None:
    """A marked test hands over the names of files; a bad generator fails it, and so does a file that is not there."""
    for table, name in zip(samples, ("gen", "ref"), strict=True):
        for i, rows in enumerate((slice(0, 300), slice(300, None))):
            np.savez(pytester.path / f"{name}{i}.npz", x=table["x"][rows], y=table["y"][rows])
    np.savez(pytester.path / "bad.npz", x=samples[0]["x"] + 1, y=samples[0]["y"])
    pytester.makepyfile(GATE)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*BIASED*"])
    result.stdout.fnmatch_lines(["*generated: none.npz: there is no such file*"])
    assert "reading" not in result.stderr.str()


def test_a_client_is_for_what_is_read(samples: Both) -> None:
    """A client that would have nothing to do is refused."""
    with pytest.raises(InputError, match=r"client= is for files and Dask collections; the samples are in memory"):
        validate(*samples, observables=["x"], client=object())

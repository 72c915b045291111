"""Two sides are filled alike and paired, whatever they are handed over as; what admits no verdict is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import Entries, InputError, InputTypeError, Sample, Verdict
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
from pytest_ganvalid.pipeline.joint import NOT_LOOKED_FOR
from pytest_ganvalid.pipeline.pair import paired
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.summary import Histograms, added
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]
Both = tuple[Table, Table]


@pytest.fixture(scope="module")
def samples(events: Make) -> Both:
    """Return the generated and the reference events."""
    return events(1, 500), events(2, 600)


# However events are handed over.


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


ROADS = ("arrays", "parts", "stored reference", "stored")


def on_road(road: str, streamed: Stream, generated: Table, reference: Table, **keywords: Any) -> gv.Report:
    """Compare all columns of two tables that are handed over in some way."""
    ours, theirs = generated, reference
    if road.startswith("stored"):
        stored_ = gv.Histograms.from_json(gv.fill(theirs, **keywords).to_json())
        ours_ = gv.fill(ours, like=stored_) if road == "stored" else ours
        return gv.validate(ours_, stored_, n_required=30)
    both = (streamed(ours), streamed(theirs)) if road == "parts" else (ours, theirs)
    return gv.validate(*both, n_required=30, **keywords)


@pytest.mark.parametrize("road", ROADS)
def test_all_columns(events: Make, streamed: Stream, road: str) -> None:
    """All columns of the reference are compared, and jointly; what is left out has its reason on every road."""
    text = np.array(["a", "b"] * 300)
    shared = {"word": text, "event": np.arange(600), "one": np.full(600, 7), "e": events(1, 600)["e"]}
    ours, theirs = ({**{name: events(seed, 600)[name] for name in ("x", "y")}, **shared} for seed in (1, 2))
    report = on_road(road, streamed, {**ours, "mine": ours["x"]}, {**theirs, "label": text, "id": np.arange(600)})
    assert list(report.comparisons) == ["x", "y", "e", "joint"]
    assert dict(report.skipped) == {
        "word": "not numeric",
        "label": "not numeric",
        "event": "numbers the events",
        "id": "numbers the events",
        "one": "has one value, the same on both sides",
        "mine": "only generated has it",
    }
    with pytest.raises(InputError, match=r"that the generated sample lacks: \['x', 'y'\];.*or state observables="):
        on_road(road, streamed, {"e": ours["e"], "one": ours["one"]}, {**theirs})


@pytest.mark.parametrize("road", ROADS)
def test_a_constant_that_is_another_is_compared(streamed: Stream, road: str) -> None:
    """One value that is not the same on both sides is BIASED; one that only a stratum has is left out there."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"x": rng.normal(size=900), "c": np.full(900, value)} for value in (1.0, 1.1))
    assert on_road(road, streamed, ours, theirs).comparisons["c"].verdict is Verdict.BIASED
    for table in (ours, theirs):
        table["k"] = rng.integers(0, 2, 900)
        table["c"] = np.where(table["k"] == 1, 0.0, rng.normal(size=900))
    report = on_road(road, streamed, ours, theirs, by="k")
    names = ["x | k = 0", "c | k = 0", "joint | k = 0", "x | k = 1", "joint | k = 1", "k: rate per stratum"]
    assert list(report.comparisons) == names
    assert report.skipped["c | k = 1"] == "has one value, the same on both sides"
    assert report.skipped["k"] == "divides the events into strata"


@pytest.mark.parametrize("road", ROADS)
def test_nothing_but_constants(streamed: Stream, road: str) -> None:
    """Where all columns have one value, the same on both sides, nothing is demonstrated."""
    table = {"a": np.zeros(200), "b": np.full(200, 1e-300), "c": np.full(200, -3, dtype=np.int32)}
    with pytest.raises(InputError, match="every column has one value, the same on both sides: there is nothing to"):
        on_road(road, streamed, {name: values[:150] for name, values in table.items()}, table)


def test_a_constant_in_parts_of_one_event() -> None:
    """A constant is left out although a list of repeated values has no value that a part has once."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"x": rng.normal(size=200), "one": np.full(200, 3.0)} for _ in range(2))
    whole = gv.fill(theirs)
    parts = [
        gv.fill({name: ours[name][start:stop] for name in ours}, like=whole)
        for start, stop in ((0, 1), (1, 3), (3, 200))
    ]
    report = gv.validate(added(("", part) for part in parts), whole, n_required=20)
    assert report.skipped["one"] == "has one value, the same on both sides"


@pytest.mark.parametrize("road", ROADS)
def test_entries_of_one_value_are_left_out(streamed: Stream, road: str) -> None:
    """A column of entries that are all alike is left out with its reason; one that is another value is refused."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(2, 900)
    ours, theirs = (
        {"x": rng.normal(size=900), "id": Entries(np.full(counts.sum(), 22), counts), "n": Entries(some, counts)}
        for some in rng.normal(size=(2, counts.sum()))
    )
    report = on_road(road, streamed, ours, theirs)
    assert report.skipped["id"] == "all entries of both sides are in one bin, [21.5, 22.5)"
    assert {"n", "id: entries per event"} <= {*report.comparisons}
    ours["id"] = Entries(np.full(counts.sum(), 23), counts)
    with pytest.raises(InputError, match="observable 'id': the events of either sample fill the bins all alike"):
        on_road(road, streamed, ours, theirs)


@pytest.mark.parametrize("road", ROADS)
def test_all_that_is_not_finite_is_named_at_once(streamed: Stream, road: str) -> None:
    """Of all columns one error names those with NaN or infinite values, and each of its remedies works."""
    rng = np.random.default_rng(1)
    sides = [{name: rng.normal(size=900) for name in "abcd"} | {"one": np.ones(900)} for _ in range(2)]
    for side in sides:
        side["b"][::7], side["d"][5::7] = np.nan, np.inf
    with pytest.raises(InputError) as caught:
        on_road(road, streamed, *sides)
    remedies: dict[str, Any] = {"nonfinite": {"b": "separate", "d": "separate"}, "observables": ["a", "c"]}
    words = str(caught.value)
    assert "observable 'b' has " in words
    assert "Others that have some: ['d']; to go on: " in words
    for name, value in remedies.items():
        assert f"{name}={value}" in words
        assert on_road(road, streamed, *sides, **{name: value}).comparisons["a"].robust


@pytest.mark.parametrize("road", ROADS)
def test_the_joint_distribution_has_a_name_of_its_own(streamed: Stream, road: str) -> None:
    """Where a column is called joint, the joint distribution has another name, and a note says so."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"joint": rng.normal(size=900), "x": rng.normal(size=900)} for _ in range(2))
    report = on_road(road, streamed, ours, theirs)
    assert list(report.comparisons) == ["joint", "x", "joint 2"]
    assert "the joint distribution of all columns is named 'joint 2', as a column is named 'joint'" in report.notes


@pytest.mark.parametrize("road", ROADS)
def test_what_cannot_be_joined_is_said(streamed: Stream, road: str) -> None:
    """A joint distribution that cannot be cut into cells is left out and named; the columns are compared."""
    rng = np.random.default_rng(1)
    rare = (np.arange(900) < 4, np.arange(900) >= 896)
    ours, theirs = (
        {
            **{name: where * 1.0 for name, where in zip("ab", rare, strict=True)},
            "jet": Entries(rng.normal(size=1_800), np.full(900, 2)),
        }
        for _ in range(2)
    )
    report = on_road(road, streamed, ours, theirs)
    assert list(report.comparisons) == ["a", "b", "jet"]
    assert "cannot be cut into cells along ['a', 'b']" in report.skipped["joint"]


def test_the_number_of_entries_is_compared_where_it_varies() -> None:
    """The number of entries is compared unless all events have one number of them, but for those not selected."""
    rng = np.random.default_rng(1)
    for counts, compared in (([1, 1], False), ([2, 2], False), ([1, 2], True)):
        sides = [
            {"j": Entries(rng.normal(size=sum(counts) * 200), np.array(counts * 200)), "ok": rng.random(400) < 0.5}
            for _ in range(2)
        ]
        report = validate(*sides, observables=["j", Selection("j", "ok")], bins=3)
        assert (f"j{MULTIPLICITY}" in report.comparisons) is compared
        assert (f"j where ok{MULTIPLICITY}" in report.comparisons) is compared


def test_strata_without_events_are_left_out(samples: Both) -> None:
    """A bin of the condition that neither side has events in is no stratum; the shares are those of the weight."""
    request = Request.parsed(observables=["x"], by=("e", [15.0, 30.0, 40.0]), bins=4)
    pairing = paired(*samples, request, ("w", "w"), None)
    assert [stratum.label for stratum in pairing.strata] == ["e < 15", "e in [15, 30)", "e >= 40"]
    table = samples[1]
    for stratum, value in zip(pairing.strata, (10.0, 20.0, 50.0), strict=True):
        share = table["w"][table["e"] == value].sum() / table["w"].sum()
        assert stratum.share_reference == pytest.approx(share)
        numbers = [int(np.count_nonzero(one["e"] == value)) for one in samples]
        assert [stratum.n_generated, stratum.n_reference] == numbers
    assert [pair.used for pair in pairing.pairs] == [*(stratum.used for stratum in pairing.strata), (1.0, 1.0)]
    with pytest.raises(InputError, match="stratum e >= 40 has 0 generated and"):
        paired(
            {name: column[samples[0]["e"] < 40] for name, column in samples[0].items()},
            table,
            request,
            (None, None),
            None,
        )


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
@pytest.mark.parametrize("side", [0, 1])
def test_weights_that_cancel(samples: Both, streamed: Stream, how: str, side: int) -> None:
    """Weights without a positive sum are an error on either side, with one message in strata and one without."""
    table = {"x": samples[1]["x"], "e": samples[1]["e"]}
    signs = np.where(np.arange(600) % 2, 1.0, -1.0)
    name = ("generated", "reference")[side]
    for by, match in ((None, f"observable 'x': {name}: the total weight is"), ("e", f"{name}: the total weight is")):
        tables = [{**table, "w": np.ones(600)}, {**table, "x": -table["x"], "w": np.ones(600)}]
        tables[side]["w"] = signs
        if how == "filled":
            reference = gv.fill(tables[1], observables=["x"], weight="w", by=by, bins=[0.0, 1.0])
            sides: Any = gv.fill(tables[0], like=reference), reference
            stated: dict[str, Any] = {}
        else:
            sides = tables if how == "arrays" else list(map(streamed, tables))
            stated = {"observables": ["x"], "weight": "w", "by": by, "bins": [0.0, 1.0]}
        with pytest.raises(InputError, match=match):
            validate(*sides, **stated)


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


# Histograms that were filled before.


@pytest.mark.parametrize("weight", [None, "w"])
def test_the_verdict_is_that_on_all_events(events: Make, keywords: dict[str, Any], weight: str | None) -> None:
    """Histograms filled in parts, through JSON, give the comparisons that the events themselves give."""
    ours, theirs = events(4, 600), events(5, 600)
    reference = Histograms.from_json(gv.fill(theirs, weight=weight, **keywords).to_json())
    parts = [("", gv.fill({name: column[i::3] for name, column in ours.items()}, like=reference)) for i in range(3)]
    generated = Histograms.from_json(added(parts).to_json())
    report = gv.validate(generated, reference, n_required=50)
    expected = gv.validate(ours, theirs, n_required=50, weight=weight, **keywords)
    assert report.verdict is expected.verdict
    assert report.notes[0] == NOT_LOOKED_FOR
    assert NOT_LOOKED_FOR not in expected.notes
    if weight is None:
        assert report.comparisons == expected.comparisons
    for name, one in report.comparisons.items():
        other = expected.comparisons[name]
        assert isinstance(one, gv.Comparison)
        assert isinstance(other, gv.Comparison)
        assert (one.bins, one.verdict) == (other.bins, other.verdict)
        assert one.chi2 == pytest.approx(other.chi2, rel=1e-9)
    mixed = gv.validate(ours, reference, n_required=50, weight=(weight, None))
    assert mixed.comparisons == gv.validate(gv.fill(ours, like=reference), reference, n_required=50).comparisons
    flipped = gv.validate(generated, theirs, n_required=50, weight=(None, weight))
    assert flipped.comparisons == report.comparisons


def filled(events: Make, *seeds: int, n: int = 240, **keywords: Any) -> list[Histograms]:
    """Fill samples, all like the first."""
    first = gv.fill(events(seeds[0], n), **keywords)
    return [first, *(gv.fill(events(seed, n), like=first) for seed in seeds[1:])]


def test_sides_that_share_events_are_refused(events: Make) -> None:
    """Events of the reference are no generated ones; nor may the generated events have chosen the bins."""
    reference, generated, third = filled(events, 1, 2, 3, observables=["x"])
    with pytest.raises(InputError, match=r"^memory of the generated and memory of the reference hold the same 240 eve"):
        gv.validate(generated + third, reference + third, n_required=10)
    with pytest.raises(InputError, match=r"the bins were chosen from the generated events \(memory\), which must not"):
        gv.validate(reference, generated, n_required=10)
    with pytest.raises(InputError, match=r"were filled in different ways: 'x': .*ganvalid fill GENERATED --like"):
        gv.validate(gv.fill(events(4, 240), observables=["x"], bins=[0.0]), reference, n_required=10)


def test_bins_of_unknown_events_are_noted(events: Make) -> None:
    """A note says that bins were chosen from events of neither side, unless they were given."""
    first, *sides = filled(events, 1, 2, 3, observables=["x"])
    notes = gv.validate(*sides, n_required=10).notes
    assert any(f"chosen from events of neither side (content {first.origins[0].id[:12]})" in note for note in notes)
    for generated, reference in ((sides[0], first), (sides[0], sides[1] + first)):
        notes = gv.validate(generated, reference, n_required=10).notes
        assert not any("neither side" in note for note in notes)


def test_shared_rows_leave_it_unproven() -> None:
    """Generated events that repeat reference events are found in the sketches, whatever else they are among."""
    n = 6_000
    rng = np.random.default_rng(0)
    theirs = {"x": rng.normal(size=n), "y": rng.normal(size=n)}
    ours = {name: np.concatenate([rng.normal(size=n - 600), column[:600]]) for name, column in theirs.items()}
    reference = gv.fill(theirs, bins=20)
    report = gv.validate(gv.fill(ours, like=reference), reference, n_required=100)
    assert report.verdict is Verdict.UNPROVEN
    assert len(report.shared) == 1
    assert "generated rows are also in the reference sample" in report.shared[0]
    single = {name: column.astype(np.float32) for name, column in ours.items()}
    report = gv.validate(gv.fill(single, like=reference), reference, n_required=100)
    assert "in single precision" in report.shared[0]
    fresh = {name: rng.normal(size=n) for name in theirs}
    assert gv.validate(gv.fill(fresh, like=reference), reference, n_required=100).robust
    assert not gv.validate(fresh, reference, n_required=100).shared


@pytest.mark.parametrize("copies", [0, 250])
def test_few_shared_rows_are_found(copies: int) -> None:
    """Copies of 1 in 200 of many events with two columns of floats are more than the resolution allows for."""
    rng = np.random.default_rng(5)
    ours, theirs = ({"x": rng.normal(size=50_000), "y": rng.exponential(size=50_000)} for _ in range(2))
    for name, column in theirs.items():
        ours[name][:copies] = column[:copies]
    filled_ = [gv.fill(side, observables=["x", "y"], bins=[0.0, 1.0]) for side in (ours, theirs)]
    report = gv.validate(*filled_, n_required=100)
    assert bool(report.shared) is bool(copies)
    assert all("generated rows are also in the reference sample" in reason for reason in report.shared)


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
def test_repeated_reference_rows_leave_it_unproven(streamed: Stream, how: str) -> None:
    """A reference that was read twice under another number of events is noticed."""
    rng = np.random.default_rng(1)
    column = rng.normal(size=3_000)
    table = {"x": np.concatenate([column, column])}
    reference: Any = table if how == "arrays" else streamed(table) if how == "parts" else gv.fill(table)
    report = gv.validate({"x": rng.normal(size=3_000)}, reference, n_required=100)
    assert report.verdict is Verdict.UNPROVEN
    assert "was a file read twice?" in report.reasons[0]


def test_generated_rows_without_the_columns_of_the_key(events: Make) -> None:
    """Generated events that lack columns by which a stored reference is recognised prove nothing, and are told why."""
    table = {name: events(1, 300)[name] for name in ("x", "y")}
    reference = gv.fill(table, observables=["x"], bins=[0.0])
    assert reference.fingerprint is not None
    assert reference.fingerprint.columns == ("x", "y")
    for generated in ({"x": events(2, 300)["x"]}, gv.fill({"x": events(2, 300)["x"]}, like=reference)):
        report = gv.validate(generated, reference, n_required=10)
        assert report.verdict is Verdict.UNPROVEN
        (reason,) = report.shared
        assert reason.startswith("whether generated rows repeat reference rows cannot be known: reference rows are rec")
        assert "by ['x', 'y'], and the generated ones are not; give them those columns" in reason


def test_rows_of_either_side_are_recognised_alike(events: Make) -> None:
    """Histograms of given bins whose rows are recognised by other columns prove nothing, and are told why."""
    table = {name: events(1, 300)[name] for name in ("x", "y", "n")}
    other = {name: events(2, 300)[name] for name in ("x", "n")}
    reference, generated = (gv.fill(one, observables=["x"], bins=[0.0]) for one in (table, other))
    report = gv.validate(generated, reference, n_required=10)
    assert report.verdict is Verdict.UNPROVEN
    (reason,) = report.shared
    assert "fill the generated events like the reference" in reason


def test_a_client_is_for_what_is_read(samples: Both) -> None:
    """A client that would have nothing to do is refused."""
    with pytest.raises(InputError, match=r"client= is for files and Dask collections; the samples are in memory"):
        validate(*samples, observables=["x"], client=object())


def test_columns_that_tell_no_events_apart() -> None:
    """Coarse columns leave copies unseen, which is noted; if others would show them, it must be known."""
    rng = np.random.default_rng(3)
    coarse = [{"k": rng.integers(0, 4, 2_000).astype(float)} for _ in range(2)]
    report = gv.validate(*coarse, n_required=50)
    assert any("['k'] do not tell events apart: whether generated rows repeat" in note for note in report.notes)
    assert not report.shared
    fine = {**coarse[0], "x": rng.normal(size=2_000)}
    report = gv.validate(fine, coarse[1], n_required=50)
    assert report.verdict is Verdict.UNPROVEN
    assert "['k'] do not tell events apart, and ['x'], which would, are on one side only" in report.shared[0]
    text = [{"t": np.array(["a", "b"] * 500), "j": Entries.of([[1.0], [2.0, 3.0]] * 500)} for _ in range(2)]
    assert gv.validate(*text, n_required=20, observables=["count(j)"], bins=[1.5]).notes


@pytest.mark.parametrize("fill", [False, True])
def test_a_weight_that_is_not_applied_is_noted(fill: bool) -> None:  # noqa: FBT001
    """Where all columns are compared and one is called a weight, a note says so, unless it is applied or was named."""
    rng = np.random.default_rng(1)
    sides = [{"x": rng.normal(size=600), "genWeight": rng.uniform(0.5, 1.5, 600)} for _ in range(2)]

    def notes(**stated: Any) -> list[str]:
        samples: list[Any] = [*sides]
        if fill:
            samples[1] = gv.fill(sides[1], **stated)
            samples[0] = gv.fill(sides[0], like=samples[1], **{k: v for k, v in stated.items() if k == "weight"})
        report = gv.validate(*samples, n_required=10, **({} if fill else stated))
        return [note for note in report.notes if "genWeight" in note]

    assert notes() == ["genWeight is compared as an observable; if it is a weight, apply it: weight='genWeight'"]
    assert not notes(weight="genWeight")
    assert not notes(observables=["x", "genWeight"])


def test_a_weight_that_is_not_applied_to_stated_observables_is_noted(streamed: Stream) -> None:
    """Where observables are stated, a column called a weight is noted, with its side, on any road."""
    rng = np.random.default_rng(1)
    sides = [{"x": rng.normal(size=600), "genWeight": rng.uniform(0.5, 1.5, 600)} for _ in range(2)]
    bare = {"x": sides[0]["x"]}

    def notes(*samples: Any, **stated: Any) -> list[str]:
        report = gv.validate(*samples, n_required=10, **({"observables": ["x"]} | stated))
        return [note for note in report.notes if "genWeight" in note]

    both = (
        "genWeight is a column of the generated and reference events and is not applied; if it is a weight, apply it: "
    )
    for samples in (sides, [streamed(side) for side in sides]):
        assert notes(*samples) == [both + "weight='genWeight'"]
    assert "of the reference events" in notes(bare, sides[1])[0]
    assert notes(bare, sides[1])[0].endswith("weight=(None, 'genWeight')")
    assert not notes(bare, sides[1], weight=(None, "genWeight"))
    assert not notes(*sides, observables=["x", "genWeight"])


def test_some_histograms_can_be_chosen(events: Make) -> None:
    """Names choose among the histograms; anything else, or another name, is refused."""
    reference, generated = filled(events, 1, 2, observables=["x", "y"], bins=5)
    report = gv.validate(generated, reference, n_required=10, observables=["y"])
    assert list(report.comparisons) == ["y"]
    assert report.skipped == {"x": "not asked for"}
    assert list(gv.validate(generated, reference, n_required=10, observables="x").comparisons) == ["x"]
    both = gv.validate(generated, reference, n_required=10, observables={"y", "x"})
    assert list(both.comparisons) == ["x", "y"]
    assert both.skipped == {}
    with pytest.raises(InputError, match=r"there is no histogram 'z'; there are \['x', 'y'\]"):
        gv.validate(generated, reference, n_required=10, observables=["z", "x"])
    for wrong in ([np.mean], KDTree(), 3, [("x", np.mean)], [()]):
        with pytest.raises(InputTypeError, match="only names can be chosen"):
            gv.validate(generated, reference, n_required=10, observables=wrong)
    with pytest.raises(InputError, match="no observable to compare"):
        gv.validate(generated, reference, n_required=10, observables=[])


def test_what_is_filled_is_asked_for_as_it_was(events: Make) -> None:
    """The observables and the weight that histograms were filled by ask for them, as they would of events."""
    observables = ["y", ("x", "y")]
    reference, generated = filled(events, 1, 2, observables=observables, bins=5, weight="w")
    stored = gv.validate(generated, reference, n_required=10, observables=observables, weight="w")
    assert list(stored.comparisons) == ["y", "x:y"]
    stored, chosen = (
        gv.validate(sample, reference, n_required=10, observables=[["x", "y"]], weight="w")
        for sample in (generated, events(2, 240))
    )
    assert chosen.comparisons == stored.comparisons
    assert list(chosen.comparisons) == ["x:y"]
    with pytest.raises(InputError, match=r"there is no histogram 'y:x'.*; there are \['x:y', 'y'\]"):
        gv.validate(generated, reference, n_required=10, observables=[("y", "x")])
    with pytest.raises(InputError, match=r"^weight can only be chosen when histograms are filled"):
        gv.validate(generated, reference, n_required=10, weight=("w", "x"))


@pytest.mark.parametrize(
    "stated",
    [
        {"bins": 5},
        {"bins": np.array([0.0, 1.0])},
        {"by": "e"},
        {"seed": 1},
        {"nonfinite": "overflow"},
        {"weight": "w"},
        {"weight": (None, "w")},
        {"memory": 2**25},
        {"client": object()},
    ],
    ids=lambda stated: next(iter(stated)),
)
def test_what_can_only_be_said_of_events_is_refused(events: Make, stated: dict[str, Any]) -> None:
    """Keywords that say how to fill have no meaning for what is filled; memory has, where the other side is events."""
    reference, generated = filled(events, 1, 2, observables=["x"])
    match = f"^{next(iter(stated))} can only be chosen when histograms are filled, and these are"
    with pytest.raises(InputError, match=match):
        gv.validate(generated, reference, n_required=10, **stated)
    if "memory" in stated:
        assert gv.validate(events(2, 240), reference, n_required=10, **stated).comparisons
    elif "client" not in stated:
        with pytest.raises(InputError, match=match):
            gv.validate(events(2, 240), reference, n_required=10, **stated)


def test_where_events_come_from_is_told(events: Make, streamed: Stream) -> None:
    """The report names the sources of both sides, and of histograms how many there are."""
    reference, *generated = filled(events, 1, 2, 3, observables=["x"])
    provenance = gv.validate(added([("", one) for one in generated]), reference, n_required=10).provenance
    assert provenance["generated"] == {"source": "memory, memory", "files": 2}
    assert provenance["reference"] == {"source": "memory", "files": 1}
    assert (provenance["generated_events"], provenance["reference_events"]) == (480, 240)
    provenance = gv.validate(streamed(events(1, 240)), events(2, 240), n_required=10, observables=["x"]).provenance
    assert provenance["generated"] == {"source": "3 parts"}


# Selections, trees and entries, end to end.

N = 30_000


def normal(seed: int, *, rho: float = 0.6, n: int = N) -> Sample:
    """Two correlated columns with standard normal marginals, and one without correlation."""
    x, y, z = np.random.default_rng(seed).standard_normal((3, n))
    return Sample({"x": x, "y": rho * x + math.sqrt(1 - rho**2) * y, "z": z})


def jets(seed: int, *, n: int = 5_000, mean: float = 4.0, shift: float = 0.0, common: float = 1.0) -> Sample:
    """Events of correlated jets: a common part and one of their own, of unit variance together."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean, n)
    of_event = np.repeat(rng.standard_normal(n), counts)
    values = math.sqrt(common) * of_event + math.sqrt(1 - common) * rng.standard_normal(counts.sum())
    return Sample({"jet": Entries(values + shift, counts)})


def verdict(generated: Sample, reference: Sample, observable: object, **keywords: Any) -> Verdict:
    """Verdict on one observable."""
    return gv.validate(generated, reference, observables=[observable], **{"n_required": 3_000, **keywords}).verdict


def cut(events: Sample) -> Any:
    """Keep the upper part."""
    return events["x"] > 1


def test_a_selection_compares_its_rate_too() -> None:
    """Events outside are one more bin: all events count, and the bin has its words."""
    report = gv.validate(normal(1), normal(2), n_required=3_000, observables=[Selection("y", cut)], bins=10)
    found = report.histograms["y where cut"]
    # Ten bins, of which the outer two are halved twice: there are 3,000 · 16 % · 1/40 = 12 events in the last of them.
    assert (found.bins, found.n_generated, found.n_reference) == (15, N, N)
    assert found.contents.reference[-1] == pytest.approx(0.841, abs=0.01)
    assert found.robust


def test_a_wrong_rate_cannot_hide_behind_a_selection() -> None:
    """A generator right within the selection, but with too many events in it, is BIASED in the bin outside."""
    rng = np.random.default_rng(1)
    reference = Sample({"x": rng.random(N), "y": rng.random(N)})
    generated = Sample({"x": rng.random(N) ** 0.8, "y": rng.random(N)})
    report = gv.validate(
        generated, reference, n_required=3_000, observables=[Selection("y", lambda e: e["x"] > 0.5, name="y")], bins=10
    )
    assert report.verdict is Verdict.BIASED
    assert "outside the selection" in {bias.label for bias in report.histograms["y"].worst_bins}


def test_a_selection_may_be_a_column_and_of_anything() -> None:
    """Conditions are columns of booleans or functions, of columns, pairs, functions and entries."""
    sample = normal(1, n=3_000)
    passed = sample["x"] > 0
    events = Sample({**sample.columns, "passed": passed, "jet": jets(1, n=3_000)["jet"]})
    wanted = {
        "column": Selection("y", "passed"),
        "pair": Selection(("x", "y"), "passed"),
        "function": Selection(("r", lambda e: np.hypot(e["x"], e["y"])), "passed"),
        "entries": Selection("jet", "passed"),
    }
    report = gv.validate(events, events.select(np.arange(3_000)[::-1]), n_required=50, observables=wanted, bins=9)
    outside = np.count_nonzero(~passed)
    assert report.histograms["column"].contents.reference[-1] == pytest.approx(outside / 3_000)
    entries = int(events["jet"].counts[passed].sum())
    assert report.histograms["entries"].contents.reference[-1] == pytest.approx(outside / (outside + entries))


def test_nan_outside_a_selection_is_no_value() -> None:
    """What is not selected may be undefined; what is selected may not."""
    first, second = normal(1), normal(2)
    for sample in (first, second):
        sample["y"][sample["x"] <= 1] = np.nan
    assert verdict(first, second, Selection("y", cut), bins=10) is Verdict.ROBUST
    with pytest.raises(InputError, match="NaN"):
        verdict(first, second, Selection("y", lambda e: e["x"] > 0, name="y"))


@pytest.mark.parametrize(
    ("wanted", "error", "match"),
    [
        (Selection("x", lambda e: e["x"] > 0), InputError, "give it a name"),
        (Selection("x", lambda e: e["x"], name="s"), InputTypeError, "dtype float64; expected booleans"),
        (
            Selection("x", lambda e: np.ones(5, dtype=bool) | (len(e) < 0), name="s"),
            InputError,
            r"shape \(5,\); expected one truth value",
        ),
        (Selection("x", lambda e: e["x"] > 99, name="s"), InputError, "no event of the reference is selected"),
        (Selection(Mean("x"), cut), InputTypeError, "expected a column, columns or a function"),
        (Selection(Selection("x", cut), cut), InputTypeError, "is not understood"),
    ],
)
def test_selections_that_are_refused(wanted: Selection, error: type[gv.GanvalidError], match: str) -> None:
    """Conditions that are not booleans, of other lengths or that nothing passes are errors with a remedy."""
    with pytest.raises(error, match=match):
        verdict(normal(1, n=500), normal(2, n=500), wanted)


@pytest.mark.parametrize(
    "relative",
    [
        ("standardised", lambda e: (e["x"] - e["x"].mean()) / e["x"].std()),
        Selection("y", lambda e: e["x"] > np.median(e["x"]), name="upper half"),
        ("random", lambda e: e["x"] + np.random.default_rng().normal(size=len(e))),
    ],
)
def test_what_is_relative_to_its_sample_is_refused(relative: object) -> None:
    """An observable or a cut that depends on the other events divides out what is wrong with all of them."""
    with pytest.raises(InputError, match="not the same for an event among others"):
        verdict(normal(1, n=4_000), normal(2, n=4_000), relative)


def test_functions_cannot_change_the_events() -> None:
    """A function that writes into a column fails, and the user's arrays stay as they were."""

    def centred(events: Sample) -> Any:
        x = events["x"]
        x -= 1
        return x

    events = normal(1, n=1_000)
    before = events["x"].copy()
    with pytest.raises(ValueError, match="read-only"):
        verdict(events, normal(2, n=1_000), centred)
    np.testing.assert_array_equal(events["x"], before)


@pytest.mark.parametrize(
    "observable",
    [("x", "y"), ("x", "y", "z"), KDTree(), KDTree(("y", "x"))],
)
def test_a_wrong_correlation_is_found(observable: object) -> None:
    """With exact marginals and a wrong correlation every joint observable is BIASED, and with the right one ROBUST."""
    assert verdict(normal(1, rho=0.2), normal(2), observable) is Verdict.BIASED
    assert verdict(normal(3), normal(2), observable) is Verdict.ROBUST


def test_single_columns_do_not_see_it() -> None:
    """The same wrong correlation is ROBUST in every column by itself, and the joint distribution of all shows it."""
    assert gv.validate(normal(1, rho=0.2), normal(2), n_required=3_000, observables=["x", "y", "z"]).robust
    report = gv.validate(normal(1, rho=0.2), normal(2), n_required=3_000)
    assert list(report.comparisons) == ["x", "y", "z", "joint"]
    assert report.comparisons["joint"].verdict is Verdict.BIASED


def test_a_tree_takes_the_columns_with_one_number_per_event() -> None:
    """Without columns named, a k-d tree joins all that both samples have and leaves out entries."""
    first, second = (Sample({**normal(s, n=2_000).columns, **jets(s, n=2_000).columns}) for s in (1, 2))
    report = gv.validate(first, second, n_required=100, observables=KDTree(), bins=8)
    assert list(report.histograms) == ["kdtree"]
    assert report.histograms["kdtree"].bins == 8


def test_cells_are_named_in_words() -> None:
    """The worst cells of a tree are told by their box."""
    report = gv.validate(normal(1, rho=0.0), normal(2), n_required=3_000, observables=KDTree(("x", "y")), bins=8)
    label = report.histograms["kdtree"].worst_bins[0].label
    assert "x " in label
    assert "y " in label


@pytest.mark.parametrize("bins", [[0.0, 1.0], "many", 1, 2.5])
def test_cells_are_a_number(bins: object) -> None:
    """Edges make no cells."""
    with pytest.raises((InputError, InputTypeError), match=r"expected (a number of cells|at least 2)"):
        verdict(normal(1, n=500), normal(2, n=500), KDTree(), bins=bins)


def test_the_errors_of_entries_are_those_of_events() -> None:
    """Entries of an event that are all the same are worth one event; independent ones are worth as many as they are."""
    for common, worth in ((1.0, 1.0), (0.0, 4.0)):
        first, second = (jets(s, common=common) for s in (1, 2))
        edges = np.linspace(-2, 2, 9)
        found = gv.validate(first, second, n_required=200, bins=edges).histograms["jet"]
        assert isinstance(found, gv.Comparison)
        assert found.n_reference == pytest.approx(5_000)
        assert found.n_generated == pytest.approx(5_000, rel=0.06)
        by_entries = gv.compare(
            *(
                gv.Counts(np.bincount(np.searchsorted(edges, s["jet"].values, "right"), minlength=10))
                for s in (first, second)
            ),
            n_required=200,
        )
        errors = np.array(found.contents.reference_errors) / np.array(by_entries.contents.reference_errors)
        poisson = (4.0 + 1) / 4 if common else 1  # Σm²/(Σm)² of a Poisson number of equal entries
        assert np.median(errors) ** 2 == pytest.approx(4 / worth * poisson, rel=0.12)


def test_one_entry_per_event_is_an_ordinary_column() -> None:
    """With one entry in each event the numbers are those of the plain column, but for a term of order Δ in the size."""
    first, second = normal(1), normal(2)
    plain = gv.validate(first, second, n_required=3_000, observables="x").histograms["x"]
    wrapped = [Sample({"x": Entries(s["x"], np.ones(N, dtype=int))}) for s in (first, second)]
    found = gv.validate(*wrapped, n_required=3_000).histograms["x"]
    for name in ("separation", "rms_bias", "chi2_required"):
        ours, theirs = getattr(found, name), getattr(plain, name)
        assert (ours.lower, ours.estimate, ours.upper) == pytest.approx(
            (theirs.lower, theirs.estimate, theirs.upper), rel=3e-3
        )
    assert found.ndf == plain.ndf
    assert found.power == pytest.approx(plain.power, rel=1e-3)
    assert found.n_supported == pytest.approx(plain.n_supported, rel=1e-2)


def test_correlated_entries_do_not_make_more_of_a_sample() -> None:
    """A sample of few events with very many equal entries is UNPROVEN, whatever the number of its entries."""
    few = jets(1, n=60, mean=500)
    assert verdict(few, jets(2, n=60, mean=500), "jet", n_required=50, bins=5) is Verdict.UNPROVEN


def test_the_number_of_entries_is_compared_too() -> None:
    """A generator of the right jets, but too many of them, is BIASED in their number."""
    report = gv.validate(jets(1, mean=5), jets(2), n_required=300, bins=10)
    assert report.histograms["jet"].verdict is not Verdict.BIASED
    assert report.histograms["jet: entries per event"].verdict is Verdict.BIASED


def test_the_number_is_compared_with_a_plain_column_too() -> None:
    """Exactly one entry per event on one side and several on the other are different numbers of entries."""
    several = jets(1)
    one = Sample({"jet": np.random.default_rng(2).standard_normal(20_000)})
    for pair in ((one, several), (several, one)):
        assert gv.validate(*pair, n_required=300, bins=10).verdict is Verdict.BIASED


def test_names_of_comparisons_do_not_collide() -> None:
    """A column named like the number of entries cannot take its place."""
    events = [Sample({**jets(s).columns, "jet: entries per event": np.arange(5_000) / 7}) for s in (1, 2)]
    with pytest.raises(InputError, match="two comparisons are named 'jet: entries per event'"):
        gv.validate(*events, n_required=100, bins=5)


def test_a_shift_of_the_entries_is_found() -> None:
    """Entries that are off are BIASED."""
    assert verdict(jets(1, shift=0.5), jets(2), "jet", n_required=1_000, bins=10) is Verdict.BIASED


def test_weights_of_events_are_those_of_their_entries() -> None:
    """A common factor of the weights changes nothing, and events of weight zero count for nothing."""
    rng = np.random.default_rng(3)
    weights = [rng.lognormal(sigma=0.5, size=5_000) for _ in range(2)]
    samples = [Sample(jets(s).columns, w) for s, w in zip((1, 2), weights, strict=True)]
    scaled = [Sample(s.columns, 7 * s.weight) for s in samples if s.weight is not None]
    one, other = (gv.validate(*pair, n_required=200, bins=10).histograms["jet"] for pair in (samples, scaled))
    assert one.n_supported == pytest.approx(other.n_supported)
    assert one.n_reference == pytest.approx(weights[1].sum() ** 2 / (weights[1] ** 2).sum())
    with_none = Sample(
        {"jet": Entries.of([*np.split(jets(1)["jet"].values, np.cumsum(jets(1)["jet"].counts)[:-1]), [9.0] * 1000])},
        np.append(weights[0], 0.0),
    )
    same = gv.validate(with_none, samples[1], n_required=200, bins=10).histograms["jet"]
    assert same.n_supported == pytest.approx(one.n_supported)


def test_functions_make_entries_of_entries() -> None:
    """A function of the sample may return entries; columns joined must have as many in each event."""
    first, second = jets(1), jets(2)

    def squares(events: Sample) -> Any:
        return events["jet"].map(np.square)

    report = gv.validate(first, second, n_required=200, observables=[squares, ("jet", "jet")], bins=9)
    assert "squares" in report.comparisons
    assert report.histograms["jet:jet"].n_reference == 5_000
    other = Sample({"jet": first["jet"], "x": np.ones(5_000)})
    with pytest.raises(InputError, match="differ in their number of entries per event"):
        verdict(other, other, ("jet", "x"))


def test_too_many_correlated_bins_are_refused() -> None:
    """The covariance of all bins must fit into memory."""
    with pytest.raises(InputError, match=r"at most 5,000 bins; got 6,001"):
        verdict(jets(1), jets(2), "jet", bins=np.linspace(-3, 3, 6_000))


# What bins were chosen from.


def test_pairs_say_what_their_bins_were_chosen_from(events: Make, tmp_path: Path) -> None:
    """Bins cut at quantiles of the reference say so on every road, with the share of it; given ones do not."""
    ours, theirs, more = ({name: events(seed, n)[name] for name in "xyn"} for seed, n in ((1, 500), (2, 600), (3, 200)))
    request = Request.parsed(observables=["x", ("x", "y"), KDTree(("x", "y", "n"))], bins={"x": [0.0, 1.0]})
    files = []
    for name, table in (("g", ours), ("r", theirs)):
        np.savez(tmp_path / f"{name}.npz", **table)
        files.append(str(tmp_path / f"{name}.npz"))
    whole = gv.fill(theirs, observables=request.observables, bins=request.bins)
    gen, nothing = gv.fill(ours, like=whole), (None, None)
    expected = {"x": 0.0, "x:y": 1.0, "kdtree": 1.0}
    roads: list[tuple[Any, Any]] = [(ours, theirs), (files[0], files[1]), (files[0], theirs)]
    for one, other in roads:
        pairs = paired(one, other, request, nothing, None).pairs
        assert {pair.name: pair.chosen for pair in pairs} == expected
    halves = [gv.fill({n: v[s] for n, v in theirs.items()}, like=whole) for s in (slice(0, 99), slice(99, None))]
    for reference, share in ((whole, 1.0), (halves[0] + halves[1], 1.0), (whole + gv.fill(more, like=whole), 0.75)):
        for stored in (reference, Histograms.from_json(reference.to_json())):
            pairs = paired(gen, stored, Request.parsed(), nothing, None).pairs
            assert {pair.name: pair.chosen for pair in pairs} == {
                name: chosen * share for name, chosen in expected.items()
            }


def test_a_score_is_binned_by_the_reference() -> None:
    """The bins of a classifier's score are cut at quantiles of all reference events that are tested."""
    pytest.importorskip("sklearn")
    request = Request.parsed(observables=[Classifier(("x", "y"))], bins=5)
    (pair,) = paired(normal(1, n=400), normal(2, n=400), request, (None, None), None).pairs
    assert pair.chosen == 1


# Values that one side repeats.


@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_one_side_repeats_is_named(side: int, tmp_path: Path) -> None:
    """327 of 100,000 events at one value, where the others are continuous, are BIASED on every road, in words."""
    rng = np.random.default_rng(side)
    tables: list[Table] = [{"x": rng.exponential(size=100_000), "y": rng.normal(size=100_000)} for _ in range(2)]
    tables[side]["x"][rng.choice(100_000, 327, replace=False)] = 0.05
    files = []
    for name, table in zip("gr", tables, strict=True):
        np.savez(tmp_path / f"{name}.npz", **table)
        files.append(str(tmp_path / f"{name}.npz"))
    whole = gv.fill(tables[1], observables=["x"])
    like = gv.Histograms.from_json(gv.fill(tables[0], like=whole).to_json())
    roads: list[tuple[Any, Any]] = [(tables[0], tables[1]), (files[0], files[1]), (like, whole)]
    for ours, theirs in roads:
        found = gv.validate(ours, theirs, n_required=10_000, observables=["x"]).histograms["x"]
        assert found.verdict is Verdict.BIASED
        shares = ["0.327 %", "0 %"][:: 1 - 2 * side]
        assert found.reasons[0].startswith(f"0.05 is the value of {shares[0]} of the generated and of {shares[1]} of")
        assert found.p_biased < 1e-3
        assert gv.validate(ours, theirs, n_required=1_000, observables=["x"]).verdict is Verdict.ROBUST


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, n: rng.exponential(size=n),
        lambda rng, n: rng.poisson(30, n),
        lambda rng, n: rng.poisson(3_000, n),
        lambda rng, n: np.round(rng.exponential(size=n), 3),
        lambda rng, n: np.where(rng.random(n) < 0.3, 0.1, rng.exponential(size=n)),
    ],
    ids=["continuous", "few integers", "many integers", "rounded", "atom"],
)
def test_values_that_both_sides_repeat_are_silent(make: Any) -> None:
    """A right generator is ROBUST whatever its values are, in single precision on either side too."""
    rng = np.random.default_rng(5)
    ours, theirs = ({"x": make(rng, 40_000), "y": rng.normal(size=40_000)} for _ in range(2))
    for dtype in (np.float64, np.float32):
        report = gv.validate({**ours, "x": ours["x"].astype(dtype)}, theirs, n_required=3_000, observables=["x"])
        assert report.verdict is Verdict.ROBUST


@pytest.mark.parametrize("road", ROADS)
def test_given_edges_on_values(streamed: Stream, road: str) -> None:
    """Values on the edges that were given are in one bin in single and in double precision, on every road."""
    ours, theirs = ({"x": np.random.default_rng(seed).integers(0, 10, 20_000) / 10} for seed in (1, 2))
    edges = np.arange(0, 1.05, 0.1)
    report = on_road(road, streamed, {"x": ours["x"].astype(np.float32)}, theirs, bins=edges)
    assert report.robust
    whole = on_road(road, streamed, ours, theirs, bins=edges)
    assert report.histograms["x"].chi2 == whole.histograms["x"].chi2


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("nonfinite", ["error", "overflow", "separate"])
def test_circular_axes(streamed: Stream, road: str, nonfinite: str) -> None:
    """Angles are wrapped into the period of a circular axis, and compared as angles, on every road."""
    bh: Any = pytest.importorskip("boost_histogram")
    ours, theirs = ({"phi": np.random.default_rng(seed).uniform(0, 2 * np.pi, 5_000)} for seed in (1, 2))
    bins = {"phi": bh.axis.Regular(8, 0, 2 * np.pi, circular=True)}
    wrapped = {"phi": np.where(ours["phi"] > np.pi, ours["phi"] - 2 * np.pi, ours["phi"])}
    report = on_road(road, streamed, wrapped, theirs, bins=bins, nonfinite=nonfinite)
    assert report.robust
    filled = [bh.Histogram(bins["phi"]).fill(side["phi"]) for side in (wrapped, theirs)]
    expected = gv.compare(*filled, n_required=30)
    assert report.histograms["phi"].chi2 == pytest.approx(expected.chi2, rel=1e-9)
    assert report.histograms["phi"].chi2 != on_road(road, streamed, wrapped, theirs, bins=8).histograms["phi"].chi2
    with pytest.raises(InputError, match="no underflow"):
        on_road(road, streamed, wrapped, theirs, bins=bins, nonfinite="underflow")


def test_stored_angles_are_read_by_others(tmp_path: Path) -> None:
    """What stands in a stored histogram on a circular axis for other programs is a circular histogram for them."""
    bh: Any = pytest.importorskip("boost_histogram")
    axis = bh.axis.Regular(8, 0, 2 * np.pi, circular=True)
    angles = {"phi": np.random.default_rng(1).uniform(-4, 9, 5_000)}
    summary = gv.fill(angles, bins={"phi": axis})
    path = tmp_path / "others.json"
    path.write_text(json.dumps(json.loads(summary.to_json())["histograms"]), encoding="utf-8")
    filled = bh.Histogram(axis).fill(angles["phi"])
    assert gv.validate(path, summary, n_required=1).histograms["phi"].chi2 == 0
    np.testing.assert_array_equal(summary.contents["phi"].sums().sumw, filled.values(flow=True))

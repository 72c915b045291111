"""What the fixture does with keywords, kinds of data and what a test did with its verdicts."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid._options import Settings
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.gate import Gate
from pytest_ganvalid.ledger import Ledger
from pytest_ganvalid.toys import analyses

RNG = np.random.default_rng(1)
EVENTS = {"x": RNG.normal(size=3_000)}, {"x": RNG.normal(size=4_000)}
COUNTS = gv.Counts([1010, 990, 1030, 980]), gv.Counts([2000, 2030, 2010, 1990])
ESTIMATES = gv.Estimate(1.001, 0.01, 10_000), gv.Estimate(1.0, 0.008, 15_000)
FAILED = pytest.fail.Exception


def gate(settings: Settings | None = None, ledger: Ledger | None = None, /, **marker: Any) -> Gate:
    """The gate of a test with a marker."""
    chain = [SimpleNamespace(own_markers=[pytest.mark.ganvalid(**marker).mark] if marker else [])]
    item: Any = SimpleNamespace(listchain=lambda: chain, nodeid="test_a.py::test_it")
    return Gate(item, settings or Settings(), ledger)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (EVENTS, "x"),
        (COUNTS, "histogram"),
        (tuple(gv.Counts(c.values, c.values, edges=range(5)) for c in COUNTS), "histogram"),
        (ESTIMATES, "estimate"),
    ],
)
def test_kinds_of_data(data: Any, name: str) -> None:
    """Events, contents of bins and estimates are each compared in their own way, and reported alike."""
    one = gate(n_required=50)
    report = one.check(*data)
    assert list(report.comparisons) == [name]
    assert report.robust
    (record,) = one.journal.records()
    assert record == {
        "nodeid": "test_a.py::test_it",
        "kind": "report",
        "gate": True,
        "robust": True,
        "result": report.to_json(),
    }


@pytest.mark.parametrize("sides", [(COUNTS[0], EVENTS[1]), (EVENTS[0], COUNTS[1]), (COUNTS[0], ESTIMATES[1])])
def test_a_histogram_beside_another_kind(sides: tuple[object, object]) -> None:
    """A histogram on one side only is refused, and the error says which side is which."""
    one, other = ("generated", "reference") if sides[0] is COUNTS[0] else ("reference", "generated")
    with pytest.raises(
        InputTypeError, match=rf"^{one} is a histogram \(Counts\), and {other} is not \((dict|Estimate)\)"
    ):
        gate(n_required=50).check(*sides)


def test_an_estimate_beside_events() -> None:
    """An estimate beside events is refused as a table."""
    with pytest.raises(TypeError, match="Estimate is not a table of events"):
        gate(n_required=50).check(ESTIMATES[0], EVENTS[1])


@pytest.mark.parametrize("method", ["check", "compare", "validate"])
@pytest.mark.parametrize("side", ["generated", "reference"])
@pytest.mark.parametrize(
    "bare",
    [
        [1010, 990],
        [[1010, 990], [1010, 990]],
        ([1010.0, 990.0], [1010.0, 990.0]),
        np.array([1010, 990]),
        np.ones((2, 2)),
        (np.ones(2), np.ones(2)),
        np.full(20_000, 100),
    ],
    ids=lambda bare: type(bare).__name__,
)
def test_numbers_without_a_name(method: str, side: str, bare: object) -> None:
    """Numbers that may be events or contents are refused on either side, with the words for both."""
    other = (EVENTS if method == "validate" else COUNTS)[0]
    sides = {"generated": other, "reference": other, side: bare}
    words = (
        rf"^{side}: .*are these events\? .*({{'x': values}}|values\.T\)\)); contents of bins\? .*gv\.Counts\(values\)"
    )
    with pytest.raises(InputTypeError, match=words):
        getattr(gate(n_required=50), method)(**sides)


def test_a_histogram_beside_a_file(tmp_path: Path) -> None:
    """The name of a file beside a histogram is that of another histogram, which is compared."""
    bh: Any = pytest.importorskip("boost_histogram")
    serialization = pytest.importorskip("boost_histogram.serialization")
    filled = bh.Histogram(bh.axis.Regular(4, 0, 4, underflow=False, overflow=False))
    filled[...] = COUNTS[1].values
    text = json.dumps(serialization.to_uhi(filled), default=lambda array: array.tolist())
    (tmp_path / "ref.json").write_text(text, encoding="utf-8")
    report = gate(n_required=50).check(gv.Counts(COUNTS[0].values, edges=range(5)), tmp_path / "ref.json")
    assert report.histograms["histogram"].n_reference == sum(COUNTS[1].values)


def test_a_list_of_histograms_is_not_one() -> None:
    """Filled histograms that have not been added up are told so."""
    filled = gv.fill(EVENTS[1])
    with pytest.raises(InputTypeError, match="these are several histograms; add them up first"):
        gate(n_required=50).check(EVENTS[0], [filled, filled])


@pytest.mark.parametrize("method", ["validate", "compare", "compare_estimates"])
def test_looking_is_recorded_and_never_fails(method: str) -> None:
    """A look at samples that are not shown to agree returns what it finds, and is no demonstration."""
    one = gate(n_required=1e9)
    data: Any = {"validate": EVENTS, "compare": COUNTS, "compare_estimates": ESTIMATES}[method]
    found = getattr(one, method)(*data)
    assert found.verdict is gv.Verdict.UNPROVEN
    (record,) = one.journal.records()
    assert (record["gate"], record["robust"], record["kind"]) == (False, False, found.KIND)
    with pytest.raises(FAILED, match="made no check\ncompare, compare_estimates and validate only look"):
        one.require_demonstration()
    one.refuse_lost_failures()


def test_a_test_without_any_look() -> None:
    """A test that did not even look is told so without more words."""
    with pytest.raises(FAILED, match=r"^no demonstration: the test is marked but made no check\nnext: call "):
        gate(n_required=5).require_demonstration()


def test_a_failed_check_is_not_lost() -> None:
    """Once a check has failed or broken off, no later one makes good for it."""
    broken, failed = gate(n_required=50), gate(n_required=50)
    with pytest.raises(FAILED, match=r"^UNPROVEN: 1 of 1 observable at n_required 1,000,000"):
        failed.check(*EVENTS, n_required=1e6)
    with pytest.raises(InputError, match="unknown keyword zeta"):
        broken.check(*EVENTS, zeta=1)
    for one in (broken, failed):
        assert one.check(*EVENTS).robust
        for judge in (one.require_demonstration, one.refuse_lost_failures):
            with pytest.raises(FAILED, match="did not reach the end of the\n"):
                judge()
    assert [record["robust"] for record in failed.journal.records()] == [False, True]


def test_records_are_kept_in_order() -> None:
    """What was checked and looked at is in the journal, each once, in the order of the test."""
    one = gate(n_required=50)
    assert one.journal.records() == []
    one.check(*EVENTS)
    one.compare(*COUNTS)
    one.compare_estimates(*ESTIMATES)
    assert [record["kind"] for record in one.journal.records()] == ["report", "comparison", "estimate"]
    one.require_demonstration()


@pytest.mark.parametrize(
    ("settings", "marker", "call", "n_required"),
    [
        (Settings(), 10, None, 10),
        (Settings(), None, 20, 20),
        (Settings(), 10, 20, 20),
        (Settings(), 10, 10, 10),
        (Settings(n_required=30), 10, 20, 30),
        (Settings(n_required=30), None, None, 30),
        (Settings(n_required_ini=40), 10, 20, 40),
        (Settings(n_required_ini=5), 10, None, 10),
        (Settings(n_required=30, n_required_ini=40), None, None, 40),
    ],
)
def test_n_required_is_the_largest(settings: Settings, marker: int | None, call: int | None, n_required: int) -> None:
    """Marker, call, command line and ini file each raise n_required."""
    one = gate(settings, **({} if marker is None else {"n_required": marker}))
    keywords = {} if call is None else {"n_required": call}
    assert one.compare(*COUNTS, **keywords).n_required == n_required


@pytest.mark.parametrize(
    ("settings", "marker", "call", "words", "kind"),
    [
        (Settings(), 10, 9, "n_required=9 lowers the marker's n_required=10", InputError),
        (
            Settings(n_required=19),
            None,
            20,
            "--ganvalid-n-required=19 would lower the n_required=20",
            pytest.UsageError,
        ),
        (Settings(), None, None, "n_required is missing: how many true events", InputError),
        (Settings(), None, 0, "n_required=0 is out of range", InputError),
    ],
)
def test_n_required_is_never_lowered(
    settings: Settings, marker: int | None, call: int | None, words: str, kind: type[Exception]
) -> None:
    """Less than a marker states, or an option below what the call states, or none at all, is refused."""
    one = gate(settings, **({} if marker is None else {"n_required": marker}))
    with pytest.raises(kind, match=re.escape(words)):
        one.compare(*COUNTS, **({} if call is None else {"n_required": call}))


def test_limits_of_call_marker_and_options() -> None:
    """Of options, marker and call the strictest counts, and an option that is less strict than a test is refused."""
    options = Settings(confidence=0.9, max_bias=2)
    for settings in (options, Settings(confidence_ini=0.9, max_bias_ini=2)):
        found = gate(settings).compare(*COUNTS, n_required=5)
        assert (found.confidence, found.max_bias) == (0.9, 2)
        found = gate(settings, n_required=5, max_bias=3, confidence=0.8).compare(*COUNTS)
        assert (found.confidence, found.max_bias) == (0.9, 2)
    found = gate(Settings(confidence_ini=0.9, max_bias_ini=2), n_required=5, max_bias=1.5).compare(
        *COUNTS, confidence=0.95
    )
    assert (found.confidence, found.max_bias) == (0.95, 1.5)
    with pytest.raises(pytest.UsageError, match=r"--ganvalid-max-bias=2 would raise the max_bias=1\.5 that"):
        gate(options, n_required=5, max_bias=1.5).compare(*COUNTS)
    with pytest.raises(pytest.UsageError, match=r"--ganvalid-confidence=0\.9 would lower the confidence=0\.95 that"):
        gate(options, n_required=5).compare(*COUNTS, confidence=0.95)


FUNCTION = np.sqrt
TIGHTER: list[tuple[str, Any, Any, Any]] = [  # keyword, stated by the marker, and a call that tightens and relaxes it
    ("n_required", 10, 11, 9),
    ("confidence", 0.9, 0.95, 0.8),
    ("attempt", 2, 3, 1),
    ("looks", 2, 3, 1),
    ("max_bias", 2.0, 1.5, 3.0),
    ("max_local_bias", 4, 3, 5),
    ("max_directional_bias", 4, 3, None),
    ("max_directional_bias", None, 3, ...),
    ("smooth", False, True, ...),
    ("smooth", True, True, False),
    ("observables", ["x"], ["y", "x"], ["y"]),
    ("observables", "x", ["x"], []),
    ("observables", ["x", ("x", "y")], [["x", "y"], "x"], ["x"]),
    ("observables", {"z": FUNCTION}, [("z", FUNCTION), "x"], {"z": np.cbrt}),
    ("observables", ["x"], ("x", "y"), None),
    ("by", None, "y", ...),
    ("by", "y", "y", None),
    ("by", ("y", [0, 1]), ("y", np.array([0, 1])), "y"),
    ("bins", {"x": 5}, {"x": 5, "y": 7}, {"x": 7}),
    ("bins", 5, 5, 7),
    ("weight", "w", "w", None),
    ("cluster", "event", "event", None),
    ("cluster_of", "entries", "entries", "repeats"),
    ("training", EVENTS[0], dict(EVENTS[0]), None),
    ("nonfinite", "error", "error", "underflow"),
    ("min_expected", 10, 10.0, 5),
    ("seed", 1, 1, 2),
]


@pytest.mark.parametrize(("name", "stated", "tighter", "looser"), TIGHTER)
def test_a_call_only_tightens(name: str, stated: Any, tighter: Any, looser: Any) -> None:
    """A keyword may be stated again, or tightened, in a call; one that relaxes or changes it is told the remedy."""
    marker = {"n_required": 10, name: stated}
    one = gate(None, **marker)
    for same in (stated, tighter):
        found = one._merge({name: same})[name]
        assert found is same or found == same
    if looser is not ...:
        with pytest.raises(InputError, match=rf"^{name}=.*(marked|marker|states).*(leave|name all|state) "):
            one._merge({name: looser})
    unmarked = gate()
    free = stated if looser is ... else looser
    found = unmarked._merge({"n_required": 10, name: free})[name]
    assert found is free or found == free


def test_a_marker_without_keywords_is_one() -> None:
    """The smooth components are tested in a marked test, whatever its marker states; without one a call decides."""
    chain = [SimpleNamespace(own_markers=[pytest.mark.ganvalid.mark])]
    item: Any = SimpleNamespace(listchain=lambda: chain, nodeid="test")
    with pytest.raises(InputError, match=r"^smooth=False relaxes what a marked test is to show"):
        Gate(item, Settings(n_required=10)).compare(*COUNTS, smooth=False)
    assert not gate().compare(*COUNTS, n_required=10, smooth=False).smooth


LIMITS: dict[str, Any] = {"n_train": 77, "confidence": 0.9, "max_bias": 1.5}
BIN_LIMITS: dict[str, Any] = {
    "max_local_bias": 4.0,
    "max_directional_bias": 7.0,
    "min_expected": 20.0,
    "smooth": False,
}


def test_keywords_that_histograms_take() -> None:
    """Every limit and the name arrive; what only events have is refused."""
    found = gate(n_required=50, **LIMITS, **BIN_LIMITS).compare(*COUNTS, name="mass")
    assert {name: getattr(found, name) for name in LIMITS | BIN_LIMITS} == LIMITS | BIN_LIMITS
    assert found.name == "mass"
    for name in ("observables", "weight", "bins", "seed", "by"):
        with pytest.raises(InputError, match=re.escape(f"['{name}'] have no meaning for histograms; expected n_req")):
            gate(n_required=50).compare(*COUNTS, **{name: None})


def test_keywords_that_estimates_take() -> None:
    """Every limit but those of bins, the name and the error of n_required events arrive."""
    found = gate(n_required=50, **LIMITS).compare_estimates(*ESTIMATES, name="mean", required_error=0.5)
    assert {name: getattr(found, name) for name in LIMITS} == LIMITS
    assert (found.name, found.required_error) == ("mean", 0.5)
    for name in BIN_LIMITS:
        with pytest.raises(InputError, match=re.escape(f"['{name}'] have no meaning for estimates; expected n_req")):
            gate().compare_estimates(*ESTIMATES, n_required=50, **{name: 5})


def test_names_are_for_the_call_alone() -> None:
    """A name, or an error that belongs to one number, cannot be stated for all checks of a test, nor for events."""

    def marked(name: str) -> Gate:
        return gate(None, n_required=50, **{name: 1})

    for name in ("name", "required_error"):
        with pytest.raises(InputError, match=f"unknown keyword {name}"):
            marked(name).compare_estimates(*ESTIMATES)
        with pytest.raises(InputError, match=f"unknown keyword {name}"):
            gate(n_required=50).validate(*EVENTS, **{name: 1})
    with pytest.raises(InputError, match="unknown keyword required_error"):
        gate(n_required=50).compare(*COUNTS, required_error=1)


def test_plans_are_for_the_marker() -> None:
    """A plan takes n_required and the two limits it knows of the marker; the call is over them."""
    marked = gate(n_required=500, confidence=0.9, max_bias=2)
    assert marked.plan(bins=10) == gv.plan(500, confidence=0.9, max_bias=2, bins=10)
    assert marked.plan(bins=10, confidence=0.8) == gv.plan(500, confidence=0.8, max_bias=2, bins=10)
    assert marked.plan(900, bins=7) == gv.plan(900, confidence=0.9, max_bias=2, bins=7)
    assert marked.journal.records() == []


def test_errors_start_at_the_users_line() -> None:
    """A traceback of an error about the input has no frame from deep inside."""
    one = gate(n_required=50)
    for call in (
        partial(one.compare, gv.Counts([1]), gv.Counts([1])),
        partial(one.validate, {}, {}),
        partial(one.plan, bins=0),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert [entry.name for entry in caught.traceback][-1] == "wrapped"
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["attempt", "looks"])
def test_a_call_may_only_raise(name: str) -> None:
    """The attempt and the looks of a call are at least those of the marker, and arrive."""
    for called, found in ((None, 2), (2, 2), (3, 3)):
        keywords = {} if called is None else {name: called}
        assert getattr(gate(n_required=50, **{name: 2}).compare(*COUNTS, **keywords), name) == found
    with pytest.raises(
        InputError,
        match=re.escape(
            f"{name}=1 lowers the marker's {name}=2; the marker states what is needed, and a call may only raise it"
        ),
    ):
        gate(n_required=50, **{name: 2}).compare(*COUNTS, **{name: 1})
    with pytest.raises((InputError, TypeError), match=f"{name}='3' is a str"):
        gate(n_required=50, **{name: 2}).compare(*COUNTS, **{name: "3"})
    assert getattr(gate(n_required=50).compare(*COUNTS, **{name: 2}), name) == 2


def fresh() -> dict[str, Any]:
    """Generated events that nobody has seen."""
    return {"x": RNG.normal(size=3_000)}


def attempts(report: gv.Report) -> int:
    """The attempt that a report is on."""
    (number,) = {comparison.attempt for comparison in report.comparisons.values()}
    return number


def test_runs_of_a_test_are_attempts() -> None:
    """With one ledger fresh events are the next attempt, the same ones the same, and looks are not counted."""
    ledger, again = Ledger(), fresh()
    assert attempts(gate(None, ledger, n_required=20).validate(fresh(), EVENTS[1])) == 1
    numbers = [
        attempts(gate(None, ledger, n_required=20).check(some, EVENTS[1]))
        for some in (EVENTS[0], again, fresh(), again)
    ]
    assert numbers == [1, 2, 3, 2]
    assert attempts(gate(None, ledger, n_required=20).check(fresh(), EVENTS[1], attempt=7)) == 7
    assert attempts(gate(None, ledger, n_required=20).check(fresh(), {"x": RNG.normal(size=4_000)})) == 1
    others: list[dict[str, float]] = [
        {"n_required": 21},
        {"n_required": 20, "max_bias": 0.9},
        {"n_required": 20, "confidence": 0.9},
    ]
    for other in others:
        assert attempts(gate(None, ledger, **other).check(fresh(), EVENTS[1])) == 1
    assert attempts(gate(None, ledger, n_required=20, looks=2).check(fresh(), EVENTS[1])) == 8


@pytest.mark.parametrize("kind", ["counts", "estimates"])
def test_histograms_and_numbers_are_counted(kind: str) -> None:
    """Histograms and estimates count attempts by what they hold, and take a generator for the ledger."""
    ledger = Ledger()
    numbers = []
    for i in (0, 1, 0):
        shifted = gv.Counts([COUNTS[0].values[0] + i, *COUNTS[0].values[1:]])
        pair: Any = (
            (shifted, COUNTS[1]) if kind == "counts" else (gv.Estimate(1.001 + i / 1e4, 0.01, 1e4), ESTIMATES[1])
        )
        numbers.append(attempts(gate(None, ledger, n_required=20, generator="deadbeef").check(*pair)))
    assert numbers == [1, 2, 1]


SHIFTED = {"x": RNG.normal(1.5, size=3_000)}


def test_an_earlier_biased_is_told() -> None:
    """BIASED is told to later attempts, and does not bind those of a generator trained anew."""
    ledger = Ledger()
    with pytest.raises(FAILED, match=r"^BIASED: "):
        gate(None, ledger, n_required=100).check(SHIFTED, EVENTS[1])
    report = gate(None, ledger, n_required=100).check(EVENTS[0], EVENTS[1])
    assert re.search(
        r"attempt 1 \(.*\+00:00\) was BIASED; that does not bind a generator that was trained anew", report.notes[-1]
    )
    assert attempts(report) == 2


def test_an_earlier_biased_of_the_same_generator_stands() -> None:
    """What would be ROBUST is UNPROVEN after a BIASED of the same generator, until its events are pooled."""
    ledger = Ledger()
    with pytest.raises(FAILED, match=r"^BIASED: "):
        gate(None, ledger, n_required=100, generator="deadbeef").check(SHIFTED, EVENTS[1])
    one = gate(None, ledger, n_required=100, generator="deadbeef")
    with pytest.raises(FAILED, match=r"^UNPROVEN: ") as failed:
        one.check(EVENTS[0], EVENTS[1])
    assert "was BIASED of this same generator, which stands (this attempt would be ROBUST)" in " ".join(
        str(failed.value).split()
    )
    assert "attempt 2, at level 0.00833" in str(failed.value)
    (record,) = one.journal.records()
    report = gv.Report.from_json(record["result"])
    assert [(c.verdict, c.n_supported) for c in report.comparisons.values()] == [("UNPROVEN", 0)]
    assert gate(None, ledger, n_required=100, generator="deadbef0").check(EVENTS[0], EVENTS[1]).robust
    pooled = {"x": np.concatenate([EVENTS[0]["x"], SHIFTED["x"]])}
    with pytest.raises(FAILED, match=r"^(BIASED|UNPROVEN): ") as failed:
        gate(None, ledger, n_required=100, generator="deadbeef").check(pooled, EVENTS[1])
    assert "the events of all earlier attempts of this generator are pooled in these" in str(failed.value)
    assert "stands" not in str(failed.value)


ANALYSIS = analyses.counting()
FEW_BIASES: dict[str, Any] = {"sample": "signal", "toys": 0}


def sides_of_an_analysis(events: int, strength: float = 0.0) -> list[gv.Counts]:
    """Generated and reference events in the bin of the counting analysis, and outside."""
    laws = ANALYSIS.distorted(strength), ANALYSIS.law
    return [ANALYSIS.drawn(events, seed, law)["selected"] for seed, law in enumerate(laws)]


def test_a_check_of_an_analysis() -> None:
    """The check of an analysis passes, is a demonstration, and is recorded as a report; the look is not."""
    pytest.importorskip("pyhf")
    one = gate(max_bias=0.9)
    report = one.check_analysis(ANALYSIS.workspace, *sides_of_an_analysis(1_000_000), **FEW_BIASES)
    assert report.robust
    (found,) = report.estimates.values()
    assert isinstance(found, gv.AnalysisComparison)
    assert found.max_bias == 0.9
    one.require_demonstration()
    (record,) = one.journal.records()
    assert (record["kind"], record["gate"], record["robust"]) == ("report", True, True)
    look = gate()
    looked = look.analysis(ANALYSIS.workspace, *sides_of_an_analysis(1_000), **FEW_BIASES)
    assert looked.verdict is gv.Verdict.UNPROVEN
    (record,) = look.journal.records()
    assert (record["kind"], record["gate"]) == ("analysis", False)
    with pytest.raises(FAILED, match="is marked but made no check"):
        look.require_demonstration()


def test_a_biased_analysis_fails() -> None:
    """A generator that biases the analysis fails the test, which is told by how much."""
    pytest.importorskip("pyhf")
    with pytest.raises(FAILED, match=r"^BIASED: (.|\n)*analysis  BIASED    bias .* > 1 uncertainties of mu"):
        gate().check_analysis(ANALYSIS.workspace, *sides_of_an_analysis(1_000_000, 0.1), **FEW_BIASES)


def test_the_marker_binds_an_analysis() -> None:
    """A call may only tighten the marker; n_required states the luminosity, and fresh events are another attempt."""
    pytest.importorskip("pyhf")
    sides = sides_of_an_analysis(1_000_000)
    one = gate(n_required=20_000, max_bias=0.8)
    report = one.check_analysis(ANALYSIS.workspace, *sides, **FEW_BIASES)
    assert report.n_required == 20_000
    with pytest.raises(InputError, match="n_required=5 lowers the marker's n_required=20000"):
        one.check_analysis(ANALYSIS.workspace, *sides, n_required=5, **FEW_BIASES)
    with pytest.raises(InputError, match=r"max_bias=0\.9 raises the marker's max_bias=0\.8"):
        one.check_analysis(ANALYSIS.workspace, *sides, max_bias=0.9, **FEW_BIASES)
    fresh = ANALYSIS.drawn(1_000_000, 9)["selected"]
    again = one.check_analysis(ANALYSIS.workspace, fresh, sides[1], **FEW_BIASES)
    assert [c.attempt for c in again.comparisons.values()] == [2]
    with pytest.raises(InputError, match=r"\['observables'\] have no meaning for an analysis; expected sample"):
        gate(observables=["x"]).check_analysis(ANALYSIS.workspace, *sides, **FEW_BIASES)
    with pytest.raises(InputError, match="unknown keyword sampl"):
        one.check_analysis(ANALYSIS.workspace, *sides, sampl="signal")


def test_properties_are_builtins() -> None:
    """What goes to JUnit's files is of builtins, of checks only, and replaces what an earlier run has left."""
    made = gate(n_required=50)
    made.validate(*EVENTS)
    properties: list[tuple[str, object]] = [("mine", 1), ("ganvalid_verdict", "BIASED")]
    made.describe(properties)
    assert properties == [("mine", 1)]
    report = made.check(*EVENTS)
    made.describe(properties)
    made.describe(properties)
    assert properties == [
        ("mine", 1),
        ("ganvalid_verdict", "ROBUST"),
        ("ganvalid_n_required", 50.0),
        ("ganvalid_n_supported", report.n_supported),
        ("ganvalid_weakest", "x"),
        ("ganvalid_observables", 1),
    ]
    assert {type(value) for _, value in properties} == {str, int, float}

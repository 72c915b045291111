"""Results in the texts that checks leave."""

from __future__ import annotations

import json

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.stored import comparison_in, kind_of, result_in, results_in

COMPARISON = gv.compare(gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=500, name="mass")
ESTIMATE = gv.compare_estimates(gv.Estimate(1.0, 0.1), gv.Estimate(1.1, 0.1), n_required=10, required_error=0.5)
REPORT = gv.combine({"mass": COMPARISON, "pt": COMPARISON})


def session(*checks: tuple[str, gv.Report | gv.Comparison]) -> str:
    """What a test run leaves."""
    written = [{"nodeid": name, "kind": result.KIND, "result": json.loads(result.to_json())} for name, result in checks]
    return json.dumps({"kind": "session", "version": 2, "checks": written})


@pytest.mark.parametrize("result", [COMPARISON, ESTIMATE, REPORT], ids=lambda result: result.KIND)
def test_results_come_back(result: gv.Report | gv.Comparison) -> None:
    """A single result is read as what it was, by its kind."""
    assert kind_of(result.to_json()) == result.KIND
    assert result_in(result.to_json()) == result
    assert results_in(result.to_json().encode()) == {"": result}


def test_a_session_has_a_result_for_each_test() -> None:
    """Of a session each test has its results, one of several is to be named, and none is an error."""
    text = session(("a", COMPARISON), ("b", REPORT), ("a", REPORT))
    assert results_in(text) == {"a": COMPARISON, "a, check 2": REPORT, "b": REPORT}
    assert [result_in(text, name) for name in ("a", "a, check 2")] == [COMPARISON, REPORT]
    assert result_in(session(("a", COMPARISON))) == COMPARISON
    with pytest.raises(gv.InputError, match=r"3 checks in this report .*; name one with --check: a, a, check 2, b"):
        result_in(text)
    with pytest.raises(gv.InputError, match="no check of 'c' in this report of a session"):
        result_in(text, "c")
    with pytest.raises(gv.InputError, match="there is none"):
        result_in(session())


@pytest.mark.parametrize(
    "text", ["[1]", '{"kind": "session", "checks": [{"nodeid": "a"}]}', '{"kind": "plan"}', '{"kind": ["report"]}', "{"]
)
def test_other_texts_are_refused(text: str) -> None:
    """What is no result of this package is an error, to one reader and to the other."""
    with pytest.raises(gv.InputError):
        results_in(text)
    with pytest.raises(gv.InputError):
        result_in(text)


@pytest.mark.parametrize(
    ("states", "names"),
    [(["ROBUST"], ["a"]), (["broke off", "ROBUST"], ["a"]), (["ROBUST", "BIASED"], ["a", "a, check 2"])],
)
def test_only_the_last_run_of_a_test_counts(states: list[str], names: list[str]) -> None:
    """Of a test that ran again, the checks of its last run are its results, as many as its row says have ended."""
    document = json.loads(session(("a", REPORT), ("a", COMPARISON), ("a", COMPARISON), ("b", REPORT)))
    document["rows"] = [{"nodeid": "a", "checks": states}, {"nodeid": "b", "checks": ["broke off"]}, {"nodeid": "c"}]
    assert results_in(json.dumps(document)) == dict.fromkeys(names, COMPARISON)


def test_looks_are_no_checks() -> None:
    """What a test has only looked at is none of the results of its session."""
    document = json.loads(session(("a", COMPARISON), ("b", REPORT)))
    for check, gate in zip(document["checks"], (True, False), strict=True):
        check["gate"] = gate
    assert results_in(json.dumps(document)) == {"a": COMPARISON}
    assert result_in(json.dumps(document), "b") == REPORT
    assert result_in(json.dumps(document)) == COMPARISON
    document["checks"].append(document["checks"][1] | {"nodeid": "a"})
    assert result_in(json.dumps(document), "a") == COMPARISON
    document["rows"] = [{"nodeid": "a", "checks": ["broke off"]}]
    with pytest.raises(gv.InputError, match="no check of 'a' in this report of a session"):
        result_in(json.dumps(document), "a")
    assert result_in(json.dumps(document)) == REPORT


def test_a_bad_result_is_placed() -> None:
    """An error in a session names the test."""
    text = session(("a.py::test_a", COMPARISON)).replace('"verdict"', '"verdikt"')
    with pytest.raises(gv.InputError, match=r"a\.py::test_a: "):
        results_in(text)


def test_numbers_are_no_histograms() -> None:
    """Where a histogram is wanted, a number does not do."""
    with pytest.raises(gv.InputError, match="all observables are numbers"):
        comparison_in(ESTIMATE, "mass")
    with pytest.raises(gv.InputError, match="all observables are numbers"):
        comparison_in(gv.combine({"mean": ESTIMATE}))

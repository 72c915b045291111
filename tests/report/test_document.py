"""``report.json`` comes back as it was written, and what it cannot be is refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import session
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report.document import Check, Result, Row, Run, Session, written

COMPARISON = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100, name="charge")
NUMBER = compare_estimates((1.01, 0.01, 1e4), (1.0, 0.01, 1e4), n_required=100, name="width")
REPORT = gv.combine({"charge": COMPARISON, "width": NUMBER})
RUN = Run(date="2030-01-02T03:04:05+00:00", version="1.0", command="pytest", commit="abc", link="https://ci.example/1")
ROW = session.row("t", "passed", {1: ("UNPROVEN",), 2: ("BIASED", "ROBUST")})


def _session() -> Session:
    row = Row(**{field.name: getattr(ROW, field.name) for field in fields(Row)})
    checks = tuple(Check.of("t", result, gate=result is REPORT) for result in (REPORT, COMPARISON, NUMBER))
    return Session(finished=True, exit_status=1, failures=("so",), rows=(row,), checks=checks, run=RUN)


def _record(result: Result, *, gate: bool) -> dict[str, Any]:
    return {"nodeid": "t", "kind": result.KIND, "gate": gate, "robust": result.robust, "result": result.to_json()}


def test_rows_are_those_of_a_session() -> None:
    """A row of the file has the fields that a session writes, and no others."""
    assert set(ROW.plain()) == {field.name for field in fields(Row)}


def test_what_is_written_comes_back() -> None:
    """The text of rows and records is that of the session they make, and restores it."""
    records = [_record(REPORT, gate=True), _record(COMPARISON, gate=False), _record(NUMBER, gate=False)]
    outcome = {"finished": True, "exit_status": 1, "failures": ["so"]}
    text = written(records, [ROW.plain()], outcome, RUN)
    assert Session.from_json(text) == _session()
    assert json.loads(text) == json.loads(_session().to_json())
    assert Session.from_json(_session().to_json(indent=1)) == _session()
    assert "run" not in json.loads(written([], [], outcome))
    assert Session.from_json(written([], [], outcome)).run is None


def test_the_verdict_counts() -> None:
    """A record that claims to be ROBUST beside a result that is not is written as what the result says."""
    record = {**_record(REPORT, gate=True), "robust": not REPORT.robust}
    outcome = {"finished": True, "exit_status": 0, "failures": []}
    (check,) = Session.from_json(written([record], [], outcome)).checks
    assert check.robust is REPORT.robust


@pytest.mark.parametrize("result", [REPORT, COMPARISON, NUMBER], ids=lambda result: str(result.KIND))
def test_a_result_alone_is_a_check(result: Result) -> None:
    """A report or a comparison alone is read as a session of one check."""
    found = Session.from_json(result.to_json())
    assert [check.result for check in found.checks] == [result]
    assert (found.rows, found.run, found.exit_status) == ((), None, None)


def test_a_report_is_taken_out_of_its_session() -> None:
    """`Report.from_json` reads the session of a single check; of none or of several it says how many there are."""
    alone = replace(_session(), checks=_session().checks[:1])
    assert gv.Report.from_json(alone.to_json()) == REPORT
    for checks in ((), _session().checks):
        with pytest.raises(InputError, match=rf"session of {len(checks)} checks"):
            gv.Report.from_json(replace(alone, checks=checks).to_json())
    with pytest.raises(InputError, match="expected JSON of kind 'report'"):
        gv.Report.from_json(replace(alone, checks=_session().checks[1:2]).to_json())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"kind": "plan"},
            "expected JSON of kind 'session' or 'report', 'comparison', 'estimate', 'analysis'; got kind 'plan'",
        ),
        ({"version": 1}, "version 2; got kind 'session', version 1"),
        ({"finished": None}, "finished: expected true or false; got null"),
        ({"more": 1}, r"unknown \['more'\]"),
        ({"rows": [{}]}, r"rows\[0\]: the fields are not those expected"),
        ({"checks": [{}]}, r"checks\[0\]: the fields are not those expected"),
    ],
)
def test_what_is_none_is_refused(change: dict[str, Any], words: str) -> None:
    """A text of another kind or version, or with other fields, is refused with its place."""
    text = json.dumps(json.loads(_session().to_json()) | change)
    with pytest.raises(InputError, match=words):
        Session.from_json(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"robust": None}, r"checks\[0\]\.robust: expected true or false"),
        ({"robust": not REPORT.robust}, r"checks\[0\]\.robust: expected (true|false), which follows from the result"),
        ({"kind": "comparison"}, r"checks\[0\]\.result: expected JSON of kind 'comparison'"),
        ({"kind": "plan"}, r"checks\[0\]\.kind: expected one of 'report', 'comparison', 'estimate'"),
    ],
)
def test_a_check_says_what_its_result_says(change: dict[str, Any], words: str) -> None:
    """A check that claims another kind or outcome than its result is refused."""
    document = json.loads(_session().to_json())
    document["checks"][0] |= change
    with pytest.raises(InputError, match=words):
        Session.from_json(json.dumps(document))

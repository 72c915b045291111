"""The rows of a session: what pytest reports of a test, and what its checks have come to, make its outcome."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid._options import Settings
from pytest_ganvalid.session import Journal, Row, Session, explanation_in, failures, names_marker, row, status_after

STATUSES = ("passed", "failed", "error", "skipped", "xfailed", "deselected", "not run", "rerun")
CHECKS = ("ROBUST", "BIASED", "UNPROVEN", "broke off")


def report(when: str, outcome: str, **more: Any) -> Any:
    """As much of a report as is read."""
    return SimpleNamespace(nodeid="test", when=when, outcome=outcome, **more)


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        ([], "not run"),
        ([report("setup", "passed")], "not run"),
        ([report("setup", "passed"), report("call", "passed"), report("teardown", "passed")], "passed"),
        ([report("setup", "passed"), report("call", "failed"), report("teardown", "failed")], "failed"),
        ([report("setup", "passed"), report("call", "passed"), report("teardown", "failed")], "error"),
        ([report("setup", "passed"), report("call", "skipped"), report("teardown", "passed")], "skipped"),
        ([report("setup", "skipped", wasxfail="so")], "xfailed"),
        ([report("setup", "failed"), report("teardown", "passed")], "error"),
        ([report("setup", "passed"), report("call", "passed", wasxfail="so")], "passed"),
        ([report("setup", "passed"), report("call", "failed", context=1), report("call", "passed")], "failed"),
        ([report("setup", "passed"), report("call", "skipped", context=1), report("call", "passed")], "passed"),
        ([report("setup", "passed"), report("call", "rerun"), report("teardown", "passed")], "rerun"),
        (
            [report("setup", "passed"), report("call", "rerun"), *map(report, ("setup", "call"), ("passed",) * 2)],
            "passed",
        ),
        ([report("setup", "passed"), report("???", "failed")], "error"),
    ],
)
def test_what_pytest_reports(reports: list[Any], status: str) -> None:
    """Of the phases of a run the worst counts, the failure of a subtest stays, and another run starts afresh."""
    found = "not run"
    for each in reports:
        found = status_after(found, each)
    assert found == status


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"longrepr": ("test_it.py", 3, "Skipped: no data")}, "no data"),
        ({"longrepr": ["test_it.py", 3, "Skipped: on two\n lines"]}, "on two lines"),
        ({"longrepr": ("test_it.py", 3, "Skipped: " + 300 * "x")}, 199 * "x" + "…"),
        ({"longrepr": "a traceback", "wasxfail": "reason: known"}, "known"),
        ({"longrepr": "a traceback", "wasxfail": ""}, ""),
        ({"longrepr": None}, ""),
        ({}, ""),
    ],
)
def test_why_a_test_was_skipped(told: dict[str, Any], words: str) -> None:
    """The words of the user's are kept, on one line, wherever pytest has put them."""
    assert explanation_in(report("call", "skipped", **told)) == words


@pytest.mark.parametrize(("status", "kept"), [("skipped", True), ("xfailed", True), ("passed", False)])
def test_an_explanation_is_that_of_the_row(status: str, kept: bool) -> None:  # noqa: FBT001
    """A test that passed in the end has none of those that it was skipped with before."""
    assert row("test", status, {1: ["ROBUST"]}, explanation="no data").explanation == ("no data" if kept else "")


@pytest.mark.parametrize(
    ("status", "checks", "outcome", "reason"),
    [
        ("passed", ["ROBUST", "ROBUST"], "ROBUST", ""),
        ("passed", [], "no demonstration", "passed without a check"),
        ("failed", ["ROBUST", "UNPROVEN", "BIASED"], "BIASED", ""),
        ("passed", ["ROBUST", "UNPROVEN"], "UNPROVEN", ""),
        ("skipped", ["BIASED"], "BIASED", ""),
        ("xfailed", ["BIASED"], "no demonstration", "xfailed"),
        ("failed", ["ROBUST"], "no demonstration", "failed"),
        ("error", ["broke off"], "no demonstration", "error"),
        ("passed", ["broke off"], "no demonstration", "a check broke off, or had not ended when the session did"),
        ("rerun", [], "no demonstration", "not run"),
    ],
)
def test_a_row(status: str, checks: list[str], outcome: str, reason: str) -> None:
    """ROBUST is a test that passed and whose checks all are; of others the worst verdict, or why there is none."""
    found = row("test", status, {1: checks})
    assert (found.outcome, found.reason) == (outcome, reason)


@given(st.sampled_from(STATUSES), st.lists(st.sampled_from(CHECKS), max_size=4), st.lists(st.sampled_from(CHECKS)))
def test_no_row_is_better_than_it_is(status: str, checks: list[str], earlier: list[str]) -> None:
    """Only a passed test with checks that are all ROBUST is demonstrated; any other is red, hidden or says nothing."""
    found = row("test", status, {1: earlier, 2: checks})
    assert (found.outcome == "ROBUST") == (status == "passed" and bool(checks) and set(checks) == {"ROBUST"})
    assert (found.outcome == "no demonstration") == bool(found.reason)
    assert found.hidden == (status not in ("failed", "error", "xfailed") and not set(checks) <= {"ROBUST"})
    assert (found.runs, found.checks, found.earlier) == (2, tuple(checks), tuple(earlier))
    assert {"hidden": found.hidden, "checks": checks}.items() <= found.plain().items()


def test_why_a_session_fails() -> None:
    """A hidden failure always fails it, what demonstrates nothing if it is strict, and too few if more are required."""
    good, hidden, nothing = (
        Row(nodeid=name, outcome=outcome, reason="", status="passed", checks=checks)
        for name, outcome, checks in (
            ("good", "ROBUST", ("ROBUST",)),
            ("hidden", "BIASED", ("BIASED",)),
            ("nothing", "no demonstration", ()),
        )
    )
    assert failures([good, nothing], Settings()) == []
    assert failures([good], Settings(strict=True, require=1)) == []
    (words,) = failures([good, hidden], Settings())
    assert "hidden (passed)" in words
    assert "good" not in words
    assert failures([good, nothing], Settings(strict=True, require=2)) == [
        "the session fails by --ganvalid-strict: 1 without a demonstration",
        "the session fails by --ganvalid-require=2: 1 demonstrated",
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pytest\n@pytest.mark.ganvalid(n_required=5)\ndef test(): pass", True),
        ("from pytest import mark\npytestmark = [mark.ganvalid]", True),
        ("import pytest\npytest.param(1, marks=pytest.mark.ganvalid)", True),
        ("TEXT = '@pytest.mark.ganvalid'", False),
        ("def test(ganvalid): ganvalid.check()", False),
        ("import pytest.mark as ganvalid", False),
        ("def\n@pytest.mark.ganvalid", True),
        ("def\nganvalid", False),
    ],
)
def test_modules_that_state_the_marker(tmp_path: Path, source: str, found: bool) -> None:  # noqa: FBT001
    """The marker is seen in a program that was not run, or cannot be, and not in its texts."""
    (tmp_path / "test_it.py").write_text(source, encoding="utf-8")
    assert names_marker(tmp_path / "test_it.py") is found
    assert not names_marker(tmp_path / "none.py")
    (tmp_path / "it.txt").write_text("mark.ganvalid", encoding="utf-8")
    assert not names_marker(tmp_path / "it.txt")


def entry(journal: Journal, state: str, number: str = "1", **more: Any) -> None:
    """Write of a check of one test."""
    journal.add(id=number, state=state, gate="gate", nodeid="test", run=1, **more)


def test_a_journal_keeps_what_forked_processes_write() -> None:
    """What a forked process writes comes back, and what is half written waits."""
    journal = Journal()
    journal.open()
    entry(journal, "begun")
    pid = os.fork()
    if not pid:
        entry(journal, "BIASED", record={"a": 1})
        os.write(journal._file.fileno(), b'{"half')  # type: ignore[union-attr]
        os._exit(0)
    os.waitpid(pid, 0)
    assert journal.states("gate") == {"1": "BIASED"}
    assert journal.states("other") == {}
    assert journal.records() == [{"a": 1}]
    assert [each["state"] for each in journal.unsent()] == ["begun", "BIASED"]
    assert journal.unsent() == []
    journal.close()
    assert len(journal.entries()) == 2


def test_tokens_differ() -> None:
    """No two checks have one name, of whatever journal."""
    journals = Journal(), Journal()
    assert len({journal.token() for journal in journals for _ in range(100)}) == 200


def session(**settings: Any) -> Session:
    """A session of no tests."""
    config: Any = SimpleNamespace(rootpath=Path("/nowhere"))
    return Session(Settings(**settings), config)


def test_what_workers_send_adds_up() -> None:
    """What travels with reports and once more at the end counts once, and keeps the results."""
    worker, controller = session(), session()
    worker._fates = {"test": "not run", "other": "deselected"}
    entry(worker.journal, "begun")
    entry(worker.journal, "ROBUST", record={"nodeid": "test"})
    sent = {"entries": worker.journal.unsent(), "fates": {}, "modules": {"module": "skipped at collection"}}
    controller.absorb(sent)
    controller.absorb(worker.snapshot())
    controller.reported(report("setup", "passed", worker_id="gw0"))
    controller.reported(report("call", "passed", worker_id="gw0"))
    assert {each.nodeid: each.reason or each.outcome for each in controller.rows()} == {
        "test": "ROBUST",
        "other": "deselected",
        "module": "skipped at collection",
    }
    assert controller.records() == [{"nodeid": "test"}]
    controller.reported(report("setup", "failed", worker_id="gw1"))
    assert {each.nodeid: each.status for each in controller.rows()}["test"] == "error"


def test_nothing_concerns_a_session_without_marked_tests() -> None:
    """Nothing is said unless a test is marked or checks, or an option asks."""
    assert not session().concerned
    assert session(strict=True).concerned
    assert session(require=1).concerned
    checked = session()
    entry(checked.journal, "looked", record={})
    assert checked.concerned

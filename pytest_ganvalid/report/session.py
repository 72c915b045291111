"""The results of a whole test run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report import text
from pytest_ganvalid.report.document import KINDS, of_last_run
from pytest_ganvalid.report.layout import WIDTH, joined, width, wrapped
from pytest_ganvalid.results import Report, Verdict

if TYPE_CHECKING:
    import pytest

NOTHING = "no demonstration"
_OUTCOME = len(NOTHING) + 2  # columns
_MARKUP: dict[str, dict[str, bool]] = {
    Verdict.ROBUST: {"green": True},
    Verdict.BIASED: {"red": True},
    Verdict.UNPROVEN: {"yellow": True},
    NOTHING: {"yellow": True},
}
_FULL = 2  # verbosity


def result_of(record: Mapping[str, Any]) -> text.Result:
    """Restore the result that a test recorded."""
    return KINDS[record["kind"]].from_json(record["result"])


def write_summary(
    terminal: pytest.TerminalReporter,
    rows: Sequence[Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    messages: Iterable[str] = (),
    verbosity: int = 0,
) -> None:
    """Write the table of all tests, the looks, the messages, and how many rows there are of each kind.

    Args:
        terminal: Where to.
        rows: The outcome of each test; see `pytest_ganvalid.session.Row`.
        records: The results of checks and looks.
        messages: Where the report is, and why the session fails.
        verbosity: Of pytest. Below 0 a row has no more than its first line; from 1 on it has the notes too, from 2 on
            all numbers of what pytest does not print as a failure.
    """
    terminal.section("ganvalid")
    by_test: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_test.setdefault(record["nodeid"], []).append(record)
    reports = [[_report_of(record) for record in _gates_of(row, by_test)] for row in rows]
    looks = [record for test_records in by_test.values() for record in test_records if not record["gate"]]
    if verbosity >= _FULL:
        unprinted = [(row["nodeid"], checks) for row, checks in zip(rows, reports, strict=True) if not _is_printed(row)]
        unprinted += [(record["nodeid"], [_report_of(record)]) for record in looks]
        for nodeid, report in ((nodeid, report) for nodeid, checks in unprinted for report in checks):
            for line in (*wrapped(printable(nodeid)), *text.explain(report, details=True).split("\n"), ""):
                terminal.line(line)
    for row, checks in zip(rows, reports, strict=True):
        _write(terminal, row["outcome"], _lines(row, checks, verbosity))
    for record in looks:
        report = _report_of(record)
        phrases = [*text.phrases(report, WIDTH - _OUTCOME), "looked at, not gated"]
        lines = _with_phrases(report.verdict, record["nodeid"], phrases, verbosity)
        _write(terminal, report.verdict, [*lines, *_remarks(report, verbosity)])
    for message in (*messages, totals(rows)):
        for line in wrapped(f"ganvalid: {printable(message)}", 2):
            terminal.line(line)


def _gates_of(
    row: Mapping[str, Any], by_test: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Sequence[Mapping[str, Any]]:
    """Return the checks of the last run of a test."""
    return of_last_run([record for record in by_test.get(row["nodeid"], ()) if record["gate"]], row["checks"])


def _is_printed(row: Mapping[str, Any]) -> bool:
    """Tell whether pytest itself prints the outcomes of the checks of a test."""
    return row["status"] in {"failed", "error"}


def _report_of(record: Mapping[str, Any]) -> Report:
    return text.as_report(result_of(record))


def _write(terminal: pytest.TerminalReporter, outcome: str, lines: Sequence[str]) -> None:
    """Write lines of which the first begins with an outcome, that in colour where pytest writes in colour."""
    terminal.write(outcome, **_MARKUP[outcome])
    terminal.line(lines[0].removeprefix(outcome))
    for line in lines[1:]:
        terminal.line(line)


def _lines(row: Mapping[str, Any], reports: Sequence[Report], verbosity: int) -> list[str]:
    """Return the lines of a test: the check that decides, or why there is no demonstration."""
    head, phrases = row["nodeid"], []
    decisive = [report for report in reports if report.verdict == row["outcome"]]
    if decisive:
        worst = min(decisive, key=lambda report: report.n_supported / report.n_required)
        phrases += text.phrases(worst, WIDTH - _OUTCOME)
        if len(row["checks"]) > 1:
            phrases.append(f"{row['checks'].count(row['outcome'])} of {len(row['checks'])} checks")
    elif words := _explanation(row):
        head = f"{head}: {words}"
    if row["hidden"] and row["outcome"] != NOTHING:
        phrases.append(f"and the test is {row['status']}")
    if row["runs"] > 1:
        phrases.append(f"run {row['runs']} of this test, the checks before: {', '.join(row['earlier']) or 'none'}")
    remarks = [
        line
        for report in reports
        for line in _remarks(report, verbosity if not _is_printed(row) else min(verbosity, 0))
    ]
    return [*_with_phrases(row["outcome"], head, phrases, verbosity), *remarks]


def _with_phrases(outcome: str, head: str, phrases: Sequence[str], verbosity: int) -> list[str]:
    """Write an outcome, the test and the phrases on one line if they fit, else the phrases below the test."""
    first, phrases = f"{outcome:<{_OUTCOME}}{printable(head)}", list(map(printable, phrases))
    line = f"{first}: {'; '.join(phrases)}" if phrases else first
    if width(line) <= WIDTH:
        return [line]
    lines = wrapped(first, _OUTCOME)
    return (
        lines
        if verbosity < 0 or not phrases
        else [*lines, *joined([" " * _OUTCOME + phrases[0], *phrases[1:]], _OUTCOME)]
    )


def _remarks(report: Report, verbosity: int) -> list[str]:
    """Return what was not compared and, at verbosity 1, the notes."""
    notes = [f"note: {note}" for note in report.notes] if 0 < verbosity < _FULL else []
    omissions = [text.not_compared(report)] if report.skipped and verbosity >= 0 else []
    indent = " " * _OUTCOME
    return [line for words in (*notes, *omissions) for line in wrapped(f"{indent}{printable(words)}", _OUTCOME + 2)]


def _explanation(row: Mapping[str, Any]) -> str:
    """Say why there is no demonstration, with the outcomes of the checks."""
    checks, explanation = row["checks"], f": {row['explanation']}" if row.get("explanation") else ""
    if checks and row["reason"] == row["status"]:
        outcomes = f"its checks were {', '.join(checks)}" if len(checks) > 1 else f"its check was {checks[0]}"
        return f"{row['reason']} ({outcomes.replace('was broke off', 'broke off')}){explanation}"
    return f"{row['reason']}{explanation}"


def totals(rows: Iterable[Mapping[str, Any]]) -> str:
    """Count rows of each kind, and of those without a demonstration of each reason."""
    outcomes, reasons = Counter(row["outcome"] for row in rows), Counter(row["reason"] for row in rows)
    words = {Verdict.ROBUST: "demonstrated", Verdict.BIASED: "BIASED", Verdict.UNPROVEN: "UNPROVEN", NOTHING: NOTHING}
    parts = [f"{outcomes[kind]} {word}" for kind, word in words.items() if outcomes[kind] or kind == Verdict.ROBUST]
    if outcomes[NOTHING]:
        parts[-1] += f" ({', '.join(f'{number} {reason}' for reason, number in reasons.items() if reason)})"
    return ", ".join(parts)

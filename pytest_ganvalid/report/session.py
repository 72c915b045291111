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
_ALL = 2  # verbosity


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
        rows: What has become of each test; see `pytest_ganvalid.session.Row`.
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
    looks = [record for made in by_test.values() for record in made if not record["gate"]]
    if verbosity >= _ALL:
        unprinted = [(row["nodeid"], made) for row, made in zip(rows, reports, strict=True) if not _printed(row)]
        unprinted += [(record["nodeid"], [_report_of(record)]) for record in looks]
        for nodeid, report in ((nodeid, report) for nodeid, made in unprinted for report in made):
            for line in (*wrapped(printable(nodeid)), *text.explain(report, details=True).split("\n"), ""):
                terminal.line(line)
    for row, made in zip(rows, reports, strict=True):
        _write(terminal, row["outcome"], _lines(row, made, verbosity))
    for record in looks:
        report = _report_of(record)
        phrases = [*text.phrases(report, WIDTH - _OUTCOME), "looked at, not gated"]
        lines = _hung(report.verdict, record["nodeid"], phrases, verbosity)
        _write(terminal, report.verdict, [*lines, *_more(report, verbosity)])
    for message in (*messages, totals(rows)):
        for line in wrapped(f"ganvalid: {printable(message)}", 2):
            terminal.line(line)


def _gates_of(
    row: Mapping[str, Any], by_test: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Sequence[Mapping[str, Any]]:
    """Return the checks of the last run of a test."""
    return of_last_run([record for record in by_test.get(row["nodeid"], ()) if record["gate"]], row["checks"])


def _printed(row: Mapping[str, Any]) -> bool:
    """Whether pytest itself prints what the checks of a test have come to."""
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
    """Tell what has become of a test: by the check that decides, or why there is no demonstration."""
    head, phrases = row["nodeid"], []
    decisive = [report for report in reports if report.verdict == row["outcome"]]
    if decisive:
        worst = min(decisive, key=lambda report: report.n_supported / report.n_required)
        phrases += text.phrases(worst, WIDTH - _OUTCOME)
        if len(row["checks"]) > 1:
            phrases.append(f"{row['checks'].count(row['outcome'])} of {len(row['checks'])} checks")
    elif words := _why(row):
        head = f"{head}: {words}"
    if row["hidden"] and row["outcome"] != NOTHING:
        phrases.append(f"and the test is {row['status']}")
    if row["runs"] > 1:
        phrases.append(f"run {row['runs']} of this test, the checks before: {', '.join(row['earlier']) or 'none'}")
    more = [line for report in reports for line in _more(report, verbosity if not _printed(row) else min(verbosity, 0))]
    return [*_hung(row["outcome"], head, phrases, verbosity), *more]


def _hung(outcome: str, head: str, phrases: Sequence[str], verbosity: int) -> list[str]:
    """Write an outcome, the test and the phrases on one line if they fit, else the phrases below the test."""
    first, phrases = f"{outcome:<{_OUTCOME}}{printable(head)}", list(map(printable, phrases))
    whole = f"{first}: {'; '.join(phrases)}" if phrases else first
    if width(whole) <= WIDTH:
        return [whole]
    lines = wrapped(first, _OUTCOME)
    return (
        lines
        if verbosity < 0 or not phrases
        else [*lines, *joined([" " * _OUTCOME + phrases[0], *phrases[1:]], _OUTCOME)]
    )


def _more(report: Report, verbosity: int) -> list[str]:
    """Say what was not compared and, if more is wanted and not told in full, what was noted."""
    notes = [f"note: {note}" for note in report.notes] if 0 < verbosity < _ALL else []
    told = [text.not_compared(report)] if report.skipped and verbosity >= 0 else []
    indent = " " * _OUTCOME
    return [line for words in (*notes, *told) for line in wrapped(f"{indent}{printable(words)}", _OUTCOME + 2)]


def _why(row: Mapping[str, Any]) -> str:
    """Say why there is no demonstration, and what its checks have come to all the same."""
    checks, explanation = row["checks"], f": {row['explanation']}" if row.get("explanation") else ""
    if checks and row["reason"] == row["status"]:
        told = f"its checks were {', '.join(checks)}" if len(checks) > 1 else f"its check was {checks[0]}"
        return f"{row['reason']} ({told.replace('was broke off', 'broke off')}){explanation}"
    return f"{row['reason']}{explanation}"


def totals(rows: Iterable[Mapping[str, Any]]) -> str:
    """Count rows of each kind, and of those without a demonstration of each reason."""
    outcomes, reasons = Counter(row["outcome"] for row in rows), Counter(row["reason"] for row in rows)
    words = {Verdict.ROBUST: "demonstrated", Verdict.BIASED: "BIASED", Verdict.UNPROVEN: "UNPROVEN", NOTHING: NOTHING}
    parts = [f"{outcomes[kind]} {word}" for kind, word in words.items() if outcomes[kind] or kind == Verdict.ROBUST]
    if outcomes[NOTHING]:
        parts[-1] += f" ({', '.join(f'{number} {reason}' for reason, number in reasons.items() if reason)})"
    return ", ".join(parts)

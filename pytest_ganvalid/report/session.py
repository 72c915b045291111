"""The results of a whole test run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report import text
from pytest_ganvalid.results import AnalysisComparison, Comparison, EstimateComparison, Report, Verdict

if TYPE_CHECKING:
    import pytest

NOTHING = "no demonstration"
_KINDS: dict[str, type[text.Result]] = {
    kind.KIND: kind for kind in (Report, Comparison, EstimateComparison, AnalysisComparison)
}


def result_of(record: Mapping[str, Any]) -> text.Result:
    """Restore the result that a test recorded."""
    return _KINDS[record["kind"]].from_json(record["result"])


def write_summary(
    terminal: pytest.TerminalReporter,
    rows: Sequence[Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    messages: Iterable[str] = (),
) -> None:
    """Write a line per row, one per look, the messages, and how many rows there are of each kind.

    Args:
        terminal: Where to.
        rows: What has become of each test; see `pytest_ganvalid.session.Row`.
        records: The results of checks and looks.
        messages: Where the report is, and why the session fails.
    """
    terminal.section("ganvalid")
    by_test: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_test.setdefault(record["nodeid"], []).append(record)
    for row in rows:
        checks = [record for record in by_test.get(row["nodeid"], ()) if record["gate"]]
        terminal.line(_line(row, [result_of(record) for record in checks[-len(row["checks"]) :] if row["checks"]]))
    for record in (record for made in by_test.values() for record in made if not record["gate"]):
        terminal.line(f"{text.summary(record['nodeid'], result_of(record))} - looked at, not gated")
    for message in messages:
        terminal.line(f"ganvalid: {printable(message)}")
    terminal.line(f"ganvalid: {totals(rows)}")


def _line(row: Mapping[str, Any], results: Sequence[text.Result]) -> str:
    """Tell what has become of a test: by the check that decides, or why there is no demonstration."""
    decisive = [result for result in results if result.verdict == row["outcome"]]
    if decisive:
        worst = min(decisive, key=lambda result: result.n_supported / result.n_required)
        line = text.summary(row["nodeid"], worst)
        if len(row["checks"]) > 1:
            line += f"; {row['checks'].count(row['outcome'])} of {len(row['checks'])} checks"
    else:
        line = f"{row['outcome']}  {printable(row['nodeid'])}{f': {words}' if (words := _why(row)) else ''}"
    if row["hidden"] and row["outcome"] != NOTHING:
        line += f" - and the test is {row['status']}"
    if row["runs"] > 1:
        line += f"; run {row['runs']} of this test, the checks before: {', '.join(row['earlier']) or 'none'}"
    return line


def _why(row: Mapping[str, Any]) -> str:
    """Say why there is no demonstration, and what its checks have come to all the same."""
    if row["checks"] and row["reason"] == row["status"]:
        checks = f"its check was {row['checks'][0]}" if len(row["checks"]) == 1 else "its checks were "
        return f"{row['reason']} ({checks}{', '.join(row['checks']) if len(row['checks']) > 1 else ''})"
    return str(row["reason"])


def totals(rows: Iterable[Mapping[str, Any]]) -> str:
    """Count rows of each kind, and of those without a demonstration of each reason."""
    outcomes, reasons = Counter(row["outcome"] for row in rows), Counter(row["reason"] for row in rows)
    words = {Verdict.ROBUST: "demonstrated", Verdict.BIASED: "BIASED", Verdict.UNPROVEN: "UNPROVEN", NOTHING: NOTHING}
    parts = [f"{outcomes[kind]} {word}" for kind, word in words.items() if outcomes[kind] or kind == Verdict.ROBUST]
    if outcomes[NOTHING]:
        parts[-1] += f" ({', '.join(f'{number} {reason}' for reason, number in reasons.items() if reason)})"
    return ", ".join(parts)

"""The results of a run come back from what tests recorded, and are told a line each."""

from __future__ import annotations

from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.session import result_of, totals, write_summary
from pytest_ganvalid.report.text import Result, summary

COMPARISON = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100, name="mass")
ESTIMATES = gv.compare_estimates((1.0, 0.1, 50), (1.05, 0.1, 50), n_required=5, name="mean")
REPORT = gv.Report(verdict=COMPARISON.verdict, reasons=(), n_required=100, comparisons={"mass": COMPARISON})
RESULTS: list[Result] = [COMPARISON, ESTIMATES, REPORT]


class Terminal:
    """Keeps what is written."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        """Begin a section."""
        self.lines.append(f"== {title}")

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(text)


def record(result: Result, *, gate: bool) -> dict[str, Any]:
    """What a test records."""
    return {"nodeid": f"test_{result.KIND}", "kind": result.KIND, "gate": gate, "result": result.to_json()}


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.KIND)
def test_every_kind_of_result_comes_back(result: Result) -> None:
    """Histograms, numbers and reports are restored as what they were."""
    assert result_of(record(result, gate=True)) == result


def row(nodeid: str, outcome: str, status: str, reason: str = "", **more: Any) -> dict[str, Any]:
    """A row of a test that ran once."""
    usual = {"checks": [], "runs": 1, "earlier": [], "hidden": False}
    return {"nodeid": nodeid, "outcome": outcome, "status": status, "reason": reason, **usual, **more}


def written(*arguments: Any) -> list[str]:
    """The lines of a summary."""
    terminal: Any = Terminal()
    write_summary(terminal, *arguments)
    return list(terminal.lines)


def test_a_line_per_row_and_per_look() -> None:
    """A row is told by its check, a look by itself, then the messages and how many there are of each kind."""
    verdict = str(COMPARISON.verdict)
    rows = [row("test_comparison", verdict, "failed", checks=[verdict])]
    records = [record(COMPARISON, gate=True), record(ESTIMATES, gate=False)]
    assert written(rows, records, ["wrote a file"]) == [
        "== ganvalid",
        summary("test_comparison", COMPARISON),
        f"{summary('test_estimate', ESTIMATES)} - looked at, not gated",
        "ganvalid: wrote a file",
        f"ganvalid: 0 demonstrated, 1 {verdict}",
    ]


def test_what_a_row_says() -> None:
    """Why nothing is demonstrated, how many checks decide, that a failure is hidden, and what was before, are told."""
    verdict = str(COMPARISON.verdict)
    rows = [
        row("a", "no demonstration", "skipped", "skipped"),
        row("b", "no demonstration", "xfailed", "xfailed", checks=[verdict]),
        row("c", "no demonstration", "failed", "failed", checks=["ROBUST", "ROBUST"]),
        row("d\n", "no demonstration", "failed", "passed without a check"),
        row("test_comparison", verdict, "passed", checks=["ROBUST", verdict], hidden=True, runs=2, earlier=["BIASED"]),
    ]
    lines = written(rows, [record(COMPARISON, gate=True), record(COMPARISON, gate=True)])
    assert lines[1:5] == [
        "no demonstration  a: skipped",
        f"no demonstration  b: xfailed (its check was {verdict})",
        "no demonstration  c: failed (its checks were ROBUST, ROBUST)",
        "no demonstration  d\\n: passed without a check",
    ]
    assert lines[5] == (
        f"{summary('test_comparison', COMPARISON)}; 1 of 2 checks - and the test is passed; run 2 of this test, the "
        "checks before: BIASED"
    )
    words = "4 no demonstration (1 skipped, 1 xfailed, 1 failed, 1 passed without a check)"
    assert lines[-1] == f"ganvalid: 0 demonstrated, 1 {verdict}, {words}"
    assert totals([]) == "0 demonstrated"

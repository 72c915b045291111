"""The results of a run come back from what tests recorded, and are told a line each."""

from __future__ import annotations

from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.session import result_of, write_summary
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


def test_a_line_per_check() -> None:
    """Checks are told in the order of the run, and those that only looked are marked."""
    terminal: Any = Terminal()
    write_summary(terminal, [record(result, gate=result is not ESTIMATES) for result in RESULTS])
    lines = [summary(f"test_{result.KIND}", result) for result in RESULTS]
    lines[1] += " - looked at, not gated"
    assert terminal.lines == ["== ganvalid", *lines]

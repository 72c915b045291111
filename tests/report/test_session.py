"""The results of a run come back from what tests recorded, and are told in a table."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.report.layout import width
from pytest_ganvalid.report.session import result_of, totals, write_summary
from pytest_ganvalid.report.text import Result, explain

COMPARISON = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100, name="mass")
ESTIMATES = gv.compare_estimates((1.0, 0.1, 50), (1.05, 0.1, 50), n_required=5, name="mean")
REPORT = gv.Report(verdict=COMPARISON.verdict, reasons=(), n_required=100, comparisons={"mass": COMPARISON})
RESULTS: list[Result] = [COMPARISON, ESTIMATES, REPORT]


class Terminal:
    """Keeps what is written, and in which colours."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self.lines: list[str] = []
        self.colours: dict[str, list[str]] = {}
        self._begun = ""

    def section(self, title: str) -> None:
        """Begin a section."""
        self.lines.append(f"== {title}")

    def write(self, text: str, **markup: bool) -> None:
        """Begin a line."""
        self._begun += text
        self.colours[text] = [name for name, on in markup.items() if on]

    def line(self, text: str) -> None:
        """Write a line, or the rest of one."""
        self.lines.append(self._begun + text)
        self._begun = ""


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


VERDICT = str(COMPARISON.verdict)
GATED = [row("test_comparison", VERDICT, "failed", checks=[VERDICT])]


def test_a_table_of_rows_and_looks() -> None:
    """A row is told by its check, a look by itself, then the messages and how many there are of each kind."""
    records = [record(COMPARISON, gate=True), record(ESTIMATES, gate=False)]
    assert written(GATED, records, ["wrote a file"]) == [
        "== ganvalid",
        "UNPROVEN          test_comparison: n_required 100, supported 43 (mass)",
        "ROBUST            test_estimate",
        "                  n_required 5, supported 6 (mean); looked at, not gated",
        "ganvalid: wrote a file",
        "ganvalid: 0 demonstrated, 1 UNPROVEN",
    ]


def test_what_a_row_says() -> None:
    """Why nothing is demonstrated, how many checks decide, that a failure is hidden, and what was before, are told."""
    rows = [
        row("a", "no demonstration", "skipped", "skipped"),
        row("b", "no demonstration", "xfailed", "xfailed", checks=[VERDICT]),
        row("c", "no demonstration", "failed", "failed", checks=["ROBUST", "ROBUST"]),
        row("d\n", "no demonstration", "failed", "passed without a check"),
        row("test_comparison", VERDICT, "passed", checks=["ROBUST", VERDICT], hidden=True, runs=2, earlier=["BIASED"]),
    ]
    lines = written(rows, [record(COMPARISON, gate=True), record(COMPARISON, gate=True)])
    assert lines[1:] == [
        "no demonstration  a: skipped",
        f"no demonstration  b: xfailed (its check was {VERDICT})",
        "no demonstration  c: failed (its checks were ROBUST, ROBUST)",
        "no demonstration  d\\n: passed without a check",
        "UNPROVEN          test_comparison",
        "                  n_required 100, supported 43 (mass); 1 of 2 checks",
        "                  and the test is passed",
        "                  run 2 of this test, the checks before: BIASED",
        "ganvalid: 0 demonstrated, 1 UNPROVEN, 4 no demonstration (1 skipped, 1 xfailed,",
        "  1 failed, 1 passed without a check)",
    ]
    assert totals([]) == "0 demonstrated"


def test_what_was_not_compared_is_in_the_table() -> None:
    """Columns that were left out are told below the row, also of a test that passes; notes from -v on."""
    report = dataclasses.replace(REPORT, skipped={"run": "has one value"}, notes=("near copies were not looked for",))
    robust = [row("test_report", VERDICT, "passed", checks=[VERDICT])]
    records = [record(report, gate=True)]
    out, note = "not compared: run (has one value)", "note: near copies were not looked for"
    told = {
        verbosity: [line.strip() for line in written(robust, records, [], verbosity)] for verbosity in (-1, 0, 1, 2)
    }
    assert [out in told[verbosity] for verbosity in (-1, 0, 1, 2)] == [False, True, True, True]
    assert [note in told[verbosity] for verbosity in (-1, 0, 1, 2)] == [False, False, True, True]
    failed = [row("test_report", VERDICT, "failed", checks=[VERDICT])]
    assert [note in line for line in written(failed, records, [], 1)].count(True) == 0  # the failure has it


def test_verbosity() -> None:
    """-q leaves one line of a row, and -vv gives all numbers of what pytest prints no failure of, once."""
    long = "test_" + "a" * 60
    rows = [
        row(long, VERDICT, "failed", checks=[VERDICT]),
        row("test_comparison", VERDICT, "xfailed", checks=[VERDICT]),
    ]
    records = [{**record(COMPARISON, gate=True), "nodeid": long}, record(COMPARISON, gate=True)]
    assert written(rows, records, [], -1)[1] == f"UNPROVEN          {long}"
    assert written(rows, records, [], -1)[2].startswith("UNPROVEN          test_comparison: n_required 100")
    details = explain(COMPARISON, details=True)
    assert details not in "\n".join(written(rows, records, [], 1))
    assert "\n".join(written(rows, records, [], 2)).count(f"test_comparison\n{details}\n\n") == 1


def test_outcomes_are_coloured() -> None:
    """Outcomes, and nothing else, are written in colour: each in its own, and none that means success but ROBUST."""
    terminal: Any = Terminal()
    outcomes = ("ROBUST", "BIASED", "UNPROVEN", "no demonstration")
    write_summary(terminal, [row("t", outcome, "passed") for outcome in outcomes], [])
    assert terminal.colours == {
        "ROBUST": ["green"],
        "BIASED": ["red"],
        "UNPROVEN": ["yellow"],
        "no demonstration": ["yellow"],
    }


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    st.integers(-2, 3),
)
def test_the_table_has_eighty_columns(nodeid: str, name: str, verbosity: int) -> None:
    """Whatever tests and observables are called, no line is wider than a terminal, but for a name that hardly fits."""
    report = dataclasses.replace(REPORT, comparisons={name: COMPARISON}, skipped={name: "not numeric"})
    records = [{**record(report, gate=gate), "nodeid": nodeid} for gate in (True, False)]
    rows = [row(nodeid, VERDICT, "failed", checks=[VERDICT])]
    for line in written(rows, records, [f"wrote {name}"], verbosity)[1:]:
        assert line.isprintable()
        assert width(line) <= 80 or width(line.split(" ")[-1]) > 80 - 20

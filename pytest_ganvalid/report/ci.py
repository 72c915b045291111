"""Output for the service that runs the tests: annotations of GitHub Actions at the tests, and the step summary.

Nothing is said unless the environment has ``GITHUB_ACTIONS`` or ``GITHUB_STEP_SUMMARY``.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report.session import NOTHING, result_of
from pytest_ganvalid.report.text import Result, as_report, next_line
from pytest_ganvalid.results import Comparison, Verdict, at_most
from pytest_ganvalid.statistics.reasons import count

if TYPE_CHECKING:
    import pytest

    from pytest_ganvalid.results import EstimateComparison

ANNOTATED, SUMMARY = "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"
_ORDER = (Verdict.BIASED, Verdict.UNPROVEN, NOTHING, Verdict.ROBUST)  # GitHub shows ten annotations of a step
_HARMLESS = ("skipped", "xfailed", "deselected", "not run")  # by themselves: such a test does not fail the run
_MAX_BYTES = 900_000  # of the 1 MiB that a summary may have
_ESCAPED = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ESCAPED_PROPERTIES = {":": "%3A", ",": "%2C"}
_MARKDOWN = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_[]|~#"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})


def publish(
    terminal: pytest.TerminalReporter,
    rows: Sequence[Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    failures: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Write annotations to the terminal, and the summary to the file that the environment names.

    Args:
        terminal: Where a service looks for annotations.
        rows: The outcome of each test; see `pytest_ganvalid.session.Row`.
        records: The results of checks and looks.
        failures: Why the session fails beyond its tests.
        environment: Of the process.
    """
    results = _results(records)
    if environment.get(ANNOTATED):
        root = Path(environment.get("GITHUB_WORKSPACE") or terminal.config.rootpath)
        for line in annotation_lines(rows, results, terminal.config.rootpath, root, failures):
            terminal.line(line)
    if environment.get(SUMMARY):
        try:
            with Path(environment[SUMMARY]).open("a", encoding="utf-8") as file:
                file.write(summary(rows, results, failures))
        except OSError as error:
            terminal.line(f"ganvalid: the summary of the step was not written: {error}")


def _results(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Result]]:
    results: dict[str, list[Result]] = {}
    for record in records:
        if record["gate"]:
            results.setdefault(record["nodeid"], []).append(result_of(record))
    return results


def annotation_lines(
    rows: Iterable[Mapping[str, Any]],
    results: Mapping[str, Sequence[Result]],
    rootpath: Path,
    repository: Path,
    failures: Sequence[str] = (),
) -> list[str]:
    """Return a line for each test that demonstrates nothing, in the form of GitHub Actions.

    Args:
        rows: The outcome of each test.
        results: Test -> the results of its checks.
        rootpath: That of pytest, which the names of tests begin at.
        repository: Folder of the checkout, which names of files are to begin at.
        failures: Why the session fails beyond its tests.
    """
    lines = []
    for row in sorted(rows, key=lambda row: _ORDER.index(row["outcome"])):
        if row["outcome"] == Verdict.ROBUST and not row["hidden"]:
            continue
        harmless = row["outcome"] == NOTHING and row["status"] in _HARMLESS
        name = row["nodeid"].partition("::")[0]
        path = rootpath / name
        file = path.relative_to(repository).as_posix() if path.is_relative_to(repository) else name
        location = {"file": file, "line": str(line_of(path, row["nodeid"])), "title": f"ganvalid: {row['outcome']}"}
        properties = ",".join(
            f"{key}={_escaped(value, _ESCAPED | _ESCAPED_PROPERTIES)}" for key, value in location.items()
        )
        message = _escaped(_message(row, results.get(row["nodeid"], ())), _ESCAPED)
        lines.append(f"::{'warning' if harmless else 'error'} {properties}::{message}")
    return lines + [f"::error title=ganvalid::{_escaped(failure, _ESCAPED)}" for failure in failures]


def line_of(path: Path, nodeid: str) -> int:
    """Return the line that a test begins at, decorators included; 1 if that is not known."""
    names = [name.partition("[")[0] for name in nodeid.partition("[")[0].split("::")[1:]]
    try:
        body: Sequence[ast.AST] = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return 1
    line = 1
    for name in names:
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        node = next((node for node in body if isinstance(node, kinds) and node.name == name), None)
        if node is None:
            return line
        line, body = min(part.lineno for part in (node, *node.decorator_list)), node.body
    return line


def _message(row: Mapping[str, Any], results: Sequence[Result]) -> str:
    """Say in a few lines which observables decide, for which reasons, and what to do next."""
    lines = [row["nodeid"] + (f": {row['reason']}" if row["reason"] else "")]
    for result in results:
        report = as_report(result)
        failing = {name: c for name, c in report.comparisons.items() if not c.robust}
        lines += [f"{name} {_in_short(c)}" for name, c in failing.items()]
        lines += [step] if (step := next_line(report)) and step not in lines else []
    return "\n".join(map(printable, lines))


def _in_short(c: Comparison | EstimateComparison) -> str:
    reason = c.reasons[0] if c.reasons else "no reason given"
    return f"{c.verdict}: supports {at_most(c.n_supported)} of n_required {count(c.n_required)}; {reason}"


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)


def summary(
    rows: Iterable[Mapping[str, Any]], results: Mapping[str, Sequence[Result]], failures: Sequence[str] = ()
) -> str:
    """Return the results of a run in Markdown: a table of the tests, and of each the observables.

    Args:
        rows: The outcome of each test.
        results: Test -> the results of its checks.
        failures: Why the session fails beyond its tests.
    """
    rows = sorted(rows, key=lambda row: _ORDER.index(row["outcome"]))
    robust = sum(row["outcome"] == Verdict.ROBUST for row in rows)
    lines = [f"## ganvalid: {robust} of {len(rows)} demonstrated", ""]
    lines += [f"- {_markdown(failure)}" for failure in failures] + [""] * bool(failures)
    lines += ["| outcome | test | observable | verdict | n_required | supported | a perfect generator gets |"]
    lines += ["|---|---|---|---|---:|---:|---:|"]
    size = 0
    for row in rows:
        table = _table(row, results.get(row["nodeid"], ()))
        size += sum(len(line.encode()) + 1 for line in table)
        if size > _MAX_BYTES:
            lines.append("\nThe summary is cut here; the rest is in the report.")
            break
        lines += table
    return "\n".join(lines) + "\n\n"


def _table(row: Mapping[str, Any], results: Sequence[Result]) -> list[str]:
    head = [f"**{row['outcome']}**", _markdown(row["nodeid"])]
    lines = []
    for result in results:
        report = as_report(result)
        for name, c in sorted(report.comparisons.items(), key=lambda item: _ORDER.index(item[1].verdict)):
            numbers = [count(c.n_required), at_most(c.n_supported), _expected(c)]
            lines.append([*head, _markdown(name), str(c.verdict), *numbers])
            head = ["", ""]
    if not lines:
        lines.append([*head, _markdown(row["reason"]), "", "", "", ""])
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _expected(c: Comparison | EstimateComparison) -> str:
    if not isinstance(c, Comparison):
        return ""
    return f"{at_most(c.expected_n_supported.lower)} to {at_most(c.expected_n_supported.upper)}"


def _markdown(text: str) -> str:
    return printable(text).translate(_MARKDOWN)

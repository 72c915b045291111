"""Results in the JSON texts that checks write: of one comparison, of a report, of a whole session."""

from __future__ import annotations

import json
from typing import Any

from pytest_ganvalid import _json
from pytest_ganvalid.errors import InputError, absence, placed, suggestion
from pytest_ganvalid.report.document import KINDS, Session, of_last_run
from pytest_ganvalid.report.text import Result
from pytest_ganvalid.results import Comparison, Judgement, Report

SESSION = Session.KIND
"""Kind of the text that a test run writes."""


def kind_of(text: str | bytes) -> object:
    """Return the kind that a JSON text states; ``None`` if it states none.

    Raises:
        InputError: If the text is not JSON.
    """
    return _document(text).get("kind")


def results_in(text: str | bytes) -> dict[str, Result]:
    """Read all results of a JSON text.

    Args:
        text: What `Report.to_json` or `Comparison.to_json` wrote, or ``report.json`` of a test run.

    Returns:
        Name of the test -> the result of its check; of several checks that of each, the second as "test, check 2". Of
        a single result, its name is empty. Comparisons that decide nothing, and results of earlier runs, are left
        out.

    Raises:
        InputError: If the text is something else, or holds an impossible value.
    """
    document = _document(text)
    if document.get("kind") != SESSION:
        return {"": _result(document.get("kind"), text)}
    return {name: _result_of(check) for name, check in _last_checks(document).items()}


def result_in(text: str | bytes, test: str | None = None) -> Result:
    """Read one result of a JSON text.

    Args:
        text: As `results_in` takes it.
        test: Which of a session, by its name in `results_in`, or the name of a test without a check, of which the last
            comparison is returned; ``None`` for the only one.

    Raises:
        InputError: If the text is something else, has no such test, or has several and none was named.
    """
    document = _document(text)
    if document.get("kind") != SESSION:
        return _result(document.get("kind"), text)
    gated = {check["nodeid"] for check in _checks(document) if check.get("gate") is not False}
    looks = {check["nodeid"]: check for check in _checks(document) if check["nodeid"] not in gated}
    checks = _last_checks(document)
    checks = checks if checks and test is None else checks | looks
    if test is None and len(checks) == 1:
        test = next(iter(checks))
    if test not in checks:
        subject = f"no check of {test!r}" if test is not None else f"{len(checks)} checks"
        subject += suggestion(test, checks) if test is not None else ""
        msg = f"{subject} in this report of a session; name one with --check: {', '.join(checks) or 'there is none'}"
        raise InputError(msg)
    return _result_of(checks[test])


def comparison_in(result: Report | Judgement, observable: str | None = None) -> Comparison:
    """Return the comparison of a histogram in a result.

    Args:
        result: A report, or the comparison itself.
        observable: Which of a report; ``None`` for the only one.

    Raises:
        InputError: If the result has no such histogram, or has several and none was named.
    """
    histograms = result.histograms if isinstance(result, Report) else {result.name: result}
    histograms = {name: c for name, c in histograms.items() if isinstance(c, Comparison)}
    if observable is None and len(histograms) == 1:
        observable = next(iter(histograms))
    comparison = histograms.get(observable or "")
    if not isinstance(comparison, Comparison):
        if observable is not None and histograms:
            raise InputError(absence("histogram", observable, histograms))
        choice = f"several histograms: name one by observable=, one of {', '.join(map(repr, histograms))}"
        raise InputError(choice if histograms else "there is no histogram: all observables are numbers")
    return comparison


def _document(text: str | bytes) -> dict[str, Any]:
    document = _json.parsed(text).value
    return document if isinstance(document, dict) else {}


def _last_checks(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the gating checks of the last run of each test, which its row counts, by name; all if it has no row."""
    checks: dict[str, list[dict[str, Any]]] = {}
    for check in (check for check in _checks(document) if check.get("gate") is not False):
        checks.setdefault(check["nodeid"], []).append(check)
    rows = document.get("rows")
    for row in rows if isinstance(rows, list) else []:
        nodeid, states = (row.get(name) for name in ("nodeid", "checks")) if isinstance(row, dict) else (None, None)
        if nodeid in checks and isinstance(states, list):
            checks[nodeid] = list(of_last_run(checks[nodeid], states))
    return {
        f"{nodeid}, check {number}" if number > 1 else nodeid: check
        for nodeid, gating in checks.items()
        for number, check in enumerate(gating, 1)
    }


def _checks(document: dict[str, Any]) -> list[dict[str, Any]]:
    checks = document.get("checks")
    checks = checks if isinstance(checks, list) else []
    return [check for check in checks if isinstance(check, dict) and isinstance(check.get("nodeid"), str)]


def _result_of(check: dict[str, Any]) -> Result:
    with placed(check["nodeid"]):
        return _result(check.get("kind"), json.dumps(check.get("result")))


def _result(kind: object, text: str | bytes) -> Result:
    if not isinstance(kind, str) or kind not in KINDS:
        msg = f"JSON of kind {kind!r}; expected a report, a comparison, a session or a figure"
        raise InputError(msg)
    result: Result = KINDS[kind].from_json(text)
    return result

"""The results of a whole test run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.report import text
from pytest_ganvalid.results import Comparison, EstimateComparison, Report

if TYPE_CHECKING:
    import pytest

_KINDS: dict[str, type[text.Result]] = {kind.KIND: kind for kind in (Report, Comparison, EstimateComparison)}


def result_of(record: Mapping[str, Any]) -> text.Result:
    """Restore the result that a test recorded."""
    return _KINDS[record["kind"]].from_json(record["result"])


def write_summary(terminal: pytest.TerminalReporter, records: Iterable[Mapping[str, Any]]) -> None:
    """Write a line per check; looking without failing is told apart."""
    terminal.section("ganvalid")
    for record in records:
        line = text.summary(record["nodeid"], result_of(record))
        terminal.line(line if record["gate"] else f"{line} - looked at, not gated")

"""The outcome of a session: a row for each marked test, whether or not it ran, and the exit status.

A check is written into a `Journal` when it begins and again when it ends, so that none is lost that broke off, failed
in a thread that outlives its test, in a forked process, or where the failure was swallowed. What pytest reports of the
tests, and what was collected and not run, meets it in `Session`. With pytest-xdist the workers send theirs to the
controller: with the reports of tests, and once more when they end. Standard library and pytest only.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from pytest_ganvalid._options import MARKER

if TYPE_CHECKING:
    from pytest_ganvalid._options import Settings

DEMONSTRATED = "ROBUST"
NOTHING = "no demonstration"
_VERDICTS = ("BIASED", "UNPROVEN", DEMONSTRATED)  # the worst first
_BEGUN, _BARE, _BROKE_OFF = "begun", "bare", "broke off"
_SETTLED = ("failed", "error", "xfailed")  # pytest itself does not call these a success
_MAX_LENGTH = 200  # characters of an explanation
_NOT_RUN, _DESELECTED, _RERUN = "not run", "deselected", "rerun"


class Journal:
    """The checks of this process, and of those that it forks, as they begin and end."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self._entries: list[dict[str, Any]] = []
        self._sent = 0
        self._numbers = itertools.count()
        self._process = os.getpid()
        self._file: IO[bytes] | None = None
        self._read = 0

    @property
    def is_owner(self) -> bool:
        """Whether this process made the journal, and was not forked from the one that did."""
        return os.getpid() == self._process

    def open(self) -> None:
        """Open a temporary file without a name for the entries of forked processes, which have no other way back."""
        if self._file is None and hasattr(os, "fork"):
            import tempfile

            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it

    def close(self) -> None:
        """Close the file for the entries of forked processes."""
        self.entries()
        if self._file is not None:
            self._file.close()
            self._file = None

    def token(self) -> str:
        """Return a name that no other check has, of whatever process."""
        return f"{os.getpid()}-{next(self._numbers)}-{os.urandom(4).hex()}"

    def add(self, **entry: Any) -> None:  # noqa: ANN401 - of JSON types
        """Write an entry."""
        self._entries.append(entry)
        if self._file is not None and not self.is_owner:
            self._file.write(json.dumps(entry).encode() + b"\n")

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries, those of forked processes as well."""
        if self._file is not None and self.is_owner:
            text = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size - self._read, self._read)
            complete = text[: text.rfind(b"\n") + 1]
            self._read += len(complete)
            self._entries += map(json.loads, complete.splitlines())
        return self._entries

    def unsent(self) -> list[dict[str, Any]]:
        """Return the entries that have not been returned here yet."""
        entries = self.entries()
        new, self._sent = entries[self._sent :], len(entries)
        return new

    def states(self, gate: str) -> dict[str, str]:
        """Return the states of the checks of a gate: a verdict, or that a check has begun and not ended."""
        return {
            entry["id"]: entry["state"]
            for entry in self.entries()
            if entry["gate"] == gate and entry["state"] in (_BEGUN, *_VERDICTS)
        }

    def records(self) -> list[dict[str, Any]]:
        """Return the results of checks and looks, each once."""
        return list({entry["id"]: entry["record"] for entry in self.entries() if "record" in entry}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The outcome of a test that is marked, or has made a check.

    Attributes:
        nodeid: The test; of tests that could not be collected, their module.
        outcome: ROBUST, BIASED, UNPROVEN or *no demonstration*.
        reason: Why there is no demonstration: passed without a check, failed, error, skipped, xfailed, deselected, not
            run, or why the module was not collected; empty for a verdict.
        status: What pytest reports of the test: passed, failed, error, skipped, xfailed, deselected or not run.
        checks: Outcomes of the checks of its last run: verdicts, or "broke off".
        runs: How often it ran.
        earlier: Outcomes of the checks of its earlier runs.
        explanation: The user's reason for skipping it or expecting its failure; empty if there is none.
    """

    nodeid: str
    outcome: str
    reason: str
    status: str
    checks: tuple[str, ...] = ()
    runs: int = 1
    earlier: tuple[str, ...] = ()
    explanation: str = ""

    @property
    def hidden(self) -> bool:
        """Whether a check was not ROBUST, and pytest does not say so."""
        return self.status not in _SETTLED and any(check != DEMONSTRATED for check in self.checks)

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {**asdict(self), "checks": list(self.checks), "earlier": list(self.earlier), "hidden": self.hidden}


def row(
    nodeid: str, status: str, runs: Mapping[int, Iterable[str]], *, bare: bool = False, explanation: str = ""
) -> Row:
    """Judge a test.

    Args:
        nodeid: The test.
        status: What pytest reports of it.
        runs: Number of a run -> outcomes of its checks.
        bare: Whether its last run failed as it had made no check.
        explanation: See `Row`; it is of use only where pytest reports that the test was skipped or failed as expected.
    """
    last = max(runs, default=1)
    checks = tuple(runs.get(last, ()))
    worst = next((verdict for verdict in (*_VERDICTS[:2], _BROKE_OFF, DEMONSTRATED) if verdict in checks), "")
    outcome, reason = NOTHING, status
    if status == _RERUN:
        reason = status = _NOT_RUN
    if worst in _VERDICTS[:2] and status != "xfailed":
        outcome, reason = worst, ""
    elif worst == _BROKE_OFF and status not in _SETTLED:
        reason = "a check broke off, or had not ended when the session did"
    elif worst == DEMONSTRATED and status == "passed":
        outcome, reason = DEMONSTRATED, ""
    elif not checks and (status == "passed" or (bare and status == "failed")):
        reason = "passed without a check"
    earlier = tuple(check for run, outcomes in runs.items() if run != last for check in outcomes)
    return Row(
        nodeid=nodeid,
        outcome=outcome,
        reason=reason,
        status=status,
        checks=checks,
        runs=last,
        earlier=earlier,
        explanation=explanation if reason in ("skipped", "xfailed") else "",
    )


def explanation_in(report: Any) -> str:  # noqa: ANN401 - plugins make reports of their own
    """Return the words that a test was skipped or expected to fail with, on one line."""
    longrepr = getattr(report, "longrepr", None)
    words = getattr(report, "wasxfail", longrepr[2] if isinstance(longrepr, tuple | list) and len(longrepr) > 2 else "")  # noqa: PLR2004
    line = " ".join(str(words).removeprefix("Skipped: ").removeprefix("reason: ").split())
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 1]}…"


def status_after(status: str, report: Any) -> str:  # noqa: ANN401 - plugins make reports of their own
    """Return what pytest says of a test once it has reported one more phase of it."""
    if hasattr(report, "context"):  # of a subtest, whose failure stays while the test goes on
        return "failed" if report.outcome == "failed" else status
    if report.when == "setup":
        status = _NOT_RUN
    if report.outcome == _RERUN:
        return _RERUN
    if status in ("failed", "error"):
        return status
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if report.outcome == "skipped":
        return "xfailed" if hasattr(report, "wasxfail") else "skipped"
    return "passed" if report.outcome == "passed" and report.when == "call" else status


class Session:
    """The state of the marked tests of a session, in this process or, with xdist, in the controller's."""

    def __init__(self, settings: Settings, config: pytest.Config) -> None:
        """Start with no test."""
        self.journal = Journal()
        self.failures: list[str] = []
        self.lines: list[str] = []
        self._settings = settings
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._fates: dict[str, str] = {}  # of marked tests, unless they report something
        self._statuses: dict[tuple[str, str], str] = {}  # of all tests, on each worker
        self._explanations: dict[str, str] = {}
        self._uncollected: dict[str, str] = {}
        self._with_items: set[str] = set()
        self._entries: dict[tuple[str, str], dict[str, Any]] = {}
        self._fates_sent = False
        self._failing: pytest.Session | None = None

    # Collection.

    def collected(self, item: pytest.Item) -> None:
        """Record a test before a plugin can remove it."""
        self._with_items.add(item.nodeid.partition("::")[0])
        if item.get_closest_marker(MARKER):
            self._fates.setdefault(item.nodeid, _NOT_RUN)
            self.journal.open()

    def dropped(self, nodes: Iterable[Any]) -> None:
        """Record tests that a plugin removed from their module."""
        for node in nodes:
            self._with_items.add(node.nodeid.partition("::")[0])
            if isinstance(node, pytest.Item) and node.get_closest_marker(MARKER):
                self._fates[node.nodeid] = _DESELECTED

    def selected(self, items: Iterable[pytest.Item]) -> None:
        """Record which tests are to run, and which are not."""
        chosen = {item.nodeid: item for item in items}
        for item in chosen.values():
            if item.get_closest_marker(MARKER):
                self._fates.setdefault(item.nodeid, _NOT_RUN)
                self.journal.open()
        self._fates.update(dict.fromkeys(self._fates.keys() - chosen.keys(), _DESELECTED))

    def not_collected(self, report: pytest.CollectReport) -> None:
        """Record a module that was skipped, broke, or has no test."""
        words = {"skipped": "skipped at collection", "failed": "error at collection"}
        self._uncollected[report.nodeid] = words.get(report.outcome, "nothing was collected")

    def _modules(self) -> dict[str, str]:
        """Return the modules that have the marker and whose tests were not collected."""
        modules = {}
        root = self._config.rootpath
        for nodeid, reason in self._uncollected.items():
            path = root / nodeid.partition("::")[0]
            inside = [] if reason.startswith("nothing") else sorted(path.rglob("*.py"))
            for module in inside if path.is_dir() else [path]:
                name = module.relative_to(root).as_posix() if module.is_relative_to(root) else str(module)
                if name not in self._with_items and names_marker(module):
                    modules[name] = reason
        return modules

    # Running tests.

    def attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Attach new entries to a report, with which they cross processes."""
        if item.get_closest_marker(MARKER) and item.nodeid not in self._fates:
            self._fates[item.nodeid] = _NOT_RUN  # it was marked while it ran
        entries = self.journal.unsent()
        if self._worker and not self._fates_sent and self._fates:
            setattr(report, MARKER, {"entries": entries, "fates": self._fates, "modules": self._modules()})
            self._fates_sent = True
        elif entries or not self.journal.is_owner:
            fates = {item.nodeid: self._fates[item.nodeid]} if item.nodeid in self._fates else {}
            setattr(report, MARKER, {"entries": entries, "fates": fates, "modules": {}})

    def reported(self, report: pytest.TestReport) -> None:
        """Record what pytest reports of a test, and the entries attached to the report."""
        key = report.nodeid, str(getattr(report, "worker_id", ""))
        self._statuses[key] = status_after(self._statuses.get(key, _NOT_RUN), report)
        if report.outcome == "skipped" and not hasattr(report, "context"):
            self._explanations[report.nodeid] = explanation_in(report)
        self.absorb(getattr(report, MARKER, {}))

    def absorb(self, sent: Mapping[str, Any]) -> None:
        """Record the state that another process has sent."""
        for nodeid, fate in sent.get("fates", {}).items():
            self._fates.setdefault(nodeid, fate)
        for nodeid, reason in sent.get("modules", {}).items():
            self._fates.setdefault(nodeid, reason)
        for entry in sent.get("entries", ()):
            self._note(entry)

    def _note(self, entry: dict[str, Any]) -> None:
        key = entry["id"], "begun" if entry["state"] == _BEGUN else "ended"
        if "record" in entry or key not in self._entries:
            self._entries[key] = entry

    def snapshot(self) -> dict[str, Any]:
        """Return the state of a worker; results that were sent already come without their numbers."""
        new = {id(entry) for entry in self.journal.unsent()}
        entries = [
            entry if id(entry) in new else {name: value for name, value in entry.items() if name != "record"}
            for entry in self.journal.entries()
        ]
        return {"entries": entries, "fates": self._fates, "modules": self._modules()}

    # The outcome.

    def records(self) -> list[dict[str, Any]]:
        """Return the results of checks and looks."""
        self._gather()
        return [entry["record"] for entry in self._entries.values() if "record" in entry]

    def rows(self) -> list[Row]:
        """Return a row for each test that is marked, or has made a check."""
        self._gather()
        fates = {**self._fates, **self._modules()}
        runs: dict[str, dict[int, dict[str, str]]] = {nodeid: {} for nodeid in fates}
        bare: dict[str, set[int]] = {}
        for entry in self._entries.values():
            nodeid, run, state = entry["nodeid"], entry["run"], entry["state"]
            if state == _BARE:
                bare.setdefault(nodeid, set()).add(run)
                runs.setdefault(nodeid, {}).setdefault(run, {})
            elif state == _BEGUN:
                runs.setdefault(nodeid, {}).setdefault(run, {}).setdefault(entry["id"], _BROKE_OFF)
            elif state in _VERDICTS:
                runs.setdefault(nodeid, {}).setdefault(run, {})[entry["id"]] = state
        statuses = self._worst_statuses()
        return [
            row(
                nodeid,
                statuses.get(nodeid, fates.get(nodeid, _NOT_RUN)),
                {run: tuple(states.values()) for run, states in sorted(test_runs.items())},
                bare=max(test_runs, default=1) in bare.get(nodeid, ()),
                explanation=self._explanations.get(nodeid, ""),
            )
            for nodeid, test_runs in runs.items()
        ]

    def _gather(self) -> None:
        for entry in self.journal.entries():
            self._note(entry)

    def _worst_statuses(self) -> dict[str, str]:
        """Return the status of each test that has reported anything; of one on several workers the worst."""
        order = ("error", "failed", _RERUN, _NOT_RUN, "skipped", "xfailed", "passed")
        statuses: dict[str, str] = {}
        for (nodeid, _), status in self._statuses.items():
            statuses[nodeid] = min(status, statuses.get(nodeid, "passed"), key=order.index)
        return statuses

    @property
    def concerned(self) -> bool:
        """Whether there is anything to say."""
        requested = self._settings.report or self._settings.strict or self._settings.require
        return bool(requested or self._fates or self._entries or self.journal.entries() or self._modules())

    def begin(self) -> None:
        """Take the report of an earlier session away, and say that this one has not ended."""
        self._write([], "the session has not ended")

    def ready(self) -> None:
        """Say in the report which tests are to run, should nobody be left to say it later."""
        if not self._worker and self._fates:
            self._write(self.rows(), "the session has not ended")

    def _write(self, rows: list[Row], reason: str) -> None:
        if self._settings.report and not self._worker:
            from pytest_ganvalid.report import files

            try:
                files.begin(self._directory(), [test.plain() for test in rows], reason)
            except OSError:
                return  # it is told at the end, where the report cannot be written either

    def _directory(self) -> str:
        """Return where the report is, wherever a test has left us."""
        return str(self._config.invocation_params.dir / str(self._settings.report))

    def finish(self, session: pytest.Session) -> None:
        """Judge the session, let it fail if it must, and write the report; workers leave it to their controller."""
        if not self.journal.is_owner:
            return
        if self._worker:
            self._config.workeroutput[MARKER] = self.snapshot()  # type: ignore[attr-defined]
            return
        if not self.concerned:
            return
        rows = self.rows()
        self.failures = failures(rows, self._settings)
        self._failing = session if self.failures else None
        self._uphold()
        if self._settings.report:
            self._report(session, rows)

    def _report(self, session: pytest.Session, rows: list[Row]) -> None:
        from pytest_ganvalid.report import files
        from pytest_ganvalid.report.runs import run_of

        words = ["pytest", *map(str, self._config.invocation_params.args)]
        outcome = {"finished": True, "exit_status": int(session.exitstatus), "failures": self.failures}
        try:
            lines = files.write_report(
                self._directory(),
                self.records(),
                rows=[test.plain() for test in rows],
                outcome=outcome,
                plots=self._settings.plots,
                run=run_of(words, self._config.rootpath),
            )
            folder = f"{self._config.invocation_params.dir}{os.sep}"
            self.lines = [line.replace(folder, "") for line in lines]
        except OSError as error:
            self.lines = [f"the report was not written: {error}"]
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR

    def end(self) -> None:
        """Leave nothing open, and let the session fail if it must, whatever a plugin has said since."""
        self.journal.close()
        self._uphold()

    def _uphold(self) -> None:
        """Let a session that fails do so where pytest, or a plugin after us, would call it a success."""
        if self._failing is not None and self._failing.exitstatus == pytest.ExitCode.OK:
            self._failing.exitstatus = pytest.ExitCode.TESTS_FAILED

    def tell(self, terminal: pytest.TerminalReporter) -> None:
        """Write a line for each row, where the report is, why the session fails, and how many there are of each."""
        from pytest_ganvalid.report import session

        rows = [test.plain() for test in self.rows()]
        messages = [*self.lines, *self.failures]
        session.write_summary(terminal, rows, self.records(), messages, self._config.getoption("verbose"))


def failures(rows: Iterable[Row], settings: Settings) -> list[str]:
    """Say why a session fails, whatever pytest says of its tests."""
    rows = list(rows)
    hidden = [f"{test.nodeid} ({test.status})" for test in rows if test.hidden]
    nothing = sum(test.outcome == NOTHING for test in rows)
    demonstrated = sum(test.outcome == DEMONSTRATED for test in rows)
    words = []
    if hidden:
        words.append(
            "the session fails: a check was not ROBUST, and its test does not fail (an except or suppress clause, a "
            f"thread, another process, a hook?): {', '.join(hidden)}"
        )
    if settings.strict and nothing:
        words.append(f"the session fails by --ganvalid-strict: {nothing} without a demonstration")
    if settings.require is not None and demonstrated < settings.require:
        words.append(f"the session fails by --ganvalid-require={settings.require}: {demonstrated} demonstrated")
    return words


def names_marker(path: Path) -> bool:
    """Tell whether a module states the marker, without running it; a text in quotes does not count."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    if path.suffix != ".py" or MARKER.encode() not in text:
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return f"mark.{MARKER}".encode() in text
    return any(_is_marker(node) for node in ast.walk(tree))


def _is_marker(node: ast.AST) -> bool:
    """Tell whether a part of a program is ``mark.ganvalid``, or that of a module."""
    if not isinstance(node, ast.Attribute) or node.attr != MARKER:
        return False
    owner = node.value
    return (isinstance(owner, ast.Attribute) and owner.attr == "mark") or (
        isinstance(owner, ast.Name) and owner.id == "mark"
    )

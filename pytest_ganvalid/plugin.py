"""The pytest plugin: options, marker, fixture, hooks.

Loaded at every start of pytest wherever the package is installed, so this module imports the standard
library and pytest only, and every hook is a gate and one call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ganvalid import _options
from pytest_ganvalid._options import MARKER

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_ganvalid.gate import Gate
    from pytest_ganvalid.ledger import Ledger

_SETTINGS = pytest.StashKey[_options.Settings]()
_COLLECTOR = pytest.StashKey["_Collector"]()
_GATE = pytest.StashKey["Gate"]()
_LEDGER = pytest.StashKey["Ledger"]()
_WRITTEN = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    _options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, read the settings, and listen for results."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(n_required=..., n_train=..., observables=[...], ...): the test passes only if a generated sample is "
        "shown to be as good as n_required true events",
    )
    config.stash[_SETTINGS] = _options.read_settings(config)
    config.stash[_COLLECTOR] = collector = _Collector()
    config.pluginmanager.register(collector, "ganvalid-collector")


class _Collector:
    """Gathers the records of all tests; with xdist those of all workers, as they travel with the test reports."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the records from a finished test."""
        self.records += getattr(report, MARKER, ())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse markers that make no sense before any selected test runs; xdist's workers leave that to set-up."""
    marked = [item for item in items if item.get_closest_marker(MARKER)]
    if marked and not hasattr(config, "workerinput"):
        _check_markers(marked, config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start afresh, as a test may run again; refuse what a worker of xdist could not refuse at collection."""
    if _GATE in item.stash:
        del item.stash[_GATE]
    message = ""
    if hasattr(item.config, "workerinput") and item.get_closest_marker(MARKER):
        try:
            _check_markers([item], item.config)
        except pytest.UsageError as error:
            message = str(error)
    if message:  # out of the except clause, or the traceback would tell it twice
        pytest.fail(message, pytrace=False)


def _check_markers(marked: list[pytest.Item], config: pytest.Config) -> None:
    from pytest_ganvalid import _markers

    _markers.check(marked, config.stash[_SETTINGS])


@pytest.fixture
def ganvalid(request: pytest.FixtureRequest) -> Gate:
    """Return the gate: ``check`` fails the test unless the generated sample is shown to be ROBUST."""
    return _gate(request.node)


def _gate(item: pytest.Item) -> Gate:
    from pytest_ganvalid.gate import Gate

    if _GATE not in item.stash:
        item.stash[_GATE] = Gate(item, item.config.stash[_SETTINGS], _ledger(item.config))
    return item.stash[_GATE]


def _ledger(config: pytest.Config) -> Ledger:
    """Return the ledger of the session: without a file, it counts a test that runs again."""
    from pytest_ganvalid.ledger import Ledger

    if _LEDGER not in config.stash:
        config.stash[_LEDGER] = Ledger(config.stash[_SETTINGS].ledger)
    return config.stash[_LEDGER]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Fail a marked test that ends without a passed check, or by a skip after a failed one."""
    outcome = yield
    error = outcome.excinfo[1] if outcome.excinfo else None
    skipped = isinstance(error, pytest.skip.Exception | pytest.xfail.Exception)
    if item.get_closest_marker(MARKER) and (error is None or skipped):
        gate = _gate(item)
        require = gate.refuse_lost_failures if skipped else gate.require_demonstration
        try:
            require()
        except pytest.fail.Exception as failure:
            _force(outcome, failure)


def _force(outcome: Any, failure: BaseException) -> None:  # noqa: ANN401 - pluggy does not export its type
    if hasattr(outcome, "force_exception"):
        outcome.force_exception(failure)
    else:  # pluggy before 1.1
        outcome._result, outcome._excinfo = None, (type(failure), failure, failure.__traceback__)  # noqa: SLF001


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Let the records travel with the report of the phase that made them, across processes too."""
    outcome = yield
    if _GATE in item.stash:
        setattr(outcome.get_result(), MARKER, item.stash[_GATE].publish())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell the checks that were made, a line each, and where the report is."""
    records = config.stash[_COLLECTOR].records
    if records:
        from pytest_ganvalid.report import session

        session.write_summary(terminalreporter, records)
    for line in config.stash.get(_WRITTEN, ()):
        terminalreporter.write_line(f"ganvalid: {line}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report, once: workers of xdist leave it to their controller."""
    settings, records = session.config.stash[_SETTINGS], session.config.stash[_COLLECTOR].records
    # A run without a check leaves the report of an earlier one alone.
    if settings.report and records and not hasattr(session.config, "workerinput"):
        from pytest_ganvalid.report import files

        directory = str(session.config.invocation_params.dir / settings.report)  # wherever a test has left us
        try:
            lines = files.write_report(directory, records, plots=settings.plots)
        except OSError as error:
            lines = [f"the report was not written: {error}"]
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR
        session.config.stash[_WRITTEN] = lines  # the terminal summary comes after this hook

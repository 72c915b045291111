"""The pytest plugin: options, marker, fixture, hooks.

Loaded at every start of pytest wherever the package is installed, so this module imports the standard
library and pytest only, and every hook is a gate and one call.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ganvalid import _options
from pytest_ganvalid._options import MARKER
from pytest_ganvalid.session import Session

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_ganvalid.gate import Gate
    from pytest_ganvalid.ledger import Ledger

_SETTINGS = pytest.StashKey[_options.Settings]()
_SESSION = pytest.StashKey[Session]()
_GATE = pytest.StashKey["Gate"]()
_COLLECTED = pytest.StashKey[list[Any]]()
_RUNS = pytest.StashKey[int]()
_LEDGER = pytest.StashKey["Ledger"]()
_DETAILS = 2  # -vv


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
    config.stash[_SETTINGS] = settings = _options.read_settings(config)
    config.stash[_SESSION] = session = Session(settings, config)
    config.pluginmanager.register(_Listener(session), "ganvalid-listener")


class _Listener:
    """Forwards hooks that do not receive the configuration."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """Note the tests of a module that another plugin has removed, as ``--lf`` does."""
        outcome = yield
        if _COLLECTED in collector.stash and not outcome.excinfo:
            remaining = outcome.get_result().result
            self._session.dropped(node for node in collector.stash[_COLLECTED] if node not in remaining)
            del collector.stash[_COLLECTED]

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note a test before another plugin can remove it."""
        self._session.collected(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that was not collected."""
        if report.outcome != "passed" or not report.result:
            self._session.not_collected(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the report of a test; with xdist those of all workers."""
        self._session.reported(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of xdist, if that is installed
        """Note the state that a worker sends when it ends."""
        self._session.absorb((getattr(node, "workeroutput", None) or {}).get(MARKER, {}))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remove the report of an earlier session."""
    session.config.stash[_SESSION].begin()


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """Keep the tests of a module, for `_Listener`, before another plugin removes any."""
    outcome = yield
    if isinstance(collector, pytest.File) and not outcome.excinfo:
        collector.stash[_COLLECTED] = list(outcome.get_result().result)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, Any, None]:
    """Note what is deselected, and refuse markers that make no sense before any test runs; workers do so at set-up."""
    outcome = yield
    config.stash[_SESSION].selected(items)
    if not outcome.excinfo and not hasattr(config, "workerinput"):
        try:
            _check_markers(items, config)
        except pytest.UsageError as error:
            _force(outcome, error)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say in the report what is to run."""
    session.config.stash[_SESSION].ready()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start afresh, as a test may run again; refuse what a worker of xdist could not refuse at collection."""
    item.stash[_RUNS] = item.stash.get(_RUNS, 0) + 1
    if _GATE in item.stash:
        del item.stash[_GATE]
    message = ""
    if hasattr(item.config, "workerinput"):
        try:
            _check_markers([item], item.config)
        except pytest.UsageError as error:
            message = "\n".join(map(str, error.args))
    if message:  # out of the except clause, or the traceback would tell it twice
        pytest.fail(message, pytrace=False)


def _check_markers(items: list[pytest.Item], config: pytest.Config) -> None:
    marked = [item for item in items if next(item.iter_markers(), None)]  # a misspelt one is not named as it should be
    if marked:
        from pytest_ganvalid import _markers

        _markers.check(marked, config.stash[_SETTINGS])


@pytest.fixture
def ganvalid(request: pytest.FixtureRequest) -> Gate:
    """Return the gate: ``check`` fails the test unless the generated sample is shown to be ROBUST."""
    return _gate(request.node)


def _gate(item: pytest.Item) -> Gate:
    from pytest_ganvalid.gate import Gate

    if _GATE not in item.stash:
        config = item.config
        journal, run = config.stash[_SESSION].journal, item.stash.get(_RUNS, 1)
        journal.open()
        details = config.getoption("verbose", 0) >= _DETAILS  # without a terminal there is no such option
        item.stash[_GATE] = Gate(
            item, config.stash[_SETTINGS], _ledger(config), journal=journal, run=run, details=details
        )
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
    """Attach the outcomes of checks to the next report of this process, and to JUnit's files."""
    if _GATE in item.stash:
        item.stash[_GATE].describe(item.user_properties)
    outcome = yield
    if not outcome.excinfo:
        item.config.stash[_SESSION].attach(item, outcome.get_result())


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, None]:
    """Judge the session and write the report, after the last fixture is torn down and before the summary."""
    yield
    session.config.stash[_SESSION].finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the outcome of each marked test, and where the report is."""
    session = config.stash[_SESSION]
    if session.concerned:
        session.tell(terminalreporter)
        if "GITHUB_ACTIONS" in os.environ or "GITHUB_STEP_SUMMARY" in os.environ:
            from pytest_ganvalid.report import ci

            ci.publish(terminalreporter, [row.plain() for row in session.rows()], session.records(), session.failures)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the session fail if it must, whatever a plugin has said since."""
    if _SESSION in config.stash:
        config.stash[_SESSION].end()

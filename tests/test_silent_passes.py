"""Ways in which a marked test could pass in silence: in each the session is red, or says that nothing was shown."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HEADER = """
import asyncio, contextlib, multiprocessing, os, sys, threading, unittest
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_ganvalid as gv

GOOD, REFERENCE = gv.Counts([10_000, 10_100, 9_900]), gv.Counts([20_000, 20_100, 19_950])
BAD, FEW = gv.Counts([5_000, 15_000, 10_000]), gv.Counts([12, 10, 11])
SWALLOW = contextlib.suppress(BaseException)
marked = pytest.mark.ganvalid(n_required=1_000)
"""
CONFTEST = """
import pytest

LATE = []

def pytest_sessionfinish():
    for go, thread in LATE:
        go.set()
        thread.join()

@pytest.fixture
def late():
    return LATE
"""
"""Threads that outlive their test end before the session does."""


@dataclass(frozen=True)
class Way:
    """A way to pass in silence.

    Attributes:
        name: Of the way, and of the module ``test_<name>.py``.
        source: The module, below `HEADER`.
        outcome: That of its row.
        reason: Why nothing is demonstrated; empty for a verdict.
        status: What pytest says of the test.
        conftest: A conftest of its own.
        test: The name of its test; empty if the row is that of the module.
    """

    name: str
    source: str
    outcome: str
    status: str
    reason: str = ""
    conftest: str = ""
    test: str = "test"

    @property
    def nodeid(self) -> str:
        """The identifier of its row."""
        folder = f"{self.name}/" if self.conftest else ""
        return f"{folder}test_{self.name}.py" + (f"::{self.test}" if self.test else "")


def nothing(name: str, source: str, reason: str, status: str = "", **more: str) -> Way:
    """A way that ends without a demonstration, which pytest does or does not call a failure."""
    return Way(name, source, "no demonstration", status or reason, reason, **more)


def swallowed(name: str, source: str, status: str = "passed", **more: str) -> Way:
    """A way in which a BIASED check is swallowed, and pytest does not call the test a failure."""
    return Way(name, source, "BIASED", status, **more)


def in_marked(name: str, body: str) -> Way:
    """A way in which a BIASED check is swallowed in the body of a marked test, which fails at its end."""
    return Way(
        name, f"@marked\ndef test(ganvalid):\n{textwrap.indent(textwrap.dedent(body), '    ')}", "BIASED", "failed"
    )


def hook(name: str, conftest: str, outcome: str, status: str, reason: str = "") -> Way:
    """A way in which a conftest of the user's own changes what becomes of a BIASED test."""
    source = "@marked\ndef test(ganvalid):\n    ganvalid.check(BAD, REFERENCE)"
    return Way(name, source, outcome, status, reason, conftest=f"import pytest\n\nME = 'test_{name}.py'\n{conftest}")


MAKEREPORT = """
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    if outcome.get_result().failed:
        outcome.get_result().outcome = "{}"
        outcome.get_result().longrepr = ("here", 1, "not now")
"""
FORKED = """
pid = os.fork()
if not pid:
    try:
        ganvalid.check(BAD, REFERENCE)
    finally:
        os._exit(0)
os.waitpid(pid, 0)
"""
WAYS = [
    # The failure is swallowed in the test.
    in_marked("base_exception", "try:\n    ganvalid.check(BAD, REFERENCE)\nexcept BaseException:\n    pass"),
    in_marked("bare_except", "try:\n    ganvalid.check(BAD, REFERENCE)\nexcept:\n    pass"),
    in_marked("suppress", "with SWALLOW:\n    ganvalid.check(BAD, REFERENCE)"),
    in_marked("raises_failed", "with pytest.raises(pytest.fail.Exception):\n    ganvalid.check(BAD, REFERENCE)"),
    in_marked("finally_return", "try:\n    ganvalid.check(BAD, REFERENCE)\nfinally:\n    return"),
    in_marked("best_of_two", "with SWALLOW:\n    ganvalid.check(BAD, REFERENCE)\nganvalid.check(GOOD, REFERENCE)"),
    in_marked("future", "with ThreadPoolExecutor() as pool:\n    pool.submit(ganvalid.check, BAD, REFERENCE)"),
    in_marked("lazy_map", "with ThreadPoolExecutor() as pool:\n    pool.map(ganvalid.check, [BAD], [REFERENCE])"),
    in_marked(
        "gather",
        """
        async def check():
            ganvalid.check(BAD, REFERENCE)
        async def both():
            await asyncio.gather(check(), return_exceptions=True)
        asyncio.run(both())
        """,
    ),
    in_marked(
        "exit_of_a_context",
        """
        class Quiet:
            def __enter__(self): pass
            def __exit__(self, *error): return True
        with Quiet():
            ganvalid.check(BAD, REFERENCE)
        """,
    ),
    in_marked(
        "destructor",
        """
        class Dying:
            def __del__(self): ganvalid.check(BAD, REFERENCE)
        Dying()
        """,
    ),
    in_marked("forked", f"{FORKED}\nganvalid.check(GOOD, REFERENCE)"),
    Way(
        "unproven",
        "@marked\ndef test(ganvalid):\n    with SWALLOW: ganvalid.check(FEW, REFERENCE)",
        "UNPROVEN",
        "failed",
    ),
    nothing(
        "broke_off",
        "@marked\ndef test(ganvalid):\n    with SWALLOW: ganvalid.check(GOOD, GOOD, bins=5)\n"
        "    ganvalid.check(GOOD, REFERENCE)",
        "failed",
    ),
    nothing(
        "a_call_relaxes",
        "@marked\ndef test(ganvalid):\n    ganvalid.check(GOOD, REFERENCE, n_required=10)",
        "failed",
    ),
    # It is swallowed where the test does not see it.
    swallowed("unmarked", "def test(ganvalid):\n    with SWALLOW: ganvalid.check(BAD, REFERENCE, n_required=1_000)"),
    Way(
        "unmarked_unproven",
        "def test(ganvalid):\n    with SWALLOW: ganvalid.check(FEW, REFERENCE, n_required=1_000)",
        "UNPROVEN",
        "passed",
    ),
    nothing(
        "unmarked_broke_off",
        "def test(ganvalid):\n    with SWALLOW: ganvalid.check(GOOD, REFERENCE)",
        "a check broke off, or had not ended when the session did",
        "passed",
    ),
    swallowed(
        "unmarked_skip",
        "def test(ganvalid):\n    with SWALLOW: ganvalid.check(BAD, REFERENCE, n_required=1_000)\n"
        "    pytest.skip('no')",
        "skipped",
    ),
    swallowed(
        "set_up_and_skip",
        """
@pytest.fixture
def quiet(ganvalid):
    with SWALLOW: ganvalid.check(BAD, REFERENCE)
    pytest.skip("not today")

@marked
def test(quiet): pass
""",
        "skipped",
    ),
    Way(
        "set_up",
        """
@pytest.fixture
def quiet(ganvalid):
    with SWALLOW: ganvalid.check(BAD, REFERENCE)

@marked
def test(quiet): pass
""",
        "BIASED",
        "failed",
    ),
    swallowed(
        "tear_down",
        """
@pytest.fixture
def quiet(ganvalid):
    yield
    with SWALLOW: ganvalid.check(BAD, REFERENCE)

@marked
def test(quiet, ganvalid): ganvalid.check(GOOD, REFERENCE)
""",
    ),
    swallowed(
        "finalizer",
        """
def quietly(ganvalid):
    with SWALLOW: ganvalid.check(BAD, REFERENCE)

@marked
def test(request, ganvalid):
    ganvalid.check(GOOD, REFERENCE)
    request.addfinalizer(lambda: quietly(ganvalid))
""",
    ),
    *(
        swallowed(
            f"stored_for_the_{scope}",
            f"""
@pytest.fixture(scope="{scope}")
def gates():
    gates = []
    yield gates
    for gate in gates:
        with SWALLOW: gate.check(BAD, REFERENCE)

@marked
def test(gates, ganvalid):
    ganvalid.check(GOOD, REFERENCE)
    gates.append(ganvalid)
""",
        )
        for scope in ("module", "session")
    ),
    swallowed(
        "thread_that_outlives_its_test",
        """
def quietly(ganvalid, go):
    go.wait()
    with SWALLOW: ganvalid.check(BAD, REFERENCE, n_required=1_000)

def test(late, ganvalid):
    go = threading.Event()
    thread = threading.Thread(target=quietly, args=(ganvalid, go))
    thread.start()
    late.append((go, thread))
""",
    ),
    nothing(
        "thread_that_outlives_the_session",
        """
class Waiting(dict):
    def keys(self):
        STARTED.set()
        threading.Event().wait()
    __iter__ = __len__ = __getitem__ = items = keys

STARTED = threading.Event()

def test(ganvalid):
    checked = threading.Thread(
        target=lambda: ganvalid.check(Waiting(x=1), Waiting(x=1), n_required=10), daemon=True
    )
    checked.start()
    assert STARTED.wait(20)
""",
        "a check broke off, or had not ended when the session did",
        "passed",
    ),
    swallowed(
        "forked_unmarked",
        "def test(ganvalid):\n" + textwrap.indent(FORKED, "    ").replace("REFERENCE)", "REFERENCE, n_required=1_000)"),
    ),
    swallowed(
        "multiprocessing",
        """
def test(ganvalid):
    def quietly():
        with SWALLOW: ganvalid.check(BAD, REFERENCE, n_required=1_000)
    process = multiprocessing.get_context("fork").Process(target=quietly)
    process.start()
    process.join()
""",
    ),
    # Somebody changes what the package or pytest does.
    swallowed(
        "mocked_fail",
        """
@marked
def test(ganvalid, monkeypatch):
    monkeypatch.setattr(pytest, "fail", lambda *_, **__: None)
    ganvalid.check(BAD, REFERENCE)
""",
    ),
    swallowed(
        "mocked_robust",
        """
@marked
def test(ganvalid, monkeypatch):
    monkeypatch.setattr(gv.Report, "robust", True)
    with monkeypatch.context() as patch:
        patch.setattr(type(ganvalid), "require_demonstration", lambda _: None)
        ganvalid.check(BAD, REFERENCE)
    monkeypatch.setattr(type(ganvalid), "require_demonstration", lambda _: None)
""",
    ),
    nothing(
        "mocked_check",
        """
@marked
def test(ganvalid, monkeypatch):
    monkeypatch.setattr(type(ganvalid), "check", lambda *_: None)
    ganvalid.check(BAD, REFERENCE)
""",
        "passed without a check",
        "failed",
    ),
    nothing(
        "mocked_demand",
        """
@marked
def test(ganvalid, monkeypatch):
    monkeypatch.setattr(type(ganvalid), "require_demonstration", lambda _: None)
""",
        "passed without a check",
        "passed",
    ),
    nothing(
        "marker_taken_away_while_it_runs",
        "@marked\ndef test(request): request.node.own_markers.clear()",
        "passed without a check",
        "passed",
    ),
    nothing(
        "marked_while_it_runs",
        "def test(request): request.node.add_marker(marked)",
        "passed without a check",
        "failed",
    ),
    hook("report_turned_to_passed", MAKEREPORT.format("passed"), "BIASED", "passed"),
    hook("report_turned_to_skipped", MAKEREPORT.format("skipped"), "BIASED", "skipped"),
    hook(
        "report_turned_when_logged",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if ME in report.nodeid:
        report.outcome = "passed"
""",
        "BIASED",
        "passed",
    ),
    hook(
        "call_that_swallows",
        """
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call():
    outcome = yield
    outcome.force_result(None)
""",
        "BIASED",
        "passed",
    ),
    hook(
        "function_not_called",
        "def pytest_pyfunc_call(pyfuncitem): return True",
        "no demonstration",
        "failed",
        "passed without a check",
    ),
    hook(
        "protocol_not_run",
        "def pytest_runtest_protocol(item): return True if ME in item.nodeid else None",
        "no demonstration",
        "not run",
        "not run",
    ),
    hook(
        "items_taken_away",
        "def pytest_collection_modifyitems(items): items[:] = [item for item in items if ME not in item.nodeid]",
        "no demonstration",
        "deselected",
        "deselected",
    ),
    hook(
        "items_skipped",
        """
def pytest_collection_modifyitems(items):
    for item in items:
        if ME in item.nodeid:
            item.add_marker(pytest.mark.skip)
""",
        "no demonstration",
        "skipped",
        "skipped",
    ),
    hook(
        "items_expected_to_fail",
        """
def pytest_collection_modifyitems(items):
    for item in items:
        if ME in item.nodeid:
            item.add_marker(pytest.mark.xfail)
""",
        "no demonstration",
        "xfailed",
        "xfailed",
    ),
    nothing(
        "marker_taken_away_at_collection",
        "@marked\ndef test(): pass",
        "passed without a check",
        "passed",
        conftest="""
def pytest_collection_modifyitems(items):
    for item in items:
        if "taken_away_at_collection" in item.nodeid:
            item.own_markers.clear()
""",
    ),
    nothing(
        "marked_at_collection",
        "def test(): pass",
        "passed without a check",
        "failed",
        conftest="""
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if "marked_at_collection" in item.nodeid:
            item.add_marker(pytest.mark.ganvalid(n_required=10))
""",
    ),
    # Nothing is checked.
    nothing("no_check", "@marked\ndef test(ganvalid): pass", "passed without a check", "failed"),
    nothing("no_fixture", "@marked\ndef test(): pass", "passed without a check", "failed"),
    nothing(
        "only_a_look",
        "@marked\ndef test(ganvalid): ganvalid.compare(GOOD, REFERENCE)",
        "passed without a check",
        "failed",
    ),
    nothing("skip", "@marked\ndef test(ganvalid): pytest.skip('no data')", "skipped"),
    nothing(
        "skip_after_a_check",
        "@marked\ndef test(ganvalid):\n    ganvalid.check(GOOD, REFERENCE)\n    pytest.skip('enough')",
        "skipped",
    ),
    nothing("skip_mark", "@marked\n@pytest.mark.skip\ndef test(ganvalid): pass", "skipped"),
    nothing("skipif", "@marked\n@pytest.mark.skipif('True', reason='so')\ndef test(ganvalid): pass", "skipped"),
    nothing(
        "skip_by_fixture", "@pytest.fixture\ndef data(): pytest.skip('none')\n@marked\ndef test(data): pass", "skipped"
    ),
    nothing("importorskip", "@marked\ndef test(ganvalid): pytest.importorskip('no_such_package')", "skipped"),
    nothing(
        "no_parameters", "@marked\n@pytest.mark.parametrize('x', [])\ndef test(x): pass", "skipped", test="test[NOTSET]"
    ),
    nothing("xfail", "@marked\n@pytest.mark.xfail\ndef test(ganvalid): ganvalid.check(BAD, REFERENCE)", "xfailed"),
    nothing("xfail_without_a_check", "@marked\n@pytest.mark.xfail\ndef test(ganvalid): pass", "xfailed"),
    nothing("xfail_not_run", "@marked\n@pytest.mark.xfail(run=False)\ndef test(): pass", "xfailed"),
    nothing("xfail_called", "@marked\ndef test(): pytest.xfail('known')", "xfailed"),
    nothing(
        "assertion", "@marked\ndef test(ganvalid):\n    ganvalid.check(GOOD, REFERENCE)\n    assert False", "failed"
    ),
    nothing("own_error", "@marked\ndef test(ganvalid): raise RuntimeError('the reader broke')", "failed"),
    nothing("system_exit", "@marked\ndef test(ganvalid): sys.exit(0)", "failed"),
    nothing("set_up_error", "@pytest.fixture\ndef data(): 1 / 0\n@marked\ndef test(data): pass", "error"),
    nothing(
        "tear_down_error",
        """
@pytest.fixture
def data():
    yield
    1 / 0

@marked
def test(data, ganvalid): ganvalid.check(GOOD, REFERENCE)
""",
        "error",
    ),
    nothing("no_such_fixture", "@marked\ndef test(no_such_fixture): pass", "error"),
    nothing(
        "subtest_skipped",
        "@marked\ndef test(ganvalid, subtests):\n    with subtests.test(): pytest.skip('no')",
        "passed without a check",
        "failed",
    ),
    Way(
        "subtest_failed",
        "@marked\ndef test(ganvalid, subtests):\n    with subtests.test(): ganvalid.check(BAD, REFERENCE)",
        "BIASED",
        "failed",
    ),
    Way(
        "subtest_failed_unmarked",
        "def test(ganvalid, subtests):\n    with subtests.test(): ganvalid.check(BAD, REFERENCE, n_required=1_000)",
        "BIASED",
        "failed",
    ),
    *(
        nothing(name, source, status, test="Test::test")
        for name, source, status in (
            (
                "unittest_skip",
                "@marked\n@unittest.skip('no')\nclass Test(unittest.TestCase):\n    def test(self): pass",
                "skipped",
            ),
            (
                "unittest_skip_in_set_up",
                "@marked\nclass Test(unittest.TestCase):\n    def setUp(self): raise unittest.SkipTest\n"
                "    def test(self): pass",
                "skipped",
            ),
            (
                "unittest_skip_of_the_class",
                "@marked\nclass Test(unittest.TestCase):\n    @classmethod\n"
                "    def setUpClass(cls): raise unittest.SkipTest\n    def test(self): pass",
                "skipped",
            ),
            (
                "unittest_expected",
                "@marked\nclass Test(unittest.TestCase):\n    @unittest.expectedFailure\n"
                "    def test(self): self.fail()",
                "xfailed",
            ),
        )
    ),
    # It is not run, or not even collected.
    nothing("by_keyword", "@marked\ndef test(): pass", "deselected"),
    nothing("by_mark", "@marked\n@pytest.mark.slow\ndef test(): pass", "deselected"),
    nothing("by_name", "@marked\ndef test(): pass", "deselected"),
    *(
        nothing(
            f"module_{name}", f"{source}\n@marked\ndef test(): pass\npytestmark = pytest.mark.ganvalid", why, test=""
        )
        for name, source, why in (
            ("importorskip", "pytest.importorskip('no_such_package')", "skipped at collection"),
            ("skip", "pytest.skip('no', allow_module_level=True)", "skipped at collection"),
            ("skip_test", "raise unittest.SkipTest('no')", "skipped at collection"),
            ("import_error", "import no_such_package", "error at collection"),
            ("syntax_error", "def", "error at collection"),
        )
    ),
    nothing("misnamed", "@pytest.mark.ganvalid\ndef tset_it(): pass", "nothing was collected", test=""),
    nothing(
        "class_with_a_constructor",
        "@pytest.mark.ganvalid\nclass TestIt:\n    def __init__(self): pass\n    def test(self): pass",
        "nothing was collected",
        test="",
    ),
    nothing(
        "made_into_nothing",
        "@pytest.mark.ganvalid\ndef test(): pass",
        "nothing was collected",
        conftest="def pytest_pycollect_makeitem(): return []",
        test="",
    ),
]
if not any(map(importlib.util.find_spec, ("_pytest.subtests", "pytest_subtests"))):  # of pytest 9, or a plugin before
    WAYS = [way for way in WAYS if "subtests" not in way.source]
ARGUMENTS = [
    *("-p", "no:cacheprovider", "-p", "no:randomly", "--continue-on-collection-errors"),
    *("-k", "not by_keyword", "-m", "not slow", "--deselect", "test_by_name.py::test"),
]
CONFIGURATIONS = {
    "none": ([], ""),
    "n0": (["-n0"], "xdist"),
    "n2": (["-n2"], "xdist"),
    "rerunfailures": (["--reruns=1"], "pytest_rerunfailures"),
    "html": (["--html=page.html"], "pytest_html"),
    "mpl": (["--mpl"], "pytest_mpl"),
    "subtests": ([], "pytest_subtests"),
}
"""Arguments of a run, and the package that it needs."""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "--ganvalid-report=out", *arguments]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def write(folder: Path, ways: list[Way]) -> None:
    """Write the module of each way, in a folder of its own if it has a conftest."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    (folder / "conftest.py").write_text(CONFTEST)
    for way in ways:
        place = folder / way.nodeid.partition("::")[0]
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"{HEADER}\n{way.source}\n")
        if way.conftest:
            (place.parent / "conftest.py").write_text(way.conftest)


def report(folder: Path) -> dict[str, Any]:
    """Read what a session says of itself."""
    session: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return session


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All ways in one session, with the plugins of a configuration."""
    arguments, package = CONFIGURATIONS[request.param]
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("ways")
    write(folder, WAYS)
    done = run(folder, *ARGUMENTS, *arguments)
    assert done.returncode == 1, done.stdout[-3_000:] + done.stderr[-3_000:]
    found = report(folder)
    for row in found["rows"]:
        row["nodeid"] = row["nodeid"].replace("[x0]", "[NOTSET]")  # as older versions of pytest call it
    return {
        **found,
        "by_test": {row["nodeid"]: row for row in found["rows"]},
        "output": done.stdout,
        "page": (folder / "out" / "report.html").read_text() if importlib.util.find_spec("jinja2") else "",
    }


def test_there_are_many_ways() -> None:
    """The ways have names of their own."""
    assert len({way.name for way in WAYS}) == len(WAYS) >= 60


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_no_way_passes_in_silence(session: dict[str, Any], way: Way) -> None:
    """The row of the test is what it should be, and no way is green: it fails, is hidden, or demonstrates nothing."""
    row = session["by_test"][way.nodeid]
    assert (row["outcome"], row["status"], row["reason"]) == (way.outcome, way.status, way.reason)
    red = way.status in ("failed", "error")
    assert red or row["hidden"] or way.outcome == "no demonstration"
    if row["hidden"]:
        assert f"{way.nodeid} ({way.status})" in session["failures"][0]


def test_no_row_is_missing_or_left(session: dict[str, Any]) -> None:
    """There is a row for each way and no other, none is ROBUST, and terminal, page and file count alike."""
    assert sorted(session["by_test"]) == sorted(way.nodeid for way in WAYS)
    assert len(session["rows"]) == len(WAYS)
    counts = {outcome: sum(way.outcome == outcome for way in WAYS) for outcome in ("BIASED", "UNPROVEN")}
    words = (
        f"0 demonstrated, {counts['BIASED']} BIASED, {counts['UNPROVEN']} UNPROVEN, "
        f"{len(WAYS) - sum(counts.values())} no demonstration ("
    )
    assert f"ganvalid: {words}" in " ".join(session["output"].split())
    assert session["exit_status"] == 1
    assert session["finished"]
    if session["page"]:
        assert words in session["page"]


# Ways that end a session run alone.

GREEN = "@marked\ndef test_a(ganvalid): ganvalid.check(GOOD, REFERENCE)\n"


@dataclass(frozen=True)
class End:
    """A way in which a session ends early, or does not begin.

    Attributes:
        source: The module ``test_it.py``, below `HEADER`.
        arguments: Of the command line.
        status: The exit status without ``--ganvalid-strict``.
        rows: Test -> outcome or reason.
        conftest: A conftest.
        strict: The exit status with ``--ganvalid-strict``.
    """

    source: str
    status: int
    rows: dict[str, str]
    arguments: tuple[str, ...] = ()
    conftest: str = ""
    strict: int = 1


ENDS = {
    "exit": End(
        f"{GREEN}@marked\ndef test_b(): pytest.exit('enough')", 2, {"test_a": "ROBUST", "test_b": "not run"}, strict=2
    ),
    "exit_0": End(
        f"{GREEN}@marked\ndef test_b(): pytest.exit('enough', returncode=0)",
        0,
        {"test_a": "ROBUST", "test_b": "not run"},
    ),
    "exit_0_after_a_failure": End(
        "@marked\ndef test_b(ganvalid):\n    with SWALLOW: ganvalid.check(BAD, REFERENCE)\n"
        "    pytest.exit('', returncode=0)",
        1,
        {"test_b": "BIASED"},
    ),
    "keyboard": End(
        f"{GREEN}@marked\ndef test_b(): raise KeyboardInterrupt", 2, {"test_a": "ROBUST", "test_b": "not run"}, strict=2
    ),
    "internal_error": End(
        f"{GREEN}@marked\ndef test_b(): pass",
        3,
        {"test_a": "ROBUST", "test_b": "not run"},
        conftest="def pytest_runtest_logstart(nodeid):\n    assert 'test_b' not in nodeid",
        strict=3,
    ),
    "first_failure": End("def test_0(): assert 0\n" + GREEN, 1, {"test_a": "not run"}, ("-x",)),
    "most_failures": End("def test_0(): assert 0\n" + GREEN, 1, {"test_a": "not run"}, ("--maxfail=1",)),
    "stopped": End(
        f"{GREEN}@marked\ndef test_b(): pass",
        1,
        {"test_a": "ROBUST", "test_b": "not run"},
        conftest="def pytest_runtest_teardown(item): item.session.shouldfail = 'enough'",
    ),
    "collect_only": End(GREEN, 0, {"test_a": "not run"}, ("--collect-only",)),
    "nothing_selected": End(GREEN, 5, {"test_a": "deselected"}, ("-k", "nothing"), strict=5),
    "one_selected": End(f"def test_0(): pass\n{GREEN}", 0, {"test_a": "deselected"}, ("-k", "test_0")),
    "collection_error": End(
        f"import no_such_package\n{GREEN}pytest.mark.ganvalid", 2, {"": "error at collection"}, strict=2
    ),
    "module_skipped": End(
        f"pytest.importorskip('no_such')\n{GREEN}pytest.mark.ganvalid", 5, {"": "skipped at collection"}, strict=5
    ),
    "wrong_marker": End(
        f"{GREEN}@pytest.mark.ganvalid(n_requird=5)\ndef test_b(): pass",
        4,
        {"test_a": "not run", "test_b": "not run"},
        strict=4,
    ),
    "misspelt_marker": End(
        f"{GREEN}@pytest.mark.ganvalids(n_required=5)\ndef test_b(): pass",
        4,
        {"test_a": "not run"},
        ("-Wignore",),
        strict=4,
    ),
    "exit_status_forced": End(
        "def test_a(ganvalid):\n    with SWALLOW: ganvalid.check(BAD, REFERENCE, n_required=1_000)",
        1,
        {"test_a": "BIASED"},
        conftest="import pytest\n@pytest.hookimpl(hookwrapper=True, tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n    yield\n    session.exitstatus = 0",
    ),
    "fixture_of_the_session_after_a_stop": End(
        """
@pytest.fixture(scope="session")
def gates():
    gates = []
    yield gates
    for gate in gates:
        with SWALLOW: gate.check(BAD, REFERENCE)

@marked
def test_a(gates, ganvalid):
    ganvalid.check(GOOD, REFERENCE)
    gates.append(ganvalid)

def test_b(): pytest.exit("", returncode=0)
""",
        1,
        {"test_a": "BIASED"},
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_session_that_ends_early_is_told(pytester: pytest.Pytester, name: str) -> None:
    """The report has the rows of tests that were not run, and no earlier page is left; strict is red in every case."""
    end = ENDS[name]
    pytester.makepyfile(test_it=HEADER + end.source)
    pytester.makeconftest(end.conftest)
    (pytester.path / "out").mkdir()
    for status, *arguments in ((end.status, "-q"), (end.strict, "--ganvalid-strict")):
        for page in ("report.json", "report.html"):
            (pytester.path / "out" / page).write_text("an earlier run: ROBUST")
        result = pytester.runpytest_inprocess(
            "--ganvalid-report=out", *arguments, *end.arguments, no_reraise_ctrlc=True
        )
        assert result.ret == status
        found = report(pytester.path)
        told = {
            row["nodeid"].removeprefix("test_it.py").removeprefix("::"): row["reason"] or row["outcome"]
            for row in found["rows"]
        }
        assert told == end.rows
        assert found["exit_status"] == (0 if name == "exit_status_forced" else status) or name == "exit_status_forced"
        html = pytester.path / "out" / "report.html"
        assert not html.exists() or "an earlier run" not in html.read_text()
    assert any("strict" in words for words in found["failures"]) == (
        "no demonstration" in {row["outcome"] for row in found["rows"]}
    )


@pytest.mark.parametrize("how", ["os._exit(0)", f"os.kill(os.getpid(), {int(signal.SIGKILL)})"])
def test_a_process_that_dies_leaves_no_claim(tmp_path: Path, how: str) -> None:
    """When pytest itself is gone, the report says that the session has not ended, and no page is left."""
    write(tmp_path, [Way("it", f"{GREEN}@marked\ndef test_b(): {how}", "", "")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("an earlier run: ROBUST")
    run(tmp_path)
    found = report(tmp_path)
    assert not found["finished"]
    assert found["failures"] == ["the session has not ended"]
    assert [row["reason"] for row in found["rows"]] == ["not run", "not run"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.json"}


def test_a_worker_that_dies_leaves_rows(tmp_path: Path) -> None:
    """Tests that a worker of xdist takes down with it have rows, and those after it are run by another or not run."""
    pytest.importorskip("xdist")
    write(tmp_path, [Way("it", f"{GREEN}@marked\ndef test_b(): os._exit(0)\n@marked\ndef test_c(): pass", "", "")])
    assert run(tmp_path, "-n1", "--max-worker-restart=0").returncode == 1
    rows = {row["nodeid"].partition("::")[2]: row["reason"] or row["outcome"] for row in report(tmp_path)["rows"]}
    assert rows == {"test_a": "ROBUST", "test_b": "error", "test_c": "not run"}


def test_a_worker_that_dies_in_a_gate_is_told(tmp_path: Path) -> None:
    """Where one of several workers dies in a gate the session is red, that gate demonstrates nothing, the others do."""
    pytest.importorskip("xdist")
    dies = "@marked\ndef test_dies(ganvalid):\n    ganvalid.check(GOOD, REFERENCE)\n    os.abort()\n"
    others = "@marked\n@pytest.mark.parametrize('i', range(4))\ndef test(ganvalid, i): ganvalid.check(GOOD, REFERENCE)"
    write(tmp_path, [Way("it", f"{dies}{others}", "", "")])
    done = run(tmp_path, "-n2", "--ganvalid-strict")
    assert done.returncode == 1
    assert "no demonstration  test_it.py::test_dies: error" in done.stdout
    found = report(tmp_path)
    assert found["failures"] == ["the session fails by --ganvalid-strict: 1 without a demonstration"]
    rows = {row["nodeid"].partition("::")[2]: row["reason"] or row["outcome"] for row in found["rows"]}
    assert rows == {"test_dies": "error"} | {f"test[{i}]": "ROBUST" for i in range(4)}


@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_tests_that_the_cache_leaves_out_are_told(pytester: pytest.Pytester, option: str) -> None:
    """What is left out as it did not fail last time is deselected, in its module, and in modules that are left out."""
    pytester.makepyfile(
        test_it=f"{HEADER}{GREEN}def test_fails(): assert 0", test_other=f"{HEADER}{GREEN}pytest.mark.ganvalid"
    )
    for arguments in ((option,), (option,)):
        assert pytester.runpytest_inprocess("--ganvalid-report=out", *arguments).ret in (1, 2)
    reasons = {row["nodeid"]: row["reason"] for row in report(pytester.path)["rows"]}
    if option == "--lf":
        assert reasons == {"test_it.py::test_a": "deselected", "test_other.py": "nothing was collected"}
    else:
        assert reasons == {"test_it.py::test_a": "deselected", "test_other.py::test_a": "not run"}


RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for _ in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not any(report.failed for report in reports):
            break
        for report in reports:
            report.outcome = "rerun" if report.failed else report.outcome
            item.ihook.pytest_runtest_logreport(report=report)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


def test_reruns_until_green_are_told(pytester: pytest.Pytester) -> None:
    """A test that a plugin runs again until it passes is ROBUST at the level of its attempt, and told."""
    pytester.makeconftest(RERUNS)
    source = "TRIES = []\n\n@marked\ndef test(ganvalid):\n    TRIES.append(1)\n"
    pytester.makepyfile(HEADER + source + "    ganvalid.check([BAD, FEW, GOOD][len(TRIES) - 1], REFERENCE)")
    result = pytester.runpytest_inprocess("--ganvalid-report=out")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "ROBUST *",
            "* attempt 3, at level 0.00417",
            "* run 3 of this test, the checks before: BIASED, UNPROVEN",
            "ganvalid: 1 demonstrated",
        ]
    )
    (row,) = report(pytester.path)["rows"]
    assert (row["runs"], row["checks"], row["earlier"]) == (3, ["ROBUST"], ["BIASED", "UNPROVEN"])


INVISIBLE = {
    "ignored": (("--ignore=test_it.py",), ""),
    "ignored_by_a_hook": (
        (),
        "def pytest_ignore_collect(collection_path): return collection_path.name == 'test_it.py'",
    ),
    "ignored_by_a_list": ((), "collect_ignore = ['test_it.py']"),
    "named": (("test_other.py",), ""),
    "nothing_there": (("empty",), ""),
}


@pytest.mark.parametrize("name", INVISIBLE)
def test_what_cannot_be_seen_is_required(pytester: pytest.Pytester, name: str) -> None:
    """Tests that pytest never collects have no row, and a number that is required is what misses them."""
    arguments, conftest = INVISIBLE[name]
    pytester.makepyfile(test_it=HEADER + GREEN, test_other="def test(): pass")
    pytester.makeconftest(conftest)
    pytester.mkdir("empty")
    ordinary = 5 if name == "nothing_there" else 0
    assert pytester.runpytest_inprocess(*arguments, "--ganvalid-strict").ret == ordinary
    result = pytester.runpytest_inprocess(*arguments, "--ganvalid-require=1", "--ganvalid-report=out")
    assert result.ret == (ordinary or 1)
    result.stdout.fnmatch_lines(["ganvalid: the session fails by --ganvalid-require=1: 0 demonstrated"])
    assert report(pytester.path)["failures"]


@pytest.mark.parametrize("how", ["blocked", "autoload"])
def test_a_run_without_the_plugin_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """What the README says to put into the ini file refuses runs in which the plugin is not loaded."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    write(tmp_path, [])
    (tmp_path / "test_it.py").write_text("import pytest\n\n@pytest.mark.ganvalid\ndef test_it(): pass\n")
    (tmp_path / "pytest.ini").write_text(readme.partition("```ini\n")[2].partition("```")[0])
    if how == "autoload":
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    command = [sys.executable, "-m", "pytest", *(["-p", "no:ganvalid"] if how == "blocked" else [])]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert "pytest-ganvalid" in done.stderr

"""Report files are complete, atomic, inside their directory, and the same however the run was spread."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid._files import write_whole
from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import files
from pytest_ganvalid.report.document import Run, Session
from pytest_ganvalid.report.session import result_of
from pytest_ganvalid.report.text import Result

HOSTILE = ["<script>alert(1)</script>", "../../x", "x" * 300, "a\0b", "質量"]
INSTALL = 'pip install "pytest-ganvalid[report]"'


def _record(result: Result, nodeid: str = "test_a.py::test", *, gate: bool = True) -> dict[str, Any]:
    return {"nodeid": nodeid, "kind": result.KIND, "gate": gate, "robust": result.robust, "result": result.to_json()}


def _report(*names: str) -> gv.Report:
    rng = np.random.default_rng(7)
    generated = {name: rng.normal(size=5_000) for name in names}
    reference = {name: rng.normal(size=5_000) for name in names}
    return gv.validate(generated, reference, n_required=500, bins=10)


COMPARISON = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100)


def _below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_results_come_back_from_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every result in report.json restores the object that the test recorded."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    report = _report("mass", "pt")
    records = [_record(report), _record(COMPARISON, gate=False)]
    files.write_report(str(tmp_path / "new" / "out"), records, plots=False)
    session = json.loads((tmp_path / "new" / "out" / "report.json").read_text())
    assert (session["kind"], session["version"]) == ("session", 2)
    first, second = session["checks"]
    assert gv.Report.from_json(json.dumps(first["result"])) == report
    assert gv.Comparison.from_json(json.dumps(second["result"])) == COMPARISON
    assert [(check["kind"], check["gate"]) for check in session["checks"]] == [("report", True), ("comparison", False)]
    assert result_of({**first, "result": json.dumps(first["result"])}) == report


def test_numbers_are_written_like_histograms(tmp_path: Path) -> None:
    """A comparison of one number per sample comes back from report.json, and is on the page with its picture."""
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    found = compare_estimates((1.01, 0.01, 10_000), (1.0, 0.01, 10_000), n_required=500, name="width")
    files.write_report(str(tmp_path), [_record(found)], plots=True)
    (check,) = json.loads((tmp_path / "report.json").read_text())["checks"]
    assert result_of({**check, "result": json.dumps(check["result"])}) == found
    assert len(list((tmp_path / "plots").iterdir())) == 1
    assert "1.010 ± 0.010" in (tmp_path / "report.html").read_text(encoding="utf-8")


OUTCOME: dict[str, Any] = {"finished": True, "exit_status": 1, "failures": ["so"]}
ROWS: list[dict[str, Any]] = [
    {
        "nodeid": nodeid,
        "outcome": "no demonstration",
        "reason": "skipped",
        "status": "skipped",
        "checks": [],
        "runs": 1,
        "earlier": [],
        "hidden": False,
    }
    for nodeid in ("b", "a")
]


def test_no_check_writes_an_empty_list(tmp_path: Path) -> None:
    """A run without a check has a report too, with its rows by test and what has become of it."""
    files.write_report(str(tmp_path), [], rows=ROWS, outcome=OUTCOME, plots=False)
    session = json.loads((tmp_path / "report.json").read_text())
    assert session == {"kind": "session", "version": 2, **OUTCOME, "rows": ROWS[::-1], "checks": []}


def test_an_earlier_report_is_taken_away(tmp_path: Path) -> None:
    """At the start of a run the page and the plots of an earlier one go, what others have put there stays."""
    (tmp_path / "plots").mkdir()
    old = [tmp_path / "report.json", tmp_path / "report.html", tmp_path / "plots" / files.plot_name("test", 1, "mass")]
    kept = [tmp_path / "mine.html", tmp_path / "plots" / "mine.png"]
    for path in (*old, *kept):
        path.write_text("earlier")
    files.begin(str(tmp_path), ROWS, "not ended")
    assert _below(tmp_path) == {"report.json", "mine.html", "plots/mine.png"}
    session = json.loads((tmp_path / "report.json").read_text())
    assert (session["finished"], session["exit_status"], session["failures"]) == (False, None, ["not ended"])
    assert (session["rows"], session["checks"]) == (ROWS, [])
    files.begin(str(tmp_path / "new"), [], "not ended")
    assert _below(tmp_path / "new") == {"report.json"}


def test_order_of_tests_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that finish in another order give the same file; checks of one test keep theirs."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    records = [_record(COMPARISON, "b"), _record(COMPARISON, "a"), _record(COMPARISON, "a", gate=False)]
    for name, ordered in (("one", records), ("two", [records[1], records[2], records[0]])):
        files.write_report(str(tmp_path / name), ordered, plots=False)
    assert (tmp_path / "one/report.json").read_bytes() == (tmp_path / "two/report.json").read_bytes()


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk is full half-way, the old file stays whole and no temporary file is left."""
    target = tmp_path / "report.json"
    write_whole(target, b"old")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:1])
        msg = "no space left on device"
        raise OSError(msg)

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="no space"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert _below(tmp_path) == {"report.json"}


def test_failed_rename_leaves_the_old_file(tmp_path: Path) -> None:
    """If the place is taken by a directory, the error is told and no temporary file is left."""
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match=r"report\.json"):
        write_whole(tmp_path / "report.json", b"new")
    assert _below(tmp_path) == set()


def test_hostile_names_stay_in_the_directory(tmp_path: Path) -> None:
    """Observables and tests called like paths or markup give one harmless plot file each."""
    pytest.importorskip("matplotlib")
    folder = tmp_path / "deep" / "er" / "out"
    observables = {name: (lambda sample: sample["m"]) for name in HOSTILE}
    events = [{"m": np.random.default_rng(seed).normal(size=2_000)} for seed in (1, 2)]
    report = gv.validate(*events, n_required=100, bins=5, observables=observables)
    files.write_report(str(folder), [_record(report, "../../" * 5 + "test_x.py::test[<script>]")], plots=True)
    plots = sorted((folder / "plots").iterdir())
    assert len(plots) == len(HOSTILE)
    assert all(plot.suffix == ".png" and len(plot.name) < 200 and plot.name.isascii() for plot in plots)
    assert _below(tmp_path) == {f"deep/er/out/{path}" for path in _below(folder)}
    if (folder / "report.html").exists():
        assert (folder / "report.html").read_text(encoding="utf-8").count("<script") == 1  # our own


def test_plot_names_are_unique_and_stable() -> None:
    """Names that look alike once made safe, or differ in case only, still name different files."""
    names = {
        files.plot_name(*what).lower() for what in (("t", 1, "a/b"), ("t", 1, "a:b"), ("t", 2, "a/b"), ("t", 1, "A/b"))
    }
    assert len(names) == 4
    assert files.plot_name("test_a.py::test", 1, "mass").startswith("test_a-py-test-mass-")


def test_missing_jinja2_leaves_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 report.json is written, and a line says what is missing and how to get it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    lines = files.write_report(str(tmp_path), [_record(COMPARISON)], plots=False)
    assert _below(tmp_path) == {"report.json"}
    assert len(lines) == 2
    assert "report.html was not written" in lines[1]
    assert INSTALL in lines[1]


def test_a_page_needs_no_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib report.html has its plots all the same; PNG files that were asked for are an error."""
    pytest.importorskip("jinja2")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    files.write_report(str(tmp_path), [_record(COMPARISON)], plots=False)
    assert '<svg class="plot"' in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(MissingExtraError, match="matplotlib"):
        files.write_report(str(tmp_path), [_record(COMPARISON)], plots=True)


def test_a_file_that_is_not_read_has_no_page(tmp_path: Path) -> None:
    """Where a test has made a result that cannot be, the file is written, and a line says why there is no page."""
    pytest.importorskip("jinja2")
    record = _record(COMPARISON)
    changed = {**json.loads(record["result"]), "power": 7.0}
    lines = files.write_report(str(tmp_path), [{**record, "result": json.dumps(changed)}], plots=False)
    assert _below(tmp_path) == {"report.json"}
    assert "report.html was not written: checks[0].result.power: expected a finite number" in lines[-1]


def test_the_page_follows_from_the_file(tmp_path: Path) -> None:
    """``report.html`` is what ``report.json`` alone gives, run and rows included."""
    pytest.importorskip("jinja2")
    run = Run(date="2030-01-02T03:04:05+00:00", version="1", command="pytest -k x", commit="abc", link="")
    files.write_report(str(tmp_path), [_record(COMPARISON)], rows=ROWS, outcome=OUTCOME, plots=False, run=run)
    session = Session.from_json((tmp_path / "report.json").read_bytes())
    assert session.run == run
    assert files.page(session) == (tmp_path / "report.html").read_bytes()


LOOK = """
    import pytest_ganvalid as gv

    def test_look(ganvalid):
        ganvalid.compare(gv.Counts([50, 60]), gv.Counts([70, 80]), n_required=10)
"""
TESTS = """
    import os, numpy as np, pytest, pytest_ganvalid as gv

    @pytest.mark.ganvalid(n_required=100)
    @pytest.mark.parametrize("seed", [1, 2])
    def test_robust(ganvalid, seed):
        rng = np.random.default_rng(seed)
        ganvalid.check({"mass": rng.normal(size=9000)}, {"mass": rng.normal(size=9000)}, bins=5)

    @pytest.mark.ganvalid(n_required=100_000)
    def test_biased(ganvalid, tmp_path):
        os.chdir(tmp_path)
        ganvalid.compare(gv.Counts([500, 500]), gv.Counts([501, 499]))
        ganvalid.check(gv.Counts([10_000, 90_000]), gv.Counts([50_000, 50_000]), name="charge")
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_run_writes_the_report(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """One run, in one process or several, writes one report of all checks where it was asked to."""
    for package in ("jinja2", "matplotlib", *(["xdist"] if workers else [])):
        pytest.importorskip(package)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--ganvalid-report=out", "--ganvalid-plots", *workers)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*ganvalid: wrote *report.json", "*wrote 4 plots to *plots", "*wrote *report.html"])
    session = json.loads((pytester.path / "out/report.json").read_text())
    assert [check["robust"] for check in session["checks"]] == [False, False, True, True]
    assert {path.split("/")[0] for path in _below(pytester.path / "out")} == {"report.json", "report.html", "plots"}
    assert len(list((pytester.path / "out/plots").iterdir())) == 4


def test_no_report_unless_asked(pytester: pytest.Pytester) -> None:
    """Without the option nothing is written."""
    pytester.makepyfile("def test_nothing(): pass")
    assert pytester.runpytest_inprocess().ret == 0
    assert list(pytester.path.rglob("report.*")) == []


def test_missing_jinja2_is_told_at_the_end(pytester: pytest.Pytester) -> None:
    """A run without jinja2 passes, leaves report.json and says how to get report.html."""
    pytester.makeconftest("import sys; sys.modules['jinja2'] = None")
    pytester.makepyfile(LOOK)
    result = pytester.runpytest_subprocess("--ganvalid-report=out")
    assert result.ret == 0
    words = " ".join(result.stdout.str().split())
    assert "ganvalid: report.html was not written: " in words
    assert INSTALL in words
    assert _below(pytester.path / "out") == {"report.json"}


@pytest.mark.parametrize("arguments", [(), ("--collect-only",), ("-k", "nothing")])
def test_run_without_a_check_replaces_the_last_report(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """A run that makes no check leaves no report of an earlier one, and its own says so."""
    (pytester.path / "out").mkdir()
    for name in ("report.json", "report.html"):
        (pytester.path / "out" / name).write_text("the last one: ROBUST")
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_inprocess("--ganvalid-report=out", *arguments)
    session = json.loads((pytester.path / "out" / "report.json").read_text())
    assert (session["rows"], session["checks"], session["exit_status"]) == ([], [], int(result.ret))
    page = pytester.path / "out" / "report.html"
    assert not page.exists() or "nothing was demonstrated" in page.read_text()
    result.stdout.fnmatch_lines(["ganvalid: 0 demonstrated"])


def test_plots_without_matplotlib_are_refused_first(pytester: pytest.Pytester) -> None:
    """Plots that cannot be drawn are an error before any test runs, with the command that helps."""
    pytester.makepyfile(hide="import sys; sys.modules['matplotlib'] = None")
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("-p", "hide", "--ganvalid-report=out", "--ganvalid-plots")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--ganvalid-plots needs the package 'matplotlib'*{INSTALL.replace('[', '[[]')}*"])
    assert "passed" not in result.stdout.str()


def test_unwritable_report_fails_the_run(pytester: pytest.Pytester) -> None:
    """A report that cannot be written fails a run that passed, and the summary of the tests is still shown."""
    pytester.makepyfile(LOOK)
    (pytester.path / "out" / "report.json").mkdir(parents=True)
    result = pytester.runpytest_inprocess("--ganvalid-report=out")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*ganvalid: the report was not written: *", "*1 passed*"])

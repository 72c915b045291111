"""``ganvalid check``: the verdict of Python, on events and on histograms that were filled before."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.observables import Selection

Refusal = Callable[[str, str], None]


OBSERVABLES = "x,x:y,x where passed"


BY_NAME: list[Any] = ["x", ("x", "y"), Selection("x", "passed")]


def test_steps_give_the_verdict_on_events(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Filling in parts, merging and checking prints the text, and has the status, of a check of the events."""
    events = ["check", "gen*.npz", "ref*.npz", "--n-required", "50", "--observables", OBSERVABLES, "--bins", "9"]
    for n_required, status in (("50", 0), ("1e6", 3)):
        events[4] = n_required
        assert main(["check", "gen.json", "ref.json", "--n-required", n_required, "-o", "out.json"]) == status
        printed = capsys.readouterr()
        assert main(events) == status
        whole = capsys.readouterr()
        note = r"^note: nothing that takes the events of both sides.*\n(  .*\n)*"
        assert len(re.findall(note, printed.out, flags=re.MULTILINE)) == 1
        assert re.sub(note, "", printed.out, flags=re.MULTILINE) == f"{whole.out}wrote out.json\n"
        assert printed.err == whole.err == ""
        report = gv.Report.from_json((filled / "out.json").read_bytes())
        expected = gv.validate("gen*.npz", "ref*.npz", n_required=float(n_required), observables=BY_NAME, bins=9)
        assert report.comparisons == expected.comparisons
        assert whole.out == f"{gv.explain(expected)}\n"


@pytest.mark.usefixtures("filled")
def test_details_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """``--details``, or ``-v``, prints the numbers and reasons of every observable too."""
    command = ["check", "gen.json", "ref.json", "--n-required", "50"]
    texts = [(main([*command, *more]), capsys.readouterr().out)[1] for more in ([], ["--details"], ["-v"])]
    assert texts[1] == texts[2]
    assert texts[1].startswith(texts[0])
    assert texts[0].count("χ²_req/ndf") == 0
    assert texts[1].count("\n  χ²_req/ndf") == 3


def test_events_are_filled_like_a_reference(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference kept as a file of histograms is all it takes to check new events."""
    assert main(["check", "gen*.npz", "ref.json", "--n-required", "50", "--observables", "x:y,x where passed"]) == 0
    events = capsys.readouterr().out
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", "--observables", "x where passed,x:y"]) == 0
    assert capsys.readouterr().out == events
    assert (filled / "ref.json").stat().st_size < 60_000


def test_limits_and_training(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every limit, n_train and the training events arrive where Python's do."""
    words = "--n-train 100 --confidence 0.9 --max-bias 2 --max-local-bias 6 --min-expected 20 --no-smooth"
    words += " --max-directional-bias 7"
    limits = {"n_train": 100, "confidence": 0.9, "max_bias": 2, "max_local_bias": 6, "smooth": False}
    limits["max_directional_bias"] = 7
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", *words.split(), "-o", "out.json"]) == 0
    report = gv.Report.from_json((filled / "out.json").read_bytes())
    expected = gv.validate("gen.json", "ref.json", n_required=50, min_expected=20, **limits)  # type: ignore[arg-type]
    assert report.comparisons == expected.comparisons
    capsys.readouterr()
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", "--training", "gen1.npz"]) == 3
    assert "not independent: " in capsys.readouterr().out


def test_clusters_are_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--cluster`` and ``--cluster-of`` arrive where Python's do, of both sides or one, and so does that of fill."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    truth, keys = rng.normal(size=900), np.arange(900)
    for name in ("g", "r"):
        np.savez(f"{name}.npz", x=truth + 0.01 * rng.normal(size=900), id=keys)
    assert main(["check", "g.npz", "r.npz", "--n-required", "900", "--cluster", "id"]) == 0
    assert "900 clusters are on both sides" in capsys.readouterr().out
    words = ["check", "g.npz", "r.npz", "--n-required", "100", "--cluster", "id,", "-o", "o.json"]
    assert main([*words, "--cluster-of", "entries"]) in {0, 3}
    report = gv.Report.from_json((tmp_path / "o.json").read_bytes())
    assert report.provenance["clusters"] == {"cluster": ["id", None], "cluster_of": "entries"}
    main(["fill", "r.npz", "-o", "r.json", "--cluster", "id"])
    assert gv.Histograms.from_json((tmp_path / "r.json").read_bytes()).plan.cluster == "id"


def test_a_report_is_written(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--report`` writes what a test run would, whatever the verdict."""
    pytest.importorskip("jinja2")
    assert main(["check", "gen.json", "ref.json", "--n-required", "1e7", "--report", "out/deep"]) == 3
    session = json.loads((filled / "out" / "deep" / "report.json").read_text(encoding="utf-8"))
    assert session["checks"][0]["nodeid"] == "gen.json against ref.json"
    assert "gen.json against ref.json" in (filled / "out" / "deep" / "report.html").read_text(encoding="utf-8")
    assert "wrote out/deep/report.html" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("check gen.json", "the following arguments are required: REFERENCE, --n-required"),
        ("check gen.json ref.json --n-required lots", "'lots' is not a number"),
        ("check gen.json ref.json --n-required 1/0", "'1/0' is not a number"),
        ("check gen.json ref.json --n-required 5 -o ref.json", "ref.json is read, and would be written over"),
        ("check gen.json ref.json --n-required 5 -o out/report.json --report out", "expected different files"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("check gen.json gen1.json --n-required 5", "hold the same 800 events"),
        ("check ref.json gen.json --n-required 5", "the bins were chosen from the generated events"),
        ("check gen.json ref.json --n-required 0", "--n-required 0"),
        ("check gen.json ref.json --n-required 5 --bins 7", "bins can only be chosen when histograms are filled"),
        ("check gen.json ref.json --n-required 5 --observables z", "there is no histogram 'z'"),
        ("check gen.json ref.json --n-required 5 --confidence 2", "--confidence 2.0 is out of range"),
        ("check gen.json ref.json --n-required 5 -o no/r.json", "there is no folder 'no'"),
        ("check gen.json ref.json --n-required 5 --report gen.json", "this is a file; expected a folder"),
        ("check gen.yoda ref.yoda --n-required 5", "yoda2root"),
        ("check gen.txt ref.json --n-required 5", "the suffix '.txt' is not known"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)


def test_attempts_and_looks(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--attempt`` and ``--looks`` are whole numbers, and told with the verdict."""
    arguments = ["check", "gen.json", "ref.json", "--n-required", "50", "-o", "r.json"]
    main([*arguments, "--attempt", "2", "--looks", "3"])
    assert "attempt 2, one of 3 planned looks, at level 0.00386" in capsys.readouterr().out
    report = gv.Report.from_json((filled / "r.json").read_text(encoding="utf-8"))
    assert {(c.attempt, c.looks) for c in report.comparisons.values()} == {(2, 3)}


def test_units_are_stated_column_by_column(
    filled: Path, not_understood: Refusal, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--units`` names columns, each once, and its units are those of the axes in the report."""
    words = ["check", "gen.json", "ref.json", "--n-required", "50", "-o", "units.json"]
    assert main([*words, "--units", "x=GeV, y = 1/c"]) == 0
    axes = gv.Report.from_json((filled / "units.json").read_bytes()).histograms["x:y"].axes
    assert {(axis.label, axis.unit) for axis in axes} == {("x", "GeV"), ("y", "1/c")}
    capsys.readouterr()
    for wrong in ("x", "x=", "=GeV", "x=GeV,x=TeV", ""):
        not_understood(f"check gen.json ref.json --n-required 50 --units={wrong}", "states no units")


@pytest.mark.usefixtures("filled")
def test_an_attempt_is_a_whole_number(not_understood: Callable[[str, str], None]) -> None:
    """A fraction of an attempt is not understood."""
    not_understood("check gen.json ref.json --n-required 5 --attempt 1.5", "'1.5' is not a whole number")


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no /bin/bash")
@pytest.mark.parametrize(("n_required", "status"), [("50", 0), ("1e6", 3)])
@pytest.mark.parametrize("end", [">&-", "| head -c 1 >one", "| true", ">&- 2>&-"])
def test_whoever_reads_the_verdict_does_not_change_it(n_required: str, status: int, end: str, filled: Path) -> None:
    """A closed stdout and a reader that goes away keep the exit status, and what was asked for is written."""
    words = f"{sys.executable} -m pytest_ganvalid check gen.json ref.json --n-required {n_required} -o o.json"
    script = f"{words} {end}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", script], check=False, capture_output=True, text=True, cwd=filled)
    assert (done.returncode, done.stderr) == (status, "")
    assert gv.Report.from_json((filled / "o.json").read_bytes()).robust is (status == 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_verdict_that_cannot_be_printed_is_an_error(filled: Path) -> None:
    """Where stdout is a full disk the status is 1, and the reason is told."""
    words = [sys.executable, "-m", "pytest_ganvalid", "check", "gen.json", "ref.json", "--n-required", "50"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=filled)
    assert (done.returncode, done.stderr) == (1, "ganvalid: error: <stdout>: No space left on device\n")

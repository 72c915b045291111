"""``ganvalid systematics``: tables, texts and patches of what an analysis keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.report.systematics import Systematics

Refusal = Callable[[str, str], None]
CONTENTS = [1000.0, 2100.0, 2900.0]
COMPARISON = gv.compare(gv.Counts(CONTENTS), gv.Counts([980, 2000, 3020]), n_required=500, n_train=90, name="mass")
REPORT = gv.combine({"mass": COMPARISON, "pt": COMPARISON})
WORKSPACE = {"channels": [{"name": "SR", "samples": [{"name": "signal", "data": CONTENTS, "modifiers": []}]}]}


@pytest.fixture
def stored(folder: Path) -> Path:
    """A folder with a report, a comparison, a session's report and a workspace."""
    (folder / "report.json").write_text(REPORT.to_json())
    (folder / "comparison.json").write_text(COMPARISON.to_json())
    check = {"nodeid": "a.py::test_a", "kind": "report", "result": json.loads(REPORT.to_json())}
    (folder / "session.json").write_text(json.dumps({"kind": "session", "version": 2, "checks": [check]}))
    (folder / "ws.json").write_text(json.dumps(WORKSPACE))
    return folder


@pytest.mark.parametrize("source", ["report.json --observable mass", "comparison.json", "session.json --observable pt"])
def test_errors_are_written(source: str, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports, comparisons and sessions give the errors of the Python call, as a table, as JSON and as a patch."""
    assert main(f"systematics {source} -o a.csv -o a.json -o a.patch.json".split()) == 0
    expected = gv.systematics(COMPARISON)
    assert (stored / "a.csv").read_text() == expected.to_csv()
    assert Systematics.from_json((stored / "a.json").read_text()) == expected
    assert json.loads((stored / "a.patch.json").read_text()) == expected.patch()
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == ["wrote a.csv", "wrote a.json", "wrote a.patch.json"]
    assert f"relative errors of {expected.n_sys:,.0f} events" in printed[3]


@pytest.mark.usefixtures("stored")
def test_a_histogram_is_written(folder: Path) -> None:
    """The histogram with the total variance comes back from its file as that of the Python call."""
    hist = pytest.importorskip("hist")
    serialization = pytest.importorskip("boost_histogram.serialization")
    assert main(["systematics", "comparison.json", "-o", "a.hist.json"]) == 0
    restored = hist.Hist(serialization.from_uhi(json.loads((folder / "a.hist.json").read_text())))
    expected = gv.systematics(COMPARISON)
    assert restored == expected.to_hist()
    assert restored.variances().tolist() == [each.total**2 for each in expected.bins]


def test_a_patch_is_for_a_workspace(stored: Path) -> None:
    """With a workspace, channel and sample may be named, and the contents are its own."""
    words = "systematics comparison.json --workspace ws.json --channel SR --sample signal --rate-too -o a.patch.json"
    assert main(words.split()) == 0
    expected = gv.systematics(COMPARISON, normalised=False).patch(WORKSPACE, channel="SR", sample="signal")
    assert json.loads((stored / "a.patch.json").read_text()) == expected


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("systematics comparison.json", "required: -o"),
        ("systematics comparison.json --workspace ws.json -o a.json", "--workspace is of a patch"),
        ("systematics comparison.json -o comparison.json", "comparison.json is read, and would be written over"),
        ("systematics comparison.json -o a.csv -o a.csv", "--output 1 and --output 2 are both a.csv"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("systematics none.json -o a.csv", "none.json: No such file"),
        (
            "systematics report.json -o a.csv",
            "report.json: several histograms: name one by --observable, one of 'mass', 'pt'",
        ),
        ("systematics comparison.json -o a.txt", "the suffix '.txt' is not known"),
        ("systematics comparison.json --channel SR -o a.patch.json", "without a workspace expected its position"),
        (
            "systematics comparison.json --workspace ws.json --channel CR -o a.patch.json",
            "ws.json: the workspace has no channel 'CR'; expected one of 'SR'",
        ),
        (
            "systematics comparison.json --workspace comparison.json -o a.patch.json",
            "comparison.json: this is no pyhf workspace",
        ),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be written gets one line and status 1, and nothing is written."""
    not_done(words, reason)

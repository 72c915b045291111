"""``ganvalid history``: releases beside each other, as text, pictures and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.cli.history import ALARM
from pytest_ganvalid.report.history import History, history_of

Refusal = Callable[[str, str], None]
GOOD = gv.compare(gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=50, name="mass")
BAD = gv.compare(gv.Counts([1500, 2100, 2400]), gv.Counts([980, 2000, 3020]), n_required=50, name="mass")


@pytest.fixture
def releases(folder: Path) -> Path:
    """A folder with the reports of three releases, the last of which is off."""
    for name, comparison in {"v1": GOOD, "v2": GOOD, "v3": BAD}.items():
        (folder / f"{name}.json").write_text(gv.combine({"mass": comparison}).to_json())
    (folder / "sub").mkdir()
    (folder / "sub" / "v1.json").write_text(GOOD.to_json())
    return folder


def test_releases_are_told(releases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is printed, files have what the functions make, and the status tells of an alarm."""
    assert main(["history", "v[12].json", "-o", "a.json", "-o", "a.csv"]) == 0
    reports = {name: {"": gv.combine({"mass": GOOD})} for name in ("v1", "v2")}
    history = history_of(reports)
    assert capsys.readouterr().out == f"{history.table()}\nwrote a.json\nwrote a.csv\n"
    assert History.from_json((releases / "a.json").read_text()) == history
    assert (releases / "a.csv").read_text() == history.to_csv()
    assert main(["history", "v1.json", "v2.json", "v3.json"]) == ALARM
    assert "alarm: v3 in mass" in capsys.readouterr().out
    assert main(["history", "v1.json", "v2.json", "v3.json", "--rate", "1e-300"]) == 0


def test_a_page_has_the_picture(releases: Path) -> None:
    """HTML and PNG are written, and releases whose files are called alike are told by their folders."""
    pytest.importorskip("matplotlib")
    assert main(["history", "v1.json", "sub/v1.json", "-o", "a.html", "-o", "a.png"]) == 0
    page = (releases / "a.html").read_text(encoding="utf-8")
    assert "data:image/png" in page
    assert "sub/v1.json" in page
    assert (releases / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("releases")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("history", "required: REPORT"),
        ("history v1.json --rate much", "'much' is not a number"),
        ("history v1.json -o v1.json", "v1.json is read, and would be written over"),
        ("history v1.json -o a.csv -o a.csv", "--output 1 and --output 2 are both a.csv"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("releases")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("history none.json", "none.json: No such file"),
        ("history w*.json", "the pattern matches no file"),
        ("history v1.json v1.json", "v1.json: named twice"),
        ("history v1.json --rate 2", "rate"),
        ("history v1.json -o a.gif", "the suffix '.gif' is not known"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be shown gets one line and status 1, and writes nothing."""
    not_done(words, reason)

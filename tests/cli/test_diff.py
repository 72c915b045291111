"""``ganvalid diff``: what has changed between two reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.cli.diff import WORSE
from pytest_ganvalid.report.history import changes

Refusal = Callable[[str, str], None]
GOOD = gv.compare(gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=50, name="mass")
BAD = gv.compare(gv.Counts([1500, 2100, 2400]), gv.Counts([980, 2000, 3020]), n_required=50, name="mass")


@pytest.fixture
def reports(folder: Path) -> Path:
    """A folder with two reports, the second of which is worse."""
    (folder / "good.json").write_text(GOOD.to_json())
    (folder / "bad.json").write_text(BAD.to_json())
    return folder


@pytest.mark.usefixtures("reports")
def test_changes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Both reports are told beside each other, and the status says whether anything is worse."""
    assert main(["diff", "good.json", "bad.json"]) == WORSE
    (change,) = changes({"": GOOD}, {"": BAD})
    assert capsys.readouterr().out.splitlines() == [*change.lines(), "worse: mass"]
    assert main(["diff", "bad.json", "good.json"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing is worse"


@pytest.mark.usefixtures("reports")
def test_refusals(not_understood: Refusal, not_done: Refusal) -> None:
    """One report is not enough, and what is none is named."""
    not_understood("diff good.json", "required: AFTER")
    not_done("diff good.json none.json", "none.json: No such file")

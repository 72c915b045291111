"""``ganvalid report``: a page from ``report.json`` alone, and the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.report import schema
from pytest_ganvalid.report.document import Session
from pytest_ganvalid.report.files import page

Refusal = Callable[[str, str], None]
COMPARISON = gv.compare(
    gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=500, n_train=90, name="<mass>"
)


@pytest.fixture
def reports(folder: Path) -> Path:
    """A folder with a comparison, a report and a session."""
    report = gv.combine({"<mass>": COMPARISON})
    (folder / "comparison.json").write_text(COMPARISON.to_json())
    (folder / "report.json").write_text(report.to_json())
    (folder / "session.json").write_text(Session.from_json(report.to_json()).to_json())
    return folder


@pytest.mark.parametrize("name", ["comparison", "report", "session"])
def test_a_page_is_written(name: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of document is written as the page of its session, beside it or where it is asked for."""
    pytest.importorskip("jinja2")
    assert main(["report", f"{name}.json"]) == 0
    assert main(["report", f"{name}.json", "-o", "page.html"]) == 0
    expected = page(Session.from_json((reports / f"{name}.json").read_bytes()))
    assert (reports / f"{name}.html").read_bytes() == (reports / "page.html").read_bytes() == expected
    assert capsys.readouterr().out.splitlines() == [f"wrote {name}.html", "wrote page.html"]


def test_the_page_of_a_check(folder: Path) -> None:
    """What ``check -o`` writes gives the page that ``check --report`` writes, but for the time and the command."""
    pytest.importorskip("jinja2")
    for seed, name in ((1, "g"), (2, "r")):
        assert main(["simulate", "camel-back", "-n", "500", "--seed", str(seed), "-o", f"{name}.npz"]) == 0
    words = ["check", "g.npz", "r.npz", "--n-required", "1e6", "-o", "out.json", "--report", "out"]
    assert main(words) == 3
    assert (folder / "out.json").read_bytes() == (folder / "out/report.json").read_bytes()
    assert main(["report", "out.json", "-o", "out.html"]) == 0
    assert (folder / "out.html").read_bytes() == (folder / "out/report.html").read_bytes()
    found = Session.from_json((folder / "out.json").read_bytes())
    assert found.exit_status == 3
    assert found.run is not None
    assert found.run.command == f"ganvalid {' '.join(words)}"
    assert [(row.nodeid, row.outcome) for row in found.rows] == [("g.npz against r.npz", "UNPROVEN")]


def test_the_schema_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema goes to a file or to the terminal."""
    assert main(["report", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema.schema()
    assert main(["report", "--schema", "-o", "schema.json"]) == 0
    assert (folder / "schema.json").read_text(encoding="utf-8") == schema.text()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("report", "of which report"),
        ("report report.json --schema", "of which report"),
    ],
)
def test_what_makes_no_sense(words: str, reason: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page of nothing, and of a schema, are refused."""
    assert main(words.split()) == 2
    assert reason in capsys.readouterr().err
    assert sorted(path.name for path in reports.iterdir()) == ["comparison.json", "report.json", "session.json"]


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("report gone.json", "No such file"),
        ("report report.json -o page.pdf", "expected .html"),
        ("report --schema -o schema.txt", "expected .json"),
        ("report report.json -o gone/page.html", "there is no folder"),
    ],
)
def test_mistakes(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be read or written is told in a line, and nothing is written."""
    not_done(words, reason)


@pytest.mark.usefixtures("reports")
def test_another_kind_is_refused(folder: Path, not_done: Refusal) -> None:
    """A plan is no report, and the error names the file."""
    (folder / "plan.json").write_text(gv.plan(1_000, bins=5).to_json())
    not_done("report plan.json", "plan.json: expected JSON of kind 'session' or")

"""What a run says to the service that runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.ci import annotation_lines, line_of, publish, summary
from pytest_ganvalid.report.text import Result

SOURCE = """\
import pytest


@pytest.mark.skip
@pytest.mark.ganvalid(n_required=5)
def test_a(ganvalid): ...


class TestB:
    value = 1

    @staticmethod
    def test_c(): ...

    async def test_d(self): ...
"""
BIASED = gv.compare(gv.Counts([9_000, 11_000]), gv.Counts([10_000, 10_000]), n_required=2_000, name="mass")
ROBUST = gv.compare(gv.Counts([50_000, 50_000]), gv.Counts([50_000, 50_100]), n_required=2_000, name="pt")
ESTIMATE = gv.compare_estimates((1.0, 0.1, 50), (1.05, 0.1, 50), n_required=2_000, name="mean")
REPORT = gv.combine({"pt": ROBUST, "mass": BIASED, "mean": ESTIMATE})


def row(nodeid: str, outcome: str, **more: Any) -> dict[str, Any]:
    """A row of a test that ran once."""
    usual = {"status": "failed", "reason": "", "checks": [], "runs": 1, "earlier": [], "hidden": False}
    return {"nodeid": nodeid, "outcome": outcome, **usual, **more}


ROWS = [
    row("sub/test_m.py::test_a", "ROBUST", status="passed"),
    row("sub/test_m.py::TestB::test_c[a::b]", "no demonstration", status="skipped", reason="skipped"),
    row("sub/test_m.py::TestB::test_d", "BIASED"),
]
RESULTS: dict[str, list[Result]] = {"sub/test_m.py::test_a": [ROBUST], "sub/test_m.py::TestB::test_d": [REPORT]}


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module of tests in a folder below that of the checkout."""
    path = tmp_path / "project" / "sub" / "test_m.py"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("test_a", 4),
        ("test_a[1-2]", 4),
        ("TestB::test_c[a::b]", 12),
        ("TestB::test_d", 15),
        ("TestB::no", 9),
        ("no", 1),
    ],
)
def test_a_test_has_a_line(name: str, line: int, module: Path) -> None:
    """A test begins at its first decorator; where it is not found, at what it is in."""
    assert line_of(module, f"sub/test_m.py::{name}") == line


def test_what_cannot_be_read_has_a_first_line(tmp_path: Path) -> None:
    """A file that is not there, or no Python, is told by its first line."""
    assert line_of(tmp_path / "none.py", "none.py::test_a") == 1
    (tmp_path / "odd.py").write_text("def (")
    assert line_of(tmp_path / "odd.py", "odd.py::test_a") == 1


def test_tests_that_demonstrate_nothing_are_annotated(module: Path, tmp_path: Path) -> None:
    """A biased test is an error at its line that names the observable, a skipped one a warning, a robust one none."""
    root = tmp_path / "project"
    lines = annotation_lines(ROWS, RESULTS, root, tmp_path, ["100 % of nothing\nshown"])
    assert module.is_relative_to(root)
    assert len(lines) == 3
    assert lines[0].startswith("::error file=project/sub/test_m.py,line=15,title=ganvalid%3A BIASED::")
    assert "%0Amass BIASED: supports " in lines[0]
    assert "%0Apt " not in lines[0]
    assert "%0Anext: improve mass" in lines[0]
    assert lines[1].startswith("::warning file=project/sub/test_m.py,line=12,title=ganvalid%3A no demonstration::")
    assert lines[1].endswith("::sub/test_m.py::TestB::test_c[a::b]: skipped")
    assert lines[2] == "::error title=ganvalid::100 %25 of nothing%0Ashown"
    assert not any("\n" in line for line in lines)


def test_hidden_failures_are_annotated(tmp_path: Path) -> None:
    """A check that was not ROBUST in a test that passes is an error; elsewhere than in the checkout by its name."""
    hidden = row("test_m.py::test_a", "UNPROVEN", status="passed", hidden=True)
    (line,) = annotation_lines([hidden], {}, tmp_path, tmp_path / "elsewhere")
    assert line.startswith("::error file=test_m.py,line=1,")


def test_the_summary_is_a_table() -> None:
    """Each observable has a row, the worst test and observable first, with what a perfect generator would get."""
    text = summary(ROWS, RESULTS, ["it fails"])
    assert text.startswith("## ganvalid: 1 of 3 demonstrated\n\n- it fails\n")
    table = [re.split(r" *(?<!\\)\| *", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    assert {len(cells) for cells in table} == {7}
    assert [cells[:4] for cells in table[2:]] == [
        ["**BIASED**", r"sub/test\_m.py::TestB::test\_d", "mass", "BIASED"],
        ["", "", "mean", str(ESTIMATE.verdict)],
        ["", "", "pt", "ROBUST"],
        ["**no demonstration**", r"sub/test\_m.py::TestB::test\_c\[a::b\]", "skipped", ""],
        ["**ROBUST**", r"sub/test\_m.py::test\_a", "pt", "ROBUST"],
    ]
    assert re.fullmatch(r"[\d,]+ to [\d,]+", table[2][6])


def test_a_name_is_no_markup() -> None:
    """What others have named cannot break the table, nor be HTML."""
    text = summary([row("t|<img>\n", "BIASED")], {})
    assert r"t\|&lt;img&gt;\\n" in text


def test_a_long_summary_is_cut() -> None:
    """GitHub drops a summary that is too long: it is cut, and says so."""
    rows = [row(f"test_m.py::test_{'x' * 500}[{number}]", "BIASED") for number in range(3_000)]
    text = summary(rows, {})
    assert len(text.encode()) < 1_000_000
    assert "The summary is cut here" in text


class Terminal:
    """Keeps what is written."""

    def __init__(self, root: Path) -> None:
        """Be that of a session in a folder."""
        self.lines: list[str] = []
        self.config = self
        self.rootpath = root

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(text)


def published(root: Path, **environment: str) -> list[str]:
    """The lines that a run writes in an environment."""
    terminal: Any = Terminal(root)
    record = {"nodeid": "test_m.py::test_a", "kind": BIASED.KIND, "gate": True, "result": BIASED.to_json()}
    look = {**record, "gate": False, "nodeid": "looked"}
    publish(terminal, [row("test_m.py::test_a", "BIASED")], [record, look], (), environment)
    return list(terminal.lines)


def test_only_the_service_is_told(tmp_path: Path) -> None:
    """Annotations are for GitHub Actions, the summary is added to the file of the step, and else nothing is said."""
    assert published(tmp_path) == []
    (line,) = published(tmp_path, GITHUB_ACTIONS="true")
    assert "mass BIASED" in line
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    assert published(tmp_path, GITHUB_STEP_SUMMARY=str(file)) == []
    text = file.read_text()
    assert text.startswith("before\n## ganvalid: 0 of 1 demonstrated")
    assert "looked" not in text
    (line,) = published(tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path))
    assert line.startswith("ganvalid: the summary of the step was not written: ")

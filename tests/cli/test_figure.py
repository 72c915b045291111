"""``ganvalid figure``: figure 1 of a report or a toy, as a picture or in numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import generators
from pytest_ganvalid.cli import main
from pytest_ganvalid.cli.figure import GENERATORS, TOYS
from pytest_ganvalid.figures import toy_figure
from pytest_ganvalid.report.figure import UncertaintyFigure, figure_of

Refusal = Callable[[str, str], None]
COMPARISON = gv.compare(
    gv.Counts([1000, 2100, 2900]), gv.Counts([980, 2000, 3020]), n_required=500, n_train=90, name="mass"
)
REPORT = gv.combine({"mass": COMPARISON, "pt": COMPARISON})


@pytest.fixture
def reports(folder: Path) -> Path:
    """A folder with a report, a comparison, and the reports of sessions with one test and with two."""
    (folder / "report.json").write_text(REPORT.to_json())
    (folder / "comparison.json").write_text(COMPARISON.to_json())
    check = {"kind": "report", "result": json.loads(REPORT.to_json())}
    for name, tests in {"one.json": ["a.py::test_a"], "two.json": ["a.py::test_a", "a.py::test_b"]}.items():
        checks = [check | {"nodeid": test} for test in tests]
        (folder / name).write_text(json.dumps({"kind": "session", "version": 2, "checks": checks}))
    return folder


@pytest.mark.parametrize("source", ["report.json", "comparison.json", "one.json", "two.json --check a.py::test_b"])
def test_a_report_is_drawn(source: str, reports: Path) -> None:
    """Reports, comparisons and sessions give the numbers of the Python call, as JSON and as CSV."""
    words = f"figure {source} --systematic 0.01 --n-required 4e3 --probability 1/4 --title words -o a.json -o a.csv"
    assert main(words.split()) == 0
    expected = figure_of(COMPARISON, systematic=0.01, n_required=4_000, probability=0.25, title="words")
    assert UncertaintyFigure.from_json((reports / "a.json").read_text()) == expected
    assert (reports / "a.csv").read_text() == expected.to_csv()


def test_pictures_are_written(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture is written where nothing else is asked for, and numbers that were written are drawn as they are."""
    pytest.importorskip("matplotlib")
    assert main(["figure", "report.json", "--observable", "pt", "-o", "a.json", "-o", "a.svg"]) == 0
    assert main(["figure", "a.json", "-o", "b.svg"]) == 0
    assert (reports / "a.svg").read_bytes() == (reports / "b.svg").read_bytes()
    assert main(["figure", "report.json"]) == 0
    assert (reports / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.splitlines() == [f"wrote {x}" for x in ("a.json", "a.svg", "b.svg", "figure.png")]


def test_a_toy_is_drawn(folder: Path) -> None:
    """A generator is trained on events of a toy and measured; the names are those of the package."""
    assert set(GENERATORS) <= set(generators.__all__)
    assert set(TOYS) <= set(gv.toys.__all__)
    words = "figure camel-back --generator bootstrap --n-train 400 --n-required 900 --events 5e3 --seed 3 -o a.json"
    assert main(words.split()) == 0
    figure = UncertaintyFigure.from_json((folder / "a.json").read_text())
    toy = gv.toys.CamelBack()
    generator = generators.Bootstrap(toy.sample(400, seed=10_000_003))
    assert figure == toy_figure(toy, generator, n_required=900, n_train=400, events=5_000, seed=3)


@pytest.mark.usefixtures("_one_thread")
def test_a_trained_generator_is_drawn(folder: Path) -> None:
    """A file of ``ganvalid train`` says itself on how many events it was trained."""
    assert main(["simulate", "camel-back", "-n", "300", "--seed", "77", "-o", "events.npz"]) == 0
    settings = "--set steps=20 width=8 batch=50 members=1"
    assert main(f"train events.npz -o camel.safetensors {settings}".split()) == 0
    words = "figure camel-back --generator camel.safetensors --n-required 900 --events 2e3 -o a.json"
    assert main(words.split()) == 0
    figure = UncertaintyFigure.from_json((folder / "a.json").read_text())
    assert (figure.n_train, figure.n_star) == (300, 300)


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("figure", "required: SOURCE"),
        ("figure report.json --systematic much", "'much' is not a number"),
        ("figure report.json --generator bootstrap", "--generator is of a toy, and 'report.json' is none"),
        ("figure camel-back", "give --generator and --n-required"),
        ("figure camel-back --generator no --n-required 5", "there is no generator 'no'; expected one of Bootstrap"),
        ("figure camel-back --generator Bootstrap --n-required 5", "on how many events shall Bootstrap be trained?"),
        ("figure ring --generator bootstrap --n-required 5 --n-train 1e99", "a whole number from 1 to 1e+12"),
        ("figure camel-back --observable x", "--observable is of a report; 'camel-back' is a toy"),
        ("figure report.json -o report.json", "report.json is read, and would be written over"),
        ("figure report.json -o a.csv -o a.csv", "--output 1 and --output 2 are both a.csv"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("figure none.json -o a.csv", "none.json: No such file"),
        ("figure report.json -o a.gif", "the suffix '.gif' is not known; expected .png or .svg"),
        (
            "figure report.json --observable q -o a.csv",
            "report.json: there is no observable 'q'; there are ['mass'",
        ),
        ("figure report.json --probability 2 -o a.csv", "--probability 2.0 is out of range"),
        ("figure two.json -o a.csv", "2 checks in this report of a session; name one with --check: a.py::test_a, a.py"),
        ("figure two.json --check b -o a.csv", "no check of 'b' in this report of a session"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be drawn or written gets one line and status 1, and writes nothing."""
    not_done(words, reason)


@pytest.mark.parametrize("text", ["{", "[1]", '{"kind": "plan"}', '{"kind": "figure", "version": 2}', '{"kind": []}'])
def test_other_files_are_refused(text: str, folder: Path, not_done: Refusal) -> None:
    """What is no result of this package is refused by the name of the file."""
    (folder / "odd.json").write_text(text)
    not_done("figure odd.json -o a.csv", "odd.json: ")


@pytest.mark.usefixtures("reports")
def test_a_figure_is_as_it_is(not_done: Refusal, capsys: pytest.CaptureFixture[str]) -> None:
    """The settings of a figure that was computed cannot be changed; they are of its report."""
    assert main(["figure", "report.json", "-o", "figure.json"]) == 0
    capsys.readouterr()
    not_done("figure figure.json --systematic 0.1 -o a.csv", "--systematic cannot change a figure")

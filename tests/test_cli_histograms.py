"""``ganvalid fill``, ``merge`` and ``check``: the verdict of Python, in steps, with nothing half-done left behind."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main
from pytest_ganvalid.cli.observing import keywords, observables
from pytest_ganvalid.observables import Selection
from pytest_ganvalid.partial import Histograms

OBSERVABLES = "x,x:y,x where passed"
BY_NAME: list[Any] = ["x", ("x", "y"), Selection("x", "passed")]


def write_events(path: Path, seed: int, n: int = 800) -> None:
    """Write events."""
    rng = np.random.default_rng(seed)
    np.savez(
        path,
        x=rng.normal(size=n),
        y=rng.normal(size=n),
        w=rng.uniform(0.5, 1.5, size=n),
        k=rng.integers(0, 2, n).astype(float),
        passed=rng.uniform(size=n) > 0.4,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with events of both sides, and their histograms."""
    folder = tmp_path_factory.mktemp("made")
    for seed, name in enumerate(("ref1", "ref2", "gen1", "gen2", "gen3")):
        write_events(folder / f"{name}.npz", seed)
    words = [str(folder / "ref1.npz"), str(folder / "ref2.npz"), "-o", str(folder / "ref.json")]
    assert main(["fill", *words, "--observables", OBSERVABLES, "--bins", "9"]) == 0
    for name in ("gen1", "gen2", "gen3"):
        words = [str(folder / f"{name}.npz"), "--like", str(folder / "ref.json"), "-o", str(folder / f"{name}.json")]
        assert main(["fill", *words]) == 0
    assert main(["merge", *(str(folder / f"gen{i}.json") for i in (1, 2, 3)), "-o", str(folder / "gen.json")]) == 0
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of one's own with the same files."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_steps_give_the_verdict_on_events(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Filling in parts, merging and checking prints the text, and has the status, of a check of the events."""
    events = ["check", "gen*.npz", "ref*.npz", "--n-required", "50", "--observables", OBSERVABLES, "--bins", "9"]
    for n_required, status in (("50", 0), ("1e6", 3)):
        events[4] = n_required
        assert main(["check", "gen.json", "ref.json", "--n-required", n_required, "-o", "out.json"]) == status
        filled = capsys.readouterr()
        assert main(events) == status
        whole = capsys.readouterr()
        assert filled.out == f"{whole.out}wrote out.json\n"
        assert filled.err == whole.err == ""
        report = gv.Report.from_json((folder / "out.json").read_bytes())
        expected = gv.validate("gen*.npz", "ref*.npz", n_required=float(n_required), observables=BY_NAME, bins=9)
        assert report.comparisons == expected.comparisons
        assert whole.out == f"{gv.explain(expected)}\n"


def test_events_are_filled_like_a_reference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference kept as a file of histograms is all it takes to check new events."""
    assert main(["check", "gen*.npz", "ref.json", "--n-required", "50", "--observables", "x:y,x where passed"]) == 0
    events = capsys.readouterr().out
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", "--observables", "x where passed,x:y"]) == 0
    assert capsys.readouterr().out == events
    assert (folder / "ref.json").stat().st_size < 60_000


def test_limits_and_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every limit, n_train and the training events arrive where Python's do."""
    words = "--n-train 100 --confidence 0.9 --max-bias 2 --max-local-bias 6 --min-power 1/4 --min-expected 20"
    limits = {"n_train": 100, "confidence": 0.9, "max_bias": 2, "max_local_bias": 6, "min_power": 0.25}
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", *words.split(), "-o", "out.json"]) == 0
    report = gv.Report.from_json((folder / "out.json").read_bytes())
    expected = gv.validate("gen.json", "ref.json", n_required=50, min_expected=20, **limits)  # type: ignore[arg-type]
    assert report.comparisons == expected.comparisons
    capsys.readouterr()
    assert main(["check", "gen.json", "ref.json", "--n-required", "50", "--training", "gen1.npz"]) == 3
    assert "not independent: " in capsys.readouterr().out


def test_merging_is_in_any_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The merged file is the same, to the last byte, in whatever order its parts are named, weighted too."""
    for i in (1, 2, 3):
        words = ["--like", "ref.json", "--weight", "w", "-o", f"w{i}.json"]
        assert main(["fill", f"gen{i}.npz", *words]) == 0
    for stem in ("gen", "w"):
        found = set()
        for names in ("123", "321", "213"):
            assert main(["merge", *(f"{stem}{i}.json" for i in names), "-o", "all.json"]) == 0
            found.add((folder / "all.json").read_bytes())
        assert main(["merge", f"{stem}[123].json", "-o", "all.json", "--quiet"]) == 0
        found.add((folder / "all.json").read_bytes())
        assert len(found) == 1
    assert "added up 3 files, 2,400 events; wrote all.json" in capsys.readouterr().out


def test_options_mean_what_they_do_in_python(folder: Path) -> None:
    """Bins, strata, places and weights are those of ``fill``."""
    words = (
        "fill ref1.npz -o a.json --observables x,y,x:y --bins 7 --bins y=0,1 --by k --weight w --nonfinite x=overflow"
    )
    assert main(words.split()) == 0
    expected = gv.fill(
        "ref1.npz",
        observables=["x", "y", ("x", "y")],
        bins={"x": 7, "y": [0, 1], "x:y": 7},
        by="k",
        weight="w",
        nonfinite={"x": "overflow"},
    )
    assert Histograms.from_json((folder / "a.json").read_bytes()) == expected
    assert main(["fill", "gen1.npz", "-o", "b.json", "--like", "a.json"]) == 0
    assert Histograms.from_json((folder / "b.json").read_bytes()).recipe.weight == "w"
    assert main(["fill", "gen1.npz", "-o", "b.json", "--like", "a.json", "--unweighted"]) == 0
    assert Histograms.from_json((folder / "b.json").read_bytes()).recipe.weight is None
    assert main(["fill", "gen1.npz", "-o", "b.json", "--observables", "y", "--bins=-1,0,1", "--by", "x=0,2"]) == 0
    found = Histograms.from_json((folder / "b.json").read_bytes())
    assert found == gv.fill("gen1.npz", observables=["y"], bins=[-1, 0, 1], by=("x", [0, 2]))
    check = "check gen1.npz ref1.npz --n-required 10 --observables x --weight ,w -o r.json"
    assert main(check.split()) in {0, 3}
    report = gv.Report.from_json((folder / "r.json").read_bytes())
    weighted = gv.validate("gen1.npz", "ref1.npz", n_required=10, observables=["x"], weight=(None, "w"))
    assert report.comparisons == weighted.comparisons


def test_a_report_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--report`` writes what a test run would, whatever the verdict."""
    pytest.importorskip("jinja2")
    assert main(["check", "gen.json", "ref.json", "--n-required", "1e7", "--report", "out/deep"]) == 3
    session = json.loads((folder / "out" / "deep" / "report.json").read_text(encoding="utf-8"))
    assert session["checks"][0]["nodeid"] == "gen.json against ref.json"
    assert "gen.json against ref.json" in (folder / "out" / "deep" / "report.html").read_text(encoding="utf-8")
    assert "wrote out/deep/report.html" in capsys.readouterr().out


def test_observables_are_read_as_they_are_named() -> None:
    """The words for observables are those that reports use for them."""
    assert observables("leading(a),b : c, sum(d) where e") == ["leading(a)", "b : c", "sum(d) where e"]
    given = observables("a,leading(b),a:b,a:b:c,a:b where k")
    arguments: Any = type("Arguments", (), {"observables": given, "bins": [], "nonfinite": [], "by": None})()
    said = keywords(arguments)["observables"]
    assert said[:4] == ["a", "leading(b)", ("a:b", ("a", "b")), ("a:b:c", ("a", "b", "c"))]
    assert said[4] == Selection(("a", "b"), "k", name="a:b where k")


USAGE = {
    "fill": "the following arguments are required: EVENTS, -o/--output",
    "fill ref1.npz -o a.json --like ref.json --bins 5": "--like says what to fill, and in which bins; leave out --bins",
    "fill ref1.npz -o a.json --weight w --unweighted": "not allowed with argument",
    "fill ref1.npz -o a.json --observables x,": "'x,' names nothing",
    "fill ref1.npz -o a.json --observables x:": "'x:' names nothing",
    "fill ref1.npz -o a.json --bins many": "'many' gives no bins",
    "fill ref1.npz -o a.json --bins x=1,b": "'x=1,b' gives no bins",
    "fill ref1.npz -o a.json --bins 5 --bins 6": "--bins says two things of one observable",
    "fill ref1.npz -o a.json --bins 5 --bins x=6": "then name all of them with --observables",
    "fill ref1.npz -o a.json --observables x --bins z=6": "--bins names 'z', which --observables does not",
    "fill ref1.npz -o a.json --nonfinite nowhere": "'nowhere' names no place",
    "fill ref1.npz -o a.json --by =5": "'=5' names no column",
    "fill gen1.npz --like ref.json -o ref.json": "ref.json is read, and would be written over",
    "merge -o a.json": "the following arguments are required: FILE",
    "merge gen1.json gen2.json -o gen1.json": "gen1.json is read, and would be written over",
    "merge gen*.json -o gen2.json": "gen2.json is read, and would be written over",
    "check gen.json": "the following arguments are required: REFERENCE, --n-required",
    "check gen.json ref.json --n-required lots": "'lots' is not a number",
    "check gen.json ref.json --n-required 1/0": "'1/0' is not a number",
    "check gen.json ref.json --n-required 5 -o ref.json": "ref.json is read, and would be written over",
    "check gen.json ref.json --n-required 5 -o out/report.json --report out": "expected different files",
}


@pytest.mark.parametrize("words", USAGE)
def test_what_is_not_understood(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(shlex.split(words)) == 2
    printed = capsys.readouterr()
    assert USAGE[words] in printed.err
    assert not printed.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


FAILURES = {
    "fill none.npz -o a.json": "none.npz: there is no such file",
    "fill ref1.npz -o a.txt": "the suffix '.txt' is not known; expected .json",
    "fill ref1.npz -o no/a.json": "there is no folder 'no'",
    "fill ref1.npz -o a.json --observables q": "there is no column 'q'",
    "fill ref1.npz -o a.json --observables x --bins 1": "compares nothing; expected at least 2",
    "fill ref1.npz ref1.npz -o a.json": "named twice",
    "fill ref1.npz -o a.json --like none.json": "none.json: No such file",
    "fill ref1.npz -o a.json --like gen1.npz": "gen1.npz: not a JSON text",
    "fill ref1.npz -o a.json --weight q": "no weight column 'q'",
    "fill gen.json -o a.json": "the suffix '.json' is not known",
    "merge none.json -o a.json": "none.json: No such file",
    "merge no*.json -o a.json": "the pattern matches no file",
    "merge gen1.json gen1.json -o a.json": "named twice",
    "merge gen.json gen2.json -o a.json": "gen2.npz (in gen.json) and gen2.npz (in gen2.json) hold the same 800 events",
    "merge gen1.npz -o a.json": "gen1.npz: not a JSON text",
    "check gen.json gen1.json --n-required 5": "hold the same 800 events",
    "check ref.json gen.json --n-required 5": "the bins were chosen from the generated events",
    "check gen.json ref.json --n-required 0": "n_required=0",
    "check gen.json ref.json --n-required 5 --bins 7": "bins can only be chosen when histograms are filled",
    "check gen.json ref.json --n-required 5 --observables z": "there is no histogram 'z'",
    "check gen.json ref.json --n-required 5 --confidence 2": "confidence=2",
    "check gen.json ref.json --n-required 5 -o no/r.json": "there is no folder 'no'",
    "check gen.json ref.json --n-required 5 --report gen.json": "this is a file; expected a folder",
    "check gen.yoda ref.yoda --n-required 5": "yoda2root",
    "check gen.txt ref.json --n-required 5": "the suffix '.txt' is not known",
}


@pytest.mark.parametrize("words", FAILURES)
def test_what_cannot_be_done(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done gets one line and status 1, and leaves everything as it was."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(shlex.split(words)) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("ganvalid: error: ")
    assert FAILURES[words] in line
    assert not printed.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_links_to_inputs_are_not_written_over(folder: Path) -> None:
    """An input is recognised under another name."""
    (folder / "link.json").hardlink_to(folder / "ref.json")
    (folder / "soft.json").symlink_to(folder / "ref.json")
    for name in ("link.json", "soft.json"):
        assert main(["fill", "gen1.npz", "--like", "ref.json", "-o", name]) == 2


@pytest.mark.parametrize("words", ["fill gen1.npz --like ref.json -o a.json", "merge gen1.json gen2.json -o a.json"])
def test_an_interrupted_command_leaves_nothing(
    words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C at any time, while reading or writing, leaves what was there before."""
    (folder / "a.json").write_text("before", encoding="utf-8")
    before = sorted(path.name for path in folder.iterdir())

    def interrupt(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    from pytest_ganvalid.partial import codec, filling, reading

    places: list[tuple[Any, str]] = [(codec, "written"), (Path, "write_bytes"), (Path, "replace")]
    places += [(filling, "fill_part")] if words.startswith("fill") else [(reading, "read_histograms")]
    for holder, name in places:
        with monkeypatch.context() as patch:
            patch.setattr(holder, name, interrupt)
            assert main(words.split()) == 130
        assert capsys.readouterr().err == "ganvalid: interrupted; nothing was written\n"
        assert sorted(path.name for path in folder.iterdir()) == before
        assert (folder / "a.json").read_text(encoding="utf-8") == "before"
    assert main(words.split()) == 0
    assert (folder / "a.json").read_text(encoding="utf-8") != "before"


def test_a_full_disk_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be written to the end is not written at all."""

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device", str(self))

    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(Path, "write_bytes", full)
    for words in ("fill gen1.npz --like ref.json -o a.json", "merge gen1.json gen2.json -o a.json"):
        assert main(words.split()) == 1
        assert "No space left on device" in capsys.readouterr().err
    assert main(["check", "gen.json", "ref.json", "--n-required", "5", "-o", "a.json"]) == 1
    assert sorted(path.name for path in folder.iterdir()) == before


def test_bars_are_for_terminals(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal gets a progress bar unless ``--quiet`` is given; a file gets none."""
    pytest.importorskip("tqdm")
    words = ["merge", "gen1.json", "gen2.json", "-o", str(folder / "a.json")]
    for terminal, more, shown in ((True, [], True), (True, ["--quiet"], False), (False, [], False)):
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
            assert main([*words, *more]) == 0
        assert ("adding" in capsys.readouterr().err) is shown


VALUES = [
    *("x", "x,y", "x:y", "x:y:k", "x where passed", "leading(x)", "count(k)", "q", "", ",", ":", "=", " where ", "-1"),
    *("5", "1", "0", "-3", "1e3", "1e400", "nan", "inf", "0,1", "1,0", "0,0", "x=5", "x=0,1", "y=", "=5", "1/0", "0.5"),
    *("error", "overflow", "separate", "x=underflow", "k", "k=2", "k=0,1", "w", ",w", "w,", "passed", "\udc80", "\x00"),
    *(
        "gen1.npz",
        "ref1.npz",
        "gen.json",
        "ref.json",
        "gen*.json",
        "no.json",
        "a.json",
        ".",
        "/",
        "~",
        "a.root",
        "x.yoda",
    ),
]
OPTIONS = [
    *("--observables", "--bins", "--by", "--nonfinite", "--weight", "--unweighted", "--like", "-o", "--output"),
    *("--n-required", "--n-train", "--training", "--confidence", "--max-bias", "--max-local-bias", "--min-power"),
    *("--min-expected", "--report", "--quiet", "--odd", "--"),
]
STARTS: dict[str, list[str]] = {
    "fill": ["fill", "gen1.npz", "-o", "a.json"],
    "merge": ["merge", "gen1.json", "gen2.json", "-o", "a.json"],
    "check": ["check", "gen.json", "ref.json", "--n-required", "5"],
    "check events": ["check", "gen1.npz", "ref1.npz", "--n-required", "5"],
}


def check_words(words: list[str], folder: Path) -> None:
    """The status is one of those documented, and neither inputs nor odd files are left changed."""
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert main(words) in {0, 1, 2, 3}
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert {name for name in after if name.startswith(".")} == set()
    assert {name: after.get(name) for name in before if name != "a.json"} == {
        name: content for name, content in before.items() if name != "a.json"
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    start=st.sampled_from(sorted(STARTS)),
    more=st.lists(
        st.one_of(st.sampled_from(OPTIONS), st.sampled_from(VALUES), st.text(st.characters(codec="utf-8"), max_size=5)),
        max_size=5,
    ),
)
def test_any_words_get_an_answer(start: str, more: list[str], folder: Path) -> None:
    """Whatever the options are, there is a result, or an error of one line and status 1 or 2; never a traceback."""
    # What is written goes to one name, so that no odd file is left in the way of the next example.
    words = [word if word not in {"-o", "--output", "--report"} else "--quiet" for word in more]
    check_words([*STARTS[start], *words], folder)
    check_words(words, folder)


def test_options_in_pairs_get_an_answer(folder: Path) -> None:
    """Likewise, with options that have a value each."""
    rng = np.random.default_rng(0)

    def chosen(among: list[str]) -> str:
        return among[int(rng.integers(len(among)))]

    for _ in range(150):
        start = STARTS[chosen(sorted(STARTS))]
        pairs = [(chosen(OPTIONS[:7]), chosen(VALUES)) for _ in range(int(rng.integers(1, 3)))]
        check_words([*start, *(word for pair in pairs for word in pair)], folder)

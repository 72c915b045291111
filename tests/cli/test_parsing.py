"""The words that commands take, and the places they write to."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pytest_ganvalid.cli import parsing
from pytest_ganvalid.cli.parameters import Parameter
from pytest_ganvalid.errors import InputError


def refused(read: Any, text: str, message: str) -> None:
    """A text is refused with a message that begins with itself."""
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{text!r} {message}")


def test_counts() -> None:
    """A whole number may be written in powers of ten; anything else is refused."""
    assert [parsing.count(text) for text in ("12", "1e6", "2.5e1", "-3")] == [12, 1_000_000, 25, -3]
    for text in ("1.5", "", "ten", "nan", "inf"):
        refused(parsing.count, text, "is not a whole number; expected one such as 10000 or 1e6")


def test_numbers() -> None:
    """A number may be a fraction, and one of few things is whole."""
    assert [parsing.number(text) for text in ("0.5", "1/4", "1e6")] == [0.5, 0.25, 1e6]
    for text in ("", "much", "1/0"):
        refused(parsing.number, text, "is not a number; expected one such as 0.95 or 1e6")
    assert parsing.integer("3") == 3
    for text in ("1.5", "inf", "1e400"):
        refused(parsing.integer, text, "is not a whole number; expected one such as 2")


def test_several_outputs(tmp_path: Path) -> None:
    """Outputs may be several, each of a known kind, none twice and none of the inputs."""
    parser = argparse.ArgumentParser()
    parsing.add_outputs(parser, (".csv", ".json"), "a.csv")
    files = [tmp_path / "a.csv", tmp_path / "b.json"]
    words = [word for file in files for word in ("-o", str(file))]
    assert parser.parse_args(words).output == files
    assert "(default: a.csv)" in " ".join(parser.format_help().split())
    parsing.check_outputs(files, (".csv", ".json"), ["in.json"])
    for wrong, inputs in (([files[0]] * 2, []), ([tmp_path / "a.txt"], []), (files, [files[1]])):
        with pytest.raises((InputError, parsing.UsageError)):
            parsing.check_outputs(wrong, (".csv", ".json"), inputs)


def test_names() -> None:
    """Names are separated by commas, and spaces around them do not count."""
    assert parsing.names(" a ,b c,d") == ["a", "b c", "d"]
    for text in ("", "a,", ",a", "a, ,b"):
        refused(parsing.names, text, "names nothing; expected names separated by commas")


def test_assignments() -> None:
    """A name ends at the first sign of equality; the value may be empty or have another."""
    assert parsing.assignment("a = b=c ") == ("a", "b=c")
    assert parsing.assignment("a=") == ("a", "")
    for text in ("a", "=b", ""):
        refused(parsing.assignment, text, "sets nothing; expected name=value")


def test_values_are_those_of_the_parameters() -> None:
    """Values are read as the kinds of the parameters; names and texts that do not fit are refused with what does."""
    known = [
        Parameter(name="n", kind=int, default="1", meaning="a number"),
        Parameter(name="x", kind=float, default="0.5", meaning="another"),
    ]
    assert parsing.values_of([("x", "2"), ("n", "3"), ("x", "4")], known, "no") == {"x": 4.0, "n": 3}
    with pytest.raises(parsing.UsageError, match=r"^there is no 'z'; expected one of n, x$"):
        parsing.values_of([("z", "1")], known, "there is no")
    with pytest.raises(parsing.UsageError, match=r"^n=1\.5 is not understood; expected a whole number$"):
        parsing.values_of([("n", "1.5")], known, "no")


def test_a_place_for_a_file(tmp_path: Path) -> None:
    """A file may be where there is a folder, also over another file; not without one, nor over one."""
    for suffixes in ((".json",), (".npz", ".json")):
        parsing.check_output(tmp_path / "a.json", suffixes)
    with pytest.raises(InputError, match=r"a\.txt: the suffix '\.txt' is not known; expected \.npz or \.json"):
        parsing.check_output(tmp_path / "a.txt", (".npz", ".json"))
    with pytest.raises(InputError, match=r"there is no folder '.*no'; make it first"):
        parsing.check_output(tmp_path / "no" / "a.json", (".json",))
    with pytest.raises(InputError, match="this is a folder; expected the name of a file"):
        parsing.check_place(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file.json").touch()
    parsing.check_place(tmp_path / "file.json")
    with pytest.raises(InputError, match=r"there is no folder '.*file\.json'"):
        parsing.check_place(tmp_path / "file.json" / "a.json")


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before any work is done, with the reason."""

    def denied(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", denied)
    with pytest.raises(InputError, match=r"a\.json: nothing can be written .* \(Permission denied\); choose another"):
        parsing.check_place(tmp_path / "a.json")


def test_two_outputs_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file may not be written for two options, however it is spelt; what is not asked for is no file."""
    monkeypatch.chdir(tmp_path)
    parsing.check_distinct({"-a": None, "-b": None, "-c": Path("c"), "-d": Path("d")})
    with pytest.raises(parsing.UsageError, match=r"^-c and -d are both c; expected different"):
        parsing.check_distinct({"-a": None, "-c": tmp_path / "c", "-d": Path("c")})


def test_outputs_are_not_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is read is not written, under no name of it; an address is no file of this machine."""
    monkeypatch.chdir(tmp_path)
    Path("a").touch()
    Path("b").touch()
    os.link("a", "hard")
    Path("soft").symlink_to("a")
    parsing.check_not_among(Path("a"), ["b", "none", "root://host/a", "file://a"])
    for name in (tmp_path / "a", "a", "hard", "soft"):
        with pytest.raises(parsing.UsageError, match=r"^a is read, and would be written over; expected another name$"):
            parsing.check_not_among(Path("a"), ["b", name])


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_tables_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right column is wrapped to the terminal, at most 118 wide, under its beginning; an empty one leaves none."""
    monkeypatch.setenv("COLUMNS", str(columns))
    words = [f"word{i}" for i in range(60)]
    lines = parsing.table([("a", " ".join(words)), ("long", ""), ("bb", "x")]).splitlines()
    assert [lines[0][:7], lines[-2], lines[-1]] == ["  a    ", "  long", "  bb    x"]
    assert all(line.startswith(" " * 8) for line in lines[1:-2])
    assert " ".join(lines[:-2]).split()[1:] == words
    assert not any(line[8] == " " for line in lines[1:-2])
    (first, *rest) = parsing.table([("long", "x" * 500)]).splitlines()
    assert {len(line) for line in (first, *rest[:-1])} == {min(columns - 2, 118)}


def test_a_narrow_terminal_leaves_room_for_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right column is at least some words wide, whatever the left one leaves of the terminal."""
    monkeypatch.setenv("COLUMNS", "20")
    first = parsing.table([("a" * 30, "x" * 500)]).splitlines()[0]
    assert len(first) == 60


def test_help_is_made_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """The end of a help text may be dear, and is not made before."""
    calls = []

    def tail() -> str:
        calls.append(1)
        return "the end\n  as it is"

    parser = parsing.Parser(prog="p", tail=tail, description="words " * 40)
    assert parser.parse_args([]) == argparse.Namespace()
    assert not calls
    text = parser.format_help()
    assert calls == [1]
    assert text.endswith("the end\n  as it is\n")
    assert all(len(line) < 120 for line in text.splitlines())
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--hel"])
    assert end.value.code == 2
    assert capsys.readouterr().err == "p: error: unrecognized arguments: --hel\nSee 'p --help'.\n"


def test_settings_add_up() -> None:
    """``--set`` takes several assignments, several times."""
    parser = parsing.Parser(prog="p")
    parsing.add_settings(parser, "settings")
    assert parser.parse_args([]).set == []
    assert parser.parse_args(["--set", "a=1", "b=2", "--set", "c=3"]).set == [("a", "1"), ("b", "2"), ("c", "3")]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("n_train=0 is too small", "--n-train 0 is too small"),
        ("units= names 'm', leave out units=", "--units names 'm', leave out --units"),
        ("if only one is weighted, weight=(None, 'w')", "if only one is weighted, --weight ,w"),
        ("weight=('w', None)", "--weight w,"),
        ("seed=3 and 'n_train=3' and --n-train=3", "seed=3 and 'n_train=3' and --n-train=3"),
    ],
)
def test_errors_speak_of_options(message: str, words: str) -> None:
    """Keywords of Python are told as the options of the command; what the command has not, or is quoted, stays."""
    usage = "usage: ganvalid check [-h] [--n-train N] [--units NAME=UNIT] [--weight NAME] GENERATED"
    assert parsing.in_options(message, usage) == words

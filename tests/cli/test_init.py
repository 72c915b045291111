"""The command line as a whole: help at once, errors of one line, and an answer to any words."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ganvalid.cli import COMMANDS, main

Refusal = Callable[[str, str], None]


@pytest.mark.parametrize("words", ["--help", "--version", *(f"{command.name} --help" for command in COMMANDS)])
def test_help_comes_at_once(words: str) -> None:
    """Help is printed with status 0 and loads no torch, no part of scipy, and numpy only to list the toys."""
    heavy = ["scipy.special", "scipy.stats", "scipy.optimize", "torch"]
    if words != "simulate --help":
        heavy += ["numpy", "scipy"]
    code = (
        "import sys; from pytest_ganvalid.cli import main; status = main(sys.argv[1:]);"
        f"sys.exit(status or [name for name in {heavy} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.stderr in {"", "[]\n"}
    assert done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_an_example(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help ends with a worked example of that command."""
    assert main([command.name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"\n  ganvalid {command.name} " in printed[printed.index("example") :]


@pytest.mark.skipif("GANVALID_TEST_WHEEL" not in os.environ, reason="only where the wheel is installed, as by tox")
def test_the_program_is_installed() -> None:
    """The wheel installs ``ganvalid``."""
    scripts = importlib.metadata.distribution("pytest-ganvalid").entry_points.select(group="console_scripts")
    assert [(script.name, script.value) for script in scripts] == [("ganvalid", "pytest_ganvalid.cli:main")]


def test_nothing_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help goes to stderr, with status 2."""
    assert main([]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert all(command.name in printed.err for command in COMMANDS)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("frobnicate", "invalid choice: 'frobnicate'"),
        ("chhck", "(did you mean 'check'?)"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """An unknown command is refused."""
    not_understood(words, reason)


def test_a_missing_package_is_named(folder: Path) -> None:
    """Without torch, training fails with the command that installs it."""
    code = "import sys; sys.modules['torch'] = None; from pytest_ganvalid.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "train", "events.npz", "-o", "out.safetensors"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 1
    assert 'pip install "pytest-ganvalid[gan]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1


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


def check_words(words: list[str], filled: Path) -> None:
    """The status is one of those documented, and neither inputs nor odd files are left changed."""
    before = {path.name: path.read_bytes() for path in filled.iterdir() if path.is_file()}
    assert main(words) in {0, 1, 2, 3}
    after = {path.name: path.read_bytes() for path in filled.iterdir() if path.is_file()}
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
def test_any_words_get_an_answer(start: str, more: list[str], filled: Path) -> None:
    """Whatever the options are, there is a result, or an error of one line and status 1 or 2; never a traceback."""
    # What is written goes to one name, so that no odd file is left in the way of the next example.
    words = [word if word not in {"-o", "--output", "--report"} else "--quiet" for word in more]
    check_words([*STARTS[start], *words], filled)
    check_words(words, filled)


def test_options_in_pairs_get_an_answer(filled: Path) -> None:
    """Likewise, with options that have a value each."""
    rng = np.random.default_rng(0)

    def chosen(among: list[str]) -> str:
        return among[int(rng.integers(len(among)))]

    for _ in range(150):
        start = STARTS[chosen(sorted(STARTS))]
        pairs = [(chosen(OPTIONS[:7]), chosen(VALUES)) for _ in range(int(rng.integers(1, 3)))]
        check_words([*start, *(word for pair in pairs for word in pair)], filled)

"""Options and ini settings come in pairs, and are read once into settings."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import _options as options
from pytest_ganvalid._options import OPTIONS, Settings, keywords, read_settings


class Config:
    """As much of a configuration as is read: command line and ini file by name."""

    def __init__(self, given: dict[str, Any], ini: dict[str, Any]) -> None:
        """Set some of the options."""
        self.rootpath, self.invocation_params = Path("root"), SimpleNamespace(dir=Path("here"))
        self.given = {f"ganvalid_{name}": value for name, value in given.items()}
        self.ini = {f"ganvalid_{name}": value for name, value in ini.items()}

    def getoption(self, name: str) -> Any:
        """What the command line says."""
        return self.given.get(name)

    def getini(self, name: str) -> Any:
        """What the ini file says."""
        return self.ini.get(name)


def settings(ini: dict[str, Any] | None = None, **given: Any) -> Settings:
    """Settings of a command line and an ini file."""
    config: Any = Config(given, ini or {})
    return read_settings(config)


def test_names() -> None:
    """An option and its ini setting have one name, in the spelling of each."""
    option = options.Option("n_required", "N", "help")
    assert (option.flag, option.ini) == ("--ganvalid-n-required", "ganvalid_n_required")
    assert [o.name for o in OPTIONS] == [
        *("n_required", "confidence", "max_bias", "report", "ledger", "strict", "require", "plots")
    ]
    assert [o.name for o in OPTIONS if o.metavar is None] == ["strict", "plots"]


def test_nothing_said() -> None:
    """Where command line and ini file are silent, so are the settings."""
    assert settings() == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n_required", "1", 1),
        ("n_required", "1e18", 10**18),
        ("n_required", "2.5", 2.5),
        ("confidence", "0.9", 0.9),
        ("max_bias", "1e-6", 1e-6),
        ("max_bias", "2", 2),
        ("report", "out", "out"),
        ("require", "3", 3),
        ("require", "1e2", 100),
        ("strict", True, True),
    ],
)
def test_values(name: str, text: str, value: object) -> None:
    """A text becomes a number, a whole one an integer."""
    found = getattr(settings(None, **{name: text}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("n_required", "0.5", "^--ganvalid-n-required: n_required=0.5 is out of range"),
        ("n_required", "2e18", "^--ganvalid-n-required: n_required=2e"),
        ("n_required", "x", "^--ganvalid-n-required: 'x' is not a number; expected one such as 100000 or 0.95$"),
        ("confidence", "0.5", "^--ganvalid-confidence: confidence=0.5 is out of range"),
        ("confidence", "1", "^--ganvalid-confidence: confidence=1.0 is out of range"),
        ("max_bias", "0", "^--ganvalid-max-bias: max_bias=0.0 is out of range"),
        ("max_bias", "inf", "^--ganvalid-max-bias: max_bias=inf is out of range"),
        ("require", "0", "^--ganvalid-require: require=0 is too small"),
        ("require", "1.5", "^--ganvalid-require: require=1.5 is a float"),
        ("report", "", "^--ganvalid-report= names no directory"),
    ],
)
def test_values_out_of_range(name: str, text: str, words: str) -> None:
    """A value out of range is an error of usage that says where it was given."""
    with pytest.raises(pytest.UsageError, match=words):
        settings(None, **{name: text})


def test_an_ini_file_says_it_of_itself() -> None:
    """An impossible floor in the ini file is not blamed on the command line."""
    with pytest.raises(pytest.UsageError, match=r"^ganvalid_n_required: "):
        settings({"n_required": "0"})


def test_the_command_line_goes_over_the_ini_file() -> None:
    """What both say is the command line's, but bounds, of which both are kept."""
    ini = {"n_required": "10", "confidence": "0.9", "max_bias": "2", "report": "ini", "plots": False, "require": "2"}
    bounds: dict[str, Any] = {"n_required_ini": 10, "confidence_ini": 0.9, "max_bias_ini": 2}
    assert settings(ini) == Settings(**bounds, report="ini", require=2)
    given = settings(ini, n_required="20", confidence="0.95", max_bias="1", report="out", require="3", strict=True)
    assert given == Settings(n_required=20, confidence=0.95, max_bias=1, **bounds, report="out", strict=True, require=3)
    assert given.command_line == {"n_required": 20, "confidence": 0.95, "max_bias": 1}
    assert given.bounds == {"n_required": [20, 10], "confidence": [0.95, 0.9], "max_bias": [1, 2]}


@pytest.mark.parametrize(
    ("name", "ini", "given", "words"),
    [
        ("n_required", "10", "9", "--ganvalid-n-required=9 would lower ganvalid_n_required = 10 of the ini file"),
        ("confidence", "0.9", "0.8", "--ganvalid-confidence=0.8 would lower ganvalid_confidence = 0.9 of the ini file"),
        ("max_bias", "2", "3", "--ganvalid-max-bias=3 would raise ganvalid_max_bias = 2 of the ini file"),
        ("require", "2", "1", "--ganvalid-require=1 would lower ganvalid_require = 2 of the ini file"),
    ],
)
def test_the_command_line_does_not_relax_the_ini_file(name: str, ini: str, given: str, words: str) -> None:
    """A command line that asks for less than the ini file is a usage error, and the same is not."""
    with pytest.raises(pytest.UsageError, match=f"^{words}; the option may only (raise|lower) it"):
        settings({name: ini}, **{name: given})
    settings({name: ini}, **{name: ini})


def test_where_the_ledger_is() -> None:
    """A ledger of the command line is beside its user, one of an ini file at the root folder, or where they say."""
    assert settings(None, ledger="a.jsonl").ledger == str(Path("here", "a.jsonl"))
    assert settings({"ledger": "a.jsonl"}).ledger == str(Path("root", "a.jsonl"))
    assert settings({"ledger": "b.jsonl"}, ledger="a.jsonl").ledger == str(Path("here", "a.jsonl"))
    away = str(Path("away").absolute())
    assert settings({"ledger": away}).ledger == settings(None, ledger=away).ledger == away
    with pytest.raises(pytest.UsageError, match=r"^--ganvalid-ledger= names no file"):
        settings(None, ledger="")


def test_plots_need_a_place_and_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are asked for with a report, and where matplotlib is, which is looked for at the start."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert settings(report="out", plots=True).plots
    assert settings({"plots": True, "report": "out"}).plots
    for ini, given in ((None, {"plots": True}), ({"plots": True}, {"confidence": "0.9"})):
        with pytest.raises(pytest.UsageError, match=r"^--ganvalid-plots needs --ganvalid-report DIR"):
            settings(ini, **given)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(pytest.UsageError, match=r"--ganvalid-plots needs the package 'matplotlib'.*\[report\]"):
        settings(report="out", plots=True)
    assert not settings(report="out").plots


def test_every_option_is_declared_twice(pytester: pytest.Pytester) -> None:
    """Each option is known to the command line and to the ini file, a flag without a value."""
    pytester.makeini("[pytest]\n" + "\n".join(f"ganvalid_{name} = 1" for name in ("n_required", "report", "plots")))
    config = pytester.parseconfig("--ganvalid-plots", "--ganvalid-n-required=7")
    found = {option.name: (config.getoption(option.ini), config.getini(option.ini)) for option in OPTIONS}
    assert found["n_required"] == ("7", "1")
    assert found["plots"] == (True, True)
    assert found["report"] == (None, "1")
    assert found["confidence"][0] is None
    assert not found["max_bias"][1]


def test_keywords_are_those_of_validate() -> None:
    """The marker takes exactly the keywords of the plain function."""
    parameters = inspect.signature(gv.validate).parameters.values()
    assert sorted(keywords()) == sorted(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def test_a_file_is_no_place_for_a_report(pytester: pytest.Pytester) -> None:
    """A report whose folder is a file, as where DIR was forgotten, stops the run before any test."""
    pytester.makepyfile(test_gate="def test(): pass")
    for name in ("test_gate.py", "test_gate.py/out"):
        result = pytester.runpytest("--ganvalid-report", name)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: --ganvalid-report: *test_gate.py is a file; *: was DIR forgotten?"])

"""The options of the plugin: one table, read once into frozen settings. Standard library and pytest only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARKER = "ganvalid"
KEYWORDS = (
    "n_required",
    "observables",
    "n_train",
    "training",
    "weight",
    "by",
    "bins",
    "seed",
    "nonfinite",
    "memory",
    "client",
    "generator",
    "cluster",
    "cluster_of",
    "units",
)
"""What the marker and the methods of the fixture take, beside the limits; see `keywords`."""


@dataclass(frozen=True)
class Option:
    """A command-line option and the ini setting of the same name.

    Attributes:
        name: As in ``Settings``; ``--ganvalid-`` and ``ganvalid_`` are put before it.
        metavar: What the value is called in the help; ``None`` for a flag.
        help: One sentence.
    """

    name: str
    metavar: str | None
    help: str

    @property
    def flag(self) -> str:
        """The command-line spelling."""
        return f"--ganvalid-{self.name.replace('_', '-')}"

    @property
    def ini(self) -> str:
        """The spelling in an ini file, and the destination of the command-line option."""
        return f"ganvalid_{self.name}"


def keywords() -> tuple[str, ...]:
    """List what the marker and the methods of the fixture take: the keywords of `pytest_ganvalid.validate`."""
    from pytest_ganvalid.statistics.limits import LIMITS

    return (*KEYWORDS, *LIMITS)


OPTIONS = (
    Option("n_required", "N", "Number of true events to stand in for; raises what tests state, never lowers it."),
    Option("confidence", "C", "Confidence level of each one-sided limit (default 0.95)."),
    Option("max_bias", "B", "Limit on the rms bias, in error bars of n_required events (default 1)."),
    Option("report", "DIR", "Write report.json and report.html to this directory."),
    Option("ledger", "FILE", "Count attempts against each reference in this file, from run to run (JSON lines)."),
    Option("strict", None, "Fail the session unless every marked test demonstrates something: none may be skipped."),
    Option("require", "N", "Fail the session unless at least N tests demonstrate that a sample is ROBUST."),
    Option("plots", None, "Write each comparison as a PNG file too (needs --ganvalid-report and matplotlib)."),
)


BOUNDS = ("n_required", "confidence", "max_bias")
"""Options that bound what tests state."""


@dataclass(frozen=True)
class Settings:
    """Settings of command line and ini file; ``None`` where a setting is not given.

    Attributes:
        n_required: From the command line: tests may not need more.
        n_required_ini: From the ini file: a floor for every test.
        confidence: Confidence level, from the command line: tests may not ask for more.
        confidence_ini: From the ini file: a floor for every test.
        max_bias: Limit on the rms bias, from the command line: tests may not ask for less.
        max_bias_ini: From the ini file: a ceiling for every test.
        report: Directory of the report.
        plots: Whether to write PNG files.
        ledger: File of attempts.
        strict: Whether a marked test that demonstrates nothing fails the session.
        require: Number of tests that must demonstrate something.
    """

    n_required: float | None = None
    n_required_ini: float | None = None
    confidence: float | None = None
    confidence_ini: float | None = None
    max_bias: float | None = None
    max_bias_ini: float | None = None
    report: str | None = None
    plots: bool = False
    ledger: str | None = None
    strict: bool = False
    require: int | None = None

    @property
    def command_line(self) -> dict[str, float]:
        """The bounds of the command line."""
        return {name: value for name in BOUNDS if (value := getattr(self, name)) is not None}

    @property
    def bounds(self) -> dict[str, list[float]]:
        """The bounds of command line and ini file."""
        pairs = {name: (getattr(self, name), getattr(self, f"{name}_ini")) for name in BOUNDS}
        return {name: [value for value in values if value is not None] for name, values in pairs.items()}


def add_options(parser: pytest.Parser) -> None:
    """Declare every option with its ini twin."""
    group = parser.getgroup("ganvalid", "generated datasets against simulation")
    for option in OPTIONS:
        if option.metavar is None:
            group.addoption(option.flag, dest=option.ini, action="store_true", default=None, help=option.help)
            parser.addini(option.ini, help=option.help, type="bool", default=None)
        else:
            group.addoption(option.flag, dest=option.ini, metavar=option.metavar, default=None, help=option.help)
            parser.addini(option.ini, help=option.help, default=None)


def read_settings(config: pytest.Config) -> Settings:
    """Read command line over ini file.

    Raises:
        pytest.UsageError: If a value is malformed or out of range.
    """
    options: dict[str, Any] = {option.name: config.getoption(option.ini) for option in OPTIONS}
    ini: dict[str, Any] = {option.name: config.getini(option.ini) or None for option in OPTIONS}
    if not any(value is not None for value in (*options.values(), *ini.values())):
        return Settings()
    chosen = {name: ini[name] if options[name] is None else options[name] for name in options}
    numbers = {
        name: _number(name, options[name], f"--ganvalid-{name.replace('_', '-')}") for name in (*BOUNDS, "require")
    }
    floors = {name: _number(name, ini[name], f"ganvalid_{name}") for name in numbers}
    for name, value in numbers.items():
        _refuse_relaxing(name, value, floors[name])
    required = floors["require"] if numbers["require"] is None else numbers["require"]
    bounds: dict[str, Any] = {name: numbers[name] for name in BOUNDS} | {f"{name}_ini": floors[name] for name in BOUNDS}
    settings = Settings(
        **bounds,
        report=chosen["report"],
        plots=bool(chosen["plots"]),
        ledger=None if chosen["ledger"] is None else _ledger(config, options["ledger"], chosen["ledger"]),
        strict=bool(chosen["strict"]),
        require=None if required is None else int(required),
    )
    if options["ledger"] == "":
        msg = "--ganvalid-ledger= names no file; expected --ganvalid-ledger FILE"
        raise pytest.UsageError(msg)
    if options["report"] == "":
        msg = "--ganvalid-report= names no directory; expected --ganvalid-report DIR"
        raise pytest.UsageError(msg)
    if settings.report is not None and not hasattr(config, "workerinput"):
        _refuse_file(config.invocation_params.dir / settings.report, settings.report)
    if settings.plots and not settings.report:
        msg = "--ganvalid-plots needs --ganvalid-report DIR, where the plots go"
        raise pytest.UsageError(msg)
    if settings.plots:
        _require_matplotlib()
    return settings


def _refuse_relaxing(name: str, option: float | None, ini: float | None) -> None:
    """Refuse a command line that asks for less than the ini file.

    Raises:
        pytest.UsageError: If the command line asks for less.
    """
    if option is None or ini is None or (option <= ini if name == "max_bias" else option >= ini):
        return
    relaxing, tightening = ("raise", "lower") if name == "max_bias" else ("lower", "raise")
    msg = (
        f"--ganvalid-{name.replace('_', '-')}={option:,} would {relaxing} ganvalid_{name} = {ini:,} of the ini file; "
        f"the option may only {tightening} it"
    )
    raise pytest.UsageError(msg)


def _ledger(config: pytest.Config, option: str | None, name: str) -> str:
    """Return the path of the ledger: relative to the invocation folder, or to the root in an ini file."""
    return str((config.rootpath if option is None else config.invocation_params.dir) / name)


def _refuse_file(folder: Path, name: str) -> None:
    """Refuse a file where the folder of the report is to be.

    Raises:
        pytest.UsageError: If the folder, or one that it is to be in, is a file.
    """
    path = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if path.exists() and not path.is_dir():
        file = name if path == folder else path
        msg = f"--ganvalid-report: {file} is a file; expected --ganvalid-report DIR, a folder: was DIR forgotten?"
        raise pytest.UsageError(msg)


def _require_matplotlib() -> None:
    """Check that matplotlib is installed before the tests run, without importing it."""
    from importlib.util import find_spec

    from pytest_ganvalid.errors import MissingExtraError

    if find_spec("matplotlib") is None:
        raise pytest.UsageError(str(MissingExtraError("--ganvalid-plots", "matplotlib", "report")))


def _number(name: str, text: str | None, source: str) -> float | None:
    """Parse a number and check its range; imports nothing unless an option is given."""
    if text is None:
        return None
    from pytest_ganvalid._arguments import check_event_count, check_integer
    from pytest_ganvalid.errors import GanvalidError
    from pytest_ganvalid.statistics.limits import Limits

    checks: dict[str, Callable[[float], object]] = {
        "n_required": lambda value: check_event_count("n_required", value),
        "confidence": lambda value: Limits(confidence=value),
        "max_bias": lambda value: Limits(max_bias=value),
        "require": lambda value: check_integer("require", int(value) if value.is_integer() else value),
    }
    try:
        value = float(text)
    except ValueError:
        msg = f"{source}: {text!r} is not a number; expected one such as 100000 or 0.95"
        raise pytest.UsageError(msg) from None
    try:
        checks[name](value)
    except GanvalidError as error:
        msg = f"{source}: {error}"
        raise pytest.UsageError(msg) from None
    return int(value) if value.is_integer() else value

"""``ganvalid history``: reports of many releases beside each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ganvalid.cli.parsing import Command, add_outputs, check_outputs, number
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import InputError, placed

if TYPE_CHECKING:
    from pytest_ganvalid.report.history import History

ALARM = 3
"""Exit status where a release stands out."""
SUFFIXES = (".png", ".html", ".csv", ".json")
_EXAMPLE = """example: reports named by their releases, in the order of their names
  ganvalid history reports/*.json -o history.html -o history.png

exit status: 0; 3 if a release raises an alarm, 1 if a report cannot be read, 2 if the command line is not understood"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("reports", metavar="REPORT", nargs="+", help="reports of releases (.json), in their order, or a pattern")
    add("--rate", metavar="P", type=number, help="probability that a perfect generator raises an alarm (default: 0.05)")
    add_outputs(parser, SUFFIXES, default=[])


def _run(arguments: argparse.Namespace) -> int:
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.pipeline.files import expanded
    from pytest_ganvalid.report.history import RATE, history_of
    from pytest_ganvalid.report.stored import results_in

    files = expanded(arguments.reports)
    check_outputs(arguments.output, SUFFIXES, files)
    reports = {}
    for name, file in zip(_release_names(files), files, strict=True):
        with placed(str(file)):
            reports[name] = results_in(file.read_bytes())
    history = history_of(reports, rate=RATE if arguments.rate is None else arguments.rate)
    contents = {path: _content(history, path.suffix) for path in arguments.output}
    say(*history.table().split("\n"))
    for path, content in contents.items():
        write_whole(path, content)
        say(f"wrote {path}")
    return ALARM if history.alarms else 0


def _release_names(files: Sequence[Path]) -> list[str]:
    """Name releases by their files, or by their paths where those are alike.

    Raises:
        InputError: If a file is named twice.
    """
    stems = [file.stem for file in files]
    names = stems if len(set(stems)) == len(stems) else [str(file) for file in files]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        msg = f"{duplicate}: named twice; every release is to be counted once"
        raise InputError(msg)
    return names


def _content(history: History, suffix: str) -> bytes:
    from pytest_ganvalid.report.history import page, picture

    if suffix == ".png":
        return picture(history)
    if suffix == ".html":
        from importlib.util import find_spec

        image = picture(history) if find_spec("matplotlib") else None
        return page(history, image).encode("utf-8", errors="xmlcharrefreplace")
    return (history.to_csv() if suffix == ".csv" else history.to_json(indent=2)).encode()


COMMAND = Command(
    name="history",
    summary="put the reports of releases beside each other",
    description=(
        "Show over releases the verdict, the number of events that the data support beside what a perfect generator "
        "gets, and Δ with its interval, and raise an alarm where a release stands out: at most with the stated rate "
        "for a history of any length, if the generator is perfect."
    ),
    tail=lambda: _EXAMPLE,
    configure=_configure,
    run=_run,
)

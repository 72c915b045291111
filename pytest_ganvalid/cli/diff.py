"""``ganvalid diff``: what has changed between two reports."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ganvalid.cli.parsing import Command
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import placed

WORSE = 3
"""Exit status where a verdict has become worse."""
_EXAMPLE = """example:
  ganvalid diff reports/8.312.json reports/8.316.json

exit status: 0; 3 if a verdict is worse or an observable is compared no more, 1 if a report cannot be read, 2 if the
command line is not understood"""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="BEFORE", type=Path, help="report (.json)")
    parser.add_argument("after", metavar="AFTER", type=Path, help="report (.json)")


def _run(arguments: argparse.Namespace) -> int:
    from pytest_ganvalid.report.history import changes
    from pytest_ganvalid.report.stored import results_in

    results = []
    for path in (arguments.before, arguments.after):
        with placed(str(path)):
            results.append(results_in(path.read_bytes()))
    differences = changes(*results)
    for change in differences:
        say(*change.lines())
    worse = [change.name for change in differences if change.worse]
    say(f"worse: {', '.join(worse)}" if worse else "nothing is worse")
    return WORSE if worse else 0


COMMAND = Command(
    name="diff",
    summary="show what has changed between two reports",
    description="Show verdicts, supported events and Δ of two reports beside each other, observable by observable.",
    tail=lambda: _EXAMPLE,
    configure=_configure,
    run=_run,
)

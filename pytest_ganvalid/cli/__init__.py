"""The command line ``ganvalid``; each command is a module, and imports what is heavy when it runs.

Exit status: 0; 1 if what was asked for could not be done; 2 if the command line was not understood; 3 if ``check`` has
found a generated sample that is not shown to be robust, ``history`` a release that stands out, or ``diff`` a verdict
that is worse; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest_ganvalid
from pytest_ganvalid.cli import (
    check,
    diff,
    figure,
    fill,
    generate,
    history,
    merge,
    plan,
    promote,
    report,
    simulate,
    systematics,
    train,
)
from pytest_ganvalid.cli.parsing import Command, Parser, UsageError, in_options
from pytest_ganvalid.cli.processes import complain, process, say
from pytest_ganvalid.errors import GanvalidError

COMMANDS = (
    simulate.COMMAND,
    train.COMMAND,
    generate.COMMAND,
    plan.COMMAND,
    fill.COMMAND,
    merge.COMMAND,
    check.COMMAND,
    figure.COMMAND,
    report.COMMAND,
    systematics.COMMAND,
    promote.COMMAND,
    history.COMMAND,
    diff.COMMAND,
)
_DESCRIPTION = (
    "Simulate events of a toy, train a generator (a GAN) on events, and generate as many more as you like. "
    "Whether those may stand in for simulation is for 'check' to decide, or, in tests, for the pytest plugin of this "
    "package: on the events, or on histograms of them that were filled in any number of parts and merged."
)
_EXAMPLE = """example:
  ganvalid simulate camel-back -n 10000 --seed 1 -o training.npz
  ganvalid train training.npz -o camel.safetensors
  ganvalid generate camel.safetensors -n 1000000 --seed 2 -o generated.npz
  ganvalid simulate camel-back -n 100000 --seed 3 -o reference.npz
  ganvalid check generated.npz reference.npz --n-required 20000

'ganvalid COMMAND --help' explains a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: Its words, without the program's name; ``None`` for those of this process.

    Returns:
        The exit status.
    """
    with suppress(AttributeError):  # a terminal that lacks σ shall not be the end of a help text
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = _parser()
    try:
        if any("\0" in word for word in argv or ()):  # no name of a file, and no shell passes it on
            parser.error("a word has a null character in it")
        arguments = parser.parse_args(argv)
        arguments.words = list(sys.argv[1:] if argv is None else argv)
        if arguments.version:
            say(f"ganvalid {pytest_ganvalid.__version__}")
            return 0
        if arguments.command is None:
            parser.print_help(sys.stderr)
            return 2
        return _run(arguments.command, arguments)
    except OSError as error:  # of a help text
        return _failed(f"{error.filename}: {error.strerror}")
    except SystemExit as end:  # argparse's way to end after an error of usage or a help text
        return int(end.code or 0)


def _run(command: Command, arguments: argparse.Namespace) -> int:
    status = 0
    try:
        status = command.run(arguments) or 0
    except UsageError as error:
        arguments.parser.error(str(error))
    except GanvalidError as error:
        return _failed(in_options(str(error), arguments.parser.format_usage()))
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return _failed(f"not enough memory ({error}); ask for fewer events at a time: a smaller batch or --chunk")
    except KeyboardInterrupt:
        if process() == 0:
            complain(f"ganvalid: interrupted; {command.interrupted(arguments)}")
        return 130
    return status


def _failed(reason: str) -> int:
    program = "ganvalid" if process() == 0 else f"ganvalid (process {process()})"
    complain(f"{program}: error: {reason}")
    return 1


def _parser() -> Parser:
    parser = Parser(prog="ganvalid", description=_DESCRIPTION, tail=lambda: _EXAMPLE)
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.name, help=command.summary, description=command.description, tail=command.tail
        )
        command.configure(subparser)
        subparser.set_defaults(command=command, parser=subparser)
    return parser

"""``ganvalid systematics``: the errors that an analysis keeps of a generated histogram."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli.parsing import Command, UsageError, add_outputs, check_outputs
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import InputError, placed

if TYPE_CHECKING:
    from pytest_ganvalid.report.systematics import Systematics

PATCH = ".patch.json"
HISTOGRAM = ".hist.json"
SUFFIXES = (".csv", PATCH, HISTOGRAM, ".json")
_EXAMPLE = """example: as a table, and as modifiers of a sample in a pyhf workspace
  ganvalid systematics report.json --observable mass -o mass.csv
  ganvalid systematics report.json --observable mass --workspace ws.json --channel SR --sample signal -o mass.patch.json
  pyhf cls ws.json --patch mass.patch.json"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("report", metavar="REPORT", help="report or comparison (.json), or report.json of a test run")
    add("--observable", metavar="NAME", help="which histogram of a report, if there are several")
    add("--check", metavar="TEST", help="which of the tests of a session's report.json, if there are several")
    add("--workspace", metavar="FILE", help=f"of a {PATCH}: the pyhf workspace that it is for")
    add("--channel", metavar="NAME", default="0", help="of the workspace: name or position (default: the first)")
    add("--sample", metavar="NAME", default="0", help="of the channel, likewise")
    add(
        "--rate-too",
        action="store_true",
        help="the number of events is inherited as well (default: the total is known from elsewhere)",
    )
    add_outputs(parser, SUFFIXES, required=True)


def _run(arguments: argparse.Namespace) -> None:
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.report.stored import result_in
    from pytest_ganvalid.report.systematics import systematics

    workspace = arguments.workspace
    if workspace is not None and not any(path.name.endswith(PATCH) for path in arguments.output):
        msg = f"--workspace is of a patch; expected an --output that ends in {PATCH}"
        raise UsageError(msg)
    check_outputs(arguments.output, (".csv", ".json"), [arguments.report, *([workspace] if workspace else [])])
    with placed(arguments.report):
        result = result_in(Path(arguments.report).read_bytes(), arguments.check)
        errors = systematics(result, observable=arguments.observable, normalised=not arguments.rate_too)
    contents = {path: _content(errors, path, arguments) for path in arguments.output}
    for path, content in contents.items():
        write_whole(path, content.encode())
        say(f"wrote {path}")
    say(f"{errors.observable or 'histogram'}: {errors.verdict}, relative errors of {errors.n_sys:,.0f} events")


def _content(errors: Systematics, path: Path, arguments: argparse.Namespace) -> str:
    if path.suffix == ".csv":
        return errors.to_csv()
    if path.name.endswith(HISTOGRAM):
        return errors.to_uhi()
    if not path.name.endswith(PATCH):
        return errors.to_json(indent=2)
    positions = {"channel": _position(arguments.channel), "sample": _position(arguments.sample)}
    with placed(arguments.workspace or "--channel, --sample"):
        workspace = None if arguments.workspace is None else _workspace(arguments.workspace)
        return json.dumps(errors.patch(workspace, **positions), indent=2)


def _workspace(path: str) -> Any:  # noqa: ANN401 - JSON
    from pytest_ganvalid import _json

    workspace = _json.parsed(Path(path).read_bytes()).value
    if not isinstance(workspace, dict) or not isinstance(workspace.get("channels"), list):
        msg = "this is no pyhf workspace: it has no 'channels'"
        raise InputError(msg)
    return workspace


def _position(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


COMMAND = Command(
    name="systematics",
    summary="write the errors that an analysis keeps of a generated histogram",
    description=(
        "Write the relative errors of n_systematic events, bin by bin, which an analysis keeps of a generated sample "
        "that is not shown to be robust: as a table (.csv), with all that they come from (.json), as a histogram whose "
        f"variances are those of all errors together ({HISTOGRAM}, by the schema of UHI), or as modifiers of a sample "
        f"in a pyhf workspace ({PATCH}, a JSON patch)."
    ),
    tail=lambda: _EXAMPLE,
    configure=_configure,
    run=_run,
)

"""``ganvalid report``: the page of a report, and the schema of what is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ganvalid.cli.parsing import Command, UsageError, check_not_among, check_output
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import placed

_EXAMPLES = """example: the page of a test run or of 'ganvalid check -o', and the JSON Schema of both
  ganvalid report out/report.json -o report.html
  ganvalid report --schema -o schema.json"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "source",
        metavar="REPORT",
        nargs="?",
        help="report.json of a test run or of 'ganvalid check', or a result (.json)",
    )
    add("--schema", action="store_true", help="write the JSON Schema of reports instead")
    add(
        "-o", "--output", metavar="FILE", type=Path, help="file to write: .html (default: REPORT.html); a schema: .json"
    )


def _run(arguments: argparse.Namespace) -> None:
    if arguments.schema == (arguments.source is not None):
        msg = "of which report? name one REPORT, or give --schema alone"
        raise UsageError(msg)
    output = arguments.output
    if output is None and not arguments.schema:
        output = Path(arguments.source).with_suffix(".html")
    if output is not None:
        check_output(output, (".json",) if arguments.schema else (".html",))
        check_not_among(output, [arguments.source] if arguments.source else [])
    content = _schema() if arguments.schema else _page(arguments.source)
    if output is None:
        say(*content.decode().splitlines())
        return
    from pytest_ganvalid._files import write_whole

    write_whole(output, content)
    say(f"wrote {output}")


def _schema() -> bytes:
    from pytest_ganvalid.report import schema

    return schema.text().encode()


def _page(source: str) -> bytes:
    from pytest_ganvalid.report.document import Session
    from pytest_ganvalid.report.files import page

    with placed(source):
        session = Session.from_json(Path(source).read_bytes())
    return page(session)


COMMAND = Command(
    name="report",
    summary="write a report as a page that needs nothing else",
    description=(
        "Write what a test run, or 'ganvalid check', has found as one HTML file: outcome, what is not demonstrated, "
        "all observables with the most severe first, figure 1 of arXiv:2002.06307, and what would make it ROBUST."
    ),
    tail=lambda: _EXAMPLES,
    configure=_configure,
    run=_run,
)

"""``ganvalid check``: the verdict."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli import observing
from pytest_ganvalid.cli.parsing import Command, check_distinct, check_not_among, check_output, integer, number
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.statistics.limits import LIMITS, Limits

if TYPE_CHECKING:
    from pytest_ganvalid.results import Report

NOT_ROBUST = 3
"""Exit status where the generated sample is not shown to be as good as n_required true events."""
_EXAMPLES = """example: histograms that were filled before, or events
  ganvalid check generated.json ref.json --n-required 1e6
  ganvalid check 'generated-*.parquet' reference.root:tree --n-required 1e6 --observables mass,pt --bins 50

exit status: 0 if ROBUST, 3 if BIASED or UNPROVEN, 1 if there is no verdict, 2 if the command line is not understood"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    kinds = "histograms (.json of 'ganvalid fill', or of UHI; a ROOT file), or events: a file, or a pattern in quotes"
    add("generated", metavar="GENERATED", help=f"generated {kinds}")
    add("reference", metavar="REFERENCE", help="likewise, of true simulation that the generator was not trained on")
    add("--n-required", metavar="N", type=number, required=True, help="true events that the generated stand in for")
    add("--n-train", metavar="N", type=number, help="events that the generator was trained on")
    add("--training", metavar="FILE", help="those events, none of which may be among the others")
    observing.add_options(parser)
    add("--weight", metavar="NAME", help="column of weights; GENERATED,REFERENCE if they differ, empty for none: ,w")
    add(
        "--cluster",
        metavar="NAME",
        help="column whose equal values are one cluster of rows; GENERATED,REFERENCE likewise",
    )
    add("--units", metavar="NAME=UNIT,...", type=_units, help="what columns are measured in: mass=GeV,pt=GeV")
    add("--cluster-of", choices=("repeats", "entries"), help="what the rows of a cluster are (default: repeats)")
    integers = {limit.name for limit in fields(Limits) if isinstance(limit.default, int)}
    for name, meaning in LIMITS.items():
        option = f"--{name.replace('_', '-')}"
        kind = integer if name in integers else number
        if name == "smooth":
            add(option, action=argparse.BooleanOptionalAction, help=meaning)
        else:
            add(option, metavar="N" if name in integers else "X", type=kind, help=meaning)
    add("-v", "--details", action="store_true", help="print all numbers and reasons of every observable")
    add("-o", "--output", metavar="FILE", type=Path, help="file to write the report to: .json")
    add("--report", metavar="DIR", type=Path, help="folder to write report.json and report.html to")


def _units(text: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in text.split(",")]
    units = {name.strip(): unit.strip() for name, _, unit in pairs}
    if len(units) < len(pairs) or not all((*units, *units.values())):
        msg = f"{text!r} states no units; expected each column once, such as mass=GeV,pt=GeV"
        raise argparse.ArgumentTypeError(msg)
    return units


def _run(arguments: argparse.Namespace) -> int:
    keywords = observing.keywords(arguments)
    for name in ("n_train", "training", "cluster_of", "units", *LIMITS):
        if getattr(arguments, name) is not None:
            keywords[name] = getattr(arguments, name)
    if arguments.weight is not None:
        keywords["weight"] = _pair(arguments.weight)
    if arguments.cluster is not None:
        keywords["cluster"] = _pair(arguments.cluster)
    _check_outputs(arguments)
    from pytest_ganvalid.check import validate
    from pytest_ganvalid.pipeline.files import names_json
    from pytest_ganvalid.report.text import explain

    if names_json(arguments.generated) or names_json(arguments.reference):
        keywords |= {} if arguments.observables is None else {"observables": arguments.observables}
    report = validate(arguments.generated, arguments.reference, n_required=arguments.n_required, **keywords)
    say(*explain(report, details=arguments.details).split("\n"))
    say(*_written(report, arguments))
    return 0 if report.robust else NOT_ROBUST


def _pair(text: str) -> Any:  # noqa: ANN401 - what `validate` takes
    generated, comma, reference = text.partition(",")
    return (generated.strip() or None, reference.strip() or None) if comma else text


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse outputs that cannot be written, before any work is done.

    Raises:
        InputError: If an output cannot be written.
        UsageError: If an output would overwrite an input.
    """
    folder, inputs = arguments.report, _inputs(arguments)
    inside = [] if folder is None else [folder / "report.json", folder / "report.html"]
    check_distinct({"--output": arguments.output, "--report": inside[0] if inside else None})
    for path in [arguments.output, *inside] if arguments.output is not None else inside:
        check_not_among(path, inputs)
    if arguments.output is not None:
        check_output(arguments.output, (".json",))
    if folder is not None and folder.exists() and not folder.is_dir():
        msg = f"{folder}: this is a file; expected a folder"
        raise InputError(msg)


def _inputs(arguments: argparse.Namespace) -> list[str]:
    """List the files that are read."""
    from pytest_ganvalid.pipeline.files import expanded, names_json
    from pytest_ganvalid.samples.pieces import pieces_of

    paths: list[str] = []
    for name in (arguments.generated, arguments.reference, arguments.training):
        if name is not None and names_json(name):
            paths += map(str, expanded([name]))
        elif name is not None and not name.endswith(".yoda"):
            paths += [piece.path for piece in pieces_of(name)]
    return paths


def _written(report: Report, arguments: argparse.Namespace) -> list[str]:
    """Write the requested files; return lines that name them."""
    if arguments.output is None and arguments.report is None:
        return []
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.report.files import ordered, write_report
    from pytest_ganvalid.report.runs import run_of

    name = f"{arguments.generated} against {arguments.reference}"
    record = {"nodeid": name, "kind": report.KIND, "gate": True, "robust": report.robust, "result": report.to_json()}
    row = {
        "nodeid": name,
        "outcome": str(report.verdict),
        "reason": "",
        "status": "passed" if report.robust else "failed",
        "checks": [str(report.verdict)],
        "runs": 1,
        "earlier": [],
        "hidden": False,
        "explanation": "",
    }
    outcome = {"finished": True, "exit_status": 0 if report.robust else NOT_ROBUST, "failures": []}
    run = run_of(["ganvalid", *arguments.words], ".")
    lines = []
    if arguments.output is not None:
        write_whole(arguments.output, ordered([record], [row], outcome, run))
        lines.append(f"wrote {arguments.output}")
    if arguments.report is not None:
        lines += write_report(str(arguments.report), [record], rows=[row], outcome=outcome, run=run, plots=False)
    return lines


COMMAND = Command(
    name="check",
    summary="decide whether a generated sample may stand in for simulation",
    description=(
        "Decide whether generated events are shown to be as good as so many true ones, and say why. The verdict on "
        "histograms that were filled in parts is that on all events."
    ),
    tail=lambda: f"{observing.HELP}\n\n{_EXAMPLES}",
    configure=_configure,
    run=_run,
)

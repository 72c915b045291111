"""``ganvalid fill``: histograms of some of the events."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ganvalid.cli import observing
from pytest_ganvalid.cli.parsing import Command, UsageError, check_not_among, check_output
from pytest_ganvalid.cli.processes import say

_EXAMPLES = """example: a reference, then one of thousands of parts of the generated sample
  ganvalid fill reference.root:tree -o ref.json --observables mass,pt --bins 50
  ganvalid fill part-17.parquet --like ref.json -o part-17.json"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("events", metavar="EVENTS", nargs="+", help="files, or patterns in quotes: events.parquet, 'run*.root:tree'")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="file of histograms to write: .json")
    add("--like", metavar="FILE", type=Path, help="histograms with the same observables and bins")
    observing.add_options(parser)
    add("--cluster", metavar="NAME", help="column whose equal values are one cluster of rows, all of them among these")
    weight = parser.add_mutually_exclusive_group()
    weight.add_argument("--weight", metavar="NAME", help="column of weights (default: that of --like, or none)")
    weight.add_argument("--unweighted", action="store_true", help="use no weights, whatever --like is")


def _run(arguments: argparse.Namespace) -> None:
    keywords = observing.keywords(arguments)
    if arguments.like is not None and keywords:
        msg = f"--like says what to fill, and in which bins; leave out --{next(iter(keywords))}"
        raise UsageError(msg)
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.pipeline.fill import fill
    from pytest_ganvalid.samples.pieces import pieces_of

    check_output(arguments.output, (".json",))
    inputs = [piece.path for piece in pieces_of(arguments.events)]
    check_not_among(arguments.output, [*inputs, *([] if arguments.like is None else [arguments.like])])
    weight = False if arguments.unweighted else arguments.weight
    histograms = fill(arguments.events, like=arguments.like, weight=weight, cluster=arguments.cluster, **keywords)
    write_whole(arguments.output, histograms.to_json().encode())
    names = ", ".join(histograms.plan.observables)
    say(f"filled {histograms.n_events:,} events of {histograms.source} ({names}); wrote {arguments.output}")


COMMAND = Command(
    name="fill",
    summary="fill histograms of some of the events, in a small file",
    description=(
        "Fill histograms of events, a chunk of them in memory at a time. What is written is all that a verdict is made "
        "of, in about 100 kilobytes; 'ganvalid merge' adds up such files, and 'ganvalid check' decides. Bins are "
        "chosen from these events, which must be those of the reference, or are those of --like."
    ),
    tail=lambda: f"{observing.HELP}\n\n{_EXAMPLES}",
    configure=_configure,
    run=_run,
)

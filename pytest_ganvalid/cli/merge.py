"""``ganvalid merge``: histograms of all events from those of some."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ganvalid.cli.parsing import Command, check_not_among, check_output
from pytest_ganvalid.cli.processes import bar_wanted, say

if TYPE_CHECKING:
    from pytest_ganvalid.pipeline.summary import Histograms

_EXAMPLE = """example:
  ganvalid merge part-*.json -o all.json"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="files that 'ganvalid fill' or 'ganvalid merge' wrote")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="file of histograms to write: .json")
    add("--quiet", "-q", action="store_true", help="show no progress bar; without a terminal there is none anyway")


def _run(arguments: argparse.Namespace) -> None:
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.pipeline.files import expanded, in_order

    check_output(arguments.output, (".json",))
    files = in_order(expanded(arguments.files))
    check_not_among(arguments.output, files)
    histograms = _added(files, quiet=arguments.quiet)
    write_whole(arguments.output, histograms.to_json().encode())
    say(f"added up {len(files):,} files, {histograms.n_events:,} events; wrote {arguments.output}")


def _added(files: Sequence[Path], *, quiet: bool) -> Histograms:
    from pytest_ganvalid.pipeline.files import add_up

    if not bar_wanted(quiet=quiet):
        return add_up(files)
    from tqdm import tqdm

    with tqdm(files, desc="adding", unit=" files", leave=False) as bar:
        return add_up(bar)


COMMAND = Command(
    name="merge",
    summary="add up files of histograms",
    description=(
        "Add up histograms of different events, filled with the same observables and bins, in any order and grouping: "
        "the sum is that of all events filled at once. A file of the same events as another is refused, whatever its "
        "name."
    ),
    tail=lambda: _EXAMPLE,
    configure=_configure,
    run=_run,
)

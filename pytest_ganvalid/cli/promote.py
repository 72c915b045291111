"""``ganvalid promote``: a candidate becomes the reference of a release gate."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ganvalid.cli.parsing import Command, UsageError
from pytest_ganvalid.cli.processes import say

_EXAMPLE = """example: what the last run has written, and histograms of another place
  ganvalid promote references.toml zmumu
  ganvalid promote references.toml zmumu --candidate zmumu-8.312.json"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("references", metavar="FILE", type=Path, help="references.toml, or the folder that it is in")
    add("names", metavar="NAME", nargs="+", help="reference to change, or to add")
    add("--candidate", metavar="FILE", help="file of histograms (default: what the last run has written)")


def _run(arguments: argparse.Namespace) -> None:
    names = list(dict.fromkeys(arguments.names))
    if arguments.candidate is not None and len(names) > 1:
        msg = f"--candidate is of one reference, and {len(names)} are named"
        raise UsageError(msg)
    from pytest_ganvalid.references import References

    references = References.read(arguments.references)
    for name in names:
        old = references.digests.get(name)
        references = references.promote(name, arguments.candidate)
        new = references.digests[name]
        if old == new:
            say(f"{name}: this is the reference already ({new[:12]})")
        else:
            say(f"{name}: {old[:12] if old else 'nothing'} -> {new[:12]}, {references.place(name)}")


COMMAND = Command(
    name="promote",
    summary="make the candidate of a run the reference of a release gate",
    description=(
        "Copy the histograms that a run has written as a candidate to the store of references, under the name of their "
        "SHA-256, and change the line of references.toml that names it. What is committed then is that line, and the "
        "file if the store is a folder of the repository."
    ),
    tail=lambda: _EXAMPLE,
    configure=_configure,
    run=_run,
    interrupted=lambda _: "references.toml names what it named before, or what was said above",
)

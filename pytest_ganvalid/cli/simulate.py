"""``ganvalid simulate``: events of a toy whose truth is known."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli.parameters import Kind, built, parameters_of, summary_of
from pytest_ganvalid.cli.parsing import Command, add_settings, check_output, count, defaults, table, values_of
from pytest_ganvalid.cli.processes import bar_wanted, say
from pytest_ganvalid.errors import InputError, expected_one_of

if TYPE_CHECKING:
    from pytest_ganvalid.samples import Sample

TOYS = (
    "CamelBack",
    "Ring",
    "SphericalShell",
    "DijetMass",
    "ZLineShape",
    "Calorimeter",
    "MinimumBias",
    "Pileup",
    "MatrixElement",
    "PythiaZ",
)
"""Toys of `pytest_ganvalid.toys` that are made of parameters alone, in the order of the help text."""
_CHUNK = 262_144
_SEED = "0, 1, 2, ...: the same seed gives the same events; samples to be compared need different ones"
_EXAMPLE = """example: a falling spectrum of masses with a resonance of 2 % at 4 TeV
  ganvalid simulate dijet-mass -n 1e5 --seed 1 --set signal_fraction=0.02 signal_mass=4000 -o events.npz"""


def kebab(name: str) -> str:
    """Return the name of a toy as one would type it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("toy", metavar="TOY", type=_toy, help="name of the simulator: one of those below")
    add("-n", metavar="N", type=count, required=True, help="number of events")
    add("--seed", metavar="S", type=count, required=True, help=_SEED)
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write: .npz, or .parquet (pyarrow)")
    add_settings(parser, "parameters of the toy, as --list shows them; several numbers are separated by commas")
    add("--list", action=_List, help="list the toys with their parameters and defaults, and exit")


class _List(argparse.Action):
    """Lists the toys, like ``--help`` whatever else is missing."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 - argparse's
        super().__init__(nargs=0, default=argparse.SUPPRESS, **keywords)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        for name in TOYS:
            toy = _class(name)
            say(f"{kebab(name)}: {summary_of(toy)}", *defaults(parameters_of(toy)).split("\n"), "")
        parser.exit()


def _tail() -> str:
    toys = table((kebab(name), summary_of(_class(name))) for name in TOYS)
    return f"toys:\n{toys}\n\n{_EXAMPLE}"


def _class(name: str) -> Kind:
    from pytest_ganvalid import toys

    return getattr(toys, name)


def _toy(text: str) -> str:
    plain = text.lower().replace("-", "").replace("_", "")
    for name in TOYS:
        if name.lower() == plain:
            return name
    msg = f"there is no toy {text!r}{expected_one_of(text, map(kebab, TOYS))}"
    raise argparse.ArgumentTypeError(msg)


def _run(arguments: argparse.Namespace) -> None:
    from pytest_ganvalid.samples.files import WRITE_FORMATS, write_events

    toy, name = _class(arguments.toy), kebab(arguments.toy)
    values = values_of(arguments.set, parameters_of(toy), f"{name} has no parameter")

    check_output(arguments.output, WRITE_FORMATS)
    sample = _drawn(built(toy, values), arguments.n, arguments.seed)
    events = write_events(arguments.output, _chunks(sample))
    say(f"wrote {events:,} events of {name} ({', '.join(sample.columns)}) to {arguments.output}")


def _drawn(toy: Any, n: int, seed: int) -> Sample:  # noqa: ANN401 - any toy
    from pytest_ganvalid.toys import PythiaZ

    if not isinstance(toy, PythiaZ):
        sample: Sample = toy.sample(n, seed=seed)
        return sample
    try:
        return toy.sample(n, seed=seed, progress=bar_wanted(quiet=False))
    except RuntimeError as error:  # Pythia did not like its settings
        raise InputError(str(error)) from error


def _chunks(sample: Sample) -> Iterator[Sample]:
    import numpy as np

    for start in range(0, len(sample), _CHUNK):
        yield sample.select(np.arange(start, min(start + _CHUNK, len(sample))))


COMMAND = Command(
    name="simulate",
    summary="make events of a toy simulator whose truth is known",
    description=(
        "Draw events from a toy simulator: something to train a generator on, and something to compare its events "
        "with. The truth of a toy is known exactly, and the first events of a longer sample are those of a shorter one."
    ),
    tail=_tail,
    configure=_configure,
    run=_run,
)

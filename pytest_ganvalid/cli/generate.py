"""``ganvalid generate``: events of a trained generator."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli.parameters import real
from pytest_ganvalid.cli.parsing import Command, UsageError, assignment, check_distinct, check_output, count
from pytest_ganvalid.cli.processes import bar_wanted, say
from pytest_ganvalid.errors import InputError

if TYPE_CHECKING:
    from pytest_ganvalid.gan import Generator
    from pytest_ganvalid.samples import Sample

_EXAMPLES = """example:
  ganvalid generate camel.safetensors -n 1e6 --seed 1 -o generated.npz

if the generator was trained with --conditions energy, all at one energy, or each at that of an event of a file:
  ganvalid generate calo.safetensors -n 1e6 --seed 1 --at energy=50 -o at50.npz
  ganvalid generate calo.safetensors --seed 1 --conditions events.npz -o generated.npz"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("generator", metavar="GENERATOR", type=Path, help="file that 'ganvalid train' wrote")
    add("-n", metavar="N", type=count, help="number of events (default: that of the rows of --conditions)")
    add("--seed", metavar="S", type=count, required=True, help="0, 1, 2, ...: the same seed gives the same events")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write: .npz, or .parquet (pyarrow)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--conditions", metavar="FILE", type=Path, help="events that give the conditions, row by row")
    source.add_argument(
        "--at",
        metavar="NAME=VALUE",
        type=_condition,
        nargs="+",
        action="extend",
        help="a value for each condition, the same for all events",
    )
    add(
        "--device",
        metavar="D",
        default="auto",
        help="auto (a GPU if there is one), cpu, cuda or cuda:N (default: %(default)s)",
    )
    add("--chunk", metavar="N", type=count, default=262_144, help="events in memory at a time (default: %(default)s)")
    add("--quiet", "-q", action="store_true", help="show no progress bar; without a terminal there is none anyway")


def _condition(text: str) -> tuple[str, float]:
    name, value = assignment(text)
    try:
        return name, real(value)
    except (ValueError, ZeroDivisionError):
        msg = f"{text!r} gives no number; expected name=number, such as energy=50"
        raise argparse.ArgumentTypeError(msg) from None


def _run(arguments: argparse.Namespace) -> None:
    if arguments.n is None and arguments.conditions is None:
        msg = "how many events? give -n N"
        raise UsageError(msg)
    check_distinct({"--conditions": arguments.conditions, "--output": arguments.output})
    from pytest_ganvalid.gan import Generator
    from pytest_ganvalid.samples.files import WRITE_FORMATS, write_events

    check_output(arguments.output, WRITE_FORMATS)
    generator = Generator.load(arguments.generator, device=arguments.device)
    conditions = _conditions(generator, arguments)
    n = arguments.n if arguments.n is not None else len(conditions)
    chunks = generator.stream(n, seed=arguments.seed, conditions=conditions, chunk=arguments.chunk)
    if bar_wanted(quiet=arguments.quiet):
        chunks = _with_progress(chunks, n)
    events = write_events(arguments.output, chunks)
    say(
        f"wrote {events:,} events ({', '.join([*generator.columns, *generator.conditions])}) to {arguments.output}; "
        f"the generator was trained on {generator.n_train:,} (n_train)"
    )


def _conditions(generator: Generator, arguments: argparse.Namespace) -> Any:  # noqa: ANN401 - a table, numbers or None
    """Return the conditions, in the form that the generator takes."""
    needed = generator.conditions
    if not needed and (arguments.at or arguments.conditions):
        msg = f"{arguments.generator} was trained without conditions; leave out --at and --conditions"
        raise InputError(msg)
    if not needed:
        return None
    if arguments.conditions is not None:
        from pytest_ganvalid.samples.files import read_events

        return read_events(arguments.conditions, needed)
    assigned = dict(arguments.at or ())
    if set(assigned) != set(needed):
        values = " ".join(f"{name}=VALUE" for name in needed)
        got = ", ".join(assigned) or "nothing"
        msg = (
            f"{arguments.generator} was trained given {', '.join(needed)}, and got {got}; "
            f"expected --at {values}, or --conditions FILE"
        )
        raise InputError(msg)
    return assigned


def _with_progress(chunks: Iterator[Sample], n: int) -> Iterator[Sample]:
    from tqdm import tqdm

    with tqdm(total=n, desc="generating", unit=" events", unit_scale=True) as bar:
        for chunk in chunks:
            yield chunk
            bar.update(len(chunk))


COMMAND = Command(
    name="generate",
    summary="make events with a trained generator",
    description=(
        "Generate events with a generator that 'ganvalid train' wrote, any number of them in constant memory. The "
        "first events of a longer sample are those of a shorter one, on any device to rounding."
    ),
    tail=lambda: _EXAMPLES,
    configure=_configure,
    run=_run,
)

"""``ganvalid train``: from events to a generator."""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli.parameters import built, parameters_of
from pytest_ganvalid.cli.parsing import (
    Command,
    add_settings,
    check_distinct,
    check_output,
    check_place,
    count,
    defaults,
    names,
    values_of,
)
from pytest_ganvalid.cli.processes import bar_wanted, complain, process, say
from pytest_ganvalid.errors import TrainingError, TrainingWarning

if TYPE_CHECKING:
    from pytest_ganvalid.gan import Generator

SUFFIX, PICTURE = ".safetensors", ".png"
_EXAMPLES = """example: a quick look first, then the real training, which may be interrupted and started again
  ganvalid train events.npz -o quick.safetensors --set steps=500
  ganvalid train events.npz -o generator.safetensors --checkpoint training.ckpt --plot training.png

go on with it, to 20,000 steps in all:
  ganvalid train events.npz -o generator.safetensors --checkpoint training.ckpt --plot training.png --set steps=2e4

on four GPUs of one machine:
  torchrun --nproc-per-node 4 -m pytest_ganvalid train events.npz -o generator.safetensors"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("events", metavar="EVENTS", type=Path, help="the training events: .npz with an array per column, or .parquet")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help=f"generator to write, {SUFFIX}")
    add("--columns", metavar="A,B", type=names, help="columns to generate (default: all numeric ones left)")
    add(
        "--conditions",
        metavar="A,B",
        type=names,
        default=[],
        help="columns to be given when generating (default: none)",
    )
    add("--weight", metavar="COLUMN", help="column with the weights of the events (default: none)")
    add("--seed", metavar="S", type=count, default=0, help="of all that is random (default: %(default)s)")
    add_settings(parser, "settings of the training, from the list below")
    add(
        "--device",
        metavar="D",
        default="auto",
        help="auto (a GPU if there is one), cpu, cuda or cuda:N (default: %(default)s)",
    )
    add(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help="keep the state here; if the file exists, go on from it, for as many steps in all as are set now",
    )
    add("--checkpoint-every", metavar="STEPS", type=count, default=500, help="how often (default: %(default)s)")
    add(
        "--log",
        metavar="FILE",
        type=Path,
        help="write energy distance, losses and speed here, a line of JSON at a time",
    )
    add(
        "--plot",
        metavar="FILE",
        type=Path,
        help="draw them over the steps, .png; the lines of JSON are written as well, to --log or beside it, .jsonl",
    )
    add("--quiet", "-q", action="store_true", help="show no progress bar; without a terminal there is none anyway")


def _tail() -> str:
    from pytest_ganvalid.gan import Config

    return f"settings and their defaults:\n{defaults(parameters_of(Config))}\n\n{_EXAMPLES}"


def _run(arguments: argparse.Namespace) -> None:
    from pytest_ganvalid.gan import Config

    values = values_of(arguments.set, parameters_of(Config), "there is no setting")
    if arguments.plot is not None and arguments.log is None:
        arguments.log = arguments.plot.with_suffix(".jsonl")
    _check_files(arguments)
    from pytest_ganvalid.gan import train
    from pytest_ganvalid.samples.files import read_events

    config = built(Config, values)
    columns, weight = arguments.columns, arguments.weight
    needed = None if columns is None else [*columns, *arguments.conditions, *([weight] if weight else [])]
    events = read_events(arguments.events, needed)
    draws = arguments.plot is not None and process() == 0
    try:
        with _warning_lines():
            generator = train(
                events,
                columns=columns,
                conditions=arguments.conditions,
                weight=weight,
                config=config,
                seed=arguments.seed,
                device=arguments.device,
                checkpoint=arguments.checkpoint,
                checkpoint_every=arguments.checkpoint_every,
                log=arguments.log,
                progress=bar_wanted(quiet=arguments.quiet),
            )
    except TrainingError:
        if draws:
            _draw(arguments.plot, arguments.log)
        raise
    if draws:
        _draw(arguments.plot, arguments.log)
    if process() == 0:
        generator.save(arguments.output)
    say(_done(generator, arguments.output))


def _check_files(arguments: argparse.Namespace) -> None:
    written = {
        "--output": arguments.output,
        "--checkpoint": arguments.checkpoint,
        "--log": arguments.log,
        "--plot": arguments.plot,
    }
    check_distinct({"EVENTS": arguments.events, **written})
    check_output(arguments.output, [SUFFIX])
    for path in written.values():
        if path is not None:
            check_place(path)
    if arguments.plot is not None:
        from pytest_ganvalid._extras import imported

        check_output(arguments.plot, [PICTURE])
        imported("matplotlib", feature="--plot", extra="report")  # before the training, not after it


@contextmanager
def _warning_lines() -> Iterator[None]:
    """Print warnings of a training in a line each, above the progress bar if there is one."""

    def tell(warning: Warning | str, category: type[Warning], *where: Any) -> None:  # noqa: ANN401 - warnings' own
        if not issubclass(category, TrainingWarning):
            others(warning, category, *where)
        elif process() == 0:
            bars = sys.modules.get("tqdm")
            with bars.tqdm.external_write_mode(sys.stderr) if bars else nullcontext():
                complain(f"ganvalid: warning: {warning}")

    others = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always", TrainingWarning)
        warnings.showwarning = tell  # type: ignore[assignment]
        yield


def _draw(plot: Path, log: Path) -> None:
    """Draw a training, if the log has a step; it has none if the training had ended before."""
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.report import training

    if log.stat().st_size:
        write_whole(plot, training.png(log))
    else:
        complain(f"ganvalid: warning: no step was made to draw; {plot} was not written")


def _done(generator: Generator, output: Path) -> str:
    conditions = "".join(f" {name}=VALUE" for name in generator.conditions)
    command = (
        f"ganvalid generate {shlex.quote(str(output))} -n N --seed 1{' --at' + conditions if conditions else ''} -o "
        "generated.npz"
    )
    record = generator.record
    early = " (stopped early; the best weights are kept)" if record.steps < record.config.length else ""
    return (
        f"trained on {generator.n_train:,} events (n_train) in {record.steps:,} steps{early}; "
        f"wrote {output}; next: {command}"
    )


def _interrupted(arguments: argparse.Namespace) -> str:
    checkpoint = arguments.checkpoint
    if checkpoint is None:
        return "no generator was written (with --checkpoint FILE, a training can go on where it stopped)"
    if not checkpoint.exists():
        return f"it was before the first checkpoint, {checkpoint}: the same command starts again"
    return f"the same command goes on from {checkpoint}"


COMMAND = Command(
    name="train",
    summary="train a generator (a GAN) on events",
    description=(
        "Train a generative adversarial network on events, and write the generator to a file, together with the number "
        "and a fingerprint of its training events. How many true events its events are worth, the training cannot "
        "tell: let the pytest plugin decide, with other events that the training has not seen."
    ),
    tail=_tail,
    configure=_configure,
    run=_run,
    interrupted=_interrupted,
)

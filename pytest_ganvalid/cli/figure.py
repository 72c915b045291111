"""``ganvalid figure``: figure 1 of the paper with measured numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ganvalid.cli.parsing import Command, UsageError, add_outputs, check_outputs, count, number
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.cli.simulate import kebab
from pytest_ganvalid.errors import InputError, expected_one_of, placed

if TYPE_CHECKING:
    from pytest_ganvalid.report.figure import UncertaintyFigure

TOYS = ("CamelBack", "Ring", "SphericalShell", "DijetMass", "ZLineShape")
"""Toys of `pytest_ganvalid.toys` that state the distribution of one column."""
GENERATORS = ("Bootstrap", "HistogramSampler", "GaussianKDE", "CamelBackFit")
SUFFIXES = (".png", ".svg", ".pdf", ".json", ".csv")
_OF_TOYS = ("generator", "events", "seed")
_MOST = 1e12
_TRAINING_SEED = 10_000_000  # far from those of what is compared
_EXAMPLES = f"""toys: {", ".join(map(kebab, TOYS))}
generators: {", ".join(GENERATORS)}, or a file that 'ganvalid train' wrote

example: of a report ('ganvalid check -o', or report.json of a test run), and of a toy, as a picture and in numbers
  ganvalid figure report.json --observable mass --systematic 0.01 -o figure1.pdf
  ganvalid figure camel-back --generator Bootstrap --n-train 1e4 --n-required 1e5 -o figure1.svg -o figure1.csv"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="report, comparison or figure (.json), or the name of a toy")
    add("--observable", metavar="NAME", help="which of a report (default: that in which the generator is worth least)")
    add("--check", metavar="TEST", help="which of the tests of a session's report.json, if there are several")
    add("--n-required", metavar="N", type=number, help="events to mark (default: those of the report)")
    add("--n-train", metavar="N", type=number, help="events the generator was trained on (default: as reported)")
    add("--systematic", metavar="X", type=number, help="relative systematic uncertainty of the simulation (default: 0)")
    add("--probability", metavar="P", type=number, help="of the bin that is drawn (default: of an average bin)")
    add("--title", metavar="WORDS", help="above the figure (default: the observable)")
    add("--generator", metavar="NAME", help="of a toy: one of those below, trained on --n-train events, or a file")
    add("--events", metavar="N", type=count, help="of a toy: generated and reference events (default: 1e6)")
    add("--seed", metavar="S", type=count, help="of a toy (default: 0)")
    add_outputs(parser, SUFFIXES, "figure.png")


def _run(arguments: argparse.Namespace) -> None:
    outputs = arguments.output or [Path("figure.png")]
    toy = next((name for name in TOYS if _plain(name) == _plain(arguments.source)), None)
    options = [name for name in _OF_TOYS if getattr(arguments, name) is not None]
    if toy is None and options:
        wrong = f"{arguments.source!r} is none{expected_one_of(arguments.source, map(kebab, TOYS))}"
        msg = f"--{options[0]} is of a toy, and {wrong}"
        raise UsageError(msg)
    check_outputs(outputs, SUFFIXES, [arguments.source, *([arguments.generator] if arguments.generator else [])])
    figure = _of_file(arguments) if toy is None else _of_toy(toy, arguments)
    for path, content in [(path, _content(figure, path.suffix)) for path in outputs]:
        from pytest_ganvalid._files import write_whole

        write_whole(path, content)
        say(f"wrote {path}")


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _content(figure: UncertaintyFigure, suffix: str) -> bytes:
    if suffix == ".json":
        return figure.to_json().encode()
    if suffix == ".csv":
        return figure.to_csv().encode()
    from pytest_ganvalid.report.figure import picture

    return picture(figure, suffix)


def _settings(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return the options that were stated."""
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _of_file(arguments: argparse.Namespace) -> UncertaintyFigure:
    from pytest_ganvalid.report.figure import UncertaintyFigure, figure_of
    from pytest_ganvalid.report.stored import kind_of, result_in

    settings = _settings(arguments, "observable", "n_required", "n_train", "systematic", "probability", "title")
    with placed(arguments.source):
        text = Path(arguments.source).read_bytes()
        if kind_of(text) == UncertaintyFigure.KIND:
            if settings:
                msg = f"--{next(iter(settings)).replace('_', '-')} cannot change a figure; make it anew from its report"
                raise InputError(msg)
            return UncertaintyFigure.from_json(text)
        return figure_of(result_in(text, arguments.check), **settings)


def _of_toy(name: str, arguments: argparse.Namespace) -> UncertaintyFigure:
    """Train a generator, or take one that was trained, and measure it.

    Raises:
        UsageError: If an option is missing, or is one of reports.
    """
    for option in ("observable", "check", "probability"):
        if getattr(arguments, option) is not None:
            msg = f"--{option} is of a report; {arguments.source!r} is a toy"
            raise UsageError(msg)
    if arguments.generator is None or arguments.n_required is None:
        msg = "of a toy, which generator, and for how many events? give --generator and --n-required"
        raise UsageError(msg)
    from pytest_ganvalid import toys
    from pytest_ganvalid.figures import toy_figure

    toy = getattr(toys, name)()
    generator, n_train = _generator(toy, arguments)
    settings = _settings(arguments, "n_required", "events", "systematic", "seed", "title")
    return toy_figure(toy, generator, n_train=n_train, **settings)


def _generator(toy: Any, arguments: argparse.Namespace) -> tuple[Any, float]:  # noqa: ANN401
    """Return a generator and n_train."""
    name = next((name for name in GENERATORS if _plain(name) == _plain(arguments.generator)), None)
    if name is None:
        if not arguments.generator.endswith(".safetensors"):
            msg = f"there is no generator {arguments.generator!r}{expected_one_of(arguments.generator, GENERATORS)}"
            msg += ", or a file of 'ganvalid train': .safetensors"
            raise UsageError(msg)
        from pytest_ganvalid.gan import Generator

        generator = Generator.load(arguments.generator, device="cpu")
        return generator, generator.n_train if arguments.n_train is None else arguments.n_train
    if arguments.n_train is None or not (float(arguments.n_train).is_integer() and 1 <= arguments.n_train <= _MOST):
        msg = f"on how many events shall {name} be trained? give --n-train, a whole number from 1 to {_MOST:g}"
        raise UsageError(msg)
    from pytest_ganvalid import generators

    training = toy.sample(int(arguments.n_train), seed=_TRAINING_SEED + (arguments.seed or 0))
    return getattr(generators, name)(training), arguments.n_train


COMMAND = Command(
    name="figure",
    summary="draw how uncertainty falls with the number of events, and where it stops",
    description=(
        "Draw figure 1 of arXiv:2002.06307 with measured numbers: the statistical uncertainty of so many events, the "
        "total of the true simulation, and that of generated events, which stops falling at what n_equivalent true "
        "events would have. Or write the numbers."
    ),
    tail=lambda: _EXAMPLES,
    configure=_configure,
    run=_run,
)

"""``ganvalid plan``: how many events a demonstration takes, and what it costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pytest_ganvalid.cli import observing
from pytest_ganvalid.cli.parameters import real, whole
from pytest_ganvalid.cli.parsing import (
    Command,
    UsageError,
    assignment,
    check_not_among,
    check_output,
    integer,
    number,
    table,
)
from pytest_ganvalid.cli.processes import say
from pytest_ganvalid.errors import expected_one_of
from pytest_ganvalid.statistics.limits import LIMITS

_LIMITS = ("confidence", "max_bias", "max_directional_bias", "smooth", "looks")
_COSTS = {
    "true": "cost of one event of the true simulation, in any unit",
    "generated": "cost of one generated event, in the same unit",
    "training": "cost of training the generator, its training events not included (default: 0)",
    "n_train": "number of events it is trained on",
    "uses": "releases or analyses that each take n_required fresh events (default: 1)",
    "unit": "the unit, in words",
}
_REQUIRED = ("true", "generated", "n_train")
_TEXTS, _INTEGERS = ("unit",), ("uses",)
_EXAMPLES = """example: eight histograms of 50 bins; one of 20 bins, with its price; a stage of a longer chain
  ganvalid plan 1e5 --observables 8 --bins 50
  ganvalid plan 1e5 --bins 20 --costs true=10 generated=1e-3 training=3600 n_train=1e4 unit=s -o plan.json
  ganvalid plan 1e5 --bins 20 --others shower=0.01 pdf=0.02 --probability 0.01
  ganvalid plan 1e5 --reference reference.parquet --observables mass,pt"""


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("n_required", metavar="N_REQUIRED", type=number, help="true events that the generated are to stand in for")
    add("--observables", metavar="N", help="number of histograms (default: 1); with --reference, which")
    add("--bins", metavar="N", type=integer, help="bins of each (default: 50)")
    add("--reference", metavar="FILE", help="true events, or histograms of them, that say how many bins there are")
    add("--estimators", metavar="N", type=integer, help="observables that are one number per sample (default: 0)")
    add("--classifiers", metavar="N", type=integer, help="classifiers among the observables (default: 0)")
    add("--generated-ratio", metavar="X", type=number, help="generated events per required one (default: 10)")
    add("--power", metavar="X", type=number, help="probability that a perfect generator is ROBUST (default: 0.9)")
    for name in _LIMITS:
        option = f"--{name.replace('_', '-')}"
        if name == "smooth":
            add(option, action=argparse.BooleanOptionalAction, help=LIMITS[name])
        else:
            add(option, metavar="X", type=integer if name == "looks" else number, help=LIMITS[name])
    assignments: dict[str, Any] = {"metavar": "NAME=X", "type": assignment, "nargs": "+", "action": "extend"}
    add("--costs", help="what events cost, as below", **assignments)
    add("--others", help="relative errors of the other stages of the chain; judges the generated stage", **assignments)
    add("--probability", metavar="P", type=number, help="with --others: of the bin that matters (default: 1)")
    add("--max-share", metavar="X", type=number, help="with --others: of the variance, of no bottleneck (default: 0.1)")
    add("-o", "--output", metavar="FILE", type=Path, help="file to write the plan to: .json")


def _run(arguments: argparse.Namespace) -> None:
    names = ("bins", "reference", "estimators", "classifiers", "generated_ratio", "power", *_LIMITS)
    keywords = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if arguments.observables is not None:
        keywords["observables"] = _observables(arguments.observables, reference=arguments.reference is not None)
    costs, others = _assigned("costs", arguments.costs), _assigned("others", arguments.others)
    if others is None and not (arguments.probability is arguments.max_share is None):
        msg = (
            "--probability and --max-share are of a stage of a chain; give --others too, the errors of its other stages"
        )
        raise UsageError(msg)
    if arguments.output is not None:
        check_output(arguments.output, (".json",))
        check_not_among(arguments.output, [arguments.reference] if arguments.reference else [])
    from pytest_ganvalid._files import write_whole
    from pytest_ganvalid.pipeline.files import names_json
    from pytest_ganvalid.pipeline.planned import plan
    from pytest_ganvalid.pipeline.request import DEFAULT_BINS
    from pytest_ganvalid.results import Chain, Costs

    if arguments.reference is None:
        keywords.setdefault("bins", DEFAULT_BINS)
    if costs is not None:
        keywords["costs"] = Costs(**costs)
    if others is not None:
        share = {name: getattr(arguments, name) for name in ("probability", "max_share")}
        keywords["chain"] = Chain(others=others, **{name: x for name, x in share.items() if x is not None})
    if arguments.reference is not None and names_json(arguments.reference):
        keywords["reference"] = _histograms(arguments.reference)
    result = plan(arguments.n_required, **keywords)
    say(*result.table().split("\n"))
    if arguments.output is not None:
        write_whole(arguments.output, result.to_json(indent=1).encode())
        say(f"wrote {arguments.output}")


def _histograms(path: str) -> object:
    from pytest_ganvalid.pipeline.files import add_up, expanded

    return add_up(expanded([path]))


def _observables(text: str, *, reference: bool) -> Any:  # noqa: ANN401 - what `plan` takes
    """Read the number of observables, or their names.

    Raises:
        UsageError: If observables are named without a reference, or counted with one.
    """
    try:
        n_observables = whole(text)
    except (ValueError, OverflowError):
        if reference:
            return _observables_by_name(text)
        msg = f"--observables {text}: of which events? give --reference, or the number of observables"
        raise UsageError(msg) from None
    if reference:
        msg = f"--observables {text}: the reference has columns; name some of them"
        raise UsageError(msg)
    return n_observables


def _observables_by_name(text: str) -> list[Any]:
    try:
        return [observing.observable(item) for item in observing.observables(text)]
    except argparse.ArgumentTypeError as error:
        msg = f"--observables: {error}"
        raise UsageError(msg) from None


def _assigned(option: str, pairs: list[tuple[str, str]] | None) -> dict[str, Any] | None:
    """Return the numbers that an option assigns.

    Raises:
        UsageError: If a name is unknown, missing or given twice, or a value is no number.
    """
    if pairs is None:
        return None
    values: dict[str, Any] = {}
    for name, text in pairs:
        if option == "costs" and name not in _COSTS:
            msg = f"there is no cost {name!r}{expected_one_of(name, _COSTS)}"
            raise UsageError(msg)
        if name in values:
            msg = f"--{option} gives {name} twice; expected one"
            raise UsageError(msg)
        try:
            values[name] = text if name in _TEXTS and option == "costs" else _parsed_number(option, name, text)
        except (ValueError, ZeroDivisionError, OverflowError):
            msg = f"--{option} {name}={text} gives no number; expected one such as 0.01 or 1e6"
            raise UsageError(msg) from None
    missing = [name for name in _REQUIRED if option == "costs" and name not in values]
    if missing:
        msg = f"--costs lacks {missing[0]}, the {_COSTS[missing[0]]}"
        raise UsageError(msg)
    return values


def _parsed_number(option: str, name: str, text: str) -> float:
    return whole(text) if option == "costs" and name in _INTEGERS else real(text)


COMMAND = Command(
    name="plan",
    summary="say how many events a demonstration takes, and what it costs",
    description=(
        "Plan the sizes of the reference and the generated sample with which a perfect generator is shown to be as "
        "good as so many true events. With the costs of events: what that costs by true simulation and by a "
        "generator, with its training set and all that the verdict needs, and from how many uses on it pays."
    ),
    tail=lambda: f"costs:\n{table(_COSTS.items())}\n\n{_EXAMPLES}",
    configure=_configure,
    run=_run,
)

"""The options of observables and bins, for the commands that fill histograms."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_ganvalid.cli.parameters import real, whole
from pytest_ganvalid.cli.parsing import UsageError
from pytest_ganvalid.errors import expected_one_of, suggestion

_COMMA = re.compile(r",(?![^(]*\))")  # outside parentheses
_WHERE = " where "
_DESTINATIONS = ("error", "underflow", "overflow", "separate")
HELP = """observables, separated by commas, several of them at once joined by colons:
  mass                  a column; all entries, where events have several
  leading(pt), sum(pt), count(pt)
                        one number per event, made of its entries
  pt:eta                the joint distribution of two columns
  pt:eta:phi            that of more, in the cells of a k-d tree
  pt where passed       of the events for which the column 'passed' is true"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    add = parser.add_argument
    add("--observables", metavar="NAMES", type=observables, help="what to histogram, as below (default: all columns)")
    add(
        "--bins",
        metavar="[NAME=]BINS",
        type=_bins,
        action="append",
        default=[],
        help=(
            "number of bins with equal shares of the reference, or their edges: 50, 0,10,20, or for one observable "
            "mass=0,10,20 (--bins=-1,0,1 if the first is negative); may be repeated (default: 50)"
        ),
    )
    add("--by", metavar="NAME[=BINS]", type=_by, help="column in whose bins all is compared: energy, energy=10,50,100")
    add(
        "--nonfinite",
        metavar="[NAME=]PLACE",
        type=_nonfinite,
        action="append",
        default=[],
        help=f"where NaN and infinite values go: {', '.join(_DESTINATIONS)} (default: error); may be repeated",
    )


def keywords(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the keywords of the package's functions for the options that are stated.

    Raises:
        UsageError: If the options contradict each other.
    """
    settings: dict[str, Any] = {}
    if arguments.observables is not None:
        settings["observables"] = [observable(item) for item in arguments.observables]
    for option, default in (("bins", 50), ("nonfinite", "error")):
        pairs = getattr(arguments, option)
        if pairs:
            settings[option] = _setting(option, pairs, arguments.observables, default)
    if arguments.by is not None:
        name, bins = arguments.by
        settings["by"] = name if bins is None else (name, bins)
    return settings


def observables(text: str) -> list[str]:
    """Read observables separated by commas."""
    items = [item.strip() for item in _COMMA.split(text)]
    parts = [part.strip() for item in items for part in item.split(_WHERE)[0].split(":")]
    if not all(items) or not all(parts) or any(item.count(_WHERE) > 1 or item.endswith(_WHERE) for item in items):
        msg = f"{text!r} names nothing; expected columns separated by commas, such as mass,pt or mass,pt:eta"
        raise argparse.ArgumentTypeError(msg)
    return items


def observable(item: str) -> Any:  # noqa: ANN401 - what `validate` takes
    """Return an observable that was read by `observables`."""
    from pytest_ganvalid.observables import Selection

    target, where, condition = item.partition(_WHERE)
    names = tuple(name.strip() for name in target.split(":"))
    columns: Any = names if len(names) > 1 else names[0]
    return Selection(columns, condition.strip(), name=item) if where else (item, columns) if len(names) > 1 else columns


def _setting(option: str, pairs: Sequence[tuple[str, Any]], names: Sequence[str] | None, default: object) -> Any:  # noqa: ANN401
    """Return one value for all observables, or a mapping of names to values.

    Raises:
        UsageError: If a name is given twice, or a value is for all other observables and these are not named.
    """
    values: Mapping[str, Any] = dict(pairs)
    if len(values) < len(pairs):
        msg = f"--{option} says two things of one observable; expected one"
        raise UsageError(msg)
    if set(values) == {""}:
        return values[""]
    if "" in values and names is None:
        msg = f"--{option} says something of all observables and of some; then name all of them with --observables"
        raise UsageError(msg)
    unknown = [name for name in values if name and names is not None and name not in names]
    if unknown:
        wrong, valid = f"{unknown[0]!r}{suggestion(unknown[0], names or ())}", ", ".join(names or ())
        msg = f"--{option} names {wrong}, which --observables does not; there are {valid}"
        raise UsageError(msg)
    others: Iterable[str] = names or ()
    return dict.fromkeys(others, values.get("", default)) | {name: value for name, value in values.items() if name}


def _bins(text: str) -> tuple[str, Any]:
    name, equals, value = text.rpartition("=")
    return (name.strip() if equals else ""), _number_or_edges(value, text)


def _by(text: str) -> tuple[str, Any]:
    name, equals, value = text.rpartition("=")
    if not equals:
        name = value
    if not name.strip():
        msg = f"{text!r} names no column; expected one such as energy, or energy=10,50,100"
        raise argparse.ArgumentTypeError(msg)
    return name.strip(), _number_or_edges(value, text) if equals else None


def _number_or_edges(value: str, text: str) -> Any:  # noqa: ANN401
    try:
        if "," in value:
            return [real(part) for part in value.split(",") if part.strip()]
        return whole(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        msg = f"{text!r} gives no bins; expected a number of them, or edges separated by commas, such as 0,10,20"
        raise argparse.ArgumentTypeError(msg) from None


def _nonfinite(text: str) -> tuple[str, str]:
    name, _, destination = text.rpartition("=")
    if destination not in _DESTINATIONS:
        msg = f"{text!r} names no place{expected_one_of(destination, _DESTINATIONS)}"
        raise argparse.ArgumentTypeError(msg)
    return name.strip(), destination

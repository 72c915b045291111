"""What the markers of a test say, and how they may be tightened. Standard library and pytest only: this runs early.

A marker states what is needed. A marker further in, a call and an option may ask for more, and never for less:

- n_required, confidence, attempt and looks only rise; max_bias, max_local_bias and max_directional_bias only fall, and
  ``smooth`` is never turned off: `TIGHTENED`;
- observables are only added; a condition ``by`` may be added where none is stated;
- `FIXED` stays as it is stated.

What is not stated is free, but for ``smooth``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ganvalid._arguments import check_event_count, refuse_gone
from pytest_ganvalid._options import MARKER, Settings
from pytest_ganvalid._options import keywords as accepted_keywords
from pytest_ganvalid.errors import GanvalidError, InputError, printable, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

_RISING = ("n_required", "confidence", "attempt", "looks", "smooth")
_FALLING = ("max_bias", "max_local_bias", "max_directional_bias")
TIGHTENED: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_RISING, max),
    **dict.fromkeys(_FALLING, lambda *limits: min((limit for limit in limits if limit is not None), default=None)),
}
"""Keyword that has an order of its own -> the stricter of its values; no limit is the least strict."""
FIXED = ("bins", "weight", "cluster", "cluster_of", "training", "nonfinite", "min_expected", "seed")
"""Keywords that may not be changed further in: they have no stricter side."""
_SIMILARITY = 0.82  # of the letters in common: "ganvald" and "gvalid" are meant for the marker, "invalid" is not
_MAX_LENGTH = 120  # characters of a value


def keywords(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of all markers of a test: module, class, function, parameters, each over the ones before.

    Of a keyword that has an order the strictest value of all markers counts.

    Raises:
        InputError: If a marker has positional arguments, unknown keywords, or an impossible number, or changes a
            keyword of a marker further out.
        InputTypeError: If a number is of another kind.
    """
    merged: dict[str, Any] = {}
    for marker in _markers_of(item):
        if marker.args:
            msg = f"the marker takes keywords only; got {marker.args!r}; expected {', '.join(accepted_keywords())}"
            raise InputError(msg)
        refuse_unknown(marker.kwargs)
        for name in set(marker.kwargs).intersection(merged):
            _refuse_change(name, merged[name], marker.kwargs[name], "a marker further out", "this one")
        strictest = {
            name: stricter(checked(name, marker.kwargs[name]), merged.get(name, checked(name, marker.kwargs[name])))
            for name, stricter in TIGHTENED.items()
            if name in marker.kwargs
        }
        merged.update(marker.kwargs)
        merged.update(strictest)
    return merged


def _markers_of(item: pytest.Item) -> list[pytest.Mark]:
    return [marker for marker in _all_markers(item) if marker.name == MARKER]


def _all_markers(item: pytest.Item) -> list[pytest.Mark]:
    return [marker for node in item.listchain() for marker in node.own_markers]


def tightened(item: pytest.Item, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Put the arguments of a call over the keywords of its test's markers, which they may only tighten.

    Raises:
        InputError: If the call relaxes or changes what is stated, or a number is out of range.
        InputTypeError: If a number is of another kind.
    """
    requirements = keywords(item)
    baseline = {"smooth": True, **requirements} if _markers_of(item) else {}
    for name in set(arguments).intersection(baseline):
        _refuse_relaxing(name, baseline[name], arguments[name])
        _refuse_change(name, baseline[name], arguments[name], "the marker", "the call")
    return {**requirements, **arguments}


def checked(name: str, value: object) -> Any:  # noqa: ANN401 - a number, True, False or None
    """Return the value of a keyword that has an order, as `pytest_ganvalid.validate` takes it.

    Raises:
        InputError: If the value is out of range.
        InputTypeError: If the value is of another kind.
    """
    from pytest_ganvalid.statistics.limits import Limits

    if name == "n_required":
        return check_event_count(name, value)
    limit: dict[str, Any] = {name: value}
    return getattr(Limits(**limit), name)


def _refuse_relaxing(name: str, old: Any, new: Any) -> None:  # noqa: ANN401
    """Refuse a value that is less strict than that of the marker, if the keyword has an order."""
    if name not in TIGHTENED:
        return
    limit = checked(name, new)
    if TIGHTENED[name](limit, old) == limit:
        return
    relaxing, tightening = ("lowers", "raise") if name in _RISING else ("raises", "lower")
    msg = (
        f"{name}={new!r} {relaxing} the marker's {name}={old!r}; the marker states what is needed, and a call may "
        f"only {tightening} it: leave {name} out of the call, or change the marker"
    )
    if name == "smooth":
        msg = (
            "smooth=False relaxes what a marked test is to show: the smooth components of a difference are tested too; "
            "leave it out of the call, or state smooth=False in the marker"
        )
    raise InputError(msg)


def _refuse_change(name: str, old: Any, new: Any, outer: str, inner: str) -> None:  # noqa: ANN401
    """Refuse a new value of a keyword that may not change, and observables that lack some of the old ones."""
    if name == "observables":
        missing = [value for value in _as_list(old) if not any(_agree(value, other) for other in _as_list(new))]
        if missing:
            msg = (
                f"observables={_short(new)} lacks {_short(missing)}, which {outer} states; {inner} may only add to "
                f"them: name all of {_short(old)} and the others, or leave observables out"
            )
            raise InputError(msg)
    elif (name in FIXED or (name == "by" and old is not None)) and not _agree(old, new):
        msg = (
            f"{name}={_short(new)} is not the {name}={_short(old)} that {outer} states; {inner} may not change "
            f"it: leave {name} out of {inner}, or state it in one place only"
        )
        raise InputError(msg)


def _as_list(observables: object) -> list[Any]:
    """Return observables as a list: of a mapping its items, of anything else that is no collection the value itself."""
    if isinstance(observables, Mapping):
        return list(observables.items())
    if isinstance(observables, list | tuple | set | frozenset):
        return list(observables)
    return [observables]


def _agree(old: Any, new: Any) -> bool:  # noqa: ANN401
    """Tell whether two values are equal; of a mapping, whether the new one has equal values for all keys of the old."""
    if old is new:
        return True
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(name in new and _agree(value, new[name]) for name, value in old.items())
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(_agree, old, new))
    try:
        equal = old == new
        return bool(equal.all() if hasattr(equal, "all") else equal)
    except Exception:  # noqa: BLE001 - whatever cannot be compared is not known to be the same
        return False


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def check(items: Iterable[pytest.Item], settings: Settings) -> None:
    """Refuse markers that can never make sense, are misspelt, or state more than the command line asks for.

    Raises:
        pytest.UsageError: With a line for each error, which names the first test that has it, and how many more do.
    """
    tests: dict[str, list[str]] = {}
    for item in items:
        for error in _errors(item, settings):
            tests.setdefault(error, []).append(item.nodeid)
    if tests:
        lines = (
            f"{nodeids[0]}{f' and {len(nodeids) - 1:,} more' if len(nodeids) > 1 else ''}: {error}"
            for error, nodeids in tests.items()
        )
        raise pytest.UsageError(*map(printable, lines))


def _errors(item: pytest.Item, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the markers of a test."""
    for name in misspelt(item):
        yield f"@pytest.mark.{name} is no marker of pytest-ganvalid; expected @pytest.mark.{MARKER}"
    try:
        requirements = keywords(item)
    except GanvalidError as error:
        yield f"ganvalid marker: {error}"
        return
    for name in settings.command_line:
        if relaxing := _relaxing_option(name, requirements.get(name), settings):
            yield relaxing


def misspelt(item: pytest.Item) -> Iterator[str]:
    """Yield the markers of a test that are named nearly like that of this package."""
    for marker in _all_markers(item):
        if marker.name != MARKER and _is_near(marker.name):
            yield marker.name


def _is_near(name: str) -> bool:
    letters = name.lower().replace("_", "")
    if len(set(letters) & set(MARKER)) < 5 or len(letters) > 2 * len(MARKER):  # noqa: PLR2004 - nearly all others
        return False
    from difflib import SequenceMatcher

    return MARKER in letters or SequenceMatcher(None, MARKER, letters).ratio() >= _SIMILARITY


def _relaxing_option(name: str, required: float | None, settings: Settings) -> str:
    """Say that a command line asks for less than a test states; nothing if it does not."""
    option = settings.command_line.get(name)
    if required is None or option is None or TIGHTENED[name](option, required) == option:
        return ""
    relaxing, tightening = ("lower", "raise") if name in _RISING else ("raise", "lower")
    return (
        f"--ganvalid-{name.replace('_', '-')}={option:,} would {relaxing} the {name}={required:,} that the test "
        f"states; the option may only {tightening} it"
    )


def bounded(nodeid: str, requirements: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what a test states with the bounds of command line and ini file, where they are stricter.

    Raises:
        InputError: If a number is out of range.
        InputTypeError: If a number is of another kind.
        pytest.UsageError: If the command line asks for less.
    """
    limits = dict(requirements)
    for name, bounds in settings.bounds.items():
        values = [checked(name, requirements[name])] if requirements.get(name) is not None else []
        if error := _relaxing_option(name, values[0] if values else None, settings):
            raise pytest.UsageError(printable(f"{nodeid}: {error}"))
        if values or bounds:
            limits[name] = TIGHTENED[name](*values, *bounds) if len([*values, *bounds]) > 1 else [*values, *bounds][0]
    return limits


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse keywords that `pytest_ganvalid.validate` does not have.

    Raises:
        InputError: If any keyword is unknown.
        InputTypeError: If any keyword existed in an earlier version.
    """
    refuse_gone(names)
    unknown = sorted(set(names) - set(accepted_keywords()))
    if unknown:
        names = ", ".join(f"{name}{suggestion(name, accepted_keywords())}" for name in unknown)
        msg = f"unknown keyword {names}; expected {', '.join(accepted_keywords())}"
        raise InputError(msg)

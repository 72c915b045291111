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
from pytest_ganvalid.errors import GanvalidError, InputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_RISING = ("n_required", "confidence", "attempt", "looks", "smooth")
_FALLING = ("max_bias", "max_local_bias", "max_directional_bias")
TIGHTENED: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_RISING, max),
    **dict.fromkeys(_FALLING, lambda *limits: min((limit for limit in limits if limit is not None), default=None)),
}
"""What has an order of its own -> the stricter of its values; no limit is the least strict."""
FIXED = ("bins", "weight", "cluster", "cluster_of", "training", "nonfinite", "min_expected", "seed")
"""What may not be stated otherwise further in: it has no stricter side."""
_NEAR = 0.82  # of the letters in common: "ganvald" and "gvalid" are meant for the marker, "invalid" is not
_SHOWN = 120  # characters of a value


def keywords(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of all markers of a test: module, class, function, parameters, each over the ones before.

    Of what has an order the strictest that any marker states counts, whichever it is.

    Raises:
        InputError: If a marker has positional arguments, unknown keywords, or an impossible number, or changes what one
            further out states.
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


def tightened(item: pytest.Item, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a call asks for over what the markers of its test state, which it may only tighten.

    Raises:
        InputError: If the call relaxes or changes what is stated, or a number is out of range.
        InputTypeError: If a number is of another kind.
    """
    stated = keywords(item)
    known = {"smooth": True, **stated} if _markers_of(item) else {}
    for name in set(asked).intersection(known):
        _refuse_relaxing(name, known[name], asked[name])
        _refuse_change(name, known[name], asked[name], "the marker", "the call")
    return {**stated, **asked}


def checked(name: str, value: object) -> Any:  # noqa: ANN401 - a number, True, False or None
    """Return the value of a keyword that has an order, as `pytest_ganvalid.validate` takes it.

    Raises:
        InputError: If it is out of range.
        InputTypeError: If it is of another kind.
    """
    from pytest_ganvalid.statistics.limits import Limits

    if name == "n_required":
        return check_event_count(name, value)
    limit: dict[str, Any] = {name: value}
    return getattr(Limits(**limit), name)


def _refuse_relaxing(name: str, stated: Any, asked: Any) -> None:  # noqa: ANN401
    """Refuse a call that is less strict than the marker, in what has an order."""
    if name not in TIGHTENED:
        return
    limit = checked(name, asked)
    if TIGHTENED[name](limit, stated) == limit:
        return
    wrong, right = ("lowers", "raise") if name in _RISING else ("raises", "lower")
    msg = (
        f"{name}={asked!r} {wrong} the marker's {name}={stated!r}; the marker states what is needed, and a call may "
        f"only {right} it: leave {name} out of the call, or change the marker"
    )
    if name == "smooth":
        msg = (
            "smooth=False relaxes what a marked test is to show: the smooth components of a difference are tested too; "
            "leave it out of the call, or state smooth=False in the marker"
        )
    raise InputError(msg)


def _refuse_change(name: str, stated: Any, asked: Any, outer: str, inner: str) -> None:  # noqa: ANN401
    """Refuse another value of what may not change, and observables or a condition that do not hold those stated."""
    if name == "observables":
        lacking = [value for value in _listed(stated) if not any(_same(value, other) for other in _listed(asked))]
        if lacking:
            msg = (
                f"observables={_shown(asked)} lacks {_shown(lacking)}, which {outer} states; {inner} may only add to "
                f"them: name all of {_shown(stated)} and the others, or leave observables out"
            )
            raise InputError(msg)
    elif (name in FIXED or (name == "by" and stated is not None)) and not _same(stated, asked):
        msg = (
            f"{name}={_shown(asked)} is not the {name}={_shown(stated)} that {outer} states; {inner} may not change "
            f"it: leave {name} out of {inner}, or state it in one place only"
        )
        raise InputError(msg)


def _listed(observables: object) -> list[Any]:
    """List observables one by one; of a mapping, and of all columns, as what they are."""
    if isinstance(observables, Mapping):
        return list(observables.items())
    if isinstance(observables, list | tuple | set | frozenset):
        return list(observables)
    return [observables]


def _same(stated: Any, asked: Any) -> bool:  # noqa: ANN401
    """Tell whether two values are the same; of a mapping, whether the other says the same of what it names."""
    if stated is asked:
        return True
    if isinstance(stated, Mapping) and isinstance(asked, Mapping):
        return all(name in asked and _same(value, asked[name]) for name, value in stated.items())
    if isinstance(stated, list | tuple) and isinstance(asked, list | tuple):
        return len(stated) == len(asked) and all(map(_same, stated, asked))
    try:
        equal = stated == asked
        return bool(equal.all() if hasattr(equal, "all") else equal)
    except Exception:  # noqa: BLE001 - whatever cannot be compared is not known to be the same
        return False


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def check(items: Iterable[pytest.Item], settings: Settings) -> None:
    """Refuse markers that can never make sense, are misspelt, or state more than the command line asks for.

    Raises:
        pytest.UsageError: For the first test whose marker is wrong.
    """
    for item in items:
        for name in misspelt(item):
            msg = f"{item.nodeid}: @pytest.mark.{name} is no marker of pytest-ganvalid; expected @pytest.mark.{MARKER}"
            raise pytest.UsageError(printable(msg))
        try:
            stated = keywords(item)
        except GanvalidError as error:
            msg = f"{item.nodeid}: ganvalid marker: {error}"
            raise pytest.UsageError(printable(msg)) from None
        for name in settings.given:
            refuse_relaxing_option(item.nodeid, name, stated.get(name), settings)


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

    return MARKER in letters or SequenceMatcher(None, MARKER, letters).ratio() >= _NEAR


def refuse_relaxing_option(nodeid: str, name: str, stated: float | None, settings: Settings) -> None:
    """Refuse a command line that asks for less than a test states.

    Raises:
        pytest.UsageError: If it does.
    """
    given = settings.given.get(name)
    if stated is None or given is None or TIGHTENED[name](given, stated) == given:
        return
    wrong, right = ("lower", "raise") if name in _RISING else ("raise", "lower")
    msg = (
        f"--ganvalid-{name.replace('_', '-')}={given:,} would {wrong} the {name}={stated:,} that {nodeid} states its "
        f"analysis needs; the option may only {right} it"
    )
    raise pytest.UsageError(printable(msg))


def bounded(nodeid: str, stated: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what a test states with the bounds of command line and ini file, where they are stricter.

    Raises:
        InputError: If a number is out of range.
        InputTypeError: If it is of another kind.
        pytest.UsageError: If the command line asks for less.
    """
    result = dict(stated)
    for name, bounds in settings.bounds.items():
        own = [checked(name, stated[name])] if stated.get(name) is not None else []
        refuse_relaxing_option(nodeid, name, own[0] if own else None, settings)
        if own or bounds:
            result[name] = TIGHTENED[name](*own, *bounds) if len([*own, *bounds]) > 1 else [*own, *bounds][0]
    return result


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse keywords that `pytest_ganvalid.validate` does not have.

    Raises:
        InputError: If there are any.
        InputTypeError: If there was one of the name.
    """
    refuse_gone(names)
    unknown = sorted(set(names) - set(accepted_keywords()))
    if unknown:
        msg = f"unknown keyword {', '.join(unknown)}; expected {', '.join(accepted_keywords())}"
        raise InputError(msg)

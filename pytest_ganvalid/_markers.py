"""What the markers of a test say. Standard library and pytest only: this runs before any test does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_ganvalid._arguments import check_event_count, check_positive_integer, refuse_gone
from pytest_ganvalid._options import MARKER, Settings
from pytest_ganvalid._options import keywords as accepted_keywords
from pytest_ganvalid.errors import GanvalidError, InputError, printable

RAISED: dict[str, Callable[[str, object], float]] = {
    "n_required": check_event_count,
    "attempt": check_positive_integer,
    "looks": check_positive_integer,
}
"""What may only be raised by a marker or call beside another -> how it is checked."""


def keywords(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of all markers of a test: module, class, function, parameters, each over the ones before.

    Only n_required, attempt and looks do not depend on the order: each is the largest that any marker states.

    Raises:
        InputError: If a marker has positional arguments, unknown keywords, or an impossible n_required, attempt or
            looks.
    """
    merged: dict[str, Any] = {}
    for marker in (marker for node in item.listchain() for marker in node.own_markers if marker.name == MARKER):
        if marker.args:
            msg = f"the marker takes keywords only; got {marker.args!r}; expected {', '.join(accepted_keywords())}"
            raise InputError(msg)
        refuse_unknown(marker.kwargs)
        largest = {
            name: max(checked(name, marker.kwargs[name]), merged.get(name, 0))
            for name, checked in RAISED.items()
            if name in marker.kwargs
        }
        merged.update(marker.kwargs)
        merged.update(largest)
    return merged


def check(items: Iterable[pytest.Item], settings: Settings) -> None:
    """Refuse markers that can never make sense, and a command line that lowers what they state.

    Raises:
        pytest.UsageError: For the first test whose marker is wrong.
    """
    for item in items:
        try:
            stated = keywords(item).get("n_required")
        except GanvalidError as error:
            msg = f"{item.nodeid}: ganvalid marker: {error}"
            raise pytest.UsageError(printable(msg)) from None
        refuse_lowering(item.nodeid, stated, settings)


def refuse_lowering(nodeid: str, stated: float | None, settings: Settings) -> None:
    """Refuse a command line that asks for less than a test states.

    Raises:
        pytest.UsageError: If it does.
    """
    if stated is not None and settings.n_required is not None and settings.n_required < stated:
        msg = (
            f"--ganvalid-n-required={settings.n_required:,} would lower the n_required={stated:,} that "
            f"{nodeid} states its analysis needs; the option may only raise it"
        )
        raise pytest.UsageError(printable(msg))


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

"""What the markers of a test say. Standard library and pytest only: this runs before any test does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pytest_ganvalid._arguments import check_event_count, refuse_gone
from pytest_ganvalid._options import MARKER, Settings
from pytest_ganvalid._options import keywords as accepted_keywords
from pytest_ganvalid.errors import GanvalidError, InputError


def keywords(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of all markers of a test: module, class, function, parameters, each over the ones before.

    Only n_required does not depend on the order: it is the largest that any marker states.

    Raises:
        InputError: If a marker has positional arguments, unknown keywords, or an impossible n_required.
    """
    merged: dict[str, Any] = {}
    for marker in (marker for node in item.listchain() for marker in node.own_markers if marker.name == MARKER):
        if marker.args:
            msg = f"the marker takes keywords only; got {marker.args!r}; expected {', '.join(accepted_keywords())}"
            raise InputError(msg)
        refuse_unknown(marker.kwargs)
        stated = merged.get("n_required")
        merged.update(marker.kwargs)
        if "n_required" in marker.kwargs:
            number = check_event_count("n_required", marker.kwargs["n_required"])
            merged["n_required"] = number if stated is None else max(number, stated)
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
            raise pytest.UsageError(msg) from None
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
        raise pytest.UsageError(msg)


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

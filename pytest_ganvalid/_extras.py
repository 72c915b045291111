"""Packages that only some features need, imported where they are used; standard library only."""

from __future__ import annotations

import importlib
from typing import Any

from pytest_ganvalid.errors import MissingExtraError


def imported(module: str, *, feature: str, extra: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of an optional package.

    Args:
        module: Its full name; that of the package comes first in it.
        feature: What needs it, for the error message.
        extra: What installs it.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(feature, module.partition(".")[0], extra) from error

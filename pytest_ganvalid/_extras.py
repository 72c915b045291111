"""Optional packages, imported where they are used; standard library only."""

from __future__ import annotations

import importlib
from typing import Any

from pytest_ganvalid.errors import MissingExtraError


def imported(module: str, *, feature: str, extra: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of an optional package.

    Args:
        module: Full name of the module, which begins with the package.
        feature: The feature that needs it, for the error message.
        extra: The extra that installs it.

    Raises:
        MissingExtraError: If the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(feature, module.partition(".")[0], extra) from error

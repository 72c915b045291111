"""Every error the package raises on purpose: what, got, expected, remedy."""

from __future__ import annotations


class GanvalidError(Exception):
    """Base of all errors raised on purpose; never raised itself."""


class InputError(GanvalidError, ValueError):
    """Data or settings that no verdict can be based on."""


class InputTypeError(GanvalidError, TypeError):
    """An object of a kind that is not understood."""


class TrainingError(GanvalidError, RuntimeError):
    """A training that has come to nothing."""


class MissingExtraError(GanvalidError, ImportError):
    """An optional package that a feature needs is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        """Name the feature, the package it needs and the command that installs it."""
        msg = (
            f"{feature} needs the package {package!r}, which is not installed; "
            f'install it with: pip install "pytest-ganvalid[{extra}]"'
        )
        super().__init__(msg)

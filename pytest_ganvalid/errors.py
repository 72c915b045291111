"""Every error the package raises on purpose: what, got, expected, remedy; and where.

Names of files, columns and tests are the user's: every text that is shown goes through `printable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


def printable(text: str) -> str:
    """Escape what would break a line, steer a terminal, or show a text in another order than it has.

    These are control characters, line breaks, marks of direction and of no width, and bytes of no encoding; escapes
    are not escaped again.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def suggestion(name: object, names: Iterable[object]) -> str:
    """Return the valid name that was meant perhaps, as a question to stand behind a wrong one; empty if none is near.

    Args:
        name: The wrong name.
        names: The valid ones.
    """
    from difflib import get_close_matches

    spellings = {str(valid).casefold(): str(valid) for valid in names if valid != name}
    matches = get_close_matches(str(name).casefold(), spellings, n=1)
    return f" (did you mean {spellings[matches[0]]!r}?)" if matches else ""


def absence(kind: str, name: object, names: Iterable[object], hint: str = "") -> str:
    """Say that nothing of a kind has a name, which name was meant perhaps, and which names there are.

    Args:
        kind: Of what, such as ``"column"``.
        name: The wrong name.
        names: The valid ones; one that is empty is not shown.
        hint: What was meant, as the end of the message, if that is known and no misspelling.
    """
    valid = sorted(map(str, filter(None, names)))
    return f"there is no {kind} {name!r}{'' if hint else suggestion(name, valid)}; there are {valid}{hint}"


def expected_one_of(name: object, names: Iterable[object]) -> str:
    """Return the end of a message on a wrong name: which one was meant perhaps, and which ones there are."""
    valid = [*map(str, names)]
    return f"{suggestion(name, valid)}; expected one of {', '.join(valid)}"


class GanvalidError(Exception):
    """Base of all errors raised on purpose; never raised itself.

    Attributes:
        places: Where the error occurred, the widest place first: a side, a file, rows, an observable.
    """

    def __init__(self, message: object = "") -> None:
        """Set the message; `placed` adds the places."""
        super().__init__(message)
        self.places: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The message without the places."""
        return super().__str__()

    def __str__(self) -> str:
        """Return places and message in one line that any terminal or report can show."""
        return printable(": ".join((*self.places, self.message)))


class InputError(GanvalidError, ValueError):
    """Data or settings that admit no verdict."""


class InputTypeError(GanvalidError, TypeError):
    """An object of a kind that is not understood."""


class TrainingError(GanvalidError, RuntimeError):
    """A training that failed."""


class TrainingWarning(UserWarning):
    """A training whose generator is likely to be worth less than it could be."""


class MissingExtraError(GanvalidError, ImportError):
    """An optional package that a feature needs is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        """Name the feature, the package it needs and the command that installs it."""
        msg = (
            f"{feature} needs the package {package!r}, which is not installed; "
            f'install it with: pip install "pytest-ganvalid[{extra}]"'
        )
        super().__init__(msg)
        self._arguments = (feature, package, extra)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Support pickling, as errors cross processes."""
        return type(self), self._arguments


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Add a place to errors that leave the block, except for a missing package, which is missing everywhere."""
    try:
        yield
    except GanvalidError as error:
        if place and not isinstance(error, ImportError) and not str(error).startswith(printable(place)):
            error.places = (place, *error.places)
        raise

"""Common parts of the commands: their form, their help texts, and the values of their options."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pytest_ganvalid.cli.parameters import Parameter, parsed, real, whole
from pytest_ganvalid.cli.processes import complain, say
from pytest_ganvalid.errors import InputError, expected_one_of, suggestion

_CHOICE, _WORD = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)"), re.compile(r"[\w-]+")
_OPTION = re.compile(r"--[a-z][a-z-]*")
_NAME = "(?:None|'[^']*')"
_KEYWORD = re.compile(rf"(?<![\w'\"-])([a-z_]+)=(\({_NAME}, {_NAME}\))?(?=(.?))")


class UsageError(Exception):
    """A command line that was not understood, for a reason that argparse cannot know of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        name: The word.
        summary: For the list of commands.
        description: A few sentences.
        tail: Makes the end of the help text: an example, and further choices.
        configure: Adds the arguments to a parser.
        run: Runs the command with its arguments, and returns the exit status, if it is not 0; may raise `UsageError`,
            any `GanvalidError` and ``OSError``.
        interrupted: Describes the state of the output after Ctrl-C.
    """

    name: str
    summary: str
    description: str
    tail: Callable[[], str]
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]
    interrupted: Callable[[argparse.Namespace], str] = lambda _: "nothing was written"


class Parser(argparse.ArgumentParser):
    """A parser that makes its help text when it is asked for, and answers a mistake in two lines."""

    def __init__(self, *, tail: Callable[[], str] = str, **keywords: Any) -> None:  # noqa: ANN401 - argparse's
        """Take the end of the help text as a function.

        Args:
            tail: Returns it.
            keywords: Of `argparse.ArgumentParser`.
        """
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **keywords)
        self._tail = tail

    def format_help(self) -> str:
        """Return the help text, as wide as the terminal."""
        self.epilog = self._tail()
        self.description = textwrap.fill(self.description or "", _columns())
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print the error and how to get help, and exit."""
        if choice := _CHOICE.search(message):
            message += suggestion(choice[1], _WORD.findall(choice[2]))
        complain(f"{self.prog}: error: {message}", f"See '{self.prog} --help'.")
        self.exit(2)

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - argparse's
        """Print a help text, in which all is printable but its lines."""
        (complain if file is sys.stderr else say)(*message.removesuffix("\n").split("\n"))


def in_options(message: str, usage: str) -> str:
    """Return an error of the package's functions with the options of a command in place of their keywords.

    Args:
        message: States keywords as Python does: ``bins=1``, ``units= names 'm'``, ``weight=(None, 'w')``.
        usage: That of the command, which lists its options.
    """
    options = {option[2:].replace("-", "_"): option for option in _OPTION.findall(usage)}

    def spelling(keyword: re.Match[str]) -> str:
        if keyword[1] not in options:
            return keyword[0]
        pair = ",".join(part.strip("()'") for part in (keyword[2] or "").replace("None", "").split(", "))
        gap = " " if pair or keyword[3] not in ("", *" ,;:.)") else ""
        return f"{options[keyword[1]]}{gap}{pair}"

    return _KEYWORD.sub(spelling, message)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return two columns of text, the second wrapped to the width of the terminal."""
    rows = list(rows)
    width = max(len(first) for first, _ in rows)
    return "\n".join(
        textwrap.fill(
            second,
            max(_columns(), width + 30),
            initial_indent=f"  {first:<{width}}  ",
            subsequent_indent=" " * (width + 4),
        ).rstrip()
        or f"  {first}"
        for first, second in rows
    )


def defaults(parameters: Iterable[Parameter]) -> str:
    """Return a table of parameters with their defaults and meanings."""
    return table((f"{parameter.name}={parameter.default}", parameter.meaning) for parameter in parameters)


def _columns() -> int:
    return min(shutil.get_terminal_size().columns - 2, 118)


def count(text: str) -> int:
    """Read a number of events, steps or the like; ``1e6`` will do."""
    return _integer(text, "10000 or 1e6")


def integer(text: str) -> int:
    """Read a number of few things, such as attempts or bins."""
    return _integer(text, "2")


def _integer(text: str, example: str) -> int:
    try:
        return whole(text)
    except ValueError:
        msg = f"{text!r} is not a whole number; expected one such as {example}"
        raise argparse.ArgumentTypeError(msg) from None


def number(text: str) -> float:
    """Read a number or a fraction."""
    try:
        return real(text)
    except (ValueError, ZeroDivisionError):
        msg = f"{text!r} is not a number; expected one such as 0.95 or 1e6"
        raise argparse.ArgumentTypeError(msg) from None


def add_outputs(
    parser: argparse.ArgumentParser,
    suffixes: Sequence[str],
    otherwise: str = "",
    **settings: Any,  # noqa: ANN401
) -> None:
    """Add ``--output``, which may be repeated.

    Args:
        parser: Of the command.
        suffixes: What the names may end in.
        otherwise: Name of the default output, for the help.
        settings: Further arguments of argparse.
    """
    text = f"file to write: {', '.join(suffixes)}; may be repeated{f' (default: {otherwise})' if otherwise else ''}"
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, action="append", help=text, **settings)


def check_outputs(outputs: Sequence[Path], suffixes: tuple[str, ...], inputs: Sequence[Any]) -> None:
    """Refuse outputs that cannot be written, before any work is done; see `check_output` and `check_not_among`."""
    check_distinct({f"--output {i}": path for i, path in enumerate(outputs, start=1)})
    for path in outputs:
        check_output(path, suffixes)
        check_not_among(path, inputs)


def names(text: str) -> list[str]:
    """Read names separated by commas."""
    parts = [name.strip() for name in text.split(",")]
    if not all(parts):
        msg = f"{text!r} names nothing; expected names separated by commas, such as mass,pt"
        raise argparse.ArgumentTypeError(msg)
    return parts


def assignment(text: str) -> tuple[str, str]:
    """Read ``name=value``."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        msg = f"{text!r} sets nothing; expected name=value (anything else goes before the option)"
        raise argparse.ArgumentTypeError(msg)
    return name.strip(), value.strip()


def values_of(assignments: Iterable[tuple[str, str]], parameters: Iterable[Parameter], unknown: str) -> dict[str, Any]:
    """Return the values that assignments set.

    Args:
        assignments: Names and texts.
        parameters: What can be set.
        unknown: The beginning of the message that there is no such name.

    Raises:
        UsageError: If a name is unknown, or a text is of another kind.
    """
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    values: dict[str, Any] = {}
    for name, text in assignments:
        if name not in kinds:
            msg = f"{unknown} {name!r}{expected_one_of(name, kinds)}"
            raise UsageError(msg)
        try:
            values[name] = parsed(kinds[name], text)
        except ValueError as error:
            msg = f"{name}={text} is not understood; expected {error}"
            raise UsageError(msg) from None
    return values


def check_output(path: Path, suffixes: Iterable[str]) -> None:
    """Refuse the name of a file that could not be written, before any work is done for it.

    Raises:
        InputError: If the suffix is unknown, or the file cannot be written.
    """
    expected = tuple(suffixes)
    if path.suffix not in expected:
        msg = f"{path}: the suffix {path.suffix!r} is not known; expected {' or '.join(expected)}"
        raise InputError(msg)
    check_place(path)


def check_place(path: Path) -> None:
    """Refuse a place where no file can be.

    Raises:
        InputError: If the folder does not exist or cannot be written to, or the name is that of a folder.
    """
    if not path.parent.is_dir():
        msg = f"{path}: there is no folder {str(path.parent)!r}; make it first"
        raise InputError(msg)
    if path.is_dir():
        msg = f"{path}: this is a folder; expected the name of a file"
        raise InputError(msg)
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        msg = f"{path}: nothing can be written to the folder {str(path.parent)!r} ({error.strerror}); choose another"
        raise InputError(msg) from error


def check_distinct(files: Mapping[str, Path | None]) -> None:
    """Refuse to write one file over another of the same command.

    Args:
        files: Option -> file.

    Raises:
        UsageError: If two files are the same.
    """
    seen: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        first = seen.setdefault(path.resolve(), option)
        if first != option:
            msg = f"{first} and {option} are both {path}; expected different files"
            raise UsageError(msg)


def check_not_among(output: Path, inputs: Iterable[str | Path]) -> None:
    """Refuse to write a file over one that is read.

    Args:
        output: To be written.
        inputs: Files that are read.

    Raises:
        UsageError: If the output is one of the inputs.
    """
    target = output.resolve()
    for path in inputs:
        if "://" not in str(path) and (Path(path).resolve() == target or _is_same(output, Path(path))):
            msg = f"{output} is read, and would be written over; expected another name"
            raise UsageError(msg)


def _is_same(output: Path, path: Path) -> bool:
    try:
        return output.samefile(path)
    except OSError:  # one of them is not there
        return False


def add_settings(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Let ``--set`` take assignments, any number of them, any number of times.

    Args:
        parser: Of the command.
        meaning: For the help text.
    """
    parser.add_argument(
        "--set", metavar="NAME=VALUE", type=assignment, nargs="+", action="extend", default=[], help=meaning
    )

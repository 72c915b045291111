"""Lines that a terminal of 80 columns shows without breaking a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

WIDTH = 80
"""Columns of a terminal, of which most have as many or more."""
_WORD = re.compile(r"( *)((?:[^ ]| (?=[%±](?:[ ,;:.)]|$))|(?<= ±) )+)")  # a number stays with its % and its ±


def width(text: str) -> int:
    """Return how many columns a text takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum((2 if unicodedata.east_asian_width(c) in "WF" else 1) for c in text if not unicodedata.combining(c))


def padded(text: str, columns: int) -> str:
    """Fill a text up with blanks."""
    return text + " " * (columns - width(text))


def shortened(text: str, columns: int) -> str:
    """Leave out the middle of a text that is too wide: names of strata begin alike, and differ at the end."""
    if width(text) <= columns:
        return text
    head, tail = text, text
    while width(head) > (columns - 1) // 2:
        head = head[:-1]
    while width(tail) > columns - 1 - width(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def wrapped(line: str, hanging: int = 0, columns: int = WIDTH) -> list[str]:
    """Break a line between words, never within one: a word that is wider than a line is left where it is.

    Args:
        line: Without line breaks.
        hanging: Blanks before each line but the first.
        columns: How wide a line may be.
    """
    lines, current = [], ""
    for gap, word in _WORD.findall(line):
        start, size = width(current) + len(gap), width(word)
        if current and start + size > columns and start > hanging and hanging + size <= columns:
            lines.append(current)
            current = " " * hanging + word
        else:
            current += gap + word
    return [*lines, current]


def joined(parts: Sequence[str], hanging: int, separator: str = "; ", columns: int = WIDTH) -> list[str]:
    """Put parts on one line if they fit, else each on a line that the others leave no room on.

    Args:
        parts: Of a line; the first with its indentation.
        hanging: Blanks before each line but the first.
        separator: Between two parts that share a line.
        columns: How wide a line may be.
    """
    lines: list[str] = []
    for part in parts:
        if lines and width(lines[-1]) + len(separator) + width(part) <= columns:
            lines[-1] += separator + part
        else:
            lines += wrapped(" " * hanging * bool(lines) + part, hanging, columns)
    return lines


def listed(names: Sequence[str], limit: int) -> str:
    """List names, of many the first few and how many more there are."""
    if len(names) <= limit + 1:  # "and 1 more" is no shorter than a name
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit:,} more"


def listed_on_a_line(start: str, names: Sequence[str], columns: int = WIDTH) -> str:
    """List as many names as there is room for on one line, and an ellipsis for the others."""
    line = start + names[0]
    for i, name in enumerate(names[1:], 2):
        rest = "" if i == len(names) else ", …"
        if width(f"{line}, {name}{rest}") > columns:
            return f"{line}, …"
        line += f", {name}"
    return line

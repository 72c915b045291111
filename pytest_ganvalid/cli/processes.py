"""Which of several processes this is, started by ``torchrun`` or alone."""

from __future__ import annotations

import os
import sys

from pytest_ganvalid._torchrun import is_launched


def process() -> int:
    """Return the number of this process; 0 is the one that writes and prints."""
    return int(os.environ["RANK"]) if is_launched() else 0


def say(line: str) -> None:
    """Print a line, once, however many processes there are."""
    if process() == 0:
        sys.stdout.write(line + "\n")


def bar_wanted(*, quiet: bool) -> bool:
    """Tell whether to show a progress bar: there is someone to see it, and tqdm to draw it."""
    from importlib.util import find_spec

    return not quiet and sys.stderr.isatty() and find_spec("tqdm") is not None

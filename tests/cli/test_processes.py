"""One of several processes writes and prints, and whoever watches a terminal gets a bar."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from pytest_ganvalid.cli.processes import bar_wanted, process, say

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")


@pytest.mark.parametrize("rank", ["0", "3"])
def test_the_first_process_prints(
    rank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the processes of ``torchrun`` the one of rank 0 prints a line."""
    for name in VARIABLES:
        monkeypatch.setenv(name, rank)
    say("words")
    assert process() == int(rank)
    assert capsys.readouterr().out == ("words\n" if rank == "0" else "")


def test_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A process that ``torchrun`` did not start is the first, whatever rank a batch system gave it."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("RANK", "3")
    say("words")
    assert process() == 0
    assert capsys.readouterr().out == "words\n"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("tqdm", [True, False])
def test_a_bar_needs_all_three(terminal: bool, quiet: bool, tqdm: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """A bar is drawn on a terminal, unless it is to be quiet or tqdm is missing."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object() if tqdm else None)
    assert bar_wanted(quiet=quiet) is (terminal and tqdm and not quiet)

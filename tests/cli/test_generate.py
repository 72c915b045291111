"""``ganvalid generate``: the events of the generator, as from Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid import toys
from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]
Holds = Callable[[Path, Any], None]


def events_of(path: Path) -> dict[str, Any]:
    """The columns of a file."""
    with np.load(path) as archive:
        return dict(archive)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("generate g.safetensors --seed 1 -o out.npz", "how many events? give -n N"),
        ("generate g.safetensors -n 1 --seed 1 -o out.npz --at energy=high", "'energy=high' gives no number"),
        ("generate g.safetensors --seed 1 -o a.npz --conditions a.npz", "--conditions and --output are both a.npz"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("generate none.safetensors -n 5 --seed 1 -o out.npz", "none.safetensors: there is no such file"),
        ("generate events.npz -n 5 --seed 1 -o out.npz", "events.npz: cannot be read as a trained generator"),
        ("generate free.safetensors -n 5 --seed 1 -o out.txt", "the suffix '.txt' is not known"),
        ("generate free.safetensors -n 0 --seed 1 -o out.npz", "n=0 is too small"),
        ("generate free.safetensors -n 5 --seed 1 -o out.npz --at energy=50", "was trained without conditions"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz", "got nothing; expected --at energy=VALUE"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz --at e=50", "got e; expected --at energy=VALUE"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz --conditions events.npz", "300 rows for n=5 events"),
    ],
)
def test_not_done_with_these_files(
    words: str, reason: str, trained: Path, monkeypatch: pytest.MonkeyPatch, not_done: Refusal
) -> None:
    """An unsuitable file or option gets one line and status 1, and leaves nothing behind."""
    monkeypatch.chdir(trained)
    (trained / "events2.npz").write_bytes((trained / "events.npz").read_bytes())
    not_done(words, reason)


def test_conditions_are_a_number_or_a_file(trained: Path, folder: Path, holds: Holds) -> None:
    """``--at`` gives all events one condition; ``--conditions`` gives each that of a row, as many as there are."""
    from pytest_ganvalid.gan import Generator

    path = trained / "given.safetensors"
    generator, events = Generator.load(path), events_of(trained / "events.npz")
    assert main(["generate", str(path), "-n", "30", "--seed", "4", "--at", "energy=50", "-o", "at.npz"]) == 0
    holds(folder / "at.npz", generator.sample(30, seed=4, conditions={"energy": 50.0}))
    rows = str(trained / "events.npz")
    assert main(["generate", str(path), "--seed", "4", "--conditions", rows, "-o", "rows.npz"]) == 0
    holds(folder / "rows.npz", generator.sample(300, seed=4, conditions=events))


def test_an_interrupted_generation_leaves_nothing(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C amid the events leaves no part of a file, and ends with status 130."""
    from pytest_ganvalid.gan import Generator

    def stream(*_: object, **__: object) -> Iterator[Any]:
        yield toys.Ring().sample(5, seed=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "stream", stream)
    assert main(["generate", str(trained / "free.safetensors"), "-n", "10", "--seed", "1", "-o", "out.npz"]) == 130
    assert capsys.readouterr().err == "ganvalid: interrupted; nothing was written\n"
    assert not list(folder.iterdir())


def test_bars_are_for_terminals(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal gets a progress bar unless ``--quiet`` is given; a file gets none."""
    pytest.importorskip("tqdm")
    words = ["generate", str(trained / "free.safetensors"), "-n", "10", "--seed", "1", "-o", str(folder / "out.npz")]
    for terminal, more, shown in ((True, [], True), (True, ["--quiet"], False), (False, [], False)):
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
            assert main([*words, *more]) == 0
        printed = capsys.readouterr().err
        assert ("generating" in printed) is shown
        assert ("10.0/10.0" in printed) is shown

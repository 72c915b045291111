"""``ganvalid merge``: histograms add up, in any order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]


def test_merging_is_in_any_order(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The merged file is the same, to the last byte, in whatever order its parts are named, weighted too."""
    for i in (1, 2, 3):
        words = ["--like", "ref.json", "--weight", "w", "-o", f"w{i}.json"]
        assert main(["fill", f"gen{i}.npz", *words]) == 0
    for stem in ("gen", "w"):
        found = set()
        for names in ("123", "321", "213"):
            assert main(["merge", *(f"{stem}{i}.json" for i in names), "-o", "all.json"]) == 0
            found.add((filled / "all.json").read_bytes())
        assert main(["merge", f"{stem}[123].json", "-o", "all.json", "--quiet"]) == 0
        found.add((filled / "all.json").read_bytes())
        assert len(found) == 1
    assert "added up 3 files, 2,400 events; wrote all.json" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("merge -o a.json", "the following arguments are required: FILE"),
        ("merge gen1.json gen2.json -o gen1.json", "gen1.json is read, and would be written over"),
        ("merge gen*.json -o gen2.json", "gen2.json is read, and would be written over"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("merge none.json -o a.json", "none.json: No such file"),
        ("merge no*.json -o a.json", "the pattern matches no file"),
        ("merge gen1.json gen1.json -o a.json", "named twice"),
        ("merge gen.json gen2.json -o a.json", "gen2.npz (in gen.json) and gen2.npz (in gen2.json) hold the same 800"),
        ("merge gen1.npz -o a.json", "gen1.npz: not a JSON text"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)


def test_bars_are_for_terminals(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal gets a progress bar unless ``--quiet`` is given; a file gets none."""
    pytest.importorskip("tqdm")
    words = ["merge", "gen1.json", "gen2.json", "-o", str(filled / "a.json")]
    for terminal, more, shown in ((True, [], True), (True, ["--quiet"], False), (False, [], False)):
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
            assert main([*words, *more]) == 0
        assert ("adding" in capsys.readouterr().err) is shown


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no /bin/bash")
@pytest.mark.parametrize("words", ["merge gen1.json gen2.json -o a.json", "fill gen1.npz --like ref.json -o a.json"])
@pytest.mark.parametrize("end", [">&-", "| true"])
def test_nobody_has_to_read_what_was_done(words: str, end: str, filled: Path) -> None:
    """The work is done, with status 0, if stdout is closed or its reader has gone."""
    script = f"{sys.executable} -m pytest_ganvalid {words} {end}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", script], check=False, capture_output=True, text=True, cwd=filled)
    assert (done.returncode, done.stderr, (filled / "a.json").exists()) == (0, "", True)


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_parts_that_overlap_are_refused(
    share: float, filled: Path, not_done: Refusal, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part that holds some events of another one, or all of it and more, is not added to it."""
    with np.load(filled / "gen1.npz") as first, np.load(filled / "gen2.npz") as second:
        some = int(share * 800)
        odd: dict[str, Any] = {n: np.concatenate([first[n][:some], second[n]]) for n in first}
    np.savez(filled / "odd.npz", **odd)
    assert main(["fill", "odd.npz", "--like", "ref.json", "-o", "odd.json"]) == 0
    capsys.readouterr()
    not_done("merge gen1.json odd.json -o a.json", "odd.json: ")

"""``ganvalid promote``: a candidate becomes the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]


@pytest.fixture
def gate(folder: Path) -> gv.References:
    """A folder with two candidates, a file of histograms besides, and no reference yet."""
    (folder / "references.toml").write_text("[references]\n")
    references = gv.References.read(folder)
    for seed, name in enumerate(("a", "b", "c")):
        references.candidate(name, {"x": np.random.default_rng(seed).normal(size=900)}, bins=5)
    (folder / "candidates" / "c.json").rename(folder / "c.json")
    return references


def test_candidates_become_references(gate: gv.References, capsys: pytest.CaptureFixture[str]) -> None:
    """Each name gets the line of its candidate, and what was and what is are told."""
    assert main(["promote", "references.toml", "a", "b", "a"]) == 0
    references = gv.References.read(gate.file)
    assert sorted(references) == ["a", "b"]
    lines = capsys.readouterr().out.splitlines()
    digests = references.digests
    assert lines[0] == f"a: nothing -> {digests['a'][:12]}, references/{digests['a']}.json"
    assert main(["promote", ".", "a"]) == 0
    assert capsys.readouterr().out == f"a: this is the reference already ({digests['a'][:12]})\n"
    assert main(["promote", ".", "a", "--candidate", "c.json"]) == 0
    assert capsys.readouterr().out.startswith(f"a: {digests['a'][:12]} -> ")
    assert gv.References.read(gate.file)["a"].to_json() == Path("c.json").read_text()


@pytest.mark.usefixtures("gate")
def test_not_understood(not_understood: Refusal) -> None:
    """A file for several references is refused, and so is no name."""
    not_understood("promote . a b --candidate c.json", "--candidate is of one reference, and 2 are named")
    not_understood("promote .", "required: NAME")


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("promote none.toml a", "none.toml: No such file"),
        ("promote . z", "candidates/z.json: the file cannot be read"),
        ("promote . a --candidate references.toml", "references.toml: "),
        ("promote . a/b", "a reference cannot be called 'a/b'"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot become a reference gets one line and status 1, and nothing is written."""
    not_done(words, reason)

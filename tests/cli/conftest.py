"""Files to work on, and what every refusal of the command line is like."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]
SET = ["--set", "steps=20", "width=8", "batch=50", "members=1"]


@pytest.fixture(scope="session")
def _one_thread() -> Iterator[None]:
    """Networks of a few units are slower on several threads, and machines are shared."""
    torch: Any = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, _one_thread: None) -> Path:
    """A folder with training events and a generator that the command line made of them."""
    folder = tmp_path_factory.mktemp("trained")
    events = str(folder / "events.npz")
    assert main(["simulate", "calorimeter", "-n", "300", "--seed", "1", "-o", events]) == 0
    assert main(["train", events, "-o", str(folder / "free.safetensors"), *SET]) == 0
    given = ["--conditions", "energy", "-o", str(folder / "given.safetensors"), "--seed", "3"]
    assert main(["train", events, *given, *SET]) == 0
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_events(path: Path, seed: int, n: int = 800) -> None:
    """Write events."""
    rng = np.random.default_rng(seed)
    np.savez(
        path,
        x=rng.normal(size=n),
        y=rng.normal(size=n),
        w=rng.uniform(0.5, 1.5, size=n),
        k=rng.integers(0, 2, n).astype(float),
        passed=rng.uniform(size=n) > 0.4,
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with events of both sides, and their histograms."""
    folder = tmp_path_factory.mktemp("made")
    for seed, name in enumerate(("ref1", "ref2", "gen1", "gen2", "gen3")):
        write_events(folder / f"{name}.npz", seed)
    words = [str(folder / "ref1.npz"), str(folder / "ref2.npz"), "-o", str(folder / "ref.json")]
    assert main(["fill", *words, "--observables", "x,x:y,x where passed", "--bins", "9"]) == 0
    for name in ("gen1", "gen2", "gen3"):
        words = [str(folder / f"{name}.npz"), "--like", str(folder / "ref.json"), "-o", str(folder / f"{name}.json")]
        assert main(["fill", *words]) == 0
    assert main(["merge", *(str(folder / f"gen{i}.json") for i in (1, 2, 3)), "-o", str(folder / "gen.json")]) == 0
    return folder


@pytest.fixture
def filled(made: Path, folder: Path) -> Path:
    """A folder of one's own to work in, with events of both sides and their histograms."""
    for path in made.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def contents() -> dict[str, bytes]:
    """What lies in the folder that is worked in."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture
def not_understood(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """A command line that is not understood gets a reason, a pointer to the help and status 2, and writes nothing."""

    def check(words: str, reason: str) -> None:
        before = contents()
        assert main(shlex.split(words)) == 2
        printed = capsys.readouterr()
        first, second = printed.err.splitlines()
        assert first.startswith("ganvalid")
        assert reason in first
        assert second.startswith("See 'ganvalid ")
        assert not printed.out
        assert contents() == before

    return check


@pytest.fixture
def not_done(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """What cannot be done gets one line and status 1, and leaves everything as it was."""

    def check(words: str, reason: str) -> None:
        before = contents()
        assert main(shlex.split(words)) == 1
        printed = capsys.readouterr()
        (line,) = printed.err.splitlines()
        assert line.startswith("ganvalid: error: ")
        assert reason in line
        assert not printed.out
        assert contents() == before

    return check


@pytest.fixture(scope="session")
def holds() -> Callable[[Path, Any], None]:
    """A file holds exactly the columns of a sample, to the last bit."""

    def check(path: Path, expected: Any) -> None:
        with np.load(path) as archive:
            assert sorted(archive.files) == sorted(expected.columns)
            for name in archive.files:
                np.testing.assert_array_equal(archive[name], expected[name])

    return check

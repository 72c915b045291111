"""``ganvalid train``: the generator of Python, and a training that can be interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.cli import main

Refusal = Callable[[str, str], None]


SETTINGS = {"steps": 20, "width": 8, "batch": 50, "members": 1}


SET = ["--set", *(f"{name}={value}" for name, value in SETTINGS.items())]


def events_of(path: Path) -> dict[str, Any]:
    """The columns of a file."""
    with np.load(path) as archive:
        return dict(archive)


def assert_same(found: dict[str, Any], expected: Any) -> None:
    """The same columns, to the last bit."""
    assert sorted(found) == sorted(expected.columns)
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train e.npz -o out.safetensors --set stepz=3", "no setting 'stepz'; expected one of objective, penalty,"),
        ("train e.npz -o out.safetensors --set steps=many", "steps=many is not understood; expected a whole number"),
        ("train e.npz -o out.safetensors --columns a,,b", "'a,,b' names nothing"),
        ("train e.npz -o out.safetensors --log e.npz", "EVENTS and --log are both e.npz; expected different files"),
        ("train e.npz -o o.safetensors --checkpoint ./o.safetensors", "--output and --checkpoint are both"),
    ],
)
def test_not_understood(words: str, reason: str, not_understood: Refusal) -> None:
    """A command line that is not understood gets a reason and status 2, and writes nothing."""
    not_understood(words, reason)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train e.npz -o out.pt", "the suffix '.pt' is not known; expected .safetensors"),
        ("train e.npz -o no/out.safetensors", "there is no folder 'no'; make it first"),
        ("train e.npz -o out.safetensors --checkpoint no/ckpt", "there is no folder 'no'; make it first"),
        ("train e.npz -o out.safetensors --log .", "this is a folder; expected the name of a file"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train none.npz -o out.safetensors", "none.npz: there is no such file"),
        ("train events.npz -o out.safetensors --columns mass", "events.npz: no column 'mass'; there are"),
        ("train events.npz -o out.safetensors --set precision=half", "precision='half' is not known; expected one of"),
        ("train events.npz -o out.safetensors --device tpu", "device='tpu' "),
        ("train events.npz -o out.safetensors --checkpoint events2.npz", "cannot be read as a checkpoint"),
    ],
)
def test_not_done_with_these_files(
    words: str, reason: str, trained: Path, monkeypatch: pytest.MonkeyPatch, not_done: Refusal
) -> None:
    """An unsuitable file or option gets one line and status 1, and leaves nothing behind."""
    monkeypatch.chdir(trained)
    (trained / "events2.npz").write_bytes((trained / "events.npz").read_bytes())
    not_done(words, reason)


def test_training_is_that_of_python(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Training and generating by commands gives, to the last bit, the events of the Python calls."""
    from pytest_ganvalid.gan import Config, train

    words = ["-n", "1000", "--seed", "4", "--chunk", "300", "-o", "out.npz"]
    assert main(["generate", str(trained / "free.safetensors"), *words]) == 0
    assert "trained on 300 (n_train)" in capsys.readouterr().out
    generator = train(events_of(trained / "events.npz"), config=Config(**SETTINGS))  # type: ignore[arg-type]
    assert_same(events_of(folder / "out.npz"), generator.sample(1_000, seed=4))


def test_training_on_some_columns_with_weights(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--columns`` and ``--weight`` mean what they do in Python; one line says what was done, and what is next."""
    from pytest_ganvalid.gan import Config, Generator, train

    words = ["--columns", "response", "--weight", "energy", "--seed", "2", "-q", *SET]
    assert main(["train", str(trained / "events.npz"), "-o", "one.safetensors", *words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "trained on 300 events (n_train) in 20 steps; wrote one.safetensors; next: ganvalid generate"
    )
    events, config = events_of(trained / "events.npz"), Config(**SETTINGS)  # type: ignore[arg-type]
    generator = train(events, columns=["response"], weight="energy", seed=2, config=config)
    found = Generator.load(folder / "one.safetensors").sample(50, seed=1)
    assert_same(dict(found.columns), generator.sample(50, seed=1))


def test_an_interrupted_training_goes_on(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C the same command goes on from the checkpoint, to the same generator, and says so before."""
    from pytest_ganvalid.gan import Generator
    from pytest_ganvalid.gan.progress import Progress

    words = ["train", str(trained / "events.npz"), "-o", "g.safetensors", "--checkpoint", "ckpt", *SET]
    words += ["--checkpoint-every", "10"]
    for step, said in ((5, "before the first checkpoint, ckpt"), (15, "goes on from ckpt")):

        def interrupt(_: Progress, now: int, *__: object, step: int = step) -> None:
            if now == step:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Progress, "update", interrupt)
            assert main(words) == 130
        printed = capsys.readouterr()
        assert said in printed.err
        assert not printed.out
    assert [path.name for path in folder.iterdir()] == ["ckpt"]
    assert main(words) == 0
    resumed, whole = Generator.load(folder / "g.safetensors"), Generator.load(trained / "free.safetensors")
    assert_same(dict(resumed.sample(50, seed=1).columns), whole.sample(50, seed=1))
    assert main([*words, "--set", "width=16"]) == 1
    assert "ckpt is of a training with width=8; now it is 16: delete it" in capsys.readouterr().err


def test_a_rank_alone_does_not_silence(trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that some batch system sets does not keep the only process from writing its generator."""
    monkeypatch.setenv("RANK", "1")
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", *SET]) == 0
    assert (folder / "g.safetensors").exists()


def test_one_of_several_processes_writes(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the processes of ``torchrun`` those that do not lead print and write nothing, but tell their errors."""
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", *SET]) == 0
    assert not list(folder.iterdir())
    assert capsys.readouterr() == ("", "")
    assert main(["train", "none.npz", "-o", "g.safetensors"]) == 1
    assert capsys.readouterr().err.startswith("ganvalid (process 1): error: none.npz")

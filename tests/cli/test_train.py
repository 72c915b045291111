"""``ganvalid train``: the generator of Python, and a training that can be interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.cli import main
from pytest_ganvalid.errors import TrainingError

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
        (
            "train e.npz -o out.safetensors --set stepz=3",
            "no setting 'stepz' (did you mean 'steps'?); expected one of objective, penalty,",
        ),
        ("train e.npz -o out.safetensors --set steps=many", "steps=many is not understood; expected a whole number"),
        ("train e.npz -o out.safetensors --columns a,,b", "'a,,b' names nothing"),
        ("train e.npz -o out.safetensors --log e.npz", "EVENTS and --log are both e.npz; expected different files"),
        ("train e.npz -o o.safetensors --checkpoint ./o.safetensors", "--output and --checkpoint are both"),
        ("train e.npz -o o.safetensors --plot t.png --log ./t.png", "--log and --plot are both"),
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
        ("train e.npz -o out.safetensors --plot t.pdf", "the suffix '.pdf' is not known; expected .png"),
        ("train e.npz -o out.safetensors --plot no/t.png", "there is no folder 'no'; make it first"),
    ],
)
def test_not_done(words: str, reason: str, not_done: Refusal) -> None:
    """What cannot be done gets one line and status 1, before any work is done, and leaves nothing behind."""
    not_done(words, reason)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train none.npz -o out.safetensors", "none.npz: there is no such file"),
        ("train events.npz -o out.safetensors --columns mass", "events.npz: there is no column 'mass'; there are"),
        ("train events.npz -o out.safetensors --set precision=half", "precision='half' is unknown; expected one of"),
        ("train events.npz -o out.safetensors --device tpu", "--device 'tpu' "),
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


def test_training_is_extended(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command with more steps goes on from the checkpoint, with fewer it is refused."""
    words = ["train", str(trained / "events.npz"), "-o", "g.safetensors", "--checkpoint", "ckpt", *SET]
    for steps in (20, 30):
        assert main([*words, "--set", f"steps={steps}", "--log", "log.jsonl"]) == 0
        assert f"in {steps} steps" in capsys.readouterr().out
    assert len((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()) == 30
    assert main([*words, "--set", "steps=29"]) == 1
    assert "ckpt has 30 steps behind it, and steps=29 are wanted; set more steps" in capsys.readouterr().err


@pytest.mark.parametrize("log", [[], ["--log", "own.jsonl"]])
def test_the_training_is_drawn(trained: Path, folder: Path, log: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``--plot`` draws the lines of JSON that it keeps beside the picture, or where ``--log`` says."""
    pytest.importorskip("matplotlib")
    words = ["train", str(trained / "events.npz"), "-o", "g.safetensors", "--checkpoint", "c", *SET, "--plot", "t.png"]
    assert main([*words, *log]) == 0
    lines = folder / (log[1] if log else "t.jsonl")
    assert {path.name for path in folder.iterdir()} == {"g.safetensors", "c", "t.png", lines.name}
    assert (folder / "t.png").read_bytes().startswith(b"\x89PNG")
    assert len(lines.read_text(encoding="utf-8").splitlines()) == 20
    for path in (lines, folder / "t.png"):
        path.unlink()
    capsys.readouterr()
    assert main([*words, *log]) == 0  # was over before
    assert "no step was made to draw; t.png was not written" in capsys.readouterr().err
    assert not (folder / "t.png").exists()


def test_what_diverged_is_drawn(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The picture of a training that came to nothing is there to look at."""
    pytest.importorskip("matplotlib")
    from pytest_ganvalid.gan.progress import Progress

    update = Progress.update

    def diverge(self: Progress, step: int, values: dict[str, float]) -> None:
        if step == 5:
            msg = "the training diverged before step 5"
            raise TrainingError(msg)
        update(self, step, values)

    monkeypatch.setattr(Progress, "update", diverge)
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", "--plot", "t.png", *SET]) == 1
    assert "error: the training diverged before step 5" in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {"t.png", "t.jsonl"}


def test_a_picture_needs_matplotlib_before_the_training(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without matplotlib, the command that installs it is named before any step is made."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", "--plot", "t.png", *SET]) == 1
    assert 'pip install "pytest-ganvalid[report]"' in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("folder")
def test_warnings_are_told_in_a_line(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer steps than by default are warned of on stderr, in one line, quiet or not."""
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", "-q", *SET]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ganvalid: warning: steps=20 is below the 6,000 that 300 training events take by default")


def test_an_early_stop_is_told(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line that says what was done says that it was less than was set."""
    words = [*SET, "--set", "validation=0.5", "patience=1", "steps=500", "learning_rate=0.1", "averaging=0"]
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", *words]) == 0
    assert " steps (stopped early; the best weights are kept); wrote g.safetensors" in capsys.readouterr().out
    assert (folder / "g.safetensors").exists()


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

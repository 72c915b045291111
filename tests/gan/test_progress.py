"""A training tells where it is: in a log for programs, and in a bar for people."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.gan import Config, train
from pytest_ganvalid.gan.progress import Progress

Array = NDArray[np.float64]


def _tiny(**changes: Any) -> Config:
    """Settings with which nothing is learned, in no time."""
    return Config(**{"width": 4, "critic_width": 4, "depth": 1, "latent": 2, "batch": 20, **changes})


def _events() -> dict[str, Array]:
    return {"x": np.random.default_rng(2).normal(size=100)}


def _steps(log: Path) -> list[int]:
    return [json.loads(line)["step"] for line in log.read_text(encoding="utf-8").splitlines()]


def test_the_log_tells_the_training(tmp_path: Path) -> None:
    """Each line of the log has losses, time and rate, in the order of the steps, some 200 in a training."""
    log = tmp_path / "folder" / "log.jsonl"
    train(_events(), config=_tiny(steps=250, validation=0.1, patience=50), device="cpu", log=log)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert 200 <= len(lines) <= 300
    steps = [line["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert steps[-1] == 250
    numbers = ("energy_distance", "equal_samples", "critic_loss", "generator_loss", "penalty", "learning_rate")
    for name in (*numbers, "seconds", "events_per_second", "seconds_left"):
        assert all(np.isfinite(line[name]) for line in lines)
    assert {line["compared_with"] for line in lines} == {"held-out events"}
    assert len({line["energy_distance"] for line in lines}) > 200  # of the same steps as the losses
    assert (lines[-1]["seconds_left"], lines[-1]["learning_rate"]) == (0, 0)


def test_time_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seconds of a training that goes on are counted from its first start, and the time left from this one."""
    log, config, clock = tmp_path / "log.jsonl", _tiny(steps=100), iter((0.0, 4.0, 100.0, 105.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    Progress(config, 0, log, shown=False).update(10, {"critic_loss": 1.0})
    Progress(config, 10, log, shown=False).update(20, {"critic_loss": 1.0})
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(line["step"], line["seconds"], line["seconds_left"]) for line in lines] == [(10, 4, 36), (20, 9, 40)]


@pytest.mark.parametrize("columns", [80, 60, 200])
def test_the_bar_fits_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of 80 columns holds the bar in one line: steps, time left, and the distance beside what it can be."""
    tqdm: Any = pytest.importorskip("tqdm")
    monkeypatch.setattr(tqdm.std, "_screen_shape_wrapper", lambda: lambda _: (columns, 24))
    progress = Progress(_tiny(steps=11_972, width=8), 0, None, shown=True, compared_with="held-out events")
    values = {"energy_distance": 0.00312, "equal_samples": 0.0029}
    with closing(progress):
        for step in (5_986, 11_972):
            progress.update(step, values)
    err = capsys.readouterr().err
    assert err.startswith("training with batch=20, latent=2, width=8, critic_width=4, depth=1\n")
    assert "distance: energy distance from held-out events" in err
    bars = err.replace("\n", "\r").split("\r")
    assert max(map(len, bars)) <= max(columns, 80)
    if columns >= 80:
        assert any(
            bar.startswith("11972/11972 steps |") and bar.endswith(" left, distance 0.0031 (equal samples: 0.0029)")
            for bar in bars
        )


def test_default_settings_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """What was set is said, and nothing else."""
    pytest.importorskip("tqdm")
    Progress(Config(steps=10), 0, None, shown=True).close()
    assert capsys.readouterr().err.startswith("training with the default settings\n")


def test_a_new_training_starts_a_new_log(tmp_path: Path) -> None:
    """The lines of another training, and one that was cut short, do not stay in the log."""
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 3}\n{"step": 7', encoding="utf-8")
    train(_events(), config=_tiny(steps=2), device="cpu", log=log)
    assert _steps(log) == [1, 2]


def test_a_bar_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told on stderr only if asked for, and without tqdm the command that installs it is named."""
    train(_events(), config=_tiny(steps=2), device="cpu")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(MissingExtraError, match="pip install"):
        train(_events(), config=_tiny(steps=2), device="cpu", progress=True)
    monkeypatch.undo()
    pytest.importorskip("tqdm")
    train(_events(), config=_tiny(steps=2), device="cpu", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2 steps" in err
    assert "equal samples" in err

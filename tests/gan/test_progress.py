"""A training tells where it is: in a log for programs, and in a bar for people."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.gan import Config, train

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
    for name in ("critic_loss", "generator_loss", "penalty", "seconds", "events_per_second", "seconds_left"):
        assert all(np.isfinite(line[name]) for line in lines)
    assert lines[-1]["seconds_left"] == 0
    assert lines[-1]["energy_distance"] > 0


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
    assert "training: 100%" in err
    assert "critic" in err

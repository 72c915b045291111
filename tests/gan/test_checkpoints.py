"""A checkpoint is gone on from by the same training alone, for as many steps as it has behind it or more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import Config, artefacts, checkpoints, train

CONFIG = Config(width=4, critic_width=4, depth=1, latent=2, batch=20, steps=20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A checkpoint after 20 steps."""
    path = tmp_path / "c"
    events = {"x": np.random.default_rng(1).normal(size=50)}
    train(events, config=CONFIG, device="cpu", checkpoint=path)
    return path


def _changed(record: Any, **changes: Any) -> Any:
    return type(record)(**{name: getattr(record, name) for name in record.__slots__} | changes)


@pytest.mark.parametrize("steps", [20, 21, 1_000])
def test_the_same_training_goes_on(path: Path, steps: int) -> None:
    """The record and the tensors come back, whether or not more steps are wanted."""
    record, tensors = artefacts.read(path, artefacts.CHECKPOINT)
    wanted = _changed(record, config=_changed(CONFIG, steps=steps))
    stored, found = checkpoints.read(path, wanted, tensors[checkpoints.DIGEST])
    assert (stored.steps, stored.config.steps) == (20, 20)
    assert found.keys() == tensors.keys()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 3}, "is of a training with seed=0; now it is 3: delete it to start again"),
        ({"n_train": 51}, "is of a training with n_train=50; now it is 51"),
        ({"config": _changed(CONFIG, width=8)}, "is of a training with width=4; now it is 8"),
        ({"conditions": ("other",)}, "is of a training with other events, weights or columns"),
        (
            {"config": _changed(CONFIG, steps=19)},
            r"has 20 steps behind it, and steps=19 are wanted; set more steps to go on \(it was started with 20\)",
        ),
    ],
)
def test_another_training_does_not(path: Path, changes: dict[str, Any], text: str) -> None:
    """What differs is named, with the remedy."""
    record, tensors = artefacts.read(path, artefacts.CHECKPOINT)
    with pytest.raises(InputError, match=text):
        checkpoints.read(path, _changed(record, **changes), tensors[checkpoints.DIGEST])


def test_other_events_do_not(path: Path) -> None:
    """A digest of other events, or none at all, is refused."""
    record, tensors = artefacts.read(path, artefacts.CHECKPOINT)
    with pytest.raises(InputError, match="another order of events"):
        checkpoints.read(path, record, tensors[checkpoints.DIGEST] + 1)
    artefacts.write(path, artefacts.CHECKPOINT, record, {"step": torch.zeros(1)})
    with pytest.raises(InputError, match="another order of events"):
        checkpoints.read(path, record, tensors[checkpoints.DIGEST])

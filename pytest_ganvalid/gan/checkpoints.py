"""Checkpoints of an unfinished training, from which the same training goes on; only its steps may be more."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import artefacts
from pytest_ganvalid.gan.artefacts import TrainingRecord

Tensor = Any
DIGEST = "events"
"""Name of the tensor that tells the training events, their weights and their order from others."""


def read(
    path: str | os.PathLike[str], record: TrainingRecord, digest: Tensor
) -> tuple[TrainingRecord, dict[str, Tensor]]:
    """Read a checkpoint of a training.

    Args:
        path: The file.
        record: Record of the training that is to go on; its number of steps may differ from the stored one.
        digest: Digest of its events.

    Returns:
        The stored record, and the tensors.

    Raises:
        InputError: If the file is no checkpoint, or is of another training, or has more steps than the settings.
    """
    stored, tensors = artefacts.read(path, artefacts.CHECKPOINT)
    previous, current = (asdict(r.config) | {"seed": r.seed, "n_train": r.n_train} for r in (stored, record))
    for name, value in current.items():
        if name != "steps" and previous[name] != value:
            msg = (
                f"{path} is of a training with {name}={previous[name]!r}; now it is {value!r}: delete it to start again"
            )
            raise InputError(msg)
    if any(getattr(stored, name) != getattr(record, name) for name in ("columns", "conditions", "fingerprint")):
        msg = f"{path} is of a training with other events, weights or columns; delete it to start again"
        raise InputError(msg)
    if not torch.equal(tensors.get(DIGEST, digest[:0]), digest):
        msg = f"{path} is of a training with another order of events; delete it to start again"
        raise InputError(msg)
    if stored.steps > record.config.length:
        msg = (
            f"{path} has {stored.steps:,} steps behind it, and steps={record.config.length:,} are wanted; set more "
            f"steps to go on (it was started with {stored.config.length:,}), or delete it to start again"
        )
        raise InputError(msg)
    return stored, tensors

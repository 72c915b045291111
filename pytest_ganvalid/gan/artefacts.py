"""Trained generators and unfinished trainings as files: tensors and a record of where they come from, no pickle.

A file is in the safetensors format: a length, a JSON header, and the numbers. Reading it runs nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pytest_ganvalid import _json
from pytest_ganvalid._files import write_whole
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan.config import Config
from pytest_ganvalid.gan.preprocess import Column, Scale
from pytest_ganvalid.overlaps.fingerprint import Fingerprint

Tensor = Any
FORMAT = 2
"""Version of the files; raised whenever older code would misread newer files, or the reverse.

In version 1 every column had a `Scale`. Its generators are still read, its checkpoints are not.
"""
GENERATOR, CHECKPOINT = "generator", "checkpoint"
_KEY = "ganvalid"
_OLD_FINGERPRINT = _OLD_FORMAT = 1
_KINDS = {GENERATOR: "a trained generator", CHECKPOINT: "a checkpoint of an unfinished training"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """Where a generator comes from; it travels with the weights.

    Attributes:
        config: Settings of the training.
        columns: The columns it generates, with the way from the network to each: tables, or the scales of version 1.
        conditions: The columns it must be given, with the way to the network.
        n_train: Number of training events.
        fingerprint: Fingerprint of the training events, to show that a reference is another sample; ``None`` if it is
            of a version that cannot be compared any more.
        seed: Seed of the training.
        steps: Number of steps made.
        code_version: Version of pytest-ganvalid.
        torch_version: Version of torch.
    """

    config: Config
    columns: tuple[Column, ...]
    conditions: tuple[Column, ...]
    n_train: int
    fingerprint: Fingerprint | None
    seed: int
    steps: int
    code_version: str
    torch_version: str

    def to_json(self, kind: str) -> str:
        """Write as JSON for a file of some kind; `from_json` restores an equal object."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields |= {
            "config": json.loads(self.config.to_json()),
            "fingerprint": self.fingerprint and json.loads(self.fingerprint.to_json()),
        }
        return _json.dumps(kind, FORMAT, fields)

    @classmethod
    def from_json(cls, kind: str, text: str) -> TrainingRecord:
        """Read what `to_json` wrote.

        Raises:
            InputError: If the text is something else.
        """
        node = _json.parsed(text)
        old = isinstance(node.value, dict) and node.value.get("version") == _OLD_FORMAT
        node = _json.untagged(node, kind, _OLD_FORMAT if old else FORMAT)
        for name in ("columns", "conditions") if old else ():
            for scale in node.members()[name].items() if name in node.value else ():
                if isinstance(scale.value, dict):
                    scale.value["kind"] = Scale.KIND
        fingerprint = node.value.get("fingerprint")
        # An old fingerprint is of no use any more; the rest of the record is.
        if isinstance(fingerprint, dict) and fingerprint.get("version") == _OLD_FINGERPRINT:
            node.value["fingerprint"] = None
        record = _json.decode_fields(cls, node)
        names = [column.name for column in (*record.columns, *record.conditions)]
        if len({type(column) for column in record.columns}) > 1:
            msg = "columns: some have tables and others scales; expected one or the other"
        elif len(set(names)) < len(names) or record.n_train < 1:
            msg = f"columns {names} of {record.n_train} training events; expected names that differ, and events"
        else:
            return record
        raise InputError(msg)


def versions() -> dict[str, str]:
    """Return the versions of the code, as a record has them."""
    return {"code_version": version("pytest-ganvalid"), "torch_version": str(torch.__version__)}


def write(path: str | os.PathLike[str], kind: str, record: TrainingRecord, tensors: dict[str, Tensor]) -> None:
    """Write a file beside its place and rename it.

    Raises:
        OSError: If the file cannot be written.
    """
    content = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(content, {_KEY: record.to_json(kind)}))


def read(path: str | os.PathLike[str], kind: str) -> tuple[TrainingRecord, dict[str, Tensor]]:
    """Read a file that `write` wrote.

    Raises:
        InputError: If the file does not exist, was cut short, or is of another kind or version.
    """
    file, expected = Path(path), _KINDS[kind]
    if not file.is_file():
        msg = f"{file}: {'is a folder' if file.is_dir() else 'there is no such file'}; expected {expected}"
        raise InputError(msg)
    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        msg = f"{file}: cannot be read as {expected} ({error}); it was cut short, or is something else"
        raise InputError(msg) from error
    if text is None:
        msg = f"{file}: holds tensors that pytest-ganvalid did not write; expected {expected}"
        raise InputError(msg)
    _check_kind(file, kind, text)
    try:
        return TrainingRecord.from_json(kind, text), tensors
    except InputError as error:
        msg = f"{file}: {error}"
        raise InputError(msg) from error


def _check_kind(file: Path, kind: str, text: str) -> None:
    try:
        header = json.loads(text)
        stored_kind, format_version, code = header["kind"], header["version"], header["code_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"{file}: its record cannot be read ({error!r}); expected {_KINDS[kind]}"
        raise InputError(msg) from error
    if format_version != FORMAT and (stored_kind, format_version) != (GENERATOR, _OLD_FORMAT):
        msg = (
            f"{file}: written by pytest-ganvalid {code} in version {format_version} of the format; this is "
            f"pytest-ganvalid {version('pytest-ganvalid')} with version {FORMAT}: use that release, or train again"
        )
        raise InputError(msg)
    if stored_kind != kind:
        remedy = "finish the training first" if stored_kind == CHECKPOINT else "choose another file for the checkpoint"
        msg = f"{file}: this is {_KINDS.get(str(stored_kind), repr(stored_kind))}; expected {_KINDS[kind]}: {remedy}"
        raise InputError(msg)

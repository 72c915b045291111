"""Choosing the rows of a sketch on their device: torch tensors, on a GPU above all; only these rows leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_ganvalid.overlaps.digests import DOUBLE, FIRST, HALF, SECOND, SEED, Column, Words
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.samples.tables import as_array

Tensor = Any
_WORD = 2**32 - 1


@dataclass(frozen=True, slots=True, eq=False)
class DeviceSelection:
    """The rows of a sketch among some events.

    Attributes:
        columns: The rows, with all columns of the key.
        hashes: Hashes of the rows, as of `digests.row_hashes`.
        sum: Sum of the hashes of all events, modulo 2⁶⁴.
        squares: Sum of the squares of those hashes, likewise.
    """

    columns: Mapping[str, Column]
    hashes: Words
    sum: int
    squares: int


def select_on_device(tensors: Mapping[str, Tensor], key: Key, limit: int) -> DeviceSelection:
    """Choose rows as `Fingerprint.of` does.

    Args:
        tensors: Name -> tensor of shape (events,), all on one device.
        key: How rows are recognised.
        limit: Rows with larger digests are left out.
    """
    import torch

    hashes: Tensor = int(SEED)
    for name in key.columns:
        for word in _words(tensors[name], key.bits):
            hashes = (hashes ^ word) * int(FIRST) & _WORD
            hashes = (hashes ^ (hashes >> 16)) * int(SECOND) & _WORD
            hashes = hashes ^ (hashes >> 15)
    selected = torch.nonzero(hashes <= limit >> 32)[:, 0]
    return DeviceSelection(
        {name: as_array(tensors[name][selected], f"column {name!r}") for name in key.columns},
        hashes[selected].cpu().numpy().astype(np.uint32),
        int(hashes.sum()) % 2**64,
        int((hashes * hashes).sum()) % 2**64,  # products of signed integers are modulo 2⁶⁴, too
    )


def _words(values: Tensor, bits: int) -> tuple[Tensor, ...]:
    """Return the words of `digests`, as integers of 64 bits: torch has no unsigned ones."""
    import torch

    if bits == DOUBLE:
        double = values.double() + 0.0
        double[torch.isnan(double)] = torch.nan
        long = double.view(torch.int64)
        return long & _WORD, (long >> 32) & _WORD
    single = values.float() + 0.0
    single[torch.isnan(single)] = torch.nan
    words = single.view(torch.int32).long() & _WORD
    return ((words + (1 << 12)) & 0xFFFFE000,) if bits == HALF else (words,)

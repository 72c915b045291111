"""Which rows of two long samples are compared with each other: the same of either, chosen by their values.

A row is kept if a hash of its best resolved column, in single precision or less, is small enough. So a copy of a kept
row is kept too, whatever the file format did to it, and the rows that are kept are a fair sample of the values.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.digests import LARGEST, is_plain, mix, numeric_columns, width, words
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.formats import Columns
from pytest_ganvalid.samples.resolution import is_label, is_number_of_event
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.spread import Spread
from pytest_ganvalid.samples.tables import as_array

SIZE = 1 << 20
"""Rows of a sample, at most, that are compared with others."""
_BLOCK = 1 << 15  # rows at a time: what is worked on stays in the processor's cache
_HEAD = 50_000  # rows, of which the resolution is found
_LEAST = 1 << 12  # rows to keep, however large they are
_FAIR = 0.5  # of the distinct rows, that a single column tells apart
_SINGLE = 32  # bits
_WORD = 2**32 - 1
_FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_SEED = np.uint32(0x67616E76)  # or else the hash of 0, the most frequent of numbers, would be the least


@dataclass(frozen=True, slots=True)
class Thinning:
    """How rows are chosen.

    Attributes:
        columns: What makes up a row.
        key: Which of them are hashed.
        widths: The bits of the float that each of those is rounded to.
        share: Of the hashes, that are kept.
        size: Rows to keep, at most.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    widths: tuple[int, ...]
    share: float
    size: int = SIZE

    def rows(self, sample: Sample) -> Spread:
        """Return the rows of some events that are kept."""
        last = int(self.share * (2**32 - 1))
        found = [self._chosen(sample, rows, last) for rows in _parts(len(sample))]
        kept, keys = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        columns: Columns = {name: sample[name][kept] for name in self.columns if name in sample.columns}
        return Spread.of(columns, keys.astype(np.uint64) << np.uint64(32), self.size, len(sample), self._limit(last))

    def rows_on_device(self, tensors: Mapping[str, Any]) -> Spread:
        """Return the rows of some events that are kept, as `rows` does, of tensors; only those leave their device.

        Args:
            tensors: Name -> tensor of shape (events,).
        """
        import torch

        last = int(self.share * (2**32 - 1))
        hashes: Any = int(_SEED)
        for name, bits in zip(self.key, self.widths, strict=True):
            values = tensors[name]
            single = (values if bits >= _SINGLE else values.half()).float() + 0.0
            hashes = hashes ^ (single.view(torch.int32).long() & _WORD)
            hashes = hashes * int(_FIRST) & _WORD
            hashes = (hashes ^ (hashes >> 16)) * int(_SECOND) & _WORD
        kept = torch.nonzero(hashes <= last)[:, 0]
        columns: Columns = {name: as_array(tensors[name][kept], f"column {name!r}") for name in self.columns}
        keys = hashes[kept].cpu().numpy().astype(np.uint64) << np.uint64(32)
        return Spread.of(columns, keys, self.size, len(hashes), self._limit(last))

    def _limit(self, last: int) -> int:
        return LARGEST if self.share == 1 else (last << 32) + 2**32 - 1

    def _chosen(self, sample: Sample, rows: slice, last: int) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Return which of some rows have hashes up to the last, and those."""
        hashes = np.full(rows.stop - rows.start, _SEED)
        for name, bits in zip(self.key, self.widths, strict=True):
            hashes ^= _words(sample[name][rows], bits)
            _mix32(hashes)
        kept = np.flatnonzero(hashes <= np.uint32(last))
        return kept + rows.start, hashes[kept]


def thinning(
    generated: Sample, reference: Sample, rows: int, training: Collection[str] | None = None, memory: float = math.inf
) -> Thinning | None:
    """Choose how to thin out two samples; ``None`` if they have no column of numbers in common.

    Args:
        generated: Some generated events.
        reference: Some reference events.
        rows: Number of rows of the larger sample.
        training: Names of the columns of the training events, of which rows are chosen too; ``None`` if of none.
        memory: Bytes that the rows of either may take.
    """
    columns = tuple(sorted(set(numeric_columns(generated)) & set(numeric_columns(reference))))
    if not columns:
        return None
    head = reference.first(min(_HEAD, len(reference)))
    known = [name for name in columns if training is None or name in training] or columns
    telling = [name for name in known if not (is_label(head[name]) or is_number_of_event(head[name]))] or known
    plain = [name for name in telling if is_plain(head[name])] or list(telling)
    key = _key(head, plain)
    widths = tuple(min(width(generated, name), width(reference, name), _SINGLE) for name in key)
    size = _affordable(head, columns, memory)
    if size < min(rows, SIZE) and is_plain(
        head[plain[0]]
    ):  # columns of one number tell rows apart, and more of them can be kept
        columns = tuple(name for name in columns if is_plain(head[name]))
        size = _affordable(head, columns, memory)
    return Thinning(columns, key, widths, min(1.0, size / rows), size)


def _affordable(head: Sample, columns: Sequence[str], memory: float) -> int:
    """Return how many rows may be kept."""
    return int(min(SIZE, max(memory / row_bytes({name: head[name] for name in columns}), _LEAST)))


def row_bytes(columns: Columns) -> float:
    """Return the bytes that a row takes, on average."""
    rows = len(next(iter(columns.values())))
    sizes = (v.values.nbytes + v.counts.nbytes if isinstance(v, Entries) else v.nbytes for v in columns.values())
    return max(sum(sizes) / rows, 1.0)


def _key(head: Sample, names: Sequence[str]) -> tuple[str, ...]:
    """Return the column that tells most rows apart, if it does as well as all of them together, or else all."""
    found = {name: np.unique(_words(head[name], _SINGLE)) for name in names}
    best = max(names, key=lambda name: (found[name].size, name))
    together = np.zeros(len(head), dtype=np.uint64)
    for name in names:
        together ^= words(head[name], _SINGLE)
        mix(together)
    return (best,) if found[best].size >= _FAIR * np.unique(together).size else tuple(names)


def _parts(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _BLOCK):
        yield slice(start, min(start + _BLOCK, rows))


def _words(values: NDArray[np.generic] | Entries, bits: int) -> NDArray[np.uint32]:
    """Return 32 bits per event that are equal if the values are, once rounded."""
    if isinstance(values, Entries):
        return (words(values, bits) >> np.uint64(32)).astype(np.uint32)
    with np.errstate(over="ignore", invalid="ignore"):
        single = (values if bits >= _SINGLE else values.astype(np.float16)).astype(np.float32)
    single += np.float32(0)  # one zero
    return single.view(np.uint32)


def _mix32(hashes: NDArray[np.uint32]) -> None:
    """Mix bits in place, so that the leading ones depend on all; products are modulo 2³²."""
    hashes *= _FIRST
    hashes ^= hashes >> np.uint32(16)
    hashes *= _SECOND

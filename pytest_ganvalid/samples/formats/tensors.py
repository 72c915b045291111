"""Tensors: torch's ``.pt`` and ``.pth``, of which nothing but tensors is unpickled, and ``.safetensors``.

Named tensors of shape (events,) are columns, and those of shape (events, features) a column for each feature: see
`samples.features`. A tensor alone is a table like an array of ``.npy``: see `npy`.
"""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import Reader, refuse_inside
from pytest_ganvalid.samples.formats._arrays import (
    STEP,
    Blocks,
    Span,
    StoredArray,
    Table,
    features,
    merged,
    parts_of,
    refusal,
    steps,
)
from pytest_ganvalid.samples.tables import as_array

KIND = "a file of tensors"
DAMAGE = (Exception,)  # what reads pickles fails in as many ways as there are bytes; safetensors has its own
_UNNAMED = ""
_LENGTH, _METADATA = struct.Struct("<Q"), "__metadata__"  # of the header of safetensors, a JSON object
_DTYPES = {"BOOL": "?", "F16": "<f2", "F32": "<f4", "F64": "<f8"} | {
    f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}


def open_file(path: str, inside: str) -> Reader:
    """Open a file; see `formats.Format`."""
    refuse_inside(KIND, inside)
    return _safetensors(path) if path.endswith(".safetensors") else _torch(path)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of torch's.

    Attributes:
        data: The tensor.
        dtype: Of the values as an array of numpy.
        shape: Of the tensor.
    """

    data: Any
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def blocks(self, start: int, stop: int, step: int, span: Span) -> Blocks:
        """Yield rows; see `_arrays.Array`."""
        for first, last in steps(start, stop, step):
            rows = self.data[first:last] if span is None else self.data[first:last, span[0] : span[1]]
            yield _array(rows)


def _array(rows: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a tensor as an array, of the same type if numpy has it."""
    try:
        return np.asarray(rows.detach().numpy())
    except TypeError:
        return as_array(rows, "the tensor")


def _safetensors(path: str) -> Table:
    """Let the library check a file, and find where the tensors are; itself it would map all of it into memory."""
    safetensors = imported("safetensors", feature=KIND, extra="gan")
    with safetensors.safe_open(path, framework="numpy"):
        pass
    with Path(path).open("rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        header = json.loads(file.read(length))
    header.pop(_METADATA, None)
    arrays, reasons = {}, {}
    for name, entry in sorted(header.items()):  # in the file they are in any order
        kind, shape = entry["dtype"], tuple(entry["shape"])
        reason = (
            refusal(np.dtype(_DTYPES[kind]), shape)
            if kind in _DTYPES
            else f"has dtype {kind}, which numpy lacks; convert it to float32"
        )
        if reason:
            reasons[name] = reason
        else:
            offset = _LENGTH.size + length + entry["data_offsets"][0]
            arrays[name] = StoredArray(path, offset, np.dtype(_DTYPES[kind]), shape)
    columns = (features(name, name, array.shape) for name, array in arrays.items())
    return Table(arrays, *merged(columns, reasons), STEP)


def _torch(path: str) -> Table:
    """Open a file of torch's.

    Raises:
        InputError: If the file holds anything but tensors.
    """
    torch = imported("torch", feature=KIND, extra="gan")
    loaded = _loaded(torch, path)
    if isinstance(loaded, torch.Tensor):
        tensor = _tensor(loaded)
        if isinstance(tensor, str):
            msg = f"the tensor {tensor}"
            raise InputError(msg)
        return Table({_UNNAMED: tensor}, *parts_of(_UNNAMED, tensor.dtype, tensor.shape), STEP)
    if not isinstance(loaded, Mapping):
        msg = f"it holds a {type(loaded).__name__}; expected tensors by name: torch.save({{'x': tensor}}, file)"
        raise InputError(msg)
    arrays, reasons = {}, {}
    for name, value in loaded.items():
        tensor = _tensor(value) if isinstance(value, torch.Tensor) else f"is a {type(value).__name__}; leave it out"
        reason = tensor if isinstance(tensor, str) else refusal(tensor.dtype, tensor.shape)
        if isinstance(tensor, str) or reason:
            reasons[str(name)] = str(reason)
        else:
            arrays[str(name)] = tensor
    columns = (features(name, name, array.shape) for name, array in arrays.items())
    return Table(arrays, *merged(columns, reasons), STEP)


def _loaded(torch: Any, path: str) -> Any:  # noqa: ANN401 - torch is not looked into
    """Load tensors and nothing else, mapped into memory where the file allows that.

    Raises:
        InputError: If the file holds objects of other kinds.
    """
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap can only be used" not in str(error):  # but an older form cannot be mapped
                raise
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        msg = (
            "it holds objects, which are never unpickled, or is damaged; save the columns alone: "
            "torch.save({'x': tensor}, file)"
        )
        raise InputError(msg) from None


def _tensor(tensor: Any) -> Tensor | str:  # noqa: ANN401
    """Return a tensor, or why it cannot be read, as the end of a sentence."""
    try:
        return Tensor(tensor, _array(tensor[:0] if tensor.ndim else tensor).dtype, tuple(tensor.shape))
    except Exception as error:  # noqa: BLE001 - sparse, quantised, or of a kind to come
        return f"cannot be an array ({' '.join(str(error).split())[:100]}); convert it to a dense one of float32"

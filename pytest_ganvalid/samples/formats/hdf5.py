"""HDF5, through h5py: the datasets of a group.

A dataset of shape (events,) or (events, 1) is a column, one of shape (events, features) a column for each feature (see
`samples.features`), and one of lists a column with several entries per event. The fields of a compound dataset are
columns of their own, called by the name of the field where no other column is called so, and ``"dataset.field"``
otherwise. For the files of the calorimeter challenge see `_calorimeter`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._extras import imported
from pytest_ganvalid._units import stated_unit
from pytest_ganvalid.errors import InputError, absence
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.formats import _calorimeter
from pytest_ganvalid.samples.formats._arrays import (
    LARGEST,
    STEP,
    Blocks,
    Part,
    Span,
    Table,
    features,
    merged,
    refusal,
    row_bytes,
    steps,
)

KIND = "HDF5"
DAMAGE = (RuntimeError, ValueError, LookupError, TypeError, NotImplementedError)
_CACHE = (
    1 << 28
)  # bytes of HDF5 chunks of one dataset, at most, that are kept as long as there are rows to read in them
_SLOTS = 10007  # a prime number, much larger than that of chunks in the cache
_PANDAS = "pandas_type"
_TWO = 2  # axes


def open_file(path: str, inside: str) -> Hdf5:
    """Open a file; see `formats.Format`."""
    h5py = imported("h5py", feature="an HDF5 file", extra="hep")
    file = h5py.File(path, "r")
    try:
        return Hdf5(h5py, file, inside)
    except BaseException:
        file.close()
        raise


class Hdf5(Table):
    """A group of an HDF5 file."""

    def __init__(self, h5py: Any, file: Any, inside: str) -> None:  # noqa: ANN401 - h5py has no types
        """Find the datasets.

        Args:
            h5py: The module.
            file: The open file.
            inside: Path of a group, or of a dataset.

        Raises:
            InputError: If the file has no such group, or the group nothing that can be read.
        """
        self._file = file
        group, names = _selection(h5py, file, inside)
        datasets, dataset_reasons = _datasets(h5py, group, names)
        parts, column_reasons = _columns(datasets)
        arrays = {part.array: datasets[part.array] for part in parts.values()}
        super().__init__(arrays, parts, {**dataset_reasons, **column_reasons}, _step(arrays))
        units = {name: stated_unit(group[part.array].attrs) for name, part in parts.items()}
        self.units = {name: unit for name, unit in units.items() if unit}

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of a file.

    Attributes:
        data: What h5py reads rows of.
        dtype: Of the values.
        shape: Of the dataset.
        chunk: Rows of an HDF5 chunk; 0 if it has none.
        jagged: Whether it holds a list of numbers per event.
    """

    data: Any
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    chunk: int
    jagged: bool

    def blocks(self, start: int, stop: int, step: int, span: Span) -> Blocks:
        """Yield rows; see `_arrays.Array`."""
        for first, last in steps(start, stop, step):
            yield self.data[first:last] if span is None else self.data[first:last, slice(*span)]


def _selection(h5py: Any, file: Any, inside: str) -> tuple[Any, list[str]]:  # noqa: ANN401
    """Return the group to read, and the names of its members to read.

    Raises:
        InputError: If the file has no such group, or several and none is named, or pandas wrote the group.
    """
    if inside and inside not in file:
        raise InputError(absence("group", inside, _groups(h5py, file)))
    target = file[inside or "/"]
    if isinstance(target, h5py.Dataset):
        return target.parent, [target.name.rpartition("/")[2]]
    while not inside and len(target) == 1 and _kind(target, next(iter(target))) is h5py.Group:
        target = target[next(iter(target))]
    if _PANDAS in target.attrs:
        msg = "pandas wrote it in a form of its own; write it with pandas.DataFrame.to_parquet"
        raise InputError(msg)
    classes = [_kind(target, name) for name in target]
    if h5py.Dataset not in classes and h5py.Group in classes:
        msg = f"there are only groups in it: name one of {_groups(h5py, target)} after a colon"
        raise InputError(msg)
    return target, list(target)


def _kind(group: Any, name: str) -> Any:  # noqa: ANN401
    """Return the class of a member of a group; that of ``None`` for a link to nothing."""
    return type(group.get(name))


def _groups(h5py: Any, group: Any) -> list[str]:  # noqa: ANN401
    return [name for name in group if _kind(group, name) is h5py.Group]


def _datasets(h5py: Any, group: Any, names: list[str]) -> tuple[dict[str, Dataset], dict[str, str]]:  # noqa: ANN401
    """Open the datasets of a group; other members come with the reason why they are no columns."""
    reasons, datasets = {}, {}
    for name in names:
        kind = _kind(group, name)
        if kind is h5py.Group:
            reasons[name] = "is a group: name it after a colon, behind the name of the file"
        elif kind is not h5py.Dataset or group[name].shape is None:
            reasons[name] = "has nothing in it; leave it out"
        else:
            reason = _missing_values(h5py, group[name])
            if reason:
                reasons[name] = reason
            else:
                datasets[name] = _dataset(h5py, _cached(h5py, group, name))
    return datasets, reasons


def _missing_values(h5py: Any, data: Any) -> str:  # noqa: ANN401
    """Say which values of a dataset are not in this file, so that HDF5 would make them up; empty if all are."""
    if data.external:
        files = sorted({str(name) for name, *_ in data.external})
        return f"lies in other files, {files}, which are not looked into; copy it to a dataset of this file"
    if data.is_virtual:
        return _missing_virtual_values(h5py, data)
    if not data.size:
        return ""
    if not data.chunks:
        return (
            "" if data.id.get_storage_size() else f"was never written, and would read as {data.fillvalue!r}: write it"
        )
    n_chunks = math.prod(math.ceil(size / chunk) for size, chunk in zip(data.shape, data.chunks, strict=True))
    n_written = data.id.get_num_chunks()
    if n_written >= n_chunks:
        return ""
    return (
        f"has {n_chunks - n_written:,} of {n_chunks:,} chunks that were never written, and would read as "
        f"{data.fillvalue!r}: write all rows, or resize it to those that are written"
    )


def _missing_virtual_values(h5py: Any, data: Any) -> str:  # noqa: ANN401
    """Say what is missing of a dataset whose rows are those of others; empty if all rows are there."""
    folder, n_mapped = Path(data.file.filename).parent, 0
    for source in data.virtual_sources():
        n_mapped += source.vspace.get_select_npoints()
        path = folder / source.file_name
        origin = f"{source.dset_name!r} of {source.file_name!r}"
        if source.file_name == ".":
            missing = _source_defect(h5py, data.file, source)
        elif not path.is_file():
            missing = "there is no such file"
        else:
            with h5py.File(path, "r") as file:
                missing = _source_defect(h5py, file, source)
        if missing:
            return (
                f"has rows that should be those of {origin}, and {missing}: they would read as {data.fillvalue!r}; put "
                "it there, or copy all rows to one file"
            )
    if n_mapped < data.size:
        return f"has {data.size - n_mapped:,} values without a source, which would read as {data.fillvalue!r}: map all"
    return ""


def _source_defect(h5py: Any, file: Any, source: Any) -> str:  # noqa: ANN401
    """Say what is missing of one source of a virtual dataset; empty if all rows are there."""
    dataset = file.get(source.dset_name)
    if not isinstance(dataset, h5py.Dataset):
        return "there is no such dataset"
    expected = source.src_space.shape or dataset.shape  # HDF5 keeps no shape of a source that is mapped as a whole
    if dataset.size < source.vspace.get_select_npoints():
        return f"that has the shape {dataset.shape} where {source.vspace.get_select_npoints():,} values are expected"
    if len(dataset.shape) != len(expected) or any(
        size < minimum for size, minimum in zip(dataset.shape, expected, strict=True)
    ):
        return f"that has the shape {dataset.shape} where {expected} is expected"
    reason = _missing_values(h5py, dataset)
    return f"that {reason}" if reason else ""


def _cached(h5py: Any, group: Any, name: str) -> Any:  # noqa: ANN401
    """Open a dataset so that no chunk is decompressed twice: with a cache for all chunks that a row lies in."""
    data = group[name]
    if not data.chunks:
        return data
    row_chunks = math.prod(math.ceil(size / chunk) for size, chunk in zip(data.shape[1:], data.chunks[1:], strict=True))
    size = row_chunks * math.prod(data.chunks) * data.dtype.itemsize
    del data  # the first to open a dataset says how large its cache is
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(_SLOTS, max(1 << 20, min(size, _CACHE)), 1.0)
    return h5py.Dataset(h5py.h5d.open(group.id, name.encode(), access))


def _dataset(h5py: Any, data: Any) -> Dataset:  # noqa: ANN401
    """Tell numbers, text and lists of numbers."""
    chunk = data.chunks[0] if data.chunks else 0
    text, inner = h5py.check_string_dtype(data.dtype), h5py.check_vlen_dtype(data.dtype)
    if text is not None:
        return Dataset(data.asstr(), np.dtype("U16"), data.shape, chunk, jagged=False)  # of any length, in fact
    if inner is not None and len(data.shape) == 1:
        return Dataset(data, np.dtype(inner), data.shape, chunk, jagged=True)
    return Dataset(data, data.dtype, data.shape, chunk, jagged=False)


def _columns(datasets: Mapping[str, Dataset]) -> tuple[dict[str, Part], dict[str, str]]:
    """Name the columns; those that cannot be read come with the reason."""
    if _is_challenge(datasets):
        challenge = _calorimeter.parts_of(datasets[_calorimeter.SHOWERS].shape[1])
        other_datasets = {name: data for name, data in datasets.items() if name not in _calorimeter.DATASETS}
        parts, reasons = _columns(other_datasets)
        return {**challenge, **parts}, reasons
    fields = Counter(field for data in datasets.values() for field in data.dtype.names or ())
    columns, reasons = [], {}
    for name, data in datasets.items():
        for field in data.dtype.names or ("",):
            column = name if not field else field if fields[field] == 1 and field not in datasets else f"{name}.{field}"
            reason, parts = _parts(column, name, data, field)
            if reason:
                reasons[column] = reason
            else:
                columns.append(parts)
    return merged(columns, reasons)


def _is_challenge(datasets: Mapping[str, Dataset]) -> bool:
    """Tell whether the layout is that of the calorimeter challenge."""
    shapes = [datasets[name].shape for name in _calorimeter.DATASETS if name in datasets]
    if [len(shape) for shape in shapes] != [_TWO, _TWO]:
        return False
    (events, width), (rows, _) = shapes
    return events == rows and width == 1 and all(datasets[name].dtype.kind == "f" for name in _calorimeter.DATASETS)


def _parts(column: str, name: str, data: Dataset, field: str) -> tuple[str | None, dict[str, Part]]:
    """Return the reason why a dataset or its field is no column, or its columns."""
    dtype, shape = data.dtype, data.shape
    if field:
        dtype, shape = dtype[field].base, (*shape, *dtype[field].shape)
    reason = refusal(dtype, shape)
    if reason:
        return reason, {}
    if data.jagged:
        return None, {column: Part(name, lambda rows: Entries.of(list(rows)))}
    if field:
        return None, features(column, name, shape, lambda rows: _decoded_text(rows[field]))
    return None, features(column, name, shape, _decoded_text if len(shape) == 1 else None)


def _decoded_text(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows with text as text."""
    if rows.dtype.kind in "OS":
        return np.char.decode(rows, "utf-8") if rows.dtype.kind == "S" else rows.astype(np.str_)
    return rows


def _step(datasets: Mapping[str, Dataset]) -> int:
    """Return how many rows to have between two starts: whole chunks, and not too many bytes."""
    chunk = max((data.chunk for data in datasets.values()), default=0) or 1
    size = max((row_bytes(data.dtype, data.shape) for data in datasets.values()), default=1)
    return chunk * math.ceil(max(1, min(STEP, LARGEST // max(size, 1))) / chunk)

"""Clusters of rows: which rows have a common cause, as the values of a column say, and rows that are one event's."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.sample import Sample
from pytest_ganvalid.samples.tables import is_text

_EXACT = 2.0**53  # floats up to it are whole numbers as integers are


def cluster_keys(values: NDArray[Any] | Entries, subject: str) -> NDArray[np.uint64]:
    """Return the cluster of each row: the same number for equal values, of whatever type and on whatever side.

    Args:
        values: Integers, floats or text, shape (rows,).
        subject: What they are, for error messages.

    Raises:
        InputError: If a row has several values, or none.
        InputTypeError: If the values are of another kind.
    """
    if isinstance(values, Entries):
        msg = (
            f"{subject} has any number of entries per row; expected one value for each, the same in all rows of a "
            "cluster"
        )
        raise InputError(msg)
    if values.dtype.kind in "biu":
        return np.asarray(values).astype(np.int64).view(np.uint64)
    if values.dtype.kind == "f":
        return _of_floats(values.astype(np.float64), subject)
    if not (is_text(values) and values.dtype.kind in "OUS"):
        msg = (
            f"{subject} has dtype {values.dtype}; expected integers, floats or text, the same in all rows of a cluster"
        )
        raise InputTypeError(msg)
    missing = 0 if values.dtype.kind != "O" else sum(not isinstance(value, str) for value in values)
    _refuse_missing(missing, values.size, subject)
    distinct, inverse = np.unique(values.astype(np.str_), return_inverse=True)
    return _digests([text.encode() for text in distinct.tolist()])[inverse.reshape(values.shape)]


def clustered(sample: Sample, name: str | None, side: str) -> Sample:
    """Replace the column of a sample that says which rows are in one cluster by their keys.

    Args:
        sample: The events.
        name: The column; ``None`` if there is none.
        side: What they are, for error messages.

    Raises:
        InputError: If the column does not exist, has no value for an event, or is the only one.
        InputTypeError: If the column holds neither numbers nor text.
    """
    if name is None:
        return sample
    keys = cluster_keys(sample[name], f"{side}: the cluster column {name!r}")
    columns = {other: values for other, values in sample.columns.items() if other != name}
    if not columns:
        msg = f"{side}: the sample has no column but {name!r}, which says what the clusters are"
        raise InputError(msg)
    return replace(sample, columns=columns, cluster=keys)


def _of_floats(values: NDArray[np.float64], subject: str) -> NDArray[np.uint64]:
    _refuse_missing(int(np.count_nonzero(np.isnan(values))), values.size, subject)
    is_integer = (np.abs(values) < _EXACT) & (values == np.floor(values))
    keys = np.where(is_integer, values, 0.0).astype(np.int64).view(np.uint64)
    if not is_integer.all():
        distinct, inverse = np.unique(values[~is_integer], return_inverse=True)
        keys[~is_integer] = _digests([value.tobytes() for value in distinct])[inverse]
    return keys


def _digests(values: list[bytes]) -> NDArray[np.uint64]:
    return np.array(
        [int.from_bytes(hashlib.blake2b(value, digest_size=8).digest()) for value in values], dtype=np.uint64
    )


def _refuse_missing(missing: int, rows: int, subject: str) -> None:
    if missing:
        msg = f"{subject} is missing or NaN in {missing:,} of {rows:,} rows; give a row by itself a value of its own"
        raise InputError(msg)


def nested(
    columns: Mapping[str, NDArray[Any] | Entries], cluster: str, of_event: Collection[str], subject: str
) -> dict[str, NDArray[Any] | Entries]:
    """Make one event of the rows of each cluster, in the order of their keys.

    Args:
        columns: Name -> column of rows.
        cluster: The column that says which rows are one event's.
        of_event: Columns that have one value in all rows of an event; all others become its entries.
        subject: What the rows are, for error messages.

    Raises:
        InputError: If a row has several entries itself, or a column of the event has several values in one event.
    """
    keys = cluster_keys(columns[cluster], f"{subject}: the cluster column {cluster!r}")
    order = np.argsort(keys, kind="stable")
    _, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
    events: dict[str, NDArray[Any] | Entries] = {}
    for name, values in columns.items():
        if isinstance(values, Entries):
            msg = f"{subject}: column {name!r} has several entries in each row; expected one, as the rows are entries"
            raise InputError(msg)
        ordered = values[order]
        if name not in of_event and name != cluster:
            events[name] = Entries(ordered, counts)
            continue
        event_values = ordered[first]
        events[name] = event_values
        if name != cluster and np.any(ordered != np.repeat(event_values, counts)):
            msg = f"{subject}: column {name!r} differs between the rows of an event; expected one value for each event"
            raise InputError(msg)
    return events

"""Rows of a cluster as the entries of one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.pipeline.fill import all_rows
from pytest_ganvalid.pipeline.preview import FIRST, head, row_bytes
from pytest_ganvalid.pipeline.request import Request, Side
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.clusters import cluster_keys, nested
from pytest_ganvalid.samples.sources import OWN_WEIGHT, memory_source


def nested_sides(sides: Sequence[Side], request: Request, runner: Runner) -> tuple[Side, Side]:
    """Make one event of the rows of each cluster, which are its entries; events may then be clusters across both sides.

    Raises:
        InputError: If the rows do not fit into memory, or do not make events.
    """
    generated, reference = (_nested(side, request, runner) for side in sides)
    keys = [_keys_of(side) for side in (generated, reference)]
    if np.intersect1d(keys[0], keys[1]).size:
        return generated, reference
    return _without_clusters(generated), _without_clusters(reference)


def _nested(side: Side, request: Request, runner: Runner) -> Side:
    if side.cluster is None:
        return side
    names = side.source.names
    row = row_bytes(head(side, names, FIRST, runner))
    rows = dict(all_rows(side, names, row, request.memory, runner))
    condition = None if request.condition is None else request.condition.column
    event_columns = {name for name in (side.weight, condition) if name is not None}
    columns = nested(rows, side.cluster, event_columns, side.name)
    weight: Any = columns.pop(OWN_WEIGHT, None)
    return replace(side, source=memory_source(Sample(columns, weight, side.source.provenance)))


def _keys_of(side: Side) -> NDArray[np.uint64]:
    if side.cluster is None or side.source.columns is None:
        return np.zeros(0, dtype=np.uint64)
    return cluster_keys(side.source.columns[side.cluster], side.name)


def _without_clusters(side: Side) -> Side:
    """Return a side of independent events."""
    if side.cluster is None or side.source.columns is None:
        return side
    columns = {name: values for name, values in side.source.columns.items() if name not in (side.cluster, OWN_WEIGHT)}
    if not columns:
        msg = f"{side.name}: the sample has no column but {side.cluster!r}, which says what the clusters are"
        raise InputError(msg)
    weight: Any = side.source.columns.get(OWN_WEIGHT)
    return replace(side, source=memory_source(Sample(columns, weight, side.source.provenance)), cluster=None)

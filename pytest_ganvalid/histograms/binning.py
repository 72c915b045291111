"""Choosing bins: equiprobable ones from the reference, or the user's own edges.

The edges never come from the generated sample: it must not choose where it is looked at.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Fillable, Grid, Slabs
from pytest_ganvalid.histograms.kdtree import Cells
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells

FloatArray = NDArray[np.float64]
KINDS = (Grid, Slabs, Cells)
"""The kinds of bins that events are filled into."""
BinsSpec = Any  # int | edges | axis | pair of edges; validated below
_ROUNDING = 1e-9  # of a share, summed up in another order


def bins_for(spec: BinsSpec, columns: Sequence[FloatArray], weight: FloatArray | None, nonfinite: str) -> Grid | Slabs:
    """Turn what the user asked for into bins of one or two columns.

    Args:
        spec: A number of equiprobable bins; increasing edges or an object that has them as ``.edges``;
            for a pair of columns also a pair of those.
        columns: The reference's one or two arrays, shape (events,) each.
        weight: The reference's weights, shape (events,), or ``None``.
        nonfinite: Where NaN and infinite values go (see `Axis`).

    Raises:
        InputTypeError: If the specification is of another kind.
        InputError: If its numbers are out of range.
    """
    if len(columns) == 1:
        return Grid((axis_for(spec, columns[0], weight, nonfinite),))
    if _is_number(spec):
        return _slabs(_at_least_two(spec), columns, weight, nonfinite)
    if not _is_pair(spec):
        msg = (
            f"bins={spec!r} does not fit a pair of columns; expected a number of bins or a pair of edges "
            "(x_edges, y_edges)"
        )
        raise InputTypeError(msg)
    return Grid(tuple(Axis(_user_edges(axis), nonfinite=nonfinite) for axis in spec))


def axis_for(spec: BinsSpec, values: FloatArray, weight: FloatArray | None, nonfinite: str) -> Axis:
    """Turn what the user asked for into the bins of one column; see `bins_for`."""
    if _is_number(spec):
        return _axis(values, weight, _at_least_two(spec), nonfinite)
    return Axis(_user_edges(spec), nonfinite=nonfinite)


def cells_for(
    spec: BinsSpec, columns: Sequence[FloatArray], weight: FloatArray | None, nonfinite: str, names: Sequence[str]
) -> Cells:
    """Cut any number of columns into equiprobable cells; arguments as for `bins_for`, with the columns' names.

    Raises:
        InputTypeError: If the specification is not a number.
        InputError: If its number is out of range, or the columns cannot be cut.
    """
    if not _is_number(spec):
        msg = f"bins={spec!r} does not fit the joint distribution of {list(names)}; expected a number of cells"
        raise InputTypeError(msg)
    return kdtree_cells(columns, weight, _at_least_two(spec), nonfinite, names)


def equiprobable_edges(values: FloatArray, weight: FloatArray | None, bins: int) -> tuple[float, ...]:
    """Return edges between which the sample holds equal shares of its absolute weight.

    The first and last bin are open, so ``bins`` bins have ``bins - 1`` edges. A value that by itself holds
    the share of a bin (discrete data, saturation, zero suppression) gets a bin of its own.

    Args:
        values: Finite, shape (events,), at least one.
        weight: Shape (events,), or ``None``.
        bins: At least 2.
    """
    bins = min(bins, max(2, values.size))  # by then every event has a bin of its own
    order = np.argsort(values, kind="stable") if weight is not None else None
    ordered = np.sort(values) if order is None else values[order]
    mass = np.arange(1, ordered.size + 1) if order is None or weight is None else np.cumsum(np.abs(weight[order]))
    shares = mass[-1] * np.arange(bins) / bins
    edges = np.unique(ordered[np.minimum(np.searchsorted(mass, shares, side="right"), ordered.size - 1)])
    before = np.searchsorted(ordered, edges, side="left") - 1
    until = np.searchsorted(ordered, edges, side="right") - 1
    share = mass[until] - np.where(before >= 0, mass[before], 0)
    atoms = edges[share >= mass[-1] / bins * (1 - _ROUNDING)]
    inner = edges[np.isin(edges, atoms) | (edges > ordered[0])]  # nothing lies below the smallest value
    ends = np.nextafter(atoms[atoms < np.finfo(np.float64).max], np.inf)
    return tuple(np.unique(np.concatenate([inner, ends])).tolist())


def _is_pair(spec: BinsSpec) -> bool:
    return (
        isinstance(spec, Sequence)
        and len(spec) == 2  # noqa: PLR2004
        and all(hasattr(axis, "edges") or np.ndim(axis) == 1 for axis in spec)
    )


def _is_number(spec: BinsSpec) -> bool:
    return isinstance(spec, numbers.Integral) and not isinstance(spec, bool)


def _at_least_two(bins: BinsSpec) -> int:
    if bins < 2:  # noqa: PLR2004
        msg = f"bins={bins} compares nothing; expected at least 2"
        raise InputError(msg)
    return int(bins)


def _slabs(bins: int, columns: Sequence[FloatArray], weight: FloatArray | None, nonfinite: str) -> Slabs:
    x, y = columns
    per_axis = max(2, round(bins**0.5))
    x_axis = _axis(x, weight, per_axis, nonfinite)
    slab = x_axis.index(x)
    return Slabs(x_axis, tuple(_slab_axis(y, weight, slab == i, per_axis, nonfinite) for i in range(x_axis.size)))


def _slab_axis(y: FloatArray, weight: FloatArray | None, inside: NDArray[np.bool_], bins: int, nonfinite: str) -> Axis:
    """Cut a slab by its own quantiles; one without finite reference events is cut like the whole."""
    chosen = inside if np.isfinite(y[inside]).any() else np.ones_like(inside)
    return _axis(y[chosen], None if weight is None else weight[chosen], bins, nonfinite)


def _axis(values: FloatArray, weight: FloatArray | None, bins: int, nonfinite: str) -> Axis:
    finite = np.isfinite(values)
    if not finite.any():
        msg = "the reference has no finite value to choose bins from; give edges, or another observable"
        raise InputError(msg)
    if not finite.all():
        values, weight = values[finite], None if weight is None else weight[finite]
    return Axis(equiprobable_edges(values, weight, bins), nonfinite=nonfinite)


def _user_edges(spec: BinsSpec) -> tuple[float, ...]:
    if not getattr(getattr(spec, "traits", None), "ordered", True):
        msg = f"bins={spec!r} is an axis of categories; fill histograms with it and compare those"
        raise InputTypeError(msg)
    found = getattr(spec, "edges", spec)
    try:
        edges = np.asarray(found() if callable(found) else found, dtype=np.float64)  # uproot's is a method
    except (TypeError, ValueError) as error:
        msg = f"bins={spec!r} is a {type(spec).__name__}; expected a number of bins or increasing edges"
        raise InputTypeError(msg) from error
    edges = edges[~np.isinf(edges)] if edges.ndim == 1 else edges  # the flow bins are open already
    if edges.ndim != 1 or not edges.size or np.isnan(edges).any() or not np.all(np.diff(edges) > 0):
        msg = f"bins={spec!r} are not edges; expected at least one finite number, strictly increasing, without NaN"
        raise InputError(msg)
    return tuple(edges.tolist())


def encoded_bins(bins: Fillable) -> dict[str, Any]:
    """Return bins as JSON types.

    Raises:
        InputError: If bins of this kind cannot be written.
    """
    kind = next((kind for kind in KINDS if isinstance(bins, kind)), None)
    if kind is None:
        msg = f"bins that are {type(bins).__name__} cannot be written"
        raise InputError(msg)
    return {kind.KEY: bins.encoded()}


def decoded_bins(node: Node, columns: Sequence[str], nonfinite: str) -> Fillable:
    """Read what `encoded_bins` made.

    Args:
        node: That.
        columns: Names of what is binned.
        nonfinite: Where NaN and infinite values go.

    Raises:
        InputError: If it is anything else; the message names the place.
    """
    members = node.members()
    kind = next((kind for kind in KINDS if kind.KEY in members), Grid)
    return kind.decoded(node.fields(kind.KEY)[kind.KEY], columns, nonfinite)

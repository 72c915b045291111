"""Choosing bins: equiprobable ones from the reference, or the user's own edges.

The edges never come from the generated sample: it must not choose where it is looked at.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node, decode
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Fillable, Grid, Nominal, Slabs
from pytest_ganvalid.histograms.exact import total_by_bin
from pytest_ganvalid.histograms.kdtree import TOLERANCE, Cells
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells

FloatArray = NDArray[np.float64]
KINDS = (Grid, Slabs, Cells)
"""The kinds of bins that events are filled into."""
BinsSpec = Any  # int | edges | axis | pair of edges; validated below
IntArray = NDArray[np.intp]
_ROUNDING = 1e-9  # of a share, summed up in another order
_MIN_EVENTS = 20.0  # effective ones that a cell expects of the reference that it is cut from
_HALF = 0.5
_CIRCULAR = "circular"
_NOMINAL = ("shares", "tails", "open")  # members of bins that were cut by quantiles
_LARGEST_INTEGER = 2.0**51


def bins_for(
    spec: BinsSpec,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    nonfinite: str,
    *,
    n_effective: float | None = None,
    outside: float = 0.0,
) -> Grid | Slabs:
    """Turn what the user asked for into bins of one or two columns.

    Args:
        spec: A number of equiprobable bins; increasing edges or an object that has them as ``.edges``;
            for a pair of columns also a pair of those.
        columns: The reference's one or two arrays, shape (entries,) each.
        weight: The reference's weights, shape (entries,), or ``None``.
        nonfinite: Where NaN and infinite values go (see `Axis`).
        n_effective: Effective number of the reference events; by default (Σw)²/Σw² of the entries.
        outside: Absolute weight of the reference events outside a selection.

    Raises:
        InputTypeError: If the specification is of another kind.
        InputError: If its numbers are out of range.
    """
    if len(columns) == 1:
        if not _is_number(spec):
            return Grid((_user_axis(spec, nonfinite),))
        cut = _cut_axis(columns[0], weight, _at_least_two(spec), nonfinite, _size(weight, columns[0], n_effective))
        grid = Grid((cut.axis,))
        return replace(grid, nominal=_nominal(grid, columns, weight, outside, cut.open_bins, cut.tails))
    if _is_number(spec):
        size = _size(weight, columns[0], n_effective)
        return _slabs(_at_least_two(spec), columns, weight, nonfinite, size, outside)
    if not _is_pair(spec):
        msg = (
            f"bins={spec!r} does not fit a pair of columns; expected a number of bins or a pair of edges "
            "(x_edges, y_edges)"
        )
        raise InputTypeError(msg)
    return Grid(tuple(_user_axis(axis, nonfinite) for axis in spec))


def axis_for(spec: BinsSpec, values: FloatArray, weight: FloatArray | None, nonfinite: str) -> Axis:
    """Turn what the user asked for into the bins of one column, none of them halved; see `bins_for`."""
    if not _is_number(spec):
        axis = _user_axis(spec, nonfinite)
        if axis.circular:
            msg = f"bins={spec!r} is circular; a condition is divided along a line: give its edges"
            raise InputError(msg)
        return axis
    return _cut_axis(values, weight, _at_least_two(spec), nonfinite, _size(weight, values, None), halve=False).axis


def axis_of_values(values: FloatArray) -> Axis:
    """Return an axis with a bin around each of some distinct values, named by it, and bins between and beyond those.

    A bin reaches a quarter of the way to the next value, so that numbers that were rounded on their way are in it, and
    what lies between is seen.

    Args:
        values: Finite, ascending, at least one.
    """
    if values.size == 1:
        return replace(_equiprobable(values, np.ones(1), 2, 1.0).axis, values=(None, float(values[0]), None))
    quarter = np.diff(values) / 4
    lower = values - np.concatenate([quarter[:1], quarter])
    upper = values + np.concatenate([quarter, quarter[-1:]])
    edges = np.stack([lower, upper], axis=1).ravel()
    return Axis(tuple(edges.tolist()), values=(None, *(word for value in values.tolist() for word in (value, None))))


def cells_for(
    spec: BinsSpec,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    nonfinite: str,
    names: Sequence[str],
    *,
    n_effective: float | None = None,
    outside: float = 0.0,
) -> Cells:
    """Cut any number of columns into equiprobable cells; arguments as for `bins_for`, with the columns' names.

    Raises:
        InputTypeError: If the specification is not a number.
        InputError: If its number is out of range, or the columns cannot be cut.
    """
    if not _is_number(spec):
        msg = f"bins={spec!r} does not fit the joint distribution of {list(names)}; expected a number of cells"
        raise InputTypeError(msg)
    count = _cell_count(_at_least_two(spec), _size(weight, columns[0], n_effective))
    cells = kdtree_cells(columns, weight, count, nonfinite, names)
    return replace(cells, nominal=_nominal(cells, columns, weight, outside, cells.outside()))


def equiprobable_edges(values: FloatArray, weight: FloatArray | None, bins: int) -> tuple[float, ...]:
    """Return edges between which the sample holds equal shares of its absolute weight.

    The first and last bin are open. No bin expects fewer than 20 effective events of the sample, so there may be fewer
    than ``bins``; the first and the last are halved, and what is beyond halved again, as long as both parts expect so
    many. A value that by itself holds the share of a bin (discrete data, saturation, zero suppression) has a bin of its
    own; at an end, another edge sets apart what lies beyond it.

    Edges never fall on a value. They lie midway between two distinct ones, between integers at half-integers, so that
    numbers that were rounded on their way are in the bin of those that were not.

    Args:
        values: Finite, shape (events,), at least one.
        weight: Shape (events,), or ``None``.
        bins: At least 2.
    """
    return _cut_axis(values, weight, bins, "error", _size(weight, values, None)).axis.edges


@dataclass(frozen=True, slots=True)
class _AxisCut:
    """An axis that was cut by the quantiles of a sample.

    Attributes:
        axis: With both flow bins.
        open_bins: Positions of bins that no quantile bounds.
        tails: Number of bins that the first and the last equiprobable one were halved into; 0 if it was not.
    """

    axis: Axis
    open_bins: tuple[int, ...]
    tails: tuple[int, int]


def _cut_axis(
    values: FloatArray, weight: FloatArray | None, bins: int, nonfinite: str, size: float, *, halve: bool = True
) -> _AxisCut:
    """Cut an axis by the quantiles of the finite values; see `equiprobable_edges`.

    Args:
        values: Shape (events,).
        weight: Shape (events,), or ``None``.
        bins: At least 2.
        nonfinite: Where NaN and infinite values go.
        size: Effective number of events.
        halve: Whether to halve the first and the last bin.

    Raises:
        InputError: If no value is finite.
    """
    mask = np.isfinite(values)
    if not mask.any():
        msg = "the reference has no finite value to choose bins from; give edges, or another observable"
        raise InputError(msg)
    if weight is not None and np.any(weight[mask]):
        mask &= weight != 0
    elif weight is not None:
        weight = None
    if not mask.all():
        values, weight = values[mask], None if weight is None else weight[mask]
    order = np.argsort(values, kind="stable") if weight is not None else None
    ordered = np.sort(values) if order is None else values[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    if weight is None or order is None:
        mass = np.diff(np.append(first, ordered.size)).astype(np.float64)
    else:
        mass = np.add.reduceat(np.abs(weight[order]), first)
    cut = _equiprobable(ordered[first], mass, bins, size, halve=halve)
    axis = replace(cut.axis, nonfinite=nonfinite)
    separate = (axis.size - 1,) if nonfinite == "separate" else ()
    return replace(cut, axis=axis, open_bins=cut.open_bins + separate)


def _equiprobable(distinct: FloatArray, mass: FloatArray, bins: int, size: float, *, halve: bool = True) -> _AxisCut:
    """Cut between distinct values.

    Args:
        distinct: Ascending, shape (values,).
        mass: Of each, positive.
        bins: At least 2.
        size: Effective number of events.
        halve: Whether to halve the first and the last bin.
    """
    cumulative = np.concatenate([[0.0], np.cumsum(mass)])  # mass below each position that an edge may have
    share = cumulative[-1] / _cell_count(bins, size)
    atoms = np.flatnonzero(mass >= share * (1 - _ROUNDING))
    integral = _is_integral(distinct)
    reach = 0.0 if integral else TOLERANCE * np.abs(distinct[atoms])
    with np.errstate(over="ignore"):
        lower = np.searchsorted(distinct, distinct[atoms] - reach, side="left")
        upper = np.searchsorted(distinct, distinct[atoms] + reach, side="right")
    walls = np.unique(np.concatenate([[0], lower, upper, [distinct.size]])).astype(np.intp)
    is_atom = np.diff(np.searchsorted(atoms, walls)) > 0
    positions = [walls]
    for a, b in zip(walls[:-1][~is_atom], walls[1:][~is_atom], strict=True):
        cells = max(int((cumulative[b] - cumulative[a]) / share * (1 + _ROUNDING)), 1)
        positions.append(
            _nearest(cumulative, cumulative[a] + (cumulative[b] - cumulative[a]) * np.arange(1, cells) / cells)
        )
    inner = np.unique(np.concatenate(positions))[1:-1]
    tails: list[list[int]] = [[], []]
    if halve and inner.size:
        min_mass = _MIN_EVENTS * cumulative[-1] / size * (1 - _ROUNDING)
        ends = ((0, int(inner[0]), is_atom[0]), (distinct.size, int(inner[-1]), is_atom[-1]))
        tails = [[] if atom else _halves(cumulative, end, wall, min_mass) for end, wall, atom in ends]
    edges = _between(distinct, np.sort(np.concatenate([inner, *tails]).astype(np.intp)), integral=integral)
    below = _beyond(-distinct[atoms[0]], -edges[:1], integral=integral) if is_atom[0] else []
    above = _beyond(distinct[atoms[-1]], edges[-1:], integral=integral) if is_atom[-1] else []
    axis = Axis((*(-edge for edge in below), *edges.tolist(), *above))
    open_bins = (*([0] if below else []), *([axis.size - 1] if above else []))
    return _AxisCut(axis, open_bins, (len(tails[0]) + bool(tails[0]), len(tails[1]) + bool(tails[1])))


def _nearest(cumulative: FloatArray, targets: FloatArray) -> IntArray:
    """Return the positions below which the mass comes nearest to some targets."""
    after = np.clip(np.searchsorted(cumulative, targets * (1 - _ROUNDING)), 1, cumulative.size - 1)
    return np.asarray(
        np.where(targets - cumulative[after - 1] < cumulative[after] - targets, after - 1, after), np.intp
    )


def _halves(cumulative: FloatArray, end: int, wall: int, min_mass: float) -> list[int]:
    """Halve the range between an end and a wall, and again the half at the end, while both parts have enough mass."""
    positions: list[int] = []
    while True:
        position = int(_nearest(cumulative, np.array([(cumulative[end] + cumulative[wall]) / 2]))[0])
        if min(abs(cumulative[position] - cumulative[end]), abs(cumulative[wall] - cumulative[position])) < min_mass:
            return positions
        positions.append(position)
        wall = position


def _between(distinct: FloatArray, positions: IntArray, *, integral: bool) -> FloatArray:
    """Return an edge midway between the distinct values on both sides of each position, or nearly so."""
    below, above = distinct[positions - 1], distinct[positions]
    with np.errstate(over="ignore"):
        width = above - below
    middle = np.where(np.isfinite(width), below + width / 2, below / 2 + above / 2)
    if integral:
        middle = np.floor(middle) + _HALF
    return np.where(middle > below, middle, above)  # none is between neighbouring floats


def _beyond(value: float, last: FloatArray, *, integral: bool) -> list[float]:
    """Return an edge above the largest value, as far from it as the last one below; none if no float is as large."""
    with np.errstate(over="ignore"):
        reach = _HALF if integral else float((value - last).max(initial=TOLERANCE * abs(value)))
        edge = max(value + reach, float(np.nextafter(value, np.inf)))
    return [float(edge)] if np.isfinite(edge) else []


def _is_integral(values: FloatArray) -> bool:
    """Tell whether all values are integers that have half-integers between them."""
    return bool(np.all(np.abs(values) < _LARGEST_INTEGER) and np.all(values == np.floor(values)))


def _size(weight: FloatArray | None, values: FloatArray, n_effective: float | None) -> float:
    """Return the effective number of events, by default of entries; 1 at least."""
    if n_effective is None and weight is not None:
        squares = float(np.sum(np.square(weight)))
        n_effective = float(np.sum(weight)) ** 2 / squares if squares > 0 else None
    return max(float(values.size) if n_effective is None else n_effective, 1.0)


def _cell_count(bins: int, size: float) -> int:
    """Return the number of equal cells, at least 2, each of which expects enough effective events."""
    return max(int(min(bins, size / _MIN_EVENTS * (1 + _ROUNDING))), 2)


def _nominal(
    bins: Fillable,
    columns: Sequence[FloatArray],
    weight: FloatArray | None,
    outside: float,
    open_bins: Sequence[int],
    tails: tuple[int, int] = (0, 0),
) -> Nominal:
    """Sum up the contents of bins, of the events that they were chosen from."""
    index, size = bins.index(columns), int(np.prod(bins.shape))
    if weight is None:
        contents = np.bincount(index, minlength=size).astype(np.float64)
    else:
        contents = total_by_bin(index, np.abs(weight), size).value
    total = float(contents.sum()) + outside
    shares = contents / total if total > 0 else contents
    return Nominal(tuple(shares.tolist()), tails, tuple(int(i) for i in open_bins))


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


def _slabs(
    bins: int, columns: Sequence[FloatArray], weight: FloatArray | None, nonfinite: str, size: float, outside: float
) -> Slabs:
    x, y = columns
    per_axis = max(2, round(_cell_count(bins, size) ** 0.5))
    x_cut = _cut_axis(x, weight, per_axis, nonfinite, size, halve=False)
    slab = x_cut.axis.index(x)
    mass = np.bincount(slab, None if weight is None else np.abs(weight), minlength=x_cut.axis.size)
    cuts: list[Axis] = []
    open_cells: list[int] = []
    for i in range(x_cut.axis.size):
        inside, share = slab == i, float(mass[i] / mass.sum()) if mass.sum() else 0.0
        if not share or not np.isfinite(y[inside]).any():  # cut like the whole
            inside, share = np.ones_like(inside), 1.0
        part = None if weight is None else weight[inside]
        cut = _cut_axis(y[inside], part, per_axis, nonfinite, size * share, halve=False)
        first = sum(axis.size for axis in cuts)
        cuts.append(cut.axis)
        open_cells += (
            range(first, first + cut.axis.size) if i in x_cut.open_bins else [first + j for j in cut.open_bins]
        )
    slabs = Slabs(x_cut.axis, tuple(cuts))
    return replace(slabs, nominal=_nominal(slabs, columns, weight, outside, open_cells))


def _user_axis(spec: BinsSpec, nonfinite: str) -> Axis:
    """Return an axis of the user's own edges, or of an axis of a histogram, whose options are kept or refused.

    It always has flow bins: events outside all bins would not be compared.
    """
    traits = getattr(spec, "traits", None)
    if not getattr(traits, "ordered", True):
        msg = f"bins={spec!r} is an axis of categories; fill histograms with it and compare those"
        raise InputTypeError(msg)
    if getattr(traits, "growth", False):
        msg = f"bins={spec!r} is an axis that grows, and bins must be the same for all events; give one that does not"
        raise InputError(msg)
    return Axis.of_edges(_user_edges(spec), nonfinite, circular=bool(getattr(traits, "circular", False)))


def _user_edges(spec: BinsSpec) -> tuple[float, ...]:
    values = getattr(spec, "edges", spec)
    try:
        edges = np.asarray(values() if callable(values) else values, dtype=np.float64)  # uproot's is a method
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
    if bins.nominal is None:
        circular = [axis.circular for axis in bins.axes]
        return {kind.KEY: bins.encoded()} | ({_CIRCULAR: circular} if any(circular) else {})
    nominal = bins.nominal
    return {kind.KEY: bins.encoded(), "shares": nominal.shares, "tails": nominal.tails, "open": nominal.open}


def decoded_bins(node: Node, columns: Sequence[str], nonfinite: str) -> Fillable:
    """Read what `encoded_bins` made.

    Args:
        node: The encoded bins.
        columns: Names of what is binned.
        nonfinite: Where NaN and infinite values go.

    Raises:
        InputError: If the node holds anything else; the message names the place.
    """
    members = node.members()
    kind = next((kind for kind in KINDS if kind.KEY in members), Grid)
    node.check_names(members, required=(kind.KEY,), optional=(*_NOMINAL, _CIRCULAR) if kind is Grid else _NOMINAL)
    bins = kind.decoded(members[kind.KEY], columns, nonfinite)
    if members.keys().isdisjoint(_NOMINAL):  # given, or written before shares were
        return _user_grid(bins, members.get(_CIRCULAR)) if isinstance(bins, Grid) else bins
    return replace(bins, nominal=Nominal.decoded(node.fields(kind.KEY, *_NOMINAL), int(np.prod(bins.shape))))


def _user_grid(bins: Grid, circular: Node | None) -> Grid:
    flags = (
        [False] * len(bins.axes)
        if circular is None
        else [decode(bool, item) for item in circular.items(len(bins.axes))]
    )
    make = Node(None, "" if circular is None else circular.path).made
    axes = zip(bins.axes, flags, strict=True)
    return Grid(
        tuple(make(Axis.of_edges, edges=axis.edges, nonfinite=axis.nonfinite, circular=flag) for axis, flag in axes)
    )

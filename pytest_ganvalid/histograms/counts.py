"""Contents of bins that are handed over as plain numbers, with the word that they are contents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import is_bare, unnamed
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Bins, Grid, Unlabelled

FloatArray = NDArray[np.float64]
Edges = tuple[float, ...]
_TOLERANCE = 1e-6  # relative, of numbers that may have been stored in single precision
_WEIGHTED = "gv.Counts(values, variances), variances being the sums of squared weights"


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Counts:
    """The contents of a histogram: numbers of events, or sums of weights and of squared weights.

    The arrays are copies, and read-only.

    Attributes:
        values: Contents, shape (bins,) or (x_bins, y_bins).
        variances: Sums of squared weights, the squares of the error bars, of the shape of ``values``; ``None`` if the
            values are counts, of which they are the variances.
        edges: For one axis its increasing edges, one more than bins, for two a pair of those; ``None`` if they are not
            known. The bin that begins at minus infinity is underflow, the one that ends at infinity overflow.
    """

    values: FloatArray
    variances: FloatArray | None
    edges: Edges | tuple[Edges, ...] | None

    def __init__(
        self,
        values: ArrayLike,
        variances: ArrayLike | None = None,
        edges: ArrayLike | tuple[ArrayLike, ...] | None = None,
    ) -> None:
        """Check that these can be the contents of a histogram.

        Args:
            values: Contents, shape (bins,) or (x_bins, y_bins).
            variances: Sums of squared weights, of the same shape; ``None`` for counts.
            edges: Increasing edges, shape (bins + 1,), or a pair (x_edges, y_edges); the outer ones may be infinite.

        Raises:
            InputError: If contents are impossible (NaN, negative or fractional counts, variances that no weights have),
                or the shapes of values, variances and edges do not fit.
            InputTypeError: If any of these are not real numbers.
        """
        contents = _contents(values)
        object.__setattr__(self, "values", _read_only(contents))
        object.__setattr__(self, "variances", None if variances is None else _read_only(_squares(contents, variances)))
        object.__setattr__(self, "edges", None if edges is None else _edges(edges, contents.shape))
        if variances is None:
            _refuse_other_than_counts(contents)

    @property
    def bins(self) -> Bins:
        """What the bins are."""
        if self.edges is None:
            return Unlabelled(self.values.shape)
        axes = (self.edges,) if self.values.ndim == 1 else self.edges
        return Grid(tuple(_axis(edges) for edges in axes))  # type: ignore[arg-type]


def refuse_bare(value: object, side: str) -> None:
    """Refuse numbers without a name, which may be events as well as contents of bins.

    Args:
        value: Anything.
        side: ``"generated"`` or ``"reference"``, for the message.

    Raises:
        InputTypeError: If the value is an array, a series, a tensor or a collection of numbers, or of such.
    """
    if is_bare(value):
        kind = "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        msg = f"{side}: {kind} of numbers without a name; {unnamed(value)}"
        raise InputTypeError(msg)


def numeric(values: object, subject: str) -> FloatArray:
    """Return contents of bins as a new array.

    Args:
        values: An array, or what numpy makes one of.
        subject: What it is, for messages.

    Raises:
        InputError: If the array is not rectangular, has masked bins, NaN or infinities, or not 1 or 2 dimensions.
        InputTypeError: If the array does not hold real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        msg = f"{subject} is not a rectangular array: {error}"
        raise InputError(msg) from error
    if np.ma.is_masked(values):
        msg = f"{subject} has masked bins, whose content is unknown; fill them with .filled(0) if they are empty"
        raise InputError(msg)
    if array.dtype.kind not in "iuf":
        msg = f"{subject} has dtype {array.dtype}; expected real numbers (convert with .astype(float))"
        raise InputTypeError(msg)
    if array.ndim not in (1, 2):
        msg = f"{subject} has {array.ndim} dimensions; expected 1 or 2"
        raise InputError(msg)
    array = array.astype(np.float64)
    nonfinite = ~np.isfinite(array)
    if nonfinite.any():
        msg = f"{subject} has {int(nonfinite.sum())} NaN or infinite bins, the first at {first(nonfinite)}"
        raise InputError(msg)
    return array


def first(mask: NDArray[np.bool_]) -> str:
    """Return the position of the first bin where the mask is set, in words."""
    position = tuple(int(i) for i in np.argwhere(mask)[0])
    return str(position[0] if len(position) == 1 else position)


def refuse_impossible(sumw: FloatArray, sumw2: FloatArray, prefix: str = "") -> None:
    """Refuse sums of squared weights that no weights can give.

    Args:
        sumw: Sums of weights.
        sumw2: Sums of squared weights, of the same shape.
        prefix: Said before the message.

    Raises:
        InputError: If a sum of squares is negative, or zero where the sum of weights is not.
    """
    negative = sumw2 < 0
    if negative.any():
        msg = f"{prefix}the sum of squared weights is negative at bin {first(negative)}"
        raise InputError(msg)
    impossible = (sumw2 == 0) & (sumw != 0)
    if impossible.any():
        msg = (
            f"{prefix}bin {first(impossible)} has a sum of weights {sumw[impossible][0]:g} but no sum of squared "
            "weights; were the errors lost when the histogram was scaled?"
        )
        raise InputError(msg)


def _contents(values: object) -> FloatArray:
    if hasattr(values, "variances"):
        msg = f"values is a {type(values).__name__}, which is a histogram already; hand it over as it is"
        raise InputTypeError(msg)
    if isinstance(values, tuple) and any(np.iterable(item) for item in values):
        msg = (
            "values is a tuple of arrays; expected one array. Sums of weights and of their squares? then "
            f"{_WEIGHTED}; numpy.histogram's (counts, edges)? then gv.Counts(counts, edges=edges)"
        )
        raise InputTypeError(msg)
    return numeric(values, "values")


def _squares(values: FloatArray, variances: object) -> FloatArray:
    squares = numeric(variances, "variances")
    if squares.shape != values.shape:
        hint = ""
        if squares.shape == (values.shape[0] + 1,):
            edges = "edges" if values.ndim == 1 else "(x_edges, y_edges)"
            hint = f"; are these the edges that numpy.histogram returns? then gv.Counts(counts, edges={edges})"
        msg = f"values of shape {values.shape} and variances of shape {squares.shape}; expected one shape{hint}"
        raise InputError(msg)
    if np.any(squares > 1) and np.allclose(squares, np.sqrt(np.abs(values)), rtol=_TOLERANCE):  # squares might overflow
        msg = "variances are the errors of values; square the errors: gv.Counts(values, errors**2)"
        raise InputError(msg)
    refuse_impossible(values, squares)
    return squares


def _refuse_other_than_counts(values: FloatArray) -> None:
    negative, fractional = values < 0, values != np.floor(values)
    if negative.any():
        msg = f"a count is negative at bin {first(negative)}; weighted? then {_WEIGHTED}"
        raise InputError(msg)
    if fractional.any():
        msg = (
            f"the count at bin {first(fractional)} is {values[fractional][0]:g}, not an integer; are these events? "
            f"then name the column: {{'x': values}}; a scaled or weighted histogram needs its errors: {_WEIGHTED}"
        )
        raise InputError(msg)


def _edges(edges: object, shape: tuple[int, ...]) -> Edges | tuple[Edges, ...]:
    if len(shape) == 1:
        return _edges_of_axis(edges, shape[0], "edges")
    if not isinstance(edges, tuple | list | np.ndarray) or len(edges) != len(shape):
        msg = f"edges is a {type(edges).__name__}; values of two dimensions need a pair (x_edges, y_edges)"
        raise InputError(msg)
    return tuple(
        _edges_of_axis(axis, bins, f"edges[{i}]") for i, (axis, bins) in enumerate(zip(edges, shape, strict=True))
    )


def _edges_of_axis(edges: object, bins: int, subject: str) -> Edges:
    try:
        array = np.asarray(edges, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{subject} is a {type(edges).__name__}, and not an array of numbers: {error}"
        raise InputTypeError(msg) from error
    if array.shape != (bins + 1,):
        msg = (
            f"{subject} has shape {array.shape}; expected ({bins + 1},), one more than the {bins} bins; if those "
            "include underflow and overflow, the outer edges are -inf and inf"
        )
        raise InputError(msg)
    if not np.isfinite(array).any() or not np.all(array[1:] > array[:-1]):
        msg = f"{subject} must be strictly increasing, at least one of them finite; got {array.tolist()}"
        raise InputError(msg)
    return tuple(array.tolist())


def _axis(edges: Edges) -> Axis:
    finite = tuple(edge for edge in edges if math.isfinite(edge))
    return Axis(finite, underflow=edges[0] == -math.inf, overflow=edges[-1] == math.inf)


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array

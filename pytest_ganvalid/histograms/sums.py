"""Bin sums: what a histogram is reduced to, whatever it was.

A histogram with the UHI protocol (hist, boost-histogram, uproot), an array of counts and a pair of
arrays all become sums of weights and of squared weights per bin, flow bins included.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Bins, Grid, Unlabelled

FloatArray = NDArray[np.float64]
_LARGEST = 1e100  # sum of weights: the square of its square is still a number
_SAME = 1e-6  # relative, of numbers that may have been stored in single precision
_ACCEPTED = (
    "a histogram with .values() and .variances() (hist, boost-histogram, uproot), a 1-D or 2-D array of counts, "
    "or a pair (sum_of_weights, sum_of_squared_weights)"
)


@dataclass(frozen=True, slots=True, eq=False)
class BinSums:
    """Sums of weights and of squared weights, one number per bin.

    Attributes:
        sumw: Shape (bins,).
        sumw2: Sums over events of their squared contents, shape (bins,), not negative.
        bins: What the bins are.
        products: Where events have several entries, Σ h hᵀ over the events' contents h, shape (bins, bins), with
            ``sumw2`` on the diagonal; ``None`` for one entry per event.
        n_events: Effective number of those events, with or without entries.
    """

    sumw: FloatArray
    sumw2: FloatArray
    bins: Bins
    products: FloatArray | None = None
    n_events: float | None = None

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self.sumw.sum())

    @property
    def n_effective(self) -> float:
        """Effective number of events, (Σw)²/Σw²."""
        return self.total**2 / float(self.sumw2.sum())

    @property
    def populated(self) -> NDArray[np.bool_]:
        """Bins that hold any event."""
        return self.sumw2 > 0

    @property
    def unweighted(self) -> bool:
        """Whether these are plain counts of independent entries."""
        return self.products is None and bool(np.array_equal(self.sumw, self.sumw2))

    def select(self, keep: NDArray[np.bool_]) -> BinSums:
        """Keep the bins where the mask ``keep`` is set."""
        sumw = self.sumw[keep]
        products = None if self.products is None else self.products[np.ix_(keep, keep)]
        return BinSums(sumw, self.sumw2[keep], Unlabelled(sumw.shape), products, self.n_events)


def as_bin_sums(histogram: object, side: str) -> BinSums:
    """Read any kind of histogram.

    Args:
        histogram: One of the accepted kinds.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputTypeError: If it is of another kind or not numeric.
        InputError: If its contents are impossible: NaN, negative counts, no events, no positive total.
    """
    if isinstance(histogram, BinSums):
        sums = histogram
    elif is_uhi(histogram):
        sums = _from_uhi(histogram, side)
    elif isinstance(histogram, tuple) and len(histogram) == 2 and np.iterable(histogram[0]):  # noqa: PLR2004
        sums = _from_pair(histogram, side)
    elif isinstance(histogram, np.ndarray | list | tuple):
        sums = _from_counts(histogram, side)
    else:
        msg = f"{side}: a {type(histogram).__name__} is not a histogram; expected {_ACCEPTED}"
        raise InputTypeError(msg)
    _check_total(sums, side)
    return sums


def is_uhi(value: object) -> bool:
    """Tell whether something is a histogram with the UHI protocol; a table with such columns is not."""
    return callable(getattr(value, "values", None)) and callable(getattr(value, "variances", None))


def check_same_bins(generated: BinSums, reference: BinSums) -> None:
    """Refuse histograms that do not have the same bins.

    Raises:
        InputError: If shapes or edges differ, or there are fewer than two bins.
    """
    ours, theirs = generated.bins, reference.bins
    if ours.shape != theirs.shape:
        msg = (
            f"the histograms have different bins: generated has shape {ours.shape}, reference {theirs.shape} "
            "(underflow and overflow included); fill both with the same axes"
        )
        raise InputError(msg)
    if isinstance(ours, Grid) and isinstance(theirs, Grid):
        differences = [a.difference(b) for a, b in zip(ours.axes, theirs.axes, strict=True)]
        where = [f"on axis {i} {difference}" for i, difference in enumerate(differences) if difference]
        if where:
            msg = (
                f"the histograms have different bin edges: {where[0]} (generated and reference); "
                "fill both with the same axes"
            )
            raise InputError(msg)
    if generated.sumw.size < 2:  # noqa: PLR2004
        msg = f"a histogram of {generated.sumw.size} bin compares nothing; expected at least 2 bins"
        raise InputError(msg)


def _numeric(values: object, what: str) -> FloatArray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        msg = f"{what} is not a rectangular array: {error}"
        raise InputError(msg) from error
    if np.ma.is_masked(values):
        msg = f"{what} has masked bins, whose content is unknown; fill them with .filled(0) if they are empty"
        raise InputError(msg)
    if array.dtype.kind not in "iuf":
        msg = f"{what} has dtype {array.dtype}; expected real numbers (convert with .astype(float))"
        raise InputTypeError(msg)
    if array.ndim not in (1, 2):
        msg = f"{what} has {array.ndim} dimensions; expected 1 or 2"
        raise InputError(msg)
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        msg = f"{what} has {int(bad.sum())} NaN or infinite bins, the first at {_first(bad)}"
        raise InputError(msg)
    return array


def _first(mask: NDArray[np.bool_]) -> str:
    position = tuple(int(i) for i in np.argwhere(mask)[0])
    return str(position[0] if len(position) == 1 else position)


def _from_counts(values: object, side: str) -> BinSums:
    counts = _numeric(values, f"{side}: the array of counts")
    negative, fractional = counts < 0, counts != np.floor(counts)
    if negative.any():
        msg = (
            f"{side}: a count is negative at bin {_first(negative)}; weighted? "
            "pass (sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    if fractional.any():
        msg = (
            f"{side}: the count at bin {_first(fractional)} is {counts[fractional][0]:g}, not an integer; are these "
            "events? then name the column: {'x': array}; a scaled or weighted histogram needs its errors: pass "
            "(sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    return BinSums(counts.ravel(), counts.ravel(), Unlabelled(counts.shape))


def _from_pair(pair: tuple[object, object], side: str) -> BinSums:
    sumw = _numeric(pair[0], f"{side}: the sum of weights")
    sumw2 = _numeric(pair[1], f"{side}: the sum of squared weights")
    if sumw.shape != sumw2.shape:
        hint = ""
        if sumw.ndim == sumw2.ndim == 1 and sumw2.size == sumw.size + 1:
            hint = "; is this numpy.histogram's (counts, edges)? then pass the counts alone"
        msg = f"{side}: sums of weights of shape {sumw.shape} and of squared weights of shape {sumw2.shape}{hint}"
        raise InputError(msg)
    if np.any(sumw2 > 1) and np.allclose(sumw2, np.sqrt(np.abs(sumw)), rtol=_SAME):  # squares might overflow
        msg = f"{side}: these are sums of weights and their errors; square the errors: pass (sum_of_weights, errors**2)"
        raise InputError(msg)
    return _checked(BinSums(sumw.ravel(), sumw2.ravel(), Unlabelled(sumw.shape)), side)


def _from_uhi(histogram: Any, side: str) -> BinSums:  # noqa: ANN401 - any object with the protocol
    kind = getattr(histogram, "kind", "COUNT")
    if str(getattr(kind, "value", kind)).upper() != "COUNT":
        msg = f"{side}: a histogram of kind {kind} holds averages, not events; expected one of kind COUNT"
        raise InputTypeError(msg)
    flow = {"flow": True} if "flow" in _parameters(histogram.values) else {}
    variances = histogram.variances(**flow)
    if variances is None:
        msg = (
            f"{side}: the histogram does not know its variances (filled with weights in a storage that keeps no sum "
            "of squares?); fill it with a Weight storage, or pass (sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    sumw = _numeric(histogram.values(**flow), f"{side}: the histogram")
    sumw2 = _numeric(variances, f"{side}: the variances of the histogram")
    fractional = sumw != np.floor(sumw)
    if fractional.any() and np.array_equal(sumw, sumw2):
        msg = (
            f"{side}: the histogram holds {sumw[fractional][0]:g} at bin {_first(fractional)} and takes it for a count "
            "(variances equal contents); a scaled or weighted histogram needs its errors: use a Weight storage "
            "(in ROOT, Sumw2), or pass (sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    return _checked(BinSums(sumw.ravel(), sumw2.ravel(), _bins_of(histogram, sumw.shape)), side)


def _parameters(method: Any) -> set[str]:  # noqa: ANN401
    try:
        return set(inspect.signature(method).parameters)
    except (TypeError, ValueError):
        return set()


def _bins_of(histogram: Any, shape: tuple[int, ...]) -> Bins:  # noqa: ANN401
    axes = getattr(histogram, "axes", None)
    if axes is None or len(axes) != len(shape):
        return Unlabelled(shape)
    return Grid(tuple(Axis.from_uhi(axis, size) for axis, size in zip(axes, shape, strict=True)))


def _checked(sums: BinSums, side: str) -> BinSums:
    """Refuse sums of squared weights that no weights can give."""
    negative = sums.sumw2 < 0
    if negative.any():
        msg = f"{side}: the sum of squared weights is negative at bin {_first(negative)}"
        raise InputError(msg)
    impossible = (sums.sumw2 == 0) & (sums.sumw != 0)
    if impossible.any():
        msg = (
            f"{side}: bin {_first(impossible)} has a sum of weights {sums.sumw[impossible][0]:g} but no sum of squared "
            "weights; were the errors lost when the histogram was scaled?"
        )
        raise InputError(msg)
    return sums


def _check_total(sums: BinSums, side: str) -> None:
    if not sums.sumw.size:
        msg = f"{side}: the histogram has no bins"
        raise InputError(msg)
    if not sums.populated.any():
        msg = f"{side}: the histogram has no events"
        raise InputError(msg)
    largest = max(float(np.abs(sums.sumw).max()), float(sums.sumw2.max()) ** 0.5)
    if not 1 / _LARGEST < largest < _LARGEST:
        msg = (
            f"{side}: the sums of weights reach {largest:.3g}, beyond what can be squared; "
            "scale all weights by a constant"
        )
        raise InputError(msg)
    if sums.total <= 0:
        msg = f"{side}: the total weight is {sums.total:g}; expected a positive sum of weights"
        raise InputError(msg)

"""Bin sums: what a histogram is reduced to, whatever it was.

A histogram with the UHI protocol (hist, boost-histogram, uproot) and `Counts` become sums of weights and of squared
weights per bin, flow bins included.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.bins import Axis, Bins, Grid, Unlabelled
from pytest_ganvalid.histograms.clusters import ClusterContents
from pytest_ganvalid.histograms.counts import Counts, first, numeric, refuse_bare, refuse_impossible
from pytest_ganvalid.histograms.repeated import Repeated
from pytest_ganvalid.histograms.root import refuse_lossy

FloatArray = NDArray[np.float64]
_LARGEST_SUM = 1e100  # sum of weights: the square of its square is still a number
_ACCEPTED = "one with .values() and .variances() (hist, boost-histogram, uproot), or gv.Counts(values, variances)"


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
        repeated: The commonest values of the events; ``None`` if they were not counted.
        clusters: Where rows are in clusters, Σ h hᵀ over the clusters' contents h, shape (bins, bins).
        n_clusters: Effective number of those.
        contents: What each cluster put into the bins, where that is at hand.
    """

    sumw: FloatArray
    sumw2: FloatArray
    bins: Bins
    products: FloatArray | None = None
    n_events: float | None = None
    repeated: Repeated | None = None
    clusters: FloatArray | None = None
    n_clusters: float | None = None
    contents: ClusterContents | None = None

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
    def covariances(self) -> FloatArray | None:
        """Σ h hᵀ over what is independent, clusters or events, shape (bins, bins); ``None`` if entries are."""
        return self.products if self.clusters is None else self.clusters

    @property
    def unweighted(self) -> bool:
        """Whether these are plain counts of independent entries."""
        return self.covariances is None and bool(np.array_equal(self.sumw, self.sumw2))

    def select(self, keep: NDArray[np.bool_]) -> BinSums:
        """Keep the bins where the mask ``keep`` is set."""
        sumw = self.sumw[keep]
        block = np.ix_(keep, keep)
        products, clusters = (None if part is None else part[block] for part in (self.products, self.clusters))
        return BinSums(
            sumw,
            self.sumw2[keep],
            Unlabelled(sumw.shape),
            products,
            self.n_events,
            clusters=clusters,
            n_clusters=self.n_clusters,
        )


def as_bin_sums(histogram: object, side: str) -> BinSums:
    """Read any kind of histogram.

    Args:
        histogram: One of the accepted kinds.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputTypeError: If the histogram is of another kind or not numeric, or an array that may be events as well.
        InputError: If the contents are impossible: NaN, negative variances, no events, no positive total.
    """
    sums = possibly_empty(histogram, side)
    _check_total(sums, side)
    return sums


def possibly_empty(histogram: object, side: str) -> BinSums:
    """Read any kind of histogram, which may hold no events; otherwise as `as_bin_sums`."""
    if isinstance(histogram, BinSums):
        return histogram
    if is_uhi(histogram):
        return _from_uhi(histogram, side)
    if isinstance(histogram, Counts):
        sumw, variances = histogram.values.ravel(), histogram.variances
        return BinSums(sumw, sumw if variances is None else variances.ravel(), histogram.bins)
    refuse_bare(histogram, side)
    msg = (
        f"{side}: a {type(histogram).__name__} is not a histogram; expected {_ACCEPTED}; events on both sides are "
        "compared with validate"
    )
    raise InputTypeError(msg)


def is_uhi(value: object) -> bool:
    """Tell whether something is a histogram with the UHI protocol; a table with such columns is not."""
    return callable(getattr(value, "values", None)) and callable(getattr(value, "variances", None))


def check_same_bins(generated: BinSums, reference: BinSums) -> None:
    """Refuse histograms that do not have the same bins.

    Raises:
        InputError: If shapes or edges differ, or there are fewer than two bins.
    """
    generated_bins, reference_bins = generated.bins, reference.bins
    if generated_bins.shape != reference_bins.shape:
        msg = (
            f"the histograms have different bins: generated has shape {generated_bins.shape}, reference "
            f"{reference_bins.shape} (underflow and overflow included); fill both with the same axes"
        )
        raise InputError(msg)
    if isinstance(generated_bins, Grid) and isinstance(reference_bins, Grid):
        differences = [a.difference(b) for a, b in zip(generated_bins.axes, reference_bins.axes, strict=True)]
        messages = [f"on axis {i} {difference}" for i, difference in enumerate(differences) if difference]
        if messages:
            msg = (
                f"the histograms have different bin edges: {messages[0]} (generated and reference); "
                "fill both with the same axes"
            )
            raise InputError(msg)
    if generated.sumw.size < 2:  # noqa: PLR2004
        msg = f"a histogram of {generated.sumw.size} bin compares nothing; expected at least 2 bins"
        raise InputError(msg)


def _from_uhi(histogram: Any, side: str) -> BinSums:  # noqa: ANN401 - any object with the protocol
    kind = getattr(histogram, "kind", "COUNT")
    if str(getattr(kind, "value", kind)).upper() != "COUNT":
        msg = (
            f"{side}: a histogram of kind {getattr(kind, 'value', kind)} holds averages (it is a profile), not events; "
            "expected one of kind COUNT"
        )
        raise InputTypeError(msg)
    flow = {"flow": True} if "flow" in _parameters(histogram.values) else {}
    variances = histogram.variances(**flow)
    if variances is None:
        msg = (
            f"{side}: the histogram does not know its variances (filled with weights in a storage that keeps no sum "
            "of squares?); fill it with a Weight storage, or pass gv.Counts(sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    sumw = numeric(histogram.values(**flow), f"{side}: the histogram")
    sumw2 = numeric(variances, f"{side}: the variances of the histogram")
    fractional = sumw != np.floor(sumw)
    if fractional.any() and np.array_equal(sumw, sumw2):
        msg = (
            f"{side}: the histogram holds {sumw[fractional][0]:g} at bin {first(fractional)} and takes it for a count "
            "(variances equal contents); a scaled or weighted histogram needs its errors: use a Weight storage "
            "(in ROOT, Sumw2), or pass gv.Counts(sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)
    refuse_impossible(sumw, sumw2, f"{side}: ")
    if flow:
        refuse_lossy(histogram, sumw, sumw2, side)
    return BinSums(sumw.ravel(), sumw2.ravel(), _bins_of(histogram, sumw.shape))


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


def _check_total(sums: BinSums, side: str) -> None:
    if not sums.sumw.size:
        msg = f"{side}: the histogram has no bins"
        raise InputError(msg)
    if not sums.populated.any():
        msg = f"{side}: the histogram has no events; check what filled it, or compare another observable"
        raise InputError(msg)
    largest = max(float(np.abs(sums.sumw).max()), float(sums.sumw2.max()) ** 0.5)
    if not 1 / _LARGEST_SUM < largest < _LARGEST_SUM:
        msg = (
            f"{side}: the sums of weights reach {largest:.3g}, beyond what can be squared; "
            "scale all weights by a constant"
        )
        raise InputError(msg)
    if sums.total <= 0:
        msg = f"{side}: the total weight is {sums.total:g}; expected a positive sum of weights"
        raise InputError(msg)

"""Histograms of ROOT whose bins do not hold what was filled, seen by the statistics that ROOT keeps beside the bins.

``Fill`` adds to fEntries; inside the axis it adds to fTsumw, the sum of weights, and to fTsumw2, that of their squares
(beyond the axis, too, with ``StatOverflows``). ``SetBinContent`` sets fTsumw to 0, and ``Add``, ``Scale``, ``Merge``
and ``Rebin`` carry both along, while fEntries may then be anything, such as the number of calls; ``ResetStats``
computes all from the bins, or of those within a range that was set for the axis (ROOT, hist/hist/src/TH1.cxx). So
fTsumw may be less than the bins hold, and never be more; where it is at least what is in range, fTsumw2 is that of the
same events.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError

FloatArray = NDArray[np.float64]
_CLASS = re.compile(r"TH[12]([CSIFDL])")
_MAX_CONTENTS = {"C": 127, "S": 32_767, "I": 2**31 - 1, "F": 2**24}  # where adding 1 changes nothing any more
_SINGLE = "F"
_ROUNDING = {_SINGLE: 1e-6}  # relative, of sums of contents in single precision; else:
_ROUNDING_OF_DOUBLES = 1e-9
_HALF = 0.5  # of an event
_ERROR_SHARE = 0.1  # of the statistical error of a sum of weights
_COUNTERS = "fill a TH1D or TH2D (or TH1L), whose counters do not"


def refuse_lossy(histogram: Any, sumw: FloatArray, sumw2: FloatArray, side: str) -> None:  # noqa: ANN401 - uproot's
    """Refuse a TH1 or TH2, as uproot reads it, whose bins are known not to hold what was filled.

    Args:
        histogram: Anything; what is no TH1 or TH2 of uproot is let pass.
        sumw: Its contents with underflow and overflow, shape (x bins + 2,) or (x bins + 2, y bins + 2).
        sumw2: Its squared errors, of the same shape.
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If events are in its buffer and not in its bins, a counter is at its maximum, its bins hold less
            than its statistics, or it was filled with weights without their squares being kept.
    """
    kind = _CLASS.fullmatch(str(getattr(histogram, "classname", "")))
    if kind is None or not callable(getattr(histogram, "member", None)):
        return
    _refuse_buffered(histogram, side)
    _refuse_full(sumw, kind[1], f"{side}: the {kind[0]}")
    _refuse_contradiction(histogram, sumw, sumw2, kind[1], f"{side}: the {kind[0]}")


def _refuse_buffered(histogram: Any, side: str) -> None:  # noqa: ANN401
    buffer = histogram.member("fBuffer", none_if_missing=True)
    count = 0 if buffer is None or not len(buffer) else float(buffer[0])
    if count > 0:
        msg = (
            f"{side}: {count:,.0f} events are in the histogram's buffer and not in its bins; call BufferEmpty() "
            "before it is written"
        )
        raise InputError(msg)


def _refuse_full(sumw: FloatArray, kind: str, subject: str) -> None:
    maximum = _MAX_CONTENTS.get(kind)
    if maximum is None:
        return
    full = np.abs(sumw) == maximum if kind == _SINGLE else (sumw >= maximum) | (sumw <= -maximum)
    if full.any():
        position = tuple(int(i) for i in np.argwhere(full)[0])
        label = position[0] if len(position) == 1 else position
        msg = (
            f"{subject} holds {sumw[full][0]:,.0f} at bin {label} (0 is underflow), where its counters stop: how many "
            f"events were filled is not known; {_COUNTERS}, or fewer events each into several"
        )
        raise InputError(msg)


def _refuse_contradiction(histogram: Any, sumw: FloatArray, sumw2: FloatArray, kind: str, subject: str) -> None:  # noqa: ANN401
    total, squares, entries = (_number(histogram, name) for name in ("fTsumw", "fTsumw2", "fEntries"))
    if not total:
        return  # contents were set, and not filled
    unweighted = np.array_equal(sumw, sumw2)
    inside = sumw[tuple(slice(1, -1) for _ in sumw.shape)]
    maximum = float(inside.sum() + np.maximum(sumw, 0).sum() - np.maximum(inside, 0).sum())
    error = _HALF if unweighted else _ERROR_SHARE * float(np.sqrt(sumw2.sum()))
    margin = _ROUNDING.get(kind, _ROUNDING_OF_DOUBLES) * float(np.abs(sumw).sum()) + error
    in_range = float(sumw[tuple(_range_of(histogram, i, size) for i, size in enumerate(sumw.shape))].sum())
    agrees = unweighted and in_range - margin <= total
    counted = entries if agrees and kind == _SINGLE and sumw.max() > _MAX_CONTENTS[kind] else total
    if max(total, counted) > maximum + margin:
        msg = (
            f"{subject} was filled with {max(total, counted):,.10g} by its own statistics, and its bins hold "
            f"{maximum:,.10g}: a counter has stopped, or contents were removed; {_COUNTERS}, or call ResetStats() if "
            "they were removed on purpose"
        )
        raise InputError(msg)
    if agrees and squares and abs(squares - total) > _ROUNDING[_SINGLE] * abs(total):
        msg = (
            f"{subject} was filled with weights (fTsumw is {total:,.10g}, fTsumw2 {squares:,.10g}, which is "
            f"{total**2 / squares:,.4g} effective events), and its errors are those of counts; call Sumw2() before it "
            "is filled (TH1::SetDefaultSumw2()), or pass gv.Counts(sum_of_weights, sum_of_squared_weights)"
        )
        raise InputError(msg)


def _number(histogram: Any, name: str) -> float:  # noqa: ANN401
    """Return a member, 0 if it is missing or no finite number."""
    value = float(histogram.member(name, none_if_missing=True) or 0)
    return value if np.isfinite(value) else 0.0


def _range_of(histogram: Any, axis: int, size: int) -> slice:  # noqa: ANN401
    """Return the bins of an axis that are in its range."""
    first, last = (int(_number(histogram.axis(axis), name)) for name in ("fFirst", "fLast"))
    return slice(max(first, 1), min(last, size - 2) + 1) if last else slice(1, size - 1)

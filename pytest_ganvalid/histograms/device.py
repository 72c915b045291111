"""Filling on the device that holds the values: torch tensors, a GPU's above all.

Only bin contents leave the device. They are those that `histograms.filling` finds: comparisons are made in double
precision, and weights are cut before they are added in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytest_ganvalid.histograms.bins import Axis, Bins, Grid, Slabs, nonfinite_error
from pytest_ganvalid.histograms.exact import Total, adds_exactly, leading_part, sum_of
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.histograms.repeated import HALF_STEP, LEADING, NORMAL, SIZE, Repeated, minimum_count

Tensor = Any


def can_fill(bins: Bins) -> bool:
    """Tell whether these bins can be filled on a device."""
    return isinstance(bins, Grid | Slabs)


def filled_on_device(bins: Grid | Slabs, columns: Sequence[Tensor], weight: Tensor | None) -> Filled:
    """Fill a histogram where the values are.

    Args:
        bins: Where they go.
        columns: One tensor of shape (events,) per dimension, all on one device.
        weight: Weights, shape (events,), or ``None``.

    Raises:
        InputError: If NaN and infinite values are refused, and there are any.
    """
    size = math.prod(bins.shape)
    index = _index(bins, [column.double() for column in columns])
    if weight is None:
        return Filled(bins, Total.of(_host(_bincount(index, None, size))))
    weight = weight.double()
    return Filled(bins, _total(index, weight, size), _total(index, weight**2, size))


def repeated_on_device(values: Tensor, weight: Tensor | None) -> Repeated:
    """List the commonest values where they are; see `Repeated.of`.

    Args:
        values: Shape (events,).
        weight: Weights, shape (events,), or ``None``.
    """
    import torch

    values = values.double() + 0.0
    mask = torch.isfinite(values)
    values, weight = values[mask], None if weight is None else weight.double()[mask]
    single = ((values.view(torch.int64) + HALF_STEP) & LEADING).view(torch.float64)
    single = torch.where((values.abs() < NORMAL) | ~torch.isfinite(single), values, single)
    distinct, index, counts = torch.unique(single, return_inverse=True, return_counts=True)
    common = counts >= minimum_count(int(mask.numel()))
    size = int(common.sum())
    listed = common[index]
    position = (torch.cumsum(common, 0) - 1)[index[listed]]
    sums = [None if weight is None else _total(position, weight[listed] ** power, size) for power in (1, 2)]
    undercount = minimum_count(int(mask.numel())) - 1
    return Repeated(_host(distinct[common]), _host(counts[common]), int(mask.numel()), undercount, *sums).cut(SIZE)


def _index(bins: Grid | Slabs, columns: Sequence[Tensor]) -> Tensor:
    if isinstance(bins, Slabs):
        return _index_of_slabs(bins, *columns)
    index = _on_axis(bins.axes[0], columns[0])
    for axis, values in zip(bins.axes[1:], columns[1:], strict=True):
        index = index * axis.size + _on_axis(axis, values)
    return index


def _index_of_slabs(bins: Slabs, x: Tensor, y: Tensor) -> Tensor:
    slab = _on_axis(bins.x, x)
    index = slab.new_tensor(bins.offsets.tolist())[slab]
    for i, axis in enumerate(bins.y):
        inside = slab == i
        index[inside] += _on_axis(axis, y[inside])
    return index


def _on_axis(axis: Axis, values: Tensor) -> Tensor:
    """Return the bin of each value; see `Axis.index`."""
    import torch

    edges = torch.tensor(axis.cuts, dtype=torch.float64, device=values.device)
    if axis.circular:
        first = axis.cuts[0]
        wrapped = first + torch.remainder(values - first, axis.period)
        wrapped = torch.where((values >= first) & (values < first + axis.period), values, wrapped)
        index = torch.clamp(torch.bucketize(wrapped, edges, right=True) - 1, 0, len(axis.edges) - 2)
    else:
        index = torch.bucketize(values.contiguous(), edges, right=True)
    finite = torch.isfinite(values)
    if not bool(finite.all()):
        if axis.nonfinite == "error":
            nans = int(torch.isnan(values).sum())
            raise nonfinite_error(nans, values.numel() - int(finite.sum()) - nans, values.numel())
        index[~finite] = 0 if axis.nonfinite == "underflow" else axis.size - 1
    return index


def _total(index: Tensor, values: Tensor, size: int) -> Total:
    """Sum numbers up in bins; see `exact.total_by_bin`."""
    magnitudes = values.abs()
    nonzero = magnitudes[magnitudes > 0]
    largest, smallest = (float(nonzero.max()), float(nonzero.min())) if nonzero.numel() else (0.0, math.inf)
    sums = []
    while largest and not adds_exactly(largest, smallest, values.numel()):
        part = leading_part(values, largest, values.numel())
        sums.append(_host(_bincount(index, part, size)))
        values = values - part
        largest = float(values.abs().max())
    sums.append(_host(_bincount(index, values, size)))
    return sum_of(sums)


def _bincount(index: Tensor, weight: Tensor | None, size: int) -> Tensor:
    import torch

    return torch.bincount(index, weight, minlength=size)


def _host(values: Tensor) -> Any:  # noqa: ANN401 - an array
    return values.cpu().numpy()

"""What the axes of bins are called and measured in, for results and plots: the bins along each, with label and unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

from pytest_ganvalid import results
from pytest_ganvalid._units import split_title
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs, WithOutside
from pytest_ganvalid.histograms.kdtree import Cells

_OUTSIDE = "outside the selection"


@singledispatch
def result_axes(bins: Any, labels: Sequence[str]) -> tuple[results.Axis, ...]:  # noqa: ANN401 - any `bins.Bins`
    """Return the axes of bins as results have them.

    Args:
        bins: A grid has its axes; slabs the axis that is cut first, then for each of its bins the one that it is cut
            along. The cells of a tree have neither edges nor values, nor have bins known by their position only.
        labels: Names of what is binned, one for each dimension; an axis that has a label of its own keeps it.
    """
    return tuple(results.Axis(label=labels[i] if i < len(labels) else "") for i in range(len(bins.shape)))


@result_axes.register
def _(bins: Grid, labels: Sequence[str]) -> tuple[results.Axis, ...]:
    names = [*labels[: len(bins.axes)], *[""] * (len(bins.axes) - len(labels))]
    return tuple(_result_axis(axis, label) for axis, label in zip(bins.axes, names, strict=True))


@result_axes.register
def _(bins: Slabs, labels: Sequence[str]) -> tuple[results.Axis, ...]:
    x, y = labels
    return (_result_axis(bins.x, x), *(_result_axis(axis, y) for axis in bins.y))


@result_axes.register
def _(bins: Cells, labels: Sequence[str]) -> tuple[results.Axis, ...]:  # noqa: ARG001 - they have their own
    return tuple(results.Axis(label=name) for name in bins.names)


@result_axes.register
def _(bins: WithOutside, labels: Sequence[str]) -> tuple[results.Axis, ...]:
    axes = result_axes(bins.inside, labels)
    if len(axes) != 1:
        return axes
    (axis,) = axes
    return (replace(axis, values=(*axis.values, _OUTSIDE)),)


def _result_axis(axis: Axis, label: str) -> results.Axis:
    """Split the unit off the label, and name the bins that have no edges."""
    label, unit = split_title(axis.title or label)
    if not axis.edges:
        flow = ["underflow"] * axis.underflow, ["overflow"] * axis.overflow
        return results.Axis(label=label, unit=unit, values=(*flow[0], *axis.categories, *flow[1]))
    start = len(axis.edges) - 1 + axis.underflow + axis.overflow
    names = tuple(axis.label(i, i) for i in range(start, axis.size))
    return results.Axis(
        label=label, unit=unit, edges=axis.edges, values=names, underflow=axis.underflow, overflow=axis.overflow
    )

"""Histograms as other programs read them: by the schema of UHI, version 1 (scikit-hep/uhi, ``histogram.schema.json``).

Bins that the schema has no words for (a single edge, NaN in a bin of its own, slabs, the cells of a tree, what is
outside a selection) are categories, by their number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node, nested
from pytest_ganvalid.histograms.bins import Axis, Bins, Grid
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.pipeline.plan import Content

SCHEMA = 1
_MAX_COUNT = 2**53  # events: floats hold all integers up to it
_LARGEST = (1e110, 1e200)  # sums of weights and of their squares, which are below 1e90


def described(content: Content, filled: Filled, *, weighted: bool, label: str) -> dict[str, Any]:
    """Describe a histogram.

    Args:
        content: The bins.
        filled: Their contents.
        weighted: Whether events have weights.
        label: Name of the histogram.
    """
    shape = content.bins.shape
    values = filled.sumw.leading.reshape(shape)
    storage: dict[str, Any]
    if not (weighted or content.correlated):
        storage = {"type": "int", "values": values.astype(np.int64).tolist()}
    else:
        squares = filled.sumw if filled.sumw2 is None else filled.sumw2
        storage = {
            "type": "weighted",
            "values": values.tolist(),
            "variances": squares.leading.reshape(shape).tolist(),
        }
    return {
        "uhi_schema": SCHEMA,
        "metadata": {"label": label},
        "axes": axes_of(content.bins),
        "storage": storage,
    }


def axes_of(bins: Bins) -> list[dict[str, Any]]:
    """Describe the axes of bins."""
    if isinstance(bins, Grid):
        return [_axis(axis) for axis in bins.axes]
    return [_numbered(int(np.prod(bins.shape)))]


def _axis(axis: Axis) -> dict[str, Any]:
    if len(axis.edges) < 2 or axis.nonfinite == "separate":  # noqa: PLR2004 - the schema's least
        return _numbered(axis.size)
    flow = {"underflow": axis.underflow, "overflow": axis.overflow}
    return {"type": "variable", "edges": list(axis.edges), **flow, "circular": axis.circular}


def _numbered(bins: int) -> dict[str, Any]:
    return {"type": "category_int", "categories": list(range(bins)), "flow": False}


def stored(node: Node, content: Content, label: str, *, weighted: bool) -> tuple[NDArray[np.float64], ...]:
    """Return the contents of a histogram: one array of shape (bins,) of counts, or sums of weights and of squares.

    Raises:
        InputError: If the document is not what `described` makes of such bins.
    """
    fields = node.fields("uhi_schema", "metadata", "axes", "storage")
    fields["uhi_schema"].whole(SCHEMA, SCHEMA)
    fields["metadata"].fields("label")["label"].choice(label)
    if fields["axes"].value != axes_of(content.bins):
        fields["axes"].refuse("the bins that the plan says")
    shape = content.bins.shape
    kinds = ("values", "variances") if weighted or content.correlated else ("values",)
    storage = fields["storage"].fields("type", *kinds)
    storage["type"].choice("int" if len(kinds) == 1 else "weighted")
    if len(kinds) == 1:
        counts = [leaf.whole(0, _MAX_COUNT) for leaf in nested(storage["values"], shape)]
        return (np.array(counts, dtype=np.float64),)
    highest, lowest = _LARGEST[0], -_LARGEST[0] if weighted else 0.0
    values = np.array([leaf.real(lowest, highest) for leaf in nested(storage["values"], shape)], dtype=np.float64)
    if not weighted and np.any(values != np.floor(values)):
        storage["values"].refuse("whole numbers, as events have no weights")
    variances = [leaf.real(0.0, _LARGEST[1]) for leaf in nested(storage["variances"], shape)]
    return values, np.array(variances, dtype=np.float64)

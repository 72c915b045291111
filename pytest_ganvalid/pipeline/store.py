"""Histograms as JSON and back, exactly; every field is looked at.

What other programs understand is written once, by the schema of UHI; beside it stand the true bins, and digits that
a float is too short for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._json import Node, decode
from pytest_ganvalid.errors import placed
from pytest_ganvalid.histograms.binning import decoded_bins, encoded_bins
from pytest_ganvalid.histograms.bins import Axis
from pytest_ganvalid.histograms.clusters import ClusterSums
from pytest_ganvalid.histograms.exact import Total
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.histograms.kdtree import Cells
from pytest_ganvalid.histograms.repeated import Repeated
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.overlaps.key import Key
from pytest_ganvalid.pipeline.plan import Content, FillPlan, Histogram
from pytest_ganvalid.pipeline.request import NONFINITE
from pytest_ganvalid.pipeline.uhi import described, stored

FloatArray = NDArray[np.float64]
_LARGEST = 1e200
_INFINITE_BIN = "overflow"  # where infinite values of a condition or a number of entries would go: there are none
_TOLERANCE = 1e-6  # relative


def encoded_plan(plan: FillPlan) -> dict[str, Any]:
    """Return how events are filled, as JSON types."""
    name, axis = plan.condition or (None, None)
    return {
        "weight": plan.weight,
        "cluster": plan.cluster,
        "condition": (
            None
            if axis is None
            else {
                "column": name,
                "edges": axis.edges,
                "values": axis.values,
                "given": axis.given,
                "imposed": plan.imposed,
            }
        ),
        "bins_from": plan.bins_from,
        "bins_share": plan.bins_share,
        "skipped": plan.skipped,
        "units": dict(plan.units),
        "observables": [_histogram(histogram) for histogram in plan.histograms],
    }


def restored_plan(node: Node, key: Key | None) -> FillPlan:
    """Read what `encoded_plan` made; the key is that of the fingerprint.

    Raises:
        InputError: If the document is anything else; the message names the place.
    """
    fields = node.members()
    names = ("weight", "condition", "bins_from", "skipped", "observables")
    node.check_names(fields, names, optional=("bins_share", "cluster", "units"))
    condition, imposed = None, False
    if not fields["condition"].absent():
        members = fields["condition"].members()
        fields["condition"].check_names(members, ("column", "edges", "imposed"), optional=("values", "given"))
        imposed = decode(bool, members["imposed"])
        axis = Axis.decoded(members["edges"], _INFINITE_BIN)
        axis = replace(axis, given="given" in members and decode(bool, members["given"]))
        if "values" in members and members["values"].value:
            values = members["values"].items(axis.size)
            axis = replace(axis, values=tuple(None if item.absent() else item.real() for item in values))
        condition = (members["column"].text(), axis)
    strata = 1 if condition is None else condition[1].size
    plan = FillPlan(
        weight=None if fields["weight"].absent() else fields["weight"].text(),
        condition=condition,
        histograms=tuple(_restored_histogram(item, condition, strata) for item in fields["observables"].items()),
        key=key,
        bins_from=tuple(item.text() for item in fields["bins_from"].items()),
        imposed=imposed,
        skipped=decode(Mapping[str, str] | None, fields["skipped"]),
        bins_share=fields["bins_share"].real(0.0, 1.0) if "bins_share" in fields else 1.0,
        units=decode(Mapping[str, str], fields["units"]) if "units" in fields else {},
        cluster=None if "cluster" not in fields or fields["cluster"].absent() else fields["cluster"].text(),
    )
    with placed(node.path):
        plan.check_storable()
    return plan


def _histogram(histogram: Histogram) -> dict[str, Any]:
    observable = histogram.observable
    return {
        "name": observable.name,
        "stratum": histogram.stratum,
        "columns": observable.columns,
        "where": observable.where,
        "nonfinite": histogram.nonfinite,
        "bins": encoded_bins(histogram.bins),
        "entries": None if histogram.numbers is None else encoded_bins(histogram.numbers),
    }


def _restored_histogram(node: Node, condition: tuple[str, Axis] | None, strata: int) -> Histogram:
    fields = node.fields("name", "stratum", "columns", "where", "nonfinite", "bins", "entries")
    name, stratum = fields["name"].text(), fields["stratum"].whole(0, strata - 1)
    columns = tuple(item.text() for item in fields["columns"].items())
    if not columns or len(set(columns)) != len(columns):
        fields["columns"].refuse("at least one name of a column, each once")
    where = None if fields["where"].absent() else fields["where"].text()
    nonfinite = fields["nonfinite"].choice(*NONFINITE)
    bins = decoded_bins(fields["bins"], columns, nonfinite)
    numbers = None if fields["entries"].absent() else decoded_bins(fields["entries"], ("",), _INFINITE_BIN)
    if isinstance(numbers, Cells):
        fields["entries"].refuse("edges")
    observable = Observable(name, columns, where=where, tree=isinstance(bins, Cells))
    full = name if condition is None else f"{name} | {condition[1].label_of(condition[0], stratum)}"
    return Histogram(full, stratum, observable, bins, nonfinite, numbers)


def encoded_total(total: Total) -> dict[str, list[float]]:
    """Return sums, as JSON types."""
    return {"leading": total.leading.tolist(), "rest": total.rest.tolist()}


def restored_total(node: Node, size: int) -> Total:
    """Read what `encoded_total` made of so many sums.

    Raises:
        InputError: If the document is anything else; the message names the place.
    """
    fields = node.fields("leading", "rest")
    leading, rest = (np.array(fields[name].reals(size), dtype=np.float64) for name in ("leading", "rest"))
    if np.any(np.abs(leading) > _LARGEST):
        fields["leading"].refuse(f"sums of at most {_LARGEST:g}")
    return _checked(Total(leading, rest), node)


def _checked(total: Total, node: Node) -> Total:
    """Refuse a rest that is more than what rounding takes away."""
    if np.any(np.abs(total.rest) > np.abs(total.leading) * 2.0**-52 + 2.0**-1022):
        node.refuse("no more than what rounding has taken away of the sums")
    return total


def encoded_contents(
    contents: Mapping[str, Content], filled: Mapping[str, Filled], *, weighted: bool
) -> dict[str, dict[str, Any]]:
    """Return histograms as JSON types: as other programs read them, and what is beyond that.

    Args:
        contents: Name -> content of the plan.
        filled: Name -> histogram.
        weighted: Whether events have weights.
    """
    return {
        "histograms": {
            name: described(content, filled[name], weighted=weighted, label=name) for name, content in contents.items()
        },
        "beyond": {
            name: _beyond(filled[name]) if weighted or content.correlated or filled[name].clusters else None
            for name, content in contents.items()
        },
    }


def _beyond(filled: Filled) -> dict[str, Any]:
    """Return what the schema of UHI cannot hold."""
    products = None if filled.products is None else _upper_half(filled.products)
    squares = filled.sumw if filled.sumw2 is None else filled.sumw2
    clusters: dict[str, Any] | None = None
    if filled.clusters is not None:
        sums = filled.clusters
        clusters = {"products": _upper_half(sums.products), "sizes": encoded_total(sums.sizes)}
    return {
        "values": filled.sumw.rest.tolist(),
        "variances": squares.rest.tolist(),
        "products": products,
        "events": None if filled.events is None else encoded_total(filled.events),
        "clusters": clusters,
    }


def _upper_half(products: FloatArray) -> list[float]:
    return list(products[np.triu_indices(len(products))].tolist())


def restored_contents(
    histograms: Node, beyond: Node, plan: FillPlan, events: NDArray[np.int64], weights: Total
) -> dict[str, Filled]:
    """Read what `encoded_contents` made.

    Raises:
        InputError: If the document is anything else, or not of so many events of such weights in each stratum.
    """
    contents = plan.contents()
    nodes, beyond_ = histograms.fields(*contents), beyond.fields(*contents)
    restored = {}
    for name, content in contents.items():
        sums = stored(nodes[name], content, name, weighted=plan.weight is not None)
        n_events = int(events[content.stratum])
        restored[name] = _restored_filled(sums, beyond_[name], content, n_events, clustered=plan.cluster is not None)
        if len(sums) == 1 and sums[0].sum() != events[content.stratum]:
            nodes[name].refuse(f"{events[content.stratum]} events in all, as many as in its stratum")
        events_of = restored[name].events
        if events_of is None:
            total, scale = sums[0].sum(), np.abs(sums[0]).sum()
        else:
            total, squares = events_of.value
            scale = math.sqrt(squares * events[content.stratum])
        if abs(total - weights.value[content.stratum]) > _TOLERANCE * scale:
            nodes[name].refuse("the weight of its stratum in all")
    return restored


def encoded_repeated(contents: Mapping[str, Content], filled: Mapping[str, Filled]) -> dict[str, Any]:
    """Return the commonest values of each histogram that may list them as JSON types; ``None`` where they are unknown.

    Args:
        contents: Name -> content of the plan.
        filled: Name -> histogram.
    """
    lists = {name: filled[name].repeated for name, content in contents.items() if content.repeats}
    return {name: None if repeated is None else repeated.encoded() for name, repeated in lists.items()}


def restored_repeated(
    node: Node, plan: FillPlan, contents: Mapping[str, Filled], events: NDArray[np.int64]
) -> dict[str, Filled]:
    """Read what `encoded_repeated` made, into the histograms.

    Raises:
        InputError: If the document is anything else, or not of such events.
    """
    expected = {name: content for name, content in plan.contents().items() if content.repeats}
    fields = node.fields(*expected)
    with_values = {}
    for name, content in expected.items():
        if not fields[name].absent():
            number, weighted = int(events[content.stratum]), plan.weight is not None
            repeated = Repeated.decoded(fields[name], number, weighted=weighted)
            with_values[name] = replace(contents[name], repeated=repeated)
    return with_values


def _restored_filled(
    sums: tuple[FloatArray, ...], node: Node, content: Content, n_events: int, *, clustered: bool
) -> Filled:
    if len(sums) == 1 and not clustered:
        if not node.absent():
            node.refuse("null, as these are counts")
        return Filled(content.bins, Total.of(sums[0]))
    fields = node.members()
    names = ("values", "variances", "products", "events")
    node.check_names(fields, (*names, "clusters") if clustered else names, optional=("clusters",))
    if not clustered and "clusters" in fields and not fields["clusters"].absent():
        fields["clusters"].refuse("null, as events are in no clusters")
    clusters = _restored_clusters(fields["clusters"], sums[0], content, n_events) if clustered else None
    if len(sums) == 1:
        exact = all(not np.any(fields[name].reals(sums[0].size)) for name in ("values", "variances"))
        if not (exact and fields["products"].absent() and fields["events"].absent()):
            node.refuse("nothing but clusters, as these are counts")
        return Filled(content.bins, Total.of(sums[0]), clusters=clusters)
    return replace(_restored_weighted(sums, fields, node, content, n_events), clusters=clusters)


def _restored_clusters(node: Node, sumw: FloatArray, content: Content, n_events: int) -> ClusterSums:
    fields = node.fields("products", "sizes")
    products = _restored_products(fields["products"], sumw.size)
    sizes = restored_total(fields["sizes"], 2)
    total, squares = sizes.value.tolist()
    if np.any(products.diagonal() < 0) or np.any(products.diagonal() > _LARGEST):
        fields["products"].refuse(f"sums of squares of at most {_LARGEST:g}")
    if total**2 > n_events * squares * (1 + _TOLERANCE):
        fields["sizes"].refuse(f"those of at most {n_events} clusters")
    scale = math.sqrt(squares * n_events), float(products.diagonal().sum())
    if not content.correlated:  # an event is in one bin, so that clusters hold what the bins do
        if abs(total - sumw.sum()) > _TOLERANCE * scale[0]:
            fields["sizes"].refuse("the weight in the bins")
        if abs(squares - products.sum()) > _TOLERANCE * max(squares, scale[1]):
            fields["products"].refuse("those of clusters of such sizes")
    return ClusterSums(_bounded(products, products.diagonal(), fields["products"]), sizes)


def _restored_products(node: Node, size: int) -> FloatArray:
    upper_half = node.reals(size * (size + 1) // 2)
    products, upper = np.zeros((size, size)), np.triu_indices(size)
    products[upper] = upper_half
    products.T[upper] = products[upper]
    return products


def _bounded(products: FloatArray, squares: FloatArray, node: Node) -> FloatArray:
    roots = np.sqrt(np.maximum(squares, 0))
    if np.any(np.abs(products) > np.outer(roots, roots) * (1 + _TOLERANCE)):
        node.refuse("what the sums of squares allow for")
    return products


def _restored_weighted(
    sums: tuple[FloatArray, ...], fields: Mapping[str, Node], node: Node, content: Content, n_events: int
) -> Filled:
    size = sums[0].size
    rests = [np.array(fields[name].reals(size), dtype=np.float64) for name in ("values", "variances")]
    sumw, sumw2 = (_checked(Total(total, rest), node) for total, rest in zip(sums, rests, strict=True))
    if np.any(sumw.value**2 > n_events * sumw2.value * (1 + _TOLERANCE)):
        node.refuse(f"squares as large as those of {n_events} events with such sums are at least")
    if not content.correlated:
        for name in ("products", "events"):
            if not fields[name].absent():
                fields[name].refuse("null, as every event has one entry")
        return Filled(content.bins, sumw, sumw2)
    products = _restored_products(fields["products"], size)
    if np.any(np.abs(products.diagonal() - sumw2.value) > _TOLERANCE * sumw2.value):
        fields["products"].refuse("the sums of squares on the diagonal")
    products = _bounded(products, sumw2.value, fields["products"])
    events = restored_total(fields["events"], 2)
    if events.value[0] ** 2 > n_events * events.value[1] * (1 + _TOLERANCE):
        fields["events"].refuse(f"a sum of squares as large as that of {n_events} events with such a sum is at least")
    return Filled(content.bins, sumw, sumw2, products, events)

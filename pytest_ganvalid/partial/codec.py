"""Partial histograms as JSON and back, exactly; every field is looked at.

What other programs understand is written once, by the schema of UHI; what is beyond it stands beside it: the true bins,
and what a float is too short for.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid import _json
from pytest_ganvalid._schema import Node, parsed
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.bins import Axis, Fillable, Grid, Slabs
from pytest_ganvalid.histograms.exact import Total
from pytest_ganvalid.histograms.filling import Filled
from pytest_ganvalid.histograms.kdtree import Cells, Cut, Guard
from pytest_ganvalid.histograms.kdtree import Node as Branch
from pytest_ganvalid.observables.observable import Observable
from pytest_ganvalid.partial.histograms import Histograms, Part
from pytest_ganvalid.partial.recipe import Content, Recipe
from pytest_ganvalid.partial.uhi import described, stored
from pytest_ganvalid.questions import NONFINITE
from pytest_ganvalid.samples.fingerprint import Fingerprint
from pytest_ganvalid.streaming import Histogram

KIND, VERSION = "histograms", 1
FloatArray = NDArray[np.float64]
_MOST = 2**53
_LARGEST = 1e200
_MOST_BINS = 10_000_000
_INFINITE = {math.inf: "inf", -math.inf: "-inf"}
_OF_OTHERS = "overflow"  # where infinite values of a condition or a number of entries would go: there are none
_SAME = 1e-6  # relative


def written(histograms: Histograms, indent: int | None = None) -> str:
    """Write histograms as a JSON text."""
    recipe = histograms.recipe
    weighted = recipe.weight is not None
    contents = dict(recipe.contents())
    held = {
        "parts": histograms.parts,
        "recipe": _recipe(recipe),
        "strata": {"events": histograms.events, "weights": _total(histograms.weights)},
        "histograms": {
            name: described(content, histograms.contents[name], weighted=weighted, label=name)
            for name, content in contents.items()
        },
        "beyond": {
            name: _beyond(histograms.contents[name]) if weighted or content.correlated else None
            for name, content in contents.items()
        },
        "fingerprint": json.loads(histograms.fingerprint.to_json()),
        "row_chance": histograms.row_chance,
    }
    return _json.dumps(KIND, VERSION, held, indent)


def restored(text: str | bytes) -> Histograms:
    """Read what `written` wrote.

    Raises:
        InputError: If it is anything else; the message names the place.
    """
    return from_document(parsed(text))


def from_document(document: Node) -> Histograms:
    """Make histograms of the JSON that they were written as; see `restored`."""
    try:
        with np.errstate(all="ignore"):  # numbers that are too large are refused where they are used
            return _restored(document)
    except RecursionError:
        msg = "the JSON is nested too deep to be histograms"
        raise InputError(msg) from None


def _restored(document: Node) -> Histograms:
    _check_kind(document)
    names = ("kind", "version", "parts", "recipe", "strata", "histograms", "beyond", "fingerprint", "row_chance")
    fields = document.fields(*names)
    recipe = _restored_recipe(fields["recipe"])
    strata = fields["strata"].fields("events", "weights")
    parts = tuple(_part(node) for node in fields["parts"].items())
    events = tuple(node.whole(0, _MOST) for node in strata["events"].items(recipe.strata))
    weights = _restored_total(strata["weights"], recipe.strata)
    found = Histograms(
        parts=parts,
        recipe=recipe,
        events=events,
        weights=weights,
        contents=_contents(fields["histograms"], fields["beyond"], recipe, events, weights),
        fingerprint=_fingerprint(fields["fingerprint"]),
        row_chance=_row_chance(fields["row_chance"]),
    )
    _check_numbers(found, fields)
    return found


def _check_kind(document: Node) -> None:
    members = document.members()
    kind, version = (members[name].value if name in members else None for name in ("kind", "version"))
    if kind != KIND:
        members.get("kind", document).refuse(f"a document of kind {KIND!r}, as 'ganvalid fill' writes")
    if type(version) is not int or version != VERSION:
        members.get("version", document).refuse(f"version {VERSION}; read others with the pytest-ganvalid they are of")


def _check_numbers(found: Histograms, fields: Mapping[str, Node]) -> None:
    """Refuse numbers of events that do not agree.

    Raises:
        InputError: If they do not.
    """
    parts, total, rows = sum(part.events for part in found.parts), found.n_events, found.fingerprint.rows
    if not parts == total == rows or not parts:
        msg = (
            f"the parts have {parts:,} events, the strata {total:,} and the fingerprint {rows:,}; expected the same "
            "number, at least 1"
        )
        raise InputError(msg)
    if list(found.parts) != sorted(set(found.parts)):
        msg = "parts: expected them in order, each once"
        raise InputError(msg)
    if found.recipe.weight is None and not np.array_equal(found.weights.value, found.events):
        fields["strata"].refuse("weights that are the numbers of events, which have none")


def _recipe(recipe: Recipe) -> dict[str, Any]:
    name, axis = recipe.condition or (None, None)
    return {
        "weight": recipe.weight,
        "condition": None if axis is None else {"column": name, "edges": axis.edges},
        "bins_from": recipe.bins_from,
        "observables": [_histogram(histogram) for histogram in recipe.histograms],
    }


def _restored_recipe(node: Node) -> Recipe:
    fields = node.fields("weight", "condition", "bins_from", "observables")
    condition = None
    if not fields["condition"].absent():
        given = fields["condition"].fields("column", "edges")
        condition = (given["column"].text(), _restored_axis(given["edges"], _OF_OTHERS))
    strata = 1 if condition is None else condition[1].size
    try:
        return Recipe(
            weight=None if fields["weight"].absent() else fields["weight"].text(),
            condition=condition,
            histograms=tuple(_restored_histogram(item, condition, strata) for item in fields["observables"].items()),
            bins_from=tuple(item.text() for item in fields["bins_from"].items()),
        )
    except InputError as error:
        if str(error).startswith(node.path):
            raise
        msg = f"{node.path}: {error}"
        raise InputError(msg) from None


def _histogram(histogram: Histogram) -> dict[str, Any]:
    observable = histogram.observable
    return {
        "name": observable.name,
        "stratum": histogram.stratum,
        "columns": observable.columns,
        "where": observable.where,
        "nonfinite": histogram.nonfinite,
        "bins": _bins(histogram.bins),
        "entries": None if histogram.numbers is None else _bins(histogram.numbers),
    }


def _restored_histogram(node: Node, condition: tuple[str, Axis] | None, strata: int) -> Histogram:
    fields = node.fields("name", "stratum", "columns", "where", "nonfinite", "bins", "entries")
    name, stratum = fields["name"].text(), fields["stratum"].whole(0, strata - 1)
    columns = tuple(item.text() for item in fields["columns"].items())
    if not columns or len(set(columns)) != len(columns):
        fields["columns"].refuse("at least one name of a column, each once")
    where = None if fields["where"].absent() else fields["where"].text()
    nonfinite = fields["nonfinite"].choice(*NONFINITE)
    bins = _restored_bins(fields["bins"], columns, nonfinite)
    numbers = None if fields["entries"].absent() else _restored_bins(fields["entries"], ("",), _OF_OTHERS)
    if isinstance(numbers, Cells):
        fields["entries"].refuse("edges")
    observable = Observable(name, columns, where=where, tree=isinstance(bins, Cells))
    full = name if condition is None else f"{name} | {condition[1].label_of(condition[0], stratum)}"
    return Histogram(full, stratum, observable, bins, nonfinite, numbers)


def _bins(bins: Fillable) -> dict[str, Any]:
    if isinstance(bins, Cells):
        return {"cells": _branch(bins.root)}
    if isinstance(bins, Slabs):
        return {"slabs": {"x": bins.x.edges, "y": [axis.edges for axis in bins.y]}}
    if isinstance(bins, Grid):
        return {"edges": [axis.edges for axis in bins.axes]}
    msg = f"bins that are {type(bins).__name__} cannot be written"
    raise InputError(msg)


def _restored_bins(node: Node, columns: tuple[str, ...], nonfinite: str) -> Fillable:
    members = node.members()
    if "cells" in members:
        return Cells(columns, _restored_root(node.fields("cells")["cells"], len(columns)), nonfinite)
    if "slabs" in members:
        if len(columns) != 2:  # noqa: PLR2004
            node.refuse("no slabs, as these are bins of two columns")
        fields = node.fields("slabs")["slabs"].fields("x", "y")
        x = _restored_axis(fields["x"], nonfinite)
        return Slabs(x, tuple(_restored_axis(item, nonfinite) for item in fields["y"].items(x.size)))
    edges = node.fields("edges")["edges"].items()
    if len(edges) != len(columns) or len(columns) > 2:  # noqa: PLR2004
        node.refuse(f"bins of {len(columns)} columns")
    grid = Grid(tuple(_restored_axis(item, nonfinite) for item in edges))
    if math.prod(grid.shape) > _MOST_BINS:
        node.refuse(f"at most {_MOST_BINS:,} bins")
    return grid


def _restored_axis(node: Node, nonfinite: str) -> Axis:
    edges = tuple(node.reals(len(node.items())))
    if not edges or any(a >= b for a, b in itertools.pairwise(edges)):
        node.refuse("at least one edge, increasing")
    return Axis(edges, nonfinite=nonfinite)


def _branch(branch: Branch | None) -> dict[str, Any] | None:
    if branch is None:
        return None
    if isinstance(branch, Cut):
        return {
            "column": branch.column,
            "at": _extended(branch.at),
            "below": _branch(branch.below),
            "above": _branch(branch.above),
        }
    return {
        "columns": branch.columns,
        "values": [_extended(value) for value in branch.values],
        "inside": _branch(branch.inside),
    }


def _restored_root(node: Node, columns: int) -> Branch:
    root = _restored_branch(node, columns)
    if root is None:
        node.refuse("a cut through the columns")
    return root


def _restored_branch(node: Node, columns: int) -> Branch | None:
    if node.absent():
        return None
    if "column" in node.members():
        fields = node.fields("column", "at", "below", "above")
        below, above = (_restored_branch(fields[side], columns) for side in ("below", "above"))
        column = fields["column"].whole(0, columns - 1)
        return Cut(column, _restored_extended(fields["at"]), below, above, _cells(below) + _cells(above))
    fields = node.fields("columns", "values", "inside")
    positions = tuple(item.whole(0, columns - 1) for item in fields["columns"].items())
    if not positions or len(set(positions)) != len(positions):
        fields["columns"].refuse("at least one column, each once")
    values = tuple(_restored_extended(item) for item in fields["values"].items(len(positions)))
    inside = _restored_branch(fields["inside"], columns)
    return Guard(positions, values, inside, 1 + _cells(inside))


def _cells(branch: Branch | None) -> int:
    return 1 if branch is None else branch.cells


def _extended(number: float) -> float | str:
    """Write a number that may be infinite, as JSON has none of those."""
    return _INFINITE.get(number, number)


def _restored_extended(node: Node) -> float:
    found = [number for number, word in _INFINITE.items() if node.value == word]
    return found[0] if found else node.real()


def _total(total: Total) -> dict[str, list[float]]:
    return {"leading": total.leading.tolist(), "rest": total.rest.tolist()}


def _restored_total(node: Node, size: int) -> Total:
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


def _beyond(filled: Filled) -> dict[str, Any]:
    """Return what the schema has no place for."""
    products = None if filled.products is None else filled.products[np.triu_indices(len(filled.products))].tolist()
    squares = filled.sumw if filled.sumw2 is None else filled.sumw2
    return {
        "values": filled.sumw.rest.tolist(),
        "variances": squares.rest.tolist(),
        "products": products,
        "events": None if filled.events is None else _total(filled.events),
    }


def _contents(
    histograms: Node, beyond: Node, recipe: Recipe, events: tuple[int, ...], weights: Total
) -> dict[str, Filled]:
    contents = dict(recipe.contents())
    described_, more = histograms.fields(*contents), beyond.fields(*contents)
    found = {}
    for name, content in contents.items():
        sums = stored(described_[name], content, name, weighted=recipe.weight is not None)
        found[name] = _restored_filled(sums, more[name], content)
        if len(sums) == 1 and sums[0].sum() != events[content.stratum]:
            described_[name].refuse(f"{events[content.stratum]} events in all, as many as in its stratum")
        scale = np.abs(sums[0]).sum()
        if not content.correlated and abs(sums[0].sum() - weights.value[content.stratum]) > _SAME * scale:
            described_[name].refuse("the weight of its stratum in all")
    return found


def _restored_filled(sums: tuple[FloatArray, ...], node: Node, content: Content) -> Filled:
    size = sums[0].size
    if len(sums) == 1:
        if not node.absent():
            node.refuse("null, as these are counts")
        return Filled(content.bins, Total.of(sums[0]))
    fields = node.fields("values", "variances", "products", "events")
    rests = [np.array(fields[name].reals(size), dtype=np.float64) for name in ("values", "variances")]
    sumw, sumw2 = (_checked(Total(total, rest), node) for total, rest in zip(sums, rests, strict=True))
    if np.any((sumw2.leading == 0) & (sumw.leading != 0)):
        node.refuse("squares wherever there are weights")
    if not content.correlated:
        for name in ("products", "events"):
            if not fields[name].absent():
                fields[name].refuse("null, as every event has one entry")
        return Filled(content.bins, sumw, sumw2)
    held = fields["products"].reals(size * (size + 1) // 2)
    products, upper = np.zeros((size, size)), np.triu_indices(size)
    products[upper] = held
    products.T[upper] = products[upper]
    if np.any(np.abs(products.diagonal() - sumw2.value) > _SAME * sumw2.value):
        fields["products"].refuse("the sums of squares on the diagonal")
    roots = np.sqrt(np.maximum(sumw2.value, 0))
    if np.any(np.abs(products) > np.outer(roots, roots) * (1 + _SAME)):
        fields["products"].refuse("what the sums of squares allow for")
    events = _restored_total(fields["events"], 2)
    if events.leading[1] < 0:
        fields["events"].refuse("a sum of squares that is not negative")
    return Filled(content.bins, sumw, sumw2, products, events)


def _part(node: Node) -> Part:
    fields = node.fields("source", "id", "events", "chance")
    chance = fields["chance"].real(0.0)
    if chance > 1:
        fields["chance"].refuse("a probability")
    return Part(
        source=fields["source"].text(),
        id=fields["id"].text(),
        events=fields["events"].whole(1, _MOST),
        chance=chance,
    )


def _row_chance(node: Node) -> float:
    chance = node.real(0.0, 1.0)
    if not chance:
        node.refuse("a probability above 0")
    return chance


def _fingerprint(node: Node) -> Fingerprint:
    try:
        return Fingerprint.from_json(json.dumps(node.value))
    except InputError as error:
        msg = f"{node.path}: {error}"
        raise InputError(msg) from None

"""Histograms are written exactly, and what is read of a file is not trusted."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid._json import Node
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.observables import KDTree, Selection
from pytest_ganvalid.pipeline.summary import Histograms

Make = Callable[..., dict[str, Any]]
Document = dict[str, Any]
Place = tuple[Any, ...]


@pytest.mark.parametrize("weight", [None, "w"])
def test_round_trip(events: Make, keywords: dict[str, Any], weight: str | None) -> None:
    """What is read is equal to what was written, and is written as the same text; no infinity or NaN is in it."""
    whole = gv.fill(events(1, 240), weight=weight, **keywords)
    text = whole.to_json()
    restored = Histograms.from_json(text)
    assert restored == whole
    assert restored.to_json() == text
    assert hash(restored) == hash(whole)
    assert restored != gv.fill(events(2, 240), weight=weight, **keywords)
    assert not {"NaN", "Infinity"} & set(text.replace(",", " ").replace("]", " ").split())
    assert Histograms.from_json(whole.to_json(indent=2).encode()) == whole
    assert restored.plan.bins_from == whole.plan.bins_from
    assert restored.plan.difference(whole.plan) == ""
    for name, filled in restored.contents.items():
        ours, theirs = filled.sums(), whole.contents[name].sums()
        np.testing.assert_array_equal(ours.sumw, theirs.sumw)
        np.testing.assert_array_equal(ours.sumw2, theirs.sumw2)
        assert (ours.products is None) == (theirs.products is None)
        if ours.products is not None and theirs.products is not None:
            np.testing.assert_array_equal(ours.products, theirs.products)
        assert ours.n_events == theirs.n_events


def test_infinite_cuts_survive(events: Make) -> None:
    """The cuts of a tree beside infinite values, placed below or above all numbers, are written as words."""
    table = events(3, 240)
    table["hole"] = np.where(np.arange(240) % 3 == 0, np.inf, table["x"])
    for place in ("overflow", "underflow"):
        whole = gv.fill(table, observables=[KDTree(("hole", "n"))], bins=20, nonfinite=place)
        assert {"overflow": '"inf"', "underflow": '"-inf"'}[place] in whole.to_json()
        assert Histograms.from_json(whole.to_json()) == whole


@pytest.mark.parametrize("weight", [None, "w"])
def test_strata_without_events_survive(events: Make, weight: str | None) -> None:
    """A bin of the condition without events is written and read like the others."""
    table = events(1, 240)
    like = gv.fill(table, observables=["x", "jet"], by=("e", [15.0]), bins=3, weight=weight)
    few = gv.fill({name: column[table["e"] < 15] for name, column in table.items()}, like=like)
    assert few.events[1] == 0
    assert Histograms.from_json(few.to_json()) == few


def test_rounding_survives() -> None:
    """What a float is too short for is written beside it: sums are exact to the last bit after any number of steps."""
    rng = np.random.default_rng(1)
    tables = [{"x": rng.normal(size=50), "w": 10.0 ** rng.uniform(-8, 8, 50)} for _ in range(4)]
    parts = [gv.fill(tables[0], observables=["x"], bins=[0.0], weight="w")]
    parts += [gv.fill(table, like=parts[0]) for table in tables[1:]]
    total, stepwise = parts[0], parts[0]
    for part in parts[1:]:
        total = total + part
        stepwise = Histograms.from_json((stepwise + Histograms.from_json(part.to_json())).to_json())
    assert stepwise == total
    assert total.contents["x"].sumw.rest.any()


# Documents that are wrong.


@pytest.fixture(scope="module")
def documents(events: Make) -> list[Document]:
    """Documents with everything in them."""
    table = events(1, 60)
    trees = [KDTree(("x", "y", "n")), KDTree(("hole", "n"))]
    entries = [Selection("jet", "ok"), "jet"]
    made = (
        gv.fill(table, observables=["x", ("x", "y"), trees[0], Selection("x", "ok"), *entries], bins=3),
        gv.fill(table, observables=["hole", ("hole", "x"), trees[1]], bins=3, nonfinite="separate", weight="w"),
        gv.fill(table, observables=["x", "jet"], bins=3, by=("e", [15.0]), weight="w"),
        gv.fill(table | {"id": np.arange(60) // 2}, observables=["x", "jet"], bins=3, cluster="id"),
    )
    return [json.loads(one.to_json()) for one in made]


@pytest.fixture(scope="module")
def document(documents: list[Document]) -> Document:
    """The simplest of them."""
    return documents[0]


def read(document: Document) -> Histograms:
    """Read a document."""
    return Histograms.from_json(json.dumps(document))


def value_at(document: Any, place: Place) -> Any:
    """The value at a place."""
    for key in place:
        document = document[key]
    return document


def test_the_documents_are_right(documents: list[Document]) -> None:
    """What the other tests spoil can be read."""
    for document in documents:
        assert json.loads(read(document).to_json()) == document


OBSERVABLE = ("plan", "observables", 0)
TREE = ("plan", "observables", 2, "bins", "cells")
WRONG: dict[str, tuple[Place, Any, str]] = {
    "kind": (("kind",), "report", r"kind: expected a document of kind 'histograms'"),
    "version": (("version",), 1, r"version: expected version 2; fill anew.*ganvalid fill EVENTS -o FILE\.json; got 1"),
    "version as text": (("version",), "2", "version: expected version 2"),
    "version as truth": (("version",), True, "version: expected version 2"),
    "origins": (("origins",), [], "expected the same number of events in origins, strata and fingerprint"),
    "source": (("origins", 0, "source"), 3, r"origins\[0\]\.source: expected a string; got 3"),
    "id": (("origins", 0, "id"), None, r"origins\[0\]\.id: expected a string; got null"),
    "events": (("origins", 0, "events"), 61, "expected the same number of events in origins, strata and finger"),
    "no events": (("origins", 0, "events"), 0, r"origins\[0\]\.events: expected an integer from 1"),
    "events as float": (("origins", 0, "events"), 60.0, r"origins\[0\]\.events: expected an integer"),
    "events as truth": (("origins", 0, "events"), True, r"origins\[0\]\.events: expected an integer"),
    "chance": (("origins", 0, "chance"), 1.5, r"origins\[0\]\.chance: expected a"),
    "chance below": (("origins", 0, "chance"), -0.5, r"origins\[0\]\.chance: expected a"),
    "weight": (("plan", "weight"), "w", r"histograms\.x\.storage: the fields"),
    "bins_from": (("plan", "bins_from", 0), 7, r"plan\.bins_from\[0\]: expected a string"),
    "condition": (
        ("plan", "condition"),
        {"column": "e"},
        r"plan\.condition: the fields.*missing \['edges', 'imposed'\]",
    ),
    "imposed": (
        ("plan", "condition"),
        {"column": "e", "edges": [0.0], "imposed": 1},
        r"plan\.condition\.imposed: expected true or false",
    ),
    "skipped": (("plan", "skipped"), {"a": 1}, r"plan\.skipped\.a: expected a string"),
    "stratum": ((*OBSERVABLE, "stratum"), 1, r"observables\[0\]\.stratum: expected an integer"),
    "columns": ((*OBSERVABLE, "columns"), [], r"observables\[0\]\.columns: expected at least one"),
    "columns twice": (("plan", "observables", 1, "columns"), ["x", "x"], r"columns: expected at least one.*each once"),
    "name": ((*OBSERVABLE, "name"), "x:y", "plan: two histograms are named 'x:y'"),
    "nonfinite": ((*OBSERVABLE, "nonfinite"), "away", r"nonfinite: expected one of 'error'"),
    "edges": ((*OBSERVABLE, "bins", "edges", 0), [1, 0], "expected at least one edge, increasing"),
    "equal edges": ((*OBSERVABLE, "bins", "edges", 0), [1, 1], "expected at least one edge, increasing"),
    "no edges": ((*OBSERVABLE, "bins", "edges", 0), [], "expected at least one edge, increasing"),
    "edge": ((*OBSERVABLE, "bins", "edges", 0, 0), "a", r"edges\[0\]\[0\]: expected a finite number"),
    "axes of bins": ((*OBSERVABLE, "bins", "edges"), [[0.0], [1.0]], r"bins\.edges: expected bins of 1 columns"),
    "bins": ((*OBSERVABLE, "bins"), {}, r"observables\[0\]\.bins: the fields.*missing \['edges'\]"),
    "bins without end": (
        ("plan", "observables", 1, "bins"),
        {"edges": [list(range(4_000)), list(range(4_000))]},
        r"observables\[1\]\.bins\.edges: expected at most 10,000,000 bins",
    ),
    "slabs of one column": ((*OBSERVABLE, "bins"), {"slabs": {"x": [0.0], "y": [[0.0], [0.0]]}}, "expected no slabs"),
    "slabs": (("plan", "observables", 1, "bins", "slabs", "y"), [[0.0]], r"slabs\.y: expected an array of"),
    "cells": ((*TREE, "column"), 7, r"cells\.column: expected an integer from 0"),
    "at": ((*TREE, "at"), "nowhere", r"cells\.at: expected a finite number"),
    "no cell": (TREE, None, r"cells: expected a cut through the columns"),
    "a guard of nothing": (TREE, {"columns": [], "values": [], "inside": None}, r"cells\.columns: expected at least"),
    "a guard of one twice": (TREE, {"columns": [0, 0], "values": [1, 1], "inside": None}, r"cells\.columns: expected"),
    "values of a guard": (TREE, {"columns": [0], "values": [1, 2], "inside": None}, r"cells\.values: expected an arr"),
    "entries in cells": (
        ("plan", "observables", 5, "entries"),
        {"cells": {"column": 0, "at": 1.0, "below": None, "above": None}},
        r"observables\[5\]\.entries: expected edges",
    ),
    "axes": (("histograms", "x", "axes", 0, "edges", 0), -99.0, r"histograms\.x\.axes: expected the bins that"),
    "count": (("histograms", "x", "storage", "values", 0), -1, r"storage\.values\[0\]: expected an integer from 0"),
    "counts": (("histograms", "x", "storage", "values", 0), 59, r"histograms\.x: expected 60 events in all"),
    "counts of entries": (("histograms", "jet", "storage", "values", 0), 0.5, r"storage\.values: expected whole num"),
    "length": (("histograms", "x", "storage", "values"), [60], r"storage\.values: expected an array of"),
    "schema": (("histograms", "x", "uhi_schema"), 2, r"histograms\.x\.uhi_schema: expected an integer from 1 to 1"),
    "label": (("histograms", "x", "metadata", "label"), "y", r"histograms\.x\.metadata\.label: expected one of 'x'"),
    "storage": (("histograms", "x", "storage", "type"), "double", r"storage\.type: expected one of 'int'"),
    "name of a histogram": (("histograms", 'o"k'), {}, r"histograms: the fields.*unknown \['o\"k'\]"),
    "variance": (("histograms", "jet", "storage", "variances", 0), -1.0, r"storage\.variances\[0\]: expected a finite"),
    "no squares": (
        ("histograms", "jet", "storage", "variances", 0),
        0.0,
        r"beyond\.jet: expected squares as large as those of 60",
    ),
    "rest": (("beyond", "jet", "values", 0), 5.0, r"beyond\.jet: expected no more than what rounding"),
    "rest of squares": (("beyond", "jet", "variances", 0), 5.0, r"beyond\.jet: expected no more than what rounding"),
    "products": (("beyond", "jet", "products"), [1], r"beyond\.jet\.products: expected an array of"),
    "diagonal": (("beyond", "jet", "products", 0), 1e6, r"beyond\.jet\.products: expected the sums of squares"),
    "off the diagonal": (("beyond", "jet", "products", 1), 1e6, r"products: expected what the sums of squares allow"),
    "squares of events": (
        ("beyond", "jet", "events", "leading", 1),
        -1.0,
        r"events: expected a sum of squares as large as",
    ),
    "of counts": (("beyond", "x"), {}, r"beyond\.x: expected null, as these are counts"),
    "strata": (("strata", "events"), [30, 30], r"strata\.events: expected an array of 1"),
    "weights": (("strata", "weights", "leading"), [59.0], r"strata: expected weights that are the numbers of events"),
    "squares": (("strata", "squares", "leading"), [59.0], r"strata: expected weights that are the numbers of events"),
    "weights of nothing": (("strata", "weights", "rest"), [1.0], r"strata\.weights: expected no more than what round"),
    "large weights": (("strata", "weights", "leading"), [1e201], r"strata\.weights\.leading: expected sums of at most"),
    "rows": (("fingerprint", "rows"), 59, "fingerprint: expected ascending digests"),
    "digests": (("fingerprint", "digests"), "?", r"fingerprint\.digests: expected"),
    "more": (("extra",), 1, r"the document: the fields are not those expected: missing \[\], unknown \['extra'\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_fields(case: str, document: Document) -> None:
    """A field of the wrong type, range or number is refused, and the error names it."""
    path, value, reason = WRONG[case]
    with pytest.raises(InputError, match=reason):
        read(changed_at(document, path, "replace", value))


def test_wrong_fields_of_weighted_histograms(documents: list[Document]) -> None:
    """Histograms of one weighted entry per event have no covariance, and their weight is that of their stratum."""
    weighted = documents[1]
    first = ("histograms", "hole", "storage", "values", 0)
    cases: list[tuple[Place, Any, str]] = [
        (("beyond", "hole", "products"), [1.0], r"beyond\.hole\.products: expected null, as every event has one entry"),
        (("beyond", "hole", "events"), {}, r"beyond\.hole\.events: expected null, as every event has one entry"),
        (first, 1.05 * value_at(weighted, first), r"histograms\.hole: expected the weight of its stratum"),
        (first, 1e6, r"beyond\.hole: expected squares as large as those of 60 events"),
        (("strata", "weights", "leading", 0), 1e6, r"strata\.squares: expected squares as large as those of so many"),
        (("plan", "weight"), None, r"storage: the fields|weights that are the numbers"),
    ]
    for path, value, reason in cases:
        with pytest.raises(InputError, match=reason):
            read(changed_at(weighted, path, "replace", value))
    squares = changed_at(weighted, ("histograms", "hole", "storage", "variances", 0), "replace", 0.0)
    squares = changed_at(squares, ("beyond", "hole", "variances", 0), "replace", 0.0)
    with pytest.raises(InputError, match=r"beyond\.hole: expected squares as large as those of 60"):
        read(squares)
    squares = changed_at(weighted, ("strata", "squares", "leading", 0), "replace", 1e-3)
    squares = changed_at(squares, ("strata", "squares", "rest", 0), "replace", 0.0)
    with pytest.raises(InputError, match=r"strata\.squares: expected squares as large as those of so many"):
        read(squares)


def test_wrong_clusters(documents: list[Document]) -> None:
    """Clusters are those of the events that are there, where there are any."""
    clustered = documents[3]
    x = ("beyond", "x", "clusters")
    cases: list[tuple[Document, Place, Any, str]] = [
        (clustered, (*x, "sizes", "leading", 0), 61.0, r"clusters\.sizes: expected the weight in the bins"),
        (
            clustered,
            (*x, "sizes", "leading", 1),
            130.0,
            r"clusters\.products: expected those of clusters of such sizes",
        ),
        (clustered, (*x, "sizes", "leading", 1), 50.0, r"clusters\.sizes: expected those of at most 60 clusters"),
        (clustered, (*x, "products", 1), 1e3, r"clusters\.products: expected"),
        (clustered, x, None, r"clusters: expected"),
        (clustered, ("plan", "cluster"), None, r"expected null, as"),
        (documents[1], ("beyond", "hole", "clusters"), {}, r"clusters: expected null, as events are in no clusters"),
    ]
    for document, path, value, reason in cases:
        with pytest.raises(InputError, match=reason):
            read(changed_at(document, path, "replace", value))


def test_documents_that_know_of_no_clusters(documents: list[Document]) -> None:
    """Histograms that were written before there were clusters are those of independent events."""
    for document in documents[:3]:
        old = copy.deepcopy(document)
        del old["plan"]["cluster"]
        for beyond_ in filter(None, old["beyond"].values()):
            del beyond_["clusters"]
        assert read(old) == read(document)
    clustered = copy.deepcopy(documents[3])
    del clustered["beyond"]["x"]["clusters"]
    with pytest.raises(InputError, match=r"missing \['clusters'\]"):
        read(clustered)


def test_weights_of_unweighted_events(document: Document) -> None:
    """Events without weights weigh as much as they are."""
    with pytest.raises(InputError, match="strata: expected weights that are the numbers of events"):
        read(changed_at(document, ("strata", "weights", "leading", 0), "replace", 60.0 * (1 + 1e-12)))


def test_origins_are_in_order(events: Make) -> None:
    """Origins are in order, each once, so that equal histograms are equal texts."""
    like = gv.fill({"x": events(1, 50)["x"]}, bins=[0.0])
    whole = json.loads((like + gv.fill({"x": events(2, 50)["x"]}, like=like)).to_json())
    for origins in (whole["origins"][::-1], [whole["origins"][0]] * 2):
        with pytest.raises(InputError, match="origins: expected origins in order, each once"):
            read({**whole, "origins": origins})


@pytest.mark.parametrize(
    "name", ["kind", "version", "origins", "plan", "strata", "histograms", "beyond", "fingerprint"]
)
def test_missing_fields(name: str, document: Document) -> None:
    """A document without one of its members is refused, and the error names it."""
    with pytest.raises(InputError, match=name):
        read({key: value for key, value in document.items() if key != name})


def test_what_is_no_document() -> None:
    """JSON of another kind is refused."""
    for text in ("[]", "3", "null", "{}", '{"kind": "histograms"}'):
        with pytest.raises(InputError, match=r"expected (an object|a document of kind|version 2)"):
            Histograms.from_json(text)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"version": 2', '"version": 2, "version": 2', "two members named 'version'"),
        ('"chance": ', '"chance": NaN, "c": ', "NaN, which is no number"),
        ('"chance": ', '"chance": -Infinity, "c": ', "-Infinity, which is no number"),
        ('"chance": ', '"chance": 1e999, "c": ', "1e999 is too large"),
        ('"version": 2', f'"version": {"1" * 6000}', "not a JSON text"),
        ('"version": 2', f'"version": {"1" * 400}', "expected version 2"),
        ('"version": 2', f'"version": {"[" * 100_000}', "not a JSON text"),
        ('"version": 2', '"version": \udc00', "not a JSON text"),
    ],
)
def test_hostile_texts(old: str, new: str, reason: str, document: Document) -> None:
    """Double names, NaN, numbers without end and deep nesting are refused with an error of one kind."""
    text = json.dumps(document)
    assert old in text
    with pytest.raises(InputError, match=reason):
        Histograms.from_json(text.replace(old, new, 1).encode("utf-8", errors="surrogatepass"))


def test_a_deep_tree_is_refused(document: Document) -> None:
    """A tree so deep that it could not be descended is refused."""
    branch: Any = None
    for _ in range(400):
        branch = {"column": 0, "at": 0.0, "below": branch, "above": None}
    with pytest.raises(InputError):
        read(changed_at(document, TREE, "replace", branch))


def test_texts_cut_short(document: Document) -> None:
    """A text cut short anywhere is refused."""
    text = json.dumps(document)
    for stop in sorted({0, 1, 2, *range(3, len(text), len(text) // 47), len(text) - 1}):
        with pytest.raises(InputError, match="not a JSON text"):
            Histograms.from_json(text[:stop])


# Any leaf beyond its range, and anything else anywhere.


def leaves(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value in a document that holds no others; of arrays of numbers the first and the last."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*at, key))
    elif isinstance(value, list) and value:
        for key in sorted({0, len(value) - 1}):
            yield from leaves(value[key], (*at, key))
    else:
        yield at, value


def beyond(leaf: Any) -> list[Any]:
    """Values of the type of a leaf that no leaf of that type may have, or ones of another type."""
    if leaf is None or isinstance(leaf, bool | list):
        return [7, "x"]
    return [7, None] if isinstance(leaf, str) else [-(2**70), 2.0**1000, "1"]


@pytest.mark.parametrize("number", range(4))
def test_every_leaf_beyond_its_range(documents: list[Document], number: int) -> None:
    """No leaf of a document may be beyond its range, or of another type, but for edges, which may be anywhere."""
    for place, leaf in leaves(documents[number]):
        anywhere = isinstance(leaf, float) and (place[0] == "plan" or bool({"low", "high", "common"} & set(place)))
        anywhere |= place[0] == "repeated" and place[2] == "values"
        for scrap in beyond(leaf):
            try:
                Histograms.from_node(Node(changed_at(documents[number], place, "replace", scrap)))
            except InputError:
                continue
            assert anywhere, (place, scrap)
            assert type(scrap) in {int, float}, (place, scrap)


SCRAPS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53, 2**64, -(2**70), 0.5, 1e308, -1e-308, 5e-324, "", "inf", "x", "\x00", [], {}, [[]], [1.0]]),
)


def places(value: Any, at: Place = ()) -> list[Place]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


def changed_at(value: Any, place: Place, what: str, scrap: Any) -> Any:
    """A document with one place replaced, deleted, or with something put beside it."""
    if not place:
        return scrap
    copied = copy.copy(value)
    key = place[0]
    if len(place) > 1:
        copied[key] = changed_at(value[key], place[1:], what, scrap)
    elif what == "delete":
        del copied[key]
    elif what == "insert" and isinstance(copied, list):
        copied.insert(key, scrap)
    else:
        copied["more" if what == "insert" else key] = scrap
    return copied


@settings(max_examples=100)
@given(data=st.data())
def test_any_change_is_noticed_or_harmless(documents: list[Document], data: st.DataObject) -> None:
    """A document changed anywhere is refused with an error that says why, or is read and written as it is."""
    changed: Any = data.draw(st.sampled_from(documents))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(changed)))
        what = data.draw(st.sampled_from(["replace", "delete", "insert"]))
        changed = changed_at(changed, place, what, data.draw(SCRAPS))
    with contextlib.suppress(InputError):
        restored = read(changed)
        assert Histograms.from_json(restored.to_json()) == restored


@settings(max_examples=60)
@given(text=st.one_of(st.text(), st.binary()))
def test_no_text_breaks_the_reader(text: str | bytes) -> None:
    """Whatever is read, the error is of one kind."""
    with pytest.raises(InputError):
        Histograms.from_json(text)


def without(document: Document, *places: Place) -> Document:
    """A document without some members, wherever there are any."""
    text = json.loads(json.dumps(document))
    for place in places:
        holder = value_at(text, place[:-1])
        holder.pop(place[-1], None)
    return dict(text)


@pytest.mark.parametrize("number", range(3))
def test_documents_of_before_are_read(documents: list[Document], number: int) -> None:
    """Documents of this version without shares of cells, sums of origins or repeated values are read all the same."""
    document = documents[number]
    places: list[Place] = [("repeated",), ("plan", "bins_share"), ("origins", 0, "sums")]
    if document["plan"]["condition"] is not None:
        places.append(("plan", "condition", "values"))
    for i, observable in enumerate(document["plan"]["observables"]):
        for bins in ("bins", "entries"):
            if observable[bins] is not None:
                places += [("plan", "observables", i, bins, name) for name in ("shares", "tails", "open")]
    before = read(without(document, *places))
    now = read(document)
    assert before.plan == now.plan
    assert before.chosen == now.chosen == 1
    assert all(histogram.bins.nominal is None for histogram in before.plan.histograms)
    assert all(histogram.bins.nominal is not None for histogram in now.plan.histograms)
    assert {name: filled.sumw.value.tolist() for name, filled in before.contents.items()} == {
        name: filled.sumw.value.tolist() for name, filled in now.contents.items()
    }
    assert read(json.loads(before.to_json())).plan == before.plan


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("shares", [0.5], "an array of"),
        ("tails", [0], "an array of 2"),
        ("tails", [-1, 0], "an integer from 0"),
        ("open", [99], "an integer from 0"),
        ("other", 1, "unknown"),
    ],
)
def test_impossible_shares_are_refused(document: Document, name: str, value: Any, match: str) -> None:
    """What bins were cut to hold is of them, or the document is refused."""
    with pytest.raises(InputError, match=match):
        read(changed_at(document, ("plan", "observables", 0, "bins", name), "replace", value))
    with pytest.raises(InputError, match="missing"):
        read(without(document, ("plan", "observables", 0, "bins", "tails")))

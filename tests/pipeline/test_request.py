"""What is asked is read once, with all defaults, and what makes no sense is refused at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.pipeline.request import DEFAULT_BINS, Request, Side, open_training, weight_pair, with_clusters
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.samples.sources import Source

Make = Callable[..., dict[str, Any]]


def test_defaults() -> None:
    """Nothing is stated by default, or by saying what is the default."""
    assert Request() == Request.parsed()
    assert Request().stated == ()
    usual = Request.parsed(observables=None, by=None, bins=50, nonfinite="error", seed=0, memory=2**29, client=None)
    assert usual.stated == ()
    assert (usual.bins_of("x"), usual.nonfinite_of("x")) == (DEFAULT_BINS, "error")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("observables", ["x"]),
        ("observables", []),
        ("by", "e"),
        ("bins", 49),
        ("bins", [0.0]),
        ("bins", np.array([0.0, 50.0])),
        ("bins", {"x": 50}),
        ("nonfinite", "overflow"),
        ("nonfinite", {"x": "error"}),
        ("seed", 1),
        ("memory", 2**28),
        ("client", object()),
        ("cluster", "id"),
        ("cluster", (None, "id")),
        ("cluster_of", "entries"),
    ],
)
def test_what_is_stated(name: str, value: object) -> None:
    """Whatever is not the default is stated, arrays too."""
    assert Request.parsed(**{name: value}).stated == (name,)


@pytest.mark.parametrize(
    ("keywords", "error", "match"),
    [
        ({"seed": -1}, InputError, "seed=-1"),
        ({"seed": 0.5}, InputTypeError, "seed is a float|seed=0.5"),
        ({"memory": 2**20 - 1}, InputError, r"memory=1048575 is too little; expected bytes, at least 1,048,576"),
        ({"memory": 0}, InputError, "memory=0"),
        ({"memory": "1 GB"}, InputTypeError, "memory"),
        ({"nonfinite": "away"}, InputError, r"nonfinite='away' is unknown; expected one of error, "),
        ({"nonfinite": {"x": "error", "y": "away"}}, InputError, "nonfinite='away' is unknown"),
        ({"by": 5}, InputTypeError, "by=5 is a int"),
        ({"cluster": ""}, InputTypeError, "cluster='' is a str; expected the name of a column, or a pair of names"),
        ({"cluster": ("a", "b", "c")}, InputTypeError, "expected the name of a column, or a pair of names"),
        ({"cluster_of": "jets"}, InputError, r"cluster_of='jets' is unknown; expected one of repeats, entries"),
    ],
)
def test_what_is_refused(keywords: dict[str, Any], error: type[Exception], match: str) -> None:
    """Numbers out of range and unknown places are refused before any event is read."""
    with pytest.raises(error, match=match):
        Request.parsed(**keywords)
    with pytest.raises(error, match=match):
        gv.validate({"x": np.arange(9.0)}, {"x": np.arange(9.0)}, n_required=5, **keywords)
    assert Request(memory=2**20).memory == 2**20


def test_columns_of_clusters() -> None:
    """One name is that of whichever side has it, a pair names either side's, and one that is nowhere is refused."""
    sides = [
        Side.opened({"x": np.arange(3), name: np.arange(3)}, side)
        for side, name in (("generated", "a"), ("reference", "b"))
    ]

    def names(cluster: Any) -> list[str | None]:
        return [side.cluster for side in with_clusters(sides, cluster)]

    assert names(None) == [None, None]
    assert names("a") == ["a", None]
    assert names("b") == [None, "b"]
    assert names("x") == ["x", "x"]
    assert names(("a", "b")) == ["a", "b"]
    assert [side.cluster for side in with_clusters(sides[1:], ("z", "b"))] == ["b"]
    assert Request(cluster=(None, None)).cluster is None
    for cluster, who in (("c", "generated"), (("a", "c"), "reference"), ("", "generated")):
        with pytest.raises(InputError, match=rf"^{who}: there is no cluster column"):
            names(cluster)
    sample = with_clusters(sides, "a")[0].sample({"x": np.arange(2.0), "a": np.array([4, 4])})
    assert (list(sample.columns), sample.cluster.tolist()) == (["x"], [4, 4])  # type: ignore[union-attr]


def test_settings_of_some_observables() -> None:
    """A mapping sets what it names, leaves the defaults to the others, and may name nothing else."""
    request = Request(bins={"x": 7}, nonfinite={"y": "overflow"})
    assert [request.bins_of(name) for name in "xy"] == [7, DEFAULT_BINS]
    assert [request.nonfinite_of(name) for name in "xy"] == ["error", "overflow"]
    request.check_names(["x", "y", "z"])
    with pytest.raises(InputError, match=r"bins= names \['x'\], which are no observables here; there are \['y'"):
        request.check_names(["y", "z"])
    with pytest.raises(InputError, match=r"nonfinite= names \['y'\], which are no observables"):
        request.check_names(["x"])
    Request(bins=[0.0], nonfinite="overflow").check_names([])


def test_weights_of_either_side() -> None:
    """One name serves both samples; a pair says what is the weight of either."""
    array = np.ones(3)
    assert weight_pair(None) == (None, None)
    assert weight_pair("w") == ("w", "w")
    assert weight_pair(("w", None)) == ("w", None)
    assert weight_pair([None, array])[1] is array
    for wrong in (array, ("w",), ("a", "b", "c"), 3):
        with pytest.raises(InputTypeError, match="expected a column name or a pair"):
            weight_pair(wrong)


def test_weights_of_a_side(events: Make, streamed: Callable[..., Source]) -> None:
    """The weight of a side is a column, an array of a table, those that a sample has, or none."""
    table = {name: events(1, 30)[name] for name in ("x", "w")}
    own = Sample({"x": table["x"]}, table["w"])
    assert Side.opened(table, "generated").weight is None
    assert Side.opened(table, "generated", "w").weight == "w"
    assert Side.opened(streamed(table), "generated", "w").weight == "w"
    assert Side.opened({"x": table["x"]}, "generated", table["w"]).weight == ""
    assert Side.opened(own, "generated").weight == ""
    assert Side.opened(own, "generated", weight=False).weight is None
    with pytest.raises(InputTypeError, match="generated: weight is a ndarray; of events that are not in memory"):
        Side.opened(streamed(table), "generated", table["w"])


@pytest.mark.parametrize("kind", ["arrays", "parts", "sample"])
def test_a_column_of_weights_that_is_not_there(events: Make, streamed: Callable[..., Source], kind: str) -> None:
    """The one message says what there is, and of a pair of samples how one of them is left unweighted."""
    table = {name: events(1, 30)[name] for name in ("x", "y")}
    given: Any = {"arrays": table, "parts": streamed(table), "sample": Sample(table, np.ones(30))}[kind]
    message = "generated: there is no weight column 'w'; there are ['x', 'y']"
    with pytest.raises(InputError) as caught:
        Side.opened(given, "generated", "w")
    assert str(caught.value).startswith(f"{message}; if only the other sample is weighted, weight=(")
    with pytest.raises(InputError) as caught:
        Side.opened(given, "generated", "w", pair=False)
    assert str(caught.value) == message
    with pytest.raises(InputError, match="there is no weight column ''"):
        Side.opened(given, "generated", "")
    refused = Source(("x",), [], refused={"w": "is text"})
    with pytest.raises(InputError, match=r"^generated: the weight column 'w' is text$"):
        Side.opened(refused, "generated", "w")
    fine = {**table, "w": np.ones(30)}
    for sides in ((given, fine), (fine, given)):
        with pytest.raises(InputError, match="there is no weight column 'w'; there are"):
            gv.validate(*sides, n_required=10, weight="w")


def test_training(events: Make) -> None:
    """Training events are opened without weights, a fingerprint stays what it is, and without any there is none."""
    table = {name: events(1, 30)[name] for name in ("x", "w")}
    assert open_training(None) is None
    fingerprint = gv.fingerprint(table)
    assert open_training(fingerprint) is fingerprint
    side = open_training(Sample({"x": table["x"]}, table["w"]))
    assert isinstance(side, Side)
    assert (side.name, side.weight, side.source.rows) == ("training", None, 30)

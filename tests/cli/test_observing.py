"""The words for observables, bins and places."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from pytest_ganvalid.cli.observing import add_options, keywords, observables
from pytest_ganvalid.observables import Selection


def said(words: list[str]) -> dict[str, Any]:
    """What the options of a command line mean."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return keywords(parser.parse_args(words))


def test_observables_are_read_as_they_are_named() -> None:
    """The words for observables are those that reports use for them."""
    assert observables("leading(a),b : c, sum(d) where e") == ["leading(a)", "b : c", "sum(d) where e"]
    given = observables("a,leading(b),a:b,a:b:c,a:b where k")
    arguments: Any = type("Arguments", (), {"observables": given, "bins": [], "nonfinite": [], "by": None})()
    said = keywords(arguments)["observables"]
    assert said[:4] == ["a", "leading(b)", ("a:b", ("a", "b")), ("a:b:c", ("a", "b", "c"))]
    assert said[4] == Selection(("a", "b"), "k", name="a:b where k")


@pytest.mark.parametrize("place", ["error", "underflow", "overflow", "separate"])
def test_every_place(place: str) -> None:
    """Each place for NaN and infinite values can be named, for one observable or for all."""
    assert said(["--nonfinite", place]) == {"nonfinite": place}
    assert said(["--observables", "x,y", "--nonfinite", f"x={place}"])["nonfinite"] == {"x": place, "y": "error"}


@pytest.mark.parametrize(
    ("words", "bins"),
    [
        (["--bins", "7"], 7),
        (["--bins", "1e2"], 100),
        (["--bins", "0,1/2,1"], [0, 0.5, 1]),
        (["--bins", "0,"], [0]),
        (["--bins=-1,0"], [-1, 0]),
        (["--observables", "x,y", "--bins", "x=7"], {"x": 7, "y": 50}),
        (["--observables", "x,y", "--bins", "x=7", "--bins", "9"], {"x": 7, "y": 9}),
        (["--bins", "x=7", "--bins", " y = 0,1"], {"x": 7, "y": [0, 1]}),
    ],
)
def test_bins(words: list[str], bins: object) -> None:
    """Bins are a number or edges, of all observables or of those named, and 50 for the others."""
    assert said(words)["bins"] == bins


@pytest.mark.parametrize(
    ("text", "by"), [("k", "k"), ("k=3", ("k", 3)), (" k =0,1", ("k", [0, 1])), ("a=b=2", ("a=b", 2))]
)
def test_by(text: str, by: object) -> None:
    """Strata are those of a column, in bins of its own or in those named."""
    assert said(["--by", text]) == {"by": by}


def test_nothing_said() -> None:
    """Only what was said is passed on."""
    assert said([]) == {}


@pytest.mark.parametrize("text", ["x where a where b", "x:", ":x", "x,,y", ""])
def test_what_names_nothing(text: str) -> None:
    """An observable without a name, or a condition without one, is refused."""
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text!r} names nothing; expected columns separated"):
        observables(text)

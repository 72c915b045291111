"""Histograms of other programs are matched by name, and nothing is made up of events that are not known."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums
from pytest_ganvalid.pipeline.foreign import (
    UNKNOWN,
    Foreign,
    converted,
    effective_events,
    filled_already,
    histogram_from,
    matched,
    not_compared,
)
from pytest_ganvalid.pipeline.histogram_pairs import NOT_LOOKED_FOR

Make = Callable[..., dict[str, Any]]


needs_boost_histogram = pytest.mark.skipif(
    importlib.util.find_spec("boost_histogram") is None, reason="UHI in JSON is read by boost_histogram"
)


def sums(*counts: float) -> BinSums:
    """A histogram."""
    return as_bin_sums(gv.Counts(counts), "generated")


def uhi(*counts: int) -> dict[str, Any]:
    """A histogram by the schema of UHI."""
    axis = {"type": "regular", "lower": 0.0, "upper": 1.0, "bins": len(counts), "underflow": False, "overflow": False}
    return {
        "uhi_schema": 1,
        "axes": [{**axis, "circular": False}],
        "storage": {"type": "int", "values": list(counts)},
    }


def write(path: Path, value: Any) -> str:
    """Write JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def test_histograms_are_matched_by_name() -> None:
    """Histograms of one name are compared; one on either side needs none; one that only one side has is an error."""
    a, b = sums(1, 2), sums(3, 4)
    matches = matched(Foreign({"x": a, "y": b}, "gen"), Foreign({"y": a, "x": b}, "ref"))
    assert matches == {"y": ("y", "y"), "x": ("x", "x")}
    for names, name in ((("a", "b"), "b"), (("a", ""), "a"), (("", ""), "histogram")):
        assert matched(Foreign({names[0]: a}, ""), Foreign({names[1]: b}, "")) == {name: names}
    with pytest.raises(InputError, match=r"only generated has the histograms \['x'\], and only reference \['z'\]"):
        matched(Foreign({"x": a, "y": b}, ""), Foreign({"z": a, "y": b}, ""))
    with pytest.raises(InputError, match=r"only generated has the histograms \[\], and only reference \['y'\]"):
        matched(Foreign({"x": a}, ""), Foreign({"x": a, "y": b}, ""))
    assert matched(Foreign({"x": a, "y": b}, ""), Foreign({"z": a, "y": b}, ""), ["y"]) == {"y": ("y", "y")}
    with pytest.raises(InputError, match=r"only generated has the histograms \['x'\], and only reference \[\]"):
        matched(Foreign({"x": a, "y": b}, ""), Foreign({"z": a, "y": b}, ""), ["x", "y"])


def test_histograms_without_events() -> None:
    """Where all are compared, a histogram empty on both sides is left out; any other empty one is an error."""
    full, empty = sums(3, 4), BinSums(np.zeros(2), np.zeros(2), sums(1, 1).bins)
    assert converted(empty, empty, "x", ("a", "b"), requested=False) is None
    assert converted(full, full, "x", ("a", "b"), requested=False) == (full, full)
    with pytest.raises(
        InputError, match=r"^reference: b: the histogram has no events, .*compare without 'x': observable"
    ):
        converted(full, empty, "x", ("a", "b"), requested=False)
    for sides in ((empty, empty), (empty, full)):
        with pytest.raises(InputError, match=r"^generated: a: the histogram has no events; check what filled it, .*$"):
            converted(*sides, "x", ("a", "b"), requested=True)


def test_what_is_not_compared_is_named() -> None:
    """Objects that are no histograms are left out, with their class, on one side or both."""
    skipped = not_compared({"p": "TProfile", "q": "TH3D", "r": "TGraph"}, {"q": "TH3D", "r": "TH3D", "s": "TTree"})
    assert skipped == {
        "p": "is a TProfile in generated, which is not compared",
        "q": "is a TH3D, which is not compared",
        "r": "is a TGraph in generated and a TH3D in reference, which is not compared",
        "s": "is a TTree in reference, which is not compared",
    }


def test_the_number_of_events_is_effective() -> None:
    """Of histograms alone the number of events is the largest effective one."""
    assert effective_events([sums(3, 4), sums(10, 20)]) == 30
    weighted = as_bin_sums(gv.Counts(np.array([2.0, 2.0]), np.array([4.0, 4.0])), "reference")
    assert effective_events([weighted]) == 2


def test_what_is_filled_and_what_is_not(events: Make, tmp_path: Path) -> None:
    """Histograms, and names of JSON files, are filled already; anything else is events."""
    one, other = (gv.fill({"x": events(seed, 100)["x"]}, bins=[0.0]) for seed in (1, 2))
    assert filled_already(one, "generated") is one
    names = [
        write(tmp_path / f"{name}.json", json.loads(some.to_json()))
        for name, some in zip("ab", (one, other), strict=True)
    ]
    assert filled_already(names[0], "generated") == one
    assert filled_already(Path(names[0]), "generated") == one
    assert filled_already(str(tmp_path / "*.json"), "generated") == one + other
    assert filled_already(names, "generated") == filled_already(tuple(names[::-1]), "generated") == one + other
    for value in ({"x": np.ones(3)}, "events.npz", ["a.npz", "b.json"], [], None, np.ones(3)):
        assert filled_already(value, "generated") is None
    with pytest.raises(InputTypeError, match=r"^generated: these are several histograms; add them up first"):
        filled_already([one, other], "generated")
    with pytest.raises(InputError, match=r"^generated: .*a\.json: named twice"):
        filled_already([names[0], names[0]], "generated")
    with pytest.raises(InputError, match=r"^reference: .*none\.json: No such file"):
        filled_already(tmp_path / "none.json", "reference")
    with pytest.raises(InputError, match=r"^reference: x\.yoda: .*yoda2root"):
        filled_already("x.yoda", "reference")


@pytest.mark.parametrize("value", [{"a": 1}, {"kind": "report"}, [], 3])
def test_json_that_is_no_histogram(tmp_path: Path, value: Any) -> None:
    """JSON that is neither of ours nor by the schema is refused, with its place."""
    name = write(tmp_path / "other.json", value)
    with pytest.raises(InputError, match=r"^generated: .*other\.json: .*expected (histograms that|an object)"):
        filled_already(name, "generated")


@needs_boost_histogram
def test_histograms_by_the_schema(tmp_path: Path) -> None:
    """One histogram or several by the schema of UHI are compared, and what cannot be seen of events is noted."""
    names = [
        write(tmp_path / f"{side}.json", {"a": uhi(*a), "b": uhi(*b)})
        for side, a, b in (("gen", (400, 600), (500, 500)), ("ref", (410, 590), (480, 520)))
    ]
    report = gv.validate(*names, n_required=50)
    assert list(report.comparisons) == ["a", "b"]
    assert report.notes == (NOT_LOOKED_FOR, UNKNOWN)
    assert (report.provenance["generated_events"], report.provenance["reference_events"]) == (1_000, 1_000)
    assert report.provenance["generated"] == {"source": "gen.json"}
    expected = gv.compare(gv.Counts([400, 600]), gv.Counts([410, 590]), n_required=50, name="a")
    assert report.histograms["a"].chi2 == expected.chi2
    assert list(gv.validate(*names, n_required=50, observables="b").comparisons) == ["b"]
    with pytest.raises(InputError, match="there is no histogram 'c'"):
        gv.validate(*names, n_required=50, observables=["c"])
    with pytest.raises(InputError, match="training= takes events"):
        gv.validate(*names, n_required=50, training={"x": np.arange(9.0)})
    with pytest.raises(
        InputError, match=r"reference is histograms of another program|generated is .*the other side ev"
    ):
        gv.validate({"a": np.arange(9.0)}, names[1], n_required=50)
    with pytest.raises(InputError, match=r"bins, nonfinite, seed can only be chosen when histograms are filled"):
        gv.validate(*names, n_required=50, bins=4, seed=3, nonfinite="overflow")
    other = write(tmp_path / "other.json", {"a": uhi(1, 2, 3), "b": uhi(1, 2)})
    with pytest.raises(InputError, match=r"^observable 'a': "):
        gv.validate(other, names[1], n_required=50)


@needs_boost_histogram
def test_our_histograms_with_those_of_others(events: Make, tmp_path: Path) -> None:
    """Ours are compared with those of others without what is known of their events, but not in strata."""
    reference = gv.fill({"x": events(1, 900)["x"]}, bins=[0.0])
    contents = reference.contents["x"].sums().sumw
    name = write(tmp_path / "gen.json", uhi(*(int(count) for count in contents)))
    with pytest.raises(InputError, match="different bin edges"):  # ours have underflow and overflow, those have none
        gv.validate(name, reference, n_required=20)
    foreign = Foreign.of(reference)
    assert Foreign.of(foreign) is foreign
    assert foreign.source == "memory"
    np.testing.assert_array_equal(foreign.sums["x"].sumw, contents)
    divided = gv.fill({"x": events(1, 900)["x"], "e": events(1, 900)["e"]}, observables=["x"], bins=[0.0], by="e")
    with pytest.raises(InputError, match="memory: filled in bins of 'e', which histograms of other programs are not"):
        gv.validate(name, divided, n_required=20)


def test_histograms_of_root(tmp_path: Path, events: Make) -> None:
    """A ROOT file of histograms is filled already; trees, several files and files of other kinds are events."""
    uproot: Any = pytest.importorskip("uproot")
    name = str(tmp_path / "a.root")
    with uproot.recreate(name) as file:
        file["h"] = np.histogram(events(1, 90)["x"], bins=4)
    foreign = filled_already(name, "generated")
    assert isinstance(foreign, Foreign)
    assert foreign.source == "a.root"
    assert list(foreign.sums) == ["h"]
    assert isinstance(filled_already(Path(f"{name}:h"), "generated"), Foreign)
    with uproot.recreate(tmp_path / "b.root") as file:
        file["t"] = {"x": events(1, 90)["x"]}
    assert filled_already(str(tmp_path / "b.root"), "generated") is None
    assert filled_already(str(tmp_path / "?.root"), "generated") is None
    with pytest.raises(InputError, match=r"^generated: .*c\.root: there is no such file"):
        filled_already(tmp_path / "c.root", "generated")


@needs_boost_histogram
def test_the_only_histogram_of_a_file(tmp_path: Path, events: Make) -> None:
    """A name is read for ``compare``, which takes one histogram; anything else is handed on as it is."""
    counts = np.array([1, 2])
    assert histogram_from(counts, "generated") is counts
    one = write(tmp_path / "one.json", uhi(5, 7))
    sums_of_one = histogram_from(Path(one), "generated")
    assert isinstance(sums_of_one, BinSums)
    np.testing.assert_array_equal(sums_of_one.sumw, [5, 7])
    two = write(tmp_path / "two.json", {"a": uhi(5, 7), "b": uhi(5, 7)})
    with pytest.raises(InputError, match=r"^generated: .*two\.json: .*\['a', 'b'\]"):
        histogram_from(two, "generated")
    np.savez(tmp_path / "events.npz", x=events(1, 9)["x"])
    with pytest.raises(InputError, match=r"^reference: .*events\.npz: these are events; compare them with validate"):
        histogram_from(str(tmp_path / "events.npz"), "reference")

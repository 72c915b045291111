"""Histograms in files of other programs: ROOT, and JSON by the schema of UHI."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.observables import Selection

hist: Any = pytest.importorskip("hist")
uproot: Any = pytest.importorskip("uproot")
serialization: Any = pytest.importorskip("boost_histogram.serialization")


def filled(seed: int, *, weighted: bool = False, bins: int = 10) -> dict[str, Any]:
    """A histogram in one column, and one in two."""
    rng = np.random.default_rng(seed)
    x, y, w = rng.normal(size=3000), rng.normal(size=3000), rng.uniform(0.5, 1.5, size=3000)
    storage = hist.storage.Weight() if weighted else hist.storage.Double()
    mass = hist.Hist(hist.axis.Regular(bins, -2, 2, name="mass"), storage=storage)
    both = hist.Hist(hist.axis.Regular(4, -2, 2), hist.axis.Variable([-1, 0, 2]), storage=storage)
    weight = {"weight": w} if weighted else {}
    return {"h_mass": mass.fill(x, **weight), "h_both": both.fill(x, y, **weight)}


def write_root(path: Path, histograms: dict[str, Any], folder: str = "") -> Path:
    """Write histograms to a ROOT file."""
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[folder + name] = histogram
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write histograms as JSON by the schema of UHI."""
    uhi: Any = pytest.importorskip("uhi.io.json")
    path.write_text(json.dumps(value, default=uhi.default), encoding="utf-8")
    return path


@pytest.mark.parametrize("weighted", [False, True])
def test_one_histogram_of_a_root_file(tmp_path: Path, weighted: bool) -> None:  # noqa: FBT001
    """A TH1 or TH2 named in a file is compared like the histogram that was written."""
    ours, theirs = (filled(seed, weighted=weighted) for seed in (1, 2))
    a, b = write_root(tmp_path / "a.root", ours), write_root(tmp_path / "b.root", theirs)
    for name in ours:
        found = gv.compare(f"{a}:{name}", f"{b}:{name}", n_required=100)
        expected = gv.compare(ours[name], theirs[name], n_required=100)
        assert found.chi2 == pytest.approx(expected.chi2, rel=1e-12)
        assert found.bins == expected.bins
        assert found.verdict is expected.verdict
        report = gv.validate(f"{a}:{name}", f"{b}:{name}", n_required=100)
        assert list(report.comparisons) == [name]
        assert report.comparisons[name].verdict is found.verdict


@pytest.mark.parametrize("folder", ["", "plots/"])
def test_all_histograms_of_a_root_file(tmp_path: Path, folder: str) -> None:
    """Histograms of files, or of folders in them, are matched by name, and the report says what cannot be known."""
    a = write_root(tmp_path / "a.root", filled(1), folder)
    b = write_root(tmp_path / "b.root", filled(2), folder)
    inside = ":plots" if folder else ""
    report = gv.validate(f"{a}{inside}", f"{b}{inside}", n_required=100)
    assert sorted(report.comparisons) == ["h_both", "h_mass"]
    assert report.robust
    assert "cannot be seen" in report.provenance["independence"]["notes"][0]
    assert report.provenance["generated_events"] == 3000
    assert list(gv.validate(str(a), str(b), n_required=100, observables=[f"{folder}h_mass"]).comparisons) == [
        f"{folder}h_mass"
    ]


def test_json_of_others(tmp_path: Path) -> None:
    """JSON by the schema of UHI is one histogram, or several by name."""
    ours, theirs = (filled(seed, weighted=True) for seed in (1, 2))
    both = [write_json(tmp_path / f"{n}.json", {**side}) for n, side in (("a", ours), ("b", theirs))]
    one = [write_json(tmp_path / f"{n}1.json", side["h_mass"]) for n, side in (("a", ours), ("b", theirs))]
    report = gv.validate(*both, n_required=100)
    for name in ours:
        found, expected = report.comparisons[name], gv.compare(ours[name], theirs[name], n_required=100)
        assert isinstance(found, gv.Comparison)
        assert (found.chi2, found.bins, found.verdict) == (expected.chi2, expected.bins, expected.verdict)
    expected = gv.compare(ours["h_mass"], theirs["h_mass"], n_required=100)
    assert gv.compare(*one, n_required=100) == expected
    assert list(gv.validate(*one, n_required=100).comparisons) == ["histogram"]
    root = write_root(tmp_path / "a.root", ours)
    assert gv.validate(root, both[1], n_required=100).verdict is report.verdict


def test_histograms_of_partial_files_are_read_by_others_and_here(tmp_path: Path) -> None:
    """What stands in a partial histogram for other programs can be given back as theirs."""
    events = [{"x": np.random.default_rng(seed).normal(size=2000)} for seed in (1, 2)]
    reference = gv.fill(events[1], bins=[-1.0, 0.0, 1.0])
    generated = gv.fill(events[0], like=reference)
    named = [json.loads(side.to_json())["histograms"] for side in (generated, reference)]
    paths = [write_json(tmp_path / f"{i}.json", one) for i, one in enumerate(named)]
    expected = gv.validate(generated, reference, n_required=100)
    assert gv.validate(*paths, n_required=100).comparisons == expected.comparisons
    mixed = gv.validate(paths[0], reference, n_required=100)
    assert mixed.comparisons == expected.comparisons
    assert mixed.provenance["independence"]["notes"]


def test_sets_that_differ_are_refused(tmp_path: Path) -> None:
    """A histogram that only one side has is an error, and not left out."""
    whole = filled(1)
    a = write_root(tmp_path / "a.root", whole)
    b = write_root(tmp_path / "b.root", {**filled(2), "more": whole["h_mass"]})
    with pytest.raises(gv.InputError, match=r"only generated has the histograms \[\], and only reference \['more'\]"):
        gv.validate(a, b, n_required=100)
    with pytest.raises(gv.InputError, match="there are 3 histograms"):
        gv.compare(a.with_name("b.root"), b, n_required=100)
    with pytest.raises(gv.InputError, match="observable 'h_mass': the histograms have different bins"):
        gv.validate(write_root(tmp_path / "c.root", filled(3, bins=11)), a, n_required=100)


def test_trees_are_events(tmp_path: Path) -> None:
    """A file with a tree holds events, whatever histograms are beside it; those cannot be compared with histograms."""
    rng = np.random.default_rng(0)
    for name in ("a.root", "b.root"):
        with uproot.recreate(tmp_path / name) as file:
            file.mktree("tree", {"x": np.float64}).extend({"x": rng.normal(size=2000)})
            file["h_mass"] = filled(1)["h_mass"]
    a, b = (str(tmp_path / name) for name in ("a.root", "b.root"))
    assert list(gv.validate(f"{a}:tree", f"{b}:tree", n_required=10).comparisons) == ["x"]
    assert list(gv.validate(a, b, n_required=10).comparisons) == ["x"]
    with pytest.raises(gv.InputError, match="generated is histograms of another program, and the other side events"):
        gv.validate(f"{a}:h_mass", f"{b}:tree", n_required=10)
    with pytest.raises(gv.InputError, match="these are events; compare them with validate"):
        gv.compare(f"{a}:tree", f"{b}:tree", n_required=10)


@pytest.mark.parametrize("folder", ["", "plots/"])
def test_what_else_is_in_a_file_is_named(tmp_path: Path, folder: str) -> None:
    """Profiles and histograms in three dimensions are said to be left out, be they on both sides or on one."""
    axis = hist.axis.Regular(4, 0, 1)
    cube = hist.Hist(axis, axis, axis).fill(*np.full((3, 5), 0.5))
    profile = hist.Hist(axis, storage=hist.storage.Mean()).fill([0.5, 0.6], sample=[1.0, 2.0])
    a = write_root(tmp_path / "a.root", {**filled(1), "cube": cube, "p": profile, "other": cube, "text": "a"}, folder)
    b = write_root(tmp_path / "b.root", {**filled(2), "cube": cube, "other": profile}, folder)
    inside = ":plots" if folder else ""
    report = gv.validate(f"{a}{inside}", f"{b}{inside}", n_required=100)
    assert sorted(report.comparisons) == ["h_both", "h_mass"]
    assert report.skipped == {
        "cube": "is a TH3D, which is not compared",
        "other": "is a TH3D in generated and a TProfile in reference, which is not compared",
        "p": "is a TProfile in generated, which is not compared",
        "text": "is a TObjString in generated, which is not compared",
    }


def test_what_is_no_histogram(tmp_path: Path) -> None:
    """Anything else in a file, or another file, is refused by name."""
    profile = hist.Hist(hist.axis.Regular(4, 0, 1), hist.axis.Regular(4, 0, 1), hist.axis.Regular(4, 0, 1))
    path = write_root(tmp_path / "a.root", {"h3": profile.fill(*np.full((3, 5), 0.5))})
    with pytest.raises(gv.InputError, match=r"generated: .*a\.root:h3: this is a TH3D; expected a TH1 or TH2"):
        gv.validate(f"{path}:h3", f"{path}:h3", n_required=10)
    with pytest.raises(gv.InputError, match="there is no TH1 or TH2"):
        gv.validate(path, path, n_required=10)
    with pytest.raises(gv.InputError, match=r"generated: x\.yoda: .*convert it with YODA's own yoda2root"):
        gv.validate("x.yoda", "y.yoda.gz", n_required=10)
    with pytest.raises(gv.InputError, match=r"none\.json: No such file"):
        gv.validate(tmp_path / "none.json", path, n_required=10)
    with pytest.raises(gv.InputError, match="there is no such file"):
        gv.validate(tmp_path / "none.root", path, n_required=10)
    for text in ("{}", "[]", '{"a": 3}', '{"kind": "report", "version": 1}'):
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
        with pytest.raises(gv.InputError, match=r"other\.json: .*expected (histograms that|an object)"):
            gv.validate(tmp_path / "other.json", path, n_required=10)


@pytest.mark.parametrize("said", [{"bins": 5}, {"by": "x"}, {"weight": "w"}, {"training": {"x": np.arange(9.0)}}])
def test_keywords_of_events_are_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    """What can only be said of events is an error, not ignored."""
    path = write_root(tmp_path / "a.root", filled(1))
    with pytest.raises(gv.InputError, match=next(iter(said))):
        gv.validate(path, path, n_required=10, **said)
    with pytest.raises(gv.InputTypeError, match="only names can be chosen"):
        gv.validate(path, path, n_required=10, observables=[Selection("x", "p")])


def test_strata_are_not_compared_with_others(tmp_path: Path) -> None:
    """Histograms in strata have no counterpart in files of other programs."""
    rng = np.random.default_rng(0)
    divided = gv.fill({"x": rng.normal(size=500), "k": rng.integers(0, 2, 500)}, by="k")
    with pytest.raises(gv.InputError, match="filled in bins of 'k'"):
        gv.validate(write_root(tmp_path / "a.root", filled(1)), divided, n_required=10)


def test_only_what_is_asked_for_is_converted(tmp_path: Path) -> None:
    """A histogram that is bad, missing on one side or empty ends the check where it is asked for, or all are."""
    never = hist.Hist(hist.axis.Regular(4, 0, 1))
    scaled = hist.Hist(hist.axis.Regular(4, 0, 1)).fill([0.1, 0.6]) * 0.5
    a = write_root(tmp_path / "a.root", {**filled(1), "never": never, "scaled": scaled})
    b = write_root(tmp_path / "b.root", {**filled(2), "never": never, "scaled": scaled, "more": never})
    report = gv.validate(a, b, n_required=100, observables=["h_mass"])
    assert list(report.comparisons) == ["h_mass"]
    assert report.skipped == dict.fromkeys(("h_both", "more", "never", "scaled"), "not asked for")
    with pytest.raises(gv.InputError, match=r"scaled: the histogram holds 0\.5"):
        gv.validate(a, b, n_required=100, observables=["h_mass", "scaled"])
    with pytest.raises(gv.InputError, match=r"observable 'never': .*the histogram has no events"):
        gv.validate(a, b, n_required=100, observables=["never"])


def test_empty_histograms(tmp_path: Path) -> None:
    """A histogram without events on either side is listed; without on one side, or if all are, it is an error."""
    never = hist.Hist(hist.axis.Regular(10, -2, 2, name="mass"))
    paths = []
    for write, ending in ((write_root, "root"), (write_json, "json")):
        a, b = (
            write(tmp_path / f"{side}.{ending}", {**filled(seed), "never": never})
            for seed, side in enumerate("ab", start=1)
        )
        report = gv.validate(a, b, n_required=100)
        assert sorted(report.comparisons) == ["h_both", "h_mass"]
        assert report.skipped == {"never": "has no events on either side"}
        paths.append(write(tmp_path / f"c.{ending}", {**filled(3), "never": filled(3)["h_mass"]}))
        with pytest.raises(
            gv.InputError, match=r"'never': generated: a\.\w+: the histogram has no events, and that of"
        ):
            gv.validate(a, paths[-1], n_required=100)
        only = write(tmp_path / f"d.{ending}", {"never": never})
        with pytest.raises(gv.InputError, match="no events on either side: there is nothing to compare"):
            gv.validate(only, only, n_required=100)


def sparse(histogram: dict[str, Any]) -> dict[str, Any]:
    """The same histogram with the positions of the bins that hold anything, and no others."""
    storage = {name: np.array(part) for name, part in histogram["storage"].items() if name != "type"}
    index = np.nonzero(storage["values"])
    rest = {name: part[index].tolist() for name, part in storage.items()}
    kept = {"type": histogram["storage"]["type"], "index": [axis.tolist() for axis in index], **rest}
    return {**histogram, "storage": kept}


@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_storages(tmp_path: Path, weighted: bool) -> None:  # noqa: FBT001
    """A histogram whose empty bins are left out is the same as with them, in one dimension and in two."""
    categories = hist.Hist(hist.axis.StrCategory(["a", "b", "c"]), hist.axis.Boolean()).fill(
        ["a", "b"] * 9, [True] * 18
    )
    many = {**filled(1, weighted=weighted, bins=300), "categories": categories}
    dense = json.loads(write_json(tmp_path / "dense.json", many).read_text(encoding="utf-8"))
    assert (
        gv.validate(
            write_json(tmp_path / "sparse.json", {name: sparse(one) for name, one in dense.items()}),
            tmp_path / "dense.json",
            n_required=1,
        ).comparisons
        == gv.validate(tmp_path / "dense.json", tmp_path / "dense.json", n_required=1).comparisons
    )
    io: Any = pytest.importorskip("uhi.io")
    if hasattr(io, "to_sparse"):
        some = json.loads(json.dumps(io.to_sparse(dense["h_both"]), default=lambda array: array.tolist()))
        assert some == sparse(dense["h_both"])


BAD_INDEX: dict[str, Any] = {
    "outside": lambda index: index[0].__setitem__(0, 12),
    "negative": lambda index: index[0].__setitem__(0, -1),
    "twice": lambda index: index[0].__setitem__(0, index[0][1]),
    "fewer": lambda index: index[0].pop(),
    "axes": lambda index: index.append(index[0]),
    "no integer": lambda index: index[0].__setitem__(0, 0.5),
}


@pytest.mark.parametrize("case", BAD_INDEX)
def test_sparse_storages_by_no_schema(tmp_path: Path, case: str) -> None:
    """Positions that are none of the histogram, or do not fit the values, are refused by name."""
    good = write_json(tmp_path / "good.json", filled(1)["h_mass"])
    data = sparse(json.loads(good.read_text(encoding="utf-8")))
    BAD_INDEX[case](data["storage"]["index"])
    bad = write_json(tmp_path / "bad.json", data)
    with pytest.raises(gv.InputError, match=r"generated: .*bad\.json: storage\.(index|values).*expected"):
        gv.validate(bad, good, n_required=1)


@pytest.mark.parametrize("storage", ["Mean", "WeightedMean"])
def test_profiles_are_refused(tmp_path: Path, storage: str) -> None:
    """A profile holds averages, and is refused in words wherever it is, dense or sparse."""
    profile = hist.Hist(hist.axis.Regular(4, 0, 1), storage=getattr(hist.storage, storage)())
    profile.fill(np.linspace(-1, 2, 30), sample=np.arange(30.0))  # an empty bin would be NaN, which is no JSON
    with pytest.raises(gv.InputTypeError, match=r"holds averages \(it is a profile\), not events"):
        gv.compare(profile, profile, n_required=1)
    path = write_json(tmp_path / "a.json", profile)
    with pytest.raises(gv.InputTypeError, match=r"a\.json: .*storage.* holds averages \(it is a profile\), not events"):
        gv.validate(path, path, n_required=1)


def test_damaged_root_files(tmp_path: Path) -> None:
    """A ROOT file cut short or with bytes changed is refused by name, or read."""
    whole = write_root(tmp_path / "whole.root", filled(1))
    content = whole.read_bytes()
    rng = np.random.default_rng(0)
    for i in range(40):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 20):
            damaged[place] = rng.integers(0, 256)
        path = tmp_path / "damaged.root"
        path.write_bytes(content[: int(rng.integers(0, len(content)))] if i % 2 else bytes(damaged))
        with contextlib.suppress(gv.InputError, gv.InputTypeError):
            gv.validate(path, whole, n_required=10)


WRONG: dict[str, Any] = {
    "no axes": lambda h: h.pop("axes"),
    "no storage": lambda h: h.pop("storage"),
    "axes": lambda h: h.update(axes=3),
    "an axis": lambda h: h.update(axes=[3]),
    "a kind of axis": lambda h: h["axes"][0].update(type="odd"),
    "bins": lambda h: h["axes"][0].update(bins=10**12),
    "bins as text": lambda h: h["axes"][0].update(bins="many"),
    "fewer bins": lambda h: h["axes"][0].update(bins=3),
    "storage": lambda h: h.update(storage=[]),
    "a kind of storage": lambda h: h["storage"].update(type="odd"),
    "means": lambda h: h["storage"].update(type="mean"),
    "values": lambda h: h["storage"].update(values="abc"),
    "a value": lambda h: h["storage"]["values"].__setitem__(0, None),
    "values in values": lambda h: h["storage"]["values"].__setitem__(0, [1, 2]),
    "negative": lambda h: h["storage"]["values"].__setitem__(0, -5),
    "no events": lambda h: h["storage"].update(values=[0] * 12),
    "huge": lambda h: h["storage"]["values"].__setitem__(0, 10**400),
    "version": lambda h: h.update(uhi_schema=99),
}


@pytest.mark.parametrize("case", WRONG)
def test_json_not_by_the_schema(case: str, tmp_path: Path) -> None:
    """JSON that is not by the schema is refused, and the error names the file."""
    good = write_json(tmp_path / "good.json", filled(1)["h_mass"])
    data = json.loads(good.read_text(encoding="utf-8"))
    WRONG[case](data)
    bad = write_json(tmp_path / "bad.json", data)
    with pytest.raises((gv.InputError, gv.InputTypeError), match=r"generated: .*bad\.json"):
        gv.validate(bad, good, n_required=10)


def test_files_in_a_gate(pytester: pytest.Pytester) -> None:
    """``ganvalid.check`` takes names of histogram files, and histograms that are filled, like events."""
    write_root(pytester.path / "a.root", filled(1))
    write_root(pytester.path / "b.root", filled(2))
    for seed, name in ((1, "ref"), (2, "gen")):
        np.savez(pytester.path / f"{name}.npz", x=np.random.default_rng(seed).normal(size=3000))
    whole = gv.fill(pytester.path / "ref.npz")
    (pytester.path / "ref.json").write_text(whole.to_json(), encoding="utf-8")
    pytester.makepyfile("""
        import pytest
        import pytest_ganvalid as gv

        @pytest.mark.ganvalid(n_required=100)
        @pytest.mark.parametrize("sides", [("a.root", "b.root"), (["gen.npz"], ["ref.json"])])
        def test_release(ganvalid, sides):
            assert ganvalid.check(*sides).robust

        @pytest.mark.ganvalid(n_required=100)
        def test_filled(ganvalid):
            ganvalid.check(gv.fill("gen.npz", like="ref.json"), "ref.json")

        @pytest.mark.ganvalid(n_required=100_000)
        def test_more(ganvalid):
            ganvalid.check("gen.npz", "ref.json")
    """)
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=3, failed=1)

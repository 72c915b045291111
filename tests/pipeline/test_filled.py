"""Of two sides that are filled, what varies is compared, on every road, and rows that both have are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import Entries, InputError, Verdict
from pytest_ganvalid.observables import (
    Selection,
)
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.summary import added
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]
Both = tuple[Table, Table]
ROADS = ("arrays", "parts", "stored reference", "stored")


def on_road(road: str, streamed: Stream, generated: Table, reference: Table, **keywords: Any) -> gv.Report:
    """Compare all columns of two tables that are handed over in some way."""
    ours, theirs = generated, reference
    if road.startswith("stored"):
        stored_ = gv.Histograms.from_json(gv.fill(theirs, **keywords).to_json())
        ours_ = gv.fill(ours, like=stored_) if road == "stored" else ours
        return gv.validate(ours_, stored_, n_required=30)
    both = (streamed(ours), streamed(theirs)) if road == "parts" else (ours, theirs)
    return gv.validate(*both, n_required=30, **keywords)


@pytest.mark.parametrize("road", ROADS)
def test_all_columns(events: Make, streamed: Stream, road: str) -> None:
    """All columns of the reference are compared, and jointly; what is left out has its reason on every road."""
    text = np.array(["a", "b"] * 300)
    shared = {"word": text, "event": np.arange(600), "one": np.full(600, 7), "e": events(1, 600)["e"]}
    ours, theirs = ({**{name: events(seed, 600)[name] for name in ("x", "y")}, **shared} for seed in (1, 2))
    report = on_road(road, streamed, {**ours, "mine": ours["x"]}, {**theirs, "label": text, "id": np.arange(600)})
    assert list(report.comparisons) == ["x", "y", "e", "joint"]
    assert dict(report.skipped) == {
        "word": "not numeric",
        "label": "not numeric",
        "event": "numbers the events",
        "id": "numbers the events",
        "one": "has one value, the same on both sides",
        "mine": "only generated has it",
    }
    with pytest.raises(InputError, match=r"that the generated sample lacks: \['x', 'y'\];.*or state observables="):
        on_road(road, streamed, {"e": ours["e"], "one": ours["one"]}, {**theirs})


@pytest.mark.parametrize("road", ROADS)
def test_a_constant_that_is_another_is_compared(streamed: Stream, road: str) -> None:
    """One value that is not the same on both sides is BIASED; one that only a stratum has is left out there."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"x": rng.normal(size=900), "c": np.full(900, value)} for value in (1.0, 1.1))
    assert on_road(road, streamed, ours, theirs).comparisons["c"].verdict is Verdict.BIASED
    for table in (ours, theirs):
        table["k"] = rng.integers(0, 2, 900)
        table["c"] = np.where(table["k"] == 1, 0.0, rng.normal(size=900))
    report = on_road(road, streamed, ours, theirs, by="k")
    names = ["x | k = 0", "c | k = 0", "joint | k = 0", "x | k = 1", "joint | k = 1", "k: rate per stratum"]
    assert list(report.comparisons) == names
    assert report.skipped["c | k = 1"] == "has one value, the same on both sides"
    assert report.skipped["k"] == "divides the events into strata"


@pytest.mark.parametrize("road", ROADS)
def test_nothing_but_constants(streamed: Stream, road: str) -> None:
    """Where all columns have one value, the same on both sides, nothing is demonstrated."""
    table = {"a": np.zeros(200), "b": np.full(200, 1e-300), "c": np.full(200, -3, dtype=np.int32)}
    with pytest.raises(InputError, match="every column has one value, the same on both sides: there is nothing to"):
        on_road(road, streamed, {name: values[:150] for name, values in table.items()}, table)


def test_a_constant_in_parts_of_one_event() -> None:
    """A constant is left out although a list of repeated values has no value that a part has once."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"x": rng.normal(size=200), "one": np.full(200, 3.0)} for _ in range(2))
    whole = gv.fill(theirs)
    parts = [
        gv.fill({name: ours[name][start:stop] for name in ours}, like=whole)
        for start, stop in ((0, 1), (1, 3), (3, 200))
    ]
    report = gv.validate(added(("", part) for part in parts), whole, n_required=20)
    assert report.skipped["one"] == "has one value, the same on both sides"


@pytest.mark.parametrize("road", ROADS)
def test_entries_of_one_value_are_left_out(streamed: Stream, road: str) -> None:
    """A column of entries that are all alike is left out with its reason; one that is another value is refused."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(2, 900)
    ours, theirs = (
        {"x": rng.normal(size=900), "id": Entries(np.full(counts.sum(), 22), counts), "n": Entries(some, counts)}
        for some in rng.normal(size=(2, counts.sum()))
    )
    report = on_road(road, streamed, ours, theirs)
    assert report.skipped["id"] == "all entries of both sides are in one bin, [21.5, 22.5)"
    assert {"n", "id: entries per event"} <= {*report.comparisons}
    ours["id"] = Entries(np.full(counts.sum(), 23), counts)
    with pytest.raises(InputError, match="observable 'id': the events of either sample fill the bins all alike"):
        on_road(road, streamed, ours, theirs)


@pytest.mark.parametrize("road", ROADS)
def test_all_that_is_not_finite_is_named_at_once(streamed: Stream, road: str) -> None:
    """Of all columns one error names those with NaN or infinite values, and each of its remedies works."""
    rng = np.random.default_rng(1)
    sides = [{name: rng.normal(size=900) for name in "abcd"} | {"one": np.ones(900)} for _ in range(2)]
    for side in sides:
        side["b"][::7], side["d"][5::7] = np.nan, np.inf
    with pytest.raises(InputError) as caught:
        on_road(road, streamed, *sides)
    remedies: dict[str, Any] = {"nonfinite": {"b": "separate", "d": "separate"}, "observables": ["a", "c"]}
    words = str(caught.value)
    assert "observable 'b' has " in words
    assert "Others that have some: ['d']; to go on: " in words
    for name, value in remedies.items():
        assert f"{name}={value}" in words
        assert on_road(road, streamed, *sides, **{name: value}).comparisons["a"].robust


@pytest.mark.parametrize("road", ROADS)
def test_the_joint_distribution_has_a_name_of_its_own(streamed: Stream, road: str) -> None:
    """Where a column is called joint, the joint distribution has another name, and a note says so."""
    rng = np.random.default_rng(1)
    ours, theirs = ({"joint": rng.normal(size=900), "x": rng.normal(size=900)} for _ in range(2))
    report = on_road(road, streamed, ours, theirs)
    assert list(report.comparisons) == ["joint", "x", "joint 2"]
    assert "the joint distribution of all columns is named 'joint 2', as a column is named 'joint'" in report.notes


@pytest.mark.parametrize("road", ROADS)
def test_what_cannot_be_joined_is_said(streamed: Stream, road: str) -> None:
    """A joint distribution that cannot be cut into cells is left out and named; the columns are compared."""
    rng = np.random.default_rng(1)
    rare = (np.arange(900) < 4, np.arange(900) >= 896)
    ours, theirs = (
        {
            **{name: where * 1.0 for name, where in zip("ab", rare, strict=True)},
            "jet": Entries(rng.normal(size=1_800), np.full(900, 2)),
        }
        for _ in range(2)
    )
    report = on_road(road, streamed, ours, theirs)
    assert list(report.comparisons) == ["a", "b", "jet"]
    assert "cannot be cut into cells along ['a', 'b']" in report.skipped["joint"]


def test_the_number_of_entries_is_compared_where_it_varies() -> None:
    """The number of entries is compared unless all events have one number of them, but for those not selected."""
    rng = np.random.default_rng(1)
    for counts, compared in (([1, 1], False), ([2, 2], False), ([1, 2], True)):
        sides = [
            {"j": Entries(rng.normal(size=sum(counts) * 200), np.array(counts * 200)), "ok": rng.random(400) < 0.5}
            for _ in range(2)
        ]
        report = gv.validate(*sides, observables=["j", Selection("j", "ok")], bins=3, n_required=30)
        assert (f"j{MULTIPLICITY}" in report.comparisons) is compared
        assert (f"j where ok{MULTIPLICITY}" in report.comparisons) is compared


def test_strata_without_events_are_left_out(samples: Both) -> None:
    """A bin of the condition that neither side has events in is no stratum; the shares are those of the weight."""
    request = Request.parsed(observables=["x"], by=("e", [15.0, 30.0, 40.0]), bins=4)
    pairing = paired(*samples, request, ("w", "w"), None)
    assert [stratum.label for stratum in pairing.strata] == ["e < 15", "e in [15, 30)", "e >= 40"]
    table = samples[1]
    for stratum, value in zip(pairing.strata, (10.0, 20.0, 50.0), strict=True):
        share = table["w"][table["e"] == value].sum() / table["w"].sum()
        assert stratum.share_reference == pytest.approx(share)
        numbers = [int(np.count_nonzero(one["e"] == value)) for one in samples]
        assert [stratum.n_generated, stratum.n_reference] == numbers
    assert [pair.used for pair in pairing.pairs] == [*(stratum.used for stratum in pairing.strata), (1.0, 1.0)]
    with pytest.raises(InputError, match="stratum e >= 40 has 0 generated and"):
        paired(
            {name: column[samples[0]["e"] < 40] for name, column in samples[0].items()},
            table,
            request,
            (None, None),
            None,
        )


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
@pytest.mark.parametrize("side", [0, 1])
def test_weights_that_cancel(samples: Both, streamed: Stream, how: str, side: int) -> None:
    """Weights without a positive sum are an error on either side, with one message in strata and one without."""
    table = {"x": samples[1]["x"], "e": samples[1]["e"]}
    signs = np.where(np.arange(600) % 2, 1.0, -1.0)
    name = ("generated", "reference")[side]
    for by, match in ((None, f"observable 'x': {name}: the total weight is"), ("e", f"{name}: the total weight is")):
        tables = [{**table, "w": np.ones(600)}, {**table, "x": -table["x"], "w": np.ones(600)}]
        tables[side]["w"] = signs
        if how == "filled":
            reference = gv.fill(tables[1], observables=["x"], weight="w", by=by, bins=[0.0, 1.0])
            sides: Any = gv.fill(tables[0], like=reference), reference
            stated: dict[str, Any] = {}
        else:
            sides = tables if how == "arrays" else list(map(streamed, tables))
            stated = {"observables": ["x"], "weight": "w", "by": by, "bins": [0.0, 1.0]}
        with pytest.raises(InputError, match=match):
            gv.validate(*sides, **stated, n_required=30)


def test_shared_rows_leave_it_unproven() -> None:
    """Generated events that repeat reference events are found in the sketches, whatever else they are among."""
    n = 6_000
    rng = np.random.default_rng(0)
    theirs = {"x": rng.normal(size=n), "y": rng.normal(size=n)}
    ours = {name: np.concatenate([rng.normal(size=n - 600), column[:600]]) for name, column in theirs.items()}
    reference = gv.fill(theirs, bins=20)
    report = gv.validate(gv.fill(ours, like=reference), reference, n_required=100)
    assert report.verdict is Verdict.UNPROVEN
    assert len(report.shared) == 1
    assert "generated rows are also in the reference sample" in report.shared[0]
    single = {name: column.astype(np.float32) for name, column in ours.items()}
    report = gv.validate(gv.fill(single, like=reference), reference, n_required=100)
    assert "in single precision" in report.shared[0]
    fresh = {name: rng.normal(size=n) for name in theirs}
    assert gv.validate(gv.fill(fresh, like=reference), reference, n_required=100).robust
    assert not gv.validate(fresh, reference, n_required=100).shared


@pytest.mark.parametrize("copies", [0, 250])
def test_few_shared_rows_are_found(copies: int) -> None:
    """Copies of 1 in 200 of many events with two columns of floats are more than the resolution allows for."""
    rng = np.random.default_rng(5)
    ours, theirs = ({"x": rng.normal(size=50_000), "y": rng.exponential(size=50_000)} for _ in range(2))
    for name, column in theirs.items():
        ours[name][:copies] = column[:copies]
    filled_ = [gv.fill(side, observables=["x", "y"], bins=[0.0, 1.0]) for side in (ours, theirs)]
    report = gv.validate(*filled_, n_required=100)
    assert bool(report.shared) is bool(copies)
    assert all("generated rows are also in the reference sample" in reason for reason in report.shared)


@pytest.mark.parametrize("how", ["arrays", "parts", "filled"])
def test_repeated_reference_rows_leave_it_unproven(streamed: Stream, how: str) -> None:
    """A reference that was read twice under another number of events is noticed."""
    rng = np.random.default_rng(1)
    column = rng.normal(size=3_000)
    table = {"x": np.concatenate([column, column])}
    reference: Any = table if how == "arrays" else streamed(table) if how == "parts" else gv.fill(table)
    report = gv.validate({"x": rng.normal(size=3_000)}, reference, n_required=100)
    assert report.verdict is Verdict.UNPROVEN
    assert "was a file read twice?" in report.reasons[0]


def test_generated_rows_without_the_columns_of_the_key(events: Make) -> None:
    """Generated events that lack columns by which a stored reference is recognised prove nothing, and are told why."""
    table = {name: events(1, 300)[name] for name in ("x", "y")}
    reference = gv.fill(table, observables=["x"], bins=[0.0])
    assert reference.fingerprint is not None
    assert reference.fingerprint.columns == ("x", "y")
    for generated in ({"x": events(2, 300)["x"]}, gv.fill({"x": events(2, 300)["x"]}, like=reference)):
        report = gv.validate(generated, reference, n_required=10)
        assert report.verdict is Verdict.UNPROVEN
        (reason,) = report.shared
        assert reason.startswith("whether generated rows repeat reference rows cannot be known: reference rows are rec")
        assert "by ['x', 'y'], and the generated ones are not; give them those columns" in reason


def test_rows_of_either_side_are_recognised_alike(events: Make) -> None:
    """Histograms of given bins whose rows are recognised by other columns prove nothing, and are told why."""
    table = {name: events(1, 300)[name] for name in ("x", "y", "n")}
    other = {name: events(2, 300)[name] for name in ("x", "n")}
    reference, generated = (gv.fill(one, observables=["x"], bins=[0.0]) for one in (table, other))
    report = gv.validate(generated, reference, n_required=10)
    assert report.verdict is Verdict.UNPROVEN
    (reason,) = report.shared
    assert "fill the generated events like the reference" in reason


def test_columns_that_tell_no_events_apart() -> None:
    """Coarse columns leave copies unseen, which is noted; if others would show them, it must be known."""
    rng = np.random.default_rng(3)
    coarse = [{"k": rng.integers(0, 4, 2_000).astype(float)} for _ in range(2)]
    report = gv.validate(*coarse, n_required=50)
    assert any("['k'] do not tell events apart: whether generated rows repeat" in note for note in report.notes)
    assert not report.shared
    fine = {**coarse[0], "x": rng.normal(size=2_000)}
    report = gv.validate(fine, coarse[1], n_required=50)
    assert report.verdict is Verdict.UNPROVEN
    assert "['k'] do not tell events apart, and ['x'], which would, are on one side only" in report.shared[0]
    text = [{"t": np.array(["a", "b"] * 500), "j": Entries.of([[1.0], [2.0, 3.0]] * 500)} for _ in range(2)]
    assert gv.validate(*text, n_required=20, observables=["count(j)"], bins=[1.5]).notes


@pytest.mark.parametrize("fill", [False, True])
def test_a_weight_that_is_not_applied_is_noted(fill: bool) -> None:  # noqa: FBT001
    """Where all columns are compared and one is called a weight, a note says so, unless it is applied or was named."""
    rng = np.random.default_rng(1)
    sides = [{"x": rng.normal(size=600), "genWeight": rng.uniform(0.5, 1.5, 600)} for _ in range(2)]

    def notes(**stated: Any) -> list[str]:
        samples: list[Any] = [*sides]
        if fill:
            samples[1] = gv.fill(sides[1], **stated)
            samples[0] = gv.fill(sides[0], like=samples[1], **{k: v for k, v in stated.items() if k == "weight"})
        report = gv.validate(*samples, n_required=10, **({} if fill else stated))
        return [note for note in report.notes if "genWeight" in note]

    assert notes() == ["genWeight is compared as an observable; if it is a weight, apply it: weight='genWeight'"]
    assert not notes(weight="genWeight")
    assert not notes(observables=["x", "genWeight"])


@pytest.mark.parametrize("road", ROADS)
def test_given_edges_on_values(streamed: Stream, road: str) -> None:
    """Values on the edges that were given are in one bin in single and in double precision, on every road."""
    ours, theirs = ({"x": np.random.default_rng(seed).integers(0, 10, 20_000) / 10} for seed in (1, 2))
    edges = np.arange(0, 1.05, 0.1)
    report = on_road(road, streamed, {"x": ours["x"].astype(np.float32)}, theirs, bins=edges)
    assert report.robust
    whole = on_road(road, streamed, ours, theirs, bins=edges)
    assert report.histograms["x"].chi2 == whole.histograms["x"].chi2


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("nonfinite", ["error", "overflow", "separate"])
def test_circular_axes(streamed: Stream, road: str, nonfinite: str) -> None:
    """Angles are wrapped into the period of a circular axis, and compared as angles, on every road."""
    bh: Any = pytest.importorskip("boost_histogram")
    ours, theirs = ({"phi": np.random.default_rng(seed).uniform(0, 2 * np.pi, 5_000)} for seed in (1, 2))
    bins = {"phi": bh.axis.Regular(8, 0, 2 * np.pi, circular=True)}
    wrapped = {"phi": np.where(ours["phi"] > np.pi, ours["phi"] - 2 * np.pi, ours["phi"])}
    report = on_road(road, streamed, wrapped, theirs, bins=bins, nonfinite=nonfinite)
    assert report.robust
    filled = [bh.Histogram(bins["phi"]).fill(side["phi"]) for side in (wrapped, theirs)]
    expected = gv.compare(*filled, n_required=30)
    assert report.histograms["phi"].chi2 == pytest.approx(expected.chi2, rel=1e-9)
    assert report.histograms["phi"].chi2 != on_road(road, streamed, wrapped, theirs, bins=8).histograms["phi"].chi2
    with pytest.raises(InputError, match="no underflow"):
        on_road(road, streamed, wrapped, theirs, bins=bins, nonfinite="underflow")

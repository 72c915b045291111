"""Events of selections, trees and entries are filled and paired, and what stands in the way is refused or noted."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid import Entries, InputError, InputTypeError, Sample, Verdict
from pytest_ganvalid.observables import (
    Classifier,
    KDTree,
    Mean,
    Selection,
)
from pytest_ganvalid.pipeline import draft, fill
from pytest_ganvalid.pipeline.pairing import paired
from pytest_ganvalid.pipeline.request import Request
from pytest_ganvalid.pipeline.run import Threads
from pytest_ganvalid.samples.sources import Source

Table = dict[str, Any]
Make = Callable[..., Table]
Stream = Callable[..., Source]
Both = tuple[Table, Table]


def test_a_weight_that_is_not_applied_to_stated_observables_is_noted(streamed: Stream) -> None:
    """Where observables are stated, a column called a weight is noted, with its side, on any road."""
    rng = np.random.default_rng(1)
    sides = [{"x": rng.normal(size=600), "genWeight": rng.uniform(0.5, 1.5, 600)} for _ in range(2)]
    bare = {"x": sides[0]["x"]}

    def notes(*samples: Any, **stated: Any) -> list[str]:
        report = gv.validate(*samples, n_required=10, **({"observables": ["x"]} | stated))
        return [note for note in report.notes if "genWeight" in note]

    both = (
        "genWeight is a column of the generated and reference events and is not applied; if it is a weight, apply it: "
    )
    for samples in (sides, [streamed(side) for side in sides]):
        assert notes(*samples) == [both + "weight='genWeight'"]
    assert "of the reference events" in notes(bare, sides[1])[0]
    assert notes(bare, sides[1])[0].endswith("weight=(None, 'genWeight')")
    assert not notes(bare, sides[1], weight=(None, "genWeight"))
    assert not notes(*sides, observables=["x", "genWeight"])


N = 30_000


def normal(seed: int, *, rho: float = 0.6, n: int = N) -> Sample:
    """Two correlated columns with standard normal marginals, and one without correlation."""
    x, y, z = np.random.default_rng(seed).standard_normal((3, n))
    return Sample({"x": x, "y": rho * x + math.sqrt(1 - rho**2) * y, "z": z})


def jets(seed: int, *, n: int = 5_000, mean: float = 4.0, shift: float = 0.0, common: float = 1.0) -> Sample:
    """Events of correlated jets: a common part and one of their own, of unit variance together."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean, n)
    of_event = np.repeat(rng.standard_normal(n), counts)
    values = math.sqrt(common) * of_event + math.sqrt(1 - common) * rng.standard_normal(counts.sum())
    return Sample({"jet": Entries(values + shift, counts)})


def verdict(generated: Sample, reference: Sample, observable: object, **keywords: Any) -> Verdict:
    """Verdict on one observable."""
    return gv.validate(generated, reference, observables=[observable], **{"n_required": 3_000, **keywords}).verdict


def cut(events: Sample) -> Any:
    """Keep the upper part."""
    return events["x"] > 1


def test_a_selection_compares_its_rate_too() -> None:
    """Events outside are one more bin: all events count, and the bin has its words."""
    report = gv.validate(normal(1), normal(2), n_required=3_000, observables=[Selection("y", cut)], bins=10)
    found = report.histograms["y where cut"]
    # Ten bins, of which the outer two are halved twice: there are 3,000 · 16 % · 1/40 = 12 events in the last of them.
    assert (found.bins, found.n_generated, found.n_reference) == (15, N, N)
    assert found.contents.reference[-1] == pytest.approx(0.841, abs=0.01)
    assert found.robust


def test_a_wrong_rate_cannot_hide_behind_a_selection() -> None:
    """A generator right within the selection, but with too many events in it, is BIASED in the bin outside."""
    rng = np.random.default_rng(1)
    reference = Sample({"x": rng.random(N), "y": rng.random(N)})
    generated = Sample({"x": rng.random(N) ** 0.8, "y": rng.random(N)})
    report = gv.validate(
        generated, reference, n_required=3_000, observables=[Selection("y", lambda e: e["x"] > 0.5, name="y")], bins=10
    )
    assert report.verdict is Verdict.BIASED
    assert "outside the selection" in {bias.label for bias in report.histograms["y"].worst_bins}


def test_a_selection_may_be_a_column_and_of_anything() -> None:
    """Conditions are columns of booleans or functions, of columns, pairs, functions and entries."""
    sample = normal(1, n=3_000)
    passed = sample["x"] > 0
    events = Sample({**sample.columns, "passed": passed, "jet": jets(1, n=3_000)["jet"]})
    wanted = {
        "column": Selection("y", "passed"),
        "pair": Selection(("x", "y"), "passed"),
        "function": Selection(("r", lambda e: np.hypot(e["x"], e["y"])), "passed"),
        "entries": Selection("jet", "passed"),
    }
    report = gv.validate(events, events.select(np.arange(3_000)[::-1]), n_required=50, observables=wanted, bins=9)
    outside = np.count_nonzero(~passed)
    assert report.histograms["column"].contents.reference[-1] == pytest.approx(outside / 3_000)
    entries = int(events["jet"].counts[passed].sum())
    assert report.histograms["entries"].contents.reference[-1] == pytest.approx(outside / (outside + entries))


def test_nan_outside_a_selection_is_no_value() -> None:
    """What is not selected may be undefined; what is selected may not."""
    first, second = normal(1), normal(2)
    for sample in (first, second):
        sample["y"][sample["x"] <= 1] = np.nan
    assert verdict(first, second, Selection("y", cut), bins=10) is Verdict.ROBUST
    with pytest.raises(InputError, match="NaN"):
        verdict(first, second, Selection("y", lambda e: e["x"] > 0, name="y"))


@pytest.mark.parametrize(
    ("wanted", "error", "match"),
    [
        (Selection("x", lambda e: e["x"] > 0), InputError, "give it a name"),
        (Selection("x", lambda e: e["x"], name="s"), InputTypeError, "dtype float64; expected booleans"),
        (
            Selection("x", lambda e: np.ones(5, dtype=bool) | (len(e) < 0), name="s"),
            InputError,
            r"shape \(5,\); expected one truth value",
        ),
        (Selection("x", lambda e: e["x"] > 99, name="s"), InputError, "no event of the reference is selected"),
        (Selection(Mean("x"), cut), InputTypeError, "expected a column, columns or a function"),
        (Selection(Selection("x", cut), cut), InputTypeError, "is not understood"),
    ],
)
def test_selections_that_are_refused(wanted: Selection, error: type[gv.GanvalidError], match: str) -> None:
    """Conditions that are not booleans, of other lengths or that nothing passes are errors with a remedy."""
    with pytest.raises(error, match=match):
        verdict(normal(1, n=500), normal(2, n=500), wanted)


@pytest.mark.parametrize(
    "relative",
    [
        ("standardised", lambda e: (e["x"] - e["x"].mean()) / e["x"].std()),
        Selection("y", lambda e: e["x"] > np.median(e["x"]), name="upper half"),
        ("random", lambda e: e["x"] + np.random.default_rng().normal(size=len(e))),
    ],
)
def test_what_is_relative_to_its_sample_is_refused(relative: object) -> None:
    """An observable or a cut that depends on the other events divides out what is wrong with all of them."""
    with pytest.raises(InputError, match="not the same for an event among others"):
        verdict(normal(1, n=4_000), normal(2, n=4_000), relative)


def test_functions_cannot_change_the_events() -> None:
    """A function that writes into a column fails, and the user's arrays stay as they were."""

    def centred(events: Sample) -> Any:
        x = events["x"]
        x -= 1
        return x

    events = normal(1, n=1_000)
    before = events["x"].copy()
    with pytest.raises(ValueError, match="read-only"):
        verdict(events, normal(2, n=1_000), centred)
    np.testing.assert_array_equal(events["x"], before)


@pytest.mark.parametrize(
    "observable",
    [("x", "y"), ("x", "y", "z"), KDTree(), KDTree(("y", "x"))],
)
def test_a_wrong_correlation_is_found(observable: object) -> None:
    """With exact marginals and a wrong correlation every joint observable is BIASED, and with the right one ROBUST."""
    assert verdict(normal(1, rho=0.2), normal(2), observable) is Verdict.BIASED
    assert verdict(normal(3), normal(2), observable) is Verdict.ROBUST


def test_single_columns_do_not_see_it() -> None:
    """The same wrong correlation is ROBUST in every column by itself, and the joint distribution of all shows it."""
    assert gv.validate(normal(1, rho=0.2), normal(2), n_required=3_000, observables=["x", "y", "z"]).robust
    report = gv.validate(normal(1, rho=0.2), normal(2), n_required=3_000)
    assert list(report.comparisons) == ["x", "y", "z", "joint"]
    assert report.comparisons["joint"].verdict is Verdict.BIASED


def test_a_tree_takes_the_columns_with_one_number_per_event() -> None:
    """Without columns named, a k-d tree joins all that both samples have and leaves out entries."""
    first, second = (Sample({**normal(s, n=2_000).columns, **jets(s, n=2_000).columns}) for s in (1, 2))
    report = gv.validate(first, second, n_required=100, observables=KDTree(), bins=8)
    assert list(report.histograms) == ["kdtree"]
    assert report.histograms["kdtree"].bins == 8


def test_cells_are_named_in_words() -> None:
    """The worst cells of a tree are told by their box."""
    report = gv.validate(normal(1, rho=0.0), normal(2), n_required=3_000, observables=KDTree(("x", "y")), bins=8)
    label = report.histograms["kdtree"].worst_bins[0].label
    assert "x " in label
    assert "y " in label


@pytest.mark.parametrize("bins", [[0.0, 1.0], "many", 1, 2.5])
def test_cells_are_a_number(bins: object) -> None:
    """Edges make no cells."""
    with pytest.raises((InputError, InputTypeError), match=r"expected (a number of cells|at least 2)"):
        verdict(normal(1, n=500), normal(2, n=500), KDTree(), bins=bins)


def test_the_errors_of_entries_are_those_of_events() -> None:
    """Entries of an event that are all the same are worth one event; independent ones are worth as many as they are."""
    for common, worth in ((1.0, 1.0), (0.0, 4.0)):
        first, second = (jets(s, common=common) for s in (1, 2))
        edges = np.linspace(-2, 2, 9)
        found = gv.validate(first, second, n_required=200, bins=edges).histograms["jet"]
        assert isinstance(found, gv.Comparison)
        assert found.n_reference == pytest.approx(5_000)
        assert found.n_generated == pytest.approx(5_000, rel=0.06)
        by_entries = gv.compare(
            *(
                gv.Counts(np.bincount(np.searchsorted(edges, s["jet"].values, "right"), minlength=10))
                for s in (first, second)
            ),
            n_required=200,
        )
        errors = np.array(found.contents.reference_errors) / np.array(by_entries.contents.reference_errors)
        poisson = (4.0 + 1) / 4 if common else 1  # Σm²/(Σm)² of a Poisson number of equal entries
        assert np.median(errors) ** 2 == pytest.approx(4 / worth * poisson, rel=0.12)


def test_one_entry_per_event_is_an_ordinary_column() -> None:
    """With one entry in each event the numbers are those of the plain column, but for a term of order Δ in the size."""
    first, second = normal(1), normal(2)
    plain = gv.validate(first, second, n_required=3_000, observables="x").histograms["x"]
    wrapped = [Sample({"x": Entries(s["x"], np.ones(N, dtype=int))}) for s in (first, second)]
    found = gv.validate(*wrapped, n_required=3_000).histograms["x"]
    for name in ("separation", "rms_bias", "chi2_required"):
        ours, theirs = getattr(found, name), getattr(plain, name)
        assert (ours.lower, ours.estimate, ours.upper) == pytest.approx(
            (theirs.lower, theirs.estimate, theirs.upper), rel=3e-3
        )
    assert found.ndf == plain.ndf
    assert found.power == pytest.approx(plain.power, rel=1e-3)
    assert found.n_supported == pytest.approx(plain.n_supported, rel=1e-2)


def test_correlated_entries_do_not_make_more_of_a_sample() -> None:
    """A sample of few events with very many equal entries is UNPROVEN, whatever the number of its entries."""
    few = jets(1, n=60, mean=500)
    assert verdict(few, jets(2, n=60, mean=500), "jet", n_required=50, bins=5) is Verdict.UNPROVEN


def test_the_number_of_entries_is_compared_too() -> None:
    """A generator of the right jets, but too many of them, is BIASED in their number."""
    report = gv.validate(jets(1, mean=5), jets(2), n_required=300, bins=10)
    assert report.histograms["jet"].verdict is not Verdict.BIASED
    assert report.histograms["jet: entries per event"].verdict is Verdict.BIASED


def test_the_number_is_compared_with_a_plain_column_too() -> None:
    """Exactly one entry per event on one side and several on the other are different numbers of entries."""
    several = jets(1)
    one = Sample({"jet": np.random.default_rng(2).standard_normal(20_000)})
    for pair in ((one, several), (several, one)):
        assert gv.validate(*pair, n_required=300, bins=10).verdict is Verdict.BIASED


def test_names_of_comparisons_do_not_collide() -> None:
    """A column named like the number of entries cannot take its place."""
    events = [Sample({**jets(s).columns, "jet: entries per event": np.arange(5_000) / 7}) for s in (1, 2)]
    with pytest.raises(InputError, match="two comparisons are named 'jet: entries per event'"):
        gv.validate(*events, n_required=100, bins=5)


def test_a_shift_of_the_entries_is_found() -> None:
    """Entries that are off are BIASED."""
    assert verdict(jets(1, shift=0.5), jets(2), "jet", n_required=1_000, bins=10) is Verdict.BIASED


def test_weights_of_events_are_those_of_their_entries() -> None:
    """A common factor of the weights changes nothing, and events of weight zero count for nothing."""
    rng = np.random.default_rng(3)
    weights = [rng.lognormal(sigma=0.5, size=5_000) for _ in range(2)]
    samples = [Sample(jets(s).columns, w) for s, w in zip((1, 2), weights, strict=True)]
    scaled = [Sample(s.columns, 7 * s.weight) for s in samples if s.weight is not None]
    one, other = (gv.validate(*pair, n_required=200, bins=10).histograms["jet"] for pair in (samples, scaled))
    assert one.n_supported == pytest.approx(other.n_supported)
    assert one.n_reference == pytest.approx(weights[1].sum() ** 2 / (weights[1] ** 2).sum())
    with_none = Sample(
        {"jet": Entries.of([*np.split(jets(1)["jet"].values, np.cumsum(jets(1)["jet"].counts)[:-1]), [9.0] * 1000])},
        np.append(weights[0], 0.0),
    )
    same = gv.validate(with_none, samples[1], n_required=200, bins=10).histograms["jet"]
    assert same.n_supported == pytest.approx(one.n_supported)


def test_functions_make_entries_of_entries() -> None:
    """A function of the sample may return entries; columns joined must have as many in each event."""
    first, second = jets(1), jets(2)

    def squares(events: Sample) -> Any:
        return events["jet"].map(np.square)

    report = gv.validate(first, second, n_required=200, observables=[squares, ("jet", "jet")], bins=9)
    assert "squares" in report.comparisons
    assert report.histograms["jet:jet"].n_reference == 5_000
    other = Sample({"jet": first["jet"], "x": np.ones(5_000)})
    with pytest.raises(InputError, match="differ in their number of entries per event"):
        verdict(other, other, ("jet", "x"))


def test_too_many_correlated_bins_are_refused() -> None:
    """The covariance of all bins must fit into memory."""
    with pytest.raises(InputError, match=r"at most 5,000 bins; got 6,001"):
        verdict(jets(1), jets(2), "jet", bins=np.linspace(-3, 3, 6_000))


def test_a_score_is_binned_by_the_reference() -> None:
    """The bins of a classifier's score are cut at quantiles of all reference events that are tested."""
    pytest.importorskip("sklearn")
    request = Request.parsed(observables=[Classifier(("x", "y"))], bins=5)
    (pair,) = paired(normal(1, n=400), normal(2, n=400), request, (None, None), None).pairs
    assert pair.chosen == 1


def test_short_samples_are_compared_at_once(samples: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen, filled and searched at the same time is what it is in turns, and errors are the same."""
    columns: dict[str, Any] = {"observables": ["x", "y", ("x", "y"), KDTree(("x", "y", "n"))], "n_required": 30}
    expected = gv.validate(*samples, **columns)
    broken = [dict(table, x=np.where(np.arange(len(table["x"])) == 7, np.nan, table["x"])) for table in samples]
    used = set[bool]()

    def each(self: Threads, function: Any, items: Any, *, at_once: bool) -> Any:
        used.add(at_once)
        return original(self, function, items, at_once=at_once)

    original = Threads.each
    monkeypatch.setattr(Threads, "each", each)
    for module in (draft, fill):
        monkeypatch.setattr(module, "MANY", 10)
    assert gv.validate(*samples, **columns).to_json() == expected.to_json()
    assert used == {True}
    for _ in range(3):
        with pytest.raises(InputError, match=r"^reference: .*'x'"):
            gv.validate(*broken, **columns)


def test_functions_are_called_in_turns(samples: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of the user's are called where they were handed over, as those of short samples always were."""
    threads = set[int]()

    def total(events: Any) -> Any:
        threads.add(threading.get_ident())
        return events["x"] + events["y"]

    for module in (draft, fill):
        monkeypatch.setattr(module, "MANY", 10)
    gv.validate(
        *samples, n_required=30, observables=[("s", total), "x", Selection("y", lambda e: e["x"] > 0, name="cut")]
    )
    assert threads == {threading.get_ident()}

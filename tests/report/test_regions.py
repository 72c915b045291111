"""Regions are named as physicists would, with the column and its unit."""

from __future__ import annotations

from html import unescape

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.document import Check, Session
from pytest_ganvalid.report.html import render
from pytest_ganvalid.report.regions import in_words, region_words
from pytest_ganvalid.report.text import explain
from pytest_ganvalid.report.vector import describe
from pytest_ganvalid.results import Comparison


def events(number: int, seed: int, *, bad: bool = False) -> dict[str, np.ndarray]:
    """A falling spectrum; where it is bad, half of the events of 80 to 100 GeV are moved, and phi of all above bent."""
    rng = np.random.default_rng(seed)
    pt, phi, eta = rng.exponential(40, number), rng.uniform(-3, 3, number), rng.normal(size=number)
    if bad:
        moved = (pt > 80) & (pt < 100)
        pt[moved] += 20 * rng.integers(0, 2, moved.sum())
        phi[pt > 80] = 3 - 6 * rng.beta(1, 1.3, (pt > 80).sum())
    return {"pt": pt, "phi": phi, "eta": eta}


@pytest.fixture(scope="module")
def report() -> gv.Report:
    """Of a generator that is wrong from 80 GeV on."""
    generated, reference = events(200_000, 1, bad=True), events(60_000, 2)
    return gv.validate(
        generated, reference, n_required=6_000, observables=["pt", "eta", ("pt", "phi")], units={"pt": "GeV"}
    )


def histogram(report: gv.Report, name: str) -> Comparison:
    """One of the comparisons."""
    return report.histograms[name]


def test_the_region_to_use_is_named(report: gv.Report) -> None:
    """The largest ROBUST region is below where the generator is wrong, and is named by its upper edge."""
    c = histogram(report, "pt")
    assert not c.robust
    assert c.robust_region is not None
    usable, biased, weakest = region_words(c)
    assert usable.startswith(f"use it for pt {c.robust_region.label} GeV: ROBUST there")
    assert c.robust_region.label.startswith("< ")
    assert 40 < float(c.robust_region.label.removeprefix("< ")) < 100
    assert biased.startswith("BIASED by itself, the worst first: pt ")
    assert weakest.startswith("least is known of pt ")


def test_what_is_robust_has_no_regions(report: gv.Report) -> None:
    """Of a comparison that is ROBUST nothing is said."""
    c = histogram(report, "eta")
    assert c.robust
    assert (c.regions, c.robust_region, c.weakest_region, region_words(c)) == ((), None, None, ())


def test_a_region_of_whole_slabs_is_named_by_its_column(report: gv.Report) -> None:
    """Of a pair cut into slabs a region of whole slabs is a range of the first column."""
    c = histogram(report, "pt:phi")
    assert c.regions
    named = [in_words(c, region) for region in c.regions if " x " not in region.label]
    assert named
    assert all(words.startswith("pt ") and words.endswith(" GeV") for words in named)


def test_regions_survive_storage_and_withdrawal(report: gv.Report) -> None:
    """A stored report has the same regions; a verdict that is taken back takes them with it."""
    assert gv.Report.from_json(report.to_json()) == report
    c = histogram(report, "pt")
    assert c.withdrawn("shared rows").regions == ()


def test_nothing_usable_is_said() -> None:
    """Where no region is ROBUST the words say so, and bins without edges go by their position."""
    wrong = gv.Counts(10_000 + 4_000 * np.resize([1, -1], 40))
    c = gv.compare(wrong, gv.Counts(np.full(40, 4_000)), n_required=40_000)
    assert c.robust_region is None
    usable, biased, weakest = region_words(c)
    assert usable == "no region is shown to be ROBUST by itself"
    assert biased.startswith("BIASED by itself, the worst first: bins ")
    assert biased.endswith("; 12 more")
    assert weakest.startswith("least is known of bins ")


def test_every_output_names_the_region_to_use(report: gv.Report) -> None:
    """The terminal's line, its details, the page's remedies and its plot in words have the same region."""
    pytest.importorskip("jinja2")
    c = histogram(report, "pt")
    assert c.robust_region is not None
    place = in_words(c, c.robust_region)
    assert f"ROBUST for {place}" in explain(report)
    flat = " ".join(explain(report, details=True).split())
    assert all(sentence in flat for sentence in region_words(c))
    page = unescape(
        render(Session(finished=True, exit_status=1, failures=(), rows=(), checks=(Check.of("test_pt", report),)))
    )
    assert page.count(f"<li>pt: {region_words(c)[0]}</li>") == 1
    assert f"ROBUST by itself (marked): {place}" in page
    assert f'<th scope="row">{c.worst_bins[0].label} GeV</th>' in page
    rows = (
        page.split("<summary>Regions of pt, each by itself</summary>")[1]
        .split("</details>")[0]
        .count('<th scope="row">')
    )
    assert rows == len(c.regions)
    strips = [f'class="strip {region.verdict.lower()}"' for region in (c.robust_region, *c.biased_regions)]
    assert all(page.count(strip) == sum(other == strip for other in strips) for strip in strips)


def test_a_robust_whole_may_be_asked_about_its_regions() -> None:
    """With regions=True the regions of a ROBUST comparison are tested, too, and a spot that it hides is named."""
    rng = np.random.default_rng(3)
    means = np.full(1_000, 3_000.0)
    wrong = means.copy()
    wrong[500:510] *= np.resize([1.25, 0.75], 10)
    sides = gv.Counts(rng.poisson(10 * wrong)), gv.Counts(rng.poisson(means))
    c = gv.compare(*sides, n_required=150_000, regions=True)
    assert c.robust
    assert gv.compare(*sides, n_required=150_000).regions == ()
    assert c.weakest_region is not None
    assert c.weakest_region.first <= 509
    assert c.weakest_region.last >= 500
    assert not any("use it" in words for words in region_words(c))


def test_the_worst_bin_has_the_unit_of_its_axis() -> None:
    """A bin of a column is named with its unit wherever it is said to be off, and whole numbers have none."""
    rng = np.random.default_rng(1)
    generated = {"pt": rng.exponential(20, 8_000) + 1, "n": rng.poisson(3, 8_000)}
    reference = {"pt": rng.exponential(20, 16_000), "n": rng.poisson(3.2, 16_000)}
    report = gv.validate(generated, reference, n_required=2_000, observables=["pt", "n"], units={"pt": "GeV"})
    label = histogram(report, "pt").worst_bins[0].label
    assert f"worst bin {label} GeV: " in gv.explain(report)
    assert f"{label} GeV: " in gv.explain(report, details=True)
    assert f", in {label} GeV;" in describe("pt", report.comparisons["pt"])
    assert "GeV" not in describe("n", report.comparisons["n"])

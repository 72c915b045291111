"""Text for terminals: honest numbers, and nothing that steers the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid.observables import Mean
from pytest_ganvalid.report.document import Session
from pytest_ganvalid.report.html import render
from pytest_ganvalid.report.layout import width
from pytest_ganvalid.report.text import as_report, explain, headline, phrases

UNPROVEN = gv.compare(
    gv.Counts([105, 212, 287, 214, 182]), gv.Counts([812, 1630, 2421, 1577, 1560]), n_required=500, name="mass"
)

PLACE = np.arange(20)
CALM, WILD = 3000 + 9 * ((37 * PLACE) % 23 - 11), 3000 + 8 * ((29 * PLACE) % 19 - 9)
ALONG = 2 * PLACE - 19


def bins(contents: Any) -> gv.Counts:
    """A histogram of twenty bins."""
    return gv.Counts(contents, edges=range(80, 101))


def compared(contents: Any, name: str) -> gv.Comparison:
    """A histogram against that of the reference, at one n_required."""
    return gv.compare(bins(contents), bins(WILD), n_required=4_000, name=name)


FEW = gv.compare(bins(np.full(20, 120)), bins(104 + 8 * ((7 * PLACE) % 5)), n_required=4_000, name="n_jets")
MEAN = gv.compare_estimates((1.015, 0.005, 60_000), (1.03, 0.005, 60_000), n_required=4_000, name="mean")
PEAK = gv.compare_estimates((91.3, 0.01, 60_000), (91.2021, 0.012, 60_000), n_required=4_000, name="peak")
COMPARISONS = (
    compared(CALM, "eta"),
    FEW,
    compared(CALM + 32 * ALONG, "mass"),
    compared(CALM + 3 * (ALONG**2 - 133), "width"),
    MEAN,
    PEAK,
    compared(3000 + 10 * ((31 * PLACE) % 23 - 11), "phi"),
)
GATE = gv.combine({c.name: c for c in COMPARISONS})


def test_a_gate_is_told_the_worst_first() -> None:
    """A line for the whole, one next step, a line for each that is not ROBUST with what is wrong, one for the rest."""
    assert explain(GATE).split("\n") == [
        "BIASED: 3 of 7 observables at n_required 4,000; supported 503 (mass)",
        "next: improve mass, width, peak; then 12,059 reference events (have 2,400) and",
        "  432,887 generated events (have 60,000)",
        "  mass    BIASED    χ²/ndf 4.42 [3.83, 4.97] > 1.5 in 9 components",
        "                    shifted up by 7.9 error bars",
        "                    worst bin [80, 81): -3.2 error bars",
        "  width   BIASED    χ²/ndf 4.22 [3.65, 4.76] > 1.5 in 9 components",
        "                    too wide by 7.7 error bars",
        "                    worst bin [99, 100): +3.4 error bars",
        "                    ROBUST for width in [85, 96)",
        "  peak    BIASED    bias 2.11 [1.55, 2.66] > 1 error bars",
        "                    91.300 ± 0.010, reference 91.202 ± 0.012",
        "  n_jets  UNPROVEN  χ²/ndf 1 [1, 2.31] not below 1.5 in 9 components",
        "  mean    UNPROVEN  bias 0.775 [0.154, 1.38] not below 1 error bars",
        "  2 ROBUST: eta, phi",
    ]


def test_details_are_those_of_all() -> None:
    """With details the same lines come first, and then all numbers and reasons of every observable, the worst first."""
    short, long = explain(GATE), explain(GATE, details=True)
    assert long.startswith(f"{short}\n\nmass: BIASED\n  χ²_req/ndf ")
    parts = long.split("\n\n")[1:]
    names = ["mass", "width", "peak", "n_jets", "mean", "eta", "phi"]
    assert [part.partition(":")[0] for part in parts] == names
    for part, c in zip(parts, (GATE.comparisons[name] for name in names), strict=True):
        words = " ".join(part.split())
        assert all(" ".join(f"- {reason}".split()) in words for reason in c.reasons)


def test_numbers_are_told_once() -> None:
    """No number is told twice, limits apart, and none of events that is nearly that of another observable."""
    numbers = re.findall(r"\d[\d,.]+\d", re.sub(r"(>|not below) \S+", "", explain(GATE)))
    assert len(numbers) == len(set(numbers))
    large = replace(MEAN, n_reference_needed=99_000.0)
    alike = gv.combine({"mean": large, "n_jets": FEW, "more": replace(FEW, n_reference_needed=12_060.0)})
    assert explain(alike).count("needs 12,0") == 1
    assert "needs" not in explain(gv.combine({"n_jets": FEW, "more": replace(FEW, n_reference_needed=12_060.0)}))


def test_one_step_for_the_whole() -> None:
    """The step names what is BIASED, what proves nothing, and the most events that anything needs."""

    def step(*comparisons: Any) -> str:
        lines = explain(gv.combine({f"{c.name}{i}": c for i, c in enumerate(comparisons)})).split("\n")
        return " ".join(lines[1:3]).removeprefix("next: ").partition("  ")[0]

    mass = COMPARISONS[2]
    void = FEW.withdrawn("it would be ROBUST, but cannot see")
    assert step(mass) == "improve mass0"
    assert step(*[mass] * 9) == "improve mass0, mass1, mass2, mass3 and 5 more"
    assert step(mass, void) == "improve mass0; then settle what is said of n_jets1"
    assert step(void) == "settle what is said below"
    copied = gv.compare_estimates((1.0, 0.01, 100), (1.0, 0.01, 100), n_required=5_000, name="copied")
    assert copied.power < 0.9
    assert step(copied) == "settle what is said below"
    sparse = gv.compare(bins((PLACE == 3) * 2), bins(WILD), n_required=100, name="sparse")
    assert step(sparse) == "1,000 generated events (have 2)"
    assert step(FEW) == "12,059 reference events (have 2,400) and 40,000 generated events (have"
    assert step(replace(FEW, n_generated_needed=2_000.0)) == "12,059 reference events (have 2,400)"
    more = replace(FEW, n_reference_needed=5.0, n_generated_needed=70_000.0)
    assert step(FEW, more) == "12,059 reference events (have 2,400) and 70,000 generated events (have"
    never = replace(FEW, n_reference_needed=math.inf)
    assert step(never) == "compare another observable, or lower n_required: no number of events"
    ours, theirs = 2 * FEW.n_generated, 2 * FEW.n_reference  # which the whole sample has
    half = replace(FEW, n_required=2_000, share=0.5, n_generated_needed=ours, n_reference_needed=theirs)
    assert step(half) == "improve n_jets0, or lower n_required to what is supported"
    enough = replace(FEW, power=0.99)
    assert step(enough) == "improve n_jets0, or lower n_required to what is supported"


def test_why_nothing_is_decided() -> None:
    """What is withdrawn, or taken back by Holm's correction, is told in its own words, once for several."""
    void = {name: FEW.withdrawn("the samples are copies") for name in ("x", "y")}
    assert explain(gv.combine(void)).split("\n")[2:] == ["  2 UNPROVEN: x, y", "    the samples are copies"]
    weak = compared(CALM + 17 * ALONG, "weak")
    assert weak.verdict == "BIASED"
    assert 1e-3 < weak.p_biased < 0.05
    report = gv.combine({"weak": weak, **{str(i): COMPARISONS[0] for i in range(60)}})
    assert "  weak  UNPROVEN  BIASED by itself (p = 0.0" in explain(report)


def test_single_bins_and_units() -> None:
    """A bin that is off by itself is told with its limit, and no number is called supported that is not."""
    contents = np.full(1_000, 3_000)
    off = contents.copy()
    off[7] *= 3
    report = as_report(gv.compare(gv.Counts(off), gv.Counts(contents), n_required=30_000, name="towers"))
    assert report.verdict == "BIASED"
    assert report.n_supported > report.n_required
    lines = explain(report).split("\n")
    assert lines[0] == "BIASED: 1 of 1 observable at n_required 30,000"
    assert lines[2].startswith("  towers  BIASED    bin 7 is off by at least ")
    rng = np.random.default_rng(1)
    mev, gev = {"mass": 1_000 * rng.normal(91, 3, 9_000)}, {"mass": rng.normal(91, 3, 9_000)}
    assert "are both in one unit" in explain(gv.validate(mev, gev, n_required=1_000, observables=["mass"]))


def test_limits_are_on_the_side_that_the_verdict_says() -> None:
    """However close a bias is to its limit, the numbers shown say which is larger."""
    for lower, words in ((1.0001, "bias 2 [1.0001, 3] > 1"), (1.3, "bias 2 [1.3, 3] > 1")):
        close = replace(PEAK, bias=gv.Interval(lower=lower, estimate=2.0, upper=3.0))
        assert f"  peak  BIASED    {words}" in explain(close)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
NUMBERS = st.floats(1, 1e12)


@pytest.mark.parametrize("details", [False, True])
@given(st.dictionaries(NAMES, st.sampled_from(COMPARISONS), min_size=1, max_size=12), NUMBERS, NUMBERS)
def test_lines_have_eighty_columns(details: bool, chosen: dict[str, Any], n_required: float, needed: float) -> None:  # noqa: FBT001
    """Whatever names and numbers there are, no line is wider than a terminal, but for a name that hardly fits."""
    comparisons = {
        name: replace(c, n_required=n_required, n_reference_needed=needed, n_supported=needed / 7)
        for name, c in chosen.items()
    }
    report = replace(gv.combine(comparisons), notes=("a note " * 30,), skipped={"word " * 9: "not numeric"})
    for line in explain(report, details=details).split("\n"):
        assert line.isprintable()
        assert width(line) <= 80 or width(line.split(" ")[-1]) > 80 - 16


def _samples(rng: np.random.Generator, shift: float) -> dict[str, Any]:
    x = rng.normal(shift, size=9_000)
    return {
        "x": x,
        "y": rng.normal(size=9_000),
        "energy": np.repeat([10, 20, 20], 3_000),
        "w": rng.uniform(1, 2, 9_000),
    }


def _merged(generated: Any, reference: Any) -> gv.Report:
    parts = [{name: values[i::2] for name, values in generated.items()} for i in (0, 1)]
    theirs = gv.fill(reference, observables=["x"])
    ours = gv.fill(parts[0], like=theirs) + gv.fill(parts[1], like=theirs)
    return gv.validate(ours, theirs, n_required=2_000)


ROADS: dict[str, Callable[[Any, Any], gv.Report]] = {
    "by": lambda g, r: gv.validate(g, r, n_required=2_000, observables=["x"], by="energy"),
    "estimators": lambda g, r: gv.validate(g, r, n_required=2_000, observables=["x", Mean("y")]),
    "pairs": lambda g, r: gv.validate(g, r, n_required=2_000, observables=[("x", "y"), "x"]),
    "weights": lambda g, r: gv.validate(g, r, n_required=2_000, observables=["x", "y"], weight="w"),
    "merged": _merged,
}


@pytest.mark.parametrize("road", ROADS)
def test_terminal_page_and_json_say_the_same(road: str) -> None:
    """The n_required that is supported, and by which observable, is one number everywhere, shared out or not."""
    pytest.importorskip("jinja2")
    rng = np.random.default_rng(1)
    report = ROADS[road](_samples(rng, 0.08), _samples(rng, 0.0))
    supported = f"{math.floor(report.n_supported):,}"
    assert f"; supported {supported} (" in explain(report)
    assert phrases(report, 80)[0].endswith(f"supported {supported} ({report.weakest})")
    assert gv.Report.from_json(report.to_json()).n_supported == report.n_supported
    page = render(Session.from_json(report.to_json()))
    assert f"the data support {supported} <small>{report.weakest}, " in page.replace("&gt;", ">")
    for c in report.comparisons.values():
        own = f"{math.floor(c.n_supported):,}"
        assert f"n_supported   {own} (" in explain(report, details=True)
        part = f" <small>its share of n_required is {c.n_required:,.0f}</small>" if c.share != 1 else ""
        assert f"<td>{own}{part}</td>" in page


def test_a_stratum_by_itself_is_at_its_share_of_the_whole() -> None:
    """A stratum that is told by itself says n_required of the whole check, as what it supports is of the whole."""
    part = replace(UNPROVEN, share=0.25)
    report = as_report(part)
    assert report.n_required == 4 * part.n_required
    assert report.n_supported == 4 * part.n_supported
    assert "n_supported   366 (n_required 500, its share" in explain(part, details=True)


def test_supported_number_is_not_rounded_up() -> None:
    """The n_required that is printed as supported is one, so following the advice gives ROBUST."""
    assert UNPROVEN.n_supported == pytest.approx(366.144, abs=5e-4)
    unproven = replace(UNPROVEN, n_supported=366.9)
    expected = UNPROVEN.expected_n_supported
    between = f"{int(expected.lower):,} to {int(expected.upper):,}"
    assert f"n_supported   366 (n_required 500; a perfect generator gets {between})" in explain(unproven, details=True)
    assert "supported 366 (mass" in explain(unproven)
    rng = np.random.default_rng(0)
    for _ in range(100):
        counts = [gv.Counts(rng.multinomial(3_000, [0.1] * 10)) for _ in range(2)]
        supported = gv.compare(*counts, n_required=400).n_supported
        if supported > 20:  # below no generator could be BIASED
            supported = math.floor(supported)
            assert gv.compare(*counts, n_required=supported).robust


def test_nothing_is_supported_by_samples_that_demonstrate_nothing() -> None:
    """Samples that are not independent, or too few, support no n_required at all."""
    same = gv.compare(
        gv.Counts([1000, 2000, 3000, 4000]), gv.Counts([1000, 2000, 3000, 4000]), n_required=10, name="copy"
    )
    few = gv.compare(gv.Counts([3, 4]), gv.Counts([4, 3]), n_required=10, name="few")
    for found in (same, few):
        assert found.n_supported == 0
        assert "; nothing supported" in headline(as_report(found))
        assert phrases(as_report(found), 60) == ["n_required 10, nothing supported"]


def test_notes_are_told() -> None:
    """What a report notes stands after the table, on a line each."""
    report = replace(gv.combine({"mass": UNPROVEN}), notes=("near copies were not\nlooked for", "another"))
    assert explain(report).endswith("\nnote: near copies were not\\nlooked for\nnote: another")
    assert "note:" not in explain(UNPROVEN)


def test_what_is_not_compared_is_told() -> None:
    """What was skipped stands last, with its reason, which is said once."""
    skipped = {"run\nnumber": "has one value", "word": "not numeric", "id": "has one value"}
    report = replace(gv.combine({"mass": UNPROVEN}), skipped=skipped)
    assert explain(report).endswith("\nnot compared: run\\nnumber, id (has one value), word (not numeric)")
    assert "not compared" not in explain(UNPROVEN)


def test_hostile_names_stay_on_their_line() -> None:
    """Line breaks and escape sequences in a name are shown, not obeyed."""
    found = gv.compare(gv.Counts([50, 60]), gv.Counts([70, 80]), n_required=10, name="a\nb\x1b[31mc")
    text = explain(found, details=True)
    assert "\x1b" not in text
    assert text.count("\\nb\\x1b[31mc") == 3  # in the first line, the table and the details


def test_robust_comparison_is_told_without_worst_bins() -> None:
    """Where nothing is wrong no bin is accused and no systematic is asked for."""
    good = gv.compare(
        gv.Counts([10_100, 9_900, 10_050]), gv.Counts([20_000, 20_100, 19_900]), n_required=1_000, name="good"
    )
    assert good.robust
    assert "worst bins" not in explain(good, details=True)
    assert "systematic" not in explain(good, details=True)
    assert "next:" not in explain(good, details=True)


def test_attempts_and_looks_are_told() -> None:
    """A later attempt, or one of several looks, is told with its level; of a first and only one nothing is said."""
    counts = tuple(map(np.array, ([105, 212, 287, 214, 182], [812, 1630, 2421, 1577, 1560])))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"attempt": 3}, "attempt 3, at level 0.00417"),
        ({"looks": 3}, "one of 3 planned looks, at level 0.0232"),
        ({"attempt": 2, "looks": 3}, "attempt 2, one of 3 planned looks, at level 0.00386"),
    ]
    for keywords, words in cases:
        found = gv.compare(gv.Counts(counts[0]), gv.Counts(counts[1]), n_required=500, name="mass", **keywords)
        assert explain(found).endswith(f"\n{words}")
        assert phrases(as_report(found), 60)[-1] == words
    assert "level" not in explain(UNPROVEN)
    assert phrases(as_report(UNPROVEN), 60) == ["n_required 500, supported 366 (mass)"]


def test_the_confidence_of_a_later_attempt_is_that_of_its_level() -> None:
    """What is demonstrated at attempt 2 is so at the confidence of a level of 0.05/6."""
    far = np.array([1000.0, 2000, 1000]), np.array([2000.0, 1000, 1000])
    found = gv.compare(gv.Counts(far[0]), gv.Counts(far[1]), n_required=500, attempt=2)
    assert "a disagreement is demonstrated at 99.17 % confidence" in explain(found, details=True)

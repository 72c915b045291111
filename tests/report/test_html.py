"""The HTML report says what the verdicts say, of anything called anything, and needs nothing but itself."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import version

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import html
from pytest_ganvalid.report.text import Result, as_report
from pytest_ganvalid.statistics.reasons import at_most, count, percent

pytest.importorskip("jinja2")

PIXEL = b"\x89PNG\r\n\x1a\n"


class _Page(HTMLParser):
    """The tags, addresses, identifiers and text of a page; checks that tags are balanced."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "srcset"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)


def _histograms(shift: float = 0.0, events: int = 100_000) -> gv.Comparison:
    rng = np.random.default_rng(2)
    truth = np.full(10, events / 10)
    return gv.compare(
        gv.Counts(rng.poisson(truth * (1 + shift * np.linspace(-1, 1, 10)))),
        gv.Counts(rng.poisson(truth)),
        n_required=5_000,
    )


ROBUST, BIASED, UNPROVEN = _histograms(), _histograms(shift=0.3), _histograms(events=500)


def _check(result: Result, nodeid: str = "test_a.py::test", *, gate: bool = True) -> html.Check:
    report = as_report(result)
    return html.Check(nodeid=nodeid, gate=gate, report=report, pictures=dict.fromkeys(report.comparisons, PIXEL))


def _report() -> gv.Report:
    rng = np.random.default_rng(5)
    generated = {"mass": rng.normal(90, 5, 20_000), "pt": rng.exponential(30, 20_000)}
    reference = {"mass": rng.normal(90, 5, 20_000), "pt": rng.exponential(30, 20_000)}
    return gv.validate(generated, reference, n_required=1_000, bins=20)


def test_numbers_have_a_table_of_their_own() -> None:
    """Histograms and single numbers stand in two tables, whose links lead to their sections whatever the order."""
    number = compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000)
    report = gv.Report(
        verdict=gv.Verdict.BIASED,
        reasons=(),
        n_required=5_000,
        comparisons={"first": ROBUST, "<peak>": number, "last": UNPROVEN},
    )
    page = _Page(html.render([_check(report)]))
    assert page.tags.count("table") == 3
    assert {address.removeprefix("#") for address in page.addresses if address.startswith("#plot")} <= set(page.ids)
    for words in (
        "91.2500 ± 0.0025",
        "91.2021 ± 0.0025",
        "difference +0.0479",
        "error bar of 50,000 events 0.0112",
        "from 3.764 to 4.804",
        *number.reasons,
    ):
        assert words in page.text
    assert page.tags.count("details") == 1  # the worst bins of UNPROVEN; a number has none
    assert _Page(html.render([_check(number)])).tags.count("table") == 2


def test_what_is_not_compared_is_told() -> None:
    """What was skipped is listed with its reason, and the table of tests has n_supported of the whole check."""
    half = replace(ROBUST, share=0.5)
    report = replace(
        as_report(ROBUST), comparisons={"half": half}, skipped={"<w>": "not numeric", "one": "has one value"}
    )
    page = _Page(html.render([_check(report)]))
    assert "Not compared: <w> (not numeric), one (has one value)" in page.text
    assert at_most(report.n_supported) in page.text
    assert report.n_supported == 2 * ROBUST.n_supported
    assert "Not compared" not in _Page(html.render([_check(ROBUST)])).text


def test_samples_have_the_verdicts_they_are_named_after() -> None:
    """The samples of these tests cover the three verdicts."""
    assert (str(ROBUST.verdict), str(BIASED.verdict), str(UNPROVEN.verdict)) == ("ROBUST", "BIASED", "UNPROVEN")


def test_page_needs_nothing_else() -> None:
    """Every address is a place on the page or holds its own data, no script runs, and tags are balanced."""
    page = _Page(html.render([_check(_report()), _check(BIASED, "test_a.py::other[a b]")]))
    assert {"script", "link", "iframe"}.isdisjoint(page.tags)
    assert len(page.ids) == len(set(page.ids))
    for address in page.addresses:
        assert address.startswith("data:image/png;base64,") or address.removeprefix("#") in page.ids


@pytest.mark.parametrize("comparison", [ROBUST, BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_all_numbers_and_reasons_are_told(comparison: gv.Comparison) -> None:
    """Verdict, χ², bias, supported and equivalent events, power, samples and reasons are on the page."""
    text = _Page(html.render([_check(comparison)])).text
    c, per = comparison, comparison.ndf
    assert f"from {c.chi2_required.lower / per:.4g} to {c.chi2_required.upper / per:.4g}" in text
    assert f"critical {c.chi2_critical / per:.4g}" in text
    assert f"from {c.rms_bias.lower:.4g} to {c.rms_bias.upper:.4g}" in text
    for number in (c.n_required, c.n_generated, c.n_reference):
        assert count(number) in text
    for number in (c.n_supported, c.n_equivalent.lower):
        assert at_most(number) in text
    for words in (*c.reasons, str(c.verdict), percent(c.power), version("pytest-ganvalid")):
        assert words in text


def test_infinite_is_a_sign() -> None:
    """A generator that may be worth infinitely many events is told with ∞."""
    upper = replace(ROBUST, n_equivalent=gv.Interval(lower=3, estimate=float("inf"), upper=float("inf")))
    text = _Page(html.render([_check(upper)])).text
    assert "∞ from 3 to ∞" in text
    assert " inf" not in text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a&b;'"]
)
def test_names_are_text(name: str) -> None:
    """An observable, bin, test or file called like markup is shown, not obeyed."""
    worst = replace(BIASED.worst_bins[0], label=name)
    report = replace(
        as_report(replace(BIASED, name=name, worst_bins=(worst,), reasons=(name,))), provenance={name: name}
    )
    page = _Page(html.render([_check(report, f"test_a.py::test[{name}]")]))
    assert page.tags.count("script") == 0
    assert page.tags.count("img") == 1
    assert page.text.count(name) >= 5


@pytest.mark.parametrize("nodeid", ["a/test_b.py::T::test_c[1-x]", "test_a.py::test[a b]", "test_a.py::test[<é>]"])
def test_tests_are_anchors(nodeid: str) -> None:
    """A link to report.html#nodeid, as a browser spells it, finds the test; plain identifiers are spelt as they are."""
    page = _Page(html.render([_check(ROBUST, nodeid)]))
    spelt = nodeid.replace(" ", "%20").replace("<é>", "%3C%C3%A9%3E")
    assert page.ids[0] == spelt
    assert f"#{spelt}" in page.addresses


def test_checks_of_one_test_stay_together() -> None:
    """Two checks of a test are under one heading, and one that only looked says so."""
    page = _Page(html.render([_check(ROBUST), _check(BIASED, gate=False)]))
    assert page.tags.count("section") == 1
    assert page.tags.count("h3") == 2
    assert page.text.count("looked only, not a gate") == 2


def _row(nodeid: str, outcome: str, status: str, reason: str = "", **more: object) -> dict[str, object]:
    usual = {"checks": [], "runs": 1, "earlier": [], "hidden": False}
    return {"nodeid": nodeid, "outcome": outcome, "status": status, "reason": reason, **usual, **more}


def test_the_headline_counts_rows() -> None:
    """The headline counts tests and not checks, each test has its row with the reason, and failures are told."""
    rows = [
        _row("test_a.py::test", "ROBUST", "passed", runs=2, earlier=["BIASED"]),
        _row("test_a.py::other", "BIASED", "passed", hidden=True),
        _row("<b>", "no demonstration", "skipped", "skipped"),
        _row("test_c.py", "no demonstration", "error at collection", "error at collection"),
    ]
    checks = [_check(ROBUST), _check(ROBUST), _check(BIASED, "test_a.py::other")]
    page = _Page(html.render(checks, rows, {"exit_status": 1, "failures": ["<i>so</i>"]}))
    words = "1 demonstrated, 1 BIASED, 2 no demonstration (1 skipped, 1 error at collection)"
    for text in (
        words,
        "<i>so</i>",
        "exit status 1",
        "<b>",
        "although a check was not ROBUST",
        "run 2, before: BIASED",
    ):
        assert text in page.text
    assert "1 ROBUST" not in page.text
    alone = _Page(html.render([], rows[2:], {"exit_status": 0, "failures": []}))
    assert "0 demonstrated, 2 no demonstration" in alone.text
    assert "No check was made" not in alone.text


@pytest.mark.parametrize("comparison", [BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_nothing_is_claimed_beyond_the_verdict(comparison: gv.Comparison) -> None:
    """Apart from the legend and the counts, the page of a failed check nowhere says ROBUST."""
    page = html.render([_check(comparison)])
    body = page[page.index("<main>") :]
    assert "ROBUST" not in body
    assert re.search(r"agreement at .* is demonstrated", body) is None


def test_no_check_is_not_a_success() -> None:
    """A run without a check says that nothing was demonstrated."""
    text = _Page(html.render([])).text
    assert "nothing was demonstrated" in text
    assert "ROBUST" not in text


def test_provenance_is_told() -> None:
    """The settings and versions that go with a report are on the page."""
    text = _Page(html.render([_check(_report())])).text
    assert '"generated_events": 20000' in text


def test_notes_are_told() -> None:
    """What a report notes stands on the page, as text."""
    page = _Page(html.render([_check(replace(_report(), notes=("<b>near</b> copies were not looked for",)))]))
    assert "Note: <b>near</b> copies were not looked for" in page.text
    assert "Note:" not in _Page(html.render([_check(replace(_report(), notes=()))])).text


def test_pictures_may_lack() -> None:
    """Without matplotlib the page has no picture, and is whole otherwise."""
    page = _Page(html.render([replace(_check(ROBUST), pictures={})]))
    assert "img" not in page.tags
    assert ROBUST.reasons[0] in page.text


def test_missing_jinja2_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 the error names the feature, the package and the command."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(
        MissingExtraError, match=r"HTML report needs .*'jinja2'.*pip install \"pytest-ganvalid\[report\]\""
    ):
        html.render([])


@pytest.mark.parametrize("verdict", list(gv.Verdict))
def test_every_verdict_has_a_meaning(verdict: gv.Verdict) -> None:
    """Each verdict is explained."""
    assert html.MEANINGS[verdict]
    assert set(html.MEANINGS) == set(gv.Verdict)


@pytest.mark.parametrize("attempt", [1, 2])
def test_attempts_are_told(attempt: int) -> None:
    """A later attempt is told beside the verdict, with its level; of a first one nothing is said."""
    counts = [np.array([105.0, 212, 287]), np.array([812.0, 1630, 2421])]
    found = gv.compare(gv.Counts(counts[0]), gv.Counts(counts[1]), n_required=500, attempt=attempt)
    check = html.Check(nodeid="test", gate=True, report=as_report(found), pictures={})
    assert ("attempt 2, at level 0.00833" in _Page(html.render([check])).text) is (attempt == 2)


def test_no_control_characters_in_the_page() -> None:
    """What could steer a terminal or turn a text round is spelled out; lines and other letters stay."""
    assert html.escaped("a\x00\x1b[31m\u202eb\nχ²") == "a\\x00\\x1b[31m\\u202eb\nχ²"
    assert html.escaped(5) == 5

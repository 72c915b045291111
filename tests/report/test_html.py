"""The HTML report says what the verdicts say, of anything called anything, and needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.errors import MissingExtraError
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report import html
from pytest_ganvalid.report.document import Check, Row, Run, Session
from pytest_ganvalid.report.measures import decisive
from pytest_ganvalid.report.text import Result, as_report
from pytest_ganvalid.results import at_most
from pytest_ganvalid.statistics.reasons import count, percent

pytest.importorskip("jinja2")


class Page(HTMLParser):
    """What a page holds; checks that tags are balanced.

    Attributes:
        tags: Names of all elements.
        attributes: Theirs, in the same order.
        ids: Identifiers.
        addresses: What links and pictures name.
        tables: Of each table its elements, as (name, scope).
        text: All words, those of pictures included.
    """

    VOID = frozenset({"meta", "img", "br", "input"})

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str]] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tables: list[list[tuple[str, str]]] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        own = {name: value or "" for name, value in attrs}
        assert len(own) == len(attrs)
        self.tags.append(tag)
        self.attributes.append(own)
        self.addresses += [value for name, value in own.items() if name in {"href", "src", "action", "srcset"}]
        self.ids += [own["id"]] if "id" in own else []
        if tag == "table":
            self.tables.append([])
        if tag in {"tr", "th", "td", "caption", "thead", "tbody"}:
            self.tables[-1].append((tag, own.get("scope", "")))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element that is closed at once."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last element that was opened."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take note of words."""
        if not {"style", "script"}.intersection(self._open):
            self._words.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        """Attributes of all elements of a name."""
        return [own for name, own in zip(self.tags, self.attributes, strict=True) if name == tag]


def _histograms(shift: float = 0.0, events: int = 100_000) -> gv.Comparison:
    rng = np.random.default_rng(2)
    truth = np.full(10, events / 10)
    return gv.compare(
        gv.Counts(rng.poisson(truth * (1 + shift * np.linspace(-1, 1, 10)))),
        gv.Counts(rng.poisson(truth)),
        n_required=5_000,
    )


ROBUST, BIASED, UNPROVEN = _histograms(), _histograms(shift=0.3), _histograms(events=500)


def _check(result: Result, nodeid: str = "test_a.py::test", *, gate: bool = True) -> Check:
    return Check.of(nodeid, result, gate=gate)


def _render(
    checks: Sequence[Check], rows: Sequence[Row] = (), run: Run | None = None, *, finished: bool = True, **more: Any
) -> str:
    outcome = {"exit_status": 0, "failures": (), **more}
    return html.render(Session(finished=finished, rows=tuple(rows), checks=tuple(checks), run=run, **outcome))


def _report() -> gv.Report:
    rng = np.random.default_rng(5)
    generated = {"mass": rng.normal(90, 5, 20_000), "pt": rng.exponential(30, 20_000)}
    reference = {"mass": rng.normal(90, 5, 20_000), "pt": rng.exponential(30, 20_000)}
    return gv.validate(generated, reference, n_required=1_000, bins=20)


def _details(page: str) -> str:
    """The page without its legend and its head."""
    return page[page.index("<main") : page.index("<footer>")]


def test_numbers_have_a_table_of_their_own() -> None:
    """Histograms and single numbers stand in two tables, whose links lead to their places whatever the order."""
    number = compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000)
    report = gv.Report(
        verdict=gv.Verdict.BIASED,
        reasons=(),
        n_required=5_000,
        comparisons={"first": ROBUST, "<peak>": number, "last": UNPROVEN},
    )
    page = Page(_render([_check(report)]))
    assert {"Histograms", "Single numbers"} <= {own.get("aria-label") for own in page.of("div")}
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
    alone = Page(_render([_check(number)]))
    assert "Histograms" not in {own.get("aria-label") for own in alone.of("div")}


def test_what_is_not_compared_is_told() -> None:
    """What was skipped is listed with its reason, and the heading has n_supported of the whole check."""
    half = replace(ROBUST, share=0.5)
    report = replace(
        as_report(ROBUST), comparisons={"half": half}, skipped={"<w>": "not numeric", "one": "has one value"}
    )
    page = Page(_render([_check(report)]))
    assert "Not compared: <w> (not numeric), one (has one value)" in page.text
    assert "anything about <w>, one, which was not compared" in page.text
    assert f"the data support {at_most(report.n_supported)}" in page.text
    assert report.n_supported == 2 * ROBUST.n_supported
    assert "Not compared" not in Page(_render([_check(ROBUST)])).text


def test_samples_have_the_verdicts_they_are_named_after() -> None:
    """The samples of these tests cover the three verdicts."""
    assert (str(ROBUST.verdict), str(BIASED.verdict), str(UNPROVEN.verdict)) == ("ROBUST", "BIASED", "UNPROVEN")


def test_page_needs_nothing_else() -> None:
    """Nothing is loaded: every address is a place on the page or a link to follow, and only our own script may run."""
    source = _render([_check(_report()), _check(BIASED, "test_a.py::other[a b]")])
    page = Page(source)
    assert {"link", "iframe", "img", "object", "audio", "video", "base"}.isdisjoint(page.tags)
    assert page.tags.count("script") == 1
    assert re.search(r"url\(|@import", source) is None
    assert len(page.ids) == len(set(page.ids))
    for own in page.attributes:
        assert "src" not in own
        assert not any(name.startswith("on") or name == "style" for name in own)
    assert [own["href"] for own in page.of("a") if not own["href"].startswith("#")] == [
        "https://arxiv.org/abs/2002.06307"
    ] * 2
    assert {own["href"].removeprefix("#") for own in page.of("a") if own["href"].startswith("#")} <= set(page.ids)
    script = re.search(r"<script>(.*?)</script>", source, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    (policy,) = [own["content"] for own in page.of("meta") if "http-equiv" in own]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_nothing_needs_the_script() -> None:
    """What only a script makes work is hidden until it does, and nothing else is hidden."""
    page = Page(_render([_check(_report())]))
    hidden = [(tag, own) for tag, own in zip(page.tags, page.attributes, strict=True) if "hidden" in own]
    assert [(tag, own["id"]) for tag, own in hidden] == [("form", "ganvalid-filter")]


def test_the_outcome_comes_first() -> None:
    """Outcome, date, commit, command, link and what is not demonstrated come before all numbers."""
    run = Run(
        date="2030-01-02T03:04:05+00:00",
        version="9.9",
        command="pytest -k '<b>'",
        commit="abc123-dirty",
        link="https://ci.example/runs/7",
    )
    report = replace(
        as_report(BIASED), comparisons={"mass": BIASED, "pt": UNPROVEN}, notes=("near copies were not looked for",)
    )
    page = Page(_render([_check(report)], run=run, exit_status=3))
    before = page.text[: page.text.index("Observables, the most severe first")]
    words = ["BIASED", run.date, run.commit, run.command, run.link, "Exit status 3", "What is not demonstrated"]
    words += ["near copies were not looked for", "in mass (BIASED)", "in pt (UNPROVEN)", "not listed here"]
    places = [before.index(each) for each in words]
    assert places == sorted(places)
    assert "pytest-ganvalid 9.9" in page.text
    assert run.link in page.addresses


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "https://a/ b", ' https://a"onclick="x'])
def test_a_link_leads_to_the_web(link: str) -> None:
    """What is no address of the web is shown, and is no link."""
    page = Page(_render([_check(ROBUST)], run=Run(date="", version="", link=link)))
    assert link.strip() in page.text
    assert all(address.startswith(("#", "https://arxiv.org/")) for address in page.addresses)


@pytest.mark.parametrize(
    ("rows", "finished", "outcome"),
    [
        (("ROBUST",), True, "ROBUST"),
        (("ROBUST",), False, "no demonstration"),
        (("ROBUST", "no demonstration"), True, "no demonstration"),
        (("no demonstration", "UNPROVEN"), True, "UNPROVEN"),
        (("UNPROVEN", "BIASED", "ROBUST"), True, "BIASED"),
        ((), True, "no demonstration"),
    ],
)
def test_the_outcome_is_the_worst(rows: tuple[str, ...], outcome: str, *, finished: bool) -> None:
    """One test that is not ROBUST, or a session that has not ended, leaves no page that begins with ROBUST."""
    page = Page(_render([], [_row(str(i), each, "passed") for i, each in enumerate(rows)], finished=finished))
    assert page.text.split(" - ganvalid report")[0] == outcome
    assert ("has not come to its end" in page.text) is not finished


def test_the_most_severe_come_first() -> None:
    """The index and the sections of a check are ordered by verdict, then by how little is supported."""
    strong = replace(UNPROVEN, n_supported=UNPROVEN.n_supported + 10)
    comparisons = {"a": ROBUST, "b": strong, "c": BIASED, "d": UNPROVEN}
    report = gv.Report(verdict=gv.Verdict.BIASED, reasons=(), n_required=5_000, comparisons=comparisons)
    source = _render([_check(report)])
    page = Page(source)
    index = [own["data-name"].split()[0] for own in page.of("li") if "data-name" in own]
    folded = [(own["data-name"].split()[0], "open" in own) for own in page.of("details") if "data-name" in own]
    assert index == ["c", "d", "b", "a"]
    assert folded == [("c", True), ("d", True), ("b", True), ("a", False)]
    assert source.count('<svg class="thumb"') == source.count('<svg class="plot"') - 1 == 4


@pytest.mark.parametrize("comparison", [ROBUST, BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_all_numbers_and_reasons_are_told(comparison: gv.Comparison) -> None:
    """Verdict, χ², bias, supported and equivalent events, power, samples, plan and reasons are on the page."""
    text = Page(_render([_check(comparison)])).text
    c, measure = comparison, decisive(comparison)
    assert f"from {measure.interval.lower:.4g} to {measure.interval.upper:.4g} limit {measure.allowed:.4g}" in text
    assert f"from {measure.rms_bias.lower:.4g} to {measure.rms_bias.upper:.4g} limit 1 " in text
    for number in (c.n_required, c.n_generated, c.n_reference, c.n_reference_needed, c.n_generated_needed):
        assert count(number) in text
    for number in (c.n_supported, c.n_equivalent.lower):
        assert at_most(number) in text
    for words in (*c.reasons, str(c.verdict), percent(c.power), version("pytest-ganvalid")):
        assert words in text


@pytest.mark.parametrize("comparison", [BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_a_remedy_is_told(comparison: gv.Comparison) -> None:
    """What would make a failed check ROBUST stands before its numbers; a ROBUST one needs none."""
    text = Page(_render([_check(comparison)])).text
    assert comparison.reasons[-1] in text[text.index("What would make it ROBUST") : text.index("rms bias in error")]
    assert f"n_required {at_most(comparison.n_supported)} or less" in text
    assert "What would make it ROBUST" not in Page(_render([_check(ROBUST)])).text


def test_figure_1_has_its_star() -> None:
    """Figure 1 is drawn with the star at n_train and told in words; where nothing is known, the reason is told."""
    page = Page(_render([_check(replace(BIASED, n_train=1_234.0))]))
    (label,) = [own["aria-label"] for own in page.of("svg") if "n_train" in own["aria-label"]]
    assert "The star is at n_train = 1,234" in label
    assert label in page.text
    unknown = ROBUST.withdrawn("nothing is known")
    assert "There is none: nothing is known of n_equivalent" in Page(_render([_check(unknown)])).text


def test_infinite_is_a_sign() -> None:
    """A generator that may be worth infinitely many events is told with ∞."""
    upper = replace(ROBUST, n_equivalent=gv.Interval(lower=3, estimate=float("inf"), upper=float("inf")))
    text = Page(_render([_check(upper)])).text
    assert "∞ from 3 to ∞" in text
    assert " inf" not in text.replace("infinite", "")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a&b;'"]
)
def test_names_are_text(name: str) -> None:
    """An observable, axis, bin, test, command or file called like markup is shown, not obeyed."""
    worst = replace(BIASED.worst_bins[0], label=name)
    axis = replace(BIASED.axes[0], label=name)
    comparison = replace(BIASED, name=name, worst_bins=(worst,), reasons=(name,), axes=(axis,))
    report = replace(
        as_report(comparison),
        comparisons={name: comparison},
        provenance={name: name},
        notes=(name,),
        skipped={name: name},
    )
    plain = Page(_render([_check(BIASED)]))
    row = _row(name, "no demonstration", name, name, earlier=(name,), runs=2)
    run = Run(date=name, version=name, command=name, commit=name, link=name)
    page = Page(_render([_check(report, f"test_a.py::test[{name}]")], [row], run, failures=(name,)))
    for tag in ("script", "img"):
        assert page.tags.count(tag) == plain.tags.count(tag)
    assert page.text.count(name) >= 20


@pytest.mark.parametrize("nodeid", ["a/test_b.py::T::test_c[1-x]", "test_a.py::test[a b]", "test_a.py::test[<é>]"])
def test_tests_are_anchors(nodeid: str) -> None:
    """A link to report.html#nodeid, as a browser spells it, finds the test; plain identifiers are spelt as they are."""
    page = Page(_render([_check(ROBUST, nodeid)], [_row(nodeid, "ROBUST", "passed")]))
    spelt = nodeid.replace(" ", "%20").replace("<é>", "%3C%C3%A9%3E")
    assert spelt in page.ids
    assert f"#{spelt}" in page.addresses


def test_checks_of_one_test_stay_together() -> None:
    """Two checks of a test are under one heading, and one that only looked says so."""
    page = Page(_render([_check(ROBUST), _check(BIASED, gate=False)]))
    assert page.tags.count("h3") == 2
    assert page.ids.count("test_a.py::test") == 1
    assert page.text.count("looked only, not a gate") == 1


def _row(nodeid: str, outcome: str, status: str, reason: str = "", **more: Any) -> Row:
    usual = {"checks": (), "runs": 1, "earlier": (), "hidden": False}
    return Row(nodeid=nodeid, outcome=outcome, status=status, reason=reason, **{**usual, **more})


def test_the_headline_counts_rows() -> None:
    """The headline counts tests and not checks, each test has its row with the reason, and failures are told."""
    rows = [
        _row("test_a.py::test", "ROBUST", "passed", runs=2, earlier=("BIASED",)),
        _row("test_a.py::other", "BIASED", "passed", hidden=True),
        _row("<b>", "no demonstration", "skipped", "skipped"),
        _row("test_c.py", "no demonstration", "error at collection", "error at collection"),
    ]
    checks = [_check(ROBUST), _check(ROBUST), _check(BIASED, "test_a.py::other")]
    page = Page(_render(checks, rows, exit_status=1, failures=("<i>so</i>",)))
    words = "1 demonstrated, 1 BIASED, 2 no demonstration (1 skipped, 1 error at collection)"
    for text in (
        words,
        "<i>so</i>",
        "Exit status 1",
        "<b>",
        "although a check was not ROBUST",
        "run 2, before: BIASED",
    ):
        assert text in page.text
    alone = Page(_render([], rows[2:]))
    assert "0 demonstrated, 2 no demonstration" in alone.text
    assert "No check was made" not in alone.text


@pytest.mark.parametrize("comparison", [BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_nothing_is_claimed_beyond_the_verdict(comparison: gv.Comparison) -> None:
    """Apart from the legend, the counts and regions by themselves, the page of a failed check has no verdict ROBUST."""
    body = _details(_render([_check(replace(comparison, regions=()))]))
    assert "ROBUST" not in body.replace("What would make it ROBUST", "")
    assert re.search(r"agreement at .* is demonstrated", body) is None


def test_no_check_is_not_a_success() -> None:
    """A run without a check says that nothing was demonstrated."""
    page = _render([])
    assert "nothing was demonstrated" in Page(page).text
    assert "ROBUST" not in _details(page)


def test_provenance_is_told() -> None:
    """The settings and versions that go with a report are on the page."""
    text = Page(_render([_check(_report())])).text
    assert '"generated_events": 20000' in text


def test_notes_are_told() -> None:
    """What a report notes stands on the page, as text."""
    page = Page(_render([_check(replace(_report(), notes=("<b>near</b> copies were not looked for",)))]))
    assert "Note: <b>near</b> copies were not looked for" in page.text
    assert "Note:" not in Page(_render([_check(replace(_report(), notes=()))])).text


def test_missing_jinja2_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 the error names the feature, the package and the command."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(
        MissingExtraError, match=r"HTML report needs .*'jinja2'.*pip install \"pytest-ganvalid\[report\]\""
    ):
        _render([])


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
    assert ("attempt 2, at level 0.00833" in Page(_render([_check(found)])).text) is (attempt == 2)


def test_no_control_characters_in_the_page() -> None:
    """What could steer a terminal or turn a text round is spelled out; lines and other letters stay."""
    assert html.escaped("a\x00\x1b[31m\u202eb\nχ²") == "a\\x00\\x1b[31m\\u202eb\nχ²"
    assert html.escaped(5) == 5
    page = _render([_check(replace(BIASED, name="a\x1b\u202e"), "t\x1b\u202e")])
    assert all(char.isprintable() or char == "\n" for char in page)


# For all who read it.


def _page_of_all() -> str:
    """A page with all that there may be."""
    number = compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000)
    comparisons: dict[str, gv.Comparison | gv.EstimateComparison] = {"a": ROBUST, "b": BIASED, "c": UNPROVEN}
    comparisons["peak"] = number
    report = gv.Report(verdict=gv.Verdict.BIASED, reasons=(), n_required=5_000, comparisons=comparisons)
    rows = [_row("test", "BIASED", "failed"), _row("other", "no demonstration", "skipped", "skipped")]
    provenance = {"settings": {"a_long_name_without_a_place_to_break_" * 5: "x" * 300}}
    return _render([_check(replace(report, provenance=provenance), "test"), _check(_report(), "x" * 200)], rows)


def test_tables_have_headers() -> None:
    """Every table has a caption and column headers, every row one of its own and a cell for each column."""
    page = Page(_page_of_all())
    assert len(page.tables) >= 8
    for table in page.tables:
        assert table[0] == ("caption", "")
        at = table.index(("tbody", ""))
        columns = [scope for tag, scope in table[:at] if tag == "th"]
        assert set(columns) == {"col"}
        cells = table[at + 1 :]
        starts = [i for i, (tag, _) in enumerate(cells) if tag == "tr"]
        for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
            assert cells[start + 1] == ("th", "row")
            assert [tag for tag, _ in cells[start + 2 : end]] == ["td"] * (len(columns) - 1)


def test_plots_have_text() -> None:
    """Every picture says in words what it shows, fields and regions have names, and headings leave no level out."""
    page = Page(_page_of_all())
    pictures = page.of("svg")
    assert len(pictures) == 2 * 7 + 2  # of each observable, the joint one among them, and of each check
    assert all(own["role"] == "img" and len(own["aria-label"]) > 60 for own in pictures)
    assert all(own.get("aria-label") for own in page.attributes if own.get("role") == "region")
    assert page.tags.index("label") < page.tags.index("input") < page.tags.index("output")
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.of("html") == [{"lang": "en"}]


def test_everything_is_reached_by_keyboard() -> None:
    """Parts that scroll take the focus, the focus is seen, and the first link leads past the head."""
    source = _page_of_all()
    page = Page(source)
    assert all(own["tabindex"] == "0" for own in page.of("div") if own.get("class") == "scroll")
    assert page.of("a")[0] == {"class": "skip", "href": "#ganvalid-main"}
    for element in ("a", "summary", "input", ".scroll"):
        assert f"{element}:focus-visible" in source
    assert "outline: none" not in source


STYLE = (Path(html.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
TEXTS = {
    "page": ("ink", "quiet", "link"),
    "panel": ("ink",),
    "robust-panel": ("ink",),
    "biased-panel": ("ink",),
    "other-panel": ("ink",),
    "band": ("ink",),
    "reference": ("ink",),
}
"""Background -> what is written on it."""
DRAWN = {
    "page": ("generated", "worse", "ink", "quiet", "link", "other"),
    "band": ("generated", "worse", "ink", "quiet"),
    "reference": ("generated",),
    "robust-panel": ("robust",),
    "biased-panel": ("biased",),
    "other-panel": ("other",),
}
"""Background -> lines and borders on it, and the ring of what has the focus."""


def _schemes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": dark}


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(scheme: str) -> None:
    """Texts have a contrast of 4.5:1, lines one of 3:1 (WCAG 2.2, AA), in both schemes."""
    colours = _schemes()[scheme]
    for least, pairs in ((4.5, TEXTS), (3.0, DRAWN)):
        for background, some in pairs.items():
            for name in some:
                assert _contrast(colours[name], colours[background]) >= least, (name, background)


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white has 21:1, and the lightest grey that is known to pass has 4.54:1."""
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_both_schemes_have_all_colours() -> None:
    """Colours are named once in each scheme and used by name; print has those of light."""
    schemes = _schemes()
    assert set(schemes["light"]) == set(schemes["dark"])
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) == set(schemes["light"])
    rules = re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", rules) is None
    assert re.search(r"(fill|stroke)=\"(?!none)", _page_of_all()) is None
    assert "@media screen and (prefers-color-scheme: dark)" in STYLE
    assert "@media print" in STYLE


def test_fifty_observables_fit() -> None:
    """A page of 50 observables, with far more bins than are drawn, is smaller than 5 MB."""
    rng = np.random.default_rng(3)
    many = gv.compare(
        gv.Counts(rng.poisson(100, 3_000)), gv.Counts(rng.poisson(100, 3_000)), n_required=50_000, n_train=1_000
    )
    report = gv.combine({f"x{i}": many for i in range(50)})
    assert len(_render([_check(report)]).encode()) < 5_000_000


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PROBE = """<!DOCTYPE html><body><iframe id="f" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>
<script>onload = () => {{
  const inner = document.getElementById("f").contentDocument;
  const wide = inner.documentElement.scrollWidth;
  const style = inner.defaultView.getComputedStyle(inner.body);
  const box = inner.querySelector("input[type=search]");
  box.value = "peak";
  box.dispatchEvent(new Event("input"));
  const left = inner.querySelectorAll(".index > li:not([hidden])").length;
  document.body.textContent = `probe ${{wide}} ${{style.backgroundColor}} ${{style.color}} ${{left}}`;
}};</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it(tmp_path: Path, width: int, scheme: str) -> None:
    """In Chromium no page is wider than a phone or a screen, has the scheme's colours, and filters by name."""
    # The scheme is chosen in the page: how it is asked for on the command line changes with the browser's versions.
    asked = "screen" if scheme == "dark" else "not all"
    page = _page_of_all().replace("screen and (prefers-color-scheme: dark)", asked)
    attribute = page.replace("&", "&amp;").replace('"', "&quot;")
    (tmp_path / "probe.html").write_text(PROBE.format(width=width, page=attribute), encoding="utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=5000"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width + 50},1000"]
    done = subprocess.run(
        [*command, (tmp_path / "probe.html").as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    told = re.search(r"probe (\d+) (rgb\(.*?\)) (rgb\(.*?\)) (\d+)", done.stdout)
    assert told is not None, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert int(told[1]) <= width
    colours = [_schemes()[scheme][name] for name in ("page", "ink")]
    assert [told[2], told[3]] == [f"rgb({', '.join(str(int(c[i : i + 2], 16)) for i in (1, 3, 5))})" for c in colours]
    assert told[4] == "1"

"""The results of a test run as one HTML file that needs nothing else.

All of it follows from ``report.json``. It holds no picture file: plots are SVG elements, in the colours of the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_ganvalid.errors import GanvalidError, MissingExtraError, printable
from pytest_ganvalid.report import vector
from pytest_ganvalid.report.document import Check, Run, Session
from pytest_ganvalid.report.figure import figure_of
from pytest_ganvalid.report.measures import Measure, decides, decisive, limit_of
from pytest_ganvalid.report.regions import in_words, region_words, usable_region, with_unit
from pytest_ganvalid.report.session import NOTHING, totals
from pytest_ganvalid.report.text import as_report, attempt_in_words
from pytest_ganvalid.results import BinBias, Comparison, EstimateComparison, Interval, Region, Report, Verdict, at_most
from pytest_ganvalid.statistics.reasons import count, measured, percent, rounded

if TYPE_CHECKING:
    import jinja2

MEANINGS = {
    Verdict.ROBUST: "agreement at the error bars of n_required events is demonstrated",
    Verdict.BIASED: "a disagreement larger than those error bars is demonstrated",
    Verdict.UNPROVEN: "the data decide neither",
}
_SEVERITY = (Verdict.BIASED, Verdict.UNPROVEN, Verdict.ROBUST)
# Signs that browsers, too, leave alone after the # of an address.
_UNESCAPED = "".join(set(string.punctuation) - set('"<>`%'))
_TEMPLATES = Path(__file__).with_name("templates")
_WEB = re.compile(r"https?://[^\s\"'<>]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One observable of one check, as the page shows it.

    Attributes:
        name: The observable.
        nodeid: The test.
        identifier: Identifier of the element on the page.
        comparison: The comparison.
        thumbnail: A small picture.
        plot: A picture.
        words: What the picture shows.
    """

    name: str
    nodeid: str
    identifier: str
    comparison: Comparison | EstimateComparison
    thumbnail: str
    plot: str
    words: str

    @property
    def key(self) -> str:
        """The text that the filter searches."""
        return f"{self.name} {self.nodeid}".lower()

    @property
    def severity(self) -> tuple[int, float]:
        """The order of parts: by the verdict, then by how little of n_required is supported."""
        c = self.comparison
        return _SEVERITY.index(c.verdict), c.n_supported / c.n_required if c.n_required else 0.0

    @property
    def measure(self) -> Measure:
        """The measure that decides."""
        return decisive(self.comparison)

    @property
    def limit(self) -> float:
        """The limit of this measure."""
        return limit_of(self.comparison, self.measure)

    @property
    def decides(self) -> bool:
        """Whether the verdict follows from this measure."""
        return decides(self.comparison)

    @property
    def worst_bins(self) -> list[tuple[str, BinBias]]:
        """The most biased bins, with their labels; none for a number."""
        c = self.comparison
        return [(with_unit(c, bias.label), bias) for bias in c.worst_bins] if isinstance(c, Comparison) else []

    @property
    def regions(self) -> list[tuple[str, Region]]:
        """The regions that were tested, with their labels."""
        c = self.comparison
        return [(in_words(c, region), region) for region in c.regions] if isinstance(c, Comparison) else []

    @property
    def usable(self) -> bool:
        """Whether the generator may be used as it is in most of the reference."""
        return isinstance(self.comparison, Comparison) and usable_region(self.comparison) is not None

    @property
    def region_words(self) -> tuple[str, ...]:
        """The regions in words."""
        return region_words(self.comparison) if isinstance(self.comparison, Comparison) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCheck:
    """One check, as the page shows it.

    Attributes:
        gate: Whether the check decided on the test, or was only recorded.
        report: Result of the check.
        parts: Its observables, the most severe first.
        figure: Figure 1 of the paper; empty if there is none.
        figure_words: The figure in words, or why there is none.
    """

    gate: bool
    report: Report
    parts: tuple[Part, ...]
    figure: str
    figure_words: str

    @property
    def histograms(self) -> list[Part]:
        """The parts that are histograms."""
        return [part for part in self.parts if isinstance(part.comparison, Comparison)]

    @property
    def estimates(self) -> list[Part]:
        """The parts that are one number."""
        return [part for part in self.parts if isinstance(part.comparison, EstimateComparison)]

    @property
    def remedies(self) -> list[tuple[str, str]]:
        """What would make each observable ROBUST, which is the last of its reasons; and what can be used as it is."""
        if self.report.robust:
            return []
        steps = [(part.name, part.comparison.reasons[-1]) for part in self.parts if not part.comparison.robust]
        steps += [(part.name, part.region_words[0]) for part in self.parts if part.usable]
        supported = self.report.n_supported
        if 1 <= supported < self.report.n_required:
            steps.append(("all", f"with these data, n_required {at_most(supported)} or less"))
        return steps


def render(session: Session) -> str:
    """Write the page, test by test in the order of the session.

    Raises:
        MissingExtraError: If jinja2 is not installed.
    """
    template = _environment().get_template("report.html.jinja")
    from markupsafe import Markup

    tests = _checks_by_test(session)
    parts = [part for checks in tests.values() for check in checks for part in check.parts]
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    run = session.run or Run(date="", version="")
    page: str = template.render(
        session=session,
        run=run,
        link=run.link if _WEB.fullmatch(run.link) else "",
        outcome=outcome_of(session),
        headline=headline(session),
        missing=list(_missing(session, tests)),
        tests=tests,
        parts=sorted(parts, key=lambda part: part.severity),
        meanings=MEANINGS,
        version=version("pytest-ganvalid"),
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        script_digest=f"sha256-{digest}",
    )
    return page


def outcome_of(session: Session) -> str:
    """Return the worst outcome of the tests: a verdict, or that there is no demonstration."""
    outcomes = {row.outcome for row in session.rows} or {
        str(check.result.verdict) for check in session.checks if check.gate
    }
    if not session.finished or not outcomes:
        return NOTHING
    return next((word for word in (Verdict.BIASED, Verdict.UNPROVEN, NOTHING) if word in outcomes), Verdict.ROBUST)


def headline(session: Session) -> str:
    """Count the tests of each outcome or, without tests, the checks."""
    if session.rows:
        return totals([{"outcome": row.outcome, "reason": row.reason} for row in session.rows])
    if not session.checks:
        return "No check was made: nothing was demonstrated."
    return totals([{"outcome": str(check.result.verdict), "reason": ""} for check in session.checks])


def _missing(session: Session, tests: Mapping[str, list[ShownCheck]]) -> Iterator[str]:
    """Say what is not demonstrated, the widest first."""
    if not session.finished:
        yield "Anything: the session has not come to its end."
    for row in session.rows:
        if row.outcome == NOTHING:
            yield f"{row.nodeid}: {row.reason}"
    for nodeid, checks in tests.items():
        for check in checks:
            report = check.report
            yield from (f"{nodeid}: {sentence}" for sentence in (*report.shared, *report.notes))
            for verdict in _SEVERITY[:2]:
                names = [part.name for part in check.parts if part.comparison.verdict is verdict]
                if names:
                    agreement = f"agreement at n_required {count(report.n_required)} in {', '.join(names)}"
                    yield f"{nodeid}: {agreement} ({verdict})"
            if report.skipped:
                yield f"{nodeid}: anything about {', '.join(report.skipped)}, which was not compared"
            if not check.gate:
                yield f"{nodeid}: anything by a check that only looked"
    yield (
        "Observables that are not listed here, correlations of those that are not compared jointly, and agreement at "
        "an n_required above the one that is supported."
    )


def _checks_by_test(session: Session) -> dict[str, list[ShownCheck]]:
    tests: dict[str, list[ShownCheck]] = {}
    numbers = {nodeid: number for number, nodeid in enumerate(dict.fromkeys(c.nodeid for c in session.checks), 1)}
    for check in session.checks:
        checks = tests.setdefault(check.nodeid, [])
        checks.append(_shown_check(check, f"plot-{numbers[check.nodeid]}-{len(checks) + 1}-"))
    return tests


def _shown_check(check: Check, prefix: str) -> ShownCheck:
    from markupsafe import Markup

    report = as_report(check.result)
    parts = [
        Part(
            name=name,
            nodeid=check.nodeid,
            identifier=f"{prefix}{number}",
            comparison=c,
            thumbnail=Markup(vector.thumbnail(name, c)),  # noqa: S704 - it has escaped all texts
            plot=Markup(vector.plot(name, c)),  # noqa: S704 - likewise
            words=vector.describe(name, c),
        )
        for number, (name, c) in enumerate(report.comparisons.items(), 1)
    ]
    figure, words = _figure1(report)
    return ShownCheck(
        gate=check.gate,
        report=report,
        parts=tuple(sorted(parts, key=lambda part: part.severity)),
        figure=Markup(figure),  # noqa: S704 - likewise
        figure_words=words,
    )


def _figure1(report: Report) -> tuple[str, str]:
    """Draw figure 1, and put it into words; without it, say why."""
    try:
        numbers = figure_of(report)
    except GanvalidError as error:
        return "", str(error)
    return vector.figure1(numbers), vector.describe_figure1(numbers)


def _environment() -> jinja2.Environment:
    try:
        import jinja2
    except ModuleNotFoundError as error:
        feature, package, extra = "an HTML report", "jinja2", "report"
        raise MissingExtraError(feature, package, extra) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_ganvalid.report"),
        autoescape=True,  # whatever the file is called: names are the user's
        finalize=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (anchor, at_most, count, measured, percent, pretty, span, span_of_events)
    environment.filters.update({f.__name__: f for f in (*filters, attempt_in_words)})
    return environment


def escaped(value: object) -> object:
    """Escape characters that a page may not hold, or that reorder its text; line breaks and HTML marks stay."""
    plain = isinstance(value, str) and not hasattr(value, "__html__")
    return "\n".join(map(printable, str(value).split("\n"))) if plain else value


def anchor(nodeid: str) -> str:
    """Spell the identifier of a test as a browser spells it in an address."""
    return quote(nodeid, safe=_UNESCAPED, errors="replace")


def span(interval: Interval) -> str:
    """Format the limits of an interval."""
    return f"from {rounded(interval.lower, 4)} to {rounded(interval.upper, 4)}"


def span_of_events(interval: Interval) -> str:
    """Format the limits of an interval of event numbers."""
    return f"from {at_most(interval.lower)} to {count(interval.upper)}"


def pretty(provenance: Mapping[str, Any]) -> str:
    """Format nested settings for reading."""
    return json.dumps(provenance, indent=2, ensure_ascii=False, default=str)

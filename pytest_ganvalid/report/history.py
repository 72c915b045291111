"""Reports of many releases beside each other: what each is worth, whether one stands out, and what has changed.

When to use what:

- `history_of`: a table over releases, with an alarm that a perfect generator raises at a stated rate.
- `changes`: two reports, observable by observable.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from pytest_ganvalid._arguments import check_fraction
from pytest_ganvalid.errors import InputError, printable
from pytest_ganvalid.report.style import GREEN, INK, SHADE, SMALL, VERMILION, default_style
from pytest_ganvalid.report.text import Result, as_report
from pytest_ganvalid.results import Amount, Comparison, Document, Interval, Judgement, Probability, Verdict, at_most
from pytest_ganvalid.statistics.reasons import count

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

RATE = 0.05
"""Probability that a history of a perfect generator raises an alarm."""
_SPARKS = "▁▂▃▄▅▆▇█"
_COLOURS = {Verdict.ROBUST: GREEN, Verdict.BIASED: VERMILION, Verdict.UNPROVEN: INK}
_MARKS = {Verdict.ROBUST: "o", Verdict.BIASED: "X", Verdict.UNPROVEN: "s"}
_SEVERITY = {Verdict.ROBUST: 0, Verdict.UNPROVEN: 1, Verdict.BIASED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One observable of one release.

    Attributes:
        release: The release that the report is on.
        check: The test that it was checked by; empty if the report is not of a session.
        observable: Its name.
        verdict: ROBUST, BIASED or UNPROVEN.
        n_required: Number of true events the generated sample is to stand in for; of a stratum its share of them.
        n_supported: Largest n_required at which the data demonstrate agreement, likewise.
        expected: What a perfect generator gets (`Comparison.expected_n_supported`); ``None`` for a number.
        delta: Δ, the triangular discrimination, freed of its noise floor; ``None`` for a number.
        p_perfect: Probability with which a perfect generator agrees as badly (`p_perfect`); ``None`` for a number.
        alarm: Whether that is too improbable among as many comparisons as the history has.
    """

    release: str
    check: str
    observable: str
    verdict: Verdict
    n_required: Amount
    n_supported: Amount
    expected: Interval | None
    delta: Interval | None
    p_perfect: Probability | None
    alarm: bool

    @property
    def name(self) -> str:
        """The observable, with the test that it was checked by."""
        return f"{self.check}: {self.observable}" if self.check else self.observable


@dataclass(frozen=True, slots=True, kw_only=True)
class History(Document):
    """What reports of releases say, in the order of the releases.

    Attributes:
        releases: Their names.
        entries: All observables of the first release, then of the second, and so on.
        rate: Probability that a generator that is perfect in all releases raises an alarm in one of them, at most.
    """

    KIND: ClassVar[str] = "history"

    releases: tuple[str, ...]
    entries: tuple[Entry, ...]
    rate: Probability

    @property
    def names(self) -> tuple[str, ...]:
        """Observables with their tests, in the order in which they turn up."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries))

    @property
    def alarms(self) -> tuple[Entry, ...]:
        """The entries that stand out."""
        return tuple(entry for entry in self.entries if entry.alarm)

    def of(self, name: str) -> list[Entry | None]:
        """Return the entry of each release for an observable; ``None`` where it was not compared."""
        entries = {entry.release: entry for entry in self.entries if entry.name == name}
        return [entries.get(release) for release in self.releases]

    def table(self) -> str:
        """Return the history as text: of each observable a line of sparks, and a line per release."""
        lines = []
        for name in self.names:
            entries = self.of(name)
            lines += [printable(name), *_sparks(entries), _row(_TITLES)]
            lines += [
                _row(_cells(entry)) if entry else _row((release, "not compared"))
                for release, entry in zip(self.releases, entries, strict=True)
            ]
            lines.append("")
        return "\n".join([*lines, self.sentence()])

    def sentence(self) -> str:
        """Say whether a release stands out."""
        compared = sum(entry.p_perfect is not None for entry in self.entries)
        guarantee = f"a perfect generator raises an alarm in at most {self.rate:.0%} of such histories"
        if not self.alarms:
            return f"no alarm in {compared} comparisons of {len(self.releases)} releases ({guarantee})"
        words = ", ".join(f"{entry.release} in {entry.name} (p = {entry.p_perfect:.2g})" for entry in self.alarms)
        return printable(f"alarm: {words}; {guarantee}")

    def to_csv(self) -> str:
        """Write a table, one row per release and observable; a cell without a number is empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        intervals = ("expected", "delta")
        plain = [field.name for field in fields(Entry) if field.name not in intervals]
        writer.writerow([*plain, *(f"{name}_{end}" for name in intervals for end in _ENDS)])
        for entry in self.entries:
            cells = [_cell(getattr(entry, name)) for name in plain]
            ends = [getattr(getattr(entry, name), end, "") for name in intervals for end in _ENDS]
            writer.writerow([*cells, *ends])
        return file.getvalue()


_ENDS = ("lower", "estimate", "upper")
_TITLES = ("release", "verdict", "required", "supported", "perfect generator", "Δ·1000", "from", "to", "p if perfect")
_WIDTHS = (24, 9, 12, 12, 24, 9, 9, 9, 13)


def history_of(reports: Mapping[str, Mapping[str, Result]], *, rate: float = RATE) -> History:
    """Put reports beside each other.

    Args:
        reports: Release -> test -> result (`pytest_ganvalid.report.stored.results_in`), in the order of the releases.
            Where no report has several tests, their names do not matter.
        rate: Probability that a perfect generator raises an alarm, whatever the number of releases and observables: it
            is shared by all comparisons (Bonferroni), which may depend on each other, as by a common reference.

    Raises:
        InputError: If there is no report, or ``rate`` is no probability.
    """
    rate = float(check_fraction("rate", rate))
    several = any(len(results) > 1 for results in reports.values())
    comparisons = [
        (release, check if several else "", name, comparison)
        for release, results in reports.items()
        for check, result in results.items()
        for name, comparison in as_report(result).comparisons.items()
    ]
    if not comparisons:
        msg = "there is no report to put beside others; expected one or more with a result"
        raise InputError(msg)
    chances = [p_perfect(comparison) for *_, comparison in comparisons]
    limit = rate / max(sum(p is not None for p in chances), 1)
    entries = [
        _entry(release, check, name, comparison, p, limit)
        for (release, check, name, comparison), p in zip(comparisons, chances, strict=True)
    ]
    return History(releases=tuple(reports), entries=tuple(entries), rate=rate)


def p_perfect(comparison: Judgement) -> float | None:
    """Return the probability with which a perfect generator agrees as badly, or worse; ``None`` for a number.

    It is twice the smaller of two p-values: of the classical χ² over all bins, and of location, scale, skewness and
    kurtosis together, which are independent to first order: Σ (bias/error)² is χ² with their number of degrees of
    freedom (J. Neyman, Skand. Aktuarietidskr. 20 (1937) 149). The second sees what drifts slowly.
    """
    if not isinstance(comparison, Comparison):
        return None
    from scipy import stats

    pulls = [bias / error for _, bias, error in comparison.shape if error > 0]
    p = comparison.p_value
    if pulls:
        p = 2 * min(p, float(stats.chi2.sf(sum(pull**2 for pull in pulls), len(pulls))))
    return min(max(p, 0.0), 1.0)


def _entry(release: str, check: str, name: str, c: Judgement, p: float | None, limit: float) -> Entry:
    histogram = c if isinstance(c, Comparison) else None
    return Entry(
        release=release,
        check=check,
        observable=name,
        verdict=c.verdict,
        n_required=c.n_required,
        n_supported=c.n_supported,
        expected=histogram.expected_n_supported if histogram else None,
        delta=_delta(histogram) if histogram else None,
        p_perfect=p,
        alarm=p is not None and p <= limit,
    )


def _delta(c: Comparison) -> Interval:
    """Return Δ, twice the separation power."""
    power = c.separation
    return Interval(lower=2 * power.lower, estimate=2 * power.estimate, upper=2 * power.upper)


def sparks(values: Sequence[float | None]) -> str:
    """Draw numbers as a line of text, the smallest lowest; a gap where there is none, ``∞`` where it is infinite."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    step = (high - low) / (len(_SPARKS) - 1)

    def spark(value: float | None) -> str:
        if value is None:
            return " "
        if not math.isfinite(value):
            return "∞"
        return _SPARKS[round((value - low) / step) if step else 0]

    return "".join(map(spark, values))


def _sparks(entries: Sequence[Entry | None]) -> list[str]:
    supported = [None if entry is None else entry.n_supported for entry in entries]
    deltas = [None if entry is None or entry.delta is None else entry.delta.estimate for entry in entries]
    lines = [f"  supported  {sparks(supported)}"]
    return [*lines, f"  Δ          {sparks(deltas)}"] if any(delta is not None for delta in deltas) else lines


def _cells(entry: Entry) -> tuple[str, ...]:
    expected = f"{at_most(entry.expected.lower)} to {at_most(entry.expected.upper)}" if entry.expected else ""
    delta = [f"{1000 * getattr(entry.delta, end):.4g}" for end in ("estimate", "lower", "upper")] if entry.delta else []
    p = "" if entry.p_perfect is None else f"{entry.p_perfect:.2g}"
    events = count(entry.n_required), at_most(entry.n_supported), expected
    return (entry.release, str(entry.verdict), *events, *(delta or ("", "", "")), f"{p} alarm" if entry.alarm else p)


def _row(cells: Sequence[str]) -> str:
    padded = [printable(cell).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return f"  {'  '.join(padded)}".rstrip()


def _cell(value: object) -> object:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One observable in two reports.

    Attributes:
        name: The observable, with the test that it was checked by.
        before: In the first; ``None`` if it was not compared.
        after: In the second, likewise.
    """

    name: str
    before: Entry | None
    after: Entry | None

    @property
    def worse(self) -> bool:
        """Whether the verdict has become worse, or the observable is not compared any more."""
        if self.before is None:
            return self.after is not None and self.after.verdict is not Verdict.ROBUST
        return self.after is None or _SEVERITY[self.after.verdict] > _SEVERITY[self.before.verdict]

    def lines(self) -> list[str]:
        """Say what has changed."""
        if self.before is None or self.after is None:
            entry = self.before or self.after
            side = "before" if self.before else "after"
            return [f"{printable(self.name)}: {entry.verdict if entry else ''}, only {side}"]
        a, b = self.before, self.after
        verdict = str(a.verdict) if a.verdict is b.verdict else f"{a.verdict} -> {b.verdict}"
        lines = [
            f"{printable(self.name)}: {verdict}",
            _transition("n_required", count(a.n_required), count(b.n_required)),
        ]
        lines.append(_transition("supported", at_most(a.n_supported), at_most(b.n_supported)))
        if a.delta and b.delta:
            lines.append(f"{_transition('Δ·1000', _range(a.delta), _range(b.delta))}{_overlap(a.delta, b.delta)}")
        return lines


def changes(before: Mapping[str, Result], after: Mapping[str, Result]) -> list[Change]:
    """Put two reports beside each other, observable by observable.

    Args:
        before: Test -> result.
        after: Likewise. Where neither has several tests, their names do not matter.

    Raises:
        InputError: If neither report has a result.
    """
    history = history_of({"before": before, "after": after})
    pairs = {name: history.of(name) for name in history.names}
    return [Change(name=name, before=old, after=new) for name, (old, new) in pairs.items()]


def _transition(label: str, before: str, after: str) -> str:
    return f"  {label:<11} {before}" if before == after else f"  {label:<11} {before} -> {after}"


def _range(delta: Interval) -> str:
    return f"{1000 * delta.estimate:.4g} ({1000 * delta.lower:.4g} to {1000 * delta.upper:.4g})"


def _overlap(a: Interval, b: Interval) -> str:
    return "" if a.lower <= b.upper and b.lower <= a.upper else ", beyond the intervals"


def picture(history: History) -> bytes:
    """Draw n_supported beside what a perfect generator gets, and Δ with its interval, release by release, as PNG.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    names = history.names
    width = max(4.0, 1.5 + 0.35 * len(history.releases))
    with default_style("a picture of a history"):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2 * width, 2.4 * len(names) + 0.6), dpi=120, layout="constrained")
        grid = figure.subplots(len(names), 2, sharex=True, squeeze=False)
        for (events_axes, delta_axes), name in zip(grid, names, strict=True):
            entries = [(index, entry) for index, entry in enumerate(history.of(name)) if entry is not None]
            _draw_supported(events_axes, entries)
            _draw_delta(delta_axes, entries)
            events_axes.set_title(name, loc="left", fontsize=SMALL, parse_math=False)
        for axes in grid[-1]:
            axes.set_xticks(range(len(history.releases)))
            labels = axes.set_xticklabels(history.releases, rotation=90, fontsize=SMALL)
            for label in labels:
                label.set_parse_math(False)
        figure.legend(handles=_signs(), loc="outside upper left", ncols=3, frameon=False, fontsize=SMALL)
        file = io.BytesIO()
        figure.savefig(file, format="png")
    return file.getvalue()


def _signs() -> list[Artist]:
    """Return what the signs of the picture are, for its legend: verdicts, then the bars and lines, then an alarm."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    verdicts = [
        Line2D([], [], linestyle="none", marker=_MARKS[verdict], color=_COLOURS[verdict], label=str(verdict))
        for verdict in (Verdict.ROBUST, Verdict.UNPROVEN, Verdict.BIASED)
    ]
    alarm = Line2D(
        [], [], linestyle="none", marker="o", markersize=10, fillstyle="none", color=VERMILION, label="alarm"
    )
    return [
        *verdicts,
        Patch(color=SHADE, label="perfect generator, 2 of 3 cases"),
        Line2D([], [], color=INK, linewidth=0.8, label="n_required"),
        alarm,
    ]


def _draw_supported(axes: Axes, entries: Iterable[tuple[int, Entry]]) -> None:
    for index, entry in entries:
        if entry.expected is not None:
            axes.vlines(index, entry.expected.lower, entry.expected.upper, color=SHADE, linewidth=8)
        axes.hlines(entry.n_required, index - 0.4, index + 0.4, color=INK, linewidth=0.8)
        _mark(axes, index, entry.n_supported, entry)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("supported n_required\n[events]", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)


def _draw_delta(axes: Axes, entries: Iterable[tuple[int, Entry]]) -> None:
    for index, entry in entries:
        if entry.delta is not None:
            axes.vlines(index, entry.delta.lower, entry.delta.upper, color=_COLOURS[entry.verdict], linewidth=1)
            _mark(axes, index, entry.delta.estimate, entry)
    axes.axhline(0, color=INK, linewidth=0.4, linestyle=":")
    axes.set_ylabel("Δ", fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)


def _mark(axes: Axes, index: int, value: float, entry: Entry) -> None:
    if not math.isfinite(value):
        return
    axes.plot(index, value, marker=_MARKS[entry.verdict], color=_COLOURS[entry.verdict], markersize=5)
    if entry.alarm:
        axes.plot(index, value, marker="o", markersize=12, fillstyle="none", color=VERMILION)


def page(history: History, image: bytes | None = None) -> str:
    """Return the history as one page of HTML.

    Args:
        history: The history.
        image: Its `picture`, which is embedded in the page.
    """
    import base64
    import html

    def cells(kind: str, words: Sequence[str]) -> str:
        return "".join(f"<{kind}>{html.escape(printable(word))}</{kind}>" for word in words)

    parts = [f"<h1>{len(history.releases)} releases</h1><p>{html.escape(history.sentence())}</p>"]
    if image is not None:
        source = base64.b64encode(image).decode("ascii")
        parts.append(f'<img alt="supported events and Δ of each release" src="data:image/png;base64,{source}">')
        parts.append(
            "<p>Left: events that the data support (circle ROBUST, square UNPROVEN, cross BIASED), what a perfect "
            "generator gets in two of three cases (bar), and n_required (line). Right: Δ with its interval.</p>"
        )
    for name in history.names:
        rows = [
            (entry.alarm, _cells(entry)) if entry else (False, (release, "not compared"))
            for release, entry in zip(history.releases, history.of(name), strict=True)
        ]
        body = "".join(f"<tr{' class=alarm' * alarm}>{cells('td', row)}</tr>" for alarm, row in rows)
        parts.append(f"<h2>{html.escape(printable(name))}</h2><table><tr>{cells('th', _TITLES)}</tr>{body}</table>")
    return _PAGE.replace("BODY", "\n".join(parts))


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ganvalid history</title><style>
body { font: 14px/1.5 sans-serif; max-width: 1000px; margin: 2em auto; color: #222; }
td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid #ddd; } img { max-width: 100%; }
td:first-child, th:first-child { text-align: left; } .alarm { color: #D55E00; font-weight: bold; }
</style></head><body>
BODY
</body></html>
"""

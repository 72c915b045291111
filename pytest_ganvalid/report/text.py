"""Results as text for a terminal."""

from __future__ import annotations

from pytest_ganvalid.errors import printable
from pytest_ganvalid.results import (
    AnalysisComparison,
    Comparison,
    EstimateComparison,
    Interval,
    Report,
    Verdict,
)
from pytest_ganvalid.statistics.limits import level
from pytest_ganvalid.statistics.reasons import at_most, count, measured, percent, rounded

Result = Report | Comparison | EstimateComparison
_UNNAMED = {kind: kind for kind in (EstimateComparison.KIND, AnalysisComparison.KIND)} | {Comparison.KIND: "histogram"}


def as_report(result: Result) -> Report:
    """Look at a single comparison, of histograms or of one number, as a report of one observable."""
    if isinstance(result, Report):
        return result
    return Report(
        verdict=result.verdict,
        reasons=result.reasons,
        n_required=result.n_required,
        comparisons={result.name or _UNNAMED[result.KIND]: result},
    )


def explain(result: Result) -> str:
    """Say what was found and what to do next, observable by observable, in lines that any terminal can show."""
    report = as_report(result)
    failing = sum(not comparison.robust for comparison in report.comparisons.values())
    lines = [
        f"ganvalid: {report.verdict} at n_required {count(report.n_required)}: "
        f"{failing} of {_observables(len(report.comparisons))} not ROBUST{_of_attempt(report)}"
    ]
    lines += [f"not independent: {sentence}" for sentence in report.shared]
    lines += [f"note: {note}" for note in report.notes]
    if report.skipped:
        skipped = ", ".join(f"{name} ({why})" for name, why in report.skipped.items())
        lines.append(f"not compared: {skipped}")
    for name, comparison in report.comparisons.items():
        lines += ["", *describe(name, comparison)]
    return "\n".join(map(printable, lines))


def describe(name: str, comparison: Comparison | EstimateComparison) -> list[str]:
    """Describe one comparison: all numbers, the reasons and, unless it is ROBUST, what is wrong and what follows."""
    c = comparison
    lines = [
        f"{name}: {c.verdict}",
        *(_histograms(c) if isinstance(c, Comparison) else _estimates(c)),
        f"  n_equivalent  {_events(c.n_equivalent)}{_amplification(c)}",
        f"  n_supported   {at_most(c.n_supported)} (n_required {count(c.n_required)}{_expected(c)})",
        f"  samples       {count(c.n_generated)} generated, {count(c.n_reference)} reference events (effective); "
        f"power {c.power:.3g} for a perfect generator",
        *(f"  - {reason}" for reason in c.reasons),
    ]
    # Samples that are not independent, or too few, say nothing about bins or what the generator is worth.
    return lines + _what_is_wrong(c) if c.n_supported > 0 and c.verdict is not Verdict.ROBUST else lines


def _histograms(c: Comparison) -> list[str]:
    chi2, ndf = c.chi2_required, c.ndf
    return [
        f"  χ²_req/ndf    {chi2.estimate / ndf:.4g}, from {chi2.lower / ndf:.4g} to {chi2.upper / ndf:.4g} "
        f"(critical {c.chi2_critical / ndf:.4g}; {c.bins} bins{_merged(c)})",
        f"  rms bias      {_range(c.rms_bias)} error bars of {count(c.n_required)} events (limit {c.max_bias:g})",
    ]


def _expected(c: Comparison | EstimateComparison) -> str:
    """Say what a perfect generator would get with the same samples, in two of three cases."""
    if not isinstance(c, Comparison) or c.expected_n_supported.upper == 0:
        return ""
    expected = c.expected_n_supported
    return f"; a perfect generator gets {at_most(expected.lower)} to {at_most(expected.upper)}"


def _estimates(c: EstimateComparison) -> list[str]:
    if isinstance(c, AnalysisComparison):
        return _analysis(c)
    return [
        f"  generated     {measured(c.generated)}",
        f"  reference     {measured(c.reference)}",
        f"  difference    {c.difference:+.3g}; the error bar of {count(c.n_required)} events is {c.required_error:.3g}",
        f"  bias          {_range(c.bias)} error bars of {count(c.n_required)} events (limit {c.max_bias:g})",
    ]


def _analysis(c: AnalysisComparison) -> list[str]:
    return [
        f"  generated     {c.parameter} = {measured(c.generated)} (the error of the template alone)",
        f"  reference     {c.parameter} = {measured(c.reference)}",
        f"  uncertainty   {c.required_error:.3g} at the luminosity of {count(c.n_required)} events; with generated "
        f"templates {c.uncertainty_kept:.3g}, or {c.uncertainty_ignored:.3g} without the inherited error",
        f"  bias          {_range(c.bias)} times this uncertainty (limit {c.max_bias:g})",
        *(
            f"  coverage      {percent(one.kept)} of the {percent(round(one.level, 4))} intervals, "
            f"{percent(one.ignored)} without the inherited error ({c.toys:,} toys)"
            for one in c.coverage
        ),
    ]


def _what_is_wrong(c: Comparison | EstimateComparison) -> list[str]:
    return [
        *(_worst_bins(c) if isinstance(c, Comparison) else []),
        f"  - until then an analysis must keep the relative error bars of {at_most(c.n_systematic)} events "
        "as a systematic uncertainty",
    ]


def _worst_bins(c: Comparison) -> list[str]:
    shown = any(bias.lower > 0 for bias in c.worst_bins)
    return [
        f"  worst bins, in error bars of n_required events{'' if shown else ', none of them shown to be off'}:",
        *(f"    {bias.label}: {bias.bias:+.2f} (at least {bias.lower:.2f})" for bias in c.worst_bins),
    ]


def summary(nodeid: str, result: Result) -> str:
    """Tell a check in one line that any terminal can show."""
    report = as_report(result)
    return printable(
        f"{report.verdict:<8} {nodeid}: n_required {count(report.n_required)}, supported {at_most(report.n_supported)} "
        f"({report.weakest}, {_observables(len(report.comparisons))}){_of_attempt(report)}"
    )


def attempt_in_words(report: Report) -> str:
    """Say which attempt and look this is, and at which level; nothing of a first and only one."""
    c = next(iter(report.comparisons.values()))
    words = [f"attempt {c.attempt}"] if c.attempt > 1 else []
    words += [f"one of {c.looks} planned looks"] if c.looks > 1 else []
    return ", ".join([*words, f"at level {level(c.confidence, c.attempt, c.looks):.3g}"]) if words else ""


def _of_attempt(report: Report) -> str:
    words = attempt_in_words(report)
    return f"; {words}" if words else ""


def _observables(number: int) -> str:
    return f"{number} observable{'s' * (number != 1)}"


def _merged(c: Comparison) -> str:
    return f", {c.merged_bins} joined to neighbours" if c.merged_bins else ""


def _range(interval: Interval) -> str:
    return f"{rounded(interval.estimate)}, from {rounded(interval.lower)} to {rounded(interval.upper)}"


def _events(interval: Interval) -> str:
    return f"{count(interval.estimate)}, from {at_most(interval.lower)} to {count(interval.upper)} events"


def _amplification(c: Comparison | EstimateComparison) -> str:
    if c.n_train is None:
        return ""
    low, high = (n / (c.n_train * c.share) for n in (c.n_equivalent.lower, c.n_equivalent.upper))
    return f" ({rounded(low)} to {rounded(high)} times n_train {count(c.n_train)})"

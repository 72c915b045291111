"""Results as text for a terminal."""

from __future__ import annotations

from pytest_ganvalid.reasons import at_most, count
from pytest_ganvalid.results import Comparison, Interval, Report, Verdict


def as_report(result: Report | Comparison) -> Report:
    """Look at a single comparison as a report of one observable."""
    if isinstance(result, Report):
        return result
    return Report(
        verdict=result.verdict,
        reasons=result.reasons,
        n_required=result.n_required,
        comparisons={result.name or "histogram": result},
    )


def explain(result: Report | Comparison) -> str:
    """Say what was found and what to do next, observable by observable."""
    report = as_report(result)
    failing = sum(not comparison.robust for comparison in report.comparisons.values())
    lines = [
        f"ganvalid: {report.verdict} at n_required {count(report.n_required)}: "
        f"{failing} of {_observables(len(report.comparisons))} not ROBUST"
    ]
    for name, comparison in report.comparisons.items():
        lines += ["", *describe(name, comparison)]
    return "\n".join(lines)


def describe(name: str, comparison: Comparison) -> list[str]:
    """Describe one comparison: all numbers, the reasons and, unless it is ROBUST, the worst bins."""
    name = printable(name)
    c, ndf = comparison, comparison.ndf
    chi2 = c.chi2_required
    lines = [
        f"{name}: {c.verdict}",
        f"  χ²_req/ndf    {chi2.estimate / ndf:.4g}, from {chi2.lower / ndf:.4g} to {chi2.upper / ndf:.4g} "
        f"(critical {c.chi2_critical / ndf:.4g}; {c.bins} bins{_merged(c)})",
        f"  rms bias      {_range(c.rms_bias)} error bars of {count(c.n_required)} events (limit {c.max_bias:g})",
        f"  n_equivalent  {_events(c.n_equivalent)}{_amplification(c)}",
        f"  n_supported   {at_most(c.n_supported)} (n_required {count(c.n_required)})",
        f"  samples       {count(c.n_generated)} generated, {count(c.n_reference)} reference events; "
        f"power {c.power:.3g} for a perfect generator",
    ]
    lines += [f"  - {reason}" for reason in c.reasons]
    if c.verdict is not Verdict.ROBUST:
        lines.append("  worst bins, in error bars of n_required events:")
        lines += [f"    {bias.label}: {bias.bias:+.2f} (at least {bias.lower:.2f})" for bias in c.worst_bins]
        lines.append(
            f"  - until then an analysis must keep the relative error bars of {at_most(c.n_systematic)} events "
            "as a systematic uncertainty"
        )
    return lines


def summary(nodeid: str, result: Report | Comparison) -> str:
    """Tell a check in one line."""
    report = as_report(result)
    name, least = min(report.comparisons.items(), key=lambda item: item[1].n_supported)
    return (
        f"{report.verdict:<8} {nodeid}: n_required {count(report.n_required)}, supported {at_most(least.n_supported)} "
        f"({printable(name)}, {_observables(len(report.comparisons))})"
    )


def printable(name: str) -> str:
    """Escape what would break a line or steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def _observables(number: int) -> str:
    return f"{number} observable{'s' * (number != 1)}"


def _merged(c: Comparison) -> str:
    return f", {c.merged_bins} sparse ones merged" if c.merged_bins else ""


def _range(interval: Interval) -> str:
    return f"{interval.estimate:.3g}, from {interval.lower:.3g} to {interval.upper:.3g}"


def _events(interval: Interval) -> str:
    return f"{count(interval.estimate)}, from {at_most(interval.lower)} to {count(interval.upper)} events"


def _amplification(c: Comparison) -> str:
    if c.n_train is None:
        return ""
    low, high = c.n_equivalent.lower / c.n_train, c.n_equivalent.upper / c.n_train
    return f" ({low:.3g} to {'∞' if high == float('inf') else f'{high:.3g}'} times n_train {count(c.n_train)})"

"""Results as text for a terminal.

A gate that fails is told by a line for the whole, one step to take next, and a line for each observable, the worst
first; `explain` with ``details`` adds all numbers and reasons of each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report.layout import WIDTH, joined, listed, listed_on_a_line, padded, shortened, width, wrapped
from pytest_ganvalid.report.measures import decision, decisive, limit_of, measures, shown_bias
from pytest_ganvalid.report.regions import in_words as region_in_words
from pytest_ganvalid.report.regions import region_words, usable_region, with_unit
from pytest_ganvalid.results import (
    AnalysisComparison,
    Comparison,
    EstimateComparison,
    Interval,
    Report,
    Verdict,
    at_most,
)
from pytest_ganvalid.statistics.limits import level
from pytest_ganvalid.statistics.planning import power_of_each
from pytest_ganvalid.statistics.reasons import DEMONSTRATED, TOO_FEW, count, in_words, measured, percent, rounded
from pytest_ganvalid.statistics.robustness import TARGET_POWER

Result = Report | Comparison | EstimateComparison
AnyComparison = Comparison | EstimateComparison
_UNNAMED = {kind: kind for kind in (EstimateComparison.KIND, AnalysisComparison.KIND)} | {Comparison.KIND: "histogram"}
_MAX_NAMES, _MAX_WIDTH, _MIN_WIDTH = 4, 28, 12
_VERDICT = 9  # columns
_SAME_NUMBER = 0.01  # relative difference of numbers of events that are printed once
_ROUNDED = 1 - 1e-9  # of an effective number of events, which is no more than that of the events


def as_report(result: Result) -> Report:
    """Return a single comparison, of histograms or of one number, as a report of one observable."""
    if isinstance(result, Report):
        return result
    return Report(
        verdict=result.verdict,
        reasons=result.reasons,
        n_required=result.n_required / result.share,
        comparisons={result.name or _UNNAMED[result.KIND]: result},
    )


def explain(result: Result, *, details: bool = False) -> str:
    """Explain a result and what to do next, in lines of at most 80 columns that any terminal can show.

    Args:
        result: What `validate`, `compare` or `compare_estimates` returned.
        details: Whether to add all numbers and reasons of every observable.

    Returns:
        The verdict; the next step; a line for each observable that is not ROBUST, the worst first; notes; what was not
        compared.
    """
    report = as_report(result)
    lines = wrapped(printable(headline(report)), 2)
    causes = _causes(report)
    for cause in causes:
        lines += wrapped(printable(f"not independent: {cause}" if cause in report.shared else cause), 2)
    if step := next_line(report):
        lines += wrapped(printable(step), 2)
    lines += _table(report)
    remarks = [attempt] if (attempt := attempt_in_words(report)) else []
    remarks += [f"note: {note}" for note in report.notes if note not in causes]
    remarks += [not_compared(report)] if report.skipped else []
    for remark in remarks:
        lines += wrapped(printable(remark), 2)
    if details:
        for name, comparison in (*_worst_first(report).items(), *_robust(report).items()):
            lines += ["", *describe(name, comparison)]
    return "\n".join(lines)


def next_line(report: Report) -> str:
    """Say what to do next; nothing of a report that is ROBUST."""
    return "" if report.robust else f"next: {_next_step(report)}"


def headline(report: Report) -> str:
    """Say the verdict, what it is on, and what is supported; the name of the weakest may be shortened."""
    line = f"{report.verdict}: {_deciding_words(report)} at n_required {count(report.n_required)}; "
    return f"{line}{_supported(report, WIDTH - width(line))}".removesuffix("; ")


def phrases(report: Report, columns: int) -> list[str]:
    """Say what a check was on, what is supported, and which attempt it is; one name may be shortened."""
    line = f"n_required {count(report.n_required)}, "
    required = f"{line}{_supported(report, columns - width(line))}".removesuffix(", ")
    number = len(report.comparisons)
    observables = _observables(number) if _deciding(report) == number else _deciding_words(report)
    return [required, *([observables] if number > 1 else []), *filter(None, [attempt_in_words(report)])]


def _deciding_words(report: Report) -> str:
    """Say how many of the observables have the verdict of the whole."""
    return f"{_deciding(report)} of {_observables(len(report.comparisons))}"


def _deciding(report: Report) -> int:
    """Count the observables that have the verdict of the whole."""
    return sum(comparison.verdict is report.verdict for comparison in report.comparisons.values())


def _supported(report: Report, columns: int) -> str:
    """Say the n_required that the data demonstrate, and by which observable; nothing where only single bins are off."""
    if report.n_supported == 0:
        return "nothing supported"
    if not report.robust and report.n_supported >= report.n_required:
        return ""
    line = f"supported {at_most(report.n_supported)} ("
    room = max(columns - width(line) - 1, _MIN_WIDTH)
    return f"{line}{shortened(printable(report.weakest), room)})"


def _causes(report: Report) -> list[str]:
    """List the reasons of the whole that are not those of an observable: rows that are shared or repeated, say."""
    pairs = [(name, reason) for name, c in report.comparisons.items() for reason in c.reasons]
    forms = {form for name, reason in pairs for form in (reason, f"{name}: {reason}")}
    return [reason for reason in report.reasons if reason not in forms]


def not_compared(report: Report) -> str:
    """Say what was not compared, and why; of several for one reason the reason once."""
    reasons: dict[str, list[str]] = {}
    for name, reason in report.skipped.items():
        reasons.setdefault(reason, []).append(name)
    return "not compared: " + ", ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())


def _robust(report: Report) -> dict[str, AnyComparison]:
    return {name: c for name, c in report.comparisons.items() if c.robust}


def _worst_first(report: Report) -> dict[str, AnyComparison]:
    """Sort what is not ROBUST: BIASED by the least bias that is shown, UNPROVEN by how little is supported.

    A p-value would sort BIASED by the size of the samples as well, and of large ones all are 0; what is supported rests
    on the upper limit, by which few events look worse than a bias.
    """

    def rank(name: str) -> tuple[int, float]:
        c = report.comparisons[name]
        if c.verdict is Verdict.BIASED:
            return 0, -shown_bias(c)
        return 1, c.n_supported / c.share if c.share else math.inf

    names = (name for name, c in report.comparisons.items() if not c.robust)
    return {name: report.comparisons[name] for name in sorted(names, key=rank)}


def _finding(c: AnyComparison) -> tuple[str, ...]:
    """Say why a comparison is not ROBUST, the decisive numbers first; or give the first of its reasons."""
    test = decision(c)
    if not test:  # a single bin, a value that one side repeats, or what holds the verdict up
        return c.reasons[:1]
    if c.verdict is not Verdict.BIASED:
        return (test,)
    if isinstance(c, EstimateComparison):
        words = [f"{measured(c.generated)}, reference {measured(c.reference)}"]
    else:
        words = [*in_words(sorted(c.shape, key=lambda item: -abs(item[1])))[:1], *_bins(c)]
    # What comes before is a likely cause: another unit, a value that one side repeats.
    causes = takewhile(lambda reason: not reason.startswith(DEMONSTRATED), c.reasons)
    return (test, *words, *causes)


def _bins(c: AnyComparison) -> tuple[str, ...]:
    """Say which bin is off most, if it is shown to be off at all."""
    if isinstance(c, EstimateComparison) or c.worst_bins[0].lower == 0:
        return ()
    worst, label = c.worst_bins[0], with_unit(c, c.worst_bins[0].label)
    if worst.lower > c.max_local_bias:
        return (f"worst bin {label}: {worst.bias:+.1f} error bars, at least {worst.lower:.3g} > {c.max_local_bias:g}",)
    return (f"worst bin {label}: {worst.bias:+.1f} error bars",)


def _table(report: Report) -> list[str]:
    """Write a line for each observable that is not ROBUST, the worst first, and one for all that are."""
    findings = {name: tuple(map(printable, (*_finding(c), *_usable(c)))) for name, c in _worst_first(report).items()}
    numbers = [events for side, (events, _) in _most_needed(report).items() if side == "reference"]
    for name, lacking in _needed(report).items():
        events, _ = lacking.get("reference", (0.0, 0))
        unproven = events and report.comparisons[name].verdict is Verdict.UNPROVEN
        if unproven and all(abs(events - other) > _SAME_NUMBER * other for other in numbers):
            findings[name] = (*findings[name], f"needs {count(events)} reference events")
            numbers.append(events)
    groups: dict[tuple[Verdict, tuple[str, ...]], list[str]] = {}
    for name, finding in findings.items():
        groups.setdefault((report.comparisons[name].verdict, finding), []).append(name)
    single = [names[0] for names in groups.values() if len(names) == 1]
    columns = min(max((width(printable(name)) for name in single), default=0), _MAX_WIDTH)
    lines = []
    for (verdict, finding), names in groups.items():
        if len(names) == 1:
            name = padded(shortened(printable(names[0]), columns), columns)
            lines += joined([f"  {name}  {verdict:<{_VERDICT}} {finding[0]}", *finding[1:]], columns + _VERDICT + 5)
        else:
            lines += [_names_line(names, verdict), *(line for part in finding for line in wrapped(f"    {part}", 4))]
    robust = list(_robust(report))
    return [*lines, _names_line(robust, Verdict.ROBUST)] if robust else lines


def _usable(c: AnyComparison) -> tuple[str, ...]:
    """Name the region that is ROBUST by itself, if that has most of the reference."""
    if not isinstance(c, Comparison) or (region := usable_region(c)) is None:
        return ()
    return (f"ROBUST for {region_in_words(c, region)}",)


def _names_line(names: Sequence[str], verdict: Verdict) -> str:
    """Write how many observables have a verdict, and the names of the first on one line."""
    short = [shortened(printable(name), _MAX_WIDTH) for name in names]
    return listed_on_a_line(f"  {len(names):,} {verdict}: ", short)


def _needed(report: Report) -> dict[str, dict[str, tuple[float, int]]]:
    """Return what each observable lacks that a perfect generator may well fail in.

    By the side that has to grow: to how many events, and how many it has, effective ones of all strata together.
    """
    power = power_of_each(TARGET_POWER, len(report.comparisons))
    needed = {}
    for name, c in _worst_first(report).items():
        sides = {
            "reference": (c.n_reference_needed, math.ceil(c.n_reference / c.share * _ROUNDED)),
            "generated": (c.n_generated_needed, math.ceil(c.n_generated / c.share * _ROUNDED)),
        }
        lacking = {side: (n, available) for side, (n, available) in sides.items() if n * _ROUNDED > available}
        # Of those that nothing is known of the remedy is in the reason.
        if lacking and c.power < power and (c.n_supported > 0 or c.reasons[0].startswith(TOO_FEW)):
            needed[name] = lacking
    return needed


def _most_needed(report: Report) -> dict[str, tuple[float, int]]:
    """Return the side that has to grow -> to the most events that any observable needs, and how many that has."""
    most: dict[str, tuple[float, int]] = {}
    for lacking in _needed(report).values():
        for side, sizes in lacking.items():
            most[side] = max(sizes, most.get(side, sizes))
    return dict(sorted(most.items(), reverse=True))


def _next_step(report: Report) -> str:
    """Say what to do next, once for all observables."""
    if report.shared:
        return "give samples that are independent, as said above"
    failing, needed = _worst_first(report), _needed(report)
    biased = [name for name, c in failing.items() if c.verdict is Verdict.BIASED]
    undetermined = [name for name, c in failing.items() if c.n_supported == 0 and name not in (*biased, *needed)]
    steps = [f"improve {listed(biased, _MAX_NAMES)}"] if biased else []
    if undetermined:
        reference = "below" if len(undetermined) == len(failing) else f"of {listed(undetermined, _MAX_NAMES)}"
        steps.append(f"settle what is said {reference}")
    if needed:
        steps.append(_events_in_words(_most_needed(report)))
    if not steps:  # the samples suffice for a perfect generator
        steps.append(f"improve {listed(list(failing), _MAX_NAMES)}, or lower n_required to what is supported")
    return "; then ".join(steps)


def _events_in_words(needed: Mapping[str, tuple[float, int]]) -> str:
    """Say which side has to grow to how many events, beside how many it has."""
    if any(math.isinf(n) for n, _ in needed.values()):
        return "compare another observable, or lower n_required: no number of events suffices"
    return " and ".join(f"{count(n)} {side} events (have {count(had)})" for side, (n, had) in needed.items())


def describe(name: str, comparison: AnyComparison) -> list[str]:
    """Describe one comparison: all numbers, the reasons and, unless it is ROBUST, what is wrong and what follows."""
    c = comparison
    share = "" if c.share == 1 else ", its share"
    numbers = {
        **(_histograms(c) if isinstance(c, Comparison) else _estimates(c)),
        "n_equivalent": f"{_events(c.n_equivalent)}{_amplification(c)}",
        "n_supported": f"{at_most(c.n_supported)} (n_required {count(c.n_required)}{share}{_expected(c)})",
        "samples": f"{count(c.n_generated)} generated, {count(c.n_reference)} reference events (effective); "
        f"power {c.power:.3g} for a perfect generator",
    }
    lines = wrapped(printable(f"{name}: {c.verdict}"), 2)
    for label, text in numbers.items():
        lines += wrapped(printable(f"  {label:<14}{text}"), 16)
    for reason in (*c.reasons, *(region_words(c) if isinstance(c, Comparison) else ())):
        lines += wrapped(printable(f"  - {reason}"), 4)
    # Samples that are not independent, or too few, say nothing about bins or what the generator is worth.
    return lines + _consequences(c) if c.n_supported > 0 and c.verdict is not Verdict.ROBUST else lines


def _histograms(c: Comparison) -> dict[str, str]:
    first = decisive(c)
    tests = sorted(measures(c), key=lambda measure: measure != first)
    bins = f" in all {c.bins} bins{_merged(c)}"
    ratios = (f"{_range(test.interval, 4)} (limit {limit_of(c, test):.4g}){test.suffix or bins}" for test in tests)
    biases = (f"{_range(test.rms_bias)} (limit {test.rms_of(limit_of(c, test)):.3g})" for test in tests)
    return {
        "χ²_req/ndf": "; ".join(ratios),
        "rms bias": f"{'; '.join(biases)}; in error bars of {count(c.n_required)} events",
    }


def _expected(c: AnyComparison) -> str:
    """Say what a perfect generator would get with the same samples, in two of three cases."""
    if not isinstance(c, Comparison) or c.expected_n_supported.upper == 0:
        return ""
    expected = c.expected_n_supported
    return f"; a perfect generator gets {at_most(expected.lower)} to {at_most(expected.upper)}"


def _estimates(c: EstimateComparison) -> dict[str, str]:
    if isinstance(c, AnalysisComparison):
        return _analysis(c)
    error_bar = f"the error bar of {count(c.n_required)} events is {c.required_error:.3g}"
    return {
        "generated": measured(c.generated),
        "reference": measured(c.reference),
        "difference": f"{c.difference:+.3g}; {error_bar}",
        "bias": f"{_range(c.bias)} error bars of {count(c.n_required)} events (limit {c.max_bias:g})",
    }


def _analysis(c: AnalysisComparison) -> dict[str, str]:
    coverage = (
        f"{percent(interval.kept)} of the {percent(round(interval.level, 4))} intervals ({percent(interval.ignored)} "
        "without)"
        for interval in c.coverage
    )
    return {
        "generated": f"{c.parameter} = {measured(c.generated)} (the error of the template alone)",
        "reference": f"{c.parameter} = {measured(c.reference)}",
        "uncertainty": f"{c.required_error:.3g} at the luminosity of {count(c.n_required)} events; with generated "
        f"templates {c.uncertainty_kept:.3g}, or {c.uncertainty_ignored:.3g} without the inherited error",
        "bias": f"{_range(c.bias)} times this uncertainty (limit {c.max_bias:g})",
        **({"coverage": f"{', '.join(coverage)} the inherited error; {c.toys:,} toys"} if c.coverage else {}),
    }


def _consequences(c: AnyComparison) -> list[str]:
    remains = (
        f"  - until then an analysis must keep the relative error bars of {at_most(c.n_systematic)} events "
        "as a systematic uncertainty"
    )
    return [*(_worst_bins(c) if isinstance(c, Comparison) else []), *wrapped(remains, 4)]


def _worst_bins(c: Comparison) -> list[str]:
    significant = any(bias.lower > 0 for bias in c.worst_bins)
    lines = wrapped(
        f"  worst bins, in error bars of n_required events{'' if significant else ', none shown to be off'}:", 4
    )
    for bias in c.worst_bins:
        label = with_unit(c, bias.label)
        lines += wrapped(printable(f"    {label}: {bias.bias:+.2f} (at least {bias.lower:.2f})"), 6)
    return lines


def attempt_in_words(report: Report) -> str:
    """Say which attempt and look this is, and at which level; nothing of a first and only one."""
    c = next(iter(report.comparisons.values()))
    words = [f"attempt {c.attempt}"] if c.attempt > 1 else []
    words += [f"one of {c.looks} planned looks"] if c.looks > 1 else []
    return ", ".join([*words, f"at level {level(c.confidence, c.attempt, c.looks):.3g}"]) if words else ""


def _observables(number: int) -> str:
    return f"{number} observable{'s' * (number != 1)}"


def _merged(c: Comparison) -> str:
    return f", {c.merged_bins} joined to neighbours" if c.merged_bins else ""


def _range(interval: Interval, digits: int = 3) -> str:
    estimate, lower, upper = (rounded(value, digits) for value in (interval.estimate, interval.lower, interval.upper))
    return f"{estimate}, from {lower} to {upper}"


def _events(interval: Interval) -> str:
    return f"{count(interval.estimate)}, from {at_most(interval.lower)} to {count(interval.upper)} events"


def _amplification(c: AnyComparison) -> str:
    if c.n_train is None:
        return ""
    low, high = (n / (c.n_train * c.share) for n in (c.n_equivalent.lower, c.n_equivalent.upper))
    return f" ({rounded(low)} to {rounded(high)} times n_train {count(c.n_train)})"

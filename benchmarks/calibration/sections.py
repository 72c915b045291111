"""One section of the report per study, and the parts that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.calibration.cells import FEW, LITTLE_DATA, MANY, RATIOS
from benchmarks.calibration.quantiles import PER_CELL
from benchmarks.calibration.toys import Row
from benchmarks.calibration.truth import ALPHA
from pytest_ganvalid.statistics.reasons import TOO_GOOD
from pytest_ganvalid.toys.boundary import SHAPES

# ---- studies --------------------------------------------------------------------------------------------------------


def boundary_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary, first with 100 events in the rarest bin, then with 20."""
    return [
        "## On the boundary",
        "",
        (
            "The largest n_required Δ_d / E_d of the tests (all bins; 9 and, from 73 bins on, 36 smooth components) is "
            "exactly one, Δ_d between the true bin probabilities; flat spectra, and exponentially falling ones (first "
            "bin 30 times the last). Little and much data: a perfect generator would pass in 30 % and 90 % of the "
            f"cases. Of the bins {sum(row.merged_bins * row.toys for row in rows):,.0f} were merged in all. "
            "max_local_bias is infinite, because a bias in one bin may rightly exceed it."
        ),
        "",
        "Highest false ROBUST / false BIASED by n_g/n_r:",
        "",
        *_by_ratio(rows),
        "",
        "By the test on whose boundary the truth lies, means:",
        "",
        *_by_test(rows),
        "",
        (
            "Why few events and unequal sizes matter: Δ is estimated as T - m1, and tr(AM) is the noise m1 to leading "
            "order only. Over many rare bins the next order adds up; what of it is not negligible is part of m1 (see "
            "docs/statistics.md). calibration_scale.md shows the rates with it and without. Where there are several "
            "tests BIASED is rarer than 0.05, because each has its share of α and only one is on its boundary."
        ),
        *_boundary_part(rows, MANY),
        *_boundary_part(rows, FEW),
    ]


def _by_ratio(rows: list[Row]) -> list[str]:
    body = []
    for least, strength in ((MANY, "much"), (FEW, "much"), (FEW, "little")):
        of = [row for row in rows if row.least == least and (row.strength == LITTLE_DATA) == (strength == "little")]
        highest = [
            " / ".join(f"{max(getattr(r, what) for r in of if r.ratio == ratio):.3f}" for what in ("robust", "biased"))
            for ratio in RATIOS
        ]
        body.append([f"{least:g}", strength, *highest])
    return table(["events", "data", *(f"{ratio:g}" for ratio in RATIOS)], body)


def _by_test(rows: list[Row]) -> list[str]:
    """Show mean rates and the prediction for each test that limits, by the amount of data."""
    body = []
    for strength in sorted({row.strength for row in rows}):
        for degrees in sorted({row.degrees for row in rows}):
            if of := [row for row in rows if (row.strength, row.degrees) == (strength, degrees)]:
                robust, predicted, biased, shown = (
                    np.mean([getattr(row, what) for row in of])
                    for what in ("robust", "predicted", "biased", "shown_coverage")
                )
                data = "little" if strength == LITTLE_DATA else "much"
                body.append(
                    [f"{degrees}", data, f"{len(of)}"] + [f"{x:.4f}" for x in (predicted, robust, biased, shown)]
                )
    head = ["d", "data", "cells", "predicted false ROBUST", "false ROBUST", "false BIASED", "coverage as shown"]
    return table(head, body)


def _boundary_part(rows: list[Row], least: float) -> list[str]:
    rows = [row for row in rows if row.least == least]
    if not rows:
        return []
    body = [
        [f"{bins}", f"{ratio:g}", spectrum(drop), "little" if strength == LITTLE_DATA else "much", *map(pair, group)]
        for (bins, ratio, drop, strength), group in grouped(rows, "bins", "ratio", "drop", "strength").items()
    ]
    return [
        "",
        f"### {least:g} events in the rarest bin",
        "",
        *extremes(rows),
        *coverage(rows, 0.9),
        "",
        "False ROBUST / false BIASED:",
        "",
        *table(["bins", "n_g/n_r", "spectrum", "data", *SHAPES], body),
    ]


def weights_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary with weighted events."""
    body = [
        [f"{key[0]}", f"{key[1]}", f"{key[2]:g}", *map(pair, group)]
        for key, group in grouped(rows, "weights", "bins", "ratio").items()
    ]
    return [
        "## On the boundary, with weights",
        "",
        (
            "Both samples weighted: log-normal weights (sigma 0.5), one event in ten of weight -1, and events drawn "
            "evenly over the bins that are weighted to a falling spectrum. The rarest bin expects 20 effective events "
            "or more, much data."
        ),
        "",
        *extremes(rows),
        *coverage(rows, 0.9),
        "",
        "False ROBUST / false BIASED:",
        "",
        *table(["weights", "bins", "n_g/n_r", *dict.fromkeys(row.shape for row in rows)], body),
    ]


def heavy_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary with heavy weights, by where the bias is."""
    return [
        "## On the boundary, with heavy importance weights",
        "",
        (
            "Both samples drawn evenly over the axis x from 0 to 1 (the generated one but for its bias) and weighted "
            "by exp(3x); the bias is one period, or lies in the fifth where weights are lightest (first_fifth) or "
            "heaviest (last_fifth), all alike or up and down in turn (rough). The rarest bin expects 20 effective "
            "events or more, much data."
        ),
        "",
        *_plain_part(rows),
    ]


def fine_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary in many bins."""
    return [
        "## On the boundary, in 200 bins",
        "",
        "Flat spectrum, 20 events or more in the rarest bin, much data.",
        "",
        *_plain_part(rows),
    ]


def ripples_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary with ripples."""
    return [
        "## On the boundary, with ripples",
        "",
        (
            "A cosine of 6, 15 or 30 periods over a flat spectrum. In brackets the test on whose boundary it is: its "
            "number of smooth components, or all bins less one."
        ),
        "",
        *_plain_part(rows),
    ]


def _plain_part(rows: list[Row]) -> list[str]:
    body = [
        [f"{bins}", f"{ratio:g}", *(f"{pair(r)} ({r.degrees})" for r in group)]
        for (bins, ratio), group in grouped(rows, "bins", "ratio").items()
    ]
    return [
        *extremes(rows),
        *coverage(rows, 0.9),
        "",
        "False ROBUST / false BIASED (degrees of freedom of the test on whose boundary it is):",
        "",
        *table(["bins", "n_g/n_r", *dict.fromkeys(row.shape for row in rows)], body),
    ]


def quantiles_section(rows: list[Row]) -> list[str]:
    """Error rates on the boundary in cells of the package's own choice."""
    body = [
        [r.shape, f"{r.bins}", f"{r.toys}", f"{r.degrees}", f"{r.predicted:.3f}", pair(r), f"{r.shown_coverage:.3f}"]
        for r in rows
    ]
    head = [
        "cells of",
        "asked for",
        "toys",
        "d",
        "predicted false ROBUST",
        "false ROBUST / BIASED",
        "coverage as shown",
    ]
    return [
        "## On the boundary, in cells cut at the reference's quantiles",
        "",
        (
            f"`validate` on events with `bins=cells`: one column, a pair, or three columns in a k-d tree; {PER_CELL} "
            "reference events per cell and ten times as many generated ones; a perfect generator would pass in 70 %. "
            "The density is uniform in truth and biased by one period or a product (smooth), or by waves of about four "
            "or five cells (ripples). Its true Δ_d is measured in the cells of three references of this size, with "
            "large samples; those of a toy are not exactly these."
        ),
        "",
        *extremes(rows),
        "",
        *table(head, body),
    ]


def merging_section(rows: list[Row]) -> list[str]:
    """Error rates where bins are merged."""
    body = [
        [f"{a.bins}", f"{a.ratio:g}", a.shape, f"{a.merged_bins:.1f}", pair(a), f"{b.merged_bins:.1f}", pair(b)]
        for a, b in grouped(rows, "bins", "ratio", "shape").values()
    ]
    head = ["bins", "n_g/n_r", "shape", *("merged away", "merged boundary"), *("merged away", "boundary as given")]
    return [
        "## With merging",
        "",
        (
            "A spectrum whose last bin expects one event, so that the tail is merged. First with the bins that merging "
            "is expected to leave on the boundary (merging fluctuates from toy to toy, and then Δ and E are no longer "
            "exactly those); here both rates are errors. Then with the bins as given on the boundary: the verdict "
            "speaks of the bins compared, whose Δ is smaller, but so is their E where all bins limit; both rates are "
            "information there, not errors."
        ),
        "",
        *extremes([row for row in rows if row.study == "merging"]),
        "",
        "False ROBUST / false BIASED:",
        "",
        *table(head, body),
    ]


def perfect_section(rows: list[Row]) -> list[str]:
    """Power of a perfect generator, first with 100 events in the rarest bin, then with 20."""
    toys, too_good = sum(r.toys for r in rows), sum(r.too_good for r in rows)
    return [
        "## A perfect generator",
        "",
        (
            "q = p. The prediction of the power is that of `plan` (10 n_required generated) and `Comparison.power` "
            f"(fixed n_g/n_r), of all tests together. Too good were {too_good} of {toys:,} toys, "
            f"{too_good / toys:.1e}; nominal {TOO_GOOD:.0e}."
        ),
        *_perfect_part(rows, MANY),
        *_perfect_part(rows, FEW),
    ]


def _perfect_part(rows: list[Row], least: float) -> list[str]:
    rows = [row for row in rows if row.least == least]
    if not rows:
        return []
    low, high = (choose(rows, key=lambda r: r.robust - r.predicted) for choose in (min, max))
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        sizes = "plan" if row.study == "perfect-plan" else f"{row.ratio:g}"
        groups.setdefault((row.bins, spectrum(row.drop), sizes), []).append(row)
    body = [
        [*map(str, key), *(f"{r.robust:.3f} ({r.robust - r.predicted:+.3f})" for r in group)]
        for key, group in groups.items()
    ]
    return [
        "",
        f"### {least:g} events in the rarest bin",
        "",
        f"- power minus prediction: mean {np.mean([r.robust - r.predicted for r in rows]):+.4f}",
        *(
            f"    - {word} {r.robust - r.predicted:+.4f} ± {r.robust_error:.4f} ({r.where})"
            for word, r in (("lowest", low), ("highest", high))
        ),
        *coverage(rows, 0.95),
        "- only the lower end can miss Δ = 0",
        "",
        "Power (minus prediction):",
        "",
        *table(
            ["bins", "spectrum", "n_g/n_r", *(f"{s:.0%} wanted" for s in dict.fromkeys(r.strength for r in rows))], body
        ),
    ]


def discrete_section(rows: list[Row]) -> list[str]:
    """Verdicts on samples that may be equal by accident."""
    body = [
        [f"{r.bins}", f"{r.n_reference:,}", f"{r.too_good / r.toys:.4f}", f"{r.robust:.3f}", f"{r.biased:.4f}"]
        for r in rows
    ]
    return [
        "## Two and three bins",
        "",
        (
            "A perfect generator, samples of equal size. Equal counts in all bins are then no rare accident, and χ² = "
            "0 is too good at any level: the verdict is UNPROVEN at the rate of exact equality, which falls as "
            f"n^(-(bins - 1)/2), not at {TOO_GOOD:.0e}."
        ),
        "",
        *table(["bins", "events in each sample", "too good", "ROBUST", "BIASED"], body),
    ]


def fires_section(rows: list[Row]) -> list[str]:
    """How often four times the allowed disagreement is found."""
    low, high = (choose(rows, key=lambda r: r.biased - r.predicted) for choose in (min, max))
    body = [
        [f"{key[0]}", f"{key[1]:g}", f"{group[0].predicted:.3f}", *(f"{r.biased:.3f}" for r in group)]
        for key, group in grouped(rows, "bins", "ratio").items()
    ]
    return [
        "## A generator that is four times too wrong",
        "",
        (
            "The largest n_required Δ_d / E_d is 4, little data: how often BIASED. Expected at least, to leading "
            "order: the probability that the best test alone, at its share of α, sees it (a non-central χ² beyond a "
            "quantile of that on the boundary). It is that of the first shape; each has its own in the CSV file."
        ),
        "",
        *(
            f"- {word} above its least: {r.biased:.4f} ± {r.biased_error:.4f}, expected {r.predicted:.4f} ({r.where})"
            for word, r in (("least", low), ("most", high))
        ),
        "",
        *table(["bins", "n_g/n_r", "expected", *SHAPES], body),
    ]


def local_section(rows: list[Row]) -> list[str]:
    """How often the local criterion fires at its limit."""
    body = [
        [f"{key[0]}", f"{key[1]:g}", f"{key[2]}", *(f"{r.local:.4f}" for r in group)]
        for key, group in grouped(rows, "bins", "ratio", "shape").items()
    ]
    return [
        "## The local criterion at its limit",
        "",
        (
            "One bin, or all but two, exactly at ±5 error bars; n_required is the size of the smaller sample, merging "
            "is off. How often the criterion fires, by the expected events of the rarest bin; simultaneous confidence "
            "over the bins makes 0.05 / bins the nominal rate for one bin at the limit and 0.05 an upper bound always."
        ),
        "",
        *table(["bins", "n_g/n_r", "at the limit", "10 events", "30 events", "100 events"], body),
    ]


# ---- parts ----------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *body)]


def grouped(rows: Sequence[Row], *keys: str) -> dict[tuple[object, ...], list[Row]]:
    """Return the rows by their values of these fields, in order of appearance."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, key) for key in keys), []).append(row)
    return groups


def extremes(rows: Sequence[Row]) -> list[str]:
    """Name the cells with the highest and lowest error rates, and say how the others lie."""
    lines = []
    for what in ("robust", "biased"):
        low, high = min(rows, key=lambda r: getattr(r, what)), max(rows, key=lambda r: getattr(r, what))
        mean = np.mean([getattr(row, what) for row in rows])
        lines += [
            f"- false {what.upper()}: mean {mean:.4f}",
            f"    - highest {getattr(high, what):.4f} ± {getattr(high, f'{what}_error'):.4f} ({high.where})",
            f"    - lowest {getattr(low, what):.4f} ± {getattr(low, f'{what}_error'):.4f} ({low.where})",
        ]
    above = sum(row.robust > row.predicted + 2 * row.robust_error for row in rows)
    biased = sum(row.biased > ALPHA + 2 * row.biased_error for row in rows)
    return [
        *lines,
        (
            f"- of {len(rows)} cells {above} lie above the predicted false ROBUST by more than two errors and {biased} "
            f"above 0.05 false BIASED (about {len(rows) * 0.023:.0f} each by chance alone, were they there exactly)"
        ),
    ]


def coverage(rows: Sequence[Row], nominal: float) -> list[str]:
    """Say how often the interval covers the true Δ of all bins."""
    lines = []
    for what, title in (
        ("coverage", f"by both plain 95 % limits (nominal {nominal:.2f})"),
        ("shown_coverage", "as shown"),
    ):
        low, high = (choose(rows, key=lambda r: getattr(r, what)) for choose in (min, max))
        lines.append(
            f"- coverage of Δ of all bins {title}: mean {np.mean([getattr(r, what) for r in rows]):.4f}, from "
            f"{getattr(low, what):.4f} ± {getattr(low, f'{what}_error'):.4f} ({low.where}) to "
            f"{getattr(high, what):.4f} ({high.where})"
        )
    return lines


def pair(row: Row) -> str:
    """Show both error rates."""
    return f"{row.robust:.3f} / {row.biased:.3f}"


def spectrum(drop: object) -> str:
    """Name the shape of the reference."""
    return "flat" if drop == 1 else "falling"


def span(values: Sequence[float], form: str = ",.0f") -> str:
    """Show the smallest and the largest value."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"

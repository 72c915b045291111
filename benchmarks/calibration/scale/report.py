"""The Markdown report of the study at scale: what misses first, then the package beside the published formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.calibration.scale.measure import MANY_BINS, MORE, SHARE_OF_MANY, SUSPICIOUS, ScaleRow
from benchmarks.calibration.sections import table

TARGET = 0.06
COVERAGE, COVERAGE_TOLERANCE = 0.90, 0.02
FACTORS = ("weights", "least", "ratio", "bins", "spectrum", "shape", "edges", "strength")
RATES = ("robust", "biased")


def report(rows: Sequence[ScaleRow], command: str) -> str:
    """Return the report on these rows, measured with this command."""
    lines = [
        "# Calibration at scale",
        "",
        *headline(rows),
        "",
        *shortcomings(rows),
        "",
        *method(rows, command),
        "",
        "## By factor",
        "",
        "Mean (worst) rate of the cells at each level, and rates above the target; published formulas → package.",
        "",
        *by_factor(rows),
    ]
    return "\n".join(lines) + "\n"


def headline(rows: Sequence[ScaleRow]) -> list[str]:
    """Compare the package with the published formulas over all cells."""
    head = ["", "published formulas", "package"]
    body = [
        ["cells", f"{len(rows)}", f"{len(rows)}"],
        *([f"highest false {rate.upper()}", *_both(rows, rate, _highest)] for rate in RATES),
        *([f"mean false {rate.upper()}, at most 0.05", *_both(rows, rate, _mean)] for rate in RATES),
        [
            f"rates above {TARGET} + 2 standard errors, of {2 * len(rows)}",
            *(f"{len(above(rows, prefix))}" for prefix in ("published_", "")),
        ],
        ["coverage of Δ of all bins by both plain 95 % limits, mean (range)", *_both(rows, "coverage", _range)],
    ]
    return table(head, body)


def shortcomings(rows: Sequence[ScaleRow]) -> list[str]:
    """Name the cells that miss the target."""
    missed = sorted(above(rows, ""), key=lambda miss: -miss[2])
    lines = [
        f"- false {rate.upper()} {value:.4f} ± {_error(value, row.toys):.4f} "
        f"(published {getattr(row, f'published_{rate}'):.4f}): {row.where}"
        for row, rate, value in missed
    ]
    low = sorted(rows, key=lambda row: -row.coverage)[:5]
    return [
        "## What falls short",
        "",
        f"Rates above {TARGET} by more than two standard errors: {len(missed)}.",
        "",
        *lines,
        *([""] if lines else []),
        "Most conservative, which costs power but is no wrong verdict:",
        "",
        *(
            f"- false ROBUST {row.robust:.4f}, false BIASED {row.biased:.4f} (published {row.published_robust:.4f}, "
            f"{row.published_biased:.4f}): {row.where}"
            for row in low
        ),
    ]


def method(rows: Sequence[ScaleRow], command: str) -> list[str]:
    """Say how the rates were measured."""
    toys = min(row.toys for row in rows if row.bins <= MANY_BINS)
    again = sum(row.toys > toys * (SHARE_OF_MANY if row.bins > MANY_BINS else 1) for row in rows)
    return [
        "## How",
        "",
        (
            f"Written by `{command}`: {len(rows)} cells, {sum(row.toys for row in rows):,} toys in all, at confidence "
            "0.95. Each toy is judged by the merging, the smooth components and the tail probabilities of "
            "`pytest_ganvalid.compare`, and likewise with the published formulas in the test on all bins: T, tr(AM), "
            f"tr(AMAM) and V as they are. Every cell has {toys:,} toys, {SHARE_OF_MANY:.0%} of that where it has more "
            f"than {MANY_BINS} bins; {again} with a rate above {SUSPICIOUS} had {MORE} times as many more, to tell a "
            "miss from a fluctuation, and all toys count. Standard errors are binomial. The levels of the factors are "
            "shuffled over the cells (a Latin hypercube) instead of multiplied. Every cell is in the CSV file beside "
            "this one. Published rates above the target are undercounted: those cells have more toys only where the "
            "package's rate was above it too."
        ),
        "",
        (
            "Each toy is exactly on the boundary: n_required is the smallest E_d/Δ_d of the tests, Δ_d being the true "
            "one of the bins compared in that toy, after choosing edges (equiprobable in the toy's reference, or in "
            "both of its samples) and after merging. `rarest bin` is the number of effective events, (Σw)²/Σw², that "
            "the rarest bin of either truth expects in the smaller sample, at least. "
            "`min_expected` is half of it where that is below 10: 2.5 where the rarest bin expects 5. At 5, or at the "
            "default of 10, such bins would be merged away, or every other one by chance, and the cell would not "
            "measure them."
        ),
    ]


def by_factor(rows: Sequence[ScaleRow]) -> list[str]:
    """Show the rates by the levels of each factor."""
    body = []
    for factor in FACTORS:
        for level in sorted({getattr(row, factor) for row in rows}):
            group = [row for row in rows if getattr(row, factor) == level]
            name = f"{level:g}" if isinstance(level, float) else f"{level}"
            body.append([factor, name, f"{len(group)}", *_cells(group)])
    return table(["factor", "level", "cells", "false ROBUST", "false BIASED", "coverage", "above target"], body)


def above(rows: Sequence[ScaleRow], prefix: str) -> list[tuple[ScaleRow, str, float]]:
    """Return the rates beyond the target by more than two standard errors, ``prefix`` saying whose."""
    rates = ((row, rate, getattr(row, prefix + rate)) for row in rows for rate in RATES)
    return [found for found in rates if found[2] > TARGET + 2 * _error(TARGET, found[0].toys)]


def _error(value: float, toys: int) -> float:
    return math.sqrt(value * (1 - value) / toys)


def _both(rows: Sequence[ScaleRow], rate: str, show: Callable[[list[float], Sequence[ScaleRow]], str]) -> list[str]:
    return [show([getattr(row, prefix + rate) for row in rows], rows) for prefix in ("published_", "")]


def _highest(values: list[float], rows: Sequence[ScaleRow]) -> str:
    i = int(np.argmax(values))
    return f"{values[i]:.4f} ± {_error(values[i], rows[i].toys):.4f}"


def _mean(values: list[float], _rows: Sequence[ScaleRow]) -> str:
    return f"{np.mean(values):.4f}"


def _range(values: list[float], _rows: Sequence[ScaleRow]) -> str:
    return f"{np.mean(values):.4f} ({min(values):.3f} to {max(values):.3f})"


def _cells(group: Sequence[ScaleRow]) -> list[str]:
    shown = []
    for rate, extreme in (("robust", max), ("biased", max), ("coverage", min)):
        of = [[getattr(row, prefix + rate) for row in group] for prefix in ("published_", "")]
        shown.append(" → ".join(f"{np.mean(values):.3f} ({extreme(values):.3f})" for values in of))
    return [*shown, f"{len(above(group, 'published_'))} → {len(above(group, ''))}"]

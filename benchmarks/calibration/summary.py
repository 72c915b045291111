"""The Markdown report: what falls short first, then the error rates, then every study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.calibration.cells import FEW, MANY, STUDIES
from benchmarks.calibration.sections import (
    boundary_section,
    discrete_section,
    fine_section,
    fires_section,
    heavy_section,
    local_section,
    merging_section,
    perfect_section,
    quantiles_section,
    ripples_section,
    table,
    weights_section,
)
from benchmarks.calibration.toys import Row
from benchmarks.calibration.truth import ALPHA

ROBUST_EXCESS = 0.01
BIASED_TARGET = 0.06
POWER_TARGET = 0.03
COVERAGE, COVERAGE_TOLERANCE = 0.90, 0.02
SHOWN_COVERAGE = 0.88
FALSE = ("boundary", "weights", "heavy", "fine", "ripples", "quantiles", "merging")
"""Studies in which either verdict is wrong."""

Studies = dict[str, list[Row]]


def summary(rows: Sequence[Row], command: str) -> str:
    """Return the report on these rows, measured with this command."""
    of = {name: [row for row in rows if row.study in setups] for name, (_, setups) in STUDIES.items()}
    sections: dict[str, Callable[[list[Row]], list[str]]] = {
        "boundary": boundary_section,
        "weights": weights_section,
        "heavy": heavy_section,
        "fine": fine_section,
        "ripples": ripples_section,
        "quantiles": quantiles_section,
        "merging": merging_section,
        "perfect": perfect_section,
        "discrete": discrete_section,
        "fires": fires_section,
        "local": local_section,
    }
    lines = [
        "# Calibration of the verdict",
        "",
        *shortcomings(of),
        "",
        "## Error rates",
        "",
        *headline(of),
        "",
        *_introduction(rows, command),
    ]
    for name, section in sections.items():
        if of[name]:
            lines += ["", *section(of[name])]
    return "\n".join(lines) + "\n"


def _introduction(rows: Sequence[Row], command: str) -> list[str]:
    return [
        (
            f"Written by `{command}`: {len(rows)} cells, {max(row.toys for row in rows):,} toys each (fewer in cells "
            f"cut at quantiles), {sum(row.toys for row in rows):,} in all, one call of `pytest_ganvalid.compare` or "
            "`validate` per toy, at confidence 0.95. The nominal error rate of each limit is 0.05. False ROBUST is "
            "predicted to be at most 0.05 times the power of the test on whose boundary the truth lies: limits by CLs "
            "let no more pass. False BIASED is 0.05 at most, shared out among the tests. Errors are binomial, one "
            "standard deviation; with so many cells the highest of the rates is likely to be an upward fluctuation. "
            "Events are those that the rarest bin of either truth expects in the smaller sample, effective ones if "
            "weighted. Coverage is that of the true Δ of all bins: by the plain one-sided limits, and of the interval "
            "shown, whose upper limit is by CLs. Every cell with its sizes is in the CSV file beside this one."
        )
    ]


# ---- headline -------------------------------------------------------------------------------------------------------


def headline(of: Studies) -> list[str]:
    """Return the table of published error rates."""
    body = [_headline_of(*entry) for entry in _headline_entries(of) if entry[1]]
    head = ["study", "cells", "highest false ROBUST", "highest false BIASED", "coverage of Δ", "coverage as shown"]
    return [*table(head, body), *_headline_power(of["perfect"])]


def _headline_power(rows: list[Row]) -> list[str]:
    parts = []
    for least in (MANY, FEW):
        if of := [row for row in rows if row.least == least]:
            low, high = (choose(of, key=lambda r: r.robust - r.predicted) for choose in (min, max))
            parts.append(
                f"{low.robust - low.predicted:+.3f} ± {low.robust_error:.3f} to {high.robust - high.predicted:+.3f} ± "
                f"{high.robust_error:.3f} with {least:g} events"
            )
    return ["", f"Power of a perfect generator minus that of `plan`: {'; '.join(parts)}."] if parts else []


def _headline_entries(of: Studies) -> list[tuple[str, list[Row], str, str]]:
    """Return (study, its cells, which field holds the false ROBUST rate, which the false BIASED rate)."""
    entries = [
        (
            f"{title}, {least:g} events in the rarest bin",
            [row for row in of[name] if row.least == least],
            robust,
            "biased",
        )
        for name, title, robust in (("boundary", "on the boundary", "robust"), ("perfect", "perfect generator", ""))
        for least in (MANY, FEW)
    ]
    return [
        *entries[:2],
        ("with weights, 20 events in the rarest bin", of["weights"], "robust", "biased"),
        ("heavy importance weights", of["heavy"], "robust", "biased"),
        ("200 bins", of["fine"], "robust", "biased"),
        ("ripples", of["ripples"], "robust", "biased"),
        ("cells cut at the reference's quantiles", of["quantiles"], "robust", "biased"),
        ("with merging", _exact(of["merging"]), "robust", "biased"),
        *entries[2:],
        ("two and three bins, perfect", of["discrete"], "", "biased"),
        ("four times too wrong", of["fires"], "robust", ""),
        ("local criterion at its limit", of["local"], "", "local"),
    ]


def _headline_of(title: str, rows: list[Row], robust: str, biased: str) -> list[str]:
    shown = [_covered(rows, what) for what in ("coverage", "shown_coverage")] if biased != "local" else ["–", "–"]
    return [title, f"{len(rows)}", _highest(rows, robust), _highest(rows, biased), *shown]


def _covered(rows: list[Row], what: str) -> str:
    rates = [getattr(row, what) for row in rows]
    if np.isnan(rates).any():
        return "–"
    nominal = "" if what != "coverage" else ", nominal 0.95" if rows[0].delta == 0 else ", nominal 0.90"
    return f"{np.mean(rates):.3f} ({min(rates):.3f} to {max(rates):.3f}){nominal}"


def _highest(rows: Sequence[Row], rate: str) -> str:
    if not rate:
        return "–"
    row = max(rows, key=lambda r: getattr(r, rate))
    return f"{getattr(row, rate):.4f} ± {getattr(row, f'{rate}_error'):.4f}"


# ---- what falls short -----------------------------------------------------------------------------------------------


def shortcomings(of: Studies) -> list[str]:
    """Say what misses its aim, by name."""
    checked = [row for name in FALSE for row in _exact(of[name])]
    wrong = [line for row in checked for line in _above_target(row)]
    rates = [row.coverage for row in checked if not np.isnan(row.coverage)]
    if rates and abs(np.mean(rates) - COVERAGE) > COVERAGE_TOLERANCE:
        wrong.append(f"the plain limits cover the true Δ at {np.mean(rates):.4f} over all cells")
    wrong += [
        f"power {row.robust:.4f} ± {row.robust_error:.4f}, predicted {row.predicted:.4f}: {row.where}"
        for row in sorted(of["perfect"], key=lambda r: -r.least)
        if abs(row.robust - row.predicted) > POWER_TARGET + 2 * row.robust_error
    ]
    wrong += [
        f"BIASED though perfect {row.biased:.4f} ± {row.biased_error:.4f}: {row.where}"
        for row in of["perfect"] + of["discrete"]
        if row.biased > ALPHA + 2 * row.biased_error
    ]
    wrong += [
        f"BIASED at {row.biased:.4f} ± {row.biased_error:.4f}, expected at least {row.predicted:.4f}: {row.where}"
        for row in of["fires"]
        if row.biased < row.predicted - POWER_TARGET - 2 * row.biased_error
    ]
    wrong += [
        f"the local criterion fires at its limit at {row.local:.4f} ± {row.local_error:.4f}: {row.where}"
        for row in of["local"]
        if row.local > ALPHA + 2 * row.local_error
    ]
    aims = (
        f"false ROBUST at most {ROBUST_EXCESS:g} above its prediction, false BIASED at most {BIASED_TARGET:g}, the "
        f"interval shown covering at least {SHOWN_COVERAGE:g} in every cell, the plain limits {COVERAGE:g} ± "
        f"{COVERAGE_TOLERANCE:g} over all, power within {POWER_TARGET:g} of the prediction and BIASED not less than "
        f"that below it where it is due, the local criterion at most {ALPHA:.2f}; of a single cell within two errors"
    )
    return ["## What falls short", "", f"Aims missed ({aims}): {len(wrong)}.", "", *(f"- {line}" for line in wrong)]


def _above_target(row: Row) -> list[str]:
    lines = []
    if row.robust > row.predicted + ROBUST_EXCESS + 2 * row.robust_error:
        lines.append(f"false ROBUST {row.robust:.4f} ± {row.robust_error:.4f}, predicted at most {row.predicted:.4f}")
    if row.biased > BIASED_TARGET + 2 * row.biased_error:
        lines.append(f"false BIASED {row.biased:.4f} ± {row.biased_error:.4f}")
    if row.shown_coverage < SHOWN_COVERAGE - 2 * row.shown_coverage_error:
        lines.append(f"the interval shown covers at {row.shown_coverage:.4f} ± {row.shown_coverage_error:.4f}")
    return [f"{line}: {row.study}, {row.where}" for line in lines]


def _exact(rows: Sequence[Row]) -> list[Row]:
    """Leave out the cells that are not on the boundary of what is compared."""
    return [row for row in rows if row.study != "merging-given"]

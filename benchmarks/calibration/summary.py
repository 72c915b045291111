"""The Markdown report: the error rates first, then what falls short, then every study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.calibration.cells import ALPHA, FEW, MANY, STUDIES
from benchmarks.calibration.sections import (
    boundary_section,
    discrete_section,
    fires_section,
    local_section,
    merging_section,
    perfect_section,
    table,
    weights_section,
)
from benchmarks.calibration.toys import Row

TARGET = 0.07
POWER_TARGET = 0.03

Studies = dict[str, list[Row]]


def summary(rows: Sequence[Row], command: str) -> str:
    """Return the report on these rows, measured with this command."""
    of = {name: [row for row in rows if row.study in setups] for name, (_, setups) in STUDIES.items()}
    sections: dict[str, Callable[[list[Row]], list[str]]] = {
        "boundary": boundary_section,
        "weights": weights_section,
        "merging": merging_section,
        "perfect": perfect_section,
        "discrete": discrete_section,
        "fires": fires_section,
        "local": local_section,
    }
    lines = [
        "# Calibration of the verdict",
        "",
        *headline(of),
        "",
        *_introduction(rows, command),
        "",
        *shortcomings(of),
    ]
    for name, section in sections.items():
        if of[name]:
            lines += ["", *section(of[name])]
    return "\n".join(lines) + "\n"


def _introduction(rows: Sequence[Row], command: str) -> list[str]:
    return [
        (
            f"Written by `{command}`: {len(rows)} cells, {rows[0].toys:,} toys each, {sum(row.toys for row in rows):,} "
            "in all, one call of `pytest_ganvalid.compare` per toy, at confidence 0.95. The nominal error rate of each "
            f"limit is 0.05, the aim at most {TARGET:g}. Errors are binomial, one standard deviation; with so many "
            "cells the highest of the rates is likely to be an upward fluctuation. Events are those that the rarest "
            "bin of either truth expects in the smaller sample, effective ones if weighted. Every cell with its sizes "
            "is in the CSV file beside this one."
        )
    ]


# ---- headline -------------------------------------------------------------------------------------------------------


def headline(of: Studies) -> list[str]:
    """Return the table of published error rates."""
    body = [_headline_of(*entry) for entry in _headline_entries(of) if entry[1]]
    head = ["study", "cells", "highest false ROBUST", "highest false BIASED", "coverage of the interval of Δ"]
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
        ("with merging", _exact(of["merging"]), "robust", "biased"),
        *entries[2:],
        ("two and three bins, perfect", of["discrete"], "", "biased"),
        ("four times too wrong", of["fires"], "robust", ""),
        ("local criterion at its limit", of["local"], "", "local"),
    ]


def _headline_of(title: str, rows: list[Row], robust: str, biased: str) -> list[str]:
    coverage = [row.coverage for row in rows]
    nominal = 0.95 if rows[0].delta == 0 else 0.9
    shown = f"{np.mean(coverage):.3f} ({min(coverage):.3f} to {max(coverage):.3f}), nominal {nominal:.2f}"
    return [title, f"{len(rows)}", _highest(rows, robust), _highest(rows, biased), "–" if biased == "local" else shown]


def _highest(rows: Sequence[Row], rate: str) -> str:
    if not rate:
        return "–"
    row = max(rows, key=lambda r: getattr(r, rate))
    return f"{getattr(row, rate):.4f} ± {getattr(row, f'{rate}_error'):.4f}"


# ---- what falls short -----------------------------------------------------------------------------------------------


def shortcomings(of: Studies) -> list[str]:
    """Say what misses its aim, by name."""
    wrong = [
        line
        for name in ("boundary", "weights", "merging")
        for row in sorted(_exact(of[name]), key=lambda r: -r.least)
        for line in _above_target(row)
    ]
    wrong += [
        f"power {row.robust:.4f} ± {row.robust_error:.4f}, predicted {row.predicted:.4f}: {row.where}"
        for row in sorted(of["perfect"], key=lambda r: -r.least)
        if abs(row.robust - row.predicted) > POWER_TARGET
    ]
    wrong += [
        f"BIASED though perfect {row.biased:.4f} ± {row.biased_error:.4f}: {row.where}"
        for row in of["perfect"] + of["discrete"]
        if row.biased > ALPHA + 2 * row.biased_error
    ]
    wrong += [
        f"the local criterion fires at its limit at {row.local:.4f} ± {row.local_error:.4f}: {row.where}"
        for row in of["local"]
        if row.local > ALPHA + 2 * row.local_error
    ]
    aims = f"error rates above {TARGET:g}, power further than {POWER_TARGET:g} from the prediction"
    return ["## What falls short", "", f"Aims missed ({aims}): {len(wrong)}.", "", *(f"- {line}" for line in wrong)]


def _above_target(row: Row) -> list[str]:
    rates = (("ROBUST", row.robust, row.robust_error), ("BIASED", row.biased, row.biased_error))
    return [
        f"false {what} {value:.4f} ± {error:.4f}: {row.study}, {row.where}"
        for what, value, error in rates
        if value > TARGET
    ]


def _exact(rows: Sequence[Row]) -> list[Row]:
    """Leave out the cells that are not on the boundary of what is compared."""
    return [row for row in rows if row.study != "merging-given"]

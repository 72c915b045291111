"""Measure over some hundred cells of all kinds how often the verdict is wrong, and how often it was.

    python -m benchmarks.calibration.scale

from the root of the repository writes benchmarks/calibration_scale.csv and benchmarks/calibration_scale.md. A cell's
random numbers depend on the seed and the cell alone, not on the number of processes.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import fields
from functools import partial
from pathlib import Path

from benchmarks.calibration.__main__ import as_text, measured
from benchmarks.calibration.scale.cells import CELLS, design
from benchmarks.calibration.scale.measure import ScaleRow, measure_cell
from benchmarks.calibration.scale.report import report

COLUMNS = [f.name for f in fields(ScaleRow) if f.name != "where"]


def main() -> None:
    """Measure all cells and write both files."""
    args = arguments()
    rows = []
    with args.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        work = partial(measure_cell, toys=args.toys, seed=args.seed)
        for row in measured(design(args.cells), work, args.processes):
            rows.append(row)
            writer.writerow(as_text(getattr(row, name)) for name in COLUMNS)
            file.flush()  # what is measured stays, should the run be stopped
    command = f"python -m benchmarks.calibration.scale --cells {args.cells} --toys {args.toys} --seed {args.seed}"
    args.output.with_suffix(".md").write_text(report(rows, command), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration.scale", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--cells", type=int, default=CELLS, help="default %(default)s")
    parser.add_argument("--toys", type=int, default=1000, help="toys per cell at first (default %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=20_206, help="default %(default)s")
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/calibration_scale.csv"), help="default %(default)s"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

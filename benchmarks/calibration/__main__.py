"""Measure by toys how often the verdict of `pytest_ganvalid.compare` is wrong.

    python -m benchmarks.calibration --toys 3000 --processes 2

from the root of the repository writes benchmarks/calibration.csv and benchmarks/calibration.md. Every number comes from
`compare` itself, called once per toy. A cell's random numbers depend on the seed and the cell alone, not on the number
of processes.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks.calibration.cells import STUDIES
from benchmarks.calibration.summary import summary
from benchmarks.calibration.toys import Row, measure


class _HasPlace(Protocol):
    @property
    def where(self) -> str: ...


AnyCell = TypeVar("AnyCell")
AnyRow = TypeVar("AnyRow", bound=_HasPlace)


def main() -> None:
    """Measure all cells and write both files."""
    args = arguments()
    cells = [cell for name in args.studies for cell in STUDIES[name][0]()]
    rows = []
    with args.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(f.name for f in fields(Row))
        for row in measured(cells, partial(measure, toys=args.toys, seed=args.seed), args.processes):
            rows.append(row)
            writer.writerow(as_text(getattr(row, f.name)) for f in fields(Row))
            file.flush()  # what is measured stays, should the run be stopped
    studies = "" if args.studies == list(STUDIES) else f" --studies {' '.join(args.studies)}"
    command = f"python -m benchmarks.calibration --toys {args.toys} --seed {args.seed}{studies}"
    args.output.with_suffix(".md").write_text(summary(rows, command), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--toys", type=int, default=3000, help="toys per cell (default %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=2002_06307, help="default %(default)s")
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES), help="default: all")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/calibration.csv"), help="default %(default)s")
    return parser.parse_args()


def measured(cells: Sequence[AnyCell], work: Callable[[AnyCell], AnyRow], processes: int) -> Iterator[AnyRow]:
    """Measure the cells in several processes and yield their rows in order."""
    start = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, row in enumerate(pool.map(work, cells), start=1):
            elapsed = time.monotonic() - start
            print(f"[{done}/{len(cells)}, {elapsed:.0f} s] {row.where}", file=sys.stderr, flush=True)
            yield row


def as_text(value: object) -> str:
    """Return a table cell; six digits are enough."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()

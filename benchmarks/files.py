"""How long the whole gate takes on files, against only reading them, how much memory, and how it grows.

python benchmarks/files.py --folder /tmp/events --output benchmarks/files.md

The Parquet files take 66 bytes a row and pair: 6.6 GB for the largest; ROOT and HDF5 files of 10⁷ rows as much again as
Parquet files of them. They are made if they are not there, and kept.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from pytest_ganvalid.histograms.lookup import threads

SIZES = (1_000_000, 10_000_000, 100_000_000)
ROWS = 1_000_000
COLUMNS = 4
TARGET, CLUSTER = 10**11, (100, 16)
OTHERS = 10_000_000  # rows of the files of other formats
GATE = """
import pytest_ganvalid
report = pytest_ganvalid.validate(*files, n_required=n_required)
found = [str(report.verdict), len(report.comparisons)]
"""
SINGLE = """
import pytest_ganvalid
report = pytest_ganvalid.validate(*files, n_required=n_required, observables=["mass", "pt", "eta", "phi"])
found = [str(report.verdict), len(report.comparisons)]
"""
WAYS = {
    "row groups": """
import pyarrow.parquet as pq
for name in files:
    with pq.ParquetFile(name) as file:
        for group in range(file.num_row_groups):
            for column in file.read_row_group(group).columns:
                column.to_numpy()
""",
    "batches": """
import pyarrow.parquet as pq
for name in files:
    with pq.ParquetFile(name) as file:
        for batch in file.iter_batches(131_072):
            for column in batch.columns:
                column.to_numpy()
""",
    "dataset": """
import pyarrow.dataset
for name in files:
    for batch in pyarrow.dataset.dataset(name).to_batches():
        for column in batch.columns:
            column.to_numpy()
""",
    "gate": GATE,
    "single columns": SINGLE,
}
SCANS = {
    "root": """
import uproot
for name in files:
    for rows in uproot.iterate(name, library="np", step_size=1_000_000):
        pass
""",
    "h5": """
import h5py
for name in files:
    with h5py.File(name) as file:
        for start in range(0, len(file["mass"]), 131_072):
            for column in file:
                file[column][start : start + 131_072]
""",
}
CHILD = """
import json, os, sys, time
files, n_required, found = sys.argv[1:3], float(sys.argv[3]), []
before = os.times()
{code}
wall, after = time.time() - float(sys.argv[4]), os.times()
with open("/proc/self/status") as status:  # ru_maxrss would be that of the parent, if that is larger
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps([wall, after.user + after.system - before.user - before.system, peak, found]))
"""


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    measured = {}
    for size in map(int, arguments.sizes):
        files = [made(arguments.folder / f"{side}_{size}.parquet", size, seed) for seed, side in enumerate("gr")]
        measured[size] = in_turns(WAYS, files, size, arguments.repeats)
    others = {}
    for suffix, scan in SCANS.items():
        files = [made(arguments.folder / f"{side}_{OTHERS}.{suffix}", OTHERS, seed) for seed, side in enumerate("gr")]
        others[suffix] = in_turns({"scan": scan, "gate": GATE}, files, OTHERS, arguments.repeats)
    text = "\n".join(report(measured, others, arguments.repeats)) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def made(path: Path, rows: int, seed: int) -> Path:
    """Write a file of true events, with default settings and a million rows at a time, if it is not there."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"beside-{path.name}")
    {".parquet": write_parquet, ".root": write_root, ".h5": write_hdf5}[path.suffix](beside, rows, seed)
    beside.rename(path)
    return path


def tables(rows: int, seed: int) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Yield true events, a million at a time."""
    rng = np.random.default_rng([seed, rows])
    for start in range(0, rows, ROWS):
        n = min(ROWS, rows - start)
        yield {
            "mass": rng.normal(91.2, 2.5, n),
            "pt": rng.exponential(20, n),
            "eta": rng.normal(size=n),
            "phi": rng.uniform(-math.pi, math.pi, n),
        }


def write_parquet(path: Path, rows: int, seed: int) -> None:
    """Write a row group for each million."""
    writer = None
    for columns in tables(rows, seed):
        table = pa.table(columns)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def write_root(path: Path, rows: int, seed: int) -> None:
    """Write a tree with a basket of each branch for each million."""
    import uproot

    with uproot.recreate(path) as file:
        tree = None
        for columns in tables(rows, seed):
            tree = tree or file.mktree("events", {name: values.dtype for name, values in columns.items()})
            tree.extend(columns)


def write_hdf5(path: Path, rows: int, seed: int) -> None:
    """Write datasets in chunks of 131,072, uncompressed."""
    import h5py

    with h5py.File(path, "w") as file:
        start = 0
        for columns in tables(rows, seed):
            for name, values in columns.items():
                data = file.require_dataset(name, (rows,), values.dtype, chunks=(min(rows, 131_072),))
                data[start : start + values.size] = values
            start += next(iter(columns.values())).size


def in_turns(ways: dict[str, str], files: list[Path], size: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Run each way in turns, each in a process of its own from its start on; return medians."""
    runs: dict[str, list[list[Any]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, code in ways.items():
            command = [sys.executable, "-c", CHILD.format(code=code), *map(str, files), str(size / 100)]
            done = subprocess.run(  # noqa: S603 - our own code
                [*command, str(time.time())], check=True, capture_output=True, text=True
            )
            runs[name].append(json.loads(done.stdout))
    return {
        name: {
            "wall": statistics.median(run[0] for run in found),
            "cpu": statistics.median(run[1] for run in found),
            "peak": max(run[2] for run in found),
            "found": found[0][3],
        }
        for name, found in runs.items()
    }


def report(measured: dict[int, dict[str, Any]], others: dict[str, dict[str, Any]], repeats: int) -> list[str]:
    """Return the tables."""
    lines = [
        "# The gate on files",
        "",
        f"`python benchmarks/files.py --folder FOLDER`; {threads()} processors, pyarrow {version('pyarrow')}, numpy "
        f"{version('numpy')}. Pairs of Parquet files of {COLUMNS} float64 columns, of normal, exponential and uniform "
        "values, in row groups of a million; every column is an observable in 50 equiprobable bins, all together are "
        "one in the cells of a k-d tree, and shared rows are looked for. The files had been read before: the disk "
        f"is not what limits. Median of {repeats} runs of each, in turns, each a new process; all times are from the "
        "start of the process on, so that the time of the gate is that from a cold start to the verdict. The compiled "
        "loops of the extra `fast` had been stored before.",
        "",
        "## Wall time, and the largest memory",
        "",
        "A bare scan reads the same columns to numpy arrays and does nothing with them: row group by row group, which "
        "is the fastest way, with `iter_batches` over the whole file, or with `pyarrow.dataset`.",
        "",
        "| rows a file | gate (s) | CPU (s) | peak memory (MB) | scan by row groups (s) | gate / scan "
        "| `iter_batches` (s), peak (MB) | gate / scan | dataset (s), peak (MB) | gate / scan "
        "| without the tree (s) | gate / scan by row groups | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size, ways in measured.items():
        gate, groups, batches, dataset = (ways[name] for name in ("gate", "row groups", "batches", "dataset"))
        single = ways["single columns"]
        lines.append(
            f"| {size:,} | {gate['wall']:.2f} | {gate['cpu']:.2f} | {gate['peak'] / 1e6:,.0f} | {groups['wall']:.2f} "
            f"| **{gate['wall'] / groups['wall']:.2f}** | {batches['wall']:.2f}, {batches['peak'] / 1e6:,.0f} "
            f"| **{gate['wall'] / batches['wall']:.2f}** | {dataset['wall']:.2f}, {dataset['peak'] / 1e6:,.0f} "
            f"| **{gate['wall'] / dataset['wall']:.2f}** | {single['wall']:.2f} "
            f"| **{single['wall'] / groups['wall']:.2f}** | {gate['found'][0]} in {gate['found'][1]} observables |"
        )
    lines += [
        "",
        f"## ROOT and HDF5, {OTHERS:,} rows a file",
        "",
        "The scans are `uproot.iterate`, a million rows at a time, of branches with a basket for each million; and "
        "h5py, 131,072 rows of each dataset at a time, of uncompressed chunks of as many.",
        "",
        "| format | gate (s) | CPU (s) | peak memory (MB) | scan (s), peak (MB) | gate / scan |",
        "|---|---|---|---|---|---|",
    ]
    for suffix, ways in others.items():
        gate, scan = ways["gate"], ways["scan"]
        lines.append(
            f"| {suffix} | {gate['wall']:.2f} | {gate['cpu']:.2f} | {gate['peak'] / 1e6:,.0f} | {scan['wall']:.2f}, "
            f"{scan['peak'] / 1e6:,.0f} | **{gate['wall'] / scan['wall']:.2f}** |"
        )
    return [*lines, "", *growth(measured)]


def growth(measured: dict[int, dict[str, dict[str, Any]]]) -> list[str]:
    """Return the slopes between sizes, and what they come to on a cluster."""
    sizes = sorted(measured)
    lines = [
        "## Cost against size",
        "",
        "| from | to | slope of log(wall) | of log(CPU) | CPU a further row and file (ns) |",
    ]
    lines.append("|---|---|---|---|---|")
    for few, many in pairwise(sizes):
        a, b = measured[few]["gate"], measured[many]["gate"]
        slopes = [math.log(b[name] / a[name]) / math.log(many / few) for name in ("wall", "cpu")]
        more = (b["cpu"] - a["cpu"]) / (2 * (many - few)) * 1e9
        lines.append(f"| {few:,} | {many:,} | {slopes[0]:.2f} | {slopes[1]:.2f} | {more:.1f} |")
    few, many = sizes[-2:]
    row = (measured[many]["gate"]["cpu"] - measured[few]["gate"]["cpu"]) / (2 * (many - few))
    machines, cores = CLUSTER
    events, size = TARGET * 12 // 10, 8 * COLUMNS
    lines += [
        "",
        f"A further row costs {row * 1e9:.0f} ns of CPU, whatever the size: reading, {COLUMNS} histograms, the k-d "
        "tree, and the choice of rows to compare. Bins, the comparison of chosen rows and the verdict cost the same at "
        "any size.",
        "",
        f"On paper: {TARGET:.0e} generated and {events - TARGET:.0e} reference events of {COLUMNS} columns, "
        f"{size * events / 1e12:.1f} TB, take {row * events / 3600:,.0f} hours of CPU: "
        f"{row * events / (machines * cores):.0f} s on {machines} machines with {cores} cores each, if their storage "
        f"gave {size * cores / row / 1e9:.0f} GB/s to each. It will not: at 1 GB/s a machine it is "
        f"{size * events / machines / 1e9 / 60:.1f} minutes.",
    ]
    return lines


if __name__ == "__main__":
    main()

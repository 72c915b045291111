"""How fast events are read from files of each format, against the library that reads it, all at once.

python benchmarks/formats.py --output benchmarks/formats.md
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pytest_ganvalid.samples.sources import file_source

COLUMNS = ("mass", "pt", "eta", "phi")
CHUNK = 1 << 17
Table = dict[str, Any]


def write_npz(path: Path, table: Table) -> None:
    """Write an archive of arrays."""
    np.savez(path, **table)


def read_npz(path: Path) -> Any:  # noqa: ANN401 - whatever a library makes of it
    """Read it with numpy."""
    with np.load(path) as archive:
        return [archive[name] for name in COLUMNS]


def write_compressed(path: Path, table: Table) -> None:
    """Write a compressed archive of arrays."""
    np.savez_compressed(path, **table)


def write_npy(path: Path, table: Table) -> None:
    """Write a structured array."""
    rows = np.empty(len(table["mass"]), dtype=[(name, float) for name in COLUMNS])
    for name in COLUMNS:
        rows[name] = table[name]
    np.save(path, rows)


def read_npy(path: Path) -> Any:  # noqa: ANN401
    """Read it with numpy."""
    rows = np.load(path)
    return [np.ascontiguousarray(rows[name]) for name in COLUMNS]


def write_parquet(path: Path, table: Table) -> None:
    """Write Parquet with pyarrow's defaults."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(table), path)


def read_parquet(path: Path) -> Any:  # noqa: ANN401
    """Read it with pyarrow."""
    from pyarrow import parquet

    return [column.to_numpy() for column in parquet.read_table(path).columns]


def write_feather(path: Path, table: Table) -> None:
    """Write Feather with pyarrow's defaults."""
    import pyarrow as pa
    from pyarrow import feather

    feather.write_feather(pa.table(table), str(path))


def read_feather(path: Path) -> Any:  # noqa: ANN401
    """Read it with pyarrow."""
    from pyarrow import feather

    return [column.to_numpy() for column in feather.read_table(str(path)).columns]


def write_tree(path: Path, table: Table) -> None:
    """Write a TTree in baskets of 100,000 entries."""
    import uproot

    with uproot.recreate(path) as file:
        tree = file.mktree("tree", dict.fromkeys(COLUMNS, float))
        for start in range(0, len(table["mass"]), 100_000):
            tree.extend({name: values[start : start + 100_000] for name, values in table.items()})


def read_tree(path: Path) -> Any:  # noqa: ANN401
    """Read it with uproot."""
    import uproot

    with uproot.open(f"{path}:tree") as tree:
        return tree.arrays(list(COLUMNS), library="np")


def write_hdf5(path: Path, table: Table) -> None:
    """Write one dataset a column, in chunks as h5py chooses them."""
    import h5py

    with h5py.File(path, "w") as file:
        for name, values in table.items():
            file.create_dataset(name, data=values, chunks=True)


def read_hdf5(path: Path) -> Any:  # noqa: ANN401
    """Read it with h5py."""
    import h5py

    with h5py.File(path) as file:
        return [file[name][:] for name in COLUMNS]


def write_csv(path: Path, table: Table) -> None:
    """Write text with all digits."""
    np.savetxt(path, np.stack(list(table.values()), axis=1), fmt="%.17g", delimiter=",", header=",".join(COLUMNS))


def read_csv(path: Path) -> Any:  # noqa: ANN401
    """Read it with numpy."""
    return np.loadtxt(path, delimiter=",")


def write_safetensors(path: Path, table: Table) -> None:
    """Write tensors."""
    from safetensors.numpy import save_file

    save_file(table, path)


def read_safetensors(path: Path) -> Any:  # noqa: ANN401
    """Read them with safetensors."""
    from safetensors.numpy import load_file

    return load_file(path)


Row = tuple[str, Callable[[Path, Table], None], Callable[[Path], Any], float]
FORMATS: dict[str, Row] = {
    ".npz, stored": ("a.npz", write_npz, read_npz, 1),
    ".npz, compressed": ("b.npz", write_compressed, read_npz, 0.2),
    ".npy": ("c.npy", write_npy, read_npy, 1),
    "Parquet": ("d.parquet", write_parquet, read_parquet, 1),
    "Feather": ("e.feather", write_feather, read_feather, 1),
    "ROOT, TTree": ("f.root", write_tree, read_tree, 1),
    "HDF5": ("g.h5", write_hdf5, read_hdf5, 1),
    "CSV": ("h.csv", write_csv, read_csv, 0.05),
    ".safetensors": ("i.safetensors", write_safetensors, read_safetensors, 1),
}


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=4e6)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = [
        "# Reading files",
        "",
        f"`python benchmarks/formats.py`: {len(COLUMNS)} float64 columns, read in one thread in chunks of {CHUNK:,} "
        "rows, against the library's own function that reads all at once. "
        f"Median of {arguments.repeats}, in turns; files had been read before. Memory is what Python and numpy hold "
        "at most (libraries allocate more by themselves).",
        "",
        "| format | rows | 10⁶ values/s | all at once | ratio | memory (MB) | all at once (MB) |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, write, read, share) in FORMATS.items():
            rows = int(arguments.rows * share)
            path = Path(folder) / file
            write(path, drawn(rows))
            ways: list[Callable[[], Any]] = [partial(chunks, path), partial(read, path)]
            times: list[list[float]] = [[], []]
            for _ in range(arguments.repeats):
                for way, found in zip(ways, times, strict=True):
                    start = time.perf_counter()
                    way()
                    found.append(time.perf_counter() - start)
            ours, theirs = (statistics.median(found) for found in times)
            values = rows * len(COLUMNS) / 1e6
            memory = [allocated(way) / 1e6 for way in ways]
            lines.append(
                f"| {name} | {rows:,} | {values / ours:,.0f} | {values / theirs:,.0f} | {ours / theirs:.2f} "
                f"| {memory[0]:,.0f} | {memory[1]:,.0f} |"
            )
            path.unlink()
    text = "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def drawn(rows: int) -> Table:
    """Draw events."""
    rng = np.random.default_rng(1)
    return dict(
        zip(
            COLUMNS,
            (rng.normal(91, 2.5, rows), rng.exponential(20, rows), rng.normal(size=rows), rng.uniform(-3, 3, rows)),
            strict=True,
        )
    )


def chunks(path: Path) -> int:
    """Read all events as the gate does."""
    source = file_source(str(path))
    return sum(len(rows["mass"]) for part in source.parts for rows in part.chunks(COLUMNS, CHUNK))


def allocated(way: Callable[[], Any]) -> int:
    """Return the most memory that is allocated at a time."""
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    main()

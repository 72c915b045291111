"""How long filling and checks take where numba is not installed, beside another checkout of the package.

python benchmarks/without_numba.py ANOTHER_CHECKOUT --repeats 3

The interpreter must not have numba. Both checkouts are run in turns, each time in a new process; the least times are
compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest_ganvalid as gv

CHILD = """
import json, time
import numpy as np
import pytest_ganvalid as gv

rng = np.random.default_rng(1)
n = 10_000_000
x, w = rng.normal(size=n), rng.uniform(0.5, 1.5, n)
columns = {"continuous": x, "integers": rng.integers(0, 20, n), "half zero": np.where(rng.random(n) < 0.5, 0.0, x)}
seconds = {}

def measure(name, call, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    seconds[name] = min(times)

for name, values in columns.items():
    like = gv.fill({"x": values[: n // 10]}, bins=50)
    measure(f"fill 10^7, {name}", lambda: gv.fill({"x": values}, like=like), 3)
like = gv.fill({"x": x[: n // 10], "w": w[: n // 10]}, bins=50, weight="w", observables=["x"])
measure("fill 10^7, weighted", lambda: gv.fill({"x": x, "w": w}, like=like, weight="w"), 3)
for size, repeats in ((1_000_000, 2), (20_000, 5)):
    sides = [{name: rng.normal(size=size) for name in "abcd"} for _ in range(2)]
    measure(f"validate {size:,} x 4", lambda: gv.validate(*sides, n_required=size // 10), repeats)
print(json.dumps(seconds))
"""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("against", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if importlib.util.find_spec("numba") is not None:
        parser.error("numba is installed here; expected an environment without it")
    trees = [arguments.against.resolve(), Path(gv.__file__).parents[1]]
    seconds: list[dict[str, float]] = [{}, {}]
    for _ in range(arguments.repeats):
        for best, tree in zip(seconds, trees, strict=True):
            # Without the current folder, which may be one of the trees.
            environment = {**os.environ, "PYTHONPATH": str(tree)}
            run = subprocess.run([sys.executable, "-P", "-c", CHILD], env=environment, check=True, capture_output=True)  # noqa: S603
            for name, value in json.loads(run.stdout).items():
                best[name] = min(value, best.get(name, value))
    print("| what | the other checkout (s) | this one (s) | ratio |\n|---|---|---|---|")
    for name, before in seconds[0].items():
        now = seconds[1][name]
        print(f"| {name} | {before:.3f} | {now:.3f} | {now / before:.2f} |")


if __name__ == "__main__":
    main()

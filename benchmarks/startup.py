"""How long the first verdict of a process takes: of the command line, and of a test session.

python benchmarks/startup.py --output benchmarks/startup.md
python benchmarks/startup.py --against ANOTHER_CHECKOUT

Two stored histograms of four observables are compared. Runs are in turns, each a new process; compiled modules are
there. With another checkout of the package, its times are listed too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import pytest_ganvalid as gv

TESTS = {
    "with a gate": """
import pytest

@pytest.mark.ganvalid(n_required=1000)
def test_it(ganvalid):
    ganvalid.check("generated.json", "reference.json")
""",
    "without": """
def test_it():
    pass
""",
}
CHECK = "`ganvalid check`"
NUMPY = "`import numpy, scipy.special`"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    here = Path(gv.__file__).parents[1]
    trees = [here] if arguments.against is None else [here, arguments.against.resolve()]
    with tempfile.TemporaryDirectory() as folder:
        times = in_turns(commands(Path(folder)), trees, Path(folder), arguments.repeats)
    text = "\n".join(report(times, trees, arguments.repeats)) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def commands(folder: Path) -> dict[str, list[str]]:
    """Store histograms, write tests of them, and return what is run in this folder."""
    rng = np.random.default_rng(1)
    reference = None
    for name in ("reference", "generated"):
        n = 100_000
        events = {"x": rng.normal(size=n), "y": rng.exponential(size=n), "z": rng.uniform(size=n)}
        histograms = gv.fill(events, like=reference)
        reference = histograms
        (folder / f"{name}.json").write_text(histograms.to_json(), encoding="utf-8")
    python = [sys.executable, "-m"]
    found = {
        NUMPY: [sys.executable, "-c", "import numpy, scipy.special"],
        CHECK: [*python, "pytest_ganvalid", "check", "generated.json", "reference.json", "--n-required", "1000"],
    }
    for name, text in TESTS.items():
        test = folder / f"test_{name.replace(' ', '_')}.py"
        test.write_text(text, encoding="utf-8")
        found[f"session {name}"] = [*python, "pytest", "-q", "-p", "pytest_ganvalid.plugin", test.name]
    return found


def in_turns(
    commands: dict[str, list[str]], trees: list[Path], folder: Path, repeats: int
) -> dict[tuple[str, Path], list[float]]:
    """Run every command with every tree, in turns, and return the seconds of all runs but the first."""
    times: dict[tuple[str, Path], list[float]] = {(name, tree): [] for name in commands for tree in trees}
    for repeat in range(repeats + 1):
        for name, command in commands.items():
            for tree in trees:
                environment = {**os.environ, "PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
                environment.pop("PYTHONDONTWRITEBYTECODE", None)
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603
                if repeat:
                    times[name, tree].append(time.perf_counter() - start)
    return times


def report(times: dict[tuple[str, Path], list[float]], trees: list[Path], repeats: int) -> list[str]:
    """Return the table: seconds, and what a gate adds to a session."""
    there = ["", " of the other checkout"][: len(trees)]
    lines = [
        "# The first verdict",
        "",
        f"`python benchmarks/startup.py`; {repeats} runs of each, in turns, each a new process: two stored histograms "
        "of four observables are compared.",
        "",
        "| what | " + " | ".join(f"best{which} (s) | median{which} (s)" for which in there) + " |",
        "|---|" + "---|---|" * len(trees),
    ]
    names = list(dict.fromkeys(name for name, _ in times))
    for name in names:
        cells = [f"{min(times[name, tree]):.3f} | {statistics.median(times[name, tree]):.3f}" for tree in trees]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    added = []
    for tree in trees:
        more = [a - b for a, b in zip(*(times[f"session {name}", tree] for name in TESTS), strict=True)]
        best = min(times["session with a gate", tree]) - min(times["session without", tree])
        added.append(f"{best:.3f} | {statistics.median(more):.3f}")
    return [*lines, "| what a gate adds to a session | " + " | ".join(added) + " |"]


if __name__ == "__main__":
    main()

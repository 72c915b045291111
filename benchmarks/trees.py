"""Checks on drawn ROOT trees: each ends with a report, or with an error that says what to do; anything else is printed.

python benchmarks/trees.py --trees 300
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pytest_ganvalid as gv
from pytest_ganvalid.errors import GanvalidError

Layout = list[tuple[str, str, str, str]]
NUMBERS = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
SHAPES = ("number", "number", "number", "list", "fixed", "group")
CONTENTS = ("spread", "spread", "spread", "constant", "some NaN", "all NaN", "infinite", "huge", "few values")
NAMES = (
    "x",
    "pt",
    "weight",
    "a-b",
    "a b",
    "Jet.PT",
    "f(x)",
    "x[0]",
    "class",
    "nan",
    "joint",
    "π",
    "1",
    "a:b",
    "_",
    "*",
)
EVENTS = (0, 1, 2, 3, 50, 400)
REMEDY = re.compile(
    r"\b(?:expected|state|name|names|give|check|leave|write|choose|use|need|drop|remove|convert|raise|lower|set|pass"
    r"|declare|rename|keep|compare|install|make|take|must|mend)\b|there are \["
)
"""A word that says what to do, in every error."""


@dataclass(frozen=True)
class Outcome:
    """How a check of a drawn tree ended.

    Attributes:
        kind: A verdict, the name of an error of the package, ``"no remedy"``, or ``"foreign"``.
        text: The message, or the traceback.
        layout: Name, type, shape and contents of each branch.
    """

    kind: str
    text: str
    layout: Layout

    @property
    def wrong(self) -> bool:
        """Whether it ended as no check should."""
        return self.kind in {"foreign", "no remedy"}


def drawn_layout(rng: np.random.Generator, most: int) -> Layout:
    """Draw so many branches at most, of different names."""
    names = rng.choice(NAMES, size=rng.integers(1, most + 1), replace=False)
    return [(str(name), *(str(rng.choice(some)) for some in (NUMBERS, SHAPES, CONTENTS))) for name in names]  # type: ignore[misc]


def drawn_values(rng: np.random.Generator, kind: str, contents: str, size: int) -> Any:  # noqa: ANN401 - an array
    """Draw the values of a branch."""
    dtype = np.dtype(kind)
    if dtype.kind == "b":
        return rng.random(size) < (2 if contents == "constant" else 0.5)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        spans = {"constant": (7, 8), "few values": (0, 3), "huge": (low, high)}
        return rng.integers(*spans.get(contents, (0, 100)), size=size, dtype=dtype)
    values = rng.normal(size=size)
    values[:] = {"constant": 91.2, "all NaN": np.nan, "huge": np.finfo(dtype).max}.get(contents, values)
    if contents in {"some NaN", "infinite"}:
        values[rng.random(size) < 0.2] = np.nan if contents == "some NaN" else np.inf
    return (np.round(values) if contents == "few values" else values).astype(dtype)


def write_tree(path: Path, rng: np.random.Generator, layout: Layout, events: int, *, ntuple: bool) -> None:
    """Write a tree of drawn values.

    A group is what Delphes writes: branches ``Jet.PT`` and ``Jet.Eta`` of as many values as ``Jet_size`` says.
    """
    import awkward
    import uproot

    types: dict[str, Any] = {}
    branches: dict[str, Any] = {}
    for name, kind, shape, contents in layout:
        if shape == "number":
            types[name], branches[name] = kind, drawn_values(rng, kind, contents, events)
        elif shape == "fixed":
            types[name] = (kind, (2,))
            branches[name] = drawn_values(rng, kind, contents, 2 * events).reshape(events, 2)
        else:
            counts = np.full(events, 3) if contents == "constant" else rng.poisson(1.5, size=events)
            parts = [drawn_values(rng, kind, contents, counts.sum()) for _ in range(2)]
            lists = [awkward.unflatten(part, counts) for part in parts]
            number = np.dtype(kind).name
            if shape == "list":
                types[name], branches[name] = f"var * {number}", lists[0]
            else:
                types[name] = f"var * {{PT: {number}, Eta: {number}}}"
                branches[name] = awkward.zip({"PT": lists[0], "Eta": lists[1]})
    with uproot.recreate(path) as file:
        if ntuple:
            file.mkrntuple("tree", {name: awkward.Array(values) for name, values in branches.items()})
            return
        named = {"field_name": "{}.{}".format, "counter_name": "{}_size".format}
        tree = file.mktree("tree", types, **named)
        if events:
            tree.extend(branches)


def check(folder: Path, seed: int, most: int = 5) -> Outcome:
    """Compare two drawn samples of one layout of so many branches at most, of which one may be missing on one side."""
    rng = np.random.default_rng([seed, 20])
    layout, ntuple = drawn_layout(rng, most), bool(rng.random() < 0.3)
    files = {side: folder / f"{side}{seed}.root" for side in ("generated", "reference")}
    lacking = str(rng.choice(["generated", "reference", "", "", "", "", ""]))
    for side, path in files.items():
        events = int(rng.choice(EVENTS, p=[0.03, 0.03, 0.03, 0.03, 0.3, 0.58]))
        write_tree(path, rng, layout[side == lacking :] or layout, events, ntuple=ntuple)
    # Half of all checks name a branch, and a tenth a weight.
    chosen = [layout[-1][0] + (".PT" if layout[-1][2] == "group" else "")] if rng.random() < 0.5 else None
    weight = layout[0][0] if rng.random() < 0.1 else None
    nonfinite = str(rng.choice(["error", "separate"]))
    sides = str(files["generated"]), str(files["reference"])
    try:
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            report = gv.validate(*sides, n_required=100, observables=chosen, weight=weight, nonfinite=nonfinite)
    except GanvalidError as error:
        text = str(error)
        return Outcome(type(error).__name__ if REMEDY.search(text) else "no remedy", text, layout)
    except Exception:  # noqa: BLE001 - that is what is looked for
        return Outcome("foreign", traceback.format_exc(), layout)
    return Outcome(str(report.verdict), "", layout)


def main() -> int:
    """Count how checks end, and print what no check should end with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--messages", action="store_true", help="print every message too")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [check(Path(folder), seed) for seed in range(arguments.trees)]
    for kind, count in collections.Counter(outcome.kind for outcome in outcomes).most_common():
        print(f"{count:6} {kind}")
    for seed, outcome in enumerate(outcomes):
        if outcome.wrong or (arguments.messages and outcome.text):
            print(f"{outcome.kind}, seed {seed}: {outcome.layout}\n{outcome.text}")
    print(f"{time.perf_counter() - start:.1f} s")
    return int(any(outcome.wrong for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())

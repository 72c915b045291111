"""Whether classifiers see biases that they should exclude, and what the positive control says of those that do not.

    python benchmarks/controls.py

writes benchmarks/controls.md. Toys of a perfect generator, and of one that shifts one column by 6 error bars of
n_required events, are compared by the score of several classifiers, with and without the control.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.observables import Classifier
from pytest_ganvalid.observables.control import SHIFT

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
N_REQUIRED, N_REFERENCE, N_GENERATED = 2_000, 8_000, 40_000
ROBUST = "ROBUST"


class Constant:
    """A model without an opinion."""

    def fit(self, events: FloatArray, labels: IntArray, sample_weight: FloatArray) -> None:
        """Learn nothing."""

    def decision_function(self, events: FloatArray) -> FloatArray:
        """Return the same score for all."""
        return np.zeros(len(events))


class ShuffledLabels:
    """Shallow trees that were trained on labels in another order, as a mistake in a data loader makes it."""

    def fit(self, events: FloatArray, labels: IntArray, sample_weight: FloatArray) -> None:
        """Learn noise."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        order = np.random.default_rng(1).permutation(len(labels))
        self.trees = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=4, max_bins=64, early_stopping=False)
        self.trees.fit(events, labels[order], sample_weight=sample_weight[order])

    def decision_function(self, events: FloatArray) -> FloatArray:
        """Return the logit."""
        return np.asarray(self.trees.decision_function(events))


def defaults() -> object:
    """The gradient boosting of scikit-learn as it comes, but for early stopping."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(early_stopping=False)


MODELS: dict[str, Callable[[], object]] = {
    '`"boosting"` (the default)': lambda: "boosting",
    '`"mlp"`': lambda: "mlp",
    "scikit-learn's boosting with its own defaults": defaults,
    "trees trained on shuffled labels": ShuffledLabels,
    "a constant score": Constant,
}
OTHERS = 6
"""One toy in so many is enough for models that are not the default."""


@dataclass(frozen=True)
class Outcome:
    """What one toy gave.

    Attributes:
        verdict: With the control.
        controlled: Whether it was ROBUST without.
        seen: Share of the columns in whose control the bias was seen.
        power: Planned probability of ROBUST for a perfect generator, without the control.
    """

    verdict: str
    controlled: bool
    seen: float
    power: float


def main() -> None:
    """Measure everything and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--toys", type=int, default=60, help="of a perfect generator (default %(default)s)")
    parser.add_argument("--shifted", type=int, default=200, help="of a shift (default %(default)s)")
    parser.add_argument("--bins", type=int, default=50, help="of the score (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/controls.md"), help="default %(default)s")
    args = parser.parse_args()
    start, rows = time.perf_counter(), []
    for columns in (2, 10):
        for model in MODELS:
            rows.append(row(model, columns, args))
            print(rows[-1], file=sys.stderr, flush=True)
    minutes = (time.perf_counter() - start) / 60
    command = (
        f"python benchmarks/controls.py --toys {args.toys} --shifted {args.shifted} --bins {args.bins} "
        f"--workers {args.workers}"
    )
    text = "\n".join([*introduction(args), *rows, "", f"`{command}`: {minutes:.0f} minutes", ""])
    args.output.write_text(text, encoding="utf-8")


def introduction(args: argparse.Namespace) -> Iterator[str]:
    """Say what the table holds."""
    yield "# What a classifier sees, and its positive control"
    yield ""
    yield (
        f"n_required = {N_REQUIRED:,}, {N_REFERENCE:,} reference and {N_GENERATED:,} generated events of independent "
        f"standard normal columns; a half of either side trains, and the scores of the other half are compared in "
        f"{args.bins} bins. Toys of a perfect generator, and of one that shifts the first column by {SHIFT:g} error "
        f"bars of n_required events (n_required Δ = {SHIFT**2 / 2:g}). *Alone* is ROBUST without the control "
        "(*planned*: the probability of that), *passed* the share of those whose control saw a bias in every column, "
        "*columns seen* the share of columns in which it did, "
        "*ROBUST* and *BIASED* the verdict."
    )
    yield ""
    yield (
        "| columns | model | perfect: planned | alone | passed | ROBUST | columns seen | shifted: alone | ROBUST | "
        "BIASED |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"


def row(model: str, columns: int, args: argparse.Namespace) -> str:
    """Count the verdicts of one model."""
    with ProcessPoolExecutor(args.workers) as pool:
        toys, shifted = (n if model == next(iter(MODELS)) else -(-n // OTHERS) for n in (args.toys, args.shifted))
        same = list(pool.map(partial(outcome, model, columns, 0.0, args.bins), range(toys)))
        moved = list(pool.map(partial(outcome, model, columns, SHIFT, args.bins), range(toys, toys + shifted)))
    alone = [o for o in same if o.controlled]
    robust = sum(o.verdict == ROBUST for o in same)
    cells = [
        f"{columns}",
        model,
        f"{np.mean([o.power for o in same]):.2f}",
        f"{len(alone)} of {len(same)}",
        f"{robust / len(alone):.2f}" if alone else "-",
        f"{robust} of {len(same)}",
        f"{np.mean([o.seen for o in alone]):.2f}" if alone else "-",
        f"{sum(o.controlled for o in moved)} of {len(moved)}",
        f"{sum(o.verdict == ROBUST for o in moved)} of {len(moved)}",
        f"{sum(o.verdict == 'BIASED' for o in moved)} of {len(moved)}",
    ]
    return f"| {' | '.join(cells)} |"


def outcome(model: str, columns: int, shift: float, bins: int, toy: int) -> Outcome:
    """Compare one toy."""
    generated, reference = events(N_GENERATED, columns, 2 * toy), events(N_REFERENCE, columns, 2 * toy + 1)
    generated["x0"] += shift / N_REQUIRED**0.5
    observable = Classifier(model=MODELS[model](), name="score")
    report = gv.validate(generated, reference, n_required=N_REQUIRED, observables=[observable], bins=bins, seed=toy)
    control = report.provenance["learned"]["score"].get("control")
    seen = [] if control is None else [finding["seen"] for finding in control["columns"].values()]
    comparison = report.comparisons["score"]
    return Outcome(comparison.verdict.value, control is not None, float(np.mean(seen or [0])), comparison.power)


def events(n: int, columns: int, seed: int) -> dict[str, FloatArray]:
    """Draw independent standard normal columns."""
    values = np.random.default_rng([seed, 8]).standard_normal((columns, n))
    return {f"x{i}": column for i, column in enumerate(values)}


if __name__ == "__main__":
    main()

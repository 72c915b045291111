"""How often toys of a perfect generator are ROBUST at the sizes whose price the planner quotes.

python -m benchmarks.price     # writes benchmarks/price.md; about two minutes
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv

TOYS, N_REQUIRED = 1_000, 2_000
COSTS = gv.Costs(true=1, generated=1e-3, training=1_000, n_train=500)
CASES: list[tuple[int, dict[str, Any]]] = [
    (4, {"power": 0.9}),
    (20, {"power": 0.5}),
    (20, {"power": 0.9}),
    (20, {"power": 0.9, "generated_ratio": 4}),
    (20, {"power": 0.8, "observables": 3}),
    (50, {"power": 0.9}),
]


def robust(plan: gv.Plan, rng: np.random.Generator) -> bool:
    """Whether all observables of one toy, independent of each other, are ROBUST."""
    bins = plan.bins or 0
    shares: NDArray[np.float64] = np.full(bins, 1 / bins)
    for _ in range(plan.observables):
        pair = (gv.Counts(rng.multinomial(size, shares)) for size in (plan.n_generated, plan.n_reference))
        if not gv.compare(*pair, n_required=plan.n_required).robust:
            return False
    return True


def rows() -> list[str]:
    """One line per plan."""
    lines = []
    for number, (bins, settings) in enumerate(CASES):
        plan = gv.plan(N_REQUIRED, bins=bins, costs=COSTS, **settings)
        assert plan.price is not None
        rng = np.random.default_rng(number)
        share = sum(robust(plan, rng) for _ in range(TOYS)) / TOYS
        error = math.sqrt(share * (1 - share) / TOYS)
        lines.append(
            f"| {plan.observables} | {bins} | {plan.n_generated:,} | {plan.n_reference:,} | "
            f"{plan.price.generator / plan.price.simulation:.2f} | {plan.power:.3f} | {share:.3f} ± {error:.3f} |"
        )
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Write the table."""
    head = [
        "# The price and the power it buys\n",
        f"`python -m benchmarks.price`: {TOYS:,} toys of a perfect generator each, n_required {N_REQUIRED:,}, n_train "
        f"{COSTS.n_train:,}, a training as dear as {COSTS.training:,.0f} true events, generated events at a thousandth "
        "of a true one. The price is that of one use, in units of n_required true events. Of several observables, "
        "which are independent here, the planned power is a lower bound that holds for any correlation.\n",
        "| observables | bins | generated events | reference events | price | planned power | toys that are ROBUST |",
        "|---|---|---|---|---|---|---|",
    ]
    page = "\n".join([*head, *rows()]) + "\n"
    (Path(__file__).parent / "price.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Searches in the rows of both sides and of the training: for undeclared pairs, and for near copies.

The first rows of each sample are enough, which are read anyway. Of a cluster, whose rows are no independent events,
one row is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pytest_ganvalid.observables.strata import condition_values
from pytest_ganvalid.overlaps.blocks import uneven_blocks
from pytest_ganvalid.overlaps.findings import Independence, UndeclaredPairs
from pytest_ganvalid.overlaps.fingerprint import Fingerprint
from pytest_ganvalid.overlaps.near import near_copies
from pytest_ganvalid.overlaps.pairs import Strata, undeclared_pairs
from pytest_ganvalid.pipeline.draft import Draft
from pytest_ganvalid.pipeline.plan import FillPlan
from pytest_ganvalid.pipeline.preview import head
from pytest_ganvalid.pipeline.request import Side
from pytest_ganvalid.pipeline.run import Runner
from pytest_ganvalid.samples import as_sample
from pytest_ganvalid.samples.clusters import cluster_keys
from pytest_ganvalid.samples.columns import inner_columns
from pytest_ganvalid.samples.formats import Columns

TRAINED = 100_000
"""Rows of the training of which near copies are looked for, at most."""


def pairs_in(draft: Draft, plan: FillPlan) -> UndeclaredPairs | None:
    """Search the first rows of both sides for pairs; rows of one stratum of the plan are compared with each other."""
    draft = _of_independent_rows(draft)
    return undeclared_pairs(*_compared_columns(draft), _strata(draft, plan))


def searched(
    search: Independence,
    draft: Draft,
    undeclared: Callable[[], UndeclaredPairs | None],
    training: Side | Fingerprint | None,
    runner: Runner,
    *,
    declared: bool = False,
) -> Independence:
    """Search for dependences that only the rows of both sides show.

    Args:
        search: What is known without the rows.
        draft: The draft, with the first rows of both sides.
        undeclared: Returns what `pairs_in` finds.
        training: The training events, or their fingerprint; ``None`` if unknown.
        runner: What reads the training.
        declared: Whether the user declared which rows belong together, so that no pairs are searched for.

    Returns:
        The same with the findings, and notes of what was not searched for.
    """
    heads = _compared_columns(_of_independent_rows(draft))
    uneven = (
        None if side.cluster is not None else uneven_blocks(rows, side.name)
        for side, rows in zip(draft.sides, heads, strict=True)
    )
    notes = [note for note in uneven if note is not None]
    copied = any(o.beyond_chance and o.sides == ("generated", "reference") for o in search.overlaps)
    pairs = None if declared or copied else undeclared()
    near = None
    if isinstance(training, Fingerprint):
        notes.append("near copies of training rows were not looked for: a fingerprint does not hold the rows")
    elif training is not None:
        rows, truncated = _head_of(training, heads, runner)
        near = near_copies(*heads, rows) if rows else None
        if near is None:
            notes.append(
                "near copies of training rows were not looked for: that takes two continuous columns of all "
                "samples, and a hundred rows of each"
            )
        elif near.hinted and not near.shown:
            notes.append(near.sentence())
        if near is not None and truncated:
            notes.append(f"near copies were looked for of the first {TRAINED:,} training rows only")
    return replace(search, pairs=pairs, near=near, notes=(*search.notes, *notes))


def _of_independent_rows(draft: Draft) -> Draft:
    """Keep, of the first rows of both sides, the first one of each cluster."""
    heads = []
    for side, rows in zip(draft.sides, draft.heads, strict=True):
        if side.cluster is None:
            heads.append(rows)
            continue
        _, first = np.unique(cluster_keys(rows[side.cluster], side.name), return_index=True)
        first.sort()
        heads.append({name: values[first] for name, values in rows.items()})
    return replace(draft, heads=(heads[0], heads[1]))


def _compared_columns(draft: Draft) -> tuple[Columns, Columns]:
    """Return the first rows of both sides, without the columns of weights, conditions and clusters."""
    condition = draft.request.condition
    omitted: set[str | None] = {name for side in draft.sides for name in (side.weight, side.cluster)}
    if condition is not None:
        omitted |= {c for side in draft.sides for c in inner_columns(condition.column, side.source.names)}
    generated, reference = ({n: v for n, v in rows.items() if n not in omitted} for rows in draft.heads)
    return generated, reference


def _strata(draft: Draft, plan: FillPlan) -> Strata | None:
    if plan.condition is None:
        return None
    name, axis = plan.condition
    where = [
        axis.index(condition_values(as_sample(rows, side.name, side.weight), name, side.name))
        for rows, side in zip(draft.heads, draft.sides, strict=True)
    ]
    return [(np.flatnonzero(where[0] == i), np.flatnonzero(where[1] == i)) for i in range(axis.size)]


def _head_of(training: Side, heads: tuple[Columns, Columns], runner: Runner) -> tuple[Columns, bool]:
    """Read the first rows of the training, of the columns that both sides have; and tell whether there are more."""
    names = [name for name in training.source.names if all(name in rows for rows in heads)]
    if not names:
        return {}, False
    side = replace(training, source=training.source.keeping(names))
    rows = head(side, names, TRAINED + 1, runner)
    truncated = len(rows[names[0]]) > TRAINED
    return {name: values[:TRAINED] for name, values in rows.items()}, truncated

"""Declared clusters in a check: whether rows of both sides have a common cause, and notes on that."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_ganvalid.histograms.clusters import ClusterContents
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.statistics.clusters import MAX_PER_CLUSTER

PAIRED_NOTE = (
    "generated rows that repeat rows of the reference were not looked for: with clusters across both sides rows may be "
    "equal by right"
)


def _contents(summary: Histograms) -> Iterator[ClusterContents]:
    """Yield the clusters of each histogram, where they are at hand."""
    for filled in summary.contents.values():
        if filled.clusters is not None and filled.clusters.contents is not None:
            yield filled.clusters.contents


def _keys(summary: Histograms) -> tuple[set[int], bool]:
    """Return the keys of all clusters of a side, and whether each is one row."""
    keys: set[int] = set()
    single = True
    for contents in _contents(summary):
        keys.update(contents.keys.tolist())
        single = single and bool(np.all(contents.rows == 1))
    return keys, single


def repeats_are_declared(summary: Histograms) -> bool:
    """Tell whether rows of a side may repeat each other, as clusters of several rows are declared."""
    contents = list(_contents(summary))
    return summary.plan.cluster is not None and (not contents or any(np.any(c.rows > 1) for c in contents))


def are_paired(generated: Histograms, reference: Histograms) -> bool:
    """Tell whether clusters have rows on both sides."""
    ours, theirs = ([contents.keys for contents in _contents(side)] for side in (generated, reference))
    return bool(ours and theirs) and bool(np.intersect1d(np.concatenate(ours), np.concatenate(theirs)).size)


def clusters_in_words(generated: Histograms, reference: Histograms) -> tuple[str, ...]:
    """Say what the clusters are, and what is known of their common causes, the inputs, beside the response to them."""
    sides = {"generated": generated, "reference": reference}
    clustered = {name: side for name, side in sides.items() if side.plan.cluster is not None}
    side_keys = {name: _keys(side) for name, side in clustered.items()}
    notes = []
    shared = side_keys["generated"][0] & side_keys["reference"][0] if len(side_keys) == len(sides) else set()
    for name, (keys, single) in side_keys.items():
        if keys and not (single and shared):
            notes.append(
                f"the {sides[name].n_events:,} {name} rows are {len(keys):,} clusters by {sides[name].plan.cluster!r}: "
                "n_required counts independent true events, and how well the difference is known is judged by clusters"
            )
    if shared:
        limit = MAX_PER_CLUSTER * len(side_keys["generated"][0] | side_keys["reference"][0])
        notes.append(
            f"{len(shared):,} clusters are on both sides: the verdict is on the response to these inputs, of which "
            f"n_supported is {MAX_PER_CLUSTER:g} times their number at most ({limit:,.0f}); the inputs themselves "
            f"have the statistics of {len(shared):,} independent events, and no agreement of the response adds to that"
        )
    return tuple(notes)

"""Rows of a cluster become the entries of one event, and such events may be clusters across both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv

Table = dict[str, Any]


def events(seed: int, n: int = 800) -> tuple[gv.Entries, Table]:
    """The same entries as jagged column and as rows, mixed."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, n)
    values = rng.normal(size=counts.sum()) + np.repeat(rng.normal(size=n), counts)
    order = rng.permutation(values.size)
    return gv.Entries(values, counts), {
        "pt": values[order],
        "event": (np.repeat(np.arange(n), counts) + n * seed)[order],
    }


def test_rows_of_one_event_are_its_entries() -> None:
    """With cluster_of="entries" rows give exactly what a jagged column gives, the number of entries included."""
    (jagged, rows), (true_jagged, true_rows) = events(1), events(2)
    expected = gv.validate({"pt": jagged}, {"pt": true_jagged}, n_required=100)
    found = gv.validate(rows, true_rows, n_required=100, cluster="event", cluster_of="entries")
    assert found.comparisons == expected.comparisons
    assert list(found.comparisons) == ["pt", "pt: entries per event"]
    weights = [np.random.default_rng(5).exponential(size=800) for _ in range(2)]
    heavy = [
        table | {"w": weight[table["event"] % 800]} for table, weight in zip((rows, true_rows), weights, strict=True)
    ]
    weighted = gv.validate(*heavy, n_required=100, cluster="event", cluster_of="entries", weight="w")
    jagged_sides = [{"pt": side, "w": weight} for side, weight in zip((jagged, true_jagged), weights, strict=True)]
    assert weighted.comparisons == gv.validate(*jagged_sides, n_required=100, weight="w").comparisons


def test_events_of_entries_may_be_pairs() -> None:
    """Events of several entries with equal keys on both sides are clusters across, and n_required counts events."""
    rng = np.random.default_rng(4)
    n, each = 800, 4
    truth, keys = rng.normal(size=(n, each)), np.repeat(np.arange(n), each)
    sides = [{"pt": (truth + 0.02 * rng.normal(size=truth.shape)).ravel(), "event": keys} for _ in range(2)]
    paired = gv.validate(*sides, n_required=300, cluster="event", cluster_of="entries")
    apart = gv.validate(*({"pt": gv.Entries(side["pt"], np.full(n, each))} for side in sides), n_required=300)
    assert paired.comparisons["pt"].power > apart.comparisons["pt"].power + 0.2
    assert paired.comparisons["pt"].n_reference == pytest.approx(n, rel=0.02)

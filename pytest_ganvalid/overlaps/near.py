"""Near copies of training rows: what a generator that memorised its training, and jitters, makes of them.

Exact copies are found by their digests. A near copy is closer to a training row than all but a thousandth of the
reference rows are, in ranks. Where a generator puts more events than there should be, more of them are close to any
true row by chance: so chance is judged by the generated rows that are as close to a reference row, too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.overlaps.chance import binomial_tail
from pytest_ganvalid.overlaps.digests import Column, Numbers, distinct_count, is_plain, leading
from pytest_ganvalid.overlaps.findings import NearCopies

CLOSE = 1e-3
"""Share of the reference rows that are as close to a training row as a near copy."""
COLUMNS = 6
"""Columns in which rows are close, at most: the first of those that are continuous; more take minutes."""
_TAIL = 0.025  # of either limit of a rate
_CONTINUOUS = 0.95  # of the values of a column differ, so that closeness tells rows apart
_LEAST = 100  # rows of each sample
_PROBED = 200  # rows, by which a distance to begin with is found
_NEARER = 2_000  # generated rows, of which it is found whether they are nearer to the training


def near_copies(
    generated: Mapping[str, Column], reference: Mapping[str, Column], training: Mapping[str, Column]
) -> NearCopies | None:
    """Look for generated rows that are nearly those of the training.

    Args:
        generated: Name -> column; those that are not continuous in reference and training do not count.
        reference: Likewise.
        training: Likewise.

    Returns:
        What was found, alarming or not; ``None`` if there are too few rows, or continuous columns: in a single one
        most rows of any samples are neighbours.
    """
    sides = (generated, reference, training)
    names = [n for n in training if all(n in side and is_plain(side[n]) for side in sides)]
    values = {name: tuple(leading(side[name]) for side in sides) for name in names}
    names = [name for name in sorted(names) if all(_is_continuous(column) for column in values[name][1:])][:COLUMNS]
    if len(names) < 2:  # noqa: PLR2004
        return None
    ours, theirs, trained_on = (_complete([values[name][i] for name in names]) for i in range(3))
    if min(map(len, (ours, theirs, trained_on))) < _LEAST:
        return None
    true = np.concatenate((trained_on, theirs))
    ours, theirs, trained_on = (_mid_ranks(rows, true) for rows in (ours, theirs, trained_on))
    return _judged(ours, theirs, trained_on, tuple(names))


def _judged(generated: Numbers, reference: Numbers, training: Numbers, names: tuple[str, ...]) -> NearCopies:
    """Compare rows with the training, and with the reference, in mid-ranks of shape (rows, columns)."""
    from scipy.spatial import cKDTree  # which takes a tenth of a second

    trees = {"training": cKDTree(training), "reference": cKDTree(reference)}
    few = max(1, round(CLOSE * len(reference)))
    probed = trees["training"].query(reference[:_PROBED])[0]
    # Rows that are also in the training are at no distance, from which it takes a thousand doublings to the next.
    bound = float(np.min(probed, where=probed > 0, initial=1.0))
    while True:
        distances, _ = trees["training"].query(reference, distance_upper_bound=bound)
        if np.count_nonzero(np.isfinite(distances)) >= few:
            break
        bound *= 2
    close = float(np.partition(distances, few - 1)[few - 1])
    beyond = np.nextafter(close, np.inf)
    hits = {name: _count(tree.query(generated, distance_upper_bound=beyond)[0]) for name, tree in trees.items()}
    by_chance = int(np.count_nonzero(distances <= close))
    more = len(training) / len(reference)  # rows to be close to
    rate, chances = (
        _limits(hits["training"], len(generated)),
        (_limits(by_chance, len(reference)), tuple(more * x for x in _limits(hits["reference"], len(generated)))),
    )
    lower, share, upper = (_beyond(rate[i], max(chance[2 - i] for chance in chances)) for i in range(3))
    p_value = max(
        binomial_tail(hits["training"], by_chance, len(generated) / len(reference)),
        binomial_tail(hits["training"], hits["reference"], more),
    )
    return NearCopies(
        columns=names,
        share=share,
        share_lower=lower,
        share_upper=upper,
        p_value=p_value,
        close=hits["training"],
        close_to_reference=hits["reference"],
        of=len(generated),
        chance=by_chance / len(reference),
        nearer=_nearer(generated[:: -(-len(generated) // _NEARER)], training, reference),
    )


def _nearer(generated: Numbers, training: Numbers, reference: Numbers) -> float:
    """Return how many more rows are nearer to a training row than to one of equally many reference rows, as a share."""
    from scipy.spatial import cKDTree

    equally = min(len(training), len(reference))
    ours, theirs = (cKDTree(rows[:equally]).query(generated)[0] for rows in (training, reference))
    return float(np.mean(np.sign(theirs - ours)))


def _count(distances: Numbers) -> int:
    return int(np.count_nonzero(np.isfinite(distances)))


def _limits(hits: int, of: int) -> tuple[float, float, float]:
    """Return the lower limit, the estimate and the upper limit of a rate (Clopper & Pearson, Biometrika 1934)."""
    lower = float(special.betaincinv(hits, of - hits + 1, _TAIL)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, of - hits, 1 - _TAIL)) if hits < of else 1.0
    return lower, hits / of, upper


def _beyond(rate: float, chance: float) -> float:
    """Return the share of copies that makes a rate of what chance makes of the other rows; 0 if chance makes more."""
    return max(rate - chance, 0.0) / (1 - chance) if chance < 1 else 0.0


def _is_continuous(values: Numbers) -> bool:
    return distinct_count(values.view(np.uint64)) >= _CONTINUOUS * values.size


def _complete(columns: list[Numbers]) -> Numbers:
    """Return the rows without an undefined value, shape (rows, columns)."""
    rows = np.stack(columns, axis=1)
    return np.asarray(rows[~np.isnan(rows).any(axis=1)])


def _mid_ranks(rows: Numbers, true: Numbers) -> NDArray[np.float64]:
    """Return where values are among those of true events, between 0 and 1, and far away if they are beyond.

    Args:
        rows: Shape (rows, columns).
        true: Likewise.
    """
    places = []
    for values, ordered in zip(rows.T, np.sort(true, axis=0).T, strict=True):
        below, upto = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
        beyond = (values > ordered[-1]).astype(int) - (values < ordered[0])
        places.append((below + upto) / (2 * ordered.size) + beyond)
    return np.stack(places, axis=1)

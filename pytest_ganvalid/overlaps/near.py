"""Near copies of training rows, as a generator makes that memorised its training, and jitters.

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
"""Maximum number of columns in which rows are close: the first continuous ones; more take minutes."""
_TAIL = 0.025  # of either limit of a rate
_CONTINUOUS = 0.95  # share of distinct values of a column, above which closeness tells rows apart
_MIN_ROWS = 100  # of each sample
_PROBE_ROWS = 200  # that give a distance to begin with
_NEARER_ROWS = 2_000  # generated rows whose nearest training and reference rows are compared


def near_copies(
    generated: Mapping[str, Column], reference: Mapping[str, Column], training: Mapping[str, Column]
) -> NearCopies | None:
    """Look for generated rows that are nearly those of the training.

    Args:
        generated: Name -> column; those that are not continuous in reference and training do not count.
        reference: Likewise.
        training: Likewise.

    Returns:
        The findings, alarming or not; ``None`` if there are too few rows, or continuous columns: in a single one most
        rows of any samples are neighbours.
    """
    sides = (generated, reference, training)
    names = [n for n in training if all(n in side and is_plain(side[n]) for side in sides)]
    values = {name: tuple(leading(side[name]) for side in sides) for name in names}
    names = [name for name in sorted(names) if all(_is_continuous(column) for column in values[name][1:])][:COLUMNS]
    if len(names) < 2:  # noqa: PLR2004
        return None
    gen, ref, train = (_complete([values[name][i] for name in names]) for i in range(3))
    if min(map(len, (gen, ref, train))) < _MIN_ROWS:
        return None
    events = np.concatenate((train, ref))
    gen, ref, train = (_reference_ranks(rows, events) for rows in (gen, ref, train))
    return _compared(gen, ref, train, tuple(names))


def _compared(generated: Numbers, reference: Numbers, training: Numbers, names: tuple[str, ...]) -> NearCopies:
    """Compare rows with the training, and with the reference, in mid-ranks of shape (rows, columns)."""
    from scipy.spatial import cKDTree  # which takes a tenth of a second

    trees = {"training": cKDTree(training), "reference": cKDTree(reference)}
    n_close = max(1, round(CLOSE * len(reference)))
    probed = trees["training"].query(reference[:_PROBE_ROWS])[0]
    # Rows that are also in the training are at no distance, from which it takes a thousand doublings to the next.
    bound = float(np.min(probed, where=probed > 0, initial=1.0))
    while True:
        distances, _ = trees["training"].query(reference, distance_upper_bound=bound)
        if np.count_nonzero(np.isfinite(distances)) >= n_close:
            break
        bound *= 2
    close = float(np.partition(distances, n_close - 1)[n_close - 1])
    reach = np.nextafter(close, np.inf)
    hits = {name: _count(tree.query(generated, distance_upper_bound=reach)[0]) for name, tree in trees.items()}
    chance_hits = int(np.count_nonzero(distances <= close))
    ratio = len(training) / len(reference)
    rate, chances = (
        _rate_limits(hits["training"], len(generated)),
        (
            _rate_limits(chance_hits, len(reference)),
            tuple(ratio * x for x in _rate_limits(hits["reference"], len(generated))),
        ),
    )
    lower, share, upper = (_excess_share(rate[i], max(chance[2 - i] for chance in chances)) for i in range(3))
    p_value = max(
        binomial_tail(hits["training"], chance_hits, len(generated) / len(reference)),
        binomial_tail(hits["training"], hits["reference"], ratio),
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
        chance=chance_hits / len(reference),
        nearer=_nearer(generated[:: -(-len(generated) // _NEARER_ROWS)], training, reference),
    )


def _nearer(generated: Numbers, training: Numbers, reference: Numbers) -> float:
    """Return how many more rows are nearer to a training row than to one of equally many reference rows, as a share."""
    from scipy.spatial import cKDTree

    size = min(len(training), len(reference))
    to_training, to_reference = (cKDTree(rows[:size]).query(generated)[0] for rows in (training, reference))
    return float(np.mean(np.sign(to_reference - to_training)))


def _count(distances: Numbers) -> int:
    return int(np.count_nonzero(np.isfinite(distances)))


def _rate_limits(hits: int, total: int) -> tuple[float, float, float]:
    """Return the lower limit, the estimate and the upper limit of a rate (Clopper & Pearson, Biometrika 1934)."""
    lower = float(special.betaincinv(hits, total - hits + 1, _TAIL)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, total - hits, 1 - _TAIL)) if hits < total else 1.0
    return lower, hits / total, upper


def _excess_share(rate: float, chance: float) -> float:
    """Return the share of copies that raises the rate from that of chance; 0 if chance makes more."""
    return max(rate - chance, 0.0) / (1 - chance) if chance < 1 else 0.0


def _is_continuous(values: Numbers) -> bool:
    return distinct_count(values.view(np.uint64)) >= _CONTINUOUS * values.size


def _complete(columns: list[Numbers]) -> Numbers:
    """Return the rows without an undefined value, shape (rows, columns)."""
    rows = np.stack(columns, axis=1)
    return np.asarray(rows[~np.isnan(rows).any(axis=1)])


def _reference_ranks(rows: Numbers, events: Numbers) -> NDArray[np.float64]:
    """Return the mid-ranks of values among those of true events, between 0 and 1; values beyond them are far away.

    Args:
        rows: Shape (rows, columns).
        events: True events, likewise.
    """
    ranks = []
    for values, ordered in zip(rows.T, np.sort(events, axis=0).T, strict=True):
        below, up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
        outside = (values > ordered[-1]).astype(int) - (values < ordered[0])
        ranks.append((below + up_to) / (2 * ordered.size) + outside)
    return np.stack(ranks, axis=1)

"""Whether rows depend on those before them: blocks of consecutive rows that differ more than independent ones do.

So do a sorted file and one in the order of processes, which is no harm: this is a note, and not a finding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from pytest_ganvalid.overlaps.digests import Column, Numbers, is_numeric, leading

BLOCKS = 100
_MIN_BLOCK_ROWS = 20  # rows of a block
_ALPHA = 1e-6  # in any column


def uneven_blocks(columns: Mapping[str, Column], side: str) -> str | None:
    """Say of which column the blocks of a sample differ most, if they differ.

    By ranks, as in the test of Kruskal and Wallis (JASA 47 (1952) 583), with its χ² distribution.

    Args:
        columns: The first rows, in their order; undefined values come last.
        side: Name of the sample.
    """
    numeric = {name: leading(values) for name, values in columns.items() if is_numeric(values)}
    rows = len(next(iter(numeric.values()))) // BLOCKS * BLOCKS if numeric else 0
    if rows < _MIN_BLOCK_ROWS * BLOCKS:
        return None
    size = rows // BLOCKS
    chi2 = {}
    for name, values in numeric.items():
        ranks = _centred_ranks(values[:rows])
        variance = float(np.mean(ranks**2))
        if variance > 0:
            chi2[name] = float(size * np.sum(np.mean(ranks.reshape(BLOCKS, size), axis=1) ** 2) / variance)
    worst = max(chi2, key=lambda name: chi2[name], default=None)
    if worst is None or special.chdtrc(BLOCKS - 1, chi2[worst]) * len(chi2) >= _ALPHA:
        return None
    return (
        f"{side} rows depend on their order, most in {worst!r} (blocks of {size:,} rows: χ²/ndf = "
        f"{chi2[worst] / (BLOCKS - 1):.3g}): sorted, in the order of processes, or of a chain; rows must be "
        "independent draws, whatever their order"
    )


def _centred_ranks(values: Numbers) -> Numbers:
    """Return the mid-ranks of values about their mean."""
    ordered = np.sort(values)
    below, up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((below + up_to - values.size) / 2)

"""What the formats of generated events have in common: columns of the final-state particles of each event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.entries import Entries

STORED = ("pdg_id", "px", "py", "pz", "e", "mass")
"""Columns of particles that the files have."""
MADE_OF = {"pt": ("px", "py"), "eta": ("px", "py", "pz"), "phi": ("px", "py")}
"""Columns of particles that are made -> what of."""
FINAL = 1
"""Status of a particle of the final state."""


def needed(columns: Sequence[str]) -> set[str]:
    """Return what has to be read for some columns."""
    return {part for name in columns for part in MADE_OF.get(name, (name,))}


def column(found: Mapping[str, Sequence[Any]], name: str) -> NDArray[Any] | Entries:
    """Return a column of events: one value for each, or the values of the particles of each.

    Args:
        found: What `needed` names -> a number, or an array, for each event.
        name: Of the column.
    """
    if name not in STORED and name not in MADE_OF:
        return np.array(found[name])
    parts = found[MADE_OF[name][0] if name in MADE_OF else name]
    counts = np.array([len(part) for part in parts], dtype=np.intp)
    stored = [np.concatenate(found[part]) for part in MADE_OF.get(name, (name,))]
    return Entries(_made(name, stored) if name in MADE_OF else stored[0], counts)


def _made(name: str, momentum: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return transverse momentum, azimuth or pseudorapidity, which is infinite along the beam."""
    x, y = momentum[:2]
    if name == "phi":
        return np.arctan2(y, x)
    pt = np.hypot(x, y)
    if name == "pt":
        return pt
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.arcsinh(momentum[2] / pt)

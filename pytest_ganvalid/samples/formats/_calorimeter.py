"""The layout of the files of the Fast Calorimeter Simulation Challenge (arXiv:2410.21611), and what to make of them.

``incident_energies`` of shape (events, 1) is the column ``incident_energy``, and ``showers`` of shape (events, voxels)
the column ``showers``, with all voxels as entries. Sums over voxels are the columns ``total_energy`` and, where the
number of voxels is that of a known data set, ``layer_energy_N`` with the number that the layer has there. All are in
the unit of the file, MeV.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.samples.entries import Entries
from pytest_ganvalid.samples.formats._arrays import Part

INCIDENT, SHOWERS = DATASETS = ("incident_energies", "showers")
_ATLAS_PHOTONS = {0: 8, 1: 16 * 10, 2: 19 * 10, 3: 5, 12: 5}  # rings times sectors
_ATLAS_PIONS = {0: 8, 1: 10 * 10, 2: 10 * 10, 3: 5, 12: 15 * 10, 13: 16 * 10, 14: 10}
_LAYERS = 45
_BINNINGS = (
    _ATLAS_PHOTONS,
    _ATLAS_PIONS,
    dict.fromkeys(range(_LAYERS), 9 * 16),
    dict.fromkeys(range(_LAYERS), 18 * 50),
)
VOXELS = {sum(binning.values()): binning for binning in _BINNINGS}
"""Number of voxels -> layer -> number of voxels in it, of data sets 1 (photons, pions), 2 and 3."""


def parts_of(voxels: int) -> dict[str, Part]:
    """Return the columns of a file.

    Args:
        voxels: Number of voxels of a shower.
    """
    parts = {
        "incident_energy": Part(INCIDENT, lambda rows: rows[:, 0]),
        "total_energy": Part(SHOWERS, _summed),
    }
    layers = VOXELS.get(voxels, {})
    ends = list(accumulate(layers.values(), initial=0))
    for layer, first, last in zip(layers, ends[:-1], ends[1:], strict=True):
        parts[f"layer_energy_{layer}"] = Part(SHOWERS, _summed, (first, last))
    return {**parts, SHOWERS: Part(SHOWERS, Entries.of)}


def _summed(voxels: NDArray[Any]) -> NDArray[Any]:
    """Sum over the voxels; the copy makes the rounding the same however many rows are summed at once."""
    energies: NDArray[Any] = np.ascontiguousarray(voxels, dtype=np.float64).sum(axis=1)
    return energies

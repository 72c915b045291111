"""Showers of the calorimeter challenge are summed by layer."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import _calorimeter

PHOTONS = {0: 8, 1: 160, 2: 190, 3: 5, 12: 5}
PIONS = {0: 8, 1: 100, 2: 100, 3: 5, 12: 150, 13: 160, 14: 10}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file."""
    return tmp_path / "events.h5"


@pytest.mark.parametrize("voxels", [368, 533, 6480, 40500, 12])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}])
def test_challenge(path: Path, checks: Any, voxels: int, options: dict[str, Any]) -> None:
    """The layers of a shower of the calorimeter challenge add up to its energy, and their voxels are not mixed."""
    h5py: Any = pytest.importorskip("h5py")
    showers = np.arange(3.0 * voxels, dtype=np.float32).reshape(3, voxels) / 7
    with h5py.File(path, "w") as file:
        file.create_dataset("showers", data=showers, **options)
        file.create_dataset("incident_energies", data=np.array([[1.0], [2.0], [4.0]]), **options)
    layers = _calorimeter.VOXELS.get(voxels, {})
    ends = np.cumsum([0, *layers.values()])
    exact = showers.astype(np.float64)
    expected: dict[str, Any] = {"incident_energy": np.array([1.0, 2.0, 4.0]), "total_energy": exact.sum(axis=1)}
    for layer, (first, last) in zip(layers, pairwise(ends), strict=True):
        expected[f"layer_energy_{layer}"] = exact[:, first:last].copy().sum(axis=1)
    expected["showers"] = Entries.of(showers)
    for chunk in (1, 2, 3):
        checks.same(checks.read(path, chunk=chunk), expected)
    some = [*(f"layer_energy_{layer}" for layer in list(layers)[1:3]), "incident_energy"]
    checks.same(checks.read(path, some), {name: expected[name] for name in some})
    if layers:
        total = sum(expected[f"layer_energy_{layer}"] for layer in layers)
        np.testing.assert_allclose(total, expected["total_energy"])


def test_binnings() -> None:
    """The layers have the numbers, and the voxels, that the published data sets have."""
    numbers = {voxels: list(layers) for voxels, layers in _calorimeter.VOXELS.items()}
    every = list(range(45))
    assert numbers == {368: [0, 1, 2, 3, 12], 533: [0, 1, 2, 3, 12, 13, 14], 6480: every, 40500: every}


def test_numbers_of_voxels() -> None:
    """Each layer has as many voxels as it has rings times sectors in the published binning."""
    assert _calorimeter.VOXELS[368] == PHOTONS
    assert _calorimeter.VOXELS[533] == PIONS
    assert set(_calorimeter.VOXELS[6480].values()) == {144}
    assert set(_calorimeter.VOXELS[40500].values()) == {900}


@pytest.mark.parametrize("voxels", [368, 533, 6480, 367, 369])
def test_columns(voxels: int) -> None:
    """A file of a known number of voxels has an energy for each layer; any other has the sum of all only."""
    layers = [f"layer_energy_{layer}" for layer in _calorimeter.VOXELS.get(voxels, {})]
    parts = _calorimeter.parts_of(voxels)
    assert list(parts) == ["incident_energy", "total_energy", *layers, "showers"]
    assert _calorimeter.DATASETS == ("incident_energies", "showers")
    assert [parts[name].array for name in ("incident_energy", "total_energy", "showers")] == [
        "incident_energies",
        "showers",
        "showers",
    ]
    ends = np.cumsum([0, *_calorimeter.VOXELS.get(voxels, {}).values()]).tolist()
    assert [parts[name].span for name in layers] == list(pairwise(ends))


def test_sums_do_not_depend_on_how_many_rows_are_summed() -> None:
    """The energy of a shower is the same to the last bit, alone or among others, and in double precision."""
    rng = np.random.default_rng(1)
    showers = rng.exponential(size=(50, 368)).astype(np.float32)
    total = _calorimeter.parts_of(368)["total_energy"].of
    whole: Any = total(np.asfortranarray(showers))
    assert whole.dtype == np.float64
    assert whole.tolist() == [float(np.asarray(total(showers[i : i + 1]))[0]) for i in range(50)]
    np.testing.assert_allclose(whole, showers.astype(float).sum(axis=1), rtol=1e-15)

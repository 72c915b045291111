"""Columns of particles are made of momenta."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_ganvalid.samples import Entries
from pytest_ganvalid.samples.formats import _particles


def test_what_is_needed() -> None:
    """What is made needs its parts, each once, and what is stored needs itself."""
    assert _particles.stored_columns(["pt", "phi", "e", "weight"]) == {"px", "py", "e", "weight"}


@pytest.mark.parametrize(
    ("name", "expected"), [("pt", [5.0, 0.0]), ("phi", [np.arctan2(4, 3), 0.0]), ("eta", [0, np.inf])]
)
def test_columns_that_are_made(name: str, expected: list[float]) -> None:
    """Transverse momentum, azimuth and pseudorapidity are those of the momenta; along the beam eta is infinite."""
    momenta = {"px": [[3.0], [0.0]], "py": [[4.0], [0.0]], "pz": [[0.0], [2.0]]}
    found = {part: [np.array(values) for values in events] for part, events in momenta.items()}
    column = _particles.column(found, name)
    assert isinstance(column, Entries)
    assert column.counts.tolist() == [1, 1]
    np.testing.assert_allclose(column.values, expected)


def test_columns_of_events() -> None:
    """What has one number per event stays so."""
    assert np.asarray(_particles.column({"weight": [1.0, 2.0]}, "weight")).tolist() == [1.0, 2.0]

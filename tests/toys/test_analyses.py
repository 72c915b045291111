"""Toy analyses state the law of their samples."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_ganvalid.toys import analyses
from pytest_ganvalid.toys.analyses import Analysis

ALL = [analyses.counting(), analyses.bump(), analyses.two_channels()]


@pytest.mark.parametrize("toy", ALL)
def test_the_law_is_that_of_the_workspace(toy: Analysis) -> None:
    """The law adds up to one, and in the channels it is what the workspace expects of the sample."""
    assert toy.law.sum() == pytest.approx(1)
    data = [
        number
        for channel in toy.workspace["channels"]
        for part in channel["samples"]
        if part["name"] == toy.sample
        for number in part["data"]
    ]
    np.testing.assert_allclose(toy.law[:-1] / toy.law[:-1].sum(), np.array(data) / np.sum(data))


@pytest.mark.parametrize("toy", ALL)
@pytest.mark.parametrize("strength", [-0.9, 0.3])
def test_a_distorted_law_is_one(toy: Analysis, strength: float) -> None:
    """A distortion keeps the sum, is nowhere negative, and is as strong as asked for where it is strongest."""
    law = toy.distorted(strength)
    assert law.sum() == pytest.approx(1)
    assert law.min() >= 0
    assert np.abs(law / toy.law - 1).max() == pytest.approx(abs(strength))


@pytest.mark.parametrize("toy", ALL)
def test_histograms_hold_all_events(toy: Analysis) -> None:
    """Events drawn are all in one of the channels or outside, and follow the law."""
    drawn = toy.drawn(100_000, 1)
    contents = np.concatenate([part.values for part in drawn.values()])
    assert contents.sum() == 100_000
    chi2 = float(((contents - 100_000 * toy.law) ** 2 / (100_000 * toy.law)).sum())
    assert chi2 < toy.law.size + 5 * np.sqrt(2 * toy.law.size)

"""The formulas of the interval of Δ without the package's corrections, to measure what those are worth."""

from __future__ import annotations

import numpy as np

from pytest_ganvalid.statistics.separation import Fractions, Separation, separation


def published(generated: Fractions, reference: Fractions) -> Separation:
    """Return T with m1 = tr(AM), m2 = tr(AMAM) and V of two normalised histograms, uncorrected."""
    one = separation(generated, reference)
    m1 = float(np.sum((generated.variance + reference.variance) / (generated.q + reference.q)))
    return Separation(one.t, m1, one.m2 * (m1 / one.m1) ** 2, one.v)

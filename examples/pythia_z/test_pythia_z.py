"""The gate on real events: Z -> mu mu from Pythia 8 shows all three verdicts.

An analysis needs 12 000 events and has simulated 1 200 to train a generator on. May generated events stand in?

The sizes are chosen so that every outcome follows from its probability (at least 0.99 each), not from the seeds: see
`sizes.py`, which measures those probabilities with toys. With the environment variable ``GANVALID_EXAMPLES=small``, as
in the test suite, it is the same study of a tenth of the size (at least 0.97 each).
"""

from __future__ import annotations

import os

import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.generators import Bootstrap
from pytest_ganvalid.toys import PythiaZ

pytest.importorskip("pythia8mc", reason='needs Pythia: pip install "pytest-ganvalid[pythia]"')

SMALL = os.environ.get("GANVALID_EXAMPLES") == "small"
N_REQUIRED, N_SIMULATED, N_SHORT = (2_000, 20_000, 3_000) if SMALL else (12_000, 120_000, 3_600)
N_TRAIN = N_REQUIRED // 10
OBSERVABLES = ["mass", "pt", "rapidity"]
# 50 training events per bin: below that, a resampled training set is no longer worth n_train events to every histogram,
# but for a reference as short as the small study's.
BINS = 12 if SMALL else 24


@pytest.fixture(scope="session")
def training() -> gv.Sample:
    """What a generator would be trained on: a tenth of what the analysis needs."""
    return PythiaZ().sample(N_TRAIN, seed=1, progress=True)


@pytest.fixture(scope="session")
def reference() -> gv.Sample:
    """True simulation that no generator has seen."""
    return PythiaZ().sample(N_SIMULATED, seed=2, progress=True)


@pytest.fixture(scope="session")
def simulated() -> gv.Sample:
    """More true simulation, in the place of a perfect generator's events."""
    return PythiaZ().sample(N_SIMULATED, seed=3, progress=True)


@pytest.mark.ganvalid(n_required=N_REQUIRED, observables=OBSERVABLES, bins=BINS, confidence=0.99)
def test_independent_simulation_is_robust(ganvalid: gv.Gate, simulated: gv.Sample, reference: gv.Sample) -> None:
    """Independent Pythia events may stand in for Pythia events, and that follows from the power of the check."""
    report = ganvalid.check(simulated, reference)
    assert sum(1 - comparison.power for comparison in report.comparisons.values()) <= 0.01


def test_resampled_training_is_biased(ganvalid: gv.Gate, training: gv.Sample, reference: gv.Sample) -> None:
    """A generator that resamples its training set is worth n_train events, and a short reference shows it."""
    generated = Bootstrap(training).sample(10 * N_REQUIRED, seed=4)
    report = ganvalid.validate(
        generated,
        reference.first(N_SHORT),
        n_required=N_REQUIRED,
        n_train=N_TRAIN,
        observables=OBSERVABLES,
        bins=BINS,
        confidence=0.99,
    )
    assert report.verdict is gv.Verdict.BIASED
    for comparison in report.comparisons.values():
        # On average over training sets; the nine smoothest components of one of them may be off by half or twice.
        assert N_TRAIN / 5 < comparison.n_equivalent.estimate < 4 * N_TRAIN


def test_small_reference_leaves_it_unproven(ganvalid: gv.Gate, simulated: gv.Sample, reference: gv.Sample) -> None:
    """Against a tenth of n_required even perfect events stay unproven, and the report says how many it takes."""
    report = ganvalid.validate(
        simulated,
        reference.first(N_REQUIRED // 10),
        n_required=N_REQUIRED,
        observables=OBSERVABLES,
        bins=BINS,
        confidence=0.99,
    )
    assert report.verdict is gv.Verdict.UNPROVEN
    for comparison in report.comparisons.values():
        assert comparison.n_reference < N_REQUIRED < comparison.n_reference_needed < N_SIMULATED
        assert any("reference events" in reason for reason in comparison.reasons)

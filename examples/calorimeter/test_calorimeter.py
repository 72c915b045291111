"""The gate on a conditional generator: the response of a calorimeter given the energy, stratum by stratum.

A GAN is trained on 10,000 events, one in 500 of which is a fake in a far tail. It learns the response at every energy
well enough to stand in for 2,000 events, and no fake at all: twenty training events out there are too few to learn
from, and a histogram that has no edge there does not see it. The sizes leave every verdict a factor of three.
"""

from __future__ import annotations

import numpy as np
import pytest

import pytest_ganvalid as gv

REASON = 'needs torch: pip install "pytest-ganvalid[gan]"'
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("safetensors", reason=REASON)

CALORIMETER = gv.toys.Calorimeter(fake_rate=2e-3)
N_TRAIN, N_REQUIRED, N_MANY = 10_000, 2_000, 100_000
STRATA = ("energy", 4)


@pytest.fixture(scope="session")
def generator() -> gv.gan.Generator:
    """A conditional GAN after a short training."""
    config = gv.gan.Config(steps=1_000, batch=500)
    return gv.gan.train(CALORIMETER.sample(N_TRAIN, seed=1), conditions=["energy"], config=config, seed=1)


@pytest.fixture(scope="session")
def reference() -> gv.Sample:
    """True simulation that the generator has not seen."""
    return CALORIMETER.sample(N_MANY, seed=2)


@pytest.fixture(scope="session")
def generated(generator: gv.gan.Generator) -> gv.Sample:
    """Generated events at energies of their own."""
    return generator.sample(N_MANY, seed=4, conditions=CALORIMETER.sample(N_MANY, seed=3))


@pytest.mark.ganvalid(n_required=N_REQUIRED, n_train=N_TRAIN, observables=["response"], by=STRATA, bins=20)
def test_the_response_is_robust_at_every_energy(
    ganvalid: gv.Gate, generator: gv.gan.Generator, generated: gv.Sample, reference: gv.Sample
) -> None:
    """In each of four strata of the energy, the response may stand in for the stratum's share of 2,000 events.

    How often each stratum occurs is compared too: the energies are random ones of their own, and not those of the
    reference.
    """
    report = ganvalid.check(generated, reference, training=generator.fingerprint)
    assert len(report.comparisons) == STRATA[1] + 1


def test_ten_times_the_training_sample_is_too_much(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample
) -> None:
    """For ten times as many events as it was trained on, agreement is not demonstrated."""
    report = ganvalid.validate(
        generated, reference, n_required=10 * N_TRAIN, n_train=N_TRAIN, observables=["response"], by=STRATA, bins=20
    )
    assert not report.robust


def test_wrong_conditions_hide_in_the_inclusive_distribution(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample
) -> None:
    """Responses dealt out to other energies agree over all energies, and are biased in the strata."""
    rows = np.random.default_rng(5).permutation(N_MANY)
    dealt = {"energy": generated["energy"], "response": generated["response"][rows]}
    asked = {"n_required": N_REQUIRED, "observables": ["response"], "bins": 20}
    assert ganvalid.validate(dealt, reference, **asked).robust
    assert ganvalid.validate(dealt, reference, by=STRATA, **asked).verdict is gv.Verdict.BIASED


def test_missing_fakes_take_an_edge_to_be_seen(ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample) -> None:
    """With an edge where fakes begin, the generator that makes none is biased for an analysis of 50,000 events."""
    report = ganvalid.validate(
        generated, reference, n_required=50_000, observables=["response"], bins={"response": [CALORIMETER.fake_start]}
    )
    assert report.verdict is gv.Verdict.BIASED

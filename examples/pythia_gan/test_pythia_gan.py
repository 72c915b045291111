"""The main job, whole: simulate real events, train the reference GAN on them, generate a hundredfold, gate them.

10,000 events of Z -> mu mu from Pythia 8 train the GAN for at most three minutes; it then makes a million. What these
may stand in for is asked at three sizes, against 200,000 simulated events that it has never seen: a fifth of the
training sample, as many, and ten times as many. With ``GANVALID_EXAMPLES=small``, as in the test suite, it is the same
study of a tenth of the size and a training of some seconds.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.observables import Classifier, KDTree
from pytest_ganvalid.toys import PythiaZ

pytest.importorskip("pythia8mc", reason='needs Pythia: pip install "pytest-ganvalid[pythia]"')
GAN = 'needs torch: pip install "pytest-ganvalid[gan]"'
pytest.importorskip("torch", reason=GAN)
pytest.importorskip("safetensors", reason=GAN)

SMALL = os.environ.get("GANVALID_EXAMPLES") == "small"
N_TRAIN, N_GENERATED, N_REFERENCE = (1_000, 100_000, 20_000) if SMALL else (10_000, 1_000_000, 200_000)
CONFIG = gv.gan.Config(steps=1_000, batch=500) if SMALL else gv.gan.Config(steps=6_000)
N_REQUIRED = N_TRAIN // 5
COLUMNS = ["mass", "pt", "rapidity", "phi"]
PAIRS = [("mass", "pt"), ("pt", "rapidity")]
UNITS = {"mass": "GeV", "pt": "GeV"}


@dataclass(frozen=True)
class Timed:
    """Events, and the seconds that each took.

    Attributes:
        events: The events.
        seconds: For each of them.
    """

    events: gv.Sample
    seconds: float


@pytest.fixture(scope="session")
def training() -> gv.Sample:
    """What there is to learn from."""
    return PythiaZ().sample(N_TRAIN, seed=1, progress=True)


@pytest.fixture(scope="session")
def simulated() -> Timed:
    """True simulation that the generator has not seen: the reference."""
    start = time.perf_counter()
    return Timed(PythiaZ().sample(N_REFERENCE, seed=2, progress=True), (time.perf_counter() - start) / N_REFERENCE)


@pytest.fixture(scope="session")
def reference(simulated: Timed) -> gv.Sample:
    """The events of the reference."""
    return simulated.events


@pytest.fixture(scope="session")
def trained(training: gv.Sample) -> tuple[gv.gan.Generator, float]:
    """The GAN, and the seconds that it trained."""
    start = time.perf_counter()
    return gv.gan.train(training, columns=COLUMNS, config=CONFIG, seed=1), time.perf_counter() - start


@pytest.fixture(scope="session")
def made(trained: tuple[gv.gan.Generator, float]) -> Timed:
    """A hundred times as many events as it was trained on."""
    start = time.perf_counter()
    return Timed(trained[0].sample(N_GENERATED, seed=3), (time.perf_counter() - start) / N_GENERATED)


@pytest.fixture(scope="session")
def generated(made: Timed) -> gv.Sample:
    """The generated events."""
    return made.events


@pytest.mark.ganvalid(n_required=N_REQUIRED, n_train=N_TRAIN, observables=COLUMNS, units=UNITS)
def test_marginals_support_a_fifth_of_the_training_sample(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample, training: gv.Sample
) -> None:
    """Every column may stand in for a fifth of the events that the GAN was trained on, and none is a copy of one."""
    ganvalid.check(generated, reference, training=training)


@pytest.mark.ganvalid(n_required=N_REQUIRED, n_train=N_TRAIN, observables=[*PAIRS, KDTree(tuple(COLUMNS))])
def test_correlations_support_a_fifth_of_the_training_sample(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample
) -> None:
    """So may pairs of columns, and all four jointly in the cells of a tree."""
    ganvalid.check(generated, reference)


def test_ten_times_the_training_sample_is_too_much(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample
) -> None:
    """A million events are not ten training samples: that there are fewer is demonstrated."""
    report = ganvalid.validate(
        generated, reference, n_required=10 * N_TRAIN, n_train=N_TRAIN, observables=[*COLUMNS, *PAIRS]
    )
    assert report.verdict is gv.Verdict.BIASED
    assert report.n_supported < 10 * N_TRAIN


def test_what_as_many_as_it_was_trained_on_come_to(
    ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample
) -> None:
    """At n_train it is close: each column is worth that, give or take a factor, and no verdict contradicts it."""
    report = ganvalid.validate(
        generated, reference, n_required=N_TRAIN, n_train=N_TRAIN, observables=[*COLUMNS, *PAIRS]
    )
    for name in COLUMNS:
        comparison = report.comparisons[name]
        assert comparison.n_equivalent.upper > N_TRAIN / 4
        assert comparison.robust == (comparison.n_supported >= N_TRAIN)
    curves = gv.uncertainty_curves(np.array([1.0, 1e3]) * N_TRAIN, n_equivalent=report, n_train=N_TRAIN)
    assert curves.n_star == N_TRAIN
    assert curves.generated_total[-1] > curves.simulation_total[-1]  # beyond the star more events do not help


def test_a_classifier_tells_them_apart(ganvalid: gv.Gate, generated: gv.Sample, reference: gv.Sample) -> None:
    """What no histogram of one or two columns shows, a classifier of all four finds."""
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "pytest-ganvalid[classifier]"')
    report = ganvalid.validate(
        generated.first(N_REFERENCE),
        reference,
        n_required=N_TRAIN,
        n_train=N_TRAIN,
        observables=[Classifier(tuple(COLUMNS))],
    )
    assert report.verdict is gv.Verdict.BIASED


def test_one_use_does_not_pay(made: Timed, simulated: Timed, trained: tuple[gv.gan.Generator, float]) -> None:
    """A generated event is far cheaper than a simulated one; to show that n_required of them will do is not."""
    assert simulated.seconds > 5 * made.seconds
    costs = gv.Costs(
        true=simulated.seconds, generated=made.seconds, training=trained[1], n_train=N_TRAIN, unit="s", uses=1
    )
    plan = gv.plan(n_required=N_REQUIRED, bins=50, observables=len(COLUMNS) + len(PAIRS) + 1, costs=costs)
    assert plan.price is not None
    assert plan.price.speed_up < 1
    print(plan.table())

"""Section 3, on approaches that learn from an oracle: who may query the true density is not bound by n_train.

Generated angles of e+ e- -> mu+ mu- come from a histogram of n_train events. As they are, they are worth n_train. If
each may be accepted or rejected by the matrix element at its place, as importance sampling does with whatever it has
learnt, the same generator has no bias left: n_train decides how many are rejected, not what the others are worth. A
density that is learnt from queries only, between which it is linear, is worth their number to the fourth power, where
one that is learnt from events is worth their number.

The premise is that the oracle knows the true density. It is broken by one that knows no more than the training events,
which leaves the generator bound to them, and by one that has another mixing angle, which is BIASED.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import pytest_ganvalid as gv

CLAIM = "what learns from an oracle, a density that can be queried, is not bound by the number of training events"
SECTION = "3"

Array = NDArray[np.float64]
Oracle = Callable[[Array, Array], Array]
"""The density, of any normalisation, at cos θ and φ."""

TOY = gv.toys.MatrixElement()
OTHER = gv.toys.MatrixElement(sin2_theta=0.3)
CELLS = 20
EDGES = np.linspace(-1, 1, CELLS + 1)
TRUTH = TOY.bin_probabilities(EDGES.tolist())[1:-1]
N_TRAIN = 1_000
N_PROPOSED = 60_000
TRAININGS = 100
UNIFORM = 0.01
"""Share of proposals that are uniform, so that no angle is never proposed."""
QUERIES = np.array([10.0, 20.0, 40.0, 80.0])


def matrix_element(cosine: Array, azimuth: Array) -> Array:
    """Query the true matrix element."""
    return TOY.differential_cross_section({"cos_theta": cosine, "phi": azimuth})


def wrong_matrix_element(cosine: Array, azimuth: Array) -> Array:
    """Query a matrix element of another mixing angle."""
    return OTHER.differential_cross_section({"cos_theta": cosine, "phi": azimuth})


def proposal(seed: int) -> Array:
    """Learn the probabilities of the cells of cos θ from n_train events."""
    counts = np.histogram(TOY.sample(N_TRAIN, seed=seed)["cos_theta"], EDGES)[0]
    return np.asarray((1 - UNIFORM) * counts / N_TRAIN + UNIFORM / CELLS)


def generate(learnt: Array, oracle: Oracle | None, n: int, seed: int) -> Array:
    """Return contents of the cells of events that are proposed as learnt, and accepted by the oracle.

    ``None`` asks the learnt density itself: all are accepted.
    """
    rng = np.random.default_rng([14, seed])
    cell = rng.choice(CELLS, size=n, p=learnt)
    if oracle is not None:
        cosine, azimuth = EDGES[cell] + rng.random(n) * (EDGES[1] - EDGES[0]), rng.uniform(-np.pi, np.pi, n)
        weight = oracle(cosine, azimuth) / learnt[cell]
        cell = cell[rng.random(n) * weight.max() < weight]
    return np.bincount(cell, minlength=CELLS).astype(float)


def inverse_worth(oracle: Oracle | None, trainings: int) -> tuple[float, float]:
    """Return n_train / n_equivalent and its error, from the mean Δ of trainings less the noise of generated events.

    χ² of N events against the truth is expected to be CELLS - 1 plus 2 N Δ, and Δ to be (CELLS - 1) / (2 n_equivalent).
    """
    values = []
    for seed in range(trainings):
        contents = generate(proposal(seed), oracle, N_PROPOSED, seed)
        n = contents.sum()
        chi2 = float(((contents - n * TRUTH) ** 2 / (n * TRUTH)).sum())
        values.append((chi2 / (CELLS - 1) - 1) * N_TRAIN / n)
    return float(np.mean(values)), float(np.std(values)) / math.sqrt(trainings)


def is_bound(value: float, error: float) -> bool:
    """Tell whether a generator is worth no more than four times its training sample."""
    return value + 4 * error > 0.25


def verdicts(oracle: Oracle | None, trainings: int) -> list[gv.Verdict]:
    """Return the verdicts at 20 n_train, with 5 reference events for each required one."""
    required, rng = 20 * N_TRAIN, np.random.default_rng(140)
    return [
        gv.compare(
            gv.Counts(generate(proposal(seed), oracle, 15 * required, seed)),
            gv.Counts(rng.multinomial(5 * required, TRUTH)),
            n_required=required,
        ).verdict
        for seed in range(trainings)
    ]


def from_queries(number: int) -> Array:
    """Return the probabilities of ten bins of a density that is linear between so many intervals' ends."""
    cosine = np.linspace(-1, 1, number + 1)
    density = matrix_element(cosine, np.zeros(number + 1))
    area = ((density[1:] + density[:-1]) / 2).reshape(10, -1).sum(axis=1)
    return np.asarray(area / area.sum())


def power(numbers: Array, worth: Array) -> float:
    """Return the power of a number with which the worth goes."""
    return float(np.polyfit(np.log(numbers), np.log(worth), 1)[0])


def test_learnt_from_events_it_is_bound(size: int, measured: Callable[..., None]) -> None:
    """Without an oracle a generator is worth its training sample."""
    value, error = inverse_worth(None, TRAININGS * size)
    expected = (1 - UNIFORM) ** 2
    measured(
        "n_train / n_equivalent, learnt from events",
        value,
        error,
        f"{expected:.2f}",
        broken_by="the oracle knows more than the training events",
    )
    assert abs(value - expected) < 4 * error
    assert is_bound(value, error)


def test_with_an_oracle_it_is_not(size: int, measured: Callable[..., None]) -> None:
    """The same generator has no bias left once the matrix element decides what is kept."""
    value, error = inverse_worth(matrix_element, TRAININGS * size)
    measured("n_train / n_equivalent, kept or not by the matrix element", value, error, "0")
    assert abs(value) < 4 * error
    assert not is_bound(value, error)


def test_an_oracle_that_is_wrong(size: int, measured: Callable[..., None]) -> None:
    """With the matrix element of another mixing angle the bias is that of the angle, whatever was learnt."""
    value, error = inverse_worth(wrong_matrix_element, TRAININGS * size)
    q = OTHER.bin_probabilities(EDGES.tolist())[1:-1]
    expected = float(((q - TRUTH) ** 2 / TRUTH).sum()) * N_TRAIN / (CELLS - 1)
    measured(
        "n_train / n_equivalent, kept or not by the matrix element of another mixing angle",
        value,
        error,
        f"{expected:.3f}",
        broken_by="the oracle knows the true density",
    )
    assert abs(value - expected) < 4 * error
    assert value > 4 * error


def test_the_verdict(size: int, measured: Callable[..., None]) -> None:
    """At 20 n_train the gate is ROBUST with the oracle, and BIASED without it or with a wrong one."""
    cases: list[tuple[str, Oracle | None, gv.Verdict, str]] = [
        ("with the oracle", matrix_element, gv.Verdict.ROBUST, ""),
        ("learnt from events", None, gv.Verdict.BIASED, "the oracle knows more than the training events"),
        ("with a wrong oracle", wrong_matrix_element, gv.Verdict.BIASED, "the oracle knows the true density"),
    ]
    for what, oracle, expected, premise in cases:
        found = verdicts(oracle, 10 * size)
        share = found.count(expected) / len(found)
        measured(
            f"share {expected} at 20 n_train: {what}",
            share,
            _binomial(share, len(found)),
            "above 0.7",
            broken_by=premise,
        )
        assert share > 0.7


def test_queries_are_worth_more_than_events(size: int, measured: Callable[..., None]) -> None:
    """What is learnt from queries is worth their number to the fourth power; from events, their number."""
    truth = TOY.bin_probabilities(np.linspace(-1, 1, 11).tolist())[1:-1]
    queried = np.array([from_queries(round(n)) for n in QUERIES.tolist()])
    worth = 9 / (2 * ((queried - truth) ** 2 / (queried + truth)).sum(axis=1))
    found = power(QUERIES, worth)
    measured("power of the number of queries in n_equivalent", found, abs(found - power(QUERIES[-2:], worth[-2:])), "4")
    measured(f"n_equivalent of {QUERIES[0]:g} queries", worth[0], 0.0, f"above {QUERIES[0]:g}")
    assert abs(found - 4) < 0.1
    assert worth[0] > 10 * QUERIES[0]

    rng, trainings = np.random.default_rng(141), 200 * size
    numbers = np.array([200.0, 800.0, 3_200.0])
    logs = []
    for n in numbers.tolist():
        q = rng.multinomial(round(n), truth, size=trainings) / n
        logs.append(9 / (2 * ((q - truth) ** 2 / (q + truth)).sum(axis=1).mean()))
    found, error = power(numbers, np.array(logs)), math.sqrt(2 / 9 / trainings) / math.log(4) / math.sqrt(2)
    measured("power of the number of events in n_equivalent", found, error, "1", broken_by="the density can be queried")
    assert abs(found - 1) < 4 * error


def test_three_queries_are_enough_for_who_knows_the_form() -> None:
    """A parabola through three queries is the matrix element, to rounding: no number of events is worth as much."""
    nodes = np.array([-1.0, 0.0, 1.0])
    parabola = np.polynomial.Polynomial.fit(nodes, matrix_element(nodes, np.zeros(3)), 2).integ()
    q = np.diff(parabola(EDGES))
    q /= q.sum()
    assert float(((q - TRUTH) ** 2 / (q + TRUTH)).sum()) < 1e-25


def _binomial(share: float, toys: int) -> float:
    smooth = (share * toys + 0.5) / (toys + 1)
    return math.sqrt(smooth * (1 - smooth) / toys)

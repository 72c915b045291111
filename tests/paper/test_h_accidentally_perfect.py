"""Claim h (footnote 4): a generator may be perfect by accident, and only validation can tell.

Of many generators, each as good as its training sample, a few are good for ten times as many events, at a known rate.
That they agree with their training sample does not tell them from the others; a validation sample does. The premise of
the latter is that the reference is independent of the training: a comparison with the training sample, by the same
code, tells nothing. So it is with no training at all: of generators whose weights are random a few are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

import pytest_ganvalid as gv

CLAIM = "A generator may be perfect by accident, but only validation can tell."
SECTION = "2.2, footnote 4"

Array = NDArray[Any]
BINS = 5
TRUTH = np.full(BINS, 1 / BINS)
N_TRAIN, N_REQUIRED = 10_000, 100_000


def shares(contents: Array) -> Array:
    """Contents over their sum."""
    return np.asarray(contents / contents.sum(axis=-1, keepdims=True))


def disagreement(one: Array, other: Array) -> Array:
    """Triangular discrimination of two sets of shares."""
    return np.asarray(((one - other) ** 2 / (one + other)).sum(axis=-1))


def worth(laws: Array) -> Array:
    """Exact n_equivalent of generators with these bin probabilities."""
    return np.asarray((BINS - 1) / (2 * disagreement(laws, TRUTH)))


def rate(outcomes: Array) -> tuple[float, float]:
    """Share of outcomes and its error, by the rule of succession: that of none is not zero."""
    number, value = len(outcomes), float(np.mean(outcomes))
    expected = (value * number + 1) / (number + 2)
    return value, (expected * (1 - expected) / (number + 3)) ** 0.5


def separation(statistic: Array, lucky: Array) -> tuple[float, float]:
    """Probability that a lucky generator's statistic is below that of another one, and its error if they are alike."""
    n, m = int(lucky.sum()), int((~lucky).sum())
    ranks = stats.rankdata(statistic)
    return float(1 - (ranks[lucky].sum() - n * (n + 1) / 2) / (n * m)), ((n + m + 1) / (12 * n * m)) ** 0.5


def tells(found: tuple[float, float]) -> bool:
    """Whether a statistic is shown to tell the lucky ones from the others."""
    return found[0] - 0.5 > 4 * found[1]


def test_accidents_happen_and_only_validation_tells(
    size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]
) -> None:
    """One generator in sixty is worth ten training samples; a reference finds it, and the training sample does not."""
    trainings, more = 10_000 * size, 10
    training, generated = bootstrap(1, TRUTH, N_TRAIN, more * N_REQUIRED, trainings)
    lucky = worth(shares(training)) > N_REQUIRED
    found = rate(lucky)
    # 2 Δ n_train is a χ² of bins - 1 degrees of freedom.
    expected = float(stats.chi2.cdf((BINS - 1) * N_TRAIN / N_REQUIRED, BINS - 1))
    reference = np.random.default_rng(2).multinomial(more * N_REQUIRED, TRUTH, size=trainings)
    by_reference = separation(disagreement(shares(generated), shares(reference)), lucky)
    by_training = separation(disagreement(shares(generated), shares(training)), lucky)
    measured("share of generators that are worth 10 n_train", *found, f"{expected:.4f}")
    what = "probability that agreement ranks such a one before another"
    measured(f"{what}, with 10 n_required reference events", *by_reference, "near 1")
    measured(f"{what}, with the training events", *by_training, "0.5", broken_by="the reference is the training sample")
    assert abs(found[0] - expected) < 4 * found[1]
    assert tells(by_reference)
    assert not tells(by_training)
    assert abs(by_training[0] - 0.5) < 4 * by_training[1]


def verdicts(contents: Array, references: Array) -> tuple[float, float]:
    """Share of samples that are ROBUST at n_required, and its error."""
    return rate(
        np.array(
            [
                gv.compare(gv.Counts(row), gv.Counts(reference), n_required=N_REQUIRED).robust
                for row, reference in zip(contents, references, strict=True)
            ]
        )
    )


def test_the_gate_tells(size: int, bootstrap: Callable[..., Any], measured: Callable[..., None]) -> None:
    """ROBUST are most of those worth five times n_required, few of the others, and against the training sample all."""
    trainings, judged = 30_000 * size, 40 * size
    training, generated = bootstrap(3, TRUTH, N_TRAIN, 10 * N_REQUIRED, trainings)
    value = worth(shares(training))
    lucky, others = np.flatnonzero(value > 5 * N_REQUIRED), np.flatnonzero(value < N_REQUIRED)
    reference = np.random.default_rng(4).multinomial(10 * N_REQUIRED, TRUTH, size=trainings)
    # The training sample ten times over: otherwise it has too few events to show anything at n_required.
    found = {
        "lucky": verdicts(generated[lucky[:judged]], reference[lucky[:judged]]),
        "others": verdicts(generated[others[:judged]], reference[others[:judged]]),
        "training": verdicts(generated[others[:judged]], np.round(training[others[:judged]] * 100.0)),
    }
    expected = float(stats.chi2.cdf((BINS - 1) * N_TRAIN / (5 * N_REQUIRED), BINS - 1))
    measured("share of generators that are worth 50 n_train", *rate(value > 5 * N_REQUIRED), f"{expected:.5f}")
    measured("share of such that are ROBUST at 10 n_train", *found["lucky"], "near 1")
    what = "share of those worth less than 10 n_train that are ROBUST at that"
    measured(what, *found["others"], "at most 0.05")
    measured(what, *found["training"], "near 1", broken_by="the reference is the training sample, repeated")
    assert len(lucky) >= 5
    assert found["lucky"][0] > 0.5
    assert found["others"][0] < 0.05 + 4 * (0.05 * 0.95 / judged) ** 0.5
    assert found["training"][0] > 0.5


def test_no_training_at_all(size: int, measured: Callable[..., None]) -> None:
    """Of generators with random weights the expected share is good for 1,000 events, and a reference finds these."""
    generators, n_required, n_reference, width = 100_000 * size, 1_000, 10_000, 0.3
    rng = np.random.default_rng(5)
    # The last layer of a classifier of the bins: softmax of weights drawn as for an initialisation.
    weights = width * rng.standard_normal((generators, BINS))
    laws = special.softmax(weights, axis=1)
    perfect = worth(laws) > n_required
    found = rate(perfect)
    # To first order BINS Σ (q - p)²/p is the sum of squares of the weights, less their mean: over the width's square, a
    # χ² of BINS - 1 degrees of freedom. Σ (q - p)²/p is to be at most (BINS - 1)/n_required.
    expected = float(stats.chi2.cdf(BINS * (BINS - 1) / n_required / width**2, BINS - 1))
    generated = rng.multinomial(n_reference, laws)
    reference = rng.multinomial(n_reference, TRUTH, size=generators)
    told = separation(disagreement(shares(generated), shares(reference)), perfect)
    again = rng.multinomial(n_reference, laws)
    by_itself = separation(disagreement(shares(generated), shares(again)), perfect)
    measured("share of untrained generators that are worth 1,000 events", *found, f"{expected:.4f}")
    what = "probability that one of these ranks before another"
    measured(f"{what}, by 10,000 reference events", *told, "near 1")
    measured(f"{what}, by two of its own samples", *by_itself, "0.5", broken_by="the reference is generated, too")
    assert abs(found[0] - expected) < 4 * found[1] + 0.02 * expected
    assert tells(told)
    assert not tells(by_itself)

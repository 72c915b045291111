"""Samples for the positive control of a classifier: would it have seen a bias of the size that it should exclude?

A score that sees nothing agrees with every sample, so that its agreement demonstrates nothing. A control is a
comparison whose answer is known: generated events on both sides, one part of them biased in one column. In clinical
trials, where equality is demonstrated in the same way, that a trial could have shown a difference is called its assay
sensitivity (ICH E10, "Choice of control group and related issues in clinical trials", 2000, section 1.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.observables.resampling import cluster_numbers
from pytest_ganvalid.overlaps.digests import is_plain, row_digests
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.statistics.roots import brentq

FloatArray = NDArray[np.float64]
SHIFT = 6.0
"""Size of the bias that is planted: by so many error bars of n_required events the column's normal score shifts."""
_STREAM = 6
_PARTS = 2
_MAX_LOG_RATIO = 30.0  # logarithm of the largest weight over the smallest


@dataclass(frozen=True, slots=True, eq=False)
class ControlSamples:
    """Generated events on both sides.

    Attributes:
        generated: The part of the events that is biased, in one column at a time.
        reference: As many other events as make the effective size of the true reference.
        columns: Those of the named columns that vary and hold one number per event.
        scale: Number of events of ``reference`` over the number with the effective size of the true reference; less
            than 1 if the generated sample has less than twice that size.
    """

    generated: Sample
    reference: Sample
    columns: tuple[str, ...]
    scale: float

    @classmethod
    def of(cls, generated: Sample, reference: Sample, names: Sequence[str], seed: int) -> ControlSamples:
        """Divide the generated events at random; clusters of them are kept whole.

        Args:
            generated: At least two events.
            reference: Only its effective size counts, (Σw)²/Σw².
            names: Columns of the classifier; events are told apart by these, not by their position.
            seed: Not negative.

        Raises:
            InputError: If there are fewer than two generated events, or clusters of them.
        """
        cluster = cluster_numbers(generated)
        number, unit = (len(generated), "events") if cluster is None else (int(cluster.max()) + 1, "clusters")
        if number < _PARTS:
            msg = f"generated has {number} {unit}; a control divides them, and takes at least {_PARTS}"
            raise InputError(msg)
        order = np.argsort(row_digests(generated.columns, sorted(names)), kind="stable")
        rng = np.random.default_rng([seed, _STREAM])
        target = max(1, round(_effective_size(reference) * len(generated) / _effective_size(generated)))
        if cluster is None:
            order = order[rng.permutation(order.size)]
            size = min(target, len(generated) // _PARTS)
        else:  # in the order of their keys, whatever that of the rows
            positions = rng.permutation(number)[cluster[order]]
            rows = np.cumsum(np.bincount(positions))
            order = order[np.argsort(positions, kind="stable")]
            limit = min(target, len(generated) // _PARTS)
            size = int(rows[min(max(int(np.searchsorted(rows, limit, side="right")) - 1, 0), number - 2)])
        biased, unbiased = generated.select(order[size:]), generated.select(order[:size])
        plain = (name for name in names if is_plain(biased.columns[name]))
        return cls(biased, unbiased, tuple(name for name in plain if np.unique(biased[name]).size > 1), size / target)

    def biased(self, column: str, n_required: float) -> Sample:
        """Return the generated part with a bias in a column: weights times exp(ε z), z being its normal scores.

        ε > 0 is such that n_required Δ is `SHIFT`²/2 between the events with and without the bias; where z is normally
        distributed and n_required is large, ε = `SHIFT`/sqrt(n_required) and the mean of z is off by `SHIFT` error
        bars. Where no ε suffices, it is the largest that `_MAX_LOG_RATIO` allows.

        Args:
            column: One of ``columns``.
            n_required: Number of true events to stand in for.
        """
        weight = np.ones(len(self.generated)) if self.generated.weight is None else self.generated.weight
        scores = normal_scores(self.generated.columns[column], np.abs(weight))
        return replace(self.generated, weight=weight * tilt(scores, np.abs(weight), SHIFT**2 / 2 / n_required))


def normal_scores(values: NDArray[np.generic], weight: FloatArray) -> FloatArray:
    """Return the normal quantiles of the mid-ranks, NaN being the largest value; 0 where all values are equal.

    Args:
        values: Shape (events,).
        weight: Shape (events,), not negative, some positive.
    """
    _, inverse = np.unique(values, return_inverse=True)
    mass = np.bincount(inverse, weight)
    ranks = (np.cumsum(mass) - mass / 2) / mass.sum()
    rounding = np.finfo(np.float64).eps
    return np.asarray(special.ndtri(np.clip(ranks, rounding, 1 - rounding))[inverse])


def tilt(scores: FloatArray, weight: FloatArray, delta: float) -> FloatArray:
    """Return exp(ε z), ε > 0 such that the triangular discrimination of the events with and without it is ``delta``.

    Δ = Σ p (t - 1)²/(t + 1) over the events, p being their shares and t = exp(ε z)/Σ p exp(ε z), which rises with ε.

    Args:
        scores: z, shape (events,), finite, of at least two values.
        weight: Shape (events,), not negative, some positive.
        delta: Positive; where no ε reaches it, ε is the largest that `_MAX_LOG_RATIO` allows.
    """
    share = weight / weight.sum()

    def excess(strength: float) -> float:
        tilted = np.exp(strength * (scores - scores.max()))
        tilted /= share @ tilted
        return float(share @ ((tilted - 1) ** 2 / (tilted + 1))) - delta

    steepest = _MAX_LOG_RATIO / float(np.ptp(scores))
    strength = steepest if excess(steepest) <= 0 else brentq(excess, 0.0, steepest, rtol=1e-6)
    return np.asarray(np.exp(strength * scores))


def _effective_size(sample: Sample) -> float:
    """Return (Σw)²/Σw², or the number of events where their weights cancel or vanish."""
    if sample.weight is None or not sample.weight.sum() > 0:
        return float(len(sample))
    return float(sample.weight.sum() ** 2 / np.sum(sample.weight**2))

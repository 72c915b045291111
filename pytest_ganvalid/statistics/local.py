"""Is any single bin off by more than max_local_bias error bars of n_required events?

The local bias b = (q - p) sqrt(2 n_required / (q + p)) is the difference in error bars of one sample of
n_required events. It is *shown* to exceed a limit if it does at simultaneous confidence over all bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid.statistics.separation import Fractions, Noise

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocalBias:
    """The biases of all bins.

    Attributes:
        bias: Bias in error bars of n_required events, shape (bins,).
        lower: Simultaneous lower confidence limits of their magnitudes, shape (bins,).
        p_value: p-value of the largest excess over the limit, corrected for the number of bins (Bonferroni).
    """

    bias: FloatArray
    lower: FloatArray
    p_value: float


def local_bias(
    generated: Fractions,
    reference: Fractions,
    n_required: float,
    limit: float,
    alpha: float,
    *,
    cross: FloatArray | None = None,
) -> LocalBias:
    """Compute the bias of each bin and whether it is shown to exceed ``limit``.

    Args:
        generated: Shape (bins,), q + p > 0 in every bin.
        reference: The same bins.
        n_required: Number of true events to stand in for.
        limit: Limit in error bars of n_required events; may be infinite.
        alpha: Error probability of the simultaneous lower limits.
        cross: The covariance of both, shape (bins, bins); ``None`` for independent samples.
    """
    q, p = generated.q, reference.q
    unit = np.sqrt((q + p) / (2 * n_required))  # one error bar, as a fraction
    difference = np.abs(q - p)
    # A deficit's own variance is too small where the bin is nearly empty; at the limit the content is at least this.
    slack = np.minimum(limit * unit, difference)
    if cross is None:
        error = np.sqrt(_variance(generated, p - slack, q + p) + _variance(reference, q - slack, q + p))
    else:
        error = np.sqrt(_joint_variance(Noise(generated, reference, cross), slack))
    quantile = float(special.ndtri(1 - alpha / q.size))
    lower = np.maximum(difference - quantile * error, 0.0) / unit
    excess = (difference - limit * unit) / error if math.isfinite(limit) else np.full(q.size, -math.inf)
    p_value = min(1.0, q.size * float(special.ndtr(-excess.max())))
    return LocalBias((q - p) / unit, lower, p_value)


def _variance(sample: Fractions, min_content: FloatArray, contents: FloatArray) -> FloatArray:
    """Return the variance of each fraction, at least that of ``min_content``, or of one event of mean weight."""
    content = np.clip(min_content, 0.0, 1.0)
    sigma = 1 / sample.effective_size(contents)
    return np.maximum(sample.variance, np.maximum(sigma * content * (1 - content), sigma**2))


def _joint_variance(noise: Noise, difference: FloatArray) -> FloatArray:
    """Return the variance of each q - p of clusters, at least that of the fewest that make the difference, or one."""
    contents = noise.generated.q + noise.reference.q
    sigma = 1 / min(side.effective_size(contents) for side in (noise.generated, noise.reference))
    return np.maximum(noise.variance, np.maximum(sigma * difference, sigma**2))

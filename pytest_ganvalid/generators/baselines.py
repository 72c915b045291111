"""Baseline generators: what a generative model has to beat.

The bootstrap is the model case of the paper: it agrees with its training data in every distribution, and is worth
exactly n_train events.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid._arguments import check_integer, check_positive
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.samples.tables import numeric

FloatArray = NDArray[np.float64]
STREAM = 3
_BANDWIDTHS = ("scott", "silverman")


class Bootstrap:
    """Draws training events with replacement, in proportion to their weights."""

    def __init__(self, training: object, weight: object = None) -> None:
        """Keep the training events.

        Args:
            training: Any table of events.
            weight: A column name, an array of shape (events,), or ``None``; none may be negative.
        """
        self._training = as_sample(training, "training", weight)
        self._probabilities = probabilities(self._training)
        self.n_train = len(self._training)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` unweighted events."""
        rng = _generator(seed)
        rows = rng.choice(self.n_train, size=check_integer("n", n), p=self._probabilities)
        columns = {name: values[rows] for name, values in self._training.columns.items()}
        return Sample(columns, provenance=_provenance(self, seed))


class HistogramSampler:
    """Draws from the joint histogram of all columns: a cell by its share, and uniformly within it."""

    def __init__(self, training: object, weight: object = None, *, bins: int = 50) -> None:
        """Fill the histogram.

        Args:
            training: Any table of events, all columns finite numbers.
            weight: A column name, an array of shape (events,), or ``None``; none may be negative.
            bins: Bins per column, between its smallest and its largest value.
        """
        sample = as_sample(training, "training", weight)
        names, values = matrix(sample)
        bins = check_integer("bins", bins)
        low, high = values.min(axis=0), values.max(axis=0)
        self._names, self._low, self._width = names, low, (high - low) / bins
        # Only the occupied cells are kept, so any number of columns fits in memory.
        scale = np.divide(bins, high - low, out=np.zeros_like(low), where=high > low)
        cells = np.minimum(((values - low) * scale).astype(np.intp), bins - 1)
        self._cells, inverse = np.unique(cells, axis=0, return_inverse=True)
        shares = np.bincount(inverse.ravel(), probabilities(sample))
        self._probabilities = shares / shares.sum()
        self.n_train = len(sample)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` unweighted events."""
        rng = _generator(seed)
        cells = self._cells[rng.choice(len(self._cells), size=check_integer("n", n), p=self._probabilities)]
        values = self._low + self._width * (cells + rng.random(cells.shape))
        return Sample(dict(zip(self._names, values.T, strict=True)), provenance=_provenance(self, seed))


class GaussianKDE:
    """Draws from a Gaussian kernel density estimate of all columns (`scipy.stats.gaussian_kde`, Scott's rule)."""

    def __init__(self, training: object, weight: object = None, *, bandwidth: str | float = "scott") -> None:
        """Estimate the density.

        Args:
            training: Any table of events, all columns finite numbers, more events than columns.
            weight: A column name, an array of shape (events,), or ``None``; none may be negative.
            bandwidth: ``"scott"``, ``"silverman"`` or a factor, as ``bw_method`` of `scipy.stats.gaussian_kde`.

        Raises:
            InputError: If the covariance of the columns is singular, as for a constant column.
        """
        if bandwidth not in _BANDWIDTHS:
            check_positive(f"bandwidth (a number or one of {_BANDWIDTHS})", bandwidth)
        sample = as_sample(training, "training", weight)
        self._names, values = matrix(sample)
        self.n_train = len(sample)
        weights = None if sample.weight is None else probabilities(sample)
        try:
            from scipy import stats  # which takes half a second

            estimate: Any = stats.gaussian_kde
            self._kde = estimate(values.T, bandwidth, weights)
        except (np.linalg.LinAlgError, ValueError) as error:
            msg = (
                f"the columns {self._names} of {self.n_train} training events have no regular covariance ({error}); "
                "leave out constant and redundant columns"
            )
            raise InputError(msg) from error

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` unweighted events."""
        values = self._kde.resample(check_integer("n", n), seed=_generator(seed))
        return Sample(dict(zip(self._names, values, strict=True)), provenance=_provenance(self, seed))


def _generator(seed: int) -> np.random.Generator:
    # A stream of its own: a reference drawn from a toy with the same seed must stay independent.
    return np.random.default_rng([check_integer("seed", seed, minimum=0), STREAM])


def _provenance(generator: Bootstrap | HistogramSampler | GaussianKDE, seed: int) -> dict[str, Any]:
    return {"source": type(generator).__name__, "n_train": generator.n_train, "seed": int(seed)}


def probabilities(sample: Sample) -> FloatArray:
    """Return the chance to draw each training event."""
    weight = np.ones(len(sample)) if sample.weight is None else sample.weight
    if weight.min() < 0 or weight.sum() <= 0:
        msg = f"training weights must not be negative and have a positive sum; the smallest is {weight.min():g}"
        raise InputError(msg)
    return np.asarray(weight / weight.sum())


def matrix(sample: Sample) -> tuple[tuple[str, ...], FloatArray]:
    """Return the column names and the values, shape (events, columns)."""
    names = tuple(sample.columns)
    values = np.column_stack([numeric(sample[name], f"training: column {name!r}") for name in names])
    n_nonfinite = int(np.count_nonzero(~np.isfinite(values)))
    if n_nonfinite:
        msg = f"the training events hold {n_nonfinite} NaN or infinite values; remove those events, knowingly"
        raise InputError(msg)
    return names, values

"""A parametric fit as a generator: the best use of a training sample if the law is known but for its parameters.

It is the upper end of the scale on which the bootstrap, worth n_train events in the mean, is the lower one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.generators.baselines import STREAM, matrix, probabilities
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.toys.camel_back import CamelBack
from pytest_ganvalid.toys.law import drawn

FloatArray = NDArray[np.float64]
_PARAMETERS = 5
_NARROWEST = 1e-3  # standard deviations of the sample: the likelihood grows without limit on a peak of no width
_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


class CamelBackFit:
    """The maximum-likelihood fit of two normal peaks: five parameters, found in `CamelBack` training events.

    In k equiprobable bins the fit to ½N(-4,1) + ½N(4,1) is worth (k-1)/T_k times its training sample, from the mean Δ;
    T_k = 4.32951 for k = 20 and 4.72064 for k = 50, tending to the number of parameters.

    Attributes:
        model: The fitted simulator, its first peak at the smaller mean.
        n_train: Number of training events.
    """

    def __init__(self, training: object, weight: object = None) -> None:
        """Fit.

        Args:
            training: Any table of events with one column of finite numbers, two peaks apart from each other.
            weight: A column name, an array of shape (events,), or ``None``; none may be negative.

        Raises:
            InputError: If the sample has other than one column, fewer than six different values, or the fit fails.
        """
        sample = as_sample(training, "training", weight)
        names, values = matrix(sample)
        if len(names) != 1:
            msg = f"a camel back has one column; the training events have {list(names)}: select one of them"
            raise InputError(msg)
        shares = probabilities(sample)
        x, shares = values[shares > 0, 0], shares[shares > 0]
        if np.unique(x).size <= _PARAMETERS:
            msg = f"{np.unique(x).size} different values; expected more than the {_PARAMETERS} parameters"
            raise InputError(msg)
        self._name, self.n_train = names[0], len(sample)
        self.model = _fit(x, shares)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw ``n`` unweighted events.

        Args:
            n: Number of events, at least 1.
            seed: Any non-negative integer.

        Raises:
            InputError: If an argument is out of range.
        """
        # A stream of its own: a reference drawn from a toy with the same seed must stay independent.
        columns = drawn(self.model, n, seed, stream=STREAM)
        origin = {"source": type(self).__name__, "n_train": self.n_train, "seed": int(seed)}
        return Sample({self._name: columns["x"]}, provenance=origin)


def _fit(x: FloatArray, shares: FloatArray) -> CamelBack:
    """Minimise the negative logarithm of the likelihood, in standard deviations of the sample around its mean."""
    centre = float(shares @ x)
    scale = float(np.sqrt(shares @ (x - centre) ** 2))
    z = (x - centre) / scale
    bounds = [(None, None), (None, None), (np.log(_NARROWEST), None), (np.log(_NARROWEST), None), (-12.0, 12.0)]
    result = optimize.minimize(_loss, _start(z, shares), (z, shares), "L-BFGS-B", jac=True, bounds=bounds, tol=1e-12)
    if not np.isfinite(result.fun):
        msg = f"the fit of two peaks did not converge: {result.message}; look at the training events"
        raise InputError(msg)
    means, widths = centre + scale * result.x[:2], scale * np.exp(result.x[2:4])
    first = float(special.expit(result.x[4]))
    order = np.argsort(means)
    return CamelBack(
        means=(float(means[order[0]]), float(means[order[1]])),
        widths=(float(widths[order[0]]), float(widths[order[1]])),
        fraction=first if order[0] == 0 else 1 - first,
    )


def _start(z: FloatArray, shares: FloatArray) -> FloatArray:
    """Return moments of the two halves that a cut leaves most compact: means, log widths, logit of the share."""
    order = np.argsort(z)
    sorted_z, weight = z[order], shares[order]
    below = np.cumsum(weight)[:-1]
    first = np.cumsum(weight * sorted_z)[:-1]
    second = weight @ sorted_z - first
    with np.errstate(divide="ignore", invalid="ignore"):
        between = first**2 / below + second**2 / (1 - below)
    cut = int(np.nanargmax(between)) + 1
    moments: list[Any] = []
    for part in (slice(cut), slice(cut, None)):
        mean = np.average(sorted_z[part], weights=weight[part])
        width = np.sqrt(np.average((sorted_z[part] - mean) ** 2, weights=weight[part]))
        moments.append((mean, np.log(max(width, 0.05))))
    (mean0, width0), (mean1, width1) = moments
    return np.array([mean0, mean1, width0, width1, special.logit(np.clip(below[cut - 1], 1e-3, 1 - 1e-3))])


def _loss(parameters: FloatArray, z: FloatArray, shares: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean negative log-likelihood and its gradient."""
    means, log_widths, logit = parameters[:2, None], parameters[2:4, None], parameters[4]
    pulls = (z - means) * np.exp(-log_widths)
    logs = -0.5 * pulls**2 - log_widths - _LOG_ROOT_2PI
    logs[0] += special.log_expit(logit)
    logs[1] += special.log_expit(-logit)
    total = special.logsumexp(logs, axis=0)
    responsibilities = np.exp(logs - total) * shares  # of which peak an event is, Σ over peaks and events 1
    gradient = np.concatenate(
        [
            -(responsibilities * pulls * np.exp(-log_widths)).sum(axis=1),
            -(responsibilities * (pulls**2 - 1)).sum(axis=1),
            [-(responsibilities[0].sum() - special.expit(logit) * shares.sum())],
        ]
    )
    return float(-(shares @ total)), gradient

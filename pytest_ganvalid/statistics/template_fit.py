"""Binned likelihood fits of templates.

What to use when: `fitted_yields` for the yields of given templates; `fit` for models with constraints, many fits at a
time, as for the bias of an analysis and its coverage by toys.

The contents of bin i are Poisson distributed with mean λ_i = max(ρ_i(θ) + f_i(θ) (δ_i + Σ_k L_ik α_k), 0): ρ are the
rates of a model, f what a unit of the template of one sample contributes to them, δ a shift of that template, and L a
root of the covariance of its errors, with a standard normal constraint on every α. Parameters θ may have normal or
Poisson constraints (K. Cranmer et al., HistFactory, CERN-OPEN-2012-016).

Minimised by Fisher scoring with halved steps; derivatives with respect to θ are taken numerically, those with respect
to α are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Rates = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""From parameters, shape (fits, parameters), to rates ρ and factors f, both of shape (fits, bins)."""

_STEP = 1e-6  # of the derivatives: second ones enter with a relative size of this
_CLOSE = 1e-13  # expected further decrease of the likelihood at which a fit has converged
_CLOSE_YIELD = 1e-20  # likewise of one event
_MAX_STEPS, _MAX_HALVINGS = 100, 30
_FLOOR = 1e-9  # smallest rate
_MEMORY = 2_000_000  # numbers in the largest array at a time


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """Auxiliary measurements, one of a parameter each.

    Attributes:
        parameter: Position of the parameter that each one measures, shape (measurements,).
        sigma: Standard deviation of the normal ones; 1 for the others.
        factor: Mean of the Poisson ones over the parameter; 0 for the normal ones.
    """

    parameter: IntArray
    sigma: FloatArray
    factor: FloatArray

    @property
    def poisson(self) -> BoolArray:
        """Which measurements are Poisson distributed."""
        return self.factor > 0

    def expected(self, theta: FloatArray) -> FloatArray:
        """Return their means, shape (fits, measurements)."""
        values = theta[:, self.parameter]
        return np.where(self.poisson, values * self.factor, values)

    def drawn(self, theta: FloatArray, toys: int, rng: np.random.Generator) -> FloatArray:
        """Draw toys of them at parameters of shape (parameters,); returns shape (toys, measurements)."""
        mean = np.broadcast_to(self.expected(theta[None]), (toys, self.parameter.size))
        normal = rng.normal(mean, self.sigma)
        return np.where(self.poisson, rng.poisson(np.where(self.poisson, mean, 0.0)), normal)

    def minus_log(self, theta: FloatArray, measured: FloatArray) -> FloatArray:
        """Return -log of their density, without constants, shape (fits,)."""
        mean = self.expected(theta)
        positive = np.maximum(mean, _FLOOR)
        poisson = positive - measured * np.log(positive)
        normal = ((measured - mean) / self.sigma) ** 2 / 2
        return np.asarray(np.where(self.poisson, poisson, normal).sum(axis=1))

    def derivatives(self, theta: FloatArray, measured: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return its gradient and expected curvature by measurement, both of shape (fits, measurements)."""
        mean = self.expected(theta)
        positive = np.maximum(mean, _FLOOR)
        gradient = np.where(self.poisson, self.factor * (1 - measured / positive), (mean - measured) / self.sigma**2)
        return gradient, np.where(self.poisson, self.factor**2 / positive, 1 / self.sigma**2)


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """A model of the bins of all channels.

    Attributes:
        rates: ρ and f from parameters.
        constraints: Auxiliary measurements.
        free: Which parameters are fitted, shape (parameters,).
        start: Where fits begin, and the values of fixed parameters, shape (parameters,).
    """

    rates: Rates
    constraints: Constraints
    free: BoolArray
    start: FloatArray

    def fixed(self, parameter: int, value: float) -> Likelihood:
        """Return the model with one parameter fixed."""
        free, start = self.free.copy(), self.start.copy()
        free[parameter], start[parameter] = False, value
        return Likelihood(self.rates, self.constraints, free, start)


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """Maxima of the likelihood.

    Attributes:
        theta: Shape (fits, parameters).
        minus_log: -log of the likelihood there, without constants, shape (fits,).
        covariance: Covariance of the free parameters, the inverse of the expected information, shape (fits, parameters,
            parameters); zero for fixed parameters.
        converged: Which fits have converged; ``minus_log`` of the others is NaN.
    """

    theta: FloatArray
    minus_log: FloatArray
    covariance: FloatArray
    converged: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The contents and templates of fits; a first axis of 1 stands for any number of fits.

    Attributes:
        contents: Shape (fits, bins).
        measured: The auxiliary measurements, shape (fits, measurements).
        shift: δ, shape (fits, bins).
        root: L, shape (fits, bins, errors).
    """

    contents: FloatArray
    measured: FloatArray
    shift: FloatArray
    root: FloatArray

    @property
    def fits(self) -> int:
        """Number of fits."""
        return max(int(part.shape[0]) for part in (self.contents, self.measured, self.shift, self.root))

    def part(self, first: int, last: int) -> Data:
        """Return some of the fits, each with arrays of its own."""
        parts = (self.contents, self.measured, self.shift, self.root)
        return Data(*(np.repeat(p, last - first, axis=0) if p.shape[0] == 1 else p[first:last] for p in parts))


def fitted_yields(templates: FloatArray, contents: FloatArray) -> FloatArray:
    """Return the yields that maximise the extended likelihood of contents, shape (components,).

    Args:
        templates: Templates of sum 1, shape (components, bins).
        contents: Sums of weights, shape (bins,), of any unit.

    Raises:
        InputError: If there is no maximum at positive rates.
    """
    total = float(contents.sum())
    if not total > 0:
        msg = f"the contents of the bins add up to {total:g}; expected events between the edges"
        raise InputError(msg)
    shares, filled = contents / total, templates.any(axis=0)
    if np.any(shares[~filled] > 0):
        msg = "events lie in bins where no template has any; merge bins, or add a component"
        raise InputError(msg)

    def minus_log(yields: FloatArray) -> float:
        rates = (yields @ templates)[filled]
        return float(rates.sum() - shares[filled] @ np.log(rates)) if np.all(rates > 0) else np.inf

    yields = np.full(templates.shape[0], 1 / templates.shape[0])
    value = minus_log(yields)
    for _ in range(_MAX_STEPS):
        rates = np.where(filled, yields @ templates, 1.0)
        gradient = templates @ np.where(filled, 1 - shares / rates, 0.0)
        step = -np.linalg.solve((templates / rates) @ templates.T, gradient)
        if -gradient @ step < _CLOSE_YIELD:
            return np.asarray(total * yields)
        for _ in range(_MAX_HALVINGS):
            new_value = minus_log(yields + step)
            if new_value <= value + 1e-15:
                break
            step = step / 2
        yields, value = yields + step, new_value
    msg = "the fit of the templates does not converge: a rate would be negative; are there bins of negative content?"
    raise InputError(msg)


def no_error(bins: int) -> FloatArray:
    """Return the root of the covariance of a template without errors."""
    return np.zeros((1, bins, 0))


def root_of(covariance: FloatArray) -> FloatArray:
    """Return L with L Lᵀ = covariance, of any number of positive semi-definite ones, shape (..., bins, bins).

    Contents that do not vary are given an error of a millionth of the largest.
    """
    scale = np.maximum(np.einsum("...ii->...i", covariance).max(axis=-1), np.finfo(float).tiny)
    ridge = 1e-12 * scale[..., None, None] * np.eye(covariance.shape[-1])
    return np.linalg.cholesky(covariance + ridge)


def fit(model: Likelihood, data: Data, *, allow_failures: bool = False) -> Fits:
    """Maximise the likelihood of every fit.

    Raises:
        InputError: If the data do not determine a free parameter; or if a fit does not converge, and
            ``allow_failures`` is false.
    """
    width = int(model.free.sum()) + data.root.shape[2]
    chunk = max(1, _MEMORY // max(width * (width + data.root.shape[1]), 1))
    parts = [_fit(model, data.part(i, min(i + chunk, data.fits))) for i in range(0, data.fits, chunk)]
    columns = ("theta", "minus_log", "covariance", "converged")
    fits = Fits(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))
    failed = int((~fits.converged).sum())
    if failed and not allow_failures:
        msg = (
            f"{failed:,} of {data.fits:,} fits of the model do not converge; are its parameters determined by the "
            "data, and its rates positive?"
        )
        raise InputError(msg)
    return fits


def _fit(model: Likelihood, data: Data) -> Fits:
    free = np.flatnonzero(model.free)
    theta = np.tile(model.start, (data.fits, 1))
    alpha = np.zeros((data.fits, data.root.shape[2]))
    value, active = _minus_log(model, data, theta, alpha), np.arange(data.fits)
    information = np.empty((data.fits, free.size + alpha.shape[1], free.size + alpha.shape[1]))
    for _ in range(_MAX_STEPS):
        subset = _rows(data, active)
        gradient, information[active] = _derivatives(model, subset, theta[active], alpha[active], free)
        step = -_solved(information[active], gradient[..., None])[..., 0]
        decrease = -np.einsum("tp,tp->t", gradient, step)
        unconverged = decrease > _CLOSE
        active, step, subset = active[unconverged], step[unconverged], _rows(subset, unconverged)
        if not active.size:
            break
        length = np.ones(active.size)
        moved = _moved(theta[active], alpha[active], step, free)
        new_value = _minus_log(model, subset, *moved)
        for _ in range(_MAX_HALVINGS):
            worse = ~(new_value <= value[active] + 1e-12 * np.abs(value[active]))
            if not worse.any():
                break
            length[worse] /= 2
            trial = _moved(theta[active][worse], alpha[active][worse], step[worse] * length[worse, None], free)
            new_value[worse] = _minus_log(model, _rows(subset, worse), *trial)
            moved[0][worse], moved[1][worse] = trial
        theta[active], alpha[active] = moved
        value[active] = new_value
    converged = np.isin(np.arange(data.fits), active, invert=True)
    value[active] = np.nan
    covariance = np.zeros((data.fits, theta.shape[1], theta.shape[1]))
    inverse = _inverted(information)[:, : free.size, : free.size]
    covariance[np.ix_(np.arange(data.fits), free, free)] = inverse
    return Fits(theta, value, covariance, converged)


def _rows(data: Data, rows: IntArray | BoolArray) -> Data:
    return Data(data.contents[rows], data.measured[rows], data.shift[rows], data.root[rows])


def _moved(theta: FloatArray, alpha: FloatArray, step: FloatArray, free: IntArray) -> tuple[FloatArray, FloatArray]:
    theta = theta.copy()
    theta[:, free] += step[:, : free.size]
    return theta, alpha + step[:, free.size :]


def _template(data: Data, alpha: FloatArray) -> FloatArray:
    return np.asarray(data.shift + np.einsum("tbk,tk->tb", data.root, alpha))


def expected(model: Likelihood, theta: FloatArray, template: FloatArray) -> FloatArray:
    """Return λ, shape (fits, bins), from parameters, shape (fits, parameters), and shifts of the template."""
    rates, factors = model.rates(theta)
    return np.maximum(rates + factors * template, _FLOOR)


def _minus_log(model: Likelihood, data: Data, theta: FloatArray, alpha: FloatArray) -> FloatArray:
    mean = expected(model, theta, _template(data, alpha))
    main = (mean - data.contents * np.log(mean)).sum(axis=1)
    return np.asarray(main + model.constraints.minus_log(theta, data.measured) + (alpha**2).sum(axis=1) / 2)


def _derivatives(
    model: Likelihood, data: Data, theta: FloatArray, alpha: FloatArray, free: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return gradient and expected information of the free parameters and α, in this order."""
    template = _template(data, alpha)
    step = _STEP * np.maximum(1.0, np.abs(theta[:, free]))
    moved = np.tile(theta, (free.size + 1, 1, 1))
    moved[np.arange(free.size) + 1, :, free] += step.T
    rates, factors = (
        part.reshape(free.size + 1, *data.contents.shape) for part in model.rates(moved.reshape(-1, theta.shape[1]))
    )
    means = rates + factors * template
    unfloored, factors = means[0], factors[0]
    mean = np.maximum(unfloored, _FLOOR)
    slopes = np.empty((*mean.shape, free.size + alpha.shape[1]))
    slopes[:, :, : free.size] = ((means[1:] - unfloored) / step.T[:, :, None]).transpose(1, 2, 0)
    slopes[:, :, free.size :] = factors[:, :, None] * data.root
    slopes[unfloored <= _FLOOR] = 0.0
    gradient = np.einsum("tbp,tb->tp", slopes, 1 - data.contents / mean)
    information = np.matmul(slopes.transpose(0, 2, 1), slopes / mean[:, :, None])
    constraints = model.constraints
    first, second = constraints.derivatives(theta, data.measured)
    for column, parameter in enumerate(free):
        mask = constraints.parameter == parameter
        gradient[:, column] += first[:, mask].sum(axis=1)
        information[:, column, column] += second[:, mask].sum(axis=1)
    gradient[:, free.size :] += alpha
    errors = np.arange(free.size, slopes.shape[2])
    information[:, errors, errors] += 1
    return gradient, information


def _solved(matrices: FloatArray, rhs: FloatArray) -> FloatArray:
    try:
        solution = np.asarray(np.linalg.solve(matrices, rhs), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise _undetermined() from None
    return solution


def _inverted(matrices: FloatArray) -> FloatArray:
    try:
        inverse = np.asarray(np.linalg.inv(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise _undetermined() from None
    return inverse


def _undetermined() -> InputError:
    return InputError(
        "the data do not determine all free parameters of the model; hold those on which no bin depends, or give them "
        "a constraint"
    )

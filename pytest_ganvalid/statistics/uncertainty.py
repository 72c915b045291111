"""The systematics that remain: what a generated sample inherits from the events its generator learnt from.

What to use when:

- `bin_uncertainties`: the error bars of one generated histogram, and their covariance, for an analysis.
- `uncertainty_curves`: how uncertainty falls with the number of events, simulated or generated: figure 1 of the paper.

A generator carries the statistical errors of n_sys true events along as a systematic error, which no number of
generated events reduces (arXiv:2002.06307, sections 2 and 2.2). n_sys = min(n_train, lower limit of n_equivalent), or
n_train if nothing was validated; it is `Comparison.n_systematic`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import check_not_negative, check_number
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.sums import as_bin_sums
from pytest_ganvalid.results import Comparison, Interval, Judgement, Report

FloatArray = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)
_MIN_EVENTS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uncertainties:
    """The error bars of a generated histogram, in the unit of its contents.

    All arrays are read-only, of shape (bins,): flow bins included, in the order of ``values(flow=True).ravel()``.

    Attributes:
        contents: Sum of weights of each bin.
        statistical: Statistical error of the generated sample, the root of its sum of squared weights. It is that of a
            sample of Poisson-distributed size; for one of exactly N events it is too large by 1/sqrt(1 - q).
        inherited: Systematic error that n_sys events leave. Where they would hold less than one event on average
            (see ``unresolved``) it is that of one event.
        unresolved: The bins in which n_sys events would be less than one on average, empty and negative ones among
            them. Of these the events say no more than that there is about one event or none.
        n_sys: Number of true events whose relative error bars are kept; may be infinite.
        normalised: Whether the total is known from elsewhere, so that only the shape is uncertain.
        shape: Shape of the histogram before it was flattened.
    """

    contents: FloatArray
    statistical: FloatArray
    inherited: FloatArray
    unresolved: NDArray[np.bool_]
    n_sys: float
    normalised: bool
    shape: tuple[int, ...]

    @property
    def fractions(self) -> FloatArray:
        """Contents over their sum."""
        return np.asarray(self.contents / self.contents.sum())

    @property
    def total(self) -> FloatArray:
        """Both errors in quadrature: they are independent."""
        return np.hypot(self.statistical, self.inherited)

    @property
    def relative_statistical(self) -> FloatArray:
        """Statistical error over content; NaN where the bin is empty."""
        return _relative(self.statistical, self.contents)

    @property
    def relative_inherited(self) -> FloatArray:
        """Inherited error over content; infinite where the bin is empty (NaN if n_sys is infinite)."""
        return _relative(self.inherited, self.contents)

    @property
    def relative_total(self) -> FloatArray:
        """Total error over content; undefined where the bin is empty, as for its parts."""
        return _relative(self.total, self.contents)

    def inherited_covariance(self) -> FloatArray:
        """Return the covariance of the inherited errors, shape (bins, bins), positive semi-definite.

        If ``normalised`` it is that of a multinomial, W² (diag(q) - q qᵀ) / n_sys with W the total: errors of different
        bins are anticorrelated and every row sums to zero, as the total is fixed. Else it is diagonal, W² diag(q) /
        n_sys. The error of one event in an unresolved bin is correlated with nothing, so its row sums to a positive
        number. It is dense: built anew by each call.
        """
        h = np.maximum(self.contents, 0.0)
        covariance = -np.outer(h, h) / self.n_sys if self.normalised else np.zeros((h.size, h.size))
        np.fill_diagonal(covariance, self.inherited**2)
        return covariance

    def total_covariance(self) -> FloatArray:
        """Return the covariance of both errors together, shape (bins, bins); the statistical part is diagonal."""
        covariance = self.inherited_covariance()
        covariance[np.diag_indices_from(covariance)] += self.statistical**2
        return covariance


def bin_uncertainties(generated: object, n_sys: object, *, normalised: bool = True) -> Uncertainties:
    """Compute the error bars with which an analysis may use a generated histogram.

    The inherited error is that of n_sys events distributed as the generated ones: unweighted, whatever the weights of
    the generated sample, since those say nothing about how the generator was trained. Negative contents count as
    empty. n_sys is an average over the bins: a bias in a single bin may be larger (see `Comparison.worst_bins`).
    Entries are taken for independent: several of one event (jets, hits) are not, and have larger errors than stated.

    Args:
        generated: A histogram of any kind that `compare` takes, of any normalisation.
        n_sys: A positive number of true events (1e-6 or more), possibly infinite, or the `Comparison` that has it as
            ``n_systematic``. Its binning need not be that of ``generated``, but n_equivalent speaks of the observable
            that was compared.
        normalised: Whether the total is known from elsewhere (a cross section and a luminosity), so that the inherited
            error of a fraction q is sqrt(q (1 - q) / n_sys); if false the number of events is inherited as well, and it
            is the error bar sqrt(q / n_sys).

    Raises:
        InputError: If the histogram is impossible, or n_sys is out of range.
        InputTypeError: If an argument is of a kind that is not understood.

    Source:
        arXiv:2002.06307, end of section 2.2: "retain the relative/percent error-bars" of so many events.
    """
    sums = as_bin_sums(generated, "generated")
    n_sys = _events("n_sys", n_sys.n_systematic if isinstance(n_sys, Comparison) else n_sys)
    h = np.maximum(sums.sumw, 0.0)
    one_event = h.sum() / n_sys
    unresolved = h < one_event
    others = h.sum() - h if normalised else h.sum()
    variance = np.where(unresolved, one_event**2, h * others / n_sys)
    return Uncertainties(
        contents=_read_only(sums.sumw.copy()),
        statistical=_read_only(np.sqrt(sums.sumw2)),
        inherited=_read_only(np.sqrt(variance)),
        unresolved=_read_only(unresolved),
        n_sys=n_sys,
        normalised=bool(normalised),
        shape=tuple(sums.bins.shape),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UncertaintyCurves:
    """The curves of figure 1 of the paper: relative uncertainties of the content of a bin.

    All arrays are read-only, of the shape of ``n_events``.

    Attributes:
        n_events: Number of events, simulated or generated.
        statistical: Statistical uncertainty of so many events, of either kind (green, dashed).
        simulation_systematic: Systematic uncertainty of the true simulation (red, dotted).
        simulation_total: Its total uncertainty (red, solid).
        generated_systematic: Systematic uncertainty of the generated sample, the same at all N (blue, dotted): the
            star, or that of n_equivalent events where this was measured.
        generated_total: Its total uncertainty (blue, solid).
        generated_least: Likewise with the upper limit of n_equivalent; that of its estimate where none was measured.
        generated_most: Likewise with the lower limit.
        n_star: The number of events at which ``simulation_total`` passes through the star: n_train, or n_equivalent
            where n_train is not known.
        star: The total uncertainty of n_star simulated events, which the generated sample inherits.
        n_equivalent: The interval, if it was measured.
    """

    n_events: FloatArray
    statistical: FloatArray
    simulation_systematic: FloatArray
    simulation_total: FloatArray
    generated_systematic: FloatArray
    generated_total: FloatArray
    generated_least: FloatArray
    generated_most: FloatArray
    n_star: float
    star: float
    n_equivalent: Interval | None = None


def uncertainty_curves(
    n_events: ArrayLike,
    *,
    n_train: float | None = None,
    n_equivalent: float | Interval | Judgement | Report | None = None,
    systematic: float = 0.0,
    probability: float = 1.0,
) -> UncertaintyCurves:
    """Compute how the uncertainties of simulated and of generated events evolve with their number.

    Relative units: a bin of probability p holds N p of N events, so its statistical uncertainty is 1/sqrt(N p).
    Exactly one of n_train and n_equivalent is to be given, or both where n_equivalent was measured.

    Args:
        n_events: Numbers of events N, any shape, finite, 1 or more.
        n_train: Number of events the generator was trained on. By itself the generator is taken to have learnt them
            perfectly (as the paper assumes).
        n_equivalent: Number of true events the generator was found to be worth; may be infinite. Or its interval, which
            gives a band; or the comparison or the report that has it, whose smallest counts (`smallest_equivalent`).
        systematic: Relative systematic uncertainty of the true simulation; the generator inherits it too.
        probability: Probability p of the bin, above 0 and at most 1.

    Raises:
        InputError: If a number is out of range, if not exactly one of n_train and an n_equivalent that is a number is
            given, or if the comparison demonstrates nothing.
        InputTypeError: If an argument is not a number.

    Source:
        arXiv:2002.06307, figure 1 and section 2.
    """
    systematic = float(check_not_negative("systematic", systematic))
    p = float(check_number("probability", probability))
    if not 0 < p <= 1:
        msg = f"probability={probability!r} is out of range; expected a number above 0, at most 1"
        raise InputError(msg)
    n_star, interval = _equivalent_interval(n_train, n_equivalent)
    n = _event_numbers(n_events)
    statistical = np.asarray(1 / (np.sqrt(n) * math.sqrt(p)))
    estimate, smallest, largest = (
        math.hypot(1 / (math.sqrt(number) * math.sqrt(p)), systematic)
        for number in (interval.estimate, interval.upper, interval.lower)
    )
    return UncertaintyCurves(
        n_events=_read_only(n),
        statistical=_read_only(statistical),
        simulation_systematic=_read_only(np.full_like(n, systematic)),
        simulation_total=_read_only(np.hypot(statistical, systematic)),
        generated_systematic=_read_only(np.full_like(n, estimate)),
        generated_total=_read_only(np.hypot(statistical, estimate)),
        generated_least=_read_only(np.hypot(statistical, smallest)),
        generated_most=_read_only(np.hypot(statistical, largest)),
        n_star=n_star,
        star=math.hypot(1 / (math.sqrt(n_star) * math.sqrt(p)), systematic),
        n_equivalent=None if interval.lower == interval.upper else interval,
    )


def smallest_equivalent(result: Judgement | Report) -> tuple[str, Interval]:
    """Return the observable in which a generator is worth least, and n_equivalent there.

    That is the smallest lower limit, at the confidence of a first attempt, in events of the whole sample: what an
    analysis of all observables must keep.

    Raises:
        InputError: If the result demonstrates nothing, as where samples share events.
    """
    comparisons = result.comparisons if isinstance(result, Report) else {result.name: result}
    intervals = {name: _interval(comparison) for name, comparison in comparisons.items()}
    name = min(intervals, key=lambda name: intervals[name].lower)
    if intervals[name].lower < _MIN_EVENTS:
        msg = f"nothing is known of n_equivalent in {name!r}: {' '.join(comparisons[name].reasons)}"
        raise InputError(msg)
    return name, intervals[name]


def _interval(c: Judgement) -> Interval:
    """Return n_equivalent as events of the whole sample."""
    n = c.n_equivalent
    lower = n.lower if c.n_equivalent_nominal is None else min(c.n_equivalent_nominal, n.estimate)
    share = c.share or 1.0  # of a stratum that no event is in
    return Interval(lower=lower / share, estimate=n.estimate / share, upper=n.upper / share)


def _equivalent_interval(
    n_train: float | None, n_equivalent: float | Interval | Judgement | Report | None
) -> tuple[float, Interval]:
    """Return the number of events of the star, and the interval of n_equivalent."""
    if isinstance(n_equivalent, Judgement | Report):
        n_train = _n_train(n_equivalent) if n_train is None else n_train
        n_equivalent = smallest_equivalent(n_equivalent)[1]
    if isinstance(n_equivalent, Interval):
        lower, estimate, upper = (
            _events(f"n_equivalent.{name}", getattr(n_equivalent, name)) for name in ("lower", "estimate", "upper")
        )
        if not lower <= estimate <= upper:
            msg = f"n_equivalent={n_equivalent!r}; expected lower <= estimate <= upper"
            raise InputError(msg)
        interval = replace(n_equivalent, lower=lower, estimate=estimate, upper=upper)
        return (estimate if n_train is None else _events("n_train", n_train)), interval
    n_star = _star_events(n_train, n_equivalent)
    return n_star, Interval(lower=n_star, estimate=n_star, upper=n_star)


def _n_train(result: Judgement | Report) -> float | None:
    comparisons = result.comparisons.values() if isinstance(result, Report) else (result,)
    return next((c.n_train for c in comparisons), None)


def _star_events(n_train: float | None, n_equivalent: float | None) -> float:
    if (n_train is None) == (n_equivalent is None):
        msg = (
            f"n_train={n_train!r} and n_equivalent={n_equivalent!r}; expected exactly one of them: the generator is as "
            "good as its training sample, or as good as was measured (as an interval, n_equivalent may stand beside "
            "n_train)"
        )
        raise InputError(msg)
    return _events("n_train", n_train) if n_equivalent is None else _events("n_equivalent", n_equivalent)


def _events(name: str, value: object) -> float:
    """Return a positive number of events; a poor generator is worth less than one, a perfect one infinitely many."""
    number = float(check_number(name, value))
    if number < _MIN_EVENTS:
        msg = (
            f"{name}={value!r} is out of range; expected a positive number of events ({_MIN_EVENTS:g} or more), or inf"
        )
        raise InputError(msg)
    return number


def _event_numbers(values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        msg = f"n_events has dtype {array.dtype}; expected real numbers"
        raise InputTypeError(msg)
    numbers: FloatArray = array.astype(np.float64)
    invalid = ~(np.isfinite(numbers) & (numbers >= 1))
    if invalid.any():
        msg = f"n_events holds {numbers[invalid].ravel()[0]:g}; expected finite numbers of events, 1 or more"
        raise InputError(msg)
    return numbers


def _relative(errors: FloatArray, contents: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(errors / np.abs(contents))


def _read_only(values: NDArray[Scalar]) -> NDArray[Scalar]:
    array = np.asarray(values)  # numpy makes a scalar of any result without dimensions
    array.flags.writeable = False
    return array

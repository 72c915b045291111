"""Observables that are one number per sample, with its standard error.

What to use when:

- `Mean`, `StandardDeviation`: of a column, with the standard error of its influence function.
- `Quantile`: of a continuous column, with the error of its order statistics.
- `Efficiency`: the share of the events that pass a cut.
- `Estimator`: any other number, such as a fitted parameter, with the error of a bootstrap or a jackknife.

An estimate on weighted events is that of the distribution which the weights describe; n_events is the number of
unweighted events of that distribution that would have the same error. Weights may be negative.

Where a few events carry the error of an estimate, its few degrees of freedom say so, and nothing can be demonstrated.
Means and standard deviations of heavy-tailed columns remain less safe than promised even where more events carry the
error, as a sample without the largest values looks precise: instead of in 0.05 of the cases false ROBUST then comes in
up to about 0.1, false BIASED in up to 0.3 (benchmarks/estimates.md). A quantile, an efficiency and a histogram do not
depend on single events.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_ganvalid._arguments import check_fraction, check_positive_integer
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.observables.observable import column as read_column
from pytest_ganvalid.observables.observable import computed, name_of, truths
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.samples.digests import numeric_columns, row_digests

__all__ = ["Efficiency", "Estimator", "Mean", "Quantile", "StandardDeviation"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Function = Callable[[Sample], Any]
_ERRORS = ("bootstrap", "jackknife")
_ORDINARY = 1e30  # up to here, and down to its inverse, fourth powers neither overflow nor vanish
_GAP = 3  # the steps between the values around a quantile are this much more uneven than chance makes them
_FEW = 5  # effective events: with fewer there are less than the ten degrees of freedom that a verdict takes
_CHANCE = 1e-6  # that an event which carries nothing is taken to carry some of a bootstrap's error


class _OfEvents(ABC):
    """What the statistics of one value per event share."""

    __slots__ = ()
    name: str

    def estimate(self, sample: Sample, side: str, seed: int = 0) -> Estimate:  # noqa: ARG002 - all are asked alike
        """Estimate the number and its standard error.

        Args:
            sample: The events.
            side: ``"generated"`` or ``"reference"``, for error messages.
            seed: Not used: nothing is random.

        Raises:
            InputError: If values are missing, NaN or infinite, or the events do not determine the number or its error.
            InputTypeError: If the values are not numbers (truth values for an efficiency).
        """
        what = f"{side}: {self.name}"
        with _noted(what):
            values = self._values(sample, side)
        weight = np.ones(len(sample)) if sample.weight is None else sample.weight / _power_of_two(sample.weight)
        unit = _power_of_two(values)
        try:
            _check_weight(weight)
            found = self._measure(values / unit, weight)
            return Estimate(found.value * unit, found.error * unit, found.n_events, found.dof)
        except GanvalidError as error:
            msg = f"{what}: {error}"
            raise type(error)(msg) from None

    @abstractmethod
    def _values(self, sample: Sample, side: str) -> FloatArray:
        """Return one value per event."""

    @abstractmethod
    def _measure(self, values: FloatArray, weight: FloatArray) -> Estimate:
        """Estimate the number from values and weights of ordinary size."""


class _OfColumn(_OfEvents):
    """What the statistics of a column share."""

    __slots__ = ()
    column: str | Function

    def _values(self, sample: Sample, side: str) -> FloatArray:
        what = f"{side}: {self.name}"
        if isinstance(self.column, str):
            values = read_column(sample, self.column, side)
        else:
            values = computed(self.column, sample, what)
        if isinstance(values, Entries):
            msg = f"{what} has several numbers per event; reduce them to one per event, such as the largest or the sum"
            raise InputError(msg)
        nans, infinities = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        if nans or infinities:
            msg = (
                f"{what}: {nans:,} NaN and {infinities:,} infinite values among {values.size:,} events, which have no "
                "place in a single number; mend the sample, or compare the histogram, which can give them a bin"
            )
            raise InputError(msg)
        return values


@dataclass(frozen=True, slots=True)
class Mean(_OfColumn):
    """The mean of a column.

    Of a heavy-tailed column it is unsafe: where less than ten events carry its error it is refused as evidence, but
    where the rarest events carry much of it, wrong verdicts come more often than promised (benchmarks/estimates.md).

    Attributes:
        column: The name of a column, or a function of the sample that returns one number per event.
        name: Its name in the report; ``mean(column)`` by default.
    """

    column: str | Function
    name: str = ""

    def __post_init__(self) -> None:
        """Name it."""
        object.__setattr__(self, "name", _checked(self.name) or f"mean({name_of(self.column)})")

    def _measure(self, values: FloatArray, weight: FloatArray) -> Estimate:
        mean = _average(values, weight)
        return _by_influence(mean, math.sqrt(_bessel(weight)) * (values - mean), weight)


@dataclass(frozen=True, slots=True)
class StandardDeviation(_OfColumn):
    """The standard deviation of a column, such as a resolution; of heavy tails as unsafe as the `Mean`.

    Attributes:
        column: The name of a column, or a function of the sample that returns one number per event.
        name: Its name in the report; ``std(column)`` by default.
    """

    column: str | Function
    name: str = ""

    def __post_init__(self) -> None:
        """Name it."""
        object.__setattr__(self, "name", _checked(self.name) or f"std({name_of(self.column)})")

    def _measure(self, values: FloatArray, weight: FloatArray) -> Estimate:
        squares = (values - _average(values, weight)) ** 2
        variance = _average(squares, weight)
        if not variance > 0:
            msg = (
                f"the variance is {variance:g}, so there is no standard deviation (all values equal, or weights cancel)"
            )
            raise InputError(msg)
        # The unbiased variance, or samples of different sizes would differ without a reason.
        sigma = math.sqrt(_bessel(weight) * variance)
        return _by_influence(sigma, sigma * (squares / variance - 1) / 2, weight)


@dataclass(frozen=True, slots=True)
class Quantile(_OfColumn):
    """A quantile of a continuous column, such as its median.

    Its standard error is half the distance between the order statistics at the probability ± its standard error. In a
    gap between the values it is not known, and has next to no degrees of freedom.

    Attributes:
        column: The name of a column, or a function of the sample that returns one number per event.
        probability: Share of the events below the quantile, between 0 and 1.
        name: Its name in the report; ``quantile(column, probability)`` by default.
    """

    column: str | Function
    probability: float
    name: str = ""

    def __post_init__(self) -> None:
        """Check the probability, and name it."""
        probability = float(check_fraction("probability", self.probability))
        object.__setattr__(self, "probability", probability)
        object.__setattr__(self, "name", _checked(self.name) or f"quantile({name_of(self.column)}, {probability:g})")

    def _measure(self, values: FloatArray, weight: FloatArray) -> Estimate:
        order = np.argsort(values, kind="stable")
        ranked = _Ranked(values[order], weight[order])
        quantile = ranked.at(self.probability)
        below = _proportion((values <= quantile).astype(np.float64), weight)
        low, high = self.probability - below.error, self.probability + below.error
        if low <= 0 or high >= 1:
            msg = (
                f"too few events for a quantile at {self.probability:g} ± {below.error:.2g}; expected a probability "
                "more than a standard error away from 0 and 1"
            )
            raise InputError(msg)
        return ranked.between(low, high, quantile, below.n_events)


@dataclass(frozen=True, slots=True)
class Efficiency(_OfEvents):
    """The share of events that pass a cut.

    Attributes:
        condition: A function of the sample that returns booleans of shape (events,), or the name of a column of
            booleans.
        name: Its name in the report; ``efficiency(condition)`` by default.
    """

    condition: str | Function
    name: str = ""

    def __post_init__(self) -> None:
        """Name it."""
        object.__setattr__(self, "name", _checked(self.name) or f"efficiency({name_of(self.condition)})")

    def _values(self, sample: Sample, side: str) -> FloatArray:
        return truths(self.condition, sample, f"{side}: {self.name}").astype(np.float64)

    def _measure(self, values: FloatArray, weight: FloatArray) -> Estimate:
        return _proportion(values, weight)


@dataclass(frozen=True, slots=True)
class Estimator:
    """Any number that a function makes of a sample, such as a fitted parameter, with an error from resampling.

    Sources: Efron (1979), doi:10.1214/aos/1176344552, for the bootstrap; Tukey's jackknife, deleting a group at a time,
    as in Shao and Tu (1995), for smooth functions only (no quantiles). Events must be independent. Of a weighted
    sample, events drawn by their weights are resampled too, with weights of 1, to find what the error of unweighted
    events would be; if weights are negative that is impossible, and (Σw)²/Σw² events are taken to have the same error,
    which holds where weights are independent of what is fitted.

    Attributes:
        name: Its name in the report.
        function: Takes a `Sample` (indexed by column name, ``.weight`` may be ``None``) and returns a number.
        errors: ``"bootstrap"`` (events drawn with replacement) or ``"jackknife"`` (one of ``groups`` left out, which
            are drawn by lot). Neither depends on the order of the events, if columns of numbers tell them apart.
        replicas: Number of samples of the bootstrap; to demonstrate anything takes more than 10.
        groups: Number of groups of the jackknife; to demonstrate anything takes more than 10.
    """

    name: str
    function: Function
    errors: str = "bootstrap"
    replicas: int = 400
    groups: int = 50

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            InputError: If ``errors`` is unknown or a number is too small.
            InputTypeError: If there is nothing to call, or the name is no text.
        """
        _checked(self.name)
        if not callable(self.function):
            msg = (
                f"the function of {self.name!r} is a {type(self.function).__name__}; expected a function of the sample"
            )
            raise InputTypeError(msg)
        if self.errors not in _ERRORS:
            msg = f"errors={self.errors!r} is unknown; expected one of {_ERRORS}"
            raise InputError(msg)
        # With fewer than four degrees of freedom an error is hardly known at all.
        check_positive_integer("replicas", self.replicas, least=5)
        check_positive_integer("groups", self.groups, least=5)

    def estimate(self, sample: Sample, side: str, seed: int = 0) -> Estimate:
        """Estimate the number and its standard error.

        Args:
            sample: The events.
            side: ``"generated"`` or ``"reference"``, for error messages; it enters the seed too.
            seed: Of the resampling; the same one gives the same error.

        Raises:
            InputError: If the result is NaN or infinite, the function fails in a replica, or all replicas agree.
            InputTypeError: If the result is not a number.
        """
        what = f"{side}: {self.name}"
        with _noted(what):
            value = self._number(sample, what)
        rng = np.random.default_rng([seed, *what.encode()])
        sample = _in_order(sample)
        if sample.weight is None:
            error, dof = self._error(sample, what, rng)
            return Estimate(value, error, len(sample), dof)
        weight = sample.weight / _power_of_two(sample.weight)
        _check_weight(weight, f"{what}: ")
        error, dof = self._error(sample, what, rng)
        n_events = _effective(weight)
        if 0 <= weight.min() < weight.max():
            plain = _drawn_by_weight(sample, weight, round(n_events), rng)
            n_events = len(plain) * (self._error(plain, what, rng)[0] / error) ** 2
        return Estimate(value, error, max(n_events, 1.0), dof)

    def _error(self, sample: Sample, what: str, rng: np.random.Generator) -> tuple[float, float]:
        """Return the standard error of the number, and its degrees of freedom."""
        if self.errors == "bootstrap":
            draws = _Draws(len(sample), self.replicas, int(rng.integers(2**63)))
            results = self._replicate(map(sample.select, draws), what)
        else:
            results = self._replicate(_jackknife(sample, self.groups, what, rng), what)
        if results.min() == results.max():  # rounding may leave a little variance
            msg = f"{what}: all {results.size} {self.errors} results are {results[0]:g}, so its error is not known"
            raise InputError(msg)
        unit = _power_of_two(results)
        results = results / unit
        if self.errors == "bootstrap":
            return unit * float(results.std(ddof=1)), _bootstrap_dof(results, draws)
        return unit * float(results.std()) * math.sqrt(self.groups - 1), _jackknife_dof(results)

    def _number(self, sample: Sample, what: str) -> float:
        result = self.function(sample)
        try:
            number = float(result)
        except (TypeError, ValueError):
            msg = f"{what}: the function returned a {type(result).__name__}; expected one number"
            raise InputTypeError(msg) from None
        if not math.isfinite(number):
            msg = f"{what}: the function returned {number}; expected a finite number"
            raise InputError(msg)
        return number

    def _replicate(self, samples: Iterable[Sample], what: str) -> FloatArray:
        """Apply the function to every sample; count failures, as a mean over the others would be biased."""
        results, failures = [], []
        for sample in samples:
            try:
                results.append(self._number(sample, what))
            except Exception as error:  # noqa: BLE001 - the user's function may fail in any way; it is reported
                failures.append(error)
        if failures:
            msg = (
                f"{what}: the function failed in {len(failures)} of {len(failures) + len(results)} {self.errors} "
                f"samples, first by {type(failures[0]).__name__}: {failures[0]}; make the fit converge (better start "
                "values?), or choose the other kind of errors"
            )
            raise InputError(msg)
        return np.array(results)


@dataclass(frozen=True, slots=True)
class _Draws:
    """The rows of every sample of a bootstrap, the same ones however often they are asked for.

    Attributes:
        events: Number of events to draw, and to draw from.
        replicas: Number of samples.
        seed: Of the draws.
    """

    events: int
    replicas: int
    seed: int

    def __iter__(self) -> Iterator[IntArray]:
        """Draw the samples one after the other."""
        rng = np.random.default_rng(self.seed)
        for _ in range(self.replicas):
            yield rng.integers(0, self.events, self.events)


def _bootstrap_dof(results: FloatArray, draws: _Draws) -> float:
    """Return the degrees of freedom of a bootstrap's variance: less than replicas - 1 if a few events carry it.

    The squared correlation of the results with how often an event was drawn is the share of the variance that it
    carries; only shares beyond chance count.
    """
    pulls = (results - results.mean()) / (results.std() * math.sqrt(results.size))
    sums, squares, covariance = (np.zeros(draws.events) for _ in range(3))
    for pull, rows in zip(pulls, draws, strict=True):
        times = np.bincount(rows, minlength=draws.events)
        sums += times
        squares += times**2
        covariance += pull * times
    scatter = squares - sums**2 / results.size
    shares = np.divide(covariance**2, scatter, out=np.zeros(draws.events), where=scatter > 0)
    chance = special.stdtrit(results.size - 2, _CHANCE / 2 / draws.events) ** 2
    carried = float((shares[shares > chance / (chance + results.size - 2)] ** 2).sum())
    return min(results.size - 1, max(2 / carried, 1.0)) if carried > 0 else results.size - 1


def _jackknife_dof(results: FloatArray) -> float:
    """Return the degrees of freedom of a jackknife's variance: less than groups - 1 if a few groups carry it."""
    squares = (results - results.mean()) ** 2
    kurtosis = results.size * float((squares**2).sum() / squares.sum() ** 2)
    # Normal results exceed these in one of 10,000 cases at most; the kurtosis cannot exceed their number.
    if kurtosis <= min(11, 0.8 * results.size):
        return results.size - 1
    return min(results.size - 1, max(2 * results.size / (kurtosis - 1), 1.0))


def _in_order(sample: Sample) -> Sample:
    """Put the events into an order of their own, so that nothing drawn depends on the one they came in."""
    if not numeric_columns(sample):
        return sample
    keys = [row_digests(sample)] if sample.weight is None else [sample.weight, row_digests(sample)]
    return sample.select(np.lexsort(keys))


def _drawn_by_weight(sample: Sample, weight: FloatArray, events: int, rng: np.random.Generator) -> Sample:
    """Draw events by their weights, which then are 1."""
    drawn = sample.select(rng.choice(len(sample), events, p=weight / weight.sum()))
    return Sample(drawn.columns, np.ones(events), drawn.provenance)


def _jackknife(sample: Sample, groups: int, what: str, rng: np.random.Generator) -> Iterator[Sample]:
    if len(sample) < 2 * groups:
        msg = f"{what}: {len(sample)} events do not make {groups} groups of two or more; choose fewer groups"
        raise InputError(msg)
    # By lot: every groups-th event would be alike where data repeat themselves, and next ones where they are sorted.
    group = rng.permutation(len(sample)) % groups
    for left_out in range(groups):
        yield sample.select(group != left_out)


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Events in the order of their values.

    Attributes:
        values: Increasing, shape (events,).
        weight: Likewise.
    """

    values: FloatArray
    weight: FloatArray

    def at(self, probability: float) -> float:
        """Return a quantile, half of each event's weight counting as below it.

        Negative weights make the cumulated weight cross a level more than once: first and last crossing are averaged.
        """
        below = (np.cumsum(self.weight) - self.weight / 2) / self.weight.sum()
        rising = (np.maximum.accumulate(below), np.minimum.accumulate(below[::-1])[::-1])
        return float(np.mean([np.interp(probability, curve, self.values) for curve in rising]))

    def between(self, low: float, high: float, value: float, n_events: float | None) -> Estimate:
        """Estimate ``value`` with the error that the quantiles at its standard errors have.

        The distance of two order statistics with k events between them has a relative variance of 1 / k, the squares
        of the k + 1 steps on the way add up to 2 / k of its own. Where they exceed that by far there is a gap.
        """
        least, most = self.at(low), self.at(high)
        inside = slice(*np.searchsorted(self.values, [least, most]))
        values, weight = self.values[inside], self.weight[inside]
        if np.unique(values).size <= values.size / 2 or least >= most:
            msg = (
                f"the values are discrete at {value:g}: {values.size} of them around it take {np.unique(values).size} "
                "different values, so the quantile has no meaningful error; compare an efficiency, such as that of a "
                "cut at this value, or the histogram"
            )
            raise InputError(msg)
        count = float(np.abs(weight).sum() ** 2 / (weight**2).sum())
        steps = np.diff(values, prepend=least, append=most)
        even = 2 * (most - least) ** 2 / float((steps**2).sum())
        carrying = even if even < count / _GAP else count
        return Estimate(value, (most - least) / 2, n_events, max(carrying / 2, 1.0))


def _proportion(passed: FloatArray, weight: FloatArray) -> Estimate:
    """Estimate a share of events, with the variance at (k + 1) / (n + 2).

    At k / n it would vanish where none or all pass: such a sample would seem to know the share exactly.

    Args:
        passed: 0 or 1, shape (events,).
        weight: Of each event; the sum is positive.
    """
    n_effective = _effective(weight)
    events, mean_weight = n_effective + 2, weight.sum() / n_effective
    more_passed, more_weight = np.append(passed, [0.0, 1.0]), np.append(weight, [mean_weight, mean_weight])
    shrunk = min(max(_average(more_passed, more_weight), 1 / events), 1 - 1 / events)
    found = _by_influence(shrunk, more_passed - shrunk, more_weight)
    # Two events that do not exist have made the error stable; they must not make it smaller.
    more = events / n_effective
    n_events = max((found.n_events or events) / more, 1.0)
    return Estimate(_average(passed, weight), found.error * math.sqrt(more), n_events, found.dof)


def _by_influence(value: float, influence: FloatArray, weight: FloatArray) -> Estimate:
    """Return an estimate with the standard error of its influence function.

    Args:
        value: The estimate.
        influence: What each event contributes, its average zero, shape (events,).
        weight: Of each event; the sum is positive.

    Raises:
        InputError: If all contributions are zero.
    """
    parts = (weight * influence / weight.sum()) ** 2
    variance = float(parts.sum())
    if influence.min() == influence.max() or not variance > 0:  # rounding may leave a little of equal values
        msg = "all events have the same value, so its error is not known and nothing can be demonstrated"
        raise InputError(msg)
    unit_variance = _average(influence**2, weight)
    n_events = unit_variance / variance if unit_variance > 0 else _effective(weight)
    spread = float((parts**2).sum()) / variance**2 - 1 / parts.size  # relative variance of the variance
    dof = 2 / spread if spread > 0 else math.inf
    # An event with nearly all of the weight makes the estimate, and then it is chance what it seems to contribute.
    n_effective = _effective(weight)
    if n_effective < _FEW:
        n_events = max(min(n_events, n_effective), 1.0)
    return Estimate(value, math.sqrt(variance), n_events, max(min(dof, 2 * n_effective), 1.0))


def _average(values: FloatArray, weight: FloatArray) -> float:
    return float((weight * values).sum() / weight.sum())


def _effective(weight: FloatArray) -> float:
    """Return (Σw)²/Σw², the unweighted events whose sum has the same relative error."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def _bessel(weight: FloatArray) -> float:
    """Return n / (n - 1), which makes a variance unbiased; without weights exactly."""
    n_effective = _effective(weight)
    if n_effective <= 1:
        msg = f"{n_effective:.3g} effective events do not determine an error; expected at least two"
        raise InputError(msg)
    return n_effective / (n_effective - 1)


def _power_of_two(values: FloatArray) -> float:
    """Return a unit, exact to divide by, in which extraordinary numbers are of the order of one; 1 for others."""
    largest = float(np.abs(values).max())
    if largest == 0 or 1 / _ORDINARY <= largest <= _ORDINARY:
        return 1.0
    return math.ldexp(1.0, math.frexp(largest)[1] - 1)


@contextmanager
def _noted(what: str) -> Iterator[None]:
    """Add to an error of a user's function which number it is of."""
    try:
        yield
    except GanvalidError:
        raise
    except Exception as error:
        error.add_note(f"{what}: raised by the function of this observable")
        raise


def _checked(name: object) -> str:
    if not isinstance(name, str):
        msg = f"the name {name!r} of an observable is a {type(name).__name__}; expected a str"
        raise InputTypeError(msg)
    return name


def _check_weight(weight: FloatArray, what: str = "") -> None:
    total = float(weight.sum())
    if not total > 0:
        msg = f"{what}the weights add up to {total:g}; expected a positive sum"
        raise InputError(msg)

"""Observables that are one number per sample, with its standard error.

What to use when:

- `Mean`, `StandardDeviation`: of a column, with the standard error of its influence function.
- `Quantile`: of a continuous column, with the error of its order statistics.
- `Efficiency`: the share of the events that pass a cut.
- `Template`: the yield of a component by a template fit, and its efficiency (tag and probe).
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ganvalid._arguments import check_choice, check_fraction, check_integer
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, suggestion
from pytest_ganvalid.histograms.counts import numeric
from pytest_ganvalid.observables.observable import column as read_column
from pytest_ganvalid.observables.observable import computed, name_of, truths
from pytest_ganvalid.observables.resampling import (
    Draws,
    bootstrap_dof,
    bootstrap_samples,
    cluster_numbers,
    in_order,
    jackknife_dof,
    jackknife_samples,
    unweighted_sample,
)
from pytest_ganvalid.observables.standard_errors import (
    Ranked,
    average,
    bessel,
    by_influence,
    effective,
    power_of_two,
    proportion,
)
from pytest_ganvalid.results import Estimate
from pytest_ganvalid.samples import Entries, Sample
from pytest_ganvalid.statistics.template_fit import fitted_yields

__all__ = ["Efficiency", "Estimator", "Mean", "Quantile", "StandardDeviation", "Template"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Function = Callable[[Sample], Any]
_ERRORS = ("bootstrap", "jackknife")
_MIN_EDGES = 2


class _OfEvents(ABC):
    """Base of the statistics of one value per event."""

    __slots__ = ()
    name: str

    def estimate(self, sample: Sample, side: str, seed: int = 0) -> Estimate:  # noqa: ARG002 - one signature for all
        """Estimate the number and its standard error.

        Args:
            sample: The events.
            side: ``"generated"`` or ``"reference"``, for error messages.
            seed: Not used: nothing is random.

        Raises:
            InputError: If values are missing, NaN or infinite, or the events do not determine the number or its error.
            InputTypeError: If the values are not numbers (truth values for an efficiency).
        """
        subject = f"{side}: {self.name}"
        with _error_note(subject):
            values = self._values(sample, side)
        weight = np.ones(len(sample)) if sample.weight is None else sample.weight / power_of_two(sample.weight)
        unit = power_of_two(values)
        try:
            _check_weight(weight)
            scaled = self._measure(values / unit, weight, cluster_numbers(sample))
            return Estimate(scaled.value * unit, scaled.error * unit, scaled.n_events, scaled.dof)
        except GanvalidError as error:
            msg = f"{subject}: {error}"
            raise type(error)(msg) from None

    @abstractmethod
    def _values(self, sample: Sample, side: str) -> FloatArray:
        """Return one value per event."""

    @abstractmethod
    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        """Estimate the number from values and weights of ordinary size."""


class _OfColumn(_OfEvents):
    """Base of the statistics of a column."""

    __slots__ = ()
    column: str | Function

    def _values(self, sample: Sample, side: str) -> FloatArray:
        subject = f"{side}: {self.name}"
        if isinstance(self.column, str):
            values = read_column(sample, self.column, side)
        else:
            values = computed(self.column, sample, subject)
        if isinstance(values, Entries):
            msg = (
                f"{subject} has several numbers per event; reduce them to one per event, such as the largest or the sum"
            )
            raise InputError(msg)
        nans, infinities = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        if nans or infinities:
            msg = (
                f"{subject}: {nans:,} NaN and {infinities:,} infinite values among {values.size:,} events, which have "
                "no place in a single number; mend the sample, or compare the histogram, which can give them a bin"
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
        object.__setattr__(self, "name", _checked_name(self.name) or f"mean({name_of(self.column)})")

    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        mean = average(values, weight)
        return by_influence(mean, math.sqrt(bessel(weight)) * (values - mean), weight, cluster)


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
        object.__setattr__(self, "name", _checked_name(self.name) or f"std({name_of(self.column)})")

    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        squares = (values - average(values, weight)) ** 2
        variance = average(squares, weight)
        if not variance > 0:
            msg = (
                f"the variance is {variance:g}, so there is no standard deviation (all values equal, or weights cancel)"
            )
            raise InputError(msg)
        # The unbiased variance, or samples of different sizes would differ without a reason.
        sigma = math.sqrt(bessel(weight) * variance)
        return by_influence(sigma, sigma * (squares / variance - 1) / 2, weight, cluster)


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
        object.__setattr__(
            self, "name", _checked_name(self.name) or f"quantile({name_of(self.column)}, {probability:g})"
        )

    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        order = np.argsort(values, kind="stable")
        ranked = Ranked(values[order], weight[order])
        quantile = ranked.at(self.probability)
        below = proportion((values <= quantile).astype(np.float64), weight, cluster)
        low, high = self.probability - below.error, self.probability + below.error
        if low <= 0 or high >= 1:
            msg = (
                f"too few events for a quantile at {self.probability:g} ± {below.error:.2g}; expected a probability "
                "more than a standard error away from 0 and 1"
            )
            raise InputError(msg)
        dof = math.inf if cluster is None else below.dof
        return ranked.between(low, high, quantile, below.n_events, dof)


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
        object.__setattr__(self, "name", _checked_name(self.name) or f"efficiency({name_of(self.condition)})")

    def _values(self, sample: Sample, side: str) -> FloatArray:
        return truths(self.condition, sample, f"{side}: {self.name}").astype(np.float64)

    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        return proportion(values, weight, cluster)


@dataclass(frozen=True, slots=True)
class Template(_OfColumn):
    """The yield of a component in a column's histogram, or its efficiency, by a fit of templates.

    The yields y of all components maximise the extended likelihood of the binned events, Σ n_i log(Σ_k y_k T_ki) -
    Σ_k y_k, with templates T of sum 1 (R. Barlow, Nucl. Instrum. Meth. A 297 (1990) 496); they are given per event of
    the sample, those outside the edges included, so that no rate is hidden. The standard error is that of the influence
    function: for an event in bin i it is I⁻¹T_i/λ_i - y, and -y for one outside, with λ = Σ_k y_k T_k and I = Σ_i T_i
    T_iᵀ n_i/λ_i². The templates are the same for both samples and taken to be exact.

    Attributes:
        column: The name of a column, or a function of the sample that returns one number per event.
        edges: Increasing; bins are [edge, next edge), and events beyond them are counted, and not fitted.
        templates: Component -> contents of the bins, of any normalisation.
        component: The component whose yield is measured; the first by default.
        condition: A function of the sample that returns booleans of shape (events,), or the name of a column of
            booleans: passing and failing events are fitted by themselves, and the number is the efficiency of the
            component, y_pass / (y_pass + y_fail). ``None`` for the yield.
        name: Its name in the report; ``yield(component in column)`` or ``efficiency(...)`` by default.
    """

    column: str | Function
    edges: ArrayLike
    templates: Mapping[str, ArrayLike]
    component: str = ""
    condition: str | Function | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """Check the templates, and name it.

        Raises:
            InputError: If the edges do not increase, or a template cannot be fitted in these bins.
            InputTypeError: If the edges or a template are not numbers.
        """
        edges = numeric(self.edges, "edges")
        if edges.ndim != 1 or edges.size < _MIN_EDGES or not np.all(np.diff(edges) > 0):
            msg = f"edges={self.edges!r}; expected increasing numbers, one more than bins"
            raise InputError(msg)
        templates: object = self.templates
        if not isinstance(templates, Mapping) or not templates:
            msg = f"templates={self.templates!r}; expected a mapping of component -> contents of the bins"
            raise InputTypeError(msg)
        shapes = {
            name: _normalised_template(name, contents, edges.size - 1) for name, contents in self.templates.items()
        }
        if np.linalg.matrix_rank(np.array([*shapes.values()])) < len(shapes):
            msg = f"the templates {[*shapes]} cannot be told apart: one is a sum of multiples of the others"
            raise InputError(msg)
        component = self.component or next(iter(shapes))
        if component not in shapes:
            msg = f"component={component!r}{suggestion(component, shapes)} has no template; there are {[*shapes]}"
            raise InputError(msg)
        quantity = "yield" if self.condition is None else "efficiency"
        object.__setattr__(self, "edges", tuple(edges.tolist()))
        object.__setattr__(self, "templates", shapes)
        object.__setattr__(self, "component", component)
        object.__setattr__(
            self, "name", _checked_name(self.name) or f"{quantity}({component} in {name_of(self.column)})"
        )

    def _values(self, sample: Sample, side: str) -> FloatArray:
        """Return the bin of each event, from 0; those beyond the edges come last, failing ones after passing ones."""
        values = super(Template, self)._values(sample, side)  # zero arguments do not know a class with slots
        bins, edges = np.size(self.edges) - 1, np.asarray(self.edges)
        bin_ = np.searchsorted(edges, values, side="right") - 1
        bin_[(bin_ < 0) | (bin_ >= bins)] = bins
        if self.condition is not None:
            bin_ += np.where(truths(self.condition, sample, f"{side}: {self.name}"), 0, bins + 1)
        return bin_.astype(np.float64)

    def _measure(self, values: FloatArray, weight: FloatArray, cluster: IntArray | None) -> Estimate:
        size = np.size(self.edges)
        cells = values.astype(np.intp)
        contents = np.bincount(cells, weight, minlength=size * (1 if self.condition is None else 2)) / weight.sum()
        yields, influences = zip(*(self._fitted(part) for part in contents.reshape(-1, size)), strict=True)
        if self.condition is None:
            return by_influence(yields[0], influences[0][cells] - yields[0], weight, cluster)
        total = yields[0] + yields[1]
        if not total > 0:
            msg = f"the fitted yield of {self.component!r} is {total:g}; it takes a positive one for an efficiency"
            raise InputError(msg)
        efficiency = yields[0] / total
        slope = np.concatenate([(1 - efficiency) * influences[0], -efficiency * influences[1]]) / total
        return by_influence(efficiency, slope[cells], weight, cluster)

    def _fitted(self, contents: FloatArray) -> tuple[float, FloatArray]:
        """Fit the yields, and return that of the component and its I⁻¹T_i/λ_i for each bin, 0 outside.

        Args:
            contents: Contents of the bins, and of the events beyond them, as fractions of all.
        """
        templates, inside = np.array([*self.templates.values()]), contents[:-1]
        index = [*self.templates].index(self.component)
        yields = fitted_yields(templates, inside)
        rates = yields @ templates
        slopes = np.divide(templates, rates, out=np.zeros_like(templates), where=rates > 0)
        information = (slopes * inside) @ slopes.T
        return float(yields[index]), np.append(np.linalg.solve(information, slopes)[index], 0.0)


@dataclass(frozen=True, slots=True)
class Estimator:
    """Any number that a function computes from a sample, such as a fitted parameter, with an error from resampling.

    Sources: Efron (1979), doi:10.1214/aos/1176344552, for the bootstrap; Tukey's jackknife, deleting a group at a time,
    as in Shao and Tu (1995), for smooth functions only (no quantiles). Events must be independent, or their clusters
    declared, which are resampled then. Of a weighted sample, events drawn by their weights are resampled too, with
    weights of 1, to find the error of unweighted events; if weights are negative that is impossible, and (Σw)²/Σw²
    events are taken to have the same error, which holds where weights are independent of the fitted quantity.

    Attributes:
        name: Its name in the report.
        function: Takes a `Sample` (indexed by column name, ``.weight`` may be ``None``) and returns a number.
        errors: ``"bootstrap"`` (events drawn with replacement) or ``"jackknife"`` (one of ``groups`` random groups left
            out). Neither depends on the order of the events, if columns of numbers tell them apart.
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
        _checked_name(self.name)
        if not callable(self.function):
            msg = (
                f"the function of {self.name!r} is a {type(self.function).__name__}; expected a function of the sample"
            )
            raise InputTypeError(msg)
        check_choice("errors", self.errors, _ERRORS)
        # With fewer than four degrees of freedom an error is hardly known at all.
        check_integer("replicas", self.replicas, minimum=5)
        check_integer("groups", self.groups, minimum=5)

    def estimate(self, sample: Sample, side: str, seed: int = 0) -> Estimate:
        """Estimate the number and its standard error.

        Args:
            sample: The events.
            side: ``"generated"`` or ``"reference"``, for error messages; it enters the seed too.
            seed: Seed of the resampling; the same one gives the same error.

        Raises:
            InputError: If the result is NaN or infinite, the function fails in a replica, or all replicas agree.
            InputTypeError: If the result is not a number.
        """
        subject = f"{side}: {self.name}"
        with _error_note(subject):
            value = self._number(sample, subject)
        rng = np.random.default_rng([seed, *subject.encode()])
        sample = in_order(sample)
        if sample.weight is None:
            error, dof = self._error(sample, subject, rng)
            n_events: float = len(sample)
            if sample.cluster is not None:
                n_events *= (self._error(replace(sample, cluster=None), subject, rng)[0] / error) ** 2
            return Estimate(value, error, max(n_events, 1.0), dof)
        weight = sample.weight / power_of_two(sample.weight)
        _check_weight(weight, f"{subject}: ")
        error, dof = self._error(sample, subject, rng)
        n_events = effective(weight)
        if 0 <= weight.min() < weight.max():
            unweighted = unweighted_sample(sample, weight, round(n_events), rng)
            n_events = len(unweighted) * (self._error(unweighted, subject, rng)[0] / error) ** 2
        elif sample.cluster is not None:
            n_events *= (self._error(replace(sample, cluster=None), subject, rng)[0] / error) ** 2
        return Estimate(value, error, max(n_events, 1.0), dof)

    def value(self, sample: Sample, side: str) -> float:
        """Return the number alone."""
        return self._number(sample, f"{side}: {self.name}")

    def _error(self, sample: Sample, subject: str, rng: np.random.Generator) -> tuple[float, float]:
        """Return the standard error of the number, and its degrees of freedom."""
        if self.errors == "bootstrap":
            cluster = cluster_numbers(sample)
            size = len(sample) if cluster is None else int(cluster.max()) + 1
            draws = Draws(size, self.replicas, int(rng.integers(2**63)))
            results = self._replicate(bootstrap_samples(sample, cluster, draws), subject)
        else:
            results = self._replicate(jackknife_samples(sample, self.groups, subject, rng), subject)
        if results.min() == results.max():  # rounding may leave a little variance
            msg = f"{subject}: all {results.size} {self.errors} results are {results[0]:g}, so its error is not known"
            raise InputError(msg)
        unit = power_of_two(results)
        results = results / unit
        if self.errors == "bootstrap":
            return unit * float(results.std(ddof=1)), bootstrap_dof(results, draws)
        return unit * float(results.std()) * math.sqrt(self.groups - 1), jackknife_dof(results)

    def _number(self, sample: Sample, subject: str) -> float:
        result = self.function(sample)
        try:
            number = float(result)
        except (TypeError, ValueError):
            msg = f"{subject}: the function returned a {type(result).__name__}; expected one number"
            raise InputTypeError(msg) from None
        if not math.isfinite(number):
            msg = f"{subject}: the function returned {number}; expected a finite number"
            raise InputError(msg)
        return number

    def _replicate(self, samples: Iterable[Sample], subject: str) -> FloatArray:
        """Apply the function to every sample; count failures, as a mean over the others would be biased."""
        results, failures = [], []
        for sample in samples:
            try:
                results.append(self._number(sample, subject))
            except Exception as error:  # noqa: BLE001 - the user's function may fail in any way; it is reported
                failures.append(error)
        if failures:
            msg = (
                f"{subject}: the function failed in {len(failures)} of {len(failures) + len(results)} {self.errors} "
                f"samples, first by {type(failures[0]).__name__}: {failures[0]}; make the fit converge (better start "
                "values?), or choose the other kind of errors"
            )
            raise InputError(msg)
        return np.array(results)


@contextmanager
def _error_note(subject: str) -> Iterator[None]:
    """Add the name of the observable to an error of a user's function."""
    try:
        yield
    except GanvalidError:
        raise
    except Exception as error:
        error.add_note(f"{subject}: raised by the function of this observable")
        raise


def _normalised_template(name: str, contents: object, bins: int) -> tuple[float, ...]:
    """Return a template of sum 1."""
    array = numeric(contents, f"template {name!r}")
    if array.shape != (bins,) or not np.all(array >= 0) or not array.sum() > 0:
        msg = f"template {name!r} has shape {array.shape}; expected {bins} contents that are not negative, not all zero"
        raise InputError(msg)
    return tuple((array / array.sum()).tolist())


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        msg = f"the name {name!r} of an observable is a {type(name).__name__}; expected a str"
        raise InputTypeError(msg)
    return name


def _check_weight(weight: FloatArray, prefix: str = "") -> None:
    total = float(weight.sum())
    if not total > 0:
        msg = f"{prefix}the weights add up to {total:g}; expected a positive sum"
        raise InputError(msg)

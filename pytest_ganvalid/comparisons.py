"""From the statistics of one pair, of histograms or of numbers, to its frozen result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_ganvalid.errors import InputError, InputTypeError, suggestion
from pytest_ganvalid.histograms.axes import result_axes
from pytest_ganvalid.histograms.bins import Bins, Grid, Slabs, WithOutside
from pytest_ganvalid.histograms.kdtree import TOLERANCE
from pytest_ganvalid.histograms.merging import Merged
from pytest_ganvalid.histograms.sums import BinSums
from pytest_ganvalid.results import (
    Axis,
    BinBias,
    BinContents,
    Comparison,
    EstimateComparison,
    Interval,
    Region,
    Resolution,
    Verdict,
)
from pytest_ganvalid.statistics import reasons
from pytest_ganvalid.statistics.equivalence import Equivalence
from pytest_ganvalid.statistics.limits import Limits, level
from pytest_ganvalid.statistics.power import chi2_critical
from pytest_ganvalid.statistics.regions import Regional
from pytest_ganvalid.statistics.repeated import RepeatedBias, ValueShares, repeated_biases
from pytest_ganvalid.statistics.robustness import Assessment
from pytest_ganvalid.statistics.robustness import Resolution as Test
from pytest_ganvalid.statistics.separation import Fractions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
_MAX_LISTED = 5
_MIN_BINS = 10
_MOST_GENERATED, _FEW_REFERENCE = 0.9, 0.2  # shares of the events in bins that suggest another unit
_PERIODS = (2 * math.pi, 360.0)
_SLACK, _MARGIN, _LOST = 0.01, 0.15, 0.2  # shares of a period, and of events, that suggest another range of an angle


def histogram_comparison(
    a: Assessment,
    merged: Merged,
    original: BinSums,
    n_train: float | None,
    name: str,
    share: float = 1.0,
    labels: Sequence[str] = (),
) -> Comparison:
    """Return the result of a comparison of histograms.

    Args:
        a: The assessment of the pair.
        merged: The histograms as compared.
        original: Either histogram as given.
        n_train: Number of events the generator was trained on, if known.
        name: Name of the observable.
        share: Fraction of the check's n_required that is ``a.n_required``.
        labels: Names of what is binned, one for each dimension; ``name`` if there are none.
    """
    worst = _worst_bins(a, merged, original)
    delta = _interval(a.all_bins)
    ndf, limits = a.ndf, a.limits
    tests = tuple(_resolution(test, a.n_required) for test in a.tests)
    worth = [_worth_of(test) for test in a.tests]
    upper, median, lower = reversed(a.expected_n_supported)
    n_reference_needed, n_generated_needed = a.events_needed()
    return Comparison(
        name=name,
        verdict=a.verdict(),
        reasons=(
            *(_unit_reason(a, merged, original) or _period_reason(a, merged, original)),
            *reasons.reasons(a, worst),
        ),
        n_required=a.n_required,
        n_train=n_train,
        n_generated=a.n_generated,
        n_reference=a.n_reference,
        bins=ndf + 1,
        merged_bins=max(merged.populated - ndf - 1, 0),
        ndf=ndf,
        chi2=a.chi2.chi2,
        p_value=a.chi2.p_value,
        tests=tests,
        shape=a.shape,
        directional_bias=tests[0].directional_bias,
        expected_n_supported=Interval(lower=lower, estimate=median, upper=upper),
        p_agreement=a.p_agreement,
        separation=tests[0].separation,
        chi2_required=_map(delta, lambda d: ndf + a.n_required * d),
        chi2_critical=a.critical,
        rms_bias=_map(delta, lambda d: math.sqrt(2 * a.n_required * d / ndf)),
        n_equivalent=Interval(
            lower=min(interval.lower for interval in worth),
            estimate=min(interval.estimate for interval in worth),
            upper=min(interval.upper for interval in worth),
        ),
        n_supported=a.n_supported,
        power=a.power,
        n_reference_needed=n_reference_needed,
        n_generated_needed=n_generated_needed,
        p_robust=a.p_robust,
        p_biased=a.p_biased,
        worst_bin=worst[0].index,
        worst_bins=worst,
        contents=_contents(a, merged),
        share=share,
        n_equivalent_nominal=min(_ratio(test.ndf / 2, test.upper_at(limits.alpha_nominal)) for test in a.tests),
        axes=result_axes(original.bins, labels or (name,)),
        **asdict(limits),
    )


def constant_comparison(
    sides: tuple[BinSums, BinSums],
    n_required: float,
    limits: Limits,
    n_train: float | None,
    name: str,
    share: float = 1.0,
) -> Comparison:
    """Return the result of a learned observable that is the same for all events: nothing is known.

    Args:
        sides: The generated and the reference histogram, all events of which lie in one bin: another bin, without
            events, stands beside it.
        n_required: Number of true events to stand in for.
        limits: What counts as agreement.
        n_train: Number of events the generator was trained on, if known.
        name: Name of the observable.
        share: Fraction of the check's n_required that ``n_required`` is.
    """
    reason = (
        "the score is the same for all events, or lies in one bin: it cannot see any bias, so that agreement proves "
        "nothing; give it more events, columns that vary, or a model that sees more"
    )
    separation = Interval(lower=0.0, estimate=0.0, upper=1.0)
    directional = Interval(lower=0.0, estimate=0.0, upper=2 * math.sqrt(n_required))
    return Comparison(
        name=name,
        verdict=Verdict.UNPROVEN,
        reasons=(reason,),
        n_required=n_required,
        n_train=n_train,
        n_generated=sides[0].n_effective,
        n_reference=sides[1].n_effective,
        bins=2,
        merged_bins=0,
        ndf=1,
        chi2=0.0,
        p_value=1.0,
        tests=(
            Resolution(
                components=None,
                separation=separation,
                directional_bias=directional,
                lower_corrected=0.0,
                n_supported=0.0,
            ),
        ),
        shape=(),
        directional_bias=directional,
        expected_n_supported=Interval(lower=0.0, estimate=0.0, upper=0.0),
        p_agreement=1.0,
        separation=separation,
        chi2_required=Interval(lower=1.0, estimate=1.0, upper=1 + 2 * n_required),
        chi2_critical=chi2_critical(1),
        rms_bias=Interval(lower=0.0, estimate=0.0, upper=2 * math.sqrt(n_required)),
        n_equivalent=Interval(lower=0.0, estimate=math.inf, upper=math.inf),
        n_supported=0.0,
        power=0.0,
        n_reference_needed=math.inf,
        n_generated_needed=math.inf,
        p_robust=1.0,
        p_biased=1.0,
        worst_bin=0,
        worst_bins=(BinBias(index=0, label="all scores", bias=0.0, lower=0.0),),
        contents=BinContents(
            generated=(1.0, 0.0),
            generated_errors=(0.0, 0.0),
            reference=(1.0, 0.0),
            reference_errors=(0.0, 0.0),
            bias=(0.0, 0.0),
        ),
        share=share,
        n_equivalent_nominal=0.0,
        **asdict(limits),
    )


def axes_in_units(
    comparisons: Mapping[str, Comparison],
    stated: Mapping[str, str] | None,
    data_units: Mapping[str, str] | None = None,
) -> dict[str, tuple[Axis, ...]]:
    """Return the axes of comparisons with their units.

    Args:
        comparisons: What was compared.
        stated: Label of an axis -> unit.
        data_units: Likewise, from the data: for axes that have none.

    Raises:
        InputError: If a unit is stated for a label that no axis has.
        InputTypeError: If the units are no mapping of names to text.
    """
    units: Any = stated or {}
    if not isinstance(units, Mapping) or not all(isinstance(text, str) for text in (*units, *units.values())):
        msg = f'units={units!r}; expected a mapping of column -> unit, such as {{"mass": "GeV"}}'
        raise InputTypeError(msg)
    labels = {axis.label for comparison in comparisons.values() for axis in comparison.axes}
    unknown = [name for name in units if name not in labels]
    if unknown:
        guess = suggestion(unknown[0], labels)
        msg = f"units= names {unknown[0]!r}{guess}, which is no axis of what is compared; there are {sorted(labels)}"
        raise InputError(msg)
    defaults = data_units or {}
    return {
        name: tuple(
            replace(axis, unit=units.get(axis.label, axis.unit or defaults.get(axis.label, ""))) for axis in c.axes
        )
        for name, c in comparisons.items()
    }


def shown_regions(regions: Sequence[Regional], merged: Merged, bins: Bins) -> tuple[Region, ...]:
    """Return the results of regions.

    Args:
        regions: The regions that were tested.
        merged: The histograms as compared.
        bins: The bins as given.
    """
    return tuple(
        Region(
            label=_region_label(bins, merged, merged.order[region.run.first : region.run.last + 1]),
            first=region.run.first,
            last=region.run.last,
            share=region.shares[1],
            generated_share=region.shares[0],
            n_required=region.n_required,
            n_equivalent=region.worth,
            verdict=region.verdict,
        )
        for region in regions
    )


def _region_label(bins: Bins, merged: Merged, groups: IntArray) -> str:
    """Say which bins were joined to some neighbouring groups: of a pair in whole slabs by the column that makes those.

    Args:
        bins: The bins as given.
        merged: What was joined.
        groups: Positions of the groups along the path.
    """
    members = np.flatnonzero(np.isin(merged.group_of, groups))
    inner = bins.inside if isinstance(bins, WithOutside) else bins
    if isinstance(inner, Slabs) or (isinstance(inner, Grid) and len(inner.axes) > 1):
        sizes = [axis.size for axis in inner.y] if isinstance(inner, Slabs) else [inner.axes[1].size] * inner.shape[0]
        slab = np.repeat(np.arange(len(sizes)), sizes)
        inside = members[members < slab.size]
        slabs = np.unique(slab[inside])
        if inside.size == members.size == sum(sizes[i] for i in slabs):
            return inner.axes[0].label(int(slabs[0]), int(slabs[-1]))
        return bins.label(int(merged.groups[groups[0], 0]), int(merged.groups[groups[-1], 1]))
    return bins.label(int(members[0]), int(members[-1]))


def with_repeated(comparison: Comparison, generated: BinSums, reference: BinSums) -> Comparison:
    """Call a comparison BIASED where one sample is shown to repeat a value that the other does not, and name it.

    Args:
        comparison: The comparison bin by bin.
        generated: The histogram as given, with its commonest values.
        reference: Likewise.
    """
    lists = [side.repeated for side in (generated, reference)]
    values = _distinct_values([repeated.values for repeated in lists if repeated is not None])
    if not values.size:
        return comparison
    shares = [_value_shares(side, values) for side in (generated, reference)]
    alpha = level(comparison.confidence, comparison.attempt, comparison.looks)
    biases = repeated_biases(shares[0], shares[1], comparison.n_required, comparison.max_local_bias, alpha)
    if not biases:
        return comparison
    previous = comparison.reasons if comparison.verdict is Verdict.BIASED else ()
    return replace(
        comparison,
        verdict=Verdict.BIASED,
        reasons=(*(_repeated_words(bias, values, comparison) for bias in biases[:_MAX_LISTED]), *previous),
        p_biased=min(comparison.p_biased, *(bias.p_value for bias in biases)),
        regions=(),  # those are by bins, which do not see it
    )


def _repeated_words(bias: RepeatedBias, values: FloatArray, comparison: Comparison) -> str:
    return (
        f"{values[bias.position]:.6g} is the value of {reasons.percent(bias.generated)} of the generated and of "
        f"{reasons.percent(bias.reference)} of the reference events: off by at least {bias.lower:.3g} error bars of "
        f"{reasons.count(comparison.n_required)} events (limit {comparison.max_local_bias:g})"
    )


def _distinct_values(lists: Sequence[FloatArray]) -> FloatArray:
    """Join lists of values; values that are equal up to rounding to six digits are one."""
    values = np.unique(np.concatenate(lists))
    if not values.size:
        return values
    return np.asarray(values[np.concatenate([[True], np.diff(values) > TOLERANCE * np.abs(values[1:])])])


def _value_shares(side: BinSums, values: FloatArray) -> ValueShares:
    """Return how much of a sample has each of some values, but for rounding."""
    repeated, size = side.repeated, side.n_effective
    if side.n_clusters is not None:  # at most: as if each cluster had or lacked a value as a whole
        size = min(size, side.n_clusters)
    lower, squares = np.zeros(values.size), np.zeros(values.size)
    total = side.total
    undercount = 0.0
    if repeated is not None:
        positions = np.searchsorted(values, repeated.values, side="right") - 1
        weights = repeated.with_weights()
        for sums, target in ((weights.sumw, lower), (weights.sumw2, squares)):
            np.add.at(target, positions, 0.0 if sums is None else sums.value)
        undercount = repeated.undercount / max(repeated.events, 1)
    lower, squares = lower / total, squares / total**2 * (side.n_effective / size)
    return ValueShares(lower, lower + undercount, squares, 1 / size)


def estimate_comparison(e: Equivalence, n_train: float | None, name: str, share: float = 1.0) -> EstimateComparison:
    """Return the result of a comparison of estimates.

    Args:
        e: The equivalence test of the estimates.
        n_train: Number of events the generator was trained on, if known.
        name: Name of the observable.
        share: Fraction of the check's n_required that these estimates have to stand in for.
    """
    bias = e.bias
    n_reference_needed, n_generated_needed = e.events_needed()
    return EstimateComparison(
        name=name,
        verdict=e.verdict(),
        reasons=reasons.estimate_reasons(e),
        n_required=e.n_required,
        n_train=n_train,
        n_generated=e.n_generated,
        n_reference=e.n_reference,
        generated=e.generated,
        reference=e.reference,
        required_error=e.required_error,
        difference=e.difference,
        bias=bias,
        n_equivalent=Interval(
            lower=_worth(e.events, bias.upper),
            estimate=_worth(e.events, bias.estimate),
            upper=_worth(e.events, bias.lower),
        ),
        n_supported=e.n_supported,
        power=e.power,
        n_reference_needed=n_reference_needed,
        n_generated_needed=n_generated_needed,
        p_robust=e.p_robust,
        p_biased=e.p_biased,
        confidence=e.limits.confidence,
        max_bias=e.limits.max_bias,
        share=share,
        attempt=e.limits.attempt,
        looks=e.limits.looks,
        n_equivalent_nominal=_worth(e.events, e.upper_nominal),
    )


def _interval(test: Test) -> Interval:
    """The interval of Δ per event."""
    return Interval(lower=test.lower, estimate=test.estimate, upper=test.upper)


def _resolution(test: Test, n_required: float) -> Resolution:
    delta = _interval(test)
    return Resolution(
        components=test.components,
        separation=_map(delta, lambda d: d / (2 * test.per_event)),
        directional_bias=_map(delta, lambda d: math.sqrt(2 * n_required * d)),
        lower_corrected=math.sqrt(2 * n_required * test.lower_corrected),
        n_supported=test.n_supported(),
    )


def _worth_of(test: Test) -> Interval:
    """The true events that the generator is worth in a test, d/(2Δ)."""
    return Interval(
        lower=_ratio(test.ndf / 2, test.upper),
        estimate=_ratio(test.ndf / 2, test.estimate),
        upper=_ratio(test.ndf / 2, test.lower),
    )


def _map(interval: Interval, function: Callable[[float], float]) -> Interval:
    return Interval(
        lower=function(interval.lower), estimate=function(interval.estimate), upper=function(interval.upper)
    )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.inf


def _worst_bins(a: Assessment, merged: Merged, original: BinSums) -> tuple[BinBias, ...]:
    order = np.argsort(-np.abs(a.local.bias), kind="stable")[:_MAX_LISTED]
    return tuple(
        BinBias(
            index=int(merged.groups[i].min()),
            label=original.bins.label(int(merged.groups[i, 0]), int(merged.groups[i, 1])),
            bias=float(a.local.bias[i]),
            lower=float(a.local.lower[i]),
        )
        for i in order
    )


def _unit_reason(a: Assessment, merged: Merged, original: BinSums) -> tuple[str, ...]:
    """Ask whether the sides differ in unit, where nearly all generated values are beyond those of the reference.

    A thousand times too large, a positive number is in the last bin, and one of either sign in the first or the last;
    a thousand times too small, it is in one bin or two neighbours.
    """
    one_axis = isinstance(original.bins, Grid) and len(original.bins.axes) == 1 and not original.bins.axes[0].values
    if a.verdict() is not Verdict.BIASED or not one_axis or merged.groups.shape[0] < _MIN_BINS:
        return ()
    generated, reference = (side.sumw / side.total for side in (merged.generated, merged.reference))
    mode = int(np.argmax(generated))
    neighbour = max((i for i in (mode - 1, mode + 1) if 0 <= i < generated.size), key=lambda i: float(generated[i]))
    for positions, words in (([mode, neighbour], "two neighbouring bins"), ([0, -1], "the first bin and the last")):
        shares = [float(side[positions].sum()) for side in (generated, reference)]
        if shares[0] >= _MOST_GENERATED and shares[1] <= _FEW_REFERENCE:
            return (
                f"{reasons.percent(shares[0])} of the generated values are in {words}, which hold "
                f"{reasons.percent(shares[1])} of the reference's: are both in one unit (MeV, GeV: a factor of 1000)?",
            )
    return ()


def _period_reason(a: Assessment, merged: Merged, original: BinSums) -> tuple[str, ...]:
    """Ask whether an angle has another range on either side, as -π to π and 0 to 2π, in radians or degrees.

    The half of the reference's range that the generated values lack is then empty, and what they have beyond that range
    is in an outer bin.
    """
    axis = original.bins.axes[0] if isinstance(original.bins, Grid) and len(original.bins.axes) == 1 else None
    if a.verdict() is not Verdict.BIASED or axis is None or not (axis.underflow and axis.overflow) or axis.values:
        return ()
    half = _half_lost(axis.edges)
    if half is None:
        return ()
    is_first, middle = half
    edges, group_of = np.asarray(axis.edges), merged.group_of[: len(axis.edges) + 1]  # without what is not finite
    # Bin i ends at edge i, and the last one is that of overflow.
    lost = np.unique(group_of[:-1][edges <= middle] if is_first else group_of[1:][edges >= middle])
    outer = group_of[-1 if is_first else 0]
    generated, reference = (side.sumw / side.total for side in (merged.generated, merged.reference))
    share = float(reference[lost].sum())
    if share < _LOST or generated[lost].sum() > _MARGIN * share or generated[outer] < share / 2:
        return ()
    return (
        f"hardly any generated values are where {reasons.percent(share)} of the reference's are, and as many beyond "
        "its range: angles of another range? bring both into one period, or declare the axis circular",
    )


def _half_lost(edges: Sequence[float]) -> tuple[bool, float] | None:
    """Return which half of a period that edges nearly span another range of angles lacks; ``None`` if they span none.

    Returns:
        Whether it is the first half, of -π to π, and not the second, of 0 to 2π; and the middle of the period.
    """
    if len(edges) < _MIN_BINS:
        return None
    for period in _PERIODS:
        for start in (-period / 2, 0.0):
            gaps = edges[0] - start, start + period - edges[-1]
            if min(gaps) > -_SLACK * period and sum(gaps) < _MARGIN * period:
                return start < 0, start + period / 2
    return None


def _contents(a: Assessment, merged: Merged) -> BinContents:
    generated, reference = merged.generated, merged.reference
    unmerged, in_order = (
        bool(np.all(indices == np.arange(indices.size))) for indices in (merged.group_of, merged.order)
    )
    return BinContents(
        generated=_floats(generated.sumw / generated.total),
        generated_errors=_floats(_errors(generated)),
        reference=_floats(reference.sumw / reference.total),
        reference_errors=_floats(_errors(reference)),
        bias=_floats(a.local.bias),
        totals=(generated.total, reference.total),
        merged=() if unmerged else tuple(merged.group_of.tolist()),
        path=() if in_order else tuple(merged.order.tolist()),
    )


def _errors(sums: BinSums) -> FloatArray:
    """Standard errors of the fractions: of independent entries those of their sums, which physicists plot."""
    if sums.covariances is None:
        return np.sqrt(sums.sumw2) / sums.total
    return np.sqrt(np.maximum(Fractions.from_sums(sums.sumw, sums.sumw2, sums.covariances).variance, 0.0))


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _worth(events: float, bias: float) -> float:
    """Return the events whose error bars are as large as a bias, given in error bars of so many events."""
    return events / bias / bias if bias > 0 else math.inf

"""The check, written once: events -> observables -> histograms -> statistics -> results.

Usable without pytest; the plugin calls nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from pytest_ganvalid._arguments import check_event_count
from pytest_ganvalid._json import plain
from pytest_ganvalid.assemble import comparison
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.merging import merge_sparse_bins
from pytest_ganvalid.histograms.sums import BinSums, as_bin_sums, check_same_bins
from pytest_ganvalid.observables import Observable, resolve
from pytest_ganvalid.observables.observable import skipped_columns
from pytest_ganvalid.results import Chi2Result, Comparison, Report, Verdict, worst_verdict
from pytest_ganvalid.samples import Sample, as_sample
from pytest_ganvalid.statistics import chi2 as chi2_module
from pytest_ganvalid.statistics.limits import Limits
from pytest_ganvalid.statistics.robustness import assess
from pytest_ganvalid.statistics.separation import Fractions

DEFAULT_BINS = 50
_NONFINITE = ("error", "underflow", "overflow", "separate")


def compare(
    generated: object,
    reference: object,
    *,
    n_required: float,
    n_train: float | None = None,
    confidence: float = 0.95,
    max_bias: float = 1.0,
    max_local_bias: float = 5.0,
    min_power: float = 0.2,
    min_expected: float = 10,
    name: str = "",
) -> Comparison:
    """Compare a generated with a reference histogram at the error bars of n_required events.

    Args:
        generated: A histogram with the UHI protocol (hist, boost-histogram, uproot), a 1-D or 2-D array of counts,
            or a pair (sum_of_weights, sum_of_squared_weights). Flow bins are used where it has them.
        reference: Likewise, with the same bins, from true simulation that the generator was not trained on.
        n_required: Number of true events the generated sample is to stand in for.
        n_train: Number of events the generator was trained on, if known.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        min_power: Least probability with which a perfect generator must be able to pass.
        min_expected: Least expected effective events per bin in the smaller sample; sparser neighbours are merged.
        name: Name of the observable.

    Returns:
        The verdict with all numbers behind it.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    limits = Limits(
        confidence=confidence,
        max_bias=max_bias,
        max_local_bias=max_local_bias,
        min_power=min_power,
        min_expected=min_expected,
    )
    n_required = check_event_count("n_required", n_required)
    if n_train is not None:
        n_train = check_event_count("n_train", n_train)
    return _compare(
        as_bin_sums(generated, "generated"), as_bin_sums(reference, "reference"), n_required, n_train, limits, name
    )


def validate(
    generated: object,
    reference: object,
    *,
    n_required: float,
    observables: object = None,
    n_train: float | None = None,
    weight: object = None,
    bins: object = DEFAULT_BINS,
    nonfinite: str | Mapping[str, str] = "error",
    confidence: float = 0.95,
    max_bias: float = 1.0,
    max_local_bias: float = 5.0,
    min_power: float = 0.2,
    min_expected: float = 10,
) -> Report:
    """Compare generated with reference events, observable by observable.

    Args:
        generated: A mapping of column -> 1-D array, a structured array, a pandas, polars or arrow table, an awkward
            record array, or a `Sample`.
        reference: Likewise, from true simulation that the generator was not trained on.
        n_required: Number of true events the generated sample is to stand in for.
        observables: Column names, pairs of column names, functions of the sample (indexed by column name) that have a
            name, pairs (name, function), or a mapping of name -> any of those. ``None`` means every numeric column
            that both samples have.
        n_train: Number of events the generator was trained on, if known.
        weight: The name of a column, or a pair (generated, reference) of arrays, names or ``None``.
        bins: A number of equiprobable bins (their edges are quantiles of the reference), increasing edges, an axis
            of a histogram, for a pair of columns a pair of edges, or a mapping of observable -> any of those. Bins are
            [edge, next edge); underflow and overflow are always compared.
        nonfinite: Where NaN and infinite values go: ``"error"`` refuses them, ``"underflow"`` or ``"overflow"`` names
            a bin, ``"separate"`` gives them a bin of their own. A mapping of observable -> one of these is accepted.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the rms bias in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        min_power: Least probability with which a perfect generator must be able to pass.
        min_expected: Least expected effective events per bin in the smaller sample; sparser neighbours are merged.

    Returns:
        ROBUST only if every observable is (an intersection-union test: no correction is needed); BIASED if any is,
        after Holm's correction for their number; UNPROVEN otherwise.

    Raises:
        InputError: If the data or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    limits = Limits(
        confidence=confidence,
        max_bias=max_bias,
        max_local_bias=max_local_bias,
        min_power=min_power,
        min_expected=min_expected,
    )
    n_required = check_event_count("n_required", n_required)
    if n_train is not None:
        n_train = check_event_count("n_train", n_train)
    generated_weight, reference_weight = _weight_pair(weight)
    gen = as_sample(generated, "generated", generated_weight)
    ref = as_sample(reference, "reference", reference_weight)
    chosen = resolve(observables, gen, ref)
    _check_names("bins", bins, chosen)
    _check_names("nonfinite", nonfinite, chosen)
    comparisons = {}
    for observable in chosen:
        spec = _setting_for(bins, observable, DEFAULT_BINS)
        place = _setting_for(nonfinite, observable, "error")
        try:
            comparisons[observable.name] = _compare(
                *_histograms(gen, ref, observable, spec, place),
                n_required,
                n_train,
                limits,
                observable.name,
                len(chosen),
            )
        except (InputError, InputTypeError) as error:
            msg = f"observable {observable.name!r}: {error}"
            raise type(error)(msg) from None
    skipped = skipped_columns(gen, ref) if observables is None else {}
    return combine(comparisons, provenance=_provenance(gen, ref, skipped))


def chi2_test(generated: object, reference: object, *, method: str = "profile") -> Chi2Result:
    """Test with a classical χ² whether two histograms come from one distribution.

    Args:
        generated: As for `compare`.
        reference: As for `compare`.
        method: ``"profile"`` minimises over the relative normalisation and keeps its nominal size for weighted
            samples; ``"gagunashvili"`` is what ROOT's ``TH1::Chi2Test`` computes (arXiv:physics/0605123).

    Raises:
        InputError: If the method is unknown, or fewer than two bins are populated.
        InputTypeError: If a histogram is of a kind that is not understood.
    """
    gen, ref = as_bin_sums(generated, "generated"), as_bin_sums(reference, "reference")
    check_same_bins(gen, ref)
    return chi2_module.chi2_test(gen, ref, method=method)


def combine(comparisons: Mapping[str, Comparison], provenance: Mapping[str, Any] | None = None) -> Report:
    """Reach one verdict on several comparisons at the same n_required.

    ROBUST if all are: an intersection-union test, each at its own level (Berger 1982). Which are called BIASED is
    corrected for their number by Holm's method.

    Raises:
        InputError: If there is no comparison, or they differ in n_required or a limit.
    """
    if not comparisons:
        msg = "no comparison to combine; a check of nothing demonstrates nothing"
        raise InputError(msg)
    for name in ("n_required", "confidence", "max_bias", "max_local_bias", "min_power", "min_expected"):
        asked = sorted({getattr(comparison, name) for comparison in comparisons.values()})
        if len(asked) > 1:
            msg = f"the comparisons answer different questions: {name} is {asked}; compare all with one {name}"
            raise InputError(msg)
    corrected = _holm(comparisons)
    worst = worst_verdict(c.verdict for c in corrected.values())
    words = tuple(f"{name}: {why}" for name, c in corrected.items() if c.verdict is worst for why in c.reasons)
    n_required = next(iter(corrected.values())).n_required
    return Report(
        verdict=worst, reasons=words, n_required=n_required, comparisons=corrected, provenance=dict(provenance or {})
    )


def _holm(comparisons: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """Take back BIASED where it does not survive Holm's step-down correction."""
    ranked = sorted(comparisons, key=lambda name: comparisons[name].p_biased)
    corrected, rejecting = dict(comparisons), True
    for rank, name in enumerate(ranked):
        one = comparisons[name]
        left = len(ranked) - rank
        rejecting = rejecting and one.p_biased * left < 1 - one.confidence
        if one.verdict is Verdict.BIASED and not rejecting:
            reason = (
                f"BIASED by itself (p = {one.p_biased:.3g}), but not after Holm's correction for "
                f"{len(ranked)} observables"
            )
            corrected[name] = replace(one, verdict=Verdict.UNPROVEN, reasons=(reason,))
    return corrected


def _histograms(
    generated: Sample, reference: Sample, observable: Observable, bins: object, nonfinite: str
) -> tuple[BinSums, BinSums]:
    if nonfinite not in _NONFINITE:
        msg = f"nonfinite={nonfinite!r} is unknown; expected one of {_NONFINITE}"
        raise InputError(msg)
    ours, theirs = observable.values(generated, "generated"), observable.values(reference, "reference")
    if nonfinite == "error":
        _refuse_nonfinite(ours, "generated")
        _refuse_nonfinite(theirs, "reference")
    binning = bins_for(bins, theirs, reference.weight, nonfinite)
    gen, ref = fill(binning, ours, generated.weight), fill(binning, theirs, reference.weight)
    return as_bin_sums(gen, "generated"), as_bin_sums(ref, "reference")


def _refuse_nonfinite(columns: tuple[np.ndarray[Any, Any], ...], side: str) -> None:
    for values in columns:
        nans, infinities = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        if nans or infinities:
            msg = (
                f"{side} has {nans:,} NaN and {infinities:,} infinite values among {values.size:,} events; say where "
                "they belong with nonfinite='underflow', 'overflow' or 'separate', or mend the sample"
            )
            raise InputError(msg)


def _compare(
    generated: BinSums,
    reference: BinSums,
    n_required: float,
    n_train: float | None,
    limits: Limits,
    name: str,
    observables: int = 1,
) -> Comparison:
    check_same_bins(generated, reference)
    merged = merge_sparse_bins(generated, reference, limits.min_expected)
    assessment = assess(
        Fractions.from_sums(merged.generated.sumw, merged.generated.sumw2),
        Fractions.from_sums(merged.reference.sumw, merged.reference.sumw2),
        n_required,
        limits,
        chi2_module.chi2_test(merged.generated, merged.reference),
        sparse=merged.sparse,
        observables=observables,
    )
    return comparison(assessment, merged, generated, n_train, name)


def _weight_pair(weight: object) -> tuple[object, object]:
    """One column name serves both samples; anything else must come as a pair."""
    if weight is None or isinstance(weight, str):
        return weight, weight
    if isinstance(weight, tuple | list) and len(weight) == 2:  # noqa: PLR2004
        return weight[0], weight[1]
    msg = f"weight is a {type(weight).__name__}; expected a column name or a pair (generated_weight, reference_weight)"
    raise InputTypeError(msg)


def _setting_for(setting: object, observable: Observable, default: object) -> Any:  # noqa: ANN401
    """Look up a setting that may be given observable by observable."""
    return setting.get(observable.name, default) if isinstance(setting, Mapping) else setting


def _check_names(what: str, setting: object, observables: tuple[Observable, ...]) -> None:
    names = {observable.name for observable in observables}
    unknown = [name for name in setting if name not in names] if isinstance(setting, Mapping) else []
    if unknown:
        msg = f"{what} names {unknown}, which are not observables of this check; there are {sorted(names)}"
        raise InputError(msg)


def _provenance(generated: Sample, reference: Sample, skipped: dict[str, str]) -> dict[str, Any]:
    return {
        "pytest_ganvalid": version("pytest-ganvalid"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "generated_events": len(generated),
        "reference_events": len(reference),
        "generated": plain(generated.provenance),
        "reference": plain(reference.provenance),
        "skipped_columns": skipped,
    }

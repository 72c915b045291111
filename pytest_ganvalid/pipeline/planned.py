"""The planner with a reference at hand: with the bins that each observable really has."""

from __future__ import annotations

from typing import Any

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.merging import planned_bins
from pytest_ganvalid.pipeline.fill import fill
from pytest_ganvalid.pipeline.plan import MULTIPLICITY
from pytest_ganvalid.pipeline.request import DEFAULT_BINS
from pytest_ganvalid.pipeline.summary import Histograms
from pytest_ganvalid.results import Plan
from pytest_ganvalid.statistics import planning


def plan(
    n_required: float,
    *,
    reference: object = None,
    observables: object = None,
    bins: Any = None,  # noqa: ANN401 - what `validate` takes
    weight: object = None,
    **keywords: Any,  # noqa: ANN401 - those of the planner
) -> Plan:
    """Plan the sizes of the reference and generated samples.

    The power is that of everything together, whatever the correlations: no more than 1 - power may be lost in all
    (Bonferroni). A histogram of ten bins or more takes 3 reference events per required event for a power of 90 %, of
    fewer bins more; an estimator (one number per sample) about 11, and more than 11 generated ones (Schuirmann 1987:
    two one-sided tests).

    Args:
        n_required: Number of true events the generated sample is to stand in for.
        reference: True events, as for `pytest_ganvalid.validate`, or histograms that are filled with them: the bins
            that each observable has are then those that they give, and the observable that sets the price is named. A
            few thousand events tell.
        observables: Number of histograms that must all be ROBUST; with a reference, which ones, as for `validate`.
        bins: Bins per observable and classifier, at least 2, or a mapping of observable -> bins; not needed if there
            are only estimators. With a reference, as for `validate`.
        weight: The column of weights of the reference.
        **keywords: ``estimators`` (observables that are one number per sample, 0), ``classifiers`` (trained on one half
            of each sample and tested on the other, 0), ``generated_ratio`` (generated events per required event, 10),
            ``power`` (wanted probability that a perfect generator is shown ROBUST, 0.9), and the limits
            ``confidence``, ``max_bias``, ``max_directional_bias``, ``smooth`` and ``looks``. With ``costs`` (a
            `pytest_ganvalid.Costs`) the plan has a price, and with ``chain`` (a `pytest_ganvalid.Chain`) it says
            whether the generated stage is a bottleneck.

    Returns:
        The sample sizes and a table of alternatives.

    Raises:
        InputError: If an argument is out of range, nothing is tested, or no reference reaches the power with so few
            generated events.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    if reference is None:
        if weight is not None:
            msg = "weight= is a column of the reference; give reference=, or leave it out"
            raise InputError(msg)
        return planning.plan(n_required, bins=bins, observables=observables, **keywords)  # type: ignore[arg-type]
    filled = reference
    if not isinstance(filled, Histograms):
        spec = DEFAULT_BINS if bins is None else bins
        filled = fill(reference, observables=observables, bins=spec, weight=weight)
    contents = filled.plan.contents()
    n_bins = {
        name: planned_bins(filled.contents[name].sums(), n_required) for name in contents if MULTIPLICITY not in name
    }
    unusable = [name for name, number in n_bins.items() if number < 2]  # noqa: PLR2004
    if unusable:
        msg = f"observable {unusable[0]!r} has one bin, in which nothing is compared: leave it out"
        raise InputError(msg)
    return planning.plan(n_required, bins=n_bins, **keywords)

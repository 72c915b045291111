"""One number per sample: from two estimates to a frozen result."""

from __future__ import annotations

import math

from pytest_ganvalid._arguments import check_event_count, check_number, without_gone
from pytest_ganvalid.attempts import Trial, counted, estimate_digest
from pytest_ganvalid.comparisons import estimate_comparison
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.results import Estimate, EstimateComparison
from pytest_ganvalid.statistics.equivalence import equivalence
from pytest_ganvalid.statistics.limits import Limits

_EXPECTED = "an Estimate, or a tuple of plain numbers (value, error, n_events)"
_SIZES = (2, 3)


@without_gone
def compare_estimates(
    generated: object,
    reference: object,
    *,
    n_required: float,
    n_train: float | None = None,
    confidence: float = 0.95,
    max_bias: float = 1.0,
    attempt: int = 1,
    looks: int = 1,
    name: str = "",
    required_error: float | None = None,
) -> EstimateComparison:
    """Compare one number of the generated sample with that of the reference, at the error bar of n_required events.

    For a mean, an efficiency, a quantile or a fitted parameter that was measured on both samples alike. Two one-sided
    tests (Schuirmann 1987): the difference must be shown to lie within max_bias error bars of n_required true events.
    Nothing is demonstrated by errors with fewer than ten degrees of freedom (a few events carry them), by errors that
    differ for one event of either sample by more than a factor of two, nor by numbers closer than chance allows.
    For a power of 90 % it takes about 11 times n_required reference events, and more than that many generated ones.

    Args:
        generated: An `Estimate`, or a tuple (value, error, n_events) or (value, error). The error is the standard error
            of the generated sample as it is, n_events its effective number of events.
        reference: Likewise, from true simulation that the generator was not trained on. Its n_events is needed unless
            ``required_error`` is given.
        n_required: Number of true events the generated sample is to stand in for.
        n_train: Number of events the generator was trained on, if known.
        confidence: Confidence level of each one-sided limit.
        max_bias: Limit on the bias in error bars of n_required events.
        attempt: Which try this is, with fresh generated events against the same reference; attempt j >= 2 is made at
            1/(j(j + 1)) of the level 1 - confidence, with the limits shown.
        looks: Planned looks at a reference that grows in equal steps, which share that level (Pocock 1977).
        name: What the number is.
        required_error: The standard error that n_required true events would have. ``None`` scales the reference's:
            error * sqrt(n_events / n_required).

    Returns:
        The verdict with all numbers behind it.

    Raises:
        InputError: If the numbers or settings admit no verdict.
        InputTypeError: If an argument is of a kind that is not understood.
    """
    limits = Limits(confidence=confidence, max_bias=max_bias, attempt=attempt, looks=looks)
    n_required = check_event_count("n_required", n_required)
    if n_train is not None:
        n_train = check_event_count("n_train", n_train)
    gen, ref = as_estimate(generated, "generated"), as_estimate(reference, "reference")
    limits = counted(
        limits,
        lambda: Trial(
            observables=(name,),
            n_required=n_required,
            limits=limits,
            generated=estimate_digest(gen),
            reference=estimate_digest(ref),
        ),
    )
    test = equivalence(
        gen,
        ref,
        n_required,
        limits,
        required_error=None if required_error is None else _required_error(required_error),
    )
    return estimate_comparison(test, n_train, name)


def as_estimate(value: object, side: str) -> Estimate:
    """Read an estimate.

    Args:
        value: An `Estimate`, or a tuple (value, error) or (value, error, n_events).
        side: ``"generated"`` or ``"reference"``, for error messages.

    Raises:
        InputError: If a number is impossible.
        InputTypeError: If the value is something else, such as a histogram or a column of events.
    """
    if isinstance(value, Estimate):
        return value
    if not isinstance(value, tuple) or len(value) not in _SIZES:
        kind = f"a tuple of {len(value)}" if isinstance(value, tuple) else f"a {type(value).__name__}"
        msg = f"{side} is {kind}; expected {_EXPECTED}{_hint(value)}"
        raise InputTypeError(msg)
    try:
        return Estimate(*value)
    except GanvalidError as error:
        msg = f"{side}: {error}"
        raise type(error)(msg) from None


def _hint(value: object) -> str:
    """Guess what the user meant."""
    if isinstance(value, float | int):
        return "; a number without an error demonstrates nothing"
    if hasattr(value, "variances"):
        return "; histograms are compared by compare"
    if hasattr(value, "__len__"):
        return "; events are compared by validate, whose observables may be estimators, and histograms by compare"
    return ""


def _required_error(value: object) -> float:
    number = float(check_number("required_error", value))
    if not 0 < number < math.inf:
        msg = f"required_error={value!r} is out of range; expected a positive finite standard error"
        raise InputError(msg)
    return number

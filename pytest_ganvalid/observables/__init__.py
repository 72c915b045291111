"""Observables: the numbers that are compared, made from the columns of a sample.

What to use when:

- a column or a function of the events, by name: what an analysis histograms; `Selection` for what it histograms
  after a cut.
- a tuple of columns or a `KDTree`: their joint distribution, which single columns do not show.
- a `Classifier`: whatever may be wrong in many columns at once.
- a `Condition`: what divides the events into strata, in each of which all is compared; ``by=`` takes it.
- `Mean`, `StandardDeviation`, `Quantile`, `Efficiency`, `Template` and `Estimator`: an analysis that uses one number.
"""

from typing import TYPE_CHECKING

from pytest_ganvalid._lazy import loader

if TYPE_CHECKING:
    from pytest_ganvalid.observables.classifier import Classifier
    from pytest_ganvalid.observables.estimators import (
        Efficiency,
        Estimator,
        Mean,
        Quantile,
        StandardDeviation,
        Template,
    )
    from pytest_ganvalid.observables.observable import KDTree, Observable, Selection
    from pytest_ganvalid.observables.requested import resolve
    from pytest_ganvalid.observables.strata import Condition

__all__ = [
    "Classifier",
    "Condition",
    "Efficiency",
    "Estimator",
    "KDTree",
    "Mean",
    "Observable",
    "Quantile",
    "Selection",
    "StandardDeviation",
    "Template",
    "resolve",
]

__getattr__ = loader(
    __name__,
    {
        "classifier": ("Classifier",),
        "estimators": ("Efficiency", "Estimator", "Mean", "Quantile", "StandardDeviation", "Template"),
        "observable": ("KDTree", "Observable", "Selection"),
        "requested": ("resolve",),
        "strata": ("Condition",),
    },
)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)

"""Decide, with proof, whether a generated dataset may stand in for simulation.

The public names are loaded when first used: importing the package (as pytest does at every start) costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pytest_ganvalid._lazy import loader

if TYPE_CHECKING:
    from pytest_ganvalid import gan as gan
    from pytest_ganvalid import generators, observables, toys
    from pytest_ganvalid import strategies as strategies
    from pytest_ganvalid.analyses import analysis
    from pytest_ganvalid.check import chi2_test, combine, compare, validate
    from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError, MissingExtraError, TrainingError
    from pytest_ganvalid.estimates import compare_estimates
    from pytest_ganvalid.gate import Gate
    from pytest_ganvalid.histograms.counts import Counts
    from pytest_ganvalid.overlaps.fingerprint import Fingerprint, fingerprint
    from pytest_ganvalid.pipeline.fill import fill
    from pytest_ganvalid.pipeline.planned import plan
    from pytest_ganvalid.pipeline.summary import Histograms
    from pytest_ganvalid.references import References
    from pytest_ganvalid.report.systematics import inherited_modifiers, systematics
    from pytest_ganvalid.report.text import explain
    from pytest_ganvalid.results import (
        AnalysisComparison,
        Chain,
        Chi2Result,
        Comparison,
        Costs,
        Estimate,
        EstimateComparison,
        Interval,
        Plan,
        Price,
        Report,
        Stage,
        Verdict,
    )
    from pytest_ganvalid.samples import Entries, Sample
    from pytest_ganvalid.samples.stream import stream
    from pytest_ganvalid.statistics.uncertainty import bin_uncertainties, uncertainty_curves

__all__ = [
    "AnalysisComparison",
    "Chain",
    "Chi2Result",
    "Comparison",
    "Costs",
    "Counts",
    "Entries",
    "Estimate",
    "EstimateComparison",
    "Fingerprint",
    "GanvalidError",
    "Gate",
    "Histograms",
    "InputError",
    "InputTypeError",
    "Interval",
    "MissingExtraError",
    "Plan",
    "Price",
    "References",
    "Report",
    "Sample",
    "Stage",
    "TrainingError",
    "Verdict",
    "analysis",
    "bin_uncertainties",
    "chi2_test",
    "combine",
    "compare",
    "compare_estimates",
    "explain",
    "fill",
    "fingerprint",
    "generators",
    "inherited_modifiers",
    "observables",
    "plan",
    "stream",
    "systematics",
    "toys",
    "uncertainty_curves",
    "validate",
]

_SUBMODULES = ("gan", "generators", "observables", "strategies", "toys")
_HOMES = {
    "analyses": ("analysis",),
    "check": ("chi2_test", "combine", "compare", "validate"),
    "errors": ("GanvalidError", "InputError", "InputTypeError", "MissingExtraError", "TrainingError"),
    "estimates": ("compare_estimates",),
    "gate": ("Gate",),
    "histograms.counts": ("Counts",),
    "overlaps.fingerprint": ("Fingerprint", "fingerprint"),
    "pipeline.fill": ("fill",),
    "pipeline.planned": ("plan",),
    "pipeline.summary": ("Histograms",),
    "references": ("References",),
    "report.systematics": ("inherited_modifiers", "systematics"),
    "report.text": ("explain",),
    "results": (
        "Chain",
        "AnalysisComparison",
        "Chi2Result",
        "Comparison",
        "Costs",
        "Estimate",
        "EstimateComparison",
        "Interval",
        "Plan",
        "Price",
        "Report",
        "Stage",
        "Verdict",
    ),
    "samples": ("Entries", "Sample"),
    "samples.stream": ("stream",),
    "statistics.uncertainty": ("bin_uncertainties", "uncertainty_curves"),
}


_load = loader(__name__, _HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Load a public name when it is first used."""
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("pytest-ganvalid")
    return _load(name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*__all__, *_SUBMODULES, "__version__"})

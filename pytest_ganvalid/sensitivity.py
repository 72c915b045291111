"""Positive controls: whether a learned observable would have seen a bias of the size that it should exclude.

Agreement in an observable that sees nothing demonstrates nothing. So ROBUST of a learned one counts only if the
same training, on samples that disagree by a known bias, was not ROBUST and showed a disagreement: Δ_lo > 0 in one of m
tests, at the m-th part, and half at most, of the error probability of a limit. In clinical trials this is assay
sensitivity (ICH E10, 2000, section 1.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Self

from pytest_ganvalid.results import Comparison, Verdict
from pytest_ganvalid.statistics.reasons import count
from pytest_ganvalid.statistics.robustness import Assessment


@dataclass(frozen=True, slots=True)
class Finding:
    """The control in one column.

    Attributes:
        column: The column that was biased.
        lower: The largest lower limit of Δ of the m tests, each at the m-th part, and half at most, of the error
            probability of a limit.
        robust: Whether the comparison was ROBUST in spite of the bias.
    """

    column: str
    lower: float
    robust: bool

    @classmethod
    def of(cls, column: str, assessment: Assessment | None) -> Self:
        """Evaluate a comparison; without one, as all scores were equal, nothing is seen."""
        if assessment is None:
            return cls(column, 0.0, robust=False)
        alpha = assessment.limits.alpha / max(len(assessment.tests), 2)
        lower = max(test.separation.lower_limit(alpha) * test.per_event for test in assessment.tests)
        return cls(column, lower, robust=assessment.verdict() is Verdict.ROBUST)

    @property
    def seen(self) -> bool:
        """Whether the bias was seen, and did not pass."""
        return self.lower > 0 and not self.robust


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The controls of one observable.

    Attributes:
        findings: A finding for each column that was biased.
        columns: Number of columns that could have been biased.
        shift: Size of the bias, in error bars of n_required events.
        events: Number of generated events that were biased, and of those that took the place of the reference.
        scale: Events over those that would be as many as in the comparison itself.
    """

    findings: tuple[Finding, ...]
    columns: int
    shift: float
    events: tuple[int, int]
    scale: float

    @property
    def blind(self) -> tuple[str, ...]:
        """The columns in which the bias was not seen."""
        return tuple(finding.column for finding in self.findings if not finding.seen)

    def applied(self, comparison: Comparison) -> Comparison:
        """Add the finding to a ROBUST comparison, or withdraw it: agreement that proves nothing is UNPROVEN."""
        size = f"{self.shift:g} error bars of {count(comparison.n_required)} events"
        if self.findings and not self.blind:
            names = ", ".join(finding.column for finding in self.findings)
            reason = f"positive control: a bias of {size} was seen in {names}{self._how()}"
            return replace(comparison, reasons=(*comparison.reasons, reason))
        reason = "it would be ROBUST, but no column of it varies that a bias could be planted in (positive control)"
        if self.findings:
            reason = (
                f"it would be ROBUST, but cannot see a bias in {', '.join(self.blind)} of the size it should exclude: "
                f"{size}, planted into generated events (positive control{self._how()}); give it more events, fewer "
                "columns or a model that sees more, or compare these columns by themselves"
            )
        return comparison.withdrawn(reason)

    def _how(self) -> str:
        several = len(self.findings) < self.columns
        columns = f", the first {len(self.findings)} of {self.columns} columns" if several else ""
        events = (
            f"; with {math.floor(100 * self.scale)} % of the events of the comparison, as fewer than twice as many "
            "were generated as there are reference events"
        )
        return columns + (events if self.scale < 1 else "")

    def record(self) -> dict[str, Any]:
        """Return the record as JSON types."""
        return {
            "shift": self.shift,
            "events": list(self.events),
            "scale": self.scale,
            "columns": {
                finding.column: {"seen": finding.seen, "robust": finding.robust, "separation_lower": finding.lower / 2}
                for finding in self.findings
            },
            "columns_without": self.columns - len(self.findings),
        }

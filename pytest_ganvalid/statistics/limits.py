"""The limits of a check, each said once: the command line, the marker and the report take them from here."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from pytest_ganvalid._arguments import check_fraction, check_not_negative, check_positive
from pytest_ganvalid.errors import InputError


def _limit(default: float, meaning: str) -> Any:  # noqa: ANN401 - a field
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as agreement, and how surely it must be shown.

    Attributes:
        confidence: Confidence level of each one-sided limit, from 0.5 to 1, both excluded.
        max_bias: Limit on the rms bias, in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        min_power: Least probability with which a perfect generator must be able to pass.
        min_expected: Least expected effective events per bin in the smaller sample; sparser bins are merged.
    """

    confidence: float = _limit(0.95, "confidence level of each one-sided limit")
    max_bias: float = _limit(1.0, "limit on the rms bias, in error bars of n_required events")
    max_local_bias: float = _limit(5.0, "limit on the bias of a single bin, in the same unit")
    min_power: float = _limit(0.2, "least probability with which a perfect generator must be able to pass")
    min_expected: float = _limit(10.0, "least expected effective events per bin; sparser neighbours are merged")

    def __post_init__(self) -> None:
        """Check every limit, and hold it as a builtin float whatever kind of number was given."""
        checked = {
            "confidence": check_fraction("confidence", self.confidence, least=0.5),
            "max_bias": check_positive("max_bias", self.max_bias),
            "max_local_bias": check_positive("max_local_bias", self.max_local_bias, infinite=True),
            "min_expected": check_not_negative("min_expected", self.min_expected),
            "min_power": check_not_negative("min_power", self.min_power),
        }
        if checked["min_power"] >= 1:
            msg = f"min_power={self.min_power!r} can never be reached; expected a number from 0 to below 1"
            raise InputError(msg)
        for name, value in checked.items():
            object.__setattr__(self, name, float(value))

    @property
    def alpha(self) -> float:
        """Error probability of each one-sided limit."""
        return 1 - self.confidence


LIMITS = {limit.name: f"{limit.metadata['meaning']} (default: {limit.default:g})" for limit in fields(Limits)}
"""Name of each limit -> what it means."""

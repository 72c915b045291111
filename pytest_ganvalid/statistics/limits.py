"""The limits of a check, each stated once: the command line, the marker and the report take them from here."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from pytest_ganvalid._arguments import check_fraction, check_integer, check_not_negative, check_positive
from pytest_ganvalid.errors import InputError, InputTypeError

_MAX_ATTEMPTS, _MAX_LOOKS = 1_000_000, 20


def _limit(default: float | None, meaning: str) -> Any:  # noqa: ANN401 - a field
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as agreement, and how surely it must be shown.

    Attributes:
        confidence: Confidence level of each one-sided limit, from 0.5 to 1, both excluded.
        max_bias: Limit on the rms bias, in error bars of n_required events.
        max_local_bias: Limit on the bias of a single bin, in the same unit.
        max_directional_bias: Limit on the bias of any number that is linear in the bin contents, in the same unit;
            ``None`` for none.
        min_expected: Least expected effective events per bin in the smaller sample; sparser bins are merged.
        smooth: Whether the smooth components of a difference are tested too.
        attempt: Which try this is, with fresh generated events against the same reference.
        looks: Planned looks at a reference that grows in equal steps; 1 if it does not grow.
    """

    confidence: float = _limit(0.95, "confidence level of each one-sided limit")
    max_bias: float = _limit(1.0, "limit on the rms bias, in error bars of n_required events")
    max_local_bias: float = _limit(5.0, "limit on the bias of a single bin, in the same unit")
    max_directional_bias: float | None = _limit(None, "limit on the bias of any number linear in the bin contents")
    min_expected: float = _limit(10.0, "least expected effective events per bin; sparser neighbours are merged")
    smooth: bool = _limit(True, "whether the smooth components of a difference are tested, too")  # noqa: FBT003
    attempt: int = _limit(1, "which try this is, with fresh generated events against the same reference")
    looks: int = _limit(1, "planned looks at a reference that grows in equal steps")

    def __post_init__(self) -> None:
        """Check every limit, and store it as a builtin float."""
        checked = {
            "confidence": check_fraction("confidence", self.confidence, above=0.5),
            "max_bias": check_positive("max_bias", self.max_bias),
            "max_local_bias": check_positive("max_local_bias", self.max_local_bias, infinite=True),
            "min_expected": check_not_negative("min_expected", self.min_expected),
        }
        if self.max_directional_bias is not None:
            checked["max_directional_bias"] = check_positive("max_directional_bias", self.max_directional_bias)
        if not isinstance(self.smooth, bool):
            msg = f"smooth={self.smooth!r}; expected True or False"
            raise InputTypeError(msg)
        for name, value in checked.items():
            object.__setattr__(self, name, float(value))
        for name, maximum in (("attempt", _MAX_ATTEMPTS), ("looks", _MAX_LOOKS)):
            number = check_integer(name, getattr(self, name))
            if number > maximum:
                msg = f"{name}={number} is too large; expected at most {maximum:,}"
                raise InputError(msg)
            object.__setattr__(self, name, number)

    @property
    def alpha(self) -> float:
        """Error probability of each one-sided limit, at this attempt and look; see `level`."""
        return level(self.confidence, self.attempt, self.looks)

    @property
    def alpha_nominal(self) -> float:
        """Likewise of the first attempt, if it were the only look."""
        return 1 - self.confidence


def level(confidence: float, attempt: int = 1, looks: int = 1) -> float:
    """Return the error probability of each one-sided limit.

    All looks at a growing reference share one level, and attempt j >= 2 at a look is made at 1/(j(j + 1)) of it: over
    any number of attempts these add up to 1.5 times the first, which is at most how often a generator on the boundary
    is called ROBUST.
    """
    alpha = 1 - confidence
    if looks > 1:
        from pytest_ganvalid.statistics.looks import pocock_level

        alpha = pocock_level(alpha, looks)
    return alpha / (attempt * (attempt + 1)) if attempt > 1 else alpha


def _formatted(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


LIMITS = {limit.name: f"{limit.metadata['meaning']} (default: {_formatted(limit.default)})" for limit in fields(Limits)}
"""Name of each limit -> what it means."""

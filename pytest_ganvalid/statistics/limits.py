"""The limits of a check, and the validation of numbers given by users."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

from pytest_ganvalid.errors import InputError, InputTypeError


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

    confidence: float = 0.95
    max_bias: float = 1.0
    max_local_bias: float = 5.0
    min_power: float = 0.2
    min_expected: float = 10.0

    def __post_init__(self) -> None:
        """Check every limit."""
        check_fraction("confidence", self.confidence, least=0.5)
        check_positive("max_bias", self.max_bias)
        check_positive("max_local_bias", self.max_local_bias, infinite=True)
        check_not_negative("min_expected", self.min_expected)
        check_not_negative("min_power", self.min_power)
        if self.min_power >= 1:
            msg = f"min_power={self.min_power!r} can never be reached; expected a number from 0 to below 1"
            raise InputError(msg)

    @property
    def alpha(self) -> float:
        """Error probability of each one-sided limit."""
        return 1 - self.confidence


def check_number(name: str, value: object) -> float:
    """Return ``value`` as a builtin number.

    Raises:
        InputTypeError: If it is not a real number (booleans are not).
        InputError: If it is NaN.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        msg = f"{name}={value!r} is a {type(value).__name__}; expected a number"
        raise InputTypeError(msg)
    if math.isnan(value):
        msg = f"{name} is NaN; expected a number"
        raise InputError(msg)
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def check_positive(name: str, value: object, *, infinite: bool = False) -> float:
    """Return ``value`` if it is a positive number, finite unless ``infinite``."""
    number = check_number(name, value)
    if number <= 0 or (math.isinf(number) and not infinite):
        msg = f"{name}={value!r} is out of range; expected a positive{'' if infinite else ' finite'} number"
        raise InputError(msg)
    return number


def check_not_negative(name: str, value: object) -> float:
    """Return ``value`` if it is a finite number and not negative."""
    number = check_number(name, value)
    if number < 0 or math.isinf(number):
        msg = f"{name}={value!r} is out of range; expected a finite number, 0 or more"
        raise InputError(msg)
    return number


def check_fraction(name: str, value: object, *, least: float = 0.0) -> float:
    """Return ``value`` if it lies between ``least`` and 1, both excluded."""
    number = check_number(name, value)
    if not least < number < 1:
        msg = f"{name}={value!r} is out of range; expected a number above {least:g} and below 1"
        raise InputError(msg)
    return number


def check_positive_integer(name: str, value: object, *, least: int = 1) -> int:
    """Return ``value`` if it is an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        msg = f"{name}={value!r} is a {type(value).__name__}; expected an integer"
        raise InputTypeError(msg)
    if value < least:
        msg = f"{name}={value!r} is too small; expected at least {least}"
        raise InputError(msg)
    return int(value)

"""Numbers in sentences are honest."""

from __future__ import annotations

import math

import pytest

from pytest_ganvalid.reasons import count, percent


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.95, "95 %"), (0.99999, "above 99.99 %"), (1.0, "100 %"), (0.0285, "2.85 %"), (1e-9, "1e-07 %"), (0.0, "0 %")],
)
def test_probability_is_not_rounded_to_certainty(fraction: float, text: str) -> None:
    """A probability below one is never printed as 100 %."""
    assert percent(fraction) == text


@pytest.mark.parametrize(("number", "text"), [(1_234_567, "1,234,567"), (math.inf, "∞"), (2.6, "3")])
def test_counts_are_readable(number: float, text: str) -> None:
    """Numbers of events are grouped by thousands, and infinity is a sign."""
    assert count(number) == text

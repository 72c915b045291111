"""Results are frozen, and of builtins only."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv

FOUND = gv.compare(
    gv.Counts([105, 212, 287, 214, 182]), gv.Counts([812, 1630, 2421, 1577, 1560]), n_required=500, name="mass"
)
REPORT = gv.combine({"mass": FOUND}, provenance={"note": [1, 2.5, None]})
BUILTINS = (str, int, float, bool, type(None))


def leaves(value: object) -> list[object]:
    """All scalars inside a result."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [leaf for field in dataclasses.fields(value) for leaf in leaves(getattr(value, field.name))]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_results_hold_builtins_only() -> None:
    """No numpy scalar hides in a result, so it can cross any process boundary."""
    scalars: Any = (np.int32(2_000_000_000), np.int64(5), np.float32(1))
    plan = gv.plan(scalars[0], bins=scalars[1], max_bias=scalars[2])
    found = gv.compare(
        gv.Counts([50, 60]), gv.Counts([70, 80]), n_required=scalars[0], max_bias=scalars[2], n_train=scalars[1]
    )
    assert plan.n_generated == 20_000_000_000
    results = (FOUND, REPORT, found, plan, gv.chi2_test(gv.Counts([5, 6]), gv.Counts([7, 8])))
    for result in results:
        assert {type(leaf) for leaf in leaves(result)} <= {*BUILTINS, gv.Verdict}


def test_results_are_frozen() -> None:
    """A verdict cannot be changed after the fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        FOUND.verdict = gv.Verdict.ROBUST  # type: ignore[misc]


def test_verdict_is_a_plain_word() -> None:
    """A verdict equals and prints as its word."""
    assert gv.Verdict.ROBUST == "ROBUST"
    assert f"{gv.Verdict.BIASED}" == "BIASED"


def test_report_must_follow_from_its_comparisons() -> None:
    """A report cannot be made whose verdict contradicts its comparisons, or that has none."""
    with pytest.raises(gv.InputError, match="does not follow"):
        dataclasses.replace(REPORT, verdict=gv.Verdict.ROBUST)
    with pytest.raises(gv.InputError, match="without a comparison"):
        dataclasses.replace(REPORT, comparisons={})


@pytest.mark.parametrize("name", gv.__all__)
def test_public_names_exist(name: str) -> None:
    """Every public name can be imported and is listed."""
    value: Any = getattr(gv, name)
    assert value is not None
    assert name in dir(gv)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails like in any module."""
    with pytest.raises(AttributeError, match="no attribute 'comparre'"):
        _ = gv.comparre


def test_interval_contains() -> None:
    """A number can be looked up in an interval."""
    interval = gv.Interval(lower=1.0, estimate=2.0, upper=math.inf)
    assert 1.0 in interval
    assert 1e300 in interval
    assert 0.9 not in interval

"""Results are frozen, of builtins only, and read back exactly or not at all."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

import pytest_ganvalid as gv

FOUND = gv.compare([105, 212, 287, 214, 182], [812, 1630, 2421, 1577, 1560], n_required=500, name="mass")
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
    results = (FOUND, gv.combine({"mass": FOUND}), gv.plan(100, bins=5), gv.chi2_test([5, 6], [7, 8]))
    for result in results:
        assert {type(leaf) for leaf in leaves(result)} <= {*BUILTINS, gv.Verdict}


def test_results_are_frozen() -> None:
    """A verdict cannot be changed after the fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        FOUND.verdict = gv.Verdict.ROBUST  # type: ignore[misc]


def test_infinity_is_null_with_a_flag() -> None:
    """The JSON is strict: an infinite number is null beside a flag that says so."""
    data = json.loads(FOUND.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert math.isinf(FOUND.n_equivalent.upper)
    assert data["n_equivalent"]["upper"] is None
    assert data["n_equivalent"]["upper_infinite"] is True
    assert "lower_infinite" not in data["n_equivalent"]


def test_verdict_is_a_plain_word() -> None:
    """A verdict equals and prints as its word."""
    assert gv.Verdict.ROBUST == "ROBUST"
    assert f"{gv.Verdict.BIASED}" == "BIASED"


def test_plan_survives_json() -> None:
    """A plan read back from its JSON text equals the original."""
    plan = gv.plan(1000, bins=20, observables=3)
    assert gv.Plan.from_json(plan.to_json()) == plan


def _without(key: str) -> str:
    return json.dumps({name: value for name, value in json.loads(FOUND.to_json()).items() if name != key})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a JSON text"),
        ("[]", "expected JSON of kind 'comparison'"),
        (json.dumps({"kind": "report", "version": 1}), "got kind 'report'"),
        (json.dumps({"kind": "comparison", "version": 99}), "version 99"),
        (_without("power"), r"missing \['power'\]"),
        (FOUND.to_json().replace('"power"', '"pover"'), r"missing \['power'\], unknown \['pover'\]"),
    ],
)
def test_foreign_json_is_refused(text: str, words: str) -> None:
    """Text that is no comparison of this version is refused with what is wrong."""
    with pytest.raises(gv.InputError, match=words):
        gv.Comparison.from_json(text)


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

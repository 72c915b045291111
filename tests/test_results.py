"""Results are frozen, of builtins only, and read back exactly or not at all."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_ganvalid as gv

FOUND = gv.compare([105, 212, 287, 214, 182], [812, 1630, 2421, 1577, 1560], n_required=500, name="mass")
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
    found = gv.compare([50, 60], [70, 80], n_required=scalars[0], max_bias=scalars[2], n_train=scalars[1])
    assert plan.n_generated == 20_000_000_000
    results = (FOUND, REPORT, found, plan, gv.chi2_test([5, 6], [7, 8]))
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


def paths(tree: object) -> list[tuple[Any, ...]]:
    """The place of every value in a JSON tree."""
    items = list(tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ())
    return [(key,) for key, _ in items] + [(key, *path) for key, value in items for path in paths(value)]


PATHS = paths(json.loads(REPORT.to_json()))


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_mangled_json_is_refused_or_harmless(data: st.DataObject) -> None:
    """Whatever replaces one value of a report's JSON, reading it gives an InputError or a whole report."""
    tree = json.loads(REPORT.to_json())
    node = tree
    path = data.draw(st.sampled_from(PATHS))
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = data.draw(JSON)
    try:
        report = gv.Report.from_json(json.dumps(tree))
    except gv.InputError:
        return
    assert gv.Report.from_json(report.to_json()) == report


@pytest.mark.parametrize("text", [None, 3, "[" * 100_000, b"\xff", ""])
def test_what_is_no_text_is_refused(text: Any) -> None:
    """Reading anything but a JSON text is an InputError."""
    with pytest.raises(gv.InputError, match="not a JSON text"):
        gv.Comparison.from_json(text)


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

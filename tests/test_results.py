"""Results are frozen, and of builtins only."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
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
    if isinstance(value, Sequence) and not isinstance(value, str):
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


def test_a_report_supports_what_its_weakest_comparison_does() -> None:
    """The smallest n_supported counts, that of a stratum divided by its share; of equals, the first."""
    half = dataclasses.replace(FOUND, n_supported=FOUND.n_supported * 0.75, share=0.5)
    endless = dataclasses.replace(FOUND, n_supported=math.inf)
    for comparisons, weakest, supported in (
        ({"endless": endless, "half": half}, "half", 1.5 * FOUND.n_supported),
        ({"half": half, "whole": FOUND}, "whole", FOUND.n_supported),
        ({"whole": FOUND, "again": FOUND, "half": half}, "whole", FOUND.n_supported),
        ({"first": endless, "second": endless}, "first", math.inf),
    ):
        report = dataclasses.replace(REPORT, comparisons=comparisons)
        assert (report.weakest, report.n_supported) == (weakest, supported)
        assert gv.Report.from_json(report.to_json()) == report


def test_what_is_written_of_the_weakest_must_follow() -> None:
    """JSON holds n_supported and the weakest; where they do not follow from the comparisons they are refused."""
    document = json.loads(REPORT.to_json())
    assert (document["weakest"], document["n_supported"]) == ("mass", FOUND.n_supported)
    for name, wrong in (("weakest", "peak"), ("n_supported", 2 * FOUND.n_supported), ("n_supported", True)):
        with pytest.raises(gv.InputError, match=rf"^{name}: expected .*; got"):
            gv.Report.from_json(json.dumps(document | {name: wrong}))
    infinite = {"n_supported": None, "n_supported_infinite": True}
    with pytest.raises(gv.InputError, match="which follows from the other fields"):
        gv.Report.from_json(json.dumps(document | infinite))


def test_an_older_report_is_read() -> None:
    """A document without what was skipped and what is the weakest is read as one that skipped nothing."""
    document = json.loads(REPORT.to_json())
    for name in ("skipped", "weakest", "n_supported"):
        del document[name]
    assert gv.Report.from_json(json.dumps(document)) == REPORT
    skipped = dataclasses.replace(REPORT, skipped={"word": "not numeric"})
    assert gv.Report.from_json(skipped.to_json()).skipped == {"word": "not numeric"}
    with pytest.raises(gv.InputError, match=r"skipped\.word: expected a string"):
        gv.Report.from_json(json.dumps(document | {"skipped": {"word": 1}}))


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


def test_documents_without_attempts_are_of_a_first_one() -> None:
    """What was written before attempts were counted is read as a first and only one."""
    found = gv.compare(gv.Counts([1000, 1100, 900]), gv.Counts([2000, 2100, 1900]), n_required=50)
    document = json.loads(found.to_json())
    assert (document.pop("attempt"), document.pop("looks")) == (1, 1)
    assert document.pop("n_equivalent_nominal") == found.n_equivalent.lower
    old = gv.Comparison.from_json(json.dumps(document))
    assert (old.attempt, old.looks, old.n_systematic) == (1, 1, found.n_systematic)


def test_a_repr_is_one_line() -> None:
    """Reports and comparisons say their verdict and numbers in a line, however many bins there are."""
    supported = f"{math.floor(FOUND.n_supported):,}"
    assert repr(FOUND) == f"Comparison('mass': {FOUND.verdict} at n_required 500, n_supported {supported})"
    assert repr(REPORT) == f"Report({REPORT.verdict} at n_required 500, n_supported {supported} ('mass'), 1 observable)"
    infinite = dataclasses.replace(FOUND, n_supported=math.inf, name="a\n\x1b")
    assert repr(infinite) == f"Comparison('a\\n\\x1b': {FOUND.verdict} at n_required 500, n_supported ∞)"


def test_notebooks_show_a_table() -> None:
    """A notebook shows verdict, weakest observable and a row for each; whatever they are called is text."""
    name = "<script>alert(1)</script>\u202e"
    report = dataclasses.replace(REPORT, comparisons={"mass": FOUND, name: FOUND}, notes=("<b>so</b>",))
    shown = report._repr_html_()
    assert f"<strong>{report.verdict}</strong>" in shown
    assert shown.count('<th scope="row">') == 2
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in shown
    assert shown.count(f"{math.floor(FOUND.n_supported):,}") >= 3

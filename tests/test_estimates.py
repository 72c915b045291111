"""One number per sample, as a user compares it: what is accepted, what comes back, what is said."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.report.text import as_report, explain, headline
from pytest_ganvalid.results import Estimate, EstimateComparison, Report, worst_verdict

ROBUST = compare_estimates((91.2034, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000, name="peak")
BIASED = compare_estimates((91.25, 0.0025, 1e6), (91.2021, 0.0025, 1e6), n_required=50_000, n_train=1_000, name="peak")
UNPROVEN = compare_estimates((0.512, 0.01, 1e4), (0.515, 0.011, 9e3), n_required=5_000)


def test_numbers_are_those_of_the_formula() -> None:
    """Every number of a comparison follows from two values, their errors and n_required."""
    c, sigma = ROBUST, 0.0025 * math.sqrt(20)
    assert c.verdict is gv.Verdict.ROBUST
    assert c.required_error == pytest.approx(sigma)
    assert c.difference == pytest.approx(0.0013)
    reach = 1.6448536 * 0.0025 * math.sqrt(2) / sigma
    assert c.bias.lower == 0
    assert c.bias.upper == pytest.approx(0.0013 / sigma + reach)
    assert c.n_supported == pytest.approx(50_000 / c.bias.upper**2)
    assert c.n_equivalent.lower == pytest.approx(c.n_supported)
    assert c.n_equivalent.estimate == pytest.approx(1e6 * (0.0025 / 0.0013) ** 2)
    assert math.isinf(c.n_equivalent.upper)
    assert c.n_systematic == c.n_equivalent.lower
    assert BIASED.n_systematic == 1_000
    assert BIASED.bias.lower == pytest.approx(0.0479 / sigma - reach)


def test_about_eleven_times_n_required_are_asked_for() -> None:
    """With any number of generated events it takes 10.8 times n_required reference events, more with few."""
    assert UNPROVEN.n_reference_needed / 5_000 == pytest.approx(12.02, abs=0.01)
    many = compare_estimates((0.512, 1e-5, 1e10), (0.515, 0.011, 9e3), n_required=5_000)
    assert many.n_reference_needed / 5_000 == pytest.approx(10.82, abs=0.01)
    assert any("it takes 54,112 reference events (have 9,000" in reason for reason in many.reasons)


def test_required_error_may_be_given() -> None:
    """A known error bar of n_required events needs no numbers of events, and gives the same verdict."""
    sigma = ROBUST.required_error
    pairs = compare_estimates((91.2034, 0.0025), (91.2021, 0.0025), n_required=50_000, required_error=sigma)
    assert pairs.bias == ROBUST.bias
    assert pairs.n_reference == pytest.approx(1e6)
    assert pairs.power == pytest.approx(ROBUST.power)
    twice = compare_estimates((91.2034, 0.0025), (91.2021, 0.0025), n_required=50_000, required_error=2 * sigma)
    assert twice.bias.upper == pytest.approx(ROBUST.bias.upper / 2)


def test_units_and_order_do_not_matter() -> None:
    """Another unit changes no verdict and no number of events; exchanging the sides mirrors the difference."""
    metres = compare_estimates((91_203.4, 2.5, 1e6), (91_202.1, 2.5, 1e6), n_required=50_000)
    assert metres.n_supported == pytest.approx(ROBUST.n_supported)
    mirrored = compare_estimates((91.2021, 0.0025, 1e6), (91.2034, 0.0025, 1e6), n_required=50_000)
    assert mirrored.difference == -ROBUST.difference
    assert mirrored.bias == ROBUST.bias


def test_estimates_of_any_number_type_become_builtins() -> None:
    """Scalars of numpy and an Estimate are accepted, and results hold builtins only."""
    given = Estimate(np.float32(0.5), np.float64(0.01), np.int64(2_500))  # type: ignore[arg-type]
    c = compare_estimates(given, (np.float64(0.501), 0.01, 2_500), n_required=np.int32(100), n_train=np.int64(7))  # type: ignore[arg-type]
    leaves = [*dataclasses.asdict(c).values(), *dataclasses.astuple(c.generated), *dataclasses.astuple(c.bias)]
    kinds = {type(leaf) for leaf in leaves}
    assert kinds <= {str, int, float, tuple, dict, type(None), gv.Verdict}


@pytest.mark.parametrize("c", [ROBUST, BIASED, UNPROVEN], ids=lambda c: str(c.verdict))
def test_comparison_survives_json(c: EstimateComparison) -> None:
    """A comparison read back from its JSON text equals the original, and is not taken for one of histograms."""
    assert EstimateComparison.from_json(c.to_json()) == c
    with pytest.raises(gv.InputError, match="expected JSON of kind 'comparison', version 2; got kind 'estimate'"):
        gv.Comparison.from_json(c.to_json())


def test_report_of_both_kinds_survives_json() -> None:
    """A report of histograms and numbers restores each as what it was, and tells them apart."""
    histogram = gv.compare(gv.Counts([900, 1_100]), gv.Counts([1_000, 1_000]), n_required=100)
    comparisons: dict[str, gv.Comparison | EstimateComparison] = {"pt": histogram, "peak": ROBUST, "eta": histogram}
    report = Report(
        verdict=worst_verdict(c.verdict for c in comparisons.values()),
        reasons=("why",),
        n_required=100,
        comparisons=comparisons,
    )
    assert Report.from_json(report.to_json()) == report
    assert (list(report.histograms), list(report.estimates)) == (["pt", "eta"], ["peak"])
    kinds: list[Any] = ["guess", None, 3, []]
    for kind in kinds:
        tree = json.loads(report.to_json())
        tree["comparisons"]["pt"]["kind"] = kind
        with pytest.raises(gv.InputError, match=r"comparisons\.pt\.kind: expected one of"):
            Report.from_json(json.dumps(tree))


def test_text_tells_all_numbers() -> None:
    """The text has both values with errors, the bias with its limits, what is supported, and what to do."""
    text = re.sub(r"\n {4,}", " ", explain(BIASED, details=True))  # broken lines made whole
    for words in (
        "peak: BIASED",
        "generated     91.2500 ± 0.0025",
        "reference     91.2021 ± 0.0025",
        "difference    +0.0479; the error bar of 50,000 events is 0.0112",
        "bias          4.28, from 3.76 to 4.8 error bars of 50,000 events (limit 1)",
        "n_equivalent  2,724, from 2,166 to 3,529 events (2.17 to 3.53 times n_train 1,000)",
        "n_supported   2,166 (n_required 50,000)",
        "samples       1,000,000 generated, 1,000,000 reference events (effective); power 0.871",
        "  - a disagreement is demonstrated at 95 % confidence: the bias is at least 3.76 error bars",
        "  - more events cannot help: improve the generator, or lower n_required to what it supports, 2,166 at most",
        "  - until then an analysis must keep the relative error bars of 1,000 events",
    ):
        assert words in text
    first = "UNPROVEN: 1 of 1 observable at n_required 5,000; supported 1,444 (estimate)"
    assert headline(as_report(UNPROVEN)) == first
    assert "worst bins" not in text
    assert "systematic" not in explain(ROBUST, details=True)


@pytest.mark.parametrize(
    ("generated", "reference", "verdict", "words"),
    [
        ((91.2034, 0.0025, 1e6), (91.2021, 0.0025, 1e6), "ROBUST", ["the bias is at most 0.636 error bars of 50,000"]),
        (
            (0.512, 0.01, 1e4),
            (0.515, 0.011, 9e3),
            "UNPROVEN",
            [
                "lies between 0 and 5.88",
                "reference events and 4,968,859 generated events (have 9,000 and 10,000)",
            ],
        ),
        ((5, 1, 1e6), (5, 1, 1e6), "UNPROVEN", ["the two estimates are identical in value and error"]),
        ((5.2, 1, 1e6), (5, 1, 1e6), "ROBUST", []),
        (
            (5, 1, 1e6),
            (5, 1.1, 1e6),
            "UNPROVEN",
            ["too good for independent samples", "differ by 0", "were they rounded"],
        ),
        (
            (91.19, 0.02, 1e6),
            (80, 30, 1e6),
            "UNPROVEN",
            ["the error of one generated event", "is 0.000667 times that of one reference event"],
        ),
        (
            Estimate(5.2, 1, 1e6, 4),
            Estimate(5, 1, 1e6, 9),
            "UNPROVEN",
            [
                "the error of the generated estimate is carried by about 2 of its events, or as uncertain as if",
                "the error of the reference estimate is carried by about 4 of its events",
                "(9 degrees of freedom, at least 10 are needed): use a quantile, an efficiency or a histogram",
                "more than 10 groups of a jackknife",
            ],
        ),
        ((50, 3, 1e6), (5, 1, 1e6), "BIASED", ["more events cannot help: improve the generator"]),
        (
            (10.5, 1, 2e6),
            (5, 1, 2e6),
            "UNPROVEN",
            [
                "the samples seem to differ (p = 0.0001 for perfect agreement)",
                "at the best estimate the generator is worth 66,116 events",
                "this one is worse, or unlucky; these data support n_required 32,",
            ],
        ),
    ],
)
def test_reasons_say_what_would_help(generated: Any, reference: Any, verdict: str, words: list[str]) -> None:
    """Each verdict comes with its number and, unless ROBUST, with what would change it."""
    c = compare_estimates(generated, reference, n_required=50_000)
    assert c.verdict == verdict
    for word in words:
        assert word in " ".join(c.reasons)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"generated": 5.0},
            gv.InputTypeError,
            "generated is a float; expected an Estimate, or .*; a number without an",
        ),
        ({"generated": [5.0, 1.0]}, gv.InputTypeError, "generated is a list; .*; events are compared by validate"),
        ({"generated": np.ones(50)}, gv.InputTypeError, "is a ndarray; .*; events are compared by validate"),
        ({"reference": {"x": [1]}}, gv.InputTypeError, "reference is a dict"),
        ({"reference": (5.0,)}, gv.InputTypeError, "reference is a tuple of 1; expected"),
        (
            {"reference": (np.ones(3), np.ones(3))},
            gv.InputTypeError,
            "reference: value=.* is a ndarray; expected a num",
        ),
        ({"reference": None}, gv.InputTypeError, "reference is a NoneType"),
        ({"generated": (math.nan, 1, 10)}, gv.InputError, "generated: value is NaN"),
        ({"generated": (math.inf, 1, 10)}, gv.InputError, "generated: value=inf is infinite"),
        ({"generated": (1, 0, 10)}, gv.InputError, "error=0.0; expected a positive standard error: .*bootstrap"),
        ({"reference": (1, -0.1, 10)}, gv.InputError, "reference: error=-0.1; expected a positive"),
        ({"reference": (1, 0.1, 0)}, gv.InputError, "reference: n_events=0 is out of range"),
        ({"reference": (1, 0.1)}, gv.InputError, "the reference has no n_events.* or required_error"),
        ({"required_error": 0}, gv.InputError, "required_error=0 is out of range"),
        ({"required_error": "1"}, gv.InputTypeError, "required_error='1' is a str"),
        ({"n_required": 0}, gv.InputError, "n_required=0 is out of range"),
        ({"n_train": -1}, gv.InputError, "n_train=-1"),
        ({"confidence": 0.2}, gv.InputError, "confidence=0.2"),
        ({"max_bias": 0}, gv.InputError, "max_bias=0"),
        ({"min_power": 1}, gv.InputTypeError, "min_power is gone"),
    ],
)
def test_what_admits_no_verdict_is_refused(changes: dict[str, Any], error: type[Exception], words: str) -> None:
    """Numbers without errors, other kinds of data and impossible settings are refused with the remedy."""
    arguments = {"generated": (1.0, 0.1, 1_000), "reference": (1.1, 0.1, 1_000), "n_required": 10, **changes}
    with pytest.raises(error, match=words):
        compare_estimates(**arguments)


@pytest.mark.parametrize("dof", [0, 0.5, -1, math.nan])
def test_impossible_degrees_of_freedom_are_refused(dof: float) -> None:
    """An error bar without a degree of freedom does not exist."""
    with pytest.raises(gv.InputError, match="dof"):
        Estimate(1.0, 0.1, 100, dof)


def test_histograms_are_sent_to_compare() -> None:
    """A histogram is refused with the function that takes it."""
    hist = pytest.importorskip("hist")
    filled = hist.Hist.new.Reg(3, 0, 1).Double().fill([0.1, 0.5])
    with pytest.raises(gv.InputTypeError, match=r"generated is a Hist; .*; histograms are compared by compare"):
        compare_estimates(filled, filled, n_required=10)

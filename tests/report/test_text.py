"""Text for terminals: honest numbers, and nothing that steers the terminal."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pytest_ganvalid as gv
from pytest_ganvalid.report.text import explain, summary

UNPROVEN = gv.compare(
    gv.Counts([105, 212, 287, 214, 182]), gv.Counts([812, 1630, 2421, 1577, 1560]), n_required=500, name="mass"
)


def test_supported_number_is_not_rounded_up() -> None:
    """The n_required that is printed as supported is one, so following the advice gives ROBUST."""
    assert UNPROVEN.n_supported == pytest.approx(366.144, abs=5e-4)
    unproven = replace(UNPROVEN, n_supported=366.9)
    expected = UNPROVEN.expected_n_supported
    between = f"{int(expected.lower):,} to {int(expected.upper):,}"
    assert f"n_supported   366 (n_required 500; a perfect generator gets {between})" in explain(unproven)
    assert "supported 366 (mass" in summary("test", unproven)
    rng = np.random.default_rng(0)
    for _ in range(100):
        counts = [gv.Counts(rng.multinomial(3_000, [0.1] * 10)) for _ in range(2)]
        supported = gv.compare(*counts, n_required=400).n_supported
        if supported > 20:  # below no generator could be BIASED
            supported = math.floor(supported)
            assert gv.compare(*counts, n_required=supported).robust


def test_nothing_is_supported_by_samples_that_demonstrate_nothing() -> None:
    """Samples that are not independent, or too few, support no n_required at all."""
    same = gv.compare(
        gv.Counts([1000, 2000, 3000, 4000]), gv.Counts([1000, 2000, 3000, 4000]), n_required=10, name="copy"
    )
    few = gv.compare(gv.Counts([3, 4]), gv.Counts([4, 3]), n_required=10, name="few")
    for found in (same, few):
        assert found.n_supported == 0
        assert "supported 0" in summary("test", found)


def test_notes_are_told() -> None:
    """What a report notes stands before its observables, on a line each."""
    report = replace(gv.combine({"mass": UNPROVEN}), notes=("near copies were not\nlooked for", "another"))
    head = explain(report).partition("mass:")[0]
    assert "note: near copies were not\\nlooked for\nnote: another\n" in head
    assert "note:" not in explain(UNPROVEN)


def test_what_is_not_compared_is_told() -> None:
    """What was skipped stands on one line before the observables, with its reason."""
    report = replace(gv.combine({"mass": UNPROVEN}), skipped={"run\nnumber": "has one value", "word": "not numeric"})
    head = explain(report).partition("mass:")[0]
    assert "\nnot compared: run\\nnumber (has one value), word (not numeric)\n" in head
    assert "not compared" not in explain(UNPROVEN)


def test_hostile_names_stay_on_their_line() -> None:
    """Line breaks and escape sequences in a name are shown, not obeyed."""
    found = gv.compare(gv.Counts([50, 60]), gv.Counts([70, 80]), n_required=10, name="a\nb\x1b[31mc")
    text = explain(found) + summary("test", found)
    assert "\x1b" not in text
    assert "a\\nb\\x1b[31mc: " in text


def test_robust_comparison_is_told_without_worst_bins() -> None:
    """Where nothing is wrong no bin is accused and no systematic is asked for."""
    good = gv.compare(
        gv.Counts([10_100, 9_900, 10_050]), gv.Counts([20_000, 20_100, 19_900]), n_required=1_000, name="good"
    )
    assert good.robust
    assert "worst bins" not in explain(good)
    assert "systematic" not in explain(good)


def test_attempts_and_looks_are_told() -> None:
    """A later attempt, or one of several looks, is told with its level; of a first and only one nothing is said."""
    counts = tuple(map(np.array, ([105, 212, 287, 214, 182], [812, 1630, 2421, 1577, 1560])))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"attempt": 3}, "attempt 3, at level 0.00417"),
        ({"looks": 3}, "one of 3 planned looks, at level 0.0232"),
        ({"attempt": 2, "looks": 3}, "attempt 2, one of 3 planned looks, at level 0.00386"),
    ]
    for keywords, words in cases:
        found = gv.compare(gv.Counts(counts[0]), gv.Counts(counts[1]), n_required=500, name="mass", **keywords)
        assert f"not ROBUST; {words}" in explain(found).partition("\n")[0]
        assert summary("test", found).endswith(f"1 observable); {words}")
    assert "level" not in explain(UNPROVEN)
    assert summary("test", UNPROVEN).endswith("1 observable)")


def test_the_confidence_of_a_later_attempt_is_that_of_its_level() -> None:
    """What is demonstrated at attempt 2 is so at the confidence of a level of 0.05/6."""
    far = np.array([1000.0, 2000, 1000]), np.array([2000.0, 1000, 1000])
    found = gv.compare(gv.Counts(far[0]), gv.Counts(far[1]), n_required=500, attempt=2)
    assert "a disagreement is demonstrated at 99.17 % confidence" in explain(found)

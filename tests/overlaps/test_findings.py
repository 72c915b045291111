"""What is found is said in sentences, with numbers, examples and what to do."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_ganvalid import _json
from pytest_ganvalid.overlaps.findings import Independence, Overlap

SHARED = Overlap(
    sides=("reference", "training"),
    columns=("pt", "y"),
    precision="double",
    rows=1_234,
    rows_lower=1_234,
    rows_upper=1_234,
    distinct=1_234,
    of=10_000,
    expected_by_chance=0.00012345,
    beyond_chance=True,
    exact=True,
    seen_from=0.0002,
    seen_rounded_from=0.0123,
    examples=({"pt": 1 / 3, "y": "nan"}, {"pt": 25.0, "y": -1e-9}),
)
EXAMPLES = "; for example (pt = 0.333333333, y = nan), (pt = 25, y = -1e-09)"


def _overlap(**changes: Any) -> Overlap:
    return replace(SHARED, **changes)


def test_an_overlap_is_told() -> None:
    """The sentence says how many of how many, what chance allows, examples and the remedy."""
    assert SHARED.sentence() == (
        "1,234 of 10,000 reference rows are also in the training sample, where chance allows for 0.000123 at most"
        f"{EXAMPLES}; take a reference that the training has not seen"
    )
    assert _overlap(examples=()).sentence().endswith("at most; take a reference that the training has not seen")


@pytest.mark.parametrize(
    ("sides", "remedy"),
    [
        (("reference", "training"), "take a reference that the training has not seen"),
        (("generated", "training"), "train it on more events"),
        (("generated", "reference"), "generate anew, with a generator that has never seen the reference"),
    ],
)
def test_each_pair_of_samples_has_its_remedy(sides: tuple[str, str], remedy: str) -> None:
    """What is to be done depends on which samples share rows."""
    sentence = _overlap(sides=sides).sentence()
    assert f"{sides[0]} rows are also in the {sides[1]} sample" in sentence
    assert sentence.endswith(remedy)


def test_a_part_of_the_rows_is_told_with_its_interval() -> None:
    """Estimates have an interval, and rounded rows their precision."""
    told = _overlap(exact=False, rows_lower=1_000, rows_upper=1_500, precision="half").sentence()
    assert told.startswith(
        "1,234 of 10,000 reference rows (in half precision) are also in the training sample (95 % interval 1,000 to "
        "1,500, from a part of them), where chance"
    )
    assert "(in single precision)" in _overlap(precision="single").sentence()
    assert "interval" not in SHARED.sentence()


def test_what_chance_explains_is_told_without_alarm() -> None:
    """Rows that are shared by chance are told with what chance allows, and neither examples nor remedies."""
    assert _overlap(beyond_chance=False, expected_by_chance=2_345.6).sentence() == (
        "1,234 of 10,000 reference rows are also in the training sample; chance allows for 2.35e+03"
    )


def test_a_pattern_is_told_as_one() -> None:
    """If not the number of rows is too large but their pattern strange, that is what is said."""
    told = _overlap(expected_by_chance=1_234.0).sentence()
    assert "sample, too evenly, or in too many rare rows, for independent samples; for example" in told
    assert "where chance allows for 1.23e+03 at most" in _overlap(expected_by_chance=1_233.0).sentence()


def test_what_would_have_been_seen_is_told() -> None:
    """The smallest shares of copies that would have been seen are said, as they are and rounded, or that none would."""
    assert SHARED.sensitivity() == (
        "reference rows that are copies of training rows are seen from a share of 0.02 % on, "
        "if they were rounded, 1.2 %"
    )
    assert _overlap(seen_rounded_from=math.inf).sensitivity().endswith("if they were rounded, at no share")
    assert _overlap(seen_rounded_from=1.0).sensitivity().endswith("if they were rounded, 100 %")
    assert _overlap(seen_from=math.inf).sensitivity() == (
        "reference rows that are copies of training rows cannot be seen in pt, y: chance repeats as many"
    )
    assert "are seen from a share of 100 % on" in _overlap(seen_from=1.0).sensitivity()


def test_reasons_are_all_that_speaks_against_independence() -> None:
    """Overlaps beyond chance, repeated reference rows and what could not be known are reasons; all else is none."""
    quiet = _overlap(beyond_chance=False)
    nothing = Independence(overlaps=(quiet,), duplicates={"reference": 5, "generated": 7}, notes=("a note",))
    assert nothing.independent
    assert nothing.reasons() == ()
    of_its_own = replace(nothing, duplicated=("generated",))  # which the comparison judges
    assert of_its_own.independent
    every = replace(
        nothing,
        overlaps=(SHARED, quiet, _overlap(sides=("generated", "reference"))),
        duplicated=("generated", "reference"),
        examples=SHARED.examples,
        obstacles=("nothing is known",),
    )
    assert not every.independent
    assert every.reasons() == (
        SHARED.sentence(),
        every.overlaps[2].sentence(),
        "5 reference rows repeat another one, more than independent events would"
        f"{EXAMPLES}; was a file read twice? keep each event once",
        "nothing is known",
    )
    assert replace(nothing, obstacles=("nothing is known",)).reasons() == ("nothing is known",)


def test_findings_survive_json() -> None:
    """What is found is builtins only, and the same after JSON, infinite numbers included."""
    result = Independence(
        overlaps=(SHARED, _overlap(seen_from=math.inf, seen_rounded_from=math.inf)),
        duplicates={"reference": 5},
        duplicated=("reference",),
        columns=("pt", "y"),
        examples=SHARED.examples,
        notes=("a", "b"),
        obstacles=("c",),
    )
    text = json.dumps(_json.encode(result), allow_nan=False)
    assert _json.decode(Independence, _json.parsed(text)) == result

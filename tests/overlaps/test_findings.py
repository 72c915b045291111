"""What is found is said in sentences, with numbers, examples and what to do."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_ganvalid import _json
from pytest_ganvalid.overlaps.findings import Independence, NearCopies, Overlap, UndeclaredPairs

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
PAIRS = UndeclaredPairs(columns=("pt",), z=23.45, order="in order", counted=6_666)
NEAR = NearCopies(
    columns=("pt", "y"),
    share=0.0512,
    share_lower=0.043,
    share_upper=0.061,
    p_value=1e-9,
    close=1_044,
    close_to_reference=20,
    of=20_000,
    chance=0.001,
    nearer=0.07,
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
        "reference rows copied from the training sample would be noticed from 0.02 % of the reference rows on; "
        "rounded copies from 1.2 % on"
    )
    assert _overlap(seen_rounded_from=math.inf).sensitivity().endswith("; rounded copies not at all")
    assert _overlap(seen_rounded_from=1.0).sensitivity().endswith("; rounded copies from 100 % on")
    assert _overlap(seen_from=math.inf).sensitivity() == (
        "reference rows copied from the training sample cannot be noticed in pt, y: chance repeats as many"
    )
    assert "would be noticed from 100 % of the reference rows on" in _overlap(seen_from=1.0).sensitivity()


def test_pairs_are_told() -> None:
    """The sentence says in which columns and which order rows belong together, how clearly, and what to do."""
    start = "generated and reference rows belong together, and are no independent samples: "
    remedy = (
        '; declare the pairs, as in validate(..., cluster="event_id"), compare in bins of a condition that both share, '
        "by=..., or take independent samples"
    )
    how = "row by row, 'pt' rises and falls alike (z = 23.4 of 6,666 second differences)"
    assert PAIRS.sentence() == start + how + remedy
    part = replace(PAIRS, order="in part", lag=-3, z=-7.0, counted=80)
    how = (
        "row by row, the generated ones 3 earlier, 'pt' rises and falls alike in a part of the samples "
        "(z = -7.0 of 80 second differences)"
    )
    assert part.sentence() == start + how + remedy
    assert "the generated ones 2 later" in replace(PAIRS, lag=2).sentence()
    shuffled = UndeclaredPairs(
        columns=("pt", "y"), z=9.0, order="shuffled", counted=4_000, crossed=2_600, expected=2_000.2
    )
    how = (
        "of 4,000 rows of both, 2,600 have their nearest neighbour in ('pt', 'y') on the other side, where independent "
        "samples have 2,000 (z = 9.0)"
    )
    assert shuffled.sentence() == start + how + remedy


def test_near_copies_are_told() -> None:
    """The sentence says what share they are, how that is known, and what to do; a hundredth is tolerated."""
    assert NEAR.sentence() == (
        "5.1 % of the generated rows (95 % interval 4.3 % to 6.1 %) are near copies of training rows: 1,044 of 20,000 "
        "are as close to one in ('pt', 'y') as 0.1 % of the reference rows; the generator repeats events that it was "
        "trained on: stop its training earlier, make it smaller or train it on more events"
    )
    assert NEAR.shown
    assert not replace(NEAR, share_lower=0.01).shown
    assert NEAR.hinted
    assert not replace(NEAR, p_value=0.001).hinted


def test_reasons_are_all_that_speaks_against_independence() -> None:
    """Overlaps beyond chance, repeated reference rows and what could not be known are reasons; all else is none."""
    quiet = _overlap(beyond_chance=False)
    nothing = Independence(overlaps=(quiet,), duplicates={"reference": 5, "generated": 7}, notes=("a note",))
    assert nothing.independent
    assert nothing.reasons() == ()
    of_its_own = replace(nothing, duplicated=("generated",), distinct={"generated": 93})
    assert of_its_own.independent
    assert (nothing.distinct_generated, of_its_own.distinct_generated) == (None, 93)
    assert nothing.repeats() == ""
    assert "7 of 100 generated rows repeat another one, so that 93 are distinct" in of_its_own.repeats()
    few = replace(nothing, near=replace(NEAR, share_lower=0.009))
    assert few.independent
    every = replace(
        nothing,
        overlaps=(SHARED, quiet, _overlap(sides=("generated", "reference"))),
        duplicated=("generated", "reference"),
        examples=SHARED.examples,
        obstacles=("nothing is known",),
        pairs=PAIRS,
        near=NEAR,
    )
    assert not every.independent
    assert every.reasons() == (
        SHARED.sentence(),
        every.overlaps[2].sentence(),
        "5 reference rows repeat another one, more than independent events would"
        f"{EXAMPLES}; was a file read twice? keep each event once",
        PAIRS.sentence(),
        NEAR.sentence(),
        "nothing is known",
    )
    assert replace(nothing, obstacles=("nothing is known",)).reasons() == ("nothing is known",)


def test_findings_survive_json() -> None:
    """What is found is builtins only, and the same after JSON, infinite numbers included."""
    result = Independence(
        overlaps=(SHARED, _overlap(seen_from=math.inf, seen_rounded_from=math.inf)),
        duplicates={"reference": 5},
        duplicated=("reference",),
        distinct={"reference": 95},
        pairs=PAIRS,
        near=NEAR,
        columns=("pt", "y"),
        examples=SHARED.examples,
        notes=("a", "b"),
        obstacles=("c",),
    )
    text = json.dumps(_json.encode(result), allow_nan=False)
    assert _json.decode(Independence, _json.parsed(text)) == result

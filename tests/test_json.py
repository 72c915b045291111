"""What is written as JSON is read back exactly, or refused with the place that is wrong."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ganvalid as gv
from pytest_ganvalid._json import Range, decode, dumps, encode, loads, nested, parsed, plain, untagged
from pytest_ganvalid.estimates import compare_estimates
from pytest_ganvalid.results import Estimate

FOUND = gv.compare(
    gv.Counts([105, 212, 287, 214, 182]), gv.Counts([812, 1630, 2421, 1577, 1560]), n_required=500, name="mass"
)
NUMBER = compare_estimates(Estimate(5.2, 0.1), Estimate(5.0, 0.1, n_events=900, dof=7), n_required=500, name="peak")
REPORT = dataclasses.replace(
    gv.combine({"mass": FOUND, "peak": NUMBER}, provenance={"note": [1, 2.5, None]}), notes=("not looked for",)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """A field that follows from others."""

    width: float
    height: float
    area: float = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Find the area."""
        object.__setattr__(self, "area", self.width * self.height)


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """One of two."""

    KIND: ClassVar[str] = "circle"

    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """The other."""

    KIND: ClassVar[str] = "square"

    side: Annotated[int, Range(1)]

    def __post_init__(self) -> None:
        """Refuse a value beyond what a hint can say."""
        if self.side == 13:
            msg = "a side of 13"
            raise gv.InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A field of each type that is read."""

    whole: int
    real: float
    text: str
    truth: bool
    nothing: None
    maybe: float | None
    word: Literal["up", "down"]
    colour: Colour
    share: Annotated[float, Range(0, 1)]
    many: tuple[float, ...]
    pair: tuple[int, str]
    counts: dict[str, int]
    shapes: Mapping[str, Circle | Square]
    rows: tuple[tuple[Circle, ...], ...]
    anything: Any
    spare: tuple[str, ...] = ()
    real_infinite: bool = False


finite = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
circles = st.builds(Circle, radius=finite | st.just(math.inf))
squares = st.builds(Square, side=st.integers(1, 12))
everything = st.builds(
    Everything,
    whole=st.integers(-(10**30), 10**30),
    real=finite | st.integers(-(2**53), 2**53),
    text=any_text,
    truth=st.booleans(),
    nothing=st.none(),
    maybe=st.none() | finite | st.just(math.inf),
    word=st.sampled_from(["up", "down"]),
    colour=st.sampled_from(Colour),
    share=st.floats(0, 1),
    many=st.lists(finite | st.integers(-5, 5), max_size=4).map(tuple),
    pair=st.tuples(st.integers(), any_text),
    counts=st.dictionaries(any_text, st.integers(), max_size=3),
    shapes=st.dictionaries(any_text, circles | squares, max_size=3),
    rows=st.lists(st.lists(circles, max_size=2).map(tuple), max_size=2).map(tuple),
    anything=JSON,
    spare=st.lists(any_text, max_size=2).map(tuple),
    real_infinite=st.booleans(),
)


@given(everything)
@settings(max_examples=30)
def test_all_types_survive(value: Everything) -> None:
    """An object with fields of all types is read back equal, and writes the same text again."""
    text = dumps("everything", 3, value)
    again = loads(Everything, "everything", 3, text)
    assert again == value
    assert dumps("everything", 3, again) == text


SAMPLE = Everything(
    whole=1,
    real=0.5,
    text="t",
    truth=True,
    nothing=None,
    maybe=math.inf,
    word="up",
    colour=Colour.RED,
    share=0.5,
    many=(1.0, 2.0),
    pair=(1, "a"),
    counts={"a": 1, "b c": 2},
    shapes={"s": Square(side=2)},
    rows=((Circle(radius=1.0),),),
    anything={"x": [1]},
)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("whole",), 1.0, "whole: expected an integer; got 1.0"),
        (("whole",), True, "whole: expected an integer; got true"),
        (("real",), True, "real: expected a finite number; got true"),
        (("real",), 10**400, "real: expected a finite number; got 1000"),
        (("text",), None, "text: expected a string; got null"),
        (("truth",), 1, "truth: expected true or false; got 1"),
        (("nothing",), 0, "nothing: expected null; got 0"),
        (("rows", 0, 0, "radius"), "inf", r"rows\[0\]\[0\]\.radius: expected a finite number"),
        (("rows", 0, 0, "kind"), "square", r"rows\[0\]\[0\]\.kind: expected one of 'circle'"),
        (
            ("maybe_infinite",),
            False,
            "maybe_infinite: expected nothing, or true beside 'maybe' that is null; got false",
        ),
        (("maybe",), 1.0, "maybe_infinite: expected nothing"),
        (("text_infinite",), True, "text_infinite: expected nothing"),
        (("word",), "left", "word: expected one of 'up', 'down'; got \"left\""),
        (("colour",), "green", "colour: expected one of 'red', 'blue'"),
        (("share",), 1.5, "share: expected a finite number of at least 0 and of at most 1; got 1.5"),
        (("many", 1), "2", r"many\[1\]: expected a finite number"),
        (("many",), {}, "many: expected an array; got {}"),
        (("pair",), [1], "pair: expected an array of 2"),
        (("pair", 1), 1, r"pair\[1\]: expected a string"),
        (("counts", "b c"), 2.0, r'counts\["b c"\]: expected an integer'),
        (("counts",), [], "counts: expected an object"),
        (("shapes", "s", "kind"), "line", r"shapes\.s\.kind: expected one of 'circle', 'square'"),
        (("shapes", "s"), {"side": 1}, r"shapes\.s\.kind: expected one of 'circle', 'square'; got null"),
        (("shapes", "s", "side"), 0, r"shapes\.s\.side: expected an integer of at least 1; got 0"),
        (("shapes", "s", "side"), 13, r"shapes\.s: a side of 13"),
        (("shapes", "s", "radius"), 1.0, r"shapes\.s: .*unknown \['radius'\]"),
        (("rows", 0, 0), None, r"rows\[0\]\[0\]: expected an object"),
        (("rows", 0, 0), {"kind": "circle"}, r"rows\[0\]\[0\]: .*missing \['radius'\]"),
        (("colour_infinite",), True, "colour_infinite: expected nothing"),
        (("extra",), 1, r"the document: .*missing \[\], unknown \['extra'\]"),
    ],
)
def test_wrong_values_are_refused_by_place(path: tuple[Any, ...], value: object, words: str) -> None:
    """A value of the wrong type, range or name is refused, and the error says where it is and what was expected."""
    tree = node = json.loads(dumps("everything", 3, SAMPLE))
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(gv.InputError, match=words):
        loads(Everything, "everything", 3, json.dumps(tree))


def test_fields_with_a_default_may_be_missing() -> None:
    """A text of an older version, without a field that has a default, is read with that default; others are missed."""
    tree = json.loads(REPORT.to_json())
    del tree["notes"]
    assert gv.Report.from_json(json.dumps(tree)) == dataclasses.replace(REPORT, notes=())
    del tree["reasons"]
    with pytest.raises(gv.InputError, match=r"missing \['reasons'\]"):
        gv.Report.from_json(json.dumps(tree))


def test_infinity_is_null_with_a_flag() -> None:
    """The JSON is strict: an infinite number is null beside a flag that says so."""
    data = json.loads(FOUND.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert math.isinf(FOUND.n_equivalent.upper)
    assert data["n_equivalent"]["upper"] is None
    assert data["n_equivalent"]["upper_infinite"] is True
    assert "lower_infinite" not in data["n_equivalent"]


@pytest.mark.parametrize("result", [FOUND, NUMBER, REPORT, gv.plan(1000, bins=20, observables=3)])
def test_results_survive(result: gv.Comparison | gv.Report | gv.Plan) -> None:
    """A result read back from its JSON text, indented or not, equals the original and writes the same text."""
    again = type(result).from_json(result.to_json(indent=2).encode())
    assert again == result
    assert again.to_json() == result.to_json()


def _without(key: str) -> str:
    return json.dumps({name: value for name, value in json.loads(FOUND.to_json()).items() if name != key})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a JSON text"),
        ("[]", "expected JSON of kind 'comparison'"),
        (json.dumps({"kind": "report", "version": 1}), "got kind 'report'"),
        (json.dumps({"kind": "comparison", "version": 99}), "version 99"),
        (json.dumps({"kind": "comparison", "version": True}), "version True"),
        (_without("power"), r"missing \['power'\]"),
        (FOUND.to_json().replace('"power"', '"pover"'), r"missing \['power'\], unknown \['pover'\]"),
    ],
)
def test_foreign_json_is_refused(text: str, words: str) -> None:
    """Text that is no comparison of this version is refused with what is wrong."""
    with pytest.raises(gv.InputError, match=words):
        gv.Comparison.from_json(text)


@pytest.mark.parametrize("text", [None, 3, "[" * 100_000, b"\xff", "", "1" * 5_000])
def test_what_is_no_text_is_refused(text: Any) -> None:
    """Reading anything but a JSON text is an InputError."""
    with pytest.raises(gv.InputError, match="not a JSON text"):
        gv.Comparison.from_json(text)


@pytest.mark.parametrize("text", ['{"a": NaN}', "[-Infinity]", "1e999", '{"a": {"b": 1, "b": 2}}', "{}x"])
def test_what_json_does_not_have_is_refused(text: str) -> None:
    """NaN, infinities, numbers beyond a float, names given twice and text left over are not read."""
    with pytest.raises(gv.InputError, match="not a JSON text"):
        parsed(text)


def paths(tree: object) -> list[tuple[Any, ...]]:
    """The place of every value in a JSON tree."""
    items = list(tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ())
    return [(key,) for key, _ in items] + [(key, *path) for key, value in items for path in paths(value)]


def replaced(text: str, path: tuple[Any, ...], value: object) -> tuple[Any, str]:
    """A JSON text with another value at a place, and the value that was there."""
    tree = node = json.loads(text)
    for key in path[:-1]:
        node = node[key]
    before, node[path[-1]] = node[path[-1]], value
    return before, json.dumps(tree)


STORED = REPORT.to_json()
PATHS = paths(json.loads(STORED))
SHARES = {"power", "p_robust", "p_biased", "confidence", "p_agreement", "p_value"}
AMOUNTS = {"n_required", "n_generated", "n_reference", "n_supported", "n_reference_needed", "n_generated_needed"} | {
    "max_bias", "max_local_bias", "min_expected", "chi2", "chi2_critical", "required_error", "share", "error",
    "bins", "merged_bins", "ndf", "worst_bin", "index", "dof",
}  # fmt: skip


@pytest.mark.parametrize("path", [path for path in PATHS if path[0] != "provenance"], ids=str)
def test_every_value_of_a_report_is_looked_at(path: tuple[Any, ...]) -> None:
    """Whatever is put in the place of one value of a report, beyond its type or range, is refused; the text is read."""
    before, _ = replaced(STORED, path, None)
    wrong: list[Any] = [3 if isinstance(before, str) else "x", [[]], {"x": 1}, math.nan, math.inf]
    if isinstance(before, int | float):
        wrong += [1 if isinstance(before, bool) else True, 10**400]
    wrong += [-0.5, 1.5] if path[-1] in SHARES else [-1] if path[-1] in AMOUNTS else []
    for value in wrong:
        with pytest.raises(gv.InputError):
            gv.Report.from_json(replaced(STORED, path, value)[1])
    assert gv.Report.from_json(replaced(STORED, path, before)[1]) == REPORT


@given(st.sampled_from(PATHS), JSON)
def test_mangled_json_is_refused_or_harmless(path: tuple[Any, ...], value: Any) -> None:
    """Whatever replaces one value of a report's JSON, reading it gives an InputError or a whole report."""
    try:
        report = gv.Report.from_json(replaced(STORED, path, value)[1])
    except gv.InputError:
        return
    assert gv.Report.from_json(report.to_json()) == report


@given(JSON | st.sets(st.integers()) | st.tuples(st.floats(), st.binary()))
def test_plain_is_what_json_gives_back(value: Any) -> None:
    """Provenance made of anything comes back equal from JSON."""
    made = plain({"x": value, 3: object})
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_limits_of_a_node() -> None:
    """A node gives what is in its place within limits, ends included, and refuses what is beyond them."""
    node = parsed('{"a": [1, 2.5, "\\ud800"], "b": null, "c d": {}}')
    members = node.members()
    one, number, half_character = members["a"].items(3)
    assert (one.whole(1, 1), one.real(1, 1), number.real(2.5, 2.5), members["b"].absent()) == (1, 1.0, 2.5, True)
    assert [leaf.path for leaf in nested(members["a"], (3,))] == ["a[0]", "a[1]", "a[2]"]
    for read, words in (
        (lambda: one.whole(2, 3), r"a\[0\]: expected an integer from 2 to 3; got 1"),
        (lambda: number.real(maximum=2), r"a\[1\]: expected a finite number of at most 2; got 2\.5"),
        (half_character.text, r"a\[2\]: expected a string"),
        (lambda: members["a"].items(2), "a: expected an array of 2"),
        (lambda: members["a"].reals(3), r"a\[2\]: expected a finite number"),
        (lambda: node.fields("a"), r"unknown \['b', 'c d'\]"),
        (lambda: members["c d"].refuse("more"), r'\["c d"\]: expected more; got {}'),
        (lambda: untagged(members["c d"], "x", 1), r'\["c d"\]: expected JSON of kind \'x\''),
        (lambda: decode(Circle, members["b"]), "b: expected an object; got null"),
    ):
        with pytest.raises(gv.InputError, match=words):
            read()


def test_kinds_are_told_where_there_may_be_several() -> None:
    """What is one of several kinds says which, and what is of one kind only does not."""
    assert encode({"a": Circle(radius=1.0)}) == {"a": {"kind": "circle", "radius": 1.0}}
    assert encode(FOUND.n_equivalent).keys() >= {"lower", "estimate"}
    assert "kind" not in encode(FOUND.n_equivalent)


def test_what_is_no_character_is_refused() -> None:
    """A string with half of a character, which could not be printed, is refused by its place."""
    text = dumps("everything", 3, SAMPLE).replace('"text": "t"', '"text": "\\ud800"')
    with pytest.raises(gv.InputError, match=r"^text: expected a string"):
        loads(Everything, "everything", 3, text)


def test_what_follows_is_written_and_checked() -> None:
    """A field that follows from others is written, may be missing, and is refused if it is anything else."""
    rectangle = Rectangle(width=2.0, height=3.0)
    assert encode(rectangle) == {"width": 2.0, "height": 3.0, "area": 6.0}
    for area in ("", ', "area": 6.0', ', "area": 6'):
        assert decode(Rectangle, parsed(f'{{"width": 2.0, "height": 3.0{area}}}')) == rectangle
    with pytest.raises(gv.InputError, match=r"^area: expected 6\.0, which follows from the other fields; got 5"):
        decode(Rectangle, parsed('{"width": 2.0, "height": 3.0, "area": 5}'))
    with pytest.raises(gv.InputError, match=r"missing \['height'\]"):
        decode(Rectangle, parsed('{"width": 2.0, "area": 6.0}'))

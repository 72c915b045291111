"""Markers of module, class, function and parameters are merged; what is wrong in one is told before any test runs."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ganvalid import _markers as markers
from pytest_ganvalid._options import Settings
from pytest_ganvalid._options import keywords as accepted
from pytest_ganvalid.errors import InputError

MARK: Any = pytest.mark.ganvalid


def item(*nodes: list[Any]) -> Any:
    """A test in a chain of nodes, outermost first, each with some decorators."""
    chain = [SimpleNamespace(own_markers=[decorator.mark for decorator in node]) for node in nodes]
    return SimpleNamespace(listchain=lambda: chain, nodeid="test_a.py::test_it")


def named(name: str) -> Any:
    """A marker of a name that is not registered."""
    return SimpleNamespace(mark=SimpleNamespace(name=name, args=(), kwargs={}))


def test_markers_add_up() -> None:
    """What outer and inner nodes state holds together, and other markers do not matter."""
    outer, inner = MARK(seed=1, bins=5, n_required=10), MARK(bins=5, n_train=7)
    found = markers.keywords(item([outer], [], [pytest.mark.skip(reason="x"), inner]))
    assert found == {"seed": 1, "bins": 5, "n_required": 10, "n_train": 7}
    assert markers.keywords(item([], [])) == {}


@pytest.mark.parametrize(
    ("name", "values", "strictest"),
    [
        ("confidence", (0.9, 0.8), 0.9),
        ("max_bias", (2, 3), 2),
        ("max_local_bias", (4, 3), 3),
        ("max_directional_bias", (None, 3), 3),
        ("smooth", (True, False), True),
    ],
)
def test_the_strictest_of_all_markers_counts(name: str, values: tuple[Any, Any], strictest: object) -> None:
    """No marker relaxes a limit that another states, in whatever order they come."""
    for ordered in (values, values[::-1]):
        assert markers.keywords(item(*([MARK(**{name: value})] for value in ordered))) == {name: strictest}


@pytest.mark.parametrize(
    ("name", "outer", "inner"),
    [("bins", 5, 7), ("weight", "w", None), ("seed", 1, 2), ("observables", ["x", "y"], ["x"]), ("by", "y", "z")],
)
def test_an_inner_marker_does_not_change_what_an_outer_one_states(name: str, outer: object, inner: object) -> None:
    """Fewer observables, or another value of what has no order, is a usage error that names both and the remedy."""
    words = re.escape(f"test_a.py::test_it: ganvalid marker: {name}={inner!r} ")
    with pytest.raises(pytest.UsageError, match=rf"{words}.*a marker further out states.*(leave|name all)"):
        markers.check([item([MARK(**{name: outer})], [MARK(**{name: inner})])], Settings())


def test_an_inner_marker_may_add_observables() -> None:
    """Observables and bins of others are added to those of an outer marker, and a condition where there is none."""
    outer, inner = MARK(observables=["x"], bins={"x": 5}), MARK(observables=["x", "y"], bins={"x": 5, "y": 7}, by="z")
    assert markers.keywords(item([outer], [inner])) == {"observables": ["x", "y"], "bins": {"x": 5, "y": 7}, "by": "z"}


@pytest.mark.parametrize(
    "name",
    ["ganvalids", "ganvalidate", "Ganvalid", "GANVALID", "gan_valid", "ganvald", "ganvaild", "gvalid", "ganval"],
)
def test_a_marker_named_nearly_like_it(name: str) -> None:
    """A misspelt marker is a usage error that names the right one."""
    words = f"test_a.py::test_it: @pytest.mark.{name} is no marker of pytest-ganvalid; expected @pytest.mark.ganvalid"
    with pytest.raises(pytest.UsageError, match=re.escape(words)):
        markers.check([item([named(name)])], Settings())


@pytest.mark.parametrize(
    "name",
    [
        "invalid",
        "valid",
        "gan",
        "parametrize",
        "skipif",
        "xfail",
        "usefixtures",
        "asyncio",
        "integration",
        "validation",
    ],
)
def test_other_markers_are_left_alone(name: str) -> None:
    """The usual markers, and words that share some letters, are no misspelling."""
    markers.check([item([named(name)])], Settings())


@pytest.mark.parametrize("numbers", [(10, 20), (20, 10), (20, 20)])
def test_the_largest_n_required_counts(numbers: tuple[int, int]) -> None:
    """In whatever order they come, n_required is the largest that any marker states."""
    assert markers.keywords(item(*([MARK(n_required=n)] for n in numbers))) == {"n_required": 20}


@pytest.mark.parametrize("name", ["attempt", "looks"])
def test_attempts_and_looks_are_the_largest_of_all(name: str) -> None:
    """In whatever order markers come, the attempt and the looks are the largest that any states, and they count."""
    for numbers in ((2, 3), (3, 2), (3, 3)):
        assert markers.keywords(item(*([MARK(**{name: n})] for n in numbers))) == {name: 3}
    for wrong in (0, 1.5, True):
        with pytest.raises((ValueError, TypeError), match=f"{name}={wrong}"):
            markers.keywords(item([MARK(**{name: wrong})]))


def test_every_keyword_is_taken() -> None:
    """Each keyword of the plain function may be in a marker."""
    keywords = dict.fromkeys(accepted(), 1) | {"confidence": 0.9, "smooth": True}
    assert markers.keywords(item([MARK(**keywords)])) == keywords


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (MARK(5), "the marker takes keywords only; got (5,); expected n_required, "),
        (MARK(zeta=1, alpha=2, seed=3), "unknown keyword alpha, zeta; expected n_required, "),
        (MARK(n_requird=5), "unknown keyword n_requird (did you mean 'n_required'?); expected n_required, "),
        (MARK(n_required=0), "n_required=0 is out of range"),
    ],
)
def test_a_wrong_marker_is_a_usage_error(mark: Any, words: str) -> None:
    """What can never make sense is refused, with the name of the test."""
    with pytest.raises(InputError, match=re.escape(words)):
        markers.keywords(item([mark]))
    with pytest.raises(pytest.UsageError, match=re.escape(f"test_a.py::test_it: ganvalid marker: {words}")):
        markers.check([item(), item([mark])], Settings())


def test_all_wrong_markers_are_named_together() -> None:
    """Each error has one line, with its first test and how many more have it."""
    tests = [item([MARK(n_requird=5)]), item([named("ganvalids")]), item(), item([MARK(n_requird=5)])]
    with pytest.raises(pytest.UsageError) as caught:
        markers.check(tests, Settings())
    first, second = caught.value.args
    assert first.startswith("test_a.py::test_it and 1 more: ganvalid marker: unknown keyword n_requird (did you mean")
    assert second.startswith("test_a.py::test_it: @pytest.mark.ganvalids is no marker of")


@pytest.mark.parametrize(("stated", "option", "refused"), [(10, 9, True), (10, 10, False), (10, 11, False)])
def test_the_command_line_only_raises(stated: int, option: int, *, refused: bool) -> None:
    """An option below what a marker states is refused, at the same number it is not."""
    tests, settings = [item([MARK(n_required=stated)])], Settings(n_required=option)
    if refused:
        words = "test_a.py::test_it: --ganvalid-n-required=9 would lower the n_required=10 that the test states"
        with pytest.raises(pytest.UsageError, match=re.escape(words)):
            markers.check(tests, settings)
    else:
        markers.check(tests, settings)


def test_what_is_not_stated_is_not_lowered() -> None:
    """A test that states nothing, or a command line that says nothing, is refused nothing; nor is a lower ini file."""
    assert markers.bounded("test", {"n_required": None}, Settings(n_required=5)) == {"n_required": 5}
    assert markers.bounded("test", {"n_required": 10}, Settings(n_required_ini=5)) == {"n_required": 10}


@pytest.mark.parametrize(
    ("name", "stated", "option"), [("confidence", 0.9, 0.8), ("max_bias", 1.0, 1.5), ("n_required", 10, 9)]
)
def test_options_bound_what_tests_state(name: str, stated: float, option: float) -> None:
    """The command line is refused where it is less strict than a test, the ini file gives way, and both count."""

    def settings(name: str, value: Any) -> Settings:
        return Settings(**{name: value})

    given, ini = settings(name, option), settings(f"{name}_ini", option)
    with pytest.raises(pytest.UsageError, match=rf"would (lower|raise) the {name}={stated} that the"):
        markers.check([item([MARK(**{name: stated})])], given)
    markers.check([item([MARK(**{name: stated})])], ini)
    assert markers.bounded("test", {name: stated}, ini) == {name: stated}
    assert markers.bounded("test", {name: option}, settings(f"{name}_ini", stated)) == {name: stated}
    assert markers.bounded("test", {}, given) == {name: option}

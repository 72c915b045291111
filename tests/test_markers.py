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


def test_the_closest_marker_is_over_the_others() -> None:
    """Keywords of outer nodes hold unless an inner one says otherwise, and other markers do not matter."""
    outer, inner = MARK(seed=1, bins=5, n_required=10), MARK(bins=7)
    found = markers.keywords(item([outer], [], [pytest.mark.skip(reason="x"), inner]))
    assert found == {"seed": 1, "bins": 7, "n_required": 10}
    assert markers.keywords(item([], [])) == {}


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
    keywords = dict.fromkeys(accepted(), 1)
    assert markers.keywords(item([MARK(**keywords)])) == keywords


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (MARK(5), "the marker takes keywords only; got (5,); expected n_required, "),
        (MARK(zeta=1, alpha=2, seed=3), "unknown keyword alpha, zeta; expected n_required, "),
        (MARK(n_required=0), "n_required=0 is out of range"),
    ],
)
def test_a_wrong_marker_is_a_usage_error(mark: Any, words: str) -> None:
    """What can never make sense is refused, with the name of the test."""
    with pytest.raises(InputError, match=re.escape(words)):
        markers.keywords(item([mark]))
    with pytest.raises(pytest.UsageError, match=re.escape(f"test_a.py::test_it: ganvalid marker: {words}")):
        markers.check([item(), item([mark])], Settings())


@pytest.mark.parametrize(("stated", "option", "refused"), [(10, 9, True), (10, 10, False), (10, 11, False)])
def test_the_command_line_only_raises(stated: int, option: int, *, refused: bool) -> None:
    """An option below what a marker states is refused, at the same number it is not."""
    tests, settings = [item([MARK(n_required=stated)])], Settings(n_required=option)
    if refused:
        words = "--ganvalid-n-required=9 would lower the n_required=10 that test_a.py::test_it states"
        with pytest.raises(pytest.UsageError, match=re.escape(words)):
            markers.check(tests, settings)
    else:
        markers.check(tests, settings)


def test_what_is_not_stated_is_not_lowered() -> None:
    """A test that states nothing, or a command line that says nothing, is refused nothing; nor is a lower ini file."""
    markers.refuse_lowering("test", None, Settings(n_required=5))
    markers.refuse_lowering("test", 10, Settings(n_required_ini=5))

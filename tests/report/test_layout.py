"""Lines of 80 columns, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ganvalid.errors import printable
from pytest_ganvalid.report.layout import joined, listed, listed_on_a_line, padded, shortened, width, wrapped

LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters="%±")
WORDS = st.text(LETTERS, min_size=1, max_size=30).map(printable)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


@pytest.mark.parametrize(("text", "columns"), [("mass", 4), ("Δη", 2), ("質量", 4), ("e\u0301", 1), ("", 0)])
def test_columns_of_a_text(text: str, columns: int) -> None:
    """Wide characters take two columns, combining ones none, and padding counts as a terminal does."""
    assert width(text) == columns
    assert width(padded(text, 9)) == 9


@given(SENTENCES, st.integers(0, 20), st.integers(30, 90))
def test_no_word_is_broken(line: str, hanging: int, columns: int) -> None:
    """Lines hold the words of the text in their order, and are too wide only where a new line would be as well."""
    lines = wrapped(line, hanging, columns)
    assert " ".join(lines).split() == line.split()
    assert all(some.startswith(" " * hanging) for some in lines[1:])
    for some in lines:
        last = width(some.split(" ")[-1])
        assert width(some) <= columns or width(some) - last <= hanging or hanging + last > columns


def test_numbers_stay_with_their_signs() -> None:
    """A line ends neither before a percent sign nor within a number and its error."""
    assert wrapped("a share of 0.14 % on", 2, 15) == ["a share of", "  0.14 % on"]
    assert wrapped("x  0.0475 ± 0.0041, 3", 1, 17) == ["x", " 0.0475 ± 0.0041,", " 3"]


@given(WORDS, st.integers(3, 30))
def test_shortened_names_keep_both_ends(name: str, columns: int) -> None:
    """A name that fits stays as it is; of another the middle is left out, and what is left fits."""
    short = shortened(name, columns)
    assert width(short) <= columns
    assert (short == name) is (width(name) <= columns)
    head, _, tail = short.partition("…")
    assert name.startswith(head)
    assert name.endswith(tail)


def test_shortened_names_of_strata_differ() -> None:
    """Strata of one long observable are told apart."""
    names = [shortened(f"invariant mass of both leptons | energy = {i}", 28) for i in (10, 20)]
    assert names == ["invariant mas… | energy = 10", "invariant mas… | energy = 20"]


@given(st.lists(SENTENCES, min_size=1, max_size=5))
def test_parts_share_lines_where_they_fit(parts: list[str]) -> None:
    """All parts are there in their order, on as few lines as need be."""
    lines = joined(parts, 4)
    assert " ".join(lines).replace(";", "").split() == " ".join(parts).replace(";", "").split()
    whole = "; ".join(parts)
    assert (lines == [whole]) is (width(whole) <= 80)


def test_lists_are_cut() -> None:
    """Of many names the first are told, and how many more there are; one more is told by its name."""
    assert listed(["a", "b", "c"], 2) == "a, b, c"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_lists_on_one_line(names: list[str]) -> None:
    """As many names as there is room for are told, all if they fit, and an ellipsis stands for the others."""
    line = listed_on_a_line("  9 ROBUST: ", names)
    whole = f"  9 ROBUST: {', '.join(names)}"
    assert width(line) <= 80
    assert line == whole if width(whole) <= 80 else whole.startswith(line.removesuffix("…"))

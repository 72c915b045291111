"""What holds for every module of a format."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.samples.formats import refuse_inside
from pytest_ganvalid.samples.pieces import READ_FORMATS


@pytest.mark.parametrize("name", sorted(set(READ_FORMATS.values())))
def test_every_format_has_what_the_protocol_says(name: str) -> None:
    """A module says what it is called, which exceptions mean damage, and opens files."""
    form: Any = importlib.import_module(f"pytest_ganvalid.samples.formats.{name}")
    assert isinstance(form.KIND, str)
    assert all(issubclass(kind, Exception) for kind in form.DAMAGE)
    assert callable(form.open_file)


def test_nothing_is_inside_of_one_table() -> None:
    """A name after the colon is refused where there is one table only."""
    refuse_inside("Feather", "")
    with pytest.raises(InputError, match=r"^Feather holds one table and nothing named 'tree'; leave out what follows"):
        refuse_inside("Feather", "tree")

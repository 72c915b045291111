"""What the help lists is what the code takes, and texts become values of the right type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ganvalid import gan, toys
from pytest_ganvalid.cli.parameters import built, parameters_of, parsed
from pytest_ganvalid.cli.simulate import TOYS


@pytest.mark.parametrize("name", [*TOYS, "Config"])
def test_descriptions_are_those_of_the_code(name: str) -> None:
    """What the help lists is every parameter, with a meaning and the default that is in force."""
    kind: Any = gan.Config if name == "Config" else getattr(toys, name)
    parameters = parameters_of(kind)
    assert {parameter.name.split(".")[0] for parameter in parameters} == {f.name for f in dataclasses.fields(kind)}
    assert all(parameter.meaning for parameter in parameters)
    assert built(kind, {p.name: parsed(p.kind, p.default) for p in parameters}) == kind()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "1e4", 10_000),
        (float, "1/128", 1 / 128),
        (float | None, "None", None),
        (bool, "Yes", True),
        (tuple[float, float], "0.3, 0.7", (0.3, 0.7)),
        (tuple[str, ...], "a = 1,b = 2", ("a = 1", "b = 2")),
        (tuple[str, ...], "", ()),
        (Mapping[str, float | None], "phi:360, psi : none", {"phi": 360.0, "psi": None}),
        (Mapping[str, float | None], "", {}),
        (Mapping[str, tuple[float | None, float | None]], "a:b:20:none", {"a:b": (20.0, None)}),
    ],
)
def test_values_are_read_as_their_type(kind: Any, text: str, value: object) -> None:
    """A value is read as the type of its parameter."""
    assert parsed(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (int, "1.5", "a whole number"),
        (int | None, "inf", "a whole number, or none"),
        (float, "1/0", "a number"),
        (bool, "maybe", "true or false"),
        (tuple[float, float], "1", "2 numbers separated by commas"),
        (tuple[float, float] | None, "a,b", "2 numbers separated by commas, or none"),
        (Mapping[str, float], "phi", "name:number, or several separated by commas; none for no number"),
        (Mapping[str, tuple[float, float]], "x:1", "name:number:number, or several .*"),
        (tuple[int, ...], "1,b", "a whole number, or several separated by commas"),
    ],
)
def test_values_of_another_type_are_refused(kind: Any, text: str, expected: str) -> None:
    """A value of another type is refused by saying what was expected."""
    with pytest.raises(ValueError, match=f"^{expected}$"):
        parsed(kind, text)

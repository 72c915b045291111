"""Only ``torchrun`` sets all that makes a process one of several."""

from __future__ import annotations

import pytest

from pytest_ganvalid._torchrun import is_launched

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")


@pytest.fixture(autouse=True)
def _launched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")


def test_launched() -> None:
    """With all variables there, the process was launched."""
    assert is_launched()


@pytest.mark.parametrize("name", VARIABLES)
def test_some_variables_are_not_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of them it was not: a batch system may set the others."""
    monkeypatch.delenv(name)
    assert not is_launched()

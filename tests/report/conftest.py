"""Set-up of the tests of reports."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest


@pytest.fixture(autouse=True)
def _fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytester gives every run a home of its own, where matplotlib would list the fonts of the machine anew."""
    if find_spec("matplotlib"):
        monkeypatch.setenv("MPLCONFIGDIR", import_module("matplotlib").get_cachedir())

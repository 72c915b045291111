"""What the experiments on the paper's claims share: how large they are, and the table of what was measured.

The quick form runs with the suite; ``GANVALID_PAPER=large`` takes ten times as many toys. ``benchmarks/paper.py`` runs
them and writes the table of the docs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Measured = Callable[..., None]


@pytest.fixture(scope="session")
def size() -> int:
    """By what number of toys and trainings are multiplied."""
    return 10 if os.environ.get("GANVALID_PAPER") == "large" else 1


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Note a number for the table: ``measured(what, value, error, expected, broken_by=...)``.

    Claim and section are the test module's ``CLAIM`` (one sentence) and ``SECTION``. ``expected`` is in words ("1", "at
    most 0.05", "0.683"); ``broken_by`` names the premise without which another number comes out (empty if the row is
    that of the intact claim and the broken one follows).
    """
    table = os.environ.get("GANVALID_PAPER_TABLE")

    def note(what: str, value: float, error: float, expected: str, *, broken_by: str = "") -> None:
        if not table:
            return
        row = {
            "module": request.path.stem,
            "claim": request.module.CLAIM,
            "section": request.module.SECTION,
            "what": what,
            "value": float(value),
            "error": float(error),
            "expected": expected,
            "broken_by": broken_by,
        }
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return note

"""Nonsense is refused in words, wherever text is read: the small version of benchmarks/fuzzing.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SEEDS = 40
"""Inputs of each kind."""


@pytest.fixture(scope="module")
def fuzzing() -> ModuleType:
    """The script, which lies beside the tests in a checkout."""
    path = Path(__file__).parents[1] / "benchmarks" / "fuzzing.py"
    spec = importlib.util.spec_from_file_location("fuzzing", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzzing"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(fuzzing: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that inputs may name."""
    prepared: Path = fuzzing.prepared(tmp_path_factory.mktemp("fuzzing"))
    return prepared


@pytest.mark.parametrize(
    "target",
    ["command lines", "options of pytest", "stored histograms", "ledger lines", "column expressions"],
)
def test_nonsense_is_refused(fuzzing: ModuleType, folder: Path, target: str) -> None:
    """Whatever the words, there is an answer that can be shown, and no error that is not the package's own."""
    assert target in fuzzing.TARGETS
    answers = {fuzzing.tried(target, seed, folder) for seed in range(SEEDS)}
    assert answers <= {"refused", "read", "compared", *(f"status {status}" for status in range(4))}
    assert answers & {"refused", "status 2"}

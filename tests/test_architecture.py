"""The layout holds: imports go one way, and the light modules stay light."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_ganvalid

PACKAGE = Path(pytest_ganvalid.__file__).parent
PURE = ("statistics", "histograms", "samples", "observables", "toys", "generators", "gan")
TELLING = ("pytest", "pytest_ganvalid.plugin", "pytest_ganvalid.gate", "pytest_ganvalid.report")
FLOW = ("samples", "observables", "histograms", "statistics")
ALLOWED = ("_options", "_arguments", "_markers", "_torchrun", "errors", "cli")
COMMANDS = tuple(f"cli/{path.name}" for path in sorted((PACKAGE / "cli").glob("*.py")))
LIGHT = ("__init__.py", "plugin.py", "_options.py", "_markers.py", "_torchrun.py", "__main__.py", *COMMANDS)


def imported(path: Path, *, everywhere: bool = True) -> Iterator[str]:
    """Names of the modules a file imports; at its top level only unless ``everywhere``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: str) -> list[Path]:
    """The files of a folder of the package."""
    return sorted((PACKAGE / folder).glob("**/*.py"))


def test_pure_folders_know_nothing_of_pytest() -> None:
    """What decides and what feeds it never imports pytest, the plugin or the report."""
    for folder in PURE:
        for path in modules(folder):
            wrong = [
                name for name in imported(path) if name in TELLING or name.startswith(tuple(f"{t}." for t in TELLING))
            ]
            assert not wrong, f"{path.name} imports {wrong}"


def test_flow_goes_one_way() -> None:
    """No step of the flow imports a later one."""
    for position, folder in enumerate(FLOW):
        later = tuple(f"pytest_ganvalid.{name}" for name in FLOW[position + 1 :])
        for path in modules(folder):
            wrong = [name for name in imported(path) if name.startswith(later)]
            assert not wrong, f"{folder}/{path.name} imports {wrong}"


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_import_little(name: str) -> None:
    """What pytest and the command line load at every start imports, at the top, nothing but light modules."""
    heavy = ("numpy", "scipy", "torch", "hypothesis")
    for module in imported(PACKAGE / name, everywhere=False):
        assert not module.startswith(heavy)
        if module.startswith("pytest_ganvalid."):
            assert module.split(".")[1] in ALLOWED


def test_no_random_state_is_global() -> None:
    """No module draws from numpy's or Python's global random state."""
    for path in modules("."):
        text = path.read_text(encoding="utf-8")
        assert "import random" not in text, path.name
        assert "np.random.seed" not in text, path.name
        assert "RandomState" not in text, path.name


@pytest.mark.skipif("GANVALID_TEST_WHEEL" not in os.environ, reason="only where the wheel is installed, as by tox")
def test_the_wheel_is_what_is_tested() -> None:
    """Under tox the package comes from the environment and not from the source tree, with its data files."""
    assert Path(sys.prefix) in PACKAGE.parents
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "report" / "templates" / "report.html.jinja").exists()

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
ORDER = (
    ("errors", "_files", "_lazy", "_torchrun"),
    ("_arguments", "_extras", "_json", "_units", "ledger"),
    ("results",),
    ("samples", "histograms"),
    ("overlaps", "statistics", "toys", "strategies"),
    ("attempts",),
    ("observables", "generators", "comparisons", "sensitivity", "gan", "report", "_options"),
    ("pipeline", "estimates", "workspaces", "_markers", "session"),
    ("check", "analyses", "references"),
    ("gate", "figures"),
    ("plugin", "cli"),
    ("__main__",),
)
"""Folders and modules of the package, from the ground up: each imports what stands below it, and itself."""
ALLOWED = ("_files", "_lazy", "_options", "_arguments", "_markers", "_torchrun", "errors", "cli", "ledger", "session")
COMMANDS = tuple(f"cli/{path.name}" for path in sorted((PACKAGE / "cli").glob("*.py")))
LIGHT = (
    "__init__.py",
    "plugin.py",
    "_lazy.py",
    "_options.py",
    "_markers.py",
    "_torchrun.py",
    "ledger.py",
    "session.py",
    "__main__.py",
    "statistics/limits.py",
    *COMMANDS,
)

TESTS = Path(__file__).parent
FOLDERS = sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("**/__init__.py"))
ACROSS_MODULES = {
    "./test_architecture.py": "the layout",
    "./test_docs.py": "README and docs",
    "./test_fuzzing.py": "whatever reads text",
    "./test_outputs.py": "one session, in all that tells of it",
    "./test_properties.py": "the whole comparison",
    "./test_release_gate.py": "a release gate from its first reference to a red run, and the example of one",
    "./test_roads.py": "the whole check, however events are handed over",
    "./test_silent_passes.py": "whole sessions in which a test could pass in silence",
    "./test_startup.py": "what starting pytest costs",
    "pipeline/test_dask.py": "the pipeline on Dask",
    "samples/formats/test_libraries.py": "the layouts that libraries write",
    "statistics/test_calibration.py": "error rates of the whole decision",
    "statistics/test_entries.py": "events of several entries, through all that decides",
    "statistics/test_range.py": "the whole numerical range, through all that decides",
}
"""Test modules without a module of their name -> what they are of."""
BESIDE_THE_PACKAGE = {"paper": "the claims of the paper, as experiments"}
"""Folders of tests that mirror no folder of the package -> what they are of."""


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


def place(module: str) -> str:
    """The folder or the top-level module that a module of the package is, or is in."""
    return module.removeprefix("pytest_ganvalid.").partition(".")[0]


def test_imports_go_one_way() -> None:
    """Every folder and top-level module has its place, and imports only what stands below it."""
    height = {name: floor for floor, names in enumerate(ORDER) for name in names}
    assert set(height) == {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}
    for path in (path for path in modules(".") if path != PACKAGE / "__init__.py"):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path):
            target = place(name) if name.startswith("pytest_ganvalid.") else own
            if target in height:  # what is imported from the package itself is a name of one of them
                assert target == own or height[target] < height[own], f"{own} imports {name} ({path.name})"


def test_no_circle_of_imports() -> None:
    """No module imports one that imports it, by whatever way, not even in a function."""
    names = {
        ".".join(("pytest_ganvalid", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in modules(".")
    }
    edges = {
        name: {target for target in imported(path) if target in names and target != name}
        for name, path in names.items()
        if path.name != "__init__.py"  # the face of a folder only hands names on
    }
    while edges:
        ground = {name for name, targets in edges.items() if not targets.intersection(edges)}
        assert ground, f"these import each other: {sorted(edges)}"
        edges = {name: targets for name, targets in edges.items() if name not in ground}


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_import_little(name: str) -> None:
    """What pytest and the command line load at every start imports, at the top, nothing but light modules."""
    heavy = ("numpy", "scipy", "torch", "hypothesis")
    for module in imported(PACKAGE / name, everywhere=False):
        assert not module.startswith(heavy)
        if module.startswith("pytest_ganvalid."):
            assert module.split(".")[1] in ALLOWED or module.startswith("pytest_ganvalid.statistics.limits")


def test_no_random_state_is_global() -> None:
    """No module draws from numpy's or Python's global random state."""
    for path in modules("."):
        text = path.read_text(encoding="utf-8")
        assert "import random" not in text, path.name
        assert "np.random.seed" not in text, path.name
        assert "RandomState" not in text, path.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_tests_mirror_the_package(folder: str) -> None:
    """Each module has a test module of its name, but for ``__init__``, which may have one; and the other way round."""
    names = {path.stem.strip("_") for path in (PACKAGE / folder).glob("*.py")}
    tests = {path.name: path.stem.removeprefix("test_") for path in (TESTS / folder).glob("test_*.py")}
    assert sorted(names - {"init"} - set(tests.values())) == []
    others = [name for name, module in tests.items() if module not in names]
    assert [name for name in others if f"{folder}/{name}" not in ACROSS_MODULES] == []


def test_other_folders_of_tests_are_named() -> None:
    """A folder of tests mirrors one of the package, or is said to be of something else."""
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.glob("**/test_*.py")}
    assert folders - set(FOLDERS) == set(BESIDE_THE_PACKAGE)


@pytest.mark.skipif("GANVALID_TEST_WHEEL" not in os.environ, reason="only where the wheel is installed, as by tox")
def test_the_wheel_is_what_is_tested() -> None:
    """Under tox the package comes from the environment and not from the source tree, with its data files."""
    assert Path(sys.prefix) in PACKAGE.parents
    assert (PACKAGE / "py.typed").exists()
    for name in ("templates/report.html.jinja", "templates/report.css", "templates/report.js", "schema.json"):
        assert (PACKAGE / "report" / name).exists()

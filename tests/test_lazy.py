"""Public names are loaded when they are first used, and are the objects of the modules that they are in."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import pytest_ganvalid as gv

PACKAGES = ("pytest_ganvalid", "pytest_ganvalid.observables")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package: str) -> None:
    """Each public name is listed and can be had, and no other one."""
    module = importlib.import_module(package)
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match=rf"module '{package}' has no attribute 'Mode'"):
        module.Mode  # noqa: B018
    assert not hasattr(module, "_Nothing")


def test_nothing_is_loaded_before_it_is_used() -> None:
    """Importing the packages loads no module that a name is in; the first use loads that one and keeps the name."""
    code = """
import sys
import pytest_ganvalid as gv
homes = ["classifier", "estimators", "observable", "requested", "strata"]
observables = gv.observables
assert not [home for home in homes if f"{observables.__name__}.{home}" in sys.modules]
condition = observables.Condition
assert [home for home in homes if f"{observables.__name__}.{home}" in sys.modules] == ["observable", "strata"]
assert vars(observables)["Condition"] is condition
assert "check" not in vars(gv)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_function_is_no_module() -> None:
    """The public function that resolves observables stays one, whatever modules are loaded."""
    assert callable(gv.observables.resolve)
    assert gv.observables.resolve.__module__ == "pytest_ganvalid.observables.requested"

"""What the plugin costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROBE = """
import atexit, sys
def show():
    with open({path!r}, "w") as file:
        file.write("\\n".join(sorted(sys.modules)))
atexit.register(show)
"""


def modules_at_exit(folder: Path, *arguments: str) -> set[str]:
    """Run pytest in a process of its own and return the modules loaded when it ends."""
    folder.mkdir()
    seen = folder / "modules.txt"
    (folder / "conftest.py").write_text(PROBE.format(path=str(seen)))
    (folder / "test_it.py").write_text("def test_it(): pass\n")
    # Other plugins that happen to be installed must not count: only pytest, and this plugin by name.
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return set(seen.read_text().split())


def test_start_up_is_nearly_free(tmp_path: Path) -> None:
    """At exit of a run with no marked test, at most 10 modules more than bare pytest, and nothing heavy."""
    bare = modules_at_exit(tmp_path / "bare")
    loaded = modules_at_exit(tmp_path / "loaded", "-p", "pytest_ganvalid.plugin")
    assert "pytest_ganvalid.plugin" in loaded
    assert len(loaded - bare) <= 10
    assert not {"numpy", "scipy", "torch"} & loaded


def test_package_import_is_light() -> None:
    """Importing the package loads neither numpy nor any of its own modules."""
    code = "import pytest_ganvalid, sys; print([m for m in ('numpy', 'scipy', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"

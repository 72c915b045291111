"""``python -m pytest_ganvalid`` is the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_module_is_the_program(tmp_path: Path) -> None:
    """``python -m pytest_ganvalid`` writes the file that was asked for."""
    words = ["simulate", "ring", "-n", "3", "--seed", "1", "-o", "ring.npz"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ganvalid", *words], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "wrote 3 events of ring (x, y) to ring.npz\n"
    assert [path.name for path in tmp_path.iterdir()] == ["ring.npz"]

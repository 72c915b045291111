"""Filling is compiled where that pays and works, and never at the cost of the gate."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pytest_ganvalid.histograms import compiled
from pytest_ganvalid.histograms.bins import Axis, Grid
from pytest_ganvalid.histograms.filling import filled

GRID = Grid((Axis((-1.0, 0.5)),))
X = np.linspace(-3, 3, 1_001)
ENOUGH = math.ceil(compiled._BREAK_EVEN / compiled._PER_VALUE)
EXPECTED = np.histogram(X, (-np.inf, -1.0, 0.5, np.inf))[0].tolist()


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process has filled so far; the loops have been compiled before."""
    monkeypatch.setattr(compiled, "_STATE", compiled._State())
    compiled._STATE.stored = True


def _warnings_of_filling_twice() -> list[str]:
    """Fill, with compiled loops if they work, and return what was warned of."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        for _ in range(2):
            compiled.spend(ENOUGH)
            assert filled(GRID, [X], None).sumw.value.tolist() == EXPECTED
    return [str(warning.message) for warning in record]


@pytest.fixture
def in_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Put a package of this code in the place of numba, until the end of the test."""

    def put(code: str) -> None:
        (tmp_path / "numba").mkdir()
        (tmp_path / "numba" / "__init__.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.partition(".")[0] == "numba"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.delitem(sys.modules, "pytest_ganvalid.histograms.kernels", raising=False)

    yield put
    sys.modules.pop("numba", None)  # that of the test; the real one is put back after this


def test_where_numba_is_absent_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed numba is not told of it."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "pytest_ganvalid.histograms.kernels", raising=False)
    assert _warnings_of_filling_twice() == []
    assert compiled.kernels() is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('Numba needs NumPy 2.5 or less')", "ImportError: Numba needs NumPy 2.5 or less"),
        ("import llvmlite_that_is_not_there", "No module named 'llvmlite_that_is_not_there'"),
        ("raise SystemError('initialization failed\\nof a module')", "SystemError: initialization failed)"),
        ("", "AttributeError: module 'numba' has no attribute 'config'"),
        ("class config: DISABLE_JIT = 0", "ImportError: cannot import name 'types' from 'numba'"),
    ],
)
def test_where_numba_is_broken_it_is_said_once(code: str, reason: str, in_its_place: Callable[[str], None]) -> None:
    """Whatever its import raises, filling goes on, and one warning names the cause and a remedy."""
    in_its_place(code)
    (message,) = _warnings_of_filling_twice()
    assert reason in message
    assert message.endswith("mend the installation of numba, or uninstall it")
    assert compiled.kernels() is None


def test_warnings_as_errors_do_not_fail_the_gate(in_its_place: Callable[[str], None]) -> None:
    """Where warnings are errors, a broken numba is no error anyway."""
    in_its_place("raise ImportError")
    compiled.spend(ENOUGH)
    assert filled(GRID, [X], None).sumw.value.tolist() == EXPECTED


def test_whoever_disables_compilation_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NUMBA_DISABLE_JIT the loops would be those of Python, and very slow; numpy's are taken."""
    numba = pytest.importorskip("numba", reason="needs numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert _warnings_of_filling_twice() == []
    assert compiled.kernels() is None


def test_it_is_compiled_where_it_pays() -> None:
    """Numba is imported by what has been filled in all, and not before it is enough."""
    pytest.importorskip("numba", reason="needs numba")
    for _ in range(3):
        compiled.spend(int(0.3 * ENOUGH))
        assert compiled.kernels() is None
    assert _warnings_of_filling_twice() == []
    assert compiled.kernels().__name__ == "pytest_ganvalid.histograms.kernels"


@pytest.mark.parametrize("by_environment", [False, True])
def test_what_must_be_compiled_first_waits_for_more(
    by_environment: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where no compiled loops are stored, three times as many values are filled without."""
    monkeypatch.setattr(compiled, "_STATE", compiled._State())
    monkeypatch.setattr(compiled, "_loaded", lambda: "loaded")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    folder = tmp_path / ("histograms_1a2b" if by_environment else "__pycache__")
    folder.mkdir()
    if by_environment:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiled.expect(2 * ENOUGH)
    assert compiled.kernels() is None
    compiled.expect(3 * ENOUGH + 3)
    assert compiled.kernels() == "loaded"
    monkeypatch.setattr(compiled, "_STATE", compiled._State())
    (folder / "kernels.ranks-83.py311.nbi").touch()
    compiled.expect(ENOUGH)
    assert compiled.kernels() == "loaded"


def test_extensions_are_left_to_others() -> None:
    """Loading the loops imports nothing that others have for numba, which then still compiles what is theirs."""
    pytest.importorskip("numba", reason="needs numba")
    pytest.importorskip("awkward", reason="needs awkward")
    code = """
import sys
from pytest_ganvalid.histograms import compiled
compiled.expect(10**10)
assert compiled.kernels() is not None
assert "awkward" not in sys.modules
import awkward, numba

@numba.njit
def total(array):
    result = 0.0
    for entries in array:
        for entry in entries:
            result += entry
    return result

assert total(awkward.Array([[1.0, 2.0], [], [3.5]])) == 6.5
"""
    assert not _in_new_process(code)


def test_what_is_known_to_come_is_compiled_from_the_start() -> None:
    """Values that will pay for it are not waited for, and fewer do not count before they are filled."""
    pytest.importorskip("numba", reason="needs numba")
    for _ in range(3):
        compiled.expect(ENOUGH // 2)
        assert compiled.kernels() is None
    compiled.expect(ENOUGH)
    assert compiled.kernels() is not None


def _in_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_small_checks_do_not_import_numba() -> None:
    """Neither to import the package nor to fill a million events takes numba."""
    code = """
import sys, numpy as np, pytest_ganvalid as gv
events = {name: np.arange(1_000_000.0) for name in "xy"}
gv.fill(events, observables=["x", ("x", "y")])
assert "pytest_ganvalid.histograms.compiled" in sys.modules
assert not any(sys.modules.get(name) for name in ("numba", "pytest_ganvalid.histograms.kernels"))
"""
    assert not _in_new_process(code)


def test_where_nothing_can_be_stored_the_remedy_is_named() -> None:
    """Where numba can store what it compiles in no folder, filling goes on, and the warning says what to set."""
    pytest.importorskip("numba", reason="needs numba")
    code = """
import numba.core.caching, numpy as np
def refused(locator): raise PermissionError(13, "Permission denied")
numba.core.caching._CacheLocator.ensure_cache_path = refused
from pytest_ganvalid.histograms import compiled
compiled.expect(10**10)
assert compiled.kernels() is None
"""
    said = _in_new_process(code)
    assert said.count("RuntimeWarning") == 1
    assert "set NUMBA_CACHE_DIR to a folder that can be written to" in said

"""Whether loops over events are compiled: by numba (the extra ``fast``), where there are so many that it pays.

Compiled or not, what comes of them is the same to the last bit, so nothing depends on it but time. To import numba, and
what it has compiled before, takes as long as filling some ten million events of a few columns without it, and other
threads wait for it. So it is imported before as many events are filled as will pay for it, if that is known, or else
once as many have been: a process then never takes more than about twice what it would if it knew what is to come
(Karlin et al., Algorithmica 3 (1988) 79), and one that fills little imports nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

_PER_VALUE = 30e-9  # s that a value takes a thread without kernels: in its bin, among common ones, and in a row's hash
_BREAK_EVEN = 2.2  # s of that; kernels take less than half of it, and two threads wait half a second for the import
_BREAK_EVEN_ANEW = 6.6  # where they must be compiled first: ten seconds, which later processes profit from, too
_REMEDY = "the answers are the same, but take longer; mend the installation of numba, or uninstall it"


class _State:
    """State of this process.

    Attributes:
        spent: Seconds that filling has taken so far, by its amount rather than by a clock.
        settled: Whether loading the kernels has been tried.
        kernels: The module `kernels`; ``None`` if it cannot be used, or has not been loaded.
        stored: Whether the kernels have been compiled before, and stored where numba looks first.
    """

    def __init__(self) -> None:
        self.spent = 0.0
        self.settled = False
        self.kernels: Any = None
        self.lock = threading.Lock()

    @cached_property
    def stored(self) -> bool:
        if folder := os.environ.get("NUMBA_CACHE_DIR"):
            return any(Path(folder).glob("*/kernels.*.nbi"))
        return any(Path(__file__).with_name("__pycache__").glob("kernels.*.nbi"))


_STATE = _State()


def expect(values: int) -> None:
    """Load the kernels if it pays for as many values as are about to be read, of all columns together."""
    _load_if_it_pays(values * _PER_VALUE)


def spend(values: int) -> None:
    """Take note of values that are about to be filled, and load the kernels once they have been enough."""
    _STATE.spent += values * _PER_VALUE  # of two threads that add at once, one may be lost: it is an estimate
    _load_if_it_pays(_STATE.spent)


def _load_if_it_pays(seconds: float) -> None:
    if _STATE.settled or seconds < _BREAK_EVEN or (seconds < _BREAK_EVEN_ANEW and not _STATE.stored):
        return
    with _STATE.lock:
        if not _STATE.settled:
            _STATE.kernels = _loaded()
            _STATE.settled = True


def kernels() -> Any:  # noqa: ANN401 - a module
    """Return the module `kernels`, or ``None`` if loops are not compiled, or not yet."""
    return _STATE.kernels


def _loaded() -> Any:  # noqa: ANN401 - a module, or nothing
    """Import the kernels, which compiles them or loads them; ``None``, with a warning if numba is there but broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numba's own, which no user of this package can do anything about
            if importlib.import_module("numba").config.DISABLE_JIT:  # whoever has set it wants no compiled code
                return None
            with _without_extensions():
                return importlib.import_module("pytest_ganvalid.histograms.kernels")
    except Exception as error:  # noqa: BLE001 - an installation breaks in any way, and the gate goes on
        if isinstance(error, ModuleNotFoundError) and error.name == "numba":
            return None
        reason = error
    with contextlib.suppress(RuntimeWarning):  # where warnings are errors, none is worth the gate
        warnings.warn(_message(reason), RuntimeWarning, stacklevel=2)
    return None


@contextlib.contextmanager
def _without_extensions() -> Iterator[None]:
    """Compile without what other packages have for numba, such as awkward, whose import takes twice as long as ours.

    They are imported when anything else is compiled. Where numba keeps account of that is private: in a version that
    does it elsewhere, they are imported here.
    """
    try:
        entrypoints: Any = importlib.import_module("numba.core.entrypoints")
        lock = importlib.import_module("numba.core.compiler_lock").global_compiler_lock
        pending = entrypoints._already_initialized is False  # noqa: SLF001
    except (ImportError, AttributeError):
        pending = False
    if not pending:
        yield
        return
    with lock:
        entrypoints._already_initialized = True  # noqa: SLF001
        try:
            yield
        finally:
            entrypoints._already_initialized = False  # noqa: SLF001


def _message(reason: Exception) -> str:
    text = f"{type(reason).__name__}: {reason}".splitlines()[0]
    if "no locator available" in text or getattr(reason, "errno", None) is not None:
        return (
            f"events are filled without numba, as it cannot store what it compiles ({text}); the answers are the "
            "same, but take longer; set NUMBA_CACHE_DIR to a folder that can be written to"
        )
    return f"events are filled without numba, as it does not work here ({text}); {_REMEDY}"

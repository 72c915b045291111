"""Drell-Yan events from Pythia 8: pp -> Z/gamma* -> mu+ mu- at leading order with parton showers.

The one toy whose distributions are those of a simulation that experiments use. Its truth is therefore a program and not
a formula: take two samples of different seeds, one as reference and one as the data that a generator must match.

Unlike the other toys it needs a package of its own: ``pip install "pytest-ganvalid[pythia]"``.

Source: C. Bierlich et al., "A comprehensive guide to the physics and usage of PYTHIA 8.3", SciPost Phys. Codebases 8
(2022), arXiv:2203.11601.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_ganvalid._arguments import check_integer
from pytest_ganvalid._extras import imported
from pytest_ganvalid.errors import GanvalidError, InputError, InputTypeError
from pytest_ganvalid.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from numpy.typing import NDArray

__all__ = ["PythiaZ"]

_PYTHIA_SEEDS = 900_000_000  # Random:seed runs from 1 to this
_MAX_TRIES = 100
_HARD_BOSON = 5  # event record: system, two beams, two incoming partons, then the boson of a 2 -> 1 process
_MUON = 13
_COMPONENTS = 8  # px, py, pz, E of the mu-, then of the mu+

_PROCESS = (
    "Print:quiet = on",
    "WeakSingleBoson:ffbar2gmZ = on",
    "23:onMode = off",
    f"23:onIfAny = {_MUON}",
    "PartonLevel:MPI = off",
    "HadronLevel:all = off",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PythiaZ:
    """pp -> Z/gamma* -> mu+ mu- with initial- and final-state radiation (QCD and QED) and primordial kT.

    Multi-parton interactions and hadronisation are off: the muons hardly feel them, and they are most of the cost.
    Events have unit weight.

    Attributes:
        energy: Centre-of-mass energy of the two protons, GeV.
        mass_range: Limits on the mass of the Z/gamma*, GeV. It is the mass before the muons radiate, so a few percent
            of the dimuon masses lie below the lower limit and none above the upper one.
        block: Events per Pythia instance. Part of what defines the sample: another block size gives other events.
        settings: Further Pythia settings such as ``"PDF:pSet = 14"``, read after those of this class, which they
            override. The hard process and its decay to muons must stay, and events must keep unit weight.

    Raises:
        InputError: A setting is outside its range, or Pythia does not know a line of ``settings`` (when sampling).
    """

    energy: float = 13_000.0
    mass_range: tuple[float, float] = (60.0, 120.0)
    # An instance takes 0.2 s to initialise and an event 0.25 ms: 8 % overhead, and blocks of 2.7 s balance processes.
    block: int = 10_000
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the settings as far as that is possible without Pythia."""
        check_integer("block", self.block)
        low, high = self.mass_range
        # Pythia reads mHatMax < mHatMin as "no upper limit" and would silently widen the range.
        if not (0.0 < low < high <= self.energy and math.isfinite(self.energy)):
            msg = (
                f"mass_range is {self.mass_range!r} GeV at energy={self.energy!r} GeV, "
                "expected 0 < lower < upper <= energy; give both in GeV"
            )
            raise InputError(msg)
        if isinstance(self.settings, str):
            msg = f'settings is the string {self.settings!r}, expected a tuple of lines; write ("{self.settings}",)'
            raise InputTypeError(msg)

    def sample(
        self,
        n: int,
        *,
        seed: int,
        processes: int | None = None,
        progress: bool = False,
    ) -> Sample:
        """Simulate events.

        The events depend on these settings and on the seed only, not on the number of processes, and the first events
        of a longer sample are those of a shorter one.

        Args:
            n: Number of events, at least 1.
            seed: Non-negative integer. Samples of different seeds are independent.
            processes: Number of processes, at least 1; 1 simulates in this process. None takes one per available core.
            progress: Whether to show a progress bar on stderr (needs tqdm).

        Returns:
            A sample with columns of shape (n,): ``mass``, ``pt``, ``rapidity``, ``phi`` of the dimuon; ``mu_minus_pt``,
            ``mu_minus_eta``, ``mu_minus_phi`` and the same of ``mu_plus``; ``mu1_pt`` >= ``mu2_pt``. GeV and radians.
            The muons are those of the final state, after radiation.

        Raises:
            InputError: An argument is outside its range, or Pythia does not know a line of ``settings``.
            MissingExtraError: pythia8mc, or for the progress bar tqdm, is not installed.
            RuntimeError: Pythia does not initialise or cannot make events with these settings, or a process died.
        """
        n = check_integer("n", n)
        tasks = _tasks(n, self.block, check_integer("seed", seed, minimum=0))
        count = _available_cores() if processes is None else check_integer("processes", processes)
        _pythia8mc()
        rows = np.empty((n, _COMPONENTS))
        with _progress(n, visible=progress) as update, closing(_fill(rows, self._lines(), tasks, count)) as filled:
            for events in filled:
                update(events)
        provenance = {"source": "pythia8mc", "settings": self._lines(), "block": self.block, "seed": int(seed)}
        return Sample(_columns(rows), provenance=provenance)

    def _lines(self) -> list[str]:
        low, high = self.mass_range
        return [
            *_PROCESS,
            f"Beams:eCM = {self.energy}",
            f"PhaseSpace:mHatMin = {low}",
            f"PhaseSpace:mHatMax = {high}",
            *self.settings,
        ]


class _Task(NamedTuple):
    """A block to simulate: its rows of the sample and the seed of its Pythia instance."""

    start: int
    stop: int
    seed: int


def _tasks(n: int, block: int, seed: int) -> list[_Task]:
    # Consecutive Pythia seeds from a hashed start, not one hash per block: hashes into 9e8 values collide (a thousand
    # blocks: once in 1800 runs), and two blocks of equal seed are the same events twice. Two runs overlap only if
    # their starts are within their number of blocks: once in 450 000 pairs of runs of a thousand blocks.
    first = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] % _PYTHIA_SEEDS)
    return [
        _Task(start, min(start + block, n), (first + index) % _PYTHIA_SEEDS + 1)
        for index, start in enumerate(range(0, n, block))
    ]


# --- One block in one process


def _pythia8mc() -> Any:  # noqa: ANN401 - a module without types
    return imported("pythia8mc", feature="toys.PythiaZ", extra="pythia")


def _initialised(lines: list[str], seed: int) -> Any:  # noqa: ANN401 - pythia8mc has no types
    pythia = _pythia8mc().Pythia("", False)  # noqa: FBT003 - positional only: default data, no banner
    # The seed comes last: a line of the user must not fix it, since all blocks would then be the same events.
    for line in (*lines, "Random:setSeed = on", f"Random:seed = {seed}"):
        if not pythia.readString(line):
            msg = f"Pythia does not accept the setting {line!r}; expected 'Name:key = value' as in Pythia's manual"
            raise InputError(msg)
    if not pythia.init():
        msg = f"Pythia did not initialise with {_joined(lines)}; check PythiaZ.settings, energy and mass_range"
        raise RuntimeError(msg)
    return pythia


def _block(lines: list[str], seed: int, n: int) -> NDArray[np.float64]:
    """Simulate one block in a Pythia instance of its own: array of shape (n, _COMPONENTS), GeV."""
    pythia = _initialised(lines, seed)
    event, info = pythia.event, pythia.infoPython()
    rows = np.empty((n, _COMPONENTS))
    for row in rows:
        _next_event(pythia, lines)
        row[:] = _muon_momenta(event, lines)
        if info.weight() != 1.0:
            msg = f"Pythia gave an event of weight {info.weight()}, expected 1, with {_joined(lines)}; remove the bias"
            raise RuntimeError(msg)
    return rows


def _next_event(pythia: Any, lines: list[str]) -> None:  # noqa: ANN401
    # A failed attempt is rare and independent of the muons (it is mostly in the beam remnants): try again.
    for _ in range(_MAX_TRIES):
        if pythia.next():
            return
    msg = f"Pythia failed to make an event {_MAX_TRIES} times in a row with {_joined(lines)}; check PythiaZ.settings"
    raise RuntimeError(msg)


def _muon_momenta(event: Any, lines: list[str]) -> tuple[float, ...]:  # noqa: ANN401
    """Return px, py, pz, E of the final mu- and then of the mu+, GeV."""
    # Down the boson's own line, not a scan of the record: the scan takes as long as the simulation, and would find
    # muons from photon splitting, too.
    boson = event[event[_HARD_BOSON].iBotCopyId()]
    minus, plus = event[boson.daughter1()], event[boson.daughter2()]
    if minus.id() < 0:
        minus, plus = plus, minus
    if (minus.id(), plus.id()) != (_MUON, -_MUON):
        msg = f"Pythia gave an event without Z/gamma* -> mu+ mu- with {_joined(lines)}; keep that process and decay"
        raise RuntimeError(msg)
    minus, plus = event[minus.iBotCopyId()], event[plus.iBotCopyId()]
    return (minus.px(), minus.py(), minus.pz(), minus.e(), plus.px(), plus.py(), plus.pz(), plus.e())


def _columns(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    minus, plus = rows[:, :4].T, rows[:, 4:].T
    px, py, pz, energy = minus + plus
    minus_pt, plus_pt = np.hypot(minus[0], minus[1]), np.hypot(plus[0], plus[1])
    return {
        "mass": np.sqrt(energy**2 - px**2 - py**2 - pz**2),
        "pt": np.hypot(px, py),
        "rapidity": np.arctanh(pz / energy),
        "phi": np.arctan2(py, px),
        "mu_minus_pt": minus_pt,
        "mu_minus_eta": np.arcsinh(minus[2] / minus_pt),
        "mu_minus_phi": np.arctan2(minus[1], minus[0]),
        "mu_plus_pt": plus_pt,
        "mu_plus_eta": np.arcsinh(plus[2] / plus_pt),
        "mu_plus_phi": np.arctan2(plus[1], plus[0]),
        "mu1_pt": np.maximum(minus_pt, plus_pt),
        "mu2_pt": np.minimum(minus_pt, plus_pt),
    }


# --- Blocks over processes


def _fill(rows: NDArray[np.float64], lines: list[str], tasks: list[_Task], processes: int) -> Generator[int]:
    """Write each task's rows in place, yielding the number of events after each."""
    if min(processes, len(tasks)) > 1:
        yield from _fill_in_workers(rows, lines, tasks, min(processes, len(tasks)))
        return
    for start, stop, seed in tasks:
        rows[start:stop] = _block(lines, seed, stop - start)
        yield stop - start


def _fill_in_workers(rows: NDArray[np.float64], lines: list[str], tasks: list[_Task], processes: int) -> Iterator[int]:
    workers: list[_Worker] = []
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def fill(task: _Task) -> int:
        worker = idle.get()
        try:
            rows[task.start : task.stop] = worker.block(lines, task.seed, task.stop - task.start)
        finally:
            idle.put(worker)
        return task.stop - task.start

    threads = ThreadPoolExecutor(processes)
    try:
        for _ in range(processes):
            workers.append(_Worker())
            idle.put(workers[-1])
        for done in as_completed([threads.submit(fill, task) for task in tasks]):
            yield done.result()
    finally:  # reached on KeyboardInterrupt, too; threads that wait for a killed worker read end-of-file and return
        for worker in workers:
            worker.process.kill()
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()


class _Worker:
    """A Python process that simulates the blocks it is asked for.

    Not multiprocessing: its spawn and forkserver methods run the user's main script again in every worker, so that a
    plain script without ``if __name__ == "__main__"`` (or one read from stdin) breaks, and its fork method may
    deadlock where the parent has threads, as torch and numpy have. A process of our own imports this module only. Its
    stdin is the leash: the worker ends when the parent does, however that ends.
    """

    def __init__(self) -> None:
        # The parent's path, set before any other import: what the parent can import, the worker can, and nothing in
        # the current folder shadows the standard library. A session of its own, or Ctrl-C would make every worker
        # print a traceback: the parent kills the workers instead.
        path = [str(entry) for entry in sys.path]
        code = f"import sys; sys.path[:] = {path!a}; from {__name__} import _serve; _serve()"
        self.process = subprocess.Popen(  # noqa: S603 - our own code in our own interpreter
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def block(self, lines: list[str], seed: int, n: int) -> NDArray[np.float64]:
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:  # for the type checker: both are pipes
            raise self._died()
        with suppress(BrokenPipeError):  # a worker that has died also ends its stdout: one error for both
            stdin.write(json.dumps([lines, seed, n]).encode() + b"\n")
            stdin.flush()
        header = stdout.readline()
        if not header:
            raise self._died()
        kind, text = json.loads(header)
        if kind != "rows":
            raise (InputError if kind == "InputError" else RuntimeError)(text)
        data = stdout.read(n * _COMPONENTS * 8)
        if len(data) < n * _COMPONENTS * 8:
            raise self._died()
        return np.frombuffer(data, dtype=np.float64).reshape(n, _COMPONENTS)

    def close(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # the last request may still be in the buffer of a dead worker
                    pipe.close()

    def _died(self) -> RuntimeError:
        with suppress(subprocess.TimeoutExpired):  # end-of-file comes a moment before the exit code
            self.process.wait(timeout=5)
        return RuntimeError(
            f"a Pythia worker process ended early (exit code {self.process.returncode}; -9 is often lack of memory); "
            "its messages are on stderr; use fewer processes, or processes=1 to see the error here"
        )


def _serve() -> None:
    """Answer requests of ``_Worker.block`` from stdin until it ends."""
    # Pythia's C++ code may print to file descriptor 1 at any time: give it stderr and keep the pipe for events.
    # A broken pipe is a parent that was killed: nobody is left to tell.
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        for request in sys.stdin:
            lines, seed, n = json.loads(request)
            try:
                rows = _block(lines, seed, n)
            except (GanvalidError, RuntimeError) as error:
                answers.write(json.dumps([type(error).__name__, str(error)]).encode() + b"\n")
            else:
                answers.write(b'["rows", ""]\n' + rows.tobytes())
            answers.flush()


# --- Arguments and progress


@contextmanager
def _progress(n: int, *, visible: bool) -> Iterator[Callable[[int], object]]:
    """Give the function to call with each number of events that are done."""
    if not visible:
        yield lambda _: None
        return
    tqdm = imported("tqdm", feature="progress=True of toys.PythiaZ", extra="pythia").tqdm
    with tqdm(total=n, desc="Pythia Z -> mu mu", unit=" events", unit_scale=True) as bar:
        yield bar.update


def _available_cores() -> int:
    # Batch systems and containers pin a job to some of the machine's cores; cpu_count counts them all.
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _joined(lines: list[str]) -> str:
    return "; ".join(lines)

"""Tests of the Pythia toy: which events a seed means, that they are Drell-Yan, and what is said when they cannot be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_ganvalid.errors import GanvalidError, InputError, MissingExtraError
from pytest_ganvalid.toys import PythiaZ, pythia

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[np.float64]]

pytest.importorskip("pythia8mc")

SMALL = PythiaZ(block=100)  # several blocks in few events


@pytest.fixture(scope="module")
def events() -> Columns:
    """5000 events of the default settings."""
    return PythiaZ().sample(5_000, seed=11, processes=1).columns


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Worker processes in the order in which they start."""
    processes: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen

    def popen(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        processes.append(original(*args, **kwargs))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return processes


def assert_same(one: Columns, other: Columns) -> None:
    """Compare column by column, exactly."""
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


# --- Which events a seed means


def test_same_seed_gives_same_events() -> None:
    """The same settings and seed give the same events."""
    assert_same(SMALL.sample(150, seed=3, processes=1).columns, SMALL.sample(150, seed=3, processes=1).columns)


def test_process_count_does_not_matter(started: list[subprocess.Popen[bytes]]) -> None:
    """Two worker processes give the events of one process, in the same order, and end afterwards."""
    assert_same(SMALL.sample(250, seed=3, processes=1).columns, SMALL.sample(250, seed=3, processes=2).columns)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_short_sample_is_prefix_of_long_one() -> None:
    """The first events of a longer sample are those of a shorter one, within a block and over blocks."""
    long = SMALL.sample(250, seed=3, processes=1).columns
    for n in (30, 130):
        assert_same(SMALL.sample(n, seed=3, processes=1).columns, {name: column[:n] for name, column in long.items()})


def test_seeds_and_blocks_differ() -> None:
    """No event occurs twice, neither in two blocks of one sample nor in samples of two seeds."""
    masses = [SMALL.sample(200, seed=seed, processes=1)["mass"] for seed in (3, 4)]
    assert np.unique(np.concatenate(masses)).size == 400


def test_block_seeds_are_distinct_and_valid() -> None:
    """Every block of a large run has a seed of its own in Pythia's range, also where the seeds wrap around."""
    for seed in range(20):
        seeds = np.array([task.seed for task in pythia._tasks(10_000, 1, seed)])
        assert np.unique(seeds).size == 10_000
        assert seeds.min() >= 1
        assert seeds.max() <= 900_000_000


def test_wrapped_block_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the last of Pythia's seeds the blocks go on from the first."""
    monkeypatch.setattr(pythia, "_PYTHIA_SEEDS", 7)
    assert sorted(task.seed for task in pythia._tasks(7, 1, 0)) == [1, 2, 3, 4, 5, 6, 7]


def test_tasks_cover_the_sample_once() -> None:
    """Blocks follow each other without gap or overlap, and only the last is shorter."""
    tasks = pythia._tasks(250, 100, 0)
    assert [(task.start, task.stop) for task in tasks] == [(0, 100), (100, 200), (200, 250)]


def test_user_cannot_fix_the_seed_of_all_blocks() -> None:
    """A seed among the extra settings does not replace the seeds of the blocks."""
    fixed = PythiaZ(block=100, settings=("Random:seed = 7",))
    assert_same(fixed.sample(150, seed=3, processes=1).columns, SMALL.sample(150, seed=3, processes=1).columns)


# --- Physics


def test_columns(events: Columns) -> None:
    """Every column is float64, finite and of the requested length."""
    muon = {f"mu_{charge}_{name}" for charge in ("minus", "plus") for name in ("pt", "eta", "phi")}
    assert set(events) == {"mass", "pt", "rapidity", "phi", "mu1_pt", "mu2_pt"} | muon
    for column in events.values():
        assert column.dtype == np.float64
        assert column.shape == (5_000,)
        assert np.isfinite(column).all()


def test_mass_peaks_at_the_z(events: Columns) -> None:
    """The dimuon mass peaks at the Z mass, ends at the upper limit, and only radiation goes below the lower one."""
    mass = events["mass"]
    counts, edges = np.histogram(mass, bins=60, range=(60.0, 120.0))
    assert 90.0 <= edges[counts.argmax()] <= 91.0
    assert mass.max() <= 120.0
    assert 0.0 < np.mean(mass < 60.0) < 0.04
    assert np.mean(np.abs(mass - 91.19) < 5.0) > 0.7


def test_mass_range_is_followed() -> None:
    """Another mass range gives events of that mass."""
    mass = PythiaZ(mass_range=(200.0, 250.0)).sample(200, seed=1, processes=1)["mass"]
    assert 200.0 < np.median(mass) < 250.0
    assert mass.max() <= 250.0


def test_energy_is_followed() -> None:
    """At a lower beam energy the Z is more central."""
    low = PythiaZ(energy=2_000.0).sample(400, seed=1, processes=1)["rapidity"]
    high = PythiaZ().sample(400, seed=1, processes=1)["rapidity"]
    assert low.std() < 0.7 * high.std()


def test_rapidity_is_symmetric(events: Columns) -> None:
    """The two proton beams are equivalent: mean and skewness of the rapidity vanish within five standard errors."""
    rapidity = events["rapidity"]
    error = 1 / np.sqrt(rapidity.size)
    assert abs(rapidity.mean()) < 5 * rapidity.std() * error
    assert abs(np.mean((rapidity / rapidity.std()) ** 3)) < 5 * np.sqrt(15) * error


def test_azimuth_is_uniform(events: Columns) -> None:
    """No direction is special: the first harmonics of every azimuth vanish within five standard errors."""
    for name in ("phi", "mu_minus_phi", "mu_plus_phi"):
        assert np.abs(np.mean(np.exp(1j * events[name]))) < 5 / np.sqrt(events[name].size)


def test_showers_give_transverse_momentum(events: Columns) -> None:
    """Parton showers give the dimuon the spectrum of a Z: a peak at a few GeV and a long tail."""
    counts, edges = np.histogram(events["pt"], bins=20, range=(0.0, 40.0))
    assert 2.0 <= edges[counts.argmax()] <= 8.0
    assert 0.02 < np.mean(events["pt"] > 60.0) < 0.2


def test_dimuon_is_the_sum_of_its_muons(events: Columns) -> None:
    """The dimuon columns are those of the sum of the two muons' four-momenta."""
    px, py, pz, energy = np.zeros((4, 5_000))
    for muon in ("mu_minus", "mu_plus"):
        pt, eta, phi = (events[f"{muon}_{name}"] for name in ("pt", "eta", "phi"))
        px, py, pz = px + pt * np.cos(phi), py + pt * np.sin(phi), pz + pt * np.sinh(eta)
        energy = energy + np.sqrt((pt * np.cosh(eta)) ** 2 + 0.10566**2)
    np.testing.assert_allclose(events["pt"] * np.cos(events["phi"]), px, rtol=0, atol=1e-8)
    np.testing.assert_allclose(events["pt"] * np.sin(events["phi"]), py, rtol=0, atol=1e-8)
    np.testing.assert_allclose(events["rapidity"], np.arctanh(pz / energy), rtol=0, atol=1e-5)
    np.testing.assert_allclose(events["mass"], np.sqrt(energy**2 - px**2 - py**2 - pz**2), rtol=1e-5)


def test_leading_muon_is_the_harder(events: Columns) -> None:
    """mu1 and mu2 are the two muons in order of falling pt."""
    pair = np.sort([events["mu_minus_pt"], events["mu_plus_pt"]], axis=0)
    np.testing.assert_array_equal([events["mu2_pt"], events["mu1_pt"]], pair)


def test_muons_are_those_after_radiation() -> None:
    """Without radiation from the muons no mass is below the limit, with it some are: the final muons are read."""
    bare = PythiaZ(settings=("TimeShower:QEDshowerByL = off",)).sample(500, seed=2, processes=1)["mass"]
    radiating = PythiaZ().sample(500, seed=2, processes=1)["mass"]
    assert bare.min() >= 60.0 - 1e-6
    assert radiating.min() < 60.0


# --- Processes


def test_plain_script_and_relative_path(tmp_path: Path) -> None:
    """Workers start from a script without a main guard, beside a file that shadows the standard library."""
    (tmp_path / "script").mkdir()
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    script = tmp_path / "script" / "plain.py"
    script.write_text(
        f"from {pythia.__name__} import PythiaZ\n"
        "print('start')\n"
        "print(len(PythiaZ(block=50).sample(100, seed=1, processes=2)['mass']))\n"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "start\n100\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals a thread")
def test_interrupt_leaves_no_process(started: list[subprocess.Popen[bytes]]) -> None:
    """Ctrl-C ends the sampling at once and every worker with it."""
    interrupt = threading.Timer(2.0, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    # A shell starts background jobs with SIGINT ignored, and Python then leaves it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            SMALL.sample(40_000, seed=1, processes=2)
    finally:
        interrupt.join()
        signal.signal(signal.SIGINT, before)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_worker_ends_with_its_parent() -> None:
    """A worker whose parent is gone sees the end of its input and stops by itself."""
    worker = pythia._Worker()
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(timeout=10) == 0
    worker.close()


def test_dead_worker_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies gives an error with its exit code and the remedy instead of a hang."""
    original = subprocess.Popen

    def dying(_: list[str], **kwargs: Any) -> subprocess.Popen[bytes]:
        return original([sys.executable, "-c", "raise SystemExit(3)"], **kwargs)

    monkeypatch.setattr(subprocess, "Popen", dying)
    with pytest.raises(RuntimeError, match=r"exit code 3.*processes=1"):
        SMALL.sample(300, seed=1, processes=2)


def test_worker_killed_in_its_work_is_an_error(started: list[subprocess.Popen[bytes]]) -> None:
    """A worker that is killed while it simulates gives the same error, and the other worker ends."""
    kill = threading.Timer(2.0, lambda: started[0].kill())  # noqa: PLW0108 - not started yet
    kill.start()
    with pytest.raises(RuntimeError, match="worker process ended early"):
        SMALL.sample(40_000, seed=1, processes=2)
    kill.join()
    assert all(process.returncode is not None for process in started)


@pytest.mark.parametrize("processes", [1, 2])
def test_output(processes: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Progress goes to stderr only, in events, and neither Pythia nor the workers print anything else."""
    SMALL.sample(200, seed=1, processes=processes)
    assert capfd.readouterr() == ("", "")
    SMALL.sample(200, seed=1, processes=processes, progress=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "200/200" in captured.err
    assert "events/s" in captured.err


# --- Errors


@pytest.mark.parametrize("processes", [1, 2])
def test_missing_package(processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pythia8mc the error names the feature, the package and the command that installs it."""
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(MissingExtraError, match=r"toys\.PythiaZ.*pythia8mc.*pip install \"pytest-ganvalid\[pythia\]\""):
        SMALL.sample(200, seed=1, processes=processes)


def test_missing_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tqdm only the progress bar fails, naming the package and the command."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert SMALL.sample(1, seed=1, processes=1)["mass"].shape == (1,)
    with pytest.raises(MissingExtraError, match=r"progress=True.*tqdm.*pip install"):
        SMALL.sample(1, seed=1, processes=1, progress=True)


def test_import_is_light() -> None:
    """Importing the module imports neither pythia8mc nor tqdm."""
    show = "print({'pythia8mc', 'tqdm'} & set(sys.modules))"
    code = f"import sys; sys.path[:] = {sys.path!r}; import {pythia.__name__}; {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "10", None])
def test_bad_n(value: Any) -> None:
    """The number of events is a positive integer."""
    with pytest.raises(GanvalidError, match=r"n=.*expected (an integer|at least 1)"):
        SMALL.sample(value, seed=1)


@pytest.mark.parametrize("value", [-1, 1.5, None, False])
def test_bad_seed(value: Any) -> None:
    """The seed is a non-negative integer and never drawn from the clock."""
    with pytest.raises(GanvalidError, match=r"seed=.*expected (an integer|at least 0)"):
        SMALL.sample(1, seed=value)


@pytest.mark.parametrize("value", [0, -2, 1.0])
def test_bad_processes(value: Any) -> None:
    """The number of processes is a positive integer or None."""
    with pytest.raises(GanvalidError, match=r"processes=.*expected (an integer|at least 1)"):
        SMALL.sample(1, seed=1, processes=value)


def test_numpy_integers_are_integers() -> None:
    """Numbers taken from arrays are as good as Python's."""
    numbers = np.array([2, 0, 1])
    assert SMALL.sample(numbers[0], seed=numbers[1], processes=numbers[2])["mass"].shape == (2,)


@pytest.mark.parametrize(
    ("energy", "mass_range"),
    [
        (13_000.0, (120.0, 60.0)),
        (13_000.0, (60.0, 60.0)),
        (13_000.0, (0.0, 60.0)),
        (100.0, (60.0, 120.0)),
        (13_000.0, (60.0, float("nan"))),
        (float("inf"), (60.0, 120.0)),
    ],
)
def test_bad_mass_range(energy: float, mass_range: tuple[float, float]) -> None:
    """The mass range is ordered, positive and below the energy."""
    with pytest.raises(InputError, match=r"mass_range is .*expected 0 < lower < upper <= energy"):
        PythiaZ(energy=energy, mass_range=mass_range)


def test_bad_block() -> None:
    """A block has at least one event."""
    with pytest.raises(InputError, match="block=0 is too small; expected at least 1"):
        PythiaZ(block=0)


def test_settings_is_not_one_string() -> None:
    """One line given as a bare string is an error, not a tuple of its characters."""
    with pytest.raises(TypeError, match="expected a tuple of lines"):
        PythiaZ(settings="PDF:pSet = 14")  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("PDF:noSuchKey = 14", InputError, "does not accept the setting 'PDF:noSuchKey = 14'"),
        ("PhaseSpace:bias2Selection = on", RuntimeError, "did not initialise with .*PhaseSpace:bias2Selection = on"),
        ("23:onIfAny = 11", RuntimeError, r"without Z/gamma\* -> mu\+ mu-"),
        ("WeakSingleBoson:ffbar2W = on", RuntimeError, r"without Z/gamma\* -> mu\+ mu-"),
    ],
)
def test_bad_settings(line: str, kind: type[Exception], text: str, processes: int) -> None:
    """What Pythia refuses, and what would no longer be this process, is the same error for any number of processes."""
    with pytest.raises(kind, match=text):
        PythiaZ(block=100, settings=(line,)).sample(200, seed=1, processes=processes)


def test_weighted_events_are_an_error() -> None:
    """Settings that give weighted events are an error: the columns would silently be another distribution."""
    enhanced = PythiaZ(settings=("Enhancements:doEnhance = on", "EnhancedSplittings:List = {isr:Q2QG=5.0}"))
    with pytest.raises(RuntimeError, match=r"weight .*expected 1.*remove the bias"):
        enhanced.sample(200, seed=1, processes=1)


def test_underlying_event_may_be_switched_on() -> None:
    """The extra settings come last: with multi-parton interactions and hadrons the same muons are found."""
    full = PythiaZ(settings=("PartonLevel:MPI = on", "HadronLevel:all = on")).sample(50, seed=1, processes=1)
    assert 80.0 < np.median(full["mass"]) < 95.0


def test_failing_events_are_tried_again() -> None:
    """An attempt that fails is repeated, and an event that always fails is an error instead of an endless loop."""

    class Failing:
        def __init__(self, failures: int) -> None:
            self.attempts = 0
            self.failures = failures

        def next(self) -> bool:
            self.attempts += 1
            return self.attempts > self.failures

    sometimes = Failing(failures=3)
    pythia._next_event(sometimes, [])
    assert sometimes.attempts == 4
    with pytest.raises(RuntimeError, match=r"failed to make an event 100 times in a row with a = b"):
        pythia._next_event(Failing(failures=1_000), ["a = b"])

"""The command line: the same events as from Python, help at once, and errors of one line."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_ganvalid import toys
from pytest_ganvalid.cli import COMMANDS, main
from pytest_ganvalid.cli.parameters import built, described, parsed
from pytest_ganvalid.cli.simulate import TOYS, kebab

SETTINGS = {"steps": 20, "width": 8, "batch": 50, "members": 1}
SET = ["--set", *(f"{name}={value}" for name, value in SETTINGS.items())]


def events_of(path: Path) -> dict[str, Any]:
    """The columns of a file."""
    with np.load(path) as archive:
        return dict(archive)


def assert_same(found: dict[str, Any], expected: Any) -> None:
    """The same columns, to the last bit."""
    assert sorted(found) == sorted(expected.columns)
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name])


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """Networks of a few units are slower on several threads, and machines are shared."""
    torch: Any = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, _one_thread: None) -> Path:
    """A folder with training events and a generator that the command line made of them."""
    folder = tmp_path_factory.mktemp("trained")
    events = str(folder / "events.npz")
    assert main(["simulate", "calorimeter", "-n", "300", "--seed", "1", "-o", events]) == 0
    assert main(["train", events, "-o", str(folder / "free.safetensors"), *SET]) == 0
    assert (
        main(["train", events, "--conditions", "energy", "-o", str(folder / "given.safetensors"), "--seed", "3", *SET])
        == 0
    )
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words", ["--help", "--version", *(f"{command.name} --help" for command in COMMANDS), "simulate --list"]
)
def test_help_comes_at_once(words: str) -> None:
    """No help text loads numpy, scipy or torch, and it is printed to stdout with status 0."""
    code = (
        "import sys; from pytest_ganvalid.cli import main; status = main(sys.argv[1:]);"
        "sys.exit(status or [name for name in ('numpy', 'scipy', 'torch') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.stderr in {"", "[]\n"}
    assert done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_an_example(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help ends with a worked example of that command."""
    assert main([command.name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"\n  ganvalid {command.name} " in printed[printed.index("example") :]


def test_the_module_is_the_program(folder: Path) -> None:
    """``python -m pytest_ganvalid`` writes the file that was asked for."""
    words = ["simulate", "ring", "-n", "3", "--seed", "1", "-o", "ring.npz"]
    done = subprocess.run([sys.executable, "-m", "pytest_ganvalid", *words], check=True, capture_output=True, text=True)
    assert done.stdout == "wrote 3 events of ring (x, y) to ring.npz\n"
    assert [path.name for path in folder.iterdir()] == ["ring.npz"]


@pytest.mark.skipif("GANVALID_TEST_WHEEL" not in os.environ, reason="only where the wheel is installed, as by tox")
def test_the_program_is_installed() -> None:
    """The wheel installs ``ganvalid``."""
    scripts = importlib.metadata.distribution("pytest-ganvalid").entry_points.select(group="console_scripts")
    assert [(script.name, script.value) for script in scripts] == [("ganvalid", "pytest_ganvalid.cli:main")]


def test_nothing_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help goes to stderr, with status 2."""
    assert main([]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert all(command.name in printed.err for command in COMMANDS)


def test_every_toy_can_be_asked_for() -> None:
    """The command line knows every toy that is made of parameters alone."""
    assert set(TOYS) == set(toys.__all__) - {"ResponseAt"}
    assert kebab("ZLineShape") == "z-line-shape"


@pytest.mark.parametrize("name", [*TOYS, "Config"])
def test_descriptions_are_those_of_the_code(name: str) -> None:
    """What the help reads from the source is every parameter, with a meaning and the default that is in force."""
    if name == "Config":
        pytest.importorskip("torch")
        pytest.importorskip("safetensors")
        from pytest_ganvalid.gan import Config

        kind: Any = Config
        parameters = described("gan/config.py", name).parameters
    else:
        kind = getattr(toys, name)
        parameters = described(f"toys/{TOYS[name]}.py", name).parameters
    assert {parameter.name.split(".")[0] for parameter in parameters} == {f.name for f in dataclasses.fields(kind)}
    assert all(parameter.meaning for parameter in parameters)
    assert built(kind, {p.name: parsed(p.annotation, p.default) for p in parameters}) == kind()


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "1e4", 10_000),
        ("float", "1/128", 1 / 128),
        ("float | None", "None", None),
        ("bool", "Yes", True),
        ("tuple[float, float]", "0.3, 0.7", (0.3, 0.7)),
        ("tuple[str, ...]", "a = 1,b = 2", ("a = 1", "b = 2")),
    ],
)
def test_values_are_read_as_their_type(annotation: str, text: str, value: object) -> None:
    """A value is read as the type of its parameter."""
    assert parsed(annotation, text) == value


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        ("int", "1.5", "a whole number"),
        ("int | None", "inf", "a whole number, or none"),
        ("float", "1/0", "a number"),
        ("bool", "maybe", "true or false"),
        ("tuple[float, float]", "1", "2 numbers separated by commas"),
        ("tuple[float, float] | None", "a,b", "2 numbers separated by commas, or none"),
    ],
)
def test_values_of_another_type_are_refused(annotation: str, text: str, expected: str) -> None:
    """A value of another type is refused by saying what was expected."""
    with pytest.raises(ValueError, match=f"^{expected}$"):
        parsed(annotation, text)


@pytest.mark.parametrize("name", [name for name in TOYS if name != "PythiaZ"])
def test_simulate_writes_the_toys_events(name: str, folder: Path) -> None:
    """Every toy's file holds the events of the Python call, whichever way its name is written."""
    for number, spelling in enumerate((kebab(name), name, name.upper())):
        path = folder / f"{number}.npz"
        assert main(["simulate", spelling, "-n", "20", "--seed", "3", "-o", str(path)]) == 0
        assert_same(events_of(path), getattr(toys, name)().sample(20, seed=3))


def test_simulate_sets_parameters(folder: Path) -> None:
    """``--set`` takes several parameters, pairs of numbers, and those of a toy within a toy."""
    words = ["-n", "20", "--seed", "0", "-o", "events.npz", "--set"]
    assert main(["simulate", "camel-back", *words, "fraction=0.2", "means=-1,2.5"]) == 0
    assert_same(events_of(folder / "events.npz"), toys.CamelBack(fraction=0.2, means=(-1, 2.5)).sample(20, seed=0))
    assert main(["simulate", "pileup", *words, "mean=2", "--set", "collisions.mean_pt=1.5", "library_size=1e3"]) == 0
    pileup = toys.Pileup(mean=2, collisions=toys.MinimumBias(mean_pt=1.5), library_size=1_000)
    assert_same(events_of(folder / "events.npz"), pileup.sample(20, seed=0))


def test_simulate_writes_parquet(folder: Path) -> None:
    """The suffix says what kind of file is written."""
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    assert main(["simulate", "ring", "-n", "7", "--seed", "1", "-o", "ring.parquet"]) == 0
    table = parquet.read_table(folder / "ring.parquet").to_pydict()
    assert_same({name: np.array(values) for name, values in table.items()}, toys.Ring().sample(7, seed=1))


SIMULATE = "simulate camel-back -n 5 --seed 1 -o out.npz"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("frobnicate", "invalid choice: 'frobnicate'"),
        ("simulate camel -n 5 --seed 1 -o out.npz", "no toy 'camel'; expected one of camel-back, ring,"),
        ("simulate camel-back -n 5 -o out.npz", "required: --seed"),
        ("simulate camel-back -n ten --seed 1 -o out.npz", "'ten' is not a whole number; expected one such as"),
        (f"{SIMULATE} --set mean=3", "camel-back has no parameter 'mean'; expected one of means, widths, fraction"),
        (f"{SIMULATE} --set fraction=half", "fraction=half is not understood; expected a number"),
        (f"{SIMULATE} --set means=1,2,3", "means=1,2,3 is not understood; expected 2 numbers separated by commas"),
        (f"{SIMULATE} --set fraction", "'fraction' sets nothing; expected name=value"),
        ("train e.npz -o out.safetensors --set stepz=3", "no setting 'stepz'; expected one of objective, penalty,"),
        ("train e.npz -o out.safetensors --set steps=many", "steps=many is not understood; expected a whole number"),
        ("train e.npz -o out.safetensors --columns a,,b", "'a,,b' names nothing"),
        ("train e.npz -o out.safetensors --log e.npz", "EVENTS and --log are both e.npz; expected different files"),
        ("train e.npz -o o.safetensors --checkpoint ./o.safetensors", "--output and --checkpoint are both"),
        ("generate g.safetensors --seed 1 -o out.npz", "how many events? give -n N"),
        ("generate g.safetensors -n 1 --seed 1 -o out.npz --at energy=high", "'energy=high' gives no number"),
        ("generate g.safetensors --seed 1 -o a.npz --conditions a.npz", "--conditions and --output are both a.npz"),
    ],
)
def test_what_is_not_understood(words: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that is not understood gets a reason, a pointer to the help and status 2, and writes nothing."""
    assert main(words.split()) == 2
    printed = capsys.readouterr()
    first, second = printed.err.splitlines()
    assert first.startswith("ganvalid")
    assert reason in first
    assert second.startswith("See 'ganvalid ")
    assert not printed.out
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"{SIMULATE} --set fraction=3", "fraction=3.0 is out of range"),
        ("simulate camel-back -n 0 --seed 1 -o out.npz", "n=0 is too small"),
        ("simulate camel-back -n 5 --seed -1 -o out.npz", "seed=-1 is too small"),
        ("simulate camel-back -n 1e14 --seed 1 -o out.npz", "not enough memory"),
        ("simulate camel-back -n 5 --seed 1 -o out.root", "the suffix '.root' is not known; expected .npz or .parquet"),
        ("simulate camel-back -n 5 --seed 1 -o no/out.npz", "there is no folder 'no'; make it first"),
        ("train e.npz -o out.pt", "the suffix '.pt' is not known; expected .safetensors"),
        ("train e.npz -o no/out.safetensors", "there is no folder 'no'; make it first"),
        ("train e.npz -o out.safetensors --checkpoint no/ckpt", "there is no folder 'no'; make it first"),
        ("train e.npz -o out.safetensors --log .", "this is a folder; expected the name of a file"),
    ],
)
def test_what_cannot_be_done(words: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done gets one line and status 1, before any training, and leaves nothing behind."""
    assert main(words.split()) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("ganvalid: error: ")
    assert reason in line
    assert not printed.out
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("train none.npz -o out.safetensors", "none.npz: there is no such file"),
        ("train events.npz -o out.safetensors --columns mass", "events.npz: no column 'mass'; there are"),
        ("train events.npz -o out.safetensors --set precision=half", "precision='half' is not known; expected one of"),
        ("train events.npz -o out.safetensors --device tpu", "device='tpu' "),
        ("train events.npz -o out.safetensors --checkpoint events2.npz", "cannot be read as a checkpoint"),
        ("generate none.safetensors -n 5 --seed 1 -o out.npz", "none.safetensors: there is no such file"),
        ("generate events.npz -n 5 --seed 1 -o out.npz", "events.npz: cannot be read as a trained generator"),
        ("generate free.safetensors -n 5 --seed 1 -o out.txt", "the suffix '.txt' is not known"),
        ("generate free.safetensors -n 0 --seed 1 -o out.npz", "n=0 is too small"),
        ("generate free.safetensors -n 5 --seed 1 -o out.npz --at energy=50", "was trained without conditions"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz", "got nothing; expected --at energy=VALUE"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz --at e=50", "got e; expected --at energy=VALUE"),
        ("generate given.safetensors -n 5 --seed 1 -o out.npz --conditions events.npz", "300 rows for n=5 events"),
    ],
)
def test_what_cannot_be_done_with_these_files(
    words: str,
    reason: str,
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An unsuitable file or option gets one line and status 1, and leaves nothing behind."""
    monkeypatch.chdir(trained)
    (trained / "events2.npz").write_bytes((trained / "events.npz").read_bytes())
    before = sorted(trained.iterdir())
    assert main(words.split()) == 1
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert line.startswith("ganvalid: error: ")
    assert reason in line
    assert sorted(trained.iterdir()) == before


def test_a_missing_package_is_named(folder: Path) -> None:
    """Without torch, training fails with the command that installs it."""
    code = "import sys; sys.modules['torch'] = None; from pytest_ganvalid.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "train", "events.npz", "-o", "out.safetensors"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 1
    assert 'pip install "pytest-ganvalid[gan]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_training_is_that_of_python(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Training and generating by commands gives, to the last bit, the events of the Python calls."""
    from pytest_ganvalid.gan import Config, train

    words = ["-n", "1000", "--seed", "4", "--chunk", "300", "-o", "out.npz"]
    assert main(["generate", str(trained / "free.safetensors"), *words]) == 0
    assert "trained on 300 (n_train)" in capsys.readouterr().out
    generator = train(events_of(trained / "events.npz"), config=Config(**SETTINGS))  # type: ignore[arg-type]
    assert_same(events_of(folder / "out.npz"), generator.sample(1_000, seed=4))


def test_training_on_some_columns_with_weights(trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--columns`` and ``--weight`` mean what they do in Python; one line says what was done, and what is next."""
    from pytest_ganvalid.gan import Config, Generator, train

    words = ["--columns", "response", "--weight", "energy", "--seed", "2", "-q", *SET]
    assert main(["train", str(trained / "events.npz"), "-o", "one.safetensors", *words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "trained on 300 events (n_train) in 20 steps; wrote one.safetensors; next: ganvalid generate"
    )
    events, config = events_of(trained / "events.npz"), Config(**SETTINGS)  # type: ignore[arg-type]
    generator = train(events, columns=["response"], weight="energy", seed=2, config=config)
    found = Generator.load(folder / "one.safetensors").sample(50, seed=1)
    assert_same(dict(found.columns), generator.sample(50, seed=1))


def test_conditions_are_a_number_or_a_file(trained: Path, folder: Path) -> None:
    """``--at`` gives all events one condition; ``--conditions`` gives each that of a row, as many as there are."""
    from pytest_ganvalid.gan import Generator

    path = trained / "given.safetensors"
    generator, events = Generator.load(path), events_of(trained / "events.npz")
    assert main(["generate", str(path), "-n", "30", "--seed", "4", "--at", "energy=50", "-o", "at.npz"]) == 0
    assert_same(events_of(folder / "at.npz"), generator.sample(30, seed=4, conditions={"energy": 50.0}))
    rows = str(trained / "events.npz")
    assert main(["generate", str(path), "--seed", "4", "--conditions", rows, "-o", "rows.npz"]) == 0
    assert_same(events_of(folder / "rows.npz"), generator.sample(300, seed=4, conditions=events))


def test_an_interrupted_training_goes_on(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C the same command goes on from the checkpoint, to the same generator, and says so before."""
    from pytest_ganvalid.gan import Generator
    from pytest_ganvalid.gan.progress import Progress

    words = ["train", str(trained / "events.npz"), "-o", "g.safetensors", "--checkpoint", "ckpt", *SET]
    words += ["--checkpoint-every", "10"]
    for step, said in ((5, "before the first checkpoint, ckpt"), (15, "goes on from ckpt")):

        def interrupt(_: Progress, now: int, *__: object, step: int = step) -> None:
            if now == step:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Progress, "update", interrupt)
            assert main(words) == 130
        printed = capsys.readouterr()
        assert said in printed.err
        assert not printed.out
    assert [path.name for path in folder.iterdir()] == ["ckpt"]
    assert main(words) == 0
    resumed, whole = Generator.load(folder / "g.safetensors"), Generator.load(trained / "free.safetensors")
    assert_same(dict(resumed.sample(50, seed=1).columns), whole.sample(50, seed=1))
    assert main([*words, "--set", "width=16"]) == 1
    assert "ckpt is of a training with width=8; now it is 16: delete it" in capsys.readouterr().err


def test_an_interrupted_generation_leaves_nothing(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C amid the events leaves no part of a file, and ends with status 130."""
    from pytest_ganvalid.gan import Generator

    def stream(*_: object, **__: object) -> Iterator[Any]:
        yield toys.Ring().sample(5, seed=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "stream", stream)
    assert main(["generate", str(trained / "free.safetensors"), "-n", "10", "--seed", "1", "-o", "out.npz"]) == 130
    assert capsys.readouterr().err == "ganvalid: interrupted; nothing was written\n"
    assert not list(folder.iterdir())


def test_bars_are_for_terminals(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal gets a progress bar unless ``--quiet`` is given; a file gets none."""
    pytest.importorskip("tqdm")
    words = ["generate", str(trained / "free.safetensors"), "-n", "10", "--seed", "1", "-o", str(folder / "out.npz")]
    for terminal, more, shown in ((True, [], True), (True, ["--quiet"], False), (False, [], False)):
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
            assert main([*words, *more]) == 0
        assert ("generating" in capsys.readouterr().err) is shown


def test_a_rank_alone_does_not_silence(trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that some batch system sets does not keep the only process from writing its generator."""
    monkeypatch.setenv("RANK", "1")
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", *SET]) == 0
    assert (folder / "g.safetensors").exists()


def test_one_of_several_processes_writes(
    trained: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the processes of ``torchrun`` those that do not lead print and write nothing, but tell their errors."""
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    assert main(["train", str(trained / "events.npz"), "-o", "g.safetensors", *SET]) == 0
    assert not list(folder.iterdir())
    assert capsys.readouterr() == ("", "")
    assert main(["train", "none.npz", "-o", "g.safetensors"]) == 1
    assert capsys.readouterr().err.startswith("ganvalid (process 1): error: none.npz")

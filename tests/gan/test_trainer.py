"""A training learns what it is given, ends the same however often it is interrupted, and refuses what cannot work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid.errors import InputError, InputTypeError, TrainingError, TrainingWarning
from pytest_ganvalid.gan import Config, Generator, preprocess, train, trainer
from pytest_ganvalid.gan.batches import TrainingEvents
from pytest_ganvalid.gan.devices import World
from pytest_ganvalid.gan.evaluation import EnergyDistance
from pytest_ganvalid.gan.preprocess import FromNetwork, Scale
from pytest_ganvalid.gan.progress import Progress
from pytest_ganvalid.gan.quantiles import Quantiles
from pytest_ganvalid.gan.trainer import _SPLIT
from pytest_ganvalid.overlaps.fingerprint import fingerprint
from pytest_ganvalid.samples import Entries, Sample

Array = NDArray[np.float64]
SMALL: dict[str, Any] = {"width": 16, "critic_width": 16, "depth": 2, "members": 1, "batch": 100}
TINY = Config(width=4, critic_width=4, depth=2, members=2, latent=2, batch=20, steps=40)


def _config(**changes: Any) -> Config:
    """Settings with which a simple column is learned in a second."""
    return Config(**{**SMALL, "steps": 120, "learning_rate": 1e-2, "averaging": 0.95, **changes})


def _tiny(**changes: Any) -> Config:
    """Settings with which nothing is learned, in no time."""
    return Config(**{name: getattr(TINY, name) for name in TINY.__slots__} | changes)


def _normal(n: int = 2_000, seed: int = 1) -> dict[str, Array]:
    return {"x": np.random.default_rng(seed).normal(3, 2, n)}


def _events(n: int = 200) -> dict[str, Array]:
    rng = np.random.default_rng(2)
    return {"x": rng.normal(size=n), "n": rng.poisson(3, n).astype(float), "e": rng.uniform(1, 2, n)}


def _tensors(generator: Generator) -> dict[str, Any]:
    return dict(generator._network.state_dict())


def _equal(left: Generator, right: Generator) -> bool:
    """Whether two generators are the same to the last bit."""
    first, second = _tensors(left), _tensors(right)
    return left.record == right.record and all(torch.equal(first[name], second[name]) for name in first)


def _steps(log: Path) -> list[int]:
    return [json.loads(line)["step"] for line in log.read_text(encoding="utf-8").splitlines()]


# In 400 steps, a critic with the penalty of wgan-gp has not yet caught up with its generator.
@pytest.mark.filterwarnings("ignore:step .*critic has collapsed:UserWarning")
@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "relativistic"},
        {"objective": "hinge"},
        {"objective": "wgan-gp", "batch": 200, "steps": 400, "learning_rate": 5e-3, "averaging": 0.99},
    ],
    ids=lambda changes: changes["objective"],
)
def test_objectives_learn(changes: dict[str, Any]) -> None:
    """Every objective brings mean and width of a normal column about right."""
    generated = train(_normal(), config=_config(**changes), device="cpu").sample(20_000, seed=1)["x"]
    assert generated.mean() == pytest.approx(3, abs=0.5)
    assert generated.std() == pytest.approx(2, rel=0.3)


def test_weights_count() -> None:
    """Weighted training events are reproduced as weighted, not as they lie about."""
    x = np.random.default_rng(3).normal(size=4_000)
    weight = np.exp(x)  # moves the mean to 1
    for generator in (
        train({"x": x, "w": weight}, weight="w", config=_config(), device="cpu"),
        train({"x": x}, weight=weight * 1e6, config=_config(), device="cpu"),
    ):
        assert generator.columns == ("x",)
        assert generator.sample(20_000, seed=1)["x"].mean() == pytest.approx(np.average(x, weights=weight), abs=0.3)


def test_negative_weights_take_away() -> None:
    """Events of negative weight cancel others in the same place."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.normal(0, 1, 2_000), rng.normal(3, 1, 1_000), rng.normal(3, 1, 500)])
    weight = np.repeat([1.0, -1.0], [3_000, 500])
    generated = train({"x": x}, weight=weight, config=_config(steps=200), device="cpu").sample(20_000, seed=1)["x"]
    assert np.average(x, weights=weight) == pytest.approx(0.6, abs=0.1)  # and 1.3 if signs were dropped
    assert generated.mean() == pytest.approx(np.average(x, weights=weight), abs=0.3)


def test_conditions_are_followed() -> None:
    """The mean of a generated column is that of training events under the same condition."""
    rng = np.random.default_rng(5)
    energy = rng.uniform(1, 5, 4_000)
    events = {"response": energy + rng.normal(0, 0.5, 4_000), "energy": energy}
    generator = train(events, conditions=["energy"], config=_config(steps=200), device="cpu")
    assert (generator.columns, generator.conditions) == (("response",), ("energy",))
    for energy_of_all in (2.0, 4.0):
        generated = generator.sample(10_000, seed=1, conditions={"energy": energy_of_all})["response"]
        assert generated.mean() == pytest.approx(energy_of_all, abs=0.5)


def test_integers_stay_integers() -> None:
    """A column of counts is generated as counts, and a skewed one as counts that are not negative."""
    rng = np.random.default_rng(6)
    counts = {"n": rng.poisson(5, 2_000), "m": rng.geometric(0.2, 2_000)}
    generator = train(counts, config=_config(), device="cpu")
    generated = generator.sample(20_000, seed=1)
    for name, values in counts.items():
        np.testing.assert_array_equal(generated[name], np.rint(generated[name]))
        assert generated[name].mean() == pytest.approx(values.mean(), rel=0.15)
    assert generated["m"].min() >= 0


@pytest.mark.parametrize("objective", ["relativistic", "hinge", "wgan-gp"])
def test_reproducible(objective: str) -> None:
    """The same seed gives the same weights to the last bit, and another seed others."""
    first, again, other = (
        train(_events(), conditions=["e"], config=_tiny(objective=objective, steps=10), seed=seed, device="cpu")
        for seed in (1, 1, 2)
    )
    assert _equal(first, again)
    assert not torch.equal(_tensors(first)["weights.0"], _tensors(other)["weights.0"])


def test_members_differ() -> None:
    """The members of an ensemble are different generators."""
    weights = _tensors(train(_events(), config=_tiny(), device="cpu"))["weights.0"]
    assert len(weights) == 2
    assert not torch.equal(weights[0], weights[1])


def test_the_record_tells_the_training() -> None:
    """A generator knows its settings, its seed, how many events it saw, and their fingerprint."""
    events = {**_events(), "name": np.array(["a", "b"] * 100)}
    generator = train(events, columns=["x"], conditions=["e"], config=TINY, seed=5, device="cpu")
    record = generator.record
    assert (record.config, record.seed, record.steps, record.n_train) == (TINY, 5, 40, 200)
    assert record.torch_version == torch.__version__
    assert record.fingerprint == fingerprint({name: events[name] for name in ("x", "e")})


def test_all_numeric_columns_unless_named() -> None:
    """Without names, all numeric columns but weight and conditions are generated."""
    events = {**_events(), "name": np.array(["a", "b"] * 100), "w": np.ones(200)}
    generator = train(events, conditions=["e"], weight="w", config=_tiny(steps=1), device="cpu")
    assert generator.columns == ("x", "n")


def test_training_events_are_not_changed() -> None:
    """Training leaves its input alone."""
    events = _events()
    before = {name: values.copy() for name, values in events.items()}
    train(events, config=_tiny(validation=0.2, steps=2), device="cpu")
    for name, values in events.items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize(
    ("events", "arguments", "error", "text"),
    [
        ({"x": np.ones(9)}, {}, InputError, "column 'x' is 1 in all 9 training events; leave out constant columns"),
        ({"x": [1.0, np.nan, 2.0]}, {}, InputError, "training: column 'x' is NaN or infinite in 1 of 3 events"),
        ({"x": [1.0, np.inf, 2.0]}, {}, InputError, "training: column 'x' is NaN or infinite in 1 of 3 events"),
        ({"x": [1.0]}, {}, InputError, "training: 1 event; expected at least 2"),
        ({"x": []}, {}, InputError, "training: the sample has no events"),
        ({"s": ["a", "b"]}, {}, InputError, r"columns=\[\].*at least one column to generate"),
        (_events(), {"columns": []}, InputError, "at least one column to generate"),
        (_events(), {"columns": ["x", "x"]}, InputError, "none of them twice"),
        (_events(), {"columns": ["x"], "conditions": ["e", "e"]}, InputError, "none of them twice"),
        (_events(), {"columns": ["x", "e"], "conditions": ["e"]}, InputError, "none of them a condition"),
        (_events(), {"columns": "x"}, InputTypeError, r"columns='x' is one name; .*columns=\['x'\]"),
        (_events(), {"conditions": "e"}, InputTypeError, "conditions='e' is one name"),
        (_events(), {"columns": ["z"]}, InputError, "training: there is no column 'z'; there are"),
        (_events(), {"conditions": ["z"]}, InputError, "training: there is no column 'z'; there are"),
        ({"x": [1.0, 2.0], "s": ["a", "b"]}, {"columns": ["x", "s"]}, InputTypeError, "column 's' has dtype"),
        (
            {"x": Entries(np.arange(3.0), np.array([1, 2]))},
            {"columns": ["x"]},
            InputError,
            "column 'x' has several entries per event",
        ),
        (_events(), {"weight": np.full(200, -1.0)}, InputError, "the sum of weights is -200; expected a positive sum"),
        (_events(), {"weight": np.zeros(200)}, InputError, "the sum of weights is 0"),
        (_events(), {"weight": "z"}, InputError, "training: there is no weight column 'z'"),
        (_events(), {"seed": -1}, InputError, "seed=-1 is too small"),
        (_events(), {"seed": 1.5}, InputTypeError, "seed=1.5 is a float"),
        (_events(), {"checkpoint_every": 0}, InputError, "checkpoint_every=0 is too small"),
        (_events(), {"device": "quantum"}, InputError, "device='quantum' is not supported"),
        (_events(), {"device": "cuda:99"}, InputError, "device='cuda:99' cannot be used here"),
        (_events(), {"device": "meta"}, InputError, "device='meta' is not supported"),
        (np.arange(9.0), {}, InputTypeError, "training: a ndarray is not a table"),
        ({"x": [1e300, 2e300, -1e300]}, {}, InputError, "too large; subtract its mean, or scale it"),
    ],
)
def test_impossible_trainings(events: Any, arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """What cannot be learned from, and settings that make no sense, are refused by name."""
    with pytest.raises(error, match=text):
        train(events, config=_tiny(steps=1), **{"device": "cpu", **arguments})


def test_the_split_must_leave_something_on_either_side() -> None:
    """Signed weights that do not add up to anything among the held-out or the other events are refused."""
    weight = np.ones(20)
    held_out = np.random.default_rng([0, _SPLIT]).permutation(20)[:10]
    weight[held_out] = -0.5
    for signs in (weight, 0.75 - 2 * weight):
        with pytest.raises(InputError, match="the sum of weights"):
            train(_events(20) | {"w": signs}, weight="w", config=_tiny(validation=0.5, steps=1), device="cpu")


def test_processes_share_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that the processes cannot share evenly is refused."""
    place = World(torch.device("cpu"), "float32", rank=0, size=3)
    monkeypatch.setattr(trainer, "world", lambda *_: place)
    with pytest.raises(InputError, match="batch=20 cannot be shared by 3 processes; choose a multiple of 3"):
        train(_events(), config=TINY, device="cpu")


def test_divergence_is_an_error(tmp_path: Path) -> None:
    """Losses that are no numbers end the training, and no checkpoint is made of them."""
    config = _tiny(objective="wgan-gp", learning_rate=1e6, depth=4, steps=200)
    with pytest.raises(TrainingError, match=r"the training diverged before step .*lower learning_rate"):
        train(_events(), config=config, device="cpu", checkpoint=tmp_path / "c", checkpoint_every=200)
    assert not (tmp_path / "c").exists()


class _InterruptedError(Exception):
    """Stands for whatever may happen to a process."""


def _interrupt(patch: pytest.MonkeyPatch, at: int) -> None:
    """Let trainings fail when they reach a step."""
    update = Progress.update

    def failing(self: Progress, step: int, values: dict[str, float]) -> None:
        if step >= at:
            raise _InterruptedError
        update(self, step, values)

    patch.setattr(Progress, "update", failing)


@pytest.mark.parametrize("validation", [0.0, 0.25])
def test_resumed_trainings_end_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validation: float) -> None:
    """A training that was interrupted twice and resumed gives the weights of one that was not, to the last bit."""
    checkpoint, log = tmp_path / "c.safetensors", tmp_path / "log.jsonl"
    arguments: dict[str, Any] = {
        "conditions": ["e"],
        "weight": np.linspace(-0.2, 2, 200),
        "config": _tiny(validation=validation, patience=50),
        "seed": 3,
        "device": "cpu",
        "checkpoint_every": 7,
    }
    assert _equal(train(_events(), **arguments), train(_events(), checkpoint=tmp_path / "c", **arguments))
    whole = train(_events(), log=tmp_path / "whole.jsonl", **arguments)
    for at in (18, 30):
        with monkeypatch.context() as patch:
            _interrupt(patch, at)
            with pytest.raises(_InterruptedError):
                train(_events(), checkpoint=checkpoint, log=log, **arguments)
    resumed = train(_events(), checkpoint=checkpoint, log=log, **arguments)
    assert _equal(whole, resumed)
    assert _steps(log) == _steps(tmp_path / "whole.jsonl") == list(range(1, 41))


@pytest.mark.parametrize("validation", [0.0, 0.25])
def test_trainings_are_extended(tmp_path: Path, validation: float) -> None:
    """More steps on a checkpoint go on from it, with what it has learned, and the log goes on with them."""
    checkpoint, log = tmp_path / "c.safetensors", tmp_path / "log.jsonl"
    arguments: dict[str, Any] = {"device": "cpu", "checkpoint": checkpoint, "log": log}
    short = train(_normal(), config=_config(validation=validation, patience=50), **arguments)
    before = log.read_text(encoding="utf-8")
    longer = train(_normal(), config=_config(validation=validation, patience=50, steps=150), **arguments)
    assert (short.record.steps, longer.record.steps, longer.record.config.steps) == (120, 150, 150)
    assert validation or not torch.equal(_tensors(short)["weights.0"], _tensors(longer)["weights.0"])
    assert log.read_text(encoding="utf-8").startswith(before)
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 151))
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)
    assert rows[-1]["energy_distance"] < rows[0]["energy_distance"] / 10
    for length, step in ((120, 100), (150, 121)):
        rate = 1e-2 * 0.5 * (1 + np.cos(np.pi * step / length))
        assert rows[step - 1]["learning_rate"] == pytest.approx(rate, rel=1e-4)


def test_a_training_that_stopped_early_is_extended(tmp_path: Path) -> None:
    """Patience begins anew when there are more steps to make."""
    arguments: dict[str, Any] = {"device": "cpu", "checkpoint": tmp_path / "c"}
    settings: dict[str, Any] = {"validation": 0.5, "patience": 1, "learning_rate": 0.1, "averaging": 0.0}
    first = train(_events(), config=_tiny(**settings, steps=1_000), **arguments)
    assert first.record.steps < 1_000
    assert train(_events(), config=_tiny(**settings, steps=1_200), **arguments).record.steps > first.record.steps


def test_few_steps_are_warned_of() -> None:
    """Fewer steps than by default are said to be so, and what the default is; as many are not."""
    with pytest.warns(TrainingWarning, match=r"steps=3 is below the 6,000 that 200 training events take by default"):
        train(_events(), config=_tiny(steps=3), device="cpu")


def test_conditions_of_no_event_are_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated events are compared with training events whose conditions they do not have."""
    seen: dict[str, Array] = {}

    class Spy(EnergyDistance):
        """Keeps what it is given."""

        def __init__(self, inputs: Array, weight: Any, others: Array, *arguments: Any) -> None:
            """Keep the conditions of either side."""
            seen["compared"], seen["given"] = inputs[:, -1], others[:, 0]
            super().__init__(inputs, weight, others, *arguments)

    monkeypatch.setattr(trainer, "EnergyDistance", Spy)
    for validation, sizes in ((0.0, (99, 99)), (0.2, (40, 40))):
        config = _tiny(validation=validation, steps=1)
        train(_events(199), conditions=["e"], config=config, device="cpu")
        assert (len(seen["compared"]), len(seen["given"])) == sizes
        assert not set(seen["compared"]) & set(seen["given"])


def test_weights_of_no_sum_are_trained_on_all_the_same(tmp_path: Path) -> None:
    """Where the weights of the events to compare with add up to nothing, there is no energy distance to tell."""
    events = _events(20)
    for seed in range(30):
        weight = np.where(np.random.default_rng(seed).random(20) < 0.45, -1.0, 1.0)
        if weight.sum() > 0:
            train(events, conditions=["e"], weight=weight, config=_tiny(steps=1), device="cpu", log=tmp_path / "log")
            told = "energy_distance" in json.loads((tmp_path / "log").read_text(encoding="utf-8"))
            if not told:
                return
    pytest.fail("there was always a distance")


def test_finished_trainings_are_not_repeated(tmp_path: Path) -> None:
    """A training that has a checkpoint of its end gives the same generator again, whether or not it stopped early."""
    for config in (TINY, _tiny(validation=0.5, patience=1, steps=200, learning_rate=0.1, averaging=0.0)):
        path = tmp_path / f"{config.validation}.safetensors"
        arguments: dict[str, Any] = {"config": config, "device": "cpu", "checkpoint": path}
        first = train(_events(), **arguments)
        modified = path.stat().st_mtime_ns
        assert _equal(first, train(_events(), **arguments))
        assert path.stat().st_mtime_ns == modified


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 1}, "is of a training with seed=0; now it is 1: delete it to start again"),
        ({"config": _tiny(steps=39)}, "has 40 steps behind it, and steps=39 are wanted; set more steps to go on"),
        ({"config": _tiny(objective="hinge")}, "is of a training with objective='relativistic'; now it is 'hinge'"),
        ({"events": _events(199)}, "is of a training with n_train=200; now it is 199"),
        ({"columns": ["x"]}, "is of a training with other events, weights or columns"),
        (
            {"events": {name: values[::-1] + 1 for name, values in _events().items()}},
            "with other events, weights or columns",
        ),
    ],
)
def test_checkpoints_of_other_trainings(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    """A checkpoint of another seed, setting or sample is refused, never mixed up."""
    same: dict[str, Any] = {"events": _events(), "config": TINY, "device": "cpu", "checkpoint": tmp_path / "c"}
    train(**same)
    with pytest.raises(InputError, match=text):
        train(**same | changes)


def test_damaged_checkpoints(tmp_path: Path) -> None:
    """What is no checkpoint, or one that was cut short, is refused before anything is computed."""
    path = tmp_path / "c.safetensors"
    train(_events(), config=TINY, device="cpu", checkpoint=path)
    content = path.read_bytes()
    for damaged in (content[:-100], content[:50], b"", b"hello"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"c\.safetensors: cannot be read as a checkpoint"):
            train(_events(), config=TINY, device="cpu", checkpoint=path)


KILLED = """
import os, random, signal, sys, time
import numpy as np
import torch
import torch._dynamo  # which optimisers need: once, and not in each process
from pytest_ganvalid.gan import Config, train

torch.set_num_threads(1)
folder, events = sys.argv[1], {"x": np.random.default_rng(1).normal(size=500), "n": np.arange(500) % 7}
config = Config(width=8, critic_width=8, depth=2, members=2, batch=50, steps=80, validation=0.2, patience=50)


def start(name, **arguments):
    process = os.fork()
    if process == 0:
        log = f"{folder}/{name}.jsonl"
        train(events, config=config, device="cpu", log=log, checkpoint_every=3, **arguments).save(f"{folder}/{name}")
        os._exit(0)
    return process


assert os.waitpid(start("whole", checkpoint=f"{folder}/whole-checkpoint"), 0)[1] == 0
dice, kills, status = random.Random(1), 0, 1
while status and kills < 4:
    process = start("killed", checkpoint=f"{folder}/checkpoint")
    time.sleep(dice.uniform(0.05, 0.3))
    os.kill(process, signal.SIGKILL)
    kills, status = kills + 1, os.waitpid(process, 0)[1]
if status:
    assert os.waitpid(start("killed", checkpoint=f"{folder}/checkpoint"), 0)[1] == 0
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, to import torch only once")
def test_killed_trainings_end_the_same(tmp_path: Path) -> None:
    """A process killed at any moment leaves a checkpoint from which the result is the same to the last bit."""
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr
    whole, killed = (Generator.load(tmp_path / name, device="cpu") for name in ("whole", "killed"))
    assert _equal(whole, killed)
    assert _steps(tmp_path / "killed.jsonl") == _steps(tmp_path / "whole.jsonl")
    unfinished = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(unfinished) <= int(run.stdout)  # one for each time that writing was interrupted


SHARED = """
import os, socket, sys
import numpy as np
import torch
import torch._dynamo
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import Config, train

torch.set_num_threads(1)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
os.environ |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}  # as torchrun does
other = os.fork()
os.environ |= dict.fromkeys(("RANK", "LOCAL_RANK"), "0" if other else "1")
settings = dict(width=16, critic_width=16, depth=2, members=1, steps=80, learning_rate=1e-2, averaging=0.95)
events, rank = {"x": np.random.default_rng(1).normal(3, 2, 2_000)}, os.environ["RANK"]
try:
    train(events, config=Config(batch=101, **settings), device="cpu")
except InputError as error:
    assert "batch=101 cannot be shared by 2 processes; choose a multiple of 2" in str(error)
else:
    raise AssertionError
config = Config(batch=100, validation=0.1, patience=50, **settings)
train(events, config=config, device="cpu", checkpoint=sys.argv[1] + "/c", log=sys.argv[1] + "/log").save(
    f"{sys.argv[1]}/{rank}"
)
assert not other or os.waitpid(other, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, to import torch only once")
def test_processes_share_a_training(tmp_path: Path) -> None:
    """Processes with torchrun's variables end with the same generator, a sensible one, and only one of them writes."""
    run = subprocess.run(
        [sys.executable, "-c", SHARED, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr
    first, second = (Generator.load(tmp_path / rank, device="cpu") for rank in "01")
    assert _equal(first, second)
    generated = first.sample(20_000, seed=1)["x"]
    assert generated.mean() == pytest.approx(3, abs=0.5)
    assert generated.std() == pytest.approx(2, rel=0.25)
    assert _steps(tmp_path / "log") == list(range(1, 81))
    with pytest.raises(InputError, match="the number of processes it was started with"):
        train(_normal(), config=first.record.config, device="cpu", checkpoint=tmp_path / "c")


def test_stopping_ends_a_training() -> None:
    """A training that only gets worse ends long before its last step."""
    config = _tiny(validation=0.5, patience=1, steps=1_000, learning_rate=0.1, averaging=0.0)
    generator = train(_events(), config=config, device="cpu")
    assert generator.record.steps < 1_000
    assert generator.record.steps % 20 == 0


def test_held_out_events_are_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks and scales see only the events that are not held out, stopping only those that are."""
    seen: dict[str, Array] = {}

    def of(inputs: Array, *arguments: Any) -> TrainingEvents:
        seen["trained"] = inputs
        return original(inputs, *arguments)

    class Spy(EnergyDistance):
        """Keeps what it is given."""

        def __init__(self, inputs: Array, *arguments: Any) -> None:
            """Keep the events."""
            seen["held_out"] = inputs
            super().__init__(inputs, *arguments)

    original = TrainingEvents.of
    monkeypatch.setattr(TrainingEvents, "of", of)
    monkeypatch.setattr(trainer, "EnergyDistance", Spy)
    monkeypatch.setattr(Generator, "calibrated", lambda self: self)
    x = np.random.default_rng(1).normal(size=100)
    record = train(Sample({"x": x}), config=_tiny(validation=0.3, steps=1), device="cpu").record
    way = FromNetwork([table for table in record.columns if isinstance(table, Quantiles)], torch.device("cpu"))
    trained, held_out = (way(torch.from_numpy(seen[name].T))[0].numpy() for name in ("trained", "held_out"))
    assert (len(trained), len(held_out), record.n_train) == (70, 30, 100)
    np.testing.assert_allclose(np.sort(np.concatenate([trained, held_out])), np.sort(x))
    (learned,) = preprocess.fit(Sample({"x": trained}), ["x"])
    (table,) = record.columns
    assert isinstance(table, Quantiles)
    np.testing.assert_allclose(table.values, learned.values, rtol=1e-6)


def test_checkpoints_of_other_weights(tmp_path: Path) -> None:
    """A checkpoint made with other weights, or another order of the same events, is not gone on from."""
    events, weight = _events(), np.where(np.arange(200) % 3, 1.0, -0.5)
    train(events, weight=weight, config=TINY, device="cpu", checkpoint=tmp_path / "c")
    with pytest.raises(InputError, match="with other events, weights or columns"):
        train(events, weight=np.abs(weight), config=TINY, device="cpu", checkpoint=tmp_path / "c")
    train(events, config=TINY, device="cpu", checkpoint=tmp_path / "d")
    events = {name: values[::-1] for name, values in events.items()}
    with pytest.raises(InputError, match="of a training with another order of events"):
        train(events, config=TINY, device="cpu", checkpoint=tmp_path / "d")


@pytest.mark.parametrize("seed", range(4))
def test_a_logarithm_is_taken_of_all_or_none(seed: int) -> None:
    """Whatever is held out, a condition with one value below 0 has no logarithm taken."""
    x = np.exp(np.random.default_rng(1).normal(size=20))
    x[7] = -1e-9
    events = {"e": x, "x": np.arange(20.0) ** 2}
    config = _tiny(validation=0.5)
    record = train(events, columns=["x"], conditions=["e"], config=config, seed=seed, device="cpu").record
    scale = record.conditions[0]
    assert isinstance(scale, Scale)
    assert not scale.logarithmic


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_held_out_shares_leave_both_parts_events(share: float) -> None:
    """A share that rounds to no held-out event, or leaves none to train on, is refused."""
    with pytest.raises(InputError, match=r"validation=.* of 20 training events holds out"):
        train({"x": np.arange(20.0)}, config=_tiny(validation=share), device="cpu")


def test_settings_are_a_config() -> None:
    """A mapping of settings is refused, with what was expected."""
    with pytest.raises(InputTypeError, match="expected a Config"):
        train(_events(), config={"steps": 3}, device="cpu")  # type: ignore[arg-type]


def test_log_and_checkpoint_are_two_files(tmp_path: Path) -> None:
    """A log that would overwrite the checkpoint is refused."""
    with pytest.raises(InputError, match="log and checkpoint are the same file"):
        train(_events(), config=TINY, device="cpu", log=tmp_path / "c", checkpoint=tmp_path / "c")

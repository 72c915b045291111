"""Files of generators and checkpoints are read only if they are whole and what they are taken for."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch
from safetensors.torch import save_file

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import Config, Generator, artefacts, train
from pytest_ganvalid.gan.artefacts import CHECKPOINT, GENERATOR, TrainingRecord
from pytest_ganvalid.gan.numbers import key, latents
from pytest_ganvalid.gan.preprocess import Scale

TINY = Config(width=4, critic_width=4, depth=1, members=2, latent=2, batch=10, steps=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Generator, Path]:
    """Train a generator, and keep it beside its checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    events = {"x": np.random.default_rng(1).normal(size=50)}
    generator = train(events, config=TINY, device="cpu", checkpoint=folder / "checkpoint.safetensors")
    generator.save(folder / "generator.safetensors")
    return generator, folder


def _refused(path: Path, kind: str, text: str) -> None:
    """Check that a file is refused, and named."""
    with pytest.raises(InputError, match=text) as caught:
        artefacts.read(path, kind)
    assert str(caught.value).startswith(str(path))
    if kind == GENERATOR:
        with pytest.raises(InputError, match=text):
            Generator.load(path, device="cpu")


def test_round_trip(trained: tuple[Generator, Path]) -> None:
    """The record comes back equal and the tensors to the last bit."""
    generator, folder = trained
    record, tensors = artefacts.read(folder / "generator.safetensors", GENERATOR)
    assert record == generator.record
    expected = generator._network.state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in tensors)
    checkpoint = artefacts.read(folder / "checkpoint.safetensors", CHECKPOINT)[0]
    assert replace(checkpoint, columns=generator.record.columns) == generator.record
    assert checkpoint.columns != generator.record.columns  # which were calibrated in the end


@pytest.mark.parametrize("kind", [GENERATOR, CHECKPOINT])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.99, 0.9999])
def test_truncated(trained: tuple[Generator, Path], tmp_path: Path, kind: str, share: float) -> None:
    """A file that was cut short anywhere is refused."""
    content = (trained[1] / f"{kind}.safetensors").read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content[: int(share * len(content))])
    _refused(path, kind, f"cannot be read as a .*{kind}.*it was cut short, or is something else")


def test_other_versions(trained: tuple[Generator, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another version of the format is refused, with the release that wrote it and what to do."""
    generator, path = trained[0], tmp_path / "g.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(artefacts, "FORMAT", artefacts.FORMAT + 1)
        generator.save(path)
    release = artefacts.versions()["code_version"].replace("+", r"\+")
    _refused(path, GENERATOR, f"written by pytest-ganvalid {release} in version 3 of the format; .*or train again")


def test_version_1() -> None:
    """A generator of version 1 of the format, whose columns have scales, generates by its weights and these."""
    generator = Generator.load(Path(__file__).with_name("version_1.safetensors"), device="cpu")
    assert (generator.n_train, generator.columns, generator.conditions) == (60, ("x", "n"), ("e",))
    made = generator.sample(4, seed=7, conditions={"e": 1.5})
    (x, n), (e,), config = generator.record.columns, generator.record.conditions, generator.record.config
    assert isinstance(x, Scale)
    assert isinstance(n, Scale)
    assert isinstance(e, Scale)
    assert not x.logarithmic
    seen = torch.full((config.members, 4, 1), ((math.log(1.5) if e.logarithmic else 1.5) - e.centre) / e.width)
    drawn = latents(key(7, 0), torch.arange(4).expand(config.members, 4), config.latent)
    outputs = generator._network(torch.cat([drawn, seen], dim=-1)).double().numpy()
    close = np.isclose(made["x"], outputs[..., 0] * x.width + x.centre, rtol=1e-5)
    assert close.sum(axis=0).tolist() == [1] * 4  # of one member each
    assert close.sum(axis=1).tolist() == [4 // config.members] * config.members
    shown = outputs[close.argmax(axis=0), range(4), 1] * n.width + n.centre
    np.testing.assert_array_equal(made["n"], np.rint(np.exp(shown) - 0.5 if n.logarithmic else shown))


def test_old_generators_are_saved_anew(tmp_path: Path) -> None:
    """A generator of version 1 that is saved again is one of this version."""
    generator = Generator.load(Path(__file__).with_name("version_1.safetensors"), device="cpu")
    generator.save(tmp_path / "g.safetensors")
    assert artefacts.read(tmp_path / "g.safetensors", GENERATOR)[0] == generator.record


def test_tables_and_scales_do_not_mix(trained: tuple[Generator, Path], tmp_path: Path) -> None:
    """A file in which some columns have tables and others scales is refused."""
    path, old = tmp_path / "g.safetensors", Generator.load(Path(__file__).with_name("version_1.safetensors"))
    record = replace(trained[0].record, columns=(*trained[0].record.columns, *old.record.columns))
    artefacts.write(path, GENERATOR, record, dict(trained[0]._network.state_dict()))
    _refused(path, GENERATOR, "columns: some have tables and others scales; expected one or the other")


def test_checkpoints_of_version_1(trained: tuple[Generator, Path], tmp_path: Path) -> None:
    """A checkpoint of version 1 is refused: its network learned other numbers."""
    path = tmp_path / "c.safetensors"
    text = trained[0].record.to_json(CHECKPOINT).replace('"version": 2, "config"', '"version": 1, "config"')
    save_file({"w": torch.zeros(2)}, path, {"ganvalid": text})
    _refused(path, CHECKPOINT, "in version 1 of the format; .*or train again")


def test_one_for_the_other(trained: tuple[Generator, Path]) -> None:
    """A checkpoint is no generator, nor the other way round, and the error says which is which."""
    folder = trained[1]
    _refused(
        folder / "checkpoint.safetensors",
        GENERATOR,
        "this is a checkpoint of an unfinished training; expected a trained generator: finish the training first",
    )
    _refused(folder / "generator.safetensors", CHECKPOINT, "this is a trained generator; expected a checkpoint")


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_foreign_tensors(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    """A safetensors file of something else is refused."""
    path = tmp_path / "foreign.safetensors"
    save_file({"w": torch.zeros(2)}, path, metadata)
    _refused(path, GENERATOR, "holds tensors that pytest-ganvalid did not write; expected a trained generator")


@pytest.mark.parametrize("record", ["", "[]", "3", '{"kind": "generator"}', "{", "[" * 100_000])
def test_records_of_something_else(tmp_path: Path, record: str) -> None:
    """A file whose record is not one is refused."""
    path = tmp_path / "g.safetensors"
    save_file({"w": torch.zeros(2)}, path, {"ganvalid": record})
    _refused(path, GENERATOR, "its record cannot be read")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"n_train": 50', '"n_train": "50"'),
        ('"n_train": 50, ', ""),
        ('"width": 4', '"width": 0'),
        ('"name": "x"', '"name": 3'),
        ('"columns": [{', '"columns": [3, {'),
        ('"rows": 50', '"rows": -1'),
    ],
)
def test_records_out_of_range(trained: tuple[Generator, Path], tmp_path: Path, before: str, after: str) -> None:
    """A record that was tampered with is refused, and the file named."""
    text, path = trained[0].record.to_json(GENERATOR), tmp_path / "g.safetensors"
    assert before in text
    save_file(dict(trained[0]._network.state_dict()), path, {"ganvalid": text.replace(before, after, 1)})
    _refused(path, GENERATOR, r"g\.safetensors: \w+")


def test_missing_files(tmp_path: Path) -> None:
    """A file that does not exist, or is a folder, is refused with what was expected."""
    _refused(tmp_path / "none.safetensors", GENERATOR, "there is no such file; expected a trained generator")
    _refused(tmp_path, GENERATOR, "is a folder; expected a trained generator")


def test_weights_that_are_no_numbers(trained: tuple[Generator, Path], tmp_path: Path) -> None:
    """A file with a weight that is NaN is refused: it would generate NaN."""
    generator, path = trained[0], tmp_path / "g.safetensors"
    tensors = {name: tensor.clone() for name, tensor in generator._network.state_dict().items()}
    next(iter(tensors.values())).flatten()[0] = float("nan")
    save_file(tensors, path, {"ganvalid": generator.record.to_json(GENERATOR)})
    with pytest.raises(InputError, match=r"g\.safetensors: some weights are NaN or infinite"):
        Generator.load(path)


def test_columns_of_one_name(trained: tuple[Generator, Path]) -> None:
    """A record with two columns of one name is refused."""
    record = trained[0].record
    text = replace(record, columns=(record.columns[0], *record.columns)).to_json(GENERATOR)
    with pytest.raises(InputError, match="expected names that differ"):
        TrainingRecord.from_json(GENERATOR, text)


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    """A file written by torch.save is refused without running what is in it."""

    class Bomb:
        """Runs a command when unpickled."""

        def __reduce__(self) -> tuple[Any, ...]:
            """Make a folder."""
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "g.pt"
    torch.save(Bomb(), path)
    _refused(path, GENERATOR, "cannot be read as a trained generator")
    assert not (tmp_path / "exploded").exists()


def test_weights_of_another_shape(trained: tuple[Generator, Path], tmp_path: Path) -> None:
    """Weights that do not fit the record, are missing, or too many are refused."""
    path, tensors = tmp_path / "g.safetensors", dict(trained[0]._network.state_dict())
    for wrong in (
        tensors | {"weights.0": torch.zeros(2, 3, 4)},
        {name: tensor for name, tensor in tensors.items() if name != "biases.1"},
        tensors | {"weights.9": torch.zeros(1)},
    ):
        artefacts.write(path, GENERATOR, trained[0].record, wrong)
        with pytest.raises(InputError, match=r"g\.safetensors: the weights do not fit the record .*damaged"):
            Generator.load(path, device="cpu")


def test_interrupted_writing(trained: tuple[Generator, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in the middle of writing leaves the old file, and nothing beside it."""
    path = tmp_path / "g.safetensors"
    trained[0].save(path)
    before = path.read_bytes()

    def failing(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(KeyboardInterrupt):
        trained[0].save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]

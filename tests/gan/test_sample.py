"""A generator's events are a function of the seed and their number alone, and its file holds all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.gan import Config, Generator, sample
from pytest_ganvalid.gan.artefacts import TrainingRecord, versions
from pytest_ganvalid.gan.preprocess import Scale, fit, fit_conditions
from pytest_ganvalid.gan.sample import network_of
from pytest_ganvalid.overlaps.fingerprint import fingerprint
from pytest_ganvalid.samples import Sample

Array = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred events fill several blocks."""
    monkeypatch.setitem(sample.BLOCKS, "cpu", 32)


def _training(n: int = 500) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    return {"x": rng.normal(size=n), "n": rng.geometric(0.3, n).astype(float), "e": np.exp(rng.normal(size=n))}


def _generator(*, conditional: bool = False, members: int = 3, scales: bool = False) -> Generator:
    """Make a generator of x and n, given e or not, whose weights are as they were drawn."""
    config = Config(width=8, critic_width=8, depth=2, members=members, latent=3)
    training = Sample(_training())
    record = TrainingRecord(
        config=config,
        columns=fit_conditions(training, ["x", "n"], training, config) if scales else fit(training, ["x", "n"], config),
        conditions=fit_conditions(training, ["e"] if conditional else [], training, config),
        n_train=500,
        fingerprint=fingerprint(training, columns=["x", "n"]),
        seed=1,
        steps=0,
        **versions(),
    )
    return Generator(record, network_of(record))


def _table(n: int) -> dict[str, Array]:
    return {"e": np.random.default_rng(n).uniform(0.5, 2, n)}


def _assert_same(first: Any, second: Any) -> None:
    assert list(first.columns) == list(second.columns)
    for name in first.columns:
        np.testing.assert_array_equal(first[name], second[name], strict=True)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("chunk", [1, 31, 96, 97, 100, 300, 10_000])
def test_chunks_do_not_matter(chunk: int, conditional: bool) -> None:  # noqa: FBT001
    """The events are the same to the last bit in chunks of any size, and streamed or not."""
    generator, n = _generator(conditional=conditional), 300
    arguments: dict[str, Any] = {"seed": 5, "conditions": _table(n) if conditional else None}
    whole = generator.sample(n, **arguments)
    _assert_same(generator.sample(n, chunk=chunk, **arguments), whole)
    parts = list(generator.stream(n, chunk=chunk, **arguments))
    assert [len(part) for part in parts[:-1]] == [chunk] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= chunk
    _assert_same(Sample({name: np.concatenate([part[name] for part in parts]) for name in whole.columns}), whole)


@pytest.mark.parametrize("members", [1, 3])
def test_longer_samples_begin_with_shorter_ones(members: int) -> None:
    """Event i of a seed is always the same."""
    generator = _generator(members=members)
    longest = generator.sample(1_000, seed=2)
    for n in (1, 95, 96, 97, 500):
        _assert_same(generator.sample(n, seed=2), longest.first(n))


def test_seeds_are_independent() -> None:
    """Another seed gives other events, none of which correlate with the first's, even of neighbouring seeds."""
    generator = _generator(members=1)
    samples = [generator.sample(4_000, seed=seed)["x"] for seed in (0, 1, 2, 2**70)]
    correlations = np.corrcoef(samples) - np.eye(4)
    assert np.abs(correlations).max() < 5 / np.sqrt(4_000)
    shifted = np.corrcoef(samples[0][:-1], samples[0][1:])[0, 1]
    assert abs(shifted) < 5 / np.sqrt(4_000)


def test_samples_are_told_where_they_come_from() -> None:
    """The provenance has the number of training events, the seed and the versions of the code."""
    generated = _generator().sample(10, seed=7)
    assert generated.weight is None
    assert generated.provenance == {"source": "gan.Generator", "n_train": 500, "seed": 7, **versions()}
    for part in _generator().stream(10, seed=7, chunk=3):
        assert part.provenance == generated.provenance


def test_members_take_turns_at_random() -> None:
    """Each member makes about as many events as the others, in an order that shows no pattern."""
    generator = _generator(scales=True)
    with torch.no_grad():
        generator._network.weights[-1].zero_()
        generator._network.biases[-1].copy_(torch.arange(3.0)[:, None, None].expand(3, 1, 2))
    scale = generator.record.columns[0]
    assert isinstance(scale, Scale)
    x = (generator.sample(30_000, seed=1)["x"] - scale.centre) / scale.width
    member = np.rint(x).astype(int)
    np.testing.assert_allclose(x, member, atol=1e-6)
    np.testing.assert_array_equal(np.bincount(member), 10_000)  # one of each in a group of three
    orders, counts = np.unique(member.reshape(-1, 3), axis=0, return_counts=True)
    assert len(orders) == 3  # a rotation is drawn for each group
    np.testing.assert_allclose(counts, 10_000 / 3, rtol=0.06)


def test_calibrated() -> None:
    """A calibrated generator has the distributions of its training events, in the same order as before."""
    before = _generator()
    after, training = before.calibrated(), _training()
    first, second = (generator.sample(20_000, seed=1) for generator in (before, after))
    for name in ("x", "n"):
        edges = np.unique(np.quantile(training[name], [0.1, 0.3, 0.5, 0.7, 0.9]))
        shares, expected = (np.searchsorted(np.sort(x), edges) / x.size for x in (second[name], training[name]))
        np.testing.assert_allclose(shares, expected, atol=0.03)
        order = np.argsort(first[name], kind="stable")
        tied = np.diff(first[name][order]) == 0  # what was one value may be several
        assert (tied | (np.diff(second[name][order]) >= 0)).all()
    conditional = _generator(conditional=True)
    assert conditional.calibrated() is conditional


@pytest.mark.parametrize("conditional", [False, True])
def test_files_hold_the_generator(tmp_path: Path, conditional: bool) -> None:  # noqa: FBT001
    """A generator that was saved and loaded is equal and generates the same events to the last bit."""
    generator = _generator(conditional=conditional)
    path = tmp_path / "folder" / "g.safetensors"
    generator.save(path)
    loaded = Generator.load(path, device="cpu")
    assert loaded.record == generator.record
    conditions = {"e": 1.5} if conditional else None
    _assert_same(
        loaded.sample(200, seed=3, conditions=conditions), generator.sample(200, seed=3, conditions=conditions)
    )
    assert [file.name for file in path.parent.iterdir()] == ["g.safetensors"]


def test_attributes() -> None:
    """A generator says what it makes, what it must be given, and what it was trained on."""
    generator = _generator(conditional=True)
    assert (generator.columns, generator.conditions, generator.n_train) == (("x", "n"), ("e",), 500)
    assert generator.fingerprint == fingerprint(_training(), columns=["x", "n"])


def test_conditions_come_along() -> None:
    """Conditions are given as a number or as a table, are returned with the events, and change them."""
    generator = _generator(conditional=True)
    number = generator.sample(100, seed=1, conditions={"e": 2})
    table = generator.sample(100, seed=1, conditions={"e": np.full(100, 2.0), "other": ["a"] * 100})
    assert list(number.columns) == ["x", "n", "e"]
    assert number["e"].dtype == np.float64
    np.testing.assert_array_equal(number["e"], 2.0)
    _assert_same(number, table)
    other = generator.sample(100, seed=1, conditions=Sample({"e": np.full(100, 0.5)}))
    assert not np.array_equal(other["x"], number["x"])


def test_each_event_has_its_own_condition() -> None:
    """An event depends on its own condition and on no other's."""
    generator = _generator(conditional=True)
    first, second = _table(200), _table(200)
    second["e"][50] = 9.0
    before, after = (generator.sample(200, seed=1, conditions=table)["x"] for table in (first, second))
    assert np.flatnonzero(before != after).tolist() == [50]


@pytest.mark.parametrize(
    ("conditions", "error", "text"),
    [
        (None, InputError, r"trained given \['e'\]; give them: conditions= a table of 10 rows, or one number for each"),
        (_table(9), InputError, "conditions: 9 rows for n=10 events; expected a row for each"),
        (_table(11), InputError, "conditions: 11 rows for n=10 events"),
        ({"f": 1.0}, InputError, "conditions: there is no column 'e'; there are"),
        ({}, InputError, "conditions: a sample needs at least one column"),
        ({"e": 0.0}, InputError, "column 'e' has a value of 0; in training all were positive"),
        ({"e": -1}, InputError, "column 'e' has a value of -1; in training all were positive"),
        ({"e": np.nan}, InputError, "conditions: column 'e' is NaN or infinite"),
        ({"e": "much"}, InputTypeError, "conditions: column 'e' has dtype"),
        (1.5, InputTypeError, "conditions: a float is not a table of events"),
    ],
)
def test_impossible_conditions(conditions: Any, error: type[Exception], text: str) -> None:
    """Conditions that are missing, too few, or unlike any in training are refused."""
    with pytest.raises(error, match=text):
        _generator(conditional=True).sample(10, seed=1, conditions=conditions)


def test_conditions_nobody_asked_for() -> None:
    """Conditions given to a generator that was trained without any are refused."""
    with pytest.raises(InputError, match="trained without any; leave them out"):
        _generator().sample(10, seed=1, conditions={"e": 1.0})


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n": 0, "seed": 1}, InputError, "n=0 is too small"),
        ({"n": 1.5, "seed": 1}, InputTypeError, "n=1.5 is a float"),
        ({"n": 5, "seed": -1}, InputError, "seed=-1 is too small"),
        ({"n": 5, "seed": None}, InputTypeError, "seed=None is a NoneType"),
        ({"n": 5, "seed": 1, "chunk": 0}, InputError, "chunk=0 is too small"),
    ],
)
def test_impossible_requests(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """The numbers are checked before anything is generated, by a stream too."""
    generator: Any = _generator()
    for method in (generator.sample, generator.stream):
        with pytest.raises(error, match=text):
            method(**arguments)


@pytest.mark.parametrize("conditional", [False, True])
def test_streams_take_no_memory(conditional: bool) -> None:  # noqa: FBT001
    """A stream of more events than any memory holds starts at once, under one condition for all of them too."""
    stream = _generator(conditional=conditional).stream(
        10**14, seed=1, chunk=50, conditions={"e": 2} if conditional else None
    )
    for _ in range(5):
        part = next(stream)
        assert len(part) == 50
        assert all(values.nbytes == 400 for values in part.columns.values())


def test_events_do_not_share_memory() -> None:
    """Changing generated events changes no others."""
    generator = _generator(conditional=True)
    first = generator.sample(100, seed=1, conditions={"e": 2.0})
    kept = {name: values.copy() for name, values in first.columns.items()}
    for name in first.columns:
        first[name][:] = 0
    _assert_same(generator.sample(100, seed=1, conditions={"e": 2.0}), Sample(kept))


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    """A generator cannot be loaded to a device that does not exist."""
    _generator().save(tmp_path / "g")
    with pytest.raises(InputError, match="device='cuda:99' cannot be used here"):
        Generator.load(tmp_path / "g", device="cuda:99")


def test_a_reference_with_training_events_proves_nothing() -> None:
    """The fingerprint that a generator carries finds training events in the reference, and none in a fresh one."""
    generator, training = _generator(), _training()
    generated = generator.sample(2_000, seed=1)
    rng = np.random.default_rng(9)
    fresh = {"x": rng.normal(size=500), "n": rng.geometric(0.3, 500).astype(float)}
    mixed = {name: np.concatenate([training[name][:250], fresh[name][:250]]) for name in fresh}
    reports = [
        gv.validate(generated, reference, n_required=100, training=generator.fingerprint, observables=["x"])
        for reference in (mixed, fresh)
    ]
    assert reports[0].verdict is gv.Verdict.UNPROVEN
    assert "training" in reports[0].reasons[0]
    assert not any("training" in reason for reason in reports[1].reasons)


def test_weighted_conditions_are_refused() -> None:
    """Weights of the rows that give the conditions are not dropped in silence."""
    with pytest.raises(InputError, match="the rows are weighted"):
        _generator(conditional=True).sample(10, seed=1, conditions=Sample(_table(10), np.ones(10)))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("n", [1, 31, 32, 100, 300])
def test_a_source_is_the_sample(n: int, conditional: bool) -> None:  # noqa: FBT001
    """What is generated for a check is what is sampled, in arrays or in tensors, and its head is its first events."""
    generator = _generator(conditional=conditional)
    arguments: dict[str, Any] = {"seed": 5, "conditions": _table(n) if conditional else None}
    source, whole = generator.source(n, **arguments), generator.sample(n, **arguments)
    (part,) = source.parts
    assert source.names == tuple(whole.columns)
    assert part.rows == n
    assert source.provenance == whole.provenance
    for rows in (n, max(1, n // 2)):
        chunks = list(part.head(rows).chunks(source.names, 17))
        assert all(len(chunk["x"]) <= 17 for chunk in chunks)
        _assert_same(
            Sample({name: np.concatenate([c[name] for c in chunks]) for name in source.names}), whole.first(rows)
        )
    tensors = list(part.tensors(("n", "x")))
    np.testing.assert_array_equal(torch.cat([chunk["x"] for chunk in tensors]).numpy(), whole["x"])


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(
    "settings_of_check",
    [
        {},
        {"observables": ["x", ("x", "n")], "bins": 16},
        {"observables": [("cube", lambda events: events["x"] ** 3)]},
    ],
)
def test_a_check_of_a_source(conditional: bool, settings_of_check: dict[str, Any]) -> None:  # noqa: FBT001
    """A check that lets the generator generate makes the comparisons of one of its sample, by strata too."""
    generator, n = _generator(conditional=conditional), 2_000
    arguments: dict[str, Any] = {"seed": 5, "conditions": _table(n) if conditional else None}
    reference = generator.sample(2_500, seed=6, conditions=_table(2_500) if conditional else None)
    ways: list[dict[str, Any]] = [{}, {"by": ("e", 3)}] if conditional else [{}]
    for way in ways:
        settings: dict[str, Any] = {"n_required": 100, **settings_of_check, **way}
        ours = gv.validate(generator.source(n, **arguments), reference, **settings)
        theirs = gv.validate(generator.sample(n, **arguments), reference, **settings)
        assert ours.comparisons == theirs.comparisons
        assert ours.provenance["generated"] == theirs.provenance["generated"]


def test_a_source_refuses_what_a_sample_does() -> None:
    """Arguments are checked before anything is generated."""
    with pytest.raises(InputError, match="n="):
        _generator().source(0, seed=1)
    with pytest.raises(InputError, match="seed="):
        _generator().source(5, seed=-1)
    with pytest.raises(InputError, match="give them"):
        _generator(conditional=True).source(5, seed=1)

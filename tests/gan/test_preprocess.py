"""Columns come back as they were, whatever was done to them, and what cannot be scaled is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from pytest_ganvalid._json import Node, decode
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.gan import Config, preprocess
from pytest_ganvalid.gan.artefacts import GENERATOR, TrainingRecord, versions
from pytest_ganvalid.gan.preprocess import Scale, column_names, fit
from pytest_ganvalid.overlaps.fingerprint import fingerprint
from pytest_ganvalid.samples import Entries, Sample

Array = NDArray[np.float64]
PLAIN = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)
POSITIVE = st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=30)
COUNTS = st.lists(st.integers(0, 10_000).map(float), min_size=2, max_size=30)
INTEGERS = st.lists(st.integers(-10_000, 10_000).map(float), min_size=2, max_size=30)


def _fitted(values: Array, weight: Array | None = None) -> Scale:
    """Learn a scale, or give up the example if there is nothing to learn from."""
    assume(np.ptp(values) > max(1e-100, 1e-7 * np.abs(values).max()))
    return Scale.fit("x", values, weight)


def _there_and_back(scale: Scale, values: Array, rng: np.random.Generator | None = None) -> Array:
    seen = torch.from_numpy(scale.to_network(values, rng))
    return np.asarray(preprocess.from_scales([scale], seen.T)[0].numpy())


@given(PLAIN | POSITIVE)
def test_round_trip(numbers: list[float]) -> None:
    """Numbers come back to rounding."""
    values = np.array(numbers)
    scale = _fitted(values)
    np.testing.assert_allclose(_there_and_back(scale, values), values, rtol=1e-12, atol=1e-12 * np.abs(values).max())


@given(POSITIVE)
def test_round_trip_of_logarithms(numbers: list[float]) -> None:
    """Positive numbers come back with the same relative precision, however small."""
    scale = Scale(name="x", logarithmic=True, integral=False, centre=1.5, width=2.0)
    np.testing.assert_allclose(_there_and_back(scale, np.array(numbers)), numbers, rtol=1e-12)


@given(INTEGERS | COUNTS, st.integers(0, 2**32))
def test_integers_come_back_exactly(numbers: list[float], seed: int) -> None:
    """Integers come back exactly, from the middle of their slots or from anywhere in them."""
    values = np.array(numbers)
    scale = _fitted(values)
    assert scale.integral
    for rng in (None, np.random.default_rng(seed)):
        np.testing.assert_array_equal(_there_and_back(scale, values, rng), values)


@given(COUNTS, st.integers(0, 2**32))
def test_counts_come_back_exactly_from_logarithms(numbers: list[float], seed: int) -> None:
    """Counts come back exactly through a logarithm, 0 included."""
    scale = Scale(name="x", logarithmic=True, integral=True, centre=3.0, width=1.5)
    for rng in (None, np.random.default_rng(seed)):
        np.testing.assert_array_equal(_there_and_back(scale, np.array(numbers), rng), numbers)


@given(PLAIN | POSITIVE | COUNTS)
def test_networks_see_unit_variance(numbers: list[float]) -> None:
    """Mean and standard deviation of what a network sees are 0 and 1."""
    values = np.array(numbers)
    seen = _fitted(values).to_network(values)
    assert seen.mean() == pytest.approx(0, abs=1e-6)
    assert seen.std() == pytest.approx(1, abs=1e-6)


def test_absolute_weights_count() -> None:
    """Mean and standard deviation are those with the absolute weights."""
    values, weight = np.array([0.5, 1.0, 4.25, 9.5]), np.array([1.0, -2.0, 3.0, 0.5])
    scale = Scale.fit("x", -values, weight)
    mean = np.average(-values, weights=np.abs(weight))
    assert scale.centre == pytest.approx(mean)
    assert scale.width == pytest.approx(np.average((-values - mean) ** 2, weights=np.abs(weight)) ** 0.5)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20), st.booleans())
def test_skewed_positive_columns_stay_positive(network: list[float], integral: bool) -> None:  # noqa: FBT001
    """Whatever a network says, a skewed column of positive numbers is generated positive and finite."""
    values = np.exp(np.random.default_rng(1).normal(size=200))
    scale = Scale.fit("x", np.rint(values) if integral else values, None)
    assert (scale.logarithmic, scale.integral) == (True, integral)
    made = preprocess.from_scales([scale], torch.tensor([network], dtype=torch.float32))[0].numpy()
    assert made.dtype == np.float64
    assert np.isfinite(made).all()
    assert (made >= 0).all() if integral else (made > 0).all()
    assert not np.signbit(made).any()


def test_symmetric_columns_stay_as_they_are() -> None:
    """No logarithm is taken where it would make a column less symmetric, nor where there is none."""
    x = np.random.default_rng(1).normal(size=200)
    assert not Scale.fit("x", x + 10, None).logarithmic
    assert not Scale.fit("x", np.exp(x) - 1, None).logarithmic
    assert not Scale.fit("x", np.rint(np.exp(x)) - 1, None).logarithmic


def test_integers_fill_their_slots() -> None:
    """Integers are spread evenly over slots of width 1."""
    values = np.repeat([0.0, 1.0, 4.0], 5_000)
    scale = Scale(name="x", logarithmic=False, integral=True, centre=0.0, width=1.0)
    spread = scale.to_network(values, np.random.default_rng(1))[:, 0] - values
    assert spread.min() >= -0.5
    assert spread.max() < 0.5
    np.testing.assert_allclose(np.histogram(spread, 10, (-0.5, 0.5))[0], 1_500, rtol=0.15)


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ({"x": np.full(4, 2.5)}, InputError, "column 'x' is 2.5 in all 4 training events; leave out constant columns"),
        ({"x": [1.0, np.nan]}, InputError, "training: column 'x' is NaN or infinite in 1 of 2 events; remove them"),
        ({"x": [1.0, -np.inf]}, InputError, "training: column 'x' is NaN or infinite in 1 of 2 events"),
        ({"y": [1.0, 2.0]}, InputError, r"training: there is no column 'x'; there are \['y'\]"),
        ({"x": np.array(["a", "b"])}, InputTypeError, "training: column 'x' has dtype <U1; expected real numbers"),
        ({"x": np.array([1j, 2.0])}, InputTypeError, "training: column 'x' has dtype complex128"),
        ({"x": Entries(np.arange(3.0), np.array([1, 2]))}, InputError, "column 'x' has several entries per event"),
        ({"x": [1e16, 1e16 + 2]}, InputError, "too little to tell events apart"),
        ({"x": [1e200, -1e200]}, InputError, "too large; subtract its mean, or scale it"),
    ],
)
def test_impossible_columns(columns: Any, error: type[Exception], text: str) -> None:
    """What a network could not learn from is refused, and the column named."""
    arrays = {name: np.asarray(v) if not isinstance(v, Entries) else v for name, v in columns.items()}
    with pytest.raises(error, match=text):
        fit(Sample(arrays), ["x"])


@pytest.mark.parametrize(("integral", "value"), [(False, 0.0), (False, -1.5), (True, -1.0)])
def test_impossible_conditions(value: float, integral: bool) -> None:  # noqa: FBT001
    """A value without a logarithm is refused where training took one."""
    scale = Scale(name="e", logarithmic=True, integral=integral, centre=0.0, width=1.0)
    sample = Sample({"e": np.array([3.0, value])})
    with pytest.raises(
        InputError, match=f"column 'e' has a value of {value:g}; in training all were (0 or more|positive)"
    ):
        preprocess.to_network([scale], sample, "conditions")


def test_columns_side_by_side() -> None:
    """Several columns become a matrix in the order of their tables, an angle two of its columns, none an empty one."""
    rng = np.random.default_rng(1)
    sample = Sample({"a": rng.normal(size=200), "b": rng.exponential(size=200), "phi": rng.uniform(-1, 1, 200)})
    config = Config(periodic={"phi": 2.0})
    columns = fit(sample, ["phi", "b", "a"], config)
    seen = preprocess.to_network(columns, sample, "training", rng)
    assert seen.shape == (200, preprocess.inputs(columns)) == (200, 4)
    back = preprocess.FromNetwork(columns, torch.device("cpu"))(torch.from_numpy(seen.T)).numpy()
    np.testing.assert_allclose(back, [sample["phi"], sample["b"], sample["a"]], atol=1e-12)
    assert preprocess.to_network([], sample, "training").shape == (200, 0)


@given(
    st.lists(
        st.lists(st.floats(-10, 10) | st.integers(-3, 3).map(float), min_size=1, max_size=20), min_size=1, max_size=3
    ),
    st.lists(st.floats(-20, 20) | st.sampled_from([math.inf, -math.inf, 1e300]), min_size=1, max_size=20),
)
def test_places_of_values_among_ends(rows: list[list[float]], values: list[float]) -> None:
    """The number of ends not above a value is that of a plain search, however close they are."""
    ends = np.full((len(rows), max(map(len, rows))), np.nan)
    for row, numbers in zip(ends, rows, strict=True):
        row[: len(numbers)] = np.sort(numbers)
    sought = np.array([[*values, *np.resize(numbers, 5)] for numbers in rows])
    search = preprocess.Places(torch.from_numpy(ends))
    undefined = search(torch.full((len(rows), 1), math.nan, dtype=torch.float64)).numpy()[:, 0]
    assert ((undefined >= 0) & (undefined <= [*map(len, rows)])).all()
    for place, numbers, row in zip(search(torch.from_numpy(sought)).numpy(), rows, sought, strict=True):
        assert place.tolist() == np.searchsorted(np.sort(numbers), row, side="right").tolist()


def test_limits_are_those_of_all_events() -> None:
    """A held-out event beyond a limit is refused like any other."""
    learned, every = Sample({"x": np.arange(3.0)}), Sample({"x": np.arange(4.0)})
    with pytest.raises(InputError, match=r"column 'x' runs from 0 to 3, beyond limits=\(None, 2\.5\)"):
        fit(learned, ["x"], Config(limits={"x": (None, 2.5)}), every)


def test_what_the_network_sees_is_said() -> None:
    """Columns become normal scores, those of too few events are standardised as conditions are, and angles circles."""
    x = np.random.default_rng(1).normal(size=100)
    assert [fit(Sample({"x": x[:n]}), ["x"])[0].network for n in (29, 30)] == ["standardised", "normal score"]
    assert fit(Sample({"x": x % 1}), ["x"], Config(periodic={"x": 1.0}))[0].network == "circle"
    seen = fit(Sample({"x": x[:29]}), ["x"])[0].to_network(x[:29])
    np.testing.assert_allclose(seen, Scale.fit("x", x[:29], None).to_network(x[:29]), atol=1e-12)


def test_periodic_conditions() -> None:
    """A periodic condition is given as a point of a circle, and no other condition is."""
    sample = Sample({"phi": np.linspace(0, 360, 50, endpoint=False), "e": np.linspace(1, 2, 50)})
    config = Config(periodic={"phi": 360.0})
    columns = preprocess.fit_conditions(sample, ["e", "phi"], sample, config)
    seen = preprocess.to_network(columns, sample, "conditions")
    assert seen.shape == (50, 3)
    np.testing.assert_allclose(np.hypot(seen[:, 1], seen[:, 2]), 1)
    with pytest.raises(InputError, match="column 'phi' has a value of -10; expected 0 to 360"):
        preprocess.to_network(columns, Sample({"phi": np.array([-10.0]), "e": np.array([1.0])}), "conditions")


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"periodic": {"psi": 1.0}}, r"periodic= names \['psi'\]; expected some of \['x', 'e'\]"),
        ({"limits": {"e": (0.0, None)}}, r"limits= names \['e'\]; expected some of \['x'\]"),
    ],
)
def test_settings_of_other_columns(setting: dict[str, Any], text: str) -> None:
    """A setting for a column that it cannot be for is refused, and those it can be for are named."""
    with pytest.raises(InputError, match=text):
        preprocess.check_names(Config(**setting), ["x"], ["e"])
    preprocess.check_names(Config(periodic={"e": 1.0}, limits={"x": (0.0, None)}), ["x"], ["e"])


@given(
    st.lists(
        st.builds(
            Scale,
            name=st.text(max_size=5),
            logarithmic=st.booleans(),
            integral=st.booleans(),
            centre=st.floats(allow_nan=False, allow_infinity=False),
            width=st.floats(0, exclude_min=True, allow_infinity=False),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda scale: scale.name,
    )
)
def test_json_round_trip(scales: list[Scale]) -> None:
    """A training record comes back equal from JSON, its scales to the last bit."""
    record = TrainingRecord(
        config=Config(steps=3),
        columns=tuple(scales[:1]),
        conditions=tuple(scales[1:]),
        n_train=2,
        fingerprint=fingerprint({"x": [1.0, 2.5]}),
        seed=1,
        steps=2,
        **versions(),
    )
    assert TrainingRecord.from_json(GENERATOR, record.to_json(GENERATOR)) == record


@pytest.mark.parametrize("data", [None, "x", {}, [3], [None], [{"name": "x"}], [{"name": 1}], [[]]])
def test_json_of_something_else(data: Any) -> None:
    """What are no scales is refused."""
    with pytest.raises(InputError, match=r"expected|missing"):
        decode(tuple[Scale, ...], Node(data))


def test_names_of_columns() -> None:
    """All numeric columns but the conditions are generated unless columns are stated, which keep their order."""
    sample = Sample({"a": np.arange(3.0), "name": np.array(["x", "y", "z"]), "b": np.arange(3), "e": np.ones(3)})
    assert column_names(sample, None, ["e"]) == ("a", "b")
    assert column_names(sample, ["e", "a"], []) == ("e", "a")

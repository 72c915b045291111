"""The fit of two peaks finds them, and is worth as many events as the theory of its five parameters says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize

from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.generators import CamelBackFit
from pytest_ganvalid.generators.fit import _loss
from pytest_ganvalid.toys import CamelBack

Array = NDArray[np.float64]
TOY = CamelBack()
WORTH = {20: 4.389, 50: 10.380}  # times n_train


def _parameters(model: CamelBack) -> Array:
    return np.array([*model.means, *model.widths, model.fraction])


@pytest.mark.parametrize(
    "truth",
    [
        TOY,
        CamelBack(means=(-2.0, 5.0), widths=(0.5, 2.0), fraction=0.3),
        CamelBack(means=(3.0, -1.0), widths=(0.7, 0.4), fraction=0.8),  # given the other way round
        CamelBack(means=(100.0, 101.0), widths=(0.1, 0.1), fraction=0.9),
    ],
)
def test_parameters_are_found(truth: CamelBack) -> None:
    """All five parameters are found within their errors, the peak at the smaller mean first."""
    n = 20_000
    found = CamelBackFit(truth.sample(n, seed=1)).model
    order = [0, 1] if truth.means[0] < truth.means[1] else [1, 0]
    shares = np.array([truth.fraction, 1 - truth.fraction])[order]
    means, widths = np.array(truth.means)[order], np.array(truth.widths)[order]
    errors = widths / np.sqrt(n * shares)
    assert np.abs((found.means - means) / errors).max() < 5
    assert np.abs((found.widths - widths) / (errors / np.sqrt(2))).max() < 5
    assert found.fraction == pytest.approx(shares[0], abs=5 * np.sqrt(shares.prod() / n))


def test_worth() -> None:
    """A fit is worth (k - 1)/(2 E[Δ]) events, Δ = ½ Σ (p - q)²/q in k equiprobable bins: the figures of the theory."""
    n_train, fits = 1_000, 80
    deltas: dict[int, list[float]] = {bins: [] for bins in WORTH}
    for seed in range(fits):
        model = CamelBackFit(TOY.sample(n_train, seed=seed)).model
        for bins, found in deltas.items():
            p = model.bin_probabilities(TOY.equiprobable_edges(bins))
            found.append(float(0.5 * bins * ((p - 1 / bins) ** 2).sum()))
    for bins, worth in WORTH.items():
        # Nearly a χ² of five parameters: its relative error is √(2/5) for one fit.
        found_worth = (bins - 1) / (2 * np.mean(deltas[bins])) / n_train
        assert found_worth == pytest.approx(worth, rel=3 * np.sqrt(2 / 5 / fits))


def test_weights_are_respected() -> None:
    """Weights move the peaks as if events came as many times, and those of weight 0 do not exist."""
    x = TOY.sample(2_000, seed=1)["x"]
    times = np.where(x > 0, 3, 1) * np.where(np.arange(2_000) % 5 == 0, 0, 1)
    fits = [
        CamelBackFit({"x": x, "w": times.astype(float)}, "w"),
        CamelBackFit({"x": x}, times * 1e-3),
        CamelBackFit({"x": np.repeat(x, times)}),
    ]
    for fit in fits[:2]:
        np.testing.assert_allclose(_parameters(fit.model), _parameters(fits[2].model), rtol=1e-4)
    assert fits[0].model.fraction == pytest.approx(0.25, abs=0.03)
    assert fits[0].n_train == 2_000


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.booleans())
@settings(max_examples=10)
def test_units_do_not_matter(shift: float, scale: float, mirrored: bool) -> None:  # noqa: FBT001
    """In other units, from another zero or mirrored, the same events give the same peaks."""
    x = np.asarray(CamelBack(fraction=0.3).sample(500, seed=1)["x"])
    plain = CamelBackFit({"x": x}).model
    moved = CamelBackFit({"x": shift + (-scale if mirrored else scale) * x}).model
    means, widths, fraction = np.array(plain.means), np.array(plain.widths), plain.fraction
    if mirrored:
        means, widths, fraction = -means[::-1], widths[::-1], 1 - fraction
    np.testing.assert_allclose(moved.means, shift + scale * means, rtol=1e-4, atol=1e-4 * scale)
    np.testing.assert_allclose(moved.widths, scale * widths, rtol=1e-4)
    assert moved.fraction == pytest.approx(fraction, rel=1e-4)


@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5), st.integers(0, 2**32))
@settings(max_examples=20)
def test_gradient(parameters: list[float], seed: int) -> None:
    """The gradient of the likelihood is that of small differences."""
    rng = np.random.default_rng(seed)
    z, shares = rng.normal(size=50), rng.dirichlet(np.ones(50))
    point = np.array(parameters)
    expected = optimize.approx_fprime(point, lambda p: _loss(p, z, shares)[0], 1e-7)
    np.testing.assert_allclose(_loss(point, z, shares)[1], expected, rtol=1e-4, atol=1e-4)


def test_likelihood() -> None:
    """What is minimised is the mean negative logarithm of the density."""
    model = CamelBack(means=(-1.0, 2.0), widths=(0.5, 1.5), fraction=0.3)
    z = np.linspace(-3, 5, 40)
    point = np.array([*model.means, *np.log(model.widths), np.log(0.3 / 0.7)])
    shares = np.full(40, 1 / 40)
    assert _loss(point, z, shares)[0] == pytest.approx(-np.log(model.pdf(z)).mean())


def test_samples() -> None:
    """Events are drawn from the fitted model, reproducibly, under the name of the column they were fitted to."""
    fit = CamelBackFit({"mass": TOY.sample(1_000, seed=1)["x"]})
    first, again, other = (fit.sample(20_000, seed=seed) for seed in (3, 3, 4))
    assert list(first.columns) == ["mass"]
    assert first.weight is None
    assert first.provenance == {"source": "CamelBackFit", "n_train": 1_000, "seed": 3}
    np.testing.assert_array_equal(first["mass"], again["mass"])
    assert not np.array_equal(first["mass"], other["mass"])
    counts = np.histogram(first["mass"], [-np.inf, *fit.model.equiprobable_edges(10), np.inf])[0]
    assert ((counts - 2_000) ** 2 / 2_000).sum() < 30


def test_independent_of_a_toy_with_the_same_seed() -> None:
    """A reference drawn from a toy with the seed of the generator shares no fluctuation with the generated events."""
    fit = CamelBackFit(TOY.sample(5_000, seed=10_000))
    pairs = [
        [(sample["x"] > 0).mean() for sample in (fit.sample(300, seed=seed), TOY.sample(300, seed=seed))]
        for seed in range(400)
    ]
    assert abs(np.corrcoef(np.array(pairs).T)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("training", "weight", "error", "text"),
    [
        ({"x": np.arange(9.0), "y": np.arange(9.0)}, None, InputError, r"has one column; .*\['x', 'y'\]: select one"),
        ({"x": [1.0, 2.0, 3.0, 4.0, 5.0] * 9}, None, InputError, "5 different values; expected more than the 5"),
        ({"x": np.ones(9)}, None, InputError, "1 different values"),
        ({"x": [1.0, np.nan, *range(9)]}, None, InputError, "hold 1 NaN or infinite values"),
        ({"x": ["a", "b"]}, None, InputTypeError, "column 'x' has dtype"),
        ({"x": np.arange(9.0)}, np.linspace(-1, 2, 9), InputError, "must not be negative"),
        ({"x": np.arange(9.0)}, np.zeros(9), InputError, "positive sum"),
        ({"x": []}, None, InputError, "training: the sample has no events"),
        (np.arange(9.0), None, InputTypeError, "training: a ndarray is not a table"),
    ],
)
def test_impossible_training(training: Any, weight: Any, error: type[Exception], text: str) -> None:
    """What holds no two peaks is refused."""
    with pytest.raises(error, match=text):
        CamelBackFit(training, weight)


@pytest.mark.parametrize("weight", [[1.0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1.0, 1.0, 0, 0, 0, 0, 0]])
def test_almost_nothing_left(weight: Any) -> None:
    """Weights of 0 do not count as different values."""
    with pytest.raises(InputError, match="different values; expected more than the 5 parameters"):
        CamelBackFit({"x": np.arange(9.0)}, weight)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n": 0, "seed": 1}, InputError, "n=0 is too small"),
        ({"n": 2.0, "seed": 1}, InputTypeError, "n=2.0 is a float"),
        ({"n": 5, "seed": -1}, InputError, "seed=-1 is too small"),
        ({"n": 5, "seed": None}, InputTypeError, "seed=None is a NoneType"),
    ],
)
def test_impossible_requests(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """The number of events and the seed must be integers in range."""
    with pytest.raises(error, match=text):
        CamelBackFit(TOY.sample(100, seed=1)).sample(**arguments)

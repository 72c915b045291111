"""Baseline generators draw from exactly what they say, reproducibly, and a bootstrap is worth its training set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.generators import Bootstrap, GaussianKDE, HistogramSampler
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.toys import CamelBack

Array = NDArray[np.float64]
ALL = [Bootstrap, HistogramSampler, GaussianKDE]
TOY = CamelBack()
BINS = 20
EDGES = TOY.equiprobable_edges(BINS)


def _training(n: int = 2_000, seed: int = 1) -> dict[str, Any]:
    """Draw two correlated columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": 0.9 * x + 0.3 * rng.exponential(size=n)}


def _counts(sample: Sample) -> gv.Counts:
    return gv.Counts(np.bincount(np.searchsorted(EDGES, sample["x"], side="right"), minlength=BINS))


@pytest.mark.parametrize("make", ALL)
def test_reproducible(make: Any) -> None:
    """The same seed gives the same events, another seed others, and both are told in the provenance."""
    generator = make(_training())
    first, again, other = (generator.sample(500, seed=seed) for seed in (3, 3, 4))
    assert len(first) == 500
    assert list(first.columns) == ["x", "y"]
    assert first.weight is None
    np.testing.assert_array_equal(first["x"], again["x"])
    assert not np.array_equal(first["x"], other["x"])
    assert first.provenance == {"source": make.__name__, "n_train": 2_000, "seed": 3}
    assert generator.n_train == 2_000


@pytest.mark.parametrize("make", ALL)
def test_marginals_are_those_of_the_training_events(make: Any) -> None:
    """Means, spreads and the correlation of many generated events are those of the training events."""
    training = _training()
    sample = make(training).sample(200_000, seed=1)
    given = np.stack([training["x"], training["y"]])
    found = np.stack([sample["x"], sample["y"]])
    np.testing.assert_allclose(found.mean(axis=1), given.mean(axis=1), atol=0.02)
    kernel = 1 + 2_000 ** (-1 / 3) if make is GaussianKDE else 1.0  # the width of Scott's kernel in two dimensions
    np.testing.assert_allclose(np.cov(found), kernel * np.cov(given), rtol=0.03)


@pytest.mark.parametrize("make", ALL)
def test_weights_are_respected(make: Any) -> None:
    """Events are drawn in proportion to their weights, given by name or as an array; those of weight 0 never."""
    x = np.concatenate([np.linspace(0, 1, 500), np.linspace(10, 11, 500), np.linspace(20, 21, 500)])
    weight = np.repeat([1.0, 3.0, 0.0], 500)
    bandwidth = {"bandwidth": 0.01} if make is GaussianKDE else {}
    for generator in (make({"x": x, "w": weight}, "w", **bandwidth), make({"x": x}, weight, **bandwidth)):
        sample = generator.sample(50_000, seed=2)
        assert list(sample.columns) == ["x"]
        assert (sample["x"] > 5).mean() == pytest.approx(0.75, abs=0.01)
        assert sample["x"].max() < 12


@pytest.mark.parametrize("make", ALL)
def test_independent_of_a_toy_with_the_same_seed(make: Any) -> None:
    """A reference drawn from a toy with the seed of the generator shares no fluctuation with the generated events."""
    generator = make(TOY.sample(5_000, seed=10_000))
    pairs = [
        [(sample["x"] > 0).mean() for sample in (generator.sample(300, seed=seed), TOY.sample(300, seed=seed))]
        for seed in range(400)
    ]
    assert abs(np.corrcoef(np.array(pairs).T)[0, 1]) < 0.2


def test_bootstrap_draws_rows() -> None:
    """Every bootstrapped event is a training event as a whole, of whatever type its columns are."""
    training = {**_training(300), "name": np.array(["a", "b", "c"] * 100), "n": np.arange(300)}
    sample = Bootstrap(training).sample(1_000, seed=1)
    for name, values in training.items():
        np.testing.assert_array_equal(sample[name], values[sample["n"]])
        assert sample[name].dtype == values.dtype


def test_a_bootstrap_is_worth_its_training_set() -> None:
    """E[χ²/ndf] = 1 + (1/n_train)/(1/n_gen + 1/n_ref) against new events, n_train/(n_gen + n_train) against its own."""
    n_train, n_gen, n_ref, repetitions = 2_000, 6_000, 3_000, 200
    fresh, own = np.empty((2, repetitions))
    for i in range(repetitions):
        training = TOY.sample(n_train, seed=3 * i)
        generated = _counts(Bootstrap(training).sample(n_gen, seed=3 * i + 1))
        fresh[i] = gv.chi2_test(generated, _counts(TOY.sample(n_ref, seed=3 * i + 2))).chi2 / (BINS - 1)
        own[i] = gv.chi2_test(generated, _counts(training)).chi2 / (BINS - 1)
    error = repetitions**-0.5
    assert fresh.mean() == pytest.approx(1 + (1 / n_train) / (1 / n_gen + 1 / n_ref), abs=3 * fresh.std() * error)
    assert own.mean() == pytest.approx(n_train / (n_gen + n_train), abs=3 * own.std() * error)


def test_a_bootstrap_supports_no_more_than_its_training_set() -> None:
    """A bootstrap passes as far fewer events than it was trained on, and never as many more."""
    reference = TOY.sample(200_000, seed=1)
    generated = Bootstrap(TOY.sample(10_000, seed=2)).sample(200_000, seed=3)
    assert gv.validate(generated, reference, n_required=1_000).verdict is gv.Verdict.ROBUST
    assert gv.validate(generated, reference, n_required=100_000).verdict is gv.Verdict.BIASED


def test_a_memorised_reference_is_not_robust() -> None:
    """A bootstrap of the reference itself agrees too well to be believed."""
    reference = TOY.sample(10_000, seed=1)
    report = gv.validate(Bootstrap(reference).sample(100_000, seed=2), reference, n_required=1_000)
    assert report.verdict is gv.Verdict.UNPROVEN
    assert "are also in the reference sample" in report.reasons[0]


def test_histogram_shares() -> None:
    """Cells are drawn by their share and events lie uniformly within them, between the smallest and largest value."""
    x = np.concatenate([np.linspace(0, 1, 100, endpoint=False), np.linspace(3, 4, 300)])
    sample = HistogramSampler({"x": x}, bins=4).sample(40_000, seed=1)["x"]
    counts = np.histogram(sample, np.arange(0, 4.25, 0.25))[0]
    np.testing.assert_allclose(counts[:4], 2_500, rtol=0.1)
    assert counts[4:12].sum() == 0
    np.testing.assert_allclose(counts[12:], 7_500, rtol=0.05)
    assert sample.min() >= 0
    assert sample.max() <= 4


def test_histograms_in_many_dimensions() -> None:
    """Only occupied cells are kept, so ten columns of fifty bins fit in memory, constant columns included."""
    rng = np.random.default_rng(1)
    training: dict[str, Any] = {f"x{i}": rng.normal(size=200) for i in range(10)} | {"c": np.full(200, 3.0)}
    sample = HistogramSampler(training).sample(1_000, seed=1)
    assert set(sample["c"]) == {3.0}
    assert all(np.ptp(sample[f"x{i}"]) <= np.ptp(training[f"x{i}"]) for i in range(10))


def test_kernel_widths() -> None:
    """A kernel of a given width adds that much variance and no more."""
    training = {"x": _training()["x"]}
    for bandwidth in (0.1, 0.5):
        sample = GaussianKDE(training, bandwidth=bandwidth).sample(200_000, seed=1)["x"]
        assert sample.var() == pytest.approx(training["x"].var(ddof=1) * (1 + bandwidth**2), rel=0.02)


def test_training_is_neither_mutated_nor_shared() -> None:
    """The training events stay as they were, and changing generated events does not change later ones."""
    training = _training()
    before = training["x"].copy()
    for make in ALL:
        generator: Any = make(training)
        first = generator.sample(100, seed=1)["x"].copy()
        generator.sample(100, seed=1)["x"][:] = 0
        np.testing.assert_array_equal(generator.sample(100, seed=1)["x"], first)
    np.testing.assert_array_equal(training["x"], before)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n": 0, "seed": 1}, InputError, "n=0 is too small; expected at least 1"),
        ({"n": 2.0, "seed": 1}, InputTypeError, "n=2.0 is a float; expected an integer"),
        ({"n": 5, "seed": -1}, InputError, "seed=-1 is too small"),
        ({"n": 5, "seed": None}, InputTypeError, "seed=None is a NoneType"),
        ({"n": 5, "seed": True}, InputTypeError, "seed=True is a bool"),
    ],
)
def test_impossible_requests(make: Any, arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    """The number of events and the seed must be integers in range: nothing is drawn without a seed."""
    with pytest.raises(error, match=text):
        make(_training(100)).sample(**arguments)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("training", "weight", "error", "text"),
    [
        ({"x": np.arange(3.0)}, [1.0, -1.0, 1.0], InputError, r"must not be negative.*the smallest is -1"),
        ({"x": np.arange(3.0)}, [0.0, 0.0, 0.0], InputError, "have a positive sum"),
        ({"x": np.arange(3.0)}, [1.0, np.nan, 1.0], InputError, "training: 1 of 3 weights are NaN"),
        ({"x": []}, None, InputError, "training: the sample has no events"),
        (np.arange(3.0), None, InputTypeError, "training: a ndarray is not a table"),
    ],
)
def test_impossible_training(
    make: Any,
    training: Any,
    weight: object,
    error: type[Exception],
    text: str,
) -> None:
    """Training events that cannot be drawn from are refused by every generator."""
    with pytest.raises(error, match=text):
        make(training, weight)


@pytest.mark.parametrize("make", [HistogramSampler, GaussianKDE])
@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ([1.0, np.nan, np.inf], InputError, "training events hold 2 NaN or infinite values"),
        (["a", "b", "c"], InputTypeError, "training: column 'x' has dtype <U1"),
    ],
)
def test_impossible_columns(make: Any, values: list[Any], error: type[Exception], text: str) -> None:
    """What makes a density must be finite numbers."""
    with pytest.raises(error, match=text):
        make({"x": values})


@pytest.mark.parametrize(
    "columns", [{"x": np.ones(10)}, {"x": np.arange(10.0), "y": 2 * np.arange(10.0)}, {"x": [1.0]}]
)
def test_singular_densities(columns: Any) -> None:
    """Constant and redundant columns, and a single event, have no kernel density."""
    with pytest.raises(InputError, match=r"have no regular covariance .*leave out constant and redundant columns"):
        GaussianKDE(columns)


@pytest.mark.parametrize(
    ("bandwidth", "error"), [(0, InputError), (-1.0, InputError), ("wide", InputTypeError), (None, InputTypeError)]
)
def test_impossible_bandwidths(bandwidth: Any, error: type[Exception]) -> None:
    """A bandwidth is a rule that exists or a positive factor."""
    with pytest.raises(error, match="bandwidth"):
        GaussianKDE(_training(100), bandwidth=bandwidth)


@pytest.mark.parametrize(("bins", "error"), [(0, InputError), (2.5, InputTypeError), (True, InputTypeError)])
def test_impossible_bins(bins: Any, error: type[Exception]) -> None:
    """The number of bins is a positive integer."""
    with pytest.raises(error, match="bins="):
        HistogramSampler(_training(100), bins=bins)

"""Every toy with an exact column: density, distribution, bins, samples and streams agree."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any, Protocol, cast

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import integrate, special, stats

import pytest_ganvalid as gv
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.samples import Sample
from pytest_ganvalid.toys import (
    Calorimeter,
    DijetMass,
    MatrixElement,
    MinimumBias,
    Pileup,
    ResponseAt,
    Ring,
    SphericalShell,
    ZLineShape,
)
from pytest_ganvalid.toys.law import mixture, uniforms

REFERENCE_DRAWS = [0.3826911772203264, 0.020440605975802884, 0.9319648962692549, 0.5266818260948598]
FloatArray = NDArray[np.float64]
FAKES = 1.5  # where a density jumps
COLUMNS = {
    DijetMass: "mass",
    ZLineShape: "mass",
    Calorimeter: "response",
    ResponseAt: "response",
    MatrixElement: "cos_theta",
    MinimumBias: "sum_pt",
}


class Exact(Protocol):
    """A toy that is exact in one column."""

    def pdf(self, x: ArrayLike) -> FloatArray: ...  # noqa: D102
    def cdf(self, x: ArrayLike) -> FloatArray: ...  # noqa: D102
    def bin_probabilities(self, edges: Any) -> FloatArray: ...  # noqa: D102
    def equiprobable_edges(self, bins: int) -> tuple[float, ...]: ...  # noqa: D102
    def sample(self, n: int, *, seed: int) -> Sample: ...  # noqa: D102


TOYS: list[Exact] = [
    Ring(),
    Ring(radius=0.5, width=2.0),
    SphericalShell(),
    SphericalShell(radius=0.0, dimension=2),
    DijetMass(),
    DijetMass(slope=(3.0, 8.0, 0.6), signal_fraction=0.3, tail=(1.2, 4.0), signal_width=40.0),
    DijetMass(slope=(0.0, 0.0, 0.0), signal_fraction=0.0),
    ZLineShape(),
    ZLineShape(mass=80.4, width=0.1, resolution=8.0),
    ZLineShape(width=9.0, resolution=0.4, mass_range=(85.0, 95.0)),
    Calorimeter(),
    Calorimeter(stochastic=1.0, noise=5.0, constant=0.0, fake_rate=0.2, fake_start=FAKES, energy_range=(5.0, 50.0)),
    Calorimeter(fake_rate=0.0).at(30.0),
    Calorimeter(fake_rate=0.4).at(1_000.0),
    MatrixElement(),
    MatrixElement(energy=111.0),
    MinimumBias(),
    MinimumBias(mean_multiplicity=1.5, shape=0.7, mean_pt=1.0),
]
each_toy = pytest.mark.parametrize("toy", TOYS, ids=lambda toy: type(toy).__name__)


def observed(toy: Exact, events: Sample) -> FloatArray:
    """The numbers whose distribution the toy states."""
    if isinstance(toy, Ring | SphericalShell):
        return toy.radii(events)
    return np.asarray(events[COLUMNS[type(toy)]])


def counts(toy: Exact, edges: tuple[float, ...], n: int, seed: int) -> gv.Counts:
    """Contents of the bins of a sample, flow bins included."""
    edges = (-np.inf, *edges, np.inf)
    return gv.Counts(np.histogram(observed(toy, toy.sample(n, seed=seed)), edges)[0], edges=edges)


@each_toy
def test_the_density_integrates_to_the_bin_probabilities(toy: Exact) -> None:
    """The density integrates to the probabilities of bins to 1e-9, and with the tails to one."""
    edges = toy.equiprobable_edges(7)
    for (low, high), probability in zip(pairwise(edges), toy.bin_probabilities(edges)[1:-1], strict=True):
        steps = [FAKES] if low < FAKES < high else None
        area, _ = integrate.quad(lambda x: float(toy.pdf(x)), low, high, epsabs=1e-11, limit=200, points=steps)
        assert area == pytest.approx(probability, abs=1e-9)
    np.testing.assert_allclose(toy.cdf([-np.inf, np.inf]), [0, 1], atol=1e-11)
    assert toy.pdf([-np.inf, np.inf]).tolist() == [0, 0]


@each_toy
def test_samples_follow_the_bin_probabilities(toy: Exact) -> None:
    """The χ² of samples against the exact bin probabilities is as large as it should be, flow bins included."""
    edges = toy.equiprobable_edges(11)
    expected = 2_000 * toy.bin_probabilities(edges)
    chi2 = np.sum([np.sum((counts(toy, edges, 2_000, seed).values - expected) ** 2 / expected) for seed in range(30)])
    assert 1e-3 < special.chdtrc(30 * 10, chi2) < 1 - 1e-3


@each_toy
def test_equiprobable_edges(toy: Exact) -> None:
    """Equiprobable bins have equal probabilities to 1e-10, which sum to one."""
    for bins in (2, 30):
        probabilities = toy.bin_probabilities(toy.equiprobable_edges(bins))
        np.testing.assert_allclose(probabilities, 1 / bins, atol=1e-10)
        assert probabilities.sum() == pytest.approx(1, abs=1e-14)
    assert toy.bin_probabilities([]).tolist() == [1]


@each_toy
def test_a_toy_passes_against_itself(toy: Exact) -> None:
    """The gate finds that a simulator may stand in for itself."""
    edges = toy.equiprobable_edges(20)
    comparison = gv.compare(counts(toy, edges, 40_000, 1), counts(toy, edges, 40_000, 2), n_required=4_000)
    assert comparison.verdict == "ROBUST"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (Ring(), Ring(radius=4.2)),
        (SphericalShell(), SphericalShell(width=1.2)),
        (DijetMass(signal_fraction=0.0), DijetMass(signal_fraction=0.05)),
        (ZLineShape(), ZLineShape(mass=91.7)),
        (ZLineShape(), ZLineShape(resolution=1.9)),
        (Calorimeter(), Calorimeter(constant=0.06)),
        (Calorimeter(), Calorimeter(fake_rate=0.05)),
        (MatrixElement(), MatrixElement(energy=120.0)),
        (MinimumBias(), MinimumBias(shape=1.2)),
    ],
)
def test_a_wrong_parameter_is_caught(right: Exact, wrong: Exact) -> None:
    """The gate finds that a simulator with a wrong parameter may not stand in for the right one."""
    edges = right.equiprobable_edges(20)
    comparison = gv.compare(counts(wrong, edges, 40_000, 1), counts(right, edges, 40_000, 2), n_required=10_000)
    assert comparison.verdict == "BIASED"


@each_toy
def test_reproducible(toy: Exact) -> None:
    """The same seed gives the same events, another seed others; the provenance says which, and of what parameters."""
    first, again, other = (toy.sample(1_000, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(observed(toy, first), observed(toy, again))
    ranks = [stats.rankdata(observed(toy, events)) for events in (first, other)]
    assert abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) < 0.15
    assert first.provenance["source"] == type(toy).__name__
    assert first.provenance["seed"] == 3
    assert first.provenance["parameters"] == asdict(cast("Any", toy))
    assert first.weight is None


@pytest.mark.parametrize("toy", [*TOYS, Pileup(library_size=1_000)], ids=lambda toy: type(toy).__name__)
def test_the_first_events_do_not_depend_on_the_number(toy: Exact) -> None:
    """The first events of a longer sample are those of a shorter one."""
    short, long = toy.sample(37, seed=5), toy.sample(1_001, seed=5)
    for name in short.columns:
        assert short[name].dtype == np.float64
        np.testing.assert_allclose(short[name], long[name][:37], rtol=1e-13)


def test_draws() -> None:
    """Uniform draws are numpy's of a spawned PCG64, row by row, and never 0 or 1."""
    stream = np.random.SeedSequence(7).spawn(2)[1]
    expected = np.random.Generator(np.random.PCG64(stream)).random(6).reshape(3, 2).T
    np.testing.assert_array_equal(uniforms(3, 2, 7, stream=1), expected)
    many = uniforms(100_000, 1, 0)
    assert np.all((many > 0) & (many < 1))


def test_reference_draws() -> None:
    """The stream is the same on any machine."""
    expected = REFERENCE_DRAWS
    np.testing.assert_array_equal(uniforms(2, 2, 2026).T.ravel(), expected)


def test_mixtures_of_any_shape() -> None:
    """A mixture is the weighted sum of its terms, for scalars, no points, matrices and many points."""
    offsets = np.array([0.0, 1.0])
    for shape in ((), (0,), (3, 4), (1_500_000,)):
        x = np.ones(shape)
        found = mixture(lambda points: points + offsets, x, np.array([0.25, 0.75]))
        np.testing.assert_array_equal(found, np.full(shape, 1.75))


@pytest.mark.parametrize("edges", [[1.0, 0.0], [0.0, 0.0], [0.0, np.nan], [np.nan]])
def test_impossible_edges(edges: list[float]) -> None:
    """Edges that do not increase are refused."""
    with pytest.raises(InputError, match="do not increase; sort them and remove repeated ones"):
        TOYS[0].bin_probabilities(edges)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda toy: toy.sample(0, seed=1), InputError, "n=0 is too small"),
        (lambda toy: toy.sample(1.5, seed=1), InputTypeError, "n=1.5 is a float"),
        (lambda toy: toy.sample(1, seed=-1), InputError, "seed=-1 is too small"),
        (lambda toy: toy.sample(1, seed=None), InputTypeError, "seed=None is a NoneType"),
        (lambda toy: toy.equiprobable_edges(1), InputError, "bins=1 is too small; expected at least 2"),
    ],
)
def test_impossible_requests(call: Any, error: type[Exception], text: str) -> None:
    """Numbers of events, of bins and seeds are integers in range."""
    with pytest.raises(error, match=text):
        call(TOYS[0])

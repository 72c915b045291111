"""Tables of columns: what comes back from scores is distributed as the training events, and never what cannot be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch
from scipy import stats

from pytest_ganvalid._json import Node, decode, encode
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.gan import Config
from pytest_ganvalid.gan.preprocess import FromNetwork, fit
from pytest_ganvalid.gan.quantiles import Quantiles, _atoms, turns
from pytest_ganvalid.samples import Sample

Array = NDArray[np.float64]
N = 2_000
RNG = np.random.default_rng(1)
KINDS: dict[str, Array] = {
    "normal": RNG.normal(size=N),
    "heavy tails": RNG.standard_cauchy(N),
    "positive": np.exp(2 * RNG.normal(size=N)),
    "few events": RNG.normal(size=12),
    "few weights": RNG.exponential(size=30),
    "counts": RNG.poisson(200, N).astype(float),
    "small counts": RNG.poisson(3, N).astype(float),
    "charge": RNG.choice([-1.0, 1.0], N, p=[0.3, 0.7]),
    "third at 0": np.where(np.arange(N) % 3, 5 * RNG.exponential(size=N), 0.0),
    "peak inside": np.where(np.arange(N) % 4, RNG.normal(size=N), 0.5),
    "three decimals": RNG.normal(size=N).round(3),
    "counts with zeros": np.where(np.arange(N) % 3, RNG.poisson(100, N), 0.0),
    "angle": RNG.uniform(-np.pi, np.pi, N),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def _table(values: Array, weight: Array | None = None, **settings: Any) -> Quantiles:
    return fit(Sample({"x": values}, weight=weight), ["x"], Config(**settings))[0]


def _back(table: Quantiles, seen: Array) -> Array:
    return np.asarray(FromNetwork([table], torch.device("cpu"))(torch.from_numpy(seen.T))[0].numpy())


def _normal(table: Quantiles, n: int = 100_000) -> Array:
    return np.random.default_rng(2).normal(size=(n, table.inputs))


@kinds
@pytest.mark.parametrize("rng", [None, np.random.default_rng(3)])
def test_round_trip(kind: str, rng: np.random.Generator | None) -> None:
    """Training events come back to rounding, and exactly where they are counts or atoms."""
    values = KINDS[kind]
    table = _table(values)
    back = _back(table, table.to_network(values, rng))
    exact = np.full(values.size, table.integral or kind in ("charge", "small counts"))
    exact |= np.isin(values, {"third at 0": 0.0, "peak inside": 0.5}.get(kind, []))
    np.testing.assert_array_equal(back[exact], values[exact])
    np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60, unique=True), st.integers(0, 100))
@settings(deadline=None, max_examples=50)
def test_round_trip_of_anything(numbers: list[float], repeated: int) -> None:
    """Numbers of any distribution come back, to the rounding of their span."""
    values = np.array([*numbers, *numbers[:1] * repeated])
    assume(np.ptp(values) > max(1e-100, 1e-6 * np.abs(values).max()))
    table = _table(values)
    back = _back(table, table.to_network(values, np.random.default_rng(1)))
    np.testing.assert_allclose(back, values, atol=1e-7 * np.abs(values).max())


@kinds
def test_scores_are_normal(kind: str) -> None:
    """The network sees a standard normal column, or one of mean 0 and standard deviation 1; angles fill the plane."""
    if kind.startswith("few"):
        return
    table = _table(KINDS[kind])
    seen = table.to_network(KINDS[kind], np.random.default_rng(1))
    assert seen.mean() == pytest.approx(0, abs=0.06)
    assert seen.std() == pytest.approx(1, abs=0.06)
    if table.network != "standardised":
        assert all(stats.kstest(column, "norm").statistic * np.sqrt(N) < 1.9 for column in seen.T)


@kinds
def test_normal_scores_make_the_training_distribution(kind: str) -> None:
    """A network that makes normal scores generates the column as it was in training."""
    if kind.startswith("few"):
        return
    table = _table(KINDS[kind])
    if table.network == "standardised":
        table = table.calibrated(_normal(table))
    made = _back(table, _normal(table))
    edges = np.unique(np.quantile(KINDS[kind], np.linspace(0, 1, 21)))[1:-1]
    shares, expected = (np.bincount(np.searchsorted(edges, x, side="right")) / x.size for x in (made, KINDS[kind]))
    np.testing.assert_allclose(shares, expected, atol=4 * math.sqrt(0.25 / N) * np.sqrt(expected).max() + 0.005)


@kinds
def test_order_is_kept(kind: str) -> None:
    """A higher score is never a lower value, and no score leaves the numbers."""
    table = _table(KINDS[kind])
    if table.period is not None:
        return
    made = _back(table, np.concatenate([np.linspace(-12, 12, 5_001), [-1e30, 1e30]])[:, None])
    assert np.isfinite(made).all()
    assert (np.diff(made[:-2]) >= -1e-12 * np.abs(made[:-2]).max()).all()
    assert (made[-2], made[-1]) == (made[:-2].min(), made[:-2].max())
    assert not np.signbit(made[made == 0]).any()


@kinds
def test_signs_are_kept(kind: str) -> None:
    """What is positive in training stays positive, and what is not negative never is."""
    table, values = _table(KINDS[kind]), KINDS[kind]
    made = _back(table, np.linspace(-12, 12, 5_001)[:, None].repeat(table.inputs, axis=1))
    if values.min() > 0:
        assert (made > 0).all()
    elif values.min() >= 0:
        assert (made >= 0).all()


@pytest.mark.parametrize("kind", ["charge", "small counts"])
def test_few_values_are_all_there_is(kind: str) -> None:
    """A column of few values is generated with those of training alone, in their shares."""
    values = KINDS[kind]
    table = _table(values)
    made = _back(table, _normal(table))
    kept, counts = np.unique(values, return_counts=True)
    assert set(made) <= set(kept)
    shares = [np.mean(made == value) for value in kept]
    np.testing.assert_allclose(shares, counts / N, atol=0.006)
    assert not table.integral


@given(st.lists(st.sampled_from([-1.5, 0.0, 0.3, 2.0]), min_size=40, max_size=200), st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_any_few_values(numbers: list[float], seed: int) -> None:
    """Whatever a network says, a flag is generated as one of the flags."""
    assume(len(set(numbers)) > 1)
    table = _table(np.array(numbers))
    scores = 10 * np.random.default_rng(seed).standard_cauchy((500, 1))
    for way in (table, table.calibrated(scores)):
        assert set(_back(way, scores)) <= set(numbers)


@pytest.mark.parametrize(("kind", "atom", "share"), [("third at 0", 0.0, 1 / 3), ("peak inside", 0.5, 0.25)])
def test_atoms(kind: str, atom: float, share: float) -> None:
    """A value that many events have exactly is generated exactly, in its share, and the rest is continuous."""
    table = _table(KINDS[kind])
    made = _back(table, _normal(table))
    assert np.mean(made == atom) == pytest.approx(share, abs=0.01)
    rest = made[made != atom]
    assert np.unique(rest).size > 0.99 * rest.size


@pytest.mark.parametrize("weighted", [False, True])
def test_a_few_equal_values_are_an_atom(weighted: bool) -> None:  # noqa: FBT001
    """A value that forty events have, and none near it, is one, however few they are of all, or however heavy."""
    x = np.where(np.arange(5_000) < 40, -999.0, np.random.default_rng(5).normal(size=5_000))
    weight = np.where(x == -999, 100.0, 1.0) if weighted else None
    share = 4_000 / 8_960 if weighted else 0.008
    table = _table(x, weight)
    made = _back(table, _normal(table))
    assert np.mean(made == -999) == pytest.approx(share, abs=0.1 * share)
    assert np.mean((made != -999) & (made < -10)) == 0


def test_steep_counts_have_no_atoms() -> None:
    """Values that many events have are none where those next to them have as many: rounded, or integers."""
    x = np.random.default_rng(6).exponential(size=5_000)
    for values in (x.round(2), np.floor(200 * x)):
        assert not _atoms(np.unique(values, return_counts=True)[1]).any()


def test_two_narrow_clusters() -> None:
    """Lines with nothing in between are not taken for one broad distribution."""
    rng = np.random.default_rng(7)
    x = rng.choice([0.511, 1.27], 5_000) + 1e-4 * rng.normal(size=5_000)
    table = _table(x)
    made = _back(table, _normal(table))
    assert table.network == "normal score"
    assert np.mean(np.minimum(np.abs(made - 0.511), np.abs(made - 1.27)) < 1e-3) > 0.97


def test_light_events_have_light_tails() -> None:
    """Beyond outermost events of next to no weight there is next to nothing."""
    rng = np.random.default_rng(8)
    x = rng.uniform(20, 500, 5_000)
    weight = (x / 20) ** -5.0
    table = _table(x, weight, limits={"x": (20.0, None)})
    made = _back(table, _normal(table))
    assert made.mean() == pytest.approx(np.average(x, weights=weight), rel=0.03)
    assert np.mean(made > 200) < 1e-3
    outliers = np.concatenate([rng.normal(size=5_000), np.full(10, 1_000.0) + np.arange(10)])
    for light in (0.0, 1e-12):
        table = _table(outliers, np.where(outliers > 900, light, 1.0))
        assert np.abs(_back(table, _normal(table))).max() < 20


def test_counts() -> None:
    """Counts are whole numbers, and may be some that training did not have."""
    table = _table(KINDS["counts"])
    made = _back(table, _normal(table))
    assert table.integral
    np.testing.assert_array_equal(made, np.rint(made))
    assert set(made) - set(KINDS["counts"])


def test_positive_counts_stay_positive() -> None:
    """Counts that were all positive in training have no 0 among them."""
    table = _table(np.random.default_rng(9).geometric(0.02, N).astype(float))
    assert _back(table, 8 * np.random.default_rng(9).standard_cauchy((1_000, 1))).min() >= 1


@given(st.sampled_from(["exponential", "uniform", "count"]), st.booleans(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=15)
def test_nothing_beyond_limits(shape: str, upper: bool, seed: int) -> None:  # noqa: FBT001
    """Whatever a network says, no event is beyond a limit, and few are at it."""
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {
        "exponential": rng.exponential(size=300),
        "uniform": rng.random(300),
        "count": np.array(rng.poisson(90, 300), dtype=np.float64),
    }
    x = 20.0 + values[shape]
    low, high = 20.0, float(math.ceil(x.max())) if upper else None
    table = _table(x, limits={"x": (low, high)})
    made = _back(table, 20 * rng.standard_cauchy((1_000, 1)))
    assert made.min() >= low
    assert high is None or made.max() <= high
    if table.network == "normal score" and shape != "count":
        assert np.mean(_back(table, _normal(table)) == low) < 1e-3


def test_limits_of_a_steep_edge() -> None:
    """A distribution that ends at its limit reaches it, and does not smear."""
    x = 20 + RNG.exponential(size=N)
    table = _table(x, limits={"x": (20.0, None)})
    made = _back(table, _normal(table))
    assert np.mean(made < 20.1) == pytest.approx(1 - math.exp(-0.1), abs=0.02)
    assert made.min() < 20.001


@pytest.mark.parametrize("limits", [(79.5, 120.5), (79.2, 120.8), (80.0, 120.0), (None, 157.0)])
def test_limits_between_integers(limits: tuple[float | None, float]) -> None:
    """Counts stay on the integers within their limits, wherever between two integers a limit is."""
    low, high = -math.inf if limits[0] is None else limits[0], limits[1]
    rng = np.random.default_rng(10)
    table = _table(np.floor(np.minimum(rng.normal(100, 30, N), high).clip(80)), limits={"x": limits})
    made = _back(table, 20 * rng.standard_cauchy((1_000, 1)))
    assert low <= made.min() <= made.max() <= high


def test_beyond_limits() -> None:
    """Training events beyond a limit are refused, with what to do."""
    with pytest.raises(
        InputError, match=r"column 'x' runs from 1 to 3, beyond limits=\(2\.0, None\).*widen the limits"
    ):
        _table(np.array([1.0, 2.5, 3.0]), limits={"x": (2.0, None)})


def test_tails_go_on() -> None:
    """Beyond the training events a normal column has a normal tail, and each side 1/(2n) of the events."""
    x = RNG.normal(size=N)
    table = _table(x)
    edge = np.interp(x.max(), table.values, table.levels)
    assert edge == pytest.approx(1 - 1 / (2 * N), abs=1 / (4 * N))
    assert np.interp(1 - 1e-8, table.levels, table.values) == pytest.approx(stats.norm.ppf(1 - 1e-8), rel=0.25)


@pytest.mark.parametrize(("start", "period"), [(-np.pi, 2 * np.pi), (0.0, 2 * np.pi), (0.0, 360.0), (-0.5, 1.0)])
def test_circles(start: float, period: float) -> None:
    """Periodic columns join at the ends: neighbours across the end are neighbours for the network."""
    x = start + period * RNG.beta(2, 2, N)
    table = _table(np.mod(x - start + period / 2, period) + start, periodic={"x": period})
    assert (table.network, table.period) == ("circle", period)
    assert table.values[0] == pytest.approx(start)
    ends = table.to_network(np.array([start + 1e-9 * period, start + period * (1 - 1e-9)]))
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    made = _back(table, _normal(table))
    assert start <= made.min() < made.max() < start + period
    assert np.mean(np.abs(made - start - period / 2) > period / 4) == pytest.approx(0.6875, abs=0.03)


@pytest.mark.parametrize("start", [-np.pi, 0.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_full_circles_are_recognised(start: float, dtype: type[np.floating[Any]]) -> None:
    """A column that fills -π to π or 0 to 2π is an angle, unless it is said not to be."""
    x = np.linspace(start, start + 2 * np.pi, 500, dtype=dtype)
    assert _table(x).period == pytest.approx(2 * np.pi)
    assert _table(x, periodic={"x": None}).period is None
    assert _table(0.9 * x).period is None
    assert _table(np.where(np.arange(500) % 2, start, start + 2 * np.pi)).period is None
    assert _table(x, limits={"x": (start - 1, None)}).period is None


def test_decay_times_are_no_angles() -> None:
    """A column that is full at one end and nearly empty at the other is no angle, wherever it happens to end."""
    for seed in range(50):
        x = np.random.default_rng(seed).exponential(size=300)
        assert _table(x * 2 * np.pi / x.max()).period is None


def test_outside_the_period() -> None:
    """An angle outside its period is refused, with the value, and what to do."""
    with pytest.raises(
        InputError, match=r"column 'x' has a value of 4; expected -0\.5 to 0\.5, as its period is 1: br"
    ):
        _table(np.array([-0.2, 4.0]), periodic={"x": 1.0})


@pytest.mark.parametrize("kind", ["charge", "third at 0", "normal"])
def test_weights_are_repetitions(kind: str) -> None:
    """Events of weight 2 count as two: shares of atoms are the same, and quantiles nearly."""
    values = KINDS[kind]
    twice = np.where(values > np.median(values), 2.0, 1.0)
    weighted, repeated = _table(values, twice), _table(np.repeat(values, twice.astype(int)))
    first, second = (np.interp([0.0, 1e-9, 0.4, 0.6, 1.0], t.values, t.levels) for t in (weighted, repeated))
    np.testing.assert_allclose(first, second, atol=1e-9 if kind == "charge" else 0.02)


@kinds
def test_calibration(kind: str) -> None:
    """Whatever its scores are, a calibrated network generates the table's distribution."""
    table = _table(KINDS[kind])
    made = 0.3 + 0.7 * _normal(table) ** 3 if table.period is None else _normal(table) + np.array([0.4, 0.2])
    calibrated = table.calibrated(made)
    levels = np.interp(_back(calibrated, made) if not table.integral else [], table.values, table.levels)
    if not (np.diff(table.values) == 0).any() and levels.size and not kind.startswith("few"):
        assert stats.kstest(levels, "uniform").statistic < 0.01
    for value in {0.0, 0.5, 1.0} & set(KINDS[kind]):
        slot = [level for level, v in zip(table.levels, table.values, strict=True) if v == value]
        if len(slot) == 2:
            assert np.mean(_back(calibrated, made) == value) == pytest.approx(slot[1] - slot[0], abs=1e-4)
    assert replace(calibrated, scores=table.scores) == table


def test_turns() -> None:
    """Directions are counted in turns, from 0 to below 1."""
    points = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, -3.0]])
    np.testing.assert_allclose(turns(points), [0, 0.25, 0.5, 0.75])


@kinds
def test_json_round_trip(kind: str) -> None:
    """A table comes back equal from JSON, to the last bit."""
    table = _table(KINDS[kind])
    assert decode(Quantiles, Node(encode(table))) == table


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"values": (1.0, 2.0, 3.0)}, "has 3 values, 2 levels and 2 scores; expected as many of each"),
        ({"values": (2.0, 1.0)}, "none falling"),
        ({"scores": (2.0, 1.0)}, "none falling"),
        ({"values": (1.0,), "levels": (1.0,), "scores": (1.0,)}, "at least 2"),
        ({"values": (0.0, math.inf)}, "more orders of magnitude than numbers have; take its logarithm"),
        ({"period": 1.0}, "has period 1.0 and is seen as 'normal score'; expected a circle"),
    ],
)
def test_impossible_tables(change: dict[str, Any], text: str) -> None:
    """What is no table is refused."""
    table = Quantiles(
        name="x",
        network="normal score",
        integral=False,
        period=None,
        values=(0.0, 1.0),
        levels=(0.0, 1.0),
        scores=(-1.0, 1.0),
    )
    with pytest.raises(InputError, match=text):
        replace(table, **change)

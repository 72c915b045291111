"""Bins are chosen by the reference or the user, never by the generated sample, and see every atom."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pytest_ganvalid as gv
from pytest_ganvalid._json import parsed
from pytest_ganvalid.errors import InputError, InputTypeError
from pytest_ganvalid.histograms.binning import axis_for, bins_for, decoded_bins, encoded_bins, equiprobable_edges
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs
from pytest_ganvalid.histograms.filling import fill

Array = NDArray[np.float64]
HUGE = float(np.finfo(np.float64).max)
TINY = 5e-324


def _counts(values: Array, bins: int, weight: Array | None = None) -> Array:
    return fill(bins_for(bins, [values], weight, "error"), [values], weight).sumw


def _edges(spec: object) -> tuple[float, ...]:
    grid = bins_for(spec, [np.arange(10.0)], None, "error")
    assert isinstance(grid, Grid)
    return grid.axes[0].edges


@pytest.mark.parametrize("bins", [2, 3, 7, 50])
def test_equal_shares(bins: int) -> None:
    """Without ties every bin holds exactly the same number of events, if that divides; the outer ones are halved."""
    values = np.random.default_rng(1).normal(size=60 * bins)
    assert _counts(values, bins).tolist() == [30, 30, *[60] * (bins - 2), 30, 30]


@pytest.mark.parametrize(("events", "bins"), [(101, 5), (197, 9), (997, 10), (12_345, 10)])
def test_nearly_equal_shares(events: int, bins: int) -> None:
    """Where the number of events does not divide, shares differ by one event at most, and none is below 19."""
    values = np.random.default_rng(2).normal(size=events)
    grid = bins_for(10, [values], None, "error")
    assert grid.nominal is not None
    counts, (low, high) = fill(grid, [values], None).sumw, grid.nominal.tails
    whole = [counts[:low].sum(), *counts[low : counts.size - high], counts[counts.size - high :].sum()]
    whole = whole if low else whole[1:-1]
    assert len(whole) == bins
    assert np.ptp(whole) <= 1
    assert counts.min() >= 19


@pytest.mark.parametrize(("events", "parts"), [(999, 0), (2_000, 2), (4_000, 3), (100_000, 7)])
def test_tails_are_halved_as_long_as_both_parts_hold_enough(events: int, parts: int) -> None:
    """The outer two of 50 bins are halved, and what is beyond again, down to 20 reference events."""
    values = np.random.default_rng(2).exponential(size=events)
    grid = bins_for(50, [values], None, "error")
    assert grid.nominal is not None
    assert grid.nominal.tails == (parts, parts)
    sizes = np.diff(np.concatenate([[0], np.cumsum(grid.nominal.shares)[:parts]])) * events
    halves = [events / 50 / 2 ** (i or 1) for i in range(parts - 1, -1, -1)] if parts else []
    assert sizes == pytest.approx([halves[0], *halves[:-1]] if parts else [], abs=1)
    np.testing.assert_allclose(grid.nominal.shares, fill(grid, [values], None).sumw / events)


def test_pairs_are_not_halved_and_expect_enough() -> None:
    """The cells of a pair have no halved tails, and none holds many fewer than 20 reference events."""
    x, y = np.random.default_rng(1).normal(size=(2, 600))
    for bins in (25, 1_000):
        slabs = bins_for(bins, [x, y], None, "error")
        assert slabs.nominal is not None
        assert slabs.nominal.tails == (0, 0)
        assert fill(slabs, [x, y], None).sumw.min() >= 19


@pytest.mark.parametrize("bins", [5, 50])
@pytest.mark.parametrize("rounded", [np.float32, lambda x: np.array([float(f"{v:.6g}") for v in x.tolist()])])
def test_edges_lie_between_values(bins: int, rounded: Any) -> None:
    """Repeated values are in the same bin after rounding to single precision or six digits, and others nearly all."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(size=4_000), np.repeat([0.1, 1 / 3, -2.7], 100), rng.choice([0.3, 0.7], 50)])
    grid = bins_for(bins, [x], None, "error")
    moved = grid.index([x]) != grid.index([np.asarray(rounded(x), dtype=np.float64)])
    assert not moved[4_000:].any()
    assert moved.mean() <= 0.002
    assert not np.isin(grid.axes[0].edges, x).any()


def test_edges_between_integers_are_half_integers() -> None:
    """Integers, also where some are missing, are told apart at half-integers."""
    for values in ([0, 1, 2], [3, 7], [-4, -1, 12, 13]):
        grid = bins_for(50, [np.repeat(np.array(values, dtype=float), 100)], None, "error")
        assert {edge % 1 for edge in grid.axes[0].edges} == {0.5}
        assert len(set(grid.index([np.array(values, dtype=float)]).tolist())) == len(values)


def test_effective_events_limit_the_number_of_bins() -> None:
    """Weights of both signs, and several entries per event, count by what they are worth."""
    x = np.random.default_rng(4).normal(size=4_000)
    signed = np.where(np.arange(4_000) % 4 == 0, -1.0, 1.0)  # (1/2)² of the events
    assert bins_for(100, [x], signed, "error").shape == (50,)
    assert bins_for(100, [x], None, "error", n_effective=400.0).shape == (20,)


@pytest.mark.parametrize("signed", [False, True])
def test_equal_weighted_shares(signed: bool) -> None:  # noqa: FBT001
    """Weighted bins hold equal shares of the absolute weight, to within the largest weight."""
    rng = np.random.default_rng(3)
    values, size = rng.normal(size=20_000), rng.exponential(size=20_000)
    weight = size * np.where(rng.random(20_000) < 0.2, -1, 1) if signed else size
    grid = bins_for(20, [values], weight, "error")
    shares = np.bincount(grid.index([values]), np.abs(weight))
    assert grid.nominal is not None
    low, high = grid.nominal.tails
    whole = [shares[:low].sum(), *shares[low : shares.size - high], shares[shares.size - high :].sum()]
    assert len(whole) == 20
    assert np.abs(np.array(whole) - size.sum() / 20).max() <= 2 * size.max()
    np.testing.assert_allclose(grid.nominal.shares, shares / size.sum())


def test_a_constant_weight_is_no_weight() -> None:
    """Equal weights of any size give the edges of the unweighted sample."""
    values = np.random.default_rng(4).normal(size=1_000)
    unweighted = equiprobable_edges(values, None, 10)
    for weight in (1e-30, 0.1, 1.0, 7.0):
        assert equiprobable_edges(values, np.full(1_000, weight), 10) == pytest.approx(unweighted, abs=0.02)


@pytest.mark.parametrize("values", [[0, 1], [0, 1, 1], [0, 1, 2, 2, 3], [True, False, True]])
def test_discrete_values_get_their_own_bins(values: list[int]) -> None:
    """Integers and booleans with few values are told apart one by one, and from what lies beyond all of them."""
    column = np.tile(np.array(values, dtype=float), 30)
    bins = bins_for(50, [column], None, "error")
    distinct = np.unique(column)
    own, others = bins.index([distinct]), bins.index([np.array([distinct.min() - 0.6, distinct.max() + 0.6])])
    assert len(set(own)) == distinct.size
    assert not set(own) & set(others)
    assert bins.nominal is not None
    assert set(bins.nominal.open) == set(others.tolist())


@pytest.mark.parametrize("bins", [2, 4])
def test_an_atom_of_exactly_one_share_is_an_atom(bins: int) -> None:
    """A value that holds exactly one share gets its own bin, the smallest value included."""
    column = np.tile(np.arange(bins, dtype=float), 25)
    chosen = bins_for(bins, [column], None, "error")
    assert chosen.index([np.arange(bins, dtype=float)]).tolist() == list(range(1, bins + 1))
    assert chosen.index([np.array([-0.6, bins - 0.4])]).tolist() == [0, bins + 1]


def _zero_suppressed(seed: int, at: float, n: int = 20_000) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {"x": np.where(rng.random(n) < 0.3, at, rng.exponential(size=n))}


def test_zero_suppression_is_seen() -> None:
    """Events that are exactly zero in the reference and another value in the generated sample are told apart."""
    reference = _zero_suppressed(1, 0.0)
    assert gv.validate(_zero_suppressed(2, 0.0), reference, n_required=2_000).verdict is gv.Verdict.ROBUST
    for at in (1e-3, -1e-3, TINY):
        assert gv.validate(_zero_suppressed(2, at), reference, n_required=2_000).verdict is gv.Verdict.BIASED


def test_saturation_is_seen() -> None:
    """A detector that saturates at 2 is not one that saturates at 2.001."""
    rng = np.random.default_rng(5)
    generated, reference = ({"x": rng.normal(size=20_000).clip(max=top)} for top in (1.001, 1.0))
    assert gv.validate(generated, reference, n_required=2_000).verdict is gv.Verdict.BIASED


@pytest.mark.parametrize("dtype", [float, int, np.uint8, np.float16, bool])
def test_constants_differ(dtype: type) -> None:
    """Two different constants are different in any type, and two equal ones compare nothing."""
    reference: dict[str, Any] = {"x": np.full(1_000, 1, dtype=dtype)}
    assert gv.validate({"x": np.full(1_000, 0, dtype=dtype)}, reference, n_required=100).verdict is gv.Verdict.BIASED
    if dtype is not bool:
        for other in (7, 2):
            other_sample: dict[str, Any] = {"x": np.full(1_000, other, dtype=dtype)}
            assert gv.validate(other_sample, reference, n_required=100).verdict is gv.Verdict.BIASED
    with pytest.raises(InputError, match="all events of both samples lie in 1 bin"):
        gv.validate(reference, {"x": reference["x"].copy()}, n_required=100, observables=["x"])


VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False, allow_infinity=False))


@settings(derandomize=True, deadline=None)
@given(
    reference=st.lists(VALUES, min_size=1, max_size=60),
    generated=st.lists(VALUES, min_size=1, max_size=60),
    bins=st.integers(2, 20),
)
def test_any_values_fall_into_exactly_one_bin(reference: list[float], generated: list[float], bins: int) -> None:
    """Edges strictly increase, there are no more bins than asked for and atoms, and every event is in one of them."""
    values = np.array(reference)
    edges = equiprobable_edges(values, None, bins)
    assert np.all(np.diff(edges) > 0)
    atoms = int((np.unique(values, return_counts=True)[1] * bins >= values.size).sum())
    assert 1 <= len(edges) <= bins + atoms
    for sample in (values, np.array(generated)):
        sums = fill(bins_for(bins, [values], None, "error"), [sample], None)
        assert sums.total == sample.size
        np.testing.assert_array_equal(sums.sumw, np.histogram(sample, [-np.inf, *edges, np.inf])[0])


@settings(derandomize=True, deadline=None)
@given(
    events=st.lists(st.tuples(VALUES, st.floats(-5, 5)), min_size=1, max_size=40),
    bins=st.integers(2, 20),
)
def test_any_weights_give_increasing_edges(events: list[tuple[float, float]], bins: int) -> None:
    """Weights of any sign, zeros among them, give at least one edge, strictly increasing."""
    values, weight = np.array(events).T
    edges = equiprobable_edges(values, weight, bins)
    assert edges
    assert np.all(np.diff(edges) > 0)


@pytest.mark.parametrize(
    "values", [[HUGE] * 50, [-HUGE, HUGE] * 50, [TINY, 0.0, -TINY] * 50, [HUGE, HUGE / 2, TINY, 0.0, -HUGE] * 50]
)
def test_extreme_values(values: list[float]) -> None:
    """The largest and the smallest numbers there are get bins, without a warning."""
    column = np.array(values)
    bins = bins_for(10, [column], None, "error")
    assert len(set(bins.index([np.unique(column)]))) == np.unique(column).size
    assert fill(bins, [column], None).total == column.size


def test_more_bins_than_events() -> None:
    """With more bins than events there are as many as hold enough, two at least, and the check is not ROBUST."""
    rng = np.random.default_rng(6)
    for bins in (1_000, 10**15):
        assert _counts(rng.normal(size=20), bins).tolist() == [10, 10]
    few = [{"x": rng.normal(size=15)} for _ in range(2)]
    assert gv.validate(*few, n_required=1, bins=1_000).verdict is gv.Verdict.UNPROVEN


def test_very_many_bins() -> None:
    """A hundred thousand bins are merged into such as the samples can fill."""
    rng = np.random.default_rng(7)
    generated, reference = ({"x": rng.normal(size=50_000)} for _ in range(2))
    found = gv.validate(generated, reference, n_required=1_000, bins=100_000).histograms["x"]
    assert found.bins < 5_000
    assert found.verdict is gv.Verdict.ROBUST


def test_edges_do_not_depend_on_the_generated_sample() -> None:
    """The reference alone chooses the bins: its shares are equal whatever was generated."""
    rng = np.random.default_rng(8)
    reference = {"x": rng.normal(size=5_000)}
    for generated in (rng.normal(size=5_000), rng.normal(5, 3, size=50_000)):
        contents = gv.validate({"x": generated}, reference, n_required=100, bins=10).histograms["x"].contents
        assert contents.reference == pytest.approx([0.1] * 10)


@pytest.mark.parametrize("bins", [9, 25, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_slabs_are_equiprobable(bins: int, weighted: bool) -> None:  # noqa: FBT001
    """The cells of a strongly correlated pair of columns hold the same share, within a few percent."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=100_000)
    y = 0.95 * x + 0.1 * rng.exponential(size=x.size)
    weight = rng.uniform(0.5, 1.5, x.size) if weighted else None
    slabs = bins_for(bins, [x, y], weight, "error")
    assert isinstance(slabs, Slabs)
    assert slabs.shape == (bins,)
    shares = fill(slabs, [x, y], weight)
    np.testing.assert_allclose(shares.sumw / shares.total, 1 / bins, rtol=0.02)


def test_slabs_of_discrete_columns() -> None:
    """Slabs that the reference does not populate are cut like the whole, so that nothing hides there."""
    x, y = np.repeat([0.0, 1.0], 500), np.tile([0.0, 1.0], 500)
    slabs = bins_for(16, [x, y], None, "error")
    assert fill(slabs, [x, y], None).total == 1_000
    beyond = slabs.index([np.array([1.6, 1.6, 0.0]), np.array([0.0, 1.0, 1.6])])
    assert len(set(beyond.tolist())) == 3
    assert set(beyond).isdisjoint(slabs.index([x, y]))
    assert slabs.nominal is not None
    assert set(beyond.tolist()) <= set(slabs.nominal.open)


def test_a_pair_of_one_column_is_fine() -> None:
    """A column paired with itself has its mass on the diagonal and no event is lost."""
    x = np.random.default_rng(10).normal(size=1_000)
    assert fill(bins_for(25, [x, x], None, "error"), [x, x], None).total == 1_000


@pytest.mark.parametrize("nonfinite", ["underflow", "overflow", "separate"])
def test_nonfinite_reference_values_choose_no_edges(nonfinite: str) -> None:
    """NaN and infinite reference values, allowed for, do not move the quantiles of the others."""
    values = np.random.default_rng(11).normal(size=1_000)
    spoilt = np.concatenate([values, [np.nan, np.inf, -np.inf]])
    weight = np.ones(1_003)
    for given_weight in (None, weight):
        grid = bins_for(10, [spoilt], given_weight, nonfinite)
        assert isinstance(grid, Grid)
        assert grid.axes[0].edges == equiprobable_edges(values, None, 10)
        assert grid.axes[0].nonfinite == nonfinite
    slabs = bins_for(25, [spoilt, spoilt[::-1]], None, nonfinite)
    assert fill(slabs, [spoilt, spoilt[::-1]], None).total == 1_003


def test_no_finite_reference_value() -> None:
    """A reference of nothing but NaN has no quantiles."""
    with pytest.raises(InputError, match="no finite value to choose bins from; give edges"):
        bins_for(10, [np.array([np.nan, np.inf])], None, "overflow")


@pytest.mark.parametrize(
    ("spec", "edges"),
    [
        ([0, 1, 2], (0, 1, 2)),
        ((0.0, 1.0), (0, 1)),
        (np.array([0.5]), (0.5,)),
        ([-np.inf, 0, 1, np.inf], (0, 1)),
        (range(3), (0, 1, 2)),
        (np.linspace(0, 1, 3, dtype=np.float16), (0, 0.5, 1)),
    ],
)
def test_user_edges(spec: object, edges: tuple[float, ...]) -> None:
    """Edges are used as given; infinite ends are what the flow bins are anyway."""
    assert _edges(spec) == edges


@pytest.mark.parametrize("spec", [[1, 0], [0, 0, 1], [0, np.nan, 1], [np.nan], [], [-np.inf, np.inf], [[0, 1], [2, 3]]])
def test_impossible_edges(spec: object) -> None:
    """Unsorted, repeated, undefined and missing edges are refused, never mended."""
    with pytest.raises(InputError, match="are not edges; expected at least one finite number, strictly increasing"):
        _edges(spec)


@pytest.mark.parametrize("spec", [1, 0, -5])
def test_too_few_bins(spec: int) -> None:
    """Fewer than two bins compare nothing."""
    with pytest.raises(InputError, match=f"bins={spec} compares nothing; expected at least 2"):
        _edges(spec)


@pytest.mark.parametrize("spec", [True, 5.0, None, "50", "many", object(), {"a"}, [1, "b"], [1j, 2]])
def test_bins_of_an_unknown_kind(spec: object) -> None:
    """A number of bins must be an integer, and edges must be numbers."""
    with pytest.raises((InputError, InputTypeError), match="bins="):
        _edges(spec)


def test_axes_of_histograms_as_bins(tmp_path: Any) -> None:
    """An axis of hist, boost-histogram or uproot gives its edges; one of categories is refused."""
    hist: Any = pytest.importorskip("hist")
    assert _edges(hist.axis.Regular(2, 0, 1)) == (0, 0.5, 1)
    assert _edges(hist.axis.Variable([0, 1, 3], overflow=False)) == (0, 1, 3)
    assert _edges(hist.axis.Integer(2, 5)) == (2, 3, 4, 5)
    for axis in (hist.axis.IntCategory([5, 7]), hist.axis.StrCategory(["a"])):
        with pytest.raises(InputTypeError, match="axis of categories"):
            _edges(axis)
    uproot: Any = pytest.importorskip("uproot")
    with uproot.recreate(tmp_path / "h.root") as file:
        file["h"] = hist.Hist(hist.axis.Regular(2, 0, 1)).fill([0.1])
    with uproot.open(tmp_path / "h.root") as file:
        assert _edges(file["h"].axes[0]) == (0, 0.5, 1)


def test_pairs_of_edges() -> None:
    """A pair of columns takes a pair of edges or of axes, one for each column."""
    columns = [np.zeros(3), np.zeros(3)]
    for spec in (([0, 1], [0, 1, 2]), [np.array([0.0, 1.0]), (0, 1, 2)]):
        assert bins_for(spec, columns, None, "error").shape == (3, 4)
    hist: Any = pytest.importorskip("hist")
    axes = hist.Hist(hist.axis.Regular(1, 0, 1), hist.axis.Variable([0, 1, 2])).axes
    assert bins_for(axes, columns, None, "error").shape == (3, 4)
    assert bins_for((axes[0], [0, 1, 2]), columns, None, "error").shape == (3, 4)


@pytest.mark.parametrize("spec", [[0.0, 1.0], [0.0, 1.0, 2.0], (10, 10), ([0, 1],), None, "ab", ([0, 1], 5)])
def test_edges_that_do_not_fit_a_pair(spec: object) -> None:
    """Edges of one column are not guessed to be those of two."""
    columns = [np.zeros(3), np.zeros(3)]
    with pytest.raises(InputTypeError, match="does not fit a pair of columns; expected a number of bins or a pair"):
        bins_for(spec, columns, None, "error")


def test_impossible_edges_of_a_pair() -> None:
    """Each of a pair of edges is checked."""
    with pytest.raises(InputError, match="are not edges"):
        bins_for(([0, 1], [1, 0]), [np.zeros(3), np.zeros(3)], None, "error")


@pytest.mark.parametrize(("bins", "per_axis"), [(2, 2), (3, 2), (6, 2), (7, 3), (12, 3), (13, 4), (100, 10)])
def test_pairs_share_the_bins_out(bins: int, per_axis: int) -> None:
    """A number of bins for a pair is a number of slabs times as many cells, at least two, nearest to its root."""
    rng = np.random.default_rng(bins)
    slabs = bins_for(bins, list(rng.normal(size=(2, 5_000))), None, "error")
    assert isinstance(slabs, Slabs)
    assert slabs.x.size == per_axis
    assert [axis.size for axis in slabs.y] == [per_axis] * per_axis


def test_options_of_axes() -> None:
    """A circular axis stays one, and one that grows, or a circular one where strata are, is refused."""
    bh: Any = pytest.importorskip("boost_histogram")
    circular = bh.axis.Regular(4, 0, 1, circular=True)
    bins = bins_for(circular, [np.zeros(1)], None, "error")
    assert bins.shape == (5,)
    np.testing.assert_array_equal(bins.index([np.array([-0.1, 0.1, 1.3])]), [3, 0, 1])
    both = bins_for((circular, [0.5]), [np.zeros(1)] * 2, None, "error")
    np.testing.assert_array_equal(both.index([np.array([-0.1, 1.1]), np.array([0.0, 1.0])]), [6, 1])
    for kind, arguments in (("Regular", (4, 0, 1)), ("Variable", ([0, 1],)), ("Integer", (0, 3))):
        with pytest.raises(InputError, match=r"an axis that grows.*give one that does not"):
            bins_for(getattr(bh.axis, kind)(*arguments, growth=True), [np.zeros(1)], None, "error")
    with pytest.raises(InputError, match="circular; a condition is divided along a line"):
        axis_for(circular, np.zeros(1), None, "overflow")


@pytest.mark.parametrize("circular", [True, False])
def test_given_bins_are_stored(circular: bool) -> None:  # noqa: FBT001
    """Bins that were given come back with their edges, their period, and the numbers that values are compared with."""
    axes = (Axis.of_edges((0.1, 0.2, 0.7), "overflow", circular=circular), Axis.of_edges((0.3,), "overflow"))
    for grid in (Grid(axes[:1]), Grid(axes)):
        text = json.dumps(encoded_bins(grid))
        restored = decoded_bins(parsed(text), ["x", "y"][: len(grid.axes)], "overflow")
        assert restored == grid
        assert [axis.cuts for axis in restored.axes] == [axis.cuts for axis in grid.axes]
    chosen = bins_for(2, [np.arange(100.0)], None, "error")
    assert decoded_bins(parsed(json.dumps(encoded_bins(chosen))), ["x"], "error").axes[0].cuts == chosen.axes[0].edges
    for wrong in ("[1]", "[true, true]", "true"):
        with pytest.raises(InputError, match="circular"):
            decoded_bins(parsed(f'{{"edges": [[0, 1]], "circular": {wrong}}}'), ["x"], "overflow")
    with pytest.raises(InputError, match=r"circular: .*no period"):
        decoded_bins(parsed('{"edges": [[0]], "circular": [true]}'), ["x"], "overflow")

"""The cells that are cut share out the reference evenly, hold every event once, and see wrong correlations."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import pytest_ganvalid
from pytest_ganvalid.check import compare
from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms.filling import fill
from pytest_ganvalid.histograms.kdtree import Cells, Cut, Node
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.observables import KDTree

Array = NDArray[np.float64]
NAMES = tuple("abcdefghijklmnop")
NAN, INF = np.nan, np.inf
SHAPES = st.tuples(st.integers(2, 400), st.integers(1, 6), st.integers(2, 70), st.integers(0, 2**32))


def _cells(columns: Any, bins: int, weight: Array | None = None, nonfinite: str = "error") -> Cells:
    return kdtree_cells(columns, weight, bins, nonfinite, NAMES[: len(columns)])


def _counts(cells: Cells, columns: Any, weight: Array | None = None) -> Array:
    return np.bincount(cells.index(columns), weight, minlength=cells.shape[0]).astype(np.float64)


def _chain(n: int, rng: np.random.Generator, links: tuple[float, ...]) -> list[Array]:
    """Standard normal columns, each correlated with the one before."""
    values = rng.normal(size=(len(links) + 1, n))
    for i, rho in enumerate(links):
        values[i + 1] = rho * values[i] + (1 - rho**2) ** 0.5 * values[i + 1]
    return list(values)


def _is_outside(cells: Cells) -> NDArray[np.bool_]:
    """Which cells are for events that are unlike (nearly) all reference events of their box."""
    return np.array(["other than" in cells.label(i, i) for i in range(cells.shape[0])])


@given(SHAPES)
def test_equal_mass(shape: tuple[int, int, int, int]) -> None:
    """Cells of continuous events hold equal numbers, to within one event, for any number of cells."""
    events, columns, bins, seed = shape
    values = list(np.random.default_rng(seed).normal(size=(columns, events)))
    cells = _cells(values, bins)
    counts = _counts(cells, values)
    assert counts.size == min(bins, events)
    assert np.abs(counts - events / counts.size).max() < 1


@given(SHAPES, st.integers(1, 5), st.booleans())
def test_every_event_is_in_one_cell(shape: tuple[int, int, int, int], levels: int, weighted: bool) -> None:  # noqa: FBT001
    """Of discrete events, weighted or not, each lies in one cell, only outside cells are empty in the reference, and
    equal events are in one cell.
    """
    events, columns, bins, seed = shape
    rng = np.random.default_rng(seed)
    values = list(rng.integers(0, levels + 1, size=(columns, events)).astype(np.float64))
    weight = rng.exponential(size=events) if weighted else None
    if all(np.ptp(column) == 0 for column in values):
        return
    try:
        cells = _cells(values, bins, weight)
    except InputError:
        return  # an atom leaves too little
    index = cells.index(values)
    counts = _counts(cells, values, weight)
    assert index.min() >= 0
    assert index.max() < cells.shape[0]
    outside = _is_outside(cells)
    assert np.count_nonzero(~outside) <= bins
    assert np.count_nonzero(outside) < 2 * bins
    assert counts[~outside].min() > 0
    assert counts[outside].max(initial=0) <= counts.sum() / 2
    rows = np.column_stack(values)
    for cell in range(cells.shape[0]):  # the same values are never told apart
        same = (rows[:, None] == rows[index == cell][None]).all(axis=2).any(axis=1)
        assert (index[same] == cell).all()


@given(SHAPES, st.booleans(), st.booleans())
def test_the_order_of_events_does_not_matter(shape: tuple[int, int, int, int], discrete: bool, weighted: bool) -> None:  # noqa: FBT001
    """The tree is the same for the same events in another order, ties and weights included."""
    events, columns, bins, seed = shape
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(columns, events))
    values = np.round(values * 2) if discrete else values
    weight = rng.choice([0.1, 0.2, 0.3, -0.7], size=events) if weighted else None
    order = rng.permutation(events)
    trees: list[Cells | None] = []
    for rows in (np.arange(events), order):
        try:
            trees.append(_cells(list(values[:, rows]), bins, None if weight is None else weight[rows]))
        except InputError:
            trees.append(None)
    assert trees[0] == trees[1]


@given(SHAPES)
def test_increasing_transformations_do_not_matter(shape: tuple[int, int, int, int]) -> None:
    """The events of a cell stay together when a column is transformed."""
    events, columns, bins, seed = shape
    values = list(np.random.default_rng(seed).normal(size=(columns, events)))
    other = [3 * column**3 + 5 for column in values]
    np.testing.assert_array_equal(_cells(values, bins).index(values), _cells(other, bins).index(other))


@pytest.mark.parametrize("signed", [False, True])
def test_equal_weighted_mass(signed: bool) -> None:  # noqa: FBT001
    """Weighted cells hold equal shares of the absolute weight, to within the largest weights."""
    rng = np.random.default_rng(3)
    values, size = list(rng.normal(size=(4, 20_000))), rng.exponential(size=20_000)
    weight = size * np.where(rng.random(20_000) < 0.2, -1, 1) if signed else size
    shares = _counts(_cells(values, 20, weight), values, np.abs(weight))
    assert shares.size == 20
    assert np.abs(shares - size.sum() / 20).max() <= 2 * size.max()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_tree_does_not_see_separate_events(weighted: bool) -> None:  # noqa: FBT001
    """The cells of the finite events are those of a reference without the others."""
    rng = np.random.default_rng(4)
    values, weight = rng.normal(size=(3, 500)), rng.exponential(size=500) if weighted else None
    good = rng.random(500) > 0.2
    dirty = [np.where(good, values[0], NAN), *values[1:]]
    clean = _cells(list(values[:, good]), 8, None if weight is None else weight[good])
    assert _cells(dirty, 8, weight, "separate").root == clean.root


def test_atoms() -> None:
    """A heavy value stays together, other values in its box have their own cell, and the cells are shared out by what
    lies on either side of it.
    """
    values = [np.concatenate([np.zeros(600), np.arange(1.0, 401.0)])]
    cells = _cells(values, 10)
    assert _counts(cells, values).tolist() == [0, 600, 100, 100, 100, 100]
    labels = [cells.label(i, i) for i in (0, 1, 2, 5)]
    assert labels == ["a < 0.5, a other than 0", "a = 0", "a in [0.5, 100.5)", "a >= 300.5"]
    assert cells.label(0, 1) == "a < 0.5"
    assert cells.index([np.array([-0.0, 0.3, -3.0, 1.0])]).tolist() == [1, 0, 0, 2]


def test_a_value_that_was_rounded_is_inside() -> None:
    """A value in single precision, or printed to six digits, is in the cell of the others, and no other value is."""
    rng = np.random.default_rng(7)
    values = [np.where(rng.random(2_000) < 0.9, 0.1, rng.normal(size=2_000)), rng.normal(size=2_000)]
    cells = _cells(values, 8)
    (outside, *_) = cells.outside()
    column = np.array([0.1, float(np.float32(0.1)), 0.1 * (1 + 4e-6), 0.1 * (1 + 6e-6), 0.2])
    assert (cells.index([column, np.zeros(5)]) == outside).tolist() == [False, False, False, True, True]


def test_cuts_lie_between_values() -> None:
    """No cut is at a value of the reference: rounding to single precision moves no event but by rare chance."""
    rng = np.random.default_rng(8)
    values = list(np.round(rng.normal(size=(3, 2_000)), 2))
    cells = _cells(values, 30)
    single = [column.astype(np.float32).astype(np.float64) for column in values]
    np.testing.assert_array_equal(cells.index(values), cells.index(single))


def test_columns_that_cannot_be_cut() -> None:
    """A constant column and a rare flag are passed over, and the other columns are cut instead; one more cell holds the
    events that have the flag or another constant.
    """
    rng = np.random.default_rng(5)
    flag = (np.arange(1_000) == 7).astype(np.float64)
    values = [np.ones(1_000), rng.normal(size=1_000), flag]
    cells = _cells(values, 16)
    assert _counts(cells, values).tolist() == pytest.approx([1] + [999 / 16] * 16, abs=1)
    assert cells.label(0, 0) == "a other than 1 or c other than 0"
    assert all(re.fullmatch("a = 1, b .*, c = 0", cells.label(i, i)) for i in range(1, 17))
    assert cells.label(0, 16) == "all"
    assert cells.label(0, 1).startswith("a other than 1 or c other than 0; or a = 1, b < ")


def test_two_columns_are_cut_in_turn() -> None:
    """With 16 cells of two columns, every cell is cut twice along both."""
    cells = _cells(list(np.random.default_rng(6).normal(size=(2, 1_600))), 16)
    depths = _depths(cells.root, (0, 0))
    assert set(depths) == {(2, 2)}


def _depths(node: Node | None, above: tuple[int, int]) -> list[tuple[int, int]]:
    if not isinstance(node, Cut):
        return [above]
    here = (above[0] + (node.column == 0), above[1] + (node.column == 1))
    return _depths(node.below, here) + _depths(node.above, here)


def _share_seen(node: Node | None, left: frozenset[int], pair: set[int]) -> float:
    """Share of the cells that are cut along both columns of a pair."""
    if not isinstance(node, Cut):
        return float(pair <= left)
    return sum(_share_seen(side, left | {node.column}, pair) for side in (node.below, node.above)) / 2


def test_every_pair_of_ten_columns_is_seen() -> None:
    """Of six cuts through ten columns some cells get every pair of columns, and all get the only correlated pair."""
    rng = np.random.default_rng(7)
    everything = _cells(list(rng.normal(size=(10, 20_000))), 64)
    shares = [_share_seen(everything.root, frozenset(), {i, j}) for i in range(10) for j in range(i)]
    assert min(shares) >= 0.1
    pair = _cells(_chain(20_000, rng, (0.0,) * 6 + (0.5, 0.0, 0.0)), 64)
    assert _share_seen(pair.root, frozenset(), {6, 7}) == 1


@pytest.mark.parametrize("columns", [2, 10])
def test_wrong_correlations_are_found(columns: int) -> None:
    """Lost, weakened and invented correlations behind exact marginals are BIASED, and the same simulator is ROBUST."""
    rng = np.random.default_rng(8)
    right = (0.6,) * (columns - 1)
    reference = _chain(8_000, rng, right)
    same = _chain(40_000, rng, right)
    cells = _cells(reference, 50)
    ref = fill(cells, reference, None)
    assert compare(fill(cells, same, None), ref, n_required=2_000).verdict.value == "ROBUST"
    lost = [0.6] * (columns - 1)
    lost[(columns - 1) // 2] = 0.0
    wrong = [[rng.permutation(column) for column in same], _chain(40_000, rng, tuple(lost))]
    for generated in wrong:
        assert compare(fill(cells, generated, None), ref, n_required=2_000).verdict.value == "BIASED"


def test_a_ring_is_found() -> None:
    """A dependence without any correlation is seen in two columns."""
    rng = np.random.default_rng(9)
    angle = rng.uniform(0, 2 * np.pi, 50_000)
    ring = [np.cos(angle), np.sin(angle)]
    cells = _cells(ring, 64)
    shuffled = fill(cells, [rng.permutation(column) for column in ring], None)
    assert compare(shuffled, fill(cells, ring, None), n_required=1_000).verdict.value == "BIASED"


def test_a_million_events() -> None:
    """The cells of 10⁶ events of three columns hold exactly equal numbers."""
    values = list(np.random.default_rng(10).normal(size=(3, 1_000_000)))
    assert _counts(_cells(values, 64), values).tolist() == [15_625] * 64


@pytest.mark.parametrize(
    ("values", "weight", "nonfinite", "text"),
    [
        ([[1.0] * 9, [2.0] * 9], None, "error", r"cannot be cut into cells along \['a', 'b'\].*compare each column"),
        ([[1.0, 2.0]], [0.0, 0.0], "error", "no events to choose cells from"),
        ([[1.0]], None, "error", "cannot be cut"),
        ([[NAN, INF]], None, "separate", "no events to choose"),
        ([[1.0, 2.0], [NAN, NAN]], None, "underflow", r"no events .*: \['a', 'b'\] need finite values"),
        ([[]], None, "error", "no events"),
    ],
)
def test_references_without_cells(values: Any, weight: Any, nonfinite: str, text: str) -> None:
    """A reference that offers nothing to cut is refused."""
    with pytest.raises(InputError, match=text):
        _cells([np.array(v, float) for v in values], 4, None if weight is None else np.array(weight), nonfinite)


N = 20_000
Events = dict[str, Array]


def _verdict(generated: Events, reference: Events, columns: tuple[str, ...] | None = None) -> str:
    report = pytest_ganvalid.validate(generated, reference, n_required=2_500, observables=[KDTree(columns)])
    return str(report.verdict.value)


def _calorimeter(seed: int, *, right: bool) -> Events:
    """Two layers that are hit together, and a column without meaning."""
    rng = np.random.default_rng(seed)
    hits = (rng.random((2, N)) < 0.5).astype(np.float64)
    return {"e1": hits[0], "e2": hits[0].copy() if right else hits[1], "z": rng.normal(size=N)}


def _parity(seed: int, *, right: bool) -> Events:
    """Three flags, of which any two are independent."""
    a, b, c = (np.random.default_rng(seed).random((3, N)) < 0.5).astype(np.float64)
    return {"a": a, "b": b, "c": (a + b) % 2 if right else c}


def _copy(seed: int, *, right: bool) -> Events:
    """A column, another that is the same, and one without meaning."""
    a, b, c = np.random.default_rng(seed).normal(size=(3, N))
    return {"a": a, "b": a.copy() if right else b, "c": c}


def _circle(seed: int, *, right: bool) -> Events:
    """A circle among five columns without meaning."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, N)
    other = angle if right else rng.uniform(0, 2 * np.pi, N)
    noise = {f"p{i}": rng.normal(size=N) for i in range(5)}
    circle: Events = {"x": np.cos(angle), "y": np.sin(other)}
    return circle | noise


@pytest.mark.parametrize("make", [_calorimeter, _parity, _copy, _circle])
def test_lost_dependence_is_found(make: Any) -> None:
    """Dependence that is all or nothing, of three columns or without any correlation is BIASED if lost, and the same
    simulator is ROBUST.
    """
    reference = make(2, right=True)
    assert _verdict(make(1, right=False), reference) == "BIASED"
    assert _verdict(make(1, right=True), reference) == "ROBUST"


def _atom(seed: int, value: float, share: float = 1.0, rest: float = 10.0) -> Events:
    """Two columns, and a third with one value for a share of the events."""
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(3, N))
    return {"x": x, "y": y, "z": np.where(rng.random(N) < share, value, z + rest)}


@pytest.mark.parametrize(
    ("wrong", "right", "reference"),
    [
        (_atom(1, 0.0, 0.0, 0.0), _atom(1, 0.0), _atom(2, 0.0)),
        (_atom(1, 2.0), _atom(1, 1.0), _atom(2, 1.0)),
        (_atom(1, 0.0, 0.98), _atom(1, 0.0), _atom(2, 0.0)),
        (_atom(1, 5.0, 0.99), _atom(1, 0.0, 0.99), _atom(2, 0.0, 0.99)),
        (_atom(1, 0.5, 0.99, 0.0), _atom(1, 0.0, 0.99, 0.0), _atom(2, 0.0, 0.99, 0.0)),
        (_atom(1, 0.5, 0.6, 0.0), _atom(1, 0.0, 0.6, 0.0), _atom(2, 0.0, 0.6, 0.0)),
    ],
    ids=["spread", "moved constant", "contaminated", "moved atom", "atom inside", "light atom"],
)
def test_a_wrong_constant_is_found(wrong: Events, right: Events, reference: Events) -> None:
    """Values beside a constant or an atom of the reference are BIASED, and the same simulator is ROBUST."""
    assert _verdict(wrong, reference, ("x", "y", "z")) == "BIASED"
    assert _verdict(right, reference, ("x", "y", "z")) == "ROBUST"


def test_a_wrong_constant_of_weighted_events_is_found() -> None:
    """An atom by weight is one, and events without weight are no part of the reference."""
    reference, rng = _atom(2, 0.0), np.random.default_rng(3)
    weight = rng.choice([0.0, 1.0, 2.0], N)
    reference["z"][weight == 0] = 7.0
    columns = list(reference.values())
    cells = _cells(columns, 20, weight)
    assert cells.label(0, 0) == "c other than 0"
    assert (_counts(cells, columns, weight)[0], _counts(cells, columns)[0]) == (0, np.count_nonzero(weight == 0))


def test_a_heavy_event_is_no_atom() -> None:
    """One event with most of the weight has no cell of its own, nor has a single event."""
    values = list(np.random.default_rng(4).normal(size=(2, 9)))
    weight = np.where(np.arange(9) == 4, 1e6, 1.0)
    with pytest.raises(InputError, match="cannot be cut"):
        _cells(values, 2, weight)
    assert not _is_outside(_cells(values, 9)).any()


def test_chance_constants_are_not_counted_together() -> None:
    """Rare flags that no reference event of a cell happens to have do not make a right generator BIASED."""
    rng = np.random.default_rng(5)
    for rate in (0.001, 0.01, 0.1):
        flags = [(rng.random((12, 2 * N)) < rate) * 1.0, rng.normal(size=(1, 2 * N))]
        columns = dict(zip(NAMES, np.concatenate(flags), strict=False))
        halves = [{name: values[side] for name, values in columns.items()} for side in (slice(N), slice(N, None))]
        assert _verdict(halves[0], halves[1]) == "ROBUST"


def test_chi_square_of_chance_constants() -> None:
    """Outside cells do not make χ² of a right generator larger: of 40 toys, few have a small p-value."""
    rng = np.random.default_rng(6)
    small = 0
    for _ in range(40):
        values = (rng.random((12, 8_000)) < 0.01) * 1.0
        generated, reference = (list(np.vstack([v, rng.normal(size=4_000)])) for v in np.split(values, 2, axis=1))
        cells = _cells(reference, 20)
        small += compare(fill(cells, generated, None), fill(cells, reference, None), n_required=500).p_value < 0.05
    assert small <= 6

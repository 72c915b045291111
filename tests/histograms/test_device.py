"""What is filled on a device is what is filled with numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")

import torch

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.histograms import device, repeated
from pytest_ganvalid.histograms.binning import bins_for
from pytest_ganvalid.histograms.bins import Axis, Grid, Slabs
from pytest_ganvalid.histograms.device import can_fill, filled_on_device, repeated_on_device
from pytest_ganvalid.histograms.filling import filled
from pytest_ganvalid.histograms.kdtree_growth import kdtree_cells
from pytest_ganvalid.histograms.repeated import Repeated

Array = NDArray[Any]
N = 20_001
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(2, N))
WEIGHTS = {
    "none": None,
    "signed": RNG.normal(1, 2, N),
    "many magnitudes": 10.0 ** RNG.uniform(-9, 9, N),
    "single": RNG.exponential(size=N).astype(np.float32),
    "integers": RNG.integers(-2, 9, N),
    "zero": np.zeros(N),
}
BINS = {
    "one axis": (Grid((Axis(tuple(np.linspace(-2, 2, 50).tolist())),)), (X,)),
    "one edge": (Grid((Axis((0.1,)),)), (X,)),
    "300 edges": (Grid((Axis(tuple(np.linspace(-3, 3, 300).tolist())),)), (X,)),
    "atoms": (bins_for(20, [np.maximum(X, 0)], None, "error"), (np.maximum(X, 0),)),
    "two axes": (Grid((Axis((-1.0, 0.5)), Axis((-2.0, 0.0, 2.0)))), (X, Y)),
    "given edges": (bins_for(np.arange(-2, 2.05, 0.1), [X], None, "error"), (np.round(X, 1).astype(np.float32),)),
    "circular": (
        Grid((Axis.of_edges((-0.5, 0.1, 0.7), "error", circular=True),)),
        (np.round(X, 1).astype(np.float32),),
    ),
    "circular and not": (Grid((Axis.of_edges((0.0, 0.1, 1.0), "error", circular=True), Axis((0.1,)))), (X, Y)),
    "slabs": (bins_for(100, [X, Y], None, "error"), (X, Y)),
}


def _on_device(bins: Grid | Slabs, columns: tuple[Array, ...], weight: Array | None) -> Any:
    tensors = [torch.from_numpy(np.array(column)) for column in columns]
    return filled_on_device(bins, tensors, None if weight is None else torch.from_numpy(np.array(weight)))


def _as_numbers(values: Array | None) -> NDArray[np.float64] | None:
    return None if values is None else values.astype(np.float64)


def _equal(bins: Grid | Slabs, columns: tuple[Array, ...], weight: Array | None) -> None:
    """Check that the sums are the same: counts to the last bit, weights to the one before it."""
    ours = _on_device(bins, columns, weight).sums()
    theirs = filled(bins, [column.astype(np.float64) for column in columns], _as_numbers(weight)).sums()
    np.testing.assert_array_max_ulp(ours.sumw, theirs.sumw, maxulp=0 if weight is None else 1)
    np.testing.assert_array_max_ulp(ours.sumw2, theirs.sumw2, maxulp=0 if weight is None else 1)
    assert ours.bins == theirs.bins
    assert ours.unweighted == theirs.unweighted


@pytest.mark.parametrize("kind", BINS)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_same_as_numpy(kind: str, weight: str) -> None:
    """Every kind of bins gets the contents that numpy finds, with weights of every kind."""
    bins, columns = BINS[kind]
    _equal(bins, columns, WEIGHTS[weight])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i4", "i8", "?"])
def test_numbers_of_any_type(dtype: str) -> None:
    """Numbers are compared with the edges in double precision, whatever they are held in."""
    values = (np.abs(X) * 20).astype(dtype)
    edges = tuple(np.unique(np.quantile(values.astype(float), [0.1, 0.2, 0.3, 0.5, 0.9])).tolist())
    _equal(Grid((Axis(edges),)), (values,), None)
    _equal(Grid((Axis((0.1, 1.3, 20.0000001)),)), (values,), None)


@pytest.mark.parametrize("place", ["underflow", "overflow", "separate"])
@pytest.mark.parametrize("kind", ["one axis", "two axes", "slabs"])
def test_nonfinite_values(kind: str, place: str) -> None:
    """NaN and infinite values go where the axis says, in either column of a pair."""
    x, y = X.copy(), Y.copy()
    x[::101], x[1::101], y[2::101], y[::303] = np.nan, -np.inf, np.inf, np.nan
    columns = (x,) if kind == "one axis" else (x, y)
    if kind == "slabs":
        _equal(bins_for(49, columns, None, place), columns, WEIGHTS["signed"])
    else:
        axes = (Axis((-1.0, 0.0, 1.0), nonfinite=place), Axis((0.5,), nonfinite=place))
        _equal(Grid(axes[: len(columns)]), columns, WEIGHTS["signed"])


@pytest.mark.parametrize("kind", ["one axis", "two axes", "slabs"])
def test_nonfinite_values_are_refused(kind: str) -> None:
    """Where they are refused they are counted, in any column."""
    x, y = X.copy(), Y.copy()
    (x if kind == "one axis" else y)[[5, 7, N - 1]] = np.nan, np.inf, -np.inf
    bins: Any = {
        "one axis": Grid((Axis((0.0, 1.0), nonfinite="error"),)),
        "two axes": Grid((Axis((0.0,), nonfinite="error"), Axis((0.0,), nonfinite="error"))),
        "slabs": Slabs(Axis((9.0,), nonfinite="error"), (Axis((0.0,), nonfinite="error"),) * 2),
    }[kind]
    with pytest.raises(InputError, match=rf"has 1 NaN and 2 infinite values among {N:,}"):
        _on_device(bins, (x,) if kind == "one axis" else (x, y), None)


def test_tensors_of_any_layout() -> None:
    """Columns of a matrix, or every other value, are filled as they are, and no tensor is changed."""
    matrix = torch.from_numpy(np.stack([X, Y], axis=1))
    before = matrix.clone()
    grid = Grid((Axis((-1.0, 0.0, 1.0)), Axis((0.5,))))
    found = filled_on_device(grid, [matrix[::2, 0], matrix[::2, 1]], matrix[::2, 1])
    theirs = filled(grid, [X[::2], Y[::2]], Y[::2])
    np.testing.assert_array_max_ulp(found.sums().sumw, theirs.sums().sumw, maxulp=1)
    assert torch.equal(matrix, before)


def test_half_precision_of_networks() -> None:
    """Tensors of a width that numpy lacks are filled by their values."""
    values = torch.from_numpy(X).bfloat16()
    grid = Grid((Axis((-1.0, 0.0, 1.0)),))
    found = filled_on_device(grid, [values], None)
    np.testing.assert_array_equal(found.sums().sumw, filled(grid, [values.double().numpy()], None).sums().sumw)


def test_parts_add_up() -> None:
    """Histograms of parts of the tensors add up to that of all, also with those that numpy filled."""
    bins, columns = BINS["slabs"]
    weight: Any = WEIGHTS["signed"]
    whole = filled(bins, columns, weight).sums()
    first = _on_device(bins, tuple(c[:7_000] for c in columns), weight[:7_000])
    second = filled(bins, [c[7_000:] for c in columns], weight[7_000:])
    both = (first + second).sums()
    np.testing.assert_array_max_ulp(both.sumw, whole.sumw, maxulp=1)
    np.testing.assert_array_max_ulp(both.sumw2, whole.sumw2, maxulp=1)


def test_what_fits() -> None:
    """Bins with edges can be filled on a device, and the cells of a tree cannot."""
    assert all(can_fill(bins) for bins, _ in BINS.values())
    assert not can_fill(kdtree_cells([X, Y, X * Y], None, 8, "error", "abc"))


@pytest.mark.parametrize("size", [1 << 15, 10])
@pytest.mark.parametrize("weight", ["none", "signed"])
def test_repeated_values(size: int, weight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest values are those that numpy lists, with their weights, NaN and the smallest numbers included."""
    monkeypatch.setattr(repeated, "SIZE", size)
    monkeypatch.setattr(device, "SIZE", size)
    values = np.concatenate([np.maximum(X, 0)[:-6], [np.nan, np.inf, 5e-324, -0.0, 1.7e308, 0.1]])
    values[:900:3] = 0.1
    weights = WEIGHTS[weight]
    for column in (values, np.minimum(values, 3e38).astype(np.float32)):
        theirs = Repeated.of(column.astype(np.float64), _as_numbers(weights))
        tensor = None if weights is None else torch.from_numpy(weights)
        ours = repeated_on_device(torch.from_numpy(column), tensor)
        assert ours.encoded() == theirs.encoded()
        assert theirs.values.size

"""The smooth components of a difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_ganvalid.histograms.layout import Arrangement, Layout
from pytest_ganvalid.statistics.separation import Fractions, separation
from pytest_ganvalid.statistics.smooth import Components, resolutions, smooth_basis

FloatArray = NDArray[np.float64]


def drawn(seed: int, bins: int, events: int = 100_000) -> Fractions:
    """A histogram of some shape."""
    rng = np.random.default_rng(seed)
    counts = np.asarray(rng.multinomial(events, rng.dirichlet(np.full(bins, 3.0))) + 1, dtype=np.float64)
    return Fractions.from_sums(counts, counts)


def is_orthonormal(basis: FloatArray, content: FloatArray) -> bool:
    """Whether functions are orthonormal under their contents, and to 1."""
    gram = basis.T @ (content[:, None] * basis)
    return np.allclose(gram, np.eye(basis.shape[1]), atol=1e-10) and np.allclose(content @ basis, 0, atol=1e-10)


@pytest.mark.parametrize(
    ("layout", "functions"),
    [
        (Layout.line(300), 144),
        (Layout(Arrangement.CIRCLE, np.arange(30)[:, None]), 8),
        (Layout.product((7, 6)), 9),
        (Layout.product((4, 4, 4)), 9),
        (Layout(Arrangement.SLABS, np.stack(np.divmod(np.arange(42), 6), axis=1)), 9),
        (Layout(Arrangement.PARTS, np.repeat(np.arange(10), 4)[:, None]), 9),
        (Layout.product((2, 7)), 6),  # one axis of two bins: x² and x³ are x
    ],
)
def test_functions_are_orthonormal_to_each_other_and_to_one(layout: Layout, functions: int) -> None:
    """Whatever the layout, as many as promised, also where some depend on others and at degree 144."""
    content = drawn(1, len(layout.positions)).q
    basis = smooth_basis(layout, content, 144)
    assert basis.shape[1] == functions
    assert is_orthonormal(basis, content)


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_as_many_components_as_bins_less_one_are_all_bins(seed: int, bins: int) -> None:
    """Then T, m1, m2 are those of the triangular discrimination on all bins."""
    generated, reference = drawn(seed, bins), drawn(seed + 1, bins)
    basis = smooth_basis(Layout.line(bins), (generated.q + reference.q) / 2, bins - 1)
    mine, all_bins = Components.of(generated, reference, basis).separation, separation(generated, reference)
    assert mine.t == pytest.approx(all_bins.t, rel=1e-8)
    noise = generated.covariance() + reference.covariance()
    assert mine.m1 == pytest.approx(np.sum(noise.diagonal() / (generated.q + reference.q)), rel=1e-8)
    weighted = noise / (generated.q + reference.q)
    assert mine.m2 == pytest.approx(np.sum(weighted * weighted.T), rel=1e-8)


def test_parts_are_a_coarser_histogram() -> None:
    """The components of parts are the triangular discrimination of their contents."""
    generated, reference = drawn(3, 40), drawn(4, 40)
    layout = Layout(Arrangement.PARTS, np.repeat([3, 5, 9, 11], 10)[:, None])
    basis = smooth_basis(layout, (generated.q + reference.q) / 2, 0)
    ours, theirs = (f.q.reshape(4, 10).sum(axis=1) for f in (generated, reference))
    expected = separation(Fractions.from_sums(ours, ours), Fractions.from_sums(theirs, theirs)).t
    assert Components.of(generated, reference, basis).separation.t == pytest.approx(expected, rel=1e-10)


def test_a_rotated_circle_has_the_same_components() -> None:
    """Where an angle begins makes no difference: T is the same however the bins are rolled."""
    generated, reference = drawn(5, 36), drawn(6, 36)
    layout = Layout(Arrangement.CIRCLE, np.arange(36)[:, None])
    found = []
    for shift in (0, 7, 20):
        one, other = (Fractions.from_sums(np.roll(f.q, shift), np.roll(f.u, shift)) for f in (generated, reference))
        basis = smooth_basis(layout, (one.q + other.q) / 2, 0)
        found.append(Components.of(one, other, basis).separation.t)
    assert found == pytest.approx([found[0]] * 3, rel=1e-9)


def test_the_first_component_is_the_location() -> None:
    """Contents that move to higher bins make it positive, and nothing else much."""
    x = (np.arange(50) + 0.5) / 50 - 0.5
    generated, reference = (Fractions.from_sums(c, c) for c in (1000 * (1 + 0.1 * x), np.full(50, 1000.0)))
    theta = Components.of(generated, reference, smooth_basis(Layout.line(50), np.full(50, 0.02), 4)).theta
    assert theta[0] == pytest.approx(0.1 / 12**0.5, rel=1e-3)
    assert np.abs(theta[1:]).max() < 1e-4


def test_slabs_are_ranked_within_themselves() -> None:
    """Along the second axis of slabs the rank is conditional, so that shifting slabs against each other is nothing."""
    content = np.full(12, 1 / 12)
    slabs = Layout(Arrangement.SLABS, np.stack(np.divmod(np.arange(12), 3), axis=1))
    basis = smooth_basis(slabs, content, 0)
    second = basis[:, 1].reshape(4, 3)
    assert np.allclose(second, second[0])


@pytest.mark.parametrize(
    ("ndf", "layout", "expected"),
    [
        (9, Arrangement.LINE, ()),
        (10, Arrangement.LINE, (9,)),
        (71, Arrangement.LINE, (9,)),
        (72, Arrangement.LINE, (9, 36)),
        (288, Arrangement.LINE, (9, 36, 144)),
        (288, Arrangement.PRODUCT, (9,)),
        (288, Arrangement.PARTS, (9,)),
        (288, Arrangement.CIRCLE, (8,)),
        (288, Arrangement.NONE, ()),
    ],
)
def test_ripples_are_looked_for_where_bins_are_many(ndf: int, layout: Arrangement, expected: tuple[int, ...]) -> None:
    """36 and 144 components are for one ordered axis of at least twice as many bins; few bins need none."""
    assert resolutions(ndf, layout) == expected

"""The boundary toys are wrong by exactly what they state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.toys.boundary import (
    SHAPES,
    boundary_shape,
    falling_spectrum,
    local_shape,
    triangular_discrimination,
)


@pytest.mark.parametrize("drop", [1.0, 30.0])
@pytest.mark.parametrize("bins", [2, 3, 5, 20, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_separation_is_exact(shape: str, bins: int, drop: float) -> None:
    """Every shape has exactly the triangular discrimination asked for, is normalised and positive."""
    p = falling_spectrum(bins, drop)
    for delta in (1e-12, 1e-6, 1e-3, 5e-3):
        q = boundary_shape(shape, p, delta)
        assert triangular_discrimination(q, p) == pytest.approx(delta, rel=1e-9 if delta > 1e-9 else 1e-3, abs=1e-16)
        assert q.sum() == pytest.approx(1, abs=1e-12)
        assert q.min() > 0


@pytest.mark.parametrize("shape", SHAPES)
def test_no_separation_is_perfection(shape: str) -> None:
    """A bias of zero is the reference itself."""
    p = falling_spectrum(20)
    np.testing.assert_allclose(boundary_shape(shape, p, 0), p, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reference_need_not_be_normalised(shape: str) -> None:
    """Counts serve as a reference as well as probabilities."""
    p = falling_spectrum(20)
    np.testing.assert_allclose(boundary_shape(shape, 1000 * p, 1e-3), boundary_shape(shape, p, 1e-3), rtol=1e-12)


def test_the_shapes_differ_where_they_say() -> None:
    """One bin goes up, the middle fifth is depleted, the tail moves up or down, and a spread bias is everywhere."""
    p = falling_spectrum(20, 1)
    up = {shape: boundary_shape(shape, p, 1e-3) > p for shape in SHAPES}
    assert up["one_bin"].nonzero()[0].tolist() == [10]
    assert (~up["hole"]).nonzero()[0].tolist() == [8, 9, 10, 11]
    assert up["tail_up"].nonzero()[0].tolist() == [16, 17, 18, 19]
    assert (~up["tail_down"]).nonzero()[0].tolist() == [16, 17, 18, 19]
    assert up["spread"].tolist() == [True, False] * 10
    assert up["smooth"].tolist() == [True] * 10 + [False] * 10


def test_an_unreachable_separation_is_refused() -> None:
    """A hole cannot be deeper than empty, and the message says how far it reaches."""
    p = falling_spectrum(100, 1)
    with pytest.raises(InputError, match=r"delta=0\.5 is out of reach of a 'hole' bias .* expected below 0\.22"):
        boundary_shape("hole", p, 0.5)


def test_the_reach_of_a_hole_is_sharp() -> None:
    """Just below the stated reach the shape exists and is nearly empty in the hole."""
    p = falling_spectrum(5, 1)
    reach = 0.2 + 0.8 * 0.25**2 / 2.25
    assert 0 < boundary_shape("hole", p, reach * (1 - 1e-9)).min() < 1e-6
    with pytest.raises(InputError, match="out of reach"):
        boundary_shape("hole", p, reach * (1 + 1e-9))


@pytest.mark.parametrize("p", [[0.5, 0.5, 0.0], [1.0], [[0.5, 0.5]], [0.5, math.nan], [1.5, -0.5]])
def test_what_is_no_spectrum_is_refused(p: list[float]) -> None:
    """A reference needs at least two bins, all with positive probability."""
    with pytest.raises(InputError, match="is no spectrum"):
        boundary_shape("spread", p, 0.01)


def test_an_unknown_shape_is_refused() -> None:
    """The message lists the shapes there are."""
    with pytest.raises(InputError, match=r"shape='wiggle' is unknown; expected one of .*'spread'"):
        boundary_shape("wiggle", [0.5, 0.5], 0.01)


def test_a_negative_separation_is_refused() -> None:
    """Δ is a sum of squares."""
    with pytest.raises(InputError, match="delta"):
        boundary_shape("spread", [0.5, 0.5], -0.01)


@pytest.mark.parametrize("bias", [-5.0, -1.0, 0.0, 2.5, 5.0])
def test_the_local_bias_is_exact(bias: float) -> None:
    """The chosen bin has exactly the bias stated, in error bars of n_required; the others keep their proportions."""
    p, n_required, biases = falling_spectrum(20), 10_000, np.full(20, np.nan)
    biases[7] = bias
    q = local_shape(p, biases, n_required)
    assert (q[7] - p[7]) * math.sqrt(2 * n_required / (q[7] + p[7])) == pytest.approx(bias, abs=1e-9)
    assert q.sum() == pytest.approx(1, abs=1e-12)
    others = np.delete(q / p, 7)
    np.testing.assert_allclose(others, others[0], rtol=1e-12)


def test_an_impossible_local_bias_is_refused() -> None:
    """A bin of 10 expected events cannot miss more than it holds."""
    with pytest.raises(InputError, match="leave bin 0 with probability"):
        local_shape([0.1, 0.9], [-5, np.nan], 100)


def test_local_biases_need_a_bin_that_balances_them() -> None:
    """Probabilities add up to one: not all of them can be prescribed."""
    with pytest.raises(InputError, match=r"expected .* at least 1"):
        local_shape([0.5, 0.5], [1, -1], 100)


@pytest.mark.parametrize(("bins", "drop"), [(2, 1.0), (5, 30.0), (100, 1000.0)])
def test_a_falling_spectrum_drops_as_stated(bins: int, drop: float) -> None:
    """The first bin holds ``drop`` times as much as the last, and all add up to one."""
    p = falling_spectrum(bins, drop)
    assert p[0] / p[-1] == pytest.approx(drop)
    assert p.sum() == pytest.approx(1)

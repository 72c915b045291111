"""Fits of templates: the maximum is the maximum, its covariance the curvature, and errors of templates count."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize

from pytest_ganvalid.errors import InputError
from pytest_ganvalid.statistics.template_fit import (
    Constraints,
    Data,
    Likelihood,
    expected,
    fit,
    fitted_yields,
    no_error,
    root_of,
)

FloatArray = NDArray[np.float64]
SIGNAL, BACKGROUND = np.array([20.0, 60, 90, 40]), np.array([300.0, 200, 150, 100])
NONE = Constraints(np.array([], dtype=np.intp), np.array([]), np.array([]))


def rates(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A signal of strength θ0, whose template may be shifted, on a background of strength exp(0.1 θ1) θ2."""
    scale = np.exp(0.1 * theta[:, 1]) * theta[:, 2]
    return theta[:, :1] * SIGNAL + scale[:, None] * BACKGROUND, theta[:, :1] * np.ones(4)


BOTH = Constraints(np.array([1, 2]), np.array([1.0, 1.0]), np.array([0.0, 400.0]))
MODEL = Likelihood(rates, BOTH, np.array([True, True, True]), np.array([1.0, 0.0, 1.0]))


def minus_log(theta: FloatArray, contents: FloatArray, measured: FloatArray) -> float:
    """The likelihood once more, in plain words."""
    mean = theta[0] * SIGNAL + math.exp(0.1 * theta[1]) * theta[2] * BACKGROUND
    main = float((mean - contents * np.log(mean)).sum())
    poisson = 400 * theta[2] - measured[1] * math.log(400 * theta[2])
    return main + float((theta[1] - measured[0]) ** 2) / 2 + float(poisson)


def data(contents: FloatArray, measured: FloatArray, root: FloatArray | None = None) -> Data:
    """Data without shifts."""
    return Data(contents, measured, np.zeros((1, 4)), no_error(4) if root is None else root)


def toys(number: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Draw contents and auxiliary measurements."""
    rng = np.random.default_rng(seed)
    contents = rng.poisson(SIGNAL + BACKGROUND, (number, 4)).astype(np.float64)
    return contents, BOTH.drawn(MODEL.start, number, rng)


def test_fits_are_those_of_a_minimiser() -> None:
    """Parameters and likelihood are those that scipy finds, many fits at a time, held parameters included."""
    contents, measured = toys(20, 1)
    fits = fit(MODEL, data(contents, measured))
    held = fit(MODEL.fixed(0, 1.0), data(contents, measured))
    for i in range(20):
        there = optimize.minimize(minus_log, MODEL.start, (contents[i], measured[i]), "Nelder-Mead", tol=1e-10)
        np.testing.assert_allclose(fits.theta[i], there.x, atol=1e-4)
        assert fits.minus_log[i] == pytest.approx(there.fun, abs=1e-7)
        assert held.theta[i, 0] == 1
        assert held.minus_log[i] >= fits.minus_log[i]
        bound = optimize.minimize(
            lambda rest, i=i: minus_log(np.array([1.0, *rest]), contents[i], measured[i]),
            MODEL.start[1:],
            method="Nelder-Mead",
            tol=1e-10,
        )
        assert held.minus_log[i] == pytest.approx(bound.fun, abs=1e-7)


def test_the_covariance_is_the_spread_of_toys() -> None:
    """Over toys the parameters scatter around the truth as the covariance says, and pulls are standard normal."""
    fits = fit(MODEL, data(*toys(2_000, 2)))
    errors = np.sqrt(np.einsum("tii->ti", fits.covariance))
    pulls = (fits.theta - MODEL.start) / errors
    assert np.all(np.abs(pulls[:, 0].mean()) < 0.1)
    np.testing.assert_allclose(fits.theta.std(axis=0), errors.mean(axis=0), rtol=0.08)


def test_errors_of_a_template_add_up() -> None:
    """A template that may vary as a whole adds its variance to that of the strength; 25 % more of it is 20 % less."""
    contents = expected(MODEL, MODEL.start[None], np.zeros((1, 4)))
    measured = BOTH.expected(MODEL.start[None])
    plain = fit(MODEL, data(contents, measured))
    root = 0.2 * SIGNAL[None, :, None]  # 20 %, all bins together
    wide = fit(MODEL, data(contents, measured, root))
    variance = plain.covariance[0, 0, 0] + 0.2**2
    assert wide.covariance[0, 0, 0] == pytest.approx(variance, rel=1e-6)
    shifted = fit(MODEL, Data(contents, measured, 0.25 * SIGNAL[None], no_error(4)))
    assert shifted.theta[0, 0] == pytest.approx(0.8, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_a_root_is_one(seed: int, bins: int) -> None:
    """L Lᵀ is the covariance, of several at a time, singular ones too."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(3, bins, max(bins - 1, 1)))
    covariance = factors @ factors.transpose(0, 2, 1)
    root = root_of(covariance)
    np.testing.assert_allclose(root @ root.transpose(0, 2, 1), covariance, atol=1e-9 * covariance.max())


def test_what_is_not_determined_is_refused() -> None:
    """Parameters on which nothing depends are an error that says so."""

    def nothing(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.broadcast_to(BACKGROUND, (theta.shape[0], 4)), np.zeros((theta.shape[0], 4))

    with pytest.raises(InputError, match="do not determine all free parameters"):
        fit(Likelihood(nothing, NONE, MODEL.free, MODEL.start), data(BACKGROUND[None], np.zeros((1, 0))))


def test_a_fit_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits that do not converge are refused, or marked where some may fail."""
    contents, measured = toys(10, 4)
    contents[0], measured[0] = SIGNAL + BACKGROUND, BOTH.expected(MODEL.start[None])[0]  # is there from the start
    monkeypatch.setattr("pytest_ganvalid.statistics.template_fit._MAX_STEPS", 1)
    marked = fit(MODEL, data(contents, measured), allow_failures=True)
    assert marked.converged.tolist() == [True] + 9 * [False]
    assert np.isnan(marked.minus_log).tolist() == [False] + 9 * [True]
    with pytest.raises(InputError, match="9 of 10 fits of the model do not converge"):
        fit(MODEL, data(contents, measured))


def test_many_fits_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The results do not depend on how many fits are done at a time."""
    contents, measured = toys(50, 3)
    at_once = fit(MODEL, data(contents, measured))
    monkeypatch.setattr("pytest_ganvalid.statistics.template_fit._MEMORY", 100)
    in_parts = fit(MODEL, data(contents, measured))
    np.testing.assert_allclose(in_parts.theta, at_once.theta, rtol=1e-12)
    assert in_parts.converged.all()


def test_yields_are_those_of_a_minimiser() -> None:
    """Yields maximise the extended likelihood, add up to the contents, and may be negative."""
    templates = np.array([SIGNAL / SIGNAL.sum(), BACKGROUND / BACKGROUND.sum()])
    contents = np.array([310.0, 260, 250, 130])
    yields = fitted_yields(templates, contents)
    there = optimize.minimize(
        lambda y: (y @ templates).sum() - contents @ np.log(y @ templates),
        [200.0, 750.0],
        method="Nelder-Mead",
        tol=1e-9,
    )
    np.testing.assert_allclose(yields, there.x, rtol=1e-5)
    assert yields.sum() == pytest.approx(contents.sum())
    assert fitted_yields(templates, np.array([500.0, 190, 110, 120]))[0] < 0


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ([0.0, 0, 0, 0], "add up to 0; expected events between the edges"),
        ([1.0, 2, 3, 4], "in bins where no template has any"),
    ],
)
def test_yields_that_cannot_be_fitted(contents: list[float], words: str) -> None:
    """Nothing, and events where no component can be, are errors that say so."""
    templates = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]])
    with pytest.raises(InputError, match=words):
        fitted_yields(templates, np.array(contents))
